// `pennyworth rehearse`: replays a trace through the gateway against the sandbox, then holds the ledger against sums taken from the trace.
// Exit code 3 when a single token or picodollar differs.

import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { type Config, readConfig } from "../config.ts";
import { PennyworthError } from "../error.ts";
import { type SettingsOptions, failCheck, print, printJson, remark, toConfig, wholeNumber, withExamples, withSettings } from "./command.ts";
import type { Control } from "./control.ts";
import type { Replayed } from "./replay.ts";
import type { TraceSums } from "./sums.ts";

interface RehearseOptions extends SettingsOptions {
  readonly trace: string;
  readonly speed: number;
  readonly url?: string;
  readonly token?: string;
  readonly key?: string;
  readonly limit?: number;
  readonly model: string;
}

/** Where the rehearsal goes, and how the ledger behind it is asked. */
interface Stage {
  readonly url: string;
  readonly control: Control;
  readonly temporary: boolean;
  close(): Promise<void>;
}

interface Comparison {
  readonly what: string;
  readonly trace: string;
  readonly ledger: string;
  readonly same: boolean;
}

export function addRehearse(program: Command): void {
  const command = program
    .command("rehearse")
    .description("replay a trace of traffic through the gateway against the sandbox, and hold the ledger against the trace")
    .requiredOption("--trace <file>", "CSV with columns TIMESTAMP, ContextTokens, GeneratedTokens")
    .option("--speed <times>", "how many times faster than it came; or: max", parseSpeed, 1)
    .option("--limit <rows>", "only so many requests of the trace", wholeNumber(1, 1_000_000_000))
    .option("--model <name>", "the model asked for: its prices apply", "gpt-5-mini")
    .option("--url <url>", "a gateway elsewhere (default: the one on this data folder, else one for this rehearsal alone)")
    .option("--token <token>", "admin token, or key with the role read, of the gateway at --url (default: PENNYWORTH_ADMIN_TOKEN)")
    .option("--key <key>", "Pennyworth key the calls are made with, where the gateway needs one")
    .action(run);
  withExamples(
    withSettings(command),
    "rehearse --trace azure.csv --speed 100",
    "rehearse --trace azure.csv --speed max --limit 1000 --json",
  );
}

/** Not null for `max`: commander takes a null for an option without a value. */
function parseSpeed(text: string): number {
  if (text === "max") return Number.POSITIVE_INFINITY;
  const speed = /^\d{1,9}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(speed > 0)) throw new InvalidArgumentError("Expected a number above 0, or max.");
  return speed;
}

async function run(options: RehearseOptions): Promise<void> {
  const [{ ask, toPath, untilCaughtUp }, schema, { parseTrace }, { sumTrace }, { replay }, { startProgress }] = await Promise.all([
    import("./control.ts"),
    import("../api/schema.ts"),
    import("./trace.ts"),
    import("./sums.ts"),
    import("./replay.ts"),
    import("./progress.ts"),
  ]);
  const all = parseTrace(await readTrace(options.trace));
  const rows = options.limit === undefined ? all : all.slice(0, options.limit);
  const stage = await openStage(options);
  try {
    const { prices } = await import("../api/pricing.ts");
    const { lines } = await ask(stage.control, prices, toPath("prices", { provider: "sandbox", model: options.model }));
    const expected = sumTrace(rows, lines);
    const rehearsal = randomBytes(6).toString("hex");
    const progress = startProgress("rehearsal", "calls");
    const { url } = stage;
    const how = { url, key: options.key ?? null, model: options.model, rehearsal, speed: options.speed };
    const done = await replay(rows, how, (count, total) => progress.update(count, total)).finally(() => progress.stop());
    await untilCaughtUp(stage.control);
    const found = await ask(stage.control, schema.report, toPath("report", { by: "class", filter: `tag.rehearsal=${rehearsal}` }));
    const comparisons = compare(expected, found);
    const same = done.answered === rows.length && comparisons.every((comparison) => comparison.same);
    if (options.json) printJson({ rehearsal, same, requests: rows.length, ...done, comparisons });
    else print(await format(comparisons, done, rows.length));
    if (!same) failCheck();
  } finally {
    await stage.close();
  }
}

