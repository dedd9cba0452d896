// `pennyworth tasks compare`: candidates side by side, as a table and in sentences. Not here: what is reckoned and how a verdict is put (api/compared.ts).
// Invariant: a figure stands with its interval, and what was not looked at is said.

import type { Command } from "commander";
import type { z } from "zod";
import type { compareAnswer, repeated, standing } from "../api/compared.ts";
import { isDemo } from "../demo/marker.ts";
import {
  collect,
  demoNote,
  many,
  print,
  printJson,
  remark,
  type SettingsOptions,
  toConfig,
  withControl,
  withExamples,
  withSettings,
} from "./command.ts";
import type { Control } from "./control.ts";
import { toMean, toPercent, toSure } from "./range.ts";
import { short } from "./successes.ts";
import { type Column, formatCount, formatTable, plain } from "./table.ts";

export interface TrialsOptions extends SettingsOptions {
  readonly by?: string;
  readonly type?: string;
  readonly since?: string;
  readonly until?: string;
  readonly filter?: readonly string[];
  readonly zone?: string;
  readonly limit?: string;
}

interface CompareOptions extends TrialsOptions {
  readonly candidates?: string;
  readonly baseline?: string;
  readonly margin?: string;
}

type Compared = z.infer<typeof compareAnswer>;

export function addCompare(tasks: Command): void {
  const compare = tasks
    .command("compare")
    .description("agents, models or prompt versions side by side: cost against success, who is dominated, and what is not settled")
    .option("--by <field>", "type, agent, feature, customer, team, project, environment, prompt, key or model (default: model)");
  withTrials(compare)
    .option("--candidates <names>", "only these, comma-separated")
    .option("--baseline <name>", "whom the others are held against (default: whose success is surely highest)")
    .option("--margin <share>", "a difference that is none to you (default: 0.05)")
    .action((options: CompareOptions) => withControl(options, (control) => showCompare(control, options)));
  withExamples(
    withSettings(compare),
    "tasks compare --by model --type resolve-ticket --since 30d",
    "tasks compare --by agent --baseline support-v1 --json",
  );
}

/** What both questions about tasks one by one take. */
export function withTrials(command: Command): Command {
  return command
    .option("--type <type>", "tasks of this type alone")
    .option("--since <time>", "tasks that began from then on: 2026-11-01, or an age: 30d")
    .option("--until <time>", "tasks that began before then")
    .option("--filter <field=value>", "only tasks of which this holds; also field!=value; repeatable", collect)
    .option("--zone <name>", "whose days are meant, e.g. Europe/Berlin (default: UTC)")
    .option("--limit <tasks>", "most tasks looked at, the latest (default: all)");
}

async function showCompare(control: Control, options: CompareOptions): Promise<void> {
  const [{ ask, toPath }, { compareAnswer: answer }] = await Promise.all([import("./control.ts"), import("../api/compared.ts")]);
  const { by, type, since, until, filter, zone, limit, candidates, baseline, margin } = options;
  const asked = { by, type, since, until, filter, zone, limit, candidates, baseline, margin, fresh: "true" };
  const found = await ask(control, answer, toPath("compare", asked));
  if (options.json) printJson(found);
  else print(describeCompare(found));
  if (isDemo(toConfig(options).settings.data)) remark(`\n${demoNote}`);
}

export function describeCompare(found: Compared): string {
  const { by, candidates, baseline, comparisons, repeats } = found;
  if (candidates.length === 0) return ["No task to compare.", ...notes(found)].join("\n");
  const isAlike = comparisons.every(({ paired }) => paired);
  const columns: Column[] = [
    { head: by },
    ...["tasks", "success rate", "$ a task", "$ per success"].map((head) => ({ head, align: "right" as const })),
    { head: "frontier" },
  ];
  const rows = candidates.map((one) => [
    one.candidate,
    formatCount(one.tasks),
    toSure(one.rate.observed, one.rate),
    one.perTask === null ? (one.unpriced > 0 ? "unknown" : "—") : toMean(one.perTask.mean, toEnds(one.perTask)),
    one.perSuccess === null
      ? one.unpriced > 0
        ? "unknown"
        : "—"
      : `${one.unpriced > 0 ? "≥ " : ""}${toMean(one.perSuccess, one.interval)}`,
    toPlace(one, isAlike),
  ]);
  const lines = [...leftOutLines(found), formatTable(columns, rows), ...(isAlike ? [] : [unlike]), ""];
  if (baseline !== null) {
    const chosen = baseline.isNamed ? "as asked" : "whose success is surely highest";
    lines.push(
      `Against ${plain(baseline.candidate)}, ${chosen}; above each task weighs alike, here each case does, the shared ones alone where they are named:`,
      ...comparisons.map(({ summary }) => `- ${plain(summary)}`),
      "",
    );
  }
  if (repeats !== null) lines.push(...describeRepeats(by, repeats), "");
  const text = lines.join("\n");
  const few = text.includes("(?)")
    ? ["(?): one or two tasks or pieces of work, or fewer than 30 alike, say nothing of how far it may be off."]
    : [];
  return [text, ...few, ...notes(found)].join("\n");
}

function toEnds({ low, high }: NonNullable<z.infer<typeof standing>["perTask"]>): { low: string; high: string | null } | null {
  return low === null ? null : { low, high };
}

/** Before the table: who is on the frontier is so only among those that are compared. */
function leftOutLines({ leftOut, candidates }: Compared): string[] {
  if (leftOut.candidates === 0) return [];
  const others = `${many(leftOut.candidates, "more candidate")} (${many(leftOut.tasks, "task")}) ${leftOut.candidates === 1 ? "is" : "are"} left out`;
  return [`${others}: name them with --candidates. Who is on the frontier is so among these ${formatCount(candidates.length)} alone.`, ""];
}

