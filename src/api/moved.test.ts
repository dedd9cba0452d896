// The sentence that says why a bill moved: whoever adds up the amounts that it names comes to the change that it names, to the last digit shown.

import * as fc from "fast-check";
import { expect, it } from "vitest";
import { parseUsd, toPico } from "../core/money.ts";
import { driverFactors, type Drivers } from "../economics/drivers.ts";
import { sentenceOf } from "./moved.ts";

function say(parts: readonly bigint[]): string {
  let at = toPico(10n ** 18n);
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
  return sentenceOf(drivers, "then");
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
