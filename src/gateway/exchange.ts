// One client request, from its body to its last byte: identified, routed, put on record, forwarded, metered, settled; tried again elsewhere
// where a route says so. Each try is a call of its own. Invariant: its start is in the journal before the first byte goes upstream,
// its end before what completes the answer goes to the client.

import type { IncomingMessage, ServerResponse } from "node:http";
import { bound } from "../core/bound.ts";
import type { AttemptReason, Attribution, CallStart, CallStatus, Hold } from "../core/call.ts";
import { total } from "../core/charge.ts";
import type { Key } from "../core/entry.ts";
import { formatUsd } from "../core/money.ts";
import { rate } from "../core/rating.ts";
import { PennyworthError } from "../error.ts";
import type { AnswerFacts, Format, RequestFacts } from "../providers/format.ts";
import { Attempt, type AttemptOwner, type Outcome } from "./attempt.ts";
import { readBody } from "./body.ts";
import { Client } from "./client.ts";
import type { Parts } from "./parts.ts";
import { type Credentials, headersUp } from "./headers.ts";
import { createId } from "./id.ts";
import { readTrace, type Trace } from "./identify.ts";
import { chain } from "./prefix.ts";
import { type Address, type Route, route, sandbox, type Target } from "./route.ts";
import { type Ending, noEnding, settle } from "./settle.ts";
import { splice } from "./splice.ts";

/** What is known of a request once it has been read. */
interface Asked {
  readonly body: Buffer;
  readonly format: Format;
  readonly facts: RequestFacts;
  readonly trace: Trace;
  readonly attribution: Attribution;
  readonly prefix: readonly string[];
  readonly request: string;
}

export class Exchange {
  readonly #parts: Parts;
  readonly #request: IncomingMessage;
  readonly #client: Client;
  readonly #address: Address;
  readonly #key: Key | null;
  readonly #credentials: Credentials;
  #attempt: Attempt | null = null;
  #cancelled = false;
  #wake: (() => void) | null = null;

