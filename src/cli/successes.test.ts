// What a success costs, as the command line says it, from what the control API answers to sums that a hand can add.

import { describe, expect, it } from "vitest";
import { createApi } from "../api/app.ts";
import { createMemory, emptyRow } from "../api/memory.fixture.ts";
import { successAnswer } from "../api/success.ts";
import type { SuccessRow } from "../ledger/store.ts";
import { spreadLines } from "./spread.ts";
import { describeSuccess } from "./successes.ts";

/** A dollar a task, of which eight of ten succeed, worth three dollars a task together, and checked for three minutes each. */
const some = (tasks: number): SuccessRow => ({
  ...emptyRow,
  success: { tasks: 0.8 * tasks, cost: String(0.8 * tasks) },
  failure: { tasks: 0.2 * tasks, cost: String(0.2 * tasks) },
  value: String(3 * tasks),
  reviewMillis: String(180_000 * tasks),
  quantiles: { p50: "1", p90: "1", p99: "1" },
  units: Array.from({ length: tasks }, (_, index) => ({
    cost: "1",
    successes: index % 5 < 4 ? 1 : 0,
    value: index % 5 < 4 ? "3.75" : "0",
    reviewMillis: "180000",
  })),
});
const [ten, forty] = [some(10), some(40)];

async function told(row: SuccessRow, query = "", rows = 1, isDetailed = false): Promise<string[]> {
  const context = createMemory([]);
  const named = (index: number): SuccessRow => ({ ...row, group: [index === 0 ? "fix" : `fix ${index}`] });
  context.tasks.page = { ...context.tasks.page, rows: Array.from({ length: rows }, (_, index) => named(index)), total: row };
  const response = await createApi(context).request(`/api/v1/success${query}`, { headers: { authorization: "Bearer reader" } });
  const found = successAnswer.parse(await response.json());
  return describeSuccess(found, spreadLines(found, isDetailed)).replaceAll(/ {2,}/g, "  ").split("\n");
}

describe("a success with what checking it took", () => {
  it("has the return with checking once an hour of it has a price: 40 dollars of spend and 40 of checking for 120", async () => {
    // (120 − 40) ÷ 40; (120 − 80) ÷ 80. A success costs 80 ÷ 32.
    expect((await told(forty))[2]).toMatch(/  20 %  200 % \(1\d\d to 2\d\d %\)  /);
    const lines = await told(forty, "?reviewRate=20");
    expect(lines[0]).toMatch(/  with review \$  on failures  return with review  /);
    expect(lines[2]).toMatch(/  2\.50 \(2\.\d\d–\d\.\d\d\)  20 %  50 % \(\d\d to \d\d %\)  /);
    expect(lines).toContain("With review: spend and checking together.");
  });

  it("is at least that, and its return at most, where some were checked for nobody knows how long", async () => {
    const lines = await told({ ...forty, unreviewed: 3 }, "?reviewRate=20");
    expect(lines[2]).toMatch(/  ≥ 2\.50 \(2\.\d\d–\?\)  20 %  ≤ 50 % \(≤ \d\d to ≤ \d\d %\)  /);
    expect(lines.join("\n")).toContain("Of 3 tasks nobody said how long it was checked");
    // A worth that is not known draws the other way.
    expect((await told({ ...forty, unreviewed: 3, unvaluedCost: "2" }, "?reviewRate=20"))[2]).toMatch(
      /  ≥ 2\.50 \(2\.\d\d–\?\)  20 %  \? 50 % \(\? \d\d to \? \d\d %\)  /,
    );
    expect((await told({ ...forty, unvaluedCost: "2" }, "?reviewRate=20"))[2]).toMatch(
      /  2\.50 \(2\.\d\d–\d\.\d\d\)  20 %  ≥ 50 % \(≥ \d\d to ≥ \d\d %\)  /,
    );
  });

  it("is never a bare number: of two tasks alike its interval is not known, and that few are no data is said", async () => {
    const one = { cost: "1", successes: 1, value: "3" };
    const two = { ...emptyRow, success: { tasks: 2, cost: "2" }, value: "6", units: [one, one], quantiles: ten.quantiles };
    expect((await told(two))[2]).toMatch(/  1\.00 \(\?\)  0 %  200 % \(\?\)  not enough data: few tasks \(2 decided; 30 needed\)/);
    // Of two unlike too: a task of three dollars' worth, and one of none.
    const unlike = { ...two, value: "3", units: [one, { ...one, value: "0" }] };
    expect((await told(unlike))[2]).toMatch(/  50 % \(\?\)  not enough data: few tasks/);
  });

  it("is at least that where something has no price, and its return is not known", async () => {
    expect((await told({ ...forty, unpriced: 1 }, "?reviewRate=20"))[2]).toMatch(/  ≥ 2\.50 \(2\.\d\d–\?\)  20 %  —  /);
  });
});

describe("what a task costs beyond its mean", () => {
  // Of forty dollars eight went on failures, four on retries, two on rework; two hours at 20 dollars are as much again.
  const spread = { ...forty, retryCost: "4", reworkCost: "2", quantiles: { p50: "0.8", p90: "1.5", p99: "2" } };

  it("stands below the table, with what the money went on", async () => {
    const lines = await told(spread, "?reviewRate=20");
    expect(lines.slice(4, 13)).toEqual([
      expect.stringMatching(/^total {2}40 /),
      "",
      "What a task costs, and shares of the spend. Retries and rework may be in failures too.",
      "Review is a share of spend and review together.",
      "",
      "type  median $  p90 $  p99 $  failures  retries  rework  review",
      expect.stringMatching(/^─+( {2}─+){7}$/),
      "fix  0.8  1.50  2.00  20 %  10 %  5.0 %  50 %",
      expect.stringMatching(/^─/),
    ]);
    // Without a price of it, it is not known.
    const unpriced = await told({ ...spread, unpriced: 1 });
    expect(unpriced.join("\n")).toMatch(/\nfix {2}≥ 0\.8 {2}≥ 1\.50 {2}≥ 2\.00 {2}20 % {2}10 % {2}5\.0 % {2}—\n/);
    expect(unpriced.join("\n")).toContain("\nReview is not known without --review-rate.\n");
    expect((await told({ ...spread, reviewMillis: null })).join("\n")).not.toContain("Review is");
  });

  it("of many rows is shown where it is asked for", async () => {
    expect((await told(spread, "", 8)).join("\n")).toContain("median $");
    expect((await told(spread, "", 9)).join("\n")).not.toContain("median $");
    expect((await told(spread, "", 9, true)).join("\n")).toContain("median $");
  });
});

it("of too few tasks says how many have ended, which is what is needed", async () => {
  expect((await told({ ...ten, open: { tasks: 20, cost: "20" }, units: [...ten.units, { cost: "20", successes: 0 }] }))[2]).toMatch(
    /few tasks \(10 decided of 30; 30 needed\)/,
  );
  expect((await told(ten))[2]).toMatch(/few tasks \(10 decided; 30 needed\)/);
});
