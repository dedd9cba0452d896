// The one port: keeps foreign hosts and web origins out, refuses what cannot be served, and hands each request to the data plane or to
// the control plane. Invariant: whatever arrives gets an answer or a closed connection, never a crash.

import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Settings } from "../config.ts";
import { PennyworthError } from "../error.ts";
import { openDoor } from "./door.ts";
import { type Gateway, refuse } from "./gateway.ts";
import { toAnswer } from "./refusal.ts";

export type Control = (request: IncomingMessage, response: ServerResponse) => unknown;

const loopback = new Set(["127.0.0.1", "localhost", "[::1]", "::1"]);

/** Paths of the data plane; everything else is the control plane's. */
const dataPaths = /^\/(v1|v1beta|v1alpha|v1beta1|v2|to|openai|model|api(?!\/v1\/|\/v1$))\//;

/** Telemetry's own paths, which are no model's: the control plane takes what it can use of them. */
const telemetryPaths = /^\/v1\/(logs|traces)$/;

export function openServer(settings: Settings, gateway: Gateway, control: Control): Server {
  const { limits } = settings;
  const hosts = new Set([...loopback, settings.server.host.toLowerCase(), ...settings.server.hosts.map((host) => host.toLowerCase())]);
  const origins = new Set(settings.server.origins);

  /** What is under way on a connection: once its head is out, nothing else may be written there. */
  const answering = new WeakMap<Socket, ServerResponse>();
  const refuseSocket = (socket: Socket, error: PennyworthError): void => {
    if (socket.writable && answering.get(socket)?.headersSent !== true) socket.end(toBytes(error));
    else socket.destroy();
    socket.on("error", () => socket.destroy());
  };

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    answering.set(request.socket, response);
    response.once("close", () => answering.delete(request.socket));
    const problem = findForeign(request, hosts, origins);
    if (problem !== null) {
      refuse(response, problem, false);
      return;
    }
    if (request.headers.upgrade?.toLowerCase() === "websocket") {
      refuse(response, new PennyworthError("upgrade_unsupported"), false);
      return;
    }
    const url = request.url as string;
    const query = url.indexOf("?");
    const path = query < 0 ? url : url.slice(0, query);
    if (dataPaths.test(path) && !telemetryPaths.test(path)) void gateway.handle(request, response, path);
    else control(request, response);
  };

  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      requestTimeout: limits.requestMsMax,
      headersTimeout: Math.min(limits.requestMsMax, 30_000),
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 1_000,
    },
    handle,
  );
  openDoor(server, limits, handle, (response) =>
    refuse(response, new PennyworthError("request_timeout", { limit: limits.requestMsMax }), false),
  );
  // No listener for `upgrade`: a client that only offers another protocol is answered in this one (RFC 9110, 7.8).
  server.on("connect", (_request: IncomingMessage, socket: Socket) => refuseSocket(socket, new PennyworthError("upgrade_unsupported")));
  server.on("clientError", (error: Error & { code?: string }, socket: Socket) => {
    const known =
      error.code === "HPE_HEADER_OVERFLOW"
        ? new PennyworthError("headers_too_large", { limit: limits.headerBytesMax })
        : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
          ? new PennyworthError("request_timeout", { limit: limits.requestMsMax })
          : new PennyworthError("request_malformed", { detail: `not an HTTP/1.1 request (${error.code ?? error.message})` });
    refuseSocket(socket, known);
  });
  return server;
}

/** @returns its address. @throws PennyworthError `config_invalid` where it cannot listen. */
export function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: Error & { code?: string }) => {
      const detail =
        cause.code === "EADDRINUSE" ? `port ${port} on ${host} is in use; take another with --port, or 0 for a free one` : cause.message;
      reject(new PennyworthError("config_invalid", { detail }, cause));
    });
    server.listen(port, host, () => {
      const address = server.address() as AddressInfo;
      resolve(`http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`);
    });
  });
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) resolve();
    else server.close(() => resolve());
  });
}

/** DNS rebinding and cross-site requests: a browser's page elsewhere must not reach a server on loopback. */
function findForeign(request: IncomingMessage, hosts: ReadonlySet<string>, origins: ReadonlySet<string>): PennyworthError | null {
  const host = request.headers.host ?? "";
  const name = host.replace(/:\d+$/, "").toLowerCase();
  if (!hosts.has(name)) return new PennyworthError("host_foreign", { host: JSON.stringify(host) });
  const origin = request.headers.origin;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}` && !origins.has(origin)) {
    return new PennyworthError("origin_foreign", { origin: JSON.stringify(origin) });
  }
  return null;
}

/** An answer written without Node's help, for what never became a request. */
function toBytes(error: PennyworthError): Buffer {
  const { headers, body } = toAnswer(error, false, null);
  const lines = [`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ""}`];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]);
}
