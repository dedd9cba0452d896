// A provider as cheap as one can be made: fixed answers in OpenAI's chat format, JSON or a stream of 42 events. Prints where it listens.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const usage = { prompt_tokens: 400, completion_tokens: 40, total_tokens: 440, prompt_tokens_details: { cached_tokens: 128 } };
const whole = Buffer.from(
  JSON.stringify({
    id: "chatcmpl-bench",
    object: "chat.completion",
    created: 1_760_000_000,
    model: "gpt-4.1-nano-2025-04-14",
    choices: [{ index: 0, message: { role: "assistant", content: "word ".repeat(40) }, finish_reason: "stop" }],
    usage,
    service_tier: "default",
  }),
);
const event = (fields: object): string =>
  `data: ${JSON.stringify({ id: "chatcmpl-bench", object: "chat.completion.chunk", created: 1_760_000_000, model: "gpt-4.1-nano-2025-04-14", service_tier: "default", ...fields })}\n\n`;
const events = [
  ...Array.from({ length: 40 }, (_, i) =>
    Buffer.from(event({ choices: [{ index: 0, delta: { content: ` word${i}` }, finish_reason: null }], usage: null })),
  ),
  Buffer.from(event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: null })),
  Buffer.from(`${event({ choices: [], usage })}data: [DONE]\n\n`),
];

const server = createServer((request, response) => {
  let streamed = request.headers["x-bench-stream"] === "1";
  request.on("data", () => {});
  request.on("end", () => {
    if (!streamed) {
      response.writeHead(200, ["content-type", "application/json", "content-length", String(whole.length), "x-request-id", "req_bench"]);
      response.end(whole);
      return;
    }
    response.writeHead(200, ["content-type", "text/event-stream; charset=utf-8", "x-request-id", "req_bench"]);
    let i = 0;
    const step = (): void => {
      // Six events a turn: enough turns that a stream is a stream, few enough that the load generator is not all that is measured.
      for (let n = 0; n < 6 && i < events.length; n++) response.write(events[i++] as Buffer);
      if (i < events.length) setImmediate(step);
      else response.end();
    };
    step();
  });
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
