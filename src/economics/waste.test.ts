import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUsd, toPico } from "../core/money.ts";
import { anyRun, call, metered } from "./run.fixture.ts";
import { addWastes, resentOf, type StepCall, wastesOf } from "./waste.fixture.ts";

const spent = (calls: readonly StepCall[]) => calls.reduce((total, one) => total + (one.costPico ?? 0n), 0n);

describe("context that was sent again", () => {
  it("is what was shared and not read from the cache, at the price of fresh input", () => {
    // 10,000 shared, 2,000 of them read: 8,000 tokens at 2.50 a million are 0.02; from the cache they are 0.002.
    expect(resentOf(call({ ...metered(9000, 2000, 10), sharedTokens: 10_000 }))).toEqual({
      tokens: 8000,
      costPico: parseUsd("0.02"),
      savedPico: parseUsd("0.018"),
    });
  });

  it("is nothing where the cache had it all, and never more than was paid as fresh or written", () => {
    expect(resentOf(call({ ...metered(500, 10_000, 10), sharedTokens: 9000 }))?.tokens).toBe(0);
    expect(resentOf(call({ ...metered(500, 0, 10), sharedTokens: 9000 }))?.tokens).toBe(500);
    const written = call({ quantities: { input: 10, cache_write_5m: 700, cache_read: 100 }, classPico: null, sharedTokens: 600 });
    expect(resentOf(written)?.tokens).toBe(500);
  });

  it("is not known where sharing or usage is not, and has no price where there is none", () => {
    expect(resentOf(call({ sharedTokens: null }))).toBeNull();
    expect(resentOf(call({ quantities: null, sharedTokens: 10 }))).toBeNull();
    expect(resentOf(call({ rates: null, sharedTokens: 10 }))).toEqual({ tokens: 10, costPico: null, savedPico: null });
  });

  it("saves nothing where the cache is no cheaper", () => {
    const rate = { pico: 5n, per: 1n };
    expect(resentOf(call({ rates: { input: rate, cacheRead: rate }, sharedTokens: 10 }))?.savedPico).toBe(0n);
  });

  it("refuses what cannot be", () => {
    expect(() => resentOf(call({ sharedTokens: -1 }))).toThrow(/sharedTokens must be a whole number/);
  });
});

describe("the wastes of a run", () => {
  const dear = metered(10_000, 0, 1000); // 0.025 + 0.01
  const cheap = metered(1000, 0, 100); // 0.0025 + 0.001

  it("are calls that failed, were the same again, came after the last change, or sent context again", () => {
    const run: StepCall[] = [
      call({ ...cheap, step: "plan", changed: false }),
      call({ ...cheap, step: "write", failed: true, changed: false, request: "w" }),
      call({ ...cheap, step: "write", request: "w", attempt: 2, same: "w", changed: true }),
      call({ ...dear, step: "look", same: "look", changed: false, kind: "check" }),
      call({ ...dear, step: "look", same: "look", changed: false, kind: "check" }),
      call({ ...cheap, step: "ponder", changed: false }),
      call({ ...dear, step: "tell", changed: false, sharedTokens: 4000 }),
    ];
    expect(wastesOf(run)).toEqual([
      { waste: "repeated", step: "look", calls: 1, savedPico: parseUsd("0.035"), unknown: 0 },
      { waste: "resent", step: "tell", calls: 1, savedPico: parseUsd("0.009"), unknown: 0 },
      { waste: "failed", step: "write", calls: 1, savedPico: parseUsd("0.0035"), unknown: 0 },
      { waste: "idle", step: "ponder", calls: 1, savedPico: parseUsd("0.0035"), unknown: 0 },
    ]);
  });

  it("does not call a retry of what failed the same again", () => {
    expect(wastesOf([call({ failed: true, same: "a" }), call({ same: "a", attempt: 2 })]).map(({ waste }) => waste)).toEqual(["failed"]);
  });

  it("does not know what was idle where nobody says what changed", () => {
    const changed = call({ changed: true });
    const wastes = (last: boolean | null) =>
      wastesOf([changed, call({ changed: false }), call({ changed: last }), call({ changed: false })]);
    expect(wastes(false)).toMatchObject([{ waste: "idle", calls: 2 }]);
    expect(wastes(null)).toEqual([]);
    expect(wastesOf([call({ changed: false }), call({ changed: false })])).toEqual([]);
  });

  it("counts a call without a price as unknown, and saves nothing by it", () => {
    expect(wastesOf([call({ failed: true, costPico: null, classPico: null, kind: "act" })])).toEqual([
      { waste: "failed", step: "act", calls: 1, savedPico: 0n, unknown: 1 },
    ]);
  });

  it("never saves more than was spent, at any step", () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const wastes = wastesOf(run);
        expect(wastes.reduce((total, waste) => total + waste.savedPico, 0n)).toBeLessThanOrEqual(spent(run));
        for (const { step } of wastes) {
          const saved = wastes.filter((waste) => waste.step === step).reduce((total, waste) => total + waste.savedPico, 0n);
          expect(saved).toBeLessThanOrEqual(spent(run.filter((one) => (one.step ?? one.kind) === step)));
        }
        expect(wastes.reduce((total, waste) => total + waste.calls, 0)).toBeLessThanOrEqual(run.length);
        for (const waste of wastes) expect(waste.savedPico).toBeGreaterThanOrEqual(0n);
      }),
    );
  });

  it("adds up over runs, whatever the order", () => {
    fc.assert(
      fc.property(fc.array(anyRun, { maxLength: 5 }), (runs) => {
        const all = runs.flatMap(wastesOf);
        expect(addWastes([...all].reverse())).toEqual(addWastes(all));
        expect(addWastes(all).reduce((total, { savedPico }) => toPico(total + savedPico), toPico(0n))).toBe(
          all.reduce((total, { savedPico }) => toPico(total + savedPico), toPico(0n)),
        );
      }),
    );
  });
});
