// What was said of tasks: that they began, and how they ended. Not here: what a set of statements comes to (core/outcome.ts), rework (rework.ts).
// Invariant: the first `task.begun` of a task and the first statement of an id stand, and the ending in a task's row is that of all its
// statements, however the journal was cut into batches.

import type { DuckDBValue } from "@duckdb/node-api";
import type { Attribution } from "../../core/call.ts";
import { formatUsd } from "../../core/money.ts";
import { endingOf, type Outcome } from "../../core/outcome.ts";
import { decodeEntry } from "../codec.ts";
import type { Said, SaidQuery } from "../find.ts";
import { type Batch, wellFormed } from "./batch.ts";
import { json, list, toPosition } from "./evidence.ts";
import type { Sql } from "./field.ts";
import type { Records } from "./records.ts";
import { bucketOf } from "./tasks.ts";
import { begunColumn, taskColumns, taskDims } from "./schema.ts";
import { type Spool, spooled, type Transaction } from "./transaction.ts";

/** A task that makes good another, by name. */
export interface Link {
  readonly task: string;
  readonly cause: string;
}

/** Takes in a batch's tasks that were begun, and statements. @returns the rework among them, and tasks of which it was said how long they were checked. */
export async function applyOutcomes(
  db: Transaction,
  batch: Batch,
  spool: Spool,
): Promise<{ readonly links: Link[]; readonly checked: string[] }> {
  const links = batch.begun.size === 0 ? [] : await applyBegun(db, batch, spool);
  const checked = batch.outcomes.size === 0 ? [] : await applyStatements(db, batch, spool);
  return { links, checked };
}

async function applyBegun(db: Transaction, batch: Batch, spool: Spool): Promise<Link[]> {
  const named = [...batch.begun.keys()].map((task) => line({ task }));
  const known = await asked(db, spool, named, `SELECT task FROM begun WHERE task IN (SELECT task FROM ${spooled({ task: "VARCHAR" })})`);
  const fresh = [...batch.begun].filter(([task]) => !known.has(task));
  const links: Link[] = [];
  const rows: string[] = [];
  for (const [task, { task: said }] of fresh) {
    const { attribution, beganMs, reworkOf, key } = said;
    // What is below another is part of that, and is told apart by that one's words.
    if (aboveOf(task, attribution) !== null) continue;
    const words = taskDims.map((dim) => [
      begunColumn(dim),
      textOf(dim === "key" ? key : dim === "case" ? caseOf(attribution) : attribution[dim]),
    ]);
    rows.push(line({ name: task, beganMs, ...Object.fromEntries(words) }));
    if (reworkOf !== null) links.push({ task, cause: wellFormed(reworkOf) });
  }
  await spool(
    fresh.map(([task, { task: said, position }]) => line({ task, above: aboveOf(task, said.attribution), ...position })),
    (file) => db.run(`INSERT INTO begun SELECT * FROM ${spooled(begunColumns)}`, [file]),
  );
  await append(db, spool, rows, ["beganMs", ...taskDims.map(begunColumn)]);
  return links;
}

const begunColumns = { task: "VARCHAR", above: "VARCHAR", segment: "INTEGER", offset: "BIGINT" };

/** What a task was begun as a part of; null: it is one of its own. */
function aboveOf(task: string, { root, parent }: Attribution): string | null {
  const above = wellFormed(root ?? parent ?? task);
  return above === task ? null : above;
}

