import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBConnection } from "@duckdb/node-api";
import * as fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { comparePositions, type Entry, type Position } from "../core/entry.ts";
import { countCalls } from "./count.ts";
import { openStore } from "./duckdb/client.ts";
import type { News, Question } from "./duckdb/wire.ts";
import { Follower } from "./follower.ts";
import { lineBytesMax, writeLine } from "./frame.ts";
import { Journal } from "./journal.ts";
import { compressSealed } from "./seal.ts";
import { listSegments, segmentPath } from "./segments.ts";
import { everything, sampleEnd, sampleObservation, sampleStart } from "./store.fixture.ts";
import type { CallRecord, Report } from "./store.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pennyworth-follower-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function openJournal(folder: string, segmentBytesMax = 200_000): Promise<Journal> {
  const journal = await Journal.open(join(folder, "journal"), {
    segmentBytesMax,
    syncMs: 50,
    durability: "batched",
    now: Date.now,
    onFatal: (error) => {
      throw error;
    },
  });
  cleanups.push(() => journal.close());
  return journal;
}

interface Following {
  readonly follower: Follower;
  readonly told: News[];
  ask(question: Question): Promise<unknown>;
  until(position: Position): Promise<void>;
}

/** A follower in this process, in a hurry. */
async function follow(folder: string): Promise<Following> {
  const told: News[] = [];
  const pace = { batchEntriesMax: 5, delayMs: 1, retryMs: 1, retryMsMax: 4 };
  const follower = new Follower({ folder, threads: 1, memory: "400MB" }, (news) => told.push(news), pace);
  cleanups.push(() => follower.close());
  await follower.open();
  void follower.follow();
  const ask = (question: Question): Promise<unknown> => follower.answer({ kind: "ask", number: 0, ...question });
  return {
    follower,
    told,
    ask,
    until: async (position) => {
      const untilMs = Date.now() + 60_000;
      for (;;) {
        follower.advance(position);
        const reached = told.findLast((news) => news.kind === "applied");
        if (reached?.kind === "applied" && comparePositions(reached.applied, position) >= 0) return;
        if (Date.now() > untilMs) throw new Error(`it does not come to ${JSON.stringify(position)}: ${JSON.stringify(told.slice(-3))}`);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
  };
}

const begin = (id: string): Entry => ({
  kind: "start",
  call: sampleStart(id, { attribution: { ...sampleStart(id).attribution, task: id } }),
});
const finish = (id: string): Entry => ({ kind: "end", call: sampleEnd(id, { responseId: `r-${id}` }) });
const observed = (name: string): Entry => ({ kind: "observation", observation: sampleObservation(`o-${name}`, `r-${name}`) });

/** What sampleEnd costs: 10 × 2.5 µ$ + 5 × 10 µ$. */
const callCost = 0.000075;

const failures = [
  () => Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }),
  () => Object.assign(new Error("EIO: i/o error, write"), { code: "EIO" }),
  () => Object.assign(new Error("EMFILE: too many open files, open"), { code: "EMFILE" }),
  () => new Error('IO Error: Could not write file "store.duckdb.wal": No space left on device'),
  () => new Error("TransactionContext Error: Failed to commit: Could not write file: Input/output error"),
  () => new Error("Out of Memory Error: failed to pin block of size 256.0 KiB (190.0 MiB/190.7 MiB used)"),
];

/** Makes steps of taking in fail: before they are done, or after. @returns how many failed so far. */
async function sabotage(random: () => number, isOn: () => boolean): Promise<() => number> {
  let failed = 0;
  let steps = 0;
  const spoil = (prototype: Record<string, unknown>, name: string): void => {
    const original = prototype[name] as (...values: unknown[]) => Promise<unknown>;
    prototype[name] = async function (this: unknown, ...values: unknown[]): Promise<unknown> {
      if (!isOn()) return original.apply(this, values);
      const luck = random();
      // For a while no file can be written, as on a full disk that the tables still have room on; else it is a matter of luck.
      const full = (steps++ >> 6) % 2 === 1;
      const often = !full ? 0.06 : name === "writeFile" ? 1 : 0;
      const failure = failures[Math.floor(random() * failures.length)] as () => Error;
      if (luck < often) {
        failed++;
        throw failure();
      }
      const value = await original.apply(this, values);
      if (luck < 2 * often) {
        failed++;
        throw failure();
      }
      return value;
    };
    cleanups.push(() => (prototype[name] = original));
  };
  const file = await open(import.meta.filename);
  const files = Object.getPrototypeOf(file) as Record<string, unknown>;
  await file.close();
  for (const name of ["writeFile", "read"]) spoil(files, name);
  for (const name of ["run", "runAndReadAll"]) spoil(DuckDBConnection.prototype as unknown as Record<string, unknown>, name);
  return () => failed;
}

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const made = fc.record({
  beginAt: fc.nat(100),
  ended: fc.option(fc.nat(60), { nil: null }),
  observedAt: fc.option(fc.nat(200), { nil: null }),
  again: fc.boolean(),
  strangerAt: fc.option(fc.nat(200), { nil: null }),
});

