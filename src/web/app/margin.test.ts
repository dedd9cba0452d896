// What the page of margins asks of its address and says below a figure, without a browser. Not here: the page itself (test/marginweb.test.ts).

import { expect, it } from "vitest";
import { noteText, toOptions, toQuestion } from "./margin.ts";

const nowMs = Date.UTC(2026, 10, 21, 12);

it("asks nothing that would be refused as left out: what is reserved and the capacity of another rule, growth of plans", () => {
  const address = { cac: "120", churn: "0.02", reserved: ["Acme=1"], capacity: "100" };
  expect(toQuestion({ ...address, shared: "reserved" }, nowMs)).toMatchObject({
    cac: "120",
    churn: "0.02",
    reserved: ["Acme=1"],
    capacity: "100",
  });
  expect(toQuestion({ ...address, shared: "idle apart" }, nowMs)).toMatchObject({ reserved: [], capacity: "100" });
  const other = toQuestion({ ...address, shared: "even", by: "plan" }, nowMs);
  expect(other).toMatchObject({ by: "plan", shared: "even", reserved: [] });
  expect(Object.keys(other)).not.toContain("cac");
  expect(toOptions(other).filter(([, said]) => said !== undefined)).toEqual([
    ["by", "plan"],
    ["shared", "even"],
  ]);
});

it("a figure that is not known has its reason first, and each sentence begins as one", () => {
  expect(noteText(false, "no_revenue_before", "growth of revenue in percent, plus …")).toBe(
    "There was no revenue before. Growth of revenue in percent, plus …",
  );
  expect(noteText(false, null, "")).toBe("A number for it is missing");
  expect(noteText(true, null, "at what is absorbed a month")).toBe("at what is absorbed a month");
});
