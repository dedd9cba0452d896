// The form of a budget: terms that are opened and saved without a change are the same terms, and lines are read as they are meant.

import { describe, expect, it } from "vitest";
import type { Terms } from "../guard.ts";
import { toDraft, toTerms } from "./terms.tsx";

const common = { owner: "Ada", mode: "hard", unbounded: "refuse", each: [] } as const;
const budget: Terms = {
  ...common,
  kind: "budget",
  for: { team: "search", model: "gpt-5" },
  limit: "$500 per month",
  zone: "Europe/Berlin",
  carry: "$100",
  caps: "lower",
  useful: 0,
  degrade: [
    { at: "80%", model: "gpt-5-mini" },
    { at: "95%", cap: 500 },
    { at: "100%", wait: "30s" },
  ],
  alerts: ["50%", "80%"],
};
const rate: Terms = {
  ...common,
  kind: "rate",
  for: {},
  each: ["key"],
  limit: "20 at once",
  shares: { agent: { "a planner of two words": 10, crawler: 5 } },
  priority: 3,
  alerts: [],
};

describe("the form of a budget", () => {
  it.each([budget, rate])("gives the same terms back for a $kind", (terms) => {
    expect(toTerms(toDraft(terms))).toEqual(terms);
  });

  it("leaves out what is empty, so that it is as usual", () => {
    expect(toTerms({ ...toDraft(undefined), owner: " Ada ", limit: "$5", alerts: " 80% , " })).toEqual({
      ...common,
      kind: "budget",
      for: {},
      limit: "$5",
      caps: "inject",
      degrade: [],
      alerts: ["80%"],
    });
  });

  it("reads steps as people type them, and hands on what it does not understand", () => {
    const degrade = "80%: model gpt-5-mini\n\nat 90% cap many\nsometimes";
    expect(toTerms({ ...toDraft(undefined), degrade })["degrade"]).toEqual([
      { at: "80%", model: "gpt-5-mini" },
      { at: "90%", cap: "many" },
      { at: "sometimes" },
    ]);
  });
});
