// The pass of a re-rating over the calls. First, one grouped question finds which models, tiers and days could change at all: where every
// version that was charged is what the book says of that day, no call is looked at. What is left is rated from its row's own lines; calls of
// several parts, presumed ones and those amended since their month was closed are rated from their records. Invariant: whichever way, a call
// is given a correction exactly when rating it anew differs from what stands.

import type { DuckDBConnection, DuckDBResult, DuckDBValue } from "@duckdb/node-api";
import { type Book, createPriceBook } from "../../core/book.ts";
import type { CallEnd, Observation } from "../../core/call.ts";
import { type Charge, type Rating, total } from "../../core/charge.ts";
import type { Rerated } from "../../core/entry.ts";
import { markOf } from "../../core/mark.ts";
import { formatUsd } from "../../core/money.ts";
import type { Tariff } from "../../core/price.ts";
import { findTariff, rate, type RatedCall } from "../../core/rating.ts";
import { isSameRating, rateAnew, ratedCallOf, ratedObservation } from "../../core/rerating.ts";
import type { QuantitySource, UsageClass } from "../../core/usage.ts";
import { dayMs, usageOf } from "../projection.ts";
import type { RerateDay, ReratePage, RerateQuery } from "../rerate.ts";
import type { CallRecord } from "../store.ts";
import { textOf } from "./answer.ts";
import { linesText, markOfRow, picoText, readLines, type RowLine } from "./corrections.ts";
import { earliest, keyOf, saidOf } from "./evidence.ts";
import type { Sql, Value } from "./field.ts";
import { recordColumns, recorded, toRecords } from "./recall.ts";
import type { Crew } from "./crew.ts";
import type { Records } from "./records.ts";

/** Calls of one page: it is given back before the next is looked at. */
const pageCalls = 20_000;
/** Records read together. */
const recordsMax = 5_000;

const groupColumns = ["provider", "modelSent", "model", "tier", "region", "day"] as const;

/**
 * Told by their record alone, or not by the row as it stands: of several parts, of later witnesses alone, with a model that was asked for and
 * none that was sent, or amended since their month was closed.
 */
const isOdd = `(c.plain IS NOT TRUE OR c.startSegment IS NULL OR (c.modelSent IS NULL AND c.modelAsked IS NOT NULL)
  OR c.id IN (SELECT "call" FROM late UNION SELECT "call" FROM bookings))`;

interface Group {
  readonly provider: string;
  readonly modelSent: string | null;
  readonly model: string | null;
  readonly tier: string | null;
  readonly region: string | null;
  readonly day: number;
}

/** A class with the version it was charged at, and whether any of it was used. */
interface GroupLine {
  readonly c: UsageClass | null;
  readonly p: string | null;
  readonly u: boolean | null;
}

interface Sum {
  calls: number;
  priced: number;
  lost: number;
  before: bigint;
  after: bigint;
}

export class RerateJob {
  readonly #connection: DuckDBConnection;
  readonly #crew: Crew;
  readonly #records: Records;
  readonly #query: RerateQuery;
  readonly #book: Book;
  readonly #days = new Map<string, Sum>();
  #stream: DuckDBResult | null = null;
  #left: (readonly DuckDBValue[])[] = [];
  #odd: string[] | null = null;
  #done = 0;
  #total = 0;

  /** @param connection of its own: the pass is one read of what was there when it began. */
  constructor(connection: DuckDBConnection, crew: Crew, records: Records, query: RerateQuery) {
    this.#connection = connection;
    this.#crew = crew;
    this.#records = records;
    this.#query = query;
    this.#book = createPriceBook(query.sources);
  }

  /** The next page, in the order in which the calls are found. @throws what the store throws. */
  next(): Promise<ReratePage> {
    return this.#crew.all(() => this.#next());
  }

  close(): void {
    this.#stream = null;
    this.#connection.closeSync();
  }

