// What a call is to hold, and with which cap, given what is left to it. Pure arithmetic over bounds. Not here: taking the holds (guard.ts).
// Invariant: a cap is put in only where none stands, or where every budget in the way allows lowering; never below what is useful.

import { type Account, type Amounts, allowanceOf, amountOf, fitsAt, leftOf, sumsOf } from "../core/account.ts";
import type { Hold } from "../core/call.ts";
import { leastLeft } from "../core/guard.ts";
import { parseUsd } from "../core/money.ts";
import type { Asking } from "./asking.ts";

export interface Plan {
  readonly hold: Hold;
  readonly amounts: Amounts;
  /** The cap to put in; null: as it came. */
  readonly cap: number | null;
  /** The client's own was higher. */
  readonly lowered: boolean;
  /** An answer would fit, and be too short to be of use: how many tokens fit, and how many are needed. */
  readonly short: { readonly fits: number; readonly useful: number; readonly by: readonly Account[] } | null;
}

/** What policies say that change the call, from the mildest to the strictest. */
export interface Degraded {
  readonly model: string | null;
  readonly cap: number | null;
  /** How long it may wait for its budgets, ms; 0: not at all. */
  readonly waitMs: number;
  /** What asked for it, in words; and the allowance it is of. */
  readonly because: string | null;
  readonly by: Account | null;
}

export const undegraded: Degraded = { model: null, cap: null, waitMs: 0, because: null, by: null };

/** What the budgets' own policies ask for at their present use. */
export function degrade(accounts: readonly Account[]): Degraded {
  let { model, cap, waitMs, because, by } = undegraded;
  for (const account of accounts) {
    const { degrade: steps, mode, id } = account.budget;
    if (steps.length === 0 || mode === "shadow") continue;
    const allowance = allowanceOf(account);
    const used = allowance - leftOf(account);
    for (const { usedPercent, to } of steps) {
      if (used * 100n < allowance * BigInt(usedPercent)) continue;
      if (to.kind === "wait") waitMs = Math.max(waitMs, to.msMax);
      else [because, by] = [`${id} is ${usedPercent} % used`, account];
      if (to.kind === "model") ({ model } = to);
      if (to.kind === "cap") cap = cap === null ? to.tokens : Math.min(cap, to.tokens);
    }
  }
  return { model, cap, waitMs, because, by };
}

/**
 * @param inputTokens as the provider has counted them, margin included; null: as many as there are bytes.
 * @param useful the fewest output tokens that are of use: asked where there is too little.
 */
export function plan(
  asking: Asking,
  accounts: readonly Account[],
  { model, cap: capMost }: Degraded,
  inputTokens: number | null,
  useful: () => number,
): Plan {
  const capAsked = capMost !== null && (asking.cap === null || capMost < asking.cap) && asking.canCap() ? capMost : asking.cap;
  const capOf = (cap: number | null): Pick<Plan, "cap" | "lowered"> =>
    cap === asking.cap ? { cap: null, lowered: false } : { cap, lowered: asking.cap !== null };
  const hold = asking.bound(capAsked, inputTokens, model);
  const amounts = amountsOf(hold);
  const asAsked: Plan = { hold, amounts, ...capOf(capAsked), short: null };
  const inTheWay = accounts.filter((account) => account.budget.mode === "hard" && !fits(account, amounts));
  if (inTheWay.length === 0 || !asking.canCap()) return asAsked;
  const money = leastLeft(accounts, "money");
  const tokens = leastLeft(accounts, "tokens");
  if (money === null && tokens === null) return asAsked;
  if (asking.cap !== null && !inTheWay.every(({ budget }) => budget.caps === "lower")) return asAsked;
  // Where the shortest answer has no bound either, no cap gives it one.
  const least = amountsOf(asking.bound(1, inputTokens, model));
  if ((money !== null && least.money === null) || (tokens !== null && least.tokens === null)) return asAsked;
  const byMoney = money === null ? Infinity : asking.capFor(money < 0n ? 0n : money, inputTokens, model);
  const byTokens = tokens === null ? Infinity : Math.floor((Number(tokens) - hold.inputTokens) / Math.max(1, asking.choices));
  const fitting = Math.max(0, Math.min(byMoney, byTokens));
  if (!Number.isFinite(fitting)) return asAsked;
  if (capAsked !== null && fitting >= capAsked) return asAsked;
  const needs = useful();
  if (fitting < needs) {
    const needed = amountsOf(asking.bound(needs, inputTokens, model));
    const by = accounts.filter((account) => account.budget.mode === "hard" && !fits(account, needed));
    return { ...asAsked, amounts: needed, short: { fits: fitting, useful: needs, by } };
  }
  const capped = asking.bound(fitting, inputTokens, model);
  return { hold: capped, amounts: amountsOf(capped), ...capOf(fitting), short: null };
}

