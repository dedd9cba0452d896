// What is said of revenue and cannot be. Not here: what is put on record (test/margin.test.ts).

import { expect, it } from "vitest";
import { revenueWanted, toRevenue } from "./earned.ts";

const payers = {
  names: { token: String, tokenOf: String, seal: String },
  plans: { tiny: { monthly: "1e-7" } },
  nowMs: Date.UTC(2026, 10, 21),
  key: null,
};
const picoOf = (said: object): bigint =>
  toRevenue(revenueWanted.parse({ from: "2026-11-01", ...said }), "r-1", "declared", payers).amountPico;

it("an amount in text has no exponent, which in a table is a slip; a number of JSON may have one, and so may a plan's price", () => {
  expect(picoOf({ amount: "1000.5" })).toBe(1_000_500_000_000_000n);
  for (const amount of ["1e3", "1E3", "-1.5e2", "1e-2"])
    expect(() => picoOf({ amount, to: "2026-12-01" })).toThrow(`amount: "${amount}" is none: expected dollars`);
  expect([picoOf({ amount: 1e3 }), picoOf({ amount: 1e-7 }), picoOf({ plan: "tiny" })]).toEqual([10n ** 15n, 100_000n, 100_000n]);
});
const messageOf = (said: object): string | undefined => revenueWanted.safeParse(said).error?.issues[0]?.message;

it("a first day that is missing is said to be, and one that is no text is not", () => {
  expect(messageOf({ amount: "1" })).toBe("it is missing: expected a day, as text, such as 2026-11-01");
  expect(messageOf({ amount: "1", from: 20261101 })).toBe("expected a day, as text, such as 2026-11-01");
});
