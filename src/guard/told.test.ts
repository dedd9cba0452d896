import { expect, it } from "vitest";
import { usualTerms } from "../core/budget.ts";
import { GuardBook } from "../core/guard.ts";
import { toAlertStandings } from "./told.ts";

const nowMs = Date.parse("2026-11-22T10:24:30Z");
const day = 86_400_000;

it("says of a rolling budget that its window is as long as it is, however young", () => {
  const book = new GuardBook();
  const terms = { ...usualTerms, owner: "ada", scope: {}, limit: 100n, alerts: [80] };
  book.define({ ...terms, id: "rolls", period: { kind: "rolling", bucketMs: day / 60, buckets: 60 } }, nowMs);
  book.define({ ...terms, id: "daily", period: { kind: "calendar", unit: "day", zone: "UTC" } }, nowMs);
  const [daily, rolls] = [...toAlertStandings(book, nowMs)].toSorted((a, b) => (a.budget < b.budget ? -1 : 1));
  expect(rolls).toMatchObject({ fromMs: nowMs - day, toMs: nowMs, rolling: true });
  expect(daily).toMatchObject({ fromMs: Date.parse("2026-11-22T00:00:00Z"), toMs: Date.parse("2026-11-23T00:00:00Z"), rolling: false });
});
