// Loops against a slow model that keeps the whole history, and against cases told in words.

import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { fingerprintOf, repeatGapMsMax, repeatsOf, symbolsMax, type ToolRound, Trail } from "./loop.ts";

const round = (name: string): ToolRound => ({ call: name, result: name.toLowerCase() });
const rounds = (names: string): ToolRound[] => [...names].map(round);
const seen = (names: string): number[] => {
  const trail = new Trail();
  return [...names].map((name, at) => trail.see(name, at, `request ${at}`, 1));
};

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
    expect(repeatsOf(rounds(names))).toBe(times);
    expect(seen(names).at(-1) ?? 0).toBe(times);
  });

  it("is the same by three reckonings, for any history", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(..."ABCDE"), { maxLength: 40 }), (list) => {
        const names = list.join("");
        expect(repeatsOf(rounds(names))).toBe(slowly(names));
        expect(seen(names)).toEqual([...names].map((_, at) => slowly(names.slice(0, at + 1))));
      }),
    );
  });

  it("tells a call with another result from the same one", () => {
    const polled = ["wait", "wait", "done"].map((result) => ({ call: "poll", result }));
    expect(repeatsOf(polled.slice(0, 2))).toBe(2);
    expect(repeatsOf(polled)).toBe(1);
  });
});

/** How often the last thing of a cycle of so many is said to have come, after three rounds of it. */
function cycle(length: number): number {
  const trail = new Trail();
  let times = 0;
  for (let at = 0; at < 3 * length; at++) times = trail.see(`${at % length}`, 0, `${at}`, 1);
  expect(trail.size).toBe(Math.min(length, symbolsMax));
  return times;
}

describe("a trail", () => {
  it("does not count the tries of one request", () => {
    const trail = new Trail();
    expect(trail.see("A", 0, "one", 1)).toBe(1);
    expect(trail.see("A", 1, "one", 2)).toBe(1);
    expect(trail.see("A", 2, "one", 3)).toBe(1);
    expect(trail.see("A", 3, "two", 1)).toBe(2);
    // The client's own retry is another request to the gateway; its number tells.
    expect(trail.see("A", 4, "three", 2)).toBe(2);
    // A client that says of everything that it is a second try is counted all the same.
    expect(trail.see("A", 5, "four", 2)).toBe(3);
    expect(trail.see("A", 6, "five", 2)).toBe(4);
  });

  it("begins again after a long pause, and not before", () => {
    const trail = new Trail();
    trail.see("A", 0, "one", 1);
    expect(trail.see("A", repeatGapMsMax, "two", 1)).toBe(2);
    expect(trail.see("A", 2 * repeatGapMsMax + 1, "three", 1)).toBe(1);
    expect(trail.see("A", 2 * repeatGapMsMax + 2, "four", 1)).toBe(2);
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
          expect(broken.see(`${name}`, at, `${at}`, attempt)).toBe(whole.see(`${name}`, at, `${at}`, attempt));
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
