// The contract of stores on corrections and closed months: random histories with closings anywhere, cut anywhere, beside a twin that was
// never closed. For tests alone.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CallEnd, Observation } from "../core/call.ts";
import type { Charge } from "../core/charge.ts";
import type { Entry } from "../core/entry.ts";
import { markOf } from "../core/mark.ts";
import { toPico } from "../core/money.ts";
import type { QuantitySource } from "../core/usage.ts";
import { samplePeriod } from "./periods.fixture.ts";
import { removedAfter } from "./places.fixture.ts";
import { everything, nobody, placed, sampleCharge, sampleEnd, sampleObservation, sampleStart } from "./store.fixture.ts";
import type { Store } from "./contract.ts";
import type { Report, ReportField } from "./store.ts";
import type { TestStore } from "./store.suite.ts";

const january = Date.UTC(2026, 0);
const dayMs = 86_400_000;
const bys: readonly (readonly ReportField[])[] = [
  [],
  ["provider"],
  ["model"],
  ["customer"],
  ["class"],
  ["status"],
  ["source"],
  ["witness"],
  ["unpriced"],
  ["presumed"],
  ["call"],
  ["day"],
  ["hour", "model"],
  ["month", "class", "customer"],
  ["task"],
  ["tier"],
];
/** Over all time a booking adds up with what it amends by each of these. */
const lasting: readonly ReportField[] = ["provider", "model", "customer", "class", "task", "status", "tier"];

function priced(end: Pick<CallEnd, "charges">, picos: bigint): Charge[] {
  return end.charges.map((charge) => ({
    ...charge,
    price: `p${picos}`,
    ratePico: picos,
    costPico: toPico(picos * BigInt(charge.quantity)),
  }));
}

function ratedEnd(id: string, source: QuantitySource, output: number, changes: Partial<CallEnd>): CallEnd {
  return sampleEnd(id, {
    usage: { parts: [{ kind: "message", model: null, quantities: { input: 10, output } }], source, doubts: [], raw: null },
    charges: [sampleCharge("input", 10, 3n, source), sampleCharge("output", output, 7n, source)],
    ...changes,
  });
}

interface Said {
  readonly call: number;
  readonly what: "end" | "presumed" | "again" | "seen" | "rerated" | "unpriced";
  readonly day: number;
  readonly output: number;
  readonly at: number;
}

const said: fc.Arbitrary<Said> = fc.record({
  call: fc.nat(5),
  what: fc.constantFrom<Said["what"][]>("end", "end", "presumed", "again", "seen", "rerated", "rerated", "unpriced"),
  day: fc.nat(110),
  output: fc.integer({ min: 1, max: 4 }),
  at: fc.nat(1000),
});

const anyHistory = fc.record({
  starts: fc.array(fc.record({ day: fc.nat(95), at: fc.nat(700), customer: fc.constantFrom("a", "b", null) }), {
    minLength: 6,
    maxLength: 6,
  }),
  said: fc.array(said, { maxLength: 30 }),
  charges: fc.array(fc.record({ from: fc.nat(90), days: fc.integer({ min: 1, max: 50 }), at: fc.nat(1000), voidedAt: fc.nat(2000) }), {
    maxLength: 3,
  }),
  closings: fc.array(fc.record({ month: fc.integer({ min: 1, max: 4 }), at: fc.nat(1000) }), { minLength: 1, maxLength: 3 }),
  cuts: fc.array(fc.nat(60), { maxLength: 6 }),
});

