// Budgets and rates, the fullest first: what is spent, held, presumed and left of each, live. Not here: one budget (budget.tsx), its form
// (terms.tsx). Invariant: rows keep their places for a while, so that nothing moves away under a hand.

import { Button, SegmentedControl, Select, Switch, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useRef, useState } from "react";
import { useAnswer, useSession } from "../data.ts";
import {
  type Budget,
  type Budgets,
  fullness,
  guardMs,
  type Mode,
  modeWords,
  nearPercent,
  scopeWords,
  type Standing,
  stateOf,
} from "../guard.ts";
import { Icon } from "../icons.tsx";
import { count } from "../money.ts";
import { Page } from "../parts/page.tsx";
import { CopyLine, Share } from "../parts/share.tsx";
import { BudgetRow, ValueRow } from "../parts/standing.tsx";
import { Empty, Pending } from "../parts/states.tsx";
import { one } from "../search.ts";
import { useView } from "../view.ts";
import { plural } from "../words.ts";
import { GrantMore } from "./grant.tsx";
import { TermsForm } from "./terms.tsx";

const pageRows = 50;
const orderMs = 30_000;

interface Granting {
  readonly budget: Budget;
  readonly standing: Standing | null;
}

export function BudgetsPage(): ReactNode {
  const { search, change } = useView("24h", false);
  const answer = useAnswer<Budgets>("budgets", { standings: 5, limit: 1_000 }, { everyMs: guardMs });
  const isAdministrator = useSession().data?.role === "administer";
  const [isOpen, setOpen] = useState(false);
  // The palette asks for the form by an address.
  const isMaking = isOpen || one(search["new"]) !== undefined;
  const [granting, setGranting] = useState<Granting | null>(null);
  const { data } = answer;
  const all = data?.budgets ?? [];
  const said = {
    kind: one(search["kind"]),
    mode: one(search["mode"]),
    owner: one(search["owner"]),
    near: one(search["near"]),
    text: one(search["search"]),
  };
  const found = all.filter((budget) => isWanted(budget, said));
  const order = useOrder(found, JSON.stringify([said, found.map(({ id }) => id)]));
  const [shown, setShown] = useState(pageRows);
  const owners = [...new Set(all.map(({ terms }) => terms.owner))].toSorted((a, b) => a.localeCompare(b));
  return (
    <Page
      title="Budgets"
      tools={
        <>
          <Share name="budgets" line="pennyworth budgets list" table={() => toTable(found)} />
          {isAdministrator ? (
            <Button size="xs" leftSection={<Icon name="plus" size={12} />} onClick={() => setOpen(true)}>
              Define a budget
            </Button>
          ) : null}
        </>
      }
    >
      <div className="stack" style={{ gap: 12 }}>
        <div className="row wrap" role="group" aria-label="Filters">
          <SegmentedControl
            size="xs"
            aria-label="Kind"
            value={said.kind === "budget" || said.kind === "rate" ? said.kind : "all"}
            onChange={(kind) => change({ kind: kind === "all" ? undefined : kind })}
            data={[
              { value: "all", label: "All" },
              { value: "budget", label: "Budgets" },
              { value: "rate", label: "Rates" },
            ]}
          />
          <Select
            size="xs"
            className="choice"
            aria-label="What it does"
            placeholder="Any mode"
            clearable
            value={said.mode ?? null}
            onChange={(mode) => change({ mode: mode ?? undefined })}
            data={Object.entries(modeWords).map(([value, [label]]) => ({ value, label }))}
          />
          <Select
            size="xs"
            className="choice"
            aria-label="Owner"
            placeholder="Any owner"
            clearable
            searchable
            value={said.owner ?? null}
            onChange={(owner) => change({ owner: owner ?? undefined })}
            data={owners}
          />
          <TextInput
            size="xs"
            className="choice"
            aria-label="Search"
            placeholder="Name, scope or value …"
            value={said.text ?? ""}
            onChange={(event) => change({ search: event.currentTarget.value === "" ? undefined : event.currentTarget.value })}
          />
          <Switch
            size="xs"
            label={`${nearPercent}% used or more`}
            checked={said.near !== undefined}
            onChange={(event) => change({ near: event.currentTarget.checked ? "true" : undefined })}
          />
        </div>
        <section className="card" aria-label="Budgets and rates">
          {data === undefined ? (
            <Pending answer={answer} label="Loading the budgets" rows={10} />
          ) : all.length === 0 ? (
            <Nothing isAdministrator={isAdministrator} onMake={() => setOpen(true)} />
          ) : found.length === 0 ? (
            <Empty title="No budget is like this">
              <Button
                size="xs"
                variant="default"
                onClick={() => change({ kind: undefined, mode: undefined, owner: undefined, near: undefined, search: undefined })}
              >
                All {count(all.length)}
              </Button>
            </Empty>
          ) : (
            <>
              <p className="soft small foot first" data-testid="sum">
                {sumUp(found)}
              </p>
              <ul className="records standings">
                {order.slice(0, shown).map((budget) => (
                  <Opened
                    key={budget.id}
                    budget={budget}
                    nowMs={data.nowMs}
                    onGrant={isAdministrator ? (standing) => setGranting({ budget, standing }) : null}
                  />
                ))}
              </ul>
              {found.length <= shown ? null : (
                <div className="more">
                  <Button size="xs" variant="default" onClick={() => setShown(shown + pageRows)}>
                    Show {count(Math.min(pageRows, found.length - shown))} more of {count(found.length)}
                  </Button>
                </div>
              )}
            </>
          )}
        </section>
        {data?.truncated === true ? <p className="soft small">These are the first thousand by name; the API lists all.</p> : null}
      </div>
      {isMaking && isAdministrator ? (
        <TermsForm
          budget={null}
          onClose={() => {
            setOpen(false);
            if (one(search["new"]) !== undefined) change({ new: undefined });
          }}
        />
      ) : null}
      {granting === null ? null : <GrantMore budget={granting.budget} standing={granting.standing} onClose={() => setGranting(null)} />}
    </Page>
  );
}

