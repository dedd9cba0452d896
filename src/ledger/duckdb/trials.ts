// Tasks one by one, as SQL: the tries that candidates are compared by. Not here: which tasks there are, and what each cost (success.ts). Invariant: a
// task's cost and ending are those that a question about success counts.

import { DuckDBDecimalValue, type DuckDBValue } from "@duckdb/node-api";
import { PennyworthError } from "../../error.ts";
import { taskEnds } from "../store.ts";
import type { Trial, TrialsPage, TrialsQuery } from "../trials.ts";
import { textOf, toUsd } from "./answer.ts";
import { toPosition } from "./evidence.ts";
import { type Sql, sqlOf } from "./field.ts";
import { said, tasksSql } from "./success.ts";

/** Most tasks of one answer. */
const trialsMax = 200_000;

/** The latest, by candidate, case and time. @throws PennyworthError `query_invalid` for an unknown field, or a limit or a time that is none. */
export function trialsSql({ by, limit, ...asked }: TrialsQuery): Sql {
  if (!Number.isInteger(limit) || limit < 1 || limit > trialsMax)
    throw new PennyworthError("query_invalid", { detail: `the limit must be a whole number from 1 to ${trialsMax}` });
  const of = (cost: string, unpriced: string): string =>
    `${said(by)} AS candidate, s.name, coalesce(s."begunCase", s."case") AS "case", coalesce(s.beganMs, s.startMs) AS atMs,
      CASE WHEN ${unpriced} > 0 THEN NULL ELSE ${cost} END AS "cost", ${cost} AS spent`;
  return sqlOf(
    "WITH ",
    tasksSql(asked, by === "model" ? ["case"] : [by, "case"], {
      plain: of(`s."cost"`, "s.unpriced"),
      added: of(`s."cost" + coalesce(k."cost", 0)`, "s.unpriced + coalesce(k.unpriced, 0)"),
    }),
    `, l AS (SELECT candidate, name, "case", atMs, ended, "cost", spent FROM t ORDER BY atMs DESC, name DESC LIMIT ${limit})
    SELECT segment, "offset", (SELECT count(*) FROM t) > ${limit} AS more, l.* FROM applied LEFT JOIN l ON true
    ORDER BY candidate NULLS LAST, "case" NULLS LAST, atMs, name`,
  );
}

export function toTrials(rows: readonly (readonly DuckDBValue[])[]): TrialsPage {
  const [first = []] = rows;
  const trials: Trial[] = [];
  for (const [, , , candidate, task, piece, atMs, ended, cost, spent] of rows)
    if (task !== null)
      trials.push({
        candidate: textOf(candidate),
        task: String(task),
        case: textOf(piece),
        startMs: Number(atMs),
        ending: taskEnds[Number(ended)] ?? "unknown",
        cost: cost instanceof DuckDBDecimalValue ? toUsd(cost) : null,
        spent: toUsd(spent ?? null),
      });
  return { trials, truncated: first[2] === true, position: toPosition(first[0], first[1]) };
}
