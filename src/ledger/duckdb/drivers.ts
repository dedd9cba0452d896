// What calls of two spans used and cost, as SQL and back: cells with their lines, the tasks of each type, and what belongs to no call. Not here: where
// the rows are (spans.ts), what moved the bill (economics/drivers.ts). Invariant: SQL adds and counts; the cells and the rest are what a report of the
// span adds up to, whichever values are told apart.

import { keyOf } from "../../core/key.ts";
import { compareText } from "../../core/order.ts";
import { isUsageClass } from "../../core/usage.ts";
import { PennyworthError } from "../../error.ts";
import {
  driverFields,
  type DriverGaps,
  type DriverSums,
  type DriverSumsCell,
  type DriversQuery,
  type DriverUsage,
  others,
  toldCellsMax,
  toldCustomersMax,
} from "../drivers.ts";
import { textOf } from "./answer.ts";
import { toPosition } from "./evidence.ts";
import { joinSql, type Sql, sqlOf, where } from "./field.ts";
import { groupsSql } from "./query.ts";
import type { Row, Rows } from "./readers.ts";
import { cellColumns, cellsIn, isOfCells, tasksBy } from "./spans.ts";
import { cellMeasureNames, cellSums, madeSql } from "./steps.ts";

/** Most rows of an answer: lines of cells. */
const rowsMax = 200_000;

type Told = readonly (string | null)[];

/** @throws PennyworthError `query_invalid` for an unknown field, a filter by class, or when there are too many cells. */
export async function driversOf(query: DriversQuery, ask: Rows): Promise<DriverSums> {
  const { by } = query;
  if (by !== null && !driverFields.includes(by))
    throw new PennyworthError("query_invalid", { detail: `drivers are not told apart by ${String(by)}` });
  let made: number | null = null;
  await ask({ text: `SELECT ${madeSql}`, values: [] }, (row) => {
    const week = row(0);
    made = week === null ? null : Number(week);
  });
  const sums = new Sums();
  const told = query.told ?? null;
  if (by !== "customer" || told !== null) {
    await ask(driversSql(query, told, made), (row) => sums.take(row));
    return sums.all();
  }
  const dearest: (string | null)[] = [];
  let customers = 0;
  await ask(dearestSql(query), (row) => {
    dearest.push(textOf(row(0)));
    customers = Number(row(1));
  });
  await ask(driversSql(query, dearest, made), (row) => sums.take(row));
  const found = sums.all();
  const kept = new Set(found.cells.flatMap(({ group }) => (group === others ? [] : [group])));
  return { ...found, left: Math.max(0, customers - kept.size) };
}

/** The dearest customers of both spans, and how many there are. */
function dearestSql({ before, after, filters, zone }: DriversQuery): Sql {
  const spans = [before, after].map(({ sinceMs, untilMs }) => groupsSql(["customer"], sinceMs, untilMs, undefined, filters, zone));
  return sqlOf(
    `SELECT g0, count(*) OVER () FROM (`,
    joinSql(spans, " UNION ALL "),
    `) GROUP BY g0 HAVING sum(calls) > 0 ORDER BY sum("cost") DESC, sum(calls) DESC, g0 NULLS LAST LIMIT ${toldCustomersMax}`,
  );
}

/** What a cell is told apart by in an answer. */
const shownColumns = cellColumns.filter((name) => name !== "class" && name !== "priced");
/** Its measures, and its lines in one text: class, quantity and cost of each, the last empty where it has no price. */
const shownMeasures = ["calls", "firstTries", "unpriced", "cost"] as const;

/** In a row, after the position. */
const names = ["what", ...shownColumns, "isRest", ...shownMeasures, "parts", "unmetered", "periodUnpriced"] as const;
/** Where each is. */
const at = Object.fromEntries(names.map((name, index) => [name, index + 2])) as Readonly<Record<(typeof names)[number], number>>;

