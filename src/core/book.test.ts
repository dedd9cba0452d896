import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BookParts, bookOf, toLayer } from "./book.fixture.ts";
import { type Discount, type PriceQuery, type PriceRecord, priceTier } from "./price.ts";
import { compileMatch, wildcardRule } from "./match.ts";
import { formatRate } from "./money.ts";
import type { UsageClass } from "./usage.ts";

const day = (text: string): number => Date.parse(text);

function record(changes: Partial<PriceRecord> & { readonly usd?: { readonly [name in UsageClass]?: string } }): PriceRecord {
  const { usd = { input: "1", output: "2" }, ...rest } = changes;
  return {
    id: "list@1/acme/one",
    provider: "acme",
    model: "one",
    match: { equals: "one" },
    contextWindow: null,
    tier: "standard",
    region: null,
    prices: Object.fromEntries(
      Object.entries(usd).map(([name, text]) => [name, { per: 1_000_000, steps: [{ aboveTokens: -1, usd: text }] }]),
    ),
    validFromMs: null,
    validToMs: null,
    window: null,
    ...rest,
  };
}

function query(changes: Partial<PriceQuery> = {}): PriceQuery {
  return { provider: "acme", model: "one", tier: null, region: null, atMs: day("2026-06-15T12:00:00Z"), ...changes };
}

function hours(from: number, to: number): { readonly fromMs: number; readonly toMs: number } {
  return { fromMs: from * 3_600_000, toMs: to * 3_600_000 };
}

function at(time: string): { readonly atMs: number } {
  return { atMs: day(`2026-06-15T${time}Z`) };
}

function book(parts: BookParts) {
  const made = bookOf(parts);
  return {
    made,
    find: (changes: Partial<PriceQuery> = {}) => made.find(query(changes)),
    findAll: (changes: Partial<PriceQuery> = {}) => made.findAll(query(changes)),
    usd: (name: UsageClass, changes: Partial<PriceQuery> = {}) => {
      const step = made.find(query(changes))?.prices[name]?.[0];
      return step === undefined ? null : formatRate(step.rate, 1_000_000n);
    },
  };
}

describe("spans", () => {
  const { usd, find } = book({
    listed: [
      record({ id: "list@1/acme/one", validFromMs: day("2026-01-01"), validToMs: day("2026-06-01"), usd: { input: "5" } }),
      record({ id: "list@1/acme/one@2026-06-01", validFromMs: day("2026-06-01"), usd: { input: "4" } }),
    ],
  });

  it("change at midnight UTC of their day", () => {
    expect(usd("input", { atMs: day("2026-06-01") - 1 })).toBe("5");
    expect(usd("input", { atMs: day("2026-06-01") })).toBe("4");
  });

  it("before the first one nothing is known", () => {
    expect(find({ atMs: day("2025-12-31") })).toBeNull();
  });
});

describe("daily windows", () => {
  it("hold from their first minute to the one before their last", () => {
    const { usd } = book({ listed: [record({ usd: { input: "2" } }), record({ usd: { input: "1" }, window: hours(9, 17) })] });
    expect(["08:59:59", "09:00:00", "16:59:59", "17:00:00"].map((time) => usd("input", at(time)))).toEqual(["2", "1", "1", "2"]);
  });

  it("go over midnight", () => {
    const { usd, findAll } = book({ listed: [record({ usd: { input: "2" } }), record({ usd: { input: "1" }, window: hours(22, 4) })] });
    expect(["21:59:59", "22:00:00", "00:00:00", "03:59:59", "04:00:00"].map((time) => usd("input", at(time)))).toEqual([
      "2",
      "1",
      "1",
      "1",
      "2",
    ]);
    expect(findAll(at("12:00:00"))).toHaveLength(2);
  });
});

