// What the ledger knows of tasks of a type, put in where a question about an agent leaves it out: how often they succeeded, what they cost, how long people
// checked them. Not here: the reckoning (weigh.ts), HTTP (worth.ts), who is told (watched.ts). Invariant: an answer says which numbers are the ledger's,
// and what the ledger does not know is never taken for nought in silence.

import type { z } from "@hono/zod-openapi";
import { divideHalfEven, formatUsd, parseUsd, type Pico, sum, toPico, zero } from "../core/money.ts";
import { costSpan, reviewSpan, type Span } from "../economics/sampled.ts";
import { toEnds } from "../economics/verdict.ts";
import { PennyworthError } from "../error.ts";
import type { EndSums, SuccessQuery, SuccessRow } from "../ledger/store.ts";
import { nearest } from "../near.ts";
import type { ApiContext } from "./context.ts";
import { parsePast } from "./query.ts";
import { samplesOf } from "./success.ts";
import { percent } from "./sentence.ts";
import type { Filled } from "./weigh.ts";
import type { ledgerFacts, MapWanted, SaidSuccess, WorthWanted } from "./weighed.ts";

export type Facts = z.infer<typeof ledgerFacts>;
export type Asking = Omit<SuccessQuery, "by" | "limit">;
type Asked = NonNullable<WorthWanted["fromLedger"]>;

/** Types of the ledger on one map. */
const typesMax = 100;

/** A question with what the ledger knows put in, and where each number comes from. */
export interface Question {
  readonly filled: Filled;
  readonly said: WorthWanted;
}

/** @throws PennyworthError `query_invalid` where neither the question nor the ledger knows what a run costs. */
export async function fill(wanted: WorthWanted, asked: Asked, context: ApiContext): Promise<Question> {
  const query = toQuery(asked, context);
  const facts = await factsOf(asked.type, query, context);
  const question = toQuestion(wanted, facts);
  if (question === null) throw await nothingKnown(facts, query, context);
  return question;
}

/** What the ledger knows of the tasks of one type, and of one agent where the query has it. */
export async function factsOf(type: string, query: Asking, context: ApiContext): Promise<Facts> {
  const { total } = await context.ledger.success({ ...query, by: [], limit: 1, filters: [...query.filters, isOfType(type)] });
  const agent = query.filters.find(({ field }) => field === "agent")?.value ?? null;
  return toFacts(type, agent, query, total, samplesOf([total]));
}

/** @returns null: neither says what a run costs. */
export function toQuestion(wanted: WorthWanted, facts: Facts): Question | null {
  const { agent } = wanted;
  const cost = agent.cost ?? facts.cost;
  if (cost === null) return null;
  const success = agent.success ?? successOf(facts);
  const notes = notesOf(facts, { success: agent.success === undefined });
  const minutes = agent.reviewMinutes ?? facts.reviewMinutes;
  if (minutes === null)
    notes.push("Nobody said how long these tasks took to check, so no time is reckoned for it: say it with the question.");
  else if (agent.reviewMinutes === undefined && facts.reviewed < facts.successes + facts.failures + facts.unknown)
    notes.push("Checking took at least as long as is reckoned: what was said of it is spread over all tasks that have ended.");
  const isCostTaken = agent.cost === undefined;
  const isReviewTaken = agent.reviewMinutes === undefined && facts.reviewMinutes !== null;
  const ends = agent.success === undefined ? toEnds(facts) : undefined;
  const few = [
    ...(isCostTaken && facts.costInterval === null ? ["what a run costs"] : []),
    ...(isReviewTaken && facts.reviewInterval === null ? ["how long checking takes"] : []),
  ];
  if (few.length > 0)
    notes.push(`Too few tasks to say ${few.join(" and ")}: no figure of it decides anything. Say it with the question where you know it.`);
  return {
    filled: {
      cost: agent.cost === undefined ? "ledger" : "said",
      reviewMinutes: agent.reviewMinutes !== undefined ? "said" : facts.reviewMinutes === null ? "none" : "ledger",
      success: agent.success !== undefined ? "said" : success === undefined ? "none" : "ledger",
      ledger: facts,
      spans: {
        ...(isCostTaken ? { runPico: toCostSpan(facts) } : {}),
        ...(isReviewTaken ? { reviewMinutes: facts.reviewInterval ?? { low: 0, high: null } } : {}),
        ...(ends === undefined ? {} : { ends }),
      },
      notes,
    },
    said: {
      ...wanted,
      agent: {
        ...agent,
        cost,
        ...(minutes === null ? {} : { reviewMinutes: minutes }),
        ...(success === undefined ? {} : { success }),
      },
    },
  };
}

