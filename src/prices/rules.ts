// What vendors' price lists say in words, kept by hand in data/prices/: rules that give a tier or a class its price, and prices of periods.
// Not here: the lists themselves. Invariant: each has its source; one that cannot be read is damage, and is thrown.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { periodClasses } from "../core/period.ts";
import type { Derivation, PeriodRecord } from "../core/price.ts";
import { quotedUnits } from "../core/quote.ts";
import { type UsageClass, usageClassNames } from "../core/usage.ts";

const folder = fileURLToPath(new URL("../../data/prices/", import.meta.url));

/** The rules of vendors that lists do not spell out, kept by hand in data/prices/rules.json. */
export function readDerivations(): readonly Derivation[] {
  return rulesSchema.parse(JSON.parse(readFileSync(`${folder}rules.json`, "utf8"))).rules;
}

/** Prices of periods, kept by hand in data/prices/periods.json: the lists of prices of calls have no place for them. */
export function readPeriods(): readonly PeriodRecord[] {
  const { records } = periodsSchema.parse(JSON.parse(readFileSync(`${folder}periods.json`, "utf8")));
  return records.map(({ id, provider, model, match, class: name, perMillion, from, to, source }) => ({
    id: `${id}/${provider}/${model}#${name}${from === undefined ? "" : `@${from}`}`,
    provider,
    model,
    match,
    class: name,
    usd: perMillion,
    per: quotedUnits(name, "perMillion"),
    validFromMs: from === undefined ? null : Date.parse(from),
    validToMs: to === undefined ? null : Date.parse(to),
    source,
  }));
}

const classSchema = z.enum(usageClassNames as [UsageClass, ...UsageClass[]]);
const rulesSchema = z.object({
  rules: z.array(
    z.strictObject({
      id: z.string(),
      provider: z.string(),
      tier: z.string(),
      classes: z.array(classSchema).min(1),
      from: classSchema.nullable(),
      times: z.string().regex(/^\d+(\.\d+)?$/),
      except: z.array(z.strictObject({ model: z.string(), class: classSchema })),
      source: z.string(),
    }),
  ),
});

const periodsSchema = z.object({
  records: z.array(
    z.strictObject({
      id: z.string().regex(/^[\w-]+@[\d-]+$/),
      provider: z.string(),
      model: z.string(),
      match: z.union([z.strictObject({ equals: z.string() }), z.strictObject({ starts_with: z.string() })]),
      class: z.enum(periodClasses),
      perMillion: z.string().regex(/^\d+(\.\d+)?$/),
      from: z.iso.date().optional(),
      to: z.iso.date().optional(),
      source: z.string(),
    }),
  ),
});
