// The verdict on an agent as one plain sentence: what is decided, by what, and over what is known. Not here: the reckoning (weigh.ts). Invariant: a figure
// from a sample stands with its interval, and rounding never makes two figures alike that are not.

import type { z } from "@hono/zod-openapi";
import { formatUsd, parseUsd, type Pico, roundUsd } from "../core/money.ts";
import { turnsAt } from "../economics/sensitivity.ts";
import type { Range, Spans, Success, Verdict } from "../economics/verdict.ts";
import { type BreakEven, breakEven, type Choice } from "../economics/worth.ts";
import type { expectation, ledgerFacts } from "./weighed.ts";

/**
 * The verdict in one sentence, rounded, with what is expected.
 * @param expected null: nothing is known of success.
 */
export function toSummary(
  { reason, success: range, savedPico, moreTasks, corners: { worst, best }, breakEven: even }: Verdict,
  success: Success,
  expected: z.infer<typeof expectation> | null,
  choice: Choice,
  { ledger, spans }: { readonly ledger: z.infer<typeof ledgerFacts> | null; readonly spans: Spans },
): string {
  const money = expected === null ? "" : ` ${toSaving(expected, savedPico, choice.against.kind === "person")}`;
  const [atWorst, atBest] = [worst === null ? null : breakEven(worst), breakEven(best)];
  const isApart = atWorst === null || atWorst.kind !== atBest.kind || atWorst.p !== atBest.p;
  switch (reason) {
    case "always_cheaper":
      return `Go: the agent pays even if every task fails${isApart ? ", at the worst that is known of its cost too" : ""}.${money}`;
    case "never_cheaper":
      return `No: the agent does not pay even if every task succeeds${isApart ? ", at the best that is known of its cost too" : ""}.${money}`;
    case "at_break_even":
      return `No: it succeeds in ${percent(atBest.p ?? 0)}, at which it saves nothing.`;
    case "above_break_even":
    case "below_break_even": {
      const isAbove = reason === "above_break_even";
      const turn = (isAbove ? atWorst?.p : atBest.p) ?? 0;
      const [from, known] = apart(turn, isAbove ? (range?.low ?? 0) : (range?.high ?? 0), (digits) => toRate(range, success, digits));
      const corner = isApart ? ` at the ${isAbove ? "worst" : "best"} that is known of its cost` : "";
      return `${isAbove ? "Go" : "No"}: the agent pays ${toFrom(turn, from)}${corner}, and it succeeds in ${known}.${money}`;
    }
    case "around_break_even": {
      if (isApart)
        return `Not enough data: the agent pays ${toTurn(atBest)} at the best that is known of its cost, ${toTurn(atWorst)} at the worst, and it succeeds in ${toRate(range, success, 1)}.${money}${toMore(moreTasks)}`;
      const turn = even.p ?? 0;
      const [from, known] = apart(turn, range?.at ?? 2, (digits) => toRate(range, success, digits));
      return `Not enough data: the agent pays ${toFrom(turn, from)}, which lies within what is known, ${known}.${money}${toMore(moreTasks)}`;
    }
    case "no_outcomes":
      return `Not enough data: the agent pays ${isApart ? `${toTurn(atBest)} at the best that is known of its cost, ${toTurn(atWorst)} at the worst` : toTurn(even)}, and no outcome is known.${toMore(moreTasks)}`;
    case "ends_unknown": {
      const turn = even.p ?? 0;
      const { low, high } = spans.ends ?? { low: 0, high: 1 };
      const digits = Math.max(digitsApart(turn, low), digitsApart(turn, high));
      const from = isApart
        ? `${toTurn(atBest)} at the best that is known of its cost, ${toTurn(atWorst)} at the worst`
        : toFrom(turn, percent(turn, digits));
      const ends = `had all of them failed it would be ${percent(low, digits)}, had all succeeded ${percent(high, digits)}`;
      return `Not enough data: the agent pays ${from}, and it succeeds in ${toRate(range, success, digits)}, but ${toOthers(ledger)}: ${ends}.${money}`;
    }
    case "cost_unsettled": {
      const count = ledger === null ? 0 : ledger.successes + ledger.failures + ledger.unknown;
      const over = spans.runPico === undefined ? "" : toKnownSpan(spans.runPico.low, spans.runPico.high, (pico) => usd(formatUsd(pico)));
      const turn = expected === null ? null : turnsAt(choice, expected.p, "runPico");
      const most =
        typeof turn === "bigint" ? `; all else as it is, the agent pays where a run costs less than ${usd(formatUsd(turn))}` : "";
      return `Not enough data: what a run costs is known too little, ${over} (${many(count)} ${count === 1 ? "task" : "tasks"})${most}.${money}`;
    }
    case "review_unsettled": {
      const count = ledger?.reviewed ?? 0;
      const over = spans.reviewMinutes === undefined ? "" : toKnownSpan(spans.reviewMinutes.low, spans.reviewMinutes.high, toMinutes);
      const turn = expected === null ? null : turnsAt(choice, expected.p, "reviewMinutes");
      const most = typeof turn === "number" ? `; all else as it is, the agent pays where it takes less than ${toMinutes(turn)}` : "";
      return `Not enough data: how long checking takes is known too little, ${over} (said of ${many(count)} ${count === 1 ? "task" : "tasks"})${most}.${money}`;
    }
  }
}

