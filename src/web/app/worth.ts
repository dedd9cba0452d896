// What the page "Worth it?" asks and is answered, and how its form stands in the address: under the names of the command line's options, so that an
// address, a line for the terminal and a question to the API are one and the same. Not here: what is reckoned (the API does), the page. Invariant:
// what is typed and not understood is sent as it is, so that the API can say why.

import type { Search } from "./search.ts";
import { many, one } from "./search.ts";

export type VerdictKind = "go" | "no" | "not_enough_data";

export interface Expected {
  readonly p: number;
  readonly agent: string;
  readonly parts: Readonly<Record<"run" | "review" | "cleanup" | "redo" | "damage", string>>;
  readonly other: string;
  readonly saved: string;
  readonly savedPercent: string | null;
  readonly peopleHours: number;
  readonly savedHours: number | null;
}

export interface Expectations {
  readonly perTask: Expected;
  readonly all: Expected;
}

export interface Known {
  readonly low: number;
  readonly at: number | null;
  readonly high: number;
  readonly kind: "said" | "range" | "counted";
  readonly successes: number | null;
  readonly tasks: number | null;
  readonly confidence: number | null;
}

export interface BreakEven {
  readonly kind: "at" | "always" | "never";
  readonly p: number | null;
}

export interface Bar {
  readonly input: string;
  readonly unit: "share" | "minutes" | "dollars" | "dollars_per_hour";
  readonly now: number | string;
  readonly low: number | string;
  readonly high: number | string;
  readonly lowCost: string;
  readonly highCost: string;
  readonly width: string;
  readonly flips: boolean;
  readonly turnsAt: number | string | null;
}

export interface GdpvalWay {
  readonly minutes: number | null;
  readonly cost: string | null;
  readonly speedup: number | null;
  readonly saving: number | null;
}

type From = "said" | "ledger" | "none";

export interface Worth {
  readonly tasks: number;
  readonly verdict: VerdictKind;
  readonly reason: string;
  readonly summary: string;
  readonly success: Known | null;
  readonly breakEven: BreakEven;
  readonly moreTasks: { readonly likely: number | null; readonly least: number } | null;
  readonly basis: { readonly p: number; readonly of: "said" | "observed" | "middle" } | null;
  readonly expected: {
    /** null: no bound, for the ledger has too few tasks to say one. */
    readonly low: Expectations | null;
    readonly basis: Expectations;
    readonly high: Expectations;
  } | null;
  readonly review: {
    readonly pays: boolean;
    readonly cost: string;
    readonly gain: string;
    readonly belowP: number | null;
    readonly isHarmless: boolean;
  } | null;
  readonly sensitivity: { readonly p: number; readonly base: string; readonly bars: readonly Bar[] } | null;
  readonly dearer: {
    readonly p: number;
    readonly isAssumed: boolean;
    readonly saved: string;
    readonly savedLow: string | null;
    readonly savedHigh: string | null;
    readonly needed: BreakEven;
    readonly reviewMinutes: number | null;
    readonly cost: string | null;
    readonly expected: Expected;
  } | null;
  readonly gdpval: { readonly once: GdpvalWay; readonly untilAccepted: GdpvalWay } | null;
  readonly used: {
    readonly cost: { readonly value: string; readonly from: From };
    readonly reviewMinutes: { readonly value: number; readonly from: From };
    readonly success: { readonly from: From };
  };
  readonly ledger: {
    readonly type: string;
    readonly agent: string | null;
    readonly successes: number;
    readonly failures: number;
    readonly unknown: number;
    readonly open: number;
    readonly costInterval: { readonly low: string; readonly high: string | null } | null;
    readonly reviewed: number;
    readonly reviewInterval: { readonly low: number; readonly high: number } | null;
  } | null;
  readonly notes: readonly string[];
}

export type Class = "person" | "risky" | "review" | "sweet";

