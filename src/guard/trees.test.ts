// Caps on trees as people write them: what each number becomes, and what is refused where.

import { describe, expect, it } from "vitest";
import { readConfig } from "../config.ts";
import { readTrees } from "./trees.ts";

const edges = { token: (name: string) => `n_${name}`, keys: new Map(), providers: new Set<string>(), waits: false };

function read(...trees: readonly object[]) {
  return readTrees(readConfig(undefined, { trees }, {}).settings.trees, edges);
}

describe("caps on trees", () => {
  it("stop where one number is said, and do what is said where it is", () => {
    const caps = { depth: 4, fanOut: { warn: 10, stop: 20 }, taskCalls: 200, calls: 1_000, tries: 5, time: { slow: "30m", stop: "2h" } };
    const rest = { loop: { warn: 3, slow: 5, stop: 8 }, noProgress: "$2.50" };
    expect(read({ id: "crawl", for: { agent: "crawler", customer: "Acme" }, ...caps, ...rest })).toEqual([
      {
        id: "crawl",
        scope: { agent: "crawler", customer: "n_Acme" },
        caps: {
          depthMax: { stop: 4 },
          fanOutMax: { warn: 10, stop: 20 },
          taskCallsMax: { stop: 200 },
          callsMax: { stop: 1_000 },
          triesMax: { stop: 5 },
          wallMsMax: { slow: 1_800_000, stop: 7_200_000 },
          loopMax: { warn: 3, slow: 5, stop: 8 },
          idlePicoMax: { stop: 2_500_000_000_000n },
        },
      },
    ]);
  });

  it("may be for every call, and allow no level below the root", () => {
    expect(read({ id: "all", depth: 0 })).toEqual([{ id: "all", scope: {}, caps: { depthMax: { stop: 0 } } }]);
  });

  it.each([
    [{ id: "a" }, /trees\.0 \(a\): it caps nothing; there are depth, fanOut, taskCalls, calls, tries, time, loop, noProgress/],
    [{ id: "a", calls: 0 }, /trees\.0 \(a\): calls: Too small/],
    [{ id: "a", calls: {} }, /calls: expected a number, or one for warn, slow, stop/],
    [{ id: "a", calls: { halt: 5 } }, /trees\.0 \(a\): calls: Unrecognized key: "halt"/],
    [{ id: "a", calls: "five" }, /trees\.0 \(a\): calls: expected, for example, 5, or \{ warn/],
    [{ id: "a", calls: { warn: 5, stop: 5 } }, /calls: stop comes after warn, and needs a larger value/],
    [{ id: "a", time: { slow: "2h", stop: "90m" } }, /time: stop comes after slow/],
    [{ id: "a", time: "2 fortnights" }, /time\.stop: "2 fortnights" is no length of time/],
    [{ id: "a", time: 60 }, /trees\.0 \(a\): time: expected, for example, 2h/],
    [{ id: "a", noProgress: "5 calls" }, /noProgress\.stop: "5 calls" is in calls, and this is in dollars/],
    [{ id: "a", calls: 5, for: { agnt: "x" } }, /no field is called "agnt" \(near it: agent\)/],
    [{ id: "a", dept: 5 }, /trees\.0 \(a\): Unrecognized key: "dept" \(near it: depth\)/],
  ])("are refused with their place: %j", (tree, why) => {
    expect(() => read(tree)).toThrow(why);
  });

  it("are refused where two have one id", () => {
    expect(() => read({ id: "a", depth: 1 }, { id: "a", depth: 2 })).toThrow(/trees: two have one id/);
  });
});
