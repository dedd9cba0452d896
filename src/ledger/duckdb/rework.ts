// Rework and parts: which task each one that makes good another is booked to, and what is said of a part. Not here: what it cost. Invariant: `booked`
// follows from the set of links and of the tasks that are known, whatever came first: along the links to the last task that is known; one in a circle
// stands for itself.

import { compareText } from "../../core/order.ts";
import type { Rework } from "../store.ts";
import { wellFormed } from "./batch.ts";
import { json, list } from "./evidence.ts";
import { type Sql, taskOf } from "./field.ts";
import type { Link } from "./outcomes.ts";
import { insertLinks, reasons } from "./parts.ts";
import { isKnown, knownTasks } from "./tasks.ts";
import type { Transaction } from "./transaction.ts";

/**
 * Takes in links, and looks again at those that wait for a task to be known. `found`: parts of which it came to be known what they are parts of;
 * `again`: tasks of which calls were taken out, or charges came or were taken back.
 */
export async function applyLinks(
  db: Transaction,
  fresh: readonly Link[],
  found: readonly string[],
  again: readonly string[],
): Promise<void> {
  if (fresh.length > 0) await db.run(insertLinks, [JSON.stringify(fresh.map((link) => ({ ...link, reason: reasons.rework })))]);
  // Of tasks in `tasks` alone nothing is new.
  const known = `SELECT name FROM taskDeltas WHERE ${isKnown} UNION ALL SELECT ${taskOf} FROM open AS c`;
  const waiting = `SELECT task FROM links ANTI JOIN booked USING (task) WHERE cause IN (${known})`;
  const risen = `SELECT task FROM links WHERE reason > ${reasons.rework} AND task IN (${known})`;
  const seeds = `SELECT task FROM links WHERE task IN (${list}) OR task IN (${list}) OR cause IN (${list}) UNION ${waiting} UNION ${risen}`;
  const near = await db.rows(
    `WITH RECURSIVE down(task) AS (${seeds} UNION SELECT l.task FROM links AS l JOIN down AS d ON l.cause = d.task),
      up(task) AS (SELECT task FROM down UNION SELECT l.cause FROM links AS l JOIN up AS u ON l.task = u.task)
      SELECT l.task, l.cause, l.reason, l.task IN (SELECT task FROM down) FROM links AS l WHERE l.task IN (SELECT task FROM up)`,
    [json([...fresh.map(({ task }) => task), ...found]), json(again), json([...again, ...found])],
  );
  if (near.length + found.length === 0) return;
  const names = json([...new Set(near.flatMap(([task, cause]) => [String(task), String(cause)]))]);
  const isThere = new Set((await db.rows(knownTasks(list), [names, names, names, names])).map(([name]) => String(name)));
  const next = nextOf(
    near.map(([task, cause, reason]) => ({ task: String(task), cause: String(cause), reason: Number(reason) })),
    isThere,
  );
  // Of some that were found nothing leads anywhere any more.
  const changed = [...new Set([...near.filter(([, , , isBelow]) => isBelow === true).map(([task]) => String(task)), ...found])];
  const booked = changed
    .map((task) => ({ task, root: follow(task, next), part: !isThere.has(task) }))
    .filter(({ task, root }) => task !== root && isThere.has(root));
  await db.run(`DELETE FROM booked WHERE task IN (${list})`, [json(changed)]);
  if (booked.length > 0) await db.run(insertBooked, [JSON.stringify(booked)]);
}

/**
 * Where each leads: rework to the task that its cause is or is a part of, and what is no task of its own to the one that it is a part of. What it was begun
 * as goes before what is said by calls and charges; where these say several, nobody knows.
 */
function nextOf(
  links: readonly { readonly task: string; readonly cause: string; readonly reason: number }[],
  isThere: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const begun = new Map<string, string>();
  const named = new Map<string, string | null>();
  for (const { task, cause, reason } of links)
    if (reason === reasons.begun) begun.set(task, cause);
    else if (reason !== reasons.rework) named.set(task, named.has(task) && named.get(task) !== cause ? null : cause);
  const wholeOf = (task: string): string | null => {
    const passed = new Set<string>();
    for (let at: string | null = task; at !== null && !passed.has(at); at = begun.get(at) ?? named.get(at) ?? null) {
      if (isThere.has(at)) return at;
      passed.add(at);
    }
    return null;
  };
  const next = new Map<string, string>();
  for (const { task, cause, reason } of links) {
    // Rework is a task of its own, and what is none is only a part.
    const whole = wholeOf(reason === reasons.rework ? cause : task);
    if (whole !== null && whole !== task && (reason === reasons.rework) === isThere.has(task)) next.set(task, whole);
  }
  return next;
}

/** Up to the first cause, or to the first task that is part of a circle. */
function follow(task: string, next: ReadonlyMap<string, string>): string {
  const passed = new Set<string>();
  for (let at = task; ;) {
    passed.add(at);
    const cause = next.get(at);
    if (cause === undefined) return at;
    if (passed.has(cause)) return cause;
    at = cause;
  }
}

/** What a task is booked to, and what is booked to it. */
export function reworkSql(task: string): Sql {
  const name = wellFormed(task);
  return {
    text: `SELECT true, root FROM booked WHERE NOT part AND task = ?::VARCHAR
      UNION ALL (SELECT false, task FROM booked WHERE NOT part AND root = ?::VARCHAR ORDER BY task LIMIT ${namesMax})`,
    values: [name, name],
  };
}

export function toRework(rows: readonly (readonly unknown[])[]): Rework {
  const of = rows.find(([isCause]) => isCause === true)?.[1];
  const by = rows.flatMap(([isCause, name]) => (isCause === true ? [] : [String(name)]));
  return { of: of === undefined ? null : String(of), by: by.toSorted(compareText) };
}

/** Most tasks that are named as making one good. */
const namesMax = 100;

const insertBooked = `INSERT INTO booked SELECT b.task, b.root, b.part FROM
  (SELECT unnest(from_json(?::VARCHAR, '[{"task":"VARCHAR","root":"VARCHAR","part":"BOOLEAN"}]')) AS b)`;
