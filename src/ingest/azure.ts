// Azure: the cost and usage file of Cost Management exports (actual cost), for Azure OpenAI and Foundry models.
// Read in “Cost and usage details data fields” (Cost Management), and in names of meters that people published: `gpt 4.1 cached Inp glbl Tokens`,
// `5.4 pp opt Gl 1M Tokens`, `gpt-4o 1120 Outp glbl Tokens`, `6-sol ShortCo Cd Wr Std Gl`. A quantity is in the unit of measure: `1K`, `1M`.

import { completionClasses } from "../core/statement.ts";
import { dayMs } from "../core/time.ts";
import type { UsageClass } from "../core/usage.ts";
import type { Draft, Format } from "./draft.ts";
import { failAt } from "./fail.ts";
import { cell, hasColumns, type Row, type Table } from "./table.ts";
import { parseAmount, parseQuantity, parseWhen, unitsOf } from "./values.ts";

const dates = ["date", "UsageDateTime", "UsageDate"];
const costs = ["costInBillingCurrency", "costInUsd", "preTaxCost", "cost"];
const amounts = ["quantity", "usageQuantity", "consumedQuantity"];

export const azureCost: Format = {
  name: "azure-cost",
  title: "Azure cost export",
  provider: "azure",
  states: { quantity: "lines", cost: true },
  isWhole: false,
  is: ({ kind, ...source }) => kind === "table" && isAzure((source as { readonly table: Table }).table),
  read: (source, draft) => {
    if (source.kind !== "table") return;
    let others = 0;
    for (const row of source.table.rows) {
      if (isModel(row)) addLine(draft, row);
      else others += 1;
    }
    if (others > 0) draft.notes.add(`Lines of other services than models are left out: ${others}.`);
    draft.notes.add("A meter names its model without the year of its snapshot: snapshots of one model are compared together.");
  },
};

function isAzure(table: Table): boolean {
  const some = (names: readonly string[]): boolean => names.some((name) => hasColumns(table, name));
  return hasColumns(table, "meterName") && some(dates) && some(costs) && some(amounts);
}

function isModel(row: Row): boolean {
  const words = ["meterCategory", "meterSubCategory", "productName", "serviceFamily", "consumedService"].map(
    (name) => cell(row, name) ?? "",
  );
  return /openai|foundry|cognitive|azure ai|deepseek|grok|mistral|llama/i.test(words.join(" "));
}

function addLine(draft: Draft, row: Row): void {
  const date = cell(row, ...dates);
  const cost = cell(row, ...costs);
  if (date === null || cost === null) throw failAt(row.place, `it has no ${date === null ? "date" : "cost"}`);
  const fromMs = Math.floor(parseWhen(date, row.place, "date") / dayMs) * dayMs;
  const name = cell(row, "meterName") ?? "";
  const meter = parseMeter(name);
  const inDollars = cell(row, "costInBillingCurrency") === null && cell(row, "costInUsd") !== null;
  const common = {
    fromMs,
    toMs: fromMs + dayMs,
    place: row.place,
    cost: parseAmount(cost, row.place, "cost"),
    currency: inDollars ? "USD" : cell(row, "billingCurrency", "billingCurrencyCode", "currency"),
    account: cell(row, "subscriptionId", "subscriptionGuid"),
    region: cell(row, "resourceLocation"),
    item: name,
  };
  if (meter === null) return draft.add({ ...common, class: null, holds: [] });
  const amount = cell(row, ...amounts);
  const units = unitsOf(cell(row, "unitOfMeasure"));
  if (units === null) draft.notes.add(`The unit of ${name} is not told: its quantity is not compared.`);
  const quantity = amount === null || units === null ? null : parseQuantity(amount, row.place, "quantity", units);
  draft.add({ ...common, ...meter, quantity });
}

interface Meter {
  readonly model: string;
  readonly class: UsageClass;
  readonly holds: readonly UsageClass[];
  readonly tier: string | null;
}

const words = {
  input: /^(inp|inpt|input|in)$/,
  output: /^(outp|outpt|output|opt|out)$/,
  cached: /^(cached|cchd|cache|cd)$/,
  write: /^(wr|write|writes)$/,
  audio: /^(aud|audio)$/,
  image: /^(img|image)$/,
  noise:
    /^(glbl|gl|global|dz|dzone|dzn|data|zone|regnl|regional|rgnl|std|standard|tokens?|units?|1k|1m|shortco|longco|txt|text|\d{4}|\d{8})$/,
} as const;

const tiers: Readonly<Record<string, string>> = {
  pp: "priority",
  priority: "priority",
  prty: "priority",
  batch: "batch",
  btch: "batch",
  flex: "flex",
};

/** What a meter is about; null: it is not about tokens. Exported for its test. */
export function parseMeter(name: string): Meter | null {
  // `gpt-4o-aud-1217` is told apart by hyphens; a model's own hyphens come back at the end.
  const all = name
    .trim()
    .toLowerCase()
    .split(/[\s-]+/);
  const has = (pattern: RegExp): boolean => all.some((word) => pattern.test(word));
  const isInput = has(words.input);
  if (!isInput && !has(words.output) && !has(words.cached)) return null;
  if (has(/^(hosting|hours?|ptu|training|trng|session)$/)) return null;
  const tier = all.flatMap((word) => tiers[word] ?? [])[0] ?? null;
  const kept = all.filter((word) => !Object.values(words).some((pattern) => pattern.test(word)) && tiers[word] === undefined);
  const bare = kept.join("-");
  if (bare === "") return null;
  const model = /^\d/.test(bare) ? `gpt-${bare}` : bare.replace(/^gpt(?=\d)/, "gpt-");
  const suffix = has(words.audio) ? "_audio" : has(words.image) ? "_image" : "";
  if (has(words.cached)) {
    if (has(words.write)) return { model, class: "cache_write", holds: ["cache_write"], tier };
    const read: UsageClass = `cache_read${suffix}`;
    return { model, class: read, holds: [read], tier };
  }
  if (isInput) {
    const input: UsageClass = `input${suffix}`;
    return { model, class: input, holds: [input], tier };
  }
  const output: UsageClass = `output${suffix}`;
  return { model, class: output, holds: suffix === "" ? completionClasses.slice(0, 2) : [output], tier };
}
