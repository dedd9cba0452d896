// The way to a provider: the pool of connections, the path, the headers and the credential of one request. No request can name an address.

import type { IncomingMessage } from "node:http";
import { Agent, type Dispatcher } from "undici";
import type { Settings } from "../config.ts";
import { addressOf, authOf, placeOf } from "../providers/table.ts";
import { type Credentials, slotOf } from "./credential.ts";
import { headersUp, ownFor, type Shown } from "./headers.ts";
import type { Address, Target } from "./route.ts";
import { openConnector } from "./socket.ts";

export interface Upstream {
  send(attempt: Sent, request: UpstreamRequest): void;
  close(): Promise<void>;
}

/** Who is told of the answer; `refuse`: nothing was sent, for want of a credential. */
export type Sent = Dispatcher.DispatchHandler & { refuse(error: Error): void };

export interface UpstreamRequest {
  readonly target: Target;
  readonly request: Pick<IncomingMessage, "method" | "rawHeaders" | "headers">;
  readonly address: Address;
  readonly body: Buffer;
  readonly shown: Shown;
  /** The longest silence before the answer's head, ms. */
  readonly firstByteMsMax: number;
}

export function createUpstream(limits: Settings["limits"], credentials: Credentials): Upstream {
  const agent = new Agent({
    connections: 1024,
    pipelining: 1,
    headersTimeout: limits.firstByteMsMax,
    bodyTimeout: limits.silenceMsMax,
    keepAliveTimeout: 30_000,
    maxHeaderSize: 256 * 1024,
    connect: openConnector(limits.connectMsMax),
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
    send(attempt, { target, request, address, body, shown, firstByteMsMax }) {
      const { provider } = target;
      const { origin, path } = baseOf(addressOf(provider));
      const set = Object.entries(provider.headers);
      const headers = headersUp(request, set.length === 0 ? null : new Set(set.map(([name]) => name.toLowerCase())));
      for (const [name, value] of set) headers.push(name, value);
      const options: Dispatcher.DispatchOptions & { headers: string[] } = {
        origin,
        path: path + pathUp(target, address) + (shown.query === "" ? "" : `?${shown.query}`),
        method: request.method as Dispatcher.HttpMethod,
        headers,
        body: body.length === 0 ? null : body,
        headersTimeout: firstByteMsMax,
      };
      // A configured credential goes in the provider's slot; the client's own stays in the one it came in.
      const key = credentials.key(provider.name);
      const sign = key === null ? credentials.signer(provider.name) : null;
      const auth = authOf(provider, address.api.name);
      if (key !== null) headers.push(...slotOf(auth, key));
      else if (sign === null && target.own) {
        const own = ownFor(auth, shown);
        headers.push(...own);
        // Google alone takes a key in the query.
        if (own.length === 0 && auth === "x-goog-api-key" && shown.ownQuery !== "")
          options.path += `${shown.query === "" ? "?" : "&"}${shown.ownQuery}`;
      }
      if (sign === null) {
        agent.dispatch(options, attempt);
        return;
      }
      sign({ method: options.method, url: new URL(origin + options.path), headers, body }).then(
        (made) => agent.dispatch({ ...options, headers: [...headers, ...made] }, attempt),
        (error: unknown) => attempt.refuse(error instanceof Error ? error : new Error(String(error))),
      );
    },
    close: () => agent.destroy(),
  };
}

/** The path as the provider has it: its own place instead of the API's root, and another model where a route names one. */
function pathUp({ provider, model }: Target, { api, path, model: named }: Address): string {
  const [start, end] = model === null || named === null ? [0, 0] : named.span;
  const sent = end === 0 ? path : path.slice(0, start) + encodeURIComponent(model as string) + path.slice(end);
  return (placeOf(provider, api.name) ?? "") + sent.slice(api.root.length);
}
