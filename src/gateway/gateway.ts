// The data plane as one piece: who is let in, and what is under way. Knows HTTP requests, not ports.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Key } from "../core/entry.ts";
import { type Halt, isUnder } from "../core/refusal.ts";
import { PennyworthError } from "../error.ts";
import type { Format } from "../providers/format.ts";
import { Exchange } from "./exchange.ts";
import { readShown } from "./headers.ts";
import type { Parts } from "./parts.ts";
import { toAnswer } from "./refusal.ts";
import { readAddress, readHint } from "./route.ts";

export interface Doorkeeper {
  /** Are keys needed right now? */
  readonly required: () => boolean;
  /** Whose key it is. @throws PennyworthError `key_unknown`, `key_revoked`. */
  readonly check: (secret: string) => Key;
  /** Whether a credential is one of Pennyworth's own, in force or not. */
  readonly isOurs: (credential: string) => boolean;
}

export class Gateway {
  readonly #parts: Parts;
  readonly #keys: Doorkeeper;
  readonly #active = new Set<Exchange>();
  #draining = false;
  #idle: (() => void) | null = null;

  constructor(parts: Parts, keys: Doorkeeper) {
    this.#parts = parts;
    this.#keys = keys;
  }

  /** Calls under way. */
  get active(): number {
    return this.#active.size;
  }

  /** @param path of the request, without its query. Never throws and never rejects: every error is an answer. */
  async handle(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    let exchange: Exchange | null = null;
    let format: Format | null = null;
    try {
      const { providers } = this.#parts.routes;
      const query = queryOf(request.url as string);
      const address = readAddress(providers, request.method as string, path, readHint(request.headers, query));
      format = this.#parts.formats.get(address.format ?? "unmetered") ?? null;
      if (this.#draining) throw new PennyworthError("draining");
      if (this.#active.size >= this.#parts.limits.callsMax) throw new PennyworthError("overloaded", { limit: this.#parts.limits.callsMax });
      const shown = readShown(request.headers, query, this.#keys.isOurs);
      const key = this.#admit(shown.key);
      exchange = new Exchange(this.#parts, request, response, address, { key, shown });
      this.#active.add(exchange);
      await exchange.run();
      // Were there a bug, a client must not wait for ever.
      if (!exchange.over && !response.destroyed && !request.destroyed) throw new Error("an exchange ended without an answer");
    } catch (error) {
      refuse(response, error instanceof PennyworthError ? error : this.#parts.internal(error), request.complete, format);
    } finally {
      if (exchange !== null) this.#active.delete(exchange);
      if (this.#active.size === 0) this.#idle?.();
    }
  }

  /** Ends what is under way below a node: see the guard's halts. @returns how many calls that were. */
  halt(halt: Halt): number {
    let ended = 0;
    for (const exchange of this.#active) {
      if (exchange.scope === null || !isUnder(halt.scope, exchange.scope)) continue;
      exchange.halt({ code: "halted", message: "everything like this was stopped" });
      ended += 1;
    }
    return ended;
  }

  /** Takes no new calls, waits for those under way, and breaks off what is left after `waitMsMax`. */
  async drain(waitMsMax: number): Promise<void> {
    this.#draining = true;
    const idle = (limitMs: number): Promise<void> =>
      new Promise((resolve) => {
        if (this.#active.size === 0) return resolve();
        const timer = setTimeout(resolve, limitMs);
        this.#idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    await idle(waitMsMax);
    for (const exchange of this.#active) exchange.cancel();
    await idle(1_000);
  }

  /** Who calls: a key of ours in its own header or in the provider's slot, or nobody where none is needed. */
  #admit(secret: string | null): Key | null {
    if (secret === null) {
      if (this.#keys.required()) throw new PennyworthError("key_missing");
      return null;
    }
    const key = this.#keys.check(secret);
    if (key.role === "read") throw new PennyworthError("key_role", { role: key.role, needed: "use" });
    return key;
  }
}

/** Answers with an error before an exchange began. */
export function refuse(response: ServerResponse, error: PennyworthError, bodyRead: boolean, format: Format | null = null): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { headers, body } = toAnswer(error, bodyRead, format);
  response.writeHead(error.status, headers as string[]).end(body);
}

function queryOf(url: string): string {
  const at = url.indexOf("?");
  return at < 0 ? "" : url.slice(at + 1);
}
