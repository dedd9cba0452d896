// Traces: tolerant of names and times, strict about what they say; and sums by hand.

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sumTrace } from "./sums.ts";
import { parseTrace } from "./trace.ts";

describe("parseTrace", () => {
  it.each([
    [
      "Azure's",
      "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n",
      4_315,
    ],
    ["seconds, other names and order", "output_tokens,Arrival Time,prompt tokens\n44,10.5,374\n109,12,396\n", 1_500],
    [
      "zones, a byte order mark and CRLF",
      "\ufefftime,input,output\r\n2026-01-01T01:00:00+01:00,374,44\r\n2026-01-01T00:00:01Z,396,109\r\n",
      1_000,
    ],
    ["rows out of order", "time,input,output\n7,396,109\n5,374,44\n", 2_000],
  ])("reads %s", (_name, text, laterMs) => {
    const rows = parseTrace(text);
    expect(rows.map(({ inputTokens, outputTokens }) => [inputTokens, outputTokens])).toEqual([
      [374, 44],
      [396, 109],
    ]);
    expect(rows[0]?.atMs).toBe(0);
    expect(Math.round(rows[1]?.atMs ?? 0)).toBe(laterMs);
  });

  it.each([
    ["nothing", "", /line 1: the file is empty/],
    ["only a head", "time,input,output\n", /line 2: there are no rows/],
    ["no column of output", "time,input\n1,2\n", /line 1: no column is the output tokens.*there are: time, input/],
    ["a word for a number", "time,input,output\n1,2,3\n2,many,3\n", /line 3: column input: "many"/],
    ["a negative number", "time,input,output\n1,-2,3\n", /line 2: column input: "-2"/],
    ["a fraction of a token", "time,input,output\n1,2,3.5\n", /line 2: column output: "3.5"/],
    ["a time that is none", "time,input,output\nnoon,2,3\n", /line 2: column time: "noon"/],
    ["a row too short", "time,input,output\n1,2,3\n1,2\n", /line 3/],
    ["a quote that never ends", 'time,input,output\n1,"2,3\n', /line/],
  ])("refuses %s with line and column", (_name, text, message) => {
    expect(() => parseTrace(text)).toThrow(message);
  });
});

function rate(name: string, ratePico: string, aboveTokens = 0, ratePer = "1") {
  return { class: name, ratePico, ratePer, aboveTokens };
}

describe("sumTrace", () => {
  it("equals a sum by hand: 1,000 × $0.25 and 100 × $2 a million, twice", () => {
    const row = { atMs: 0, inputTokens: 1_000, outputTokens: 100 };
    expect(sumTrace([row, row], [rate("input", "250000"), rate("output", "2000000")])).toEqual({
      calls: 2,
      input: { tokens: 2_000, cost: "0.0005" },
      output: { tokens: 200, cost: "0.0004" },
      cost: "0.0009",
    });
  });

  it("takes the rate of long requests only past the threshold", () => {
    const rates = [rate("input", "1"), rate("input", "10", 200_000), rate("output", "0")];
    expect(sumTrace([{ atMs: 0, inputTokens: 200_000, outputTokens: 1 }], rates).cost).toBe("0.0000002");
    expect(sumTrace([{ atMs: 0, inputTokens: 200_001, outputTokens: 1 }], rates).cost).toBe("0.00000200001");
  });

  it("rounds each request by itself, half to even", () => {
    const halves = [rate("input", "1", 0, "2"), rate("output", "0")];
    const rows = [1, 3, 5].map((inputTokens) => ({ atMs: 0, inputTokens, outputTokens: 0 }));
    // 0.5 → 0, 1.5 → 2, 2.5 → 2: four picodollars, where rounding the sum of 4.5 gives four too, but 0.5 + 0.5 would not give 0.
    expect(sumTrace(rows, halves).cost).toBe("0.000000000004");
    expect(sumTrace([rows[0]!, rows[0]!], halves).cost).toBe("0");
  });
});

const azure = "../shared/data/traces/azure_2023_conversation.csv";

it.skipIf(!existsSync(azure))("the public trace has 19,366 requests (skipped: ../shared/data is not here)", () => {
  const text = readFileSync(azure, "utf8");
  const rows = parseTrace(text);
  expect(rows).toHaveLength(19_366);
  const column = (index: number) => {
    let total = 0;
    for (const line of text.trim().split("\n").slice(1)) total += Number(line.split(",")[index]);
    return total;
  };
  expect(rows.reduce((total, row) => total + row.inputTokens, 0)).toBe(column(1));
  expect(rows.reduce((total, row) => total + row.outputTokens, 0)).toBe(column(2));
});
