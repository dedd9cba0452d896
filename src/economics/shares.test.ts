import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sum, toPico } from "../core/money.ts";
import { type Holder, shareCost, type ShareRule, shareRules } from "./shares.ts";

const holder = (key: string, usage: number, reserved: number | null = null): Holder => ({ key, usage, reserved });

/** What each pays, then what is idle. */
function paid(rule: ShareRule, cost: bigint, capacity: number | null, ...holders: Holder[]): bigint[] {
  const { lines, idlePico } = shareCost({ costPico: toPico(cost), capacity }, holders, rule);
  return [...lines.map(({ pico }) => pico), idlePico];
}

describe("a cost of 1,000 for 100 units, of which a uses 10 of its 40 and b 30 of its 20", () => {
  const [a, b] = [holder("a", 10, 40), holder("b", 30, 20)];

  it.each([
    ["usage", [250n, 750n, 0n]],
    ["reserved", [400n, 200n, 400n]],
    ["idle apart", [100n, 300n, 600n]],
    ["even", [500n, 500n, 0n]],
  ] as const)("is divided by %s as %s", (rule, parts) => expect(paid(rule, 1000n, 100, a, b)).toEqual(parts));

  it("by reserved: says the idle part of each, who used more than reserved, and what nobody reserved", () => {
    const { lines, idleUnits, excessUnits } = shareCost({ costPico: toPico(1000n), capacity: 100 }, [a, b], "reserved");
    expect(lines).toEqual([
      { key: "a", pico: 400n, idlePico: 300n, overUnits: 0 },
      { key: "b", pico: 200n, idlePico: 0n, overUnits: 10 },
    ]);
    expect([idleUnits, excessUnits]).toEqual([40, 0]);
  });
});

describe("edges", () => {
  it("by reserved without a capacity: all of it is theirs", () => {
    expect(paid("reserved", 900n, null, holder("a", 5, 1), holder("b", 0, 2))).toEqual([300n, 600n, 0n]);
  });

  it("oversold or overused capacity is said, and nothing is idle", () => {
    const oversold = shareCost({ costPico: toPico(90n), capacity: 2 }, [holder("a", 1, 1), holder("b", 0, 2)], "reserved");
    expect(oversold).toMatchObject({ idlePico: 0n, idleUnits: 0, excessUnits: 1 });
    const overused = shareCost({ costPico: toPico(90n), capacity: 2 }, [holder("a", 1), holder("b", 4)], "idle apart");
    expect(overused).toMatchObject({ lines: [{ pico: 18n }, { pico: 72n }], idlePico: 0n, idleUnits: 0, excessUnits: 3 });
  });

  it("what nobody used, or holds, is idle", () => {
    expect(paid("usage", 90n, null, holder("a", 0), holder("b", 0))).toEqual([0n, 0n, 90n]);
    expect(paid("idle apart", 90n, 9, holder("a", 0))).toEqual([0n, 90n]);
    expect(paid("idle apart", 90n, 0)).toEqual([90n]);
    for (const rule of shareRules) expect(paid(rule, 90n, 9)).toEqual([90n]);
  });

  it("refuses what cannot be divided as asked", () => {
    expect(() => paid("idle apart", 1n, null, holder("a", 1))).toThrow(/capacity/);
    expect(() => paid("reserved", 1n, 9, holder("a", 1))).toThrow(/"a" has reserved/);
    expect(() => paid("even", 1n, null, holder("a", 1), holder("a", 2))).toThrow(/twice.*"a"/);
    for (const units of [-1, 0.5, Number.NaN]) {
      expect(() => paid("usage", 1n, null, holder("a", units))).toThrow(/usage of "a"/);
      expect(() => paid("reserved", 1n, null, holder("a", 1, units))).toThrow(/reserved by "a"/);
      expect(() => paid("usage", 1n, units)).toThrow(/capacity/);
    }
  });
});

it("adds up by every rule, each part within one digit of its share", () => {
  const units = fc.nat({ max: 10 ** 9 });
  const holders = fc.uniqueArray(fc.record({ key: fc.string(), usage: units, reserved: units }), {
    selector: ({ key }) => key,
    maxLength: 12,
  });
  const costs = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
  fc.assert(
    fc.property(holders, costs, units, fc.constantFrom(...shareRules), (all, cost, capacity, rule) => {
      const { lines, idlePico } = shareCost({ costPico: toPico(cost), capacity }, all, rule);
      expect(sum(lines.map(({ pico }) => pico)) + idlePico).toBe(cost);
      const weight = (holder: Holder): number => (rule === "even" ? 1 : rule === "reserved" ? (holder.reserved ?? 0) : holder.usage);
      const taken = all.reduce((a, holder) => a + weight(holder), 0);
      const whole = BigInt(rule === "usage" || rule === "even" ? taken : Math.max(taken, capacity));
      lines.forEach(({ pico, idlePico: own }, index) => {
        const gap = taken === 0 ? pico : pico * whole - cost * BigInt(weight(all[index] as Holder));
        expect((gap < 0n ? -gap : gap) < (whole === 0n ? 1n : whole)).toBe(true);
        if (rule === "reserved") {
          const { usage, reserved } = all[index] as { usage: number; reserved: number };
          const ownGap = (own as bigint) * BigInt(reserved) - pico * BigInt(reserved - Math.min(usage, reserved));
          expect((ownGap < 0n ? -ownGap : ownGap) < BigInt(Math.max(1, reserved))).toBe(true);
        } else expect(own).toBeNull();
      });
    }),
  );
});
