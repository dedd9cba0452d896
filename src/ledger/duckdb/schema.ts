// The tables, and the one list of their columns: what a batch is read with and what a table is made of cannot differ.
// Not here: queries. Invariant: a change of any column changes `schemaVersion`, and an older file is rebuilt from the journal.

import type { Row } from "../projection.ts";
import { taskFields } from "../store.ts";
import { peakTables } from "./peaks.ts";
import { stepTables } from "./steps.ts";
import { spooled } from "./transaction.ts";

/** Of the file's layout. A file with another version is dropped and rebuilt. */
export const schemaVersion = 14;

/**
 * Kept beside a call's row. Its record is not: it is read from the journal, where its start and end stand, or from `endText` when the end
 * is the resolution of several witnesses and stands nowhere. Offsets are positions: where a line ends.
 */
export interface Kept {
  readonly startSegment: number | null;
  readonly startOffset: number | null;
  readonly endSegment: number | null;
  readonly endOffset: number | null;
  readonly endText: string | null;
  /** Of the end whose charges a correction has replaced here; null: none has. */
  readonly mark: string | null;
  /** Whether the row tells all that a re-rating needs: one part of the call's own model, and nothing said in the record alone. */
  readonly plain: boolean;
  /** By how much later the row counts than the call was: it was first heard of when its month was closed. null: it counts when it was. */
  readonly shiftMs: number | null;
}

/** Of a row, what the tables do not hold. Few questions need them, and text that never repeats is half the cost of a row. */
type Omitted = "request" | "responseId";

const money = "DECIMAL(18,12)";

/** Type of every column of `calls` and `open`, in order. `responseHash` finds a call by its response id. */
export const columns: Readonly<Record<Exclude<keyof Row, Omitted> | keyof Kept | "responseHash", string>> = {
  id: "VARCHAR",
  startMs: "BIGINT",
  endMs: "BIGINT",
  hour: "INTEGER",
  day: "INTEGER",
  task: "VARCHAR",
  parent: "VARCHAR",
  root: "VARCHAR",
  type: "VARCHAR",
  step: "VARCHAR",
  customer: "VARCHAR",
  user: "VARCHAR",
  feature: "VARCHAR",
  agent: "VARCHAR",
  team: "VARCHAR",
  session: "VARCHAR",
  project: "VARCHAR",
  branch: "VARCHAR",
  prompt: "VARCHAR",
  environment: "VARCHAR",
  tags: "MAP(VARCHAR, VARCHAR)",
  attempt: "INTEGER",
  reason: "VARCHAR",
  cause: "VARCHAR",
  key: "VARCHAR",
  provider: "VARCHAR",
  format: "VARCHAR",
  endpoint: "VARCHAR",
  pool: "VARCHAR",
  region: "VARCHAR",
  modelAsked: "VARCHAR",
  modelSent: "VARCHAR",
  model: "VARCHAR",
  differs: "VARCHAR",
  disputed: "VARCHAR",
  tierAsked: "VARCHAR",
  tier: "VARCHAR",
  effort: "VARCHAR",
  streamed: "BOOLEAN",
  status: "VARCHAR",
  httpStatus: "INTEGER",
  error: "VARCHAR",
  finish: "VARCHAR",
  clientGone: "BOOLEAN",
  requestBytes: "BIGINT",
  answerBytes: "BIGINT",
  firstByteMs: "BIGINT",
  firstTokenMs: "BIGINT",
  source: "VARCHAR",
  witness: "VARCHAR",
  cost: money,
  inputTokens: "BIGINT",
  outputTokens: "BIGINT",
  unpriced: "BOOLEAN",
  unmetered: "BOOLEAN",
  doubtful: "BOOLEAN",
  presumed: "BOOLEAN",
  failed: "BOOLEAN",
  promptBytes: "BIGINT[]",
  sharedTokens: "BIGINT",
  resentTokens: "BIGINT",
  resentCost: money,
  repeats: "BOOLEAN",
  tools: "BIGINT",
  lines: `STRUCT("class" VARCHAR, quantity BIGINT, source VARCHAR, model VARCHAR, price VARCHAR, "cost" ${money}, "first" BOOLEAN, unpriced BOOLEAN)[]`,
  responseHash: "UBIGINT",
  startSegment: "INTEGER",
  startOffset: "BIGINT",
  endSegment: "INTEGER",
  endOffset: "BIGINT",
  endText: "VARCHAR",
  mark: "VARCHAR",
  plain: "BOOLEAN",
  shiftMs: "BIGINT",
};

