// What Larkspur's agents, checks and people say of tasks, on its way to Pennyworth: gathered, and said many at a time over the control API, each
// with the moment it was so. Not here: what they say (ending.ts). Invariant: nothing is said before its time has come.

import type { Office } from "./books.ts";
import type { Statement } from "./ending.ts";

export interface Register {
  tell(statement: Statement, atMs: number): void;
  /** Says what was gathered, as far as its time has come. */
  flush(nowMs: number): Promise<void>;
}

/** Of one request. */
const atOnce = 1_000;

interface Waiting {
  readonly atMs: number;
  readonly body: object;
}

export function createRegister(ask: Office["ask"]): Register {
  let begun: Waiting[] = [];
  let outcomes: Waiting[] = [];
  let count = 0;
  const sendAll = async (path: string, name: string, list: readonly Waiting[]): Promise<void> => {
    for (let from = 0; from < list.length; from += atOnce)
      await ask(path, { [name]: list.slice(from, from + atOnce).map(({ body }) => body) });
  };
  return {
    tell: (statement, atMs) => {
      const { kind: _, task, ...said } = statement;
      if (statement.kind === "begun") begun.push({ atMs, body: { ...said, id: task, began: atMs } });
      else outcomes.push({ atMs, body: { ...said, task, at: atMs, id: `larkspur-${atMs}-${(count += 1)}` } });
    },
    flush: async (nowMs) => {
      const isDue = ({ atMs }: Waiting): boolean => atMs <= nowMs;
      const [first, then] = [begun.filter(isDue), outcomes.filter(isDue)];
      begun = begun.filter((waiting) => !isDue(waiting));
      outcomes = outcomes.filter((waiting) => !isDue(waiting));
      await sendAll("tasks/begun", "tasks", first);
      await sendAll("outcomes", "outcomes", then);
    },
  };
}
