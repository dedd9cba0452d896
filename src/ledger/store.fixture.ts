// Made-up calls, and what a store must say of them: sums taken from the calls themselves, by code that shares nothing with the stores or
// their projection. For tests alone.

import * as fc from "fast-check";
import { expect } from "vitest";
import { type Attribution, attributionFields, type CallEnd, type CallStart, type Observation } from "../core/call.ts";
import type { Charge } from "../core/charge.ts";
import type { Entry, Position } from "../core/entry.ts";
import { formatUsd, toPico } from "../core/money.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Quantities, QuantitySource, UsageClass } from "../core/usage.ts";
import { addDay, type Day, timesOf, valueOfDay } from "./periods.fixture.ts";
import type { Store } from "./contract.ts";
import type { CallsQuery, ReportField, ReportQuery } from "./store.ts";

export const nobody: Attribution = {
  ...(Object.fromEntries(attributionFields.map((field) => [field, null])) as unknown as Omit<Attribution, "tags">),
  tags: {},
};

export function sampleStart(id: string, changes: Partial<CallStart> = {}): CallStart {
  return {
    id,
    request: `request-${id}`,
    attempt: 1,
    reason: "first",
    cause: null,
    startMs: 1_760_000_000_000,
    attribution: nobody,
    key: null,
    provider: "openai",
    format: "openai-chat",
    endpoint: "/v1/chat/completions",
    pool: "shared",
    region: null,
    modelAsked: "gpt-5",
    modelSent: "gpt-5",
    tierAsked: null,
    capAsked: null,
    capInForce: null,
    effort: null,
    streamed: false,
    trace: null,
    span: null,
    requestBytes: 100,
    promptBytes: { system: 1, tools: 2, user: 3, earlier: 4, toolResults: 5 },
    toolNames: [],
    prefix: [],
    edits: [],
    hold: { inputTokens: 100, outputTokens: null, cost: null, unbounded: "no cap" },
    ...changes,
  };
}

export function sampleCharge(name: UsageClass, quantity: number, picos: bigint, source: QuantitySource = "reported"): Charge {
  return {
    class: name,
    quantity,
    source,
    model: "gpt-5",
    part: 0,
    price: "p1",
    ratePico: picos,
    ratePer: 1n,
    costPico: toPico(picos * BigInt(quantity)),
  };
}

export function sampleEnd(id: string, changes: Partial<CallEnd> = {}): CallEnd {
  return {
    id,
    endMs: 1_760_000_001_000,
    firstByteMs: null,
    firstTokenMs: null,
    status: "complete",
    httpStatus: 200,
    error: null,
    clientGone: false,
    finish: "stop",
    modelAnswered: "gpt-5",
    tierServed: null,
    responseId: null,
    providerRequest: null,
    answerBytes: 10,
    usage: {
      parts: [{ kind: "message", model: null, quantities: { input: 10, output: 5 } }],
      source: "reported",
      doubts: [],
      raw: '{"a":1}',
    },
    charges: [sampleCharge("input", 10, 2_500_000n), sampleCharge("output", 5, 10_000_000n)],
    unpriced: [],
    ...changes,
  };
}

export function sampleObservation(id: string, responseId: string, changes: Partial<Observation> = {}): Observation {
  const { usage, charges, unpriced } = sampleEnd(id);
  return {
    id,
    witness: "fetch",
    observedMs: 1_760_000_009_000,
    startMs: 1_760_000_000_500,
    provider: "openai",
    format: "openai-responses",
    endpoint: "/v1/responses",
    key: null,
    attribution: nobody,
    responseId,
    modelAnswered: "gpt-5",
    tierServed: null,
    finish: "stop",
    status: "complete",
    usage,
    charges,
    unpriced,
    ...changes,
  };
}

/** Entries with positions as a journal would give them, from `from` on. */
export function sampleOutcome(id: string, task: string, changes: Partial<Outcome> = {}): Outcome {
  return {
    id,
    task,
    atMs: 1_700_000_000_000,
    result: "success",
    judge: "check",
    source: null,
    valuePico: null,
    reviewMillis: null,
    reason: null,
    key: null,
    ...changes,
  };
}

