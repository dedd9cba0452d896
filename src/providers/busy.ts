// How long an engine says it worked on an answer: for prices of its time. Not here: the gateway's own clock. Invariant: what was waited for
// or loaded is not in it, and what is no length of time is absent.

import { type Fields, isFields } from "./tally.ts";

/** Longest that is believed, ms: ten days. */
const busyMsMax = 864_000_000;

/** Ollama's `total_duration` without its `load_duration`, in which loading the model and waiting for it are (nanoseconds; server/routes.go). */
export function durationBusyMs(answer: Fields): { readonly busyMs?: number } {
  const { total_duration: total, load_duration: load = 0 } = answer;
  return typeof total === "number" && typeof load === "number" ? toBusy((total - load) / 1e6) : {};
}

/** llama.cpp's `timings`: reading the prompt and writing the answer (milliseconds; tools/server). */
export function timingsBusyMs(answer: Fields): { readonly busyMs?: number } {
  const { timings } = answer;
  if (!isFields(timings)) return {};
  const { prompt_ms: prompt, predicted_ms: predicted } = timings;
  return typeof prompt === "number" && typeof predicted === "number" ? toBusy(prompt + predicted) : {};
}

function toBusy(ms: number): { readonly busyMs?: number } {
  return ms >= 0 && ms <= busyMsMax ? { busyMs: Math.round(ms) } : {};
}
