// What `top` shows: no line wider than the terminal, whatever is in it; amounts that are honest; and a terminal left as it was found.

import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { amount, board, type Facts, type Look } from "./board.ts";
import { paint, unpainted, widthOf } from "./draw.ts";
import { openScreen, type ScreenOptions } from "./screen.ts";

const row = (cost: string, more: Partial<Record<"failed" | "unpriced" | "unmetered", number>> = {}): Facts["minute"] => ({
  group: {},
  calls: 1_234,
  cost,
  inputTokens: 12_345_678,
  outputTokens: 90_123,
  quantity: null,
  unpriced: 0,
  unmetered: 0,
  doubtful: 0,
  presumed: 0,
  failed: 0,
  periodCost: "0",
  periodUnpriced: 0,
  ...more,
});

const facts: Facts = {
  atMs: Date.parse("2026-11-21T17:00:00Z"),
  demo: true,
  openCalls: 3,
  field: "customer",
  window: "hour",
  minute: row("0.0123"),
  hour: row("12345.678901234567", { failed: 2 }),
  today: row("0"),
  trend: Array.from({ length: 60 }, (_, index) => index % 7),
  rows: [
    { name: "日本語の長い名前の会社、その二", row: row("12000.5") },
    { name: "\u001b[31mred\u202e\nMüller & Söhne Möbel und noch viel mehr als das", row: row("300", { unpriced: 1, failed: 12 }) },
    { name: null, row: row("0.000000000001") },
    { name: "free", row: row("0") },
    { name: "unknown", row: row("0", { unmetered: 2 }) },
  ],
  truncated: false,
};

const look: Look = { columns: 100, rows: 30, paint: unpainted, isDrawn: true, hasKeys: true };

describe("the board", () => {
  it("keeps within every width and height", () => {
    for (const looked of [paint, unpainted])
      for (let columns = 20; columns <= 220; columns += 1)
        for (const rows of [8, 12, 40]) {
          const lines = board(facts, { ...look, columns, rows, paint: looked });
          const widest = Math.max(...lines.map(widthOf));
          expect([columns, widest <= columns]).toEqual([columns, true]);
          expect(lines.some((line) => line.includes("\n"))).toBe(false);
        }
    expect(board(facts, { ...look, rows: 14 }).length).toBeLessThanOrEqual(14);
  });

  it("shows who spends most, in columns", () => {
    const text = board(facts, look).map((line) => line.trimEnd());
    expect(text[0]).toMatch(/^pennyworth top {2}\d\d:\d\d:\d\d {2}demo data: Larkspur is invented$/);
    const rows = text.slice(text.findIndex((line) => line.startsWith("customer")) + 1);
    expect(rows.slice(0, 5).map((line) => line.split(/ {2,}/).at(-1))).toEqual(["████████████", "▎", "▏", "0", "?"]);
    expect(rows[1]).toMatch(/^\\u001b\[31mred.* ≥ 300\.0000/);
    expect(rows[2]).toMatch(/^— .* <0\.0001/);
  });

  it("says what was left out, and what is not there", () => {
    expect(board(facts, { ...look, rows: 12 }).map((line) => line.trim())).toContain("… and 3 more");
    expect(board({ ...facts, truncated: true }, look).map((line) => line.trim())).toContain("… and more");
    expect(board({ ...facts, rows: [], trend: null }, look).map((line) => line.trim())).toContain("No call in the last hour.");
  });
});

it.each([
  ["0", 0, "0"],
  ["0", 1, "?"],
  ["0.00004", 0, "<0.0001"],
  ["0.00005", 0, "<0.0001"],
  ["0.00006", 0, "0.0001"],
  ["1234567.00005", 0, "1,234,567.0000"],
  ["12.5", 2, "≥ 12.5000"],
])("$%s with %i unpriced reads %s", (cost, unpriced, shown) => expect(amount(row(cost, { unpriced }))).toBe(shown));

function openOn(onKey: (key: string) => void) {
  const raw: boolean[] = [];
  const written: string[] = [];
  const input = Object.assign(new PassThrough(), { isTTY: true, isRaw: false, setRawMode: (mode: boolean) => raw.push(mode) });
  const output = Object.assign(new EventEmitter(), { columns: 80, rows: 3, write: (text: string) => written.push(text) });
  const options = { input, output, onKey, onResize: () => {} } as unknown as ScreenOptions;
  return { screen: openScreen(options), raw, written, input };
}

describe("the screen", () => {
  it("hears keys, draws what has room, and puts everything back once", async () => {
    const keys: string[] = [];
    const { screen, raw, written, input } = openOn((key) => keys.push(key));
    input.write("mq\u0003");
    await new Promise((resolve) => setImmediate(resolve));
    screen.draw(["1", "2", "3", "4"]);
    screen.close();
    screen.close();
    screen.draw(["late"]);
    expect(keys).toEqual(["m", "q", "ctrl-c"]);
    expect(raw).toEqual([true, false]);
    expect(written).toEqual([
      "\u001b[?1049h\u001b[?25l\u001b[?7l",
      "\u001b[H1\u001b[K\r\n2\u001b[K\r\n3\u001b[K\u001b[J",
      "\u001b[?7h\u001b[?25h\u001b[?1049l",
    ]);
  });
});
