// A batch: journal entries on their way into the tables, as JSON lines that DuckDB reads with two threads while the next batch is parsed.
// Not here: SQL. Invariant: text from the journal is only ever data in here; what DuckDB's reader would reject is made readable first.

import { type FileHandle, open } from "node:fs/promises";
import type { CallEnd, CallStart, Observation } from "../../core/call.ts";
import { type Closing, type Position, type Rerated, comparePositions } from "../../core/entry.ts";
import { bookedAt, type Closed } from "../../core/month.ts";
import type { PeriodCharge } from "../../core/period.ts";
import type { Outcome, TaskBegun } from "../../core/outcome.ts";
import { gateway } from "../../core/resolve.ts";
import type { Revenue } from "../../core/revenue.ts";
import { decodeEntry } from "../codec.ts";
import type { PieceRow } from "../pieces.ts";
import { isPlain, type Row, shifted, toRow } from "../projection.ts";
import type { IncidentEntry } from "./incidents.ts";
import type { Kept } from "./schema.ts";
import { isMemory, UnfitEntry } from "./trouble.ts";

/** A start that waits for its end. */
export interface OpenCall {
  readonly start: CallStart;
  readonly position: Position;
  /** When it counts: its start, or when it was first heard of, where its month was closed by then. */
  readonly bookedMs: number;
}

export interface RepeatedEnd {
  readonly end: CallEnd;
  readonly text: string;
  readonly position: Position;
}

export interface Line {
  readonly text: string;
  readonly position: Position;
}

/** Bytes gathered before they are written: the file is read by DuckDB alone. */
const pieceBytes = 1 << 20;

/** Grows entry by entry, in journal order, to the closing of a month at most; rows of ended calls go to a file. */
export class Batch {
  readonly file: string;
  readonly openFile: string;
  /** Starts that came with this batch and have not ended; and ids that leave `open`, whose starts came before. */
  readonly opened = new Map<string, OpenCall>();
  readonly closed: string[] = [];
  /** What needs a look at other evidence: observations, and ends of calls that are not open. */
  observed: { readonly observation: Observation; readonly text: string; readonly position: Position }[] = [];
  repeated: RepeatedEnd[] = [];
  /** Ends of calls that were open when their month was closed. */
  readonly late: (RepeatedEnd & { readonly opened: OpenCall })[] = [];
  readonly rerated: { readonly rerate: string; readonly atMs: number; readonly calls: readonly Rerated[]; readonly position: Position }[] =
    [];
  /** Rows of a closed month whose call was found to be another, with when: filled in as it is committed. */
  readonly retracted: { readonly id: string; readonly atMs: number }[] = [];
  /** Responses that ends of calls in closed months name: filled in likewise. */
  readonly lateResponses = new Set<string>();
  /** Up to where the books were closed before it; and what its last entry closes. */
  readonly books: Closed | null;
  closing: Closing | null = null;
  /** Period charges by id, the first of each; and ids that were voided, with when. */
  readonly charges = new Map<string, { readonly charge: PeriodCharge; readonly text: string }>();
  readonly voids = new Map<string, number>();
  /** Tasks that were begun, by name, and statements of how tasks ended, by id: the first of each. */
  readonly begun = new Map<string, { readonly task: TaskBegun; readonly position: Position }>();
  readonly outcomes = new Map<string, { readonly outcome: Outcome; readonly text: string }>();
  /** What customers pay, by id, the first of each; and ids that were voided, with when. */
  readonly revenues = new Map<string, { readonly revenue: Revenue; readonly text: string }>();
  readonly revenueVoids = new Map<string, number>();
  readonly incidents: IncidentEntry[] = [];
  last: Line | null = null;
  calls = 0;
  entries = 0;
  #handle: FileHandle | null = null;
  /** Rows as bytes, [0, used): as strings, they would be what the garbage collector mostly works on. */
  #piece: Buffer | null = null;
  #used = 0;

  constructor(file: string, books: Closed | null) {
    this.books = books;
    this.file = file;
    this.openFile = `${file}.open`;
  }

