// An outcome is progress of its tree: while it happens, and when the journal is told again.

import { expect, it } from "vitest";
import type { TreePolicy } from "../core/cap.ts";
import type { Entry } from "../core/entry.ts";
import type { Outcome } from "../core/outcome.ts";
import { createDesk } from "./desk.ts";
import { Guard } from "./guard.ts";
import { writeSnapshot } from "./snapshot.ts";
import { askingOf, endOf, startOf } from "./try.fixture.ts";

const nowMs = 1_000_000;

function open(): Guard {
  const effects = { now: () => nowMs, append: () => {}, note: () => {}, newId: String, tell: () => {}, setTimer: () => () => {} };
  return new Guard({ waitMsMax: 0, waitingMax: 1, fair: "key", refusalsMax: 10, budgetsMax: 10 }, effects);
}

/** A tree may spend ten picodollars without anything new. */
const policy: TreePolicy = { id: "idle", scope: {}, caps: { idlePicoMax: { stop: 10n } } };

/** One call of the task, of eight picodollars; @returns what the journal has of it, or the refusal's code. */
function call(guard: Guard, id: string): Entry[] | string {
  const asking = askingOf({ call: id, atMs: nowMs, agent: "a", customer: null, type: null }, { money: 9n, tokens: 9n });
  const known = { ...asking, attribution: { ...asking.attribution, task: "t", root: "r" } };
  try {
    const admitted = guard.admit(known, new AbortController().signal, () => Promise.resolve(null));
    if (admitted instanceof Promise) throw new Error("nobody waits here");
    const start = startOf(known, admitted);
    const end = endOf(start, { status: "complete", source: "reported", cost: 8n, nowMs });
    guard.ended(end, start);
    return [
      { kind: "start", call: start },
      { kind: "end", call: end },
    ];
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const outcome: Outcome = {
  id: "o",
  task: "t",
  atMs: nowMs,
  result: "failure",
  judge: "check",
  source: null,
  valuePico: null,
  reviewMillis: null,
  reason: null,
  key: null,
};

it("an outcome of a task lets its tree spend on", () => {
  const guard = open();
  guard.policies = [policy];
  expect([typeof call(guard, "c1"), typeof call(guard, "c2")]).toEqual(["object", "object"]);
  createDesk(guard, { now: () => nowMs, opened: () => {}, halted: () => {} }).progress("t", nowMs);
  expect([typeof call(guard, "c3"), typeof call(guard, "c4")]).toEqual(["object", "object"]);
  expect(call(guard, "c5")).toBe("tree_no_progress");
});

it("the journal told again comes to the same", () => {
  const guard = open();
  const entries = [...(call(guard, "c1") as Entry[]), { kind: "outcome", outcome } as const, ...(call(guard, "c2") as Entry[])];
  // As it happened: between the two.
  const live = open();
  call(live, "c1");
  createDesk(live, { now: () => nowMs, opened: () => {}, halted: () => {} }).progress("t", nowMs);
  call(live, "c2");
  const again = open();
  for (const entry of entries) again.replay(entry);
  const trees = (one: Guard): unknown => (JSON.parse(writeSnapshot(one, { segment: 1, offset: 0 }, nowMs)) as { trees: unknown }).trees;
  expect(trees(again)).toEqual(trees(live));
  expect(again.trees.standing("t")?.idlePico).toBe(8n);
});

it("an outcome of a task that the guard does not know is nothing to it", () => {
  const guard = open();
  guard.replay({ kind: "outcome", outcome });
  expect(guard.trees.list(10)).toEqual([]);
});
