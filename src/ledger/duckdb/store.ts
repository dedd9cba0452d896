// The store in a DuckDB file. It runs in the store's own process (child.ts), since DuckDB's threads are its process's.
// Not here: following the journal, SQL of questions. Invariant: rows and the position they reflect are committed together, so that a
// replay after any crash neither loses nor doubles a call.

import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from "@duckdb/node-api";
import type { Entry, Position } from "../../core/entry.ts";
import { PennyworthError } from "../../error.ts";
import { decodeEntry, encodeEntry } from "../codec.ts";
import type {
  CallRecord,
  ChargeRecord,
  ChargesPage,
  ChargesQuery,
  CallsPage,
  CallsQuery,
  CallSummary,
  IncidentsPage,
  Report,
  ReportQuery,
  ReportRow,
  Run,
  RunsPage,
  RunsQuery,
  Span,
  Store,
  Totals,
} from "../store.ts";
import { summaryColumns, toLatency, toReportRow, toSummary } from "./answer.ts";
import { Batch, type Line, type OpenCall, wellFormed, writeRows } from "./batch.ts";
import { applyEvidence, endedAfter, endedAfterValues, positionsOf, recordOf, toPosition } from "./evidence.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { applyPeriods, chargeSql, chargesSql, toChargeRecord } from "./periods.ts";
import { groupText, type Sql, sqlOf, type Value, where } from "./field.ts";
import { applyIncidents, incidentsSql, toIncident } from "./incidents.ts";
import { measureNames } from "./measure.ts";
import { bounded, latencyNames, reportSql } from "./query.ts";
import { spoolFolder } from "./place.ts";
import type { Records } from "./records.ts";
import { insertFrom, schema, schemaVersion } from "./schema.ts";
import { inRun, runSql, runsSql, spanSql, toRunRow } from "./runs.ts";
import { addSums, foldSums } from "./sums.ts";
import { totalsSql, toTotals } from "./totals.ts";
import type { Transaction } from "./transaction.ts";
import { type DuckDBOptions, defaultOptions } from "./wire.ts";

/** Questions answered at the same time. */
const readersMax = 3;

export class DuckDBStore implements Store {
  readonly #file: string;
  readonly #records: Records;
  readonly #options: DuckDBOptions;
  #instance: DuckDBInstance | null = null;
  #writer: DuckDBConnection | null = null;
  /** Connections that no question is using: one answers one question at a time. */
  #readers: DuckDBConnection[] = [];
  readonly #waiting: ((reader: DuckDBConnection) => void)[] = [];
  #applied: Position | null = null;
  /** Up to where batches were prepared: at or after `#applied`. */
  #prepared: Position | null = null;
  #batch: Batch | null = null;
  #files = 0;
  #hasEvidence = false;
  #open = new Map<string, OpenCall>();
  /** Of the step that failed: memory may not be what is committed any more, and nothing is taken in until `recover`. */
  #failure: { readonly cause: unknown } | null = null;

  constructor(file: string, records: Records, options: DuckDBOptions = defaultOptions) {
    this.#file = file;
    this.#records = records;
    this.#options = options;
  }

