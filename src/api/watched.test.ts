import { describe, expect, it } from "vitest";
import { readConfig, type WatchedSettings } from "../config.ts";
import type { SuccessQuery, SuccessRow } from "../ledger/store.ts";
import { createApi } from "./app.ts";
import type { ApiContext } from "./context.ts";
import { createMemory, emptyRow, nowMs } from "./memory.fixture.ts";
import { watchWorth } from "./watched.ts";

const person = { minutes: 9, rate: 32 };

/** Entries of `alerts.worth` as the settings file has them. */
function read(entries: readonly object[]): readonly WatchedSettings[] {
  return readConfig(undefined, { alerts: { worth: entries } }, {}).settings.alerts.worth;
}

function sum(units: readonly { readonly cost: string }[]): string {
  return units.reduce((total, { cost }) => total + Number(cost), 0).toFixed(2);
}

/** So many tasks at so many dollars each, nearly. */
function rowOf(agent: string | null, successes: number, failures: number, cost = 0.5): SuccessRow {
  const units = Array.from({ length: successes + failures }, (_, index) => ({
    cost: (cost + (index % 5) / 100).toFixed(2),
    successes: index < successes ? 1 : 0,
  }));
  return {
    ...emptyRow,
    group: [agent],
    success: { tasks: successes, cost: sum(units.slice(0, successes)) },
    failure: { tasks: failures, cost: sum(units.slice(successes)) },
    unreviewed: units.length,
    quantiles: units.length === 0 ? null : { p50: cost.toFixed(2), p90: (cost + 0.04).toFixed(2), p99: (cost + 0.04).toFixed(2) },
    units,
  };
}

/** A ledger that has these rows of each type. */
function ledgerOf(byType: Readonly<Record<string, readonly SuccessRow[]>>): ApiContext & { readonly asked: { success: SuccessQuery[] } } {
  const context = createMemory([]);
  const { page } = context.tasks;
  const success = async (query: SuccessQuery) => {
    context.asked.success.push(query);
    const wanted = (field: string) => query.filters.find((filter) => filter.field === field)?.value;
    const rows = byType[wanted("type") ?? ""] ?? [];
    if (query.by.length > 0) return { ...page, rows };
    return { ...page, total: rows.find(({ group }) => group[0] === wanted("agent")) ?? emptyRow };
  };
  return { ...context, ledger: { ...context.ledger, success } };
}

const look = async (entries: readonly object[], context: ApiContext) => (await watchWorth(read(entries))?.(context)) ?? null;

