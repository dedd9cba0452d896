// Opens the guard on a journal: from its snapshot and what followed, then with the budgets of the settings; and writes snapshots as time goes by.
// Not here: what is in a snapshot (snapshot.ts). Invariant: a snapshot is only ever ahead of nothing: it is of a position that is on disk.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../replace.ts";
import type { Budget } from "../core/budget.ts";
import type { TreePolicy } from "../core/cap.ts";
import { comparePositions, type Entry, type Position } from "../core/entry.ts";
import { Guard, type GuardEffects, type GuardOptions } from "./guard.ts";
import { readSnapshot, writeSnapshot } from "./snapshot.ts";

export interface GuardJournal {
  /** Where it ends now. */
  readonly position: () => Position;
  /** Entries after a position; null: from the beginning. `isBudgets`: only what is said of budgets is wanted. */
  readonly entries: (after: Position | null, isBudgets: () => boolean) => AsyncIterable<readonly Entry[]>;
  /** Resolves when everything so far is on disk. */
  readonly synced: () => Promise<void>;
}

export interface OpenGuard {
  readonly guard: Guard;
  /** Writes a snapshot. Never rejects. */
  close(): Promise<void>;
}

/** How often a snapshot is written while something happens, ms. */
const snapshotMs = 60_000;

/**
 * @param budgets of the settings, which stand in place of those that the settings had before; null: nobody serves, and those stay.
 */
export async function openGuard(
  folder: string,
  journal: GuardJournal,
  { budgets, policies }: { readonly budgets: readonly Budget[] | null; readonly policies: readonly TreePolicy[] },
  options: GuardOptions,
  effects: GuardEffects & { readonly warn: (message: string) => void },
): Promise<OpenGuard> {
  const path = join(folder, "guard.json");
  const restored = restore(path, journal, options, effects);
  const { guard } = restored;
  guard.policies = policies;
  // Where nothing was ever said of budgets, calls hold nothing; what trees they are in is read on from a snapshot alone.
  const isOld = restored.position === null;
  for await (const entries of journal.entries(restored.position, () => isOld && guard.book.isEmpty))
    for (const entry of entries) guard.replay(entry);
  if (budgets !== null) settle(guard, budgets);
  let written: Position | null = restored.position;
  let writing = Promise.resolve();
  const write = async (): Promise<void> => {
    const position = journal.position();
    if (written !== null && comparePositions(position, written) === 0) return;
    try {
      const text = writeSnapshot(guard, position, effects.now());
      await journal.synced();
      await replaceFile(path, text);
      written = position;
    } catch (error) {
      effects.warn(`the guard's snapshot could not be written, and the next start reads more of the journal: ${String(error)}`);
    }
  };
  const later = (): Promise<void> => (writing = writing.then(write));
  // Where all of the journal had to be read, the next start need not.
  if (restored.position === null) void later();
  const timer = setInterval(() => void later(), snapshotMs).unref();
  return {
    guard,
    close: async () => {
      clearInterval(timer);
      await later();
    },
  };
}

function restore(
  path: string,
  journal: GuardJournal,
  options: GuardOptions,
  effects: GuardEffects & { readonly warn: (message: string) => void },
): { readonly guard: Guard; readonly position: Position | null } {
  const guard = new Guard(options, effects);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return { guard, position: null };
  }
  try {
    const position = readSnapshot(guard, text);
    // A snapshot of what a loss of power took from the journal is of no use.
    if (position !== null && comparePositions(position, journal.position()) <= 0) return { guard, position };
  } catch {
    // It is damaged, and some of it may be in the guard already.
  }
  effects.warn("the guard's snapshot does not fit the journal, and all of the journal is read instead");
  return { guard: new Guard(options, effects), position: null };
}

/** What the settings say now stands in place of what they said before; nothing is written where nothing has changed. */
function settle(guard: Guard, budgets: readonly Budget[]): void {
  const { register, book } = guard;
  const wanted = new Set(budgets.map(({ id }) => id));
  for (const { id } of book.budgets()) if (register.origin(id)?.origin === "settings" && !wanted.has(id)) register.unset(id);
  for (const budget of budgets)
    if (register.origin(budget.id)?.origin !== "settings" || !isSame(book.budget(budget.id), budget)) register.set(budget, "settings");
}

function isSame(a: Budget | null, b: Budget): boolean {
  return a !== null && textOf(a) === textOf(b);
}

/** Whatever the order of its terms. */
function textOf(budget: Budget): string {
  const terms = Object.entries(budget).sort(([x], [y]) => (x < y ? -1 : 1));
  return JSON.stringify(terms, (_name, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
}
