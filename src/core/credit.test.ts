import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Allowance, type Credit, drawDown, periodOf, type Use } from "./credit.ts";
import { sum, toPico } from "./money.ts";
import type { UsageClass } from "./usage.ts";

const day = (text: string): number => Date.parse(text);

function use(on: string, quantity: number | null, cost: bigint, changes: Partial<Use> = {}): Use {
  return { dayMs: day(on), provider: "acme", model: "one", class: "input", quantity, costPico: toPico(cost), ...changes };
}

function allowance(id: string, units: number, changes: Partial<Allowance> = {}): Allowance {
  return { id, provider: "acme", match: null, classes: ["input"], units, every: "month", fromMs: null, toMs: null, ...changes };
}

function credit(id: string, amount: bigint, changes: Partial<Credit> = {}): Credit {
  return { id, provider: "acme", amountPico: toPico(amount), fromMs: day("2026-01-01"), expiresMs: null, ...changes };
}

/** `allowance free 3 units 30`, in the order of the draws. */
function said({ draws }: ReturnType<typeof drawDown>): string[] {
  return draws.map(({ by, id, units, costPico }) => `${by} ${id} ${units === null ? "" : `${units} units `}${costPico}`);
}

/** What is owed for one unit at 5, where an allowance is for models that begin with `on`. */
const owedFor = (changes: Partial<Use>): bigint =>
  drawDown([use("2026-03-01", 1, 5n, changes)], [allowance("free", 9, { match: { starts_with: "on" } })], []).owedPico;

describe("an allowance", () => {
  it("covers units and their part of the cost, and lets the rest be paid", () => {
    const { draws, owedPico } = drawDown([use("2026-03-01", 10, 100n)], [allowance("free", 3)], []);
    expect(draws).toMatchObject([{ by: "allowance", id: "free", units: 3, costPico: 30n }]);
    expect(owedPico).toBe(70n);
  });

  it("begins anew each month, or each day, or never", () => {
    const uses = ["2026-01-30", "2026-01-31", "2026-02-01"].map((on) => use(on, 2, 20n));
    const owed = (every: Allowance["every"]): readonly bigint[] =>
      drawDown(uses, [allowance("free", 3, { every })], []).owed.map(({ costPico }) => costPico);
    expect(owed("month")).toEqual([0n, 10n, 0n]);
    expect(owed("day")).toEqual([0n, 0n, 0n]);
    expect(owed("once")).toEqual([0n, 10n, 20n]);
  });

  it("covers its provider, its models and its classes alone", () => {
    expect(owedFor({})).toBe(0n);
    expect(owedFor({ model: "ONE-2026" })).toBe(0n);
    expect(owedFor({ model: "two" })).toBe(5n);
    expect(owedFor({ model: null })).toBe(5n);
    expect(owedFor({ provider: "acme-eu" })).toBe(5n);
    expect(owedFor({ class: "output" })).toBe(5n);
  });

  it("holds on whole days from its start to its end", () => {
    const { fromMs, toMs } = { fromMs: day("2026-03-02"), toMs: day("2026-03-04") };
    const uses = ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"].map((on) => use(on, 1, 1n));
    expect(drawDown(uses, [allowance("free", 9, { fromMs, toMs })], []).owed.map(({ costPico }) => costPico)).toEqual([1n, 0n, 0n, 1n]);
    expect(periodOf(allowance("free", 9, { fromMs, toMs }), fromMs)).toEqual({ fromMs, toMs });
    // Half a day is no day that it is known to cover.
    expect(periodOf(allowance("free", 9, { fromMs: fromMs + 1 }), fromMs)).toBeNull();
  });

  it("that lapses first goes first", () => {
    const monthly = allowance("a-monthly", 1);
    const daily = allowance("b-daily", 1, { every: "day" });
    const once = allowance("c-once", 1, { every: "once" });
    expect(said(drawDown([use("2026-03-05", 4, 40n)], [once, monthly, daily], []))).toEqual([
      "allowance b-daily 1 units 10",
      "allowance a-monthly 1 units 10",
      "allowance c-once 1 units 10",
    ]);
    // On a month's last day both lapse at midnight: the earlier start goes first.
    expect(said(drawDown([use("2026-03-31", 1, 10n)], [daily, monthly], []))).toEqual(["allowance a-monthly 1 units 10"]);
  });

  it("covers what has no price, and nothing of which the quantity is not known", () => {
    const { draws, left } = drawDown([use("2026-03-01", 2, 0n), use("2026-03-01", null, 7n)], [allowance("free", 3)], []);
    expect(draws).toMatchObject([{ units: 2, costPico: 0n }]);
    expect(left.allowances).toEqual([{ id: "free", fromMs: day("2026-03-01"), toMs: day("2026-04-01"), units: 3, drawn: 2 }]);
  });
});

