import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toPico } from "../core/money.ts";
import { type CellPeriod, type ChainSide, toLinks } from "./chain.ts";

function side(tasks: ChainSide["tasks"], firstTries: number, usage: CellPeriod | null): ChainSide {
  return { tasks, firstTries, usage };
}

function used(firstTries: number, calls: number, tokens: number, amounts: readonly (number | null)[]): CellPeriod {
  const [noCache = null, withCache = null, list = null, charged = null] = amounts.map((amount) =>
    amount === null ? null : toPico(BigInt(amount)),
  );
  const atReference = noCache === null || withCache === null ? null : { noCachePico: noCache, withCachePico: withCache };
  return { firstTries, calls, tokens, atReference, listPico: list, chargedPico: charged ?? toPico(0n) };
}

describe("toLinks", () => {
  it("is every factor's ratio, by hand", () => {
    const from = side({ all: 100, ofType: 50 }, 200, used(100, 120, 2400, [48, 36, 36, 18]));
    const to = side({ all: 200, ofType: 50 }, 100, used(75, 75, 750, [30, 15, 30, 30]));
    expect(toLinks(from, to).map(({ factor, ratio }) => [factor, ratio])).toEqual([
      ["volume", 2],
      ["type_mix", 0.5],
      ["calls_per_task", 0.5],
      ["model_mix", 1.5],
      ["retries", 75 / 90],
      ["tokens_per_call", 0.5],
      ["token_kind", 2],
      ["cache", 50 / 75],
      ["price_list", 2],
      ["tier_and_discount", 2],
    ]);
  });

  it("keeps a change that is finer than a float of the whole", () => {
    const [from, to] = [10n ** 18n, 10n ** 18n + 1n].map((charged) =>
      side(null, 1, Object.assign(used(1, 1, 1, [1, 1, 1, 1]), { chargedPico: toPico(charged) })),
    );
    const last = toLinks(from as ChainSide, to as ChainSide).at(-1);
    expect(last).toEqual({ factor: "tier_and_discount", ratio: 1, change: 1e-18 });
  });

  it("stops changing after what is gone", () => {
    const from = side({ all: 10, ofType: 10 }, 10, used(10, 10, 10, [10, 10, 10, 10]));
    const gone = toLinks(from, side({ all: 10, ofType: 10 }, 30, null));
    expect(gone.filter((link) => link.change !== 0).map(({ factor, change }) => [factor, change])).toEqual([
      ["calls_per_task", 2],
      ["model_mix", -1],
    ]);
  });

  it("multiplies to the cost, whatever is zero or not known", () => {
    const count = fc.integer({ min: 0, max: 3 });
    const amount = fc.option(fc.integer({ min: 0, max: 3 }));
    const any = fc.record({
      tasks: fc.record({ all: fc.integer({ min: 1, max: 9 }), ofType: fc.integer({ min: 1, max: 9 }) }),
      firstTries: count,
      usage: fc.tuple(count, count, count, fc.tuple(amount, amount, amount, count)).map((row) => used(...row)),
    });
    fc.assert(
      fc.property(any, any, (from, to) => {
        fc.pre(from.usage.chargedPico > 0n);
        const links = toLinks(from, to);
        const product = links.reduce((product, link) => product * link.ratio, Number(from.usage.chargedPico));
        expect(product).toBeCloseTo(Number(to.usage.chargedPico), 9);
        for (const { ratio, change } of links) expect(change).toBeCloseTo(ratio - 1, 9);
        expect(new Set(links.map((link) => link.factor)).size).toBe(links.length);
      }),
    );
  });
});
