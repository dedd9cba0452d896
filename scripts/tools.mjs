// What start, build and test share: which Node, which packages, which program is where. Plain Node, no packages: it runs before any is
// installed. Invariant: nothing here changes the working tree but node_modules and dist.

import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");

/** Ends the process with a plain line when this Node is too old to run Pennyworth. */
export function requireNode(major = 20, minor = 19) {
  const [haveMajor = 0, haveMinor = 0] = process.versions.node.split(".").map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return;
  fail(`Pennyworth needs Node ${major}.${minor} or later; this is ${process.versions.node}. See https://nodejs.org`);
}

/** @returns {never} */
export function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

export function say(message) {
  process.stderr.write(`${message}\n`);
}

/**
 * Runs a program to its end, its output passed through, or kept back and shown only when it fails (`quiet`).
 * @returns {Promise<number>} its exit code; 128 + n when signal n ended it, 127 when it could not be started.
 */
export function run(program, args, { cwd = root, env = process.env, quiet = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit" });
    const kept = [];
    child.stdout?.on("data", (chunk) => kept.push(chunk));
    child.stderr?.on("data", (chunk) => kept.push(chunk));
    child.on("error", (cause) => {
      say(`${program} could not be started: ${cause.message}`);
      resolve(127);
    });
    child.on("close", (code, signal) => {
      if (quiet && code !== 0) process.stderr.write(Buffer.concat(kept));
      resolve(code ?? 128 + (signal === "SIGINT" ? 2 : 15));
    });
  });
}

/** npm as the one that runs us, else as found on the path. */
export function npm(args, options) {
  const path = process.env.npm_execpath;
  if (path !== undefined && /npm-cli\.c?js$/.test(path)) return run(process.execPath, [path, ...args], options);
  return run(process.platform === "win32" ? "npm.cmd" : "npm", args, options);
}

/**
 * Installs what the lockfile of `folder` names, unless exactly that is there.
 * @returns {Promise<boolean>} whether it had to.
 */
export async function install(folder = root, what = "packages") {
  if (isInstalled(folder)) return false;
  say(`Installing ${what} …`);
  const code = await npm(["ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    quiet: true,
  });
  if (code !== 0) fail(`npm ci did not work in ${folder}. Is the package registry reachable?`);
  return true;
}

/** npm notes at the end of every install what it put there; compared with what the lockfile asks for, package by package. */
function isInstalled(folder) {
  let wanted;
  let present;
  try {
    wanted = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")).packages;
    present = JSON.parse(readFileSync(join(folder, "node_modules", ".package-lock.json"), "utf8")).packages;
  } catch {
    return false;
  }
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "" || entry.link === true) continue;
    const have = present[path];
    // A package for another platform is optional, and rightly absent here.
    if (have === undefined ? entry.optional !== true : have.version !== entry.version) return false;
  }
  return Object.keys(present).every((path) => path in wanted);
}

/** Latest time of change, in ms, of the files at or below the paths; 0 when there are none. */
export function newest(paths) {
  let latest = 0;
  for (const path of paths) {
    if (!existsSync(path)) continue;
    const facts = statSync(path);
    latest = Math.max(latest, facts.mtimeMs);
    if (facts.isDirectory()) latest = Math.max(latest, newest(readdirSync(path).map((name) => join(path, name))));
  }
  return latest;
}

/** The first of these programs that is on the path, as a full path; null when none is. */
export function which(...names) {
  for (const name of names)
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        if (statSync(path).isFile()) return path;
      } catch {
        // not here
      }
    }
  return null;
}
