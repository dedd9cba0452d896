// The list of tasks without calls, by hand: each way in which one comes to be known, when it counts, what it cost, what filters see of it, and that a
// call makes it one of the others.

import { expect, test } from "vitest";
import type { Attribution } from "../../core/call.ts";
import type { Entry } from "../../core/entry.ts";
import { parseUsd } from "../../core/money.ts";
import type { Outcome } from "../../core/outcome.ts";
import { samplePeriod } from "../periods.fixture.ts";
import type { Filter, RunsQuery } from "../store.ts";
import { nobody, placed, sampleCharge, sampleEnd, sampleOutcome, sampleStart } from "../store.fixture.ts";
import { make } from "./made.fixture.ts";

const baseMs = Date.UTC(2026, 10, 1);
const hourMs = 3_600_000;
const all: RunsQuery = {
  sinceMs: null,
  untilMs: null,
  filters: [],
  order: "newest",
  limit: 100,
  ended: null,
  nowMs: baseMs + 30 * hourMs,
  openMs: 24 * hourMs,
};

const begunOf = (task: string, hours: number, said: Partial<Attribution> = {}): Entry => ({
  kind: "task.begun",
  task: { attribution: { ...nobody, task, ...said }, beganMs: baseMs + hours * hourMs, reworkOf: null, key: null },
});
const outcomeOf = (task: string, hours: number, changes: Partial<Outcome> = {}): Entry => ({
  kind: "outcome",
  outcome: sampleOutcome(`${task}${hours}`, task, { atMs: baseMs + hours * hourMs, ...changes }),
});
const chargeOf = (task: string, hours: number, usd: string | null, said: Partial<Attribution> = {}): Entry => ({
  kind: "charge",
  charge: samplePeriod(`of ${task} ${hours}`, {
    class: "task",
    model: "gpt-5",
    fromMs: baseMs + hours * hourMs,
    toMs: baseMs + hours * hourMs + 1,
    attribution: { ...nobody, task, ...said },
    costPico: usd === null ? null : parseUsd(usd),
  }),
});
const callOf = (task: string, hours: number, said: Partial<Attribution> = {}, isOver = true): Entry[] => {
  const startMs = baseMs + hours * hourMs;
  const call = sampleStart(`of ${task} ${hours}`, { startMs, attribution: { ...nobody, task, ...said } });
  const end = sampleEnd(call.id, { endMs: startMs + 1000, charges: [sampleCharge("input", 10, 1n)] });
  return [{ kind: "start", call }, ...(isOver ? [{ kind: "end", call: end } as const] : [])];
};

const entries: readonly Entry[] = [
  ...callOf("called", 1),
  ...callOf("under way", 2, {}, false),
  ...callOf("part", 3, { root: "called" }),
  begunOf("begun", 4, { type: "fix", agent: "coder", tags: { case: "leap" } }),
  begunOf("dear", 10, { type: "fix" }),
  chargeOf("dear", 10, "2.5"),
  chargeOf("dear", 11, null, { type: "other" }),
  chargeOf("charged", 5, "0.25", { type: "search", agent: "coder" }),
  chargeOf("piece", 6, "1", { root: "below", type: "search" }),
  outcomeOf("said", 8, { result: "failure", valuePico: parseUsd("-3") }),
  outcomeOf("said", 7, { result: null, reviewMillis: 5 }),
  // None of these is a task of its own: what is below another, or has calls, whatever was said of it besides.
  outcomeOf("part", 9),
  outcomeOf("piece", 9),
  outcomeOf("called", 9),
  begunOf("called", 9),
  chargeOf("called", 9, "7"),
  begunOf("under way", 9),
  begunOf("child", 9, { root: "parent" }),
  outcomeOf("child", 9),
];

const has = (field: Filter["field"], value: string | null, operator: Filter["operator"] = "="): Filter => ({ field, value, operator });

