// What comes to be known of calls after their month was closed: their rows stay as they are, and each difference is booked when it was taken
// in. Not here: calls of open months (evidence.ts, corrections.ts), what a booking says (bookings.ts). Invariants: entries are taken one by one
// in their order, so that bookings are the same however the journal was cut into batches; and `lateCalls` says what the rows would be by now.

import type { CallEnd, CallStart, Observation } from "../../core/call.ts";
import { comparePositions, type Position, type Rerated } from "../../core/entry.ts";
import { type Closed, monthOf } from "../../core/month.ts";
import { type Correction, gateway, resolve } from "../../core/resolve.ts";
import { bookingOf, type Cause } from "../bookings.ts";
import { encodeEntry } from "../codec.ts";
import type { PieceRow } from "../pieces.ts";
import { type Row, toRow } from "../projection.ts";
import type { Booking } from "../store.ts";
import { type Batch, keptOf, wellFormed, writePiece, writeRow } from "./batch.ts";
import { contentsOf, placedCorrections } from "./corrections.ts";
import { earliest, json, keyOf, list, positionsOf, recordsOf, saidOf, Saids } from "./evidence.ts";
import type { Records } from "./records.ts";
import { insertFrom, insertPieces, responseHash } from "./schema.ts";
import { forgetTasks } from "./tasks.ts";
import { type Spool, spooled, type Transaction } from "./transaction.ts";

/** A call whose row stands in a closed month, with all that was said of it so far. */
interface Frozen {
  readonly id: string;
  readonly bookedMs: number;
  readonly start: CallStart | null;
  readonly ends: CallEnd[];
  readonly observations: Observation[];
  readonly corrections: Correction[];
  /** Whether its end, or what was seen of it, is on record as evidence already. */
  readonly kept: boolean;
  key: string | null;
  /** What was seen of a response in batches before. */
  readonly seen: (key: string) => readonly Observation[];
  /** The row as it would be by now. */
  row: Row | null;
  bookings: number;
  changed: boolean;
}

type Event = { readonly position: Position; readonly order: number } & (
  | { readonly kind: "end"; readonly id: string; readonly end: CallEnd; readonly text: string }
  | { readonly kind: "observation"; readonly key: string; readonly observation: Observation; readonly text: string }
  | { readonly kind: "rerated"; readonly id: string; readonly correction: Correction }
);

/** Takes out of a batch what was said of calls in closed months, and books what it comes to. @returns whether tasks are to be made anew for it. */
export async function applyLate(db: Transaction, records: Records, batch: Batch, spool: Spool): Promise<boolean> {
  const { books } = batch;
  if (books === null) return false;
  const events = eventsOf(batch);
  if (events.length === 0) return false;
  const calls = await frozenCalls(db, records, events, books);
  if (calls.size === 0) return false;
  const owners = new Map<string, Frozen>();
  const own = (call: Frozen, key: string | null): void => {
    if (key === null) return;
    const other = owners.get(key);
    // What only later witnesses knew is no call beside one that its gateway knows.
    const startMs = (one: Frozen): number => one.start?.startMs ?? Number.MAX_SAFE_INTEGER;
    if (other === undefined || startMs(call) < startMs(other)) owners.set(key, call);
  };
  for (const call of calls.values()) own(call, call.key);

  const said = new Saids([]);
  const booked: { readonly booking: Booking; readonly rows: readonly PieceRow[] }[] = [];
  const taken = new Set<CallEnd | Observation>();
  const touched = new Map<string, Frozen>();
  const seen = new Map<string, Observation[]>();
  for (const event of events) {
    if (event.kind === "observation") seen.set(event.key, [...(seen.get(event.key) ?? []), event.observation]);
    const call = event.kind === "observation" ? owners.get(event.key) : calls.get(event.id);
    if (call === undefined) continue;
    touched.set(call.id, call);
    if (event.kind === "end" && event.end.responseId !== null) batch.lateResponses.add(event.end.responseId);
    const { key } = call;
    const why = take(call, event, books, said, taken);
    // Whose response it is comes to be known here: what was seen of it so far is this call's.
    if (key === null && call.key !== null) {
      call.observations.push(...call.seen(call.key), ...(seen.get(call.key) ?? []));
      own(call, call.key);
    }
    const before = call.row;
    call.row = rowOf(call);
    const of = { id: `correction:${call.id}:${call.bookings + 1}`, call: call.id, charge: null, month: monthOf(call.bookedMs) };
    const made = bookingOf(of, before, call.row, why);
    if (made === null) continue;
    call.bookings += 1;
    booked.push(made);
  }
  batch.observed = batch.observed.filter(({ observation }) => !taken.has(observation));
  batch.repeated = batch.repeated.filter(({ end }) => !taken.has(end));
  await said.write(db);
  await keepKnown(
    db,
    [...calls.values()].filter(({ changed }) => changed),
  );
  await book(db, booked, spool);
  await keepRows(db, [...touched.values()], spool);
  return touched.size > 0;
}

