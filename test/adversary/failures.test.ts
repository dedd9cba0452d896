// Where today's gateways spend past a budget, on a real server with a provider that bills: each case by the name of its public thread. Those
// that need neither are in src/guard/failures.test.ts.

import { afterAll, beforeAll, expect, test } from "vitest";
import { startGateway, type TestGateway } from "../gateway.ts";
import { type Ask, bodyOf, routes, type Step, unboundedWords } from "./ask.ts";
import { send } from "./client.ts";
import { settingsOf } from "./gateway.ts";
import { randomOf } from "./random.ts";
import { dollars, toPico } from "./rule.ts";
import { boundOf } from "./tariff.ts";
import { startWitness, type Witness } from "./witness.ts";

let witness: Witness;
let gateway: TestGateway;
beforeAll(async () => {
  witness = await startWitness();
  const rules = { rules: [], routes, witnessUrl: witness.url, patienceMs: 10_000, waitMsMax: 0 };
  gateway = await startGateway({ ...settingsOf(rules), log: "silent" });
});
afterAll(async () => {
  await gateway?.close();
  await witness?.close();
});

const answer: Step = { conduct: "answer", outputShare: 1_000, inputShare: 1_000, readShare: 0, writeShare: 0 };
let count = 0;

/** A call of one team, by a route of ask.ts. */
function ask(team: string, model: string, more: Partial<Pick<Ask, "cap" | "steps" | "streamed" | "unbounded" | "patienceMs">> = {}): Ask {
  const id = `f${(count += 1)}`;
  const route = routes.find((one) => one.model === model);
  if (route === undefined) throw new Error(`no route ${model}`);
  const { cap = 100, steps = [answer], streamed = false, unbounded = false, patienceMs = null } = more;
  const size = { choices: 1, writes: "none", tools: false } as const;
  const body = bodyOf({ id, model, wire: route.wire, cap, ...size, streamed, unbounded, words: 1 }, randomOf(1));
  const who = { team, agent: "a", customer: "c", feature: "f", task: id, root: id };
  const made = { ...route, id, who, size: { ...size, bytes: body.length }, cap, streamed, unbounded, body, steps, patienceMs };
  witness.expect(made);
  return made;
}

const budget = async (team: string, limit: string, more: object = {}): Promise<void> =>
  void (await set(`of-${team}`, { kind: "budget", owner: "ada", for: { team }, limit, ...more }));

async function set(id: string, terms: object): Promise<void> {
  const response = await fetch(`${gateway.url}/api/v1/budgets/${id}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${gateway.adminToken}`, "content-type": "application/json" },
    body: JSON.stringify(terms),
  });
  expect([response.status, response.ok ? "" : await response.text()]).toEqual([200, ""]);
}

interface Standing {
  readonly spent: string;
  readonly held: string;
  readonly presumed: string;
  readonly left: string;
}

