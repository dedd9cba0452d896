// GET /api/v1/margin: what customers, features and plans bring in and cost, as a distribution; whales, who loses money and since when, growth against
// margin. Not here: the formulas (economics/), what is said of revenue (revenue.ts). Invariants: lines and what is apart add up to all; revenue that
// nobody says is unknown, and never taken for none.

import { createRoute } from "@hono/zod-openapi";
import { allocate, formatUsd, parseUsd, type Pico, sum, toPico, toUsd, zero } from "../core/money.ts";
import { monthOf, monthSpan } from "../core/month.ts";
import { dayMs } from "../core/time.ts";
import { type MarginLine, type MarginRow, margins } from "../economics/margin.ts";
import { type ShareRule, shareCost } from "../economics/shares.ts";
import { concentration, type CustomerMonth, losing, type LosingCustomer } from "../economics/whales.ts";
import type { KeyCost, MarginSums } from "../ledger/margin.ts";
import { boundOf, notesOf, unpricedOf } from "./bounds.ts";
import type { ApiContext, NamesAccess } from "./context.ts";
import { monthsBack, monthsUntil, spanOf, yearBefore } from "./days.ts";
import { waited } from "./fresh.ts";
import { type GrowthAsked, growthOf } from "./growth.ts";
import {
  type MarginAnswer,
  marginAnswer,
  type MarginAsked,
  marginLimitMax,
  type MarginLineShown,
  marginQuery,
  refuseIdle,
} from "./margined.ts";
import { toName } from "./names.ts";
import { invalid, parseLimit } from "./query.ts";
import { type Api, failures, json, needs, security } from "./route.ts";

const named = 5;

export function addMargin(app: Api, context: ApiContext): void {
  const route = createRoute({
    method: "get",
    path: "/api/v1/margin",
    summary: "What customers, features or plans bring in and cost",
    description:
      "Revenue by days, UTC (`/api/v1/revenue`), less what calls and charges cost. It describes all keys of the span: nothing here is a sample. Of the day under way, revenue counts whole and cost so far.",
    security,
    middleware: needs("read", context),
    request: { query: marginQuery },
    responses: { 200: json("Margins.", marginAnswer), ...failures },
  });
  app.openapi(route, async (c) => {
    const asked = c.req.valid("query");
    const freshly = await waited(context, asked.fresh);
    return c.json({ ...(await answer(asked, context)), ...freshly }, 200);
  });
}

