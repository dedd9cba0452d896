// Every export of test/fixtures/statements is read; what must come out was reckoned by hand from the file. Then what is wrong with a file, in words.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Statement } from "../core/statement.ts";
import { parseMeter } from "./azure.ts";
import { parseUsageType } from "./aws.ts";
import { parseItem } from "./costs.ts";
import { readStatement } from "./read.ts";

const folder = new URL("../../test/fixtures/statements/", import.meta.url);
const file = (name: string): { name: string; text: string } => ({ name, text: readFileSync(new URL(name, folder), "utf8") });
const read = (...names: readonly string[]): Statement => readStatement(names.map(file), null);

/** `day model class tier quantity cost`, in dollars. */
function linesOf(statement: Statement): string[] {
  return statement.lines.map((line) => {
    const cost = line.costPico === null ? "-" : (Number(line.costPico) / 1e12).toString();
    const day = new Date(line.fromMs).toISOString().slice(8, 10);
    return [day, line.model ?? "-", line.class ?? "-", line.tier ?? "-", line.quantity ?? "-", cost].join(" ");
  });
}

const page = (day: number, more: boolean): string =>
  JSON.stringify({
    data: [
      {
        start_time: 1_790_812_800 + day * 86_400,
        end_time: 1_790_899_200 + day * 86_400,
        results: [{ object: "organization.usage.completions.result", input_tokens: 10, output_tokens: 1, model: "m-1" }],
      },
    ],
    has_more: more,
  });

const series = (...texts: readonly string[]): string => `[${texts.join(",")}]`;
const readAll = (text: string): Statement => readStatement([{ name: "all.json", text }], null);
const other = (text: string): string => text.replaceAll("m-1", "m-2");

const cost = (value: string): bigint | null =>
  readStatement(
    [
      {
        name: "x",
        text: `{"data":[{"start_time":1790812800,"end_time":1790899200,"results":[{"amount":{"value":${value},"currency":"usd"}}]}]}`,
      },
    ],
    null,
  ).lines[0]?.costPico ?? null;