describe("what is watched", () => {
  it("is told where the verdict is no, with the numbers of POST /api/v1/worth", async () => {
    const context = ledgerOf({ ticket: [rowOf("helper", 30, 90)] });
    const found = await look([{ type: "ticket", agent: "helper", owner: "help desk", ...person, cleanupMinutes: 6, days: 14 }], context);
    const body = JSON.stringify({
      person: { minutes: 9, rate: "32" },
      agent: { cleanupMinutes: 6 },
      tasks: 120,
      fromLedger: { type: "ticket", agent: "helper", since: "14d" },
    });
    const headers = { authorization: "Bearer reader", "content-type": "application/json", "content-length": String(body.length) };
    const response = await createApi(context).request("/api/v1/worth", { method: "POST", headers, body });
    const answer = (await response.json()) as Record<string, unknown> & { expected: { basis: { all: { saved: string } } } };
    const { reason, success, breakEven, saved, summary } = answer;
    expect(answer["verdict"]).toBe("no");
    const { kind: _, ...known } = success as Record<string, unknown>;
    expect(found).toEqual([
      {
        owner: "help desk",
        worth: {
          type: "ticket",
          agent: "helper",
          days: 14,
          tasks: 120,
          against: "person",
          reason,
          success: known,
          breakEven,
          saved,
          lost: answer.expected.basis.all.saved.slice(1),
          summary,
        },
      },
    ]);
    // By hand: $0.52 a run and $8 for each of the 90 that failed, against $4.80 each.
    expect(found?.[0]?.worth.lost).toBe("206.4");
    expect(context.asked.success[0]).toMatchObject({ sinceMs: nowMs - 14 * 86_400_000, by: [], openMs: context.openMs });
  });

  it.each<[string, SuccessRow]>([
    ["a go", rowOf("helper", 100, 20)],
    ["too few to tell", rowOf("helper", 3, 5)],
    ["of no known outcome", { ...emptyRow, unknown: { tasks: 40, cost: "20" }, group: ["helper"] }],
    ["a no that ends nobody said could turn", { ...rowOf("helper", 30, 90), unknown: { tasks: 200, cost: "100.00" } }],
    ["of no task", { ...emptyRow, group: ["helper"] }],
    ["of no known price", { ...rowOf("helper", 0, 120), unpriced: 1 }],
  ])("is not told of %s", async (_name, row) => {
    expect(await look([{ type: "ticket", ...person, cleanupMinutes: 6 }], ledgerOf({ ticket: [row] }))).toEqual([]);
  });

  it("that has no task is not told of, however dear a run is said to be", async () => {
    const dear = { type: "ticket", agent: "helper", ...person, cost: 50 };
    expect(await look([dear], ledgerOf({}))).toEqual([]);
    expect(await look([dear], ledgerOf({ ticket: [rowOf("helper", 9, 0)] }))).toMatchObject([{ worth: { reason: "never_cheaper" } }]);
  });

  it("is each agent of a type, and its tasks without one, but not those that are watched by themselves", async () => {
    const ticket = [rowOf("helper", 30, 90), rowOf("cheap", 30, 90), rowOf("good", 119, 1), rowOf(null, 10, 110)];
    const context = ledgerOf({ ticket, triage: [rowOf("helper", 1, 119)] });
    const entries = [
      { type: "ticket", owner: "all", ...person, cleanupMinutes: 6 },
      { type: "ticket", agent: "cheap", owner: "one", value: 0.1 },
      { type: "triage", value: 2 },
    ];
    const found = (await look(entries, context)) ?? [];
    expect(found.map(({ owner, worth: { type, agent, against } }) => [owner, type, agent, against])).toEqual([
      ["all", "ticket", "helper", "person"],
      ["all", "ticket", null, "person"],
      ["one", "ticket", "cheap", "value"],
      [null, "triage", "helper", "value"],
    ]);
  });

  it("is nobody unless the settings say so, and is not asked of a store that lacks what is on record", async () => {
    expect(watchWorth([])).toBeNull();
    const context = ledgerOf({ ticket: [rowOf("helper", 30, 90)] });
    const behind = { ...context, ledger: { ...context.ledger, caughtUp: async () => false } };
    await expect(look([{ type: "ticket", ...person }], behind)).rejects.toThrow("still starting or catching up");
    expect(context.asked.success).toEqual([]);
  });
});

describe("settings of what is watched", () => {
  it.each<[readonly object[], RegExp]>([
    [[{ ...person }], /alerts\.worth\.0\.type/],
    [[{ type: "ticket", minuts: 9, rate: 32 }], /alerts\.worth\.0: unrecognized key: "minuts" \(near it: minutes\)/i],
    [[{ type: "ticket", ...person, success: 0.5 }], /alerts\.worth\.0: unrecognized key: "success"/i],
    [[{ type: "ticket", ...person, days: 0 }], /alerts\.worth\.0\.days/],
    [[{ type: "ticket", ...person, rate: "much" }], /alerts\.worth\.0\.rate/],
    [
      [
        { type: "ticket", ...person },
        { type: "ticket", value: 1 },
      ],
      /two watch one type and agent/,
    ],
    [
      [
        { type: "a", value: 1 },
        { type: "ticket", ...person, detection: 90 },
      ],
      /alerts\.worth\.1 \(ticket\): detection must be a prob.*; 90 % is 0\.9/,
    ],
    [[{ type: "ticket", ...person, minutes: -1 }], /alerts\.worth\.0 \(ticket\): minutes must be minutes.* not -1/],
    [[{ type: "ticket", minutes: 9 }], /alerts\.worth\.0 \(ticket\): rate is needed/],
    [[{ type: "ticket" }], /alerts\.worth\.0 \(ticket\): minutes is needed, or else value/],
    [[{ type: "ticket", ...person, value: 2 }], /\(ticket\): minutes and value exclude each other/],
    [[{ type: "ticket", value: 2, cleanupMinutes: 6 }], /\(ticket\): cleanupRate is needed, since there is no person/],
    [[{ type: "ticket", ...person, damage: 1e13 }], /\(ticket\): damage must be dollars/],
  ])("%j are refused", (entries, message) => {
    expect(() => watchWorth(read(entries))).toThrow(message);
  });
});
