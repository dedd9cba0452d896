// `pennyworth prices …`: what models cost, by whose list, since when, and what is to change. Here the commands are named; what they print is in
// tariff.ts, lists.ts, own.ts, unpriced.ts and paid.ts. Invariant: nothing takes effect that was not shown, or asked for by name.

import { type Command, InvalidArgumentError, Option } from "commander";
import { dollars, type Model, model } from "./asked.ts";
import { collect, type SettingsOptions, withExamples, withControl, withSettings } from "./command.ts";
import type { Control } from "./control.ts";
import { addRerate } from "./rerate.ts";

const times = "2026-11-01, 2026-11-01T12:00Z, or an age: 30m, 24h, 7d";

export function addPrices(program: Command): void {
  const prices = program.command("prices").description("what models cost: by whose list, since when, and what is to change");
  addLooks(prices);
  addLists(prices);
  addOwn(prices);
  addMoney(prices);
  addRerate(prices);
}

function addLooks(prices: Command): void {
  const list = moment(prices.command("list", { isDefault: true }))
    .description("every model of the price book")
    .option("--provider <name>", "only whose list this is")
    .option("--search <text>", "only models whose name contains this")
    .option("--disputed", "only models on which sources disagree, with what each says")
    // As the default it is given whatever is no command: a mistyped one is not a model to look for.
    .argument("[names...]")
    .usage("[options]")
    .action(async (names: readonly string[], options: SettingsOptions) => {
      const [name] = names;
      if (name !== undefined) return refuse(prices, name);
      await act(async (control, asked) => (await import("./tariff.ts")).listModels(control, asked))(options);
    });
  withExamples(
    withSettings(list),
    "prices list --provider anthropic",
    "prices list --disputed",
    "prices list --search gpt-5 --at 2026-01-01",
  );

  const show = place(moment(prices.command("show")))
    .description("one model: its prices, the rule that matched, what other sources say, its history")
    .argument("<provider/model>", "as calls name it", model)
    .action(actOn(async (control, asked, options) => (await import("./tariff.ts")).showModel(control, asked, options)));
  withExamples(
    withSettings(show),
    "prices show openai/gpt-5-mini",
    "prices show anthropic/claude-opus-4-6 --at 2026-03-01 --known 2026-03-31",
    "prices show openai/gpt-5-mini --tier batch",
  );
}

function addLists(prices: Command): void {
  const lists = prices
    .command("lists")
    .description("the lists that prices are from: in force, waiting, superseded")
    .action(act(async (control, options) => (await import("./lists.ts")).listLists(control, options)));
  withExamples(withSettings(lists), "prices lists");

  const diff = file(prices.command("diff"))
    .description("what a price file, or a list that waits, would change; nothing is taken")
    .argument("[file-or-list]", "without it: every list that waits")
    .action((what: string | undefined, options: SettingsOptions) =>
      withControl(options, async (control) => (await import("./lists.ts")).diff(control, what, options)),
    );
  withExamples(withSettings(diff), "prices diff", "prices diff prices.yaml");

  const take = file(prices.command("import"))
    .description("show what a price file would change, and let it take effect")
    .argument("<file>", "Pennyworth's own, LiteLLM's map, models.dev's, genai-prices', or a CSV of changes")
    .option("--known <time>", "since when it is known: for a list of the past, when it was published (default: now)")
    .option("--yes", "do not ask")
    .action((path: string, options: SettingsOptions) =>
      withControl(options, async (control) => (await import("./lists.ts")).importFile(control, path, options), true),
    );
  withExamples(
    withSettings(take),
    "prices import model_prices_and_context_window.json",
    "prices import contract.yaml --source contract --known 2026-10-01 --yes",
  );

  const waiting = prices
    .command("take")
    .description("let a list that waits take effect (prices diff shows what it changes)")
    .argument("<list>", "SOURCE, or SOURCE@VERSION")
    .action((name: string, options: SettingsOptions) =>
      withControl(options, async (control) => (await import("./lists.ts")).takeWaiting(control, name, options)),
    );
  withExamples(withSettings(waiting), "prices take genai-prices");

  const drop = prices
    .command("drop")
    .description("leave a source out from now on; what was known of it stays known as of then")
    .argument("<source>", "as `prices lists` names it")
    .action((source: string, options: SettingsOptions) =>
      withControl(options, async (control) => (await import("./lists.ts")).drop(control, source, options)),
    );
  withExamples(withSettings(drop), "prices drop litellm");
}

