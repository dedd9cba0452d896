// Margins as lines for people. Amounts are shortened here; `--json` has them whole. Invariant: what is not known is never shown as nothing, and stands beside the
// figures that it is not in.

import type { MarginAnswer } from "../api/margined.ts";
import { parseUsd, shortUsd } from "../core/money.ts";
import { atLeast, many } from "./command.ts";
import { short } from "./successes.ts";
import { type Column, formatCount, formatTable } from "./table.ts";

/** @param isLosing only lines below zero were asked for. */
export function describeMargin(found: MarginAnswer, isLosing = false): string {
  const { by, lines, total, all } = found;
  const span = `${dayOf(found.sinceMs)} to ${dayOf(found.untilMs - 1)}, ${many(found.days, "day")}, UTC`;
  if (total.keys === 0 && all.revenue === null) return `No revenue and no cost of ${by}s: ${span}.`;
  const isShared = found.nobody.rule !== "none";
  const columns: Column[] = [
    { head: by },
    ...(by === "customer" ? [{ head: "plan" }] : []),
    ...["revenue $", "cost $", ...(isShared ? ["of it shared"] : []), "margin $", "margin"].map((head) => ({
      head,
      align: "right" as const,
    })),
    ...(by === "customer" ? [{ head: "losing since (lost)" }] : []),
  ];
  const rows = lines.map((line) => [
    line.key ?? "no plan named",
    ...(by === "customer" ? [line.plans.join(", ") || "—"] : []),
    line.revenue === null ? "unknown" : short(line.revenue),
    atLeast(short(line.cost), line.isCostWhole ? 0 : 1),
    ...(isShared ? [short(line.shared)] : []),
    line.margin === null ? "unknown" : `${most(line)}${short(line.margin)}`,
    line.marginShare === null ? "—" : `${most(line)}${percent(line.marginShare)}`,
    ...(by === "customer" ? [sinceOf(line)] : []),
  ]);
  const parts = [
    summaryOf(found, span),
    ...(rows.length === 0 ? [] : ["", formatTable(columns, rows)]),
    ...(rows.length === 0 && isLosing ? ["", noneLoses(found)] : []),
    ...(found.truncated ? [`Only the first ${many(lines.length, "line")} are shown (--limit).`] : []),
    ...(by === "customer" && lines.some((line) => line.losing !== null) && found.losing !== null
      ? [`Losing since: whole months without a break up to ${found.losing.month}, by their own cost, whatever days are asked for.`]
      : []),
    "",
    ...facts(found),
    ...found.notes,
  ];
  return parts.join("\n");
}

function summaryOf({ all, nobody, by }: MarginAnswer, span: string): string {
  const [up, down] = bounds[all.bound];
  const revenue = all.revenue === null ? "revenue unknown" : `revenue ${money(all.revenue)}${all.isWhole ? "" : " or more"}`;
  const cost = all.isCostWhole ? money(all.cost) : all.cost === "0" ? "unknown" : `${money(all.cost)} or more`;
  const margin = all.margin === null ? "" : `, gross margin ${money(all.margin)} (${percent(all.grossMargin)})${up}`;
  const share = all.costShare === null ? "" : `, AI cost ${percent(all.costShare)} of revenue${down}`;
  const open =
    all.margin !== null && all.bound === "none" ? " The margin may be more or less: some revenue is unknown, some cost has no price." : "";
  const apart =
    nobody.cost === "0" ? "" : `\nOf the cost ${money(nobody.cost)} belongs to no ${by === "plan" ? "customer" : by}${dividedOf(nobody)}.`;
  return `${span}: ${revenue}, cost ${cost}${margin}${share}.${open}${apart}`;
}

/** How a margin is bound, and a cost's share. */
const bounds: Readonly<Record<MarginAnswer["all"]["bound"], readonly [string, string]>> = {
  exact: ["", ""],
  "at least": [" or more", " or less"],
  "at most": [" or less", " or more"],
  none: ["", ""],
};

function noneLoses({ known, unknown, by }: MarginAnswer): string {
  const others = unknown.keys === 0 ? "" : "; of the others revenue is unknown";
  const asFar = known.isCostWhole ? "" : ", as far as their cost has a price";
  return `None loses money, of ${many(known.keys, by)} with known revenue, in these days${asFar}${others}.`;
}

function dividedOf({ rule, divided, left }: MarginAnswer["nobody"]): string {
  if (rule === "none") return "";
  const rules = {
    usage: "by tokens",
    even: "evenly",
    reserved: "by what is reserved",
    "idle apart": "by tokens, of the capacity",
  } as const;
  return `; divided ${rules[rule]}: ${money(divided)}${left === "0" ? "" : `, left ${money(left)}`}`;
}

