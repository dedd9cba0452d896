// The drivers of a change as a table: each with what contributed most and what it was in both spans; and the bridge of gross margin. Not here: the
// waterfall, and what is asked (why.tsx). Invariant: contributors and the rest add up to their line.

import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { count, decimalsFor } from "../money.ts";
import { type Contributor, type Figures, meanings, type MoveLine, type Moves, percentText, pointsText } from "../moves.ts";
import { Head } from "../parts/head.tsx";
import { Moved, most, pointMarks, toMark } from "../parts/moved.tsx";
import { Signed } from "../parts/signed.tsx";
import { atLeast, Usd } from "../parts/usd.tsx";
import { toIso } from "../time.ts";

const firstFew = 3;

export function Drivers({ moves }: { readonly moves: Moves }): ReactNode {
  const lines = moves.lines.filter(({ change, contributors }) => change !== "0" || contributors.length > 0);
  if (lines.length === 0) return null;
  const decimals = decimalsFor([moves.before.cost, moves.after.cost, ...lines.map((line) => line.change.replace("-", ""))]);
  const shapley = new Map(moves.shapley.map(({ factor, change }) => [factor, change]));
  return (
    <section className="card" aria-labelledby="drivers">
      <div className="title">
        <h2 id="drivers">Drivers, and what contributed most</h2>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label="Drivers and their contributors">
        <table className="list moves">
          <Head
            columns={["Driver", ["Before", "number wide"], ["Then", "number wide"], ["Change", "number"], ["By Shapley", "number wide"]]}
          />
          {lines.map((line) => (
            <Line key={line.factor} line={line} moves={moves} decimals={decimals} shapley={shapley.get(line.factor) ?? "0"} />
          ))}
          <tbody>
            <tr className="total">
              <th scope="row">All together</th>
              <td className="number wide">
                <Usd value={moves.before.cost} decimals={decimals} mark={toMark(moves.before)} />
              </td>
              <td className="number wide">
                <Usd value={moves.after.cost} decimals={decimals} mark={toMark(moves.after)} />
              </td>
              <td className="number">
                <Moved value={moves.change} bound={moves.bound} decimals={decimals} />
              </td>
              <td className="number wide">
                <Moved value={moves.change} bound={moves.bound} decimals={decimals} />
              </td>
            </tr>
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Line({
  line,
  moves,
  decimals,
  shapley,
}: {
  readonly line: MoveLine;
  readonly moves: Moves;
  readonly decimals: number;
  readonly shapley: string;
}): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const shown = isOpen ? line.contributors : line.contributors.slice(0, firstFew);
  const hidden = line.contributors.length - shown.length;
  return (
    <tbody data-factor={line.factor}>
      <tr className="driver">
        <th scope="row">
          {capital(line.name)}
          <small className="soft under">{meanings[line.factor] ?? ""}</small>
        </th>
        <td className="wide" />
        <td className="wide" />
        <td className="number" data-change={line.change}>
          <strong>
            <Signed value={line.change} decimals={decimals} />
          </strong>
        </td>
        <td className="number wide soft">
          <Signed value={shapley} decimals={decimals} />
        </td>
      </tr>
      {shown.map((one) => (
        <tr key={JSON.stringify([one.type, one.provider, one.model, one.group, one.others, one.charge])} className="part">
          <td>
            <Name one={one} moves={moves} />
            <Measures factor={line.factor} one={one} />
          </td>
          <td className="number wide">
            {one.before === null ? <span className="soft">—</span> : <Cost of={one.before} decimals={decimals} />}
          </td>
          <td className="number wide">
            {one.after === null ? <span className="soft">—</span> : <Cost of={one.after} decimals={decimals} />}
          </td>
          <td className="number">
            <Signed value={one.change} decimals={decimals} />
          </td>
          <td className="wide" />
        </tr>
      ))}
      {line.rest === "0" || hidden > 0 ? null : (
        <tr className="part">
          <td className="soft">all others</td>
          <td className="wide" />
          <td className="wide" />
          <td className="number">
            <Signed value={line.rest} decimals={decimals} />
          </td>
          <td className="wide" />
        </tr>
      )}
      {hidden > 0 || isOpen ? (
        <tr className="part">
          <td colSpan={5}>
            <button type="button" className="inline small" aria-expanded={isOpen} onClick={() => setOpen((last) => !last)}>
              {isOpen ? "Fewer" : `${count(hidden)} more of ${line.name}`}
            </button>
          </td>
        </tr>
      ) : null}
    </tbody>
  );
}

function Cost({ of: { cost, unpriced }, decimals }: { readonly of: Figures; readonly decimals: number }): ReactNode {
  return <Usd value={cost} decimals={decimals} mark={unpriced > 0 ? atLeast : ""} />;
}

/** Leads to the same calls over both spans. */
function Name({ one, moves }: { readonly one: Contributor; readonly moves: Moves }): ReactNode {
  if (one.charge !== null) return <Link to="/work">{one.chargeName ?? one.charge}</Link>;
  const type = one.type === null ? "no task" : one.type === "" ? "no type" : one.type;
  const filter = [
    ...(one.type === null ? ["task="] : [`type=${one.type}`]),
    ...(one.model === null ? [] : [`model=${one.model}`]),
    ...(moves.by === null || one.others ? [] : [`${moves.by}=${one.group ?? ""}`]),
  ];
  const span = `${toIso(Math.min(moves.before.sinceMs, moves.after.sinceMs))}..${toIso(Math.max(moves.before.untilMs, moves.after.untilMs))}`;
  return (
    <Link to="/explore" search={{ span, by: "model", filter }}>
      {[type, one.model ?? "no model", ...(moves.by === null ? [] : [one.others ? "all others" : (one.group ?? "not recorded")])].join(
        " · ",
      )}
    </Link>
  );
}

/** What moved, in its own measure. */
function Measures({ factor, one: { before, after } }: { readonly factor: string; readonly one: Contributor }): ReactNode {
  if (before === null || after === null)
    return before === null && after === null ? null : (
      <small className="soft under">{before === null ? "not there before" : "there no more"}</small>
    );
  const each = (of: (figures: NonNullable<Contributor["before"]>) => string, unit: string): ReactNode => (
    <small className="soft under">
      {of(before)} → {of(after)} {unit}
    </small>
  );
  if (before.calls === 0 || after.calls === 0) return null;
  if (factor === "tokens_per_call") return each(({ tokens, calls }) => count(Math.round(tokens / calls)), "tokens a call");
  if (factor === "retries" && before.firstTries > 0 && after.firstTries > 0)
    return each(({ calls, firstTries }) => tries.format(calls / firstTries), "tries each");
  if (["volume", "type_mix", "calls_per_task", "model_mix"].includes(factor)) return each(({ calls }) => count(calls), "calls");
  return null;
}

const tries = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

const reasons: Readonly<Record<string, string>> = {
  revenue_unknown: "nothing is known of what customers paid",
  revenue_zero: "customers paid nothing",
  revenue_negative: "more was paid back than was paid",
  filtered: "what customers paid is not known by what the filters say",
  not_whole_days:
    "what customers paid is known by the day, UTC, and these spans are not as long as the days that begin in them; choose whole days",
};

/** The same change as points of gross margin. */
export function Bridge({ moves }: { readonly moves: Moves }): ReactNode {
  const { margin, noMargin, lines, before, after, bound } = moves;
  const names = new Map([["revenue", "revenue"], ...lines.map((line) => [line.factor, line.name] as const)]);
  if (margin === null)
    return noMargin === null ? null : (
      <p className="soft small" data-testid="nomargin">
        No bridge of gross margin: {reasons[noMargin.reason] ?? noMargin.reason}
        {noMargin.period === null ? "" : ` in the span ${noMargin.period === "before" ? "before" : "after it"}`}.
      </p>
    );
  const steps = margin.steps.filter((step) => Number(step.points) !== 0);
  return (
    <section className="card" aria-labelledby="bridge">
      <div className="title">
        <h2 id="bridge">Gross margin, in points</h2>
        <p className="soft small">revenue less what models cost, over revenue</p>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label="The bridge of gross margin">
        <table className="list">
          <Head columns={["Step", ["Points", "number"]]} />
          <tbody>
            <tr>
              <th scope="row">Before</th>
              <td className="number">
                {most(before)}
                {percentText(margin.before)}
              </td>
            </tr>
            {steps.length === 0 ? (
              <tr>
                <td colSpan={2} className="soft">
                  Nothing moved.
                </td>
              </tr>
            ) : (
              steps.map((step) => (
                <tr key={step.factor} data-step={step.factor}>
                  <th scope="row">{capital(names.get(step.factor) ?? step.factor)}</th>
                  <td className="number" data-points={step.points}>
                    {pointsText(step.points)}
                  </td>
                </tr>
              ))
            )}
            <tr className="total">
              <th scope="row">Then</th>
              <td className="number">
                {most(after)}
                {percentText(margin.after)} ({steps.length === 0 ? "" : pointMarks[bound]}
                {pointsText(margin.change)})
              </td>
            </tr>
          </tbody>
        </table>
      </div>
    </section>
  );
}

function capital(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}
