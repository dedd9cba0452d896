// The process that reads a large statement: it is given the files, answers once, and ends. Not here: what it does (read.ts, reader.ts).

import { constants, setPriority } from "node:os";
import { PennyworthError } from "../error.ts";
import { readStatement } from "./read.ts";
import { condense, type Outcome, type Task } from "./reader.ts";

function answer({ files, format }: Task): Outcome {
  try {
    return { statement: condense(readStatement(files, format)) };
  } catch (error) {
    if (!(error instanceof PennyworthError)) throw error;
    return { code: error.code, message: error.message };
  }
}

// Calls that pass meanwhile go first.
setPriority(constants.priority.PRIORITY_LOW);
process.once("message", (task: Task) => {
  process.send?.(answer(task), () => process.disconnect());
});
// Whoever asked is gone.
process.once("disconnect", () => process.exit());
