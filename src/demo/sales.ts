// What Larkspur's customers pay: plans, a few that pay another price, a credit. Pure: amounts follow from how much work there is,
// so that margins are alike however long the history is. Invariant: the whale pays for its plan alone, and costs more.

import { dayMs } from "../core/time.ts";
import { type Customer, customers, whale } from "./company.ts";
import { firstOfMonth, type Story, toDay } from "./story.ts";

/** Dollars a month where a history has 2,500 calls a month. */
const monthly: Readonly<Record<Customer["plan"], number>> = { enterprise: 9, business: 2.4, starter: 0.9 };
const callsPerMonth = 2_500;
/** What the smaller plans are bought for; the others are for everything, and so for no feature. */
const features: { readonly [plan in Customer["plan"]]?: string } = { starter: "helpdesk", business: "insights" };

/** Its contract is renewed in the month that is invoiced, below what its work costs by then. */
const renewed = "Tidewater Hotels";
const renewedShare = 0.12;
const credited = "Orchard & Vane";

export function plansOf(story: Story, calls: number): Record<string, { readonly monthly: string }> {
  return Object.fromEntries(Object.entries(monthly).map(([plan, usd]) => [plan, { monthly: dollars(usd * scaleOf(story, calls)) }]));
}

export interface Sales {
  /** When somebody enters them: with the month's other books. */
  readonly atMs: number;
  /** In the words of `POST /api/v1/revenue/imports`. */
  readonly revenue: readonly object[];
}

export function salesOf(story: Story, calls: number): Sales {
  const { startMs, todayMs, whaleMs, invoiced, checkedMs } = story;
  const renewal = invoiced.fromMs > startMs ? invoiced.fromMs : firstOfMonth(startMs, 1);
  const isRenewed = renewal < todayMs;
  const subscription = ({ name, plan }: Customer, fromMs: number, index: number): object => ({
    id: `subscription-${index}`,
    customer: name,
    plan,
    ...(features[plan] === undefined ? {} : { feature: features[plan] }),
    every: "month",
    from: toDay(fromMs),
    ...(name === renewed && isRenewed ? { to: toDay(renewal) } : {}),
  });
  const scale = scaleOf(story, calls);
  const revenue = [subscription(whale, whaleMs, 0), ...customers.map((customer, index) => subscription(customer, startMs, index + 1))];
  if (isRenewed) {
    const amount = dollars(monthly.enterprise * renewedShare * scale);
    revenue.push({ id: "renewal-1", customer: renewed, plan: "enterprise", amount, every: "month", from: toDay(renewal) });
  }
  const [from, to] = [invoiced.toMs - dayMs, invoiced.toMs].map(toDay);
  revenue.push({ id: "credit-1", customer: credited, plan: "enterprise", amount: `-${dollars(0.6 * scale)}`, every: "once", from, to });
  return { atMs: Math.max(startMs + 1, Math.min(checkedMs, todayMs - 1)), revenue };
}

function scaleOf({ startMs, todayMs }: Story, calls: number): number {
  const months = Math.max(1, (todayMs - startMs) / (30.4 * dayMs));
  return calls / months / callsPerMonth;
}

/** At least a cent. */
function dollars(usd: number): string {
  return Math.max(0.01, usd).toFixed(2);
}
