// What questions about tasks one by one share: which of them are asked for, how many at most, and as what they come. Not here: what follows from them
// (compare.ts, odds.ts). Invariant: what is left out of an answer is counted in it.

import { z } from "@hono/zod-openapi";
import { type TaskField, taskFields } from "../ledger/store.ts";
import type { OddsQuery } from "../ledger/tries.ts";
import type { ApiContext } from "./context.ts";
import { toTokens } from "./names.ts";
import { parseFiltersOf, parseLimit, parsePast, parseZone } from "./query.ts";
import { count, filter, fresh, ms, text, time, usd, zone } from "./schema.ts";
import { parseTaskField } from "./success.ts";

/** Of what has a bound as it is asked for; unless told, all are looked at. */
const limitMax = 1_000_000;

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
    .openapi({ description: `Most tasks looked at, the latest, 1 to ${limitMax}; all unless told.` }),
  fresh,
};

export const trialsAnswer = {
  by: z.string(),
  type: text.openapi({ description: "null: of all types." }),
  sinceMs: ms.nullable(),
  untilMs: ms.nullable(),
  zone: z.string(),
  tasks: count.openapi({ description: "That were looked at." }),
  truncated: z.boolean().openapi({ description: "There are more tasks than `limit`: these are the latest." }),
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

/** What is asked of the store, and what of it the answer says again. */
export interface TriesAsked {
  readonly query: Omit<OddsQuery, "most">;
  readonly told: {
    readonly by: TaskField;
    readonly type: string | null;
    readonly sinceMs: number | null;
    readonly untilMs: number | null;
    readonly zone: string;
  };
}

/** @throws PennyworthError `query_invalid`, which names what is wrong. */
export function parseTries(context: ApiContext, asked: TrialsAsked, usual: TaskField): TriesAsked {
  const nowMs = context.now();
  const by = asked.by === undefined || asked.by === "" ? usual : parseTaskField(asked.by.trim());
  const span = parsePast(asked, nowMs, parseZone(asked.zone, nowMs));
  const said = parseFiltersOf(asked.filter, parseTaskField);
  const type = asked.type === undefined ? [] : [{ field: "type", value: asked.type === "" ? null : asked.type, operator: "=" } as const];
  const filters = toTokens([...said, ...type], context.names) as typeof said;
  const limit = asked.limit === undefined ? null : parseLimit(asked.limit, limitMax, limitMax);
  return {
    query: { by, ...span, filters, nowMs: context.entryMs(), openMs: context.openMs, limit },
    told: { by, type: asked.type ?? null, ...span, zone: asked.zone ?? "UTC" },
  };
}

/** Calls that wait have their turn. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What tasks can be told apart by, for documents. */
export const fieldsText = taskFields.join(", ");
