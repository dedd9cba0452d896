// `pennyworth worth`: is an agent worth it, against a person or the value of the work. Reckoned here, without a server and without a ledger, unless
// numbers are to come from one. Not here: how the answer looks (verdict.ts). Invariant: what is wrong is named by its option.

import type { Command } from "commander";
import { failCheck, print, printJson, type SettingsOptions, withControl, withExamples, withSettings } from "./command.ts";
import { PennyworthError } from "../error.ts";
import { wrong } from "./scope.ts";

interface WorthOptions extends SettingsOptions {
  readonly fromLedger?: string;
  readonly check?: true;
  readonly [option: string]: unknown;
}

type Kind = "number" | "share" | "dollars" | "success" | "text";

interface Choice {
  /** Where it stands in the question. */
  readonly path: string;
  readonly flag: string;
  readonly kind: Kind;
  readonly what: string;
}

/** Options of one way to do it, after `--` or `--dearer-`. */
const ways: readonly (readonly [name: string, flag: string, kind: Kind, what: string])[] = [
  ["cost", "cost", "dollars", "what a run costs, however it ends, in dollars"],
  ["success", "success", "success", "how often a run succeeds: 0.68, 68%, 60%..75%, or counted, 41/60"],
  ["reviewMinutes", "review-minutes", "number", "a person's minutes to check a run; none unless told"],
  ["reviewRate", "review-rate", "dollars", "dollars for an hour of checking; --rate unless told"],
  ["cleanupMinutes", "cleanup-minutes", "number", "minutes to clean up after a failure, beyond doing the task again"],
  ["cleanupRate", "cleanup-rate", "dollars", "dollars for an hour of cleaning up; --rate unless told"],
  ["cleanup", "cleanup", "dollars", "what a failure costs besides labour"],
  ["detection", "detection", "share", "the share of failures that are found, 0 to 1; 1 unless told"],
  ["damage", "damage", "dollars", "damage done by a failure that is not found: with --detection below 1"],
  ["irreversible", "irreversible", "dollars", "added to the damage where what was done cannot be undone"],
];

const choices: readonly Choice[] = [
  { path: "person.minutes", flag: "--minutes", kind: "number", what: "minutes that a person needs for the task" },
  { path: "person.rate", flag: "--rate", kind: "dollars", what: "dollars for an hour of that person" },
  { path: "value", flag: "--value", kind: "dollars", what: "of a finished task that nobody would do otherwise, in place of a person" },
  ...ways.map(([name, flag, kind, what]) => ({ path: `agent.${name}`, flag: `--${flag}`, kind, what })),
  {
    path: "agent.unreviewed",
    flag: "--unreviewed",
    kind: "share",
    what: "the share of failures that come to light unchecked; none unless told",
  },
  { path: "agent.minutes", flag: "--agent-minutes", kind: "number", what: "minutes that a run takes, for times in GDPval's way" },
  { path: "tasks", flag: "--tasks", kind: "number", what: "for so many tasks; 1 unless told" },
  ...ways.map(([name, flag, kind, what]) => ({
    path: `dearer.${name}`,
    flag: `--dearer-${flag}`,
    kind,
    what: `of a dearer one: ${name === "cost" ? what : `${what.split(/[;:,]/)[0]}; as with the other unless told`}`,
  })),
  {
    path: "fromLedger.type",
    flag: "--from-ledger",
    kind: "text",
    what: "a task type: cost, success and review time that are not said come from the ledger",
  },
  { path: "fromLedger.agent", flag: "--agent", kind: "text", what: "with --from-ledger: tasks of this agent alone" },
  {
    path: "fromLedger.since",
    flag: "--since",
    kind: "text",
    what: "with --from-ledger: tasks that began from then on, as 30d or 2026-11-01",
  },
  { path: "fromLedger.until", flag: "--until", kind: "text", what: "with --from-ledger: tasks that began before" },
];

const hints: Readonly<Record<Kind, string>> = { number: "n", share: "share", dollars: "dollars", success: "share", text: "name" };

export function addWorth(program: Command): void {
  const worth = program
    .command("worth")
    .description("is an agent worth it: its cost with failures against a person's, the break-even, and what would turn it");
  for (const { flag, kind, what } of choices) worth.option(`${flag} <${hints[kind]}>`, what);
  worth.option("--check", "exit with 3 unless the verdict is go").action((options: WorthOptions) => weighOne(options));
  withExamples(
    withSettings(worth),
    "worth --minutes 9 --rate 32 --cost 0.0585 --success 68% --cleanup-minutes 6 --tasks 3200",
    "worth --minutes 120 --rate 60 --cost 0.50 --success 41/60 --review-minutes 10 --dearer-cost 2.50 --dearer-review-minutes 2",
    "worth --value 3.50 --from-ledger resolve-ticket --since 30d --check",
  );
}

