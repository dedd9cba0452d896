// What a success costs: all spend over what succeeded, in all and by what tasks are, each figure with its interval and with what the data lack.
// Not here: how one task ended (ended.tsx). Invariant: every number is the API's; the view is its address.

import { Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { type ReactNode, useEffect, useState } from "react";
import type { Query } from "../api.ts";
import { useAnswer } from "../data.ts";
import { nameField, nameFields } from "../fields.ts";
import { count, toGeometry } from "../money.ts";
import { Filters } from "../parts/filters.tsx";
import { Intervals } from "../parts/intervals.tsx";
import { Page } from "../parts/page.tsx";
import { CopyLine, Share, toLine } from "../parts/share.tsx";
import { SpanPicker } from "../parts/span.tsx";
import { Empty, Pending } from "../parts/states.tsx";
import { minutesText, shareText } from "../parts/values.ts";
import { one } from "../search.ts";
import {
  briefText,
  isTaskField,
  lackText,
  perSuccessText,
  rangeText,
  rateRangeText,
  rateText,
  ratioText,
  returnLackText,
  returnRangeText,
  returnText,
  reviewedText,
  type Success,
  type SuccessRow,
  taskFields,
} from "../success.ts";
import { spanInSentence, toIso, zone } from "../time.ts";
import { useView, type View } from "../view.ts";
import { plural, wordFor } from "../words.ts";
import { Ends, nameRow } from "./ends.tsx";

const settleMs = 300;
const rowsMax = 100;
/** More bars say nothing that the table does not. */
const barsMax = 12;

export function SuccessPage(): ReactNode {
  const view = useView("30d");
  const { search, spanText, span, filters, change } = view;
  const named = (one(search["by"]) ?? "type").split(",").filter(isTaskField);
  const by = [...new Set(named)].slice(0, 2);
  const rate = one(search["rate"]);
  const asked: Query = {
    by: by.join(","),
    since: toIso(span.sinceMs),
    until: toIso(span.untilMs),
    zone,
    filter: filters,
    reviewRate: rate,
    limit: rowsMax,
  };
  const answer = useAnswer<Success>("success", asked);
  const { data } = answer;
  const line = toLine("tasks success", [
    ["by", by.join(",")],
    ["since", toIso(span.sinceMs)],
    ["until", toIso(span.untilMs)],
    ...filters.map((filter) => ["filter", filter] as const),
    ["review-rate", rate],
  ]);
  return (
    <Page
      title="Success"
      tools={
        <>
          <Share name={`success-by-${by.join("-")}`} line={line} {...(data === undefined ? {} : { table: () => toTable(data) })} />
          <SpanPicker value={spanText} onChange={(next) => change({ span: next })} />
        </>
      }
    >
      <div className="stack" style={{ gap: 12 }}>
        <Controls by={by} rate={rate} change={change} />
        <Filters
          filters={filters}
          span={span}
          only={taskFields}
          onChange={(next) => change({ filter: next.length === 0 ? undefined : next })}
        />
        {data === undefined ? (
          <div className="card">
            <Pending answer={answer} label="Loading what a success costs" rows={12} />
          </div>
        ) : data.total.tasks === 0 ? (
          <div className="card">
            <Empty title={`No task began in this span (${spanInSentence(spanText)})`}>
              <p>A call belongs to a task once it says so, by a header. How a task ended is said by a program, a check or a person:</p>
              <CopyLine text={"pennyworth tasks end ticket-4711 --result success --value 12.50"} />
              <Waits waiting={data.waiting} />
            </Empty>
          </div>
        ) : (
          <Answered data={data} spanText={spanText} filters={filters} isOld={answer.isPlaceholderData} change={change} />
        )}
      </div>
    </Page>
  );
}

/** What is asked for. */
function Controls({
  by,
  rate,
  change,
}: Pick<View, "change"> & { readonly by: readonly string[]; readonly rate: string | undefined }): ReactNode {
  const [first = "none", second = "none"] = by;
  const [typed, setTyped] = useState(rate ?? "");
  const [settled] = useDebouncedValue(typed.trim(), settleMs);
  const isAmount = /^(\d+(\.\d+)?)?$/.test(settled);
  useEffect(() => {
    if (isAmount && settled !== (rate ?? "")) change({ rate: settled === "" ? undefined : settled });
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- only what is typed changes the address
  }, [settled]);
  return (
    <div className="row wrap controls">
      <span className="soft small">by</span>
      <Select
        size="xs"
        w={150}
        aria-label="By"
        value={first}
        data={choices("")}
        allowDeselect={false}
        onChange={(field) =>
          change({ by: field === "type" && second === "none" ? undefined : [...new Set([field, ...by.slice(1)])].join(",") })
        }
      />
      <span className="soft small">and</span>
      <Select
        size="xs"
        w={150}
        aria-label="And by"
        value={second}
        data={[{ value: "none", label: "Nothing more" }, ...choices(first)]}
        allowDeselect={false}
        onChange={(field) => change({ by: field === "none" ? (first === "type" ? undefined : first) : `${first},${field}` })}
      />
      <span className="soft small">an hour of checking costs</span>
      <TextInput
        size="xs"
        w={90}
        aria-label="An hour of checking costs, dollars"
        placeholder="not said"
        leftSection="$"
        inputMode="decimal"
        autoComplete="off"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        error={isAmount ? null : "Dollars, such as 32"}
      />
    </div>
  );
}

function choices(without: string): { value: string; label: string }[] {
  return taskFields.filter((field) => field !== without).map((field) => ({ value: field, label: nameField(field) }));
}

function Answered({
  data,
  spanText,
  filters,
  isOld,
  change,
}: Pick<View, "spanText" | "filters" | "change"> & { readonly data: Success; readonly isOld: boolean }): ReactNode {
  const { rows, total, by } = data;
  const bars = rows.filter(({ perSuccess }) => perSuccess !== null).slice(0, barsMax);
  const isDecided = total.rate.decided > 0;
  return (
    <div className="stack" data-old={isOld || undefined}>
      <section className="card" aria-label="In all">
        <Tiles total={total} isPriced={data.reviewRate !== null} />
        {isDecided ? null : (
          <div className="body">
            <p className="soft small">Nobody has said how these tasks ended. To say it of one:</p>
            <CopyLine text={"pennyworth tasks end ticket-4711 --result success"} />
          </div>
        )}
      </section>
      {bars.length === 0 ? null : (
        <section className="card" aria-labelledby="bars">
          <div className="title">
            <h2 id="bars">Spend per success by {nameFields(by).toLowerCase()}</h2>
            <p className="soft small">all spend, over what succeeded</p>
          </div>
          <div className="body">
            <Intervals
              label={`Spend per success by ${nameFields(by).toLowerCase()}`}
              rows={bars.map((row) => ({
                key: nameRow(by, row),
                name: nameRow(by, row),
                at: row.perSuccess === null ? null : toGeometry(row.perSuccess),
                interval:
                  row.interval === null
                    ? null
                    : { low: toGeometry(row.interval.low), high: row.interval.high === null ? null : toGeometry(row.interval.high) },
                text: perSuccessText(row) ?? "unknown",
                range: rangeText(row.interval) ?? "interval not known",
                note: lackText(row) === "" ? "" : `Not enough data: ${lackText(row)}.`,
              }))}
              whole={total.perSuccess === null ? null : { name: "all tasks", at: toGeometry(total.perSuccess) }}
            />
            {bars.length < rows.length ? (
              <p className="soft small">
                {bars.length < barsMax
                  ? "Those without a success are in the table alone."
                  : `The first ${count(barsMax)} with a success; all are in the table.`}
              </p>
            ) : null}
          </div>
        </section>
      )}
      <Ends data={data} spanText={spanText} filters={filters} change={change} />
      <Notes data={data} />
    </div>
  );
}

function Tiles({ total, isPriced }: { readonly total: SuccessRow; readonly isPriced: boolean }): ReactNode {
  const { shares, rate, returns, review } = total;
  const parts: readonly (readonly [name: string, share: number])[] =
    shares === null
      ? []
      : [
          ["failures", shares.failures],
          ["ends not known", shares.unknown],
          ["still open", shares.open],
          ["retries", shares.retries],
          ["rework", shares.rework],
          ["failed calls", shares.failedCalls],
        ];
  const lack = lackText(total);
  const returnLack = returnLackText(total);
  return (
    <dl className="tiles pairs">
      <div className="tile">
        <dt>Spend per success</dt>
        <dd>
          <p className="figure" data-testid="persuccess" data-usd={total.perSuccess ?? undefined}>
            {perSuccessText(total) ?? <span className="soft">{total.unpriced > 0 ? "unknown" : "none yet"}</span>}
          </p>
          {total.perSuccess === null ? null : <p className="small ends">{rangeText(total.interval) ?? "interval not known"}</p>}
          {review.perSuccess === null ? null : (
            <>
              <p className="small" data-testid="reviewed">
                {reviewedText(total)} with checking
              </p>
              <p className="small ends">{rangeText(review.interval) ?? "interval not known"}</p>
            </>
          )}
          {lack === "" ? null : <p className="small warn">not enough data: {lack}</p>}
        </dd>
      </div>
      <div className="tile">
        <dt>Success rate</dt>
        <dd>
          <p className="figure" data-testid="rate">
            {rateText(rate) ?? <span className="soft">not known</span>}
          </p>
          {rate.observed === null ? null : <p className="small ends">{rateRangeText(rate)}</p>}
          <p className="soft small">
            {count(total.success.tasks)} of {plural(rate.decided, "decided task")}
            {rate.worst === null || rate.best === null || rate.worst === rate.best
              ? ""
              : `; of all ${count(total.tasks)} it is ${shareText(rate.worst)} to ${shareText(rate.best)}`}
          </p>
        </dd>
      </div>
      <div className="tile">
        <dt>{isPriced ? "Return with checking" : "Return"}</dt>
        <dd>
          <p className="figure" data-testid="return">
            {returnText(total, isPriced) ?? <span className="soft">not known</span>}
          </p>
          {returns === null ? null : (
            <p className="small ends" data-testid="returnrange">
              {returnRangeText(total, isPriced) ?? "interval not known"}
            </p>
          )}
          <p className="soft small">
            {returns === null
              ? total.value === null
                ? "nobody said what they were worth"
                : "part of the spend has no price"
              : `${briefText(returns.gain)} over the spend`}
            {returns !== null && review.returnRatio !== null
              ? `; ${ratioText(returns.ratio)} without checking (${returnRangeText(total, false) ?? "interval not known"})`
              : ""}
          </p>
          {returnLack === "" ? null : <p className="small warn">not enough data: {returnLack}</p>}
          {returns === null || returns.unvaluedShare === 0 ? null : (
            <p className="small warn">worth unknown of {shareText(returns.unvaluedShare)} of the spend</p>
          )}
        </dd>
      </div>
      <div className="tile">
        <dt>Spend</dt>
        <dd>
          <p className="figure" data-testid="spend" data-usd={total.spend}>
            {total.unpriced > 0 && total.spend === "0" ? "unknown" : `${total.unpriced > 0 ? "≥ " : ""}${briefText(total.spend)}`}
          </p>
          <p className="soft small">
            {plural(total.tasks, "task")}, {plural(total.calls, "call")}
            {total.distribution === null
              ? ""
              : `; a task ${briefText(total.distribution.p50)} in the middle, one in ten over ${briefText(total.distribution.p90)}, one in a hundred over ${briefText(total.distribution.p99)}`}
          </p>
        </dd>
      </div>
      <div className="tile spentparts">
        <dt>Of the spend, on</dt>
        <dd>
          <ul className="shares across">
            {parts
              .filter(([name, share]) => share > 0 || name === "failures")
              .map(([name, share]) => (
                <li key={name}>
                  <span className="row">
                    <span className="grow">{name}</span>
                    <span className="number">{shareText(share)}</span>
                  </span>
                  <span className="bar" aria-hidden="true">
                    <span style={{ width: `${share * 100}%` }} />
                  </span>
                </li>
              ))}
          </ul>
          {review.minutes === null ? null : (
            <p className="soft small">
              and {minutesText(review.minutes)} of checking
              {review.cost === null ? "" : `, ${briefText(review.cost)}`}
              {review.share === null ? "" : ` (${shareText(review.share)} of it all)`}
            </p>
          )}
        </dd>
      </div>
    </dl>
  );
}

function Waits({ waiting }: { readonly waiting: number }): ReactNode {
  if (waiting === 0) return null;
  return (
    <p className="soft small">
      {plural(waiting, "statement")} of tasks that nobody has heard of yet {wordFor(waiting, "waits", "wait")}.
    </p>
  );
}

function Notes({ data: { total, rows, truncated, waiting, openMs, reviewRate } }: { readonly data: Success }): ReactNode {
  const notes: readonly (string | null)[] = [
    "Spend per success is all spend, of failed, unknown and open tasks and of rework too, over what succeeded. Intervals are of 95%, by estimate.",
    "Agents with harder tasks look dearer here: on the same tasks they are compared elsewhere.",
    truncated ? `Only the first ${count(rows.length)} rows are shown; what is in all is over all.` : null,
    total.unknown.tasks > 0
      ? `Of ${plural(total.unknown.tasks, "task")} nobody said how they ended: ${briefText(total.unknown.cost)}.`
      : null,
    total.open.tasks > 0
      ? `${plural(total.open.tasks, "task")} may still end, until ${count(Math.round(openMs / 360_000) / 10)} h after the last call: ${briefText(total.open.cost)}.`
      : null,
    total.contradictory > 0 ? `Of ${plural(total.contradictory, "task")} sources say different things.` : null,
    total.returns !== null && total.returns.unvaluedShare > 0
      ? "Worth that nobody said adds nothing to the return: it and its interval are at least (≥) what they are without."
      : null,
    total.unpriced > 0 ? `${plural(total.unpriced, "task")} used something without a price: ≥, at least.` : null,
    reviewRate !== null && total.review.perSuccess !== null ? "With checking: spend and checking together." : null,
    reviewRate !== null && total.review.unknown > 0
      ? `Of ${plural(total.review.unknown, "task")} nobody said how long it was checked: with checking it is at least (≥) that, and the return at most (≤)${total.returns !== null && total.returns.unvaluedShare > 0 ? "; a ? where worth is unknown too" : ""}.`
      : null,
    total.presumed > 0
      ? `${plural(total.presumed, "task")} with calls of which nobody knows what they used: they count at their bound.`
      : null,
  ];
  return (
    <div className="stack soft small" style={{ gap: 2 }}>
      {notes.map((note) => (note === null ? null : <p key={note}>{note}</p>))}
      <Waits waiting={waiting} />
    </div>
  );
}

const sumNames = ["tasks", "calls", "spend", "perSuccess", "perSuccessLeast"] as const;

/** An answer as it is, with its total. */
function toTable({ by, rows, total }: Success): (string | number)[][] {
  const write = (row: SuccessRow, group: readonly string[]): (string | number)[] => [
    ...group,
    ...sumNames.map((name) => row[name] ?? ""),
    row.interval?.low ?? "",
    row.interval?.high ?? "",
    ...[row.success, row.failure, row.unknown, row.open].flatMap(({ tasks, cost }) => [tasks, cost]),
    ...[row.rate.observed, row.rate.low, row.rate.high].map((share) => share ?? ""),
    ...(["failures", "unknown", "open", "retries", "rework", "failedCalls"] as const).map((name) => row.shares?.[name] ?? ""),
    row.value ?? "",
    row.returns?.ratio ?? "",
    row.returns?.interval?.low ?? "",
    row.returns?.interval?.high ?? "",
    row.returns?.unvaluedShare ?? "",
    row.review.minutes ?? "",
    row.review.cost ?? "",
    row.review.perSuccess ?? "",
    row.review.interval?.low ?? "",
    row.review.interval?.high ?? "",
    row.review.returnRatio ?? "",
    row.review.returnInterval?.low ?? "",
    row.review.returnInterval?.high ?? "",
    row.enough.isEnough ? "enough" : row.enough.lacks.join(" "),
  ];
  const heads = [
    ...sumNames,
    "perSuccessLow",
    "perSuccessHigh",
    ...["success", "failure", "unknown", "open"].flatMap((name) => [`${name}Tasks`, `${name}Cost`]),
    "rate",
    "rateLow",
    "rateHigh",
    "onFailures",
    "onUnknown",
    "onOpen",
    "onRetries",
    "onRework",
    "onFailedCalls",
    "value",
    "return",
    "returnLow",
    "returnHigh",
    "unvaluedShare",
    "reviewMinutes",
    "reviewCost",
    "perSuccessWithReview",
    "perSuccessWithReviewLow",
    "perSuccessWithReviewHigh",
    "returnWithReview",
    "returnWithReviewLow",
    "returnWithReviewHigh",
    "data",
  ];
  return [
    [...by, ...heads],
    ...rows.map((row) =>
      write(
        row,
        by.map((field) => row.group[field] ?? ""),
      ),
    ),
    write(
      total,
      by.map((_, index) => (index === 0 ? "total" : "")),
    ),
  ];
}
