// The store in a DuckDB file. It runs in the store's own process (child.ts), since DuckDB's threads are its process's.
// Not here: following the journal, SQL of questions. Invariant: rows and the position they reflect are committed together, so that a
// replay after any crash neither loses nor doubles a call.

import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from "@duckdb/node-api";
import type { Entry, Position } from "../../core/entry.ts";
import { type Closed, closeAfter } from "../../core/month.ts";
import type { Outcome } from "../../core/outcome.ts";
import { PennyworthError } from "../../error.ts";
import { encodeEntry } from "../codec.ts";
import type { Store } from "../contract.ts";
import type {
  CallRecord,
  BusyPage,
  BusyQuery,
  ChargeRecord,
  ChargesPage,
  ChargesQuery,
  CallsPage,
  CallsQuery,
  IncidentsPage,
  Report,
  ReportQuery,
  Rework,
  Run,
  RunsPage,
  RunsQuery,
  Span,
  SuccessPage,
  SuccessQuery,
  Totals,
  UnpricedPage,
  UnpricedQuery,
} from "../store.ts";
import type { DriverSums, DriversQuery } from "../drivers.ts";
import type { FindQuery, Found, Said, SaidQuery } from "../find.ts";
import type { WaitingPage } from "../waiting.ts";
import type { RerateQuery } from "../rerate.ts";
import type { MarginQuery, MarginSums, RevenuePage, RevenueQuery } from "../margin.ts";
import type { ShapePage, ShapeQuery } from "../shape.ts";
import type { Trend, TrendQuery } from "../trend.ts";
import type { TrialsPage, TrialsQuery } from "../trials.ts";
import type { OddsPage, OddsQuery, TriesPage, TriesQuery } from "../tries.ts";
import { toReport } from "./answer.ts";
import { Batch, type Line, type OpenCall, writeRows } from "./batch.ts";
import { markOf, messageOf, readState, setApplied } from "./applied.ts";
import { commitBatch, type Kinds } from "./commit.ts";
import { driversOf } from "./drivers.ts";
import { callsSql, toPage } from "./calls.ts";
import { toPosition } from "./evidence.ts";
import { bookingsSql, chargeSql, chargesOfSql, chargesSql, namedSql, toBooking, toChargeRecord } from "./periods.ts";
import type { Sql } from "./field.ts";
import { findSql, toFound } from "./find.ts";
import { toWaiting, waitingSql } from "./waiting.ts";
import { marginOf } from "./margin.ts";
import { revenuesSql, toRevenues } from "./revenue.ts";
import { incidentsSql, toIncident } from "./incidents.ts";
import { saidSql, statementsSql, toOutcomes, toSaid } from "./outcomes.ts";
import { bounded, isSmall, reportSql } from "./query.ts";
import { reworkSql, toRework } from "./rework.ts";
import { spoolFolder } from "./place.ts";
import { recordColumns, recorded, toRecords } from "./recall.ts";
import { Readers } from "./readers.ts";
import { Crew } from "./crew.ts";
import type { Records } from "./records.ts";
import { RerateJob } from "./rerate.ts";
import { schema } from "./schema.ts";
import { shapeSql, toShape } from "./shape.ts";
import { runOf, runsSql, toEndedRun } from "./runs.ts";
import { successSql, toSuccess } from "./success.ts";
import { rowsOf, type Spool, transactionOf } from "./transaction.ts";
import { busySql, openSql, toBusy } from "./busy.ts";
import { totalsSql, toTotals } from "./totals.ts";
import { toTrend, trendSql } from "./trend.ts";
import { oddsOf } from "./odds.ts";
import { toTrials, trialsSql } from "./trials.ts";
import { triesOf } from "./tries.ts";
import { toUnpriced, unpricedSql } from "./unpriced.ts";
import { type DuckDBOptions, defaultOptions } from "./wire.ts";

export class DuckDBStore implements Store {
  readonly #file: string;
  readonly #records: Records;
  readonly #options: DuckDBOptions;
  #instance: DuckDBInstance | null = null;
  #writer: DuckDBConnection | null = null;
  #readers: Readers | null = null;
  #crew: Crew | null = null;
  #applied: Position | null = null;
  /** Up to where batches were prepared: at or after `#applied`. */
  #prepared: Position | null = null;
  /** The last one is being made; all before it end with a month's closing. */
  #batches: Batch[] = [];
  #files = 0;
  #some: Kinds = { evidence: false, corrections: false, links: false, parts: false };
  /** Up to where the books are closed, after the batches that were prepared. */
  #books: Closed | null = null;
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
        threads: "1",
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
      this.#readers = await Readers.open(this.#instance);
      this.#crew = new Crew(await this.#instance.connect(), this.#options.threads);
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
    await this.#letGo();
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
      for (let from = 0; from < lines.length;) {
        let batch = this.#batches.at(-1);
        if (batch === undefined || batch.closing !== null) {
          if (batch?.closing) this.#books = closeAfter(this.#books, batch.closing);
          batch = new Batch(join(this.#spool, `${this.#files++}.json`), this.#books);
          this.#batches.push(batch);
        }
        from = await batch.add(lines, from, this.#prepared, this.#open);
        this.#prepared = batch.last?.position ?? this.#prepared;
      }
      return this.#batches.reduce((count, batch) => count + batch.entries, 0);
    });
  }

