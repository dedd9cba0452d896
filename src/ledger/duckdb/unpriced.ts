// What calls used that has no price: by provider, model, tier, region and class, with since when. Not here: which of it has a price by now.
// Invariant: only lines without a cost are counted, so a class that is priced in some calls and not in others counts where it is not.

import type { DuckDBValue } from "@duckdb/node-api";
import type { UsageClass } from "../../core/usage.ts";
import type { UnpricedQuery, UnpricedRow } from "../store.ts";
import { textOf } from "./answer.ts";
import { type Sql, sqlOf, where } from "./field.ts";
import { bounded } from "./query.ts";

const groups = ["provider", "model", "tier", "region"] as const;

/** One row for each class, and one of class NULL for the calls as such; those with the most calls first. One more than the limit says that there are more. */
export function unpricedSql({ sinceMs, untilMs, filters, limit }: UnpricedQuery): Sql {
  const names = groups.map((name) => `c."${name}"`).join(", ");
  const source = where(sinceMs, untilMs, filters, undefined, [{ text: "c.unpriced", values: [] }]);
  const seen = "min(c.startMs) AS firstMs, max(c.startMs) AS lastMs";
  return sqlOf(
    `WITH calls1 AS (SELECT ${names}, c.startMs, c.lines FROM calls AS c `,
    source,
    `), l AS (SELECT * EXCLUDE (lines), unnest(lines) AS line FROM calls1),
    w AS (SELECT ${names}, NULL AS "class", count(*) AS calls, NULL::HUGEINT AS quantity, ${seen} FROM calls1 AS c GROUP BY ALL),
    u AS (SELECT ${names}, c.line."class" AS "class", count(*) FILTER (c.line."first") AS calls, sum(c.line.quantity) AS quantity, ${seen}
      FROM l AS c WHERE c.line."class" IS NOT NULL AND c.line."cost" IS NULL AND (c.line.unpriced OR NOT c.line."first") GROUP BY ALL)
    SELECT x.* FROM (SELECT * FROM w UNION ALL SELECT * FROM u) AS x
      JOIN (SELECT ${names}, sum(calls) AS rank FROM w AS c GROUP BY ALL ORDER BY rank DESC, ${names} LIMIT ${bounded(limit) + 1}) AS r
      ON ${groups.map((name) => `x."${name}" IS NOT DISTINCT FROM r."${name}"`).join(" AND ")}
    ORDER BY r.rank DESC, ${groups.map((name) => `x."${name}" NULLS FIRST`).join(", ")}, x."class" NULLS FIRST`,
  );
}

/** Rows as models: each begins with the row of its calls. */
export function toUnpriced(rows: readonly (readonly DuckDBValue[])[]): UnpricedRow[] {
  const found: (Omit<UnpricedRow, "classes"> & { classes: UnpricedRow["classes"][number][] })[] = [];
  for (const [provider, model, tier, region, name, calls, quantity, firstMs, lastMs] of rows) {
    if (name === null || name === undefined)
      found.push({
        provider: String(provider),
        model: textOf(model),
        tier: textOf(tier),
        region: textOf(region),
        calls: Number(calls),
        firstMs: Number(firstMs),
        lastMs: Number(lastMs),
        classes: [],
      });
    else
      found.at(-1)?.classes.push({
        class: String(name) as UsageClass,
        calls: Number(calls),
        quantity: quantity === null ? null : Number(quantity),
      });
  }
  return found;
}
