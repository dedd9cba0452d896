// The book against a model that is slow and obviously right: it keeps every call and adds them all up for each question.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { leftOf, sumsOf } from "./account.ts";
import {
  type Budget,
  type BudgetField,
  type CalendarUnit,
  calendarUnits,
  type CallScope,
  type Period,
  type Scope,
  spanAt,
  usualTerms,
} from "./budget.ts";
import { GuardBook, leastLeft } from "./guard.ts";

const hour = 3_600_000;
const start = Date.parse("2026-03-28T22:30:00Z");

interface Known {
  readonly scope: CallScope;
  readonly atMs: number;
  readonly bound: { readonly money: bigint | null; readonly tokens: bigint | null };
  state: "open" | "presumed" | "settled" | "released";
  taken: { readonly money: bigint; readonly tokens: bigint };
}

/** The values of the `each` fields by which a call is under a budget; null: it is not under it. */
function valuesUnder(call: CallScope, { scope, each }: Budget): readonly string[] | null {
  const has = (field: BudgetField, said: string): boolean => (field === "task" ? (call.task ?? []).includes(said) : call[field] === said);
  if (!Object.entries(scope).every(([field, said]) => said === undefined || has(field as BudgetField, said as string))) return null;
  const values = each.map((field) => (field === "task" ? call.task?.at(-1) : call[field]) ?? null);
  return values.includes(null) ? null : (values as string[]);
}

/** Adds up what every call counts for. */
class Model {
  readonly calls = new Map<string, Known>();
  readonly grants: { readonly id: string; readonly values: readonly string[]; readonly amount: bigint; readonly atMs: number }[] = [];

  used(budget: Budget, values: readonly string[], from: number, to: number): bigint {
    let used = 0n;
    for (const call of this.calls.values()) {
      if (call.state === "released" || call.atMs < from || call.atMs >= to) continue;
      if (JSON.stringify(valuesUnder(call.scope, budget)) !== JSON.stringify(values)) continue;
      if (budget.measure === "open") used += call.state === "open" ? 1n : 0n;
      else if (budget.measure === "calls") used += 1n;
      else used += (call.state === "settled" ? call.taken : call.bound)[budget.measure] ?? 0n;
    }
    return used;
  }

  granted(budget: Budget, values: readonly string[], from: number, to: number): bigint {
    return this.grants
      .filter((one) => one.id === budget.id && JSON.stringify(one.values) === JSON.stringify(values) && one.atMs >= from && one.atMs < to)
      .reduce((sum, one) => sum + one.amount, 0n);
  }

  left(budget: Budget, values: readonly string[], definedMs: number, nowMs: number): bigint {
    const { period, limit, carryMax } = budget;
    const now = spanAt(period, nowMs);
    const from = period.kind === "rolling" ? now.fromMs - period.buckets * period.bucketMs : now.fromMs;
    let allowance = limit + this.granted(budget, values, from, now.toMs);
    if (carryMax !== null && period.kind === "calendar" && now.fromMs > spanAt(period, definedMs).fromMs) {
      const before = spanAt(period, now.fromMs - 1);
      const rest = limit + this.granted(budget, values, before.fromMs, before.toMs) - this.used(budget, values, before.fromMs, before.toMs);
      allowance += rest < 0n ? 0n : rest < carryMax ? rest : carryMax;
    }
    return allowance - this.used(budget, values, from, now.toMs);
  }
}

