// The guard as text, so that a start reads what followed and not all that ever was. Not here: when it is written (open.ts). Invariant: a guard
// that is read from its snapshot and told the entries after it stands as one that was told all of them.

import { type Account, grant, openAccount, post, Slot, slotOver } from "../core/account.ts";
import { type Budget, spanAt } from "../core/budget.ts";
import type { Position } from "../core/entry.ts";
import type { Hold } from "../core/guard.ts";
import type { Halt, Refused } from "../core/refusal.ts";
import type { Places } from "../core/running.ts";
import { TreeBook } from "../core/tree.ts";
import { type Guard } from "./guard.ts";
import type { Tried } from "./memory.ts";
import type { Known } from "./register.ts";

/** Of a snapshot's shape. */
const version = 2;

/** A slot: when it begins (0: it never did), spent, held, presumed, granted. */
type SlotText = readonly [number, bigint, bigint, bigint, bigint];

interface AccountText {
  readonly budget: string;
  readonly values: readonly string[];
  readonly current: SlotText;
  readonly before: SlotText | null;
  readonly earlier: readonly SlotText[];
}

/** `on`: for each budget its account's place in the list, and when the slot begins. */
interface HoldText extends Pick<Hold, "call" | "atMs" | "money" | "tokens"> {
  readonly on: readonly (readonly [number, number])[];
}

interface Snapshot {
  readonly version: typeof version;
  readonly position: Position;
  readonly budgets: readonly (Known & { readonly budget: Budget; readonly sinceMs: number })[];
  readonly accounts: readonly AccountText[];
  readonly open: readonly HoldText[];
  readonly presumed: readonly HoldText[];
  readonly awaited: readonly (readonly [string, string])[];
  readonly seen: readonly string[];
  /** Absent from snapshots of earlier versions of Pennyworth. */
  readonly said?: readonly (readonly [string, bigint])[];
  readonly tried: readonly (readonly [string, Omit<Tried, "mark">])[];
  readonly answers: readonly (readonly [string, readonly number[]])[];
  readonly grants: readonly string[];
  readonly halts: readonly Halt[];
  readonly refused: readonly Refused[];
  readonly widened: readonly (readonly [string, bigint])[];
  readonly trees: unknown;
}

const bigintMark = "\u0001";
/** Before a text that begins like a bigint. */
const textMark = `${bigintMark}"`;

/** @param position up to where the journal is in it. */
export function writeSnapshot(guard: Guard, position: Position, nowMs: number): string {
  const { book, register, memory } = guard;
  book.sweep(nowMs);
  const budgets = book.budgets();
  const accounts = budgets.flatMap(({ id }) => book.accounts(id, nowMs));
  const places = new Map(accounts.map((account, index) => [account, index]));
  const holdText = ({ call, atMs, money, tokens, accounts: on, slots }: Hold): HoldText => ({
    call,
    atMs,
    money,
    tokens,
    on: on.flatMap((account, index) => {
      const place = places.get(account);
      return place === undefined ? [] : [[place, beginOf(slots[index] as Slot)] as const];
    }),
  });
  const snapshot: Snapshot = {
    version,
    position,
    budgets: budgets.map((budget) => ({
      budget,
      ...(register.origin(budget.id) ?? { origin: "api", setMs: nowMs, begunMs: nowMs, isOpened: true }),
      sinceMs: book.since(budget.id) ?? nowMs,
    })),
    accounts: accounts.map(toText),
    open: [...book.allOpen.values()].map(holdText),
    presumed: [...book.allPresumed.values()].map(holdText),
    awaited: memory.allAwaited(),
    seen: memory.allSeen(),
    said: memory.allSaid(),
    tried: memory.allTried(),
    answers: memory.allAnswers(),
    grants: register.grants(),
    halts: [...register.halts.values()],
    refused: memory.allRefused(),
    widened: [...guard.breaches.widened],
    trees: guard.trees.snapshot(),
  };
  return JSON.stringify(snapshot, (_name, value: unknown) =>
    typeof value === "bigint"
      ? `${bigintMark}${value}`
      : typeof value === "string" && value.startsWith(bigintMark)
        ? textMark + value
        : value,
  );
}

