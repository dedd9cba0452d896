// Task types in a field of time to do and time to check, with the region in which the agent is worth it and its sweet spot for tasks like the chosen
// one. Logarithmic, for tasks differ by hours and by seconds. Not here: what a place means. Invariant: it is decoration for those who see it; what it
// shows stands in the table beside it.

import { useElementSize } from "@mantine/hooks";
import type { ReactNode } from "react";
import type { Class, Point } from "../worth.ts";
import { classNames, minutesText } from "./values.ts";

const usualWidth = 560;
const [left, right, top, bottom] = [56, 16, 12, 44];
const decades = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 240, 480, 960, 2_400, 9_600, 48_000, 240_000];

export function Field({
  points,
  chosen,
  untilMinutes,
}: {
  readonly points: readonly Point[];
  readonly chosen: Point | undefined;
  readonly untilMinutes: number;
}): ReactNode {
  const { ref, width: room } = useElementSize();
  const width = room === 0 ? usualWidth : room;
  const height = Math.min(400, Math.max(260, width * 0.66));
  const placed = points.filter(
    (point): point is Point & { minutes: number; reviewMinutes: number } =>
      point.minutes !== null && point.minutes > 0 && point.reviewMinutes !== null,
  );
  const edge = chosen?.edge ?? [];
  if (placed.length === 0 && edge.length === 0)
    return <p className="soft small">Nothing can be placed yet: a type takes a time to do and a time to check.</p>;
  const xs = [...placed.map(({ minutes }) => minutes), ...edge.slice(0, 1).map(({ minutes }) => minutes)].filter((x) => x > 0);
  const ys = placed.map(({ reviewMinutes }) => reviewMinutes).filter((y) => y > 0);
  const most = Math.max(untilMinutes, ...ys.map((y) => 1.5 * y));
  const least = { x: Math.max(0.05, Math.min(...xs, 30) / 2), y: Math.max(0.05, Math.min(...ys, 5) / 4) };
  const x = (minutes: number): number => left + scaled(minutes, least.x, untilMinutes) * (width - left - right);
  const y = (minutes: number): number => height - bottom - scaled(minutes, least.y, most) * (height - top - bottom);
  const floor = y(least.y);
  const line = (of: (one: Point["edge"][number]) => number | null): string => {
    const shown = edge.flatMap((one) => {
      const minutes = of(one);
      return minutes === null ? [] : [`${x(one.minutes).toFixed(1)},${y(minutes).toFixed(1)}`];
    });
    const [first, last] = [shown[0]?.split(",")[0], shown.at(-1)?.split(",")[0]];
    return first === undefined ? "" : `${first},${floor} ${shown.join(" ")} ${last},${floor}`;
  };
  const sweet = line(({ sweetMinutes }) => sweetMinutes);
  const said = placed.map(
    (point) => `${point.type}: ${classOf(point) === null ? "not known" : classNames[classOf(point) as Class][0].toLowerCase()}`,
  );
  return (
    <figure className="fieldmap" ref={ref}>
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Time to do against time to check. ${said.join("; ")}.`}
      >
        {decades
          .filter((minutes) => minutes > least.x && minutes < untilMinutes)
          .filter((_, index, all) => all.length * 64 < width || index % 2 === 0)
          .map((minutes) => (
            <g key={`x${minutes}`} className="tick">
              <line x1={x(minutes)} x2={x(minutes)} y1={top} y2={floor} />
              <text x={x(minutes)} y={floor + 16} textAnchor="middle">
                {minutesText(minutes)}
              </text>
            </g>
          ))}
        {decades
          .filter((minutes) => minutes > least.y && minutes < most)
          .filter((_, index, all) => all.length < 9 || index % 2 === 0)
          .map((minutes) => (
            <g key={`y${minutes}`} className="tick">
              <line x1={left} x2={width - right} y1={y(minutes)} y2={y(minutes)} />
              <text x={left - 6} y={y(minutes) + 4} textAnchor="end">
                {minutesText(minutes)}
              </text>
            </g>
          ))}
        <text className="axis" x={width - right} y={height - 8} textAnchor="end">
          a person’s time to do →
        </text>
        <text className="axis" x={left} y={height - 8}>
          ↑ time to check
        </text>
        {edge.length === 0 ? null : <polygon className="region" points={line(({ reviewMinutes }) => reviewMinutes)} />}
        {sweet === "" ? null : <polygon className="sweet" points={sweet} />}
        <line
          className="same"
          x1={x(Math.max(least.x, least.y))}
          y1={y(Math.max(least.x, least.y))}
          x2={x(untilMinutes)}
          y2={y(untilMinutes)}
        />
        {placed.map((point) => (
          <g
            key={point.type}
            transform={`translate(${x(point.minutes)} ${y(point.reviewMinutes)})`}
            data-point={point.type}
            data-at={point === chosen || undefined}
          >
            <Mark class={classOf(point)} isSettled={point.isSettled} />
            <text
              className="pointname"
              x={x(point.minutes) > width - 150 ? -11 : 11}
              y={y(point.reviewMinutes) > floor - 8 ? -8 : 4}
              textAnchor={x(point.minutes) > width - 150 ? "end" : "start"}
            >
              {point.type.length > 24 ? `${point.type.slice(0, 23)}…` : point.type}
            </text>
          </g>
        ))}
      </svg>
      <figcaption>
        <ul className="legend">
          {(Object.keys(classNames) as Class[]).map((one) => (
            <li key={one}>
              <svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">
                <Mark class={one} isSettled />
              </svg>
              {classNames[one][0]}
            </li>
          ))}
          {chosen === undefined || edge.length === 0 ? null : (
            <>
              <li>
                <span className="swatch region" /> worth it, for tasks like {chosen.type}
              </li>
              {sweet === "" ? null : (
                <li>
                  <span className="swatch sweet" /> its sweet spot
                </li>
              )}
            </>
          )}
          <li>
            <span className="dashed" aria-hidden="true" /> checking takes as long as doing
          </li>
        </ul>
      </figcaption>
    </figure>
  );
}

/** 0 to 1 between the two, by the logarithm; what is outside stands at the end. */
function scaled(minutes: number, least: number, most: number): number {
  return Math.min(1, Math.max(0, Math.log(Math.max(minutes, least) / least) / Math.log(most / least)));
}

function classOf({ classes }: Point): Class | null {
  return classes === null ? null : (classes.at ?? classes.low);
}

/** Told apart by shape; hollow where the data do not settle it. */
function Mark({ class: of, isSettled }: { readonly class: Class | null; readonly isSettled: boolean }): ReactNode {
  const look = `point ${of ?? "unknown"}${isSettled ? "" : " unsure"}`;
  switch (of) {
    case "sweet":
      return <circle className={look} r={5.5} />;
    case "review":
      return <rect className={look} x={-5} y={-5} width={10} height={10} />;
    case "risky":
      return <polygon className={look} points="0,-6 6,5 -6,5" />;
    default:
      return <path className={look} d="M-5-5 5 5M5-5-5 5" />;
  }
}
