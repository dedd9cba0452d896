// A store of millions of calls for benches, loaded straight into DuckDB by SQL: what a year of journal would take an hour to project is here
// in minutes. Not here: the journal of these calls; they have no records, so receipts of them are empty. Invariant: the same seed gives
// the same rows, and all that the store keeps beside the rows is made by the store's own code.

import { mkdir } from "node:fs/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { storeFile } from "../src/ledger/duckdb/place.ts";
import { columns, schema } from "../src/ledger/duckdb/schema.ts";
import { addSums, foldSums } from "../src/ledger/duckdb/sums.ts";
import { foldTasks } from "../src/ledger/duckdb/tasks.ts";

export interface FillOptions {
  readonly calls: number;
  readonly seed: number;
  /** When the last call began, ms UTC; the first began `days` before. */
  readonly untilMs: number;
  readonly days: number;
  /** Rows as if their records were in a journal, and each class charged at a version of its own: `bench@1/PROVIDER/MODEL#CLASS`. */
  readonly rated?: boolean;
  readonly onProgress?: (calls: number) => void;
}

/** As many rows go in at once as in a batch of the journal. */
const chunkCalls = 500_000;

/** Fills the store of a data folder that has none. Takes about 1 GB of memory, whatever the number of calls. */
export async function fillStore(folder: string, { calls, seed, untilMs, days, rated = false, onProgress }: FillOptions): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const instance = await DuckDBInstance.create(storeFile(folder), {
    threads: "2",
    memory_limit: "1GB",
    storage_compatibility_version: "v1.5.0",
    checkpoint_threshold: "64MB",
  });
  const connection = await instance.connect();
  const db = {
    rows: async (text: string, values: readonly (string | number)[]) => (await connection.runAndReadAll(text, [...values])).getRows(),
    run: (text: string, values: readonly (string | number)[]) => connection.run(text, [...values]).then(() => undefined),
  };
  try {
    for (const statement of schema) await connection.run(statement);
    const everyMs = (days * 86_400_000) / calls;
    for (let from = 0; from < calls; from += chunkCalls) {
      const to = Math.min(calls, from + chunkCalls);
      const fromMs = untilMs - days * 86_400_000;
      await connection.run("BEGIN");
      await connection.run(insertOf(from, to, seed, fromMs, everyMs, rated));
      const sinceMs = Math.floor(fromMs + from * everyMs);
      const beforeMs = Math.floor(fromMs + to * everyMs);
      await addSums(db, "startMs >= ?::BIGINT AND startMs < ?::BIGINT", [sinceMs, beforeMs]);
      await foldSums(db);
      await foldTasks(db);
      await connection.run("COMMIT");
      onProgress?.(to);
    }
    await connection.run("BEGIN");
    for (const statement of endingsOf(seed)) await connection.run(statement);
    await foldTasks(db, 1);
    await connection.run("COMMIT");
    await connection.run("CHECKPOINT");
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** A number from 0 to 1 for the row `i` that is the same in every run; `salt` tells one draw from another. */
const draw = (salt: number, seed: number): string => `((hash(i * 1000003 + ${salt * 7919 + seed}) % 1000003)::DOUBLE / 1000003)`;

/**
 * A company: thirty features, each with an agent and a team of its own and two or three models; a thousand customers, of which few spend
 * most; tasks of about ten calls; one call in fifty fails, one in two thousand has no price.
 */
function insertOf(from: number, to: number, seed: number, fromMs: number, everyMs: number, rated: boolean): string {
  const skewed = (salt: number, count: number): string => `floor(${draw(salt, seed)} * ${draw(salt + 50, seed)} * ${count})::INTEGER`;
  const model = words(models, `(f * 7 + floor(d * d * 3)::INTEGER) % ${models.length}`);
  const provider = words(providers, `(f * 7 + floor(d * d * 3)::INTEGER) % ${models.length} % 3`);
  const version = (name: string): string =>
    rated ? `'bench@1/' || ${provider} || '/' || ${model} || '#${name}'` : "'genai-prices@0.1.8/2026-10-01'";
  const task = `greatest(0, i // 10 - ${skewed(11, 200)})`;
  const values: Readonly<Record<string, string>> = {
    ...(rated ? { startSegment: "1", startOffset: "i", endSegment: "1", endOffset: "i", plain: "NOT failed" } : {}),
    id: `printf('%016X%010d', startMs, i)`,
    startMs: "startMs",
    endMs: `startMs + 200 + ${skewed(10, 8000)}`,
    hour: "(startMs // 3600000)::INTEGER",
    day: "(startMs // 86400000)::INTEGER",
    task: `'task-' || ${task}`,
    root: `'task-' || ${task} || '-root'`,
    type: `'type-' || (${task} % 12)`,
    step: words(["plan", "act", "observe", "check"], skewed(12, 4)),
    customer: `printf('n_%016x', (c * 7919)::BIGINT)`,
    feature: `'feature-' || f`,
    agent: `'agent-' || (f % 10)`,
    team: `'team-' || (f % 6)`,
    session: `'session-' || (i // 30)`,
    project: "'assistant'",
    prompt: `'v' || (f % 4 + (startMs // 2592000000) % 4)`,
    environment: `CASE WHEN e < 0.9 THEN 'production' ELSE 'staging' END`,
    tags: "MAP {}",
    attempt: "CASE WHEN e < 0.02 THEN 2 ELSE 1 END",
    reason: "CASE WHEN e < 0.02 THEN 'retry' ELSE 'first' END",
    key: `'key_' || (f % 20)`,
    provider,
    format: "'openai-chat'",
    endpoint: "'/v1/chat/completions'",
    pool: "'shared'",
    modelAsked: model,
    modelSent: model,
    model: `CASE WHEN failed OR e < 0.97 THEN ${model} ELSE ${model} || '-2026-08-01' END`,
    differs: "CASE WHEN failed THEN NULL WHEN e < 0.97 THEN 'no' ELSE 'yes' END",
    tier: "CASE WHEN failed THEN NULL ELSE 'default' END",
    streamed: `${draw(13, seed)} < 0.7`,
    status: "CASE WHEN failed THEN 'failed' ELSE 'complete' END",
    httpStatus: "CASE WHEN failed THEN 429 ELSE 200 END",
    error: "CASE WHEN failed THEN 'rate_limit_exceeded' END",
    finish: "CASE WHEN failed THEN NULL ELSE 'stop' END",
    clientGone: "false",
    requestBytes: `2000 + ${skewed(14, 40_000)}`,
    answerBytes: `600 + ${skewed(15, 8000)}`,
    firstByteMs: "startMs + 150",
    firstTokenMs: `startMs + 180 + ${skewed(16, 900)}`,
    source: "CASE WHEN failed THEN NULL ELSE 'reported' END",
    witness: "'gateway'",
    cost: "CASE WHEN failed THEN 0 WHEN bare THEN 0 ELSE inputCost + cachedCost + outputCost END",
    inputTokens: "CASE WHEN failed THEN 0 ELSE inputs + cached END",
    outputTokens: "CASE WHEN failed THEN 0 ELSE outputs END",
    unpriced: "bare AND NOT failed",
    unmetered: "false",
    doubtful: "NOT failed AND e BETWEEN 0.5 AND 0.5002",
    presumed: "false",
    failed: "failed",
    promptBytes: "[800, 400, 300, 3 * inputs + 3 * cached, inputs]",
    sharedTokens: "CASE WHEN NOT failed THEN inputs // 3 + cached END",
    resentTokens: "CASE WHEN NOT failed AND d >= 0.01 THEN inputs // 3 END",
    resentCost: `CASE WHEN NOT failed AND d >= 0.01 AND NOT bare THEN ${price("inputs // 3", "0.0000025")} END`,
    repeats: "CASE WHEN d < 0.01 THEN true END",
    tools: "CASE WHEN NOT failed THEN 1 + i % 2 END",
    lines: `CASE WHEN failed THEN [{'class': NULL::VARCHAR, quantity: NULL::BIGINT, source: NULL::VARCHAR, model: NULL::VARCHAR, price: NULL::VARCHAR,
      'cost': NULL::DECIMAL(18,12), 'first': true, unpriced: false}]
      ELSE [${(["input", "cache_read", "output"] as const)
        .map(
          (name, index) => `{'class': '${name}', quantity: ${["inputs", "cached", "outputs"][index]}::BIGINT,
        source: 'reported', model: ${model}, price: ${version(name)},
        'cost': CASE WHEN bare THEN NULL ELSE ${["inputCost", "cachedCost", "outputCost"][index]} END, 'first': true, unpriced: bare}`,
        )
        .join(", ")}] END`,
  };
  const selected = Object.entries(columns).map(([name, type]) => `(${values[name] ?? "NULL"})::${type}`);
  return `INSERT INTO calls SELECT ${selected.join(", ")} FROM (SELECT *, ${price("inputs", "0.0000025")} AS inputCost,
    ${price("cached", "0.00000025")} AS cachedCost, ${price("outputs", "0.00001")} AS outputCost FROM (
      SELECT i, floor(${fromMs} + i * ${everyMs})::BIGINT AS startMs, ${skewed(1, 30)} AS f, ${skewed(2, 1000)} AS c, ${draw(3, seed)} < 0.02 AS failed,
        200 + ${skewed(4, 4000)} AS inputs, ${skewed(5, 8000)} AS cached, 1 + ${skewed(6, 900)} AS outputs, ${draw(7, seed)} < 0.0005 AS bare,
        ${draw(8, seed)} AS d, ${draw(9, seed)} AS e FROM range(${from}, ${to}) AS t(i)))`;
}

/**
 * How tasks ended: of a hundred, sixty in success and twenty in failure, as one check says of each; a third of them are worth something, and a tenth
 * were looked at by somebody. One in fifty makes good another.
 */
function endingsOf(seed: number): string[] {
  const of = (salt: number): string => `(hash(name || '${salt * 7919 + seed}') % 1000003)::DOUBLE / 1000003`;
  const said = `SELECT name, bucket, 1 AS "statements", CASE WHEN ${of(21)} < 0.75 THEN 'success' ELSE 'failure' END AS result,
    CASE WHEN ${of(22)} < 0.33 THEN (hash(name) % 900)::DECIMAL(38,12) / 100 END::DECIMAL(38,12) AS "value",
    CASE WHEN ${of(23)} < 0.1 THEN (hash(name) % 600000)::BIGINT END AS reviewMillis, ${of(24)} < 0.01 AS contradictory FROM tasks WHERE ${of(25)} < 0.8`;
  return [
    `INSERT INTO taskDeltas BY NAME ${said}`,
    `INSERT INTO statements SELECT 'outcome-' || name, name, '{"v":1,"kind":"outcome","outcome":{"id":"outcome-' || name || '","task":"' || name
      || '","atMs":1,"result":"' || result || '","judge":"check"}}' FROM (${said})`,
    `INSERT INTO links SELECT name, 'task-' || (hash(name) % 1000) || '-root', 0 FROM tasks WHERE ${of(26)} < 0.02`,
    `INSERT INTO booked SELECT task, cause, false FROM links WHERE task <> cause AND cause NOT IN (SELECT task FROM links) AND cause IN (SELECT name FROM tasks)`,
  ];
}

export const models = [
  "gpt-5",
  "claude-sonnet-4-5",
  "gemini-2.5-pro",
  "gpt-5-mini",
  "claude-haiku-4-5",
  "gemini-2.5-flash",
  "gpt-4.1",
  "claude-opus-4-1",
  "gemini-2.0-flash",
];
export const providers = ["openai", "anthropic", "google"];

/** One of these words, by an expression from 0. */
function words(names: readonly string[], index: string): string {
  return `['${names.join("', '")}'][1 + ${index}]`;
}

/** Dollars, by a rate in dollars. */
function price(quantity: string, dollars: string): string {
  return `(${quantity} * '${dollars}'::DECIMAL(18,12))::DECIMAL(18,12)`;
}
