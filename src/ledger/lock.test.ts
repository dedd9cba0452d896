import { spawn } from "node:child_process";
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { acquire, socketPath } from "./lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pennyworth-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Waits for a start signal, tries to take the lock, says how it went, and holds it until it is killed. */
const starter = `
  import { acquire } from ${JSON.stringify(fileURLToPath(new URL("lock.ts", import.meta.url)))};
  process.stdout.write("ready\\n");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  try { await acquire(process.argv[1]); process.stdout.write("won\\n"); setInterval(() => {}, 1000); }
  catch (error) { process.stdout.write((error.code === "data_locked" ? "lost" : String(error)) + "\\n"); process.exit(); }
`;

interface Starter {
  go(): void;
  line(): Promise<string>;
  kill(): Promise<void>;
}

function spawnStarter(): Starter {
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", starter, folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  child.stdout.on("data", (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split("\n")) (waiting.shift() ?? ((text) => lines.push(text)))(line);
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    go: () => void child.stdin.write("go\n"),
    line: () => new Promise((resolve) => (lines.length > 0 ? resolve(lines.shift() as string) : waiting.push(resolve))),
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function ask(path: string): Promise<string> {
  const client = new Client("http://localhost", { socketPath: path });
  try {
    const answer = await client.request({ method: "GET", path: "/" });
    return await answer.body.text();
  } finally {
    await client.close();
  }
}

describe("the data folder's lock", () => {
  it("is held by one, carries HTTP, and is free after its release", async () => {
    chmodSync(folder, 0o755);
    const lock = await acquire(folder);
    expect(lock.path).toBe(join(folder, "pennyworth.sock"));
    expect([statSync(folder).mode & 0o777, statSync(lock.path).mode & 0o777]).toEqual([0o700, 0o600]);
    await expect(acquire(folder)).rejects.toMatchObject({ code: "data_locked" });
    const early = ask(socketPath(folder));
    await new Promise((resolve) => setTimeout(resolve, 30));
    const http = createServer((_, response) => response.end("hello"));
    lock.serve(http);
    expect([await early, await ask(socketPath(folder))]).toEqual(["hello", "hello"]);
    http.closeAllConnections();
    await lock.release();
    expect(readdirSync(folder).sort()).toEqual(["lock.1"]);
    await (await acquire(folder)).release();
  });

  it("goes to exactly one of several that start at once, again and again, over the sockets of the dead", async () => {
    for (let round = 0; round < 3; round++) {
      const starters = Array.from({ length: 4 }, spawnStarter);
      for (const one of starters) expect(await one.line()).toBe("ready");
      for (const one of starters) one.go();
      const results = await Promise.all(starters.map((one) => one.line()));
      expect(results.sort()).toEqual(["lost", "lost", "lost", "won"]);
      await expect(acquire(folder)).rejects.toMatchObject({ code: "data_locked" });
      await Promise.all(starters.map((one) => one.kill()));
      expect(readdirSync(folder).filter((name) => name.startsWith("lock."))).toEqual([`lock.${round + 1}`]);
      expect(lstatSync(join(folder, "pennyworth.sock")).isSocket()).toBe(true);
    }
    await (await acquire(folder)).release();
  }, 60_000);

  it("holds where the folder's path is too long for a socket", async () => {
    const deep = join(folder, "a".repeat(60), "b".repeat(60));
    mkdirSync(deep, { recursive: true });
    const lock = await acquire(deep);
    expect(lock.path).toBe(socketPath(deep));
    expect(Buffer.byteLength(lock.path)).toBeLessThan(104);
    await expect(acquire(deep)).rejects.toMatchObject({ code: "data_locked" });
    await new Promise((resolve) => connect(lock.path).once("connect", resolve));
    await lock.release();
    await (await acquire(deep)).release();
  });
});
