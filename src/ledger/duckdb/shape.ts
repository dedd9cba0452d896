// Stub.
import type { DuckDBValue } from "@duckdb/node-api";
import type { ShapePage, ShapeQuery } from "../shape.ts";
import type { Sql } from "./field.ts";

export function shapeSql(_query: ShapeQuery): Sql {
  return { text: `SELECT segment, "offset" FROM applied`, values: [] };
}

export function toShape(_rows: readonly (readonly DuckDBValue[])[], _query: ShapeQuery): ShapePage {
  return { steps: [], tasks: 0, callsMax: 0, types: [], position: null };
}
