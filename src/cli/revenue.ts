// `pennyworth revenue`: what customers pay, listed, said, imported and voided. Not here: what it comes to (margin.ts). Invariant: nothing of a file is on record before all
// of it is understood, and found to contradict nothing that is.

import { type Command, Option } from "commander";
import { PennyworthError } from "../error.ts";
import {
  collect,
  many,
  print,
  printJson,
  remark,
  type SettingsOptions,
  wholeNumber,
  withControl,
  withExamples,
  withSettings,
} from "./command.ts";
import type { Control } from "./control.ts";
import { wrong } from "./scope.ts";

interface ListOptions extends SettingsOptions {
  readonly since?: string;
  readonly until?: string;
  readonly customer?: string;
  readonly limit: number;
}

interface AddOptions extends SettingsOptions {
  readonly id?: string;
  readonly customer?: string;
  readonly plan?: string;
  readonly feature?: string;
  readonly amount?: string;
  readonly every?: string;
  readonly from: string;
  readonly to?: string;
}

interface ImportOptions extends SettingsOptions {
  readonly customerBy: string;
  readonly rate?: readonly string[];
}

/** Amounts of one request while a file is sent. */
const atOnce = 5_000;

export function addRevenue(program: Command): void {
  const revenue = program.command("revenue").description("what customers pay: amounts for spans of days, and subscriptions");
  const list = revenue
    .command("list", { isDefault: true })
    .description("what is on record, the latest beginning first")
    .option("--since <time>", "that go on after this: 2026-11-01, or an age: 30d")
    .option("--until <time>", "that begin before this")
    .option("--customer <name>", "only of this customer")
    .option("--limit <n>", "so many", wholeNumber(1, 10_000), 50)
    .action((options: ListOptions) => withControl(options, (control) => listRevenue(control, options)));
  withExamples(withSettings(list), "revenue", "revenue list --customer Acme --json");

  const add = revenue
    .command("add")
    .description("say what a customer pays; prints its id")
    .option("--customer <name>", "who pays, as calls name it in x-pennyworth-customer; kept as a token")
    .option("--plan <name>", "the plan it is paid for")
    .option("--feature <name>", "the feature it is paid for, where it is paid for one")
    .option("--amount <dollars>", "49.00; below zero for a refund, with --to (default: what the plan costs a month by the settings)")
    .addOption(new Option("--every <span>", "once: for the whole span; month: for each calendar month").choices(["once", "month"]))
    .requiredOption("--from <date>", "the first day, UTC: 2026-11-01")
    .option("--to <date>", "the day after the last (default: it goes on from month to month)")
    .option("--id <id>", "so that the same command can be run again: it counts once")
    .action((options: AddOptions) => withControl(options, (control) => addOne(control, options), true));
  withExamples(
    withSettings(add),
    "revenue add --customer Acme --plan pro --amount 49 --from 2026-11-01",
    "revenue add --id refund-7 --customer Acme --amount=-12.50 --from 2026-11-05 --to 2026-11-06",
  );

  const load = revenue
    .command("import")
    .description("amounts from a file: all of it or nothing; the same file counts once")
    .argument(
      "<file>",
      "CSV (customer, plan, feature, amount, every, from, to, id), or what Stripe exports: invoices as JSON or as a table",
    )
    .option("--customer-by <what>", "of Stripe's: id, name, email or metadata.KEY, by which customers are known here", "id")
    .option("--rate <currency=dollars>", "what one unit of another currency is worth: EUR=1.08; repeatable", collect)
    .action((file: string, options: ImportOptions) => importFile(file, options));
  withExamples(
    withSettings(load),
    "revenue import revenue.csv",
    "revenue import invoices.json --customer-by metadata.tenant --rate EUR=1.08",
  );

  const remove = revenue
    .command("void")
    .description("take a mistake back: a correcting entry, nothing is edited")
    .argument("<id>", "of the amount")
    .action((id: string, options: SettingsOptions) => withControl(options, (control) => voidOne(control, id, options)));
  withExamples(withSettings(remove), "revenue void refund-7");
}

