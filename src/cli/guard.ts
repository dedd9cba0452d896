// `pennyworth budgets why|refusals|halt|halts|resume|presumed|settle`: what the guard did, and the switch that stops everything below a node.
// Not here: budgets themselves (budgets.ts). Invariant: a switch is thrown by name, never by leaving something out.

import type { Command } from "commander";
import { PennyworthError } from "../error.ts";
import { collect, many, print, printJson, type SettingsOptions, withControl, withExamples, withSettings, wholeNumber } from "./command.ts";
import type { Control } from "./control.ts";
import { toRecord } from "./scope.ts";

interface RefusalsOptions extends SettingsOptions {
  readonly since?: string;
  readonly budget?: string;
  readonly limit: number;
}

interface HaltOptions extends SettingsOptions {
  readonly for: readonly string[];
  readonly note?: string;
}

/** @param budgets the command that these are under. */
export function addGuard(budgets: Command): void {
  const why = budgets
    .command("why")
    .description("why a call was let in, or not")
    .argument("<call>", "the id of a call or a refusal")
    .action((call: string, options: SettingsOptions) => withControl(options, (control) => explain(control, call, options)));
  withExamples(withSettings(why), "budgets why 0192f3a4b5c6");

  const refusals = budgets
    .command("refusals")
    .description("calls that were not let in, the newest first")
    .option("--since <time>", "from then on: 2026-11-01, or an age: 7d")
    .option("--budget <id>", "only by this one")
    .option("--limit <n>", "so many", wholeNumber(1, 10_000), 20)
    .action((options: RefusalsOptions) => withControl(options, (control) => listRefusals(control, options)));
  withExamples(withSettings(refusals), "budgets refusals --since 24h", "budgets refusals --budget team-search --json");

  const halt = budgets
    .command("halt")
    .description("stop everything below a node at once, calls under way too")
    .requiredOption("--for <field=value>", "which calls; repeatable; all: every call", collect)
    .option("--note <text>", "why")
    .action((options: HaltOptions) => withControl(options, (control) => stop(control, options)));
  withExamples(withSettings(halt), 'budgets halt --for team=search --note "runs away"', "budgets halt --for all");

  const halts = budgets
    .command("halts")
    .description("what is stopped: by the switch, and trees of tasks by their caps")
    .action((options: SettingsOptions) => withControl(options, (control) => listHalts(control, options)));
  withExamples(withSettings(halts), "budgets halts");

  const resume = budgets
    .command("resume")
    .description("let go on what was stopped: a switch by its id, or a task with all below it")
    .argument("<id>", "the id of the halt, or the task")
    .action((id: string, options: SettingsOptions) => withControl(options, (control) => goOn(control, id, options)));
  withExamples(withSettings(resume), "budgets resume halt_0192f3a4b5c6", "budgets resume crawl-7");

  const presumed = budgets
    .command("presumed")
    .description("calls of which nobody knows how they ended, the oldest first")
    .option("--limit <n>", "so many", wholeNumber(1, 10_000), 100)
    .action((options: RefusalsOptions) => withControl(options, (control) => listPresumed(control, options)));
  withExamples(withSettings(presumed), "budgets presumed");

  const settle = budgets
    .command("settle")
    .description("say what a presumed call really cost, for its budgets")
    .argument("<call>", "its id")
    .argument("<cost>", "dollars; 0: it was never billed")
    .action((call: string, cost: string, options: SettingsOptions) =>
      withControl(options, (control) => settleOne(control, call, cost, options)),
    );
  withExamples(withSettings(settle), "budgets settle 0192f3a4b5c6 0.25");
}

async function explain(control: Control, call: string, { json }: SettingsOptions): Promise<void> {
  const [{ ask }, schema] = await Promise.all([import("./control.ts"), import("../api/refusals.ts")]);
  const why = await ask(control, schema.whyAnswer, `/api/v1/guard/why/${encodeURIComponent(call)}`);
  if (json) return printJson(why);
  print((await import("./refused.ts")).describeWhy(why));
}

