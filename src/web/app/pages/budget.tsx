// One budget: how it stands, its terms, whom it refused, calls presumed against it, and what was told of it. Not here: all of them (budgets.tsx).

import { Button, Modal, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { type ApiError, send } from "../api.ts";
import { useAnswer, useSession } from "../data.ts";
import { type Alerts, type Budget, type BudgetAnswer, guardMs, isRolling, nameScopeField, type Refusals, type Standing } from "../guard.ts";
import { Icon } from "../icons.tsx";
import { count } from "../money.ts";
import { Amount, Figures, Meter } from "../parts/meter.tsx";
import { Page } from "../parts/page.tsx";
import { Share } from "../parts/share.tsx";
import { ModeBadge, More, Resets, StateBadge, ValueRow } from "../parts/standing.tsx";
import { Empty, Pending } from "../parts/states.tsx";
import { dayClock, exactMoment } from "../time.ts";
import { toTable } from "./budgets.tsx";
import { GrantMore, Refused, refreshGuard } from "./grant.tsx";
import { HaltSwitch } from "./halt.tsx";
import { TermsFacts } from "./facts.tsx";
import { PresumedCalls } from "./presumed.tsx";
import { RefusalRows } from "./refusals.tsx";
import { TermsForm } from "./terms.tsx";

const standingsMax = 1_000;
const pageRows = 25;
const refusalsShown = 10;
const alertsShown = 10;

type Opened = "terms" | "halt" | "remove" | { readonly standing: Standing | null };

export function BudgetPage(): ReactNode {
  const { id } = useParams({ from: "/budgets/$id" });
  const answer = useAnswer<BudgetAnswer>(`budgets/${encodeURIComponent(id)}`, { standings: standingsMax }, { everyMs: guardMs });
  const isAdministrator = useSession().data?.role === "administer";
  const [opened, setOpened] = useState<Opened | null>(null);
  // While another one is being asked for, the last one's answer is still here.
  const data = answer.data?.budget.id === id ? answer.data : undefined;
  const budget = data?.budget;
  const isOwn = budget?.origin === "api";
  const close = (): void => setOpened(null);
  return (
    <Page
      title={`Budget ${id}`}
      heading={
        <span className="row wrap tight">
          <span className="anywhere">{id}</span>
          {budget === undefined ? null : (
            <>
              <StateBadge standing={budget.terms.each.length === 0 ? budget.standings[0] : undefined} />
              <ModeBadge budget={budget} />
            </>
          )}
        </span>
      }
      tools={
        budget === undefined ? undefined : (
          <>
            <Share name={`budget-${id}`} line={`pennyworth budgets show ${id}`} table={() => toTable([budget])} />
            {isAdministrator ? (
              <>
                {isOwn ? (
                  <Button size="xs" variant="default" onClick={() => setOpened("terms")}>
                    Change
                  </Button>
                ) : null}
                {budget.origin === "settings" ? null : (
                  <Button size="xs" variant="default" onClick={() => setOpened("remove")}>
                    Remove
                  </Button>
                )}
                <Button size="xs" variant="default" onClick={() => setOpened("halt")}>
                  Stop all below it
                </Button>
                <Button
                  size="xs"
                  onClick={() => setOpened({ standing: budget.terms.each.length === 0 ? (budget.standings[0] ?? null) : null })}
                >
                  Grant more
                </Button>
              </>
            ) : null}
          </>
        )
      }
    >
      {data === undefined || budget === undefined ? (
        <div className="card">
          <Pending answer={answer} label="Loading the budget" rows={10} />
        </div>
      ) : (
        <div className="grid">
          <div className="span8 stack">
            {budget.terms.each.length === 0 ? (
              <Whole budget={budget} nowMs={data.nowMs} />
            ) : (
              <Values budget={budget} nowMs={data.nowMs} onGrant={isAdministrator ? (standing) => setOpened({ standing }) : null} />
            )}
            <PresumedCalls budget={id} />
            <RefusedBy budget={budget} />
          </div>
          <div className="span4 stack">
            <TermsFacts budget={budget} />
            <Told id={id} />
          </div>
        </div>
      )}
      {budget === undefined || opened === null ? null : opened === "terms" ? (
        <TermsForm budget={budget} onClose={close} />
      ) : opened === "halt" ? (
        <HaltSwitch scope={budget.terms.for} onClose={close} />
      ) : opened === "remove" ? (
        <Remove id={id} onClose={close} />
      ) : (
        <GrantMore budget={budget} standing={opened.standing} onClose={close} />
      )}
    </Page>
  );
}

/** A budget with one allowance. */
function Whole({ budget, nowMs }: { readonly budget: Budget; readonly nowMs: number }): ReactNode {
  const [standing] = budget.standings;
  if (standing === undefined)
    return (
      <section className="card" aria-label="How it stands">
        <Empty title="Nothing was taken yet" />
      </section>
    );
  const { measure } = budget;
  return (
    <section className="card" aria-labelledby="stands">
      <div className="title">
        <h2 id="stands">{isRolling(budget) ? "Now" : "This window"}</h2>
        <div className="tools">
          <Resets budget={budget} standing={standing} nowMs={nowMs} />
        </div>
      </div>
      <div className="body">
        <p className="figure big" data-testid="left">
          <Amount value={standing.left} measure={measure} /> <span className="fine">left</span>
        </p>
        <p className="soft small">
          of <Amount value={standing.allowance} measure={measure} isExact />
          <Extras standing={standing} budget={budget} />
        </p>
        <Meter standing={standing} measure={measure} />
        <Figures standing={standing} measure={measure} />
      </div>
    </section>
  );
}

/** What of the allowance is more than the limit. */
function Extras({
  standing: { granted, carried },
  budget: { measure },
}: {
  readonly standing: Standing;
  readonly budget: Budget;
}): ReactNode {
  return (
    <>
      {granted === "0" ? null : (
        <>
          , with <Amount value={granted} measure={measure} isExact /> granted
        </>
      )}
      {carried === "0" ? null : (
        <>
          , with <Amount value={carried} measure={measure} /> carried over
        </>
      )}
    </>
  );
}

/** A budget with an allowance for each value: the fullest first, a page at a time. */
function Values({
  budget,
  nowMs,
  onGrant,
}: {
  readonly budget: Budget;
  readonly nowMs: number;
  readonly onGrant: ((standing: Standing) => void) | null;
}): ReactNode {
  const [search, setSearch] = useState("");
  const [shown, setShown] = useState(pageRows);
  const { standings, terms, total } = budget;
  const wanted = search.trim().toLowerCase();
  const found = wanted === "" ? standings : standings.filter(({ values }) => values.some((one) => one.toLowerCase().includes(wanted)));
  const noun = terms.each.map(nameScopeField).join(" and ");
  return (
    <section className="card" aria-labelledby="values">
      <div className="title">
        <h2 id="values">Each {noun}</h2>
        <div className="tools">
          <TextInput
            size="xs"
            aria-label={`Search a ${noun}`}
            placeholder={`Search a ${noun} …`}
            value={search}
            onChange={(event) => {
              setSearch(event.currentTarget.value);
              setShown(pageRows);
            }}
          />
        </div>
      </div>
      {total === 0 ? (
        <Empty title={`No ${noun} was seen yet`}>
          <p>Each begins with all of it: {terms.limit}.</p>
        </Empty>
      ) : found.length === 0 ? (
        <Empty title={`No ${noun} is called that`}>
          {total > standings.length ? <p>Only the fullest {count(standings.length)} were searched.</p> : null}
        </Empty>
      ) : (
        <ul className="records standings">
          {found.slice(0, shown).map((standing) => (
            <ValueRow
              key={standing.values.join("\n")}
              budget={budget}
              standing={standing}
              nowMs={nowMs}
              actions={
                onGrant === null ? null : (
                  <Button
                    size="compact-xs"
                    variant="default"
                    onClick={() => onGrant(standing)}
                    aria-label={`Grant more: ${standing.values.join(" and ")}`}
                  >
                    Grant more
                  </Button>
                )
              }
            />
          ))}
        </ul>
      )}
      {found.length > shown ? (
        <div className="more">
          <Button size="xs" variant="default" onClick={() => setShown(shown + pageRows)}>
            Show {count(Math.min(pageRows, found.length - shown))} more of {count(found.length)}
          </Button>
        </div>
      ) : (
        <More shown={standings.length} total={total} />
      )}
    </section>
  );
}

function RefusedBy({ budget: { id, terms } }: { readonly budget: Budget }): ReactNode {
  const answer = useAnswer<Refusals>("refusals", { budget: id, limit: refusalsShown }, { everyMs: guardMs });
  const { data } = answer;
  return (
    <section className="card" aria-labelledby="refused">
      <div className="title">
        <h2 id="refused">Refused by it</h2>
        {data === undefined || data.refusals.length < refusalsShown ? null : (
          <div className="tools small">
            <Link to="/stopped" search={{ budget: id }}>
              More
            </Link>
          </div>
        )}
      </div>
      {data === undefined ? (
        <Pending answer={answer} label="Loading refusals" rows={3} />
      ) : data.refusals.length === 0 ? (
        <p className="soft small body">{terms.mode === "hard" ? "No call was refused by it." : "It refuses no call."}</p>
      ) : (
        <RefusalRows refusals={data.refusals} nowMs={data.nowMs} by={id} />
      )}
    </section>
  );
}

/** The last alerts about it. */
function Told({ id }: { readonly id: string }): ReactNode {
  const answer = useAnswer<Alerts>("alerts", {}, { everyMs: 4 * guardMs });
  const own = (answer.data?.alerts ?? []).filter(({ budget, of }) => budget === id || of.some((one) => one.budget === id));
  return (
    <section className="card" aria-labelledby="told">
      <div className="title">
        <h2 id="told">Alerts</h2>
      </div>
      {answer.data === undefined ? (
        <Pending answer={answer} label="Loading alerts" rows={2} />
      ) : own.length === 0 ? (
        <p className="soft small body">Nobody was told anything of it lately.</p>
      ) : (
        <ul className="alerts">
          {own.slice(0, alertsShown).map(({ id: alert, severity, title, text, atMs, deliveries }) => (
            <li key={alert} className="alert">
              <span className={severity === "critical" ? "bad" : severity === "warning" ? "warn" : "soft"}>
                <Icon name="warn" />
              </span>
              <span className="grow anywhere">
                <strong>{title}</strong>
                <span className="soft small why">{text}</span>
                <span className="soft small why" title={exactMoment(atMs)}>
                  {dayClock(atMs, Date.now())}
                  {Object.entries(deliveries).map(([receiver, state]) => ` · ${receiver}: ${state}`)}
                </span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Remove({ id, onClose }: { readonly id: string; readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation<unknown, ApiError>({
    mutationFn: () => send("DELETE", `budgets/${encodeURIComponent(id)}`),
    onSuccess: async () => {
      await navigate({ to: "/budgets" });
      await refreshGuard(queries);
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Remove ${id}?`} centered closeButtonProps={{ "aria-label": "Close" }}>
      <div className="stack">
        <p>From then on it refuses nothing. Calls under way end as if it were there, and the journal keeps what it was.</p>
        <Refused error={remove.error} />
        <div className="row ends">
          <Button size="xs" variant="default" onClick={onClose}>
            Keep it
          </Button>
          <Button size="xs" className="danger" loading={remove.isPending} onClick={() => remove.mutate()}>
            Remove it
          </Button>
        </div>
      </div>
    </Modal>
  );
}
