// Rows that say one usage twice, in files written by hand. The oracle is what each file was made to say. Not here: pages of JSON (read.test.ts).

import { describe, expect, it } from "vitest";
import type { Statement } from "../core/statement.ts";
import { readStatement } from "./read.ts";

const read = (...texts: readonly string[]): Statement =>
  readStatement(
    texts.map((text, index) => ({ name: `${index + 1}.csv`, text })),
    null,
  );

const focusHead =
  "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,ConsumedQuantity,ConsumedUnit,ServiceName,SkuMeter,SkuPriceDetails,ResourceId\n";
const focus = (from: string, to: string, cost: string, meter = "Input Tokens", resource = "r-1"): string =>
  `${cost},USD,Usage,2026-10-${from}Z,2026-10-${to}Z,1000,Tokens,Generative AI,${meter},"{""ModelId"":""m-1""}",${resource}\n`;
const [day, hour] = [focus("01T00:00:00", "02T00:00:00", "5"), focus("01T03:00:00", "01T04:00:00", "1")];

describe("a day and an hour of it", () => {
  it.each([
    [day, hour],
    [hour, day],
  ])("are refused, with both lines", (first, second) => {
    expect(() => read(focusHead + first + second)).toThrow(
      /1\.csv: line [23]: it is about 2026-10-01T03:00 to 2026-10-01T04:00, and line [23] of the same about 2026-10-01T00:00 to 2026-10-02T00:00/,
    );
  });

  it("are refused in two files, too", () => {
    expect(() => read(focusHead + day, focusHead + hour)).toThrow(/2\.csv, line 2: .*and 1\.csv, line 2 of the same/);
  });

  it("are refused where days and a shorter line lie between", () => {
    const lines = [focus("01T00:00:00", "08T00:00:00", "9"), focus("02T00:00:00", "03T00:00:00", "1")];
    expect(() => read(focusHead + lines.join(""))).toThrow(/line 3: it is about 2026-10-02/);
  });

  it("of another meter, or of another resource, stand beside each other", () => {
    const others = [
      focus("01T03:00:00", "01T04:00:00", "1", "Output Tokens"),
      focus("01T03:00:00", "01T04:00:00", "1", "Input Tokens", "r-2"),
    ];
    const statement = read(focusHead + day + others.join(""));
    expect(statement.lines.map((line) => line.costPico)).toEqual([5n, 1n, 1n].map((usd) => usd * 10n ** 12n));
    expect(statement.notes.join(" ")).not.toMatch(/say the same/);
  });

  it("of hours that follow one another are no overlap", () => {
    expect(read(focusHead + hour + focus("01T04:00:00", "01T05:00:00", "1")).lines).toHaveLength(2);
  });
});

const row = (id: string): string => `${id},2026-10-01T00:00:00Z,AmazonBedrock,USE1-Claude4.5Sonnet-input-tokens,1\n`;

describe("rows that are equal to the last column", () => {
  it("are counted each, and named", () => {
    const statement = read(focusHead + hour + day.replaceAll("r-1", "r-9") + hour);
    expect(statement.lines).toHaveLength(3);
    expect(statement.notes).toContain("Rows that say the same as another, to the last column, are counted each: line 4 as line 2.");
    expect(read(focusHead + hour, focusHead + hour).notes.join(" ")).toMatch(/counted each: 2\.csv, line 2 as 1\.csv, line 2\./);
    expect(read(focusHead + hour + focus("01T03:00:00", "01T04:00:00", "1.01")).notes.join(" ")).not.toMatch(/say the same/);
  });

  it("are refused where their source numbers them", () => {
    const head = "identity_line_item_id,line_item_usage_start_date,line_item_product_code,line_item_usage_type,line_item_unblended_cost\n";
    expect(read(head + row("a") + row("b")).lines).toHaveLength(2);
    expect(() => read(head + row("a") + row("b") + row("a"))).toThrow(/1\.csv: line 4: it is line 2 again, with the same id/);
  });
});
