import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TakenList } from "../core/entry.ts";
import { formatRate } from "../core/money.ts";
import type { PriceRecord } from "../core/price.ts";
import { createHistory, type StandingList } from "./history.ts";
import type { PriceList } from "./list.ts";
import { readShipped } from "./snapshot.ts";
import { takeShipped } from "./shelf.ts";

const day = (text: string): number => Date.parse(text);

function price(usd: string, changes: Partial<PriceRecord> = {}): PriceRecord {
  return {
    id: `x@${usd}/acme/one@${changes.validFromMs ?? ""}`,
    provider: "acme",
    model: "one",
    match: { equals: "one" },
    contextWindow: null,
    tier: "standard",
    region: null,
    prices: { input: { per: 1_000_000, steps: [{ aboveTokens: -1, usd }] } },
    validFromMs: null,
    validToMs: null,
    window: null,
    ...changes,
  };
}

function stand(source: string, known: string | number, records: readonly PriceRecord[], changes: Partial<TakenList> = {}): StandingList {
  const knownMs = typeof known === "number" ? known : day(known);
  const list: PriceList = { source, version: `${knownMs}`, origin: source, published: null, records, discounts: [], choices: [] };
  const taken = {
    source,
    version: list.version,
    hash: `${source}${knownMs}`,
    knownMs,
    takenMs: knownMs,
    own: source === "own",
    records: records.length,
  };
  return { taken: { ...taken, ...changes }, list };
}

function ask(lists: readonly StandingList[]) {
  const history = createHistory(lists, {});
  return (at: string | number, known: string | number | null): string | null => {
    const atMs = typeof at === "number" ? at : day(at);
    const knownMs = typeof known === "string" ? day(known) : known;
    const step = history.at(knownMs).find({ provider: "acme", model: "one", tier: null, region: null, atMs })?.prices.input?.[0];
    return step === undefined ? null : formatRate(step.rate, 1_000_000n);
  };
}

describe("what we thought, and when", () => {
  it("what did we think on 1 August that a call of 15 July cost, and what do we think now", () => {
    const usd = ask([stand("own", "2026-06-01", [price("5")]), stand("own", "2026-08-10", [price("4")])]);
    expect([usd("2026-07-15", "2026-08-01"), usd("2026-07-15", null), usd("2026-07-15", "2026-05-31")]).toEqual(["5", "4", null]);
  });

  it("a change that is announced, then revised before it happens", () => {
    const now = price("5", { validToMs: day("2026-09-01") });
    const usd = ask([
      stand("own", "2026-07-01", [now, price("3", { validFromMs: day("2026-09-01") })]),
      stand("own", "2026-08-01", [price("5", { validToMs: day("2026-10-01") }), price("3.5", { validFromMs: day("2026-10-01") })]),
    ]);
    expect([usd("2026-09-15", "2026-07-15"), usd("2026-09-15", "2026-08-15"), usd("2026-10-15", "2026-08-15")]).toEqual(["3", "5", "3.5"]);
    expect(usd("2026-08-31", "2026-07-15")).toBe("5");
  });

  it("a source that was dropped says nothing from then on, and still did before", () => {
    const usd = ask([stand("litellm", "2026-07-01", [price("5")]), stand("litellm", "2026-08-01", [])]);
    expect([usd("2026-07-15", "2026-07-15"), usd("2026-07-15", null)]).toEqual(["5", null]);
  });

  it("own prices go before the base, and an imported list only fills in", () => {
    const base = stand("genai-prices", "2026-01-01", [price("2")], { hash: null });
    const other = stand("litellm", "2026-02-01", [price("9")]);
    expect(ask([other, base])("2026-07-15", null)).toBe("2");
    expect(ask([other])("2026-07-15", null)).toBe("9");
    expect(ask([other, base, stand("own", "2026-03-01", [price("1")])])("2026-07-15", null)).toBe("1");
  });

  it("an older snapshot that is part of Pennyworth still says what a newer one leaves out", () => {
    const [old, young] = [
      stand("genai-prices", "2026-01-01", [price("2")], { hash: null }),
      stand("genai-prices", "2026-06-01", [], { hash: null }),
    ];
    expect(ask([old, { ...young, taken: { ...young.taken, records: 1 } }])("2026-07-15", null)).toBe("2");
  });

  it("the lists that ship are known since they were published", () => {
    const shipped = readShipped();
    const history = createHistory(
      takeShipped(shipped, day("2026-11-21")).map((taken, index) => ({ taken, list: shipped[index] as PriceList })),
      {},
    );
    const query = { provider: "openai", model: "gpt-4o", tier: null, region: null, atMs: day("2026-08-01") };
    expect(history.at(null).find(query)).not.toBeNull();
    expect(history.at(day("2025-01-01")).find(query)).toBeNull();
  });
});

