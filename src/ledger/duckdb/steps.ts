// Sums for the questions why a bill moved and where the tokens of a task go. By day: of calls, by task type, step and where they ran; of their lines,
// by class besides; of tasks, how many calls of a type each has. By day and week: cells, by whose calls they are in place of the step. Not here: the
// questions (drivers.ts, shape.ts). Invariant: rows add up to what a scan of `calls` gives; a call that is replaced is taken out with negative counts.

import { type Sql, sqlOf, taskOf, type Value } from "./field.ts";
import { fold, worthFolding } from "./fold.ts";
import type { Transaction } from "./transaction.ts";

/** What calls are told apart by, as they say it. `tasked`: they name a task. */
export const stepFields = ["tasked", "type", "step", "provider", "model", "tier", "tierAsked"] as const;

/** What cells are told apart by: all that is asked of drivers often, but the customer, of whom there are too many. */
export const cellFields = ["tasked", "type", "provider", "model", "tier", "tierAsked", "agent", "feature", "team", "environment"] as const;
/** And with the customer, less. */
export const payerFields = ["tasked", "type", "provider", "model", "tier", "tierAsked", "customer"] as const;

const money = "DECIMAL(38,12)";
const isAgain = `coalesce(c.attempt > 1 OR c.reason <> 'first', false)`;
const isRepeated = `(c.repeats AND NOT c.failed)`;

