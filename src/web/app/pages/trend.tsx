// What a model's tokens came to over time: the average paid against the list, and the price of a token beside the cost of a task. Not here: the
// list prices themselves (history.tsx). Invariant: averages are the API's, and an average of nothing has no point.

import { SegmentedControl } from "@mantine/core";
import { type ReactNode, useMemo, useState } from "react";
import type { PriceTrend, TrendBucket } from "../book.ts";
import { useAnswer } from "../data.ts";
import { compact, count, exact, percent, toAxis, toGeometry } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { Plot, type PlotLine } from "../parts/plot.tsx";
import { Empty, Pending } from "../parts/states.tsx";
import { Exact } from "../parts/usd.tsx";
import { utcDay, utcMonth } from "../time.ts";

type By = PriceTrend["by"];

const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

export function Trend({
  provider,
  model,
  known,
}: {
  readonly provider: string;
  readonly model: string;
  readonly known: string | undefined;
}): ReactNode {
  const [by, setBy] = useState<By>("month");
  const trend = useAnswer<PriceTrend>("prices/trend", { provider, model, by, known });
  const { data } = trend;
  const name = useMemo(() => nameOf(by), [by]);
  const paid = useMemo(() => (data === undefined ? [] : toPaid(data.buckets)), [data]);
  const indexed = useMemo(() => (data === undefined ? [] : toIndexed(data.buckets)), [data]);
  return (
    <section className="card" aria-labelledby="trend">
      <div className="title">
        <h2 id="trend">What was paid</h2>
        <p className="soft small">Calls rated as this model, by {by} of UTC</p>
        <div className="tools">
          <SegmentedControl
            size="xs"
            aria-label="Per"
            value={by}
            onChange={(value) => setBy(value as By)}
            data={[
              { value: "day", label: "Day" },
              { value: "week", label: "Week" },
              { value: "month", label: "Month" },
            ]}
          />
        </div>
      </div>
      {data === undefined ? (
        <Pending answer={trend} label="Loading the trend" />
      ) : data.buckets.length === 0 ? (
        <Empty title="No call of this model is on record">
          <p>Once there is one, what its tokens came to stands here against the list price.</p>
        </Empty>
      ) : (
        <>
          <div className="grid body">
            <figure className="span6" aria-labelledby="paid">
              <h3 id="paid">Average for a million tokens, paid and by the list</h3>
              <Plot
                lines={paid}
                isStepped={false}
                formatAxis={toAxis}
                nameMoment={name}
                label="Dollars for a million tokens: the average paid, and the same tokens at the standard list price"
              />
              <figcaption className="soft small">
                By the list: the same tokens at the standard price of their day, uncached and without tiers.
              </figcaption>
            </figure>
            <figure className="span6" aria-labelledby="indexed">
              <h3 id="indexed">The price of a token and the cost of a task</h3>
              <Plot
                lines={indexed}
                isStepped={false}
                formatAxis={(value) => number.format(value)}
                nameMoment={name}
                label="The average price of a token and the average cost of a task, each with its first value as 100"
              />
              <figcaption className="soft small">
                The first value of each is 100: cheaper tokens are no saving when a task takes more of them.
              </figcaption>
            </figure>
          </div>
          <Buckets buckets={data.buckets} name={name} />
        </>
      )}
    </section>
  );
}

function nameOf(by: By): (ms: number) => string {
  if (by === "month") return utcMonth;
  return by === "week" ? (ms) => `Week of ${utcDay(ms)}` : utcDay;
}

function toPaid(buckets: readonly TrendBucket[]): PlotLine[] {
  const line = (name: string, color: number, isSoft: boolean, read: (bucket: TrendBucket) => string | null): PlotLine => ({
    name,
    color,
    isSoft,
    points: buckets.map((bucket) => {
      const usd = read(bucket);
      return { ms: bucket.fromMs, height: usd === null ? null : toGeometry(usd), text: usd === null ? "—" : exact(usd) };
    }),
  });
  return [line("Paid", 0, false, ({ perMillion }) => perMillion), line("List", 1, true, ({ listPerMillion }) => listPerMillion)];
}

function toIndexed(buckets: readonly TrendBucket[]): PlotLine[] {
  const line = (name: string, color: number, read: (bucket: TrendBucket) => string | null): PlotLine => ({
    name,
    color,
    points: buckets.map((bucket) => {
      const value = read(bucket);
      return {
        ms: bucket.fromMs,
        height: value === null ? null : Number(value),
        text: value === null ? "—" : number.format(value as `${number}`),
      };
    }),
  });
  return [line("A token", 0, ({ tokenIndex }) => tokenIndex), line("A task", 1, ({ taskIndex }) => taskIndex)];
}

function Buckets({ buckets, name }: { readonly buckets: readonly TrendBucket[]; readonly name: (ms: number) => string }): ReactNode {
  return (
    <div className="scroll low" tabIndex={0} role="region" aria-label="What was paid, in numbers">
      <table className="list">
        <Head
          columns={[
            "Time",
            ["Tokens", "number wide"],
            ["Cost", "number"],
            ["Paid per 1M", "number"],
            ["List per 1M", "number wide"],
            ["Paid of list", "number wide"],
            ["Tasks", "number wide"],
            ["Cost of a task", "number wide"],
          ]}
        />
        <tbody>
          {buckets.toReversed().map((bucket) => (
            <tr key={bucket.bucket} data-bucket={bucket.bucket}>
              <th scope="row">{name(bucket.fromMs)}</th>
              <td className="number wide" title={count(bucket.tokens)}>
                {compact(bucket.tokens)}
              </td>
              <td className="number">
                <Exact value={bucket.cost} />
              </td>
              <td className="number">{bucket.perMillion === null ? <Nothing /> : <Exact value={bucket.perMillion} />}</td>
              <td className="number wide">{bucket.listPerMillion === null ? <Nothing /> : <Exact value={bucket.listPerMillion} />}</td>
              <td className="number wide">{bucket.paidShare === null ? <Nothing /> : percent(Number(bucket.paidShare))}</td>
              <td className="number wide">{count(bucket.tasks)}</td>
              <td className="number wide">{bucket.perTask === null ? <Nothing /> : <Exact value={bucket.perTask} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Nothing(): ReactNode {
  return <span className="soft">—</span>;
}