export function placed(entries: readonly Entry[], from = 0): { entry: Entry; position: Position }[] {
  return entries.map((entry, index) => ({ entry, position: { segment: 1, offset: (from + index + 1) * 100 } }));
}

export const everything: ReportQuery = { by: [], sinceMs: null, untilMs: null, filters: [], limit: 10_000 };
export const allCalls: CallsQuery = { sinceMs: null, untilMs: null, filters: [], cursor: null, limit: 100 };

const hostile = ["'; DROP TABLE calls; --", '"quoted"', "a\u0000b", "\\", "😀", "x".repeat(10_000), "null", "__proto__", "%", "\n"];

export interface Known {
  readonly start: CallStart;
  readonly end: CallEnd | null;
}

const word = fc.constantFrom<(string | null)[]>(null, "a", "b", "c", ...hostile);
const often = fc.constantFrom<(string | null)[]>(null, "one", "two");
export const dayStartMs = Date.parse("2026-03-28T22:00:00Z");

const quantitiesOf: fc.Arbitrary<Quantities> = fc.record(
  { input: fc.nat(5000), cache_read: fc.nat(5000), output: fc.nat(900), reasoning: fc.nat(900), web_search: fc.nat(3) },
  { requiredKeys: [] },
);

const knownCall: fc.Arbitrary<Known> = fc
  .record({
    at: fc.nat(60 * 3600 * 1000),
    said: fc.record(
      Object.fromEntries(attributionFields.map((field) => [field, word])) as Record<
        (typeof attributionFields)[number],
        fc.Arbitrary<string | null>
      >,
    ),
    tag: word,
    key: often,
    region: often,
    asked: often,
    sent: often,
    answered: often,
    tier: often,
    effort: often,
    finish: often,
    error: often,
    attempt: fc.integer({ min: 1, max: 3 }),
    streamed: fc.boolean(),
    status: fc.constantFrom<CallEnd["status"][]>("complete", "complete", "failed", "cut", "aborted", "unreached", "presumed"),
    httpStatus: fc.constantFrom(null, 200, 429, 500),
    ended: fc.integer({ min: 0, max: 5 }),
    source: fc.constantFrom<QuantitySource[]>("reported", "partial", "estimated", "presumed"),
    quantities: fc.option(quantitiesOf, { nil: null }),
    unpriced: fc.constantFrom<UsageClass[][]>([], [], ["reasoning"], ["output", "web_search"]),
    pico: fc.bigInt({ min: 0n, max: 30_000_000n }),
    doubtful: fc.boolean(),
    reportedCost: fc.constantFrom<("none" | "same" | "other")[]>("none", "same", "other"),
  })
  .map((made) => {
    const tags: Record<string, string> = made.tag === null ? {} : Object.fromEntries([["color of 'it'", made.tag]]);
    const start = sampleStart("", {
      startMs: dayStartMs + made.at,
      attribution: { ...made.said, tags },
      key: made.key,
      region: made.region,
      modelAsked: made.asked,
      modelSent: made.sent,
      tierAsked: made.tier,
      effort: made.effort,
      attempt: made.attempt,
      reason: made.attempt === 1 ? "first" : "retry",
      streamed: made.streamed,
    });
    if (made.ended === 0) return { start, end: null };
    const quantities = made.quantities;
    const priced = Object.entries(quantities ?? {}).filter(([name]) => !made.unpriced.includes(name as UsageClass)) as [
      UsageClass,
      number,
    ][];
    const end = sampleEnd("", {
      endMs: start.startMs + 10,
      status: made.status,
      httpStatus: made.httpStatus,
      error: made.error,
      finish: made.finish,
      modelAnswered: made.answered,
      tierServed: made.tier,
      usage:
        quantities === null
          ? null
          : { parts: [{ kind: "message", model: null, quantities }], source: made.source, doubts: made.doubtful ? ["x"] : [], raw: null },
      charges: priced.map(([name, quantity]) => sampleCharge(name, quantity, made.pico, made.source)),
      unpriced: made.unpriced.filter((name) => quantities?.[name] !== undefined),
      ...(made.reportedCost === "none"
        ? {}
        : { costReported: made.reportedCost === "other" ? "0.5" : formatUsd(costOf(priced, made.pico)) }),
    });
    return { start, end };
  });

