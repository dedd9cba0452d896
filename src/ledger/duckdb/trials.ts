// Stub.
import type { DuckDBValue } from "@duckdb/node-api";
import type { TrialsPage, TrialsQuery } from "../trials.ts";
import type { Sql } from "./field.ts";

export function trialsSql(_query: TrialsQuery): Sql {
  return { text: `SELECT segment, "offset" FROM applied`, values: [] };
}

export function toTrials(_rows: readonly (readonly DuckDBValue[])[], _query: TrialsQuery): TrialsPage {
  return { trials: [], truncated: false, position: null };
}
