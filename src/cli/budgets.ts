// `pennyworth budgets`: what may be spent, by whom, and what is spent of it; to define, to grant, to take away. Not here: what was refused and
// what is stopped (guard.ts), how it looks (standing.ts). Invariant: terms that are not named stay as they are.

import { randomBytes } from "node:crypto";
import { type Command, Option } from "commander";
import { canDraw } from "../config.ts";
import { PennyworthError } from "../error.ts";
import { collect, many, print, printJson, type SettingsOptions, withControl, withExamples, withSettings, wholeNumber } from "./command.ts";
import type { Control } from "./control.ts";
import { addGuard } from "./guard.ts";
import { toRecord, toWhole, wrong } from "./scope.ts";

interface SetOptions extends SettingsOptions {
  readonly owner?: string;
  readonly limit?: string;
  readonly rate?: true;
  readonly for?: readonly string[];
  readonly each?: readonly string[];
  readonly mode?: string;
  readonly unbounded?: string;
  readonly zone?: string;
  readonly carry?: string;
  readonly caps?: string;
  readonly useful?: string;
  readonly degrade?: readonly string[];
  readonly alerts?: string;
  readonly share?: readonly string[];
  readonly priority?: number;
}

interface GrantOptions extends SettingsOptions {
  readonly for?: readonly string[];
  readonly note?: string;
  readonly id?: string;
}

interface ListOptions extends SettingsOptions {
  readonly rows: number;
}

export function addBudgets(program: Command): void {
  const budgets = program
    .command("budgets")
    .description("what may be spent, by whom, and what is spent of it; who was refused, and the switch");
  const list = budgets
    .command("list")
    .description("budgets and rates, with what is spent, held, presumed and left")
    .option("--rows <n>", "of a budget for each customer, so many of them, the fullest first", wholeNumber(1, 1_000), 5)
    .action((options: ListOptions) => withControl(options, (control) => listAll(control, options)));
  withExamples(withSettings(list), "budgets list", "budgets list --json");

  const show = budgets
    .command("show")
    .description("one budget: its terms, and what stands under it")
    .argument("<id>", "its id")
    .option("--rows <n>", "so many of each", wholeNumber(1, 1_000), 100)
    .action((id: string, options: ListOptions) => withControl(options, (control) => showOne(control, id, options)));
  withExamples(withSettings(show), "budgets show team-search");

  const set = budgets
    .command("set")
    .description("define a budget or a rate, or give it other terms; what is not named stays as it is")
    .argument("<id>", "its id")
    .option("--owner <name>", "who answers for it")
    .option(
      "--limit <limit>",
      '"$500 per month", "2M tokens per day", "$5 per rolling 24h", "$20"; of rates "60 calls per minute", "20 at once"',
    )
    .option("--rate", "a limit on how fast, and no allowance")
    .option("--for <field=value>", "which calls; repeatable; all: every call", collect)
    .option("--each <field>", "every value of this has the limit to itself; repeatable; none", collect)
    .addOption(new Option("--mode <mode>", "refuse, warn, or only record").choices(["hard", "soft", "shadow"]))
    .addOption(new Option("--unbounded <policy>", "calls of which nobody can say what they cost at most").choices(["refuse", "allow"]))
    .option("--zone <zone>", "whose calendar, as Europe/Berlin; none: UTC")
    .option("--carry <amount>", "of an unused rest, the most that the next window gets; all; none")
    .addOption(new Option("--caps <policy>", "put in a missing cap, or lower the client's own, too").choices(["inject", "lower"]))
    .option("--useful <tokens>", "output tokens below which an answer is of no use; none: the median of the task type")
    .option("--degrade <step>", '"80% model gpt-5-mini", "95% cap 500", "100% wait 30s"; repeatable; none', collect)
    .option("--alerts <percents>", "when somebody is told: 50%,80%,100%; none")
    .option("--share <field:value=n>", "of calls at once, what one value is sure of: agent:planner=10; repeatable; none", collect)
    .option("--priority <n>", "0 goes first where calls wait", wholeNumber(0, 9))
    .action((id: string, options: SetOptions) => withControl(options, (control) => setOne(control, id, options), true));
  withExamples(
    withSettings(set),
    "budgets set team-search --owner ada --limit '$500 per month' --for team=search --each customer",
    "budgets set pool --owner ops --rate --limit '20 at once'",
    "budgets set team-search --limit '$600 per month'",
  );

  const unset = budgets
    .command("unset")
    .description("take a budget away; the journal keeps what it was")
    .argument("<id>", "its id")
    .action((id: string, options: SettingsOptions) => withControl(options, (control) => unsetOne(control, id, options)));
  withExamples(withSettings(unset), "budgets unset team-search");

  const grant = budgets
    .command("grant")
    .description("allow more in the window under way; below zero, less")
    .argument("<id>", "the budget's id")
    .argument("<amount>", "in its measure: 50 dollars, 20k tokens, 500 calls")
    .option("--for <field=value>", "of a budget for each customer, whose allowance it goes to; repeatable", collect)
    .option("--note <text>", "why")
    .option("--id <id>", "of the grant: given again, it counts once (default: a new one)")
    .action((id: string, amount: string, options: GrantOptions) =>
      withControl(options, (control) => grantMore(control, id, amount, options)),
    );
  withExamples(withSettings(grant), "budgets grant team-search 50 --note launch", "budgets grant per-customer 5 --for customer=Acme");
  addGuard(budgets);
}

