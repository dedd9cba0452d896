// Which agents somebody must be told of because they are not worth it. Pure: time comes in. Not here: what an agent is worth (api/watched.ts), budgets
// (judge.ts). Invariants: told once for a type and agent, and again only after it was seen to be otherwise for a day; memory is bounded, and what was
// told comes through a restart.

import { dayMs } from "../core/time.ts";
import type { Draft, Worth, WorthStanding } from "./alert.ts";

/** It must be worth it, or too little known to say, for so long, ms: then its being no more is news. */
const betterMs = dayMs;
/** Remembered agents; the oldest are forgotten first, and may be told again. */
const toldMax = 10_000;

/** What was told of an agent at tasks of a type. Times in ms UTC. */
export interface ToldWorth {
  readonly key: string;
  /** Since when it was seen to be otherwise, each time; null: it still is so. */
  readonly betterMs: number | null;
}

export class WorthJudge {
  readonly #told: Map<string, ToldWorth>;
  #losing: readonly Worth[] = [];

  constructor(told: readonly ToldWorth[]) {
    this.#told = new Map(told.map((one) => [one.key, one]));
  }

  get told(): readonly ToldWorth[] {
    return [...this.#told.values()];
  }

  /** Those that were not worth it at the last look. */
  get losing(): readonly Worth[] {
    return this.#losing;
  }

  /**
   * @param standings all that are not worth it now: of who is not among them it is not so, or too little is known.
   * @returns what somebody must be told of, and whether anything changed that a restart must know.
   */
  look(standings: Iterable<WorthStanding>, nowMs: number): { readonly drafts: readonly Draft[]; readonly isChanged: boolean } {
    const drafts: Draft[] = [];
    const losing = new Set<string>();
    let isChanged = false;
    const found = [...standings];
    this.#losing = found.map(({ worth }) => worth);
    for (const { owner, worth } of found) {
      const { type, agent } = worth;
      const key = JSON.stringify([type, agent]);
      losing.add(key);
      const told = this.#told.get(key);
      if (told?.betterMs === null) continue;
      this.#told.set(key, { key, betterMs: null });
      isChanged = true;
      if (told !== undefined) continue;
      const about = { budget: null, values: [], owner, subject: agent === null ? type : `${agent} at ${type}` };
      drafts.push({ kind: "worth", severity: "warning", atMs: nowMs, ...about, worth });
    }
    for (const [key, told] of this.#told) {
      if (losing.has(key)) continue;
      if (told.betterMs === null) this.#told.set(key, { key, betterMs: nowMs });
      else if (nowMs - told.betterMs >= betterMs) this.#told.delete(key);
      else continue;
      isChanged = true;
    }
    for (const key of this.#told.keys()) {
      if (this.#told.size <= toldMax) break;
      this.#told.delete(key);
    }
    return { drafts, isChanged };
  }
}
