// Calls with more than one witness: finds what was said of the same call, by provider and response id, and resolves it anew.
// Not here: which evidence wins (core/resolve.ts). Invariant: all that was said of such a call is kept, so that its row is always the
// resolution of the whole set, whatever came first; and a batch takes a handful of scans, however many calls it touches.

import type { DuckDBValue } from "@duckdb/node-api";
import type { CallEnd, CallStart, Observation } from "../../core/call.ts";
import type { Position } from "../../core/entry.ts";
import { bookedAt } from "../../core/month.ts";
import { gateway, resolve } from "../../core/resolve.ts";
import { decodeEntry, encodeEntry } from "../codec.ts";
import { isPlain, shifted, toRow } from "../projection.ts";
import { type Batch, keptOf, wellFormed, writeRow } from "./batch.ts";
import type { Value } from "./field.ts";
import type { Records } from "./records.ts";
import { responseHash } from "./schema.ts";
import { addSums } from "./sums.ts";
import type { Transaction } from "./transaction.ts";

/** A row of `calls` as it stands. */
interface Standing {
  readonly id: string;
  /** When it counts; null: there is no row yet. */
  readonly bookedMs: number | null;
  readonly start: CallStart | null;
  readonly startAt: Position | null;
  readonly end: CallEnd | null;
  readonly byGateway: boolean;
  /** Provider and response id in one; null without a response id. */
  readonly key: string | null;
}

/** One text of the evidence: an end of the call with this id, or an observation of a response. */
type Said =
  | { readonly kind: "end"; readonly call: string; readonly end: CallEnd }
  | { readonly kind: "observation"; readonly key: string; readonly observation: Observation };

/**
 * Takes in a batch's observations and repeated ends, after its plain rows were inserted: those after `applied`. Rows of calls that change
 * are deleted.
 * @returns their new rows, as lines for `calls`.
 */
