// What the pages of prices reckon by themselves: rows of rates, steps over time, how a picture is read, what a form sends, which gaps count.

import { describe, expect, it } from "vitest";
import type { PriceLine, PriceSpan } from "../book.ts";
import { cut, indexAt, textAt } from "../parts/plot.tsx";
import { toSteps } from "./history.tsx";
import { toFile } from "./setprice.tsx";
import { toRows } from "./tariff.tsx";

const day = 86_400_000;

function line(name: string, rateUsd: string, of = name, aboveTokens = 0): PriceLine {
  const version = `list@1/acme/one#${of}${aboveTokens > 0 ? `>${aboveTokens}` : ""}`;
  return { class: name, aboveTokens, ratePico: "1", ratePer: "1", rateUsd, rateUnits: 1_000_000, version, source: "a list" };
}

function span(fromMs: number | null, toMs: number | null, lines: readonly PriceLine[]): PriceSpan {
  return { fromMs, toMs, window: null, lines };
}

describe("rates in force", () => {
  it("stand once for each class with a price of its own, and name those that are charged as it", () => {
    const standard = {
      lines: [line("input", "1"), line("input", "2", "input", 200_000), line("output", "4"), line("reasoning", "4", "output")],
    };
    const batch = { lines: [line("input", "0.5"), line("cache_read", "0.1")] };
    expect(toRows([standard, batch])).toEqual([
      { class: "input", aboveTokens: 0, per: "1M tokens", also: [] },
      { class: "input", aboveTokens: 200_000, per: "1M tokens", also: [] },
      { class: "cache_read", aboveTokens: 0, per: "1M tokens", also: [] },
      { class: "output", aboveTokens: 0, per: "1M tokens", also: ["reasoning"] },
    ]);
  });

  it("are of their own where a rule derives them from another class's, and in the order of what came in and what went out", () => {
    const derived = { ...line("cache_write_1h", "16"), version: "list@1/acme/one#input by acme-cache-write-1h@1" };
    const rows = toRows([{ lines: [line("output", "24"), derived, line("input", "8")] }]);
    expect(rows.map((row) => [row.class, row.also])).toEqual([
      ["input", []],
      ["cache_write_1h", []],
      ["output", []],
    ]);
  });

  it("are charged as another's by the same rule", () => {
    const version = "list@1/acme/one#output by acme-batch@1";
    const lines = [line("output", "2"), line("reasoning", "2")].map((one) => Object.assign(one, { version }));
    expect(toRows([{ lines }])).toMatchObject([{ class: "output", also: ["reasoning"] }]);
  });

  it("stand with a class of its own name where the one it is charged as has no row", () => {
    expect(toRows([{ lines: [line("reasoning", "4", "output")] }]).map((row) => row.class)).toEqual(["reasoning"]);
  });
});

describe("prices over time", () => {
  it("are steps from before the first change to after the last, with a hole where there is no price", () => {
    const spans = [
      span(null, 100 * day, [line("input", "1")]),
      span(100 * day, 200 * day, []),
      span(200 * day, null, [line("input", "3")]),
    ];
    const drawn = toSteps(spans, 150 * day);
    expect(drawn?.lines.map(({ name, points }) => [name, points.slice(1).map(({ ms, text }) => [ms / day, text])])).toEqual([
      [
        "Input",
        [
          [100, "no price"],
          [200, "$3.00"],
        ],
      ],
    ]);
    expect(drawn?.lines[0]?.points[0]?.ms).toBeLessThan(100 * day);
    expect(drawn?.untilMs).toBeGreaterThan(200 * day);
  });

  it("are no picture where nothing changes", () => {
    expect(toSteps([span(null, null, [line("input", "1")])], day)).toBeNull();
  });
});

describe("a picture of lines", () => {
  const points = [10, 20, 30].map((ms) => ({ ms, height: ms, text: `at ${ms}` }));

  it("is read at the step that holds, or at the nearest bucket", () => {
    expect([5, 10, 19, 99].map((ms) => indexAt([10, 20, 30], ms, true))).toEqual([0, 0, 0, 2]);
    expect([5, 14, 16, 99].map((ms) => indexAt([10, 20, 30], ms, false))).toEqual([0, 0, 1, 2]);
    expect(indexAt([], 5, false)).toBeNull();
    expect(textAt(points, 25, true)).toBe("at 20");
    expect(textAt(points, 25, false)).toBe("—");
  });

  it("is whole up to now, and dashed from there on", () => {
    expect(cut(points, 25)).toEqual([
      [
        [10, 10],
        [20, 20],
        [25, 20],
      ],
      [
        [25, 20],
        [30, 30],
      ],
    ]);
    expect(cut(points, 99)[1]).toEqual([]);
  });
});

describe("a price that is typed", () => {
  it("is sent digit by digit, under the unit it is quoted in, and what is left empty is not said", () => {
    const amounts = [
      { class: "input", usd: " 0.30 " },
      { class: "output", usd: "" },
      { class: "web_search", usd: "10" },
      { class: "images", usd: "0.040" },
    ];
    const text = toFile({ provider: "acme", model: "one/two", tier: "batch", region: null, from: "2026-07-01", to: "", amounts });
    expect(JSON.parse(text)).toEqual({
      prices: [
        {
          provider: "acme",
          model: "one/two",
          tier: "batch",
          from: "2026-07-01",
          perMillion: { input: "0.30" },
          perThousand: { web_search: "10" },
          perUnit: { images: "0.040" },
        },
      ],
    });
  });
});
