import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Entry } from "../core/entry.ts";
import { Journal, type JournalOptions } from "./journal.ts";
import { readEntries } from "./segments.ts";
import { verifyChain } from "./verify.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pennyworth-crash-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const options: JournalOptions = {
  segmentBytesMax: 50_000,
  syncMs: 5,
  durability: "batched",
  now: () => 0,
  onFatal: (error) => {
    throw error;
  },
};

/** Appends clock entries from the given number on, and prints each number after its append has returned. */
const appender = `
  import { writeSync } from "node:fs";
  import { Journal } from ${JSON.stringify(here("journal.ts"))};
  const journal = await Journal.open(process.argv[1], { ...${JSON.stringify(options)}, now: () => 0, onFatal: (error) => { throw error; } });
  for (let byMs = Number(process.argv[2]); ; byMs++) {
    journal.append({ kind: "clock", atMs: 7, byMs });
    for (let told = false; !told; ) {
      try { writeSync(1, byMs + "\\n"); told = true; } catch (error) { if (error.code !== "EAGAIN") throw error; }
    }
    if (byMs % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
`;

function startAppender(from: number): ChildProcess {
  return spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", appender, folder, String(from)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

describe("a process that dies", () => {
  it("has lost nothing that was acknowledged, doubled nothing, and left nothing else", async () => {
    let next = 1;
    for (let round = 0; round < 4; round++) {
      const child = startAppender(next);
      let printed = "";
      child.stdout?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
      const ended = new Promise((resolve) => child.once("close", resolve));
      await new Promise((resolve) => child.stdout?.once("data", resolve));
      await new Promise((resolve) => setTimeout(resolve, 40 + round * 37));
      child.kill("SIGKILL");
      await ended;
      const acknowledged = Number(printed.slice(0, printed.lastIndexOf("\n")).split("\n").at(-1));
      const journal = await Journal.open(folder, options);
      await journal.close();
      const seen: Entry[] = [];
      for await (const batch of readEntries(folder, null)) seen.push(...batch.map((one) => one.entry));
      expect(seen.map((entry) => entry.kind === "clock" && entry.byMs)).toEqual(seen.map((_, index) => index + 1));
      expect(acknowledged).toBeGreaterThan(next);
      expect([acknowledged, acknowledged + 1]).toContain(seen.length);
      expect((await verifyChain(folder)).problems).toEqual([]);
      next = seen.length + 1;
    }
  }, 60_000);

  it("of a full disk: a real one of 256 KB", async (context) => {
    const mounted = process.getuid?.() === 0 && spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]).status === 0;
    if (!mounted) return context.skip("skipped: a small file system cannot be mounted here");
    try {
      const journal = await Journal.open(folder, { ...options, segmentBytesMax: 1 << 20 });
      let count = 0;
      const fill = (): void => {
        for (;;) journal.append({ kind: "clock", atMs: 7, byMs: ++count });
      };
      expect(fill).toThrow("ENOSPC");
      const kept = --count;
      expect(kept).toBeGreaterThan(1000);
      expect(() => journal.append({ kind: "gap", fromMs: 1, toMs: 2, calls: 3, cause: "x".repeat(9000) })).toThrow("ENOSPC");
      expect(journal.unwritable).toBe("ENOSPC");
      expect(spawnSync("mount", ["-o", "remount,size=512k", folder]).status).toBe(0);
      journal.append({ kind: "clock", atMs: 7, byMs: ++count });
      expect(journal.unwritable).toBeNull();
      await journal.close();
      let seen = 0;
      for await (const batch of readEntries(folder, null)) for (const { entry } of batch) expect(entry).toMatchObject({ byMs: ++seen });
      expect(seen).toBe(kept + 1);
      expect((await verifyChain(folder)).problems).toEqual([]);
    } finally {
      spawnSync("umount", [folder]);
    }
  });
});
