// Lists on disk: what is kept is what was said, whatever lay there before. Not here: which list stands (history.test.ts).

import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { PriceList } from "./list.ts";
import { Shelf } from "./shelf.ts";

const list: PriceList = { source: "acme", version: "1", origin: "a test", published: null, records: [], discounts: [], choices: [] };

const folders: string[] = [];

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pennyworth-shelf-"));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe("the shelf of price lists", () => {
  it("keeps a list anew where the file of its name was cut short", () => {
    const folder = makeFolder();
    const shelf = new Shelf(folder);
    const hash = shelf.keep(list);
    truncateSync(join(folder, "prices", `${hash}.json`), 20);
    expect(() => shelf.read(hash)).toThrow(/prices_damaged|is damaged/);
    expect(shelf.keep(list)).toBe(hash);
    expect(shelf.read(hash)).toEqual(list);
    expect(readdirSync(join(folder, "prices"))).toEqual([`${hash}.json`]);
  });

  it("says that a list cannot be kept, and leaves nothing behind", () => {
    const folder = makeFolder();
    const shelf = new Shelf(folder);
    writeFileSync(join(folder, "prices"), "no folder");
    expect(() => shelf.keep(list)).toThrow(expect.objectContaining({ code: "prices_unwritable" }) as Error);
    rmSync(join(folder, "prices"));
    const hash = shelf.keep(list);
    rmSync(join(folder, "prices", `${hash}.json`));
    mkdirSync(join(folder, "prices", `${hash}.json`));
    expect(() => shelf.keep(list)).toThrow(/Free the disk/);
    expect(readdirSync(join(folder, "prices"))).toEqual([`${hash}.json`]);
  });

  it("keeps the same file whether calls wait for it or not", async () => {
    const folder = makeFolder();
    const shelf = new Shelf(folder);
    const record = { id: "acme@1/p/m", provider: "p", model: "m", match: { equals: "m" } } as unknown as PriceList["records"][number];
    for (const count of [0, 1, 49, 50, 51, 100, 120]) {
      const one = {
        ...list,
        origin: `ünd "so" ${count}`,
        records: Array.from({ length: count }, (_, index) => ({ ...record, model: `m${index}` })),
      };
      const hash = await shelf.put(one);
      const file = join(folder, "prices", `${hash}.json`);
      expect(readFileSync(file, "utf8")).toBe(`${JSON.stringify(one)}\n`);
      truncateSync(file, 20);
      expect(await shelf.put(one)).toBe(shelf.keep(one));
      expect(shelf.read(hash)).toEqual(one);
    }
    expect(readdirSync(join(folder, "prices")).filter((name) => !name.endsWith(".json"))).toEqual([]);
  });

  it("says that a list cannot be kept while calls pass, and leaves nothing behind", async () => {
    const folder = makeFolder();
    const shelf = new Shelf(folder);
    writeFileSync(join(folder, "prices"), "no folder");
    await expect(shelf.put(list)).rejects.toMatchObject({ code: "prices_unwritable" });
    rmSync(join(folder, "prices"));
    const hash = shelf.keep(list);
    rmSync(join(folder, "prices", `${hash}.json`));
    mkdirSync(join(folder, "prices", `${hash}.json`));
    await expect(shelf.put(list)).rejects.toThrow(/Free the disk/);
    expect(readdirSync(join(folder, "prices"))).toEqual([`${hash}.json`]);
  });

  it("keeps the last few lists of the past in memory, and reads others anew", () => {
    const folder = makeFolder();
    const shelf = new Shelf(folder);
    const hashes = Array.from({ length: 9 }, (_, index) => shelf.keep({ ...list, version: String(index) }));
    const [first = "", ...others] = hashes;
    const before = shelf.recall(first);
    expect(shelf.recall(first)).toBe(before);
    for (const hash of others) shelf.recall(hash);
    expect(shelf.recall(first)).not.toBe(before);
    expect(shelf.recall(first)).toEqual(before);
  });
});
