// FOCUS, the FinOps Open Cost and Usage Specification, 1.0 to 1.4, as CSV: any provider's rows for models. Read in the specification (focus.finops.org) and
// its draft of AI billing: what is charged is BilledCost; a token's direction and cache are in SkuPriceDetails, as `TokenDirection` or `x_TokenDirection`,
// else in the name of the meter, which AWS and Azure fill with their own.

import { completionClasses, promptClasses } from "../core/statement.ts";
import type { UsageClass } from "../core/usage.ts";
import { parseUsageType } from "./aws.ts";
import { parseMeter } from "./azure.ts";
import type { Draft, Format } from "./draft.ts";
import { failAt } from "./fail.ts";
import { isObject, type JsonObject, parseJson, textOf } from "./json.ts";
import { cell, hasColumns, type Row } from "./table.ts";
import { parseAmount, parseQuantity, parseWhen, unitsOf } from "./values.ts";

export const focus: Format = {
  name: "focus",
  title: "FOCUS cost and usage",
  provider: null,
  states: { quantity: "lines", cost: true },
  isWhole: false,
  is: (source) => source.kind === "table" && hasColumns(source.table, "BilledCost", "ChargePeriodStart", "ChargeCategory"),
  read: (source, draft) => {
    if (source.kind !== "table") return;
    let others = 0;
    const services = new Set<string>();
    for (const row of source.table.rows) {
      if (!isModel(row)) {
        others += 1;
        continue;
      }
      const service = cell(row, "ServiceProviderName", "ProviderName");
      if (service !== null) services.add(service);
      addLine(draft, row);
    }
    if (others > 0) draft.notes.add(`Rows of other services than models are left out: ${others}.`);
    if (services.size > 1) draft.notes.add(`The file is of several providers, all of which are compared: ${[...services].join(", ")}.`);
  },
};

function isModel(row: Row): boolean {
  const words = ["ServiceCategory", "ServiceSubcategory", "ServiceName", "SkuMeter", "ChargeDescription"].map(
    (name) => cell(row, name) ?? "",
  );
  return (
    /generative ai|machine learning|bedrock|openai|anthropic|foundry|vertex|token/i.test(words.join(" ")) ||
    detailsOf(row)["ModelId"] !== undefined
  );
}

function detailsOf(row: Row): JsonObject {
  const text = cell(row, "SkuPriceDetails", "x_SkuDetails");
  if (text === null) return {};
  try {
    const details = parseJson(text);
    return isObject(details) ? details : {};
  } catch (cause) {
    throw failAt(row.place, "column SkuPriceDetails is no JSON", cause);
  }
}

function addLine(draft: Draft, row: Row): void {
  const need = (name: string): string => {
    const text = cell(row, name);
    if (text === null) throw failAt(row.place, `column ${name} is empty`);
    return text;
  };
  const details = detailsOf(row);
  const category = need("ChargeCategory");
  const meter = cell(row, "SkuMeter", "x_SkuMeterName", "SkuId") ?? cell(row, "ChargeDescription") ?? "";
  const kind = category === "Usage" ? kindOf(details, meter) : null;
  const common = {
    fromMs: parseWhen(need("ChargePeriodStart"), row.place, "ChargePeriodStart"),
    toMs: parseWhen(need("ChargePeriodEnd"), row.place, "ChargePeriodEnd"),
    place: row.place,
    cost: parseAmount(need("BilledCost"), row.place, "BilledCost"),
    currency: need("BillingCurrency"),
    account: cell(row, "SubAccountId", "BillingAccountId"),
    region: cell(row, "RegionId", "Region"),
    item: category === "Usage" ? meter : `${category}: ${cell(row, "ChargeDescription") ?? meter}`,
  };
  const model = detail(details, "ModelId") ?? cell(row, "x_Model", "x_ModelId") ?? kind?.model ?? null;
  if (category !== "Usage" || (kind === null && model === null)) return draft.add({ ...common, class: null, holds: [] });
  const tier = detail(details, "ServiceTier") ?? cell(row, "x_ServiceTier") ?? kind?.tier ?? null;
  const consumed = cell(row, "ConsumedQuantity", "UsageQuantity");
  const units = unitsOf(cell(row, "ConsumedUnit", "UsageUnit"));
  const quantity =
    kind === null || consumed === null || units === null ? null : parseQuantity(consumed, row.place, "ConsumedQuantity", units);
  draft.add({ ...common, model, tier, class: kind?.class ?? null, holds: kind?.holds ?? null, quantity });
}

/** A key of the specification, or of a provider before it was in there. */
function detail(details: JsonObject, key: string): string | null {
  return textOf(details, key) ?? textOf(details, `x_${key}`);
}

interface Kind {
  readonly model: string | null;
  readonly class: UsageClass;
  readonly holds: readonly UsageClass[];
  readonly tier: string | null;
}

function kindOf(details: JsonObject, meter: string): Kind | null {
  const bare = { model: null, tier: null };
  const direction = detail(details, "TokenDirection")?.toLowerCase() ?? null;
  const cache = detail(details, "TokenCacheAction")?.toLowerCase() ?? null;
  const ttl = detail(details, "CacheTtl")?.toLowerCase() ?? null;
  if (direction === "output") return { ...bare, class: "output", holds: completionClasses };
  if (direction === "input") return { ...bare, ...inputOf(cache, ttl) };
  const ours = detail(details, "Class") ?? "";
  const plain = meter.toLowerCase();
  if (/^(cached|cache read) input tokens$|^cache read tokens$/.test(plain)) return { ...bare, ...inputOf("read", ttl) };
  if (/^cache write tokens$/.test(plain)) return { ...bare, ...inputOf("write", ttl) };
  if (/^input tokens$/.test(plain)) return { ...bare, ...inputOf(null, ttl) };
  if (/^(output|reasoning) tokens$/.test(plain) || ours === "output") return { ...bare, class: "output", holds: completionClasses };
  if (/web.?search/.test(plain)) return { ...bare, class: "web_search", holds: ["web_search"] };
  return parseUsageType(meter) ?? parseMeter(meter);
}

function inputOf(cache: string | null, ttl: string | null): { readonly class: UsageClass; readonly holds: readonly UsageClass[] } {
  if (cache === "read") return { class: "cache_read", holds: ["cache_read"] };
  if (cache === "write") {
    if (ttl === "1h" || ttl === "5m") return { class: `cache_write_${ttl}`, holds: [`cache_write_${ttl}`] };
    return { class: "cache_write", holds: ["cache_write", "cache_write_5m", "cache_write_1h"] };
  }
  return cache === "uncached" ? { class: "input", holds: ["input"] } : { class: "input", holds: promptClasses };
}
