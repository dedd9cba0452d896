// What programs, checks and people say of tasks, as shapes: how one began, how it ended; into the ledger's words and out again. Not here: routes
// (outcomes.ts), tables (sheet.ts). Invariants: what cannot be is refused by its name, with what is allowed; no name of a customer, a user or
// a person who judges goes on, only its token.

import { z } from "@hono/zod-openapi";
import { type Attribution, attributionFields, attributionLimits, unattributed } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import { formatUsd, parseUsd, type Pico } from "../core/money.ts";
import { type Ending, judges, type Outcome, results, type TaskBegun } from "../core/outcome.ts";
import { dayMs } from "../core/time.ts";
import type { ApiContext, Caller, NamesAccess } from "./context.ts";
import { toName } from "./names.ts";
import { readTime } from "./query.ts";
import { count, ms, usd } from "./schema.ts";

const { valueLengthMax, tagsMax } = attributionLimits;
/** A trillion dollars: more is a mistake, and sums of it stay exact. */
const valueUsdMax = 1_000_000_000_000n;
/** A year of it. */
const reviewMinutesMax = 525_600;
/** A clock that is wrong by so much is believed. */
const aheadMsMax = dayMs;
const earliestMs = Date.UTC(2000, 0);

/** As a header brings it: nothing before or behind, and nothing said where nothing stands. */
const label = z
  .string()
  .transform((text) => text.replaceAll(/^[ \t]+|[ \t]+$/g, ""))
  .pipe(
    z
      .string()
      .max(valueLengthMax, `longer than ${valueLengthMax} characters`)
      .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, "has a control character, or half of one"),
  );
export const said = label.nullable().optional();
const id = label.pipe(z.string().min(1, "is empty: give an id, or leave it out"));
/** In an address, however it is written, these are steps: no task of such a name could be asked for. */
const isStep = (text: string): boolean => text === "." || text === "..";
const step = 'is "." or "..", which no address can name: give another';
export const taskName = label.pipe(z.string().min(1, "is empty: which task is meant?")).refine((text) => !isStep(text), step);
/** Of another task, where one is named at all. */
export const placeName = said.refine((text) => !isStep(text ?? ""), step);
export const time = z.union([z.string().max(100), z.number()], {
  error: "expected a time, as text (2026-11-21T12:00Z) or in ms since 1970",
});

export const attributed = {
  type: said.describe("What kind of work it is: resolve-ticket."),
  customer: said.describe("For whom. Kept as a token."),
  feature: said,
  agent: said.describe("Who does it."),
  team: said.describe("The team of the key unless told."),
  user: said.describe("Who asked for it. Kept as a token."),
  parent: placeName.describe("The task that it is a part of: enough, where that one's root is known or it is the root."),
  root: placeName.describe("The task that all of it belongs to; that of its parent unless told."),
  session: said,
  prompt: said.describe("The version of the prompt."),
  environment: said,
  project: said,
  branch: said,
} as const;

export const taskWanted = z
  .strictObject({
    id: id
      .refine((text) => !isStep(text), step)
      .optional()
      .describe("As in x-pennyworth-task. Made up unless given; the first of an id stands."),
    ...attributed,
    tags: z
      .record(id, label)
      .refine((tags) => Object.keys(tags).length <= tagsMax, `more than ${tagsMax} tags`)
      .optional(),
    reworkOf: placeName.describe("The task whose outcome did not last, and that this one makes good: its cost is booked there."),
    began: time.nullable().optional().describe("Now unless told."),
  })
  .openapi("TaskWanted");

/** Whether a number has more digits than it keeps: it is then not what was written. */
export function isBeyond(said: string | number): boolean {
  return typeof said === "number" && String(said).replaceAll(/e.*|\D|^[0.]+/g, "").length > 15;
}

/** Digits as they were written: of a number as JSON has it, the shortest that mean it. */
export const amount = z
  .union([z.string().max(100), z.number()], { error: 'expected dollars, as text ("12.50") or a number' })
  .transform((said, check): Pico => {
    let pico: Pico | null = null;
    try {
      pico = parseUsd(String(said));
    } catch (error) {
      const isFine = error instanceof RangeError && error.message.includes("finer");
      const message = isFine
        ? `${String(said)} is finer than a picodollar (12 decimals)${typeof said === "number" ? ": round it, or send it as text" : ""}`
        : `${JSON.stringify(said)} is no amount: expected dollars as a decimal number, such as 12.50`;
      check.addIssue({ code: "custom", message });
    }
    // Beyond that a number is not what was written.
    if (pico !== null && isBeyond(said))
      check.addIssue({ code: "custom", message: `${said} has more digits than a number keeps: send it as text` });
    const most = valueUsdMax * 1_000_000_000_000n;
    if (pico !== null && (pico > most || pico < -most))
      check.addIssue({ code: "custom", message: `${String(said)} is more than ${valueUsdMax.toLocaleString("en-US")} dollars` });
    return pico ?? (0n as Pico);
  });

