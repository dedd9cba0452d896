// What `pennyworth top` shows: the rate of spending, and who spends most. Facts in, lines out. Not here: asking for the facts, or the terminal.
// Invariant: no line is wider than it may be, and an amount that is not known, or too small to show, is never shown as nothing.

import type { z } from "zod";
import type { report } from "../api/schema.ts";
import { parseUsd, roundUsd } from "../core/money.ts";
import { many } from "./command.ts";
import { bar, fit, type paint, sparks, widthOf } from "./draw.ts";
import { formatCount, plain } from "./table.ts";

type Row = z.infer<typeof report>["rows"][number];

/** The keys that choose what rows are of. */
export const fields = { a: "agent", m: "model", c: "customer", f: "feature", k: "key", t: "task" } as const;
export type Field = (typeof fields)[keyof typeof fields];
export const windows = ["hour", "today"] as const;
export type Window = (typeof windows)[number];

export interface Facts {
  readonly atMs: number;
  readonly demo: boolean;
  readonly openCalls: number;
  readonly field: Field;
  readonly window: Window;
  readonly minute: Row;
  readonly hour: Row;
  readonly today: Row;
  /** Cost in each of the last sixty minutes, the one under way last; for geometry. null: not known. */
  readonly trend: readonly number[] | null;
  /** Of the window, dearest first. */
  readonly rows: readonly { readonly name: string | null; readonly row: Row }[];
  /** There are more groups than rows. */
  readonly truncated: boolean;
}

export interface Look {
  readonly columns: number;
  readonly rows: number;
  readonly paint: { readonly [name in keyof typeof paint]: (text: string) => string };
  /** Bars and sparks may be drawn. */
  readonly isDrawn: boolean;
  /** Somebody may press keys. */
  readonly hasKeys: boolean;
}

export function board(facts: Facts, look: Look): string[] {
  const { columns, paint } = look;
  const clock = new Date(facts.atMs).toTimeString().slice(0, 8);
  const title = `pennyworth top  ${clock}${facts.demo ? "  demo data: Larkspur is invented" : ""}`;
  const head = [paint.strong(fit(title, columns)), "", ...rates(facts, look), ...trend(facts, look), ""];
  const foot = look.hasKeys ? ["", keys(facts, look)] : [];
  const room = Math.max(1, look.rows - head.length - foot.length - 1);
  return [...head, ...table(facts, look, room), ...foot];
}

/** The figures of the moment, as many as there is room for. */
function rates({ minute, hour, today, openCalls }: Facts, { columns, paint }: Look): string[] {
  const figures = [
    { value: `$${amount(minute)}`, unit: "last minute" },
    { value: `$${amount(hour)}`, unit: "last hour" },
    { value: `$${amount(today)}`, unit: "today" },
    { value: formatCount(minute.calls), unit: minute.calls === 1 ? "call a minute" : "calls a minute" },
    { value: formatCount(openCalls), unit: "under way" },
    { value: formatCount(hour.failed), unit: "failed this hour", isAlarm: hour.failed > 0 },
  ];
  const lines: string[] = [];
  let line = "";
  for (const { value, unit, isAlarm } of figures) {
    const shown = `${isAlarm === true ? paint.alarm(value) : paint.strong(value)} ${paint.quiet(unit)}`;
    if (line !== "" && widthOf(line) + 3 + widthOf(shown) > columns) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? shown : `   ${shown}`;
  }
  return [...lines, line].filter((text) => widthOf(text) <= columns);
}

function trend({ trend: values }: Facts, { columns, paint, isDrawn }: Look): string[] {
  if (values === null || !isDrawn) return [];
  const label = "60 minutes ";
  const shown = values.slice(-Math.max(0, columns - label.length));
  return shown.length === 0 ? [] : [paint.quiet(label) + paint.accent(sparks(shown))];
}

interface Column {
  readonly head: string;
  readonly width: number;
  readonly align: "left" | "right";
  cell(row: Row): string;
}