const columnsOf = (types: Readonly<Record<string, string>>): string =>
  Object.entries(types)
    .map(([name, type]) => `"${name}" ${type}`)
    .join(", ");
const definition = columnsOf(columns);

const amount = "DECIMAL(38,12)";

/** What a task can be told apart by, besides the models of its calls; and the tag that says which piece of work it is a try at. */
export const taskDims = [...taskFields.filter((field) => field !== "model"), "case"] as const;

export type TaskDim = (typeof taskDims)[number];

/** What a call `c` says of it. */
export function dimOf(dim: TaskDim): string {
  return dim === "case" ? "c.tags['case']" : `c."${dim}"`;
}

/** The column of what was said of it when the task was begun; that of its first call is named as it is. */
export function begunColumn(dim: TaskDim): string {
  return `begun${dim[0]?.toUpperCase()}${dim.slice(1)}`;
}

const texts = (names: readonly string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, "VARCHAR"]));

/**
 * Columns of `tasks` and `taskDeltas`, of which most are NULL: what its calls come to, with the first of them by `firstOrder`; what was said when it was
 * begun; and its ending, as of so many statements. `bucket` is one of 256, by its name.
 */
export const taskColumns: Readonly<Record<string, string>> = {
  name: "VARCHAR",
  bucket: "UTINYINT",
  calls: "BIGINT",
  cost: amount,
  failedCost: amount,
  retryCost: amount,
  unpriced: "BIGINT",
  presumed: "BIGINT",
  startMs: "BIGINT",
  lastMs: "BIGINT",
  modelLow: "VARCHAR",
  modelHigh: "VARCHAR",
  firstOrder: "BIGINT",
  ...texts(taskDims),
  beganMs: "BIGINT",
  ...texts(taskDims.map(begunColumn)),
  statements: "BIGINT",
  result: "VARCHAR",
  value: amount,
  reviewMillis: "BIGINT",
  contradictory: "BOOLEAN",
};

const payers = { id: "VARCHAR", customer: "VARCHAR", plan: "VARCHAR", feature: "VARCHAR" } as const;

/** Of what customers pay: statements, and their parts by calendar month. Months are counted from January 1970. */
export const revenueColumns = {
  ...payers,
  every: "VARCHAR",
  fromMs: "BIGINT",
  toMs: "BIGINT",
  amount,
  firstMonth: "INTEGER",
  text: "VARCHAR",
} as const;
export const earnedColumns = { ...payers, month: "INTEGER", days: "INTEGER", amount } as const;

/** Fields that have sums: those with a great many values, and class. Others are as fast without. */
export const summedFields = ["task", "parent", "root", "session", "customer", "user", "class"] as const;

/** Measures of `sums`, with their types. Not HUGEINT, whose columns take a hundred times as long to read. */
export const sumColumns = {
  calls: "BIGINT",
  cost: "DECIMAL(38,12)",
  inputTokens: "BIGINT",
  outputTokens: "BIGINT",
  quantity: "BIGINT",
  unpriced: "BIGINT",
  unmetered: "BIGINT",
  doubtful: "BIGINT",
  presumed: "BIGINT",
  failed: "BIGINT",
  periodCost: "DECIMAL(38,12)",
  periodUnpriced: "BIGINT",
} as const;

/** A table of sums: one row, or several that add up, for each value of a field. */
export function sumsTable(name: string): string {
  const measures = Object.entries(sumColumns).map(([measure, type]) => `"${measure}" ${type}`);
  return `CREATE TABLE ${name} (field VARCHAR, "value" VARCHAR, ${measures.join(", ")})`;
}

/**
 * Sums by hour, and by day of UTC, that are kept for reports of any span: the fields of each, those of the fewest rows first. Few values, so that there
 * are far fewer rows than calls; a field with a great many has a cut of its own.
 */
