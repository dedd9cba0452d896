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

/** Filters by name become filters by token. */
export function toTokens(filters: readonly Filter[], names: NamesAccess): Filter[] {
  return filters.map((filter) =>
    named.has(filter.field) && filter.value !== null && !token.test(filter.value)
      ? { ...filter, value: names.token(filter.value) }
      : filter,
  );
}

/** A value as people know it: the name behind a token, where there is one. */
export async function toName(field: ReportField, value: string | null, names: NamesAccess): Promise<string | null> {
  if (value === null || !named.has(field) || !token.test(value)) return value;
  return (await names.name(value)) ?? value;
}

export async function nameAttribution(attribution: Attribution, names: NamesAccess): Promise<Attribution> {
  return {
    ...attribution,
    customer: await toName("customer", attribution.customer, names),
    user: await toName("user", attribution.user, names),
  };
}
