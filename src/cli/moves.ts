// Why the bill moved, as a waterfall for people: each line begins where the last one ended. Amounts are shortened here; `--json` has them whole.
// Invariant: what is not sure, or could not be known, is said below, and a bar is geometry alone.

import type { z } from "zod";
import type { contributor, driversAnswer } from "../api/drivers.ts";
import { formatUsd, parseUsd, roundUsd, sum } from "../core/money.ts";
import { offsetAt, offsetsOf } from "../core/zone.ts";
import { atLeast, many } from "./command.ts";
import { paint } from "./draw.ts";
import { short } from "./successes.ts";
import { toTime } from "./standing.ts";
import { type Column, formatCount, formatTable, plain } from "./table.ts";

type Moves = z.infer<typeof driversAnswer>;
type Line = Moves["lines"][number];
type Contributor = z.infer<typeof contributor>;

const barWidth = 32;

export function describeMoves(found: Moves, top: number, isDrawn: boolean): string {
  const { before, after, summary, zone } = found;
  const at = clockOf(zone);
  const head = `${at(after.sinceMs)} to ${at(after.untilMs)} against ${at(before.sinceMs)} to ${at(before.untilMs)} ${plain(zone)}`;
  const lines = found.lines.filter(({ change, contributors }) => change !== "0" || contributors.length > 0);
  const amounts = [before.cost, after.cost, ...lines.map((line) => line.change)];
  const say = sayerOf(amounts);
  const place = placer([before.cost, after.cost, ...lines.flatMap(({ from, to }) => [from, to])]);
  const columns: Column[] = [
    { head: "" },
    { head: "$", align: "right" },
    { head: "" },
    ...(isDrawn ? [{ head: "", paint: paint.accent }] : []),
  ];
  const row = (name: string, amount: string, detail: string, bar: string): string[] => [name, amount, detail, ...(isDrawn ? [bar] : [])];
  const rows: (string[] | null)[] = [row("before", spentOf(before, say), sizeOf(before), place("0", before.cost))];
  for (const line of lines) {
    rows.push(row(line.name, signed(line.change, say), "", place(line.from, line.to)));
    for (const one of line.contributors.slice(0, top)) rows.push(row(`  ${nameOf(one)}`, signed(one.change, say), detailOf(line, one), ""));
    const rest = restOf(line, top);
    if (top > 0 && rest !== 0n) rows.push(row("  all others", signedPico(rest, say), "", ""));
  }
  rows.push(null, row("after", spentOf(after, say), sizeOf(after), place("0", after.cost)));
  return [summary, "", head, "", formatTable(columns, rows), ...notes(found)].join("\n");
}

/** To the minute, of the zone that was asked for. */
function clockOf(zone: string): (ms: number) => string {
  const offsets = offsetsOf(zone, null, null) ?? [];
  return (ms) => toTime(ms + offsetAt(offsets, ms));
}

function restOf({ change, contributors }: Line, top: number): bigint {
  return parseUsd(change) - sum(contributors.slice(0, top).map((one) => parseUsd(one.change)));
}

function spentOf({ cost, isCostWhole }: Moves["before"], say: (usd: string) => string): string {
  return isCostWhole ? say(cost) : atLeast(cost === "0" ? cost : say(cost), 1);
}

function sizeOf({ calls, tasks }: Moves["before"]): string {
  return `${many(calls, "call")}${tasks === 0 ? "" : `, ${many(tasks, "task")}`}`;
}

function nameOf({ type, model, group, others, charge, chargeName }: Contributor): string {
  if (charge !== null) return plain(chargeName ?? charge);
  const names = [
    type === null ? "no task" : type === "" ? "no type" : type,
    model ?? "no model",
    ...(others ? ["all others"] : group === null ? [] : [group]),
  ];
  return names.map(plain).join(" · ");
}

