// What every price must be, whatever file it came in: of a name that can be shown, and no dearer than a row of the ledger can hold. Not here: what is
// merely odd (sanity.ts). Invariant: what does not fit is refused, with the place in its file, and never rated.

import { parseRate, picoPerUsd } from "../core/money.ts";
import { rowCostMax } from "../core/charge.ts";
import type { PriceRecord } from "../core/price.ts";
import type { UsageClass } from "../core/usage.ts";
import type { PriceList } from "./list.ts";
import { invalid, placeOf } from "./reader.ts";

export const namePlain = "a name has no control characters";

/** Line breaks and marks that turn the direction of text, too: in a report or a terminal they make a name look like another. */
const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

export function isPlain(text: string): boolean {
  return !control.test(text);
}

/** Why a price of so many dollars for `per` units cannot be used; null: it can. */
export function dearOf(usd: string, per: number): string | null {
  const rate = parseRate(usd, BigInt(per));
  if (rate.pico <= rowCostMax * rate.per) return null;
  return `one of it would cost $${(rate.pico / rate.per / picoPerUsd).toString()}, more than a call may cost ($999,999.99): is it of another unit?`;
}

/** @throws PennyworthError `prices_invalid` when a price of the list cannot be used. `text`: the file. */
export function requireFit(list: PriceList, text: string): void {
  for (const record of list.records) {
    const reason = faultOf(record);
    if (reason === null) continue;
    const names = [record.model, record.provider].map((name) => JSON.stringify(name));
    const at = [...names, ...names.map((name) => name.slice(1, -1))].map((name) => text.indexOf(name)).find((offset) => offset >= 0);
    throw invalid(placeOf(text, at ?? 0), `${escaped(`${record.provider}/${record.model}`)}: ${reason}`);
  }
}

function faultOf({ provider, model, region, tier, prices, minimumUsd }: PriceRecord): string | null {
  if (![provider, model, region ?? "", tier].every(isPlain)) return namePlain;
  for (const name of Object.keys(prices) as UsageClass[]) {
    const price = prices[name];
    for (const { usd } of price?.steps ?? []) {
      const reason = dearOf(usd, price?.per ?? 1);
      if (reason !== null) return `${name}: ${reason}`;
    }
  }
  return minimumUsd === undefined ? null : dearOf(minimumUsd, 1);
}

function escaped(text: string): string {
  return text.replace(new RegExp(control, "gu"), (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
}