const period: fc.Arbitrary<Period> = fc.oneof(
  fc.constant<Period>({ kind: "total" }),
  fc.record({
    kind: fc.constant("calendar" as const),
    unit: fc.constantFrom(...calendarUnits),
    zone: fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"),
  }),
  fc.record({ kind: fc.constant("rolling" as const), bucketMs: fc.constantFrom(60_000, hour), buckets: fc.integer({ min: 1, max: 5 }) }),
);
const value = fc.option(fc.constantFrom("a", "b"), { nil: undefined });
const scope = fc.record({ agent: value, customer: value, model: value, task: value }, { requiredKeys: [] }) as fc.Arbitrary<Scope>;
const callScope = fc.record(
  { agent: value, customer: value, model: value, task: fc.constantFrom([], ["a"], ["b", "a"], ["c", "b"]) },
  { requiredKeys: [] },
) as fc.Arbitrary<CallScope>;
const budget: fc.Arbitrary<Budget> = fc
  .record({
    id: fc.constantFrom("one", "two", "three", "four"),
    scope,
    each: fc.constantFrom<readonly BudgetField[]>([], [], ["customer"], ["task"], ["agent", "model"]),
    measure: fc.constantFrom("money" as const, "tokens" as const, "calls" as const, "open" as const),
    limit: fc.bigInt(0n, 60n),
    period,
    mode: fc.constantFrom("hard" as const, "hard" as const, "soft" as const, "shadow" as const),
    carryMax: fc.option(fc.bigInt(0n, 30n)),
    unbounded: fc.constantFrom("refuse" as const, "allow" as const),
  })
  .map((one) => ({
    ...usualTerms,
    owner: "somebody",
    ...one,
    // What is under way at once has no windows: a rest could not be carried.
    ...(one.measure === "open" ? { period: { kind: "total" as const }, limit: one.limit % 7n } : {}),
  }));
const amount = fc.bigInt(0n, 20n);
const step = fc.oneof(
  fc.record({
    do: fc.constant("call" as const),
    scope: callScope,
    money: fc.option(amount, { freq: 9 }),
    tokens: fc.option(amount, { freq: 9 }),
  }),
  fc.record({ do: fc.constantFrom("settle" as const, "correct" as const), pick: fc.nat(), money: amount, tokens: amount }),
  fc.record({ do: fc.constantFrom("release" as const, "presume" as const), pick: fc.nat() }),
  fc.record({ do: fc.constant("grant" as const), pick: fc.nat(), amount }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 30_000, 61_000, hour, 5 * hour, 26 * hour, 40 * 24 * hour) }),
);
const sight: CallScope = { agent: "a", customer: "b", model: "a", task: ["b", "a"] };
const nothing = { money: 0n, tokens: 0n };

