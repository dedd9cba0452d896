// The map of task types as JSON: types as they are asked about, filled in from the ledger where they are, and where each lies. Not here: the
// arithmetic (economics/map.ts), the questions to the store (worth.ts). Invariant: pure; a type of which something is not known lies nowhere.

import type { z } from "@hono/zod-openapi";
import { formatUsd, parseUsd, type Pico, zero } from "../core/money.ts";
import type { Interval } from "../economics/interval.ts";
import { type Spans, toEnds } from "../economics/verdict.ts";
import { edge, type Ground, type Point, type TaskType, toMap } from "../economics/map.ts";
import { minutesMax } from "../economics/worth.ts";
import { PennyworthError } from "../error.ts";
import { toBasis, toKnown, toSuccess } from "./weigh.ts";
import type { ledgerFacts, mapAnswer, MapWanted } from "./weighed.ts";

type Answer = z.infer<typeof mapAnswer>;
type Wanted = MapWanted["types"][number];
type From = Answer["points"][number]["from"];

interface Listed {
  readonly costInterval: { readonly low: string; readonly high: string } | null;
  readonly reviewInterval: { readonly low: number; readonly high: number } | null;
  /** Of success from the ledger; undefined: every end is known. */
  readonly ends: Interval | undefined;
  /** The ledger knows the type. */
  readonly isRecorded: boolean;
  /** The ledger has a figure of too few tasks, which counts as none. */
  readonly isFew: boolean;
  readonly wanted: Wanted;
  readonly from: From;
}

/** Edges are drawn to twice the longest task, and to two hours at the least. */
const untilLeast = 120;
const places = 25;

const missingNames = {
  personMinutes: "minutes",
  reviewMinutes: "reviewMinutes",
  runPico: "cost",
  damagePico: "damage",
  success: "success",
} as const;

/**
 * @param facts of the ledger, by type: they fill in what is not said, and types that nobody listed come last.
 * @throws PennyworthError `request_malformed`, with type and field, for what no schema can see.
 */
export function placeTypes(wanted: MapWanted, facts: readonly z.infer<typeof ledgerFacts>[] = [], truncated = false): Answer {
  const known = new Map(facts.map((one) => [one.type, one]));
  const names = new Set(wanted.types.map(({ type }) => type));
  const unlisted = facts.filter(({ type }) => !names.has(type)).map(({ type }): Wanted => ({ type }));
  const listed = [...wanted.types, ...unlisted].map((one) => fillIn({ ...one, damage: one.damage ?? wanted.damage }, known.get(one.type)));
  const ground = toGround(wanted);
  try {
    const points = toMap(ground, listed.map(toTask));
    const untilMinutes = Math.min(minutesMax, Math.max(untilLeast, ...points.map(({ personMinutes }) => 2 * (personMinutes ?? 0))));
    return {
      points: points.map((point, index) => toPoint(ground, point, listed[index] as Listed, untilMinutes)),
      untilMinutes,
      truncated,
      notes: notesOf(listed, points),
    };
  } catch (error) {
    if (error instanceof RangeError) throw new PennyworthError("request_malformed", { detail: error.message }, error);
    throw error;
  }
}

function fillIn(wanted: Wanted, facts: z.infer<typeof ledgerFacts> | undefined): Listed {
  const said = { reviewMinutes: wanted.reviewMinutes ?? null, cost: wanted.cost ?? null, success: wanted.success ?? null };
  const counted = facts === undefined ? 0 : facts.successes + facts.failures;
  const [low, high] = [facts?.costInterval?.low, facts?.costInterval?.high ?? null];
  const costInterval = low === undefined || high === null ? null : { low, high };
  const reviewInterval = facts?.reviewInterval ?? null;
  const isFewCosts = said.cost === null && costInterval === null && (facts?.cost ?? null) !== null;
  const isFewReviews = said.reviewMinutes === null && reviewInterval === null && (facts?.reviewMinutes ?? null) !== null;
  const theirs = {
    reviewMinutes: reviewInterval === null ? null : (facts?.reviewMinutes ?? null),
    cost: costInterval === null ? null : (facts?.cost ?? null),
    success: facts === undefined || counted === 0 ? null : { successes: facts.successes, tasks: counted },
  };
  const fromOf = (name: keyof typeof said): From["cost"] => (said[name] !== null ? "said" : theirs[name] !== null ? "ledger" : "none");
  return {
    costInterval: said.cost === null ? costInterval : null,
    reviewInterval: said.reviewMinutes === null ? reviewInterval : null,
    ends: facts === undefined || said.success !== null ? undefined : toEnds(facts),
    isRecorded: facts !== undefined,
    isFew: isFewCosts || isFewReviews,
    wanted: {
      ...wanted,
      reviewMinutes: said.reviewMinutes ?? theirs.reviewMinutes,
      cost: said.cost ?? theirs.cost,
      success: said.success ?? theirs.success,
    },
    from: { reviewMinutes: fromOf("reviewMinutes"), cost: fromOf("cost"), success: fromOf("success") },
  };
}

