// One port for HTTP/1.1 and cleartext HTTP/2 (prior knowledge: RFC 9113, 3.3): a connection's first bytes say which it is. The AWS SDK speaks
// the second to any address of its own. Not here: what a request means; handlers see the same of both. Invariant: closing the server closes
// the connections of both.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { constants, createServer, Http2ServerResponse, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

export interface DoorLimits {
  readonly headerBytesMax: number;
  readonly requestMsMax: number;
}

/** How long a connection may be idle before its first byte, ms; and, of HTTP/2, between two requests. */
const firstByteMsMax = 30_000;
const idleMsMax = 65_000;
const streamsMax = 256;
/** MiB that one connection may have in flight: bodies with images are large. */
const sessionMemoryMax = 64;

/** How every connection of HTTP/2 begins; that of HTTP/1 with a method, none of which is called PRI. */
const preface = "PRI";

/** Headers of one connection, of which HTTP/2 knows none (RFC 9113, 8.2.2). */
const connectionHeaders = new Set(["connection", "http2-settings", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);

class Answer extends Http2ServerResponse {
  /** As of HTTP/1: status, reason, headers; a reason is not sent, and neither are headers of a connection. */
  override writeHead(status: number, ...rest: readonly unknown[]): this {
    const headers = rest.at(-1);
    // A provider's status that HTTP/2 does not know is still a failure.
    if (status > 599) return this.writeHead(502, headers);
    if (!Array.isArray(headers)) return super.writeHead(status, headers as never);
    const flat = headers as string[];
    const kept: string[] = [];
    for (let i = 0; i < flat.length; i += 2)
      if (!connectionHeaders.has((flat[i] as string).toLowerCase())) kept.push(flat[i] as string, flat[i + 1] as string);
    return super.writeHead(status, kept as never);
  }
}

/** Lets `server` take HTTP/2 as well. `timeout` answers a request whose body does not come. */
export function openDoor(
  server: Server,
  limits: DoorLimits,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  timeout: (response: ServerResponse) => void,
): void {
  const sessions = new Set<ServerHttp2Session>();
  const waiting = new Set<Socket>();
  const multiplexed = createServer(
    {
      Http2ServerResponse: Answer,
      maxSessionMemory: sessionMemoryMax,
      settings: { maxConcurrentStreams: streamsMax, maxHeaderListSize: limits.headerBytesMax },
    },
    (request, response) => {
      const late = setTimeout(() => timeout(response as unknown as ServerResponse), limits.requestMsMax);
      request.once("end", () => clearTimeout(late));
      response.once("close", () => clearTimeout(late));
      // A client that was answered before it has said all may never end its stream, and with it the connection (RFC 9113, 8.1).
      response.stream.once("finish", () => {
        if (!request.complete) response.stream.close(constants.NGHTTP2_NO_ERROR);
      });
      // The authority is what the request is for; a host beside it says nothing.
      request.headers.host = request.authority ?? request.headers.host;
      handle(request as unknown as IncomingMessage, response as unknown as ServerResponse);
    },
  );
  multiplexed.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
    session.setTimeout(idleMsMax, () => session.close());
  });

  const [plain] = server.listeners("connection") as [(this: Server, socket: Socket) => void];
  server.removeListener("connection", plain);
  server.on("connection", (socket: Socket) => {
    waiting.add(socket);
    const give = (first: string): void => {
      waiting.delete(socket);
      socket.setTimeout(0);
      socket.removeListener("error", ignore);
      if (first === preface) multiplexed.emit("connection", socket);
      else plain.call(server, socket);
    };
    socket.on("error", ignore);
    socket.once("close", () => waiting.delete(socket));
    socket.setTimeout(firstByteMsMax, () => socket.destroy());
    peek(socket, give);
  });

  const { closeIdleConnections, closeAllConnections } = server;
  server.closeIdleConnections = () => {
    closeIdleConnections.call(server);
    for (const socket of waiting) socket.destroy();
    for (const session of sessions) session.close();
  };
  server.closeAllConnections = () => {
    closeAllConnections.call(server);
    for (const socket of waiting) socket.destroy();
    for (const session of sessions) session.destroy();
  };
}

function ignore(): void {}

/** Tells the first three bytes of a connection, and leaves them in it; fewer, where they can be told by fewer. */
function peek(socket: Socket, tell: (first: string) => void, before: Buffer = Buffer.alloc(0)): void {
  const bytes = socket.read() as Buffer | null;
  const seen = bytes === null ? before : Buffer.concat([before, bytes]);
  const first = seen.toString("latin1", 0, preface.length);
  if (first.length < preface.length && preface.startsWith(first)) {
    socket.once("readable", () => peek(socket, tell, seen));
    return;
  }
  socket.unshift(seen);
  tell(first);
}