it("lists in whose place newer ones stand are read anew when the past is asked for, and not before", () => {
  let reads = 0;
  const kept = (known: string, usd: string): StandingList => {
    const one = stand("own", known, [price(usd)]);
    return { ...one, again: () => (reads++, one.list) };
  };
  const history = createHistory([kept("2026-06-01", "5"), kept("2026-07-01", "4")], {});
  history.add(kept("2026-08-01", "3"));
  const usd = (known: string | null) => {
    const query = { provider: "acme", model: "one", tier: null, region: null, atMs: day("2026-06-15") };
    const step = history.at(known === null ? null : day(known)).find(query)?.prices.input?.[0];
    return step === undefined ? null : formatRate(step.rate, 1_000_000n);
  };
  expect(usd(null)).toBe("3");
  // Where a price of the past came from is known without its list.
  expect(history.live.source("x@5/acme/one@#input")).toBe("own");
  expect(history.live.source("x@6/acme/one@#input")).toBeNull();
  expect(history.lists.map(({ origin }) => origin)).toEqual(["own", "own", undefined]);
  expect(history.lists.filter((one) => Object.getOwnPropertyDescriptor(one, "list")?.value !== undefined)).toHaveLength(1);
  expect(reads).toBe(0);
  expect([usd("2026-06-02"), usd("2026-07-02"), usd("2026-08-02")]).toEqual(["5", "4", "3"]);
  expect(reads).toBeGreaterThan(0);
});

describe("the order in which lists come", () => {
  const source = fc.constantFrom("own", "genai-prices", "litellm", "models.dev");
  const dayNumber = fc.integer({ min: 0, max: 40 });
  const record = fc.record({
    usd: fc.integer({ min: 1, max: 9 }),
    from: fc.option(dayNumber),
    length: fc.option(fc.integer({ min: 1, max: 20 })),
  });
  const one = fc.record({ source, known: dayNumber, records: fc.array(record, { maxLength: 3 }) });
  const unit = 86_400_000;

  it("changes no price at any pair of times", () => {
    const all = fc.uniqueArray(one, { maxLength: 8, selector: (list) => `${list.source} ${list.known}` });
    fc.assert(
      fc.property(
        all.chain((lists) => fc.tuple(fc.constant(lists), fc.shuffledSubarray(lists, { minLength: lists.length }))),
        ([lists, shuffled]) => {
          const build = (ordered: typeof lists) =>
            ask(
              ordered.map((list) =>
                stand(
                  list.source,
                  list.known * unit,
                  list.records.map(({ usd, from, length }) =>
                    price(String(usd), {
                      validFromMs: from === null ? null : from * unit,
                      validToMs: from === null || length === null ? null : (from + length) * unit,
                    }),
                  ),
                ),
              ),
            );
          const [a, b] = [build(lists), build(shuffled)];
          for (let at = 0; at <= 60; at += 5)
            for (let known = -1; known <= 41; known += 3) expect(b(at * unit, known * unit)).toBe(a(at * unit, known * unit));
          expect(b(50 * unit, null)).toBe(a(50 * unit, null));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("and the price is the one that a reader of the rules would name", () => {
    // An own list of one record each, open-ended: the newest that was known by then holds, from its start on.
    const lists = fc.uniqueArray(fc.record({ known: dayNumber, from: dayNumber, usd: fc.integer({ min: 1, max: 99 }) }), {
      selector: ({ known }) => known,
      maxLength: 8,
    });
    fc.assert(
      fc.property(lists, dayNumber, dayNumber, (all, at, known) => {
        const newest = all.filter((list) => list.known <= known).toSorted((a, b) => b.known - a.known)[0];
        const wanted = newest === undefined || at < newest.from ? null : String(newest.usd);
        const usd = ask(all.map((list) => stand("own", list.known * unit, [price(String(list.usd), { validFromMs: list.from * unit })])));
        expect(usd(at * unit, known * unit)).toBe(wanted);
      }),
    );
  });
});
