// What was allowed and what was taken, added up slowly from what clients saw and what the provider really billed. It shares no code with src/,
// and asks the gateway nothing. Not here: sending calls. Invariant: where something cannot be sure, it is decided for the gateway, and so what
// is counted against it is surely so.

import type { Ask } from "./ask.ts";
import type { Asked } from "./client.ts";
import { accountOf, amountIn, type Rule, toPico } from "./rule.ts";
import type { Shown } from "./gateway.ts";
import { type Amounts, boundOf, offerOf } from "./tariff.ts";
import { type Sometime, type WallClock, windowsOf } from "./time.ts";
import type { Try } from "./witness.ts";

/** A limit that was changed, or more that was granted, at the control API. Times are of the steady clock. */
export interface Change {
  readonly rule: string;
  readonly kind: "limit" | "grant";
  /** Of a grant: whose allowance, as `accountOf` names it. */
  readonly account: string;
  readonly amount: bigint;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Records {
  readonly rules: readonly Rule[];
  readonly asked: readonly Asked[];
  readonly tries: readonly Try[];
  readonly changes: readonly Change[];
  /** When the gateway was killed. */
  readonly kills: readonly number[];
  /** When nothing was under way any more. */
  readonly quiet: readonly number[];
  readonly clock: WallClock;
}

/** Something that must not be. */
export interface Fault {
  readonly kind: "overspend" | "wrong refusal" | "drift" | "too many at once" | "edge" | "other";
  readonly rule: string;
  readonly account: string;
  readonly amount: bigint;
  readonly detail: string;
}

/** One hold, or what may have been one, on one allowance. */
interface Taken {
  readonly asked: Asked;
  readonly one: Try | null;
  readonly at: Sometime;
  readonly earliestMs: number;
  /** What it really came to. */
  readonly billed: bigint;
  /** Of that, what its bound allows. */
  readonly real: bigint;
  /** What it can have held. */
  readonly bound: bigint;
  /** The budget lets it in without a bound. */
  readonly uncovered: boolean;
}

/** Bounds of a model that has broken its bound are made wider: by what it broke, and a tenth. */
const widest = 6n;
/** A gateway that lost its client, or was stopped, has let go by then. */
const settleMs = 10_000;

export class Oracle {
  readonly #records: Records;
  readonly #triesOf = new Map<string, Try[]>();

  constructor(records: Records) {
    this.#records = records;
    for (const one of records.tries) this.#triesOf.set(one.ask.id, [...(this.#triesOf.get(one.ask.id) ?? []), one]);
  }

