// Puts answers on the wire: at once, or with the delays, rates, cuts and silences that were asked for, telling the witness of each byte.
// Not here: what the answer says. Invariant: what the witness counts as sent was handed to the socket, and a cut or closed answer stays so.

import type { ServerResponse } from "node:http";
import { constants, createGzip, gzipSync } from "node:zlib";
import type { Controls } from "./controls.ts";
import type { Event } from "./exchange.ts";
import type { Witness, WitnessedCall } from "./witness.ts";

export interface Wire {
  readonly response: ServerResponse;
  readonly row: WitnessedCall;
  readonly witness: Witness;
  /** Name, value, name, value …: on every answer of this call. */
  readonly headers: readonly string[];
  readonly now: () => number;
  readonly pace: Pace;
}

/** How time passes while an answer is written: as it does, unless a simulation has a clock of its own. */
export interface Pace {
  /** Milliseconds since any beginning; never goes back during an answer. */
  now(): number;
  /** Calls `act` once, so many milliseconds later. @returns what keeps it from being called. */
  after(ms: number, act: () => void): () => void;
}

export const realPace: Pace = {
  now: () => performance.now(),
  after: (ms, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
};

/** Above this, a stream is written in portions, waiting for the client to read. */
const portionBytes = 256 * 1024;

const json = "application/json";
const eventStream = "text/event-stream; charset=utf-8";

export function isPlain(controls: Readonly<Controls>): boolean {
  return (
    controls.delayMs === undefined &&
    controls.tokensPerSecond === undefined &&
    controls.cutAfter === undefined &&
    controls.silence === undefined &&
    controls.compress === undefined
  );
}

/** A whole answer, now. `tokens`: output tokens in it. */
export function sendJson(wire: Wire, status: number, body: string, tokens: number, usage: boolean, type = json): void {
  const { response, row, witness } = wire;
  if (response.closed || response.destroyed) return;
  const encoding = encodingOf(type);
  const bytes = Buffer.byteLength(body, encoding);
  response.writeHead(status, [...wire.headers, "content-type", type, "content-length", String(bytes)]);
  witness.answersWith(row, status);
  witness.sent(row, bytes, 0, tokens);
  row.usageSent = usage;
  response.end(body, encoding);
  witness.ends(row, "answered", wire.now());
}

/** A stream without any wishes for its pace. */
export function sendEvents(wire: Wire, events: readonly Event[], type = eventStream): void {
  let whole = "";
  for (const event of events) whole += event.text;
  if (whole.length > portionBytes) {
    void sendEventsPaced(wire, events, {}, type);
    return;
  }
  const { response, row, witness } = wire;
  if (response.closed || response.destroyed) return;
  startStream(wire, type, []);
  const encoding = encodingOf(type);
  witness.sent(row, Buffer.byteLength(whole, encoding), events.length, sumTokens(events));
  row.usageSent = events.some((event) => event.usage);
  response.end(whole, encoding);
  witness.ends(row, "answered", wire.now());
}

/** Texts are UTF-8; of what is no text, each character is a byte. */
function encodingOf(type: string): "utf8" | "latin1" {
  return /^text\/|jsonl?\b/.test(type) ? "utf8" : "latin1";
}

/** A whole answer with delay, rate, cut, silence or compression. A rate makes it wait as long as writing the tokens would take. */
export async function sendJsonPaced(
  wire: Wire,
  body: string,
  tokens: number,
  usage: boolean,
  controls: Readonly<Controls>,
  type = json,
): Promise<void> {
  const { response, row, witness } = wire;
  const writingMs = controls.tokensPerSecond === undefined ? 0 : (tokens * 1000) / controls.tokensPerSecond;
  if (!(await sleep(wire, (controls.delayMs ?? 0) + writingMs))) return;
  if (controls.silence === 0) return;
  const plain = Buffer.from(body, encodingOf(type));
  const bytes = controls.compress === "gzip" ? gzipSync(plain) : plain;
  const encoding = controls.compress === "gzip" ? ["content-encoding", "gzip"] : [];
  response.writeHead(200, [...wire.headers, ...encoding, "content-type", type, "content-length", String(bytes.length)]);
  witness.answersWith(row, 200);
  if (controls.cutAfter === undefined && controls.silence === undefined) {
    witness.sent(row, bytes.length, 0, tokens);
    row.usageSent = usage;
    response.end(bytes);
    witness.ends(row, "answered", wire.now());
    return;
  }
  const half = (controls.cutAfter ?? 1) === 0 ? bytes.subarray(0, 0) : bytes.subarray(0, Math.floor(bytes.length / 2));
  response.flushHeaders();
  witness.sent(row, half.length, 0, 0);
  if (!(await write(response, half))) return;
  if (controls.cutAfter !== undefined) cut(wire);
}

/** A stream with delay, rate, cut, silence or compression. */
export async function sendEventsPaced(
  wire: Wire,
  events: readonly Event[],
  controls: Readonly<Controls>,
  type = eventStream,
): Promise<void> {
  const { response, row, witness, pace } = wire;
  if (!(await sleep(wire, controls.delayMs ?? 0))) return;
  if (controls.silence === 0) return;
  startStream(wire, type, controls.compress === "gzip" ? ["content-encoding", "gzip"] : []);
  response.flushHeaders();
  const encoding = encodingOf(type);
  const sink = controls.compress === "gzip" ? gzipSink(wire, encoding) : plainSink(wire, encoding);
  const until = Math.min(events.length, controls.cutAfter ?? events.length, controls.silence ?? events.length);
  const perMs = (controls.tokensPerSecond ?? Number.POSITIVE_INFINITY) / 1000;
  const started = pace.now();
  let dueMs = 0;
  let next = 0;
  while (next < until) {
    // All events that are due go in one write.
    let text = "";
    const from = next;
    for (; next < until && text.length < portionBytes; next += 1) {
      const event = events[next];
      if (event === undefined) break;
      const eventDueMs = dueMs + event.tokens / perMs;
      if (text !== "" && started + eventDueMs > pace.now()) break;
      dueMs = eventDueMs;
      text += event.text;
      if (started + dueMs > pace.now()) {
        next += 1;
        break;
      }
    }
    if (!(await sleep(wire, started + dueMs - pace.now()))) return;
    const portion = events.slice(from, next);
    witness.sent(row, 0, portion.length, sumTokens(portion));
    row.usageSent ||= portion.some((event) => event.usage);
    if (!(await sink.write(text))) return;
  }
  if (controls.cutAfter !== undefined && until === Math.min(events.length, controls.cutAfter)) cut(wire);
  else if (controls.silence === undefined) {
    await sink.end();
    if (!response.destroyed) witness.ends(row, "answered", wire.now());
  }
}

/** Breaks the connection off; `reset` with an RST, as when a provider's host dies. */
export function cut(wire: Wire, reset = false): void {
  wire.witness.ends(wire.row, "cut", wire.now());
  if (reset) wire.response.socket?.resetAndDestroy();
  else wire.response.socket?.destroy();
}

/** Waits, unless the connection closes first. @returns whether it is still open. */
export function sleep({ response, pace }: Pick<Wire, "response" | "pace">, ms: number): Promise<boolean> {
  if (response.destroyed || response.closed) return Promise.resolve(false);
  if (ms <= 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const finish = (open: boolean) => () => {
      forget();
      response.off("close", onClose);
      resolve(open);
    };
    const onClose = finish(false);
    const forget = pace.after(ms, finish(true));
    response.on("close", onClose);
  });
}