export async function applyEvidence(db: Transaction, records: Records, batch: Batch, applied: Position | null): Promise<string[]> {
  const responses = new Set(batch.observed.map(({ observation }) => observation.responseId));
  for (const responseId of [...(await seenBefore(db, applied)), ...batch.lateResponses]) responses.add(responseId);
  const repeated = new Set(batch.repeated.map(({ end }) => end.id));
  if (responses.size === 0 && repeated.size === 0) return [];

  const standing = new Map<string, Standing>();
  for (const call of await standingCalls(db, records, `id IN (${list})`, [...repeated])) standing.set(call.id, call);
  for (const call of standing.values()) if (call.end?.responseId) responses.add(call.end.responseId);
  for (const { end } of batch.repeated) if (end.responseId !== null) responses.add(end.responseId);
  const byResponse = `responseHash IN (SELECT ${responseHash("id")} FROM (${list} AS id))`;
  for (const call of await standingCalls(db, records, byResponse, [...responses])) standing.set(call.id, call);

  const said = new Saids(await saidOf(db, [...responses], [...standing.keys(), ...repeated]));
  for (const { observation, text } of batch.observed)
    said.keep({ kind: "observation", key: keyOf(observation.provider, observation.responseId), observation }, text);
  for (const { end, text } of batch.repeated) {
    const before = standing.get(end.id)?.end;
    if (said.ends(end.id).length === 0 && before)
      said.keep({ kind: "end", call: end.id, end: before }, encodeEntry({ kind: "end", call: before }));
    said.keep({ kind: "end", call: end.id, end }, text);
  }

  const owners = ownersOf(standing.values());
  const elsewhere = new Set<string>();
  /** When calls of closed months ended, as their gateway told. */
  const lateEnds = new Map<string, number>();
  const late = `SELECT provider, responseId, endText, witness FROM late WHERE responseId IN (${list})`;
  for (const [provider, id, endText, witness] of await db.rows(late, [json([...responses])])) {
    const key = keyOf(String(provider), String(id));
    elsewhere.add(key);
    const entry = String(witness).split("+").includes(gateway) ? decodeEntry(String(endText)) : null;
    if (entry?.kind === "end") lateEnds.set(key, entry.call.endMs);
  }
  // What stands in a closed month stays as it is: late.ts has taken what was said of it.
  const untilMs = batch.books?.untilMs ?? 0;
  const isClosed = ({ bookedMs }: Standing): boolean => bookedMs !== null && bookedMs < untilMs;
  for (const call of standing.values()) if (isClosed(call) && call.key !== null && !owners.has(call.key)) elsewhere.add(call.key);
  /** When what later witnesses alone knew has counted so far. */
  const seenFirst = new Map<string, number>();
  for (const { byGateway, key, bookedMs, ...call } of standing.values()) {
    if (byGateway || key === null || bookedMs === null) continue;
    seenFirst.set(key, Math.min(bookedMs, seenFirst.get(key) ?? bookedMs));
    const owner = owners.get(key);
    const endMs = owner === undefined ? lateEnds.get(key) : (standing.get(owner)?.end?.endMs ?? 0);
    // Seen in a month that was closed before its gateway told: there it stays, and is taken out of a later one.
    if (endMs !== undefined && bookedMs < untilMs) batch.retracted.push({ id: call.id, atMs: endMs });
  }
  const lines: string[] = [];
  const gone = new Set<string>();
  const resolved = new Set<string>();
  for (const id of [...owners.values(), ...repeated]) {
    if (resolved.has(id)) continue;
    resolved.add(id);
    const call = standing.get(id) ?? { ...nobody, id, byGateway: true };
    if (isClosed(call)) continue;
    const key = call.key !== null && owners.get(call.key) === id ? call.key : null;
    const observations = key === null ? [] : said.observations(key);
    let ends = said.ends(id);
    if (ends.length === 0 && call.end !== null) {
      ends = [call.end];
      if (observations.length > 0) said.keep({ kind: "end", call: id, end: call.end }, encodeEntry({ kind: "end", call: call.end }));
    }
    if (observations.length === 0 && ends.length < 2 && call.end !== null) continue;
    gone.add(id);
    lines.push(writeResolved(batch, call, ends, observations));
  }
  for (const key of said.keys()) {
    if (owners.has(key) || elsewhere.has(key)) continue;
    lines.push(writeResolved(batch, { ...nobody, bookedMs: seenFirst.get(key) ?? null, key }, [], said.observations(key)));
  }
  await said.write(db);
  // What only later witnesses knew is now part of a call, or written anew.
  for (const call of standing.values()) if (!call.byGateway && !isClosed(call)) gone.add(call.id);
  await addSums(db, `id IN (${list})`, [json([...gone])], -1);
  await db.run(`DELETE FROM calls WHERE id IN (${list})`, [json([...gone])]);
  return lines;
}

const nobody: Standing = { id: "", bookedMs: null, start: null, startAt: null, end: null, byGateway: false, key: null };

/** All that was said of the calls at hand, by what it is looked up with: a batch job's results are a hundred thousand observations at once. */
export class Saids {
  readonly #ends = new Map<string, CallEnd[]>();
  readonly #observations = new Map<string, Observation[]>();
  readonly #new: { readonly call: string; readonly provider: string; readonly responseId: string; readonly text: string }[] = [];

  constructor(before: readonly Said[]) {
    for (const entry of before) this.#add(entry);
  }

  ends(call: string): readonly CallEnd[] {
    return this.#ends.get(call) ?? [];
  }

  observations(key: string): readonly Observation[] {
    return this.#observations.get(key) ?? [];
  }

  keys(): Iterable<string> {
    return this.#observations.keys();
  }

  /** Takes in something new, which `write` puts into the table. */
  keep(entry: Said, text: string): void {
    this.#add(entry);
    const [call, provider, responseId] =
      entry.kind === "end" ? [entry.call, "", ""] : ["", entry.observation.provider, entry.observation.responseId];
    this.#new.push({ call: wellFormed(call), provider: wellFormed(provider), responseId: wellFormed(responseId), text });
  }

