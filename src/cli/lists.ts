// What `pennyworth prices lists, diff, import, take` and `drop` do: lists of prices, what they would change, and letting them take effect. Not
// here: reading a file (the server does). Invariant: a file takes effect only after its difference was shown and somebody said yes.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import type { z } from "zod";
import * as schema from "../api/pricing.ts";
import { formatRatio, parseRate } from "../core/money.ts";
import { PennyworthError } from "../error.ts";
import { exitCodes, many, print, printJson, remark, type SettingsOptions, whyUnread } from "./command.ts";
import { ask, type Control, toPath } from "./control.ts";
import { formatClass, formatCount, formatTable, plain } from "./table.ts";
import { left, right, toDay, toTime } from "./tariff.ts";

export interface FileOptions extends SettingsOptions {
  readonly format?: string;
  readonly source?: string;
  readonly published?: string;
  readonly limit?: number;
}

interface ImportOptions extends FileOptions {
  readonly known?: string;
  readonly yes?: true;
}

type Preview = z.infer<typeof schema.preview>;
type NowPriced = z.infer<typeof schema.takenAnswer>["nowPriced"];

/** Changes that are shown, unless told; and the most that the server gives. */
const shownMax = 50;
const changesMax = 100_000;
const byLimit = " (--limit)";

export async function listLists(control: Control, { json }: SettingsOptions): Promise<void> {
  const found = await ask(control, schema.lists, toPath("prices/lists", {}));
  if (json) return printJson(found);
  const rows = found.lists.map((one) => [
    one.name,
    one.taken === null ? "waits" : one.records === 0 ? "dropped" : one.superseded ? "superseded" : "in force",
    one.own ? "yes" : "",
    formatCount(one.records),
    one.taken === null ? "" : toTime(one.taken.knownMs),
    one.taken === null ? "" : toTime(one.taken.takenMs),
    one.origin,
  ]);
  print(formatTable([...left("list", "state", "yours"), ...right("records"), ...left("known since", "taken", "origin")], rows));
  const waiting = found.lists.filter(({ taken }) => taken === null);
  if (waiting.length > 0)
    print(
      `\n${many(waiting.length, "list waits", "lists wait")}: pennyworth prices diff, then pennyworth prices take ${waiting[0]?.source}`,
    );
}

/** @param what a file, or a list that waits; undefined: all that wait. */
export async function diff(control: Control, what: string | undefined, options: FileOptions): Promise<void> {
  const previews: Preview[] = [];
  if (what === undefined) {
    const { lists } = await ask(control, schema.lists, toPath("prices/lists", {}));
    for (const { name, taken } of lists) if (taken === null) previews.push(await previewOf(control, { name }, options));
  } else previews.push(await previewOf(control, await toWanted(control, what, options), options));
  if (options.json) return printJson(what === undefined ? { waiting: previews } : previews[0]);
  if (previews.length === 0) return print("No list waits.");
  print(previews.map((one) => describe(one, { limit: options.limit, more: byLimit })).join("\n\n"));
}

export async function importFile(control: Control, path: string, options: ImportOptions): Promise<void> {
  const file = { text: await readText(path), ...optionsOf(options) };
  const preview = await previewOf(control, file, options);
  if (!options.json) print(describe(preview, { limit: options.limit, more: byLimit }));
  if (options.yes !== true && !(await confirm())) {
    remark("Nothing was taken. --yes lets it take effect without asking.");
    process.exitCode = exitCodes.failed;
    return options.json ? printJson({ preview, taken: null }) : undefined;
  }
  const taken = await take(control, { ...file, ...(options.known === undefined ? {} : { known: options.known }) });
  if (options.json) return printJson({ preview, taken });
  describeTaken(taken);
}

export async function takeWaiting(control: Control, name: string, options: FileOptions): Promise<void> {
  const { lists } = await ask(control, schema.lists, toPath("prices/lists", {}));
  const isNamed = (one: (typeof lists)[number]): boolean => one.name === name || one.source === name;
  const standing = lists.find((one) => isNamed(one) && one.taken !== null && !one.superseded && one.records > 0);
  if (standing !== undefined && !lists.some((one) => isNamed(one) && one.taken === null)) {
    if (options.json) return printJson({ preview: null, taken: null });
    return print(`${standing.name} is in force, and nothing newer of it waits.`);
  }
  const preview = await previewOf(control, { name }, options);
  const taken = await take(control, { name });
  if (options.json) return printJson({ preview, taken });
  print(describe(preview));
  describeTaken(taken);
}

export async function drop(control: Control, source: string, { json }: SettingsOptions): Promise<void> {
  const dropped = await ask(control, schema.dropAnswer, "/api/v1/prices/drop", { method: "POST", body: { source } });
  if (json) return printJson(dropped);
  print(`${source} is left out from now on. Calls on record stay as they are; what was known of it before stays known as of then.`);
}

/** How many calls a re-rating would price now, and how to do it; "" when there are none. */
export function describeNowPriced({ calls, sinceMs }: NowPriced): string {
  if (calls === 0 || sinceMs === null) return "";
  const one = calls === 1;
  return `${many(calls, "call")} on record without a price ${one ? "has" : "have"} one now. To book ${one ? "it" : "them"}: pennyworth prices rerate --since ${toDay(sinceMs)} (with --dry-run it shows them first)`;
}