describe("what providers export", () => {
  it("OpenAI's usage as JSON: cached, written, audio and image tokens are split off", () => {
    const statement = read("openai-usage.json");
    expect(statement).toMatchObject({ format: "openai-usage", provider: "openai", complete: { quantity: true, cost: false } });
    expect([statement.fromMs, statement.toMs]).toEqual([Date.UTC(2026, 9, 1), Date.UTC(2026, 9, 3)]);
    expect(linesOf(statement)).toEqual([
      "01 gpt-4o-mini-2024-07-18 input default 700 -",
      "01 gpt-4o-mini-2024-07-18 cache_read default 4000 -",
      "01 gpt-4o-mini-2024-07-18 input_audio default 300 -",
      "01 gpt-4o-mini-2024-07-18 output default 800 -",
      "01 gpt-4o-mini-2024-07-18 output_audio default 200 -",
      // 27,444 - 8,448 cached - 1,000 written - 996 of images
      "01 gpt-5.6-terra input batch 17000 -",
      "01 gpt-5.6-terra cache_read batch 8000 -",
      "01 gpt-5.6-terra cache_write batch 1000 -",
      "01 gpt-5.6-terra input_image batch 996 -",
      "01 gpt-5.6-terra cache_read_image batch 448 -",
      "01 gpt-5.6-terra output batch 650 -",
      "01 gpt-5.6-terra output_image batch 50 -",
    ]);
    expect(statement.lines.find((line) => line.class === "output")?.holds).toEqual(["output", "reasoning"]);
  });

  it("OpenAI's usage as the dashboard's CSV", () => {
    expect(linesOf(read("openai-usage.csv"))).toEqual([
      "01 gpt-4o-2024-08-06 input default 53440 -",
      "01 gpt-4o-2024-08-06 cache_read default 5760 -",
      "01 gpt-4o-2024-08-06 output default 10646 -",
    ]);
  });

  it("OpenAI's costs: amounts to the digit, line items taken apart", () => {
    const statement = read("openai-costs.json");
    expect(statement.lines.map((line) => [line.model, line.class, line.tier, line.costPico])).toEqual([
      // 0.06000000000000001 is finer than a picodollar, and rounded to one.
      ["gpt-5.5-2026-04-23", "input", null, 60_000_000_000n],
      ["gpt-5.5-2026-04-23", "cache_read", null, 15_000_000_000n],
      ["gpt-5.6-sol", "output", "priority", 1_500_000_000_000n],
      [null, "web_search", null, 30_000_000_000n],
      [null, null, null, 100_000_000_000n],
    ]);
    expect(statement.lines.at(-1)).toMatchObject({ holds: [], item: "Vector storage" });
    expect(statement.complete).toEqual({ quantity: true, cost: true });
  });

  it("OpenAI's costs as the dashboard has them, with a day without any", () => {
    const statement = read("openai-costs.tsv");
    expect(linesOf(statement)).toEqual(["01 - - - - 0.895874"]);
    expect(statement.toMs).toBe(Date.UTC(2026, 9, 3));
    expect(statement.notes.join(" ")).toMatch(/group_by=line_item/);
  });

  it("Anthropic's usage report", () => {
    expect(linesOf(read("anthropic-usage.json"))).toEqual([
      "01 claude-sonnet-4-5-20250929 input standard 1500 -",
      "01 claude-sonnet-4-5-20250929 cache_read standard 200 -",
      "01 claude-sonnet-4-5-20250929 cache_write_5m standard 500 -",
      "01 claude-sonnet-4-5-20250929 cache_write_1h standard 1000 -",
      "01 claude-sonnet-4-5-20250929 output standard 501 -",
      "01 claude-sonnet-4-5-20250929 web_search standard 10 -",
    ]);
  });

  it("Anthropic's cost report: cents as decimal text", () => {
    const statement = read("anthropic-cost.json");
    expect(linesOf(statement)).toEqual([
      "01 claude-sonnet-4-5-20250929 input standard - 1.2378912",
      "01 claude-sonnet-4-5-20250929 cache_write_1h batch - 0.6",
      "01 - web_search - - 0.1",
      "01 - - - - 0.055",
    ]);
    expect(statement.lines[0]?.stepPico).toBe(100_000n);
    expect(statement.lines[3]?.holds).toEqual([]);
  });

  it("the Console's CSVs", () => {
    expect(linesOf(read("anthropic-usage.csv")).slice(0, 6)).toEqual([
      "01 claude-sonnet-4-5-20250929 input standard 100000 -",
      "01 claude-sonnet-4-5-20250929 cache_write_5m standard 20 -",
      "01 claude-sonnet-4-5-20250929 cache_write_1h standard 30 -",
      "01 claude-sonnet-4-5-20250929 cache_read standard 40 -",
      "01 claude-sonnet-4-5-20250929 output standard 5000 -",
      "01 claude-sonnet-4-5-20250929 web_search standard 10 -",
    ]);
    const costs = read("anthropic-cost.csv");
    expect(linesOf(costs)).toEqual([
      "01 Claude Haiku 4.5 input - - 0.05",
      "01 Claude Haiku 4.5 output - - 0.02",
      "01 Claude Sonnet 4.5 cache_read - - 0.1",
      "01 - web_search - - 0.01",
    ]);
    expect(costs.lines[0]?.stepPico).toBe(10_000_000_000n);
  });

  it("AWS's Cost and Usage Report: thousands and millions of tokens, marketplace models, discounts", () => {
    const statement = read("aws-cur.csv");
    expect(linesOf(statement)).toEqual([
      "01 Claude4.5Sonnet input - 29481 0.0972873",
      "01 Claude4.5Sonnet output - 31102 0.513183",
      "01 Claude4.5Sonnet cache_write - 433893 1.789808625",
      "01 Claude4.5Sonnet cache_read - 5372659 1.77297747",
      "01 zai.glm5 output priority 250000 1.4",
      "01 Claude Sonnet 4.6 input - 1500000 4.5",
      "01 Claude4.5Sonnet input - 0 -0.00972873",
    ]);
    expect(statement.notes.join(" ")).toMatch(/other services than Bedrock are left out: 1/);
  });

  it("Cost Explorer's download", () => {
    expect(linesOf(read("aws-explorer.csv"))).toEqual([
      "01 Claude4.5Sonnet input - - 1.5",
      "02 Claude4.5Sonnet input - - 2",
      "02 NovaLite output batch - 0.25",
    ]);
  });

  it("Azure's cost export", () => {
    const statement = read("azure-cost.csv");
    expect(linesOf(statement)).toEqual([
      "01 gpt-4.1 input - 864000 1.728",
      "01 gpt-4.1 cache_read - 100500 0.05025",
      "01 gpt-4o output - 72334 0.72334",
      "02 gpt-5.4 output priority 500000 15",
      "02 - - - - 40.8",
    ]);
    expect(statement.notes.join(" ")).toMatch(/other services than models are left out: 1/);
  });

  it("OpenRouter's activity and log: prompt and completion in one amount", () => {
    const statement = read("openrouter-activity.json");
    expect(linesOf(statement)).toEqual([
      "01 openai/gpt-4.1-2025-04-14 input - 50 -",
      "01 openai/gpt-4.1-2025-04-14 output - 125 -",
      "01 openai/gpt-4.1-2025-04-14 - - - 0.015",
    ]);
    expect(statement.notes.join(" ")).toMatch(/keys of your own/);
    expect(linesOf(read("openrouter-log.csv"))).toEqual([
      "01 openai/gpt-oss-120b input - 389 -",
      "01 openai/gpt-oss-120b cache_read - 10000 -",
      "01 openai/gpt-oss-120b output - 137 -",
      "01 openai/gpt-oss-120b - - - 0.0123",
      "02 openai/gpt-oss-120b input - 100 -",
      "02 openai/gpt-oss-120b output - 50 -",
      "02 openai/gpt-oss-120b - - - 0.002",
    ]);
  });

  it("FOCUS, of any provider", () => {
    const statement = read("focus.csv");
    expect(linesOf(statement)).toEqual([
      "01 solora-reasoning-pro input - 5000000 15",
      "01 solora-reasoning-pro cache_read - 8000000 2.5",
      "01 Claude4.5Sonnet input - 1000000 3.3",
      "01 - - - - 1.9",
    ]);
    expect(statement.notes.join(" ")).toMatch(/several providers.*Solora AI, AWS/);
  });

  it("names of line items, usage types and meters", () => {
    expect(parseItem("gpt-audio-mini-2025-12-15 audio, input")).toMatchObject({ model: "gpt-audio-mini-2025-12-15", class: "input_audio" });
    expect(parseItem("gpt-image-2.5-sunburst text, cached input")).toMatchObject({ model: "gpt-image-2.5-sunburst", class: "cache_read" });
    expect(parseItem("gpt-5.6-sol, cache writes")).toMatchObject({ class: "cache_write", tier: null });
    expect(parseItem("gpt-4o-2024-08-06")).toMatchObject({ model: "gpt-4o-2024-08-06", class: null, holds: null });
    expect(parseUsageType("USE1-openai.gpt-5.6-terra-mantle-cache-write-tokens-30m-standard")).toMatchObject({
      model: "openai.gpt-5.6-terra",
      class: "cache_write",
      tier: null,
    });
    expect(parseUsageType("APN1-Claude4.5Haiku-cache-write-1h-input-token-count-cross-region-global")).toMatchObject({
      model: "Claude4.5Haiku",
      class: "cache_write_1h",
    });
    expect(parseUsageType("MP:USW2_cache_read_tokens_global_standard-Units")).toMatchObject({
      model: null,
      class: "cache_read",
      units: 1_000_000n,
    });
    expect(parseUsageType("USE1-TitanEmbeddingV2-Text-input-tokens-batch")).toMatchObject({ class: "input", tier: "batch" });
    expect(parseUsageType("USE1-BoxUsage:m5.large")).toBeNull();
    expect(parseMeter("6-sol ShortCo Cd Wr Std Gl")).toMatchObject({ model: "gpt-6-sol", class: "cache_write" });
    expect(parseMeter("54 mini Inp Flex Gl")).toMatchObject({ model: "gpt-54-mini", class: "input", tier: "flex" });
    expect(parseMeter("gpt-4o-aud-1217 Inp glbl")).toMatchObject({ model: "gpt-4o", class: "input_audio" });
    expect(parseMeter("DeepSeek V3-0324 Outp glbl Tokens")).toMatchObject({ model: "deepseek-v3", class: "output" });
    expect(parseMeter("LRS Data Stored")).toBeNull();
  });
});

