// The contract of stores on drivers and shapes: random histories, in any order, cut anywhere, opened again, corrected and closed, against a sum over
// the calls (steps.fixture.ts); and the same answer whichever rows it is taken from. For tests alone.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CallEnd } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import { markOf } from "../core/mark.ts";
import { formatUsd, parseUsd, sum, toPico } from "../core/money.ts";
import { type DriverSums, type DriversQuery, others, toldCustomersMax } from "./drivers.ts";
import { samplePeriod } from "./periods.fixture.ts";
import { removedAfter } from "./places.fixture.ts";
import type { ShapeQuery } from "./shape.ts";
import { countedOf, expectedDrivers, expectedShape } from "./steps.fixture.ts";
import { everything, nobody, placed, sampleCharge, sampleEnd, sampleObservation, sampleStart } from "./store.fixture.ts";
import type { Store } from "./contract.ts";
import type { CallRecord, Filter } from "./store.ts";
import type { TestStore } from "./store.suite.ts";

const dayMs = 86_400_000;
const baseMs = Date.UTC(2026, 9, 29);
const word = fc.constantFrom<(string | null)[]>(null, "a", "b", 'it\'s "so"\n');

/** Of tasks, each other's as well: below another root they go round. */
const parents = new Map<string | null, string>([
  ["t0", "r1"],
  ["t1", "t0"],
  ["r1", "t1"],
  ["r0", "nowhere"],
]);

const anyCall = fc.record({
  atMs: fc.integer({ min: 0, max: 9 * dayMs }),
  root: fc.constantFrom(null, null, "r0", "r1", "r2"),
  task: fc.constantFrom(null, "r0", "r1", "t0", "t1"),
  isPart: fc.boolean(),
  type: word,
  step: word,
  agent: word,
  customer: word,
  provider: fc.constantFrom("p", "p", "q"),
  model: fc.constantFrom("m", "n", null),
  answered: fc.constantFrom("m", null),
  tierAsked: fc.constantFrom(null, "flex"),
  tier: fc.constantFrom(null, null, "flex", "standard"),
  attempt: fc.integer({ min: 1, max: 2 }),
  status: fc.constantFrom<(CallEnd["status"] | "open")[]>(
    "complete",
    "complete",
    "complete",
    "failed",
    "cut",
    "aborted",
    "unreached",
    "open",
  ),
  httpStatus: fc.constantFrom(null, 200, 500),
  prompt: fc.record({ system: fc.nat(40), tools: fc.nat(9), user: fc.nat(900), earlier: fc.nat(9000), toolResults: fc.nat(70) }),
  empty: fc.nat(4).map((draw) => draw === 0),
  shared: fc.constantFrom(null, 0, 0.3, 0.9, 1),
  repeats: fc.nat(4).map((draw) => draw === 0),
  tools: fc.constantFrom(undefined, 0, 3),
  quantities: fc.option(
    fc.record(
      { input: fc.nat(5000), cache_read: fc.nat(5000), cache_write_5m: fc.nat(900), output: fc.nat(900), web_search: fc.nat(3) },
      { requiredKeys: [] },
    ),
    { nil: null },
  ),
  unpriced: fc.constantFrom<("input" | "output" | "web_search")[][]>([], [], ["input"], ["output", "web_search"]),
  picos: fc.bigInt({ min: 0n, max: 9_000_000n }),
  later: fc.constantFrom("nothing", "nothing", "nothing", "seen", "again"),
  at: fc.tuple(fc.nat(999), fc.nat(999), fc.nat(999)),
});

const anyHistory = fc.record({
  calls: fc.array(anyCall, { maxLength: 30 }),
  cuts: fc.array(fc.nat(90), { maxLength: 5 }),
  restarts: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
  rerated: fc.array(fc.record({ call: fc.nat(29), picos: fc.bigInt({ min: 0n, max: 9_000n }), at: fc.nat(1500) }), { maxLength: 6 }),
  charges: fc.array(
    fc.record({
      at: fc.nat(999),
      from: fc.nat(5),
      days: fc.integer({ min: 1, max: 4 }),
      agent: word,
      pico: fc.option(fc.bigInt({ min: 0n, max: 10n ** 13n }), { nil: null }),
    }),
    { maxLength: 3 },
  ),
  closedAt: fc.option(fc.integer({ min: 200, max: 1400 }), { nil: null }),
});
type History = typeof anyHistory extends fc.Arbitrary<infer T> ? T : never;

