// Shares of a pool, counted by hand.

import { expect, it } from "vitest";
import { promisedTooMuch, Shares } from "./shares.ts";

const under = (value: string): ReadonlyMap<string, string> => new Map([["pool", value]]);

it("tells how much of what is guaranteed is in use, and when it is all", () => {
  const shares = new Shares();
  shares.define("pool", { field: "agent", of: { a: 2, b: 4 } });
  expect([shares.filled("pool", "a"), shares.filled("pool", "c"), shares.filled("other", "a")]).toEqual([0, null, null]);
  shares.opened("1", under("a"));
  shares.opened("1", under("a"));
  expect(shares.filled("pool", "a")).toBe(0.5);
  shares.opened("2", under("a"));
  shares.opened("3", under("a"));
  expect(shares.filled("pool", "a")).toBe(null);
  expect(shares.standing("pool")).toEqual([
    { gate: "pool", value: "a", guaranteed: 2, open: 3 },
    { gate: "pool", value: "b", guaranteed: 4, open: 0 },
  ]);
  shares.closed("1");
  shares.closed("1");
  expect(shares.filled("pool", "a")).toBe(null);
  shares.closed("2");
  expect(shares.filled("pool", "a")).toBe(0.5);
});

it("keeps counting what is open when the terms change", () => {
  const shares = new Shares();
  shares.define("pool", { field: "agent", of: {} });
  shares.opened("1", under("a"));
  shares.define("pool", { field: "agent", of: { a: 2 } });
  expect(shares.filled("pool", "a")).toBe(0.5);
  shares.remove("pool");
  shares.closed("1");
  expect(shares.has("pool", "a")).toBe(false);
});

it("says by how much a pool is too small for what it promises", () => {
  expect(promisedTooMuch({ field: "agent", of: { a: 5, b: 6 } }, 10n)).toBe(1n);
  expect(promisedTooMuch({ field: "agent", of: { a: 5, b: 5 } }, 10n)).toBe(0n);
});
