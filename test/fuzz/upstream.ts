// A provider that cannot be trusted: mutated answers of the right and of the wrong format, any status, lengths that lie, chunks that are none,
// broken compression, resets, silence. It writes bytes to sockets itself, since no server library would. It notes which requests reached it,
// by `x-fuzz-id`. Invariant: what it does to a request is a function of the seed and the request's id.

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import type { FormatName } from "../../src/providers/format.ts";
import { answerSeeds, type AnswerSeeds } from "./answers.ts";
import { dress, streamType } from "./dress.ts";
import { caseRandom, mutateBytes, mutateJson, mutateList, pieces, type Random } from "./mutate.ts";

export interface Upstream {
  readonly url: string;
  /** How often each id was seen. */
  readonly seen: ReadonlyMap<number, number>;
  readonly open: number;
  close(): Promise<void>;
}

/** @param formatOf whose answer a request with this id expects. */
export async function startUpstream(seed: number, formatOf: (id: number) => FormatName): Promise<Upstream> {
  const seen = new Map<number, number>();
  const sockets = new Set<Socket>();
  const answers = answerSeeds();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    let got = Buffer.alloc(0);
    let waits = 0;
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk) => {
      got = Buffer.concat([got, chunk]);
      const end = got.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = got.toString("latin1", 0, end);
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      if (waits === 0) {
        const id = /^x-fuzz-id: (\d+)/im.exec(head)?.[1];
        // What asks without an id is the gateway itself, after the fate of work that it was told of.
        if (id !== undefined) seen.set(Number(id), (seen.get(Number(id)) ?? 0) + 1);
        const random = caseRandom(seed, Number(id ?? 0));
        const format = id === undefined ? "unmetered" : formatOf(Number(id));
        waits = end + 4 + length;
        const answer = (): void => void act(socket, random, answers.get(format) as AnswerSeeds);
        // Some do not wait for the body.
        if (random.chance(0.03)) answer();
        else socket.once("whole", answer);
      }
      if (got.length < waits) return;
      got = got.subarray(waits);
      waits = 0;
      socket.emit("whole");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    get open() {
      return sockets.size;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

const statuses = [201, 204, 206, 301, 304, 400, 401, 404, 413, 429, 429, 500, 502, 503, 529, 599, 999];

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

/** An answer's body: of the right format mostly, mutated half of the time. */
function answerOf({ whole, streams }: AnswerSeeds, random: Random): Answer {
  const status = random.chance(0.75) ? 200 : random.pick(statuses);
  if (streams.length > 0 && random.chance(0.5)) {
    const stream = random.pick(streams);
    const events = random.chance(0.5) ? mutateList(stream.events, random, (text) => mutateJson(text, random)) : stream.events;
    const bytes = dress(stream.framing, events);
    return { status, type: streamType(stream), body: random.chance(0.3) ? mutateBytes(bytes, random) : bytes };
  }
  const text = random.pick(whole);
  const body = Buffer.from(random.chance(0.5) ? mutateJson(text, random) : text);
  return {
    status,
    type: random.chance(0.9) ? "application/json" : random.pick(["", "text/html", "audio/mpeg", "text/event-stream"]),
    body: random.chance(0.3) ? mutateBytes(body, random) : body,
  };
}

async function act(socket: Socket, random: Random, seeds: AnswerSeeds): Promise<void> {
  const { status, type, body: plain } = answerOf(seeds, random);
  const plan = random.next();
  if (plan < 0.02) return void socket.resetAndDestroy();
  if (plan < 0.03) return void socket.end();
  // Silence: the gateway's own limits end it.
  if (plan < 0.05) return;
  if (plan < 0.06)
    return void socket.end(
      random.pick(["garbage\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 200", "\0\0\0\0", "HTTP/1.1 abc OK\r\n\r\n"]),
    );
  const { body, encoding } = encode(plain, random);
  const headers = [`content-type: ${type}`, ...encoding, ...random.pick(odd)];
  if (random.chance(0.02)) headers.push(`x-long: ${"h".repeat(random.pick([20_000, 300_000]))}`);
  const start = `${random.pick(informational)}HTTP/1.1 ${status} ${random.pick(reasons)}\r\n`;
  const framing = random.next();
  const length =
    framing < 0.45
      ? body.length
      : framing < 0.5
        ? body.length + 1 + random.below(500)
        : framing < 0.53
          ? random.below(body.length + 1)
          : -1;
  if (length >= 0) {
    const head = Buffer.from(`${start}${headers.join("\r\n")}\r\ncontent-length: ${length}\r\n\r\n`, "latin1");
    const extra = random.chance(0.02) ? Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}") : empty;
    return send(socket, [head, ...pieces(body, random), extra], random, length > body.length);
  }
  if (framing < 0.6)
    return send(
      socket,
      [Buffer.from(`${start}${headers.join("\r\n")}\r\nconnection: close\r\n\r\n`, "latin1"), ...pieces(body, random)],
      random,
      true,
    );
  const broken = random.chance(0.08);
  const chunks = pieces(body, random)
    .filter((piece) => piece.length > 0)
    .map((piece) =>
      Buffer.concat([
        Buffer.from(
          `${broken && random.chance(0.3) ? random.pick(["zz", "-1", "ffffffffffffffffff", ""]) : piece.length.toString(16)}\r\n`,
        ),
        piece,
        Buffer.from("\r\n"),
      ]),
    );
  const last = Buffer.from(random.chance(0.1) ? "0\r\nx-trailer: 1\r\n\r\n" : "0\r\n\r\n");
  return send(
    socket,
    [
      Buffer.from(`${start}${headers.join("\r\n")}\r\ntransfer-encoding: chunked\r\n\r\n`, "latin1"),
      ...chunks,
      ...(random.chance(0.06) ? [] : [last]),
    ],
    random,
    broken,
  );
}

const empty = Buffer.alloc(0);
const reasons = ["OK", "", "Nö", "x".repeat(300)];
const informational = ["", "", "", "", "", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"];
const odd: readonly (readonly string[])[] = [
  [],
  [],
  [],
  ["x-request-id: req_1", "x-pennyworth-call: forged", "set-cookie: a=b", "set-cookie: c=d"],
  ["x-amzn-bedrock-input-token-count: 12", "x-amzn-bedrock-output-token-count: -5"],
  ["x-ratelimit-remaining: \xff\xfe", "trailer: x-trailer", "keep-alive: timeout=0"],
  ["connection: x-hop, close", "x-hop: 1", "retry-after: 99999999999"],
];

function encode(plain: Buffer, random: Random): { readonly body: Buffer; readonly encoding: readonly string[] } {
  if (random.chance(0.85)) return { body: plain, encoding: [] };
  const [name, pack] = random.pick([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["deflate", deflateSync],
    ["zstd", (bytes: Buffer) => bytes],
    ["gzip, br", (bytes: Buffer) => bytes],
  ] as const);
  const packed = pack(plain);
  return { body: random.chance(0.3) ? mutateBytes(packed, random) : packed, encoding: [`content-encoding: ${name}`] };
}

/** Sends the pieces, mostly at once; breaks off, stalls, or goes on. */
async function send(socket: Socket, parts: readonly Buffer[], random: Random, closes: boolean): Promise<void> {
  const until = random.chance(0.08) ? random.below(parts.length) : Infinity;
  const how = random.pick(["reset", "end", "stall"] as const);
  const slow = random.chance(0.05);
  for (const [index, part] of parts.entries()) {
    if (socket.destroyed) return;
    if (index === until) {
      if (how === "reset") socket.resetAndDestroy();
      else if (how === "end") socket.end();
      return;
    }
    if (part.length > 0) socket.write(part);
    if (slow && index < 20) await new Promise((resolve) => setTimeout(resolve, 10));
    else if (index < 8) await new Promise((resolve) => setImmediate(resolve));
  }
  if (closes) {
    if (random.chance(0.8)) socket.end();
    else if (random.chance(0.5)) socket.resetAndDestroy();
  }
}
