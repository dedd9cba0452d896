// What `pennyworth worth` prints: the verdict in a sentence, the sum line by line, the break-even, and what would turn it. Not here: the reckoning
// (api/weigh.ts). Invariant: amounts are rounded beyond four decimals, or digits that matter;
// with --json they are the answer's own, to the last digit.

import type { z } from "zod";
import { formatUsd, parseUsd, picoPerUsd, roundUsd } from "../core/money.ts";
import { percent } from "../api/sentence.ts";
import type { expectation, worthAnswer } from "../api/weighed.ts";
import { many } from "./command.ts";
import { formatCount, formatTable, plain } from "./table.ts";

type Answer = z.infer<typeof worthAnswer>;
type Expected = z.infer<typeof expectation>;
type Bar = NonNullable<Answer["sensitivity"]>["bars"][number];

export function showVerdict(answer: Answer): string {
  return [
    answer.summary,
    showSum(answer),
    [showBreakEven(answer), showHours(answer), showReview(answer)].filter((line) => line !== "").join("\n"),
    showTurns(answer),
    showDearer(answer),
    showGdpval(answer),
    showLedger(answer),
  ]
    .filter((block) => block !== "")
    .join("\n\n");
}

const partNames = {
  run: "runs of the agent",
  review: "checking them",
  cleanup: "cleaning up after failures",
  redo: "a person after all",
  damage: "damage of failures not found",
} as const;

/** A line of nothing is left out; the others add up, and of none no rule is drawn below. */
function showSum({ expected, tasks, gdpval }: Answer): string {
  if (expected === null) return "";
  const { perTask, all } = expected.basis;
  const columns = tasks === 1 ? [perTask] : [perTask, all];
  const line = (name: string, of: (one: Expected) => string): string[] => [name, ...columns.map((one) => toUsd(toRounded(of(one))))];
  const parts = (Object.keys(partNames) as (keyof typeof partNames)[]).filter(
    (name) => all.parts[name] !== "0" || perTask.parts[name] !== "0",
  );
  const isLoss = perTask.saved.startsWith("-");
  return formatTable(
    [
      { head: `at ${percent(perTask.p, 2)} success` },
      { head: "a task", align: "right" },
      ...(tasks === 1 ? [] : [{ head: many(tasks, "task"), align: "right" as const }]),
    ],
    [
      ...parts.map((name) => line(partNames[name], ({ parts: of }) => of[name])),
      ...(parts.length === 0 ? [] : [null]),
      line("with the agent", ({ agent }) => agent),
      line(gdpval === null ? "value of what succeeds" : "done by a person", ({ other }) => other),
      line(isLoss ? "lost" : gdpval === null ? "gained" : "saved", ({ saved }) => saved.replace("-", "")),
    ],
  );
}

function showBreakEven({ breakEven: { kind, p }, success, basis, saved, moreTasks, gdpval }: Answer): string {
  const known =
    success === null
      ? "nothing is known of its success"
      : success.low === success.high
        ? `it succeeds in ${percent(success.low, 2)}`
        : `it succeeds in ${percent(success.low)} to ${percent(success.high)}${success.successes === null ? "" : ` (${formatCount(success.successes)} of ${formatCount(success.tasks ?? 0)})`}`;
  const turns =
    kind === "always"
      ? "The agent pays at every success"
      : kind === "never"
        ? "The agent pays at no success"
        : p === 0
          ? "The agent pays above 0 %"
          : `The agent pays from ${percent(p ?? 0)} on`;
  const middle = basis?.of === "middle" ? `; sums are at the middle of the range, ${percent(basis.p, 2)}` : "";
  const more =
    moreTasks === null
      ? ""
      : `\nTo settle it: ${moreTasks.likely === null ? "" : `about ${many(moreTasks.likely, "more task", "more tasks")}, if they go on so; `}${formatCount(moreTasks.least)} at the least.`;
  const over =
    saved === null || saved.low === saved.high
      ? ""
      : `\nOver what is known, a task ${gdpval === null ? "gains" : "saves"} ${toSpan(saved.low, saved.high)}.`;
  return `${turns}; ${known}${middle}.${over}${more}`;
}

