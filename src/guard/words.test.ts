// Refusals in words, as clients read them.

import { expect, it } from "vitest";
import { describe as words, GuardRefusal } from "./words.ts";

const atMs = Date.UTC(2026, 10, 30);
const money = { kind: "budget", measure: "money", owner: "ada" } as const;
const rate = { kind: "rate", measure: "calls", owner: "ops" } as const;
const open = { kind: "rate", measure: "open", owner: "ops" } as const;

it.each([
  [
    { budget: "search", left: 250_000_000_000n, limit: 500_000_000_000_000n, needed: 460_000_000_000n, resetsMs: atMs },
    money,
    "of $500 in the budget search $0.25 is left; this call may take $0.46. It resets at 2026-11-30T00:00:00.000Z; ada can grant more",
  ],
  [
    { budget: "per-key", left: 0n, limit: 60n, needed: 1n, resetsMs: atMs },
    rate,
    "of 60 calls in the rate per-key nothing is left; this call may take 1 call. It resets at 2026-11-30T00:00:00.000Z; ops can grant more",
  ],
  [
    { budget: "pool", left: 0n, limit: 20n, needed: 1n, resetsMs: null },
    open,
    "all 20 calls that the rate pool lets run at once are under way. One more fits as soon as one of them ends; ops can allow more",
  ],
  [
    { budget: "line", left: 0n, limit: 1n, needed: 1n, resetsMs: null },
    open,
    "the one call that the rate line lets run at a time is under way. The next fits as soon as it ends; ops can allow more",
  ],
  [{ budget: "shut", left: -1n, limit: 0n, needed: 1n, resetsMs: null }, open, "the rate shut lets no call run now; ops can allow more"],
])("%o of %o", (against, budget, said) => {
  expect(words(against, budget)).toBe(said);
});

it("what is left of calls at once are calls, in the header, too", () => {
  const against = { budget: "pool", values: [], measure: "open", left: 0n, limit: 20n, needed: 1n, resetsMs: null } as const;
  const { headers } = new GuardRefusal("rate_limited", "why", [against], 1_000);
  expect(headers.slice(2, 6)).toEqual(["x-pennyworth-budget", "pool", "x-pennyworth-left", "0 calls"]);
});
