// Margins as lines for people. Amounts are shortened here; `--json` has them whole. Invariant: what is not known is never shown as nothing, and stands beside the
// figures that it is not in.

import type { MarginAnswer } from "../api/margined.ts";
import { atLeast, many } from "./command.ts";
import { short } from "./successes.ts";
import { type Column, formatCount, formatTable } from "./table.ts";

export function describeMargin(found: MarginAnswer): string {
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
    ...(by === "customer" ? [{ head: "losing since" }] : []),
  ];
  const rows = lines.map((line) => [
    line.key ?? "no plan named",
    ...(by === "customer" ? [line.plans.join(", ") || "—"] : []),
    line.revenue === null ? "unknown" : short(line.revenue),
    atLeast(short(line.cost), line.unpriced),
    ...(isShared ? [short(line.shared)] : []),
    line.margin === null ? "unknown" : short(line.margin),
    percent(line.marginShare),
    ...(by === "customer" ? [sinceOf(line)] : []),
  ]);
  const parts = [
    summaryOf(found, span),
    ...(rows.length === 0 ? [] : ["", formatTable(columns, rows)]),
    ...(found.truncated ? [`Only the first ${many(lines.length, "line")} are shown (--limit).`] : []),
    "",
    ...facts(found),
    ...found.notes,
  ];
  return parts.join("\n");
}

function summaryOf({ all, nobody, by }: MarginAnswer, span: string): string {
  const isAtLeast = all.isWhole ? "" : " or more";
  const revenue = all.revenue === null ? "revenue unknown" : `revenue $${short(all.revenue)}${isAtLeast}`;
  const margin = all.margin === null ? "" : `, gross margin $${short(all.margin)} (${percent(all.grossMargin)})${isAtLeast}`;
  const share = all.costShare === null ? "" : `, AI cost ${percent(all.costShare)} of revenue${all.isWhole ? "" : " or less"}`;
  const apart =
    nobody.cost === "0" ? "" : `\nOf the cost $${short(nobody.cost)} belongs to no ${by === "plan" ? "customer" : by}${dividedOf(nobody)}.`;
  return `${span}: ${revenue}, cost $${short(all.cost)}${margin}${share}.${apart}`;
}

function dividedOf({ rule, divided, left }: MarginAnswer["nobody"]): string {
  if (rule === "none") return "";
  const rules = {
    usage: "by tokens",
    even: "evenly",
    reserved: "by what is reserved",
    "idle apart": "by tokens, of the capacity",
  } as const;
  return `; divided ${rules[rule]}: $${short(divided)}${left === "0" ? "" : `, left $${short(left)}`}`;
}

function facts({
  by,
  quantiles,
  belowZero,
  known,
  unknown,
  concentration,
  losing,
  growth,
  meanMargin,
  grossMargin,
}: MarginAnswer): string[] {
  const said: string[] = [];
  const at = (wanted: number): string => percent(quantiles.find(({ percent: one }) => one === wanted)?.margin ?? null);
  if (quantiles.length > 0)
    said.push(
      `Margins of ${many(known.keys, by)}: a tenth at ${at(10)} or below, half at ${at(50)}, a tenth above ${at(90)}; mean ${percent(meanMargin)}, of totals ${percent(grossMargin)}.`,
    );
  if (belowZero.keys > 0)
    said.push(`Below zero: ${formatCount(belowZero.keys)} of ${formatCount(known.keys)}, $${short(belowZero.lost)} together.`);
  if (unknown.keys > 0) said.push(`Unknown revenue: ${formatCount(unknown.keys)}, cost $${short(unknown.cost)}.`);
  if (losing !== null && losing.customers > 0)
    said.push(`In ${losing.month} ${many(losing.customers, "customer")} cost more than they paid: $${short(losing.lost)}.`);
  if (concentration !== null && concentration.gini !== null) {
    // Less than one customer is no whale.
    const whales = concentration.tops.filter(({ customers }) => customers >= 1);
    const tops = whales.map(({ top, share }) => `the dearest ${percent(top)} take ${percent(share)} of the cost; `);
    said.push(`Whales: of ${many(concentration.customers, "customer")} ${tops.join("")}Gini ${concentration.gini.toFixed(2)}.`);
  }
  return growth === null ? said : [...said, ...growthLines(growth)];
}

function growthLines(growth: NonNullable<MarginAnswer["growth"]>): string[] {
  const said: string[] = [];
  const { ruleOf40, absorbed } = growth;
  if (ruleOf40.value !== null) {
    const { growthPercent, marginPercent, score, isMet } = ruleOf40.value;
    said.push(
      `Rule of 40: ${one(growthPercent)} + ${one(marginPercent)} = ${one(score)}, ${isMet ? "met" : "not met"} (${growth.definition}).`,
    );
  }
  if (absorbed.customers > 0)
    said.push(
      `Absorbed as cost of acquisition: $${short(absorbed.absorbed)} of ${many(absorbed.customers, "customer")}, $${short(absorbed.perMonth)} a month.`,
    );
  const figures = [
    growth.payback.value === null ? null : `payback ${one(growth.payback.value)} months`,
    growth.paybackByCustomer === null ? null : `never for ${growth.paybackByCustomer.never} of ${growth.paybackByCustomer.customers}`,
    growth.lifetimeValue.value === null ? null : `lifetime value $${short(growth.lifetimeValue.value)}`,
    growth.lifetimeToCac.value === null ? null : `LTV/CAC ${one(growth.lifetimeToCac.value)}`,
    growth.cacWithLosses.value === null ? null : `CAC with losses $${short(growth.cacWithLosses.value)}`,
    growth.runway.value === null ? null : `carried for ${one(growth.runway.value)} months`,
  ].filter((text) => text !== null);
  if (figures.length > 0) said.push(`${figures.join(", ")}.`.replace(/^./, (first) => first.toUpperCase()));
  return said;
}

function sinceOf({ losing }: MarginAnswer["lines"][number]): string {
  if (losing === null) return "";
  return `${losing.sinceMonth}${losing.isMaybeEarlier ? " or before" : ""} ($${short(losing.lost)})`;
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