function showHours({ expected, tasks }: Answer): string {
  if (expected === null) return "";
  const { peopleHours, savedHours } = expected.basis.all;
  const of = tasks === 1 ? "" : ` for ${many(tasks, "task")}`;
  const saved = savedHours === null ? "" : `; ${toHours(Math.abs(savedHours))} ${savedHours < 0 ? "more than without it" : "saved"}`;
  return `People's time with the agent${of}: ${toHours(peopleHours)}${saved}.`;
}

function showReview({ review, basis }: Answer): string {
  if (review === null) return "";
  const costs = `Checking a run costs ${toUsd(toRounded(review.cost))}`;
  const isIdle = review.gain === "0" || review.gain.startsWith("-");
  if (isIdle && basis?.p === 1) return `${costs} and does not pay: where every task succeeds there is nothing to find.`;
  if (review.isHarmless && isIdle) return `${costs} and does not pay with no damage said: there is nothing that it keeps from harm.`;
  if (isIdle) return `${costs} and does not pay: what it finds does no more damage than doing the task costs, or comes to light anyway.`;
  const where =
    review.pays || review.belowP === null || review.belowP <= 0 ? "" : ` It pays where less than ${percent(review.belowP)} succeed.`;
  return `${costs} and keeps ${toUsd(toRounded(review.gain))} from harm: it ${review.pays ? "pays" : "does not pay"}.${where}`;
}

const inputNames: Readonly<Record<Bar["input"], string>> = {
  success: "success",
  detection: "failures found",
  minutes: "minutes of a person",
  reviewMinutes: "minutes to check",
  cleanupMinutes: "minutes to clean up",
  cost: "cost of a run",
  cleanup: "other cost of a failure",
  damage: "damage",
  rate: "an hour of labour",
  personRate: "an hour of the person",
  reviewRate: "an hour of checking",
  cleanupRate: "an hour of cleaning up",
  value: "value",
};

/** The widest first. */
function showTurns({ sensitivity }: Answer): string {
  if (sensitivity === null || sensitivity.bars.length === 0) return "";
  const rows = sensitivity.bars.map((bar) => [
    inputNames[bar.input],
    toValue(bar, bar.now),
    bar.turnsAt === null ? "nowhere" : toValue(bar, bar.turnsAt),
    ...(bar.width === "0" ? ["", ""] : [toEnds(bar), `${toSigned(bar.lowCost)} to ${toSigned(bar.highCost)}`]),
    bar.flips ? "turns it" : "",
  ]);
  const heads = ["each alone", "now", "turns at", "moved over", "agent costs more, or less", ""];
  return formatTable(
    heads.map((head, index) => ({ head, align: index === 1 || index === 2 ? "right" : "left" })),
    rows,
  );
}

function toEnds(bar: Bar): string {
  return `${toValue(bar, bar.low)} to ${toValue(bar, bar.high)}`;
}

function toValue({ unit }: Bar, value: number | string): string {
  if (unit === "share") return percent(Number(value));
  if (unit === "minutes") return `${trim(Number(value))} min`;
  return toUsd(toRounded(String(value)));
}

/** To four decimals, or digits that matter: where something turns is exact, and endless. */
function toRounded(usd: string): string {
  const pico = parseUsd(usd.replace("-", ""));
  const first = pico === 0n || pico >= picoPerUsd ? 0 : formatUsd(pico).slice(2).search(/[1-9]/);
  const rounded = roundUsd(pico, Math.min(12, first + 4)).replace(/\.?0+$/, "");
  return usd.startsWith("-") && rounded !== "0" ? `-${rounded}` : rounded;
}

function showDearer({ dearer }: Answer): string {
  if (dearer === null) return "";
  const isLoss = dearer.saved.startsWith("-");
  const { kind, p } = dearer.needed;
  const ends = toSpan(dearer.savedLow, dearer.savedHigh);
  const over = dearer.savedLow === dearer.savedHigh ? "" : ` (over what is known ${ends} less)`;
  const at = dearer.isAssumed ? `succeeding no more often (${percent(dearer.p, 2)})` : `succeeding in ${percent(dearer.p, 2)}`;
  const lines = [
    `The dearer one, ${at}, costs ${toUsd(toRounded(dearer.expected.agent))} a task in all: ${toUsd(toRounded(dearer.saved.replace("-", "")))} ${isLoss ? "more" : "less"} than the other${over}.`,
    kind === "at"
      ? `It is worth its price from ${percent(p ?? 0)} success on.`
      : `It is worth its price at ${kind === "always" ? "every" : "no"} success.`,
  ];
  const most = [
    ...(dearer.cost === null ? [] : [`a run of it may cost ${toUsd(toRounded(dearer.cost))}`]),
    ...(dearer.reviewMinutes === null ? [] : [`checking one may take ${trim(dearer.reviewMinutes)} minutes`]),
  ];
  if (most.length > 0) lines.push(`All else as it is, at the most ${most.join(", or ")}.`);
  return lines.join("\n");
}

