// `pennyworth close`: closes a month, lists closed ones, and checks that their reports still say what they said. Exit code 3 when one does not.

import type { Command } from "commander";
import {
  exitCodes,
  failCheck,
  many,
  print,
  printJson,
  remark,
  type SettingsOptions,
  toConfig,
  withExamples,
  withSettings,
} from "./command.ts";
import type { Control } from "./control.ts";

interface CloseOptions extends SettingsOptions {
  readonly dryRun?: true;
  readonly yes?: true;
  readonly list?: true;
  readonly check?: true;
}

export function addClose(program: Command): void {
  const command = program
    .command("close")
    .description("close a month: no report over it changes from then on, and what is learned later is booked later")
    .argument("[month]", "as 2026-10, UTC")
    .option("--dry-run", "show what would be closed, and close nothing")
    .option("--yes", "also with calls that have no price, are presumed or doubtful")
    .option("--list", "the months that are closed")
    .option("--check", "recompute the statement of every closed month")
    .action((month: string | undefined, options: CloseOptions) => run(command, month, options));
  withExamples(withSettings(command), "close 2026-10 --dry-run", "close 2026-10", "close --list", "close --check");
}

async function run(command: Command, month: string | undefined, options: CloseOptions): Promise<void> {
  const isLook = options.list === true || options.check === true;
  if (isLook && month !== undefined)
    command.error(`error: --list and --check are of all closed months: leave out ${month}`, { exitCode: exitCodes.usage });
  if (!isLook && month === undefined)
    command.error("error: name a month to close, or ask with --list or --check", { exitCode: exitCodes.usage });
  const { openControl } = await import("./control.ts");
  const control = await openControl(toConfig(options));
  try {
    if (month === undefined) await listClosings(control, options);
    else await closeMonth(control, month, options);
  } finally {
    await control.close();
  }
}

async function listClosings(control: Control, { check, json }: CloseOptions): Promise<void> {
  const [{ ask, toPath }, schema, { formatCount, formatTable }] = await Promise.all([
    import("./control.ts"),
    import("../api/books.ts"),
    import("./table.ts"),
  ]);
  const { closings } = await ask(control, schema.closings, toPath("closings", { check: check === true ? "true" : "false" }));
  if (closings.some(({ holds }) => holds === false)) failCheck();
  if (json) return printJson(closings);
  if (closings.length === 0) return print("No month is closed yet.");
  const heads = [
    { head: "month" },
    { head: "calls", align: "right" as const },
    { head: "cost $", align: "right" as const },
    { head: "closed" },
    { head: "statement" },
    ...(check === true ? [{ head: "" }] : []),
  ];
  const rows = closings.map(({ month, calls, cost, atMs, statement, holds }) => {
    const row = [month, formatCount(calls), cost, `${new Date(atMs).toISOString().slice(0, 16)}Z`, statement.slice(0, 12)];
    return check === true ? row.concat(holds === true ? "✓" : "✗ its report says something else") : row;
  });
  print(formatTable(heads, rows));
}

async function closeMonth(control: Control, month: string, options: CloseOptions): Promise<void> {
  const [dryRun, json] = [options.dryRun === true, options.json === true];
  const [{ ask }, schema] = await Promise.all([import("./control.ts"), import("../api/books.ts")]);
  const close = (body: object) => ask(control, schema.closeAnswer, "/api/v1/closings", { method: "POST", body: { month, ...body } });
  const seen = await close({ dryRun: true });
  const unsure = describe(seen.unsure);
  if (!json || !dryRun) for (const line of unsure) (json ? remark : print)(line);
  const made = dryRun ? seen : await close({ accept: options.yes === true });
  if (json) return printJson(made);
  const { calls, cost, statement, holds } = made.closing;
  const what = `${month}: ${many(calls, "call")}, $${cost}, statement ${statement.slice(0, 12)}`;
  if (dryRun) return print(`${what}. Nothing was closed: this was a dry run.${unsure.length > 0 ? " To close it so: --yes." : ""}`);
  print(`${what}. The month is closed.`);
  if (holds === false) {
    remark(
      "Something came to the month in the moment in which it was closed: its statement does not hold. See `pennyworth close --check`.",
    );
    failCheck();
  }
}

function describe(unsure: Readonly<Record<"unpriced" | "unmetered" | "presumed" | "doubtful" | "periodUnpriced", number>>): string[] {
  const lines: string[] = [];
  const add = (count: number, what: string): void => {
    if (count > 0) lines.push(`${many(count, "call")} ${what}`);
  };
  add(unsure.unpriced, "used something that has no price: it is not in the cost");
  add(unsure.unmetered, "left no usage: the cost is not known");
  add(unsure.presumed, "counted at the most it may have cost: nobody knows how it ended");
  add(unsure.doubtful, "with a usage that does not add up");
  if (unsure.periodUnpriced > 0) lines.push(`${many(unsure.periodUnpriced, "day")} of charges without a price`);
  return lines;
}