export const outcomeFields = {
  result: z
    .enum(results, { error: `expected ${results.join(", ")}` })
    .nullable()
    .optional()
    .describe("Left out: it does not say, and only adds to what is known."),
  value: amount.nullable().optional().describe("What it was worth, dollars. A number is taken as its shortest decimal digits."),
  reviewMinutes: z
    .number({ error: "expected minutes, as a number" })
    .min(0, "below zero: no check takes less than no time")
    .max(reviewMinutesMax, `more than ${reviewMinutesMax} minutes, a year`)
    .nullable()
    .optional()
    .describe("What a person spent checking."),
  judge: z
    .enum(judges, { error: `expected ${judges.join(", ")}` })
    .default("self")
    .describe("Who says so. A person outweighs a check, and a check what the task says of itself."),
  source: said.describe("Which check, which program; of a person the name, which is kept as a token."),
  reason: label
    .pipe(z.string().regex(/^[^\s]{0,100}$/, "expected one word of at most 100 characters, such as tests_failed"))
    .nullable()
    .optional()
    .describe("Why, in a word: tests_failed."),
  at: time.nullable().optional().describe("When it was so; now unless told. Of two of the same source the later one stands."),
  id: id.optional().describe("Of the statement: sent again, it counts once. Made up unless given."),
} as const;

export const saysSomething = (one: { readonly [name in "result" | "value" | "reviewMinutes"]?: unknown }): boolean =>
  (one.result ?? one.value ?? one.reviewMinutes ?? null) !== null;
const nothingSaid = "says nothing: give result, value or reviewMinutes";

export const outcomeWanted = z.strictObject(outcomeFields).refine(saysSomething, nothingSaid).openapi("OutcomeWanted");

export type TaskWanted = z.infer<typeof taskWanted>;
export type OutcomeWanted = z.infer<typeof outcomeWanted>;

/** What of the world a statement needs. */
export interface Edge {
  /** Of these only the tokens are asked for: what is refused teaches the map no name (`hearing`). */
  readonly names: Pick<NamesAccess, "token" | "seal">;
  readonly caller: Caller;
  /** ms UTC. */
  readonly nowMs: number;
}

/** Names as one request says them: their tokens at once, and into the map only those of what it puts on record. */
export interface Heard extends Pick<NamesAccess, "token" | "seal"> {
  /** @throws PennyworthError `journal_unwritable`. */
  readonly record: ApiContext["record"];
}

export function hearing({ names, record }: Pick<ApiContext, "names" | "record">): Heard {
  const heard = new Map<string, string>();
  return {
    token: (name) => {
      const token = names.tokenOf(name);
      heard.set(token, name);
      return token;
    },
    seal: (text) => names.seal(text),
    record: (entry) => {
      record(entry);
      for (const token of tokensOf(entry)) {
        const name = heard.get(token ?? "");
        if (name !== undefined) names.token(name);
      }
    },
  };
}

function tokensOf(entry: Entry): readonly (string | null)[] {
  if (entry.kind === "outcome") return [entry.outcome.source];
  if (entry.kind !== "task.begun" && entry.kind !== "charge") return [];
  const { customer, user } = (entry.kind === "charge" ? entry.charge : entry.task).attribution;
  return [customer, user];
}

/** @throws RangeError with the field and what is wrong with it. */
export function toTask(wanted: TaskWanted, task: string, { names, caller, nowMs }: Edge): TaskBegun {
  const { id: _id, tags = {}, reworkOf, began, ...fields } = wanted;
  const attribution: { -readonly [field in keyof Attribution]: Attribution[field] } = { ...unattributed, task, tags };
  for (const field of attributionFields)
    if (field !== "task" && field !== "step") attribution[field] = orNull(fields[field]) ?? (field === "team" ? caller.team : null);
  attribution.customer = toToken(attribution.customer, names);
  attribution.user = toToken(attribution.user, names);
  if (attribution.parent === task) throw new RangeError("parent: it is the task itself");
  if (orNull(reworkOf) === task) throw new RangeError("reworkOf: a task cannot make itself good");
  return { attribution, beganMs: toMs("began", began, nowMs), reworkOf: orNull(reworkOf), key: caller.key };
}