export interface Point {
  readonly type: string;
  readonly minutes: number | null;
  readonly reviewMinutes: number | null;
  readonly cost: string | null;
  readonly damage: string | null;
  readonly from: Readonly<Record<"reviewMinutes" | "cost" | "success", From>>;
  readonly ratio: number | null;
  readonly success: Known | null;
  readonly classes: { readonly low: Class; readonly at: Class | null; readonly high: Class } | null;
  readonly isSettled: boolean;
  readonly mostDamage: string | null;
  readonly missing: readonly string[];
  readonly edge: readonly { readonly minutes: number; readonly reviewMinutes: number; readonly sweetMinutes: number | null }[];
}

export interface WorthMap {
  readonly points: readonly Point[];
  readonly untilMinutes: number;
  readonly truncated: boolean;
  readonly notes: readonly string[];
}

/** Fields of the form by the names of options, in the order of a line for the terminal. */
export const fieldNames = [
  "minutes",
  "rate",
  "value",
  "cost",
  "success",
  "review-minutes",
  "review-rate",
  "cleanup-minutes",
  "cleanup-rate",
  "cleanup",
  "detection",
  "damage",
  "irreversible",
  "unreviewed",
  "agent-minutes",
  "tasks",
  "dearer-cost",
  "dearer-success",
  "dearer-review-minutes",
  "from-ledger",
  "agent",
  "since",
] as const;

export type FieldName = (typeof fieldNames)[number];

/** A row of the map's list, as it is typed. */
export interface TypeRow {
  readonly type: string;
  readonly minutes: string;
  readonly review: string;
  readonly cost: string;
  readonly damage: string;
  readonly success: string;
}

export interface Draft {
  readonly fields: Readonly<Partial<Record<FieldName, string>>>;
  /** Nobody would do it otherwise: the value of a finished task stands against the agent. */
  readonly isAlone: boolean;
  readonly types: readonly TypeRow[];
  /** The ledger's types are on the map too. */
  readonly hasLedger: boolean;
}

/** Nine minutes a ticket at $32 an hour, six more where the agent fails: docs/worth.md. */
export const example: Draft = {
  fields: { minutes: "9", rate: "32", cost: "0.0585", success: "68%", "cleanup-minutes": "6", tasks: "3200" },
  isAlone: false,
  types: [],
  hasLedger: false,
};

export const noType: TypeRow = { type: "", minutes: "", review: "", cost: "", damage: "", success: "" };
const rowNames = ["type", "minutes", "review", "cost", "damage", "success"] as const;

export function toDraft(search: Search): Draft {
  const fields = Object.fromEntries(
    fieldNames.flatMap((name) => {
      const said = one(search[name]);
      return said === undefined ? [] : [[name, said]];
    }),
  );
  const types = many(search["type"]).map((text) => {
    const parts = text.split("|").map((part) => part.replaceAll("%7C", "|").replaceAll("%25", "%"));
    return Object.fromEntries(rowNames.map((name, index) => [name, parts[index] ?? ""])) as unknown as TypeRow;
  });
  return { fields, isAlone: one(search["against"]) === "nobody", types, hasLedger: one(search["types"]) === "ledger" };
}

/** What is empty is left out. */
export function toSearch({ fields, isAlone, types, hasLedger }: Draft): Record<string, string | readonly string[]> {
  const search: Record<string, string | readonly string[]> = {};
  if (isAlone) search["against"] = "nobody";
  for (const name of fieldNames) if ((fields[name] ?? "").trim() !== "") search[name] = fields[name] ?? "";
  const rows = types.map((row) => rowNames.map((name) => row[name].replaceAll("%", "%25").replaceAll("|", "%7C")).join("|"));
  if (rows.length > 0) search["type"] = rows;
  if (hasLedger) search["types"] = "ledger";
  return search;
}

/** What stands against the agent, and what else must be there before anything can be reckoned; empty: nothing more. */
export function missingOf({ fields, isAlone }: Draft): readonly FieldName[] {
  const needed: FieldName[] = isAlone ? ["value"] : ["minutes", "rate"];
  if (isEmpty(fields["from-ledger"])) needed.push("cost");
  return needed.filter((name) => isEmpty(fields[name]));
}

const isEmpty = (text: string | undefined): boolean => (text ?? "").trim() === "";

