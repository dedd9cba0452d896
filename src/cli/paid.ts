// What `pennyworth prices trend` prints: what a model's tokens cost over time against its list price, and beside it what its tasks cost.

import * as schema from "../api/pricing.ts";
import { print, printJson, type SettingsOptions } from "./command.ts";
import { ask, type Control, toPath } from "./control.ts";
import type { Model } from "./asked.ts";
import { formatCount, formatTable } from "./table.ts";
import { left, right, toTime } from "./tariff.ts";

interface TrendOptions extends SettingsOptions {
  readonly since?: string;
  readonly until?: string;
  readonly by: string;
  readonly known?: string;
}

export async function showTrend(control: Control, { provider, model }: Model, options: TrendOptions): Promise<void> {
  const { since, until, by, known, json } = options;
  const found = await ask(control, schema.trend, toPath("prices/trend", { provider, model, since, until, by, known, fresh: "true" }));
  if (json) return printJson(found);
  if (found.buckets.length === 0) print(`No call was priced as ${provider}/${found.model} in this span.`);
  else {
    const rows = found.buckets.map((one) => [
      one.bucket,
      formatCount(one.calls),
      formatCount(one.tokens),
      one.cost,
      one.perMillion ?? "",
      one.listPerMillion ?? "not known",
      one.paidShare ?? "",
      one.input.list ?? "none",
      one.output.list ?? "none",
      formatCount(one.tasks),
      one.perTask ?? "",
      one.tokenIndex ?? "",
      one.taskIndex ?? "",
    ]);
    const numbers = ["calls", "tokens", "cost $", "paid $/M", "at list $/M", "paid ÷ list", "list in", "list out", "tasks", "$ a task"];
    print(formatTable([...left(found.by), ...right(...numbers, "token index", "task index")], rows));
    print(
      "\nOf tokens that had a price. At list: the same tokens by the lists of their time, without your own prices, cache, tier and long-context steps. Averages are" +
        "\nrounded half to even to six decimals. Each index is 100 where it begins: the price of a token, and the cost of a task in its calls to this model.",
    );
  }
  for (const { fromMs, input, output } of found.announced)
    print(`Announced for ${toTime(fromMs)}: input ${input ?? "none"}, output ${output ?? "none"} dollars per million tokens.`);
}
