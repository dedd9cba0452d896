// `pennyworth tasks`: tasks with what they cost, how they began and ended, and what a success costs. Not here: how it looks (successes.ts), what the
// words mean (api/said.ts). Invariant: nothing of a file is on record before all of it is understood, and found to contradict nothing that is.

import { type Command, Option } from "commander";
import { isDemo } from "../demo/marker.ts";
import { PennyworthError } from "../error.ts";
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
  wholeNumber,
} from "./command.ts";
import { addCompare } from "./compare.ts";
import type { SheetRow } from "../api/sheet.ts";
import type { Control } from "./control.ts";
import { addOdds } from "./odds.ts";
import { wrong } from "./scope.ts";
import { addShape } from "./shapes.ts";
import { addWaits } from "./waits.ts";

interface ListOptions extends SettingsOptions {
  readonly since?: string;
  readonly until?: string;
  readonly filter?: readonly string[];
  readonly order?: string;
  readonly ended?: string;
  readonly limit: number;
}

interface BeginOptions extends SettingsOptions {
  readonly id?: string;
  readonly tag?: readonly string[];
  readonly began?: string;
  readonly reworkOf?: string;
  readonly [field: string]: unknown;
}

interface EndOptions extends SettingsOptions {
  readonly result?: string;
  readonly value?: string;
  readonly reviewMinutes?: string;
  readonly judge?: string;
  readonly source?: string;
  readonly reason?: string;
  readonly at?: string;
  readonly id?: string;
}

interface SuccessOptions extends SettingsOptions {
  readonly by?: string;
  readonly since?: string;
  readonly until?: string;
  readonly filter?: readonly string[];
  readonly zone?: string;
  readonly limit?: string;
  readonly reviewRate?: string;
  readonly detail?: boolean;
}

/** Fields of a task's beginning that are options of the same name. */
const fields = ["type", "customer", "feature", "agent", "team", "user", "parent", "root", "prompt", "environment", "project"] as const;

/** Statements of one request while a file is sent. */
const atOnce = 1_000;

