// How numbers are said.

import { expect, it } from "vitest";
import { plural, wordFor } from "./words.ts";

it.each([
  [0, "0 calls"],
  [1, "1 call"],
  [2, "2 calls"],
  [12_345, "12,345 calls"],
])("%d is said as %s", (number, text) => expect(plural(number, "call")).toBe(text));

it("takes a plural of its own", () => {
  expect(plural(2, "entry", "entries")).toBe("2 entries");
  expect(wordFor(1, "entry", "entries")).toBe("entry");
});
