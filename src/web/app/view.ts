// What a page is about, kept in its address: a span and filters, and what a page adds to them.

import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { many, one, type Search } from "./search.ts";
import { parseSpan, type Span } from "./time.ts";

export interface View {
  readonly search: Search;
  /** As the address has it. */
  readonly spanText: string;
  readonly span: Span;
  readonly filters: readonly string[];
  /** Changes the address; a name with `undefined` leaves it. */
  readonly change: (changed: Readonly<Record<string, string | readonly string[] | undefined>>) => void;
}

/** `nowMs` in a span stands still while the view does, so that one question stays one question. */
export function useView(usual: string): View {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const spanText = one(search["span"]) ?? usual;
  const filters = many(search["filter"]);
  const text = filters.join("\n");
  return useMemo(
    () => ({
      search,
      spanText,
      span: parseSpan(spanText, Date.now()),
      filters: text === "" ? [] : text.split("\n"),
      change: (changed) => void navigate({ to: ".", search: { ...search, ...changed } as never }),
    }),
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- a filter's text is its identity
    [search, spanText, text, navigate],
  );
}
