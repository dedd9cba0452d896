// Words about budgets: whom one is for, when it resets, how full it is.

import { describe, expect, it } from "vitest";
import { type Budget, fullness, resetWords, scopeWords, sinceWords, type Standing, stateOf } from "./guard.ts";

const standing: Standing = {
  values: [],
  fromMs: 0,
  toMs: 90_000_000,
  allowance: "10",
  granted: "0",
  carried: "0",
  spent: "7",
  held: "1",
  presumed: "0",
  left: "2",
  usedPercent: 80,
};
const of = (limit: string, kind: "budget" | "rate" = "budget", measure: Budget["measure"] = "money"): Budget => ({
  id: "b",
  origin: "api",
  setMs: 0,
  measure,
  limit: "10",
  standings: [],
  total: 1,
  terms: { kind, owner: "Ada", for: {}, each: [], limit, mode: "hard", unbounded: "refuse", alerts: [] },
});

it("the guard's tally is since the start; in the demo it has the invented history in it", () => {
  const nowMs = Date.UTC(2026, 10, 21, 12);
  expect(sinceWords({ sinceMs: nowMs - 60_000, nowMs }, false)).toMatch(/^since the start, \S/);
  expect(sinceWords({ sinceMs: nowMs - 60_000, nowMs }, true)).toBe("since the invented history began");
});

describe("a budget in words", () => {
  it("says whom it is for", () => {
    expect(scopeWords({})).toBe("all calls");
    expect(scopeWords({ team: "search", type: "ticket" })).toBe("team search · task type ticket");
    expect(scopeWords({ team: "search" }, ["customer", "model"])).toBe("each customer and model of team search");
  });

  it("says when there is more again", () => {
    expect(resetWords(of("$10 per day"), standing, 3_600_000)).toBe("resets in 1 d");
    expect(resetWords(of("$10 per day"), standing, 90_000_000)).toBe("resets now");
    expect(resetWords(of("$10"), { ...standing, toMs: null }, 0)).toBe("does not reset");
    expect(resetWords(of("$10 per rolling 24h"), standing, 0)).toBe("counts the last 24h");
    expect(resetWords(of("60 calls per minute", "rate", "calls"), standing, 0)).toBe("counts the last minute");
    expect(resetWords(of("20 at once", "rate", "open"), { ...standing, toMs: null }, 0)).toBe("free again as calls end");
  });

  it("tells what is full from what is over, and that from what was never allowed", () => {
    expect(stateOf(undefined)).toBe("open");
    expect(stateOf({ ...standing, usedPercent: 79 })).toBe("open");
    expect(stateOf(standing)).toBe("near");
    expect(stateOf({ ...standing, left: "0", usedPercent: 100 })).toBe("full");
    expect(stateOf({ ...standing, left: "-0.01", usedPercent: 100 })).toBe("over");
    expect(stateOf({ ...standing, left: "0", usedPercent: null })).toBe("full");
    expect(fullness({ ...standing, left: "-1", usedPercent: null })).toBeGreaterThan(fullness({ ...standing, usedPercent: 900 }));
    expect(fullness(undefined)).toBeLessThan(0);
  });
});