describe("names", () => {
  const listed = [
    record({ model: "mini", match: { starts_with: "one-mini" }, usd: { input: "1" } }),
    record({ model: "one", match: { starts_with: "one" }, usd: { input: "3" } }),
    record({ provider: "origin", model: "deep", match: { equals: "deep-2025-01-02" }, usd: { input: "7" } }),
  ];
  const { find, usd } = book({ listed, fallbacks: { acme: ["origin"] }, pricesOf: { resold: ["acme"], both: ["origin", "acme"] } });

  it("go to the first rule that matches, in the list's order", () => {
    expect(usd("input", { model: "one-mini-2026" })).toBe("1");
    expect(usd("input", { model: "one-2026" })).toBe("3");
    expect(find({ model: "one-2026" })?.rule).toBe("starts_with one");
  });

  it("are compared without case, and with a leading provider/ left out", () => {
    expect(usd("input", { model: " ACME/One " })).toBe("3");
    expect(find({ model: "other/one" })).toBeNull();
  });

  it("find a snapshot however its date is spelled, also in the list of who is resold", () => {
    expect(usd("input", { model: "deep-20250102" })).toBe("7");
    expect(find({ model: "deep-20250102" })?.provider).toBe("origin");
  });

  it("of a provider with another's prices are looked up there", () => {
    expect(usd("input", { provider: "resold", model: "one" })).toBe("3");
    expect(usd("input", { provider: "both", model: "one" })).toBe("3");
    expect(find({ provider: "unheard" })).toBeNull();
  });

  it("that nobody would take for a model match nothing", () => {
    expect(find({ model: `one${"x".repeat(300)}` })).toBeNull();
  });

  it("are forgotten before they fill the memory", () => {
    for (let index = 0; index < 40_000; index += 1) find({ model: `one-${index}` });
    expect(usd("input", { model: "one-mini" })).toBe("1");
  });
});

describe("classes without a price of their own", () => {
  it("have the price of the class that includes them, under its name", () => {
    const { find } = book({ listed: [record({})] });
    const prices = find()?.prices;
    for (const name of ["cache_read", "cache_write", "cache_write_5m", "input_audio", "input_image", "input_video"] as const)
      expect(prices?.[name]?.[0]?.price).toBe("list@1/acme/one#input");
    for (const name of ["reasoning", "output_audio", "output_image"] as const)
      expect(prices?.[name]?.[0]?.price).toBe("list@1/acme/one#output");
  });

  it("stay without one where nothing includes them", () => {
    const { find } = book({ listed: [record({ usd: { input: "1", cache_write: "1.25", output: "2" } })] });
    expect(find()?.prices.cache_write_5m?.[0]?.price).toBe("list@1/acme/one#cache_write");
    for (const name of ["cache_write_1h", "web_search", "file_search", "input_pages", "request"] as const)
      expect(find()?.prices[name]).toBeUndefined();
  });

  it("stay without one where two could include them", () => {
    const { find } = book({ listed: [record({ usd: { input: "1", cache_read: "0.1", input_audio: "9" } })] });
    expect(find()?.prices.cache_read_audio).toBeUndefined();
    expect(find()?.prices.cache_read_image?.[0]?.price).toBe("list@1/acme/one#cache_read");
  });
});

function wild(model: string, input: string): PriceRecord {
  return record({ id: `own@${model}/acme/${model}`, model, match: wildcardRule(model), usd: { input } });
}

function between(from: number, to: number, input: string): PriceRecord {
  return record({ id: `own@${input}/acme/one`, usd: { input }, window: hours(from, to) });
}

describe("the user's own prices", () => {
  const { usd, find } = book({
    listed: [record({ usd: { input: "5", cache_read: "0.5", output: "25" } })],
    own: [
      record({ id: "own@a/acme/one", usd: { input: "4", output: "0" }, validFromMs: day("2026-03-01"), validToMs: day("2026-07-01") }),
      record({ id: "own@b/local/llama", provider: "local", model: "llama*", match: { regex: "^llama.*$" }, usd: { input: "0.1" } }),
    ],
  });

  it("go before the listed ones, class by class, in their time", () => {
    expect([usd("input"), usd("cache_read"), usd("output")]).toEqual(["4", "0.5", "0"]);
    expect(usd("input", { atMs: day("2026-02-28") })).toBe("5");
    expect(usd("input", { atMs: day("2026-07-01") })).toBe("5");
    expect(find()?.own).toBe(true);
    expect(find({ atMs: day("2026-07-01") })?.own).toBe(false);
  });

  it("of a whole name go before wildcards, and of these the one that says more, in whatever order they were given", () => {
    const rows = [wild("gpt*", "1"), wild("gpt-4o*", "2"), wild("gpt-4o-mini", "3")];
    for (const own of [rows, rows.toReversed()]) {
      const { usd: of } = book({ own });
      expect(["gpt-5", "gpt-4o-2024", "gpt-4o-mini"].map((model) => of("input", { model }))).toEqual(["1", "2", "3"]);
    }
  });

  it("a name that has no price yet, or none of a class, leaves it to the wildcard that has", () => {
    const later = { ...wild("gpt-4o", "9"), validFromMs: day("2027-01-01") };
    const { usd: of } = book({ own: [wild("gpt*", "1"), later] });
    expect([of("input", { model: "gpt-4o" }), of("input", { model: "gpt-4o", atMs: day("2027-02-01") })]).toEqual(["1", "9"]);
  });

  it("of one place are what was said last, also where hours overlap", () => {
    const { usd: of } = book({ own: [between(10, 12, "1"), between(11, 13, "2")] });
    expect(["10:30:00", "11:30:00", "12:30:00"].map((time) => of("input", at(time)))).toEqual(["1", "2", "2"]);
  });

  it("make a provider that no list knows", () => {
    expect(usd("input", { provider: "local", model: "llama-3.gguf" })).toBe("0.1");
  });
});

