// A call's receipt: each cent explained. Class × quantity × price = cost, where each came from, what is not sure, and all that is on record.

import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Attribution, Receipt, ReceiptLine } from "../api.ts";
import { useAnswer } from "../data.ts";
import { Head } from "../parts/head.tsx";
import { Amendments } from "./amended.tsx";
import { NoReceipt } from "./refused.tsx";
import { UnderBudgets } from "./under.tsx";
import { nameField } from "../fields.ts";
import { Icon } from "../icons.tsx";
import { count, share } from "../money.ts";
import { Page } from "../parts/page.tsx";
import { Copy, Share, toLine } from "../parts/share.tsx";
import { Waiting } from "../parts/states.tsx";
import { Status } from "../parts/status.tsx";
import { Unreal, UnrealCall } from "../parts/unreal.tsx";
import { atLeast, Exact } from "../parts/usd.tsx";
import { duration, exactMoment } from "../time.ts";

const units: Readonly<Record<string, string>> = {
  token: "tokens",
  use: "uses",
  page: "pages",
  request: "requests",
  second: "seconds",
  millisecond: "milliseconds",
  image: "images",
  token_second: "token seconds",
};

const sources = {
  reported: "reported by the provider",
  partial: "last reported before the answer broke off",
  estimated: "estimated",
  presumed: "presumed at its bound",
} as const;

export function ReceiptPage(): ReactNode {
  const { id } = useParams({ from: "/calls/$id" });
  const receipt = useAnswer<Receipt>(`calls/${encodeURIComponent(id)}/receipt`, {}, { live: true });
  const { data } = receipt;
  return (
    <Page
      title={`Receipt of ${data?.call ?? id}`}
      heading={
        <>
          Receipt <span className="mono soft id">{data?.call ?? id}</span>
        </>
      }
      tools={
        data === undefined ? undefined : (
          <>
            <Share
              name={`receipt-${data.call}`}
              line={toLine("receipt", []).concat(` ${data.call}`)}
              table={() => [
                ["class", "part", "quantity", "unit", "source", "model", "rate $", "per units", "cost $", "price version", "price source"],
                ...data.lines.map((line) => [
                  line.class,
                  line.part,
                  line.quantity,
                  line.unit,
                  line.source,
                  line.model,
                  line.rateUsd ?? `${line.ratePico}/${line.ratePer} picodollars`,
                  line.rateUnits,
                  line.cost,
                  line.price,
                  line.priceSource ?? "",
                ]),
              ]}
            />
            <Copy text={data.call} label="Copy the id" />
          </>
        )
      }
    >
      {receipt.isError && data === undefined ? (
        <NoReceipt id={id} error={receipt.error} onRetry={() => void receipt.refetch()} />
      ) : data === undefined ? (
        <div className="card">
          <Waiting label="Loading the receipt" rows={10} />
        </div>
      ) : (
        <Sheet receipt={data} />
      )}
    </Page>
  );
}

