// What people write in a query: fields, times, filters, limits. Text in, typed values out; what is not understood is refused by name.
// Not here: HTTP, or what the store makes of it. Invariant: a query is never answered in part, or with something left out in silence.

import { dayMs, hourMs, minuteMs } from "../core/time.ts";
import { PennyworthError } from "../error.ts";
import { offsetsOf, toUtc, type ZoneOffset } from "../core/zone.ts";
import { nearest } from "../near.ts";
import { type Filter, type ReportField, reportFields, timeFields } from "../ledger/store.ts";

const fields: ReadonlySet<string> = new Set([...reportFields, "class", ...timeFields]);
const fieldsMax = 6;
const filtersMax = 20;
const valueLengthMax = 1_000;

/** The fields a report knows, for messages and documents. */
export const fieldNames = [...fields, "tag.NAME"];

/**
 * One field by its name.
 * @throws PennyworthError `query_invalid`, with the nearest known name.
 */
export function parseField(name: string): ReportField {
  if (fields.has(name)) return name as ReportField;
  if (/^tag\.[^\s]{1,100}$/.test(name)) return name as ReportField;
  const near = nearest(name, fieldNames);
  const said = near.length > 0 ? `near it: ${near.join(", ")}; ` : "";
  throw invalid(`no field is called ${quote(name)}; ${said}known: ${fieldNames.join(", ")}`);
}

export function isTimeField(field: ReportField): boolean {
  return (timeFields as readonly string[]).includes(field);
}

/**
 * A comma-separated list of fields; absent or empty: none.
 * @throws PennyworthError `query_invalid`.
 */
export function parseFields(text: string | undefined): ReportField[] {
  if (text === undefined || text.trim() === "") return [];
  const names = text.split(",").map((name) => name.trim());
  if (names.length > fieldsMax) throw invalid(`by takes at most ${fieldsMax} fields, not ${names.length}`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`by names ${quote(twice)} twice`);
  return names.map(parseField);
}

/**
 * Filters as `field=value` or `field!=value`. An empty value means what was not recorded: `customer=`.
 * @throws PennyworthError `query_invalid`.
 */
export function parseFilters(texts: string | readonly string[] | undefined): Filter[] {
  return parseFiltersOf(texts, parseField);
}

/** As `parseFilters`, of the fields that `parse` knows; it refuses the others. */
export function parseFiltersOf<Field>(
  texts: string | readonly string[] | undefined,
  parse: (name: string) => Field,
): { readonly field: Field; readonly value: string | null; readonly operator: "=" | "!=" }[] {
  const list = texts === undefined ? [] : typeof texts === "string" ? [texts] : texts;
  if (list.length > filtersMax) throw invalid(`at most ${filtersMax} filters are taken, not ${list.length}`);
  return list.map((text) => {
    const match = /^([^=!]+)(!?=)(.*)$/s.exec(text);
    const [, name, operator, value] = match ?? [];
    if (name === undefined || value === undefined) throw invalid(`filter ${quote(text)} is not field=value or field!=value`);
    if (value.length > valueLengthMax) throw invalid(`the value of filter ${quote(name)} is longer than ${valueLengthMax} characters`);
    return { field: parse(name.trim()), value: value === "" ? null : value, operator: operator === "!=" ? "!=" : "=" };
  });
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: minuteMs, h: hourMs, d: dayMs, w: 7 * dayMs };

/**
 * A zone's offsets by its IANA name; absent, or UTC: undefined.
 * @throws PennyworthError `query_invalid` when there is no such zone.
 */
export function parseZone(name: string | undefined, nowMs: number): readonly ZoneOffset[] | undefined {
  if (name === undefined || name === "UTC") return undefined;
  const offsets = offsetsOf(name, null, nowMs + 400 * (unitMs["d"] as number));
  if (offsets === null) throw invalid(`no time zone is called ${quote(name)}; one is Europe/Berlin`);
  return offsets;
}

/** The offsets that bear on a span. */
export function clipZone(zone: readonly ZoneOffset[] | undefined, sinceMs: number | null, untilMs: number | null) {
  if (zone === undefined) return undefined;
  const from =
    sinceMs === null
      ? 0
      : Math.max(
          0,
          zone.findLastIndex((one) => one.fromMs <= sinceMs),
        );
  return zone.slice(from).filter((one, index) => index === 0 || untilMs === null || one.fromMs < untilMs);
}

