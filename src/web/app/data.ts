// Questions of the pages to the API, kept and refreshed: what is shown follows the ledger while the page is looked at.
// Not here: how the API is asked (api.ts). Invariant: a question is asked again only when the store has moved on, and not every time.

import { keepPreviousData, QueryCache, QueryClient, useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { ApiError, ask, type Place, type Query, send, type Session, type Status } from "./api.ts";
import { prefer, usePreferences } from "./preferences.ts";

/** How often the store is asked how far it is, ms; and how often at most all that is shown is asked anew. */
const pulseMs = 2_000;
const statusMs = 10_000;
const refreshMsMin = 4_000;
/** What failed for a reason that passes is asked again so often. */
const healMs = 5_000;

/** A session ends by itself: whoever is told so first tells the frame, and the frame shows the sign-in. */
const cache = new QueryCache({
  onError: (error, { queryKey }) => {
    if (!(error instanceof ApiError) || error.status !== 401) return;
    if (queryKey[0] === "session") prefer({ known: false });
    else void client.invalidateQueries({ queryKey: ["session"] });
  },
});

export const client: QueryClient = new QueryClient({
  queryCache: cache,
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (failures, error) => failures < 2 && isPassing(error),
      retryDelay: 800,
      refetchInterval: ({ state }) => isPassing(state.error) && healMs,
      refetchOnWindowFocus: false,
    },
  },
});

/** The server was not reached, or could not answer: the same question may do a moment later. */
function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 500);
}

interface Asking {
  /** It is asked again when the store has moved on. */
  readonly live?: boolean;
  readonly enabled?: boolean;
  /** For so long no page asks it again. */
  readonly staleMs?: number;
  /** It is asked again so often too, unless the reader has paused: it changes without the store. */
  readonly everyMs?: number;
}

/** An answer of the API. */
export function useAnswer<Answer>(
  path: string,
  query: Query = {},
  { live = true, enabled = true, staleMs, everyMs }: Asking = {},
): UseQueryResult<Answer, ApiError> {
  const { paused } = usePreferences();
  return useQuery<Answer, ApiError>({
    queryKey: [path, query],
    queryFn: ({ signal }) => ask<Answer>(path, query, signal),
    placeholderData: keepPreviousData,
    enabled,
    meta: { live },
    ...(staleMs === undefined ? {} : { staleTime: staleMs }),
    ...(everyMs === undefined || paused ? {} : { refetchInterval: ({ state }) => (isPassing(state.error) ? healMs : everyMs) }),
  });
}

/** The answer to a question that is too long for an address, and changes nothing. */
export function usePosted<Answer>(
  path: string,
  question: unknown,
  { live = false, enabled = true }: Asking = {},
): UseQueryResult<Answer, ApiError> {
  return useQuery<Answer, ApiError>({
    queryKey: [path, question],
    queryFn: ({ signal }) => send<Answer>("POST", path, question, signal),
    placeholderData: keepPreviousData,
    enabled,
    meta: { live },
  });
}

/** Asks what a page will show, before it is drawn: that takes about as long as the answer. For nobody who is not signed in. */
export function foresee(path: string, query: Query = {}): void {
  if (client.getQueryData(["session"]) === undefined) return;
  void client.prefetchQuery({ queryKey: [path, query], queryFn: ({ signal }) => ask(path, query, signal), meta: { live: true } });
}

/** Who is signed in. Where nobody ever did, the server is not asked. */
export function useSession(): UseQueryResult<Session, ApiError> {
  const { known } = usePreferences();
  return useQuery<Session, ApiError>({
    enabled: known,
    queryKey: ["session"],
    queryFn: ({ signal }) => ask<Session>("session", {}, signal),
    staleTime: 60_000,
    retry: (failures, error) => failures < 2 && error.status === 0,
  });
}

export function useStatus(): UseQueryResult<Status, ApiError> {
  const { paused } = usePreferences();
  return useQuery<Status, ApiError>({
    queryKey: ["status"],
    queryFn: ({ signal }) => ask<Status>("status", {}, signal),
    refetchInterval: paused ? false : statusMs,
    retry: false,
  });
}

/** How far the store is, for those who show it. */
export function usePosition(): UseQueryResult<Place, ApiError> {
  const { paused } = usePreferences();
  return useQuery<Place, ApiError>({
    queryKey: ["position"],
    queryFn: ({ signal }) => ask<Place>("position", {}, signal),
    refetchInterval: paused ? false : pulseMs,
    retry: false,
  });
}

/** Asks the live questions anew when the store's position has changed. Once, in the frame around the pages. */
export function usePulse(): void {
  const { data, dataUpdatedAt } = usePosition();
  const queries = useQueryClient();
  const seen = useRef<string | null>(null);
  const askedMs = useRef(0);
  const position = data?.position;
  const place = position === undefined || position === null ? null : `${position.segment}:${position.offset}`;
  useEffect(() => {
    if (place === null || dataUpdatedAt - askedMs.current < refreshMsMin) return;
    if (seen.current !== null && seen.current !== place) {
      askedMs.current = dataUpdatedAt;
      void queries.invalidateQueries({ predicate: (query) => query.meta?.["live"] === true && query.state.fetchStatus === "idle" });
    }
    seen.current = place;
  }, [place, dataUpdatedAt, queries]);
}