export function fits(account: Account, amounts: Amounts): boolean {
  const amount = amountOf(account.measure, amounts);
  return amount !== null && (amount === 0n || amount <= leftOf(account));
}

export function amountsOf({ inputTokens, outputTokens, cost, unbounded }: Hold): Amounts {
  return {
    money: cost === null ? null : parseUsd(cost),
    tokens:
      outputTokens === null || (unbounded !== null && cost === null && !isPriceless(unbounded)) ? null : BigInt(inputTokens + outputTokens),
  };
}

/** Its tokens are bounded; only their price is not known. */
function isPriceless(unbounded: string): boolean {
  return unbounded.startsWith("no price");
}

/** As it came, where nothing stands over it. */
export function asPlanned(asking: Asking): Plan {
  const hold = asking.bound(asking.cap, null, null);
  return { hold, amounts: amountsOf(hold), cap: null, lowered: false, short: null };
}

/** Whether it can ever fit: by time, or as calls end and give back what they do not use. */
export function isWorthWaiting(by: readonly Account[], amounts: Amounts): boolean {
  return by.every((account) => {
    const needed = amountOf(account.measure, amounts) ?? 1n;
    if (account.measure === "open" || fitsAt(account, needed) !== null) return true;
    return account.measure !== "calls" && needed <= leftOf(account) + sumsOf(account).held;
  });
}

/** Where nobody says what is of use: some providers take no smaller cap (OpenAI's Responses: "Expected a value >= 16"). */
const usefulMin = 16;

/** The fewest output tokens that are of use: what thinking takes is always of it. @param median of a task type's answers. */
export function usefulOf(asking: Asking, accounts: readonly Account[], median: (type: string | null) => number | null): number {
  let useful = 0;
  for (const { budget } of accounts) {
    if (budget.mode !== "hard" || budget.kind !== "budget") continue;
    useful = Math.max(useful, budget.usefulTokens ?? median(asking.attribution.type) ?? (asking.thinking > 0 ? 1 : usefulMin));
  }
  return asking.thinking + Math.max(1, useful);
}

/** Whether it would go on with nobody able to stop it: without a bound on its answer, and a cut would save nothing. */
export function isBlind(asking: Asking, accounts: readonly Account[], { amounts, hold }: Plan): boolean {
  if (amounts.money !== null || hold.outputTokens !== null || asking.canCut) return false;
  return (
    accounts.some(({ budget, measure }) => budget.mode === "hard" && measure === "money" && budget.unbounded === "allow") &&
    asking.isMetered
  );
}

/** Whether it would be let in, were its input as long as earlier calls let one guess. */
export function wouldFit(asking: Asking, accounts: readonly Account[], policy: Degraded, useful: () => number): boolean {
  const { short, amounts } = plan(asking, accounts, policy, Math.ceil(asking.inputGuess * 1.1), useful);
  return short === null && accounts.every((account) => account.budget.mode !== "hard" || fits(account, amounts));
}
