// Which input decides: a bar for each, from what the agent costs above what stands against it at one end to the other, with a line where it turns.
// Invariant: the bars have one scale; on which side of the line a bar's end lies is told in words too.

import type { ReactNode } from "react";
import { toGeometry } from "../money.ts";
import type { Worth } from "../worth.ts";
import { dollarsText, inputNames, valueText } from "./values.ts";

export function Tornado({ sensitivity: { base, bars } }: { readonly sensitivity: NonNullable<Worth["sensitivity"]> }): ReactNode {
  const ends = [0, toGeometry(base), ...bars.flatMap(({ lowCost, highCost }) => [toGeometry(lowCost), toGeometry(highCost)])];
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const at = (amount: number): number => (most === least ? 0 : ((amount - least) / (most - least)) * 100);
  const zero = at(0);
  return (
    <>
      <ul className="legend" aria-hidden="true">
        <li>
          <span className="swatch saves" /> saves
        </li>
        <li>
          <span className="swatch costs" /> loses
        </li>
        <li>
          <span className="turnkey" /> here it turns
        </li>
        <li>
          <span className="turnkey now" /> as it is
        </li>
      </ul>
      <ul className="tornado">
        {bars.map(({ input, unit, now, low, high, lowCost, highCost, width, flips, turnsAt }) => {
          const [a, b] = [toGeometry(lowCost), toGeometry(highCost)];
          const [from, to] = [Math.min(a, b), Math.max(a, b)];
          return (
            <li key={input} data-input={input} data-flips={flips || undefined}>
              <div className="row wrap">
                <span className="name">{inputNames[input] ?? input}</span>
                <span className="soft">now {valueText(unit, now)}</span>
                <span className="end">
                  {turnsAt === null ? (
                    <span className="soft">turns nowhere</span>
                  ) : (
                    <>
                      turns at <strong>{valueText(unit, turnsAt)}</strong>
                    </>
                  )}
                </span>
              </div>
              <div className="swing" aria-hidden="true">
                {from < 0 ? <span className="saves" style={{ left: `${at(from)}%`, width: `${at(Math.min(0, to)) - at(from)}%` }} /> : null}
                {to > 0 ? (
                  <span className="costs" style={{ left: `${at(Math.max(0, from))}%`, width: `${at(to) - at(Math.max(0, from))}%` }} />
                ) : null}
                <span className="zero" style={{ left: `${zero}%` }} />
                <span className="base" style={{ left: `${at(toGeometry(base))}%` }} />
              </div>
              <p className="soft small">
                {width === "0"
                  ? `Nothing of it is reckoned now.`
                  : `At ${valueText(unit, low)} it ${sideOf(lowCost)}, at ${valueText(unit, high)} it ${sideOf(highCost)}.`}
              </p>
            </li>
          );
        })}
      </ul>
    </>
  );
}

/** Per task. */
function sideOf(cost: string): string {
  if (!/[1-9]/.test(cost)) return "saves nothing";
  return cost.startsWith("-") ? `saves ${dollarsText(cost.slice(1))}` : `loses ${dollarsText(cost)}`;
}