const unlike =
  "They did different work (few shared cases): what tells them apart here may be what they were given, and who is dominated is not sure (--type).";

const reasons = {
  "cost-unknown": "its cost is not known",
  "success-unknown": "nobody said how its tasks ended",
  "none-ended": "none of its tasks has ended",
} as const;

function toPlace({ place, apart, by, surelyBy, mixture, nextSuccess }: z.infer<typeof standing>, isAlike: boolean): string {
  switch (place) {
    case "frontier":
      if (mixture !== null)
        return `on it; ${toPercent(mixture.share)} ${mixture.high}, the rest ${mixture.low} does better (${toPercent(mixture.rate)})`;
      return nextSuccess === null ? "on it" : `on it; one more success costs $${short(nextSuccess)}`;
    case "dominated":
      return `dominated by ${by.slice(0, 3).join(", ")}${by.length > 3 ? ` and ${by.length - 3} more` : ""}${isAlike && surelyBy.length > 0 ? ", surely" : ""}`;
    case "apart":
      return `not placed: ${apart === null ? "" : reasons[apart]}`;
  }
}

function describeRepeats(by: string, { candidates, frontier }: NonNullable<Compared["repeats"]>): string[] {
  const most = Math.min(5, Math.max(0, ...candidates.map(({ passes }) => passes.length)));
  const tries = Array.from({ length: most }, (_, index) => index + 1);
  const columns: Column[] = [
    { head: by },
    right("cases"),
    ...tries.flatMap((k) => (k === 1 ? [right("pass@1")] : [right(`pass@${k}`), right(`pass^${k}`)])),
    right("cost-of-pass $"),
  ];
  const rows = candidates.map((one) => [one.candidate, formatCount(one.cases), ...tries.flatMap((k) => passOf(one, k)), toPassing(one)]);
  const lines = [
    "Where the same case was tried several times (pass@k: one of k tries succeeds; pass^k: all do; cost-of-pass takes tries for independent):",
    "",
    formatTable(columns, rows),
    ...drawnNotes(candidates),
  ];
  if (frontier !== null && frontier.mean !== null)
    lines.push("", `With the cheapest at each of ${many(frontier.cases, "case")}: $${short(frontier.mean)} a pass.`);
  else if (frontier !== null && frontier.unsolved > 0)
    lines.push(
      "",
      `${many(frontier.unsolved, "case")} of ${formatCount(frontier.cases)} nobody solved: what passing them costs is not known.`,
    );
  return lines;
}

function right(head: string): Column {
  return { head, align: "right" };
}

function drawnNotes(candidates: readonly z.infer<typeof repeated>[]): string[] {
  const passes = candidates.flatMap((one) => one.passes);
  return [
    ...(passes.some(({ drawn }) => drawn === "some")
      ? [
          "*: not every case was tried so often. If it was the failed ones, these are too low, and over other cases than those of another k.",
        ]
      : []),
    ...candidates.flatMap(({ candidate, passes: mine }) => {
      const first = mine.find(({ drawn }) => drawn === "failed");
      return first === undefined
        ? []
        : [`${plain(candidate)}: from ${first.k} tries on it was the failed cases that were tried again: no pass@${first.k} is said.`];
    }),
  ];
}

/** Of one try both are the same. */
function passOf(one: z.infer<typeof repeated>, k: number): string[] {
  const pass = one.passes.find((found) => found.k === k);
  if (pass === undefined) return k === 1 ? ["—"] : ["—", "—"];
  if (pass.drawn === "failed") return k === 1 ? ["—"] : ["—", "—"];
  const any = `${toSure(pass.any.mean, pass.any)} of ${formatCount(pass.cases)}${pass.drawn === "some" ? "*" : ""}`;
  return k === 1 ? [any] : [any, toSure(pass.all.mean, pass.all)];
}

function toPassing({ costOfPass }: z.infer<typeof repeated>): string {
  if (costOfPass === null) return "unknown";
  if (costOfPass.mean === null) return `${formatCount(costOfPass.unsolved)} of ${formatCount(costOfPass.cases)} never`;
  return toMean(costOfPass.mean, costOfPass.interval);
}

function notes({ candidates, tasks, truncated, unnamed, absent, by }: Compared): string[] {
  const sum = (of: (one: z.infer<typeof standing>) => number): number => candidates.reduce((all, one) => all + of(one), 0);
  const [unknown, open, unpriced] = [sum((one) => one.unknown), sum((one) => one.open), sum((one) => one.unpriced)];
  const lines =
    candidates.length === 0
      ? []
      : ["In brackets: intervals of 95 %. $ a task: of those that ended; $ per success: all spend over successes."];
  if (unknown > 0) lines.push(`Of ${many(unknown, "task")} nobody said how they ended: in the cost, and not in the success rate.`);
  if (open > 0) lines.push(`${many(open, "task")} may still end: in the spend alone.`);
  if (unpriced > 0) lines.push(`${many(unpriced, "task")} used something without a price: ≥, at least; $ a task is of the others.`);
  if (unnamed > 0) lines.push(`Of ${many(unnamed, "task")} nobody said the ${by}.`);
  if (absent.length > 0) lines.push(`No task of ${absent.map(plain).join(", ")}.`);
  if (truncated) lines.push(`Only the latest ${many(tasks, "task")} were looked at (--limit, --since).`);
  return lines;
}
