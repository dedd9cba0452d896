// Taking back what one has set: one's own list without the prices, discounts and choices of one place. Not here: keeping it (desk.ts). Invariant:
// what is taken back was said in these words: a name with wildcards takes back what was set under that name, and never what it would match.

import { nearest } from "../near.ts";
import { type MatchRule, nameOfRule, wildcardRule } from "../core/match.ts";
import { priceTier } from "../core/price.ts";
import { PennyworthError } from "../error.ts";
import type { PriceList } from "./list.ts";
import type { OwnPlace, Undone } from "./view.ts";

/**
 * The list without what it says of a place, and how much that was. `settings`: the prices of the settings, which are changed there.
 * @throws PennyworthError `own_unknown` when it says nothing of the place, with the names that may have been meant.
 */
export function without(
  list: PriceList | null,
  place: OwnPlace,
  settings: PriceList | null,
): { readonly list: PriceList; readonly undone: Undone } {
  const { tier, region, fromMs } = place;
  const wanted = keyOf(place.provider, wildcardRule(place.model));
  const isStart = (validFromMs: number | null): boolean => fromMs === null || validFromMs === fromMs;
  const isTier = (one: string): boolean => tier === null || one === priceTier(tier);
  const before = list ?? nothing;
  const left = {
    records: before.records.filter(
      (one) =>
        keyOf(one.provider, one.match) !== wanted ||
        !isTier(one.tier) ||
        !(region === null || one.region?.toLowerCase() === region.toLowerCase()) ||
        !isStart(one.validFromMs),
    ),
    discounts: before.discounts.filter(
      (one) =>
        keyOf(one.provider, one.match ?? wildcardRule("*")) !== wanted ||
        region !== null ||
        !(tier === null || (one.tiers?.length === 1 && one.tiers.every(isTier))) ||
        !isStart(one.validFromMs),
    ),
    // A choice has no tier, no region and no start.
    choices: before.choices.filter(
      (one) => keyOf(one.provider, one.match) !== wanted || tier !== null || region !== null || fromMs !== null,
    ),
  };
  const undone = {
    prices: before.records.length - left.records.length,
    discounts: before.discounts.length - left.discounts.length,
    choices: before.choices.length - left.choices.length,
  };
  if (list === null || undone.prices + undone.discounts + undone.choices === 0) throw unknown(place, wanted, before, settings);
  return { list: { ...list, ...left }, undone };
}

const nothing: Pick<PriceList, "records" | "discounts" | "choices"> = { records: [], discounts: [], choices: [] };

function unknown(place: OwnPlace, wanted: string, own: typeof nothing, settings: PriceList | null): PennyworthError {
  const name = `${place.provider}/${place.model}`;
  const names = namesOf(own);
  const narrowed = [
    ...(place.tier === null ? [] : [`tier ${place.tier}`]),
    ...(place.region === null ? [] : [`region ${place.region}`]),
    ...(place.fromMs === null ? [] : [`from ${new Date(place.fromMs).toISOString().slice(0, 10)}`]),
  ];
  const inSettings = settings !== null && keysOf(settings).has(wanted);
  const near = nearest(name, names.keys());
  const why = keysOf(own).has(wanted)
    ? " There is something of it in another tier or region, or from another day: leave out --tier, --region or --from."
    : inSettings
      ? " Its price stands in the settings (prices:), and is changed there."
      : near.length > 0
        ? ` Near it: ${near.join(", ")}.`
        : names.size === 0
          ? " Nothing is set."
          : ` Set are ${[...names.keys()].slice(0, 5).join(", ")}${names.size > 5 ? ` and ${names.size - 5} more` : ""}.`;
  return new PennyworthError("own_unknown", { name: [name, ...narrowed].join(", "), near: why });
}

/** What the list speaks of, as it was written. */
function namesOf({ records, discounts, choices }: typeof nothing): ReadonlySet<string> {
  return new Set([
    ...records.map(({ provider, model }) => `${provider}/${model}`),
    ...discounts.map(({ provider, match }) => `${provider}/${match === null ? "*" : (nameOfRule(match) ?? "*")}`),
    ...choices.map(({ provider, match }) => `${provider}/${nameOfRule(match) ?? "*"}`),
  ]);
}

function keysOf({ records, discounts, choices }: typeof nothing): ReadonlySet<string> {
  const all = [...records, ...choices, ...discounts];
  return new Set(all.map(({ provider, match }) => keyOf(provider, match ?? wildcardRule("*"))));
}

function keyOf(provider: string, match: MatchRule): string {
  return JSON.stringify([provider.toLowerCase(), match]);
}
