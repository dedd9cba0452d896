// No way around a hard budget, end to end: what nobody can bound is refused, or, where the budget says so, let in and marked as not covered. And
// what can be reached by a fallback is held for. Not here: calls with a bound.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answered, boundOf, chat, dollars, type Guarded, type Loose, pico, post, read, soon, startGuarded } from "./guarded.ts";

let guarded: Guarded;
beforeAll(async () => {
  guarded = await startGuarded({
    limits: { workPollMsMin: 50, workPollMsMax: 200 },
    prices: [
      { provider: "ollama", model: "free", perMillion: { input: "0", output: "0" } },
      { provider: "openai", model: "gpt-4o-mini", perMillion: { input: "1", output: "10" } },
    ],
    routes: [
      {
        model: "free-first",
        targets: [
          { provider: "ollama", model: "free" },
          { provider: "openai", model: "gpt-4o-mini" },
        ],
        retry: { triesMax: 2, waitMs: 1, on: ["5xx"] },
      },
    ],
  });
});
afterAll(() => guarded?.close());

const messages = [{ role: "user", content: "What may it cost? [[sandbox output-tokens=20]]" }];
const search = { type: "web_search_20250305", name: "web_search" };

interface Way {
  readonly path: string;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Of which nobody can say what they cost at most. */
const metered: Readonly<Record<string, Way>> = {
  "a model without a price": { path: "/v1/chat/completions", body: { model: "never-heard-of", max_tokens: 50, messages } },
  "work in the background": {
    path: "/v1/responses",
    body: { model: "gpt-4o-mini", max_output_tokens: 50, background: true, input: "What may it cost? [[sandbox output-tokens=20]]" },
  },
  "server tools without a cap": {
    path: "/v1/messages",
    body: { model: "claude-sonnet-4-5", max_tokens: 50, messages, tools: [search] },
    headers: { "anthropic-version": "2023-06-01" },
  },
  "a path of which nothing is known": { path: "/to/openai/v1/dreams", body: { model: "gpt-4o-mini" } },
};

/** Work that outlasts its request. */
const works: Readonly<Record<string, Way>> = {
  "a batch": { path: "/v1/batches", body: { input_file_id: "file-1", endpoint: "/v1/chat/completions", completion_window: "24h" } },
  "Anthropic's batch": {
    path: "/v1/messages/batches",
    body: { requests: [{ custom_id: "a", params: { model: "claude-sonnet-4-5", max_tokens: 9, messages } }] },
    headers: { "anthropic-version": "2023-06-01" },
  },
  "fine-tuning": { path: "/v1/fine_tuning/jobs", body: { model: "gpt-4o-mini", training_file: "file-1" } },
  "a cache": { path: "/v1beta/cachedContents", body: { model: "models/gemini-2.5-flash", contents: [{ parts: [{ text: "Hm." }] }] } },
};

const ask = ({ path, body, headers = {} }: Way, feature: string): Promise<Answered> =>
  read(post(`${guarded.url}${path}`, body, { ...headers, "x-pennyworth-feature": feature }));

describe("under a hard budget", () => {
  it.for(Object.entries({ ...metered, ...works }))("%s is refused, and nothing is sent", async ([name, way]) => {
    const feature = `hard-${name.toLowerCase().replaceAll(/\W+/g, "-")}`;
    await guarded.set(feature, { for: { feature }, limit: "$1000 per day" });
    const before = guarded.provider.seen.length;
    const refused = await ask(way, feature);
    expect([refused.status, refused.header("x-pennyworth-refused")], refused.text).toEqual([402, "budget_unbounded"]);
    expect(refused.text).toContain("unbounded: allow");
    expect(guarded.provider.seen.length).toBe(before);
    expect(await guarded.standing(feature)).toMatchObject({ spent: "0", held: "0", presumed: "0" });
  });

  it("a conversation that the provider holds is held at all that its model can read, unless the provider counts it", async () => {
    const body = { model: "gpt-4o-mini", max_output_tokens: 50, previous_response_id: "resp_unknown", input: "Go on." };
    const counting = (tokens: number | null): void => {
      guarded.provider.answering = ({ path }, response) => {
        if (!path.endsWith("/input_tokens")) return null;
        response.writeHead(tokens === null ? 500 : 200, { "content-type": "application/json" });
        response.end(JSON.stringify(tokens === null ? {} : { object: "response.input_tokens", input_tokens: tokens }));
      };
    };
    counting(null);
    // GPT-4o mini reads 128,000 tokens.
    await guarded.set("kept", { for: { feature: "kept" }, limit: `$${dollars(pico(127_999, 50))} per day` });
    expect((await ask({ path: "/v1/responses", body }, "kept")).status).toBe(402);
    counting(5_000);
    const counted = await ask({ path: "/v1/responses", body }, "kept");
    expect(counted.status, counted.text).toBe(200);
    expect((await guarded.control("GET", `/guard/why/${counted.call}`)).body.bound).toBe(dollars(pico(5_000, 50)));
    guarded.provider.answering = null;
    await guarded.set("kept-whole", { for: { feature: "kept-whole" }, limit: `$${dollars(pico(128_000, 50))} per day` });
    const whole = await ask({ path: "/v1/responses", body }, "kept-whole");
    expect(whole.status, whole.text).toBe(200);
    expect((await guarded.control("GET", `/guard/why/${whole.call}`)).body.bound).toBe(dollars(pico(128_000, 50)));
  });

  it("reading and stopping work goes on", async () => {
    await guarded.set("reads", { for: { feature: "reads" }, limit: "$0.000001 per day" });
    const headers = { "x-pennyworth-feature": "reads", authorization: "Bearer of-the-client" };
    const list = await fetch(`${guarded.url}/v1/batches`, { headers });
    const cancel = await post(`${guarded.url}/v1/batches/batch_1/cancel`, {}, headers);
    expect([list.status === 402, cancel.status === 402]).toEqual([false, false]);
  });
});

const lineOf = (id: string): object => ({
  custom_id: id,
  params: {
    model: "claude-3-5-haiku-latest",
    max_tokens: 50,
    messages: [{ role: "user", content: "Hm. [[sandbox input-tokens=30 output-tokens=20]]" }],
  },
});

describe("with `unbounded: allow`", () => {
  it.for(Object.entries(metered))("%s is let in, and marked as not covered", async ([name, way]) => {
    const feature = `allow-${name.toLowerCase().replaceAll(/\W+/g, "-")}`;
    await guarded.set(feature, { for: { feature }, limit: "$1000 per day", unbounded: "allow" });
    const before = guarded.provider.seen.length;
    const answer = await ask(way, feature);
    expect(answer.status === 402, answer.text).toBe(false);
    expect(guarded.provider.seen.length).toBeGreaterThan(before);
    expect(answer.header("x-pennyworth-uncovered")).toBe(feature);
    const { body } = await soon(
      () => guarded.control("GET", `/calls/${answer.call}/receipt`),
      ({ status }) => status === 200,
    );
    expect(JSON.stringify(body)).toContain(`"uncovered":["${feature}"]`);
    const why = (await guarded.control("GET", `/guard/why/${answer.call}`)).body as Loose;
    expect(why.uncovered).toMatchObject([{ budget: feature }]);
  });

  it.for(Object.entries(works))("%s is let in", async ([name, way]) => {
    const feature = `work-${name.toLowerCase().replaceAll(/\W+/g, "-")}`;
    await guarded.set(feature, { for: { feature }, limit: "$1000 per day", unbounded: "allow" });
    const answer = await ask(way, feature);
    expect(answer.status, answer.text).not.toBe(402);
    expect(answer.header("x-pennyworth-uncovered")).toBe(feature);
    expect(await guarded.standing(feature)).toMatchObject({ held: "0" });
  });

  it("a budget that has nothing left refuses all of them", async () => {
    await guarded.set("spent", { for: { feature: "spent" }, limit: "$0.00001 per day", unbounded: "allow" });
    await guarded.control("POST", "/budgets/spent/grants", { id: "none", amount: "-$0.00001" });
    for (const [name, way] of Object.entries({ ...metered, ...works })) {
      const refused = await ask(way, "spent");
      expect([name, refused.status, refused.header("x-pennyworth-refused")]).toEqual([name, 402, "budget_exhausted"]);
    }
  });

  it("what a response in the background took counts when the provider says it", async () => {
    await guarded.set("later", { for: { feature: "later" }, limit: "$1 per day", unbounded: "allow" });
    const input = "What may it cost? [[sandbox input-tokens=30 output-tokens=20 delay-ms=300]]";
    const body = { model: "gpt-4o-mini", max_output_tokens: 50, background: true, input };
    const answer = await ask({ path: "/v1/responses", body }, "later");
    expect(answer.status, answer.text).toBe(200);
    const { spent, presumed } = await soon(
      () => guarded.standing("later"),
      (standing) => standing.spent !== "0",
    );
    expect([spent, presumed]).toEqual([dollars(pico(30, 20)), "0"]);
  });

  it("the lines of a batch count when they are read", async () => {
    const headers = { "x-pennyworth-feature": "lines" };
    await guarded.set("lines", { for: { feature: "lines" }, limit: "$1 per day", unbounded: "allow" });
    const made = await read(
      post(
        `${guarded.url}/v1/messages/batches`,
        { requests: [lineOf("a"), lineOf("b")] },
        { ...headers, "anthropic-version": "2023-06-01" },
      ),
    );
    expect(made.status, made.text).toBe(200);
    const { spent } = await soon(
      () => guarded.standing("lines"),
      (standing) => standing.spent !== "0",
    );
    // Anthropic's batches cost half; the settings' price knows no other tier, and says so.
    expect(Number(spent)).toBeGreaterThan(0);
  });
});

describe("a fallback that costs more", () => {
  it("is held for while it can be reached, though the first target is free", async () => {
    const asked = {
      model: "free-first",
      text: "Hm. [[sandbox input-tokens=30 output-tokens=20]]",
      headers: { "x-pennyworth-feature": "falls" },
    };
    const bound = pico(boundOf(asked), 100);
    await guarded.set("falls", { for: { feature: "falls" }, limit: `$${dollars(bound - 1n)} for ever` });
    expect((await read(chat(guarded.url, asked))).status).toBe(402);
    await guarded.set("falls", { for: { feature: "falls" }, limit: `$${dollars(bound)} for ever` });
    const free = await read(chat(guarded.url, asked));
    expect(free.status, free.text).toBe(200);
    expect((await guarded.control("GET", `/guard/why/${free.call}`)).body).toMatchObject({ bound: dollars(bound), taken: "0" });
    // It fails, and the dearer one answers: held anew, and paid.
    guarded.provider.answering = ({ body }, response) => {
      if (body?.model !== "free") return null;
      response.writeHead(500, { "content-type": "application/json" }).end("{}");
    };
    const paid = await read(chat(guarded.url, asked));
    guarded.provider.answering = null;
    expect([paid.status, paid.header("x-pennyworth-attempt")]).toEqual([200, "2; fallback; 500"]);
    expect(await guarded.standing("falls")).toMatchObject({ spent: dollars(pico(30, 20)), held: "0", presumed: "0" });
  });
});