describe("tiers", () => {
  const derivations = [
    {
      id: "half@1",
      provider: "acme",
      tier: "flex",
      classes: ["input", "cache_read", "output"] as const,
      from: null,
      times: "0.5",
      except: [{ model: "one", class: "cache_read" as const }],
      source: "a rule",
    },
  ];
  const { find, usd, made } = book({ listed: [record({})], derivations });

  it.each([null, "", "auto", "default", "standard", "STANDARD", "on_demand"])("%s is the list price", (tier) => {
    expect(priceTier(tier)).toBe("standard");
    expect(usd("input", { tier })).toBe("1");
  });

  it("without prices of their own have none, rather than another's", () => {
    expect(find({ tier: "priority" })).toMatchObject({ model: "one", tier: "priority", prices: {} });
  });

  it("with a rule are scaled, but for what the rule leaves out", () => {
    expect([usd("input", { tier: "flex" }), usd("output", { tier: "flex" })]).toEqual(["0.5", "1"]);
    expect(find({ tier: "flex" })?.prices.cache_read).toBeUndefined();
    expect(find({ tier: "flex" })?.prices.input?.[0]?.price).toBe("list@1/acme/one#input by half@1");
  });

  it("with records of their own are priced by these", () => {
    const own = book({ listed: [record({}), record({ tier: "flex", usd: { input: "0.7" } })], derivations });
    expect(own.usd("input", { tier: "flex" })).toBe("0.7");
    expect(own.usd("input")).toBe("1");
  });

  it("say where a version came from", () => {
    expect(made.source("list@1/acme/one#input")).toBe("a list of list");
    expect(made.source("list@1/acme/one#input by half@1")).toBe("a list of list; a rule");
    expect(made.source("list@0/acme/one#input")).toBeNull();
  });
});

describe("regions", () => {
  it("fall back by time and by class on what is for no region", () => {
    const { usd } = book({
      listed: [record({ usd: { input: "0.25", output: "2" } })],
      own: [
        record({ id: "own@1/acme/one", usd: { input: "0.11" } }),
        record({ id: "own@2/acme/one@region=eu", region: "eu", validFromMs: day("2027-01-01"), usd: { input: "0.33" } }),
        record({ id: "own@3/acme/one@region=us", region: "us", usd: { output: "0.5" } }),
      ],
    });
    expect([usd("input", { region: "eu" }), usd("input", { region: "eu", atMs: day("2027-01-02") })]).toEqual(["0.11", "0.33"]);
    expect([usd("input", { region: "us" }), usd("output", { region: "us" }), usd("output")]).toEqual(["0.11", "0.5", "2"]);
  });

  it("have their own price where the list gives one", () => {
    const { usd } = book({ listed: [record({}), record({ region: "eu", usd: { input: "1.1" } })] });
    expect([usd("input"), usd("input", { region: "eu" }), usd("input", { region: "us" })]).toEqual(["1", "1.1", "1"]);
  });
});

describe("several lists", () => {
  const base = record({ usd: { input: "5" } });
  const other = record({ id: "other@1/acme/one", usd: { input: "6", output: "7" } });
  const third = record({ id: "third@1/acme/one", usd: { output: "8" } });

  it("price a class by the first that has it, and only fill in", () => {
    const { usd } = book({ listed: [base], layers: [toLayer("other", [other]), toLayer("third", [third])] });
    expect([usd("input"), usd("output")]).toEqual(["5", "7"]);
  });

  it("have the one that was chosen before the base, and after the user's own", () => {
    const choices = [{ provider: "acme", match: { equals: "one" }, source: "third" }];
    const { usd } = book({
      listed: [base],
      own: [record({ id: "own@1/acme/one", usd: { input: "1" } })],
      layers: [toLayer("other", [other], { choices }), toLayer("third", [third, { ...third, id: "third@1/acme/two", model: "two" }])],
    });
    expect([usd("input"), usd("output")]).toEqual(["1", "8"]);
  });

  it("fill in a tier that the base has not, and what has no price there is derived", () => {
    const flex = record({ id: "other@1/acme/one~flex", tier: "flex", usd: { input: "0.7" } });
    const derivations = [
      {
        id: "half@1",
        provider: "acme",
        tier: "flex",
        classes: ["input", "output"] as const,
        from: null,
        times: "0.5",
        except: [],
        source: "",
      },
    ];
    const { usd } = book({ listed: [record({})], layers: [toLayer("other", [flex])], derivations });
    expect([usd("input", { tier: "flex" }), usd("output", { tier: "flex" })]).toEqual(["0.7", "1"]);
  });
});

