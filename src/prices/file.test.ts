import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type UsageClass, usageClasses } from "../core/usage.ts";
import { priceSchema, readFile, writeFile } from "./file.ts";

const options = { format: null, source: null, published: null } as const;
const read = (text: string) => readFile(text, options).list;
const one = (line: string) => read(`prices:\n  - ${line}\n`).records[0];

describe("a price file", () => {
  it("says what a price is of, when, and how it is billed", () => {
    const [record] = read(`
prices:
  - provider: openai
    model: gpt-5*
    tier: Priority
    region: eu
    from: 2026-07-01
    to: 2026-08-01T12:00:00Z
    window: 16:30-00:30
    perMillion:
      input: 1.25
      output: { steps: [{ above: 0, usd: 10 }, { above: 200000, usd: 15.10 }], marginal: true, atLeast: 3 }
    minimum: 0.0001
    context: 400000
`).records;
    expect(record).toMatchObject({
      provider: "openai",
      model: "gpt-5*",
      match: { regex: "^gpt-5.*$" },
      tier: "priority",
      region: "eu",
      validFromMs: Date.UTC(2026, 6, 1),
      validToMs: Date.UTC(2026, 7, 1, 12),
      window: { fromMs: 59_400_000, toMs: 1_800_000 },
      minimumUsd: "0.0001",
      contextWindow: 400_000,
      prices: {
        input: { per: 1_000_000, steps: [{ aboveTokens: -1, usd: "1.25" }] },
        output: {
          per: 1_000_000,
          steps: [
            { aboveTokens: -1, usd: "10" },
            { aboveTokens: 200_000, usd: "15.1" },
          ],
          marginal: true,
          atLeast: 3,
        },
      },
    });
  });

  it.each([
    // A number beyond what a float keeps, with and without quotes, in YAML and in JSON.
    ["{provider: a, model: b, perMillion: {input: 0.12345678901234567891}}", "0.12345678901234567891"],
    ['{provider: a, model: b, perMillion: {input: "0.12345678901234567891"}}', "0.12345678901234567891"],
    ['{"provider": "a", "model": "b", "perMillion": {"input": 0.12345678901234567891}}', "0.12345678901234567891"],
    ["{provider: a, model: b, perMillion: {input: 1.5e-7}}", "0.00000015"],
    ["{provider: a, model: b, perMillion: {input: 3}}", "3"],
    ["{provider: a, model: b, perMillion: {input: 0}}", "0"],
  ])("reads a decimal as it is written: %s", (line, usd) => {
    expect(one(line)?.prices.input?.steps).toEqual([{ aboveTokens: -1, usd }]);
  });

  it.each([
    ["perMillion: {input: 1}", "input", 1_000_000],
    ["perThousand: {web_search: 10}", "web_search", 1000],
    ["perUnit: {images: 0.04}", "images", 1],
    ["perHour: {hosting: 3}", "hosting", 3600],
    ["perHour: {compute: 3}", "compute", 3_600_000],
    ["perHour: {input_audio_seconds: 0.36}", "input_audio_seconds", 3600],
    // Token-hours: a million of them, and one.
    ["perMillion: {cache_storage: 4.50}", "cache_storage", 3_600_000_000],
    ["perHour: {cache_storage: 0.0000045}", "cache_storage", 3600],
  ] as const)("knows how many of what is counted a price is for: %s", (prices, name, per) => {
    expect(one(`{provider: a, model: b, ${prices}}`)?.prices[name]?.per).toBe(per);
  });

  it("holds discounts, and choices between sources", () => {
    const { discounts, choices } = read(`
discounts: [{ provider: azure-eu, model: "gpt-*", classes: [input, output], tiers: [batch, default], times: 0.85, from: 2026-01-01 }]
choices: [{ provider: openai, model: gpt-4o, source: litellm }]
`);
    expect(discounts).toMatchObject([
      { provider: "azure-eu", match: { regex: "^gpt-.*$" }, tiers: ["batch", "standard"], times: "0.85", validToMs: null },
    ]);
    expect(discounts[0]?.id).toMatch(/^own@[0-9a-f]{12}\/azure-eu~0\.85@2026-01-01$/);
    expect(choices).toEqual([{ provider: "openai", match: { equals: "gpt-4o" }, source: "litellm" }]);
  });

  it("gives a record that did not change the version it had, whatever stands around it", () => {
    const line = "{provider: a, model: b, perMillion: {input: 1}}";
    const [alone] = read(`prices: [${line}]`).records;
    const [, beside] = read(`prices: [{provider: z, model: z, perMillion: {input: 9}}, ${line.replace("1}", "1.0}")}]`).records;
    expect(alone?.id).toMatch(/^own@[0-9a-f]{12}\/a\/b$/);
    expect(beside?.id).toBe(alone?.id);
    expect(one("{provider: a, model: b, perMillion: {input: 2}}")?.id).not.toBe(alone?.id);
  });
});

