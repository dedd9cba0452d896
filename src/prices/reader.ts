// What the readers of price files share: where in a text something stands, decimal text scaled exactly, and what was left out of a file.
// Not here: any format (one file each), the choice between them (parse.ts). Invariant: a price never passes through arithmetic on floats.

import { createHash } from "node:crypto";
import { formatRate, parseRate } from "../core/money.ts";
import { PennyworthError } from "../error.ts";
import type { PriceList } from "./list.ts";
import type { ListPreview } from "./view.ts";

export type Skipped = ListPreview["skipped"][number];

export interface Read {
  readonly list: PriceList;
  /** What of the file is left out, by reason. */
  readonly skipped: readonly Skipped[];
}

/** Counts what is left out; `what` names the first of its kind as an example. */
export class Skips {
  readonly #kinds = new Map<string, { readonly what: string; readonly why: string; count: number }>();

  /** @param kind tells one line of the summary from another; `what` is one of its kind. */
  add(what: string, why: string, kind: string = why): void {
    const known = this.#kinds.get(kind);
    if (known === undefined) this.#kinds.set(kind, { what, why, count: 1 });
    else known.count += 1;
  }

  /** The most frequent first. */
  list(): readonly Skipped[] {
    return [...this.#kinds.values()].toSorted((a, b) => b.count - a.count || (a.what < b.what ? -1 : 1)).map((kind) => ({ ...kind }));
  }
}

/** @returns the error that refuses a file: `place` as `line 3, column 7`. */
export function invalid(place: string, reason: string, cause?: unknown): PennyworthError {
  return new PennyworthError("prices_invalid", { detail: `${place}: ${reason}` }, cause);
}

/** Where an offset stands, both counted from 1: `line 3, column 7`. */
export function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return `line ${line}, column ${offset - before.lastIndexOf("\n")}`;
}

/** Where the value of a path of keys stands in the text of a JSON document, as far as the path can be followed. */
export function placeOfKeys(text: string, keys: readonly string[]): string {
  let at = 0;
  for (const key of keys) {
    const quoted = JSON.stringify(key);
    let next = text.indexOf(quoted, at);
    while (next >= 0 && !/^\s*:/.test(text.slice(next + quoted.length, next + quoted.length + 20))) next = text.indexOf(quoted, next + 1);
    if (next < 0) break;
    at = next;
  }
  return placeOf(text, at);
}

/** @throws PennyworthError `prices_invalid` with line, column and reason. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = (cause as SyntaxError).message;
    const at = /at position (\d+)/.exec(message)?.[1];
    const offset = at === undefined ? firstNoToken(text) : Number(at);
    throw invalid(placeOf(text, offset), lowerFirst(message.replace(/(,? in JSON)? at position \d+.*$|, ".*$/s, "")), cause);
  }
}

/** Where text stands that is no token of JSON; its end when there is none. */
function firstNoToken(text: string): number {
  const token = /\s*(?:[{}[\],:]|"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;
  let end = 0;
  while (token.test(text)) end = token.lastIndex;
  const rest = /\S/.exec(text.slice(end));
  return rest === null ? text.length : end + rest.index;
}

/**
 * A number of a JSON document as decimal text: its shortest that reads back as the same number; a text that is a decimal number, as it is.
 * @returns null for what is no number, is not finite, or is below zero.
 */
export function decimalOf(value: unknown): string | null {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? String(value) : null;
  return typeof value === "string" && /^\d+(\.\d+)?([eE][+-]?\d{1,2})?$/.test(value) ? value : null;
}

/** Dollars for one as dollars for `units`, exactly: `1.5e-7` for a million is `0.15`. @throws RangeError when it has more than 30 decimals. */
export function forUnits(text: string, units: number): string {
  const exact = formatRate(parseRate(text, 1n), BigInt(units));
  if (exact === null) throw new RangeError(`finer than 30 decimals: ${text}`);
  return exact;
}

/** The first 12 hex digits of the SHA-256 of a text. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `2026-03-01` for midnight, else `2026-03-01T16:30:00.000Z`: as ids and files have it. */
export function formatTime(ms: number): string {
  const text = new Date(ms).toISOString();
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : text;
}

function lowerFirst(text: string): string {
  return text === "" ? text : text[0]!.toLowerCase() + text.slice(1);
}
