// What the pages ask of the API, without a port: zones and spans by a calendar, values, tasks, overview, settings without secrets.

import { describe, expect, it } from "vitest";
import { offsetsOf } from "../core/zone.ts";
import { createApi } from "./app.ts";
import { createMemory, makeCall, type MemoryContext, nowMs } from "./memory.fixture.ts";
import { spansOf } from "./overview.ts";

const records = [
  makeCall("c1", { startMs: nowMs - 3_000, attribution: { task: "ticket-1", customer: "n_00000000000000aa" } as never }),
  makeCall("c2", { startMs: nowMs - 2_000, attribution: { task: "ticket-1" } as never }, { unpriced: ["output"] }),
  makeCall("c3", { startMs: nowMs - 1_000, attribution: { task: "ticket-2" } as never }, { modelAnswered: "claude" }),
];

function setUp(change: (context: MemoryContext) => MemoryContext = (context) => context) {
  const context = change(createMemory(records));
  const app = createApi(context);
  const ask = async (path: string, token = "admin") => {
    const response = await app.request(path, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, text: await response.clone().text(), body: (await response.json()) as Record<string, unknown> };
  };
  return { context, ask };
}

describe("a time zone", () => {
  it("decides when a day begins, for since and until as well, and goes on to the store", async () => {
    const { context, ask } = setUp();
    const { status, body } = await ask("/api/v1/report?by=day&zone=Europe/Berlin&since=2026-03-29&until=2026-03-30");
    expect(status).toBe(200);
    expect(body["zone"]).toBe("Europe/Berlin");
    expect(context.asked.report[0]).toMatchObject({
      sinceMs: Date.parse("2026-03-28T23:00Z"),
      untilMs: Date.parse("2026-03-29T22:00Z"),
      zone: [{ offsetMs: 3_600_000 }, { offsetMs: 7_200_000, fromMs: Date.parse("2026-03-29T01:00Z") }],
    });
    await ask("/api/v1/report?zone=Europe/Berlin&since=2026-03-29T12:00Z");
    expect(context.asked.report[1]?.sinceMs).toBe(Date.parse("2026-03-29T12:00Z"));
    await ask("/api/v1/report?zone=UTC&since=2026-03-29");
    expect(context.asked.report[2]).not.toHaveProperty("zone");
  });

  it.each([
    ["zone=Europe/Atlantis", /no time zone is called "Europe\/Atlantis"/],
    ["zone=", /no time zone/],
    ["by=day&top=3", /top needs a field/],
    ["by=model&top=0", /whole number/],
    ["by=model&latency=yes", /latency/],
  ])("or what is wrong with a question: %s", async (query, message) => {
    const { status, body } = await setUp().ask(`/api/v1/report?${query}`);
    expect(status).toBe(400);
    expect(body["error"]).toEqual({ code: "query_invalid", message: expect.stringMatching(message) });
  });
});

function iso(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16);
}

function spansAt(at: string, zone: string) {
  return spansOf(Date.parse(at) - 1, zone === "UTC" ? [] : offsetsOf(zone, null, null)!);
}

