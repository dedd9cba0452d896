// What `pennyworth prices unpriced` prints: what calls used that has no price, and for each model a record to fill in.

import * as schema from "../api/pricing.ts";
import { many, print, printJson, type SettingsOptions } from "./command.ts";
import { ask, type Control, toPath } from "./control.ts";
import { formatClass, formatCount, formatTable, plain } from "./table.ts";
import { left, right, toTime } from "./tariff.ts";

interface UnpricedOptions extends SettingsOptions {
  readonly since?: string;
  readonly until?: string;
  readonly filter?: readonly string[];
  readonly limit?: string;
}

export async function listUnpriced(control: Control, { since, until, filter, limit, json }: UnpricedOptions): Promise<void> {
  const found = await ask(control, schema.unpriced, toPath("prices/unpriced", { since, until, filter, limit, fresh: "true" }));
  if (json) return printJson(found);
  if (found.models.length === 0) return print("Everything that was used has a price.");
  const columns = [...left("provider", "model", "tier", "class"), ...right("calls", "quantity"), ...left("since", "price by now")];
  const rows = found.models.flatMap(({ provider, model, tier, calls, firstMs, classes }) => {
    const [name, place] = [model ?? "not known", tier === "standard" ? "" : tier];
    // A call that nobody knows the end of, and that has no bound, has a class without a quantity, or none at all.
    if (classes.length === 0) return [[provider, name, place, "not known", formatCount(calls), "", toTime(firstMs), ""]];
    return classes.map((one) => [
      provider,
      name,
      place,
      formatClass(one.class),
      formatCount(one.calls),
      one.quantity === null ? "not known" : `${formatCount(one.quantity)} ${one.unit.replaceAll("_", "-")}${one.quantity === 1 ? "" : "s"}`,
      toTime(firstMs),
      one.priced ? "yes" : "no",
    ]);
  });
  print(formatTable(columns, rows));
  if (found.truncated) print(`\nOnly the first ${many(found.models.length, "model")} are shown (--limit).`);
  const records = found.models.flatMap(({ record }) => record ?? []);
  if (records.length > 0) {
    print("\nTo price them, put the amounts in, as a file for `pennyworth prices set --file` or as commands:\n");
    const [first] = records;
    const items = records.map(({ yaml }) => yaml.slice(yaml.indexOf("\n") + 1)).join("");
    print(plainLines(`${first?.yaml.split("\n")[0]}\n${items}`));
    for (const { command } of records) print(plain(command));
  }
  const bookable = found.models.filter(({ classes }) => classes.some(({ priced }) => priced)).map(({ firstMs }) => firstMs);
  if (bookable.length > 0)
    print(
      `\nWhat has a price by now is booked by: pennyworth prices rerate --since ${toTime(Math.min(...bookable)).slice(0, 10)} (with --dry-run it shows them first)`,
    );
}

function plainLines(text: string): string {
  return text.split("\n").map(plain).join("\n");
}
