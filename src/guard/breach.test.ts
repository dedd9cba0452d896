// A bound that did not hold is made wider, and what is let in afterwards still fits.

import { expect, it } from "vitest";
import { Breaches } from "./breach.ts";
import { askingOf } from "./try.fixture.ts";

it("is as wide as it should have been, and a tenth more; a second breach widens what was wide already", () => {
  const breaches = new Breaches();
  const end = { id: "c", endMs: 0 };
  expect(breaches.weigh("p/m", end, 100n, 100n)).toBeNull();
  expect(breaches.weigh("p/m", end, 100n, 200n)).toMatchObject({ kind: "breached", subject: "p/m" });
  expect(breaches.widened.get("p/m")).toBe(2_200n);
  breaches.weigh("p/m", end, 220n, 440n);
  expect(breaches.widened.get("p/m")).toBe(4_840n);
  for (let again = 0; again < 20; again += 1) breaches.weigh("p/m", end, 1n, 1_000n);
  expect(breaches.widened.get("p/m")).toBe(100_000n);
});

it("a cap that the money buys is one whose wider bound the money buys", () => {
  const breaches = new Breaches();
  const asking = {
    ...askingOf({ call: "c", atMs: 0, agent: null, customer: null, type: null }, { money: 1_000n, tokens: 10n }),
    provider: "p",
    model: "m",
  };
  const money = 1_000_000_000_000n;
  breaches.weigh("p/m", { id: "c", endMs: 0 }, 100n, 300n);
  const wide = breaches.widen(asking);
  expect(wide.capFor(money, null, null)).toBeLessThanOrEqual(asking.capFor(money, null, null));
  const [before, after] = [asking.bound(10, null, null).cost, wide.bound(10, null, null).cost];
  expect(Number(after) / Number(before)).toBeCloseTo(3.3, 5);
  expect(breaches.widen({ ...asking, model: "other" }).bound(10, null, null).cost).toBe(before);
});