async function readTrace(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new PennyworthError("trace_invalid", { detail: `${path} cannot be read (${(cause as { code?: string }).code})` }, cause);
  }
}

async function openStage(options: RehearseOptions): Promise<Stage> {
  const { openControl, openRemote } = await import("./control.ts");
  if (options.url !== undefined) {
    const control = openRemote(options.url, options.token ?? toConfig(options).secret("PENNYWORTH_ADMIN_TOKEN") ?? null);
    return { url: options.url, control, temporary: false, close: () => control.close() };
  }
  const config = toConfig(options);
  const running = await openRunning(config, openControl);
  if (running !== null) return running;
  const folder = await mkdtemp(join(tmpdir(), "pennyworth-rehearsal-"));
  const { start } = await import("../main.ts");
  const settings = readConfig(options.config, {
    data: folder,
    "server.port": 0,
    "server.keys": "optional",
    "server.host": "127.0.0.1",
    log: "error",
  });
  const server = await start(settings);
  remark("No server runs on this data folder: the rehearsal has one of its own, on a temporary folder.");
  const control = openRemote(server.url, server.adminToken);
  const close = async (): Promise<void> => {
    await control.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { url: server.url, control, temporary: true, close };
}

async function openRunning(config: Config, open: (config: Config) => Promise<Control>): Promise<Stage | null> {
  const { hasServer, ask } = await import("./control.ts");
  if (!(await hasServer(config.settings.data))) return null;
  const schema = await import("../api/schema.ts");
  const control = await open(config);
  const { url } = await ask(control, schema.statusAnswer, "/api/v1/status");
  if (url === null) throw new PennyworthError("data_locked", { folder: config.settings.data });
  return { url, control, temporary: false, close: () => control.close() };
}

interface Found {
  readonly rows: readonly {
    readonly group: Readonly<Record<string, string | null>>;
    readonly quantity: number | null;
    readonly cost: string;
  }[];
  readonly total: { readonly calls: number; readonly cost: string; readonly unpriced: number; readonly doubtful: number };
}

function line(what: string, trace: string | number, ledger: string | number | null): Comparison {
  return { what, trace: String(trace), ledger: String(ledger), same: String(trace) === String(ledger) };
}

function compare(expected: TraceSums, found: Found): Comparison[] {
  const of = (name: string) => found.rows.find((row) => row.group["class"] === name) ?? { quantity: 0, cost: "0" };
  const others = found.rows.filter((row) => row.group["class"] !== "input" && row.group["class"] !== "output" && (row.quantity ?? 0) > 0);
  return [
    line("calls", expected.calls, found.total.calls),
    line("input tokens", expected.input.tokens, of("input").quantity),
    line("output tokens", expected.output.tokens, of("output").quantity),
    line("input cost $", expected.input.cost, of("input").cost),
    line("output cost $", expected.output.cost, of("output").cost),
    line("cost $", expected.cost, found.total.cost),
    line("other classes", "none", others.map((row) => row.group["class"]).join(", ") || "none"),
    line("unpriced or doubtful calls", 0, found.total.unpriced + found.total.doubtful),
  ];
}

async function format(comparisons: readonly Comparison[], done: Replayed, requests: number): Promise<string> {
  const { formatTable } = await import("./table.ts");
  const columns = [{ head: "" }, { head: "trace", align: "right" as const }, { head: "ledger", align: "right" as const }, { head: "" }];
  const rows = comparisons.map((comparison) => [comparison.what, comparison.trace, comparison.ledger, comparison.same ? "✓" : "✗ differs"]);
  const failures = Object.entries(done.failures).map(([what, count]) => `✗ ${count} calls were answered with ${what}`);
  const rate = Math.round(requests / Math.max(done.seconds, 0.001));
  const late = done.lateMsMax > 1000 ? `; the latest was ${done.lateMsMax} ms late, because too many were under way` : "";
  return [formatTable(columns, rows), "", `${requests} calls in ${done.seconds.toFixed(1)} s, ${rate} a second${late}`, ...failures].join(
    "\n",
  );
}