/** In the order of `at`; the start of a call goes before its ends. October is closed where the history says so. */
function entriesOf({ calls, rerated, charges, closedAt }: History, isClosed: boolean): Entry[] {
  const timed: { readonly at: number; readonly entry: Entry }[] = [];
  const ends = new Map<number, CallEnd>();
  calls.forEach((made, index) => {
    const [first, second, third] = made.at.toSorted((a, b) => a - b) as [number, number, number];
    const bytes = made.empty ? { system: 0, tools: 0, user: 0, earlier: 0, toolResults: 0 } : made.prompt;
    const whole = Object.values(bytes).reduce((all, count) => all + count, 0);
    const startMs = baseMs + made.atMs;
    const id = `c${index}`;
    const call = sampleStart(id, {
      startMs,
      attribution: {
        ...nobody,
        root: made.root,
        task: made.task,
        parent: made.isPart ? (parents.get(made.task) ?? null) : null,
        type: made.type,
        step: made.step,
        agent: made.agent,
        customer: made.customer,
      },
      provider: made.provider,
      modelAsked: made.model,
      modelSent: made.model,
      tierAsked: made.tierAsked,
      attempt: made.attempt,
      reason: made.attempt > 1 ? "retry" : "first",
      promptBytes: bytes,
      ...(made.shared === null ? {} : { sharedBytes: Math.floor(whole * made.shared) }),
      ...(made.repeats ? { repeats: true as const } : {}),
    });
    timed.push({ at: first, entry: { kind: "start", call } });
    if (made.status === "open") return;
    const { quantities } = made;
    const rated = (picos: bigint, source: "partial" | "reported"): Pick<CallEnd, "usage" | "charges" | "unpriced"> => {
      const unpriced = made.unpriced.filter((name) => quantities?.[name] !== undefined);
      const priced = Object.entries(quantities ?? {}).filter(([name]) => !(unpriced as string[]).includes(name));
      return {
        usage: quantities === null ? null : { parts: [{ kind: "message", model: null, quantities }], source, doubts: [], raw: null },
        charges: priced.map(([name, quantity]) => sampleCharge(name as "input", quantity, picos, source)),
        unpriced,
      };
    };
    const end = sampleEnd(id, {
      endMs: startMs + 500,
      status: made.status,
      httpStatus: made.httpStatus,
      modelAnswered: made.answered,
      tierServed: made.tier,
      responseId: made.later === "seen" ? `resp_${index}` : null,
      ...(made.tools === undefined ? {} : { tools: made.tools }),
      ...rated(made.picos, "partial"),
    });
    ends.set(index, end);
    timed.push({ at: second, entry: { kind: "end", call: end } });
    if (made.later === "again")
      timed.push({ at: third, entry: { kind: "end", call: { ...end, endMs: startMs + 900, ...rated(made.picos + 1n, "reported") } } });
    if (made.later === "seen") {
      const observation = sampleObservation(`o${index}`, `resp_${index}`, {
        startMs: startMs + 40,
        observedMs: startMs + 9_000,
        provider: made.provider,
        modelAnswered: made.answered,
        attribution: { ...nobody, task: "t1", type: "b" },
        ...rated(made.picos + 7n, "reported"),
      });
      timed.push({ at: made.at[2], entry: { kind: "observation", observation } });
    }
  });
  rerated.forEach(({ call, picos, at }, index) => {
    const end = ends.get(call);
    if (end === undefined) return;
    const charges = end.charges.map((charge) => ({ ...sampleCharge(charge.class, charge.quantity, picos), price: `r${index}` }));
    const amended = { call: end.id, of: markOf(end), charges, unpriced: end.unpriced };
    timed.push({ at, entry: { kind: "rerated", rerate: `r${index}`, atMs: baseMs + 20 * dayMs + index, calls: [amended] } });
  });
  charges.forEach(({ at, from, days, agent, pico }, index) => {
    const fromMs = baseMs + from * dayMs + 5_000;
    const charge = samplePeriod(`charge-${index}`, {
      fromMs,
      toMs: fromMs + days * dayMs,
      bookedMs: fromMs,
      attribution: { ...nobody, agent },
      costPico: pico === null ? null : toPico(pico),
    });
    timed.push({ at, entry: { kind: "charge", charge } });
  });
  if (isClosed && closedAt !== null) {
    const closing = { month: "2026-10", atMs: Date.UTC(2026, 10, 3), costPico: toPico(0n), calls: 0, statement: "" };
    timed.push({ at: closedAt, entry: { kind: "closed", closing } });
  }
  return timed.toSorted((a, b) => a.at - b.at).map(({ entry }) => entry);
}

