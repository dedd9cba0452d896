import { assert, double, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUsd, zero } from "../core/money.ts";
import { wilson } from "./interval.ts";
import { spendPerSuccess } from "./success.ts";
import { judge, type Success, toEnds } from "./verdict.ts";
import { breakEven, type Choice } from "./worth.ts";

const none = { minutes: 0, hourlyPico: zero };
/** H of $100, every failure found: p* is the run's share of it. */
const runs = (dollars: string, detection = 1): Choice => ({
  against: { kind: "person", labour: { minutes: 60, hourlyPico: parseUsd("100") } },
  runPico: parseUsd(dollars),
  review: none,
  cleanup: none,
  cleanupPico: zero,
  detection,
  damagePico: zero,
  irreversiblePico: zero,
});
const said = (p: number): Success => ({ kind: "said", p });
const counted = (successes: number, tasks: number, confidence?: number): Success => ({
  kind: "counted",
  successes,
  tasks,
  ...(confidence === undefined ? {} : { confidence }),
});

describe("ends that nobody said", () => {
  const ends = { successes: 40, failures: 10, unknown: 45, open: 5 };

  it("are as what a success costs has them", () => {
    const money = { onSuccessesPico: zero, onFailuresPico: zero, onUnknownPico: zero, onOpenPico: zero, onRetriesPico: zero };
    const rest = { onReworkPico: zero, reviewMillis: null, valuePico: null, onUnvaluedPico: zero };
    const { rate } = spendPerSuccess({ ...ends, ...money, ...rest }, { units: null, quantiles: null, reviewPicoPerHour: null });
    expect(toEnds(ends)).toEqual({ low: rate.worst, high: rate.best });
    expect(toEnds(ends)).toEqual({ low: 0.4, high: 0.9 });
    expect(toEnds({ ...ends, unknown: 0, open: 0 })).toBeUndefined();
    expect(toEnds({ ...ends, successes: 0, failures: 0 })).toBeUndefined();
  });

  // 40 of 50: 0.670 to 0.888.
  it.each([
    ["39", "go"],
    ["40", "go"],
    ["41", "not_enough_data"],
    ["89", "not_enough_data"],
    ["90", "not_enough_data"],
    ["91", "no"],
  ])("stand on one side of a break-even of %s in a hundred, or it is open: %s", (dollars, verdict) => {
    expect(judge(runs(dollars), counted(40, 50), 1, { ends: { low: 0.4, high: 0.9 } }).verdict).toBe(verdict);
  });

  it("are those of a step where a task is a chain of them, and what is saved reaches as far", () => {
    const { reach, success, savedPico } = judge(runs("20"), counted(40, 50), 2, { ends: { low: 0.4, high: 0.9 } });
    expect(reach).toEqual({ low: expect.closeTo(0.16, 9), at: expect.closeTo(0.64, 9), high: expect.closeTo(0.81, 9) });
    expect(success?.low).toBeGreaterThan(0.4);
    expect(Number(savedPico?.low) / 1e12).toBeCloseTo(-4, 9);
  });
});

describe("a verdict", () => {
  it.each<[string, Choice, Success, string, string]>([
    // Wilson for 8 of 10 is 0.490..0.943, for 80 of 100 0.711..0.867.
    ["is open where ten tasks leave it so", runs("70"), counted(8, 10), "not_enough_data", "around_break_even"],
    ["is go where a hundred do not", runs("70"), counted(80, 100), "go", "above_break_even"],
    ["is no where a hundred do not", runs("90"), counted(80, 100), "no", "below_break_even"],
    ["is open without outcomes", runs("70"), counted(0, 0), "not_enough_data", "no_outcomes"],
    ["is open where nothing is known", runs("70"), { kind: "unknown" }, "not_enough_data", "no_outcomes"],
    ["takes a stated probability at its word", runs("70"), said(0.701), "go", "above_break_even"],
    ["takes a stated probability at its word", runs("70"), said(0.699), "no", "below_break_even"],
    ["is no where nothing is saved", runs("70"), said(0.7), "no", "at_break_even"],
    ["is go where the interval begins at break-even", runs("70"), { kind: "between", low: 0.7, high: 0.9 }, "go", "above_break_even"],
    [
      "is open where the interval ends at break-even",
      runs("70"),
      { kind: "between", low: 0.5, high: 0.7 },
      "not_enough_data",
      "around_break_even",
    ],
    // Nothing spent, every failure found: without a success it saves nothing, with any it does.
    ["is no at none where any success would do", runs("0"), said(0), "no", "at_break_even"],
    ["is open where none succeeded and any success would do", runs("0"), counted(0, 40), "not_enough_data", "around_break_even"],
    ["is go where one succeeded and any success would do", runs("0"), counted(1, 40), "go", "above_break_even"],
    ["is open without outcomes where any success would do", runs("0"), { kind: "unknown" }, "not_enough_data", "no_outcomes"],
    ["needs no data where it is cheaper in any case", runs("70", 0), { kind: "unknown" }, "go", "always_cheaper"],
    ["needs no data where it is dearer in any case", runs("100"), counted(10, 10), "no", "never_cheaper"],
  ])("%s", (_, choice, success, verdict, reason) => {
    expect(judge(choice, success)).toMatchObject({ verdict, reason });
  });

  it("comes with the interval and what is saved over it, never with a bare number", () => {
    const { success, savedPico, breakEven: even } = judge(runs("70"), counted(8, 10));
    expect(success).toEqual({ ...wilson(8, 10), at: 0.8 });
    expect(even).toEqual({ kind: "at", p: 0.7 });
    // Of $100 every point of probability above 70 % saves a dollar.
    expect(savedPico?.at).toBe(parseUsd("10"));
    expect(Number(savedPico?.low) / 1e12).toBeCloseTo(100 * (wilson(8, 10).low - 0.7), 6);
    expect(judge(runs("70"), { kind: "unknown" })).toMatchObject({ success: null, savedPico: null });
  });

  it("of a chain is that of its steps in a row", () => {
    // .85^10 = .197: above a break-even of 0.19, below one of 0.2. Success of a step at 0.8513 would do for 0.2.
    expect(judge(runs("19"), said(0.85), 10).verdict).toBe("go");
    expect(judge(runs("20"), said(0.85), 10).verdict).toBe("no");
    const { moreTasks } = judge(runs("20"), counted(90, 100), 10);
    expect(moreTasks?.likely).toBe(Math.floor((1.959963984540054 ** 2 * stepEven * (1 - stepEven)) / (0.9 - stepEven) ** 2) + 1 - 100);
  });
  const stepEven = 0.2 ** 0.1;
});

