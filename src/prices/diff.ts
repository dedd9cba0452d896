// What differs between two books. (Being written.)

import type { Book } from "../core/book.ts";
import type { PriceChange } from "./view.ts";

export function diffBooks(
  _before: Book,
  _after: Book,
  _models: Iterable<{ readonly provider: string; readonly model: string; readonly tier: string; readonly region: string | null }>,
  _atMs: number,
): readonly PriceChange[] {
  return [];
}
