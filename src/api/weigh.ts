// Whether an agent is worth it, as a question and an answer in JSON: each field checked by its name, amounts as decimal strings, and the verdict in
// one plain sentence. Not here: the arithmetic (economics/), what the ledger knows of it (worth.ts). Invariant: pure, and all that the command line
// and the page say comes from here, so that they say the same.

import type { z } from "@hono/zod-openapi";
import { formatRatio, formatUsd, parseUsd, type Pico, roundUsd, zero } from "../core/money.ts";
import { gdpval, type Way } from "../economics/gdpval.ts";
import { parity } from "../economics/parity.ts";
import { type Bar, type Input, type Swing, tornado } from "../economics/sensitivity.ts";
import { judge, type Range, type Success, toRange, type Verdict } from "../economics/verdict.ts";
import { type BreakEven, type Choice, type Expectation, labourPico, minutesMax, reviewPays, weigh } from "../economics/worth.ts";
import { PennyworthError } from "../error.ts";
import type { expectation, SaidSuccess, worthAnswer, WorthWanted } from "./weighed.ts";

/** What the ledger says in place of the question. */
export interface Filled {
  readonly cost: "said" | "ledger";
  readonly reviewMinutes: "said" | "ledger" | "none";
  readonly success: "said" | "ledger" | "none";
  readonly ledger: z.infer<typeof worthAnswer>["ledger"];
  readonly notes: readonly string[];
}

type Answer = z.infer<typeof worthAnswer>;
type Side = NonNullable<WorthWanted["dearer"]>;

/**
 * @param filled where the numbers come from; unless told, all are the question's.
 * @throws PennyworthError `request_malformed`, with the field, for what no schema can see.
 */
export function toAnswer(wanted: WorthWanted, filled?: Filled): Answer {
  try {
    return answer(wanted, filled ?? allSaid(wanted));
  } catch (error) {
    if (error instanceof RangeError) throw new PennyworthError("request_malformed", { detail: error.message }, error);
    throw error;
  }
}

function answer(wanted: WorthWanted, filled: Filled): Answer {
  const { agent, dearer, tasks = 1 } = wanted;
  if (agent.cost === undefined) throw new PennyworthError("request_malformed", { detail: "agent.cost: is needed" });
  const choice = toChoice(wanted, { ...agent, cost: agent.cost });
  const success = toSuccess(agent.success);
  const verdict = judge(choice, success);
  const basis = toBasis(verdict.success, success);
  const at = (p: number) => ({ perTask: toExpectation(weigh(choice, p), p), all: toExpectation(weigh(choice, p, tasks), p) });
  const expected =
    verdict.success === null || basis === null
      ? null
      : { low: at(verdict.success.low), basis: at(basis.p), high: at(verdict.success.high) };
  return {
    tasks,
    verdict: verdict.verdict,
    reason: verdict.reason,
    summary: toSummary(verdict, success, expected?.basis.perTask ?? null, choice.against.kind === "person"),
    success: toKnown(verdict.success, success),
    breakEven: verdict.breakEven,
    saved: mapSaved(verdict.savedPico),
    moreTasks: verdict.moreTasks,
    basis,
    expected,
    review: basis === null || labourPico("review", choice.review) === 0n ? null : toReview(choice, basis.p, agent.unreviewed ?? 0),
    sensitivity: basis === null ? null : toSensitivity(choice, basis.p, verdict.success, success),
    dearer: dearer === undefined || basis === null ? null : toDearer(wanted, choice, { ...(verdict.success as Range), p: basis.p }, dearer),
    gdpval: basis === null ? null : toGdpval(choice, basis.p, agent.minutes),
    used: {
      cost: { value: agent.cost, from: filled.cost },
      reviewMinutes: { value: agent.reviewMinutes ?? 0, from: filled.reviewMinutes },
      success: { value: agent.success ?? null, from: filled.success },
    },
    ledger: filled.ledger,
    notes: [
      ...filled.notes,
      ...idleOf(agent, "The agent"),
      ...(dearer === undefined ? [] : idleOf(withAgent(agent, dearer), "The dearer one")),
    ],
  };
}

function allSaid({ agent }: WorthWanted): Filled {
  return {
    cost: "said",
    reviewMinutes: agent.reviewMinutes === undefined ? "none" : "said",
    success: agent.success === undefined ? "none" : "said",
    ledger: null,
    notes: [],
  };
}

