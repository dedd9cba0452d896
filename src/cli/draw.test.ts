// What is drawn in a terminal: as wide as it was to be, whatever characters it holds, and true to its numbers.

import { describe, expect, it } from "vitest";
import { canDraw } from "../config.ts";
import { bar, bin, fit, sparks, widthOf } from "./draw.ts";
import { formatTable } from "./table.ts";

describe("widths", () => {
  it.each([
    ["abc", 3],
    ["Möbel", 5],
    ["日本語", 6],
    ["e\u0301", 1],
    ["\u001b[31mred\u001b[0m", 3],
  ])("of %j is %i columns", (text, width) => expect(widthOf(text)).toBe(width));

  it("are kept by whatever is cut or filled up", () => {
    for (const text of ["", "a", "abcdef", "日本語のラベル", "a日b本c", "Müller & Söhne"])
      for (let width = 1; width < 20; width += 1) expect([text, width, widthOf(fit(text, width))]).toEqual([text, width, width]);
    expect(fit("日本語", 4)).toBe("日… ");
    expect(fit("7", 3, "right")).toBe("  7");
  });

  it("of a table's columns count wide characters as two", () => {
    const lines = formatTable([{ head: "name" }, { head: "n", align: "right" }], [["日本語", "1"], null, ["ab", "20"]]).split("\n");
    expect(lines).toEqual(["name     n", "──────  ──", "日本語   1", "──────  ──", "ab      20"]);
    expect(new Set(lines.map(widthOf))).toEqual(new Set([10]));
  });
});

describe("bars and sparks", () => {
  it("are in eighths, and never nothing for something", () => {
    expect([bar(0, 4), bar(0.001, 4), bar(0.5, 4), bar(0.53125, 4), bar(1, 4), bar(9, 4)]).toEqual([
      "    ",
      "▏   ",
      "██  ",
      "██▏ ",
      "████",
      "████",
    ]);
  });

  it("rise with the value, and tell nothing from little", () => {
    expect(sparks([0, 0.01, 1, 2, 4, 7.99, 8])).toBe("·▁▂▃▅██");
    expect(sparks([0, 0])).toBe("··");
    expect(sparks([])).toBe("");
  });

  it("lose no value between the ends of the span", () => {
    const points = [0, 1, 9, 10, 99].map((atMs) => ({ atMs, value: 1 }));
    expect(bin(points, 0, 100, 10)).toEqual([3, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(bin([{ atMs: 100, value: 1 }], 0, 100, 10).every((value) => value === 0)).toBe(true);
  });
});

it("a terminal is drawn in where it knows UTF-8 and nobody asked for no colour", () => {
  const cases: readonly (readonly [NodeJS.ProcessEnv, boolean])[] = [
    [{ LANG: "de_DE.UTF-8", TERM: "xterm" }, true],
    [{ LANG: "C.utf8" }, true],
    [{ LANG: "C.UTF-8", LC_ALL: "C" }, false],
    [{ LANG: "C.UTF-8", NO_COLOR: "1" }, false],
    [{ LANG: "C.UTF-8", NO_COLOR: "" }, true],
    [{ LANG: "C.UTF-8", TERM: "dumb" }, false],
  ];
  for (const [environment, drawn] of cases) expect([environment, canDraw(environment)]).toEqual([environment, drawn]);
});
