// What Larkspur allows itself, in the words of the control API: budgets over teams, agents, features and customers, and rates. Pure: what was
// spent so far comes in, so that one budget is nearly used up and another is past its end on whatever day it is. Invariant: names are people's.

import { divideHalfEven, parseUsd, picoPerUsd, roundUsd } from "../core/money.ts";
import { dayMs } from "../core/time.ts";
import { whale } from "./company.ts";

export interface Allowed {
  readonly id: string;
  readonly terms: Readonly<Record<string, unknown>>;
}

/** In thirty days: dollars, as decimal text. */
export interface Spent {
  readonly all: string;
  readonly platform: string;
  readonly growth: string;
}

export const spentMs = 30 * dayMs;

export function budgetsOf({ all, platform, growth }: Spent): readonly Allowed[] {
  return [
    budget("everything", {
      owner: "finance",
      limit: `${percent(all, 300n)} per month`,
      zone: "Europe/London",
      // Models that no list has a price for go on; this budget does not cover them.
      unbounded: "allow",
      alerts: ["50%", "80%", "100%"],
    }),
    // Nearly used up: its calls go to a smaller model.
    budget("platform", {
      owner: "ines.okafor",
      for: { team: "platform" },
      limit: `${percent(platform, 107n)} per rolling 30d`,
      degrade: [{ at: "85%", model: "claude-sonnet-4-5" }],
      alerts: ["80%", "90%", "100%"],
    }),
    // Past its end: its calls go on, and somebody is told.
    budget("growth", {
      owner: "lena.fuchs",
      for: { team: "growth" },
      limit: `${percent(growth, 88n)} per rolling 30d`,
      mode: "soft",
      alerts: ["80%", "100%", "120%"],
    }),
    // Tried out: whom would it have refused?
    budget("per-customer", {
      owner: "finance",
      each: ["customer"],
      limit: "$0.025 per rolling 1h",
      mode: "shadow",
      alerts: ["100%"],
    }),
    // As much as is in its plan, and no more.
    budget("harrowgate-invoices", {
      owner: "tom.rask",
      for: { customer: whale.name, feature: "bookkeeping" },
      limit: "$0.03 per rolling 1h",
    }),
    // Its calls say nothing of how long an answer may be: where several come at once, a cap is put in.
    budget("suggestions", { owner: "mei.dvorak", for: { feature: "suggest" }, limit: "$0.08 per hour" }),
    budget("searches", { owner: "mei.dvorak", for: { feature: "search" }, limit: "100k calls per month", carry: "all" }),
    budget("reader", { owner: "tom.rask", for: { agent: "reader" }, limit: "5M tokens per day", unbounded: "allow" }),
  ];
}

export const rates: readonly Allowed[] = [
  { id: "per-key", terms: { kind: "rate", owner: "platform", each: ["key"], limit: "50 calls per minute" } },
  {
    id: "pool",
    terms: { kind: "rate", owner: "platform", limit: "8 at once", shares: { agent: { resolver: 3, researcher: 2, coder: 1 } } },
  },
];

/** What keeps an agent from running in circles. In the settings: of trees the control API only reports. */
export const trees = [{ id: "coders", for: { agent: "coder" }, depth: 6, tries: 8, loop: { warn: 3, stop: 6 } }];

function budget(id: string, terms: Readonly<Record<string, unknown>>): Allowed {
  return { id, terms: { kind: "budget", ...terms } };
}

/** So many per cent of what was spent, to the cent; of more than all of it, at least a dollar more. */
function percent(usd: string, of: bigint): string {
  const spent = parseUsd(usd);
  const part = divideHalfEven(spent * of, 100n);
  const least = of > 100n ? spent + picoPerUsd : picoPerUsd / 100n;
  return `$${roundUsd(part < least ? least : part, 2)}`;
}
