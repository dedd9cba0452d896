// `pennyworth receipt`: what one call cost, line by line, recomputed.

import type { Command } from "commander";
import type { z } from "zod";
import type { receipt } from "../api/schema.ts";
import { isDemo } from "../demo/marker.ts";
import { type SettingsOptions, demoNote, failCheck, print, printJson, remark, toConfig, withExamples, withSettings } from "./command.ts";

export function addReceipt(program: Command): void {
  const command = program
    .command("receipt")
    .description("what one call cost, line by line, recomputed")
    .argument("<call>", "the call's id, as in the answer's x-pennyworth-call header; or: last")
    .action(run);
  withExamples(withSettings(command), "receipt last", "receipt 01M7Z6YSQ512FKFB9EE3YMEBXF --json");
}

async function run(call: string, options: SettingsOptions): Promise<void> {
  const [{ ask, openControl }, schema] = await Promise.all([import("./control.ts"), import("../api/schema.ts")]);
  const config = toConfig(options);
  const control = await openControl(config);
  try {
    const found = await ask(control, schema.receipt, `/api/v1/calls/${encodeURIComponent(call)}/receipt`);
    if (options.json) printJson(found);
    else print(await format(found));
    if (isDemo(config.settings.data)) remark(options.json ? demoNote : `\n${demoNote}`);
    if (!found.recomputed) failCheck();
  } finally {
    await control.close();
  }
}

async function format(found: z.infer<typeof receipt>): Promise<string> {
  const { formatClass, formatCount, formatTable, plain } = await import("./table.ts");
  const { start, end } = found;
  const models = [start?.modelAsked, start?.modelSent, end?.modelAnswered].filter((name) => name !== null && name !== undefined);
  const attributed = Object.entries(start?.attribution ?? {}).filter(([name, value]) => name !== "tags" && value !== null);
  const tags = Object.entries(start?.attribution.tags ?? {}).map(([name, value]) => `${name}=${value}`);
  const head = [
    ["call", found.call],
    ["started", start === null ? "not known" : new Date(start.startMs).toISOString()],
    ["model", `${start?.provider ?? ""} ${[...new Set(models)].join(" → ")}`.trim()],
    ["status", [found.status, end?.httpStatus, end?.error, end?.tierServed && `tier ${end.tierServed}`].filter(Boolean).join(" · ")],
    ...(start === null || start.attempt === 1
      ? []
      : [["attempt", `${start.attempt}: ${start.reason}${start.cause === null ? "" : ` after ${start.cause}`}`]]),
    ...(start === null || start.key === null ? [] : [["key", start.key]]),
    ["for", [...attributed.map(([name, value]) => `${name} ${String(value)}`), ...tags].join(", ") || "unattributed"],
  ].map(([name = "", value = ""]) => `${name.padEnd(8)} ${plain(value)}`);

  const columns = [
    { head: "class" },
    { head: "quantity", align: "right" as const },
    { head: "from" },
    { head: "price $", align: "right" as const },
    { head: "per", align: "right" as const },
    { head: "cost $", align: "right" as const },
    { head: "" },
    { head: "price version" },
  ];
  const lines = found.lines.map((line) => [
    formatClass(line.class) + (line.part > 0 ? ` (part ${line.part + 1})` : ""),
    formatCount(line.quantity),
    line.source,
    line.rateUsd ?? `${line.ratePico}/${line.ratePer} pico`,
    line.rateUsd === null ? line.unit : `${formatCount(line.rateUnits)} ${line.unit}${line.rateUnits === 1 ? "" : "s"}`,
    line.cost,
    line.recomputed ? "✓" : "✗",
    line.price,
  ]);
  const unpriced = found.unpriced.map((line) => [
    formatClass(line.class),
    line.quantity === null ? "?" : formatCount(line.quantity),
    "",
    line.quantity === null ? "" : "no price",
    "",
    "unknown",
    "",
    "",
  ]);
  const known = found.unpriced.length > 0 && found.lines.length === 0 ? "unknown" : found.total;
  const total = [
    found.unpriced.length > 0 ? "total of what is known" : "total",
    "",
    "",
    "",
    "",
    found.status === "open" ? "not known yet" : known,
    found.recomputed ? "✓" : "✗",
    "",
  ];
  const origins = [...new Set(found.lines.map((line) => `${line.price}: ${line.priceSource ?? "not in the price book any more"}`))];
  return [
    ...head,
    "",
    formatTable(columns, [...lines, ...unpriced, null, total]),
    "",
    found.recomputed ? "✓ every line was recomputed and holds" : "✗ a line does not recompute",
    ...amendmentsOf(found),
    ...found.notes.map((note) => `! ${plain(note)}`),
    ...origins.map((origin) => `price ${plain(origin)}`),
    ...(found.usage === null ? [] : [`usage ${plain(found.usage)}`]),
  ].join("\n");
}

/** What was charged first, what re-ratings said since, and what was booked later because the month was closed. */
function amendmentsOf({ original, corrections, bookings }: z.infer<typeof receipt>): string[] {
  return [
    ...(original === null ? [] : [`first charged: $${original.total}${without(original.unpriced)}`]),
    ...corrections.map(
      ({ rerate, atMs, total, unpriced, holds }) =>
        `corrected ${minuteOf(atMs)} by ${rerate}: $${total}${without(unpriced)}${holds ? " (this holds)" : " (no more in force)"}`,
    ),
    ...bookings.map(({ id, atMs, month, cost }) => `booked ${minuteOf(atMs)}: $${cost}, for the closed month ${month} (${id})`),
  ];
}

function minuteOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16)}Z`;
}

function without(unpriced: readonly string[]): string {
  return unpriced.length === 0 ? "" : `, without ${unpriced.join(", ")}`;
}
