// `pennyworth tasks waiting`: statements of tasks that nobody has heard of, as a table. Not here: how they are found (api/waiting.ts). Invariant: each
// task stands with how it is to be helped.

import type { Command } from "commander";
import type { z } from "zod";
import type { waitingAnswer } from "../api/waiting.ts";
import { many, print, printJson, type SettingsOptions, wholeNumber, withControl, withExamples, withSettings } from "./command.ts";
import type { Control } from "./control.ts";
import { toTime } from "./standing.ts";
import { type Column, formatCount, formatTable } from "./table.ts";

interface WaitingOptions extends SettingsOptions {
  readonly limit: number;
}

export function addWaits(tasks: Command): void {
  const waiting = tasks
    .command("waiting")
    .description("tasks of which it was said how they ended, and that nobody has heard of: a slip in a name, or calls that do not say it")
    .option("--limit <n>", "so many", wholeNumber(1, 500), 50)
    .action((options: WaitingOptions) => withControl(options, (control) => showWaiting(control, options)));
  withExamples(withSettings(waiting), "tasks waiting", "tasks waiting --json");
}

async function showWaiting(control: Control, { limit, json }: WaitingOptions): Promise<void> {
  const [{ ask, toPath }, { waitingAnswer: answer }] = await Promise.all([import("./control.ts"), import("../api/waiting.ts")]);
  const found = await ask(control, answer, toPath("outcomes/waiting", { limit: String(limit), fresh: "true" }));
  if (json) printJson(found);
  else print(describeWaiting(found));
}

export function describeWaiting({ tasks, truncated }: z.infer<typeof waitingAnswer>): string {
  if (tasks.length === 0) return "Nothing waits: every task of which something was said is on record.";
  const columns: Column[] = [
    ...["task", "said", "result", "judge", "source"].map((head) => ({ head })),
    { head: "statements", align: "right" },
  ];
  const rows = tasks.map(({ task, count, statements }) => {
    const last = statements.at(-1);
    return [
      task,
      last === undefined ? "—" : toTime(last.atMs),
      last?.result ?? "—",
      last?.judge ?? "—",
      last?.source ?? "—",
      formatCount(count),
    ];
  });
  return [
    formatTable(columns, rows),
    ...(truncated ? ["", `Only ${many(tasks.length, "task")} are shown (--limit).`] : []),
    "",
    "They count as soon as a call names the task (x-pennyworth-task), or it is begun: pennyworth tasks begin --id TASK",
  ].join("\n");
}
