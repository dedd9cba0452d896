import { assert, constantFrom, double, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUsd, zero } from "../core/money.ts";
import { moneyInputs, numberInputs, type Swing, tornado, turnsAt, withInput } from "./sensitivity.ts";
import { breakEven, type Choice, savedAt, savedUnit } from "./worth.ts";

const usd = parseUsd;
/** H 100, C 4, R 10, K 6, d 0.5, L 200: E = 14 + (1−p)·156, 53 at 0.75; H − E = 47. */
const choice: Choice = {
  against: { kind: "person", labour: { minutes: 100, hourlyPico: usd("60") } },
  runPico: usd("4"),
  review: { minutes: 10, hourlyPico: usd("60") },
  cleanup: { minutes: 6, hourlyPico: usd("60") },
  cleanupPico: zero,
  detection: 0.5,
  damagePico: usd("200"),
  irreversiblePico: zero,
};
const nobody: Choice = { ...choice, against: { kind: "nobody", valuePico: usd("80") } };

describe("a tornado", () => {
  const swings: readonly Swing[] = [
    { input: "reviewMinutes", low: 5, high: 20 },
    { input: "p", low: 0.25, high: 0.95 },
    { input: "damagePico", low: zero, high: usd("1000") },
    { input: "runPico", low: usd("1"), high: usd("40") },
  ];
  const found = tornado(choice, 0.75, swings);

  it("has its widest bar on top", () => {
    // By hand: 156·0.7 = 109.2, 1000·0.125 = 125, 39 and 15.
    expect(found.bars.map((bar) => [bar.input, bar.widthPico])).toEqual([
      ["damagePico", usd("125")],
      ["p", usd("109.2")],
      ["runPico", usd("39")],
      ["reviewMinutes", usd("15")],
    ]);
    expect(found.basePico).toBe(usd("-47"));
  });

  it("says which input turns the verdict, and where", () => {
    // L: 14 + 0.25·(56 + 0.5·L) = 100 at 576.
    const [damage, p, run, review] = found.bars.map((bar) => [bar.lowPico, bar.highPico, bar.flips, bar.turnsAt]);
    expect(damage).toEqual([usd("-72"), usd("53"), true, usd("576")]);
    expect(p).toEqual([usd("31"), usd("-78.2"), true, breakEven(choice).p]);
    expect(run).toEqual([usd("-50"), usd("-11"), false, usd("51")]);
    expect(review).toEqual([usd("-52"), usd("-37"), false, 57]);
  });

  it("turns nowhere where it is too dear whatever the value, or none matters", () => {
    expect(turnsAt({ ...choice, runPico: usd("99") }, 0.75, "reviewMinutes")).toBeNull();
    expect(turnsAt({ ...choice, detection: 1 }, 0.75, "damagePico")).toBeNull();
    expect(turnsAt(choice, 1, "detection")).toBeNull();
    expect(turnsAt(nobody, 0.5, "hourlyPico")).toBeNull();
  });

  it("moves the rate of all labour at once", () => {
    // Per dollar of rate: 100/60 less 10/60 less 0.25·(6/60 + 0.5·100/60); fixed: 4 + 25.
    const perDollar = 100 / 60 - 10 / 60 - 0.25 * (0.1 + 50 / 60);
    expect(Number(turnsAt(choice, 0.75, "hourlyPico")) / 1e12).toBeCloseTo(29 / perDollar, 10);
  });

  it("put in place, the value where it turns saves nothing", () => {
    assert(
      property(
        constantFrom(choice, nobody),
        double({ min: 0.01, max: 0.99, noNaN: true }),
        constantFrom(...numberInputs, ...moneyInputs),
        (base, p, input) => {
          if (base.against.kind === "nobody" ? input.startsWith("person") : input === "valuePico") return;
          const value = turnsAt(base, p, input);
          if (value === null) return;
          const moved = withInput(base, p, input, value);
          // In dollars; values that are no amounts are rounded to 10⁻⁹.
          expect(Math.abs(Number(savedAt(moved.choice, moved.p) / savedUnit) / 1e12)).toBeLessThan(1e-6);
        },
      ),
    );
  });
});

describe("refuses", () => {
  it.each<[Choice, Swing, RegExp]>([
    [choice, { input: "p", low: 0.5, high: 1.1 }, /p must be a probability/],
    [choice, { input: "detection", low: Number.NaN, high: 1 }, /detection must be a probability/],
    [choice, { input: "personMinutes", low: -1, high: 1 }, /personMinutes must be minutes/],
    [choice, { input: "damagePico", low: usd("-1"), high: zero }, /damagePico must be an amount/],
    [choice, { input: "valuePico", low: zero, high: zero }, /valuePico does not count where the agent stands against a person/],
    [nobody, { input: "personMinutes", low: 1, high: 2 }, /personMinutes does not count where the agent stands against nobody/],
    [nobody, { input: "personHourlyPico", low: zero, high: zero }, /personHourlyPico does not count/],
  ])("%#: an impossible swing", (base, swing, message) => {
    expect(() => tornado(base, 0.5, [swing])).toThrow(RangeError);
    expect(() => tornado(base, 0.5, [swing])).toThrow(message);
  });
});
