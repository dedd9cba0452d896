import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUsd, type Pico, toPico } from "../core/money.ts";
import { concentration } from "./whales.ts";
import { cap, fitCountMin, fitLognormal, lognormalGini, lognormalTopShare, sigmaOfTopShare } from "./lognormal.ts";
import { normalCdf, normalQuantile } from "./normal.ts";

const dollars = (pico: bigint): number => Number(pico) / 1e12;
const dollarsOf = (...logs: number[]): Pico[] => logs.map((log) => toPico(BigInt(Math.round(Math.exp(log) * 1e12))));
const relative = (found: number, wanted: number): number => Math.abs(found / wanted - 1);

describe("the normal distribution", () => {
  // By mpmath 1.3.0 at 40 digits, to the nearest float.
  it.each([
    [-38, 2.88542835e-316, 1e-7], // a float has fewer digits down there
    [-37, 5.725571222524577e-300, 1e-12],
    [-10, 7.619853024160525e-24, 1e-13],
    [-5, 2.866515718791939e-7, 1e-13],
    [-3, 0.0013498980316300946, 1e-14],
    [-2.0001, 0.022744733391410546, 1e-14],
    [-2, 0.02275013194817921, 1e-13],
    [-1.9999, 0.022755531584767185, 1e-13],
    [-1, 0.15865525393145705, 1e-14],
    [-0.5, 0.3085375387259869, 1e-14],
    [-1e-9, 0.49999999960105773, 1e-15],
    [0, 0.5, 1e-16],
    [0.3, 0.6179114221889527, 1e-15],
    [1, 0.8413447460685429, 1e-15],
    [1.96, 0.9750021048517795, 1e-15],
    [2.5, 0.9937903346742238, 1e-15],
    [4, 0.9999683287581669, 1e-15],
    [6, 0.9999999990134123, 1e-15],
  ])("Φ(%s) is %s", (x, p, within) => expect(relative(normalCdf(x), p)).toBeLessThan(within));

  it.each([
    [1e-300, -37.0470962993612],
    [1e-20, -9.262340089798407],
    [1e-6, -4.753424308822899],
    [0.001, -3.0902323061678136],
    [0.01, -2.326347874040841],
    [0.025, -1.9599639845400543],
    [0.1, -1.2815515655446004],
    [0.25, -0.6744897501960817],
    [0.75, 0.6744897501960817],
    [0.9, 1.2815515655446006],
    [0.975, 1.9599639845400538],
    [0.99, 2.3263478740408408],
    [0.999999, 4.753424308817087],
  ])("Φ⁻¹(%s) is %s", (p, x) => expect(relative(normalQuantile(p), x)).toBeLessThan(1e-13));

  it("has an inverse everywhere", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 0.5, noNaN: true }), (p) => {
        expect(relative(normalCdf(normalQuantile(p)), p)).toBeLessThan(1e-11);
        expect(normalQuantile(1 - p)).toBeCloseTo(-normalQuantile(1 - (1 - p)), 12);
      }),
    );
    expect([0, 0.5, 1].map(normalQuantile)).toEqual([-Infinity, 0, Infinity]);
    expect([-Infinity, Infinity].map(normalCdf)).toEqual([0, 1]);
    expect(Number.isFinite(normalQuantile(Number.MIN_VALUE))).toBe(true);
  });

  it.each([-0.1, 1.1, Number.NaN])("refuses %s as a probability", (p) => expect(() => normalQuantile(p)).toThrow(RangeError));
  it("refuses what is no number", () => expect(() => normalCdf(Number.NaN)).toThrow(RangeError));
});

