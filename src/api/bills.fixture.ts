// Made-up months of calls, priced by a real price book, and what a store must say of them for the question why a bill moved: sums taken from the
// calls themselves, by code that shares nothing with the stores. For tests alone.

import { type CallStart, unattributed } from "../core/call.ts";
import { formatUsd, parseUsd, sum } from "../core/money.ts";
import type { Discount, PriceRecord } from "../core/price.ts";
import { rate } from "../core/rating.ts";
import type { Quantities, UsageClass } from "../core/usage.ts";
import type { DriverSums, DriversQuery, DriverUsage } from "../ledger/drivers.ts";
import type { CallRecord, Span } from "../ledger/store.ts";
import { createDesk } from "../prices/desk.ts";
import { createHistory, type History, type StandingList } from "../prices/history.ts";
import type { Shelf } from "../prices/shelf.ts";
import type { PricesAccess } from "../prices/view.ts";
import { makeCall } from "./memory.fixture.ts";

export const october: Span = { sinceMs: Date.UTC(2026, 9), untilMs: Date.UTC(2026, 10) };
export const november: Span = { sinceMs: Date.UTC(2026, 10), untilMs: Date.UTC(2026, 11) };

/** Dollars for a million units of each class. */
export type Dollars = { readonly [name in UsageClass]?: string };

export function record(model: string, dollars: Dollars, changes: Partial<PriceRecord> = {}): PriceRecord {
  const prices = Object.fromEntries(
    Object.entries(dollars).map(([name, usd]) => [name, { per: 1_000_000, steps: [{ aboveTokens: -1, usd }] }]),
  );
  return {
    id: `list@1/acme/${model}${changes.validFromMs ?? ""}${changes.tier ?? ""}`,
    provider: "acme",
    model,
    match: { equals: model },
    contextWindow: null,
    tier: "standard",
    region: null,
    prices,
    validFromMs: null,
    validToMs: null,
    window: null,
    ...changes,
  };
}

/** A list as known from a time. */
export function listOf(
  records: readonly PriceRecord[],
  options: { readonly knownMs?: number; readonly own?: boolean; readonly discounts?: readonly Discount[] } = {},
): StandingList {
  const { knownMs = 0, own = false, discounts = [] } = options;
  const source = own ? "own" : "list";
  const version = String(knownMs);
  return {
    taken: { source, version, hash: `${source}${version}`, knownMs, takenMs: knownMs, own, records: records.length + discounts.length },
    list: { source, version, origin: "a test", published: null, records, discounts, choices: [] },
  };
}

export function pricesOf(lists: readonly StandingList[]): { readonly prices: PricesAccess; readonly history: History } {
  const history = createHistory(lists, {});
  const shelf = { put: () => Promise.reject(new Error("not here")) } as unknown as Shelf;
  return { history, prices: createDesk({ history, shelf, waiting: [], pricesOf: {}, now: () => november.untilMs, record: () => {} }) };
}

/** So many tasks of a type, each of so many first tries; every so many of them is tried again. */
export interface Work {
  readonly type: string | null;
  readonly tasks: number;
  readonly calls: number;
  readonly model?: string;
  readonly tier?: string | null;
  readonly agent?: string | null;
  /** One more try after every so many first ones; 0: none. */
  readonly retryEvery?: number;
  readonly quantities: Quantities;
}

/** The calls of a span, evenly over it. @param history priced as known at each call's time; with `knownMs`, as known then. */
export function callsOf(works: readonly Work[], { sinceMs, untilMs }: Span, history: History, knownMs?: number | null): CallRecord[] {
  const tries: { readonly work: Work; readonly task: string; readonly reason: CallStart["reason"] }[] = [];
  for (const [index, work] of works.entries()) {
    let firsts = 0;
    for (let task = 0; task < work.tasks; task += 1)
      for (let call = 0; call < work.calls; call += 1) {
        tries.push({ work, task: `task-${sinceMs}-${index}-${task}`, reason: "first" });
        firsts += 1;
        if ((work.retryEvery ?? 0) > 0 && firsts % (work.retryEvery ?? 1) === 0)
          tries.push({ work, task: `task-${sinceMs}-${index}-${task}`, reason: "retry" });
      }
  }
  // All works over the whole span, side by side.
  const order = tries
    .map((one, index) => ({ one, place: (index * 7_919) % Math.max(1, tries.length), index }))
    .toSorted((a, b) => a.place - b.place || a.index - b.index);
  return order.map(({ one: { work, task, reason } }, index) => {
    const { model = "small", tier = null, agent = null, quantities } = work;
    const startMs = sinceMs + Math.floor(((untilMs - sinceMs) * index) / order.length);
    const usage = { parts: [{ kind: "answer", model: null, quantities }], source: "reported" as const, doubts: [], raw: null };
    const asked = { provider: "acme", modelAsked: model, modelAnswered: model, tier, region: null, atMs: startMs };
    const { charges, unpriced } = rate(history.at(knownMs === undefined ? startMs : knownMs), asked, usage);
    const attribution = work.type === null ? unattributed : { ...unattributed, task, type: work.type };
    return makeCall(
      `call-${sinceMs}-${index}`,
      {
        startMs,
        provider: "acme",
        modelAsked: model,
        modelSent: model,
        reason,
        attempt: reason === "first" ? 1 : 2,
        attribution: { ...attribution, agent },
      },
      { modelAnswered: model, tierServed: tier, usage, charges, unpriced },
    );
  });
}

