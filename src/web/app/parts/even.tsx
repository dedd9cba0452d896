// From which success the agent pays, as a bar from none to all, with what is known of its success on it. Invariant: which side pays, and what is
// known, is told in words and by pattern as well as by colour.

import type { ReactNode } from "react";
import type { Worth } from "../worth.ts";
import { shareText } from "./values.ts";

export function BreakEvenBar({ worth: { breakEven, success, basis } }: { readonly worth: Worth }): ReactNode {
  const { kind, p } = breakEven;
  const turn = kind === "always" ? 0 : kind === "never" ? 1 : Math.min(1, Math.max(0, p ?? 0));
  const known =
    success === null
      ? "Nothing is known of its success."
      : success.low === success.high
        ? `It succeeds in ${shareText(success.low, kind === "at" ? turn : undefined)}.`
        : `It succeeds in ${shareText(success.low)} to ${shareText(success.high)}${
            success.kind === "counted" && success.tasks !== null
              ? `: ${success.successes} of ${success.tasks} tasks, at ${shareText(success.confidence ?? 0.95)} confidence`
              : ""
          }.`;
  const turns =
    kind === "always"
      ? "The agent pays at every success."
      : kind === "never"
        ? "The agent pays at no success."
        : turn === 0
          ? `The agent pays above ${shareText(0)} success.`
          : `The agent pays from ${shareText(turn, success?.at ?? undefined)} success on.`;
  return (
    <div className="even">
      <div className="evenbar" role="img" aria-label={`${turns} ${known}`}>
        <span className="against" style={{ width: `${turn * 100}%` }} />
        <span className="pays" style={{ left: `${turn * 100}%` }} />
        {kind === "at" ? <span className="turn" style={{ left: `${turn * 100}%` }} /> : null}
        {success === null ? null : (
          <span className="known" style={{ left: `${success.low * 100}%`, width: `${(success.high - success.low) * 100}%` }} />
        )}
        {basis === null ? null : (
          <span className={basis.of === "middle" ? "guess hollow" : "guess"} style={{ left: `${basis.p * 100}%` }} />
        )}
      </div>
      <div className="scale soft small" aria-hidden="true">
        <span>0%</span>
        <span>success</span>
        <span>100%</span>
      </div>
      <p data-testid="breakeven">
        {turns} <span className="soft">{known}</span>
      </p>
      <ul className="legend" aria-hidden="true">
        <li>
          <span className="swatch evenswatch against" /> does not pay
        </li>
        <li>
          <span className="swatch evenswatch pays" /> pays
        </li>
        {success === null ? null : (
          <li>
            <span className="swatch evenswatch known" /> what is known
          </li>
        )}
      </ul>
    </div>
  );
}
