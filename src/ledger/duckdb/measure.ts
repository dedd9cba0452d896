// The measures of a report as SQL, for each kind of row they are taken from: calls, lines of calls, period charges, kept sums.
// Invariant: SQL adds, compares and counts money; it never multiplies, divides or averages it. Parts of a report add up, whatever they
// were taken from, because every call is in exactly one of them.

import { usageClassNames } from "../../core/usage.ts";
import { isTokens } from "../projection.ts";
import { cutMeasures } from "./schema.ts";

/** In the order every report selects them: after whether the row is the total, the total's position, and whether it is the rest; before the groups. */
export const measureNames = [
  "calls",
  "cost",
  "inputTokens",
  "outputTokens",
  "quantity",
  "unpriced",
  "unmetered",
  "doubtful",
  "presumed",
  "failed",
  "periodCost",
  "periodUnpriced",
] as const;

const flags = ["unpriced", "unmetered", "doubtful", "presumed", "failed"] as const;
/** Columns of a call that the measures of its lines are taken from. */
export const lineColumns: readonly string[] = flags.slice(1);

type Measure = (typeof measureNames)[number];

const sumOf = (expression: string, condition?: string): string =>
  `coalesce(sum(${expression})${condition === undefined ? "" : ` FILTER (${condition})`}, 0)`;
const money = (expression: string, name: string): string => `${expression}::DECIMAL(38,12) AS "${name}"`;
const nothing = money("0", "periodCost");

/** Of the calls `c`, as they are kept: never NULL. */
export const callMeasures = [
  `count(*) AS calls`,
  money(sumOf(`c."cost"`), "cost"),
  `${sumOf("c.inputTokens")} AS inputTokens`,
  `${sumOf("c.outputTokens")} AS outputTokens`,
  `NULL::HUGEINT AS quantity`,
  ...flags.map((flag) => `count(*) FILTER (c."${flag}") AS "${flag}"`),
  nothing,
  `0 AS periodUnpriced`,
].join(", ");

/** Columns of a call that its measures are taken from. */
export const callColumns = ["cost", "inputTokens", "outputTokens", ...flags] as const;

/** A part of a report: NULL where there is nothing to add. Of a sum over few rows, binding its expressions is most of the time. */
const partOf = (given: Readonly<Partial<Record<Measure, string>>>): string =>
  measureNames.map((name) => `${given[name] ?? (name === "quantity" ? "NULL::HUGEINT" : "0")} AS "${name}"`).join(", ");

const each = <Name extends string>(names: readonly Name[], expression: (name: Name) => string): Partial<Record<Name, string>> =>
  Object.fromEntries(names.map((name) => [name, expression(name)])) as Partial<Record<Name, string>>;

/** Of the calls `c`, as a part. */
export const callSums = partOf({
  calls: "count(*)",
  ...each(["cost", "inputTokens", "outputTokens"], (name) => `sum(c."${name}")`),
  ...each(flags, (flag) => `count_if(c."${flag}")`),
});

/** Of the days `c` of period charges, as a part: they count as no call. */
export const periodMeasures = partOf({ ...each(["cost", "periodCost"], () => `sum(c."cost")`), periodUnpriced: "count_if(c.unpriced)" });

/** Of the lines of calls. Grouped by class, a call is counted on the first line of the class; with classes mixed, calls are told apart by id. */
export function lineMeasures(grouped: boolean): string {
  const count = (condition: string): string =>
    grouped ? `count(*) FILTER (line."first" AND ${condition})` : `count(DISTINCT c.id) FILTER (${condition})`;
  return [
    `${count("true")} AS calls`,
    money(sumOf(`line."cost"`), "cost"),
    `${sumOf("line.quantity", `WHERE line."class" IN (${classesOf("input")})`)} AS inputTokens`,
    `${sumOf("line.quantity", `WHERE line."class" IN (${classesOf("output")})`)} AS outputTokens`,
    `${grouped ? "sum(line.quantity)" : "NULL::HUGEINT"} AS quantity`,
    `${count("line.unpriced")} AS unpriced`,
    ...flags.slice(1).map((flag) => `${count(`c."${flag}"`)} AS "${flag}"`),
    nothing,
    `0 AS periodUnpriced`,
  ].join(", ");
}

/** Of the lines of period charges: one for each day. */
export function periodLineMeasures(grouped: boolean): string {
  return periodMeasures
    .replaceAll(`c."cost"`, `line."cost"`)
    .replace("c.unpriced", "line.unpriced")
    .replace("NULL::HUGEINT", grouped ? "sum(line.quantity)" : "NULL::HUGEINT");
}

/** What the rows `c` of a cut cost, of which whole dollars are in a column of their own. */
export const cutCost = `sum(c."cost") + sum(c.dollars)::DECIMAL(38,12)`;

/** Of the rows `c` of a cut, as a part. */
export const cutSums = partOf({ ...each(cutMeasures, (name) => `sum(c."${name}")`), cost: cutCost });

/** Of groups that were added up, all of them together: NULL where there are none. */
export const totalSums = measureNames
  .map((name) => (name === "quantity" ? "NULL::HUGEINT AS quantity" : `sum("${name}") AS "${name}"`))
  .join(", ");

/** Of parts that were measured by any of these. */
export function addedMeasures(withQuantity: boolean): string {
  return measureNames
    .map((name) => {
      if (name === "quantity") return `${withQuantity ? "sum(quantity)" : "NULL::HUGEINT"} AS quantity`;
      return name === "cost" || name === "periodCost" ? money(sumOf(`"${name}"`), name) : `${sumOf(`"${name}"`)} AS "${name}"`;
    })
    .join(", ");
}

function classesOf(direction: "input" | "output"): string {
  return usageClassNames
    .filter((name) => isTokens(name, direction))
    .map((name) => `'${name}'`)
    .join(", ");
}
