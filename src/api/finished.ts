// A piece of finished work as one line of many says it: which task it was, what that was, what it cost elsewhere, and how it ended. Not here: tables
// and lists of such lines (sheet.ts, placed.ts), what of it is on record already (spent.ts). Invariant: a cost that is not known is no cost of zero.

import { z } from "@hono/zod-openapi";
import type { Attribution } from "../core/call.ts";
import { formatUsd, type Pico } from "../core/money.ts";
import type { Outcome, TaskBegun } from "../core/outcome.ts";
import { periodPicoMax } from "../core/period.ts";
import {
  amount,
  attributed,
  type Edge,
  outcomeFields,
  placeName,
  said,
  saysSomething,
  taskName,
  type TaskWanted,
  time,
  toOutcome,
  toTask,
} from "./said.ts";

/** Whom a cost is paid to of which nobody says so. */
export const elsewhere = "elsewhere";

/** What a line may say of a task besides how it ended: then it begins it. */
const attributedFields = Object.keys(attributed) as (keyof typeof attributed)[];
export const taskFields = [...attributedFields, "case", "reworkOf"] as const;
export const costFields = ["cost", "model", "provider"] as const;

const providerName = z
  .string()
  .transform((text) => text.trim())
  .pipe(z.string().regex(/^[a-z0-9-]{1,100}$/, "a provider's name has lower-case letters, digits and -"));

export const finishedWanted = z
  .strictObject({
    task: taskName,
    ...outcomeFields,
    ...attributed,
    case: said.describe("Which piece of work it is a try at: kept as the tag `case`."),
    reworkOf: placeName.describe("The task that it makes good: its cost is booked there."),
    began: time.nullable().optional().describe("When the task began; `at` unless told, else now."),
    cost: amount
      .refine((pico) => pico >= 0n, "below zero: nothing costs less than nothing")
      .refine((pico) => pico <= periodPicoMax, `more than ${formatUsd(periodPicoMax)} dollars`)
      .nullable()
      .optional()
      .describe("What it cost where no call of it is on record, dollars, all of it together. null: not known. Left out: nothing is said."),
    model: said.describe("Which model that was spent on."),
    provider: providerName.nullable().optional().describe(`Whom that was paid to; \`${elsewhere}\` unless told.`),
  })
  .superRefine((one, check) => {
    const isCost = one.cost !== undefined;
    for (const path of ["model", "provider"] as const)
      if (!isCost && (one[path] ?? "") !== "")
        check.addIssue({
          code: "custom",
          path: [path],
          message: "says what a cost is of, and there is none: of one that is not known, cost is empty",
        });
    const describes = taskFields.some((field) => (one[field] ?? "") !== "") || (one.began ?? "") !== "";
    if (!saysSomething(one) && !describes && !isCost)
      check.addIssue({ code: "custom", message: "says nothing: give result, value or reviewMinutes, what the task is, or its cost" });
  })
  .openapi("TaskOutcomeWanted");

export type FinishedWanted = z.infer<typeof finishedWanted>;

/** What a task cost elsewhere. */
export interface Spent {
  readonly task: string;
  /** null: not known. */
  readonly costPico: Pico | null;
  readonly provider: string;
  readonly model: string | null;
  readonly attribution: Attribution;
  /** When the task began, ms UTC. */
  readonly atMs: number;
  readonly key: string | null;
}

/** How a task begins, and whether anything was said of it: a cost alone begins only what nobody has heard of. */
export interface Begins {
  readonly task: TaskBegun;
  readonly isDescribed: boolean;
}

export interface Finished {
  /** null: the line only says how it ended. */
  readonly begins: Begins | null;
  /** null: nothing is said of a cost. */
  readonly spent: Spent | null;
  /** null: nothing is said of how it ended. */
  readonly outcome: Outcome | null;
}

/** @throws RangeError with the field and what is wrong with it. */
export function toFinished(wanted: FinishedWanted, id: string, edge: Edge): Finished {
  const { task, cost, model, provider, began } = wanted;
  const outcome = saysSomething(wanted) ? toOutcome(wanted, task, id, edge) : null;
  const isDescribed = taskFields.some((field) => (wanted[field] ?? "") !== "") || (began ?? "") !== "";
  if (!isDescribed && cost === undefined) return { begins: null, spent: null, outcome };
  const fields = Object.fromEntries(attributedFields.map((field) => [field, wanted[field]])) as Pick<TaskWanted, keyof typeof attributed>;
  const tags = (wanted.case ?? "") === "" ? {} : { tags: { case: wanted.case as string } };
  const begun = toTask({ ...fields, ...tags, reworkOf: wanted.reworkOf, began: (began ?? "") === "" ? wanted.at : began }, task, edge);
  return {
    begins: { task: begun, isDescribed },
    spent:
      cost === undefined
        ? null
        : {
            task,
            costPico: cost,
            provider: provider ?? elsewhere,
            model: (model ?? "") === "" ? null : (model as string),
            attribution: begun.attribution,
            atMs: begun.beganMs,
            key: edge.caller.key,
          },
    outcome,
  };
}

/** What of a line is the statement alone: by this it is known again. */
export function statementOf({ task, result, value, reviewMinutes, judge, source, reason, at, id }: FinishedWanted): object {
  return { task, result, value, reviewMinutes, judge, source, reason, at, id };
}
