// What is odd about a list of prices, and may be a mistake: of units, of a digit, of a column. Not here: whether the list is taken; people
// decide. Invariant: prices are compared with one another exactly, and what real lists say on purpose is not called odd.

import type { Book } from "../core/book.ts";
import { formatRate, parseRate, type Rate } from "../core/money.ts";
import { compareText } from "../core/order.ts";
import { type ClassPrice, type PriceRecord, standard } from "../core/price.ts";
import { listUnits } from "../core/quote.ts";
import { type UsageClass, usageClasses } from "../core/usage.ts";
import type { PriceList } from "./list.ts";
import { atOnce, sorting, type Work } from "./pace.ts";
import type { ListWarning } from "./view.ts";

/**
 * A price so many times its provider's median, or that part of it, is a mistake of units: lists mean a thousand or a million of something.
 * A hundred times is enough where models of nearly the same name cost a twentieth: o1-pro is 300 times the median, and meant so.
 */
const neighbourTimes = 1000n;
const familyTimes = 20n;
const farTimes = 100n;
/** Fewest models of a provider that make a measure. */
const neighboursMin = 8;
/** Against the book's own price of the model, and against the day before: prices fall, but rarely by so much. */
const otherTimes = 8n;
const stepTimes = 10n;
/** Dollars per million tokens beyond which nothing is sold, and below which: a price per token, or per thousand. */
const dearest = parseRate("2000", 1_000_000n);
const cheapest = parseRate("0.0002", 1_000_000n);

type Warn = (record: PriceRecord, name: UsageClass | null, detail: string) => void;

/** `book`: what is known without the list. Sorted by provider and model. */
export function checkList(list: PriceList, book?: Book): readonly ListWarning[] {
  return atOnce(checking(list, book));
}

/** The same, to be left between two records. */
export function* checking(list: PriceList, book?: Book): Work<readonly ListWarning[]> {
  const warnings = new Map<string, ListWarning>();
  const warn: Warn = ({ provider, model, tier, region, validFromMs }, name, detail) => {
    const marks = [
      tier === standard ? "" : ` in ${tier}`,
      region === null ? "" : ` in ${region}`,
      validFromMs === null ? "" : ` from ${new Date(validFromMs).toISOString().slice(0, 10)}`,
    ];
    const told = `${detail}${marks.join("")}`;
    warnings.set(JSON.stringify([provider, model, name, told]), { provider, model, class: name, detail: told });
  };
  const medians = yield* mediansOf(list);
  const byModel = new Map<string, PriceRecord[]>();
  for (const record of list.records) {
    const key = JSON.stringify([record.provider, record.model, record.region]);
    const same = byModel.get(key);
    if (same === undefined) byModel.set(key, [record]);
    else same.push(record);
  }
  for (const records of byModel.values())
    for (const record of records) {
      yield;
      checkClasses(record, warn);
      checkNeighbours(record, medians, warn);
      checkTier(record, records, warn);
      checkBefore(record, records, warn);
      if (book !== undefined) checkBook(record, book, warn);
    }
  return yield* sorting([...warnings.values()], (a, b) => compareText(a.provider, b.provider) || compareText(a.model, b.model));
}

function rateOf(record: PriceRecord, name: UsageClass): Rate | null {
  const price = record.prices[name];
  const usd = price?.steps[0]?.usd;
  return price === undefined || usd === undefined ? null : parseRate(usd, BigInt(price.per));
}

/** `a` is more than `times` times `b`. */
function exceeds(a: Rate, b: Rate, times: bigint): boolean {
  return a.pico * b.per > b.pico * a.per * times;
}

/** `$3 per million`, as lists put it. */
function tell(rate: Rate, name: UsageClass): string {
  const units = listUnits(name);
  return `$${formatRate(rate, BigInt(units)) ?? "…"} ${units === 1_000 ? "per thousand" : "per million"}`;
}

