// For how many units the classes are quoted, against what docs/pricefile.md says in words.

import { describe, expect, it } from "vitest";
import { listUnits, quotedUnits, quoteOf, rateUnits } from "./quote.ts";

describe("a class is quoted", () => {
  it.each([
    ["input", "perMillion", 1_000_000, 1_000_000, null],
    ["training", "perMillion", 1_000_000, 1_000_000, null],
    ["web_search", "perThousand", 1_000, 1_000, null],
    ["input_pages", "perThousand", 1_000, 1_000, null],
    ["images", "perUnit", 1, 1_000, null],
    ["request", "perUnit", 1, 1_000, null],
    ["hosting", "perHour", 1, 1_000, 3_600],
    ["input_audio_seconds", "perHour", 1, 1_000, 3_600],
    ["compute", "perHour", 3_600_000, 1_000, 3_600_000],
    ["cache_storage", "perHour", 1, 1_000, 3_600],
  ] as const)("%s", (name, quote, rate, list, hour) => {
    expect([quoteOf(name), rateUnits(name), listUnits(name), quotedUnits(name, "perHour")]).toEqual([quote, rate, list, hour]);
  });

  it("storage by the token-hour, which is 3,600 of what is counted", () => {
    expect(quotedUnits("cache_storage", "perMillion")).toBe(3_600_000_000);
    expect(quotedUnits("input", "perMillion")).toBe(1_000_000);
    expect(quotedUnits("web_search", "perThousand")).toBe(1_000);
    expect(quotedUnits("cache_storage", "perUnit")).toBe(3_600);
  });
});
