// Lists on disk: what is kept is what was said, whatever lay there before. Not here: which list stands (history.test.ts).

import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
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
});