  faults(): Fault[] {
    const faults: Fault[] = [];
    for (const rule of this.#records.rules) {
      if (rule.mode !== "hard") continue;
      for (const [account, taken] of this.#accounts(rule)) {
        if (rule.measure === "open") faults.push(...atOnce(rule, account, taken));
        else faults.push(...this.#overspent(rule, account, taken));
      }
    }
    return [...faults, ...this.#wronglyRefused()];
  }

  /** What the gateway shows against what it can know: no less than was billed, and no more than was held. */
  drift(shown: readonly Shown[], fromMs: number, toMs: number): Fault[] {
    const faults: Fault[] = [];
    for (const rule of this.#records.rules) {
      const standings = shown.find(({ id }) => id === rule.id)?.standings ?? [];
      for (const [account, taken] of this.#accounts(rule)) {
        if (rule.measure === "open") continue;
        const now = this.#records.clock.held(fromMs, toMs);
        const standing = standings.find(({ values }) => values.join("/") === account);
        const said = standing === undefined ? 0n : amountOf(rule, standing.spent) + amountOf(rule, standing.presumed);
        let [least, most] = [0n, 0n];
        let unsure = false;
        for (const one of taken) {
          if (surelyCounts(rule, one.at, now) && !one.uncovered) least += one.billed;
          if (mayCount(rule, one.at, now)) most += this.#most(one, fromMs);
          unsure ||= one.uncovered;
        }
        if (said < least || (said > most && !unsure))
          faults.push({
            kind: "drift",
            rule: rule.id,
            account,
            amount: said < least ? least - said : said - most,
            detail: `${said} is booked, ${least} was billed, ${most} was held at most`,
          });
      }
    }
    return faults;
  }

  /** What one call can take of a rule at most. null: nothing bounds it. */
  need(rule: Rule, ask: Ask, tries: number, cap: number | null): bigint | null {
    if (ask.unbounded && isSized(rule)) return null;
    return amountIn(rule.measure, boundAt(ask, tries, cap));
  }

  /** By allowance, all holds that there were, or may have been. */
  #accounts(rule: Rule): Map<string, Taken[]> {
    const accounts = new Map<string, Taken[]>();
    const { clock, kills } = this.#records;
    for (const asked of this.#records.asked) {
      const { ask, sentMs, endedMs } = asked;
      const add = (one: Try | null, target: Ask["targets"][number], cap: number | null, number: number, from: number, to: number): void => {
        const account = accountOf(rule, ask.who, target);
        if (account === null) return;
        const plain = amountIn(rule.measure, boundAt(ask, number, cap));
        const bound = isBreaker(ask) && isSized(rule) ? plain * widest : plain;
        const billed = one === null || one.failed ? 0n : amountIn(rule.measure, one.billed);
        const uncovered = ask.unbounded && isSized(rule);
        const real = one?.step.conduct === "breach" && billed > plain ? plain : billed;
        const taken = { asked, one, at: clock.held(from, to), earliestMs: from, billed, real, bound, uncovered };
        const known = accounts.get(account);
        if (known === undefined) accounts.set(account, [taken]);
        else known.push(taken);
      };
      let fromMs = sentMs;
      const tries = this.#triesOf.get(ask.id) ?? [];
      for (const one of tries) {
        add(one, one.target, one.cap, one.number - 1, fromMs, one.arrivedMs);
        fromMs = one.arrivedMs;
      }
      // One that never came through: it may have been held, and if the gateway was killed, it may be for ever.
      const isOpen = endedMs === null || isUnknown(asked);
      const isLost = kills.some((atMs) => atMs >= sentMs && atMs <= (endedMs ?? Infinity) + settleMs);
      if (isOpen && tries.length < ask.triesMax && (isLost || endedMs === null || tries.length === 0))
        add(null, targetAt(ask, tries.length), ask.cap, tries.length, fromMs, (endedMs ?? performance.now()) + settleMs);
    }
    return accounts;
  }

  /** The most that a hold can count for at a time and after it. */
  #most({ asked, one, billed, bound }: Taken, atMs: number): bigint {
    const most = bound > billed ? bound : billed;
    const { endedMs, failure, status, complete, ask } = asked;
    const isDone = endedMs !== null && endedMs <= atMs && failure === null;
    const isQuiet = this.#records.quiet.some((quietMs) => quietMs <= atMs && quietMs >= (endedMs ?? Infinity));
    if (one === null) {
      const wasKilled = this.#records.kills.some((killMs) => killMs >= asked.sentMs && killMs <= (endedMs ?? Infinity) + settleMs);
      // Sent, and broken off before the provider had read it: nobody but the provider knows that it was not billed.
      return isQuiet && !wasKilled && !isUnknown(asked) ? 0n : bound;
    }
    const next = this.#triesOf.get(ask.id)?.[one.number];
    // Of a client that left, the gateway may have gone before it heard that.
    if (one.failed) return isDone || (next !== undefined && next.arrivedMs <= atMs) ? this.#lost(one, most) : most;
    return isDone && status === 200 && complete && one.reported && next === undefined ? billed : most;
  }

  /** Refused by its provider, and so it costs nothing; unless the gateway died before it knew. */
  #lost({ arrivedMs }: Try, most: bigint): bigint {
    return this.#records.kills.some((killMs) => killMs >= arrivedMs && killMs <= arrivedMs + settleMs) ? most : 0n;
  }

