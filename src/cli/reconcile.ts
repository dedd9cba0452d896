// `pennyworth reconcile`: a provider's export beside the ledger: the gap, its causes, and where it is. Not here: reading exports and comparing (the API does).
// Exit codes: 3 when the gap is larger than `--tolerance`.

import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { z } from "zod";
import type { reconciliation } from "../api/reconciling.ts";
import { divideHalfEven, parseRate, parseUsd, roundUsd } from "../core/money.ts";
import { dayMs } from "../core/time.ts";
import { PennyworthError } from "../error.ts";
import { parseText } from "../text.ts";
import {
  failCheck,
  many,
  print,
  printJson,
  remark,
  type SettingsOptions,
  toConfig,
  withExamples,
  withSettings,
  whyUnread,
  wholeNumber,
} from "./command.ts";
import type { Control } from "./control.ts";

type Shown = z.infer<typeof reconciliation>;

interface Options extends SettingsOptions {
  readonly provider?: string;
  readonly format?: string;
  readonly since?: string;
  readonly until?: string;
  readonly tolerance?: string;
  readonly dryRun?: true;
  readonly rows: number;
  readonly list?: true;
  readonly show?: string;
}

/** As many bytes as the API takes. */
const bytesMax = 32 * 1024 * 1024;

export function addReconcile(program: Command): void {
  const command = program
    .command("reconcile")
    .description("compare what a provider exports with the ledger: the gap, and its likely causes")
    .argument("[file...]", "exports of one provider: usage, costs, or pages of either; - is standard input")
    .option("--provider <name>", "whose they are, as the ledger names it")
    .option("--format <name>", "what they are (default: told from what is in them)")
    .option("--since <day>", "from this day on (default: the files' first)")
    .option("--until <day>", "before this day (default: the end of the files' last)")
    .option("--tolerance <percent>", "exit with 3 when the gap is larger than this part of what is stated: 0.5%", tolerance)
    .option("--rows <count>", "most rows shown, those with the largest gaps", wholeNumber(0, 10_000), 10)
    .option("--dry-run", "compare, and keep nothing")
    .option("--list", "those that were made: the newest of each provider and month")
    .option("--show <id>", "one that was made")
    .action((files: readonly string[], options: Options) => run(files, options));
  withExamples(
    withSettings(command),
    "reconcile usage.json costs.json --provider openai",
    "reconcile cost.csv --provider anthropic --since 2026-10-01 --until 2026-11-01 --tolerance 0.5%",
    "reconcile --list",
  );
}

async function run(files: readonly string[], options: Options): Promise<void> {
  const [{ openControl, ask }, schema] = await Promise.all([import("./control.ts"), import("../api/reconciling.ts")]);
  const isLooking = options.list === true || options.show !== undefined;
  if (!isLooking && files.length === 0) throw wrong("name a file that the provider exports, or --list those that were compared");
  if (!isLooking && options.provider === undefined) throw wrong("--provider is missing: whose export is it?");
  const read = isLooking ? [] : files.map(readText);
  const control = await openControl(toConfig(options));
  try {
    if (options.list === true) return await showList(control, options);
    const path = "/api/v1/reconciliations";
    const { provider, format = null, since = null, until = null } = options;
    const body = {
      provider,
      files: read,
      format,
      since,
      until,
      dryRun: options.dryRun === true,
      limit: options.json ? 10_000 : Math.max(1, options.rows),
    };
    const shown = await (options.show === undefined
      ? ask(control, schema.reconciliation, path, { method: "POST", body })
      : ask(control, schema.reconciliation, `${path}/${encodeURIComponent(options.show)}`));
    if (options.json) printJson(shown);
    else print(await formatShown(shown, options.rows));
    if (options.tolerance !== undefined && isBeyond(shown, options.tolerance)) {
      remark(`The gap is larger than ${options.tolerance} of what is stated.`);
      failCheck();
    }
  } finally {
    await control.close();
  }
}

function readText(path: string): { readonly name: string; readonly text: string } {
  const name = path === "-" ? "standard input" : basename(path);
  const unreadable = (why: string, cause?: unknown): PennyworthError =>
    new PennyworthError("statement_invalid", { detail: `${path}: ${why}` }, cause);
  try {
    if (path !== "-" && statSync(path).size > bytesMax)
      throw unreadable(`it is larger than ${bytesMax / 1024 / 1024} MiB: export fewer days at a time`);
    return { name, text: parseText(readFileSync(path === "-" ? 0 : path)) };
  } catch (cause) {
    if (cause instanceof PennyworthError) throw cause;
    // Read as UTF-8 all the same, names that differ would be one.
    if (cause instanceof RangeError) throw unreadable(cause.message, cause);
    throw unreadable(`it ${whyUnread(cause)}`, cause);
  }
}

