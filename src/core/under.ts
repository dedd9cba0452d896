// Which of many budgets a call is under: found by its fields' values, not by looking at every budget. Not here: what a budget allows.
// Invariant: the same as comparing the call with each one.

import { type BudgetField, budgetFields, type CallScope, type Scope } from "./budget.ts";

interface Shape<Item> {
  /** Without `task`, which a call has several of. */
  readonly fields: readonly Exclude<BudgetField, "task">[];
  readonly hasTask: boolean;
  readonly items: Map<string, Set<Item>>;
}

/** Items that each stand under a scope. */
export class ScopeIndex<Item> {
  readonly #shapes = new Map<string, Shape<Item>>();

  add(scope: Scope, item: Item): void {
    const named = fieldsOf(scope);
    const name = named.join();
    let shape = this.#shapes.get(name);
    if (shape === undefined) {
      const fields = named.filter((field) => field !== "task");
      this.#shapes.set(name, (shape = { fields, hasTask: fields.length < named.length, items: new Map() }));
    }
    const key = keyOfScope(shape, scope);
    const items = shape.items.get(key);
    if (items === undefined) shape.items.set(key, new Set([item]));
    else items.add(item);
  }

  remove(scope: Scope, item: Item): void {
    const name = fieldsOf(scope).join();
    const shape = this.#shapes.get(name);
    if (shape === undefined) return;
    const key = keyOfScope(shape, scope);
    const items = shape.items.get(key);
    items?.delete(item);
    if (items?.size === 0) shape.items.delete(key);
    if (shape.items.size === 0) this.#shapes.delete(name);
  }

  get isEmpty(): boolean {
    return this.#shapes.size === 0;
  }

  /** Every item whose scope is part of what the call is known by. */
  find(call: CallScope): Item[] {
    const found: Item[] = [];
    for (const { fields, hasTask, items } of this.#shapes.values()) {
      const key = keyOf(fields, call);
      if (key === null) continue;
      if (!hasTask) push(items.get(key), found);
      else if (call.task !== undefined) for (const task of call.task) push(items.get(key + part(task)), found);
    }
    return found;
  }
}

function push<Item>(items: Set<Item> | undefined, found: Item[]): void {
  if (items !== undefined) for (const item of items) found.push(item);
}

function fieldsOf(scope: Scope): readonly BudgetField[] {
  return budgetFields.filter((field) => scope[field] !== undefined && scope[field] !== null);
}

function keyOfScope({ fields, hasTask }: Pick<Shape<unknown>, "fields" | "hasTask">, { task, ...scope }: Scope): string {
  return (keyOf(fields, scope) ?? "") + (hasTask ? part(task ?? "") : "");
}

/** null when the call does not say one of the fields. */
function keyOf(fields: Shape<unknown>["fields"], scope: CallScope): string | null {
  let key = "";
  for (const field of fields) {
    const value = scope[field];
    if (value === undefined || value === null) return null;
    key += part(value);
  }
  return key;
}

/** The length before the value: no two lists of values make one key. */
function part(value: string): string {
  return `${value.length}:${value}`;
}
