import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnswerFacts } from "./format.ts";
import type { Fate, Reader } from "./frames.ts";
import { followEvents as follow } from "./sse.ts";

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

/** Data beginning with a fate's name meets it; everything read is kept. */
function recorder(): Reader & { readonly seen: string[]; missedBytes: number } {
  const seen: string[] = [];
  return {
    seen,
    missedBytes: 0,
    started: false,
    outputBytes: 0,
    cut: () => [],
    event(data: string): Fate {
      seen.push(data);
      return (["hold", "wait", "hide"] as const).find((fate) => data.startsWith(fate)) ?? "pass";
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
  const stream = follow(reader, limit);
  const out = chunks.flatMap((chunk) => stream.push(chunk));
  const rest = stream.end();
  return {
    seen: reader.seen,
    out: Buffer.concat([...out]).toString(),
    held: Buffer.concat([...stream.held, ...rest]).toString(),
    missed: reader.missedBytes,
  };
}

/** Reads a stream as the specification says, line by line, with none of the code under test. */
function specified(text: string): string[] {
  const events: string[] = [];
  let data: string[] | null = null;
  for (const line of text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/)) {
    if (line === "") {
      if (data !== null && data.join("\n") !== "") events.push(data.join("\n"));
      data = null;
      continue;
    }
    const [, field, value] = /^([^:]*)(?:: ?)?([\s\S]*)$/.exec(line) as RegExpExecArray;
    if (field === "data") (data ??= []).push(value as string);
  }
  if (data !== null && data.join("\n") !== "") events.push(data.join("\n"));
  return events;
}

const line = fc.constantFrom(
  "data: x",
  "data:y",
  "data:  two",
  "data",
  "data: hide me",
  "event: e",
  ": OPENROUTER PROCESSING",
  "id: 1",
  "",
  "",
);
const ending = fc.constantFrom("\n", "\r\n", "\r");

describe("follow", () => {
  it("reads what the specification reads and passes every byte, wherever it is split and whatever ends its lines", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(line, ending), { maxLength: 14 }),
        fc.boolean(),
        fc.array(fc.nat(200), { maxLength: 6 }),
        (all, mark, cuts) => {
          const text = (mark ? "\uFEFF" : "") + all.map(([content, end]) => content + end).join("");
          const body = Buffer.from(text);
          const at = [...new Set([0, ...cuts.map((cut) => cut % (body.length + 1)), body.length])].sort((a, b) => a - b);
          const chunks = at.slice(1).map((end, index) => body.subarray(at[index], end));
          const split = feed(chunks);
          const whole = feed([body]);
          expect(split).toEqual(whole);
          expect(feed(Array.from(body, (_, index) => body.subarray(index, index + 1)))).toEqual(whole);
          expect(whole.seen).toEqual(specified(text));
          if (!text.includes("hide")) expect(whole.out + whole.held).toBe(text);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it("passes a chunk of whole events on as the very same Buffer", () => {
    const chunk = Buffer.from("data: a\n\nevent: b\ndata: b\n\n");
    const out = follow(recorder()).push(chunk);
    expect(out).toHaveLength(1);
    expect(out[0]).toBe(chunk);
  });

  it("does not hold a whole event back for the one after it", () => {
    const stream = follow(recorder());
    expect(Buffer.concat([...stream.push(Buffer.from("data: a\n\ndata: b"))]).toString()).toBe("data: a\n\n");
    expect(Buffer.concat([...stream.push(Buffer.from("\n\n"))]).toString()).toBe("data: b\n\n");
  });

  it("holds what completes the answer and all that comes after it", () => {
    const got = feed([Buffer.from("data: a\n\ndata: hold\n\ndata: z\n\n"), Buffer.from("data: late\n\n: bye")]);
    expect(got).toMatchObject({ out: "data: a\n\n", held: "data: hold\n\ndata: z\n\ndata: late\n\n: bye" });
  });

  it("lets an event wait for the next one and share its fate", () => {
    expect(feed([Buffer.from("data: a\n\ndata: wait\n\ndata: hold\n\n")])).toMatchObject({
      out: "data: a\n\n",
      held: "data: wait\n\ndata: hold\n\n",
    });
    expect(feed([Buffer.from("data: a\n\ndata: wait\n\n"), Buffer.from("data: b\n\n")])).toMatchObject({
      out: "data: a\n\ndata: wait\n\ndata: b\n\n",
      held: "",
    });
    expect(feed([Buffer.from("data: wait\n\n")])).toMatchObject({ out: "", held: "data: wait\n\n" });
  });

  it("drops hidden events whole, and nothing else", () => {
    expect(feed([Buffer.from("data: a\r\n\r\ndata: hide\r\n\r"), Buffer.from("\ndata: b\r\n\r\n")])).toMatchObject({
      out: "data: a\r\n\r\ndata: b\r\n\r\n",
    });
  });

  it("passes an event over the limit unread as it comes, and reads the next one", () => {
    const big = `data: ${"x".repeat(100)}\n\n`;
    const body = Buffer.from(`data: a\n\n${big}data: b\n\n`);
    for (const size of [1, 7, 50, 1000]) {
      const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, index) => body.subarray(index * size, (index + 1) * size));
      expect(feed(chunks, 40)).toEqual({ seen: ["a", "b"], out: body.toString(), held: "", missed: big.length });
    }
  });
});
