// What a store must say of drivers and shapes, added up call by call from what was said, by code that shares nothing with the stores; what a call
// wasted is economics' to say (economics/waste.fixture.ts, shape.fixture.ts). Slow, and meant to be read. For tests alone.

import type { Attribution, CallEnd, CallStart, Observation } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import { formatUsd, type Pico, sum, toPico } from "../core/money.ts";
import type { PeriodCharge } from "../core/period.ts";
import { totalQuantities, type UsageClass } from "../core/usage.ts";
import { merge, noShape, type Shape, shapeOf } from "../economics/shape.fixture.ts";
import { resentOf, type StepCall, type Waste, wastesOf } from "../economics/waste.fixture.ts";
import {
  type DriverField,
  type DriverGaps,
  type DriverSums,
  type DriversQuery,
  type DriverUsage,
  others,
  toldCellsMax,
  toldCustomersMax,
} from "./drivers.ts";
import { daysOf, valueOfDay } from "./periods.fixture.ts";
import type { ShapePage, ShapeQuery, StepSums } from "./shape.ts";
import type { CallRecord, Filter, Span } from "./store.ts";

/** A call as it counts: its record, and what was said of it where that was not by its gateway. */
export interface Counted {
  readonly start: CallStart | null;
  readonly end: CallEnd | null;
  readonly seen: Observation | null;
}

/** @param records of all calls, with what later witnesses and corrections said. */
export function countedOf(records: readonly CallRecord[], entries: readonly Entry[]): Counted[] {
  const seen = entries.flatMap((entry) => (entry.kind === "observation" ? [entry.observation] : []));
  return records.map(({ start, end }) => ({
    start,
    end,
    seen: seen.filter(({ responseId }) => responseId === end?.responseId).toSorted((a, b) => a.startMs - b.startMs)[0] ?? null,
  }));
}

const said = ({ start, seen }: Counted): Attribution => (start ?? seen)?.attribution as Attribution;
const startOf = ({ start, seen }: Counted): number => (start ?? seen)?.startMs ?? 0;
const providerOf = ({ start, seen }: Counted): string => (start ?? seen)?.provider ?? "";
const modelOf = ({ start, end }: Counted): string | null => end?.modelAnswered ?? start?.modelSent ?? start?.modelAsked ?? null;
const tierOf = ({ start, end }: Counted): string | null => end?.tierServed ?? start?.tierAsked ?? null;
const costOf = ({ end }: Counted): Pico => sum((end?.charges ?? []).map(({ costPico }) => costPico));
const isFailed = ({ end }: Counted): boolean => ["failed", "cut", "unreached"].includes(end?.status ?? "");
const isFirst = ({ start }: Counted): boolean => start === null || (start.attempt === 1 && start.reason === "first");
const isRefused = (end: CallEnd): boolean => end.status === "failed" && (end.httpStatus === null || end.httpStatus >= 400);
const isUnmetered = ({ end }: Counted): boolean => end !== null && end.usage === null && end.status !== "unreached" && !isRefused(end);
const isUnpriced = ({ end }: Counted): boolean => (end?.unpriced.length ?? 0) > 0;

function kindOf(call: Counted): string | null {
  const { task, root, type } = said(call);
  return task === null && root === null ? null : (type ?? "");
}

function isIn(call: Counted, { sinceMs, untilMs }: { readonly sinceMs: number | null; readonly untilMs: number | null }): boolean {
  return (sinceMs === null || startOf(call) >= sinceMs) && (untilMs === null || startOf(call) < untilMs);
}