  async #next(): Promise<ReratePage> {
    if (this.#odd === null) await this.#begin();
    const calls: Rerated[] = [];
    for (let looked = 0; looked < pageCalls;) {
      if (this.#left.length === 0) {
        const chunk = await this.#stream?.fetchChunk();
        this.#left = chunk === null || chunk === undefined || chunk.rowCount === 0 ? [] : chunk.getRows();
        if (this.#left.length === 0) break;
      }
      for (const row of this.#left) this.#look(row, calls);
      looked += this.#left.length;
      this.#done += this.#left.length;
      this.#left = [];
    }
    if (calls.length > 0 || (this.#stream !== null && !(await this.#isDrained()))) return this.#page(calls, false);
    this.#stream = null;
    const ids = this.#odd?.splice(0, recordsMax) ?? [];
    if (ids.length === 0) return this.#page([], true);
    for (const record of await this.#read(ids)) this.#judge(record, calls);
    this.#done += ids.length;
    return this.#page(calls, false);
  }

  async #isDrained(): Promise<boolean> {
    const chunk = await this.#stream?.fetchChunk();
    this.#left = chunk === null || chunk === undefined ? [] : chunk.getRows();
    return this.#left.length === 0;
  }

  #page(calls: readonly Rerated[], last: boolean): ReratePage {
    return { done: last ? this.#total : Math.min(this.#done, this.#total), total: this.#total, calls, days: last ? this.#sums() : null };
  }

  async #begin(): Promise<void> {
    await this.#connection.run("BEGIN TRANSACTION READ ONLY");
    const span = this.#where();
    const [count] = await this.#rows(`SELECT count(*) FROM calls AS c WHERE ${span.text}`, span.values);
    this.#total = Number(count?.[0] ?? 0);
    const odd = await this.#rows(
      `SELECT id FROM calls AS c WHERE ${span.text} AND c.source IS NOT NULL AND ${isOdd}
        UNION ALL SELECT id FROM open AS c WHERE ${span.text} AND c.id IN (SELECT "call" FROM late WHERE endText IS NOT NULL)`,
      [...span.values, ...span.values],
    );
    this.#odd = odd.map(([id]) => String(id));
    await this.#findSuspects(span);
    const columns = groupColumns.map((name) => `c."${name}"`).join(", ");
    const same = groupColumns.map((name) => `c."${name}" IS NOT DISTINCT FROM s."${name}"`).join(" AND ");
    const suspected = `FROM calls AS c WHERE ${span.text} AND NOT ${isOdd} AND EXISTS (FROM suspects AS s WHERE ${same})`;
    const [found] = await this.#rows(`SELECT count(*) ${suspected}`, span.values);
    this.#done = Math.max(0, this.#total - Number(found?.[0] ?? 0) - this.#odd.length);
    this.#stream = await this.#connection.stream(
      `SELECT c.id, c.startMs, ${columns}, c.source, ${picoText(`c."cost"`)}, c.unpriced, c.mark, ${linesText} ${suspected}`,
      [...span.values],
    );
  }

  /** Groups of plain calls that the book may price otherwise than they are, in a temporary table. */
  async #findSuspects(span: Sql): Promise<void> {
    const columns = groupColumns.map((name) => `"${name}"`).join(", ");
    const groups = await this.#rows(
      `WITH l AS (SELECT ${groupColumns.map((name) => `c."${name}"`).join(", ")}, unnest(c.lines) AS line FROM calls AS c WHERE ${span.text} AND NOT ${isOdd}),
        g AS (SELECT ${columns}, line."class" AS name, line.price AS price, bool_or(line.quantity > 0) AS used FROM l GROUP BY ALL)
       SELECT ${columns}, to_json(list({'c': name, 'p': price, 'u': used}))::VARCHAR FROM g GROUP BY ALL`,
      span.values,
    );
    const suspects = groups.flatMap(([provider, modelSent, model, tier, region, day, written]) => {
      const group: Group = {
        provider: String(provider),
        modelSent: textOf(modelSent),
        model: textOf(model),
        tier: textOf(tier),
        region: textOf(region),
        day: Number(day),
      };
      return this.#mayChange(group, JSON.parse(String(written)) as GroupLine[]) ? [group] : [];
    });
    await this.#connection.run(
      `CREATE TEMP TABLE suspects AS SELECT e.* FROM (SELECT unnest(from_json(?::VARCHAR,
        '[{"provider":"VARCHAR","modelSent":"VARCHAR","model":"VARCHAR","tier":"VARCHAR","region":"VARCHAR","day":"INTEGER"}]')) AS e)`,
      [JSON.stringify(suspects)],
    );
  }

  /** Whether a class of some call of that day may come to something else: `lines` are its classes with the versions they were charged at. */
  #mayChange(group: Group, lines: readonly GroupLine[]): boolean {
    const tariffs = this.#tariffs(group);
    const [tariff] = tariffs;
    // Several of one day: each call has to be looked at.
    if (tariffs.length > 1 || tariff === undefined) return true;
    if (tariff === null) return lines.some(({ p }) => p !== null);
    if (tariff.minimum !== null || Object.keys(tariff.terms).length > 0) return true;
    if (tariff.prices.request !== undefined && !lines.some(({ c, p }) => c === "request" && p !== null)) return true;
    return lines.some(({ c, p, u }) => {
      if (c === null || (p === null && u !== true)) return false;
      const steps = tariff.prices[c];
      return p === null ? steps !== undefined : !(steps ?? []).some((step) => step.price === p);
    });
  }

  /** Those that may hold on the group's day; none: it cannot be told without the hour. */
  #tariffs({ provider, modelSent, model, tier, region, day }: Group): readonly (Tariff | null)[] {
    const [fromMs, toMs] = [day * dayMs, (day + 1) * dayMs];
    const moments = new Set([fromMs]);
    for (const name of new Set([model, modelSent])) {
      const slices = name === null ? null : this.#book.slices({ provider, model: name, tier, region });
      for (const slice of slices ?? []) {
        if (slice.toMs <= fromMs || slice.fromMs >= toMs) continue;
        if (slice.window !== null) return [];
        for (const atMs of [slice.fromMs, slice.toMs]) if (atMs > fromMs && atMs < toMs) moments.add(atMs);
      }
    }
    const call = { provider, modelAsked: modelSent, modelAnswered: model, tier, region };
    return [...new Set([...moments].map((atMs) => findTariff(this.#book, { ...call, atMs }, null)))];
  }

  #look(row: readonly DuckDBValue[], calls: Rerated[]): void {
    const [id, startMs, provider, modelSent, model, tier, region, day, source, cost, unpriced, mark, text] = row;
    const lines = readLines(String(text));
    const from = String(source) as QuantitySource;
    const call: RatedCall = {
      provider: String(provider),
      modelAsked: textOf(modelSent),
      modelAnswered: textOf(model),
      tier: textOf(tier),
      region: textOf(region),
      atMs: Number(startMs),
    };
    const rating = rate(this.#book, call, usageOf(from, lines));
    if (isAsBefore(lines, unpriced === true, rating)) return;
    const of = mark === null || mark === undefined ? markOfRow(from, lines) : String(mark);
    calls.push({ call: String(id), of, charges: rating.charges, unpriced: rating.unpriced });
    const before = cost === null || cost === undefined ? 0n : BigInt(String(cost));
    this.#add({ provider: call.provider, model: call.modelAnswered, day: Number(day) }, before, unpriced === true, rating);
  }

  #judge({ id, start, end, original }: CallRecord, calls: Rerated[]): void {
    if (end === null) return;
    const { provider = "unknown", seenMs = end.endMs } = this.#circumstances.get(id) ?? {};
    const call =
      start === null
        ? ratedObservation({ provider, startMs: seenMs }, end, this.#query.regions[provider] ?? null)
        : ratedCallOf(start, end);
    const rating = rateAnew(this.#book, call, start, end);
    if (rating === null || isSameRating(rating, end)) return;
    const first: Pick<CallEnd, "usage" | "charges"> = { usage: end.usage, charges: original?.charges ?? end.charges };
    calls.push({ call: id, of: markOf(first), charges: rating.charges, unpriced: rating.unpriced });
    const at = start?.startMs ?? seenMs;
    this.#add(
      { provider: call.provider, model: end.modelAnswered ?? call.modelAsked, day: Math.floor(at / dayMs) },
      total(end.charges),
      end.unpriced.length > 0,
      rating,
    );
  }

  /** Of calls that only later witnesses saw: whose they are, and when they began, as the earliest of what was seen says: the row may count later. */
  readonly #circumstances = new Map<string, { readonly provider: string; readonly seenMs: number }>();

  async #read(ids: readonly string[]): Promise<CallRecord[]> {
    const wanted = `SELECT unnest(from_json(?::VARCHAR, '["VARCHAR"]'))`;
    const values = [JSON.stringify(ids)];
    const rows = await this.#rows(
      `SELECT ${recordColumns} FROM ${recorded} WHERE c.id IN (${wanted}) ORDER BY c.endSegment, c.endOffset`,
      values,
    );
    const db = { rows: (text: string, given: readonly Value[]) => this.#rows(text, given) };
    const records = await toRecords(db, this.#records, rows);
    this.#circumstances.clear();
    const unstarted = new Map(records.flatMap(({ id, start, end }) => (start === null && end !== null ? [[id, end]] : [])));
    if (unstarted.size === 0) return records;
    const providers = await this.#rows(`SELECT id, provider FROM calls WHERE id IN (${wanted})`, [JSON.stringify([...unstarted.keys()])]);
    const seen = new Map<string, Observation[]>();
    for (const said of await saidOf(
      db,
      [...unstarted.values()].flatMap(({ responseId }) => responseId ?? []),
      [],
    ))
      if (said.kind === "observation") seen.set(said.key, [...(seen.get(said.key) ?? []), said.observation]);
    for (const [name, of] of providers) {
      const [id, provider] = [String(name), String(of)];
      const { endMs = 0, responseId = null } = unstarted.get(id) ?? {};
      const first = responseId === null ? null : earliest(seen.get(keyOf(provider, responseId)) ?? []);
      this.#circumstances.set(id, { provider, seenMs: first?.startMs ?? endMs });
    }
    return records;
  }

  #add(
    of: { readonly provider: string; readonly model: string | null; readonly day: number },
    before: bigint,
    wasUnpriced: boolean,
    after: Rating,
  ): void {
    const key = JSON.stringify([of.provider, of.model, of.day]);
    const sum = this.#days.get(key) ?? { calls: 0, priced: 0, lost: 0, before: 0n, after: 0n };
    this.#days.set(key, sum);
    sum.calls += 1;
    if (wasUnpriced && after.unpriced.length === 0) sum.priced += 1;
    if (!wasUnpriced && after.unpriced.length > 0) sum.lost += 1;
    sum.before += before;
    sum.after += total(after.charges);
  }

  #sums(): RerateDay[] {
    return [...this.#days]
      .map(([key, { before, after, ...counts }]) => {
        const [provider, model, day] = JSON.parse(key) as [string, string | null, number];
        const iso = new Date(day * dayMs).toISOString().slice(0, 10);
        return { provider, model, day: iso, ...counts, before: formatUsd(before), after: formatUsd(after) };
      })
      .toSorted((a, b) => compare(a.day, b.day) || compare(a.provider, b.provider) || compare(a.model ?? "", b.model ?? ""));
  }

  #where(): Sql {
    const { sinceMs, untilMs, provider, model } = this.#query;
    const parts = ["true"];
    const values: Value[] = [];
    const add = (text: string, value: Value | null): void => {
      if (value === null) return;
      parts.push(text);
      values.push(value);
    };
    add("c.startMs >= ?::BIGINT", sinceMs);
    add("c.startMs < ?::BIGINT", untilMs);
    add("c.provider = ?::VARCHAR", provider);
    add("c.model = ?::VARCHAR", model);
    return { text: parts.join(" AND "), values };
  }

  async #rows(text: string, values: readonly Value[]): Promise<DuckDBValue[][]> {
    return (await this.#connection.runAndReadAll(text, [...values])).getRows();
  }
}

/** Whether a row's lines are what rating the call anew gives, in whatever order. */
function isAsBefore(lines: readonly RowLine[], wasUnpriced: boolean, { charges, unpriced }: Rating): boolean {
  if (wasUnpriced !== unpriced.length > 0) return false;
  const before = lines.filter(({ class: name, price }) => name !== null && price !== null);
  if (before.length !== charges.length) return false;
  if (before.every((line, index) => isSame(line, charges[index] as Charge))) return true;
  const left = [...charges];
  return before.every((line) => {
    const at = left.findIndex((charge) => isSame(line, charge));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isSame(line: RowLine, charge: Charge): boolean {
  return (
    line.class === charge.class && line.price === charge.price && line.quantity === charge.quantity && line.pico === String(charge.costPico)
  );
}
