// How a try of a request begins: as the guard is asked about it, as it goes on record, as it is sent, and what its answer's head says of it.
// Not here: the try itself (exchange.ts). Invariant: what is changed is named in the record and in the answer's head.

import type { IncomingMessage } from "node:http";
import { parseName } from "../core/account.ts";
import type { Attribution, CallStart } from "../core/call.ts";
import { type Stop, toDeath } from "../core/family.ts";
import type { ToolRound } from "../core/loop.ts";
import type { Key } from "../core/entry.ts";
import { parseUsd } from "../core/money.ts";
import { rootTaken } from "../core/root.ts";
import { PennyworthError } from "../error.ts";
import type { TaskBudget } from "../guard/register.ts";
import type { Admitted, Asking } from "../guard/asking.ts";
import type { Format, RequestFacts, Splice } from "../providers/format.ts";
import { hidesReasoning } from "../providers/hidden.ts";
import { capSplices } from "../providers/reach.ts";
import { modelAt, placeOf, toAsking, type Trying } from "./asking.ts";
import { createId } from "./id.ts";
import type { Trace } from "./identify.ts";
import type { Parts } from "./parts.ts";
import type { Again } from "./sent.ts";
import { type Address, sandbox, type Target } from "./route.ts";

/** What is known of a request once it has been read. */
export interface Asked {
  readonly body: Buffer;
  readonly address: Address;
  readonly key: string | null;
  readonly format: Format;
  readonly facts: RequestFacts;
  readonly trace: Trace;
  readonly attribution: CallStart["attribution"];
  readonly prefix: readonly string[];
  readonly again: Again;
  readonly toolRounds: readonly ToolRound[];
  readonly request: string;
}

/** A try that is about to be made. */
export interface Try extends Pick<CallStart, "attempt" | "reason" | "cause"> {
  readonly asking: Asking;
  readonly target: Target;
  /** What is generated is seen as it passes, and a provider that is cancelled generates and bills no more. */
  readonly stopsWhenCut: boolean;
}

/** A try that was let in. */
export interface Begun extends Try {
  readonly admitted: Admitted;
  readonly start: CallStart;
}

/** @param targets where it goes, and where later tries can go, until `untilMs`. */
export function toTry(
  { rates, guard }: Pick<Parts, "rates" | "guard">,
  asked: Asked,
  targets: readonly Target[],
  untilMs: number,
  how: Pick<CallStart, "attempt" | "reason" | "cause">,
): Try {
  const { body, format, facts, attribution, prefix, toolRounds, request, address, key } = asked;
  const target = targets[0] as Target;
  const atMs = guard.now();
  const canRename = facts.modelSpan !== null || address.model !== null;
  const sent = modelAt({ facts, canRename }, target, null);
  // Work in the background goes on, whoever reads; and of a predicted output that was not used nothing is seen, and all is billed.
  const stopsWhenCut = !facts.background && facts.reach.predictedBytes === 0 && isCountable(target, format, sent);
  const trying: Trying = {
    call: createId(atMs),
    request,
    attempt: how.attempt,
    atMs,
    untilMs: Math.max(atMs, untilMs),
    body,
    format,
    facts,
    attribution,
    prefix,
    toolRounds,
    key,
    path: address.path,
    targets,
    canRename,
    inputGuess: rates.estimator.inputTokens(`${target.provider.name}/${sent ?? ""}`, body.length),
    canCut: facts.streamed && stopsWhenCut,
  };
  return { asking: toAsking(rates.book, trying), target, stopsWhenCut, ...how };
}

/** With the root of the tree that it is in, where it does not say one. */
export function rooted(attribution: Attribution, { trees }: Pick<Parts["guard"], "trees">): Attribution {
  const root = rootTaken(attribution, (task) => trees.rootOf(task));
  return root === null ? attribution : { ...attribution, root };
}

/** As it goes on record. */
export function toStart(
  { guard }: Pick<Parts, "guard">,
  asked: Asked,
  { asking, target, attempt, reason, cause }: Try,
  admitted: Admitted,
): CallStart {
  const { facts } = asked;
  const attribution = rooted(asked.attribution, guard);
  const isRouted = target.model !== null && asking.canRename && admitted.model === null;
  return {
    id: asking.call,
    request: asked.request,
    attempt,
    reason,
    cause,
    startMs: admitted.atMs,
    attribution,
    key: asked.key,
    provider: target.provider.name,
    format: asked.format.name,
    endpoint: endpointOf(asked.address),
    pool: target.pool,
    region: target.provider.region,
    modelAsked: facts.model,
    modelSent: admitted.model ?? asking.model,
    tierAsked: facts.tier,
    capAsked: facts.cap,
    capInForce: admitted.cap ?? facts.cap,
    effort: facts.effort,
    streamed: facts.streamed,
    trace: asked.trace.trace,
    span: asked.trace.span,
    requestBytes: asked.body.length,
    promptBytes: facts.promptBytes,
    toolNames: facts.toolNames,
    prefix: asked.prefix,
    edits: [...(asksForUsage(target) ? facts.edits : []), ...(isRouted ? ["model"] : []), ...admitted.edits],
    hold: admitted.hold,
    ...(attribution === asked.attribution ? {} : { isRootTaken: true as const }),
    ...asked.again,
    ...(admitted.mark === undefined ? {} : { guard: admitted.mark }),
  };
}