async function listRefusals(control: Control, { since, budget, limit, json }: RefusalsOptions): Promise<void> {
  const [{ ask, toPath }, schema] = await Promise.all([import("./control.ts"), import("../api/refusals.ts")]);
  const found = await ask(control, schema.refusalsAnswer, toPath("refusals", { since, budget, limit: String(limit) }));
  // Of a budget that was taken away there may be refusals still; of one that never was, its name is mistyped.
  if (found.refusals.length === 0 && budget !== undefined)
    await ask(control, (await import("../api/budgets.ts")).budgetAnswer, `/api/v1/budgets/${encodeURIComponent(budget)}`);
  if (json) return printJson(found);
  if (found.refusals.length === 0) return print(budget === undefined ? "No call was refused." : `No call was refused by ${budget}.`);
  print(`${(await import("./refused.ts")).tableOfRefusals(found.refusals)}\n\nMore of one: pennyworth budgets why <id>`);
}

async function stop(control: Control, { for: said, note, json }: HaltOptions): Promise<void> {
  const [{ ask }, schema, { describeHalt, resumeOf }] = await Promise.all([
    import("./control.ts"),
    import("../api/halts.ts"),
    import("./refused.ts"),
  ]);
  const body = { for: toRecord(said), ...(note === undefined ? {} : { note }) };
  const halt = await ask(control, schema.haltShown, "/api/v1/halts", { method: "POST", body });
  if (json) return printJson(halt);
  print(`${describeHalt(halt)}\nTo let it go on: ${resumeOf(halt.id)}`);
}

async function listHalts(control: Control, { json }: SettingsOptions): Promise<void> {
  const [{ ask }, schema] = await Promise.all([import("./control.ts"), import("../api/refusals.ts")]);
  const { nowMs, halts, trees } = await ask(control, schema.guardAnswer, "/api/v1/guard?trees=1000");
  // Those that are stopped come first.
  const stopped = trees.filter(({ state }) => state === "stopped");
  if (json) return printJson({ nowMs, halts, trees: stopped });
  const { describeHalt, describeTrees, resumeOf } = await import("./refused.ts");
  const lines = [...halts.map((halt) => `${describeHalt(halt)}\nTo let it go on: ${resumeOf(halt.id)}`), ...describeTrees(stopped)];
  print(lines.length === 0 ? "Nothing is stopped." : lines.join("\n"));
}

async function goOn(control: Control, id: string, { json }: SettingsOptions): Promise<void> {
  const [{ ask }, schema] = await Promise.all([import("./control.ts"), import("../api/halts.ts")]);
  const name = encodeURIComponent(id);
  const done = await ask(control, schema.resumed, `/api/v1/halts/${name}`, { method: "DELETE" }).catch(async (unknown: unknown) => {
    if (!isCode(unknown, "halt_unknown")) throw unknown;
    return ask(control, schema.resumed, `/api/v1/trees/${name}/resume`, { method: "POST" }).catch((error: unknown) => {
      throw isCode(error, "tree_unknown") ? unknown : error;
    });
  });
  if (json) return printJson(done);
  print(`${done.id} goes on.`);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof PennyworthError && error.code === code;
}

async function listPresumed(control: Control, { limit, json }: RefusalsOptions): Promise<void> {
  const [{ ask, toPath }, schema] = await Promise.all([import("./control.ts"), import("../api/refusals.ts")]);
  const found = await ask(control, schema.presumedAnswer, toPath("presumed", { limit: String(limit) }));
  if (json) return printJson(found);
  if (found.calls.length === 0) return print("Of every call under a budget it is known how it ended.");
  print((await import("./refused.ts")).tableOfPresumed(found.calls));
  print(`\n${many(found.calls.length, "call")}. What one really cost: pennyworth budgets settle <call> <dollars>`);
}

async function settleOne(control: Control, call: string, cost: string, { json }: SettingsOptions): Promise<void> {
  const [{ ask }, schema] = await Promise.all([import("./control.ts"), import("../api/refusals.ts")]);
  const done = await ask(control, schema.settled, "/api/v1/presumed", { method: "POST", body: { call, cost } });
  if (json) return printJson(done);
  print(`${done.call} counts as $${done.cost} from now on.`);
}
