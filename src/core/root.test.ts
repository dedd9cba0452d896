// Which root follows from what was said: the nearest that is known, and never the task itself.

import { describe, expect, it } from "vitest";
import { rootTaken, topOf } from "./root.ts";

const none = { task: null, parent: null, root: null };

describe("the root that is taken", () => {
  const known: Readonly<Record<string, string>> = { part: "whole", whole: "whole" };
  const rootOf = (task: string): string | null => known[task] ?? null;

  it.each([
    ["what says its root keeps it", { task: "a", parent: "part", root: "said" }, null],
    ["of what has no place there is none", none, null],
    ["nothing is above a task of its own", { ...none, task: "whole" }, null],
    ["and nothing is known of this one", { ...none, task: "new" }, null],
    ["a part belongs where it was before", { ...none, task: "part" }, "whole"],
    ["and its parts with it", { ...none, task: "new", parent: "part" }, "whole"],
    ["a parent that nobody knows is taken for it", { ...none, task: "new", parent: "other" }, "other"],
    ["one that says only its parent is at that one's", { ...none, parent: "part" }, "whole"],
    ["no task is above itself", { ...none, task: "whole", parent: "part" }, null],
    ["what was a root before stays one", { ...none, task: "whole", parent: "other" }, null],
    ["not by its own name either", { ...none, task: "new", parent: "new" }, null],
  ])("%s", (_why, said, root) => {
    expect(rootTaken(said, rootOf)).toBe(root);
  });
});

/** Each a part of the one before it. */
function chain(name: string) {
  const at = Number(name);
  return at === 0 ? undefined : { task: name, parent: String(at - 1), root: null };
}

describe("the top of what was begun by name", () => {
  const begun: Readonly<Record<string, { task: string; parent: string | null; root: string | null }>> = {
    step: { task: "step", parent: "part", root: null },
    part: { task: "part", parent: "whole", root: null },
    told: { task: "told", parent: "step", root: "said" },
    two: { task: "two", parent: "three", root: null },
    three: { task: "three", parent: "one", root: null },
    one: { task: "one", parent: "two", root: null },
    into: { task: "into", parent: "two", root: null },
    self: { task: "self", parent: "self", root: null },
  };

  it.each([
    ["step", "whole"],
    ["part", "whole"],
    ["told", "said"],
    ["whole", null],
  ])("of %s is %s", (task, top) => {
    expect(topOf(task, (name) => begun[name])).toBe(top);
  });

  it("of a circle is the first by name, for all that lead there", () => {
    expect(["one", "two", "three", "into"].map((task) => topOf(task, (name) => begun[name]))).toEqual(["one", "one", "one", "one"]);
    expect(topOf("self", (name) => begun[name])).toBeNull();
  });

  it("of a long chain is its end, as far as anybody looks", () => {
    expect([topOf("1000", chain), topOf("5000", chain)]).toEqual(["0", null]);
  });
});