async function applyStatements(db: Transaction, batch: Batch, spool: Spool): Promise<string[]> {
  const ids = [...batch.outcomes.keys()].map((id) => line({ id }));
  const known = await asked(db, spool, ids, `SELECT id FROM statements WHERE id IN (SELECT id FROM ${spooled({ id: "VARCHAR" })})`);
  const fresh = [...batch.outcomes].filter(([id]) => !known.has(id));
  const said = new Map<string, Outcome[]>();
  const keep = (outcome: Outcome): void => {
    const task = wellFormed(outcome.task);
    const others = said.get(task);
    if (others === undefined) said.set(task, [outcome]);
    else others.push(outcome);
  };
  if (fresh.length === 0) return [];
  const tasks = [...new Set(fresh.map(([, { outcome }]) => wellFormed(outcome.task)))].map((task) => line({ task }));
  await spool(tasks, async (file) => {
    const before = `SELECT text FROM statements WHERE task IN (SELECT task FROM ${spooled({ task: "VARCHAR" })}) ORDER BY rowid`;
    for (const [text] of await db.rows(before, [file])) keep(toOutcome(text));
  });
  for (const [, { outcome }] of fresh) keep(outcome);
  const columns = { id: "VARCHAR", task: "VARCHAR", text: "VARCHAR" };
  await spool(
    fresh.map(([id, { outcome, text }]) => line({ id, task: wellFormed(outcome.task), text })),
    (file) => db.run(`INSERT INTO statements SELECT id, task, text FROM ${spooled(columns)}`, [file]),
  );
  const rows = [...said].map(([name, outcomes]) => {
    const { result, judge, valuePico, reviewMillis, isContradictory, statements } = endingOf(outcomes);
    return line({
      name,
      statements,
      // That nobody said how it ended is not that somebody said that nobody knows.
      result: judge === null ? null : result,
      value: valuePico === null || !isHoldable(valuePico) ? null : formatUsd(valuePico),
      reviewMillis: reviewMillis !== null && Number.isSafeInteger(reviewMillis) ? reviewMillis : null,
      contradictory: isContradictory,
    });
  });
  await append(db, spool, rows, ["statements", "result", "value", "reviewMillis", "contradictory"]);
  return fresh.flatMap(([, { outcome }]) => (outcome.reviewMillis === null ? [] : [wellFormed(outcome.task)]));
}

/** What stands under ids: of tasks where in the journal that is, and statements as text. */
export function saidSql({ tasks, outcomes }: SaidQuery): Sql {
  return {
    text: `SELECT segment, "offset", NULL AS text FROM begun WHERE task IN (${list})
      UNION ALL SELECT NULL, NULL, text FROM statements WHERE id IN (${list})`,
    values: [json(tasks), json(outcomes)],
  };
}

export async function toSaid(rows: readonly (readonly DuckDBValue[])[], records: Records): Promise<Said> {
  const places = rows.flatMap(([segment, offset]) => toPosition(segment, offset) ?? []);
  const begun = (await records.read(places)).map((text) => decodeEntry(text));
  return {
    tasks: begun.flatMap((entry) => (entry.kind === "task.begun" ? [entry.task] : [])),
    outcomes: rows.flatMap(([, , text]) => (text === null ? [] : [toOutcome(text)])),
  };
}

/** What was said of a task, the earliest first; of the same moment as it was said. */
export function statementsSql(task: string): Sql {
  return { text: `SELECT text FROM statements WHERE task = ?::VARCHAR ORDER BY rowid`, values: [wellFormed(task)] };
}

export function toOutcomes(rows: readonly (readonly unknown[])[]): Outcome[] {
  return rows.map(([text]) => toOutcome(text)).toSorted((a, b) => a.atMs - b.atMs);
}

function toOutcome(text: unknown): Outcome {
  return (decodeEntry(String(text)) as { readonly outcome: Outcome }).outcome;
}

/** Up to a quadrillion dollars either way: sums of these have room in their columns. What is beyond is not known. */
function isHoldable(pico: bigint): boolean {
  return pico <= 10n ** 27n && pico >= -(10n ** 27n);
}

/** Rows for `taskDeltas`, of these columns. */
async function append(db: Transaction, spool: Spool, rows: readonly string[], columns: readonly string[]): Promise<void> {
  if (rows.length === 0) return;
  const types = Object.fromEntries(["name", ...columns].map((name) => [name, taskColumns[name] as string]));
  await spool(rows, (file) =>
    db.run(`INSERT INTO taskDeltas BY NAME SELECT *, ${bucketOf("name")} AS bucket FROM ${spooled(types)}`, [file]),
  );
}

/** The first column of what a question about spooled rows gives. */
async function asked(db: Transaction, spool: Spool, rows: readonly string[], question: string): Promise<Set<string>> {
  let found = new Set<string>();
  await spool(rows, async (file) => {
    found = new Set((await db.rows(question, [file])).map(([name]) => String(name)));
  });
  return found;
}

const caseOf = ({ tags }: Attribution): string | null => (Object.hasOwn(tags, "case") ? (tags["case"] ?? null) : null);
const textOf = (text: string | null): string | null => (text === null ? null : wellFormed(text));
const line = (row: Readonly<Record<string, unknown>>): string => `${JSON.stringify(row)}\n`;
