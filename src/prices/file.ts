// Pennyworth's own price file, YAML or JSON: prices, discounts and choices between sources, written by people (docs/pricefile.md). Not here:
// other tools' formats. Invariant: a file with one error is refused whole, with line and reason; a decimal is read as it was written.

import { isMap, isPair, isScalar, LineCounter, parseDocument, stringify, visit, type Document, type Node } from "yaml";
import { z } from "zod";
import { nameOfRule, wildcardRule } from "../core/match.ts";
import { parseRate, picoPerUsd } from "../core/money.ts";
import {
  type ClassPrice,
  type DailyWindow,
  type Discount,
  type PriceChoice,
  type PriceRecord,
  priceTier,
  standard,
} from "../core/price.ts";
import { type Quote, quotedUnits, quotes } from "../core/quote.ts";
import { dayMs } from "../core/time.ts";
import { isUsageClass, type UsageClass, usageClasses, usageClassNames } from "../core/usage.ts";
import { distance } from "../near.ts";
import { dearOf, isPlain, namePlain } from "./fit.ts";
import type { PriceList } from "./list.ts";
import { forUnits, formatTime, hashOf, invalid, type Read } from "./reader.ts";
import type { ListOptions } from "./view.ts";

const ownSource = "own";

/** What is paid of a dollar at most: a reseller's surcharge may be some hundreds of per cent. */
const timesMax = 10n * picoPerUsd;

const decimal = z
  .string("expected a decimal number")
  .regex(/^\d+(\.\d+)?(e[+-]?\d{1,2})?$/i, "expected a decimal number, zero or more")
  .refine((text) => decimalsOf(text) <= 30, "expected a decimal number of at most 30 decimals");
const steps = z.strictObject({
  steps: z.array(z.strictObject({ above: z.int().min(0), usd: decimal })).min(1),
  marginal: z.boolean().optional(),
  atLeast: z.int().min(1).optional(),
});
const classes = z.record(z.string(), z.union([decimal, steps]));
const time = z.union([z.iso.date(), z.iso.datetime()], "expected a day as 2026-07-01, or a time as 2026-07-01T16:00:00Z");
const name = z.string().trim().min(1).refine(isPlain, namePlain);
/** One price. Exported so that a test can hold the documentation to it. */
export const priceSchema = z.strictObject({
  provider: name,
  model: name,
  tier: name.optional(),
  region: name.optional(),
  from: time.optional(),
  to: time.optional(),
  window: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/, "expected times of day in UTC, as 16:30-00:30")
    .optional(),
  perMillion: classes.optional(),
  perThousand: classes.optional(),
  perUnit: classes.optional(),
  perHour: classes.optional(),
  minimum: decimal.optional(),
  context: z.int().min(1).optional(),
});
const discountSchema = z.strictObject({
  provider: name,
  model: name.optional(),
  classes: z.array(z.string()).min(1).optional(),
  tiers: z.array(name).min(1).optional(),
  times: decimal,
  from: time.optional(),
  to: time.optional(),
});
const fileSchema = z.strictObject({
  source: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]*$/, "expected lower case letters, digits, dots and hyphens")
    .optional(),
  prices: z.array(priceSchema).default([]),
  discounts: z.array(discountSchema).default([]),
  choices: z.array(z.strictObject({ provider: name, model: name, source: name })).default([]),
});

type PriceEntry = z.infer<typeof priceSchema>;
type Path = readonly PropertyKey[];

/** @throws PennyworthError `prices_invalid` with line and reason. */
export function readFile(text: string, options: ListOptions): Read {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const at = problem.linePos?.[0];
    throw invalid(`line ${at?.line ?? 1}, column ${at?.col ?? 1}`, problem.message.split("\n")[0]!.replace(/ at line \d+.*$/, ""), problem);
  }
  const fail = (path: Path, reason: string): never => {
    throw invalid(place(document, counter, path), reason);
  };
  keepDecimals(document);
  const odd = keyOf(document, "__proto__");
  if (odd !== null) {
    const { line, col } = counter.linePos(odd);
    throw invalid(`line ${line}, column ${col}`, "__proto__: no such setting");
  }
  if (!isMap(document.contents)) fail([], "expected a mapping with prices, discounts or choices");
  const parsed = fileSchema.safeParse(toPlain(document));
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => flatten(issue));
    const details = problems.slice(0, 5).map(({ path, message }) => `${place(document, counter, path)}: ${reasonOf(path, message)}`);
    const more = problems.length > 5 ? `; and ${problems.length - 5} more` : "";
    throw invalid(
      details[0]!.slice(0, details[0]!.indexOf(": ")),
      `${details.join("; ").slice(details[0]!.indexOf(": ") + 2)}${more}`,
      parsed.error,
    );
  }
  const source = options.source ?? parsed.data.source ?? ownSource;
  const records = parsed.data.prices.map((price, index) => toRecord(source, price, ["prices", index], fail));
  refuseOverlaps(records, (index) => place(document, counter, ["prices", index]));
  const discounts = parsed.data.discounts.map((discount, index) => toDiscount(source, discount, ["discounts", index], fail));
  const choices = parsed.data.choices.map((choice): PriceChoice => ({ ...choice, match: wildcardRule(choice.model) }));
  const kept = choices.map(({ provider, match, source: chosen }) => ({ provider, match, source: chosen }));
  const version = hashOf(JSON.stringify([records, discounts, kept]));
  const origin = source === ownSource ? "your own prices" : `the price file ${source}`;
  return { list: { source, version, origin, published: options.published, records, discounts, choices: kept }, skipped: [] };
}

