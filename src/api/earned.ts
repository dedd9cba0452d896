// What customers pay, as shapes: what is said of it, and what is shown. Not here: routes (revenue.ts), files (ingest/revenue.ts). Invariants: what cannot be is
// refused by its name, with what is allowed; no name of a customer goes on, only its token.

import { z } from "@hono/zod-openapi";
import { attributionLimits } from "../core/call.ts";
import { formatUsd, parseUsd, type Pico } from "../core/money.ts";
import { faultOf, type Revenue } from "../core/revenue.ts";
import type { RevenueRecord } from "../ledger/margin.ts";
import type { NamesAccess } from "./context.ts";
import { toId, toName } from "./names.ts";
import { readTime } from "./query.ts";
import { isBeyond } from "./said.ts";
import { count, ms, text, usd } from "./schema.ts";

const label = z
  .string()
  .trim()
  .max(attributionLimits.valueLengthMax, `longer than ${attributionLimits.valueLengthMax} characters`)
  .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, "has a control character, or half of one");
const said = label.nullable().optional();
const date = z
  .string({
    error: ({ input }) => `${input === undefined ? "it is missing: " : ""}expected a day, as text, such as 2026-11-01`,
  })
  .max(100);

export const revenueWanted = z
  .strictObject({
    id: label.min(1, "is empty: give an id, or leave it out").optional().describe("Sent again, it counts once. Made up unless given."),
    customer: said.describe("Who pays, as calls name it in x-pennyworth-customer; kept as a token. Left out: nobody in particular."),
    plan: said.describe("The plan it is paid for."),
    feature: said.describe("The feature it is paid for, where it is paid for one."),
    amount: z
      .union([z.string().max(100), z.number()], { error: 'expected dollars, as text ("49.00") or a number' })
      .nullable()
      .optional()
      .describe(
        "Dollars; below zero for a refund or a credit, with its end. Left out: what the plan costs a month by the settings (plans).",
      ),
    every: z
      .enum(["once", "month"], { error: "expected once or month" })
      .nullable()
      .optional()
      .describe("`once`: for the whole span; `month`: for each calendar month. `once` where amount and to are both given, else `month`."),
    from: date.describe("The first day, UTC: 2026-11-01."),
    to: date.nullable().optional().describe("The day after the last. Left out: it goes on, month by month."),
  })
  .openapi("RevenueWanted");

export type RevenueWanted = z.infer<typeof revenueWanted>;

export const revenueShown = z
  .object({
    id: z.string(),
    customer: text,
    plan: text,
    feature: text,
    every: z.enum(["once", "month"]),
    amount: usd,
    fromMs: ms,
    toMs: ms.nullable().openapi({ description: "Exclusive; null: it goes on." }),
    bookedMs: ms,
    witness: z.string().openapi({ description: "Who says so: declared, csv, stripe, settings (the plan's price)." }),
    voidedMs: ms.nullable().openapi({ description: "Since when it counts for nothing; null: it counts." }),
  })
  .openapi("Revenue");

export const revenueMade = revenueShown
  .extend({ notes: z.array(z.string()).openapi({ description: "What it lacks to stand in a line of margins." }) })
  .openapi("RevenueMade");

export const revenueImported = z
  .object({
    recorded: count.openapi({ description: "Amounts that are on record now." }),
    known: count.openapi({ description: "Those that were on record already, and are counted once." }),
    voided: count.openapi({ description: "Those that were voided before, and stay so." }),
    notes: z.array(z.string()).openapi({ description: "What of the file was left out, and why; what is in no line of margins." }),
    ids: z.array(z.string()).openapi({ description: "Of all of them, in their order." }),
  })
  .openapi("RevenueImported");

/** What of the world a statement needs. */
export interface Payers {
  readonly names: Pick<NamesAccess, "token" | "tokenOf" | "seal">;
  /** Dollars a month, by plan. */
  readonly plans: Readonly<Record<string, { readonly monthly: string }>>;
  readonly nowMs: number;
  readonly key: string | null;
}

