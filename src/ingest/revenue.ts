// What customers paid, from files: a table of our own columns, or what Stripe exports (stripe.ts). Not here: what the words mean, and who of the customers
// is known (the API). Invariant: a file is understood whole or refused whole, with the place; and what it says has an id that is the same each time.

import { hash } from "node:crypto";
import { PennyworthError } from "../error.ts";
import { nearest } from "../near.ts";
import { failAt, Fault } from "./fail.ts";
import { parseJson } from "./json.ts";
import type { RevenueFile, RevenueOptions } from "./paid.ts";
import { isStripe, isStripeTable, readStripe, readStripeTable } from "./stripe.ts";
import { nameOf, parseTable, type Table } from "./table.ts";

export const revenueColumns = ["customer", "plan", "feature", "amount", "every", "from", "to", "id"] as const;

type Column = (typeof revenueColumns)[number];

/** @throws PennyworthError `revenue_invalid`, with the place and the reason. */
export function readRevenue(text: string, options: RevenueOptions): RevenueFile {
  try {
    const start = text
      .replace(/^\uFEFF/, "")
      .trimStart()
      .charAt(0);
    if (start === "") throw failAt("", "the file is empty");
    if (start === "{" || start === "[") {
      const value = parseJson(text.replace(/^\uFEFF/, ""));
      if (!isStripe(value)) throw failAt("", `its JSON is no export of Stripe's (objects of the kinds invoice, credit_note, refund)`);
      return readStripe(value, options);
    }
    const table = parseTable(text);
    return isStripeTable(table) ? readStripeTable(table, options) : readOwn(table);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw new PennyworthError("revenue_invalid", { detail: cause.message }, cause);
  }
}

/** @throws PennyworthError `revenue_invalid` for a rate that is none (`EUR=1.08` is one), and for a second one of a currency. */
export function parseRates(texts: readonly string[]): Record<string, string> {
  const rates: Record<string, string> = {};
  for (const text of texts) {
    const [, currency, rate] = /^([A-Za-z]{3})=(\d{1,9}(?:\.\d{1,12})?)$/.exec(text.trim()) ?? [];
    if (currency === undefined || rate === undefined || !/[1-9]/.test(rate))
      throw new PennyworthError("revenue_invalid", {
        detail: `the rate ${JSON.stringify(text.slice(0, 60))} is none: expected dollars for one unit of a currency, such as EUR=1.08`,
      });
    if (Object.hasOwn(rates, currency.toLowerCase()))
      throw new PennyworthError("revenue_invalid", { detail: `two rates are of ${currency.toUpperCase()}: say one` });
    rates[currency.toLowerCase()] = rate;
  }
  return rates;
}

function readOwn(table: Table): RevenueFile {
  const columns = table.columns.map((name) => toColumn(name, table.place));
  const twice = columns.find((column, index) => columns.indexOf(column) !== index);
  if (twice !== undefined) throw failAt(table.place, `the column ${twice} is there twice`);
  if (!columns.includes("from")) throw failAt(table.place, `no column is called from; there are ${revenueColumns.join(", ")}`);
  const seen = new Map<string, number>();
  const lines = table.rows.map(({ record, place }) => {
    const cells: { [column in Column]?: string } = {};
    for (const [index, column] of columns.entries()) if ((record[index] ?? "") !== "") cells[column] = record[index] as string;
    const words = JSON.stringify(revenueColumns.map((column) => cells[column]));
    // Sealed before it is on record (api/names.ts). Two equal lines are two amounts, and have an id each; the same file has the same ids again.
    const count = seen.get(words) ?? 0;
    seen.set(words, count + 1);
    const id = cells.id ?? `csv:${hash("sha256", `${words}${count === 0 ? "" : count}`, "hex")}`;
    return { place, said: { ...cells, id } };
  });
  if (lines.length === 0) throw failAt("", "there is no line in it but the names of its columns");
  return { witness: "csv", lines, notes: [] };
}

function toColumn(name: string, place: string): Column {
  const known = revenueColumns.find((column) => column === nameOf(name));
  if (known !== undefined) return known;
  const near = nearest(name, revenueColumns, 1).map((column) => ` (${column}?)`);
  throw failAt(
    place,
    `no column is called ${JSON.stringify(name.slice(0, 100))}${near.join("")}; there are ${revenueColumns.join(", ")}; nor is it an export of Stripe's invoices`,
  );
}
