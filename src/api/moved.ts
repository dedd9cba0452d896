// Why a bill moved, in one sentence: by how much, and what moved it most. Not here: the amounts (economics/drivers.ts). Invariant: pure, and all that
// the command line and the page say in words comes from here; the amounts named add up to the change as it is named, and what is not known is never
// said to be nothing.

import { apportion, divideHalfEven, parseUsd, roundUsd } from "../core/money.ts";
import type { DriverFactor, Drivers } from "../economics/drivers.ts";
import { boundOf } from "./bounds.ts";

/** What an amount above zero is, and one below. */
const words: Readonly<Record<DriverFactor, readonly [more: string, less: string]>> = {
  new_work: ["new work", "new work"],
  stopped_work: ["stopped work", "stopped work"],
  volume: ["more tasks", "fewer tasks"],
  type_mix: ["more of the dearer work", "more of the cheaper work"],
  calls_per_task: ["more calls per task", "fewer calls per task"],
  model_mix: ["dearer models", "cheaper models"],
  retries: ["more retries", "fewer retries"],
  tokens_per_call: ["more tokens per call", "fewer tokens per call"],
  token_kind: ["more of the dearer tokens", "more of the cheaper tokens"],
  cache: ["less from the cache", "more from the cache"],
  price_list: ["higher list prices", "lower list prices"],
  tier_and_discount: ["dearer tiers or less discount", "cheaper tiers or more discount"],
  unexplained: ["prices that are not known", "prices that are not known"],
  other_charges: ["charges of periods", "charges of periods"],
};

/** What of charges that belong to no call a line is: `keys` are `PROVIDER CLASS`, of those that moved. */
export function nameOther(keys: readonly string[]): string {
  const tasks = keys.filter((key) => ofTasks.test(key)).length;
  return tasks === 0 ? factorNames.other_charges : tasks === keys.length ? "costs of tasks from elsewhere" : "other charges";
}

const ofTasks = / task$/;

/** One of them in words. */
export function nameCharge(key: string): string {
  if (!ofTasks.test(key)) return key;
  const provider = key.replace(ofTasks, "");
  return provider === "elsewhere" ? "costs of tasks from elsewhere" : `costs of tasks from elsewhere (${provider})`;
}

const namedMax = 4;

/** Before a difference that is above zero, and before the size of one below it. */
const marks: Readonly<Record<ReturnType<typeof boundOf>, readonly [more: string, less: string]>> = {
  exact: ["", ""],
  "at least": ["≥ ", "≤ "],
  "at most": ["≤ ", "≥ "],
  none: ["? ", "? "],
};

/**
 * @param against what the earlier span is called: "the 30 days before".
 * @param isWhole whether all of a span's cost is known: else it is at least what is said.
 * @param other what charges that belong to no call are called.
 */
export function sentenceOf(
  { beforePico, afterPico, changePico, lines }: Drivers,
  against: string,
  isWhole: { readonly before: boolean; readonly after: boolean },
  other: string = factorNames.other_charges,
): string {
  const unknown = { before: beforePico === 0n && !isWhole.before, after: afterPico === 0n && !isWhole.after };
  if (beforePico === 0n && afterPico === 0n) {
    if (unknown.before && unknown.after) return "What was spent is unknown in both spans.";
    if (unknown.after) return "What was spent is unknown; nothing was spent before.";
    return unknown.before ? "Nothing was spent; what was spent before is unknown." : "Nothing was spent in either span.";
  }
  const bound = boundOf(isWhole.after, isWhole.before);
  const same = `${bound === "at least" ? "At least as" : bound === "at most" ? "At most as" : "As"} much as ${against}${bound === "none" ? ", as far as prices are known" : ""}`;
  const size = magnitude(changePico);
  const moved = lines.filter((line) => line.pico !== 0n).toSorted((a, b) => compare(magnitude(b.pico), magnitude(a.pico)));
  if (moved.length === 0) return `${same}: ${isWhole.after ? "" : "≥ "}${usd(afterPico)}.`;
  const gross = moved.reduce((sum, line) => sum + magnitude(line.pico), 0n);
  // What is less than a hundredth of all that moved says nothing.
  const told = moved.slice(0, namedMax).filter((line, index) => index === 0 || magnitude(line.pico) * 100n >= gross);
  const rest = changePico - told.reduce((sum, line) => sum + line.pico, 0n);
  // All with as many decimals as the change itself, and by largest remainder: who adds them up comes to what is said.
  const decimals = decimalsOf(size === 0n ? gross : size);
  const unit = 10n ** BigInt(12 - decimals);
  const shown = apportion(
    divideHalfEven(changePico, unit),
    [...told.map((line) => line.pico), rest].map((part) => Number(part) / Number(unit)),
  ).map((units) => units * unit);
  const named = told.flatMap((line, index) => {
    const amount = shown[index] ?? 0n;
    if (amount === 0n) return [];
    const [first] = line.byKey;
    // A type that most of it is of.
    const type = first?.type ?? null;
    const ofType = line.byKey.reduce((sum, one) => sum + (one.type === type ? one.pico : 0n), 0n);
    const whose = type === null || type === "" || magnitude(ofType) * 2n < magnitude(line.pico) ? "" : ` (${type})`;
    const word = line.factor === "other_charges" ? other : words[line.factor][line.pico < 0n ? 1 : 0];
    return [`${signed(amount, decimals)} ${word}${whose}`];
  });
  const left = shown.at(-1) ?? 0n;
  if (left !== 0n) named.push(`${signed(left, decimals)} all else`);
  const [more, less] = marks[bound];
  const head =
    changePico === 0n ? same : changePico < 0n ? `${less}${usd(size)} less than ${against}` : `${more}${usd(size)} more than ${against}`;
  const open = [
    ...(unknown.before ? [" What was spent before is unknown."] : []),
    ...(unknown.after ? [" What was spent after is unknown."] : []),
  ];
  return `${head}: ${named.join(", ")}.${open.join("")}`;
}

/** What the lines are called, in their order. */
export const factorNames: Readonly<Record<DriverFactor, string>> = {
  new_work: "new work",
  stopped_work: "stopped work",
  volume: "tasks",
  type_mix: "mix of work",
  calls_per_task: "calls per task",
  model_mix: "mix of models",
  retries: "retries",
  tokens_per_call: "tokens per call",
  token_kind: "kinds of tokens",
  cache: "cache",
  price_list: "list prices",
  tier_and_discount: "tiers and discounts",
  unexplained: "price not known",
  other_charges: "charges of periods",
};

function signed(amount: bigint, decimals: number): string {
  return amount < 0n ? `−${usd(-amount, decimals)}` : usd(amount, decimals);
}

/** Exact amounts stand beside it. */
function usd(amount: bigint, decimals = decimalsOf(amount)): string {
  const [whole = "", part = ""] = roundUsd(amount, decimals).split(".");
  return `$${whole.replaceAll(/\B(?=(\d{3})+$)/g, ",")}.${part.replace(/^(\d\d\d*?)0+$/, "$1")}`;
}

/** To the cent from a dollar on, else to three digits that matter. */
function decimalsOf(amount: bigint): number {
  if (amount >= parseUsd("1") || amount === 0n) return 2;
  return Math.min(12, Math.max(2, 12 - amount.toString().length + 3));
}

function magnitude(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
