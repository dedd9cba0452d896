// `pennyworth top`: spending as it happens, drawn anew every other second until somebody presses q; one picture of it where nobody can.

import { type Command, Option } from "commander";
import { z } from "zod";
import { canDraw, type Config } from "../config.ts";
import { hourMs, minuteMs } from "../core/time.ts";
import { type Facts, type Field, fields, type Look, type Window, windows } from "./board.ts";
import { type SettingsOptions, print, printJson, remark, toConfig, wholeNumber, withExamples, withSettings } from "./command.ts";
import type { Control } from "./control.ts";

interface TopOptions extends SettingsOptions {
  readonly by: Field;
  readonly window: Window;
  readonly every: number;
  readonly limit: number;
  readonly once?: true;
}

const trendMinutes = 60;

export function addTop(program: Command): void {
  const command = program
    .command("top")
    .description("spending as it happens: its rate, and who spends most")
    .addOption(new Option("--by <field>", "what rows are of").choices(Object.values(fields)).default("agent"))
    .addOption(new Option("--window <span>", "what rows are over").choices(windows).default("hour"))
    .option("--every <seconds>", "how often it is asked anew", wholeNumber(1, 3_600), 2)
    .option("--limit <rows>", "most rows asked for", wholeNumber(1, 1_000), 100)
    .option("--once", "print it once and end, as when it is piped")
    .action(run);
  withExamples(withSettings(command), "top", "top --by customer --window today", "top --once --json");
}

async function run(options: TopOptions): Promise<void> {
  const { openControl } = await import("./control.ts");
  const config = toConfig(options);
  const control = await openControl(config);
  try {
    const isLive = options.once !== true && options.json !== true && process.stdout.isTTY && process.stdin.isTTY && control.running;
    if (isLive) await watch(control, config, options);
    else await once(control, config, options);
  } finally {
    await control.close();
  }
}

async function once(control: Control, config: Config, options: TopOptions): Promise<void> {
  const facts = await readFacts(control, config, options);
  if (options.json === true) {
    const { trend: _, ...rest } = facts;
    return printJson(rest);
  }
  const [{ board }, { paint, unpainted }] = await Promise.all([import("./board.ts"), import("./draw.ts")]);
  const isDrawn = process.stdout.isTTY && canDraw();
  const columns = process.stdout.isTTY ? process.stdout.columns : 120;
  const look: Look = { columns, rows: options.limit + 12, paint: isDrawn ? paint : unpainted, isDrawn, hasKeys: false };
  print(
    board(facts, look)
      .map((line) => line.trimEnd())
      .join("\n"),
  );
  if (!control.running && options.once !== true) remark("\nNo server runs on this data folder: this is how it was left.");
}

/** Until somebody has seen enough. */
async function watch(control: Control, config: Config, options: TopOptions): Promise<void> {
  const [{ board }, { paint, unpainted }, { openScreen }] = await Promise.all([
    import("./board.ts"),
    import("./draw.ts"),
    import("./screen.ts"),
  ]);
  const isDrawn = canDraw();
  let { by, window } = options;
  let facts: Facts | null = null;
  const over = new AbortController();
  let wake: (() => void) | null = null;
  const draw = (): void => {
    const look: Look = { columns: screen.columns, rows: screen.rows, paint: isDrawn ? paint : unpainted, isDrawn, hasKeys: true };
    if (facts !== null) screen.draw(board(facts, look));
  };
  const onKey = (key: string): void => {
    const field = (fields as Readonly<Record<string, Field | undefined>>)[key];
    if (field !== undefined) by = field;
    else if (key === "w") window = window === "hour" ? "today" : "hour";
    else if (["q", "escape", "ctrl-c", "ctrl-d"].includes(key)) over.abort();
    wake?.();
  };
  const stop = (): void => onKey("q");
  const screen = openScreen({ input: process.stdin, output: process.stdout, onKey, onResize: draw });
  process.once("SIGTERM", stop);
  process.once("SIGHUP", stop);
  try {
    while (!over.signal.aborted) {
      const asked = { by, window };
      const found = await readFacts(control, config, { ...options, ...asked });
      if (over.signal.aborted) break;
      facts = found;
      draw();
      // A key that was pressed in the meantime wants an answer now.
      if (asked.by !== by || asked.window !== window) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, options.every * 1_000);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    process.off("SIGTERM", stop);
    process.off("SIGHUP", stop);
    screen.close();
  }
}

async function readFacts(
  control: Control,
  config: Config,
  { by, window, limit }: Pick<TopOptions, "by" | "window" | "limit">,
): Promise<Facts> {
  const [{ ask, toPath }, schema, { isDemo }] = await Promise.all([
    import("./control.ts"),
    import("../api/schema.ts"),
    import("../demo/marker.ts"),
  ]);
  const status = await ask(control, schema.statusAnswer, "/api/v1/status");
  const atMs = status.nowMs;
  const report = (parameters: Readonly<Record<string, string>>): Promise<z.infer<typeof schema.report>> =>
    ask(control, schema.report, toPath("report", parameters));
  const [minute, hour, today, minutes] = await Promise.all([
    report({ since: toTime(atMs - minuteMs) }),
    report({ since: toTime(atMs - hourMs), ...(window === "hour" ? { by, limit: String(limit) } : {}) }),
    report({ since: toTime(midnight(atMs)), ...(window === "today" ? { by, limit: String(limit) } : {}) }),
    report({ since: toTime(atMs - trendMinutes * minuteMs), by: "minute", limit: "100" }),
  ]);
  const { rows, truncated } = window === "hour" ? hour : today;
  const names = by === "key" ? await readKeys(control) : null;
  return {
    atMs,
    demo: isDemo(config.settings.data),
    openCalls: status.openCalls,
    field: by,
    window,
    minute: minute.total,
    hour: hour.total,
    today: today.total,
    trend: toTrend(minutes.rows, atMs),
    rows: rows.map((row) => {
      const value = row.group[by] ?? null;
      return { name: (value === null ? null : names?.get(value)) ?? value, row };
    }),
    truncated,
  };
}

/** Keys by the names that people gave them. */
async function readKeys(control: Control): Promise<ReadonlyMap<string, string>> {
  const [{ ask }, schema] = await Promise.all([import("./control.ts"), import("../api/schema.ts")]);
  const { keys } = await ask(control, schema.keys, "/api/v1/keys");
  return new Map(keys.map(({ id, name }) => [id, name]));
}

function toTrend(
  rows: readonly { readonly group: Readonly<Record<string, string | null>>; readonly cost: string }[],
  atMs: number,
): number[] {
  const last = Math.floor(atMs / minuteMs);
  const trend = Array.from({ length: trendMinutes }, () => 0);
  for (const { group, cost } of rows) {
    const index = trendMinutes - 1 - (last - Math.floor(Date.parse(group["minute"] ?? "") / minuteMs));
    if (index >= 0 && index < trendMinutes) trend[index] = Number(cost);
  }
  return trend;
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** The last one, where we are. */
function midnight(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}
