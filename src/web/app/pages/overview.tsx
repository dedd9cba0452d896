// Spend now, today and this month, against before; what it goes to; what needs attention; and the latest calls.
// Invariant: what is not known is marked on the figure that lacks it.

import { Link, useNavigate } from "@tanstack/react-router";
import { memo, type ReactNode, useMemo } from "react";
import type { CallsPage, Overview as Answer, OverviewSpan, Report } from "../api.ts";
import { askDays, overviewDays as days, overviewSinceMs } from "../asks.ts";
import { useAnswer, useStatus } from "../data.ts";
import { headings, nameField, nameValue } from "../fields.ts";
import { toFirstCall } from "../first.ts";
import { Icon } from "../icons.tsx";
import { change, decimalsFor, percent, share, times, timesMin } from "../money.ts";
import { colorOf } from "../parts/canvas.ts";
import { Chart, Spark } from "../parts/chart.tsx";
import { Go } from "../parts/go.tsx";
import { Page } from "../parts/page.tsx";
import { CopyLine } from "../parts/share.tsx";
import { Empty, Failed, Waiting } from "../parts/states.tsx";
import { Unreal } from "../parts/unreal.tsx";
import { atLeast, Exact, markOf, Usd } from "../parts/usd.tsx";
import { CallRows } from "../parts/rows.tsx";
import { next, type Series, toSeries } from "../series.ts";
import { toIso, zone } from "../time.ts";
import { plural } from "../words.ts";
import { Attention } from "./attention.tsx";
import { Succeeded } from "./succeeded.tsx";
import { useComputedColorScheme } from "@mantine/core";

export function Overview(): ReactNode {
  const overview = useAnswer<Answer>("overview", { zone });
  const calls = useAnswer<CallsPage>("calls", { limit: 8 });
  const status = useStatus();
  if (overview.isError && overview.data === undefined)
    return (
      <Page title="Overview">
        <div className="card">
          <Failed error={overview.error} onRetry={() => void overview.refetch()} />
        </div>
      </Page>
    );
  if (calls.data?.calls.length === 0 && (overview.data?.month.now.periodCost ?? "0") === "0")
    return (
      <Page title="Overview">
        <div className="card">
          <Empty title="No call is on record yet">
            <p>Point a client's base URL at {location.origin}/v1, or make a first call here:</p>
            <CopyLine text={toFirstCall(status.data)} />
            <p className="small">It is answered by the built-in sandbox where no provider has a credential, and costs no real money.</p>
          </Empty>
        </div>
      </Page>
    );
  const { data } = overview;
  return (
    <Page title="Overview">
      <div className="grid">
        <section className="card span12" aria-label="Spend">
          {data === undefined ? <Waiting label="Loading the figures" rows={3} /> : <Tiles overview={data} />}
        </section>
        <Days />
        <Attention found={data?.attention} guard={data?.guard} gaps={data?.gaps} sinceMs={data?.month.sinceMs ?? null} />
        {(data?.goesTo ?? []).map((goes, index, all) => (
          <GoesTo key={goes.field} goes={goes} whole={data?.month.now.cost ?? "0"} width={widthOf(index, all.length)} />
        ))}
        <Succeeded isReady={data !== undefined && calls.data !== undefined} />
        <section className="card span12" aria-labelledby="latest">
          <div className="title">
            <h2 id="latest">Latest calls</h2>
            <div className="tools">
              <Link to="/calls" className="small">
                All calls
              </Link>
            </div>
          </div>
          {calls.data === undefined ? <Waiting label="Loading the calls" /> : <Latest calls={calls.data.calls} />}
        </section>
      </div>
    </Page>
  );
}

const Latest = memo(CallRows);

function Tiles({ overview }: { readonly overview: Answer }): ReactNode {
  const heights = overview.hours.map(({ cost }) => Number(cost));
  return (
    <dl className="tiles">
      <Tile
        name="Last 60 minutes"
        span={overview.hour}
        against="the 60 minutes before"
        within="in the 60 minutes before"
        search={{ span: "1h" }}
      />
      <Tile
        name="Today"
        span={overview.today}
        against="yesterday by this time"
        within="yesterday by this time"
        search={{ span: "today" }}
        spark={heights}
      />
      <Tile
        name="This month"
        span={overview.month}
        against="last month by this day"
        within="last month by this day"
        search={{ span: "month" }}
      />
    </dl>
  );
}

