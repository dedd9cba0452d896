// Tries at pieces of work one after another, as SQL: what came to the first, the second, the n-th, all before having failed. Not here: which tasks there
// are (success.ts), candidates against each other (tries.ts). Invariant: a try is counted only while every earlier one failed, as far as anybody knows.

import type { CandidateOdds, OddsPage, OddsQuery, TriesCame } from "../tries.ts";
import { decimal, textOf } from "./answer.ts";
import { toPosition } from "./evidence.ts";
import { type Sql, sqlOf } from "./field.ts";
import type { Row, Rows } from "./readers.ts";
import { said } from "./success.ts";
import { among, began, inRank, latest, pieceOf, triedSql, unitsMax } from "./tries.ts";

/** @throws PennyworthError `query_invalid` for an unknown field, or a limit or a time that is none. */
export async function oddsOf(query: OddsQuery, ask: Rows): Promise<OddsPage> {
  const more = await latest(query, ask);
  let position: OddsPage["position"] = null;
  await ask({ text: `SELECT segment, "offset" FROM applied`, values: [] }, (row) => {
    position = toPosition(row(0), row(1));
  });
  const all: { value: string | null; tasks: number; successes: number; named: number }[] = [];
  await ask(
    sqlOf(
      triedSql(query, `${said(query.by)} AS candidate, ${pieceOf} AS "case"`, more),
      ` SELECT candidate, count(*), count_if(ended = 0), count("case") FROM t GROUP BY 1`,
    ),
    (row) => all.push({ value: textOf(row(0)), tasks: Number(row(1)), successes: Number(row(2)), named: Number(row(3)) }),
  );
  all.sort(inRank);
  const mine = all.slice(0, query.most);
  const left = all.slice(query.most);
  const sums = new Sums();
  const tried = mine.filter(({ named }) => named > 0).map(({ value }) => value);
  if (tried.length > 0) await ask(cameSql(query, tried, more), (row) => sums.take(row));
  return {
    candidates: mine.map(({ value, tasks, named }) => ({ value, tasks, nameless: tasks - named, ...sums.of(value) })),
    tasks: all.reduce((sum, { tasks }) => sum + tasks, 0),
    others: { candidates: left.length, tasks: left.reduce((sum, { tasks }) => sum + tasks, 0) },
    truncated: more.length > 0,
    position,
  };
}

const kinds = { pieces: 0, bucket: 1, each: 2 } as const;

/** Pieces that were tried once have nothing to be put in order: they are most. */
function cameSql(query: OddsQuery, values: readonly (string | null)[], more: readonly Sql[]): Sql {
  const named: Sql = { text: `${pieceOf} IS NOT NULL`, values: [] };
  return sqlOf(
    triedSql(query, `${said(query.by)} AS candidate, s.name, ${began} AS atMs, ${pieceOf} AS "case"`, [
      ...more,
      among(query.by, values),
      named,
    ]),
    `,
    f AS MATERIALIZED (SELECT candidate, "case", count(*) AS tries, min(ended) AS ended, min("cost") AS "cost", md5_number_lower("case") % 256 AS bucket
      FROM t GROUP BY 1, 2),
    h AS MATERIALIZED (SELECT candidate, "case", bucket, row_number() OVER () AS piece FROM f WHERE tries > 1),
    w AS MATERIALIZED (SELECT h.piece, h.candidate, h.bucket, t.ended, t."cost", row_number() OVER (PARTITION BY h.piece ORDER BY t.atMs, t.name) AS attempt
      FROM t JOIN h ON h."case" = t."case" AND h.candidate IS NOT DISTINCT FROM t.candidate),
    stops AS (SELECT piece, min(attempt) AS attempt FROM w WHERE ended <> 1 GROUP BY 1),
    y AS MATERIALIZED (SELECT candidate, bucket, attempt, ended, CASE WHEN ended < 3 THEN "cost" END AS "cost" FROM (
      SELECT candidate, bucket, 1 AS attempt, ended, "cost" FROM f WHERE tries = 1
      UNION ALL SELECT w.candidate, w.bucket, w.attempt, w.ended, w."cost" FROM w LEFT JOIN stops USING (piece)
        WHERE stops.attempt IS NULL OR w.attempt <= stops.attempt)),
    z AS MATERIALIZED (SELECT candidate, attempt, bucket, count(*) AS tasks, count_if(ended = 0) AS successes, count_if(ended = 1) AS failures,
      count("cost") AS costed, sum("cost") AS "cost" FROM y GROUP BY 1, 2, 3),
    few AS (SELECT candidate, attempt FROM z GROUP BY 1, 2 HAVING sum(costed) <= ${unitsMax})
    SELECT ${kinds.pieces} AS kind, candidate, NULL::INTEGER AS attempt, NULL::INTEGER AS bucket, count(*)::INTEGER AS tasks, count_if(tries > 1)::INTEGER AS successes,
      NULL::INTEGER AS failures, NULL::INTEGER AS costed, NULL::DECIMAL(38,12) AS "cost" FROM f GROUP BY ALL
    UNION ALL SELECT ${kinds.bucket}, candidate, attempt::INTEGER, bucket::INTEGER, tasks::INTEGER, successes::INTEGER, failures::INTEGER, costed::INTEGER,
      "cost"::DECIMAL(38,12) FROM z
    UNION ALL SELECT ${kinds.each}, y.candidate, y.attempt::INTEGER, NULL, NULL, NULL, NULL, 1, y."cost"::DECIMAL(38,12) FROM y
      JOIN few ON few.attempt = y.attempt AND few.candidate IS NOT DISTINCT FROM y.candidate WHERE y."cost" IS NOT NULL
    ORDER BY kind, attempt, bucket, "cost"`,
  );
}

type Summed = { -readonly [Name in Exclude<keyof TriesCame, "units">]: TriesCame[Name] } & Record<
  "groups" | "each",
  TriesCame["units"][number][]
>;

interface Mine {
  cases: number;
  repeated: number;
  readonly came: Summed[];
}

/** Rows as they come, by candidates, and by attempts in their order. */
class Sums {
  readonly #all = new Map<string | null, Mine>();

  take(row: Row): void {
    const number = (column: number): number => Number(row(column) ?? 0);
    const [kind, attempt, tasks, costed] = [number(0), number(2), number(4), number(7)];
    const value = textOf(row(1));
    const mine = this.#all.get(value) ?? { cases: 0, repeated: 0, came: [] };
    this.#all.set(value, mine);
    if (kind === kinds.pieces) {
      mine.cases = tasks;
      mine.repeated = number(5);
      return;
    }
    const pico = decimal(row(8)) ?? 0n;
    const came = (mine.came[attempt - 1] ??= { tasks: 0, successes: 0, failures: 0, costed: 0, costPico: 0n, groups: [], each: [] });
    if (kind === kinds.each) {
      came.each.push({ pico, count: 1 });
      return;
    }
    came.tasks += tasks;
    came.successes += number(5);
    came.failures += number(6);
    came.costed += costed;
    came.costPico += pico;
    if (costed > 0) came.groups.push({ pico, count: costed });
  }

  of(value: string | null): Pick<CandidateOdds, "cases" | "repeated" | "came"> {
    const { cases, repeated, came } = this.#all.get(value) ?? { cases: 0, repeated: 0, came: [] };
    return {
      cases,
      repeated,
      came: came.map(({ groups, each, ...sums }) => ({ ...sums, units: each.length === sums.costed ? each : groups })),
    };
  }
}
