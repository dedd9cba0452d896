// Reads a request's body whole, within limits of size and time: routing, holding and attribution need it before a byte goes upstream.

import type { IncomingMessage } from "node:http";
import { PennyworthError } from "../error.ts";

export interface BodyLimits {
  readonly requestBytesMax: number;
  readonly requestMsMax: number;
}

/**
 * @returns null when the client went away before its body was complete.
 * @throws PennyworthError `request_too_large`, `request_timeout`.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer | null> {
  const declared = Number(request.headers["content-length"]);
  if (declared > limits.requestBytesMax) {
    return Promise.reject(new PennyworthError("request_too_large", { limit: limits.requestBytesMax }));
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => fail(new PennyworthError("request_timeout", { limit: limits.requestMsMax })), limits.requestMsMax);
    const stop = (): void => {
      clearTimeout(timer);
      request.off("data", onData).off("end", onEnd).off("close", onClose);
    };
    const fail = (error: PennyworthError): void => {
      stop();
      request.pause();
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limits.requestBytesMax) fail(new PennyworthError("request_too_large", { limit: limits.requestBytesMax }));
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      stop();
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes));
    };
    const onClose = (): void => {
      stop();
      resolve(null);
    };
    request.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
  });
}
