// The canvas of a chart: made when the chart is first drawn, as large as its place, and read point by point with the pointer or the arrow keys.
// Not here: what is drawn (chart.tsx, plot.tsx). Invariant: nothing is left of it when its page is.

import type { ECharts } from "echarts/core";
import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from "react";
import { palette } from "../theme.ts";

export interface Reading {
  /** The point that is read; null: none. */
  readonly at: number | null;
  readonly setAt: (at: number | null) => void;
  /** Go to the element around what is drawn. */
  readonly reading: {
    readonly role: "application";
    readonly "aria-roledescription": "chart";
    readonly tabIndex: 0;
    readonly onKeyDown: (event: KeyboardEvent) => void;
    readonly onBlur: () => void;
  };
}

export interface Canvas extends Pick<Reading, "at" | "reading"> {
  /** Goes to the element that the canvas fills. */
  readonly place: RefObject<HTMLDivElement | null>;
  readonly chart: RefObject<ECharts | null>;
  /** Pixels; 0 until there is a chart to draw on. */
  readonly width: number;
}

/**
 * @param count how many points can be read.
 * @param find the point under a place of the canvas; null: none is there.
 * @param onPick a point was chosen, by a click or by Enter.
 */
export function useCanvas(
  count: number,
  find: (chart: ECharts, x: number, y: number) => number | null,
  onPick: (at: number) => void = () => {},
): Canvas {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const [width, setWidth] = useState(0);
  const { at, setAt, reading } = useReading(count, onPick);
  const latest = useRef({ find, onPick });
  latest.current = { find, onPick };

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    let isGone = false;
    let watcher: ResizeObserver | null = null;
    void import("../draw.ts").then(({ init }) => {
      if (isGone) return;
      const made = init(element, null, { renderer: "canvas" });
      chart.current = made;
      made.getZr().on("mousemove", ({ offsetX, offsetY }) => setAt(latest.current.find(made, offsetX, offsetY)));
      made.getZr().on("globalout", () => setAt(null));
      made.getZr().on("click", ({ offsetX, offsetY }) => {
        const found = latest.current.find(made, offsetX, offsetY);
        if (found !== null) latest.current.onPick(found);
      });
      watcher = new ResizeObserver(() => {
        // It also tells of the first size, with which the chart was made: drawing it again for that takes as long as all else.
        if (made.getWidth() === element.clientWidth && made.getHeight() === element.clientHeight) return;
        made.resize();
        setWidth(made.getWidth());
      });
      watcher.observe(element);
      setWidth(made.getWidth());
    });
    return () => {
      isGone = true;
      watcher?.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, [setAt]);

  return { place, chart, width, at, reading };
}

/** The arrow keys go from point to point, Enter picks one. */
export function useReading(count: number, onPick: (at: number) => void): Reading {
  const [at, setAt] = useState<number | null>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt((last) => Math.min(count - 1, Math.max(0, last === null ? count - 1 : last + step)));
    } else if (event.key === "Escape") setAt(null);
    else if (event.key === "Enter" && at !== null) onPick(at);
  };
  const reading = { role: "application", "aria-roledescription": "chart", tabIndex: 0, onKeyDown, onBlur: () => setAt(null) } as const;
  return { at, setAt, reading };
}

/** The colour of the `index`th group. */
export function colorOf(scheme: "light" | "dark", index: number, isRest: boolean): string {
  const colors = palette[scheme];
  return (isRest ? colors.at(-1) : colors[index % (colors.length - 1)]) ?? "#888";
}

/** The theme's colours, by the names of their CSS variables, and how axes are written. */
export function readLook(): { readonly color: (name: string) => string; readonly text: object } {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  return { color, text: { color: color("--soft"), fontFamily: "Inter Variable, system-ui, sans-serif", fontSize: 11 } };
}
