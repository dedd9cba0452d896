// A month is closed, a price is put right, and the closed month's reports are byte for byte what they were: on a real server whose calls are of
// October, by the command line. Not here: random histories against the store (src/ledger/). Sums are done here, from quantities and prices.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readConfig } from "../src/config.ts";
import { type Running, start } from "../src/main.ts";
import { type Ran, runCommand } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "pennyworth-closed-"));
const data = join(folder, "data");
let running: Running;

/** Calls of 15 October, a second apart; what is done of them later is done in November. */
let nowMs = Date.UTC(2026, 9, 15, 12);

beforeAll(async () => {
  const config = readConfig(undefined, { data, "server.port": 0, log: "error" }, {});
  running = await start(config, { now: () => (nowMs += 1_000), demo: false });
}, 60_000);
afterAll(async () => {
  await running?.close();
  rmSync(folder, { recursive: true, force: true });
});

function pennyworth(...args: readonly string[]): Promise<Ran> {
  return runCommand(args, { data, folder });
}

async function get<Answer>(path: string): Promise<Answer> {
  const response = await fetch(`${running.url}/api/v1${path}`, { headers: { authorization: `Bearer ${running.adminToken}` } });
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

interface Receipt {
  readonly status: string;
  readonly total: string;
  readonly lines: readonly { readonly class: string; readonly quantity: number }[];
  readonly bookings: readonly { readonly month: string; readonly cost: string; readonly rerate: string | null }[];
}

async function call(model: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const response = await fetch(`${running.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model, messages: [{ role: "user", content: `What does a call cost, ${JSON.stringify(headers)}?` }] }),
  });
  const id = response.headers.get("x-pennyworth-call") ?? "";
  await response.text();
  // The store may not have heard of it yet.
  await expect.poll(() => get<Receipt>(`/calls/${id}/receipt`).catch(() => null), { timeout: 15_000 }).not.toSatisfy(isOpen);
  return id;
}

function isOpen(receipt: Receipt | null): boolean {
  return receipt === null || receipt.status === "open";
}

const october = "since=2026-10-01&until=2026-11-01";
const questions = [
  "",
  "by=model",
  "by=day,customer",
  "by=class",
  "by=provider,model,class",
  "by=month",
  "by=task",
  "by=hour,model",
  "by=source,status",
  "by=call",
  "by=unpriced",
  "filter=model=house",
];

/** Every answer word for word; but where the journal is, which is no part of a report. */
async function answers(): Promise<readonly string[]> {
  const asked = questions.map(async (question) => {
    const { position: _position, ...answer } = await get<Record<string, unknown>>(`/report?${october}&fresh=true&${question}`);
    return JSON.stringify(answer);
  });
  return Promise.all(asked);
}

/** Picodollars of a decimal string of dollars. */
function pico(usd: string): bigint {
  const [whole = "0", part = ""] = usd.replace("-", "").split(".");
  return BigInt(whole + part.padEnd(12, "0")) * (usd.startsWith("-") ? -1n : 1n);
}

it("a closed month stands while a price of it is put right", async () => {
  expect((await pennyworth("prices", "set", "sandbox/house", "--input", "1", "--output", "4")).code).toBe(0);
  const house = [await call("house", { "x-pennyworth-customer": "acme" }), await call("house", { "x-pennyworth-task": "ticket-1" })];
  await call("gpt-5-mini", { "x-pennyworth-customer": "acme" });
  const used = await Promise.all(house.map((id) => get<Receipt>(`/calls/${id}/receipt`)));

  expect((await pennyworth("close", "2026-10")).err).toMatch(/it is not over yet/);
  nowMs = Date.UTC(2026, 10, 5, 9);
  const closed = await pennyworth("close", "2026-10");
  expect([closed.code, closed.err]).toEqual([0, ""]);
  const before = await answers();
  const printed = await pennyworth("report", "--by", "day,model", "--since", "2026-10-01", "--until", "2026-11-01");
  const all = pico((await get<{ total: { cost: string } }>("/report?fresh=true")).total.cost);

  // The price of October was wrong: three times as much, and half as much.
  const set = await pennyworth("prices", "set", "sandbox/house", "--input", "3", "--output", "2");
  expect(set.out).toMatch(/sandbox +house +input +1 +3 +\+200 %/);
  expect(set.out).toMatch(/sandbox +house +output +4 +2 +−50 %/);
  const span = ["--since", "2026-10-01", "--until", "2026-11-01"];
  const refused = await pennyworth("prices", "rerate", ...span);
  expect([refused.code, refused.out]).toEqual([1, ""]);
  expect(refused.err).toMatch(/2026-10/);
  const booked = await pennyworth("prices", "rerate", ...span, "--into-open");
  expect([booked.code, booked.err]).toEqual([0, ""]);

  expect(await answers()).toEqual(before);
  expect((await pennyworth("report", "--by", "day,model", ...span)).out).toBe(printed.out);
  expect((await pennyworth("close", "--check")).code).toBe(0);

  // 2 more a million for input, 2 less for output: in picodollars a token.
  const differences = used.map(({ lines }) =>
    lines.reduce((sum, { class: name, quantity }) => sum + BigInt(quantity) * (name === "input" ? 2_000_000n : -2_000_000n), 0n),
  );
  const receipts = await Promise.all(house.map((id) => get<Receipt>(`/calls/${id}/receipt`)));
  expect(receipts.map(({ bookings }) => bookings.map((one) => [one.month, pico(one.cost), one.rerate !== null]))).toEqual(
    differences.map((difference) => [["2026-10", difference, true]]),
  );
  const difference = differences.reduce((sum, one) => sum + one, 0n);
  expect(difference).not.toBe(0n);
  const later = await get<{ total: { cost: string } }>("/report?since=2026-11-01&fresh=true");
  expect(pico(later.total.cost)).toBe(difference);
  const now = await get<{ total: { cost: string } }>("/report?fresh=true");
  expect(pico(now.total.cost)).toBe(all + difference);

  // Once more changes nothing.
  expect((await pennyworth("prices", "rerate", ...span, "--into-open")).out).toContain("nothing differs");
  expect(await answers()).toEqual(before);
}, 240_000);