function toTurn(even: BreakEven | null): string {
  if (even === null || even.kind === "never") return "at no success";
  return even.kind === "always" ? "at every success" : toFrom(even.p ?? 0, percent(even.p ?? 0));
}

/** At 0 it breaks even, and that is no success at all. */
function toFrom(even: number, text: string): string {
  return even === 0 ? `above ${text} success` : `from ${text} success on`;
}

/** Tasks whose end nobody knows. */
function toOthers(ledger: z.infer<typeof ledgerFacts> | null): string {
  const { successes, failures, unknown, open } = ledger ?? { successes: 0, failures: 0, unknown: 0, open: 0 };
  const all = many(successes + failures + unknown + open);
  if (open === 0) return `nobody said how ${many(unknown)} of ${all} tasks ended`;
  if (unknown === 0) return `${many(open)} of ${all} tasks ${open === 1 ? "is" : "are"} still open`;
  return `of ${all} tasks nobody said how ${many(unknown)} ended, and ${many(open)} ${open === 1 ? "is" : "are"} still open`;
}

function toMinutes(minutes: number): string {
  return `${Number(minutes.toFixed(2))} minutes`;
}

function toKnownSpan<T>(low: T, high: T | null, write: (one: T) => string): string {
  return high === null ? "with no upper bound" : `${write(low)} to ${write(high)}`;
}

/** `68 %`, `60 % to 75 %`, or `61.2 % to 74.1 % (41 of 60 tasks, at 95 % confidence)`. */
function toRate(range: Range | null, success: Success, digits: number): string {
  if (range === null) return "unknown";
  const ends = range.low === range.high ? percent(range.low, digits) : `${percent(range.low, digits)} to ${percent(range.high, digits)}`;
  if (success.kind !== "counted") return ends;
  return `${ends} (${many(success.successes)} of ${many(success.tasks)} tasks, at ${percent(success.confidence ?? 0.95)} confidence)`;
}

/** What is expected, and of what is known of success in a range only, how far that may be off. */
function toSaving(
  { agent, other, saved, savedPercent }: z.infer<typeof expectation>,
  over: Verdict["savedPico"],
  isPerson: boolean,
): string {
  const isLoss = saved.startsWith("-");
  // Where nobody would do it otherwise, nothing is saved.
  const [against, gain] = isPerson ? ["against", "saved"] : ["and to bring", "gained"];
  const share = savedPercent === null ? "" : ` (${savedPercent.replace("-", "")} %)`;
  const ends =
    over === null || over.low === over.high
      ? ""
      : over.low === null
        ? `, and over what is known ${toGain(over.high)} at the most`
        : `, and over what is known ${toGain(over.low)} to ${toGain(over.high)}`;
  return `A task is expected to cost ${usd(agent)} ${against} ${usd(other)}: ${usd(saved.replace("-", ""))}${share} ${isLoss ? "lost" : gain}${ends}.`;
}

function toGain(pico: Pico): string {
  return pico < 0n ? `−${usd(formatUsd(-pico))}` : usd(formatUsd(pico));
}

function toMore(more: Verdict["moreTasks"]): string {
  if (more === null) return "";
  const least = `${many(more.least)} more ${more.least === 1 ? "task" : "tasks"} at the least`;
  return more.likely === null ? ` To settle it takes ${least}.` : ` To settle it takes about ${many(more.likely)} more tasks, ${least}.`;
}

/** To the cent from a dollar on, else to four digits that matter; exact amounts stand beside it. */
function usd(amount: string): string {
  const pico = parseUsd(amount);
  if (pico >= parseUsd("1") || pico === 0n) return `$${roundUsd(pico, 2)}`;
  const first = formatUsd(pico).slice(2).search(/[1-9]/);
  return `$${roundUsd(pico, Math.min(12, Math.max(2, first + 4))).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

function many(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** With so many decimals, or as many as it takes to differ from 0 and 100. */
export function percent(share: number, decimals = 1): string {
  for (let digits = decimals; ; digits += 1) {
    const text = (100 * share).toFixed(digits).replace(/\.?0+$/, "");
    if (digits >= 7 || share <= 0 || share >= 1 || (text !== "0" && text !== "100" && text !== "-0")) return `${text} %`;
  }
}

/** Two shares that are not the same, with as many decimals as it takes to see it. */
function apart(even: number, other: number, write: (digits: number) => string): readonly [string, string] {
  const digits = digitsApart(even, other);
  return [percent(even, digits), write(digits)];
}

function digitsApart(even: number, other: number): number {
  return [1, 2, 3, 4, 5, 6].find((count) => even === other || percent(even, count) !== percent(other, count)) ?? 7;
}