async function listAll(control: Control, { rows, json }: ListOptions): Promise<void> {
  const [{ ask, toPath }, schema, { guardAnswer }, { listBudgets }, { paint }, { describeHalt }] = await Promise.all([
    import("./control.ts"),
    import("../api/budgets.ts"),
    import("../api/refusals.ts"),
    import("./standing.ts"),
    import("./draw.ts"),
    import("./refused.ts"),
  ]);
  const found = await ask(control, schema.budgetsAnswer, toPath("budgets", { standings: String(rows) }));
  if (json) return printJson(found);
  const { halts, trees } = await ask(control, guardAnswer, "/api/v1/guard?trees=1000");
  const stopped = trees.filter(({ state }) => state === "stopped").length;
  for (const halt of halts) print(describeHalt(halt));
  if (stopped > 0) print(`Stopped: ${many(stopped, "tree")} of tasks. More of it: pennyworth budgets halts`);
  if (halts.length + stopped > 0) print("");
  if (found.budgets.length === 0)
    return print("There are no budgets yet. Define one: pennyworth budgets set all --owner you --limit '$20 per day'");
  const isDrawn = process.stdout.isTTY && canDraw();
  print(listBudgets(found.budgets, isDrawn, isDrawn ? paint : undefined));
  if (found.truncated) print(`\nOnly the first ${many(found.budgets.length, "budget")} are shown.`);
}

async function showOne(control: Control, id: string, { rows, json }: ListOptions): Promise<void> {
  const [{ ask }, { budgetAnswer }, { showBudget }, { paint }] = await Promise.all([
    import("./control.ts"),
    import("../api/budgets.ts"),
    import("./standing.ts"),
    import("./draw.ts"),
  ]);
  const found = await ask(control, budgetAnswer, `/api/v1/budgets/${encodeURIComponent(id)}?standings=${rows}`);
  if (json) return printJson(found);
  const isDrawn = process.stdout.isTTY && canDraw();
  print(showBudget(found.budget, isDrawn, isDrawn ? paint : undefined));
}

async function setOne(control: Control, id: string, options: SetOptions): Promise<void> {
  const [{ ask }, { budgetAnswer }, { showBudget }] = await Promise.all([
    import("./control.ts"),
    import("../api/budgets.ts"),
    import("./standing.ts"),
  ]);
  const path = `/api/v1/budgets/${encodeURIComponent(id)}`;
  const before = await ask(control, budgetAnswer, path).catch((error: unknown) => {
    if (error instanceof PennyworthError && error.code === "budget_unknown") return null;
    throw error;
  });
  const body = toTerms(before?.budget.terms ?? null, options);
  const set = await ask(control, budgetAnswer, path, { method: "PUT", body });
  if (options.json) return printJson(set);
  print(`${before === null ? "Defined" : "Changed"}: ${showBudget(set.budget, false)}`);
}

