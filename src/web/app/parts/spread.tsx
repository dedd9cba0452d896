// How margins are spread: a bar for each tenth of revenue, those below zero in their own colour. Not here: whose they are. Invariant: bars have one scale, and the
// same numbers are in a table below.

import type { ReactNode } from "react";
import type { Margins } from "../margin.ts";
import { Icon } from "../icons.tsx";
import { count } from "../money.ts";
import { plural } from "../words.ts";
import { Head } from "./head.tsx";

export function Spread({ bins, what }: { readonly bins: Margins["bins"]; readonly what: string }): ReactNode {
  const most = Math.max(1, ...bins.map(({ keys }) => keys));
  const below = bins.filter(({ to }) => to !== null && to <= 0).reduce((sum, { keys }) => sum + keys, 0);
  const all = bins.reduce((sum, { keys }) => sum + keys, 0);
  return (
    <>
      <div className="spread" role="img" aria-label={`Margins of ${plural(all, what)}: ${count(below)} below zero.`}>
        {bins.map(({ from, to, keys }) => (
          <span
            key={from ?? "least"}
            className={to !== null && to <= 0 ? "loses" : "gains"}
            title={`${nameBin(from, to)}: ${plural(keys, what)}`}
          >
            <span style={{ height: keys === 0 ? 0 : `${Math.max(2, (100 * keys) / most)}%` }}>
              {keys === 0 ? null : <small className="soft">{count(keys)}</small>}
            </span>
          </span>
        ))}
      </div>
      <div className="spreadaxis soft small" aria-hidden="true">
        <span>−100%</span>
        <span>0%</span>
        <span>100%</span>
      </div>
      <details className="small">
        <summary>
          <Icon name="right" size={12} /> As a table
        </summary>
        <div className="scroll" tabIndex={0} role="region" aria-label="How margins are spread">
          <table className="list">
            <Head columns={["Margin", [`${what.charAt(0).toUpperCase()}${what.slice(1)}s`, "number"]]} />
            <tbody>
              {bins
                .filter(({ keys }) => keys > 0)
                .map(({ from, to, keys }) => (
                  <tr key={from ?? "least"}>
                    <td>{nameBin(from, to)}</td>
                    <td className="number">{count(keys)}</td>
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}

const text = (part: number): string => `${part < 0 ? "−" : ""}${Math.round(Math.abs(part) * 100)}%`;

function nameBin(from: number | null, to: number | null): string {
  if (from === null) return `below ${text(to ?? -1)}`;
  return to === null ? `${text(from)} and more` : `${text(from)} to ${text(to)}`;
}
