// Files of prices, told from their content. (Being written.)

import { PennyworthError } from "../error.ts";
import type { PriceList } from "./list.ts";
import type { ListOptions, ListPreview } from "./view.ts";

export function parseList(
  _text: string,
  _options: ListOptions,
  _nowMs: number,
): { readonly list: PriceList; readonly skipped: ListPreview["skipped"] } {
  throw new PennyworthError("prices_invalid", { detail: "no format is known yet" });
}
