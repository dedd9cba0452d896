// Against the obvious way: at every piece, price what has passed and compare.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Cutoff } from "./cutoff.ts";

const tokensOf = (bytes: number): number => Math.ceil(bytes / 4);
/** A start of 300, three a token, and five a token above 1,000. */
const price = (tokens: number): bigint => 300n + 3n * BigInt(tokens) + 2n * BigInt(Math.max(0, tokens - 1_000));

/** @returns where it is over, of pieces of 8 bytes, once nothing is allowed after the first. */
const run = (isTold: boolean): number => {
  let allowed = 1_000_000n;
  const cutoff = new Cutoff({ tokensOf, price, allowed: () => allowed, bytesBetweenMax: 1_024 });
  expect(cutoff.over(8)).toBe(false);
  allowed = 0n;
  if (isTold) cutoff.again();
  for (let passed = 16; ; passed += 8) if (cutoff.over(passed)) return passed;
};

describe("a running stream is over", () => {
  it("at the first piece with which it costs more than it may, whatever the pieces", () => {
    const pieces = fc.array(fc.integer({ min: 0, max: 9_000 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(pieces, fc.bigInt(0n, 60_000n), fc.integer({ min: 1, max: 10_000 }), (sizes, allowed, bytesBetweenMax) => {
        const cutoff = new Cutoff({ tokensOf, price, allowed: () => allowed, bytesBetweenMax });
        let passed = 0;
        for (const size of sizes) {
          passed += size;
          expect(cutoff.over(passed)).toBe(price(tokensOf(passed)) > allowed);
        }
      }),
    );
  });

  it("to the byte: 100 tokens after the start are 600, and one byte more is a token more", () => {
    const cutoff = new Cutoff({ tokensOf, price, allowed: () => 600n });
    expect([cutoff.over(399), cutoff.over(400), cutoff.over(401), cutoff.over(0)]).toEqual([false, false, true, true]);
  });

  it("within so many bytes when what is allowed has shrunk meanwhile, and at once when it is told so", () => {
    expect(run(true)).toBe(16);
    expect(run(false)).toBe(1_032);
  });

  it("never, where there is no limit, until there is one", () => {
    let allowed: bigint | null = null;
    const cutoff = new Cutoff({ tokensOf, price, allowed: () => allowed, bytesBetweenMax: 100 });
    expect(cutoff.over(1e9)).toBe(false);
    allowed = 300n;
    expect(cutoff.over(1e9 + 99)).toBe(false);
    expect(cutoff.over(1e9 + 100)).toBe(true);
  });

  it("after few looks at the price: one for each step while it is far off, and some at the end", () => {
    let looks = 0;
    const counted = (tokens: number): bigint => {
      looks++;
      return price(tokens);
    };
    const cutoff = new Cutoff({ tokensOf, price: counted, allowed: () => 300n + 3n * 1_000n, bytesBetweenMax: 400 });
    let passed = 0;
    while (!cutoff.over(passed)) passed++;
    expect(passed).toBe(4_001);
    // Two in each of ten steps, as many as there are halvings of 400 at the last one, and the one that says so.
    expect(looks).toBeLessThanOrEqual(10 * 2 + 2 + 9 + 1);
  });
});
