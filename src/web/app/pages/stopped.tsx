// Who was stopped, and why: what people halted, calls that were refused, trees of agents' tasks; and what the guard itself cost. Not here: budgets
// (budgets.tsx). Invariant: what is stopped can be let go on from here, by those who administer.

import { Button, Select, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useAnswer, useSession, useStatus } from "../data.ts";
import { codeWords, type Guard, guardMs, type Refusal, type Refusals, scopeWords, sinceWords } from "../guard.ts";
import { Icon } from "../icons.tsx";
import { count, decimalsFor } from "../money.ts";
import { Resume } from "../parts/halted.tsx";
import { Page } from "../parts/page.tsx";
import { Share } from "../parts/share.tsx";
import { Empty, Pending } from "../parts/states.tsx";
import { Usd } from "../parts/usd.tsx";
import { one } from "../search.ts";
import { dayClock, exactMoment } from "../time.ts";
import { useView } from "../view.ts";
import { HaltSwitch } from "./halt.tsx";
import { placeName, RefusalRows, saidOf } from "./refusals.tsx";
import { Trees } from "./trees.tsx";

const refusalsAsked = 1_000;
const pageRows = 20;

export function Stopped(): ReactNode {
  const { search, change } = useView("24h", false);
  const isAdministrator = useSession().data?.role === "administer";
  const guard = useAnswer<Guard>("guard", { trees: 200 }, { everyMs: guardMs });
  const [isOpen, setOpen] = useState(false);
  // The palette asks for the switch by an address.
  const isHalting = isOpen || one(search["halt"]) !== undefined;
  const close = (): void => {
    setOpen(false);
    if (one(search["halt"]) !== undefined) change({ halt: undefined });
  };
  return (
    <Page
      title="Stopped"
      tools={
        isAdministrator ? (
          <Button size="xs" className="danger" onClick={() => setOpen(true)}>
            Stop everything below …
          </Button>
        ) : undefined
      }
    >
      <div className="stack">
        <Halts guard={guard.data} />
        <Refused search={search} change={change} />
        <Trees answer={guard} />
        <Tally answer={guard} />
      </div>
      {isHalting && isAdministrator ? <HaltSwitch scope={null} onClose={close} /> : null}
    </Page>
  );
}

function Halts({ guard }: { readonly guard: Guard | undefined }): ReactNode {
  if (guard === undefined || guard.halts.length === 0) return null;
  return (
    <section className="card" aria-labelledby="halts">
      <div className="title">
        <h2 id="halts">Halted</h2>
        <p className="soft small">Calls below these are refused until somebody lets them go on</p>
      </div>
      <ul className="records">
        {guard.halts.map((halt) => (
          <li key={halt.id} className="row fit" data-halted={halt.id}>
            <div className="grow anywhere">
              <strong>{scopeWords(halt.for)}</strong>
              <p className="soft small">
                By {halt.by}, <span title={exactMoment(halt.atMs)}>{dayClock(halt.atMs, guard.nowMs)}</span>
                {halt.note === null ? "" : `: ${halt.note}`}
              </p>
            </div>
            <Resume halt={halt} />
          </li>
        ))}
      </ul>
    </section>
  );
}

type View = ReturnType<typeof useView>;

function Refused({ search, change }: Pick<View, "search" | "change">): ReactNode {
  const budget = one(search["budget"]);
  const answer = useAnswer<Refusals>("refusals", { budget, limit: refusalsAsked }, { everyMs: 2 * guardMs });
  const [shown, setShown] = useState(pageRows);
  const { data } = answer;
  const all = data?.refusals ?? [];
  const wanted = { code: one(search["code"]), agent: one(search["agent"]), customer: one(search["customer"]), text: one(search["search"]) };
  const found = all.filter((refusal) => isWanted(refusal, wanted));
  const isFiltered = [budget, ...Object.values(wanted)].some((value) => value !== undefined);
  const choices = (read: (refusal: Refusal) => readonly (string | null)[], now: string | undefined): string[] =>
    [...new Set([...all.flatMap(read), now ?? null])].filter((value): value is string => typeof value === "string").toSorted();
  return (
    <section className="card" aria-labelledby="refusals">
      <div className="title">
        <h2 id="refusals">Refused calls</h2>
        <p className="soft small">None of them was sent</p>
        <div className="tools">
          <Share name="refusals" line="pennyworth budgets refusals" table={() => toTable(found)} />
        </div>
      </div>
      <div className="row wrap body" role="group" aria-label="Filters">
        <Choice
          label="Why"
          value={wanted.code}
          data={choices(({ code }) => [code], wanted.code).map((value) => ({ value, label: codeWords[value] ?? value }))}
          onChange={(code) => change({ code })}
        />
        <Choice
          label="Budget"
          value={budget}
          data={choices(({ against }) => against.map((other) => other.budget), budget)}
          onChange={(next) => change({ budget: next })}
        />
        <Choice
          label="Agent"
          value={wanted.agent}
          data={choices(({ attribution }) => [attribution.agent], wanted.agent)}
          onChange={(agent) => change({ agent })}
        />
        <Choice
          label="Customer"
          value={wanted.customer}
          data={choices(({ attribution }) => [attribution.customer], wanted.customer)}
          onChange={(customer) => change({ customer })}
        />
        <TextInput
          size="xs"
          className="choice"
          aria-label="Search"
          placeholder="Search …"
          value={wanted.text ?? ""}
          onChange={(event) => change({ search: event.currentTarget.value === "" ? undefined : event.currentTarget.value })}
        />
      </div>
      {data === undefined ? (
        <Pending answer={answer} label="Loading refusals" rows={6} />
      ) : found.length === 0 ? (
        <Empty title={isFiltered ? "No refusal is like this" : "No call was refused"}>
          {isFiltered ? (
            <Button
              size="xs"
              variant="default"
              onClick={() => change({ budget: undefined, code: undefined, agent: undefined, customer: undefined, search: undefined })}
            >
              All refusals
            </Button>
          ) : (
            <p>Every call that is remembered was let in.</p>
          )}
        </Empty>
      ) : (
        <RefusalRows refusals={found.slice(0, shown)} nowMs={data.nowMs} />
      )}
      {found.length > shown ? (
        <div className="more">
          <Button size="xs" variant="default" onClick={() => setShown(shown + pageRows)}>
            Show {count(Math.min(pageRows, found.length - shown))} more of {count(found.length)}
          </Button>
        </div>
      ) : all.length >= refusalsAsked ? (
        <p className="soft small more">These are of the newest {count(refusalsAsked)}; the journal has all.</p>
      ) : null}
    </section>
  );
}

