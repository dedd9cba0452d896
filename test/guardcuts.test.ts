// Streams that the guard ends, end to end: because their money is gone, or because somebody stopped everything below a node. What the client sees,
// what is on record, what counts. Not here: official clients on each cut (test/clients/cut.test.ts), who bills on (docs/disconnects.md).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chatBody, dollars, type Guarded, type Loose, pico, post, read, soon, startGuarded } from "./guarded.ts";

let guarded: Guarded;
beforeAll(async () => {
  guarded = await startGuarded({ limits: { drainMsMax: 500 } });
});
afterAll(() => guarded?.close());

/** Four seconds of words. */
const long = "Go on. [[sandbox output-tokens=800 tokens-per-second=200 chunk-tokens=4]]";
const messages = [{ role: "user", content: long }];

/** A stream of which so much has come, and its end. */
async function follow(
  path: string,
  body: object | string,
  feature: string,
): Promise<{ answer: Response; begun: Promise<unknown>; whole: Promise<string> }> {
  const answer = await post(`${guarded.url}${path}`, body, { "x-pennyworth-feature": feature, "anthropic-version": "2023-06-01" });
  let bytes = 0;
  const whole = (async () => {
    let text = "";
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString("latin1");
      bytes += chunk.length;
    }
    return text;
  })();
  const begun = soon(
    () => bytes,
    (count) => count > 1_500,
  );
  return { answer, begun, whole };
}

async function receiptOf(call: string | null): Promise<Loose> {
  const { body } = await soon(
    () => guarded.control("GET", `/calls/${call}/receipt`),
    ({ status, body: seen }) => status === 200 && seen.status !== "open",
  );
  return body;
}

describe("a budget that goes to nothing during a stream", () => {
  it("ends it as at its cap; what passed counts, and what it cost is the guard's own", async () => {
    await guarded.set("falls", { for: { feature: "falls" }, limit: "$1 per day" });
    const before = await guarded.tally();
    const body = JSON.stringify({ model: "gpt-4o-mini", max_tokens: 2_000, stream: true, messages });
    const { answer, begun, whole } = await follow("/v1/chat/completions", body, "falls");
    await begun;
    const began = performance.now();
    await guarded.control("POST", "/budgets/falls/grants", { id: "back", amount: "-$1" });
    const text = await whole;
    expect(performance.now() - began).toBeLessThan(2_500);
    const events = text.trim().split("\n\n");
    expect(events.at(-1)).toBe("data: [DONE]");
    const last = JSON.parse((events.at(-2) as string).slice(6)) as Loose;
    expect(last.choices[0].finish_reason).toBe("length");
    expect(last.pennyworth.code).toBe("budget_exhausted");
    const receipt = await receiptOf(answer.headers.get("x-pennyworth-call"));
    expect(receipt.status).toBe("cut");
    expect(receipt.end.error).toBe("budget_exhausted");
    const tally = await guarded.tally();
    expect(tally.cut).toBe(before.cut + 1);
    expect(tally.cutCost).toBe(receipt.total);
    // Nobody has said what it was: at most what was seen, a token a byte, what may have been on its way, and what frames it; and never more than was held.
    const { presumed, spent, held } = await guarded.standing("falls");
    expect([spent, held]).toEqual(["0", "0"]);
    const passed = events.slice(0, -2).map((event) => (JSON.parse(event.slice(6)) as Loose).choices[0]?.delta?.content ?? "");
    const most = pico(Buffer.byteLength(body) + 64, Buffer.byteLength(passed.join("")) + 256 + 64);
    expect(presumed).toBe(dollars(most));
    expect(Number(presumed)).toBeGreaterThan(Number(receipt.total));
  });

  it("does not end one that its own hold pays for, where others take the rest", async () => {
    const body = chatBody({ cap: 40, text: "Go on. [[sandbox output-tokens=40 tokens-per-second=80]]", more: { stream: true } });
    const bound = pico(Buffer.byteLength(body) + 64, 40);
    await guarded.set("own", { for: { feature: "own" }, limit: `$${dollars(bound)} per day` });
    const { answer, whole } = await follow("/v1/chat/completions", body, "own");
    expect((await read(post(`${guarded.url}/v1/chat/completions`, body, { "x-pennyworth-feature": "own" }))).status).toBe(402);
    expect(await whole).toContain("[DONE]");
    expect((await receiptOf(answer.headers.get("x-pennyworth-call"))).status).toBe("complete");
  });
});

