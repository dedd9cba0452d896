// The array framing against JSON.parse of the same text: what is read is what the array holds, wherever it is split, and all bytes pass.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { followElements } from "./elements.ts";
import type { AnswerFacts } from "./format.ts";
import type { Fate, Reader } from "./frames.ts";

const facts: AnswerFacts = {
  responseId: null,
  model: null,
  tier: null,
  finish: null,
  usage: null,
  outputBytes: 0,
  error: null,
  complete: false,
};

/** Holds what closes the array, and what says so; everything read is kept. */
function recorder(): Reader & { readonly seen: string[]; missedBytes: number } {
  const seen: string[] = [];
  return {
    seen,
    missedBytes: 0,
    started: false,
    outputBytes: 0,
    cut: () => [],
    event(data: string): Fate {
      seen.push(Buffer.from(data, "latin1").toString());
      return data === "]" || data.includes('"hold"') ? "hold" : "pass";
    },
    missed(bytes: number): void {
      this.missedBytes += bytes;
    },
    end(): void {},
    facts: () => facts,
  };
}

function feed(chunks: readonly Buffer[], limit?: number): { seen: string[]; out: string; held: string; missed: number } {
  const reader = recorder();
  const stream = followElements(reader, limit);
  const out = chunks.flatMap((chunk) => stream.push(chunk));
  const rest = stream.end();
  return {
    seen: reader.seen,
    out: Buffer.concat([...out]).toString("latin1"),
    held: Buffer.concat([...stream.held, ...rest]).toString("latin1"),
    missed: reader.missedBytes,
  };
}

const cut = (body: Buffer, cuts: readonly number[]): Buffer[] => {
  const at = [...new Set([0, ...cuts.map((place) => place % (body.length + 1)), body.length])].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => body.subarray(at[index], end));
};
const crumbs = (body: Buffer): Buffer[] => Array.from(body, (_, index) => body.subarray(index, index + 1));

describe("followElements", () => {
  it("reads each element and the end of an array, wherever it is split, and passes every byte", () => {
    const element = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }), fc.array(fc.jsonValue(), { maxLength: 3 }));
    fc.assert(
      fc.property(
        fc.array(element, { maxLength: 6 }),
        fc.constantFrom([",", "", ""], [",\r\n", "", "\n"], [" ,\n", "\n ", "\n\n"]),
        fc.constantFrom(0, 2),
        fc.array(fc.nat(400), { maxLength: 6 }),
        (elements, [comma, before, after], indent, cuts) => {
          const text = `${before}[${elements.map((value) => JSON.stringify(value, null, indent)).join(comma)}${before}]${after}`;
          const body = Buffer.from(text);
          const whole = feed([body]);
          expect(whole.out + whole.held).toBe(body.toString("latin1"));
          expect(whole.held).toBe(`${elements.length === 0 ? `${before}[` : ""}${before}]${after}`);
          expect(whole.seen.at(-1)).toBe("]");
          expect(whole.seen.slice(0, -1).map((data) => JSON.parse(data) as unknown)).toEqual(JSON.parse(JSON.stringify(elements)));
          expect(feed(cut(body, cuts))).toEqual(whole);
          expect(feed(crumbs(body))).toEqual(whole);
        },
      ),
      { numRuns: 600 },
    );
  });

  it.each([
    ['[{"a":"]}\\"],[{"}]', ['{"a":"]}\\"],[{"}', "]"]],
    ['[{"a":"\\\\"},{"b":"\\\\\\""}]', ['{"a":"\\\\"}', '{"b":"\\\\\\""}', "]"]],
    ['["a, ]",{"b":[[{}]]}]', ['"a, ]"', '{"b":[[{}]]}', "]"]],
    ["[]", ["]"]],
    ['{"error":{"code":429}}\n', ['{"error":{"code":429}}']],
    ['[{"a":1}]{"b":2}', ['{"a":1}', "]"]],
    ['{"a":1}[{"b":2}]', ['{"a":1}']],
    ["", []],
    [" \n", []],
  ] as const)("%s", (text, seen) => {
    const body = Buffer.from(text);
    for (const chunks of [[body], crumbs(body)]) {
      const got = feed(chunks);
      expect(got.seen).toEqual(seen);
      expect(got.out + got.held).toBe(text);
    }
  });

  it.each(["data: {}\n\ndata: []\n\n", "<html>[{}]</html>", "null", "7", '"[{}]"', "é[{}]"])("passes %j unread: it is no array", (text) => {
    const body = Buffer.from(text);
    for (const chunks of [[body], crumbs(body)])
      expect(feed(chunks)).toEqual({ seen: [], out: body.toString("latin1"), held: "", missed: 0 });
  });

  it("passes an element as soon as it is whole, and a chunk of whole ones as the very same Buffer", () => {
    const stream = followElements(recorder());
    const chunk = Buffer.from('[{"a":1}\n,{"b":2}');
    const out = stream.push(chunk);
    expect(out).toHaveLength(1);
    expect(out[0]).toBe(chunk);
    expect(Buffer.concat([...stream.push(Buffer.from('\n,{"c":'))]).toString()).toBe("");
    expect(Buffer.concat([...stream.push(Buffer.from("3}\n"))]).toString()).toBe('\n,{"c":3}');
  });

  it("holds what completes the answer and all that comes after it", () => {
    expect(feed([Buffer.from('[{"a":1},{"is":"hold"},{"b":2}]\n'), Buffer.from("[more]")])).toMatchObject({
      out: '[{"a":1}',
      held: ',{"is":"hold"},{"b":2}]\n[more]',
    });
  });

  it("passes an element over the limit unread as it comes, and reads the next one", () => {
    const big = `,{"b":"${"x".repeat(100)}"}`;
    const body = Buffer.from(`[{"a":1}${big},{"c":3}]`);
    for (const size of [1, 7, 50, 1000]) {
      const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, index) => body.subarray(index * size, (index + 1) * size));
      expect(feed(chunks, 40)).toEqual({
        seen: ['{"a":1}', '{"c":3}', "]"],
        out: body.toString().slice(0, -1),
        held: "]",
        missed: big.length,
      });
    }
  });

  it("hands on what a broken stream left, once", () => {
    expect(feed([Buffer.from('[{"a":1},{"b":')])).toMatchObject({ seen: ['{"a":1}', '{"b":'], out: '[{"a":1}', held: ',{"b":' });
  });
});
