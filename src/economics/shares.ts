// A cost that many share (a pool, provisioned capacity, a subscription) divided among its holders by a stated rule. Not here: what calls cost by
// themselves, and which rule is right. Invariant: the lines and the idle line add up to the cost, to the last digit.

import { allocate, type Pico, zero } from "../core/money.ts";

/**
 * - `usage`: in proportion to usage, so that who uses it pays its idle time too.
 * - `reserved`: in proportion to what each has reserved; the idle part of that is its holder's own. What nobody reserved is idle.
 * - `idle apart`: usage pays for its part of the capacity; the rest is idle, on a line of its own.
 * - `even`: all holders alike.
 */
export type ShareRule = "usage" | "reserved" | "idle apart" | "even";

export const shareRules: readonly ShareRule[] = ["usage", "reserved", "idle apart", "even"];

export interface Holder {
  readonly key: string;
  /** Units used (tokens, GPU seconds, unit hours …), a whole number. */
  readonly usage: number;
  /** Units reserved over the same span; null: nobody says. */
  readonly reserved: number | null;
}

export interface Shared {
  readonly costPico: Pico;
  /** Units there were to use over the span; null: nobody says, or there is no such bound (paid per token). */
  readonly capacity: number | null;
}

export interface ShareLine {
  readonly key: string;
  readonly pico: Pico;
  /** Of `pico`, what was paid for reserved units that stood idle. Null: the rule does not tell idle from used. */
  readonly idlePico: Pico | null;
  /** Units used beyond those reserved; null where nobody says what is. They ran on what others left idle, and no rule charges them apart. */
  readonly overUnits: number | null;
}

export interface Shares {
  readonly rule: ShareRule;
  readonly costPico: Pico;
  /** In the order of the holders. */
  readonly lines: readonly ShareLine[];
  /** What no holder pays: capacity that nobody used or reserved, or the whole, where there is nobody to pay it. */
  readonly idlePico: Pico;
  /** Units behind `idlePico`; null where the capacity is not known or not looked at. */
  readonly idleUnits: number | null;
  /** Units used (or, by `reserved`, promised) beyond the capacity stated; above zero means a figure above is wrong, or that it was oversold. */
  readonly excessUnits: number | null;
}

/**
 * Divides `shared` by `rule`, by largest remainder (`allocate`). Where no holder has any weight (nobody used, or reserved, anything), the cost is idle.
 * @throws RangeError when units are no whole number, a holder is named twice, or a rule lacks what it divides by: `idle apart` a capacity,
 * `reserved` what a holder has reserved.
 */
export function shareCost(shared: Shared, holders: readonly Holder[], rule: ShareRule): Shares {
  check(shared, holders);
  const { costPico, capacity } = shared;
  if (rule === "idle apart" && capacity === null) {
    throw new RangeError("idle cannot be told apart without a capacity: state it, or divide by usage");
  }
  const unsaid = rule === "reserved" ? holders.find(({ reserved }) => reserved === null) : undefined;
  if (unsaid !== undefined) {
    throw new RangeError(`nobody says what ${JSON.stringify(unsaid.key)} has reserved: state it (0 for nothing), or divide by usage`);
  }
  const weights = holders.map((holder) => weightOf(holder, rule));
  const taken = weights.reduce((a, b) => a + b, 0n);
  const isBounded = capacity !== null && (rule === "idle apart" || rule === "reserved");
  const free = isBounded ? BigInt(capacity) - taken : null;
  const idle = free !== null && free > 0n ? free : 0n;
  // A last weight for what is idle; with nothing taken it is all there is.
  const parts = taken === 0n ? [...holders.map(() => zero), costPico] : allocate(costPico, [...weights, idle]);
  return {
    rule,
    costPico,
    lines: holders.map((holder, index) => {
      const pico = parts[index] ?? zero;
      return { key: holder.key, pico, idlePico: rule === "reserved" ? idleOf(holder, pico) : null, overUnits: overOf(holder) };
    }),
    idlePico: parts.at(-1) ?? zero,
    idleUnits: free === null ? null : Number(idle),
    excessUnits: free === null ? null : Number(free < 0n ? -free : 0n),
  };
}

function weightOf({ usage, reserved }: Holder, rule: ShareRule): bigint {
  switch (rule) {
    case "usage":
    case "idle apart":
      return BigInt(usage);
    case "reserved":
      return BigInt(reserved ?? 0);
    case "even":
      return 1n;
  }
}

function idleOf({ usage, reserved }: Holder, pico: Pico): Pico {
  if (reserved === null || reserved === 0) return zero;
  const used = BigInt(Math.min(usage, reserved));
  return allocate(pico, [used, BigInt(reserved) - used])[1] ?? zero;
}

function overOf({ usage, reserved }: Holder): number | null {
  return reserved === null ? null : Math.max(0, usage - reserved);
}

function check({ capacity }: Shared, holders: readonly Holder[]): void {
  const keys = new Set<string>();
  for (const { key, usage, reserved } of holders) {
    if (keys.has(key)) throw new RangeError(`a holder is named twice, add up its usage first: ${JSON.stringify(key)}`);
    keys.add(key);
    checkUnits(`usage of ${JSON.stringify(key)}`, usage);
    if (reserved !== null) checkUnits(`reserved by ${JSON.stringify(key)}`, reserved);
  }
  if (capacity !== null) checkUnits("capacity", capacity);
}

function checkUnits(what: string, units: number): void {
  if (!Number.isSafeInteger(units) || units < 0) throw new RangeError(`${what}: units are a whole number, zero or more: ${units}`);
}
