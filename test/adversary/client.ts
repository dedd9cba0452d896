// A client of the gateway: sends one ask, reads what comes, goes away when its patience ends, and notes what it saw. Not here: what is right.

import type { Ask } from "./ask.ts";

/** Times are of the harness's steady clock, ms. */
export interface Asked {
  readonly ask: Ask;
  readonly sentMs: number;
  /** null: it is under way. */
  endedMs: number | null;
  status: number | null;
  /** The code of a refusal by the guard. */
  refused: string | null;
  /** The first budget in its way. */
  budget: string | null;
  retryAfter: string | null;
  shouldRetry: string | null;
  call: string | null;
  /** The answer came to its proper end. */
  complete: boolean;
  /** How it failed, where it did not come to an answer. */
  failure: string | null;
  text: string;
}

/** How long a client waits at most. */
const clientMsMax = 60_000;

export async function send(url: string, ask: Ask, noted: (asked: Asked) => void = () => {}): Promise<Asked> {
  const asked: Asked = {
    ask,
    sentMs: performance.now(),
    endedMs: null,
    status: null,
    refused: null,
    budget: null,
    retryAfter: null,
    shouldRetry: null,
    call: null,
    complete: false,
    failure: null,
    text: "",
  };
  noted(asked);
  const leaving = new AbortController();
  const timer = setTimeout(() => leaving.abort(), ask.patienceMs ?? clientMsMax);
  const { who } = ask;
  try {
    const response = await fetch(`${url}${ask.wire === "chat" ? "/v1/chat/completions" : "/v1/messages"}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(ask.wire === "messages" ? { "anthropic-version": "2023-06-01" } : {}),
        "x-pennyworth-team": who.team,
        "x-pennyworth-agent": who.agent,
        "x-pennyworth-customer": who.customer,
        "x-pennyworth-feature": who.feature,
        "x-pennyworth-task": who.task,
        "x-pennyworth-root": who.root,
        ...(who.task === who.root ? {} : { "x-pennyworth-parent": who.root }),
      },
      body: ask.body,
      signal: leaving.signal,
    });
    const header = (name: string): string | null => response.headers.get(name);
    asked.status = response.status;
    asked.call = header("x-pennyworth-call");
    asked.refused = header("x-pennyworth-refused");
    asked.budget = header("x-pennyworth-budget");
    asked.retryAfter = header("retry-after");
    asked.shouldRetry = header("x-should-retry");
    asked.text = await response.text();
    asked.complete = !ask.streamed || response.status !== 200 || /data: \[DONE\]|"message_stop"/.test(asked.text);
  } catch (cause) {
    const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    asked.failure = leaving.signal.aborted ? "left" : String((inner as { code?: string }).code ?? inner);
  } finally {
    clearTimeout(timer);
    asked.endedMs = performance.now();
  }
  return asked;
}
