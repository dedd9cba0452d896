import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Entry } from "../core/entry.ts";
import { Journal, type JournalOptions } from "./journal.ts";
import { compressSealed } from "./seal.ts";
import { readEntries, segmentPath } from "./segments.ts";
import { verifyChain } from "./verify.ts";

let folder: string;
const total = 60;
const raw = new Map<number, Buffer>();

const options: JournalOptions = {
  segmentBytesMax: 1000,
  syncMs: 5,
  durability: "batched",
  now: () => 0,
  onFatal: (error) => {
    throw error;
  },
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "pennyworth-seal-"));
  const journal = await Journal.open(folder, options);
  for (let byMs = 1; byMs <= total; byMs++) journal.append({ kind: "clock", atMs: 7, byMs });
  await journal.close();
  raw.clear();
  for (let number = 1; existsSync(segmentPath(folder, number)); number++) raw.set(number, readFileSync(segmentPath(folder, number)));
  expect(raw.size).toBeGreaterThan(3);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function isWhole(): Promise<void> {
  const entries: Entry[] = [];
  for await (const batch of readEntries(folder, null)) entries.push(...batch.map((one) => one.entry));
  expect(entries).toEqual(Array.from({ length: total }, (_, index) => ({ kind: "clock", atMs: 7, byMs: index + 1 })));
  expect(await verifyChain(folder)).toEqual({
    segments: raw.size,
    entries: total,
    bytes: [...raw.values()].reduce((sum, bytes) => sum + bytes.length, 0),
    problems: [],
  });
}

describe("compressing sealed segments", () => {
  it("leaves the one being written, and changes no byte of the others", async () => {
    const done = await compressSealed(folder);
    expect(done).toMatchObject({ segments: raw.size - 1, skipped: [] });
    for (const [number, bytes] of raw) {
      const path = segmentPath(folder, number);
      if (number === raw.size) expect(readFileSync(path)).toEqual(bytes);
      else {
        expect(existsSync(path)).toBe(false);
        expect(gunzipSync(readFileSync(`${path}.gz`))).toEqual(bytes);
      }
    }
    expect(await compressSealed(folder)).toMatchObject({ segments: 0 });
    await isWhole();
  });

  it.each([
    ["while the temporary file was written", () => writeFileSync(`${segmentPath(folder, 1)}.gz.tmp`, gzipSync("half").subarray(0, 9))],
    ["before the raw file went", () => writeFileSync(`${segmentPath(folder, 1)}.gz`, gzipSync(raw.get(1) as Buffer))],
    ["and left a damaged file beside the raw one", () => writeFileSync(`${segmentPath(folder, 1)}.gz`, "rubbish")],
  ])("is finished later when it was broken off %s", async (_, breakOff) => {
    breakOff();
    await isWhole();
    await compressSealed(folder);
    expect(readdirSync(folder).filter((name) => name.endsWith(".jsonl"))).toEqual([`0000000${raw.size}.jsonl`]);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    await isWhole();
  });

  it("keeps a raw segment that is not the one its successor was chained to", async () => {
    const text = (raw.get(2) as Buffer).toString("latin1");
    writeFileSync(segmentPath(folder, 2), text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1));
    expect(await compressSealed(folder)).toMatchObject({ skipped: [2] });
    expect(existsSync(segmentPath(folder, 2))).toBe(true);
    const { problems } = await verifyChain(folder);
    expect(problems).toEqual([{ segment: 3, offset: 0, what: expect.stringContaining("hash") }]);
  });
});

describe("verifying the chain", () => {
  it("names a missing segment", async () => {
    rmSync(segmentPath(folder, 2));
    expect((await verifyChain(folder)).problems).toEqual([{ segment: 2, offset: 0, what: "the segment is missing" }]);
  });

  it("names every damage in one run, compressed or not", async () => {
    await compressSealed(folder);
    writeFileSync(`${segmentPath(folder, 1)}.gz`, readFileSync(`${segmentPath(folder, 1)}.gz`).subarray(0, 50));
    const bytes = Buffer.from(raw.get(raw.size) as Buffer);
    const line = bytes.indexOf("\n") + 1;
    bytes[line + 20] = (bytes[line + 20] as number) ^ 1;
    writeFileSync(segmentPath(folder, raw.size), bytes);
    expect((await verifyChain(folder)).problems).toEqual([
      { segment: 1, offset: expect.any(Number), what: expect.stringContaining("compressed bytes") },
      { segment: raw.size, offset: line, what: "the checksum of a line does not hold" },
    ]);
  });

  it("does not mind a line that is just being written", async () => {
    const path = segmentPath(folder, raw.size);
    writeFileSync(path, Buffer.concat([raw.get(raw.size) as Buffer, Buffer.from('12345678 {"v":1')]));
    await isWhole();
  });
});