describe("how many more tasks would settle it", () => {
  it("for 8 of 10 against 70 %: 81 in all, if they go on like that", () => {
    // By hand: 1.95996² · 0.7 · 0.3 / 0.1² = 80.67.
    expect(judge(runs("70"), counted(8, 10)).moreTasks?.likely).toBe(71);
  });

  it("is what it takes, and one less is not", () => {
    assert(
      property(
        integer({ min: 1, max: 60 }),
        double({ min: 0, max: 1, noNaN: true }),
        integer({ min: 2, max: 98 }),
        (tasks, share, cents) => {
          const choice = runs(String(cents));
          const even = breakEven(choice).p as number;
          const successes = Math.round(tasks * share);
          const { verdict, moreTasks } = judge(choice, counted(successes, tasks));
          const isOut = (hits: number, n: number): boolean => wilson(hits, n).low > even || wilson(hits, n).high < even;
          if (verdict !== "not_enough_data") expect(moreTasks).toBeNull();
          else if (moreTasks?.likely != null) {
            const rate = successes / tasks;
            const n = tasks + moreTasks.likely;
            // The count expected then need not be whole; past a million tasks the ends are as near as floats tell.
            if (n < 1e6) expect([isOut(rate * n, n), isOut(rate * (n - 1), n - 1)]).toEqual([true, false]);
            expect(moreTasks.least).toBeLessThanOrEqual(moreTasks.likely);
          }
        },
      ),
    );
  });

  it("is at least so many, if all from here on succeed or all fail", () => {
    // Nothing known, p* 0.7: after n failures in a row the interval ends at z²/(n + z²): 0.793 after one, 0.658 after two.
    expect(judge(runs("70"), { kind: "unknown" }).moreTasks).toEqual({ likely: null, least: 2 });
    const { least } = judge(runs("70"), counted(8, 10)).moreTasks as { least: number };
    expect([isSettled(least), isSettled(least - 1)]).toEqual([true, false]);
  });

  it("nobody can say where tasks succeed as at break-even, or were not counted", () => {
    expect(judge(runs("70"), counted(7, 10)).moreTasks?.likely).toBeNull();
    expect(judge(runs("70"), { kind: "between", low: 0.6, high: 0.8 }).moreTasks).toBeNull();
  });

  it("is one success where any would do, and failures never settle it", () => {
    for (const success of [counted(0, 40), counted(0, 0)]) expect(judge(runs("0"), success).moreTasks).toEqual({ likely: null, least: 1 });
    const runPico = { low: zero, high: null };
    expect(judge(runs("0"), counted(0, 40), 1, { runPico }).moreTasks).toBeNull();
    // Dear at the worst: as many successes as that takes.
    const apart = judge(runs("0"), counted(0, 40), 1, { runPico: { low: zero, high: parseUsd("1") } }).moreTasks;
    expect(apart?.least).toBeLessThan(100);
  });

  it("is more for a higher confidence", () => {
    expect(likelyAt(0.99)).toBeGreaterThan(likelyAt(0.95));
  });
});

describe("refuses", () => {
  it.each<[Success, RegExp]>([
    [said(1.2), /p must be a probability/],
    [said(Number.NaN), /p must be a probability/],
    [{ kind: "between", low: -0.1, high: 0.5 }, /low must be a probability/],
    [{ kind: "between", low: 0.6, high: 0.5 }, /low must not be above high/],
    [counted(3, 2), /successes must be a whole number from 0 to the tasks, which are 2: 3/],
    [counted(1.5, 2), /successes must be a whole number/],
    [counted(0, -1), /tasks must be a whole number/],
    [counted(1, 2, 95), /confidence must be/],
  ])("%j", (success, message) => {
    expect(() => judge(runs("70"), success)).toThrow(RangeError);
    expect(() => judge(runs("70"), success)).toThrow(message);
  });
});

/** Eight of ten, then so many more that all succeed, or all fail. */
function isSettled(more: number): boolean {
  return wilson(8 + more, 10 + more).low >= 0.7 || wilson(8, 10 + more).high < 0.7;
}

function likelyAt(confidence: number): number {
  return judge(runs("70"), counted(8, 10, confidence)).moreTasks?.likely as number;
}
