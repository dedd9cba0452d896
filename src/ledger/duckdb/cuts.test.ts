// Folding: what a cut says is the same before and after, what was taken out again leaves nothing, and no sum is too
// large for its columns.

import { type DuckDBDecimalValue, DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { formatUsd } from "../../core/money.ts";
import { offsetsOf } from "../../core/zone.ts";
import { dayMs, hourMs } from "../projection.ts";
import { addCuts, foldCuts } from "./cuts.ts";
import type { Value } from "./field.ts";
import { cutCost, measureNames } from "./measure.ts";
import { reportSql } from "./query.ts";
import { schema } from "./schema.ts";
import { addSums } from "./sums.ts";
import { rowsOf, type Transaction } from "./transaction.ts";

test("a folded cut has one row for an hour and its values, with the same sums", async () => {
  const { rows, db, close } = await open();
  const insert = (hour: number, customer: string, calls: number, dollars: number, cost: string) =>
    db.run(
      `INSERT INTO customerHours ("hour", customer, calls, dollars, "cost") VALUES (${hour}, '${customer}', ${calls}, ${dollars}, ${cost})`,
      [],
    );
  await insert(2, "a", 1, 3, "0.5");
  await insert(1, "a", 2, 0, "0.000000000001");
  await insert(2, "a", 3, 1, "0.75");
  await insert(2, "b", 1, 7, "0");
  await insert(2, "b", -1, -7, "0");
  await foldCuts(db, 1);
  expect((await rows(`SELECT "hour", customer, calls::INTEGER, dollars, "cost"::VARCHAR FROM customerHours`)).map(String)).toEqual([
    "1,a,2,0,0.000000000001",
    "2,a,4,5,0.250000000000",
  ]);
  await insert(3, "c", 1, 1, "0");
  await foldCuts(db, 3);
  expect(await rows(`SELECT count(*)::INTEGER FROM customerHours`)).toEqual([[3]]);
  close();
});

test("an hour and a day of calls that cost more than one call can are kept to the last digit, and taken out again", async () => {
  const { rows, db, close } = await open();
  const dearest = "999999.999999999999";
  await db.run(
    `INSERT INTO calls (id, startMs, "hour", "day", customer, provider, "cost", inputTokens, outputTokens, unpriced, unmetered, doubtful, presumed, failed, lines)
      SELECT 'c' || i, 0, i // 10, 0, 'a', 'p', ${dearest}, 1, 1, false, false, false, false, false,
        [{'class': 'input', quantity: 1, source: 'reported', model: 'm', price: 'v', 'cost': ${dearest}::DECIMAL(18,12), 'first': true, unpriced: false}]
      FROM range(30) AS t(i)`,
    [],
  );
  await addCuts(db, "true", []);
  const sums = async (table: string) =>
    (await rows(`SELECT sum(calls)::INTEGER, (${cutCost})::VARCHAR, count(*)::INTEGER FROM ${table} AS c`)).map(String);
  for (let turn = 0; turn < 2; turn++) {
    for (const table of ["hours", "customerHours", "classHours"]) expect(await sums(table)).toEqual(["30,29999999.999999999970,3"]);
    for (const table of ["days", "customerDays", "classDays"]) expect(await sums(table)).toEqual(["30,29999999.999999999970,1"]);
    await foldCuts(db, 1);
  }
  await addCuts(db, "true", [], -1);
  await db.run("DELETE FROM cutRows", []);
  await foldCuts(db, 1);
  for (const table of ["hours", "customerDays", "classDays"]) expect(await rows(`SELECT count(*)::INTEGER FROM ${table}`)).toEqual([[0]]);
  close();
});

test("a report of any span says what its calls add up to, whatever of it is whole days and whole hours", async () => {
  const { rows, close, calls, startMs } = await openFilled(Date.UTC(2026, 10, 6));
  const ends = [null, 0, 1, hourMs, 5 * hourMs + 7, dayMs - 1, dayMs, dayMs + hourMs, 3 * dayMs - 2 * hourMs, 6 * dayMs + 90, 9 * dayMs];
  const times = { day: (ms: number) => Math.floor(ms / dayMs), week: (ms: number) => Math.floor((Math.floor(ms / dayMs) + 3) / 7) };
  for (const since of ends)
    for (const until of ends) {
      if (since !== null && until !== null && since >= until) continue;
      const [sinceMs, untilMs] = [since === null ? null : startMs + since, until === null ? null : startMs + until];
      const found = calls.filter(({ atMs }) => (sinceMs === null || atMs >= sinceMs) && (untilMs === null || atMs < untilMs));
      for (const by of [["customer"], ["class"], ["day"], ["week", "customer"], ["provider"]] as const) {
        const expected = new Map<string, bigint>();
        for (const { atMs, customer, pico } of found) {
          const named = { customer, class: "input", provider: "p", day: times.day(atMs), week: times.week(atMs) };
          const key = by.map((field) => String(named[field])).join();
          expected.set(key, (expected.get(key) ?? 0n) + pico);
        }
        const { text, values: given } = reportSql({ by, sinceMs, untilMs, filters: [], limit: 1_000 });
        expect(given).toEqual([]);
        const told = (await rows(text)).filter(([isTotal]) => isTotal !== true);
        const sums = told.map((row) => [row.slice(4 + measureNames.length).join(), (row[5] as DuckDBDecimalValue).value] as const);
        expect(new Map(sums), `${by.join()} from ${since} to ${until}`).toEqual(expected);
      }
    }
  close();
}, 120_000);

test("a report by the days of a zone is what its calendar says, also where clocks change", async () => {
  // Clocks change in Europe on the second day, in America on the ninth.
  const { rows, close, calls, startMs } = await openFilled(Date.UTC(2026, 9, 24));
  const ends = [null, 0, dayMs, 2 * dayMs + 5 * hourMs + 7, 9 * dayMs];
  const zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Pacific/Auckland"];
  for (const timeZone of [...zones, "Asia/Kolkata"]) {
    const format = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" });
    const local = calls.map((call) => ({ ...call, day: Date.parse(format.format(call.atMs)) / dayMs }));
    for (const since of ends)
      for (const until of ends) {
        if (since !== null && until !== null && since >= until) continue;
        const [sinceMs, untilMs] = [since === null ? null : startMs + since, until === null ? null : startMs + until];
        const zone = offsetsOf(timeZone, sinceMs, untilMs) ?? [];
        for (const [by, of] of [
          [["day"], null],
          [["week", "customer"], null],
          [["day"], "c1"],
          [["customer"], new Date(startMs + 2 * dayMs).toISOString().slice(0, 10)],
          [["day", "class"], null],
        ] as const) {
          const field = of === "c1" ? "customer" : "day";
          const expected = new Map<string, bigint>();
          for (const { atMs, day, customer, pico } of local) {
            if ((sinceMs !== null && atMs < sinceMs) || (untilMs !== null && atMs >= untilMs)) continue;
            if (of !== null && (field === "customer" ? customer !== of : new Date(day * dayMs).toISOString().slice(0, 10) !== of)) continue;
            const named = { customer, class: "input", day, week: Math.floor((day + 3) / 7) };
            const key = by.map((name) => String(named[name])).join();
            expected.set(key, (expected.get(key) ?? 0n) + pico);
          }
          const filters = of === null ? [] : [{ field, value: of, operator: "=" } as const];
          const { text, values } = reportSql({ by, sinceMs, untilMs, filters, limit: 1_000, zone });
          const told = (await rows(text, values)).filter(([isTotal]) => isTotal !== true);
          const sums = told.map((row) => [row.slice(4 + measureNames.length).join(), (row[5] as DuckDBDecimalValue).value] as const);
          expect(new Map(sums), `${timeZone}: ${by.join()} of ${of} from ${since} to ${until}`).toEqual(expected);
        }
      }
  }
  close();
}, 120_000);

/** Nine days, of which the fifth has no call; the costs tell every subset of a few calls from any other. */
async function openFilled(startMs: number) {
  const { rows, db, close } = await open();
  const calls = Array.from({ length: 500 }, (_, index) => ({
    atMs: startMs + Math.floor((index * 9 * dayMs) / 500) + ((index * 7_919) % 1_000),
    customer: `c${index % 3}`,
    pico: 1n + 1_000_003n * BigInt(index * index),
  })).filter(({ atMs }) => Math.floor((atMs - startMs) / dayMs) !== 4);
  const values = calls.map(
    ({ atMs, customer, pico }, index) =>
      `('i${index}', ${atMs}, ${Math.floor(atMs / hourMs)}, ${Math.floor(atMs / dayMs)}, '${customer}', 'p', ${formatUsd(pico)}, 1, 1, false, false, false, false, false,
        [{'class': 'input', quantity: 1, source: 'reported', model: 'm', price: 'v', 'cost': ${formatUsd(pico)}::DECIMAL(18,12), 'first': true, unpriced: false}])`,
  );
  await db.run(
    `INSERT INTO calls (id, startMs, hour, "day", customer, provider, "cost", inputTokens, outputTokens, unpriced, unmetered, doubtful, presumed, failed, lines)
      VALUES ${values.join(", ")}`,
    [],
  );
  await addSums(db, "true", []);
  return { rows, close, calls, startMs };
}

async function open() {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const rows = (text: string, values: readonly Value[] = []) => rowsOf(connection, text, values);
  for (const statement of schema) await connection.run(statement);
  const db: Transaction = { rows, run: (text) => connection.run(text).then(() => undefined) };
  return {
    rows,
    db,
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
