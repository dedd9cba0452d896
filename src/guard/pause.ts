// A wait that ends early when nobody wants its end any more. Not here: who waits, and how long (guard.ts, queue.ts).

import { PennyworthError } from "../error.ts";

/** @throws PennyworthError `draining` as soon as `signal` is aborted. */
export function pause(ms: number, signal: AbortSignal, setTimer: (act: () => void, afterMs: number) => () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new PennyworthError("draining"));
    const undo = setTimer(() => {
      signal.removeEventListener("abort", gone);
      resolve();
    }, ms);
    const gone = (): void => {
      undo();
      reject(new PennyworthError("draining"));
    };
    signal.addEventListener("abort", gone, { once: true });
  });
}