test("are those that were begun, charged or spoken of, at that time, with what they cost and how they ended", async () => {
  const place = await make();
  const store = await place.open();
  try {
    await store.apply(placed(entries));
    const { runs, truncated } = await store.runs(all);
    expect(truncated).toBe(false);
    expect(runs.map((run) => [run.task, (run.startMs - baseMs) / hourMs, run.calls, run.cost, run.unpriced, run.ended, run.value])).toEqual(
      [
        ["dear", 10, 0, "2.5", 1, "open", null],
        ["said", 7, 0, "0", 0, "failure", "-3"],
        ["below", 6, 0, "1", 0, "open", null],
        ["charged", 5, 0, "0.25", 0, "unknown", null],
        ["begun", 4, 0, "0", 0, "unknown", null],
        // Begun later than its first call; listed by its last one.
        ["called", 1, 2, "0.00000000002", 0, "success", null],
        ["under way", 2, 1, "0", 0, "unknown", null],
      ],
    );
    const names = async (changes: Partial<RunsQuery>): Promise<string[]> =>
      (await store.runs({ ...all, ...changes })).runs.map(({ task }) => task);
    const idle = runs.filter(({ calls }) => calls === 0);
    expect(idle.map(({ type, agent, endMs, open, tasks }) => [type, agent, endMs, open, tasks])).toEqual([
      ["fix", null, null, 0, 1],
      [null, null, null, 0, 1],
      ["search", null, null, 0, 1],
      ["search", "coder", null, 0, 1],
      ["fix", "coder", null, 0, 1],
    ]);
    expect(await names({ order: "dearest" })).toEqual(["dear", "below", "charged", "called", "begun", "said", "under way"]);
    expect(await names({ order: "dearest", limit: 2 })).toEqual(["dear", "below"]);
    expect(await names({ sinceMs: baseMs + 5 * hourMs, untilMs: baseMs + 7 * hourMs })).toEqual(["below", "charged"]);
    expect(await names({ ended: "unknown" })).toEqual(["charged", "begun", "under way"]);
    expect(await names({ ended: "failure" })).toEqual(["said"]);
    expect(await names({ ended: "open", limit: 2 })).toEqual(["dear", "below"]);
    for (const [filter, found] of [
      [has("type", "fix"), ["dear", "begun"]],
      [has("type", "search"), ["below", "charged"]],
      [has("type", "fix", "!="), ["said", "below", "charged", "called", "under way"]],
      [has("type", null), ["said", "called", "under way"]],
      [has("task", "begun"), ["begun"]],
      [has("tag.case", "leap"), ["begun"]],
      [has("model", "gpt-5"), ["dear", "below", "charged"]],
      [has("hour", "2026-11-01T04:00:00Z"), ["begun"]],
      [has("session", "s"), []],
      [has("unpriced", "true"), ["dear"]],
      // Only a call can say these.
      [has("status", "complete"), ["called"]],
      [has("failed", "false"), ["called", "under way"]],
    ] as const)
      expect([
        filter,
        (await names({ filters: [filter] })).filter((name) => !("model" === filter.field && (name === "called" || name === "under way"))),
      ]).toEqual([filter, found]);
    const one = await store.run("dear", 10);
    expect([one?.run, one?.nodes, one?.calls]).toMatchObject([
      { task: "dear", calls: 0, cost: "2.5", unpriced: 1 },
      [{ task: "dear" }],
      [],
    ]);
    expect(await Promise.all(["child", "parent", "no such task"].map((task) => store.run(task, 10)))).toEqual([null, null, null]);
    // A call makes it one of the others, at once, and so does one below it; nothing of it is listed twice.
    await store.apply(
      placed([...callOf("begun", 20), ...callOf("x", 21, { root: "charged" }, false), ...callOf("said", 22, { root: "dear" })], 100),
    );
    expect((await store.runs(all)).runs.map(({ task, calls }) => [task, calls])).toEqual([
      ["dear", 1],
      ["charged", 1],
      ["begun", 1],
      ["below", 0],
      ["called", 2],
      ["under way", 1],
    ]);
    await store.close();
  } finally {
    await place.remove();
  }
});
