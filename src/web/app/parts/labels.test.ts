// Where a chart says things directly: values on bars, names beside lines.

import { expect, it } from "vitest";
import { pickLabels, placeNames } from "./labels.ts";

it("puts a value on every bar where there is room, else on the highest and the last", () => {
  const totals = ["1", "9", "0", "2"];
  const heights = [1, 9, 0, 2];
  expect([...pickLabels(totals, heights, 400)]).toEqual([0, 1, 3]);
  expect([...pickLabels(totals, heights, 120)]).toEqual([1, 3]);
  expect([...pickLabels(totals, heights, 40)]).toEqual([1]);
  expect([...pickLabels([], [], 400)]).toEqual([]);
  // The last has a higher neighbour within its label's reach.
  expect([...pickLabels(["9", "1", "1", "5", "4"], [9, 1, 1, 5, 4], 100)]).toEqual([0]);
  expect([...pickLabels(["9", "1", "1", "3", "4"], [9, 1, 1, 3, 4], 100)]).toEqual([0, 4]);
});

it("keeps names of lines apart and inside, in the order of their ends", () => {
  const lines = [[1, 5], [2, 5, null], [3, 4.9], [null], [9, 100]].map((heights) => ({ heights }));
  const placed = placeNames(lines, (value) => 200 - 2 * value, 200);
  expect(placed.map(({ index }) => index)).toEqual([4, 0, 1, 2]);
  const tops = placed.map(({ top }) => top);
  expect(tops.every((top, at) => top >= 0 && top <= 168 && (at === 0 || top - (tops[at - 1] as number) >= 16))).toBe(true);
});
