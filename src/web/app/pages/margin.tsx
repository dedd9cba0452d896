// What customers, plans and features bring in and cost: in all, as a spread, with whales and losers, and growth against margin. Not here: how a curve is drawn
// (parts/). Invariant: every number is the API's; what nobody said is called unknown and stands in no margin; the view is its address.

import { Checkbox, SegmentedControl, Select, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useAnswer } from "../data.ts";
import {
  amountText,
  type By,
  day,
  daysOf,
  type Line,
  linesMax,
  marks,
  type Margins,
  monthText,
  orders,
  partText,
  rules,
  sides,
  spans,
  toOptions,
  toQuestion,
} from "../margin.ts";
import { count } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { Lorenz } from "../parts/lorenz.tsx";
import { Page } from "../parts/page.tsx";
import { CopyLine, Share, toLine } from "../parts/share.tsx";
import { Spread } from "../parts/spread.tsx";
import { Empty, Pending } from "../parts/states.tsx";
import { Usd } from "../parts/usd.tsx";
import { shareText } from "../parts/values.ts";
import { one } from "../search.ts";
import { dayMs, utcDay } from "../time.ts";
import { useView, type View } from "../view.ts";
import { plural } from "../words.ts";
import { GrowthPart } from "./growth.tsx";

const sideNames: Readonly<Record<By, string>> = { customer: "Customers", plan: "Plans", feature: "Features" };

export function MarginPage(): ReactNode {
  const view = useView("");
  const { search, nowMs } = view;
  const asked = toQuestion(search, Math.floor(nowMs / dayMs) * dayMs);
  const answer = useAnswer<Margins>("margin", asked);
  const { data } = answer;
  const line = `${toLine("margin", toOptions(asked))}${asked["losing"] === "true" ? " --losing" : ""}`;
  return (
    <Page
      title="Customers and margin"
      tools={<Share name={`margin-by-${asked.by}`} line={line} {...(data === undefined ? {} : { table: () => toTable(data) })} />}
    >
      <div className="stack" style={{ gap: 12 }}>
        <Controls view={view} by={asked.by} />
        {data === undefined ? (
          <div className="card">
            <Pending answer={answer} label="Loading the margins" rows={12} />
          </div>
        ) : data.total.keys === 0 && data.all.revenue === null && data.all.cost === "0" ? (
          <div className="card">
            <Empty title={`Nothing was paid and nothing cost (${spanText(data)})`}>
              <p>What a customer pays is said by a request, a file, what Stripe exports, or a line:</p>
              <CopyLine text={`pennyworth revenue add --customer Acme --plan pro --amount 49 --from ${day(data.sinceMs)}`} />
            </Empty>
          </div>
        ) : (
          <Answered data={data} view={view} isOld={answer.isPlaceholderData} />
        )}
      </div>
    </Page>
  );
}

function Controls({ view: { search, nowMs, change }, by }: { readonly view: View; readonly by: By }): ReactNode {
  const span = one(search["span"]) ?? "";
  const custom = span.includes("..");
  const { since = "", until } = daysOf(span, nowMs);
  const last = until === undefined ? "" : day(Date.parse(`${until}T00:00Z`) - dayMs);
  const pick = (from: string, to: string): void => {
    if (from !== "" && to !== "" && from <= to) change({ span: `${from}..${to}` });
  };
  return (
    <div className="row wrap controls">
      <SegmentedControl
        size="xs"
        aria-label="Whose margins"
        value={by}
        onChange={(side) => change({ by: side === "customer" ? undefined : side })}
        data={sides.map((side) => ({ value: side, label: sideNames[side] }))}
      />
      <Select
        size="xs"
        w={210}
        aria-label="Days, UTC"
        value={custom ? "days" : span}
        data={[...Object.entries(spans).map(([value, label]) => ({ value, label })), { value: "days", label: "From day to day" }]}
        allowDeselect={false}
        onChange={(value) => change({ span: value === "days" ? `${day(nowMs - 30 * dayMs)}..${day(nowMs - dayMs)}` : value || undefined })}
      />
      {custom ? (
        <>
          <TextInput
            size="xs"
            type="date"
            aria-label="First day"
            value={since}
            onChange={(event) => pick(event.currentTarget.value, last)}
          />
          <TextInput
            size="xs"
            type="date"
            aria-label="Last day"
            value={last}
            onChange={(event) => pick(since, event.currentTarget.value)}
          />
        </>
      ) : null}
      <span className="soft small">what is nobody’s</span>
      <Select
        size="xs"
        w={120}
        aria-label="What belongs to nobody"
        value={one(search["shared"]) ?? "none"}
        data={Object.entries(rules).map(([value, label]) => ({ value, label }))}
        allowDeselect={false}
        onChange={(value) => change({ shared: value === "none" ? undefined : (value ?? undefined) })}
      />
    </div>
  );
}