test("counted once: whatever steps of taking in fail, no call is lost, doubled or set aside", async () => {
  let on = false;
  let random = seeded(1);
  const failed = await sabotage(
    () => random(),
    () => on,
  );
  const restore = cleanups.splice(0);
  await fc.assert(
    fc.asyncProperty(fc.array(made, { minLength: 3, maxLength: 30 }), fc.integer(), async (calls, seed) => {
      random = seeded(seed);
      const timed: { atMs: number; entry: Entry }[] = [];
      calls.forEach(({ beginAt, ended, observedAt, again, strangerAt }, index) => {
        const id = `call-${index}`;
        timed.push({ atMs: beginAt, entry: begin(id) });
        if (ended !== null) timed.push({ atMs: beginAt + 1 + ended, entry: finish(id) });
        if (ended !== null && again) timed.push({ atMs: beginAt + 1 + ended + 20, entry: finish(id) });
        if (ended !== null && observedAt !== null) timed.push({ atMs: observedAt, entry: observed(id) });
        if (strangerAt !== null) timed.push({ atMs: strangerAt, entry: observed(`stranger-${index}`) });
      });
      const entries = timed.sort((a, b) => a.atMs - b.atMs).map(({ entry }) => entry);
      const strangers = calls.filter((call) => call.strangerAt !== null).length;
      const costed = calls.filter((call) => call.ended !== null).length + strangers;

      const folder = createFolder();
      const journal = await openJournal(folder, 4000);
      const { ask, until, told } = await follow(folder);
      on = true;
      let position = journal.position;
      for (const [index, entry] of entries.entries()) {
        position = journal.append(entry);
        if (index % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await new Promise((resolve) => setTimeout(resolve, 60));
      on = false;
      await until(position);
      const reports = await Promise.all(
        [[], ["class"] as const, ["task"] as const].map((by) => ask({ method: "report", query: { ...everything, by } }) as Promise<Report>),
      );
      for (const report of reports) {
        expect(report.total.calls).toBe(calls.length + strangers);
        expect(Number(report.total.cost)).toBeCloseTo(costed * callCost, 9);
      }
      const tasks = reports[2]?.rows.filter((row) => row.group[0] !== null) ?? [];
      expect(tasks.map((row) => [row.group[0], row.calls]).sort()).toEqual(calls.map((_, index) => [`call-${index}`, 1]).sort());
      expect(Number(reports[1]?.rows.find((row) => row.group[0] === "input")?.quantity ?? 0)).toBe(costed * 10);
      const scanned = (await ask({ method: "scan", after: null, limit: 1000 })) as CallRecord[];
      expect(scanned.length).toBe(calls.length + strangers);
      expect(new Set(scanned.map((call) => call.id)).size).toBe(scanned.length);
      expect(await ask({ method: "status" })).toMatchObject({ refused: 0 });
      expect(await countCalls(join(folder, "journal"), reports[0]?.position ?? null)).toBe(calls.length + strangers);
      expect(told.filter((news) => news.kind === "trouble" && /set aside|rebuilt/.test(news.detail))).toEqual([]);
      expect(spoolLeft(folder)).toEqual([]);
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    }),
    { numRuns: 12, endOnFailure: true },
  );
  cleanups.push(...restore);
  expect(failed()).toBeGreaterThan(20);
}, 120_000);

/** Files of batches that stay, and handles on them that were never closed. */
function spoolLeft(folder: string): string[] {
  const left = readdirSync(join(folder, "store.duckdb.spool")).filter((name) => name.includes(".json"));
  if (!existsSync("/proc/self/fd")) return left;
  for (const name of readdirSync("/proc/self/fd")) {
    let target = "";
    try {
      target = readlinkSync(join("/proc/self/fd", name));
    } catch {
      // The handle that listed them.
    }
    if (target.includes(join(folder, "store.duckdb.spool")) && target.includes(".json")) left.push(target);
  }
  return left;
}

test("a full disk, a real one: what was recorded on it shows when there is room again", async (context) => {
  const folder = createFolder();
  const mounted = process.getuid?.() === 0 && spawnSync("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", folder]).status === 0;
  if (!mounted) return context.skip("skipped: a small file system cannot be mounted here");
  cleanups.push(() => spawnSync("umount", ["-l", folder]));
  const data = join(folder, "d");
  mkdirSync(data);
  const journal = await openJournal(data);
  const said: [string, string][] = [];
  const store = await openStore(data, { log: (message, level) => said.push([level, message]) });
  cleanups.push(() => store.close());
  journal.onAppend((position) => store.advance(position));
  let count = 0;
  let position = journal.position;
  const call = (): void => {
    const id = `call-${count}`;
    journal.append(begin(id));
    count++;
    position = journal.append(finish(id));
  };
  call();
  await store.caughtUp(position, 60_000);

  const filler = join(folder, "fill");
  writeFileSync(filler, "");
  const fill = (): void => {
    for (const size of [65_536, 1024]) {
      try {
        for (;;) appendFileSync(filler, Buffer.alloc(size));
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
      }
    }
  };
  fill();
  rmSync(filler);
  writeFileSync(filler, "");
  const held = Buffer.alloc(24_576);
  writeFileSync(join(folder, "held"), held);
  fill();
  rmSync(join(folder, "held"));
  expect(() => {
    for (;;) call();
  }).toThrow("ENOSPC");
  const begun = count;
  expect(begun).toBeGreaterThan(3);
  await expect
    .poll(() => said.some(([level, message]) => level === "error" && /ENOSPC|No space/.test(message)), { timeout: 10_000 })
    .toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(said.filter(([level]) => level === "error")).toHaveLength(1);
  expect(await store.status()).toMatchObject({ refused: 0, trouble: expect.stringMatching(/ENOSPC|No space/) as string });
  if (store.pid !== null) process.kill(store.pid, "SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 1500));

  rmSync(filler);
  call();
  await store.caughtUp(position, 60_000);
  const total = (await store.report(everything)).total;
  expect(total.calls).toBe(await countCalls(join(data, "journal"), position));
  expect([begun, begun + 1]).toContain(total.calls);
  expect(await store.status()).toEqual({ applied: position, refused: 0, trouble: null });
}, 180_000);

test("an entry that cannot become a row is set aside and counted, and all others are taken in", async () => {
  const folder = createFolder();
  const journal = await openJournal(folder);
  for (let index = 0; index < 40; index++) {
    journal.append(begin(`call-${index}`));
    // A row's status has 32 bits.
    if (index === 17) journal.append({ kind: "end", call: sampleEnd("call-17", { httpStatus: 99_999_999_999 }) });
    else journal.append(finish(`call-${index}`));
  }
  await journal.close();
  const last = (await listSegments(join(folder, "journal"))).at(-1)?.number ?? 0;
  const path = segmentPath(join(folder, "journal"), last);
  const texts = ['{"v":99,"kind":"start"}', '{"v":1,"kind":"end","call":null}', '{"v":1,"kind":"clock","atMs":1,"byMs":1}'];
  for (const text of texts) {
    const buffer = Buffer.alloc(lineBytesMax(text));
    appendFileSync(path, buffer.subarray(0, writeLine(buffer, 0, text)));
  }
  const { ask, until, told } = await follow(folder);
  await until({ segment: last, offset: readFileSync(path).length });
  expect(await ask({ method: "status" })).toMatchObject({ refused: 3, trouble: null });
  const { total } = (await ask({ method: "report", query: everything })) as Report;
  expect(total.calls).toBe(40);
  expect(Number(total.cost)).toBeCloseTo(39 * callCost, 9);
  expect(told.filter((news) => news.kind === "trouble").map((news) => news.level)).toEqual(["error", "error", "error"]);
  const bad = (await ask({ method: "call", id: "call-17" })) as CallRecord;
  expect(bad.end).toBeNull();
}, 120_000);

test("a receipt reads its record from a sealed segment that was compressed", async () => {
  const folder = createFolder();
  const journal = await openJournal(folder, 5000);
  let position = journal.position;
  for (let index = 0; index < 20; index++) {
    journal.append(begin(`call-${index}`));
    position = journal.append(finish(`call-${index}`));
  }
  await journal.synced();
  const { ask, until } = await follow(folder);
  await until(position);
  const read = (): Promise<unknown[]> =>
    Promise.all(Array.from({ length: 20 }, (_, index) => ask({ method: "call", id: `call-${index}` })));
  const before = await read();
  expect((await compressSealed(join(folder, "journal"))).segments).toBeGreaterThan(2);
  const segments = await listSegments(join(folder, "journal"));
  expect(segments.slice(0, -1).every((segment) => segment.compressed && !segment.raw)).toBe(true);
  expect(await read()).toEqual(before);
  expect(before[3]).toMatchObject({ start: sampleStart("call-3", { attribution: { ...sampleStart("").attribution, task: "call-3" } }) });
  expect(before[3]).toMatchObject({ end: sampleEnd("call-3", { responseId: "r-call-3" }) });
}, 120_000);
