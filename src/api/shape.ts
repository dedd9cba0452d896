// GET /api/v1/shape: where tokens and money go within tasks of a type: by step, by kind of step, by part of the prompt, and what of it was wasted.
// Sums of the store, and what economics/steps.ts makes of them. Invariants: amounts are the ledger's to the last digit; what is scaled or saved
// only by a price list is said to be so; what is not known is counted.

import { createRoute, z } from "@hono/zod-openapi";
import type { PromptBytes } from "../core/call.ts";
import { formatUsd, parseUsd, type Rate } from "../core/money.ts";
import { type NamedStep, type StepPart, type StepShape, stepsOf, wastedOf } from "../economics/steps.ts";
import { stepKinds } from "../economics/waste.ts";
import type { StepSums } from "../ledger/shape.ts";
import type { ApiContext } from "./context.ts";
import { waited } from "./fresh.ts";
import { toTokens } from "./names.ts";
import { invalid, parseFilters, parseLimit, parsePast, parseZone } from "./query.ts";
import { type Api, failures, json, needs, security } from "./route.ts";
import { count, fresh, freshness, ms, position, span, text, usd, zone } from "./schema.ts";

const stepsMax = 500;
const typesMax = 200;
const modelsShownMax = 8;

export const shapeQuery = z.strictObject({
  type: z.string().max(1_024).optional().openapi({
    description: "Of tasks of this type; empty: of tasks that name none. All calls unless told.",
    example: "resolve-ticket",
  }),
  ...span,
  zone,
  limit: z
    .string()
    .optional()
    .openapi({ description: `Most steps given, 1 to ${stepsMax}; 50 unless told. The total is over all.` }),
  fresh,
});

const kind = z.enum(stepKinds).nullable().openapi({ description: "Told from the step's name; null: no word of it tells." });
const waste = z.enum(["failed", "repeated", "resent"]).openapi({
  description:
    "failed: brought no answer. repeated: word for word what had been answered in its task. resent: context sent before and not read from a cache, by calls that are neither.",
});
const saved = usd.openapi({ description: "What leaving it out would have saved." });
const bytes = (what: string) =>
  z.object({ system: count, tools: count, user: count, earlier: count, toolResults: count }).openapi({ description: what });

const sums = {
  calls: count,
  cost: usd,
  unpriced: count,
  unmetered: count,
  retries: count.openapi({ description: "Tries after the first one of a request." }),
  failed: z.object({ calls: count, cost: usd }),
  repeated: z.object({ calls: count, cost: usd }),
  inputTokens: count,
  outputTokens: count,
  tools: count.openapi({ description: "Tools that answers called." }),
  toolsUnknown: count.openapi({ description: "Calls of which that is not known." }),
  prompt: z.object({
    bytes: bytes("Of the prompts by part: `user` is the last turn, `earlier` those before it."),
    tokens: bytes("Estimated: input tokens shared out by bytes, of the calls whose parts are known."),
    unknown: count.openapi({ description: "Calls whose parts are not known." }),
  }),
  growth: z
    .object({
      calls: count.openapi({ description: "That go on from one before." }),
      tokens: count.openapi({ description: "What they added to its prompt." }),
      perCall: z.number(),
    })
    .nullable()
    .openapi({ description: "null: no call is known to go on from another." }),
  inputTokensMax: count.nullable().openapi({ description: "The longest prompt; null: none was metered." }),
  fill: z
    .object({ share: z.number(), tokens: count, window: count, model: text })
    .nullable()
    .openapi({ description: "The fullest window: a prompt's tokens over what its model takes. null: no window is known." }),
  resent: z.object({
    tokens: count.openapi({ description: "Sent again and not read from a cache." }),
    cost: usd.openapi({ description: "What they cost as fresh input, at the price of their time." }),
    saved: usd.openapi({ description: "Had they been read from the cache, by the prices in force at `pricesMs`." }),
    unknownTokens: count.openapi({
      description: "Of which no such price is known, or the model has no cache: nothing of them is in `saved`.",
    }),
    unpriced: count.openapi({ description: "Calls that sent something again and have no price: it cost and would have saved more." }),
  }),
  wasted: saved.openapi({ description: "What leaving out all wastes would have saved: of failed, of repeated, of resent." }),
};