/** What is not said of the dearer one is as with the agent. */
function withAgent(agent: WorthWanted["agent"], dearer: Side): Pick<Side, "detection" | "damage" | "irreversible"> {
  return { ...agent, ...dearer };
}

/** What was said and changes nothing. */
function idleOf({ detection, damage, irreversible }: Pick<Side, "detection" | "damage" | "irreversible">, whose: string): string[] {
  const isDamaging = [damage, irreversible].some((amount) => amount !== undefined && parseUsd(amount) !== zero);
  if (!isDamaging || (detection ?? 1) < 1) return [];
  return [
    `${whose}: damage counts for failures that nobody finds, and unless detection is below 1 all are found: it adds nothing to the sum.`,
  ];
}

/** Labour that nobody gave a rate costs what the person's does. */
function toChoice({ person, value }: WorthWanted, way: Side): Choice {
  const rate = (own: string | undefined): Pico => parseUsd(own ?? person?.rate ?? "0");
  return {
    against:
      person === undefined
        ? { kind: "nobody", valuePico: parseUsd(value ?? "0") }
        : { kind: "person", labour: { minutes: person.minutes, hourlyPico: parseUsd(person.rate) } },
    runPico: parseUsd(way.cost),
    review: { minutes: way.reviewMinutes ?? 0, hourlyPico: rate(way.reviewRate) },
    cleanup: { minutes: way.cleanupMinutes ?? 0, hourlyPico: rate(way.cleanupRate) },
    cleanupPico: parseUsd(way.cleanup ?? "0"),
    detection: way.detection ?? 1,
    damagePico: parseUsd(way.damage ?? "0"),
    irreversiblePico: parseUsd(way.irreversible ?? "0"),
  };
}

export function toSuccess(said: SaidSuccess | null | undefined): Success {
  if (said === undefined || said === null) return { kind: "unknown" };
  if (typeof said === "number") return { kind: "said", p: said };
  if ("low" in said) return { kind: "between", ...said };
  const { successes, tasks, confidence } = said;
  return { kind: "counted", successes, tasks, ...(confidence === undefined ? {} : { confidence }) };
}

/** The one probability that sums are made at: the best guess, and of a range, in which no value is better than another, the middle. */
export function toBasis(range: Range | null, success: Success): Answer["basis"] {
  if (range === null) return null;
  if (range.at === null) return { p: (range.low + range.high) / 2, of: "middle" };
  return { p: range.at, of: success.kind === "counted" ? "observed" : "said" };
}

export function toKnown(range: Range | null, success: Success): Answer["success"] {
  if (range === null) return null;
  const counted = success.kind === "counted" ? success : null;
  return {
    low: range.low,
    at: range.at,
    high: range.high,
    kind: counted !== null ? "counted" : success.kind === "between" ? "range" : "said",
    successes: counted?.successes ?? null,
    tasks: counted?.tasks ?? null,
    confidence: counted === null ? null : (counted.confidence ?? 0.95),
  };
}

function mapSaved(saved: Verdict["savedPico"]): Answer["saved"] {
  if (saved === null) return null;
  return { low: formatUsd(saved.low), at: saved.at === null ? null : formatUsd(saved.at), high: formatUsd(saved.high) };
}

function toExpectation({ parts, ...all }: Expectation, p: number): z.infer<typeof expectation> {
  return {
    p,
    agent: formatUsd(all.agentPico),
    parts: {
      run: formatUsd(parts.runPico),
      review: formatUsd(parts.reviewPico),
      cleanup: formatUsd(parts.cleanupPico),
      redo: formatUsd(parts.redoPico),
      damage: formatUsd(parts.damagePico),
    },
    other: formatUsd(all.otherPico),
    saved: formatUsd(all.savedPico),
    savedPercent: all.otherPico === 0n ? null : formatRatio(all.savedPico * 100n, all.otherPico, 2),
    peopleHours: all.peopleHours,
    savedHours: all.savedHours,
  };
}

function toReview(choice: Choice, p: number, unreviewed: number): Answer["review"] {
  const { pays, costPico, gainPico, belowP } = reviewPays(choice, p, unreviewed);
  return {
    pays,
    cost: formatUsd(costPico),
    gain: formatUsd(gainPico),
    belowP,
    unreviewed,
    isHarmless: choice.damagePico + choice.irreversiblePico === 0n,
  };
}