function passes(call: Counted, filters: readonly Filter[]): boolean {
  return filters.every(({ field, value, operator }) => {
    const found =
      field === "provider"
        ? providerOf(call)
        : field === "model"
          ? modelOf(call)
          : field === "tier"
            ? (call.end?.tierServed ?? null)
            : (said(call)[field as keyof Attribution] as string | null);
    return (found === value) === (operator === "=");
  });
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Used and charged by class; what has a price and what has none apart. */
function linesOf(calls: readonly Counted[]): DriverUsage["lines"] {
  const lines = new Map<string, { class: UsageClass; quantity: number; pico: bigint | null }>();
  const add = (name: UsageClass, quantity: number, pico: bigint | null): void => {
    const key = `${name} ${pico === null ? 1 : 0}`;
    const line = lines.get(key) ?? { class: name, quantity: 0, pico: pico === null ? null : 0n };
    lines.set(key, { ...line, quantity: line.quantity + quantity, pico: line.pico === null ? null : line.pico + (pico ?? 0n) });
  };
  for (const { end } of calls) {
    const left: { [name in UsageClass]?: number } = end === null || end.usage === null ? {} : { ...totalQuantities(end.usage) };
    for (const charge of end?.charges ?? []) {
      add(charge.class, charge.quantity, charge.costPico);
      left[charge.class] = (left[charge.class] ?? 0) - charge.quantity;
    }
    const charged = new Set(end?.charges.map((charge) => charge.class));
    for (const [name, quantity] of Object.entries(left) as [UsageClass, number][])
      if (quantity > 0 || (quantity === 0 && !charged.has(name))) add(name, quantity, null);
  }
  return [...lines]
    .toSorted(([a], [b]) => compare(a, b))
    .map(([, { class: name, quantity, pico }]) => ({ class: name, quantity, cost: pico === null ? null : formatUsd(pico) }));
}

/** @param charges of periods that were not voided, in months that are open. */
export function expectedDrivers(
  calls: readonly Counted[],
  { before, after, by, filters, told }: DriversQuery,
  charges: readonly PeriodCharge[] = [],
): Omit<DriverSums, "position" | "other"> {
  const spans: readonly Span[] = [before, after];
  const found = spans.map((span) => calls.filter((call) => isIn(call, span) && passes(call, filters)));
  const valueOf = (call: Counted): string | null => (by === null ? null : said(call)[by]);
  const values = new Set(found.flat().map(valueOf));
  const kept = new Set(by === null ? [null] : (told ?? keptOf(found.flat(), by, valueOf)));
  const groupOf = (call: Counted): string | null => (kept.has(valueOf(call)) ? valueOf(call) : others);
  const keyOf = (call: Counted): string => JSON.stringify([...cellOf(call), groupOf(call)]);
  const usageOf = (of: readonly Counted[]): DriverUsage | null =>
    of.length === 0
      ? null
      : {
          calls: of.length,
          firstTries: of.filter(isFirst).length,
          cost: formatUsd(sum(of.map(costOf))),
          unpriced: of.filter(isUnpriced).length,
          lines: linesOf(of),
        };
  const keys = [...new Set(found.flat().map(keyOf))].toSorted(compare);
  const types = [...new Set(found.flat().flatMap((call) => kindOf(call) ?? []))].toSorted(compare);
  const tasks = (side: number, type: string): number =>
    new Set((found[side] ?? []).filter((call) => kindOf(call) === type).map((call) => said(call).task ?? said(call).root)).size;
  const gapsOf = (side: number): DriverGaps => ({
    unpriced: (found[side] ?? []).filter(isUnpriced).length,
    unmetered: (found[side] ?? []).filter(isUnmetered).length,
    periodUnpriced: charges
      .flatMap((charge) => daysOf(charge))
      .filter(({ fromMs, pico }) => pico === null && fromMs >= (spans[side]?.sinceMs ?? 0) && fromMs < (spans[side]?.untilMs ?? 0))
      .filter((day) => filters.every(({ field, value, operator }) => (valueOfDay(day, field) === value) === (operator === "="))).length,
  });
  return {
    cells: keys.map((key) => {
      const [type, provider, model, tier, group] = JSON.parse(key) as [string | null, string, string | null, string | null, string | null];
      const [first, second] = found.map((of) => usageOf(of.filter((call) => keyOf(call) === key)));
      return { type, provider, model, tier, group, before: first ?? null, after: second ?? null };
    }),
    tasks: types.map((type) => ({ type, before: tasks(0, type), after: tasks(1, type) })),
    gaps: { before: gapsOf(0), after: gapsOf(1) },
    left: told === undefined ? [...values].filter((value) => !kept.has(value)).length : 0,
  };
}

const cellOf = (call: Counted): (string | null)[] => [kindOf(call), providerOf(call), modelOf(call), tierOf(call)];

/** The dearest values, as many as there is room for; of equal ones that with more calls, of customers, and the earlier in the alphabet. */
function keptOf(calls: readonly Counted[], by: DriverField, valueOf: (call: Counted) => string | null): (string | null)[] {
  const byValue = new Map<string | null, Counted[]>();
  for (const call of calls) byValue.set(valueOf(call), [...(byValue.get(valueOf(call)) ?? []), call]);
  const ranked = [...byValue]
    .map(([value, of]) => ({ value, of, pico: sum(of.map(costOf)), calls: by === "customer" ? of.length : 0 }))
    .toSorted(
      (a, b) => dearest(a.pico, b.pico) || b.calls - a.calls || (a.value === null ? 1 : b.value === null ? -1 : compare(a.value, b.value)),
    )
    .slice(0, by === "customer" ? toldCustomersMax : undefined);
  const cells = new Set<string>();
  return ranked.flatMap(({ value, of }) => {
    for (const call of of) cells.add(JSON.stringify([...cellOf(call), value]));
    return cells.size <= toldCellsMax ? [value] : [];
  });
}

/** As economics wants it, without what only matters within a run. */
export function toStepCall(call: Counted): StepCall {
  const { start, end } = call;
  const bytes = start === null ? 0 : Object.values(start.promptBytes).reduce((all, count) => all + count, 0);
  const quantities = end === null || end.usage === null ? null : totalQuantities(end.usage);
  const input = quantities === null ? 0 : (quantities.input ?? 0) + (quantities.cache_read ?? 0) + (quantities.cache_write_5m ?? 0);
  const shared =
    start?.sharedBytes === undefined || bytes === 0 || quantities === null ? null : Math.round((input * start.sharedBytes) / bytes);
  const fresh = end?.charges.find((charge) => charge.class === "input");
  const byClass: { [name in UsageClass]?: Pico } = {};
  for (const charge of end?.charges ?? []) byClass[charge.class] = toPico((byClass[charge.class] ?? 0n) + charge.costPico);
  return {
    request: start?.request ?? "seen",
    attempt: start?.attempt ?? 1,
    failed: isFailed(call),
    chain: null,
    step: said(call).step,
    kind: null,
    depth: 0,
    tools: end?.tools ?? null,
    quantities,
    costPico: costOf(call),
    classPico: byClass,
    rates: fresh === undefined ? null : { input: { pico: fresh.ratePico, per: fresh.ratePer }, cacheRead: { pico: 0n, per: 1n } },
    window: null,
    promptBytes: bytes === 0 ? null : (start?.promptBytes ?? null),
    sharedTokens: shared,
    same: start?.repeats === true ? "again" : null,
    changed: null,
  };
}

/** A call that was answered before all others, and cost nothing: what repeats it is known by it. */
const before: StepCall = {
  request: "before",
  attempt: 1,
  failed: false,
  chain: null,
  step: null,
  kind: null,
  depth: 0,
  tools: 0,
  quantities: null,
  costPico: toPico(0n),
  classPico: {},
  rates: null,
  window: null,
  promptBytes: null,
  sharedTokens: null,
  same: "again",
  changed: null,
};

export function expectedShape(calls: readonly Counted[], query: ShapeQuery): Omit<ShapePage, "position"> {
  const all = calls.filter((call) => isIn(call, query) && passes(call, query.filters));
  const own = all.filter((call) => query.type === null || kindOf(call) === query.type);
  const keyOf = (call: Counted): string => JSON.stringify([said(call).step, providerOf(call), modelOf(call)]);
  const steps = [...new Set(own.map(keyOf))].map((key) => {
    const of = own.filter((call) => keyOf(call) === key);
    return { key, pico: sum(of.map(costOf)), step: stepOf(key, of) };
  });
  const roots = new Map<string, number>();
  for (const call of own) {
    const root = said(call).root ?? said(call).task;
    if (root !== null) roots.set(root, (roots.get(root) ?? 0) + 1);
  }
  const types = [...new Set(all.map(kindOf))].map((type) => {
    const of = all.filter((call) => kindOf(call) === type);
    return { type, calls: of.length, pico: sum(of.map(costOf)) };
  });
  return {
    steps: steps.toSorted((a, b) => dearest(a.pico, b.pico) || compare(a.key, b.key)).map(({ step }) => step),
    tasks: roots.size,
    callsMax: Math.max(0, ...roots.values()),
    depth: depthOf(all, own),
    types: types
      .toSorted(
        (a, b) => dearest(a.pico, b.pico) || b.calls - a.calls || (a.type === null ? 1 : b.type === null ? -1 : compare(a.type, b.type)),
      )
      .map(({ type, calls: count, pico }) => ({ type, calls: count, cost: formatUsd(pico) })),
  };
}

const placeOf = (root: string, task: string): string => JSON.stringify([root, task]);

/** How deep calls are below their roots, as the calls of all types say what is a part of what. */
function depthOf(all: readonly Counted[], own: readonly Counted[]): ShapePage["depth"] {
  const parents = new Map<string, string>();
  for (const call of all) {
    const { root, task, parent } = said(call);
    if (root !== null && task !== null && task !== root && parent !== null) parents.set(placeOf(root, task), parent);
  }
  const below = (root: string, task: string): number => {
    let at = task;
    for (let depth = 1; depth < 100; depth += 1) {
      const parent = parents.get(placeOf(root, at));
      if (parent === undefined) return depth;
      if (parent === root || parent === at) return depth;
      // What is above it made no call itself: that it stands below the root is all that is known.
      if (!all.some((call) => said(call).root === root && said(call).task === parent)) return depth + 1;
      at = parent;
    }
    // Round and round.
    return 2;
  };
  const deepest = new Map<string, number>();
  for (const call of own) {
    const { root, task } = said(call);
    if (root === null || task === null || task === root) continue;
    deepest.set(root, Math.max(deepest.get(root) ?? 0, below(root, task)));
  }
  return { max: Math.max(0, ...deepest.values()), sum: [...deepest.values()].reduce((all, depth) => all + depth, 0) };
}

const dearest = (a: bigint, b: bigint): number => (a === b ? 0 : a < b ? 1 : -1);

function stepOf(key: string, of: readonly Counted[]): StepSums {
  const [step, provider, model] = JSON.parse(key) as [string | null, string, string | null];
  const made = of.map(toStepCall);
  const shape: Shape = made.map((call) => shapeOf([call])).reduce(merge, noShape);
  const wastes = wastesOf([before, ...made]);
  const waste = (kind: Waste["waste"]): { calls: number; pico: bigint } => {
    const found = wastes.filter((one) => one.waste === kind);
    return { calls: found.reduce((all, one) => all + one.calls, 0), pico: found.reduce((all, one) => all + one.savedPico, 0n) };
  };
  const resent = made.filter((call) => !call.failed && call.same === null).flatMap((call) => resentOf(call) ?? []);
  const continued = made.filter((call) => (call.sharedTokens ?? 0) > 0);
  const metered = made.filter((call) => call.quantities !== null).map((call) => tokensOf(call));
  return {
    step,
    provider,
    model,
    calls: shape.calls,
    cost: formatUsd(shape.costPico),
    unpriced: of.filter(isUnpriced).length,
    unmetered: of.filter(isUnmetered).length,
    retries: shape.retries,
    failed: waste("failed").calls,
    failedCost: formatUsd(waste("failed").pico),
    repeated: waste("repeated").calls,
    repeatedCost: formatUsd(waste("repeated").pico),
    inputTokens: shape.inputTokens,
    outputTokens: shape.outputTokens,
    tools: shape.tools,
    toolsUnknown: shape.toolsUnknown,
    prompt: shape.prompt,
    promptUnknown: shape.promptUnknown,
    continued: continued.length,
    grownTokens: continued.reduce((all, call) => all + tokensOf(call) - (call.sharedTokens ?? 0), 0),
    resentTokens: resent.reduce((all, { tokens }) => all + tokens, 0),
    resentCost: formatUsd(resent.reduce((all, { costPico }) => all + (costPico ?? 0n), 0n)),
    resentUnpriced: resent.filter(({ costPico }) => costPico === null).length,
    inputTokensMax: metered.length === 0 ? null : Math.max(...metered),
    classes: linesOf(of),
  };
}

const tokensOf = ({ quantities }: StepCall): number =>
  (quantities?.input ?? 0) + (quantities?.cache_read ?? 0) + (quantities?.cache_write_5m ?? 0);
