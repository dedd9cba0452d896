// Closing: months of the books, each with its sum, what of it is unsure, and whether it still moves. A month is closed here, and a closed one
// checked against its statement. Invariant: what is unsure in a month is shown before it is closed.

import { Alert, Button, Modal } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { type ApiError, ask, type Report, type Row, send } from "../api.ts";
import type { ClosedMonth, Closing, Closings } from "../audit.ts";
import { useAnswer, useSession } from "../data.ts";
import { Icon } from "../icons.tsx";
import { count, decimalsFor } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { Page } from "../parts/page.tsx";
import { Share } from "../parts/share.tsx";
import { Empty, Failed, Waiting } from "../parts/states.tsx";
import { markOf, Usd } from "../parts/usd.tsx";
import { ago, exactMoment, utcMonth } from "../time.ts";
import { plural } from "../words.ts";

interface Month {
  readonly month: string;
  readonly row: Row | null;
  readonly closing: Closing | null;
}

const unsureKinds = [
  ["unpriced", "that used something without a price", "unpriced=true"],
  ["unmetered", "that ended without a usage", "unmetered=true"],
  ["doubtful", "whose usage does not add up", "doubtful=true"],
  ["presumed", "whose end nobody saw", "presumed=true"],
] as const;

export function ClosingPage(): ReactNode {
  const isAdministrator = useSession().data?.role === "administer";
  const report = useAnswer<Report>("report", { by: "month", zone: "UTC", limit: 1_000 });
  const closings = useAnswer<Closings>("closings");
  const [closed, setClosing] = useState<Month | null>(null);
  const check = useMutation<Closings, ApiError>({ mutationFn: () => ask<Closings>("closings", { check: "true" }) });
  const error = report.error ?? closings.error;
  const months = report.data === undefined || closings.data === undefined ? null : toMonths(report.data, closings.data);
  const first = months?.findLast(({ closing }) => closing === null)?.month;
  return (
    <Page
      title="Closing"
      tools={
        months === null || months.length === 0 ? undefined : (
          <>
            {(closings.data?.closings.length ?? 0) === 0 ? null : (
              <Button size="xs" variant="default" loading={check.isPending} onClick={() => check.mutate()}>
                Check closed months
              </Button>
            )}
            <Share name="months" line="pennyworth close --list" table={() => toTable(months)} />
          </>
        )
      }
    >
      <div className="stack">
        <p className="soft">
          A closed month moves no more: what arrives late, and every correction of it, is booked in the open month with a reference. Months
          are UTC.
        </p>
        {check.isError ? (
          <Alert color="red" variant="outline">
            <span className="bad">{check.error.message}</span>
          </Alert>
        ) : null}
        {check.data === undefined ? null : <Checked check={check.data} />}
        <section className="card" aria-labelledby="months">
          <div className="title">
            <h2 id="months">Months</h2>
          </div>
          {months === null ? (
            error === null ? (
              <Waiting label="Loading the months" />
            ) : (
              <Failed
                error={error}
                onRetry={() => {
                  void report.refetch();
                  void closings.refetch();
                }}
              />
            )
          ) : months.length === 0 ? (
            <Empty title="No month has a call yet" />
          ) : (
            <Months months={months} first={first} isAdministrator={isAdministrator} onClose={setClosing} />
          )}
        </section>
      </div>
      {closed === null ? null : <CloseDialog month={closed} onDone={() => setClosing(null)} />}
    </Page>
  );
}

/** The newest first. */
function toMonths(report: Report, { closings }: Closings): readonly Month[] {
  const found = new Map(closings.map((closing) => [closing.month, closing]));
  const rows = new Map(report.rows.flatMap((row) => (typeof row.group["month"] === "string" ? [[row.group["month"], row] as const] : [])));
  return [...new Set([...rows.keys(), ...found.keys()])]
    .toSorted()
    .toReversed()
    .map((month) => ({ month, row: rows.get(month) ?? null, closing: found.get(month) ?? null }));
}

