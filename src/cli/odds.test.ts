// The odds of one more try as the command line says them, from what the control API answers. Not here: their figures (api/odds.test.ts).

import { expect, it } from "vitest";
import { createApi } from "../api/app.ts";
import { createMemory, nowMs } from "../api/memory.fixture.ts";
import { oddsAnswer } from "../api/odds.ts";
import { describeOdds } from "./odds.ts";

/** First tries that succeeded at such costs, a case each; and of so many agents more. */
async function told(costs: readonly string[], others = 0): Promise<string> {
  const context = createMemory([]);
  const agents = ["coder", ...Array.from({ length: others }, (_, index) => `other ${index}`)];
  const trials = agents.flatMap((candidate) =>
    costs.map((cost, index) => ({
      candidate,
      task: `${candidate} ${index}`,
      case: `case ${index}`,
      startMs: nowMs - 1_000_000 + index,
      ending: "success" as const,
      cost,
    })),
  );
  context.tasks.trials = { trials, truncated: false, position: null };
  const response = await createApi(context).request("/api/v1/odds?value=2", { headers: { authorization: "Bearer reader" } });
  return describeOdds(oddsAnswer.parse(await response.json())).replaceAll(/ {2,}/g, " ");
}

it("of two tries nothing is said of how far their cost may be off, nor whether one more pays", async () => {
  const text = await told(["0.05", "0.40"]);
  expect(text).toMatch(/^coder — 2 100 % \(34–100 %\) 0\.225 \(\?\) 100 % 100 % 2\.00 \(0\.68\d–2\.00\) not enough data: few tries\s*$/m);
  expect(text).toContain("(?): one or two tries, or fewer than 30 alike, say nothing of how far what one costs may be off");
});

it("of thirty both are said", async () => {
  const text = await told(Array.from({ length: 30 }, (_, index) => (index % 2 === 0 ? "0.05" : "0.40")));
  expect(text).toMatch(/^coder — 30 .* 0\.225 \(0\.1\d+–0\.2\d+\) .* yes, pays from 11 % on\s*$/m);
  expect(text).not.toContain("(?)");
});

it("says of those that are left out no more than that", async () => {
  expect(await told(["0.2"], 25)).toContain("2 more (2 tasks) are left out (--filter).");
});
