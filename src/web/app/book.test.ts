// How prices are quoted on the pages: as the API and price files quote them, class by class.

import { describe, expect, it } from "vitest";
import { quoteOf as quoteOfApi, rateUnits } from "../../core/quote.ts";
import { type UsageClass, usageClassNames } from "../../core/usage.ts";
import { quoteOf, rateWords, setClasses } from "./book.ts";

describe("classes as prices are quoted for them", () => {
  it("are quoted in a price file as the API's own records are", () => {
    const own = usageClassNames.map((name) => [name, quoteOf(name)]);
    expect(own).toEqual(usageClassNames.map((name) => [name, quoteOfApi(name as UsageClass)]));
  });

  it("can all be chosen, each once, but for a task's own, which has no price", () => {
    expect(setClasses.toSorted()).toEqual(usageClassNames.filter((name) => name !== "task").toSorted());
  });

  it.each([
    ["input", "1M tokens"],
    ["web_search", "1,000 searches"],
    ["web_fetch", "1,000 fetches"],
    ["input_pages", "1,000 pages"],
    ["images", "image"],
    ["request", "request"],
    ["compute", "hour"],
    ["hosting", "second"],
    ["input_audio_seconds", "second"],
    ["cache_storage", "token-second"],
  ] as const)("name the units of a rate of %s", (name, words) => {
    expect(rateWords(name, rateUnits(name))).toBe(words);
  });
});
