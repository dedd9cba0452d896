// Tasks one by one, added up as a store adds them up: slow, and meant to be read. For tests alone, which hold the sums of a store to it.

import { createHash } from "node:crypto";
import { parseUsd, type Pico, sum } from "../core/money.ts";
import { nearestRank, sortPico } from "../economics/quantile.ts";
import type { Trial, TrialsPage } from "./trials.ts";
import {
  type CandidateOdds,
  type CandidateTries,
  logMiddle,
  logScales,
  type OddsPage,
  type OddsQuery,
  type TriesPage,
  type TriesQuery,
} from "./tries.ts";

const few = 1_000;

/** One of 256, by a name. */
function bucketOf(name: string): number {
  return createHash("md5").update(name).digest()[8] as number;
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const picoOf = ({ cost }: Trial): bigint | null => (cost === null ? null : parseUsd(cost));
const total = (some: readonly Trial[]): bigint => sum(some.flatMap(({ cost }) => (cost === null ? [] : parseUsd(cost))));
const knownOf = ({ cost, spent = cost ?? "0" }: Trial): Pico => parseUsd(spent);
const totalKnown = (some: readonly Trial[]): bigint => sum(some.map(knownOf));
const isOver = ({ ending }: Trial): boolean => ending !== "open";
const isDecided = ({ ending }: Trial): boolean => ending === "success" || ending === "failure";
const count = (some: readonly Trial[], ending: Trial["ending"]): number => some.filter((one) => one.ending === ending).length;

function groupBy<Key>(trials: readonly Trial[], keyOf: (trial: Trial) => Key): ReadonlyMap<Key, readonly Trial[]> {
  const found = new Map<Key, Trial[]>();
  for (const trial of trials) {
    const key = keyOf(trial);
    const mine = found.get(key);
    if (mine === undefined) found.set(key, [trial]);
    else mine.push(trial);
  }
  return found;
}

function inRank([a, x]: readonly [string | null, readonly Trial[]], [b, y]: readonly [string | null, readonly Trial[]]): number {
  if (x.length !== y.length) return y.length - x.length;
  const more = count(y, "success") - count(x, "success");
  if (more !== 0) return more;
  return order(a ?? "", b ?? "");
}

export function expectedTries(page: TrialsPage, { only, most, always }: Pick<TriesQuery, "only" | "most" | "always">): TriesPage {
  const trials = page.trials.filter(({ candidate }) => only === null || (candidate !== null && only.includes(candidate)));
  const groups = [...groupBy(trials, ({ candidate }) => candidate)].sort(inRank);
  const named = groups.filter((group): group is [string, readonly Trial[]] => group[0] !== null);
  const kept = named.filter(([value], index) => index < most - 1 || value === always || (index === most - 1 && !later(always)));
  function later(value: string | null): boolean {
    return named.slice(most).some(([one]) => one === value);
  }
  // Without a limit to those asked for, all count: a store may leave those out that nobody sees, and their pieces with them.
  const tries = groupBy(
    named.flatMap(([, mine]) => mine).filter((one) => one.case !== null),
    (one) => one.case ?? "",
  );
  const pieces = [...tries].filter(([, mine]) => mine.length > 1).sort(([a], [b]) => order(a, b));
  const several = new Set(pieces.map(([of]) => of));
  const rows = pieces.flatMap(([of, mine], index) =>
    kept.flatMap(([value], candidate) => {
      const own = mine.filter((one) => one.candidate === value);
      return own.length === 0 ? [] : [{ of, index, candidate, own }];
    }),
  );
  const column = (read: (own: readonly Trial[]) => number): Int32Array => Int32Array.from(rows, ({ own }) => read(own));
  const left = named.filter((group) => !kept.includes(group));
  return {
    candidates: kept.map(([value, mine]) => candidateOf(value, mine, several)),
    pieces: {
      piece: Int32Array.from(rows, ({ index }) => index + 1),
      candidate: Uint8Array.from(rows, ({ candidate }) => candidate),
      bucket: Uint8Array.from(rows, ({ of }) => bucketOf(of)),
      tries: column((own) => own.length),
      ended: column((own) => own.filter(isOver).length),
      decided: column((own) => own.filter(isDecided).length),
      successes: column((own) => count(own, "success")),
      uncosted: column((own) => own.filter(({ cost }) => cost === null).length),
      costed: column((own) => own.filter((one) => isOver(one) && one.cost !== null).length),
      unfit: column((own) => own.filter((one) => isDecided(one) && (picoOf(one) ?? -1n) < 0n).length),
      spentPico: rows.map(({ own }) => totalKnown(own)),
      costPico: rows.map(({ own }) => total(own.filter(isOver))),
      decidedPico: rows.map(({ own }) => total(own.filter(isDecided))),
    },
    tasks: trials.length,
    unnamed: groups.find(([value]) => value === null)?.[1].length ?? 0,
    others: {
      candidates: left.length,
      tasks: left.reduce((all, [, mine]) => all + mine.length, 0),
      values: left.map(([value]) => value),
    },
    truncated: page.truncated,
    position: page.position,
  };
}

function candidateOf(value: string, mine: readonly Trial[], several: ReadonlySet<string>): CandidateTries {
  const alone = mine.filter((one) => one.case === null || !several.has(one.case));
  const over = alone.filter((one) => isOver(one) && one.cost !== null);
  const logs = over.map(picoOf).flatMap((pico) => (pico !== null && pico > 0n ? Math.log(Number(pico) / 1e12) - logMiddle : []));
  const costs = sortPico(mine.map(knownOf));
  return {
    value,
    tasks: mine.length,
    alone: {
      success: count(alone, "success"),
      failure: count(alone, "failure"),
      unknown: count(alone, "unknown"),
      open: count(alone, "open"),
      uncosted: alone.filter(({ cost }) => cost === null).length,
      spentPico: totalKnown(alone),
      costed: over.length,
      costPico: total(over),
      squares: over.reduce((all, one) => all + (picoOf(one) ?? 0n) ** 2n, 0n),
      logs: logs.length,
      powers: logScales.map((scale, index) => logs.reduce((all, log) => all + BigInt(Math.round(log ** (index + 1) * scale)), 0n)) as [
        bigint,
        bigint,
        bigint,
        bigint,
      ],
    },
    each:
      alone.length > few
        ? null
        : alone.map((one) => ({
            isSuccess: one.ending === "success",
            isOpen: one.ending === "open",
            isCosted: one.cost !== null,
            pico: knownOf(one),
          })),
    buckets: [...groupBy(alone, (one) => bucketOf(one.case ?? one.task))]
      .sort(([a], [b]) => a - b)
      .map(([bucket, own]) => {
        const known = own.filter((one) => isOver(one) && one.cost !== null);
        return {
          bucket,
          tasks: own.length,
          successes: count(own, "success"),
          spentPico: totalKnown(own),
          costed: known.length,
          costPico: total(known),
        };
      }),
    quantiles: { p50: nearestRank(costs, 0.5), p90: nearestRank(costs, 0.9), p99: nearestRank(costs, 0.99) },
  };
}

export function expectedOdds(page: TrialsPage, { most }: Pick<OddsQuery, "most">): OddsPage {
  const groups = [...groupBy(page.trials, ({ candidate }) => candidate)].sort(inRank);
  const left = groups.slice(most);
  return {
    candidates: groups.slice(0, most).map(([value, mine]) => oddsOf(value, mine)),
    tasks: page.trials.length,
    others: { candidates: left.length, tasks: left.reduce((all, [, mine]) => all + mine.length, 0) },
    truncated: page.truncated,
    position: page.position,
  };
}

function oddsOf(value: string | null, mine: readonly Trial[]): CandidateOdds {
  const named = mine.filter((one) => one.case !== null);
  const pieces = [...groupBy(named, (one) => one.case)].map(([, own]) =>
    own.toSorted((a, b) => a.startMs - b.startMs || order(a.task, b.task)),
  );
  const came: CandidateOdds["came"][number][] = [];
  for (let index = 0, going = pieces; ; index += 1) {
    const here = going.flatMap((own) => own[index] ?? []);
    if (here.length === 0)
      return { value, tasks: mine.length, nameless: mine.length - named.length, cases: pieces.length, repeated: repeats(), came };
    const costed = here.filter((one) => isOver(one) && one.cost !== null);
    const groups =
      costed.length > few
        ? [...groupBy(costed, (one) => String(bucketOf(one.case ?? "")))].map(([, own]) => own)
        : costed.map((one) => [one]);
    came.push({
      tasks: here.length,
      successes: count(here, "success"),
      failures: count(here, "failure"),
      costed: costed.length,
      costPico: total(costed),
      units: groups.map((own) => ({ pico: total(own), count: own.length })),
    });
    going = going.filter((own) => own[index]?.ending === "failure");
  }
  function repeats(): number {
    return pieces.filter((own) => own.length > 1).length;
  }
}
