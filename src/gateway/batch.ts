// Work that outlasts its request, as the guard is asked about it: nobody can say what a batch will cost. Not here: following it (work.ts).

import type { Attribution } from "../core/call.ts";
import type { Caller } from "../guard/asking.ts";
import { createId } from "./id.ts";

/** Whether a request to a path of work begins some: what looks at it, stops it or ends it costs nothing more. */
export function beginsWork(method: string, path: string): boolean {
  return method === "POST" && !/[/:][a-z_-]*(cancel|pause|resume|stop)$/i.test(path);
}

/** Who asks for it: the guard lets it in or not, and nobody can say what it will cost. */
export function toWorkCaller(atMs: number, attribution: Attribution, key: string | null, provider: string): Caller {
  return { call: createId(atMs), request: createId(atMs), attribution, key, provider, model: null };
}
