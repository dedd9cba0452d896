// A call's receipt: every line of its cost with what it was made of, recomputed, and what is not sure about it, in words.
// Not here: where records and price sources come from. Invariant: the total is the sum of the lines, and nothing is rounded for show.

import type { CallEnd, CallStart } from "../core/call.ts";
import { type Charge, type Rating, total } from "../core/charge.ts";
import { markOf } from "../core/mark.ts";
import { cost, formatRate, formatUsd } from "../core/money.ts";
import { rateUnits } from "../core/quote.ts";
import { inForce } from "../core/resolve.ts";
import { type QuantitySource, type Usage, type UsageClass, totalQuantities, usageClasses } from "../core/usage.ts";
import type { Booking, CallRecord } from "../ledger/store.ts";

export interface ReceiptLine {
  class: UsageClass;
  unit: string;
  /** Which sampling step of the call, from 0. */
  part: number;
  quantity: number;
  source: QuantitySource;
  /** The model whose price was used. */
  model: string;
  /** The price's version, and where that version came from. */
  price: string;
  priceSource: string | null;
  /** The rate as a ratio of integers: picodollars for every `ratePer` units. */
  ratePico: string;
  ratePer: string;
  /** The same rate in dollars for `rateUnits` units, exactly; null when no decimal number is exact. */
  rateUsd: string | null;
  rateUnits: number;
  cost: string;
  /** Whether quantity × rate gives this cost again. */
  recomputed: boolean;
}

export interface Receipt {
  call: string;
  status: CallEnd["status"] | "open";
  lines: ReceiptLine[];
  total: string;
  /** Whether every line recomputes. */
  recomputed: boolean;
  unpriced: { class: UsageClass; quantity: number | null }[];
  /** What is unpriced, doubtful, partial or presumed, in words; empty when the receipt is sure. */
  notes: string[];
  /** The provider's own usage object, word for word. */
  usage: string | null;
  start: CallStart | null;
  end: Omit<CallEnd, "charges" | "unpriced" | "usage"> | null;
  witnesses: string[];
  /** What was charged before any correction; null: there is none. */
  original: Amended | null;
  /** What re-ratings said, the earliest first. `holds`: the one in force. */
  corrections: (Amended & { rerate: string; atMs: number; holds: boolean })[];
  /** What was booked for it later, since its month was closed. */
  bookings: (Omit<Booking, "lines"> & { lines: Booking["lines"][number][] })[];
}

/** What a call was charged with by one rating. */
export interface Amended {
  lines: { class: UsageClass; quantity: number; price: string; cost: string }[];
  total: string;
  unpriced: UsageClass[];
}

/** @param priceSource says where a price version came from; null when the book does not know it any more. */
export function toReceipt(record: CallRecord, priceSource: (version: string) => string | null): Receipt {
  const { start, end } = record;
  const charges = end?.charges ?? [];
  const lines = charges.map((charge) => toLine(charge, priceSource));
  const quantities = end?.usage ? totalQuantities(end.usage) : {};
  const unpriced = (end?.unpriced ?? []).map((name) => ({ class: name, quantity: quantities[name] ?? null }));
  return {
    call: record.id,
    status: end?.status ?? "open",
    lines,
    total: formatUsd(total(charges)),
    recomputed: lines.every((line) => line.recomputed),
    unpriced,
    notes: describe(record, lines, unpriced),
    usage: end?.usage?.raw ?? null,
    start,
    end: end === null ? null : toBareEnd(end),
    witnesses: [...record.witnesses],
    ...toAmendments(record),
  };
}

function toAmendments({
  original,
  corrections = [],
  bookings = [],
  end,
}: CallRecord): Pick<Receipt, "original" | "corrections" | "bookings"> {
  const mark = original === undefined || end === null ? "" : markOf({ usage: end.usage, charges: original.charges });
  const held = inForce(corrections, mark);
  return {
    original: original === undefined ? null : toAmended(original),
    corrections: corrections.map((one) => Object.assign(toAmended(one), { rerate: one.rerate, atMs: one.atMs, holds: one === held })),
    bookings: bookings.map((one) => Object.assign({}, one, { lines: [...one.lines] })),
  };
}