/** Options that do not hold in this form as it stands. */
function isOut(name: FieldName, { fields, isAlone }: Draft): boolean {
  if (isAlone ? name === "minutes" || name === "rate" : name === "value") return true;
  if (name.startsWith("dearer-") && isEmpty(fields["dearer-cost"])) return true;
  return (name === "agent" || name === "since") && isEmpty(fields["from-ledger"]);
}

/** The options of `pennyworth worth`. Where there is no person, an hour's rate is that of whoever checks and cleans up. */
export function toOptions(draft: Draft): readonly (readonly [string, string])[] {
  const { fields, isAlone } = draft;
  const { rate } = fields;
  const said: Draft["fields"] = isAlone && rate !== undefined ? { "review-rate": rate, "cleanup-rate": rate, ...fields } : fields;
  return fieldNames.flatMap((name) => {
    const text = said[name];
    return text === undefined || isEmpty(text) || isOut(name, draft) ? [] : [[name, text.trim()] as const];
  });
}

/** Where each option stands in the question. */
const places: Readonly<Record<FieldName, readonly [string, string?]>> = {
  minutes: ["person", "minutes"],
  rate: ["person", "rate"],
  value: ["value"],
  cost: ["agent", "cost"],
  success: ["agent", "success"],
  "review-minutes": ["agent", "reviewMinutes"],
  "review-rate": ["agent", "reviewRate"],
  "cleanup-minutes": ["agent", "cleanupMinutes"],
  "cleanup-rate": ["agent", "cleanupRate"],
  cleanup: ["agent", "cleanup"],
  detection: ["agent", "detection"],
  damage: ["agent", "damage"],
  irreversible: ["agent", "irreversible"],
  unreviewed: ["agent", "unreviewed"],
  "agent-minutes": ["agent", "minutes"],
  tasks: ["tasks"],
  "dearer-cost": ["dearer", "cost"],
  "dearer-success": ["dearer", "success"],
  "dearer-review-minutes": ["dearer", "reviewMinutes"],
  "from-ledger": ["fromLedger", "type"],
  agent: ["fromLedger", "agent"],
  since: ["fromLedger", "since"],
};

const texts: ReadonlySet<FieldName> = new Set(["from-ledger", "agent", "since"]);
const dollars: ReadonlySet<FieldName> = new Set([
  "rate",
  "value",
  "cost",
  "review-rate",
  "cleanup-rate",
  "cleanup",
  "damage",
  "irreversible",
  "dearer-cost",
]);

/** The question to `POST /api/v1/worth`. */
export function toQuestion(draft: Draft): Readonly<Record<string, unknown>> {
  const question: Record<string, unknown> = { agent: {} };
  for (const [option, said] of toOptions(draft)) {
    const name = option as FieldName;
    const value = texts.has(name)
      ? said
      : dollars.has(name)
        ? toDollars(said)
        : name.endsWith("success")
          ? toSuccess(said)
          : toNumber(said);
    const [first, second] = places[name];
    question[first] = second === undefined ? value : { ...(question[first] as object | undefined), [second]: value };
  }
  return question;
}

/** The question to `POST /api/v1/worth/map`: the form's own task first. null: nothing to place yet. */
export function toMapQuestion(draft: Draft): Readonly<Record<string, unknown>> | null {
  const { fields, types, hasLedger } = draft;
  const own = ownOf(draft);
  const rows = types.filter(({ type }) => !isEmpty(type));
  if (isEmpty(fields.rate) || draft.isAlone || (own === null && rows.length === 0 && !hasLedger)) return null;
  const ground = {
    rate: toDollars(fields.rate ?? ""),
    ...given("reviewRate", fields["review-rate"], toDollars),
    ...given("cleanupMinutes", fields["cleanup-minutes"], toNumber),
    ...given("cleanup", fields.cleanup, toDollars),
    ...given("detection", fields.detection, toNumber),
    ...given("irreversible", fields.irreversible, toDollars),
    // Empty is none, as the form has it: of its own task, and of every type that says nothing else.
    damage: isEmpty(fields.damage) ? "0" : toDollars(fields.damage ?? ""),
  };
  return {
    ...ground,
    types: [...(own === null ? [] : [own]), ...rows.map(toType)],
    ...(hasLedger ? { fromLedger: given("since", fields.since, String) } : {}),
  };
}