describe("a stream without a bound, where the budget lets it in", () => {
  const body = JSON.stringify({
    model: "claude-3-5-haiku-latest",
    max_tokens: 2_000,
    stream: true,
    messages,
    tools: [{ type: "web_search_20250305", name: "web_search" }],
  });

  it("is counted as it passes, and ended when the money is gone", async () => {
    const limit = pico(Buffer.byteLength(body) + 64 + 1_024 + 2_048, 100);
    await guarded.set("open", { for: { feature: "open" }, limit: `$${dollars(limit)} for ever`, unbounded: "allow" });
    const { answer, whole } = await follow("/v1/messages", body, "open");
    expect([answer.status, answer.headers.get("x-pennyworth-uncovered")]).toEqual([200, "open"]);
    const text = await whole;
    expect(text).toContain('"stop_reason":"max_tokens"');
    expect(text).toContain("budget_exhausted");
    expect(text.trim().split("\n\n").at(-1)).toMatch(/^event: message_stop\n/);
    const receipt = await receiptOf(answer.headers.get("x-pennyworth-call"));
    expect(receipt.status).toBe("cut");
    // Eight hundred tokens were asked for; it was ended not long after those that the money bought.
    expect(text.length).toBeLessThan(60_000);
  });
});

describe("somebody stops everything below a node", () => {
  const contents = [{ role: "user", parts: [{ text: long }] }];
  it.for([
    [
      "OpenAI chat",
      "/v1/chat/completions",
      { model: "gpt-4o-mini", max_tokens: 900, stream: true, messages },
      /"finish_reason":"length"[^]*\[DONE\]\s*$/,
    ],
    [
      "OpenAI responses",
      "/v1/responses",
      { model: "gpt-4o-mini", max_output_tokens: 900, stream: true, input: long },
      /event: response\.incomplete\n[^\n]*max_output_tokens[^\n]*\s*$/,
    ],
    [
      "Anthropic",
      "/v1/messages",
      { model: "claude-sonnet-4-5", max_tokens: 900, stream: true, messages },
      /"stop_reason":"max_tokens"[^]*event: message_stop[^\n]*\n[^\n]*\s*$/,
    ],
    ["Gemini", "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", { contents }, /"finishReason":"MAX_TOKENS"[^\n]*\s*$/],
    [
      "Gemini as an array",
      "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
      { contents },
      /"finishReason":\s*"MAX_TOKENS"[^]*\]\s*$/,
    ],
    ["Ollama", "/api/chat", { model: "llama3.2", messages, options: { num_predict: 900 } }, /"done_reason":"length"[^\n]*\s*$/],
    [
      "Bedrock converse",
      "/model/amazon.nova-lite-v1%3A0/converse-stream",
      { messages: [{ role: "user", content: [{ text: long }] }] },
      /messageStop[^]*max_tokens/,
    ],
  ] as const)("%s ends in its own way, is on record as cut, and the next call is refused", async ([name, path, body, end]) => {
    const feature = `halt-${name.toLowerCase().replaceAll(" ", "-")}`;
    const { answer, begun, whole } = await follow(path, body, feature);
    expect(answer.status).toBe(200);
    await begun;
    const { status, body: halt } = await guarded.control("POST", "/halts", { for: { feature } });
    expect(status).toBeLessThan(300);
    expect(await whole).toMatch(end);
    expect(await receiptOf(answer.headers.get("x-pennyworth-call"))).toMatchObject({ status: "cut", end: { error: "halted" } });
    const next = await read(post(`${guarded.url}${path}`, body, { "x-pennyworth-feature": feature, "anthropic-version": "2023-06-01" }));
    expect(next.status).toBe(403);
    await guarded.control("DELETE", `/halts/${halt.id}`);
  });

  it("an answer that is not streamed becomes an error that says so", async () => {
    const coming = read(
      post(`${guarded.url}/v1/chat/completions`, chatBody({ text: "[[sandbox delay-ms=3000]]" }), { "x-pennyworth-feature": "plain" }),
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { body: halt } = await guarded.control("POST", "/halts", { for: { feature: "plain" } });
    const { status, body } = await coming;
    expect([status, body.error.code]).toEqual([403, "stopped"]);
    await guarded.control("DELETE", `/halts/${halt.id}`);
  });
});
