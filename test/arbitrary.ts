// Arbitrary entries for property tests: every kind, every field, hostile strings among them. For tests alone.

import * as fc from "fast-check";
import { type Attribution, attributionFields, type CallEnd, type CallStart, type Observation } from "../src/core/call.ts";
import type { Charge } from "../src/core/charge.ts";
import type { Closing, Entry, Key, Reconciled, Rerated, TakenList } from "../src/core/entry.ts";
import { cost, toPico } from "../src/core/money.ts";
import { judges, type Outcome, results, type TaskBegun } from "../src/core/outcome.ts";
import { type PeriodCharge, periodClasses } from "../src/core/period.ts";
import type { Revenue } from "../src/core/revenue.ts";
import { type Usage, type UsageClass, usageClassNames } from "../src/core/usage.ts";
import { type Work, workKinds } from "../src/core/work.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 24 }),
  fc.string({ maxLength: 24 }),
  fc.constantFrom("", '"', "\\", "\n", "\u0000", "\u2028", "\ud800", "😀", "__proto__", "'; drop table calls; --", "é".repeat(300)),
);
const record = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(shape, { noNullPrototype: true }) as fc.Arbitrary<T>;
const perhaps = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null });
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const ms = fc.integer({ min: 0, max: 4_102_444_800_000 });
const className = fc.constantFrom(...usageClassNames);
const source = fc.constantFrom("reported", "partial", "estimated", "presumed" as const);
const status = fc.constantFrom("complete", "failed", "cut", "aborted", "unreached", "presumed" as const);

const attribution: fc.Arbitrary<Attribution> = record({
  ...(Object.fromEntries(attributionFields.map((field) => [field, perhaps(text)])) as Record<
    (typeof attributionFields)[number],
    fc.Arbitrary<string | null>
  >),
  tags: fc.dictionary(text, text, { maxKeys: 4, noNullPrototype: true }),
});

const charge: fc.Arbitrary<Charge> = record({
  class: className,
  quantity: count,
  source,
  model: text,
  part: fc.nat(9),
  price: text,
  ratePico: fc.bigInt({ min: 0n, max: 10n ** 30n }),
  ratePer: fc.bigInt({ min: 1n, max: 10n ** 20n }),
  costPico: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(toPico),
});

const quantities = fc.dictionary(className, count, { maxKeys: 5, noNullPrototype: true }) as fc.Arbitrary<{
  [name in UsageClass]?: number;
}>;

const usage: fc.Arbitrary<Usage> = fc.record(
  {
    parts: fc.array(record({ kind: text, model: perhaps(text), quantities }), { maxLength: 3 }),
    source,
    sources: fc.dictionary(className, source, { maxKeys: 3, noNullPrototype: true }),
    doubts: fc.array(text, { maxLength: 2 }),
    raw: perhaps(fc.json()),
  },
  { requiredKeys: ["parts", "source", "doubts", "raw"], noNullPrototype: true },
) as fc.Arbitrary<Usage>;

const rating = { usage: perhaps(usage), charges: fc.array(charge, { maxLength: 4 }), unpriced: fc.array(className, { maxLength: 3 }) };

/** Facts that are absent where nobody knows them. */
function withKnown<T extends object, Known extends object>(whole: fc.Arbitrary<T>, known: { [K in keyof Known]: fc.Arbitrary<Known[K]> }) {
  return fc
    .tuple(whole, fc.record<Known, never>(known, { requiredKeys: [], noNullPrototype: true }))
    .map(([some, more]): T & Partial<Known> => ({ ...some, ...more }));
}