describe("several files", () => {
  it("are pages of one answer: as files, as an array, as lines", () => {
    const files = [page(0, true), page(1, false)];
    const apart = readStatement(
      files.map((text, index) => ({ name: `${index}.json`, text })),
      null,
    );
    expect(apart.lines.map((line) => line.quantity)).toEqual([10, 1, 10, 1]);
    for (const text of [`[${files.join(",")}]`, files.join("\n"), `${files.join("\n")}\n`])
      expect(readStatement([{ name: "all.json", text }], null).lines.map((line) => line.fromMs)).toEqual(
        apart.lines.map((line) => line.fromMs),
      );
  });

  it("are refused with a page twice, in two files or in one", () => {
    const twice = /data\[0\]\.results\[0\]: page 1 says the same: it would be counted twice/;
    expect(() =>
      readStatement(
        [
          { name: "one.json", text: page(0, false) },
          { name: "two.json", text: page(0, false) },
        ],
        null,
      ),
    ).toThrow(twice);
    expect(() => readStatement([{ name: "all.json", text: `[${page(0, true)},${page(0, false)}]` }], null)).toThrow(twice);
    expect(linesOf(readStatement([{ name: "all.json", text: `[${page(0, true)},${page(1, false)}]` }], null))).toHaveLength(4);
    const result = '{"amount":{"value":1,"currency":"usd"},"line_item":"m-1, input"}';
    const text = `{"data":[{"start_time":1790812800,"end_time":1790899200,"results":[${result},${result}]}]}`;
    expect(() => readStatement([{ name: "x", text }], null)).toThrow(/data\[0\]\.results\[1\]: data\[0\]\.results\[0\] says the same/);
  });

  it("are refused with a page missing, whatever other pages are there", () => {
    const missing = /all\.json: page 1, has_more: .*another one follows, from 2026-10-02T00:00 UTC on, and it is not here/;
    // The whole answer to another question, before or after it.
    expect(() => readAll(series(page(0, true), page(9, false)))).toThrow(missing);
    expect(() => readAll(series(page(1, true), page(0, false)))).toThrow(/page 1, has_more: .*from 2026-10-03T00:00/);
    // Of two series of the same days one lacks its last page.
    expect(() => readAll(series(page(0, true), other(page(0, true)), other(page(1, false))))).toThrow(/page 2, has_more/);
    expect(readAll(series(page(1, false), page(0, true))).lines).toHaveLength(4);
    expect(readAll(series(page(0, true), other(page(0, true)), other(page(1, false)), page(1, false))).lines).toHaveLength(8);
  });

  it("are refused without the last page, or with a day twice", () => {
    expect(() => readStatement([{ name: "one.json", text: page(0, true) }], null)).toThrow(/one\.json: has_more: .*another one follows/);
    const text = readFileSync(new URL("openai-usage.csv", folder), "utf8");
    expect(() =>
      readStatement(
        [
          { name: "a.csv", text },
          { name: "b.csv", text },
        ],
        null,
      ),
    ).toThrow(/b\.csv: 2026-10-01 is in a\.csv already/);
  });

  it("are the usage and the costs of the same days: what the costs count is not counted again", () => {
    const statement = read("openai-usage.csv", "openai-costs.json");
    expect(statement.complete).toEqual({ quantity: true, cost: true });
    expect(statement.lines.reduce((sum, line) => sum + (line.quantity ?? 0), 0)).toBe(53_440 + 5_760 + 10_646);
  });

  it("are compared on the days that are in both", () => {
    const costs = JSON.stringify({
      data: [0, 1, 2].map((day) => ({
        start_time: 1_790_812_800 + day * 86_400,
        end_time: 1_790_899_200 + day * 86_400,
        results: [{ amount: { value: 1, currency: "usd" }, line_item: "m-1, input" }],
      })),
      has_more: false,
    });
    const statement = readStatement(
      [
        { name: "usage.json", text: page(1, false) },
        { name: "costs.json", text: costs },
      ],
      null,
    );
    expect(linesOf(statement)).toEqual(["02 m-1 input - 10 -", "02 m-1 output - 1 -", "02 m-1 input - - 1"]);
    expect(statement.notes.at(-1)).toBe("Usage and costs are both known from 2026-10-02 to 2026-10-02: only these days are compared.");
    expect(() =>
      readStatement(
        [
          { name: "usage.json", text: page(9, false) },
          { name: "costs.json", text: costs },
        ],
        null,
      ),
    ).toThrow(/have no day in common/);
  });

  it("are of one provider", () => {
    expect(() => read("openai-usage.csv", "anthropic-usage.csv")).toThrow(/several providers: openai, anthropic/);
  });

  it("of which one has no line are read alike", () => {
    const empty = JSON.stringify({ data: [{ start_time: 1_790_899_200, end_time: 1_790_985_600, results: [] }], has_more: false });
    const statement = readStatement(
      [
        { name: "a.json", text: page(0, true) },
        { name: "b.json", text: empty },
      ],
      null,
    );
    expect(statement).toMatchObject({ format: "openai-usage", toMs: 1_790_985_600_000, complete: { quantity: true, cost: false } });
  });
});

