// `pennyworth why`: why the bill moved between two spans. Not here: how the answer looks (moves.ts), what the drivers are (economics/drivers.ts).

import type { Command } from "commander";
import { canDraw } from "../config.ts";
import { isDemo } from "../demo/marker.ts";
import {
  collect,
  demoNote,
  print,
  printJson,
  remark,
  type SettingsOptions,
  toConfig,
  wholeNumber,
  withControl,
  withExamples,
  withSettings,
} from "./command.ts";
import type { Control } from "./control.ts";

interface WhyOptions extends SettingsOptions {
  readonly since?: string;
  readonly until?: string;
  readonly against?: string;
  readonly by?: string;
  readonly filter?: readonly string[];
  readonly zone?: string;
  readonly top: number;
  readonly plain?: true;
}

/** As many as the API names for a line. */
const topMax = 100;

export function addWhy(program: Command): void {
  const why = program
    .command("why")
    .description("why the bill moved between two spans: new work, volume, mix, calls, tokens, cache, retries, prices, tiers")
    .option("--since <time>", "the span begins then: 2026-11-01, or an age: 7d (default: 30d)")
    .option("--until <time>", "and ends before then (default: now)")
    .option(
      "--against <span>",
      "what it is compared with: previous (as long, right before), month or year (the same days of the one before), or FROM..TO (default: previous)",
    )
    .option("--by <field>", "tells calls apart by agent, feature, customer, team or environment, besides type and model")
    .option("--filter <field=value>", "only calls where this holds; also field!=value; repeatable", collect)
    .option("--zone <name>", "whose dates are meant, e.g. Europe/Berlin (default: UTC)")
    .option("--top <n>", "contributors shown under each line", wholeNumber(0, topMax), 3)
    .option("--plain", "numbers only, no drawings, as when it is piped")
    .action((options: WhyOptions) => withControl(options, (control) => showWhy(control, options)));
  withExamples(
    withSettings(why),
    "why --since 2026-11-01 --against month",
    "why --since 7d --by agent --top 5",
    "why --since 2026-11-01 --until 2026-11-15 --against 2026-10-01..2026-10-15 --json",
  );
}

async function showWhy(control: Control, options: WhyOptions): Promise<void> {
  const [{ ask, toPath }, { driversAnswer }, { describeMoves }] = await Promise.all([
    import("./control.ts"),
    import("../api/drivers.ts"),
    import("./moves.ts"),
  ]);
  const { since, until, against, by, filter, zone, top } = options;
  // One more than is shown, at the least: none cannot be asked for.
  const limit = options.json ? undefined : String(Math.max(1, top));
  const found = await ask(control, driversAnswer, toPath("drivers", { since, until, against, by, filter, zone, limit, fresh: "true" }));
  if (options.json) printJson(found);
  else print(describeMoves(found, top, options.plain !== true && process.stdout.isTTY && canDraw()));
  if (isDemo(toConfig(options).settings.data)) remark(options.json ? demoNote : `\n${demoNote}`);
}
