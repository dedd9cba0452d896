import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toPico } from "../core/money.ts";
import { compare, type Run } from "./compare.ts";

const cents = (count: number) => toPico(BigInt(Math.round(count * 1e10)));

/** Runs at tasks t0, t1, …: one letter each, `+` for a success, `-` for a failure, `?` for nobody knows. */
function runs(outcomes: string, cost: (index: number) => number | null, from = 0): Run[] {
  return [...outcomes].map((letter, index) => {
    const costs = cost(index);
    return {
      task: `t${from + index}`,
      costPico: costs === null ? null : cents(costs),
      success: letter === "?" ? null : letter === "+",
    };
  });
}

/** Mulberry32: the same numbers on every machine. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const twice = (list: Run[]): Run[] => [...list, ...list];

const normal = (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Runs at the same tasks by two candidates: some tasks are harder and dearer than others, for both. */
function simulate(random: () => number, tasks: number, rates: readonly [number, number], costs: readonly [number, number], sigma = 0.8) {
  const pair: [Run[], Run[]] = [[], []];
  for (let index = 0; index < tasks; index += 1) {
    const [hard, dear] = [random(), normal(random)];
    for (const side of [0, 1] as const) {
      const draw = random() < 0.5 ? hard : random();
      const log = sigma * (0.6 * dear + 0.8 * normal(random)) - sigma ** 2 / 2;
      pair[side].push({ task: `t${index}`, costPico: cents(costs[side] * Math.exp(log)), success: draw < rates[side] });
    }
  }
  return pair;
}

describe("two candidates on the same tasks", () => {
  it("tells that ten tasks against two are better, by the exact test", () => {
    const result = compare(
      runs("++++++++++--++++++++", () => 3),
      runs("----------++++++++++", () => 1),
    );
    expect(result).toMatchObject({ verdict: "better", paired: true, shared: 20, more: null });
    expect(result.success).toMatchObject({ wins: 10, losses: 2, ties: 8, tasks: [20, 20], rates: [0.9, 0.5] });
    expect(result.success.pValue).toBeCloseTo(158 / 4096, 12);
    expect(result.cost.verdict).toBe("dearer");
    expect(result.cost.differencePico).toEqual({ mean: cents(2), low: cents(2), high: cents(2) });
  });

  it("does not tell five against none: the exact test cannot", () => {
    const result = compare(
      runs("+++++++++-", () => 1),
      runs("-----++++-", () => 1),
    );
    expect(result.success.pValue).toBeCloseTo(0.0625, 12);
    expect(result.verdict).toBe("not-enough-data");
    expect(result.success.interval.low).toBeLessThanOrEqual(0);
    expect(result.more).toMatchObject({ question: "success" });
  });

  it("raises the bar when many pairs are looked at", () => {
    const [a, b] = [runs("++++++++++--++++++++", () => 1), runs("----------++++++++++", () => 1)];
    expect(compare(a, b, { comparisons: 10 })).toMatchObject({ verdict: "not-enough-data" });
    expect(compare(a, b, { comparisons: 10 }).confidence).toBeCloseTo(0.995, 12);
  });

  it("calls the cheaper one cheaper for the same success, once enough tasks show both", () => {
    const outcomes = "+".repeat(270) + "-".repeat(30);
    const cheap = runs(outcomes, (index) => 1 + (index % 3));
    const dear = runs(outcomes, (index) => 2 + (index % 5));
    expect(compare(cheap, dear)).toMatchObject({ verdict: "cheaper-same", cost: { verdict: "cheaper" } });
    expect(compare(dear, cheap)).toMatchObject({ verdict: "dearer-same", cost: { verdict: "dearer" } });
    expect(compare(cheap, cheap)).toMatchObject({ verdict: "same", cost: { verdict: "same" } });
    // Twenty tasks with the same outcomes do not show that rates are within five points.
    expect(compare(cheap.slice(0, 20), dear.slice(0, 20))).toMatchObject({ verdict: "not-enough-data", more: { question: "success" } });
    expect(compare(dear.slice(0, 20), cheap.slice(0, 20))).toMatchObject({ verdict: "not-enough-data", cost: { verdict: "dearer" } });
  });

  it("compares only what both did, and tells what that leaves out", () => {
    // The second was only asked where the first had failed, and there were tasks of its own.
    const first = runs("+".repeat(30) + "-".repeat(10), () => 1);
    const second = runs("++++++++++++", () => 5, 30);
    const result = compare(first, second);
    expect(result).toMatchObject({ paired: true, shared: 10, verdict: "worse" });
    expect(result.leftOut.first).toEqual({ tasks: 30, share: 0.75, rate: 1 });
    expect(result.leftOut.second).toEqual({ tasks: 2, share: 2 / 12, rate: 1 });
  });

  it("compares all tasks of each where hardly any are shared", () => {
    const result = compare(
      runs("+".repeat(56) + "-".repeat(14), () => 1),
      runs("+".repeat(48) + "-".repeat(32), () => 1, 68),
    );
    expect(result).toMatchObject({ paired: false, shared: 2, verdict: "better" });
    expect(result.success).toMatchObject({ pValue: null, wins: null, tasks: [70, 80] });
    expect(result.success.interval.low).toBeCloseTo(0.0524, 4);
  });

  it("leaves what nobody knows out of its own question only", () => {
    const first = runs("++++++++++", (index) => (index < 3 ? null : 2));
    const second = runs("??++++++++", () => 1);
    const result = compare(first, second);
    expect(result.success.tasks).toEqual([8, 8]);
    expect(result.cost.tasks).toEqual([7, 7]);
    expect(result.cost.meansPico).toEqual([cents(2), cents(1)]);
    expect(
      compare(
        runs("++++++++", () => null),
        second,
      ).cost,
    ).toMatchObject({ tasks: [0, 0], meansPico: [null, null], verdict: null });
  });

  it("knows nothing of nothing", () => {
    const result = compare([], []);
    expect(result).toMatchObject({ verdict: "not-enough-data", shared: 0, more: null });
    expect(result.success).toMatchObject({ rates: [null, null], difference: null, interval: { low: -1, high: 1 } });
  });

  it("counts several tries at a task as one task", () => {
    const [a, b] = [runs("+++++---", (index) => index), runs("----+-+-", (index) => 2 * index)];
    expect(compare(twice(a), twice(b))).toEqual(compare(a, b));
  });

  it("does not call two the same because no task told them apart: few tasks may hide many", () => {
    // Of 54 tasks none differs. One in fifteen may well do so: Wilson's upper end of 0 in 54 is 6.64 %.
    const list = runs("+".repeat(30) + "-".repeat(24), (index) => 1 + (index % 3));
    const result = compare(list, list);
    expect(result.verdict).toBe("not-enough-data");
    expect(result.success.interval.high).toBeCloseTo(0.0664, 4);
    expect(result.success.interval.low).toBeCloseTo(-0.0664, 4);
  });

  it("refuses what cannot be", () => {
    expect(() => compare([], [], { confidence: 1 })).toThrow(/confidence/);
    expect(() => compare([], [], { margin: -0.1 })).toThrow(/margin/);
    expect(() => compare([], [], { comparisons: 0 })).toThrow(/comparisons/);
  });

  it("says the mirror of itself when swapped", () => {
    const mirror = {
      better: "worse",
      worse: "better",
      "cheaper-same": "dearer-same",
      "dearer-same": "cheaper-same",
      same: "same",
      "not-enough-data": "not-enough-data",
    };
    const run = fc.record({
      task: fc.constantFrom(..."abcdefghijklmnopqrst"),
      costPico: fc.option(fc.bigInt({ min: 0n, max: 10n ** 13n }).map(toPico)),
      success: fc.option(fc.boolean()),
    });
    const list = fc.array(run, { maxLength: 40 });
    fc.assert(
      fc.property(list, list, (a, b) => {
        const [one, other] = [compare(a, b, { margin: 0.3 }), compare(b, a, { margin: 0.3 })];
        expect(other.verdict).toBe(mirror[one.verdict]);
        expect(other.shared).toBe(one.shared);
        expect(other.leftOut).toEqual({ first: one.leftOut.second, second: one.leftOut.first });
        expect(other.success.interval.low).toBeCloseTo(-one.success.interval.high, 12);
        expect(other.more?.tasks).toBe(one.more?.tasks);
      }),
    );
  });
});