export const cuts = {
  // What most questions are by: it has a tenth of the rows of the one with all fields of few values.
  mainHours: ["provider", "model", "feature", "agent", "team", "differs", "disputed"],
  hours: [
    "provider",
    "model",
    "feature",
    "agent",
    "team",
    "type",
    "environment",
    "project",
    "key",
    "status",
    "source",
    "differs",
    "disputed",
  ],
  customerHours: ["customer"],
  classHours: ["class", "provider", "model", "feature", "team"],
} as const satisfies Readonly<Record<string, readonly (keyof Row | "class")[]>>;

export type Cut = keyof typeof cuts;
export const cutNames = Object.keys(cuts) as Cut[];

/** Measures of a cut: those of calls. */
export const cutMeasures = [
  "calls",
  "cost",
  "inputTokens",
  "outputTokens",
  "quantity",
  "unpriced",
  "unmetered",
  "doubtful",
  "presumed",
  "failed",
] as const satisfies readonly (keyof typeof sumColumns)[];

/** Of each cut, the table of its days: an hour's rows are many times as many, and a span of months is made of few hours that are in no whole day. */
export const dayCuts = {
  mainHours: "mainDays",
  hours: "days",
  customerHours: "customerDays",
  classHours: "classDays",
} as const satisfies Readonly<Record<Cut, string>>;

export type CutUnit = "hour" | "day";
export const cutUnits: readonly CutUnit[] = ["hour", "day"];

export function cutName(cut: Cut, unit: CutUnit): string {
  return unit === "hour" ? cut : dayCuts[cut];
}

/**
 * Columns of a cut's measures. Its cost is in two that add up, whole dollars and what is left of them: neither can overflow, and a column of 64
 * bits is read in half the time of one of 128.
 */
export const cutColumns: Readonly<Record<(typeof cutMeasures)[number] | "dollars", string>> = {
  calls: "BIGINT",
  cost: money,
  dollars: "BIGINT",
  inputTokens: "BIGINT",
  outputTokens: "BIGINT",
  quantity: "BIGINT",
  unpriced: "BIGINT",
  unmetered: "BIGINT",
  doubtful: "BIGINT",
  presumed: "BIGINT",
  failed: "BIGINT",
};

export function cutTable(cut: Cut, unit: CutUnit, name: string = cutName(cut, unit)): string {
  const fields = cuts[cut].map((field) => `"${field}" VARCHAR`);
  const measures = Object.entries(cutColumns).map(([measure, type]) => `"${measure}" ${type}`);
  return `CREATE TABLE ${name} ("${unit}" INTEGER, ${[...fields, ...measures].join(", ")})`;
}

/**
 * `calls` has every ended call, resolved; `open` those under way; `sums` and the cuts what reports need to be fast, and the tables of steps.ts what
 * drivers and shapes do; `evidence` all that
 * was said of calls with more than one witness; `periods` one row for each day of a period charge, with the columns of calls; `periodCharges`
 * and `voids` what it is made of; `cutRows` how many rows the cuts had when they were folded last; `incidents` gaps and jumps of the clock; `corrections` where
 * what re-ratings said of a call stands in the journal; `closings` the months that move no more; `late` what is known by now of calls of such a
 * month, and `lateCalls` their rows as they would be without closings, empty where nothing is left of one; `bookings` what that came to, whose rows are
 * in `periods`; `tasks` one row for each task, `taskDeltas` rows that are to be added to those,
 * and `taskAgain` names of which calls were taken out; `begun` tasks that were begun by name, with what they are part of and where in the journal that stands;
 * `statements` what was said of how tasks ended; `sought` names of tasks of which it matters what they are part of; `links` which task makes good
 * which other, and of what is sought what is above it, and `booked` the one that this comes to; `revenues` what customers pay, with the first whole month of what goes on,
 * `earned` its parts by month (of what goes on that of the month it begins in alone) without what `revenueVoids` names; `refused` entries that could not be turned into a row; `applied` one row: up to
 * where the journal is in here.
 */
