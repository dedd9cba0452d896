// Runs: pieces of work that somebody wanted done, each with everything that was done for it and how it ended, newest or dearest first.

import { SegmentedControl, Select } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { EndedRun, Run, Runs, TaskEnd } from "../api.ts";
import { useAnswer } from "../data.ts";
import { count, decimalsFor, exact } from "../money.ts";
import { Filters } from "../parts/filters.tsx";
import { Head } from "../parts/head.tsx";
import { Page } from "../parts/page.tsx";
import { CopyLine, Share, toLine } from "../parts/share.tsx";
import { SpanPicker } from "../parts/span.tsx";
import { Empty, Pending } from "../parts/states.tsx";
import { Status } from "../parts/status.tsx";
import { markOf, Usd } from "../parts/usd.tsx";
import { one } from "../search.ts";
import { dayClock, duration, exactMoment, spanInSentence, toIso } from "../time.ts";
import { useView } from "../view.ts";
import { resultWords } from "./ended.tsx";

const rowsMax = 100;
const ends = Object.keys(resultWords) as TaskEnd[];

export function Tasks(): ReactNode {
  const { search, spanText, span, filters, change } = useView("7d");
  const order = one(search["order"]) === "dearest" ? "dearest" : "newest";
  const ended = ends.find((end) => end === one(search["ended"])) ?? null;
  const runs = useAnswer<Runs>("tasks", {
    since: toIso(span.sinceMs) ?? "1970-01-01",
    until: toIso(span.untilMs),
    filter: filters,
    order,
    ended: ended ?? undefined,
    limit: rowsMax,
  });
  const { data } = runs;
  return (
    <Page
      title="Tasks"
      tools={
        <>
          <Share
            name="tasks"
            line={toLine("tasks list", [
              ["since", toIso(span.sinceMs) ?? "1970-01-01"],
              ["until", toIso(span.untilMs)],
              ...filters.map((filter) => ["filter", filter] as const),
              ["order", order],
              ["ended", ended],
              ["limit", String(rowsMax)],
            ])}
            table={() => [
              ["task", "type", "customer", "started", "last active", "ended", "value", "tasks", "calls", "failed", "cost"],
              ...(data?.tasks ?? []).map((run) => [
                run.task,
                run.type ?? "",
                run.customer ?? "",
                new Date(run.startMs).toISOString(),
                run.endMs === null ? "" : new Date(run.endMs).toISOString(),
                run.ended,
                run.value ?? "",
                run.tasks,
                run.calls,
                run.failed,
                run.cost,
              ]),
            ]}
          />
          <SpanPicker value={spanText} onChange={(next) => change({ span: next })} />
        </>
      }
    >
      <div className="stack" style={{ gap: 12 }}>
        <div className="row wrap">
          <SegmentedControl
            size="xs"
            aria-label="Order"
            value={order}
            onChange={(value) => change({ order: value === "dearest" ? "dearest" : undefined })}
            data={[
              { value: "newest", label: "Newest" },
              { value: "dearest", label: "Dearest" },
            ]}
          />
          <Select
            size="xs"
            className="choice"
            aria-label="How it ended"
            placeholder="However ended"
            clearable
            value={ended}
            onChange={(value) => change({ ended: value ?? undefined })}
            data={ends.map((value) => ({ value, label: resultWords[value][0] }))}
          />
          <Filters filters={filters} span={span} onChange={(next) => change({ filter: next.length === 0 ? undefined : next })} />
        </div>
        <div className="card">
          {data === undefined ? (
            <Pending answer={runs} label="Loading the tasks" rows={12} />
          ) : data.tasks.length === 0 && ended !== null ? (
            <Empty title={`No task in this span (${spanInSentence(spanText)}) ended so: ${resultWords[ended][0].toLowerCase()}`}>
              <p>Take the choice back to see the others.</p>
            </Empty>
          ) : data.tasks.length === 0 ? (
            <Empty title={`No task in this span (${spanInSentence(spanText)})`}>
              <p>Calls belong to a task once they say so, by a header:</p>
              <CopyLine text={'-H "x-pennyworth-task: ticket-4711" -H "x-pennyworth-type: support"'} />
            </Empty>
          ) : (
            <List runs={data.tasks} order={order} />
          )}
        </div>
        {data?.truncated === true ? (
          <p className="soft small">These are the first {count(rowsMax)}: narrow the span or add a filter for others.</p>
        ) : null}
      </div>
    </Page>
  );
}

