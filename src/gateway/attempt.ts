// One try: a request to one provider, and its answer passed on as it comes. Tells its owner when the head is there, when the answer is
// complete but for its held last bytes, and how it ended. Knows no journal and no price. Nothing but the held bytes is held back.

import type { IncomingHttpHeaders } from "node:http";
import type { Transform } from "node:stream";
import type { Dispatcher } from "undici";
import type { AnswerFacts, AnswerHead, AnswerStream, Cut, Format } from "../providers/format.ts";
import type { Client } from "./client.ts";
import { headersDown } from "./headers.ts";
import { splice } from "./splice.ts";
import { openInflate, readWhole } from "./whole.ts";

export interface AttemptLimits {
  readonly answerBytesMax: number;
  readonly answerKeptBytesMax: number;
  readonly eventBytesMax: number;
  readonly drainMsMax: number;
}

/** What the wire said at the end. */
export interface Outcome {
  /** `answered`: the body came to its end. `broke`: the connection ended early. `silent`: a time limit passed. `cancelled`: by us. `unsent`: nothing went out. `failed`: by an error of ours. */
  readonly kind: "answered" | "broke" | "silent" | "cancelled" | "unsent" | "failed";
  readonly cause: string | null;
  /** Of `failed`: what went wrong. */
  readonly bug?: unknown;
  readonly httpStatus: number | null;
  readonly facts: AnswerFacts | null;
}

export interface AttemptOwner {
  readonly client: Client;
  /** null: the answer is passed on unread. */
  readonly format: Format | null;
  readonly hideUsage: boolean;
  readonly limits: AttemptLimits;
  readonly now: () => number;
  /** May this answer be thrown away for another try? Then nothing of it reaches the client. */
  discards(httpStatus: number): boolean;
  /** A stream was asked for. */
  readonly streamed: boolean;
  /** Cancel upstream, or go on reading, when the client has gone. */
  readonly whenClientLeaves: "drain" | "cancel";
  /** Headers of ours for the answer's head. `cost` is known only for an answer read whole. */
  headers(cost: string | null): readonly string[];
  /** The response's own id, as soon as a stream has said it. Called at most once. */
  named(responseId: string): void;
  /** The answer is complete but for what is held: put it on record, then call `release`. Called at most once. */
  complete(facts: AnswerFacts | null, release: (cost: string | null) => void): void;
  /** Whether what has passed of a stream, in bytes of output, is all that may be paid for; null: nobody asks. */
  readonly isOver: ((outputBytes: number) => boolean) | null;
  /** The stream is ended from our side, and the provider cancelled: put it on record, then call `release`. Called at most once, instead of `complete`. */
  cut(facts: AnswerFacts, why: Cut, release: () => void): void;
  /** The try is over. Called exactly once; after `complete` when that was called. */
  ended(outcome: Outcome): void;
}

/** Why a stream is ended when its budget has nothing left for it. */
const spent: Cut = { code: "budget_exhausted", message: "the budget has nothing left for the rest of this answer" };

/** How the cause begins when a request was not sent because it could not be signed. */
export const noCredential = "credential: ";

/** Azure's answers name the provisioned deployment that had no room, where shared capacity served instead (Microsoft, spillover for provisioned deployments). */
const spillHeader = "x-ms-spillover-from-deployment";

/** Where providers put the id of a request. */
const requestIds = ["x-request-id", "request-id", "apim-request-id", "x-amzn-requestid"];

export class Attempt implements Dispatcher.DispatchHandler {
  readonly #owner: AttemptOwner;
  #controller: Dispatcher.DispatchController | null = null;

  #reason: string | undefined;
  #answerHead: AnswerHead | null = null;
  #rawHeaders: readonly (Buffer | string)[] = [];
  #mode: "waiting" | "discard" | "stream" | "whole" | "long" | "plain" = "waiting";
  #stream: AnswerStream | null = null;
  #inflate: Transform | null = null;
  /** The inflate takes no more for now; the client takes no more for now. */
  #filled = false;
  #stalled = false;
  /** The inflate has given all it will; the body has come to its end. */
  #inflated = false;
  #ended = false;
  /** The body cannot be read, only passed on. */
  #unread = false;
  /** The response's id has been told. */
  #named = false;
  #chunks: Buffer[] = [];
  #held: Buffer | null = null;
  #heldSent = 0;
  /** What was left over when the body ended; null while it has not. */
  #rest: readonly Buffer[] | null = null;
  #completed = false;
  #released = false;
  #over = false;
  #cancelling = false;
  /** It was ended from our side, for the client and at the provider. */
  #isCut = false;
  #drain: NodeJS.Timeout | null = null;