/** What a list changes, in words and rows. `more`: the option by which more of it is shown, where there is one. */
export function describe(
  { list, added, changed, removed, changes, truncated, warnings, skipped }: Preview,
  { limit = shownMax, more = "" }: { readonly limit?: number | undefined; readonly more?: string } = {},
): string {
  const counts = `${formatCount(added)} added, ${formatCount(changed)} changed, ${formatCount(removed)} removed`;
  const parts = [`${list.name} (${list.origin}): ${many(list.records, "record")}; prices: ${counts}`];
  if (changes.length > 0) {
    const columns = [...left("provider", "model", "tier", "class"), ...right("above", "before $", "after $", "change"), ...left("from")];
    const rows = changes
      .slice(0, limit)
      .map((one) => [
        one.provider,
        one.model,
        [...(one.tier === "standard" ? [] : [one.tier]), ...(one.region === null ? [] : [one.region])].join(" "),
        formatClass(one.class),
        one.aboveTokens === 0 ? "" : formatCount(one.aboveTokens),
        one.before ?? "none",
        one.after ?? "none",
        shareOf(one.before, one.after),
        one.fromMs === null ? "" : toTime(one.fromMs),
      ]);
    parts.push(formatTable(columns, rows));
    if (truncated || changes.length > limit)
      parts.push(
        `Only the first ${many(rows.length, "change")} are shown${more}. Dollars per million tokens, per thousand of what is no token.`,
      );
    else parts.push("Dollars per million tokens, per thousand of what is no token.");
  }
  // Lines, and no table: a reason is read whole.
  if (warnings.length > 0) {
    const lines = warnings
      .slice(0, limit)
      .map((one) => `  ${one.provider}/${one.model}${one.class === null ? "" : `, ${formatClass(one.class)}`}: ${one.detail}`);
    const first = warnings.length > limit ? `, of which the first ${limit}` : "";
    parts.push(`Odd, and perhaps mistaken (${formatCount(warnings.length)}${first}):\n${lines.map(plain).join("\n")}`);
  }
  if (skipped.length > 0) {
    const lines = skipped.map((one) => `  ${one.what}${one.count > 1 ? ` (${formatCount(one.count)} times)` : ""}: ${one.why}`);
    parts.push(`Left out:\n${lines.map(plain).join("\n")}`);
  }
  return parts.join("\n\n");
}

function describeTaken({ list, nowPriced }: z.infer<typeof schema.takenAnswer>): void {
  print(
    `\n${list.name} is in force${list.taken === null ? "" : `, known since ${toTime(list.taken.knownMs)}`}. Calls on record stay as they are.`,
  );
  const more = describeNowPriced(nowPriced);
  if (more !== "") print(more);
}

/** By how much a price changes, in percent of what it was. */
function shareOf(before: string | null, after: string | null): string {
  if (before === null || after === null) return before === null ? "new" : "gone";
  const [was, is] = [parseRate(before, 1n), parseRate(after, 1n)];
  if (was.pico === 0n) return "";
  const more = formatRatio(100n * (is.pico * was.per - was.pico * is.per), was.pico * is.per, 1);
  return `${more.startsWith("-") ? "−" : "+"}${more.replace("-", "")} %`;
}

async function previewOf(control: Control, wanted: object, { json, limit }: FileOptions): Promise<Preview> {
  const most = limit ?? (json ? changesMax : shownMax);
  return ask(control, schema.preview, "/api/v1/prices/preview", { method: "POST", body: { ...wanted, limit: most } });
}

function take(control: Control, body: object): Promise<z.infer<typeof schema.takenAnswer>> {
  return ask(control, schema.takenAnswer, "/api/v1/prices/take", { method: "POST", body });
}

/** A file where there is one of that name, else a list that waits. */
async function toWanted(control: Control, what: string, options: FileOptions): Promise<object> {
  if (existsSync(what)) return { text: await readText(what), ...optionsOf(options) };
  const { lists } = await ask(control, schema.lists, toPath("prices/lists", {}));
  if (lists.some(({ name, source, taken }) => taken === null && (name === what || source === what))) return { name: what };
  throw new PennyworthError("prices_invalid", { detail: `${what} is neither a file nor a list that waits` });
}

function optionsOf({ format, source, published }: FileOptions): object {
  return Object.fromEntries(Object.entries({ format, source, published }).filter(([, value]) => value !== undefined));
}

/** Of a file, or of standard input where the name is a hyphen. @throws PennyworthError `prices_invalid` when it cannot be read. */
export async function readText(path: string): Promise<string> {
  try {
    return path === "-" ? await text(process.stdin) : await readFile(path, "utf8");
  } catch (cause) {
    throw new PennyworthError("prices_invalid", { detail: `${path} ${whyUnread(cause)}` }, cause);
  }
}

/** Asks on a terminal; where there is none, nobody has said yes. */
async function confirm(): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question("\nLet it take effect? [y/N] ")).trim());
  } finally {
    terminal.close();
  }
}
