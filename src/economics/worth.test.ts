import { assert, bigInt, boolean, double, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { formatRatio, parseUsd, type Pico, roundUsd, sum, toPico, zero } from "../core/money.ts";
import { breakEven, chain, type Choice, minutesMax, perStep, reviewPays, side, weigh } from "./worth.ts";

const usd = parseUsd;
const none = { minutes: 0, hourlyPico: zero };
const person = (minutes: number, hourly: string): Choice["against"] => ({ kind: "person", labour: { minutes, hourlyPico: usd(hourly) } });
const free: Choice = {
  against: person(60, "60"),
  runPico: zero,
  review: none,
  cleanup: none,
  cleanupPico: zero,
  detection: 1,
  damagePico: zero,
  irreversiblePico: zero,
};

describe("the support example", () => {
  // Nine minutes a ticket at $32/h, six more where the agent fails, 6,500 tokens at $9 a million, every failure found, nobody reviews.
  const support: Choice = {
    ...free,
    against: person(9, "32"),
    runPico: usd("0.0585"),
    cleanup: { minutes: 6, hourlyPico: usd("32") },
  };

  it("breaks even at 40.7 %", () => {
    const even = breakEven(support);
    expect(even).toEqual({ kind: "at", p: 0.4073125 });
    expect((100 * (even.p ?? 0)).toFixed(1)).toBe("40.7");
  });

  it("costs $8,379.20 for 3,200 tickets at 68 %, which saves 45.45 % of $15,360", () => {
    const { agentPico, otherPico, savedPico } = weigh(support, 0.68, 3_200);
    expect([agentPico, otherPico]).toEqual([usd("8379.2"), usd("15360")]);
    expect(formatRatio(savedPico * 100n, otherPico, 2)).toBe("45.45");
  });

  it("costs $14,267 at 45 %, which is no net loss", () => {
    const { agentPico, savedPico } = weigh(support, 0.45, 3_200);
    expect(roundUsd(agentPico, 0)).toBe("14267");
    expect(savedPico).toBe(usd("1092.8"));
  });

  it("saves hours of people as well", () => {
    // By hand: 9 minutes less 32 % of 15, which is 4.2 minutes, 3,200 times.
    const { savedHours, peopleHours } = weigh(support, 0.68, 3_200);
    expect(savedHours).toBeCloseTo(224, 9);
    expect(peopleHours).toBeCloseTo(256, 9);
  });
});

describe("against a person", () => {
  it("breaks even at (C+R)/H where every failure is found and nothing is cleaned up", () => {
    expect(breakEven({ ...free, runPico: usd("6"), review: { minutes: 15, hourlyPico: usd("60") } })).toEqual({ kind: "at", p: 0.35 });
  });

  it("counts each term once", () => {
    // H 100, C 1, R 5, K 3 + 2, d 0.8, L 400 + 100; p 0.9: 6 + 0.1·(5 + 80 + 100) = 24.5. p* = 1 − 94/185.
    const choice: Choice = {
      against: person(60, "100"),
      runPico: usd("1"),
      review: { minutes: 5, hourlyPico: usd("60") },
      cleanup: { minutes: 2, hourlyPico: usd("90") },
      cleanupPico: usd("2"),
      detection: 0.8,
      damagePico: usd("400"),
      irreversiblePico: usd("100"),
    };
    const { agentPico, parts, otherPico, savedPico } = weigh(choice, 0.9);
    expect(parts).toEqual({
      runPico: usd("1"),
      reviewPico: usd("5"),
      cleanupPico: usd("0.5"),
      redoPico: usd("8"),
      damagePico: usd("10"),
    });
    expect([agentPico, otherPico, savedPico]).toEqual([usd("24.5"), usd("100"), usd("75.5")]);
    expect(breakEven(choice).p).toBeCloseTo(1 - 94 / 185, 15);
  });

  it("is never worth it where run and review alone cost as much", () => {
    expect(breakEven({ ...free, runPico: usd("60") })).toEqual({ kind: "never", p: 1 });
    expect(breakEven({ ...free, runPico: usd("90") })).toEqual({ kind: "never", p: 1.5 });
    expect(side({ ...free, runPico: usd("60") }, 1)).toBe(0);
  });

  it("is always worth it where even failures cost less", () => {
    // H 60, C 1, d 0, L 30: p* = 1 − 59/30.
    expect(breakEven({ ...free, runPico: usd("1"), detection: 0, damagePico: usd("30") })).toEqual({
      kind: "always",
      p: -0.966666666666667,
    });
  });

  it("breaks even at 0 where it neither gains nor loses without any success, and pays above", () => {
    for (const choice of [free, { ...free, against: { kind: "nobody", valuePico: usd("10") } as const }]) {
      expect(breakEven(choice)).toEqual({ kind: "at", p: 0 });
      expect([side(choice, 0), side(choice, 0.001)]).toEqual([0, 1]);
    }
    expect(breakEven(free, toPico(1n)).p).toBeGreaterThan(0);
  });

  it("has no break-even where a failure costs nothing more: values, not NaN", () => {
    expect(breakEven({ ...free, runPico: usd("1"), detection: 0 })).toEqual({ kind: "always", p: null });
    expect(breakEven({ ...free, runPico: usd("61"), detection: 0 })).toEqual({ kind: "never", p: null });
    expect(breakEven({ ...free, runPico: usd("60"), detection: 0 })).toEqual({ kind: "never", p: null });
  });
});

describe("against nobody", () => {
  const choice: Choice = {
    ...free,
    against: { kind: "nobody", valuePico: usd("10") },
    runPico: usd("1"),
    review: { minutes: 2, hourlyPico: usd("30") },
    cleanupPico: usd("3"),
    detection: 0.5,
    damagePico: usd("14"),
  };

  it("breaks even where p·V = C + R + (1−p)·[K + (1−d)·L]", () => {
    // 10p = 2 + (1−p)·10: p* = 12/20.
    expect(breakEven(choice)).toEqual({ kind: "at", p: 0.6 });
    expect([side(choice, 0.59), side(choice, 0.6), side(choice, 0.61)]).toEqual([-1, 0, 1]);
  });

  it("does nothing again, and saves nobody's hours", () => {
    const { otherPico, agentPico, parts, savedHours, peopleHours } = weigh(choice, 0.9, 10);
    expect([otherPico, agentPico, parts.redoPico]).toEqual([usd("90"), usd("30"), zero]);
    expect([savedHours, peopleHours]).toEqual([null, 20 / 60]);
  });

  it("is never worth it without a value", () => {
    expect(breakEven({ ...free, against: { kind: "nobody", valuePico: zero } })).toEqual({ kind: "never", p: null });
    expect(breakEven({ ...choice, against: { kind: "nobody", valuePico: usd("2") } }).kind).toBe("never");
  });
});

describe("review", () => {
  // (1−0.8)·(0.9−0.1)·(1000−100) = 144, with H 100.
  const choice: Choice = {
    ...free,
    against: person(60, "100"),
    review: { minutes: 60, hourlyPico: usd("143.99") },
    detection: 0.9,
    damagePico: usd("1000"),
  };
  const at = (hourly: string): Choice => ({ ...choice, review: { minutes: 60, hourlyPico: usd(hourly) } });

  it("pays where it costs less than what it keeps from harm", () => {
    expect(reviewPays(choice, 0.8, 0.1)).toMatchObject({ pays: true, costPico: usd("143.99"), gainPico: usd("144") });
    expect(reviewPays(at("144"), 0.8, 0.1)).toMatchObject({ pays: false, belowP: 0.8 });
  });

  it("does not pay where the damage is less than the work, or where it finds nothing more", () => {
    expect(reviewPays({ ...at("0.01"), damagePico: usd("99") }, 0.5, 0)).toEqual({
      pays: false,
      costPico: usd("0.01"),
      gainPico: usd("-0.45"),
      belowP: null,
    });
    expect(reviewPays(at("0.01"), 0.5, 0.9)).toMatchObject({ pays: false, gainPico: zero, belowP: null });
  });

  it("pays exactly where the whole sum with it is less than without", () => {
    for (const hourly of ["100", "143", "144", "145", "200"]) {
      const without = weigh({ ...choice, review: none, detection: 0.1 }, 0.8).agentPico;
      expect(reviewPays(at(hourly), 0.8, 0.1).pays).toBe(weigh(at(hourly), 0.8).agentPico < without);
    }
  });

  it("pays sooner where what was done cannot be undone", () => {
    expect(reviewPays({ ...at("144"), irreversiblePico: usd("1") }, 0.8, 0.1).pays).toBe(true);
  });
});

describe("a chain", () => {
  it("of ten steps at 85 % succeeds in 0.197", () => {
    expect(chain(0.85, 10).toFixed(3)).toBe("0.197");
    expect(perStep(0.197, 10)).toBeCloseTo(0.85, 3);
  });

  it.each([0, 1.5, -1, Number.NaN])("has no %s steps", (steps) => {
    expect(() => chain(0.9, steps)).toThrow(/steps must be a whole number/);
  });
});

describe("laws", () => {
  const choices = record({
    isPerson: boolean(),
    hours: double({ min: 0, max: 600, noNaN: true }),
    money: record({ run: dollars(), rate: dollars(), cleanup: dollars(), damage: dollars(), value: dollars() }),
    review: double({ min: 0, max: 60, noNaN: true }),
    detection: double({ min: 0, max: 1, noNaN: true }),
  }).map(({ isPerson, hours, money, review, detection }): Choice => ({
    against: isPerson ? { kind: "person", labour: { minutes: hours, hourlyPico: money.rate } } : { kind: "nobody", valuePico: money.value },
    runPico: money.run,
    review: { minutes: review, hourlyPico: money.rate },
    cleanup: none,
    cleanupPico: money.cleanup,
    detection,
    damagePico: money.damage,
    irreversiblePico: zero,
  }));
  const chances = double({ min: 0, max: 1, noNaN: true });

  it("parts add up to the last digit, and what is saved is the difference", () => {
    assert(
      property(choices, chances, (choice, p) => {
        const { agentPico, otherPico, savedPico, parts } = weigh(choice, p, 7);
        expect(sum(Object.values(parts))).toBe(agentPico);
        expect(otherPico - agentPico).toBe(savedPico);
      }),
    );
  });

  it("agrees with the formula in floats", () => {
    assert(
      property(choices, chances, (choice, p) => {
        const { against, detection: d } = choice;
        const [c, k, l] = [choice.runPico, choice.cleanupPico, choice.damagePico].map(Number) as [number, number, number];
        const r = (choice.review.minutes / 60) * Number(choice.review.hourlyPico);
        const h = against.kind === "person" ? (against.labour.minutes / 60) * Number(against.labour.hourlyPico) : 0;
        const wanted = c + r + (1 - p) * (k + d * h + (1 - d) * l);
        const hourly = Number(choice.review.hourlyPico + (against.kind === "person" ? against.labour.hourlyPico : zero));
        // Probabilities are rounded to 10⁻⁹, and so are minutes.
        const rounded = 2e-9 * (c + r + k + h + l) + 1e-9 * (hourly / 60);
        expect(Math.abs(Number(weigh(choice, p).agentPico) - wanted)).toBeLessThanOrEqual(2 + rounded);
      }),
    );
  });

  it("a higher probability never saves less, and the side turns at p*", () => {
    assert(
      property(choices, chances, (choice, p) => {
        const { kind, p: even } = breakEven(choice);
        expect(weigh(choice, 1).savedPico).toBeGreaterThanOrEqual(weigh(choice, p).savedPico);
        if (kind === "always") expect(side(choice, p)).toBe(1);
        else if (kind === "never") expect(side(choice, p)).toBeLessThanOrEqual(0);
        else if (Math.abs(p - (even as number)) > 2e-9) expect(side(choice, p)).toBe(p > (even as number) ? 1 : -1);
      }),
    );
  });
});

describe("refuses, by name,", () => {
  it.each<[string, () => unknown, string]>([
    ["a probability above one", bad({}, 1.01), "p must be a probability, from 0 to 1: 1.01"],
    ["a percentage", bad({ detection: 40 }), "detection must be a probability, from 0 to 1: 40; a percentage is divided by 100"],
    ["a negative probability", bad({}, -0.1), "p must be a probability"],
    ["no number", bad({}, Number.NaN), "p must be a probability"],
    [
      "a negative time",
      bad({ review: { minutes: -3, hourlyPico: usd("60") } }),
      `review.minutes must be minutes, from 0 to ${minutesMax}: -3`,
    ],
    ["endless time", bad({ against: person(Infinity, "60") }), "against.labour.minutes must be minutes"],
    ["a time that is no number", bad({ cleanup: { minutes: Number.NaN, hourlyPico: zero } }), "cleanup.minutes must be minutes"],
    ["a negative rate", bad({ review: { minutes: 3, hourlyPico: usd("-60") } }), "review.hourlyPico must be an amount of zero or more"],
    ["a negative amount", bad({ damagePico: usd("-1") }), "damagePico must be an amount of zero or more: -1000000000000 picodollars"],
    ["a negative value", bad({ against: { kind: "nobody", valuePico: -1n as Pico } }), "against.valuePico must be an amount"],
    ["half a task", () => weigh(free, 0.5, 0.5), "tasks must be a whole number"],
    ["an impossible d0", () => reviewPays(free, 0.5, 2), "unreviewed must be a probability"],
  ])("%s", (_, act, message) => {
    expect(act).toThrow(RangeError);
    expect(act).toThrow(message);
  });
});

function dollars() {
  return bigInt({ min: 0n, max: 10n ** 16n }).map(toPico);
}

function bad(change: Partial<Choice>, p = 0.5) {
  return (): unknown => weigh({ ...free, ...change }, p);
}
