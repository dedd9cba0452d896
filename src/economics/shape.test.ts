import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUsd } from "../core/money.ts";
import { anyRun, call, classNames, metered } from "./run.fixture.ts";
import { merge, noShape, shapeOf, slopeOf, worstOf } from "./shape.fixture.ts";

const promptBytes = { system: 400, tools: 300, user: 100, earlier: 150, toolResults: 50 };

const of = (chain: string, tokens: number) => call({ chain, ...metered(tokens, 0, 0) });

describe("the shape of a run", () => {
  const run = [
    call({ kind: "plan", ...metered(1000, 0, 100), window: 10_000, promptBytes, sharedTokens: 0 }),
    call({ kind: "act", failed: true, request: "w", costPico: null, classPico: null, quantities: null, tools: null }),
    call({ kind: "act", request: "w", attempt: 2, ...metered(2000, 1000, 100), window: 10_000, promptBytes, sharedTokens: 1000, tools: 2 }),
    call({ depth: 1, ...metered(5000, 0, 0), classPico: null, window: 10_000, sharedTokens: 3000, tools: 1 }),
  ];
  const shape = shapeOf(run);

  it("counts calls, retries, failures, tools and depth", () => {
    expect(shape).toMatchObject({
      runs: 1,
      calls: 4,
      callsMax: 4,
      retries: 1,
      failed: 1,
      tools: 3,
      toolsUnknown: 1,
      depthMax: 1,
      unpriced: 1,
      unmetered: 1,
      inputTokens: 9000,
      outputTokens: 200,
    });
  });

  it("has its money by kind and by class, to the last digit", () => {
    expect(shape.costPico).toBe(parseUsd("0.02225"));
    expect(shape.byKind).toEqual({
      plan: { calls: 1, costPico: parseUsd("0.0035"), unpriced: 0 },
      act: { calls: 2, costPico: parseUsd("0.00625"), unpriced: 1 },
      observe: { calls: 0, costPico: 0n, unpriced: 0 },
      check: { calls: 0, costPico: 0n, unpriced: 0 },
      none: { calls: 1, costPico: parseUsd("0.0125"), unpriced: 0 },
    });
    expect(shape.byClass).toEqual({ input: parseUsd("0.0075"), cache_read: parseUsd("0.00025"), output: parseUsd("0.002") });
    expect(shape.classlessPico).toBe(parseUsd("0.0125"));
  });

  it("has the prompt by part, and how the context grew and filled the window", () => {
    expect(shape.prompt).toEqual({ system: 800, tools: 600, user: 200, earlier: 300, toolResults: 100 });
    expect(shape.promptUnknown).toBe(2);
    // 1,000, 3,000, 5,000 tokens: 2,000 a step.
    expect(slopeOf(shape.growth)).toBe(2000);
    expect(shape.growth).toMatchObject({ chains: 1, total: 4000 });
    expect(shape.fill).toEqual({ maxPpm: 500_000, lastPpm: 500_000, lastChains: 1 });
  });

  it("has what was sent again and not cached, and names the worst step", () => {
    // 0 of the third call, whose 1,000 shared tokens were read; 3,000 of the last: 0.0075 fresh, 0.00675 of it for nothing.
    expect(shape.resent).toEqual({ tokens: 3000, costPico: parseUsd("0.0075"), savedPico: parseUsd("0.00675"), unpriced: 0, unknown: 1 });
    expect(worstOf(shape)).toEqual({ waste: "resent", step: null, calls: 1, savedPico: parseUsd("0.00675"), unknown: 0 });
    expect(worstOf(noShape)).toBeNull();
  });

  it("grows within chains: two that stand still do not grow, however they differ", () => {
    const still = shapeOf([of("a", 100), of("b", 9000), of("a", 100), of("b", 9000)]);
    expect(slopeOf(still.growth)).toBe(0);
    expect(still.growth).toMatchObject({ chains: 2, total: 0 });
    expect(slopeOf(shapeOf([of("a", 100)]).growth)).toBeNull();
  });

  it("takes two tries of one request for one step", () => {
    const tries = [1, 2].map((attempt) => call({ request: "twice", attempt, ...metered(100, 0, 0) }));
    expect(slopeOf(shapeOf([...tries, call(metered(400, 0, 0))]).growth)).toBe(300);
  });

  it("has the slope of least squares", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 200_000 }), { minLength: 2, maxLength: 20 }), (tokens) => {
        const n = tokens.length;
        const [xs, ys] = [(n * (n - 1)) / 2, tokens.reduce((a, b) => a + b, 0)];
        const xy = tokens.reduce((total, token, index) => total + index * token, 0);
        const xx = tokens.reduce((total, _, index) => total + index * index, 0);
        const slope = slopeOf(shapeOf(tokens.map((token) => call(metered(token, 0, 0)))).growth);
        expect(slope).toBeCloseTo((n * xy - xs * ys) / (n * xx - xs * xs), 6);
      }),
    );
  });

  it("refuses what cannot be", () => {
    expect(() => shapeOf([call({ attempt: 0 })])).toThrow(/attempt must be/);
    expect(() => shapeOf([call({ depth: -1 })])).toThrow(/depth must be/);
    expect(() => shapeOf([call({ window: 0 })])).toThrow(/window must be/);
    expect(() => shapeOf([call({ quantities: { input: Number.NaN } })])).toThrow(/input must be/);
    expect(() => shapeOf([call({ costPico: parseUsd("1") })])).toThrow(/they must be the same/);
    expect(() => shapeOf([call({ costPico: parseUsd("-1"), classPico: null })])).toThrow(/costPico must be zero or more/);
  });

  it("adds up: kinds and classes to the whole, and savings to no more than the spend", () => {
    fc.assert(
      fc.property(fc.array(anyRun, { maxLength: 6 }), (runs) => {
        const whole = runs.map(shapeOf).reduce(merge, noShape);
        const priced = runs.flat().reduce((total, one) => total + (one.costPico ?? 0n), 0n);
        const kinds = Object.values(whole.byKind);
        expect(whole.costPico).toBe(priced);
        expect(kinds.reduce((total, kind) => total + kind.costPico, 0n)).toBe(priced);
        expect(kinds.reduce((total, kind) => total + kind.calls, 0)).toBe(runs.flat().length);
        expect(classNames(whole.byClass).reduce((total, name) => total + (whole.byClass[name] ?? 0n), whole.classlessPico as bigint)).toBe(
          priced,
        );
        expect(whole.wastes.reduce((total, waste) => total + waste.savedPico, 0n)).toBeLessThanOrEqual(priced);
      }),
    );
  });

  it("merges in any grouping and any order, with nothing as its zero", () => {
    fc.assert(
      fc.property(anyRun, anyRun, anyRun, (x, y, z) => {
        const [a, b, c] = [shapeOf(x), shapeOf(y), shapeOf(z)];
        expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)));
        expect(merge(a, b)).toEqual(merge(b, a));
        expect(merge(a, noShape)).toEqual(a);
      }),
    );
  });
});