/** @param told the values of `by` that are told apart; null: the dearest. Of customers their cells alone are read: the others are what is left of all. */
function driversSql({ before, after, by, filters, zone }: DriversQuery, told: Told | null, made: number | null): Sql {
  const asked = { spans: [before, after], by, filters, zone, made };
  const columns = cellColumns.map((name) => `"${name}"`).join(", ");
  const measures = cellMeasureNames.map((name) => `"${name}"`).join(", ");
  const added = `${columns}, isRest, ${cellSums}`;
  const isPart = by === "customer" && told !== null && isOfCells(filters);
  const rows: Sql[] = [];
  if (isPart) {
    const minus = cellMeasureNames.map((name) => `-"${name}" AS "${name}"`).join(", ");
    rows.push(
      sqlOf(`SELECT ${columns}, true AS isRest, ${measures} FROM (`, cellsIn({ ...asked, by: null }), ")"),
      sqlOf(`SELECT ${columns}, false AS isRest, ${measures} FROM k`),
      sqlOf(`SELECT ${columns.replace(`"group"`, "NULL::VARCHAR")}, true AS isRest, ${minus} FROM k`),
    );
  } else rows.push(sqlOf(`SELECT ${columns}, false AS isRest, ${measures} FROM (`, cellsIn(asked), ")"));
  const tables: Sql[] = [
    ...(isPart ? [sqlOf("k AS MATERIALIZED (", cellsIn({ ...asked, among: told }), ")")] : []),
    sqlOf(`g AS MATERIALIZED (SELECT ${added} FROM (`, joinSql(rows, " UNION ALL "), `) GROUP BY ALL HAVING sum("lines") > 0)`),
  ];
  const given: Sql[] = [];
  if (by === null) given.push(shown("g"));
  else {
    tables.push(sqlOf("v AS MATERIALIZED (", told === null || isPart ? roomy : givenBy(told), ")"));
    const isKept = `(v.kept AND NOT g.isRest)`;
    const kept = columns.replace(`"group"`, `CASE WHEN ${isKept} THEN g."group" END AS "group"`);
    given.push(
      shown(
        `(SELECT ${kept}, ${isKept} IS NOT TRUE AS isRest, ${cellSums} FROM g LEFT JOIN v ON v."group" IS NOT DISTINCT FROM g."group" GROUP BY ALL)`,
      ),
      sqlOf(`SELECT 'left' AS what, count(*) AS calls FROM v WHERE NOT kept`),
    );
  }
  // By what is filtered by, if anything: sums by hours that know the one know the other.
  const [first] = filters;
  for (const [span, { sinceMs, untilMs }] of [before, after].entries())
    given.push(
      sqlOf(`SELECT 'tasks' AS what, ${span} AS span, "type", calls FROM (`, tasksBy({ sinceMs, untilMs, filters, zone }), ")"),
      sqlOf(
        `SELECT 'other' AS what, ${span} AS span, c.provider || ' ' || CASE WHEN b.id IS NULL THEN c.lines[1]."class" ELSE 'corrections' END AS "group",
          ${plain(`sum(c."cost")::DECIMAL(38,12)`)} AS "cost" FROM periods AS c LEFT JOIN bookings AS b ON b.id = c.charge `,
        where(sinceMs, untilMs, filters, zone, [{ text: `c."cost" IS NOT NULL`, values: [] }]),
        " GROUP BY ALL",
      ),
      sqlOf(
        `SELECT 'gaps' AS what, ${span} AS span, ${gapNames.map((name) => `sum("${name}")::BIGINT AS "${name}"`).join(", ")} FROM (`,
        groupsSql([first?.field ?? "provider"], sinceMs, untilMs, undefined, filters, zone),
        ")",
      ),
    );
  return sqlOf(
    "WITH ",
    joinSql(tables, ", "),
    ", p AS MATERIALIZED (",
    joinSql(given, " UNION ALL BY NAME "),
    `) SELECT segment, "offset", ${names.map((name) => `p."${name}"`).join(", ")} FROM applied LEFT JOIN p ON true LIMIT ${rowsMax + 1}`,
  );
}

/** Cells as they are answered: of each side one row. */
function shown(cells: string): Sql {
  const columns = [...shownColumns.map((name) => `"${name}"`), "isRest"].join(", ");
  const line = `concat("class", ' ', quantity, ' ', CASE WHEN priced THEN ${plain(`"cost"`)} END)`;
  return sqlOf(
    `SELECT 'cell' AS what, ${columns}, ${["calls", "firstTries", "unpriced"].map((name) => `sum("${name}")::BIGINT AS "${name}"`).join(", ")},
      ${plain(`sum("cost")::DECIMAL(38,12)`)} AS "cost", string_agg(${line}, ',' ORDER BY "class", priced DESC) FILTER ("class" IS NOT NULL) AS parts
      FROM ${cells} GROUP BY ${columns}`,
  );
}

/** Dollars as all amounts are written. */
function plain(decimal: string): string {
  return `rtrim(rtrim((${decimal})::VARCHAR, '0'), '.')`;
}