const step = z
  .object({
    step: text.openapi({ description: "As the client named it (x-pennyworth-step); null: it did not." }),
    kind,
    models: z.array(text).openapi({ description: `The dearest first, ${modelsShownMax} at most.` }),
    ...sums,
  })
  .openapi("ShapeStep");

export const shapeAnswer = z
  .object({
    type: text,
    sinceMs: ms.nullable(),
    untilMs: ms.nullable(),
    zone: z.string(),
    pricesMs: ms.openapi({ description: "The prices of the cache are those in force then: the end of the span." }),
    tasks: count.openapi({ description: "Distinct tasks." }),
    callsMax: count.openapi({ description: "The most calls of one of them." }),
    depth: z.object({ max: count, mean: z.number() }).nullable().openapi({
      description: "How many tasks deep below its root a task made such calls, the deepest of each: 0 is the root alone. null: no task.",
    }),
    total: z.object(sums),
    kinds: z.array(z.object({ kind, calls: count, cost: usd, unpriced: count })).openapi({ description: "Adds up to the total." }),
    steps: z.array(step).openapi({ description: "The dearest first." }),
    truncated: z.boolean(),
    wastes: z
      .array(
        z.object({
          waste,
          step: text,
          calls: count.nullable().openapi({ description: "null: not counted by call." }),
          tokens: count.nullable(),
          saved,
          unknownTokens: count,
          unpriced: count.openapi({ description: "Calls without a price: it would have saved more, nobody knows how much." }),
        }),
      )
      .openapi({ description: "The dearest first. No dollar is in two of them." }),
    worst: z
      .object({
        step: text,
        saved,
        share: z.number().nullable().openapi({ description: "Of the whole cost, 0 to 1." }),
        wastes: z.array(z.object({ waste, saved })),
      })
      .nullable()
      .openapi({ description: "The most wasteful step. null: nothing was wasted, as far as is known." }),
    types: z
      .array(z.object({ type: text.openapi({ description: "null: of no task." }), calls: count, cost: usd }))
      .openapi({ description: "Task types of the span, the dearest first; an empty one: tasks that name none." }),
    position: position.nullable(),
    ...freshness,
  })
  .openapi("Shape");

export function addShape(app: Api, context: ApiContext): void {
  const route = createRoute({
    method: "get",
    path: "/api/v1/shape",
    summary: "Where tokens and money go within tasks: by step, by part of the prompt, and what was wasted",
    description: "Sums are of the calls of the span that pass the filters. The last seven days, unless `since` says otherwise.",
    security,
    middleware: needs("read", context),
    request: { query: shapeQuery },
    responses: { 200: json("The shape.", shapeAnswer), ...failures },
  });
  app.openapi(route, async (c) => {
    const asked = c.req.valid("query");
    const nowMs = context.now();
    const offsets = parseZone(asked.zone, nowMs);
    const bounds = parsePast(asked.since === undefined && asked.until === undefined ? { ...asked, since: "7d" } : asked, nowMs, offsets);
    const filters = parseFilters(asked.filter);
    if (filters.some(({ field }) => field === "class")) throw invalid("the shape of tasks cannot be filtered by class; a report can");
    const limit = parseLimit(asked.limit, 50, stepsMax);
    const freshly = await waited(context, asked.fresh);
    const type = asked.type ?? null;
    const found = await context.ledger.shape({
      type,
      ...bounds,
      filters: toTokens(filters, context.names),
      ...(offsets === undefined ? {} : { zone: offsets }),
    });
    const pricesMs = Math.min(bounds.untilMs === null ? nowMs : bounds.untilMs - 1, nowMs);
    const { total, steps, kinds, wastes, worst } = stepsOf(found.steps.map((row) => toPart(row, context, pricesMs)));
    return c.json(
      {
        type,
        ...bounds,
        zone: asked.zone ?? "UTC",
        pricesMs,
        tasks: found.tasks,
        callsMax: found.callsMax,
        depth: found.tasks === 0 ? null : { max: found.depth.max, mean: found.depth.sum / found.tasks },
        total: toShown(total),
        kinds: kinds.map((one) => ({ kind: one.kind, calls: one.calls, cost: formatUsd(one.costPico), unpriced: one.unpriced })),
        steps: steps.slice(0, limit).map(toStep),
        truncated: steps.length > limit,
        wastes: wastes.slice(0, 3 * limit).map(({ savedPico, ...one }) => Object.assign(one, { saved: formatUsd(savedPico) })),
        worst:
          worst === null
            ? null
            : {
                step: worst.step,
                saved: formatUsd(worst.savedPico),
                share: total.costPico === 0n ? null : Number(worst.savedPico) / Number(total.costPico),
                wastes: wastes.flatMap((one) =>
                  one.step === worst.step && one.savedPico > 0n ? [{ waste: one.waste, saved: formatUsd(one.savedPico) }] : [],
                ),
              },
        types: found.types.slice(0, typesMax),
        position: found.position,
        ...freshly,
      },
      200,
    );
  });
}