/** What is changed in its body: what the format needs to be metered, a route's or a policy's model, a cap. */
export function splicesOf(asked: Asked, { target, admitted }: Begun): readonly Splice[] {
  const { facts } = asked;
  const model = admitted.model ?? target.model;
  const splices = asksForUsage(target) ? [...facts.splices] : [];
  if (model !== null && facts.modelSpan !== null) {
    const [start, end] = facts.modelSpan;
    splices.push({ at: start, remove: end - start, insert: JSON.stringify(model) });
  }
  if (admitted.cap !== null) splices.push(...(capSplices(placeOf(asked, target, model ?? facts.model), facts, admitted.cap) ?? []));
  return splices.length < 2 ? splices : splices.sort((a, b) => a.at - b.at);
}

/** What the answer's head says of Pennyworth: the call, its cost, and every policy that changed something. */
export function headersOf({ start, admitted }: Begun, cost: string | null, deaths: readonly Stop[]): string[] {
  const headers = ["x-pennyworth-call", start.id];
  if (cost !== null) headers.push("x-pennyworth-cost", cost);
  if (start.edits.length > 0) headers.push("x-pennyworth-edits", plain(start.edits.join(", ")));
  if (start.reason !== "first" && start.cause !== "client")
    headers.push("x-pennyworth-attempt", `${start.attempt}; ${start.reason}; ${start.cause}`);
  if (admitted.warnings.length > 0) headers.push("x-pennyworth-warning", plain(admitted.warnings.join(", ")));
  if (start.guard !== undefined && start.guard.uncovered.length > 0)
    headers.push("x-pennyworth-uncovered", start.guard.uncovered.map((name) => parseName(name).id).join(", "));
  for (const death of deaths) headers.push("x-pennyworth-child-stopped", toDeath(death));
  if (start.format === "unmetered") headers.push("x-pennyworth-unmetered", "nothing is known of this path");
  if (start.provider === sandbox) headers.push("x-pennyworth-provider", "sandbox: no real model answered");
  return headers;
}

/** The formats' own edits ask for usage; a provider that sends it unasked refuses them. */
export function asksForUsage(target: Target): boolean {
  return target.provider.streamUsage !== "sent";
}

/** A header's value has no other characters. */
function plain(words: string): string {
  return words.replace(/[^\x20-\x7e]/g, "?").slice(0, 500);
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

/** Whether a running answer can be counted, and costs less for being ended. */
function isCountable({ provider }: Target, format: Format, model: string | null): boolean {
  return provider.afterCut === "stops" && !hidesReasoning(format.name, model);
}

/** Official SDKs say how often they have tried before. */
export function readRetryCount(request: IncomingMessage): number {
  const count = Number(request.headers["x-stainless-retry-count"] ?? 0);
  return Number.isInteger(count) && count > 0 && count < 100 ? count : 0;
}

/** The longest name of a task that may have a budget of its own. */
const taskLengthMax = 200;

/** A task says in a header what it and all below it may cost. @throws PennyworthError `header_invalid`. */
export function readTaskBudget(said: string, { task, root }: Attribution, key: Key | null): TaskBudget {
  const name = "x-pennyworth-budget";
  const named = task ?? root;
  const amount = said.trim().replace("$", "");
  if (named === null) throw new PennyworthError("header_invalid", { name, detail: "it is a task's, and no task is named" });
  if (named.length > taskLengthMax)
    throw new PennyworthError("header_invalid", { name, detail: `the task's name has more than ${taskLengthMax} characters` });
  if (!/^\d{1,9}(\.\d{1,12})?$/.test(amount) || parseUsd(amount) === 0n)
    throw new PennyworthError("header_invalid", { name, detail: "expected dollars, more than none, such as 2.50" });
  return { task: named, key: key?.id ?? null, limit: parseUsd(amount), owner: key?.name ?? `task ${named}` };
}