/** What moved, in its own measure. */
function detailOf({ factor }: Line, { before, after }: Contributor): string {
  if (before === null || after === null)
    return before === null && after === null ? "" : before === null ? "not there before" : "there no more";
  if (factor === "tokens_per_call" && before.calls > 0 && after.calls > 0)
    return `${formatCount(Math.round(before.tokens / before.calls))} → ${formatCount(Math.round(after.tokens / after.calls))} tokens a call`;
  if (factor === "retries" && before.firstTries > 0 && after.firstTries > 0)
    return `${(before.calls / before.firstTries).toFixed(2)} → ${(after.calls / after.firstTries).toFixed(2)} tries each`;
  if (factor === "volume" || factor === "type_mix" || factor === "calls_per_task" || factor === "model_mix")
    return `${formatCount(before.calls)} → ${formatCount(after.calls)} calls`;
  const say = sayerOf([before.cost, after.cost]);
  const spent = ({ cost, unpriced }: typeof before): string => atLeast(cost === "0" && unpriced > 0 ? cost : `$${say(cost)}`, unpriced);
  return `${spent(before)} → ${spent(after)} in all`;
}

/** As many decimals as the largest amount needs, for all; what would look like nothing is less than the least of them. */
function sayerOf(amounts: readonly string[]): (usd: string) => string {
  const most = amounts.reduce((size, usd) => (magnitude(parseUsd(usd)) > size ? magnitude(parseUsd(usd)) : size), 0n);
  const decimals = most >= parseUsd("10") || most === 0n ? 2 : most >= parseUsd("0.1") ? 4 : most >= parseUsd("0.001") ? 6 : 8;
  return (usd) => {
    const rounded = roundUsd(parseUsd(usd), decimals);
    if (!/[1-9]/.test(rounded) && usd !== "0") return `<${rounded.slice(0, -1)}1`;
    return rounded.replaceAll(/\B(?=(\d{3})+\.)/g, ",");
  };
}

function signed(usd: string, say: (usd: string) => string): string {
  return usd.startsWith("-") ? `−${say(usd.slice(1))}` : `${usd === "0" ? "" : "+"}${say(usd)}`;
}

function signedPico(pico: bigint, say: (usd: string) => string): string {
  return signed(formatUsd(pico), say);
}

function dollars(usd: string): string {
  return `$${short(usd)}`;
}

/** Where a bar lies between the least and the most there is. */
function placer(levels: readonly string[]): (from: string, to: string) => string {
  const heights = levels.map(Number);
  const [least, most] = [Math.min(0, ...heights), Math.max(0, ...heights)];
  const at = (usd: string): number => (most === least ? 0 : ((Number(usd) - least) / (most - least)) * barWidth);
  return (from, to) => {
    const [a, b] = [Math.min(at(from), at(to)), Math.max(at(from), at(to))];
    if (a === b) return "";
    const start = Math.min(barWidth - 1, Math.floor(a));
    return `${" ".repeat(start)}${"█".repeat(Math.max(1, Math.round(b) - start))}`;
  };
}

