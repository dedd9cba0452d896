// What became of a call's cost after it was charged: corrections by re-ratings, and what was booked for a closed month. Invariant: the
// original stands, and which of them is in force is said in words.

import type { ReactNode } from "react";
import type { Amended, Receipt } from "../api.ts";
import { Head } from "../parts/head.tsx";
import { atLeast, Exact } from "../parts/usd.tsx";
import { Signed } from "../parts/signed.tsx";
import { exactMoment } from "../time.ts";

export function Amendments({ receipt: { original, corrections, bookings } }: { readonly receipt: Receipt }): ReactNode {
  if (original === null && corrections.length + bookings.length === 0) return null;
  return (
    <section className="card" aria-labelledby="amended">
      <div className="title">
        <h2 id="amended">What became of it</h2>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label="What became of it">
        <table className="list">
          <Head columns={["When", "What", ["Cost", "number"]]} />
          <tbody>
            {original === null ? null : (
              <tr>
                <th scope="row">at its end</th>
                <td>charged</td>
                <td className="number">
                  <Sum of={original} />
                </td>
              </tr>
            )}
            {corrections.map((one) => (
              <tr key={`${one.rerate} ${one.atMs}`}>
                <th scope="row">{exactMoment(one.atMs)}</th>
                <td>
                  re-rated <span className="soft">{one.holds ? "· in force" : "· no more in force"}</span>
                </td>
                <td className="number">
                  <Sum of={one} />
                </td>
              </tr>
            ))}
            {bookings.map((one) => (
              <tr key={one.id}>
                <th scope="row">{exactMoment(one.atMs)}</th>
                <td>
                  booked <span className="soft">· for {one.month}, which is closed</span>
                </td>
                <td className="number">
                  <Signed value={one.cost} decimals={12} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Sum({ of: { total, unpriced } }: { readonly of: Amended }): ReactNode {
  if (unpriced.length > 0 && total === "0") return <span className="warn">unknown</span>;
  return <Exact value={total} mark={unpriced.length > 0 ? atLeast : ""} />;
}
