// How unevenly a cost falls: the Lorenz curve, from the cheapest customer to the dearest, against the line on which all would cost the same. Not here: a
// table of customers. Invariant: its points are the API's; what it shows is said in words, too.

import type { ReactNode } from "react";
import type { Margins } from "../margin.ts";
import { shareText } from "./values.ts";
import { plural } from "../words.ts";

const side = 200;

export function Lorenz({ of: { curve, tops, gini, customers } }: { readonly of: NonNullable<Margins["concentration"]> }): ReactNode {
  const path = curve
    .map(
      ({ customerShare, costShare }, index) => `${index === 0 ? "M" : "L"}${round(customerShare * side)} ${round(side - costShare * side)}`,
    )
    .join("");
  const words = tops.map(({ top, share }) => `the dearest ${shareText(top)} take ${shareText(share)}`).join(", ");
  return (
    <figure className="lorenz">
      <svg
        viewBox={`-1 -1 ${side + 2} ${side + 2}`}
        role="img"
        aria-label={`Of the cost of ${plural(customers, "customer")}, ${words}. Gini ${(gini ?? 0).toFixed(2)}.`}
      >
        <path className="frame" d={`M0 0V${side}H${side}`} />
        <path className="even" d={`M0 ${side}L${side} 0`} />
        <path className="under" d={`${path}L${side} ${side}Z`} />
        <path className="curve" d={path} />
      </svg>
      <figcaption className="soft small">
        <span>customers, the cheapest first</span>
        <span>share of cost, upwards; dashed: all alike</span>
      </figcaption>
    </figure>
  );
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
