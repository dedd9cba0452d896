// The sandbox provider: a real HTTP server that speaks OpenAI's and Anthropic's formats, deterministic by seed. For demo, rehearsal, tests.
// It shares no code with providers/ or core/, so that what its witness says is testimony and not an echo.
// Invariant: no request can crash it, and each whole request is in the witness before its answer begins.

import { randomBytes } from "node:crypto";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { parseBody } from "./ask.ts";
import { PrefixCache } from "./cache.ts";
import { chat } from "./chat.ts";
import { type Controls, noControls, parseDirectives, parseHeaders } from "./controls.ts";
import { embeddings, listModels, senseless, toModelCard } from "./embeddings.ts";
import { type Exchange, refuseControls } from "./exchange.ts";
import { type Kept, KeptResponses } from "./kept.ts";
import { messages, parseMessages } from "./messages.ts";
import { Refused, type Wording, errorBody } from "./refused.ts";
import { parseResponses, responses } from "./responses.ts";
import { type Serving, serve, totalUsage } from "./serving.ts";
import { type Wire, cut, isPlain, sendEvents, sendEventsPaced, sendJson, sendJsonPaced, sleep } from "./wire.ts";
import { Witness, type WitnessedCall } from "./witness.ts";

export interface SandboxOptions {
  /** 0 takes a free one. */
  readonly port?: number;
  readonly host?: string;
  /** Equal seeds give equal answers to equal requests. */
  readonly seed?: number;
  /** Part of every id, so that ids of different runs never meet; random unless given. */
  readonly run?: string;
  readonly witnessRowsMax?: number;
  readonly requestBytesMax?: number;
  readonly now?: () => number;
  readonly log?: (line: string) => void;
}

export interface Sandbox {
  /** `http://host:port`, without a slash at its end. */
  readonly url: string;
  readonly witness: Witness;
  /** Ends all connections, also those that are kept silent. */
  close(): Promise<void>;
}

interface State {
  readonly seed: number;
  readonly run: string;
  readonly now: () => number;
  readonly log: (line: string) => void;
  readonly witness: Witness;
  readonly cache: PrefixCache;
  readonly kept: KeptResponses;
  /** Times failed by `x-sandbox-fail-key`. */
  readonly failures: Map<string, number>;
}

const failureKeysMax = 100_000;
const witnessPageMax = 10_000;

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const state: State = {
    seed: options.seed ?? 1,
    run: options.run ?? randomBytes(5).toString("hex"),
    now: options.now ?? Date.now,
    log: options.log ?? (() => undefined),
    witness: new Witness(options.witnessRowsMax),
    cache: new PrefixCache(),
    kept: new KeptResponses(),
    failures: new Map(),
  };
  const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) =>
    collect(state, request, response, options.requestBytesMax ?? 64 * 1024 * 1024),
  );
  server.on("clientError", refuseConnection);
  const host = options.host ?? "127.0.0.1";
  await listen(server, options.port ?? 0, host);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    witness: state.witness,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Bytes that are no HTTP, or too many headers. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
  const body = errorBody("openai", 400, "The sandbox could not read this as HTTP.", null, "");
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function collect(state: State, request: IncomingMessage, response: ServerResponse, bytesMax: number): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let whole = false;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= bytesMax) chunks.push(chunk);
    else chunks.length = 0;
  });
  request.on("end", () => {
    whole = true;
    const first = chunks[0];
    const body = first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
    answer(state, request, response, bytes > bytesMax ? null : body);
  });
  request.on("close", () => {
    if (!whole) state.witness.unfinished();
  });
  request.on("error", () => undefined);
  response.on("error", () => undefined);
}

