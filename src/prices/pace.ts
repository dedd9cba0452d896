// Long work on the loop that calls pass through: done in slices, and others have their turn between. Not here: the work, which says by `yield`
// where it can be left. Invariant: however much there is of it, nobody waits longer than for a slice and one step.

import { setImmediate } from "node:timers/promises";

/** One slice: less than anybody notices in the time of a call. */
const sliceMs = 5;

/** Work that can be left at each `yield`, and gives its result at the end. */
export type Work<Result> = Generator<void, Result, void>;

/** @returns the result, once others have had their turns. */
export async function inSlices<Result>(work: Work<Result>): Promise<Result> {
  let fromMs = performance.now();
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (performance.now() - fromMs < sliceMs) continue;
    await setImmediate();
    fromMs = performance.now();
  }
}

/** For tests and commands, where nobody waits. */
export function atOnce<Result>(work: Work<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Sorted as by `compare`, stable: a merge that can be left between any hundred of its steps. */
export function* sorting<Item>(items: readonly Item[], compare: (a: Item, b: Item) => number): Work<readonly Item[]> {
  const run = 128;
  let runs: Item[][] = [];
  for (let at = 0; at < items.length; at += run) {
    runs.push(items.slice(at, at + run).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: Item[][] = [];
    for (let at = 0; at < runs.length; at += 2) merged.push(yield* merging(runs[at] as Item[], runs[at + 1] ?? [], compare));
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merging<Item>(a: readonly Item[], b: readonly Item[], compare: (a: Item, b: Item) => number): Work<Item[]> {
  const all: Item[] = [];
  let [left, right] = [0, 0];
  while (left < a.length || right < b.length) {
    const isLeft = right >= b.length || (left < a.length && compare(a[left] as Item, b[right] as Item) <= 0);
    all.push((isLeft ? a[left++] : b[right++]) as Item);
    if (all.length % 128 === 0) yield;
  }
  return all;
}
