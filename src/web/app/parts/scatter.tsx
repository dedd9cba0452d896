// Candidates by what a task costs and how often it succeeds, each with its two intervals, and the frontier that mixtures of them reach. The cost is
// logarithmic: candidates differ by hundreds of times. Not here: what a place means. Invariant: it is decoration for those who see it; all that it shows
// stands in the table beside it, and the frontier is told from the rest by shape as well as by colour.

import { useElementSize } from "@mantine/hooks";
import type { ReactNode } from "react";
import type { Standing } from "../compare.ts";
import { toAxis, toGeometry } from "../money.ts";
import { briefText } from "../success.ts";
import { shareText } from "./values.ts";

const usualWidth = 640;
const [left, right, top, bottom] = [46, 18, 14, 46];
/** A letter of a name, pixels. */
const letterWidth = 6.6;
const steps = [1, 2, 5];
/** A cost of nothing stands at the least that is shown. */
const leastShare = 0.5;

interface Placed {
  readonly one: Standing;
  readonly x: number;
  readonly y: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export function Scatter({ standings, baseline }: { readonly standings: readonly Standing[]; readonly baseline: string | null }): ReactNode {
  const { ref, width: room } = useElementSize();
  const width = room === 0 ? usualWidth : room;
  const height = Math.min(420, Math.max(280, width * 0.5));
  const known = standings.filter((one) => one.perTask !== null && one.rate.observed !== null && one.place !== "apart");
  if (known.length === 0)
    return (
      <p className="soft small">
        Nothing can be placed yet: a candidate takes a cost that is known, and tasks of which somebody said how they ended.
      </p>
    );
  const costs = known.flatMap(({ perTask }) =>
    [perTask?.mean, perTask?.low, perTask?.high].flatMap((usd) => (usd == null ? [] : [toGeometry(usd)])),
  );
  const above = costs.filter((cost) => cost > 0);
  const least = above.length === 0 ? 0.01 : Math.min(...above) * 0.8;
  const most = Math.max(least * 4, Math.max(...costs) * 1.25);
  const rates = known.flatMap(({ rate }) => [rate.low, rate.high]);
  const floor = Math.max(0, Math.floor(Math.min(...rates) * 10) / 10);
  const x = (cost: number): number =>
    left + Math.min(1, Math.max(0, Math.log(Math.max(cost, least * leastShare) / least) / Math.log(most / least))) * (width - left - right);
  const y = (rate: number): number => height - bottom - ((rate - floor) / (1 - floor)) * (height - top - bottom);
  const placed = known.map((one): Placed => ({ one, x: x(toGeometry(one.perTask?.mean ?? "0")), y: y(one.rate.observed ?? 0) }));
  const front = placed.filter(({ one }) => one.place === "frontier");
  const ticks = ticksOf(least, most).filter((_, index, all) => all.length * 62 < width || index % 2 === 0);
  const shares = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1].filter((share) => share >= floor);
  const said = known.map(
    (one) =>
      `${one.candidate} ${briefText(one.perTask?.mean ?? "0")} a task, ${shareText(one.rate.observed ?? 0)}${one.place === "frontier" ? ", on the frontier" : ""}`,
  );
  return (
    <figure className="fieldmap scatter" ref={ref}>
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Cost of a task against success. ${said.join("; ")}.`}
      >
        {ticks.map((cost) => (
          <g key={`x${cost}`} className="tick">
            <line x1={x(cost)} x2={x(cost)} y1={top} y2={height - bottom} />
            <text x={x(cost)} y={height - bottom + 16} textAnchor="middle">
              {toAxis(cost)}
            </text>
          </g>
        ))}
        {shares
          .filter((_, index) => shares.length < 7 || index % 2 === (shares.length - 1) % 2)
          .map((share) => (
            <g key={`y${share}`} className="tick">
              <line x1={left} x2={width - right} y1={y(share)} y2={y(share)} />
              <text x={left - 6} y={y(share) + 4} textAnchor="end">
                {shareText(share)}
              </text>
            </g>
          ))}
        <text className="axis" x={width - right} y={height - 8} textAnchor="end">
          cost of a task →
        </text>
        <text className="axis" x={left} y={height - 8}>
          ↑ success
        </text>
        <polyline className="frontline" points={lineOf(front, x, y)} />
        {placed.map(({ one, x: at, y: of }) => (
          <g key={one.candidate} className={`reachbars ${one.place}`}>
            <line x1={at} x2={at} y1={y(one.rate.low)} y2={y(one.rate.high)} />
            {one.perTask?.low == null ? null : (
              <line
                x1={x(toGeometry(one.perTask.low))}
                x2={one.perTask.high === null ? width - right : x(toGeometry(one.perTask.high))}
                y1={of}
                y2={of}
                strokeDasharray={one.perTask.high === null ? "3 4" : undefined}
              />
            )}
          </g>
        ))}
        {placed.map(({ one, x: at, y: of }) => (
          <g key={one.candidate} transform={`translate(${at} ${of})`} data-point={one.candidate} data-place={one.place}>
            <Mark place={one.place} isBaseline={one.candidate === baseline} />
          </g>
        ))}
        {namesOf(placed, width, height).map(({ name, x: at, y: of, anchor }) => (
          <text key={name} className="pointname" x={at} y={of} textAnchor={anchor}>
            {clip(name, width)}
          </text>
        ))}
      </svg>
      <figcaption>
        <ul className="legend">
          <li>
            <KeyMark place="frontier" /> on the frontier
          </li>
          <li>
            <KeyMark place="dominated" /> dominated
          </li>
          {baseline === null ? null : (
            <li>
              <KeyMark place="frontier" isBaseline /> ringed: the baseline
            </li>
          )}
          <li>
            <span className="frontkey" aria-hidden="true" /> what a mixture of two reaches
          </li>
          <li className="soft">bars: intervals of 95%; the cost is logarithmic</li>
        </ul>
      </figcaption>
    </figure>
  );
}

function KeyMark({ place, isBaseline = false }: { readonly place: Standing["place"]; readonly isBaseline?: boolean }): ReactNode {
  return (
    <svg width="18" height="18" viewBox="-9 -9 18 18" aria-hidden="true">
      <Mark place={place} isBaseline={isBaseline} />
    </svg>
  );
}

function Mark({ place, isBaseline }: { readonly place: Standing["place"]; readonly isBaseline: boolean }): ReactNode {
  return (
    <>
      {isBaseline ? <circle className="ring" r={8} /> : null}
      {place === "frontier" ? <circle className="spot" r={4.5} /> : <path className="cross" d="M-4-4 4 4M4-4-4 4" />}
    </>
  );
}

/** Straight between two where money is counted: bent where it is logarithmic. */
function lineOf(front: readonly Placed[], x: (cost: number) => number, y: (rate: number) => number): string {
  const hull = front
    .filter(({ one }) => one.mixture === null)
    .toSorted((a, b) => toGeometry(a.one.perTask?.mean ?? "0") - toGeometry(b.one.perTask?.mean ?? "0"));
  const parts = 16;
  return hull
    .flatMap(({ one }, index) => {
      const cost = toGeometry(one.perTask?.mean ?? "0");
      const rate = one.rate.observed ?? 0;
      const before = hull[index - 1]?.one;
      if (before === undefined) return [`${x(cost).toFixed(1)},${y(rate).toFixed(1)}`];
      const [from, at] = [toGeometry(before.perTask?.mean ?? "0"), before.rate.observed ?? 0];
      return Array.from({ length: parts }, (_, part) => {
        const share = (part + 1) / parts;
        return `${x(from + share * (cost - from)).toFixed(1)},${y(at + share * (rate - at)).toFixed(1)}`;
      });
    })
    .join(" ");
}

function ticksOf(least: number, most: number): number[] {
  const found: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power += 1)
    for (const step of steps) {
      const tick = step * 10 ** power;
      if (tick > least && tick < most) found.push(tick);
    }
  return found.length > 9 ? found.filter((tick) => Math.abs(Math.log10(tick) - Math.round(Math.log10(tick))) < 1e-9) : found;
}

interface Name {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly anchor: "start" | "end" | "middle";
}

/** Beside its point, where no other name or point is; a name that finds no room is in the table alone. Those on the frontier choose first. */
function namesOf(placed: readonly Placed[], width: number, height: number): Name[] {
  const taken: Box[] = placed.map(({ x, y }) => ({ left: x - 6, right: x + 6, top: y - 6, bottom: y + 6 }));
  const found: Name[] = [];
  const inOrder = placed.toSorted((a, b) => Number(b.one.place === "frontier") - Number(a.one.place === "frontier"));
  for (const { one, x, y } of inOrder) {
    const long = clip(one.candidate, width).length * letterWidth;
    const places: readonly Name[] = [
      { name: one.candidate, x: x + 10, y: y - 6, anchor: "start" },
      { name: one.candidate, x: x - 10, y: y - 6, anchor: "end" },
      { name: one.candidate, x: x + 10, y: y + 15, anchor: "start" },
      { name: one.candidate, x: x - 10, y: y + 15, anchor: "end" },
    ];
    const free = places.find((place) => {
      const box = boxOf(place, long);
      const isInside = box.left >= left - 40 && box.right <= width && box.top >= 0 && box.bottom <= height - bottom + 4;
      return (
        isInside &&
        taken.every((other) => box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom)
      );
    });
    if (free === undefined) continue;
    taken.push(boxOf(free, long));
    found.push(free);
  }
  return found;
}

function boxOf({ x, y, anchor }: Name, long: number): Box {
  const from = anchor === "start" ? x : x - long;
  return { left: from, right: from + long, top: y - 11, bottom: y + 3 };
}

function clip(name: string, width: number): string {
  const most = width < 560 ? 16 : 30;
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
}
