// Lengths of time, and moments, as they are said.

import { expect, it } from "vitest";
import { dayClock, duration } from "./time.ts";

it.each([
  // Two clocks that disagree.
  [-53_880, "—"],
  [-0.4, "0 ms"],
  [0, "0 ms"],
  [999, "999 ms"],
  [999.6, "1 s"],
  [1_449, "1.4 s"],
  [59_940, "59.9 s"],
  [59_960, "1 min"],
  [65_000, "1 min 5 s"],
  [3_599_700, "1 h"],
  [35_990_000, "10 h"],
  [35_940_000, "9 h 59 min"],
  [86_390_000, "1 d"],
  [100_000_000, "1 d 4 h"],
])("%d ms is said as %s", (ms, text) => expect(duration(ms)).toBe(text));

it("a moment of another day has no seconds, and one of today no day", () => {
  const night = new Date(2026, 10, 22, 0, 0, 5).getTime();
  expect(dayClock(night - 1_000, night)).toMatch(/^(00?|12):00:04/);
  expect(dayClock(night - 10_000, night)).toMatch(/Nov.*21|21.*Nov/);
  expect(dayClock(night - 10_000, night)).not.toContain(":55");
});
