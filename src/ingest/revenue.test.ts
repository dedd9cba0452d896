import { describe, expect, it } from "vitest";
import { parseRates, readRevenue } from "./revenue.ts";

const plain = { customerBy: "id", rates: {} };
const day = (text: string): number => Date.parse(`${text}T12:34:56Z`) / 1_000;
const line = (id: string, amount: number, changes: object = {}) => ({
  id,
  amount,
  period: { start: day("2026-10-01"), end: day("2026-11-01") },
  ...changes,
});
const invoice = (lines: readonly object[], changes: object = {}) => ({
  id: "in_1",
  object: "invoice",
  customer: "cus_1",
  currency: "usd",
  status: "paid",
  created: day("2026-10-01"),
  lines: { has_more: false, data: lines },
  ...changes,
});
const read = (value: unknown, options: Partial<typeof plain> & { readonly rates?: Readonly<Record<string, string>> } = {}) =>
  readRevenue(typeof value === "string" ? value : JSON.stringify(value), { ...plain, ...options });
const amounts = (value: unknown, options = {}) => read(value, options).lines.map(({ said }) => [said.id, said.amount, said.from, said.to]);

const of = (currency: string, amount: number): string | undefined =>
  read(invoice([line("il_1", amount)], { currency }), { rates: { jpy: "1", kwd: "1", eur: "1.085", isk: "1" } }).lines[0]?.said.amount;

