// Streams of which not all that was generated can have been seen: an error of ours while they come, and a client that does not read. They count as
// their bound, end to end. Not here: streams that the guard ends (guardcuts.test.ts), usage that is never reported (gateway/settle.test.ts).

import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { Client } from "../src/gateway/client.ts";
import { boundOf, chat, chatBody, dollars, type Guarded, type Loose, pico, read, soon, startGuarded } from "./guarded.ts";

let guarded: Guarded;
beforeAll(async () => {
  guarded = await startGuarded({ log: "silent" });
});
afterEach(() => {
  vi.restoreAllMocks();
  guarded.provider.answering = null;
});
afterAll(() => guarded?.close());

const asked = { cap: 5_000, text: "Go on. [[sandbox output-tokens=40 tokens-per-second=80]]", more: { stream: true } };
/** Its bound is hand-made: a dollar for a million input tokens, ten for a million output tokens. */
const bound = dollars(pico(boundOf(asked), 5_000));

async function lastEnd(budget: string): Promise<Loose> {
  const { body } = await soon(
    async () => ({ ...(await guarded.control("GET", "/calls/last")), standing: await guarded.standing(budget) }),
    ({ status, body: seen, standing }) => status === 200 && seen.end !== null && standing.held === "0",
  );
  return body.end;
}

it.each(["head", "write"] as const)("an error of ours in %s is told as ours, and the call counts as its bound", async (what) => {
  await guarded.set(what, { for: { feature: what }, limit: "$1 per day" });
  vi.spyOn(Client.prototype, what).mockImplementationOnce(() => {
    throw new TypeError("a bug");
  });
  const answer = await read(chat(guarded.url, { ...asked, headers: { "x-pennyworth-feature": what } })).catch(() => null);
  // Of an answer that has begun only its breaking off can be told.
  if (what === "head") expect([answer?.status, answer?.body.error.code]).toEqual([500, "internal"]);
  else expect(answer).toBeNull();
  expect(await lastEnd(what)).toMatchObject({ status: "presumed", error: "internal" });
  expect(await guarded.standing(what)).toMatchObject({ spent: "0", held: "0", presumed: bound });
});

it("an answer whose client did not read it, and went, counts as its bound: nobody saw how much of it there was", async () => {
  await guarded.set("slow", { for: { feature: "slow" }, limit: "$1 per day" });
  let written = 0;
  guarded.provider.answering = (_seen, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const pad = "x".repeat(50_000);
    const event = `data: ${JSON.stringify({ id: "r", object: "chat.completion.chunk", created: 1, model: "gpt-4o-mini", pad, choices: [{ index: 0, delta: { content: "y" }, finish_reason: null }] })}\n\n`;
    const go = (): void => {
      while (written < 1_000 && !response.destroyed) {
        written += 1;
        if (!response.write(event)) {
          response.once("drain", go);
          return;
        }
      }
    };
    go();
  };
  const body = chatBody(asked);
  const { hostname, port } = new URL(guarded.url);
  const socket = connect(Number(port), hostname);
  socket.pause();
  socket.on("error", () => {});
  const head = ["POST /v1/chat/completions HTTP/1.1", `host: ${hostname}`, "content-type: application/json", "x-pennyworth-feature: slow"];
  socket.write(`${[...head, `content-length: ${Buffer.byteLength(body)}`].join("\r\n")}\r\n\r\n${body}`);
  // Until nothing goes on any more.
  let before = -1;
  await soon(
    () => {
      const stands = written === before && written > 0;
      before = written;
      return stands;
    },
    (stands) => stands,
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(written).toBeLessThan(1_000);
  socket.destroy();
  expect(await lastEnd("slow")).toMatchObject({ status: "aborted" });
  expect(await guarded.standing("slow")).toMatchObject({ spent: "0", held: "0", presumed: bound });
});
