// AWS: the Cost and Usage Report (CUR 2.0, and the older one with its slashes) and the CSV that Cost Explorer downloads, for Bedrock.
// Read in “Understanding your Amazon Bedrock Cost and Usage Report data” (Bedrock user guide), in the AWS price list's usage types as public code
// reads them, and in downloads that people published. Usage types: `USE1-Claude4.5Sonnet-input-tokens`, `…-cache-read-input-token-count`,
// `USW2-zai.glm5-mantle-output-tokens-priority`, `USE1-MP:USE1_InputTokenCount_Global-Units`. Amounts of usage are in the unit of the price: 1K or 1M tokens.

import type { UsageClass } from "../core/usage.ts";
import { dayMs } from "../core/time.ts";
import type { Draft, Format } from "./draft.ts";
import { failAt } from "./fail.ts";
import { cell, hasColumns, type Row, type Table } from "./table.ts";
import { parseAmount, parseQuantity, parseWhen, unitsOf } from "./values.ts";

export interface Meter {
  /** null: the usage type does not name it. */
  readonly model: string | null;
  readonly class: UsageClass;
  readonly holds: readonly UsageClass[];
  readonly tier: string | null;
  /** Units of the class that one of the statement's is, where the usage type says; null: it does not. */
  readonly units: bigint | null;
}

const writes: readonly UsageClass[] = ["cache_write", "cache_write_5m", "cache_write_1h"];
const outputs: readonly UsageClass[] = ["output", "reasoning"];

/** What a usage type of Bedrock is about; null: it is not about tokens. */
export function parseUsageType(text: string): Meter | null {
  const bare = text.replace(/^[A-Z0-9]+-(?=MP:)/, "").replace(/^(MP:)?[A-Z]{2,3}[A-Z0-9]*[-_]/, "$1");
  const marketplace = bare.startsWith("MP:") || bare.endsWith("-Units");
  const plain = bare
    .replace(/^MP:/, "")
    .replace(/-Units$/, "")
    .replace(/([a-z])([A-Z])/g, marketplace ? "$1-$2" : "$1$2");
  const match =
    /^(?<model>.*?)[-_]?(?:mantle-)?(?<meter>cache[-_]?read|cache[-_]?write|input|output|response)(?=[-_]?(?:\d+[mh]|input|text|token|\b)).*$/i.exec(
      plain,
    );
  const { model = "", meter = "" } = match?.groups ?? {};
  if (match === null || !/token/i.test(plain)) return null;
  const rest = plain.slice(model.length).toLowerCase();
  const tier = /(?:^|[-_])(batch|flex|priority)(?:$|[-_])/.exec(rest)?.[1] ?? null;
  const ttl = /(?:^|[-_])(1h|5m)(?:$|[-_])/.exec(rest)?.[1] ?? null;
  const kind = meter.toLowerCase().replace(/[-_]/g, "");
  const units = marketplace ? 1_000_000n : null;
  const common = { model: model === "" ? null : model, tier, units };
  if (kind === "cacheread") return { ...common, class: "cache_read", holds: ["cache_read"] };
  if (kind === "cachewrite") {
    const name: UsageClass = ttl === "1h" ? "cache_write_1h" : ttl === "5m" ? "cache_write_5m" : "cache_write";
    return { ...common, class: name, holds: ttl === null ? writes : [name] };
  }
  if (kind === "input") return { ...common, class: "input", holds: ["input"] };
  return { ...common, class: "output", holds: outputs };
}

/** The model that a product's name says: `Claude Sonnet 4.5 (Amazon Bedrock Edition)`. */
function productModel(row: Row): string | null {
  const name = cell(row, "product_servicename", "product_product_name", "product_model", "product_model_name");
  const match = name === null ? null : /^(.*?)\s*\(Amazon Bedrock Edition\)$/i.exec(name);
  return match?.[1] ?? cell(row, "product_model");
}

export const awsCur: Format = {
  name: "aws-cur",
  title: "AWS Cost and Usage Report",
  provider: null,
  states: { quantity: "lines", cost: true },
  isWhole: false,
  is: (source) => source.kind === "table" && hasColumns(source.table, "line_item_usage_type", "line_item_unblended_cost"),
  read: (source, draft) => {
    if (source.kind !== "table") return;
    let others = 0;
    for (const row of source.table.rows) {
      if (isBedrock(row)) addLine(draft, row);
      else others += 1;
    }
    if (others > 0) draft.notes.add(`Lines of other services than Bedrock are left out: ${others}.`);
  },
};

function isBedrock(row: Row): boolean {
  return ["line_item_product_code", "product_servicename", "product_product_name", "line_item_line_item_description"].some((name) =>
    /bedrock/i.test(cell(row, name) ?? ""),
  );
}