function Tile({
  name,
  span,
  against,
  within,
  search,
  spark,
}: {
  readonly name: string;
  readonly span: OverviewSpan;
  readonly against: string;
  readonly within: string;
  readonly search: { readonly span: string };
  readonly spark?: readonly number[];
}): ReactNode {
  const { now, before } = span;
  const by = change(now.cost, before.sums.cost);
  return (
    <div className="tile">
      <dt className="row">
        <Link to="/explore" search={{ ...search, by: "model" }}>
          {name}
        </Link>
        <span className="small end">{plural(now.calls, "call")}</span>
      </dt>
      <dd>
        <div className="row figures">
          <p className="figure" data-figure={name}>
            <Exact value={now.cost} mark={markOf(now)} />
          </p>
          {spark === undefined ? null : <Spark heights={spark} width={240} />}
        </div>
        <p className="soft small">
          {by === null ? (
            before.sums.calls === 0 ? (
              `nothing ${within}`
            ) : (
              `no price is known of ${within}`
            )
          ) : by === 0 ? (
            `about as much as ${against}`
          ) : (
            <span title={`${against}: $${before.sums.cost}`}>
              <span className="delta">
                <Icon name={by < 0 ? "fall" : "up"} size={12} />
                {by >= timesMin ? times(by) : `${percent(Math.abs(by) / 100)} ${by < 0 ? "less" : "more"}`}
              </span>{" "}
              {by >= timesMin ? "as much as" : "than"} {against}
            </span>
          )}
          {now.cost === before.sums.cost ? null : (
            <>
              {" "}
              <Link to="/why" className="inline" search={toWhy(span)} aria-label={`Why ${name.toLowerCase()} is not what it was before`}>
                Why?
              </Link>
            </>
          )}
        </p>
        <Unreal query={{ since: toIso(span.sinceMs), until: toIso(span.untilMs) }} />
        {now.periodCost === "0" && now.periodUnpriced === 0 ? null : (
          <Link to="/work" search={{ span: search.span }} className="small under">
            {now.periodCost === "0" ? (
              "charges of periods without a price"
            ) : (
              <>
                of which charges of periods: <Usd value={now.periodCost} mark={now.periodUnpriced > 0 ? atLeast : ""} />
              </>
            )}
          </Link>
        )}
      </dd>
    </div>
  );
}

/** The same two spans, driver by driver. */
function toWhy({ sinceMs, untilMs, before }: OverviewSpan): { readonly span: string; readonly against: string } {
  return { span: `${toIso(sinceMs)}..${toIso(untilMs)}`, against: `${toIso(before.sinceMs)}..${toIso(before.untilMs)}` };
}

/** The last thirty days by model. The chart is drawn when its own answer changes, not with every other of the page. */
const Days = memo(function Days(): ReactNode {
  const navigate = useNavigate();
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const sinceMs = overviewSinceMs();
  const report = useAnswer<Report>("report", askDays(sinceMs));
  const { data } = report;
  const series = useMemo<Series | null>(
    () =>
      data === undefined
        ? null
        : toSeries(data, { bucket: "day", fields: ["model"], measure: "cost", span: { sinceMs, untilMs: null }, nowMs: Date.now() }),
    [data, sinceMs],
  );
  return (
    <section className="card span8" aria-labelledby="days">
      <div className="title">
        <h2 id="days">Last {days} days, by model</h2>
        <div className="tools small soft">
          <Unreal query={{ since: toIso(sinceMs) }} />
          {report.data === undefined ? null : <Usd value={report.data.total.cost} mark={markOf(report.data.total)} />}
          <Link to="/explore" search={{ by: "model", span: "30d" }}>
            Explore
          </Link>
        </div>
      </div>
      <div className="body fills">
        {report.isError && report.data === undefined ? (
          <Failed error={report.error} onRetry={() => void report.refetch()} />
        ) : series === null ? (
          <Waiting label="Loading the chart" />
        ) : (
          <>
            <Chart
              series={series}
              measure="cost"
              kind="stack"
              height={232}
              fills
              label={`Cost per day by model over the last ${days} days`}
              onPick={(atMs) => void navigate({ to: "/calls", search: { span: `${toIso(atMs)}..${toIso(next("day", atMs))}` } })}
            />
            <ul className="legend">
              {series.lines.map((line, index) => (
                <li key={line.key} title={line.name}>
                  <span className="swatch" style={{ background: colorOf(scheme, index, line.isRest) }} />
                  <span className="clip">{line.name}</span>
                  {line.sum === null ? null : <Usd value={line.sum} />}
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </section>
  );
});

/** Three in a row; the last row is filled by those it has. */
function widthOf(index: number, number: number): "third" | "span6" | "span12" {
  const rest = number % 3;
  if (rest === 0 || index < number - rest) return "third";
  return rest === 1 ? "span12" : "span6";
}

/** Drawn when its own part of the answer changes: its links are dear. */
const GoesTo = memo(function GoesTo({
  goes,
  whole,
  width,
}: {
  readonly goes: Answer["goesTo"][number];
  readonly whole: string;
  readonly width: string;
}): ReactNode {
  const { field } = goes;
  const rows = goes.rows.slice(0, 6);
  const decimals = decimalsFor(rows.map((row) => row.cost));
  const id = `goes-${field}`;
  return (
    <section className={`card ${width}`} aria-labelledby={id}>
      <div className="title">
        <h2 id={id}>{headings[field] ?? nameField(field)}</h2>
        <div className="tools small soft">
          this month
          <Link to="/explore" search={{ by: field, span: "month" }} aria-label={`Explore by ${nameField(field).toLowerCase()}`}>
            Explore
          </Link>
        </div>
      </div>
      {rows.length === 0 ? (
        <Empty title="Nothing this month" />
      ) : (
        <ul className="ranks">
          {rows.map((row) => (
            <li key={row.value ?? ""}>
              <Go path="/explore" search={{ by: "model", span: "month", filter: `${field}=${row.value ?? ""}` }} className="rank">
                <span className={`grow clip${row.value === null ? " soft" : ""}`} title={row.value ?? undefined}>
                  {nameValue(field, row.value)}
                </span>
                <span>
                  <Usd value={row.cost} decimals={decimals} mark={markOf(row)} />
                </span>
                <span className="soft part">{percent(share(row.cost, whole))}</span>
              </Go>
              <span className="bar" aria-hidden="true">
                <span style={{ width: `${share(row.cost, whole) * 100}%` }} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
});
