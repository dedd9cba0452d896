// Files that are UTF-8, and those that are not.

import { expect, it } from "vitest";
import { readUtf8 } from "./utf8.ts";

const names = "name\nbürste\nböste\n";

it.each<[string, Uint8Array<ArrayBuffer>, string | null]>([
  ["UTF-8", Uint8Array.from(Buffer.from(names)), names],
  ["UTF-8 with its mark", Uint8Array.from(Buffer.from(`\uFEFF${names}`)), names],
  ["nothing", new Uint8Array(), ""],
  ["Latin-1", Uint8Array.from(Buffer.from(names, "latin1")), null],
  ["UTF-16", Uint8Array.from(Buffer.from(`\uFEFF${names}`, "utf16le")), null],
])("a file that is %s", async (_, bytes, text) => {
  expect(await readUtf8(new Blob([bytes]))).toBe(text);
});