/** Of rows that turned out to be another call's: what they come to is taken out, once. */
export async function applyRetractions(db: Transaction, records: Records, batch: Batch, spool: Spool): Promise<void> {
  const { books, retracted } = batch;
  if (books === null || retracted.length === 0) return;
  const ids = json(retracted.map(({ id }) => id));
  const known = new Set(
    (await db.rows(`SELECT "call" FROM late WHERE endText IS NULL AND "call" IN (${list})`, [ids])).map(([id]) => String(id)),
  );
  const fresh = retracted.filter(({ id }) => !known.has(id));
  const calls = await loadFrozen(
    db,
    records,
    books,
    `id IN (${list})`,
    fresh.map(({ id }) => id),
    [],
  );
  const booked = fresh.flatMap(({ id, atMs }) => {
    const call = calls.get(id);
    if (call === undefined) return [];
    const of = { id: `correction:${id}:${call.bookings + 1}`, call: id, charge: null, month: monthOf(call.bookedMs) };
    const made = bookingOf(of, call.row, null, { cause: "evidence", rerate: null, atMs: Math.max(atMs, books.bookMs) });
    return made === null ? [] : [made];
  });
  for (const { id } of fresh) await db.run(`INSERT INTO late VALUES (?::VARCHAR, '', '', NULL, NULL)`, [id]);
  await book(db, booked, spool);
  await keepRows(
    db,
    fresh.map(({ id }) => ({ id, row: null })),
    spool,
  );
}

/** What the rows of calls would be without closings; null: nothing. */
async function keepRows(db: Transaction, calls: readonly Pick<Frozen, "id" | "row">[], spool: Spool): Promise<void> {
  if (calls.length === 0) return;
  const ids = json(calls.map(({ id }) => id));
  const named = `id IN (${list})`;
  for (const table of ["calls", "open", "lateCalls"]) await forgetTasks(db, table, named, [ids]);
  await db.run(`DELETE FROM lateCalls WHERE ${named}`, [ids]);
  const rows = calls.flatMap(({ id, row }) => (row === null ? [] : [writeRow({ ...row, id }, keptOf(null, null, null, false, 0))]));
  if (rows.length > 0) await spool(rows, (file) => db.run(insertFrom("lateCalls"), [file]));
  await forgetTasks(db, "lateCalls", named, [ids]);
  // A call under way says so itself.
  await db.run(
    `INSERT INTO lateCalls (id) SELECT id FROM (${list} AS id) WHERE id NOT IN (SELECT id FROM lateCalls UNION ALL SELECT id FROM open)`,
    [ids],
  );
}

/** Puts bookings on record. */
export async function book(
  db: Transaction,
  booked: readonly { readonly booking: Booking; readonly rows: readonly PieceRow[] }[],
  spool: Spool,
): Promise<void> {
  if (booked.length === 0) return;
  await spool(
    booked.flatMap(({ booking, rows }) => rows.map((row) => writePiece(row, booking.id))),
    (file) => db.run(insertPieces, [file]),
  );
  await spool(
    booked.map(({ booking }) => {
      const { id, call, charge, atMs } = booking;
      return `${JSON.stringify({ id, call: wellFormed(call ?? charge ?? ""), atMs, text: JSON.stringify(booking) })}\n`;
    }),
    (file) => db.run(insertBookings, [file]),
  );
}

