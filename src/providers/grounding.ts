// What Google's own tools cost beside tokens, as far as an answer tells. Reading a URL and running code cost their tokens and nothing else.
// Not here: prices, and the allowance of free searches, which is the account's. Invariant: a repeated event counts once.

import type { Quantities } from "../core/usage.ts";
import { type Doubts, type Fields, isFields } from "./tally.ts";

/** Different queries that are told apart in one answer. */
const queriesMax = 1_024;
/** Models up to Gemini 2.5, Live ones too. */
const older = /^gemini-(?:live-)?[12]\b/;

export class Grounding {
  readonly #queries = new Set<string>();
  #onWeb = false;
  #onMaps = false;
  #retrieved = false;

  get isEmpty(): boolean {
    return this.#queries.size === 0 && !this.#onWeb && !this.#onMaps && !this.#retrieved;
  }

  learn(metadata: Fields): void {
    this.#add("web", metadata["webSearchQueries"]);
    this.#add("image", metadata["imageSearchQueries"]);
    if (stringsIn(metadata["retrievalQueries"]).length > 0) this.#retrieved = true;
    for (const chunk of Array.isArray(metadata["groundingChunks"]) ? (metadata["groundingChunks"] as unknown[]) : []) {
      if (!isFields(chunk)) continue;
      if (isFields(chunk["web"]) || isFields(chunk["image"])) this.#onWeb = true;
      if (isFields(chunk["maps"])) this.#onMaps = true;
    }
  }

  /**
   * Searches as Google bills them: from Gemini 3 on each different query that is not empty, before it once per grounded request
   * (ai.google.dev, grounding with Google Search; BerriAI/litellm pull request 36397). A model without a name is of the older ones:
   * the newer ones name themselves.
   */
  uses(model: string | null, doubts: Doubts): Quantities {
    if (this.#onMaps) doubts.say("grounding with Google Maps is billed apart, and not counted here");
    if (this.#retrieved) doubts.say("retrieval by Vertex AI Search is billed apart, and not counted here");
    if (this.#queries.size === 0 && !this.#onWeb) return {};
    if (model === null || older.test(model.replace(/^models\//, ""))) return { web_search: 1 };
    if (this.#queries.size === 0) doubts.say("the answer is grounded on the web, but names no query: counted as one search");
    return { web_search: Math.max(1, this.#queries.size) };
  }

  #add(kind: string, list: unknown): void {
    for (const query of stringsIn(list)) if (this.#queries.size < queriesMax) this.#queries.add(`${kind} ${query}`);
  }
}

function stringsIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? (list as unknown[]).filter((text): text is string => typeof text === "string" && text.trim() !== "") : [];
}
