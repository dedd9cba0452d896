// A provider's connection that ends while its answer is paused: the answer comes to its end, or breaks off; the process goes on.

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Agent, type Dispatcher } from "undici";
import { afterEach, expect, it } from "vitest";
import { openConnector } from "./socket.ts";

let server: Server;
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

const body = "x".repeat(40_000);

/** Asks a server that answers with `answer` and then acts; pauses at every piece. @returns how it ended, and how much came. */
async function ask(answer: string, act: (socket: Socket) => void): Promise<{ ended: string; bytes: number }> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write(answer);
      act(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const agent = new Agent({ connect: openConnector(1_000) });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let bytes = 0;
  const ended = await new Promise<string>((resolve) => {
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => {},
      onResponseStart: () => {},
      onResponseData: (controller, chunk) => {
        bytes += chunk.length;
        controller.pause();
        setTimeout(() => controller.resume(), 60);
      },
      onResponseEnd: () => resolve("end"),
      onResponseError: (_controller, error) => resolve((error as Error & { code?: string }).code ?? error.name),
    };
    agent.dispatch({ origin, path: "/", method: "GET" }, handler);
  });
  await agent.destroy();
  return { ended, bytes };
}

it("that closes after an answer of known length gives all of it", async () => {
  const answer = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
  expect(await ask(answer, (socket) => socket.end())).toEqual({ ended: "end", bytes: body.length });
});

it("whose close is the answer's own end gives all of it", async () => {
  expect(await ask(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${body}`, (socket) => socket.end())).toEqual({
    ended: "end",
    bytes: body.length,
  });
});

it("that closes too early, or is reset, breaks the answer off", async () => {
  const answer = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length + 9}\r\nconnection: close\r\n\r\n${body}`;
  expect((await ask(answer, (socket) => socket.end())).ended).not.toBe("end");
  expect((await ask(answer, (socket) => setTimeout(() => socket.resetAndDestroy(), 20))).ended).not.toBe("end");
});