/** Puts a guard that knows nothing yet where the snapshot was. @returns up to where it has the journal; null: the text is none of ours. */
export function readSnapshot(guard: Guard, text: string): Position | null {
  let snapshot: Snapshot;
  try {
    snapshot = JSON.parse(text, (_name, value: unknown) =>
      typeof value !== "string" || !value.startsWith(bigintMark)
        ? value
        : value.startsWith(textMark)
          ? value.slice(textMark.length)
          : BigInt(value.slice(1)),
    ) as Snapshot;
  } catch {
    return null;
  }
  const trees = snapshot.version === version ? TreeBook.restore(snapshot.trees) : null;
  if (trees === null) return null;
  const { book, register, memory } = guard;
  guard.trees = trees;
  for (const { budget, origin, setMs, sinceMs, begunMs, isOpened } of snapshot.budgets) {
    // Since when it counts is not when it was last given other terms.
    book.define(budget, sinceMs);
    register.apply({ kind: "budget.set", atMs: setMs, origin, budget });
    register.begun(budget.id, begunMs, isOpened);
  }
  for (const halt of snapshot.halts) register.apply({ kind: "halted", halt });
  for (const grant of snapshot.grants) register.keepGrant(grant);
  for (const refused of snapshot.refused) memory.refuse(refused);
  for (const [responseId, call] of snapshot.awaited) memory.await(responseId, call);
  for (const responseId of snapshot.seen) memory.isNew(responseId);
  for (const [call, costPico] of snapshot.said ?? []) memory.say(call, costPico);
  for (const [call, tried] of snapshot.tried) memory.begun(call, { ...tried, mark: null });
  for (const [type, answers] of snapshot.answers) for (const tokens of answers) memory.learn(type, tokens);
  for (const [model, factor] of snapshot.widened) guard.breaches.widened.set(model, factor);
  const budgets = new Map(snapshot.budgets.map(({ budget }) => [budget.id, budget]));
  const accounts = snapshot.accounts.map((said) => fromText(budgets.get(said.budget) as Budget, said, book.places));
  for (const account of accounts) book.replace(account);
  const toHold = ({ on, ...hold }: HoldText): Hold => {
    const held = on.map(([place]) => accounts[place] as Account);
    return { ...hold, accounts: held, slots: on.map(([place, fromMs]) => slotFrom(accounts[place] as Account, fromMs)) };
  };
  for (const text of snapshot.open) {
    book.keep(toHold(text), "held");
  }
  for (const text of snapshot.presumed) book.keep(toHold(text), "presumed");
  return snapshot.position;
}

function toText({ budget, values, current, earlier }: Account): AccountText {
  const { before } = current;
  return {
    budget: budget.id,
    values,
    current: slotText(current),
    before: before === null ? null : slotText(before),
    earlier: earlier.map(slotText),
  };
}

function slotText(slot: Slot): SlotText {
  return [beginOf(slot), slot.spent, slot.held, slot.presumed, slot.granted];
}

function beginOf({ span: { fromMs } }: Slot): number {
  return Number.isFinite(fromMs) ? fromMs : 0;
}

function fromText(budget: Budget, { values, current, before, earlier }: AccountText, places: Places): Account {
  const account = openAccount(budget, values, current[0], places);
  const last = account.current;
  if (before !== null) fill(account, (last.before = slotOver(spanAt(budget.period, before[0]))), before);
  for (const text of earlier) {
    const slot = new Slot(spanAt(budget.period, text[0]));
    account.earlier.push(slot);
    fill(account, slot, text);
  }
  fill(account, last, current);
  return account;
}

function fill(account: Account, slot: Slot, [, spent, held, presumed, granted]: SlotText): void {
  post(account, slot, "spent", spent);
  post(account, slot, "held", held);
  post(account, slot, "presumed", presumed);
  grant(account, slot, granted);
}

/** Of a hold in a window that is over, and carried nowhere, nothing counts any more. */
function slotFrom(account: Account, fromMs: number): Slot {
  const { current, earlier } = account;
  const known = [current, ...earlier, ...(current.before === null ? [] : [current.before])].find((slot) => beginOf(slot) === fromMs);
  return known ?? slotOver({ index: 0, fromMs, toMs: fromMs });
}
