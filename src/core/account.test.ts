// One allowance over time, in the cases that no sum over calls shows: names, what is learnt late, when something fits, what is let go of.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accountName, advance, fitsAt, leftOf, openAccount, parseName, post, resetsAt, slotOfPast } from "./account.ts";
import { type Budget, type Period, usualTerms } from "./budget.ts";
import { GuardBook } from "./guard.ts";

const minute = 60_000;
const start = Date.parse("2026-11-21T10:00:00Z");
const rolling: Period = { kind: "rolling", bucketMs: minute, buckets: 3 };
const budget = (terms: Partial<Budget>): Budget => ({ ...usualTerms, id: "one", owner: "ada", limit: 10n, period: rolling, ...terms });

it("no two lists of values make one name, and a name says them again, whatever they are", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "/", "%2F", "a/b", "ü", "%u", "%ud800", "\ud800", "\udc00x"));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), (values) => {
      const name = accountName("per-customer", values);
      // It stands in headers.
      expect(name).toMatch(/^[\x21-\x7e]*$/);
      expect(parseName(name)).toEqual({ id: "per-customer", values });
    }),
  );
  expect(parseName(accountName("all", []))).toEqual({ id: "all", values: [] });
});

describe("what is learnt late", () => {
  it("counts in its bucket of a rolling period, for as long as others of its age", () => {
    const account = openAccount(budget({}), [], start);
    post(account, slotOfPast(account, start - 2 * minute), "spent", 4n);
    post(account, slotOfPast(account, start - 3 * minute), "spent", 3n);
    // A bucket that has gone out.
    post(account, slotOfPast(account, start - 4 * minute), "spent", 100n);
    expect(leftOf(account)).toBe(3n);
    advance(account, start + minute);
    expect(leftOf(account)).toBe(6n);
    advance(account, start + 2 * minute);
    expect(leftOf(account)).toBe(10n);
  });

  it("of a calendar's window that is over changes what is carried, and nothing else", () => {
    const period: Period = { kind: "calendar", unit: "minute", zone: "UTC" };
    const account = openAccount(budget({ period, carryMax: 8n }), [], start);
    advance(account, start + minute);
    expect(leftOf(account)).toBe(18n);
    post(account, slotOfPast(account, start), "spent", 5n);
    expect(leftOf(account)).toBe(15n);
  });

  it("a hold that is told again is in the window of its time, whoever came in between", () => {
    const period: Period = { kind: "calendar", unit: "minute", zone: "UTC" };
    const book = new GuardBook();
    book.define(budget({ period }), start);
    book.restore("b", ["one"], { money: 2n, tokens: null }, start + minute);
    book.restore("a", ["one"], { money: 7n, tokens: null }, start + minute - 1);
    const [account] = book.accounts("one", start + minute);
    expect(account?.current).toMatchObject({ held: 2n });
    expect(account === undefined ? null : leftOf(account)).toBe(8n);
    book.settle("a", { money: 9n, tokens: 0n });
    expect(account === undefined ? null : leftOf(account)).toBe(8n);
  });
});

describe("when it fits", () => {
  it("is when so many buckets of a rolling period have gone out as make the room", () => {
    const account = openAccount(budget({}), [], start);
    post(account, account.current, "spent", 6n);
    advance(account, start + minute);
    post(account, account.current, "held", 4n);
    expect([fitsAt(account, 6n), fitsAt(account, 7n), fitsAt(account, 11n)]).toEqual([start + 4 * minute, start + 5 * minute, null]);
    expect(resetsAt(account)).toBe(start + 4 * minute);
    advance(account, start + 4 * minute);
    expect(leftOf(account)).toBe(6n);
  });

  it("is never where a budget has no end, or what it asks is more than the limit", () => {
    const total = openAccount(budget({ period: { kind: "total" } }), [], start);
    expect([fitsAt(total, 1n), resetsAt(total)]).toEqual([null, null]);
    const day = openAccount(budget({ period: { kind: "calendar", unit: "day", zone: "UTC" } }), [], start);
    expect([fitsAt(day, 10n), fitsAt(day, 11n)]).toEqual([Date.parse("2026-11-22T00:00:00Z"), null]);
  });
});

describe("a budget for each customer", () => {
  it("lets go of the allowances that nobody uses, and of none that somebody does", () => {
    const book = new GuardBook();
    book.define(budget({ each: ["customer"] }), start);
    const held = { money: 1n, tokens: null };
    for (let index = 0; index < 10_000; index += 1) {
      const nowMs = start + index * 100;
      const accounts = book.find({ customer: `n_${index}` }, nowMs);
      if (index % 2 === 0) book.admit(`call${index}`, accounts, held, nowMs);
      if (index % 2 === 0 && index >= 100) book.settle(`call${index}`, { money: 1n, tokens: 0n });
    }
    // In four minutes there are 2,400 customers: no more than twice as many are kept, and the fifty whose calls are open.
    expect(book.accounts("one", start + 1_000_000).length).toBeLessThanOrEqual(2 * (2_400 + 50));
    for (let index = 0; index < 100; index += 2) book.settle(`call${index}`, { money: 1n, tokens: 0n });
    book.sweep(start + 3_600_000);
    expect(book.accounts("one", start + 3_600_000)).toEqual([]);
    expect(book.allOpen.size).toBe(0);
  });
});

it("a limit below what is spent, and a grant that takes away, leave less than nothing, and refuse", () => {
  const book = new GuardBook();
  book.define(budget({ period: { kind: "total" } }), start);
  book.admit("a", book.find({}, start), { money: 8n, tokens: null }, start);
  book.define(budget({ period: { kind: "total" }, limit: 5n }), start);
  book.grant("one", [], -4n, start);
  expect(book.find({}, start).map(leftOf)).toEqual([-7n]);
  expect(book.admit("b", book.find({}, start), { money: 1n, tokens: null }, start).kind).toBe("refused");
  // What costs nothing takes nothing.
  expect(book.admit("c", book.find({}, start), { money: 0n, tokens: null }, start).kind).toBe("admitted");
  book.settle("a", { money: 1n, tokens: 0n });
  expect(book.find({}, start).map(leftOf)).toEqual([0n]);
});
