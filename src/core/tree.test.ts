// The book of task trees: each cap at its boundary, what stays stopped and what goes on, slow recounts of whole histories, and memory.

import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { TreeCaps, TreePolicy } from "./cap.ts";
import { slowMsFirst, slowMsMax, TreeBook, type TreeCall, treeLimits, type TreeVerdict } from "./tree.ts";

let made = 0;

/** A call of no tree, like no other, unless `more` says otherwise. */
function toCall(more: Partial<TreeCall> = {}): TreeCall {
  made += 1;
  return {
    call: `call ${made}`,
    request: `request ${made}`,
    attempt: 1,
    root: null,
    parent: null,
    task: null,
    session: null,
    key: null,
    agent: null,
    type: null,
    atMs: 0,
    fingerprint: `print ${made}`,
    toolRounds: [],
    isHeld: false,
    ...more,
  };
}

const under = (caps: TreeCaps, id = "p"): TreePolicy[] => [{ id, scope: {}, caps }];

/** What a verdict comes to: its kind, and the code of what is first in the way. */
function shortly(verdict: TreeVerdict): string {
  if (verdict.kind === "stop") return `stop ${verdict.stop.code}${verdict.isNew ? "" : " before"}`;
  return verdict.kind === "ok" ? "ok" : `${verdict.kind} ${verdict.reasons[0]?.code}`;
}

const same = { call: "read", result: "same" };

describe("every cap lets its most pass, and not one more", () => {
  // [what, caps with a most of 3, the call that is the n-th by that cap, its code]
  const cases: readonly (readonly [string, (max: number) => TreeCaps, (n: number) => Partial<TreeCall>, string])[] = [
    // Chains of n levels below the root, each made anew.
    ["depth", (max) => ({ depthMax: { stop: max } }), (n) => ({ task: `d${n}`, parent: `d${n - 1}` }), "depth"],
    ["fan-out", (max) => ({ fanOutMax: { stop: max } }), (n) => ({ task: `c${n}`, parent: "top" }), "fan_out"],
    ["calls of a task", (max) => ({ taskCallsMax: { stop: max } }), () => ({ task: "one", parent: "top" }), "task_calls"],
    ["calls of a tree", (max) => ({ callsMax: { stop: max } }), (n) => ({ task: `e${n}`, root: "top" }), "calls"],
    ["tries", (max) => ({ triesMax: { stop: max } }), (n) => ({ task: "t", request: "r", attempt: n }), "tries"],
    ["wall time", (max) => ({ wallMsMax: { stop: max - 1 } }), (n) => ({ task: "t", atMs: n - 1 }), "wall_time"],
    ["the same request", (max) => ({ loopMax: { stop: max } }), () => ({ task: "t", fingerprint: "same" }), "repeated_request"],
    ["the same tool call", (max) => ({ loopMax: { stop: max } }), () => ({ task: "t", toolRounds: [same] }), "repeated_tool_call"],
  ];

  it.each(cases)("%s", (_what, caps, nth, code) => {
    for (const max of [1, 3, 7]) {
      const book = new TreeBook();
      for (let n = 1; n <= max; n++) expect(shortly(book.enter(toCall(nth(n)), under(caps(max))))).toBe("ok");
      expect(shortly(book.enter(toCall(nth(max + 1)), under(caps(max))))).toBe(`stop ${code}`);
    }
  });

  it("money without progress: to the last picodollar", () => {
    const policies = under({ idlePicoMax: { stop: 10n } });
    const book = new TreeBook();
    const spend = (pico: bigint): void => {
      const call = toCall({ task: "t" });
      expect(shortly(book.enter(call, policies))).toBe("ok");
      book.left(call.call, pico);
    };
    spend(4n);
    spend(6n);
    spend(0n);
    expect(book.progress("t", 5)).toBe(true);
    spend(10n);
    spend(1n);
    const verdict = book.enter(toCall({ task: "t" }), policies);
    expect(shortly(verdict)).toBe("stop no_progress");
    expect(verdict.kind === "stop" && verdict.stop.why).toBe(
      "the tree has spent $0.000000000011 since it last showed anything new, and may $0.00000000001 (policy p)",
    );
  });

  it("money without progress: a tool result that was never there is progress, the same one again is not", () => {
    const policies = under({ idlePicoMax: { stop: 10n } });
    const book = new TreeBook();
    const go = (result: string): string => {
      const call = toCall({ task: "t", toolRounds: [{ call: `${made}`, result }] });
      const said = shortly(book.enter(call, policies));
      book.left(call.call, 6n);
      return said;
    };
    expect(["a", "b", "c", "a", "b"].map(go)).toEqual(["ok", "ok", "ok", "ok", "stop no_progress"]);
  });

  it("first a warning, then a wait, then an end", () => {
    const book = new TreeBook();
    const policies = under({ callsMax: { warn: 1, slow: 2, stop: 4 } });
    const said = [1, 2, 3, 4, 5, 6].map(() => shortly(book.enter(toCall({ task: "t" }), policies)));
    expect(said).toEqual(["ok", "warn calls", "slow calls", "slow calls", "stop calls", "stop calls before"]);
  });

  it("of several policies the strictest answer stands, and all reasons are told", () => {
    const book = new TreeBook();
    const policies = [...under({ callsMax: { warn: 0 } }, "mild"), ...under({ taskCallsMax: { slow: 0 } }, "strict")];
    const verdict = book.enter(toCall({ task: "t" }), policies);
    expect(verdict.kind === "slow" && verdict.reasons.map(({ policy, is, max }) => [policy, is, max])).toEqual([
      ["strict", 1, 0],
      ["mild", 1, 0],
    ]);
  });
});

