// Corrections in the tables: what re-ratings said replaces the charges of the rows they name, whole sets at a time. Not here: calls of a
// closed month (late.ts), and which correction holds (core/resolve.ts). Invariant: rows are what resolving the call with all its corrections
// gives, however the journal was cut into batches; sums and cuts follow.

import type { DuckDBValue } from "@duckdb/node-api";
import type { CallEnd } from "../../core/call.ts";
import type { Position, Rerated } from "../../core/entry.ts";
import { markOf, markOfLines, type Used } from "../../core/mark.ts";
import { type Correction, inForce } from "../../core/resolve.ts";
import type { QuantitySource, UsageClass } from "../../core/usage.ts";
import { decodeEntry } from "../codec.ts";
import { resentCostOf } from "../again.ts";
import { amountsOf, type Line, usageOf } from "../projection.ts";
import { type Batch, wellFormed, writeLine } from "./batch.ts";
import { endedAfter, endedAfterValues, json, list, positionsOf, recordsOf } from "./evidence.ts";
import type { Records } from "./records.ts";
import { columns } from "./schema.ts";
import { addSums } from "./sums.ts";
import { type Spool, spooled, type Transaction } from "./transaction.ts";

/** A correction in the journal: the entry it stands in. */
export interface Placed extends Pick<Correction, "of" | "rerate" | "atMs"> {
  readonly call: string;
  readonly at: Position;
}

/**
 * Takes in a batch's corrections, and puts those on record on rows that are new in it. `some`: whether the table has any already; `resolved`:
 * whether evidence made rows anew. @returns whether the table has any now.
 */
export async function applyCorrections(
  db: Transaction,
  records: Records,
  batch: Batch,
  applied: Position | null,
  spool: Spool,
  some: boolean,
  resolved: boolean,
): Promise<boolean> {
  const said = new Map<string, Correction[]>();
  const rows: string[] = [];
  for (const { rerate, atMs, calls, position } of batch.rerated)
    for (const { call, ...rest } of calls) {
      const id = wellFormed(call);
      const known = said.get(id);
      const correction = { ...rest, rerate, atMs };
      if (known === undefined) said.set(id, [correction]);
      else known.push(correction);
      rows.push(
        `${JSON.stringify({ call: id, of: rest.of, rerate: wellFormed(rerate), atMs, segment: position.segment, offset: position.offset })}\n`,
      );
    }
  const isNew = resolved ? `(endText IS NOT NULL OR ${endedAfter})` : endedAfter;
  const fresh = some
    ? await db.rows(
        `SELECT id FROM calls WHERE mark IS NULL AND ${isNew} AND id IN (SELECT "call" FROM corrections)`,
        endedAfterValues(applied),
      )
    : [];
  if (rows.length === 0 && fresh.length === 0) return some;
  await db.run(`CREATE TEMP TABLE named (id VARCHAR)`, []);
  if (rows.length > 0)
    await spool(rows, async (file) => {
      await db.run(`INSERT INTO corrections SELECT * FROM ${readCorrections}`, [file]);
      await db.run(`INSERT INTO named SELECT DISTINCT "call" FROM ${readCorrections}`, [file]);
    });
  if (fresh.length > 0)
    await db.run(`INSERT INTO named SELECT id FROM (${list} AS id) WHERE id NOT IN (SELECT id FROM named)`, [
      json(fresh.map(([id]) => String(id))),
    ]);
  await db.run(`CREATE TEMP TABLE touched AS SELECT * FROM calls WHERE startMs >= ?::BIGINT AND id IN (SELECT id FROM named)`, [
    batch.books?.untilMs ?? 0,
  ]);
  await amendTouched(db, records, said, spool);
  await db.run("DROP TABLE touched", []);
  await db.run("DROP TABLE named", []);
  return true;
}

const readCorrections = spooled({
  call: "VARCHAR",
  of: "VARCHAR",
  rerate: "VARCHAR",
  atMs: "BIGINT",
  segment: "INTEGER",
  offset: "BIGINT",
});

/** A decimal of dollars with twelve places as digits of picodollars; none are 0. */
export const picoText = (column: string): string => `ltrim(replace(${column}::VARCHAR, '.', ''), '0')`;

