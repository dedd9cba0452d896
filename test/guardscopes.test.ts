// Budgets end to end: which calls they are for, by every field; several at once; each value's own; modes and measures. Not here: what changes
// over time (guardchanges.test.ts), what refusals look like to clients (guardclients.test.ts), rates that wait (guardrates.test.ts).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answered, boundOf, chat, dollars, type Guarded, pico, post, read, startGuarded } from "./guarded.ts";

let guarded: Guarded;
beforeAll(async () => {
  guarded = await startGuarded({});
});
afterAll(() => guarded?.close());

/** Names as clients send them: UTF-8 in a header. */
const by = (fields: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [`x-pennyworth-${name}`, Buffer.from(value).toString("latin1")]));

/** What OpenAI's usage costs here, by hand. */
function costOf({ body: { usage } }: Answered): bigint {
  return pico(usage.prompt_tokens, usage.completion_tokens);
}

const tiny = "$0.000001 per day";

describe("a budget is for the calls that its fields say", () => {
  it.for([
    ["team", "search"],
    ["agent", "crawler"],
    ["feature", "answers"],
    ["customer", "Hay & Söhne"],
    ["user", "ada@example.com"],
    ["type", "summary"],
    ["project", "moon"],
    ["environment", "staging"],
  ] as const)("%s", async ([field, value]) => {
    const headers = by({ [field]: value });
    await guarded.set(`of-${field}`, { for: { [field]: value }, limit: "$1 per day" });
    const answer = await read(chat(guarded.url, { headers }));
    expect(answer.status, answer.text).toBe(200);
    expect((await guarded.standing(`of-${field}`)).spent).toBe(dollars(costOf(answer)));
    await read(chat(guarded.url, { headers: by({ [field]: "another" }) }));
    await read(chat(guarded.url));
    expect((await guarded.standing(`of-${field}`)).spent).toBe(dollars(costOf(answer)));
    await guarded.set(`of-${field}`, { for: { [field]: value }, limit: tiny });
    expect((await read(chat(guarded.url, { headers }))).status).toBe(402);
    expect((await read(chat(guarded.url, { headers: by({ [field]: "another" }) }))).status).toBe(200);
    await guarded.control("DELETE", `/budgets/of-${field}`);
  });

  it("provider and model, as they are sent", async () => {
    await guarded.set("of-model", { for: { provider: "openai", model: "gpt-4-small" }, limit: tiny });
    expect((await read(chat(guarded.url, { model: "gpt-4-small" }))).status).toBe(402);
    expect((await read(chat(guarded.url))).status).toBe(200);
    const claude = { model: "claude-3-5-haiku-latest", max_tokens: 20, messages: [{ role: "user", content: "Hello." }] };
    expect((await read(post(`${guarded.url}/v1/messages`, claude))).status).toBe(200);
    await guarded.set("of-provider", { for: { provider: "anthropic" }, limit: tiny });
    expect((await read(post(`${guarded.url}/v1/messages`, claude))).status).toBe(402);
    await guarded.control("DELETE", "/budgets/of-provider");
    await guarded.control("DELETE", "/budgets/of-model");
  });

  it("a task stands for all below it, and for nothing beside it", async () => {
    await guarded.set("of-task", { for: { task: "report-1" }, limit: "$1 per day" });
    const below = [by({ task: "report-1" }), by({ task: "a", parent: "report-1" }), by({ task: "b", parent: "a" })];
    let sum = 0n;
    for (const headers of below) sum += costOf(await read(chat(guarded.url, { headers })));
    await read(chat(guarded.url, { headers: by({ task: "c", parent: "report-2" }) }));
    expect((await guarded.standing("of-task")).spent).toBe(dollars(sum));
    await guarded.set("of-task", { for: { task: "report-1" }, limit: tiny });
    const refused = await Promise.all(below.map((headers) => read(chat(guarded.url, { headers }))));
    expect(refused.map(({ status }) => status)).toEqual([402, 402, 402]);
    expect((await read(chat(guarded.url, { headers: by({ task: "c" }) }))).status).toBe(200);
    await guarded.control("DELETE", "/budgets/of-task");
  });
});

