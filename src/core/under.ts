// Which of many budgets a call is under: found by its fields' values, not by looking at every budget. Not here: what a budget allows.
// Invariant: the same as comparing the call with each one.

import { type BudgetField, budgetFields, type Scope } from "./budget.ts";

interface Shape<Item> {
  readonly fields: readonly BudgetField[];
  readonly items: Map<string, Set<Item>>;
}

/** Items that each stand under a scope. */
export class ScopeIndex<Item> {
  readonly #shapes = new Map<string, Shape<Item>>();

  add(scope: Scope, item: Item): void {
    const fields = fieldsOf(scope);
    const name = fields.join();
    let shape = this.#shapes.get(name);
    if (shape === undefined) this.#shapes.set(name, (shape = { fields, items: new Map() }));
    const key = keyOf(fields, scope) ?? "";
    const items = shape.items.get(key);
    if (items === undefined) shape.items.set(key, new Set([item]));
    else items.add(item);
  }

  remove(scope: Scope, item: Item): void {
    const fields = fieldsOf(scope);
    const shape = this.#shapes.get(fields.join());
    const key = keyOf(fields, scope) ?? "";
    const items = shape?.items.get(key);
    if (shape === undefined || items === undefined) return;
    items.delete(item);
    if (items.size === 0) shape.items.delete(key);
    if (shape.items.size === 0) this.#shapes.delete(fields.join());
  }

  /** Every item whose scope is part of what the call is known by. */
  find(call: Scope): Item[] {
    const found: Item[] = [];
    for (const { fields, items } of this.#shapes.values()) {
      const key = keyOf(fields, call);
      const set = key === null ? undefined : items.get(key);
      if (set !== undefined) for (const item of set) found.push(item);
    }
    return found;
  }
}

function fieldsOf(scope: Scope): readonly BudgetField[] {
  return budgetFields.filter((field) => scope[field] !== undefined && scope[field] !== null);
}

/** null when the call does not say one of the fields. */
function keyOf(fields: readonly BudgetField[], scope: Scope): string | null {
  let key = "";
  for (const field of fields) {
    const value = scope[field];
    if (value === undefined || value === null) return null;
    // The length before the value: no two lists of values make one key.
    key += `${value.length}:${value}`;
  }
  return key;
}
