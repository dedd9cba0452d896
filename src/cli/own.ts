// What `pennyworth prices set` and `prices choose` do: the user's own prices, and which source is preferred. Not here: how they are kept. A
// command is turned into a price file of one record, so that both are read, and refused, by the same code. Invariant: amounts go as they were written.

import { InvalidArgumentError } from "commander";
import { type Quote, quoteOf } from "../core/quote.ts";
import { distance, nearest } from "../near.ts";
import * as schema from "../api/pricing.ts";
import { statusAnswer } from "../api/schema.ts";
import { plainOptions } from "../api/unpriced.ts";
import { priceTier } from "../core/price.ts";
import { isUsageClass, type UsageClass, usageClassNames } from "../core/usage.ts";
import { PennyworthError } from "../error.ts";
import { many, print, printJson, remark, type SettingsOptions } from "./command.ts";
import { ask, type Control, toPath } from "./control.ts";
import { describe, describeNowPriced, readText } from "./lists.ts";
import { dollars, type Model } from "./asked.ts";

interface SetOptions extends SettingsOptions {
  readonly class?: readonly string[];
  readonly per?: "million" | "thousand" | "unit" | "hour";
  readonly tier?: string;
  readonly region?: string;
  readonly from?: string;
  readonly to?: string;
  readonly window?: string;
  readonly file?: string;
  readonly newProvider?: true;
}

const quotes: Readonly<Record<NonNullable<SetOptions["per"]>, Quote>> = {
  million: "perMillion",
  thousand: "perThousand",
  unit: "perUnit",
  hour: "perHour",
};

export async function set(control: Control, asked: Model | undefined, options: SetOptions): Promise<void> {
  const prices = pricesOf(options);
  if ((asked === undefined) === (options.file === undefined))
    throw wrong("either a model with its prices, or --file with a price file, is needed");
  if (asked === undefined && prices.size > 0) throw wrong("with --file the prices are in the file");
  if (asked !== undefined) await requireMeant(control, asked, options);
  await put(control, asked === undefined ? await readText(options.file ?? "") : toFile(asked, prices, options), options);
}

export async function choose(control: Control, asked: Model, source: string, options: SettingsOptions): Promise<void> {
  const { lists } = await ask(control, schema.lists, toPath("prices/lists", {}));
  const known = [...new Set(lists.filter(({ taken, records }) => taken !== null && records > 0).map((one) => one.source))];
  if (!known.includes(source)) throw new PennyworthError("list_unknown", { name: source, known: known.join(", ") });
  // A name without wildcards has to be one that the book knows: a mistyped choice would never take effect, and nobody would see it.
  if (!asked.model.includes("*")) await ask(control, schema.prices, toPath("prices", { ...asked }));
  await put(control, JSON.stringify({ choices: [{ ...asked, source }] }), options);
}

/**
 * A name that is nearly that of a provider is one that was mistyped: a price of it would never be used, and nobody would see it. What is near
 * nothing may be a provider to come.
 */
async function requireMeant(control: Control, { provider }: Model, { tier, newProvider }: SetOptions): Promise<void> {
  const [status, { models }] = await Promise.all([
    ask(control, statusAnswer, "/api/v1/status"),
    ask(control, schema.models, toPath("prices/models", { limit: "20000" })),
  ]);
  const known = new Set(["sandbox", ...status.providers.map(({ name }) => name), ...models.map((one) => one.provider)]);
  // One wrong letter, or two of a longer name: `local` is no mistyped modal, and azure-eu may be another account at azure.
  const isClose = (name: string): boolean => distance(name, provider.toLowerCase()) <= (provider.length < 6 ? 1 : 2);
  const near = known.has(provider) || newProvider === true ? [] : nearest(provider, known).filter(isClose);
  if (near.length > 0)
    throw wrong(`no provider is called ${provider}; near it: ${near.join(", ")}. --new-provider sets a price of one that is to come`);
  if (!known.has(provider)) remark(`No provider is called ${provider} yet: the price is for calls to one of that name.`);
  const tiers = new Set(["standard", ...models.flatMap((one) => one.tiers)]);
  if (tier === undefined || tiers.has(priceTier(tier))) return;
  const meant = nearest(tier, tiers);
  remark(
    `No list has a tier called ${tier}${meant.length > 0 ? `; near it: ${meant.join(", ")}` : ""}. The price is for calls that say they were served in it.`,
  );
}

interface UnsetOptions extends SettingsOptions {
  readonly tier?: string;
  readonly region?: string;
  readonly from?: string;
}

export async function unset(control: Control, asked: Model, { tier, region, from, json }: UnsetOptions): Promise<void> {
  const body = { ...asked, tier, region, from };
  const made = await ask(control, schema.unsetAnswer, "/api/v1/prices/unset", { method: "POST", body });
  if (json) return printJson(made);
  const { prices, discounts, choices } = made.undone;
  const what = [
    ...(prices > 0 ? [many(prices, "price")] : []),
    ...(discounts > 0 ? [many(discounts, "discount")] : []),
    ...(choices > 0 ? [many(choices, "choice")] : []),
  ];
  print(describe(made));
  print(`\nTaken back from now on: ${what.join(", ")} of ${asked.provider}/${asked.model}. Calls on record stay as they are.`);
}

async function put(control: Control, text: string, { json }: SettingsOptions): Promise<void> {
  const made = await ask(control, schema.setAnswer, "/api/v1/prices/set", { method: "POST", body: { text } });
  if (json) return printJson(made);
  print(describe(made));
  print(`\nIn force from now on, before all other lists. Calls on record stay as they are.`);
  const more = describeNowPriced(made.nowPriced);
  if (more !== "") print(more);
}

/** A price file with one record. JSON is YAML, and strings keep every digit. */
function toFile(asked: Model, prices: ReadonlyMap<UsageClass, string>, { per, tier, region, from, to, window }: SetOptions): string {
  if (prices.size === 0) throw wrong("no price is given: --input 0.25, --output 2, or --class name=usd");
  const quoted: { [quote in Quote]?: { [name in UsageClass]?: string } } = {};
  for (const [name, usd] of prices) (quoted[per === undefined ? quoteOf(name) : quotes[per]] ??= {})[name] = usd;
  return JSON.stringify({ prices: [{ ...asked, tier, region, from, to, window, ...quoted }] });
}

/** @throws PennyworthError `query_invalid` for a class that there is not, or that is priced twice. */
function pricesOf(options: SetOptions): ReadonlyMap<UsageClass, string> {
  const prices = new Map<UsageClass, string>();
  const given = options as Readonly<Record<string, unknown>>;
  for (const name of plainOptions) {
    const usd = given[name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())];
    if (typeof usd === "string") prices.set(name, usd);
  }
  for (const text of options.class ?? []) {
    const [name = "", usd = ""] = text.split("=");
    const wanted = name.replaceAll("-", "_");
    if (!isUsageClass(wanted)) {
      const near = nearest(wanted, usageClassNames);
      throw wrong(
        `${JSON.stringify(name)} is no usage class; ${near.length > 0 ? `near it: ${near.join(", ")}` : `there are ${usageClassNames.join(", ")}`}`,
      );
    }
    if (prices.has(wanted)) throw wrong(`${wanted} is priced twice`);
    try {
      prices.set(wanted, dollars(usd));
    } catch (cause) {
      if (cause instanceof InvalidArgumentError) throw wrong(`--class ${text}: ${cause.message.replace(/\.$/, "")}`);
      throw cause;
    }
  }
  return prices;
}

function wrong(detail: string): PennyworthError {
  return new PennyworthError("query_invalid", { detail });
}
