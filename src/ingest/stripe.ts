// What Stripe exports of what customers paid: invoices with their lines, credit notes and refunds as JSON of its API, and the table of invoices that its
// dashboard makes. Not here: other files of revenue (revenue.ts). Invariants: tax is no revenue; an amount is read by its currency's own decimals and
// never taken for dollars when it is not; an invoice's lines come to what it says of itself, or the file is refused.

import { divideHalfEven, formatUsd, parseRate, picoPerUsd, toPico } from "../core/money.ts";
import { dayMs } from "../core/time.ts";
import { failAt } from "./fail.ts";
import { isObject, type Json, type JsonObject, objectsOf, textOf } from "./json.ts";
import type { RevenueFile, RevenueLine, RevenueOptions } from "./paid.ts";
import { cell, hasColumns, type Row, type Table } from "./table.ts";
import { parseAmount, parseWhen } from "./values.ts";

/** https://docs.stripe.com/currencies: those whose smallest unit is the unit itself, and those with a thousand. UGX and ISK are said in hundredths. */
const wholes = new Set("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" "));
const thousandths = new Set("bhd jod kwd omr tnd".split(" "));

/** Those of an account's invoices that will never be paid, or are not written yet. */
const noInvoice = new Set(["draft", "void", "voided", "deleted"]);

/** Lists within lists: an object one a line, of pages, of lists are three. */
const depthMax = 20;

export function isStripe(value: Json): boolean {
  return itemsOf(value).some(({ item }) => kindOf(item) !== null);
}

/** The dashboard's export of invoices. */
export function isStripeTable(table: Table): boolean {
  return hasColumns(table, "id", "Currency", "Total", "Amount Paid") && (hasColumns(table, "Status") || hasColumns(table, "Paid"));
}

/** @throws Fault. */
export function readStripe(value: Json, options: RevenueOptions): RevenueFile {
  const found = new Found(options);
  const items = itemsOf(value);
  const invoices = items.filter(({ item }) => kindOf(item) === "invoice");
  const notes = items.filter(({ item }) => kindOf(item) === "credit_note");
  const refunds = items.filter(({ item }) => kindOf(item) === "refund");
  for (const { place, item } of items)
    if (kindOf(item) === null)
      throw failAt(place, `an object of the kind ${JSON.stringify(textOf(item, "object") ?? "")} is no invoice, credit note or refund`);
  for (const one of invoices) readInvoice(one, found);
  const credited = new Set(notes.flatMap(({ item }) => refundsOf(item).map(({ id: refund }) => refund)));
  for (const one of notes) readCreditNote(one, found);
  for (const one of refunds) readRefund(one, invoices, credited, found);
  return found.done();
}

/** @throws Fault. */
export function readStripeTable(table: Table, options: RevenueOptions): RevenueFile {
  const found = new Found(options);
  for (const row of table.rows) readRow(row, found);
  return found.done();
}

interface Item {
  readonly place: string;
  readonly item: JsonObject;
}

/** What was read so far, and what was left out. */
class Found {
  readonly options: RevenueOptions;
  readonly #lines: RevenueLine[] = [];
  readonly #ids = new Map<string, string>();
  readonly #left = new Map<string, number>();

  constructor(options: RevenueOptions) {
    this.options = options;
  }

  add(place: string, said: RevenueLine["said"]): void {
    const before = this.#ids.get(said.id);
    if (before !== undefined) throw failAt(place, `${said.id} is there already (${before}): it would be counted twice`);
    this.#ids.set(said.id, place);
    this.#lines.push({ place, said });
  }

  leave(why: string): void {
    this.#left.set(why, (this.#left.get(why) ?? 0) + 1);
  }

  done(): RevenueFile {
    return { witness: "stripe", lines: this.#lines, notes: [...this.#left].map(([why, count]) => `${count} × ${why}`) };
  }
}

function readInvoice({ place: at, item }: Item, found: Found): void {
  const id = needed(item, "id", at);
  const place = `${at} ${id}`;
  const status = textOf(item, "status");
  if (!isCounted(status ?? (textOf(item, "paid") === "true" ? "paid" : "open"), found)) return;
  const lines = item["lines"];
  if (!isObject(lines)) throw failAt(place, "its lines are missing: export it with them");
  if (textOf(lines, "has_more") === "true")
    throw failAt(place, "it has more lines than are in the file (lines.has_more): export all of them");
  const currency = needed(item, "currency", place).toLowerCase();
  const customer = customerOf(item, found.options, place);
  const data = objectsOf(lines["data"], `${place} lines.data`).toSorted((a, b) =>
    (textOf(a, "id") ?? "") < (textOf(b, "id") ?? "") ? -1 : 1,
  );
  let total = 0n;
  for (const [index, line] of data.entries()) {
    const where = `${place} lines ${textOf(line, "id") ?? index}`;
    const net = netOf(line, where);
    total += net;
    const period = isObject(line["period"]) ? line["period"] : item;
    const [start, end] = [
      textOf(period, "start") ?? needed(item, "created", place),
      textOf(period, "end") ?? needed(item, "created", place),
    ];
    found.add(where, {
      // The first of an invoice's lines stands for the invoice: an export of the same without its lines is then seen to be the same.
      id: index === 0 ? `stripe:${id}` : `stripe:${id}:${needed(line, "id", where)}`,
      ...(customer === null ? {} : { customer }),
      ...wordsOf(line),
      amount: toUsd(net, currency, found.options, where),
      every: "once",
      ...daysOf(parseWhen(start, where, "its period's start"), parseWhen(end, where, "its period's end"), where),
    });
  }
  const shipping = item["shipping_cost"];
  if (isObject(shipping)) {
    const net = wholeOf(shipping, "amount_subtotal", `${place} shipping_cost`);
    total += net;
    const created = parseWhen(needed(item, "created", place), place, "created");
    const named = customer === null ? {} : { customer };
    if (net !== 0n)
      found.add(place, {
        id: `stripe:${id}:shipping`,
        ...named,
        amount: toUsd(net, currency, found.options, place),
        every: "once",
        ...daysOf(created, created, place),
      });
  }
  if (textOf(item, "total_excluding_tax") === null) return;
  const stated = wholeOf(item, "total_excluding_tax", place);
  // Billing credits are taken off the total and off no line.
  const credits = listOf(item["total_pretax_credit_amounts"])
    .filter((one) => textOf(one, "type") === "credit_balance_transaction")
    .reduce((sum, one) => sum + wholeOf(one, "amount", place), 0n);
  if (total !== stated && total - credits !== stated)
    throw failAt(place, `its lines come to ${total} without tax, and it says ${stated} (total_excluding_tax)`);
}

/**
 * A credit note counts on the day it was issued. What of it was refunded stands under the refund's id, so that an export of the refund without its credit note, before or
 * after this one, brings nothing else.
 */
function readCreditNote({ place: at, item }: Item, found: Found): void {
  const id = needed(item, "id", at);
  const place = `${at} ${id}`;
  if (textOf(item, "status") === "void") return found.leave("a credit note that was voided: not counted.");
  const currency = needed(item, "currency", place).toLowerCase();
  const all = wholeOf(item, textOf(item, "total") === null ? "amount" : "total", place);
  const net = textOf(item, "total_excluding_tax") === null ? all - (taxIn(item, place) ?? 0n) : wholeOf(item, "total_excluding_tax", place);
  const day = parseWhen(textOf(item, "effective_at") ?? needed(item, "created", place), place, "created");
  const customer = customerOf(item, found.options, place);
  const add = (as: string, part: bigint): void =>
    found.add(place, {
      id: `stripe:${as}`,
      ...(customer === null ? {} : { customer }),
      amount: toUsd(-part, currency, found.options, place),
      every: "once",
      ...daysOf(day, day, place),
    });
  const refunds = refundsOf(item);
  let [refunded, left] = [0n, net];
  for (const { id: refund, of } of refunds) {
    if (of === null && refunds.length > 1) throw failAt(place, `it does not say how much of it is ${refund} (refunds, amount_refunded)`);
    refunded += of ?? all;
    if (refunded > all) throw failAt(place, `its refunds come to ${refunded}, and it says ${all}`);
    const after = all === 0n ? 0n : net - divideHalfEven(net * refunded, all);
    add(refund, left - after);
    left = after;
  }
  if (left !== 0n || refunds.length === 0) add(id, left);
}

/** A refund names no customer: its invoice does. It counts on its day, without the part that is tax. */
function readRefund({ place: at, item }: Item, invoices: readonly Item[], credited: ReadonlySet<string>, found: Found): void {
  const id = needed(item, "id", at);
  const place = `${at} ${id}`;
  const status = textOf(item, "status");
  if (status === "failed" || status === "canceled") return found.leave("a refund that was not made: not counted.");
  if (credited.has(id)) return found.leave("a refund of a credit note in the file: counted once, as that.");
  const paid = new Set([textOf(item, "charge"), textOf(item, "payment_intent")].filter((one) => one !== null));
  const invoice = invoices.find(({ item: one }) => paymentsOf(one).some((payment) => paid.has(payment)))?.item;
  if (invoice === undefined)
    throw failAt(
      place,
      "a refund names no customer, and no invoice in the file was paid by its charge: export them together, or say it as an amount of its own",
    );
  const amount = wholeOf(item, "amount", place);
  const billed = `${place}: its invoice ${textOf(invoice, "id") ?? ""}`;
  const all = wholeOf(invoice, "total", billed);
  const tax =
    textOf(invoice, "total_excluding_tax") === null ? taxIn(invoice, billed) : all - wholeOf(invoice, "total_excluding_tax", billed);
  if (tax === null) throw failAt(billed, "it says neither total_excluding_tax nor its taxes: what of the refund is tax is not known");
  const part = all <= 0n ? amount : divideHalfEven(amount * (all - tax), all);
  const day = parseWhen(needed(item, "created", place), place, "created");
  const customer = customerOf(invoice, found.options, place);
  found.add(place, {
    id: `stripe:${id}`,
    ...(customer === null ? {} : { customer }),
    amount: toUsd(-part, needed(item, "currency", place).toLowerCase(), found.options, place),
    every: "once",
    ...daysOf(day, day, place),
  });
}

/** A line of the dashboard's table: amounts are in units of their currency there. */
function readRow(row: Row, found: Found): void {
  const { place } = row;
  const id = cell(row, "id");
  if (id === null) throw failAt(place, "it has no id");
  if (!isCounted((cell(row, "Status") ?? (cell(row, "Paid")?.toLowerCase() === "true" ? "paid" : "open")).toLowerCase(), found)) return;
  const currency = (cell(row, "Currency") ?? "").toLowerCase();
  const total = parseAmount(cell(row, "Total") ?? "", place, "Total").pico;
  const tax = parseAmount(cell(row, "Tax") ?? "0", place, "Tax").pico;
  const when = (...names: string[]): number | null => {
    const text = cell(row, ...names);
    return text === null ? null : parseWhen(text, place, names[0] as string);
  };
  const date = when("Date (UTC)", "Created (UTC)", "Finalized At (UTC)");
  const start = when("Minimum Line Item Period Start (UTC)", "Period Start (UTC)") ?? date;
  const end = when("Maximum Line Item Period End (UTC)", "Period End (UTC)") ?? start;
  if (start === null || end === null) throw failAt(place, "it has neither a period nor a date");
  const by = { id: "Customer", name: "Customer Name", email: "Customer Email" }[found.options.customerBy] ?? found.options.customerBy;
  const customer = cell(row, by);
  if (customer === null && cell(row, "Customer") !== null)
    throw failAt(place, `it does not say the customer's ${found.options.customerBy}: leave that out, and ids are taken`);
  found.add(place, {
    id: `stripe:${id}`,
    ...(customer === null ? {} : { customer }),
    amount: inUsd(total - tax, currency, found.options, place),
    every: "once",
    ...daysOf(start, end, place),
  });
}

/** Paid, or never to be paid any more: what is open waits for a later export. */
function isCounted(status: string, found: Found): boolean {
  if (status === "paid") return true;
  if (noInvoice.has(status)) found.leave(`an invoice that is ${status}: not counted.`);
  else if (status === "uncollectible")
    found.leave("an invoice that is uncollectible: not counted; what was paid of it, say as an amount of its own.");
  else found.leave(`an invoice that is ${status}: not counted until it is paid, in a later export.`);
  return false;
}

/** What a line comes to after discounts and without tax, in the smallest units. */
function netOf(line: JsonObject, place: string): bigint {
  const discounts = listOf(line["discount_amounts"]).reduce((sum, one) => sum + wholeOf(one, "amount", place), 0n);
  return wholeOf(line, "amount", place) - discounts - taxOf(line, place, true);
}

/** @param inner only tax that is in the amount already. */
function taxOf(of: JsonObject, place: string, inner: boolean): bigint {
  const taxes = of["taxes"] === undefined || of["taxes"] === null ? listOf(of["tax_amounts"]) : listOf(of["taxes"]);
  const isIn = (tax: JsonObject): boolean => !inner || textOf(tax, "inclusive") === "true" || textOf(tax, "tax_behavior") === "inclusive";
  return taxes.filter(isIn).reduce((sum, tax) => sum + wholeOf(tax, "amount", place), 0n);
}

/** All tax of an invoice or a credit note, by the first of the ways in which Stripe has said it; null: it says nothing of tax. */
function taxIn(item: JsonObject, place: string): bigint | null {
  if (item["tax"] !== undefined) return textOf(item, "tax") === null ? 0n : wholeOf(item, "tax", place);
  const lists = ["total_taxes", "total_tax_amounts", "taxes", "tax_amounts"].map((key) => item[key]);
  const list = lists.find((one) => Array.isArray(one));
  if (list !== undefined) return listOf(list).reduce((sum, one) => sum + wholeOf(one, "amount", place), 0n);
  const lines = isObject(item["lines"]) ? listOf(item["lines"]["data"]) : [];
  const isSaid = lines.length > 0 && lines.every((line) => Array.isArray(line["taxes"]) || Array.isArray(line["tax_amounts"]));
  return isSaid ? lines.reduce((sum, line) => sum + taxOf(line, place, false), 0n) : null;
}

/** The plan as people call it, else as Stripe does. */
function wordsOf(line: JsonObject): { readonly plan?: string; readonly feature?: string } {
  const [price, plan, pricing, metadata] = ["price", "plan", "pricing", "metadata"].map((key) => (isObject(line[key]) ? line[key] : {}));
  const details = isObject(pricing?.["price_details"]) ? pricing["price_details"] : {};
  const names = [textOf(price ?? {}, "nickname"), textOf(plan ?? {}, "nickname"), textOf(price ?? {}, "lookup_key")];
  const ids = [textOf(details, "price"), textOf(price ?? {}, "id"), textOf(plan ?? {}, "id")];
  const name = [...names, ...ids].find((one) => one !== null) ?? null;
  const feature = textOf(metadata ?? {}, "feature");
  return { ...(name === null ? {} : { plan: name }), ...(feature === null ? {} : { feature }) };
}

const of = (holder: JsonObject | null, name: string): string | null => (holder === null ? null : textOf(holder, name));
const metadata = (holder: JsonObject | null): JsonObject | null =>
  holder !== null && isObject(holder["metadata"]) ? holder["metadata"] : null;

function customerOf(item: JsonObject, { customerBy }: RevenueOptions, place: string): string | null {
  const customer = item["customer"];
  const whole = isObject(customer) ? customer : null;
  const id = whole === null ? textOf(item, "customer") : textOf(whole, "id");
  if (customerBy === "id") return id;
  const key = customerBy.startsWith("metadata.") ? customerBy.slice("metadata.".length) : null;
  const found =
    key === null
      ? (textOf(item, `customer_${customerBy}`) ?? of(whole, customerBy))
      : (of(metadata(whole), key) ?? of(metadata(item), key));
  if (found === null && id !== null) throw failAt(place, `it does not say the customer's ${customerBy}: leave that out, and ids are taken`);
  return found;
}

function paymentsOf(invoice: JsonObject): string[] {
  const nested = isObject(invoice["payments"])
    ? listOf(invoice["payments"]["data"]).map((one) => (isObject(one["payment"]) ? one["payment"] : {}))
    : [];
  return [invoice, ...nested].flatMap((one) => [textOf(one, "charge"), textOf(one, "payment_intent")]).filter((one) => one !== null);
}

/** What of a credit note was refunded, in the smallest units with tax; null: it does not say how much. Once each: older ones are said in two ways. */
function refundsOf(note: JsonObject): readonly { readonly id: string; readonly of: bigint | null }[] {
  const found = new Map<string, bigint | null>();
  for (const one of [...listOf(note["refunds"]), note]) {
    const id = isObject(one["refund"]) ? textOf(one["refund"], "id") : textOf(one, "refund");
    if (id === null || found.has(id)) continue;
    found.set(id, textOf(one, "amount_refunded") === null ? null : wholeOf(one, "amount_refunded", id));
  }
  return [...found].map(([id, of]) => ({ id, of }));
}

/** Whole days, UTC; what has no length is of its day. @throws Fault for a period that ends before it begins. */
function daysOf(startMs: number, endMs: number, place: string): { readonly from: string; readonly to: string } {
  if (endMs < startMs)
    throw failAt(
      place,
      `its period ends (${dayText(Math.floor(endMs / dayMs))}) before it begins (${dayText(Math.floor(startMs / dayMs))})`,
    );
  const from = Math.floor(startMs / dayMs);
  const to = Math.max(from + 1, Math.floor(endMs / dayMs));
  return { from: dayText(from), to: dayText(to) };
}

const dayText = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10);

function toUsd(amount: bigint, currency: string, options: RevenueOptions, place: string): string {
  const shift = wholes.has(currency) ? 0 : thousandths.has(currency) ? 3 : 2;
  return inUsd(amount * 10n ** BigInt(12 - shift), currency, options, place);
}

/** @param amount in units of 10⁻¹² of its currency. */
function inUsd(amount: bigint, currency: string, { rates }: RevenueOptions, place: string): string {
  if (currency === "usd") return formatUsd(amount);
  const rate = Object.hasOwn(rates, currency) ? rates[currency] : undefined;
  if (rate === undefined)
    throw failAt(
      place,
      `its currency is ${JSON.stringify(currency.toUpperCase())}, and amounts here are dollars: say what one is worth (rate ${currency.toUpperCase() || "EUR"}=1.08)`,
    );
  const { pico, per } = parseRate(rate, 1n);
  return formatUsd(toPico(divideHalfEven(amount * pico, per * picoPerUsd)));
}

function itemsOf(value: Json): Item[] {
  const items = (one: Json, place: string, depth: number): Item[] => {
    if (depth > depthMax) throw failAt("", `there are lists within lists, more than ${depthMax} deep`);
    if (Array.isArray(one)) return one.flatMap((each: Json, index) => items(each, `${place}[${index}]`, depth + 1));
    if (!isObject(one)) return [];
    return textOf(one, "object") === "list" || (one["object"] === undefined && Array.isArray(one["data"]))
      ? items(one["data"] ?? [], `${place}data`, depth + 1)
      : [{ place, item: one }];
  };
  return items(value, "", 0);
}

function kindOf(item: JsonObject): "invoice" | "credit_note" | "refund" | null {
  const kind = textOf(item, "object");
  return kind === "invoice" || kind === "credit_note" || kind === "refund" ? kind : null;
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((one: Json) => isObject(one)) : [];
}

function needed(item: JsonObject, key: string, place: string): string {
  const text = textOf(item, key);
  if (text === null) throw failAt(place, `${key} is missing`);
  return text;
}

/** An amount in the smallest units of its currency. */
function wholeOf(item: JsonObject, key: string, place: string): bigint {
  const text = needed(item, key, place);
  if (!/^-?\d{1,18}$/.test(text)) throw failAt(place, `${key} is ${JSON.stringify(text.slice(0, 60))}: expected a whole number of cents`);
  return BigInt(text);
}
