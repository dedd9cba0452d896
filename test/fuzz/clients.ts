// Clients that cannot be trusted: mutated requests to every path that is served, pipelined on HTTP/1.1 connections and at once on HTTP/2 ones,
// with lengths that lie and ends at any moment. Invariant: what a client does is a function of the seed and its number; each connection is
// closed in the end, or named as stuck.

import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { apis, type EndpointKind } from "../../src/providers/api.ts";
import { type FormatName, formatNames } from "../../src/providers/format.ts";
import { caseRandom, mutateBytes, mutateJson, type Random } from "./mutate.ts";
import { requestSeeds } from "./requests.ts";

export interface Ask {
  readonly id: number;
  /** `unmetered` too: on record, unread. */
  readonly kind: EndpointKind | "unmetered";
  readonly format: FormatName;
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
}

/** What came of one connection. */
export interface Visit {
  /** What was asked, when it had not ended as its time was over; else null. */
  readonly stuck: string | null;
  /** Bytes that came back, as latin1; of HTTP/2 the bodies. */
  readonly text: string;
}

/** Whether Pennyworth writes a call for it. */
export function isCall({ kind }: Ask): boolean {
  return kind === "metered" || kind === "unmetered";
}

const bodies = formatNames.flatMap((format) => requestSeeds[format].map(({ body }) => body));
const endpoints = apis.flatMap((api) => api.endpoints.filter(({ kind }) => kind !== "metered"));
const visitMsMax = 60_000;

export function makeAsk(seed: number, id: number): Ask {
  const random = caseRandom(seed ^ 0x5eed, id);
  const to = random.pick(["/to/hostile", "/to/hostile", "/to/cancelled"]);
  if (random.chance(0.1)) {
    const { kind, method, pattern, format } = random.pick(endpoints);
    return {
      id,
      kind,
      format,
      method,
      path: to + sampleOf(pattern),
      type: "application/json",
      body: method === "GET" || method === "HEAD" ? Buffer.alloc(0) : Buffer.from(random.pick(bodies)),
    };
  }
  const format = random.pick(formatNames);
  const { path, type, body: plain } = random.pick(requestSeeds[format]);
  let body = plain;
  if (type === "application/json" && random.chance(0.3)) body = Buffer.from(mutateJson(body.toString(), random));
  if (random.chance(0.2)) body = mutateBytes(body, random, bodies);
  // A route tries again, and elsewhere.
  const routed = format === "openai-chat" && random.chance(0.3);
  if (routed) body = Buffer.from('{"model":"retried","messages":[{"role":"user","content":"hi"}]}');
  return {
    id,
    kind: format === "unmetered" ? "unmetered" : "metered",
    format,
    method: "POST",
    path: routed ? "/v1/chat/completions" : to + path,
    type,
    body,
  };
}

/** A path that a pattern of api.ts matches. */
function sampleOf(pattern: RegExp): string {
  const path = pattern.source
    .replace(/^\^|\$$/g, "")
    .replaceAll("\\/", "/")
    .replaceAll("(?<model>[^/]+)", "m")
    .replaceAll("[^/]+", "x1")
    .replaceAll(/\(\?:projects[^)]*\)\?/g, "")
    .replaceAll("(?:beta|alpha)?", "beta");
  const plain = innermost(innermost(path));
  if (!pattern.test(plain)) throw new Error(`${plain} is not what ${pattern.source} matches`);
  return plain;
}

/** Of groups without groups inside: nothing where they may be absent, else the first of what they offer. */
function innermost(path: string): string {
  return path.replaceAll(/\((?:\?:)?([^()]*)\)([?*])?/g, (_whole, inside: string, absent?: string) =>
    absent === undefined ? (inside.split("|")[0] as string) : "",
  );
}