const hourMs = 3_600_000;
const halves = {
  before: { sinceMs: baseMs, untilMs: baseMs + 2 * dayMs },
  after: { sinceMs: baseMs + 2 * dayMs, untilMs: baseMs + 40 * dayMs },
};
/** Whole days and hours at both ends; less than a day; and spans that overlap. */
const ragged = {
  before: { sinceMs: baseMs + 5 * hourMs + 7, untilMs: baseMs + 3 * dayMs - 2 * hourMs },
  after: { sinceMs: baseMs + 2 * dayMs + hourMs, untilMs: baseMs + 2 * dayMs + 9 * hourMs },
};
/** Whole weeks, days before and after them, and hours. */
const long = {
  before: { sinceMs: baseMs - 20 * dayMs - 5, untilMs: baseMs + 5 * dayMs + 7 * hourMs },
  after: { sinceMs: baseMs + 5 * dayMs + 7 * hourMs, untilMs: baseMs + 23 * dayMs + 1 },
};
const of = (field: Filter["field"], value: string | null, operator: Filter["operator"] = "="): Filter => ({ field, value, operator });
/** True of every call, and of days of charges: what is asked with it is read from the calls. */
const always = of("status", "nothing of the kind", "!=");

const driverQueries: readonly DriversQuery[] = [
  { ...halves, by: null, filters: [] },
  { ...ragged, by: null, filters: [] },
  { ...ragged, by: "agent", filters: [] },
  { ...halves, by: "customer", filters: [of("type", "a")] },
  { ...ragged, by: null, filters: [of("type", null), of("provider", "p")] },
  { ...halves, by: null, filters: [of("agent", "a", "!="), of("model", "m")] },
  { ...ragged, by: null, filters: [of("step", "a")] },
  { ...halves, by: null, filters: [of("customer", "a", "!=")] },
  { ...halves, by: "agent", filters: [], told: ["a", null, "nobody"] },
  { ...long, by: "customer", filters: [of("agent", "b")], told: ["b"] },
  { ...long, by: "customer", filters: [] },
  { ...long, by: "agent", filters: [] },
];

const whole = { sinceMs: null, untilMs: null, filters: [] };
const shapeQueries: readonly ShapeQuery[] = [
  { type: null, ...whole },
  { type: "a", ...whole },
  { type: "", ...ragged.before, filters: [] },
  { type: "b", sinceMs: baseMs + dayMs, untilMs: null, filters: [of("provider", "q", "!=")] },
  { type: null, ...ragged.after, filters: [] },
  { type: "a", ...whole, filters: [of("customer", "b")] },
];

const spent = ({ cells, other }: DriverSums, side: "before" | "after"): bigint =>
  sum([...cells.map((cell) => parseUsd(cell[side]?.cost ?? "0")), ...other.map((charge) => parseUsd(charge[side]))]);

/** A call under way of a task that is a part of another. */
const below = (id: string, type: string, root: string | null, task: string, parent: string | null = null): Entry => ({
  kind: "start",
  call: sampleStart(id, { startMs: baseMs, attribution: { ...nobody, root, task, parent, type } }),
});

