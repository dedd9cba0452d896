// The sessions of the pages, and the wrong tokens of each address. In memory only: a restart ends them all. Not here: HTTP (signin.ts), what
// a token may do (the context says that). Invariant: the text that stands for a session is known to its browser alone; here is its hash.

import { createHash, randomBytes } from "node:crypto";
import { dayMs, hourMs } from "../core/time.ts";
import type { Identity } from "./context.ts";

export const idleMsMax = 12 * hourMs;
/** However busy a session is. */
export const ageMsMax = 7 * dayMs;
const sessionsMax = 1_000;
/** Of one key, or of the admin token: one more ends the one that was used least lately. */
const sessionsOfOneMax = 20;
const failuresMax = 10;
const failuresMs = 5 * 60_000;
const addressesMax = 10_000;

export interface Session {
  readonly identity: Identity;
  readonly startedMs: number;
  usedMs: number;
}

/** The sessions of one server. Bounded in number and in time. */
export class Sessions {
  /** By the SHA-256 of the cookie's text: how long a look-up takes says nothing of how near a guess came. Least lately used first. */
  readonly #sessions = new Map<string, Session>();
  readonly #failures = new Map<string, { readonly untilMs: number; readonly tokens: Set<string> }>();

  /** @returns the cookie's text: 256 random bits. */
  begin(identity: Identity, nowMs: number): string {
    const own = [...this.#sessions].filter(([, other]) => other.identity.key === identity.key);
    if (own.length >= sessionsOfOneMax) this.#sessions.delete((own[0] as (typeof own)[number])[0]);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= sessionsMax && oldest !== undefined) this.#sessions.delete(oldest);
    const text = randomBytes(32).toString("base64url");
    this.#sessions.set(hashOf(text), { identity, startedMs: nowMs, usedMs: nowMs });
    return text;
  }

  /** The session of a cookie, which is in use now; null when there is none, or its time is over. */
  find(text: string, nowMs: number): Session | null {
    const hash = hashOf(text);
    const found = this.#sessions.get(hash);
    if (found === undefined) return null;
    this.#sessions.delete(hash);
    if (nowMs >= endOf(found)) return null;
    found.usedMs = Math.max(found.usedMs, nowMs);
    this.#sessions.set(hash, found);
    return found;
  }

  end(text: string): boolean {
    return this.#sessions.delete(hashOf(text));
  }

  /** Ms until this address may try again; 0: now. The same wrong token again is no guess, so that one forgotten window locks nobody out. */
  waitMs(address: string, nowMs: number): number {
    const failed = this.#failures.get(address);
    return failed === undefined || failed.tokens.size < failuresMax ? 0 : Math.max(0, failed.untilMs - nowMs);
  }

  fail(address: string, token: string, nowMs: number): void {
    const before = this.#failures.get(address);
    const failed = before === undefined || before.untilMs <= nowMs ? { untilMs: nowMs + failuresMs, tokens: new Set<string>() } : before;
    failed.tokens.add(hashOf(token));
    this.#failures.delete(address);
    this.#failures.set(address, failed);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > addressesMax && oldest !== undefined) this.#failures.delete(oldest);
  }
}

/** When a session ends if it is not used again, ms UTC. */
export function endOf({ startedMs, usedMs }: Session): number {
  return Math.min(usedMs + idleMsMax, startedMs + ageMsMax);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