function startStream(wire: Wire, type: string, further: readonly string[]): void {
  wire.response.writeHead(200, [...wire.headers, ...further, "content-type", type, "cache-control", "no-cache"]);
  wire.witness.answersWith(wire.row, 200);
}

interface Sink {
  /** @returns whether the connection is still open. */
  write(text: string): Promise<boolean>;
  end(): Promise<void>;
}

function plainSink(wire: Wire, encoding: BufferEncoding): Sink {
  return {
    write: (text) => {
      const bytes = Buffer.from(text, encoding);
      wire.witness.sent(wire.row, bytes.length, 0, 0);
      return write(wire.response, bytes);
    },
    end: async () => void wire.response.end(),
  };
}

/** One gzip stream, flushed after each write, so that every event can be read as it comes. */
function gzipSink(wire: Wire, encoding: BufferEncoding): Sink {
  const gzip = createGzip();
  const out = (): Promise<boolean> => {
    const bytes = gzip.read() as Buffer | null;
    if (bytes === null) return Promise.resolve(!wire.response.destroyed);
    wire.witness.sent(wire.row, bytes.length, 0, 0);
    return write(wire.response, bytes);
  };
  return {
    write: async (text) => {
      gzip.write(text, encoding);
      await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve));
      return out();
    },
    end: async () => {
      await new Promise<void>((resolve) => {
        gzip.once("readable", resolve);
        gzip.end();
      });
      await out();
      wire.response.end();
    },
  };
}

/** Resolves when the bytes are with the kernel: a cut must not take back what was said to be sent. */
function write(response: ServerResponse, bytes: Buffer): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  if (bytes.length === 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    response.write(bytes, (error) => resolve(error === null || error === undefined));
  });
}

function sumTokens(events: readonly Event[]): number {
  let tokens = 0;
  for (const event of events) tokens += event.tokens;
  return tokens;
}