function costOf(priced: readonly (readonly [UsageClass, number])[], pico: bigint): bigint {
  return priced.reduce((sum, [, quantity]) => sum + pico * BigInt(quantity), 0n);
}

export const history = fc.array(knownCall, { minLength: 1, maxLength: 40 }).map((calls) =>
  calls.map(({ start, end }, index) => {
    const id = `call-${String((index * 7919) % 1000).padStart(4, "0")}`;
    return { start: { ...start, id }, end: end === null ? null : { ...end, id } };
  }),
);

export function entriesOf(calls: readonly Known[]): Entry[] {
  const starts = calls.map(({ start }): Entry => ({ kind: "start", call: start }));
  const ends = calls.flatMap(({ end }): Entry[] => (end === null ? [] : [{ kind: "end", call: end }]));
  return [...starts, ...ends.reverse()];
}

/** What the field of a call is, said a second time. */
export function valueOf({ start, end }: Known, field: ReportField): string | null {
  if (field.startsWith("tag."))
    return Object.hasOwn(start.attribution.tags, field.slice(4)) ? (start.attribution.tags[field.slice(4)] ?? null) : null;
  const sent = start.modelSent ?? start.modelAsked;
  const answered = end?.modelAnswered ?? null;
  const iso = new Date(start.startMs).toISOString();
  const special: { readonly [name: string]: string | null } = {
    ...timesOf(start.startMs),
    day: iso.slice(0, 10),
    hour: `${iso.slice(0, 13)}:00:00Z`,
    call: start.id,
    model: answered ?? sent,
    differs: answered === null || sent === null ? null : answered === sent ? "no" : "yes",
    disputed: disputeOf(end),
    ...flagsOf({ start, end }),
    tier: end?.tierServed ?? null,
    status: end?.status ?? "open",
    httpStatus: end === null || end.httpStatus === null ? null : String(end.httpStatus),
    error: end?.error ?? null,
    finish: end?.finish ?? null,
    source: end?.usage?.source ?? null,
    witness: "gateway",
    attempt: String(start.attempt),
    streamed: String(start.streamed),
  };
  if (Object.hasOwn(special, field)) return special[field] ?? null;
  if ((attributionFields as readonly string[]).includes(field)) return start.attribution[field as keyof Attribution] as string | null;
  return (start as unknown as Readonly<Record<string, string | null>>)[field] ?? null;
}

/** A call's flags, from what it adds to the sums. */
function flagsOf(call: Known): Record<string, string> {
  const sums = noSums();
  add(sums, call, undefined);
  const names = ["unpriced", "unmetered", "doubtful", "presumed", "failed"] as const;
  return Object.fromEntries(names.map((name) => [name, String(sums[name] > 0)]));
}

/** These calls have their cost said as it would be written here, or said quite otherwise. */
function disputeOf(end: CallEnd | null): string | null {
  if (end?.costReported === undefined || end.unpriced.length > 0) return null;
  let pico = 0n;
  for (const charge of end.charges) pico += charge.ratePico * BigInt(charge.quantity);
  return end.costReported === formatUsd(pico) ? "no" : "yes";
}

export interface Sums {
  calls: number;
  pico: bigint;
  input: number;
  output: number;
  quantity: number;
  unpriced: number;
  unmetered: number;
  doubtful: number;
  presumed: number;
  failed: number;
  periodPico: bigint;
  periodUnpriced: number;
  /** How many quantities are in `quantity`: of none it is null. */
  quantities: number;
}

const inputs = new Set<string>(["input", "cache_read"]);
const outputs = new Set<string>(["output", "reasoning"]);

