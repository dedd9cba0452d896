// The shapes of what is asked and answered about prices: models, history, disputes, lists, what has no price, trends, and changes of the book.
// Not here: what the words mean (prices/view.ts). Invariant: amounts of money are decimal strings of dollars, never numbers.

import { z } from "@hono/zod-openapi";
import { className, count, filter, fresh, freshness, ms, text, time, usd } from "./schema.ts";

const provider = z.string().min(1).max(200);
const model = z.string().min(1).max(200);
const at = time("The time the prices are for; now unless told.");
const known = time("As known at this time; as known now unless told.");
const knownMs = ms.nullable().openapi({ description: "As known then; null: as known now." });
const named = {
  provider: provider.openapi({ description: "As it is configured.", example: "openai" }),
  model: model.openapi({ example: "gpt-5-mini" }),
};
const place = {
  tier: z.string().max(100).optional().openapi({ description: "The standard tier unless told.", example: "batch" }),
  region: z.string().max(100).optional(),
};
const limit = (usual: number) =>
  z
    .string()
    .optional()
    .openapi({ description: `Most rows given; ${usual} unless told.` });

const line = z
  .object({
    class: className,
    aboveTokens: count.openapi({ description: "Holds for requests of more input tokens than this." }),
    ratePico: z.string().openapi({ description: "Picodollars (10⁻¹² USD) for every ratePer units." }),
    ratePer: z.string(),
    rateUsd: text.openapi({ description: "The same rate in dollars for rateUnits units; null when no decimal is exact." }),
    rateUnits: z.int(),
    version: z.string().openapi({ description: "Names this price for ever." }),
    source: z.string(),
  })
  .openapi("PriceLine");

export const pricesQuery = z.strictObject({ ...named, ...place, at, known });
export const prices = z
  .object({
    provider: z.string(),
    pricesOf: z.string().openapi({ description: "The provider whose list it is of." }),
    model: z.string().openapi({ description: "The model of the price book that the name resolved to." }),
    rule: z.string().openapi({ description: "The rule that matched." }),
    tier: z.string(),
    region: text,
    contextWindow: count.nullable(),
    atMs: ms,
    knownMs,
    lines: z.array(line).openapi({ description: "Empty: the model is known, and has no price in this tier." }),
  })
  .openapi("Prices");

export const historyQuery = z.strictObject({ ...named, ...place, known });
export const history = z
  .object({
    provider: z.string(),
    model: z.string(),
    tier: z.string(),
    region: text,
    knownMs,
    nowMs: ms.openapi({ description: "What begins after this is announced, and may change before it happens." }),
    spans: z.array(
      z.object({
        fromMs: ms.nullable().openapi({ description: "null: since ever." }),
        toMs: ms.nullable().openapi({ description: "Not included; null: until further notice." }),
        window: z
          .object({ fromMs: count, toMs: count })
          .nullable()
          .openapi({ description: "Times of day in UTC, ms after midnight; null: all day." }),
        lines: z.array(line),
      }),
    ),
  })
  .openapi("PriceHistory");

const dispute = z
  .object({
    class: className,
    per: count.openapi({ description: "How many units the amounts are for." }),
    said: z
      .array(z.object({ source: z.string(), version: z.string(), usd }))
      .openapi({ description: "What each source says, in order of precedence: the first is in force." }),
    lowest: usd,
    highest: usd,
    differs: z.boolean(),
  })
  .openapi("Dispute");

export const modelsQuery = z.strictObject({
  provider: provider.optional(),
  search: z.string().max(200).optional().openapi({ description: "Only models whose name contains this, whatever the case." }),
  disputed: z.enum(["true", "false"]).optional().openapi({ description: "`true`: only models on which sources disagree." }),
  at,
  known,
  limit: limit(10_000),
});
const listed = {
  provider: z.string(),
  model: z.string(),
  source: text.openapi({
    description:
      "Whose its price of input and output is, or of all it has where it has neither; `mixed`: not all of one; null: it has none.",
  }),
  sources: z.array(z.string()).openapi({ description: "Sources that name it." }),
  tiers: z.array(z.string()),
  contextWindow: count.nullable(),
  prices: z.record(z.string(), usd).openapi({
    description: "Standard price by class, smallest step: dollars per million tokens, per thousand of what is no token.",
  }),
  disputed: z.array(className).openapi({ description: "Classes on which sources disagree." }),
  changesMs: ms.nullable().openapi({ description: "A change that is announced and not yet in force." }),
};
export const models = z
  .object({
    atMs: ms,
    knownMs,
    models: z.array(z.object(listed).openapi("ListedModel")),
    total: count,
    disputed: count.openapi({ description: "Of all that were found, how many are disputed." }),
    truncated: z.boolean(),
  })
  .openapi("PricedModels");