describe("a credit", () => {
  it("pays what allowances leave", () => {
    const result = drawDown([use("2026-03-01", 10, 100n)], [allowance("free", 3)], [credit("paid", 50n)]);
    expect(said(result)).toEqual(["allowance free 3 units 30", "credit paid 50"]);
    expect(result.owedPico).toBe(20n);
    expect(result.left.credits).toEqual([{ id: "paid", drawnPico: 50n, leftPico: 0n }]);
  });

  it("never pays for a day before its start, or on which it expires", () => {
    const dated = credit("paid", 50n, { fromMs: day("2026-03-02"), expiresMs: day("2026-03-04") });
    const uses = ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"].map((on) => use(on, 1, 1n));
    expect(drawDown(uses, [], [dated]).owed.map(({ costPico }) => costPico)).toEqual([1n, 0n, 0n, 1n]);
    const inDay = credit("paid", 50n, { fromMs: day("2026-03-02T00:00:01Z"), expiresMs: day("2026-03-04T12:00:00Z") });
    expect(drawDown(uses, [], [inDay]).owed.map(({ costPico }) => costPico)).toEqual([1n, 1n, 0n, 1n]);
  });

  it("that expires first goes first, then the one that began first, then by id", () => {
    const credits = [
      credit("d-never", 1n),
      credit("c-late", 1n, { expiresMs: day("2027-01-01") }),
      credit("b-soon", 1n, { expiresMs: day("2026-12-01"), fromMs: day("2026-02-01") }),
      credit("a-soon", 1n, { expiresMs: day("2026-12-01"), fromMs: day("2026-02-02") }),
      credit("a-never", 1n),
    ];
    expect(said(drawDown([use("2026-03-01", 1, 9n)], [], credits))).toEqual([
      "credit b-soon 1",
      "credit a-soon 1",
      "credit c-late 1",
      "credit a-never 1",
      "credit d-never 1",
    ]);
  });

  it("pays for its provider, or for any", () => {
    const uses = [use("2026-03-01", 1, 5n), use("2026-03-01", 1, 7n, { provider: "other" })];
    expect(drawDown(uses, [], [credit("one", 100n)]).owedPico).toBe(7n);
    expect(drawDown(uses, [], [credit("any", 100n, { provider: null })]).owedPico).toBe(0n);
  });

  it("is not filled again by a correction, which is owed as it is", () => {
    const result = drawDown([use("2026-03-01", 1, 5n), use("2026-03-02", 0, -2n)], [], [credit("paid", 9n)]);
    expect(result.left.credits).toMatchObject([{ leftPico: 4n }]);
    expect(result.owedPico).toBe(-2n);
  });
});

const days = ["2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02"];
const classes: readonly UsageClass[] = ["input", "output"];
const anyDay = fc.constantFrom(...days.map(day));
const anyUse: fc.Arbitrary<Use> = fc.record({
  dayMs: anyDay,
  provider: fc.constantFrom("acme", "other"),
  model: fc.constantFrom("one", "two", null),
  class: fc.constantFrom(...classes),
  quantity: fc.nat({ max: 12 }),
  costPico: fc.nat({ max: 90 }).map((pico) => toPico(BigInt(pico))),
});
const anyAllowances = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom("a", "b", "c", "d"),
    provider: fc.constantFrom("acme", "other"),
    match: fc.constantFrom({ equals: "one" } as const, null),
    classes: fc.subarray([...classes], { minLength: 1 }),
    units: fc.nat({ max: 15 }),
    every: fc.constantFrom<Allowance["every"]>("day", "month", "once"),
    fromMs: fc.option(anyDay),
    toMs: fc.option(anyDay),
  }),
  { selector: ({ id }) => id },
);
const anyCredits = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom("a", "b", "c", "d"),
    provider: fc.option(fc.constantFrom("acme", "other")),
    amountPico: fc.nat({ max: 150 }).map((pico) => toPico(BigInt(pico))),
    fromMs: anyDay,
    expiresMs: fc.option(anyDay),
  }),
  { selector: ({ id }) => id },
);

const midnight = 86_400_000;
const end = (one: Allowance, at: number): number => {
  const date = new Date(at);
  const natural =
    one.every === "once" ? Infinity : one.every === "day" ? at + midnight : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  return Math.min(natural, one.toMs ?? Infinity);
};
const begin = (one: Allowance, at: number): number => {
  const natural = one.every === "once" ? -Infinity : one.every === "day" ? at : Date.parse(`${new Date(at).toISOString().slice(0, 7)}-01`);
  return Math.max(natural, one.fromMs ?? -Infinity);
};
const order = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

