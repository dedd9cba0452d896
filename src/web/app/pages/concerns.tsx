// What of budgets needs attention: those that are nearly used up, whom they refused today, what is halted; a line for each on the overview.
// Invariant: where nothing is amiss there is no line.

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Overview } from "../api.ts";
import { nearPercent } from "../guard.ts";
import { Icon } from "../icons.tsx";
import { count } from "../money.ts";
import { plural, wordFor } from "../words.ts";

export interface Concern {
  readonly kind: "budgets" | "refusals" | "halts";
  readonly what: string;
  readonly why: string;
  readonly isBad: boolean;
}

/** Refusals beyond these are not counted. */
const refusalsMax = 100;

export function toConcerns({ halts: halted, budgets: near, usedUp: full, refused }: Overview["guard"]): readonly Concern[] {
  const found: Concern[] = [];
  if (halted > 0)
    found.push({ kind: "halts", what: plural(halted, "halt"), why: "All below is refused until somebody lets it go on.", isBad: true });
  if (near > 0)
    found.push({
      kind: "budgets",
      what: `${plural(near, "budget")} ${wordFor(near, "is", "are")} used to ${nearPercent}% or more`,
      why: full === 0 ? "What is held and presumed is counted." : `${count(full)} of them ${wordFor(full, "is", "are")} used up.`,
      isBad: full > 0,
    });
  if (refused > 0)
    found.push({
      kind: "refusals",
      what: `${refused >= refusalsMax ? `${count(refusalsMax)} or more calls` : plural(refused, "call")} ${wordFor(refused, "was", "were")} refused today`,
      why: "None of them was sent.",
      isBad: false,
    });
  return found;
}

export function ConcernAlert({ concern: { kind, what, why, isBad } }: { readonly concern: Concern }): ReactNode {
  return (
    <Link
      to={kind === "budgets" ? "/budgets" : "/stopped"}
      search={kind === "budgets" ? { near: "true" } : {}}
      className="alert"
      data-concern={kind}
    >
      <span className={isBad ? "bad" : "warn"}>
        <Icon name="warn" />
      </span>
      <span className="grow">
        <strong>{what}</strong>
        <span className="soft small why">{why}</span>
      </span>
      <Icon name="right" size={12} />
    </Link>
  );
}
