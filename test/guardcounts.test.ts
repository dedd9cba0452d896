// The provider's own count, end to end: asked for before a call is refused, exactly when its bytes do not fit and an honest guess does; and what
// comes of its answer. Not here: how each provider is asked (src/providers/count.test.ts).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answered, dollars, type Guarded, pico, post, read, startGuarded } from "./guarded.ts";

let guarded: Guarded;
beforeAll(async () => {
  guarded = await startGuarded({});
});
afterAll(() => guarded?.close());

/** Words that are a token for many bytes: as bytes they count four times what they are. */
const long = "Understandings ".repeat(200);
const claude = JSON.stringify({ model: "claude-3-5-haiku-latest", max_tokens: 50, messages: [{ role: "user", content: long }] });
const responses = JSON.stringify({ model: "gpt-4o-mini", max_output_tokens: 50, input: long });
const gemini = JSON.stringify({ contents: [{ role: "user", parts: [{ text: long }] }], generationConfig: { maxOutputTokens: 50 } });
const bytesOf = (text: string): number => Buffer.byteLength(text) + 64;

const ways = [
  // The margins are those of docs/caps.md.
  ["/v1/messages", claude, "count_tokens", '{"input_tokens":1000}', Math.ceil(1_000 * 1.02) + 64],
  ["/v1/responses", responses, "input_tokens", '{"object":"response.input_tokens","input_tokens":1000}', 1_000],
  ["/v1beta/models/gemini-2.5-flash:generateContent", gemini, "countTokens", '{"totalTokens":1000}', Math.ceil(1_000 * 1.05) + 256],
] as const;

function counts(): number {
  return guarded.provider.seen.filter(({ path }) => /count_tokens|input_tokens|countTokens/.test(path)).length;
}

/** The provider counts as it is told; its answers are the sandbox's. */
function counting(mark: string, status: number, text: string): void {
  guarded.provider.answering = ({ path }, response) => {
    if (!path.includes(mark)) return null;
    response.writeHead(status, { "content-type": "application/json" }).end(text);
  };
}

describe.each(ways)("%s", (path, text, mark, answer, counted) => {
  const feature = `counted-${mark.toLowerCase()}`;
  const ask = (): Promise<Answered> => read(post(`${guarded.url}${path}`, text, { "x-pennyworth-feature": feature }));
  const limit = (input: number): Promise<void> =>
    guarded.set(feature, { for: { feature }, limit: `$${dollars(pico(input, 50))} for ever` });

  it("is not asked to count where the bytes fit", async () => {
    counting(mark, 200, answer);
    await limit(bytesOf(text));
    const before = counts();
    expect((await ask()).status).toBe(200);
    expect(counts()).toBe(before);
    await guarded.control("DELETE", `/budgets/${feature}`);
  });

  it("is asked where they do not, and the call passes on its count, margin and all; a token less is refused", async () => {
    counting(mark, 200, answer);
    await limit(counted);
    const before = counts();
    const passed = await ask();
    expect(passed.status, passed.text).toBe(200);
    expect(counts()).toBe(before + 1);
    const { body } = await guarded.control("GET", `/guard/why/${passed.call}`);
    expect(body.bound).toBe(dollars(pico(counted, 50)));
    await guarded.control("DELETE", `/budgets/${feature}`);
    await limit(counted - 1);
    expect([(await ask()).status, counts()]).toEqual([402, before + 2]);
    await guarded.control("DELETE", `/budgets/${feature}`);
  });

  it("is not asked where an honest guess would not fit either", async () => {
    counting(mark, 200, answer);
    await limit(100);
    const before = counts();
    expect([(await ask()).status, counts()]).toEqual([402, before]);
    await guarded.control("DELETE", `/budgets/${feature}`);
  });

  it.for([
    [500, "{}"],
    [200, "<html>"],
    [200, '{"input_tokens":-1}'],
    [200, '{"input_tokens":"many","totalTokens":1.5}'],
  ] as const)("that does not say (%d, %s) leaves the call refused", async ([status, said]) => {
    counting(mark, status, said);
    await limit(counted);
    expect((await ask()).status).toBe(402);
    await guarded.control("DELETE", `/budgets/${feature}`);
  });
});

it("a count that does not come leaves the call refused, and a client that goes meanwhile leaves no hold", async () => {
  guarded.provider.answering = ({ path }) => (path.includes("count_tokens") ? undefined : null);
  await guarded.set("silent", { for: { feature: "silent" }, limit: `$${dollars(pico(1_100, 50))} for ever` });
  const gone = new AbortController();
  const coming = post(`${guarded.url}/v1/messages`, claude, { "x-pennyworth-feature": "silent" }, gone.signal);
  setTimeout(() => gone.abort(), 300);
  await expect(coming).rejects.toThrow();
  expect(await guarded.standing("silent")).toMatchObject({ held: "0", spent: "0", presumed: "0" });
  const answer = await read(post(`${guarded.url}/v1/messages`, claude, { "x-pennyworth-feature": "silent" }));
  expect(answer.status).toBe(402);
});

it("a chat, which has no such endpoint, is judged by its bytes", async () => {
  guarded.provider.answering = null;
  const body = JSON.stringify({ model: "gpt-4o-mini", max_tokens: 50, messages: [{ role: "user", content: long }] });
  await guarded.set("chat", { for: { feature: "chat" }, limit: `$${dollars(pico(bytesOf(body) - 1, 50))} for ever` });
  const before = counts();
  expect((await read(post(`${guarded.url}/v1/chat/completions`, body, { "x-pennyworth-feature": "chat" }))).status).toBe(402);
  expect(counts()).toBe(before);
});
