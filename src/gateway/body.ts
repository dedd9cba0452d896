// Reads a request's body whole, within its limit of size: routing, holding and attribution need it before a byte goes upstream.
// Not here: the limit of time, which the server keeps for every request (server.ts).

import type { IncomingMessage } from "node:http";
import { PennyworthError } from "../error.ts";

/**
 * @returns null when the client went away before its body was complete.
 * @throws PennyworthError `request_too_large`.
 */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | null> {
  if (Number(request.headers["content-length"]) > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) chunks.push(chunk);
      else {
        request.pause();
        reject(tooLarge(bytesMax));
      }
    });
    request.on("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes)));
    request.on("close", () => resolve(null));
    request.on("error", () => resolve(null));
  });
}

function tooLarge(limit: number): PennyworthError {
  return new PennyworthError("request_too_large", { limit });
}
