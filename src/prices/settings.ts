// The user's own prices, as the settings give them, as a price list. Not here: prices set by command, and files of prices. Invariant: an error
// in a price refuses the settings, with its place; a price that did not change keeps its version.

import { createHash } from "node:crypto";
import type { MachineSettings, PriceSettings } from "../config.ts";
import { wildcardRule } from "../core/match.ts";
import { parseRate } from "../core/money.ts";
import { type ClassPrice, type PriceRecord, standard } from "../core/price.ts";
import { quotedUnits } from "../core/quote.ts";
import { isUsageClass, type UsageClass, usageClassNames } from "../core/usage.ts";
import { PennyworthError } from "../error.ts";
import { dearOf, isPlain, namePlain } from "./fit.ts";
import type { PriceList } from "./list.ts";
import { impliedRecords } from "./machines.ts";

export const settingsSource = "settings";

/**
 * The prices given, and behind them those that machines imply.
 * @throws PennyworthError `config_invalid` when a price cannot be used, and which.
 */
export function readSettings(prices: readonly PriceSettings[], machines: readonly MachineSettings[] = []): PriceList {
  const implied = impliedRecords(machines);
  const records = [...prices.map(toRecord), ...implied];
  const version = createHash("sha256")
    .update(JSON.stringify(implied.length === 0 ? prices : [prices, implied]))
    .digest("hex")
    .slice(0, 12);
  return {
    source: settingsSource,
    version,
    origin: "your own prices, in the settings",
    published: null,
    records,
    discounts: [],
    choices: [],
  };
}

function toRecord(price: PriceSettings, index: number): PriceRecord {
  const place = `prices.${index} (${price.provider}/${price.model})`;
  if (!isPlain(price.provider) || !isPlain(price.model)) throw invalid(`prices.${index}: ${namePlain}`);
  const prices: { [name in UsageClass]?: ClassPrice } = {};
  for (const key of ["perMillion", "perThousand", "perHour"] as const)
    for (const [name, usd] of Object.entries(price[key] ?? {})) {
      if (!isUsageClass(name)) throw invalid(`${place}: ${key}.${name} is no usage class; there are ${usageClassNames.join(", ")}`);
      if (prices[name] !== undefined) throw invalid(`${place}: ${name} is priced twice`);
      try {
        parseRate(usd, 1n);
      } catch (cause) {
        throw invalid(`${place}: ${key}.${name} is no decimal number: ${usd}`, cause);
      }
      const units = quotedUnits(name, key);
      if (units === null) throw invalid(`${place}: ${key}.${name} is not counted in time`);
      const dear = dearOf(usd, units);
      if (dear !== null) throw invalid(`${place}: ${key}.${name}: ${dear}`);
      prices[name] = { per: units, steps: [{ aboveTokens: -1, usd }] };
    }
  if (Object.keys(prices).length === 0) throw invalid(`${place}: no price is given (perMillion, perThousand or perHour)`);
  const from = price.validFrom === undefined ? null : Date.parse(price.validFrom);
  const to = price.validTo === undefined ? null : Date.parse(price.validTo);
  if (from !== null && to !== null && to <= from) throw invalid(`${place}: validTo is not after validFrom`);
  const version = createHash("sha256").update(JSON.stringify(price)).digest("hex").slice(0, 12);
  return {
    id: `own@${version}/${price.provider}/${price.model}`,
    provider: price.provider,
    model: price.model,
    match: wildcardRule(price.model),
    contextWindow: null,
    tier: standard,
    region: null,
    prices,
    validFromMs: from,
    validToMs: to,
    window: null,
  };
}

function invalid(detail: string, cause?: unknown): PennyworthError {
  return new PennyworthError("config_invalid", { detail }, cause);
}
