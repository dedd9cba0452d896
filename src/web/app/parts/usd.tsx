// An amount of money as it is shown. As many digits as its place needs, rounded half to even, with every digit at hand; or all of them.
// Invariant: where nothing of a cost is known, it says so, and no figure stands there.

import type { ReactNode } from "react";
import type { Sums } from "../api.ts";
import { exact, round, split } from "../money.ts";
import { usePreferences } from "../preferences.ts";

/** Before an amount that lacks something: it is at least this. */
export const atLeast = "≥ ";

/** @param mark goes before it: `≥` where some of it is not known, `~` where some of it is estimated. */
export function Usd({
  value,
  decimals = 2,
  mark = "",
}: {
  readonly value: string;
  readonly decimals?: number;
  readonly mark?: string;
}): ReactNode {
  const preferred = usePreferences();
  if (value === "0" && mark === atLeast)
    return (
      <span data-usd={value} className="warn">
        unknown
      </span>
    );
  if (preferred.exact) return <Exact value={value} mark={mark} />;
  // A true minus, as beside it in the same row: a hyphen is too short.
  const text = round(value, value === "0" ? 0 : decimals).replace("-", "−");
  return (
    <span data-usd={value} title={exact(value)} className={value === "0" && mark === "" ? "usd soft" : "usd"}>
      {mark}
      {text}
    </span>
  );
}

/** Every digit: those past the cent are softer. */
export function Exact({ value, mark = "" }: { readonly value: string; readonly mark?: string }): ReactNode {
  const [head, fine] = split(value);
  return (
    <span data-usd={value} className="usd">
      {mark}
      {head.replace("-", "−")}
      {fine === "" ? null : <span className="fine">{fine}</span>}
    </span>
  );
}

/** What is not known is not zero. */
export function markOf({
  unpriced,
  unmetered,
  periodUnpriced = 0,
}: Pick<Sums, "unpriced" | "unmetered"> & { readonly periodUnpriced?: number }): string {
  return unpriced + unmetered + periodUnpriced > 0 ? atLeast : "";
}