const insertBookings = `INSERT INTO bookings SELECT * FROM ${spooled({ id: "VARCHAR", call: "VARCHAR", atMs: "BIGINT", text: "VARCHAR" })}`;

function eventsOf(batch: Batch): Event[] {
  const events: Event[] = [];
  for (const { end, text, position } of [...batch.late, ...batch.repeated])
    events.push({ kind: "end", id: wellFormed(end.id), end, text, position, order: 0 });
  for (const { observation, text, position } of batch.observed)
    events.push({ kind: "observation", key: keyOf(observation.provider, observation.responseId), observation, text, position, order: 0 });
  for (const { rerate, atMs, calls, position } of batch.rerated)
    calls.forEach(({ call, ...said }: Rerated, order) =>
      events.push({ kind: "rerated", id: wellFormed(call), correction: { ...said, rerate, atMs }, position, order }),
    );
  return events.toSorted((a, b) => comparePositions(a.position, b.position) || a.order - b.order);
}

function take(call: Frozen, event: Event, books: Closed, said: Saids, taken: Set<CallEnd | Observation>): Cause {
  const booked = (atMs: number): number => Math.max(atMs, books.bookMs);
  if (event.kind === "rerated") {
    call.corrections.push(event.correction);
    return { cause: "rerated", rerate: event.correction.rerate, atMs: booked(event.correction.atMs) };
  }
  const isFirst = call.row === null;
  // What was said first is evidence from now on, beside what is said now.
  const [first] = call.ends;
  if (!call.kept && !call.changed && first !== undefined)
    said.keep({ kind: "end", call: call.id, end: first }, encodeEntry({ kind: "end", call: first }));
  call.changed = true;
  if (event.kind === "end") {
    taken.add(event.end);
    said.keep({ kind: "end", call: call.id, end: event.end }, event.text);
    call.ends.push(event.end);
    call.key ??= keyOfEnd(call, event.end);
    return { cause: isFirst ? "ended" : "evidence", rerate: null, atMs: booked(event.end.endMs) };
  }
  taken.add(event.observation);
  said.keep({ kind: "observation", key: event.key, observation: event.observation }, event.text);
  call.observations.push(event.observation);
  return { cause: "evidence", rerate: null, atMs: booked(event.observation.observedMs) };
}

/** Until its end has told its response, what was seen of that is nobody's. */
function rowOf(call: Frozen): Row | null {
  const { start, ends, corrections } = call;
  const observations = call.key === null ? [] : call.observations;
  const { end, witnesses } = resolve({ start, ends, observations, corrections });
  return end === null ? null : toRow(start, end, earliest(observations), witnesses);
}

function keyOfEnd({ start }: Pick<Frozen, "start">, end: CallEnd): string | null {
  return end.responseId === null || start === null ? null : keyOf(start.provider, end.responseId);
}

async function frozenCalls(db: Transaction, records: Records, events: readonly Event[], books: Closed): Promise<Map<string, Frozen>> {
  const ids = [...new Set(events.flatMap((event) => (event.kind === "observation" ? [] : [event.id])))];
  const responses = new Set(events.flatMap((event) => (event.kind === "observation" ? [event.observation.responseId] : [])));
  for (const event of events) if (event.kind === "end" && event.end.responseId !== null) responses.add(event.end.responseId);
  const all = [...responses];
  const linked = await db.rows(`SELECT "call" FROM late WHERE responseId <> '' AND responseId IN (${list})`, [json(all)]);
  const calls = await loadFrozen(db, records, books, `id IN (${list})`, [...ids, ...linked.map(([id]) => String(id))], all);
  const hashes = `responseHash IN (SELECT ${responseHash("id")} FROM (${list} AS id))`;
  for (const [id, call] of await loadFrozen(db, records, books, hashes, all, all)) if (!calls.has(id)) calls.set(id, call);
  return calls;
}

/** Rows of which nothing is left. */
const retracted = `SELECT "call" FROM late WHERE endText IS NULL`;
const columns = "id, startMs, provider, witness, endText, startSegment, startOffset, endSegment, endOffset";

