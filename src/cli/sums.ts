// What a trace must cost, by code of its own: the other side of the comparison that `rehearse` makes.
// It shares no arithmetic with core/ on purpose. Invariant: each request's class is rounded on its own to a picodollar, half to even.

import type { TraceRow } from "./trace.ts";

/** A rate as the API shows it: picodollars for every `ratePer` units, for requests of more input tokens than `aboveTokens`. */
export interface ShownRate {
  readonly class: string;
  readonly aboveTokens: number;
  readonly ratePico: string;
  readonly ratePer: string;
}

export interface TraceSums {
  readonly calls: number;
  readonly input: ClassSum;
  readonly output: ClassSum;
  /** Dollars, exactly. */
  readonly cost: string;
}

export interface ClassSum {
  readonly tokens: number;
  readonly cost: string;
}

/** @throws RangeError when a class has no rate. */
export function sumTrace(rows: readonly TraceRow[], rates: readonly ShownRate[]): TraceSums {
  let inputPico = 0n;
  let outputPico = 0n;
  let inputTokens = 0;
  let outputTokens = 0;
  for (const row of rows) {
    inputTokens += row.inputTokens;
    outputTokens += row.outputTokens;
    inputPico += price(rates, "input", row.inputTokens, row.inputTokens);
    outputPico += price(rates, "output", row.inputTokens, row.outputTokens);
  }
  return {
    calls: rows.length,
    input: { tokens: inputTokens, cost: toDollars(inputPico) },
    output: { tokens: outputTokens, cost: toDollars(outputPico) },
    cost: toDollars(inputPico + outputPico),
  };
}

function price(rates: readonly ShownRate[], name: string, contextTokens: number, tokens: number): bigint {
  let best: ShownRate | null = null;
  for (const rate of rates)
    if (
      rate.class === name &&
      (rate.aboveTokens === 0 || contextTokens > rate.aboveTokens) &&
      (best === null || rate.aboveTokens > best.aboveTokens)
    )
      best = rate;
  if (best === null) throw new RangeError(`no rate for ${name}`);
  const per = BigInt(best.ratePer);
  const doubled = 2n * BigInt(best.ratePico) * BigInt(tokens);
  const floor = doubled / (2n * per);
  const rest = doubled - floor * 2n * per;
  return rest > per || (rest === per && floor % 2n === 1n) ? floor + 1n : floor;
}

function toDollars(pico: bigint): string {
  const whole = pico / 10n ** 12n;
  const fraction = String(pico % 10n ** 12n)
    .padStart(12, "0")
    .replace(/0+$/, "");
  return fraction === "" ? String(whole) : `${whole}.${fraction}`;
}