/** Who pays, unit by unit and picodollar by picodollar, each time looking for the first that still can. */
function slowly(uses: readonly Use[], allowances: readonly Allowance[], credits: readonly Credit[]) {
  const units = new Map<string, number>();
  const picos = new Map<string, bigint>();
  const sorted = [...uses].sort(
    (a, b) =>
      a.dayMs - b.dayMs ||
      (a.provider < b.provider ? -1 : a.provider > b.provider ? 1 : 0) ||
      ((a.model ?? "") < (b.model ?? "") ? -1 : (a.model ?? "") > (b.model ?? "") ? 1 : 0) ||
      classes.indexOf(a.class) - classes.indexOf(b.class) ||
      (a.quantity ?? 0) - (b.quantity ?? 0) ||
      Number(a.costPico - b.costPico),
  );
  const covered: { use: Use; units: Map<string, number>; rest: number }[] = [];
  for (const one of sorted) {
    const mine = new Map<string, number>();
    let rest = 0;
    for (let unit = 0; unit < (one.quantity ?? 0); unit += 1) {
      const who = allowances
        .filter(
          (a) =>
            a.provider === one.provider &&
            a.classes.includes(one.class) &&
            (a.match === null || one.model === "one") &&
            one.dayMs >= (a.fromMs ?? -Infinity) &&
            one.dayMs + midnight <= (a.toMs ?? Infinity) &&
            (units.get(`${a.id} ${begin(a, one.dayMs)}`) ?? 0) < a.units,
        )
        .sort(
          (a, b) =>
            order(end(a, one.dayMs), end(b, one.dayMs)) || order(begin(a, one.dayMs), begin(b, one.dayMs)) || (a.id < b.id ? -1 : 1),
        )[0];
      if (who === undefined) rest += 1;
      else {
        const key = `${who.id} ${begin(who, one.dayMs)}`;
        units.set(key, (units.get(key) ?? 0) + 1);
        mine.set(who.id, (mine.get(who.id) ?? 0) + 1);
      }
    }
    covered.push({ use: one, units: mine, rest });
  }
  /** Of what allowances left of each use, in order. */
  const pay = (left: readonly bigint[]): bigint[] =>
    left.map((amount, index) => {
      const one = sorted[index] as Use;
      let owed = amount;
      for (let pico = 0n; pico < amount; pico += 1n) {
        const who = credits
          .filter(
            (c) =>
              (c.provider ?? one.provider) === one.provider &&
              one.dayMs >= c.fromMs &&
              one.dayMs < (c.expiresMs ?? Infinity) &&
              (picos.get(c.id) ?? 0n) < c.amountPico,
          )
          .sort(
            (a, b) => order(a.expiresMs ?? Infinity, b.expiresMs ?? Infinity) || order(a.fromMs, b.fromMs) || (a.id < b.id ? -1 : 1),
          )[0];
        if (who === undefined) break;
        picos.set(who.id, (picos.get(who.id) ?? 0n) + 1n);
        owed -= 1n;
      }
      return owed;
    });
  return { covered, pay, picos };
}

describe("drawing down", () => {
  it("agrees with a model that goes unit by unit, and adds up to the last digit", () => {
    fc.assert(
      fc.property(fc.array(anyUse, { maxLength: 12 }), anyAllowances, anyCredits, (uses, allowances, credits) => {
        const result = drawDown(uses, allowances, credits);
        const slow = slowly(uses, allowances, credits);
        const drawn = (one: Use, by: "allowance" | "credit") => result.draws.filter((draw) => draw.use === one && draw.by === by);
        for (const { use: one, units } of slow.covered) {
          const free = drawn(one, "allowance");
          expect(new Map(free.map((draw) => [draw.id, draw.units]))).toEqual(units);
          // Each has its share of the cost, rounded either way.
          for (const draw of free) {
            const exact = one.costPico * BigInt(draw.units ?? 0);
            const off = draw.costPico * BigInt(one.quantity ?? 1) - exact;
            expect(off < BigInt(one.quantity ?? 1) && -off < BigInt(one.quantity ?? 1)).toBe(true);
          }
        }
        const left = slow.covered.map(({ use: one }) => one.costPico - sum(drawn(one, "allowance").map((draw) => draw.costPico)));
        expect(result.owed.map(({ costPico }) => costPico)).toEqual(slow.pay(left));
        for (const { id, drawnPico } of result.left.credits) expect(drawnPico).toBe(slow.picos.get(id) ?? 0n);
        expect(result.owedPico + sum(result.draws.map((draw) => draw.costPico))).toBe(sum(uses.map((one) => one.costPico)));
      }),
      { numRuns: 400 },
    );
  });

  it("does not depend on the order in which anything is given", () => {
    fc.assert(
      fc.property(fc.array(anyUse, { maxLength: 10 }), anyAllowances, anyCredits, (uses, allowances, credits) => {
        const there = drawDown(uses, allowances, credits);
        const back = drawDown(uses.toReversed(), allowances.toReversed(), credits.toReversed());
        expect(back).toEqual(there);
      }),
    );
  });
});
