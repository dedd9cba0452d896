import { describe, expect, it } from "vitest";
import { createPriceBook } from "./book.ts";
import type { Derivation, PriceLayer, PriceRecord } from "./price.ts";
import type { UsageClass } from "./usage.ts";

const half: Derivation = {
  id: "half@1",
  provider: "p",
  tier: "batch",
  classes: ["input", "output", "output_image"],
  from: null,
  times: "0.5",
  except: [],
  source: "",
};

function layer(
  source: string,
  tiers: Readonly<Record<string, Readonly<Partial<Record<UsageClass, string>>>>>,
  rest: Partial<PriceLayer> = {},
): PriceLayer {
  const records = Object.entries(tiers).map(([tier, prices]): PriceRecord => ({
    id: `${source}@1/p/m@tier=${tier}`,
    provider: "p",
    model: "m",
    match: { equals: "m" },
    contextWindow: null,
    tier,
    region: null,
    prices: Object.fromEntries(Object.entries(prices).map(([name, usd]) => [name, { per: 1, steps: [{ aboveTokens: -1, usd }] }])),
    validFromMs: null,
    validToMs: null,
    window: null,
  }));
  return { name: `${source}@1`, source, origin: "", own: false, records, discounts: [], choices: [], ...rest };
}

function versions(layers: readonly PriceLayer[], tier: string): Readonly<Partial<Record<UsageClass, string>>> {
  const book = createPriceBook({ layers, derivations: [half], fallbacks: {}, pricesOf: {} });
  const tariff = book.find({ provider: "p", model: "m", tier, region: null, atMs: 0 });
  return Object.fromEntries(Object.entries(tariff?.prices ?? {}).map(([name, [step]]) => [name, step?.price]));
}

describe("a list that fills in", () => {
  const base = layer("base", { standard: { input: "4", output: "8" } });
  const imported = layer("map", { standard: { input: "5", cache_read: "1" }, batch: { input: "3", cache_read: "1" } }, { fills: true });

  it("prices what nothing else does, and leaves to a rule what the rule prices", () => {
    expect(versions([base, imported], "standard")).toMatchObject({
      input: "base@1/p/m@tier=standard#input",
      cache_read: "map@1/p/m@tier=standard#cache_read",
    });
    expect(versions([base, imported], "batch")).toMatchObject({
      input: "base@1/p/m@tier=standard#input by half@1",
      cache_read: "map@1/p/m@tier=batch#cache_read",
    });
  });

  it("goes before a rule that would reckon from its own price, and before all when it was chosen", () => {
    expect(versions([imported], "batch")).toMatchObject({ input: "map@1/p/m@tier=batch#input" });
    const choice = { provider: "p", match: { equals: "m" }, source: "map" };
    expect(versions([{ ...base, choices: [choice] }, imported], "batch")).toMatchObject({ input: "map@1/p/m@tier=batch#input" });
  });

  it("is not what ships beside the base list: that goes before a rule", () => {
    expect(versions([base, layer("tiers", { batch: { input: "3" } })], "batch")).toMatchObject({ input: "tiers@1/p/m@tier=batch#input" });
  });
});

describe("a tier of its own", () => {
  it("does not take a class's price from another class where the standard tier prices it apart", () => {
    const base = layer("base", { standard: { input: "4", output: "8", output_image: "60", input_audio: "9" } });
    const tiers = layer("tiers", { batch: { input: "3", output: "5" }, priority: { input: "8", output: "16" } });
    expect(versions([base, tiers], "batch")).toMatchObject({
      output: "tiers@1/p/m@tier=batch#output",
      output_image: "base@1/p/m@tier=standard#output_image by half@1",
    });
    const priority = versions([base, tiers], "priority");
    expect(priority.reasoning).toBe("tiers@1/p/m@tier=priority#output");
    expect([priority.output_image, priority.input_audio]).toEqual([undefined, undefined]);
  });

  it("has one price for writes to a cache, whichever name its list gives them", () => {
    const base = layer("base", { standard: { input: "4", cache_write: "5" } });
    const fast = versions([base, layer("tiers", { fast: { input: "8", cache_write: "10" } })], "fast");
    expect(fast.cache_write_5m).toBe("tiers@1/p/m@tier=fast#cache_write");
    expect(fast.cache_read).toBeUndefined();
  });
});

describe("the user's own price of a tier", () => {
  it("holds for what it includes, where a vendor's rule would say otherwise", () => {
    const reasoned: Derivation = { ...half, classes: ["input", "output", "reasoning"] };
    const base = layer("base", { standard: { input: "4", output: "8" } });
    const mine = layer("own", { batch: { output: "3" } }, { own: true });
    const book = createPriceBook({ layers: [mine, base], derivations: [reasoned], fallbacks: {}, pricesOf: {} });
    const prices = book.find({ provider: "p", model: "m", tier: "batch", region: null, atMs: 0 })?.prices;
    expect([prices?.output?.[0]?.price, prices?.reasoning?.[0]?.price]).toEqual([
      "own@1/p/m@tier=batch#output",
      "own@1/p/m@tier=batch#output",
    ]);
    expect(prices?.input?.[0]?.price).toBe("base@1/p/m@tier=standard#input by half@1");
  });
});
