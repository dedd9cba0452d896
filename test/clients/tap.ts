// Stands between a gateway and the sandbox and writes down what heads of requests hold, as the sandbox's witness never would: credentials.
// Not here: bodies, which pass as they come.

import { createServer, request as ask } from "node:http";
import type { AddressInfo } from "node:net";

export interface Tap {
  /** `http://host:port` */
  readonly url: string;
  /** The request lines and headers that came by, one request a text. */
  readonly heads: readonly string[];
  close(): Promise<void>;
}

/** @param to where all of it goes, as `http://host:port`. */
export async function startTap(to: string): Promise<Tap> {
  const heads: string[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers, rawHeaders } = request;
    const pairs = rawHeaders.map((text, index) => (index % 2 === 0 ? `${text.toLowerCase()}: ` : `${text}\n`));
    heads.push(`${method} ${url}\n${pairs.join("")}`);
    // The host stays: a signature covers it.
    const upstream = ask(to + url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(response);
    });
    upstream.on("error", () => response.destroy());
    response.on("close", () => upstream.destroy());
    request.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heads,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