export function addTasks(program: Command): void {
  const tasks = program.command("tasks").description("what finished work costs: tasks, how they ended, and spend per success");
  const list = tasks
    .command("list")
    .description("tasks with what they cost and how they ended, those of one root as one")
    .option("--since <time>", "with calls, or begun without any, from then on: 2026-11-01, or an age (default: 7d)")
    .option("--until <time>", "with calls, or begun, before then")
    .option("--filter <field=value>", "only calls where this holds; also field!=value; repeatable", collect)
    .addOption(new Option("--order <order>", "which come first").choices(["newest", "dearest"]))
    .addOption(new Option("--ended <how>", "only those; open: nobody said so yet").choices(["success", "failure", "unknown", "open"]))
    .option("--limit <n>", "so many", wholeNumber(1, 500), 20)
    .action((options: ListOptions) => withControl(options, (control) => listTasks(control, options)));
  withExamples(withSettings(list), "tasks list --since 24h", "tasks list --order dearest --ended failure --filter type=resolve-ticket");

  const begin = tasks.command("begin").description("begin a task by name; prints its id");
  begin.option("--id <id>", "as calls name it in x-pennyworth-task (default: a new one)");
  for (const field of fields) begin.option(`--${field} <${field}>`, descriptions[field]);
  begin
    .option("--tag <name=value>", "repeatable", collect)
    .option("--rework-of <task>", "the task that this one makes good: its cost is booked there")
    .option("--began <time>", "2026-11-21T12:00Z, or an age: 2h (default: now)")
    .action((options: BeginOptions) => withControl(options, (control) => beginOne(control, options), true));
  withExamples(
    withSettings(begin),
    "tasks begin --id ticket-4711 --type resolve-ticket --customer Acme --agent support-agent",
    "tasks begin --type fix --rework-of ticket-4711",
  );

  const end = tasks
    .command("end")
    .description("say how a task ended, or what it was worth; said again, it is a revision")
    .argument("<task>", "its id")
    .addOption(new Option("--result <result>", "how it ended").choices(["success", "failure", "unknown"]))
    .option("--value <dollars>", "what it was worth")
    .option("--review-minutes <minutes>", "what a person spent checking")
    .addOption(
      new Option("--judge <judge>", "who says so: a person outweighs a check, a check the task itself").choices([
        "person",
        "check",
        "self",
      ]),
    )
    .option("--source <name>", "which check or program, or who")
    .option("--reason <word>", "why, in a word: tests_failed")
    .option("--at <time>", "when it was so: 2026-11-21T12:00Z, or an age: 2h (default: now)")
    .option("--id <id>", "of the statement: sent again, it counts once (default: a new one)")
    .action((task: string, options: EndOptions) => withControl(options, (control) => endOne(control, task, options)));
  withExamples(
    withSettings(end),
    "tasks end ticket-4711 --result success --value 12.50 --review-minutes 2",
    "tasks end ticket-4711 --result failure --judge person --source ada --reason reverted",
  );

  const outcomes = tasks
    .command("outcomes")
    .description("what was said of how a task ended, and what follows from it")
    .argument("<task>", "its id")
    .action((task: string, options: SettingsOptions) => withControl(options, (control) => showOutcomes(control, task, options)));
  withExamples(withSettings(outcomes), "tasks outcomes ticket-4711");

  const load = tasks
    .command("import")
    .description("say of many tasks how they ended, what they were and cost, from a table (CSV): all or nothing; the same file counts once")
    .argument(
      "<file>",
      "task,result,value,review_minutes,judge,source,reason,at,id, and of work done elsewhere cost,model,provider,type,agent,feature,customer,…,case,began; the first line names those that it has",
    )
    .action((file: string, options: SettingsOptions) => importFile(file, options));
  withExamples(withSettings(load), "tasks import outcomes.csv");

  const success = tasks
    .command("success")
    .description("what a success costs, failures paid for, and how often there is one")
    .option(
      "--by <fields>",
      "at most two of type, agent, feature, customer, team, project, environment, prompt, key, model (default: type)",
    )
    .option("--since <time>", "tasks that began from then on: 2026-11-01, or an age: 30d")
    .option("--until <time>", "tasks that began before then")
    .option("--filter <field=value>", "only tasks of which this holds; also field!=value; repeatable", collect)
    .option("--zone <name>", "whose days are meant, e.g. Europe/Berlin (default: UTC)")
    .option("--limit <rows>", "most rows shown (default: 50)")
    .option("--review-rate <dollars>", "what an hour of checking costs")
    .option("--detail", "how costs are spread and on what they went, also of more than eight rows")
    .action((options: SuccessOptions) => withControl(options, (control) => showSuccess(control, options)));
  withExamples(withSettings(success), "tasks success --by agent --since 30d", "tasks success --by type,model --review-rate 32 --json");
  addWaits(tasks);
  addShape(tasks);

  addCompare(tasks);
  addOdds(tasks);
}

const descriptions: { readonly [field in (typeof fields)[number]]: string } = {
  type: "what kind of work it is",
  customer: "for whom; kept as a token",
  feature: "of what it is a part for its users",
  agent: "who does it",
  team: "whose it is",
  user: "who asked for it; kept as a token",
  parent: "the task that it is a part of",
  root: "the task that all of it belongs to",
  prompt: "the version of the prompt",
  environment: "production, staging, …",
  project: "of which project it is",
};

async function listTasks(control: Control, { since, until, filter, order, ended, limit, json }: ListOptions): Promise<void> {
  const [{ ask, toPath }, { tasks }, { tableOfTasks }] = await Promise.all([
    import("./control.ts"),
    import("../api/views.ts"),
    import("./successes.ts"),
  ]);
  const found = await ask(control, tasks, toPath("tasks", { since, until, filter, order, ended, limit: String(limit), fresh: "true" }));
  if (json) return printJson(found);
  if (found.tasks.length === 0 && ended !== undefined) return print(`No task of these days ended so: ${ended}.`);
  if (found.tasks.length === 0)
    return print("No call of these days names a task. A call does with the header x-pennyworth-task; --since looks further back.");
  print(tableOfTasks(found.tasks));
  if (found.truncated) print(`\nOnly the first ${many(found.tasks.length, "task")} are shown (--limit).`);
}

