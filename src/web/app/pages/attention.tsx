// What needs attention: everything that keeps a sum from being sure, with the calls it is made of one step away.

import { Link } from "@tanstack/react-router";
import { memo, type ReactNode } from "react";
import type { Incidents, Overview } from "../api.ts";
import { useAnswer } from "../data.ts";
import { Icon } from "../icons.tsx";
import { count } from "../money.ts";
import { Empty, Waiting } from "../parts/states.tsx";
import { moment, toIso } from "../time.ts";
import { wordFor } from "../words.ts";
import { ConcernAlert, toConcerns } from "./concerns.tsx";
import { GapAlert } from "./gaps.tsx";

const words: Readonly<Record<string, readonly [string, string]>> = {
  unpriced: ["used something without a price", "What it cost is not known, and not in the sums."],
  unmetered: ["ended without a usage", "Something was sent, and nobody said what was used."],
  doubtful: ["have a usage that does not add up", "By their provider's own rules."],
  presumed: ["are presumed", "Nobody knows how they ended: charged at most, where a bound is known."],
  differs: ["were answered by another model", "Than the one that was sent."],
  disputed: ["cost something else by their provider", "Its own figure differs from the receipt."],
  failed: ["failed", "Answered with an error, cut off, or not reached."],
  gap: ["gaps in the record", "Calls that could not be written down."],
  refused: ["entries could not become rows", "The command pennyworth doctor names them."],
  clock: ["jumps of the clock", "The wall clock moved against the steady one."],
};

interface Asked {
  /** Absent: not answered yet. */
  readonly found: Overview["attention"] | undefined;
  readonly guard: Overview["guard"] | undefined;
  readonly gaps: Overview["gaps"] | undefined;
  readonly sinceMs: number | null;
}

export const Attention = memo(function Attention({ found = [], guard, gaps = [], sinceMs }: Asked): ReactNode {
  const concerns = guard === undefined ? [] : toConcerns(guard);
  const hasIncidents = found.some(({ kind }) => kind === "gap" || kind === "clock");
  const incidents = useAnswer<Incidents>("incidents", { since: toIso(sinceMs), limit: 100 }, { enabled: hasIncidents });
  return (
    <section className="card span4" aria-labelledby="attention">
      <div className="title">
        <h2 id="attention">Needs attention</h2>
        <div className="tools small soft">this month</div>
      </div>
      {guard === undefined ? (
        <Waiting label="Looking for what needs attention" />
      ) : found.length === 0 && gaps.length === 0 && concerns.length === 0 ? (
        <Empty title="Nothing">
          <p className="small">Every call of this month has a price, a usage that adds up, and a known end.</p>
        </Empty>
      ) : (
        <ul className="alerts">
          {concerns.map((concern) => (
            <li key={concern.kind}>
              <ConcernAlert concern={concern} />
            </li>
          ))}
          {gaps.map((gap) => (
            <li key={gap.id}>
              <GapAlert gap={gap} />
            </li>
          ))}
          {found.map(({ kind, count: number, filter }) => {
            const [what, why] = words[kind] ?? [kind, ""];
            const isIncident = kind === "gap" || kind === "clock" || kind === "refused";
            const text = (
              <>
                <span className={kind === "failed" || kind === "gap" ? "bad" : "warn"}>
                  <Icon name="warn" />
                </span>
                <span className="grow">
                  <strong>
                    {count(number)}{" "}
                    {isIncident
                      ? wordFor(number, toOne(what), what)
                      : `${wordFor(number, "call")} ${wordFor(number, toSingular(what), what)}`}
                  </strong>
                  <span className="soft small why">
                    {why}
                    {kind === "gap" || kind === "clock" ? lastOf(incidents.data, kind) : ""}
                  </span>
                </span>
                {filter === null ? null : <Icon name="right" size={12} />}
              </>
            );
            return (
              <li key={kind}>
                {filter === null ? (
                  <span className="alert">{text}</span>
                ) : (
                  <Link to="/calls" search={{ filter, span: "month" }} className="alert">
                    {text}
                  </Link>
                )}
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
});

/** When it was last so. */
function lastOf(incidents: Incidents | undefined, kind: "gap" | "clock"): string {
  const times = (incidents?.incidents ?? []).filter((one) => one.kind === kind).map((one) => (one.kind === "gap" ? one.fromMs : one.atMs));
  return times.length === 0 ? "" : ` Last ${moment(Math.max(...times))}.`;
}

function toOne(what: string): string {
  return what.replace(/^(gap|jump)s/, "$1").replace(/^entries/, "entry");
}

function toSingular(what: string): string {
  return what
    .replace(/^have /, "has ")
    .replace(/^are /, "is ")
    .replace(/^were /, "was ")
    .replace("their provider", "its provider");
}
