// What a list would change before it takes effect, and what is odd about it. Not here: how two books differ (diff.ts), what is odd (sanity.ts),
// taking it (desk.ts). Invariant: it takes as long as there are prices that can differ, and calls pass meanwhile.

import type { TakenList } from "../core/entry.ts";
import { compileMatch } from "../core/match.ts";
import type { PriceRecord } from "../core/price.ts";
import { type DiffedModel, diffing } from "./diff.ts";
import { type History, layersOf } from "./history.ts";
import type { PriceList } from "./list.ts";
import { inSlices, type Work } from "./pace.ts";
import { checking } from "./sanity.ts";
import type { ListPreview } from "./view.ts";

/** `taken`: as it would be taken. What is in force when it is called is what the list is compared with. */
export async function previewOf(list: PriceList, taken: TakenList, history: History, nowMs: number): Promise<Omit<ListPreview, "skipped">> {
  const before = history.at(null);
  const layers = layersOf(history.lists);
  const after = history.with({ taken, list });
  const standing = layers.filter(({ source }) => source === list.source);
  const changed = await inSlices(changedOf(list, standing));
  const { pricesOf, fallbacks } = history.sources(null);
  const reach = (provider: string): ReadonlySet<string> =>
    new Set([provider, ...(pricesOf[provider] ?? [provider]).flatMap((name) => [name, ...(fallbacks[name] ?? [])])]);
  const models = await inSlices(modelsOf(changed, layers, reach));
  const changes = await inSlices(diffing(before, after, models, sinceOf(changed.records, nowMs)));
  // What was odd before, and was let be, is not told again.
  const anew = await inSlices(saidAnew(list, standing));
  const warnings = (await inSlices(checking(list, before))).filter((one) => anew.has(keyOf(one)));
  return { list, changes, warnings };
}

/** Models of which the list says something that its source did not say in these words. */
function* saidAnew(list: Said, before: readonly Said[]): Work<ReadonlySet<string>> {
  const said = new Set<string>();
  for (const record of before.flatMap((one) => one.records)) {
    yield;
    said.add(wordsOf(record));
  }
  const models = new Set<string>();
  for (const record of list.records) {
    yield;
    if (!said.has(wordsOf(record))) models.add(keyOf(record));
  }
  return models;
}

/** All but its name, which has the list's version in it. */
function wordsOf(record: PriceRecord): string {
  return JSON.stringify({ ...record, id: "" });
}

function keyOf({ provider, model }: { readonly provider: string; readonly model: string }): string {
  return JSON.stringify([provider, model]);
}

type Said = Pick<PriceList, "records" | "discounts" | "choices">;

/** What is in the list and in none of those of its source that stand, or the other way round; all of both where a rule may reach other names. */
function* changedOf(list: Said, before: readonly Said[]): Work<Said> {
  const records = yield* differing(
    list.records,
    before.flatMap((one) => one.records),
  );
  const discounts = yield* differing(
    list.discounts,
    before.flatMap((one) => one.discounts),
  );
  const choices = yield* differing(
    list.choices,
    before.flatMap((one) => one.choices),
  );
  const isWhole = records.every(({ match }) => "equals" in match);
  return { records: isWhole ? records : [...before.flatMap((one) => one.records), ...list.records], discounts, choices };
}

function* differing<Item>(some: readonly Item[], others: readonly Item[]): Work<readonly Item[]> {
  const [left, right] = [yield* textsOf(some), yield* textsOf(others)];
  const changed: Item[] = [];
  for (const [text, item] of left) if (!right.has(text)) changed.push(item);
  for (const [text, item] of right) if (!left.has(text)) changed.push(item);
  return changed;
}

function* textsOf<Item>(items: readonly Item[]): Work<ReadonlyMap<string, Item>> {
  const texts = new Map<string, Item>();
  for (const item of items) {
    yield;
    texts.set(JSON.stringify(item), item);
  }
  return texts;
}

/** From now on; of a price for a time that is over, from its beginning. */
function sinceOf(records: readonly PriceRecord[], nowMs: number): number {
  const past = records.filter(({ validToMs }) => validToMs !== null && validToMs <= nowMs).map(({ validFromMs }) => validFromMs ?? 0);
  return Math.min(nowMs, ...past);
}

/** @param reach whose lists apply to a provider's calls: a discount, a choice or a wildcard bears on models that these name. */
function* modelsOf(
  { records, discounts, choices }: Said,
  layers: readonly Said[],
  reach: (provider: string) => ReadonlySet<string>,
): Work<readonly DiffedModel[]> {
  const seen = new Map<string, DiffedModel>();
  const add = ({ provider, model, tier, region }: DiffedModel): void =>
    void seen.set(JSON.stringify([provider, model, tier, region]), { provider, model, tier, region });
  const wild = records.filter(({ match }) => !("equals" in match));
  for (const record of records) {
    yield;
    if ("equals" in record.match) add(record);
  }
  const wide = [
    ...wild.map(({ provider, match, tier, region }) => ({ provider, match: compileMatch(match), place: { tier, region } })),
    ...[...discounts, ...choices].map(({ provider, match }) => ({
      provider,
      match: match === null ? () => "" : compileMatch(match),
      place: null,
    })),
  ].map((one) => ({ ...one, lists: reach(one.provider) }));
  for (const record of wide.length === 0 ? [] : layers.flatMap((one) => one.records)) {
    yield;
    if (record.model.includes("*")) continue;
    for (const { provider, match, place, lists } of wide)
      if (lists.has(record.provider) && match(record.model.toLowerCase()) !== null) add({ ...record, provider, ...place });
  }
  // What no list names yet is told by its own name.
  for (const record of wild) if (![...seen.values()].some(({ provider }) => provider === record.provider)) add(record);
  return [...seen.values()];
}