describe("what cannot be read is refused whole, with place and reason", () => {
  const usage = "start_time,end_time,num_model_requests,model,input_tokens,input_cached_tokens,output_tokens\n";
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /x: the file is empty/],
    ["a,b\n1,2\n", /x: its columns \(a, b\) are of no known export; known: FOCUS/],
    ['{"hello": 1}', /its JSON is of no known export/],
    ['{"data": [', /it is not JSON/],
    ['{"data": []}\n{"data": [}\n', /line 2: it is not JSON/],
    [`${usage}1790812800,1790899200,1,m,ten,0,1\n`, /x: line 2: input_tokens is "ten": expected a number/],
    [`${usage}1790812800,1790899200,1,m,10,0,1\n1790812800,1790899200,1,m,10,11,1\n`, /line 3: input_tokens is 10, which is not the sum/],
    [`${usage}1790812800,1790899200,1,m,-5,0,1\n`, /expected a number from 0 on/],
    [`${usage}yesterday,1790899200,1,m,5,0,1\n`, /start_time is "yesterday": expected a day or a time/],
    [`${usage}1790812800,1790899200\n`, /line 2/],
    ["usage_date_utc,model,token_type,cost_usd\n2026-02-31,m,output,1\n", /usage_date_utc is "2026-02-31"/],
    ["usage_date_utc,model,token_type,cost_usd\n2026-02-28,m,output,1.2.3\n", /cost_usd is "1\.2\.3": expected an amount/],
    ["usage_date_utc,model,token_type,cost_usd\n2026-02-28,m,dreams,1\n", /token_type is "dreams": known are/],
  ];
  it.each(cases)("%j", (text, expected) => {
    expect(() => readStatement([{ name: "x", text }], null)).toThrow(expected);
    expect(() => readStatement([{ name: "x", text }], null)).toThrow(expect.objectContaining({ code: "statement_invalid" }) as Error);
  });

  it("also where it is not what it is said to be", () => {
    expect(() => readStatement([file("openai-usage.csv")], "focus")).toThrow(/does not look like FOCUS cost and usage \(focus\)/);
    expect(() => readStatement([file("openai-usage.csv")], "lotus")).toThrow(/no format is called "lotus"; known: focus, aws-cur/);
  });
});

describe("amounts", () => {
  it("keep every digit, however they are written", () => {
    expect(cost("123456789.123456789012")).toBe(123_456_789_123_456_789_012n);
    expect(cost('"1e-7"')).toBe(100_000n);
    expect(cost("1.5E-6")).toBe(1_500_000n);
    expect(cost("-0.01")).toBe(-10_000_000_000n);
    expect(cost('"1,234.50"')).toBe(1_234_500_000_000_000n);
  });
});
