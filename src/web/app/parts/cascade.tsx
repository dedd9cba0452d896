// A waterfall: what was before, what moved it step by step, and what came of it; upright where there is room, else lying. Read with the pointer or
// the arrow keys. Not here: the table of the same steps (pages/why.tsx). Invariant: what is read are exact texts; heights are for the eye alone, and
// more is told from less by its sign as well.

import { useComputedColorScheme } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { readLook, useCanvas } from "./canvas.ts";
import { toPicture } from "./picture.ts";

export interface Step {
  readonly key: string;
  readonly name: string;
  /** Where the bar begins and ends. */
  readonly from: number;
  readonly to: number;
  /** On the bar. */
  readonly text: string;
  /** Where it is read: exact. */
  readonly exact: string;
  readonly kind: "whole" | "more" | "less";
}

const uprightWidthMin = 620;
const lyingHeight = 30;
const uprightHeight = 300;

export function Cascade({
  steps,
  label,
  formatAxis,
  onReady,
}: {
  readonly steps: readonly Step[];
  /** What is drawn, in a sentence. */
  readonly label: string;
  readonly formatAxis: (value: number) => string;
  readonly onReady?: (picture: () => string) => void;
}): ReactNode {
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const isUpright = useRef(true);
  const { place, chart, width, at, reading } = useCanvas(steps.length, (made, x, y) => {
    if (!made.containPixel("grid", [x, y])) return null;
    const index = isUpright.current ? made.convertFromPixel({ xAxisIndex: 0 }, x) : made.convertFromPixel({ yAxisIndex: 0 }, y);
    return typeof index === "number" && index >= 0 && index < steps.length ? Math.round(index) : null;
  });
  const said = useRef(label);
  said.current = label;
  const height = width === 0 || width >= uprightWidthMin ? uprightHeight : steps.length * lyingHeight + 40;

  useEffect(() => {
    const made = chart.current;
    if (made === null || width === 0) return;
    made.resize();
    isUpright.current = width >= uprightWidthMin;
    const { color, text } = readLook();
    const base = baseOf(steps);
    const colors = { whole: color("--ink"), more: color("--accent-solid"), less: color("--soft") } as const;
    const names = {
      type: "category",
      data: steps.map(({ name }) => name),
      inverse: !isUpright.current,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: color("--edge") } },
      axisLabel: {
        ...text,
        interval: 0,
        ...(isUpright.current
          ? { width: Math.max(48, (width - 60) / steps.length - 8), overflow: "break", lineHeight: 14 }
          : { width: 104, overflow: "truncate" }),
      },
    };
    const values = {
      type: "value",
      min: base,
      splitNumber: isUpright.current ? 4 : 3,
      axisLabel: { ...text, formatter: (value: number) => formatAxis(value), hideOverlap: true },
      splitLine: { lineStyle: { color: color("--grid") } },
    };
    made.setOption(
      {
        animation: false,
        aria: { enabled: false },
        grid: { left: 8, right: isUpright.current ? 12 : 64, top: 24, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
        xAxis: isUpright.current ? names : values,
        yAxis: isUpright.current ? values : names,
        series: [
          {
            type: "bar",
            stack: "all",
            silent: true,
            itemStyle: { color: "transparent" },
            emphasis: { disabled: true },
            data: steps.map(({ from, to, kind }) => (kind === "whole" ? base : Math.min(from, to))),
          },
          {
            type: "bar",
            stack: "all",
            silent: true,
            barMaxWidth: 56,
            barMinHeight: 2,
            barCategoryGap: "24%",
            emphasis: { disabled: true },
            label: { show: true, position: isUpright.current ? "top" : "right", distance: 4, ...text, color: color("--ink") },
            data: steps.map(({ from, to, kind, text: told }) => ({
              value: kind === "whole" ? to - base : Math.abs(to - from),
              itemStyle: { color: colors[kind], opacity: kind === "whole" ? 0.75 : 1, borderRadius: 2 },
              label: { formatter: () => told },
            })),
          },
        ],
      },
      { notMerge: true },
    );
    const look = { ink: color("--ink"), soft: color("--soft"), ground: color("--surface") };
    onReady?.(() =>
      toPicture(
        made.getRenderedCanvas({ pixelRatio: 2, backgroundColor: look.ground }),
        said.current,
        [
          { color: colors.more, text: "more" },
          { color: colors.less, text: "less" },
        ],
        look,
      ),
    );
  }, [chart, steps, width, scheme, formatAxis, onReady]);

  const read = at === null ? undefined : steps[at];
  return (
    <>
      <div className="chart" style={{ height }} aria-label={`${label}. Arrow keys read it step by step.`} {...reading}>
        <div ref={place} style={{ position: "absolute", inset: 0 }} />
        {read === undefined ? null : (
          <div className="tip docked" role="status">
            <strong>{read.name}</strong>
            <p>{read.exact}</p>
          </div>
        )}
      </div>
      {baseOf(steps) > 0 ? <p className="soft small">The bars begin at what is common to all of them, not at zero.</p> : null}
    </>
  );
}

/**
 * Where the picture begins. Steps are small beside the whole: where all levels are near each other, below the least of them, at a round number; else
 * at zero.
 */
function baseOf(steps: readonly Step[]): number {
  const levels = steps.flatMap(({ from, to, kind }) => (kind === "whole" ? [to] : [from, to]));
  const [least, most] = [Math.min(...levels), Math.max(...levels)];
  if (most - least >= most / 3 || most === least) return Math.min(0, least);
  const step = 10 ** Math.floor(Math.log10(most - least));
  return Math.max(0, Math.floor((least - (most - least) / 2) / step) * step);
}