/** Measures of calls `c`: what each is, and its type. Most of them NULL where nothing of it is there. */
const measures = {
  calls: ["count(*)", "BIGINT"],
  cost: [`sum(c."cost")`, money],
  firstTries: [`count_if(NOT ${isAgain})`, "BIGINT"],
  unpriced: ["count_if(c.unpriced)", "BIGINT"],
  unmetered: ["count_if(c.unmetered)", "BIGINT"],
  failed: ["count_if(c.failed)", "BIGINT"],
  failedCost: [`sum(c."cost") FILTER (c.failed)`, money],
  repeated: [`count_if(${isRepeated})`, "BIGINT"],
  repeatedCost: [`sum(c."cost") FILTER (${isRepeated})`, money],
  inputTokens: ["sum(c.inputTokens)", "BIGINT"],
  outputTokens: ["sum(c.outputTokens)", "BIGINT"],
  tools: ["sum(c.tools)", "BIGINT"],
  toolsUnknown: ["count_if(c.tools IS NULL)", "BIGINT"],
  promptSystem: ["sum(c.promptBytes[1])", "BIGINT"],
  promptTools: ["sum(c.promptBytes[2])", "BIGINT"],
  promptUser: ["sum(c.promptBytes[3])", "BIGINT"],
  promptEarlier: ["sum(c.promptBytes[4])", "BIGINT"],
  promptToolResults: ["sum(c.promptBytes[5])", "BIGINT"],
  promptUnknown: ["count_if(c.promptBytes IS NULL)", "BIGINT"],
  continued: ["count_if(c.sharedTokens > 0)", "BIGINT"],
  grownTokens: ["sum(c.inputTokens - c.sharedTokens) FILTER (c.sharedTokens > 0)", "BIGINT"],
  resentTokens: ["sum(c.resentTokens)", "BIGINT"],
  resentCost: ["sum(c.resentCost)", money],
  resentUnpriced: ["count_if(c.resentTokens > 0 AND c.resentCost IS NULL)", "BIGINT"],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

export type StepMeasure = keyof typeof measures;
export const stepMeasureNames = Object.keys(measures) as StepMeasure[];

/** Of lines. `lines`: how many there are. */
const lineMeasures = { lines: "BIGINT", quantity: "BIGINT", cost: money } as const;
const lineFields = [...stepFields, "class", "priced"] as const;

/** Of lines of cells; a call is counted on its first one, and has at least one, of no class if need be. */
const cellMeasures = {
  lines: "BIGINT",
  calls: "BIGINT",
  firstTries: "BIGINT",
  unpriced: "BIGINT",
  quantity: "BIGINT",
  cost: money,
} as const;
export type CellMeasure = keyof typeof cellMeasures;
export const cellMeasureNames = Object.keys(cellMeasures) as CellMeasure[];

/** Of the tasks that calls of a type name: the own one, the one it is a part of, and the root, as hashes of 64 bits. */
const taskFields = ["type", "own", "parent", "root"] as const;

const typeOf = (field: string): string =>
  field === "tasked" || field === "priced" ? "BOOLEAN" : ["own", "parent", "root"].includes(field) ? "UBIGINT" : "VARCHAR";

interface Kept {
  readonly unit: "day" | "week";
  readonly fields: readonly string[];
  readonly measures: Readonly<Record<string, string>>;
  /** The measure that is zero where nothing is left of a row. */
  readonly count: string;
  /** What folded rows are in order of, besides time. */
  readonly order?: string;
}

const cells = { measures: cellMeasures, count: "lines" } as const;

/** Tables, each with its fields and its measures. */
const tables = {
  stepDays: {
    unit: "day",
    fields: stepFields,
    measures: Object.fromEntries(stepMeasureNames.map((name) => [name, measures[name][1]])),
    count: "calls",
  },
  lineDays: { unit: "day", fields: lineFields, measures: lineMeasures, count: "lines" },
  taskDays: { unit: "day", fields: taskFields, measures: { calls: "BIGINT" }, count: "calls" },
  cellDays: { unit: "day", fields: [...cellFields, "class", "priced"], ...cells },
  cellWeeks: { unit: "week", fields: [...cellFields, "class", "priced"], ...cells },
  // Rows of few customers are read, among those of thousands: these are found by blocks.
  payerWeeks: { unit: "week", fields: [...payerFields, "class", "priced"], ...cells, order: "customer" },
} as const satisfies Readonly<Record<string, Kept>>;

type Table = keyof typeof tables;
const tableNames = Object.keys(tables) as Table[];

/** Weeks are made when they are over, once: a row for nearly each call, kept and folded as calls come, would cost as much as all else. */
const weekTables = ["cellWeeks", "payerWeeks"] as const;
/** In `cutRows`, in place of a number of rows: the first week that is not made. */
const madeName = "weeksMade";
/** Of the Monday before 1970. */
const firstDay = -3;

/** Whole weeks before a day, and the part of one that is over; the first day of a week. */
export const weekOf = (day: number): number => (day - firstDay) / 7;
export const dayOfWeek = (week: number): number => week * 7 + firstDay;

/** What says which week is the first that is not made; NULL: none is. */
export const madeSql = `(SELECT max("rows") FROM cutRows WHERE name = '${madeName}')`;

function tableOf(table: Table, name: string = table): string {
  const { unit, fields, measures: summed } = tables[table];
  const columns = [...fields.map((field) => [field, typeOf(field)]), ...Object.entries(summed)];
  return `CREATE TABLE ${name} ("${unit}" INTEGER, ${columns.map(([column, type]) => `"${column}" ${type}`).join(", ")})`;
}

/** Part of the schema. */
export const stepTables: readonly string[] = tableNames.map((table) => tableOf(table));

/** What a field of a call `c` reads; of a row of these tables it is the column of that name. */
function fieldOf(field: (typeof stepFields)[number]): string {
  return field === "tasked" ? `(${taskOf} IS NOT NULL)` : `c."${field}"`;
}

/** What calls `c` are told apart by, besides or alone. */
export interface Named {
  readonly name: string;
  readonly text: string;
}

/** Of calls `c`: the fields, by their names. */
function fieldsWith(more: Named | null): string {
  return more === null ? fieldsOf : `${more.text} AS "${more.name}", ${fieldsOf}`;
}

export const fieldsOf = stepFields.map((name) => `${fieldOf(name)} AS "${name}"`).join(", ");

/** Of rows that were measured: the measures of all of them together. */
export function addedUp(names: readonly StepMeasure[]): string {
  return names.map((name) => `coalesce(sum("${name}"), 0)::${measures[name][1]} AS "${name}"`).join(", ");
}

/** Calls `c` of a source by the fields, and by one more where it is named. */
export function stepsOf(more: Named | null, names: readonly StepMeasure[], source: Sql): Sql {
  const listed = names.map((name) => `${measures[name][0]} AS "${name}"`);
  return sqlOf(`SELECT ${fieldsWith(more)}, ${listed.join(", ")} FROM `, source, " GROUP BY ALL");
}

/** What is read of a call `c` for the lines of its cell. */
export const lineSources = `${isAgain} AS again, c.unpriced AS bare, c.lines`;

/** Lines of calls, by these fields of them, by class, and by whether they have a price. @param source has the fields, and `lineSources`. */
export function cellsOf(fields: readonly string[], source: Sql): Sql {
  const names = fields.map((name) => `"${name}"`).join(", ");
  return sqlOf(
    `SELECT ${names}, line."class" AS "class", line."cost" IS NOT NULL AS priced, count(*) AS "lines", count_if(nth = 1) AS calls,
      count_if(nth = 1 AND NOT again) AS firstTries, count_if(nth = 1 AND bare) AS unpriced, coalesce(sum(line.quantity), 0)::BIGINT AS quantity,
      sum(line."cost") AS "cost" FROM (SELECT ${names}, again, bare, unnest(lines) AS line, generate_subscripts(lines, 1) AS nth FROM (`,
    source,
    ")) GROUP BY ALL",
  );
}

/** Calls `c` of a source with fields by their names, for `cellsOf`. */
export function linedOf(fields: readonly string[], source: Sql, more = ""): Sql {
  const named = fields.map((name) => (name === "tasked" ? `(${taskOf} IS NOT NULL) AS tasked` : `c."${name}"`));
  return sqlOf(`SELECT ${more}${[...named, lineSources].join(", ")} FROM `, source);
}

/** Of such rows: the measures of all of them together. */
export const cellSums = cellMeasureNames.map((name) => `coalesce(sum("${name}"), 0)::${cellMeasures[name]} AS "${name}"`).join(", ");

/** A name as it is kept: that two of a million are the same number has a chance of one in thirty million. */
const hashOf = (name: string): string => `md5_number_lower(${name})`;

/** Tasks of calls `c`, by the type that these say. `source`: calls that name one. */
export function tasksNamed(more: Named | null, source: Sql): Sql {
  const names = `${more === null ? "" : `${more.text} AS "${more.name}", `}c."type", coalesce(c.task, c.root) AS own, c.parent, ${taskOf} AS root`;
  return sqlOf(
    `SELECT * REPLACE (${["own", "parent", "root"].map((name) => `${hashOf(name)} AS ${name}`).join(", ")}) FROM (SELECT ${names}, count(*) AS calls FROM `,
    source,
    " GROUP BY ALL)",
  );
}

/** Adds the calls of `table` that meet the condition, or takes them out (`sign` −1). */
export async function addSteps(db: Transaction, condition: string, values: readonly Value[], sign: 1 | -1, table: string): Promise<void> {
  const source: Sql = { text: `${table} AS c WHERE ${condition}`, values };
  const day: Named = { name: "day", text: `c."day"` };
  const lined = (fields: readonly string[]): Sql => cellsOf(fields, linedOf(fields, source));
  await put(db, "stepDays", stepsOf(day, stepMeasureNames, source), sign);
  await put(db, "taskDays", tasksNamed(day, sqlOf(source, ` AND ${taskOf} IS NOT NULL`)), sign);
  await put(db, "lineDays", sqlOf("FROM (", lined(["day", ...stepFields]), `) WHERE "class" IS NOT NULL`), sign);
  await put(db, "cellDays", lined(["day", ...cellFields]), sign);
  const made = await madeUntil(db);
  if (made === null) return;
  for (const name of weekTables) {
    const fields = ["week", ...tables[name].fields.slice(0, -2)];
    const known = sqlOf(`(SELECT *, ${inWeek} AS "week" FROM ${table} AS c WHERE c."day" < ${dayOfWeek(made)} AND (${condition})) AS c`);
    await put(db, name, cellsOf(fields, linedOf(fields, { ...known, values })), sign);
  }
}

const inWeek = `((c."day" - ${firstDay}) // 7)`;

async function put(db: Transaction, name: Table, { text, values }: Sql, sign: 1 | -1): Promise<void> {
  const { unit, fields, measures: summed } = tables[name];
  const signed = Object.keys(summed).map((measure) => `${sign === 1 ? "" : "-"}"${measure}" AS "${measure}"`);
  const kept = [unit, ...fields].map((field) => `"${field}"`);
  await db.run(`INSERT INTO ${name} BY NAME SELECT ${[...kept, ...signed].join(", ")} FROM (${text})`, values);
}

async function madeUntil(db: Transaction): Promise<number | null> {
  const [row] = await db.rows(`SELECT ${madeSql}`, []);
  return row?.[0] === null || row?.[0] === undefined ? null : Number(row[0]);
}

/** Makes the weeks that are over, by a day, from what there is of them by now: what is put in, or taken out, later is added to them. */
async function makeWeeks(db: Transaction): Promise<void> {
  const [row] = await db.rows(`SELECT min("day"), max("day"), ${madeSql} FROM cellDays`, []);
  const [first = null, last = null, made = null] = row ?? [];
  if (first === null || last === null) return;
  const to = Math.floor((Number(last) - 1 - firstDay) / 7);
  const from = made === null ? Math.floor((Number(first) - firstDay) / 7) : Number(made);
  if (from >= to) return;
  const days = `c."day" >= ${dayOfWeek(from)} AND c."day" < ${dayOfWeek(to)}`;
  const weeks = await db.rows(`SELECT DISTINCT ${inWeek} FROM cellDays AS c WHERE ${days} ORDER BY 1`, []);
  for (const [week] of weeks) {
    const within = `c."day" >= ${dayOfWeek(Number(week))} AND c."day" < ${dayOfWeek(Number(week) + 1)}`;
    const named = (rows: Sql): Sql => sqlOf(`SELECT *, ${Number(week)} AS "week" FROM (`, rows, ")");
    await put(db, "cellWeeks", named({ text: summedOf("cellDays", null, `WHERE ${within}`), values: [] }), 1);
    const lines = cellsOf(payerFields, linedOf(payerFields, { text: `calls AS c WHERE ${within}`, values: [] }));
    await put(db, "payerWeeks", sqlOf(named(lines), " ORDER BY customer"), 1);
  }
  await db.run(`DELETE FROM cutRows WHERE name = '${madeName}'`, []);
  await db.run(`INSERT INTO cutRows VALUES ('${madeName}', ${to})`, []);
}

/** Makes the weeks that are over, and folds rows of the same day and values into one. */
export async function foldSteps(db: Transaction, rowsMin?: number): Promise<void> {
  await makeWeeks(db);
  for (const name of await worthFolding(db, tableNames, rowsMin)) {
    const { unit, order }: Kept = tables[name];
    const ordered = [unit, ...(order === undefined ? [] : [order])].map((field) => `"${field}"`).join(", ");
    await fold(db, name, (folded) => tableOf(name, folded), `${summedOf(name, unit)} ORDER BY ${ordered}`);
  }
}

/** Rows of a table `c` of the same values as one: of each day or week, or of all of them. */
function summedOf(name: Table, unit: Kept["unit"] | null, condition = ""): string {
  const { fields, measures: summed, count } = tables[name];
  const sums = Object.keys(summed).map((measure) => `sum("${measure}") AS "${measure}"`);
  const names = [...(unit === null ? [] : [unit]), ...fields].map((field) => `"${field}"`).join(", ");
  return `SELECT ${names}, ${sums.join(", ")} FROM ${name} AS c ${condition} GROUP BY ${names} HAVING sum("${count}") > 0`;
}