async function weighOne(options: WorthOptions): Promise<void> {
  const asked = toQuestion(options);
  const [{ worthWanted, worthAnswer }, { toAnswer }, { showVerdict }] = await Promise.all([
    import("../api/weighed.ts"),
    import("../api/weigh.ts"),
    import("./verdict.ts"),
  ]);
  const parsed = worthWanted.safeParse(asked);
  if (!parsed.success) throw wrong(describe(parsed.error.issues));
  const show = (answer: ReturnType<typeof toAnswer>): void => {
    if (options.json) printJson(answer);
    else print(showVerdict(answer));
    if (options.check === true && answer.verdict !== "go") failCheck();
  };
  if (parsed.data.fromLedger === undefined) return show(toAnswer(parsed.data));
  return withControl(options, async (control) => {
    const { ask } = await import("./control.ts");
    const answer = ask(control, worthAnswer, "/api/v1/worth", { method: "POST", body: parsed.data });
    show(await answer.catch((cause: unknown) => Promise.reject(byFlags(cause))));
  });
}

/** What the API calls by its place in the question is an option here. */
function byFlags(cause: unknown): unknown {
  if (!(cause instanceof PennyworthError)) return cause;
  const flags = new Map(choices.map(({ path, flag }) => [path, flag]));
  const message = cause.message.replaceAll(/\b(?:person|agent|dearer|fromLedger)\.[a-z][A-Za-z]*/g, (path) => flags.get(path) ?? path);
  return Object.assign(cause, { message });
}

/** The question as the API takes it. What is not understood as a number is refused by its option. */
function toQuestion(options: WorthOptions): Record<string, unknown> {
  const question: Record<string, unknown> = {};
  for (const { path, flag, kind } of choices) {
    const said = options[toName(flag)];
    if (typeof said !== "string") continue;
    const value = toValue(flag, kind, said.trim());
    const [first = "", second] = path.split(".");
    if (second === undefined) question[first] = value;
    else question[first] = { ...(question[first] as object | undefined), [second]: value };
  }
  return { ...question, agent: question["agent"] ?? {} };
}

/** As commander names an option. */
function toName(flag: string): string {
  return flag.slice(2).replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function toValue(flag: string, kind: Kind, said: string): unknown {
  if (kind === "text") return said;
  if (kind === "dollars") return said.replace(/^\$/, "");
  if (kind === "number") return toNumber(flag, said);
  if (kind === "share") return toShare(flag, said);
  const [, low, high] = /^(.+?)\.\.(.+)$/.exec(said) ?? [];
  if (low !== undefined && high !== undefined) return { low: toShare(flag, low), high: toShare(flag, high) };
  const [, successes, tasks] = /^(.+)\/(.+)$/.exec(said) ?? [];
  if (successes !== undefined && tasks !== undefined) return { successes: toNumber(flag, successes), tasks: toNumber(flag, tasks) };
  return toShare(flag, said);
}

/** Above 1 it is no share: up to 100 it is plain what was meant, which is said rather than taken. */
function toShare(flag: string, said: string): number {
  const share = toNumber(flag, said);
  if (share <= 1) return share;
  const text = said.trim();
  const meant = said.includes("%") || share > 100 ? "a share is said as 0.68 or as 68%" : `${text} in a hundred is said as ${text}%`;
  throw wrong(`${flag} is ${text}, which is more than all of them: ${meant}`);
}

function toNumber(flag: string, said: string): number {
  const [, digits, sign] = /^\s*(-?\d{1,20}(?:\.\d{1,20})?)\s*(%?)\s*$/.exec(said) ?? [];
  if (digits === undefined) throw wrong(`${flag} is ${JSON.stringify(said)}, which is no number`);
  // By its digits: 68.1 divided by 100 is no longer 0.681.
  return sign === "%" ? Number(`${digits}e-2`) : Number(digits);
}

/** Each by the option that it is about. */
function describe(issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]): string {
  return issues
    .slice(0, 5)
    .map(({ path, message }) => {
      const place = path.join(".");
      if (place === "person")
        return message.startsWith("is needed")
          ? "--minutes and --rate are needed, or else --value"
          : "--minutes and --value exclude each other";
      const choice = choices.find((one) => place === one.path || place.startsWith(`${one.path}.`));
      // A part of what one option says stands before its own words.
      const part = choice === undefined || place === choice.path ? "" : `${place.slice(choice.path.length + 1)} `;
      const flag = choice?.flag ?? place;
      return part === "" && message.startsWith("is needed") ? `${flag} ${message}` : `${flag}: ${part}${message}`;
    })
    .join("; ");
}
