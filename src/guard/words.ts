// A refusal in words: what, which budget, how much is left, when it resets, and what would help; and as headers for programs.
// Not here: whether to refuse (guard.ts). Invariant: nothing of it names a customer or a person, who are tokens here; and of tokens, which
// nobody can read without the control API, a client is told none.

import { type Account, accountName, allowanceOf, amountOf, type Amounts, leftOf, resetsAt } from "../core/account.ts";
import type { Budget, Measure } from "../core/budget.ts";
import type { CapCode } from "../core/cap.ts";
import type { Decision } from "../core/guard.ts";
import type { Against, RefusalCode, Refused } from "../core/refusal.ts";
import { PennyworthError } from "../error.ts";
import type { GuardEvent } from "./access.ts";
import type { Asking } from "./asking.ts";
import { formatAmount } from "./limit.ts";
import type { Refuser } from "./queue.ts";
import type { Degraded, Plan } from "./plan.ts";

/** An answer that says no, with what a program needs to know of it. */
export class GuardRefusal extends PennyworthError {
  override readonly code: RefusalCode;
  readonly detail: string;
  readonly against: readonly Against[];
  /** The task that it stops, with all below it, until somebody resumes it; null: it refuses this one call. */
  readonly stopped: string | null;
  /** Whether it may be tried again, and after how long, ms; null: waiting does not help. */
  readonly retryMs: number | null;
  /** Flat name, value pairs. */
  readonly headers: readonly string[];

  /** @param detail as it goes on record. @param told as the client reads it, where that is something else. */
  constructor(
    code: RefusalCode,
    detail: string,
    against: readonly Against[],
    retryMs: number | null,
    stopped: string | null = null,
    told = detail,
  ) {
    super(code, { detail: told });
    this.code = code;
    this.detail = detail;
    this.against = against;
    this.stopped = stopped;
    this.retryMs = retryMs;
    const [first] = against;
    this.headers = [
      "x-pennyworth-refused",
      code,
      ...(first === undefined
        ? []
        : [
            "x-pennyworth-budget",
            first.budget,
            "x-pennyworth-left",
            formatAmount(first.left < 0n ? 0n : first.left, unitOf(first.measure)),
          ]),
      ...(first === undefined || first.resetsMs === null ? [] : ["x-pennyworth-resets", new Date(first.resetsMs).toISOString()]),
      ...(retryMs === null ? [] : ["retry-after", String(Math.max(1, Math.ceil(retryMs / 1_000)))]),
      // Official SDKs try some refusals again; what waiting does not mend is not worth a try.
      "x-should-retry",
      String(retryMs !== null),
    ];
  }
}

/** What is left of calls at once are calls. */
function unitOf(measure: Measure): Measure {
  return measure === "open" ? "calls" : measure;
}

export function againstOf(account: Account, bound: Amounts | null): Against {
  return {
    budget: account.budget.id,
    values: account.values,
    measure: account.measure,
    left: leftOf(account),
    limit: allowanceOf(account),
    needed: bound === null ? null : amountOf(account.measure, bound),
    resetsMs: resetsAt(account),
  };
}

/** What stands in the way, and what would help. */
export function describe(
  { budget, left, limit, needed, resetsMs }: Pick<Against, "budget" | "left" | "limit" | "needed" | "resetsMs">,
  { kind, measure, owner }: Pick<Budget, "kind" | "measure" | "owner">,
): string {
  if (measure === "open") return `${crowdOf(budget, limit)}; ${owner} can allow more`;
  const rest = left <= 0n ? "nothing" : formatAmount(left, measure);
  const asked = needed === null ? "" : `; this call may take ${formatAmount(needed, measure)}`;
  const when = resetsMs === null ? "It does not reset by itself" : `It resets at ${new Date(resetsMs).toISOString()}`;
  return `of ${formatAmount(limit, measure)} in the ${kind} ${budget} ${rest} is left${asked}. ${when}; ${owner} can grant more`;
}

/** Of calls at once nothing is used up: they are under way, and end. */
function crowdOf(rate: string, most: bigint): string {
  if (most <= 0n) return `the rate ${rate} lets no call run now`;
  if (most === 1n) return `the one call that the rate ${rate} lets run at a time is under way. The next fits as soon as it ends`;
  return `all ${formatAmount(most, "calls")} that the rate ${rate} lets run at once are under way. One more fits as soon as one of them ends`;
}

/** Why nobody knows what some work costs. */
export const lasting = "work that outlasts its request has no bound";

