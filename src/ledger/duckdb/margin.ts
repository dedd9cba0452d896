// What keys bring in and cost in a span and by month, as SQL and back. Money of whole calendar months is added in SQL from parts that were made as
// statements came; that of days at either end is divided here. Not here: what a report costs (query.ts). Invariant: SQL adds money and never divides it,
// and whatever the span, its revenue is the sum of `earnedIn` over all statements that count.

import type { DuckDBValue } from "@duckdb/node-api";
import { formatUsd, parseUsd, type Pico, sum, toPico, zero } from "../../core/money.ts";
import { monthOf, monthSpan } from "../../core/month.ts";
import { earnedIn, type Revenue } from "../../core/revenue.ts";
import { dayMs } from "../../core/time.ts";
import type { KeyCost, KeyEarned, KeyMonths, MarginQuery, MarginSums } from "../margin.ts";
import type { Span } from "../store.ts";
import { textOf } from "./answer.ts";
import { toPosition } from "./evidence.ts";
import { type Sql, sqlOf } from "./field.ts";
import { groupsSql } from "./query.ts";
import { monthIndex } from "./revenue.ts";

type Row = readonly DuckDBValue[];
type Ask = (sql: Sql) => Promise<readonly Row[]>;
type Key = MarginQuery["by"];

/** Months of one question, at most. */
const monthsMax = 120;

export async function marginOf(query: MarginQuery, ask: Ask): Promise<MarginSums> {
  const { by, sinceMs, untilMs, months, spans } = query;
  const [position] = await ask({ text: `SELECT segment, "offset" FROM applied`, values: [] });
  const [costs, earned, histories, newKeys, ...totals] = await Promise.all([
    ask(costsSql(by, sinceMs, untilMs)),
    earnedBetween(by, { sinceMs, untilMs }, ask),
    historiesOf(by, months.slice(-monthsMax), ask),
    months.length === 0 ? [] : ask(newSql(by, sinceMs, untilMs)),
    ...spans.map((span) => earnedBetween(null, span, ask)),
  ]);
  return {
    costs: costs.map(toCost),
    earned,
    months: histories,
    spans: totals.map((rows) => (rows.length === 0 ? null : formatUsd(sum(rows.map((row) => parseUsd(row.amount)))))),
    newKeys: Number(newKeys[0]?.[0] ?? 0),
    position: toPosition(position?.[0], position?.[1]),
  };
}

function costsSql(by: Key, sinceMs: number, untilMs: number): Sql {
  return sqlOf(
    `SELECT g0, calls, "cost"::VARCHAR, periodCost::VARCHAR, inputTokens + outputTokens, unpriced + unmetered + periodUnpriced FROM (`,
    groupsSql([by], sinceMs, untilMs),
    ") ORDER BY g0 NULLS LAST",
  );
}

function toCost([key, calls, cost, periodCost, tokens, unpriced]: Row): KeyCost {
  return {
    key: textOf(key),
    calls: Number(calls),
    cost: toUsd(cost),
    periodCost: toUsd(periodCost),
    tokens: Number(tokens),
    unpriced: Number(unpriced),
  };
}

/** Of a span of whole days: its whole months, and the days before and after them. */
function cut({ sinceMs, untilMs }: Span): {
  readonly months: readonly [number, number];
  readonly edges: readonly (readonly [number, number])[];
} {
  const since = monthSpan(monthOf(sinceMs));
  const low = since.fromMs === sinceMs ? sinceMs : since.toMs;
  const high = monthSpan(monthOf(untilMs)).fromMs;
  if (low >= high) return { months: [0, 0], edges: [[sinceMs, untilMs]] };
  const edges = [[sinceMs, low] as const, [high, untilMs] as const].filter(([from, to]) => from < to);
  return { months: [monthIndex(monthOf(low)), monthIndex(monthOf(high))], edges };
}

