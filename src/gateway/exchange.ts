// One client request, from its body to its last byte: identified, routed, put on record, forwarded, metered, settled; tried again elsewhere
// where a route says so. Each try is a call of its own. Invariant: its start is in the journal before the first byte goes upstream,
// its end before what completes the answer goes to the client.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { CallScope } from "../core/budget.ts";
import type { AttemptReason, Attribution, CallStart, CallStatus } from "../core/call.ts";
import { total } from "../core/charge.ts";
import type { Key } from "../core/entry.ts";
import { formatUsd, parseUsd } from "../core/money.ts";
import { PennyworthError } from "../error.ts";
import type { AnswerFacts, Cut, Format } from "../providers/format.ts";
import { beginsWork, toWorkCaller } from "./batch.ts";
import {
  type Asked,
  asksForUsage,
  type Begun,
  headersOf,
  readRetryCount,
  readTaskBudget,
  rooted,
  splicesOf,
  toStart,
  toTry,
  type Try,
} from "./begin.ts";
import { Attempt, type AttemptOwner, type Outcome } from "./attempt.ts";
import { readBody } from "./body.ts";
import { Client } from "./client.ts";
import { countInput } from "./counting.ts";
import { errorOfOutcome, failure, type Retriable, retriable, retriableStatus, statusOfAnswer, statusOfOutcome } from "./outcome.ts";
import type { Passing } from "./followed.ts";
import { toolRounds } from "./history.ts";
import { toObservation } from "./observe.ts";
import type { Parts } from "./parts.ts";
import { keep } from "./read.ts";
import type { Shown } from "./headers.ts";
import { createId } from "./id.ts";
import { readTrace } from "./identify.ts";
import { chain } from "./prefix.ts";
import { toAnswer } from "./refusal.ts";
import { type Address, type Route, route, sandbox, type Target } from "./route.ts";
import { type Ending, noEnding, settle } from "./settle.ts";
import { splice } from "./splice.ts";
import { watch } from "./watch.ts";

