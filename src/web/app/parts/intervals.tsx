// Estimates of several, each as a mark on the interval that it stands with, on one scale from nothing. Not here: what is estimated. Invariant: an
// interval without an upper end is drawn open, and every figure stands in words beside its bar.

import type { ReactNode } from "react";

export interface Estimate {
  readonly key: string;
  readonly name: string;
  /** null: it cannot be said. */
  readonly at: number | null;
  /** null: there is none; its high end null: it has no upper bound. */
  readonly interval: { readonly low: number; readonly high: number | null } | null;
  readonly text: string;
  readonly range: string;
  /** Beside it, softly: what the data lack. */
  readonly note: string;
}

/** The scale ends here at the latest, as a multiple of the greatest estimate: one wide interval must not squeeze all others. */
const wideMax = 2.5;

export function Intervals({
  label,
  rows,
  whole,
}: {
  readonly label: string;
  readonly rows: readonly Estimate[];
  /** What all of them together come to, as a line across. */
  readonly whole: { readonly name: string; readonly at: number } | null;
}): ReactNode {
  const values = [...rows.flatMap(({ at }) => (at === null ? [] : [at])), ...(whole === null ? [] : [whole.at])];
  const highest = Math.max(0, ...values);
  const ends = rows.flatMap(({ interval }) => (interval?.high === null || interval === null ? [] : [interval.high]));
  const most = Math.min(Math.max(highest * 1.05, ...ends), highest * wideMax);
  const place = (value: number): number => (most <= 0 ? 0 : Math.min(100, (value / most) * 100));
  return (
    <>
      <ul className="intervals" aria-label={label}>
        {rows.map(({ key, name, at, interval, text, range, note }) => {
          const isOpen = interval !== null && (interval.high === null || interval.high > most);
          return (
            <li key={key} data-row={key}>
              <div className="row wrap">
                <span className="name clip" title={name}>
                  {name}
                </span>
                <span className="end">
                  <strong>{text}</strong> {range === "" ? null : <span className="ends">{range}</span>}
                </span>
              </div>
              <div className="swing" aria-hidden="true">
                {interval === null ? null : (
                  <span
                    className={isOpen ? "reach open" : "reach"}
                    style={{
                      left: `${place(interval.low)}%`,
                      width: `${(isOpen ? 100 : place(interval.high ?? most)) - place(interval.low)}%`,
                    }}
                  />
                )}
                {whole === null ? null : <span className="base" style={{ left: `${place(whole.at)}%` }} />}
                {at === null ? null : (
                  <span className={interval === null ? "dotmark hollow" : "dotmark"} style={{ left: `${place(at)}%` }} />
                )}
              </div>
              {note === "" ? null : <p className="soft small">{note}</p>}
            </li>
          );
        })}
      </ul>
      <ul className="legend" aria-hidden="true">
        <li>
          <span className="swatch estimate" /> estimate
        </li>
        <li>
          <span className="swatch reach" /> its interval, 95%
        </li>
        {whole === null ? null : (
          <li>
            <span className="turnkey now" /> {whole.name}
          </li>
        )}
      </ul>
    </>
  );
}
