// Which of many budgets a call is under: found by its fields' values, not by looking at every budget. Not here: what a budget allows.
// Invariant: the same as comparing the call with each one.

import { type BudgetField, budgetFields, type CallScope, type Scope } from "./budget.ts";
import { part } from "./key.ts";

interface Shape<Item> {
  /** Without `task`, which a call has several of. */
  readonly fields: readonly Exclude<BudgetField, "task">[];
  readonly hasTask: boolean;
  /** Of one field, which is the key then; null: of none, or of several. */
  readonly only: Exclude<BudgetField, "task"> | null;
  /** Nearly always one stands under the same values, and it is found at once: a list is one more place in memory to go to. */
  readonly items: Map<string, Item | readonly Item[]>;
}

/** Items that each stand under a scope. */
export class ScopeIndex<Item extends object> {
  readonly #shapes = new Map<string, Shape<Item>>();

  add(scope: Scope, item: Item): void {
    const named = fieldsOf(scope);
    const name = named.join();
    let shape = this.#shapes.get(name);
    if (shape === undefined) {
      const fields = named.filter((field) => field !== "task");
      this.#shapes.set(name, (shape = toShape(fields, fields.length < named.length)));
    }
    const key = keyOfScope(shape, scope);
    const items = shape.items.get(key);
    shape.items.set(key, items === undefined ? item : [...listOf(items), item]);
  }

  remove(scope: Scope, item: Item): void {
    const name = fieldsOf(scope).join();
    const shape = this.#shapes.get(name);
    if (shape === undefined) return;
    const key = keyOfScope(shape, scope);
    const items = shape.items.get(key);
    const rest = items === undefined ? [] : listOf(items).filter((one) => one !== item);
    if (rest.length === 0) shape.items.delete(key);
    else shape.items.set(key, rest.length === 1 ? (rest[0] as Item) : rest);
    if (shape.items.size === 0) this.#shapes.delete(name);
  }

  get isEmpty(): boolean {
    return this.#shapes.size === 0;
  }

  /** Every item whose scope is part of what the call is known by. */
  of(call: CallScope): Item[] {
    const found: Item[] = [];
    for (const { fields, only, hasTask, items } of this.#shapes.values()) {
      const key = only === null ? keyOf(fields, call) : call[only];
      if (key === null || key === undefined) continue;
      if (!hasTask) addTo(found, items.get(key));
      else if (call.task !== undefined) for (const task of call.task) addTo(found, items.get(key + part(task)));
    }
    return found;
  }
}

function addTo<Item>(found: Item[], items: Item | readonly Item[] | undefined): void {
  if (items === undefined) return;
  if (isList(items)) found.push(...items);
  else found.push(items);
}

function isList<Item>(items: Item | readonly Item[]): items is readonly Item[] {
  return Array.isArray(items);
}

function listOf<Item>(items: Item | readonly Item[]): readonly Item[] {
  return isList(items) ? items : [items];
}

function toShape<Item>(fields: Shape<Item>["fields"], hasTask: boolean): Shape<Item> {
  return { fields, hasTask, only: fields.length === 1 ? (fields[0] ?? null) : null, items: new Map() };
}

function fieldsOf(scope: Scope): readonly BudgetField[] {
  return budgetFields.filter((field) => scope[field] !== undefined && scope[field] !== null);
}

function keyOfScope({ fields, hasTask }: Pick<Shape<unknown>, "fields" | "hasTask">, { task, ...scope }: Scope): string {
  const key = keyOf(fields, scope) ?? "";
  return hasTask ? key + part(task ?? "") : key;
}

/** null when the call does not say one of the fields. */
function keyOf(fields: Shape<unknown>["fields"], scope: CallScope): string | null {
  // Of one field, the value itself: most budgets name no more.
  if (fields.length === 1) return scope[fields[0] as (typeof fields)[number]] ?? null;
  let key = "";
  for (const field of fields) {
    const value = scope[field];
    if (value === undefined || value === null) return null;
    key += part(value);
  }
  return key;
}