async function listRevenue(control: Control, { since, until, customer, limit, json }: ListOptions): Promise<void> {
  const [{ ask, toPath }, { revenueList }, { formatTable }] = await Promise.all([
    import("./control.ts"),
    import("../api/revenue.ts"),
    import("./table.ts"),
  ]);
  const found = await ask(control, revenueList, toPath("revenue", { since, until, customer, limit: String(limit), fresh: "true" }));
  if (json) return printJson(found);
  if (found.revenue.length === 0)
    return print(
      since !== undefined || until !== undefined || customer !== undefined
        ? "No revenue matches what was asked for (--since, --until, --customer)."
        : "No revenue here yet. To say it: pennyworth revenue add --customer Acme --plan pro --amount 49 --from 2026-11-01",
    );
  const columns = [
    ...["id", "customer", "plan", "feature", "from", "to", "by"].map((head) => ({ head })),
    { head: "amount $", align: "right" as const },
    { head: "" },
  ];
  const rows = found.revenue.map((one) => [
    one.id,
    one.customer ?? "—",
    one.plan ?? "—",
    one.feature ?? "—",
    dayOf(one.fromMs),
    one.toMs === null ? "goes on" : dayOf(one.toMs),
    one.witness,
    one.amount,
    one.voidedMs !== null ? "voided" : one.every === "month" ? "a month" : "",
  ]);
  print(formatTable(columns, rows));
  if (found.truncated) print(`\nOnly the first ${found.revenue.length} are shown (--limit).`);
}

async function addOne(control: Control, { id, customer, plan, feature, amount, every, from, to, json }: AddOptions): Promise<void> {
  if (!customer && !plan && !feature)
    throw wrong(
      "it is said of nobody: give --customer, --plan or --feature; what belongs to none of them is said by POST /api/v1/revenue or a file",
    );
  const [{ ask }, { revenueMade }, { parseUsd, shortUsd }] = await Promise.all([
    import("./control.ts"),
    import("../api/earned.ts"),
    import("../core/money.ts"),
  ]);
  const body = { id, customer, plan, feature, amount, every, from, to };
  const made = await ask(control, revenueMade, "/api/v1/revenue", { method: "POST", body });
  if (json) return printJson(made);
  print(made.id);
  const until = made.toMs === null ? "on" : `to ${dayOf(made.toMs)}`;
  remark(`${shortUsd(parseUsd(made.amount))}${made.every === "month" ? " a month" : ""} from ${dayOf(made.fromMs)} ${until}, on record.`);
}

async function voidOne(control: Control, id: string, { json }: SettingsOptions): Promise<void> {
  const [{ ask }, { revenueShown }] = await Promise.all([import("./control.ts"), import("../api/earned.ts")]);
  const voided = await ask(control, revenueShown, `/api/v1/revenue/${encodeURIComponent(id)}`, { method: "DELETE" });
  if (json) return printJson(voided);
  print(`The revenue ${voided.id} counts for nothing. It stays on record.`);
}

async function importFile(file: string, options: ImportOptions): Promise<void> {
  const { readText } = await import("./parts.ts");
  const text = readText(file);
  if (!/^(id|name|email|metadata\.\S{1,100})$/.test(options.customerBy))
    throw wrong(`--customer-by ${JSON.stringify(options.customerBy)}: expected id, name, email or metadata.KEY`);
  const { parseRates, readRevenue } = await import("../ingest/revenue.ts");
  let read: ReturnType<typeof readRevenue>;
  try {
    read = readRevenue(text, { customerBy: options.customerBy, rates: parseRates(options.rate ?? []) });
  } catch (cause) {
    throw cause instanceof PennyworthError ? wrong(`${file}: ${cause.message.replace(/^[^:]*: /, "").replace(/\.$/, "")}`) : cause;
  }
  await withControl(options, (control) => send(control, read, options), true);
}

async function send(
  control: Control,
  { witness, lines, notes }: Awaited<ReturnType<typeof import("../ingest/revenue.ts").readRevenue>>,
  { json }: SettingsOptions,
): Promise<void> {
  const [{ ask }, { revenueImported }, { sendParts, toParts }] = await Promise.all([
    import("./control.ts"),
    import("../api/earned.ts"),
    import("./parts.ts"),
  ]);
  const done = await sendParts(
    toParts(lines, ({ said }) => said.id, atOnce),
    (part, isCheck) => {
      const [revenue, places] = [part.map(({ said }) => said), part.map(({ place }) => place)];
      const path = `/api/v1/revenue/imports${isCheck ? "?check=true" : ""}`;
      return ask(control, revenueImported, path, { method: "POST", body: { witness, revenue, places } });
    },
  );
  const counts = { recorded: 0, known: 0, voided: 0 };
  for (const one of done) for (const name of ["recorded", "known", "voided"] as const) counts[name] += one[name];
  const said = [...notes, ...done.flatMap((one) => one.notes)];
  if (json) return printJson({ ...counts, notes: said });
  const more = [
    ...(counts.known === 0 ? [] : [`${counts.known.toLocaleString("en")} known before`]),
    ...(counts.voided === 0 ? [] : [`${counts.voided.toLocaleString("en")} voided before`]),
  ];
  print(`${[`${many(counts.recorded, "amount")} on record`, ...more].join(", ")}.`);
  for (const note of said) print(note);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
