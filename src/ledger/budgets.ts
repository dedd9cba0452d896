// Entries of the guard as JSON text and back: budgets, grants, refusals, halts. Not here: calls and what they cost (codec.ts).
// Invariant: as in codec.ts, reading what was written gives the same entry; bigints are strings of digits, nulls and empty lists are left out.

import { type Budget, usualTerms } from "../core/budget.ts";
import type { Entry } from "../core/entry.ts";
import { toPico } from "../core/money.ts";
import type { Against, GuardMark } from "../core/refusal.ts";
import { readAttribution, some, type Written, type WrittenAttribution, writeAttribution } from "./fields.ts";

export type GuardEntry = Extract<
  Entry,
  {
    readonly kind:
      | "budget.set"
      | "budget.unset"
      | "budget.granted"
      | "budget.opened"
      | "refused"
      | "halted"
      | "resumed"
      | "presumed.settled";
  }
>;

/** What a JSON parser makes of the text of a guard's entry. */
// oxlint-disable-next-line typescript/no-explicit-any
export type WrittenGuardEntry = { readonly kind: GuardEntry["kind"]; readonly [field: string]: any };

export type WrittenMark = Written<GuardMark>;

export function writeMark(mark: GuardMark): WrittenMark {
  return { budgets: some(mark.budgets), uncovered: some(mark.uncovered), warned: some(mark.warned) };
}

export function readMark(mark: WrittenMark): GuardMark {
  return { budgets: mark.budgets ?? [], uncovered: mark.uncovered ?? [], warned: mark.warned ?? [] };
}

export function writeGuardEntry(entry: GuardEntry): object {
  if (entry.kind !== "refused") return plain(entry) as object;
  const { attribution, ...refused } = entry.refused;
  return {
    kind: entry.kind,
    refused: { ...(plain(refused) as object), attribution: writeAttribution(attribution) satisfies WrittenAttribution },
  };
}

/** Bigints as text; nulls and empty lists away. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== null && !(Array.isArray(one) && one.length === 0))
      .map(([name, one]) => [name, plain(one)]),
  );
}

export function readGuardEntry(json: WrittenGuardEntry): GuardEntry {
  switch (json.kind) {
    case "budget.set":
      return { kind: json.kind, atMs: json["atMs"], origin: json["origin"], budget: readBudget(json["budget"]) };
    case "budget.unset":
      return { kind: json.kind, atMs: json["atMs"], id: json["id"] };
    case "budget.granted": {
      const { grant } = json as unknown as { grant: Record<string, never> };
      return {
        kind: json.kind,
        grant: { ...grant, values: [], note: null, ...grant, amount: BigInt(grant["amount"] as unknown as string) } as never,
      };
    }
    case "budget.opened": {
      const openings = ((json["openings"] ?? []) as { values?: string[]; atMs: number; amount: string }[]).map((one) => ({
        values: one.values ?? [],
        atMs: one.atMs,
        amount: BigInt(one.amount),
      }));
      return { kind: json.kind, atMs: json["atMs"], id: json["id"], openings };
    }
    case "refused": {
      const said = json["refused"];
      const against = ((said.against ?? []) as Record<string, unknown>[]).map(readAgainst);
      return {
        kind: json.kind,
        refused: { ...said, key: said.key ?? null, model: said.model ?? null, attribution: readAttribution(said.attribution), against },
      };
    }
    case "halted":
      return { kind: json.kind, halt: { ...json["halt"], scope: json["halt"].scope ?? {}, note: json["halt"].note ?? null } };
    case "resumed":
      return { kind: json.kind, atMs: json["atMs"], id: json["id"], by: json["by"] };
    case "presumed.settled":
      return { kind: json.kind, atMs: json["atMs"], call: json["call"], costPico: toPico(BigInt(json["costPico"])), by: json["by"] };
  }
}

function readAgainst(said: Record<string, unknown>): Against {
  const { budget, values, left, limit, needed, resetsMs } = said as { [name: string]: string } & { values?: string[]; resetsMs?: number };
  return {
    budget: budget as string,
    values: values ?? [],
    left: BigInt(left as string),
    limit: BigInt(limit as string),
    needed: needed === undefined ? null : BigInt(needed),
    resetsMs: (resetsMs as number | undefined) ?? null,
  };
}

/** Terms that a budget of an older version does not name are the usual ones. */
export function readBudget(said: Record<string, unknown>): Budget {
  const { limit, carryMax, ...terms } = said as { limit: string; carryMax?: string } & Record<string, unknown>;
  return {
    ...usualTerms,
    // An empty list was left out.
    alerts: [],
    ...terms,
    limit: BigInt(limit),
    carryMax: carryMax === undefined ? null : BigInt(carryMax),
  } as unknown as Budget;
}

export const writeBudget = (budget: Budget): unknown => plain(budget);
