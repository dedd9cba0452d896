// Many statements at once, each with its place: all of them, or what is wrong with each. Not here: HTTP, the journal, what one means (said.ts).
// Invariant: where one is wrong there is no result at all.

import { randomUUID } from "node:crypto";
import type { z } from "@hono/zod-openapi";
import type { Outcome } from "../core/outcome.ts";
import { PennyworthError } from "../error.ts";
import { type Known, markOf } from "./known.ts";
import { type Edge, taskOutcomeWanted, toOutcome } from "./said.ts";

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

/** After so many the calls that wait have their turn. */
const atOnce = 200;

/**
 * @param look whether an id was said before.
 * @returns ids of all of them in their order, and the statements that are new.
 * @throws PennyworthError `request_malformed` with every wrong line.
 */
export async function readPlaced(
  placed: readonly Placed[],
  edge: Edge,
  look: Known["look"],
): Promise<{ readonly news: News[]; readonly ids: string[] }> {
  const faults: string[] = [];
  const ids: string[] = [];
  const news: News[] = [];
  const within = new Map<string, string>();
  for (const [index, { place, said }] of placed.entries()) {
    if (index % atOnce === atOnce - 1) await new Promise((resolve) => setImmediate(resolve));
    const parsed = taskOutcomeWanted.safeParse(said);
    if (!parsed.success) {
      faults.push(`${place}: ${describe(parsed.error, said)}`);
      continue;
    }
    const id = parsed.data.id ?? `outcome_${randomUUID()}`;
    const content = { ...parsed.data, id };
    ids.push(id);
    const [twin, mark] = [within.get(id), markOf(content)];
    within.set(id, mark);
    const seen = twin === undefined ? look(id, mark) : twin === mark ? "same" : "other";
    if (seen === "other")
      faults.push(`${place}: id: ${JSON.stringify(id)} stands for another statement already; a revision needs an id of its own`);
    if (seen !== "new") continue;
    try {
      news.push({ outcome: toOutcome(content, content.task, id, edge), mark });
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      faults.push(`${place}: ${cause.message}`);
    }
  }
  if (faults.length > 0) throw malformed(listOf(faults, placed.length));
  return { news, ids };
}

/** What is wrong with one statement. */
function describe(error: z.ZodError, said: unknown): string {
  const { cells, columns } = (said ?? {}) as { readonly cells?: unknown; readonly columns?: unknown };
  if (typeof cells === "number") return `it has ${cells} cells, and the first line names ${String(columns)} columns`;
  return error.issues
    .slice(0, 3)
    .map((issue) => {
      const place = issue.path.join(".");
      if (issue.code === "unrecognized_keys") return `unknown ${issue.keys.map((name) => JSON.stringify(name)).join(", ")}`;
      return place === "" ? issue.message : `${place}: ${issue.message}`;
    })
    .join(", ");
}

function listOf(faults: readonly string[], all: number): string {
  const more = faults.length > faultsMax ? `; and ${faults.length - faultsMax} more` : "";
  return `${faults.length} of ${all} outcomes are wrong, and none was recorded: ${faults.slice(0, faultsMax).join("; ")}${more}`;
}

export function malformed(detail: string, cause?: unknown): PennyworthError {
  return new PennyworthError("request_malformed", { detail }, cause);
}
