// What a success costs, as the command line says it, from what the control API answers to sums that a hand can add.

import { describe, expect, it } from "vitest";
import { createApi } from "../api/app.ts";
import { createMemory, emptyRow } from "../api/memory.fixture.ts";
import { successAnswer } from "../api/success.ts";
import type { SuccessRow } from "../ledger/store.ts";
import { describeSuccess } from "./successes.ts";

/** Ten dollars for ten tasks, worth thirty together, and checked for half an hour. */
const ten: SuccessRow = {
  ...emptyRow,
  success: { tasks: 8, cost: "8" },
  failure: { tasks: 2, cost: "2" },
  value: "30",
  reviewMillis: "1800000",
  quantiles: { p50: "1", p90: "1", p99: "1" },
  units: Array.from({ length: 10 }, (_, index) => ({ cost: "1", successes: index < 8 ? 1 : 0 })),
};

async function told(row: SuccessRow, query = ""): Promise<string[]> {
  const context = createMemory([]);
  context.tasks.page = { ...context.tasks.page, rows: [{ ...row, group: ["fix"] }], total: row };
  const response = await createApi(context).request(`/api/v1/success${query}`, { headers: { authorization: "Bearer reader" } });
  return describeSuccess(successAnswer.parse(await response.json()))
    .replaceAll(/ {2,}/g, "  ")
    .split("\n");
}

describe("a success with what checking it took", () => {
  it("has the return with checking once an hour of it has a price: 10 dollars of spend and 10 of checking for 30", async () => {
    // (30 − 10) ÷ 10; (30 − 20) ÷ 20. A success costs 20 ÷ 8.
    expect((await told(ten))[2]).toMatch(/  20 %  200 %  /);
    const lines = await told(ten, "?reviewRate=20");
    expect(lines[0]).toMatch(/  with review \$  on failures  return with review  /);
    expect(lines[2]).toMatch(/  2\.50  20 %  50 %  /);
    expect(lines).toContain("With review: spend and checking together; it has no interval of its own.");
  });

  it("is at least that, and its return at most, where some were checked for nobody knows how long", async () => {
    const lines = await told({ ...ten, unreviewed: 3 }, "?reviewRate=20");
    expect(lines[2]).toMatch(/  ≥ 2\.50  20 %  ≤ 50 %  /);
    expect(lines.join("\n")).toContain("Of 3 tasks nobody said how long it was checked");
    // A worth that is not known draws the other way.
    expect((await told({ ...ten, unreviewed: 3, unvaluedCost: "2" }, "?reviewRate=20"))[2]).toMatch(/  ≥ 2\.50  20 %  \? 50 %  /);
    expect((await told({ ...ten, unvaluedCost: "2" }, "?reviewRate=20"))[2]).toMatch(/  2\.50  20 %  ≥ 50 %  /);
  });

  it("is at least that where something has no price, and its return is not known", async () => {
    expect((await told({ ...ten, unpriced: 1 }, "?reviewRate=20"))[2]).toMatch(/  ≥ 2\.50  20 %  —  /);
  });
});