describe("each", () => {
  it("value has the limit to itself, a call that says none is not under it, and a grant goes to one of them", async () => {
    await guarded.set("per-customer", { each: ["customer"], for: { feature: "each" }, limit: "1 call per day" });
    const of = (customer: string): Promise<Answered> => read(chat(guarded.url, { headers: by({ customer, feature: "each" }) }));
    expect([(await of("Hay")).status, (await of("Moo")).status, (await of("Hay")).status, (await of("Moo")).status]).toEqual([
      200, 200, 402, 402,
    ]);
    for (let turn = 0; turn < 3; turn++) expect((await read(chat(guarded.url, { headers: by({ feature: "each" }) }))).status).toBe(200);
    const { status } = await guarded.control("POST", "/budgets/per-customer/grants", { id: "g", amount: "1", for: { customer: "Moo" } });
    expect(status).toBe(201);
    expect([(await of("Hay")).status, (await of("Moo")).status, (await of("Moo")).status]).toEqual([402, 200, 402]);
    const standings = await guarded.standings("per-customer");
    expect(standings.map(({ spent, left }) => [spent, left])).toEqual([
      ["1", "0"],
      ["2", "0"],
    ]);
    await guarded.control("DELETE", "/budgets/per-customer");
  });

  it("task is each tree, by its root", async () => {
    await guarded.set("per-tree", { each: ["task"], for: { feature: "trees" }, limit: "2 calls per day" });
    const of = (fields: Record<string, string>): Promise<Answered> =>
      read(chat(guarded.url, { headers: by({ feature: "trees", ...fields }) }));
    const statuses = [
      await of({ task: "r1" }),
      await of({ task: "k1", parent: "r1" }),
      await of({ task: "k2", parent: "k1", root: "r1" }),
      await of({ task: "r2" }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 402, 200]);
    await guarded.control("DELETE", "/budgets/per-tree");
  });
});

