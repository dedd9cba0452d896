// The baseline: a bare pass-through on undici's dispatch, which does nothing but forward. Prints where it listens.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent } from "undici";

const origin = process.argv[2] as string;
const agent = new Agent({ connections: 1024, pipelining: 1 });

const server = createServer((request, response) => {
  const headers: string[] = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = (request.rawHeaders[i] as string).toLowerCase();
    if (name !== "host" && name !== "connection" && name !== "content-length") headers.push(name, request.rawHeaders[i + 1] as string);
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    agent.dispatch(
      {
        origin,
        path: (request.url as string).replace("/to/bench", ""),
        method: "POST",
        headers,
        body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks),
      },
      {
        onRequestStart() {},
        onResponseStart(controller, status) {
          const raw = controller.rawHeaders as Buffer[];
          const down: string[] = [];
          for (let i = 0; i < raw.length; i += 2) {
            const name = raw[i]!.toString("latin1").toLowerCase();
            if (name !== "connection" && name !== "keep-alive" && name !== "transfer-encoding")
              down.push(name, raw[i + 1]!.toString("latin1"));
          }
          response.writeHead(status, down);
        },
        onResponseData(controller, chunk) {
          if (!response.write(chunk)) {
            controller.pause();
            response.once("drain", () => controller.resume());
          }
        },
        onResponseEnd() {
          response.end();
        },
        onResponseError() {
          response.destroy();
        },
      },
    );
  });
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
