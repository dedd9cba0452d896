// Whether an agent is worth it, as a question and an answer in JSON: each field checked by its name, amounts as decimal strings, and the verdict in
// one plain sentence. Not here: the arithmetic (economics/), what the ledger knows of it (worth.ts). Invariant: pure, and all that the command line
// and the page say comes from here, so that they say the same.

import type { z } from "@hono/zod-openapi";
import { formatRatio, formatUsd, parseUsd, type Pico, toPico, zero } from "../core/money.ts";
import { gdpval, type Way } from "../economics/gdpval.ts";
import { parity } from "../economics/parity.ts";
import { type Bar, type Input, type Swing, tornado } from "../economics/sensitivity.ts";
import { judge, type Range, type Spans, type Success, toRange, type Verdict } from "../economics/verdict.ts";
import { type BreakEven, type Choice, type Expectation, labourPico, minutesMax, reviewPays, weigh } from "../economics/worth.ts";
import { PennyworthError } from "../error.ts";
import { toSummary } from "./sentence.ts";
import type { expectation, SaidSuccess, worthAnswer, WorthWanted } from "./weighed.ts";

/** What the ledger says in place of the question. */
export interface Filled {
  readonly cost: "said" | "ledger";
  readonly reviewMinutes: "said" | "ledger" | "none";
  readonly success: "said" | "ledger" | "none";
  readonly ledger: z.infer<typeof worthAnswer>["ledger"];
  /** How far what the ledger says may be off. */
  readonly spans: Spans;
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
  const { spans } = filled;
  const verdict = judge(choice, success, 1, spans);
  const { worst, best } = verdict.corners;
  const { reach } = verdict;
  const basis = toBasis(verdict.success, success);
  const at = (of: Choice, p: number) => ({ perTask: toExpectation(weigh(of, p), p), all: toExpectation(weigh(of, p, tasks), p) });
  const expected =
    reach === null || basis === null
      ? null
      : {
          low: worst === null ? null : at(worst, reach.low),
          basis: at(choice, basis.p),
          high: at(best, reach.high),
        };
  return {
    tasks,
    verdict: verdict.verdict,
    reason: verdict.reason,
    summary: toSummary(verdict, success, expected?.basis.perTask ?? null, choice, filled),
    success: toKnown(verdict.success, success),
    breakEven: verdict.breakEven,
    saved: mapSaved(verdict.savedPico),
    moreTasks: verdict.moreTasks,
    basis,
    expected,
    review: basis === null || labourPico("review", choice.review) === 0n ? null : toReview(choice, basis.p, agent.unreviewed ?? 0),
    sensitivity: basis === null ? null : toSensitivity(choice, basis.p, reach, success, spans),
    dearer: dearer === undefined || basis === null ? null : toDearer(wanted, choice, { ...(reach as Range), p: basis.p }, dearer, spans),
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
    spans: {},
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
  return {
    low: saved.low === null ? null : formatUsd(saved.low),
    at: saved.at === null ? null : formatUsd(saved.at),
    high: formatUsd(saved.high),
  };
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
  // What comes to light by itself does so whether somebody checks or not: checking finds no less.
  const { pays, costPico, gainPico, belowP } = reviewPays(choice, p, Math.min(unreviewed, choice.detection));
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

/** Each input alone: amounts and times from half to twice what they are, success and what is the ledger's over its interval, or else probabilities by ten points. */
function toSensitivity(choice: Choice, p: number, range: Range | null, success: Success, spans: Spans): NonNullable<Answer["sensitivity"]> {
  const now = new Map<Input, number | Pico>();
  const swings: Swing[] = [];
  const money = (input: Extract<Swing, { low: Pico }>["input"], value: Pico): void => {
    now.set(input, value);
    const known = input === "runPico" ? spans.runPico : undefined;
    swings.push({ input, low: known?.low ?? ((value / 2n) as Pico), high: known?.high ?? ((2n * value) as Pico) });
  };
  const share = (input: "p" | "detection", value: number, ends: { readonly low: number; readonly high: number } | null): void => {
    now.set(input, value);
    swings.push({ input, ...(ends ?? { low: tidy(Math.max(0, value - 0.1)), high: tidy(Math.min(1, value + 0.1)) }) });
  };
  const minutes = (input: "personMinutes" | "reviewMinutes" | "cleanupMinutes", value: number): void => {
    now.set(input, value);
    const known = input === "reviewMinutes" ? spans.reviewMinutes : undefined;
    swings.push({ input, low: known?.low ?? value / 2, high: Math.min(minutesMax, known?.high ?? 2 * value) });
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

function toDearer(
  wanted: WorthWanted,
  choice: Choice,
  mine: Range & { readonly p: number },
  dearer: Side,
  { runPico, reviewMinutes }: Spans,
): Answer["dearer"] {
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
  // What it takes from the agent moves with that; the agent's own cost does not.
  const isShared = dearer.reviewMinutes === undefined;
  const runs = runPico === undefined ? [choice.runPico] : [runPico.low, runPico.high ?? runPico.low];
  const times = reviewMinutes === undefined ? [choice.review.minutes] : [reviewMinutes.low, reviewMinutes.high ?? reviewMinutes.low];
  const moved = runs.flatMap((run) =>
    times.flatMap((time) => {
      const agent: Choice = { ...choice, runPico: run, review: { ...choice.review, minutes: time } };
      const theirs: Choice = isShared ? { ...other, review: { ...other.review, minutes: time } } : other;
      return ends.map(([cheaper, dear]) => toPico(weigh(theirs, dear).savedPico - weigh(agent, cheaper).savedPico));
    }),
  );
  const rises = choice.review.hourlyPico - (isShared ? other.review.hourlyPico : 0n);
  const isTimeOpen = reviewMinutes?.high === null;
  const hasLow = !(isTimeOpen && rises < 0n);
  const hasHigh = runPico?.high !== null && !(isTimeOpen && rises > 0n);
  const [least, most] = moved.reduce(
    ([low, high], one) => [one < low ? one : low, one > high ? one : high],
    [moved[0] ?? zero, moved[0] ?? zero],
  );
  return {
    p,
    isAssumed: range === null,
    saved: formatUsd(found.savedPico ?? zero),
    savedLow: hasLow ? formatUsd(least) : null,
    savedHigh: hasHigh ? formatUsd(most) : null,
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