function Choice({
  label,
  value,
  data,
  onChange,
}: {
  readonly label: string;
  readonly value: string | undefined;
  readonly data: readonly (string | { readonly value: string; readonly label: string })[];
  readonly onChange: (value: string | undefined) => void;
}): ReactNode {
  return (
    <Select
      size="xs"
      className="choice"
      aria-label={label}
      placeholder={label}
      clearable
      searchable
      value={value ?? null}
      data={[...data]}
      onChange={(next) => onChange(next ?? undefined)}
    />
  );
}

interface Wanted {
  readonly code: string | undefined;
  readonly agent: string | undefined;
  readonly customer: string | undefined;
  readonly text: string | undefined;
}

function isWanted(refusal: Refusal, { code, agent, customer, text }: Wanted): boolean {
  if (code !== undefined && refusal.code !== code) return false;
  if (agent !== undefined && refusal.attribution.agent !== agent) return false;
  if (customer !== undefined && refusal.attribution.customer !== customer) return false;
  if (text === undefined) return true;
  const { task, root } = refusal.attribution;
  const all = [
    refusal.id,
    refusal.detail,
    refusal.provider,
    refusal.model,
    task,
    root,
    ...saidOf(refusal),
    ...refusal.against.map(placeName),
  ];
  return all.some((one) => one?.toLowerCase().includes(text.toLowerCase()) === true);
}

function toTable(refusals: readonly Refusal[]): (string | number)[][] {
  return [
    ["refusal", "at", "code", "detail", "provider", "model", "team", "agent", "feature", "customer", "task", "budgets"],
    ...refusals.map(({ id, atMs, code, detail, provider, model, attribution, against }) => [
      id,
      new Date(atMs).toISOString(),
      code,
      detail,
      provider,
      model ?? "",
      attribution.team ?? "",
      attribution.agent ?? "",
      attribution.feature ?? "",
      attribution.customer ?? "",
      attribution.task ?? "",
      against.map(placeName).join("; "),
    ]),
  ];
}

/** What the guard did, and what that cost. */
function Tally({ answer }: { readonly answer: ReturnType<typeof useAnswer<Guard>> }): ReactNode {
  const isDemo = useStatus().data?.demo === true;
  const { data } = answer;
  if (data === undefined) return null;
  const { tally, waiting } = data;
  const decimals = decimalsFor([tally.cutCost, tally.shortenedCost]);
  const tiles: readonly (readonly [string, ReactNode, ReactNode, string])[] = [
    ["admitted", count(tally.admitted), "Let in", `${count(waiting)} wait for their turn`],
    ["refused", count(tally.refused), "Refused", "none of them was sent"],
    ["capped", count(tally.capped + tally.lowered), "Caps put in", `${count(tally.lowered)} of them in place of a larger one`],
    ["degraded", count(tally.degraded), "Degraded", `${count(tally.waited)} waited`],
    [
      "shortened",
      <Usd key="shortened" value={tally.shortenedCost} decimals={decimals} />,
      "Answers shortened",
      `${count(tally.shortened)} ended at such a cap`,
    ],
    [
      "cut",
      <Usd key="cut" value={tally.cutCost} decimals={decimals} />,
      "Streams cut",
      `${count(tally.cut)} ended because the money was gone`,
    ],
  ];
  return (
    <section className="card" aria-labelledby="tally">
      <div className="title">
        <h2 id="tally">What the guard did, and what that cost</h2>
        <p className="soft small" {...(isDemo ? {} : { title: exactMoment(data.sinceMs) })}>
          {sinceWords(data, isDemo)}
        </p>
      </div>
      <dl className="tiles pairs thirds">
        {tiles.map(([name, figure, what, why]) => (
          <div key={name} className="tile" data-tally={name}>
            <dt>{what}</dt>
            <dd>
              <p className="figure">{figure}</p>
              <p className="soft small">{why}</p>
            </dd>
          </div>
        ))}
      </dl>
      {tally.breaches === 0 ? null : (
        <p className="bad small foot">
          <Icon name="warn" size={12} /> {count(tally.breaches)} settled above what was held for them: a bound did not hold.
        </p>
      )}
    </section>
  );
}