  /** Finishes what is being made, so that it can be committed while more is made. null when there is nothing in it. */
  seal(): Promise<readonly Batch[] | null> {
    return this.#step(async () => {
      const batches = this.#batches;
      this.#batches = [];
      const last = batches.at(-1)?.closing;
      if (last) this.#books = closeAfter(this.#books, last);
      for (const batch of batches) await batch.seal();
      const made = batches.filter(({ entries }) => entries > 0);
      return made.length === 0 ? null : made;
    });
  }

  /** Commits batches in the order they were made. After a failure all that is behind `applied` must be made anew. */
  commit(batches: readonly Batch[]): Promise<void> {
    return this.#step(async () => {
      for (const batch of batches)
        await (batch.entries < largeBatch ? this.#commit(batch) : (this.#crew as Crew).all(() => this.#commit(batch)));
    });
  }

  async #commit(batch: Batch): Promise<void> {
    const writer = this.#connection(this.#writer);
    const { last } = batch;
    if (last === null) return;
    let some = this.#some;
    try {
      await writer.run("BEGIN");
      const spool: Spool = (rows, use) => this.#spooled(rows, use);
      some = await commitBatch(transactionOf(writer), this.#records, batch, this.#applied, spool, some);
      const { segment, offset } = last.position;
      await writer.run(setApplied, [segment, offset, markOf(last.text)]);
      await writer.run("COMMIT");
    } catch (cause) {
      await writer.run("ROLLBACK").catch(() => undefined);
      throw new PennyworthError("store_failed", { detail: `a batch could not be written: ${messageOf(cause)}` }, cause);
    }
    this.#applied = last.position;
    this.#some = some;
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
    const sql = reportSql(query);
    return toReport(await (isSmall(query) ? this.#ask(sql) : this.#askAll(sql)), query);
  }

  async totals(spans: readonly Span[]): Promise<Totals> {
    return toTotals(await this.#ask(totalsSql(spans)), spans);
  }

  async calls(query: CallsQuery): Promise<CallsPage> {
    return toPage(await this.#ask(callsSql(query)), query);
  }

  async call(id: string): Promise<CallRecord | null> {
    const text = `SELECT ${recordColumns} FROM ${recorded} WHERE c.id = ?::VARCHAR`;
    return (await this.#recall(await this.#ask({ text, values: [id] })))[0] ?? null;
  }

  async scan(after: string | null, limit: number): Promise<readonly CallRecord[]> {
    const condition = after === null ? "" : "WHERE c.id > ?::VARCHAR";
    const text = `SELECT ${recordColumns} FROM ${recorded} ${condition} ORDER BY c.id LIMIT ${bounded(limit)}`;
    return this.#recall(await this.#ask({ text, values: after === null ? [] : [after] }));
  }

  async charges(query: ChargesQuery): Promise<ChargesPage> {
    const charges = (await this.#ask(chargesSql(query))).map(toChargeRecord);
    const bookings = (await this.#ask(bookingsSql(query))).map(toBooking);
    const truncated = charges.length > query.limit || bookings.length > query.limit;
    return { charges: charges.slice(0, query.limit), bookings: bookings.slice(0, query.limit), truncated };
  }

  async charge(id: string): Promise<ChargeRecord | null> {
    const [row] = await this.#ask(chargeSql(id));
    return row === undefined ? null : toChargeRecord(row);
  }

  async runs(query: RunsQuery): Promise<RunsPage> {
    const rows = await this.#askAll(runsSql(query));
    const [first = []] = rows;
    const position = rows.length === 0 ? this.#applied : toPosition(first.at(-2), first.at(-1));
    return { runs: rows.slice(0, query.limit).map(toEndedRun), truncated: rows.length > query.limit, position };
  }

  run(id: string, limit: number): Promise<Run | null> {
    return runOf((sql) => this.#ask(sql), id, limit);
  }

  async success(query: SuccessQuery): Promise<SuccessPage> {
    return toSuccess(await this.#askAll(successSql(query)), query);
  }

  drivers(query: DriversQuery): Promise<DriverSums> {
    return this.#readAll((readers) => readers.together((ask) => driversOf(query, ask)));
  }

  async trials(query: TrialsQuery): Promise<TrialsPage> {
    return toTrials(await this.#askAll(trialsSql(query)));
  }

  tries(query: TriesQuery): Promise<TriesPage> {
    return this.#readAll((readers) => readers.together((ask) => triesOf(query, ask)));
  }

  odds(query: OddsQuery): Promise<OddsPage> {
    return this.#readAll((readers) => readers.together((ask) => oddsOf(query, ask)));
  }

  async shape(query: ShapeQuery): Promise<ShapePage> {
    return toShape(await this.#askAll(shapeSql(query)));
  }

  async revenue(query: RevenueQuery): Promise<RevenuePage> {
    return toRevenues(await this.#askAll(revenuesSql(query)), query.limit);
  }

  margin(query: MarginQuery): Promise<MarginSums> {
    return marginOf(query, (sql) => this.#askAll(sql));
  }

  async rework(task: string): Promise<Rework> {
    return toRework(await this.#ask(reworkSql(task)));
  }

  async outcomes(task: string): Promise<readonly Outcome[]> {
    return toOutcomes(await this.#ask(statementsSql(task)));
  }

  async said(query: SaidQuery): Promise<Said> {
    return toSaid(await this.#ask(saidSql(query)), this.#records);
  }

  async waiting(limit: number): Promise<WaitingPage> {
    return toWaiting(await this.#ask(waitingSql(limit)), limit);
  }

  async find(query: FindQuery): Promise<Found> {
    return toFound(await this.#ask(findSql(query)));
  }

  async chargesOf(ids: readonly string[]): Promise<readonly ChargeRecord[]> {
    return (await this.#ask(chargesOfSql(ids))).map(toChargeRecord);
  }

  async incidents(query: ChargesQuery): Promise<IncidentsPage> {
    const incidents = (await this.#ask(incidentsSql(query))).map(toIncident);
    return { incidents: incidents.slice(0, query.limit), truncated: incidents.length > query.limit };
  }

  async unpriced(query: UnpricedQuery): Promise<UnpricedPage> {
    const rows = toUnpriced(await this.#askAll(unpricedSql(query)));
    return { rows: rows.slice(0, query.limit), truncated: rows.length > query.limit };
  }

  async trend(query: TrendQuery): Promise<Trend> {
    const rows = await this.#askAll(trendSql(query));
    return { ...toTrend(rows.slice(0, query.limit), query.by), truncated: rows.length > query.limit };
  }

  async busy(query: BusyQuery): Promise<BusyPage> {
    const [rows, [open]] = await Promise.all([this.#askAll(busySql(query)), this.#ask(openSql(query))]);
    return toBusy(query, rows, open?.[0]);
  }

  async chargesNamed(prefix: string, limit: number): Promise<readonly ChargeRecord[]> {
    return (await this.#ask(namedSql(prefix, limit))).map(toChargeRecord);
  }

  /** A pass over the calls as they are now. */
  async rerate(query: RerateQuery): Promise<RerateJob> {
    this.#connection(this.#writer);
    return new RerateJob(await (this.#instance as DuckDBInstance).connect(), this.#crew as Crew, this.#records, query);
  }

  /** Folds the write-ahead log into the file. */
  async checkpoint(): Promise<void> {
    await this.#connection(this.#writer).run("CHECKPOINT");
  }

  async close(): Promise<void> {
    await this.#letGo();
    this.#readers?.close();
    await this.#crew?.close();
    this.#writer?.closeSync();
    this.#instance?.closeSync();
    this.#writer = this.#instance = this.#readers = this.#crew = null;
    await rm(this.#spool, { recursive: true, force: true });
  }

  get #spool(): string {
    return spoolFolder(this.#file);
  }

  /** Reads back what the tables say, after opening and after a batch that failed. */
  async #load(): Promise<void> {
    const { applied, open, some, books } = await readState(this.#connection(this.#writer), this.#records);
    this.#applied = this.#prepared = applied;
    this.#batches = [];
    this.#open = open;
    this.#some = some;
    this.#books = books;
  }

  async #letGo(): Promise<void> {
    for (const batch of this.#batches) await batch.close().catch(() => undefined);
    this.#batches = [];
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

  #recall(rows: readonly (readonly DuckDBValue[])[]): Promise<CallRecord[]> {
    return toRecords({ rows: (text, values) => this.#ask({ text, values }) }, this.#records, rows);
  }

  #ask(sql: Sql): Promise<DuckDBValue[][]> {
    return this.#read((readers) => readers.rows(sql.text, sql.values));
  }

  /** With all threads. */
  #askAll(sql: Sql): Promise<DuckDBValue[][]> {
    return this.#readAll((readers) => readers.rows(sql.text, sql.values));
  }

  #readAll<T>(use: (readers: Readers) => Promise<T>): Promise<T> {
    return this.#read((readers) => (this.#crew as Crew).all(() => use(readers)));
  }

  async #read<T>(use: (readers: Readers) => Promise<T>): Promise<T> {
    this.#connection(this.#writer);
    try {
      return await use(this.#readers as Readers);
    } catch (cause) {
      throw cause instanceof PennyworthError ? cause : new PennyworthError("store_failed", { detail: messageOf(cause) }, cause);
    }
  }

  #connection(connection: DuckDBConnection | null): DuckDBConnection {
    if (connection === null) throw new PennyworthError("store_busy", { detail: "it is closed" });
    return connection;
  }
}

/** Entries from which on a batch is worth more than one thread. */
const largeBatch = 1_000;
/** Files of batches; beside them DuckDB spills. */
const spooled = /\.json(\.open)?$/;