describe("waits", () => {
  it("double with each call in a row, to a most, and begin again when the agent gets on", () => {
    const book = new TreeBook();
    const policies = under({ loopMax: { slow: 1 } });
    const ms = (fingerprint: string): number => {
      const verdict = book.enter(toCall({ task: "t", fingerprint }), policies);
      return verdict.kind === "slow" ? verdict.ms : 0;
    };
    const expected = [0, 1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1_000);
    expect(expected.map(() => ms("same"))).toEqual(expected);
    expect([slowMsFirst, slowMsMax]).toEqual([1_000, 60_000]);
    expect([ms("other"), ms("same"), ms("same")]).toEqual([0, 1_000, 2_000]);
  });
});

/** r over a and b, a over c. */
function family(): TreeBook {
  const book = new TreeBook();
  const places = [
    ["r", null],
    ["a", "r"],
    ["b", "r"],
    ["c", "a"],
  ] as const;
  for (const [task, parent] of places) book.enter(toCall({ task, parent }), []);
  return book;
}
const state = (book: TreeBook): string =>
  ["r", "a", "b", "c"].map((task) => (book.enter(toCall({ task }), []).kind === "stop" ? "-" : task)).join("");

describe("what is stopped", () => {
  const how = { code: "operator", why: "enough", by: "ann", atMs: 9 };

  it("stops all below it and nothing beside it, until it is resumed", () => {
    const book = family();
    expect(state(book)).toBe("rabc");
    expect([book.stop("a", how), book.stop("a", how), book.stop("unknown", how)]).toEqual([true, false, false]);
    expect(state(book)).toBe("r-b-");
    expect(book.stop("r", how)).toBe(true);
    expect(state(book)).toBe("----");
    // What is resumed below stays stopped by what is above.
    expect(book.resume("a", 20)).toEqual([{ task: "a", ...how }]);
    expect(state(book)).toBe("----");
    expect(book.resume("r", 20)).toHaveLength(1);
    expect(state(book)).toBe("rabc");
    expect(book.resume("r", 20)).toEqual([]);
    expect(book.resume("unknown", 20)).toEqual([]);
  });

  it("says why and by which call, to all who come after", () => {
    const book = family();
    const last = toCall({ task: "c", atMs: 77 });
    const stop = {
      task: "c",
      code: "task_calls",
      why: "the task would make call number 2, and may make 1 (policy p)",
      by: last.call,
      atMs: 77,
    };
    expect(book.enter(last, under({ taskCallsMax: { stop: 1 } }))).toMatchObject({
      kind: "stop",
      tree: "r",
      stop,
      isNew: true,
      isKept: true,
    });
    // Under no policy at all, and with another model: it stays stopped.
    expect(book.enter(toCall({ task: "c", fingerprint: "other model" }), [])).toMatchObject({ kind: "stop", stop, isNew: false });
    // A child that is made after its parent was stopped.
    expect(book.enter(toCall({ task: "d", parent: "c" }), [])).toMatchObject({ kind: "stop", task: "d", stop });
    expect(book.standing("b")?.stops).toEqual([stop]);
  });

  it("stays so when its tree turns out to be part of another", () => {
    const book = family();
    book.stop("r", how);
    book.enter(toCall({ task: "top" }), []);
    expect(book.enter(toCall({ task: "r", parent: "top" }), [])).toMatchObject({ kind: "stop", tree: "top" });
    expect(book.enter(toCall({ task: "top" }), []).kind).toBe("ok");
    expect(book.list(9).map(({ root, tasks, calls, stops }) => [root, tasks, calls, stops.length])).toEqual([["top", 5, 6, 1]]);
    expect(state(book)).toBe("----");
  });

  it("gets its caps anew when it is resumed", () => {
    const caps = under({ callsMax: { stop: 5 }, wallMsMax: { stop: 100 }, taskCallsMax: { stop: 2 }, depthMax: { stop: 1 } });
    const book = family();
    expect(shortly(book.enter(toCall({ task: "c" }), caps))).toBe("stop depth");
    expect(shortly(book.enter(toCall({ task: "b", atMs: 101 }), caps))).toBe("stop wall_time");
    expect(book.resume("r", 200).map(({ task }) => task)).toEqual(["r", "c"]);
    const go = (task: string): string => shortly(book.enter(toCall({ task, atMs: 300 }), caps));
    // c is as deep as before: that was forgiven.
    expect(["c", "c", "c", "b", "b", "r", "a"].map(go)).toEqual(["ok", "ok", "stop task_calls", "ok", "ok", "ok", "stop calls"]);
  });

  it("is not stopped by one request that was tried too often", () => {
    const book = new TreeBook();
    const caps = under({ triesMax: { stop: 2 } });
    expect(book.enter(toCall({ task: "t", attempt: 3 }), caps)).toMatchObject({ kind: "stop", isKept: false });
    expect(book.enter(toCall({ task: "t" }), caps).kind).toBe("ok");
  });

  it("refuses a child too many, and leaves those before it alone", () => {
    const book = new TreeBook();
    const caps = under({ fanOutMax: { stop: 2 } });
    const go = (task: string): string => shortly(book.enter(toCall({ task, parent: "r" }), caps));
    expect(["a", "b", "c", "a", "b", "c", "d"].map(go)).toEqual([
      "ok",
      "ok",
      "stop fan_out",
      "ok",
      "ok",
      "stop fan_out before",
      "stop fan_out",
    ]);
  });
});

