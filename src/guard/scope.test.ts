// Nobody leaves a task's budget by what he says, or leaves out, of his place in its tree.

import { expect, it } from "vitest";
import { unattributed } from "../core/call.ts";
import { TreeBook } from "../core/tree.ts";
import { scopeOf } from "./scope.ts";

const call = {
  request: "r",
  attempt: 1,
  key: null,
  session: null,
  agent: null,
  type: null,
  atMs: 0,
  fingerprint: null,
  toolRounds: [],
  isHeld: false,
};

function tasksOf(trees: TreeBook, said: { task?: string; parent?: string; root?: string }): readonly string[] | undefined {
  const attribution = { ...unattributed, ...said };
  const { task, parent, root } = attribution;
  const placed = trees.enter({ ...call, call: String(Math.random()), task, parent, root }, []).task;
  return scopeOf(trees, { attribution, key: null, provider: "p", model: "m" }, placed).task;
}

it("names the task and all above it, the root last", () => {
  const trees = new TreeBook();
  tasksOf(trees, { task: "b", parent: "a", root: "r" });
  expect(tasksOf(trees, { task: "c", parent: "b" })).toEqual(expect.arrayContaining(["c", "b", "a", "r"]));
  expect(tasksOf(trees, { task: "c" })?.at(-1)).toBe("r");
});

it.each([{ parent: "x" }, { root: "x" }, { task: "new", parent: "x" }, { task: "new", root: "x" }])("is under what %j says", (said) => {
  const trees = new TreeBook();
  tasksOf(trees, { task: "x" });
  expect(tasksOf(trees, said)).toContain("x");
  // Also where nothing was put into its tree: work that outlasts its request.
  const attribution = { ...unattributed, ...said };
  expect(scopeOf(new TreeBook(), { attribution, key: null, provider: "p", model: "m" }, null).task).toContain("x");
});

it("is under its tree's root also where the tree is too deep or too wide to know it", () => {
  const deep = new TreeBook();
  for (let level = 1; level < 80; level += 1) tasksOf(deep, { task: `e${level}`, parent: `e${level - 1}`, root: "e0" });
  expect(tasksOf(deep, { task: "leaf", parent: "e79", root: "e0" })).toContain("e0");
  expect(tasksOf(deep, { task: "leaf2", parent: "e64" })).toContain("e0");
  const wide = new TreeBook();
  for (let child = 0; child < 5_000; child += 1) tasksOf(wide, { task: `c${child}`, parent: "x" });
  expect(tasksOf(wide, { task: "one-more", parent: "x" })).toContain("x");
  expect(tasksOf(wide, { task: "c4999", parent: "x" })).toContain("x");
});
