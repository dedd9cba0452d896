// Sends Larkspur's calls through the gateway, as its programs would: over HTTP, trying again once what may be tried again, and going away
// in the middle of an answer where the ask says so. Not here: what is asked (work.ts). Invariant: it always comes to an end.

import { Agent, request } from "undici";
import { PennyworthError } from "../error.ts";
import { type Ask, toRequest } from "./ask.ts";
import type { Team } from "./company.ts";
import type { Clock } from "./clock.ts";
import { drawFor } from "./random.ts";

export interface Sender {
  /** Makes one call, a second one where the first failed. @returns whether it was answered whole. */
  send(ask: Ask): Promise<boolean>;
  /** How many requests were sent to Pennyworth. */
  readonly sent: number;
  /** Goes away from whatever is under way. */
  close(): Promise<void>;
}

export interface SenderOptions {
  readonly url: string;
  /** Of the providers themselves. */
  readonly directUrl: string;
  /** Of each team; none: the team's name goes along instead. */
  readonly keys: ReadonlyMap<Team, string>;
  readonly seed: number;
  readonly clock: Clock;
  /** How many calls the gateway has under way. */
  readonly active: () => number;
}

/** What a client may send again: what OpenAI's and Anthropic's own do. */
const retried = new Set([429, 500, 503, 529]);
const retryMs = 900;
/** Somebody looks on for so long before going away, ms. */
const patienceMs = 4_000;
const silenceMsMax = 180_000;

export function createSender({ url, directUrl, keys, seed, clock, active }: SenderOptions): Sender {
  const agent = new Agent({ connections: 64, pipelining: 1, headersTimeout: silenceMsMax, bodyTimeout: silenceMsMax });
  let sent = 0;

  /** @returns the status; 0 where no whole answer came. */
  const once = async (ask: Ask, tries: number): Promise<number> => {
    const { path, headers, body } = toRequest(ask, keys.get(ask.team) ?? null, drawFor(seed, ask.name, tries));
    if (!ask.direct) sent += 1;
    const again = tries === 0 ? {} : { "x-stainless-retry-count": String(tries) };
    const leaving = ask.trouble === "left" ? new AbortController() : null;
    try {
      const asked = request((ask.direct ? directUrl : url) + path, {
        method: "POST",
        dispatcher: agent,
        headers: { ...headers, ...again },
        body,
        ...(leaving === null ? {} : { signal: leaving.signal }),
      });
      if (leaving !== null) void leave(asked, leaving);
      const answer = await asked;
      await answer.body.dump({ limit: Number.MAX_SAFE_INTEGER });
      return answer.statusCode;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "ECONNREFUSED") throw new PennyworthError("server_unreachable", { url, cause: code }, error);
      return 0;
    } finally {
      // Whoever went away has not waited: the gateway has still to put it on record.
      if (!clock.runs) while (active() > 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };

  const leave = async (asked: Promise<unknown>, leaving: AbortController): Promise<void> => {
    await asked.catch(() => {});
    await clock.quiet();
    await clock.wait(patienceMs);
    leaving.abort();
  };

  return {
    get sent() {
      return sent;
    },
    send: async (ask) => {
      const status = await once(ask, 0);
      if (status === 200) return true;
      if (!retried.has(status)) return false;
      await clock.wait(retryMs);
      return (await once(ask, 1)) === 200;
    },
    close: () => agent.destroy(),
  };
}
