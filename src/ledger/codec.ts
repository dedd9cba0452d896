// Entries as JSON text and back: one line of the journal without its checksum. What is null or an empty list is left out and comes back
// exactly so; bigints are strings of digits. Not here: checksums and files. Invariant: `decodeEntry(encodeEntry(entry))` equals `entry`.

import type { CallEnd, CallStart, Observation } from "../core/call.ts";
import type { Charge } from "../core/charge.ts";
import type { Closing, Entry, Key, Position, Reconciled, TakenList } from "../core/entry.ts";
import { type Pico, toPico } from "../core/money.ts";
import type { Usage, UsageClass, UsagePart } from "../core/usage.ts";
import { PennyworthError } from "../error.ts";
import { readAttribution, some, type Written, type WrittenAttribution, writeAttribution } from "./fields.ts";
import { readGuardEntry, readMark, writeGuardEntry, type WrittenGuardEntry, type WrittenMark, writeMark } from "./budgets.ts";
import { readOutcome, readTask, writeOutcome, type WrittenOutcome, type WrittenTask, writeTask } from "./outcomes.ts";
import { readPeriod, readWork, type WrittenPeriod, type WrittenWork, writePeriod, writeWork } from "./periods.ts";
import { readRevenue, type WrittenRevenue, writeRevenue } from "./revenue.ts";
import { readReratings, type WrittenReratings, writeReratings } from "./reratings.ts";

/** The version of every entry written now. */
export const entryVersion = 1;

/** The text of an entry: JSON in one line, without the newline. */
export function encodeEntry(entry: Entry): string {
  switch (entry.kind) {
    case "start":
      return JSON.stringify({ v: entryVersion, kind: "start", call: writeStart(entry.call) });
    case "end":
      return JSON.stringify({ v: entryVersion, kind: "end", call: writeEnd(entry.call) });
    case "observation":
      return JSON.stringify({ v: entryVersion, kind: "observation", observation: writeObservation(entry.observation) });
    case "key.created":
      return JSON.stringify({ v: entryVersion, kind: entry.kind, atMs: entry.atMs, key: writeKey(entry.key) });
    case "work.begun":
      return JSON.stringify({ v: entryVersion, kind: entry.kind, work: writeWork(entry.work) });
    case "charge":
      return JSON.stringify({ v: entryVersion, kind: entry.kind, charge: writePeriod(entry.charge) });
    case "prices.taken":
      return JSON.stringify({ v: entryVersion, kind: entry.kind, list: writeTaken(entry.list) });
    case "rerated": {
      const { rerate, atMs } = entry;
      return JSON.stringify({ v: entryVersion, kind: entry.kind, rerate, atMs, ...writeReratings(entry.calls) });
    }
    case "closed":
      return JSON.stringify({ v: entryVersion, kind: entry.kind, closing: writeClosing(entry.closing) });
    case "reconciled":
      return JSON.stringify({ v: entryVersion, kind: entry.kind, reconciled: writeReconciled(entry.reconciled) });
    case "task.begun":
      return JSON.stringify({ v: entryVersion, kind: entry.kind, task: writeTask(entry.task) });
    case "outcome":
      return JSON.stringify({ v: entryVersion, kind: entry.kind, outcome: writeOutcome(entry.outcome) });
    case "revenue":
      return JSON.stringify({ v: entryVersion, kind: entry.kind, revenue: writeRevenue(entry.revenue) });
    case "budget.set":
    case "budget.unset":
    case "budget.granted":
    case "budget.opened":
    case "refused":
    case "halted":
    case "resumed":
    case "presumed.settled":
      return JSON.stringify({ v: entryVersion, ...writeGuardEntry(entry) });
    case "run":
    case "seen":
    case "work.moved":
    case "work.ended":
    case "charge.voided":
    case "revenue.voided":
    case "key.revoked":
    case "gap":
    case "clock":
      return JSON.stringify({ v: entryVersion, ...entry });
  }
}

/**
 * Reads the text of an entry of any version that was ever written. `at` says where it stands, for the error.
 * @throws PennyworthError `journal_damaged` when it is not JSON, or of a version or kind that this Pennyworth does not know.
 */
