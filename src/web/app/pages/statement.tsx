// The result of one comparison: stated, ledger and gap; its causes as a waterfall; and every row by day, model and class. Not here: bringing
// files (statements.tsx). Invariant: amounts are the API's, and the gap is stated less ledger.

import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import type { Reconciliation, ReconciledRow } from "../audit.ts";
import { nameClass } from "../book.ts";
import { count, exact } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { quote, Share, toLine } from "../parts/share.tsx";
import { Empty } from "../parts/states.tsx";
import { Signed, signOf } from "../parts/signed.tsx";
import { Exact, Usd } from "../parts/usd.tsx";
import { Waterfall } from "../parts/waterfall.tsx";
import { dayMs, utcDay } from "../time.ts";

const rowsFirst = 60;

export function StatementResult({ result }: { readonly result: Reconciliation }): ReactNode {
  const { provider, stated, valued, ledger, gap, gapPercent, notes, models, foreign } = result;
  const compared = stated ?? valued;
  const falls = result.causes.map(({ kind, title, amount, why }) => ({ key: kind, name: sentence(title), why: why.join("; "), amount }));
  const remarks = [
    ...notes,
    ...(models.statedOnly.length === 0 ? [] : [`Only the provider has: ${models.statedOnly.join(", ")}.`]),
    ...(models.ledgerOnly.length === 0 ? [] : [`Only the ledger has: ${models.ledgerOnly.join(", ")}.`]),
    ...foreign.map(({ currency, amount, ledger: own }) => `${amount} ${currency} stated; the ledger has ${exact(own)} of the same usage.`),
  ];
  return (
    <>
      <section className="card" aria-labelledby="result">
        <div className="title">
          <h2 id="result">
            {provider}, {nameDays(result)}
          </h2>
          <p className="soft small clip" title={result.files.join(", ")}>
            {result.title}
          </p>
          <div className="tools">
            <Share
              name={`statement-${provider}-${result.from}`}
              line={toLine(`reconcile ${result.files.map(quote).join(" ")}`, [["provider", provider]])}
              table={() => toTable(result.rows)}
            />
          </div>
        </div>
        <dl className="tiles">
          <div className="tile">
            <dt>{stated === null && valued !== null ? "Its quantities, at the ledger's prices" : "Stated by the provider"}</dt>
            <dd className="figure" data-testid="stated">
              {compared === null ? <span className="soft">no amounts</span> : <Exact value={compared} />}
            </dd>
          </div>
          <div className="tile">
            <dt>In the ledger</dt>
            <dd className="figure" data-testid="ledger">
              <Exact value={ledger} />
            </dd>
          </div>
          <div className="tile">
            <dt>Gap</dt>
            <dd className="figure" data-testid="gap">
              {gap === null ? (
                <span className="soft">—</span>
              ) : (
                <>
                  {signOf(gap)}
                  <Exact value={gap.replace("-", "")} />
                </>
              )}
            </dd>
            <dd className="soft small">{namePercent(gapPercent)}</dd>
          </div>
        </dl>
        {remarks.length === 0 ? null : (
          <ul className="notes">
            {remarks.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        )}
        {compared === null ? null : falls.length === 0 ? (
          <Empty title="They agree">
            <p>The statement and the ledger say the same, to the last digit.</p>
          </Empty>
        ) : (
          <Waterfall
            from={{ name: "In the ledger", amount: ledger }}
            to={{ name: stated === null ? "Its quantities" : "Stated", amount: compared }}
            falls={falls}
          />
        )}
      </section>
      <Rows rows={result.rows} rowCount={result.rowCount} />
    </>
  );
}

/** `1 Oct 2026 – 31 Oct 2026`: the last day is in it. */
export function nameDays({ from, to }: { readonly from: string; readonly to: string }): string {
  const [first, last] = [utcDay(Date.parse(from)), utcDay(Date.parse(to) - dayMs)];
  return first === last ? first : `${first} – ${last}`;
}

/** The API's own figure, with its sign, to a hundredth. */
/** @param isValued nothing is stated in dollars, and the statement's quantities are valued at the ledger's prices. */
export function namePercent(gapPercent: string | null, isValued = false): string {
  if (gapPercent === null) return "nothing is stated in dollars";
  const of = isValued ? "its quantities at the ledger's prices" : "what is stated";
  const size = gapPercent.replace("-", "") as `${number}`;
  // A difference is no nought, however small.
  const shown = Number(size) > 0 && Number(size) < 0.005 ? `<${hundredths.format(0.01)}` : hundredths.format(size);
  return `${signOf(gapPercent)}${shown}% of ${of}`;
}

const hundredths = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

function sentence(text: string): string {
  return `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}`;
}

function Rows({ rows, rowCount }: { readonly rows: readonly ReconciledRow[]; readonly rowCount: number }): ReactNode {
  const [most, setMost] = useState(rowsFirst);
  if (rows.length === 0) return null;
  return (
    <section className="card" aria-labelledby="rows">
      <div className="title">
        <h2 id="rows">By day, model and class</h2>
        <p className="soft small">the largest gap first</p>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label="Rows by day, model and class">
        <table className="list">
          <Head
            columns={[["Day", "wide"], "Model", ["Class", "wide"], ["Stated", "number wide"], ["Ledger", "number wide"], ["Gap", "number"]]}
          />
          <tbody>
            {rows.slice(0, most).map((row) => (
              <tr key={`${row.from} ${row.to} ${row.model} ${row.class} ${row.item}`}>
                <td className="when wide">{nameDays(row)}</td>
                <th scope="row">
                  <span className="clip">{row.model ?? row.item ?? <span className="soft">all models</span>}</span>
                  <span className="narrow soft small">{row.class === null ? "all classes" : nameClass(row.class)}</span>
                  <span className="narrow soft small">{nameDays(row)}</span>
                </th>
                <td className="wide">{row.class === null ? <span className="soft">not told apart</span> : nameClass(row.class)}</td>
                <Both measure={row.stated} />
                <Both measure={row.ledger} />
                <td className="number">
                  {row.gap.cost === null ? null : <Signed value={row.gap.cost} decimals={6} />}
                  {row.gap.quantity === null ? null : (
                    <small className="soft under">
                      {row.gap.quantity > 0 ? "+" : ""}
                      {count(row.gap.quantity)}
                    </small>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > most || rowCount === rows.length ? null : (
        <p className="soft small more">
          The {count(rows.length)} rows with the largest gaps of {count(rowCount)}.
        </p>
      )}
      {rows.length <= most ? null : (
        <div className="more">
          <Button size="xs" variant="default" onClick={() => setMost(most * 5)}>
            More of {count(rows.length)} rows
          </Button>
        </div>
      )}
    </section>
  );
}

function Both({ measure: { cost, quantity } }: { readonly measure: ReconciledRow["stated"] }): ReactNode {
  return (
    <td className="number wide">
      {cost === null ? quantity === null ? <span className="soft">—</span> : null : <Usd value={cost} decimals={6} />}
      {quantity === null ? null : <small className={cost === null ? "under" : "soft under"}>{count(quantity)}</small>}
    </td>
  );
}

function toTable(rows: readonly ReconciledRow[]): (string | number)[][] {
  const head = [
    "from",
    "to",
    "model",
    "class",
    "item",
    "stated quantity",
    "stated cost",
    "ledger quantity",
    "ledger cost",
    "gap quantity",
    "gap cost",
  ];
  const lines = rows.map(({ from, to, model, class: name, item, stated, ledger, gap }) => [
    from,
    to,
    model ?? "",
    name ?? "",
    item ?? "",
    ...[stated, ledger, gap].flatMap(({ quantity, cost }) => [quantity ?? "", cost ?? ""]),
  ]);
  return [head, ...lines];
}
