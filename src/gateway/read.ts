// Reads an object of a provider for ourselves: work that is followed, and files of results. Through the gateway's own way to the provider,
// with its configured credential or one that a client has shown. Not here: what is read. Invariant: what is not taken is not held: the
// connection waits for its reader.

import { pipeline, Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { AnswerHead } from "../providers/format.ts";
import type { Shown } from "./headers.ts";
import { openInflate } from "./whole.ts";
import { readAddress, route, type RouteTable, type Target } from "./route.ts";
import type { Upstream } from "./upstream.ts";

/** What a client has shown that lets it read its own work. Held in memory alone, and never written. */
export interface Kept {
  readonly ownHeaders: readonly string[];
  readonly ownQuery: string;
  /** Flat name, value pairs that say whose object it is: organization, project, version. */
  readonly headers: readonly string[];
}

export interface Wanted {
  readonly provider: string;
  /** GET, unless it is said. */
  readonly method?: "GET" | "POST";
  /** JSON; none, unless it is said. */
  readonly body?: Buffer;
  /** At Pennyworth, with its query. */
  readonly path: string;
  readonly kept: Kept | null;
  readonly signal: AbortSignal;
}

export interface Reading extends AnswerHead {
  /** To be read to its end, or destroyed. */
  readonly body: Readable;
}

/** Headers without which some providers do not find the same object again. */
const sayingWhose = /^(openai-(organization|project|beta)|anthropic-(version|beta)|x-goog-user-project)$/;

/** @param rawHeaders of the client's request. @returns null when it has shown no credential. */
export function keep(shown: Pick<Shown, "own" | "ownHeaders" | "ownQuery">, rawHeaders: readonly string[]): Kept | null {
  if (shown.own === null) return null;
  const headers: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (sayingWhose.test((rawHeaders[i] as string).toLowerCase())) headers.push(rawHeaders[i] as string, rawHeaders[i + 1] as string);
  return { ownHeaders: shown.ownHeaders, ownQuery: shown.ownQuery, headers };
}

/** Whether there is anything to show the provider. */
export function canRead(table: RouteTable, provider: string, kept: Kept | null): boolean {
  const record = table.providers.get(provider);
  return record !== undefined && (record.auth === "none" || table.credentialed.has(provider) || kept !== null);
}

/**
 * Sends a request of our own and resolves with the answer's head.
 * Rejects with PennyworthError `provider_unknown` or `route_unknown`, or with the connection's own error when no head comes.
 */
export function read(table: RouteTable, upstream: Upstream, firstByteMsMax: number, wanted: Wanted): Promise<Reading> {
  const { kept, method = "GET", body = Buffer.alloc(0) } = wanted;
  return new Promise((resolve, reject) => {
    const [path = "", query = ""] = wanted.path.split("?");
    const isAnthropic = path.includes("/messages/");
    const address = readAddress(
      table.providers,
      method,
      `/to/${encodeURIComponent(wanted.provider)}${path}`,
      isAnthropic ? "anthropic" : null,
    );
    const target = route(table, address, null, null).targets[0] as Target;
    upstream.send(new Handler(resolve, reject, wanted.signal), {
      target,
      request: { method, rawHeaders: [...versioned(isAnthropic, kept?.headers ?? []), ...typed(body)], headers: {} },
      address,
      body,
      shown: { key: null, own: null, ownHeaders: kept?.ownHeaders ?? [], ownQuery: kept?.ownQuery ?? "", query },
      firstByteMsMax,
    });
  });
}

/** Anthropic answers no request that does not name a version. */
function versioned(isAnthropic: boolean, headers: readonly string[]): string[] {
  const isNamed = headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === "anthropic-version");
  return !isAnthropic || isNamed ? [...headers] : [...headers, "anthropic-version", "2023-06-01"];
}

function typed(body: Buffer): string[] {
  return body.length === 0 ? [] : ["content-type", "application/json", "content-length", String(body.length)];
}

class Handler implements Dispatcher.DispatchHandler {
  readonly #resolve: (reading: Reading) => void;
  readonly #reject: (error: Error) => void;
  readonly #signal: AbortSignal;
  #body: Readable | null = null;
  #abort: (() => void) | null = null;

  constructor(resolve: (reading: Reading) => void, reject: (error: Error) => void, signal: AbortSignal) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#abort = () => controller.abort(new Error("closed"));
    if (this.#signal.aborted) this.#abort();
    else this.#signal.addEventListener("abort", this.#abort, { once: true });
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return;
    const header = (name: string): string | null => {
      const value = headers[name];
      return (Array.isArray(value) ? value[0] : value) ?? null;
    };
    this.#body = new Readable({
      read: () => controller.resume(),
      destroy: (error, done) => {
        controller.abort(error ?? new Error("not read"));
        done(error);
      },
    });
    this.#resolve({
      status,
      type: (header("content-type") ?? "").toLowerCase(),
      header,
      body: inflated(this.#body, header("content-encoding")),
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body?.push(chunk) === false) controller.pause();
  }

  onResponseEnd(): void {
    this.#over();
    this.#body?.push(null);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.refuse(error);
  }

  /** Nothing was sent, or the answer broke off. */
  refuse(error: Error): void {
    this.#over();
    if (this.#body === null) this.#reject(error);
    else this.#body.destroy(error);
  }

  #over(): void {
    if (this.#abort !== null) this.#signal.removeEventListener("abort", this.#abort);
  }
}

/** Not asked for, but some compress all the same. */
function inflated(body: Readable, encoding: string | null): Readable {
  const inflate = encoding === null || encoding === "identity" ? null : openInflate(encoding);
  if (inflate === null || inflate === "unknown") return body;
  pipeline(body, inflate, () => {});
  return inflate;
}