async function showList(control: Control, { json }: Options): Promise<void> {
  const [{ ask }, schema, { formatTable }] = await Promise.all([
    import("./control.ts"),
    import("../api/reconciling.ts"),
    import("./table.ts"),
  ]);
  const found = await ask(control, schema.list, "/api/v1/reconciliations");
  if (json) return printJson(found);
  if (found.reconciliations.length === 0) return print("Nothing was reconciled here yet.");
  const left = ["id", "made", "provider", "from", "to"].map((head) => ({ head }));
  const numbers = ["stated $", "ledger $", "gap $", "gap %"].map(right);
  const rows = found.reconciliations.map((one) => [
    one.id,
    `${new Date(one.atMs).toISOString().slice(0, 16)}Z`,
    one.provider,
    one.from,
    lastDay(one.to),
    one.stated ?? (one.valued === null ? "—" : `${one.valued} *`),
    one.ledger,
    one.gap ?? "—",
    one.gapPercent ?? "—",
  ]);
  print(formatTable([...left, ...numbers], rows));
  if (found.reconciliations.some(({ valued }) => valued !== null))
    print("* The statement has no amounts: what its quantities come to at the ledger's prices.");
}

function right(head: string) {
  return { head, align: "right" as const };
}

function count(value: number | null): string {
  return value === null ? "—" : value.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Totals first, then why, then where. */
async function formatShown(shown: Shown, rowsMax: number): Promise<string> {
  const { formatTable, plain } = await import("./table.ts");
  const stated = shown.basis === "prices" ? "valued $" : "stated $";
  const lines = [
    `${shown.title}, ${plain(shown.provider)}, ${shown.from} to ${lastDay(shown.to)} (UTC)`,
    "",
    formatTable(
      [right(stated), right("ledger $"), right("gap $"), right("gap %")],
      [[shown.stated ?? shown.valued ?? "—", shown.ledger, shown.gap ?? "—", shown.gapPercent === null ? "—" : percent(shown.gapPercent)]],
    ),
  ];
  if (shown.causes.length > 0) {
    const causes = shown.causes.map((cause) => [cause.title, cause.amount, cause.why.join("; ")]);
    const table = [...causes, null, ["gap", shown.gap ?? "0", ""]];
    lines.push("", formatTable([{ head: "cause" }, right("amount $"), { head: "why" }], table));
  }
  const gaps = shown.rows.filter((row) => (row.gap.cost ?? "0") !== "0" || (row.gap.quantity ?? 0) !== 0);
  if (gaps.length > 0 && rowsMax > 0) lines.push("", formatRows(gaps.slice(0, rowsMax), formatTable));
  if (gaps.length > rowsMax) lines.push("", `${many(gaps.length, "row")} have a gap; the largest ${rowsMax} are shown (--rows).`);
  const { joined, statedOnly, ledgerOnly } = shown.models;
  const notes = [
    ...shown.foreign.map(({ currency, amount, ledger }) => `${currency} ${amount} stated, where the ledger has $${ledger}: not compared.`),
    ...(statedOnly.length > 0 ? [`Only in the statement: ${statedOnly.join(", ")}.`] : []),
    ...(ledgerOnly.length > 0 ? [`Only in the ledger: ${ledgerOnly.join(", ")}.`] : []),
    ...joined.map(({ name, label, by }) => `${name} is compared as ${label}, by ${by === "price book" ? "the price book" : `its ${by}`}.`),
    ...shown.notes,
  ];
  if (shown.basis === "prices") notes.unshift("The statement has no amounts: its quantities are valued at the ledger's prices.");
  if (notes.length > 0) lines.push("", ...notes.map(plain));
  if (shown.id !== null) lines.push("", `Kept as ${shown.id}.`);
  return lines.join("\n");
}

function formatRows(rows: Shown["rows"], formatTable: (typeof import("./table.ts"))["formatTable"]): string {
  const numbers = ["stated", "ledger", "gap", "stated $", "ledger $", "gap $"].map(right);
  const cells = rows.map((row) => [
    row.to === nextDay(row.from) ? row.from : `${row.from} to ${lastDay(row.to)}`,
    row.item ?? row.model ?? "all models",
    row.class?.replaceAll("_", " ") ?? "—",
    ...[row.stated, row.ledger, row.gap].map(({ quantity }) => count(quantity)),
    ...[row.stated, row.ledger, row.gap].map(({ cost }) => cost ?? "—"),
  ]);
  return formatTable([{ head: "day" }, { head: "model" }, { head: "class" }, ...numbers], cells);
}

/** Two decimals are enough to read. */
function percent(text: string): string {
  return roundUsd(parseUsd(text), 2);
}

function nextDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00Z`) + dayMs).toISOString().slice(0, 10);
}

/** Of a span that ends before a day. */
function lastDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00Z`) - dayMs).toISOString().slice(0, 10);
}

function tolerance(text: string): string {
  if (!/^\d{1,3}(\.\d{1,6})?%$/.test(text)) throw new InvalidArgumentError("Expected a percentage, such as 0.5%.");
  return text;
}

/** Whether a gap is larger than a percentage of what is stated; a gap that cannot be said, or nothing stated where there is one, is. */
function isBeyond({ stated, valued, gap }: Shown, allowed: string): boolean {
  const whole = stated ?? valued;
  if (gap === null || whole === null) return true;
  const { pico, per } = parseRate(allowed.slice(0, -1), 100n);
  const most = divideHalfEven(parseUsd(whole) * pico, per * 1_000_000_000_000n);
  const size = parseUsd(gap);
  return (size < 0n ? -size : size) > (most < 0n ? -most : most);
}

function wrong(detail: string): PennyworthError {
  return new PennyworthError("query_invalid", { detail });
}
