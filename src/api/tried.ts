// What questions about tasks one by one share: which of them are asked for, how many at most, and as what they come. Not here: what follows from them
// (compare.ts, odds.ts). Invariant: what is left out of an answer is counted in it.

import { z } from "@hono/zod-openapi";
import { parseUsd } from "../core/money.ts";
import type { Tried } from "../economics/contest.ts";
import { type TaskField, taskFields } from "../ledger/store.ts";
import type { Trial } from "../ledger/trials.ts";
import type { ApiContext } from "./context.ts";
import { toName, toTokens } from "./names.ts";
import { parseFilters, parseLimit, parseSpan, parseZone } from "./query.ts";
import { count, filter, fresh, ms, text, time, usd, zone } from "./schema.ts";
import { parseTaskField } from "./success.ts";

/** Tasks of one answer: as many as unless told are read and weighed within half a second. */
const trialsUsual = 50_000;
export const trialsMax = 100_000;

export const share = z.number().openapi({ description: "0 to 1." });

export const trialsQuery = {
  by: z.string().optional(),
  type: z
    .string()
    .max(1_024)
    .optional()
    .openapi({ description: "Tasks of this type alone; empty: those without one.", example: "resolve-ticket" }),
  since: time("From this beginning of a task on."),
  until: time("Before this beginning of a task."),
  filter,
  zone,
  limit: z
    .string()
    .optional()
    .openapi({ description: `Most tasks looked at, the latest, 1 to ${trialsMax}; ${trialsUsual} unless told.` }),
  fresh,
};

export const trialsAnswer = {
  by: z.string(),
  type: text.openapi({ description: "null: of all types." }),
  sinceMs: ms.nullable(),
  untilMs: ms.nullable(),
  zone: z.string(),
  tasks: count.openapi({ description: "That were looked at." }),
  truncated: z.boolean().openapi({ description: "There are more tasks: these are the latest." }),
};

/** An estimate between two ends of 95 %. A high end of null: no upper bound. */
export const amounts = z.object({ low: usd, high: usd.nullable() });

export interface TrialsAsked {
  readonly by?: string | undefined;
  readonly type?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly filter?: string | readonly string[] | undefined;
  readonly zone?: string | undefined;
  readonly limit?: string | undefined;
}

export interface TrialsFound {
  readonly by: TaskField;
  readonly type: string | null;
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly zone: string;
  readonly trials: readonly Trial[];
  readonly truncated: boolean;
  readonly position: Awaited<ReturnType<ApiContext["ledger"]["trials"]>>["position"];
}

/** @throws PennyworthError `query_invalid`, which names what is wrong. */
export async function findTrials(context: ApiContext, asked: TrialsAsked, usual: TaskField): Promise<TrialsFound> {
  const nowMs = context.now();
  const by = asked.by === undefined || asked.by === "" ? usual : parseTaskField(asked.by.trim());
  const span = parseSpan(asked, nowMs, parseZone(asked.zone, nowMs));
  const said = parseFilters(asked.filter).map(({ field, value, operator }) => ({ field: parseTaskField(field), value, operator }));
  const type = asked.type === undefined ? [] : [{ field: "type", value: asked.type === "" ? null : asked.type, operator: "=" } as const];
  const limit = parseLimit(asked.limit, trialsUsual, trialsMax);
  const filters = toTokens([...said, ...type], context.names) as typeof said;
  const found = await context.ledger.trials({ by, ...span, filters, nowMs: context.entryMs(), openMs: context.openMs, limit });
  return { by, type: asked.type ?? null, ...span, zone: asked.zone ?? "UTC", ...found };
}

/** Candidates by the names that people know, in the order of the store. Those of whom nothing was said are under null. */
export async function byCandidate(
  { by, trials }: Pick<TrialsFound, "by" | "trials">,
  context: ApiContext,
): Promise<ReadonlyMap<string | null, readonly Trial[]>> {
  const found = new Map<string | null, Trial[]>();
  for (const trial of trials) {
    const mine = found.get(trial.candidate);
    if (mine === undefined) found.set(trial.candidate, [trial]);
    else mine.push(trial);
  }
  const named = new Map<string | null, readonly Trial[]>();
  for (const [candidate, mine] of found) named.set(await toName(by, candidate, context.names), mine);
  return named;
}

export function toTried({ case: of, task, ending, cost }: Trial): Tried {
  // A task that is a piece of work of its own can have the name of another's.
  return { case: of === null ? `task ${task}` : `case ${of}`, ending, costPico: cost === null ? null : parseUsd(cost) };
}

/** Calls that wait have their turn. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What tasks can be told apart by, for documents. */
export const fieldsText = taskFields.join(", ");