/** What the form's own task is called on the map. */
export const ownName = "This task";

function ownOf({ fields }: Draft): Readonly<Record<string, unknown>> | null {
  if (isEmpty(fields.minutes) || isEmpty(fields.cost)) return null;
  return {
    type: ownName,
    ...given("minutes", fields.minutes, toNumber),
    reviewMinutes: isEmpty(fields["review-minutes"]) ? 0 : toNumber(fields["review-minutes"] ?? ""),
    ...given("cost", fields.cost, toDollars),
    ...given("success", fields.success, toSuccess),
  };
}

function toType(row: TypeRow): Readonly<Record<string, unknown>> {
  return {
    type: row.type.trim(),
    ...given("minutes", row.minutes, toNumber),
    ...given("reviewMinutes", row.review, toNumber),
    ...given("cost", row.cost, toDollars),
    ...given("damage", row.damage, toDollars),
    ...given("success", row.success, toSuccess),
  };
}

function given(name: string, said: string | undefined, read: (text: string) => unknown): Readonly<Record<string, unknown>> {
  return said === undefined || isEmpty(said) ? {} : { [name]: read(said.trim()) };
}

function toDollars(text: string): string {
  return text.trim().replace(/^\$/, "");
}

/** `68%` is 0.68, by its digits; what is no number stays as it is. */
export function toNumber(text: string): number | string {
  const [, digits, sign] = /^\s*(-?\d{1,20}(?:\.\d{1,20})?)\s*(%?)\s*$/.exec(text) ?? [];
  if (digits === undefined) return text;
  return Number(sign === "%" ? `${digits}e-2` : digits);
}

/** `68%`, `60%..75%`, `41/60`. */
export function toSuccess(text: string): unknown {
  const [, low, high] = /^(.*?)\.\.(.*)$/.exec(text) ?? [];
  if (low !== undefined && high !== undefined) return { low: toNumber(low), high: toNumber(high) };
  const [, successes, tasks] = /^(.*?)\/(.*)$/.exec(text) ?? [];
  if (successes !== undefined && tasks !== undefined) return { successes: toNumber(successes), tasks: toNumber(tasks) };
  return toNumber(text);
}

/** What the API says of JSON, as the form has it: shares in per cent, dollars as they are typed. */
export function toFormWords(words: string): string {
  return words
    .replaceAll(/must be dollars as text, such as "([\d.]+)": from 0 to (\d+)/g, (_, such: string, most: string) => {
      return `must be dollars, such as ${such}: from 0 to ${most.replaceAll(/\B(?=(\d{3})+$)/g, ",")}`;
    })
    .replaceAll(/must be a probability, from 0 to 1(?:; (\S+) % is \d+(?:\.\d+)?)?/g, (_, typed?: string) => {
      return `must be from 0 to 100%${typed === undefined ? "" : `; ${typed} in a hundred is ${typed}%`}`;
    })
    .replaceAll(/must be a probability \(.*?\), a range \(.*?\) or counts \(.*?\)/g, "must be from 0 to 100%")
    .replaceAll("must not be above high", "at least must not be above at most");
}

/** What the API says of single fields, by option: it names them by their place in the question. */
export function errorsOf(message: string, isAlone = false): Readonly<Partial<Record<FieldName, string>>> {
  const found: Partial<Record<FieldName, string>> = {};
  for (const name of fieldNames) {
    const place = places[name].filter((part) => part !== undefined).join(".");
    const at = new RegExp(`(?:^|[ ;])${place.replaceAll(".", "\\.")}(?:\\.\\w+)?: ([^;]+)`).exec(message);
    if (at?.[1] !== undefined) found[name] = toFormWords(at[1].replace(/\.$/, ""));
  }
  // The form has one rate for both.
  const rate = found["cleanup-rate"] ?? found["review-rate"];
  return isAlone && rate !== undefined ? { ...found, rate } : found;
}
