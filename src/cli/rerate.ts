// `pennyworth prices rerate`: rates calls anew by the prices that are known now, shows what differs by model and day, and puts corrections on
// record. Not here: the pass itself. Invariant: nothing is edited; a dry run puts nothing on record.

import type { Command } from "commander";
import type { z } from "zod";
import type { rerate } from "../api/books.ts";
import { formatUsd, parseUsd, sum } from "../core/money.ts";
import { PennyworthError } from "../error.ts";
import { atLeast, many, print, printJson, type SettingsOptions, toConfig, withExamples, withSettings } from "./command.ts";
import type { Control } from "./control.ts";

interface RerateOptions extends SettingsOptions {
  readonly since: string;
  readonly until?: string;
  readonly provider?: string;
  readonly model?: string;
  readonly known?: string;
  readonly dryRun?: true;
  readonly intoOpen?: true;
}

const lookEveryMs = 150;
const rowsShown = 60;

/** @param prices the command it stands under. */
export function addRerate(prices: Command): void {
  const command = prices
    .command("rerate")
    .description("rate calls anew by the prices known now: what differs becomes a correction, and originals stay")
    .requiredOption("--since <time>", "calls that began at this time or later: 2026-11-01, or an age: 30d")
    .option("--until <time>", "calls that began before this")
    .option("--provider <name>", "only calls to this provider")
    .option("--model <model>", "only calls that this model answered")
    .option("--known <time>", "by the prices as they were known then")
    .option("--dry-run", "show what would change, and put nothing on record")
    .option("--into-open", "also calls of closed months: their difference is booked now, with the month it amends")
    .action(run);
  withExamples(
    withSettings(command),
    "prices rerate --since 2026-11-01 --dry-run",
    "prices rerate --since 30d --provider openai --model gpt-5-mini",
    "prices rerate --since 2026-09-01 --into-open",
  );
}

async function run(options: RerateOptions): Promise<void> {
  const { openControl } = await import("./control.ts");
  const control = await openControl(toConfig(options));
  try {
    const done = await follow(control, options);
    if (options.json) printJson(done);
    else print(await format(done));
  } finally {
    await control.close();
  }
}

async function follow(control: Control, options: RerateOptions): Promise<z.infer<typeof rerate>> {
  const [{ ask }, schema, { startProgress }] = await Promise.all([
    import("./control.ts"),
    import("../api/books.ts"),
    import("./progress.ts"),
  ]);
  const { since, until, provider, model, known, dryRun = false, intoOpen = false } = options;
  const body = { since, until, provider, model, known, dryRun, intoOpen };
  let job = await ask(control, schema.rerate, "/api/v1/rerates", { method: "POST", body });
  const progress = startProgress("rerate ", "calls");
  try {
    while (job.state === "running") {
      await new Promise((resolve) => {
        setTimeout(resolve, lookEveryMs);
      });
      job = await ask(control, schema.rerate, `/api/v1/rerates/${job.id}`);
      const behind = job.lagBytes === null ? "" : `, ${job.lagBytes.toLocaleString("en-US")} bytes behind`;
      progress.update(job.done, job.total, job.waiting ? `the store${behind}` : undefined);
    }
  } finally {
    progress.stop();
  }
  if (job.state === "failed") throw Object.assign(new PennyworthError("store_failed"), { message: job.problem ?? "The re-rating failed." });
  return job;
}

async function format(job: z.infer<typeof rerate>): Promise<string> {
  const { formatCount, formatTable } = await import("./table.ts");
  const looked = `${many(job.total, "call")} rated anew`;
  const only = [
    ...(job.provider === null ? [] : [`to the provider ${job.provider}`]),
    ...(job.model === null ? [] : [`answered by ${job.model}`]),
  ];
  if (job.total === 0 && only.length > 0) return `No call in this span is ${only.join(" and ")}: nothing was rated anew.`;
  const days = job.days ?? [];
  if (days.length === 0) return `${looked}: nothing differs.`;
  const left = ["day", "provider", "model"].map((head) => ({ head }));
  const right = ["calls", "newly priced", "before $", "after $", "difference $"].map((head) => ({ head, align: "right" as const }));
  const rows = days
    .slice(0, rowsShown)
    .map((day) => [
      day.day,
      day.provider,
      day.model ?? "—",
      formatCount(day.calls),
      formatCount(day.priced),
      atLeast(day.before, day.priced),
      atLeast(day.after, day.lost),
      day.lost > 0 ? "unknown" : day.difference,
    ]);
  const added = (read: (day: (typeof days)[number]) => string): string => formatUsd(sum(days.map((day) => parseUsd(read(day)))));
  const count = (read: (day: (typeof days)[number]) => number): string => formatCount(days.reduce((total, day) => total + read(day), 0));
  const priced = days.reduce((all, day) => all + day.priced, 0);
  const lost = days.reduce((all, day) => all + day.lost, 0);
  const total = [
    "total",
    "",
    "",
    count((day) => day.calls),
    count((day) => day.priced),
    atLeast(
      added((day) => day.before),
      priced,
    ),
    atLeast(
      added((day) => day.after),
      lost,
    ),
    lost > 0 ? "unknown" : added((day) => day.difference),
  ];
  const lines = [formatTable([...left, ...right], [...rows, total])];
  if (days.length > rowsShown) lines.push(`${days.length - rowsShown} more days and models are in the total (--json shows them).`);
  lines.push("", `${looked}: ${many(job.calls, "call")} differ${job.calls === 1 ? "s" : ""}, in cost or in the version of a price.`);
  if (lost > 0)
    lines.push(`Of them, ${many(lost, "call")} would have something without a price, and had none: look at \`pennyworth prices show\`.`);
  if (job.closedUntilMs !== null && (job.sinceMs ?? 0) < job.closedUntilMs)
    lines.push(
      `Up to ${new Date(job.closedUntilMs).toISOString().slice(0, 10)} the books are closed: what differs there is booked now (--into-open), with the month it amends.`,
    );
  lines.push(job.dryRun ? "Nothing was changed: this was a dry run." : `The corrections are on record as ${job.id}.`);
  return lines.join("\n");
}
