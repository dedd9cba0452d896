// A budget's standing as one bar: spent, held, presumed, and what is left, each with its figure. Invariant: the parts are told apart by pattern
// and by words, not by colour alone; what is over the limit begins with a line.

import type { ReactNode } from "react";
import type { Measure, Standing } from "../guard.ts";
import { add, compact, count, decimalsFor, parse, percent, share } from "../money.ts";
import { wordFor } from "../words.ts";
import { Exact, Usd } from "./usd.tsx";

/** From here on a number beside a bar is shortened: all of it is at hand. */
const longMin = 10_000_000;

const parts = ["spent", "held", "presumed"] as const;

export function Meter({ standing, measure }: { readonly standing: Standing; readonly measure: Measure }): ReactNode {
  const { allowance } = standing;
  const used = add(parts.map((part) => standing[part]));
  const isOver = parse(used) > parse(allowance);
  const whole = isOver ? used : allowance;
  const shares = parts.map((part) => [part, share(standing[part], whole)] as const);
  const said = shares.filter(([, of]) => of > 0).map(([part, of]) => `${part} ${percent(of)}`);
  const left = isOver ? "over its limit" : `left ${percent(Math.max(0, 1 - share(used, whole)))}`;
  return (
    <span className="meter" role="img" aria-label={[...said, left].join(", ")} data-measure={measure}>
      {shares.map(([part, of]) => (of === 0 ? null : <span key={part} data-part={part} style={{ width: `${of * 100}%` }} />))}
      {isOver ? <span className="beyond" style={{ left: `${share(allowance, whole) * 100}%` }} /> : null}
    </span>
  );
}

/** The figures under a bar. All of them, zeros too, so that nothing moves when one is no longer nothing. */
export function Figures({ standing, measure }: { readonly standing: Standing; readonly measure: Measure }): ReactNode {
  const decimals = measure === "money" ? decimalsFor([standing.allowance]) : 0;
  const isOver = standing.left.startsWith("-");
  return (
    <span className="figs">
      {parts.map((part) => (
        <span key={part} data-figure={part}>
          <span className="swatch" data-part={part} aria-hidden="true" />
          <span className="soft">{measure === "open" && part === "held" ? "under way" : part}</span>{" "}
          <Amount value={standing[part]} measure={measure} decimals={decimals} isBare />
        </span>
      ))}
      <span data-figure="left" className={isOver ? "bad" : undefined}>
        <span className="swatch" data-part={isOver ? "over" : "left"} aria-hidden="true" />
        <span className={isOver ? undefined : "soft"}>{isOver ? "over by" : "left"}</span>{" "}
        <Amount value={isOver ? standing.left.slice(1) : standing.left} measure={measure} decimals={decimals} isBare />
      </span>
    </span>
  );
}

/** An amount in a budget's measure. `isBare`: a number stands there without its unit. */
export function Amount({
  value,
  measure,
  decimals,
  isBare = false,
  isExact = false,
}: {
  readonly value: string;
  readonly measure: Measure;
  readonly decimals?: number;
  readonly isBare?: boolean;
  /** Every digit that is no zero: of what people have set, which is round. */
  readonly isExact?: boolean;
}): ReactNode {
  if (measure === "money") {
    const isLess = value.startsWith("-");
    const magnitude = isLess ? value.slice(1) : value;
    if (isExact) return <Exact value={magnitude} mark={isLess ? "−" : ""} />;
    return <Usd value={magnitude} decimals={decimals ?? decimalsFor([magnitude])} mark={isLess ? "−" : ""} />;
  }
  const number = Number(value);
  return (
    <span className="number" data-amount={value} title={count(number)}>
      {number < 0 ? "−" : ""}
      {isBare && Math.abs(number) >= longMin ? compact(Math.abs(number)) : count(Math.abs(number))}
      {isBare ? "" : ` ${unitOf(measure, number)}`}
    </span>
  );
}

function unitOf(measure: Exclude<Measure, "money">, number: number): string {
  if (measure === "open") return `${wordFor(number, "call")} at once`;
  return wordFor(number, measure === "tokens" ? "token" : "call");
}
