// Tasks, their outcomes and what a success costs, as lines for people. Amounts are shortened here; `--json` has them whole. Invariant: an estimate
// never stands alone: its interval is beside it, and where the data do not suffice that is said in words.

import type { z } from "zod";
import type { outcomesAnswer } from "../api/outcomes.ts";
import type { statement } from "../api/said.ts";
import type { successAnswer, successRow } from "../api/success.ts";
import type { tasks } from "../api/views.ts";
import { parseUsd, roundUsd } from "../core/money.ts";
import { atLeast, many } from "./command.ts";
import { toTime } from "./standing.ts";
import { type Column, formatCount, formatTable, plain } from "./table.ts";

type Success = z.infer<typeof successAnswer>;
type Row = z.infer<typeof successRow>;
type Lack = Row["enough"]["lacks"][number];

export function tableOfTasks(list: z.infer<typeof tasks>["tasks"]): string {
  const columns: Column[] = [
    ...["task", "type", "customer", "agent", "began", "ended"].map((head) => ({ head })),
    ...["value $", "calls", "cost $"].map((head) => ({ head, align: "right" as const })),
  ];
  const rows = list.map((one) => [
    one.task,
    one.type ?? "—",
    one.customer ?? "—",
    one.agent ?? "—",
    toTime(one.startMs),
    `${one.ended}${one.contradictory ? " (contradictory)" : ""}`,
    one.value ?? "—",
    formatCount(one.calls),
    atLeast(one.cost, one.unpriced + one.unmetered),
  ]);
  return formatTable(columns, rows);
}

export function describeOutcomes({ task, statements, ending, rework }: z.infer<typeof outcomesAnswer>): string {
  const again = [
    ...(rework.of === null ? [] : [`It makes good ${plain(rework.of)}: what it costs is booked there.`]),
    ...(rework.by.length === 0 ? [] : [`Made good by ${rework.by.map(plain).join(", ")}: what that costs is booked here.`]),
  ];
  if (statements.length === 0)
    return [`Nobody has said how ${plain(task)} ended. To say it: pennyworth tasks end ${quote(task)} --result success`, ...again].join(
      "\n",
    );
  const columns: Column[] = [
    ...["when", "judge", "source", "result", "reason"].map((head) => ({ head })),
    ...["value $", "checked min"].map((head) => ({ head, align: "right" as const })),
    { head: "id" },
  ];
  const rows = statements.map((one) => [
    toTime(one.atMs),
    one.judge,
    one.source ?? "—",
    one.result ?? "—",
    one.reason ?? "—",
    one.value ?? "—",
    one.reviewMinutes === null ? "—" : toMinutes(one.reviewMinutes),
    one.id,
  ]);
  const by = ending.judge === null ? "" : `, says ${judges[ending.judge]}${ending.source === null ? "" : ` ${plain(ending.source)}`}`;
  const reason = ending.reason === null ? "" : ` (${plain(ending.reason)})`;
  const kept = [
    ...(ending.self === null || ending.checked === null ? [] : [`it says itself ${ending.self}, checked it is ${ending.checked}`]),
    ...(ending.isContradictory ? ["sources contradict one another"] : []),
    ...(ending.value === null ? [] : [`worth $${ending.value}`]),
    ...(ending.reviewMinutes === null ? [] : [`checked for ${toMinutes(ending.reviewMinutes)} min`]),
  ];
  return `${plain(task)}: ${ending.result}${by}${reason}${kept.map((one) => `; ${one}`).join("")}\n${again.map((one) => `${one}\n`).join("")}\n${formatTable(columns, rows)}`;
}

const judges: { readonly [judge in z.infer<typeof statement>["judge"]]: string } = {
  person: "a person,",
  check: "the check",
  self: "itself",
};

/** @param below lines that stand between the table and what is to be said of it (spread.ts). */
export function describeSuccess(found: Success, below: readonly string[] = []): string {
  const { by, rows, total } = found;
  if (total.tasks === 0) return ["No task matches.", ...notes(found)].join("\n");
  const isReviewed = total.review.perSuccess !== null;
  const isPriced = found.reviewRate !== null;
  const columns: Column[] = [
    ...by.map((head) => ({ head })),
    ...["tasks", "success rate", "spend $", "$ per success"].map((head) => ({ head, align: "right" as const })),
    ...(isReviewed ? [{ head: "with review $", align: "right" as const }] : []),
    ...["on failures", isPriced ? "return with review" : "return"].map((head) => ({ head, align: "right" as const })),
    { head: "data" },
  ];
  const cells = (row: Row): string[] => [
    formatCount(row.tasks),
    toRate(row.rate),
    atLeast(short(row.spend), row.unpriced),
    toPerSuccess(row),
    ...(isReviewed ? [toReviewed(row)] : []),
    row.shares === null ? "—" : percent(row.shares.failures),
    toReturn(row, isPriced),
    toData(row),
  ];
  const line = (row: Row): string[] => [...by.map((field) => row.group[field] ?? "—"), ...cells(row)];
  const last = [...by.map((_, index) => (index === 0 ? "total" : "")), ...cells(total)];
  const table = formatTable(columns, by.length === 0 ? [last] : [...rows.map(line), null, last]);
  return [table, ...below, "", ...notes(found)].join("\n");
}

