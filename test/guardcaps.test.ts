// Caps end to end: what the guard puts into a request of each format, as the provider gets it, and what it leaves alone. Not here: what a cap
// covers (src/providers/caps.ts). Each number is reckoned here by hand, from the bytes that were sent and the two prices.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chat, chatBody, dollars, type Guarded, type Loose, pico, post, read, type Seen, startGuarded } from "./guarded.ts";

let guarded: Guarded;
beforeAll(async () => {
  guarded = await startGuarded({});
});
afterAll(() => guarded?.close());

/** What buys the input of a text of so many bytes, and so many output tokens. */
const limitFor = (text: string, outputTokens: number): string => `$${dollars(pico(Buffer.byteLength(text) + 64, outputTokens))} per day`;
const lastSeen = (): Seen => guarded.provider.seen.at(-1) as Seen;
const hello = "Say hello. [[sandbox output-tokens=20]]";

interface Way {
  readonly path: string;
  readonly body: object;
  /** The cap where the provider looks for it. */
  readonly capOf: (body: Loose) => unknown;
  /** The same with the client's own cap. */
  readonly capped: (cap: number) => object;
}

const messages = [{ role: "user", content: hello }];
const contents = [{ role: "user", parts: [{ text: hello }] }];
const ways: Readonly<Record<string, Way>> = {
  "OpenAI chat": {
    path: "/v1/chat/completions",
    body: { model: "gpt-4o-mini", messages },
    capOf: (body) => body.max_completion_tokens,
    capped: (cap) => ({ model: "gpt-4o-mini", max_completion_tokens: cap, messages }),
  },
  "OpenAI responses": {
    path: "/v1/responses",
    body: { model: "gpt-5-mini", input: hello },
    capOf: (body) => body.max_output_tokens,
    capped: (cap) => ({ model: "gpt-5-mini", input: hello, max_output_tokens: cap }),
  },
  "OpenAI completions": {
    path: "/v1/completions",
    body: { model: "gpt-4o-mini", prompt: hello },
    capOf: (body) => body.max_tokens,
    capped: (cap) => ({ model: "gpt-4o-mini", prompt: hello, max_tokens: cap }),
  },
  Gemini: {
    path: "/v1beta/models/gemini-2.5-flash:generateContent",
    body: { contents },
    capOf: (body) => body.generationConfig?.maxOutputTokens,
    capped: (cap) => ({ contents, generationConfig: { temperature: 1, maxOutputTokens: cap } }),
  },
  Ollama: {
    path: "/api/chat",
    body: { model: "llama3.2", stream: false, messages },
    capOf: (body) => body.options?.num_predict,
    capped: (cap) => ({ model: "llama3.2", stream: false, messages, options: { num_predict: cap } }),
  },
  "Bedrock converse": {
    path: "/model/amazon.nova-lite-v1%3A0/converse",
    body: { messages: [{ role: "user", content: [{ text: hello }] }] },
    capOf: (body) => body.inferenceConfig?.maxTokens,
    capped: (cap) => ({ messages: [{ role: "user", content: [{ text: hello }] }], inferenceConfig: { maxTokens: cap } }),
  },
};

describe("a request without a cap", () => {
  it.for(Object.entries(ways))("%s: gets what the money buys, said in a header and on record", async ([name, { path, body, capOf }]) => {
    const feature = name.toLowerCase().replaceAll(" ", "-");
    const headers = { "x-pennyworth-feature": feature };
    const text = JSON.stringify(body);
    await guarded.set(feature, { for: { feature }, limit: limitFor(text, 77) });
    const answer = await read(post(`${guarded.url}${path}`, text, headers));
    expect(answer.status, answer.text).toBe(200);
    expect(capOf(lastSeen().body)).toBe(77);
    expect(answer.edits).toBe("cap to 77");
    const { start } = (await guarded.control("GET", `/calls/${answer.call}/receipt`)).body as Loose;
    if (start !== undefined && start !== null) expect(start).toMatchObject({ capInForce: 77, edits: ["cap to 77"] });
    // Nothing but the cap was changed.
    const sent = structuredClone(lastSeen().body) as Loose;
    expect(without(sent)).toEqual(without(JSON.parse(text)));
  });

  it("is refused where what is left buys nothing, and sent as it came where it is under no money", async () => {
    const headers = { "x-pennyworth-feature": "nothing" };
    await guarded.set("nothing", { for: { feature: "nothing" }, limit: limitFor(chatBody({ cap: null, text: hello }), 0) });
    const before = guarded.provider.seen.length;
    expect((await read(chat(guarded.url, { cap: null, text: hello, headers }))).status).toBe(402);
    expect(guarded.provider.seen.length).toBe(before);
    await guarded.set("counted", { for: { feature: "counted" }, limit: "10 calls per day" });
    const free = await read(chat(guarded.url, { cap: null, text: hello, headers: { "x-pennyworth-feature": "counted" } }));
    expect([free.status, free.edits, lastSeen().body.max_completion_tokens]).toEqual([200, null, undefined]);
  });

  it("gets no more than several choices can take together", async () => {
    const body = { model: "gpt-4o-mini", n: 3, messages };
    const headers = { "x-pennyworth-feature": "choices" };
    await guarded.set("choices", { for: { feature: "choices" }, limit: limitFor(JSON.stringify(body), 100) });
    expect((await read(post(`${guarded.url}/v1/chat/completions`, body, headers))).edits).toBe("cap to 33");
  });

  it("under a limit of tokens gets what is left of them", async () => {
    const text = chatBody({ cap: null, text: hello });
    await guarded.set("words", { for: { feature: "words" }, limit: `${Buffer.byteLength(text) + 64 + 55} tokens per day` });
    expect((await read(chat(guarded.url, { cap: null, text: hello, headers: { "x-pennyworth-feature": "words" } }))).edits).toBe(
      "cap to 55",
    );
  });
});