describe("log-normal shares of the reference", () => {
  it.each([
    [0.7, 1.806, 0.301],
    [0.75, 1.956, 0.356],
    [0.8, 2.123, 0.419],
  ])("a top tenth with %s of cost is σ = %s, and the top hundredth has %s", (share, sigma, hundredth) => {
    expect(sigmaOfTopShare(0.1, share)).toBeCloseTo(sigma, 3);
    expect(lognormalTopShare(sigmaOfTopShare(0.1, share), 0.01)).toBeCloseTo(hundredth, 3);
    expect(lognormalTopShare(sigma, 0.1)).toBeCloseTo(share, 3);
  });

  it("a cap of $20 where the mean is $10 and σ 2: .08906 above, .7433 of cost theirs, excess 5.6514, capped 4.3486", () => {
    const capped = cap({ meanPico: parseUsd("10"), sigma: 2 }, parseUsd("20"));
    expect(capped.probability).toBeCloseTo(0.08906, 5);
    expect(capped.costShare).toBeCloseTo(0.7433, 4);
    expect(dollars(capped.excessPico)).toBeCloseTo(5.6514, 4);
    expect(dollars(capped.cappedPico)).toBeCloseTo(4.3486, 4);
    // The three integrals themselves, by mpmath's quadrature.
    expect(capped.probability).toBeCloseTo(0.0890588023004725, 13);
    expect(capped.costShare).toBeCloseTo(0.743259291248406, 13);
    expect(dollars(capped.excessPico)).toBeCloseTo(5.65141686647461, 11);
  });
});

describe("spread and shares", () => {
  it("say the same as customers whose costs are the quantiles of such a distribution", () => {
    const sigma = 0.8;
    const rows = Array.from({ length: 20_000 }, (_, index) => ({
      customer: `c${index}`,
      costPico: toPico(BigInt(Math.round(1e9 * Math.exp(sigma * normalQuantile((index + 0.5) / 20_000))))),
    }));
    const { gini, tops } = concentration(rows);
    expect(lognormalGini(sigma)).toBeCloseTo(gini as number, 3);
    expect([0.01, 0.1].map((top) => lognormalTopShare(sigma, top))).toEqual(tops.map(({ share }) => expect.closeTo(share, 3) as number));
  });

  it("turn into each other, and grow together", () => {
    const spread = fc.double({ min: 0, max: 5, noNaN: true });
    fc.assert(
      fc.property(spread, spread, fc.double({ min: 0.001, max: 0.9, noNaN: true }), (a, b, top) => {
        const share = lognormalTopShare(a, top);
        if (share < 0.999999 && share >= top) expect(sigmaOfTopShare(top, share)).toBeCloseTo(a, 6);
        expect(Math.sign(lognormalTopShare(b, top) - share) * Math.sign(b - a)).toBeGreaterThanOrEqual(0);
        expect(lognormalGini(a)).toBeGreaterThanOrEqual(0);
        expect(lognormalGini(a)).toBeLessThan(1);
      }),
    );
  });

  it("refuse what cannot be", () => {
    expect(() => sigmaOfTopShare(0.1, 0.05)).toThrow(/from 0.1 \(all alike\) to below 1: 0.05/);
    expect(() => sigmaOfTopShare(0.1, 1)).toThrow(RangeError);
    expect(() => lognormalTopShare(-1, 0.1)).toThrow(RangeError);
    expect(() => lognormalTopShare(1, 0)).toThrow(RangeError);
    expect(() => lognormalGini(Number.NaN)).toThrow(RangeError);
  });
});

describe("a cap", () => {
  it("splits the mean to the last digit, and takes less the higher it is", () => {
    const amount = fc.bigInt({ min: 0n, max: 10n ** 20n });
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10n ** 20n }),
        fc.double({ min: 0, max: 4, noNaN: true }),
        amount,
        amount,
        (mean, sigma, a, b) => {
          const costs = { meanPico: toPico(mean), sigma };
          const [low, high] = [a < b ? a : b, a < b ? b : a].map((pico) => cap(costs, toPico(pico)));
          if (low === undefined || high === undefined) throw new Error("no caps");
          for (const found of [low, high]) {
            expect(found.excessPico + found.cappedPico).toBe(mean);
            expect(found.excessPico >= 0n && found.cappedPico >= 0n).toBe(true);
            expect(found.costShare).toBeGreaterThanOrEqual(found.probability);
          }
          // Within what a float can tell.
          expect(high.excessPico <= low.excessPico + mean / 10n ** 12n + 1n).toBe(true);
          expect(high.probability).toBeLessThanOrEqual(low.probability);
        },
      ),
    );
  });

  it("at nothing caps all; without spread it caps what is above it", () => {
    const mean = toPico(100n);
    expect(cap({ meanPico: mean, sigma: 1 }, toPico(0n))).toEqual({ probability: 1, costShare: 1, excessPico: 100n, cappedPico: 0n });
    expect(cap({ meanPico: mean, sigma: 0 }, toPico(60n))).toEqual({ probability: 1, costShare: 1, excessPico: 40n, cappedPico: 60n });
    expect(cap({ meanPico: mean, sigma: 0 }, toPico(160n))).toEqual({ probability: 0, costShare: 0, excessPico: 0n, cappedPico: 100n });
  });

  it("refuses a mean of nothing and a cap below it", () => {
    expect(() => cap({ meanPico: toPico(0n), sigma: 1 }, toPico(1n))).toThrow(RangeError);
    expect(() => cap({ meanPico: toPico(1n), sigma: 1 }, toPico(-1n))).toThrow(RangeError);
  });
});

