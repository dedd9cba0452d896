import { describe, expect, it } from "vitest";
import { parseUsd, toPico } from "../core/money.ts";
import { contest as contestOf, type ContestOptions } from "./contest.ts";
import { type Entrant, gather, type Tried } from "./gathered.fixture.ts";
import { generator } from "./interval.ts";

const contest = (entrants: readonly Entrant[], options?: ContestOptions) => contestOf(entrants.map(gather), options);

let cases = 0;

/** `"s1 f2 u o"`: a success for $1, a failure for $2, one of which nobody knows for $0, one that is open; `s?`: for nobody knows what. */
function tries(text: string, of: (index: number) => string = () => `task ${(cases += 1)}`): Tried[] {
  const endings = { s: "success", f: "failure", u: "unknown", o: "open" } as const;
  return text.split(" ").map((part, index) => ({
    case: of(index),
    ending: endings[part[0] as "s"],
    costPico: part[1] === "?" ? null : parseUsd(part.slice(1) || "0"),
  }));
}

const times = (count: number, text: string): string => Array.from({ length: count }, () => text).join(" ");
const entrant = (id: string, text: string): Entrant => ({ id, tries: tries(text) });
const standing = (id: string, ...entrants: Entrant[]) => {
  const found = contest(entrants).standings.find((one) => one.id === id);
  if (found === undefined) throw new Error(id);
  return found;
};

describe("candidates side by side", () => {
  it("have their rate, mean cost and spend per success by hand, each with its interval", () => {
    const one = standing("a", entrant("a", `${times(8, "s1")} ${times(2, "f3")}`));
    expect(one).toMatchObject({ tasks: 10, cases: 10, successes: 8, failures: 2, unknown: 0, open: 0, costed: 10, uncosted: 0 });
    // Wilson, 8 of 10, as published: 0.490 to 0.943.
    expect([one.rate.observed, one.rate.low.toFixed(3), one.rate.high.toFixed(3)]).toEqual([0.8, "0.490", "0.943"]);
    expect(one.meanPico).toBe(parseUsd("1.4"));
    expect(one.economics?.perSuccessPico).toBe(parseUsd("1.75"));
    expect(Number(one.meanInterval?.lowPico)).toBeLessThan(1.4e12);
    expect(Number(one.meanInterval?.highPico)).toBeGreaterThan(1.4e12);
    const two = standing("a", entrant("a", "s1 s3"));
    expect([two.meanInterval, two.economics.interval]).toEqual([null, null]);
    const three = standing("a", entrant("a", "s1 s1 s3"));
    expect([three.meanInterval?.highPico, three.economics.interval?.highPico]).toEqual([null, null]);
    expect(Number(three.meanInterval?.lowPico)).toBeLessThan(5e12 / 3);
    expect(one.economics?.enough).toMatchObject({ isEnough: false, lacks: expect.arrayContaining(["few-tasks"]) });
  });

  it("are told who dominates them, and come in that order", () => {
    const { standings } = contest([
      entrant("lavish", times(10, "s9")),
      entrant("poor", `${times(5, "s2")} ${times(5, "f2")}`),
      entrant("open", "o1 o2"),
      entrant("good", `${times(8, "s1")} ${times(2, "f1")}`),
      entrant("mute", "u1 u1"),
    ]);
    expect(standings.map(({ id, place }) => [id, place.kind])).toEqual([
      ["good", "frontier"],
      ["lavish", "frontier"],
      ["poor", "dominated"],
      ["mute", "apart"],
      ["open", "apart"],
    ]);
    expect(standings.map(({ place }) => (place.kind === "apart" ? place.reason : null))).toEqual([
      null,
      null,
      null,
      "success-unknown",
      "none-ended",
    ]);
    expect(standings[2]?.place).toMatchObject({ point: { by: ["good"], surelyBy: [] } });
  });

  it("pay for what nobody knows, and for what is open only in what they spent", () => {
    const one = standing("a", entrant("a", "s1 s1 f2 u4 o100"));
    expect(one.rate.observed).toBeCloseTo(2 / 3, 12);
    expect(one.meanPico).toBe(parseUsd("2"));
    expect(one.economics?.spendPico).toBe(parseUsd("108"));
    expect(one.economics?.perSuccessPico).toBe(parseUsd("54"));
  });

  it("have the least of a spend per success where a cost is not known, and a mean over those that are", () => {
    const one = standing("a", entrant("a", "s1 s3 f?"));
    expect(one).toMatchObject({ uncosted: 1, costed: 2, meanPico: parseUsd("2"), economics: { perSuccessPico: parseUsd("2") } });
    expect(standing("b", entrant("b", "s? f?"))).toMatchObject({ meanPico: null, place: { kind: "apart", reason: "cost-unknown" } });
  });

  it("have no more evidence than pieces of work, however often they tried", () => {
    const many = tries(`${times(50, "s1")} ${times(50, "f1")}`, (index) => `case ${index % 4}`);
    const one = standing("a", { id: "a", tries: many });
    expect(one).toMatchObject({ tasks: 100, cases: 4 });
    // Wilson, 2 of 4: (0.5 + 1.9207/4) / (1 + 3.8415/4) − and + 0.3500.
    expect([one.rate.low.toFixed(4), one.rate.high.toFixed(4)]).toEqual(["0.1500", "0.8500"]);
    // A hundred tries of which nobody knows the end add nothing to one that is known.
    const [known] = contest([{ id: "a", tries: [...tries("s1 f1", () => "x"), ...tries(times(100, "u1"))] }]).standings;
    expect([known?.rate.observed, known?.rate.low.toFixed(3)]).toEqual([0.5, "0.055"]);
  });
});

