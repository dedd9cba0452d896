// What of budgets and agents needs attention: budgets that are nearly used up, whom they refused today, what is halted, agents that do not pay; a line
// for each on the overview.
// Invariant: where nothing is amiss there is no line.

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Overview } from "../api.ts";
import { nearPercent } from "../guard.ts";
import { Icon } from "../icons.tsx";
import { count } from "../money.ts";
import { plural, wordFor } from "../words.ts";

export interface Concern {
  readonly kind: "budgets" | "refusals" | "halts" | "losing";
  readonly what: string;
  readonly why: string;
  readonly isBad: boolean;
}

/** Refusals beyond these are not counted. */
const refusalsMax = 100;

export function toConcerns({ halts: halted, budgets: near, usedUp: full, refused, losing }: Overview["guard"]): readonly Concern[] {
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
  const [first] = losing;
  if (first !== undefined)
    found.push({
      kind: "losing",
      what: losing.length === 1 ? `${nameOf(first)} is not worth it` : `${count(losing.length)} agents are not worth it`,
      why:
        losing.length === 1 ? first.summary : `${losing.slice(0, namedMax).map(nameOf).join("; ")}${losing.length > namedMax ? " …" : "."}`,
      isBad: false,
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

/** Agents that are named in one line. */
const namedMax = 3;

function nameOf({ type, agent }: Overview["guard"]["losing"][number]): string {
  return `${agent ?? "An agent without a name"} at ${type}`;
}

const places = {
  budgets: { to: "/budgets", search: { near: "true" } },
  refusals: { to: "/stopped", search: {} },
  halts: { to: "/stopped", search: {} },
  losing: { to: "/success", search: { by: "agent" } },
} as const satisfies Readonly<Record<Concern["kind"], unknown>>;

export function ConcernAlert({ concern: { kind, what, why, isBad } }: { readonly concern: Concern }): ReactNode {
  return (
    <Link {...places[kind]} className="alert" data-concern={kind}>
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
