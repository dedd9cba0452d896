// The groups behind a chart, as a table that is also its legend: what each adds to the whole, against before, and the way to its calls.

import { Button, Menu } from "@mantine/core";
import { memo, type ReactNode, useState } from "react";
import type { Report } from "../api.ts";
import { isAdditive, type Measure, measures, nameFields, nameValues } from "../fields.ts";
import { Icon } from "../icons.tsx";
import { change, count, decimalsFor, percent, share, times, timesMin } from "../money.ts";
import { colorOf } from "../parts/canvas.ts";
import { writeFilter } from "../parts/filters.tsx";
import { Head } from "../parts/head.tsx";
import { markOf, Usd } from "../parts/usd.tsx";
import { formatMeasure, keyOf, read, type Series } from "../series.ts";

/** More are drawn when asked for. */
const rowsShownMax = 50;

export interface GroupsProps {
  readonly report: Report;
  readonly before: Report | undefined;
  readonly fields: readonly string[];
  readonly measure: Measure;
  readonly scheme: "light" | "dark";
  readonly series: Series | null;
  /** Gets filters as the address has them. */
  readonly onFilter: (filters: readonly string[]) => void;
  readonly onCalls: (filters: readonly string[]) => void;
  readonly onTask: (id: string) => void;
}

/** Drawn anew when its own answer changes, not with every other of the page. */
export const Groups = memo(function Groups({
  report,
  before,
  fields,
  measure,
  scheme,
  series,
  onFilter,
  onCalls,
  onTask,
}: GroupsProps): ReactNode {
  const [isWhole, setWhole] = useState(false);
  const { total } = report;
  const rows = measure === "cost" ? report.rows : report.rows.toSorted((a, b) => (read(measure, b) ?? 0) - (read(measure, a) ?? 0));
  const decimals = decimalsFor(rows.map((row) => row.cost));
  const sums = new Map(before?.rows.map((row) => [keyOf(row, fields), row]));
  const own = !isAdditive(measure);
  const title = nameFields(fields);
  const byClass = fields.includes("class");
  const isUnsure = total.unpriced + total.unmetered + total.doubtful + total.presumed > 0;
  return (
    <section className="card" aria-labelledby="groups">
      <div className="title">
        <h2 id="groups">{title}</h2>
        <p className="soft small">
          {report.truncated ? `the dearest ${count(rows.length)}; the total is over all` : `${count(rows.length)} in all`}
        </p>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label={`Table by ${title.toLowerCase()}`}>
        <table className="list">
          <Head
            columns={[
              title,
              ...(own ? [[measures[measure], "number"] as const] : []),
              ["Cost", "number"],
              ...(before === undefined ? [] : [["Against before", "number"] as const]),
              ...(own ? [] : [["Share", "number wide"] as const]),
              ["Calls", "number"],
              [byClass ? "Quantity" : "Tokens in", "number wide"],
              ...(byClass ? [] : [["Tokens out", "number wide"] as const]),
              ["Failed", "number wide"],
              ...(isUnsure ? [["Not sure", "number wide"] as const] : []),
              { unseen: "What to do" },
            ]}
          />
          <tbody>
            {rows.slice(0, isWhole ? rows.length : rowsShownMax).map((row) => {
              const key = keyOf(row, fields);
              const values = fields.map((field) => row.group[field] ?? null);
              const index = series?.lines.findIndex((line) => line.key === key) ?? -1;
              const name = nameValues(fields, values);
              const filters = fields.map((field, at) => writeFilter({ field, operator: "=", value: values[at] ?? "" }));
              const [only] = values;
              const task = fields.length === 1 && (fields[0] === "task" || fields[0] === "root") ? only : undefined;
              const part = share(row.cost, total.cost);
              return (
                <tr key={key} data-group={values.map((value) => value ?? "").join(" · ")}>
                  <th scope="row" className="free">
                    <span className="row">
                      <span className="swatch" style={{ background: colorOf(scheme, Math.max(0, index), index < 0) }} />
                      <span className={`clip${values.every((value) => value === null) ? " soft" : ""}`} title={name}>
                        {name}
                      </span>
                    </span>
                    <span className="bar" aria-hidden="true">
                      <span style={{ width: `${part * 100}%`, background: colorOf(scheme, Math.max(0, index), index < 0) }} />
                    </span>
                  </th>
                  {own ? <td className="number">{formatMeasure(measure, row)}</td> : null}
                  <td className="number">
                    <Usd value={row.cost} decimals={decimals} mark={markOf(row)} />
                  </td>
                  {before === undefined ? null : (
                    <td className="number">
                      <Against now={row.cost} before={sums.get(key)?.cost} />
                    </td>
                  )}
                  {own ? null : <td className="number wide soft">{row.cost === "0" && markOf(row) !== "" ? "" : percent(part)}</td>}
                  <td className="number">{count(row.calls)}</td>
                  <td className="number wide">{count(byClass ? (row.quantity ?? 0) : row.inputTokens)}</td>
                  {byClass ? null : <td className="number wide">{count(row.outputTokens)}</td>}
                  <td className={`number wide${row.failed > 0 ? "" : " soft"}`}>{count(row.failed)}</td>
                  {isUnsure ? (
                    <td className="number wide soft">{count(row.unpriced + row.unmetered + row.doubtful + row.presumed)}</td>
                  ) : null}
                  <td className="act">
                    <Choices label={`What to do with ${name}`}>
                      {task === null || task === undefined ? null : <Menu.Item onClick={() => onTask(task)}>Open the task</Menu.Item>}
                      {byClass ? null : <Menu.Item onClick={() => onCalls(filters)}>Its calls</Menu.Item>}
                      <Menu.Item onClick={() => onFilter(filters)}>Only this</Menu.Item>
                      {fields.length > 1 ? null : (
                        <Menu.Item onClick={() => onFilter(filters.map((text) => text.replace("=", "!=")))}>All but this</Menu.Item>
                      )}
                    </Choices>
                  </td>
                </tr>
              );
            })}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">Total</th>
              {own ? <td className="number">{formatMeasure(measure, total)}</td> : null}
              <td className="number">
                <Usd value={total.cost} decimals={decimals} mark={markOf(total)} />
              </td>
              {before === undefined ? null : (
                <td className="number">
                  <Against now={total.cost} before={before.total.cost} />
                </td>
              )}
              {own ? null : <td className="number wide" />}
              <td className="number">{count(total.calls)}</td>
              <td className="number wide">{byClass ? "" : count(total.inputTokens)}</td>
              {byClass ? null : <td className="number wide">{count(total.outputTokens)}</td>}
              <td className="number wide">{count(total.failed)}</td>
              {isUnsure ? (
                <td className="number wide">{count(total.unpriced + total.unmetered + total.doubtful + total.presumed)}</td>
              ) : null}
              <td />
            </tr>
          </tfoot>
        </table>
      </div>
      {isWhole || rows.length <= rowsShownMax ? null : (
        <p className="more">
          <Button size="xs" variant="default" onClick={() => setWhole(true)}>
            Show all {count(rows.length)}
          </Button>
        </p>
      )}
    </section>
  );
});

/** A menu that is made when it is first asked for: a table has many rows, and few of them are asked. */
function Choices({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactNode {
  const [isMade, setMade] = useState(false);
  const button = (
    <button type="button" className="door" aria-label={label} aria-haspopup="menu" onClick={isMade ? undefined : () => setMade(true)}>
      <Icon name="more" />
    </button>
  );
  if (!isMade) return button;
  return (
    <Menu position="bottom-end" shadow="md" width={200} defaultOpened>
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  );
}

function Against({ now, before }: { readonly now: string; readonly before: string | undefined }): ReactNode {
  const by = before === undefined ? null : change(now, before);
  if (by === null) return <span className="soft">new</span>;
  return (
    <span className="delta" title={`$${before} before`}>
      <Icon name={by < 0 ? "fall" : "up"} size={12} />
      <span className="hidden">{by < 0 ? "less by" : "more by"}</span>
      {by >= timesMin ? times(by) : percent(Math.abs(by) / 100)}
    </span>
  );
}