/** Entries in the order of `at`: a call's start goes before what is said of it. */
function entriesOf(history: typeof anyHistory extends fc.Arbitrary<infer T> ? T : never): Entry[] {
  const entries: { readonly at: number; readonly entry: Entry }[] = [];
  history.starts.forEach(({ day, at, customer }, call) =>
    entries.push({
      at,
      entry: {
        kind: "start",
        call: sampleStart(`c${call}`, {
          startMs: january + day * dayMs + call * 1000,
          attribution: { ...nobody, customer, task: customer },
        }),
      },
    }),
  );
  const ends = new Map<number, CallEnd[]>();
  const sorted = history.said.toSorted((a, b) => a.at - b.at);
  for (const { call, what, day, output, at } of sorted) {
    const start = history.starts[call] as { readonly day: number; readonly at: number };
    const id = `c${call}`;
    const atMs = january + (start.day + day) * dayMs;
    const known = ends.get(call) ?? [];
    // Every other call has an answer that is known by its response.
    const responseId = call % 2 === 0 ? `resp_${call}` : null;
    const when = Math.max(at, start.at + 1);
    if (what === "end" || what === "presumed" || what === "again") {
      const source = what === "presumed" ? "presumed" : what === "end" ? "partial" : "reported";
      const status = what === "presumed" ? "presumed" : "complete";
      const made = ratedEnd(id, source, output, {
        endMs: atMs,
        status,
        responseId,
        modelAnswered: what === "again" ? "gpt-5-2026" : "gpt-5",
      });
      ends.set(call, [...known, made]);
      entries.push({ at: when, entry: { kind: "end", call: made } });
    } else if (what === "seen") {
      const { usage, charges } = ratedEnd(id, "reported", output + 10, {});
      const observation: Observation = sampleObservation(`o${call}-${output}`, `resp_${call}`, {
        startMs: january + start.day * dayMs + 5,
        observedMs: atMs,
        usage,
        charges,
        attribution: { ...nobody, customer: "seen" },
      });
      entries.push({ at, entry: { kind: "observation", observation } });
    } else {
      const end = known.at(-1) ?? ratedEnd(id, "partial", output, {});
      const charges = what === "unpriced" ? priced(end, 5n).slice(0, 1) : priced(end, BigInt(output * 11));
      const unpriced = what === "unpriced" ? (["output"] as const) : [];
      const rerated = { call: id, of: markOf(end), charges, unpriced };
      entries.push({ at: when, entry: { kind: "rerated", rerate: `r${at}`, atMs, calls: [rerated, { ...rerated, call: "nobody" }] } });
    }
  }
  history.charges.forEach(({ from, days, at, voidedAt }, index) => {
    const fromMs = january + from * dayMs;
    const charge = samplePeriod(`charge-${index}`, {
      fromMs,
      toMs: fromMs + days * dayMs,
      bookedMs: fromMs,
      costPico: toPico(1_000_003n),
      quantity: 77,
    });
    entries.push({ at, entry: { kind: "charge", charge } });
    if (voidedAt < 1000) entries.push({ at: voidedAt, entry: { kind: "charge.voided", id: charge.id, atMs: fromMs + dayMs } });
  });
  history.closings.forEach(({ month, at }) =>
    entries.push({
      at,
      entry: {
        kind: "closed",
        closing: { month: `2026-0${month}`, atMs: Date.UTC(2026, month, 3), costPico: toPico(0n), calls: 0, statement: "" },
      },
    }),
  );
  return entries.toSorted((a, b) => a.at - b.at).map(({ entry }) => entry);
}

function untilOf(entry: Entry): number {
  return entry.kind === "closed" ? Date.UTC(2026, Number(entry.closing.month.slice(5))) : 0;
}

async function shown(store: Store, untilMs: number | null): Promise<string[]> {
  const texts: string[] = [];
  for (const by of bys) {
    const { position: _, ...report } = await store.report({ ...everything, by, untilMs });
    texts.push(JSON.stringify(report));
  }
  return texts;
}

/** Dollars as picos, by group; groups that cost nothing are left out. */
function costs({ rows }: Report): Record<string, string> {
  return Object.fromEntries(rows.filter(({ cost }) => Number(cost) !== 0).map(({ group, cost }) => [JSON.stringify(group), cost]));
}

