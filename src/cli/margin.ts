// `pennyworth margin`: what customers, features or plans bring in and cost. Not here: how it looks (margins.ts), what is said of revenue (revenue.ts).

import { type Command, Option } from "commander";
import { isDemo } from "../demo/marker.ts";
import {
  collect,
  demoNote,
  print,
  printJson,
  remark,
  type SettingsOptions,
  toConfig,
  withControl,
  withExamples,
  withSettings,
} from "./command.ts";
import type { Control } from "./control.ts";
import { wrong } from "./scope.ts";

interface MarginOptions extends SettingsOptions {
  readonly by?: string;
  readonly since?: string;
  readonly until?: string;
  readonly shared?: string;
  readonly reserved?: readonly string[];
  readonly capacity?: string;
  readonly losing?: boolean;
  readonly order?: string;
  readonly limit?: string;
  readonly cac?: string;
  readonly churn?: string;
  readonly cash?: string;
  readonly burnGrowth?: string;
  readonly marginKind?: string;
  readonly profit?: string;
}

export function addMargin(program: Command): void {
  const margin = program
    .command("margin")
    .description("what customers, features or plans bring in and cost; whales, and who loses money since when")
    .addOption(new Option("--by <what>", "whose margins").choices(["customer", "feature", "plan"]))
    .option("--since <day>", "the first day, UTC: 2026-10-01, or an age: 90d (default: the month before last)")
    .option("--until <day>", "the day after the last (default: today)")
    .addOption(
      new Option("--shared <rule>", "how cost that belongs to nobody is divided").choices([
        "none",
        "usage",
        "even",
        "reserved",
        "idle apart",
      ]),
    )
    .option("--reserved <name=tokens>", "what a customer or feature has reserved over the span; repeatable", collect)
    .option("--capacity <tokens>", "what there was to use over the span")
    .option("--losing", "only lines whose margin is below zero")
    .addOption(new Option("--order <order>", "which come first (default: amount)").choices(["amount", "margin", "cost", "revenue"]))
    .option("--limit <n>", "most lines (default: 50)")
    .option("--cac <dollars>", "what winning one customer costs: for payback and LTV/CAC")
    .option("--churn <part>", "part of customers that leave in a month: 0.02")
    .option("--cash <dollars>", "what there is to carry losses")
    .option("--burn-growth <part>", "by which part losses grow a month: 0.05")
    .addOption(new Option("--margin-kind <kind>", "which margin the Rule of 40 takes").choices(["gross", "fcf", "ebitda"]))
    .option("--profit <dollars>", "free cash flow, or EBITDA, of the span")
    .action((options: MarginOptions) => withControl(options, (control) => showMargin(control, options)));
  withExamples(
    withSettings(margin),
    "margin --since 2026-10-01 --until 2026-11-01",
    "margin --by plan --shared usage",
    "margin --losing --cac 120 --churn 0.02 --cash 50000",
  );
}

async function showMargin(control: Control, options: MarginOptions): Promise<void> {
  const [{ ask, toPath }, { marginAnswer }, { describeMargin }] = await Promise.all([
    import("./control.ts"),
    import("../api/margined.ts"),
    import("./margins.ts"),
  ]);
  const { json, losing, by, since, until, shared, reserved, capacity, order, limit, cac, churn, cash, burnGrowth, marginKind, profit } =
    options;
  if (reserved !== undefined && shared !== "reserved") throw wrong("--reserved divides what is shared by it: say --shared reserved too");
  if (capacity !== undefined && shared !== "reserved" && shared !== "idle apart")
    throw wrong('--capacity bounds what is shared by it: say --shared "idle apart" or --shared reserved too');
  const growth = Object.entries({ cac, churn, cash, "burn-growth": burnGrowth, "margin-kind": marginKind, profit });
  const idle = by === undefined || by === "customer" ? undefined : growth.find(([, said]) => said !== undefined);
  if (idle !== undefined) throw wrong(`--${idle[0]} is of customers, and --by is ${by}`);
  if (burnGrowth !== undefined && cash === undefined) throw wrong("--burn-growth says how fast cash is spent: say --cash too");
  if (profit !== undefined && (marginKind ?? "gross") === "gross")
    throw wrong("--profit is what the Rule of 40 takes in place of the gross margin: say --margin-kind fcf or --margin-kind ebitda too");
  const asked = { by, since, until, shared, reserved, capacity, order, limit, cac, churn, cash, burnGrowth, marginKind, profit };
  const path = toPath("margin", { ...asked, losing: losing === true ? "true" : undefined, fresh: "true" });
  const found = await ask(control, marginAnswer, path);
  if (json) printJson(found);
  else print(describeMargin(found, losing === true));
  if (isDemo(toConfig(options).settings.data)) remark(`\n${demoNote}`);
}
