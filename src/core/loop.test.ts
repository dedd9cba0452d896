// Loops against a slow model that keeps the whole history, and against cases told in words.

import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { type Deed, fingerprintOf, look, repeatGapMsMax, symbolsMax, type Talk, type ToolRound, Trail } from "./loop.ts";

const round = (name: string): ToolRound => ({ call: name, result: name.toLowerCase() });
const newTalk = (): Talk => ({ trail: null, toolTrail: null, slowed: 0 });
const deed = (more: Partial<Deed>): Deed => ({
  request: "r",
  attempt: 1,
  atMs: 0,
  fingerprint: null,
  toolRounds: [],
  isHeld: false,
  ...more,
});

/** One thing after another, as requests and as tool calls. */
function seen(names: string): number[] {
  const talk = newTalk();
  return [...names].map((name, at) => {
    const { requestTimes, toolTimes } = look(talk, deed({ request: `${at}`, fingerprint: name, toolRounds: [round(name)] }));
    expect(toolTimes).toBe(requestTimes);
    return requestTimes;
  });
}

function see(trail: Trail, symbol: string, atMs: number, request: string, attempt: number): number {
  return trail.see(symbol, atMs, trail.isTry(symbol, request, attempt), request, attempt);
}

/** From the whole history: what came since the last first time, and once more for what was known by then. */
function slowly(names: string): number {
  const last = names.at(-1);
  if (last === undefined) return 0;
  let newest = 0;
  for (let at = 0; at < names.length; at++) if (!names.slice(0, at).includes(names[at] as string)) newest = at;
  const since = names.slice(newest + 1).split(last).length - 1;
  return since + (names.slice(0, newest + 1).includes(last) ? 1 : 0);
}

describe("how often the same has come with nothing new in between", () => {
  it.each([
    ["", 0],
    ["A", 1],
    ["AAAA", 4],
    ["ABABAB", 3],
    ["ABCABCABC", 3],
    ["ABBAABBA", 4],
    ["AxAyAz", 1],
    ["AxAyAzA", 2],
    ["AAAAB", 1],
    ["AAAABA", 2],
  ])("%s: %i", (names, times) => {
    expect(slowly(names)).toBe(times);
    expect(seen(names).at(-1) ?? 0).toBe(times);
  });

  it("is what a slow recount says, for any history", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(..."ABCDE"), { maxLength: 40 }), (list) => {
        const names = list.join("");
        expect(seen(names)).toEqual([...names].map((_, at) => slowly(names.slice(0, at + 1))));
      }),
    );
  });

  it("tells a call with another result from the same one", () => {
    const talk = newTalk();
    const polled = ["wait", "wait", "done"].map((result) => look(talk, deed({ toolRounds: [{ call: "poll", result }] })).toolTimes);
    expect(polled).toEqual([1, 2, 1]);
  });

  it("of several calls at once: one that is new is enough, and two that are equal are one", () => {
    const talk = newTalk();
    const times = (names: string): number => look(talk, deed({ toolRounds: [...names].map(round) })).toolTimes;
    expect(["A", "AA", "AB", "AB", "BA", "CA", "AC", ""].map(times)).toEqual([1, 2, 1, 2, 3, 1, 3, 0]);
  });

  it("is not said of what the provider holds, nor of a result whose call is not in sight", () => {
    const talk = newTalk();
    const held = deed({ fingerprint: "go on", isHeld: true, toolRounds: [{ call: "", result: "ok" }] });
    for (let at = 0; at < 3; at++) expect(look(talk, held)).toEqual({ requestTimes: 0, toolTimes: 0 });
  });

  it("does not count the tool rounds of another try", () => {
    const talk = newTalk();
    const times = (request: string, attempt: number): number =>
      look(talk, deed({ request, attempt, fingerprint: "A", toolRounds: [round("A"), round("B")] })).toolTimes;
    expect([times("one", 1), times("one", 2), times("two", 1), times("two", 2), times("three", 3)]).toEqual([1, 1, 2, 2, 2]);
  });
});

/** How often the last thing of a cycle of so many is said to have come, after three rounds of it. */
function cycle(length: number): number {
  const trail = new Trail();
  let times = 0;
  for (let at = 0; at < 3 * length; at++) times = see(trail, `${at % length}`, 0, `${at}`, 1);
  expect(trail.size).toBe(Math.min(length, symbolsMax));
  return times;
}

describe("a trail", () => {
  it("does not count the tries of one request", () => {
    const trail = new Trail();
    expect(see(trail, "A", 0, "one", 1)).toBe(1);
    expect(see(trail, "A", 1, "one", 2)).toBe(1);
    expect(see(trail, "A", 2, "one", 3)).toBe(1);
    expect(see(trail, "A", 3, "two", 1)).toBe(2);
    // The client's own retry is another request to the gateway; its number tells.
    expect(see(trail, "A", 4, "three", 2)).toBe(2);
    // A client that says of everything that it is a second try is counted all the same.
    expect(see(trail, "A", 5, "four", 2)).toBe(3);
    expect(see(trail, "A", 6, "five", 2)).toBe(4);
  });

  it("begins again after a long pause, and not before", () => {
    const trail = new Trail();
    see(trail, "A", 0, "one", 1);
    expect(see(trail, "A", repeatGapMsMax, "two", 1)).toBe(2);
    expect(see(trail, "A", 2 * repeatGapMsMax + 1, "three", 1)).toBe(1);
    expect(see(trail, "A", 2 * repeatGapMsMax + 2, "four", 1)).toBe(2);
  });

  it("remembers so many things, and sees cycles up to that length", () => {
    expect(cycle(symbolsMax)).toBe(3);
    expect(cycle(symbolsMax + 1)).toBe(1);
  });

  it("comes back from JSON and goes on as if nothing had been", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(3)), { maxLength: 80 }), fc.nat(80), (steps, cut) => {
        const whole = new Trail();
        let broken = new Trail();
        for (const [at, [name, attempt]] of steps.entries()) {
          if (at === cut) broken = Trail.restore(JSON.parse(JSON.stringify(broken.snapshot())));
          expect(see(broken, `${name}`, at, `${at}`, attempt)).toBe(see(whole, `${name}`, at, `${at}`, attempt));
        }
        expect(broken.snapshot()).toEqual(whole.snapshot());
      }),
    );
  });
});

test("a request is known by the end of its prompt's chain, its model and its cap", () => {
  expect(fingerprintOf([], "m", 1)).toBeNull();
  const all = [
    fingerprintOf(["a:1", "b:2"], "m", 1),
    fingerprintOf(["b:2"], "m", 2),
    fingerprintOf(["b:2"], "n", 1),
    fingerprintOf(["a:1"], "m", 1),
    fingerprintOf(["b:2"], "m", null),
  ];
  expect(new Set(all).size).toBe(5);
  expect(fingerprintOf(["b:2"], "m", 1)).toBe(all[0]);
});