/** Types with most tasks first. */
export async function factsByType(
  asked: NonNullable<MapWanted["fromLedger"]>,
  context: ApiContext,
): Promise<{ readonly facts: readonly Facts[]; readonly truncated: boolean }> {
  const query = toQuery(asked, context);
  const { rows, truncated } = await context.ledger.success({ ...query, by: ["type"], limit: typesMax });
  const samples = samplesOf(rows);
  const facts: Facts[] = [];
  for (const row of rows) {
    const [type = null] = row.group;
    if (type !== null) facts.push(toFacts(type, asked.agent ?? null, query, row, samples));
    // Calls that wait have their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { facts, truncated };
}

export function isOfType(type: string): Asking["filters"][number] {
  return { field: "type", value: type, operator: "=" };
}

export function toQuery(
  {
    agent,
    since,
    until,
  }: { readonly agent?: string | undefined; readonly since?: string | undefined; readonly until?: string | undefined },
  context: ApiContext,
): Asking {
  const nowMs = context.now();
  return {
    ...parsePast({ since, until }, nowMs),
    filters: agent === undefined ? [] : [{ field: "agent", value: agent, operator: "=" }],
    nowMs,
    openMs: context.openMs,
  };
}

/** Of the tasks that have ended: what is open has cost only a part of what it will. */
function toFacts(
  type: string,
  agent: string | null,
  { sinceMs, untilMs }: Pick<SuccessQuery, "sinceMs" | "untilMs">,
  row: SuccessRow,
  samples: number,
): Facts {
  const ended = [row.success, row.failure, row.unknown];
  const tasks = ended.reduce((count: number, { tasks: more }: EndSums) => count + more, 0);
  const spend = sum(ended.map(({ cost }) => parseUsd(cost)));
  // What has no price costs something, and nobody knows how much.
  const meanPico = tasks === 0 || row.unpriced > 0 ? null : toPico(divideHalfEven(spend, BigInt(tasks)));
  const { quantiles, reviewMillis, reviewSquares } = row;
  const costs =
    meanPico === null
      ? null
      : costSpan(
          {
            meanPico,
            tasks,
            // Weights of a statistic, and no amounts that anybody adds up.
            units: row.units.map(({ cost }) => Number(cost) * 1e12),
            quantiles:
              quantiles === null
                ? null
                : { medianPico: parseUsd(quantiles.p50), p90Pico: parseUsd(quantiles.p90), p99Pico: parseUsd(quantiles.p99) },
          },
          { samples },
        );
  const reviewed = reviewMillis === null ? 0 : tasks + row.open.tasks - row.unreviewed;
  return {
    type,
    agent,
    sinceMs,
    untilMs,
    successes: row.success.tasks,
    failures: row.failure.tasks,
    unknown: row.unknown.tasks,
    open: row.open.tasks,
    cost: meanPico === null ? null : formatUsd(meanPico),
    costInterval: costs === null ? null : { low: formatUsd(costs.low), high: costs.high === null ? null : formatUsd(costs.high) },
    reviewMinutes: row.reviewMillis === null || tasks === 0 ? null : Number(row.reviewMillis) / 60_000 / tasks,
    reviewed,
    reviewInterval:
      reviewMillis === null || reviewSquares === null
        ? null
        : reviewSpan({ millis: BigInt(reviewMillis), squares: BigInt(reviewSquares), said: reviewed, tasks }),
    unpriced: row.unpriced,
    contradictory: row.contradictory,
  };
}

/** Of too few tasks nothing bounds it. */
function toCostSpan({ costInterval }: Facts): Span<Pico> {
  if (costInterval === null) return { low: zero, high: null };
  return { low: parseUsd(costInterval.low), high: costInterval.high === null ? null : parseUsd(costInterval.high) };
}

/** Of tasks that nobody said anything of, success is not known: they are not counted, and the answer says how many they are. */
function successOf({ successes, failures }: Facts): Exclude<SaidSuccess, number> | undefined {
  return successes + failures === 0 ? undefined : { successes, tasks: successes + failures };
}

function notesOf(facts: Facts, taken: { readonly success: boolean }): string[] {
  const { successes, failures, unknown, open, contradictory } = facts;
  const notes: string[] = [];
  if (taken.success && unknown > 0)
    notes.push(
      `Of ${are(unknown, "task that has", "tasks that have")} ended nobody said how: success is counted over the other ${successes + failures}.`,
    );
  if (open > 0) notes.push(`${are(open, "task is", "tasks are")} still open, and not counted.`);
  const ends = taken.success ? toEnds(facts) : undefined;
  if (ends !== undefined)
    notes.push(
      `Had all that ${open === 0 ? "ended unknown" : unknown === 0 ? "is open" : "is open or ended unknown"} failed, ${percent(ends.low)} of all would have succeeded; had all of it succeeded, ${percent(ends.high)}. What that could turn is not decided.`,
    );
  if (taken.success && contradictory > 0)
    notes.push(`Sources say different things of ${are(contradictory, "task", "tasks")}; the weightier one counts.`);
  return notes;
}

function are(count: number, one: string, more: string): string {
  return `${count} ${count === 1 ? one : more}`;
}

async function nothingKnown({ type, agent, open, unpriced }: Facts, query: Asking, context: ApiContext): Promise<PennyworthError> {
  const { rows } = await context.ledger.success({ ...query, by: ["type"], limit: typesMax });
  const near = nearest(
    type,
    rows.flatMap(({ group: [name = null] }) => (name === null || name === type ? [] : [name])),
  );
  const whose = agent === null ? "" : ` of the agent ${JSON.stringify(agent)}`;
  const what =
    open > 0
      ? `tasks of the type ${JSON.stringify(type)}${whose} are all still open`
      : `no task of the type ${JSON.stringify(type)}${whose} is on record`;
  const hint = near.length > 0 && open === 0 ? ` (near it: ${near.join(", ")})` : "";
  if (unpriced > 0) {
    const detail = `of ${are(unpriced, "task", "tasks")} of the type ${JSON.stringify(type)}${whose} not all of the cost is known, and so nobody knows what a run costs: usage has no price (pennyworth prices unpriced says of what, prices set sets it), or a file left the cost empty; say agent.cost`;
    return new PennyworthError("query_invalid", { detail });
  }
  return new PennyworthError("query_invalid", { detail: `${what}${hint}; say agent.cost, or look at a longer time` });
}