  /** Changes of one allowance, in order; of grants those that can have gone to these windows. */
  #steps(
    rule: Rule,
    account: string,
    windows: readonly [number, number] | null,
  ): readonly { readonly change: Change; readonly by: bigint }[] {
    let limit = rule.limit;
    return this.#records.changes.flatMap((change) => {
      if (change.rule !== rule.id) return [];
      if (change.kind === "limit") {
        const by = change.amount - limit;
        limit = change.amount;
        return [{ change, by }];
      }
      if (change.account !== account) return [];
      const [first, last] = windowsOf(rule.period, this.#records.clock.held(change.fromMs, change.toMs));
      if (windows === null) return change.amount > 0n ? [{ change, by: change.amount }] : [];
      const [from, to] = windows;
      const may = first <= to && last >= from;
      const must = first >= from && last <= to;
      return (change.amount > 0n ? may : must) ? [{ change, by: change.amount }] : [];
    });
  }

  #overspent(rule: Rule, account: string, taken: readonly Taken[]): Fault[] {
    const covered = taken.filter((one) => one.one !== null && !one.uncovered && one.real > 0n);
    const faults: Fault[] = [];
    if (rule.unbounded === "refuse")
      for (const { uncovered, one, asked, real } of taken)
        if (uncovered && one !== null)
          faults.push({ kind: "overspend", rule: rule.id, account, amount: real, detail: `${asked.ask.id} has no bound, and was let in` });
    const judge = (within: readonly Taken[], windows: readonly [number, number] | null, base: bigint, what: string): void => {
      const steps = this.#steps(rule, account, windows);
      const amount = overspendOf(within, base, steps);
      if (amount > 0n) {
        const sum = within.reduce((total, { real }) => total + real, 0n);
        faults.push({ kind: "overspend", rule: rule.id, account, amount, detail: `${sum} was billed in ${what}; its limit was ${base}` });
      }
    };
    if (rule.period.kind === "rolling") {
      const { lengthMs } = rule.period;
      const inOrder = covered.toSorted((a, b) => a.at.fromMs - b.at.fromMs);
      for (const [index, first] of inOrder.entries()) {
        if (index > 0 && inOrder[index - 1]?.at.fromMs === first.at.fromMs) continue;
        const untilMs = first.at.fromMs + lengthMs;
        const within = inOrder.slice(index).filter(({ at }) => at.toMs < untilMs);
        judge(within, null, rule.limit, `the ${lengthMs} ms from ${new Date(first.at.fromMs).toISOString()} on`);
      }
      return faults.toSorted((a, b) => (a.amount > b.amount ? -1 : 1)).slice(0, 1);
    }
    const places = covered.map((one) => ({ one, windows: windowsOf(rule.period, one.at) }));
    const indexes = [...new Set(places.flatMap(({ windows }) => windows))].toSorted((a, b) => a - b);
    for (const from of indexes)
      for (const to of indexes) {
        if (to < from || (rule.carries && to > from)) continue;
        const within = places.filter(({ windows: [first, last] }) => first >= from && last <= to).map(({ one }) => one);
        const before = places.filter(({ windows: [first, last] }) => first === from - 1 && last === from - 1);
        const rest = rule.carries ? this.#mostOf(rule, account, from - 1) - before.reduce((sum, { one }) => sum + one.real, 0n) : 0n;
        const carried = rest > 0n ? rest : 0n;
        const windows = BigInt(to - from + 1);
        if (windows === 1n) judge(within, [from, to], rule.limit + carried, `window ${from}`);
        else faults.push(...this.#overRange(rule, account, within, [from, to]));
      }
    return faults;
  }

  /** Of several windows, where some holds may be in one or the next: all that any of them was ever allowed. */
  #overRange(rule: Rule, account: string, within: readonly Taken[], [from, to]: readonly [number, number]): Fault[] {
    let allowed = 0n;
    for (let window = from; window <= to; window += 1) allowed += this.#mostOf(rule, account, window);
    const amount = within.reduce((sum, { real }) => sum + real, 0n) - allowed;
    if (amount <= 0n) return [];
    const detail = `${amount + allowed} was billed in windows ${from} to ${to}; all of them together were allowed ${allowed}`;
    return [{ kind: "overspend", rule: rule.id, account, amount, detail }];
  }

  /** The most that one window was ever allowed. */
  #mostOf(rule: Rule, account: string, window: number): bigint {
    let [allowed, most] = [rule.limit, rule.limit];
    for (const { by } of this.#steps(rule, account, [window, window])) {
      allowed += by;
      if (allowed > most) most = allowed;
    }
    return most;
  }

  /** The least that a window was allowed between two times. */
  #leastOf(rule: Rule, account: string, window: number, fromMs: number, toMs: number): bigint {
    let allowed = rule.limit;
    let least: bigint | null = null;
    for (const { change, by } of this.#steps(rule, account, rule.period.kind === "rolling" ? null : [window, window])) {
      // What may have come later, or was granted to another window perhaps, is not counted on.
      if (change.kind === "grant" && by > 0n && (rule.period.kind !== "total" || change.toMs > fromMs)) continue;
      if (change.fromMs > toMs) continue;
      if (change.toMs > fromMs) least = least === null || allowed < least ? allowed : least;
      allowed += by;
    }
    if (rule.period.kind !== "total")
      for (const change of this.#records.changes)
        if (change.rule === rule.id && change.kind === "grant" && change.account === account && change.amount < 0n)
          allowed += change.amount;
    return least === null || allowed < least ? allowed : least;
  }

  #wronglyRefused(): Fault[] {
    const faults: Fault[] = [];
    const hard = this.#records.rules.filter(({ mode }) => mode === "hard");
    const accounts = new Map(hard.map((rule) => [rule.id, this.#accounts(rule)]));
    for (const asked of this.#records.asked) {
      const { refused, ask, sentMs, endedMs } = asked;
      if (refused === null || endedMs === null) continue;
      const before = (this.#triesOf.get(ask.id) ?? []).filter(({ arrivedMs }) => arrivedMs <= endedMs);
      const target = targetAt(ask, before.length);
      const fromMs = before.at(-1)?.arrivedMs ?? sentMs;
      const fault = (rule: string, account: string, detail: string): void =>
        void faults.push({
          kind: "wrong refusal",
          rule,
          account,
          amount: 1n,
          detail: `${ask.id} (${refused} by ${asked.budget}): ${detail}`,
        });
      const under = hard.filter((rule) => accountOf(rule, ask.who, target) !== null);
      if (asked.budget === null || !under.some(({ id }) => id === asked.budget)) {
        fault(asked.budget ?? "", "", `it is under no such hard budget: ${asked.text}`);
        continue;
      }
      if (ask.unbounded) continue;
      const reasons = under.map((rule) => {
        const account = accountOf(rule, ask.who, target) as string;
        return this.#stands(rule, account, asked, before.length, accounts.get(rule.id)?.get(account) ?? [], fromMs, endedMs);
      });
      if (reasons.every((reason) => reason !== null)) fault(asked.budget ?? "", "", reasons.join("; "));
    }
    return faults;
  }

  /** null: the rule may have stood in the way. Else how much there was, surely. */
  #stands(rule: Rule, account: string, asked: Asked, tries: number, taken: readonly Taken[], fromMs: number, toMs: number): string | null {
    const { ask } = asked;
    const now = this.#records.clock.held(fromMs, toMs);
    const [first, last] = windowsOf(rule.period, now);
    const need = amountIn(rule.measure, boundAt(ask, tries, ask.cap ?? 1)) * (isBreaker(ask) && isSized(rule) ? widest : 1n);
    for (let window = first; window <= last; window += 1) {
      let used = 0n;
      for (const one of taken) {
        if (one.earliestMs > toMs || (one.asked === asked && one.one === null)) continue;
        if (rule.measure === "open") {
          const endedMs = one.asked.endedMs ?? Infinity;
          const isOver = endedMs + (one.asked.failure === null ? 0 : settleMs) < fromMs;
          if (!isOver && one.asked !== asked) used += 1n;
          continue;
        }
        const [from, to] = windowsOf(rule.period, one.at);
        if (rule.period.kind === "rolling" ? mayCount(rule, one.at, now) : from <= window && to >= window)
          used += one.uncovered ? rule.limit * 1_000n : this.#most(one, fromMs);
      }
      const allowed = this.#leastOf(rule, account, window, fromMs, toMs);
      if (used + need > allowed) return null;
      if (window === last) return `${rule.id}/${account}: at most ${used} of ${allowed} was taken or held, and it needs ${need}`;
    }
    return null;
  }
}

/** What is taken beyond what was ever allowed from some time on, of what was admitted from then on. */
function overspendOf(within: readonly Taken[], base: bigint, steps: readonly { readonly change: Change; readonly by: bigint }[]): bigint {
  const total = within.reduce((sum, { real }) => sum + real, 0n);
  const allowances = [base];
  for (const { by } of steps) allowances.push((allowances.at(-1) as bigint) + by);
  let worst = 0n;
  for (const [index] of allowances.entries()) {
    const most = allowances.slice(index).reduce((a, b) => (a > b ? a : b));
    const sinceMs = index === 0 ? -Infinity : (steps[index - 1]?.change.toMs ?? -Infinity);
    const after = within.reduce((sum, { real, earliestMs }) => (earliestMs >= sinceMs ? sum + real : sum), 0n);
    const over = total - most < after ? total - most : after;
    if (over > worst) worst = over;
  }
  return worst;
}

/** Tries that were surely answered at the same time: from their arrival to the end of their answer, where that came. */
function atOnce(rule: Rule, account: string, taken: readonly Taken[]): Fault[] {
  const moments = taken.flatMap(({ one }) =>
    one === null || one.endedMs === null ? [] : [[one.arrivedMs, 1] as const, [one.endedMs, -1] as const],
  );
  let [open, most] = [0, 0];
  for (const [, by] of moments.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])) most = Math.max(most, (open += by));
  if (BigInt(most) <= rule.limit) return [];
  return [
    { kind: "too many at once", rule: rule.id, account, amount: BigInt(most) - rule.limit, detail: `${most} at once of ${rule.limit}` },
  ];
}