function Answered({ data, view, isOld }: { readonly data: Margins; readonly view: View; readonly isOld: boolean }): ReactNode {
  const { by, bins, concentration, quantiles, growth, known, all, withoutRevenue } = data;
  const most = known.isCostWhole ? "" : "≤ ";
  const at = (wanted: number): string => most + partText(quantiles.find(({ percent }) => percent === wanted)?.margin ?? null);
  const paying = known.keys - withoutRevenue.keys;
  return (
    <div className="stack" data-old={isOld || undefined}>
      <section className="card" aria-label="In all">
        <Tiles data={data} />
      </section>
      <div className="grid">
        {quantiles.length === 0 ? null : (
          <section className={`card ${concentration?.gini == null ? "span12" : "span8"}`} aria-labelledby="spread">
            <div className="title">
              <h2 id="spread">How margins are spread</h2>
              <p className="soft small">{plural(paying, by)} with known revenue</p>
            </div>
            <div className="body">
              <Spread bins={bins} what={by} />
              <p className="small" data-testid="quantiles">
                {paying < 10
                  ? `The lowest is ${at(10)}, half are at ${at(50)} or below, the highest is ${at(90)}.`
                  : `One in ten is at ${at(10)} or below, half at ${at(50)} or below, one in ten above ${at(90)}.`}{" "}
                Mean {most}
                {partText(data.meanMargin)}: each counts alike.
              </p>
            </div>
          </section>
        )}
        {concentration === null || concentration.gini === null ? null : (
          <section className="card span4" aria-labelledby="whales">
            <div className="title">
              <h2 id="whales">Whales</h2>
              <p className="soft small">
                Gini {concentration.gini.toFixed(2)}
                {all.isCostWhole ? "" : ", of the cost that has a price"}
              </p>
            </div>
            <div className="body">
              <Lorenz of={concentration} />
              <ul className="plainlist small">
                {concentration.tops.filter(isWhole).map(({ top, share }) => (
                  <li key={top}>
                    The dearest {shareText(top)} of {plural(concentration.customers, "customer")} take {shareText(share)} of the cost.
                  </li>
                ))}
                {concentration.dearest.slice(0, 3).map(({ customer, cost, share, isCostWhole }) => (
                  <li key={customer} className="row">
                    <span className="clip grow" title={customer}>
                      {customer}
                    </span>
                    <span className="number">
                      <Usd value={cost} mark={isCostWhole ? "" : "≥ "} /> · {shareText(share)}
                    </span>
                  </li>
                ))}
              </ul>
            </div>
          </section>
        )}
      </div>
      <Lines data={data} view={view} />
      {growth === null ? null : <GrowthPart growth={growth} all={all} view={view} />}
      {data.notes.length === 0 ? null : (
        <ul className="plainlist soft small">
          {data.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Tiles({ data }: { readonly data: Margins }): ReactNode {
  const { all, unknown, nobody, belowZero, losing, known, by } = data;
  const [margin, share] = marks[all.bound];
  const least = known.isCostWhole ? "" : "≥ ";
  return (
    <dl className="tiles pairs">
      <div className="tile">
        <dt>Gross margin</dt>
        <dd>
          <p className="figure" data-testid="gross">
            {all.grossMargin === null ? <span className="soft">not known</span> : `${margin}${partText(all.grossMargin)}`}
          </p>
          <p className="soft small">
            {all.margin === null ? "" : `${margin}${amountText(all.margin)}, `}after the cost of models; {spanText(data)}
            {all.bound === "none" ? ". It may be more or less: some revenue is unknown, some cost has no price" : ""}
          </p>
        </dd>
      </div>
      <div className="tile">
        <dt>AI cost of revenue</dt>
        <dd>
          <p className="figure" data-testid="share">
            {all.costShare === null ? <span className="soft">not known</span> : `${share}${shareText(all.costShare)}`}
          </p>
          <p className="soft small">
            <Usd value={all.cost} mark={all.isCostWhole ? "" : "≥ "} /> of{" "}
            {all.revenue === null ? "unknown revenue" : <Usd value={all.revenue} mark={all.isWhole ? "" : "≥ "} />}
          </p>
        </dd>
      </div>
      <div className="tile">
        <dt>Below zero</dt>
        <dd>
          <p className="figure" data-testid="below">
            {least}
            {count(belowZero.keys)} <span className="soft small">of {plural(known.keys, by)}</span>
          </p>
          <p className="soft small">
            {belowZero.lost === "0" ? amountText("0") : <Usd value={belowZero.lost} mark={least} />} lost on them
            {losing === null || losing.customers === 0
              ? ""
              : `; in ${monthText(losing.month)}, ${plural(losing.customers, "customer")}, ${amountText(losing.lost)}`}
          </p>
        </dd>
      </div>
      <div className="tile">
        <dt>Nobody’s, and unknown</dt>
        <dd>
          <p className="figure">
            <Usd value={nobody.left} />
          </p>
          <p className="soft small">
            {nobody.rule === "none"
              ? `belongs to no ${by === "plan" ? "customer" : by}`
              : `left of ${amountText(nobody.cost)}, the rest is divided`}
            {unknown.keys === 0
              ? ""
              : `; ${amountText(unknown.cost)} of ${plural(unknown.keys, by === "feature" ? "feature" : "customer")} whose revenue is unknown`}
          </p>
        </dd>
      </div>
    </dl>
  );
}

function Lines({ data, view: { search, change } }: { readonly data: Margins; readonly view: View }): ReactNode {
  const { by, lines, truncated, nobody } = data;
  const isShared = nobody.rule !== "none";
  return (
    <section className="card" aria-labelledby="lines">
      <div className="title">
        <h2 id="lines">{sideNames[by]}</h2>
        <div className="row wrap">
          <Checkbox
            size="xs"
            label="Only those that lose"
            checked={one(search["losing"]) === "true"}
            onChange={(event) => change({ losing: event.currentTarget.checked ? "true" : undefined })}
          />
          <Select
            size="xs"
            w={200}
            aria-label="Order"
            value={one(search["order"]) ?? "amount"}
            data={Object.entries(orders).map(([value, label]) => ({ value, label }))}
            allowDeselect={false}
            onChange={(value) => change({ order: value === "amount" ? undefined : (value ?? undefined) })}
          />
        </div>
      </div>
      {lines.length === 0 ? (
        <Empty title={one(search["losing"]) === "true" ? "None loses money" : "None in these days"}>
          <p>
            {one(search["losing"]) === "true" ? `Of ${plural(data.known.keys, by)} with known revenue, ` : ""}
            {spanText(data)}
            {data.known.isCostWhole ? "" : "; as far as their cost has a price"}
          </p>
        </Empty>
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label={`Margins by ${by}`}>
          <table className="list margins">
            <Head
              columns={[
                sideNames[by].slice(0, -1),
                ["Revenue", "number wide"],
                ["Cost", "number wide"],
                ...(isShared ? [["Of it shared", "number wide"] as const] : []),
                ["Margin", "number"],
                ["Of revenue", "number"],
                ...(by === "customer" ? [["Losing since", "wide"] as const] : []),
              ]}
            />
            <tbody>
              {lines.map((line) => (
                <Row key={line.key ?? ""} line={line} by={by} isShared={isShared} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {by === "customer" && data.losing !== null && lines.some((line) => line.losing !== null) ? (
        <p className="soft small body">
          Losing since: whole months without a break up to {monthText(data.losing.month)}, by their own cost, whatever days are asked for.
        </p>
      ) : null}
      {truncated ? <p className="soft small body">These are the first {count(linesMax)}; the figures above are of all.</p> : null}
    </section>
  );
}

function Row({ line, by, isShared }: { readonly line: Line; readonly by: By; readonly isShared: boolean }): ReactNode {
  const { key, plans, revenue, cost, shared, margin, marginShare, losing, isCostWhole } = line;
  const most = isCostWhole ? "" : "≤ ";
  const look = margin?.startsWith("-") === true ? "bad" : undefined;
  return (
    <tr data-key={key ?? ""}>
      <td>
        {key === null ? (
          <span className="soft">no plan named</span>
        ) : by === "plan" ? (
          key
        ) : (
          <Link to="/explore" search={{ filter: `${by}=${key}` } as never} className="clip" title={key}>
            {key}
          </Link>
        )}
        {by === "customer" ? <small className="soft clip">{plans.length === 0 ? "no plan" : plans.join(", ")}</small> : null}
      </td>
      <td className="number wide">{revenue === null ? <span className="warn">unknown</span> : <Usd value={revenue} />}</td>
      <td className="number wide">
        <Usd value={cost} mark={isCostWhole ? "" : "≥ "} />
      </td>
      {isShared ? (
        <td className="number wide">
          <Usd value={shared} />
        </td>
      ) : null}
      <td className="number">
        <span className={margin === null ? "warn" : look}>{margin === null ? "unknown" : <Usd value={margin} mark={most} />}</span>
      </td>
      <td className="number">
        <span className={marginShare === null ? "soft" : look}>{marginShare === null ? "—" : `${most}${partText(marginShare)}`}</span>
      </td>
      {by === "customer" ? (
        <td className="wide">
          {losing === null ? null : (
            <>
              {monthText(losing.sinceMonth)}
              {losing.isMaybeEarlier ? " or before" : ""}
              <small className="soft">
                {amountText(losing.lost)} in {plural(losing.months, "month")}
              </small>
            </>
          )}
        </td>
      ) : null}
    </tr>
  );
}

/** Less than one customer is no whale. */
const isWhole = ({ customers }: { readonly customers: number }): boolean => customers >= 1;

function spanText({ sinceMs, untilMs }: Pick<Margins, "sinceMs" | "untilMs">): string {
  return `${utcDay(sinceMs)} to ${utcDay(untilMs - 1)}, UTC`;
}

function toTable({ by, lines }: Margins): (readonly (string | number)[])[] {
  return [
    [by, "plans", "revenue", "cost", "shared", "margin", "of revenue", "losing since", "lost", "cost and margin"],
    ...lines.map((line) => [
      line.key ?? "",
      line.plans.join(", "),
      line.revenue ?? "unknown",
      line.cost,
      line.shared,
      line.margin ?? "unknown",
      line.marginShare ?? "",
      line.losing?.sinceMonth ?? "",
      line.losing?.lost ?? "",
      line.isCostWhole ? "" : "at least, at most: some cost has no price",
    ]),
  ];
}
