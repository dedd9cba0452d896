// How many entries a second the journal takes, encoded, checked, hashed, written and synced every 50 ms, against bare writes of the same bytes
// in the same minute; and how fast it is read back. Each figure is the median of interleaved rounds.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Entry } from "../src/core/entry.ts";
import { Journal, type JournalOptions } from "../src/ledger/journal.ts";
import { readLines, segmentPath } from "../src/ledger/segments.ts";
import { sampleCall } from "../test/sample.ts";

export interface Line {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline: number;
  readonly ratio: number;
}

const rounds = 5;
const callsPerRound = 50_000;
const callsPerTurn = 50;

const options: JournalOptions = {
  segmentBytesMax: 64 << 20,
  syncMs: 50,
  durability: "batched",
  now: Date.now,
  onFatal: (error) => {
    throw error;
  },
};

export async function bench(): Promise<Line[]> {
  const folder = mkdtempSync(join(tmpdir(), "pennyworth-bench-"));
  try {
    const entries: Entry[] = [];
    for (let number = 0; number < callsPerRound; number++) entries.push(...sampleCall(number));
    const lines = await linesOf(join(folder, "lines"), entries.slice(0, 2000));
    const appends: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const journal = await Journal.open(join(folder, `round-${round}`), options);
      const ours = perSecond(entries.length, await timed(() => appendAll(journal, entries)));
      await journal.close();
      const theirs = perSecond(entries.length, await timed(() => writeBare(join(folder, `bare-${round}`), lines, entries.length)));
      if (round === 0) continue;
      appends.push(ours);
      bare.push(theirs);
      if (round < rounds) rmSync(join(folder, `round-${round}`), { recursive: true });
      rmSync(join(folder, `bare-${round}`));
    }
    const last = join(folder, `round-${rounds}`);
    const opening: number[] = [];
    const reading: number[] = [];
    const plain: number[] = [];
    for (let round = 0; round < rounds; round++) {
      opening.push(
        await timed(async () => {
          await (await Journal.open(last, options)).close();
        }),
      );
      let bytes = 0;
      const ms = await timed(async () => {
        for await (const batch of readLines(last, null, undefined)) for (const text of batch.texts) bytes += text.length;
      });
      reading.push(bytes / 1e3 / ms);
      let read = 0;
      const plainMs = await timed(async () => {
        for (let segment = 1; segment <= 2; segment++) read += readFileSync(segmentPath(last, segment)).length;
      });
      plain.push(read / 1e3 / plainMs);
    }
    return [
      line("journal.append", median(appends), "entries/s", median(bare)),
      line("journal.read", median(reading), "MB/s", median(plain)),
      line("journal.open", median(opening), "ms", 2000),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As a gateway does: some entries in each turn of the event loop, so that syncs run in between. */
async function appendAll(journal: Journal, entries: readonly Entry[]): Promise<void> {
  for (let from = 0; from < entries.length; from += callsPerTurn) {
    for (const entry of entries.slice(from, from + callsPerTurn)) journal.append(entry);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await journal.synced();
}

async function linesOf(folder: string, entries: readonly Entry[]): Promise<Buffer[]> {
  const journal = await Journal.open(folder, options);
  const start = journal.position.offset;
  const ends = entries.map((entry) => journal.append(entry).offset);
  await journal.close();
  const bytes = readFileSync(segmentPath(folder, 1));
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? start, end));
}

async function writeBare(path: string, lines: readonly Buffer[], count: number): Promise<void> {
  const file = openSync(path, "w");
  for (let written = 0; written < count; written++) writeSync(file, lines[written % lines.length] as Buffer);
  closeSync(file);
}

async function timed(action: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

function perSecond(count: number, ms: number): number {
  return (count / ms) * 1000;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

function line(name: string, value: number, unit: string, baseline: number): Line {
  return { name, value: Math.round(value), unit, baseline: Math.round(baseline), ratio: Number((value / baseline).toFixed(3)) };
}
