// What is not known of a change between two spans: marks before their costs, before the change itself, and before the margins. Not here: the amounts.
// Invariant: a mark is named only where it holds, and what nobody knows is never shown as nothing.

import type { ReactNode } from "react";
import type { Moves, Side } from "../moves.ts";
import { Signed } from "./signed.tsx";
import { atLeast } from "./usd.tsx";

/** Before a change of cost; `?`: it may be more or less. */
export const changeMarks: Readonly<Record<Moves["bound"], string>> = { exact: "", "at least": "≥ ", "at most": "≤ ", none: "? " };
/** Before a change of margin: a cost that is more than is known makes it less. */
export const pointMarks: Readonly<Record<Moves["bound"], string>> = { exact: "", "at least": "≤ ", "at most": "≥ ", none: "? " };

/** Before a span's cost. */
export function toMark({ isCostWhole }: Side): string {
  return isCostWhole ? "" : atLeast;
}

/** Before its margin. */
export function most({ isCostWhole }: Side): string {
  return isCostWhole ? "" : "≤ ";
}

/** The cost in words, where no element can stand. */
export function toText({ cost, isCostWhole }: Side, amount: string): string {
  return isCostWhole ? amount : cost === "0" ? "unknown" : `${atLeast}${amount}`;
}

export function Moved({
  value,
  bound,
  decimals = 2,
}: {
  readonly value: string;
  readonly bound: Moves["bound"];
  readonly decimals?: number;
}): ReactNode {
  if (value === "0" && bound !== "exact") return <span className="warn">unknown</span>;
  return (
    <span className="usd">
      {changeMarks[bound]}
      <Signed value={value} decimals={decimals} />
    </span>
  );
}
