// The marks of a time line.

import { expect, it } from "vitest";
import { toTicks } from "./ticks.ts";

it.each([
  [1, 3, [0]],
  [756_000, 3, [0, 300_000, 600_000]],
  [18_600_000, 3, [0, 7_200_000, 14_400_000]],
  [8_400, 3, [0, 5_000]],
  [900, 1, [0, 500]],
  [40 * 86_400_000, 3, [0, 14, 28].map((days) => days * 86_400_000)],
])("of %d ms with room for %d are round", (lengthMs, most, atMs) => expect(toTicks(lengthMs, most).atMs).toEqual(atMs));

it("are never more than there is room for", () => {
  for (let lengthMs = 1; lengthMs < 1e12; lengthMs = Math.ceil(lengthMs * 1.7))
    for (const most of [1, 2, 3, 5]) {
      const { atMs } = toTicks(lengthMs, most);
      expect([lengthMs, atMs.length <= most + 1, atMs.every((ms) => ms < lengthMs)]).toEqual([lengthMs, true, true]);
    }
});
