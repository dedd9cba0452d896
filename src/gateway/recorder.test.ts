import { expect, test } from "vitest";
import type { CallEnd, CallStart } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import { PennyworthError } from "../error.ts";
import { type Log, Recorder } from "./recorder.ts";

const start = (id: string) => ({ id }) as CallStart;
const end = (id: string) => ({ id }) as CallEnd;

/** A log whose disk can be filled and freed. */
function createLog(): Log & { full: boolean; readonly entries: Entry[] } {
  return {
    full: false,
    entries: [],
    append(entry) {
      if (this.full) throw new PennyworthError("journal_unwritable", { cause: "ENOSPC" });
      this.entries.push(entry);
    },
    synced: () => Promise.resolve(),
  };
}

const options = { durability: "batched", now: () => 5, warn: () => {} } as const;
const told = (log: { readonly entries: Entry[] }): string[] =>
  log.entries.map((entry) => (entry.kind === "start" || entry.kind === "end" ? `${entry.kind} ${entry.call.id}` : entry.kind));

test("when the disk is full, new calls are refused with a clear cause, and ends of running ones are kept until it is free", () => {
  const log = createLog();
  const recorder = new Recorder(log, { ...options, whenUnwritable: "refuse" });
  recorder.start(start("a"));
  recorder.start(start("b"));
  log.full = true;
  recorder.end(end("a"));
  expect(() => recorder.start(start("c"))).toThrow(/ENOSPC/);
  recorder.end(end("b"));
  log.full = false;
  recorder.start(start("d"));
  expect(told(log)).toEqual(["start a", "start b", "end a", "end b", "start d"]);
});

test("let through by setting, the gap is on record with its calls", () => {
  const log = createLog();
  const recorder = new Recorder(log, { ...options, whenUnwritable: "pass" });
  log.full = true;
  expect(recorder.start(start("a"))).toBe(false);
  expect(recorder.start(start("b"))).toBe(false);
  log.full = false;
  expect(recorder.start(start("c"))).toBe(true);
  expect(log.entries[0]).toMatchObject({ kind: "gap", calls: 2, cause: expect.stringContaining("ENOSPC") });
  expect(told(log)).toEqual(["gap", "start c"]);
});

test("what is still waiting at shutdown is tried once more", () => {
  const log = createLog();
  const recorder = new Recorder(log, { ...options, whenUnwritable: "refuse" });
  log.full = true;
  recorder.end(end("a"));
  expect(recorder.pending).toBe(1);
  log.full = false;
  recorder.close();
  expect(told(log)).toEqual(["end a"]);
});

test("a clock that jumps while the disk is full does not bring the server down", () => {
  const log = createLog();
  const recorder = new Recorder(log, { ...options, whenUnwritable: "refuse" });
  log.full = true;
  recorder.clock(5_000);
  log.full = false;
  recorder.close();
  expect(log.entries).toEqual([{ kind: "clock", atMs: 5, byMs: 5_000 }]);
});