/** Once nothing is held. */
async function standing(team: string): Promise<Standing> {
  for (let tries = 0; ; tries += 1) {
    const { budget: of } = (await gateway.get(`/budgets/of-${team}`)) as { readonly budget: { readonly standings: readonly Standing[] } };
    const [one] = of.standings;
    if (one !== undefined && (Number(one.held) === 0 || tries > 200)) return one;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const billedTo = (team: string): bigint =>
  witness.tries.reduce((sum, one) => (one.ask.who.team === team ? sum + one.billed.money : sum), 0n);

test("litellm #41344: a free model with a paid fallback is held at the fallback, and refused where that does not fit", async () => {
  const one = ask("freeloader", "gratis", { steps: [{ ...answer, conduct: "500" }, answer] });
  const paid = boundOf(one.size, one.cap, one.targets).money;
  await budget("freeloader", `$${dollars(paid - 1n)}`);
  expect(await send(gateway.url, one)).toMatchObject({
    status: 402,
    refused: "budget_exhausted",
    budget: "of-freeloader",
    shouldRetry: "false",
  });
  expect(witness.triesOf(one.id)).toEqual([]);
  await budget("freeloader", `$${dollars(paid)}`);
  const again = ask("freeloader", "gratis", { steps: [{ ...answer, conduct: "500" }, answer] });
  expect(await send(gateway.url, again)).toMatchObject({ status: 200, refused: null });
  expect(witness.triesOf(again.id).map(({ target }) => target.provider)).toEqual(["free", "dear"]);
  expect(await standing("freeloader")).toMatchObject({ spent: dollars(billedTo("freeloader")), held: "0", presumed: "0" });
});

test("litellm #34732, envoy ai-gateway #680: calls at the same time do not pass a budget together", async () => {
  const asks = Array.from({ length: 60 }, () => ask("crowd", "plain", { cap: 1_000 }));
  const [first] = asks;
  const most = boundOf((first as Ask).size, 1_000, (first as Ask).targets).money;
  await budget("crowd", `$${dollars(most * 7n)}`);
  const outcomes = await Promise.all(asks.map((one) => send(gateway.url, one)));
  const admitted = outcomes.filter(({ status }) => status === 200).length;
  expect(admitted).toBeGreaterThanOrEqual(7);
  expect(outcomes.filter(({ refused }) => refused === "budget_exhausted")).toHaveLength(60 - admitted);
  expect(billedTo("crowd") <= most * 7n).toBe(true);
  expect(await standing("crowd")).toMatchObject({ spent: dollars(billedTo("crowd")), held: "0", presumed: "0" });
});

test("bifrost #2873: pass-through routes are under the budgets, too", async () => {
  await budget("passing", "$1");
  const response = await fetch(`${gateway.url}/to/cheap/v1/something/else`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-pennyworth-team": "passing" },
    body: "{}",
  });
  expect([response.status, response.headers.get("x-pennyworth-refused")]).toEqual([402, "budget_unbounded"]);
  expect(witness.strangers).toEqual([]);
});

test("litellm #35524: what nobody can estimate is no way around", async () => {
  await budget("unpriced", "$1");
  const body = JSON.stringify({ model: "nobody-knows-its-price", max_tokens: 10, messages: [{ role: "user", content: "Hello" }] });
  const response = await fetch(`${gateway.url}/to/cheap/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-pennyworth-team": "unpriced" },
    body,
  });
  expect([response.status, response.headers.get("x-pennyworth-refused")]).toEqual([402, "budget_unbounded"]);
  expect(await response.json()).toMatchObject({ error: { code: "budget_unbounded" } });
});

test("litellm #27639, screenpipe #5747: what was never billed does not count, and what was broken off counts as its bound", async () => {
  await budget("unlucky", "$1");
  for (const conduct of ["429", "500", "503"] as const)
    await send(gateway.url, ask("unlucky", "plain", { steps: [{ ...answer, conduct }] }));
  expect(await standing("unlucky")).toMatchObject({ spent: "0", held: "0", presumed: "0" });
  const broken = ask("unlucky", "plain", { cap: 1_000, streamed: true, steps: [{ ...answer, conduct: "cut" }] });
  await send(gateway.url, broken);
  const { spent, presumed, held } = await standing("unlucky");
  const booked = toPico(spent) + toPico(presumed);
  expect(held).toBe("0");
  expect(booked >= billedTo("unlucky")).toBe(true);
  expect(booked <= boundOf(broken.size, 1_000, broken.targets).money).toBe(true);
});

test("litellm #13264, EasyMetaAu/helm-api #6: a stream that reports nothing is not free", async () => {
  await budget("mute", "$1");
  for (const model of ["plain", "claude"])
    for (const streamed of [true, false])
      await send(gateway.url, ask("mute", model, { streamed, steps: [{ ...answer, conduct: "mute" }] }));
  const { spent, presumed } = await standing("mute");
  expect(toPico(spent) + toPico(presumed) >= billedTo("mute")).toBe(true);
});

test.each([
  ["with a cap of its own", 100_000, 1],
  ["without a cap", null, 1],
  ["five at the same time", 100_000, 5],
])("a budget that lets calls in without a bound ends their streams when the money is gone: %s", async (name, cap, many) => {
  const team = `cutter-${name.replaceAll(" ", "-")}`;
  const asks = Array.from({ length: many }, () => ask(team, "quick", { cap, streamed: true, unbounded: true }));
  const [first] = asks as [Ask];
  // Their input at $1 a million, and a third of the words of each at $5.
  const limit = BigInt(many) * (BigInt(first.size.bytes) * 1_000_000n + BigInt(unboundedWords / 3) * 5_000_000n);
  await budget(team, `$${dollars(limit)}`, { unbounded: "allow" });
  const outcomes = await Promise.all(asks.map((one) => send(gateway.url, one)));
  for (const asked of outcomes) {
    expect(asked).toMatchObject({ status: 200, refused: null, failure: null, complete: true });
    expect(asked.text.includes('"finish_reason":"length"')).toBe(true);
  }
  await expect.poll(() => asks.every((one) => witness.triesOf(one.id)[0]?.over)).toBe(true);
  const billed = billedTo(team);
  // docs/disconnects.md: what was generated until then. Some words are on their way when the connection is closed.
  const onTheWay = BigInt(many) * 75n * 5_000_000n;
  expect({ enough: billed > limit / 4n, within: billed <= limit + onTheWay }).toEqual({ enough: true, within: true });
  const { spent, presumed } = await standing(team);
  expect(toPico(spent) + toPico(presumed) >= billed).toBe(true);
  expect((await send(gateway.url, ask(team, "quick", { cap: 10_000 }))).refused).toBe("budget_exhausted");
});