function addOwn(prices: Command): void {
  const set = prices
    .command("set")
    .description("your own price of a model: it goes before all others")
    .argument("[provider/model]", "the model; * stands for any run of characters", model)
    .option("--input <usd>", "per million tokens", dollars)
    .option("--output <usd>", "per million tokens", dollars)
    .option("--cache-read <usd>", "per million tokens", dollars)
    .option("--cache-write <usd>", "per million tokens", dollars)
    .option("--cache-write-5m <usd>", "per million tokens kept for five minutes", dollars)
    .option("--cache-write-1h <usd>", "per million tokens kept for an hour", dollars)
    .option("--reasoning <usd>", "per million tokens", dollars)
    .option("--class <name=usd>", "of any other class: web_search=10 for a thousand; repeatable", collect)
    .addOption(new Option("--per <units>", "what all these prices are for").choices(["million", "thousand", "unit", "hour"]))
    .option("--tier <tier>", "the tier it is for (default: standard)")
    .option("--region <region>", "the region it is for (default: any)")
    .option("--from <day>", "valid from this day on, UTC", day)
    .option("--to <day>", "valid up to this day, which is not included", day)
    .option("--window <hours>", "only at these times of day, UTC: 16:30-00:30", hours)
    .option("--new-provider", "also of a provider that nothing knows, and whose name is near one that is known")
    .option("--file <file>", "a price file in place of all these, or - for standard input")
    .action((asked: Model | undefined, options: SettingsOptions) =>
      withControl(options, async (control) => (await import("./own.ts")).set(control, asked, options), true),
    );
  withExamples(
    withSettings(set),
    "prices set local/llama-3.3-70b --input 0.10 --output 0.40",
    "prices set openai/gpt-5-mini --input 0.20 --output 1.60 --from 2026-10-01",
    "prices set --file prices.yaml",
  );

  const choose = prices
    .command("choose")
    .description("that one source's price of a model goes before all others but your own")
    .argument("<provider/model>", "the model; * stands for any run of characters", model)
    .argument("<source>", "as `prices lists` names it")
    .action((asked: Model, source: string, options: SettingsOptions) =>
      withControl(options, async (control) => (await import("./own.ts")).choose(control, asked, source, options)),
    );
  withExamples(withSettings(choose), "prices choose openai/gpt-5-mini litellm");

  const unset = place(prices.command("unset"))
    .description("take back your own price or choice of a model: the lists have it again")
    .argument("<provider/model>", "as it was set, wildcards and all", model)
    .option("--from <day>", "only the price that is valid from this day on", day)
    .action(actOn(async (control, asked, options) => (await import("./own.ts")).unset(control, asked, options)));
  withExamples(
    withSettings(unset),
    "prices unset openai/gpt-5-mini",
    "prices unset openai/gpt-5-mini --tier batch",
    "prices unset openai/gpt-5-mini --from 2026-10-01",
  );
}

function addMoney(prices: Command): void {
  const unpriced = prices
    .command("unpriced")
    .description("what calls used that has no price, with a record to fill in")
    .option("--since <time>", `from this start of a call on: ${times}`)
    .option("--until <time>", "before this start")
    .option("--filter <field=value>", "only calls where this holds; repeatable", collect)
    .option("--limit <models>", "most that are shown (default: 100)")
    .action(act(async (control, options) => (await import("./unpriced.ts")).listUnpriced(control, options)));
  withExamples(withSettings(unpriced), "prices unpriced", "prices unpriced --since 7d --json");

  const trend = prices
    .command("trend")
    .description("what a model's tokens and tasks cost over time, against its list price")
    .argument("<provider/model>", "as calls name it", model)
    .option("--since <time>", `from this start of a call on: ${times}`)
    .option("--until <time>", "before this start")
    .addOption(new Option("--by <span>", "what is summed together, UTC").choices(["day", "week", "month"]).default("month"))
    .option("--known <time>", "list prices as known at this time (default: now)")
    .action(actOn(async (control, asked, options) => (await import("./paid.ts")).showTrend(control, asked, options)));
  withExamples(withSettings(trend), "prices trend openai/gpt-5-mini", "prices trend openai/gpt-5-mini --by week --since 60d");
}

function moment(command: Command): Command {
  return command
    .option("--at <time>", `the prices of this time: ${times} (default: now)`)
    .option("--known <time>", "as they were known at this time (default: now)");
}

function place(command: Command): Command {
  return command.option("--tier <tier>", "as the provider calls it: batch, flex, priority (default: standard)").option("--region <region>");
}

function file(command: Command): Command {
  return command
    .addOption(
      new Option("--format <format>", "what the file is (default: told from it)").choices([
        "pennyworth",
        "litellm",
        "models.dev",
        "genai-prices",
        "changes",
      ]),
    )
    .option("--source <name>", "what to call its source (default: the format's own name)")
    .option("--published <day>", "the day on which it was published", day)
    .option("--limit <rows>", "most changes shown (default: 50)", rows);
}

async function refuse(prices: Command, name: string): Promise<void> {
  const { nearest } = await import("../near.ts");
  const known = prices.commands.map((one) => one.name());
  const near = nearest(name, known);
  prices.error(
    `error: there is no command prices ${name}; ${near.length > 0 ? `near it: ${near.join(", ")}` : `there are ${known.join(", ")}`}. Models are looked for with prices list --search`,
    { exitCode: 2 },
  );
}

type Act = (control: Control, options: never) => Promise<void>;
type ActOn = (control: Control, asked: Model, options: never) => Promise<void>;

function act(use: Act): (options: SettingsOptions) => Promise<void> {
  return (options) => withControl(options, (control) => use(control, options as never));
}

function actOn(use: ActOn): (asked: Model, options: SettingsOptions) => Promise<void> {
  return (asked, options) => withControl(options, (control) => use(control, asked, options as never));
}

function day(text: string): string {
  const match = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2})?Z)?$/.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(text);
  // Date.parse takes 31 February for 3 March.
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(match?.[1] ?? "?"))
    throw new InvalidArgumentError("Expected a day that there is: 2026-11-01.");
  return text;
}

function hours(text: string): string {
  if (!/^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/.test(text))
    throw new InvalidArgumentError("Expected times of day in UTC: 16:30-00:30.");
  return text;
}

function rows(text: string): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > 100_000) throw new InvalidArgumentError("Expected a whole number from 1 to 100000.");
  return value;
}