/** The terms named, over those that stand; of terms of the other kind, what both have. */
function toTerms(before: Readonly<Record<string, unknown>> | null, options: SetOptions): object {
  const kind = options.rate === true ? "rate" : (before?.["kind"] ?? "budget");
  const kept = before === null || before["kind"] === kind ? before : pick(before, ["owner", "for", "each", "mode", "unbounded", "limit"]);
  const { owner, limit, mode, unbounded, zone, carry, caps, useful, alerts, priority } = options;
  const said = {
    owner,
    limit,
    mode,
    unbounded,
    zone,
    carry,
    caps,
    priority,
    for: options.for === undefined ? undefined : toRecord(options.for),
    each: isNone(options.each) ? [] : options.each,
    useful: useful === undefined || useful === "none" ? useful : toWhole("--useful", useful, 0, 1_000_000),
    alerts: alerts === undefined ? undefined : alerts === "none" ? [] : alerts.split(",").map((text) => text.trim()),
    degrade: isNone(options.degrade) ? [] : options.degrade?.map(toStep),
    shares: isNone(options.share) ? "none" : options.share === undefined ? undefined : toShares(options.share),
  };
  const terms = { ...kept, ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)), kind };
  if (!("owner" in terms) || !("limit" in terms))
    throw new PennyworthError("query_invalid", { detail: "there is no such budget yet, and a new one needs --owner and --limit" });
  // What has no value of its own for nothing is left out.
  const empty = new Set(["zone", "useful", "shares"]);
  return Object.fromEntries(Object.entries(terms).filter(([name, value]) => !(empty.has(name) && value === "none")));
}

function pick(from: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}

function isNone(said: readonly string[] | undefined): boolean {
  return said?.length === 1 && said[0] === "none";
}

function toStep(text: string): object {
  const [, at, what, value = ""] = /^(\d+%)\s+(model|cap|wait)\s+(\S+)$/.exec(text.trim()) ?? [];
  if (at === undefined || what === undefined)
    throw wrong(`--degrade ${JSON.stringify(text)}: expected, for example, "80% model gpt-5-mini"`);
  return { at, [what]: what === "cap" ? toWhole(`--degrade ${JSON.stringify(text)}`, value, 1, 1_000_000_000) : value };
}

function toShares(said: readonly string[]): Record<string, Record<string, number>> {
  const shares: Record<string, Record<string, number>> = {};
  for (const text of said) {
    const [, field, value, most] = /^([a-z]+):(.+)=(\d{1,7})$/s.exec(text) ?? [];
    if (field === undefined || value === undefined) throw wrong(`--share ${JSON.stringify(text)}: expected, for example, agent:planner=10`);
    shares[field] = { ...shares[field], [value]: Number(most) };
  }
  return shares;
}

async function unsetOne(control: Control, id: string, { json }: SettingsOptions): Promise<void> {
  const [{ ask }, { budgetAnswer }] = await Promise.all([import("./control.ts"), import("../api/budgets.ts")]);
  const was = await ask(control, budgetAnswer, `/api/v1/budgets/${encodeURIComponent(id)}`, { method: "DELETE" });
  if (json) return printJson(was);
  print(`${was.budget.id} is no budget any more.`);
}

async function grantMore(control: Control, id: string, amount: string, options: GrantOptions): Promise<void> {
  const [{ ask }, { grantAnswer }, { toAmount }] = await Promise.all([
    import("./control.ts"),
    import("../api/budgets.ts"),
    import("./standing.ts"),
  ]);
  const body = {
    id: options.id ?? `grant_${randomBytes(8).toString("hex")}`,
    amount,
    ...(options.for === undefined ? {} : { for: toRecord(options.for) }),
    ...(options.note === undefined ? {} : { note: options.note }),
  };
  const given = await ask(control, grantAnswer, `/api/v1/budgets/${encodeURIComponent(id)}/grants`, { method: "POST", body });
  if (options.json) return printJson(given);
  const { budget, grant, outcome } = given;
  if (outcome === "known") return print(`The grant ${grant.id} was made before: nothing was done.`);
  const to = budget.standings.find((one) => one.values.join("\n") === grant.values.join("\n"));
  const left = to === undefined ? "" : ` ${toAmount(to.left, budget.measure)} is left of ${toAmount(to.allowance, budget.measure)}.`;
  print(`Granted ${toAmount(grant.amount, budget.measure)} to ${[budget.id, ...grant.values].join(", ")}.${left}`);
}
