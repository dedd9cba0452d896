// The way to a provider: the pool of connections, the path, the headers and the credential of one request. No request can name an address.

import type { IncomingMessage } from "node:http";
import { Agent, type Dispatcher } from "undici";
import type { Settings } from "../config.ts";
import type { Attempt } from "./attempt.ts";
import { type Credentials, headersUp } from "./headers.ts";
import type { Target } from "./route.ts";

export interface Upstream {
  send(attempt: Attempt, request: UpstreamRequest): void;
  close(): Promise<void>;
}

export interface UpstreamRequest {
  readonly target: Target;
  readonly request: IncomingMessage;
  /** The path at Pennyworth, `/v1/…`; the provider's base URL takes the place of `/v1`. */
  readonly path: string;
  readonly body: Buffer;
  readonly credentials: Credentials;
  /** The longest silence before the answer's head, ms. */
  readonly firstByteMsMax: number;
}

/** @param credential the configured credential of a provider; null when there is none. */
export function createUpstream(limits: Settings["limits"], credential: (provider: string) => string | null): Upstream {
  const agent = new Agent({
    connections: 1024,
    pipelining: 1,
    headersTimeout: limits.firstByteMsMax,
    bodyTimeout: limits.silenceMsMax,
    keepAliveTimeout: 30_000,
    maxHeaderSize: 256 * 1024,
    connect: { timeout: limits.connectMsMax },
  });
  const bases = new Map<string, { readonly origin: string; readonly path: string }>();
  const baseOf = (url: string): { readonly origin: string; readonly path: string } => {
    let base = bases.get(url);
    if (base === undefined) {
      const { origin, pathname } = new URL(url);
      base = { origin, path: pathname.replace(/\/$/, "") };
      bases.set(url, base);
    }
    return base;
  };
  return {
    send(attempt, { target, request, path, body, credentials, firstByteMsMax }) {
      const { provider } = target;
      const base = baseOf(provider.baseUrl);
      const url = request.url as string;
      const query = url.indexOf("?");
      const set = Object.entries(provider.headers);
      const headers = headersUp(request, set.length === 0 ? null : new Set(set.map(([name]) => name.toLowerCase())));
      for (const [name, value] of set) headers.push(name, value);
      // A configured credential goes in the provider's slot; the client's own stays in the one it came in.
      const configured = credential(provider.name);
      if (configured === null) headers.push(...(target.own ? credentials.ownHeaders : []));
      else headers.push(...(provider.auth === "x-api-key" ? ["x-api-key", configured] : ["authorization", `Bearer ${configured}`]));
      const options: Dispatcher.DispatchOptions = {
        origin: base.origin,
        path: base.path + path.slice("/v1".length) + (query < 0 ? "" : url.slice(query)),
        method: request.method as Dispatcher.HttpMethod,
        headers,
        body: body.length === 0 ? null : body,
        headersTimeout: firstByteMsMax,
      };
      agent.dispatch(options, attempt);
    },
    close: () => agent.destroy(),
  };
}
