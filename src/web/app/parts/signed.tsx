// A difference of money: with its sign, and its digits as its place needs. Invariant: more is never told from less by colour alone.

import type { ReactNode } from "react";
import { exact, round } from "../money.ts";
import { usePreferences } from "../preferences.ts";

export function Signed({ value, decimals = 2 }: { readonly value: string; readonly decimals?: number }): ReactNode {
  const preferred = usePreferences();
  const isLess = value.startsWith("-");
  const amount = isLess ? value.slice(1) : value;
  const text = preferred.exact ? exact(amount) : round(amount, amount === "0" ? 0 : decimals);
  return (
    <span data-usd={value} title={`${signOf(value)}${exact(amount)}`} className={amount === "0" ? "usd soft" : "usd"}>
      {signOf(value)}
      {text}
    </span>
  );
}

/** A true minus, since a hyphen is too short beside a plus. */
export function signOf(value: string): string {
  return value.startsWith("-") ? "−" : /[1-9]/.test(value) ? "+" : "";
}
