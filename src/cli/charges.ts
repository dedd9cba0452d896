// `pennyworth charges`: charges of periods, listed; `charges add` declares one that no request shows, `charges void` takes a mistake back.

import { type Command, InvalidArgumentError, Option } from "commander";
import type { z } from "zod";
import type { booking } from "../api/books.ts";
import { attributionFields } from "../core/call.ts";
import { periodClasses } from "../core/period.ts";
import { collect, print, printJson, remark, type SettingsOptions, withExamples, withControl, withSettings } from "./command.ts";
import type { Control } from "./control.ts";

interface AddOptions extends SettingsOptions {
  readonly provider: string;
  readonly item: string;
  readonly model?: string;
  readonly region?: string;
  readonly from: string;
  readonly to: string;
  readonly cost: string;
  readonly quantity?: number;
  readonly id?: string;
  readonly tag?: readonly string[];
  readonly [field: string]: unknown;
}

interface ListOptions extends SettingsOptions {
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
}

export function addCharges(program: Command): void {
  const charges = program.command("charges").description("charges of periods: training, cache storage, hosting");
  const list = charges
    .command("list", { isDefault: true })
    .description("those on record, newest first")
    .option("--since <time>", "that end after this: 2026-11-01, 2026-11-01T12:00Z, or an age: 30m, 24h, 7d")
    .option("--until <time>", "that begin before this")
    .option("--limit <rows>", "most that are shown (default: 100)")
    .action((options: ListOptions) => withControl(options, (control) => listCharges(control, options)));
  withExamples(withSettings(list), "charges", "charges --since 30d --json");

  const add = charges
    .command("add")
    .description("declare a charge that no request shows")
    .requiredOption("--provider <name>", "whom it is paid to")
    .addOption(new Option("--item <item>", "what is paid for").choices(periodClasses).makeOptionMandatory())
    .option("--model <model>", "the model it is for")
    .option("--region <region>", "where")
    .requiredOption("--from <time>", "the period's start: 2026-11-01 or 2026-11-01T12:00Z")
    .requiredOption("--to <time>", "the period's end, which is not in it")
    .requiredOption("--cost <dollars>", "as a decimal number: 41.10")
    .option("--quantity <units>", "how much of it, for the record", quantity)
    .option("--id <id>", "so that the same command can be run again: it is booked once")
    .option("--tag <name=value>", "a tag; repeatable", collect);
  for (const field of attributionFields) add.option(`--${field} <value>`, `whom it is attributed to: ${field}`);
  add.action((options: AddOptions) => withControl(options, (control) => addCharge(control, options), true));
  withExamples(
    withSettings(add),
    "charges add --provider azure --item hosting --model gpt-4o-mini-ft --from 2026-11-01 --to 2026-12-01 --cost 41.10 --customer acme",
    "charges add --id hosting-2026-11 --provider azure --item hosting --from 2026-11-01 --to 2026-12-01 --cost 41.10",
  );

  const remove = charges
    .command("void")
    .description("take a mistake back: a correcting entry, nothing is edited")
    .argument("<id>", "the charge's id")
    .action((id: string, options: SettingsOptions) => withControl(options, (control) => voidCharge(control, id, options)));
  withExamples(withSettings(remove), "charges void hosting-2026-11");
}

function quantity(text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new InvalidArgumentError("Expected a whole number.");
  return value;
}

async function addCharge(control: Control, options: AddOptions): Promise<void> {
  const [{ ask }, schema] = await Promise.all([import("./control.ts"), import("../api/schema.ts")]);
  const { provider, item, model, region, from, to, cost, id, json } = options;
  const said = attributionFields.flatMap((field) => (typeof options[field] === "string" ? [[field, options[field]] as const] : []));
  const tags = (options.tag ?? []).map((text) => [
    text.split("=")[0] ?? "",
    text.includes("=") ? text.slice(text.indexOf("=") + 1) : "true",
  ]);
  const attribution = { ...Object.fromEntries(said), ...(tags.length === 0 ? {} : { tags: Object.fromEntries(tags) as object }) };
  const given = { provider, item, model, region, from, to, cost, id, quantity: options.quantity, attribution };
  const made = await ask(control, schema.charge, "/api/v1/charges", { method: "POST", body: given });
  if (json) return printJson(made);
  print(made.id);
  remark(`${made.provider} ${made.item} from ${toTime(made.fromMs)} to ${toTime(made.toMs)}: $${made.cost}, on record.`);
}

async function voidCharge(control: Control, id: string, { json }: SettingsOptions): Promise<void> {
  const [{ ask }, schema] = await Promise.all([import("./control.ts"), import("../api/schema.ts")]);
  const voided = await ask(control, schema.charge, `/api/v1/charges/${encodeURIComponent(id)}`, { method: "DELETE" });
  if (json) return printJson(voided);
  print(`The charge ${voided.id} counts for nothing since ${toTime(voided.voidedMs ?? 0)}. It stays on record.`);
}

async function listCharges(control: Control, { since, until, limit, json }: ListOptions): Promise<void> {
  const [{ ask, toPath }, schema, { formatCount, formatTable }] = await Promise.all([
    import("./control.ts"),
    import("../api/schema.ts"),
    import("./table.ts"),
  ]);
  const found = await ask(control, schema.chargesPage, toPath("charges", { since, until, limit, fresh: "true" }));
  if (json) return printJson(found);
  if (found.charges.length === 0 && found.bookings.length === 0) return print("No charges of periods here yet.");
  const left = ["id", "item", "provider", "model", "from", "to", "by"].map((head) => ({ head }));
  const right = ["quantity", "cost $"].map((head) => ({ head, align: "right" as const }));
  const rows = found.charges.map((one) => [
    one.id,
    one.item.replaceAll("_", " "),
    one.provider,
    one.model ?? "—",
    toTime(one.fromMs),
    toTime(one.toMs),
    one.witness,
    one.quantity === null ? "" : `${formatCount(one.quantity)} ${one.unit.replaceAll("_", "-")}s`,
    one.voidedMs === null ? (one.cost ?? "unknown") : "voided",
  ]);
  if (rows.length > 0) print(formatTable([...left, ...right], rows));
  if (found.bookings.length > 0)
    print(`${rows.length > 0 ? "\n" : ""}Booked for closed months:\n${formatBookings(formatTable, found.bookings)}`);
  if (found.truncated) print(`\nOnly the newest are shown (--limit).`);
}

/** What closed months came to cost more or less. */
function formatBookings(formatTable: typeof import("./table.ts").formatTable, bookings: readonly z.infer<typeof booking>[]): string {
  const heads = ["booked", "for", "of", "because", "model"].map((head) => ({ head }));
  const rows = bookings.map((one) => [
    toTime(one.atMs),
    one.call ?? one.charge ?? "",
    one.month,
    one.rerate ?? causes[one.cause],
    one.model ?? "—",
    one.cost,
  ]);
  return formatTable([...heads, { head: "cost $", align: "right" as const }], rows);
}

const causes = {
  rerated: "it was re-rated",
  evidence: "better evidence came",
  ended: "it ended after the closing",
  voided: "it was voided",
} as const;

/** To the minute, UTC; a midnight as its day. */
function toTime(ms: number): string {
  const iso = new Date(ms).toISOString();
  return iso.endsWith("T00:00:00.000Z") ? iso.slice(0, 10) : `${iso.slice(0, 16)}Z`;
}