function facts({
  by,
  quantiles,
  belowZero,
  known,
  unknown,
  withoutRevenue,
  concentration,
  losing,
  growth,
  meanMargin,
  grossMargin,
  all,
}: MarginAnswer): string[] {
  const said: string[] = [];
  const [least, or] = known.isCostWhole ? ["", ""] : ["≥ ", "≤ "];
  const at = (wanted: number): string => or + percent(quantiles.find(({ percent: one }) => one === wanted)?.margin ?? null);
  const paying = known.keys - withoutRevenue.keys;
  if (quantiles.length > 0)
    said.push(
      `Margins of ${many(paying, by)}: ${paying < 10 ? `the lowest ${at(10)}, half at ${at(50)} or below, the highest ${at(90)}` : `a tenth at ${at(10)} or below, half at ${at(50)}, a tenth above ${at(90)}`}; mean ${or}${percent(meanMargin)}, of totals ${or}${percent(grossMargin)}.`,
    );
  if (belowZero.keys > 0)
    said.push(
      `Below zero: ${least}${formatCount(belowZero.keys)} of ${formatCount(known.keys)}, ${least}${money(belowZero.lost)} together.`,
    );
  if (unknown.keys > 0)
    said.push(`Unknown revenue: ${formatCount(unknown.keys)}, cost ${all.isCostWhole ? "" : "≥ "}${money(unknown.cost)}.`);
  if (losing !== null && losing.customers > 0)
    said.push(`In ${losing.month} ${many(losing.customers, "customer")} cost more than they paid: ${money(losing.lost)}.`);
  if (concentration !== null && concentration.gini !== null) {
    // Less than one customer is no whale.
    const whales = concentration.tops.filter(({ customers }) => customers >= 1);
    const tops = whales.map(({ top, share }) => `the dearest ${percent(top)} take ${percent(share)} of the cost; `);
    said.push(
      `Whales: of ${many(concentration.customers, "customer")} ${tops.join("")}Gini ${concentration.gini.toFixed(2)}${all.isCostWhole ? "" : ", of the cost that has a price"}.`,
    );
  }
  return growth === null ? said : [...said, ...growthLines(growth, all)];
}

function growthLines(growth: NonNullable<MarginAnswer["growth"]>, all: MarginAnswer["all"]): string[] {
  const said: string[] = [];
  const { ruleOf40, absorbed, payback, paybackByCustomer: each } = growth;
  const [least, most] = growth.isCostWhole ? ["", ""] : ["≥ ", "≤ "];
  if (ruleOf40.value !== null) {
    const { growthPercent, marginPercent, score, isMet, margin } = ruleOf40.value;
    const is = margin === "gross" && all.bound === "at most" ? "≤ " : "";
    const met = isMet ? `met${is === "" ? "" : " at best"}` : "not met";
    const open = margin === "gross" && !all.isWhole ? "as far as revenue is known; " : "";
    said.push(`Rule of 40: ${one(growthPercent)} + ${is}${one(marginPercent)} = ${is}${one(score)}, ${met} (${open}${growth.definition}).`);
  } else said.push(`Rule of 40: not known: ${whyNone(ruleOf40.reason, growth.definition)}.`);
  if (absorbed.customers > 0)
    said.push(
      `Absorbed as cost of acquisition: ${least}${money(absorbed.absorbed)} of ${many(absorbed.customers, "customer")}, ${least}${money(absorbed.perMonth)} a month.`,
    );
  if (payback.value !== null) said.push(`Payback: ${least}${one(payback.value)} months of the mean account.`);
  if (each !== null) {
    const within = (months: number | null): string => (months === null ? "never" : `${least}${one(months)} months`);
    said.push(
      `Payback by each one’s own margin: half ${within(each.p50)}, nine in ten ${within(each.p90)}; never for ${formatCount(each.never)} of ${many(each.customers, "account")}.`,
    );
  }
  const figures = [
    growth.lifetimeValue.value === null ? null : `lifetime value ${most}${money(growth.lifetimeValue.value)}`,
    growth.lifetimeToCac.value === null ? null : `LTV/CAC ${most}${one(growth.lifetimeToCac.value)}`,
    growth.cacWithLosses.value === null ? null : `CAC with losses ${least}${money(growth.cacWithLosses.value)}`,
  ].filter((text) => text !== null);
  if (figures.length > 0) said.push(`${figures.join(", ")}.`.replace(/^./, (first) => first.toUpperCase()));
  if ((payback.value !== null || growth.lifetimeValue.value !== null) && growth.accountMargin !== null)
    said.push(
      `Payback and lifetime value are from the margin of ${many(growth.accounts, "account")}, ${most}${percent(growth.accountMargin)}; the gross margin above is over everything.`,
    );
  if (growth.runway.value !== null)
    said.push(`Carried for ${most}${one(growth.runway.value)} months: how long the cash lasts at what is absorbed a month.`);
  return said;
}

/** Why there is no Rule of 40. Of a month or two, growth is against the year before alone. */
function whyNone(reason: NonNullable<MarginAnswer["growth"]>["ruleOf40"]["reason"], definition: string): string {
  if (reason === "no_revenue") return "there is no revenue";
  if (reason !== "no_revenue_before") return "a number that it needs is not known: revenue, or --profit";
  return definition.includes("a year before")
    ? "no revenue of the same days a year before (of three months or more, growth may be against as many days just before)"
    : "no revenue of as many days before";
}

/** Before a margin of which some cost has no price. */
function most({ isCostWhole }: MarginAnswer["lines"][number]): string {
  return isCostWhole ? "" : "≤ ";
}

function money(usd: string): string {
  return shortUsd(parseUsd(usd));
}

function sinceOf({ losing }: MarginAnswer["lines"][number]): string {
  if (losing === null) return "";
  return `${losing.sinceMonth}${losing.isMaybeEarlier ? " or before" : ""} (${money(losing.lost)})`;
}

function percent(part: number | null): string {
  if (part === null) return "—";
  const size = Math.abs(part);
  return `${part < 0 ? "-" : ""}${(100 * size).toFixed(size > 0 && size < 0.1 ? 1 : 0)} %`;
}

function one(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
