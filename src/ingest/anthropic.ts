// Anthropic's Usage and Cost Admin API (`/v1/organizations/usage_report/messages`, `/v1/organizations/cost_report`) as JSON, and the CSVs of the Console.
// Read in the API reference (admin/usage_report/retrieve_messages, admin/cost_report) and in the heads of exports that people published. Input is
// without what was cached; output includes thinking. An amount of the API is in cents, as decimal text; in the Console's CSV it is in dollars.
// Costs of the Priority Tier are not in the cost report.

import type { UsageClass } from "../core/usage.ts";
import { dayMs, hourMs } from "../core/time.ts";
import type { Format } from "./draft.ts";
import { failAt } from "./fail.ts";
import { isObject, type JsonObject, textOf } from "./json.ts";
import { bucketsOf, isPaged } from "./pages.ts";
import { cell, hasColumns, type Row } from "./table.ts";
import { parseAmount, parseQuantity, parseWhen } from "./values.ts";

const output: readonly UsageClass[] = ["output", "reasoning"];
const thinking = "Anthropic counts thinking within output: the two are compared together.";

export const anthropicUsage: Format = {
  name: "anthropic-usage",
  title: "Anthropic usage report",
  provider: "anthropic",
  states: { quantity: true, cost: false },
  isWhole: true,
  is: (source) =>
    source.kind === "json"
      ? isPaged(source.pages, "starting_at", (result) => result["uncached_input_tokens"] !== undefined)
      : hasColumns(source.table, "usage_date_utc", "usage_input_tokens_no_cache"),
  read: (source, draft) => {
    draft.notes.add(thinking);
    if (source.kind === "json") {
      for (const { fromMs, toMs, results } of bucketsOf(source.pages, "starting_at", "ending_at")) {
        draft.spans(fromMs, toMs);
        for (const { result, place } of results) {
          const tier = textOf(result, "speed") === "fast" ? "fast" : textOf(result, "service_tier");
          const names = {
            account: textOf(result, "workspace_id"),
            key: textOf(result, "api_key_id"),
            region: textOf(result, "inference_geo"),
          };
          const common = { fromMs, toMs, place, model: textOf(result, "model"), tier, ...names };
          const written = part(result, "cache_creation");
          const used = part(result, "server_tool_use");
          const add = (name: UsageClass, from: JsonObject, key: string, holds?: readonly UsageClass[]): void => {
            const text = textOf(from, key);
            if (text === null) return;
            draft.add({ ...common, class: name, quantity: parseQuantity(text, place, key), ...(holds === undefined ? {} : { holds }) });
          };
          add("input", result, "uncached_input_tokens");
          add("cache_read", result, "cache_read_input_tokens");
          add("cache_write_5m", written, "ephemeral_5m_input_tokens");
          add("cache_write_1h", written, "ephemeral_1h_input_tokens");
          add("output", result, "output_tokens", output);
          add("web_search", used, "web_search_requests");
          if (common.model === null) draft.notes.add("The export does not tell models apart: ask for it with group_by[]=model.");
        }
      }
      return;
    }
    for (const row of source.table.rows) {
      const where = dayOf(row);
      const tier = cell(row, "speed") === "fast" ? "fast" : cell(row, "usage_type", "service_tier");
      const names = { account: cell(row, "workspace"), key: cell(row, "api_key"), region: cell(row, "inference_geo") };
      for (const [column, name] of Object.entries(columns)) {
        const text = cell(row, column);
        if (text === null) continue;
        const quantity = parseQuantity(text, row.place, column);
        const holds = name === "output" ? { holds: output } : {};
        draft.add({ ...where, model: cell(row, "model_version", "model"), tier, ...names, class: name, quantity, ...holds });
      }
    }
  },
};

const columns: Readonly<Record<string, UsageClass>> = {
  usage_input_tokens_no_cache: "input",
  usage_input_tokens_cache_write_5m: "cache_write_5m",
  usage_input_tokens_cache_write_1h: "cache_write_1h",
  usage_input_tokens_cache_read: "cache_read",
  usage_output_tokens: "output",
  web_search_count: "web_search",
};

