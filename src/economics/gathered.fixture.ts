// Candidates' tasks one by one, added up: slow, and meant to be read. For tests alone, which hold to it what a store adds up.

import { type Pico, sum, toPico } from "../core/money.ts";
import { byTask, type ByTask, sideOf } from "./compare.ts";
import type { Gathered } from "./gathered.ts";
import { quantilesOf } from "./quantile.ts";
import { fewUnits } from "./sample.ts";

/** One task, as a try at a piece of work. */
export interface Tried {
  /** Names the piece of work: the same for every candidate and try that is given it. */
  readonly case: string;
  readonly ending: "success" | "failure" | "unknown" | "open";
  /** null: nothing is known of it. */
  readonly costPico: Pico | null;
}

export interface Entrant {
  readonly id: string;
  readonly tries: readonly Tried[];
}

const isDecided = ({ ending }: Tried): boolean => ending === "success" || ending === "failure";

function of(some: readonly Tried[]): ByTask {
  return byTask(
    some.map((tried) => ({
      task: tried.case,
      costPico: tried.costPico,
      success: tried.ending === "success" ? true : tried.ending === "failure" ? false : null,
    })),
  );
}

export function gather({ id, tries }: Entrant): Gathered {
  const ended = of(tries.filter(({ ending }) => ending !== "open"));
  const decided = of(tries.filter(isDecided));
  const unfit = new Set(tries.filter((one) => isDecided(one) && (one.costPico === null || one.costPico < 0n)).map((one) => one.case));
  const counts = { success: 0, failure: 0, unknown: 0, open: 0 };
  for (const { ending } of tries) counts[ending] += 1;
  const known = tries.map(({ costPico }) => costPico).filter((costPico) => costPico !== null);
  return {
    id,
    counts,
    uncosted: tries.length - known.length,
    spentPico: sum(known),
    cases: of(tries).size,
    quantiles: quantilesOf(tries.map(({ costPico }) => costPico ?? toPico(0n))),
    costUnits: fewUnits(
      [...ended.values()].flatMap(({ costPico, costed }) => (costed === 0 ? [] : [{ top: Number(costPico), bottom: costed }])),
    ),
    spendUnits: fewUnits([...of(tries).values()].map(({ costPico, successes }) => ({ top: Number(costPico), bottom: successes }))),
    ended: sideOf(ended),
    repeated: new Map(
      [...decided]
        .filter(([, { tries: attempts }]) => attempts > 1)
        .map(([piece, { tries: attempts, successes, costPico }]) => [
          piece,
          { attempts, successes, costPico: toPico(costPico), isCosted: !unfit.has(String(piece)) },
        ]),
    ),
    decidedCases: decided.size,
  };
}