/** A list as a price file that reads back equal. @throws RangeError for a list that only another format can say. */
export function writeFile(list: PriceList): string {
  const prices = list.records.map((record) => {
    if (JSON.stringify(record.match) !== JSON.stringify(wildcardRule(record.model)))
      throw new RangeError(`${record.id}: its rule is no name with wildcards`);
    const byQuote: { [quote in Quote]?: Record<string, unknown> } = {};
    for (const type of Object.keys(record.prices) as UsageClass[]) {
      const price = record.prices[type] as ClassPrice;
      const quote = quotes.find((one) => quotedUnits(type, one) === price.per);
      if (quote === undefined) throw new RangeError(`${record.id}: ${type} is priced for ${price.per}`);
      (byQuote[quote] ??= {})[type] = writePrice(price);
    }
    return {
      provider: record.provider,
      model: record.model,
      ...(record.tier === standard ? {} : { tier: record.tier }),
      ...(record.region === null ? {} : { region: record.region }),
      ...writeSpan(record),
      ...(record.window === null ? {} : { window: formatWindow(record.window) }),
      ...byQuote,
      ...(record.minimumUsd === undefined ? {} : { minimum: record.minimumUsd }),
      ...(record.contextWindow === null ? {} : { context: record.contextWindow }),
    };
  });
  const discounts = list.discounts.map((discount) => ({
    provider: discount.provider,
    ...(discount.match === null ? {} : { model: nameOf(discount.match) }),
    ...(discount.classes === null ? {} : { classes: discount.classes }),
    ...(discount.tiers === null ? {} : { tiers: discount.tiers }),
    times: discount.times,
    ...writeSpan(discount),
  }));
  const choices = list.choices.map(({ provider, match, source }) => ({ provider, model: nameOf(match), source }));
  const file = {
    ...(list.source === ownSource ? {} : { source: list.source }),
    prices,
    ...(discounts.length === 0 ? {} : { discounts }),
    ...(choices.length === 0 ? {} : { choices }),
  };
  return stringify(file, { lineWidth: 0, defaultStringType: "PLAIN", aliasDuplicateObjects: false });
}

function writePrice({ steps: all, marginal, atLeast }: ClassPrice): unknown {
  const [first] = all;
  if (all.length === 1 && marginal === undefined && atLeast === undefined) return first?.usd;
  return {
    steps: all.map(({ aboveTokens, usd }) => ({ above: Math.max(aboveTokens, 0), usd })),
    ...(marginal === undefined ? {} : { marginal }),
    ...(atLeast === undefined ? {} : { atLeast }),
  };
}

function writeSpan({ validFromMs, validToMs }: Pick<PriceRecord, "validFromMs" | "validToMs">): object {
  return {
    ...(validFromMs === null ? {} : { from: formatTime(validFromMs) }),
    ...(validToMs === null ? {} : { to: formatTime(validToMs) }),
  };
}

function nameOf(rule: PriceChoice["match"]): string {
  const name = nameOfRule(rule);
  if (name === null) throw new RangeError("the rule is no name with wildcards");
  return name;
}

/** @throws PennyworthError when names for repeated parts make the file larger than a file of prices is. */
function toPlain(document: Document): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw invalid("line 1, column 1", (cause as Error).message, cause);
  }
}

/** A price is what stands there, to the last digit, and not the float nearest to it. */
function keepDecimals(document: Document): void {
  visit(document, {
    Scalar: (_key, node, above) => {
      const keys = above.filter((one) => isPair(one)).map((pair) => (isScalar(pair.key) ? String(pair.key.value) : ""));
      const isDecimal = quotes.some((quote) => keys.includes(quote))
        ? !/^(above|atLeast)$/.test(keys.at(-1) ?? "")
        : /^(minimum|times)$/.test(keys.at(-1) ?? "");
      if (isDecimal && _key !== "key" && typeof node.value === "number" && node.source !== undefined) node.value = node.source;
    },
  });
}

