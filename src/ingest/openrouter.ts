// OpenRouter: its activity by day, as JSON (`GET /api/v1/activity`) or CSV, and its log of generations as CSV.
// Read in the API reference (analytics/get-user-activity) and in the heads of exports that people published. Prompt tokens include what was cached,
// completion tokens include reasoning; the cost is the credits spent, and what was paid to a provider with one's own key is not in it.

import { completionClasses, promptClasses } from "../core/statement.ts";
import { dayMs } from "../core/time.ts";
import type { Draft, Format } from "./draft.ts";
import { failAt } from "./fail.ts";
import { isObject, type Json, objectsOf, textOf } from "./json.ts";
import { cell, hasColumns } from "./table.ts";
import { parseAmount, parseQuantity, parseWhen } from "./values.ts";

type Get = (...names: readonly string[]) => string | null;

export const openrouterActivity: Format = {
  name: "openrouter-activity",
  title: "OpenRouter activity",
  provider: "openrouter",
  states: { quantity: true, cost: true },
  isWhole: true,
  is: (source) =>
    source.kind === "json"
      ? source.pages.some((page) =>
          itemsOf(page).some((item) => isObject(item) && item["usage"] !== undefined && item["prompt_tokens"] !== undefined),
        )
      : hasColumns(source.table, "date", "usage", "prompt_tokens") ||
        hasColumns(source.table, "created_at", "cost_total", "model_permaslug"),
  read: (source, draft) => {
    draft.notes.add(
      "OpenRouter counts cached tokens within the prompt and reasoning within the completion, and gives one amount for both.",
    );
    if (source.kind === "json") {
      for (const [number, page] of source.pages.entries())
        for (const [index, item] of objectsOf(isObject(page) ? page["data"] : page, "data").entries()) {
          const place = `${source.pages.length === 1 ? "" : `page ${number + 1}, `}data[${index}]`;
          addItem(draft, place, (...names) => names.map((name) => textOf(item, name)).find((text) => text !== null) ?? null);
        }
      return;
    }
    for (const row of source.table.rows) addItem(draft, row.place, (...names) => cell(row, ...names));
  },
};

function itemsOf(page: Json): readonly Json[] {
  const items = isObject(page) ? page["data"] : page;
  return Array.isArray(items) ? (items as readonly Json[]) : [];
}

function addItem(draft: Draft, place: string, get: Get): void {
  const date = get("date", "created_at");
  const cost = get("usage", "cost_total");
  if (date === null || cost === null) throw failAt(place, `it has no ${date === null ? "date" : "usage"}`);
  const fromMs = Math.floor(parseWhen(date, place, "date") / dayMs) * dayMs;
  const model = get("model_permaslug", "model");
  const common = { fromMs, toMs: fromMs + dayMs, place, model, key: get("api_key_name"), item: get("provider_name") };
  const quantity = (...names: readonly string[]): number | null => {
    const text = get(...names);
    return text === null ? null : parseQuantity(text, place, names[0] ?? "");
  };
  const prompt = quantity("prompt_tokens", "tokens_prompt");
  const cached = quantity("tokens_cached", "cached_tokens");
  if (prompt !== null && cached !== null) {
    if (cached > prompt) throw failAt(place, `tokens_cached is ${cached}, more than the prompt's ${prompt}`);
    draft.add({ ...common, class: "input", holds: promptClasses.filter((name) => name !== "cache_read"), quantity: prompt - cached });
    draft.add({ ...common, class: "cache_read", quantity: cached });
  } else draft.add({ ...common, class: "input", holds: promptClasses, quantity: prompt });
  draft.add({ ...common, class: "output", holds: completionClasses, quantity: quantity("completion_tokens", "tokens_completion") });
  draft.add({ ...common, cost: parseAmount(cost, place, "usage") });
  const own = get("byok_usage_inference");
  if (own !== null && parseAmount(own, place, "byok_usage_inference").pico !== 0n)
    draft.notes.add("Some of it was paid to the providers with keys of your own (byok_usage_inference): that is not in these amounts.");
}
