import { findProvider } from "@pydantic/genai-prices";
import { describe, expect, it } from "vitest";
import { formatOf, parseList } from "./parse.ts";
import { readSnapshotLists, readSnapshots } from "./snapshot.ts";

const options = { format: null, source: null, published: null } as const;
const nowMs = Date.parse("2026-11-21T12:00:00Z");

describe("the format of a price file", () => {
  it.each([
    ["prices: []", "pennyworth"],
    ["# mine\nchoices: []", "pennyworth"],
    ['{"prices": []}', "pennyworth"],
    ["{prices: []}", "pennyworth"],
    ['{"gpt-5": {"litellm_provider": "openai"}}', "litellm"],
    ['{"openai": {"id": "openai", "models": {}}}', "models.dev"],
    ["[]", "genai-prices"],
    ["date,snapshot,event,provider,model_key,field,old_usd,new_usd\n", "changes"],
  ])("of %j is %s", (text, format) => {
    expect(formatOf(text)).toBe(format);
  });

  it("is asked for where nothing tells it", () => {
    for (const text of ['{"a": 1}', "name,price\ngpt,3\n", "hello"])
      expect(() => parseList(text, options, nowMs)).toThrow("in no format of price files that is known: Pennyworth's own");
  });

  it("may come with a mark of its byte order", () => {
    expect(parseList("\uFEFFprices: [{provider: a, model: b, perMillion: {input: 1}}]", options, nowMs).list.records).toHaveLength(1);
  });

  it.each([
    [{ published: "2026-13-01" }, "is no day"],
    [{ published: "2026-11-22" }, "is yet to come"],
    [{ source: "My List" }, "is no name of a source"],
  ])("is not read with %j", (wrong, reason) => {
    expect(() => parseList("prices: []", { ...options, ...wrong }, nowMs)).toThrow(reason);
  });

  it("takes the prices of one provider, where one is named", () => {
    const text = JSON.stringify({
      "gpt-x": { litellm_provider: "openai", input_cost_per_token: 1e-6 },
      "xai/grok": { litellm_provider: "xai", input_cost_per_token: 2e-6 },
    });
    expect(parseList(text, { ...options, provider: "x-ai" }, nowMs).list.records.map(({ model }) => model)).toEqual(["grok"]);
  });
});

const litellm = (key: string, more: object = {}): string =>
  JSON.stringify(
    { good: { litellm_provider: "openai" }, [key]: { litellm_provider: "openai", input_cost_per_token: 1e-6, ...more } },
    null,
    1,
  );

describe("a price that cannot be used", () => {
  it.each([
    // The name stands on the fifth line of the text, escaped.
    [litellm("gpt\u0007x"), "line 5, column 2: openai/gpt\\u0007x: a name has no control characters"],
    [litellm("gpt\u202ex"), "line 5, column 2: openai/gpt\\u202ex: a name has no control characters"],
    [
      litellm("gpt-x", { input_cost_per_token: 9_000_000 }),
      "line 5, column 2: openai/gpt-x: input: one of it would cost $9000000, more than a call may cost",
    ],
    ['{"op\\nenai": {"models": {"m": {"cost": {"input": 1}}}}}', "line 1, column 26: op\\u000aenai/m: a name has no control characters"],
  ])("refuses a map of another tool, whole: %j", (text, reason) => {
    expect(() => parseList(text, options, nowMs)).toThrow(reason);
  });

  it("does not refuse what is only dear", () => {
    expect(parseList(litellm("gpt-x", { input_cost_per_token: 999_999 }), options, nowMs).list.records).toHaveLength(1);
  });
});

const read = (cost: unknown, provider = "anthropic", key = "claude-x") =>
  parseList(JSON.stringify({ [provider]: { models: { [key]: { cost, limit: { context: 200_000, output: 1 } } } } }), options, nowMs);

describe("models.dev's map", () => {
  it("is in dollars per million tokens, with steps for long prompts", () => {
    // The shape of api.json as its schema and its readers have it: tiers, and the older context_over_200k that says the same.
    const { list } = read({
      input: 3,
      output: 15,
      cache_read: 0.3,
      reasoning: 20,
      input_audio: 7,
      tiers: [{ input: 6, output: 22.5, tier: { type: "context", size: 200_000 } }],
      context_over_200k: { input: 6, output: 22.5 },
    });
    const [record] = list.records;
    const steps = Object.fromEntries(
      Object.entries(record?.prices ?? {}).map(([name, price]) => [name, price?.steps.map(({ aboveTokens, usd }) => [aboveTokens, usd])]),
    );
    expect(steps).toEqual({
      input: [
        [-1, "3"],
        [200_000, "6"],
      ],
      output: [
        [-1, "15"],
        [200_000, "22.5"],
      ],
      cache_read: [[-1, "0.3"]],
      reasoning: [[-1, "20"]],
      input_audio: [[-1, "7"]],
    });
    expect(record).toMatchObject({ provider: "anthropic", model: "claude-x", contextWindow: 200_000, validFromMs: null });
    expect(read({ input: 3, output: 15, context_over_200k: { input: 6 } }).list.records[0]?.prices.input?.steps).toHaveLength(2);
  });

  it("calls providers by names of its own", () => {
    expect(read({ input: 1 }, "amazon-bedrock").list.records[0]?.provider).toBe("aws");
    expect(read({ input: 1 }, "xai").list.records[0]?.provider).toBe("x-ai");
  });

  it("ccusage #1348: has 0 for what a subscription pays, and that is not free", () => {
    const { list, skipped } = read({ input: 0, output: 0 }, "github-copilot");
    expect(list.records).toEqual([]);
    expect(skipped[0]).toMatchObject({ count: 2, why: "0 may mean unknown, or that a subscription pays, and is not taken for free" });
    expect(read({ input: 0, output: 0 }, "openrouter", "x/y:free").list.records[0]?.prices.input?.steps[0]?.usd).toBe("0");
  });

  it.each([
    [{ input: -1 }, "anthropic/claude-x: input is no price: -1"],
    [{ input: "three" }, 'input is no price: "three"'],
    [{ input: 1, tiers: [{ input: 2, tier: { type: "context", size: "big" } }] }, "tiers is no price"],
    [[1], "cost is no mapping"],
  ])("is refused whole with %j", (cost, reason) => {
    expect(() => read(cost)).toThrow(/line 1, column \d+: /);
    expect(() => read(cost)).toThrow(reason);
  });
});

const bare = (records: readonly { readonly id: string }[]) => records.map(({ id, ...rest }) => ({ ...rest, id: id.replace(/^[^/]*/, "") }));

describe("genai-prices' data", () => {
  it("reads as the snapshot does that was made from the package", () => {
    const snapshots = readSnapshots();
    const data = snapshots.map(({ provider }) => findProvider({ providerId: provider }));
    const { list } = parseList(JSON.stringify(data), options, nowMs);
    expect(bare(list.records)).toEqual(bare(readSnapshotLists()[0]?.records ?? []));
  });

  it.each([
    [
      [{ id: "openai", models: [{ id: "gpt", match: { equals: "gpt" }, prices: { input_mtok: "dear" } }] }],
      "openai/gpt: input_mtok is no price",
    ],
    [[{ id: "openai", models: [{ id: "gpt", match: { regex: "(" }, prices: {} }] }], "openai/gpt: its rule cannot be read"],
    [[{ id: "openai" }], "a provider has no id or no models"],
  ])("is refused whole: %j", (data, reason) => {
    expect(() => parseList(JSON.stringify(data), options, nowMs)).toThrow(reason);
  });
});