async function answer(asked: MarginAsked, context: ApiContext): Promise<MarginAnswer> {
  const by = asked.by ?? "customer";
  refuseIdle(asked);
  const span = spanOf(asked, context.entryMs());
  const { sinceMs, untilMs } = span;
  const rule = asked.shared ?? "none";
  const growthAsked = toGrowth(asked, span);
  const limit = parseLimit(asked.limit, 50, marginLimitMax);
  const reserved = toReserved(asked, by === "feature" ? null : context.names);
  const isByCustomer = by === "customer";
  const lastMonth = monthOf(monthSpan(monthOf(untilMs)).fromMs - 1);
  const months = isByCustomer ? monthsUntil(lastMonth) : [];
  const sums = await context.ledger.margin({
    by: by === "feature" ? "feature" : "customer",
    sinceMs,
    untilMs,
    months,
    spans: isByCustomer ? [yearBefore(span), { sinceMs: 2 * sinceMs - untilMs, untilMs: sinceMs }] : [],
  });

  await others();
  const keys = keysOf(sums);
  const nobodyCost = sum(sums.costs.filter(({ key }) => key === null).map(({ cost }) => parseUsd(cost)));
  const shares = divide(nobodyCost, keys, rule, reserved, asked.capacity);
  const parts = by === "plan" ? toPlans(keys, sums, shares.byKey) : toKeys(keys, shares.byKey);
  await others();
  const found = margins(parts.rows);
  await others();
  const nobodyRevenue = by === "plan" ? parts.nobodyPico : amountOf(sums.earned.filter(({ key }) => key === null));
  const earned = amountOf(sums.earned);
  const cost = sum(sums.costs.map((row) => parseUsd(row.cost)));
  const lost = isByCustomer ? losing(historyOf(sums, months), lastMonth) : null;
  await others();
  const runs = new Map(lost?.customers.map((one) => [one.customer, one]));
  const ordered = orderOf(found.lines, asked);
  const unpriced = unpricedOf(sums.costs);
  const isSharedWhole = rule === "none" || unpriced.nobodys === 0;
  const isPriced = ({ key }: MarginLine): boolean => isSharedWhole && (parts.about.get(key)?.unpriced ?? 0) === 0;
  const isKnownPriced = found.lines.every((line) => line.revenuePico === null || isPriced(line));
  const lines: MarginLineShown[] = [];
  for (const line of ordered.slice(0, limit))
    lines.push({ ...(await toLine(line, parts, runs, by, context.names)), isCostWhole: isPriced(line) });
  const isUnknown = found.unknown.keys > 0 || parts.unknown.keys > 0;
  const margin = earned === null ? null : toPico(earned - cost);
  const periods = sum(sums.costs.filter(({ key }) => key === null).map(({ periodCost }) => parseUsd(periodCost)));
  return {
    by,
    sinceMs,
    untilMs,
    days: (untilMs - sinceMs) / dayMs,
    all: {
      revenue: toUsd(earned),
      cost: formatUsd(cost),
      margin: toUsd(margin),
      grossMargin: margin === null || earned === null || earned <= 0n ? null : Number(margin) / Number(earned),
      costShare: earned === null || earned <= 0n ? null : Number(cost) / Number(earned),
      isWhole: !isUnknown,
      isCostWhole: unpriced.all === 0,
      bound: boundOf(!isUnknown, unpriced.all === 0),
    },
    total: { keys: found.total.keys + parts.unknown.keys, cost: formatUsd(found.total.costPico + parts.unknown.costPico) },
    known: {
      keys: found.known.keys,
      revenue: formatUsd(found.known.revenuePico),
      cost: formatUsd(found.known.costPico),
      margin: formatUsd(found.known.marginPico),
      isCostWhole: isKnownPriced,
    },
    unknown: {
      keys: found.unknown.keys + parts.unknown.keys,
      cost: formatUsd(found.unknown.costPico + parts.unknown.costPico),
    },
    nobody: {
      revenue: toUsd(nobodyRevenue),
      cost: formatUsd(nobodyCost),
      periodCost: formatUsd(periods),
      rule,
      divided: formatUsd(nobodyCost - shares.leftPico),
      left: formatUsd(shares.leftPico),
    },
    grossMargin: found.grossMargin,
    grossMarginMin: lowest(found.known.marginPico, toPico(found.unknown.costPico + parts.unknown.costPico), found.known.revenuePico),
    costShare: found.costShare,
    costShareMax:
      found.known.revenuePico > 0n
        ? Number(found.known.costPico + found.unknown.costPico + parts.unknown.costPico) / Number(found.known.revenuePico)
        : null,
    meanMargin: found.meanMargin,
    quantiles: [...found.quantiles],
    amounts: found.amounts.map(({ percent, marginPico }) => ({ percent, margin: formatUsd(marginPico) })),
    bins: binsOf(found.lines),
    belowZero: { keys: found.belowZero.keys, share: found.belowZero.share, lost: formatUsd(found.belowZero.lostPico) },
    withoutRevenue: { keys: found.withoutRevenue.keys, cost: formatUsd(found.withoutRevenue.costPico) },
    concentration: isByCustomer ? await whalesOf(sums, context.names) : null,
    losing:
      lost === null
        ? null
        : {
            month: lost.month,
            customers: lost.customers.length,
            lost: formatUsd(lost.monthPico),
            unknown: { customers: lost.unknown.customers, cost: formatUsd(lost.unknown.costPico) },
          },
    growth: isByCustomer
      ? growthOf(growthAsked, {
          margins: found,
          revenuePico: earned,
          costPico: cost,
          yearBeforePico: fromUsd(sums.spans[0]),
          justBeforePico: fromUsd(sums.spans[1]),
          newCustomers: sums.newKeys,
          isCostWhole: isKnownPriced,
        })
      : null,
    lines,
    truncated: ordered.length > limit,
    notes: [
      ...notesOf(by, found.unknown.keys + parts.unknown.keys, unpriced.all, rule, shares.leftPico),
      ...excessNotes(shares.excess, asked),
    ],
    position: sums.position,
  };
}