/** Lines as text: a decimal is no float on its way. */
export const linesText = `to_json(list_transform(lines, l -> {'c': l."class", 'q': l.quantity, 's': l.source, 'p': l.price, 'd': ${picoText(`l."cost"`)}}))::VARCHAR`;

interface WrittenLine {
  readonly c: UsageClass | null;
  readonly q: number | null;
  readonly s: QuantitySource | null;
  readonly p: string | null;
  readonly d: string | null;
}

/** What a row's own line says. */
export interface RowLine extends Pick<Line, "class" | "quantity" | "source" | "price"> {
  /** Digits of picodollars; null: no price. */
  readonly pico: string | null;
}

export function readLines(text: string): RowLine[] {
  return (JSON.parse(text) as WrittenLine[]).map(({ c, q, s, p, d }) => ({
    class: c,
    quantity: q,
    source: s,
    price: p,
    pico: d === "" ? "0" : d,
  }));
}

/** The mark of the end that a plain row without corrections was made from. */
export function markOfRow(source: QuantitySource, lines: readonly RowLine[]): string {
  const used: Used[] = [];
  for (const { class: name, quantity, price, pico } of lines)
    if (name !== null) used.push({ class: name, quantity: quantity ?? 0, price, costPico: pico });
  return markOfLines(source, used);
}

async function amendTouched(
  db: Transaction,
  records: Records,
  said: ReadonlyMap<string, readonly Correction[]>,
  spool: Spool,
): Promise<void> {
  const touched = await db.rows(
    // What the provider says a call cost is in its record alone, and is compared with what it costs when that is known.
    `SELECT id, source, mark, plain AND disputed IS NULL AND NOT unpriced, ${linesText}, resentTokens, endText, startSegment, startOffset, endSegment, endOffset FROM touched`,
    [],
  );
  if (touched.length === 0) return;
  const placed = await placedCorrections(db, `SELECT id FROM touched`, []);
  const odd = touched.filter(([, , , plain]) => plain !== true);
  const ends = new Map<string, CallEnd | null>();
  const read = await recordsOf(records, odd.map(placeOf));
  odd.forEach(([id], index) => ends.set(String(id), read[index]?.end ?? null));

  const changes: {
    readonly id: string;
    readonly mark: string;
    readonly held: Placed;
    readonly base: Base;
    readonly resent: number | null;
  }[] = [];
  for (const [id, source, mark, plain, lines, resentTokens] of touched) {
    const all = placed.get(String(id)) ?? [];
    const end = ends.get(String(id)) ?? null;
    if (plain !== true && end === null) continue;
    const written = readLines(String(lines));
    const base: Base = plain === true ? { source: String(source) as QuantitySource, lines: written } : { end: end as CallEnd };
    const own = mark === null ? ("end" in base ? markOf(base.end) : markOfRow(base.source, base.lines)) : String(mark);
    const held = inForce(all, own);
    // Of a row that was corrected before, only what came now can change anything.
    if (held === null || (mark !== null && !isAmong(said.get(String(id)), held))) continue;
    const resent = resentTokens === null || resentTokens === undefined ? null : Number(resentTokens);
    changes.push({ id: String(id), mark: own, held, base, resent });
  }
  const told = await contentsOf(
    records,
    changes.map(({ held }) => held),
    said,
  );
  const rows = changes.map(({ id, mark, base, resent }, index) =>
    writeAmended(id, mark, base, told[index] as Pick<Correction, "charges" | "unpriced">, resent),
  );
  if (rows.length === 0) return;
  await spool(rows, (file) => db.run(createAmended, [file]));
  await addSums(db, "id IN (SELECT id FROM amended)", [], -1, "touched");
  await addSums(db, "true", [], 1, "amended");
  await db.run("DELETE FROM calls WHERE id IN (SELECT id FROM amended)", []);
  await db.run("INSERT INTO calls SELECT * FROM amended", []);
  await db.run("DROP TABLE amended", []);
}

type Base = { readonly end: CallEnd } | { readonly source: QuantitySource; readonly lines: readonly RowLine[] };

