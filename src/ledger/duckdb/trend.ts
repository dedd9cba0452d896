// What the calls of one model used and cost over time, split wherever the model's price may change, so that each row can be held against one
// price. Not here: that price. Invariant: SQL adds and counts; lines without a cost are in no row, since what they cost is not known.

import type { DuckDBValue } from "@duckdb/node-api";
import type { UsageClass } from "../../core/usage.ts";
import type { Trend, TrendBucket, TrendLine, TrendQuery } from "../trend.ts";
import { toUsd } from "./answer.ts";
import { expression, groupText, type Sql, sqlOf, taskOf, where, whole } from "./field.ts";
import { bounded } from "./query.ts";

const dayMs = 86_400_000;

/** Rows of buckets, each followed by those of its lines, by class and time. One more than the limit says that there are more. */
export function trendSql({ provider, model, sinceMs, untilMs, by, changesMs, dailyMs, limit }: TrendQuery): Sql {
  const source = where(sinceMs, untilMs, [{ field: "provider", value: provider, operator: "=" }]);
  return sqlOf(
    `WITH l AS MATERIALIZED (SELECT * FROM (SELECT c.id, c.startMs, ${taskOf} AS run, c."cost", ${expression(by, undefined).text} AS bucket,
      unnest(c.lines) AS line FROM calls AS c `,
    source,
    `) AS c WHERE c.line."cost" IS NOT NULL AND c.line.model = `,
    { text: "?::VARCHAR", values: [model] },
    `)
    SELECT * FROM (
      SELECT bucket, line."class" AS name, min(startMs) AS atMs, count(DISTINCT id) AS calls, sum(line.quantity) AS quantity,
        sum(line."cost")::DECIMAL(38,12) AS amount, 0 AS tasks
      FROM l GROUP BY bucket, name${passed(changesMs, "startMs")}${passed(dailyMs, `startMs % ${dayMs}`)}
      UNION ALL
      SELECT bucket, NULL, min(startMs), count(*), NULL, coalesce(sum("cost") FILTER (run IS NOT NULL), 0)::DECIMAL(38,12), count(DISTINCT run)
      FROM (SELECT DISTINCT id, startMs, run, "cost", bucket FROM l) GROUP BY bucket
    ) ORDER BY bucket, name NULLS FIRST, atMs LIMIT ${bounded(limit) + 1}`,
  );
}

/** One more term to group by: how many of the times are behind. */
function passed(times: readonly number[], what: string): string {
  return times.length === 0 ? "" : `, ${times.map((ms) => `(${what} >= ${whole(ms)})::INTEGER`).join(" + ")}`;
}

export function toTrend(rows: readonly (readonly DuckDBValue[])[], by: TrendQuery["by"]): Omit<Trend, "truncated"> {
  const lines: TrendLine[] = [];
  const buckets: TrendBucket[] = [];
  for (const [index, name, atMs, calls, quantity, amount, tasks] of rows) {
    const bucket = groupText(by, index) ?? "";
    const cost = toUsd(amount as DuckDBValue);
    if (name === null || name === undefined) buckets.push({ bucket, calls: Number(calls), tasks: Number(tasks), taskCost: cost });
    else lines.push({ bucket, atMs: Number(atMs), class: String(name) as UsageClass, quantity: Number(quantity), cost });
  }
  return { lines, buckets };
}