const inputNames: Readonly<Record<Input, NonNullable<Answer["sensitivity"]>["bars"][number]["input"]>> = {
  p: "success",
  detection: "detection",
  personMinutes: "minutes",
  reviewMinutes: "reviewMinutes",
  cleanupMinutes: "cleanupMinutes",
  runPico: "cost",
  cleanupPico: "cleanup",
  damagePico: "damage",
  hourlyPico: "rate",
  personHourlyPico: "personRate",
  reviewHourlyPico: "reviewRate",
  cleanupHourlyPico: "cleanupRate",
  valuePico: "value",
};

/** Each input alone: amounts and times from half to twice what they are, success over its interval, or else probabilities by ten points. */
function toSensitivity(choice: Choice, p: number, range: Range | null, success: Success): NonNullable<Answer["sensitivity"]> {
  const now = new Map<Input, number | Pico>();
  const swings: Swing[] = [];
  const money = (input: Extract<Swing, { low: Pico }>["input"], value: Pico): void => {
    now.set(input, value);
    swings.push({ input, low: (value / 2n) as Pico, high: (2n * value) as Pico });
  };
  const share = (input: "p" | "detection", value: number, ends: { readonly low: number; readonly high: number } | null): void => {
    now.set(input, value);
    swings.push({ input, ...(ends ?? { low: tidy(Math.max(0, value - 0.1)), high: tidy(Math.min(1, value + 0.1)) }) });
  };
  const minutes = (input: "personMinutes" | "reviewMinutes" | "cleanupMinutes", value: number): void => {
    now.set(input, value);
    swings.push({ input, low: value / 2, high: Math.min(minutesMax, 2 * value) });
  };
  const { against, review, cleanup } = choice;
  share("p", p, success.kind === "said" || range === null ? null : { low: range.low, high: range.high });
  share("detection", choice.detection, null);
  money("runPico", choice.runPico);
  const labours = [against.kind === "person" ? against.labour : null, review, cleanup];
  const rates = new Set(labours.flatMap((labour) => (labour === null || labour.minutes === 0 ? [] : [labour.hourlyPico])));
  const [rate] = rates;
  // Where all labour costs the same, an hour of it is one input.
  if (rates.size === 1 && rate !== undefined) money("hourlyPico", rate);
  if (against.kind === "person") {
    minutes("personMinutes", against.labour.minutes);
    if (rates.size > 1) money("personHourlyPico", against.labour.hourlyPico);
  } else money("valuePico", against.valuePico);
  minutes("reviewMinutes", review.minutes);
  if (rates.size > 1 && review.minutes > 0) money("reviewHourlyPico", review.hourlyPico);
  minutes("cleanupMinutes", cleanup.minutes);
  if (rates.size > 1 && cleanup.minutes > 0) money("cleanupHourlyPico", cleanup.hourlyPico);
  money("cleanupPico", choice.cleanupPico);
  money("damagePico", choice.damagePico);
  const { basePico, bars } = tornado(choice, p, swings);
  return {
    p,
    base: formatUsd(basePico),
    // What changes nothing, and could not, is no bar.
    bars: bars.filter((bar) => bar.widthPico > 0n || bar.turnsAt !== null).map((bar) => toBar(bar, now.get(bar.input) ?? 0)),
  };
}

function toBar(bar: Bar, now: number | Pico): NonNullable<Answer["sensitivity"]>["bars"][number] {
  const { input } = bar;
  return {
    input: inputNames[input],
    unit: input.endsWith("Pico")
      ? input.toLowerCase().endsWith("hourlypico")
        ? "dollars_per_hour"
        : "dollars"
      : input.endsWith("Minutes")
        ? "minutes"
        : "share",
    now: toValue(now),
    low: toValue(bar.low),
    high: toValue(bar.high),
    lowCost: formatUsd(bar.lowPico),
    highCost: formatUsd(bar.highPico),
    width: formatUsd(bar.widthPico),
    flips: bar.flips,
    turnsAt: bar.turnsAt === null ? null : toValue(bar.turnsAt),
  };
}

function toValue(value: number | Pico): number | string {
  return typeof value === "bigint" ? formatUsd(value) : value;
}

