import { expect, it } from "vitest";
import { compareText, compareWhole } from "./order.ts";

it("sorts text by code units, as no locale would", () => {
  expect(["ä", "b-1", "a", "B", "b1", "Z", ""].toSorted(compareText)).toEqual(["", "B", "Z", "a", "b-1", "b1", "ä"]);
  expect(compareText("gpt-5", "gpt-5")).toBe(0);
});

it("sorts whole numbers beyond what a float holds", () => {
  const large = 2n ** 70n;
  expect([large + 1n, -large, large, 0n].toSorted(compareWhole)).toEqual([-large, 0n, large, large + 1n]);
  expect(compareWhole(large, large)).toBe(0);
});