  constructor(
    parts: Parts,
    request: IncomingMessage,
    response: ServerResponse,
    address: Address,
    who: { readonly key: Key | null; readonly credentials: Credentials },
  ) {
    this.#parts = parts;
    this.#request = request;
    this.#address = address;
    this.#key = who.key;
    this.#credentials = who.credentials;
    this.#client = new Client(response, parts.limits.silenceMsMax);
    this.#client.onGone(() => {
      this.#attempt?.clientLeft();
      this.#wake?.();
    });
  }

  /** Breaks off what is under way: at shutdown. */
  cancel(): void {
    this.#cancelled = true;
    this.#attempt?.cancel();
    this.#wake?.();
  }

  async run(): Promise<void> {
    const { endpoint } = this.#address;
    const format = this.#parts.formats.get(endpoint.format) as Format;
    try {
      const body = await readBody(this.#request, this.#parts.limits.requestBytesMax);
      if (body === null) return;
      if (endpoint.kind === "metered") await this.#meter(body, format);
      else await this.#pass(body, endpoint.kind === "response" ? format : null);
    } catch (error) {
      this.refuse(format, error);
    }
  }

  /** Answers with an error in the shape of the client's format. */
  refuse(format: Format, error: unknown): void {
    const known = error instanceof PennyworthError ? error : this.#parts.internal(error);
    if (this.#client.headSent) {
      this.#client.cut();
      return;
    }
    const text = Buffer.from(format.refusal({ status: known.status, code: known.code, message: known.message }));
    const headers = ["content-type", "application/json", "content-length", String(text.length)];
    if (known.status === 503) headers.push("retry-after", "1");
    if (!this.#request.complete) headers.push("connection", "close");
    this.#client.head(known.status, undefined, headers);
    this.#client.end(text);
  }

  async #meter(body: Buffer, format: Format): Promise<void> {
    const facts = format.request(body);
    const chosen = route(this.#parts.routes, this.#address, facts.model, this.#credentials.own);
    const trace = readTrace(this.#request.headers);
    const prefix = chain(this.#parts.prefixKey, body, facts.blocks);
    const attribution = this.#parts.identifier.attribute(this.#request.headers, trace, facts.hints, prefix);
    const asked: Asked = { body, format, facts, trace, attribution, prefix, request: createId(this.#parts.now()) };
    await this.#tryTargets(asked, chosen);
  }

  /** Targets in order; each may be tried again while the policy lasts. */
  async #tryTargets(asked: Asked, chosen: Route): Promise<void> {
    const { retry, targets } = chosen;
    const deadlineMs = this.#parts.now() + retry.totalMsMax;
    const before = readRetryCount(this.#request);
    let cause: string | null = before > 0 ? "client" : null;
    let reason: AttemptReason = before > 0 ? "retry" : "first";
    for (let tries = 1; ; tries++) {
      const target = targets[Math.min(tries - 1, targets.length - 1)] as Target;
      const mayRetry = (why: Retriable): boolean =>
        tries < retry.triesMax &&
        retry.on.includes(why) &&
        this.#parts.now() + retry.waitMs < deadlineMs &&
        !this.#client.gone &&
        !this.#cancelled;
      const start = this.#start(asked, target, before + tries, reason, cause);
      const again = await this.#try(asked, target, start, mayRetry);
      if (again === null) return;
      cause = again;
      reason = tries < targets.length ? "fallback" : "retry";
      await this.#wait(retry.waitMs * 2 ** (tries - 1));
      if (this.#client.gone || this.#cancelled) return;
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #start(asked: Asked, target: Target, attempt: number, reason: AttemptReason, cause: string | null): CallStart {
    const { facts, attribution } = asked;
    const startMs = this.#parts.now();
    const model = target.model ?? facts.model;
    const hold: Hold = bound(
      this.#parts.rates.book,
      { provider: target.provider.name, model, tier: facts.tier, region: target.provider.region, atMs: startMs },
      { requestBytes: asked.body.length, cap: facts.cap, choices: facts.choices, unbounded: facts.unbounded },
    );
    return {
      id: createId(startMs),
      request: asked.request,
      attempt,
      reason,
      cause,
      startMs,
      attribution,
      key: this.#key?.id ?? null,
      provider: target.provider.name,
      format: asked.format.name,
      endpoint: this.#address.endpoint.path,
      pool: target.pool,
      region: target.provider.region,
      modelAsked: facts.model,
      modelSent: model,
      tierAsked: facts.tier,
      capAsked: facts.cap,
      capInForce: facts.cap,
      effort: facts.effort,
      streamed: facts.streamed,
      trace: asked.trace.trace,
      span: asked.trace.span,
      requestBytes: asked.body.length,
      promptBytes: facts.promptBytes,
      toolNames: facts.toolNames,
      prefix: asked.prefix,
      edits: [...(asksForUsage(target) ? facts.edits : []), ...(target.model === null ? [] : ["model"])],
      hold,
    };
  }

  /** One try. @returns the cause for another one, or null when the client has its answer. */
  async #try(asked: Asked, target: Target, start: CallStart, mayRetry: (why: Retriable) => boolean): Promise<string | null> {
    const { recorder, now } = this.#parts;
    const metered = recorder.start(start);
    if (this.#parts.durability === "sync") await this.#parts.synced();
    if (this.#client.gone || this.#cancelled) {
      this.#settleUnsent(metered, start);
      return null;
    }
    return new Promise((resolve) => {
      let settled = false;
      const finish = (status: CallStatus, error: string | null, facts: AnswerFacts | null): string | null => {
        settled = true;
        return metered ? this.#settle(start, attempt, status, error, facts) : null;
      };
      const owner: AttemptOwner = {
        client: this.#client,
        format: asked.format,
        hideUsage: asked.facts.splices.length > 0 && asksForUsage(target),
        limits: this.#parts.limits,
        now,
        discards: (status) => (status === 429 && mayRetry("429")) || (status >= 500 && mayRetry("5xx")),
        streamed: asked.facts.streamed,
        whenClientLeaves: target.provider.whenClientLeaves[asked.facts.streamed ? "stream" : "json"],
        headers: (cost) => this.#ownHeaders(start, cost),
        complete: (facts, release) => {
          const cost = finish(readStatus(attempt.status, facts, start, asked.facts.background), null, facts);
          recorder.whenDurable(() => release(cost));
        },
        ended: (outcome) => {
          this.#attempt = null;
          const why = reasonToRetry(outcome);
          const again = !settled && why !== null && !this.#client.headSent && mayRetry(why);
          if (!settled) finish(statusOf(outcome), causeOf(outcome), outcome.facts);
          if (again) resolve(outcome.httpStatus === null ? (outcome.cause ?? outcome.kind) : String(outcome.httpStatus));
          else {
            if (outcome.kind !== "answered" && !this.#client.headSent && !this.#client.gone)
              this.refuse(asked.format, this.#failure(outcome, target));
            resolve(null);
          }
        },
      };
      const attempt = new Attempt(owner);
      this.#attempt = attempt;
      this.#dispatch(attempt, target, "POST", splice(asked.body, this.#splices(asked, target)));
    });
  }

  /**
   * Puts a try's end on record. Never throws: were there a bug in here, the answer would still go out, and the call stay open.
   * @returns its cost in dollars; null when that is not known.
   */
  #settle(start: CallStart, attempt: Attempt, status: CallStatus, error: string | null, facts: AnswerFacts | null): string | null {
    try {
      const { firstByteMs, firstTokenMs, answerBytes, providerRequest, status: httpStatus } = attempt;
      const wire = { httpStatus, firstByteMs, firstTokenMs, answerBytes, providerRequest };
      const ending: Ending = { status, error, clientGone: this.#client.gone, endMs: this.#parts.now(), ...wire };
      const end = settle(this.#parts.rates, start, ending, facts);
      this.#parts.recorder.end(end);
      if (end.responseId !== null) this.#parts.identifier.remember(end.responseId, start.attribution);
      return end.usage === null || end.unpriced.length > 0 ? null : formatUsd(total(end.charges));
    } catch (bug) {
      this.#parts.internal(bug);
      return null;
    }
  }

  #settleUnsent(metered: boolean, start: CallStart): void {
    if (!metered) return;
    const ending: Ending = { ...noEnding, status: "unreached", clientGone: this.#client.gone, endMs: this.#parts.now() };
    this.#parts.recorder.end(settle(this.#parts.rates, start, ending, null));
  }

  #splices(asked: Asked, target: Target): RequestFacts["splices"] {
    const { modelSpan } = asked.facts;
    const splices = asksForUsage(target) ? asked.facts.splices : [];
    if (target.model === null || modelSpan === null) return splices;
    const [start, end] = modelSpan;
    return [...splices, { at: start, remove: end - start, insert: JSON.stringify(target.model) }].sort((a, b) => a.at - b.at);
  }

  #dispatch(attempt: Attempt, target: Target, method: string, body: Buffer): void {
    const { provider } = target;
    const base = new URL(provider.baseUrl);
    const query = (this.#request.url as string).indexOf("?");
    const path =
      base.pathname.replace(/\/$/, "") +
      this.#address.endpoint.path.slice("/v1".length) +
      (query < 0 ? "" : (this.#request.url as string).slice(query));
    const headers = headersUp(this.#request);
    const credential = this.#parts.credential(provider.name) ?? (provider.name === sandbox ? null : this.#credentials.own);
    if (credential !== null && provider.auth === "bearer") headers.push("authorization", `Bearer ${credential}`);
    if (credential !== null && provider.auth === "x-api-key") headers.push("x-api-key", credential);
    for (const [name, value] of Object.entries(provider.headers)) headers.push(name, value);
    this.#parts
      .upstream(base.origin)
      .dispatch({ origin: base.origin, path, method: method as "POST", headers, body: body.length === 0 ? null : body }, attempt);
  }

  /** What the answer's head says of Pennyworth: the call, its cost, and every policy that changed something. */
  #ownHeaders(start: CallStart, cost: string | null): string[] {
    const headers = ["x-pennyworth-call", start.id];
    if (cost !== null) headers.push("x-pennyworth-cost", cost);
    if (start.edits.length > 0) headers.push("x-pennyworth-edits", start.edits.join(", "));
    if (start.reason !== "first" && start.cause !== "client")
      headers.push("x-pennyworth-attempt", `${start.attempt}; ${start.reason}; ${start.cause}`);
    if (start.provider === sandbox) headers.push("x-pennyworth-provider", "sandbox: no real model answered");
    return headers;
  }

  #failure(outcome: Outcome, target: Target): PennyworthError {
    const provider = target.provider.name;
    const cause = outcome.cause ?? "unknown";
    if (this.#cancelled) return new PennyworthError("draining");
    switch (outcome.kind) {
      case "unsent":
        return new PennyworthError("provider_unreachable", { provider, cause });
      case "silent":
        return new PennyworthError("provider_timeout", { provider, limit: this.#parts.limits.firstByteMsMax });
      default:
        return new PennyworthError("provider_broke", { provider, cause });
    }
  }

  /** Endpoints that cost nothing, and stored responses: those are witnesses of the call that made them. */
  async #pass(body: Buffer, format: Format | null): Promise<void> {
    const { targets } = route(this.#parts.routes, this.#address, null, this.#credentials.own);
    const target = targets[0] as Target;
    await new Promise<void>((resolve) => {
      const refusing = this.#parts.formats.get(this.#address.endpoint.format) as Format;
      const attempt: Attempt = new Attempt({
        client: this.#client,
        format,
        hideUsage: false,
        limits: this.#parts.limits,
        now: this.#parts.now,
        discards: () => false,
        streamed: false,
        whenClientLeaves: "cancel",
        headers: () => (target.provider.name === sandbox ? ["x-pennyworth-provider", "sandbox: no real model answered"] : []),
        complete: (facts, release) => {
          if (format !== null && facts !== null) this.#observe(format, target, facts);
          this.#parts.recorder.whenDurable(() => release(null));
        },
        ended: (outcome) => {
          this.#attempt = null;
          if (outcome.kind !== "answered" && !this.#client.headSent && !this.#client.gone)
            this.refuse(refusing, this.#failure(outcome, target));
          resolve();
        },
      });
      this.#attempt = attempt;
      this.#dispatch(attempt, target, this.#request.method as string, body);
    });
  }

  #observe(format: Format, target: Target, facts: AnswerFacts): void {
    if (facts.responseId === null || facts.usage === null || !facts.complete) return;
    const nowMs = this.#parts.now();
    const trace = readTrace(this.#request.headers);
    const { provider } = target;
    const rating = rate(
      this.#parts.rates.book,
      {
        provider: provider.name,
        modelAsked: facts.model,
        modelAnswered: facts.model,
        tier: facts.tier,
        region: provider.region,
        atMs: nowMs,
      },
      facts.usage,
    );
    this.#parts.recorder.observe({
      id: createId(nowMs),
      witness: "fetch",
      observedMs: nowMs,
      startMs: nowMs,
      provider: provider.name,
      format: format.name,
      endpoint: "/v1/responses",
      key: this.#key?.id ?? null,
      attribution: this.#parts.identifier.attribute(this.#request.headers, trace, null, []),
      responseId: facts.responseId,
      modelAnswered: facts.model,
      tierServed: facts.tier,
      finish: facts.finish,
      status: facts.error === null ? "complete" : "failed",
      usage: facts.usage,
      charges: rating.charges,
      unpriced: rating.unpriced,
    });
  }
}

/** The formats' own edits ask for usage; a provider that sends it unasked refuses them. */
function asksForUsage(target: Target): boolean {
  return target.provider.streamUsage !== "sent";
}

type Retriable = "429" | "5xx" | "timeout" | "connect";

/** An answer that came to its end. A stream without its format's own end is complete only if it said why it finished. */
function readStatus(httpStatus: number | null, facts: AnswerFacts | null, start: CallStart, background: boolean): CallStatus {
  if (httpStatus !== null && httpStatus >= 400) return "failed";
  if (background && facts?.complete === false) return "presumed";
  if (facts?.error) return "failed";
  if (start.streamed && facts !== null && !facts.complete && facts.finish === null) return "cut";
  return "complete";
}

function statusOf(outcome: Outcome): CallStatus {
  switch (outcome.kind) {
    case "answered":
      return outcome.httpStatus !== null && outcome.httpStatus >= 400 ? "failed" : "complete";
    case "unsent":
      return "unreached";
    case "cancelled":
      return "aborted";
    case "silent":
      return "presumed";
    case "broke":
      return outcome.httpStatus === null ? "presumed" : outcome.httpStatus >= 400 ? "failed" : "cut";
  }
}

function causeOf(outcome: Outcome): string | null {
  return outcome.cause ?? (outcome.httpStatus !== null && outcome.httpStatus >= 400 ? String(outcome.httpStatus) : null);
}

function reasonToRetry(outcome: Outcome): Retriable | null {
  if (outcome.kind === "answered") return outcome.httpStatus === 429 ? "429" : (outcome.httpStatus ?? 0) >= 500 ? "5xx" : null;
  if (outcome.httpStatus !== null) return null;
  return outcome.kind === "silent" ? "timeout" : outcome.kind === "cancelled" ? null : "connect";
}

/** Official SDKs say how often they have tried before. */
function readRetryCount(request: IncomingMessage): number {
  const count = Number(request.headers["x-stainless-retry-count"] ?? 0);
  return Number.isInteger(count) && count > 0 && count < 100 ? count : 0;
}
