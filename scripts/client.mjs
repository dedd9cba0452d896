// Builds the client: src/client to a folder of its own, ready to publish: ES modules, types, README, licence, and a package.json without
// dependencies. Compiled as for a browser, so that what only Node has does not get in.

import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fail, install, requireNode, root, run, say } from "./tools.mjs";

/** Into `folder`, which is made anew. */
export async function buildClient(folder) {
  rmSync(folder, { recursive: true, force: true });
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const code = await run(process.execPath, [compiler, "-p", join(root, "src", "client"), "--outDir", folder], { quiet: true });
  if (code !== 0) fail("The client could not be built: see the errors above.");
  const { version, license } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const manifest = {
    name: "@pennyworth/client",
    version,
    description: "What your AI tasks cost and whether they were worth it: says to Pennyworth whose each call is, and how the work ended.",
    license,
    type: "module",
    sideEffects: false,
    exports: { ".": { types: "./pennyworth.d.ts", default: "./pennyworth.js" } },
    files: ["*.js", "*.d.ts"],
  };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  // Pages beside the guide are not beside the package.
  const guide = readFileSync(join(root, "docs", "sdk.md"), "utf8").replaceAll(/\[([^\]]+)\]\((?!https?:)[^)]+\)/g, "$1");
  writeFileSync(join(folder, "README.md"), guide.replaceAll("```js run", "```js"));
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
}

if (process.argv[1] === import.meta.filename) {
  requireNode();
  await install();
  const folder = resolve(process.argv[2] ?? join(root, "dist", "client"));
  await buildClient(folder);
  say(`Built the client in ${folder}.`);
}