/** A row, and the values of `each` below it once they are asked for. */
function Opened({
  budget,
  nowMs,
  onGrant,
}: {
  readonly budget: Budget;
  readonly nowMs: number;
  readonly onGrant: ((standing: Standing | null) => void) | null;
}): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const { terms, standings, id, total } = budget;
  const grant = (standing: Standing | null, of: string): ReactNode =>
    onGrant === null ? null : (
      <Button size="compact-xs" variant="default" onClick={() => onGrant(standing)} aria-label={`Grant more: ${of}`}>
        Grant more
      </Button>
    );
  return (
    <>
      <BudgetRow
        budget={budget}
        nowMs={nowMs}
        isOpen={isOpen}
        onToggle={() => setOpen(!isOpen)}
        actions={terms.each.length === 0 ? grant(standings[0] ?? null, id) : null}
      />
      {!isOpen
        ? null
        : standings.map((standing) => (
            <ValueRow
              key={standing.values.join("\n")}
              budget={budget}
              standing={standing}
              nowMs={nowMs}
              actions={grant(standing, `${id} for ${standing.values.join(" and ")}`)}
            />
          ))}
      {isOpen && total > standings.length ? (
        <li className="standing value">
          <Link to="/budgets/$id" params={{ id }} className="small">
            All {plural(total, "value")} of {id}
          </Link>
        </li>
      ) : null}
    </>
  );
}

function Nothing({ isAdministrator, onMake }: { readonly isAdministrator: boolean; readonly onMake: () => void }): ReactNode {
  return (
    <Empty title="No budget is defined yet">
      <p>
        A budget says what may be spent, by whom and in which time; a rate, how fast. Calls that do not fit are refused before anything is
        sent. In the settings file:
      </p>
      <CopyLine text={"budgets:\n  - id: team-research\n    owner: Ada\n    for: { team: research }\n    limit: $500 per month"} />
      {isAdministrator ? (
        <Button size="xs" onClick={onMake}>
          Define one here
        </Button>
      ) : null}
    </Empty>
  );
}

interface Wanted {
  readonly kind: string | undefined;
  readonly mode: string | undefined;
  readonly owner: string | undefined;
  readonly near: string | undefined;
  readonly text: string | undefined;
}

function isWanted({ id, terms, standings }: Budget, { kind, mode, owner, near, text }: Wanted): boolean {
  if (kind !== undefined && terms.kind !== kind) return false;
  if (mode !== undefined && terms.mode !== (mode as Mode)) return false;
  if (owner !== undefined && terms.owner !== owner) return false;
  if (near !== undefined && fullness(standings[0]) < nearPercent) return false;
  if (text === undefined) return true;
  const all = [id, terms.owner, scopeWords(terms.for, terms.each), ...standings.flatMap(({ values }) => values)];
  return all.some((one) => one.toLowerCase().includes(text.toLowerCase()));
}

/** The fullest first; anew when others are asked for, and else not every time. */
function useOrder(found: readonly Budget[], key: string): readonly Budget[] {
  const kept = useRef<{ key: string; atMs: number; ids: readonly string[] }>({ key: "", atMs: 0, ids: [] });
  if (kept.current.key !== key || performance.now() - kept.current.atMs > orderMs) {
    const sorted = found.toSorted((a, b) => fullness(b.standings[0]) - fullness(a.standings[0]) || (a.id < b.id ? -1 : 1));
    kept.current = { key, atMs: performance.now(), ids: sorted.map(({ id }) => id) };
  }
  const byId = new Map(found.map((budget) => [budget.id, budget]));
  return kept.current.ids.flatMap((id) => byId.get(id) ?? []);
}

function sumUp(found: readonly Budget[]): string {
  const states = found.map(({ standings }) => stateOf(standings[0]));
  const number = (...wanted: readonly string[]): number => states.filter((state) => wanted.includes(state)).length;
  const rates = found.filter(({ terms }) => terms.kind === "rate").length;
  const budgets = found.length - rates;
  const parts = [
    ...(budgets > 0 ? [plural(budgets, "budget")] : []),
    ...(rates > 0 ? [plural(rates, "rate")] : []),
    ...(number("over", "full") > 0 ? [`${count(number("over", "full"))} used up`] : []),
    ...(number("near") > 0 ? [`${count(number("near"))} nearly`] : []),
  ];
  return parts.join(" · ");
}

export function toTable(budgets: readonly Budget[]): (string | number)[][] {
  const head = ["budget", "kind", "owner", "for", "limit", "mode", "value", "allowance", "spent", "held", "presumed", "left", "used %"];
  return [
    head,
    ...budgets.flatMap(({ id, terms, standings }) =>
      standings.map(({ values, allowance, spent, held, presumed, left, usedPercent }) => [
        id,
        terms.kind,
        terms.owner,
        scopeWords(terms.for, terms.each),
        terms.limit,
        terms.mode,
        values.join(" · "),
        allowance,
        spent,
        held,
        presumed,
        left,
        usedPercent ?? "",
      ]),
    ),
  ];
}
