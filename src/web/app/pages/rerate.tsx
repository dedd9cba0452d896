// Re-rating: calls on record are rated anew by the book as it is known now. First as a trial that changes nothing, by model and day; then, when
// it is wanted, as corrections beside the originals. Invariant: nothing is applied that was not shown first.

import { Alert, Button, Modal, Progress, Switch, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { type ApiError, ask, send } from "../api.ts";
import type { RerateDay, RerateJob } from "../audit.ts";
import { useSession } from "../data.ts";
import { add, count, decimalsFor } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { Signed } from "../parts/signed.tsx";
import { Empty } from "../parts/states.tsx";
import { atLeast, Usd } from "../parts/usd.tsx";
import { dayMs } from "../time.ts";
import { plural } from "../words.ts";

const rowsShown = 300;
const pollMs = 700;

/** @param since as the address has it: a time, an age, or `all`. */
export function RerateDialog({
  since,
  provider,
  model,
  onClose,
}: {
  readonly since: string;
  readonly provider?: string;
  readonly model?: string;
  readonly onClose: () => void;
}): ReactNode {
  const isAdministrator = useSession().data?.role === "administer";
  const queries = useQueryClient();
  const [from, setFrom] = useState(() => toFirst(since));
  const [until, setUntil] = useState("");
  const [isIntoOpen, setIntoOpen] = useState(false);
  const [id, setId] = useState<string | null>(null);
  const begin = useMutation<RerateJob, ApiError, boolean>({
    mutationFn: (dryRun) =>
      send<RerateJob>("POST", "rerates", {
        since: from === "" ? "1970-01-01" : from,
        ...(until === "" ? {} : { until }),
        ...(provider === undefined ? {} : { provider }),
        ...(model === undefined ? {} : { model }),
        dryRun,
        intoOpen: isIntoOpen,
      }),
    onSuccess: (job) => setId(job.id),
  });
  const job = useQuery<RerateJob, ApiError>({
    queryKey: ["rerates", id],
    queryFn: ({ signal }) => ask<RerateJob>(`rerates/${encodeURIComponent(id ?? "")}`, {}, signal),
    enabled: id !== null,
    refetchInterval: ({ state }) => (state.data?.state === "running" || state.data === undefined ? pollMs : false),
  });
  const { data } = job;
  const isApplied = data?.state === "done" && !data.dryRun;
  useEffect(() => {
    if (isApplied) void queries.invalidateQueries({ predicate: ({ queryKey: [path] }) => path !== "rerates" });
  }, [isApplied, queries]);
  const isRunning = begin.isPending || (id !== null && (data === undefined || data.state === "running"));
  const what = model === undefined ? "calls" : `calls of ${model}`;
  const refusal = begin.error ?? job.error;
  const failure = refusal?.message ?? (data?.state === "failed" ? data.problem : null);
  return (
    <Modal opened onClose={onClose} title={`Re-rate ${what}`} centered size="xl" closeButtonProps={{ "aria-label": "Close" }}>
      {!isAdministrator ? (
        <p>Only those who administer may re-rate calls. You are signed in to read.</p>
      ) : (
        <div className="stack">
          <p className="soft small">
            Each call is rated anew, at its own time, by the prices as they are known now. Originals stay on record; what differs is a
            correction beside them.
          </p>
          <form
            className="row wrap"
            onSubmit={(event: FormEvent) => {
              event.preventDefault();
              setId(null);
              begin.mutate(true);
            }}
          >
            <TextInput size="xs" type="date" label="From (UTC)" value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
            <TextInput size="xs" type="date" label="Before (UTC)" value={until} onChange={(event) => setUntil(event.currentTarget.value)} />
            <Button className="bottom" type="submit" size="xs" variant={data?.state === "done" ? "default" : "filled"} loading={isRunning}>
              Show what would change
            </Button>
          </form>
          {failure === null ? null : (
            <Alert color="red" variant="outline">
              <span className="bad">{failure}</span>
              {refusal instanceof Error && (refusal as ApiError).code === "period_closed" ? (
                <Switch
                  mt="xs"
                  size="xs"
                  label="Book the difference of closed months in the open one, with a reference"
                  checked={isIntoOpen}
                  onChange={(event) => setIntoOpen(event.currentTarget.checked)}
                />
              ) : null}
            </Alert>
          )}
          {isRunning ? <Running job={data} /> : null}
          {data?.state !== "done" || data.days === null ? null : (
            <>
              <Result job={data} days={data.days} isApplied={isApplied} />
              <div className="row ends">
                {isApplied || data.calls === 0 ? (
                  <Button size="xs" onClick={onClose}>
                    Done
                  </Button>
                ) : (
                  <>
                    <Button size="xs" variant="default" onClick={onClose}>
                      Leave it
                    </Button>
                    <Button size="xs" loading={begin.isPending} onClick={() => begin.mutate(false)}>
                      Correct {plural(data.calls, "call")}
                    </Button>
                  </>
                )}
              </div>
            </>
          )}
        </div>
      )}
    </Modal>
  );
}

function Running({ job }: { readonly job: RerateJob | undefined }): ReactNode {
  const { total = 0, done = 0, waiting = false, lagBytes = null } = job ?? {};
  const behind = lagBytes === null || lagBytes === 0 ? "" : `, ${plural(lagBytes, "byte")} to go`;
  const looked = total === 0 ? "Looking which calls could change …" : `${count(done)} of ${plural(total, "call")}`;
  return (
    <div className="stack" role="status" aria-label="Re-rating">
      <Progress value={total === 0 ? 0 : (done / total) * 100} aria-label="Calls looked at" />
      <p className="soft small">{waiting ? `Waiting until the store has all that is on record${behind} …` : looked}</p>
    </div>
  );
}

function Result({
  job,
  days,
  isApplied,
}: {
  readonly job: RerateJob;
  readonly days: readonly RerateDay[];
  readonly isApplied: boolean;
}): ReactNode {
  if (job.calls === 0)
    return (
      <Empty title="Nothing changes">
        <p>{plural(job.done, "call")} looked at: each costs what it did, by the price it had.</p>
      </Empty>
    );
  const [before, after, difference] = [
    add(days.map((day) => day.before)),
    add(days.map((day) => day.after)),
    add(days.map((day) => day.difference)),
  ];
  const priced = days.reduce((sum, day) => sum + day.priced, 0);
  const lost = days.reduce((sum, day) => sum + day.lost, 0);
  const decimals = decimalsFor([before, after]);
  const isClosed = job.closedUntilMs !== null && days.some(({ day }) => Date.parse(day) < (job.closedUntilMs ?? 0));
  return (
    <>
      <p data-testid="rerated">
        {isApplied ? <strong>Done. </strong> : null}
        {plural(job.calls, "call")} of {count(job.done)} {isApplied ? "come" : "would come"} to{" "}
        <strong>
          <Usd value={after} decimals={decimals} mark={lost > 0 ? atLeast : ""} />
        </strong>{" "}
        instead of <Usd value={before} decimals={decimals} mark={priced > 0 ? atLeast : ""} />
        {lost > 0 ? null : (
          <>
            : <Signed value={difference} decimals={decimals} />
          </>
        )}
        .{priced === 0 ? "" : ` ${count(priced)} had no price before.`}
        {lost === 0 ? "" : ` ${plural(lost, "call")} would have something without a price.`}
      </p>
      {isClosed ? (
        <p className="soft small">Of closed months the difference is booked in the open one; their reports stay as they are.</p>
      ) : null}
      <Rows rows={days.slice(0, rowsShown)} decimals={decimalsFor(days.flatMap((day) => [day.before, day.after]))} />
      {days.length > rowsShown ? <p className="soft small">The first {count(rowsShown)} rows; the sums are over all.</p> : null}
    </>
  );
}

function Rows({ rows, decimals }: { readonly rows: readonly RerateDay[]; readonly decimals: number }): ReactNode {
  return (
    <div className="scroll low" tabIndex={0} role="region" aria-label="Difference by model and day">
      <table className="list">
        <Head
          columns={["Day", "Model", ["Calls", "number wide"], ["Before", "number wide"], ["After", "number"], ["Difference", "number"]]}
        />
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.day} ${row.provider} ${row.model}`} data-rerated={`${row.day} ${row.model}`}>
              <th scope="row" className="when">
                {row.day}
              </th>
              <td>
                <span className="clip">{row.model ?? <span className="soft">not recorded</span>}</span>
                <span className="soft small clip">{row.provider}</span>
              </td>
              <td className="number wide">
                {count(row.calls)}
                {row.priced === 0 ? null : <small className="soft under">{count(row.priced)} newly priced</small>}
                {row.lost === 0 ? null : <small className="warn under">{count(row.lost)} without a price</small>}
              </td>
              <td className="number wide">
                <Usd value={row.before} decimals={decimals} mark={row.priced > 0 ? atLeast : ""} />
              </td>
              <td className="number">
                <Usd value={row.after} decimals={decimals} mark={row.lost > 0 ? atLeast : ""} />
              </td>
              <td className="number">
                {row.lost > 0 ? <span className="warn">unknown</span> : <Signed value={row.difference} decimals={decimals} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The first day of what the address says, UTC, as an input of type date has it. */
function toFirst(since: string): string {
  const days = /^(\d{1,4})d$/.exec(since);
  if (days !== null) return toDay(Date.now() - Number(days[1]) * dayMs);
  const ms = Date.parse(since);
  return Number.isNaN(ms) ? "" : toDay(ms);
}

function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
