// Work that outlasts its request, as the guard is asked about it: nobody can say what a batch will cost. Not here: following it (work.ts).

import type { Attribution } from "../core/call.ts";
import type { Asking } from "../guard/asking.ts";
import { createId } from "./id.ts";

/** Whether a request to a path of work begins some: what looks at it, stops it or ends it costs nothing more. */
export function beginsWork(method: string, path: string): boolean {
  return method === "POST" && !/[/:][a-z_-]*(cancel|pause|resume|stop)$/i.test(path);
}

export function toWorkAsking(atMs: number, attribution: Attribution, key: string | null, provider: string): Asking {
  const unbounded = "work that outlasts its request has no bound";
  return {
    call: createId(atMs),
    request: createId(atMs),
    attempt: 1,
    atMs,
    attribution,
    key,
    provider,
    model: null,
    cap: null,
    choices: 1,
    thinking: 0,
    canCap: false,
    canRename: false,
    canCount: false,
    canCut: false,
    inputGuess: 0,
    fingerprint: null,
    toolRounds: [],
    isHeld: false,
    isMetered: false,
    bound: () => ({ inputTokens: 0, outputTokens: null, cost: null, unbounded }),
    capFor: () => 0,
  };
}
