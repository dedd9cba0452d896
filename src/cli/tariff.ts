// What `pennyworth prices list` and `prices show` print: models with their prices; and of one model every class with its version and source, what
// other sources say, and its history. Not here: where prices come from (the control API). Invariant: amounts are printed as they came, exactly.

import type { z } from "zod";
import * as schema from "../api/pricing.ts";
import { nearest } from "../near.ts";
import { many, print, printJson } from "./command.ts";
import { ask, type Control, toPath } from "./control.ts";
import type { Model, MomentOptions, PlaceOptions } from "./asked.ts";
import { classOrder, type Column, formatClass, formatCount, formatTable, plain } from "./table.ts";

interface ListOptions extends MomentOptions {
  readonly provider?: string;
  readonly search?: string;
  readonly disputed?: true;
}

type Disputes = z.infer<typeof schema.disputes>;
type History = z.infer<typeof schema.history>;
type Line = z.infer<typeof schema.prices>["lines"][number];

export async function listModels(control: Control, options: ListOptions): Promise<void> {
  const { provider, search, at, known, json } = options;
  const disputed = options.disputed === true ? "true" : undefined;
  const found = await ask(control, schema.models, toPath("prices/models", { provider, search, at, known, disputed, limit: "20000" }));
  if (options.disputed === true) return listDisputed(control, options, found);
  if (json) return printJson(found);
  if (found.models.length === 0) return print("No model matches. `pennyworth prices list` without options shows all.");
  const columns = [...left("provider", "model"), ...right("input $", "output $", "cache read $"), ...left("tiers", "source", "note")];
  const rows = found.models.map((one) => [
    one.provider,
    one.model,
    one.prices["input"] ?? "",
    one.prices["output"] ?? "",
    one.prices["cache_read"] ?? "",
    one.tiers.filter((tier) => tier !== "standard").join(" "),
    one.sources[0] ?? "",
    [
      ...(one.disputed.length > 0 ? [`disputed: ${one.disputed.map(formatClass).join(", ")}`] : []),
      ...(one.changesMs === null ? [] : [`changes ${toDay(one.changesMs)}`]),
    ].join("; "),
  ]);
  print(formatTable(columns, rows));
  const more = found.truncated ? `, of which the first ${formatCount(found.models.length)} are shown` : "";
  print(`\n${many(found.total, "model")}${more}. Dollars per million tokens, ${momentOf(found.atMs, found.knownMs)}.`);
  if (found.disputed > 0)
    print(`On ${found.total === 1 ? "it" : `${formatCount(found.disputed)} of them`} sources disagree: pennyworth prices list --disputed`);
}

async function listDisputed(
  control: Control,
  { provider, at, known, json }: ListOptions,
  { models }: z.infer<typeof schema.models>,
): Promise<void> {
  const wanted = new Set(models.map((one) => `${one.provider}/${one.model}`));
  const told = await ask(control, schema.disputes, toPath("prices/disputes", { provider, at, known, limit: "5000" }));
  const found = { ...told, models: told.models.filter((one) => wanted.has(`${one.provider}/${one.model}`)) };
  if (json) return printJson(found);
  if (found.models.length === 0) return print(`On no model that matches do sources disagree, ${momentOf(found.atMs, found.knownMs)}.`);
  const rows = found.models.flatMap((one) => disputeRows(one.disputes).map((row) => [one.provider, one.model, ...row]));
  print(formatTable([...left("provider", "model"), ...disputeColumns], rows));
  print(
    `\n${many(found.models.length, "model")}; the first source is in force. One source is preferred by: pennyworth prices choose PROVIDER/MODEL SOURCE`,
  );
}

export async function showModel(control: Control, { provider, model }: Model, options: PlaceOptions): Promise<void> {
  const { at, known, tier, region, json } = options;
  const price = await ask(control, schema.prices, toPath("prices", { provider, model, at, known, tier, region }));
  const [past, said] = await Promise.all([
    ask(control, schema.history, toPath("prices/history", { provider, model, known, tier, region })),
    ask(control, schema.disputes, toPath("prices/disputes", { provider, model, at, known, tier, region })),
  ]);
  if (json) return printJson({ price, history: past, disputes: said });
  const whose = price.pricesOf === provider ? "" : ` of ${price.pricesOf}`;
  print(`${provider}/${model}: ${price.model}${whose}, ${price.rule}`);
  const place = [`tier ${price.tier}`, ...(region === undefined ? [] : [`region ${region}`])].join(", ");
  const window = price.contextWindow === null ? "" : `; context window ${formatCount(price.contextWindow)} tokens`;
  print(`${capital(momentOf(price.atMs, price.knownMs))}, ${place}${window}\n`);
  if (price.lines.length === 0) print(await describeTierless(control, price, options));
  else print(describeLines(price.lines.toSorted(byClass)));
  print(`\n${describeDisputes(said)}`);
  print(`\n${describeHistory(past)}`);
}

/** That a model has no price in a tier, and which tier may have been meant: of any model, since rules give more than a model's own lists. */
async function describeTierless(control: Control, { tier }: z.infer<typeof schema.prices>, { at, known }: MomentOptions): Promise<string> {
  const { models } = await ask(control, schema.models, toPath("prices/models", { at, known, limit: "20000" }));
  const tiers = models.flatMap((one) => one.tiers);
  const near = tiers.includes(tier) ? [] : nearest(tier, tiers);
  const meant = near.length === 0 ? "" : ` No list has such a tier; near it: ${near.join(", ")}.`;
  return `It has no price in the tier ${tier}: calls of that tier are unpriced.${meant}`;
}

