// Tables for people: numbers to the right, amounts exact, no decoration that a pipe would have to strip.

import Table from "cli-table3";
import { widthOf } from "./draw.ts";
import { usageClassNames } from "../core/usage.ts";

export interface Column {
  readonly head: string;
  readonly align?: "left" | "right";
  /** Applied to each cell once it is known to be harmless. */
  readonly paint?: (text: string) => string;
}

const none = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
};
const inner = { left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "", middle: "  " };

/** A longer cell is clipped: one hostile value must not make every row as wide. */
const cellLengthMax = 80;

/** Lines of text. A `null` row is a rule. Control characters in values are shown, never obeyed. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[] | null)[]): string {
  const table = new Table({
    head: columns.map((column) => column.head),
    colAligns: columns.map((column) => column.align ?? "left"),
    chars: { ...none, ...inner },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  const widths = columns.map((column, index) => Math.max(widthOf(column.head), ...rows.map((row) => widthOf(clip(row?.[index] ?? "")))));
  const rule = widths.map((width) => "─".repeat(width));
  table.push(rule);
  for (const row of rows) table.push(row === null ? rule : row.map((cell, index) => show(cell, columns[index])));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

function show(cell: string, column: Column | undefined): string {
  const text = clip(cell);
  return text === "" || column?.paint === undefined ? text : column.paint(text);
}

function clip(text: string): string {
  if (text.length <= cellLengthMax) return plain(text);
  const shown = [...plain(text.slice(0, 2 * cellLengthMax))];
  return shown.length <= cellLengthMax ? shown.join("") : `${shown.slice(0, cellLengthMax - 1).join("")}…`;
}

export function formatCount(value: number): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A class's name as people read it. */
export function formatClass(name: string): string {
  return name.replaceAll("_", " ");
}

/** Groups of a report by class, in the order classes are defined in. */
export function classOrder(name: string): number {
  return (usageClassNames as string[]).indexOf(name);
}

/** Hostile names cannot move the cursor or colour the terminal. */
export function plain(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