export function closingSuite(name: string, make: () => Promise<TestStore>): void {
  const newPlace = removedAfter(make);
  const fresh = async (): Promise<Store> => (await newPlace()).open();

  describe(`${name}: corrections and closed months`, () => {
    test("a closed month does not move by a byte, and over all time nothing is lost", async () => {
      await fc.assert(
        fc.asyncProperty(anyHistory, async (history) => {
          const entries = placed(entriesOf(history));
          const store = await fresh();
          const stood: { readonly untilMs: number; readonly texts: readonly string[] }[] = [];
          let closedMs = 0;
          const steps = new Set([...history.cuts, entries.length]);
          entries.forEach(({ entry }, index) => entry.kind === "closed" && steps.add(index + 1));
          for (const step of [...steps].toSorted((a, b) => a - b)) {
            await store.apply(entries.slice(0, step));
            const last = entries[step - 1];
            if (last === undefined || untilOf(last.entry) <= closedMs) continue;
            closedMs = untilOf(last.entry);
            stood.push({ untilMs: closedMs, texts: await shown(store, closedMs) });
          }
          for (const { untilMs, texts } of stood) expect(await shown(store, untilMs)).toEqual(texts);

          const whole = await fresh();
          await whole.apply(entries);
          expect(await shown(whole, null)).toEqual(await shown(store, null));
          const all = { sinceMs: null, untilMs: null, limit: 1000 };
          const booked = (await store.charges(all)).bookings;
          expect((await whole.charges(all)).bookings).toEqual(booked);
          expect(await whole.scan(null, 100)).toEqual(await store.scan(null, 100));
          expect(booked.filter(({ atMs }) => atMs < closedMs && stood.length < 2)).toEqual([]);

          const twin = await fresh();
          await twin.apply(entries.filter(({ entry }) => entry.kind !== "closed"));
          for (const field of lasting)
            expect([field, costs(await store.report({ ...everything, by: [field] }))]).toEqual([
              field,
              costs(await twin.report({ ...everything, by: [field] })),
            ]);
          const total = (await store.report(everything)).total;
          const unclosed = (await twin.report(everything)).total;
          expect(total.cost).toBe(unclosed.cost);
          if (!entries.some(({ entry }) => entry.kind === "observation")) expect(total.calls).toBe(unclosed.calls);
          const known = new Map((await twin.scan(null, 100)).map((record) => [record.id, record.end]));
          for (const record of await store.scan(null, 100)) if (known.has(record.id)) expect(record.end).toEqual(known.get(record.id));
          for (const one of [store, whole, twin]) await one.close();
        }),
        { numRuns: Number(process.env.PENNYWORTH_CLOSING_RUNS ?? 8) },
      );
    }, 600_000);

    test("a correction counts where its call does, and says what was before", async () => {
      const store = await fresh();
      const end = ratedEnd("c", "reported", 4, {});
      const start = sampleStart("c", { startMs: january });
      const rerated = (rerate: string, atMs: number, picos: bigint): Entry => ({
        kind: "rerated",
        rerate,
        atMs,
        calls: [{ call: "c", of: markOf(end), charges: priced(end, picos), unpriced: [] }],
      });
      // The correction comes first, the call later, and an older correction last.
      await store.apply(placed([rerated("second", 20, 100n), { kind: "start", call: start }]));
      await store.apply(placed([{ kind: "end", call: end }], 2));
      await store.apply(placed([rerated("first", 10, 50n)], 3));
      // 10 + 4 units at 100 picodollars.
      expect((await store.report({ ...everything, by: ["day"] })).rows).toMatchObject([
        { group: ["2026-01-01"], calls: 1, cost: "0.0000000014" },
      ]);
      expect((await store.report({ ...everything, by: ["class"] })).rows.map(({ group, cost }) => [...group, cost])).toEqual([
        ["input", "0.000000001"],
        ["output", "0.0000000004"],
      ]);
      const record = await store.call("c");
      expect(record?.end?.charges).toEqual(priced(end, 100n));
      expect(record?.original).toEqual({ charges: end.charges, unpriced: [] });
      expect(record?.corrections?.map(({ rerate, atMs }) => [rerate, atMs])).toEqual([
        ["first", 10],
        ["second", 20],
      ]);
      expect(record?.bookings).toBeUndefined();
      await store.close();
    }, 60_000);

    test("what a later witness saw in a closed month is taken out when its gateway tells, once", async () => {
      const store = await fresh();
      const { usage, charges } = ratedEnd("o", "reported", 4, {});
      const seen = sampleObservation("o", "resp", { startMs: january, observedMs: january, usage, charges });
      const closed: Entry = {
        kind: "closed",
        closing: { month: "2026-01", atMs: Date.UTC(2026, 1, 3), costPico: toPico(58n), calls: 1, statement: "" },
      };
      const startMs = Date.UTC(2026, 1, 10);
      await store.apply(placed([{ kind: "observation", observation: seen }, closed]));
      const end = ratedEnd("g", "reported", 1, { responseId: "resp", endMs: startMs + 5 });
      await store.apply(
        placed(
          [
            { kind: "start", call: sampleStart("g", { startMs }) },
            { kind: "end", call: end },
          ],
          2,
        ),
      );
      await store.apply(placed([{ kind: "end", call: { ...end, endMs: startMs + 9 } }], 4));
      // 58 picodollars in January, and 37 in all: 10 × 3 + 1 × 7.
      expect((await store.report({ ...everything, by: ["month"] })).rows.map(({ group, cost }) => [...group, cost])).toEqual([
        ["2026-01", "0.000000000058"],
        ["2026-02", "-0.000000000021"],
      ]);
      expect((await store.charges({ sinceMs: null, untilMs: null, limit: 10 })).bookings).toMatchObject([
        { id: "correction:o:1", cause: "evidence", cost: "-0.000000000058" },
      ]);
      await store.close();
    }, 60_000);

    test("after the closing, a correction is booked when it was made, with its lines and the month it amends", async () => {
      const store = await fresh();
      const end = ratedEnd("c", "reported", 4, {});
      const closed: Entry = {
        kind: "closed",
        closing: { month: "2026-01", atMs: Date.UTC(2026, 1, 3), costPico: toPico(58n), calls: 1, statement: "" },
      };
      const calls = [{ call: "c", of: markOf(end), charges: priced(end, 2n), unpriced: [] }];
      await store.apply(
        placed([
          { kind: "start", call: sampleStart("c", { startMs: january }) },
          { kind: "end", call: end },
          closed,
          { kind: "rerated", rerate: "r", atMs: Date.UTC(2026, 1, 20), calls },
        ]),
      );
      const months = (await store.report({ ...everything, by: ["month"] })).rows.map(({ group, cost, calls: count }) => [
        ...group,
        cost,
        count,
      ]);
      // 10 × 3 + 4 × 7 picodollars, and 14 units at 2 instead.
      expect(months).toEqual([
        ["2026-01", "0.000000000058", 1],
        ["2026-02", "-0.00000000003", 0],
      ]);
      const booking = {
        id: "correction:c:1",
        call: "c",
        charge: null,
        month: "2026-01",
        cause: "rerated",
        rerate: "r",
        atMs: Date.UTC(2026, 1, 20),
        provider: "openai",
        model: "gpt-5",
        cost: "-0.00000000003",
        lines: [
          { class: "input", quantity: 0, cost: "-0.00000000001" },
          { class: "output", quantity: 0, cost: "-0.00000000002" },
        ],
      };
      expect((await store.charges({ sinceMs: null, untilMs: null, limit: 10 })).bookings).toEqual([booking]);
      const record = await store.call("c");
      expect(record?.bookings).toEqual([booking]);
      expect(record?.end?.charges).toEqual(calls[0]?.charges);
      await store.close();
    }, 60_000);
  });
}
