// The guard of a server that runs: on its journal, with the budgets of its settings, finding out what was taken before a budget was there, and
// telling whoever is to be told. Not here: how it decides (guard.ts). The composition root gives it what it needs of the rest.

import type { Settings } from "../config.ts";
import { setTimer } from "../timer.ts";
import type { Budget } from "../core/budget.ts";
import { spanAt } from "../core/budget.ts";
import type { Entry, Opening } from "../core/entry.ts";
import { hourMs } from "../core/time.ts";
import type { GuardAccess, GuardEvent } from "./access.ts";
import { createDesk } from "./desk.ts";
import type { Guard } from "./guard.ts";
import { type GuardJournal, openGuard } from "./open.ts";
import { type Edges, readBudgets } from "./settings.ts";
import { readTrees } from "./trees.ts";

export interface ServeEffects {
  /** Calls can come. If not, only what is asked for is put on record. */
  readonly serves: boolean;
  readonly now: () => number;
  readonly journal: GuardJournal;
  readonly append: (entry: Entry) => void;
  readonly note: (entry: Entry) => void;
  readonly newId: (atMs: number) => string;
  readonly tell: (event: GuardEvent) => void;
  readonly warn: (message: string) => void;
  /** Everything under way below a node is to end now. */
  readonly halted: (halt: ReturnType<GuardAccess["halt"]>) => void;
  /** When the earliest call that is under way began, ms UTC; null: none is. */
  readonly openSince: () => number | null;
  /** What was taken of calls that began in a span, in a budget's measure, by the values of its `each` fields and by hour. */
  readonly takenBefore: (budget: Budget, fromMs: number, toMs: number) => Promise<readonly Opening[]>;
}

export interface ServedGuard {
  readonly guard: Guard;
  readonly access: GuardAccess;
  close(): Promise<void>;
}

/** How long calls that were under way when a budget was defined are waited for, ms, before what was taken until then is added up. */
const settleMsMax = 60_000;
const lookMs = 250;

export async function serveGuard(
  settings: Pick<Settings, "data" | "budgets" | "rates" | "trees" | "guard">,
  edges: Edges,
  effects: ServeEffects,
): Promise<ServedGuard> {
  const { now } = effects;
  const closing = { is: false };
  const read = { budgets: effects.serves ? readBudgets(settings, edges) : null, policies: readTrees(settings.trees, edges) };
  const { append, note, newId, tell, warn } = effects;
  const opened = await openGuard(settings.data, effects.journal, read, settings.guard, { now, append, note, newId, tell, warn, setTimer });
  const { guard } = opened;

  /** It counts in the windows that it had then, and nobody was faster. */
  const isAwaited = (id: string, begunMs: number): boolean => {
    const known = guard.register.origin(id);
    return known !== null && known.begunMs === begunMs && !known.isOpened;
  };

  /** What was taken in the window under way before the budget was there, or had other windows. */
  const find = async (id: string): Promise<void> => {
    const budget = guard.book.budget(id);
    const known = guard.register.origin(id);
    if (budget === null || known === null || known.isOpened || budget.measure === "open" || budget.period.kind === "total") return;
    const { begunMs: setMs } = known;
    const { period } = budget;
    const fromMs =
      period.kind === "rolling" ? spanAt(period, setMs).fromMs - period.buckets * period.bucketMs : spanAt(period, setMs).fromMs;
    // Of a window of minutes, what went before is over before it is added up.
    if (period.kind === "rolling" ? period.bucketMs * period.buckets < hourMs : spanAt(period, setMs).toMs - fromMs < hourMs) return;
    try {
      for (let waitedMs = 0; waitedMs < settleMsMax && !closing.is; waitedMs += lookMs) {
        const since = effects.openSince();
        if (since === null || since >= setMs) break;
        await new Promise((resolve) => setTimeout(resolve, lookMs).unref());
      }
      const openings = await effects.takenBefore(budget, fromMs, setMs);
      if (!closing.is && isAwaited(id, setMs)) guard.register.opening(id, openings);
    } catch (error) {
      warn(`what was taken before the budget ${id} was there could not be added up; it counts from when it was set: ${String(error)}`);
    }
  };
  // Also of those that the last server did not come to.
  if (effects.serves) for (const { id } of guard.book.budgets()) void find(id);
  return {
    guard,
    access: createDesk(guard, { now, opened: (id) => void find(id), halted: effects.halted }),
    close: () => {
      closing.is = true;
      return opened.close();
    },
  };
}