/** With what the model takes, and what reading from its cache costs, by the prices in force then. */
function toPart(row: StepSums, { prices }: Pick<ApiContext, "prices">, atMs: number): StepPart {
  const { provider, model } = row;
  const price = model === null ? null : prices.find({ provider, model, atMs, knownMs: null, tier: null, region: null });
  const line = price?.lines.find((one) => one.class === "cache_read" && one.aboveTokens === 0);
  const cacheRead: Rate | null = line === undefined ? null : { pico: line.ratePico, per: line.ratePer };
  return {
    step: row.step,
    model,
    calls: row.calls,
    costPico: parseUsd(row.cost),
    unpriced: row.unpriced,
    unmetered: row.unmetered,
    retries: row.retries,
    failed: row.failed,
    failedPico: parseUsd(row.failedCost),
    repeated: row.repeated,
    repeatedPico: parseUsd(row.repeatedCost),
    inputTokens: row.inputTokens,
    outputTokens: row.outputTokens,
    tools: row.tools,
    toolsUnknown: row.toolsUnknown,
    prompt: row.prompt,
    promptUnknown: row.promptUnknown,
    continued: row.continued,
    grownTokens: row.grownTokens,
    resentTokens: row.resentTokens,
    resentPico: parseUsd(row.resentCost),
    resentUnpriced: row.resentUnpriced,
    inputTokensMax: row.inputTokensMax,
    window: price?.contextWindow ?? null,
    cacheRead,
  };
}

function toStep(one: NamedStep): z.infer<typeof step> {
  const { step: name, kind: of, models } = one;
  return { step: name, kind: of, models: models.slice(0, modelsShownMax), ...toShown(one) };
}

function toShown(one: StepShape) {
  const { fullest, continued, grownTokens } = one;
  return {
    calls: one.calls,
    cost: formatUsd(one.costPico),
    unpriced: one.unpriced,
    unmetered: one.unmetered,
    retries: one.retries,
    failed: { calls: one.failed, cost: formatUsd(one.failedPico) },
    repeated: { calls: one.repeated, cost: formatUsd(one.repeatedPico) },
    inputTokens: one.inputTokens,
    outputTokens: one.outputTokens,
    tools: one.tools,
    toolsUnknown: one.toolsUnknown,
    prompt: { bytes: copied(one.prompt), tokens: copied(one.promptTokens), unknown: one.promptUnknown },
    growth: continued === 0 ? null : { calls: continued, tokens: grownTokens, perCall: grownTokens / continued },
    inputTokensMax: one.inputTokensMax,
    fill:
      fullest === null
        ? null
        : { share: fullest.tokens / fullest.window, tokens: fullest.tokens, window: fullest.window, model: fullest.model },
    resent: {
      tokens: one.resentTokens,
      cost: formatUsd(one.resentPico),
      saved: formatUsd(one.resentSavedPico),
      unknownTokens: one.resentUnknown,
      unpriced: one.resentUnpriced,
    },
    wasted: formatUsd(wastedOf(one)),
  };
}

function copied({ system, tools, user, earlier, toolResults }: PromptBytes) {
  return { system, tools, user, earlier, toolResults };
}
