// Stub.
import type { DuckDBValue } from "@duckdb/node-api";
import type { DriverSums, DriversQuery } from "../drivers.ts";
import type { Sql } from "./field.ts";

export function driversSql(_query: DriversQuery): Sql {
  return { text: `SELECT segment, "offset" FROM applied`, values: [] };
}

export function toDrivers(_rows: readonly (readonly DuckDBValue[])[], _query: DriversQuery): DriverSums {
  return { cells: [], tasks: [], other: [], position: null };
}