export const schema: readonly string[] = [
  `CREATE TABLE calls (${definition})`,
  `CREATE TABLE open (${definition})`,
  sumsTable("sums"),
  ...cutNames.flatMap((cut) => cutUnits.map((unit) => cutTable(cut, unit))),
  ...stepTables,
  ...peakTables,
  `CREATE TABLE cutRows (name VARCHAR, "rows" BIGINT)`,
  `CREATE TABLE incidents (kind VARCHAR, fromMs BIGINT, toMs BIGINT, calls BIGINT, byMs BIGINT, cause VARCHAR)`,
  `CREATE TABLE evidence ("call" VARCHAR, provider VARCHAR, responseId VARCHAR, text VARCHAR)`,
  `CREATE TABLE periods (charge VARCHAR, ${definition})`,
  `CREATE TABLE periodCharges (id VARCHAR, fromMs BIGINT, toMs BIGINT, text VARCHAR)`,
  `CREATE TABLE voids (id VARCHAR, atMs BIGINT)`,
  `CREATE TABLE corrections ("call" VARCHAR, "of" VARCHAR, rerate VARCHAR, atMs BIGINT, segment INTEGER, "offset" BIGINT)`,
  `CREATE TABLE closings ("month" VARCHAR, atMs BIGINT)`,
  `CREATE TABLE late ("call" VARCHAR, provider VARCHAR, responseId VARCHAR, endText VARCHAR, witness VARCHAR)`,
  `CREATE TABLE lateCalls (${definition})`,
  `CREATE TABLE bookings (id VARCHAR, "call" VARCHAR, atMs BIGINT, text VARCHAR)`,
  ...["tasks", "taskDeltas"].map((name) => `CREATE TABLE ${name} (${columnsOf(taskColumns)})`),
  `CREATE TABLE taskAgain (name VARCHAR)`,
  `CREATE TABLE begun (task VARCHAR, above VARCHAR, segment INTEGER, "offset" BIGINT)`,
  `CREATE TABLE statements (id VARCHAR, task VARCHAR, text VARCHAR)`,
  `CREATE TABLE sought (name VARCHAR)`,
  `CREATE TABLE links (task VARCHAR, cause VARCHAR, reason UTINYINT)`,
  `CREATE TABLE booked (task VARCHAR, root VARCHAR, part BOOLEAN)`,
  `CREATE TABLE revenues (${columnsOf(revenueColumns)})`,
  `CREATE TABLE earned (${columnsOf(earnedColumns)})`,
  `CREATE TABLE revenueVoids (id VARCHAR, atMs BIGINT)`,
  `CREATE TABLE refused (segment BIGINT, "offset" BIGINT, reason VARCHAR)`,
  `CREATE VIEW charges AS SELECT id AS "call", startMs, hour, day, provider, unnest(lines, recursive := true)
     FROM calls WHERE lines[1]."class" IS NOT NULL`,
  `CREATE TABLE applied (version INTEGER, segment BIGINT, "offset" BIGINT, mark VARCHAR, sumRowsFolded BIGINT)`,
  `INSERT INTO applied VALUES (${schemaVersion}, NULL, NULL, NULL, 0)`,
];

/** Text of a response id's hash: stable for ever, unlike DuckDB's own. */
export function responseHash(expression: string): string {
  return `md5_number_lower(${expression})`;
}

const readColumns = Object.fromEntries(
  Object.entries(columns).map(([name, type]) => (name === "responseHash" ? ["responseId", "VARCHAR"] : [name, type])),
);
const selected = Object.keys(columns).map((name) => (name === "responseHash" ? responseHash(`"responseId"`) : `"${name}"`));

/** Reads a file of pieces, whose path is the one parameter. */
export const insertPieces = `INSERT INTO periods SELECT charge, ${selected.join(", ")} FROM ${spooled({ charge: "VARCHAR", ...readColumns })}`;

/** Reads a batch's file, whose path is the one parameter, into a table. */
export function insertFrom(table: "calls" | "open" | "lateCalls"): string {
  return `INSERT INTO ${table} SELECT ${selected.join(", ")} FROM ${spooled(readColumns)}`;
}
