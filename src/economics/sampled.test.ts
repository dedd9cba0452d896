import { describe, expect, it } from "vitest";
import { parseUsd, type Pico, zero } from "../core/money.ts";
import { costSpan, reviewSpan } from "./sampled.ts";

/** Forty of whose times half are none and half sixteen minutes. */
const of = (said: number, tasks: number) =>
  reviewSpan({ millis: 20n * 960_000n, squares: 20n * 960_000n ** 2n, said, tasks }) ?? { low: NaN, high: NaN };

const pico = (usd: string): Pico => parseUsd(usd);
const alike = (usd: string) => ({ medianPico: pico(usd), p90Pico: pico(usd), p99Pico: pico(usd) });

describe("what a task costs", () => {
  const heavy = [...Array.from({ length: 39 }, () => 0.5e12), 60e12];

  it("is not told by 39 at $0.50 and one at $60: from the cheapest to beyond $2.40", () => {
    const span = costSpan({ meanPico: pico("1.9875"), tasks: 40, units: heavy, quantiles: alike("0.5") });
    expect(Number(span?.low) / 1e12).toBeCloseTo(0.5, 2);
    // With the dear one drawn five times of forty: (35·0.5 + 5·60) / 40.
    expect(Number(span?.high) / 1e12).toBeCloseTo(7.9375, 2);
  });

  it("is the same of any open tasks beside them, relative to what ended", () => {
    const half = costSpan({ meanPico: pico("0.99375"), tasks: 40, units: heavy, quantiles: alike("0.5") });
    const whole = costSpan({ meanPico: pico("1.9875"), tasks: 40, units: heavy, quantiles: alike("0.5") });
    expect(Number(half?.high) * 2).toBeCloseTo(Number(whole?.high), -3);
  });

  it("is what all cost where all cost the same, and nothing where nothing is spent", () => {
    const same = Array.from({ length: 30 }, () => 0.1e12);
    expect(costSpan({ meanPico: pico("0.1"), tasks: 30, units: same, quantiles: alike("0.1") })).toEqual({
      low: pico("0.1"),
      high: pico("0.1"),
    });
    const free = { meanPico: zero, tasks: 30, units: same.map(() => 0), quantiles: alike("0") };
    expect(costSpan(free)).toEqual({ low: zero, high: zero });
  });

  it.each([
    ["of fewer than thirty", 29, alike("0.1")],
    ["of thirty whose tenth part costs a hundred times as much", 30, { ...alike("0.1"), p90Pico: pico("10") }],
    ["whose spread nobody knows", 30, null],
  ])("is not enough data %s", (_, tasks, quantiles) => {
    const units = Array.from({ length: tasks }, (__, index) => 1e11 + index);
    expect(costSpan({ meanPico: pico("0.1"), tasks, units, quantiles })).toBeNull();
  });
});

describe("how long checking takes", () => {
  // Twenty took no time and twenty sixteen minutes: a mean of 8, s = √(40·64/39) = 8.1019; t with 39 degrees is 2.0227: 8 ± 2.5911.
  it("is Student's interval of those of which it was said", () => {
    expect(of(40, 40).low).toBeCloseTo(5.4089, 3);
    expect(of(40, 40).high).toBeCloseTo(10.5911, 3);
  });

  it("of the others no time at the low end, and as much at the high one", () => {
    expect(of(40, 80).low).toBeCloseTo(2.7044, 3);
    expect(of(40, 80).high).toBeCloseTo(10.5911, 3);
  });

  it("is not enough data where fewer than thirty said it, and exact where all are alike", () => {
    expect(reviewSpan({ millis: 180_000n, squares: 2n * 90_000n ** 2n, said: 2, tasks: 4 })).toBeNull();
    expect(reviewSpan({ millis: 900_000n, squares: 30n * 30_000n ** 2n, said: 30, tasks: 30 })).toEqual({ low: 0.5, high: 0.5 });
  });
});
