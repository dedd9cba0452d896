// A guarded gateway for the end-to-end tests of the guard: a real server with the settings file of a test, in front of a provider that writes
// down what it was sent and answers as the test says, else as the sandbox does. Not here: what is right. Invariant: money comes at two
// prices that can be reckoned by hand, $1 for a million input tokens and $10 for a million output tokens.

import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request as ask, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "vitest";
import { readConfig } from "../src/config.ts";
import { type Running, start } from "../src/main.ts";
import { startSandbox } from "../src/sandbox/sandbox.ts";
import { temporaryFolder } from "./process.ts";

export const adminToken = "t".repeat(32);

/** Whatever JSON holds. */
export type Loose = ReturnType<typeof JSON.parse>;

/** One request as the provider got it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly body: Loose;
}

/** Answers a request itself; null: the sandbox does. */
export type Answering = (seen: Seen, response: ServerResponse) => Promise<void> | void | null;

export interface Provider {
  readonly url: string;
  /** In order of arrival. */
  readonly seen: Seen[];
  answering: Answering | null;
  close(): Promise<void>;
}

export async function startProvider(): Promise<Provider> {
  const sandbox = await startSandbox({ seed: 3 });
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", () => {});
    request.on("end", () => {
      const bytes = Buffer.concat(chunks);
      const { method = "", url = "", headers } = request;
      const text = bytes.toString();
      const one = { method, path: url, headers, text, body: parse(text) };
      seen.push(one);
      if (provider.answering !== null && provider.answering(one, response) !== null) return;
      const upstream = ask(sandbox.url + url, { method, headers: { ...headers, host: new URL(sandbox.url).host } }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
      });
      upstream.on("error", () => response.destroy());
      response.on("close", () => upstream.destroy());
      upstream.end(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const provider: Provider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answering: null,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await sandbox.close();
    },
  };
  return provider;
}

function parse(text: string): Loose {
  try {
    return JSON.parse(text) as Loose;
  } catch {
    return null;
  }
}

/** Models at these prices, whoever serves them. What the first four pass is seen as it passes; the rest may think unseen. */
const priced: readonly (readonly [string, string])[] = [
  ["openai", "gpt-4o-mini"],
  ["openai", "gpt-4-small"],
  ["anthropic", "claude-3-5-haiku-latest"],
  ["ollama", "llama3.2"],
  ["openai", "gpt-5-mini"],
  ["anthropic", "claude-sonnet-4-5"],
  ["google", "gemini-2.5-flash"],
  ["aws", "amazon.nova-lite-v1:0"],
];

/** The settings of a test, before its own: providers that are all the one provider, at prices that can be reckoned by hand. */
export function settingsWith(url: string, own: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    log: "error",
    providers: {
      openai: { baseUrl: `${url}/v1` },
      anthropic: { baseUrl: `${url}/v1` },
      google: { baseUrl: url },
      ollama: { baseUrl: url },
      bedrock: { baseUrl: url, region: "us-east-1" },
    },
    ...own,
    prices: [
      ...priced.map(([provider, model]) => ({ provider, model, perMillion: { input: "1", output: "10" } })),
      ...((own["prices"] as readonly object[] | undefined) ?? []),
    ],
  };
}

export const secrets = {
  OPENAI_API_KEY: "of-the-company",
  ANTHROPIC_API_KEY: "of-the-company",
  GEMINI_API_KEY: "of-the-company",
  AWS_BEARER_TOKEN_BEDROCK: "of-the-company",
};

export interface Standing {
  readonly values: Readonly<Record<string, string>> | readonly string[];
  readonly allowance: string;
  readonly spent: string;
  readonly held: string;
  readonly presumed: string;
  readonly left: string;
}

export interface Guarded {
  readonly url: string;
  readonly folder: string;
  readonly provider: Provider;
  /** The control API, with the admin token; `path` after /api/v1. Its answer with its status. */
  control(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Loose }>;
  /** Defines a budget by the API. */
  set(id: string, terms: object): Promise<void>;
  /** The standings of a budget, the fullest first. */
  standings(id: string): Promise<readonly Standing[]>;
  /** The one standing of a budget. */
  standing(id: string): Promise<Standing>;
  tally(): Promise<Loose>;
  /** Stops the server, as SIGTERM does; starts it again, with other settings where they are given. */
  stop(): Promise<void>;
  start(settings?: Readonly<Record<string, unknown>>): Promise<void>;
  close(): Promise<void>;
}

