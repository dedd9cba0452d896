// Sums by day for the questions why a bill moved and where the tokens of a task go: of calls, by task type, step and where they ran; of their
// lines, by class besides; and of tasks, how many calls of a type each has. Not here: the questions (drivers.ts, shape.ts). Invariant: rows add
// up to what a scan of `calls` gives, day by day; a call that is replaced is taken out with negative counts.

import { type Sql, sqlOf, taskOf, type Value } from "./field.ts";
import type { Transaction } from "./transaction.ts";

/** What calls are told apart by, as they say it. `tasked`: they name a task. */
export const stepFields = ["tasked", "type", "step", "provider", "model", "tier", "tierAsked"] as const;

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

/** Of the tasks that calls of a type name: the own one, and the root, as hashes of 64 bits. */
const taskFields = ["type", "own", "root"] as const;

const typeOf = (field: string): string =>
  field === "tasked" || field === "priced" ? "BOOLEAN" : field === "own" || field === "root" ? "UBIGINT" : "VARCHAR";

/** Tables, each with its fields and its measures. */
const tables = {
  stepDays: { fields: stepFields, measures: Object.fromEntries(stepMeasureNames.map((name) => [name, measures[name][1]])), count: "calls" },
  lineDays: { fields: lineFields, measures: lineMeasures, count: "lines" },
  taskDays: { fields: taskFields, measures: { calls: "BIGINT" }, count: "calls" },
} as const satisfies Readonly<
  Record<string, { readonly fields: readonly string[]; readonly measures: Readonly<Record<string, string>>; readonly count: string }>
>;

type Table = keyof typeof tables;
const tableNames = Object.keys(tables) as Table[];

function tableOf(table: Table, name: string = table): string {
  const columns = [...tables[table].fields.map((field) => [field, typeOf(field)]), ...Object.entries(tables[table].measures)];
  return `CREATE TABLE ${name} ("day" INTEGER, ${columns.map(([column, type]) => `"${column}" ${type}`).join(", ")})`;
}

/** Part of the schema. */
export const stepTables: readonly string[] = tableNames.map((table) => tableOf(table));

/** What a field of a call `c` reads; of a row of these tables it is the column of that name. */
function fieldOf(field: (typeof stepFields)[number]): string {
  return field === "tasked" ? `(${taskOf} IS NOT NULL)` : `c."${field}"`;
}

/** What calls `c` are told apart by besides. */
export interface Named {
  readonly name: string;
  readonly text: string;
}

/** Of calls `c`: the fields, by their names. */
function fieldsWith(more: Named | null): string {
  const named = [...(more === null ? [] : [more]), ...stepFields.map((name) => ({ name, text: fieldOf(name) }))];
  return named.map(({ name, text }) => `${text} AS "${name}"`).join(", ");
}

/** Of rows that were measured: the measures of all of them together. */
export function addedUp(names: readonly StepMeasure[]): string {
  return names.map((name) => `coalesce(sum("${name}"), 0)::${measures[name][1]} AS "${name}"`).join(", ");
}

/** Calls `c` of a source by the fields, and by one more where it is named. */
export function stepsOf(more: Named | null, names: readonly StepMeasure[], source: Sql): Sql {
  const listed = names.map((name) => `${measures[name][0]} AS "${name}"`);
  return sqlOf(`SELECT ${fieldsWith(more)}, ${listed.join(", ")} FROM `, source, " GROUP BY ALL");
}

/** Their lines: those with a price and those without apart. */
export function linesOf(more: Named | null, source: Sql): Sql {
  const names = [...(more === null ? [] : [more.name]), ...stepFields].map((name) => `"${name}"`);
  return sqlOf(
    `SELECT ${names.join(", ")}, line."class" AS "class", line."cost" IS NOT NULL AS priced, count(*) AS "lines",
      coalesce(sum(line.quantity), 0)::BIGINT AS quantity, sum(line."cost") AS "cost" FROM (SELECT ${fieldsWith(more)}, unnest(c.lines) AS line FROM `,
    source,
    `) WHERE line."class" IS NOT NULL GROUP BY ALL`,
  );
}

/** A name as it is kept: that two of a million are the same number has a chance of one in thirty million. */
const hashOf = (name: string): string => `md5_number_lower(${name})`;

/** Tasks of calls `c`, by the type that these say. `source`: calls that name one. */
export function tasksNamed(more: Named | null, source: Sql): Sql {
  const names = `${more === null ? "" : `${more.text} AS "${more.name}", `}c."type", coalesce(c.task, c.root) AS own, ${taskOf} AS root`;
  return sqlOf(
    `SELECT * REPLACE (${hashOf("own")} AS own, ${hashOf("root")} AS root) FROM (SELECT ${names}, count(*) AS calls FROM `,
    source,
    " GROUP BY ALL)",
  );
}

/** Adds the calls of `table` that meet the condition, or takes them out (`sign` −1). */
export async function addSteps(db: Transaction, condition: string, values: readonly Value[], sign: 1 | -1, table: string): Promise<void> {
  const source: Sql = { text: `${table} AS c WHERE ${condition}`, values };
  const day: Named = { name: "day", text: `c."day"` };
  const rows: Readonly<Record<Table, Sql>> = {
    stepDays: stepsOf(day, stepMeasureNames, source),
    lineDays: linesOf(day, source),
    taskDays: tasksNamed(day, sqlOf(source, ` AND ${taskOf} IS NOT NULL`)),
  };
  for (const name of tableNames) {
    const signed = Object.keys(tables[name].measures).map((measure) => `${sign === 1 ? "" : "-"}"${measure}" AS "${measure}"`);
    const kept = ["day", ...tables[name].fields].map((field) => `"${field}"`);
    await db.run(`INSERT INTO ${name} BY NAME SELECT ${[...kept, ...signed].join(", ")} FROM (${rows[name].text})`, rows[name].values);
  }
}

/** Fewer rows than this are not worth folding. */
const foldRowsMin = 50_000;

/** Folds rows of the same day and values into one, when a table has half as many again as after the last time. */
export async function foldSteps(db: Transaction, rowsMin = foldRowsMin): Promise<void> {
  const counts = tableNames.map(
    (name) => `(SELECT count(*) FROM ${name}), (SELECT coalesce(max("rows"), 0) FROM cutRows WHERE name = '${name}')`,
  );
  const [row = []] = await db.rows(`SELECT ${counts.join(", ")}`, []);
  for (const [index, name] of tableNames.entries()) {
    const count = Number(row[index * 2] ?? 0);
    if (count >= rowsMin && count >= Number(row[index * 2 + 1] ?? 0) * 1.5) await fold(db, name);
  }
}

async function fold(db: Transaction, name: Table): Promise<void> {
  const { fields, measures: summed, count } = tables[name];
  const sums = Object.keys(summed).map((measure) => `sum("${measure}") AS "${measure}"`);
  const names = ["day", ...fields].map((field) => `"${field}"`).join(", ");
  await db.run(tableOf(name, "foldedSteps"), []);
  await db.run(
    `INSERT INTO foldedSteps BY NAME SELECT ${names}, ${sums.join(", ")} FROM ${name} GROUP BY ${names} HAVING sum("${count}") > 0 ORDER BY "day"`,
    [],
  );
  await db.run(`DROP TABLE ${name}`, []);
  await db.run(`ALTER TABLE foldedSteps RENAME TO ${name}`, []);
  await db.run(`DELETE FROM cutRows WHERE name = '${name}'`, []);
  await db.run(`INSERT INTO cutRows SELECT '${name}', count(*) FROM ${name}`, []);
}