describe("a parent learns that its child was stopped", () => {
  it("once, from the next answer of the nearest task above that makes calls", () => {
    const book = new TreeBook();
    book.enter(toCall({ task: "r", root: "r" }), []);
    // `middle` is only spoken of: it makes no call.
    book.enter(toCall({ task: "child", parent: "middle", root: "r" }), []);
    book.enter(toCall({ task: "child" }), under({ taskCallsMax: { stop: 1 } }));
    expect(book.deaths("middle")).toEqual([]);
    expect(book.deaths("r").map(({ task, code }) => [task, code])).toEqual([["child", "task_calls"]]);
    expect(book.deaths("r")).toEqual([]);
    expect(book.deaths("unknown")).toEqual([]);
  });

  it("also of its budget, which stops nothing here; the same news once, and no more than 16", () => {
    const book = new TreeBook();
    book.enter(toCall({ task: "r" }), []);
    for (let at = 0; at < 20; at++) {
      const task = `c${at}`;
      book.enter(toCall({ task, parent: "r" }), []);
      for (let again = 0; again < 3; again++) book.died(task, { code: "budget_exhausted", why: "…", by: "x", atMs: 1 });
    }
    expect(book.deaths("r").map(({ task }) => task)).toEqual(Array.from({ length: 16 }, (_, at) => `c${at + 4}`));
    expect(book.enter(toCall({ task: "c0" }), []).kind).toBe("ok");
  });
});

