// The price routes, asked without a port, of a book in memory: who may, what is refused by name, and averages that were divided by hand.

import { describe, expect, it } from "vitest";
import type { CallRecord } from "../ledger/store.ts";
import type { Trend, TrendLine, TrendQuery } from "../ledger/trend.ts";
import { createApi } from "./app.ts";
import { createMemory, makeCall, nowMs } from "./memory.fixture.ts";

function setUp(records: readonly CallRecord[] = [], trend: Trend = { lines: [], buckets: [], truncated: false }) {
  const context = createMemory(records);
  const asked: TrendQuery[] = [];
  context.ledger.trend = async (query) => {
    asked.push(query);
    return trend;
  };
  const app = createApi(context);
  const ask = async (path: string, body?: unknown, token = "admin") => {
    const text = JSON.stringify(body);
    const init =
      body === undefined
        ? {}
        : {
            method: "POST",
            body: text,
            headers: { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) },
          };
    const response = await app.request(`/api/v1/prices${path}`, {
      ...init,
      headers: { ...("headers" in init ? init.headers : {}), authorization: `Bearer ${token}` },
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { context, asked, ask };
}

function line(bucket: string, atMs: number, name: TrendLine["class"], quantity: number, cost: string): TrendLine {
  return { bucket, atMs, class: name, quantity, cost };
}

const mini = "provider=openai&model=gpt-5-mini";

describe("what is in force", () => {
  it("is told for a time, with the rule, the version and what is asked of", async () => {
    const { ask } = setUp();
    const now = await ask(`?${mini}`);
    expect(now.body).toMatchObject({
      pricesOf: "openai",
      model: "gpt-5-mini",
      tier: "standard",
      atMs: nowMs,
      knownMs: null,
      contextWindow: 400_000,
    });
    expect(now.body["lines"]).toMatchObject([{ class: "input", rateUsd: "0.25", rateUnits: 1_000_000, version: "v1" }]);
    const later = await ask(`?${mini}&at=2027-01-01&known=2026-12-01T12:00Z`);
    expect(later.body).toMatchObject({
      atMs: Date.UTC(2027, 0),
      knownMs: Date.UTC(2026, 11, 1, 12),
      lines: [{ rateUsd: "0.125", version: "v2" }],
    });
    expect((await ask(`?${mini}&tier=batch`)).body).toMatchObject({ tier: "batch", lines: [] });
  });

  it.each([
    [`?${mini}&at=2026-02-31`, 400, /at is "2026-02-31": expected a date/],
    [`?${mini}&known=yesterday`, 400, /known is "yesterday"/],
    [
      "?provider=openai&model=gpt5-mini",
      404,
      /No price is known for the model gpt5-mini at the provider openai\. Near it: openai\/gpt-5-mini\./,
    ],
    ["?provider=opnai&model=gpt-5-mini", 404, /Near it: openai\/gpt-5-mini\./],
    ["?provider=openai&model=mistral-large", 404, /at the provider openai\.$/],
    ["/history?provider=openai&model=x", 404, /No price is known/],
    ["/trend?provider=openai&model=x", 404, /No price is known/],
    ["/disputes?model=gpt-5-mini", 400, /with its provider/],
    ["/models?limit=0", 400, /limit is "0"/],
    ["/unpriced?filter=class=input", 400, /cannot be filtered by class/],
    [`/trend?${mini}&by=hour`, 400, /by/],
  ])("%s is refused with %i", async (path, status, message) => {
    const { status: got, body } = await setUp().ask(path);
    expect([got, (body["error"] as { message: string }).message]).toEqual([status, expect.stringMatching(message)]);
  });

  it("has a history, with what is announced", async () => {
    const { body } = await setUp().ask(`/history?${mini}`);
    expect(body["nowMs"]).toBe(nowMs);
    expect(body["spans"]).toMatchObject([
      { fromMs: null, toMs: Date.UTC(2027, 0), lines: [{ rateUsd: "0.25" }] },
      { fromMs: Date.UTC(2027, 0), toMs: null, lines: [{ rateUsd: "0.125" }] },
    ]);
  });

  it("lists models, and what sources say of those on which they disagree", async () => {
    const { ask } = setUp();
    expect((await ask("/models?search=mini")).body).toMatchObject({
      total: 1,
      disputed: 1,
      models: [{ model: "gpt-5-mini", disputed: ["output"] }],
    });
    expect((await ask("/models?search=maxi&disputed=true")).body).toMatchObject({ total: 0, models: [] });
    const said = [
      {
        class: "output",
        lowest: "1.6",
        highest: "2",
        differs: true,
        said: [
          { source: "own", usd: "2" },
          { source: "litellm", usd: "1.6" },
        ],
      },
    ];
    expect((await ask(`/disputes?${mini}`)).body).toMatchObject({ models: [{ model: "gpt-5-mini", disputes: said }] });
    expect((await ask("/disputes")).body).toMatchObject({ models: [{ model: "gpt-5-mini", disputes: said }], truncated: false });
  });
});

describe("what changes the book", () => {
  const file = { text: "prices: []" };

  it("may be looked at and done by an administrator alone", async () => {
    const { ask, context } = setUp();
    for (const [path, body] of [
      ["/preview", file],
      ["/take", file],
      ["/set", file],
      ["/drop", { source: "own" }],
    ] as const)
      expect([path, (await ask(path, body, "reader")).status]).toEqual([path, 403]);
    expect((await ask("/lists", undefined, "reader")).status).toBe(200);
    expect(context.changed).toEqual([]);
  });

  it("is a difference first, of a file or of a list that waits", async () => {
    const { ask, context } = setUp();
    const { body } = await ask("/preview", { ...file, limit: 1 });
    expect(body).toMatchObject({
      list: { name: "own@v3", records: 0 },
      added: 1,
      changed: 1,
      removed: 0,
      changes: [{ class: "input", before: "0.25", after: "0.2" }],
      truncated: true,
      warnings: [{ detail: "a thousand times its neighbours" }],
      skipped: [{ what: "output_vector_size", count: 7 }],
    });
    expect((await ask("/preview", { name: "genai-prices" })).status).toBe(200);
    expect((await ask("/preview", { name: "nobody's" })).status).toBe(404);
    expect(context.changed).toEqual([]);
  });

  it("takes effect when it is taken, set or dropped, and says what has a price now", async () => {
    const unpriced = makeCall("u", { startMs: nowMs - 9_000 }, { unpriced: ["input", "output"], charges: [] });
    const { ask, context } = setUp([unpriced, makeCall("p")]);
    const taken = await ask("/take", { ...file, known: "2026-11-01" });
    expect(taken.body).toMatchObject({
      list: { name: "own@v3", taken: { knownMs: nowMs } },
      nowPriced: { calls: 1, sinceMs: nowMs - 9_000 },
    });
    expect((await ask("/set", file)).body).toMatchObject({ added: 1, nowPriced: { calls: 1 } });
    expect((await ask("/drop", { source: "litellm" })).body).toEqual({ dropped: "litellm" });
    const unset = { provider: "openai", model: "gpt-5-mini", tier: "batch", from: "2026-11-01" };
    expect((await ask("/unset", unset)).body).toMatchObject({ undone: { prices: 1, discounts: 0, choices: 0 } });
    expect(context.changed).toEqual([
      `take own ${Date.UTC(2026, 10)}`,
      "set prices: []",
      "drop litellm",
      `unset openai gpt-5-mini batch ${Date.UTC(2026, 10)}`,
    ]);
  });

  it.each([
    ["/preview", { text: "nothing" }, 400, /line 3: no prices/],
    ["/preview", {}, 400, /either text, a price file, or name/],
    ["/take", { ...file, name: "x" }, 400, /either text/],
    ["/preview", { ...file, source: "Mine!" }, 400, /a source's name has/],
    ["/take", { ...file, known: "soon" }, 400, /known is "soon"/],
    ["/set", { text: "x".repeat(33 << 20) }, 400, /larger than 33554432 bytes/],
    ["/drop", { source: "x".repeat(70_000) }, 400, /larger than 65536 bytes/],
  ])("%s is refused with what is wrong: %#", async (path, body, status, message) => {
    const { ask, context } = setUp();
    const answer = await ask(path, body);
    expect([answer.status, (answer.body["error"] as { message: string }).message]).toEqual([status, expect.stringMatching(message)]);
    expect(context.changed).toEqual([]);
  });
});

it("what has no price is listed with a record to fill in, by tier, and what has one by now says so", async () => {
  const odd = { provider: "acme", modelAnswered: "it's a model", tierServed: "batch" };
  const { ask } = setUp([
    makeCall(
      "a",
      { provider: "acme" },
      { modelAnswered: odd.modelAnswered, tierServed: "batch", unpriced: ["input", "web_search", "images"], charges: [] },
    ),
    makeCall("b", {}, { unpriced: ["input"], charges: [] }),
  ]);
  const { body } = await ask("/unpriced");
  const [first, second] = body["models"] as { classes: unknown[]; record: { yaml: string; command: string } | null }[];
  expect(first).toMatchObject({ provider: "acme", model: "it's a model", tier: "batch", calls: 1 });
  expect(first?.classes[0]).toEqual({ class: "input", unit: "token", calls: 1, quantity: 1_000, priced: false });
  expect(first?.record).toEqual({
    yaml: `prices:
  - provider: acme
    model: it's a model
    tier: batch
    perMillion:
      input: DOLLARS
    perThousand:
      web_search: DOLLARS
    perUnit:
      images: DOLLARS
`,
    command: `pennyworth prices set 'acme/it'\\''s a model' --tier batch --input DOLLARS --class web_search=DOLLARS --class images=DOLLARS`,
  });
  expect(second).toMatchObject({ tier: "standard", classes: [{ class: "input", priced: true }], record: null });
});

describe("the trend of a model", () => {
  const [october, november, january] = [Date.UTC(2026, 9, 5), Date.UTC(2026, 10, 3), Date.UTC(2027, 0, 2)];

  it("holds what was paid against the list price of the time, and the tasks beside it", async () => {
    const { ask, asked } = setUp([], {
      lines: [
        // 3 million at 0.25 = 0.75, cached 1 million for 0.025; a search is no token.
        line("2026-10", october, "input", 3_000_000, "0.75"),
        line("2026-10", october, "cache_read", 1_000_000, "0.025"),
        line("2026-10", october, "web_search", 2, "0.02"),
        line("2026-11", november, "input", 1_000_000, "0.25"),
        line("2027-01", january, "input", 7, "0.000001"),
      ],
      buckets: [
        { bucket: "2026-10", calls: 4, tasks: 2, taskCost: "0.795" },
        { bucket: "2026-11", calls: 1, tasks: 0, taskCost: "0" },
        { bucket: "2027-01", calls: 1, tasks: 3, taskCost: "0.1" },
      ],
      truncated: false,
    });
    const { body } = await ask(`/trend?${mini}&since=2026-10-01&until=2027-02-01`);
    const changesMs = [Date.UTC(2027, 0)];
    expect(asked).toEqual([
      {
        provider: "openai",
        model: "gpt-5-mini",
        sinceMs: Date.UTC(2026, 9),
        untilMs: Date.UTC(2027, 1),
        by: "month",
        changesMs,
        dailyMs: [],
        limit: 10_000,
      },
    ]);
    const [first, second, third] = body["buckets"] as Record<string, unknown>[];
    // 0.775 for 4 million tokens; by the list 4 × 0.25 = 1.
    expect(first).toMatchObject({
      bucket: "2026-10",
      fromMs: Date.UTC(2026, 9),
      toMs: Date.UTC(2026, 10),
      calls: 4,
      tokens: 4_000_000,
      cost: "0.775",
      otherCost: "0.02",
      perMillion: "0.19375",
      listCost: "1",
      listPerMillion: "0.25",
      paidShare: "0.775",
      input: { tokens: 4_000_000, cost: "0.775", perMillion: "0.19375", list: "0.25" },
      output: { tokens: 0, cost: "0", perMillion: null, list: null },
      tasks: 2,
      taskCost: "0.795",
      perTask: "0.3975",
      tokenIndex: "100",
      taskIndex: "100",
    });
    // 0.25 / 0.19375 = 129.03 %.
    expect(second).toMatchObject({ perMillion: "0.25", paidShare: "1", tokenIndex: "129.03", perTask: null, taskIndex: null });
    // 7 tokens at 0.125 a million are 0.000000875; 0.000001 / 7 × a million = 0.142857; 0.1 / 3 = 0.033333, of 0.3975: 8.39 %.
    expect(third).toMatchObject({ listCost: "0.000000875", perMillion: "0.142857", perTask: "0.033333", taskIndex: "8.39" });
    expect(body["announced"]).toEqual([{ fromMs: Date.UTC(2027, 0), input: "0.125", output: null }]);
  });

  it("does not know what a token costs by the list that has no price for it", async () => {
    const { ask } = setUp([], {
      lines: [line("2026-11-16", Date.UTC(2026, 10, 17), "output", 10, "0.00002")],
      buckets: [{ bucket: "2026-11-16", calls: 1, tasks: 0, taskCost: "0" }],
      truncated: false,
    });
    const { body } = await ask(`/trend?${mini}&by=week`);
    expect(body["buckets"]).toMatchObject([
      {
        toMs: Date.UTC(2026, 10, 23),
        perMillion: "2",
        listCost: null,
        listPerMillion: null,
        paidShare: null,
        output: { perMillion: "2", list: null },
      },
    ]);
  });

  it("is held against the lists, and split where they change, whatever the user's own price is", async () => {
    const { ask, asked, context } = setUp([], {
      lines: [line("2026-11", november, "input", 1_000_000, "0.25")],
      buckets: [{ bucket: "2026-11", calls: 1, tasks: 0, taskCost: "0" }],
      truncated: false,
    });
    const { find, history } = context.prices;
    context.prices.listed = () => ({
      find: (query) => {
        const found = find(query);
        return found && { ...found, lines: found.lines.map((one) => ({ ...one, ratePico: 2n * one.ratePico })) };
      },
      history: (query) => history(query)?.map((span) => ({ ...span, toMs: span.toMs && span.toMs + 86_400_000 })) ?? null,
    });
    const { body } = await ask(`/trend?${mini}`);
    expect(body["buckets"]).toMatchObject([{ cost: "0.25", listCost: "0.5", paidShare: "0.5", input: { list: "0.5" } }]);
    expect(asked[0]?.changesMs).toEqual([Date.UTC(2027, 0), Date.UTC(2027, 0, 2)]);
  });

  it("is refused where it would be cut off", async () => {
    const { ask } = setUp([], { lines: [], buckets: [], truncated: true });
    expect((await ask(`/trend?${mini}&by=day`)).body["error"]).toMatchObject({ message: expect.stringContaining("shorter span") });
  });
});