function notes({ lines, lacking, before, after, bound, priceMoves, maxGap, shapley, margin, noMargin, zone }: Moves): string[] {
  const said: string[] = [];
  const at = clockOf(zone);
  const gap = lines.find((line) => line.factor === maxGap.factor);
  const other = shapley.find((one) => one.factor === maxGap.factor);
  const gross = lines.reduce((all, line) => all + magnitude(parseUsd(line.change)), 0n);
  if (gap !== undefined && other !== undefined && parseUsd(maxGap.amount) * 20n >= gross && gross > 0n)
    said.push(
      `Divided by logarithmic means. By Shapley values ${gap.name} would be ${signed(other.change, dollars)} rather than ${signed(gap.change, dollars)}: much changed at once.`,
    );
  for (const one of priceMoves.slice(0, 5))
    said.push(
      `The list price of ${plain(one.model)} (${plain(one.provider)}) changed within a span, at ${at(one.atMs)} ${plain(zone)}: reckoned before and after.`,
    );
  if (lacking.priceMoves > 0)
    said.push(`${many(lacking.priceMoves, "change")} of list prices within a span passed over: there are too many.`);
  if (lacking.groups > 0) said.push(`${many(lacking.groups, "value")} of --by are not told apart, the cheapest: they are all others.`);
  if (lacking.prices.length > 0)
    said.push(
      `No list price of ${lacking.prices
        .slice(0, 5)
        .map(({ model }) => plain(model ?? "no model"))
        .join(", ")}: what prices moved there is not known.`,
    );
  const unknown = [...gapsOf(before, "before"), ...gapsOf(after, "after")];
  // What an unknown cost would have added is spread over factors: no line can be bound by itself.
  const divided = gross > 0n ? " The lines divide the known costs alone." : "";
  if (unknown.length > 0) said.push(`Cost unknown: ${unknown.join("; ")}. At least (≥) what is said was spent.${divided}`);
  if (margin !== null) {
    const steps = margin.steps.filter((step) => step.points !== "0");
    const told = steps.map((step) => `${toPoints(step.points)} ${lines.find((line) => line.factor === step.factor)?.name ?? "revenue"}`);
    const most = (side: Moves["before"]): string => (side.isCostWhole ? "" : "≤ ");
    const from = `${most(before)}${toPercent(margin.before)}`;
    const to = `${most(after)}${toPercent(margin.after)}`;
    const change = told.length === 0 ? "nothing moved" : `${pointMarks[bound]}${toPoints(margin.change)} points: ${told.join(", ")}`;
    said.push(`Gross margin ${from} → ${to}${told.length === 0 ? ": " : ", "}${change}.`);
  }
  // Of those who never said what customers pay, nothing is said.
  const isTold = noMargin !== null && (noMargin.reason !== "revenue_unknown" || before.revenue !== null || after.revenue !== null);
  if (noMargin !== null && noMargin.reason !== "filtered" && isTold) said.push(`No bridge of gross margin: ${whyNone(noMargin)}.`);
  return said.length === 0 ? [] : ["", ...said];
}

/** What of a span nobody knows the cost of. */
function gapsOf({ unpriced, periodUnpriced, unmetered }: Moves["before"], when: string): string[] {
  const parts = [
    ...(unpriced > periodUnpriced ? [`${many(unpriced - periodUnpriced, "call")} with something without a price`] : []),
    ...(periodUnpriced > 0 ? [`${many(periodUnpriced, "day")} of charges without a price`] : []),
    ...(unmetered > 0 ? [`${many(unmetered, "call")} without usage`] : []),
  ];
  return parts.length === 0 ? [] : [`${when}, ${parts.join(", ")}`];
}

/** Before a change of margin: a cost that is more than is known makes it less. */
const pointMarks: Readonly<Record<Moves["bound"], string>> = { exact: "", "at least": "≤ ", "at most": "≥ ", none: "? " };

const reasons = {
  revenue_unknown: "nothing is known of what customers paid",
  revenue_zero: "customers paid nothing",
  revenue_negative: "more was paid back than was paid",
} as const;

function whyNone({ period, reason }: NonNullable<Moves["noMargin"]>): string {
  if (reason === "filtered") return "what customers paid is not known by what the filters say";
  if (reason === "not_whole_days")
    return "what customers paid is known by the day, UTC, and these spans are not as long as the days that begin in them: give whole days";
  return `${reasons[reason]} in the span ${period === "before" ? "before" : "after it"}`;
}

function toPercent(points: string): string {
  return `${Number(points).toFixed(1).replace("-", "−")} %`;
}

function toPoints(points: string): string {
  const text = Number(points).toFixed(2);
  return text.startsWith("-") ? text.replace("-", "−") : `+${text}`;
}

function magnitude(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}
