// One client request, from its body to its last byte: identified, routed, put on record, forwarded, metered, settled; tried again elsewhere
// where a route says so. Each try is a call of its own. Invariant: its start is in the journal before the first byte goes upstream,
// its end before what completes the answer goes to the client.

import type { IncomingMessage, ServerResponse } from "node:http";
import { bound } from "../core/bound.ts";
import type { AttemptReason, Attribution, CallStart, CallStatus, Hold } from "../core/call.ts";
import { total } from "../core/charge.ts";
import type { Key } from "../core/entry.ts";
import { formatUsd } from "../core/money.ts";
import { PennyworthError } from "../error.ts";
import type { AnswerFacts, Format, RequestFacts } from "../providers/format.ts";
import { Attempt, type AttemptOwner } from "./attempt.ts";
import { readBody } from "./body.ts";
import { Client } from "./client.ts";
import { errorOfOutcome, failure, type Retriable, retriable, retriableStatus, statusOfAnswer, statusOfOutcome } from "./outcome.ts";
import type { Passing } from "./followed.ts";
import { toObservation } from "./observe.ts";
import type { Parts } from "./parts.ts";
import { keep } from "./read.ts";
import type { Shown } from "./headers.ts";
import { createId } from "./id.ts";
import { readTrace, type Trace } from "./identify.ts";
import { chain } from "./prefix.ts";
import { toAnswer } from "./refusal.ts";
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
  readonly #shown: Shown;
  #attempt: Attempt | null = null;
  #cancelled = false;
  #wake: (() => void) | null = null;

  constructor(
    parts: Parts,
    request: IncomingMessage,
    response: ServerResponse,
    address: Address,
    who: { readonly key: Key | null; readonly shown: Shown },
  ) {
    this.#parts = parts;
    this.#request = request;
    this.#address = address;
    this.#key = who.key;
    this.#shown = who.shown;
    this.#client = new Client(response, parts.limits.silenceMsMax);
    this.#client.onGone(() => {
      this.#attempt?.clientLeft();
      this.#wake?.();
    });
  }

  /** The client has its answer, or has gone. */
  get over(): boolean {
    return this.#client.over;
  }

  /** Breaks off what is under way: at shutdown. */
  cancel(): void {
    this.#cancelled = true;
    this.#attempt?.cancel();
    this.#wake?.();
  }

  async run(): Promise<void> {
    const { kind } = this.#address;
    const format = this.#format();
    try {
      const body = await readBody(this.#request, this.#parts.limits.requestBytesMax);
      if (body === null) return;
      if (kind === "metered" || kind === "unmetered") await this.#meter(body, format);
      else await this.#pass(body, kind === "kept" ? format : null);
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
    const { headers, body } = toAnswer(known, this.#request.complete, format);
    this.#client.head(known.status, undefined, headers);
    this.#client.end(body);
  }

  /** What the client speaks: whose refusals it understands. */
  #format(): Format {
    return this.#parts.formats.get(this.#address.format ?? "unmetered") as Format;
  }

  async #meter(body: Buffer, format: Format): Promise<void> {
    const { path, model } = this.#address;
    const { headers } = this.#request;
    const header = (name: string): string | null => {
      const value = headers[name];
      return value === undefined ? null : Array.isArray(value) ? value.join(", ") : value;
    };
    const line = { path, query: this.#shown.query, model: model?.name ?? null, type: header("content-type") ?? "", header };
    const facts = format.request(body, line);
    const chosen = route(this.#parts.routes, this.#address, facts.model, this.#shown.own);
    const trace = readTrace(this.#request.headers);
    const prefix = chain(this.#parts.prefixKey, body, facts.blocks);
    const attribution = this.#parts.identifier.attribute(this.#request.headers, trace, facts.hints, prefix, this.#key?.team);
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
      const waitMs = retry.waitMs * 2 ** (tries - 1);
      const triesLeft = retry.triesMax - tries;
      const again: Again = {
        allows: (why) =>
          triesLeft > 0 && retry.on.includes(why) && this.#parts.now() + waitMs < deadlineMs && !this.#client.gone && !this.#cancelled,
        // A silent provider must leave time for the tries that its silence is a reason for.
        firstByteMsMax:
          triesLeft > 0 && retry.on.includes("timeout")
            ? Math.max(1, Math.min(this.#parts.limits.firstByteMsMax, Math.floor((deadlineMs - this.#parts.now()) / (triesLeft + 1))))
            : this.#parts.limits.firstByteMsMax,
      };
      const start = this.#start(asked, target, before + tries, reason, cause);
      const why = await this.#try(asked, target, start, again);
      if (why === null) return;
      cause = why;
      reason = tries < targets.length ? "fallback" : "retry";
      await this.#wait(waitMs);
      if (this.#cancelled) throw new PennyworthError("draining");
      if (this.#client.gone) return;
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
    const isRenamed = this.#isRenamed(asked, target);
    const model = isRenamed ? target.model : facts.model;
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
      endpoint: endpointOf(this.#address),
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
      edits: [...(asksForUsage(target) ? facts.edits : []), ...(isRenamed ? ["model"] : [])],
      hold,
    };
  }

  /** A route's model can be sent where the request names one in a place that can be rewritten: not in a form. */
  #isRenamed({ facts }: Asked, { model }: Target): boolean {
    return model !== null && (facts.modelSpan !== null || this.#address.model !== null);
  }

  /** One try. @returns the cause for another one, or null when the client has its answer. */
  async #try(asked: Asked, target: Target, start: CallStart, again: Again): Promise<string | null> {
    const { recorder, now, limits } = this.#parts;
    const metered = recorder.start(start);
    if (this.#parts.durability === "sync") await this.#parts.synced();
    if (this.#client.gone || this.#cancelled) {
      if (metered) this.#settle(start, null, { status: "unreached", error: null }, null);
      if (this.#cancelled) this.refuse(asked.format, new PennyworthError("draining"));
      return null;
    }
    return new Promise((resolve) => {
      let settled = false;
      let discarded = false;
      const settle = (status: CallStatus, error: string | null, facts: AnswerFacts | null): string | null => {
        settled = true;
        const cost = metered ? this.#settle(start, attempt, { status, error }, facts) : null;
        if (metered && asked.facts.background && facts?.responseId && !facts.complete) {
          const { path } = this.#address;
          this.#parts.works.background(start, path, this.#shown.query, facts.responseId, keep(this.#shown, this.#request.rawHeaders));
        }
        return cost;
      };
      const owner: AttemptOwner = {
        client: this.#client,
        format: asked.format,
        hideUsage: asked.facts.splices.length > 0 && asksForUsage(target),
        limits,
        now,
        streamed: asked.facts.streamed,
        whenClientLeaves: target.provider.whenClientLeaves[asked.facts.streamed ? "stream" : "json"],
        discards: (status) => {
          const why = retriableStatus(status);
          discarded = why !== null && again.allows(why);
          return discarded;
        },
        headers: (cost) => this.#ownHeaders(start, cost),
        named: (responseId) => {
          if (metered && asked.format.isKept) recorder.seen(start.id, responseId);
        },
        complete: (facts, release) => {
          const cost = settle(statusOfAnswer(attempt.status, facts, asked.facts), null, facts);
          recorder.whenDurable(() => this.#guard(() => release(cost), resolve));
        },
        ended: (outcome) => {
          this.#attempt = null;
          const why = retriable(outcome);
          const retried = !settled && (discarded || (why !== null && !this.#client.headSent && again.allows(why)));
          if (!settled) settle(statusOfOutcome(outcome), errorOfOutcome(outcome, this.#client.gone), outcome.facts);
          if (retried) return resolve(outcome.httpStatus === null ? (outcome.cause ?? outcome.kind) : String(outcome.httpStatus));
          this.#guard(() => {
            if (outcome.kind !== "answered" && !this.#client.headSent && !this.#client.gone)
              this.refuse(asked.format, failure(outcome, target.provider.name, again.firstByteMsMax));
          }, resolve);
          resolve(null);
        },
      };
      const attempt = new Attempt(owner);
      this.#attempt = attempt;
      this.#send(attempt, target, splice(asked.body, this.#splices(asked, target)), again.firstByteMsMax);
    });
  }

  /** What must not fail. Were there a bug in it, the client's connection is cut, and nobody waits for ever. */
  #guard(act: () => void, resolve: (value: null) => void): void {
    try {
      act();
    } catch (bug) {
      this.#parts.internal(bug);
      this.#client.cut();
      resolve(null);
    }
  }

  /**
   * Puts a try's end on record. Never throws: were there a bug in here, the answer would still go out, and the call stay open.
   * @param attempt null when nothing was tried after all.
   * @returns its cost in dollars; null when that is not known.
   */
  #settle(
    start: CallStart,
    attempt: Attempt | null,
    how: { readonly status: CallStatus; readonly error: string | null },
    facts: AnswerFacts | null,
  ): string | null {
    try {
      const wire = attempt === null ? noEnding : toWire(attempt);
      const ending: Ending = { ...wire, ...how, clientGone: this.#client.gone, endMs: this.#parts.now() };
      const end = settle(this.#parts.rates, start, ending, facts);
      this.#parts.recorder.end(end);
      if (end.responseId !== null) this.#parts.identifier.remember(end.responseId, start);
      return end.usage === null || end.unpriced.length > 0 ? null : formatUsd(total(end.charges));
    } catch (bug) {
      this.#parts.internal(bug);
      return null;
    }
  }

  #splices(asked: Asked, target: Target): RequestFacts["splices"] {
    const { modelSpan } = asked.facts;
    const splices = asksForUsage(target) ? asked.facts.splices : [];
    if (target.model === null || modelSpan === null) return splices;
    const [start, end] = modelSpan;
    return [...splices, { at: start, remove: end - start, insert: JSON.stringify(target.model) }].sort((a, b) => a.at - b.at);
  }

  #send(attempt: Attempt, target: Target, body: Buffer, firstByteMsMax: number): void {
    const { upstream, internal } = this.#parts;
    try {
      upstream.send(attempt, { target, request: this.#request, address: this.#address, body, shown: this.#shown, firstByteMsMax });
    } catch (bug) {
      // What is on record as begun gets its end, whatever went wrong.
      attempt.refuse(internal(bug));
    }
  }

  /** What the answer's head says of Pennyworth: the call, its cost, and every policy that changed something. */
  #ownHeaders(start: CallStart, cost: string | null): string[] {
    const headers = ["x-pennyworth-call", start.id];
    if (cost !== null) headers.push("x-pennyworth-cost", cost);
    if (start.edits.length > 0) headers.push("x-pennyworth-edits", start.edits.join(", "));
    if (start.reason !== "first" && start.cause !== "client")
      headers.push("x-pennyworth-attempt", `${start.attempt}; ${start.reason}; ${start.cause}`);
    if (start.format === "unmetered") headers.push("x-pennyworth-unmetered", "nothing is known of this path");
    if (start.provider === sandbox) headers.push("x-pennyworth-provider", "sandbox: no real model answered");
    return headers;
  }

  /** Endpoints that cost nothing, and stored responses: those are witnesses of the call that made them. */
  async #pass(body: Buffer, format: Format | null): Promise<void> {
    const { limits, recorder, identifier } = this.#parts;
    const refusing = this.#format();
    const { targets } = route(this.#parts.routes, this.#address, null, this.#shown.own);
    const target = targets[0] as Target;
    const isWork = this.#address.kind === "work";
    if (format !== null || isWork) recorder.requireWritable();
    const attribution = identifier.attribute(this.#request.headers, readTrace(this.#request.headers), null, [], this.#key?.team);
    const work = isWork ? this.#parts.works.passing(this.#toPassing(target, attribution)) : null;
    await new Promise<void>((resolve) => {
      const attempt = new Attempt({
        client: this.#client,
        format: work ?? format,
        hideUsage: false,
        limits,
        now: this.#parts.now,
        streamed: false,
        // What was asked to begin goes on, and is followed, though nobody waits for the answer.
        whenClientLeaves: isWork ? "drain" : "cancel",
        discards: () => false,
        headers: () => (target.provider.name === sandbox ? ["x-pennyworth-provider", "sandbox: no real model answered"] : []),
        named: () => {},
        complete: (facts, release) => {
          if (format !== null && facts !== null)
            this.#guard(
              () => this.#observe(format, target, facts, attribution),
              () => resolve(),
            );
          recorder.whenDurable(() =>
            this.#guard(
              () => release(null),
              () => resolve(),
            ),
          );
        },
        ended: (outcome) => {
          this.#attempt = null;
          if (outcome.kind !== "answered" && !this.#client.headSent && !this.#client.gone)
            this.refuse(refusing, failure(outcome, target.provider.name, limits.firstByteMsMax));
          resolve();
        },
      });
      this.#attempt = attempt;
      this.#send(attempt, target, body, limits.firstByteMsMax);
    });
  }

  #toPassing({ provider }: Target, attribution: Attribution): Passing {
    const { path } = this.#address;
    const { query } = this.#shown;
    const kept = keep(this.#shown, this.#request.rawHeaders);
    const method = this.#request.method as string;
    return { method, path, query, provider, format: this.#format(), attribution, key: this.#key?.id ?? null, kept };
  }

  /** A stored response is priced as the call that made it was: by the model it sent, at its time. */
  #observe(format: Format, { provider }: Target, facts: AnswerFacts, attribution: Attribution): void {
    const followed = this.#parts.works.fetched(provider.name, facts, keep(this.#shown, this.#request.rawHeaders));
    if (facts.responseId === null || (facts.usage === null && facts.error === null) || !facts.complete) return;
    const observedMs = this.#parts.now();
    const made = this.#parts.identifier.made(facts.responseId) ?? followed;
    const sighting = {
      witness: "fetch",
      observedMs,
      startMs: made?.startMs ?? observedMs,
      provider,
      format: format.name,
      endpoint: "/v1/responses",
      key: this.#key?.id ?? null,
      attribution,
      responseId: facts.responseId,
      modelSent: made?.modelSent ?? null,
      tier: null,
      status: facts.error === null ? "complete" : "failed",
    } as const;
    this.#parts.recorder.observe(toObservation(this.#parts.rates.book, sighting, facts));
  }
}

/** What may follow a try that fails. */
interface Again {
  allows(why: Retriable): boolean;
  /** The longest silence before this try's answer, ms. */
  readonly firstByteMsMax: number;
}

function toWire({
  status: httpStatus,
  sentMs,
  firstByteMs,
  firstTokenMs,
  answerBytes,
  providerRequest,
  pool,
}: Attempt): Omit<Ending, "status" | "error" | "clientGone" | "endMs"> {
  return { httpStatus, sentMs, firstByteMs, firstTokenMs, answerBytes, providerRequest, ...(pool === null ? {} : { poolServed: pool }) };
}

/** The path with the model taken out, so that calls to one endpoint are told by one name. */
function endpointOf({ kind, path, model }: Address): string {
  if (kind === "unmetered") return path.split("/").map(wordOf).join("/");
  return model === null ? path : `${path.slice(0, model.span[0])}{model}${path.slice(model.span[1])}`;
}

/** Of a path that nobody knows only words go on record: ids and names may say whose it is. */
function wordOf(segment: string): string {
  return /^(v\d{1,2}[a-z]{0,5}\d?|[a-z][a-z_-]{0,31}(:[A-Za-z]{1,31})?|)$/.test(segment) ? segment : "{}";
}

/** The formats' own edits ask for usage; a provider that sends it unasked refuses them. */
function asksForUsage(target: Target): boolean {
  return target.provider.streamUsage !== "sent";
}

/** Official SDKs say how often they have tried before. */
function readRetryCount(request: IncomingMessage): number {
  const count = Number(request.headers["x-stainless-retry-count"] ?? 0);
  return Number.isInteger(count) && count > 0 && count < 100 ? count : 0;
}