function Months({
  months,
  first,
  isAdministrator,
  onClose,
}: {
  readonly months: readonly Month[];
  /** The earliest that is open. */
  readonly first: string | undefined;
  readonly isAdministrator: boolean;
  readonly onClose: (month: Month) => void;
}): ReactNode {
  const decimals = decimalsFor(months.flatMap(({ row }) => (row === null ? [] : [row.cost])));
  const current = new Date().toISOString().slice(0, 7);
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Months of the books">
      <table className="list">
        <Head columns={["Month", ["Calls", "number wide"], ["Cost", "number"], ["Unsure", "wide"], "State", { unseen: "Close" }]} />
        <tbody>
          {months.map((one) => {
            const { month, row, closing } = one;
            return (
              <tr key={month} data-month={month}>
                <th scope="row">{utcMonth(Date.parse(`${month}-01`))}</th>
                <td className="number wide">{count(row?.calls ?? 0)}</td>
                <td className="number">
                  {row === null ? <span className="soft">—</span> : <Usd value={row.cost} decimals={decimals} mark={markOf(row)} />}
                </td>
                <td className="wide">
                  <Unsure row={row} month={month} />
                </td>
                <td>
                  {closing === null ? (
                    <span className="badge soft hollow">{month === current ? "under way" : "open"}</span>
                  ) : (
                    <>
                      <span className="badge good">closed</span>
                      <small className="soft under" title={exactMoment(closing.atMs)}>
                        {ago(closing.atMs, Date.now())}
                      </small>
                      <small className="soft mono under wide" title={`Statement ${closing.statement}`}>
                        {closing.statement.slice(0, 12)}
                      </small>
                    </>
                  )}
                </td>
                <td className="number">
                  {isAdministrator && closing === null && month < current && month === first ? (
                    <Button size="compact-xs" variant="default" aria-label={`Close ${month}`} onClick={() => onClose(one)}>
                      Close
                    </Button>
                  ) : null}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Unsure({ row, month }: { readonly row: Row | null; readonly month: string }): ReactNode {
  const found = row === null ? [] : unsureKinds.filter(([kind]) => row[kind] > 0);
  if (row === null || found.length === 0) return <span className="soft">nothing</span>;
  return found.map(([kind, , filter]) => (
    <Link key={kind} to="/calls" search={{ span: spanOf(month), filter }} className="unsure">
      {count(row[kind])} {kind}
    </Link>
  ));
}

/** What is unsure first, then the button: the server says what closing would come to, and whether it may be. */
function CloseDialog({ month: { month }, onDone }: { readonly month: Month; readonly onDone: () => void }): ReactNode {
  const queries = useQueryClient();
  const name = utcMonth(Date.parse(`${month}-01`));
  const trial = useQuery<ClosedMonth, ApiError>({
    queryKey: ["closings/trial", month],
    queryFn: ({ signal }) => send<ClosedMonth>("POST", "closings", { month, dryRun: true }, signal),
    gcTime: 0,
  });
  const close = useMutation<ClosedMonth, ApiError>({
    mutationFn: () => send<ClosedMonth>("POST", "closings", { month, accept: true }),
    onSuccess: () => {
      onDone();
      void queries.invalidateQueries({ queryKey: ["closings"] });
    },
  });
  const { data } = trial;
  const found = data === undefined ? [] : unsureKinds.filter(([kind]) => data.unsure[kind] > 0);
  return (
    <Modal opened onClose={onDone} title={`Close ${name}?`} centered closeButtonProps={{ "aria-label": "Close" }}>
      {data === undefined ? (
        trial.isError ? (
          <div className="stack">
            <p className="bad" role="alert">
              {trial.error.message}
            </p>
            <div className="row ends">
              <Button variant="default" size="xs" onClick={onDone}>
                Leave it open
              </Button>
            </div>
          </div>
        ) : (
          <Waiting label="Loading what is unsure" rows={4} />
        )
      ) : (
        <div className="stack">
          {found.length === 0 && data.unsure.periodUnpriced === 0 ? (
            <p>Every call of this month has a price, a usage that adds up, and a known end.</p>
          ) : (
            <div data-testid="unsure">
              <p className="warn">
                <Icon name="warn" size={12} /> Not everything of this month is sure:
              </p>
              <ul>
                {found.map(([kind, words, filter]) => (
                  <li key={kind}>
                    <Link to="/calls" search={{ span: spanOf(month), filter }} onClick={onDone} className="inline">
                      {plural(data.unsure[kind], "call")}
                    </Link>{" "}
                    {words}
                  </li>
                ))}
                {data.unsure.periodUnpriced === 0 ? null : <li>{plural(data.unsure.periodUnpriced, "day")} of charges without a price</li>}
              </ul>
            </div>
          )}
          <p>
            Its sum, <Usd value={data.closing.cost} decimals={decimalsFor([data.closing.cost])} /> of {plural(data.closing.calls, "call")},
            stays as it is from then on. A closed month is not opened again: corrections are booked in the open one.
          </p>
          {close.isError ? (
            <Alert color="red" variant="outline">
              <span className="bad">{close.error.message}</span>
            </Alert>
          ) : null}
          <div className="row ends">
            <Button variant="default" size="xs" onClick={onDone}>
              Leave it open
            </Button>
            <Button size="xs" loading={close.isPending} onClick={() => close.mutate()}>
              Close {name}
            </Button>
          </div>
        </div>
      )}
    </Modal>
  );
}

function Checked({ check: { closings } }: { readonly check: Closings }): ReactNode {
  const wrong = closings.filter(({ holds }) => holds === false);
  return wrong.length === 0 ? (
    <p className="good" role="status" data-testid="checked">
      <Icon name="check" size={12} /> {plural(closings.length, "closed month")} recomputed: {closings.length === 1 ? "it is" : "each is"}{" "}
      what it was when it was closed.
    </p>
  ) : (
    <Alert color="red" variant="outline" role="alert">
      <span className="bad">Not what they were when they were closed: {wrong.map(({ month }) => month).join(", ")}.</span>
    </Alert>
  );
}

/** A month of UTC, as the address of calls has a span. */
function spanOf(month: string): string {
  const [year = 1970, index = 1] = month.split("-").map(Number);
  return `${new Date(Date.UTC(year, index - 1)).toISOString()}..${new Date(Date.UTC(year, index)).toISOString()}`;
}

function toTable(months: readonly Month[]): (string | number)[][] {
  const head = ["month", "calls", "cost", ...unsureKinds.map(([kind]) => kind), "closed", "statement"];
  return [
    head,
    ...months.map(({ month, row, closing }) => [
      month,
      row?.calls ?? 0,
      row?.cost ?? "0",
      ...unsureKinds.map(([kind]) => row?.[kind] ?? 0),
      closing === null ? "" : new Date(closing.atMs).toISOString(),
      closing?.statement ?? "",
    ]),
  ];
}