function head(ask: Ask, random: Random): string[] {
  return [
    ["host", "127.0.0.1"],
    ["content-type", ask.type],
    ["x-fuzz-id", String(ask.id)],
    ["x-pennyworth-tags", `fuzz=${ask.id}`],
    ...(random.chance(0.1) ? [["traceparent", random.pick(["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "zz"])]] : []),
    ...(random.chance(0.1) ? [["x-stainless-retry-count", random.pick(["1", "-1", "x", "99999"])]] : []),
    ...(random.chance(0.05) ? [["baggage", "pennyworth.customer=Ada,other=1,%%"]] : []),
    ...(random.chance(0.05) ? [["expect", "100-continue"]] : []),
  ].map(([name, value]) => `${name}: ${value}`);
}

/** Some requests in a row on one connection, not waiting for answers. */
export function visit(url: string, seed: number, number: number, asks: readonly Ask[]): Promise<Visit> {
  const random = caseRandom(seed ^ 0xc11e, number);
  return random.chance(0.3) ? visitHttp2(url, random, asks) : visitHttp1(url, random, asks);
}

function visitHttp1(url: string, random: Random, asks: readonly Ask[]): Promise<Visit> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const came: Buffer[] = [];
    let pauses = 2;
    const timer = setTimeout(() => finish(true), visitMsMax);
    const finish = (stuck: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      const text = Buffer.concat(came).toString("latin1");
      resolve({ stuck: stuck ? `HTTP/1.1 ${named(asks)}, heard ${JSON.stringify(text.slice(-200))}` : null, text });
    };
    socket.on("error", () => {});
    socket.on("close", () => finish(false));
    socket.on("data", (chunk) => {
      came.push(chunk);
      if (pauses > 0 && random.chance(0.02)) {
        pauses--;
        pauseFor(socket, random.below(600));
      }
    });
    void (async () => {
      for (const [index, ask] of asks.entries()) {
        socket.write(requestBytes(ask, index === asks.length - 1, random));
        if (random.chance(0.3)) await delay(random.below(8));
      }
      if (!random.chance(0.15)) return;
      await delay(random.below(random.chance(0.5) ? 5 : 250));
      if (random.chance(0.4)) socket.resetAndDestroy();
      else if (random.chance(0.5)) socket.destroy();
      else socket.end();
    })();
  });
}

function requestBytes(ask: Ask, isLast: boolean, random: Random): Buffer {
  const { body } = ask;
  const lines = [`${ask.method} ${ask.path} HTTP/1.1`, ...head(ask, random), ...(isLast ? ["connection: close"] : [])];
  const framing = random.next();
  const start = (line: string): Buffer => Buffer.from(`${[...lines, line].join("\r\n")}\r\n\r\n`, "latin1");
  if (framing < 0.8) return Buffer.concat([start(`content-length: ${body.length}`), body]);
  if (framing < 0.83) return Buffer.concat([start(`content-length: ${body.length + 1 + random.below(99)}`), body]);
  if (framing < 0.86) return Buffer.concat([start(`content-length: ${random.below(body.length + 1)}`), body]);
  const size = (piece: Buffer): string => (framing > 0.97 ? "zz" : piece.length.toString(16));
  const half = body.length >> 1;
  const chunks = [body.subarray(0, half), body.subarray(half)].filter((piece) => piece.length > 0);
  return Buffer.concat([
    start("transfer-encoding: chunked"),
    ...chunks.flatMap((piece) => [Buffer.from(`${size(piece)}\r\n`), piece, Buffer.from("\r\n")]),
    Buffer.from("0\r\n\r\n"),
  ]);
}

function visitHttp2(url: string, random: Random, asks: readonly Ask[]): Promise<Visit> {
  return new Promise((resolve) => {
    const session: ClientHttp2Session = connectHttp2(url);
    const came: string[] = [];
    let open = asks.length;
    const timer = setTimeout(() => finish(true), visitMsMax);
    const finish = (stuck: boolean): void => {
      clearTimeout(timer);
      session.destroy();
      resolve({ stuck: stuck ? `HTTP/2 ${named(asks)}, ${open} open` : null, text: came.join("") });
    };
    session.on("error", () => {});
    session.on("close", () => finish(false));
    for (const ask of asks) {
      const headers = Object.fromEntries(
        head(ask, random)
          .slice(1)
          .map((line) => line.split(": ") as [string, string]),
      );
      delete headers["expect"];
      const stream = session.request({ ":method": ask.method, ":path": ask.path, ...headers });
      stream.on("error", () => {});
      stream.on("data", (chunk: Buffer) => came.push(chunk.toString("latin1")));
      stream.on("close", () => {
        open--;
        if (open === 0) session.close();
      });
      // One that never ends its body is told so in time.
      if (random.chance(0.03)) stream.write(ask.body);
      else stream.end(ask.body);
      if (random.chance(0.1)) setTimeout(() => stream.close(random.pick([0, 2, 8])), random.below(200));
    }
    if (random.chance(0.07)) setTimeout(() => session.destroy(), random.below(200));
  });
}

function named(asks: readonly Ask[]): string {
  return asks.map(({ id, method, path }) => `${id} ${method} ${path}`).join("; ");
}

function pauseFor(socket: Socket, ms: number): void {
  socket.pause();
  setTimeout(() => socket.resume(), ms);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