describe("a fit", () => {
  it("finds mean and deviation of the logarithms, and keeps zeros apart", () => {
    const fit = fitLognormal([...dollarsOf(-2, -1, 0, 1, 2), toPico(0n), toPico(0n)]);
    expect(fit).toMatchObject({ count: 5, zeros: 2 });
    expect(fit?.mu.value).toBeCloseTo(0, 9);
    expect(fit?.sigma.value).toBeCloseTo(Math.sqrt(2.5), 9);
    expect(dollars(fit?.meanPico?.value ?? 0n)).toBeCloseTo(Math.exp(1.25), 9);
    // Tables: t(.975; 4) = 2.776, χ²(.025; 4) = 0.484, χ²(.975; 4) = 11.143.
    expect(relative(fit?.mu.high ?? 0, 2.776 * Math.sqrt(2.5 / 5))).toBeLessThan(0.01);
    expect(relative(fit?.sigma.low ?? 0, Math.sqrt((2.5 * 4) / 11.143))).toBeLessThan(0.01);
    expect(relative(fit?.sigma.high ?? 0, Math.sqrt((2.5 * 4) / 0.484))).toBeLessThan(0.05);
  });

  it("keeps close to the confidence it promises", () => {
    const random = mulberry(7);
    const [mu, sigma, runs] = [-3, 1.5, 600];
    for (const count of [fitCountMin, 30]) {
      const within = { mu: 0, sigma: 0, mean: 0 };
      for (let run = 0; run < runs; run += 1) {
        const fit = fitLognormal(dollarsOf(...Array.from({ length: count }, () => mu + sigma * normalQuantile(random()))));
        if (fit === null || fit.meanPico === null) throw new Error("no fit");
        const mean = Math.exp(mu + sigma ** 2 / 2);
        if (fit.mu.low <= mu && mu <= fit.mu.high) within.mu += 1 / runs;
        if (fit.sigma.low <= sigma && sigma <= fit.sigma.high) within.sigma += 1 / runs;
        if (dollars(fit.meanPico.low) <= mean && mean <= dollars(fit.meanPico.high)) within.mean += 1 / runs;
      }
      // Three standard errors of 600 runs are 2.7 points. The mean's interval falls short where costs are few, as its description says.
      for (const part of [within.mu, within.sigma]) expect(part).toBeGreaterThan(0.95 - 0.027);
      expect(within.mean).toBeGreaterThan((count === fitCountMin ? 0.91 : 0.94) - 0.027);
      expect(within.mu).toBeLessThan(0.95 + 0.027);
      expect(within.sigma).toBeLessThan(0.95 + 0.027);
    }
  });

  it("says nothing of too few, or of costs that are all equal", () => {
    expect(fitLognormal(dollarsOf(1, 2, 3, 4))).toBeNull();
    expect(fitLognormal(Array.from({ length: 9 }, () => toPico(5n)))).toBeNull();
    expect(() => fitLognormal([toPico(-1n)])).toThrow(RangeError);
    expect(() => fitLognormal([], 1)).toThrow(RangeError);
  });
});

/** Uniform numbers between 0 and 1 from a seed (mulberry32). */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return (((bits ^ (bits >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}