/** When something last happened; under way is later than all that has ended. */
function activeMs(run: Run): number {
  const isUnderWay = run.open > 0 || (run.endMs === null && run.calls > 0);
  return isUnderWay ? Number.MAX_SAFE_INTEGER - 1e13 + run.startMs : (run.endMs ?? run.startMs);
}

/** In the words of the task's own page. */
function End({ run }: { readonly run: EndedRun }): ReactNode {
  const [word, look] = resultWords[run.ended];
  return (
    <>
      <span className={look} data-ended={run.ended}>
        {word}
      </span>
      {run.value === null ? null : <span className="soft small"> worth {exact(run.value)}</span>}
      {run.contradictory ? <span className="soft small"> contradictory</span> : null}
    </>
  );
}

function List({ runs, order }: { readonly runs: readonly EndedRun[]; readonly order: "newest" | "dearest" }): ReactNode {
  const navigate = useNavigate();
  const decimals = decimalsFor(runs.map((run) => run.cost));
  const nowMs = Date.now();
  // The newest by their latest call, which is not in the answer: in the order of what is shown.
  const sorted = order === "dearest" ? runs : runs.toSorted((a, b) => activeMs(b) - activeMs(a));
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Tasks">
      <table className="list calls">
        <Head
          columns={[
            "Task",
            ["For", "wide"],
            ["Ended", "wide"],
            ["Last active", "time"],
            ["Took", "number wide"],
            ["Tasks", "number wide"],
            ["Calls", "number few"],
            ["Failed", "number wide"],
            ["Cost", "number cost"],
          ]}
        />
        <tbody>
          {sorted.map((run) => {
            const said = [run.customer, run.feature, run.agent].filter((text) => text !== null);
            return (
              <tr
                key={run.task}
                className="opens"
                data-task={run.task}
                onClick={(event) => {
                  if (!(event.target as HTMLElement).closest("a")) void navigate({ to: "/tasks/$id", params: { id: run.task } });
                }}
              >
                <td>
                  <Link to="/tasks/$id" params={{ id: run.task }} className="clip" title={run.task}>
                    {run.task}
                  </Link>
                  <span className="soft small clip" title={run.type ?? undefined}>
                    {run.type ?? "no type"}
                  </span>
                  <small className="narrow">
                    <End run={run} />
                  </small>
                </td>
                <td className="wide for">
                  <span className="clip">{said.length === 0 ? <span className="soft">not recorded</span> : said.join(" · ")}</span>
                </td>
                <td className="wide">
                  <End run={run} />
                </td>
                <td className="when" title={`Started ${exactMoment(run.startMs)}`}>
                  {run.open > 0 || (run.endMs === null && run.calls > 0) ? (
                    <Status status="open" />
                  ) : (
                    dayClock(run.endMs ?? run.startMs, nowMs)
                  )}
                </td>
                <td className="number wide soft">{run.open > 0 || run.endMs === null ? "" : duration(run.endMs - run.startMs)}</td>
                <td className="number wide">{count(run.tasks)}</td>
                <td className="number">{count(run.calls)}</td>
                <td className={`number wide${run.failed > 0 ? " bad" : " soft"}`}>{count(run.failed)}</td>
                <td className="number">
                  {run.open > 0 && run.cost === "0" && run.calls <= run.open ? (
                    <span className="soft">not yet</span>
                  ) : (
                    <Usd value={run.cost} decimals={decimals} mark={markOf(run)} />
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
