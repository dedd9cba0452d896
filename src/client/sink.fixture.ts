// A `fetch` in place of Pennyworth: takes what is sent, and answers as the test says. Not here: what is right.

import { setTimeout as wait } from "node:timers/promises";
import { type Client, type Options, pennyworth, type Trouble } from "./pennyworth.ts";

export interface Taken {
  readonly url: string;
  readonly headers: Headers;
  readonly redirect: string | undefined;
  readonly body: Readonly<Record<string, readonly Said[]>>;
}

export interface Said {
  readonly [field: string]: unknown;
}

export interface Sink extends Client {
  readonly requests: readonly Taken[];
  readonly troubles: readonly Trouble[];
  /** Statements of one kind that were answered with 2xx, in their order. */
  taken(kind: "tasks" | "outcomes"): readonly Said[];
}

/** @param answer a status, a whole answer, or an error to be thrown; 201 without it. */
export function sink(options: Options = {}, answer: (request: Taken, number: number) => Response | number | Error = () => 201): Sink {
  const requests: Taken[] = [];
  const done: Taken[] = [];
  const troubles: Trouble[] = [];
  const take = async (input: unknown, init?: RequestInit): Promise<Response> => {
    const headers = new Headers(init?.headers);
    const text = typeof init?.body === "string" ? init.body : "{}";
    const request = { url: String(input), headers, redirect: init?.redirect, body: JSON.parse(text) as Taken["body"] };
    requests.push(request);
    await wait(1);
    const given = answer(request, requests.length);
    if (given instanceof Error) throw given;
    const response = typeof given === "number" ? new Response(given === 201 ? "{}" : null, { status: given }) : given;
    if (response.ok) done.push(request);
    return response;
  };
  const client = pennyworth({ fetch: take as typeof fetch, onError: (trouble) => troubles.push(trouble), ...options });
  return { ...client, requests, troubles, taken: (kind) => done.flatMap(({ body }) => body[kind] ?? []) };
}

/** Quick ones, for tests. */
export const quick = { gatherMs: 2, retryMsFirst: 4, retryMsMax: 8 };
