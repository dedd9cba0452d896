// A budget, and each of its standings, as a row: what it is, its bar with figures, and its limit. The same wherever budgets are listed.

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { type Budget, modeWords, resetWords, scopeWords, type Standing, stateOf } from "../guard.ts";
import { count } from "../money.ts";
import { exactMoment } from "../time.ts";
import { Icon } from "../icons.tsx";
import { plural } from "../words.ts";
import { Amount, Figures, Meter } from "./meter.tsx";

/** A budget with the fullest of its standings. */
export function BudgetRow({
  budget,
  nowMs,
  isOpen,
  onToggle,
  actions,
}: {
  readonly budget: Budget;
  readonly nowMs: number;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
  readonly actions?: ReactNode;
}): ReactNode {
  const { id, terms, standings, total } = budget;
  const [first] = standings;
  const hasEach = terms.each.length > 0;
  const noun = terms.each.join(" and ");
  return (
    <li className="standing" data-budget={id}>
      <div className="grow">
        <div className="row wrap tight">
          <Link to="/budgets/$id" params={{ id }} className="name">
            {id}
          </Link>
          <StateBadge standing={first} />
          <ModeBadge budget={budget} />
        </div>
        <p className="soft small">
          {terms.kind === "rate" ? "Rate for " : "For "}
          {scopeWords(terms.for, terms.each)}
        </p>
        <p className="soft small">
          {terms.owner}
          {budget.origin === "settings" ? " · in the settings file" : budget.origin === "task" ? " · of a task" : ""}
        </p>
      </div>
      <div className="grow">
        {first === undefined ? (
          <p className="soft small">{hasEach ? `No ${noun} was seen yet: each begins with all of it.` : "Nothing was taken yet."}</p>
        ) : (
          <>
            {hasEach ? (
              <button type="button" className="fold" aria-expanded={isOpen} onClick={onToggle}>
                <Icon name={isOpen ? "down" : "right"} size={12} />
                <span className="small clip">
                  <span className="soft">{total === 1 ? "Only" : `Fullest of ${count(total)}:`}</span> {first.values.join(" · ")}
                </span>
              </button>
            ) : null}
            <Meter standing={first} measure={budget.measure} />
            <Figures standing={first} measure={budget.measure} />
          </>
        )}
      </div>
      <div className="limit">
        <p>
          {terms.limit}
          {hasEach ? <span className="soft"> each</span> : null}
        </p>
        {first === undefined ? null : <Resets budget={budget} standing={first} nowMs={nowMs} />}
        {actions}
      </div>
    </li>
  );
}

/** One value of a budget with `each`. */
export function ValueRow({
  budget,
  standing,
  nowMs,
  actions,
}: {
  readonly budget: Budget;
  readonly standing: Standing;
  readonly nowMs: number;
  readonly actions?: ReactNode;
}): ReactNode {
  return (
    <li className="standing value" data-value={standing.values.join(" · ")}>
      <div className="grow">
        <div className="row wrap tight">
          <span className="name anywhere">{standing.values.join(" · ")}</span>
          <StateBadge standing={standing} />
        </div>
      </div>
      <div className="grow">
        <Meter standing={standing} measure={budget.measure} />
        <Figures standing={standing} measure={budget.measure} />
      </div>
      <div className="limit">
        <p className="small">
          of <Amount value={standing.allowance} measure={budget.measure} isExact />
        </p>
        <Resets budget={budget} standing={standing} nowMs={nowMs} />
        {actions}
      </div>
    </li>
  );
}

export function Resets({
  budget,
  standing,
  nowMs,
}: {
  readonly budget: Budget;
  readonly standing: Standing;
  readonly nowMs: number;
}): ReactNode {
  const words = resetWords(budget, standing, nowMs);
  const isDated = words.startsWith("resets") && standing.toMs !== null;
  return (
    <p className="soft small" title={isDated ? exactMoment(standing.toMs ?? 0) : undefined}>
      {words}
    </p>
  );
}

export function StateBadge({ standing }: { readonly standing: Standing | undefined }): ReactNode {
  const state = stateOf(standing);
  if (state === "over") return <span className="badge bad">over its limit</span>;
  if (state === "full") return <span className="badge bad">used up</span>;
  return state === "near" ? <span className="badge warn">{standing?.usedPercent}% used</span> : null;
}

/** What is as usual, to refuse, needs no word. */
export function ModeBadge({ budget: { terms } }: { readonly budget: Budget }): ReactNode {
  if (terms.mode === "hard") return null;
  const [word, why] = modeWords[terms.mode];
  return (
    <span className="chip" title={why}>
      {word}
    </span>
  );
}

/** `and 12 more`, where a list is cut short. */
export function More({ shown, total }: { readonly shown: number; readonly total: number }): ReactNode {
  return total <= shown ? null : (
    <p className="soft small more">
      The fullest {count(shown)} of {plural(total, "value")}.
    </p>
  );
}
