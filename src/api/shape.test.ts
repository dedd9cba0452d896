// Where tokens and money go, by HTTP: the store is asked what was meant, and its sums come out as figures that were worked out by hand.

import { describe, expect, it } from "vitest";
import type { ShapePage, StepSums } from "../ledger/shape.ts";
import { createApi } from "./app.ts";
import { createMemory, nowMs } from "./memory.fixture.ts";

interface Body {
  readonly error?: { readonly message: string };
  readonly [name: string]: unknown;
}

function setUp(page: Partial<ShapePage> = {}) {
  const context = createMemory([]);
  Object.assign(context.tasks.shape, page);
  const app = createApi(context);
  const ask = async (query = "", token = "reader") => {
    const response = await app.request(`/api/v1/shape${query}`, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, body: JSON.parse(await response.text()) as Body };
  };
  return { context, ask };
}

const row: StepSums = {
  step: "edit",
  provider: "openai",
  model: "gpt-5-mini",
  calls: 10,
  cost: "2",
  unpriced: 0,
  unmetered: 0,
  retries: 2,
  failed: 2,
  failedCost: "0.3",
  repeated: 1,
  repeatedCost: "0.1",
  inputTokens: 100_000,
  outputTokens: 2_000,
  tools: 7,
  toolsUnknown: 1,
  prompt: { system: 1_000, tools: 500, user: 100, earlier: 8_000, toolResults: 400 },
  promptUnknown: 0,
  continued: 8,
  grownTokens: 12_000,
  resentTokens: 40_000,
  resentCost: "0.01",
  resentUnpriced: 0,
  inputTokensMax: 40_000,
  classes: [],
};
const read: StepSums = {
  ...row,
  step: "read",
  cost: "0.5",
  failed: 0,
  failedCost: "0",
  repeated: 0,
  repeatedCost: "0",
  resentTokens: 0,
  resentCost: "0",
};
const page = {
  steps: [row, read],
  tasks: 4,
  callsMax: 9,
  depth: { max: 3, sum: 5 },
  types: [
    { type: "fix", calls: 20, cost: "2.5" },
    { type: "", calls: 3, cost: "0.1" },
    { type: null, calls: 1, cost: "0" },
  ],
};

describe("the shape", () => {
  it("has the sums by hand: by step, by kind, the prompt, the window, what grew, what was wasted", async () => {
    const { status, body } = await setUp(page).ask("?type=fix");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      type: "fix",
      tasks: 4,
      callsMax: 9,
      depth: { max: 3, mean: 1.25 },
      total: { calls: 20, cost: "2.5", failed: { calls: 2, cost: "0.3" }, inputTokens: 200_000, tools: 14, toolsUnknown: 2 },
      kinds: [
        { kind: "plan", calls: 0, cost: "0" },
        { kind: "act", calls: 10, cost: "2" },
        { kind: "observe", calls: 10, cost: "0.5" },
        { kind: "check", calls: 0, cost: "0" },
        { kind: null, calls: 0, cost: "0" },
      ],
      types: page.types,
      truncated: false,
      position: { segment: 1, offset: 4_096 },
    });
    expect((body["steps"] as unknown[])[0]).toMatchObject({
      step: "edit",
      kind: "act",
      models: ["gpt-5-mini"],
      retries: 2,
      // 100,000 tokens over 10,000 bytes.
      prompt: { tokens: { system: 10_000, tools: 5_000, user: 1_000, earlier: 80_000, toolResults: 4_000 }, unknown: 0 },
      growth: { calls: 8, tokens: 12_000, perCall: 1_500 },
      fill: { share: 0.1, tokens: 40_000, window: 400_000, model: "gpt-5-mini" },
    });
  });

  it("says what a cache would have saved by the prices at the span's end, and that it is not known where there is none", async () => {
    const { context, ask } = setUp(page);
    // The memory's model has a price of input alone.
    const unknown = await ask();
    expect(unknown.body).toMatchObject({
      total: { resent: { tokens: 40_000, cost: "0.01", saved: "0", unknownTokens: 40_000 } },
      worst: {
        step: "edit",
        saved: "0.4",
        share: 0.16,
        wastes: [
          { waste: "failed", saved: "0.3" },
          { waste: "repeated", saved: "0.1" },
        ],
      },
    });
    const { find } = context.prices;
    const asked: number[] = [];
    Object.assign(context.prices, {
      find: (query: Parameters<typeof find>[0]) => {
        asked.push(query.atMs);
        const found = find(query);
        const line = { class: "cache_read", aboveTokens: 0, ratePico: 25_000n, ratePer: 1n, version: "v1", source: "a list" };
        return found === null ? null : { ...found, lines: [...found.lines, line] };
      },
    });
    // 40,000 tokens at 0.025 a million are 0.001: 0.009 of the 0.01.
    const known = await ask("?since=2026-11-01&until=2026-11-02");
    expect(known.body).toMatchObject({ total: { resent: { saved: "0.009", unknownTokens: 0 } }, worst: { saved: "0.409" } });
    expect(asked[0]).toBe(Date.UTC(2026, 10, 2) - 1);
    expect(known.body["pricesMs"]).toBe(asked[0]);
    expect((known.body["wastes"] as unknown[])[2]).toEqual({
      waste: "resent",
      step: "edit",
      calls: null,
      tokens: 40_000,
      saved: "0.009",
      unknownTokens: 0,
      unpriced: 0,
    });
  });

  it("of nothing has no figures that are not known", async () => {
    const { body } = await setUp().ask();
    expect(body).toMatchObject({ tasks: 0, total: { calls: 0, cost: "0", growth: null, inputTokensMax: null, fill: null }, worst: null });
  });

  it("is cut where there are too many steps, and its total is not", async () => {
    const { body } = await setUp(page).ask("?limit=1");
    expect(body).toMatchObject({ truncated: true, total: { calls: 20 } });
    expect(body["steps"]).toHaveLength(1);
  });
});

describe("the question", () => {
  it("goes to the store with tokens for names, of the last seven days unless it says otherwise", async () => {
    const { context, ask } = setUp();
    await ask("?filter=customer%3DAcme+%26+%3Cb%3ESons%3C%2Fb%3E&type=");
    expect(context.asked.shape).toEqual([
      {
        type: "",
        sinceMs: nowMs - 7 * 86_400_000,
        untilMs: nowMs + 1,
        filters: [{ field: "customer", value: "n_00000000000000aa", operator: "=" }],
      },
    ]);
  });

  it.each([
    ["?filter=class%3Dinput", "the shape of tasks cannot be filtered by class; a report can"],
    ["?filter=stepp%3Dx", 'no field is called "stepp"; near it: step'],
    ["?limit=0", 'limit is "0": expected a whole number from 1'],
    ["?limit=501", "at most 500 rows are given at once"],
    ["?since=7d&until=14d", "is not before until"],
    ["?since=2999-01-01", "since begins in the future (2999-01-01T00:00:00.000Z): nothing has been used there yet"],
    ["?zone=Nowhere", 'no time zone is called "Nowhere"'],
    ["?types=x", "types"],
  ])("%s is refused with the reason", async (query, reason) => {
    const { status, body } = await setUp().ask(query);
    expect([status, body.error?.message]).toEqual([400, expect.stringContaining(reason)]);
  });

  it("needs a role that reads", async () => {
    expect((await setUp().ask("", "user")).status).toBe(403);
  });
});
