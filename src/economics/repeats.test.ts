import { describe, expect, it } from "vitest";
import { parseUsd, toPico } from "../core/money.ts";
import { type Entrant, gather, type Tried } from "./gathered.fixture.ts";
import { generator } from "./interval.ts";
import { gainOf, type Problem } from "./pass.ts";
import { repeatsOf as repeatsOfGathered } from "./repeats.ts";

const repeatsOf = (entrants: readonly Entrant[]) => repeatsOfGathered(entrants.map(gather));

/** `"ssf"` at a case: so many tries, of $1 each unless told. */
function at(of: string, ends: string, dollars: string | null = "1"): Tried[] {
  const endings = { s: "success", f: "failure", u: "unknown", o: "open" } as const;
  return [...ends].map((end) => ({ case: of, ending: endings[end as "s"], costPico: dollars === null ? null : parseUsd(dollars) }));
}

const only = (tries: Tried[]) => repeatsOf([{ id: "a", tries }])?.candidates[0];

const share = (list: string[], holds: (one: string) => boolean) => list.filter(holds).length / list.length;

/** Of all ways to take k of the tries. */
function subsets(ends: string, k: number): string[] {
  if (k === 0) return [""];
  return [...ends].flatMap((end, index) => subsets(ends.slice(index + 1), k - 1).map((rest) => end + rest));
}

describe("several tries at the same piece of work", () => {
  it("are none where nothing was tried twice", () => {
    expect(repeatsOf([{ id: "a", tries: [...at("x", "s"), ...at("y", "fu"), ...at("z", "so")] }])).toBeNull();
    expect(repeatsOf([])).toBeNull();
  });

  it("say how often one of k, and all k, succeed: what counting all ways to take k says", () => {
    const ends = ["ssfs", "ffsf", "ffff", "sssss"];
    const found = only(ends.flatMap((text, index) => at(`case ${index}`, text)));
    expect(found?.passes.map(({ k, cases }) => [k, cases])).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 4],
      [5, 1],
    ]);
    for (const { k, any, all } of found?.passes ?? []) {
      const counted = ends.filter((text) => text.length >= k).map((text) => subsets(text, k));
      const mean = (holds: (one: string) => boolean) => counted.reduce((sum, list) => sum + share(list, holds), 0) / counted.length;
      expect(any.mean).toBeCloseTo(
        mean((one) => one.includes("s")),
        12,
      );
      expect(all.mean).toBeCloseTo(
        mean((one) => !/[^s]/.test(one)),
        12,
      );
      expect(any.low).toBeLessThanOrEqual(any.mean);
      expect(all.high).toBeGreaterThanOrEqual(all.mean);
    }
  });

  it("say of which pieces of work they are: not those of all, and the failed ones where fewer succeed with more tries", () => {
    // Four at first of which two pass; the others again, one of which passes; the last one a third time.
    const found = only([...at("a", "s"), ...at("b", "s"), ...at("c", "fs"), ...at("d", "fff")]);
    expect(found).toMatchObject({ cases: 2, decided: 4 });
    expect(found?.passes.map(({ k, cases, drawn, any }) => [k, cases, drawn, any.mean])).toEqual([
      [1, 2, "some", 0.25],
      [2, 2, "some", 0.5],
      [3, 1, "failed", 0],
    ]);
    expect(only([...at("a", "sf"), ...at("b", "fs")])?.passes.map(({ drawn }) => drawn)).toEqual(["all", "all"]);
  });

  it("cost what all tries cost over those that pass, as a mean over pieces of work", () => {
    // 4 ÷ 2, and 6 ÷ 1: 4 in the mean. All spend over all successes would be 10 ÷ 3.
    const found = only([...at("x", "sfsf"), ...at("y", "sff", "2")]);
    expect(found?.costOfPass).toMatchObject({ cases: 2, unsolved: 0, meanPico: parseUsd("4"), cheapest: 2, gain: null });
    // Two pieces of work bound nothing; thirty do.
    expect(found?.costOfPass?.interval).toBeNull();
    const thirty = only(Array.from({ length: 15 }, (_, index) => [...at(`x${index}`, "sfsf"), ...at(`y${index}`, "sff", "2")]).flat());
    expect(Number(thirty?.costOfPass?.interval?.lowPico)).toBeLessThan(4e12);
  });

  it("cost without end where one is never solved, and nobody knows what where a price is missing", () => {
    expect(only([...at("x", "ss"), ...at("y", "fff")])?.costOfPass).toMatchObject({
      cases: 2,
      unsolved: 1,
      meanPico: null,
      interval: null,
    });
    expect(only(at("x", "ss", null))).toMatchObject({ cases: 1, costOfPass: null });
    expect(only([...at("x", "ss", null), ...at("y", "sf")])).toMatchObject({ cases: 2, costOfPass: { cases: 1, meanPico: parseUsd("2") } });
  });

  it("take the cheapest at each piece of work, and say what one adds", () => {
    // x: a 2, b 5. y: a 6, b 1. The frontier is (2 + 1) ÷ 2; without a it is (5 + 1) ÷ 2, without b (2 + 6) ÷ 2.
    const entrants: Entrant[] = [
      { id: "a", tries: [...at("x", "ss", "2"), ...at("y", "ss", "6")] },
      { id: "b", tries: [...at("x", "ss", "5"), ...at("y", "ss", "1")] },
      { id: "once", tries: at("x", "s", "0.1") },
    ];
    const found = repeatsOf(entrants);
    expect(found?.frontier).toEqual({ cases: 2, unsolved: 0, meanPico: parseUsd("1.5") });
    expect(
      found?.candidates.map(({ id, costOfPass }) => [
        id,
        costOfPass?.cheapest,
        costOfPass?.gain?.gainPico,
        costOfPass?.gain?.essentialness,
      ]),
    ).toEqual([
      ["a", 1, parseUsd("1.5"), 0.5],
      ["b", 1, parseUsd("2.5"), 0.625],
    ]);
  });

  it("adds what leaving it out and reckoning anew says, to the last digit", () => {
    const random = generator(5);
    for (let round = 0; round < 60; round += 1) {
      const entrants = ["a", "b", "c"].map((id) => ({
        id,
        tries: Array.from({ length: 12 }, (_, index): Tried => ({
          case: `case ${index % 4}`,
          ending: random() < 0.7 ? "success" : "failure",
          costPico: toPico(BigInt(Math.floor(random() * 50))),
        })),
      }));
      const problems = Array.from({ length: 4 }, (_, index): Problem => ({
        id: String(index),
        humanPico: null,
        models: new Map(
          entrants.map(({ id, tries }) => {
            const mine = tries.filter((one) => one.case === `case ${index}`);
            const costPico = toPico(mine.reduce((sum, one) => sum + (one.costPico ?? 0n), 0n));
            return [id, { attempts: 3, successes: mine.filter((one) => one.ending === "success").length, costPico }];
          }),
        ),
      }));
      for (const { id, costOfPass } of repeatsOf(entrants)?.candidates ?? [])
        expect(costOfPass?.gain).toEqual(gainOf(problems, new Set([id])));
    }
  });
});