function Sheet({ receipt }: { readonly receipt: Receipt }): ReactNode {
  const { start, end } = receipt;
  const attribution = start?.attribution;
  const asked = start?.modelAsked ?? null;
  const sent = start?.modelSent ?? asked;
  const answered = end?.modelAnswered ?? null;
  return (
    <div className="grid">
      <div className="span8 stack">
        <section className="card" aria-labelledby="lines">
          <div className="title" style={{ paddingTop: 16 }}>
            <div>
              <h2 id="lines" className="hidden">
                Lines
              </h2>
              <p className="soft small">{receipt.unpriced.length > 0 ? "Total of what is priced" : "Total"}</p>
              <p className="figure big" data-testid="total">
                {receipt.status === "open" ? (
                  "not known yet"
                ) : receipt.unpriced.length > 0 && receipt.lines.length === 0 ? (
                  "unknown"
                ) : (
                  <Exact value={receipt.total} mark={receipt.unpriced.length > 0 ? atLeast : ""} />
                )}
              </p>
              {receipt.total === "0" ? null : start === null ? (
                // Only a later witness knows of it, a batch's line say: whose it is stands with its charges.
                <Unreal query={{ filter: `call=${receipt.call}` }} />
              ) : (
                <UnrealCall provider={start.provider} />
              )}
            </div>
            <div className="tools">
              <Status status={receipt.status} http={end?.httpStatus ?? null} />
            </div>
          </div>
          {receipt.notes.length === 0 ? null : (
            <ul className="notes">
              {receipt.notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          )}
          {receipt.lines.length + receipt.unpriced.length === 0 ? null : <Lines receipt={receipt} />}
          {receipt.status === "open" ? null : (
            <p className={`small proof ${receipt.recomputed ? "good" : "bad"}`}>
              <Icon name={receipt.recomputed ? "check" : "warn"} size={14} />
              {receipt.lines.length === 0
                ? "No line: there is nothing to charge."
                : receipt.recomputed
                  ? "Recomputed just now: every line is quantity × price, and their sum is the total."
                  : "A line does not recompute."}
            </p>
          )}
        </section>
        <Amendments receipt={receipt} />
        {receipt.usage === null ? null : (
          <section className="card" aria-labelledby="usage">
            <div className="title">
              <h2 id="usage">The provider's own usage, word for word</h2>
              <div className="tools">
                <Copy text={receipt.usage} label="Copy" />
              </div>
            </div>
            <div className="body">
              <pre className="code" tabIndex={0} aria-label="Usage as the provider sent it">
                {pretty(receipt.usage)}
              </pre>
            </div>
          </section>
        )}
      </div>
      <div className="span4 stack">
        <section className="card" aria-labelledby="call">
          <div className="title">
            <h2 id="call">The call</h2>
          </div>
          <dl className="facts body">
            <Fact name="Provider" value={start?.provider} />
            {asked === answered && sent === asked ? (
              <Fact name="Model" value={asked} />
            ) : (
              <>
                <Fact name="Model asked for" value={asked} />
                {sent === asked ? null : <Fact name="Model sent" value={sent} />}
                <Fact name="Model answered" value={answered} warn={answered !== null && sent !== null && answered !== sent} />
              </>
            )}
            <Fact name="Started" value={start === null ? null : exactMoment(start.startMs)} />
            <Fact name="Took" value={start === null || end === null ? null : duration(end.endMs - start.startMs)} />
            <Fact
              name="First token after"
              value={start === null || end === null || end.firstTokenMs === null ? null : duration(end.firstTokenMs - start.startMs)}
            />
            <Fact name="Try" value={start === null ? null : start.attempt === 1 ? "first" : `${start.attempt}, a ${start.reason}`} />
            <Fact name="Error" value={end?.error} warn />
            {end?.costReported === undefined ? null : (
              <>
                <dt>Provider's own figure</dt>
                <dd>
                  <Exact value={end.costReported} />
                </dd>
              </>
            )}
          </dl>
        </section>
        <UnderBudgets call={receipt.call} isMarked={start?.["guard"] !== undefined} />
        <section className="card" aria-labelledby="for">
          <div className="title">
            <h2 id="for">What it was for</h2>
          </div>
          <Attributed attribution={attribution} />
        </section>
        <details className="card">
          <summary className="title">
            <Icon name="right" size={12} />
            <h2>Everything on record</h2>
          </summary>
          <dl className="facts body">
            {recorded(receipt).map(([name, value]) => (
              <Fact key={name} name={name} value={value} />
            ))}
          </dl>
        </details>
      </div>
    </div>
  );
}

function Lines({ receipt }: { readonly receipt: Receipt }): ReactNode {
  const parts = new Set(receipt.lines.map((line) => line.part)).size;
  const origins = [...new Set(receipt.lines.map((line) => line.priceSource ?? `price version ${line.price}`))];
  const isAlike = receipt.lines.every((line) => line.source === "reported");
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Lines of the receipt">
      <table className="list receipt">
        <Head columns={["Class", ["Quantity", "number"], ["× Price", "number"], ["= Cost", "number"]]} />
        <tbody>
          {receipt.lines.map((line) => (
            <tr key={`${line.part} ${line.class} ${line.price}`}>
              <th scope="row">
                {line.class.replaceAll("_", " ")}
                {parts > 1 ? <span className="soft"> · part {line.part + 1}</span> : null}
                <span className="bar" aria-hidden="true">
                  <span style={{ width: `${share(line.cost, receipt.total) * 100}%` }} />
                </span>
              </th>
              <td className="number">
                {count(line.quantity)}
                {isAlike ? null : <small className={line.source === "reported" ? "soft" : "warn"}>{sources[line.source]}</small>}
              </td>
              <td className="number">
                {rate(line)}
                {origins.length < 2 ? null : <small className="soft">{line.priceSource ?? `price version ${line.price}`}</small>}
              </td>
              <td className="number">
                <Exact value={line.cost} />
                {line.recomputed ? null : <small className="bad">does not recompute</small>}
              </td>
            </tr>
          ))}
          {receipt.unpriced.map((line) => (
            <tr key={`unpriced ${line.class}`}>
              <th scope="row">{line.class.replaceAll("_", " ")}</th>
              <td className="number">{line.quantity === null ? "not known" : count(line.quantity)}</td>
              <td className="number warn">{line.quantity === null ? "no bound known" : "no price known"}</td>
              <td className="number warn">unknown</td>
            </tr>
          ))}
        </tbody>
      </table>
      {receipt.lines.length === 0 ? null : (
        <p className="soft small origin">
          {isAlike ? "Quantities: reported by the provider. " : ""}
          {origins.length === 1 ? `Prices: ${origins[0]}` : ""}
        </p>
      )}
    </div>
  );
}

