// The prompt cache that `x-sandbox-cache: on` asks for: it remembers the prefixes it has seen, by chained hashes, and no text.
// Invariant: only what was written is read later; the last turn is neither, as the newest question is not with real providers.

import { createHash } from "node:crypto";
import type { Turn } from "./ask.ts";

/** Shares of the prompt's bytes, 0 to 1, `known` at most `prefix`. */
export interface CacheShare {
  /** The longest prefix that was seen before. */
  readonly known: number;
  /** Everything before the last turn. */
  readonly prefix: number;
}

const prefixesMax = 100_000;

export class PrefixCache {
  readonly #seen = new Set<string>();

  /** What of these turns is known; remembers the prefixes before the last turn for the next time. */
  look(model: string, turns: readonly Turn[]): CacheShare {
    let chain = model;
    let bytes = 0;
    let known = 0;
    let prefix = 0;
    for (const [index, turn] of turns.entries()) {
      chain = createHash("sha256").update(chain).update("\0").update(turn.text).digest("base64");
      bytes += Buffer.byteLength(turn.text);
      if (index === turns.length - 1) break;
      prefix = bytes;
      if (this.#seen.has(chain)) known = bytes;
      this.#remember(chain);
    }
    return bytes === 0 ? { known: 0, prefix: 0 } : { known: known / bytes, prefix: prefix / bytes };
  }

  #remember(chain: string): void {
    // Re-adding moves it to the end: the oldest are forgotten first.
    this.#seen.delete(chain);
    this.#seen.add(chain);
    if (this.#seen.size <= prefixesMax) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      break;
    }
  }
}
