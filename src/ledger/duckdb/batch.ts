// A batch: journal entries on their way into the tables, as JSON lines that DuckDB reads with two threads while the next batch is parsed.
// Not here: SQL. Invariant: text from the journal is only ever data in here; what DuckDB's reader would reject is made readable first.

import type { CallEnd, CallStart, Observation } from "../../core/call.ts";
import { type Position, comparePositions } from "../../core/entry.ts";
import { gateway } from "../../core/resolve.ts";
import { decodeEntry } from "../codec.ts";
import { type Row, toRow } from "../projection.ts";
import type { Kept } from "./schema.ts";

/** A start that waits for its end. */
export interface OpenCall {
  readonly start: CallStart;
  readonly text: string;
}

export interface Line {
  readonly text: string;
  readonly position: Position;
}

export interface Batch {
  /** Lines for `calls`, and for `open`. */
  readonly ended: readonly string[];
  readonly opened: readonly string[];
  /** Ids that leave `open`: their starts came with an earlier batch. */
  readonly closed: readonly string[];
  /** What needs a look at other evidence: observations, and ends of calls that are not open. */
  readonly observed: readonly { readonly observation: Observation; readonly text: string }[];
  readonly repeated: readonly { readonly end: CallEnd; readonly text: string }[];
  /** Response ids of the ended calls, by provider: an observation may have come before its call. */
  readonly responses: ReadonlyMap<string, string>;
  readonly position: Position;
  readonly lastText: string;
  readonly entries: number;
  readonly calls: number;
}

/**
 * Sorts lines in journal order into a batch. `open` is changed: starts go in, ends take them out. null when all lines are at or before
 * `after`. `seq` gives each row its number.
 * @throws PennyworthError `journal_damaged` for an entry this version cannot read.
 */
export function toBatch(lines: readonly Line[], after: Position | null, open: Map<string, OpenCall>, seq: () => number): Batch | null {
  const ended: string[] = [];
  const fresh = new Map<string, OpenCall>();
  const closed: string[] = [];
  const observed: { observation: Observation; text: string }[] = [];
  const repeated: { end: CallEnd; text: string }[] = [];
  const responses = new Map<string, string>();
  let last: Line | null = null;
  let entries = 0;
  for (const line of lines) {
    if (after !== null && comparePositions(line.position, after) <= 0) continue;
    const entry = decodeEntry(line.text, line.position);
    last = line;
    entries++;
    if (entry.kind === "start") {
      const opened = { start: entry.call, text: line.text };
      fresh.set(entry.call.id, opened);
      open.set(entry.call.id, opened);
    } else if (entry.kind === "end") {
      const opened = open.get(entry.call.id);
      if (opened === undefined) {
        repeated.push({ end: entry.call, text: line.text });
        continue;
      }
      open.delete(entry.call.id);
      if (!fresh.delete(entry.call.id)) closed.push(entry.call.id);
      const { responseId } = entry.call;
      if (responseId !== null) responses.set(responseId, opened.start.provider);
      const row = toRow(opened.start, entry.call, null, [gateway]);
      ended.push(writeRow(row, { seq: seq(), startText: opened.text, endText: line.text }));
    } else if (entry.kind === "observation") {
      observed.push({ observation: entry.observation, text: line.text });
    }
  }
  if (last === null) return null;
  const opened = [...fresh.values()].map((call) => writeOpen(call, seq()));
  const { position, text: lastText } = last;
  const calls = ended.length;
  return { ended, opened, closed, observed, repeated, responses, position, lastText, entries, calls };
}

function writeOpen(call: OpenCall, seq: number): string {
  return writeRow(toRow(call.start, null, null, [gateway]), { seq, startText: call.text, endText: null });
}

/** One JSON line of a row; nulls are left out. Written by hand: this is half of what a rebuild takes. */
export function writeRow(row: Row, kept: Kept): string {
  let text = `{"seq":${kept.seq}`;
  for (const name in row) {
    const value = row[name as keyof Row];
    if (value === null) continue;
    if (typeof value === "string") text += `,"${name}":${quoted(value)}`;
    else if (typeof value !== "object") text += `,"${name}":${String(value)}`;
  }
  text += `,"tags":${writeTags(row.tags)},"lines":[${row.lines.map(writeLine).join(",")}]`;
  return `${text}${textField("startText", kept.startText)}${textField("endText", kept.endText)}}\n`;
}

function writeTags(tags: Row["tags"]): string {
  const pairs = Object.entries(tags).map(([name, value]) => `${quoted(name)}:${quoted(value)}`);
  return `{${pairs.join(",")}}`;
}

function writeLine(line: Row["lines"][number]): string {
  let text = `{"first":${line.first},"unpriced":${line.unpriced}`;
  if (line.class !== null) text += `,"class":"${line.class}"`;
  if (line.quantity !== null) text += `,"quantity":${line.quantity}`;
  if (line.source !== null) text += `,"source":"${line.source}"`;
  if (line.model !== null) text += `,"model":${quoted(line.model)}`;
  if (line.part !== null) text += `,"part":${line.part}`;
  if (line.price !== null) text += `,"price":${quoted(line.price)}`;
  if (line.cost !== null) text += `,"cost":"${line.cost}"`;
  return `${text}}`;
}

const plain = /^[ !#-[\]-~]*$/;

/** The reader knows no lone surrogates: they stay as they are in the record's text, and become U+FFFD in columns. */
function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(wellFormed(text));
}

/** The record's JSON goes in as it is: the reader gives an object back as text, which saves escaping it twice. */
function textField(name: string, text: string | null): string {
  if (text === null) return "";
  return `,"${name}":${text.includes("\\u") || !text.startsWith("{") ? JSON.stringify(text) : text}`;
}

const surrogates = /\p{Surrogate}/gu;

/** Text with U+FFFD where half of a surrogate pair stands alone. */
export function wellFormed(text: string): string {
  return text.replace(surrogates, "\ufffd");
}