async function beginOne(control: Control, options: BeginOptions): Promise<void> {
  const [{ ask }, { begun }] = await Promise.all([import("./control.ts"), import("../api/outcomes.ts")]);
  const said = fields.flatMap((field) => (options[field] === undefined ? [] : [[field, options[field]] as const]));
  const { id, tag, reworkOf, began } = options;
  const body = { ...Object.fromEntries(said), id, reworkOf, began, ...(tag === undefined ? {} : { tags: toTags(tag) }) };
  const made = await ask(control, begun, "/api/v1/tasks", { method: "POST", body });
  if (options.json) return printJson(made);
  print(made.id);
}

function toTags(said: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    said.map((text) => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
      if (name === undefined || value === undefined) throw wrong(`--tag ${JSON.stringify(text)}: expected name=value, as in release=v1.9`);
      return [name, value];
    }),
  );
}

async function endOne(control: Control, task: string, options: EndOptions): Promise<void> {
  const [{ ask }, { recorded }] = await Promise.all([import("./control.ts"), import("../api/outcomes.ts")]);
  const { result, value, judge, source, reason, at, id, reviewMinutes: minutes } = options;
  const path = toOutcomes(task);
  if (result === undefined && value === undefined && minutes === undefined)
    throw wrong("it says nothing: give --result, --value or --review-minutes");
  if (minutes !== undefined && !/^\d+(\.\d+)?$/.test(minutes))
    throw wrong(`--review-minutes ${JSON.stringify(minutes)}: expected minutes, zero or more, such as 2.5`);
  const reviewMinutes = minutes === undefined ? undefined : Number(minutes);
  const body = { result, value, reviewMinutes, judge, source, reason, at, id };
  const made = await ask(control, recorded, path, { method: "POST", body });
  if (options.json) return printJson(made);
  const said = [
    result,
    value === undefined ? undefined : `worth $${toDollars(value)}`,
    minutes === undefined ? undefined : `checked for ${minutes} min`,
  ];
  print(`On record of ${task}: ${said.filter((one) => one !== undefined).join(", ")} (${made.id}).`);
  if ((await waitingOf(control, new Set([task]))).count > 0) print(`Nobody has heard of ${task} yet: it waits (pennyworth tasks waiting).`);
}

/** What was taken as a number, in its digits: 1e5 is 100000. */
function toDollars(said: string): string {
  const digits = Number(said);
  return /e/i.test(said) && Number.isFinite(digits) ? digits.toLocaleString("en", { useGrouping: false, maximumFractionDigits: 12 }) : said;
}

/** Tasks that a list of what waits has at most: the latest said come first. */
const waitingMax = 500;

/** How many of these nobody has heard of. Whoever may not ask is told of none. */
async function waitingOf(control: Control, tasks: ReadonlySet<string>): Promise<{ readonly count: number; readonly isAll: boolean }> {
  const [{ ask }, { waitingAnswer }] = await Promise.all([import("./control.ts"), import("../api/waiting.ts")]);
  try {
    const found = await ask(control, waitingAnswer, `/api/v1/outcomes/waiting?limit=${waitingMax}&fresh=true`);
    return { count: found.tasks.filter(({ task }) => tasks.has(task)).length, isAll: !found.truncated };
  } catch (cause) {
    if (!(cause instanceof PennyworthError)) throw cause;
    return { count: 0, isAll: false };
  }
}

/** @throws PennyworthError of a name that no address can have: in one, `..` is the step before, however it is written. */
function toOutcomes(task: string): string {
  const name = task.trim();
  if (name === "") throw wrong("the task's name is empty: say which one is meant");
  if (name === "." || name === "..") throw wrong(`${JSON.stringify(name)} cannot be the name of a task: it is a step in every address`);
  return `/api/v1/tasks/${encodeURIComponent(task)}/outcomes`;
}

async function showOutcomes(control: Control, task: string, { json }: SettingsOptions): Promise<void> {
  const path = toOutcomes(task);
  const [{ ask }, { outcomesAnswer }, { describeOutcomes }] = await Promise.all([
    import("./control.ts"),
    import("../api/outcomes.ts"),
    import("./successes.ts"),
  ]);
  const found = await ask(control, outcomesAnswer, `${path}?fresh=true`);
  if (json) return printJson(found);
  print(describeOutcomes(found));
}

