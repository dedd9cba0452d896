// `npm start`: from a fresh clone to a running server. Installs when the lockfile asks for it, builds when a source is newer than dist/,
// then becomes `pennyworth serve` in this very process, so that signals and the exit code need no passing on. `npm run demo` is the same for
// `pennyworth demo`.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, isStale } from "./build.mjs";
import { install, requireNode, root, say } from "./tools.mjs";

requireNode();
if (await install()) say("Installed.");
if (isStale()) {
  say("Building …");
  await build();
}
const command = join(root, "dist", "cli", "main.js");
const args = process.argv.slice(2);
process.argv = [process.argv[0], command, ...(args[0] === "demo" ? args : ["serve", ...args])];
await import(pathToFileURL(command).href);
