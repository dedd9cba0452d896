// `pennyworth tasks odds`: what one more try costs and brings after those that failed, as a table. Not here: what is reckoned (api/odds.ts). Invariant:
// what independence would have said stands beside the odds, and never in their place.

import type { Command } from "commander";
import type { z } from "zod";
import type { oddsAnswer, oddsRow, oddsTry } from "../api/odds.ts";
import { isDemo } from "../demo/marker.ts";
import { demoNote, many, print, printJson, remark, toConfig, withControl, withExamples, withSettings } from "./command.ts";
import { type TrialsOptions, withTrials } from "./compare.ts";
import type { Control } from "./control.ts";
import { toMean, toPercent, toSure } from "./range.ts";
import { short } from "./successes.ts";
import { type Column, formatCount, formatTable, plain } from "./table.ts";

interface OddsOptions extends TrialsOptions {
  readonly value?: string;
  readonly review?: string;
}

type Odds = z.infer<typeof oddsAnswer>;

export function addOdds(tasks: Command): void {
  const odds = tasks
    .command("odds")
    .description("what one more try is likely to cost and to bring, given what has failed so far")
    .option("--by <field>", "whose tries are told apart: model, prompt, …; with type, whoever tries it (default: agent)");
  withTrials(odds)
    .option("--value <dollars>", "what a success is worth: is one more try worth it?")
    .option("--review <dollars>", "what checking one try costs")
    .action((options: OddsOptions) => withControl(options, (control) => showOdds(control, options)));
  withExamples(withSettings(odds), "tasks odds --type fix-bug --value 5", "tasks odds --by model --value 5 --review 0.50 --json");
}

async function showOdds(control: Control, options: OddsOptions): Promise<void> {
  const [{ ask, toPath }, { oddsAnswer: answer }] = await Promise.all([import("./control.ts"), import("../api/odds.ts")]);
  const { by, type, since, until, filter, zone, limit, value, review } = options;
  const found = await ask(control, answer, toPath("odds", { by, type, since, until, filter, zone, limit, value, review, fresh: "true" }));
  if (options.json) printJson(found);
  else print(describeOdds(found));
  if (isDemo(toConfig(options).settings.data)) remark(`\n${demoNote}`);
}

export function describeOdds(found: Odds): string {
  const named = found.rows.filter(({ tries }) => tries.length > 0);
  const nameless = found.rows.reduce((all, row) => all + row.nameless, 0);
  const lines: string[] = [];
  if (found.tasks === 0) return "No task matches.";
  if (named.length > 0) lines.push(tableOf(found, named), "");
  if (named.length > 0)
    lines.push(
      "Odds of a try, given that all before it at the same case failed. In brackets: intervals of 95 %. Within: a success by then, if all go on;",
      "beside it what tries that do not depend on one another would have said, each as good as the first. Neither has an interval: it is made of several odds.",
    );
  if (named.some(({ tries }) => tries.some(isFew)))
    lines.push(
      "(?): one or two tries, or fewer than 30 alike, say nothing of how far what one costs may be off; whether it is worth it, 30 say.",
    );
  if (named.length > 0 && named.every(({ tries }) => tries.length === 1)) lines.push("No case was tried again after a failure yet.");
  for (const row of named) {
    const [, second] = row.tries;
    if (second !== undefined && second.gaveUp > second.tries + second.unknown)
      lines.push(
        `${label(row)}: of those that failed once, ${formatCount(second.gaveUp)} were given up: if they were the hopeless ones, the odds flatter.`,
      );
    if (row.further > 0) lines.push(`${label(row)}: ${many(row.further, "further try", "further tries")} not shown.`);
  }
  if (nameless > 0)
    lines.push(
      `${many(nameless, "task")} without the tag case: which of them are tries at the same thing is not known (pennyworth tasks begin --tag case=…).`,
    );
  if (found.leftOut.candidates > 0)
    lines.push(`${many(found.leftOut.candidates, "more", "more")} (${many(found.leftOut.tasks, "task")}) are left out (--filter).`);
  if (found.truncated) lines.push(`Only the latest ${many(found.tasks, "task")} were looked at (--limit, --since).`);
  return lines.join("\n");
}

function tableOf({ by, value }: Odds, rows: readonly z.infer<typeof oddsRow>[]): string {
  const columns: Column[] = [
    { head: by },
    ...["after", "tries", "odds", "$ a try", "within", "if independent"].map(right),
    ...(value === null ? [] : [right("brings $"), { head: "worth it" }]),
  ];
  const cells = (row: z.infer<typeof oddsRow>, one: z.infer<typeof oddsTry>, index: number): string[] => [
    index === 0 ? label(row) : "",
    one.failures === 0 ? "—" : `${one.failures} failed`,
    formatCount(one.tries),
    toSure(one.rate, one),
    one.cost === null ? "unknown" : toMean(one.cost, one.interval),
    one.within === null ? "—" : toPercent(one.within),
    one.independent === null ? "—" : toPercent(one.independent.within),
    ...(value === null ? [] : worthOf(one)),
  ];
  return formatTable(
    columns,
    rows.flatMap((row) => row.tries.map((one, index) => cells(row, one, index))),
  );
}

function right(head: string): Column {
  return { head, align: "right" };
}

const verdicts = { yes: "yes", no: "no", "not-enough-data": "not enough data" } as const;

/** Of which nothing bounds the cost. */
function isFew({ cost, interval }: z.infer<typeof oddsTry>): boolean {
  return cost !== null && interval === null;
}

function worthOf(one: z.infer<typeof oddsTry>): string[] {
  const { worth } = one;
  if (worth === null) return ["—", "cost unknown"];
  const brings = worth.brings === null ? "—" : `${short(worth.brings)} (${short(worth.bringsLow)}–${short(worth.bringsHigh)})`;
  const even = worth.breakEven === null || worth.breakEven > 1 ? ", pays at no odds" : `, pays from ${toPercent(worth.breakEven)} on`;
  // From which odds on it pays hangs on what it costs.
  return [brings, `${verdicts[worth.verdict]}${worth.verdict === "not-enough-data" && isFew(one) ? ": few tries" : even}`];
}

function label({ candidate }: { readonly candidate: string | null }): string {
  return candidate === null ? "not said" : plain(candidate);
}
