// The rates in force of one model: classes down, tiers across, and under the table every version with its source. Not here: other times and other
// sources (price.tsx, history.tsx). Invariant: a class that is charged as another is said to be, and no rate stands without its version.

import { useQueries } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ask } from "../api.ts";
import { compareClasses, nameClass, type PricedModels, type PriceLine, type PricesInForce, rateWords } from "../book.ts";
import { useAnswer } from "../data.ts";
import { Icon } from "../icons.tsx";
import { count } from "../money.ts";
import { type Column, Head } from "../parts/head.tsx";
import { Empty } from "../parts/states.tsx";
import { Exact } from "../parts/usd.tsx";
import { exactMoment, utcDay } from "../time.ts";
import { plural } from "../words.ts";

export interface Asked {
  readonly provider: string;
  readonly model: string;
  readonly at: string | undefined;
  readonly known: string | undefined;
}

export function InForce({ standard, asked }: { readonly standard: PricesInForce; readonly asked: Asked }): ReactNode {
  const listed = useAnswer<PricedModels>(
    "prices/models",
    { provider: standard.pricesOf, search: standard.model, at: asked.at, known: asked.known },
    { live: false },
  );
  const tiers = listed.data?.models.find(({ model }) => model === standard.model)?.tiers.filter((tier) => tier !== "standard") ?? [];
  const others = useQueries({
    queries: tiers.map((tier) => ({
      queryKey: ["prices", { ...asked, tier }],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => ask<PricesInForce>("prices", { ...asked, tier }, signal),
    })),
  });
  const found = [standard, ...others.flatMap(({ data }) => (data === undefined ? [] : [data]))];
  return (
    <section className="card" aria-labelledby="force">
      <div className="title">
        <h2 id="force">In force</h2>
        <p className="soft small">
          {asked.at === undefined ? exactMoment(standard.atMs) : `${utcDay(standard.atMs)}, 00:00 UTC`}
          {asked.known === undefined ? "" : `, as known on ${asked.known}`}
        </p>
      </div>
      <p className="small body" data-testid="rule">
        {standard.model === asked.model ? "" : `${asked.model} is priced as ${standard.model}`}
        {standard.pricesOf === asked.provider ? "" : ` in the list of ${standard.pricesOf}`}
        {standard.model === asked.model && standard.pricesOf === asked.provider ? "" : ". "}
        Rule: {standard.rule}.{standard.contextWindow === null ? "" : ` Context window: ${count(standard.contextWindow)} tokens.`}
      </p>
      {found.every(({ lines }) => lines.length === 0) ? (
        <Empty title="No price is in force">
          <p>The book knows the model, and has no price of it at this time.</p>
        </Empty>
      ) : (
        <>
          <Matrix tiers={found} />
          <Versions tiers={found} />
        </>
      )}
    </section>
  );
}

function Matrix({ tiers }: { readonly tiers: readonly PricesInForce[] }): ReactNode {
  const rows = toRows(tiers);
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Rates in force">
      <table className="list">
        <Head columns={["Class", ...tiers.map(({ tier }): Column => [tier, "number"])]} />
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.class} ${row.aboveTokens}`} data-class={row.class} data-above={row.aboveTokens}>
              <th scope="row">
                {nameClass(row.class)}
                {row.aboveTokens > 0 ? <span className="soft"> above {count(row.aboveTokens)} tokens in</span> : null}{" "}
                <span className="soft small">per {row.per}</span>
                {row.also.length === 0 ? null : (
                  <small className="soft under also">and, charged as it: {row.also.map(nameClass).join(", ")}</small>
                )}
              </th>
              {tiers.map(({ tier, lines }) => {
                const line = lines.find((one) => one.class === row.class && one.aboveTokens === row.aboveTokens);
                return (
                  <td key={tier} className="number" data-tier={tier}>
                    {line === undefined ? <span className="soft">—</span> : <Rate line={line} />}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Rate({ line }: { readonly line: PriceLine }): ReactNode {
  return (
    <>
      {line.rateUsd === null ? `${line.ratePico}/${line.ratePer} × 10⁻¹² $` : <Exact value={line.rateUsd} />}
      <small className="soft under" title={line.version}>
        {listOf(line.version)}
      </small>
    </>
  );
}

function Versions({ tiers }: { readonly tiers: readonly PricesInForce[] }): ReactNode {
  const found = new Map(tiers.flatMap(({ lines }) => lines.map((line) => [line.version, line.source] as const)));
  const sources = [...new Set(found.values())];
  return (
    <details>
      <summary className="small soft">
        <Icon name="right" size={12} /> {plural(found.size, "price version")} of {plural(sources.length, "source")}: what a charge names for
        ever
      </summary>
      <dl className="versions small">
        {sources.map((source) => (
          <div key={source}>
            <dt>{source}</dt>
            {[...found]
              .filter(([, one]) => one === source)
              .map(([version]) => (
                <dd key={version}>
                  <code className="soft">{version}</code>
                </dd>
              ))}
          </div>
        ))}
      </dl>
    </details>
  );
}

interface RateRow {
  readonly class: string;
  readonly aboveTokens: number;
  readonly per: string;
  /** Classes without a price of their own, which are charged as this one. */
  readonly also: readonly string[];
}

/** One row for each class and step that has a price of its own in some tier. */
export function toRows(tiers: readonly Pick<PricesInForce, "lines">[]): readonly RateRow[] {
  const rows = new Map<string, RateRow>();
  const also = new Map<string, Set<string>>();
  for (const { lines } of tiers)
    for (const { class: name, aboveTokens, rateUnits, version } of lines) {
      const priced = pricedAs(version) ?? name;
      // A rule may derive a price of another class's: then it is of its own, and its version too.
      const isOwn = priced === name || !lines.some((line) => line.class === priced && line.version === version);
      if (isOwn) rows.set(`${name} ${aboveTokens}`, { class: name, aboveTokens, per: rateWords(name, rateUnits), also: [] });
      else also.set(priced, (also.get(priced) ?? new Set()).add(name));
    }
  const own = new Set([...rows.values()].map((row) => row.class));
  for (const [place, row] of rows) {
    const others = [...(also.get(row.class) ?? [])].filter((name) => !own.has(name));
    if (row.aboveTokens === 0 && others.length > 0) rows.set(place, { ...row, also: others });
  }
  return [...rows.values()].toSorted((a, b) => compareClasses(a.class, b.class) || a.aboveTokens - b.aboveTokens);
}

/** The class whose price a version is of. */
function pricedAs(version: string): string | null {
  return /#([a-z0-9_]+)/.exec(version)?.[1] ?? null;
}

/** SOURCE@VERSION of a price's version. */
function listOf(version: string): string {
  return version.split("/")[0] ?? version;
}