/** The budgets that a decision names do not let the call in. @param unbounded why nobody knows its bound, where nobody does. */
export function exhausted(
  { by, reason, fitsMs }: Extract<Decision, { readonly kind: "refused" }>,
  amounts: Amounts,
  nowMs: number,
  unbounded: string | null,
): GuardRefusal {
  const against = by.map((account) => againstOf(account, amounts));
  // What asks for more than a rate ever has would be told to come again for ever.
  const isNever = (account: Account): boolean =>
    account.budget.kind === "rate" && (amountOf(account.measure, amounts) ?? 0n) > allowanceOf(account);
  const never = by.findIndex(isNever);
  const first = Math.max(0, never);
  const words = describe(against[first] as Against, (by[first] as Account).budget);
  if (reason === "no bound") {
    const why = unbounded ?? "nobody knows its bound";
    return new GuardRefusal("budget_unbounded", `${why}; ${words}; \`unbounded: allow\` would let it in, uncovered`, against, null);
  }
  const help = "the call asks for more than all of it, and waiting does not help";
  if (never >= 0) return new GuardRefusal("budget_exhausted", `${words}; ${help}`, against, null);
  if (!by.every(({ budget }) => budget.kind === "rate")) return new GuardRefusal("budget_exhausted", words, against, null);
  return new GuardRefusal("rate_limited", words, against, fitsMs === null ? 1_000 : Math.max(0, fitsMs - nowMs));
}

/** Too many wait already. */
export function crowded(accounts: readonly Account[], amounts: Amounts): GuardRefusal {
  const rates = accounts.filter(({ budget }) => budget.kind === "rate" && budget.mode === "hard");
  const against = rates.map((account) => againstOf(account, amounts));
  return new GuardRefusal("rate_limited", "too many calls wait for their turn already (guard.waitingMax)", against, 1_000);
}

/** What is left buys an answer that is too short to be of use, or none. */
export function tooShort({ short, amounts }: Plan, { because }: Degraded): GuardRefusal {
  const by = [...(short?.by ?? [])].sort((a, b) => (leftOf(a) < leftOf(b) ? -1 : 1));
  const against = by.map((account) => againstOf(account, amounts));
  const words = describe(against[0] as Against, (by[0] as Account).budget);
  if (short === null || short.fits === 0) return new GuardRefusal("budget_exhausted", words, against, null);
  const why = because === null ? "" : ` (${because})`;
  const detail = `it buys ${short.fits} output tokens, and ${short.useful} are needed${why}; ${words}`;
  return new GuardRefusal("budget_too_small", detail, against, null);
}

/** Nothing bounds the answer, and ending it early would save nothing. */
export function blind({ provider }: Asking, accounts: readonly Account[]): GuardRefusal {
  const against = accounts.filter(({ budget }) => budget.mode === "hard").map((account) => againstOf(account, null));
  const detail = `its answer has no bound, and ${provider} bills on when a stream is ended early; a cap on its output tokens would bound it`;
  return new GuardRefusal("budget_unbounded", detail, against, null);
}

/** What an event is about. */
export function about(account: Account | undefined, call: string): Pick<GuardEvent, "budget" | "values" | "owner" | "subject" | "call"> {
  if (account === undefined) return { budget: null, values: [], owner: null, subject: null, call };
  return { budget: account.budget.id, values: account.values, owner: account.budget.owner, subject: null, call };
}

/** @param owner of the first budget that stood in the way. */
export function toEvent({ id: call, atMs, code, detail, against: [first], attribution }: Refused, owner: string | null): GuardEvent {
  const subject = first === undefined ? attribution.task : null;
  const known = { budget: first?.budget ?? null, values: first?.values ?? [], owner, subject };
  return { ...known, kind: "refused", atMs, call, detail: `${code}: ${detail}` };
}

/** Codes of refusals by what a tree was capped for. */
export const codes: Readonly<Record<CapCode, RefusalCode>> = {
  depth: "tree_depth",
  fan_out: "tree_fan_out",
  task_calls: "tree_calls",
  calls: "tree_calls",
  tries: "tree_tries",
  wall_time: "tree_time",
  repeated_request: "tree_loop",
  repeated_tool_call: "tree_loop",
  no_progress: "tree_no_progress",
};

export function toRefuser({ budget, values, left, resetsMs }: Against): Refuser {
  return { gate: accountName(budget, values), left, retryAtMs: resetsMs ?? Infinity };
}