describe("which tree a call belongs to", () => {
  it.each<[string, Partial<TreeCall>, string | null, string | null]>([
    ["its root", { root: "r", parent: "p", task: "t", session: "s" }, "r", "t"],
    ["its parent, where no root is said", { parent: "p", task: "t", session: "s" }, "p", "t"],
    ["its parent, where it has no name of its own", { parent: "p", session: "s" }, "p", "p"],
    ["its task", { task: "t", session: "s" }, "t", "t"],
    ["its session", { session: "s" }, "session:s", "session:s"],
    ["none, where the session is a guess", { session: "~abc" }, null, null],
    ["none, where nothing is said", {}, null, null],
  ])("%s", (_what, said, tree, task) => {
    expect(new TreeBook().enter(toCall(said), [])).toEqual({ kind: "ok", tree, task });
  });

  it("names all tasks above one", () => {
    const book = new TreeBook();
    book.enter(toCall({ task: "c", parent: "b" }), []);
    book.enter(toCall({ task: "b", parent: "a" }), []);
    expect(book.ancestors("c")).toEqual(["c", "b", "a"]);
    expect(book.ancestors("unknown")).toEqual(["unknown"]);
  });
});

describe("calls of which nothing is known", () => {
  const caps = under({
    loopMax: { stop: 2 },
    callsMax: { stop: 0 },
    wallMsMax: { stop: 0 },
    idlePicoMax: { stop: -1n },
    triesMax: { stop: 3 },
  });

  it("are watched for loops and tries alone, and nothing stays stopped", () => {
    const book = new TreeBook();
    const go = (fingerprint: string, more: Partial<TreeCall> = {}): string =>
      shortly(book.enter(toCall({ session: "~s", fingerprint, atMs: 5, ...more }), caps));
    expect([go("a"), go("a"), go("a"), go("a")]).toEqual(["ok", "ok", "stop repeated_request", "stop repeated_request"]);
    // Who asks the same with another key is somebody else.
    expect(go("a", { key: "other" })).toBe("ok");
    expect(go("b")).toBe("ok");
    expect(go("c", { attempt: 4 })).toBe("stop tries");
    expect(shortly(book.enter(toCall({ attempt: 4 }), caps))).toBe("stop tries");
  });
});

describe("known failures", () => {
  test("two agents that hand the same two messages to and fro are in a loop", () => {
    const book = new TreeBook();
    const caps = under({ loopMax: { warn: 3, stop: 5 } });
    const said: string[] = [];
    for (let turn = 0; turn < 12; turn++)
      said.push(shortly(book.enter(toCall({ task: "t", fingerprint: turn % 2 === 0 ? "ask" : "answer" }), caps)));
    expect(said.slice(0, 6)).toEqual(Array.from({ length: 6 }, () => "ok"));
    expect(said.slice(6, 10)).toEqual(Array.from({ length: 4 }, () => "warn repeated_request"));
    expect(said[10]).toBe("stop repeated_request");
    expect(said[11]).toBe("stop repeated_request before");
  });

  test("an agent that polls, edits and tests for hours is in none", () => {
    const book = new TreeBook();
    const caps = under({ loopMax: { stop: 3 } });
    for (let turn = 0; turn < 200; turn++)
      for (const round of [
        { call: "status", result: "clean" },
        { call: `edit ${turn}`, result: "done" },
        { call: "test", result: "failed" },
      ])
        expect(book.enter(toCall({ task: "t", toolRounds: [round] }), caps).kind).toBe("ok");
  });

  test("concurrent sub-agents do not pass the cap on calls together", () => {
    const book = new TreeBook();
    const caps = under({ callsMax: { stop: 10 } });
    const verdicts = Array.from({ length: 500 }, (_, at) => book.enter(toCall({ task: `t${at % 50}`, root: "r" }), caps).kind);
    expect(verdicts.filter((kind) => kind === "ok")).toHaveLength(10);
  });

  test("calls that were never sent do not use up a cap, and one that is told twice counts once", () => {
    const book = new TreeBook();
    const caps = under({ callsMax: { stop: 2 } });
    for (let at = 0; at < 50; at++) {
      const call = toCall({ task: "t" });
      expect(book.enter(call, caps).kind).toBe("ok");
      book.left(call.call, null);
      book.left(call.call, null);
      book.left(call.call, 5n);
    }
    expect(book.standing("t")).toMatchObject({ calls: 0, idlePico: 0n });
    expect(book.sizes.open).toBe(0);
  });
});

