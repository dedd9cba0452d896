// Gemini's cached contents: prompts that the provider keeps under a name for a time that is paid for. Only their size is kept here.
// Invariant: what has expired or was deleted is not found, and nothing reads from it.

import { Refused } from "./refused.ts";

export interface Cached {
  readonly name: string;
  /** `models/…` */
  readonly model: string;
  readonly displayName: string | null;
  readonly tokens: number;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly expiresMs: number;
}

const cachedMax = 10_000;

export class Caches {
  readonly #cached = new Map<string, Cached>();

  put(cached: Cached): void {
    this.#cached.set(cached.name, cached);
    for (const oldest of this.#cached.keys()) {
      if (this.#cached.size <= cachedMax) break;
      this.#cached.delete(oldest);
    }
  }

  /** @throws Refused as the provider does, which does not tell absent from forbidden. */
  read(name: string, nowMs: number): Cached {
    const cached = this.#cached.get(name);
    if (cached === undefined || cached.expiresMs <= nowMs)
      throw new Refused(`CachedContent not found (or permission denied): ${name.slice(0, 100)}`, null, 403);
    return cached;
  }

  list(nowMs: number): readonly Cached[] {
    return [...this.#cached.values()].filter((cached) => cached.expiresMs > nowMs);
  }

  remove(name: string): void {
    this.#cached.delete(name);
  }

  /** Tokens that a call to this model reads from the cache of this name. */
  tokens(name: string, model: string, nowMs: number): number {
    const cached = this.read(name, nowMs);
    if (cached.model !== toModelName(model))
      throw new Refused(
        `Model used by GenerateContent request (${toModelName(model)}) and CachedContent (${cached.model}) has to be the same.`,
      );
    return cached.tokens;
  }
}

/** As the API names it: with its collection. */
export function toModelName(model: string): string {
  return model.includes("/") ? model : `models/${model}`;
}
