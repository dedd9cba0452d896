// A chart over time, as lines here and as bars in stack.tsx: drawn on a canvas, read with the pointer or the arrow keys, and said in words for those who do not see it.
// Invariant: what is read from it are the exact texts, never the heights that were drawn.

import { useComputedColorScheme } from "@mantine/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { formatAxis, labelBucket, shorten } from "../series.ts";
import { decimalsFor } from "../money.ts";
import { hourMs } from "../time.ts";
import { colorOf, readLook, useCanvas } from "./canvas.ts";
import { type Placed, placeNames } from "./labels.ts";
import { type Caption, toPicture } from "./picture.ts";
import { type ChartProps, Stack } from "./stack.tsx";
import { BeforeLegend, beforeName, Tip } from "./tip.tsx";

export type ChartKind = "stack" | "line";

/** A name at a line's end has so much room, pixels. */
const nameWidth = 132;
/** Below this a chart has no room for names at its lines' ends. */
const namedWidthMin = 560;

export function Chart({ kind, ...props }: ChartProps & { readonly kind: ChartKind }): ReactNode {
  return kind === "stack" ? <Stack {...props} /> : <Lines {...props} />;
}

function Lines({ series, measure, label, height = 280, fills = false, before, beforeTexts, onPick, onReady }: ChartProps): ReactNode {
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const { times, lines, bucket, totals } = series;
  const [namesLeft, setNamesLeft] = useState(0);
  const [names, setNames] = useState<readonly Placed[]>([]);
  const { place, chart, width, at, reading } = useCanvas(
    times.length,
    (made, x, y) => {
      const index = made.containPixel("grid", [x, y]) ? made.convertFromPixel({ xAxisIndex: 0 }, x) : null;
      return typeof index === "number" && index >= 0 && index < times.length ? Math.round(index) : null;
    },
    (index) => times[index] !== undefined && onPick?.(times[index]),
  );
  const said = useRef(label);
  said.current = label;

  useEffect(() => {
    const made = chart.current;
    if (made === null || width === 0) return;
    const { color, text } = readLook();
    const isLong = (times.at(-1) ?? 0) - (times[0] ?? 0) > 26 * hourMs;
    const isNamed = lines.length > 1 && made.getWidth() >= namedWidthMin;
    const decimals = Math.max(2, decimalsFor(totals) - 2);
    const every = Math.max(0, Math.ceil(times.length / Math.max(2, made.getWidth() / 90)) - 1);
    made.setOption(
      {
        animation: false,
        aria: { enabled: false },
        grid: {
          left: 8,
          right: isNamed ? nameWidth + 12 : 12,
          top: 12,
          bottom: 4,
          outerBoundsMode: "same",
          outerBoundsContain: "axisLabel",
        },
        xAxis: {
          type: "category",
          data: times.map((ms) => labelBucket(bucket, ms, isLong)),
          axisTick: { show: false },
          axisLine: { lineStyle: { color: color("--edge") } },
          axisLabel: { ...text, interval: every, hideOverlap: true },
          axisPointer: {
            show: true,
            type: "line",
            label: { show: false },
            lineStyle: { color: color("--edge"), type: "solid" },
          },
          boundaryGap: false,
        },
        yAxis: {
          type: "value",
          splitNumber: 4,
          axisLabel: { ...text, formatter: (value: number) => formatAxis(measure, value) },
          splitLine: { lineStyle: { color: color("--grid") } },
        },
        series: [
          ...lines.map((line, index) => ({
            name: line.name,
            type: "line",
            // A value between two that are not known has no line: it is a point.
            symbol: times.length <= 60 ? "circle" : "none",
            symbolSize: 4,
            showAllSymbol: true,
            lineStyle: { width: 1.75 },
            itemStyle: { color: colorOf(scheme, index, line.isRest) },
            data: line.heights,
            emphasis: { disabled: true },
            silent: true,
          })),
          ...(before === undefined
            ? []
            : [
                {
                  name: "before",
                  type: "line",
                  symbol: "none",
                  silent: true,
                  lineStyle: { color: color("--soft"), width: 1.5, type: "dashed" },
                  data: [...before].slice(0, times.length),
                },
              ]),
        ],
      },
      { notMerge: true },
    );
    setNamesLeft(isNamed ? made.convertToPixel({ xAxisIndex: 0 }, times.length - 1) + 10 : 0);
    setNames(isNamed ? placeNames(lines, (value) => made.convertToPixel({ yAxisIndex: 0 }, value), made.getHeight()) : []);
    const captions: Caption[] = lines.map((line, index) => ({
      color: colorOf(scheme, index, line.isRest),
      text: line.sum === null ? line.name : `${line.name}  ${shorten(measure, line.sum, decimals)}`,
    }));
    if (before !== undefined) captions.push({ color: color("--soft"), text: beforeName });
    const look = { ink: color("--ink"), soft: color("--soft"), ground: color("--surface") };
    onReady?.(() => toPicture(made.getRenderedCanvas({ pixelRatio: 2, backgroundColor: look.ground }), said.current, captions, look));
  }, [chart, series, measure, scheme, before, times, lines, bucket, onReady, totals, width]);

  const left = at === null || chart.current === null ? 0 : (chart.current.convertToPixel({ xAxisIndex: 0 }, at) as number);
  // Asked only where something is read: the browser would have to lay out the page for it.
  const room = at === null ? 0 : (place.current?.clientWidth ?? 0);
  return (
    <>
      <div
        className="chart"
        style={{
          ...(fills ? { minHeight: height, flex: 1 } : { height }),
          cursor: onPick !== undefined && at !== null ? "pointer" : undefined,
        }}
        aria-label={`${label}. Arrow keys read it value by value${onPick === undefined ? "" : ", Enter opens the calls"}.`}
        {...reading}
      >
        <div ref={place} style={{ position: "absolute", inset: 0 }} />
        {at === null ? null : <span className="mark" aria-hidden="true" style={{ left }} />}
        {names.map(({ index, top }) => {
          const line = lines[index];
          return line === undefined ? null : (
            <span key={line.key} className="linename" aria-hidden="true" title={line.name} style={{ top, left: namesLeft }}>
              <span className="swatch" style={{ background: colorOf(scheme, index, line.isRest) }} />
              <span className="clip">{line.name}</span>
            </span>
          );
        })}
        {at === null ? null : <Tip series={series} at={at} left={left} room={room} beforeText={beforeTexts?.[at]} />}
      </div>
      {before === undefined ? null : <BeforeLegend />}
    </>
  );
}

/** A few heights as a line, for a tile: decoration, since the number beside it says what matters. */
export function Spark({
  heights,
  width = 120,
  height = 28,
}: {
  readonly heights: readonly number[];
  readonly width?: number;
  readonly height?: number;
}): ReactNode {
  const most = Math.max(...heights, 0);
  if (heights.length < 2 || most <= 0) return null;
  const points = heights.map(
    (value, index) => `${((index / (heights.length - 1)) * width).toFixed(1)},${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`,
  );
  return (
    <svg className="spark" aria-hidden="true" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" width={width} height={height}>
      <polygon points={`0,${height} ${points.join(" ")} ${width},${height}`} fill="var(--accent-ground)" />
      <polyline points={points.join(" ")} fill="none" stroke="var(--accent-solid)" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
