// Time grows with the size of what comes, whatever its shape: sixteen times the bytes may take sixteen times as long and what a busy machine
// adds, not two hundred and fifty-six times.

import { expect, test } from "vitest";
import { PennyworthError } from "../../src/error.ts";
import type { Format } from "../../src/providers/format.ts";
import { formats } from "../../src/providers/table.ts";
import { dress, headOf } from "./dress.ts";
import { lineOf, requestSeeds } from "./requests.ts";

const bytes = 8 * 1024;
const times = 16;
const growthMax = 100;
/** Shorter times say nothing. */
const floorMs = 1;

/** Text of about so many bytes, as JSON has it inside of quotes or as a value. */
const shapes: Readonly<Record<string, (size: number) => string>> = {
  words: (size) => JSON.stringify("a word ".repeat(size / 7)),
  escapes: (size) => `"${'\\"'.repeat(size / 2)}"`,
  slashes: (size) => `"${"\\\\".repeat(size / 2)}"`,
  units: (size) => `"${"\\u00e9".repeat(size / 6)}"`,
  "names of usage": (size) => JSON.stringify('"usage":{"total_tokens":1},'.repeat(size / 40)),
  brackets: (size) => "[".repeat(size / 2) + "]".repeat(size / 2),
  "nested usage": (size) => `${'{"usage":'.repeat(size / 10)}1${"}".repeat(size / 10)}`,
  keys: (size) => `{${Array.from({ length: size / 10 }, (_, index) => `"k${index}":1`).join(",")}}`,
  "one key": (size) => `{${Array.from({ length: size / 13 }, () => `"usage":{}`).join(",")}}`,
  parts: (size) => `[${Array.from({ length: size / 40 }, () => '{"type":"text","text":"x","functionCall":{}}').join(",")}]`,
  "an unclosed string": (size) => `"${"x".repeat(size)}`,
};

/** Where a shape stands in a body. */
const places: readonly ((value: string) => string)[] = [
  (value) => `{"model":"m","usage":${value},"messages":${value},"id":"x"}`,
  (value) => `{"type":"message_delta","delta":{"content":${value}},"choices":[{"delta":{"content":${value}}}],"tools":${value}}`,
  (value) => `{"contents":[{"parts":${value}}],"candidates":[{"content":{"parts":${value}}}],"metadata":${value},"input":${value}}`,
];

/** Streams that are no events of JSON. */
const odd: readonly ((size: number) => string)[] = [
  (size) => "\n".repeat(size),
  (size) => "\r".repeat(size),
  (size) => "data:\n".repeat(size / 6),
  (size) => "data: {}\n\n".repeat(size / 10),
  (size) => `data: ${"x".repeat(size)}`,
  (size) => "[{},".repeat(size / 4),
  (size) => `[${'{"a":"\\\\"},'.repeat(size / 11)}`,
  (size) => "\0\0\0\x10".repeat(size / 4),
];

/** Of processor time: what else the machine does counts for little. */
function timedMs(act: () => void): number {
  const begun = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1_000;
}

/** Measured again where it seems too long: another process may have had the machine. */
function expectGrowth(what: string, make: (size: number) => () => void): void {
  const [small, large] = [make(bytes), make(bytes * times)];
  let told = "";
  for (let n = 0; n < 5; n++) {
    const smallMs = Math.max(floorMs, timedMs(small));
    const largeMs = timedMs(large);
    if (largeMs < growthMax * smallMs) return;
    told = `${what}: ${smallMs.toFixed(1)} ms for ${bytes} bytes, ${largeMs.toFixed(1)} ms for ${bytes * times}`;
  }
  expect.fail(told);
}

function read(format: Format, body: Buffer): void {
  const [given] = requestSeeds[format.name];
  if (given === undefined) return;
  try {
    format.request(body, { ...lineOf(given), type: "application/json" });
  } catch (error) {
    if (!(error instanceof PennyworthError)) throw error;
  }
}

/** As the gateway does: facts are asked for after each piece until the answer's id is known. */
function follow(format: Format, stream: Buffer, type: string, pieceBytes: number): void {
  const head = headOf(type);
  if (!format.isStream(head, true)) return;
  const reader = format.stream({ head, hideUsage: true });
  for (let from = 0; from < stream.length; from += pieceBytes) {
    reader.push(stream.subarray(from, from + pieceBytes));
    reader.facts();
  }
  reader.end();
}

const framings = [
  ["events", "text/event-stream"],
  ["lines", "application/x-ndjson"],
  ["elements", "application/json"],
  ["messages", "application/vnd.amazon.eventstream"],
  ["chunks", "application/vnd.amazon.eventstream"],
] as const;

test.each(Array.from(formats.values(), (format) => [format.name, format] as const))("%s", { timeout: 300_000 }, (_name, format) => {
  for (const [index, [shape, make]] of Object.entries(shapes).entries())
    for (const place of [index % places.length, (index + 1) % places.length]) {
      const put = places[place] as (value: string) => string;
      expectGrowth(`a request of ${shape}, ${place}`, (size) => {
        const body = Buffer.from(put(make(size)));
        return () => read(format, body);
      });
      expectGrowth(`an answer of ${shape}, ${place}`, (size) => {
        const text = put(make(size));
        return () => void format.answer(text, headOf("application/json"));
      });
      for (const [framing, type] of framings) {
        if (!format.isStream(headOf(type), true)) continue;
        expectGrowth(`a stream of ${framing} of ${shape}, ${place}`, (size) => {
          const stream = dress(framing, [put(make(size))]);
          return () => follow(format, stream, type, 256);
        });
      }
    }
  for (const [index, make] of odd.entries())
    for (const [, type] of framings)
      expectGrowth(`an odd stream, ${index}, as ${type}`, (size) => {
        const stream = Buffer.from(make(size), "latin1");
        return () => follow(format, stream, type, 64);
      });
});