export function targetAt({ targets }: Ask, tries: number): Ask["targets"][number] {
  return targets[Math.min(tries, targets.length - 1)] as Ask["targets"][number];
}

/** It may have been sent, and nobody heard how it ended. */
function isUnknown({ failure, status }: Asked): boolean {
  return failure === null ? (status ?? 0) >= 500 : failure !== "ECONNREFUSED";
}

/** A call takes more or less of it; of the others it takes one. */
function isSized({ measure }: Rule): boolean {
  return measure === "money" || measure === "tokens";
}

/** Of this and every later try. */
export function boundAt(ask: Ask, tries: number, cap: number | null): Amounts {
  return boundOf(ask.size, cap, ask.targets.slice(Math.min(tries, ask.targets.length - 1)));
}

export function isBreaker({ targets }: Ask): boolean {
  return targets.some((target) => offerOf(target).provider === "breaker");
}

function amountOf({ measure }: Rule, text: string): bigint {
  return measure === "money" ? toPico(text) : BigInt(text);
}

/** Buckets of a rolling window: whole ones count, a fiftieth of it at most. */
function mayCount({ period }: Rule, at: Sometime, now: Sometime): boolean {
  if (period.kind === "rolling") return at.toMs >= now.fromMs - period.lengthMs - period.lengthMs / 50 - 1;
  const [first, last] = windowsOf(period, at);
  const [from, to] = windowsOf(period, now);
  return first <= to && last >= from;
}

function surelyCounts({ period }: Rule, at: Sometime, now: Sometime): boolean {
  if (period.kind === "rolling") return at.fromMs > now.toMs - period.lengthMs;
  const [first, last] = windowsOf(period, at);
  const [from, to] = windowsOf(period, now);
  return first === last && from === to && first === from;
}
