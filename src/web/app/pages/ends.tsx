// Tasks by what they are, as a table: how often they succeed, what a success costs, what went into failures, what came back; and from each row the
// way to its tasks. Not here: the figures in all (success.tsx). Invariant: no estimate stands without its interval.

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { nameFields, nameValues } from "../fields.ts";
import { Icon } from "../icons.tsx";
import { count } from "../money.ts";
import { writeFilter } from "../parts/filters.tsx";
import { Head } from "../parts/head.tsx";
import { shareText } from "../parts/values.ts";
import {
  briefText,
  lackText,
  perSuccessText,
  rangeText,
  rateRangeText,
  rateText,
  returnRangeText,
  returnText,
  reviewedText,
  type Success,
  type SuccessRow,
} from "../success.ts";
import type { View } from "../view.ts";
import { plural } from "../words.ts";

/** The value of `model` where a task's calls have several: no call has it. */
const several = "several";

export function nameRow(by: readonly string[], row: SuccessRow): string {
  return nameValues(
    by,
    by.map((field) => row.group[field] ?? null),
  );
}

export function Ends({
  data: { rows, total, by, reviewRate },
  spanText,
  filters,
  change,
}: Pick<View, "spanText" | "filters" | "change"> & { readonly data: Success }): ReactNode {
  const title = nameFields(by);
  const isReviewed = total.review.perSuccess !== null;
  const isPriced = reviewRate !== null;
  return (
    <section className="card" aria-labelledby="ends">
      <div className="title">
        <h2 id="ends">{title}</h2>
        <p className="soft small">most tasks first</p>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label={`Table by ${title.toLowerCase()}`}>
        <table className="list">
          <Head
            columns={[
              title,
              ["Tasks", "number wide"],
              ["Success rate", "number"],
              ["Spend", "number wide"],
              ["Per success", "number"],
              ...(isReviewed ? [["With checking", "number wide"] as const] : []),
              ["On failures", "number wide"],
              [isPriced ? "Return with checking" : "Return", "number wide"],
              { unseen: "Only this", look: "wide" },
            ]}
          />
          <tbody>
            {rows.map((row) => {
              const name = nameRow(by, row);
              const own = by.map((field) => writeFilter({ field, operator: "=", value: row.group[field] ?? "" }));
              const isOne = !by.some((field) => field === "model" && row.group[field] === several);
              const wanted = [...new Set([...filters, ...own])];
              return (
                <tr key={own.join("\n")} data-group={by.map((field) => row.group[field] ?? "").join(" · ")}>
                  <th scope="row" className="free">
                    {isOne ? (
                      <Link to="/tasks" search={{ span: spanText, filter: wanted }} title={`Its tasks: ${name}`} className="clip">
                        {name}
                      </Link>
                    ) : (
                      <span className="clip">{name}</span>
                    )}
                    <small className="soft narrow">{plural(row.tasks, "task")}</small>
                    {row.enough.isEnough ? null : <small className="soft under">not enough data: {lackText(row)}</small>}
                    {row.contradictory === 0 ? null : <small className="warn under">{count(row.contradictory)} contradictory</small>}
                  </th>
                  <Cells row={row} isReviewed={isReviewed} isPriced={isPriced} />
                  <td className="act wide">
                    <button
                      type="button"
                      className="door"
                      aria-label={`Only ${name}`}
                      title="Only this"
                      onClick={() => change({ filter: wanted })}
                    >
                      <Icon name="right" />
                    </button>
                  </td>
                </tr>
              );
            })}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">Total</th>
              <Cells row={total} isReviewed={isReviewed} isPriced={isPriced} />
              <td className="wide" />
            </tr>
          </tfoot>
        </table>
      </div>
    </section>
  );
}

function Cells({
  row,
  isReviewed,
  isPriced,
}: {
  readonly row: SuccessRow;
  readonly isReviewed: boolean;
  readonly isPriced: boolean;
}): ReactNode {
  const { rate, shares, returns, perSuccess } = row;
  return (
    <>
      <td className="number wide">{count(row.tasks)}</td>
      <td className="number">
        {rate.observed === null ? (
          <span className="soft">not known</span>
        ) : (
          <>
            {rateText(rate)} <small className="soft under">{rateRangeText(rate)}</small>
          </>
        )}
      </td>
      <td className="number wide">
        {row.unpriced > 0 && row.spend === "0" ? (
          <span className="warn">unknown</span>
        ) : (
          `${row.unpriced > 0 ? "≥ " : ""}${briefText(row.spend)}`
        )}
      </td>
      <td className="number" data-usd={perSuccess ?? undefined}>
        {perSuccess === null ? (
          <span className="soft">{row.unpriced > 0 ? "unknown" : "no success"}</span>
        ) : (
          <>
            {perSuccessText(row)} <small className="soft under">{rangeText(row.interval) ?? "interval not known"}</small>
          </>
        )}
      </td>
      {isReviewed ? (
        <td className="number wide">
          {reviewedText(row) === null ? (
            <span className="soft">not known</span>
          ) : (
            <>
              {reviewedText(row)} <small className="soft under">{rangeText(row.review.interval) ?? "interval not known"}</small>
            </>
          )}
        </td>
      ) : null}
      <td className="number wide">{shares === null ? "" : shareText(shares.failures)}</td>
      <td className="number wide">
        {returns === null ? (
          <span className="soft">not known</span>
        ) : (
          <>
            {returnText(row, isPriced)} <small className="soft under">{returnRangeText(row, isPriced) ?? "interval not known"}</small>
            {returns.unvaluedShare > 0 ? <small className="soft under">worth unknown of {shareText(returns.unvaluedShare)}</small> : null}
          </>
        )}
      </td>
    </>
  );
}
