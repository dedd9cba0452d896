// Any measure by any recorded field over time: filters that combine, a chart, the groups behind it, and from each sum the calls it is made
// of. Every view is an address. Invariant: the table, the chart and what is taken along are one and the same answer of the API.

import { SegmentedControl, Select, Switch, useComputedColorScheme } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { memo, type ReactNode, useCallback, useMemo, useRef } from "react";
import type { Query, Report, Row } from "../api.ts";
import { askExplore, type ExploreAsks, exploreSpan, rowsMax } from "../asks.ts";
import { useAnswer } from "../data.ts";
import { isAdditive, type Measure, measures, nameFields } from "../fields.ts";
import { Chart, type ChartKind } from "../parts/chart.tsx";
import { FieldSelect, Filters } from "../parts/filters.tsx";
import { NoCalls } from "../parts/none.tsx";
import { Page } from "../parts/page.tsx";
import { Share, toLine } from "../parts/share.tsx";
import { SpanPicker } from "../parts/span.tsx";
import { Failed, Waiting } from "../parts/states.tsx";
import { Unreal } from "../parts/unreal.tsx";
import { Exact, markOf } from "../parts/usd.tsx";
import { one } from "../search.ts";
import { type Bucket, buckets, fits, formatMeasure, isBucket, next, type Series, toSeries } from "../series.ts";
import { describeSpan, toIso, zone } from "../time.ts";
import { useView, type View } from "../view.ts";
import { plural } from "../words.ts";
import { Groups } from "./groups.tsx";

