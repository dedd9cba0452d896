// The sandbox provider: a real HTTP server that speaks OpenAI's and Anthropic's formats, deterministic by seed. For demo, rehearsal, tests.
// It shares no code with providers/ or core/, so that what its witness says is testimony and not an echo.
// Invariant: no request can crash it, and each whole request is in the witness before its answer begins.

import { randomBytes } from "node:crypto";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { PrefixCache } from "./cache.ts";
import { Caches } from "./caches.ts";
import type { State } from "./call.ts";
import { parseHeaders } from "./controls.ts";
import { toCallId } from "./converse.ts";
import { Batches } from "./inlined.ts";
import { KeptResponses } from "./kept.ts";
import { findPath, toWording } from "./paths.ts";
import { Refused, type Wording, errorBody, errorHeaders } from "./refused.ts";
import { type AwsKeys, type Signed, toCredential } from "./signature.ts";
import { type Pace, type Wire, realPace, sendJson } from "./wire.ts";
import { Witness } from "./witness.ts";
import { Work } from "./work.ts";

export interface SandboxOptions {
  /** 0 takes a free one. */
  readonly port?: number;
  readonly host?: string;
  /** Equal seeds give equal answers to equal requests. */
  readonly seed?: number;
  /** Part of every id, so that ids of different runs never meet; random unless given. */
  readonly run?: string;
  readonly witnessRowsMax?: number;
  /** Requests to Amazon must be signed with these keys, or carry a bearer's; unless given, any will do. */
  readonly aws?: AwsKeys;
  readonly requestBytesMax?: number;
  readonly now?: () => number;
  /** For a simulation: how time passes while answers are written. */
  readonly pace?: Pace;
  readonly log?: (line: string) => void;
}

export interface Sandbox {
  /** `http://host:port`, without a slash at its end. */
  readonly url: string;
  readonly witness: Witness;
  /** Ends all connections, also those that are kept silent. */
  close(): Promise<void>;
}

const witnessPageMax = 10_000;

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const state: State = {
    seed: options.seed ?? 1,
    run: options.run ?? randomBytes(5).toString("hex"),
    now: options.now ?? Date.now,
    pace: options.pace ?? realPace,
    log: options.log ?? (() => undefined),
    witness: new Witness(options.witnessRowsMax),
    cache: new PrefixCache(),
    kept: new KeptResponses(),
    caches: new Caches(),
    inlined: new Batches(),
    failures: new Map(),
    work: new Work(),
    aws: options.aws ?? null,
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
  const wording = wordingOf(path, query, request);
  const own = ["x-request-id", requestId, "request-id", requestId, "x-sandbox-call", String(row.n)];
  if (wording === "aws") own.push("x-amzn-requestid", toCallId(state, row.n));
  const wire: Wire = { response, row, witness: state.witness, headers: own, now: state.now, pace: state.pace };
  response.on("close", () => {
    if (response.writableFinished || row.status === "cut" || row.status === "aborted") return;
    state.witness.ends(row, "aborted", state.now());
  });
  const refuse = (error: unknown): void => {
    // Walking or writing JSON that is nested too deeply runs out of stack: the request's fault.
    const deep = error instanceof RangeError ? new Refused("The request body is nested too deeply.") : null;
    const refused = error instanceof Refused ? error : deep;
    if (refused === null) state.log(`sandbox: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    const status = refused?.status ?? 500;
    const message = refused?.message ?? "The sandbox has a fault of its own; its log says more.";
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const failing = { ...wire, headers: [...own, ...errorHeaders(wording, status, refused?.type)] };
    sendJson(failing, status, errorBody(wording, status, message, refused?.param ?? null, requestId), 0, false);
  };
  try {
    const controls = parseHeaders(request.rawHeaders);
    row.client = controls.id ?? null;
    if (body === null) throw new Refused("The request body is too large.", null, 413);
    const { method = "", headers } = request;
    const signed: Signed = { method, url: request.url ?? "", headers, body };
    row.credential = toCredential(signed, state.aws);
    const found = findPath(method, path);
    if (found instanceof Refused) throw found;
    const { parts } = found;
    const done = found.path.answer({
      state,
      wire,
      method,
      path,
      parts,
      query: new URLSearchParams(query),
      headers,
      body,
      signed,
      controls,
      wording,
    });
    if (done !== undefined) done.catch(refuse);
  } catch (error) {
    refuse(error);
  }
}

/** OpenAI's and Anthropic's paths meet in /v1/models: there the client says whose it is. Google's streamed arrays have their errors in one. */
function wordingOf(path: string, query: string, request: IncomingMessage): Wording {
  const wording = toWording(path);
  if (wording === "google" && path.endsWith(":streamGenerateContent") && !query.includes("alt=sse")) return "google-list";
  return wording === "openai" && request.headers["anthropic-version"] !== undefined ? "anthropic" : wording;
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
