// Runs for tests: calls by hand, and random ones.

import * as fc from "fast-check";
import { cost, type Rate, sum } from "../core/money.ts";
import type { UsageClass } from "../core/usage.ts";
import type { StepCall } from "./waste.fixture.ts";
import { stepKinds } from "./waste.ts";

/** 2.5 dollars for a million fresh tokens, a tenth of that for cached ones, 10 for output: picodollars a token. */
export const rates = { input: { pico: 2_500_000n, per: 1n }, cacheRead: { pico: 250_000n, per: 1n } } as const;
const output: Rate = { pico: 10_000_000n, per: 1n };

/** A metered and priced call of so many fresh, cached and output tokens. */
export function metered(fresh: number, read: number, written: number): Pick<StepCall, "quantities" | "costPico" | "classPico"> {
  const classPico = { input: cost(rates.input, fresh), cache_read: cost(rates.cacheRead, read), output: cost(output, written) };
  return {
    quantities: { input: fresh, cache_read: read, output: written },
    costPico: sum(Object.values(classPico)),
    classPico,
  };
}

let requests = 0;

export function call(changes: Partial<StepCall> = {}): StepCall {
  requests += 1;
  return {
    request: `r${requests}`,
    attempt: 1,
    failed: false,
    chain: null,
    step: null,
    kind: null,
    depth: 0,
    tools: 0,
    ...metered(1000, 0, 100),
    rates,
    window: null,
    promptBytes: null,
    sharedTokens: null,
    same: null,
    changed: null,
    ...changes,
  };
}

const count = fc.nat({ max: 100_000 });
const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });

/** Calls of which anything may be unknown. */
export const anyCall: fc.Arbitrary<StepCall> = fc
  .record({
    usage: fc.tuple(count, count, count),
    is: fc.constantFrom("priced", "classless", "unpriced", "unmetered"),
    request: fc.constantFrom("a", "b", "c", "d", "e"),
    attempt: fc.integer({ min: 1, max: 3 }),
    failed: fc.boolean(),
    chain: maybe(fc.constantFrom("x", "y")),
    step: maybe(fc.constantFrom("search", "write")),
    kind: maybe(fc.constantFrom(...stepKinds)),
    depth: fc.nat({ max: 3 }),
    tools: maybe(fc.nat({ max: 3 })),
    isRated: fc.boolean(),
    window: maybe(fc.constantFrom(128_000, 200_000)),
    promptBytes: maybe(fc.record({ system: count, tools: count, user: count, earlier: count, toolResults: count })),
    sharedTokens: maybe(fc.nat({ max: 200_000 })),
    same: maybe(fc.constantFrom("p", "q")),
    changed: maybe(fc.boolean()),
  })
  .map(({ usage, is, isRated, ...rest }) => {
    const all = metered(...usage);
    return Object.assign(rest, {
      rates: isRated ? rates : null,
      quantities: is === "unmetered" ? null : all.quantities,
      costPico: is === "unmetered" || is === "unpriced" ? null : all.costPico,
      classPico: is === "priced" ? all.classPico : null,
    });
  });

export const anyRun = fc.array(anyCall, { maxLength: 8 });

export const classNames = (classes: { readonly [name in UsageClass]?: bigint }) => Object.keys(classes) as UsageClass[];
