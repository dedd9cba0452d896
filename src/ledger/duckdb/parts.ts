// What parts of tasks are parts of, for those of which it matters: causes of rework, and parts of which somebody said how long they were checked. Of all
// others it is not kept: there may be millions. Not here: what follows from it (rework.ts). Invariant: of the names in `sought`, which came to matter and
// were no tasks of their own then, `links` has all that starts of calls, charges that stand and beginnings say is above them, however the journal was
// cut into batches.

import type { Position } from "../../core/entry.ts";
import { endedAfterValues as after, json, list } from "./evidence.ts";
import type { Value } from "./field.ts";
import { fromStanding, knownTasks } from "./tasks.ts";
import type { Transaction } from "./transaction.ts";

/** Why one task leads to another: it makes it good, its calls or charges say that it is a part of it, or it was begun as one. */
export const reasons = { rework: 0, called: 1, charged: 2, begun: 3 } as const;

/** Of a call that its gateway saw: what only a later witness knows of it may turn out to be another's. */
const isPart = `root <> task AND startSegment IS NOT NULL`;

/** A call's row may be made anew in the batch that its end came with: its start stays. */
const begunAfter = `(startSegment > ?::INTEGER OR (startSegment = ?::INTEGER AND startOffset > ?::BIGINT))`;

/** What charges say that were not taken back. */
const chargedParts = `SELECT c.task, c.root, ${reasons.charged} ${fromStanding} WHERE c.root <> c.task`;

/** What is said to be above tasks, by calls and beginnings that meet a condition more, and by charges. */
function toldOf(
  names: string,
  { calls, begun, isCharged }: { readonly calls: string; readonly begun: string; readonly isCharged: boolean },
): string {
  return `SELECT task, root, ${reasons.called} FROM calls WHERE task IN (${names}) AND ${isPart} ${calls}
    UNION SELECT task, root, ${reasons.called} FROM open WHERE task IN (${names}) AND ${isPart}
    UNION SELECT task, above, ${reasons.begun} FROM begun WHERE task IN (${names}) AND above IS NOT NULL ${begun}
    ${isCharged ? `UNION ${chargedParts} AND c.task IN (${names})` : ""}`;
}

/** What a batch brings of which parts may come to be known. */
export interface PartsBatch {
  /** Names of which it has come to matter what they are part of, unless they are known as tasks of their own. */
  readonly names: readonly string[];
  /** Those that began with it. */
  readonly begun: readonly string[];
  /** Whether charges came, or were taken back. */
  readonly isCharged: boolean;
}

/**
 * Finds what is above tasks of which it has come to matter, and what a batch says of those of which it did before.
 * @param applied up to where calls were in the tables before the batch. @param some whether anything was sought before.
 * @returns those of which other is known than was, and whether anything is sought now.
 */
export async function applyParts(
  db: Transaction,
  { names, begun, isCharged }: PartsBatch,
  applied: Position | null,
  some: boolean,
): Promise<{ readonly found: string[]; readonly some: boolean }> {
  const found: string[] = [];
  let next = [...names];
  if (some) {
    const news = { calls: `AND ${begunAfter}`, begun: `AND task IN (${list})`, isCharged };
    const rows = await link(db, toldOf("SELECT name FROM sought", news), [...after(applied), json(begun)]);
    found.push(...(isCharged ? await unlinkCharged(db) : []), ...rows.map(({ task }) => task));
    next.push(...rows.map(({ above }) => above));
  }
  let isAny = some;
  // What is above may be a part in its turn, and known by that alone.
  while (next.length > 0) {
    const fresh = await db.rows(
      `WITH RECURSIVE up(name) AS (${list} UNION SELECT b.above FROM begun AS b JOIN up ON b.task = up.name WHERE b.above IS NOT NULL)
        SELECT name FROM up WHERE name NOT IN (${knownTasks("SELECT name FROM up")}) AND name NOT IN (SELECT name FROM sought)`,
      [json(next)],
    );
    if (fresh.length === 0) break;
    isAny = true;
    const asked = json(fresh.map(([name]) => String(name)));
    await db.run(`INSERT INTO sought ${list}`, [asked]);
    const rows = await link(db, toldOf(list, { calls: "", begun: "", isCharged: true }), [asked, asked, asked, asked]);
    found.push(...rows.map(({ task }) => task));
    next = rows.map(({ above }) => above);
  }
  return { found, some: isAny };
}

/** Forgets what only charges said that were taken back. @returns of which tasks. */
async function unlinkCharged(db: Transaction): Promise<string[]> {
  const gone = `SELECT task, cause, reason FROM links WHERE reason = ${reasons.charged} EXCEPT ${chargedParts}`;
  const rows = await db.rows(gone, []);
  if (rows.length > 0) await db.run(`DELETE FROM links WHERE (task, cause, reason) IN (${gone})`, []);
  return rows.map(([task]) => String(task));
}

/** Those of some tasks that are causes of rework, or of which somebody said how long they were checked. */
export async function mattering(db: Transaction, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const rows = ["tasks", "taskDeltas"].map((table) => `SELECT name FROM ${table} WHERE reviewMillis IS NOT NULL AND name IN (${list})`);
  const given = json(names);
  const found = await db.rows([...rows, `SELECT cause FROM links WHERE cause IN (${list})`].join(" UNION "), [given, given, given]);
  return found.map(([name]) => String(name));
}

/** Keeps what was told and is new. */
async function link(db: Transaction, told: string, values: readonly Value[]): Promise<{ readonly task: string; readonly above: string }[]> {
  const rows = await db.rows(`SELECT * FROM (${told}) AS t(task, cause, reason) ANTI JOIN links USING (task, cause, reason)`, values);
  if (rows.length === 0) return [];
  const links = rows.map(([task, above, reason]) => ({ task: String(task), cause: String(above), reason: Number(reason) }));
  await db.run(insertLinks, [JSON.stringify(links)]);
  return links.map(({ task, cause }) => ({ task, above: cause }));
}

export const insertLinks = `INSERT INTO links SELECT l.task, l.cause, l.reason FROM
  (SELECT unnest(from_json(?::VARCHAR, '[{"task":"VARCHAR","cause":"VARCHAR","reason":"UTINYINT"}]')) AS l)`;
