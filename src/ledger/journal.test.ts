import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, gunzipSync } from "node:zlib";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Closing, Entry, Reconciled, TakenList } from "../core/entry.ts";
import { anyEntry } from "../../test/arbitrary.ts";
import { encodeEntry } from "./codec.ts";
import { type JournalFiles, realFiles } from "./files.ts";
import { Journal, type JournalOptions } from "./journal.ts";
import { sampleCall } from "../../test/sample.ts";
import { compressSealed } from "./seal.ts";
import { readEntries, readLines, segmentPath } from "./segments.ts";
import { verifyChain } from "./verify.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pennyworth-journal-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const noFatal = (error: Error): void => {
  throw error;
};
const options: JournalOptions = {
  segmentBytesMax: 1 << 20,
  syncMs: 5,
  durability: "batched",
  now: () => 1_790_000_000_000,
  onFatal: noFatal,
};
const clock = (byMs: number): Entry => ({ kind: "clock", atMs: 7, byMs });

async function everything(from = folder): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const batch of readEntries(from, null)) entries.push(...batch.map((one) => one.entry));
  return entries;
}

/** The format again, by other code: from the bytes alone. */
function readByHand(path: string): { previous: string; texts: string[]; hash: string } {
  const bytes = path.endsWith(".gz") ? gunzipSync(readFileSync(path)) : readFileSync(path);
  const lines = bytes.toString("utf8").split("\n");
  expect(lines.pop()).toBe("");
  for (const line of lines) expect(crc32(line.slice(9)).toString(16).padStart(8, "0")).toBe(line.slice(0, 8));
  const [header, ...texts] = lines.map((line) => line.slice(9));
  const { previous } = JSON.parse(header as string) as { previous: string };
  return { previous, texts, hash: createHash("sha256").update(bytes).digest("hex") };
}

function failing(broken: Partial<JournalFiles>): JournalFiles {
  return { ...realFiles, ...broken };
}

function noSpace(): NodeJS.ErrnoException {
  return Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
}

