// Budgets on the way in and out of the control API: the words of the settings file, with names where the ledger has tokens and ids. Not here:
// routes. Invariant: what an answer says of a budget's terms can be sent back, and means the same.

import { z } from "@hono/zod-openapi";
import type { BudgetField, Measure } from "../core/budget.ts";
import { formatUsd } from "../core/money.ts";
import { PennyworthError } from "../error.ts";
import type { BudgetView, Standing } from "../guard/access.ts";
import { type Edges, type Terms, writeTerms } from "../guard/settings.ts";
import { nearest } from "../near.ts";
import { sandboxRecord } from "../providers/table.ts";
import { budgetTerms, rateTerms } from "../terms.ts";
import type { ApiContext } from "./context.ts";
import { count, ms } from "./schema.ts";

export const amount = z.string().openapi({ description: "In the budget's measure: dollars, exactly, or a whole number.", example: "12.5" });
export const measure = z.enum(["money", "tokens", "calls", "open"]).openapi({ description: "open: calls that are under way at once." });
export const values = z
  .array(z.string())
  .openapi({ description: "Of the fields of `each`, in their order; none without them.", example: ["Acme"] });
export const which = z
  .record(z.string().max(20), z.string().min(1).max(1_000))
  .openapi({ description: "Fields and their values, by name: team, customer, …", example: { customer: "Acme" } });

export const terms = z
  .discriminatedUnion("kind", [
    budgetTerms.extend({ kind: z.literal("budget") }).openapi("BudgetTerms"),
    rateTerms.extend({ kind: z.literal("rate") }).openapi("RateTerms"),
  ])
  .openapi({ description: "As in the settings file." });

export const standing = z
  .object({
    values,
    fromMs: ms.nullable().openapi({ description: "The window under way; null: it has no such end." }),
    toMs: ms.nullable(),
    allowance: amount.openapi({ description: "The limit, with grants and what was carried over." }),
    granted: amount,
    carried: amount,
    spent: amount,
    held: amount.openapi({ description: "Set aside for calls under way, at what each may take at most." }),
    presumed: amount.openapi({ description: "Of calls of which nobody knows how they ended, at what each may have taken." }),
    left: amount.openapi({ description: "Below zero where more was taken than is allowed." }),
    usedPercent: z.int().nullable().openapi({ description: "What is not left, of the allowance, rounded down; null: nothing is allowed." }),
  })
  .openapi("Standing");

export const budget = z
  .object({
    id: z.string(),
    origin: z.enum(["settings", "api", "task"]).openapi({ description: "Who defined it. What the settings define is changed there." }),
    setMs: ms,
    measure,
    limit: amount,
    terms,
    standings: z.array(standing).openapi({ description: "The fullest first. With `each`, one for every value that was seen." }),
    total: count.openapi({ description: "How many standings there are." }),
  })
  .openapi("Budget");

export async function toShown(view: BudgetView, names: Named): Promise<z.infer<typeof budget>> {
  const { budget: of, origin, setMs, standings, total } = view;
  return {
    id: of.id,
    origin,
    setMs,
    measure: of.measure,
    limit: toText(of.limit, of.measure),
    terms: await nameTerms(writeTerms(of), names),
    standings: await Promise.all(standings.map((one) => toStanding(one, names))),
    total,
  };
}

async function toStanding({ budget: of, fromMs, toMs, ...one }: Standing, names: Named): Promise<z.infer<typeof standing>> {
  const text = (value: bigint): string => toText(value, of.measure);
  const used = one.allowance - one.left;
  return {
    values: await names.values(of.each, one.values),
    fromMs,
    toMs,
    allowance: text(one.allowance),
    granted: text(one.granted),
    carried: text(one.carried),
    spent: text(one.spent),
    held: text(one.held),
    presumed: text(one.presumed),
    left: text(one.left),
    usedPercent: one.allowance <= 0n ? null : Number((used * 100n) / one.allowance),
  };
}

export function toText(value: bigint, of: Measure): string {
  return of === "money" ? formatUsd(value) : String(value);
}

async function nameTerms(said: Terms, names: Named): Promise<Terms> {
  const named = { ...said, for: await names.record(said.for) };
  if (named.kind !== "rate" || named.shares === undefined) return named;
  const shares: Record<string, Record<string, number>> = {};
  for (const [field, of] of Object.entries(named.shares)) {
    const pairs = Object.entries(of).map(async ([value, most]) => [await names.value(field, value), most] as const);
    shares[field] = Object.fromEntries(await Promise.all(pairs));
  }
  return { ...named, shares };
}

/** Names in place of tokens and ids. What is forgotten, and a key that is gone, shows as it is on record. */
export interface Named {
  value(field: string | null, value: string): Promise<string>;
  values(fields: readonly BudgetField[] | null, values: readonly string[]): Promise<string[]>;
  record(scope: Readonly<Record<string, string | null>>): Promise<Record<string, string>>;
  /** Every token in a text. */
  text(text: string): Promise<string>;
}

const tokens = /\bn_[0-9a-f]{16}\b/g;

export async function namesOf(context: ApiContext): Promise<Named> {
  const keys = new Map((await context.keys.list()).map(({ id, name }) => [id, name]));
  const value = async (field: string | null, text: string): Promise<string> => {
    if (field === "key") return keys.get(text) ?? text;
    return /^n_[0-9a-f]{16}$/.test(text) ? ((await context.names.name(text)) ?? text) : text;
  };
  return {
    value,
    values: (fields, all) => Promise.all(all.map((one, index) => value(fields?.[index] ?? null, one))),
    record: async (scope) => {
      const said = Object.entries(scope).filter((pair): pair is [string, string] => pair[1] !== null);
      return Object.fromEntries(await Promise.all(said.map(async ([field, one]) => [field, await value(field, one)] as const)));
    },
    text: async (text) => {
      const found = new Map<string, string>();
      for (const [token] of text.matchAll(tokens)) found.set(token, (await context.names.name(token)) ?? token);
      return text.replace(tokens, (token) => found.get(token) ?? token);
    },
  };
}

/** What words mean in one request. */
export interface Learner extends Edges {
  /** Its names go into the map: what they are of is on record. What is refused teaches it none. */
  readonly learn: () => void;
}

export async function edgesOf(context: ApiContext): Promise<Learner> {
  const { providers, guard } = context.settings();
  const keys = (await context.keys.list()).filter(({ revokedMs }) => revokedMs === null);
  const heard = new Set<string>();
  return {
    token: (name) => {
      heard.add(name);
      return context.names.tokenOf(name);
    },
    learn: () => {
      for (const name of heard) context.names.token(name);
    },
    keys: new Map(keys.map(({ id, name }) => [name, id])),
    providers: new Set([...providers.map(({ name }) => name), sandboxRecord.name]),
    waits: guard.waitMsMax > 0,
  };
}

/** Reads what people wrote. @throws PennyworthError `budget_invalid` with what is wrong. */
export function orInvalid<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw cause instanceof RangeError ? new PennyworthError("budget_invalid", { detail: cause.message }, cause) : cause;
  }
}

/** @throws PennyworthError `budget_unknown`, with the nearest. */
export function requireBudget(id: string, context: ApiContext, standings: number): BudgetView {
  const found = context.guard.budget(id, standings);
  if (found !== null) return found;
  const near = nearest(
    id,
    context.guard.budgets(0).map((one) => one.budget.id),
    3,
  );
  throw new PennyworthError("budget_unknown", { id, near: near.length === 0 ? "" : ` Near it: ${near.join(", ")}.` });
}