/** Of ten thousand customers this takes a while: calls that wait have their turn between its parts. */
function others(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What is known of one customer or feature. */
interface Key {
  readonly key: string;
  readonly cost: KeyCost | null;
  readonly revenuePico: Pico | null;
  readonly plans: readonly { readonly plan: string | null; readonly pico: Pico; readonly days: number }[];
}

interface Parts {
  readonly rows: readonly MarginRow[];
  /** By a row's key. */
  readonly about: ReadonlyMap<
    string,
    { readonly shared: Pico; readonly calls: number | null; readonly unpriced: number; readonly plans: readonly string[] }
  >;
  /** Keys whose revenue is unknown and that are no row. */
  readonly unknown: { readonly keys: number; readonly costPico: Pico };
  /** Revenue of nobody. */
  readonly nobodyPico: Pico | null;
}

function keysOf({ costs, earned }: MarginSums): Key[] {
  const found = new Map<
    string,
    { cost: KeyCost | null; revenue: Pico | null; plans: { plan: string | null; pico: Pico; days: number }[] }
  >();
  for (const cost of costs) if (cost.key !== null) found.set(cost.key, { cost, revenue: null, plans: [] });
  for (const { key, plan, amount, days } of earned) {
    if (key === null) continue;
    const before = found.get(key) ?? { cost: null, revenue: null, plans: [] };
    const pico = parseUsd(amount);
    before.revenue = toPico((before.revenue ?? 0n) + pico);
    before.plans.push({ plan, pico, days });
    found.set(key, before);
  }
  return [...found].map(([key, { cost, revenue, plans }]) => ({ key, cost, revenuePico: revenue, plans }));
}

/** What belongs to nobody, among those that there are. */
function divide(
  costPico: Pico,
  keys: readonly Key[],
  rule: "none" | ShareRule,
  reserved: ReadonlyMap<string, number> | null,
  capacity: string | undefined,
): { readonly byKey: ReadonlyMap<string, Pico>; readonly leftPico: Pico; readonly excess: number } {
  if (rule === "none") return { byKey: new Map(), leftPico: costPico, excess: 0 };
  if (rule === "reserved" && reserved === null)
    throw invalid("shared=reserved needs what is reserved: reserved=NAME=TOKENS, once for each");
  const missing = [...(reserved?.keys() ?? [])].find((key) => !keys.some((one) => one.key === key));
  const holders = keys.map(({ key, cost }) => ({
    key,
    usage: cost?.tokens ?? 0,
    reserved: reserved === null ? null : (reserved.get(key) ?? 0),
  }));
  if (missing !== undefined) throw invalid("reserved names somebody who neither paid nor cost anything in the span");
  try {
    const { lines, idlePico, excessUnits } = shareCost({ costPico, capacity: toCapacity(capacity) }, holders, rule);
    return { byKey: new Map(lines.map(({ key, pico }) => [key, pico])), leftPico: idlePico, excess: excessUnits ?? 0 };
  } catch (cause) {
    throw cause instanceof RangeError ? invalid(cause.message) : cause;
  }
}

/** @param excess tokens beyond the capacity that was said: it is a slip, or more was promised than there is. */
function excessNotes(excess: number, { by, shared, capacity }: MarginAsked): string[] {
  if (excess === 0) return [];
  const [who, did] = [by === "feature" ? "Features" : "Customers", shared === "reserved" ? "have reserved" : "used"];
  const most = Number(capacity);
  const [taken, over, there] = [most + excess, excess, most].map((units) => units.toLocaleString("en-US"));
  return [
    `${who} ${did} ${taken} tokens, ${over} more than the capacity of ${there}: nothing is idle, and what is nobody's is divided whole. Is the capacity right?`,
  ];
}

function toKeys(keys: readonly Key[], shares: ReadonlyMap<string, Pico>): Parts {
  const rows = keys.map(({ key, cost, revenuePico }) => ({
    key,
    revenuePico,
    costPico: toPico((cost === null ? 0n : parseUsd(cost.cost)) + (shares.get(key) ?? 0n)),
  }));
  const about = new Map(
    keys.map(({ key, cost, plans }) => {
      const names = new Set(plans.flatMap(({ plan }) => (plan === null ? [] : [plan])));
      return [key, { shared: shares.get(key) ?? zero, calls: cost?.calls ?? 0, unpriced: cost?.unpriced ?? 0, plans: [...names] }];
    }),
  );
  return { rows, about, unknown: { keys: 0, costPico: zero }, nobodyPico: null };
}

/** The line of customers that pay and name no plan. */
const unplanned = "\0";

/** A customer's cost goes to its plans by their days in the span. Revenue of a plan that names no customer is the plan's. */
function toPlans(keys: readonly Key[], { earned }: MarginSums, shares: ReadonlyMap<string, Pico>): Parts {
  const rows: MarginRow[] = [];
  const about = new Map<string, { shared: Pico; calls: number | null; unpriced: number; plans: readonly string[] }>();
  let [unknownKeys, unknownPico] = [0, 0n];
  for (const { key, cost, revenuePico, plans } of keys) {
    const shared = shares.get(key) ?? zero;
    const costPico = toPico((cost === null ? 0n : parseUsd(cost.cost)) + shared);
    if (revenuePico === null) {
      unknownKeys += 1;
      unknownPico += costPico;
      continue;
    }
    const weights = plans.map(({ days }) => BigInt(days));
    const [costs, sharing] = [allocate(costPico, weights), allocate(shared, weights)];
    for (const [index, { plan, pico }] of plans.entries()) {
      const name = plan ?? unplanned;
      rows.push({ key: name, revenuePico: pico, costPico: costs[index] ?? zero });
      const before = about.get(name);
      about.set(name, {
        shared: toPico((before?.shared ?? 0n) + (sharing[index] ?? 0n)),
        calls: null,
        unpriced: (before?.unpriced ?? 0) + (cost?.unpriced ?? 0),
        plans: [],
      });
    }
  }
  const apart: Pico[] = [];
  for (const { key, plan, amount } of earned) {
    if (key !== null) continue;
    if (plan === null) apart.push(parseUsd(amount));
    else rows.push({ key: plan, revenuePico: parseUsd(amount), costPico: zero });
  }
  return { rows, about, unknown: { keys: unknownKeys, costPico: toPico(unknownPico) }, nobodyPico: apart.length === 0 ? null : sum(apart) };
}

function historyOf({ months }: MarginSums, asked: readonly string[]): CustomerMonth[] {
  return months.flatMap(({ key, costs, earned }) =>
    costs.map((cost, index) => {
      const gained = earned[index] ?? null;
      const month = asked.at(index - costs.length) as string;
      return {
        customer: key,
        month,
        revenuePico: gained === null ? null : parseUsd(gained),
        costPico: cost === null ? zero : parseUsd(cost),
      };
    }),
  );
}

async function whalesOf({ costs }: MarginSums, names: NamesAccess): Promise<NonNullable<MarginAnswer["concentration"]>> {
  const rows = costs.flatMap(({ key, cost }) => (key === null ? [] : [{ customer: key, costPico: parseUsd(cost) }]));
  const { customers, costPico, gini, tops, curve, dearest, belowZero } = concentration(rows, { named });
  const bare = new Set(costs.flatMap(({ key, unpriced }) => (unpriced > 0 ? [key] : [])));
  return {
    customers,
    cost: formatUsd(costPico),
    gini,
    tops: tops.map(({ top, customers: count, share, costPico: pico }) => ({ top, customers: count, share, cost: formatUsd(pico) })),
    curve: curve.map(({ customers: count, customerShare, costShare }) => ({ customers: count, customerShare, costShare })),
    dearest: await Promise.all(
      dearest.map(async ({ customer, costPico: pico, share }) => ({
        customer: (await toName("customer", customer, names)) ?? customer,
        cost: formatUsd(pico),
        share,
        isCostWhole: !bare.has(customer),
      })),
    ),
    belowZero: { customers: belowZero.customers, cost: formatUsd(belowZero.costPico) },
  };
}

async function toLine(
  line: MarginLine,
  parts: Parts,
  lost: ReadonlyMap<string, LosingCustomer>,
  by: MarginAnswer["by"],
  names: NamesAccess,
): Promise<Omit<MarginLineShown, "isCostWhole">> {
  const { key, revenuePico, costPico, marginPico, margin } = line;
  const about = parts.about.get(key);
  const run = lost.get(key);
  return {
    key: key === unplanned ? null : by === "customer" ? ((await toName("customer", key, names)) ?? key) : key,
    plans: [...(about?.plans ?? [])],
    revenue: toUsd(revenuePico),
    cost: formatUsd(costPico),
    shared: formatUsd(about?.shared ?? zero),
    margin: toUsd(marginPico),
    marginShare: margin,
    calls: about?.calls ?? null,
    unpriced: about?.unpriced ?? 0,
    losing:
      run === undefined
        ? null
        : {
            sinceMonth: run.sinceMonth,
            months: run.months,
            lost: formatUsd(run.lostPico),
            lastMonth: formatUsd(run.monthPico),
            isMaybeEarlier: run.isMaybeEarlier || run.months >= monthsBack,
          },
  };
}

/** What is not known comes last. */
function orderOf(lines: readonly MarginLine[], { order = "amount", losing: only }: MarginAsked): MarginLine[] {
  const wanted = only === "true" ? lines.filter(({ marginPico }) => marginPico !== null && marginPico < 0n) : lines;
  const value = (line: MarginLine): bigint | number | null => {
    if (order === "margin") return line.margin;
    if (order === "amount") return line.marginPico;
    return order === "cost" ? -line.costPico : line.revenuePico === null ? null : -line.revenuePico;
  };
  return wanted.toSorted((a, b) => {
    const [one, other] = [value(a), value(b)];
    if (one !== null && other !== null && one !== other) return one < other ? -1 : 1;
    if ((one === null) !== (other === null)) return one === null ? 1 : -1;
    return a.costPico === b.costPico ? (a.key < b.key ? -1 : 1) : a.costPico > b.costPico ? -1 : 1;
  });
}

/** Tenths of revenue from a loss as large as it. */
function binsOf(lines: readonly MarginLine[]): MarginAnswer["bins"] {
  const counts = Array.from({ length: 21 }, () => 0);
  for (const { margin } of lines) {
    if (margin === null) continue;
    const place = margin < -1 ? 0 : Math.min(20, Math.floor((margin + 1) * 10 + 1e-9) + 1);
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts.map((keys, index) => ({ from: index === 0 ? null : (index - 11) / 10, to: index === 20 ? null : (index - 10) / 10, keys }));
}

function toGrowth(asked: MarginAsked, span: Pick<GrowthAsked, "sinceMs" | "untilMs">): GrowthAsked {
  const amount = (name: "cac" | "cash" | "profit"): Pico | null => {
    const said = asked[name];
    if (said === undefined) return null;
    let pico: Pico | null = null;
    try {
      pico = parseUsd(said);
    } catch {
      // As below.
    }
    if (pico === null || (pico < 0n && name !== "profit") || pico > 10n ** 27n || pico < -(10n ** 27n))
      throw invalid(`${name} is ${JSON.stringify(said)}: expected dollars${name === "profit" ? "" : ", zero or more"}`);
    return pico;
  };
  const part = (name: "churn" | "burnGrowth", low: number, high: number): number | null => {
    const said = asked[name];
    if (said === undefined) return null;
    const value = /^-?\d{1,6}(\.\d{1,12})?$/.test(said) ? Number(said) : Number.NaN;
    if (!(value >= low && value <= high))
      throw invalid(`${name} is ${JSON.stringify(said)}: expected a part, ${low} to ${high} (0.05 is 5 %)`);
    return value;
  };
  return {
    ...span,
    cacPico: amount("cac"),
    churn: part("churn", 0, 1),
    cashPico: amount("cash"),
    burnGrowth: part("burnGrowth", -0.99, 10) ?? 0,
    kind: asked.marginKind ?? "gross",
    profitPico: amount("profit"),
  };
}

function toReserved({ reserved }: MarginAsked, names: NamesAccess | null): ReadonlyMap<string, number> | null {
  if (reserved === undefined) return null;
  const found = new Map<string, number>();
  for (const text of typeof reserved === "string" ? [reserved] : reserved) {
    const [, name, units] = /^(.+)=(\d{1,15})$/s.exec(text) ?? [];
    if (name === undefined) throw invalid(`reserved is ${JSON.stringify(text.slice(0, 100))}: expected NAME=TOKENS`);
    found.set(names === null || /^n_[0-9a-f]{16}$/.test(name) ? name : names.tokenOf(name), Number(units));
  }
  return found;
}

function toCapacity(said: string | undefined): number | null {
  if (said === undefined) return null;
  if (!/^\d{1,15}$/.test(said)) throw invalid(`capacity is ${JSON.stringify(said)}: expected a whole number of tokens`);
  return Number(said);
}

function amountOf(rows: readonly { readonly amount: string }[]): Pico | null {
  return rows.length === 0 ? null : sum(rows.map(({ amount }) => parseUsd(amount)));
}

function lowest(marginPico: Pico, unknownPico: Pico, revenuePico: Pico): number | null {
  return revenuePico > 0n ? Number(marginPico - unknownPico) / Number(revenuePico) : null;
}

function fromUsd(text: string | null | undefined): Pico | null {
  return text === null || text === undefined ? null : parseUsd(text);
}