describe("Stripe's invoices", () => {
  it("are read by the smallest unit of their currency", () => {
    expect(of("usd", 4_900)).toBe("49");
    expect(of("jpy", 4_900)).toBe("4900");
    expect(of("kwd", 4_900)).toBe("4.9");
    // A currency of no cents that Stripe says in hundredths all the same.
    expect(of("isk", 4_900)).toBe("49");
    expect(of("eur", 4_900)).toBe("53.165");
    expect(() => read(invoice([line("il_1", 1)], { currency: "eur" }))).toThrow(/in_1 lines il_1: its currency is "EUR", .*rate EUR=1\.08/);
  });

  it("count without tax, be it in the amount or on top, and after discounts", () => {
    const lines = [
      line("il_1", 11_900, { tax_amounts: [{ amount: 1_900, inclusive: true }] }),
      line("il_2", 10_000, { taxes: [{ amount: 1_900, tax_behavior: "exclusive" }], discount_amounts: [{ amount: 2_500 }] }),
    ];
    expect(amounts(invoice(lines, { total_excluding_tax: 17_500 }))).toEqual([
      ["stripe:in_1", "100", "2026-10-01", "2026-11-01"],
      ["stripe:in_1:il_2", "75", "2026-10-01", "2026-11-01"],
    ]);
  });

  it("have ids that do not follow from the order of their lines, and none of them twice", () => {
    const [a, b] = [line("il_a", 100), line("il_b", 200)];
    expect(amounts(invoice([b, a]))).toEqual(amounts(invoice([a, b])));
    expect(() => read([invoice([a]), invoice([b])])).toThrow(/stripe:in_1 is there already/);
  });

  it("come one a line, as pages, and with credit notes and refunds that count once", () => {
    const note = {
      id: "cn_1",
      object: "credit_note",
      customer: "cus_1",
      currency: "usd",
      total: 1_190,
      total_excluding_tax: 1_000,
      created: day("2026-10-20"),
      refunds: [{ refund: "re_1" }],
    };
    const refund = {
      id: "re_1",
      object: "refund",
      amount: 1_190,
      currency: "usd",
      charge: "ch_1",
      created: day("2026-10-20"),
      status: "succeeded",
    };
    const text = [invoice([line("il_1", 10_000)]), note, refund].map((one) => JSON.stringify(one)).join("\n");
    expect(amounts(text)).toEqual([
      ["stripe:in_1", "100", "2026-10-01", "2026-11-01"],
      ["stripe:re_1", "-10", "2026-10-20", "2026-10-21"],
    ]);
    expect(read(text).notes).toEqual(["1 × a refund of a credit note in the file: counted once, as that."]);
    expect(() => read([invoice([line("il_1", 1)]), refund])).toThrow(/re_1: a refund names no customer/);
    expect(read([{ object: "list", data: [invoice([line("il_1", 1)])] }]).lines).toHaveLength(1);
  });

  it("put what of a credit note was refunded under the refund's id, as an export without the note has it, and the rest under its own", () => {
    const note = {
      id: "cn_1",
      object: "credit_note",
      customer: "cus_1",
      currency: "usd",
      total: 11_900,
      total_excluding_tax: 10_000,
      created: day("2026-10-20"),
    };
    const refund = (id: string, amount: number) => ({
      id,
      object: "refund",
      amount,
      currency: "usd",
      charge: "ch_1",
      created: day("2026-10-20"),
    });
    const paid = invoice([line("il_1", 100_000)], { charge: "ch_1", total: 119_000, total_excluding_tax: 100_000 });
    const refunds = [
      { refund: "re_1", amount_refunded: 5_950 },
      { refund: { id: "re_2", object: "refund" }, amount_refunded: 1_190 },
    ];
    const apart = ["2026-10-20", "2026-10-21"];
    expect(amounts({ ...note, refunds })).toEqual([
      ["stripe:re_1", "-50", ...apart],
      ["stripe:re_2", "-10", ...apart],
      ["stripe:cn_1", "-40", ...apart],
    ]);
    expect(amounts([paid, refund("re_1", 5_950)])[1]).toEqual(["stripe:re_1", "-50", ...apart]);
    // Older ones say the same refund in two ways.
    expect(amounts({ ...note, refund: "re_1", refunds: [{ refund: "re_1", amount_refunded: 11_900 }] })).toEqual([
      ["stripe:re_1", "-100", ...apart],
    ]);
    expect(amounts(note)).toEqual([["stripe:cn_1", "-100", ...apart]]);
    expect(() => read({ ...note, refunds: [{ refund: "re_1" }, { refund: "re_2" }] })).toThrow(
      /cn_1: it does not say how much of it is re_1/,
    );
    expect(() => read({ ...note, refunds: [{ refund: "re_1", amount_refunded: 11_901 }] })).toThrow(/its refunds come to 11901/);
  });

  it("take the tax out of a refund however the invoice says it, or refuse it", () => {
    const refund = { id: "re_1", object: "refund", amount: 5_950, currency: "usd", charge: "ch_1", created: day("2026-10-20") };
    const refunded = (changes: object, of: object = {}): string | undefined =>
      read([invoice([line("il_1", 10_000, of)], { charge: "ch_1", total: 11_900, ...changes }), refund]).lines[1]?.said.amount;
    // Half of an invoice of 119 dollars, of which 19 are tax.
    expect(refunded({ total_excluding_tax: 10_000 })).toBe("-50");
    expect(refunded({ tax: 1_900 })).toBe("-50");
    expect(refunded({ total_taxes: [{ amount: 1_000 }, { amount: 900 }] })).toBe("-50");
    expect(refunded({ total_tax_amounts: [{ amount: 1_900 }] })).toBe("-50");
    expect(refunded({}, { tax_amounts: [{ amount: 1_900, inclusive: false }] })).toBe("-50");
    expect(refunded({ tax: null })).toBe("-59.5");
    expect(() => refunded({})).toThrow(/re_1: its invoice in_1: it says neither total_excluding_tax nor its taxes/);
    expect(() => refunded({ tax: "lots" })).toThrow(/tax is "lots": expected a whole number of cents/);
    expect(() => refunded({ total: "1e3", tax: 0 })).toThrow(/total is "1e3": expected a whole number of cents/);
  });

  it("say whose they are by what is asked for, or are refused", () => {
    const customer = { id: "cus_9", name: "Acme", metadata: { tenant: "acme" } };
    const whose = (customerBy: string): string | undefined =>
      read(invoice([line("il_1", 1)], { customer }), { customerBy }).lines[0]?.said.customer;
    expect([whose("id"), whose("name"), whose("metadata.tenant")]).toEqual(["cus_9", "Acme", "acme"]);
    expect(() => whose("email")).toThrow(/does not say the customer's email/);
  });

  it("are refused where a part of them is missing or no amount", () => {
    expect(() => read(invoice([line("il_1", 1.5)]))).toThrow(/amount is "1\.5": expected a whole number of cents/);
    expect(() => read(invoice([], { lines: undefined }))).toThrow(/its lines are missing/);
    expect(() => read({ object: "charge", id: "ch_1" })).toThrow(/no export of Stripe's/);
    expect(() => read([invoice([]), { object: "charge", id: "ch_1" }])).toThrow(/kind "charge"/);
    expect(() => read(invoice([line("il_1", 1)], { total_excluding_tax: "x" }))).toThrow(/total_excluding_tax is "x": expected a whole/);
    const backwards = { period: { start: day("2026-11-01"), end: day("2026-10-01") } };
    expect(() => read(invoice([line("il_1", 1, backwards)]))).toThrow(
      /il_1: its period ends \(2026-10-01\) before it begins \(2026-11-01\)/,
    );
    expect(() => read(`${"[".repeat(200_000)}${"]".repeat(200_000)}`)).toThrow(/lists within lists/);
    expect(() => read(`${'{"data":['.repeat(100_000)}${"]}".repeat(100_000)}`)).toThrow(/lists within lists/);
    expect(() => parseRates(["EUR=1.08", "eur=1.09"])).toThrow(/two rates are of EUR/);
    expect(() => parseRates(["EUR"])).toThrow(/expected dollars for one unit/);
    expect(() => parseRates(["EUR=0.0"])).toThrow(/expected dollars for one unit/);
  });
});

describe("a table of our own", () => {
  it("gives equal lines ids of their own, the same ones again for the same file, and those of a longer one", () => {
    const two = "customer,amount,from,to\nAcme,5,2026-10-01,2026-10-02\nAcme,5,2026-10-01,2026-10-02\n";
    const ids = read(two).lines.map(({ said }) => said.id);
    expect(new Set(ids).size).toBe(2);
    expect(
      read(`${two}Beta,1,2026-10-01,2026-10-02\n`)
        .lines.map(({ said }) => said.id)
        .slice(0, 2),
    ).toEqual(ids);
    expect(read("from;amount;customer;to\n2026-10-01;5;Acme;2026-10-02\n").lines[0]?.said.id).toBe(ids[0]);
  });

  it("is refused with its place", () => {
    expect(() => read("customer,amount\nAcme,5\n")).toThrow(/line 1: no column is called from/);
    expect(() => read("from,from\n1,2\n")).toThrow(/is there twice/);
    expect(() => read("from,amount\n2026-10-01\n")).toThrow(/line 2|Record Length/i);
    expect(() => read("")).toThrow(/the file is empty/);
    expect(() => read("from,amount\n")).toThrow(/no line in it/);
  });
});

it("reads the dashboard's table of invoices, in units of their currency, without tax", () => {
  const head =
    "id,Customer,Customer Email,Currency,Subtotal,Tax,Total,Amount Paid,Status,Date (UTC),Minimum Line Item Period Start (UTC),Maximum Line Item Period End (UTC)";
  const rows = [
    `in_1,cus_1,a@example.com,usd,"1,000.00",190.00,"1,190.00","1,190.00",paid,2026-10-01 08:00,2026-10-01 08:00,2026-11-01 08:00`,
    `in_2,cus_1,a@example.com,jpy,500,,500,500,paid,2026-10-07 08:00,,`,
    `in_3,cus_1,a@example.com,usd,5.00,,5.00,0.00,void,2026-10-07 08:00,,`,
  ];
  const found = read(`${head}\n${rows.join("\n")}\n`, { customerBy: "email", rates: { jpy: "0.0065" } });
  expect(found.lines.map(({ said }) => [said.id, said.customer, said.amount, said.from, said.to])).toEqual([
    ["stripe:in_1", "a@example.com", "1000", "2026-10-01", "2026-11-01"],
    ["stripe:in_2", "a@example.com", "3.25", "2026-10-07", "2026-10-08"],
  ]);
  expect(found.notes).toEqual(["1 × an invoice that is void: not counted."]);
  const back = `in_4,cus_1,a@example.com,usd,5.00,,5.00,5.00,paid,2026-10-07 08:00,2026-11-01 08:00,2026-10-01 08:00`;
  expect(() => read(`${head}\n${back}\n`)).toThrow(/line 2: its period ends \(2026-10-01\) before it begins/);
});