export const disputesQuery = z.strictObject({
  provider: provider.optional(),
  model: model.optional().openapi({ description: "With its provider. Without: every model on which sources disagree." }),
  ...place,
  at,
  known,
  limit: limit(1_000),
});
export const disputes = z
  .object({
    atMs: ms,
    knownMs,
    models: z.array(z.object({ provider: z.string(), model: z.string(), disputes: z.array(dispute) })),
    truncated: z.boolean(),
  })
  .openapi("Disputes");

const taken = z
  .object({
    source: z.string(),
    version: z.string(),
    name: z.string().openapi({ description: "SOURCE@VERSION." }),
    origin: z.string().openapi({ description: "Where it was read." }),
    own: z.boolean().openapi({ description: "The user's own: goes before all others." }),
    taken: z.object({ takenMs: ms, knownMs: ms }).nullable().openapi({ description: "null: it waits to be taken, and is not in force." }),
    superseded: z.boolean().openapi({ description: "A newer list of its source stands in its place." }),
    records: count,
  })
  .openapi("PriceListTaken");
export const lists = z.object({ lists: z.array(taken).openapi({ description: "The newest first." }) }).openapi("PriceLists");

const file = {
  text: z.string().min(1).optional().openapi({ description: "A price file, whole." }),
  name: z.string().min(1).max(300).optional().openapi({ description: "In place of a file: a list that waits, SOURCE or SOURCE@VERSION." }),
  format: z
    .enum(["pennyworth", "litellm", "models.dev", "genai-prices", "changes"])
    .nullable()
    .default(null)
    .openapi({ description: "null: told from the file." }),
  source: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, "a source's name has 1 to 64 lower-case letters, digits, dots and hyphens")
    .nullable()
    .default(null)
    .openapi({ description: "null: the format's own name." }),
  published: z.string().nullable().default(null).openapi({ description: "ISO day on which it was published; null: not known." }),
};
const isOne = ({ text: given, name }: { readonly text?: string | undefined; readonly name?: string | undefined }): boolean =>
  (given === undefined) !== (name === undefined);
const oneOfThem = "expected either text, a price file, or name, a list that waits";
const changesMax = z.int().min(1).max(100_000).default(1_000).openapi({ description: "Most changes given." });
export const previewWanted = z
  .strictObject({ ...file, limit: changesMax })
  .refine(isOne, oneOfThem)
  .openapi("PreviewWanted");

const change = z
  .object({
    provider: z.string(),
    model: z.string(),
    tier: z.string(),
    region: text,
    class: className,
    aboveTokens: count,
    before: usd.nullable().openapi({ description: "Dollars per million tokens, per thousand of what is no token; null: it had no price." }),
    after: usd.nullable().openapi({ description: "null: it has no price any more." }),
    fromMs: ms.nullable().openapi({ description: "When the new price begins; null: always was." }),
  })
  .openapi("PriceChange");
export const preview = z
  .object({
    list: z.object({
      source: z.string(),
      version: z.string(),
      name: z.string(),
      origin: z.string(),
      published: text,
      records: count,
      discounts: count,
      choices: count,
    }),
    added: count,
    changed: count,
    removed: count,
    changes: z.array(change).openapi({ description: "Against the book in force now." }),
    truncated: z.boolean(),
    warnings: z
      .array(z.object({ provider: z.string(), model: z.string(), class: className.nullable(), detail: z.string() }))
      .openapi({ description: "What is odd, and may be a mistake: it does not stop the list from being taken." }),
    skipped: z
      .array(z.object({ what: z.string(), why: z.string(), count }))
      .openapi({ description: "What of the file is left out, and why." }),
  })
  .openapi("PricePreview");

const takenSince = time("Since when it is known: for a list of the past, when it was published. Now unless told.");
export const takeWanted = z
  .strictObject({ ...file, known: takenSince })
  .refine(isOne, oneOfThem)
  .openapi("TakeWanted");
const nowPriced = z
  .object({ calls: count, sinceMs: ms.nullable().openapi({ description: "Start of the first of them; null: there is none." }) })
  .openapi({ description: "Calls on record as unpriced for which there is a price now: a re-rating prices them." });
export const takenAnswer = z.object({ list: taken, nowPriced }).openapi("PricesTaken");

