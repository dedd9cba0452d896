// What a store must say of tasks and how they ended, added up from the entries themselves by code that shares nothing with the stores: slow, and
// meant to be read. For tests alone. Which evidence of a call wins is core's to say (core/resolve.ts), and so is what a set of statements comes to.

import type { CallEnd, CallStart, Observation } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import { formatUsd } from "../core/money.ts";
import { endingOf, type Outcome, type TaskBegun } from "../core/outcome.ts";
import { type Correction, resolve } from "../core/resolve.ts";
import type { EndSums, SuccessPage, SuccessQuery, SuccessRow, TaskField } from "./store.ts";

/** A call as it counts. */
interface Counted {
  readonly task: string | null;
  readonly below: string | null;
  readonly said: Readonly<Record<string, string | null>>;
  readonly model: string | null;
  readonly startMs: number;
  readonly lastMs: number;
  readonly pico: bigint;
  readonly failed: boolean;
  readonly again: boolean;
  readonly unpriced: boolean;
  readonly presumed: boolean;
}

interface Task {
  readonly name: string;
  readonly calls: Counted[];
  readonly begun: TaskBegun | null;
  readonly said: Outcome[];
  /** Charges that belong to it and to no call, the first of them first. */
  readonly charges: readonly Charged[];
}

interface Charged {
  readonly task: string | null;
  readonly below: string | null;
  readonly said: Readonly<Record<string, string | null>>;
  readonly fromMs: number;
  readonly toMs: number;
  readonly pico: bigint | null;
}