export function decodeEntry(text: string, at?: Position): Entry {
  const json = parse(text, at);
  if (json.v !== entryVersion) throw damaged(`an entry of version ${JSON.stringify(json.v)}; a newer Pennyworth may have written it`, at);
  switch (json.kind) {
    case "start":
      return { kind: "start", call: readStart(json.call) };
    case "end":
      return { kind: "end", call: readEnd(json.call) };
    case "observation":
      return { kind: "observation", observation: readObservation(json.observation) };
    case "key.created":
      return { kind: "key.created", atMs: json.atMs, key: readKey(json.key) };
    case "run":
      return { kind: "run", run: json.run, atMs: json.atMs, version: json.version };
    case "seen":
      return { kind: "seen", id: json.id, responseId: json.responseId };
    case "work.begun":
      return { kind: "work.begun", work: readWork(json.work) };
    case "work.moved":
      return { kind: "work.moved", id: json.id, atMs: json.atMs, expiresMs: json.expiresMs };
    case "work.ended":
      return { kind: "work.ended", id: json.id, atMs: json.atMs, status: json.status };
    case "charge":
      return { kind: "charge", charge: readPeriod(json.charge) };
    case "charge.voided":
      return { kind: "charge.voided", id: json.id, atMs: json.atMs };
    case "prices.taken":
      return { kind: "prices.taken", list: { ...json.list, hash: json.list.hash ?? null } };
    case "rerated":
      return { kind: "rerated", rerate: json.rerate, atMs: json.atMs, calls: readReratings(json) };
    case "closed":
      return { kind: "closed", closing: { ...json.closing, costPico: toPico(BigInt(json.closing.costPico)) } };
    case "reconciled":
      return { kind: "reconciled", reconciled: readReconciled(json.reconciled) };
    case "task.begun":
      return { kind: "task.begun", task: readTask(json.task) };
    case "outcome":
      return { kind: "outcome", outcome: readOutcome(json.outcome) };
    case "revenue":
      return { kind: "revenue", revenue: readRevenue(json.revenue) };
    case "revenue.voided":
      return { kind: "revenue.voided", id: json.id, atMs: json.atMs };
    case "key.revoked":
      return { kind: "key.revoked", atMs: json.atMs, id: json.id };
    case "gap":
      return { kind: "gap", fromMs: json.fromMs, toMs: json.toMs, calls: json.calls, cause: json.cause };
    case "clock":
      return { kind: "clock", atMs: json.atMs, byMs: json.byMs };
    case "budget.set":
    case "budget.unset":
    case "budget.granted":
    case "budget.opened":
    case "refused":
    case "halted":
    case "resumed":
    case "presumed.settled":
      return readGuardEntry(json);
    default:
      throw damaged(`an entry of the unknown kind ${JSON.stringify((json as { kind?: unknown }).kind)}`, at);
  }
}

const startHead = `{"v":${entryVersion},"kind":"start","call":{"id":"`;
const endHead = `{"v":${entryVersion},"kind":"end","call":{"id":"`;

/** The call's id if the text is a start or an end, without parsing the rest: a restart reads hundreds of thousands. Else null. */
export function peekCall(text: string): { readonly kind: "start" | "end"; readonly id: string } | null {
  const kind = text.startsWith(endHead) ? "end" : text.startsWith(startHead) ? "start" : null;
  if (kind === null) return null;
  const from = (kind === "end" ? endHead : startHead).length;
  const id = text.slice(from, text.indexOf('"', from));
  if (!id.includes("\\")) return { kind, id };
  const entry = decodeEntry(text);
  return entry.kind === "start" || entry.kind === "end" ? { kind, id: entry.call.id } : null;
}

export function damaged(detail: string, at?: Position, cause?: unknown): PennyworthError {
  const where = at === undefined ? "" : ` in segment ${at.segment} at byte ${at.offset}`;
  return new PennyworthError("journal_damaged", { detail: `${detail}${where}` }, cause);
}

type WrittenHold = Written<
  CallStart["hold"],
  {
    readonly uses?: CallStart["hold"]["uses"] | undefined;
    readonly reads?: CallStart["hold"]["reads"] | undefined;
    readonly tiers?: CallStart["hold"]["tiers"] | undefined;
  }
>;
type WrittenCharge = Written<Charge, { readonly ratePico: string; readonly ratePer: string; readonly costPico: string }>;
type WrittenPart = Written<UsagePart>;
type WrittenUsage = Written<
  Usage,
  { readonly parts?: readonly WrittenPart[] | undefined; readonly sources?: NonNullable<Usage["sources"]> | undefined }