/** @param by null: all together. */
async function earnedBetween(by: Key | null, span: Span, ask: Ask): Promise<KeyEarned[]> {
  const { months, edges } = cut(span);
  const [whole, ...parts] = await Promise.all([
    months[0] < months[1] ? ask(wholeSql(by, months)) : [],
    ...edges.map(([fromMs, toMs]) => ask(edgeSql(by, fromMs, toMs))),
  ]);
  const found = new Map<string, { key: string | null; plan: string | null; pico: Pico; days: number }>();
  const add = (key: string | null, plan: string | null, pico: Pico, days: number): void => {
    const name = JSON.stringify([key, plan]);
    const before = found.get(name);
    if (before === undefined) found.set(name, { key, plan, pico, days });
    else {
      before.pico = toPico(before.pico + pico);
      before.days += days;
    }
  };
  for (const [key, plan, amount, days] of whole) add(textOf(key), textOf(plan), parseUsd(String(amount)), Number(days));
  for (const [index, [fromMs, toMs]] of edges.entries())
    for (const row of parts[index] ?? []) {
      const revenue = toTerms(row);
      const days = (Math.min(revenue.toMs ?? toMs, toMs) - Math.max(revenue.fromMs, fromMs)) / dayMs;
      add(textOf(row[0]), textOf(row[1]), earnedIn(revenue, fromMs, toMs) ?? zero, days);
    }
  return [...found.values()].map(({ key, plan, pico, days }) => ({ key, plan, amount: formatUsd(pico), days }));
}

/** Parts of whole months, `low` inclusive and `high` exclusive: those that were made, and one for each month of what goes on. */
function partsSql(columns: string, low: number, high: number): string {
  const list = Array.from({ length: high - low }, (_, index) => low + index);
  const named = list.map((month) => `(${month}, ${daysOf(month)})`).join(", ");
  return `(SELECT ${columns}, month, days, amount FROM earned WHERE month >= ${low} AND month < ${high} UNION ALL
    SELECT ${columns}, m.month, m.days, amount FROM revenues JOIN (VALUES ${named}) AS m(month, days) ON m.month >= firstMonth
      WHERE toMs IS NULL AND id NOT IN (SELECT id FROM revenueVoids))`;
}

function wholeSql(by: Key | null, [low, high]: readonly [number, number]): Sql {
  const key = by === null ? "NULL::VARCHAR" : by;
  const parts = partsSql("customer, plan, feature", low, high);
  const plan = by === null ? "NULL::VARCHAR" : "plan";
  return {
    text: `SELECT ${key} AS key, ${plan} AS plan, sum(amount)::DECIMAL(38,12)::VARCHAR, sum(days) FROM ${parts} GROUP BY ALL HAVING count(*) > 0 ORDER BY ALL`,
    values: [],
  };
}

/** Statements with days in a part of a month. */
function edgeSql(by: Key | null, fromMs: number, toMs: number): Sql {
  const [key, plan] = by === null ? ["NULL", "NULL"] : [by, "plan"];
  return {
    text: `SELECT ${key}, ${plan}, every, amount::VARCHAR, fromMs, toMs FROM revenues
      WHERE fromMs < ?::BIGINT AND coalesce(toMs > ?::BIGINT, true) AND id NOT IN (SELECT id FROM revenueVoids) ORDER BY id`,
    values: [toMs, fromMs],
  };
}

function toTerms([, , every, amount, fromMs, toMs]: Row): Pick<Revenue, "every" | "amountPico" | "fromMs" | "toMs"> {
  return {
    every: every === "month" ? "month" : "once",
    amountPico: parseUsd(String(amount)),
    fromMs: Number(fromMs),
    toMs: toMs === null ? null : Number(toMs),
  };
}

/**
 * The last month of all keys, then all months of those that lost money in it: of ten thousand keys most have no history to tell. One line of text for each
 * key: cell by cell would take most of the answer's time.
 */