describe("the client's own cap", () => {
  it.for(Object.entries(ways))(
    "%s: stays under `inject`, is lowered under `lower`, and refused where neither fits",
    async ([name, way]) => {
      const { path, capped, capOf } = way;
      const feature = `own-${name.toLowerCase().replaceAll(" ", "-")}`;
      const headers = { "x-pennyworth-feature": feature };
      const text = JSON.stringify(capped(500));
      const ask = () => read(post(`${guarded.url}${path}`, text, headers));
      await guarded.set(feature, { for: { feature }, limit: limitFor(text, 77) });
      const before = guarded.provider.seen.length;
      expect((await ask()).status).toBe(402);
      expect(guarded.provider.seen.length).toBe(before);
      await guarded.set(feature, { for: { feature }, limit: limitFor(text, 77), caps: "lower" });
      const lowered = await ask();
      expect([lowered.status, lowered.edits, capOf(lastSeen().body)]).toEqual([200, "cap lowered to 77", 77]);
      await guarded.set(feature, { for: { feature }, limit: limitFor(text, 5_000) });
      const fits = await ask();
      expect([fits.status, fits.edits, lastSeen().text]).toEqual([200, null, text]);
    },
  );

  it("of Anthropic, whose format demands one", async () => {
    const body = { model: "claude-sonnet-4-5", max_tokens: 500, messages };
    const text = JSON.stringify(body);
    const headers = { "x-pennyworth-feature": "claude", "anthropic-version": "2023-06-01" };
    // A call that can write to the cache is held at what that costs; here it has no price of its own.
    await guarded.set("claude", { for: { feature: "claude" }, limit: limitFor(text, 77), caps: "lower" });
    const answer = await read(post(`${guarded.url}/v1/messages`, text, headers));
    expect(answer.status, answer.text).toBe(200);
    expect(answer.edits).toBe(`cap lowered to ${lastSeen().body.max_tokens}`);
    expect(lastSeen().body.max_tokens).toBe(77);
  });
});

describe("what is of use", () => {
  it("is the fewest tokens that are bought: below, the call is refused rather than sold empty", async () => {
    const headers = { "x-pennyworth-feature": "useful" };
    const ask = () => read(chat(guarded.url, { cap: null, text: hello, headers }));
    const limit = limitFor(chatBody({ cap: null, text: hello }), 199);
    await guarded.set("useful", { for: { feature: "useful" }, limit, useful: 200 });
    const refused = await ask();
    expect([refused.status, refused.header("x-pennyworth-refused")]).toEqual([402, "budget_too_small"]);
    expect(refused.body.error.message).toContain("199 output tokens, and 200 are needed");
    await guarded.set("useful", { for: { feature: "useful" }, limit, useful: 199 });
    expect((await ask()).edits).toBe("cap to 199");
  });

  it("is the median answer of the call's task type where nothing is said", async () => {
    const headers = { "x-pennyworth-feature": "median", "x-pennyworth-type": "summary-of-median" };
    for (const tokens of [10, 90, 30, 50, 70])
      await read(chat(guarded.url, { text: `Tell. [[sandbox output-tokens=${tokens}]]`, headers }));
    const text = chatBody({ cap: null, text: hello });
    await guarded.set("median", { for: { feature: "median" }, limit: limitFor(text, 49) });
    const ask = () => read(chat(guarded.url, { cap: null, text: hello, headers }));
    expect((await ask()).header("x-pennyworth-refused")).toBe("budget_too_small");
    await guarded.set("median", { for: { feature: "median" }, limit: limitFor(text, 50) });
    expect((await ask()).edits).toBe("cap to 50");
  });

  it("is more than the thinking budget, always", async () => {
    const body = { model: "claude-sonnet-4-5", max_tokens: 4_000, thinking: { type: "enabled", budget_tokens: 1_024 }, messages };
    const text = JSON.stringify(body);
    const headers = { "x-pennyworth-feature": "thinks", "anthropic-version": "2023-06-01" };
    const ask = () => read(post(`${guarded.url}/v1/messages`, text, headers));
    // Else the provider's count would be asked for, which is less than the bytes.
    guarded.provider.answering = ({ path }, response) => (path.endsWith("/count_tokens") ? void response.writeHead(500).end("{}") : null);
    await guarded.set("thinks", { for: { feature: "thinks" }, limit: limitFor(text, 1_024), caps: "lower" });
    expect((await ask()).header("x-pennyworth-refused")).toBe("budget_too_small");
    await guarded.set("thinks", { for: { feature: "thinks" }, limit: limitFor(text, 1_025), caps: "lower" });
    const answer = await ask();
    guarded.provider.answering = null;
    expect([answer.status, lastSeen().body.max_tokens], answer.text).toEqual([200, 1_025]);
  });
});

/** Without what holds a cap, and what only exists for it. */
function without(body: Loose): Loose {
  for (const name of ["max_completion_tokens", "max_tokens", "max_output_tokens"]) delete body[name];
  for (const [outer, inner] of [
    ["generationConfig", "maxOutputTokens"],
    ["options", "num_predict"],
    ["inferenceConfig", "maxTokens"],
  ] as const) {
    if (body[outer] === undefined) continue;
    delete body[outer][inner];
    if (Object.keys(body[outer]).length === 0) delete body[outer];
  }
  return body;
}
