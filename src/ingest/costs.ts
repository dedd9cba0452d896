// OpenAI's Costs API (`/v1/organization/costs`) as JSON, and as the CSV of the dashboard: what was charged, by line item.
// Read in the API reference (costs) and in line items that people published: `gpt-5.5-2026-04-23, cached input`, `gpt-audio-mini-2025-12-15 audio, input`,
// `priority | gpt-5.6-sol, output, long context`, `gpt-5.6, cache writes`, `web search tool calls`. An amount is dollars, as a number or as text.

import type { UsageClass } from "../core/usage.ts";
import type { Draft, Format } from "./draft.ts";
import { isObject, textOf } from "./json.ts";
import { timeOf } from "./openai.ts";
import { bucketsOf, isPaged } from "./pages.ts";
import { cell, hasColumns } from "./table.ts";
import { parseAmount, parseQuantity } from "./values.ts";

export const openaiCosts: Format = {
  name: "openai-costs",
  title: "OpenAI costs API",
  provider: "openai",
  states: { quantity: "lines", cost: true },
  isWhole: true,
  is: (source) =>
    source.kind === "json"
      ? isPaged(source.pages, "start_time", (result) => isObject(result["amount"]))
      : hasColumns(source.table, "start_time", "amount_value"),
  read: (source, draft) => {
    if (source.kind === "json") {
      for (const { fromMs, toMs, results } of bucketsOf(source.pages, "start_time", "end_time")) {
        draft.spans(fromMs, toMs);
        for (const { result, place } of results) {
          const amount = isObject(result["amount"]) ? result["amount"] : {};
          const get = (name: string): string | null => textOf(result, name);
          addCost(draft, { fromMs, toMs, place }, textOf(amount, "value"), textOf(amount, "currency"), get);
        }
      }
      return;
    }
    for (const row of source.table.rows) {
      const where = { fromMs: timeOf(row, "start_time"), toMs: timeOf(row, "end_time"), place: row.place };
      draft.spans(where.fromMs, where.toMs);
      addCost(draft, where, cell(row, "amount_value"), cell(row, "amount_currency"), (name) => cell(row, name));
    }
  },
};

function addCost(
  draft: Draft,
  where: { readonly fromMs: number; readonly toMs: number; readonly place: string },
  value: string | null,
  currency: string | null,
  get: (name: string) => string | null,
): void {
  // A day without cost is a row without an amount.
  if (value === null) return;
  const item = get("line_item");
  const parsed = parseItem(item);
  const quantity = get("quantity");
  draft.add({
    ...where,
    ...parsed,
    cost: parseAmount(value, where.place, "amount.value"),
    currency,
    quantity: quantity === null || parsed.class === null ? null : parseQuantity(quantity, where.place, "quantity"),
    account: get("project_id"),
    key: get("api_key_id"),
    item,
  });
  if (item === null) draft.notes.add("The export does not tell line items apart: ask for it with group_by=line_item.");
  if (item !== null && parsed.holds?.length === 0) draft.notes.add(`Line item that is no usage of a model the ledger counts: ${item}.`);
}

interface Item {
  readonly model: string | null;
  readonly class: UsageClass | null;
  readonly holds: readonly UsageClass[] | null;
  readonly tier: string | null;
}

const tools: readonly (readonly [RegExp, UsageClass])[] = [
  [/web.?search/, "web_search"],
  [/file.?search (tool )?call/, "file_search"],
  [/code.?interpreter|container/, "code_execution"],
];

/** What a line item is about. Exported for its test. */
export function parseItem(item: string | null): Item {
  const all: Item = { model: null, class: null, holds: null, tier: null };
  if (item === null) return all;
  const [, prefix, rest = ""] = /^(?:([a-z ]+) \| )?(.*)$/i.exec(item.trim()) ?? [];
  const [head = "", ...meters] = rest.split(",").map((part) => part.trim());
  const meter = meters.join(" ").toLowerCase();
  const [model = "", ...modality] = head.split(" ");
  if (meters.length === 0) {
    const tool = tools.find(([pattern]) => pattern.test(rest.toLowerCase()));
    if (tool !== undefined) return { ...all, class: tool[1], holds: [tool[1]] };
    // A model's name has a digit and no blank.
    return /^[\w.:-]*\d[\w.:-]*$/.test(rest) ? { ...all, model: rest } : { ...all, holds: [] };
  }
  const name = classOf(meter, modality.join(" ").toLowerCase());
  const tier = /\b(batch|flex|priority)\b/.exec(`${prefix ?? ""} ${meter}`.toLowerCase())?.[1] ?? null;
  const holds = name === null ? null : name === "output" ? (["output", "reasoning"] as const) : [name];
  return { model, class: name, holds, tier };
}

function classOf(meter: string, modality: string): UsageClass | null {
  const kind = /audio|image|text/.exec(`${modality} ${meter}`)?.[0] ?? "text";
  const suffix = kind === "text" ? "" : (`_${kind}` as "_audio" | "_image");
  if (/cache[d]? writ/.test(meter)) return "cache_write";
  if (/cached/.test(meter)) return `cache_read${suffix}`;
  if (/input/.test(meter)) return `input${suffix}`;
  if (/output/.test(meter)) return `output${suffix}`;
  if (/training/.test(meter)) return "training";
  return null;
}
