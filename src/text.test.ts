// Text: what is not UTF-8 is named by its line, and records of tables by the line on which they begin.

import { describe, expect, it } from "vitest";
import { readSheet } from "./api/sheet.ts";
import { parseTable } from "./ingest/table.ts";
import { faultOfCharset, faultOfText, parseText } from "./text.ts";

const latin = (text: string): Buffer => Buffer.from(text, "latin1");

describe("what is not UTF-8", () => {
  it.each([
    ["Müller\n", "line 1 is not UTF-8"],
    ["a\r\nb\r\nMüller", "line 3 is not UTF-8"],
    ["a\rb\n\nMüller", "line 4 is not UTF-8"],
  ])("%j is named by its line", (text, fault) => {
    expect(faultOfText(latin(text))).toBe(fault);
    expect(() => parseText(latin(text))).toThrow(`${fault}: save the file as UTF-8`);
  });

  it("is told to be UTF-16, with its mark and without", () => {
    for (const mark of ["\uFEFF", ""])
      for (const bytes of [Buffer.from(`${mark}task`, "utf16le"), Buffer.from(`${mark}task`, "utf16le").swap16()])
        expect(faultOfText(bytes)).toBe("it is UTF-16, not UTF-8");
  });

  it("is not what has UTF-8's mark, nothing in it, or letters beyond ASCII", () => {
    expect(parseText(Buffer.from("\uFEFFMüller, 東京, 🙂\n"))).toBe("Müller, 東京, 🙂\n");
    expect(parseText(Buffer.from(""))).toBe("");
    expect(parseText(Buffer.from("a"))).toBe("a");
  });

  it("is what a charset says that is another, unless it comes to the same", () => {
    expect(faultOfCharset(Buffer.from("Müller"), "iso-8859-1")).toBe("its charset is iso-8859-1, not UTF-8");
    expect(faultOfCharset(Buffer.from("Miller"), "iso-8859-1")).toBeNull();
    for (const charset of ["utf-8", "UTF8", '"utf-8"']) expect(faultOfCharset(Buffer.from("Müller"), charset)).toBeNull();
  });
});

/** Where the rows of a table stand, by either reader. */
async function placesOf(text: string): Promise<string[]> {
  const places = (await readSheet(text)).map(({ place }) => place);
  expect(parseTable(text).rows.map(({ place }) => place)).toEqual(places);
  return places;
}

describe("a record", () => {
  it.each(["\n", "\r\n", "\r"])("of several lines stands where it begins, with %j between lines", async (end) => {
    const lines = ["task,reason", 'a,"x', "", 'y"', "", "  ", '"b', '",z', "c,", '"d","q"'];
    const places = ["line 2", "line 7", "line 9", "line 10"];
    for (const mark of ["", "\uFEFF"])
      for (const last of ["", end]) {
        const text = `${mark}${lines.join(end)}${last}`;
        expect(await placesOf(text)).toEqual(places);
        expect(await placesOf(text.replaceAll(",", "\t"))).toEqual(places);
      }
  });

  it("stands there also far down, where a piece ends within it and letters are of several bytes", async () => {
    const rows = Array.from({ length: 4_000 }, (_, index) => `t${index},"é\r\n${"東".repeat(index % 7)}"\r\n`);
    expect(await placesOf(`task,reason\r\n${rows.join("")}`)).toEqual(rows.map((_, index) => `line ${2 + 2 * index}`));
  });

  it("may come after empty lines, the first with the names of columns", async () => {
    expect(await placesOf("\n\r\n \ntask,reason\n\na,b\n")).toEqual(["line 6"]);
    expect(await placesOf("\n\ntask;reason\na;b\n")).toEqual(["line 4"]);
    await expect(readSheet("\n\ntask,resutl\na,b\n")).rejects.toThrow(/^line 3: no column is called "resutl"/);
  });

  it("that cannot be read is named by where it goes wrong, once", async () => {
    for (const end of ["\n", "\r\n"]) {
      const open = ["task,reason", 'a,"x', 'y"', 'b,"z', "c,d", ""].join(end);
      const message = "line 4: Quote Not Closed: the parsing is finished with an opening quote";
      await expect(readSheet(open)).rejects.toThrow(new RegExp(`^${message}$`));
      expect(() => parseTable(open)).toThrow(new RegExp(`^${message}$`));
      const wide = ["task,reason", 'a,"x', 'y"', 'b,"', '",z', ""].join(end);
      expect(() => parseTable(wide)).toThrow(/^line 4: it has 3 cells, and line 1 names 2 columns$/);
    }
  });
});

it("a long line of nothing does not hold anybody up", async () => {
  const startMs = performance.now();
  await readSheet(`${" ".repeat(300_000)}\n${"\n".repeat(100_000)}task,result\na,success\n`);
  expect(performance.now() - startMs).toBeLessThan(5_000);
});
