// Bars over time, each of its groups: drawn by bars.ts as large as its place, and read with the pointer or the arrow keys. Not here: lines (chart.tsx).
// Invariant: what is read from it are the exact texts, never the heights that were drawn.

import { useComputedColorScheme } from "@mantine/core";
import { type MouseEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { decimalsFor } from "../money.ts";
import type { Measure } from "../fields.ts";
import { formatAxis, labelBucket, type Series, shorten } from "../series.ts";
import { hourMs } from "../time.ts";
import { type Bars, bucketAt, drawBars, type Look, type Stand } from "./bars.ts";
import { colorOf, readLook, useReading } from "./canvas.ts";
import { pickLabels } from "./labels.ts";
import { type Caption, toPicture } from "./picture.ts";
import { BeforeLegend, beforeName, Tip } from "./tip.tsx";

/** Of a chart over time, as bars or as lines. */
export interface ChartProps {
  readonly series: Series;
  readonly measure: Measure;
  /** What is drawn, in a sentence. */
  readonly label: string;
  /** Pixels; with `fills`, at least so many, and as many as its place has. */
  readonly height?: number;
  readonly fills?: boolean;
  /** Sums of the span before, drawn as a line across. */
  readonly before?: readonly (number | null)[] | undefined;
  readonly beforeTexts?: readonly string[] | undefined;
  readonly onPick?: (atMs: number) => void;
  /** Gets a function that makes a picture of the chart, with what is drawn and in which colours. */
  readonly onReady?: (picture: () => string) => void;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Of it no value stands on a bar. */
const axisWidth = 60;
/** A picture is so much finer than what it is of. */
const pictureScale = 2;

export function Stack({
  series,
  measure,
  label,
  height = 280,
  fills = false,
  before,
  beforeTexts,
  onPick,
  onReady,
}: ChartProps): ReactNode {
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const { times, lines, bucket, totals } = series;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const stand = useRef<Stand | null>(null);
  const pick = (index: number): void => {
    if (times[index] !== undefined) onPick?.(times[index]);
  };
  const { at, setAt, reading } = useReading(times.length, pick);
  const said = useRef(label);
  said.current = label;

  useEffect(() => {
    const element = canvas.current?.parentElement;
    if (element === null || element === undefined) return;
    // Told of in the frame that lays it out: asked for, it would be laid out once more.
    const watcher = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);

  useEffect(() => {
    const { width, height: high } = size;
    const element = canvas.current;
    const draw = element?.getContext("2d");
    if (element === null || draw === null || draw === undefined || width === 0 || high === 0) return;
    const { color } = readLook();
    const sums = times.map((_, index) => lines.reduce((sum, line) => sum + (line.heights[index] ?? 0), 0));
    const labelled = pickLabels(totals, sums, width - axisWidth);
    const decimals = Math.max(2, decimalsFor(totals) - 2);
    const isLong = (times.at(-1) ?? 0) - (times[0] ?? 0) > 26 * hourMs;
    const bars: Bars = {
      labels: times.map((ms) => labelBucket(bucket, ms, isLong)),
      lines: lines.map((line, index) => ({ color: colorOf(scheme, index, line.isRest), heights: line.heights })),
      texts: totals.map((total, index) => (labelled.has(index) ? shorten(measure, total, decimals) : null)),
      before,
      formatAxis: (value) => formatAxis(measure, value),
    };
    const look: Look = {
      ink: color("--ink"),
      soft: color("--soft"),
      edge: color("--edge"),
      grid: color("--grid"),
      surface: color("--surface"),
    };
    element.width = Math.round(width * devicePixelRatio);
    element.height = Math.round(high * devicePixelRatio);
    draw.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    stand.current = drawBars(draw, bars, look, width, high);
    const captions: Caption[] = lines.map((line, index) => ({
      color: colorOf(scheme, index, line.isRest),
      text: line.sum === null ? line.name : `${line.name}  ${shorten(measure, line.sum, decimals)}`,
    }));
    if (before !== undefined) captions.push({ color: look.soft, text: beforeName });
    onReady?.(() => toPicture(toCanvas(bars, look, size), said.current, captions, { ...look, ground: look.surface }));
  }, [size, series, measure, scheme, before, times, lines, bucket, onReady, totals]);

  const find = ({ nativeEvent: { offsetX, offsetY } }: MouseEvent): number | null =>
    stand.current === null ? null : bucketAt(stand.current, times.length, offsetX, offsetY);
  const { left, slot } = stand.current ?? { left: 0, slot: 0 };
  const center = at === null ? 0 : left + (at + 0.5) * slot;
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
        <div style={{ position: "absolute", inset: 0 }}>
          <canvas
            ref={canvas}
            style={{ display: "block", width: "100%", height: "100%" }}
            onMouseMove={(event) => setAt(find(event))}
            onMouseLeave={() => setAt(null)}
            onClick={(event) => {
              const found = find(event);
              if (found !== null) pick(found);
            }}
          />
        </div>
        {at === null ? null : (
          <>
            <span className="shade" aria-hidden="true" style={{ left: center - slot / 2, width: slot }} />
            <span className="mark" aria-hidden="true" style={{ left: center }} />
            <Tip series={series} at={at} left={center} room={size.width} beforeText={beforeTexts?.[at]} />
          </>
        )}
      </div>
      {before === undefined ? null : <BeforeLegend />}
    </>
  );
}

/** The same, finer and on its own ground. */
function toCanvas(bars: Bars, look: Look, { width, height }: Size): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * pictureScale);
  canvas.height = Math.round(height * pictureScale);
  const draw = canvas.getContext("2d");
  if (draw === null) return canvas;
  draw.scale(pictureScale, pictureScale);
  draw.fillStyle = look.surface;
  draw.fillRect(0, 0, width, height);
  drawBars(draw, bars, look, width, height);
  return canvas;
}
