// The client's side of an exchange: writes with backpressure, and knows when the client has gone away or has stopped reading.

import type { ServerResponse } from "node:http";
import { constants, type Http2ServerResponse } from "node:http2";

/** What Node takes for a reason phrase; another one is left out, since it says nothing that the status does not. */
const reasonShape = /^[\t\x20-\x7e\x80-\xff]+$/;

export class Client {
  readonly #response: ServerResponse;
  readonly #silenceMsMax: number;
  #gone = false;
  #finished = false;
  #onGone: (() => void) | null = null;
  #stalled: NodeJS.Timeout | null = null;

  constructor(response: ServerResponse, silenceMsMax: number) {
    this.#response = response;
    this.#silenceMsMax = silenceMsMax;
    response.on("close", () => this.#leave());
    response.on("error", () => {});
    // Of an answer that waits behind others on its connection (pipelining), Node does not say that the connection has gone.
    const { req: request } = response;
    if (request.httpVersionMajor > 1) return;
    const leave = (): void => this.#leave();
    request.socket.setMaxListeners(0).once("close", leave);
    response.once("close", () => request.socket.removeListener("close", leave));
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** It has its answer, was cut off, or has gone. */
  get over(): boolean {
    return this.#finished || this.#gone;
  }

  get headSent(): boolean {
    return this.#response.headersSent;
  }

  /** Calls `listener` once when the client goes away before the answer is complete. */
  onGone(listener: () => void): void {
    this.#onGone = listener;
  }

  head(status: number, reason: string | undefined, headers: readonly string[]): void {
    if (this.#gone) return;
    if (reason === undefined || !reasonShape.test(reason)) this.#response.writeHead(status, headers as string[]);
    else this.#response.writeHead(status, reason, headers as string[]);
  }

  /** @returns false when the client's buffer is full: pause until `resume` is called. */
  write(bytes: Buffer, resume: () => void): boolean {
    if (this.#gone) return true;
    if (this.#response.write(bytes)) return true;
    if (this.#stalled === null) {
      this.#watch();
      this.#response.once("drain", () => {
        this.#clear();
        resume();
      });
    }
    return false;
  }

  end(bytes?: Buffer): void {
    if (this.#gone) return;
    this.#finished = true;
    if (bytes === undefined) this.#response.end();
    else this.#response.end(bytes);
    if (!this.#response.writableFinished) {
      this.#watch();
      this.#response.once("finish", () => this.#clear());
    }
  }

  /** Breaks the answer off, so that a client does not take it for complete. */
  cut(): void {
    this.#finished = true;
    this.#breakOff();
  }

  #breakOff(): void {
    // Of HTTP/2: a stream that is merely destroyed ends as one that is complete.
    const stream = (this.#response as unknown as Partial<Http2ServerResponse>).stream;
    if (stream === undefined) this.#response.destroy();
    else stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  #leave(): void {
    this.#clear();
    if (this.#finished || this.#gone) return;
    this.#gone = true;
    this.#onGone?.();
  }

  /** A client that stops reading is as good as gone; its answer must not be held for ever. */
  #watch(): void {
    this.#stalled ??= setTimeout(() => {
      this.#breakOff();
      // One that was waiting for its turn on the connection is told nothing.
      if (this.#response.socket === null) this.#leave();
    }, this.#silenceMsMax);
  }

  #clear(): void {
    if (this.#stalled !== null) clearTimeout(this.#stalled);
    this.#stalled = null;
  }
}
