// Files of prices: which format a text is in, and its reader. Not here: the formats (one file each), what a list would change (desk.ts).
// Invariant: a file is taken whole or not at all; what is left out of it is counted with its reason.

import { parseDocument } from "yaml";
import { readChanges } from "./changes.ts";
import { readFile } from "./file.ts";
import { requireFit } from "./fit.ts";
import { readGenai } from "./genai.ts";
import { readLitellm } from "./litellm.ts";
import { readModelsDev } from "./modelsdev.ts";
import { invalid, isObject, type Read } from "./reader.ts";
import type { ListOptions } from "./view.ts";

export type Format = NonNullable<ListOptions["format"]>;

/** Longest file that is read, in characters. */
export const priceCharactersMax = 64 * 1024 * 1024;

/** `provider`: only the prices of this one, as the price book calls it. Pennyworth's own file is read whole in any case. */
export type ReadOptions = ListOptions & { readonly provider?: string | null };

const readers: Readonly<Record<Format, (text: string, options: ReadOptions) => Read>> = {
  pennyworth: readFile,
  litellm: readLitellm,
  "models.dev": readModelsDev,
  "genai-prices": readGenai,
  changes: readChanges,
};

/**
 * Reads a file of prices. `nowMs`: when it is read, ms UTC; nothing can have been published later.
 * @throws PennyworthError `prices_invalid` with line and reason.
 */
export function parseList(text: string, options: ReadOptions, nowMs: number): Read {
  if (text.length > priceCharactersMax) throw invalid("line 1, column 1", `the file is longer than ${priceCharactersMax} characters`);
  const { published } = options;
  if (published !== null && (!/^\d{4}-\d{2}-\d{2}$/.test(published) || Number.isNaN(Date.parse(published))))
    throw invalid("published", `${published} is no day; write it as 2026-07-24`);
  if (published !== null && Date.parse(published) > nowMs) throw invalid("published", `${published} is yet to come`);
  if (options.source !== null && !/^[a-z0-9][a-z0-9.-]*$/.test(options.source))
    throw invalid("source", `${options.source} is no name of a source: lower case letters, digits, dots and hyphens`);
  const plain = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const read = readers[options.format ?? formatOf(plain)](plain, options);
  requireFit(read.list, plain);
  return read;
}

/** Told from what stands at the top of the text. @throws PennyworthError `prices_invalid` when it is none that is known. */
export function formatOf(text: string): Format {
  const first = text.trimStart();
  if (/^"?date"?,.*model_key/.test(first.slice(0, 500))) return "changes";
  if (first.startsWith("[")) return "genai-prices";
  if (!first.startsWith("{")) {
    if (!/^("?(source|prices|discounts|choices)"?\s*:|---|#|%|\?|&|!|<<)/m.test(first)) throw unknownFormat();
    return "pennyworth";
  }
  if (/"litellm_provider"\s*:/.test(text)) return "litellm";
  let top: unknown;
  try {
    top = JSON.parse(text);
  } catch {
    // Pennyworth's own file may be in YAML's braces, and its reader says best what is wrong with what is no JSON.
    top = isOwn(text) ? { prices: [] } : {};
  }
  if (isObject(top) && ["prices", "discounts", "choices"].some((key) => Array.isArray(top[key]))) return "pennyworth";
  if (isObject(top) && Object.values(top).some((value) => isObject(value) && isObject(value["models"]))) return "models.dev";
  throw unknownFormat();
}

function unknownFormat(): Error {
  return invalid(
    "line 1, column 1",
    "this is in no format of price files that is known: Pennyworth's own (pennyworth: prices, discounts, choices), LiteLLM's map (litellm), models.dev's (models.dev), genai-prices' data (genai-prices), a CSV of changes (changes); --format names one",
  );
}

function isOwn(text: string): boolean {
  const { contents } = parseDocument(text);
  return contents !== null && /"?(prices|discounts|choices)"?\s*:/.test(text);
}
