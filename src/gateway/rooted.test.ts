// A root that was taken for granted gives way to what is said, while it happens and when the journal is told again.

import { expect, it } from "vitest";
import type { CallStart } from "../core/call.ts";
import { rooted } from "./begin.ts";
import { Guard } from "../guard/guard.ts";
import { askingOf, startOf } from "../guard/try.fixture.ts";

const nowMs = 1_000_000;

function open(): Guard {
  const effects = { now: () => nowMs, append: () => {}, note: () => {}, newId: String, tell: () => {}, setTimer: () => () => {} };
  return new Guard({ waitMsMax: 0, waitingMax: 1, fair: "key", refusalsMax: 10, budgetsMax: 10 }, effects);
}

/** @returns its start, as the gateway puts it on record. */
function call(guard: Guard, id: string, task: string, parent: string | null): CallStart {
  const asking = askingOf({ call: id, atMs: nowMs, agent: "a", customer: null, type: null }, { money: 9n, tokens: 9n });
  const known = { ...asking, attribution: { ...asking.attribution, task, parent, root: null } };
  const admitted = guard.admit(known, new AbortController().signal, () => Promise.resolve(null));
  if (admitted instanceof Promise) throw new Error("nobody waits here");
  const start = startOf(known, admitted);
  const attribution = rooted(start.attribution, guard);
  return attribution === start.attribution ? start : { ...start, attribution, isRootTaken: true };
}

it("a child may come before its parent, whose own root is heard of later", () => {
  const guard = open();
  const starts = [call(guard, "c1", "child", "parent"), call(guard, "c2", "parent", "top"), call(guard, "c3", "child", "parent")];
  expect(starts.map(({ attribution }) => attribution.root)).toEqual(["parent", "top", "top"]);
  const again = open();
  for (const start of starts.slice(0, 2)) again.replay({ kind: "start", call: start });
  expect(["child", "parent", "top", "other"].map((task) => again.trees.rootOf(task))).toEqual(["top", "top", "top", null]);
});
