// How commands reach the ledger: through the running server's own socket in the data folder, else by opening the folder themselves.
// Not here: what they ask. Invariant: a command works alike either way, and never opens a folder that somebody else owns.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Agent, fetch as fetchBy } from "undici";
import type { z } from "zod";
import type { Config } from "../config.ts";
import { comparePositions } from "../core/entry.ts";
import { type ErrorCode, PennyworthError, errorKinds } from "../error.ts";
import { socketPath } from "../ledger/lock.ts";

export interface Control {
  /** Whether a server answers; else the folder was opened for this command. */
  readonly running: boolean;
  /** Asks the control API, e.g. `/api/v1/status`. */
  fetch(path: string, init?: Ask): Promise<Answer>;
  close(): Promise<void>;
}

export interface Ask {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface Answer {
  readonly ok: boolean;
  readonly status: number;
  text(): Promise<string>;
}

const answerMsMax = 120_000;
const catchUpMsMax = 300_000;

/**
 * @param create begin a ledger where there is none. A command that only looks must not: a mistyped folder would hold nothing, and cost nothing.
 * @throws PennyworthError `ledger_missing`; `data_locked`, `journal_damaged`, … when the folder has to be opened and cannot be.
 */
export async function openControl(config: Config, { create = false } = {}): Promise<Control> {
  const folder = config.settings.data;
  const running = await openSocket(folder);
  if (running !== null) return running;
  if (!create && !existsSync(join(folder, "journal"))) throw new PennyworthError("ledger_missing", { folder });
  const { openOffline } = await import("../main.ts");
  const offline = await openOffline({ ...config, settings: { ...config.settings, log: "error" } });
  return {
    running: false,
    fetch: async (path, ask) => offline.app.request(path, toInit(ask), { trusted: true }),
    close: () => offline.close(),
  };
}

/** Whether somebody answers on a data folder's socket. */
export async function hasServer(folder: string): Promise<boolean> {
  const running = await openSocket(folder);
  await running?.close();
  return running !== null;
}

/** The control API of a server elsewhere, by its URL and a token. */
export function openRemote(url: string, token: string | null): Control {
  const agent = new Agent({ headersTimeout: answerMsMax, connections: 4 });
  return {
    running: true,
    fetch: async (path, ask) => {
      const init = toInit(ask);
      const headers = { ...init.headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
      try {
        return await fetchBy(new URL(path, url), { ...init, headers, dispatcher: agent });
      } catch (cause) {
        throw new PennyworthError("server_unreachable", { url, cause: causeOf(cause) }, cause);
      }
    },
    close: () => agent.close(),
  };
}

/**
 * The answer's JSON, as its schema says. Of one that was to be fresh and is not, standard error says so.
 * @throws PennyworthError with the API's own code and message when it refused.
 */
export async function ask<Schema extends z.ZodType>(control: Control, schema: Schema, path: string, init?: Ask): Promise<z.infer<Schema>> {
  const answer = await control.fetch(path, init);
  const body: unknown = JSON.parse(await answer.text());
  if (!answer.ok) throw toError(body);
  if ((body as { readonly fresh?: unknown } | null)?.fresh === false)
    process.stderr.write("The store is behind the journal: what was recorded last is not in this yet; ask again in a moment.\n");
  return schema.parse(body);
}

/**
 * Until the store shows all that the journal holds now.
 * @throws PennyworthError `store_busy` when that takes longer than five minutes.
 */
export async function untilCaughtUp(control: Control): Promise<void> {
  const schema = await import("../api/schema.ts");
  const wanted = (await ask(control, schema.statusAnswer, "/api/v1/status")).journal;
  const untilMs = performance.now() + catchUpMsMax;
  for (;;) {
    const { store } = await ask(control, schema.statusAnswer, "/api/v1/status");
    if (store.applied !== null && comparePositions(store.applied, wanted) >= 0) return;
    if (performance.now() > untilMs) throw new PennyworthError("store_busy", { detail: "it did not catch up with the journal" });
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
}

/** `/api/v1/name?…` with the parameters that were given; lists are repeated. */
export function toPath(name: string, parameters: Readonly<Record<string, string | readonly string[] | undefined>>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters))
    for (const one of value === undefined ? [] : typeof value === "string" ? [value] : value) search.append(key, one);
  const text = search.toString();
  return `/api/v1/${name}${text === "" ? "" : `?${text}`}`;
}

async function openSocket(folder: string): Promise<Control | null> {
  const agent = new Agent({ connect: { socketPath: socketPath(folder), timeout: 5_000 }, headersTimeout: answerMsMax, connections: 4 });
  const send = (path: string, ask?: Ask): Promise<Answer> =>
    fetchBy(new URL(path, "http://localhost"), { ...toInit(ask), dispatcher: agent });
  try {
    await (await send("/api/v1/status")).text();
  } catch (cause) {
    await agent.destroy();
    if (["ENOENT", "ECONNREFUSED", "ENOTDIR"].includes(codeOf(cause))) return null;
    throw new PennyworthError("data_locked", { folder }, cause);
  }
  const fetch = (path: string, ask?: Ask): Promise<Answer> =>
    send(path, ask).catch((cause: unknown) => {
      throw new PennyworthError("server_unreachable", { url: socketPath(folder), cause: causeOf(cause) }, cause);
    });
  return { running: true, fetch, close: () => agent.close() };
}

function toInit(ask: Ask = {}): { method: string; body?: string; headers: Record<string, string> } {
  const method = ask.method ?? "GET";
  if (ask.body === undefined) return { method, headers: method === "POST" ? { "content-length": "0" } : {} };
  const body = JSON.stringify(ask.body);
  return { method, body, headers: { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) } };
}

function toError(body: unknown): PennyworthError {
  const { code, message } = (body as { error?: { code?: string; message?: string } } | null)?.error ?? {};
  const known = code !== undefined && Object.hasOwn(errorKinds, code) ? (code as ErrorCode) : "internal";
  return Object.assign(new PennyworthError(known), { message: message === undefined ? JSON.stringify(body) : toWords(message) });
}

/** Who types a command has sent no request body. */
function toWords(message: string): string {
  const [before = ""] = errorKinds.request_malformed.message.split("{");
  return message.startsWith(before) ? `What was asked for is not understood: ${message.slice(before.length)}` : message;
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return (cause as { code?: string } | null)?.code ?? "";
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return codeOf(error) || (cause instanceof Error ? cause.message : String(cause));
}