async function importFile(file: string, options: SettingsOptions): Promise<void> {
  const { readText } = await import("./parts.ts");
  const text = readText(file);
  const { readSheet, SheetFault } = await import("../api/sheet.ts");
  const { readPlaced } = await import("../api/placed.ts");
  let rows: Awaited<ReturnType<typeof readSheet>>;
  try {
    rows = await readSheet(text);
    if (rows.length === 0) throw new SheetFault("there is no line below the first");
    // What the server would refuse is refused before anything is sent.
    await readPlaced(
      rows,
      { names: { token: () => "n_0000000000000000", seal: (text) => text }, caller: { key: null, team: null }, nowMs: Date.now() },
      { look: () => "new", ask: async () => ({ tasks: new Map(), outcomes: new Map() }) },
    );
  } catch (cause) {
    if (cause instanceof SheetFault) throw wrong(`${file}: ${cause.message}`);
    throw cause instanceof PennyworthError ? wrong(`${file}: ${detailOf(cause)}`) : cause;
  }
  await withControl(options, (control) => send(control, rows, options), true);
}

/** Who typed a command sent no request body. */
function detailOf(error: PennyworthError): string {
  return error.message.replace(/^[^:]*: /, "").replace(/\.$/, "");
}

async function send(control: Control, rows: readonly SheetRow[], options: SettingsOptions): Promise<void> {
  const [{ ask }, { manyRecorded }, { costFields, taskFields }, { sendParts, toParts }] = await Promise.all([
    import("./control.ts"),
    import("../api/outcomes.ts"),
    import("../api/finished.ts"),
    import("./parts.ts"),
  ]);
  const fields = [...taskFields, ...costFields, "began"];
  // What a task is may stand on another of its lines than what it cost.
  const told = new Set(rows.flatMap(({ said }) => (fields.some((field) => said[field] !== undefined) ? [String(said["task"])] : [])));
  const keyOf = ({ said }: SheetRow): string | null => (told.has(String(said["task"])) ? String(said["task"]) : null);
  const most = Math.min(atOnce, toConfig(options).settings.limits.outcomesMax);
  const done = await sendParts(toParts(rows, keyOf, most), (part, isCheck) =>
    ask(control, manyRecorded, `/api/v1/outcomes${isCheck ? "?check=true" : ""}`, {
      method: "POST",
      body: { outcomes: part.map(({ said }) => said) },
    }).catch((cause: unknown) => {
      if (!(cause instanceof PennyworthError) || !/outcomes\.\d+: /.test(cause.message)) throw cause;
      // As whoever wrote the file counts.
      throw wrong(detailOf(cause).replaceAll(/\boutcomes\.(\d+)(?=: | says )/g, (place, index) => part[Number(index)]?.place ?? place));
    }),
  );
  const of = (name: "recorded" | "known" | "begun" | "costs"): number => done.reduce((sum, one) => sum + one[name], 0);
  const [recorded, known, begun, costs] = [of("recorded"), of("known"), of("begun"), of("costs")];
  if (options.json) return printJson({ recorded, known, begun, costs });
  const more = [
    ...(known === 0 ? [] : [`${known.toLocaleString("en")} known before`]),
    ...(begun === 0 ? [] : [`${many(begun, "task")} begun`]),
    ...(costs === 0 ? [] : [`${many(costs, "cost")} booked`]),
  ];
  print(`${[`${many(recorded, "outcome")} on record`, ...more].join(", ")}.`);
  const { count, isAll } = await waitingOf(control, new Set(rows.map(({ said }) => String(said["task"]))));
  const least = isAll ? "" : " or more";
  if (count > 0) print(`Of ${many(count, "task")}${least} nobody has heard yet: pennyworth tasks waiting.`);
}

async function showSuccess(control: Control, options: SuccessOptions): Promise<void> {
  const [{ ask, toPath }, { successAnswer }, { describeSuccess }, { spreadLines }] = await Promise.all([
    import("./control.ts"),
    import("../api/success.ts"),
    import("./successes.ts"),
    import("./spread.ts"),
  ]);
  const { by, since, until, filter, zone, limit, reviewRate } = options;
  const found = await ask(control, successAnswer, toPath("success", { by, since, until, filter, zone, limit, reviewRate, fresh: "true" }));
  const isInvented = isDemo(toConfig(options).settings.data);
  if (options.json) printJson(found);
  else print(describeSuccess(found, spreadLines(found, options.detail === true)));
  if (isInvented) remark(`\n${demoNote}`);
}
