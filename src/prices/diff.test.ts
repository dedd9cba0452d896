import { describe, expect, it } from "vitest";
import { createPriceBook } from "../core/book.ts";
import { diffBooks } from "./diff.ts";
import { readFile } from "./file.ts";

const atMs = Date.parse("2026-11-21");
const gpt = { provider: "p", model: "m", tier: "standard", region: null };

function book(...lines: string[]) {
  const { list } = readFile(`prices: [${lines.join(", ")}]`, { format: null, source: null, published: null });
  return createPriceBook({ layers: [{ ...list, name: "base", own: false }], derivations: [], fallbacks: {}, pricesOf: {} });
}

const record = (prices: string, rest = "") => `{provider: p, model: m, perMillion: {${prices}}${rest}}`;
const diff = (before: ReturnType<typeof book>, after: ReturnType<typeof book>, models = [gpt]) =>
  diffBooks(before, after, models, atMs).map((change) => [
    change.class,
    change.aboveTokens,
    change.before,
    change.after,
    change.fromMs === null ? null : new Date(change.fromMs).toISOString().slice(0, 10),
  ]);

const hour = (usd: string) => book(`{provider: p, model: m, perHour: {input_audio_seconds: ${usd}}}`);

describe("what differs between two books", () => {
  it("is what was added, removed and changed, class by class", () => {
    expect(diff(book(record("input: 3, output: 15, cache_read: 0.3")), book(record("input: 2.5, output: 15.0, reasoning: 15")))).toEqual([
      ["input", 0, "3", "2.5", null],
      // Without a price of their own these are at that of input and of output.
      ["cache_read", 0, "0.3", "2.5", null],
    ]);
    expect(diff(book(), book(record("input: 3")))).toEqual([["input", 0, null, "3", null]]);
    expect(diff(book(record("input: 3")), book())).toEqual([["input", 0, "3", null, null]]);
  });

  it("is nothing where the rates are equal, however they are written", () => {
    expect(diff(book(record("input: 3")), book("{provider: p, model: m, perThousand: {input: 0.003}}"))).toEqual([]);
  });

  it("tells each step for long prompts, against the one below where there is none", () => {
    const flat = book(record("input: 3"));
    const steps = book(record("input: {steps: [{above: 0, usd: 3}, {above: 200000, usd: 6}]}"));
    expect(diff(flat, steps)).toEqual([["input", 200_000, "3", "6", null]]);
    expect(diff(steps, flat)).toEqual([["input", 200_000, "6", "3", null]]);
  });

  it("tells what is announced with its day, and nothing of what is past", () => {
    const before = book(record("input: 3"));
    const after = book(
      record("input: 9", ", to: 2026-01-01"),
      record("input: 3", ", from: 2026-01-01, to: 2027-01-01"),
      record("input: 2", ", from: 2027-01-01, to: 2027-06-01"),
      record("input: 3", ", from: 2027-06-01"),
    );
    expect(diff(before, after)).toEqual([["input", 0, "3", "2", "2027-01-01"]]);
  });

  it("compares the hours of the day with the same hours", () => {
    const before = book(record("input: 3"));
    const after = book(record("input: 3"), record("input: 1.5", ", window: 16:30-00:30"));
    expect(diff(before, after)).toEqual([["input", 0, "3", "1.5", null]]);
  });

  it("is sorted by model, and tells tiers and regions apart", () => {
    const after = book(
      "{provider: p, model: b, perMillion: {input: 1}}",
      "{provider: p, model: a, perMillion: {output: 2, input: 1}}",
      "{provider: p, model: a, tier: batch, perMillion: {input: 0.5}}",
    );
    const models = ["b", "a"].map((model) => ({ ...gpt, model })).concat({ ...gpt, model: "a", tier: "batch" });
    expect(diffBooks(book(), after, models, atMs).map(({ model, tier, class: type }) => `${model} ${tier} ${type}`)).toEqual([
      "a batch input",
      "a standard input",
      "a standard output",
      "b standard input",
    ]);
  });

  it("is exact, also where a rate has no end of decimals in another unit and is told rounded", () => {
    expect(diff(hour("0.36"), hour("0.12"))).toEqual([["input_audio_seconds", 0, "0.1", "0.033333333333333333", null]]);
    expect(diff(hour("0.12"), hour("0.12000000000000000001"))).toHaveLength(1);
  });
});
