// OpenAI's Usage API (`/v1/organization/usage/…`) as JSON, and as the CSV of the dashboard: what was used, without amounts.
// Read in the API reference (usage), in its OpenAPI document as docs.rs/openai-client-base 0.16.0 has it, and in exports that people published:
// `input_tokens` includes what was cached or written to the cache; where tokens are told apart by modality, those fields are without the cached ones
// (in older answers `input_audio_tokens` included them); `output_tokens` includes reasoning. Audio and images are in both totals.

import type { UsageClass } from "../core/usage.ts";
import type { Draft, Format } from "./draft.ts";
import { failAt } from "./fail.ts";
import { textOf } from "./json.ts";
import { bucketsOf, isPaged } from "./pages.ts";
import { cell, hasColumns, type Row } from "./table.ts";
import { parseQuantity, parseWhen } from "./values.ts";

/** A field's text by its name; null: absent. */
type Get = (name: string) => string | null;

interface Place {
  readonly fromMs: number;
  readonly toMs: number;
  readonly place: string;
}

const counted = ["input_tokens", "images", "characters", "seconds", "usage_bytes", "num_sessions"] as const;

export const openaiUsage: Format = {
  name: "openai-usage",
  title: "OpenAI usage API",
  provider: "openai",
  states: { quantity: true, cost: false },
  isWhole: true,
  is: (source) =>
    source.kind === "json"
      ? isPaged(source.pages, "start_time", (result) => (textOf(result, "object") ?? "").startsWith("organization.usage.")) ||
        isPaged(
          source.pages,
          "start_time",
          (result) => result["amount"] === undefined && counted.some((name) => result[name] !== undefined),
        )
      : hasColumns(source.table, "start_time", "num_model_requests"),
  read: (source, draft) => {
    if (source.kind === "json") {
      for (const { fromMs, toMs, results } of bucketsOf(source.pages, "start_time", "end_time")) {
        draft.spans(fromMs, toMs);
        for (const { result, place } of results) addUsage(draft, { fromMs, toMs, place }, (name) => textOf(result, name));
      }
      return;
    }
    for (const row of source.table.rows) {
      const where = { fromMs: timeOf(row, "start_time"), toMs: timeOf(row, "end_time"), place: row.place };
      draft.spans(where.fromMs, where.toMs);
      addUsage(draft, where, (name) => cell(row, name));
    }
  },
};

/** The dashboard writes seconds since 1970 in one column and ISO times in another. */
export function timeOf(row: Row, name: string): number {
  const text = cell(row, name, `${name}_iso`);
  if (text === null) throw failAt(row.place, `column ${name} is empty`);
  return parseWhen(text, row.place, name);
}

function addUsage(draft: Draft, where: Place, get: Get): void {
  const quantity = (name: string): number | null => {
    const text = get(name);
    return text === null ? null : parseQuantity(text, where.place, name);
  };
  const model = get("model");
  const tier = get("batch")?.toLowerCase() === "true" ? "batch" : get("service_tier");
  const common = { ...where, model, tier, account: get("project_id"), key: get("api_key_id") };
  const add = (name: UsageClass, count: number | null, holds?: readonly UsageClass[]): void =>
    draft.add({ ...common, class: name, quantity: count, ...(holds === undefined ? {} : { holds }) });

  const input = quantity("input_tokens");
  if (input !== null) {
    for (const [name, count] of splitInput(input, quantity, where.place)) add(name, count);
    const output = quantity("output_tokens") ?? 0;
    const [audio, image] = [quantity("output_audio_tokens") ?? 0, quantity("output_image_tokens") ?? 0];
    const text = quantity("output_text_tokens") ?? output - audio - image;
    if (text < 0) throw failAt(where.place, `output_tokens is ${output}, less than its parts`);
    add("output", text, ["output", "reasoning"]);
    add("output_audio", audio);
    add("output_image", image);
    draft.notes.add(
      "OpenAI counts cached tokens within input and reasoning within output: the first are split off, the second are compared together.",
    );
  }
  add("images", quantity("images"));
  add("input_audio_seconds", quantity("seconds"));
  add("code_execution", quantity("num_sessions"));
  if ((quantity("characters") ?? 0) > 0) draft.notes.add("Characters that were spoken are not compared: the ledger counts tokens.");
  if ((quantity("usage_bytes") ?? 0) > 0) draft.notes.add("Bytes stored in vector stores are not compared: they are no usage of a model.");
  if (model === null && input !== null && input > 0)
    draft.notes.add("The export does not tell models apart: ask for it with group_by=model (or group_by[]=model,batch,service_tier).");
}

function splitInput(input: number, quantity: (name: string) => number | null, place: string): [UsageClass, number][] {
  const cached = quantity("input_cached_tokens") ?? 0;
  const written = quantity("input_cache_write_tokens") ?? 0;
  const [cachedAudio, cachedImage] = [quantity("input_cached_audio_tokens") ?? 0, quantity("input_cached_image_tokens") ?? 0];
  const cachedText = quantity("input_cached_text_tokens") ?? cached - cachedAudio - cachedImage;
  // Where text is told apart, audio and images are without the cached ones; in older answers they are with them.
  const included = quantity("input_text_tokens") === null;
  const audio = (quantity("input_audio_tokens") ?? 0) - (included ? cachedAudio : 0);
  const image = (quantity("input_image_tokens") ?? 0) - (included ? cachedImage : 0);
  const text = input - cached - written - audio - image;
  const parts: [UsageClass, number][] = [
    ["input", text],
    ["cache_read", cachedText],
    ["cache_write", written],
    ["input_audio", audio],
    ["cache_read_audio", cachedAudio],
    ["input_image", image],
    ["cache_read_image", cachedImage],
  ];
  if (parts.some(([, count]) => count < 0) || parts.reduce((sum, [, count]) => sum + count, 0) !== input)
    throw failAt(
      place,
      `input_tokens is ${input}, which is not the sum of its parts (${parts.map(([name, count]) => `${name} ${count}`).join(", ")})`,
    );
  return parts;
}
