// What stands on record of budgets: their terms, grants, what was taken before they were there, and halts. Not here: calls (guard.ts).
// Invariant: what is changed is on record first, and told again from the journal it comes to the same.

import { isSameWindow } from "../core/account.ts";
import { type Budget, type Scope, usualTerms } from "../core/budget.ts";
import type { BudgetOrigin, Entry, Grant, Opening, GuardEntry } from "../core/entry.ts";
import { GuardBook } from "../core/guard.ts";
import type { Halt } from "../core/refusal.ts";
import { PennyworthError } from "../error.ts";
import type { GuardEvent } from "./access.ts";
import { Shares } from "./shares.ts";

export interface RegisterEffects {
  readonly now: () => number;
  /** Puts an entry on record now. @throws PennyworthError `journal_unwritable`. */
  readonly append: (entry: GuardEntry) => void;
  readonly newId: (atMs: number) => string;
  /** Told of what the guard does: for alerts. */
  readonly tell: (event: GuardEvent) => void;
}

const ofScope = { budget: null, values: [], owner: null, call: null } as const;

/** What a task says that it and all below it may cost, as far as calls of the same key go: nobody limits another's. */
export interface TaskBudget {
  readonly task: string;
  readonly key: string | null;
  /** Picodollars. */
  readonly limit: bigint;
  readonly owner: string;
}

/** Ids of grants that are remembered, so that the same one is not made twice. */
const grantsMax = 100_000;
/** Budgets that tasks said of themselves. */
const tasksMax = 20_000;

export interface Known {
  readonly origin: BudgetOrigin;
  readonly setMs: number;
  /** When it came to count in the windows that it has: what was taken before is found out once, and on record. ms UTC. */
  readonly begunMs: number;
  readonly isOpened: boolean;
}

export class Register {
  readonly #budgetsMax: number;
  readonly #effects: RegisterEffects;
  readonly #changed: () => void;
  readonly #budgets = new Map<string, Known>();
  /** Budgets of tasks, the one that was named longest ago first. */
  readonly #tasks = new Set<string>();
  readonly #grants = new Set<string>();

  readonly book = new GuardBook();
  readonly shares = new Shares();
  readonly halts = new Map<string, Halt>();

  /** @param changed called after every change: what waits may go. */
  constructor(budgetsMax: number, effects: RegisterEffects, changed: () => void) {
    this.#budgetsMax = budgetsMax;
    this.#effects = effects;
    this.#changed = changed;
  }

  origin(id: string): Known | null {
    return this.#budgets.get(id) ?? null;
  }