describe("spans of the overview", () => {
  it.each([
    [
      "2026-11-21T12:00Z",
      "UTC",
      "2026-11-21T00:00",
      "2026-11-20T00:00",
      "2026-11-20T12:00",
      "2026-11-01T00:00",
      "2026-10-01T00:00",
      "2026-10-21T12:00",
    ],
    // After midnight in Berlin, before it in UTC.
    [
      "2026-11-20T23:30Z",
      "Europe/Berlin",
      "2026-11-20T23:00",
      "2026-11-19T23:00",
      "2026-11-19T23:30",
      "2026-10-31T23:00",
      "2026-09-30T22:00",
      "2026-10-20T22:30",
    ],
    // The day that clocks go forward has 23 hours: yesterday's 12:00 is an hour later, in UTC, than today's.
    [
      "2026-03-29T10:00Z",
      "Europe/Berlin",
      "2026-03-28T23:00",
      "2026-03-27T23:00",
      "2026-03-28T11:00",
      "2026-02-28T23:00",
      "2026-01-31T23:00",
      "2026-02-28T23:00",
    ],
    // Last month has no 31st: all of it.
    [
      "2026-03-31T08:00Z",
      "UTC",
      "2026-03-31T00:00",
      "2026-03-30T00:00",
      "2026-03-30T08:00",
      "2026-03-01T00:00",
      "2026-02-01T00:00",
      "2026-03-01T00:00",
    ],
    [
      "2026-01-05T08:00Z",
      "UTC",
      "2026-01-05T00:00",
      "2026-01-04T00:00",
      "2026-01-04T08:00",
      "2026-01-01T00:00",
      "2025-12-01T00:00",
      "2025-12-05T08:00",
    ],
  ])("at %s in %s", (at, zone, today, yesterday, sameTime, month, before, sameDay) => {
    const spans = spansAt(at, zone);
    expect({
      today: iso(spans.today.now.sinceMs),
      yesterday: [iso(spans.today.before.sinceMs), iso(spans.today.before.untilMs)],
      month: iso(spans.month.now.sinceMs),
      before: [iso(spans.month.before.sinceMs), iso(spans.month.before.untilMs)],
    }).toEqual({ today, yesterday: [yesterday, sameTime], month, before: [before, sameDay] });
    for (const span of [spans.hour, spans.today, spans.month]) {
      expect(span.before.untilMs).toBeLessThanOrEqual(span.now.sinceMs);
      expect(span.now.untilMs).toBe(Date.parse(at));
    }
  });
});

/** Of the overview: what the spend goes to, by fields that are asked for together. */
function rowsOf(body: Record<string, unknown>) {
  return (body["goesTo"] as { field: string; rows: object[] }[]).filter(({ field }) => field !== "customer");
}

describe("the overview", () => {
  it("says what is spent, what it goes to, and what needs a look with the filter that finds it", async () => {
    const { status, body } = await setUp().ask("/api/v1/overview?zone=Europe/Berlin");
    expect(status).toBe(200);
    expect(body["today"]).toMatchObject({ now: { calls: 3, cost: "0.00135" }, before: { sums: { calls: 0 } } });
    expect(body["goesTo"]).toMatchObject([
      {
        field: "model",
        rows: [
          { value: "gpt-5-mini", cost: "0.0009", calls: 2, unpriced: 1 },
          { value: "claude", cost: "0.00045" },
        ],
      },
      { field: "provider", rows: [{ value: "openai", calls: 3, cost: "0.00135" }] },
      {
        field: "customer",
        rows: [
          { value: "Acme & <b>Sons</b>", cost: "0.00045" },
          { value: null, cost: "0.0009" },
        ],
      },
    ]);
    expect(body["attention"]).toEqual(
      expect.arrayContaining([
        { kind: "unpriced", count: 1, filter: "unpriced=true" },
        { kind: "gap", count: 1, filter: null },
      ]),
    );
    expect(JSON.stringify(body["attention"])).not.toContain("presumed");
    expect(body["hours"]).toEqual([{ atMs: Date.UTC(2026, 10, 21, 11), cost: "0.00135" }]);
    expect(body["guard"]).toEqual({ halts: 0, budgets: 0, usedUp: 0, refused: 0, losing: [] });
    expect(body["gaps"]).toEqual([]);
  });

  it("says the same where too many fields' groups come together, and each field is asked for by itself", async () => {
    const plain = await setUp().ask("/api/v1/overview");
    const cut = setUp((context) => {
      const { report } = context.ledger;
      const tooMany = async (query: Parameters<typeof report>[0]) => {
        const found = await report(query);
        const rows = found.rows.toSorted((a, b) => Number(b.cost) - Number(a.cost));
        return query.by.length > 2 ? { ...found, rows: [], truncated: true } : { ...found, rows };
      };
      return { ...context, ledger: { ...context.ledger, report: tooMany } };
    });
    expect((await cut.ask("/api/v1/overview")).body["attention"]).toEqual(plain.body["attention"]);
    expect((await cut.ask("/api/v1/overview")).body["month"]).toEqual(plain.body["month"]);
    expect(rowsOf((await cut.ask("/api/v1/overview")).body)).toEqual(rowsOf(plain.body));
  });

  it("finds by its filters: each is one that calls take", async () => {
    const { ask } = setUp();
    for (const { filter } of (await ask("/api/v1/overview")).body["attention"] as { filter: string | null }[])
      if (filter !== null) expect((await ask(`/api/v1/calls?filter=${encodeURIComponent(filter)}`)).status).toBe(200);
  });
});

