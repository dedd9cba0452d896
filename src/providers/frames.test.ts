// Events over the limit: they pass unread, in the order in which they came, however they are cut.

import { describe, expect, it } from "vitest";
import { unread } from "./opaque.ts";
import type { Fate, Reader } from "./frames.ts";
import { followEvents } from "./sse.ts";

/** Data beginning with `wait` or `hold` meets that fate. */
function recorder(): Reader & { readonly seen: string[]; readonly sizes: number[] } {
  const seen: string[] = [];
  const sizes: number[] = [];
  return {
    seen,
    sizes,
    started: false,
    outputBytes: 0,
    cut: () => [],
    event: (data): Fate => {
      seen.push(data);
      return (["hold", "wait"] as const).find((fate) => data.startsWith(fate)) ?? "pass";
    },
    missed: (bytes) => sizes.push(bytes),
    end: () => {},
    facts: () => unread,
  };
}

function feed(text: string, cuts: readonly number[], limit: number): { out: string; held: string; seen: string[]; sizes: number[] } {
  const reader = recorder();
  const stream = followEvents(reader, limit);
  const bytes = Buffer.from(text);
  const out = [0, ...cuts].flatMap((from, index) => stream.push(bytes.subarray(from, cuts[index])));
  const rest = stream.end();
  return {
    out: Buffer.concat(out).toString(),
    held: Buffer.concat([...stream.held, ...rest]).toString(),
    seen: reader.seen,
    sizes: reader.sizes,
  };
}

const long = `data: ${"x".repeat(40)}\r\ndata: y\r\n\r\n`;

it("passes one whose line ends are cut in two", () => {
  const text = `${long}data: a\n\n`;
  for (let at = 1; at < text.length; at++) {
    const fed = feed(text, [at], 30);
    expect(fed.out + fed.held, `cut at ${at}`).toBe(text);
    expect(fed.held).toBe("");
    expect(fed.seen).toEqual(["a"]);
  }
});

it("lets what waits for the next event go before one that is not read", () => {
  const text = `data: wait\n\n${long}data: a\n\n`;
  for (let at = 1; at < text.length; at++) expect(feed(text, [at], 30), `cut at ${at}`).toMatchObject({ out: text, held: "" });
});

it("is not read when only its last piece takes it over the limit", () => {
  const text = `data: ${"x".repeat(20)}\n\n`;
  for (let at = 1; at < text.length; at++) expect(feed(text, [at], 27), `cut at ${at}`).toMatchObject({ out: text, seen: [], sizes: [28] });
  expect(feed(text, [9], 28)).toMatchObject({ out: text, seen: ["x".repeat(20)], sizes: [] });
});

it("is told of when the stream ends within it", () => {
  expect(feed(long.slice(0, 44), [20], 30)).toMatchObject({ out: long.slice(0, 44), seen: [], sizes: [44] });
});

const text = (pieces: readonly Buffer[] | null): string => Buffer.concat(pieces ?? []).toString();

describe("a stream that is cut", () => {
  const why = { code: "halted", message: "stopped" };
  const ended = "data: end\n\n";
  const open = (limit: number): { pass: (text: string) => string; cut: () => string; end: () => string } => {
    const stream = followEvents({ ...recorder(), cut: () => [{ data: "end" }] }, limit);
    return { pass: (given) => text(stream.push(Buffer.from(given))), cut: () => text(stream.cut(why)), end: () => text(stream.end()) };
  };

  it("lets no half event out, neither then nor at its end", () => {
    const { pass, cut, end } = open(100);
    expect([pass("data: a\n\ndata: b"), cut(), pass("c\n\ndata: hold\n\nda"), cut(), end()]).toEqual(["data: a\n\n", ended, "", "", ""]);
  });

  it("lets what waits for another event go nowhere", () => {
    const { pass, cut } = open(100);
    expect([pass("data: wait\n\n"), cut(), pass("data: a\n\n")]).toEqual(["", ended, ""]);
  });

  it("lets an event over the limit, of which a part has passed, come to its end before its own", () => {
    const { pass, cut, end } = open(10);
    const big = `data: ${"x".repeat(20)}`;
    expect([pass(big), cut(), pass("xx"), pass("x\n\ndata: a\n\n"), pass("data: b\n\n"), end()]).toEqual([
      big,
      "",
      "xx",
      `x\n\n${ended}`,
      "",
      "",
    ]);
  });

  it("is not cut once what completes it is held", () => {
    const { pass, cut, end } = open(100);
    expect([pass("data: hold\n\n"), cut(), pass("data: a\n\n"), end()]).toEqual(["", "", "", ""]);
  });
});
