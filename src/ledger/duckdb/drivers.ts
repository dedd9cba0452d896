// What calls of two spans used and cost, as SQL: cells with their lines, the tasks of each type, and what belongs to no call. Not here: where the rows
// are (spans.ts), what moved the bill (economics/drivers.ts). Invariant: SQL adds and counts; the cells and the rest are what a report of the
// span adds up to.

import type { DuckDBValue } from "@duckdb/node-api";
import { compareText } from "../../core/order.ts";
import { isUsageClass } from "../../core/usage.ts";
import { PennyworthError } from "../../error.ts";
import { driverFields, type DriverSums, type DriverSumsCell, type DriversQuery, type DriverUsage } from "../drivers.ts";
import { textOf, toUsd } from "./answer.ts";
import { toPosition } from "./evidence.ts";
import { type Sql, sqlOf, where } from "./field.ts";
import { type Asked, kind, linesIn, stepsIn, tasksIn } from "./spans.ts";

/** Most rows of an answer: cells and their lines. */
const rowsMax = 200_000;

/** In a row, after the position. */
const names = [
  "what",
  "span",
  "type",
  "provider",
  "model",
  "tier",
  "group",
  "class",
  "calls",
  "firstTries",
  "unpriced",
  "quantity",
  "cost",
] as const;

/** @throws PennyworthError `query_invalid` for an unknown field, or a filter by class. */
export function driversSql({ before, after, by, filters, zone }: DriversQuery): Sql {
  if (by !== null && !driverFields.includes(by))
    throw new PennyworthError("query_invalid", { detail: `drivers are not told apart by ${String(by)}` });
  const parts = [before, after].flatMap(({ sinceMs, untilMs }, span) => {
    const asked: Asked = { sinceMs, untilMs, filters, zone, by };
    const cell = `${kind} AS "type", provider, model, coalesce(tier, tierAsked) AS tier${by === null ? "" : `, "group"`}`;
    return [
      sqlOf(
        `SELECT 'cell' AS what, ${span} AS span, ${cell}, sum(calls) AS calls, sum(firstTries) AS firstTries, sum(unpriced) AS unpriced,
          sum("cost")::DECIMAL(38,12) AS "cost" FROM (`,
        stepsIn(asked, ["calls", "firstTries", "unpriced", "cost"]),
        ") GROUP BY ALL",
      ),
      sqlOf(
        `SELECT CASE WHEN priced THEN 'line' ELSE 'bare' END AS what, ${span} AS span, ${cell}, "class", sum(quantity) AS quantity,
          sum("cost")::DECIMAL(38,12) AS "cost" FROM (`,
        linesIn(asked),
        ") GROUP BY ALL",
      ),
      sqlOf(
        `SELECT 'tasks' AS what, ${span} AS span, "type", count(*) AS calls FROM (SELECT coalesce("type", '') AS "type", own FROM (`,
        tasksIn(asked),
        `) GROUP BY ALL HAVING sum(calls) > 0) GROUP BY ALL`,
      ),
      sqlOf(
        `SELECT 'other' AS what, ${span} AS span, c.provider || ' ' || CASE WHEN b.id IS NULL THEN c.lines[1]."class" ELSE 'corrections' END AS "group",
          sum(c."cost")::DECIMAL(38,12) AS "cost" FROM periods AS c LEFT JOIN bookings AS b ON b.id = c.charge `,
        where(sinceMs, untilMs, filters, zone, [{ text: `c."cost" IS NOT NULL`, values: [] }]),
        " GROUP BY ALL",
      ),
    ];
  });
  const all: Sql = { text: parts.map(({ text }) => text).join(" UNION ALL BY NAME "), values: parts.flatMap(({ values }) => values) };
  return sqlOf(
    `WITH p AS MATERIALIZED (`,
    all,
    `) SELECT segment, "offset", ${names.map((name) => `p."${name}"`).join(", ")}
      FROM applied LEFT JOIN p ON true LIMIT ${rowsMax + 1}`,
  );
}

type Side = "before" | "after";
type Told = { readonly [name in (typeof names)[number]]: DuckDBValue };
type Usage = Omit<DriverUsage, "lines"> & { readonly lines: DriverUsage["lines"][number][] };

/** @throws PennyworthError `query_invalid` when there are too many cells. */
export function toDrivers(rows: readonly (readonly DuckDBValue[])[]): DriverSums {
  if (rows.length > rowsMax)
    throw new PennyworthError("query_invalid", {
      detail: `there are more than ${rowsMax} sums: ask for less with a filter or a shorter span`,
    });
  const cells = new Map<string, Omit<DriverSumsCell, Side> & { before: Usage | null; after: Usage | null }>();
  const tasks = new Map<string, { type: string; before: number; after: number }>();
  const other = new Map<string, { key: string; before: string; after: string }>();
  const told = rows.map(([, , ...values]) => Object.fromEntries(names.map((name, index) => [name, values[index] ?? null])) as Told);
  // Cells come before their lines.
  for (const row of told.toSorted((a, b) => order.indexOf(String(a.what)) - order.indexOf(String(b.what)))) {
    const side: Side = Number(row.span) === 0 ? "before" : "after";
    const [type, provider, model, tier, group] = [row.type, row.provider, row.model, row.tier, row.group].map(textOf);
    const key = JSON.stringify([type, provider, model, tier, group]);
    const cost = toUsd(row.cost);
    if (row.what === "cell") {
      const cell = cells.get(key) ?? {
        type: type ?? null,
        provider: provider ?? "",
        model: model ?? null,
        tier: tier ?? null,
        group: group ?? null,
        before: null,
        after: null,
      };
      cell[side] = { calls: Number(row.calls), firstTries: Number(row.firstTries), cost, unpriced: Number(row.unpriced), lines: [] };
      cells.set(key, cell);
    } else if (row.what === "line" || row.what === "bare") {
      const name = String(row.class);
      if (isUsageClass(name))
        cells.get(key)?.[side]?.lines.push({ class: name, quantity: Number(row.quantity), cost: row.what === "line" ? cost : null });
    } else if (row.what === "tasks") {
      const known = tasks.get(type ?? "") ?? { type: type ?? "", before: 0, after: 0 };
      tasks.set(known.type, { ...known, [side]: Number(row.calls) });
    } else if (row.what === "other") {
      const known = other.get(group ?? "") ?? { key: group ?? "", before: "0", after: "0" };
      other.set(known.key, { ...known, [side]: cost });
    }
  }
  const byClass = (usage: Usage | null): void =>
    void usage?.lines.sort((a, b) => compareText(a.class, b.class) || (a.cost === null ? 1 : -1));
  for (const { before, after } of cells.values()) for (const usage of [before, after]) byClass(usage);
  const [first = []] = rows;
  return { cells: sorted(cells), tasks: sorted(tasks), other: sorted(other), position: toPosition(first[0], first[1]) };
}

const order = ["cell", "line", "bare", "tasks", "other"];

function sorted<Value>(found: ReadonlyMap<string, Value>): Value[] {
  return [...found].toSorted(([a], [b]) => compareText(a, b)).map(([, value]) => value);
}
