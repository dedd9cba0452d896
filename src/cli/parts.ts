// A file that is longer than one request: sent in parts, all of them checked before the first goes on record, so that it is taken whole or not at all. Not here: what a
// line says, how a part is asked for. Invariants: what can contradict one another is in one part; where a part fails after others went on record, it is said which
// lines these are.

import { readFileSync } from "node:fs";
import { PennyworthError } from "../error.ts";
import { parseText } from "../text.ts";
import { remark, whyUnread } from "./command.ts";
import { wrong } from "./scope.ts";

/** A file of text. @throws PennyworthError `query_invalid` where it cannot be read, or is not UTF-8. */
export function readText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw wrong(`${file} ${whyUnread(cause)}`);
  }
  try {
    return parseText(bytes);
  } catch (cause) {
    throw cause instanceof RangeError ? wrong(`${file}: ${cause.message}`) : cause;
  }
}

/** One line of a file, and the how-manieth it is. */
export interface Part<Row> {
  readonly row: Row;
  readonly index: number;
}

/**
 * In the order of the file, but for what stays together.
 * @param keyOf rows of one key are in one part, however many they are; null: it goes anywhere.
 * @param most rows of a part.
 */
export function toParts<Row>(rows: readonly Row[], keyOf: (row: Row) => string | null, most: number): Part<Row>[][] {
  const groups = new Map<string | number, Part<Row>[]>();
  for (const [index, row] of rows.entries()) {
    const key = keyOf(row) ?? index;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [{ row, index }]);
    else group.push({ row, index });
  }
  const parts: Part<Row>[][] = [];
  let part: Part<Row>[] = [];
  for (const group of groups.values()) {
    if (part.length > 0 && part.length + group.length > most) {
      parts.push(part);
      part = [];
    }
    for (const one of group) part.push(one);
  }
  return part.length === 0 ? parts : [...parts, part];
}

/**
 * Checks every part, then puts them on record one after another. One alone needs no check: it is taken whole or not at all.
 * @param send one part; of one that is only checked nothing goes on record.
 * @throws what `send` throws. Where some of the file is on record by then, standard error says which lines.
 */
export async function sendParts<Row extends { readonly place: string }, Done>(
  parts: readonly (readonly Part<Row>[])[],
  send: (rows: readonly Row[], isCheck: boolean) => Promise<Done>,
): Promise<Done[]> {
  const all = parts.flat().toSorted((a, b) => a.index - b.index);
  const rowsOf = (part: readonly Part<Row>[]): readonly Row[] => part.map(({ row }) => row);
  if (parts.length > 1)
    for (const [index, part] of parts.entries())
      await send(rowsOf(part), true).catch((cause: unknown) => {
        throw inAll(cause, all.length, index === parts.length - 1);
      });
  const done: Done[] = [];
  for (const part of parts)
    done.push(
      await send(rowsOf(part), false).catch((cause: unknown) => {
        if (parts.length === 1) throw cause;
        const isRefused = cause instanceof PennyworthError && refusals.has(cause.code);
        const before = parts.slice(0, done.length).flat();
        const stands = before.length === 0 ? "Nothing of the file is on record" : `On record: ${placesOf(before, all)}`;
        const open = isRefused ? "" : `${before.length === 0 ? ", but perhaps" : "; perhaps"} ${placesOf(part, all)}`;
        remark(`${stands}${open}. The same file can be sent again: what is on record counts once.`);
        throw isRefused ? ofPart(cause, part.length) : cause;
      }),
    );
  return done;
}

/** Answers after which nothing of a part is on record. */
const refusals: ReadonlySet<string> = new Set(["request_malformed", "revenue_invalid", "query_invalid"]);

/** A refusal counts what it was sent; who sent a file counts that. */
function inAll(cause: unknown, all: number, isLast: boolean): unknown {
  return reworded(cause, (message) =>
    message.replace(/(\d+) of \d+ (outcomes|amounts) are wrong/, `$1${isLast ? "" : " or more"} of ${all} $2 are wrong`),
  );
}

/** And speaks of it alone. */
function ofPart(cause: PennyworthError, count: number): unknown {
  return reworded(cause, (message) =>
    message
      .replace("and none was recorded", `and none of these ${count} was recorded`)
      .replace("and none of it was recorded", `and none of these ${count} was recorded`),
  );
}

function reworded(cause: unknown, reword: (message: string) => string): unknown {
  return cause instanceof PennyworthError ? Object.assign(cause, { message: reword(cause.message) }) : cause;
}

/** `lines 2–1001, 1003`; of what has no lines, the first and last of what follows on one another. */
function placesOf<Row extends { readonly place: string }>(part: readonly Part<Row>[], all: readonly Part<Row>[]): string {
  const runs: [number, number][] = [];
  for (const { index } of part.toSorted((a, b) => a.index - b.index)) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === index - 1) last[1] = index;
    else runs.push([index, index]);
  }
  const placeOf = (index: number): string => all[index]?.row.place ?? "";
  const isLines = part.every(({ row }) => row.place.startsWith("line "));
  const nameOf = (index: number): string => (isLines ? placeOf(index).slice("line ".length) : placeOf(index));
  const spans = runs.map(([first, last]) => (first === last ? nameOf(first) : `${nameOf(first)}${isLines ? "–" : " to "}${nameOf(last)}`));
  return `${isLines ? (part.length === 1 ? "line " : "lines ") : ""}${spans.join(", ")}`;
}