/** @throws RangeError with the field and what is wrong with it. */
export function toOutcome(wanted: OutcomeWanted, task: string, outcome: string, { names, caller, nowMs }: Edge): Outcome {
  const source = orNull(wanted.source);
  const { reviewMinutes = null } = wanted;
  return {
    id: outcome,
    task,
    atMs: toMs("at", wanted.at, nowMs),
    result: wanted.result ?? null,
    judge: wanted.judge,
    source: wanted.judge === "person" ? toToken(source, names) : source,
    valuePico: wanted.value ?? null,
    reviewMillis: reviewMinutes === null ? null : Math.round(reviewMinutes * 60_000),
    reason: orNull(wanted.reason),
    key: caller.key,
  };
}

function orNull(text: string | null | undefined): string | null {
  return text === undefined || text === "" ? null : text;
}

const tokenShape = /^n_[0-9a-f]{16}$/;

/** As the gateway makes them of headers. */
function toToken(name: string | null, names: Edge["names"]): string | null {
  return name === null || tokenShape.test(name) ? name : names.token(name);
}

function toMs(field: string, said: string | number | null | undefined, nowMs: number): number {
  if (said === null || said === undefined || said === "") return nowMs;
  const ms = typeof said === "string" && !/^\d{9,}$/.test(said) ? readTime(said, nowMs) : Number(said);
  if (ms === null || !Number.isFinite(ms))
    throw new RangeError(
      `${field}: ${JSON.stringify(said)} is no time: expected 2026-11-21, 2026-11-21T12:00Z, an age (2h) or ms since 1970`,
    );
  if (ms < earliestMs)
    throw new RangeError(`${field}: ${JSON.stringify(said)} is before the year 2000: are these seconds, and no milliseconds?`);
  if (ms > nowMs + aheadMsMax) throw new RangeError(`${field}: ${JSON.stringify(said)} is more than a day ahead: ${toText(ms)}`);
  return Math.round(ms);
}

function toText(ms: number): string {
  return ms < 8_640_000_000_000_000 ? new Date(ms).toISOString() : "past all dates";
}

const text = z.string().nullable();
const result = z.enum(results);

export const statement = z
  .object({
    id: z.string(),
    atMs: ms,
    result: result.nullable(),
    judge: z.enum(judges),
    source: text,
    value: usd.nullable(),
    reviewMinutes: z.number().nullable(),
    reason: text,
    key: text.openapi({ description: "Id of the Pennyworth key that said it." }),
  })
  .openapi("Statement");

export const ending = z
  .object({
    result: result.openapi({ description: "Of the weightiest judge who knows, as it said last; unknown: nobody does." }),
    judge: z.enum(judges).nullable(),
    source: text,
    reason: text,
    atMs: ms.nullable(),
    self: result.nullable().openapi({ description: "What the task says of itself." }),
    checked: result.nullable().openapi({ description: "What checks and people say." }),
    isContradictory: z.boolean().openapi({ description: "Two sources differ, as they stand now, on success and failure." }),
    value: usd.nullable(),
    reviewMinutes: z.number().nullable().openapi({ description: "Of all sources together, each as it said last." }),
    statements: count,
  })
  .openapi("Ending");

export async function toStatement(outcome: Outcome, names: NamesAccess): Promise<z.infer<typeof statement>> {
  const { task: _task, source, valuePico, reviewMillis, ...rest } = outcome;
  return { ...rest, source: await toSource(source, outcome.judge, names), ...toValues(valuePico, reviewMillis) };
}

export async function toEnding({ source, valuePico, reviewMillis, ...rest }: Ending, names: NamesAccess): Promise<z.infer<typeof ending>> {
  return { ...rest, source: await toSource(source, rest.judge, names), ...toValues(valuePico, reviewMillis) };
}

function toValues(valuePico: Pico | null, reviewMillis: number | null) {
  return { value: valuePico === null ? null : formatUsd(valuePico), reviewMinutes: reviewMillis === null ? null : reviewMillis / 60_000 };
}

function toSource(source: string | null, judge: Outcome["judge"] | null, names: NamesAccess): Promise<string | null> {
  // What stands for a person is a token, as customers and users are.
  return judge === "person" ? toName("user", source, names) : Promise.resolve(source);
}