export const anthropicCost: Format = {
  name: "anthropic-cost",
  title: "Anthropic cost report",
  provider: "anthropic",
  states: { quantity: false, cost: true },
  isWhole: true,
  is: (source) =>
    source.kind === "json"
      ? isPaged(source.pages, "starting_at", (result) => result["amount"] !== undefined)
      : hasColumns(source.table, "usage_date_utc", "cost_usd", "token_type"),
  read: (source, draft) => {
    draft.notes.add(thinking);
    draft.notes.add("What runs in Anthropic's Priority Tier is not in its cost report.");
    if (source.kind === "json") {
      for (const { fromMs, toMs, results } of bucketsOf(source.pages, "starting_at", "ending_at")) {
        draft.spans(fromMs, toMs);
        for (const { result, place } of results) {
          const amount = textOf(result, "amount");
          if (amount === null) throw failAt(place, "amount is missing");
          const kind = kindOf(textOf(result, "token_type"), textOf(result, "cost_type"), textOf(result, "description"), place);
          if (kind.isTotal) draft.notes.add("The export does not tell models apart: ask for it with group_by[]=description.");
          draft.add({
            fromMs,
            toMs,
            place,
            model: textOf(result, "model"),
            class: kind.class,
            holds: kind.holds,
            tier: textOf(result, "speed") === "fast" ? "fast" : textOf(result, "service_tier"),
            cost: parseAmount(amount, place, "amount", 2),
            currency: textOf(result, "currency"),
            account: textOf(result, "workspace_id"),
            region: textOf(result, "inference_geo"),
            item: textOf(result, "description"),
          });
        }
      }
      return;
    }
    for (const row of source.table.rows) {
      const amount = cell(row, "cost_usd");
      if (amount === null) throw failAt(row.place, "column cost_usd is empty");
      const kind = kindOf(cell(row, "token_type"), cell(row, "cost_type"), null, row.place);
      draft.add({
        ...dayOf(row),
        model: cell(row, "model"),
        class: kind.class,
        holds: kind.holds,
        tier: cell(row, "speed") === "fast" ? "fast" : cell(row, "usage_type") === "batch" ? "batch" : null,
        cost: parseAmount(amount, row.place, "cost_usd"),
        account: cell(row, "workspace"),
        key: cell(row, "api_key_id", "api_key"),
        region: cell(row, "inference_geo"),
        item: cell(row, "cost_type"),
      });
    }
  },
};

interface Kind {
  readonly class: UsageClass | null;
  readonly holds: readonly UsageClass[] | null;
  readonly isTotal: boolean;
}

/** By the API's token types, and the Console's. */
const tokenTypes: Readonly<Record<string, UsageClass>> = {
  uncached_input_tokens: "input",
  input_no_cache: "input",
  output_tokens: "output",
  output: "output",
  cache_read_input_tokens: "cache_read",
  input_cache_read: "cache_read",
  "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
  input_cache_write_5m: "cache_write_5m",
  "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
  input_cache_write_1h: "cache_write_1h",
};

const costTypes: Readonly<Record<string, UsageClass>> = {
  web_search: "web_search",
  web_fetch: "web_fetch",
  code_execution: "code_execution",
};

function kindOf(tokenType: string | null, costType: string | null, description: string | null, place: string): Kind {
  const name = tokenType === null ? (costTypes[costType ?? ""] ?? null) : (tokenTypes[tokenType] ?? null);
  if (tokenType !== null && name === null && costTypes[tokenType] === undefined)
    throw failAt(place, `token_type is ${JSON.stringify(tokenType)}: known are ${Object.keys(tokenTypes).join(", ")}`);
  if (name !== null) return { class: name, holds: name === "output" ? output : [name], isTotal: false };
  const isTotal = tokenType === null && description === null && (costType === null || costType === "tokens" || costType === "token");
  return { class: null, holds: isTotal ? null : [], isTotal };
}

function part(result: JsonObject, key: string): JsonObject {
  const value = result[key];
  return isObject(value) ? value : {};
}

function dayOf(row: Row): { readonly fromMs: number; readonly toMs: number; readonly place: string } {
  const text = cell(row, "usage_date_utc");
  if (text === null) throw failAt(row.place, "column usage_date_utc is empty");
  const fromMs = parseWhen(text, row.place, "usage_date_utc");
  return { fromMs, toMs: fromMs + (text.length > 10 ? hourMs : dayMs), place: row.place };
}
