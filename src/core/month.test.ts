// Which texts name a month of the books. Not here: what closing one means (ledger/closing.suite.ts).

import { expect, it } from "vitest";
import { isMonth, monthSpan } from "./month.ts";

it.each(["2000-01", "2026-10", "2026-12"])("%s is a month", (text) => {
  expect(isMonth(text)).toBe(true);
  expect(new Date(monthSpan(text).fromMs).toISOString()).toBe(`${text}-01T00:00:00.000Z`);
});

it.each(["0026-10", "0099-01", "1999-12", "2026-00", "2026-13", "2026-1", "2026-10-01", " 2026-10", ""])("%j is none", (text) => {
  expect(isMonth(text)).toBe(false);
});
