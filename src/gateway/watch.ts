// A running stream, held against its budgets as it passes: what it has used so far is priced from what can be seen of it. Not here: when that is
// looked at (cutoff.ts), ending the stream (attempt.ts).

import { presume } from "../core/bound.ts";
import { total } from "../core/charge.ts";
import { parseUsd } from "../core/money.ts";
import type { Begun } from "./begin.ts";
import { Cutoff } from "./cutoff.ts";
import type { Parts } from "./parts.ts";

/** It is held against its budgets again after so many bytes of output: what is allowed may have become less. */
const lookBytes = 256;

/** @returns whether what has passed of a stream, in bytes of output, is more than its budgets allow it. */
export function watch(
  { rates, guard }: Pick<Parts, "rates" | "guard">,
  { asking, admitted, start }: Begun,
): (outputBytes: number) => boolean {
  const model = `${start.provider}/${start.modelSent ?? ""}`;
  const { provider, modelSent, tierAsked: tier, region, startMs: atMs, hold } = start;
  const price = (tokens: number): bigint => {
    const passed = asking.bound(Math.max(1, Math.ceil(tokens / asking.choices)), null, admitted.model);
    if (passed.cost !== null) return parseUsd(passed.cost);
    // What has no bound costs at least what can be seen of it.
    return total(presume(rates.book, { provider, model: modelSent, tier, region, atMs }, passed).charges);
  };
  // A guess by bytes may be more than there can be; what the call holds is not.
  const most = hold.cost === null ? Infinity : (hold.outputTokens ?? Infinity);
  const cutoff = new Cutoff({
    tokensOf: (bytes) => Math.min(most, rates.estimator.outputTokens(model, bytes)),
    price,
    allowed: () => guard.allowed(start.id),
    used: (cost) => guard.used(start.id, cost),
    bytesBetweenMax: lookBytes,
  });
  return (outputBytes) => cutoff.over(outputBytes);
}