const someStart: fc.Arbitrary<CallStart> = record({
  id: text,
  request: text,
  attempt: fc.nat(9),
  reason: fc.constantFrom("first", "retry", "fallback" as const),
  cause: perhaps(text),
  startMs: ms,
  attribution,
  key: perhaps(text),
  provider: text,
  format: text,
  endpoint: text,
  pool: text,
  region: perhaps(text),
  modelAsked: perhaps(text),
  modelSent: perhaps(text),
  tierAsked: perhaps(text),
  capAsked: perhaps(count),
  capInForce: perhaps(count),
  effort: perhaps(text),
  streamed: fc.boolean(),
  trace: perhaps(text),
  span: perhaps(text),
  requestBytes: count,
  promptBytes: record({ system: count, tools: count, user: count, earlier: count, toolResults: count }),
  toolNames: fc.array(text, { maxLength: 3 }),
  prefix: fc.array(text, { maxLength: 3 }),
  edits: fc.array(text, { maxLength: 2 }),
  hold: record({ inputTokens: count, outputTokens: perhaps(count), cost: perhaps(text), unbounded: perhaps(text) }),
});

export const anyStart: fc.Arbitrary<CallStart> = withKnown(someStart, {
  sharedBytes: count,
  repeats: fc.constant(true as const),
  isRootTaken: fc.constant(true as const),
});

const someEnd: fc.Arbitrary<CallEnd> = record({
  id: text,
  endMs: ms,
  firstByteMs: perhaps(ms),
  firstTokenMs: perhaps(ms),
  status,
  httpStatus: perhaps(fc.integer({ min: 100, max: 599 })),
  error: perhaps(text),
  clientGone: fc.boolean(),
  finish: perhaps(text),
  modelAnswered: perhaps(text),
  tierServed: perhaps(text),
  responseId: perhaps(text),
  providerRequest: perhaps(text),
  answerBytes: count,
  ...rating,
});

export const anyEnd: fc.Arbitrary<CallEnd> = withKnown(someEnd, { tools: count });

export const anyObservation: fc.Arbitrary<Observation> = record({
  id: text,
  witness: text,
  observedMs: ms,
  startMs: ms,
  provider: text,
  format: text,
  endpoint: text,
  key: perhaps(text),
  attribution,
  responseId: text,
  modelAnswered: perhaps(text),
  tierServed: perhaps(text),
  finish: perhaps(text),
  status,
  ...rating,
});

const key: fc.Arbitrary<Key> = record({
  id: text,
  name: text,
  team: perhaps(text),
  role: fc.constantFrom("use", "read", "administer" as const),
  hash: text,
  createdMs: ms,
});

const anyWork: fc.Arbitrary<Work> = record({
  id: text,
  kind: fc.constantFrom(...workKinds),
  provider: text,
  format: text,
  path: text,
  ref: text,
  startMs: ms,
  attribution,
  key: perhaps(text),
  model: perhaps(text),
  tokens: perhaps(count),
  expiresMs: perhaps(ms),
});

const anyPeriod: fc.Arbitrary<PeriodCharge> = record({
  id: text,
  class: fc.constantFrom(...periodClasses),
  provider: text,
  model: perhaps(text),
  region: perhaps(text),
  fromMs: ms,
  toMs: ms,
  bookedMs: ms,
  attribution,
  key: perhaps(text),
  witness: text,
  work: perhaps(text),
  quantity: perhaps(count),
  source,
  price: perhaps(
    record({
      model: text,
      version: text,
      ratePico: fc.bigInt({ min: 0n, max: 10n ** 30n }),
      ratePer: fc.bigInt({ min: 1n, max: 10n ** 20n }),
    }),
  ),
  costPico: perhaps(fc.bigInt({ min: 0n, max: 10n ** 30n }).map(toPico)),
});

const anyTaken: fc.Arbitrary<TakenList> = record({
  source: text,
  version: text,
  hash: perhaps(text),
  knownMs: ms,
  takenMs: ms,
  own: fc.boolean(),
  records: count,
});

/** Of few rates, as an entry has them, or of as many as charges. */
const anyRerated: fc.Arbitrary<readonly Rerated[]> = fc
  .tuple(
    fc.array(charge, { minLength: 1, maxLength: 3 }),
    fc.array(record({ call: text, of: text, charges: fc.array(charge, { maxLength: 3 }), unpriced: rating.unpriced }), { maxLength: 5 }),
    fc.boolean(),
  )
  .map(([few, calls, shared]) =>
    shared
      ? calls.map((call, index) => ({
          ...call,
          charges: call.charges.map(({ quantity, part }, at) => {
            const rate = few[(index + at) % few.length] as Charge;
            return { ...rate, quantity, part, costPico: toPico(cost({ pico: rate.ratePico, per: rate.ratePer }, quantity)) };
          }),
        }))
      : calls,
  );