describe("several budgets", () => {
  it("let a call in together or not at all: what one refuses holds and posts nothing on the others", async () => {
    await guarded.set("wide", { for: { feature: "both" }, limit: "$1 per day" });
    await guarded.set("narrow", { for: { feature: "both", team: "poor" }, limit: tiny });
    const refused = await read(chat(guarded.url, { headers: by({ feature: "both", team: "poor" }) }));
    expect([refused.status, refused.header("x-pennyworth-budget")]).toEqual([402, "narrow"]);
    expect(await guarded.standing("wide")).toMatchObject({ spent: "0", held: "0", presumed: "0", left: "1" });
    const answer = await read(chat(guarded.url, { headers: by({ feature: "both", team: "rich" }) }));
    expect(answer.status).toBe(200);
    expect((await guarded.standing("wide")).spent).toBe(dollars(costOf(answer)));
    for (const id of ["wide", "narrow"]) await guarded.control("DELETE", `/budgets/${id}`);
  });

  it("hold a call's bound while it runs, to the last digit, and give back what it did not take", async () => {
    await guarded.set("one", { for: { feature: "held" }, limit: "$1 per day" });
    await guarded.set("two", { for: { feature: "held" }, limit: "100k tokens per day" });
    const text = "Wait a little. [[sandbox delay-ms=600 output-tokens=20 input-tokens=30]]";
    const headers = by({ feature: "held" });
    const coming = read(chat(guarded.url, { headers, text }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const bytes = boundOf({ text });
    expect((await guarded.standing("one")).held).toBe(dollars(pico(bytes, 100)));
    expect((await guarded.standing("two")).held).toBe(String(bytes + 100));
    expect((await coming).status).toBe(200);
    expect(await guarded.standing("one")).toMatchObject({ held: "0", spent: dollars(pico(30, 20)) });
    expect(await guarded.standing("two")).toMatchObject({ held: "0", spent: "50" });
    for (const id of ["one", "two"]) await guarded.control("DELETE", `/budgets/${id}`);
  });
});

describe("modes", () => {
  it("soft lets in and warns in a header; the call is on record as warned", async () => {
    await guarded.set("soft", { for: { feature: "soft" }, limit: tiny, mode: "soft" });
    const answer = await read(chat(guarded.url, { headers: by({ feature: "soft" }) }));
    expect([answer.status, answer.header("x-pennyworth-warning")]).toEqual([200, "the budget soft is used up"]);
    const { body } = await guarded.control("GET", `/guard/why/${answer.call}`);
    expect(body).toMatchObject({ kind: "settled", warned: [{ budget: "soft" }] });
    expect((await guarded.standing("soft")).spent).toBe(dollars(costOf(answer)));
    expect(answer.edits).toBeNull();
  });

  it("soft and uncovered ones with a value for each are named by their ids: tokens say nothing to a client", async () => {
    const terms = { for: { feature: "named" }, each: ["customer"] };
    await guarded.set("named-soft", { ...terms, limit: tiny, mode: "soft" });
    await guarded.set("named-open", { ...terms, limit: "$1 per day", unbounded: "allow" });
    const headers = by({ feature: "named", customer: "Acme" });
    const [bounded, unpriced] = [
      await read(chat(guarded.url, { headers })),
      await read(chat(guarded.url, { headers, model: "no-price-of-it" })),
    ];
    expect([bounded.status, bounded.header("x-pennyworth-warning")]).toEqual([200, "the budget named-soft is used up"]);
    expect([unpriced.status, unpriced.header("x-pennyworth-uncovered")]).toEqual([200, "named-soft, named-open"]);
    for (const id of ["named-soft", "named-open"]) await guarded.control("DELETE", `/budgets/${id}`);
  });

  it("a halt is told without tokens to whom it stops, and with names to who asks", async () => {
    const { body } = await guarded.control("POST", "/halts", { for: { feature: "named", customer: "Acme" }, note: "too fast" });
    const answer = await read(chat(guarded.url, { headers: by({ feature: "named", customer: "Acme" }) }));
    await guarded.control("DELETE", `/halts/${body.halt?.id ?? body.id}`);
    expect([answer.status, answer.body.error.code]).toEqual([403, "halted"]);
    expect(answer.body.error.message).toMatch(/stopped everything under feature named, this customer at .* \(too fast\)/);
    const { body: list } = await guarded.control("GET", "/refusals?limit=1");
    expect(list.refusals[0].detail).toContain("feature named, customer Acme");
  });

  it("shadow lets in and says nothing to the client; what it would have done is on record", async () => {
    await guarded.set("shadow", { for: { feature: "shadow" }, limit: tiny, mode: "shadow" });
    const answer = await read(chat(guarded.url, { headers: by({ feature: "shadow" }), cap: null }));
    expect([answer.status, answer.header("x-pennyworth-warning"), answer.edits]).toEqual([200, null, null]);
    const { body } = await guarded.control("GET", `/guard/why/${answer.call}`);
    expect(body).toMatchObject({ kind: "settled", warned: [{ budget: "shadow" }] });
    expect((await guarded.standing("shadow")).spent).toBe(dollars(costOf(answer)));
  });
});

describe("measures", () => {
  it("tokens, in and out, count as the provider reports them", async () => {
    await guarded.set("tokens", { for: { feature: "tokens" }, limit: "1000 tokens per day" });
    const text = "[[sandbox input-tokens=60 output-tokens=40]]";
    const one = (): Promise<Answered> => read(chat(guarded.url, { headers: by({ feature: "tokens" }), text }));
    const hold = boundOf({ text }) + 100;
    const fits = Math.floor((1000 - hold) / 100) + 1;
    for (let turn = 0; turn < fits; turn++) expect((await one()).status).toBe(200);
    const refused = await one();
    expect([refused.status, refused.header("x-pennyworth-left")]).toEqual([402, `${1000 - fits * 100} tokens`]);
    expect((await guarded.standing("tokens")).spent).toBe(String(fits * 100));
  });

  it("calls count each try", async () => {
    await guarded.set("calls", { for: { feature: "calls" }, limit: "2 calls per week" });
    const one = (): Promise<Answered> => read(chat(guarded.url, { headers: by({ feature: "calls" }) }));
    expect([(await one()).status, (await one()).status, (await one()).status]).toEqual([200, 200, 402]);
  });

  it("a call that the provider refuses costs no money", async () => {
    await guarded.set("money", { for: { feature: "fails" }, limit: "$1 per day" });
    const failed = await read(chat(guarded.url, { headers: by({ feature: "fails" }), text: "[[sandbox fail=400]]" }));
    expect(failed.status).toBe(400);
    expect(await guarded.standing("money")).toMatchObject({ spent: "0", held: "0", presumed: "0" });
  });

  it("calls at once are free again when they end", async () => {
    await guarded.set("open", { kind: "rate", for: { feature: "open" }, limit: "2 at once" });
    const one = (): Promise<Answered> =>
      read(chat(guarded.url, { headers: by({ feature: "open" }), text: "[[sandbox delay-ms=500 output-tokens=5]]" }));
    const three = await Promise.all([one(), one(), one()]);
    expect(three.map(({ status }) => status).toSorted()).toEqual([200, 200, 429]);
    const refused = three.find(({ status }) => status === 429) as Answered;
    expect(refused.body.error.message).toContain("all 2 calls that the rate open lets run at once are under way. One more fits as soon as");
    expect([refused.header("x-pennyworth-left"), refused.header("retry-after"), refused.header("x-ratelimit-remaining-requests")]).toEqual([
      "0 calls",
      "1",
      "0",
    ]);
    expect((await one()).status).toBe(200);
    expect(await guarded.standing("open")).toMatchObject({ held: "0", spent: "0" });
  });
});

it("a key is named by its name, and its calls alone are under it", async () => {
  const { body: made } = await guarded.control("POST", "/keys", { name: "batch-jobs" });
  const { body: other } = await guarded.control("POST", "/keys", { name: "website" });
  await guarded.set("of-key", { for: { key: "batch-jobs" }, limit: tiny });
  const ask = (secret: string): Promise<Answered> => read(chat(guarded.url, { headers: { "x-pennyworth-key": secret } }));
  expect([(await ask(made.secret)).status, (await ask(other.secret)).status]).toEqual([402, 200]);
  const { body } = await guarded.control("GET", "/budgets/of-key");
  expect(body.budget.terms.for).toEqual({ key: "batch-jobs" });
});
