// Outcomes as a table of text: one line for each statement, the names of columns in the first. Not here: what the words mean (said.ts).
// Invariants: a line keeps its number; calls have their turn while a long table is read; one without an id has that which follows from what it says, so that a file counts once however often
// it is sent.

import { hash } from "node:crypto";
import { Readable } from "node:stream";
import { type Info, parse } from "csv-parse";
import { nearest } from "../near.ts";
import { delimiterOf, Lines, withoutLine } from "../text.ts";

/** Of the statement how a task ended: by these a line without an id is known again. */
const statementColumns = ["task", "result", "value", "review_minutes", "judge", "source", "reason", "at", "id"] as const;
/** What the task was, and what it cost where no call of it is on record. */
const finishedColumns = [
  "cost",
  "model",
  "provider",
  "type",
  "agent",
  "feature",
  "customer",
  "team",
  "project",
  "environment",
  "prompt",
  "user",
  "session",
  "branch",
  "parent",
  "root",
  "case",
  "rework_of",
  "began",
] as const;
export const sheetColumns = [...statementColumns, ...finishedColumns] as const;

type Column = (typeof sheetColumns)[number];

export interface SheetRow {
  /** `line 12`: its first. */
  readonly place: string;
  /** What is to be a statement (said.ts), as it stands there. */
  readonly said: Readonly<Record<string, unknown>>;
}

/** Bytes that are read at once. */
const pieceBytes = 16_384;

/** What is wrong with a table as a whole. */
export class SheetFault extends Error {}

/**
 * Comma, semicolon or tab between the cells.
 * @throws SheetFault with the line.
 */
export async function readSheet(text: string): Promise<SheetRow[]> {
  const [bytes, delimiter] = [Buffer.from(text), delimiterOf(text)];
  const options = { info: true, bom: true, trim: true, skip_empty_lines: true, relax_column_count: true, delimiter } as const;
  const lines = new Lines(bytes, delimiter);
  let columns: readonly Column[] | null = null;
  const rows: SheetRow[] = [];
  try {
    for await (const one of Readable.from(piecesOf(bytes)).pipe(parse(options))) {
      const { record, info } = one as { readonly record: string[]; readonly info: Info };
      const place = `line ${lines.next(info.bytes)}`;
      if (columns === null) columns = toColumns(record, place);
      else rows.push({ place, said: toSaid(columns, record) });
    }
  } catch (cause) {
    if (cause instanceof SheetFault) throw cause;
    const { bytes: at, message } = cause as { readonly bytes?: number; readonly message: string };
    throw new SheetFault(`${at === undefined ? "" : `line ${lines.from(at)}: `}${withoutLine(message)}`, { cause });
  }
  if (columns === null) throw new SheetFault(`the table is empty: its first line names its columns, ${sheetColumns.join(", ")}`);
  return withCosts(rows);
}

/** A cost that stands on another line of its task is not unknown on this one. */
function withCosts(rows: readonly SheetRow[]): SheetRow[] {
  const known = new Set(rows.flatMap(({ said: { cost, task } }) => (typeof cost === "string" ? [task] : [])));
  return rows.map((row) => {
    if (row.said["cost"] !== null || !known.has(row.said["task"])) return row;
    const { cost: _cost, model: _model, provider: _provider, ...said } = row.said;
    return { ...row, said };
  });
}

function toColumns(head: readonly string[], place: string): readonly Column[] {
  const columns = head.map((name) => toColumn(name, place));
  const twice = columns.find((column, index) => columns.indexOf(column) !== index);
  if (twice !== undefined) throw new SheetFault(`${place}: the column ${twice} is there twice`);
  if (!columns.includes("task")) throw new SheetFault(`${place}: no column is called task; there are ${sheetColumns.join(", ")}`);
  return columns;
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    yield bytes.subarray(from, from + pieceBytes);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function toColumn(name: string, place: string): Column {
  const wanted = name.toLowerCase().replaceAll(/[^a-z]/g, "");
  const known = sheetColumns.find((column) => column.replaceAll("_", "") === wanted);
  if (known !== undefined) return known;
  const near = nearest(name, sheetColumns, 1).map((column) => ` (${column}?)`);
  throw new SheetFault(
    `${place}: no column is called ${JSON.stringify(name.slice(0, 100))}${near.join("")}; there are ${sheetColumns.join(", ")}`,
  );
}

function toSaid(columns: readonly Column[], record: readonly string[]): SheetRow["said"] {
  const cells: Record<string, string> = {};
  // Where a cell is missing or too much, which is which nobody knows.
  if (record.length !== columns.length) return { cells: record.length, columns: columns.length };
  for (const [index, column] of columns.entries()) if ((record[index] ?? "") !== "") cells[column] = record[index] as string;
  const { review_minutes: minutes, id, rework_of: reworkOf, ...said } = cells;
  return {
    ...said,
    ...(minutes === undefined ? {} : { reviewMinutes: /^-?\d+(\.\d+)?$/.test(minutes) ? Number(minutes) : minutes }),
    ...(reworkOf === undefined ? {} : { reworkOf }),
    ...(columns.includes("cost") && cells["cost"] === undefined ? { cost: null } : {}),
    id: id ?? `csv:${hash("sha256", JSON.stringify(statementColumns.map((column) => cells[column])), "hex")}`,
  };
}
