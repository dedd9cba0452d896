// Guarantees 6 and 7, attacked: a few short runs of the adversary (docs/adversary.md) on the real server. `npm run test:adversary` goes on for
// longer. PENNYWORTH_SEED sets the seed of the last run; the others are always the same.

import { expect, test } from "vitest";
import { run } from "./adversary/run.ts";

const seed = Number(process.env["PENNYWORTH_SEED"] ?? Date.now() % 1_000_000);

test.each([
  // Storms, silence, broken streams, no usage, breaches, impatient clients: all of it.
  [83, 240],
  [seed, 160],
])(
  "guarantees 6 and 7: hard budgets hold, and nothing is refused for a ghost: the adversary, seed %i",
  async (from, most) => {
    const { faults, calls, tries, refused } = await run({ seed: from, calls: most, concurrency: 120, say: () => {} });
    console.log(`seed ${from}: ${calls} calls, ${tries} tries, ${refused} refused`);
    expect({ seed: from, faults }).toEqual({ seed: from, faults: [] });
    expect(tries).toBeGreaterThan(0);
  },
  180_000,
);
