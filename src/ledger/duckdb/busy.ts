// How busy calls kept machines in a span of time: by group, and as time in which any was under way. Not here: what that costs
// (core/machine.ts). Invariant: a call counts from its start to its end, as far as both are within the span, and only where it ran.

import type { DuckDBValue } from "@duckdb/node-api";
import type { BusyPage, BusyQuery } from "../store.ts";
import { type Sql, sqlOf, type Value, whole } from "./field.ts";
import { bounded } from "./query.ts";

/** A call that is under way for longer counts for this long alone, so that what is read of the ledger is bounded. */
const callMsMax = 86_400_000;

/** Sent, and not refused; of what was presumed nobody knows how long it took. */
const ran = `(c.status IN ('complete', 'cut', 'aborted') OR (c.status = 'failed' AND c.source IS NOT NULL))`;

/** Rows: busy ms and group, the busiest first, one more than the limit if there are more; after them one with all calls' ms and the ms covered, under a null group mark. */
export function busySql(query: BusyQuery): Sql {
  const { fromMs, toMs, count, by, limit } = query;
  const names = by.map((field) => `c."${field}"`);
  const groups = names.length === 0 ? "" : `, ${names.join(", ")}`;
  const order = names.map((name) => `${name} ASC NULLS LAST`).join(", ");
  const values: Value[] = [whole(fromMs), whole(toMs)];
  const source = served(query);
  const nulls = by.map(() => "NULL").join(", ");
  return sqlOf(
    `WITH s AS (SELECT c.*, greatest(c.startMs, ?::BIGINT) AS a, least(c.endMs, ?::BIGINT) AS b FROM calls AS c `,
    { text: "", values },
    source,
    ` AND ${ran}), w AS (SELECT * FROM s WHERE a < b),
    e AS (SELECT t, sum(d) AS d FROM (SELECT a AS t, 1 AS d FROM w UNION ALL SELECT b, -1 FROM w) GROUP BY t),
    k AS (SELECT t, sum(d) OVER (ORDER BY t) AS k, lead(t) OVER (ORDER BY t) AS n FROM e),
    g AS (SELECT sum(c.b - c.a) AS ms, false AS isTotal${groups} FROM w AS c GROUP BY ALL ORDER BY ms DESC${order === "" ? "" : `, ${order}`} LIMIT ${bounded(limit) + 1})
    SELECT ms, isTotal, NULL::HUGEINT AS covered${by.map((field) => `, "${field}"`).join("")} FROM g
    UNION ALL SELECT (SELECT coalesce(sum(b - a), 0) FROM w), true, coalesce(sum(least(k, ${bounded(count)}) * (n - t)), 0)${nulls === "" ? "" : `, ${nulls}`} FROM k WHERE n IS NOT NULL`,
  );
}

/** How many calls under way began before the span's end. */
export function openSql({ provider, models, toMs }: BusyQuery): Sql {
  const condition = modelCondition(models);
  return {
    text: `SELECT count(*) FROM open AS c WHERE c.provider = ?::VARCHAR AND c.startMs < ?::BIGINT${condition.text}`,
    values: [provider, whole(toMs), ...condition.values],
  };
}

export function toBusy(query: BusyQuery, rows: readonly (readonly DuckDBValue[])[], open: DuckDBValue | undefined): BusyPage {
  const groups: { group: (string | null)[]; busyMs: number }[] = [];
  let [busyMs, coveredMs] = [0, 0];
  for (const [ms, isTotal, covered, ...group] of rows)
    if (isTotal === true) [busyMs, coveredMs] = [Number(ms), Number(covered)];
    else groups.push({ group: group.map((value) => (value === null ? null : String(value))), busyMs: Number(ms) });
  return {
    coveredMs,
    busyMs,
    open: Number(open ?? 0),
    groups: groups.slice(0, query.limit),
    truncated: groups.length > query.limit,
  };
}

function served({ provider, models, fromMs, toMs }: BusyQuery): Sql {
  const condition = modelCondition(models);
  return {
    text: `WHERE c.provider = ?::VARCHAR AND c.startMs >= ?::BIGINT AND c.startMs < ?::BIGINT AND c.endMs > ?::BIGINT${condition.text}`,
    values: [provider, whole(fromMs - callMsMax), whole(toMs), whole(fromMs), ...condition.values],
  };
}

/** The model that was sent, by names in which `*` is any run of characters. */
function modelCondition(models: readonly string[]): Sql {
  if (models.includes("*")) return { text: "", values: [] };
  const patterns = models.map((name) =>
    name
      .toLowerCase()
      .split("*")
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
      .join(".*"),
  );
  return { text: ` AND regexp_full_match(lower(coalesce(c.modelSent, c.model, '')), ?::VARCHAR)`, values: [patterns.join("|")] };
}