export const setWanted = z
  .strictObject({
    text: z.string().min(1).openapi({
      description: "A price file of Pennyworth's own format: what is said of a model replaces what you had said of it.",
    }),
  })
  .openapi("SetWanted");
export const setAnswer = preview.extend({ nowPriced }).openapi("PricesSet");

export const unsetWanted = z
  .strictObject({
    provider,
    model: model.openapi({ description: "As it was set, wildcards and all." }),
    tier: z.string().min(1).max(100).optional().openapi({ description: "Only of this tier; of all unless told." }),
    region: z.string().min(1).max(100).optional(),
    from: z.string().max(40).optional().openapi({ description: "Only what holds from this day or time on, as 2026-11-01." }),
  })
  .openapi("UnsetWanted");
export const unsetAnswer = setAnswer
  .extend({
    undone: z.object({ prices: count, discounts: count, choices: count }).openapi({ description: "How much of your own was taken back." }),
  })
  .openapi("PricesUnset");

export const dropWanted = z.strictObject({ source: z.string().min(1).max(200) }).openapi("DropWanted");
export const dropAnswer = z.object({ dropped: z.string() }).openapi("PricesDropped");

export const unpricedQuery = z.strictObject({
  since: time("From this start of a call on."),
  until: time("Before this start of a call."),
  filter,
  limit: limit(100),
  fresh,
});
export const unpriced = z
  .object({
    sinceMs: ms.nullable(),
    untilMs: ms.nullable(),
    models: z.array(
      z.object({
        provider: z.string(),
        model: text,
        tier: z.string(),
        region: text,
        calls: count,
        firstMs: ms.openapi({ description: "Start of the first such call." }),
        lastMs: ms,
        classes: z.array(
          z.object({
            class: className,
            unit: z.string(),
            calls: count,
            quantity: count.nullable(),
            priced: z.boolean().openapi({ description: "There is a price by now: a re-rating books it." }),
          }),
        ),
        record: z
          .object({ yaml: z.string(), command: z.string() })
          .nullable()
          .openapi({ description: "A record to fill in, as a price file and as a command; null: everything seen has a price by now." }),
      }),
    ),
    truncated: z.boolean(),
    ...freshness,
  })
  .openapi("Unpriced");

export const trendQuery = z.strictObject({
  ...named,
  since: time("From this start of a call on."),
  until: time("Before this start of a call."),
  by: z.enum(["day", "week", "month"]).optional().openapi({ description: "`month` unless told; UTC." }),
  known,
  fresh,
});
const average = usd
  .nullable()
  .openapi({ description: "Dollars per million tokens, rounded half to even to six decimals; null: no tokens." });
const direction = z.object({
  tokens: count,
  cost: usd,
  perMillion: average,
  list: usd.nullable().openapi({
    description: "Dollars per million of plain tokens by the lists, in the standard tier, at the bucket's end or now; null: none.",
  }),
});
const index = usd.nullable().openapi({ description: "The first bucket that has one is 100; two decimals." });
export const trend = z
  .object({
    provider: z.string(),
    model: z.string(),
    by: z.enum(["day", "week", "month"]),
    sinceMs: ms.nullable(),
    untilMs: ms.nullable(),
    knownMs,
    buckets: z.array(
      z.object({
        bucket: z.string(),
        fromMs: ms,
        toMs: ms,
        calls: count,
        tokens: count,
        cost: usd.openapi({ description: "Of the tokens." }),
        otherCost: usd.openapi({ description: "Of what is no token: searches, requests, images." }),
        perMillion: average,
        listCost: usd.nullable().openapi({
          description:
            "What the same tokens come to at the standard price of the lists, without your own prices, cache, tier and long-context steps; null: one has none.",
        }),
        listPerMillion: average,
        paidShare: text.openapi({ description: "cost ÷ listCost, to four decimals." }),
        input: direction,
        output: direction,
        tasks: count.openapi({ description: "Root tasks that used the model in the bucket." }),
        taskCost: usd.openapi({ description: "What the calls of those tasks to this model cost." }),
        perTask: usd.nullable().openapi({ description: "taskCost ÷ tasks, rounded half to even to six decimals; null: no tasks." }),
        tokenIndex: index,
        taskIndex: index,
      }),
    ),
    announced: z
      .array(z.object({ fromMs: ms, input: usd.nullable(), output: usd.nullable() }))
      .openapi({ description: "Prices that are announced and not yet in force, per million; your own among them." }),
    ...freshness,
  })
  .openapi("PriceTrend");