/** Rows of closed months that meet a condition, with what was said of them. */
async function loadFrozen(
  db: Transaction,
  records: Records,
  books: Closed,
  condition: string,
  values: readonly string[],
  responses: readonly string[],
): Promise<Map<string, Frozen>> {
  if (values.length === 0) return new Map();
  const from = (table: string): string =>
    `SELECT ${columns} FROM ${table} WHERE startMs < ${books.untilMs} AND ${condition} AND id NOT IN (${retracted})`;
  const rows = await db.rows(`${from("calls")} UNION ALL ${from("open")}`, [json(values), json(values)]);
  if (rows.length === 0) return new Map();
  const ids = rows.map(([id]) => String(id));
  const places = rows.map(([, , , , endText, ...numbers]) => {
    const [startAt, endAt] = positionsOf(numbers);
    return { startAt, endAt, endText: endText === null || endText === undefined ? null : String(endText) };
  });
  const read = await recordsOf(records, places);
  const known = await db.rows(`SELECT "call", provider, responseId FROM late WHERE "call" IN (${list})`, [json(ids)]);
  const keys = new Map(
    known.map(([id, provider, responseId]) => [String(id), responseId === "" ? null : keyOf(String(provider), String(responseId))]),
  );
  rows.forEach(([id, , provider], index) => {
    const end = read[index]?.end;
    if (end?.responseId && !keys.get(String(id))) keys.set(String(id), keyOf(String(provider), end.responseId));
  });
  const wanted = new Set(responses);
  for (const key of keys.values()) if (key !== null) wanted.add((JSON.parse(key) as string[])[1] ?? "");
  const said = new Saids(await saidOf(db, [...wanted], ids));
  const placed = await placedCorrections(db, list, [json(ids)]);
  const told = await contentsOf(records, [...placed.values()].flat());
  const corrections = new Map<string, Correction[]>();
  [...placed.values()]
    .flat()
    .forEach(({ call }, index) => corrections.set(call, [...(corrections.get(call) ?? []), told[index] as Correction]));
  const counts = await db.rows(`SELECT "call", count(*) FROM bookings WHERE "call" IN (${list}) GROUP BY 1`, [json(ids)]);
  const bookings = new Map(counts.map(([id, count]) => [String(id), Number(count)]));

  const calls = new Map<string, Frozen>();
  rows.forEach(([name, startMs, , witness], index) => {
    const id = String(name);
    const { start = null, end = null } = read[index] ?? {};
    const key = keys.get(id) ?? null;
    const ends = said.ends(id);
    const byGateway = String(witness).split("+").includes(gateway);
    const call: Frozen = {
      id,
      bookedMs: Number(startMs),
      start,
      ends: ends.length > 0 ? [...ends] : end === null || !byGateway ? [] : [end],
      observations: key === null ? [] : [...said.observations(key)],
      corrections: corrections.get(id) ?? [],
      kept: ends.length > 0,
      key,
      seen: (of) => said.observations(of),
      row: null,
      bookings: bookings.get(id) ?? 0,
      changed: false,
    };
    call.row = rowOf(call);
    calls.set(id, call);
  });
  return calls;
}

/** What is known by now, for their records: the rows stay. */
async function keepKnown(db: Transaction, calls: readonly Frozen[]): Promise<void> {
  const rows = calls.flatMap(({ id, start, ends, observations, key }) => {
    const { end, witnesses } = resolve({ start, ends, observations: key === null ? [] : observations });
    if (end === null) return [];
    const [provider = "", responseId = ""] = key === null ? [] : (JSON.parse(key) as string[]);
    return [
      {
        call: id,
        provider: wellFormed(provider),
        responseId: wellFormed(responseId),
        text: encodeEntry({ kind: "end", call: end }),
        witness: witnesses.join("+"),
      },
    ];
  });
  if (rows.length === 0) return;
  await db.run(`DELETE FROM late WHERE "call" IN (${list})`, [json(rows.map(({ call }) => call))]);
  await db.run(insertLate, [JSON.stringify(rows)]);
}

const insertLate = `INSERT INTO late SELECT e."call", e.provider, e.responseId, e.text, e.witness FROM (SELECT unnest(from_json(?::VARCHAR,
  '[{"call":"VARCHAR","provider":"VARCHAR","responseId":"VARCHAR","text":"VARCHAR","witness":"VARCHAR"}]')) AS e)`;
