// Statements as people know them, and that their order of arrival says nothing.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toPico } from "./money.ts";
import { endingOf, judges, type Outcome, results } from "./outcome.ts";

const said = (terms: Partial<Outcome>): Outcome => ({
  id: `${terms.judge ?? "self"}-${terms.source ?? ""}-${terms.atMs ?? 0}`,
  task: "t",
  atMs: 0,
  result: null,
  judge: "self",
  source: null,
  valuePico: null,
  reviewMillis: null,
  reason: null,
  key: null,
  ...terms,
});

/** Of statements in the order of their times. */
function worth(...list: Partial<Outcome>[]): bigint | null {
  return endingOf(list.map((terms, atMs) => said({ atMs, ...terms }))).valuePico;
}

describe("an ending", () => {
  it("is unknown where nobody said anything", () => {
    expect(endingOf([])).toMatchObject({
      result: "unknown",
      judge: null,
      self: null,
      checked: null,
      isContradictory: false,
      statements: 0,
    });
  });

  it("accepted on Monday, reverted on Friday: a failure, by the same person, and no contradiction", () => {
    const monday = said({ judge: "person", source: "ada", atMs: 1, result: "success", valuePico: toPico(5n) });
    const friday = said({ judge: "person", source: "ada", atMs: 5, result: "failure", reason: "reverted" });
    expect(endingOf([friday, monday])).toMatchObject({
      result: "failure",
      reason: "reverted",
      atMs: 5,
      isContradictory: false,
      valuePico: 0n,
    });
    const salvaged = said({ judge: "person", source: "ada", atMs: 6, valuePico: toPico(1n) });
    expect(endingOf([friday, monday, salvaged]).valuePico).toBe(1n);
    expect(endingOf([friday]).valuePico).toBeNull();
  });

  it("is worth what was last said for how it ended", () => {
    const [two, three, seven] = [toPico(2n), toPico(3n), toPico(7n)];
    expect(worth({ valuePico: seven }, { result: "success" })).toBe(7n);
    expect(worth({ valuePico: seven }, { result: "success", valuePico: three })).toBe(3n);
    // A value that was put right does not come back.
    expect(worth({ valuePico: seven }, { result: "success", valuePico: three }, { result: "failure", judge: "check" })).toBe(0n);
    expect(worth({ result: "success", valuePico: seven }, { result: "unknown" })).toBeNull();
    expect(worth({ result: "success", valuePico: seven }, { result: "failure", valuePico: two }, { result: "success" })).toBe(7n);
    expect(worth({ result: "success", judge: "check" }, { valuePico: seven })).toBe(7n);
  });

  it("is what the check says and not what the program says of itself, and the two are kept apart and shown to differ", () => {
    const own = said({ result: "success", atMs: 9 });
    const check = said({ judge: "check", source: "ci", result: "failure", atMs: 2 });
    expect(endingOf([own, check])).toMatchObject({
      result: "failure",
      judge: "check",
      self: "success",
      checked: "failure",
      isContradictory: true,
    });
  });

  it("falls back to who knows: a person who takes a judgement back leaves the check's", () => {
    const check = said({ judge: "check", source: "ci", result: "success", atMs: 1 });
    const person = [
      said({ judge: "person", source: "ada", result: "failure", atMs: 2 }),
      said({ judge: "person", source: "ada", result: "unknown", atMs: 3 }),
    ];
    expect(endingOf([check, ...person])).toMatchObject({ result: "success", judge: "check", isContradictory: false });
  });

  it("adds up the time of all who checked, each as it said last", () => {
    const ada = [
      said({ judge: "person", source: "ada", reviewMillis: 60_000, atMs: 1 }),
      said({ judge: "person", source: "ada", reviewMillis: 90_000, atMs: 2 }),
    ];
    const eve = said({ judge: "person", source: "eve", reviewMillis: 30_000, atMs: 1 });
    expect(endingOf([...ada, eve])).toMatchObject({ reviewMillis: 120_000, result: "unknown", judge: null });
  });
});

it("is what a source said last, also of the same moment", () => {
  const [first, second] = [
    said({ id: "b", atMs: 1, result: "success", valuePico: toPico(5n) }),
    said({ id: "a", atMs: 1, result: "failure" }),
  ];
  expect(endingOf([first, second])).toMatchObject({ result: "failure", valuePico: toPico(0n), isContradictory: false });
  expect(endingOf([second, first])).toMatchObject({ result: "success", valuePico: toPico(5n), isContradictory: false });
});

it("does not depend on the order in which statements of other times came, nor on how often", () => {
  const outcome = fc.record({
    judge: fc.constantFrom(...judges),
    source: fc.constantFrom(null, "a", "b"),
    result: fc.constantFrom(null, ...results),
    valuePico: fc.option(fc.bigInt(0n, 9n).map(toPico)),
    reviewMillis: fc.option(fc.nat(9)),
  });
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (list, keys) => {
      const all = list.map((terms, index) => said({ ...terms, atMs: index, id: `id${index}` }));
      const shuffled = all
        .map((one) => [keys.next().value ?? 0, one] as const)
        .toSorted(([a], [b]) => a - b)
        .map(([, one]) => one);
      expect(endingOf([...shuffled, ...all.slice(0, 3)])).toEqual(endingOf(all));
    }),
  );
});