function showGdpval({ gdpval }: Answer): string {
  if (gdpval === null) return "";
  const isTimed = gdpval.once.minutes !== null;
  const way = (name: string, { cost, saving, minutes, speedup }: NonNullable<Answer["gdpval"]>["once"]): string[] => [
    name,
    cost === null ? "never ends" : toUsd(toRounded(cost)),
    saving === null ? "—" : `${saving.toFixed(2)} times cheaper`,
    ...(isTimed
      ? [minutes === null ? "never ends" : `${trim(minutes)} min`, speedup === null ? "—" : `${speedup.toFixed(2)} times faster`]
      : []),
  ];
  const rows = [way("tried once, then a person", gdpval.once), way("tried until accepted", gdpval.untilAccepted)];
  const heads = ["in GDPval's two ways", "cost a task", "than a person", ...(isTimed ? ["time a task", "than a person"] : [])];
  return formatTable(
    heads.map((head, index) => ({ head, align: index % 2 === 1 ? "right" : "left" })),
    rows,
  );
}

function showLedger({ ledger, used, notes }: Answer): string {
  if (ledger === null) return notes.join("\n");
  const { successes, failures, unknown, open, type, agent, costInterval, reviewInterval, reviewed } = ledger;
  const lacking = "not enough data";
  const costs = costInterval === null ? lacking : toSpan(costInterval.low, costInterval.high);
  const times = reviewInterval === null ? lacking : `${trim(reviewInterval.low)} to ${trim(reviewInterval.high)}`;
  const taken = [
    ...(used.cost.from === "ledger" ? [`a run costs ${toUsd(toRounded(used.cost.value))} (${costs})`] : []),
    ...(used.success.from === "ledger" ? [`${formatCount(successes)} of ${formatCount(successes + failures)} succeeded`] : []),
    ...(used.reviewMinutes.from === "ledger"
      ? [`checking takes ${trim(used.reviewMinutes.value)} minutes (${times}; said of ${formatCount(reviewed)})`]
      : []),
  ];
  const whose = agent === null ? "" : ` by ${plain(agent)}`;
  const all = successes + failures + unknown + open;
  const lines = [
    `From the ledger, of ${many(all, "task")} of the type ${plain(type)}${whose}: ${taken.length === 0 ? "nothing, all of it was said" : taken.join("; ")}.`,
    ...notes,
  ];
  return lines.join("\n");
}

/** `$8,379.20`: every digit, and cents where there is a part of a dollar. */
function toUsd(amount: string): string {
  const [, sign = "", whole = "", fraction = ""] = /^(-?)(\d+)(\.\d+)?$/.exec(amount) ?? [];
  return `${sign === "-" ? "−" : ""}$${whole.replaceAll(/\B(?=(\d{3})+$)/g, ",")}${fraction.length === 2 ? `${fraction}0` : fraction}`;
}

/** null: no bound. */
function toSpan(low: string | null, high: string | null): string {
  if (low === null) return high === null ? "anything" : `${toUsd(toRounded(high))} at the most`;
  return high === null ? `${toUsd(toRounded(low))} at the least` : `${toUsd(toRounded(low))} to ${toUsd(toRounded(high))}`;
}

function toSigned(amount: string): string {
  return amount.startsWith("-") || amount === "0" ? toUsd(toRounded(amount)) : `+${toUsd(toRounded(amount))}`;
}

function toHours(hours: number): string {
  const [text, unit] = hours < 1 ? [trim(hours * 60), "minute"] : [trim(hours), "hour"];
  return `${text} ${text === "1" ? unit : `${unit}s`}`;
}

function trim(number: number): string {
  return number
    .toFixed(number < 10 ? 2 : 1)
    .replace(/\.?0+$/, "")
    .replaceAll(/\B(?=(\d{3})+(\.|$))/g, ",");
}
