// The sentence that says why a bill moved: whoever adds up the amounts that it names comes to the change that it names, to the last digit shown.

import * as fc from "fast-check";
import { expect, it } from "vitest";
import { parseUsd, toPico } from "../core/money.ts";
import { driverFactors, type Drivers } from "../economics/drivers.ts";
import { sentenceOf } from "./moved.ts";

function say(parts: readonly bigint[], isWhole = { before: true, after: true }, from = 10n ** 18n): string {
  let at = toPico(from);
  const beforePico = at;
  const lines = driverFactors.map((factor, index) => {
    const pico = toPico(parts[index] ?? 0n);
    const fromPico = at;
    at = toPico(at + pico);
    return { factor, pico, fromPico, toPico: at, byKey: [], restPico: pico };
  });
  const drivers: Drivers = {
    beforePico,
    afterPico: at,
    changePico: toPico(at - beforePico),
    lines,
    shapley: [],
    maxGap: { factor: "volume", pico: toPico(0n) },
  };
  return sentenceOf(drivers, "then", isWhole);
}

/** In picodollars. */
function amountsIn(text: string): bigint[] {
  return [...text.matchAll(/(−?)\$([\d,.]*\d)/g)].map(([, sign, digits = ""]) => {
    const pico = parseUsd(digits.replaceAll(",", ""));
    return sign === "" ? pico : -pico;
  });
}

it("gives the cent that rounding loses to the part that lost most", () => {
  // 1.005, 1.0049 and 1.0048 are 3.0147: rounded one by one they would be $3.00 of $3.01.
  const text = say([1_005_000_000_000n, 1_004_900_000_000n, 1_004_800_000_000n]);
  expect(text).toBe("$3.01 more than then: $1.01 new work, $1.00 stopped work, $1.00 more tasks.");
});

it("says which way a change is bound where some cost is not known, and never that the unknown is nothing", () => {
  const [whole, less] = [true, false];
  const sides = [
    { before: whole, after: less },
    { before: less, after: whole },
    { before: less, after: less },
  ];
  const [dollar, none] = [10n ** 12n, 0n];
  const all = (parts: readonly bigint[], from: bigint) => sides.map((isWhole) => say(parts, isWhole, from));
  expect(all([dollar], dollar)).toEqual([
    "≥ $1.00 more than then: $1.00 new work.",
    "≤ $1.00 more than then: $1.00 new work.",
    "? $1.00 more than then: $1.00 new work.",
  ]);
  expect(all([none, -dollar], 3n * dollar)).toEqual([
    "≤ $1.00 less than then: −$1.00 stopped work.",
    "≥ $1.00 less than then: −$1.00 stopped work.",
    "? $1.00 less than then: −$1.00 stopped work.",
  ]);
  expect(all([], dollar)).toEqual([
    "At least as much as then: ≥ $1.00.",
    "At most as much as then: $1.00.",
    "As much as then, as far as prices are known: ≥ $1.00.",
  ]);
  expect(all([], none)).toEqual([
    "What was spent is unknown; nothing was spent before.",
    "Nothing was spent; what was spent before is unknown.",
    "What was spent is unknown in both spans.",
  ]);
  // Of one span nothing is known at all.
  expect(say([dollar], sides[1], none)).toBe("≤ $1.00 more than then: $1.00 new work. What was spent before is unknown.");
  expect(say([none, -dollar], sides[0], dollar)).toBe("≤ $1.00 less than then: −$1.00 stopped work. What was spent after is unknown.");
});

it("adds up, whatever moved", () => {
  const part = fc.oneof(fc.bigInt(-(10n ** 15n), 10n ** 15n), fc.bigInt(-(10n ** 10n), 10n ** 10n), fc.constant(0n));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: driverFactors.length }), (parts) => {
      const change = parts.reduce((sum, one) => sum + one, 0n);
      fc.pre(parts.some((one) => one !== 0n));
      const [head = "", tail = ""] = say(parts).split(": ");
      const total = change === 0n ? 0n : (amountsIn(head)[0] ?? 0n);
      expect(amountsIn(tail).reduce((sum, one) => sum + one, 0n)).toBe(change < 0n ? -total : total);
    }),
    { numRuns: 500 },
  );
});
