#!/usr/bin/env node
// The command line. Commands are one file each; this one knows their names, and turns what goes wrong into one line and an exit code.
// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a check did not hold.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { PennyworthError } from "../error.ts";
import { addAlerts } from "./alerts.ts";
import { addBudgets } from "./budgets.ts";
import { addCharges } from "./charges.ts";
import { addClose } from "./close.ts";
import { exitCodes, isUsage, remark } from "./command.ts";
import { addCredits } from "./credits.ts";
import { addDemo } from "./demo.ts";
import { addDoctor } from "./doctor.ts";
import { addKeys, addNames } from "./keys.ts";
import { addMargin } from "./margin.ts";
import { addPrices } from "./prices.ts";
import { addReceipt } from "./receipt.ts";
import { addReconcile } from "./reconcile.ts";
import { addRehearse } from "./rehearse.ts";
import { addReport } from "./report.ts";
import { addRevenue } from "./revenue.ts";
import { addServe } from "./serve.ts";
import { addTasks } from "./tasks.ts";
import { addTop } from "./top.ts";
import { addWhy } from "./why.ts";
import { addWork } from "./work.ts";
import { addWorth } from "./worth.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

const program = new Command("pennyworth")
  .description("What every AI task costs, and whether it was worth it: meter, guard and plan model spending.")
  .version(version)
  .exitOverride()
  .showHelpAfterError("(--help shows what there is)")
  // A long name of a command leaves little room beside it: that is still wrapped.
  .configureHelp({ minWidthToWrap: 20 })
  .addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 a check did not hold.");
const commands = [
  addServe,
  addDemo,
  addReport,
  addTop,
  addReceipt,
  addTasks,
  addWorth,
  addWhy,
  addMargin,
  addRevenue,
  addPrices,
  addWork,
  addCharges,
  addClose,
  addCredits,
  addBudgets,
  addAlerts,
  addKeys,
  addNames,
  addDoctor,
  addReconcile,
  addRehearse,
];
for (const add of commands) add(program);

// A reader that has seen enough, as in `pennyworth report | head`, is no failure.
process.stdout.on("error", (error: Error & { code?: string }) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}

/** Says what went wrong in one line. @returns the exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (error instanceof PennyworthError) {
    remark(`pennyworth: ${error.message}`);
    return isUsage(error) ? exitCodes.usage : exitCodes.failed;
  }
  const reference = randomBytes(4).toString("hex");
  remark(`pennyworth: ${new PennyworthError("internal", { reference }).message}`);
  remark(`${reference} ${String(error)}`);
  return exitCodes.failed;
}
