// Reads what providers export: finds out what each file is, reads it whole or refuses it whole, and puts several together into one statement.
// Not here: any format (one file each beside this one), and files on a disk. Invariant: nothing is counted twice in silence, nor left out without a note.

import type { Statement, StatementLine } from "../core/statement.ts";
import { PennyworthError } from "../error.ts";
import { anthropicCost, anthropicUsage } from "./anthropic.ts";
import { awsCur, awsExplorer } from "./aws.ts";
import { azureCost } from "./azure.ts";
import { openaiCosts } from "./costs.ts";
import { Draft, type Format, type Source } from "./draft.ts";
import { failAt, Fault } from "./fail.ts";
import { focus } from "./focus.ts";
import { type Json, parseJson } from "./json.ts";
import { openaiUsage } from "./openai.ts";
import { openrouterActivity } from "./openrouter.ts";
import { parseTable } from "./table.ts";
import { checkTwice } from "./twice.ts";

/** The more telling ones first. */
const formats: readonly Format[] = [
  focus,
  awsCur,
  azureCost,
  anthropicUsage,
  anthropicCost,
  openaiCosts,
  openaiUsage,
  openrouterActivity,
  awsExplorer,
];

export const statementFormats: readonly string[] = formats.map((format) => format.name);

export interface StatementFile {
  /** As the user calls it, for messages. */
  readonly name: string;
  readonly text: string;
}

/**
 * One statement from one or more files: pages of one answer, or the usage and the costs of the same days.
 * @param format null: told from what is in the files.
 * @throws PennyworthError `statement_invalid`, with file, place and reason.
 */
export function readStatement(files: readonly StatementFile[], format: string | null): Statement {
  const sources = files.map(({ name, text }) => ({ name, source: within(name, () => parseSource(text)) }));
  const known = sources.map(({ name, source }) => ({ name, source, format: within(name, () => formatOf(source, format)) }));
  const named = known.map((one) => ({ ...one, format: isEmpty(one.source) ? likeOthers(one, known) : one.format }));
  const statements: Statement[] = [];
  for (const kind of new Set(named.map((one) => one.format))) {
    const mine = named.filter((one) => one.format === kind);
    const read = seriesOf(mine).map(({ name, source }) =>
      within(name, () => {
        const draft = new Draft();
        kind.read(source, draft);
        return { name, source, statement: draft.done(kind) };
      }),
    );
    if (kind.isWhole) within("", () => refuseTwice(read));
    const twice = within(read.length === 1 ? (read[0]?.name ?? "") : "", () => checkTwice(read));
    for (const [index, { name, statement }] of read.entries()) {
      const count = `${statement.lines.length} ${statement.lines.length === 1 ? "line" : "lines"}`;
      statements.push({ ...statement, notes: [`${name}: ${kind.title}, ${count}.`, ...statement.notes, ...(index === 0 ? twice : [])] });
    }
  }
  return within("", () => join(statements));
}

interface Named {
  readonly name: string;
  readonly source: Source;
  readonly format: Format;
}

/** Pages of one answer may be several files: they are one series. Tables are each for themselves. */
function seriesOf(files: readonly Named[]): { readonly name: string; readonly source: Source }[] {
  const paged = files.flatMap(({ name, source }) => (source.kind === "json" ? [{ name, pages: source.pages }] : []));
  const series: { readonly name: string; readonly source: Source }[] = files.filter(({ source }) => source.kind === "table");
  if (paged.length === 0) return series;
  return [
    { name: paged.map(({ name }) => name).join(", "), source: { kind: "json", pages: paged.flatMap(({ pages }) => pages) } },
    ...series,
  ];
}

/** Whether there is no line in it, so that usage and costs look alike. */
function isEmpty(source: Source): boolean {
  if (source.kind === "table") return source.table.rows.length === 0;
  return !/"(amount|uncached_input_tokens|input_tokens|num_model_requests|usage)"/.test(JSON.stringify(source.pages));
}

function likeOthers({ source, format }: Named, all: readonly Named[]): Format {
  return all.find((other) => !isEmpty(other.source) && other.format.is(source))?.format ?? format;
}

function parseSource(text: string): Source {
  const start = text
    .replace(/^\uFEFF/, "")
    .trimStart()
    .charAt(0);
  if (start === "") throw failAt("", "the file is empty");
  if (start !== "{" && start !== "[") return { kind: "table", table: parseTable(text) };
  const value = parseJson(text.replace(/^\uFEFF/, ""));
  const isPages = Array.isArray(value) && value.every((one: Json) => typeof one === "object" && one !== null && "data" in one);
  return { kind: "json", pages: isPages ? (value as readonly Json[]) : [value] };
}