/** The dearest values, as many as there is room for the cells of. */
const roomy = `SELECT "group", sum(cells) OVER (ORDER BY "cost" DESC, "group" NULLS LAST ROWS UNBOUNDED PRECEDING) <= ${toldCellsMax} AS kept FROM (
  SELECT "group", count(*) AS cells, sum("cost") AS "cost" FROM (
    SELECT "group", "type", provider, model, tier, sum("cost") AS "cost" FROM g WHERE NOT isRest GROUP BY ALL) GROUP BY "group")`;

function givenBy(told: Told): Sql {
  return { text: `SELECT DISTINCT unnest(from_json(?::VARCHAR, '["VARCHAR"]')) AS "group", true AS kept`, values: [JSON.stringify(told)] };
}

const gapNames = ["unpriced", "unmetered", "periodUnpriced"] as const;
const none: DriverGaps = { unpriced: 0, unmetered: 0, periodUnpriced: 0 };

type Side = "before" | "after";
type Cell = Omit<DriverSumsCell, Side> & { before: DriverUsage | null; after: DriverUsage | null };

/** Puts the rows of `names` together. Of customers there are thousands. */
class Sums {
  /** By what tells them apart; each value is said, or it is not. */
  readonly #cells = new Map<string, Cell>();
  readonly #tasks = new Map<string, { type: string; before: number; after: number }>();
  readonly #other = new Map<string, { key: string; before: string; after: string }>();
  readonly #gaps = { before: none, after: none };
  #rows = 0;
  #left = 0;
  #position: DriverSums["position"] = null;

  /** @throws PennyworthError `query_invalid` when there are too many. */
  take(row: Row): void {
    this.#rows += 1;
    if (this.#rows > rowsMax)
      throw new PennyworthError("query_invalid", {
        detail: `there are more than ${rowsMax} sums: ask for less with a filter or a shorter span`,
      });
    if (this.#rows === 1) this.#position = toPosition(row(0), row(1));
    const what = row(at.what);
    if (what === null) return;
    const side: Side = Number(row(at.span)) === 0 ? "before" : "after";
    if (what === "cell") this.#cell(row, side);
    else if (what === "tasks") {
      const type = textOf(row(at.type)) ?? "";
      const known = this.#tasks.get(type) ?? { type, before: 0, after: 0 };
      known[side] = Number(row(at.calls));
      this.#tasks.set(type, known);
    } else if (what === "other") {
      const key = textOf(row(at.group)) ?? "";
      const known = this.#other.get(key) ?? { key, before: "0", after: "0" };
      known[side] = textOf(row(at.cost)) ?? "0";
      this.#other.set(key, known);
    } else if (what === "gaps") {
      const [unpriced, unmetered, periodUnpriced] = gapNames.map((name) => Number(row(at[name]) ?? 0)) as [number, number, number];
      this.#gaps[side] = { unpriced, unmetered, periodUnpriced };
    } else if (what === "left") this.#left = Number(row(at.calls));
  }

  #cell(row: Row, side: Side): void {
    const group = row(at.isRest) === true ? others : textOf(row(at.group));
    const [type, provider, model, tier] = [textOf(row(at.type)), textOf(row(at.provider)), textOf(row(at.model)), textOf(row(at.tier))];
    const key = keyOf(type, provider, model, tier, group);
    let cell = this.#cells.get(key);
    if (cell === undefined)
      this.#cells.set(key, (cell = { type, provider: provider ?? "", model, tier, group, before: null, after: null }));
    cell[side] = {
      calls: Number(row(at.calls)),
      firstTries: Number(row(at.firstTries)),
      cost: textOf(row(at.cost)) ?? "0",
      unpriced: Number(row(at.unpriced)),
      lines: linesOf(textOf(row(at.parts))),
    };
  }

  all(): DriverSums {
    const cells = new Map<string, DriverSumsCell>();
    for (const cell of this.#cells.values()) {
      const { type, provider, model, tier, group } = cell;
      cells.set(JSON.stringify([type, provider, model, tier, group]), cell);
    }
    return {
      cells: sorted(cells),
      tasks: sorted(this.#tasks),
      other: sorted(this.#other),
      gaps: this.#gaps,
      left: this.#left,
      position: this.#position,
    };
  }
}

function linesOf(parts: string | null): DriverUsage["lines"] {
  if (parts === null) return [];
  return parts.split(",").flatMap((part) => {
    const [name = "", quantity, spent] = part.split(" ");
    return isUsageClass(name) ? [{ class: name, quantity: Number(quantity), cost: spent === "" ? null : (spent ?? null) }] : [];
  });
}

function sorted<Value>(found: ReadonlyMap<string, Value>): Value[] {
  return [...found].toSorted(([a], [b]) => compareText(a, b)).map(([, value]) => value);
}
