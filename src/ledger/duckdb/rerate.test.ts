import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createPriceBook } from "../../core/book.ts";
import type { CallEnd, CallStart } from "../../core/call.ts";
import type { Charge } from "../../core/charge.ts";
import type { Entry, Position, Rerated } from "../../core/entry.ts";
import { markOf } from "../../core/mark.ts";
import { toPico } from "../../core/money.ts";
import type { PriceRecord, PriceSources } from "../../core/price.ts";
import { isSameRating, rateAnew, ratedCallOf } from "../../core/rerating.ts";
import type { QuantitySource, Usage, UsageClass } from "../../core/usage.ts";
import { encodeEntry } from "../codec.ts";
import type { RerateDay } from "../rerate.ts";
import { everything, placed, sampleEnd, sampleObservation, sampleStart } from "../store.fixture.ts";
import { DuckDBStore } from "./store.ts";

const january = Date.UTC(2026, 0);
const dayMs = 86_400_000;

interface Price {
  readonly model: string;
  readonly tier: string;
  readonly class: UsageClass;
  readonly usd: number;
  readonly fromDay: number | null;
  readonly above: boolean;
  readonly hours: boolean;
}

/** Records of one list: whatever it says, it is named by its version. */
function sourcesOf(version: string, prices: readonly Price[]): PriceSources {
  const records = prices.map((price, index): PriceRecord => ({
    id: `list@${version}/openai/${price.model}@${index}`,
    provider: "openai",
    model: price.model,
    match: { equals: price.model },
    contextWindow: null,
    tier: price.tier,
    region: null,
    prices: {
      [price.class]: {
        per: 1_000_000,
        steps: [{ aboveTokens: -1, usd: String(price.usd) }, ...(price.above ? [{ aboveTokens: 12, usd: String(price.usd * 2) }] : [])],
      },
    },
    validFromMs: price.fromDay === null ? null : january + price.fromDay * dayMs + 1000,
    validToMs: null,
    window: price.hours ? { fromMs: 3_600_000, toMs: 7_200_000 } : null,
  }));
  const layer = { name: `list@${version}`, source: "list", origin: "", own: false, records, discounts: [], choices: [] };
  return { layers: [layer], derivations: [], fallbacks: {}, pricesOf: {} };
}

const names = ["m", "n"] as const;
const price: fc.Arbitrary<Price> = fc.record({
  model: fc.constantFrom(...names),
  tier: fc.constantFrom("standard", "standard", "flex"),
  class: fc.constantFrom<UsageClass[]>("input", "output", "request", "cache_read"),
  usd: fc.integer({ min: 1, max: 9 }),
  fromDay: fc.option(fc.nat(3), { nil: null }),
  above: fc.boolean(),
  hours: fc.boolean(),
});
const made = fc.record({
  at: fc.nat(4 * dayMs),
  sent: fc.constantFrom<(string | null)[]>(...names, "unknown", null),
  answered: fc.constantFrom<(string | null)[]>(...names, "unknown", null),
  tier: fc.constantFrom<(string | null)[]>(null, "flex"),
  parts: fc.array(
    fc.record({
      model: fc.constantFrom<(string | null)[]>(null, null, "n"),
      input: fc.nat(20),
      output: fc.nat(9),
      cached: fc.nat(1),
      fee: fc.nat(6),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  source: fc.constantFrom<QuantitySource[]>("reported", "partial", "estimated"),
  kind: fc.constantFrom("usual", "usual", "usual", "none", "told"),
});

function callOf(
  book: ReturnType<typeof createPriceBook>,
  index: number,
  one: typeof made extends fc.Arbitrary<infer T> ? T : never,
): [CallStart, CallEnd] {
  const id = `c${index}`;
  const start = sampleStart(id, {
    startMs: january + one.at,
    provider: "openai",
    region: null,
    modelAsked: one.sent ?? "m",
    modelSent: one.sent,
  });
  const usage: Usage | null =
    one.kind === "none"
      ? null
      : {
          parts: one.parts.map(({ model, input, output, cached, fee }) => ({
            kind: "message",
            model,
            quantities: { input, output, ...(cached > 0 ? { cache_read: cached } : {}), ...(fee === 6 ? { request: 1 } : {}) },
          })),
          source: one.source,
          doubts: [],
          raw: null,
        };
  const bare = sampleEnd(id, {
    modelAnswered: one.answered,
    tierServed: one.tier,
    usage,
    charges: [],
    unpriced: [],
    ...(one.kind === "told" ? { costReported: "0.5" } : {}),
  });
  return [start, { ...bare, ...rateAnew(book, ratedCallOf(start, bare), start, bare) }];
}

async function open(): Promise<{ store: DuckDBStore; apply(entries: readonly Entry[]): Promise<void>; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "pennyworth-rerate-"));
  const texts = new Map<string, string>();
  const read = (positions: readonly Position[]): Promise<string[]> =>
    Promise.resolve(positions.map((position) => texts.get(JSON.stringify(position)) ?? "nothing"));
  const store = new DuckDBStore(join(folder, "store.duckdb"), { read });
  await store.open();
  return {
    store,
    async apply(entries) {
      const from = texts.size;
      const all = placed(entries, from);
      for (const { entry, position } of all) texts.set(JSON.stringify(position), encodeEntry(entry));
      await store.apply(all);
    },
    async remove() {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function pass(store: DuckDBStore, sources: PriceSources): Promise<{ calls: Rerated[]; days: readonly RerateDay[] }> {
  const job = await store.rerate({ sinceMs: null, untilMs: null, provider: null, model: null, sources, regions: {} });
  const calls: Rerated[] = [];
  for (;;) {
    const page = await job.next();
    calls.push(...page.calls);
    if (page.days === null) continue;
    job.close();
    return { calls, days: page.days };
  }
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? `${one}` : one));
}

/** In order of call, charges in any. */
function sorted(calls: readonly Rerated[]): unknown {
  return calls
    .toSorted((a, b) => (a.call < b.call ? -1 : 1))
    .map(({ call, of, charges, unpriced }) => ({ call, of, charges: charges.map(text).toSorted(), unpriced: unpriced.toSorted() }));
}

test("the pass finds what rating every record anew finds, and a second one finds nothing", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(price, { maxLength: 6 }),
      fc.array(price, { maxLength: 6 }),
      fc.nat(2),
      fc.array(made, { minLength: 1, maxLength: 25 }),
      async (before, changes, kept, calls) => {
        const first = sourcesOf("1", before);
        // Some of the list stays as it was, under its own name.
        const old = first.layers[0]?.records.slice(0, kept) ?? [];
        const next = sourcesOf("2", changes);
        const [layer] = next.layers;
        const second: PriceSources = {
          ...next,
          layers: [{ ...(layer as NonNullable<typeof layer>), records: [...old, ...(layer?.records ?? [])] }],
        };
        const [bookBefore, bookAfter] = [createPriceBook(first), createPriceBook(second)];
        const known = calls.map((one, index) => callOf(bookBefore, index, one));
        const { store, apply, remove } = await open();
        await apply(
          known.flatMap(([start, end]): Entry[] => [
            { kind: "start", call: start },
            { kind: "end", call: end },
          ]),
        );
        expect((await pass(store, first)).calls).toEqual([]);

        const wanted = known.flatMap(([start, end]): Rerated[] => {
          const rating = rateAnew(bookAfter, ratedCallOf(start, end), start, end);
          return rating === null || isSameRating(rating, end) ? [] : [{ call: end.id, of: markOf(end), ...rating }];
        });
        const found = await pass(store, second);
        expect(sorted(found.calls)).toEqual(sorted(wanted));
        expect(found.days.reduce((sum, day) => sum + day.calls, 0)).toBe(wanted.length);

        const total = await store.report(everything);
        await apply([{ kind: "rerated", rerate: "r", atMs: 1, calls: found.calls }]);
        expect((await pass(store, second)).calls).toEqual([]);
        let pico = 0n;
        for (const [start, end] of known) {
          const rating = rateAnew(bookAfter, ratedCallOf(start, end), start, end);
          for (const charge of rating?.charges ?? []) pico += charge.costPico;
        }
        const cost = (await store.report(everything)).total.cost;
        expect(parse(cost)).toBe(pico);
        // And back again: what was first holds.
        await apply([{ kind: "rerated", rerate: "s", atMs: 2, calls: (await pass(store, first)).calls }]);
        expect({ ...(await store.report(everything)), position: null }).toEqual({ ...total, position: null });
        await remove();
      },
    ),
    { numRuns: Number(process.env.PENNYWORTH_RERATE_RUNS ?? 15) },
  );
}, 300_000);