  sent = false;
  status: number | null = null;
  /** When it went out: a body in memory is written in the turn in which its connection is there. */
  sentMs: number | null = null;
  firstByteMs: number | null = null;
  firstTokenMs: number | null = null;
  answerBytes = 0;
  providerRequest: string | null = null;
  /** The capacity that served it, where the answer's head says so. */
  pool: "shared" | null = null;

  constructor(owner: AttemptOwner) {
    this.#owner = owner;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#cancelling) controller.abort(new Error("cancelled"));
    else {
      this.sent = true;
      this.sentMs = this.#owner.now();
    }
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders, reason?: string): void {
    if (status < 200) return;
    try {
      this.#start(controller, status, headers, reason);
    } catch (bug) {
      this.#failOurs(bug);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    try {
      this.#take(controller, chunk);
    } catch (bug) {
      this.#failOurs(bug);
    }
  }

  onResponseEnd(): void {
    try {
      this.#finish();
    } catch (bug) {
      this.#failOurs(bug);
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const code = (error as { code?: string }).code ?? error.name;
    const kind = !this.sent
      ? "unsent"
      : this.#cancelling
        ? "cancelled"
        : code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT"
          ? "silent"
          : "broke";
    this.#fail(kind, code);
  }

  /** It was never sent: no credential could be had. */
  refuse(error: Error): void {
    this.#fail("unsent", `${noCredential}${error.message}`);
  }

  /** The client has gone away. */
  clientLeft(): void {
    if (this.#over) return;
    if (!this.sent || this.#owner.whenClientLeaves === "cancel") this.cancel();
    else {
      this.#drain ??= setTimeout(() => this.cancel(), this.#owner.limits.drainMsMax);
      this.#resume();
    }
  }

  /** Ends the try from our side. */
  cancel(): void {
    if (this.#over) return;
    this.#cancelling = true;
    this.#controller?.abort(new Error("cancelled"));
  }

  /** Whether more may have come than was read: nobody reads for a client that does not. */
  isBehind(): boolean {
    return this.#stalled || this.#filled;
  }

  /**
   * Ends a stream that is under way for the client, in the format's own way, and cancels the provider.
   * @returns false: nothing of a stream is under way, or it is complete.
   */
  cutOff(why: Cut): boolean {
    const stream = this.#stream;
    if (stream === null || this.#over || this.#completed || this.#owner.format === null) return false;
    const ending = stream.cut(why);
    this.#completed = true;
    this.#isCut = true;
    this.#cancelling = true;
    this.#owner.cut(stream.facts(), why, () => {
      for (const bytes of ending ?? []) this.#write(bytes);
      // Some formats have no words for an early end.
      if (ending === null) this.#owner.client.cut();
      else this.#owner.client.end();
      this.#end("cancelled", why.code, stream.facts());
      this.#controller?.abort(new Error("cut"));
    });
    return true;
  }

  #start(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders, reason: string | undefined): void {
    this.firstByteMs = this.#owner.now();
    this.status = status;
    this.#reason = reason;
    this.#rawHeaders = (controller.rawHeaders as Buffer[] | undefined) ?? [];
    this.pool = first(headers[spillHeader]) === null ? null : "shared";
    this.providerRequest = requestIds.map((name) => first(headers[name])).find((id) => id !== null) ?? null;
    if (this.#owner.discards(status)) {
      this.#mode = "discard";
      this.#end("answered", null, null);
      controller.abort(new Error("discarded"));
      return;
    }
    const head: AnswerHead = {
      status,
      type: (first(headers["content-type"]) ?? "").toLowerCase(),
      header: (name) => first(headers[name]),
    };
    this.#answerHead = head;
    const encoding = first(headers["content-encoding"]);
    if (this.#owner.format === null || this.#owner.format.isOpaque) {
      this.#mode = "plain";
      this.#head(null, [], this.#declaredLength());
    } else if (this.#owner.format.isStream(head, this.#owner.streamed)) {
      const inflate = encoding === null || encoding === "identity" ? null : openInflate(encoding);
      if (inflate === "unknown") {
        // Not to be read: it passes, and its usage is estimated.
        this.#mode = "long";
        this.#unread = true;
        this.#head(null, [], this.#declaredLength());
        return;
      }
      this.#mode = "stream";
      this.#stream = this.#owner.format.stream({
        hideUsage: this.#owner.hideUsage,
        head,
        eventBytesMax: this.#owner.limits.eventBytesMax,
      });
      if (inflate !== null) this.#follow(inflate);
      this.#head(null, inflate === null ? [] : ["content-encoding"]);
    } else {
      this.#mode = "whole";
    }
  }