function toAmended({ charges, unpriced }: Rating): Amended {
  return {
    lines: charges.map(({ class: name, quantity, price, costPico }) => ({ class: name, quantity, price, cost: formatUsd(costPico) })),
    total: formatUsd(total(charges)),
    unpriced: [...unpriced],
  };
}

/** Whether another model answered than the one that was sent. */
export function isDiffering(start: CallStart | null, end: CallEnd | null): boolean {
  const sent = start?.modelSent ?? start?.modelAsked ?? null;
  return sent !== null && end !== null && end.modelAnswered !== null && end.modelAnswered !== sent;
}

/**
 * What does not hold in a call's charges, in words; empty when each recomputes and together they cover the usage.
 * A class of the usage must be charged with its quantity, or be listed as unpriced.
 */
export function checkCharges(record: CallRecord): string[] {
  const problems: string[] = [];
  const end = record.end;
  if (end === null) return problems;
  const charged = new Map<string, number>();
  for (const charge of end.charges) {
    if (!isRecomputed(charge))
      problems.push(`${charge.class}: ${charge.quantity} × ${charge.ratePico}/${charge.ratePer} is not ${charge.costPico}`);
    const place = `${charge.part} ${charge.class}`;
    if (charged.has(place)) problems.push(`${charge.class}: charged twice in part ${charge.part}`);
    charged.set(place, charge.quantity);
  }
  for (const [part, { quantities }] of (end.usage?.parts ?? []).entries())
    for (const [name, quantity] of Object.entries(quantities) as [UsageClass, number][]) {
      const found = charged.get(`${part} ${name}`);
      if (found === undefined && quantity > 0 && !end.unpriced.includes(name))
        problems.push(`${name}: ${quantity} used, neither charged nor unpriced`);
      if (found !== undefined && found !== quantity) problems.push(`${name}: ${quantity} used, ${found} charged`);
    }
  return problems;
}

function toLine(charge: Charge, priceSource: (version: string) => string | null): ReceiptLine {
  const units = rateUnits(charge.class);
  return {
    class: charge.class,
    unit: usageClasses[charge.class].unit,
    part: charge.part,
    quantity: charge.quantity,
    source: charge.source,
    model: charge.model,
    price: charge.price,
    priceSource: priceSource(charge.price),
    ratePico: charge.ratePico.toString(),
    ratePer: charge.ratePer.toString(),
    rateUsd: formatRate({ pico: charge.ratePico, per: charge.ratePer }, BigInt(units)),
    rateUnits: units,
    cost: formatUsd(charge.costPico),
    recomputed: isRecomputed(charge),
  };
}

function isRecomputed(charge: Charge): boolean {
  return cost({ pico: charge.ratePico, per: charge.ratePer }, charge.quantity) === charge.costPico;
}

function toBareEnd(end: CallEnd): Receipt["end"] {
  const { charges: _charges, unpriced: _unpriced, usage: _usage, ...bare } = end;
  return bare;
}

const sourceNotes: Readonly<Record<QuantitySource, string | null>> = {
  reported: null,
  partial: "The answer broke off: quantities are the last the provider had reported, and the real ones may be higher.",
  estimated: "The provider reported no usage: quantities are estimates.",
  presumed: "Nobody knows how this call ended: it is charged at the most it may have cost, until evidence comes.",
};

/** How the record of a presumed call says that its output has no bound (core/bound.ts). */
const noBound = "no bound: ";

