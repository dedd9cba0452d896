// `pennyworth tasks shape`: where tokens and money go within tasks of a type, step by step, and what was wasted. Not here: what is reckoned
// (api/shape.ts). Invariant: what is estimated or not known says so.

import type { Command } from "commander";
import type { z } from "zod";
import type { shapeAnswer } from "../api/shape.ts";
import { isDemo } from "../demo/marker.ts";
import {
  atLeast,
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
import { percent, short } from "./successes.ts";
import { type Column, formatCount, formatTable, plain } from "./table.ts";

type Shape = z.infer<typeof shapeAnswer>;
type Step = Shape["steps"][number];
type Sums = Shape["total"];

interface ShapeOptions extends SettingsOptions {
  readonly type?: string;
  readonly since?: string;
  readonly until?: string;
  readonly filter?: readonly string[];
  readonly zone?: string;
  readonly limit?: string;
}

/** @param tasks the command that it is one of. */
export function addShape(tasks: Command): void {
  const shape = tasks
    .command("shape")
    .description("where tokens and money go within tasks: by step, by part of the prompt, and what was wasted")
    .option("--type <type>", "of tasks of this type (default: of all calls)")
    .option("--since <time>", "calls from then on: 2026-11-01, or an age (default: 7d)")
    .option("--until <time>", "calls before then")
    .option("--filter <field=value>", "only calls where this holds; also field!=value; repeatable", collect)
    .option("--zone <name>", "whose days are meant, e.g. Europe/Berlin (default: UTC)")
    .option("--limit <steps>", "most steps shown (default: 50)")
    .action((options: ShapeOptions) => withControl(options, (control) => showShape(control, options)));
  withExamples(withSettings(shape), "tasks shape --type resolve-ticket", "tasks shape --type fix --since 30d --filter agent=coder --json");
}

async function showShape(control: Control, options: ShapeOptions): Promise<void> {
  const [{ ask, toPath }, { shapeAnswer: answer }] = await Promise.all([import("./control.ts"), import("../api/shape.ts")]);
  const { type, since, until, filter, zone, limit } = options;
  const found = await ask(control, answer, toPath("shape", { type, since, until, filter, zone, limit, fresh: "true" }));
  if (options.json) printJson(found);
  else print(describeShape(found));
  if (isDemo(toConfig(options).settings.data)) remark(`\n${demoNote}`);
}

export function describeShape(found: Shape): string {
  const { total, steps, kinds, tasks, callsMax, depth } = found;
  if (total.calls === 0) return nothing(found);
  const what = found.type === null ? "All calls" : found.type === "" ? "Tasks without a type" : plain(found.type);
  const deep = depth === null || depth.max === 0 ? "" : `; ${mean(depth.mean)} deep, ${depth.max} at most`;
  const per =
    tasks === 0 ? "" : ` of ${many(tasks, "task")} (${mean(total.calls / tasks)} a task, ${formatCount(callsMax)} at most${deep})`;
  const isLess = total.unpriced + total.unmetered > 0;
  const cost = isLess && total.cost === "0" ? "cost unknown" : `${isLess ? "≥ " : ""}$${short(total.cost)}`;
  const retries = total.retries === 0 ? "" : `, ${total.retries === 1 ? "1 retry" : `${formatCount(total.retries)} retries`}`;
  const head = `${what}: ${many(total.calls, "call")}${per}${retries}, ${cost}`;
  const isTold = kinds.some(({ kind, calls }) => kind !== null && calls > 0);
  const byKind = kinds
    .filter(({ calls }) => calls > 0)
    .map(
      ({ kind, cost, unpriced }) =>
        `${kind ?? "other"} ${unpriced > 0 && cost === "0" ? "unknown" : `${unpriced > 0 ? "≥ " : ""}$${short(cost)}`}`,
    );
  return [
    head,
    ...(found.type === null ? [] : ["Calls whose own task is of this type; what its parts of other types cost is under those."]),
    ...(isTold ? [`By kind of step: ${byKind.join(", ")}`] : []),
    "",
    tableOfSteps(steps, total),
    ...(found.truncated ? [`Only the dearest ${many(steps.length, "step")} are shown (--limit); the total is over all.`] : []),
    "",
    ...promptLines(total),
    ...contextLines(found),
    ...worstLines(found),
    ...unknownLines(total),
  ].join("\n");
}

function nothing({ type, types }: Shape): string {
  if (type === null || types.length === 0)
    return "No call in this span. --since looks further back. A call names its step with the header x-pennyworth-step.";
  const known = types.flatMap((one) => (one.type === null || one.type === "" ? [] : [plain(one.type)])).slice(0, 8);
  return `No call of such a task in this span.${known.length === 0 ? "" : ` Types there are: ${known.join(", ")}.`}`;
}

const heads = "calls,retries,failed,again,tools,tokens in,more a call,window,cost $,share,wasted $".split(",");

function tableOfSteps(steps: readonly Step[], total: Sums): string {
  const isRetried = total.retries > 0;
  const columns: Column[] = [
    { head: "step" },
    { head: "kind" },
    ...heads.filter((head) => isRetried || head !== "retries").map((head) => ({ head, align: "right" as const })),
  ];
  const cells = (one: Sums): string[] => [
    formatCount(one.calls),
    ...(isRetried ? [formatCount(one.retries)] : []),
    formatCount(one.failed.calls),
    formatCount(one.repeated.calls),
    one.toolsUnknown >= one.calls ? "?" : `${one.toolsUnknown > 0 ? "≥ " : ""}${formatCount(one.tools)}`,
    formatCount(one.inputTokens),
    one.growth === null ? "—" : formatCount(Math.round(one.growth.perCall)),
    one.fill === null ? "—" : percent(one.fill.share),
    atLeast(short(one.cost), one.unpriced + one.unmetered),
    total.cost === "0" ? "—" : isUnknown(one) ? "" : percent(Number(one.cost) / Number(total.cost)),
    short(one.wasted),
  ];
  const rows = steps.map((one) => [one.step ?? "—", one.kind ?? "—", ...cells(one)]);
  return formatTable(columns, [...rows, null, ["total", "", ...cells(total)]]);
}

/** Nothing of its cost is known, which is no share of none. */
function isUnknown({ cost, unpriced, unmetered }: Sums): boolean {
  return cost === "0" && unpriced + unmetered > 0;
}

const partNames = {
  system: "system",
  tools: "tools’ descriptions",
  earlier: "earlier turns",
  toolResults: "tools’ results",
  user: "last turn",
} as const;

function promptLines({ prompt, calls }: Sums): string[] {
  const names = Object.keys(partNames) as (keyof typeof partNames)[];
  const all = names.reduce((sum, name) => sum + prompt.bytes[name], 0);
  if (all === 0) return [];
  const parts = names.map((name) => `${partNames[name]} ${percent(prompt.bytes[name] / all)} (~${formatCount(prompt.tokens[name])})`);
  const unknown = prompt.unknown === 0 ? "" : ` Not known of ${formatCount(prompt.unknown)} of ${formatCount(calls)}.`;
  return [`The prompts by bytes, with tokens by estimate: ${parts.join(", ")}.${unknown}`];
}

function contextLines({ total: { resent, fill, inputTokensMax }, pricesMs }: Shape): string[] {
  const more = resent.unpriced === 0 ? "" : ` ${many(resent.unpriced, "call")} of it have no price.`;
  return [
    ...(inputTokensMax === null
      ? []
      : [
          `The longest prompt: ${formatCount(inputTokensMax)} tokens.${fill === null ? "" : ` The fullest window: ${percent(fill.share)} of ${formatCount(fill.window)} (${plain(fill.model ?? "?")}).`}`,
        ]),
    ...(resent.tokens === 0
      ? []
      : [
          `Sent again and not read from a cache: ${formatCount(resent.tokens)} tokens for $${short(resent.cost)}. ${cacheText(resent, pricesMs)}${more}`,
        ]),
  ];
}

function cacheText({ tokens, saved, unknownTokens }: Sums["resent"], pricesMs: number): string {
  if (unknownTokens === tokens) return "What a cache would have saved is not known: there is no price of one.";
  const unknown = unknownTokens === 0 ? "" : `; for ${formatCount(unknownTokens)} of them there is no such price`;
  return `Read from it, $${short(saved)} less, by the prices of ${new Date(pricesMs).toISOString().slice(0, 10)}${unknown}.`;
}

const wasteNames = { failed: "calls that failed", repeated: "the same asked again", resent: "context sent again" } as const;

function worstLines({ worst }: Shape): string[] {
  if (worst === null) return ["Nothing was wasted, as far as is known."];
  const share = worst.share === null ? "" : ` (${percent(worst.share)})`;
  const parts = worst.wastes.map(({ waste, saved }) => `$${short(saved)} on ${wasteNames[waste]}`);
  const name = worst.step === null ? "calls that name no step" : plain(worst.step);
  return [`The most wasteful step: ${name}. Without its waste, $${short(worst.saved)} less${share}: ${parts.join(", ")}.`];
}

function unknownLines({ unpriced, unmetered }: Sums): string[] {
  return [
    ...(unpriced > 0 ? [`${many(unpriced, "call")} used something without a price: ≥, at least.`] : []),
    ...(unmetered > 0 ? [`Of ${many(unmetered, "call")} nobody knows what they used.`] : []),
  ];
}

function mean(count: number): string {
  return count < 10 ? String(Math.round(count * 10) / 10) : formatCount(Math.round(count));
}
