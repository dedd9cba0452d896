import { assert, double, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUsd, type Pico, toPico, zero } from "../core/money.ts";
import { parity } from "./parity.ts";
import { type Choice, weigh } from "./worth.ts";

const usd = parseUsd;
const option = (run: string, reviewMinutes: number, hourly = "60"): Choice => ({
  against: { kind: "person", labour: { minutes: 120, hourlyPico: usd("60") } },
  runPico: usd(run),
  review: { minutes: reviewMinutes, hourlyPico: usd(hourly) },
  cleanup: { minutes: 0, hourlyPico: zero },
  cleanupPico: zero,
  detection: 1,
  damagePico: zero,
  irreversiblePico: zero,
});

describe("the five-times dearer one that cuts review from ten minutes to two", () => {
  const cheaper = { choice: option("0.5", 10), p: 0.8 };
  const dearer = option("2.5", 2);

  it("saves eight minutes at $60 an hour, less four times the run: $6", () => {
    expect(parity(cheaper, { choice: dearer, p: 0.8 }).savedPico).toBe(usd("6"));
  });

  it("may succeed as rarely as 75 %, take 8 minutes to check, or cost $8.50", () => {
    // The cheaper one costs 0.50 + 10 + 0.2·120 = 34.50; so 2.50 + 2 + (1−p)·120, 2.50 + x + 24, and x + 2 + 24 must.
    expect(parity(cheaper, { choice: dearer, p: 0.8 })).toEqual({
      savedPico: usd("6"),
      p: { kind: "at", p: 0.75 },
      reviewMinutes: 8,
      runPico: usd("8.5"),
    });
  });

  it("is not worth it where an hour of checking costs less than $15", () => {
    // Eight minutes at $15 are the $2 that it costs more.
    for (const [hourly, saved] of [
      ["15", "0"],
      ["12", "-0.4"],
      ["30", "2"],
    ] as const)
      expect(parity({ choice: option("0.5", 10, hourly), p: 0.8 }, { choice: option("2.5", 2, hourly), p: 0.8 }).savedPico).toBe(
        usd(saved),
      );
  });
});

describe("parity", () => {
  const cheaper = { choice: option("0.5", 0), p: 0.9 };

  it("is out of reach where the run alone costs more than the cheaper one in all", () => {
    // 0.50 + 12 against 13 + 1.
    expect(parity(cheaper, { choice: option("13", 1), p: 0.9 })).toEqual({
      savedPico: usd("-13.5"),
      p: { kind: "never", p: 1.0125 },
      reviewMinutes: null,
      runPico: null,
    });
  });

  it("asks for a probability alone where the dearer one's is not known", () => {
    expect(parity(cheaper, { choice: option("3.5", 0), p: null })).toEqual({
      savedPico: null,
      p: { kind: "at", p: 0.925 },
      reviewMinutes: null,
      runPico: null,
    });
  });

  it("has no time where checking costs nothing", () => {
    expect(parity(cheaper, { choice: option("3.5", 5, "0"), p: 0.95 }).reviewMinutes).toBeNull();
  });

  it("holds for a value as for a person", () => {
    const against = { kind: "nobody", valuePico: usd("10") } as const;
    // 8 − 1 = 7 saved; 10p − 2 = 7.
    const found = parity({ choice: { ...option("1", 0), against }, p: 0.8 }, { choice: { ...option("2", 0), against }, p: 0.8 });
    expect(found).toMatchObject({ savedPico: usd("-1"), p: { kind: "at", p: 0.9 }, runPico: usd("1") });
  });

  it("put in the dearer one's place, each answer costs the same as the cheaper one", () => {
    const chance = double({ min: 0.05, max: 0.95, noNaN: true });
    assert(
      property(chance, chance, integer({ min: 0, max: 30 }), integer({ min: 1, max: 500 }), (p1, p2, minutes, cents) => {
        const [a, b] = [option("0.5", 20), option(String(cents / 100), minutes)];
        const goal = weigh(a, p1).agentPico;
        const found = parity({ choice: a, p: p1 }, { choice: b, p: p2 });
        if (found.runPico !== null) near(weigh({ ...b, runPico: found.runPico }, p2).agentPico, goal, 2n);
        if (found.reviewMinutes !== null)
          near(weigh({ ...b, review: { ...b.review, minutes: found.reviewMinutes } }, p2).agentPico, goal, 1_000n);
        // A billionth of a probability is worth up to 120 billionths of a dollar here.
        if (found.p.kind === "at") near(weigh(b, found.p.p as number).agentPico, goal, 120_000n);
      }),
    );
  });

  it("refuses two different tasks, and the impossible", () => {
    const other: Choice = { ...option("1", 1), against: { kind: "nobody", valuePico: toPico(1n) } };
    expect(() => parity(cheaper, { choice: other, p: 0.5 })).toThrow(/against must be the same/);
    expect(() => parity(cheaper, { choice: option("1", 1), p: 1.5 })).toThrow(/p must be a probability/);
    expect(() => parity(cheaper, { choice: option("1", -1), p: 0.5 })).toThrow(/review.minutes must be minutes/);
  });
});

function near(found: Pico, wanted: Pico, within: bigint): void {
  const apart = found > wanted ? found - wanted : wanted - found;
  expect(apart <= within ? within : apart).toBe(within);
}
