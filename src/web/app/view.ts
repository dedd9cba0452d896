// What a page is about, kept in its address: a span and filters, and what a page adds to them.

import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { preferences } from "./preferences.ts";
import { many, one, type Search } from "./search.ts";
import { hourMs, minuteMs, parseSpan, type Span } from "./time.ts";

export interface View {
  readonly search: Search;
  /** As the address has it. */
  readonly spanText: string;
  readonly span: Span;
  /** When the span was reckoned. */
  readonly nowMs: number;
  readonly filters: readonly string[];
  /** Changes the address; a name with `undefined` leaves it. */
  readonly change: (changed: Readonly<Record<string, string | readonly string[] | undefined>>) => void;
}

/** How often a span that ends now moves on, ms: one of days need not move every minute. */
function pace(spanText: string): number {
  return /^(\d+h|today|[1-4]d)$/.test(spanText) ? minuteMs : hourMs;
}

/** @param moves a span that ends now moves on with the clock; else it stands still as long as the view does, and rows with it. */
export function useView(usual: string, moves = true): View {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const spanText = one(search["span"]) ?? usual;
  const filters = many(search["filter"]);
  const text = filters.join("\n");
  const length = pace(spanText);
  const [tick, setTick] = useState(0);
  useEffect(() => {
    if (!moves) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden && !preferences().paused) setTick(Math.floor(Date.now() / length));
    }, 20_000);
    return () => clearInterval(timer);
  }, [moves, length]);
  return useMemo(
    () => ({
      search,
      spanText,
      nowMs: Date.now(),
      span: parseSpan(spanText, Date.now()),
      filters: text === "" ? [] : text.split("\n"),
      change: (changed) => void navigate({ to: ".", search: { ...search, ...changed } as never }),
    }),
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- a filter's text is its identity, and the clock moves a span on
    [search, spanText, text, navigate, tick],
  );
}
