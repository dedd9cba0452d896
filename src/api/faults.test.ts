// What a schema finds wrong, in words.

import { expect, it } from "vitest";
import { z } from "zod";
import { faultsOf } from "./faults.ts";

const schema = z.strictObject({ task: z.string(), count: z.number().min(1, "below one") });

it.each([
  [{ count: 1 }, ["task is missing"]],
  [{ task: 1, count: 0 }, ["task: expected string, not number", "count: below one"]],
  [{ task: "t", count: 1, taks: 2 }, ['unknown "taks"']],
  ["text", ["expected object, not string"]],
])("%j", (said, words) => {
  const { error } = schema.safeParse(said);
  expect(error === undefined ? [] : faultsOf(error, 5)).toEqual(words);
});