function describe(record: CallRecord, lines: readonly ReceiptLine[], unpriced: Receipt["unpriced"]): string[] {
  const { start, end } = record;
  if (end === null) return ["The call is still under way: its cost is not known yet."];
  const notes: string[] = [];
  const sources = new Set<QuantitySource>(lines.map((line) => line.source));
  if (end.usage !== null) sources.add(end.usage.source);
  const unbounded = whyUnbounded(end.usage);
  for (const source of sources) {
    const note = source === "presumed" && unbounded !== null ? describeUnbounded(unbounded, record, unpriced) : sourceNotes[source];
    if (note !== null) notes.push(note);
  }
  for (const { class: name, quantity } of unpriced)
    // What a presumed call has no bound for was said already.
    if (unbounded === null || quantity !== null)
      notes.push(
        quantity === 1
          ? `1 ${usageClasses[name].unit} of the class ${name} has no price: its cost is unknown, and is not in the total.`
          : `${quantity ?? "An unknown number of"} ${usageClasses[name].unit}s of the class ${name} have no price: their cost is unknown, and is not in the total.`,
      );
  notes.push(...describeUsage(end.usage, end, start));
  if (end.costReported !== undefined) notes.push(describeReported(end.costReported, end));
  if (isSpilled(start, end))
    notes.push(`Provisioned capacity was meant (pool ${start?.pool}), and shared capacity served it: the call spilled.`);
  if (isDiffering(start, end)) notes.push(`${end.modelAnswered} answered, where ${start?.modelSent ?? start?.modelAsked} was sent.`);
  for (const line of lines)
    if (!line.recomputed) notes.push(`The line ${line.class} does not recompute: the record is damaged. Run \`pennyworth doctor\`.`);
  return notes;
}

/** The provider's own figure beside ours. It is somebody's word, with rebates or fees that no list knows: the total stays what the lines add up to. */
function describeReported(reported: string, { charges, unpriced }: CallEnd): string {
  const said = `The provider says the call cost $${reported}`;
  const ours = formatUsd(total(charges));
  if (unpriced.length > 0) return `${said}; what is unpriced here is in that.`;
  return isSameAmount(reported, ours) ? `${said}, as it does here.` : `${said}; by the price list it is $${ours}.`;
}

function isSameAmount(a: string, b: string): boolean {
  return withoutZeros(a) === withoutZeros(b);
}

function withoutZeros(decimal: string): string {
  return decimal.includes(".") ? decimal.replace(/\.?0+$/, "") : decimal;
}

function isSpilled(start: CallStart | null, end: CallEnd): boolean {
  return end.poolServed === "shared" && start !== null && start.pool !== "shared";
}

/** Why a presumed call could not be charged at the most it may have cost, in words; null when it was, or is no such call. */
function whyUnbounded(usage: Usage | null): string | null {
  if (usage?.source !== "presumed") return null;
  const doubt = usage.doubts.find((one) => one.startsWith(noBound));
  if (doubt === undefined) return null;
  const reason = doubt.slice(noBound.length);
  return reason === "no cap on output tokens" ? "no cap was asked" : reason;
}

function describeUnbounded(why: string, { end }: CallRecord, unpriced: Receipt["unpriced"]): string {
  const missing = unpriced.map(({ class: name }) => name.replaceAll("_", " ")).join(" and ");
  const charges = end?.charges ?? [];
  const charged = charges.length === 0 ? "" : ` Its input is charged at the most it may have cost, $${formatUsd(total(charges))}.`;
  const left = missing === "" ? "" : ` What its ${missing} cost is unknown, and is not in the total.`;
  return `The call was sent, nobody knows how it ended, and no bound is known because ${why}.${charged}${left}`;
}

function describeUsage(usage: Usage | null, end: CallEnd, start: CallStart | null): string[] {
  if (usage !== null)
    return usage.doubts
      .filter((doubt) => usage.source !== "presumed" || !doubt.startsWith(noBound))
      .map((doubt) => `The provider's usage does not add up: ${doubt}.`);
  if (end.status === "unreached") return ["Nothing was sent, so nothing is charged."];
  if (end.status === "failed") return ["The provider answered with an error and reported no usage, so nothing is charged."];
  if (start?.format === "unmetered") return ["Nothing is known of this path: the call passed unread, and its cost is unknown, not zero."];
  return start?.endpoint === undefined ? [] : ["No usage is known for this call: its cost is unknown, not zero."];
}
