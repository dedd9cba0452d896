// From a clone to a running server, and from a package to a running command, as users do it: in a copy of the repository, with npm.
// Not here: installing from the registry; the packages are those that are here already.

import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const temporary = mkdtempSync(join(tmpdir(), "pennyworth-start-"));
const clone = join(temporary, "clone");
const environment: NodeJS.ProcessEnv = { ...process.env, HOME: temporary, PENNYWORTH_DATA: join(temporary, "data") };
// What npm tells its scripts would make this npm take itself for that one.
for (const name of Object.keys(environment))
  if (/^(npm_|OPENAI_|ANTHROPIC_)/i.test(name) && name !== "npm_config_cache") delete environment[name];

beforeAll(() => {
  const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  for (const path of tracked.split("\n").filter((name) => name !== "" && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(clone, path)), { recursive: true });
    cpSync(join(root, path), join(clone, path));
  }
  symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

describe("npm start", () => {
  it("in a fresh clone builds, serves, prints what is needed for a first call, and drains on SIGTERM", { timeout: 120_000 }, async () => {
    const server = spawn("npm", ["start", "--", "--port", "0"], { cwd: clone, env: environment, stdio: ["ignore", "pipe", "pipe"] });
    const output = collect(server);
    let slow: Promise<Response>;
    try {
      const line = await waitFor(output, server, /^ *(curl .*)$/m);
      expect(output()).toContain(join(temporary, "data"));
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output())?.[0] as string;
      expect(line).toContain(`${url}/v1/`);
      const answer = await promisify(execFile)("bash", ["-c", line]);
      expect(answer.stdout).toMatch(/sandbox/);
      const token = /#token=([\w-]+)/.exec(output())?.[1] as string;
      const calls = await waitForCalls(url, token);
      expect(calls).toHaveLength(1);
      // What is under way when the signal comes is brought to its end.
      slow = fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-sandbox-delay-ms": "1500" },
        body: JSON.stringify({ model: "gpt-5-mini", messages: [{ role: "user", content: "Hello" }] }),
      });
      await new Promise((resolve) => setTimeout(resolve, 300));
    } finally {
      server.kill("SIGTERM");
    }
    expect((await slow).status).toBe(200);
    expect(await ended(server)).toBe(0);
    expect(existsSync(join(clone, "dist", "cli", "main.js"))).toBe(true);
  });

  it("has a sister that runs the demo, in a folder of its own", { timeout: 120_000 }, async () => {
    const demo = spawn("npm", ["run", "demo", "--", "--once", "--json", "--months", "1", "--calls", "100", "--port", "0"], {
      cwd: clone,
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = collect(demo);
    expect(await ended(demo)).toBe(0);
    expect(output()).toContain(`"folder": "${join(temporary, ".pennyworth-demo")}"`);
  });

  it("hands wrong usage on as exit code 2", { timeout: 60_000 }, async () => {
    const server = spawn(process.execPath, ["scripts/start.mjs", "--prot", "0"], {
      cwd: clone,
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = collect(server);
    expect(await ended(server)).toBe(2);
    expect(output()).toMatch(/--port/);
  });
});

describe("npm pack", () => {
  it("gives a package that runs, and holds no sources and no tests", { timeout: 120_000 }, async () => {
    await promisify(execFile)("npm", ["pack", "--pack-destination", temporary], { cwd: clone, env: environment });
    const tarball = readdirSync(temporary).find((name) => name.endsWith(".tgz")) as string;
    execFileSync("tar", ["-xzf", join(temporary, tarball), "-C", temporary]);
    const folder = join(temporary, "package");
    expect(readdirSync(folder).toSorted()).toEqual(
      [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "README.md",
        "SECURITY.md",
        "data",
        "dist",
        "docs",
        "package.json",
      ].toSorted(),
    );
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { bin: { pennyworth: string }; version: string };
    const command = join(folder, manifest.bin.pennyworth);
    expect(readFileSync(command, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(statSync(command).mode & 0o111).not.toBe(0);
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    const { stdout } = await promisify(execFile)(command, ["--version"], { env: environment });
    expect(stdout.trim()).toBe(manifest.version);
    // What it needs beside its code is in the package too: the prices and the page.
    const server = spawn(command, ["serve", "--port", "0", "--data", join(temporary, "packed")], {
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = collect(server);
    try {
      const url = await waitFor(output, server, /(http:\/\/127\.0\.0\.1:\d+)/);
      expect((await fetch(url)).status).toBe(200);
    } finally {
      server.kill("SIGTERM");
    }
    expect(await ended(server)).toBe(0);
  });
});

function collect(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return () => text;
}

async function waitFor(output: () => string, child: ChildProcess, pattern: RegExp): Promise<string> {
  for (;;) {
    const match = pattern.exec(output());
    if (match !== null) return match[1] as string;
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} before ${String(pattern)}:\n${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("close", (code) => resolve(code)));
}

async function waitForCalls(url: string, token: string): Promise<readonly unknown[]> {
  const deadlineMs = Date.now() + 15_000;
  for (;;) {
    const response = await fetch(`${url}/api/v1/calls`, { headers: { authorization: `Bearer ${token}` } });
    const page = response.ok ? ((await response.json()) as { calls: readonly unknown[] }) : { calls: [] };
    if (page.calls.length > 0 || Date.now() > deadlineMs) return page.calls;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
