// `npm run lock`, after packages were changed: completes the lockfiles. A registry that mirrors only some platforms makes npm leave the
// others' optional packages out in silence, and then `npm ci` refuses the lockfile everywhere. Such an entry has no checksum, because the
// mirror has none to give. Download addresses are taken out: the lockfile is for any registry.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, say } from "./tools.mjs";

const systems = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const processors = ["arm64", "arm", "ia32", "loong64", "ppc64", "riscv64", "s390x", "x64"];

for (const folder of [root, join(root, "test", "clients")]) {
  const path = join(folder, "package-lock.json");
  const before = readFileSync(path, "utf8");
  const lock = JSON.parse(before);
  for (const [at, entry] of Object.entries(lock.packages)) {
    delete entry.resolved;
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const key = `node_modules/${name}`;
      if (lock.packages[key] !== undefined || lock.packages[`${at}/${key}`] !== undefined) continue;
      lock.packages[key] = { version, ...platform(name), ...(entry.dev === true ? { dev: true } : {}), optional: true };
      say(`${name}@${version}`);
    }
  }
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  const after = `${JSON.stringify(lock, null, 2)}\n`;
  if (after !== before) writeFileSync(path, after);
}

/** What a platform's package says of itself, as npm's convention has it in the name: `…-linux-x64-musl`. */
function platform(name) {
  const words = name.split(/[/-]/);
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  if (os.length !== 1 || cpu.length !== 1) throw new Error(`which platform is ${name} for?`);
  const libc = words.some((word) => word.startsWith("musl")) ? ["musl"] : words.some((word) => word.startsWith("gnu")) ? ["glibc"] : null;
  return { cpu, ...(libc === null ? {} : { libc }), os };
}
