// Which way a margin is bound: unknown revenue can only raise it, cost without a price only lower it, and both together leave it open. What else must be said
// beside margins. Not here: the reckoning (margin.ts). Invariant: a bound is named only where it holds.

import { type Pico, shortUsd } from "../core/money.ts";
import type { KeyCost } from "../ledger/margin.ts";
import type { MarginAnswer } from "./margined.ts";

/** @param known whose revenue is: nobody's is unknown. @param priced everything of the cost has a price. */
export function boundOf(known: boolean, priced: boolean): MarginAnswer["all"]["bound"] {
  if (known) return priced ? "exact" : "at most";
  return priced ? "at least" : "none";
}

/** Calls, and days of charges, of which something has no price: of all, and of those that belong to nobody. */
export function unpricedOf(costs: readonly KeyCost[]): { readonly all: number; readonly nobodys: number } {
  return { all: unpricedIn(costs), nobodys: unpricedIn(costs.filter(({ key }) => key === null)) };
}

function unpricedIn(rows: readonly KeyCost[]): number {
  return rows.reduce((total, row) => total + row.unpriced, 0);
}

/** @param unknown keys whose revenue nobody says. @param unpriced calls, or days of charges. */
export function notesOf(by: MarginAnswer["by"], unknown: number, unpriced: number, rule: string, leftPico: Pico): string[] {
  const notes: string[] = [];
  const who = by === "feature" ? ["feature", "features"] : ["customer", "customers"];
  if (unknown > 0)
    notes.push(
      `Of ${unknown} ${unknown === 1 ? who[0] : who[1]} with cost nobody says what they bring in: they are in no margin. To say it: POST /api/v1/revenue, or pennyworth revenue add.`,
    );
  if (unpriced > 0)
    notes.push(
      `${unpriced === 1 ? "One call, or day of charges, has" : `${unpriced} calls, or days of charges, have`} something without a price, or no usage: costs are at least what is said, ${unknown > 0 ? "and margins of those whose revenue is known at most. The margin of all may be more, as revenue is unknown, or less, as cost is" : "and margins at most"}.`,
    );
  if (leftPico !== 0n && rule === "none")
    notes.push(`${shortUsd(leftPico)} of cost belongs to no ${who[0]} and is in no line; shared=usage or shared=even divides it.`);
  return notes;
}
