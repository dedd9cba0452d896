import { describe, expect, it } from "vitest";
import { inputTokens, isUsageClass, totalQuantities, type Usage, usageClasses, usageClassNames } from "./usage.ts";

describe("usage classes", () => {
  it("are known by name, and nothing inherited is", () => {
    expect(usageClassNames.every(isUsageClass)).toBe(true);
    expect(isUsageClass("toString")).toBe(false);
  });

  it("count towards the context where they are tokens that go in, cached or not", () => {
    const one = Object.fromEntries(usageClassNames.map((name) => [name, 1]));
    const counted = usageClassNames.filter((name) => /^(input|cache)/.test(name) && !/pages|seconds|storage/.test(name));
    expect(inputTokens(one)).toBe(counted.length);
    expect(inputTokens({ input: 1, cache_read: 20, cache_write_1h: 300, output: 4000, web_search: 50_000, input_pages: 600_000 })).toBe(
      321,
    );
    expect(usageClasses.input_pages.unit).toBe("page");
  });

  it("add up over the parts of a call, and what was not reported stays absent", () => {
    const usage: Usage = {
      parts: [
        { kind: "message", model: null, quantities: { input: 1, output: 2 } },
        { kind: "compaction", model: "other", quantities: { input: 10, cache_read: 5 } },
      ],
      source: "reported",
      doubts: [],
      raw: null,
    };
    expect(totalQuantities(usage)).toEqual({ input: 11, output: 2, cache_read: 5 });
  });
});