describe("values", () => {
  it("are named, and people are looked for by name", async () => {
    const { context, ask } = setUp();
    expect((await ask("/api/v1/values?field=customer&search=acme")).body).toMatchObject({
      values: [{ value: "Acme & <b>Sons</b>", calls: 1 }],
      truncated: false,
    });
    expect(context.asked.report[0]).not.toHaveProperty("search");
    await ask("/api/v1/values?field=model&search=gpt&since=24h");
    expect(context.asked.report[1]).toMatchObject({ by: ["model"], search: "gpt", limit: 20, sinceMs: nowMs - 86_400_000 });
    expect((await ask("/api/v1/values?field=modle")).status).toBe(400);
    expect((await ask("/api/v1/values?field=call")).status).toBe(400);
    expect((await ask("/api/v1/values")).status).toBe(400);
  });
});

describe("tasks", () => {
  it("are listed over seven days unless told, and shown with their calls", async () => {
    const { context, ask } = setUp();
    const { body } = await ask("/api/v1/tasks");
    expect((body["tasks"] as { task: string; calls: number }[]).map(({ task, calls }) => [task, calls])).toEqual([
      ["ticket-1", 2],
      ["ticket-2", 1],
    ]);
    expect(context.asked.runs[0]).toMatchObject({ sinceMs: nowMs - 7 * 86_400_000, untilMs: nowMs + 1, order: "newest", limit: 50 });
    const one = await ask("/api/v1/tasks/ticket-1");
    expect(one.body["task"]).toMatchObject({ task: "ticket-1", customer: "Acme & <b>Sons</b>", calls: 2, cost: "0.0009" });
    expect((one.body["calls"] as { id: string }[]).map(({ id }) => id)).toEqual(["c1", "c2"]);
    expect(await ask("/api/v1/tasks/none")).toMatchObject({ status: 404, body: { error: { code: "task_unknown" } } });
    expect((await ask("/api/v1/tasks?filter=class%3Dinput")).status).toBe(400);
  });
});

describe("settings", () => {
  it("are shown to a reader, without a secret", async () => {
    const { status, text, body } = await setUp().ask("/api/v1/settings", "reader");
    expect(status).toBe(200);
    expect(text).not.toContain("secret");
    expect(body).toMatchObject({
      server: { host: "127.0.0.1", keysNeeded: true },
      providers: [{ name: "openai", baseUrl: "https://api.openai.com", credential: true, keyFrom: "OPENAI_API_KEY" }],
      routes: [{ model: "gpt-*", targets: [{ provider: "openai", model: null, pool: null }], retry: null }],
    });
  });
});

describe("the position", () => {
  it("is told without asking the store", async () => {
    const { context, ask } = setUp();
    expect((await ask("/api/v1/position", "reader")).body).toEqual({
      position: { segment: 1, offset: 4_096 },
      journal: { segment: 1, offset: 8_192 },
      openCalls: 1,
      nowMs,
    });
    expect(Object.values(context.asked).flat()).toEqual([]);
  });
});
