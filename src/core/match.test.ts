import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileMatch, isSnapshotOf, spellDates, wildcardRule } from "./match.ts";

describe("compileMatch", () => {
  it.each([
    [{ equals: "GPT-5" }, "gpt-5", "equals GPT-5"],
    [{ equals: "gpt-5" }, "gpt-5-mini", null],
    [{ starts_with: "claude-" }, "claude-x", "starts_with claude-"],
    [{ ends_with: ":free" }, "a:free", "ends_with :free"],
    [{ contains: "llama" }, "meta-llama-3", "contains llama"],
    [{ regex: "^o3(-\\d+)*$" }, "o3-2025", "regex ^o3(-\\d+)*$"],
    [{ or: [{ equals: "a" }, { starts_with: "b" }] }, "bc", "starts_with b"],
    [{ and: [{ starts_with: "a" }, { ends_with: "c" }] }, "abc", "starts_with a and ends_with c"],
    [{ and: [{ starts_with: "a" }, { ends_with: "d" }] }, "abc", null],
  ])("%j on %s: %s", (rule, name, why) => {
    expect(compileMatch(rule)(name)).toBe(why);
  });
});

describe("wildcardRule", () => {
  it.each([
    ["gpt-5", "gpt-5", true],
    ["gpt-5", "gpt-5-mini", false],
    ["gpt-5*", "gpt-5-mini", true],
    ["*.gguf", "llama.gguf", true],
    ["*.gguf", "llamaxgguf", false],
    ["a(b*", "a(bc", true],
  ])("%s matches %s: %s", (pattern, name, expected) => {
    expect(compileMatch(wildcardRule(pattern))(name) !== null).toBe(expected);
  });
});

describe("wildcards", () => {
  const words = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "+", "("), maxLength: 8 });

  it("match what a pattern tried at every place would", () => {
    fc.assert(
      fc.property(words, fc.string({ unit: fc.constantFrom("a", "b", ".", "+", "("), maxLength: 10 }), (pattern, name) => {
        const slow = (p: string, n: string): boolean =>
          p === ""
            ? n === ""
            : p[0] === "*"
              ? slow(p.slice(1), n) || (n !== "" && slow(p, n.slice(1)))
              : p[0] === n[0] && slow(p.slice(1), n.slice(1));
        expect(compileMatch(wildcardRule(pattern))(name) !== null).toBe(slow(pattern, name));
      }),
    );
  });

  it("of any number are looked for in no time", () => {
    const matches = compileMatch(wildcardRule(`${"a*".repeat(40)}b`));
    const beganMs = performance.now();
    expect(matches("a".repeat(200))).toBeNull();
    expect(performance.now() - beganMs).toBeLessThan(1000);
  });
});

describe("dates in names", () => {
  it("are spelled out where they are days", () => {
    expect(spellDates("claude-opus-4-1-20250805")).toBe("claude-opus-4-1-2025-08-05");
    expect(spellDates("x-20250231")).toBe("x-20250231");
    expect(spellDates("x-20240229-v1:0")).toBe("x-2024-02-29-v1:0");
  });

  it.each([
    ["gpt-9-2026-12-01", "gpt-9", true],
    ["gpt-9-20261201", "gpt-9", true],
    ["gpt-9@20261201", "gpt-9", true],
    ["gpt-9-mini-2026-12-01", "gpt-9", false],
    ["gpt-9-mini", "gpt-9", false],
    ["gpt-9", "gpt-9", false],
    ["gpt-9-2026-13-01", "gpt-9", false],
  ])("%s is a snapshot of %s: %s", (name, alias, expected) => {
    expect(isSnapshotOf(name, alias)).toBe(expected);
  });
});