const amended = {
  id: "VARCHAR",
  cost: columns.cost,
  unpriced: columns.unpriced,
  disputed: columns.disputed,
  resentCost: columns.resentCost,
  mark: columns.mark,
  lines: columns.lines,
};
const createAmended = `CREATE TEMP TABLE amended AS SELECT t.* REPLACE (a."cost" AS "cost", a.unpriced AS unpriced, a.disputed AS disputed,
  a.resentCost AS resentCost, a.lines AS lines, a.mark AS mark) FROM touched AS t JOIN ${spooled(amended)} AS a ON t.id = a.id`;

function writeAmended(
  id: string,
  mark: string,
  base: Base,
  rating: Pick<Correction, "charges" | "unpriced">,
  resentTokens: number | null,
): string {
  const before = "end" in base ? base.end : { usage: usageOf(base.source, base.lines) };
  const { cost, unpriced, disputed, lines } = amountsOf({ ...before, charges: rating.charges, unpriced: rating.unpriced });
  const resentCost = resentCostOf(rating.charges, resentTokens);
  const amounts = JSON.stringify({ id, cost, unpriced, disputed, resentCost, mark });
  return `${amounts.slice(0, -1)},"lines":[${lines.map(writeLine).join(",")}]}\n`;
}

/** Every correction of some calls, by call; `calls`: a question for their ids. */
export async function placedCorrections(
  db: Pick<Transaction, "rows">,
  calls: string,
  values: readonly string[],
): Promise<Map<string, Placed[]>> {
  const rows = await db.rows(
    `SELECT DISTINCT "call", "of", rerate, atMs, segment, "offset" FROM corrections WHERE "call" IN (${calls}) ORDER BY atMs, rerate, segment, "offset"`,
    values,
  );
  const placed = new Map<string, Placed[]>();
  for (const [call, of, rerate, atMs, segment, offset] of rows) {
    const one: Placed = {
      call: String(call),
      of: String(of),
      rerate: String(rerate),
      atMs: Number(atMs),
      at: { segment: Number(segment), offset: Number(offset) },
    };
    const known = placed.get(one.call);
    if (known === undefined) placed.set(one.call, [one]);
    else known.push(one);
  }
  return placed;
}

/** What corrections say, from the batch at hand or from the journal, whose entries are each read once. */
export async function contentsOf(
  records: Records,
  placed: readonly Placed[],
  said: ReadonlyMap<string, readonly Correction[]> = new Map(),
): Promise<readonly Correction[]> {
  const found = placed.map((one) => said.get(one.call)?.find((other) => isSame(one, other)) ?? null);
  const missing = placed.filter((_, index) => found[index] === null);
  const entries = new Map<string, ReadonlyMap<string, Rerated>>();
  for (const { at } of missing) {
    const key = `${at.segment}:${at.offset}`;
    if (entries.has(key)) continue;
    const [text = ""] = await records.read([at]);
    const entry = decodeEntry(text, at);
    entries.set(key, new Map(entry.kind === "rerated" ? entry.calls.map((call) => [`${wellFormed(call.call)} ${call.of}`, call]) : []));
  }
  return placed.map(({ call, of, rerate, atMs, at }, index) => {
    const read = found[index] ?? entries.get(`${at.segment}:${at.offset}`)?.get(`${call} ${of}`);
    return { of, rerate, atMs, charges: read?.charges ?? [], unpriced: read?.unpriced ?? [] };
  });
}

function isAmong(corrections: readonly Correction[] | undefined, one: Placed): boolean {
  return corrections?.some((other) => isSame(one, other)) === true;
}

function isSame(a: Pick<Correction, "of" | "rerate" | "atMs">, b: Pick<Correction, "of" | "rerate" | "atMs">): boolean {
  return a.of === b.of && a.rerate === b.rerate && a.atMs === b.atMs;
}

function placeOf([, , , , , , endText, ...numbers]: readonly DuckDBValue[]): {
  readonly startAt: Position | null;
  readonly endAt: Position | null;
  readonly endText: string | null;
} {
  const [startAt, endAt] = positionsOf(numbers);
  return { startAt, endAt, endText: endText === null || endText === undefined ? null : String(endText) };
}