describe("the baseline", () => {
  it("is the one whose success is surely highest, and not the one that was lucky twice", () => {
    const entrants = [entrant("lucky", "s1 s1"), entrant("steady", `${times(80, "s1")} ${times(20, "f1")}`), entrant("idle", "o1")];
    expect(contest(entrants)).toMatchObject({ baseline: { id: "steady", isNamed: false }, comparisons: [{ id: "lucky" }] });
    expect(contest(entrants, { baseline: "lucky" })).toMatchObject({
      baseline: { id: "lucky", isNamed: true },
      comparisons: [{ id: "steady" }],
    });
    expect(contest(entrants, { baseline: "idle" })).toMatchObject({ baseline: null, comparisons: [] });
    expect(contest(entrants.slice(0, 1))).toMatchObject({ baseline: null, comparisons: [] });
    expect(contest([])).toEqual({ standings: [], baseline: null, comparisons: [] });
    expect(() => contest(entrants, { baseline: "nobody" })).toThrow(/no entrant is called "nobody"/);
  });

  it("has all comparisons hold together: over those made where it is named, over all pairs where it is not", () => {
    const four = ["a", "b", "c", "d"].map((id) => entrant(id, times(10, "s1")));
    expect(contest(four, { baseline: "a" }).comparisons.map(({ comparison }) => comparison.confidence.toFixed(6))).toEqual(
      Array.from({ length: 3 }, () => (1 - 0.05 / 3).toFixed(6)),
    );
    expect(contest(four).comparisons.map(({ comparison }) => comparison.confidence.toFixed(6))).toEqual(
      Array.from({ length: 3 }, () => (1 - 0.05 / 6).toFixed(6)),
    );
  });

  it("finds a difference among equals in no more than one contest of twenty", () => {
    const random = generator(7);
    let wrong = 0;
    const contests = 200;
    for (let round = 0; round < contests; round += 1) {
      const five = Array.from({ length: 5 }, (_, index) => ({
        id: `c${index}`,
        tries: Array.from({ length: 60 }, (_unused, at): Tried => ({
          case: `c${index} ${at}`,
          ending: random() < 0.6 ? "success" : "failure",
          costPico: toPico(BigInt(Math.round(1e12 * Math.exp(random() + random() + random())))),
        })),
      }));
      const verdicts = contest(five, { samples: 100 }).comparisons.map(({ comparison }) => comparison.verdict);
      if (verdicts.some((verdict) => verdict === "better" || verdict === "worse")) wrong += 1;
    }
    // 5 % and three standard deviations of 200 draws.
    expect(wrong / contests).toBeLessThanOrEqual(0.05 + 3 * Math.sqrt((0.05 * 0.95) / contests));
  });

  it("is told from one that is truly worse on the same pieces of work, pair by pair", () => {
    const random = generator(11);
    const [strong, weak] = [0.9, 0.6].map((rate, index) => ({
      id: index === 0 ? "strong" : "weak",
      tries: Array.from({ length: 200 }, (_, at): Tried => ({
        case: `case ${at}`,
        ending: random() < rate ? "success" : "failure",
        costPico: parseUsd(index === 0 ? "0.02" : "0.01"),
      })),
    })) as unknown as [Entrant, Entrant];
    const { comparisons, baseline } = contest([weak, strong]);
    expect(baseline).toEqual({ id: "strong", isNamed: false });
    expect(comparisons[0]?.comparison).toMatchObject({
      verdict: "worse",
      paired: true,
      shared: 200,
      cost: { verdict: "cheaper" },
      more: null,
    });
  });
});
