// A price list: what one source says prices are, whole, as it is kept in DATA/prices/ under its hash. Not here: other people's formats
// (one file each beside this one), and which list is in force. Invariant: a list is never changed; a newer statement of its source is another list.

import type { Discount, PriceChoice, PriceRecord } from "../core/price.ts";

export interface PriceList {
  /** `genai-prices`, `litellm`, `models.dev`, `settings`, `own`, or a name the user gave. */
  readonly source: string;
  /** As the source names it; else the first 12 hex digits of its content's SHA-256. */
  readonly version: string;
  /** Where it was read, in words: address, licence, day. */
  readonly origin: string;
  /** Day on which its source published it, UTC, ISO; null when that is not known. */
  readonly published: string | null;
  readonly records: readonly PriceRecord[];
  readonly discounts: readonly Discount[];
  readonly choices: readonly PriceChoice[];
}