function rate(line: ReceiptLine): ReactNode {
  if (line.rateUsd === null)
    return (
      <>
        {line.ratePico}/{line.ratePer} × 10⁻¹² $
      </>
    );
  return (
    <>
      <Exact value={line.rateUsd} />{" "}
      <span className="soft per">/ {line.rateUnits === 1 ? line.unit : `${count(line.rateUnits)} ${units[line.unit] ?? line.unit}`}</span>
    </>
  );
}

function Fact({ name, value, warn = false }: { readonly name: string; readonly value: ReactNode; readonly warn?: boolean }): ReactNode {
  if (value === null || value === undefined || value === "") return null;
  return (
    <>
      <dt>{name}</dt>
      <dd className={warn ? "warn" : undefined}>{value}</dd>
    </>
  );
}

function Attributed({ attribution }: { readonly attribution: Attribution | undefined }): ReactNode {
  const pairs = Object.entries(attribution ?? {}).filter((pair): pair is [string, string] => typeof pair[1] === "string");
  const tags = Object.entries(attribution?.tags ?? {});
  if (pairs.length + tags.length === 0)
    return (
      <p className="soft small body">
        Nothing was said. A header like <code>x-pennyworth-customer: acme</code> says it.
      </p>
    );
  return (
    <dl className="facts body">
      {pairs.map(([field, value]) => (
        <Fact
          key={field}
          name={nameField(field)}
          value={
            field === "task" || field === "root" || field === "parent" ? (
              <Link to="/tasks/$id" params={{ id: value }}>
                {value}
              </Link>
            ) : (
              <Link to="/explore" search={{ filter: `${field}=${value}`, by: "model", span: "30d" }}>
                {value}
              </Link>
            )
          }
        />
      ))}
      {tags.map(([name, value]) => (
        <Fact
          key={`tag ${name}`}
          name={`Tag ${name}`}
          value={
            <Link to="/explore" search={{ filter: `tag.${name}=${value}`, by: "model", span: "30d" }}>
              {value}
            </Link>
          }
        />
      ))}
    </dl>
  );
}

function recorded({ start, end, witnesses }: Receipt): [string, string][] {
  const flat: [string, string][] = [];
  for (const [name, value] of Object.entries({ ...start, ...end, witnesses })) {
    if (name === "attribution" || value === null || value === undefined) continue;
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    if (text !== "[]" && text !== "{}") flat.push([name, text]);
  }
  return flat;
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
