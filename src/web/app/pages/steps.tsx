// Steps of tasks as bars of money, each with what was wasted of it, and the same by kind of step. Not here: the wastes one by one (shape.tsx).
// Invariant: the bars have one scale, and what they show stands in words beside them.

import type { ReactNode } from "react";
import { compact, count, decimalsFor, percent, share } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { markOf, Usd } from "../parts/usd.tsx";
import { shareText } from "../parts/values.ts";
import { kindWords, type Shape, type ShapeStep, type ShapeSums } from "../shape.ts";
import { briefText } from "../success.ts";

export function Steps({ shape: { steps, kinds, total } }: { readonly shape: Shape }): ReactNode {
  const decimals = decimalsFor(steps.map(({ cost }) => cost));
  const most = steps[0]?.cost ?? "0";
  const known = kinds.filter(({ kind, calls }) => kind !== null && calls > 0);
  const other = kinds.find(({ kind }) => kind === null);
  return (
    <section className="card" aria-labelledby="steps">
      <div className="title">
        <h2 id="steps">By step</h2>
        {known.length === 0 ? null : (
          <p className="soft small" data-testid="kinds">
            {[
              ...known.map(({ kind, cost }) => `${kind === null ? "" : kindWords[kind]} ${percent(share(cost, total.cost))}`),
              ...(other === undefined || other.calls === 0 ? [] : [`other ${percent(share(other.cost, total.cost))}`]),
            ].join(" · ")}
          </p>
        )}
        <ul className="legend tools" aria-hidden="true">
          <li>
            <span className="swatch estimate" /> cost
          </li>
          <li>
            <span className="swatch wasted" /> wasted of it
          </li>
        </ul>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label="Steps">
        <table className="list steps">
          <Head
            columns={[
              "Step",
              ["Cost", "number"],
              ["Share", "number wide"],
              ["Wasted", "number"],
              ["Calls", "number"],
              ["Failed", "number wide"],
              ["Again", "number wide"],
              ["Tools", "number wide"],
              ["Tokens in", "number wide"],
              ["More a call", "number wide"],
              ["Window", "number wide"],
            ]}
          />
          <tbody>
            {steps.map((step) => (
              <tr key={step.step ?? ""} data-step={step.step ?? ""}>
                <th scope="row" className="free">
                  <span className={step.step === null ? "soft" : "name"}>{step.step ?? "no step"}</span>
                  <span className="soft small"> {whatText(step)}</span>
                  <span className="bar stepbar" aria-hidden="true">
                    <span style={{ width: `${share(step.cost, most) * 100}%` }} />
                    <span className="wasted" style={{ width: `${share(step.wasted, most) * 100}%` }} />
                  </span>
                </th>
                <Cells sums={step} whole={total.cost} decimals={decimals} />
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">Total</th>
              <Cells sums={total} whole={total.cost} decimals={decimals} />
            </tr>
          </tfoot>
        </table>
      </div>
    </section>
  );
}

function whatText({ kind, models }: ShapeStep): string {
  const [first, ...others] = models.filter((model) => model !== null);
  const by = first === undefined ? "" : others.length === 0 ? first : `${first} and ${count(others.length)} more`;
  return [kind === null ? "" : kindWords[kind].toLowerCase(), by].filter((text) => text !== "").join(" · ");
}

function Cells({ sums, whole, decimals }: { readonly sums: ShapeSums; readonly whole: string; readonly decimals: number }): ReactNode {
  const { growth, fill, tools, toolsUnknown, calls } = sums;
  return (
    <>
      <td className="number">
        <Usd value={sums.cost} decimals={decimals} mark={markOf(sums)} />
      </td>
      <td className="number wide soft">{sums.cost === "0" && markOf(sums) !== "" ? null : percent(share(sums.cost, whole))}</td>
      <td className="number" data-usd={sums.wasted}>
        {sums.wasted === "0" ? <span className="soft">none</span> : briefText(sums.wasted)}
      </td>
      <td className="number">{count(calls)}</td>
      <td className={`number wide${sums.failed.calls > 0 ? " bad" : " soft"}`}>{count(sums.failed.calls)}</td>
      <td className="number wide soft">{count(sums.repeated.calls)}</td>
      <td className="number wide">
        {toolsUnknown >= calls || (toolsUnknown > 0 && tools === 0) ? (
          <span className="soft">not known</span>
        ) : (
          `${toolsUnknown > 0 ? "≥ " : ""}${count(tools)}`
        )}
      </td>
      <td className="number wide">{compact(sums.inputTokens)}</td>
      <td className="number wide">{growth === null ? <span className="soft">not known</span> : count(Math.round(growth.perCall))}</td>
      <td className="number wide">{fill === null ? <span className="soft">not known</span> : shareText(fill.share)}</td>
    </>
  );
}
