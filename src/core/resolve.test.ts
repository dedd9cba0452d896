import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { CallEnd, Observation } from "./call.ts";
import { markOf } from "./mark.ts";
import { toPico } from "./money.ts";
import { type Correction, type Evidence, resolve } from "./resolve.ts";
import type { QuantitySource, Usage } from "./usage.ts";

const usageOf = (source: QuantitySource, output: number): Usage => ({
  parts: [{ kind: "message", model: null, quantities: { output } }],
  source,
  doubts: [],
  raw: null,
});
const chargeOf = (source: QuantitySource, quantity: number): CallEnd["charges"][number] => ({
  class: "output",
  quantity,
  source,
  model: "m",
  part: 0,
  price: "p",
  ratePico: 1n,
  ratePer: 1n,
  costPico: toPico(BigInt(quantity)),
});

function endOf(changes: Partial<CallEnd>): CallEnd {
  return {
    id: "call",
    endMs: 1000,
    firstByteMs: 5,
    firstTokenMs: null,
    status: "complete",
    httpStatus: 200,
    error: null,
    clientGone: false,
    finish: null,
    modelAnswered: null,
    tierServed: null,
    responseId: "r",
    providerRequest: null,
    answerBytes: 10,
    usage: null,
    charges: [],
    unpriced: [],
    ...changes,
  };
}

function seenOf(changes: Partial<Observation>): Observation {
  return {
    id: "seen",
    witness: "fetch",
    observedMs: 2000,
    startMs: 1,
    provider: "openai",
    format: "openai-responses",
    endpoint: "/v1/responses",
    key: null,
    attribution: {} as Observation["attribution"],
    responseId: "r",
    modelAnswered: null,
    tierServed: null,
    finish: null,
    status: "complete",
    usage: null,
    charges: [],
    unpriced: [],
    ...changes,
  };
}

const rated = (source: QuantitySource, output: number): Pick<CallEnd, "usage" | "charges"> => ({
  usage: usageOf(source, output),
  charges: [chargeOf(source, output)],
});

test.each<[string, Evidence["ends"], Evidence["observations"], number | null, CallEnd["status"] | undefined]>([
  ["nothing is known yet", [], [], null, undefined],
  ["the gateway's report beats an equal one", [endOf(rated("reported", 1))], [seenOf(rated("reported", 2))], 1, "complete"],
  ["a report beats a partial one", [endOf({ status: "cut", ...rated("partial", 1) })], [seenOf(rated("reported", 2))], 2, "cut"],
  ["a partial report beats an estimate", [endOf({ status: "cut", ...rated("estimated", 9) })], [seenOf(rated("partial", 2))], 2, "cut"],
  [
    "an estimate beats what was presumed",
    [endOf({ status: "presumed", ...rated("presumed", 9) })],
    [seenOf(rated("estimated", 2))],
    2,
    "complete",
  ],
  ["a witness without usage takes nothing away", [endOf(rated("estimated", 9))], [seenOf({})], 9, "complete"],
  [
    "a later end replaces a presumed one",
    [endOf({ status: "presumed", ...rated("presumed", 9) }), endOf(rated("reported", 3))],
    [],
    3,
    "complete",
  ],
  [
    "two later witnesses: the later one",
    [],
    [seenOf(rated("reported", 1)), seenOf({ id: "b", observedMs: 3000, ...rated("reported", 2) })],
    2,
    "complete",
  ],
])("%s", (_name, ends, observations, output, status) => {
  const { end } = resolve({ start: null, ends, observations });
  expect(end?.usage?.parts[0]?.quantities.output ?? null).toBe(output);
  expect(end?.charges.map((charge) => charge.costPico)).toEqual(output === null ? end?.charges.map(() => 0n) : [BigInt(output)]);
  expect(end?.status).toBe(status);
});

test("what the best witness left unsaid comes from another", () => {
  const ends = [endOf({ status: "cut", modelAnswered: "from-gateway", finish: null, ...rated("estimated", 9) })];
  const observations = [seenOf({ finish: "stop", tierServed: "flex", ...rated("reported", 2) })];
  const { end, witnesses } = resolve({ start: null, ends, observations });
  expect(end).toMatchObject({ id: "call", endMs: 1000, firstByteMs: 5, modelAnswered: "from-gateway", finish: "stop", tierServed: "flex" });
  expect(witnesses).toEqual(["fetch", "gateway"]);
});

test("a later witness's report wins for usage and cost, and how the call went stays the gateway's to say", () => {
  const ends = [endOf({ status: "cut", clientGone: true, ...rated("estimated", 9) })];
  const observations = [seenOf({ id: "a", startMs: 90_000, observedMs: 99_000, ...rated("reported", 2) })];
  const { end } = resolve({ start: null, ends, observations });
  expect(end).toEqual({ ...ends[0], ...rated("reported", 2) });
});

const source = fc.constantFrom<QuantitySource[]>("reported", "partial", "estimated", "presumed");
const status = fc.constantFrom<CallEnd["status"][]>("complete", "failed", "cut", "aborted", "presumed");
const said = fc.record({
  ms: fc.nat(3),
  status,
  source: fc.option(source, { nil: null }),
  output: fc.nat(3),
  word: fc.constantFrom(null, "a", "b"),
  witness: fc.constantFrom("fetch", "export"),
});
const ratedBy = (made: { source: QuantitySource | null; output: number }): Partial<Pick<CallEnd, "usage" | "charges">> =>
  made.source === null ? {} : rated(made.source, made.output);

