// `npm run build`: sources to dist/, with the bundled dashboard, ready to pack. Built beside dist/ and moved into its place whole, so that
// what runs from dist/ never sees half a build, and nothing that was deleted from the sources lives on.

import { chmodSync, existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildClient } from "./client.mjs";
import { fail, install, newest, requireNode, root, run, say } from "./tools.mjs";
import { buildWeb } from "./web.mjs";

const dist = join(root, "dist");
const stamp = join(dist, ".built");
const sources = [
  "src",
  "docs/sdk.md",
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "scripts/build.mjs",
  "scripts/client.mjs",
  "scripts/web.mjs",
].map((name) => join(root, name));

/** Whether dist/ is missing or older than a source. */
export function isStale() {
  return !existsSync(stamp) || newest([stamp]) < newest(sources);
}

export async function build() {
  const startedMs = Date.now();
  // The same depth as dist/, because source maps point at ../src.
  const next = join(root, `.dist-${process.pid}`);
  const last = join(root, `.dist-${process.pid}-last`);
  try {
    const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
    const code = await run(process.execPath, [compiler, "-p", "tsconfig.build.json", "--outDir", next], { quiet: true });
    if (code !== 0) fail("The build failed: see the errors above.");
    await buildClient(join(next, "client"));
    await buildWeb(join(next, "web", "app"));
    const command = join(next, "cli", "main.js");
    if (existsSync(command)) chmodSync(command, 0o755);
    writeFileSync(join(next, ".built"), "");
    if (existsSync(dist)) renameSync(dist, last);
    renameSync(next, dist);
  } finally {
    rmSync(next, { recursive: true, force: true });
    rmSync(last, { recursive: true, force: true });
  }
  say(`Built dist/ in ${((Date.now() - startedMs) / 1000).toFixed(1)} s.`);
}

if (process.argv[1] === import.meta.filename) {
  requireNode();
  await install();
  await build();
}