const discount = (changes: Partial<Discount>): Discount => ({
  id: "own@1/house~0.85",
  provider: "house",
  match: null,
  classes: null,
  tiers: null,
  times: "0.85",
  validFromMs: null,
  validToMs: null,
  ...changes,
});
const priced = (discounts: readonly Discount[], own: readonly PriceRecord[] = []) =>
  book({
    listed: [record({ usd: { input: "2", output: "4" } })],
    layers: [toLayer("own", own, { own: true, discounts })],
    pricesOf: { house: ["acme"] },
  });

describe("an account's discounts", () => {
  it("are taken off its own calls, and off no other account's", () => {
    const { usd, find } = priced([discount({})]);
    expect([usd("input", { provider: "house" }), usd("input")]).toEqual(["1.7", "2"]);
    expect(find({ provider: "house" })?.prices.input?.[0]?.price).toBe("list@1/acme/one#input by own@1/house~0.85");
  });

  it("hold in their time, for their classes, tiers and models, and multiply", () => {
    const { usd } = priced([
      discount({ validFromMs: day("2026-06-01"), validToMs: day("2026-07-01"), classes: ["input"] }),
      discount({ id: "own@2/house~0.5", times: "0.5", tiers: ["standard"], match: { equals: "one" } }),
      discount({ id: "own@3/house~0.1", times: "0.1", match: { equals: "two" } }),
    ]);
    const house = { provider: "house" };
    expect([usd("input", house), usd("output", house)]).toEqual(["0.85", "2"]);
    expect(usd("input", { ...house, atMs: day("2026-07-01") })).toBe("1");
  });

  it("leave the user's own price alone: it is what is paid", () => {
    const { usd } = priced([discount({})], [record({ id: "own@9/house/one", provider: "house", usd: { input: "3" } })]);
    expect([usd("input", { provider: "house" }), usd("output", { provider: "house" })]).toEqual(["3", "3.4"]);
  });
});

describe("the time line", () => {
  it("is cut at every change, and joined where nothing does", () => {
    const { made } = book({
      listed: [
        record({ validToMs: day("2026-06-01"), usd: { input: "5" } }),
        record({ id: "list@1/acme/one@2026-06-01", validFromMs: day("2026-06-01"), usd: { input: "4" } }),
      ],
      own: [record({ id: "own@1/acme/one", validFromMs: day("2026-07-01"), usd: { output: "9" } })],
    });
    const spans = made.slices({ provider: "acme", model: "one", tier: null, region: null });
    expect(spans?.map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual([
      [-Infinity, day("2026-06-01")],
      [day("2026-06-01"), day("2026-07-01")],
      [day("2026-07-01"), Infinity],
    ]);
  });

  it("has the record that began last, where two hold", () => {
    const { usd } = book({ listed: [record({ usd: { input: "1" } }), record({ validFromMs: day("2026-01-01"), usd: { input: "3" } })] });
    expect([usd("input"), usd("input", { atMs: day("2025-01-01") })]).toEqual(["3", "1"]);
  });
});

describe("a provider by the name of what every object has", () => {
  it.each(["constructor", "__proto__", "toString"])("is a provider like others: %s", (provider) => {
    const asked = { provider, model: "one" };
    expect(bookOf({}).find(query(asked))).toBeNull();
    const input = bookOf({ own: [record({ provider })] }).find(query(asked))?.prices.input?.[0];
    expect(input && formatRate(input.rate, 1_000_000n)).toBe("1");
  });
});

it("of rules that match a name, the first of the list goes, whole names and patterns alike", () => {
  const names = ["a", "A", "ab", "abc"];
  const rule = fc.oneof(
    fc.constantFrom(...names).map((equals) => ({ equals })),
    fc.constantFrom("a", "ab").map((starts_with) => ({ starts_with })),
    fc.constantFrom("b", "c").map((contains) => ({ contains })),
    fc.constantFrom(...names).map((equals) => ({ or: [{ equals }, { equals: "abc" }] })),
  );
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 8 }), (rules) => {
      const records = rules.map((match, index) => record({ model: `m${index}`, match }));
      const { find } = book({ listed: records });
      for (const name of ["a", "ab", "abc", "b"]) {
        const first = rules.findIndex((match) => compileMatch(match)(name) !== null);
        expect(find({ model: name })?.model ?? null).toBe(first < 0 ? null : `m${first}`);
      }
    }),
  );
});
