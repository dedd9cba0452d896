// Lines over time on a continuous scale: steps that hold until the next one, or values of buckets. Read with the pointer or the arrow keys, and
// named at their ends. Not here: bars and buckets without a gap (chart.tsx). Invariant: what is read are the exact texts, never the heights.

import { useComputedColorScheme } from "@mantine/core";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { dayMs, utcDay, utcMonth } from "../time.ts";
import { colorOf, readLook, useCanvas } from "./canvas.ts";

export interface PlotPoint {
  readonly ms: number;
  /** null: not known from here on, or in this bucket. */
  readonly height: number | null;
  readonly text: string;
}

export interface PlotLine {
  readonly name: string;
  /** Index of its colour. */
  readonly color: number;
  readonly points: readonly PlotPoint[];
  /** Drawn thin and dashed throughout: what is only compared with. */
  readonly isSoft?: boolean;
}

export interface PlotProps {
  readonly lines: readonly PlotLine[];
  /** What is drawn, in a sentence. */
  readonly label: string;
  /** Whether a value holds until the next one. */
  readonly isStepped: boolean;
  /** What begins later is dashed. */
  readonly nowMs?: number;
  /** Where the picture ends, when that is after the last point. */
  readonly untilMs?: number;
  readonly formatAxis: (value: number) => string;
  /** The name of a moment, above what is read there. */
  readonly nameMoment?: (ms: number) => string;
  readonly height?: number;
}

const nameWidth = 120;
const namedWidthMin = 420;
const nameHeight = 16;

interface Named {
  readonly name: string;
  readonly color: number;
  readonly top: number;
}