function addLine(draft: Draft, row: Row): void {
  const need = (name: string): string => {
    const text = cell(row, name);
    if (text === null) throw failAt(row.place, `column ${name} is empty`);
    return text;
  };
  const fromMs = parseWhen(need("line_item_usage_start_date"), row.place, "line_item_usage_start_date");
  const end = cell(row, "line_item_usage_end_date");
  const toMs = end === null ? fromMs + dayMs : parseWhen(end, row.place, "line_item_usage_end_date");
  const kind = cell(row, "line_item_line_item_type") ?? "Usage";
  const usageType = cell(row, "line_item_usage_type") ?? "";
  const meter = parseUsageType(usageType);
  const cost = parseAmount(need("line_item_unblended_cost"), row.place, "line_item_unblended_cost");
  const common = {
    fromMs,
    toMs,
    place: row.place,
    cost,
    currency: cell(row, "line_item_currency_code"),
    account: cell(row, "line_item_usage_account_id"),
    region: cell(row, "product_region_code", "product_region"),
    item: /usage/i.test(kind) ? usageType : `${kind} ${usageType}`.trim(),
  };
  if (meter === null) return draft.add({ ...common, class: null, holds: [] });
  const model = meter.model ?? productModel(row);
  const isUsage = /usage/i.test(kind);
  const units = isUsage ? unitsOfLine(row, meter) : null;
  if (isUsage && units === null) draft.notes.add(`The unit of ${usageType} is not told: its quantity is not compared.`);
  const amount = cell(row, "line_item_usage_amount");
  // A discount or a credit has the usage type of what it is for, and no usage of its own.
  const quantity = !isUsage
    ? 0
    : units === null || amount === null
      ? null
      : parseQuantity(amount, row.place, "line_item_usage_amount", units);
  draft.add({ ...common, model, class: meter.class, holds: meter.holds, tier: meter.tier, quantity });
}

function unitsOfLine(row: Row, meter: Meter): bigint | null {
  const described = /per ((?:[\d,]+|[\d,]*[KM]|thousand|million)) /i.exec(cell(row, "line_item_line_item_description") ?? "")?.[1] ?? null;
  return unitsOf(cell(row, "pricing_unit", "pricing_public_on_demand_unit")) ?? unitsOf(described) ?? meter.units;
}

export const awsExplorer: Format = {
  name: "aws-explorer",
  title: "AWS Cost Explorer",
  provider: null,
  states: { quantity: false, cost: true },
  isWhole: true,
  is: (source) =>
    source.kind === "table" && source.table.columns.length > 1 && source.table.columns.slice(1).some((name) => name.endsWith("($)")),
  read: (source, draft) => {
    if (source.kind === "table") readExplorer(source.table, draft);
  },
};

/** Days down, groups across: `"Usage type","USE1-…-input-tokens($)",…,"Total costs($)"`, then a row of totals, then one for each day or month. */
function readExplorer(table: Table, draft: Draft): void {
  const [first = "", ...groups] = table.columns;
  const wanted = groups.filter((name) => name.endsWith("($)") && !/^total costs\(\$\)$/i.test(name));
  const days = table.rows.filter((row) => /^\d{4}-\d{2}-\d{2}/.test(cell(row, first) ?? ""));
  const starts = days.map((row) => parseWhen(cell(row, first) ?? "", row.place, first));
  const isMonthly = starts.length > 0 && starts.every((ms) => new Date(ms).getUTCDate() === 1);
  for (const [index, row] of days.entries()) {
    const fromMs = starts[index] ?? 0;
    const date = new Date(fromMs);
    const toMs = isMonthly ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) : fromMs + dayMs;
    draft.spans(fromMs, toMs);
    for (const group of wanted) {
      const text = cell(row, group);
      if (text === null) continue;
      const name = group.replace(/\(\$\)$/, "");
      const meter = parseUsageType(name);
      const model = /^(.*?)\s*\(Amazon Bedrock Edition\)$/i.exec(name)?.[1] ?? null;
      const common = { fromMs, toMs, place: row.place, cost: parseAmount(text, row.place, group), item: name };
      if (meter !== null) draft.add({ ...common, model: meter.model, class: meter.class, holds: meter.holds, tier: meter.tier });
      else if (model !== null) draft.add({ ...common, model });
      else if (/^(amazon )?bedrock$/i.test(name)) draft.add(common);
      else draft.notes.add(`Left out, since it is not Bedrock's: ${name}.`);
    }
  }
  draft.notes.add("Cost Explorer gives amounts alone: no quantities are compared.");
}