describe("simulated candidates", () => {
  it("are rarely told apart when they are alike", () => {
    const random = randomOf(7);
    let [told, cost] = [0, 0];
    for (let at = 0; at < 400; at += 1) {
      const [a, b] = simulate(random, 60, [0.7, 0.7], [5, 5]);
      const result = compare(a, b);
      if (result.verdict === "better" || result.verdict === "worse") told += 1;
      if (result.cost.verdict === "cheaper" || result.cost.verdict === "dearer") cost += 1;
    }
    expect(told / 400).toBeLessThan(0.06);
    expect(cost / 400).toBeLessThan(0.08);
  });

  it("are not called cheaper for a heavy tail that the sample has not met", () => {
    const random = randomOf(11);
    let cheaper = 0;
    for (let at = 0; at < 400; at += 1) {
      const [heavy] = simulate(random, 30, [0.5, 0.5], [5, 5], 2);
      const [light] = simulate(random, 30, [0.5, 0.5], [5, 5], 1);
      if (compare(heavy, light).cost.verdict === "cheaper") cheaper += 1;
    }
    // Student's interval alone says so in more than one of six.
    expect(cheaper / 400).toBeLessThan(0.08);
  });

  it("are told apart by about as many more tasks as it says", () => {
    const random = randomOf(3);
    const counts: number[] = [];
    for (let at = 0; at < 200; at += 1) {
      const [a, b] = simulate(random, 40, [0.8, 0.6], [5, 5]);
      const { more } = compare(a, b, { margin: 0 });
      if (more !== null) counts.push(40 + more.tasks);
    }
    counts.sort((a, b) => a - b);
    const middle = counts[Math.floor(counts.length / 2)] as number;
    let settled = 0;
    for (let at = 0; at < 100; at += 1) {
      const [a, b] = simulate(random, middle, [0.8, 0.6], [5, 5]);
      if (compare(a, b, { margin: 0 }).verdict === "better") settled += 1;
    }
    expect(settled / 100).toBeGreaterThan(0.6);
  });
});