function notes({ total, rows, truncated, waiting, openMs, reviewRate }: Success): string[] {
  const lines = [
    "$ per success: all spend, failed and unfinished tasks and rework included, over successes. In brackets: intervals of 95 %, by estimate.",
  ];
  if (total.tasks === 0) lines.shift();
  if (truncated) lines.push(`Only the first ${many(rows.length, "row")} are shown (--limit); the total is over all.`);
  if (total.unknown.tasks > 0) lines.push(`Nobody said how ${many(total.unknown.tasks, "task")} ended: $${short(total.unknown.cost)}.`);
  if (total.open.tasks > 0)
    lines.push(
      `${many(total.open.tasks, "task")} may still end, until ${Math.round(openMs / 360_000) / 10} h after the last call: $${short(total.open.cost)}.`,
    );
  if (total.contradictory > 0)
    lines.push(`Sources say different things of ${many(total.contradictory, "task")}: pennyworth tasks outcomes <task>`);
  if (total.unpriced > 0) lines.push(`${many(total.unpriced, "task")} used something without a price: ≥, at least.`);
  if (total.presumed > 0)
    lines.push(`${many(total.presumed, "task")} with calls of which nobody knows what they used: they count at their bound.`);
  if (total.returns !== null && total.returns.unvaluedShare > 0)
    lines.push(
      `Return: of ${percent(total.returns.unvaluedShare)} of the spend nobody said what came of it was worth. It and its interval are at least (≥) what they are without.`,
    );
  if (reviewRate !== null && total.review.perSuccess !== null) lines.push("With review: spend and checking together.");
  if (reviewRate !== null && total.review.unknown > 0)
    lines.push(
      `Of ${many(total.review.unknown, "task")} nobody said how long it was checked: with review it is at least (≥) that, and the return at most (≤)${total.returns !== null && total.returns.unvaluedShare > 0 ? "; a ? where worth is unknown too" : ""}.`,
    );
  if (waiting > 0)
    lines.push(
      `${many(waiting, "statement")} of tasks that nobody has heard of yet ${waiting === 1 ? "waits" : "wait"}: pennyworth tasks waiting`,
    );
  return lines;
}

const lacks: { readonly [lack in Lack]: string } = {
  "no-success": "no success yet",
  "few-tasks": "few tasks",
  "heavy-tail": "uneven costs",
  wide: "wide interval",
  "unknown-outcomes": "ends unknown",
  unpriced: "usage without a price",
};

/** Beyond this a number of tasks says no more than that it is out of reach. */
const neededShownMax = 10_000;

function toData({ enough, tasks, rate }: Row): string {
  if (enough.isEnough) return "enough";
  const { tasksNeeded } = enough;
  // Those alone count whose end is known: as many tasks as are needed are not enough where some are open.
  const decided = `${formatCount(rate.decided)} decided${rate.decided === tasks ? "" : ` of ${formatCount(tasks)}`}`;
  const most = tasksNeeded !== null && tasksNeeded > neededShownMax;
  const needed =
    tasksNeeded === null ? "" : ` (${decided}; ${most ? `more than ${formatCount(neededShownMax)}` : formatCount(tasksNeeded)} needed)`;
  const named = enough.lacks.filter((lack) => lack !== "wide" || !enough.lacks.includes("no-success"));
  const words = named.map((lack) => lacks[lack] + (lack === "few-tasks" || lack === "heavy-tail" ? needed : ""));
  return `not enough data: ${words.join(", ")}`;
}

/** Never without its interval. */
function toPerSuccess({ perSuccess, interval, unpriced }: Row): string {
  if (perSuccess === null) return unpriced > 0 ? "unknown" : "—";
  return `${atLeast(short(perSuccess), unpriced)} ${toRange(interval)}`;
}

function toRange(interval: Row["interval"]): string {
  return interval === null ? "(?)" : `(${short(interval.low)}–${interval.high === null ? "?" : short(interval.high)})`;
}

function toRate({ observed, low, high }: Row["rate"]): string {
  return observed === null ? "—" : `${percent(observed)} (${percent(low, false)}–${percent(high)})`;
}

function toReviewed({ review, unpriced }: Row): string {
  if (review.perSuccess === null) return "—";
  return `${atLeast(short(review.perSuccess), unpriced + review.unknown)} ${toRange(review.interval)}`;
}

/** Worth that nobody said may add to it and to its interval, checking that nobody said takes from them: with both, they are on neither side. */
function toReturn({ returns, review }: Row, isPriced: boolean): string {
  if (returns === null) return "—";
  const [ratio, interval] =
    isPriced && review.returnRatio !== null ? [review.returnRatio, review.returnInterval] : [returns.ratio, returns.interval];
  const [isLeast, isMost] = [returns.unvaluedShare > 0, isPriced && review.unknown > 0];
  const mark = isLeast && isMost ? "? " : isLeast ? "≥ " : isMost ? "≤ " : "";
  const said = (end: number, hasUnit = true): string => `${mark}${end < 0 ? "−" : ""}${percent(Math.abs(end), hasUnit)}`;
  if (interval === null) return `${said(ratio)} (?)`;
  const { low, high } = interval;
  return `${said(ratio)} (${low === null ? "?" : said(low, false)} to ${high === null ? "?" : said(high)})`;
}

/** To a tenth below ten. */
export function percent(share: number, hasUnit = true): string {
  const text = (100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0).replaceAll(/\B(?=(\d{3})+$)/g, ",");
  return hasUnit ? `${text} %` : text;
}

/** Three digits that say something, or cents: for reading, never to be read back. */
export function short(usd: string): string {
  const pico = parseUsd(usd);
  const size = pico < 0n ? -pico : pico;
  if (size >= 1_000_000_000_000n) return roundUsd(pico, 2).replaceAll(/\B(?=(\d{3})+\.)/g, ",");
  const zeros = 12 - size.toString().length;
  return size === 0n ? "0" : roundUsd(pico, Math.min(12, zeros + 3)).replace(/0+$/, "");
}

function toMinutes(minutes: number): string {
  return String(Math.round(minutes * 10) / 10);
}

function quote(id: string): string {
  return /^[\w.:@/-]+$/.test(id) ? id : `'${id.replaceAll("'", "'\\''")}'`;
}