const anyCall = fc.record({
  task: fc.option(fc.constantFrom("a", "b", "c", "d"), { nil: null }),
  parent: fc.option(fc.constantFrom("a", "b", "c"), { nil: null }),
  root: fc.option(fc.constantFrom("a", "r"), { nil: null }),
  session: fc.constantFrom(null, "s", "~s"),
  attempt: fc.integer({ min: 1, max: 3 }),
  fingerprint: fc.constantFrom("x", "y", "z"),
  isHeld: fc.boolean(),
  toolRounds: fc.array(fc.record({ call: fc.constantFrom("read", "run"), result: fc.constantFrom("1", "2", "3") }), { maxLength: 3 }),
});
const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("enter" as const), call: anyCall, stepMs: fc.nat(300_000) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("left" as const), which: fc.nat(9), pico: fc.option(fc.bigInt(0n, 9n), { nil: null }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("stop" as const, "resume" as const, "progress" as const, "deaths" as const),
      task: fc.constantFrom("a", "b", "r"),
    }),
  },
);
const everyCap = under({
  depthMax: { warn: 1, stop: 3 },
  fanOutMax: { slow: 1 },
  taskCallsMax: { warn: 4, stop: 20 },
  callsMax: { slow: 10, stop: 30 },
  wallMsMax: { warn: 5_000_000 },
  loopMax: { warn: 2, slow: 3, stop: 6 },
  triesMax: { stop: 2 },
  idlePicoMax: { slow: 20n, stop: 60n },
});

/** Plays steps on a book. @returns what it said to each. */
function play(
  book: TreeBook,
  steps: readonly (typeof anyStep extends fc.Arbitrary<infer Step> ? Step : never)[],
  from: number,
  open: string[],
  clock: { ms: number },
): unknown[] {
  return steps.map((step, at) => {
    if (step.kind === "left") {
      const call = open[step.which % Math.max(1, open.length)] ?? "none";
      book.left(call, step.pico);
      return null;
    }
    if (step.kind === "enter") {
      clock.ms += step.stepMs;
      const call = toCall({ ...step.call, call: `c${from + at}`, request: `q${(from + at) >> 1}`, atMs: clock.ms });
      open.push(call.call);
      return book.enter(call, everyCap);
    }
    if (step.kind === "stop") return book.stop(step.task, { code: "operator", why: "…", by: "ann", atMs: clock.ms });
    if (step.kind === "resume") return book.resume(step.task, clock.ms);
    return step.kind === "progress" ? book.progress(step.task, clock.ms) : book.deaths(step.task);
  });
}