/** Adds a call, or of it what is of one class (`undefined`: all; null: a call without any). */
function add(sums: Sums, { end }: Known, only: UsageClass | null | undefined): void {
  sums.calls++;
  if (end === null) return;
  const used = Object.entries(end.usage?.parts[0]?.quantities ?? {}) as [UsageClass, number][];
  for (const [name, quantity] of used) {
    if (only !== undefined && name !== only) continue;
    sums.quantity += quantity;
    sums.quantities++;
    if (inputs.has(name)) sums.input += quantity;
    if (outputs.has(name)) sums.output += quantity;
  }
  for (const charge of end.charges) if (only === undefined || charge.class === only) sums.pico += charge.ratePico * BigInt(charge.quantity);
  if (only === undefined ? end.unpriced.length > 0 : only !== null && end.unpriced.includes(only)) sums.unpriced++;
  const refused = end.status === "failed" && (end.httpStatus === null || end.httpStatus >= 400);
  if (end.usage === null && end.status !== "unreached" && !refused) sums.unmetered++;
  if (end.usage !== null && end.usage.source !== "presumed" && end.usage.doubts.length > 0) sums.doubtful++;
  if (end.status === "presumed" || end.usage?.source === "presumed") sums.presumed++;
  if (["failed", "cut", "unreached"].includes(end.status)) sums.failed++;
}

const noSums = (): Sums => ({
  calls: 0,
  pico: 0n,
  input: 0,
  output: 0,
  quantity: 0,
  unpriced: 0,
  unmetered: 0,
  doubtful: 0,
  presumed: 0,
  failed: 0,
  periodPico: 0n,
  periodUnpriced: 0,
  quantities: 0,
});

/** The report a store must give, keyed by group. */
function expected(calls: readonly Known[], by: readonly ReportField[], days: readonly Day[]): { groups: Map<string, Sums>; total: Sums } {
  const groups = new Map<string, Sums>();
  const total = noSums();
  for (const call of calls) {
    add(total, call, undefined);
    const used = Object.keys(call.end?.usage?.parts[0]?.quantities ?? {}) as UsageClass[];
    const classes = by.includes("class") ? (used.length === 0 ? [null] : used) : [undefined];
    for (const name of classes) {
      const key = JSON.stringify(by.map((field) => (field === "class" ? (name ?? null) : valueOf(call, field))));
      const sums = groups.get(key) ?? noSums();
      groups.set(key, sums);
      add(sums, call, name);
    }
  }
  for (const day of days) {
    const key = JSON.stringify(by.map((field) => valueOfDay(day, field)));
    const sums = groups.get(key) ?? noSums();
    groups.set(key, sums);
    addDay(sums, day);
    addDay(total, day);
  }
  return { groups, total };
}

function shown(sums: Sums, quantity: boolean): object {
  const { calls, unpriced, unmetered, doubtful, presumed, failed, periodUnpriced } = sums;
  const periodCost = formatUsd(sums.periodPico);
  const shape = { calls, cost: formatUsd(sums.pico), inputTokens: sums.input, outputTokens: sums.output };
  return {
    ...shape,
    quantity: quantity && sums.quantities > 0 ? sums.quantity : null,
    unpriced,
    unmetered,
    doubtful,
    presumed,
    failed,
    periodCost,
    periodUnpriced,
  };
}

export async function expectReport(store: Store, calls: readonly Known[], query: ReportQuery, days: readonly Day[] = []): Promise<void> {
  const report = await store.report(query);
  const { groups, total } = expected(calls, query.by, days);
  const seen = new Map(report.rows.map(({ group, ...rest }) => [JSON.stringify(group), rest]));
  expect(seen.size).toBe(report.rows.length);
  const byClass = query.by.includes("class");
  expect(seen).toEqual(new Map([...groups].map(([key, sums]) => [key, shown(sums, byClass && !isNullClass(key, query.by))])));
  expect(report.total).toEqual({ group: query.by.map(() => null), ...shown(total, false) });
  expect(report.truncated).toBe(false);
}

/** The row of all these calls and days of period charges. */
export function totalOf(calls: readonly Known[], days: readonly Day[]): object {
  return { group: [], ...shown(expected(calls, [], days).total, false) };
}

function isNullClass(key: string, by: readonly ReportField[]): boolean {
  return (JSON.parse(key) as (string | null)[])[by.indexOf("class")] === null;
}
