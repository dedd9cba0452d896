// `pennyworth report`: what calls cost, by any recorded fields.

import type { Command } from "commander";
import type { z } from "zod";
import type { report } from "../api/schema.ts";
import { type SettingsOptions, collect, print, printJson, toConfig, withExamples, withSettings } from "./command.ts";
import type { Column } from "./table.ts";

interface ReportOptions extends SettingsOptions {
  readonly by?: string;
  readonly since?: string;
  readonly until?: string;
  readonly filter?: string[];
  readonly limit?: string;
}

export function addReport(program: Command): void {
  const command = program
    .command("report")
    .description("what calls cost, by any recorded fields")
    .option("--by <fields>", "comma-separated: day, hour, class, model, provider, customer, feature, task, team, key, status, …, tag.NAME")
    .option("--since <time>", "from this start on: 2026-11-01, 2026-11-01T12:00Z, or an age: 30m, 24h, 7d")
    .option("--until <time>", "before this start")
    .option(
      "--filter <field=value>",
      "only calls where this holds; also field!=value; field= is what was not recorded; repeatable",
      collect,
    )
    .option("--limit <rows>", "most groups shown (default: 100)")
    .action(run);
  withExamples(
    withSettings(command),
    "report --by day,model --since 7d",
    "report --by class --filter customer=acme",
    "report --by tag.release --filter status!=complete --json",
  );
}

async function run(options: ReportOptions): Promise<void> {
  const [{ ask, openControl, toPath }, schema] = await Promise.all([import("./control.ts"), import("../api/schema.ts")]);
  const control = await openControl(toConfig(options));
  try {
    const { by, since, until, filter, limit } = options;
    const found = await ask(control, schema.report, toPath("report", { by, since, until, filter, limit, fresh: "true" }));
    if (options.json) printJson(found);
    else print(await format(found));
  } finally {
    await control.close();
  }
}

type Report = z.infer<typeof report>;
type Row = Report["rows"][number];

/** What is not sure, or went wrong: a column is shown where any row has some. */
const unsure = ["unpriced", "unmetered", "doubtful", "presumed", "failed"] as const;

async function format(found: Report): Promise<string> {
  const { classOrder, formatClass, formatCount, formatTable } = await import("./table.ts");
  const withQuantity = found.by.includes("class");
  const seen = unsure.filter((name) => found.total[name] > 0);
  const numbers = ["calls", ...(withQuantity ? ["quantity"] : ["tokens in", "tokens out"]), ...seen, "cost $"];
  const columns: Column[] = [...found.by.map((head) => ({ head })), ...numbers.map((head) => ({ head, align: "right" as const }))];
  const cells = (row: Row) => [
    formatCount(row.calls),
    ...(withQuantity
      ? [row.quantity === null ? "" : formatCount(row.quantity)]
      : [formatCount(row.inputTokens), formatCount(row.outputTokens)]),
    ...seen.map((name) => formatCount(row[name])),
    row.cost,
  ];
  const group = (row: Row) =>
    found.by.map((field) => {
      const value = row.group[field] ?? "—";
      return field === "class" ? formatClass(value) : value;
    });
  const order = (row: Row) => classOrder(row.group["class"] ?? "");
  const rows = found.by.length === 1 && withQuantity ? found.rows.toSorted((a, b) => order(a) - order(b)) : found.rows;
  const total = [...found.by.map((_, index) => (index === 0 ? "total" : "")), ...cells(found.total)];
  const body = found.by.length === 0 ? [total] : [...rows.map((row) => group(row).concat(cells(row))), null, total];
  return [formatTable(columns, body), ...notes(found)].join("\n");
}

function notes({ total, truncated, rows }: Report): string[] {
  const lines: string[] = [];
  if (total.calls === 0) lines.push("No calls here yet.");
  if (truncated) lines.push(`Only the first ${rows.length} groups are shown (--limit); the total is over all.`);
  if (total.unpriced > 0) lines.push(`${total.unpriced} calls used something without a price: that cost is unknown, and not in the sums.`);
  if (total.unmetered > 0) lines.push(`${total.unmetered} calls have no usage though something was sent: their cost is unknown.`);
  if (total.doubtful > 0) lines.push(`${total.doubtful} calls have a usage that does not add up by its provider's own rules.`);
  if (total.presumed > 0) lines.push(`${total.presumed} calls are charged at the most they may have cost: nobody knows how they ended.`);
  return lines.length === 0 ? [] : ["", ...lines];
}
