// Offsets against dates that are on record elsewhere: when clocks were changed, and zones that are no whole hours from UTC.

import { describe, expect, it } from "vitest";
import { offsetAt, offsetsOf, toUtc } from "./zone.ts";

const hourMs = 3_600_000;

const of = (since: string, until: string): number => offsetsOf("Europe/Berlin", Date.parse(since), Date.parse(until))!.length;

describe("offsets of a zone", () => {
  it.each([
    // The EU's change: last Sundays of March and October at 01:00 UTC (Directive 2000/84/EC).
    ["Europe/Berlin", "2026-03-29T00:59Z", 1],
    ["Europe/Berlin", "2026-03-29T01:00Z", 2],
    ["Europe/Berlin", "2026-10-25T00:59Z", 2],
    ["Europe/Berlin", "2026-10-25T01:00Z", 1],
    // The US's: second Sunday of March, first of November, at 02:00 local time.
    ["America/New_York", "2026-03-08T06:59Z", -5],
    ["America/New_York", "2026-03-08T07:00Z", -4],
    ["America/New_York", "2026-11-01T05:59Z", -4],
    ["America/New_York", "2026-11-01T06:00Z", -5],
    ["Asia/Kolkata", "2026-06-01T00:00Z", 5.5],
    ["Asia/Kathmandu", "2026-06-01T00:00Z", 5.75],
    ["UTC", "2026-06-01T00:00Z", 0],
    ["Pacific/Kiritimati", "2026-06-01T00:00Z", 14],
  ])("%s at %s is %d hours from UTC", (zone, at, hours) => {
    expect(offsetAt(offsetsOf(zone, null, null)!, Date.parse(at)) / hourMs).toBe(hours);
  });

  it("are only those of the span, and at least one", () => {
    expect(of("2026-11-01", "2026-11-30")).toBe(1);
    expect(of("2026-01-01", "2026-12-31")).toBe(3);
    expect(of("2010-01-01", "2010-02-01")).toBe(1);
    expect(of("2090-01-01", "2090-02-01")).toBe(1);
  });

  it("of a zone that nobody knows are null", () => {
    expect(offsetsOf("Europe/Atlantis", null, null)).toBeNull();
    expect(offsetsOf("", null, null)).toBeNull();
  });
});

describe("local midnight", () => {
  it.each([
    ["Europe/Berlin", "2026-03-29", "2026-03-28T23:00Z"],
    ["Europe/Berlin", "2026-03-30", "2026-03-29T22:00Z"],
    ["Europe/Berlin", "2026-10-25", "2026-10-24T22:00Z"],
    ["Europe/Berlin", "2026-10-26", "2026-10-25T23:00Z"],
    ["America/New_York", "2026-11-01", "2026-11-01T04:00Z"],
    ["America/New_York", "2026-11-02", "2026-11-02T05:00Z"],
    ["Asia/Kolkata", "2026-11-02", "2026-11-01T18:30Z"],
    ["Pacific/Auckland", "2026-01-01", "2025-12-31T11:00Z"],
  ])("in %s, %s begins at %s", (zone, day, at) => {
    expect(new Date(toUtc(offsetsOf(zone, null, null)!, Date.parse(day))).toISOString()).toBe(new Date(Date.parse(at)).toISOString());
  });
});