export function expectedSuccess(entries: readonly Entry[], query: SuccessQuery): Omit<SuccessPage, "position"> {
  const calls = callsOf(entries);
  const begun = new Map<string, TaskBegun>();
  const said = new Map<string, Outcome>();
  for (const entry of entries) {
    if (entry.kind === "task.begun" && !begun.has(entry.task.attribution.task ?? ""))
      begun.set(entry.task.attribution.task ?? "", entry.task);
    if (entry.kind === "outcome" && !said.has(entry.outcome.id)) said.set(entry.outcome.id, entry.outcome);
  }
  const tasks = new Map<string, Task>();
  const charges = chargesOf(entries);
  const names = new Set([...calls, ...charges].flatMap(({ task }) => task ?? []));
  for (const [name, task] of begun) if (isRoot(task)) names.add(name);
  for (const name of names) {
    const own = begun.get(name);
    tasks.set(name, {
      name,
      calls: calls.filter(({ task }) => task === name).sort((a, b) => a.startMs - b.startMs),
      begun: own !== undefined && isRoot(own) ? own : null,
      said: [...said.values()].filter(({ task }) => task === name),
      charges: charges.filter(({ task }) => task === name).sort((a, b) => a.fromMs - b.fromMs),
    });
  }
  const subtasks = new Set([...[...calls, ...charges].flatMap(({ below }) => below ?? []), ...begun.keys()]);
  const waiting = [...said.values()].filter(({ task }) => !tasks.has(task) && !subtasks.has(task)).length;

  // What is no task of its own is a part of what it was begun as, else of the one root that its calls and charges name.
  const rootsOf = (name: string): readonly string[] => {
    const above = begun.get(name) === undefined ? null : aboveOf(begun.get(name) as TaskBegun);
    if (above !== null) return [above];
    const roots = entries.flatMap((entry) =>
      entry.kind === "start" && entry.call.attribution.task === name ? (entry.call.attribution.root ?? name) : [],
    );
    const charged = charges.flatMap(({ task, below }) => (below === name ? (task ?? []) : []));
    return [...new Set([...roots, ...charged])].filter((root) => root !== name);
  };
  const wholeOf = (name: string, depth = 0): string | null => {
    if (tasks.has(name)) return name;
    const [root, ...others] = rootsOf(name);
    return root === undefined || others.length > 0 || depth > 20 ? null : wholeOf(root, depth + 1);
  };
  const causeOf = (name: string): string | null => {
    const cause = tasks.get(name)?.begun?.reworkOf ?? null;
    return cause === null ? null : wholeOf(cause);
  };
  const isInCircle = (name: string): boolean => {
    let at = causeOf(name);
    for (let steps = 0; at !== null && steps <= tasks.size; steps++, at = causeOf(at)) if (at === name) return true;
    return false;
  };
  const bookedTo = (name: string): string => {
    const cause = causeOf(name);
    return cause === null || isInCircle(name) ? name : bookedTo(cause);
  };

  const checkedParts = [...new Set([...said.values()].map(({ task }) => task))].flatMap((name): (Task & { readonly of: string })[] => {
    const root = wholeOf(name);
    if (root === null || root === name) return [];
    const own = [...said.values()].filter(({ task }) => task === name);
    return [{ name, calls: [], begun: null, said: own, charges: [], of: bookedTo(root) }];
  });

  const groups = new Map<string, Task[]>();
  const all: Task[] = [];
  for (const task of tasks.values()) {
    if (bookedTo(task.name) !== task.name) continue;
    const beganMs = task.begun?.beganMs ?? task.calls[0]?.startMs ?? task.charges[0]?.fromMs ?? 0;
    if (query.sinceMs !== null && beganMs < query.sinceMs) continue;
    if (query.untilMs !== null && beganMs >= query.untilMs) continue;
    if (!query.filters.every(({ field, value, operator }) => (valueOf(task, field) === value) === (operator === "="))) continue;
    all.push(task);
    const key = JSON.stringify(query.by.map((field) => valueOf(task, field)));
    groups.set(key, [...(groups.get(key) ?? []), task]);
  }
  const rowOf = (group: readonly (string | null)[], of: readonly Task[]): SuccessRow => {
    const parts = of.map((task) => {
      const rework = [...tasks.values()].filter(({ name }) => name !== task.name && bookedTo(name) === task.name);
      const whole = [task, ...rework, ...checkedParts.filter(({ of }) => of === task.name)];
      return {
        task,
        ending: endingOf(task.said),
        end: endOf(task, query),
        whole,
        rework,
        pico: whole.reduce((sum, one) => sum + allOf(one), 0n),
      };
    });
    const sums = (end: string): EndSums => {
      const some = parts.filter((part) => part.end === end);
      return { tasks: some.length, cost: formatUsd(some.reduce((sum, { pico }) => sum + pico, 0n)) };
    };
    const cost = (which: (part: (typeof parts)[number]) => readonly Counted[]): string => formatUsd(picoOf(parts.flatMap(which)));
    const callsIn = ({ whole }: (typeof parts)[number]): readonly Counted[] => whole.flatMap((one) => one.calls);
    const values = parts.flatMap(({ ending }) => ending.valuePico ?? []);
    const reviews = parts.flatMap(({ whole }) => whole.flatMap((one) => endingOf(one.said).reviewMillis ?? []));
    const sorted = parts.map(({ pico }) => pico).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const rank = (percent: number): string => formatUsd(sorted[Math.max(1, Math.ceil((percent * sorted.length) / 100)) - 1] ?? 0n);
    return {
      group,
      success: sums("success"),
      failure: sums("failure"),
      unknown: sums("unknown"),
      open: sums("open"),
      calls: parts.flatMap(callsIn).length,
      failedCost: cost((part) => callsIn(part).filter(({ failed }) => failed)),
      retryCost: cost((part) => callsIn(part).filter(({ again }) => again)),
      reworkCost: formatUsd(parts.reduce((sum, { rework }) => sum + rework.reduce((rest, one) => rest + allOf(one), 0n), 0n)),
      value: values.length === 0 ? null : formatUsd(values.reduce<bigint>((sum, pico) => sum + pico, 0n)),
      unvaluedCost: formatUsd(parts.reduce((sum, { ending, pico }) => sum + (ending.valuePico === null ? pico : 0n), 0n)),
      reviewMillis: reviews.length === 0 ? null : String(reviews.reduce((sum, ms) => sum + ms, 0)),
      reviewSquares:
        reviews.length === 0
          ? null
          : String(
              parts.reduce((sum, { whole }) => {
                const millis = whole.reduce((all, one) => all + BigInt(endingOf(one.said).reviewMillis ?? 0), 0n);
                return sum + millis * millis;
              }, 0n),
            ),
      unreviewed: parts.filter(({ whole }) => whole.every((one) => endingOf(one.said).reviewMillis === null)).length,
      contradictory: parts.filter(({ ending }) => ending.isContradictory).length,
      unpriced: parts.filter(({ whole }) =>
        whole.some((one) => one.calls.some(({ unpriced }) => unpriced) || one.charges.some(({ pico }) => pico === null)),
      ).length,
      presumed: parts.filter((part) => callsIn(part).some(({ presumed }) => presumed)).length,
      quantiles: parts.length === 0 ? null : { p50: rank(50), p90: rank(90), p99: rank(99) },
      units: parts
        .map(({ pico, end, ending, whole }) => {
          const millis = whole.flatMap((one) => endingOf(one.said).reviewMillis ?? []);
          return {
            pico,
            successes: end === "success" ? 1 : 0,
            worth: ending.valuePico,
            millis: millis.length === 0 ? null : millis.reduce((sum, ms) => sum + ms, 0),
          };
        })
        .sort(
          (a, b) =>
            compare(a.pico, b.pico) || a.successes - b.successes || compareLast(a.worth, b.worth) || compareLast(a.millis, b.millis),
        )
        .map(toUnit),
    };
  };
  const rows = [...groups].map(([key, of]) => rowOf(JSON.parse(key) as (string | null)[], of));
  rows.sort((a, b) => tasksIn(b) - tasksIn(a) || compareGroups(a.group, b.group));
  const shown = query.by.length === 0 ? [] : rows;
  return {
    rows: shown.slice(0, query.limit),
    total: rowOf(
      query.by.map(() => null),
      all,
    ),
    truncated: shown.length > query.limit,
    waiting,
  };
}