it("takes what is at the edge of what can be used", () => {
  expect(one("{provider: a, model: b, perUnit: {input: 999999.999999999999}}")?.prices.input?.steps[0]?.usd).toBe("999999.999999999999");
  const { discounts } = read("discounts: [{provider: a, times: 10}, {provider: b, times: 0}, {provider: c, times: 0.333333333333}]");
  expect(discounts.map(({ times }) => times)).toEqual(["10", "0", "0.333333333333"]);
});

describe("docs/pricefile.md", () => {
  const page = readFileSync(new URL("../../docs/pricefile.md", import.meta.url), "utf8");

  it("shows files that can be read", () => {
    const blocks = [...page.matchAll(/^```yaml prices\n([\s\S]*?)^```/gm)].map(([, text = ""]) => text);
    expect(blocks).toHaveLength(1);
    const list = read(blocks[0] ?? "");
    expect([list.records.length, list.discounts.length, list.choices.length]).toEqual([7, 2, 1]);
  });

  it("lists every setting", () => {
    const table = page.slice(page.indexOf("| setting"), page.indexOf("Two records"));
    for (const name of ["source", ...Object.keys(priceSchema.shape), "times"]) expect(table).toMatch(new RegExp(`[\`.]${name}\``));
  });
});

const record = (line: string): string => `prices:\n  - {provider: good, model: good, perMillion: {input: 1}}\n  - ${line}\n`;

describe("an error in a price file refuses it whole, with line and reason", () => {
  it.each([
    ["", "line 1, column 1: expected a mapping"],
    ["prices: [", "line 1, column 10"],
    ["prices:\n\t- a", "line 2, column 1: Tabs are not allowed"],
    [record("{provider: a, model: b, perMillion: {imput: 1}}"), "line 3, column 49: imput is no usage class; the nearest is input"],
    [record("{provider: a, perMillion: {input: 1}}"), "line 3, column 6: prices.1.model: is missing"],
    [
      record("{provider: a, model: b, perMillion: {input: -1}}"),
      "line 3, column 49: prices.1.perMillion.input: expected a decimal number, zero or more",
    ],
    [record("{provider: a, model: b, perMillion: {input: 0x10}}"), "expected a decimal number"],
    [
      record("{provider: a, model: b, perMillion: {input: 1e-31}}"),
      "line 3, column 49: prices.1.perMillion.input: expected a decimal number of at most 30 decimals",
    ],
    [record("{provider: a, model: b, perMillion: {input: 1,5}}"), "line 3"],
    [record("{provider: a, model: b, perMillion: {input: free}}"), "expected a decimal number"],
    [record("{provider: a, model: b, price: 3}"), "prices.1.price: no such setting"],
    [record("{provider: a, model: b}"), "line 3, column 6: no price is given"],
    [record("{provider: a, model: b, perMillion: {input: 1}, perThousand: {input: 1}}"), "input is priced twice"],
    [record("{provider: a, model: b, perMillion: {input: 1}, from: 2026-02-30}"), "expected a day"],
    [record("{provider: a, model: b, perMillion: {input: 1}, from: 2026-03-01, to: 2026-03-01}"), "to is not after from"],
    [record("{provider: a, model: b, perMillion: {input: 1}, window: 25:00-26:00}"), "expected times of day"],
    [record("{provider: a, model: b, perMillion: {input: {steps: [{above: 5, usd: 1}]}}}"), "the first step must be above: 0"],
    [
      record("{provider: a, model: b, perMillion: {input: {steps: [{above: 0, usd: 1}, {above: 0, usd: 2}]}}}"),
      "a step above 0 comes after one above 0",
    ],
    [
      record("{provider: a, model: b, perMillion: {input: {steps: [{above: 0, usd: x}]}}}"),
      "prices.1.perMillion.input.steps.0.usd: expected a decimal",
    ],
    [record("{provider: a, model: b, perHour: {input: 1}}"), "perHour is for what is counted in time, and input is counted by the token"],
    [record("{provider: a, model: b, perMillion: {input: 1}, minimum: 0.0000000000001}"), "at most 12 decimals"],
    [
      record("{provider: good, model: GOOD, perMillion: {output: 1}, from: 2026-01-01}"),
      "line 3, column 6: good/GOOD has a price for the same time already, at line 2, column 6",
    ],
    ["discounts:\n  - {provider: a, times: 85}", "85 is what is paid of each dollar"],
    ["discounts:\n  - {provider: a, times: 10.000000000001}", "line 2, column 26: 10.000000000001 is what is paid of each dollar"],
    ["discounts:\n  - {provider: a, times: 1e-30}", "line 2, column 26: what is paid of each dollar has at most 12 decimals"],
    ["discounts:\n  - {provider: a, times: -0.1}", "expected a decimal number, zero or more"],
    [record("{provider: a, model: b, perMillion: {__proto__: 1}}"), "line 3, column 42: __proto__: no such setting"],
    [record("{provider: a, model: b, perMillion: {input: 1}, __proto__: {a: 1}}"), "__proto__: no such setting"],
    [record('{provider: a, model: "b\\u0007c", perMillion: {input: 1}}'), "prices.1.model: a name has no control characters"],
    [record('{provider: "a\\nb", model: b, perMillion: {input: 1}}'), "prices.1.provider: a name has no control characters"],
    [record('{provider: a, model: "b\\u202ec", perMillion: {input: 1}}'), "a name has no control characters"],
    [record('{provider: a, model: b, tier: "x\\u001b[1m", perMillion: {input: 1}}'), "a name has no control characters"],
    ['discounts:\n  - {provider: a, model: "x\\ty", times: 1}', "a name has no control characters"],
    [
      record("{provider: a, model: b, perUnit: {input: 9000000}}"),
      "line 3, column 46: one of it would cost $9000000, more than a call may cost ($999,999.99)",
    ],
    [record("{provider: a, model: b, perMillion: {input: {steps: [{above: 0, usd: 1}, {above: 5, usd: 1e12}]}}}"), "$1000000, more than"],
    [record("{provider: a, model: b, perMillion: {input: 1}, minimum: 1000000}"), "one of it would cost $1000000"],
    ["prices: []\nprices: []", "Map keys must be unique"],
    ["prices: []\nprice: []", "line 2, column 8: price: no such setting"],
  ])("%j", (text, reason) => {
    expect(() => read(text)).toThrow(reason);
    expect(() => read(text)).toThrow("nothing of it was taken");
  });

  it("but hours of the day, tiers, regions and following days stand beside each other", () => {
    const text = [
      "{provider: a, model: b, perMillion: {input: 1}, to: 2026-02-01}",
      "{provider: a, model: b, perMillion: {input: 2}, from: 2026-02-01}",
      "{provider: a, model: b, perMillion: {input: 3}, window: 22:00-02:00}",
      "{provider: a, model: b, perMillion: {input: 4}, window: 02:00-04:00}",
      "{provider: a, model: b, perMillion: {input: 5}, tier: batch}",
      "{provider: a, model: b, perMillion: {input: 6}, region: eu}",
    ];
    expect(read(`prices:\n  - ${text.join("\n  - ")}`).records).toHaveLength(6);
    expect(() => read(`prices:\n  - ${text[2]}\n  - {provider: a, model: b, perMillion: {input: 9}, window: 01:00-03:00}`)).toThrow(
      "same time already",
    );
  });
});