/** The prices of classes that have one of their own; those that take another's are named below it; and where they are from. */
function describeLines(lines: readonly Line[]): string {
  const alike = new Map<string, Set<string>>();
  const own = lines.filter((line) => {
    const other = classOf(line.version);
    if (other === line.class || !lines.some((one) => one.class === other && one.version === line.version)) return true;
    alike.set(other, (alike.get(other) ?? new Set()).add(formatClass(line.class)));
    return false;
  });
  const sources = [...new Set(own.map((line) => line.source))];
  const rows = own.map((line) => [
    formatClass(line.class),
    line.rateUsd ?? `${line.ratePico}/${line.ratePer} × 10⁻¹²`,
    formatCount(line.rateUnits),
    line.aboveTokens === 0 ? "" : `${formatCount(line.aboveTokens)} tokens in`,
    line.version,
    `[${sources.indexOf(line.source) + 1}]`,
  ]);
  return [
    formatTable([...left("class"), ...right("$", "for"), ...left("above", "version", "source")], rows),
    "",
    ...[...alike].map(([name, others]) => `As ${formatClass(name)}: ${[...others].join(", ")}`),
    ...sources.map((source, index) => `[${index + 1}] ${plain(source)}`),
  ].join("\n");
}

/** The class that a version says it is the price of: `…#input>200000 by RULE` is that of input. */
function classOf(version: string): string {
  return /#([a-z0-9_]+)[^#]*$/.exec(version)?.[1] ?? "";
}

const disputeColumns: Column[] = [...left("class"), ...right("lowest $", "highest $", "for"), ...left("what each says")];

function disputeRows(disputes: Disputes["models"][number]["disputes"]): string[][] {
  return disputes.map((one) => [
    formatClass(one.class),
    one.lowest,
    one.highest,
    formatCount(one.per),
    one.said.map(({ source, usd }) => `${source} ${usd}`).join(", "),
  ]);
}

function describeDisputes({ models }: Disputes): string {
  const all = models.flatMap(({ disputes }) => disputes);
  const differing = all.filter(({ differs }) => differs);
  if (all.length === 0) return "No second source has a price of it.";
  const agreeing = all.filter(({ differs }) => !differs).map((one) => formatClass(one.class));
  const agreed = agreeing.length === 0 ? "" : `Sources agree on ${agreeing.join(", ")}.`;
  if (differing.length === 0) return agreed;
  return `Sources disagree; the first is in force:\n${formatTable(disputeColumns, disputeRows(differing))}${agreed === "" ? "" : `\n${agreed}`}`;
}

function describeHistory({ spans, nowMs, knownMs }: History): string {
  const known = knownMs === null ? "" : ` as known on ${toTime(knownMs)}`;
  if (spans.length < 2 && spans[0]?.fromMs === null && spans[0].toMs === null) return `History${known}: no change of price is known.`;
  const classes = new Set(spans.flatMap(({ lines }) => lines.map((line) => line.class)));
  const usual = ["input", "cache_read", "output"].filter((name) => classes.has(name as Line["class"]));
  const names = usual.length > 0 ? usual : [...classes].slice(0, 3);
  const columns = [...left("from", "to", "hours"), ...right(...names.map((name) => `${formatClass(name)} $`)), ...left("note")];
  const rows = spans.map(({ fromMs, toMs, window, lines }) => [
    fromMs === null ? "ever" : toTime(fromMs),
    toMs === null ? "" : toTime(toMs),
    window === null ? "" : `${toClock(window.fromMs)}-${toClock(window.toMs)}`,
    ...names.map((name) => stepsOf(lines.filter((line) => line.class === name))),
    fromMs !== null && fromMs > nowMs ? "announced" : "",
  ]);
  return `History${known}:\n${formatTable(columns, rows)}`;
}

/** `5; above 200,000: 10` for a price that rises with the length of the request. */
function stepsOf(lines: readonly Line[]): string {
  return lines
    .map(({ aboveTokens, rateUsd }) => `${aboveTokens === 0 ? "" : `above ${formatCount(aboveTokens)}: `}${rateUsd ?? "?"}`)
    .join("; ");
}

function byClass(a: Line, b: Line): number {
  return classOrder(a.class) - classOrder(b.class) || a.aboveTokens - b.aboveTokens;
}

function momentOf(atMs: number, knownMs: number | null): string {
  return `at ${toTime(atMs)}, as known ${knownMs === null ? "now" : `on ${toTime(knownMs)}`}`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** To the minute, UTC; a midnight as its day. */
export function toTime(ms: number): string {
  const iso = new Date(ms).toISOString();
  return iso.endsWith("T00:00:00.000Z") ? iso.slice(0, 10) : `${iso.slice(0, 16)}Z`;
}

export function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function toClock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16);
}

export function left(...heads: readonly string[]): Column[] {
  return heads.map((head) => ({ head }));
}

export function right(...heads: readonly string[]): Column[] {
  return heads.map((head) => ({ head, align: "right" as const }));
}
