// On the overview: what a success costs these days, and how often there is one. Asked after all else there, since it takes longer; where nobody said how
// any task ended, it is not there. Not here: what lies behind it (success.tsx).

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useAnswer } from "../data.ts";
import { lackText, perSuccessText, rangeText, rateRangeText, rateText, type Success } from "../success.ts";
import { plural } from "../words.ts";

/** A figure of days does not move by the second. */
const staleMs = 120_000;

export function Succeeded({ isReady }: { readonly isReady: boolean }): ReactNode {
  const { data } = useAnswer<Success>("success", { since: "30d", limit: 1 }, { enabled: isReady, live: false, staleMs });
  if (data === undefined || data.total.rate.decided === 0) return null;
  const { total } = data;
  const lack = lackText(total);
  return (
    <section className="card span12" aria-labelledby="succeeded">
      <div className="title">
        <h2 id="succeeded">Per success</h2>
        <p className="soft small">last 30 days</p>
        <div className="tools">
          <Link to="/success" className="small">
            Success
          </Link>
        </div>
      </div>
      <div className="body row wrap" style={{ columnGap: 32 }} data-testid="succeeded">
        <p>
          <strong>{perSuccessText(total) ?? "No success yet"}</strong>{" "}
          <span className="soft small">{total.perSuccess === null ? "" : (rangeText(total.interval) ?? "interval not known")}</span>
        </p>
        <p>
          <strong>{rateText(total.rate)}</strong>{" "}
          <span className="soft small">
            {rateRangeText(total.rate)} of {plural(total.rate.decided, "task")} succeed
          </span>
        </p>
        {lack === "" ? null : <p className="warn small">not enough data: {lack}</p>}
      </div>
    </section>
  );
}
