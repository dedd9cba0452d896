// What the ledger has to set beside a statement: all of it, also where one answer of the store does not hold it.

import { describe, expect, it } from "vitest";
import type { Report, ReportQuery, ReportRow } from "../ledger/store.ts";
import { createMemory } from "./memory.fixture.ts";
import { ledgerLines } from "./tally.ts";

const dayMs = 86_400_000;
const firstMs = Date.UTC(2026, 9, 1);

function makeRow(group: readonly (string | null)[], more: Partial<ReportRow> = {}): ReportRow {
  const none = {
    inputTokens: 0,
    outputTokens: 0,
    unpriced: 0,
    unmetered: 0,
    doubtful: 0,
    presumed: 0,
    failed: 0,
    periodCost: "0",
    periodUnpriced: 0,
  };
  return { group, calls: 1, cost: "0.5", quantity: 10, ...none, ...more };
}

/** A store that says one row for each model of each day, and no more than the limit at once. */
function contextOf(models: number, days: number, rowsMax: number) {
  const asked: ReportQuery[] = [];
  const rows = Array.from({ length: days * models }, (_, index) => {
    const day = new Date(firstMs + Math.floor(index / models) * dayMs).toISOString().slice(0, 10);
    return makeRow([day, `m-${index % models}`, "input", null, "reported", "false"]);
  });
  const report = async (query: ReportQuery): Promise<Report> => {
    asked.push(query);
    const isIn = ({ group }: ReportRow): boolean => {
      const ms = Date.parse(`${group[0]}T00:00Z`);
      return ms >= (query.sinceMs ?? 0) && ms < (query.untilMs ?? 0);
    };
    const found = rows.filter(isIn);
    return { by: query.by, rows: found.slice(0, query.limit), total: makeRow([]), truncated: found.length > query.limit, position: null };
  };
  const memory = createMemory([]);
  return { asked, context: { ...memory, rowsMax, ledger: { ...memory.ledger, report } } };
}

describe("the ledger's side of a comparison", () => {
  it("is whole, however little one answer holds", async () => {
    const { context, asked } = contextOf(3, 31, 10);
    const lines = await ledgerLines(context, "openai", firstMs, firstMs + 31 * dayMs);
    expect(lines.length).toBe(93);
    expect(new Set(lines.map((line) => `${line.dayMs} ${line.model}`)).size).toBe(93);
    expect(asked.every(({ filters }) => filters.length === 1 && filters[0]?.field === "provider" && filters[0].value === "openai")).toBe(
      true,
    );
  });

  it("is refused where one day is more than an answer holds", async () => {
    const { context } = contextOf(11, 2, 10);
    await expect(ledgerLines(context, "openai", firstMs, firstMs + 2 * dayMs)).rejects.toThrow(
      /one day of openai has more than 10 kinds of usage/,
    );
  });

  it("tells what is unpriced, and calls without a usage", async () => {
    const memory = createMemory([]);
    const rows = [
      makeRow(["2026-10-01", "m", "output", "batch", "presumed", "true"], { cost: "0", unpriced: 1 }),
      makeRow(["2026-10-01", "m", "input", null, "reported", "true"], { unpriced: 0 }),
      makeRow(["2026-10-01", null, null, null, null, "false"], { cost: "0", quantity: null, unmetered: 4, calls: 4 }),
    ];
    const report = async (query: ReportQuery): Promise<Report> => ({
      by: query.by,
      rows,
      total: makeRow([]),
      truncated: false,
      position: null,
    });
    const lines = await ledgerLines({ ...memory, ledger: { ...memory.ledger, report } }, "openai", firstMs, firstMs + dayMs);
    expect(lines.map((line) => [line.class, line.tier, line.source, line.costPico, line.unpriced, line.unmetered])).toEqual([
      ["output", "batch", "presumed", 0n, 10, 0],
      ["input", null, "reported", 500_000_000_000n, 0, 0],
      [null, null, null, 0n, 0, 4],
    ]);
  });
});