const isRoot = (task: TaskBegun): boolean => aboveOf(task) === null;

function aboveOf({ attribution: { task, parent, root } }: TaskBegun): string | null {
  const above = root ?? parent;
  return above === task ? null : above;
}

function tasksIn({ success, failure, unknown, open }: SuccessRow): number {
  return success.tasks + failure.tasks + unknown.tasks + open.tasks;
}

/** What was not said comes last. */
function compareGroups(a: readonly (string | null)[], b: readonly (string | null)[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? null;
    if (left === right) continue;
    if (left === null || right === null) return left === null ? 1 : -1;
    return left < right ? -1 : 1;
  }
  return 0;
}

interface Unit {
  readonly pico: bigint;
  readonly successes: number;
  readonly worth: bigint | null;
  readonly millis: number | null;
}

function toUnit({ pico, successes, worth, millis }: Unit): SuccessRow["units"][number] {
  const unit = { cost: formatUsd(pico), successes };
  const valued = worth === null ? unit : { ...unit, value: formatUsd(worth) };
  return millis === null ? valued : { ...valued, reviewMillis: String(millis) };
}

function compare(a: bigint | number, b: bigint | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What nobody said comes last. */
function compareLast(a: bigint | number | null, b: bigint | number | null): number {
  return a === null || b === null ? Number(a === null) - Number(b === null) : compare(a, b);
}

function picoOf(calls: readonly Counted[]): bigint {
  return calls.reduce((sum, { pico }) => sum + pico, 0n);
}

function endOf(task: Task, { nowMs, openMs }: SuccessQuery): "success" | "failure" | "unknown" | "open" {
  const { judge, result } = endingOf(task.said);
  if (judge !== null) return result;
  const chargedMs = Math.max(...task.charges.map(({ toMs }) => toMs));
  const lastMs = task.calls.length > 0 ? Math.max(...task.calls.map((call) => call.lastMs)) : (task.begun?.beganMs ?? chargedMs);
  return nowMs < lastMs + openMs ? "open" : "unknown";
}

function valueOf({ name, calls, begun, charges }: Task, field: TaskField): string | null {
  if (field === "model") {
    const models = new Set(calls.flatMap(({ model }) => model ?? []));
    return models.size > 1 ? "several" : ([...models][0] ?? null);
  }
  const said = field === "key" ? begun?.key : begun?.attribution[field];
  const own = (one: { readonly below: string | null }): boolean => one.below === null || one.below === name;
  const first = <Said extends { readonly below: string | null }>(all: readonly Said[]): Said | undefined => all.find(own) ?? all[0];
  return said ?? (first(calls) ?? first(charges))?.said[field] ?? null;
}

const allOf = ({ calls, charges }: Task): bigint => picoOf(calls) + charges.reduce((sum, { pico }) => sum + (pico ?? 0n), 0n);

/** The first of an id stands, unless it was voided, before or after. */
function chargesOf(entries: readonly Entry[]): Charged[] {
  const voided = new Set(entries.flatMap((entry) => (entry.kind === "charge.voided" ? entry.id : [])));
  const charges = new Map<string, Charged>();
  for (const entry of entries) {
    if (entry.kind !== "charge" || charges.has(entry.charge.id) || voided.has(entry.charge.id)) continue;
    const { attribution, key, fromMs, toMs, costPico } = entry.charge;
    const { task, root } = attribution;
    charges.set(entry.charge.id, {
      task: root ?? task,
      below: root === null ? null : task,
      said: { ...(attribution as unknown as Record<string, string | null>), key },
      fromMs,
      toMs,
      pico: costPico,
    });
  }
  return [...charges.values()];
}

/** Each call once, whatever its witnesses and however often it was rated anew. */
function callsOf(entries: readonly Entry[]): Counted[] {
  const starts = new Map<string, CallStart>();
  const ends = new Map<string, CallEnd[]>();
  const seen = new Map<string, Observation[]>();
  const corrected = new Map<string, Correction[]>();
  for (const entry of entries) {
    if (entry.kind === "rerated")
      for (const { call, ...rest } of entry.calls) {
        const correction = { ...rest, rerate: entry.rerate, atMs: entry.atMs };
        corrected.set(call, [...(corrected.get(call) ?? []), correction]);
      }
    if (entry.kind === "start") starts.set(entry.call.id, entry.call);
    else if (entry.kind === "end") ends.set(entry.call.id, [...(ends.get(entry.call.id) ?? []), entry.call]);
    else if (entry.kind === "observation") {
      const { responseId } = entry.observation;
      seen.set(responseId, [...(seen.get(responseId) ?? []), entry.observation]);
    }
  }
  const counted = [...starts.values()].map((start) => {
    const own = ends.get(start.id) ?? [];
    const responseId = own.find((end) => end.responseId !== null)?.responseId ?? null;
    const observations = responseId === null ? [] : (seen.get(responseId) ?? []);
    if (responseId !== null) seen.delete(responseId);
    // A key that its gateway did not need may be known to who saw it later.
    const [first] = observations.toSorted((a, b) => a.startMs - b.startMs);
    const { end } = resolve({ start, ends: own, observations, corrections: corrected.get(start.id) ?? [] });
    return countedOf(start, { ...start, key: start.key ?? first?.key ?? null }, end);
  });
  for (const observations of seen.values()) {
    const [first] = observations.toSorted((a, b) => a.startMs - b.startMs);
    const [id = ""] = observations.map((observation) => observation.id).toSorted();
    const { end } = resolve({ start: null, ends: [], observations, corrections: corrected.get(id) ?? [] });
    if (first !== undefined) counted.push(countedOf(null, first, end));
  }
  return counted;
}

function countedOf(start: CallStart | null, { attribution, key, startMs }: CallStart | Observation, end: CallEnd | null): Counted {
  const { task, root } = attribution;
  return {
    task: root ?? task,
    below: root !== null && root !== task ? task : null,
    said: { ...(attribution as unknown as Record<string, string | null>), key },
    model: end?.modelAnswered ?? start?.modelSent ?? start?.modelAsked ?? null,
    startMs,
    lastMs: end?.endMs ?? startMs,
    pico: (end?.charges ?? []).reduce((sum, charge) => sum + charge.costPico, 0n),
    failed: end !== null && ["failed", "cut", "unreached"].includes(end.status),
    again: start !== null && (start.attempt > 1 || start.reason !== "first"),
    unpriced: (end?.unpriced.length ?? 0) > 0,
    presumed: end !== null && (end.status === "presumed" || end.usage?.source === "presumed"),
  };
}
