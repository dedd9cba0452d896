// What is odd about a list. (Being written.)

import type { Book } from "../core/book.ts";
import type { PriceList } from "./list.ts";
import type { ListWarning } from "./view.ts";

export function checkList(_list: PriceList, _book?: Book): readonly ListWarning[] {
  return [];
}