export function Plot({
  lines,
  label,
  isStepped,
  nowMs = Number.POSITIVE_INFINITY,
  untilMs,
  formatAxis,
  nameMoment = utcDay,
  height = 220,
}: PlotProps): ReactNode {
  const [names, setNames] = useState<readonly Named[]>([]);
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const times = useMemo(() => [...new Set(lines.flatMap(({ points }) => points.map(({ ms }) => ms)))].toSorted((a, b) => a - b), [lines]);
  const { place, chart, width, at, reading } = useCanvas(times.length, (made, x, y) =>
    made.containPixel("grid", [x, y]) ? indexAt(times, made.convertFromPixel({ xAxisIndex: 0 }, x) as number, isStepped) : null,
  );

  useEffect(() => {
    const made = chart.current;
    if (made === null || width === 0) return;
    const { color, text } = readLook();
    const isNamed = width >= namedWidthMin;
    const ends = times.at(-1) ?? 0;
    const lastMs = Math.max(ends, untilMs ?? ends);
    // One moment alone has no scale of its own: it stands in the middle, and nothing beside it is named.
    const isAlone = times[0] === lastMs;
    const room = isAlone ? 1 : 0;
    const formatter = !isStepped ? nameMoment : lastMs - (times[0] ?? 0) > yearMs ? utcMonth : utcDay;
    made.setOption(
      {
        animation: false,
        aria: { enabled: false },
        useUTC: true,
        grid: {
          left: 8,
          right: isNamed ? nameWidth + 12 : 12,
          top: 12,
          bottom: 4,
          outerBoundsMode: "same",
          outerBoundsContain: "axisLabel",
        },
        xAxis: {
          type: "time",
          min: (times[0] ?? 0) - room,
          max: lastMs + room,
          splitNumber: Math.max(1, Math.floor(width / 130)),
          axisTick: { show: false },
          axisLine: { lineStyle: { color: color("--edge") } },
          // Below the lowest of the other axis, which stands right beside it.
          axisLabel: { ...text, margin: 12, hideOverlap: true, formatter, ...(isStepped ? {} : { customValues: spaced(times, width) }) },
          axisPointer: { show: true, snap: false, label: { show: false }, lineStyle: { color: color("--edge"), type: "solid" } },
        },
        yAxis: {
          type: "value",
          splitNumber: 4,
          axisLabel: { ...text, formatter: formatAxis },
          splitLine: { lineStyle: { color: color("--grid") } },
        },
        series: lines.flatMap((line, index) => {
          const drawnIn = colorOf(scheme, line.color, false);
          const shared = {
            type: "line",
            silent: true,
            emphasis: { disabled: true },
            // Rings around dots: what lies on the same point is seen, too.
            symbol: isStepped ? "none" : "circle",
            symbolSize: index === 0 ? 4 : 9,
            z: index === 0 ? 3 : 2,
            showAllSymbol: true,
            itemStyle: index === 0 ? { color: drawnIn } : { color: color("--surface"), borderColor: drawnIn, borderWidth: 2 },
            ...(isStepped ? { step: "end" } : {}),
          };
          const drawn = isStepped ? extend(line.points, lastMs) : line.points;
          const [past, future] = cut(drawn, nowMs);
          return [
            {
              ...shared,
              lineStyle: { color: drawnIn, width: line.isSoft === true ? 1.25 : 2, type: line.isSoft === true ? [2, 3] : "solid" },
              data: past,
            },
            { ...shared, symbol: "none", lineStyle: { color: drawnIn, width: 1.75, type: "dashed" }, data: future },
          ];
        }),
      },
      { notMerge: true },
    );
    const places = lines.flatMap((line): Named[] => {
      const last = line.points.findLast((point) => point.height !== null);
      if (!isNamed || last === undefined) return [];
      return [
        {
          name: `${line.name} ${last.text}`,
          color: line.color,
          top: made.convertToPixel({ yAxisIndex: 0 }, last.height as number) as number,
        },
      ];
    });
    setNames(spread(places, height));
  }, [chart, lines, times, isStepped, nowMs, untilMs, formatAxis, nameMoment, scheme, width, height]);

  const ms = at === null ? undefined : times[at];
  const left = ms === undefined || chart.current === null ? 0 : (chart.current.convertToPixel({ xAxisIndex: 0 }, ms) as number);
  const isRight = left > width / 2;
  return (
    <>
      <div className="chart" style={{ height }} aria-label={`${label}. Arrow keys read it value by value.`} {...reading}>
        <div ref={place} style={{ position: "absolute", inset: 0 }} />
        {names.map(({ name, color, top }) => (
          <span key={name} className="endname" aria-hidden="true" title={name} style={{ top: top - nameHeight / 2, width: nameWidth }}>
            <span className="swatch" style={{ background: colorOf(scheme, color, false) }} />
            <span className="clip">{name}</span>
          </span>
        ))}
        {ms === undefined ? null : (
          <div className="tip" role="status" style={isRight ? { right: `calc(100% - ${left - 12}px)` } : { left: left + 12 }}>
            <strong>
              {nameMoment(ms)}
              {ms > nowMs ? ", announced" : ""}
            </strong>
            <table>
              <tbody>
                {lines.map((line) => (
                  <tr key={line.name}>
                    <th scope="row">
                      <span className="swatch" style={{ background: colorOf(scheme, line.color, false) }} /> {line.name}
                    </th>
                    <td>{textAt(line.points, ms, isStepped)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </div>
      {names.length > 0 ? null : (
        <ul className="legend">
          {lines.map((line) => (
            <li key={line.name}>
              <span className="swatch" style={{ background: colorOf(scheme, line.color, false) }} /> {line.name}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

const yearMs = 366 * dayMs;

/** As many of the times as have room for their names, evenly. */
function spaced(times: readonly number[], width: number): readonly number[] {
  const step = Math.ceil(times.length / Math.max(1, Math.floor(width / 130)));
  return times.filter((_, index) => index % step === 0);
}

/** The time whose value holds at `ms`, or the nearest one. */
export function indexAt(times: readonly number[], ms: number, isStepped: boolean): number | null {
  if (times.length === 0) return null;
  if (isStepped)
    return Math.max(
      0,
      times.findLastIndex((time) => time <= ms),
    );
  let best = 0;
  for (const [index, time] of times.entries()) if (Math.abs(time - ms) < Math.abs((times[best] ?? 0) - ms)) best = index;
  return best;
}

/** What holds at `ms`, or what is known of just that moment. */
export function textAt(points: readonly PlotPoint[], ms: number, isStepped: boolean): string {
  const found = isStepped ? points.findLast((point) => point.ms <= ms) : points.find((point) => point.ms === ms);
  return found?.text ?? "—";
}

/** The last step lasts to the end of the picture. */
function extend(points: readonly PlotPoint[], lastMs: number): readonly PlotPoint[] {
  const last = points.at(-1);
  return last === undefined || last.ms >= lastMs ? points : [...points, { ...last, ms: lastMs }];
}

type Drawn = [ms: number, height: number | null][];

/** What has come to pass, and what has not. The second begins where the first ends. */
export function cut(points: readonly PlotPoint[], nowMs: number): [past: Drawn, future: Drawn] {
  const past = points.filter(({ ms }) => ms <= nowMs);
  const future = points.filter(({ ms }) => ms > nowMs);
  const last = past.at(-1);
  const toDrawn = (list: readonly PlotPoint[]): Drawn => list.map((point) => [point.ms, point.height]);
  if (last === undefined || future.length === 0) return [toDrawn(past), toDrawn(future)];
  const now = { ...last, ms: nowMs };
  return [toDrawn([...past, now]), toDrawn([now, ...future])];
}

/** Names that would lie on each other are moved apart, and kept in the picture. */
function spread(names: readonly Named[], height: number): Named[] {
  const sorted = names.toSorted((a, b) => a.top - b.top);
  const placed: Named[] = [];
  for (const one of sorted) {
    const least = (placed.at(-1)?.top ?? Number.NEGATIVE_INFINITY) + nameHeight;
    placed.push({ ...one, top: Math.max(one.top, least, nameHeight / 2) });
  }
  const over = (placed.at(-1)?.top ?? 0) - (height - nameHeight);
  return over > 0 ? placed.map((one) => ({ ...one, top: one.top - over })) : placed;
}
