// What the heaviest pages ask the API, by their addresses: the router asks it before a page is drawn, which takes as long as the answer.
// Not here: who asks (data.ts). Invariant: page and router have one and the same question, or it would be asked twice.

import type { Query } from "./api.ts";
import { isAdditive, isMeasure, type Measure } from "./fields.ts";
import { many, one, type Search } from "./search.ts";
import { type Bucket, fits, isBucket, pickBucket } from "./series.ts";
import { addDays, parseSpan, type Span, startOfDay, toIso, zone } from "./time.ts";

/** Days of the overview's chart. */
export const overviewDays = 30;

export function overviewSinceMs(): number {
  return addDays(startOfDay(Date.now()), 1 - overviewDays);
}

/** The overview's chart. */
export function askDays(sinceMs: number): Query {
  return { by: "day,model", since: toIso(sinceMs), zone, top: 5, limit: 10_000 };
}

/** Most groups in the table, and in the chart. */
const groupsMax = 200;
const top = 7;
const fieldsMax = 2;
/** Most rows of any answer. */
export const rowsMax = 10_000;
/** What Explore is about where its address does not say. */
export const exploreSpan = "7d";

export interface ExploreAsks {
  readonly fields: readonly string[];
  readonly measure: Measure;
  readonly bucket: Bucket;
  /** Which calls. */
  readonly asked: Query;
  /** What else is asked of them. */
  readonly extra: Query;
  readonly groups: Query;
  readonly overTime: Query;
}

export function askExplore(search: Search, span: Span, nowMs: number): ExploreAsks {
  const by = one(search["by"]) ?? "model";
  const fields = by === "none" ? [] : by.split(",").slice(0, fieldsMax);
  const wanted = one(search["bucket"]);
  const bucket = isBucket(wanted) && fits(wanted, span, nowMs) ? wanted : pickBucket(span, nowMs);
  const named = one(search["measure"]);
  const measure = isMeasure(named) ? named : "cost";
  const asked: Query = { since: toIso(span.sinceMs), until: toIso(span.untilMs), filter: many(search["filter"]), zone };
  const extra: Query = isAdditive(measure) ? {} : { latency: "true" };
  return {
    fields,
    measure,
    bucket,
    asked,
    extra,
    groups: { ...asked, ...extra, by: fields.join(","), limit: groupsMax },
    overTime: { ...asked, ...extra, by: [bucket, ...fields].join(","), top: fields.length === 0 ? undefined : top, limit: rowsMax },
  };
}

/** The same, for an address that is only on its way to the page. */
export function foreseeExplore(search: Search): readonly Query[] {
  const nowMs = Date.now();
  const { groups, overTime } = askExplore(search, parseSpan(one(search["span"]) ?? exploreSpan, nowMs), nowMs);
  return [groups, overTime];
}