/** `body` is null when it was too large. */
function answer(state: State, request: IncomingMessage, response: ServerResponse, body: Buffer | null): void {
  const [path = "", query = ""] = (request.url ?? "").split("?", 2);
  if (path === "/witness" || path === "/witness/totals") {
    answerWitness(state, path, new URLSearchParams(query), response);
    return;
  }
  const row = state.witness.received(request.method ?? "", path, state.now());
  const requestId = `req_sbx${state.run}${row.n}`;
  const headers = ["x-request-id", requestId, "request-id", requestId, "x-sandbox-call", String(row.n)];
  const wire: Wire = { response, row, witness: state.witness, headers, now: state.now };
  response.on("close", () => {
    if (response.writableFinished || row.status === "cut" || row.status === "aborted") return;
    state.witness.ends(row, "aborted", state.now());
  });
  const wording: Wording = path.startsWith("/v1/messages") || request.headers["anthropic-version"] !== undefined ? "anthropic" : "openai";
  const refuse = (error: unknown): void => {
    // Walking or writing JSON that is nested too deeply runs out of stack: the request's fault.
    const deep = error instanceof RangeError ? new Refused("The request body is nested too deeply.") : null;
    const refused = error instanceof Refused ? error : deep;
    if (refused === null) state.log(`sandbox: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    const status = refused?.status ?? 500;
    const message = refused?.message ?? "The sandbox has a fault of its own; its log says more.";
    if (!response.headersSent) sendJson(wire, status, errorBody(wording, status, message, refused?.param ?? null, requestId), 0, false);
    else response.destroy();
  };
  try {
    const controls = parseHeaders(request.rawHeaders);
    row.client = controls.id ?? null;
    if (body === null) throw new Refused("The request body is too large.", null, 413);
    const done = route(state, wire, request.method ?? "", path, wording, body, controls);
    if (done !== undefined) done.catch(refuse);
  } catch (error) {
    refuse(error);
  }
}

function route(
  state: State,
  wire: Wire,
  method: string,
  path: string,
  wording: Wording,
  body: Buffer,
  controls: Readonly<Controls>,
): Promise<void> | undefined {
  const post = method === "POST";
  switch (path) {
    case "/v1/chat/completions":
      if (!post) break;
      return converse(state, wire, chat(parseBody(body)), controls, ["webSearches", "compaction"]);
    case "/v1/responses":
      if (!post) break;
      return converse(state, wire, responses(parseBody(body)), controls, ["audioInputTokens", "audioOutputTokens", "compaction"]);
    case "/v1/messages":
      if (!post) break;
      return converse(state, wire, messages(parseBody(body)), controls, ["audioInputTokens", "audioOutputTokens"]);
    case "/v1/embeddings":
      if (!post) break;
      return converse(state, wire, embeddings(parseBody(body)), controls, senseless);
    case "/v1/messages/count_tokens":
      if (!post) break;
      return countTokens(wire, parseMessages(parseBody(body)).promptBytes, controls, "");
    case "/v1/responses/input_tokens":
      if (!post) break;
      return countTokens(wire, parseResponses(parseBody(body)).promptBytes, controls, `"object":"response.input_tokens",`);
    case "/v1/models":
      if (method !== "GET") break;
      sendJson(wire, 200, listModels(wording), 0, false);
      return undefined;
    default:
      if (path.startsWith("/v1/models/") && method === "GET") {
        sendJson(wire, 200, JSON.stringify(toModelCard(path.slice(11), wording)), 0, false);
        return undefined;
      }
      if (path.startsWith("/v1/responses/")) return keptResponse(state, wire, method, path.slice(14));
      throw new Refused(`Unknown request URL: ${method} ${path}.`, null, 404);
  }
  throw new Refused(`Not allowed to ${method} on ${path}.`, null, 405);
}

/** One call to a model: fails, cuts, delays or answers as the controls say. */
function converse(
  state: State,
  wire: Wire,
  exchange: Exchange,
  headers: Readonly<Controls>,
  senselessControls: readonly (keyof Controls)[],
): Promise<void> | undefined {
  const { ask } = exchange;
  const { row, witness } = wire;
  const controls = ask.lastUser.includes("[[sandbox") ? parseDirectives(ask.lastUser, headers) : headers;
  row.client = controls.id ?? null;
  row.model = ask.model;
  row.streamed = ask.streamed;
  if (controls !== noControls) {
    refuseControls(controls, row.path, ...senselessControls);
    if (controls.fail !== undefined && failsNow(state, controls)) return fail(wire, exchange.wording, controls);
  }
  const nowMs = state.now();
  const id = `sbx${state.run}${row.n.toString(36).padStart(7, "0")}`;
  const serving = serve(ask, controls, { seed: state.seed, id, nowMs, timedWrites: exchange.timedWrites, cache: state.cache });
  row.responseId = exchange.idPrefix + id;
  const failed = serving.choices[0].finish === "failed";
  if (failed && exchange.failsAsError && !ask.streamed) return fail(wire, exchange.wording, { ...controls, fail: "500" });
  witness.serves(row, totalUsage(serving), serving.iterations.length === 0 ? null : serving.iterations, serving.claim);
  const tokens = serving.usage.output + serving.usage.reasoning + serving.usage.output_audio;
  const paceMs = (controls.delayMs ?? 0) + (controls.tokensPerSecond === undefined ? 0 : (tokens * 1000) / controls.tokensPerSecond);
  const { stored } = exchange;
  // Rendered once where it will be needed twice; never kept together with the request it answers.
  const whole = ask.streamed && stored === undefined ? "" : exchange.json(serving);
  if (stored !== undefined) {
    const later = stored.background || ask.streamed;
    state.kept.put(row.responseId, {
      call: row.n,
      background: stored.background,
      startMs: nowMs,
      readyMs: later ? nowMs + paceMs : nowMs,
      done: whole,
      pending: toPending(stored.pending, serving),
    });
    if (stored.background && !ask.streamed) {
      sendJson(wire, 200, stored.pending(serving, "queued"), 0, false);
      return undefined;
    }
  }
  if (ask.streamed) {
    const events = exchange.events(serving);
    if (!isPlain(controls)) return sendEventsPaced(wire, events, controls);
    sendEvents(wire, events);
    return undefined;
  }
  const usage = serving.claim !== "missing";
  if (!isPlain(controls)) return sendJsonPaced(wire, whole, tokens, usage, controls);
  sendJson(wire, 200, whole, tokens, usage);
  return undefined;
}

type Pending = NonNullable<Exchange["stored"]>["pending"];

/** Made apart, so that what is kept does not hold on to the request's body. */
function toPending(pending: Pending, serving: Serving): Kept["pending"] {
  return (reached) => pending(serving, reached);
}

function failsNow(state: State, controls: Readonly<Controls>): boolean {
  if (controls.failTimes === undefined) return true;
  const key = controls.failKey;
  if (key === undefined) throw new Refused("x-sandbox-fail-times needs an x-sandbox-fail-key to count by", "x-sandbox-fail-key");
  const times = state.failures.get(key) ?? 0;
  if (times >= controls.failTimes) return false;
  if (times === 0 && state.failures.size >= failureKeysMax) throw new Refused(`more than ${failureKeysMax} values of x-sandbox-fail-key`);
  state.failures.set(key, times + 1);
  return true;
}

async function fail(wire: Wire, wording: Wording, controls: Readonly<Controls>): Promise<void> {
  if (!(await sleep(wire.response, controls.delayMs ?? 0))) return;
  if (controls.fail === "connection-reset") {
    cut(wire, true);
    return;
  }
  const status = Number(controls.fail);
  const retry = controls.retryAfterS === undefined ? [] : ["retry-after", String(controls.retryAfterS)];
  const body = errorBody(wording, status, `The sandbox fails with ${status}, as it was asked to.`, null, wire.headers[1] ?? "");
  sendJson({ ...wire, headers: [...wire.headers, ...retry] }, status, body, 0, false);
}

function countTokens(wire: Wire, promptBytes: number, controls: Readonly<Controls>, more: string): Promise<void> | undefined {
  const tokens = controls.inputTokens ?? Math.max(1, Math.ceil(promptBytes / 4));
  const body = `{${more}"input_tokens":${tokens}}`;
  if (!isPlain(controls)) return sendJsonPaced(wire, body, 0, false, controls);
  sendJson(wire, 200, body, 0, false);
  return undefined;
}

/** GET, DELETE and cancel of a response by its id. */
function keptResponse(state: State, wire: Wire, method: string, rest: string): undefined {
  const [id = "", action] = rest.split("/", 2);
  wire.row.responseId = id;
  const absent = new Refused(`Response with id '${id.slice(0, 100)}' not found.`, null, 404);
  if (method === "GET" && action === undefined) {
    const text = state.kept.read(id, state.now());
    if (text === null) throw absent;
    sendJson(wire, 200, text, 0, false);
    return undefined;
  }
  if (method === "DELETE" && action === undefined) {
    if (!state.kept.remove(id)) throw absent;
    sendJson(wire, 200, JSON.stringify({ id, object: "response", deleted: true }), 0, false);
    return undefined;
  }
  if (method === "POST" && action === "cancel") {
    const outcome = state.kept.cancel(id, state.now());
    if (outcome === "absent") throw absent;
    if (outcome === "foreground") throw new Refused("Cannot cancel a synchronous response.");
    const row: WitnessedCall | undefined = outcome.changed === null ? undefined : state.witness.since(outcome.changed.call - 1, 1)[0];
    if (row !== undefined && row.n === outcome.changed?.call) state.witness.withdraws(row);
    sendJson(wire, 200, outcome.text, 0, false);
    return undefined;
  }
  throw new Refused(`Not allowed to ${method} on /v1/responses/${rest.slice(0, 100)}.`, null, 405);
}

/** `/witness?since=N&limit=N` and `/witness/totals`; these requests are no calls. */
function answerWitness(state: State, path: string, query: URLSearchParams, response: ServerResponse): void {
  const body =
    path === "/witness/totals"
      ? state.witness.totals
      : { calls: state.witness.since(toWhole(query.get("since"), 0), Math.min(witnessPageMax, toWhole(query.get("limit"), 1000))) };
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function toWhole(text: string | null, otherwise: number): number {
  return text !== null && /^\d{1,12}$/.test(text) ? Number(text) : otherwise;
}
