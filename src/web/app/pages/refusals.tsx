// Calls that were not let in, as rows: when, whom, why, and what stood in the way. The same wherever refusals are listed.

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { type Against, codeWords, type Place, type Refusal } from "../guard.ts";
import { Head } from "../parts/head.tsx";
import { Amount } from "../parts/meter.tsx";
import { dayClock, exactMoment } from "../time.ts";

/** @param by one of whose page they stand: what it is called goes without saying. */
export function RefusalRows({
  refusals,
  nowMs,
  by = null,
}: {
  readonly refusals: readonly Refusal[];
  readonly nowMs: number;
  readonly by?: string | null;
}): ReactNode {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Refusals">
      <table className="list refusals">
        <Head
          columns={[
            "When",
            "Why",
            ["For", "wide"],
            ...(by === null ? [["Model", "wide"] as const] : []),
            [by === null ? "In the way" : "Left then", "wide"],
          ]}
        />
        <tbody>
          {refusals.map((refusal) => (
            <tr key={refusal.id} data-refusal={refusal.id} data-code={refusal.code}>
              <td className="when">
                <Link to="/stopped/$id" params={{ id: refusal.id }} title={exactMoment(refusal.atMs)}>
                  {dayClock(refusal.atMs, nowMs)}
                </Link>
              </td>
              <td>
                <span className="badge bad">{codeWords[refusal.code] ?? refusal.code}</span>
                <div className="narrow">
                  <p className="soft small">{saidOf(refusal).join(" · ")}</p>
                  <InTheWay refusal={refusal} by={by} />
                </div>
              </td>
              <td className="wide for">
                <span className="clip">{saidOf(refusal).join(" · ") || <span className="soft">not recorded</span>}</span>
                <TaskLink refusal={refusal} />
              </td>
              {by !== null ? null : (
                <td className="wide">
                  <span className="clip">{refusal.model ?? <span className="soft">not recorded</span>}</span>
                  <span className="soft small">{refusal.provider}</span>
                </td>
              )}
              <td className="wide way">
                <InTheWay refusal={refusal} by={by} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function saidOf({ attribution, key }: Refusal): string[] {
  const { team, agent, feature, customer } = attribution;
  return [team, agent, feature, customer, key].filter((text): text is string => typeof text === "string");
}

function TaskLink({ refusal: { attribution } }: { readonly refusal: Refusal }): ReactNode {
  const task = attribution.root ?? attribution.task;
  if (task === null) return null;
  return (
    <Link to="/tasks/$id" params={{ id: task }} className="small clip">
      {attribution.type ?? task}
    </Link>
  );
}

function InTheWay({ refusal: { against, detail }, by }: { readonly refusal: Refusal; readonly by: string | null }): ReactNode {
  if (against.length === 0) return <span className="small anywhere">{detail}</span>;
  return against.map((one) => (
    <span key={placeName(one)} className="under">
      {one.budget !== by ? (
        <BudgetLink place={one} />
      ) : one.values.length === 0 ? null : (
        <span className="anywhere">{one.values.join(" · ")}</span>
      )}{" "}
      <Shortage against={one} />
    </span>
  ));
}

/** What was left, and what was needed. */
export function Shortage({ against: { measure, left, needed } }: { readonly against: Against }): ReactNode {
  if (measure === null || left === null) return null;
  return (
    <span className="soft small">
      <span className="whole">{left.startsWith("-") || left === "0" ? "nothing" : <Amount value={left} measure={measure} />} left</span>,{" "}
      <span className="whole">
        {needed === null ? (
          "no bound known"
        ) : (
          <>
            <Amount value={needed} measure={measure} /> needed
          </>
        )}
      </span>
    </span>
  );
}

export function BudgetLink({ place }: { readonly place: Place }): ReactNode {
  return (
    <Link to="/budgets/$id" params={{ id: place.budget }} className="inline anywhere">
      {placeName(place)}
    </Link>
  );
}

export function placeName({ budget, values }: Place): string {
  return values.length === 0 ? budget : `${budget}: ${values.join(" · ")}`;
}
