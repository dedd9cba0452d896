// Customers and margin end to end: a real server and its store; revenue said by HTTP, table, Stripe's export and command line, set against what calls and
// charges cost. The sums are by hand. Not here: formulas (economics/), sums over any span (ledger/duckdb/margin.test.ts), the page (marginweb.test.ts).

import { writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { formatUsd, parseUsd, sum } from "../src/core/money.ts";
import { runCommand } from "./command.ts";
import { startGateway, type TestGateway } from "./gateway.ts";
import { temporaryFolder } from "./process.ts";
import { ask } from "./site.ts";

const dayMs = 86_400_000;
const now = new Date();
/** The first of a month, so many months from this one, and its days. */
const first = (months: number): string => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months)).toISOString().slice(0, 10);
const daysIn = (months: number): number => (Date.parse(first(months + 1)) - Date.parse(first(months))) / dayMs;
const seconds = (date: string): number => Date.parse(date) / 1_000 + 45_296;

interface Line {
  readonly key: string | null;
  readonly plans: readonly string[];
  readonly revenue: string | null;
  readonly cost: string;
  readonly shared: string;
  readonly margin: string | null;
  readonly marginShare: number | null;
  readonly losing: { readonly sinceMonth: string; readonly months: number; readonly lost: string; readonly lastMonth: string } | null;
}
interface Margin {
  readonly all: {
    readonly revenue: string;
    readonly cost: string;
    readonly margin: string;
    readonly grossMargin: number;
    readonly isWhole: boolean;
  };
  readonly known: { readonly keys: number; readonly revenue: string; readonly cost: string; readonly margin: string };
  readonly unknown: { readonly keys: number; readonly cost: string };
  readonly nobody: { readonly revenue: string | null; readonly cost: string; readonly divided: string; readonly left: string };
  readonly belowZero: { readonly keys: number; readonly lost: string };
  readonly bins: readonly { readonly from: number | null; readonly keys: number }[];
  readonly concentration: { readonly gini: number; readonly customers: number };
  readonly losing: { readonly month: string; readonly customers: number; readonly lost: string };
  readonly growth: {
    readonly absorbed: { readonly absorbed: string; readonly customers: number; readonly perMonth: string };
    readonly payback: { readonly value: number | null; readonly reason: string | null };
    readonly runway: { readonly value: number | null };
    readonly newCustomers: number;
    readonly cacWithLosses: { readonly value: string | null };
    readonly lifetimeToCac: { readonly value: number | null };
  };
  readonly lines: readonly Line[];
  readonly notes: readonly string[];
}

let gateway: TestGateway;
const margin = (query: string): Promise<Margin> => gateway.get(`/margin?fresh=true&${query}`) as Promise<Margin>;
const lastMonth = `since=${first(-1)}&until=${first(0)}`;

