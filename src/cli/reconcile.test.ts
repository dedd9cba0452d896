// `pennyworth reconcile` as a process, against a control API on the folder's socket: which files it does not read. Not here: exports and gaps
// (ingest/read.test.ts, test/reconcile.test.ts).

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { createMemory } from "../api/memory.fixture.ts";
import { readStatement } from "../ingest/read.ts";
import { runOn, serveFolder } from "./terminal.fixture.ts";

const memory = createMemory([]);
const context = { ...memory, statements: { ...memory.statements, parse: readStatement } };
const data = serveFolder(() => context);
const folder = mkdtempSync(join(tmpdir(), "pennyworth-bill-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const table = "start_time,end_time,model\n1,2,b\u00fcrste\n1,2,b\u00f6rste\n";

it.each<[string, Buffer, string]>([
  ["Latin-1", Buffer.from(table, "latin1"), "line 2 is not UTF-8: save the file as UTF-8"],
  ["UTF-16", Buffer.from(`\uFEFF${table}`, "utf16le"), "it is UTF-16, not UTF-8: save the file as UTF-8"],
])("a bill that is %s is refused, and what helps is said", async (charset, bytes, why) => {
  const path = join(folder, `${charset}.csv`);
  writeFileSync(path, bytes);
  const ran = await runOn(data, "reconcile", path, "--provider", "openai");
  expect(ran).toEqual({ code: 1, out: "", err: expect.stringContaining(`${path}: ${why}`) });
});

it("a bill that begins with the mark of UTF-8 is read", async () => {
  const path = join(folder, "marked.csv");
  writeFileSync(path, `\uFEFF${table}`);
  const { err } = await runOn(data, "reconcile", path, "--provider", "openai");
  expect(err).toContain("its columns (start_time, end_time, model) are of no known export");
});