describe("a price file that is written", () => {
  const decimal = fc.tuple(fc.nat(999), fc.stringMatching(/^\d{0,15}[1-9]$/)).map(([whole, fraction]) => `${whole}.${fraction}`);
  const token = fc.constantFrom(...(Object.keys(usageClasses) as UsageClass[]).filter((name) => usageClasses[name].unit === "token"));
  const price = fc.oneof(
    decimal,
    fc.record({
      steps: fc
        .uniqueArray(fc.integer({ min: 1, max: 1_000_000 }), { maxLength: 3 })
        .chain((above) =>
          fc.tuple(...[0, ...above.toSorted((a, b) => a - b)].map((tokens) => decimal.map((usd) => ({ above: tokens, usd })))),
        ),
      marginal: fc.boolean(),
      atLeast: fc.integer({ min: 1, max: 5000 }),
    }),
  );
  const day = fc
    .integer({ min: 0, max: 5000 })
    .map((days) => new Date(Date.UTC(2020, 0, 1) + days * 86_400_000).toISOString().slice(0, 10));
  const entry = fc.record(
    {
      tier: fc.constantFrom("batch", "priority", "x"),
      region: fc.constantFrom("eu", "us-east-1"),
      from: day,
      window: fc.constantFrom("00:30-16:30", "22:00-02:00"),
      perThousand: fc.record({ web_search: decimal }),
      perHour: fc.record({ hosting: decimal }),
      minimum: fc.constantFrom("0.0001", "2"),
      context: fc.integer({ min: 1, max: 2_000_000 }),
    },
    { requiredKeys: [] },
  );

  it("reads back equal, whatever it says", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(entry, fc.dictionary(token, price, { minKeys: 1, maxKeys: 4 })), { maxLength: 5 }), (entries) => {
        const prices = entries.map(([rest, perMillion], index) => ({ ...rest, provider: "p", model: `m.${index}-*`, perMillion }));
        const list = read(JSON.stringify({ prices, discounts: [{ provider: "p", model: "m*", times: "0.85" }] }));
        expect(read(writeFile(list))).toEqual(list);
      }),
      { numRuns: 100 },
    );
  });
});
