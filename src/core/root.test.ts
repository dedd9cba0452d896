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
    ["not by its own name either", { ...none, task: "new", parent: "new" }, null],
  ])("%s", (_why, said, root) => {
    expect(rootTaken(said, rootOf)).toBe(root);
  });
});

describe("the top of what was begun by name", () => {
  const begun: Readonly<Record<string, { task: string; parent: string | null; root: string | null }>> = {
    step: { task: "step", parent: "part", root: null },
    part: { task: "part", parent: "whole", root: null },
    told: { task: "told", parent: "step", root: "said" },
    left: { task: "left", parent: "right", root: null },
    right: { task: "right", parent: "left", root: null },
  };

  it.each([
    ["step", "whole"],
    ["part", "whole"],
    ["told", "said"],
    ["whole", null],
  ])("of %s is %s", (task, top) => {
    expect(topOf(task, (name) => begun[name])).toBe(top);
  });

  it("of a circle is one of it, and is found", () => {
    expect(["left", "right", null]).toContain(topOf("left", (name) => begun[name]));
  });
});
