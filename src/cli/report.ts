// `pennyworth report`: what calls cost, by any recorded fields.

import type { Command } from "commander";
import type { z } from "zod";
import type { report } from "../api/schema.ts";
import { canDraw } from "../config.ts";
import { formatUsd, parseUsd, sum } from "../core/money.ts";
import { isDemo } from "../demo/marker.ts";
import {
  type SettingsOptions,
  collect,
  demoNote,
  many,
  print,
  printJson,
  remark,
  toConfig,
  withExamples,
  withSettings,
} from "./command.ts";
import type { Column } from "./table.ts";
import type { Again } from "./trend.ts";

interface ReportOptions extends SettingsOptions {
  readonly by?: string;
  readonly since?: string;
  readonly until?: string;
  readonly filter?: string[];
  readonly zone?: string;
  readonly limit?: string;
  readonly plain?: true;
}

export function addReport(program: Command): void {
  const command = program
    .command("report")
    .description("what calls cost, by any recorded fields")
    .option(
      "--by <fields>",
      "comma-separated: minute, hour, day, week, month, class, model, provider, customer, feature, task, team, key, status, …, tag.NAME",
    )
    .option("--since <time>", "from this start on: 2026-11-01, 2026-11-01T12:00Z, or an age: 30m, 24h, 7d")
    .option("--until <time>", "before this start")
    .option(
      "--filter <field=value>",
      "only calls where this holds; also field!=value; field= is what was not recorded; repeatable",
      collect,
    )
    .option("--zone <name>", "whose days, weeks, months and dates are meant, e.g. Europe/Berlin (default: UTC)")
    .option("--limit <rows>", "most groups shown (default: 100)")
    .option("--plain", "numbers only, no drawings, as when it is piped")
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
  const config = toConfig(options);
  const control = await openControl(config);
  const isInvented = isDemo(config.settings.data);
  try {
    const { by, since, until, filter, limit, zone } = options;
    const found = await ask(control, schema.report, toPath("report", { by, since, until, filter, limit, zone, fresh: "true" }));
    if (options.json) {
      if (isInvented) remark(demoNote);
      return printJson(found);
    }
    const again = async (by: string, more: readonly string[], limit?: string): Promise<Report> => {
      const span = { since: toTime(found.sinceMs), until: toTime(found.untilMs) };
      return ask(control, schema.report, toPath("report", { by, ...span, filter: [...(filter ?? []), ...more], limit, zone }));
    };
    const shares = await again("provider,source", []);
    const guessed = shares.rows.some(isGuessed) && found.by.length > 0 && (filter ?? []).length < filtersMax;
    const marked = guessed ? (await again(found.by.join(","), ["source!=reported"], limit)).rows : [];
    const names = new Set(marked.filter((row) => row.cost !== "0").map(nameOf));
    const isNarrowed = [since, until, ...(filter ?? [])].some((narrowing) => narrowing !== undefined);
    const isDrawn = options.plain !== true && process.stdout.isTTY && canDraw();
    const draw: Again | null = isDrawn ? (by, most) => again(by, [], most) : null;
    const lines = [await formatRows(found, shares, names, draw), ...notes(found, shares, isNarrowed)];
    print(lines.join("\n"));
    if (isInvented) remark(`\n${demoNote}`);
  } finally {
    await control.close();
  }
}

type Report = z.infer<typeof report>;
type Row = Report["rows"][number];

/** As many as the API takes. */
const filtersMax = 20;

function toTime(ms: number | null): string | undefined {
  return ms === null ? undefined : new Date(ms).toISOString();
}

/** Whether a group of provider and source has cost whose quantities are not the provider's own final ones. */
function isGuessed({ group, cost }: Row): boolean {
  return group["source"] !== "reported" && cost !== "0";
}