function toGround({ rate, reviewRate, cleanupMinutes, cleanup, detection, irreversible }: MapWanted): Ground {
  return {
    personHourlyPico: parseUsd(rate),
    reviewHourlyPico: parseUsd(reviewRate ?? rate),
    cleanup: { minutes: cleanupMinutes ?? 0, hourlyPico: parseUsd(rate) },
    cleanupPico: parseUsd(cleanup ?? "0"),
    detection: detection ?? 1,
    irreversiblePico: parseUsd(irreversible ?? "0"),
  };
}

function toTask({ wanted: { type, minutes, reviewMinutes, cost, damage, success }, costInterval, reviewInterval, ends }: Listed): TaskType {
  const spans: Spans = {
    ...(costInterval === null ? {} : { runPico: { low: parseUsd(costInterval.low), high: parseUsd(costInterval.high) } }),
    ...(reviewInterval === null ? {} : { reviewMinutes: reviewInterval }),
    ...(ends === undefined ? {} : { ends }),
  };
  return {
    type,
    personMinutes: minutes ?? null,
    reviewMinutes: reviewMinutes ?? null,
    runPico: money(cost),
    damagePico: money(damage),
    success: toSuccess(success),
    spans,
  };
}

function money(said: string | null | undefined): Pico | null {
  return said === null || said === undefined ? null : parseUsd(said);
}

function toPoint(
  ground: Ground,
  point: Point,
  { wanted, from, costInterval, reviewInterval }: Listed,
  untilMinutes: number,
): Answer["points"][number] {
  const success = toSuccess(wanted.success);
  const p = toBasis(point.success, success)?.p ?? null;
  const { cost } = wanted;
  const isDrawn = p !== null && cost !== null && cost !== undefined && point.damagePico !== null;
  const edges = isDrawn ? edge(ground, { runPico: parseUsd(cost), damagePico: point.damagePico ?? zero, p }, untilMinutes, places) : [];
  return {
    type: point.type,
    minutes: point.personMinutes,
    reviewMinutes: point.reviewMinutes,
    cost: cost ?? null,
    damage: point.damagePico === null ? null : formatUsd(point.damagePico),
    costInterval,
    reviewInterval,
    from,
    ratio: point.ratio,
    success: toKnown(point.success, success),
    classes: point.classes,
    isSettled: point.isSettled,
    mostDamage: point.damageAtMostPico === null ? null : formatUsd(point.damageAtMostPico),
    missing: point.missing.map((name) => missingNames[name]),
    edge: edges.map(({ personMinutes, reviewMinutes, sweetMinutes }) => ({ minutes: personMinutes, reviewMinutes, sweetMinutes })),
  };
}

function notesOf(listed: readonly Listed[], points: readonly Point[]): string[] {
  const count = (name: keyof From): number => listed.filter(({ from }) => from[name] === "ledger").length;
  const taken = (
    [
      ["cost", "what a run costs"],
      ["success", "how often it succeeds"],
      ["reviewMinutes", "the time to check"],
    ] as const
  )
    .filter(([name]) => count(name) > 0)
    .map(([name, words]) => `${words} of ${count(name)}`);
  const recorded = listed.filter(({ isRecorded }) => isRecorded).length;
  const few = listed.filter(({ isFew }) => isFew).length;
  const open = listed.filter(({ ends }, index) => ends !== undefined && points[index]?.classes && !points[index].isSettled).length;
  return [
    ...(taken.length === 0 ? [] : [`From the ledger: ${taken.join(", ")} of ${recorded} ${recorded === 1 ? "type" : "types"}.`]),
    ...(few === 0
      ? []
      : [
          `Of ${few} ${few === 1 ? "type" : "types"} the ledger has too few tasks to say what a run costs or how long checking takes: not enough data.`,
        ]),
    ...(open === 0
      ? []
      : [
          `Of ${open} ${open === 1 ? "type" : "types"} that ${open === 1 ? "lies" : "lie"} in more than one place, some tasks are open or ended unknown: had they failed, or succeeded, counts too.`,
        ]),
  ];
}
