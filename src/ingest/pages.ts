// Pages of an API's answer: `data` is a list of time buckets, `has_more` says whether another page follows. OpenAI's and Anthropic's usage and cost APIs
// answer alike. Invariant: a series of pages without its last one is refused, since what it lacks would look like a gap; one that is there twice, too.

import { failAt } from "./fail.ts";
import { isObject, type Json, type JsonObject, objectsOf, textOf } from "./json.ts";
import { parseWhen } from "./values.ts";

export interface Bucket {
  readonly fromMs: number;
  readonly toMs: number;
  readonly results: readonly { readonly result: JsonObject; readonly place: string }[];
}

/** Whether a page has time buckets, one of which has a result as wanted, or all of which are empty and their times are named so. */
export function isPaged(pages: readonly Json[], startKey: string, isResult: (result: JsonObject) => boolean): boolean {
  const buckets = pages.filter(isObject).flatMap(({ data }) => (Array.isArray(data) ? data : []) as readonly Json[]);
  const mine = buckets.filter(isObject).filter((bucket) => bucket[startKey] !== undefined);
  const results = mine.flatMap(({ results: list }) => (Array.isArray(list) ? list : []) as readonly Json[]).filter(isObject);
  return mine.length > 0 && mine.length === buckets.length && results.every(isResult);
}

/** @throws Fault. */
export function bucketsOf(pages: readonly Json[], startKey: string, endKey: string): Bucket[] {
  const said = new Map<string, { readonly page: number; readonly place: string }>();
  const read = pages.map((page, number): Page => {
    const before = pages.length === 1 ? "" : `page ${number + 1}, `;
    if (!isObject(page)) throw failAt(`page ${number + 1}`, "it is no object");
    const buckets = objectsOf(page["data"], `${before}data`).map((bucket, index) => {
      const place = `${before}data[${index}]`;
      const time = (key: string): number => {
        const text = textOf(bucket, key);
        if (text === null) throw failAt(place, `${key} is missing`);
        return parseWhen(text, place, key);
      };
      const results = objectsOf(bucket["results"] ?? bucket["result"], `${place}.results`);
      const [fromMs, toMs] = [time(startKey), time(endKey)];
      for (const [at, result] of results.entries()) {
        const line = JSON.stringify([fromMs, toMs, result]);
        const here = `${place}.results[${at}]`;
        const other = said.get(line);
        if (other !== undefined)
          throw failAt(here, `${other.page === number ? other.place : `page ${other.page + 1}`} says the same: it would be counted twice`);
        said.set(line, { page: number, place: here });
      }
      return {
        fromMs,
        toMs,
        results: results.map((result, at) => ({ result, place: `${place}.results[${at}]` })),
      };
    });
    return { place: `${before}has_more`, hasMore: textOf(page, "has_more") === "true", buckets };
  });
  requireNext(read);
  return read.flatMap(({ buckets }) => buckets);
}

interface Page {
  readonly place: string;
  readonly hasMore: boolean;
  readonly buckets: readonly Bucket[];
}

/**
 * Buckets follow one another without a hole, also those in which nothing was used, so that the page that follows begins where this one ends. As many
 * must begin there as say so: they may be of several series, and the last page of one does not stand for that of another.
 * @throws Fault.
 */
function requireNext(pages: readonly Page[]): void {
  const starts = new Map<number, number>();
  for (const { buckets } of pages) {
    const fromMs = Math.min(...buckets.map((bucket) => bucket.fromMs));
    starts.set(fromMs, (starts.get(fromMs) ?? 0) + 1);
  }
  for (const { place, hasMore, buckets } of pages) {
    if (!hasMore) continue;
    const toMs = Math.max(...buckets.map((bucket) => bucket.toMs));
    const left = starts.get(toMs) ?? 0;
    const when = buckets.length === 0 ? "" : `, from ${new Date(toMs).toISOString().slice(0, 16)} UTC on`;
    if (left === 0)
      throw failAt(place, `the page says that another one follows${when}, and it is not here: ask on with next_page, and give all pages`);
    starts.set(toMs, left - 1);
  }
}
