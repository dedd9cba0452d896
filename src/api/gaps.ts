// What two spans cost besides what is said, and nobody knows: as fields of an answer, and of which cells it is. Not here: how it is counted
// (ledger/duckdb/drivers.ts), how a difference is bound by it (bounds.ts). Invariant: pure; a cost is whole only where nothing of it is unknown.

import { z } from "@hono/zod-openapi";
import type { DriverGaps, DriverSums } from "../ledger/drivers.ts";
import { count } from "./schema.ts";
import { type Both, nameOf, type Side, sides } from "./valued.ts";

export const gapFields = {
  unpriced: count.openapi({ description: "Calls, and days of charges, that used something without a price." }),
  periodUnpriced: count.openapi({ description: "Of them, days of charges." }),
  unmetered: count.openapi({ description: "Calls without usage though something was sent: what they cost is unknown." }),
  isCostWhole: z.boolean().openapi({ description: "Whether all of the cost is known: else it is at least what is said." }),
};

export function toGaps({ unpriced, unmetered, periodUnpriced }: DriverGaps) {
  return { unpriced: unpriced + periodUnpriced, periodUnpriced, unmetered, isCostWhole: unpriced + unmetered + periodUnpriced === 0 };
}

/** Calls without a price, by `cellName`. */
export function unpricedBy({ cells }: DriverSums): ReadonlyMap<string, Both<number>> {
  const found = new Map<string, Record<Side, number>>();
  for (const cell of cells) {
    const name = nameOf(cell);
    let known = found.get(name);
    if (known === undefined) found.set(name, (known = { before: 0, after: 0 }));
    for (const which of sides) known[which] += cell[which]?.unpriced ?? 0;
  }
  return found;
}