async function send(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  type: string,
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const headers = { authorization: `Bearer ${gateway.adminToken}`, "content-type": type };
  const response = await fetch(`${gateway.url}/api/v1${path}`, { method: "POST", headers, body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
async function rebuilt(): Promise<void> {
  await gateway.post("/store/rebuild", {});
  for (let tries = 0; tries < 300; tries++) {
    const { store } = (await gateway.get("/status")) as { readonly store: { readonly rebuilding: boolean } };
    if (!store.rebuilding) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the store was not built anew");
}
const messageOf = ({ body }: { readonly body: Record<string, unknown> }): string => (body["error"] as { readonly message: string }).message;

/** Costs of months that are over: charges for their days. */
async function costs(customer: string | null, month: number, cost: string): Promise<void> {
  const attribution = customer === null ? {} : { customer };
  await gateway.post("/charges", { provider: "azure", item: "hosting", from: first(month), to: first(month + 1), cost, attribution });
}

beforeAll(async () => {
  gateway = await startGateway({ plans: { pro: { monthly: "49" } } });
  await costs("Acme", -3, "20");
  await costs("Acme", -2, "60");
  await costs("Acme", -1, "89.50");
  await costs("Beta", -1, "12.25");
  await costs("Gamma", -1, "3");
  await costs(null, -1, "10");
}, 60_000);
afterAll(() => gateway?.close());

it("takes revenue one by one, once by its id, and says what is wrong with it", async () => {
  const said = { id: "acme-pro", customer: "Acme", plan: "pro", from: first(-3) };
  expect(await send("/revenue", JSON.stringify(said), "application/json")).toMatchObject({
    status: 201,
    body: { customer: "Acme", plan: "pro", every: "month", amount: "49", toMs: null, witness: "settings", voidedMs: null },
  });
  expect((await send("/revenue", JSON.stringify(said), "application/json")).status).toBe(200);
  const other = await send("/revenue", JSON.stringify({ ...said, amount: "50" }), "application/json");
  expect([other.status, messageOf(other)]).toEqual([409, expect.stringContaining("says something else")]);
  for (const [wrong, message] of [
    [{ from: first(-1) }, /amount: it is missing, and no plan is named/],
    [{ from: first(-1), plan: "team" }, /the settings have no price of the plan "team"/],
    [{ from: first(-1), amount: "a lot" }, /amount: "a lot" is none/],
    [{ from: "yesterday", amount: "1" }, /from: "yesterday" is no date/],
    [{ amount: "1" }, /from: it is missing: expected a day, as text, such as 2026-11-01/],
    [{ from: first(-1), amount: "1e3", customer: "Acme" }, /amount: "1e3" is none: expected dollars/],
    [{ from: `${first(-1)}T12:00Z`, amount: "1" }, /whole days/],
    [{ from: first(-1), to: first(-1), amount: "1" }, /from is not before to/],
    [{ from: first(-1), amount: "1", every: "once" }, /needs its end/],
    [{ from: first(-1), amount: "-12.50", customer: "Acme" }, /-12\.50 is below zero and would be taken off every month .* say its end/],
  ] as const) {
    const answer = await send("/revenue", JSON.stringify(wrong), "application/json");
    expect([answer.status, messageOf(answer)]).toEqual([400, expect.stringMatching(message)]);
  }
});

it("takes a table once, however often it comes, and none of it where a line is wrong", async () => {
  const days = daysIn(-1);
  const table = `customer,plan,amount,from,to\nBeta,team,${days * 3},${first(-1)},${first(0)}\n,,7,${first(-1)},${first(0)}\n`;
  const wrong = await send("/revenue/imports", `${table}Beta,team,lots,${first(-1)},\n`, "text/csv");
  expect([wrong.status, messageOf(wrong)]).toEqual([
    400,
    expect.stringMatching(/none of it was recorded: 1 of 3 amounts are wrong: line 4: amount: "lots"/),
  ]);
  const slips = await send("/revenue/imports", `${table}Beta,team,1e3,${first(-1)},\nBeta,team,5,,\n`, "text/csv");
  expect([slips.status, messageOf(slips)]).toEqual([
    400,
    expect.stringMatching(/2 of 4 amounts are wrong: line 4: amount: "1e3" is none: .*; line 5: from: it is missing: expected a day/),
  ]);
  expect((await send("/revenue/imports", table, "text/csv")).body).toMatchObject({
    recorded: 2,
    known: 0,
    notes: ["1 amount names neither customer, plan nor feature: counted in the revenue of all, and in no line of margins."],
  });
  expect((await send("/revenue/imports", table, "text/csv")).body).toMatchObject({ recorded: 0, known: 2 });
});

it("takes a file of thousands of lines whole or not at all, and no other letters than UTF-8", { timeout: 120_000 }, async () => {
  const folder = await temporaryFolder();
  const place = { data: gateway.dataFolder, folder: folder.path };
  const file = join(folder.path, "revenue.csv");
  const span = `${first(-30)},${first(-29)}`;
  const all = async (): Promise<number> => ((await gateway.get("/revenue?limit=1000&fresh=true")) as { revenue: object[] }).revenue.length;
  const before = await all();
  const lines = Array.from({ length: 5_001 }, (_, index) => `old-${index},Omega,1,${span}`);
  // "acme-pro" is on record since the first test, and the first line says something else of its id than the last.
  for (const [line, message] of [
    [`acme-pro,Acme,1,${span}`, /1 of 5002 amounts are wrong: line 5003: "acme-pro" is on record already and says something else/],
    [`old-0,Omega,2,${span}`, /1 or more of 5002 amounts are wrong: line 5003: "old-0" is on record already and says something else/],
  ] as const) {
    writeFileSync(file, `id,customer,amount,from,to\n${[...lines, line].join("\n")}\n`);
    const { code, err } = await runCommand(["revenue", "import", file], place);
    expect([code, err]).toEqual([1, expect.stringMatching(message)]);
    expect(await all()).toBe(before);
  }
  const latin = Buffer.from(`customer,amount,from,to\nMöller,1,${span}\n`, "latin1");
  writeFileSync(file, latin);
  expect((await runCommand(["revenue", "import", file], place)).err).toContain("line 2 is not UTF-8: save the file as UTF-8");
  for (const path of ["/revenue/imports", "/outcomes"]) {
    const sent = await send(path, latin, "text/csv");
    expect([sent.status, messageOf(sent)]).toEqual([400, expect.stringContaining("line 2 is not UTF-8: send it as UTF-8")]);
  }
  expect(await all()).toBe(before);
  await rm(folder.path, { recursive: true, force: true });
});

it("says what each brings in and costs, what belongs to nobody, and what is not known", async () => {
  const found = await margin(lastMonth);
  const team = String(daysIn(-1) * 3);
  expect(found.lines.map(({ key, plans, revenue, cost, margin: gained }) => [key, plans, revenue, cost, gained])).toEqual([
    ["Acme", ["pro"], "49", "89.5", "-40.5"],
    ["Beta", ["team"], team, "12.25", String(daysIn(-1) * 3 - 12.25)],
    ["Gamma", [], null, "3", null],
  ]);
  expect(found.nobody).toMatchObject({ revenue: "7", cost: "10", divided: "0", left: "10" });
  expect(found.unknown).toEqual({ keys: 1, cost: "3" });
  expect(found.known).toMatchObject({ keys: 2, cost: "101.75" });
  expect(found.all).toMatchObject({ revenue: String(49 + daysIn(-1) * 3 + 7), cost: "114.75", isWhole: false });
  expect(found.belowZero).toMatchObject({ keys: 1, lost: "40.5" });
  expect(found.notes.join(" ")).toMatch(/Of 1 customer with cost nobody says .*\$10\.00 of cost belongs to no customer/);
  // A loss of 40.5 on 49: between -0.9 and -0.8.
  expect(found.bins.filter(({ keys }) => keys > 0).map(({ from }) => from)).toContain(-0.9);
  expect(found.concentration.customers).toBe(3);
});

it("says who loses money and since when, and what carrying it comes to", async () => {
  const found = await margin(`${lastMonth}&cac=81&churn=0.5&cash=405&losing=true`);
  expect(found.lines.map(({ key }) => key)).toEqual(["Acme"]);
  // 60 - 49 and 89.50 - 49; the month before cost less than it brought in.
  expect(found.lines[0]?.losing).toEqual({
    sinceMonth: first(-2).slice(0, 7),
    months: 2,
    lost: "51.5",
    lastMonth: "40.5",
    isMaybeEarlier: false,
  });
  expect(found.losing).toMatchObject({ month: first(-1).slice(0, 7), customers: 1, lost: "40.5" });
  const { growth } = found;
  expect(growth.absorbed).toMatchObject({ customers: 1, absorbed: "40.5", perMonth: "40.5" });
  expect(growth.runway.value).toBe(10);
  // Two customers pay 49 and 3 a day; they cost 89.50 and 12.25.
  const contribution = (49 + daysIn(-1) * 3 - 101.75) / 2;
  expect(growth.payback.value).toBeCloseTo(81 / contribution, 6);
  expect(growth.lifetimeToCac.value).toBeCloseTo(contribution / 0.5 / 81, 6);
  expect(growth.newCustomers).toBe(1);
  expect(growth.cacWithLosses.value).toBe("121.5");
});

it("divides what belongs to nobody by the rule that is asked for", async () => {
  const even = await margin(`${lastMonth}&shared=even`);
  expect(even.lines.map(({ key, cost, shared }) => [key, Number(cost), Number(shared)])).toEqual([
    ["Acme", expect.closeTo(89.5 + 10 / 3, 9), expect.closeTo(10 / 3, 9)],
    ["Beta", expect.closeTo(12.25 + 10 / 3, 9), expect.closeTo(10 / 3, 9)],
    ["Gamma", expect.closeTo(3 + 10 / 3, 9), expect.closeTo(10 / 3, 9)],
  ]);
  expect(formatUsd(sum(even.lines.map(({ shared }) => parseUsd(shared))))).toBe("10");
  expect(even.nobody).toMatchObject({ cost: "10", divided: "10", left: "0" });
  const reserved = await margin(`${lastMonth}&shared=reserved&reserved=Acme%3D30&reserved=Beta%3D10&capacity=80`);
  expect(reserved.lines.map(({ key, shared }) => [key, shared])).toEqual([
    ["Acme", "3.75"],
    ["Beta", "1.25"],
    ["Gamma", "0"],
  ]);
  expect(reserved.nobody).toMatchObject({ divided: "5", left: "5" });
  expect(reserved.notes.join(" ")).not.toContain("capacity");
  const oversold = await margin(`${lastMonth}&shared=reserved&reserved=Acme%3D30&reserved=Beta%3D10&capacity=8`);
  expect(oversold.nobody).toMatchObject({ divided: "10", left: "0" });
  expect(oversold.notes).toContainEqual(expect.stringContaining("Customers have reserved 40 tokens, 32 more than the capacity of 8:"));
  await expect(margin(`${lastMonth}&shared=idle%20apart`)).rejects.toThrow(/capacity/);
  await expect(margin(`${lastMonth}&shared=reserved`)).rejects.toThrow(/reserved=NAME=TOKENS/);
});

it("tells plans apart by the days that customers had them", async () => {
  await gateway.post("/revenue", {
    id: "gamma-free",
    customer: "Gamma",
    plan: "free",
    amount: "0",
    from: first(-1),
    to: `${first(-1).slice(0, 8)}11`,
  });
  await gateway.post("/revenue", {
    id: "gamma-pro",
    customer: "Gamma",
    plan: "pro",
    amount: "30",
    from: `${first(-1).slice(0, 8)}11`,
    to: first(0),
  });
  const { lines, unknown } = await margin(`${lastMonth}&by=plan`);
  const free = (3_000_000_000_000n * 10n) / BigInt(daysIn(-1));
  expect(unknown.keys).toBe(0);
  expect(Object.fromEntries(lines.map(({ key, revenue, cost }) => [key, [revenue, Number(cost)]]))).toEqual({
    pro: ["79", expect.closeTo(92.5 - Number(free) / 1e12, 9)],
    team: [String(daysIn(-1) * 3), 12.25],
    free: ["0", expect.closeTo(Number(free) / 1e12, 9)],
  });
});

it("takes what Stripe exports: lines by their periods, without tax, in dollars", async () => {
  const invoice = (id: string, changes: object, lines: readonly object[]) => ({
    id,
    object: "invoice",
    customer: "cus_1",
    customer_name: "Delta",
    currency: "usd",
    status: "paid",
    created: seconds(first(-2)),
    lines: { object: "list", has_more: false, data: lines },
    ...changes,
  });
  const line = (id: string, amount: number, from: string, to: string, changes: object = {}) => ({
    id,
    object: "line_item",
    amount,
    period: { start: seconds(from), end: seconds(to) },
    price: { id: "price_1", nickname: "scale" },
    discount_amounts: [],
    ...changes,
  });
  const data = [
    invoice("in_1", { total: 11_900, total_excluding_tax: 10_000, charge: "ch_1" }, [
      line("il_1", 12_000, first(-2), first(0), { discount_amounts: [{ amount: 1_000, discount: "di_1" }] }),
      line("il_2", -1_000, first(-2), first(-1)),
    ]),
    invoice("in_2", { currency: "jpy", total_excluding_tax: 5_000 }, [line("il_3", 5_000, first(-1), first(0))]),
    invoice("in_3", { status: "open" }, [line("il_4", 99, first(-1), first(0))]),
    { id: "re_1", object: "refund", amount: 1_190, currency: "usd", charge: "ch_1", created: seconds(first(-1)), status: "succeeded" },
  ];
  const text = JSON.stringify({ object: "list", has_more: false, data });
  const foreign = await send("/revenue/imports?customerBy=name", text, "application/json");
  expect([foreign.status, messageOf(foreign)]).toEqual([400, expect.stringMatching(/data\[1\] in_2 lines il_3: its currency is "JPY"/)]);
  const path = "/revenue/imports?customerBy=name&rate=JPY%3D0.0065";
  const done = await send(path, text, "application/json");
  expect(done.body).toMatchObject({
    recorded: 4,
    known: 0,
    notes: ["1 × an invoice that is open: not counted until it is paid, in a later export."],
  });
  expect((await send(path, text, "application/json")).body).toMatchObject({ recorded: 0, known: 4 });
  const delta = (await margin(`${lastMonth}&order=revenue&limit=100`)).lines.find(({ key }) => key === "Delta");
  // 110 dollars over two months by their days, 5,000 yen (no cents) at 0.0065, and a refund of 11.90 of which 1.90 is tax.
  const days = [daysIn(-2), daysIn(-1)];
  const part = (110 * (days[1] as number)) / ((days[0] as number) + (days[1] as number));
  expect(Number(delta?.revenue)).toBeCloseTo(part + 32.5 - 10, 9);
  expect(delta?.plans).toEqual(["scale"]);
  const short = { ...data[0], id: "in_9", total_excluding_tax: 9_999 };
  expect(messageOf(await send("/revenue/imports", JSON.stringify([short]), "application/json"))).toMatch(
    /in_9: its lines come to 10000 without tax, and it says 9999/,
  );
  const more = { ...data[0], id: "in_8", lines: { has_more: true, data: [] } };
  expect(messageOf(await send("/revenue/imports", JSON.stringify([more]), "application/json"))).toMatch(
    /has more lines than are in the file/,
  );
  // The dashboard's table of the same invoices would count them again, and is refused.
  const head =
    "id,Customer,Customer Name,Currency,Total,Tax,Amount Paid,Status,Minimum Line Item Period Start (UTC),Maximum Line Item Period End (UTC)";
  const row = (id: string): string => `${id},cus_1,Delta,usd,119.00,19.00,119.00,paid,${first(-2)} 12:34,${first(0)} 12:34`;
  expect(messageOf(await send("/revenue/imports?customerBy=name", `${head}\n${row("in_1")}\n`, "text/csv"))).toMatch(
    /"stripe:in_1" is on record already and says something else/,
  );
  expect((await send("/revenue/imports?customerBy=name", `${head}\n${row("in_7")}\n`, "text/csv")).body).toMatchObject({ recorded: 1 });
});

it("voids what was a mistake, and says the same at the command line, after the store was built anew", { timeout: 180_000 }, async () => {
  const folder = await temporaryFolder();
  const place = { data: gateway.dataFolder, folder: folder.path };
  const file = join(folder.path, "revenue.csv");
  writeFileSync(file, `id,customer,amount,from,to\nonce,Epsilon,100,${first(-1)},${first(0)}\n`);
  expect((await runCommand(["revenue", "import", file], place)).out).toBe("1 amount on record.\n");
  expect((await runCommand(["revenue", "void", "once"], place)).out).toBe("The revenue once counts for nothing. It stays on record.\n");
  expect((await runCommand(["revenue", "import", file], place)).out).toBe("0 amounts on record, 1 voided before.\n");
  expect((await runCommand(["revenue", "list", "--customer", "Epsilon"], place)).out).toMatch(/once +Epsilon .* csv +100 +voided/);
  const again = await runCommand(
    ["revenue", "add", "--id", "once", "--customer", "Epsilon", "--amount", "100", "--from", first(-1), "--to", first(0)],
    place,
  );
  expect([again.code, again.err]).toEqual([1, expect.stringContaining("was voided")]);
  const nobodys = await runCommand(["revenue", "add", "--amount", "5", "--from", first(-1), "--to", first(0)], place);
  expect([nobodys.code, nobodys.err]).toEqual([2, expect.stringContaining("it is said of nobody: give --customer, --plan or --feature")]);
  const refund = ["revenue", "add", "--customer", "Zeta", "--amount=-12.5", "--from", first(-40)];
  expect((await runCommand(refund, place)).err).toContain("below zero and would be taken off every month");
  const day = `${first(-40).slice(0, 8)}02`;
  expect((await runCommand([...refund, "--to", day], place)).err).toContain(`-$12.50 from ${first(-40)} to ${day}, on record.`);
  writeFileSync(file, "customer,amuont,from\nA,1,2026-10-01\n");
  const typo = await runCommand(["revenue", "import", file], place);
  expect([typo.code, typo.err]).toEqual([2, expect.stringMatching(/line 1: no column is called "amuont" \(amount\?\)/)]);

  await ask(gateway, { "x-pennyworth-customer": "Acme", "x-sandbox-input-tokens": "1000", "x-sandbox-output-tokens": "500" });
  const args = ["margin", "--since", first(-1), "--until", first(0), "--limit", "100"];
  const before = await margin(`${lastMonth}&limit=100`);
  await rebuilt();
  const { out } = await runCommand([...args, "--json"], place);
  const { position: _p, ...told } = JSON.parse(out) as Margin & { readonly position: unknown };
  const { position: _q, ...known } = before as Margin & { readonly position: unknown };
  expect(told).toEqual(known);
  const table = await runCommand(args, place);
  expect(table.out).toMatch(/Acme +pro +49\.00 +89\.50 +-40\.50 +-83 % +\d{4}-\d{2} \(\$51\.50\)/);
  expect(table.out).toMatch(/Below zero: 1 of \d+, \$40\.50 together\./);
  await rm(folder.path, { recursive: true, force: true });
});
