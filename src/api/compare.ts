// GET /api/v1/compare: agents, models or prompt versions side by side, from tasks one by one. Not here: the arithmetic (economics/contest.ts), the
// shape of the answer and its words (compared.ts). Invariant: the same question has the same answer, and what was not looked at is counted in it.

import { createRoute, z } from "@hono/zod-openapi";
import { contest, type Entrant } from "../economics/contest.ts";
import { repeatsOf } from "../economics/repeats.ts";
import type { Trial } from "../ledger/trials.ts";
import { nearest } from "../near.ts";
import { compareAnswer, toComparisons, toRepeats, toStanding } from "./compared.ts";
import type { ApiContext } from "./context.ts";
import { waited } from "./fresh.ts";
import { toTokens } from "./names.ts";
import { invalid } from "./query.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { byCandidate, fieldsText, findTrials, pause, toTried, trialsQuery } from "./tried.ts";

/** More are no comparison that anybody reads, and their pairs are many. */
export const candidatesMax = 24;

/** Draws of one answer, over all its bootstraps: some ten nanoseconds each. */
const drawsMax = 4_000_000;

export const compareQuery = z.strictObject({
  ...trialsQuery,
  by: z
    .string()
    .optional()
    .openapi({ description: `What candidates are told apart by, one of ${fieldsText}; model unless told.`, example: "agent" }),
  candidates: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .openapi({ description: "Only these, comma-separated; else all.", example: "gpt-5-mini,claude-haiku-4-5" }),
  baseline: z
    .string()
    .max(1_024)
    .optional()
    .openapi({ description: "Whom the others are held against; unless told, the one whose success is surely highest." }),
  margin: z.string().max(20).optional().openapi({
    description: "A difference of success rates, and of costs as a share, that is no difference to you: 0 to 0.5; 0.05 unless told.",
  }),
});

export function addCompare(app: Api, context: ApiContext): void {
  const route = createRoute({
    method: "get",
    path: "/api/v1/compare",
    summary: "Candidates side by side: cost against success",
    description:
      "Agents, models or prompt versions by their root tasks: who is on the frontier, who is dominated and by whom, each against a baseline, and how much more would settle what is open. Tasks that carry the same tag `case` are tries at the same piece of work.",
    security,
    middleware: needs("read", context),
    request: { query: compareQuery },
    responses: { 200: json("Side by side.", compareAnswer), ...failures },
  });
  app.openapi(route, async (c) => {
    const asked = c.req.valid("query");
    const margin = parseMargin(asked.margin);
    const freshly = await waited(context, asked.fresh);
    const found = await findTrials(context, asked, "model");
    const toValue = (name: string) => toTokens([{ field: found.by, value: name, operator: "=" }], context.names)[0]?.value ?? null;
    const wanted = parseCandidates(asked.candidates, (name) => found.trials.some(({ candidate }) => candidate === toValue(name)));
    const values = new Set(wanted?.map(toValue));
    const trials = wanted === null ? found.trials : found.trials.filter(({ candidate }) => values.has(candidate));
    const all = await byCandidate({ by: found.by, trials }, context);
    const named = [...all].filter((one): one is [string, readonly Trial[]] => one[0] !== null);
    named.sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1));
    const compared = keep(named, asked.baseline);
    const left = named.filter((one) => !compared.includes(one));
    if (asked.baseline !== undefined && !compared.some(([id]) => id === asked.baseline)) throw unknownBaseline(asked.baseline, named);
    const entrants: Entrant[] = [];
    for (const [id, mine] of compared) {
      entrants.push({ id, tries: mine.map(toTried) });
      await pause();
    }
    const samples = samplesOf(entrants);
    const outcome = contest(entrants, { baseline: asked.baseline ?? null, margin, samples });
    await pause();
    const repeats = repeatsOf(entrants, samples);
    return c.json(
      {
        by: found.by,
        type: found.type,
        sinceMs: found.sinceMs,
        untilMs: found.untilMs,
        zone: found.zone,
        tasks: trials.length,
        truncated: found.truncated,
        margin,
        candidates: outcome.standings.map(toStanding),
        baseline: outcome.baseline === null ? null : { candidate: outcome.baseline.id, isNamed: outcome.baseline.isNamed },
        comparisons: toComparisons(outcome),
        repeats: toRepeats(repeats),
        unnamed: all.get(null)?.length ?? 0,
        leftOut: { candidates: left.length, tasks: left.reduce((sum, [, mine]) => sum + mine.length, 0) },
        absent: wanted === null ? [] : wanted.filter((name) => !all.has(name)),
        position: found.position,
        ...freshly,
      },
      200,
    );
  });
}

/** Those with the most tasks, and the baseline. */
function keep(named: readonly [string, readonly Trial[]][], baseline: string | undefined): readonly [string, readonly Trial[]][] {
  const most = named.slice(0, candidatesMax);
  const other = named.slice(candidatesMax).find(([id]) => id === baseline);
  return other === undefined ? most : [...most.slice(0, -1), other];
}

/** A name may hold commas: one that somebody has is not taken apart. */
function parseCandidates(said: string | readonly string[] | undefined, isKnown: (name: string) => boolean): readonly string[] | null {
  if (said === undefined) return null;
  const names = [said]
    .flat()
    .flatMap((text) => (text.includes(",") && !isKnown(text) ? text.split(",").map((name) => name.trim()) : [text.trim()]));
  const unique = [...new Set(names.filter((name) => name !== ""))];
  if (unique.length === 0) return null;
  if (unique.length > candidatesMax) throw invalid(`candidates names ${unique.length}: at most ${candidatesMax} are compared at once`);
  return unique;
}

function parseMargin(said: string | undefined): number {
  if (said === undefined) return 0.05;
  const margin = /^(0|0?\.\d{1,10}|0\.\d{1,10})$/.test(said) ? Number(said) : Number.NaN;
  if (margin >= 0 && margin <= 0.5) return margin;
  throw invalid(`margin is ${JSON.stringify(said)}: expected a share, 0 to 0.5, such as 0.05 for five points`);
}

function unknownBaseline(name: string, named: readonly (readonly [string, unknown])[]) {
  const ids = named.map(([id]) => id);
  const near = nearest(name, ids);
  const known =
    near.length > 0
      ? `near it: ${near.join(", ")}`
      : ids.length === 0
        ? "there is no candidate at all"
        : `there are ${ids.slice(0, 8).join(", ")}`;
  return invalid(`baseline is ${JSON.stringify(name.slice(0, 100))}, which is none of the candidates; ${known}`);
}

/** Fewer where there are many candidates with many tasks. */
function samplesOf(entrants: readonly Entrant[]): number {
  // Two bootstraps each, of at most a thousand units or 256 groups.
  const units = entrants.reduce((all, { tries }) => all + 2 * (tries.length > 1_000 ? 256 : tries.length), 0);
  return Math.max(120, Math.min(1_000, Math.floor(drawsMax / Math.max(1, units))));
}
