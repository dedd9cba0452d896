// Many statements at once, each with its place: all of them, or what is wrong with each. Not here: HTTP, the journal, what one means (finished.ts).
// Invariant: where one is wrong there is no result at all.

import { randomUUID } from "node:crypto";
import type { z } from "@hono/zod-openapi";
import { type Attribution, attributionFields } from "../core/call.ts";
import { formatUsd } from "../core/money.ts";
import type { Outcome } from "../core/outcome.ts";
import { PennyworthError } from "../error.ts";
import { faultsOf } from "./faults.ts";
import { type Begins, type Finished, type FinishedWanted, finishedWanted, type Spent, statementOf, toFinished } from "./finished.ts";
import { type Known, markOf, type Recall, seenOutcome } from "./known.ts";
import { toId } from "./names.ts";
import type { Edge } from "./said.ts";

/** Wrong lines that are named; of the rest it is said how many they are. */
export const faultsMax = 20;

/** One statement of many, as it was said, and where it stands: `line 12`. */
export interface Placed {
  readonly place: string;
  readonly said: unknown;
}

/** A statement, and what it is known again by. */
interface News {
  readonly outcome: Outcome;
  readonly mark: string;
}

export interface Lines {
  /** Statements that are new. */
  readonly news: readonly News[];
  /** Of all statements, in their order. */
  readonly ids: readonly string[];
  /** How tasks begin, and what they cost, by the task, with where that stands. */
  readonly begins: ReadonlyMap<string, Begins & { readonly place: string }>;
  readonly spent: ReadonlyMap<string, Spent & { readonly place: string }>;
}

export interface Before {
  readonly look: Known["look"];
  readonly ask: Recall["ask"];
}

/** After so many the calls that wait have their turn. */
const atOnce = 200;

/**
 * @param before what was said under ids since the start, and before it.
 * @throws PennyworthError `request_malformed` with every wrong line.
 */
export async function readPlaced(placed: readonly Placed[], edge: Edge, before: Before): Promise<Lines> {
  const faults: string[] = [];
  const ids: string[] = [];
  let news: (News & Named)[] = [];
  const within = new Map<string, string>();
  const begins = new Map<string, Begins & { readonly place: string }>();
  const spent = new Map<string, Spent & { readonly place: string }>();
  for (const [index, { place, said }] of placed.entries()) {
    if (index % atOnce === atOnce - 1) await new Promise((resolve) => setImmediate(resolve));
    const parsed = finishedWanted.safeParse(said);
    if (!parsed.success) {
      faults.push(`${place}: ${describe(parsed.error, said)}`);
      continue;
    }
    const id = toId(parsed.data.id ?? `outcome_${randomUUID()}`, edge.names);
    const content = { ...parsed.data, id };
    let finished: Finished;
    try {
      finished = toFinished(content, id, edge);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      faults.push(`${place}: ${cause.message}`);
      continue;
    }
    const { outcome } = finished;
    const fault = addTo(begins, spent, finished, place);
    if (fault !== null) faults.push(`${place}: ${fault}`);
    if (outcome === null) continue;
    ids.push(id);
    const [twin, mark] = [within.get(id), markOf(statementOf(content))];
    within.set(id, mark);
    const seen = twin === undefined ? before.look(id, mark) : twin === mark ? "same" : "other";
    if (seen === "other") faults.push(`${place}: ${isTaken(id)}`);
    if (seen === "new") news.push({ outcome, mark, place, content, isNamed: parsed.data.id !== undefined });
  }
  if (faults.length === 0) {
    const stood = (await before.ask({ outcomes: news.flatMap(({ outcome, isNamed }) => (isNamed ? outcome.id : [])) })).outcomes;
    news = news.filter(({ outcome, mark, place, content }) => {
      const stands = stood.get(outcome.id);
      if (stands === undefined) return before.look(outcome.id, mark) === "new";
      const later = toFinished(content, outcome.id, { ...edge, nowMs: edge.nowMs + 1 }).outcome ?? outcome;
      if (seenOutcome(stands, outcome, later) === "other") faults.push(`${place}: ${isTaken(outcome.id)}`);
      return false;
    });
  }
  if (faults.length > 0) throw malformed(listOf(faults, placed.length));
  return { news, ids, begins, spent };
}

/** A statement that is new so far, as it was said. */
interface Named {
  readonly place: string;
  readonly content: FinishedWanted;
  readonly isNamed: boolean;
}

const isTaken = (id: string): string => `id: ${JSON.stringify(id)} stands for another statement already; a revision needs an id of its own`;

/** What a task is and what it cost is said once, on whichever of its lines. @returns what is wrong with this one. */
function addTo(
  begins: Map<string, Begins & { readonly place: string }>,
  spent: Map<string, Spent & { readonly place: string }>,
  finished: Finished,
  place: string,
): string | null {
  if (finished.begins !== null) {
    const { task } = finished.begins.task.attribution;
    const before = begins.get(task as string);
    if (before === undefined || (finished.begins.isDescribed && !before.isDescribed))
      begins.set(task as string, { ...finished.begins, place });
    else {
      const field = otherwise(before.task.attribution, finished.begins.task.attribution);
      if (field !== null) return `${field}: ${before.place} says another of ${JSON.stringify(task)}`;
    }
  }
  if (finished.spent !== null) {
    const { task, costPico } = finished.spent;
    const before = spent.get(task);
    if (before === undefined || before.costPico === null) spent.set(task, { ...finished.spent, place });
    else if (costPico !== null && costPico !== before.costPico)
      return `cost: ${before.place} says ${formatUsd(before.costPico)} of ${JSON.stringify(task)}: say what a task cost once, all of it together`;
  }
  return null;
}

/** The first field of which both say something, and not the same. */
function otherwise(before: Attribution, now: Attribution): string | null {
  const field = attributionFields.find((name) => before[name] !== null && now[name] !== null && before[name] !== now[name]);
  if (field !== undefined) return field;
  const [first, second] = [before.tags["case"], now.tags["case"]];
  return first !== undefined && second !== undefined && first !== second ? "case" : null;
}

/** What is wrong with one statement. */
function describe(error: z.ZodError, said: unknown): string {
  const { cells, columns } = (said ?? {}) as { readonly cells?: unknown; readonly columns?: unknown };
  if (typeof cells === "number") return `it has ${cells} cells, and the first line names ${String(columns)} columns`;
  return faultsOf(error, 3).join(", ");
}

export function listOf(faults: readonly string[], all: number): string {
  const more = faults.length > faultsMax ? `; and ${faults.length - faultsMax} more` : "";
  return `${faults.length} of ${all} outcomes are wrong, and none was recorded: ${faults.slice(0, faultsMax).join("; ")}${more}`;
}

export function malformed(detail: string, cause?: unknown): PennyworthError {
  return new PennyworthError("request_malformed", { detail }, cause);
}