/** Without what floats add: 0.1 + 0.2 is 0.3 here. */
function tidy(share: number): number {
  return Math.round(share * 1e9) / 1e9;
}

function toDearer(wanted: WorthWanted, choice: Choice, mine: Range & { readonly p: number }, dearer: Side): Answer["dearer"] {
  const other = toChoice(wanted, { ...wanted.agent, ...dearer });
  const said = toSuccess(dearer.success);
  const range = toRange(said);
  // With nothing said of its success, what else it brings is weighed at the same.
  const p = toBasis(range, said)?.p ?? mine.p;
  const found = parity({ choice, p: mine.p }, { choice: other, p });
  // The same, whatever it is; or each known by itself, and then at the worst and at the best for the dearer one.
  const ends =
    range === null
      ? ([
          [mine.low, mine.low],
          [mine.high, mine.high],
        ] as const)
      : ([
          [mine.high, range.low],
          [mine.low, range.high],
        ] as const);
  const [one, another] = ends.map(([cheaper, theirs]) => weigh(choice, cheaper).savedPico - weigh(other, theirs).savedPico) as [
    bigint,
    bigint,
  ];
  return {
    p,
    isAssumed: range === null,
    saved: formatUsd(found.savedPico ?? zero),
    savedLow: formatUsd(one > another ? -one : -another),
    savedHigh: formatUsd(one > another ? -another : -one),
    needed: found.p satisfies BreakEven,
    reviewMinutes: found.reviewMinutes,
    cost: found.runPico === null ? null : formatUsd(found.runPico),
    expected: toExpectation(weigh(other, p), p),
  };
}

/** @param minutes of a run; not said: nothing is said of times. */
function toGdpval(choice: Choice, accepted: number, minutes: number | undefined): Answer["gdpval"] {
  if (choice.against.kind === "nobody") return null;
  const { labour } = choice.against;
  const found = gdpval({
    person: { minutes: labour.minutes, pico: labourPico("person", labour) },
    model: { minutes: minutes ?? 0, pico: choice.runPico },
    review: { minutes: choice.review.minutes, pico: labourPico("review", choice.review) },
    accepted,
  });
  const way = (one: Way) => ({
    minutes: minutes === undefined ? null : one.minutes,
    cost: one.pico === null ? null : formatUsd(one.pico),
    speedup: minutes === undefined ? null : one.speedup,
    saving: one.saving,
  });
  return {
    once: way(found.once),
    untilAccepted: way(found.untilAccepted),
    breakEven: { time: minutes === undefined ? null : found.breakEven.time, cost: found.breakEven.cost },
  };
}

function toSummary(
  { reason, breakEven, success: range, savedPico, moreTasks }: Verdict,
  success: Success,
  expected: z.infer<typeof expectation> | null,
  isPerson: boolean,
): string {
  const even = breakEven.p ?? 0;
  const money = expected === null ? "" : ` ${toSaving(expected, savedPico, isPerson)}`;
  switch (reason) {
    case "always_cheaper":
      return `Go: the agent pays even if every task fails.${money}`;
    case "never_cheaper":
      return `No: the agent does not pay even if every task succeeds.${money}`;
    case "at_break_even":
      return `No: it succeeds in ${percent(even)}, at which it saves nothing.`;
    case "above_break_even":
    case "below_break_even": {
      const isAbove = reason === "above_break_even";
      const [from, known] = apart(even, isAbove ? (range?.low ?? 0) : (range?.high ?? 0), (digits) => toRate(range, success, digits));
      return `${isAbove ? "Go" : "No"}: the agent pays from ${from} success on, and it succeeds in ${known}.${money}`;
    }
    case "around_break_even": {
      const [from, known] = apart(even, range?.at ?? 2, (digits) => toRate(range, success, digits));
      return `Not enough data: the agent pays from ${from} success on, which lies within what is known, ${known}.${money}${toMore(moreTasks)}`;
    }
    case "no_outcomes":
      return `Not enough data: the agent pays from ${percent(even)} success on, and no outcome is known.${toMore(moreTasks)}`;
  }
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
  const ends = over === null || over.low === over.high ? "" : `, and over what is known ${toGain(over.low)} to ${toGain(over.high)}`;
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
  const digits = [1, 2, 3, 4, 5, 6].find((count) => even === other || percent(even, count) !== percent(other, count)) ?? 7;
  return [percent(even, digits), write(digits)];
}
