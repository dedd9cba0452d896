// Why a call was let in, end to end, of calls in every state: under way, just ended, refused, presumed, and presumed no more because a person said
// what it cost. Not here: restarts after a kill (guardrestart.test.ts).

import { afterAll, beforeAll, expect, it } from "vitest";
import { boundOf, chat, dollars, type Guarded, type Loose, pico, post, read, soon, startGuarded } from "./guarded.ts";

let guarded: Guarded;
beforeAll(async () => {
  guarded = await startGuarded({ log: "silent" });
  await guarded.set("why", { for: { feature: "why" }, limit: "$1 per day" });
});
afterAll(() => guarded?.close());

const headers = { "x-pennyworth-feature": "why" };
const bound = dollars(pico(boundOf(), 100));
const whyOf = async (call: string): Promise<Loose> => (await guarded.control("GET", `/guard/why/${call}`)).body;

it("one that has just ended took what its receipt says, and one under way nothing yet", async () => {
  const ended = await read(chat(guarded.url, { headers }));
  const receipt = (await guarded.control("GET", `/calls/${ended.call}/receipt`)).body;
  expect(await whyOf(ended.call)).toMatchObject({ kind: "settled", bound, taken: receipt.total, budgets: [{ budget: "why" }] });
  const coming = await chat(guarded.url, { headers, text: "[[sandbox output-tokens=40 tokens-per-second=80]]", more: { stream: true } });
  expect(await whyOf(coming.headers.get("x-pennyworth-call") ?? "")).toMatchObject({ kind: "open", taken: null });
  await coming.text();
});

it("a presumed one took its bound, until a person says what it was; that holds after a restart", async () => {
  guarded.provider.answering = (_seen, response) => void response.destroy();
  expect((await read(chat(guarded.url, { headers }))).status).toBe(502);
  guarded.provider.answering = null;
  const [{ call }] = (
    await soon(
      () => guarded.control("GET", "/presumed"),
      ({ body }) => body.calls.length > 0,
    )
  ).body.calls;
  expect(await whyOf(call)).toMatchObject({ kind: "presumed", bound, taken: bound });
  expect((await guarded.control("POST", "/presumed", { call, cost: "0.0001" })).status).toBe(200);
  const said = await whyOf(call);
  expect(said).toMatchObject({ kind: "settled", bound, taken: "0.0001" });
  await guarded.stop();
  await guarded.start();
  expect(await whyOf(call)).toEqual(said);
});

it("one that broke off counts as what was seen at most, until its provider says what it was", async () => {
  const said = { id: "resp_why", object: "response", created_at: 1, model: "gpt-4o-mini", status: "in_progress", output: [] };
  const usage = { input_tokens: 20, output_tokens: 50, total_tokens: 70 };
  guarded.provider.answering = ({ method }, response) => {
    if (method === "GET") {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ ...said, status: "completed", usage }));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const event = { type: "response.created", sequence_number: 0, response: said };
    response.write(`event: response.created\ndata: ${JSON.stringify(event)}\n\n`);
    setTimeout(() => response.destroy(), 50);
  };
  const body = { model: "gpt-4o-mini", max_output_tokens: 5_000, stream: true, input: "What may it cost?" };
  const answer = await post(`${guarded.url}/v1/responses`, body, headers);
  await answer.text().catch(() => null);
  const call = answer.headers.get("x-pennyworth-call") ?? "";
  // A token for each byte that came, of which there is none, 64 that frame it, and 256 that may have been on their way.
  const input = Buffer.byteLength(JSON.stringify(body)) + 64;
  expect(await whyOf(call)).toMatchObject({ kind: "presumed", bound: dollars(pico(input, 5_000)), taken: dollars(pico(input, 320)) });
  expect((await fetch(`${guarded.url}/v1/responses/resp_why`)).status).toBe(200);
  guarded.provider.answering = null;
  const found = await soon(
    () => whyOf(call),
    ({ kind }) => kind === "settled",
  );
  expect(found).toMatchObject({ kind: "settled", taken: dollars(pico(20, 50)) });
});