function formatOf(source: Source, wanted: string | null): Format {
  if (wanted !== null) {
    const format = formats.find((one) => one.name === wanted);
    if (format === undefined) throw failAt("", `no format is called ${JSON.stringify(wanted)}; known: ${statementFormats.join(", ")}`);
    if (!format.is(source)) throw failAt("", `it does not look like ${format.title} (${format.name})`);
    return format;
  }
  const found = formats.find((format) => format.is(source));
  if (found !== undefined) return found;
  const columns = source.kind === "json" ? [] : source.table.columns;
  const shown = `${columns.slice(0, 8).join(", ")}${columns.length > 8 ? ", …" : ""}`;
  const what = source.kind === "json" ? "its JSON is" : `its columns (${shown}) are`;
  throw failAt("", `${what} of no known export; known: ${formats.map((format) => `${format.title} (${format.name})`).join(", ")}`);
}

/** Two files that are each the whole of their time must not be about the same. */
function refuseTwice(read: readonly { readonly name: string; readonly statement: Statement }[]): void {
  const seen = new Map<number, (typeof read)[number]>();
  for (const one of read)
    for (const ms of new Set(one.statement.lines.map((line) => line.fromMs))) {
      const other = seen.get(ms);
      if (other !== undefined) throw failAt(one.name, `${dayOf(ms)} is in ${other.name} already: it would be counted twice`);
      seen.set(ms, one);
    }
}

function join(statements: readonly Statement[]): Statement {
  const [first, ...others] = statements;
  if (first === undefined) throw failAt("", "there is no file");
  const providers = new Set(statements.flatMap(({ provider }) => (provider === null ? [] : [provider])));
  if (providers.size > 1) throw failAt("", `the files are of several providers: ${[...providers].join(", ")}`);
  if (statements.every((statement) => statement.fromMs === null)) throw failAt("", "there is no line in it");
  if (others.length === 0) return first;
  // Where one file counts and another one charges, what the second counts is the same usage again.
  const counts = statements.filter(({ complete }) => complete.quantity && !complete.cost);
  const charges = statements.filter(({ complete }) => complete.cost);
  const isBoth = counts.length > 0 && charges.length > 0;
  const whole = spanOf(statements);
  const { fromMs, toMs } = isBoth ? overlapOf(spanOf(counts), spanOf(charges)) : whole;
  const notes = statements.flatMap((statement) => statement.notes);
  if (fromMs !== whole.fromMs || toMs !== whole.toMs)
    notes.push(`Usage and costs are both known from ${dayOf(fromMs)} to ${dayOf(toMs - 1)}: only these days are compared.`);
  const isIn = (line: StatementLine): boolean => line.fromMs >= fromMs && line.fromMs < toMs;
  return {
    format: [...new Set(statements.map((statement) => statement.format))].join("+"),
    title: [...new Set(statements.map((statement) => statement.title))].join(" and "),
    provider: [...providers][0] ?? null,
    fromMs,
    toMs,
    lines: statements.flatMap(({ lines, complete }) => {
      const mine = lines.filter(isIn);
      return isBoth && complete.cost ? mine.map((line) => ({ ...line, quantity: null })) : mine;
    }),
    complete: { quantity: isBoth || statements.every(({ complete }) => complete.quantity), cost: charges.length > 0 },
    notes,
  };
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

function spanOf(statements: readonly Statement[]): Span {
  const known = (pick: (statement: Statement) => number | null): number[] => statements.flatMap((statement) => pick(statement) ?? []);
  return { fromMs: Math.min(...known((statement) => statement.fromMs)), toMs: Math.max(...known((statement) => statement.toMs)) };
}

/** @throws Fault when there is none. */
function overlapOf(a: Span, b: Span): Span {
  const [fromMs, toMs] = [Math.max(a.fromMs, b.fromMs), Math.min(a.toMs, b.toMs)];
  if (!(fromMs < toMs)) throw failAt("", "the files of usage and those of costs have no day in common");
  return { fromMs, toMs };
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Says which file is wrong, where, and why. */
function within<T>(name: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new PennyworthError("statement_invalid", { detail: name === "" ? error.message : `${name}: ${error.message}` }, error.cause);
  }
}
