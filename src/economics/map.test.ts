import { assert, double, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUsd, zero } from "../core/money.ts";
import { classify, edge, type Ground, type TaskType, toMap } from "./map.ts";
import { type Choice, weigh } from "./worth.ts";

const usd = parseUsd;
const ground: Ground = {
  personHourlyPico: usd("60"),
  reviewHourlyPico: usd("60"),
  cleanup: { minutes: 0, hourlyPico: zero },
  cleanupPico: zero,
  detection: 0.5,
  irreversiblePico: zero,
};
const report: TaskType = {
  type: "report",
  personMinutes: 120,
  reviewMinutes: 10,
  runPico: usd("1"),
  damagePico: usd("40"),
  success: { kind: "said", p: 0.9 },
};
const point = (change: Partial<TaskType>) => {
  const [found] = toMap(ground, [{ ...report, ...change }]);
  if (found === undefined) throw new Error("no point");
  return found;
};

describe("the map of task types", () => {
  it("ten minutes of checking against two hours of doing: 0.0833", () => {
    expect(point({}).ratio).toBe(10 / 120);
    expect(point({}).ratio?.toFixed(4)).toBe("0.0833");
  });

  it.each<[string, Partial<TaskType>, string]>([
    // E = C + R + 0.1·(0.5·120 + 0.5·L): 1 + 10 + 6 + 2 = 19 of 120.
    ["little to check and little at stake", {}, "sweet"],
    // 1 + 55 + 8 = 64; saved 56, and 55 more minutes would leave a dollar; with 56 minutes of checking, 55 are saved.
    ["checking that is just short enough", { reviewMinutes: 55 }, "sweet"],
    ["checking of exactly what is saved", { reviewMinutes: 55.5 }, "review"],
    ["damage of exactly what is saved", { damagePico: usd("1030") }, "risky"],
    ["checking that eats most of it", { reviewMinutes: 56 }, "review"],
    // Expected damage 0.05·L: 1,000 are 50 of 120 − 17 − 50 = 53, 1,060 are 53 of 50.
    ["damage that is just small enough", { damagePico: usd("1000") }, "sweet"],
    ["damage that hangs over it", { damagePico: usd("1060") }, "risky"],
    ["more checking than doing", { reviewMinutes: 121 }, "person"],
    ["an agent that fails too often", { success: { kind: "said", p: 0.01 }, reviewMinutes: 50 }, "person"],
  ])("%s", (_, change, wanted) => {
    expect(point(change).classes?.at).toBe(wanted);
  });

  it("is settled only where the whole interval says the same", () => {
    const few = point({ success: { kind: "counted", successes: 2, tasks: 3 }, reviewMinutes: 35 });
    const many = point({ success: { kind: "counted", successes: 2_000, tasks: 3_000 }, reviewMinutes: 35 });
    expect([few.classes, few.isSettled]).toEqual([{ low: "review", at: "sweet", high: "sweet" }, false]);
    expect([many.classes, many.isSettled]).toEqual([{ low: "sweet", at: "sweet", high: "sweet" }, true]);
    expect(few.success?.low).toBeCloseTo(0.2077, 4);
  });

  it("tells the most damage that it bears", () => {
    // 17 + 0.05·L = 120.
    expect(point({}).damageAtMostPico).toBe(usd("2060"));
    expect(point({ reviewMinutes: 121 }).damageAtMostPico).toBeNull();
  });

  it("puts nowhere what is not known, and says what is missing", () => {
    expect(point({ personMinutes: null, success: { kind: "unknown" } })).toEqual({
      type: "report",
      personMinutes: null,
      reviewMinutes: 10,
      damagePico: usd("40"),
      ratio: null,
      success: null,
      classes: null,
      isSettled: false,
      damageAtMostPico: null,
      missing: ["personMinutes", "success"],
    });
    expect(point({ personMinutes: 0 }).ratio).toBeNull();
    expect(point({ reviewMinutes: 0 }).ratio).toBe(0);
  });

  it.each<[Partial<TaskType>, RegExp]>([
    [{ reviewMinutes: -10 }, /^task type "report": reviewMinutes must be minutes/],
    [{ personMinutes: Number.NaN, runPico: null }, /^task type "report": personMinutes must be minutes/],
    [{ damagePico: usd("-1"), runPico: null }, /damagePico must be an amount/],
    [{ success: { kind: "said", p: 90 } }, /p must be a probability, from 0 to 1: 90; a percentage/],
  ])("refuses the impossible, by type and field (%#)", (change, message) => {
    expect(() => point(change)).toThrow(RangeError);
    expect(() => point(change)).toThrow(message);
  });
});

