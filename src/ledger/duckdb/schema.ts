// The tables, and the one list of their columns: what a batch is read with and what a table is made of cannot differ.
// Not here: queries. Invariant: a change of any column changes `schemaVersion`, and an older file is rebuilt from the journal.

import type { Row } from "../projection.ts";

/** Of the file's layout. A file with another version is dropped and rebuilt. */
export const schemaVersion = 1;

/** What is kept beside a call's row: its record as journaled, for receipts. */
export interface Kept {
  /** Counts rows in the order they were written. */
  readonly seq: number;
  /** The start entry's text, and the resolved end's; null where there is none. */
  readonly startText: string | null;
  readonly endText: string | null;
}

const money = "DECIMAL(18,12)";

/** Type of every column of `calls` and `open`, in order. */
export const columns: Readonly<Record<keyof Row | keyof Kept, string>> = {
  id: "VARCHAR",
  seq: "BIGINT",
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
  request: "VARCHAR",
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
  tierAsked: "VARCHAR",
  tier: "VARCHAR",
  effort: "VARCHAR",
  streamed: "BOOLEAN",
  status: "VARCHAR",
  httpStatus: "INTEGER",
  error: "VARCHAR",
  finish: "VARCHAR",
  clientGone: "BOOLEAN",
  responseId: "VARCHAR",
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
  lines: `STRUCT("class" VARCHAR, quantity BIGINT, source VARCHAR, model VARCHAR, part INTEGER, price VARCHAR, "cost" ${money}, "first" BOOLEAN, unpriced BOOLEAN)[]`,
  startText: "VARCHAR",
  endText: "VARCHAR",
};

export const columnNames = Object.keys(columns).map((name) => `"${name}"`);

/** Records are long and seldom read: compressed harder than the columns that reports scan. */
const compressed = new Set(["startText", "endText"]);

const definition = Object.entries(columns)
  .map(([name, type]) => `"${name}" ${type}${compressed.has(name) ? " USING COMPRESSION zstd" : ""}`)
  .join(", ");

/**
 * `calls` has every ended call, resolved; `open` those under way; `evidence` all that was said of calls with more than one witness;
 * `refused` entries that could not be turned into a row; `applied` one row: up to where the journal is in here.
 */
export const schema: readonly string[] = [
  `CREATE TABLE calls (${definition})`,
  `CREATE TABLE open (${definition})`,
  `CREATE TABLE evidence ("call" VARCHAR, provider VARCHAR, responseId VARCHAR, text VARCHAR)`,
  `CREATE TABLE refused (segment BIGINT, "offset" BIGINT, text VARCHAR, reason VARCHAR)`,
  `CREATE VIEW charges AS SELECT id AS "call", startMs, hour, day, provider, unnest(lines, recursive := true)
     FROM calls WHERE lines[1]."class" IS NOT NULL`,
  `CREATE TABLE applied (version INTEGER, segment BIGINT, "offset" BIGINT, mark VARCHAR, rows BIGINT)`,
  `INSERT INTO applied VALUES (${schemaVersion}, NULL, NULL, NULL, 0)`,
];

/** The `columns` argument of read_json. */
export const readColumns = `{${Object.entries(columns)
  .map(([name, type]) => `"${name}": '${type}'`)
  .join(", ")}}`;
