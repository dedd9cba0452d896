// Where a time line is marked: at round lengths of time from its beginning. Pure. Invariant: never more marks than there is room for.

import { dayMs, hourMs, minuteMs } from "./time.ts";

const secondMs = 1_000;
const steps = [
  ...[1, 10, 100].flatMap((ms) => [ms, 2 * ms, 5 * ms]),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * secondMs),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minuteMs),
  ...[1, 2, 3, 6, 12].map((count) => count * hourMs),
  ...[1, 2, 7, 14, 30, 90, 180, 365].map((count) => count * dayMs),
];

/** The marks of a line of `lengthMs`, ms, at most `most` of them beside the beginning, and the step between two. */
export function toTicks(lengthMs: number, most: number): { readonly stepMs: number; readonly atMs: readonly number[] } {
  const stepMs = steps.find((step) => lengthMs / step <= most + 1) ?? Math.ceil(lengthMs / (most + 1));
  const atMs: number[] = [];
  for (let ms = 0; ms < lengthMs; ms += stepMs) atMs.push(ms);
  return { stepMs, atMs };
}