  /** @throws PennyworthError `store_failed` when the file cannot be read or is of another version: drop it and rebuild. */
  async open(): Promise<Position | null> {
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    await rm(this.#spool, { recursive: true, force: true });
    await mkdir(this.#spool, { recursive: true, mode: 0o700 });
    try {
      this.#instance = await DuckDBInstance.create(this.#file, {
        threads: String(this.#options.threads),
        memory_limit: this.#options.memory,
        temp_directory: join(this.#spool, "spill"),
        storage_compatibility_version: "v1.5.0",
        // Rows of a large batch go straight to the file; the log is for small ones, and folded in when it has grown to this: about what
        // is replayed in a second when the file is opened after a kill.
        checkpoint_threshold: "64MB",
        autoinstall_known_extensions: "false",
        autoload_known_extensions: "false",
        allow_community_extensions: "false",
      });
      this.#writer = await this.#instance.connect();
      for (let i = 0; i < readersMax; i++) this.#readers.push(await this.#instance.connect());
      const tables = await rowsOf(this.#writer, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'applied'");
      if (Number(tables[0]?.[0]) === 0) {
        await this.#writer.run("BEGIN");
        for (const statement of schema) await this.#writer.run(statement);
        await this.#writer.run("COMMIT");
      }
      await this.#load();
    } catch (cause) {
      await this.close();
      throw new PennyworthError("store_failed", { detail: `${this.#file} cannot be used: ${messageOf(cause)}` }, cause);
    }
    return this.#applied;
  }

  get applied(): Position | null {
    return this.#applied;
  }

  /** CRC-32 of the last applied entry's text: tells this journal from another one of the same length. */
  async mark(): Promise<number | null> {
    const [row] = await rowsOf(this.#connection(this.#writer), "SELECT mark FROM applied");
    return row?.[0] === null || row === undefined ? null : Number.parseInt(String(row[0]), 16);
  }

  async apply(entries: readonly { readonly entry: Entry; readonly position: Position }[]): Promise<void> {
    await this.recover();
    try {
      await this.add(entries.map(({ entry, position }) => ({ text: encodeEntry(entry), position })));
      const batch = await this.seal();
      if (batch !== null) await this.commit(batch);
    } catch (cause) {
      // Where this fails as well, the next one to apply tries it again.
      await this.recover().catch(() => undefined);
      throw cause;
    }
  }

  /** Whether a step failed: until `recover`, the others fail for the same cause. */
  get failed(): boolean {
    return this.#failure !== null;
  }

  /**
   * After a step that failed: goes back to what is committed, so that the lines behind `applied` can be added again. No step may be under
   * way. @throws what reading the tables and the journal throws; then it is to be called again.
   */
  async recover(): Promise<void> {
    if (this.#failure === null) return;
    await this.#batch?.close().catch(() => undefined);
    this.#batch = null;
    // A rollback may have failed as well; tables read inside its transaction would say what is not committed.
    await this.#connection(this.#writer)
      .run("ROLLBACK")
      .catch((cause: unknown) => {
        if (!messageOf(cause).includes("no transaction is active")) throw cause;
      });
    await this.#load();
    for (const name of await readdir(this.#spool)) if (spooled.test(name)) await rm(join(this.#spool, name), { force: true });
    this.#failure = null;
  }

  /** Adds lines, in journal order, to the batch that is being made. @returns how many entries it has. */
  add(lines: readonly Line[]): Promise<number> {
    return this.#step(async () => {
      this.#batch ??= new Batch(join(this.#spool, `${this.#files++}.json`));
      await this.#batch.add(lines, this.#prepared, this.#open);
      this.#prepared = this.#batch.last?.position ?? this.#prepared;
      return this.#batch.entries;
    });
  }

  /** Finishes the batch that is being made, so that it can be committed while the next one is made. null when there is nothing in it. */
  seal(): Promise<Batch | null> {
    return this.#step(async () => {
      const batch = this.#batch;
      this.#batch = null;
      if (batch === null) return null;
      await batch.seal();
      return batch.entries === 0 ? null : batch;
    });
  }

  /** Commits batches in the order they were made. After a failure all that is behind `applied` must be made anew. */
  commit(batch: Batch): Promise<void> {
    return this.#step(() => this.#commit(batch));
  }

  async #commit(batch: Batch): Promise<void> {
    const writer = this.#connection(this.#writer);
    const { last } = batch;
    if (last === null) return;
    try {
      await writer.run("BEGIN");
      if (batch.closed.length > 0) await deleteOpen(writer, batch.closed);
      if (batch.calls > 0) await writer.run(insertFrom("calls"), [batch.file]);
      if (batch.opened.size > 0) await writer.run(insertFrom("open"), [batch.openFile]);
      const db: Transaction = {
        rows: (text, values) => rowsOf(writer, text, values),
        run: (text, values) => writer.run(text, [...values]).then(() => undefined),
      };
      if (batch.calls > 0) await addSums(db, endedAfter, endedAfterValues(this.#applied));
      if (batch.observed.length > 0 || batch.repeated.length > 0 || this.#hasEvidence) await this.#resolve(db, batch);
      await applyPeriods(db, batch, (rows, use) => this.#spooled(rows, use));
      await applyIncidents(db, batch.incidents);
      await foldSums(db);
      const { segment, offset } = last.position;
      await writer.run(setApplied, [segment, offset, markOf(last.text)]);
      await writer.run("COMMIT");
    } catch (cause) {
      await writer.run("ROLLBACK").catch(() => undefined);
      throw new PennyworthError("store_failed", { detail: `a batch could not be written: ${messageOf(cause)}` }, cause);
    }
    this.#applied = last.position;
    // What cannot be removed now goes with the folder, at the next start.
    for (const file of [batch.file, batch.openFile]) await rm(file, { force: true }).catch(() => undefined);
  }

  /** Sets an entry aside that cannot be turned into a row, and goes on behind it. */
  refuse(line: Line, reason: string): Promise<void> {
    return this.#step(async () => {
      const writer = this.#connection(this.#writer);
      const { segment, offset } = line.position;
      try {
        await writer.run("BEGIN");
        await writer.run("INSERT INTO refused VALUES (?::BIGINT, ?::BIGINT, ?::VARCHAR)", [segment, offset, reason]);
        await writer.run(setApplied, [segment, offset, markOf(line.text)]);
        await writer.run("COMMIT");
      } catch (cause) {
        await writer.run("ROLLBACK").catch(() => undefined);
        throw new PennyworthError("store_failed", { detail: `an entry could not be set aside: ${messageOf(cause)}` }, cause);
      }
      await this.#load();
    });
  }

  async #step<T>(work: () => Promise<T>): Promise<T> {
    if (this.#failure !== null) throw this.#failure.cause;
    try {
      return await work();
    } catch (cause) {
      this.#failure ??= { cause };
      throw cause;
    }
  }

  /** How many entries were set aside. */
  async refused(): Promise<number> {
    const [row] = await this.#ask({ text: "SELECT count(*) FROM refused", values: [] });
    return Number(row?.[0] ?? 0);
  }

  async report(query: ReportQuery): Promise<Report> {
    const rows: ReportRow[] = [];
    let total: ReportRow | null = null;
    let position: Position | null = null;
    const hasLatency = query.latency === true;
    for (const row of await this.#ask(reportSql(query))) {
      const [isTotal, segment, offset, rest, ...values] = row;
      const quantiles = values.slice(measureNames.length, measureNames.length + (hasLatency ? latencyNames.length : 0));
      const groups = values.slice(measureNames.length + quantiles.length);
      const read = toReportRow(
        isTotal === true ? query.by.map(() => null) : query.by.map((field, index) => groupText(field, groups[index], query.zone)),
        values,
        isTotal !== true && query.by.includes("class"),
      );
      const told = rest === true ? { ...read, rest } : hasLatency ? { ...read, latency: toLatency(quantiles) } : read;
      if (isTotal !== true) {
        rows.push(told);
        continue;
      }
      total = told;
      position = toPosition(segment, offset);
    }
    if (total === null) throw new PennyworthError("store_failed", { detail: "a report came without its total" });
    return { by: query.by, rows: rows.slice(0, query.limit), total, truncated: rows.length > query.limit, position };
  }

  async totals(spans: readonly Span[]): Promise<Totals> {
    return toTotals(await this.#ask(totalsSql(spans)), spans);
  }

  async calls(query: CallsQuery): Promise<CallsPage> {
    const limit = bounded(query.limit);
    const source = where(query.sinceMs, query.untilMs, query.filters, query.zone);
    const after = query.cursor === null ? null : readCursor(query.cursor);
    const values: Value[] = [...source.values];
    let condition = source.text === "" ? "WHERE true" : source.text;
    if (query.filters.some((filter) => filter.field === "class"))
      throw new PennyworthError("query_invalid", { detail: "calls cannot be filtered by class; report them by class instead" });
    if (after !== null) {
      condition += " AND c.startMs <= ?::BIGINT AND (c.startMs < ?::BIGINT OR c.id < ?::VARCHAR)";
      values.push(after.startMs, after.startMs, after.id);
    }
    const found: CallSummary[] = [];
    // One statement, so that a call that ends meanwhile is in exactly one of the two tables.
    const newest = (table: string): string =>
      `(SELECT ${summaryColumns.map((name) => `c."${name}"`).join(", ")} FROM ${table} AS c ${condition} ORDER BY c.startMs DESC, c.id DESC LIMIT ${limit + 1})`;
    const text = `SELECT * FROM (${newest("calls")} UNION ALL ${newest("open")}) AS c ORDER BY c.startMs DESC, c.id DESC LIMIT ${limit + 1}`;
    for (const row of await this.#ask({ text, values: [...values, ...values] })) found.push(toSummary(row));
    const calls = found.slice(0, limit);
    const last = calls.at(-1);
    return { calls, cursor: found.length > limit && last !== undefined ? writeCursor(last) : null };
  }

  async call(id: string): Promise<CallRecord | null> {
    const text = `SELECT ${recordColumns} FROM ${bothTables} WHERE c.id = ?::VARCHAR`;
    const [row] = await this.#ask({ text, values: [id] });
    return row === undefined ? null : this.#record(row);
  }

  async scan(after: string | null, limit: number): Promise<readonly CallRecord[]> {
    const condition = after === null ? "" : "WHERE c.id > ?::VARCHAR";
    const text = `SELECT ${recordColumns} FROM ${bothTables} ${condition} ORDER BY c.id LIMIT ${bounded(limit)}`;
    const records: CallRecord[] = [];
    for (const row of await this.#ask({ text, values: after === null ? [] : [after] })) records.push(await this.#record(row));
    return records;
  }

  async charges(query: ChargesQuery): Promise<ChargesPage> {
    const charges = (await this.#ask(chargesSql(query))).map(toChargeRecord);
    return { charges: charges.slice(0, query.limit), truncated: charges.length > query.limit };
  }

  async charge(id: string): Promise<ChargeRecord | null> {
    const [row] = await this.#ask(chargeSql(id));
    return row === undefined ? null : toChargeRecord(row);
  }

  async runs(query: RunsQuery): Promise<RunsPage> {
    const rows = await this.#ask(runsSql(query));
    const [first = []] = rows;
    const position = rows.length === 0 ? this.#applied : toPosition(first.at(-2), first.at(-1));
    return { runs: rows.slice(0, query.limit).map(toRunRow), truncated: rows.length > query.limit, position };
  }

  async run(id: string, limit: number): Promise<Run | null> {
    const name = wellFormed(id);
    const [[low, high] = []] = await this.#ask(spanSql(name));
    if (low === null || low === undefined) return null;
    const within = inRun(name, Number(low), Number(high));
    const [whole] = await this.#ask(runSql(name, within, false));
    if (whole === undefined) return null;
    const nodes = (await this.#ask(runSql(name, within, true))).map(toRunRow);
    const columns = summaryColumns.map((column) => `c."${column}"`).join(", ");
    const part = (table: string): Sql => sqlOf(`SELECT ${columns} FROM ${table} AS c `, within);
    const order = ` ORDER BY c.startMs, c.id LIMIT ${bounded(limit) + 1}`;
    const calls = (await this.#ask(sqlOf("SELECT * FROM (", part("calls"), " UNION ALL ", part("open"), ") AS c", order))).map(toSummary);
    return { run: { ...toRunRow(whole), task: id }, nodes, calls: calls.slice(0, limit), truncated: calls.length > limit };
  }

  async incidents(query: ChargesQuery): Promise<IncidentsPage> {
    const incidents = (await this.#ask(incidentsSql(query))).map(toIncident);
    return { incidents: incidents.slice(0, query.limit), truncated: incidents.length > query.limit };
  }

  /** Folds the write-ahead log into the file. */
  async checkpoint(): Promise<void> {
    await this.#connection(this.#writer).run("CHECKPOINT");
  }

  async close(): Promise<void> {
    await this.#batch?.close().catch(() => undefined);
    this.#batch = null;
    for (const reader of this.#readers) reader.closeSync();
    this.#readers = [];
    this.#writer?.closeSync();
    this.#instance?.closeSync();
    this.#writer = this.#instance = null;
    await rm(this.#spool, { recursive: true, force: true });
  }

  get #spool(): string {
    return spoolFolder(this.#file);
  }

  /** Reads back what the tables say, after opening and after a batch that failed. */
  async #load(): Promise<void> {
    const writer = this.#connection(this.#writer);
    const [row] = await rowsOf(writer, `SELECT version, segment, "offset" FROM applied`);
    if (row === undefined || row[0] !== schemaVersion)
      throw new PennyworthError("store_failed", { detail: `its layout is version ${String(row?.[0])}, not ${schemaVersion}` });
    this.#applied = this.#prepared = toPosition(row[1], row[2]);
    this.#batch = null;
    this.#open = new Map();
    const positions = (await rowsOf(writer, "SELECT startSegment, startOffset FROM open")).flatMap(([segment, offset]) => {
      const position = toPosition(segment, offset);
      return position === null ? [] : [position];
    });
    const texts = await this.#records.read(positions);
    positions.forEach((position, index) => {
      const entry = decodeEntry(texts[index] as string, position);
      if (entry.kind === "start") this.#open.set(entry.call.id, { start: entry.call, position });
    });
    const [evidence] = await rowsOf(writer, "SELECT count(*) FROM evidence");
    this.#hasEvidence = Number(evidence?.[0]) > 0;
  }

  async #resolve(db: Transaction, batch: Batch): Promise<void> {
    const rows = await applyEvidence(db, this.#records, batch, this.#applied);
    if (batch.observed.length > 0 || batch.repeated.length > 0) this.#hasEvidence = true;
    if (rows.length === 0) return;
    await this.#spooled(rows, async (file) => {
      await db.run(insertFrom("calls"), [file]);
      await addSums(
        db,
        `endText IS NOT NULL AND id IN (SELECT id FROM read_json(?::VARCHAR, format = 'newline_delimited', columns = {id: 'VARCHAR'}))`,
        [file],
      );
    });
  }

  /** Rows in a file that DuckDB reads, for as long as it is used. */
  async #spooled(rows: readonly string[], use: (file: string) => Promise<void>): Promise<void> {
    const file = join(this.#spool, `${this.#files++}.json`);
    await writeRows(file, rows);
    try {
      await use(file);
    } finally {
      await rm(file, { force: true }).catch(() => undefined);
    }
  }

  async #record(row: readonly DuckDBValue[]): Promise<CallRecord> {
    const [id, witness, endText, ...numbers] = row;
    const [startAt, endAt] = positionsOf(numbers);
    const { start, end } = await recordOf(this.#records, startAt, endAt, endText === null ? null : String(endText));
    return { id: String(id), start, end, witnesses: String(witness).split("+") };
  }

  async #ask(sql: Sql): Promise<DuckDBValue[][]> {
    this.#connection(this.#writer);
    const reader = this.#readers.pop() ?? (await new Promise<DuckDBConnection>((resolve) => this.#waiting.push(resolve)));
    try {
      return await rowsOf(reader, sql.text, sql.values);
    } catch (cause) {
      throw new PennyworthError("store_failed", { detail: messageOf(cause) }, cause);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#readers.push(reader);
      else next(reader);
    }
  }

  #connection(connection: DuckDBConnection | null): DuckDBConnection {
    if (connection === null) throw new PennyworthError("store_busy", { detail: "it is closed" });
    return connection;
  }
}

/** Files of batches; beside them DuckDB spills. */
const spooled = /\.json(\.open)?$/;

const setApplied = `UPDATE applied SET segment = ?::BIGINT, "offset" = ?::BIGINT, mark = ?::VARCHAR`;

function markOf(text: string): string {
  return crc32(text).toString(16);
}

async function deleteOpen(writer: DuckDBConnection, ids: readonly string[]): Promise<void> {
  await writer.run(`DELETE FROM open WHERE id IN (SELECT unnest(from_json(?::VARCHAR, '["VARCHAR"]')))`, [
    JSON.stringify(ids.map(wellFormed)),
  ]);
}

async function rowsOf(connection: DuckDBConnection, text: string, values: readonly Value[] = []): Promise<DuckDBValue[][]> {
  return (await connection.runAndReadAll(text, [...values])).getRows();
}

const recordColumns = "id, witness, endText, startSegment, startOffset, endSegment, endOffset";
const bothTables = `(SELECT ${recordColumns} FROM calls UNION ALL SELECT ${recordColumns} FROM open) AS c`;

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
