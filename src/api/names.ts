// Names of people and customers, on the way in and out: the ledger holds tokens, people read and write names.
// Not here: the map itself (ledger/names.ts). Invariant: a forgotten name shows as its token, and is still one and the same group.

import type { Attribution } from "../core/call.ts";
import type { Filter, ReportField } from "../ledger/store.ts";
import type { NamesAccess } from "./context.ts";

const named: ReadonlySet<ReportField> = new Set(["customer", "user"]);
const token = /^n_[0-9a-f]{16}$/;

/** Whether values of this field are tokens that stand for names. */
export function isNamed(field: ReportField): boolean {
  return named.has(field);
}

/** Filters by name become filters by token. A question teaches the map no name. */
export function toTokens(filters: readonly Filter[], names: NamesAccess): Filter[] {
  return filters.map((filter) =>
    named.has(filter.field) && filter.value !== null && !token.test(filter.value)
      ? { ...filter, value: names.tokenOf(filter.value) }
      : filter,
  );
}

/** A value as people know it: the name behind a token, where there is one. */
export async function toName(field: ReportField, value: string | null, names: NamesAccess): Promise<string | null> {
  if (value === null || !named.has(field) || !token.test(value)) return value;
  return (await names.name(value)) ?? value;
}

/**
 * The id of a line that has none of its own is made of its words (`csv:` and their SHA-256), names among them, and a guess at a name could be tried on it: on record goes
 * one that only this data folder can make. Every other id stays as it is.
 */
export function toId(id: string, names: Pick<NamesAccess, "seal">): string {
  return /^csv:[0-9a-f]{64}$/.test(id) ? `csv_${names.seal(id)}` : id;
}

export async function nameAttribution(attribution: Attribution, names: NamesAccess): Promise<Attribution> {
  return {
    ...attribution,
    customer: await toName("customer", attribution.customer, names),
    user: await toName("user", attribution.user, names),
  };
}
