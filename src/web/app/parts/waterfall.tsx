// From what the ledger has to what the provider states, cause by cause, as bars that each begin where the last one ended. Not here: what the
// causes are. Invariant: the bars add up to the last digit, or the sum that is missing is said.

import type { ReactNode } from "react";
import { add, parse, toGeometry } from "../money.ts";
import { Exact } from "./usd.tsx";
import { signOf } from "./signed.tsx";

export interface Fall {
  readonly key: string;
  readonly name: string;
  readonly why: string;
  readonly amount: string;
}

export function Waterfall({
  from,
  to,
  falls,
}: {
  readonly from: { readonly name: string; readonly amount: string };
  readonly to: { readonly name: string; readonly amount: string };
  readonly falls: readonly Fall[];
}): ReactNode {
  const levels = [from.amount];
  for (const { amount } of falls) levels.push(add([levels.at(-1) ?? "0", amount]));
  const missing = add([to.amount, negate(levels.at(-1) ?? "0")]);
  const heights = [...levels, to.amount].map(toGeometry);
  // Causes are small beside the whole: where all levels are near each other, the picture begins below the least of them.
  const [least, most] = [Math.min(...heights), Math.max(...heights)];
  const base = most - least < most / 3 ? Math.max(0, least - (most - least)) : Math.min(0, least);
  const part = (height: number): number => (most === base ? 0 : (Math.max(0, height - base) / (most - base)) * 100);
  const whole = (amount: string): ReactNode => (
    <span className="fall" aria-hidden="true">
      <span className="whole" style={{ left: 0, width: `${part(toGeometry(amount))}%` }} />
    </span>
  );
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="From the ledger to the statement">
      <table className="list falls">
        <thead className="hidden">
          <tr>
            <th scope="col">Cause</th>
            <th scope="col">Bar</th>
            <th scope="col">Amount</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row" className="name">
              {from.name}
            </th>
            <td className="track wide">{whole(from.amount)}</td>
            <td className="number">
              <Exact value={from.amount} />
            </td>
          </tr>
          {falls.map(({ key, name, why, amount }, index) => {
            const [a, b] = [toGeometry(levels[index] ?? "0"), toGeometry(levels[index + 1] ?? "0")];
            return (
              <tr key={key} data-cause={key}>
                <th scope="row">
                  {name}
                  {why === "" ? null : <small className="soft under">{why}</small>}
                </th>
                <td className="track wide">
                  <span className="fall" aria-hidden="true">
                    <span
                      className={amount.startsWith("-") ? "less" : "more"}
                      style={{ left: `${part(Math.min(a, b))}%`, width: `${part(Math.max(a, b)) - part(Math.min(a, b))}%` }}
                    />
                  </span>
                </td>
                <td className="number">
                  {signOf(amount)}
                  <Exact value={amount.startsWith("-") ? amount.slice(1) : amount} />
                </td>
              </tr>
            );
          })}
          <tr>
            <th scope="row" className="name">
              {to.name}
            </th>
            <td className="track wide">{whole(to.amount)}</td>
            <td className="number">
              <Exact value={to.amount} />
            </td>
          </tr>
        </tbody>
      </table>
      {base > 0 ? <p className="soft small foot wide">The bars begin at what is common to all of them, not at zero.</p> : null}
      {parse(missing) === 0n ? null : (
        <p className="bad small foot">
          These causes do not add up: <Exact value={missing} /> is missing.
        </p>
      )}
    </div>
  );
}

function negate(amount: string): string {
  return amount.startsWith("-") ? amount.slice(1) : `-${amount}`;
}