>;
type WrittenStart = Written<
  CallStart,
  { readonly attribution?: WrittenAttribution | undefined; readonly hold: WrittenHold; readonly guard?: WrittenMark | undefined }
>;
interface WrittenRating {
  readonly usage?: WrittenUsage | undefined;
  readonly charges?: readonly WrittenCharge[] | undefined;
}
type WrittenEnd = Written<CallEnd, WrittenRating>;
type WrittenObservation = Written<Observation, WrittenRating & { readonly attribution?: WrittenAttribution | undefined }>;
type WrittenKey = Written<Key>;
type WrittenTaken = Written<TakenList>;
type WrittenClosing = Written<Closing, { readonly costPico: string }>;
type WrittenReconciled = Written<
  Reconciled,
  { readonly statedPico?: string | undefined; readonly valuedPico?: string | undefined; readonly ledgerPico: string }
>;
type WrittenEntry = { readonly v: unknown } & (
  | { readonly kind: "start"; readonly call: WrittenStart }
  | { readonly kind: "end"; readonly call: WrittenEnd }
  | { readonly kind: "observation"; readonly observation: WrittenObservation }
  | { readonly kind: "work.begun"; readonly work: WrittenWork }
  | { readonly kind: "charge"; readonly charge: WrittenPeriod }
  | { readonly kind: "key.created"; readonly atMs: number; readonly key: WrittenKey }
  | { readonly kind: "task.begun"; readonly task: WrittenTask }
  | { readonly kind: "outcome"; readonly outcome: WrittenOutcome }
  | { readonly kind: "revenue"; readonly revenue: WrittenRevenue }
  | { readonly kind: "prices.taken"; readonly list: WrittenTaken }
  | ({ readonly kind: "rerated"; readonly rerate: string; readonly atMs: number } & WrittenReratings)
  | { readonly kind: "closed"; readonly closing: WrittenClosing }
  | { readonly kind: "reconciled"; readonly reconciled: WrittenReconciled }
  | WrittenGuardEntry
  | Extract<
      Entry,
      { kind: "run" | "seen" | "work.moved" | "work.ended" | "charge.voided" | "revenue.voided" | "key.revoked" | "gap" | "clock" }
    >
);

/** The checksum stands for the shape: only version and kind are looked at, or a rebuild would take several times as long. */
function parse(text: string, at: Position | undefined): WrittenEntry {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged("an entry that is not JSON", at, cause);
  }
  if (typeof json !== "object" || json === null) throw damaged("an entry that is not a JSON object", at);
  return json as WrittenEntry;
}

function writeStart(call: CallStart): WrittenStart {
  return {
    id: call.id,
    request: call.request,
    attempt: call.attempt,
    reason: call.reason,
    cause: call.cause ?? undefined,
    startMs: call.startMs,
    attribution: writeAttribution(call.attribution),
    isRootTaken: call.isRootTaken,
    key: call.key ?? undefined,
    provider: call.provider,
    format: call.format,
    endpoint: call.endpoint,
    pool: call.pool,
    region: call.region ?? undefined,
    modelAsked: call.modelAsked ?? undefined,
    modelSent: call.modelSent ?? undefined,
    tierAsked: call.tierAsked ?? undefined,
    capAsked: call.capAsked ?? undefined,
    capInForce: call.capInForce ?? undefined,
    effort: call.effort ?? undefined,
    streamed: call.streamed,
    trace: call.trace ?? undefined,
    span: call.span ?? undefined,
    requestBytes: call.requestBytes,
    promptBytes: call.promptBytes,
    toolNames: some(call.toolNames),
    prefix: some(call.prefix),
    sharedBytes: call.sharedBytes,
    repeats: call.repeats,
    edits: some(call.edits),
    hold: {
      inputTokens: call.hold.inputTokens,
      outputTokens: call.hold.outputTokens ?? undefined,
      cost: call.hold.cost ?? undefined,
      unbounded: call.hold.unbounded ?? undefined,
      uses: call.hold.uses,
      reads: call.hold.reads,
      tiers: call.hold.tiers,
    },
    guard: call.guard === undefined ? undefined : writeMark(call.guard),
  };
}

