// What a provider itself says a call cost, as exact decimal text of dollars: read from the digits of its JSON, never through a float.
// Not here: our own reckoning (core/rating.ts). Invariant: a cost that cannot be read exactly, or is only a part, is absent, with a doubt.
// Sources: OpenRouter (usage accounting; a credit is a dollar), Perplexity (usage.cost), xAI (cost tracking: 10,000,000,000 ticks a dollar).

import { isTrue, member, type Node, scan } from "./scan.ts";
import type { Doubts } from "./tally.ts";

/** Decimals of xAI's tick. */
const tickDecimals = 10;
/** A cost with more digits than this, before or behind the point, is nobody's. */
const digitsMax = 60;

/** A decimal number: `digits` × 10^-`decimals`. */
interface Decimal {
  readonly digits: bigint;
  readonly decimals: number;
}

/**
 * The cost that a usage object reports. A call with the caller's own key at the model's maker costs what the maker bills beside the fee.
 * @param raw the usage object, word for word; null when there was none.
 * @returns dollars, `"0.0000123"`; undefined when none is reported.
 */
export function reportedCost(raw: string | null, doubts: Doubts): string | undefined {
  if (raw === null || !(raw.includes('"cost') || raw.includes('"total_cost'))) return undefined;
  const bytes = Buffer.from(raw);
  const usage = scan(bytes, 2);
  const cost = member(usage, "cost");
  const ticks = member(usage, "cost_in_usd_ticks");
  if (ticks !== undefined && ticks.kind !== "null") {
    const said = decimalAt(bytes, ticks, "cost_in_usd_ticks", doubts);
    return said === undefined ? undefined : textOf({ digits: said.digits, decimals: said.decimals + tickDecimals });
  }
  if (cost === undefined || cost.kind === "null") return undefined;
  if (cost.kind === "object") {
    const total = member(cost, "total_cost");
    if (total === undefined || total.kind === "null") return undefined;
    const said = decimalAt(bytes, total, "cost.total_cost", doubts);
    return said === undefined ? undefined : textOf(said);
  }
  const fee = decimalAt(bytes, cost, "cost", doubts);
  if (fee === undefined) return undefined;
  if (!isTrue(bytes, member(usage, "is_byok"))) return textOf(fee);
  const upstream = member(member(usage, "cost_details"), "upstream_inference_cost");
  if (upstream === undefined || upstream.kind === "null") {
    doubts.say("cost is the fee for a key of one's own: what the model's provider bills beside it is not reported");
    return undefined;
  }
  const bill = decimalAt(bytes, upstream, "upstream_inference_cost", doubts);
  return bill === undefined ? undefined : textOf(sum(fee, bill));
}

function decimalAt(bytes: Buffer, node: Node, name: string, doubts: Doubts): Decimal | undefined {
  const decimal = node.kind === "number" ? parseDecimal(bytes.toString("latin1", node.start, node.end)) : undefined;
  if (decimal === undefined) doubts.say(`${name} is not an amount`);
  return decimal;
}

const number = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/** A JSON number, not negative, exactly; undefined when it is none, or longer than any amount. */
function parseDecimal(text: string): Decimal | undefined {
  const match = number.exec(text);
  if (match === null || text.length > digitsMax) return undefined;
  const [, whole = "", fraction = "", exponent = "0"] = match;
  const decimals = fraction.length - Number(exponent);
  if (Math.abs(decimals) > digitsMax) return undefined;
  const digits = BigInt(whole + fraction);
  return decimals >= 0 ? { digits, decimals } : { digits: digits * 10n ** BigInt(-decimals), decimals: 0 };
}

function sum(a: Decimal, b: Decimal): Decimal {
  const decimals = Math.max(a.decimals, b.decimals);
  const scaled = ({ digits, decimals: own }: Decimal): bigint => digits * 10n ** BigInt(decimals - own);
  return { digits: scaled(a) + scaled(b), decimals };
}

/** Without zeros that say nothing: `"0"`, `"12"`, `"0.5"`. */
function textOf({ digits, decimals }: Decimal): string {
  if (decimals === 0) return digits.toString();
  const text = digits.toString().padStart(decimals + 1, "0");
  const fraction = text.slice(-decimals).replace(/0+$/, "");
  return fraction === "" ? text.slice(0, -decimals) : `${text.slice(0, -decimals)}.${fraction}`;
}
