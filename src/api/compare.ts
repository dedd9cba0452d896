// GET /api/v1/compare: agents, models or prompt versions side by side, from what their tasks add up to. Not here: the arithmetic (economics/contest.ts), the
// shape of the answer and its words (compared.ts). Invariant: the same question has the same answer, and what was not looked at is counted in it.

import { createRoute, z } from "@hono/zod-openapi";
import { contest } from "../economics/contest.ts";
import type { Gathered } from "../economics/gathered.ts";
import { repeatsOf } from "../economics/repeats.ts";
import { nearest } from "../near.ts";
import { compareAnswer, toComparisons, toRepeats, toStanding } from "./compared.ts";
import type { ApiContext } from "./context.ts";
import { waited } from "./fresh.ts";
import { gather } from "./gather.ts";
import { toName, toTokens } from "./names.ts";
import { invalid } from "./query.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { fieldsText, parseTries, pause, trialsQuery } from "./tried.ts";

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
    const { query, told } = parseTries(context, asked, "model");
    const toValue = (name: string) => toTokens([{ field: told.by, value: name, operator: "=" }], context.names)[0]?.value ?? null;
    const valuesOf = (names: readonly string[]) => [...new Set(names.map(toValue).filter((value) => value !== null))];
    const said = readingsOf(asked.candidates);
    const either = said?.flatMap(({ whole, parts }) => [whole, ...parts]) ?? null;
    const found = await context.ledger.tries({
      ...query,
      most: Math.max(candidatesMax, either?.length ?? 0),
      only: either === null ? null : valuesOf(either),
      always: asked.baseline === undefined ? null : toValue(asked.baseline),
    });
    // A name may hold commas: one that somebody has is not taken apart.
    const there = new Set(found.candidates.map(({ value }) => value));
    const wanted =
      said === null ? null : parseCandidates(said.flatMap(({ whole, parts }) => (there.has(toValue(whole) ?? "") ? whole : parts)));
    const values = new Set(valuesOf(wanted ?? []));
    const entrants: Gathered[] = [];
    let leftOver = 0;
    for (const one of gather(found)) {
      if (wanted !== null && !values.has(one.id)) leftOver += sumOf(one);
      else entrants.push({ ...one, id: (await toName(told.by, one.id, context.names)) ?? one.id });
      await pause();
    }
    entrants.sort((a, b) => sumOf(b) - sumOf(a) || (a.id < b.id ? -1 : 1));
    if (asked.baseline !== undefined && !entrants.some(({ id }) => id === asked.baseline)) {
      const others = found.others.values.map((value) => toName(told.by, value, context.names));
      throw unknownBaseline(asked.baseline, [
        ...entrants.map(({ id }) => id),
        ...(await Promise.all(others)).filter((name) => name !== null),
      ]);
    }
    const samples = samplesOf(entrants);
    const outcome = contest(entrants, { baseline: asked.baseline ?? null, margin, samples });
    await pause();
    const repeats = repeatsOf(entrants, samples);
    return c.json(
      {
        ...told,
        tasks: found.tasks - leftOver,
        truncated: found.truncated,
        margin,
        candidates: outcome.standings.map(toStanding),
        baseline: outcome.baseline === null ? null : { candidate: outcome.baseline.id, isNamed: outcome.baseline.isNamed },
        comparisons: toComparisons(outcome),
        repeats: toRepeats(repeats),
        unnamed: found.unnamed,
        leftOut: { candidates: found.others.candidates, tasks: found.others.tasks },
        absent: wanted === null ? [] : wanted.filter((name) => !there.has(toValue(name) ?? "")),
        position: found.position,
        ...freshly,
      },
      200,
    );
  });
}

function sumOf({ counts }: Gathered): number {
  return counts.success + counts.failure + counts.unknown + counts.open;
}

/** Each text as one name, and as several with commas between. */
function readingsOf(
  said: string | readonly string[] | undefined,
): readonly { readonly whole: string; readonly parts: readonly string[] }[] | null {
  if (said === undefined) return null;
  const texts = [said].flat().map((text) => ({ whole: text.trim(), parts: text.split(",").map((name) => name.trim()) }));
  return texts.some(({ parts }) => parts.some((name) => name !== "")) ? texts : null;
}

function parseCandidates(names: readonly string[]): readonly string[] {
  const unique = [...new Set(names.filter((name) => name !== ""))];
  if (unique.length > candidatesMax) throw invalid(`candidates names ${unique.length}: at most ${candidatesMax} are compared at once`);
  return unique;
}

function parseMargin(said: string | undefined): number {
  if (said === undefined) return 0.05;
  const margin = /^(0|0?\.\d{1,10}|0\.\d{1,10})$/.test(said) ? Number(said) : Number.NaN;
  if (margin >= 0 && margin <= 0.5) return margin;
  throw invalid(`margin is ${JSON.stringify(said)}: expected a share, 0 to 0.5, such as 0.05 for five points`);
}

function unknownBaseline(name: string, ids: readonly string[]) {
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
function samplesOf(entrants: readonly Gathered[]): number {
  const units = entrants.reduce((all, { costUnits, spendUnits }) => all + costUnits.length + spendUnits.length, 0);
  return Math.max(120, Math.min(1_000, Math.floor(drawsMax / Math.max(1, units))));
}
