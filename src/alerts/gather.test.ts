import { describe, expect, it } from "vitest";
import type { ActionKind, AlertEvent } from "./alert.ts";
import { Gatherer } from "./gather.ts";

const second = 1_000;

function event(kind: ActionKind, atMs: number, budget: string | null = "support", detail = "used up"): AlertEvent {
  return { kind, atMs, budget, values: [], owner: "help desk", subject: null, call: `c${atMs}`, detail };
}

/** Runs with a look every five seconds. @returns what was told, as `second count budgets`. */
function run(gatherer: Gatherer, untilSecond: number, events: readonly AlertEvent[], fromSecond = 0): string[] {
  const told: string[] = [];
  const waiting = [...events];
  for (let at = fromSecond; at <= untilSecond; at += 5) {
    while ((waiting[0]?.atMs ?? Infinity) <= at * second) gatherer.add(waiting.shift() as AlertEvent);
    for (const draft of gatherer.due(at * second))
      if ("of" in draft) told.push(`${at} ${draft.count} ${draft.of.map(({ budget, count }) => `${budget}:${count}`).join(" ")}`);
  }
  return told;
}

function every(seconds: number, fromSecond: number, toSecond: number, kind: ActionKind = "refused", budget = "support"): AlertEvent[] {
  const events: AlertEvent[] = [];
  for (let at = fromSecond; at < toSecond; at += seconds) events.push(event(kind, at * second, budget));
  return events;
}

describe("what the guard did", () => {
  it("of a minute is told in one alert, with a count", () => {
    expect(run(new Gatherer([]), 300, every(1, 0, 41))).toEqual(["60 41 support:41"]);
  });

  it("is told at once where it is urgent, and then gathered", () => {
    expect(run(new Gatherer([]), 300, every(5, 0, 50, "breached"))).toEqual(["0 1 support:1", "60 9 support:9"]);
  });

  it("is one message a minute of a kind, urgent or not, whichever budgets it is of", () => {
    const events = [...every(5, 0, 1, "breached"), ...every(5, 10, 11, "breached", "search")];
    expect(run(new Gatherer([]), 300, events)).toEqual(["0 1 support:1", "60 1 search:1"]);
  });

  it("that goes on is told after one, two, four … minutes, and then hourly; all of it is counted", () => {
    const told = run(new Gatherer([]), 4 * 3_600, every(10, 0, 4 * 3_600));
    const minutes = told.map((line) => Number(line.split(" ")[0]) / 60);
    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 64, 124, 184].slice(0, minutes.length));
    // One every ten seconds, and the first at 0.
    expect(told.reduce((sum, line) => sum + Number(line.split(" ")[1]), 0)).toBe((minutes.at(-1) as number) * 6 + 1);
  });

  it("begins anew after it was quiet for as long as it had to wait, twice", () => {
    expect(run(new Gatherer([]), 600, [...every(10, 0, 10), ...every(10, 300, 310)])).toEqual(["60 1 support:1", "360 1 support:1"]);
  });

  it("does not keep another budget waiting", () => {
    const events = [...every(10, 0, 1_800), ...every(10, 1_000, 1_010, "refused", "search")].sort((a, b) => a.atMs - b.atMs);
    const told = run(new Gatherer([]), 1_800, events);
    expect(told.find((line) => line.includes("search"))).toMatch(/^1000 1 search:1$|^10[0-6]\d 1 search:1$/);
  });

  it("of several budgets is listed with the most first, and what is too much to list is counted", () => {
    const gatherer = new Gatherer([]);
    for (let budget = 0; budget < 15; budget += 1) for (let n = 0; n <= budget; n += 1) gatherer.add(event("refused", 0, `b${budget}`));
    const [draft] = gatherer.due(60 * second);
    // 1 + 2 + … + 15; the five least have 1 + … + 5.
    expect(draft).toMatchObject({ kind: "refused", severity: "warning", count: 120, others: 15 });
    expect(draft !== undefined && "of" in draft ? draft.of.map(({ count }) => count) : null).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6]);
  });

  it("of more budgets than can be told apart is counted all the same, in bounded memory", () => {
    const gatherer = new Gatherer([]);
    for (let n = 0; n < 5_000; n += 1) gatherer.add(event("refused", 0, `b${n}`));
    expect(gatherer.due(60 * second)).toMatchObject([{ count: 5_000 }]);
    expect(gatherer.told).toHaveLength(1_000);
    expect(gatherer.due(120 * second)).toEqual([]);
  });

  it("names the last call and what was said of it", () => {
    const gatherer = new Gatherer([]);
    gatherer.add(event("cut", 1, "support", "first"));
    gatherer.add(event("cut", 2, "support", "last"));
    expect(gatherer.due(60 * second + 1)).toMatchObject([{ of: [{ call: "c2", detail: "last", owner: "help desk" }] }]);
  });

  it("is not told sooner because the server started anew", () => {
    const before = new Gatherer([]);
    run(before, 300, every(10, 0, 300));
    // Told at 1, 2 and 4 minutes: the next one is due at 8.
    const after = new Gatherer(structuredClone(before.told));
    expect(run(after, 600, every(10, 300, 600), 300)).toEqual(["480 19 support:19"]);
  });
});