/**
 * A time in ms UTC: an ISO date (`2026-11-01`, midnight in the zone), an ISO time (`2026-11-01T12:00`, of the zone unless it says otherwise),
 * or how long before `nowMs` (`30m`, `24h`, `7d`, `2w`). Absent: null.
 * @throws PennyworthError `query_invalid`, with the parameter's name.
 */
export function parseTime(name: string, text: string | undefined, nowMs: number, offsets?: readonly ZoneOffset[]): number | null {
  if (text === undefined) return null;
  const ms = readTime(text, nowMs, offsets);
  if (ms !== null) return ms;
  throw invalid(`${name} is ${quote(text)}: expected a date (2026-11-01), a time (2026-11-01T12:00Z) or an age (30m, 24h, 7d)`);
}

/** As `parseTime`; null: it is no time. */
export function readTime(text: string, nowMs: number, offsets?: readonly ZoneOffset[]): number | null {
  const relative = /^(\d{1,6})([smhdw])$/.exec(text);
  if (relative !== null) return nowMs - Number(relative[1]) * (unitMs[relative[2] as string] as number);
  const iso = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(text);
  if (iso !== null) {
    const [, day = "", clock = "00:00", zone] = iso;
    const said = Date.parse(`${day}T${clock}${zone ?? "Z"}`);
    const ms = zone === undefined && offsets !== undefined && !Number.isNaN(said) ? toUtc(offsets, said) : said;
    // Date.parse takes 31 February for 3 March; a day that does not exist is a mistake.
    if (!Number.isNaN(ms) && new Date(Date.parse(`${day}T00:00Z`)).toISOString().startsWith(day)) return ms;
  }
  return null;
}

/**
 * The span from `since` to `until`, the end excluded. What began then ends now: what is charged for days to come is not in it,
 * unless its end is asked for.
 * @throws PennyworthError `query_invalid` when a time is not understood, or no time lies between the two.
 */
export function parseSpan(
  asked: { readonly since?: string | undefined; readonly until?: string | undefined },
  nowMs: number,
  zone?: readonly ZoneOffset[],
): { readonly sinceMs: number | null; readonly untilMs: number | null } {
  const sinceMs = parseTime("since", asked.since, nowMs, zone);
  const untilMs = parseTime("until", asked.until, nowMs, zone) ?? endOf(sinceMs, nowMs);
  if (sinceMs !== null && untilMs !== null && sinceMs >= untilMs)
    throw invalid(`since (${new Date(sinceMs).toISOString()}) is not before until (${new Date(untilMs).toISOString()})`);
  return { sinceMs, untilMs };
}

/**
 * As `parseSpan`, of what has been: a span in which nothing can have been used yet has no answer, which is another thing than nothing used.
 * @throws PennyworthError `query_invalid`, also where the span begins in the future.
 */
export function parsePast(...asked: Parameters<typeof parseSpan>): ReturnType<typeof parseSpan> {
  const [, nowMs] = asked;
  const span = parseSpan(...asked);
  refuseFuture("since", span.sinceMs, nowMs);
  return span;
}

/** @throws PennyworthError `query_invalid` where a span begins after now. */
export function refuseFuture(name: string, sinceMs: number | null, nowMs: number): void {
  if (sinceMs !== null && sinceMs > nowMs)
    throw invalid(`${name} begins in the future (${new Date(sinceMs).toISOString()}): nothing has been used there yet`);
}

function endOf(sinceMs: number | null, nowMs: number): number | null {
  return sinceMs === null ? null : Math.max(nowMs, sinceMs) + 1;
}

/**
 * A count of rows between 1 and `max`.
 * @throws PennyworthError `query_invalid`, naming the limit.
 */
export function parseLimit(text: string | undefined, usual: number, max: number): number {
  if (text === undefined) return Math.min(usual, max);
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit >= 1)) throw invalid(`limit is ${quote(text)}: expected a whole number from 1`);
  if (limit > max) throw invalid(`limit is ${limit}: at most ${max} rows are given at once`);
  return limit;
}

export function invalid(detail: string): PennyworthError {
  return new PennyworthError("query_invalid", { detail });
}

function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
