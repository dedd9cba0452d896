// `pennyworth credits`: what free allowances and prepaid credits paid for, what they have left, and what is owed.

import type { Command } from "commander";
import { atLeast, many, print, printJson, remark, type SettingsOptions, toConfig, withExamples, withSettings } from "./command.ts";
import type { Control } from "./control.ts";
import type { Column } from "./table.ts";

interface CreditsOptions extends SettingsOptions {
  readonly since?: string;
  readonly until?: string;
}

export function addCredits(program: Command): void {
  const credits = program
    .command("credits")
    .description("free allowances and prepaid credits: what they paid, what is left, what is owed")
    .option("--since <time>", "from this day on, UTC: 2026-11-01, or an age: 7d")
    .option("--until <time>", "up to this day")
    .action(async (options: CreditsOptions) => {
      const { openControl } = await import("./control.ts");
      const control = await openControl(toConfig(options));
      if (control.running && options.config !== undefined)
        remark("A server runs on this data folder: its own settings count, and those of --config do not. Restart it with them.");
      try {
        await showCredits(control, options);
      } finally {
        await control.close();
      }
    });
  withExamples(withSettings(credits), "credits", "credits --since 2026-11-01 --json");
}

async function showCredits(control: Control, { since, until, json }: CreditsOptions): Promise<void> {
  const [{ ask, toPath }, { creditsAnswer }, { formatCount, formatTable }] = await Promise.all([
    import("./control.ts"),
    import("../api/credits.ts"),
    import("./table.ts"),
  ]);
  const found = await ask(control, creditsAnswer, toPath("credits", { since, until, fresh: "true" }));
  if (json) return printJson(found);
  const { total } = found;
  if (found.credits.length === 0 && found.allowances.length === 0)
    print("No credits and no allowances are in the settings (credits:, allowances:), so all of it is owed.\n");
  if (found.credits.length > 0) {
    const rows = found.credits.map((one) => [
      one.id,
      one.provider ?? "any",
      toDay(one.fromMs),
      one.expiresMs === null ? "never" : toDay(one.expiresMs),
      one.state,
      one.amount,
      one.drawn,
      one.left,
      one.lapsed === "0" ? "" : one.lapsed,
    ]);
    print(formatTable([...left("credit", "pays", "from", "expires", ""), ...right("amount $", "drawn $", "left $", "lapsed $")], rows));
    print("");
  }
  if (found.allowances.length > 0) {
    const rows = found.allowances.map((one) => [
      one.id,
      `${one.provider}${one.model === "*" ? "" : ` ${one.model}`}`,
      `${one.classes.join(", ").replaceAll("_", " ")}`,
      `${formatCount(one.units)} ${one.every === "once" ? "once" : `a ${one.every}`}`,
      formatCount(one.drawn),
      one.saved,
      one.period === null ? "" : formatCount(one.period.left),
      one.lapsed === 0 ? "" : formatCount(one.lapsed),
    ]);
    print(formatTable([...left("allowance", "of", "units of"), ...right("free", "drawn", "saved $", "left now", "lapsed")], rows));
    print("");
  }
  const models = found.models.map((one) => [
    one.provider,
    one.model ?? "—",
    atLeast(one.cost, one.unpriced),
    one.allowances,
    one.credits,
    atLeast(one.owed, one.unpriced),
  ]);
  const sums = ["", "all", atLeast(total.cost, found.unpriced), total.allowances, total.credits, atLeast(total.owed, found.unpriced)];
  print(formatTable([...left("provider", "model"), ...right("cost $", "free $", "credits $", "owed $")], [...models, null, sums]));
  if (found.unpriced > 0) print(`\nThe cost of ${many(found.unpriced, "call")} without a price is unknown, and not in these sums.`);
}

function left(...heads: readonly string[]): Column[] {
  return heads.map((head) => ({ head }));
}

function right(...heads: readonly string[]): Column[] {
  return heads.map((head) => ({ head, align: "right" }));
}

function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