describe("the book as a whole", () => {
  const steps = fc.array(anyStep, { maxLength: 60 });

  it("comes back from JSON at any time, and goes on as if nothing had been", () => {
    fc.assert(
      fc.property(steps, fc.nat(60), (all, cut) => {
        const [whole, first] = [new TreeBook(), new TreeBook()];
        const [openA, openB, clockA, clockB]: [string[], string[], { ms: number }, { ms: number }] = [[], [], { ms: 0 }, { ms: 0 }];
        const said = play(whole, all, 0, openA, clockA);
        const before = play(first, all.slice(0, cut), 0, openB, clockB);
        const second = TreeBook.restore(JSON.parse(JSON.stringify(first.snapshot()))) as TreeBook;
        expect(second.snapshot()).toEqual(first.snapshot());
        // What memory holds is reckoned with every step, and anew by what comes back.
        expect(second.sizes).toEqual({ ...first.sizes, open: second.sizes.open });
        const after = play(second, all.slice(cut), Math.min(cut, all.length), openB, clockB);
        expect([...before, ...after]).toEqual(said);
        expect(second.snapshot()).toEqual(whole.snapshot());
        expect(second.list(99)).toEqual(whole.list(99));
      }),
      { numRuns: 300 },
    );
  });

  it("counts what a slow recount of the admitted calls counts", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.option(fc.bigInt(0n, 99n), { nil: null })), { maxLength: 60 }), (list) => {
        const book = new TreeBook();
        const caps = under({ taskCallsMax: { stop: 9 }, callsMax: { stop: 25 } });
        const counted = [0, 0, 0, 0];
        let money = 0n;
        let isTreeStopped = false;
        const isStopped = [false, false, false, false];
        for (const [task, pico] of list) {
          const call = toCall({ task: `t${task}`, root: "r" });
          const of = counted[task] as number;
          const total = counted.reduce((a, b) => a + b, 0);
          // Which of two stops is told depends on their order; the task's comes first.
          const fits = !isTreeStopped && !isStopped[task] && of < 9 && total < 25;
          expect(book.enter(call, caps).kind).toBe(fits ? "ok" : "stop");
          if (!isTreeStopped && !isStopped[task] && of >= 9) isStopped[task] = true;
          else if (!isTreeStopped && !isStopped[task] && total >= 25) isTreeStopped = true;
          book.left(call.call, pico);
          if (!fits || pico === null) continue;
          counted[task] = of + 1;
          money += pico;
        }
        if (list.length > 0) expect(book.standing("r")).toMatchObject({ calls: counted.reduce((a, b) => a + b, 0), idlePico: money });
      }),
    );
  });

  it("refuses what is no snapshot", () => {
    for (const wrong of [null, 1, "x", {}, { ...new TreeBook().snapshot(), version: 0 }]) expect(TreeBook.restore(wrong)).toBe(null);
  });
});

describe("memory", () => {
  const limits = {
    ...treeLimits,
    treesMax: 50,
    treeTasksMax: 20,
    talksMax: 30,
    talkThingsMax: 100,
    cellsMax: 2_000,
    openMax: 40,
    treeThingsMax: 40,
  };

  it("stays within its limits, whatever comes", () => {
    const book = new TreeBook(limits);
    for (let at = 0; at < 5_000; at++) {
      const kinds = [
        { task: `t${at % 700}`, root: `r${at % 90}` },
        { session: `~${at % 200}` },
        { task: `x${at}`, root: "wide" },
        { session: `${at}` },
      ];
      book.enter(toCall({ ...kinds[at % 4], toolRounds: [{ call: "a", result: `${at}` }], isHeld: at % 3 === 0 }), []);
      const { trees, talks, open, cells } = book.sizes;
      if (trees > 50 || talks > 30 || open > 40 || cells > 2_000) expect(book.sizes).toEqual("within limits");
    }
    expect(book.sizes).toMatchObject({ talks: 30, open: 40 });
    expect(TreeBook.restore(JSON.parse(JSON.stringify(book.snapshot())), limits)?.sizes.cells).toBe(book.sizes.cells);
  });

  it("forgets what was stopped last: a flood of other trees frees nobody", () => {
    const book = new TreeBook(limits);
    book.enter(toCall({ task: "bad" }), []);
    book.stop("bad", { code: "operator", why: "enough", by: "ann", atMs: 0 });
    for (let at = 0; at < 1_000; at++) book.enter(toCall({ task: `t${at}` }), []);
    expect(book.enter(toCall({ task: "bad" }), []).kind).toBe("stop");
    expect(book.list(2).map(({ root }) => root)).toEqual(["bad", "t999"]);
  });

  it("settles a call of a tree that was forgotten without a trace of it", () => {
    const book = new TreeBook({ ...limits, treesMax: 1 });
    const call = toCall({ task: "old" });
    book.enter(call, []);
    book.enter(toCall({ task: "new" }), []);
    book.left(call.call, 5n);
    expect(book.standing("old")).toBe(null);
    expect(book.standing("new")?.idlePico).toBe(0n);
  });
});
