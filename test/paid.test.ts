// What files of customers' money and of outcomes leave behind, end to end: a real server with its journal and its map of names, asked as attackers ask. Not here: what
// the sums are (margin.test.ts), what files mean (ingest/revenue.test.ts).

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startGateway, type TestGateway } from "./gateway.ts";

let gateway: TestGateway;

interface Answer {
  readonly status: number;
  readonly body: {
    readonly ids: readonly string[];
    readonly recorded: number;
    readonly known: number;
    readonly error: { readonly code: string; readonly message: string };
  };
}

async function send(path: string, body: unknown, type = "application/json"): Promise<Answer> {
  const headers = { authorization: `Bearer ${gateway.adminToken}`, "content-type": type };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(`${gateway.url}/api/v1${path}`, { method: "POST", headers, body: text });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

const deep = (count: number): string => `${"[".repeat(count)}${"]".repeat(count)}`;

/** Every file of the data folder, one behind the other. */
function bytes(): string {
  return readdirSync(gateway.dataFolder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => readFileSync(join(one.parentPath, one.name), "latin1"))
    .join("\n");
}

/** What is on record under ids that end so. */
const allOf = async (id: string) => {
  const found = (await gateway.get("/revenue?fresh=true&limit=1000&since=2026-10-01")) as {
    readonly revenue: readonly { readonly id: string; readonly amount: string }[];
  };
  return found.revenue
    .filter((one) => one.id.endsWith(id))
    .map((one) => [one.id, one.amount])
    .toSorted();
};
const wantedOf = (id: string) => [
  [`stripe:cn_${id}`, "-10"],
  [`stripe:in_${id}`, "100"],
  [`stripe:re_${id}`, "-10"],
];

beforeAll(async () => {
  gateway = await startGateway();
}, 60_000);
afterAll(() => gateway?.close());

it("gives lines without an id one that a guess at the customer's name cannot be tried on, and the same one again", async () => {
  const said = ["Globex", "pro", null, "5", null, "2026-10-01", "2026-10-02", null];
  const table = "customer,plan,amount,from,to\nGlobex,pro,5,2026-10-01,2026-10-02\n";
  const { body } = await send("/revenue/imports", table, "text/csv");
  expect(body.ids).toEqual([expect.stringMatching(/^csv_[0-9a-f]{32}$/)]);
  expect((await send("/revenue/imports", table, "text/csv")).body).toMatchObject({ recorded: 0, known: 1, ids: body.ids });
  const outcomes = "task,result,judge,source\nt1,success,person,Ada Lovelace\n";
  const judged = await send("/outcomes", outcomes, "text/csv");
  expect(judged.body.ids).toEqual([expect.stringMatching(/^csv_[0-9a-f]{32}$/)]);
  expect((await send("/outcomes", outcomes, "text/csv")).body).toMatchObject({ recorded: 0, known: 1, ids: judged.body.ids });
  // As whoever has the journal and guesses the name would make them.
  const words = JSON.stringify(said);
  const ended = JSON.stringify(["t1", "success", null, null, "person", "Ada Lovelace", null, null, null]);
  const guesses = [words, ended].map((text) => createHash("sha256").update(text).digest("hex").slice(0, 32));
  const kept = bytes();
  for (const guess of guesses) expect(kept).not.toContain(guess);
  expect(kept).toContain(body.ids[0]);
});

it("counts the refund of a credit note once over two exports, whichever comes first", async () => {
  const at = Date.UTC(2026, 9, 20) / 1_000;
  const period = { start: at, end: at };
  const invoice = (id: string) => ({
    id: `in_${id}`,
    object: "invoice",
    customer: "cus_1",
    currency: "usd",
    status: "paid",
    created: at,
    charge: `ch_${id}`,
    total: 11_900,
    total_excluding_tax: 10_000,
    lines: { has_more: false, data: [{ id: `il_${id}`, amount: 10_000, period }] },
  });
  // A day later than its credit note, which says nothing else of it.
  const refund = (id: string) => ({
    id: `re_${id}`,
    object: "refund",
    charge: `ch_${id}`,
    amount: 1_190,
    currency: "usd",
    created: at + 86_400,
  });
  const note = (id: string) => ({
    id: `cn_${id}`,
    object: "credit_note",
    customer: "cus_1",
    currency: "usd",
    created: at,
    total: 2_380,
    total_excluding_tax: 2_000,
    refunds: [{ refund: `re_${id}`, amount_refunded: 1_190 }],
  });
  expect((await send("/revenue/imports", [invoice("a"), note("a")])).status).toBe(201);
  expect((await send("/revenue/imports", [invoice("a"), refund("a")])).body).toMatchObject({ recorded: 0, known: 2 });
  expect(await allOf("_a")).toEqual(wantedOf("a"));
  expect((await send("/revenue/imports", [invoice("b"), refund("b")])).status).toBe(201);
  expect((await send("/revenue/imports", [invoice("b"), note("b"), refund("b")])).body).toMatchObject({ recorded: 1, known: 2 });
  expect(await allOf("_b")).toEqual(wantedOf("b"));
});

it("learns no name from a question, nor from a file that is refused", async () => {
  for (const path of [
    "/report?filter=customer%3DNosy-report",
    "/revenue?customer=Nosy-revenue",
    "/margin?shared=reserved&capacity=5&reserved=Nosy-margin%3D5",
    "/compare?by=user&candidates=Nosy-compare,Nosy-other",
  ])
    await fetch(`${gateway.url}/api/v1${path}`, { headers: { authorization: `Bearer ${gateway.adminToken}` } });
  const wrong = "customer,amount,from,to\nNosy-file,5,2026-10-01,2026-10-02\nNosy-file,lots,2026-10-01,2026-10-02\n";
  expect((await send("/revenue/imports", wrong, "text/csv")).status).toBe(400);
  await send("/revenue/imports", "customer,amount,from,to\nInitech,5,2026-10-01,2026-10-02\n", "text/csv");
  await send("/revenue", { customer: "Hooli", amount: "5", from: "2026-10-01", to: "2026-10-02" });
  const found = (await gateway.get("/revenue?fresh=true&customer=Initech&since=2026-10-01")) as {
    readonly revenue: readonly { readonly customer: string }[];
  };
  expect(found.revenue.map(({ customer }) => customer)).toEqual(["Initech"]);
  const kept = bytes();
  for (const name of ["Initech", "Hooli"]) expect(kept).toContain(name);
  expect(kept).not.toContain("Nosy-");
});

it("refuses what is no amount, no list and no witness, and says so", async () => {
  const text = '{"revenue":[{"customer":"Globex","amount":1234567890.1234567,"from":"2026-10-01","to":"2026-10-02"}]}';
  const many = await send("/revenue/imports", text);
  expect([many.status, many.body.error.message]).toEqual([400, expect.stringMatching(/more digits than a number keeps: send it as text/)]);
  const one = await send("/revenue", { customer: "Globex", amount: 1234567890.1234567, from: "2026-10-01", to: "2026-10-02" });
  expect([one.status, one.body.error.message]).toEqual([400, expect.stringMatching(/more digits than a number keeps/)]);
  for (const [body, code] of [
    [deep(100_000), "revenue_invalid"],
    [`{"witness":${deep(100_000)},"revenue":[{}]}`, "request_malformed"],
    [`{"revenue":[{}],"places":[${deep(100_000)}]}`, "revenue_invalid"],
  ] as const) {
    const answer = await send("/revenue/imports", body);
    expect([answer.status, answer.body.error.code]).toEqual([400, code]);
  }
});