describe("the guard's book", () => {
  it("decides as a model that adds up every call, whatever happens", () => {
    const budgets = fc.uniqueArray(budget, { selector: (one) => one.id, minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(budgets, fc.array(step, { maxLength: 60 }), (all, steps) => {
        const book = new GuardBook();
        const model = new Model();
        for (const one of all) book.define(one, start);
        let nowMs = start;
        let number = 0;
        for (const one of steps) {
          if (one.do === "wait") nowMs += one.ms;
          else if (one.do === "grant") {
            const to = all[one.pick % all.length] as Budget;
            const values = to.each.map(() => "a");
            // An allowance that nobody used yet begins with its first use, and its carry with that.
            book.find(sight, nowMs);
            model.grants.push({ id: to.id, values, amount: one.amount, atMs: nowMs });
            book.grant(to.id, values, one.amount, nowMs);
          } else if (one.do === "call") {
            const id = `call${(number += 1)}`;
            const under = all.filter((other) => valuesUnder(one.scope, other) !== null);
            const needed = (other: Budget): bigint | null =>
              other.measure === "money" ? one.money : other.measure === "tokens" ? one.tokens : 1n;
            const left = (other: Budget): bigint => model.left(other, valuesUnder(one.scope, other) ?? [], start, nowMs);
            const blocks = (other: Budget): boolean => {
              const wanted = needed(other);
              if (other.mode !== "hard") return false;
              if (wanted === null) return other.unbounded === "refuse" || left(other) <= 0n;
              return wanted > 0n && wanted > left(other);
            };
            const decision = book.admit(id, book.find(one.scope, nowMs), one, nowMs);
            expect(decision.kind).toBe(under.some(blocks) ? "refused" : "admitted");
            if (decision.kind === "refused")
              expect(decision.by.every(({ budget: by }) => under.some((other) => other.id === by.id))).toBe(true);
            else model.calls.set(id, { scope: one.scope, atMs: nowMs, bound: one, state: "open", taken: nothing });
          } else {
            const wanted = one.do === "correct" ? "presumed" : "open";
            const [id, call] = [...model.calls].filter(([, other]) => other.state === wanted)[one.pick % 7] ?? [];
            if (id === undefined || call === undefined) continue;
            if (one.do === "settle" || one.do === "correct") {
              call.taken = one;
              call.state = "settled";
              if (one.do === "settle") book.settle(id, one);
              else book.correct(id, one);
            } else if (one.do === "release") {
              call.state = "released";
              book.release(id);
            } else {
              call.state = "presumed";
              book.presume(id, null);
            }
          }
          for (const measure of ["money", "tokens", "calls", "open"] as const) {
            const rests = all
              .filter((other) => other.mode === "hard" && other.measure === measure)
              .flatMap((other) => {
                const values = valuesUnder(sight, other);
                return values === null ? [] : [model.left(other, values, start, nowMs)];
              });
            const least = rests.reduce<bigint | null>((least, rest) => (least === null || rest < least ? rest : least), null);
            expect(leastLeft(book.find(sight, nowMs), measure)).toBe(least);
          }
          if (nowMs % 3 === 0) book.sweep(nowMs);
          for (const other of all)
            for (const account of book.accounts(other.id, nowMs))
              expect(leftOf(account)).toBe(model.left(other, account.values, start, nowMs));
        }
        expect(book.allOpen.size).toBe([...model.calls.values()].filter((call) => call.state === "open").length);
      }),
      { numRuns: 400 },
    );
  });

  it("never lets hard budgets be overspent by calls that keep to their bound", () => {
    const book = new GuardBook();
    book.define({ ...usualTerms, id: "wallet", owner: "finance", limit: 1_000n, period: { kind: "total" } }, start);
    let spent = 0n;
    for (let index = 0; index < 500; index += 1) book.admit(`a${index}`, book.find({}, start), { money: 7n, tokens: null }, start);
    for (let index = 0; index < 500; index += 1) {
      const taken = BigInt(index % 8);
      if (index < 142) spent += taken;
      book.settle(`a${index}`, { money: taken, tokens: 0n });
    }
    const [wallet] = book.accounts("wallet", start);
    expect(wallet === undefined ? null : sumsOf(wallet)).toMatchObject({ spent, held: 0n });
    expect(spent).toBeLessThanOrEqual(1_000n);
  });
});

describe("windows", () => {
  it.each(calendarUnits.map((unit) => [unit]))(
    "of a %s follow each other without gap, in any zone and over changes of the clock",
    (unit: CalendarUnit) => {
      fc.assert(
        fc.property(
          fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"),
          fc.integer({ min: Date.parse("2024-01-01"), max: Date.parse("2030-01-01") }),
          (zone, atMs) => {
            const here: Period = { kind: "calendar", unit, zone };
            const span = spanAt(here, atMs);
            expect(span.fromMs <= atMs && atMs < span.toMs).toBe(true);
            expect(spanAt(here, span.toMs - 1)).toEqual(span);
            expect(spanAt(here, span.fromMs)).toEqual(span);
            expect(spanAt(here, span.toMs).fromMs).toBe(span.toMs);
          },
        ),
      );
    },
  );

  it("begin when a calendar on the wall says so", () => {
    // Berlin goes to summer time on 2026-03-29 at 01:00 UTC.
    expect(iso("day", "Europe/Berlin", "2026-03-29T12:00:00Z")).toBe("2026-03-28T23:00:00.000Z");
    expect(iso("day", "Europe/Berlin", "2026-03-30T12:00:00Z")).toBe("2026-03-29T22:00:00.000Z");
    expect(iso("week", "UTC", "2026-11-21T00:00:00Z")).toBe("2026-11-16T00:00:00.000Z");
    expect(iso("month", "America/New_York", "2026-11-21T00:00:00Z")).toBe("2026-11-01T04:00:00.000Z");
    expect(iso("quarter", "UTC", "2026-11-21T00:00:00Z")).toBe("2026-10-01T00:00:00.000Z");
    expect(iso("year", "Asia/Kolkata", "2026-11-21T00:00:00Z")).toBe("2025-12-31T18:30:00.000Z");
    expect(iso("hour", "Asia/Kolkata", "2026-11-21T10:10:00Z")).toBe("2026-11-21T09:30:00.000Z");
  });
});

function iso(unit: CalendarUnit, zone: string, at: string): string {
  return new Date(spanAt({ kind: "calendar", unit, zone }, Date.parse(at)).fromMs).toISOString();
}