/** @param own settings, as in pennyworth.yaml. @param now the wall clock; the machine's own unless given. */
export async function startGuarded(own: Readonly<Record<string, unknown>>, now: () => number = Date.now): Promise<Guarded> {
  const provider = await startProvider();
  const folder = await temporaryFolder();
  const file = join(folder.path, "pennyworth.yaml");
  const data = join(folder.path, "data");
  let running: Running | null = null;
  let settings = own;
  const guarded: Guarded = {
    get url() {
      return running?.url ?? "";
    },
    folder: data,
    provider,
    control: async (method, path, body) => {
      const headers = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const answer = await fetch(`${guarded.url}/api/v1${path}`, { method, headers, ...sent });
      return { status: answer.status, body: parse(await answer.text()) };
    },
    set: async (id, terms) => {
      const { status, body } = await guarded.control("PUT", `/budgets/${id}`, { kind: "budget", owner: "ada", ...terms });
      if (status !== 200) throw new Error(`${id}: ${status} ${JSON.stringify(body)}`);
    },
    standings: async (id) => {
      const { body } = await guarded.control("GET", `/budgets/${id}`);
      return body.budget.standings as Standing[];
    },
    standing: async (id) => (await guarded.standings(id))[0] as Standing,
    tally: async () => (await guarded.control("GET", "/guard")).body.tally as Loose,
    stop: async () => {
      await running?.close();
      running = null;
    },
    start: async (other) => {
      settings = other ?? settings;
      // What JSON is, YAML is.
      await writeFile(file, JSON.stringify(settingsWith(provider.url, settings), null, 1));
      const config = readConfig(file, { data, "server.port": 0 }, { PENNYWORTH_ADMIN_TOKEN: adminToken, ...secrets });
      running = await start(config, { now, demo: false });
    },
    close: async () => {
      await guarded.stop();
      await provider.close();
      await folder.remove();
    },
  };
  await guarded.start();
  return guarded;
}

export interface Asked {
  readonly model?: string;
  readonly cap?: number | null;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly more?: object;
  readonly signal?: AbortSignal;
}

/** Of OpenAI's chat, a hundred tokens at most unless said otherwise. */
export function chatBody({ model = "gpt-4o-mini", cap = 100, text = "What may it cost?", more = {} }: Asked = {}): string {
  const capped = cap === null ? {} : { max_tokens: cap };
  return JSON.stringify({ model, ...capped, messages: [{ role: "user", content: text }], ...more });
}

/** The input tokens that are held for it: its bytes, and what the provider writes around it (docs/caps.md). */
export function boundOf(asked: Asked = {}): number {
  return Buffer.byteLength(chatBody(asked)) + 64;
}

export function chat(url: string, asked: Asked = {}): Promise<Response> {
  return post(`${url}/v1/chat/completions`, chatBody(asked), asked.headers, asked.signal);
}

export function post(
  url: string,
  body: string | object,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: text,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** An answer read to its end. */
export interface Answered {
  readonly status: number;
  readonly call: string;
  readonly edits: string | null;
  readonly header: (name: string) => string | null;
  readonly text: string;
  readonly body: Loose;
}

export async function read(coming: Promise<Response> | Response): Promise<Answered> {
  const answer = await coming;
  const text = await answer.text();
  const header = (name: string): string | null => answer.headers.get(name);
  return {
    status: answer.status,
    call: header("x-pennyworth-call") ?? "",
    edits: header("x-pennyworth-edits"),
    header,
    text,
    body: parse(text),
  };
}

/** By hand: what so many tokens in and out cost here, in picodollars. */
export function pico(input: number, output: number): bigint {
  return BigInt(input) * 1_000_000n + BigInt(output) * 10_000_000n;
}

/** Picodollars as dollars, by hand. */
export function dollars(amount: bigint): string {
  const text = String(amount < 0n ? -amount : amount).padStart(13, "0");
  return `${amount < 0n ? "-" : ""}${`${text.slice(0, -12)}.${text.slice(-12)}`.replace(/\.?0+$/, "")}`;
}

/** Waits for something that comes soon. */
export async function soon<Value>(look: () => Promise<Value> | Value, wanted: (value: Value) => boolean, msMax = 15_000): Promise<Value> {
  const deadlineMs = performance.now() + msMax;
  for (;;) {
    const value = await look();
    if (wanted(value)) return value;
    if (performance.now() > deadlineMs) {
      expect(value, "it did not come").toBeUndefined();
      return value;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
