// What the guard remembers of late: refusals, what calls under way are for, whom a later witness will find, how long answers are, and what the guard
// itself cost. Not here: what counts (core/guard.ts). Invariant: bounded, and nothing of it decides whether money is there.

import type { Hold } from "../core/guard.ts";
import type { GuardMark } from "../core/call.ts";
import { Recent } from "../core/recent.ts";
import type { Refused } from "../core/refusal.ts";
import type { GuardTally, RefusedQuery, Why } from "./access.ts";

/** What is remembered of a call while it is under way: the model it was sent to, with its provider, and its task type. */
export interface Tried {
  readonly model: string;
  readonly type: string | null;
  /** null: it is under no budget, or began before the start. */
  readonly mark: GuardMark | null;
}

const triedMax = 100_000;
const awaitedMax = 100_000;
const saidMax = 10_000;
const typesMax = 1_000;
/** Answers by which the median of a task type is taken. */
const answersMax = 63;
/** With fewer, nothing is said. */
const answersMin = 5;

type Writable<T> = { -readonly [name in keyof T]: T[name] };

export class Memory {
  /** In the order in which they happened. */
  readonly #refused: Recent<string, Refused>;
  /** The provider's id of a response → the presumed call that it will say more of. */
  readonly #awaited = new Recent<string, string>(awaitedMax);
  readonly #seen = new Recent<string, true>(awaitedMax);
  /** What somebody said that a presumed call cost. */
  readonly #said = new Recent<string, bigint>(saidMax);
  readonly #answers = new Recent<string, number[]>(typesMax);
  readonly #tried = new Recent<string, Tried>(triedMax);

  readonly tally: Writable<GuardTally> = {
    admitted: 0,
    refused: 0,
    capped: 0,
    lowered: 0,
    degraded: 0,
    waited: 0,
    cut: 0,
    cutPico: 0n,
    shortened: 0,
    shortenedPico: 0n,
    breaches: 0,
  };

  constructor(refusedMax: number) {
    this.#refused = new Recent(refusedMax);
  }

  refuse(refused: Refused): void {
    this.#refused.set(refused.id, refused);
  }

  /** The newest first. */
  refused({ sinceMs, budget, limit }: RefusedQuery): Refused[] {
    const found: Refused[] = [];
    for (const refused of [...this.#refused.values()].toReversed()) {
      if (found.length >= limit || (sinceMs !== null && refused.atMs < sinceMs)) break;
      if (budget === null || refused.against.some((one) => one.budget === budget)) found.push(refused);
    }
    return found;
  }

  allRefused(): Refused[] {
    return [...this.#refused.values()];
  }

  /** Of a call that was refused, or is under way. What ended is on record: to keep it at hand would cost every call. */
  why(call: string, open: Hold | null): Why | null {
    const refused = this.#refused.get(call);
    if (refused !== undefined) return { kind: "refused", refused };
    if (open === null) return null;
    const mark = this.#tried.get(call)?.mark ?? unmarked(open);
    return { kind: "open", call, atMs: open.atMs, boundPico: open.money, takenPico: null, ...mark };
  }

  await(responseId: string, call: string): void {
    this.#awaited.set(responseId, call);
  }

  /** The presumed call that made a response; it is waited for no more. */
  awaited(responseId: string): string | null {
    const call = this.#awaited.get(responseId) ?? null;
    this.#awaited.delete(responseId);
    return call;
  }

  /** Whether a response is seen for the first time, as far as is remembered. */
  isNew(responseId: string): boolean {
    if (this.#seen.has(responseId)) return false;
    this.#seen.set(responseId, true);
    return true;
  }

  say(call: string, costPico: bigint): void {
    this.#said.set(call, costPico);
  }

  said(call: string): bigint | null {
    return this.#said.get(call) ?? null;
  }

  allSaid(): [string, bigint][] {
    return [...this.#said];
  }

  allAwaited(): [string, string][] {
    return [...this.#awaited];
  }

  allSeen(): string[] {
    return [...this.#seen.keys()];
  }

  begun(call: string, tried: Tried): void {
    this.#tried.set(call, tried);
  }

  /** It is under way no more. */
  over(call: string): Tried | null {
    const tried = this.#tried.get(call) ?? null;
    this.#tried.delete(call);
    return tried;
  }

  allTried(): [string, Omit<Tried, "mark">][] {
    return [...this.#tried].map(([call, { model, type }]) => [call, { model, type }]);
  }

  /** An answer ended at a cap that was put in. */
  shortened(costPico: bigint): void {
    this.tally.shortened += 1;
    this.tally.shortenedPico += costPico;
  }

  allAnswers(): [string, readonly number[]][] {
    return [...this.#answers];
  }

  learn(type: string, outputTokens: number): void {
    if (outputTokens <= 0) return;
    const answers = this.#answers.get(type) ?? [];
    answers.push(outputTokens);
    if (answers.length > answersMax) answers.shift();
    this.#answers.set(type, answers);
  }

  /** Output tokens of a task type's answers; null: too few are known. */
  median(type: string | null): number | null {
    const answers = type === null ? undefined : this.#answers.get(type);
    if (answers === undefined || answers.length < answersMin) return null;
    return answers.toSorted((a, b) => a - b)[answers.length >> 1] ?? null;
  }
}

function unmarked({ accounts }: Hold): GuardMark {
  return { budgets: accounts.map(({ name }) => name), uncovered: [], warned: [] };
}
