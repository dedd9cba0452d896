// Budgets as tables and lines for people: their terms, what stands under them, and a bar of it. Amounts become floating point here for the
// length of a bar alone. Invariant: every amount that is printed is the API's own text.

import type { z } from "zod";
import type { budget, standing } from "../api/terms.ts";
import { unpainted, type paint as painted } from "./draw.ts";
import { type Column, formatTable, plain } from "./table.ts";

export type Budget = z.infer<typeof budget>;
type Standing = z.infer<typeof standing>;
type Paint = { readonly [name in keyof typeof painted]: (text: string) => string };

const barWidth = 20;

/** `$1,200.5`, `1,500`: exactly, in the budget's measure. */
export function toAmount(text: string, measure: Budget["measure"] | null): string {
  const [, sign = "", whole = "", fraction = ""] = /^(-?)(\d+)(\.\d+)?$/.exec(text) ?? [];
  return `${sign}${measure === "money" ? "$" : ""}${whole.replaceAll(/\B(?=(\d{3})+$)/g, ",")}${fraction}`;
}

/** Spent, held and presumed as parts of what is allowed; what is over is not longer than the bar. */
export function drawStanding({ allowance, spent, held, presumed }: Standing, width = barWidth): string {
  const most = Math.max(Number(allowance), Number(spent) + Number(held) + Number(presumed));
  if (!(most > 0)) return " ".repeat(width);
  // By where each part ends, so that they add up.
  let [sum, drawn, text] = [0, 0, ""];
  for (const [part, mark] of [
    [spent, "█"],
    [held, "▓"],
    [presumed, "▒"],
  ] as const) {
    sum += Number(part);
    const end = Math.max(Math.round((sum / most) * width), Number(part) > 0 ? Math.min(width, drawn + 1) : drawn);
    text += mark.repeat(end - drawn);
    drawn = end;
  }
  return text + "·".repeat(width - drawn);
}

/** @param isDrawn whether the terminal can show bars. */
export function listBudgets(budgets: readonly Budget[], isDrawn: boolean, paint: Paint = unpainted): string {
  const hasPresumed = budgets.some((one) => one.standings.some(({ presumed }) => presumed !== "0"));
  const columns: Column[] = [
    { head: "budget" },
    { head: "for" },
    { head: "limit" },
    ...(isDrawn ? [{ head: "", paint: paint.accent }] : []),
    ...numbers("used", "spent", "held", ...(hasPresumed ? ["presumed"] : []), "left"),
    { head: "until" },
    { head: "" },
  ];
  const cells = (one: Standing, { measure }: Budget): string[] => [
    ...(isDrawn ? [drawStanding(one)] : []),
    one.usedPercent === null ? "" : `${one.usedPercent} %`,
    toAmount(one.spent, measure),
    toAmount(one.held, measure),
    ...(hasPresumed ? [toAmount(one.presumed, measure)] : []),
    toAmount(one.left, measure),
    one.toMs === null ? "" : toTime(one.toMs),
  ];
  const rows = budgets.flatMap((one) => {
    const { terms } = one;
    const name = [one.id, toWords(terms.for) || "everything", terms.limit];
    const mode = terms.mode === "hard" ? "" : terms.mode;
    const [first] = one.standings;
    if (terms.each.length === 0 && first !== undefined) return [[...name, ...cells(first, one), mode]];
    const gap = columns.slice(4).map(() => "");
    const many = `each ${terms.each.join(", ")}: ${one.total}`;
    return [
      [one.id, [toWords(terms.for), many].filter((text) => text !== "").join(", "), terms.limit, ...gap, mode],
      ...one.standings.map((other) => ["", `  ${other.values.join(", ")}`, "", ...cells(other, one), ""]),
    ];
  });
  const legend = isDrawn ? `\n\n█ spent  ▓ held for calls under way${hasPresumed ? "  ▒ presumed" : ""}  · left` : "";
  return formatTable(columns, rows) + legend;
}

export function showBudget(one: Budget, isDrawn: boolean, paint: Paint = unpainted): string {
  const { terms, standings, total, measure } = one;
  const facts: [string, string][] = [
    ["owner", terms.owner],
    ["limit", terms.limit],
    ["for", toWords(terms.for) || "everything"],
    ["each", terms.each.join(", ")],
    ["mode", `${terms.mode}${terms.unbounded === "allow" ? ", calls without a bound are let in and not covered" : ""}`],
    ["alerts", terms.alerts.join(", ")],
  ];
  if (terms.kind === "budget") {
    const steps = terms.degrade.map(({ at, model, cap, wait }) =>
      model !== undefined ? `at ${at} model ${model}` : cap !== undefined ? `at ${at} cap ${cap}` : `at ${at} wait ${wait}`,
    );
    facts.push(["zone", terms.zone ?? ""], ["carried over", terms.carry === "none" ? "" : terms.carry], ["caps", terms.caps]);
    facts.push(["useful", terms.useful === undefined ? "" : `${terms.useful} output tokens`], ["degrade", steps.join("; ")]);
  } else {
    const shares = Object.entries(terms.shares ?? {}).flatMap(([field, of]) =>
      Object.entries(of).map(([value, most]) => `${field} ${value} ${most}`),
    );
    facts.push(["shares", shares.join(", ")], ["priority", String(terms.priority)]);
  }
  facts.push(["defined", `${one.origin === "settings" ? "in the settings" : `by ${one.origin}`}, ${toTime(one.setMs)}`]);
  const lines = facts.filter(([, text]) => text !== "").map(([label, text]) => `${label.padEnd(13)}${plain(text)}`);
  const columns: Column[] = [
    ...(terms.each.length === 0 ? [] : [{ head: terms.each.join(", ") }]),
    ...(isDrawn ? [{ head: "", paint: paint.accent }] : []),
    ...numbers("allowed", "granted", "carried", "spent", "held", "presumed", "left"),
    { head: "until" },
  ];
  const rows = standings.map((of) => [
    ...(terms.each.length === 0 ? [] : [of.values.join(", ")]),
    ...(isDrawn ? [drawStanding(of)] : []),
    ...[of.allowance, of.granted, of.carried, of.spent, of.held, of.presumed, of.left].map((text) => toAmount(text, measure)),
    of.toMs === null ? "" : toTime(of.toMs),
  ]);
  const more = total > standings.length ? `\nOf ${total}, the fullest ${standings.length} are shown.` : "";
  const body = rows.length === 0 ? "Nobody has used it yet." : formatTable(columns, rows);
  return `${plain(one.id)} (${terms.kind})\n\n${lines.join("\n")}\n\n${body}${more}`;
}

/** `team=search, customer=Acme`. */
export function toWords(scope: Readonly<Record<string, string>>): string {
  return Object.entries(scope)
    .map(([field, value]) => `${field}=${value}`)
    .join(", ");
}

/** To the minute, UTC. */
export function toTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

function numbers(...heads: readonly string[]): Column[] {
  return heads.map((head) => ({ head, align: "right" }));
}
