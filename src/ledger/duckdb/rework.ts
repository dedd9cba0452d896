// Rework: which task each one that makes good another is booked to. Not here: what it cost. Invariant: `booked` follows from the set of links and of
// the tasks that are known, whatever came first: along the links to the last task that is known; one in a circle stands for itself.

import { compareText } from "../../core/order.ts";
import type { Rework } from "../store.ts";
import { wellFormed } from "./batch.ts";
import { json, list } from "./evidence.ts";
import { type Sql, taskOf } from "./field.ts";
import type { Link } from "./outcomes.ts";
import { chargedRoots, isKnown } from "./tasks.ts";
import type { Transaction } from "./transaction.ts";

/**
 * Takes in links, and looks again at those that wait for a task to be known. `some`: whether there are any links already; `again`: tasks of which calls
 * were taken out, or charges came or were taken back. @returns whether there are any now.
 */
export async function applyLinks(db: Transaction, fresh: readonly Link[], some: boolean, again: readonly string[]): Promise<boolean> {
  if (fresh.length === 0 && !some) return false;
  if (fresh.length > 0) await db.run(insertLinks, [JSON.stringify(fresh)]);
  // Of tasks in `tasks` alone nothing is new.
  const known = `SELECT name FROM taskDeltas WHERE ${isKnown} UNION ALL SELECT ${taskOf} FROM open AS c`;
  const waiting = `SELECT task FROM links ANTI JOIN booked USING (task) WHERE cause IN (${known})`;
  const seeds = `SELECT task FROM links WHERE task IN (${list}) OR cause IN (${list}) UNION ${waiting}`;
  const near = await db.rows(
    `WITH RECURSIVE down(task) AS (${seeds} UNION SELECT l.task FROM links AS l JOIN down AS d ON l.cause = d.task),
      up(task) AS (SELECT task FROM down UNION SELECT l.cause FROM links AS l JOIN up AS u ON l.task = u.task)
      SELECT l.task, l.cause, l.task IN (SELECT task FROM down) FROM links AS l WHERE l.task IN (SELECT task FROM up)`,
    [json(fresh.map(({ task }) => task)), json(again)],
  );
  if (near.length === 0) return true;
  const causes = json([...new Set(near.map(([, cause]) => String(cause)))]);
  const rows = await db.rows(
    `SELECT name FROM (${known} UNION ALL SELECT name FROM tasks WHERE ${isKnown} UNION ALL ${chargedRoots}) WHERE name IN (${list})`,
    [causes],
  );
  const isThere = new Set(rows.map(([name]) => String(name)));
  const next = new Map<string, string>();
  for (const [task, cause] of near) if (isThere.has(String(cause))) next.set(String(task), String(cause));
  const changed = near.filter(([, , isBelow]) => isBelow === true).map(([task]) => String(task));
  const booked = changed.map((task) => ({ task, root: follow(task, next) })).filter(({ task, root }) => task !== root);
  await db.run(`DELETE FROM booked WHERE task IN (${list})`, [json(changed)]);
  if (booked.length > 0) await db.run(insertBooked, [JSON.stringify(booked)]);
  return true;
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
    text: `SELECT true, root FROM booked WHERE task = ?::VARCHAR
      UNION ALL (SELECT false, task FROM booked WHERE root = ?::VARCHAR ORDER BY task LIMIT ${namesMax})`,
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

const insertLinks = `INSERT INTO links SELECT l.task, l.cause FROM (SELECT unnest(from_json(?::VARCHAR, '[{"task":"VARCHAR","cause":"VARCHAR"}]')) AS l)`;
const insertBooked = `INSERT INTO booked SELECT b.task, b.root FROM (SELECT unnest(from_json(?::VARCHAR, '[{"task":"VARCHAR","root":"VARCHAR"}]')) AS b)`;