export class Exchange {
  readonly #parts: Parts;
  readonly #request: IncomingMessage;
  readonly #client: Client;
  readonly #address: Address;
  readonly #key: Key | null;
  readonly #shown: Shown;
  #attempt: Attempt | null = null;
  #cancelled = false;
  /** Why somebody stopped it; null: nobody has. */
  #halted: Cut | null = null;
  /** Aborted when the client goes, or we do: what waits for the guard waits no longer. */
  readonly #leaving = new AbortController();
  /** What the try under way is known by; null before it was let in. */
  #scope: CallScope | null = null;
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
      this.#leaving.abort();
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
    this.#leaving.abort();
    this.#wake?.();
  }

  /** What the call under way is known by; null where the guard has let none in. */
  get scope(): CallScope | null {
    return this.#scope;
  }

  /** Somebody stopped what is under way: a stream ends in its own format's way, anything else is cancelled. */
  halt(why: Cut): void {
    this.#halted = why;
    if (this.#attempt?.cutOff(why) !== true) this.cancel();
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
    const found = error instanceof PennyworthError ? error : this.#parts.internal(error);
    const known =
      found.code === "draining" && this.#halted !== null ? new PennyworthError("stopped", { detail: this.#halted.message }) : found;
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
    const limit = header("x-pennyworth-budget");
    if (limit !== null) this.#parts.guard.register.ofTask(readTaskBudget(limit, attribution, this.#key));
    const known = { body, address: this.#address, key: this.#key?.id ?? null, format, facts, trace, attribution, prefix };
    const rounds = this.#parts.guard.looksAtTools ? toolRounds(this.#parts.toolsKey, body, facts) : [];
    const again = this.#parts.sent.look({ attribution, modelAsked: facts.model, prefix }, facts);
    const asked: Asked = { again, toolRounds: rounds, request: createId(this.#parts.now()), ...known };
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
      const reached = targets.slice(Math.min(tries - 1, targets.length - 1));
      const wanted = toTry(this.#parts, asked, reached, deadlineMs, { attempt: before + tries, reason, cause });
      const why = await this.#try(asked, await this.#admit(asked, wanted), again);
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

  /** Asks the guard. @throws GuardRefusal, in which case nothing is held and nothing was sent. */
  async #admit(asked: Asked, wanted: Try): Promise<Begun> {
    const { guard } = this.#parts;
    const said = guard.admit(wanted.asking, this.#leaving.signal, () => this.#count(asked, wanted));
    const admitted = said instanceof Promise ? await said : said;
    this.#scope = admitted.scope;
    try {
      return { admitted, start: toStart(this.#parts, asked, wanted, admitted), ...wanted };
    } catch (bug) {
      guard.undo(wanted.asking.call);
      throw bug;
    }
  }

  /** Asks the provider how many input tokens the request has. */
  #count({ format, facts, body }: Asked, { target, asking: { model } }: Try): Promise<number | null> {
    const { path } = this.#address;
    const kept = keep(this.#shown, this.#request.rawHeaders);
    const asked = { format, facts, body, path, query: this.#shown.query, target, model, kept, signal: this.#leaving.signal };
    return countInput(this.#parts.routes, this.#parts.upstream, asked);
  }

  /** One try. @returns the cause for another one, or null when the client has its answer. */
  async #try(asked: Asked, begun: Begun, again: Again): Promise<string | null> {
    const { recorder, now, limits } = this.#parts;
    const { target, start } = begun;
    const metered = this.#record(start);
    if (this.#parts.durability === "sync")
      await this.#parts.synced().catch((error: unknown) => {
        if (metered) this.#settle(begun, null, { status: "unreached", error: null }, null);
        throw error;
      });
    if (this.#client.gone || this.#cancelled) {
      if (metered) this.#settle(begun, null, { status: "unreached", error: null }, null);
      if (this.#cancelled) this.refuse(asked.format, new PennyworthError("draining"));
      return null;
    }
    return new Promise((resolve) => {
      let settled = false;
      let discarded = false;
      const settle = (status: CallStatus, error: string | null, facts: AnswerFacts | null): string | null => {
        settled = true;
        const cost = metered ? this.#settle(begun, attempt, { status, error }, facts) : null;
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
        headers: (cost) => headersOf(begun, cost, this.#parts.guard.deaths(start.attribution.task)),
        named: (responseId) => {
          if (metered && asked.format.isKept) recorder.seen(start.id, responseId);
        },
        isOver: begun.admitted.watched && begun.asking.canCut ? watch(this.#parts, begun) : null,
        cut: (facts, why, release) => {
          const cost = settle("cut", why.code, facts);
          this.#parts.guard.cut(start.id, cost === null ? null : parseUsd(cost));
          recorder.whenDurable(() => this.#guard(release, resolve));
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
          this.#guard(() => this.#fail(outcome, asked.format, target, again.firstByteMsMax), resolve);
          resolve(null);
        },
      };
      const attempt = new Attempt(owner);
      this.#attempt = attempt;
      const { model } = begun.admitted;
      const sentTo = model === null ? target : { ...target, model };
      this.#send(attempt, sentTo, () => splice(asked.body, splicesOf(asked, begun)), again.firstByteMsMax);
    });
  }

  /**
   * Puts a try's start on record, with its hold. @returns false when it goes through unmetered, by setting.
   * @throws PennyworthError `journal_unwritable`; then it holds nothing.
   */
  #record(start: CallStart): boolean {
    const { recorder, guard } = this.#parts;
    try {
      if (recorder.start(start)) return true;
      // What cannot be held on record is not let through under a budget, whatever the setting says of the rest.
      if (start.guard !== undefined) throw new PennyworthError("journal_unwritable", { cause: "and a budget stands over it" });
      guard.undo(start.id);
      return false;
    } catch (error) {
      guard.undo(start.id);
      throw error;
    }
  }

  /** Tells a client that has nothing of an answer why there is none. */
  #fail(outcome: Outcome, format: Format, { provider }: Target, firstByteMsMax: number): void {
    if (outcome.kind === "answered") return;
    const why = failure(outcome, provider.name, firstByteMsMax, this.#parts.internal);
    if (!this.#client.headSent && !this.#client.gone) this.refuse(format, why);
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
    { start, stopsWhenCut }: Begun,
    attempt: Attempt | null,
    how: { readonly status: CallStatus; readonly error: string | null },
    facts: AnswerFacts | null,
  ): string | null {
    try {
      const wire = attempt === null ? noEnding : toWire(attempt);
      const isBehind = attempt?.isBehind() === true;
      const ending: Ending = { stopsWhenCut, isBehind, clientGone: this.#client.gone, endMs: this.#parts.now(), ...wire, ...how };
      const end = settle(this.#parts.rates, start, ending, facts);
      this.#parts.recorder.end(end);
      this.#parts.guard.ended(end, start);
      if (end.responseId !== null) this.#parts.identifier.remember(end.responseId, start);
      this.#parts.sent.ended(start, end);
      return end.usage === null || end.unpriced.length > 0 ? null : formatUsd(total(end.charges));
    } catch (bug) {
      this.#parts.internal(bug);
      this.#parts.guard.lost(start.id);
      return null;
    }
  }

  #send(attempt: Attempt, target: Target, toBody: () => Buffer, firstByteMsMax: number): void {
    const { upstream, internal } = this.#parts;
    try {
      upstream.send(attempt, {
        target,
        request: this.#request,
        address: this.#address,
        body: toBody(),
        shown: this.#shown,
        firstByteMsMax,
      });
    } catch (bug) {
      // What is on record as begun gets its end, whatever went wrong.
      attempt.refuse(internal(bug));
    }
  }

  /** Endpoints that cost nothing, and stored responses: those are witnesses of the call that made them. */
  async #pass(body: Buffer, format: Format | null): Promise<void> {
    const { limits, recorder, identifier } = this.#parts;
    const refusing = this.#format();
    const target = route(this.#parts.routes, this.#address, null, this.#shown.own).targets[0] as Target;
    const isWork = this.#address.kind === "work";
    if (format !== null || isWork) recorder.requireWritable();
    const said = identifier.attribute(this.#request.headers, readTrace(this.#request.headers), null, [], this.#key?.team);
    const attribution = rooted(said, this.#parts.guard);
    const key = this.#key?.id ?? null;
    const begins = isWork && beginsWork(this.#request.method as string, this.#address.path);
    const uncovered = begins ? this.#parts.guard.pass(toWorkCaller(this.#parts.now(), attribution, key, target.provider.name)) : [];
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
        headers: () => [
          ...(uncovered.length > 0 ? ["x-pennyworth-uncovered", uncovered.join(", ")] : []),
          ...(target.provider.name === sandbox ? ["x-pennyworth-provider", "sandbox: no real model answered"] : []),
        ],
        named: () => {},
        isOver: null,
        cut: (_facts, _why, release) => release(),
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
          this.#fail(outcome, refusing, target, limits.firstByteMsMax);
          resolve();
        },
      });
      this.#attempt = attempt;
      this.#send(attempt, target, () => body, limits.firstByteMsMax);
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