function readStart(call: WrittenStart): CallStart {
  return {
    id: call.id,
    request: call.request,
    attempt: call.attempt,
    reason: call.reason,
    cause: call.cause ?? null,
    startMs: call.startMs,
    attribution: readAttribution(call.attribution),
    key: call.key ?? null,
    provider: call.provider,
    format: call.format,
    endpoint: call.endpoint,
    pool: call.pool,
    region: call.region ?? null,
    modelAsked: call.modelAsked ?? null,
    modelSent: call.modelSent ?? null,
    tierAsked: call.tierAsked ?? null,
    capAsked: call.capAsked ?? null,
    capInForce: call.capInForce ?? null,
    effort: call.effort ?? null,
    streamed: call.streamed,
    trace: call.trace ?? null,
    span: call.span ?? null,
    requestBytes: call.requestBytes,
    promptBytes: call.promptBytes,
    toolNames: call.toolNames ?? [],
    prefix: call.prefix ?? [],
    edits: call.edits ?? [],
    hold: {
      inputTokens: call.hold.inputTokens,
      outputTokens: call.hold.outputTokens ?? null,
      cost: call.hold.cost ?? null,
      unbounded: call.hold.unbounded ?? null,
      ...(call.hold.uses === undefined ? {} : { uses: call.hold.uses }),
      ...(call.hold.reads === undefined ? {} : { reads: call.hold.reads }),
      ...(call.hold.tiers === undefined ? {} : { tiers: call.hold.tiers }),
    },
    ...(call.isRootTaken === undefined ? {} : { isRootTaken: call.isRootTaken }),
    ...(call.sharedBytes === undefined ? {} : { sharedBytes: call.sharedBytes }),
    ...(call.repeats === undefined ? {} : { repeats: call.repeats }),
    ...(call.guard === undefined ? {} : { guard: readMark(call.guard) }),
  };
}

function writeEnd(call: CallEnd): WrittenEnd {
  return {
    id: call.id,
    endMs: call.endMs,
    firstByteMs: call.firstByteMs ?? undefined,
    firstTokenMs: call.firstTokenMs ?? undefined,
    status: call.status,
    httpStatus: call.httpStatus ?? undefined,
    error: call.error ?? undefined,
    clientGone: call.clientGone,
    finish: call.finish ?? undefined,
    modelAnswered: call.modelAnswered ?? undefined,
    tierServed: call.tierServed ?? undefined,
    responseId: call.responseId ?? undefined,
    providerRequest: call.providerRequest ?? undefined,
    answerBytes: call.answerBytes,
    tools: call.tools,
    costReported: call.costReported,
    poolServed: call.poolServed,
    usage: writeUsage(call.usage),
    charges: some(call.charges.map(writeCharge)),
    unpriced: some(call.unpriced),
    atMost: call.atMost,
  };
}

function readEnd(call: WrittenEnd): CallEnd {
  return {
    id: call.id,
    endMs: call.endMs,
    firstByteMs: call.firstByteMs ?? null,
    firstTokenMs: call.firstTokenMs ?? null,
    status: call.status,
    httpStatus: call.httpStatus ?? null,
    error: call.error ?? null,
    clientGone: call.clientGone,
    finish: call.finish ?? null,
    modelAnswered: call.modelAnswered ?? null,
    tierServed: call.tierServed ?? null,
    responseId: call.responseId ?? null,
    providerRequest: call.providerRequest ?? null,
    answerBytes: call.answerBytes,
    ...(call.tools === undefined ? {} : { tools: call.tools }),
    ...(call.costReported === undefined ? {} : { costReported: call.costReported }),
    ...(call.poolServed === undefined ? {} : { poolServed: call.poolServed }),
    ...readRating(call),
    ...(call.atMost === undefined ? {} : { atMost: call.atMost }),
  };
}

function writeObservation(seen: Observation): WrittenObservation {
  return {
    id: seen.id,
    witness: seen.witness,
    observedMs: seen.observedMs,
    startMs: seen.startMs,
    provider: seen.provider,
    format: seen.format,
    endpoint: seen.endpoint,
    key: seen.key ?? undefined,
    attribution: writeAttribution(seen.attribution),
    responseId: seen.responseId,
    modelAnswered: seen.modelAnswered ?? undefined,
    tierServed: seen.tierServed ?? undefined,
    finish: seen.finish ?? undefined,
    status: seen.status,
    usage: writeUsage(seen.usage),
    charges: some(seen.charges.map(writeCharge)),
    unpriced: some(seen.unpriced),
  };
}