  #take(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.answerBytes += chunk.length;
    switch (this.#mode) {
      case "stream":
        if (this.#inflate === null) this.#read(chunk);
        else if (!this.#inflated && !this.#inflate.write(chunk)) {
          controller.pause();
          if (!this.#filled) this.#inflate.once("drain", () => this.#drained());
          this.#filled = true;
        }
        return;
      case "whole":
        this.#chunks.push(chunk);
        if (this.answerBytes > this.#owner.limits.answerBytesMax) {
          this.#mode = "long";
          this.#head(null, [], this.#declaredLength());
          for (const piece of this.#chunks.slice(0, -1)) this.#write(piece);
          this.#held = chunk;
        }
        return;
      case "long":
        if (this.#unread || this.answerBytes > this.#owner.limits.answerKeptBytesMax) this.#chunks = [];
        else this.#chunks.push(chunk);
        if (this.#held !== null) this.#write(this.#held);
        this.#held = chunk;
        return;
      case "plain":
        this.#write(chunk);
        return;
      case "waiting":
      case "discard":
    }
  }

  #read(chunk: Buffer): void {
    const stream = this.#stream as AnswerStream;
    if (this.#isCut) return;
    for (const bytes of stream.push(chunk)) this.#write(bytes);
    if (this.firstTokenMs === null && stream.started) this.firstTokenMs = this.#owner.now();
    if (!this.#named && this.#owner.format?.isKept === true) {
      const { responseId } = stream.facts();
      this.#named = responseId !== null;
      if (responseId !== null) this.#owner.named(responseId);
    }
    if (stream.held.length > 0) this.#releaseHeld();
    else if (this.#owner.isOver?.(stream.outputBytes) === true) this.cutOff(spent);
  }

  #finish(): void {
    if (this.#inflate !== null) {
      this.#ended = true;
      if (this.#inflated) this.#finishStream();
      else this.#inflate.end();
      return;
    }
    switch (this.#mode) {
      case "stream":
        this.#finishStream();
        return;
      case "whole":
      case "long":
        this.#finishWhole();
        return;
      case "plain":
        if (this.#owner.format === null) this.#finishPlain();
        else this.#owner.complete(this.#owner.format.answer("", this.#answerHead as AnswerHead), () => this.#finishPlain());
        return;
      case "waiting":
      case "discard":
        this.#end("answered", null, null);
    }
  }

  #finishStream(): void {
    if (this.#isCut) return;
    this.#rest = (this.#stream as AnswerStream).end();
    this.#releaseHeld();
  }

  /** Puts the answer on record once, and then lets go of what is held. */
  #releaseHeld(): void {
    if (this.#released) this.#flush();
    else if (!this.#completed) {
      this.#completed = true;
      this.#owner.complete((this.#stream as AnswerStream).facts(), () => {
        this.#released = true;
        this.#flush();
      });
    }
  }

  #flush(): void {
    const stream = this.#stream as AnswerStream;
    for (; this.#heldSent < stream.held.length; this.#heldSent++) this.#write(stream.held[this.#heldSent] as Buffer);
    if (this.#rest === null) return;
    for (const bytes of this.#rest) this.#write(bytes);
    this.#owner.client.end();
    this.#end("answered", null, stream.facts());
  }

  #finishPlain(): void {
    this.#owner.client.end();
    this.#end("answered", null, null);
  }

  #finishWhole(): void {
    const body = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    const kept = this.answerBytes === body.length;
    const facts = kept ? readWhole(this.#owner.format as Format, body, this.#answerHead as AnswerHead) : null;
    this.#owner.complete(facts, (cost) => {
      if (this.#mode === "long") {
        if (this.#held !== null) this.#write(this.#held);
        this.#owner.client.end();
      } else {
        // A compressed body is not one that could be edited.
        const isPlain = ["identity", null].includes((this.#answerHead as AnswerHead).header("content-encoding"));
        const edits = isPlain ? facts?.edits : undefined;
        const sent = edits === undefined ? body : splice(body, edits.splices);
        this.#head(cost, [], sent.length, edits?.names);
        this.#owner.client.end(sent);
      }
      this.#end("answered", null, facts);
    });
  }

  #fail(kind: Outcome["kind"], cause: string): void {
    if (this.#over) return;
    const begun = this.#owner.client.headSent;
    const facts = this.#stream?.facts() ?? null;
    const kept = this.#stream === null || this.#completed ? [] : this.#stream.end();
    this.#end(kind, cause, facts);
    if (!begun) return;
    // What waited for its sequel, an error event for one, is all that there will be.
    for (const bytes of kept) this.#write(bytes);
    this.#owner.client.cut();
  }

  /** An error of ours is not the provider's, for which undici would take it. */
  #failOurs(bug: unknown): void {
    const begun = this.#owner.client.headSent;
    let facts: AnswerFacts | null = null;
    try {
      facts = this.#stream?.facts() ?? null;
    } catch {
      // What reads the stream may be what is broken.
    }
    this.#end("failed", "internal", facts, bug);
    this.#controller?.abort(new Error("failed"));
    if (begun) this.#owner.client.cut();
  }

  #end(kind: Outcome["kind"], cause: string | null, facts: AnswerFacts | null, bug?: unknown): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#drain !== null) clearTimeout(this.#drain);
    this.#inflate?.destroy();
    this.#owner.ended({ kind, cause, httpStatus: this.status, facts, bug });
  }

  /** The length that the provider's head names, for bytes that are passed on one by one. */
  #declaredLength(): number | undefined {
    const length = rawHeader(this.#rawHeaders, "content-length");
    return length === null ? undefined : Number(length);
  }

  #head(cost: string | null, except: readonly string[] = [], length?: number, edits?: readonly string[]): void {
    const headers = [...headersDown(this.#rawHeaders, except), ...this.#owner.headers(cost)];
    if (edits !== undefined) headers.push("x-pennyworth-edits", edits.join(", "));
    if (length !== undefined) headers.push("content-length", String(length));
    this.#owner.client.head(this.status as number, this.#reason, headers);
  }

  #write(bytes: Buffer): void {
    if (this.#owner.client.gone || bytes.length === 0) return;
    if (this.#owner.client.write(bytes, () => this.#resume())) return;
    this.#stalled = true;
    this.#inflate?.pause();
    this.#controller?.pause();
  }

  /** The client reads again, or has gone. */
  #resume(): void {
    this.#stalled = false;
    this.#inflate?.resume();
    this.#goOn();
  }

  #drained(): void {
    this.#filled = false;
    this.#goOn();
  }

  /**
   * Later, not at once: an answer that had to wait for its turn (pipelining) goes on in the middle of the last piece of the one before it, and
   * undici, which reads one piece at a time, would leave its connection paused for ever.
   */
  #goOn(): void {
    process.nextTick(() => {
      if (!this.#over && !this.#stalled && !this.#filled) this.#controller?.resume();
    });
  }

  #follow(inflate: Transform): void {
    this.#inflate = inflate;
    inflate.on("data", (chunk: Buffer) => {
      try {
        this.#read(chunk);
      } catch (bug) {
        this.#failOurs(bug);
      }
    });
    // The compressed data may end before the body does.
    inflate.on("end", () => {
      this.#inflated = true;
      if (this.#ended) this.#finishStream();
    });
    inflate.on("error", (error: Error & { code?: string }) => {
      this.#fail("broke", error.code ?? "decompression");
      this.#controller?.abort(error);
    });
  }
}

function first(value: string | string[] | undefined | null): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

function rawHeader(rawHeaders: readonly (Buffer | string)[], name: string): string | null {
  for (let i = 0; i < rawHeaders.length; i += 2) if (String(rawHeaders[i]).toLowerCase() === name) return String(rawHeaders[i + 1]);
  return null;
}