export function stepsSuite(name: string, make: () => Promise<TestStore>): void {
  const place = removedAfter(make);
  const runs = { numRuns: Number(process.env.PENNYWORTH_STEPS_RUNS ?? 3) };

  /** Takes the entries in, cut and opened again where the history says so. */
  const taken = async ({ cuts, restarts }: History, entries: readonly Entry[]): Promise<Store> => {
    const where = await place();
    let store = await where.open();
    let from = 0;
    for (const [index, to] of [...new Set([...cuts, entries.length])].toSorted((a, b) => a - b).entries()) {
      const part = entries.slice(from, to);
      if (part.length > 0) await store.apply(placed(part, from));
      from += part.length;
      if (restarts[index] !== true) continue;
      await store.close();
      store = await where.open();
    }
    return store;
  };

  describe(`${name}: drivers and shapes`, () => {
    test("of each root the deepest task counts, through tasks of other types, as far as they are known", async () => {
      const place = await make();
      const store = await place.open();
      await store.apply(
        placed([
          below("c1", "whole", null, "top"),
          below("c2", "part", "top", "a", "top"),
          below("c3", "other", "top", "b", "a"),
          below("c4", "part", "top", "c", "b"),
          below("c5", "part", "top", "c", "b"),
          // Nobody knows what is above what made no call; and what goes round stands somewhere below.
          below("c6", "part", "second", "d", "unheard"),
          below("c7", "part", "third", "e", "f"),
          below("c8", "part", "third", "f", "e"),
          below("c9", "part", "fourth", "g"),
          below("c10", "whole", null, "alone"),
        ]),
      );
      const asked = { type: null, sinceMs: null, untilMs: null, filters: [] };
      const of = async (type: string | null) => (await store.shape({ ...asked, type })).depth;
      // top 3, second and third 2, fourth 1, alone 0.
      expect(await of(null)).toEqual({ max: 3, sum: 8 });
      expect(await of("part")).toEqual({ max: 3, sum: 8 });
      expect(await of("other")).toEqual({ max: 2, sum: 2 });
      expect(await of("whole")).toEqual({ max: 0, sum: 0 });
      await store.close();
      await place.remove();
    }, 60_000);

    test("random histories say what their calls add up to, and drivers what a report does", async () => {
      await fc.assert(
        fc.asyncProperty(anyHistory, async (history) => {
          const entries = entriesOf(history, false);
          const store = await taken(history, entries);
          const calls = countedOf(await store.scan(null, 1_000), entries);
          const charges = entries.flatMap((entry) => (entry.kind === "charge" ? [entry.charge] : []));
          for (const query of driverQueries) {
            const { cells, tasks, gaps, left } = await store.drivers(query);
            expect({ cells, tasks, gaps, left }).toEqual(expectedDrivers(calls, query, charges));
          }
          for (const query of shapeQueries) expect(await store.shape(query)).toMatchObject(expectedShape(calls, query));
          await store.close();
        }),
        runs,
      );
    }, 600_000);

    test("what comes, or is corrected, for a week that is over is in its sums", async () => {
      const store = await (await place()).open();
      const calls = [0, 30, 60, 90, 7 * 24].map((hours, index) => {
        const attribution = { ...nobody, task: "t", type: "a", agent: "g", customer: "c" };
        const call = sampleStart(`c${index}`, { startMs: baseMs + hours * hourMs, attribution, provider: "p", modelSent: "m" });
        const usage = {
          parts: [{ kind: "message", model: null, quantities: { input: 9 } }],
          source: "partial" as const,
          doubts: [],
          raw: null,
        };
        return {
          call,
          end: sampleEnd(call.id, { endMs: call.startMs + 9, usage, charges: [sampleCharge("input", 9, 10_000n)], unpriced: [] }),
        };
      });
      const said = calls.flatMap(({ call, end }): Entry[] => [
        { kind: "start", call },
        { kind: "end", call: end },
      ]);
      // The second call comes last of all, and the first is charged twice as much.
      const amended = { call: "c0", of: markOf(calls[0]?.end as CallEnd), charges: [sampleCharge("input", 9, 20_000n)], unpriced: [] };
      const late: Entry[] = [...said.slice(2, 4), { kind: "rerated", rerate: "r", atMs: baseMs + 20 * dayMs, calls: [amended] }];
      const first = [...said.slice(0, 2), ...said.slice(4)];
      await store.apply(placed(first));
      await store.apply(placed(late, first.length));
      const counted = countedOf(await store.scan(null, 100), [...first, ...late]);
      for (const by of [null, "agent", "customer"] as const) {
        const { cells, tasks, gaps, left } = await store.drivers({ ...long, by, filters: [] });
        expect({ cells, tasks, gaps, left }).toEqual(expectedDrivers(counted, { ...long, by, filters: [] }));
        expect(cells.map(({ before }) => before?.calls)).toEqual([4]);
      }
      await store.close();
    }, 60_000);

    test("of ten thousand customers the dearest are told apart, and the others are one: it adds up to a report", async () => {
      const store = await (await place()).open();
      const calls = 12_000;
      const entries: Entry[] = Array.from({ length: calls }, (_, index) => {
        const id = `c${index}`;
        const attribution = { ...nobody, task: `t${index}`, type: "a", agent: `g${index % 3}`, customer: `customer ${index % 10_000}` };
        const call = sampleStart(id, {
          startMs: baseMs + ((index * 7_919) % (30 * 24)) * hourMs,
          attribution,
          provider: "p",
          modelSent: "m",
        });
        // The later the number the dearer, and two calls of the first two thousand.
        const charges = [sampleCharge("input", 10 + (index % 7), BigInt(1_000 + index))];
        const usage = {
          parts: [{ kind: "message", model: null, quantities: { input: 10 + (index % 7) } }],
          source: "reported" as const,
          doubts: [],
          raw: null,
        };
        return [
          { kind: "start", call } as const,
          { kind: "end", call: sampleEnd(id, { endMs: call.startMs + 9, usage, charges, unpriced: [] }) } as const,
        ];
      }).flat();
      await store.apply(placed(entries));
      const month = {
        before: { sinceMs: baseMs + 3 * hourMs, untilMs: baseMs + 15 * dayMs + 5 * hourMs },
        after: { sinceMs: baseMs + 15 * dayMs + 5 * hourMs, untilMs: baseMs + 30 * dayMs },
      };
      const records: CallRecord[] = [];
      while (records.length < calls) records.push(...(await store.scan(records.at(-1)?.id ?? null, 10_000)));
      const counted = countedOf(records, entries);
      for (const filters of [[], [of("agent", "g1")], [of("environment", null), of("session", null)]]) {
        const query: DriversQuery = { ...month, by: "customer", filters };
        const { cells, tasks, gaps, left, other } = await store.drivers(query);
        expect({ cells, tasks, gaps, left }).toEqual(expectedDrivers(counted, query));
        expect(left).toBeGreaterThan(3_000);
        const kept = new Set(cells.flatMap(({ group }) => (group === others ? [] : [group])));
        expect(kept.size).toBe(toldCustomersMax);
        // A piece of it, with the same told apart.
        const piece = { ...query, after: { ...month.after, untilMs: month.after.untilMs - 9 * dayMs }, told: [...kept] };
        const { position: _, other: __, ...sums } = await store.drivers(piece);
        expect(sums).toEqual(expectedDrivers(counted, piece));
        for (const side of ["before", "after"] as const) {
          const { total } = await store.report({ ...everything, ...month[side], filters });
          expect(formatUsd(spent({ cells, tasks, left, other, gaps, position: null }, side))).toBe(total.cost);
        }
      }
      await store.close();
    }, 600_000);

    test("whichever rows it is taken from, the answer is the same, and adds up to a report, over closed months too", async () => {
      await fc.assert(
        fc.asyncProperty(anyHistory, async (history) => {
          const entries = entriesOf(history, true);
          const store = await taken(history, entries);
          const again = await (await place()).open();
          if (entries.length > 0) await again.apply(placed(entries));
          for (const query of driverQueries) {
            const told = await store.drivers(query);
            expect(await again.drivers(query)).toEqual(told);
            expect(await store.drivers({ ...query, filters: [...query.filters, always] })).toEqual(told);
            for (const side of ["before", "after"] as const) {
              const { total } = await store.report({ ...everything, ...query[side], filters: query.filters });
              expect(spent(told, side)).toBe(parseUsd(total.cost));
              expect(told.cells.reduce((all, cell) => all + (cell[side]?.calls ?? 0), 0)).toBe(total.calls);
              expect(total).toMatchObject(told.gaps[side]);
              expect(told.cells.reduce((all, cell) => all + (cell[side]?.unpriced ?? 0), 0)).toBe(total.unpriced);
              for (const cell of told.cells) {
                if (cell.type === null || cell[side] === null) continue;
                expect(told.tasks.find(({ type }) => type === cell.type)?.[side]).toBeGreaterThan(0);
              }
            }
          }
          for (const query of shapeQueries) {
            const told = await store.shape(query);
            expect(await again.shape(query)).toEqual(told);
            expect(await store.shape({ ...query, filters: [...query.filters, always] })).toEqual(told);
          }
          for (const one of [store, again]) await one.close();
        }),
        runs,
      );
    }, 600_000);
  });
}