describe("the edge of the region", () => {
  const at = { runPico: usd("1"), damagePico: usd("40"), p: 0.9 };
  const places = edge(ground, at, 240);

  it("begins where doing costs what run and failures do, without any checking", () => {
    // h·(1 − 0.1·0.5) = 1 + 0.1·0.5·40 = 3.
    expect(places[0]).toEqual({ personMinutes: expect.closeTo(3 / 0.95, 9), reviewMinutes: 0, sweetMinutes: null });
  });

  it("is the line on which E is H", () => {
    for (const { personMinutes, reviewMinutes } of places) expect(reviewMinutes).toBeCloseTo(0.95 * personMinutes - 3, 8);
    expect(places.at(-1)?.personMinutes).toBe(240);
    expect(places.length).toBe(33);
  });

  it("holds the sweet spot: what is inside is sweet, what is just outside is not", () => {
    const big = edge(ground, { ...at, damagePico: usd("600") }, 240);
    for (const { personMinutes, sweetMinutes } of [...places, ...big].filter((place) => place.sweetMinutes !== null)) {
      const damagePico = big.some((place) => place.personMinutes === personMinutes && place.sweetMinutes === sweetMinutes)
        ? usd("600")
        : at.damagePico;
      const classAt = (reviewMinutes: number) => toMap(ground, [{ ...report, personMinutes, reviewMinutes, damagePico }])[0]?.classes?.at;
      expect(classAt(Math.max(0, (sweetMinutes as number) - 1e-6))).toBe("sweet");
      expect(classAt((sweetMinutes as number) + 1e-6)).not.toBe("sweet");
    }
    expect(big.some((place) => place.sweetMinutes === null && place.reviewMinutes > 0)).toBe(true);
  });

  it("is nowhere where all fail and are found, where checking is free, or beyond what is drawn", () => {
    expect(edge({ ...ground, detection: 1 }, { ...at, p: 0 }, 240)).toEqual([]);
    expect(edge({ ...ground, reviewHourlyPico: zero }, at, 240).filter((place) => place.reviewMinutes > 0)).toEqual([]);
    expect(edge(ground, at, 3)).toEqual([]);
  });

  it("begins at the corner where nothing costs anything", () => {
    const corner = edge(ground, { runPico: zero, damagePico: zero, p: 1 }, 100, 5);
    expect(corner.map((place) => place.personMinutes)).toEqual([
      0,
      ...[0.1, 0.5623, 3.1623, 17.7828].map((x) => expect.closeTo(x, 4)),
      100,
    ]);
  });

  it.each([0, 1, 2.5, 1_001])("refuses %s places", (count) => {
    expect(() => edge(ground, at, 240, count)).toThrow(/places must be/);
  });
});

it("a growing p leads from person over risky and review to sweet, never back", () => {
  const order = ["person", "risky", "review", "sweet"];
  const amounts = double({ min: 0, max: 2_000, noNaN: true });
  const chance = double({ min: 0, max: 1, noNaN: true });
  assert(
    property(amounts, chance, chance, chance, (damage, share, p1, p2) => {
      const choice: Choice = {
        ...ground,
        against: { kind: "person", labour: { minutes: 120, hourlyPico: usd("60") } },
        runPico: usd("1"),
        review: { minutes: 120 * share, hourlyPico: usd("60") },
        damagePico: usd(damage.toFixed(6)),
      };
      const [low, high] = [classify(choice, Math.min(p1, p2)), classify(choice, Math.max(p1, p2))];
      expect(order.indexOf(low)).toBeLessThanOrEqual(order.indexOf(high));
      if (low !== "person") expect(weigh(choice, Math.min(p1, p2)).savedPico).toBeGreaterThanOrEqual(0n);
    }),
  );
});
