// How the page "Why it moved" writes points and margins, without a browser. Not here: the page itself (test/whyweb.test.ts).

import { expect, it } from "vitest";
import { percentText, pointsText } from "./moves.ts";

it("points and margins below zero have the minus that amounts have", () => {
  expect(["-1.06", "-10.9700", "2.5", "0", "-0.0001"].map(pointsText)).toEqual(["−1.06", "−10.97", "+2.50", "0.00", "0.00"]);
  expect(["-12.5", "83.25", "0"].map(percentText)).toEqual(["−12.5%", "83.3%", "0.0%"]);
});
