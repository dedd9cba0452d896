// Builds the dashboard: src/web/app to a folder of hashed files, each with its compressed twins beside it. As a command it brings
// dist/web/app up to date, for a server that runs from the sources. Invariant: what is served is a whole build, never half of one.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { fail, install, newest, requireNode, root, run, say } from "./tools.mjs";

const sources = ["src/web/app", "package.json", "scripts/web.mjs"].map((name) => join(root, name));
const place = join(root, "dist", "web", "app");

/** Into `folder`, which is made anew. */
export async function buildWeb(folder) {
  const args = [
    join(root, "node_modules", "vite", "bin", "vite.js"),
    "build",
    "--config",
    "bundle.ts",
    "--outDir",
    folder,
    "--emptyOutDir",
  ];
  // A process of its own: under a test runner the bundler would build for development.
  const env = { ...process.env, NODE_ENV: "production" };
  const code = await run(process.execPath, args, { cwd: join(root, "src", "web", "app"), env, quiet: true });
  if (code !== 0) fail("The dashboard could not be built: see the errors above.");
  const assets = join(folder, "assets");
  await Promise.all(readdirSync(assets).map((name) => pack(join(assets, name))));
}

let fresh;

/** dist/web/app, unless it is newer than every source of it. Once in a process. */
export function freshenWeb() {
  fresh ??= freshen();
  return fresh;
}

async function freshen() {
  const stamp = join(place, "index.html");
  if (existsSync(stamp) && newest([stamp]) >= newest(sources)) return;
  const startedMs = Date.now();
  mkdirSync(dirname(place), { recursive: true });
  const work = mkdtempSync(join(dirname(place), ".app-"));
  try {
    await buildWeb(join(work, "next"));
    if (existsSync(place)) renameSync(place, join(work, "last"));
    renameSync(join(work, "next"), place);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  say(`Built the dashboard in ${((Date.now() - startedMs) / 1000).toFixed(1)} s.`);
}

async function pack(path) {
  if (![".js", ".css", ".svg"].includes(extname(path))) return;
  const text = readFileSync(path);
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
  writeFileSync(`${path}.br`, await promisify(brotliCompress)(text, quality));
  writeFileSync(`${path}.gzip`, await promisify(gzip)(text));
}

if (process.argv[1] === import.meta.filename) {
  requireNode();
  await install();
  await freshenWeb();
}
