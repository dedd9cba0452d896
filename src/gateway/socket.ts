// Connections to providers that end while a slow client keeps their answer waiting: undici 7 ends the process on it (nodejs/undici issue 5360;
// mended in 8, which needs Node 22). The reader is let go on before undici hears of the end. Not here: what the end means (attempt.ts).
// Invariant: on a connection whose reader is not paused, nothing is changed.

import type { Socket } from "node:net";
import { buildConnector } from "undici";

/** undici's own reader of one connection, as far as it is touched. */
interface Parser {
  paused: boolean;
  resume(): void;
  readonly ptr: number;
  readonly llhttp: { llhttp_resume(parser: number): void };
}

/** Opens connections as undici does. @param timeoutMs the longest it may take. */
export function openConnector(timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs });
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (socket === null || error !== null) return callback(error as Error, null);
      steady(socket);
      callback(null, socket);
    });
}

function steady(socket: Socket): void {
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...rest: readonly unknown[]) => boolean;
  socket.emit = (event: string | symbol, ...rest: readonly unknown[]): boolean => {
    if (event === "end" || event === "error" || event === "close") letGo(socket, event);
    return emit(event, ...rest);
  };
}

function letGo(socket: Socket, event: string): void {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === "parser");
  const parser = symbol === undefined ? null : (socket as unknown as Readonly<Record<symbol, Parser | null>>)[symbol];
  if (parser?.paused !== true) return;
  // All has been read by now but for what the parser holds: it goes on to the answer's own end, if that has come.
  if (event === "end") parser.resume();
  // Paused again, it takes the connection's end for the answer's own where that is how it ends. One that is destroyed cannot be read on: broken off.
  if (event === "end" && parser.paused) parser.llhttp.llhttp_resume(parser.ptr);
  parser.paused = false;
}