const anyClosing: fc.Arbitrary<Closing> = record({
  month: fc.integer({ min: 0, max: 24 }).map((month) => new Date(Date.UTC(2026, month)).toISOString().slice(0, 7)),
  atMs: ms,
  costPico: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(toPico),
  calls: count,
  statement: text,
});

const anyReconciled: fc.Arbitrary<Reconciled> = record({
  id: text,
  atMs: ms,
  provider: fc.oneof(text, fc.constantFrom("openai", "anthropic")),
  fromMs: ms,
  toMs: ms,
  statedPico: perhaps(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(toPico)),
  valuedPico: perhaps(fc.bigInt({ min: 0n, max: 10n ** 30n }).map(toPico)),
  ledgerPico: fc.bigInt({ min: 0n, max: 10n ** 30n }).map(toPico),
  hash: text,
});

const anyBegun: fc.Arbitrary<TaskBegun> = record({ attribution, beganMs: ms, reworkOf: perhaps(text), key: perhaps(text) });

const anyOutcome: fc.Arbitrary<Outcome> = record({
  id: text,
  task: text,
  atMs: ms,
  result: perhaps(fc.constantFrom(...results)),
  judge: fc.constantFrom(...judges),
  source: perhaps(text),
  valuePico: perhaps(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(toPico)),
  reviewMillis: perhaps(count),
  reason: perhaps(text),
  key: perhaps(text),
});

const anyRevenue: fc.Arbitrary<Revenue> = record({
  id: text,
  customer: perhaps(text),
  plan: perhaps(text),
  feature: perhaps(text),
  every: fc.constantFrom("once" as const, "month" as const),
  amountPico: fc.bigInt({ min: -(10n ** 21n), max: 10n ** 21n }).map(toPico),
  fromMs: ms,
  toMs: perhaps(ms),
  bookedMs: ms,
  witness: text,
  key: perhaps(text),
});

export const anyEntry: fc.Arbitrary<Entry> = fc.oneof(
  record({ kind: fc.constant("run" as const), run: text, atMs: ms, version: text }),
  record({ kind: fc.constant("start" as const), call: anyStart }),
  record({ kind: fc.constant("end" as const), call: anyEnd }),
  record({ kind: fc.constant("observation" as const), observation: anyObservation }),
  record({ kind: fc.constant("key.created" as const), atMs: ms, key }),
  record({ kind: fc.constant("key.revoked" as const), atMs: ms, id: text }),
  record({ kind: fc.constant("work.begun" as const), work: anyWork }),
  record({ kind: fc.constant("work.moved" as const), id: text, atMs: ms, expiresMs: ms }),
  record({ kind: fc.constant("work.ended" as const), id: text, atMs: ms, status: fc.constantFrom("done", "failed", "lost" as const) }),
  record({ kind: fc.constant("charge" as const), charge: anyPeriod }),
  record({ kind: fc.constant("charge.voided" as const), id: text, atMs: ms }),
  record({ kind: fc.constant("prices.taken" as const), list: anyTaken }),
  record({ kind: fc.constant("rerated" as const), rerate: text, atMs: ms, calls: anyRerated }),
  record({ kind: fc.constant("closed" as const), closing: anyClosing }),
  record({ kind: fc.constant("reconciled" as const), reconciled: anyReconciled }),
  record({ kind: fc.constant("task.begun" as const), task: anyBegun }),
  record({ kind: fc.constant("outcome" as const), outcome: anyOutcome }),
  record({ kind: fc.constant("revenue" as const), revenue: anyRevenue }),
  record({ kind: fc.constant("revenue.voided" as const), id: text, atMs: ms }),
  record({ kind: fc.constant("seen" as const), id: text, responseId: text }),
  record({ kind: fc.constant("gap" as const), fromMs: ms, toMs: ms, calls: count, cause: text }),
  record({ kind: fc.constant("clock" as const), atMs: ms, byMs: fc.integer().filter((by) => by !== 0) }),
);
