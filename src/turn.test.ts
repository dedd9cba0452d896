import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { turns } from "./turn.ts";

it("begins nothing before what came earlier has ended, also when that failed", async () => {
  const inTurn = turns();
  const seen: string[] = [];
  const step = (name: string, ms: number, fails = false) =>
    inTurn(async () => {
      seen.push(`${name} begins`);
      await setTimeout(ms);
      seen.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const all = await Promise.allSettled([step("a", 20), step("b", 5, true), step("c", 0)]);
  expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(seen).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
});