  /**
   * Takes in the entries after `after`, from line `from` on. `known` is changed: starts go in, ends take them out. @throws UnfitEntry, or an
   * error of the file system; then the batch is of no use.
   * @returns the first line that belongs to the next batch.
   */
  async add(lines: readonly Line[], from: number, after: Position | null, known: Map<string, OpenCall>): Promise<number> {
    for (let index = from; index < lines.length; index += 1) {
      const line = lines[index] as Line;
      if (this.closing !== null) return index;
      if (after !== null && comparePositions(line.position, after) <= 0) continue;
      let row: string | null;
      try {
        row = this.#take(line, known);
      } catch (cause) {
        throw isMemory(cause) ? cause : new UnfitEntry(cause instanceof Error ? cause.message : String(cause), { cause });
      }
      if (row !== null) await this.#write(row);
    }
    return lines.length;
  }

  /** Finishes the files. Nothing can be added after this. */
  async seal(): Promise<void> {
    try {
      await this.#flush();
    } finally {
      await this.close();
    }
    if (this.opened.size === 0) return;
    await writeRows(
      this.openFile,
      [...this.opened.values()].map(({ start, position, bookedMs }) =>
        writeRow(shifted(toRow(start, null, null, [gateway]), bookedMs), keptOf(position, null, null, false, bookedMs - start.startMs)),
      ),
    );
  }

  /** Lets go of its file. */
  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  /** @returns the row of a call that ended here; else null. */
  #take(line: Line, known: Map<string, OpenCall>): string | null {
    const entry = decodeEntry(line.text, line.position);
    let row: string | null = null;
    if (entry.kind === "start") {
      const { startMs } = entry.call;
      const opened = { start: entry.call, position: line.position, bookedMs: bookedAt(this.books, startMs, startMs) };
      this.opened.set(entry.call.id, opened);
      known.set(entry.call.id, opened);
    } else if (entry.kind === "end") row = this.#end(entry.call, line, known);
    else if (entry.kind === "observation") this.observed.push({ observation: entry.observation, ...line });
    else if (entry.kind === "rerated") this.rerated.push({ ...entry, position: line.position });
    else if (entry.kind === "closed") this.closing = entry.closing;
    else if (entry.kind === "charge") {
      const id = wellFormed(entry.charge.id);
      if (!this.charges.has(id)) this.charges.set(id, { charge: entry.charge, text: line.text });
    } else if (entry.kind === "charge.voided") {
      const id = wellFormed(entry.id);
      if (!this.voids.has(id)) this.voids.set(id, entry.atMs);
    } else if (entry.kind === "task.begun") {
      const { task } = entry.task.attribution;
      if (task !== null && !this.begun.has(wellFormed(task)))
        this.begun.set(wellFormed(task), { task: entry.task, position: line.position });
    } else if (entry.kind === "outcome") {
      const id = wellFormed(entry.outcome.id);
      if (!this.outcomes.has(id)) this.outcomes.set(id, { outcome: entry.outcome, text: line.text });
    } else if (entry.kind === "revenue") {
      const id = wellFormed(entry.revenue.id);
      if (!this.revenues.has(id)) this.revenues.set(id, { revenue: entry.revenue, text: line.text });
    } else if (entry.kind === "revenue.voided") {
      const id = wellFormed(entry.id);
      if (!this.revenueVoids.has(id)) this.revenueVoids.set(id, entry.atMs);
    } else if (entry.kind === "gap" || entry.kind === "clock") this.incidents.push(entry);
    this.last = line;
    this.entries++;
    return row;
  }

  /** An end without a start that is known is kept for later. */
  #end(end: CallEnd, line: Line, known: Map<string, OpenCall>): string | null {
    const opened = known.get(end.id);
    if (opened === undefined) {
      this.repeated.push({ end, ...line });
      return null;
    }
    known.delete(end.id);
    if (this.books !== null && opened.bookedMs < this.books.untilMs) {
      this.late.push({ end, ...line, opened });
      return null;
    }
    if (!this.opened.delete(end.id)) this.closed.push(end.id);
    this.calls++;
    const row = shifted(toRow(opened.start, end, null, [gateway]), opened.bookedMs);
    const byMs = row.startMs - opened.start.startMs;
    return writeRow(row, keptOf(opened.position, line.position, null, byMs === 0 && isPlain(end), byMs));
  }

  async #write(row: string): Promise<void> {
    // No UTF-16 unit takes more than three bytes.
    const bytesMax = row.length * 3;
    this.#piece ??= Buffer.allocUnsafe(pieceBytes);
    if (this.#used + bytesMax > this.#piece.length) await this.#flush();
    if (bytesMax > this.#piece.length) this.#piece = Buffer.allocUnsafe(bytesMax);
    this.#used += this.#piece.write(row, this.#used, "utf8");
  }

  async #flush(): Promise<void> {
    if (this.#piece === null || this.#used === 0) return;
    this.#handle ??= await open(this.file, "w", 0o600);
    await this.#handle.writeFile(this.#piece.subarray(0, this.#used));
    this.#used = 0;
  }
}