export function Explore(): ReactNode {
  const { search, spanText, span, nowMs, filters, change } = useView(exploreSpan);
  const navigate = useNavigate();
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const {
    fields,
    measure,
    bucket,
    asked,
    extra,
    groups: asksGroups,
    overTime: asksOverTime,
  } = useMemo(() => askExplore(search, span, nowMs), [search, span, nowMs]);
  const kind: ChartKind = one(search["kind"]) === "line" || !isAdditive(measure) ? "line" : "stack";
  const isCompared = one(search["compare"]) === "before" && span.sinceMs !== null;

  const lengthMs = span.sinceMs === null ? 0 : (span.untilMs ?? nowMs) - span.sinceMs;
  const askedBefore: Query = { ...asked, since: toIso((span.sinceMs ?? 0) - lengthMs), until: toIso(span.sinceMs ?? 0) };
  const groups = useAnswer<Report>("report", asksGroups);
  const overTime = useAnswer<Report>("report", asksOverTime);
  const groupsBefore = useAnswer<Report>("report", { ...asksGroups, ...askedBefore }, { enabled: isCompared });
  const overBefore = useAnswer<Report>("report", { ...askedBefore, ...extra, by: bucket, limit: rowsMax }, { enabled: isCompared });

  // What was drawn stays until the answer to what is asked now is there: drawn by the new question, the old answer would be of neither.
  const drawn = useRef<Series | null>(null);
  const isOld = overTime.isPlaceholderData;
  const series = useMemo(() => {
    if (isOld && drawn.current !== null) return drawn.current;
    return overTime.data === undefined ? null : toSeries(overTime.data, { bucket, fields, measure, span, nowMs });
  }, [isOld, overTime.data, bucket, fields, measure, span, nowMs]);
  drawn.current = series;
  const before = useMemo(() => {
    if (!isCompared || overBefore.data === undefined || span.sinceMs === null) return undefined;
    const shifted = { sinceMs: span.sinceMs - lengthMs, untilMs: span.sinceMs };
    return toSeries(overBefore.data, { bucket, fields: [], measure, span: shifted, nowMs }).lines[0];
  }, [isCompared, overBefore.data, bucket, measure, span, lengthMs, nowMs]);
  const picture = useRef<(() => string) | null>(null);
  const onReady = useCallback((made: () => string) => {
    picture.current = made;
  }, []);

  const total = groups.data?.total;
  const byWords = fields.length === 0 ? "" : ` by ${nameFields(fields).toLowerCase()}`;
  const line = toLine("report", [
    ["by", [bucket, ...fields].join(",")],
    ["since", toIso(span.sinceMs)],
    ["until", toIso(span.untilMs)],
    ["zone", bucket === "minute" || bucket === "hour" ? undefined : zone],
    ...filters.map((filter) => ["filter", filter] as const),
    ["limit", String(rowsMax)],
  ]);
  const drill = (extra: readonly string[], span = spanText): void => {
    void navigate({ to: "/calls", search: { span, filter: [...filters.filter((text) => !text.startsWith("class")), ...extra] } });
  };
  // What a row of the table leads to is asked when it is clicked: the table is not drawn anew for it.
  const acts = useRef({ filters, change, drill });
  acts.current = { filters, change, drill };
  const onFilter = useCallback((list: readonly string[]) => {
    acts.current.change({ filter: [...new Set([...acts.current.filters, ...list])] });
  }, []);
  const onFilters = useCallback((list: readonly string[]) => acts.current.change({ filter: list.length === 0 ? undefined : list }), []);
  const onCalls = useCallback((list: readonly string[]) => acts.current.drill(list), []);
  const onTask = useCallback((id: string) => void navigate({ to: "/tasks/$id", params: { id } }), [navigate]);

  return (
    <Page
      title="Explore"
      tools={
        <>
          <Share
            name={`pennyworth-${measure}-by-${[bucket, ...fields].join("-")}`}
            line={line}
            picture={() => picture.current?.() ?? ""}
            tables={[
              [
                "Save the chart as CSV",
                "",
                () => toTable(overTime.data, [bucket, ...fields], extra, isCompared ? overBefore.data : undefined),
              ],
              ...(fields.length === 0
                ? []
                : ([
                    [
                      "Save the table as CSV",
                      "-in-all",
                      () => toTable(groups.data, fields, extra, isCompared ? groupsBefore.data : undefined),
                    ],
                  ] as const)),
            ]}
          />
          <SpanPicker value={spanText} onChange={(span) => change({ span, bucket: undefined })} />
        </>
      }
    >
      <div className="stack" style={{ gap: 12 }}>
        <Controls
          fields={fields}
          measure={measure}
          bucket={bucket}
          kind={kind}
          isCompared={isCompared}
          span={span}
          nowMs={nowMs}
          change={change}
        />
        <Filters filters={filters} span={span} onChange={onFilters} />
        <section className="card" aria-labelledby="chart">
          <div className="title">
            <h2 id="chart">
              {measures[measure]}
              {byWords}
            </h2>
            <p className="soft small">
              {describeSpan(spanText)} · {zone}
            </p>
            {total === undefined || groups.data?.rows.length === 0 ? null : (
              <div className="tools">
                {measure === "cost" ? <Unreal query={asked} /> : null}
                <strong data-testid="total">
                  <Headline measure={measure} total={total} />
                </strong>
                <Link
                  to="/calls"
                  search={{ span: spanText, filter: filters.filter((text) => !text.startsWith("class")) }}
                  className="small"
                >
                  {plural(total.calls, "call")}
                </Link>
                {total.periodCost === "0" && total.periodUnpriced === 0 ? null : (
                  <Link to="/work" search={{ span: spanText }} className="small">
                    and charges of periods
                  </Link>
                )}
              </div>
            )}
          </div>
          <div className="body drawn">
            {overTime.isError && series === null ? (
              <Failed error={overTime.error} onRetry={() => void overTime.refetch()} />
            ) : series === null ? (
              <Waiting label="Loading the chart" rows={8} />
            ) : series.lines.length === 0 ? (
              <NoCalls spanText={spanText} filters={filters} onAll={() => change({ filter: undefined, span: "all", bucket: undefined })} />
            ) : (
              <Chart
                series={series}
                measure={measure}
                kind={kind}
                height={320}
                label={`${measures[measure]}${byWords} per ${bucket}, ${describeSpan(spanText)}`}
                before={before?.heights}
                beforeTexts={before?.texts}
                onPick={(atMs) => drill([], `${toIso(atMs)}..${toIso(next(series.bucket, atMs))}`)}
                onReady={onReady}
              />
            )}
          </div>
        </section>
        {groups.data === undefined || groups.data.by.length === 0 || groups.data.rows.length === 0 ? null : (
          <Groups
            report={groups.data}
            before={isCompared ? groupsBefore.data : undefined}
            fields={groups.data.by}
            measure={measure}
            scheme={scheme}
            series={series}
            onFilter={onFilter}
            onCalls={onCalls}
            onTask={onTask}
          />
        )}
      </div>
    </Page>
  );
}

