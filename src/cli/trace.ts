// A trace of arrivals: when each request came, how long its prompt was, how long its answer. CSV in, rows out, mistakes by line and column.
// Not here: sending them. Invariant: the file's own order of arrival is kept, and nothing is left out in silence.

import { type Info, parse } from "csv-parse/sync";
import { PennyworthError } from "../error.ts";

export interface TraceRow {
  /** Since the first arrival, ms. */
  readonly atMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

const names = {
  time: ["timestamp", "arrival", "arrivaltime", "arrivaltimestamp", "time"],
  input: ["contexttokens", "inputtokens", "prompttokens", "inputlength", "input", "prompt", "context"],
  output: ["generatedtokens", "outputtokens", "completiontokens", "outputlength", "output", "generated", "completion"],
} as const;

const tokensMax = 100_000_000;

/**
 * Rows in order of arrival. Times are dates and times (taken as UTC unless they say otherwise) or seconds since any beginning.
 * @throws PennyworthError `trace_invalid`, with line and column.
 */
export function parseTrace(text: string): TraceRow[] {
  const records = readRecords(text);
  const head = records[0];
  if (head === undefined) throw invalid(1, "the file is empty");
  const time = findColumn(head.record, names.time, "time of arrival (TIMESTAMP)");
  const input = findColumn(head.record, names.input, "input tokens (ContextTokens)");
  const output = findColumn(head.record, names.output, "output tokens (GeneratedTokens)");
  const rows = records.slice(1).map(({ record, line }) => ({
    atMs: parseArrival(record[time], line, head.record[time] as string),
    inputTokens: parseTokens(record[input], line, head.record[input] as string),
    outputTokens: parseTokens(record[output], line, head.record[output] as string),
  }));
  if (rows.length === 0) throw invalid(2, "there are no rows after the names of the columns");
  rows.sort((a, b) => a.atMs - b.atMs);
  const firstMs = rows[0]?.atMs ?? 0;
  return rows.map(({ atMs, inputTokens, outputTokens }) => ({ atMs: atMs - firstMs, inputTokens, outputTokens }));
}

function readRecords(text: string): { readonly record: string[]; readonly line: number }[] {
  try {
    const parsed = parse(text, { info: true, bom: true, trim: true, skipEmptyLines: true }) as unknown as {
      record: string[];
      info: Info;
    }[];
    return parsed.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (cause) {
    const { lines, message } = cause as { lines?: number; message: string };
    throw invalid(lines ?? 1, message, cause);
  }
}

function findColumn(head: readonly string[], wanted: readonly string[], what: string): number {
  const simple = head.map((name) => name.toLowerCase().replace(/[^a-z]/g, ""));
  for (const name of wanted) {
    const index = simple.indexOf(name);
    if (index >= 0) return index;
  }
  throw invalid(1, `no column is the ${what}; there are: ${head.join(", ")}`);
}

function parseArrival(text: string | undefined, line: number, column: string): number {
  const seconds = /^\d{1,12}(\.\d+)?$/.test(text ?? "") ? Number(text) * 1000 : null;
  const match = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?) ?(Z|[+-]\d{2}:?\d{2})?$/.exec(text ?? "");
  const ms = seconds ?? (match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2]}${match[3] ?? "Z"}`));
  if (Number.isNaN(ms)) throw invalid(line, `column ${column}: ${JSON.stringify(text)} is neither a date and time nor a number of seconds`);
  return ms;
}

function parseTokens(text: string | undefined, line: number, column: string): number {
  const tokens = /^\d{1,9}(\.0+)?$/.test(text ?? "") ? Number(text) : Number.NaN;
  if (!(tokens <= tokensMax)) throw invalid(line, `column ${column}: ${JSON.stringify(text)} is not a whole number of tokens`);
  return tokens;
}

function invalid(line: number, detail: string, cause?: unknown): PennyworthError {
  return new PennyworthError("trace_invalid", { detail: `line ${line}: ${detail}` }, cause);
}