describe("journal", () => {
  it("gives back every entry, across segments, compression and restarts, and its chain holds", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(anyEntry, fc.constantFrom("go on", "reopen", "compress")), { maxLength: 40 }), async (steps) => {
        const own = mkdtempSync(join(folder, "run-"));
        const small = { ...options, segmentBytesMax: 2000 };
        let journal = await Journal.open(own, small);
        const keys = new Map<string, number | null>();
        const open = new Set<string>();
        const works = new Map<string, number | null>();
        const taken: TakenList[] = [];
        const closings = new Map<string, Closing>();
        const reconciled = new Map<string, Reconciled>();
        for (const [entry, then] of steps) {
          journal.append(entry);
          if (entry.kind === "key.created") keys.set(entry.key.id, null);
          if (entry.kind === "key.revoked" && keys.get(entry.id) === null) keys.set(entry.id, entry.atMs);
          if (entry.kind === "start") open.add(entry.call.id);
          if (entry.kind === "end") open.delete(entry.call.id);
          if (entry.kind === "work.begun" && !works.has(entry.work.id)) works.set(entry.work.id, entry.work.expiresMs);
          if (entry.kind === "work.moved" && works.has(entry.id)) works.set(entry.id, entry.expiresMs);
          if (entry.kind === "work.ended") works.delete(entry.id);
          if (entry.kind === "prices.taken") taken.push(entry.list);
          if (entry.kind === "closed" && !closings.has(entry.closing.month)) closings.set(entry.closing.month, entry.closing);
          if (entry.kind === "reconciled") {
            const key = `${entry.reconciled.provider} ${new Date(entry.reconciled.fromMs).toISOString().slice(0, 7)}`;
            reconciled.delete(key);
            reconciled.set(key, entry.reconciled);
          }
          if (then === "compress") await compressSealed(own);
          if (then !== "reopen") continue;
          await journal.close();
          journal = await Journal.open(own, small);
          expect(new Map([...journal.keys().values()].map((key) => [key.id, key.revokedMs]))).toEqual(keys);
          expect(new Set(journal.openCalls().keys())).toEqual(open);
          expect(journal.prices()).toStrictEqual(taken);
          expect(journal.closings()).toStrictEqual([...closings.values()]);
          expect(journal.reconciled()).toStrictEqual([...reconciled.values()]);
          expect(new Map([...journal.works()].map(([id, work]) => [id, work.expiresMs]))).toEqual(works);
        }
        const end = journal.position;
        await journal.close();
        expect(await everything(own)).toEqual(steps.map(([entry]) => entry));
        const files = readdirSync(own).sort();
        const byHand = files.map((file) => readByHand(join(own, file)));
        expect(byHand.flatMap((segment) => segment.texts)).toEqual(steps.map(([entry]) => encodeEntry(entry)));
        byHand.forEach((segment, index) => expect(segment.previous).toBe(byHand[index - 1]?.hash ?? "0".repeat(64)));
        expect(await verifyChain(own)).toMatchObject({ segments: files.length, entries: steps.length, problems: [] });
        expect(end.segment).toBe(files.length);
      }),
      { numRuns: 60 },
    );
  });

  it("knows whether anything is in it", async () => {
    const own = mkdtempSync(join(folder, "empty-"));
    for (let opened = 0; opened < 2; opened += 1) {
      const journal = await Journal.open(own, options);
      expect(journal.isEmpty).toBe(true);
      await journal.close();
    }
    const journal = await Journal.open(own, options);
    journal.append(clock(1));
    expect(journal.isEmpty).toBe(false);
    await journal.close();
    const again = await Journal.open(own, options);
    expect(again.isEmpty).toBe(false);
    await again.close();
  });

  it("knows after a restart which calls are open, in whichever segment they began or ended", async () => {
    const [[start1, end1], [start2], [start3, end3]] = [sampleCall(1), sampleCall(2), sampleCall(3)];
    const appended = [start1, start2, start3, end3, start3, end1];
    for (const segmentBytesMax of [300, 3000, 1 << 20]) {
      const own = join(folder, String(segmentBytesMax));
      const journal = await Journal.open(own, { ...options, segmentBytesMax });
      for (const entry of appended) journal.append(entry);
      expect(journal.position.segment > 1).toBe(segmentBytesMax < 1 << 20);
      await journal.close();
      const again = await Journal.open(own, options);
      expect([...again.openCalls().values()].map((call) => ({ kind: "start", call }))).toEqual([start2, start3]);
      await again.close();
    }
  });

  it("says where each entry ends, and a reader goes on from there", async () => {
    const journal = await Journal.open(folder, { ...options, segmentBytesMax: 600 });
    const positions = Array.from({ length: 30 }, (_, index) => journal.append(clock(index + 1)));
    await journal.close();
    expect(new Set(positions.map((position) => position.segment)).size).toBeGreaterThan(3);
    await compressSealed(folder);
    for (const [index, after] of positions.entries()) {
      const seen: unknown[] = [];
      for await (const batch of readEntries(folder, after, positions[Math.min(index + 7, 29)])) seen.push(...batch);
      const expected = positions
        .slice(index + 1, Math.min(index + 7, 29) + 1)
        .map((position, at) => ({ entry: clock(index + at + 2), position }));
      expect(seen).toEqual(expected);
    }
  });

  it("cuts off a torn tail at every byte of the last line, keeps it beside, and goes on", async () => {
    const path = segmentPath(folder, 1);
    let journal = await Journal.open(folder, options);
    const [start, end] = sampleCall(1);
    const good = journal.append(start);
    const all = journal.append(end);
    await journal.close();
    const whole = readFileSync(path);
    const files = failing({ sync: (_, done) => setImmediate(done, null), syncNow: () => {} });
    for (let length = good.offset; length < all.offset; length++) {
      rmSync(join(folder, "torn-1"), { force: true });
      writeFileSync(path, whole.subarray(0, length));
      journal = await Journal.open(folder, { ...options, files });
      expect(journal.position).toEqual(good);
      expect([...journal.openCalls().keys()]).toEqual([start.kind === "start" ? start.call.id : ""]);
      if (length === good.offset) expect(journal.torn).toBeNull();
      else {
        expect(journal.torn).toEqual({ segment: 1, offset: good.offset, bytes: length - good.offset, file: join(folder, "torn-1") });
        expect(readFileSync(join(folder, "torn-1")).equals(whole.subarray(good.offset, length))).toBe(true);
      }
      journal.append(end);
      await journal.close();
      expect(readFileSync(path).equals(whole)).toBe(true);
    }
  });

  it("takes zeros and rubbish behind the last whole line for a torn tail", async () => {
    const path = segmentPath(folder, 1);
    const journal = await Journal.open(folder, options);
    journal.append(clock(1));
    await journal.close();
    const whole = readFileSync(path);
    for (const [index, tail] of [Buffer.alloc(5000), Buffer.from("12345678 {}\nrubbish\n\n\n"), Buffer.from("\n")].entries()) {
      writeFileSync(path, Buffer.concat([whole, tail]));
      const again = await Journal.open(folder, options);
      expect(again.torn?.bytes).toBe(tail.length);
      expect(again.torn?.file).toBe(join(folder, index === 0 ? "torn-1" : `torn-1-${index + 1}`));
      await again.close();
      expect(readFileSync(path)).toEqual(whole);
    }
  });

  it("names segment and byte when a line before the last is damaged, and removes nothing", async () => {
    const path = segmentPath(folder, 1);
    const journal = await Journal.open(folder, options);
    const before = journal.position.offset;
    const middle = journal.append(clock(12)).offset;
    journal.append(clock(34));
    await journal.close();
    const whole = readFileSync(path);
    for (let at = before; at < middle; at++) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] as number) ^ 1;
      writeFileSync(path, flipped);
      await expect(Journal.open(folder, options)).rejects.toThrow(`in segment 1 at byte ${before}`);
      await expect(everything()).rejects.toMatchObject({ code: "journal_damaged" });
      expect((await verifyChain(folder)).problems[0]).toMatchObject({ segment: 1, offset: before });
      expect(readFileSync(path)).toEqual(flipped);
    }
    const header = Buffer.from(whole);
    header[20] = (header[20] as number) ^ 1;
    writeFileSync(path, header);
    await expect(Journal.open(folder, options)).rejects.toMatchObject({ code: "journal_damaged" });
  });

  it("leaves the file as it was when the disk is full, and goes on when it is not", async () => {
    let room = Number.POSITIVE_INFINITY;
    const files = failing({
      write(file, buffer, from, length, position) {
        if (room === 0) throw noSpace();
        const written = realFiles.write(file, buffer, from, Math.min(length, room), position);
        room -= written;
        return written;
      },
    });
    const journal = await Journal.open(folder, { ...options, files });
    journal.append(clock(1));
    for (const left of [0, 1, 8, 9, 30]) {
      const before = readFileSync(segmentPath(folder, 1));
      const position = journal.position;
      room = left;
      expect(() => journal.append(sampleCall(1)[0])).toThrow(expect.objectContaining({ code: "journal_unwritable", status: 503 }));
      expect(journal.unwritable).toBe("ENOSPC");
      expect(journal.position).toEqual(position);
      expect(journal.openCalls().size).toBe(0);
      expect(readFileSync(segmentPath(folder, 1))).toEqual(before);
      room = Number.POSITIVE_INFINITY;
      journal.append(clock(left + 2));
      expect(journal.unwritable).toBeNull();
    }
    await journal.close();
    expect(await everything()).toEqual([1, 2, 3, 10, 11, 32].map(clock));
    expect((await verifyChain(folder)).problems).toEqual([]);
  });

  it("cuts before it writes when the cut itself had failed", async () => {
    let broken = false;
    const files = failing({
      write(file, buffer, from, length, position) {
        if (!broken) return realFiles.write(file, buffer, from, length, position);
        realFiles.write(file, buffer, from, length >> 1, position);
        throw noSpace();
      },
      truncate(file, length) {
        if (broken) throw Object.assign(new Error("EIO"), { code: "EIO" });
        realFiles.truncate(file, length);
      },
    });
    const journal = await Journal.open(folder, { ...options, files });
    broken = true;
    for (let tries = 0; tries < 3; tries++) expect(() => journal.append(sampleCall(1)[0])).toThrow("journal cannot be written");
    broken = false;
    journal.append(clock(1));
    expect(statSync(segmentPath(folder, 1)).size).toBe(journal.position.offset);
    await journal.close();
    expect(await everything()).toEqual([clock(1)]);
    expect((await verifyChain(folder)).problems).toEqual([]);
  });

  it("goes on in the old segment when the next one cannot be begun", async () => {
    let full = false;
    const files = failing({
      write(file, buffer, from, length, position) {
        if (full && position === 0) throw noSpace();
        return realFiles.write(file, buffer, from, length, position);
      },
    });
    const journal = await Journal.open(folder, { ...options, segmentBytesMax: 300, files });
    full = true;
    const positions = [1, 2, 3, 4, 5, 6].map((by) => journal.append(clock(by)));
    expect(positions.every((position) => position.segment === 1)).toBe(true);
    await journal.close();
    expect(readdirSync(folder)).toEqual(["00000001.jsonl"]);
    full = false;
    const again = await Journal.open(folder, { ...options, segmentBytesMax: 300, files });
    expect(again.append(clock(7)).segment).toBe(2);
    await again.close();
    expect(await everything()).toEqual([1, 2, 3, 4, 5, 6, 7].map(clock));
    expect((await verifyChain(folder)).problems).toEqual([]);
  });

  it("syncs once for many entries, and says so only when it is done", async () => {
    const pending: ((error: Error | null) => void)[] = [];
    const files = failing({ sync: (_, done) => void pending.push(done) });
    const journal = await Journal.open(folder, { ...options, files });
    const onDisk: number[] = [];
    journal.onSynced((position) => onDisk.push(position.offset));
    for (let by = 1; by <= 100; by++) journal.append(clock(by));
    const end = journal.position.offset;
    let synced = false;
    const first = journal.synced().then(() => (synced = true));
    await vi.waitFor(() => expect(pending.length).toBe(1));
    journal.append(clock(101));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([synced, pending.length, onDisk]).toEqual([false, 1, []]);
    pending[0]?.(null);
    await first;
    expect(onDisk).toEqual([end]);
    let second = false;
    const later = journal.synced().then(() => (second = true));
    await vi.waitFor(() => expect(pending.length).toBe(2));
    expect(second).toBe(false);
    pending[1]?.(null);
    await later;
    await expect(journal.synced()).resolves.toBeUndefined();
    await journal.close();
    expect(pending.length).toBe(2);
  });

  it("begins a sync at once with durability sync, one for all who wait", async () => {
    let syncs = 0;
    const files = failing({ sync: (file, done) => (syncs++, realFiles.sync(file, done)) });
    const journal = await Journal.open(folder, { ...options, syncMs: 60_000, durability: "sync", files });
    await Promise.all(Array.from({ length: 20 }, (_, index) => (journal.append(clock(index + 1)), journal.synced())));
    expect(syncs).toBe(1);
    await journal.close();
  });

  it("treats a failed sync as fatal, and never tries again", async () => {
    let syncs = 0;
    const files = failing({ sync: (_, done) => (syncs++, setImmediate(done, Object.assign(new Error("EIO"), { code: "EIO" }))) });
    const onFatal = vi.fn();
    const journal = await Journal.open(folder, { ...options, onFatal, files });
    journal.append(clock(1));
    await expect(journal.synced()).rejects.toMatchObject({ code: "journal_unwritable" });
    expect(() => journal.append(clock(2))).toThrow("EIO");
    await expect(journal.synced()).rejects.toMatchObject({ code: "journal_unwritable" });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await journal.close();
    expect([onFatal.mock.calls.length, syncs, journal.unwritable]).toEqual([1, 1, "EIO"]);
  });

  it("treats a failed sync of a segment to be sealed as fatal", async () => {
    let broken = false;
    const files = failing({
      syncNow(file) {
        if (broken) throw Object.assign(new Error("EIO"), { code: "EIO" });
        realFiles.syncNow(file);
      },
    });
    const onFatal = vi.fn();
    const journal = await Journal.open(folder, { ...options, segmentBytesMax: 200, onFatal, files });
    journal.append(clock(1));
    broken = true;
    expect(() => journal.append(clock(2))).toThrow("EIO");
    expect(onFatal).toHaveBeenCalledTimes(1);
    expect(readdirSync(folder)).toEqual(["00000001.jsonl"]);
    await journal.close();
  });

  it("keeps its files to the user who runs it", async () => {
    const own = join(folder, "new", "journal");
    await (await Journal.open(own, options)).close();
    expect(statSync(own).mode & 0o777).toBe(0o700);
    expect(statSync(segmentPath(own, 1)).mode & 0o777).toBe(0o600);
  });

  it("gives a reader each entry once while it appends, rotates and is compressed", async () => {
    const journal = await Journal.open(folder, { ...options, segmentBytesMax: 20_000 });
    const total = 4000;
    let appended = 0;
    const write = (async () => {
      while (appended < total) {
        for (let i = 0; i < 40; i++) journal.append(clock(++appended));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    const compress = (async () => {
      for (let busy = true; busy; busy = appended < total) await compressSealed(folder);
    })();
    let seen = 0;
    let after = null;
    while (seen < total) {
      for await (const { texts, ends } of readLines(folder, after)) {
        for (const text of texts) expect(JSON.parse(text)).toMatchObject({ byMs: ++seen });
        after = ends.at(-1) ?? after;
      }
    }
    await Promise.all([write, compress]);
    await journal.close();
    expect(seen).toBe(total);
    expect(await verifyChain(folder)).toMatchObject({ entries: total, problems: [] });
  });
});