/** Writes rows to a file of their own. */
export async function writeRows(file: string, rows: readonly string[]): Promise<void> {
  const handle = await open(file, "w", 0o600);
  try {
    await handle.writeFile(rows.join(""));
  } finally {
    await handle.close();
  }
}

/** @param byMs by how much later it counts than it was. */
export function keptOf(start: Position | null, end: Position | null, endText: string | null, plain: boolean, byMs: number): Kept {
  return {
    startSegment: start?.segment ?? null,
    startOffset: start?.offset ?? null,
    endSegment: end?.segment ?? null,
    endOffset: end?.offset ?? null,
    endText,
    mark: null,
    plain,
    shiftMs: byMs === 0 ? null : byMs,
  };
}

/** One JSON line of a row; nulls are left out. Written by hand: this is a good part of what a rebuild takes. */
export function writeRow(row: Row, kept: Kept): string {
  let text = `{"id":${quoted(row.id)}${writeFields(row)}`;
  if (kept.startSegment !== null) text += `,"startSegment":${kept.startSegment},"startOffset":${kept.startOffset}`;
  if (kept.endSegment !== null) text += `,"endSegment":${kept.endSegment},"endOffset":${kept.endOffset}`;
  if (kept.endText !== null) text += `,"endText":${JSON.stringify(kept.endText)}`;
  if (kept.plain) text += `,"plain":true`;
  if (kept.shiftMs !== null) text += `,"shiftMs":${kept.shiftMs}`;
  return `${text}}\n`;
}

/** One JSON line of a piece of the period charge `id`. */
export function writePiece(row: PieceRow, id: string): string {
  return `{"charge":${quoted(id)}${writeFields(row)}}\n`;
}

function writeFields(row: PieceRow): string {
  let text = "";
  for (const name in row) {
    const value = row[name as keyof PieceRow];
    if (value === null || name === "id" || name === "request") continue;
    if (typeof value === "string") text += `,"${name}":${quoted(value)}`;
    else if (typeof value !== "object") text += `,"${name}":${String(value)}`;
  }
  if (row.promptBytes !== null) text += `,"promptBytes":[${row.promptBytes.join(",")}]`;
  return `${text}${writeTags(row.tags ?? {})},"lines":[${(row.lines ?? []).map(writeLine).join(",")}]`;
}

function writeTags(tags: Row["tags"]): string {
  const pairs = Object.entries(tags).map(([name, value]) => `${quoted(name)}:${quoted(value)}`);
  return `,"tags":{${pairs.join(",")}}`;
}

export function writeLine(line: Row["lines"][number]): string {
  let text = `{"first":${line.first},"unpriced":${line.unpriced}`;
  if (line.class !== null) text += `,"class":"${line.class}"`;
  if (line.quantity !== null) text += `,"quantity":${line.quantity}`;
  if (line.source !== null) text += `,"source":"${line.source}"`;
  if (line.model !== null) text += `,"model":${quoted(line.model)}`;
  if (line.price !== null) text += `,"price":${quoted(line.price)}`;
  if (line.cost !== null) text += `,"cost":"${line.cost}"`;
  return `${text}}`;
}

const plain = /^[ !#-[\]-~]*$/;

/** The reader knows no lone surrogates: they stay as they are in the journal, and become U+FFFD in columns. */
function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(wellFormed(text));
}

const surrogates = /\p{Surrogate}/gu;

/** Text with U+FFFD where half of a surrogate pair stands alone. */
export function wellFormed(text: string): string {
  return text.replace(surrogates, "\ufffd");
}