/** What a store must say of the calls. */
export function sumsOf(records: readonly CallRecord[], { before, after, by }: DriversQuery): DriverSums {
  const cells = new Map<string, { before: CallRecord[]; after: CallRecord[] }>();
  const tasks = new Map<string, { before: Set<string>; after: Set<string> }>();
  for (const one of records) {
    const { start, end } = one;
    const atMs = start?.startMs ?? 0;
    for (const [side, span] of [
      ["before", before],
      ["after", after],
    ] as const) {
      if (start === null || atMs < span.sinceMs || atMs >= span.untilMs) continue;
      const { task, type } = start.attribution;
      const kind = task === null ? null : (type ?? "");
      const name = JSON.stringify([
        kind,
        start.provider,
        end?.modelAnswered ?? start.modelSent,
        end?.tierServed ?? start.tierAsked,
        by === null ? null : start.attribution[by],
      ]);
      const cell = cells.get(name) ?? { before: [], after: [] };
      cell[side].push(one);
      cells.set(name, cell);
      if (kind === null || task === null) continue;
      const seen = tasks.get(kind) ?? { before: new Set(), after: new Set() };
      seen[side].add(task);
      tasks.set(kind, seen);
    }
  }
  const gaps = ({ sinceMs, untilMs }: Span) => ({
    unpriced: records.filter(
      ({ start, end }) => start !== null && start.startMs >= sinceMs && start.startMs < untilMs && (end?.unpriced.length ?? 0) > 0,
    ).length,
    unmetered: 0,
    periodUnpriced: 0,
  });
  return {
    gaps: { before: gaps(before), after: gaps(after) },
    cells: [...cells].map(([name, cell]) => {
      const [type, provider, model, tier, group] = JSON.parse(name) as [string | null, string, string | null, string | null, string | null];
      return { type, provider, model, tier, group, before: usageOf(cell.before), after: usageOf(cell.after) };
    }),
    tasks: [...tasks].map(([type, seen]) => ({ type, before: seen.before.size, after: seen.after.size })),
    other: [],
    left: 0,
    position: { segment: 1, offset: 1 },
  };
}

function usageOf(records: readonly CallRecord[]): DriverUsage | null {
  if (records.length === 0) return null;
  const quantities = new Map<UsageClass, number>();
  for (const { end } of records)
    for (const { quantities: used } of end?.usage?.parts ?? [])
      for (const name of Object.keys(used) as UsageClass[]) quantities.set(name, (quantities.get(name) ?? 0) + (used[name] ?? 0));
  const charges = records.flatMap(({ end }) => end?.charges ?? []);
  return {
    calls: records.length,
    firstTries: records.filter(({ start }) => start?.reason === "first").length,
    cost: formatUsd(sum(charges.map((one) => one.costPico))),
    unpriced: records.filter(({ end }) => (end?.unpriced.length ?? 0) > 0).length,
    lines: [...quantities].map(([name, quantity]) => {
      const own = charges.filter((one) => one.class === name);
      return { class: name, quantity, cost: own.length === 0 ? null : formatUsd(sum(own.map((one) => one.costPico))) };
    }),
  };
}

/** The whole cost, by adding up every charge. */
export function costOf(records: readonly CallRecord[], { sinceMs, untilMs }: Span): string {
  const within = records.filter(({ start }) => start !== null && start.startMs >= sinceMs && start.startMs < untilMs);
  return formatUsd(sum(within.flatMap(({ end }) => end?.charges.map((one) => parseUsd(formatUsd(one.costPico))) ?? [])));
}