/** The name of its customer is not learnt: see `learn`. @throws RangeError with the field and what is wrong with it. */
export function toRevenue(wanted: RevenueWanted, id: string, witness: string, { names, plans, nowMs, key }: Payers): Revenue {
  const plan = wanted.plan || null;
  const customer = wanted.customer || null;
  const isSaid = wanted.amount !== null && wanted.amount !== undefined;
  const planned = plan !== null && Object.hasOwn(plans, plan) ? plans[plan]?.monthly : undefined;
  const amount = isSaid ? String(wanted.amount) : planned;
  if (amount === undefined)
    throw new RangeError(
      plan === null
        ? "amount: it is missing, and no plan is named"
        : `amount: it is missing, and the settings have no price of the plan ${JSON.stringify(plan)} (plans.${plan}.monthly)`,
    );
  const every = wanted.every ?? (isSaid && wanted.to ? "once" : "month");
  if (!isSaid && every === "once") throw new RangeError("amount: a plan's price is for a month, and every is once: say the amount");
  const amountPico = toPicos(amount, typeof wanted.amount === "string");
  if (amountPico < 0n && !wanted.every && !wanted.to)
    throw new RangeError(
      `amount: ${amount} is below zero and would be taken off every month for ever: say its end (to: of a refund the day after its day), or every month if that is meant`,
    );
  const terms = {
    every,
    amountPico,
    fromMs: toDay("from", wanted.from, nowMs),
    toMs: wanted.to ? toDay("to", wanted.to, nowMs) : null,
  };
  if (isSaid && isBeyond(wanted.amount as string | number))
    throw new RangeError(`amount: ${wanted.amount} has more digits than a number keeps: send it as text`);
  const fault = faultOf(terms);
  if (fault !== null) throw new RangeError(fault);
  return {
    id: toId(id, names),
    customer: customer === null || tokenShape.test(customer) ? customer : names.tokenOf(customer),
    plan,
    feature: wanted.feature || null,
    ...terms,
    bookedMs: nowMs,
    witness: isSaid ? witness : "settings",
    key,
  };
}

/** Said of nothing that a line of margins is about: it counts in the sums of all and in no line. */
export function isNobodys({ customer, plan, feature }: Revenue): boolean {
  return customer === null && plan === null && feature === null;
}

/** @param count of amounts that are nobody's. */
export function nobodysNotes(count: number): string[] {
  if (count === 0) return [];
  return [
    `${count === 1 ? "1 amount names" : `${count} amounts name`} neither customer, plan nor feature: counted in the revenue of all, and in no line of margins.`,
  ];
}

/** The name of a customer whose revenue goes on record. */
export function learn({ customer }: RevenueWanted, names: Pick<NamesAccess, "token">): void {
  if (customer && !tokenShape.test(customer)) names.token(customer);
}

const words = ({ customer, plan, feature, every, amountPico, fromMs, toMs }: Revenue): string =>
  JSON.stringify([customer, plan, feature, every, amountPico.toString(), fromMs, toMs]);

/** Whether two statements say the same, whenever and by whichever way they were made. */
export function isSame(a: Revenue, b: Revenue): boolean {
  return words(a) === words(b);
}

export async function toShown(
  { revenue: { amountPico, key: _key, ...rest }, voidedMs }: RevenueRecord,
  names: NamesAccess,
): Promise<z.infer<typeof revenueShown>> {
  return { ...rest, customer: await toName("customer", rest.customer, names), amount: formatUsd(amountPico), voidedMs };
}

const tokenShape = /^n_[0-9a-f]{16}$/;

/** @param isText as somebody wrote it: a program's number may have an exponent, in a file `1e3` is a slip. */
function toPicos(amount: string, isText: boolean): Pico {
  try {
    if (isText && /e/i.test(amount)) throw new RangeError("an exponent");
    return parseUsd(amount);
  } catch (cause) {
    throw new RangeError(`amount: ${JSON.stringify(amount)} is none: expected dollars with at most twelve decimals, such as 49.00`, {
      cause,
    });
  }
}

function toDay(field: string, said: string, nowMs: number): number {
  const atMs = readTime(said, nowMs);
  if (atMs === null) throw new RangeError(`${field}: ${JSON.stringify(said)} is no date: expected one such as 2026-11-01`);
  return atMs;
}
