// What is read of a chart at one bucket: its groups, the greatest first, in their exact texts. Not here: which bucket is read (canvas.ts).

import { useComputedColorScheme } from "@mantine/core";
import type { ReactNode } from "react";
import { nameBucket, type Series } from "../series.ts";
import { colorOf } from "./canvas.ts";

/** What the line across is. */
export const beforeName = "The span before, all together";
/** Where it would hide what it is about, it stands below. */
const besideWidthMin = 560;
const rowsMax = 9;

/** @param left where the bucket is, and `room` how wide the chart: pixels. */
export function Tip({
  series: { bucket, times, lines },
  at,
  left,
  room,
  beforeText,
}: {
  readonly series: Series;
  readonly at: number;
  readonly left: number;
  readonly room: number;
  readonly beforeText: string | undefined;
}): ReactNode {
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const ms = times[at];
  if (ms === undefined) return null;
  const isBelow = room < besideWidthMin;
  const beside = left > room / 2 ? { right: `calc(100% - ${left - 12}px)` } : { left: left + 12 };
  return (
    <div className={isBelow ? "tip docked" : "tip"} role="status" style={isBelow ? undefined : beside}>
      <strong>{nameBucket(bucket, ms)}</strong>
      <table>
        <tbody>
          {lines
            .map((line, index) => ({ line, index, height: line.heights[at] ?? 0 }))
            .filter(({ height }) => height > 0 || lines.length === 1)
            .toSorted((a, b) => b.height - a.height)
            .slice(0, rowsMax)
            .map(({ line, index }) => (
              <tr key={line.key}>
                <th scope="row">
                  <span className="swatch" style={{ background: colorOf(scheme, index, line.isRest) }} /> {line.name}
                </th>
                <td>{line.texts[at]}</td>
              </tr>
            ))}
          {beforeText === undefined ? null : (
            <tr>
              <th scope="row">{beforeName}</th>
              <td>{beforeText}</td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

export function BeforeLegend(): ReactNode {
  return (
    <ul className="legend">
      <li>
        <span className="dashed" aria-hidden="true" /> {beforeName}
      </li>
    </ul>
  );
}