/** What is asked for. Drawn anew when that changes, not with each answer: its menus take longer than all else of the page. */
const Controls = memo(function Controls({
  fields,
  measure,
  bucket,
  kind,
  isCompared,
  span,
  nowMs,
  change,
}: Pick<ExploreAsks, "fields" | "measure" | "bucket"> &
  Pick<View, "span" | "nowMs" | "change"> & { readonly kind: ChartKind; readonly isCompared: boolean }): ReactNode {
  const [first = "none", second = "none"] = fields;
  return (
    <div className="row wrap controls">
      <Select
        size="xs"
        w={{ base: 164, sm: 200 }}
        aria-label="Measure"
        value={measure}
        onChange={(value) => change({ measure: value === "cost" ? undefined : (value ?? undefined) })}
        data={Object.entries(measures).map(([value, label]) => ({ value, label }))}
        allowDeselect={false}
      />
      <span className="soft small">by</span>
      <FieldSelect
        label="Group by"
        hideLabel
        width={164}
        value={first}
        onChange={(field) => change({ by: field === "none" || field === second ? field : [field, ...fields.slice(1)].join(",") })}
        extra={[{ value: "none", label: "Nothing, all calls" }]}
      />
      {fields.length === 0 ? null : (
        <>
          <span className="soft small">and</span>
          <FieldSelect
            label="And by"
            hideLabel
            width={164}
            value={second}
            without={[first]}
            onChange={(field) => change({ by: field === "none" ? first : `${first},${field}` })}
            extra={[{ value: "none", label: "Nothing more" }]}
          />
        </>
      )}
      <span className="soft small">per</span>
      <Select
        size="xs"
        w={110}
        aria-label="Per"
        value={bucket}
        onChange={(value) => change({ bucket: value ?? undefined })}
        data={Object.entries(buckets)
          .filter(([value]) => fits(value as Bucket, span, nowMs))
          .map(([value, label]) => ({ value, label }))}
        allowDeselect={false}
      />
      {isAdditive(measure) ? (
        <SegmentedControl
          size="xs"
          aria-label="Kind of chart"
          value={kind}
          onChange={(value) => change({ kind: value === "line" ? "line" : undefined })}
          data={[
            { value: "stack", label: "Stacked" },
            { value: "line", label: "Lines" },
          ]}
        />
      ) : null}
      {span.sinceMs === null ? null : (
        <Switch
          size="xs"
          label="Against before"
          checked={isCompared}
          onChange={(event) => change({ compare: event.currentTarget.checked ? "before" : undefined })}
        />
      )}
    </div>
  );
});

function Headline({ measure, total }: { readonly measure: Measure; readonly total: Report["total"] }): ReactNode {
  if (measure === "cost") return <Exact value={total.cost} mark={markOf(total)} />;
  return formatMeasure(measure, total);
}

const sumNames = ["calls", "cost", "inputTokens", "outputTokens", "unpriced", "unmetered", "doubtful", "presumed", "failed"] as const;
const latencyNames = ["durationMsP50", "durationMsP95", "firstTokenMsP50", "firstTokenMsP95"] as const;

/** An answer as it is shown, with its total; what it is compared with follows, marked as such in a column of its own. */
function toTable(report: Report | undefined, fields: readonly string[], extra: Query, before: Report | undefined): (string | number)[][] {
  if (report === undefined) return [];
  const latencies = extra["latency"] === undefined ? [] : latencyNames;
  const isCompared = before !== undefined;
  const write = (row: Row, group: readonly string[], span: "now" | "before"): (string | number)[] => [
    ...(isCompared ? [span] : []),
    ...group,
    ...sumNames.map((name) => row[name]),
    ...latencies.map((name) => row.latency?.[name] ?? ""),
  ];
  const groupOf = (row: Row): string[] =>
    fields.map((field) => row.group[field] ?? (row.rest === true && !isBucket(field) ? "all others" : ""));
  const totalOf = fields.map((_, index) => (index === 0 ? "total" : ""));
  const writeAll = ({ rows, total }: Report, span: "now" | "before"): (string | number)[][] => [
    ...rows.map((row) => write(row, groupOf(row), span)),
    write(total, totalOf, span),
  ];
  return [
    [...(isCompared ? ["span"] : []), ...fields, ...sumNames, ...latencies],
    ...writeAll(report, "now"),
    ...(before === undefined ? [] : writeAll(before, "before")),
  ];
}
