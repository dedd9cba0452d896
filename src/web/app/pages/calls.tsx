// Calls, newest first: as many as there are, of which only the rows in sight exist. The first page is alive; once one has scrolled on, the
// list stands still, so that nothing moves under the reader's eyes.

import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { type ApiError, ask, type CallsPage, type Report } from "../api.ts";
import { useAnswer } from "../data.ts";
import { isTyping } from "../keys.ts";
import { decimalsFor } from "../money.ts";
import { Filters } from "../parts/filters.tsx";
import { NoCalls } from "../parts/none.tsx";
import { Page } from "../parts/page.tsx";
import { CallHead, CallRow } from "../parts/rows.tsx";
import { Share, toLine } from "../parts/share.tsx";
import { SpanPicker } from "../parts/span.tsx";
import { Failed, Waiting } from "../parts/states.tsx";
import { Unreal } from "../parts/unreal.tsx";
import { markOf, Usd } from "../parts/usd.tsx";
import { toIso } from "../time.ts";
import { useView } from "../view.ts";
import { plural } from "../words.ts";

const pageRows = 100;
const rowHeight = 49;

export function Calls(): ReactNode {
  const { spanText, span, filters, change } = useView("24h", false);
  const query = { since: toIso(span.sinceMs), until: toIso(span.untilMs), filter: filters };
  const sums = useAnswer<Report>("report", query);
  const [isScrolled, setScrolled] = useState(false);
  const pages = useInfiniteQuery<CallsPage, ApiError, { pages: CallsPage[] }, unknown[], string | null>({
    queryKey: ["calls", "pages", query],
    queryFn: ({ pageParam, signal }) => ask<CallsPage>("calls", { ...query, limit: pageRows, cursor: pageParam }, signal),
    initialPageParam: null,
    getNextPageParam: (page) => page.cursor,
    meta: { live: !isScrolled },
  });
  const calls = useMemo(() => pages.data?.pages.flatMap((page) => page.calls) ?? [], [pages.data]);
  const decimals = useMemo(() => decimalsFor(calls.slice(0, 500).map((call) => call.cost)), [calls]);
  const total = sums.data?.total;

  return (
    <Page
      title="Calls"
      tools={
        <>
          <Share
            name="calls"
            line={toLine("report", [
              ["by", "call"],
              ["since", toIso(span.sinceMs)],
              ["until", toIso(span.untilMs)],
              ...filters.map((filter) => ["filter", filter] as const),
            ])}
            table={() => [
              [
                "call",
                "started",
                "provider",
                "model asked",
                "model",
                "status",
                "tokens in",
                "tokens out",
                "cost",
                "customer",
                "feature",
                "agent",
                "task",
              ],
              ...calls.map((call) => [
                call.id,
                new Date(call.startMs).toISOString(),
                call.provider,
                call.modelAsked ?? "",
                call.model ?? "",
                call.status,
                call.inputTokens,
                call.outputTokens,
                call.cost,
                call.attribution.customer ?? "",
                call.attribution.feature ?? "",
                call.attribution.agent ?? "",
                call.attribution.task ?? "",
              ]),
            ]}
          />
          <SpanPicker value={spanText} onChange={(next) => change({ span: next })} />
        </>
      }
    >
      <div className="stack" style={{ gap: 12 }}>
        <div className="row wrap">
          <Filters filters={filters} span={span} onChange={(next) => change({ filter: next.length === 0 ? undefined : next })} />
          {total === undefined ? null : (
            <p className="soft small end right" data-testid="total">
              {plural(total.calls, "call")} · <Usd value={total.cost} decimals={decimalsFor([total.cost])} mark={markOf(total)} />
              <Unreal query={query} />
            </p>
          )}
        </div>
        <div className="card">
          {pages.isError && calls.length === 0 ? (
            <Failed error={pages.error} onRetry={() => void pages.refetch()} />
          ) : pages.isPending ? (
            <Waiting label="Loading the calls" rows={12} />
          ) : calls.length === 0 ? (
            <NoCalls spanText={spanText} filters={filters} onAll={() => change({ filter: undefined, span: "all" })} />
          ) : (
            <List
              calls={calls}
              decimals={decimals}
              hasMore={pages.hasNextPage}
              isFetching={pages.isFetchingNextPage}
              onMore={() => void pages.fetchNextPage()}
              onScrolled={setScrolled}
            />
          )}
        </div>
      </div>
    </Page>
  );
}

function List({
  calls,
  decimals,
  hasMore,
  isFetching,
  onMore,
  onScrolled,
}: {
  readonly calls: readonly CallsPage["calls"][number][];
  readonly decimals: number;
  readonly hasMore: boolean;
  readonly isFetching: boolean;
  readonly onMore: () => void;
  readonly onScrolled: (isScrolled: boolean) => void;
}): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const [at, setAt] = useState(-1);
  const rows = useVirtualizer({ count: calls.length, getScrollElement: () => place.current, estimateSize: () => rowHeight, overscan: 12 });
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const isScrolled = (rows.scrollOffset ?? 0) > rowHeight;

  useEffect(() => onScrolled(isScrolled), [isScrolled, onScrolled]);
  useEffect(() => {
    if (hasMore && !isFetching && last >= calls.length - 30) onMore();
  }, [hasMore, isFetching, last, calls.length, onMore]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = { j: 1, k: -1 }[event.key];
      if (step !== undefined) {
        event.preventDefault();
        const next = Math.min(calls.length - 1, Math.max(0, at + step));
        setAt(next);
        rows.scrollToIndex(next, { align: "auto" });
      } else if (event.key === "Enter" && at >= 0 && !(event.target as HTMLElement).closest("a, button")) {
        const call = calls[at];
        if (call !== undefined) void navigate({ to: "/calls/$id", params: { id: call.id } });
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [at, calls, navigate, rows]);

  const before = items[0]?.start ?? 0;
  const after = Math.max(0, rows.getTotalSize() - (items.at(-1)?.end ?? 0));
  return (
    <div ref={place} className="scroll tall" tabIndex={0} role="region" aria-label="Calls, newest first">
      <table className="list calls timed sticky" aria-rowcount={hasMore ? -1 : calls.length}>
        <CallHead />
        <tbody>
          {before === 0 ? null : (
            <tr aria-hidden="true">
              <td colSpan={3} style={{ height: before, padding: 0 }} />
            </tr>
          )}
          {items.map(({ index }) => {
            const call = calls[index];
            return call === undefined ? null : <CallRow key={call.id} call={call} decimals={decimals} isAt={index === at} />;
          })}
          {after === 0 ? null : (
            <tr aria-hidden="true">
              <td colSpan={3} style={{ height: after, padding: 0 }} />
            </tr>
          )}
        </tbody>
      </table>
      {isFetching ? (
        <p className="soft small" style={{ padding: 12 }}>
          Loading earlier calls …
        </p>
      ) : null}
    </div>
  );
}