function readObservation(seen: WrittenObservation): Observation {
  return {
    id: seen.id,
    witness: seen.witness,
    observedMs: seen.observedMs,
    startMs: seen.startMs,
    provider: seen.provider,
    format: seen.format,
    endpoint: seen.endpoint,
    key: seen.key ?? null,
    attribution: readAttribution(seen.attribution),
    responseId: seen.responseId,
    modelAnswered: seen.modelAnswered ?? null,
    tierServed: seen.tierServed ?? null,
    finish: seen.finish ?? null,
    status: seen.status,
    ...readRating(seen),
  };
}

function writeUsage(usage: Usage | null): WrittenUsage | undefined {
  if (usage === null) return undefined;
  return {
    parts: some(usage.parts.map((part) => ({ kind: part.kind, model: part.model ?? undefined, quantities: part.quantities }))),
    source: usage.source,
    sources: usage.sources,
    doubts: some(usage.doubts),
    raw: usage.raw ?? undefined,
  };
}

function readUsage(usage: WrittenUsage): Usage {
  const read = {
    parts: (usage.parts ?? []).map((part) => ({ kind: part.kind, model: part.model ?? null, quantities: part.quantities })),
    source: usage.source,
    doubts: usage.doubts ?? [],
    raw: usage.raw ?? null,
  };
  return usage.sources === undefined ? read : { ...read, sources: usage.sources };
}

function readRating(rated: WrittenRating & { readonly unpriced?: readonly UsageClass[] | undefined }): {
  usage: Usage | null;
  charges: readonly Charge[];
  unpriced: readonly UsageClass[];
} {
  return {
    usage: rated.usage === undefined ? null : readUsage(rated.usage),
    charges: (rated.charges ?? []).map(readCharge),
    unpriced: rated.unpriced ?? [],
  };
}

function writeCharge(charge: Charge): WrittenCharge {
  return {
    class: charge.class,
    quantity: charge.quantity,
    source: charge.source,
    model: charge.model,
    part: charge.part,
    price: charge.price,
    ratePico: charge.ratePico.toString(),
    ratePer: charge.ratePer.toString(),
    costPico: charge.costPico.toString(),
  };
}

function readCharge(charge: WrittenCharge): Charge {
  return {
    class: charge.class,
    quantity: charge.quantity,
    source: charge.source,
    model: charge.model,
    part: charge.part,
    price: charge.price,
    ratePico: BigInt(charge.ratePico),
    ratePer: BigInt(charge.ratePer),
    costPico: toPico(BigInt(charge.costPico)) satisfies Pico,
  };
}

function writeKey(key: Key): WrittenKey {
  return { id: key.id, name: key.name, team: key.team ?? undefined, role: key.role, hash: key.hash, createdMs: key.createdMs };
}

function readKey(key: WrittenKey): Key {
  return { id: key.id, name: key.name, team: key.team ?? null, role: key.role, hash: key.hash, createdMs: key.createdMs };
}

function writeTaken(list: TakenList): WrittenTaken {
  const { source, version, hash, knownMs, takenMs, own, records } = list;
  return { source, version, hash: hash ?? undefined, knownMs, takenMs, own, records };
}

function writeClosing({ month, atMs, costPico, calls, statement }: Closing): WrittenClosing {
  return { month, atMs, costPico: costPico.toString(), calls, statement };
}

function writeReconciled(one: Reconciled): WrittenReconciled {
  const { statedPico, valuedPico, ledgerPico, hash, ...rest } = one;
  return {
    ...rest,
    statedPico: statedPico?.toString(),
    valuedPico: valuedPico?.toString(),
    ledgerPico: ledgerPico.toString(),
    hash,
  };
}

function readReconciled(one: WrittenReconciled): Reconciled {
  const { id, atMs, provider, fromMs, toMs, statedPico, valuedPico, ledgerPico, hash } = one;
  const stated = statedPico === undefined ? null : toPico(BigInt(statedPico));
  const valued = valuedPico === undefined ? null : toPico(BigInt(valuedPico));
  return { id, atMs, provider, fromMs, toMs, statedPico: stated, valuedPico: valued, ledgerPico: toPico(BigInt(ledgerPico)), hash };
}