function table(facts: Facts, { columns, paint, isDrawn }: Look, room: number): string[] {
  const { rows, field, window, truncated } = facts;
  const numbers: readonly Column[] = [
    { head: "calls", width: 8, align: "right", cell: (row) => formatCount(row.calls) },
    { head: "tokens in", width: 13, align: "right", cell: (row) => formatCount(row.inputTokens) },
    { head: "tokens out", width: 11, align: "right", cell: (row) => formatCount(row.outputTokens) },
    { head: "failed", width: 6, align: "right", cell: (row) => (row.failed === 0 ? "" : formatCount(row.failed)) },
    { head: window === "hour" ? "$ hour" : "$ today", width: 12, align: "right", cell: (row) => amount(row) },
  ];
  const barWidth = 12;
  const nameMin = 12;
  const widthOfAll = (shown: readonly Column[]): number => shown.reduce((width, column) => width + column.width + 2, 0);
  let shown = [...numbers];
  // The narrower, the fewer: the amount stays.
  for (const drop of ["tokens out", "tokens in", "failed", "calls"])
    if (nameMin + widthOfAll(shown) > columns) shown = shown.filter((column) => column.head !== drop);
  const hasBar = isDrawn && nameMin + widthOfAll(shown) + barWidth + 2 <= columns;
  const names = rows.map(({ name }) => widthOf(plain(name ?? "—")));
  const rest = columns - widthOfAll(shown) - (hasBar ? barWidth + 2 : 0);
  const nameWidth = Math.max(1, Math.min(rest, Math.max(nameMin, ...names)));
  const most = Math.max(0, ...rows.map(({ row }) => Number(row.cost)));
  const line = (name: string, cells: readonly string[]): string =>
    [fit(name, nameWidth), ...shown.map((column, index) => fit(cells[index] ?? "", column.width, column.align))].join("  ");
  const head = line(
    field,
    shown.map((column) => column.head),
  );
  const fits = rows.length <= room && !truncated ? rows : rows.slice(0, Math.max(1, room - 1));
  const lines = fits.map(({ name, row }) => {
    const text = line(
      plain(name ?? "—"),
      shown.map((column) => column.cell(row)),
    );
    return hasBar ? `${text}  ${paint.accent(bar(most === 0 ? 0 : Number(row.cost) / most, barWidth).trimEnd())}` : text;
  });
  const left = rows.length - fits.length;
  const more = left > 0 || truncated ? [paint.quiet(fit(truncated ? "… and more" : `… and ${many(left, "more", "more")}`, columns))] : [];
  const none = rows.length === 0 ? [paint.quiet(fit(window === "hour" ? "No call in the last hour." : "No call today.", columns))] : [];
  return [paint.quiet(fit(head, columns)), ...lines, ...none, ...more];
}

function keys({ field, window }: Facts, { columns, paint }: Look): string {
  const shown = [
    { text: "q quit", isChosen: false },
    ...Object.entries(fields).map(([key, name]) => ({ text: `${key} ${name}`, isChosen: name === field })),
    { text: `w ${window === "hour" ? "hour › today" : "today › hour"}`, isChosen: false },
  ];
  let line = "";
  let width = 0;
  for (const { text, isChosen } of shown) {
    if (width + text.length + 3 > columns) break;
    line += `${line === "" ? "" : "   "}${isChosen ? paint.accent(text) : paint.quiet(text)}`;
    width += text.length + (width === 0 ? 0 : 3);
  }
  return line;
}

/** Dollars to four decimals. `?`: nothing is known of it. `≥`: some of it is not known. `<`: it is something, and less than can be shown. */
export function amount({ cost, unpriced, unmetered, periodUnpriced }: Row): string {
  const exact = parseUsd(cost);
  const isPart = unpriced + unmetered + periodUnpriced > 0;
  if (exact === 0n) return isPart ? "?" : "0";
  const rounded = roundUsd(exact, 4);
  const shown = /^0\.0+$/.test(rounded) ? "<0.0001" : rounded.replace(/\B(?=(\d{3})+\.)/g, ",");
  return isPart ? `≥ ${shown}` : shown;
}