  async write(db: Transaction): Promise<void> {
    for (let from = 0; from < this.#new.length; from += textsMax)
      await db.run(insertEvidence, [JSON.stringify(this.#new.slice(from, from + textsMax))]);
  }

  #add(entry: Said): void {
    if (entry.kind === "end") push(this.#ends, entry.call, entry.end);
    else push(this.#observations, entry.key, entry.observation);
  }
}

/** Texts of one statement. */
const textsMax = 10_000;
const insertEvidence = `INSERT INTO evidence SELECT e."call", e.provider, e.responseId, e.text FROM (SELECT unnest(from_json(?::VARCHAR,
  '[{"call":"VARCHAR","provider":"VARCHAR","responseId":"VARCHAR","text":"VARCHAR"}]')) AS e)`;

function push<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

export const list = `SELECT unnest(from_json(?::VARCHAR, '["VARCHAR"]'))`;
export const json = (values: readonly string[]): string => JSON.stringify(values.map(wellFormed));

export function keyOf(provider: string, responseId: string): string {
  return JSON.stringify([provider, responseId]);
}

/** Response ids of calls that ended after `applied`, and were observed before. */
async function seenBefore(db: Transaction, applied: Position | null): Promise<string[]> {
  const rows = await db.rows(
    `SELECT DISTINCT responseId FROM evidence WHERE responseId <> '' AND ${responseHash("responseId")} IN (
      SELECT responseHash FROM calls WHERE ${endedAfter})`,
    endedAfterValues(applied),
  );
  return rows.map(([responseId]) => String(responseId));
}

/** Rows that were written after a position. */
export const endedAfter = `(endSegment > ?::INTEGER OR (endSegment = ?::INTEGER AND endOffset > ?::BIGINT))`;

export function endedAfterValues(applied: Position | null): Value[] {
  return applied === null ? [0, 0, 0] : [applied.segment, applied.segment, applied.offset];
}

async function standingCalls(db: Transaction, records: Records, condition: string, values: readonly string[]): Promise<Standing[]> {
  if (values.length === 0) return [];
  const rows = await db.rows(
    `SELECT id, witness, provider, startMs, endText, startSegment, startOffset, endSegment, endOffset FROM calls WHERE ${condition}`,
    [json(values)],
  );
  const standing: Standing[] = [];
  for (const [id, witness, provider, bookedMs, endText, ...numbers] of rows) {
    const [startAt, endAt] = positionsOf(numbers);
    const { start, end } = await recordOf(records, startAt, endAt, endText === null ? null : String(endText));
    const byGateway = String(witness).split("+").includes(gateway);
    const key = end?.responseId ? keyOf(String(provider), end.responseId) : null;
    standing.push({ id: String(id), bookedMs: Number(bookedMs), start, startAt, end, byGateway, key });
  }
  return standing;
}

/** Start and end of a row, from `startSegment, startOffset, endSegment, endOffset`. */
export function positionsOf(numbers: readonly (DuckDBValue | undefined)[]): readonly [Position | null, Position | null] {
  const [startSegment, startOffset, endSegment, endOffset] = numbers;
  return [toPosition(startSegment, startOffset), toPosition(endSegment, endOffset)];
}

export function toPosition(segment: DuckDBValue | undefined, offset: DuckDBValue | undefined): Position | null {
  if (segment === null || segment === undefined || offset === null || offset === undefined) return null;
  return { segment: Number(segment), offset: Number(offset) };
}

/** What was journaled of a call; a resolved end's text goes before the end that stands in the journal. */
export async function recordOf(
  records: Records,
  startAt: Position | null,
  endAt: Position | null,
  endText: string | null,
): Promise<{ start: CallStart | null; end: CallEnd | null }> {
  const [record] = await recordsOf(records, [{ startAt, endAt, endText }]);
  return record ?? { start: null, end: null };
}

export async function saidOf(db: Pick<Transaction, "rows">, responseIds: readonly string[], ids: readonly string[]): Promise<Said[]> {
  const rows = await db.rows(`SELECT text FROM evidence WHERE responseId IN (${list}) OR "call" IN (${list})`, [
    json(responseIds),
    json(ids),
  ]);
  const said: Said[] = [];
  for (const [text] of rows) {
    const entry = decodeEntry(String(text));
    if (entry.kind === "end") said.push({ kind: "end", call: entry.call.id, end: entry.call });
    else if (entry.kind === "observation") {
      const { provider, responseId } = entry.observation;
      said.push({ kind: "observation", key: keyOf(provider, responseId), observation: entry.observation });
    }
  }
  return said;
}

/** The call of each response: should a provider give one id twice, the one that began first. */
function ownersOf(calls: Iterable<Standing>): Map<string, string> {
  const owners = new Map<string, Standing>();
  for (const call of calls) {
    if (!call.byGateway || call.key === null) continue;
    const other = owners.get(call.key);
    if (other === undefined || compareStarts(call, other) < 0) owners.set(call.key, call);
  }
  return new Map([...owners].map(([key, call]) => [key, call.id]));
}

function compareStarts(a: Standing, b: Standing): number {
  return (a.start?.startMs ?? 0) - (b.start?.startMs ?? 0) || (a.id < b.id ? -1 : 1);
}

function writeResolved(
  batch: Pick<Batch, "books" | "observed">,
  call: Standing,
  ends: readonly CallEnd[],
  observations: readonly Observation[],
): string {
  const { end, witnesses } = resolve({ start: call.start, ends, observations });
  const seen = earliest(observations);
  const endText = end === null ? null : encodeEntry({ kind: "end", call: end });
  const row = toRow(call.start, end, seen, witnesses);
  const booked = batch.books === null ? row : shifted(row, bookedMsOf(batch, call, row.startMs, observations));
  const byMs = booked.startMs - row.startMs;
  const plain = end !== null && byMs === 0 && isPlain(end);
  return writeRow(booked, keptOf(call.startAt, null, endText, plain, byMs));
}

/** Circumstances only matter without a start; the earliest observation tells them. */
export function earliest(observations: readonly Observation[]): Observation | null {
  return [...observations].sort((a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1))[0] ?? null;
}

/** When a call counts that was first heard of after its month was closed; else when it began. */
function bookedMsOf(
  { books, observed }: Pick<Batch, "books" | "observed">,
  call: Standing,
  startMs: number,
  observations: readonly Observation[],
): number {
  if (call.byGateway) return call.bookedMs ?? bookedAt(books, startMs, startMs);
  const fresh = new Set(observed.map(({ observation }) => observation));
  const times = observations.flatMap((seen) => (fresh.has(seen) ? [bookedAt(books, seen.startMs, seen.observedMs)] : []));
  return Math.min(
    ...times,
    ...(call.bookedMs === null ? [] : [call.bookedMs]),
    ...(times.length === 0 && call.bookedMs === null ? [startMs] : []),
  );
}

/** The records of many rows, whose entries are read together. */
export async function recordsOf(
  records: Records,
  rows: readonly { readonly startAt: Position | null; readonly endAt: Position | null; readonly endText: string | null }[],
): Promise<readonly { start: CallStart | null; end: CallEnd | null }[]> {
  const found: { start: CallStart | null; end: CallEnd | null }[] = [];
  for (let from = 0; from < rows.length; from += textsMax) {
    const part = rows.slice(from, from + textsMax);
    const wanted = part.map(({ startAt, endAt, endText }) =>
      [startAt, endText === null ? endAt : null].filter((position) => position !== null),
    );
    const texts = await records.read(wanted.flat());
    let at = 0;
    part.forEach(({ endText }, index) => {
      const own = texts.slice(at, (at += (wanted[index] as Position[]).length));
      found.push(readRecord(endText === null ? own : [...own, endText]));
    });
  }
  return found;
}

function readRecord(texts: readonly string[]): { start: CallStart | null; end: CallEnd | null } {
  let start: CallStart | null = null;
  let end: CallEnd | null = null;
  for (const text of texts) {
    const entry = decodeEntry(text);
    if (entry.kind === "start") start = entry.call;
    else if (entry.kind === "end") end = entry.call;
  }
  return { start, end };
}
