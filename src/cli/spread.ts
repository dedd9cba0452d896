// What a task costs beyond its mean, and on what the money went, as lines below the table of successes. Not here: what a success costs (successes.ts).
// Invariant: a part that is not known is a dash, and parts that overlap are said to.

import type { z } from "zod";
import type { successAnswer, successRow } from "../api/success.ts";
import { atLeast } from "./command.ts";
import { percent, short } from "./successes.ts";
import { type Column, formatTable } from "./table.ts";

type Success = z.infer<typeof successAnswer>;
type Row = z.infer<typeof successRow>;

/** With more rows it is shown only where it is asked for. */
const rowsMax = 8;

/** @returns a table under a line that says what it is, no wider than 100 columns unless names are long; nothing where rows are many and `isAsked` is not so. */
export function spreadLines({ by, rows, total, reviewRate }: Success, isAsked: boolean): string[] {
  if (!isAsked && rows.length > rowsMax) return [];
  const isReviewed = total.review.minutes !== null;
  const columns: Column[] = [
    ...by.map((head) => ({ head })),
    ...["median $", "p90 $", "p99 $", "failures", "retries", "rework", ...(isReviewed ? ["review"] : [])].map((head) => ({
      head,
      align: "right" as const,
    })),
  ];
  const cells = ({ distribution, shares, review, unpriced }: Row): string[] => [
    ...(["p50", "p90", "p99"] as const).map((name) => (distribution === null ? "—" : atLeast(short(distribution[name]), unpriced))),
    ...(["failures", "retries", "rework"] as const).map((name) => (shares === null ? "—" : percent(shares[name]))),
    ...(isReviewed ? [review.share === null ? "—" : `${review.unknown > 0 ? "≥ " : ""}${percent(review.share)}`] : []),
  ];
  const last = [...by.map((_, index) => (index === 0 ? "total" : "")), ...cells(total)];
  const lines = rows.map((row) => [...by.map((field) => row.group[field] ?? "—"), ...cells(row)]);
  const review = reviewRate === null ? "Review is not known without --review-rate." : "Review is a share of spend and review together.";
  return [
    "",
    "What a task costs, and shares of the spend. Retries and rework may be in failures too.",
    ...(isReviewed ? [review] : []),
    "",
    formatTable(columns, by.length === 0 ? [last] : [...lines, null, last]),
  ];
}