/** What one record says against itself. */
function checkClasses(record: PriceRecord, warn: Warn): void {
  const input = rateOf(record, "input");
  const output = rateOf(record, "output");
  for (const name of Object.keys(record.prices) as UsageClass[]) {
    const rate = rateOf(record, name);
    if (rate === null || usageClasses[name].unit !== "token" || rate.pico === 0n || usageClasses[name].direction === "period") continue;
    if (exceeds(rate, dearest, 1n)) warn(record, name, `${tell(rate, name)}: dearer than anything sold; a price of another unit?`);
    else if (exceeds(cheapest, rate, 1n))
      warn(record, name, `${tell(rate, name)}: cheaper than anything sold; a price for one token, or for a thousand?`);
    checkSteps(record, name, record.prices[name] as ClassPrice, warn);
  }
  const below = (name: UsageClass, low: Rate | null, than: UsageClass, high: Rate | null, why: string): void => {
    if (low !== null && high !== null && low.pico > 0n && high.pico > 0n && exceeds(high, low, 1n))
      warn(record, name, `${tell(low, name)}, and ${than} ${tell(high, than)}: ${why}`);
  };
  below("output", output, "input", input, "output cheaper than input");
  const [read, audioRead] = [rateOf(record, "cache_read"), rateOf(record, "cache_read_audio")];
  if (read !== null && input !== null && input.pico > 0n && exceeds(read, input, 1n))
    warn(
      record,
      "cache_read",
      `${tell(read, "cache_read")}, and input ${tell(input, "input")}: a cached token dearer than one that is not`,
    );
  const audio = rateOf(record, "input_audio");
  if (audioRead !== null && audio !== null && audio.pico > 0n && exceeds(audioRead, audio, 1n))
    warn(
      record,
      "cache_read_audio",
      `${tell(audioRead, "cache_read_audio")}, and input_audio ${tell(audio, "input_audio")}: cached audio dearer than audio that is not`,
    );
  // Of Gemini some list what five minutes of storage cost as a write.
  for (const name of record.model.includes("gemini") ? [] : (["cache_write", "cache_write_5m", "cache_write_1h"] as const))
    below(name, rateOf(record, name), "input", input, "a write to the cache cheaper than plain input");
  const hour = rateOf(record, "cache_write_1h");
  const short = rateOf(record, "cache_write_5m") ?? rateOf(record, "cache_write");
  if (hour !== null && short !== null && short.pico > 0n && (exceeds(hour, short, 3n) || exceeds(short, hour, 1n)))
    warn(
      record,
      "cache_write_1h",
      `${tell(hour, "cache_write_1h")}, and a short write ${tell(short, "cache_write")}: an hour costs 1.6 times as much where it is sold`,
    );
}

/** Prices for long prompts are not lower, nor many times higher. */
function checkSteps(record: PriceRecord, name: UsageClass, price: ClassPrice, warn: Warn): void {
  for (const [index, step] of price.steps.entries()) {
    const last = price.steps[index - 1];
    if (last === undefined) continue;
    const [before, rate] = [parseRate(last.usd, BigInt(price.per)), parseRate(step.usd, BigInt(price.per))];
    if (exceeds(before, rate, 1n))
      warn(record, name, `above ${step.aboveTokens} tokens ${tell(rate, name)}, and below ${tell(before, name)}: a longer prompt cheaper`);
    else if (before.pico > 0n && exceeds(rate, before, otherTimes))
      warn(record, name, `above ${step.aboveTokens} tokens ${tell(rate, name)}, and below ${tell(before, name)}`);
  }
}

/** Models whose names begin alike: `gemini-2.0`, `claude-opus`. */
function familyOf({ provider, model }: PriceRecord, name: UsageClass): string {
  const bare = model.toLowerCase().slice(model.lastIndexOf("/") + 1);
  return `${provider}\n${name}\n${bare.split("-").slice(0, 2).join("-")}`;
}

/** By provider and class, and by family, the median of its models' prices in the list. */
function* mediansOf(list: PriceList): Work<ReadonlyMap<string, Rate>> {
  const all = new Map<string, Rate[]>();
  const seen = new Set<string>();
  for (const record of list.records) {
    if (record.tier !== standard || record.region !== null) continue;
    yield;
    for (const name of Object.keys(record.prices) as UsageClass[]) {
      const rate = rateOf(record, name);
      const place = `${record.provider}\n${record.model}\n${name}`;
      if (rate === null || rate.pico === 0n || seen.has(place)) continue;
      seen.add(place);
      for (const key of [`${record.provider}\n${name}`, familyOf(record, name)]) {
        const rates = all.get(key);
        if (rates === undefined) all.set(key, [rate]);
        else rates.push(rate);
      }
    }
  }
  const medians = new Map<string, Rate>();
  for (const [key, rates] of all) {
    yield;
    if (rates.length < (key.split("\n").length === 2 ? neighboursMin : 2)) continue;
    const sorted = yield* sorting(rates, (a, b) => (exceeds(b, a, 1n) ? -1 : exceeds(a, b, 1n) ? 1 : 0));
    medians.set(key, sorted[Math.floor(rates.length / 2)] as Rate);
  }
  return medians;
}