async function historiesOf(by: Key, months: readonly string[], ask: Ask): Promise<MarginSums["months"]> {
  const [first, last] = [months[0], months.at(-1)];
  if (first === undefined || last === undefined) return [];
  const ends = await monthsOf(by, last, last, null, ask);
  const losing = ends
    .filter(({ costs: [cost], earned: [earned] }) => parseUsd(cost ?? "0") > parseUsd(earned ?? "0"))
    .map(({ key }) => key);
  if (losing.length === 0 || first === last) return ends;
  const told = new Map((await monthsOf(by, first, last, losing, ask)).map((history) => [history.key, history]));
  return ends.map((end) => told.get(end.key) ?? end);
}

/** @param among only these keys; null: all. */
async function monthsOf(by: Key, first: string, last: string, among: readonly string[] | null, ask: Ask): Promise<KeyMonths[]> {
  const [low, high] = [monthIndex(first), monthIndex(last) + 1];
  const groups = groupsSql([by, "month"], monthSpan(first).fromMs, monthSpan(last).toMs, among ?? undefined);
  const chosen = among === null ? "" : `AND ${by} IN (SELECT unnest(from_json(?::VARCHAR, '["VARCHAR"]')))`;
  const told = `month || ' ' || amount`;
  // Of one month there is one line already.
  const lines = (table: Sql): Sql =>
    first === last
      ? sqlOf(`SELECT key, ${told} FROM (`, table, ")")
      : sqlOf(`SELECT key, string_agg(${told}, ',') FROM (`, table, ") GROUP BY key");
  const [costs, earned] = await Promise.all([
    ask(lines(sqlOf(`SELECT g0 AS key, g1 AS month, "cost" AS amount FROM (`, groups, ") WHERE g0 IS NOT NULL"))),
    ask(
      lines({
        text: `SELECT ${by} AS key, month, sum(amount)::DECIMAL(38,12) AS amount FROM ${partsSql(by, low, high)}
          WHERE ${by} IS NOT NULL ${chosen} GROUP BY ALL`,
        values: among === null ? [] : [JSON.stringify(among)],
      }),
    ),
  ]);
  const earnings = new Map(earned.map(([key, text]) => [String(key), text]));
  const keys = new Map<string, unknown>(costs.map(([key, text]) => [String(key), text]));
  for (const key of earnings.keys()) if (!keys.has(key)) keys.set(key, null);
  const each = Array.from({ length: high - low }, (_, index) => low + index);
  return [...keys].map(([key, text]) => {
    const [cost, gained] = [read(text), read(earnings.get(key))];
    return { key, costs: each.map((month) => cost.get(month) ?? null), earned: each.map((month) => gained.get(month) ?? null) };
  });
}

const nothing: ReadonlyMap<number, string> = new Map();

/** What a line of text says of months. */
function read(text: unknown): ReadonlyMap<number, string> {
  if (text === null || text === undefined) return nothing;
  const pairs = String(text).split(",");
  return new Map(pairs.map((pair) => [Number(pair.slice(0, pair.indexOf(" "))), toUsd(pair.slice(pair.indexOf(" ") + 1))]));
}

function newSql(by: Key, sinceMs: number, untilMs: number): Sql {
  return {
    text: `SELECT count(*) FROM (SELECT min(fromMs) AS firstMs FROM revenues WHERE ${by} IS NOT NULL
      AND id NOT IN (SELECT id FROM revenueVoids) GROUP BY ${by}) WHERE firstMs >= ?::BIGINT AND firstMs < ?::BIGINT`,
    values: [sinceMs, untilMs],
  };
}

function daysOf(month: number): number {
  return (Date.UTC(1970, month + 1) - Date.UTC(1970, month)) / dayMs;
}

/** A decimal of twelve places without its trailing zeros. */
function toUsd(text: unknown): string {
  const said = String(text);
  return said.includes(".") ? said.replace(/\.?0+$/, "") : said;
}
