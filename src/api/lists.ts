// `/api/v1/prices/lists` and what changes the price book: a list is looked at before it takes effect, taken, added to by the user, or dropped.
// Not here: reading files and keeping lists (prices/). Invariant: nothing takes effect that could not be seen as a difference first.

import { createRoute, type z } from "@hono/zod-openapi";
import type { ListedPrices, ListOptions, ListPreview } from "../prices/view.ts";
import type { ApiContext } from "./context.ts";
import * as schema from "./pricing.ts";
import { parseTime } from "./query.ts";
import { type Api, conflict, failures, json, needs, notFound, security } from "./route.ts";
import { nowPriced } from "./unpriced.ts";

type Wanted = z.infer<typeof schema.previewWanted> | z.infer<typeof schema.takeWanted>;

export function addLists(app: Api, context: ApiContext): void {
  const shared = { security, middleware: needs("administer", context) } as const;
  const { prices } = context;

  const list = createRoute({
    method: "get",
    path: "/api/v1/prices/lists",
    summary: "Lists of prices: taken, waiting, superseded",
    security,
    middleware: needs("read", context),
    responses: { 200: json("The lists.", schema.lists), ...failures },
  });
  app.openapi(list, (c) => c.json({ lists: context.prices.lists().map(toShown) }, 200));

  const preview = createRoute({
    ...shared,
    method: "post",
    path: "/api/v1/prices/preview",
    summary: "What a file of prices, or a list that waits, would change",
    description: "Nothing takes effect. A file with an error is refused whole, with its place and the reason.",
    request: body(schema.previewWanted),
    responses: { 200: json("The difference.", schema.preview), ...failures, ...notFound },
  });
  app.openapi(preview, async (c) => {
    const wanted = c.req.valid("json");
    const { name, text = "" } = wanted;
    const shown = await (name === undefined ? prices.preview(text, optionsOf(wanted)) : prices.previewWaiting(name));
    return c.json(toShownPreview(shown, wanted.limit), 200);
  });

  const take = createRoute({
    ...shared,
    method: "post",
    path: "/api/v1/prices/take",
    summary: "Lets a file of prices, or a list that waits, take effect",
    description: "It stands in place of what its source said before. Calls on record stay as they are until they are re-rated.",
    request: body(schema.takeWanted),
    responses: { 200: json("The list.", schema.takenAnswer), ...failures, ...notFound, ...conflict },
  });
  app.openapi(take, async (c) => {
    const wanted = c.req.valid("json");
    const knownMs = parseTime("known", wanted.known, context.now());
    const { name, text = "" } = wanted;
    const taken = await (name === undefined
      ? prices.takeFile(text, optionsOf(wanted), knownMs)
      : prices.take(prices.readWaiting(name), knownMs));
    return c.json({ list: toShown(taken), nowPriced: await nowPriced(context) }, 200);
  });

  const set = createRoute({
    ...shared,
    method: "post",
    path: "/api/v1/prices/set",
    summary: "Adds to the user's own prices, which go before all others",
    request: body(schema.setWanted),
    responses: { 200: json("What it changed.", schema.setAnswer), ...failures, ...conflict },
  });
  app.openapi(set, async (c) => {
    const changed = await context.prices.set(c.req.valid("json").text);
    return c.json({ ...toShownPreview(changed, 1_000), nowPriced: await nowPriced(context) }, 200);
  });

  const unset = createRoute({
    ...shared,
    method: "post",
    path: "/api/v1/prices/unset",
    summary: "Takes back what the user set or chose for a model",
    description: "From now on; what was known before stays known as of then, and calls on record stay as they are until they are re-rated.",
    request: body(schema.unsetWanted),
    responses: { 200: json("What it changed.", schema.unsetAnswer), ...failures, ...notFound, ...conflict },
  });
  app.openapi(unset, async (c) => {
    const { provider, model, tier = null, region = null, from } = c.req.valid("json");
    const changed = await context.prices.unset({ provider, model, tier, region, fromMs: parseTime("from", from, context.now()) });
    return c.json({ ...toShownPreview(changed, 1_000), nowPriced: await nowPriced(context), undone: changed.undone }, 200);
  });

  const drop = createRoute({
    ...shared,
    method: "post",
    path: "/api/v1/prices/drop",
    summary: "Leaves a source out from now on",
    description: "What was known of it before stays known as of then.",
    request: body(schema.dropWanted),
    responses: { 200: json("It is left out.", schema.dropAnswer), ...failures, ...notFound },
  });
  app.openapi(drop, async (c) => {
    const { source } = c.req.valid("json");
    await context.prices.drop(source);
    return c.json({ dropped: source }, 200);
  });
}

function body<Schema>(schemaOf: Schema) {
  return { body: { required: true, content: { "application/json": { schema: schemaOf } } } };
}

function optionsOf({ format, source, published }: Wanted): ListOptions {
  return { format, source, published };
}

function toShown(list: ListedPrices) {
  return { ...list, name: `${list.source}@${list.version}` };
}

function toShownPreview({ list, changes, warnings, skipped }: ListPreview, limit: number) {
  const { source, version, origin, published, records, discounts, choices } = list;
  return {
    list: {
      source,
      version,
      name: `${source}@${version}`,
      origin,
      published,
      records: records.length,
      discounts: discounts.length,
      choices: choices.length,
    },
    added: changes.filter(({ before }) => before === null).length,
    changed: changes.filter(({ before, after }) => before !== null && after !== null).length,
    removed: changes.filter(({ after }) => after === null).length,
    changes: changes.slice(0, limit),
    truncated: changes.length > limit,
    warnings: [...warnings],
    skipped: [...skipped],
  };
}