/** Where a key stands, as an offset; null: nowhere. Of `__proto__` the schema never hears: it is dropped before. */
function keyOf(document: Document, key: string): number | null {
  let found: number | null = null;
  visit(document, {
    Pair: (_at, pair) => {
      if (!isScalar(pair.key) || pair.key.value !== key) return undefined;
      found = pair.key.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return found;
}

interface Problem {
  readonly path: Path;
  readonly message: string;
}

/** Of a union, what is wrong with the alternative that was meant: the one whose problems lie deepest. */
function flatten(issue: z.core.$ZodIssue, path: Path = []): readonly Problem[] {
  const here = [...path, ...issue.path];
  if (issue.code === "invalid_union" && issue.errors.length > 0 && issue.message === "Invalid input") {
    const branches = issue.errors.map((branch) => branch.flatMap((inner) => flatten(inner, here)));
    const depth = (branch: readonly Problem[]): number => Math.max(...branch.map((problem) => problem.path.length));
    return branches.toSorted((a, b) => depth(b) - depth(a))[0] ?? [];
  }
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ path: [...here, key], message: "no such setting" }));
  return [{ path: here, message: issue.message.endsWith("received undefined") ? "is missing" : issue.message }];
}

function reasonOf(path: Path, message: string): string {
  return path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`;
}

/** Where the value of a path stands, or the nearest above it. */
function place(document: Document, counter: LineCounter, path: Path): string {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? document.contents : (document.getIn(path.slice(0, length), true) as Node | undefined);
    const offset = isMap(node) ? (node.items[0]?.key as Node | undefined)?.range?.[0] : node?.range?.[0];
    if (offset === undefined) continue;
    const { line, col } = counter.linePos(offset);
    return `line ${line}, column ${col}`;
  }
  return "line 1, column 1";
}

/** How many decimals a number has as it is written. */
function decimalsOf(text: string): number {
  const [, fraction = "", exponent = "0"] = /^\d+(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  return fraction.length - Number(exponent);
}

type Fail = (path: Path, reason: string) => never;

function toRecord(source: string, price: PriceEntry, path: Path, fail: Fail): PriceRecord {
  const prices: { [type in UsageClass]?: ClassPrice } = {};
  for (const quote of quotes)
    for (const [type, given] of Object.entries(price[quote] ?? {})) {
      const at = [...path, quote, type];
      if (!isUsageClass(type))
        return fail(at, `${type} is no usage class; the nearest is ${nearest(type)}, and there are ${usageClassNames.join(", ")}`);
      if (type === "minimum") fail(at, "the least that a call costs is the setting minimum of its record");
      if (prices[type] !== undefined) fail(at, `${type} is priced twice`);
      const per = quotedUnits(type, quote);
      if (per === null) return fail(at, `perHour is for what is counted in time, and ${type} is counted by the ${usageClasses[type].unit}`);
      const made =
        typeof given === "string" ? { per, steps: [{ aboveTokens: -1, usd: forUnits(given, 1) }] } : toSteps(given, per, at, fail);
      for (const { usd } of made.steps) {
        const reason = dearOf(usd, per);
        if (reason !== null) fail(at, reason);
      }
      prices[type] = made;
    }
  if (Object.keys(prices).length === 0 && price.minimum === undefined)
    fail(path, "no price is given (perMillion, perThousand, perUnit or perHour)");
  const { fromMs, toMs } = spanOf(price, path, fail);
  const window = price.window === undefined ? null : toWindow(price.window);
  if (window !== null && window.fromMs === window.toMs) fail([...path, "window"], "it ends when it begins");
  const minimum = price.minimum === undefined ? null : forUnits(price.minimum, 1);
  if (minimum !== null && (minimum.split(".")[1] ?? "").length > 12) fail([...path, "minimum"], "a sum has at most 12 decimals");
  const dear = minimum === null ? null : dearOf(minimum, 1);
  if (dear !== null) fail([...path, "minimum"], dear);
  const tier = priceTier(price.tier ?? null);
  const region = price.region ?? null;
  const rest = {
    provider: price.provider,
    model: price.model,
    match: wildcardRule(price.model),
    contextWindow: price.context ?? null,
    tier,
    region,
    prices,
    validFromMs: fromMs,
    validToMs: toMs,
    window,
    ...(minimum === null ? {} : { minimumUsd: minimum }),
  };
  const marks = [
    fromMs === null ? "" : `@${formatTime(fromMs)}`,
    window === null ? "" : `@${formatWindow(window)}`,
    tier === standard ? "" : `@tier=${tier}`,
    region === null ? "" : `@region=${region}`,
  ];
  return { id: `${source}@${hashOf(JSON.stringify(rest))}/${price.provider}/${price.model}${marks.join("")}`, ...rest };
}

function toSteps(given: z.infer<typeof steps>, per: number, path: Path, fail: Fail): ClassPrice {
  const all = given.steps.map(({ above, usd }) => ({ aboveTokens: above, usd: forUnits(usd, 1) }));
  for (const [index, { aboveTokens }] of all.entries()) {
    const last = all[index - 1]?.aboveTokens;
    if (last === undefined ? aboveTokens !== 0 : aboveTokens <= last)
      fail(
        [...path, "steps", index],
        last === undefined
          ? "the first step must be above: 0, the price of every call"
          : `a step above ${aboveTokens} comes after one above ${last}`,
      );
  }
  return {
    per,
    steps: all.map((step, index) => (index === 0 ? { ...step, aboveTokens: -1 } : step)),
    ...(given.marginal === undefined ? {} : { marginal: given.marginal }),
    ...(given.atLeast === undefined ? {} : { atLeast: given.atLeast }),
  };
}

function toDiscount(source: string, given: z.infer<typeof discountSchema>, path: Path, fail: Fail): Discount {
  for (const type of given.classes ?? [])
    if (!isUsageClass(type)) fail([...path, "classes"], `${type} is no usage class; the nearest is ${nearest(type)}`);
  const times = forUnits(given.times, 1);
  const factor = parseRate(times, 1n);
  if (factor.pico > timesMax * factor.per)
    fail([...path, "times"], `${times} is what is paid of each dollar: 0.85 for 15 % off, 10 at most`);
  // A picodollar is the finest there is: what is finer than one of a dollar is no part that anybody gives.
  if (factor.per !== 1n) fail([...path, "times"], "what is paid of each dollar has at most 12 decimals");
  const { fromMs, toMs } = spanOf(given, path, fail);
  const rest = {
    provider: given.provider,
    match: given.model === undefined ? null : wildcardRule(given.model),
    classes: (given.classes as readonly UsageClass[] | undefined) ?? null,
    tiers: given.tiers?.map((tier) => priceTier(tier)) ?? null,
    times,
    validFromMs: fromMs,
    validToMs: toMs,
  };
  const id = `${source}@${hashOf(JSON.stringify(rest))}/${given.provider}~${times}${fromMs === null ? "" : `@${formatTime(fromMs)}`}`;
  return { id, ...rest };
}

function spanOf(
  given: { readonly from?: string | undefined; readonly to?: string | undefined },
  path: Path,
  fail: Fail,
): { fromMs: number | null; toMs: number | null } {
  const fromMs = given.from === undefined ? null : Date.parse(given.from);
  const toMs = given.to === undefined ? null : Date.parse(given.to);
  if (fromMs !== null && toMs !== null && toMs <= fromMs)
    fail([...path, "to"], "to is not after from; it is the first day on which the price holds no more");
  return { fromMs, toMs };
}

function toWindow(text: string): DailyWindow {
  const [from = "", to = ""] = text.split("-");
  return { fromMs: timeOfDay(from), toMs: timeOfDay(to) % dayMs };
}

function timeOfDay(text: string): number {
  const [hours, minutes] = text.split(":");
  return (Number(hours) * 60 + Number(minutes)) * 60_000;
}

function formatWindow({ fromMs, toMs }: DailyWindow): string {
  return `${clock(fromMs)}-${clock(toMs)}`;
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16);
}

/** @throws PennyworthError when two records could both be the price of one call. */
function refuseOverlaps(records: readonly PriceRecord[], placeOfRecord: (index: number) => string): void {
  const groups = new Map<string, number[]>();
  for (const [index, record] of records.entries()) {
    const key = JSON.stringify([record.provider, record.model.toLowerCase(), record.tier, record.region]);
    for (const other of groups.get(key) ?? [])
      if (isBoth(records[other] as PriceRecord, record))
        throw invalid(
          placeOfRecord(index),
          `${record.provider}/${record.model} has a price for the same time already, at ${placeOfRecord(other)}`,
        );
    groups.set(key, [...(groups.get(key) ?? []), index]);
  }
}

function isBoth(a: PriceRecord, b: PriceRecord): boolean {
  const meets = (a.validFromMs ?? -Infinity) < (b.validToMs ?? Infinity) && (b.validFromMs ?? -Infinity) < (a.validToMs ?? Infinity);
  if (!meets || (a.window === null) !== (b.window === null)) return false;
  return (
    a.window === null ||
    b.window === null ||
    partsOf(a.window).some(([from, to]) => partsOf(b.window as DailyWindow).some(([start, end]) => from < end && start < to))
  );
}

function partsOf({ fromMs, toMs }: DailyWindow): readonly (readonly [number, number])[] {
  return fromMs < toMs
    ? [[fromMs, toMs]]
    : [
        [fromMs, dayMs],
        [0, toMs],
      ];
}

function nearest(type: string): string {
  return usageClassNames.toSorted((a, b) => distance(type, a) - distance(type, b))[0] as string;
}