function checkNeighbours(record: PriceRecord, medians: ReadonlyMap<string, Rate>, warn: Warn): void {
  for (const name of Object.keys(record.prices) as UsageClass[]) {
    const rate = rateOf(record, name);
    const median = medians.get(`${record.provider}\n${name}`);
    if (rate === null || rate.pico === 0n || median === undefined) continue;
    // Said already, of what is like no price at all.
    if (exceeds(rate, dearest, 1n) || (usageClasses[name].unit === "token" && exceeds(cheapest, rate, 1n))) continue;
    const family = medians.get(familyOf(record, name));
    const isFar = family !== undefined && exceeds(rate, family, familyTimes) && exceeds(rate, median, farTimes);
    if (isFar || exceeds(rate, median, neighbourTimes))
      warn(record, name, `${tell(rate, name)}, ${timesOf(rate, median)} times the ${tell(median, name)} of its provider's other models`);
    else if (exceeds(median, rate, neighbourTimes))
      warn(record, name, `${tell(rate, name)}, a ${timesOf(median, rate)}th of the ${tell(median, name)} of its provider's other models`);
  }
}

/** To the nearest whole, for people. */
function timesOf(a: Rate, b: Rate): string {
  const twice = (2n * a.pico * b.per) / (b.pico * a.per);
  return ((twice + 1n) / 2n).toString();
}

const cheaperTiers = new Set(["batch", "flex"]);
const dearerTiers = new Set(["priority", "fast"]);

function checkTier(record: PriceRecord, records: readonly PriceRecord[], warn: Warn): void {
  if (record.tier === standard) return;
  const base = records.find((other) => other.tier === standard && meets(other, record));
  if (base === undefined) return;
  for (const name of Object.keys(record.prices) as UsageClass[]) {
    const [rate, plain] = [rateOf(record, name), rateOf(base, name)];
    if (rate === null || plain === null || rate.pico === 0n || plain.pico === 0n) continue;
    if (exceeds(rate, plain, otherTimes))
      warn(record, name, `${tell(rate, name)}, ${timesOf(rate, plain)} times the standard price ${tell(plain, name)}`);
    const isOdd = cheaperTiers.has(record.tier) ? exceeds(rate, plain, 1n) : dearerTiers.has(record.tier) && exceeds(plain, rate, 1n);
    if (isOdd)
      warn(
        record,
        name,
        `${tell(rate, name)}, and the standard price ${tell(plain, name)}: ${record.tier} ${cheaperTiers.has(record.tier) ? "dearer" : "cheaper"} than that`,
      );
  }
}

/** A price ten times the one before it, or a tenth: one of the two may be a mistake that was put right. Said of the one that is odder. */
function checkBefore(record: PriceRecord, records: readonly PriceRecord[], warn: Warn): void {
  const next = records.find((other) => other.tier === record.tier && other.validFromMs !== null && other.validFromMs === record.validToMs);
  if (next === undefined) return;
  for (const name of Object.keys(record.prices) as UsageClass[]) {
    const [rate, after] = [rateOf(record, name), rateOf(next, name)];
    if (rate === null || after === null || rate.pico === 0n || after.pico === 0n) continue;
    const [isFall, isRise] = [!exceeds(after, rate, 1n) && exceeds(rate, after, stepTimes - 1n), exceeds(after, rate, stepTimes - 1n)];
    if (isFall) warn(record, name, `${tell(rate, name)}, and ${tell(after, name)} after: ${timesOf(rate, after)} times less`);
    if (isRise) warn(next, name, `${tell(after, name)}, and ${tell(rate, name)} before: ${timesOf(after, rate)} times more`);
  }
}

function checkBook(record: PriceRecord, book: Book, warn: Warn): void {
  const atMs = record.validFromMs ?? (record.validToMs === null ? Number.MAX_SAFE_INTEGER : record.validToMs - 1);
  const { provider, model, tier, region } = record;
  const tariff = book.find({ provider, model, tier, region, atMs });
  if (tariff === null) return;
  for (const name of Object.keys(record.prices) as UsageClass[]) {
    const rate = rateOf(record, name);
    const step = tariff.prices[name]?.[0];
    if (rate === null || step === undefined || !step.price.includes(`#${name}`)) continue;
    if (rate.pico === 0n && step.rate.pico > 0n) warn(record, name, `free, and ${tell(step.rate, name)} in the book`);
    else if (step.rate.pico === 0n || rate.pico === 0n) continue;
    else if (exceeds(rate, step.rate, otherTimes))
      warn(record, name, `${tell(rate, name)}, ${timesOf(rate, step.rate)} times the ${tell(step.rate, name)} in the book`);
    else if (exceeds(step.rate, rate, otherTimes))
      warn(record, name, `${tell(rate, name)}, a ${timesOf(step.rate, rate)}th of the ${tell(step.rate, name)} in the book`);
  }
}

function meets(a: PriceRecord, b: PriceRecord): boolean {
  return (a.validFromMs ?? -Infinity) < (b.validToMs ?? Infinity) && (b.validFromMs ?? -Infinity) < (a.validToMs ?? Infinity);
}