  /** Ids of grants that were made. */
  grants(): string[] {
    return [...this.#grants];
  }

  /** Defines a budget, or gives it other terms. @throws PennyworthError `journal_unwritable`, `budget_invalid`. */
  set(budget: Budget, origin: BudgetOrigin): void {
    const count = this.#budgets.size - this.#tasks.size;
    if (!this.#budgets.has(budget.id) && count >= this.#budgetsMax)
      throw new PennyworthError("budget_invalid", { detail: `there are ${count} budgets already (guard.budgetsMax)` });
    this.#put({ kind: "budget.set", atMs: this.#effects.now(), origin, budget });
  }

  /**
   * A task's own budget, for all below it, as its call says: the first word stands, and nobody raises it by saying more.
   * @throws PennyworthError `journal_unwritable`.
   */
  ofTask({ task, key, limit, owner }: TaskBudget): void {
    const id = `task:${[key ?? "", task].map((part) => encodeURIComponent(part.replace(/\p{Surrogate}/gu, "\uFFFD"))).join(":")}`;
    if (this.#tasks.delete(id)) {
      this.#tasks.add(id);
      return;
    }
    const [oldest] = this.#tasks;
    // The one that was named longest ago.
    if (this.#tasks.size >= tasksMax && oldest !== undefined) this.unset(oldest);
    const scope = key === null ? { task } : { task, key };
    const budget = { ...usualTerms, id, owner, scope, limit, period: { kind: "total" }, alerts: [] } as const;
    this.#put({ kind: "budget.set", atMs: this.#effects.now(), origin: "task", budget });
  }

  /** @returns whether there was one. @throws PennyworthError `journal_unwritable`. */
  unset(id: string): boolean {
    if (!this.#budgets.has(id)) return false;
    const entry = { kind: "budget.unset", atMs: this.#effects.now(), id } as const;
    this.#put(entry);
    return true;
  }

  /** What was taken in the window under way before the budget was there. @throws PennyworthError `journal_unwritable`. */
  opening(id: string, openings: readonly Opening[]): void {
    if (!this.#budgets.has(id)) return;
    const entry = { kind: "budget.opened", atMs: this.#effects.now(), id, openings } as const;
    this.#put(entry);
  }

  /** @throws PennyworthError `budget_unknown`, `budget_values`, `journal_unwritable`. */
  grant(wanted: Omit<Grant, "atMs">): "granted" | "known" {
    const budget = this.book.budget(wanted.budget);
    if (budget === null) throw new PennyworthError("budget_unknown", { id: wanted.budget, near: "" });
    if (budget.each.length !== wanted.values.length) {
      const detail = budget.each.length === 0 ? "it has one allowance for all" : `it needs one value for each of ${budget.each.join(", ")}`;
      throw new PennyworthError("budget_values", { id: budget.id, detail });
    }
    if (this.#grants.has(wanted.id)) return "known";
    const entry = { kind: "budget.granted", grant: { ...wanted, atMs: this.#effects.now() } } as const;
    this.#put(entry);
    return "granted";
  }

  halt(scope: Scope, by: string, note: string | null): Halt {
    const atMs = this.#effects.now();
    const halt = { id: `halt_${this.#effects.newId(atMs)}`, scope, atMs, by, note };
    this.#put({ kind: "halted", halt });
    const subject = scopeWords(scope);
    this.#effects.tell({ ...ofScope, subject, kind: "halted", atMs, detail: `${by} stopped everything under ${subject}` });
    return halt;
  }

  /** @returns whether there was such a halt. */
  resume(id: string, by: string): boolean {
    const halt = this.halts.get(id);
    if (halt === undefined) return false;
    const entry = { kind: "resumed", atMs: this.#effects.now(), id, by } as const;
    this.#put(entry);
    this.#effects.tell({ ...ofScope, subject: scopeWords(halt.scope), kind: "resumed", atMs: entry.atMs, detail: `${by} let it go on` });
    return true;
  }

  /** What is on record takes effect; entries of other kinds have none. */
  apply(entry: Entry): void {
    switch (entry.kind) {
      case "budget.set": {
        const { budget, origin, atMs } = entry;
        const before = this.book.budget(budget.id);
        const known = before !== null && isSameWindow(before, budget) ? this.#budgets.get(budget.id) : undefined;
        this.book.define(budget, atMs);
        this.#budgets.set(budget.id, { begunMs: atMs, isOpened: false, ...known, origin, setMs: atMs });
        if (origin === "task") this.#tasks.add(budget.id);
        if (budget.shares === null) this.shares.remove(budget.id);
        else this.shares.define(budget.id, budget.shares);
        break;
      }
      case "budget.unset":
        this.book.remove(entry.id);
        this.#budgets.delete(entry.id);
        this.#tasks.delete(entry.id);
        this.shares.remove(entry.id);
        break;
      case "budget.granted": {
        const { id, budget, values, amount, atMs } = entry.grant;
        if (this.#grants.has(id)) break;
        this.keepGrant(id);
        this.book.grant(budget, values, amount, atMs);
        break;
      }
      case "budget.opened":
        for (const { values, atMs, amount } of entry.openings) this.book.opening(entry.id, values, amount, atMs);
        this.begun(entry.id, this.#budgets.get(entry.id)?.begunMs ?? entry.atMs, true);
        break;
      case "halted":
        this.halts.set(entry.halt.id, entry.halt);
        break;
      case "resumed":
        this.halts.delete(entry.id);
        break;
      default:
        return;
    }
    this.#changed();
  }

  #put(entry: GuardEntry): void {
    this.#effects.append(entry);
    this.apply(entry);
  }

  /** As kept in a snapshot: see `Known`. */
  begun(id: string, begunMs: number, isOpened: boolean): void {
    const known = this.#budgets.get(id);
    if (known !== undefined) this.#budgets.set(id, { ...known, begunMs, isOpened });
  }

  keepGrant(id: string): void {
    this.#grants.add(id);
    if (this.#grants.size > grantsMax) this.#grants.delete(this.#grants.values().next().value as string);
  }
}

/** `team search, customer n_1f`, or `everything`. */
export function scopeWords(scope: Scope): string {
  return wordsOf(scope, (field, value) => `${field} ${value}`);
}

/** The same for a client whose call is under it, and who can read no token and no id: `team search, this customer`. */
export function scopeTold(scope: Scope): string {
  return wordsOf(scope, (field, value) => (unreadable.has(field) ? `this ${field}` : `${field} ${value}`));
}

const unreadable: ReadonlySet<string> = new Set(["customer", "user", "key"]);

function wordsOf(scope: Scope, wordOf: (field: string, value: string) => string): string {
  const words = Object.entries(scope).flatMap(([field, value]) => (value === null || value === undefined ? [] : [wordOf(field, value)]));
  return words.length === 0 ? "everything" : words.join(", ");
}
