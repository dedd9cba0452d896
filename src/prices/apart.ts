// The process that reads a large file of prices: it is given the text, answers once, and ends. Not here: what it does (parse.ts, fork.ts).

import { constants, setPriority } from "node:os";
import { PennyworthError } from "../error.ts";
import type { Part, Task } from "./fork.ts";
import { parseList } from "./parse.ts";

/** Records in one message. */
const partRecords = 200;

function* answer({ text, options, nowMs }: Task): Generator<Part> {
  try {
    const read = parseList(text, options, nowMs);
    const { records } = read.list;
    for (let at = 0; at < records.length; at += partRecords) yield { kind: "records", records: records.slice(at, at + partRecords) };
    yield { kind: "rest", read: { ...read, list: { ...read.list, records: [] } } };
  } catch (error) {
    if (!(error instanceof PennyworthError)) throw error;
    yield { kind: "refused", code: error.code, message: error.message };
  }
}

function give(parts: Iterator<Part>): void {
  const { value, done } = parts.next();
  if (done === true) process.disconnect();
  else process.send?.(value, () => give(parts));
}

// Calls that pass meanwhile go first.
setPriority(constants.priority.PRIORITY_LOW);
process.once("message", (task: Task) => give(answer(task)));
// Whoever asked is gone.
process.once("disconnect", () => process.exit());
