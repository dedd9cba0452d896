// What counts as progress, and what does not.

import { expect, it } from "vitest";
import { Progress, resultsMax } from "./progress.ts";

const rounds = (...results: string[]): { call: string; result: string }[] => results.map((result, at) => ({ call: `${at}`, result }));

it("adds up what was spent until a result comes that was never there", () => {
  const progress = new Progress(5);
  progress.spend(3n);
  progress.look(rounds("a"), 10);
  expect([progress.idle, progress.atMs]).toEqual([0n, 10]);
  progress.spend(4n);
  // The same history again, and an old result of another call: nothing new.
  progress.look(rounds("a", "a"), 20);
  progress.spend(5n);
  expect([progress.idle, progress.atMs]).toEqual([9n, 10]);
  // A new result before an old one.
  progress.look(rounds("a", "b", "a"), 30);
  expect([progress.idle, progress.atMs]).toEqual([0n, 30]);
});

it("takes a mark as progress", () => {
  const progress = new Progress(0);
  progress.spend(7n);
  progress.mark(9);
  expect([progress.idle, progress.atMs]).toEqual([0n, 9]);
});

it("joins two parts: their money, their results, the later progress", () => {
  const a = new Progress(1);
  const b = new Progress(2);
  a.look(rounds("a"), 3);
  b.look(rounds("b"), 4);
  a.spend(10n);
  b.spend(5n);
  a.join(b);
  expect([a.idle, a.atMs]).toEqual([15n, 4]);
  a.look(rounds("a", "b"), 6);
  expect(a.idle).toBe(15n);
});

it("remembers so many results", () => {
  const progress = new Progress(0);
  for (let at = 0; at <= resultsMax; at++) progress.look(rounds(`${at}`), at);
  expect(progress.size).toBe(resultsMax);
  progress.spend(1n);
  progress.look(rounds("1"), 0);
  expect(progress.idle).toBe(1n);
  progress.look(rounds("0"), 0);
  expect(progress.idle).toBe(0n);
});
