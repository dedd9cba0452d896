// On a receipt: the budgets that the call was under, what was held for it, and what it took. Not here: refused calls (refused.tsx).

import type { ReactNode } from "react";
import { useAnswer } from "../data.ts";
import type { Place, Why } from "../guard.ts";
import { Exact } from "../parts/usd.tsx";
import { BudgetLink, placeName } from "./refusals.tsx";

/** @param isMarked whether the call's start names budgets: only then is the guard asked. */
export function UnderBudgets({ call, isMarked }: { readonly call: string; readonly isMarked: boolean }): ReactNode {
  const { data, isError } = useAnswer<Why>(`guard/why/${encodeURIComponent(call)}`, {}, { enabled: isMarked });
  if (!isMarked) return null;
  return (
    <section className="card" aria-labelledby="under">
      <div className="title">
        <h2 id="under">Budgets it was under</h2>
      </div>
      {isError ? (
        <p className="soft small body">It is too long ago for the guard to remember; the journal names them.</p>
      ) : data === undefined || data.kind === "refused" ? (
        <p className="soft small body">…</p>
      ) : (
        <>
          <dl className="facts body">
            <dt>Held for it</dt>
            <dd>{data.bound === null ? <span className="warn">no bound known</span> : <Exact value={data.bound} />}</dd>
            <dt>It took</dt>
            <dd>
              {data.taken === null ? (
                <span className="soft">not known yet</span>
              ) : (
                <>
                  <Exact value={data.taken} />
                  {data.kind === "presumed" ? <span className="warn"> presumed</span> : null}
                </>
              )}
            </dd>
          </dl>
          <Places name="" places={data.budgets} />
          <Places name="Let it in without a bound, and do not cover it" places={data.uncovered} />
          <Places name="Would have refused it, were they hard" places={data.warned} />
        </>
      )}
    </section>
  );
}

function Places({ name, places }: { readonly name: string; readonly places: readonly Place[] }): ReactNode {
  if (places.length === 0) return null;
  return (
    <div className="body">
      {name === "" ? null : <p className="soft small">{name}</p>}
      <ul className="plainlist">
        {places.map((place) => (
          <li key={placeName(place)}>
            <BudgetLink place={place} />
          </li>
        ))}
      </ul>
    </div>
  );
}