/** A dollar a million; two from February on. */
const dearer: PriceSources = sourcesOf("1", [
  { model: "m", tier: "standard", class: "input", usd: 1, fromDay: null, above: false, hours: false },
  { model: "m", tier: "standard", class: "input", usd: 2, fromDay: 31, above: false, hours: false },
]);

/** A million tokens by one of its two prices. */
function charged(index: number, price: bigint): Charge {
  return {
    class: "input",
    quantity: 1_000_000,
    source: "reported",
    model: "m",
    part: 0,
    price: `list@1/openai/m@${index}#input`,
    ratePico: price * 10n ** 6n,
    ratePer: 1n,
    costPico: toPico(price * 10n ** 12n),
  };
}

test("a call that only a witness saw, heard of after its month was closed, is rated at the time it began, not when it counts", async () => {
  const usage: Usage = {
    parts: [{ kind: "message", model: null, quantities: { input: 1_000_000 } }],
    source: "reported",
    doubts: [],
    raw: null,
  };
  const seen = (id: string, responseId: string, startDay: number, heardDay: number, price: bigint) =>
    sampleObservation(id, responseId, {
      startMs: january + startDay * dayMs,
      observedMs: january + heardDay * dayMs,
      modelAnswered: "m",
      usage,
      charges: [charged(price === 1n ? 0 : 1, price)],
      unpriced: [],
    });
  const { store, apply, remove } = await open();
  await apply([
    { kind: "closed", closing: { month: "2026-01", atMs: january + 33 * dayMs, costPico: toPico(0n), calls: 0, statement: "" } },
    // Of January, and priced as January was; and one whose price is wrong: it began in January too.
    { kind: "observation", observation: seen("right", "r1", 20, 40, 1n) },
    { kind: "observation", observation: seen("wrong", "r2", 21, 41, 2n) },
    { kind: "observation", observation: seen("february", "r3", 38, 41, 2n) },
  ]);
  const days = (await store.report({ ...everything, by: ["day"] })).rows.map(({ group, cost }) => [group[0], cost]);
  expect(days).toEqual([
    ["2026-02-08", "2"],
    ["2026-02-10", "1"],
    ["2026-02-11", "2"],
  ]);
  const found = await pass(store, dearer);
  expect(found.calls.map(({ call, charges }) => [call, charges.map(({ price, costPico }) => [price, costPico])])).toEqual([
    ["wrong", [["list@1/openai/m@0#input", 10n ** 12n]]],
  ]);
  expect(found.days).toMatchObject([{ day: "2026-01-22", calls: 1, before: "2", after: "1" }]);
  await remove();
}, 60_000);

function parse(usd: string): bigint {
  const [whole = "0", fraction = ""] = usd.split(".");
  return toPico(BigInt(whole) * 10n ** 12n + BigInt(fraction.padEnd(12, "0")));
}
