// Reads a table of changes of LiteLLM's price map as history: what each model cost from which day to which. Not here: what the map's fields
// mean (litellm.ts). Invariant: a price holds on the days for which the table says it and on no other; of several changes on a day the last
// stands; what an added model cost beside its input the table does not say, until it changes.

import { parse } from "csv-parse/sync";
import type { PriceRecord } from "../core/price.ts";
import { type LitellmTariff, toRecord, toTariffs } from "./litellm.ts";
import { decimalOf, hashOf, invalid, type Read, Skips } from "./reader.ts";
import type { ListOptions } from "./view.ts";

const columns = ["date", "event", "provider", "model_key", "field", "old_usd", "new_usd"] as const;
const events = ["added", "removed", "changed", "field_added", "field_removed"] as const;
/** What `added` and `removed` name without saying so. */
const inputField = "input_cost_per_token";

interface Change {
  readonly line: number;
  readonly dayMs: number;
  readonly event: (typeof events)[number];
  readonly provider: string;
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** From when a model was in the map: what was said of it, in order. `fromMs`: its first day, or the first of the table. */
interface Life {
  readonly fromMs: number;
  toMs: number | null;
  provider: string;
  readonly changes: Change[];
  /** What an addition or a removal says of the input's price. */
  input: string | null;
}

/** @throws PennyworthError `prices_invalid` with line and reason. */
export function readChanges(text: string, options: ListOptions & { readonly provider?: string | null }): Read {
  const byModel = new Map<string, Change[]>();
  for (const { model, change } of readRows(text)) {
    const changes = byModel.get(model);
    if (changes === undefined) byModel.set(model, [change]);
    else changes.push(change);
  }
  const firstMs = Math.min(...[...byModel.values()].map(([change]) => change?.dayMs ?? Infinity));
  const source = options.source ?? "litellm-changes";
  const version = hashOf(text);
  const skips = new Skips();
  const places = new Map<string, { readonly key: string; readonly record: PriceRecord }[]>();
  const keys = [...byModel].toSorted(([a], [b]) => rankOf(a) - rankOf(b));
  for (const [key, changes] of keys)
    for (const life of livesOf(key, changes, firstMs, skips))
      for (const record of recordsOf(`${source}@${version}`, key, life, skips)) {
        if (options.provider !== undefined && options.provider !== null && record.provider !== options.provider) continue;
        const place = JSON.stringify([record.provider, record.model.toLowerCase(), record.tier, record.region]);
        const others = places.get(place) ?? [];
        if (others.some((other) => other.key !== key && meets(other.record, record))) {
          skips.add(key, "another entry is for the same model at the same time");
          continue;
        }
        places.set(place, [...others, { key, record }]);
      }
  const records = [...places.values()].flatMap((all) => all.map(({ record }) => record));
  const origin = `changes of LiteLLM's price map, github.com/BerriAI/litellm (MIT)${options.published === null ? "" : `, to ${options.published}`}`;
  const list = { source, version, origin, published: options.published, records, discounts: [], choices: [] };
  return { list, skipped: skips.list() };
}

/** Of two keys for one model the one that names its provider goes first, and one that names a way to reach it last. */
function rankOf(key: string): number {
  return /\/(invoke|converse|global-standard)\//.test(key) ? 2 : key.includes("/") ? 0 : 1;
}

function meets(a: PriceRecord, b: PriceRecord): boolean {
  return (a.validFromMs ?? -Infinity) < (b.validToMs ?? Infinity) && (b.validFromMs ?? -Infinity) < (a.validToMs ?? Infinity);
}

function readRows(text: string): readonly { readonly model: string; readonly change: Change }[] {
  let rows: { readonly record: Readonly<Record<string, string>>; readonly info: { readonly lines: number } }[];
  try {
    rows = parse(text, { columns: true, info: true, bom: true, skip_empty_lines: true });
  } catch (cause) {
    const line = (cause as { lines?: number }).lines ?? 1;
    throw invalid(`line ${line}`, (cause as Error).message, cause);
  }
  const [first] = rows;
  if (first === undefined) throw invalid("line 1", "there is no change in it");
  for (const column of columns)
    if (first.record[column] === undefined) throw invalid("line 1", `the column ${column} is missing; there must be ${columns.join(", ")}`);
  let lastMs = -Infinity;
  return rows.map(({ record, info: { lines: line } }) => {
    const text = (column: (typeof columns)[number]): string => (record[column] ?? "").trim();
    const dayMs = /^\d{4}-\d{2}-\d{2}$/.test(text("date")) ? Date.parse(text("date")) : NaN;
    if (Number.isNaN(dayMs)) throw invalid(`line ${line}`, `${text("date")} is no day; write it as 2026-07-24`);
    if (dayMs < lastMs) throw invalid(`line ${line}`, `${text("date")} comes after a later day: changes must be in order`);
    lastMs = dayMs;
    const event = events.find((one) => one === text("event"));
    if (event === undefined) throw invalid(`line ${line}`, `${text("event")} is no event; there are ${events.join(", ")}`);
    const price = (column: "old_usd" | "new_usd"): string | null => {
      if (text(column) === "") return null;
      return decimalOf(text(column)) ?? invalidPrice(line, column, text(column));
    };
    const [before, after] = [price("old_usd"), price("new_usd")];
    const isOfModel = event === "added" || event === "removed";
    if (text("model_key") === "" || text("provider") === "") throw invalid(`line ${line}`, "a change without a provider or a model");
    if (isOfModel !== (text("field") === ""))
      throw invalid(`line ${line}`, `${event} ${isOfModel ? "names no field" : "must name a field"}`);
    if ((event === "changed" || event === "field_removed") && before === null) throw invalid(`line ${line}`, `${event} without old_usd`);
    if ((event === "changed" || event === "field_added") && after === null) throw invalid(`line ${line}`, `${event} without new_usd`);
    return { model: text("model_key"), change: { line, dayMs, event, provider: text("provider"), field: text("field"), before, after } };
  });
}

function invalidPrice(line: number, column: string, text: string): never {
  throw invalid(`line ${line}`, `${column} is no price: ${text}`);
}

/** A model that is taken out of the map and put back begins anew: nothing is said of what it cost in between, or of its other prices after. */
function livesOf(model: string, changes: readonly Change[], firstMs: number, skips: Skips): readonly Life[] {
  const lives: Life[] = [];
  let life: Life | null = null;
  for (const change of changes) {
    if (change.event === "added") {
      if (life !== null) throw invalid(`line ${change.line}`, `${model} is added, and is there already`);
      lives.push((life = { fromMs: change.dayMs, toMs: null, provider: change.provider, changes: [], input: change.after }));
      continue;
    }
    if (life === null) {
      if (lives.length > 0) throw invalid(`line ${change.line}`, `${model} was removed before, and changes`);
      lives.push((life = { fromMs: firstMs, toMs: null, provider: change.provider, changes: [], input: null }));
    }
    if (change.event === "removed") {
      const last = life.changes.findLast(({ field }) => field === inputField)?.after ?? life.input;
      if (life.input === null && life.changes.every(({ field }) => field !== inputField)) life.input = change.before;
      else if (last !== null && change.before !== null && Number(last) !== Number(change.before))
        skips.add(model, "the table leaves out when the price changed to the one it had when it was removed: the last one said is kept");
      life.toMs = change.dayMs;
      life = null;
      continue;
    }
    life.changes.push(change);
  }
  return lives;
}

/** The prices of one life, cut at each day on which one changed. */
function recordsOf(name: string, model: string, life: Life, skips: Skips): readonly PriceRecord[] {
  const fields = new Map<string, string | null>([[inputField, life.input]]);
  const known = new Set<string>(life.input === null ? [] : [inputField]);
  // The first change of a field tells what it was before: since the life began.
  for (const { field, before } of life.changes) {
    if (!known.has(field)) fields.set(field, before);
    known.add(field);
  }
  const cuts: { fromMs: number; provider: string; entry: Readonly<Record<string, string>> }[] = [];
  const cut = (fromMs: number, provider: string): void => {
    const entry = Object.fromEntries([...fields].flatMap(([field, text]) => (text === null ? [] : [[field, text]])));
    if (cuts.at(-1)?.fromMs === fromMs) cuts.pop();
    cuts.push({ fromMs, provider, entry });
  };
  cut(life.fromMs, life.changes[0]?.provider ?? life.provider);
  for (const { field, before, after, dayMs, provider } of life.changes) {
    const last = fields.get(field) ?? null;
    if (last !== null && before !== null && Number(last) !== Number(before))
      skips.add(`${model}: ${field}`, "the price before is not the one that was said last");
    fields.set(field, after);
    cut(dayMs, provider);
  }
  const spans: { tariffs: readonly LitellmTariff[]; fromMs: number; toMs: number | null }[] = [];
  for (const [index, { fromMs, provider, entry }] of cuts.entries()) {
    const toMs = cuts[index + 1]?.fromMs ?? life.toMs;
    if (toMs !== null && toMs <= fromMs) continue;
    const tariffs = toTariffs(model, { ...entry, litellm_provider: provider }, skips);
    const last = spans.at(-1);
    if (last !== undefined && JSON.stringify(last.tariffs) === JSON.stringify(tariffs)) last.toMs = toMs;
    else spans.push({ tariffs, fromMs, toMs });
  }
  return spans.flatMap(({ tariffs, fromMs, toMs }) => tariffs.map((tariff) => toRecord(name, tariff, fromMs, toMs)));
}