test("any order, and any repetition, gives the same result; and it is what one witness said, never a sum", () => {
  fc.assert(
    fc.property(
      fc.array(said, { maxLength: 4 }),
      fc.array(said, { maxLength: 5 }),
      fc.infiniteStream(fc.nat(1000)),
      (made, seen, stream) => {
        const ends = made.map((one) =>
          endOf({ endMs: one.ms, status: one.status, finish: one.word, modelAnswered: one.word, ...ratedBy(one) }),
        );
        const observations = seen.map((one, index) =>
          seenOf({ id: `o${index}`, observedMs: one.ms, witness: one.witness, status: one.status, tierServed: one.word, ...ratedBy(one) }),
        );
        const shuffled = <T>(list: readonly T[]): T[] =>
          [...list, ...list.slice(0, 1)]
            .map((item) => ({ item, key: stream.next().value ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ item }) => item);
        const once = resolve({ start: null, ends, observations });
        expect(resolve({ start: null, ends: shuffled(ends), observations: shuffled(observations) })).toEqual(once);
        const usages = [...ends, ...observations].map((one) => one.usage);
        if (once.end !== null) expect(usages).toContainEqual(once.end.usage);
      },
    ),
  );
});

const pricedAt = (end: CallEnd, picos: bigint): Pick<Correction, "charges" | "unpriced"> => ({
  charges: end.charges.map((charge) => ({ ...charge, ratePico: picos, costPico: toPico(picos * BigInt(charge.quantity)) })),
  unpriced: [],
});
const corrected = (end: CallEnd, rerate: string, atMs: number, picos: bigint): Correction => ({
  rerate,
  atMs,
  of: markOf(end),
  ...pricedAt(end, picos),
});

test("a correction holds for the end it names alone, and the latest of several does", () => {
  const cut = endOf({ status: "cut", ...rated("partial", 7) });
  const better = seenOf(rated("reported", 9));
  const early = corrected(cut, "b", 10, 2n);
  const late = corrected(cut, "a", 20, 3n);
  const costOf = (evidence: Partial<Evidence>): unknown =>
    resolve({ start: null, ends: [cut], observations: [], ...evidence }).end?.charges.map(({ costPico }) => costPico);
  expect(costOf({})).toEqual([7n]);
  expect(costOf({ corrections: [early] })).toEqual([14n]);
  expect(costOf({ corrections: [late, early] })).toEqual([21n]);
  // At the same moment the greater id holds.
  expect(costOf({ corrections: [{ ...early, atMs: 20 }, late] })).toEqual([14n]);
  // What was seen later was rated when it was seen.
  expect(costOf({ corrections: [late], observations: [better] })).toEqual([9n]);
  expect(costOf({ corrections: [late, { ...corrected(endOf(rated("reported", 9)), "c", 5, 4n) }], observations: [better] })).toEqual([36n]);
  expect(resolve({ start: null, ends: [cut], observations: [], corrections: [late] }).end).toEqual({ ...cut, ...pricedAt(cut, 3n) });
});

test("no order of evidence and corrections, and no repetition, changes what holds", () => {
  const source = fc.constantFrom<QuantitySource[]>("reported", "partial", "estimated", "presumed");
  const one = fc.record({ source, output: fc.integer({ min: 1, max: 3 }), endMs: fc.nat(3), gateway: fc.boolean() });
  const said = fc.record({ of: fc.nat(9), rerate: fc.constantFrom("a", "b", "c"), atMs: fc.nat(3) });
  fc.assert(
    fc.property(
      fc.array(one, { minLength: 1, maxLength: 5 }),
      fc.array(said, { maxLength: 8 }),
      fc.func(fc.nat()),
      (known, saids, shuffle) => {
        const ends = known.filter(({ gateway }) => gateway).map(({ source, output, endMs }) => endOf({ endMs, ...rated(source, output) }));
        const observations = known
          .filter(({ gateway }) => !gateway)
          .map(({ source, output, endMs }) => seenOf({ id: `seen-${endMs}`, observedMs: endMs, ...rated(source, output) }));
        const marks = [...ends, ...observations];
        // One re-rating says one thing of one end.
        const corrections = saids.map(({ of, rerate, atMs }): Correction => {
          const end = marks[of % marks.length] as CallEnd;
          return corrected(end, rerate, atMs, BigInt(atMs * 10 + rerate.charCodeAt(0)));
        });
        const mix = <T>(list: readonly T[]): T[] => [...list, ...list].toSorted((a, b) => shuffle(a) - shuffle(b));
        expect(resolve({ start: null, ends: mix(ends), observations: mix(observations), corrections: mix(corrections) })).toEqual(
          resolve({ start: null, ends, observations, corrections }),
        );
      },
    ),
  );
});

test("marks tell what was used and charged apart, and nothing else", () => {
  const end = endOf(rated("reported", 7));
  expect(markOf(end)).toBe(markOf(endOf({ finish: "stop", endMs: 9, ...rated("reported", 7) })));
  const others = [
    endOf(rated("partial", 7)),
    endOf(rated("reported", 8)),
    endOf({ ...rated("reported", 7), charges: [] }),
    { ...end, charges: end.charges.map((charge) => ({ ...charge, price: "q" })) },
    { ...end, charges: end.charges.map((charge) => ({ ...charge, costPico: toPico(8n) })) },
    endOf({}),
  ];
  expect(new Set([end, ...others].map(markOf)).size).toBe(others.length + 1);
});