function nameOf({ group }: Row): string {
  return JSON.stringify(Object.entries(group).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is not sure, or went wrong: a column is shown where any row has some. */
const unsure = ["unpriced", "unmetered", "doubtful", "presumed", "failed"] as const;

/**
 * @param marked names of the groups that have a cost of estimated, partial or presumed quantities.
 * @param draw asks for what is drawn; null: nothing is.
 */
async function formatRows(found: Report, shares: Report, marked: ReadonlySet<string>, draw: Again | null): Promise<string> {
  const { classOrder, formatClass, formatCount, formatTable } = await import("./table.ts");
  const withQuantity = found.by.includes("class");
  const seen = unsure.filter((name) => found.total[name] > 0);
  const numbers = ["calls", ...(withQuantity ? ["quantity"] : ["tokens in", "tokens out"]), ...seen, "cost $"];
  const columns: Column[] = [...found.by.map((head) => ({ head })), ...numbers.map((head) => ({ head, align: "right" as const }))];
  const cells = (row: Row, isMarked: boolean) => [
    formatCount(row.calls),
    ...(withQuantity
      ? [row.quantity === null ? "" : formatCount(row.quantity)]
      : [formatCount(row.inputTokens), formatCount(row.outputTokens)]),
    ...seen.map((name) => formatCount(row[name])),
    formatCost(row, isMarked),
  ];
  const group = (row: Row) =>
    found.by.map((field) => {
      const value = row.group[field] ?? "—";
      return field === "class" ? formatClass(value) : value;
    });
  const order = (row: Row) => classOrder(row.group["class"] ?? "");
  const rows = found.by.length === 1 && withQuantity ? found.rows.toSorted((a, b) => order(a) - order(b)) : found.rows;
  const total = [...found.by.map((_, index) => (index === 0 ? "total" : "")), ...cells(found.total, shares.rows.some(isGuessed))];
  const line = (row: Row): string[] => group(row).concat(cells(row, marked.has(nameOf(row))));
  const body = (more: (row: Row | null) => readonly string[]) =>
    found.by.length === 0
      ? [total.concat(more(null))]
      : [...rows.map((row) => line(row).concat(more(row))), null, total.concat(more(null))];
  const table = formatTable(
    columns,
    body(() => []),
  );
  if (draw === null || found.total.calls === 0) return table;
  const [{ drawTrend }, { paint, widthOf }] = await Promise.all([import("./trend.ts"), import("./draw.ts")]);
  const left = (process.stdout.columns ?? 80) - Math.max(...table.split("\n").map(widthOf)) - 2;
  const trend = await drawTrend(found, Date.now(), left, paint.accent, draw);
  return formatTable([...columns, ...trend.columns], body(trend.cells));
}

/** What is not known is not zero: `unknown`, or `≥` what is known of it. `~`: some of it rests on quantities that were not reported. */
function formatCost({ cost, unpriced, unmetered, periodUnpriced }: Row, isMarked: boolean): string {
  const isPart = unpriced + unmetered + periodUnpriced > 0;
  if (isPart && cost === "0") return "unknown";
  return `${isPart ? "≥ " : ""}${isMarked ? "~" : ""}${cost}`;
}

function notes({ total, truncated, rows }: Report, shares: Report, isNarrowed: boolean): string[] {
  const lines: string[] = [];
  const { unpriced, unmetered, doubtful, presumed, periodCost, periodUnpriced } = total;
  if (total.calls === 0 && rows.length === 0 && periodCost === "0" && periodUnpriced === 0)
    lines.push(isNarrowed ? "No call matches." : "No calls here yet.");
  if (truncated) lines.push(`Only the first ${many(rows.length, "group")} are shown (--limit); the total is over all.`);
  if (unpriced > 0) lines.push(`${many(unpriced, "call")} used something without a price: that cost is unknown, and not in the sums.`);
  if (unmetered > 0) lines.push(`${many(unmetered, "call")} ${has(unmetered)} no usage though something was sent: that cost is unknown.`);
  if (doubtful > 0) lines.push(`${many(doubtful, "call")} ${has(doubtful)} a usage that does not add up by its provider's own rules.`);
  if (presumed > 0)
    lines.push(
      `${many(presumed, "call")} ${presumed === 1 ? "is" : "are"} presumed: nobody knows the end, and the most it may have cost is charged where a bound is known.`,
    );
  if (periodCost !== "0") lines.push(`of which charges of periods, which belong to no call: $${periodCost}`);
  if (periodUnpriced > 0)
    lines.push(
      `${many(periodUnpriced, "day")} of charges of periods ${has(periodUnpriced)} no price: that cost is unknown, and not in the sums.`,
    );
  lines.push(...shareNotes(shares));
  return lines.length === 0 ? [] : ["", ...lines];
}

/** Which part of the sum rests on what was not reported, and which is no real money. */
function shareNotes({ rows }: Report): string[] {
  const of = (name: string) => rows.filter((row) => isGuessed(row) && row.group["source"] === name);
  const guessed = ["estimated", "partial", "presumed"].filter((name) => of(name).length > 0).map((name) => `${name} ${amount(of(name))}`);
  const sandbox = rows.filter((row) => row.group["provider"] === "sandbox" && row.cost !== "0");
  return [
    ...(guessed.length === 0 ? [] : [`~ of which not counted by the provider to its end: ${guessed.join(", ")}`]),
    ...(sandbox.length === 0 ? [] : [`of which sandbox (no real money): ${amount(sandbox)}`]),
  ];
}

function amount(rows: readonly Row[]): string {
  return `$${formatUsd(sum(rows.map((row) => parseUsd(row.cost))))}`;
}

function has(count: number): string {
  return count === 1 ? "has" : "have";
}
