// Budgets from end to end, on the real guard: from the settings, by the API and by headers; what a call is posted as, what refuses it, what a
// restart leaves. Not here: races, crashes and bad providers (test/adversary).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../src/config.ts";
import { type Running, start } from "../src/main.ts";
import { startGateway, type TestGateway } from "./gateway.ts";
import { temporaryFolder } from "./process.ts";

const budgets = [{ id: "of-settings", owner: "ada", for: { team: "docs" }, limit: "$10 per month" }];
const wanted = { kind: "budget", owner: "ada", for: { customer: "Acme" }, limit: "$1 per day" };
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ budgets });
});
afterAll(() => gateway?.close());

async function control(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, never> }> {
  const answer = await fetch(`${gateway.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${gateway.adminToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, never> };
}

function call(headers: Readonly<Record<string, string>>, url = gateway.url): Promise<Response> {
  const body = { model: "gpt-5-mini", max_completion_tokens: 50, messages: [{ role: "user", content: "What may a call cost?" }] };
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

/** The one standing of a budget. */
async function standing(id: string): Promise<Record<string, unknown>> {
  const { body } = await control("GET", `/budgets/${id}`);
  return (body as unknown as { budget: { standings: [Record<string, unknown>] } }).budget.standings[0];
}

describe("a budget", () => {
  it("of the settings is in force, and is changed there alone", async () => {
    expect((await control("GET", "/budgets/of-settings")).body).toMatchObject({ budget: { origin: "settings", terms: { owner: "ada" } } });
    expect(await control("PUT", "/budgets/of-settings", wanted)).toMatchObject({ status: 409, body: { error: { code: "budget_fixed" } } });
  });

  it("by the API is posted what the receipt says, by the customer's name", async () => {
    expect((await control("PUT", "/budgets/acme", wanted)).status).toBe(200);
    const answer = await call({ "x-pennyworth-customer": "Acme" });
    expect(answer.status).toBe(200);
    const id = answer.headers.get("x-pennyworth-call") ?? "";
    await answer.text();
    const { total } = await gateway.receipt(id);
    expect(Number(total)).toBeGreaterThan(0);
    expect(await standing("acme")).toMatchObject({ allowance: "1", spent: total, held: "0", presumed: "0" });
    await (await call({ "x-pennyworth-customer": "Others" })).text();
    expect(await standing("acme")).toMatchObject({ spent: total });
    expect((await control("GET", `/guard/why/${id}`)).body).toMatchObject({ kind: "settled", taken: total, budgets: [{ budget: "acme" }] });
  });

  it("that is used up refuses in the client's format, and is remembered; a grant lets the next one in", async () => {
    await control("PUT", "/budgets/tiny", { ...wanted, for: { team: "tiny" }, limit: "$0.000001" });
    const refused = await call({ "x-pennyworth-team": "tiny" });
    expect([refused.status, refused.headers.get("x-should-retry"), refused.headers.get("x-pennyworth-budget")]).toEqual([
      402,
      "false",
      "tiny",
    ]);
    expect(await refused.json()).toMatchObject({ error: { code: "budget_exhausted" } });
    const { body } = await control("GET", "/refusals?budget=tiny");
    const { refusals } = body as unknown as { refusals: { id: string }[] };
    expect(refusals).toMatchObject([{ code: "budget_exhausted", against: [{ budget: "tiny", limit: "0.000001" }] }]);
    expect((await control("GET", `/guard/why/${refusals[0]?.id}`)).body).toMatchObject({ kind: "refused" });
    await control("POST", "/budgets/tiny/grants", { id: "g1", amount: "$0.5" });
    expect((await call({ "x-pennyworth-team": "tiny" })).status).toBe(200);
  });

  it("a rate refuses with when to come back", async () => {
    await control("PUT", "/budgets/slow", { kind: "rate", owner: "ops", for: { agent: "slow" }, limit: "1 call per minute" });
    expect((await call({ "x-pennyworth-agent": "slow" })).status).toBe(200);
    const refused = await call({ "x-pennyworth-agent": "slow" });
    expect(refused.status).toBe(429);
    const seconds = Number(refused.headers.get("retry-after"));
    // A minute, and at most one part of it more.
    expect(seconds).toBeGreaterThan(50);
    expect(seconds).toBeLessThanOrEqual(61);
  });

  it("the switch refuses all below a node until it is put back", async () => {
    const { body } = await control("POST", "/halts", { for: { feature: "search" }, note: "runs away" });
    const refused = await call({ "x-pennyworth-feature": "search" });
    expect([refused.status, (await refused.json()) as unknown]).toMatchObject([403, { error: { code: "halted" } }]);
    expect((await call({ "x-pennyworth-feature": "other" })).status).toBe(200);
    await control("DELETE", `/halts/${String(body["id"])}`);
    expect((await call({ "x-pennyworth-feature": "search" })).status).toBe(200);
  });
});

it("a restart leaves budgets, grants and what was spent as they were; what the settings drop is gone", async () => {
  const folder = await temporaryFolder();
  const open = (flags: object): Promise<Running> =>
    start(readConfig(undefined, { data: folder.path, "server.port": 0, log: "error", ...flags }, { PENNYWORTH_ADMIN_TOKEN: token }));
  let running = await open({ budgets });
  try {
    await ask(running.url, "PUT", "/budgets/acme", wanted);
    await ask(running.url, "POST", "/budgets/acme/grants", { id: "g1", amount: "0.25" });
    await (await call({ "x-pennyworth-customer": "Acme" }, running.url)).text();
    const { budget } = (await ask(running.url, "GET", "/budgets/acme")) as { budget: object };
    expect(budget).toMatchObject({
      standings: [{ allowance: "1.25", granted: "0.25", held: "0", spent: expect.stringMatching(/^0\.000\d*[1-9]/) }],
    });
    await running.close();
    running = await open({});
    expect(await ask(running.url, "GET", "/budgets")).toMatchObject({ budgets: [budget] });
    expect(await ask(running.url, "POST", "/budgets/acme/grants", { id: "g1", amount: "0.25" })).toMatchObject({ outcome: "known" });
  } finally {
    await running.close();
    await folder.remove();
  }
});

const token = "t".repeat(32);

async function ask(url: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return (await fetch(`${url}/api/v1${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })).json();
}
