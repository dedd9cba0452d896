// A model's prices over time as steps, and every span of them in words. Not here: what was paid (trend.tsx). Invariant: what is announced is
// told apart from what has come to pass, and a time that no price is known for has no line.

import type { ReactNode } from "react";
import { nameClass, type PriceHistory, type PriceLine, type PriceSpan, rateWords } from "../book.ts";
import { exact, toAxis, toGeometry } from "../money.ts";
import { type Column, Head } from "../parts/head.tsx";
import { Plot, type PlotLine } from "../parts/plot.tsx";
import { Empty } from "../parts/states.tsx";
import { dayMs, utcDay } from "../time.ts";

const usual = ["input", "output"] as const;

export function History({ history: { spans, nowMs } }: { readonly history: PriceHistory }): ReactNode {
  if (spans.length === 0) return <Empty title="No price is known at any time" />;
  const drawn = toSteps(spans, nowMs);
  const priced = new Set(spans.flatMap(({ lines }) => lines.map((line) => line.class)));
  const classes = [
    ...usual.filter((name) => priced.has(name)),
    ...[...priced].filter((name) => !(usual as readonly string[]).includes(name)),
  ];
  return (
    <>
      {drawn === null ? (
        <p className="soft small body">One price for all times that the book knows of: no change is on record, and none is announced.</p>
      ) : (
        <div className="body">
          <Plot
            lines={drawn.lines}
            isStepped
            nowMs={nowMs}
            untilMs={drawn.untilMs}
            formatAxis={toAxis}
            label={`Price of ${drawn.lines.map(({ name }) => name.toLowerCase()).join(" and ")} over time, dollars per million`}
          />
          {spans.some(({ fromMs }) => fromMs !== null && fromMs > nowMs) ? (
            <p className="soft small">Dashed: announced, and it may change before it happens.</p>
          ) : null}
        </div>
      )}
      <div className="scroll low" tabIndex={0} role="region" aria-label="Prices over time">
        <table className="list">
          <Head
            columns={[
              "Valid",
              ...classes.slice(0, 4).map((name, index): Column => [nameClass(name), index > 1 ? "number wide" : "number"]),
              ["Version", "wide"],
            ]}
          />
          <tbody>
            {spans.toReversed().map((span) => (
              <tr key={`${span.fromMs} ${span.window?.fromMs}`} data-from={span.fromMs ?? "ever"}>
                <th scope="row">
                  {nameSpan(span)}
                  {span.window === null ? null : <small className="soft under">{nameWindow(span.window)}</small>}
                  <State span={span} nowMs={nowMs} />
                </th>
                {classes.slice(0, 4).map((name, index) => (
                  <td key={name} className={index > 1 ? "number wide" : "number"}>
                    <Rate line={span.lines.find((line) => line.class === name && line.aboveTokens === 0)} />
                  </td>
                ))}
                <td className="wide free">
                  <code className="soft small">{span.lines[0]?.version ?? ""}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Rate({ line }: { readonly line: PriceLine | undefined }): ReactNode {
  if (line === undefined) return <span className="soft">—</span>;
  if (line.rateUsd === null) return `${line.ratePico}/${line.ratePer} × 10⁻¹² $`;
  return <span title={`per ${rateWords(line.class, line.rateUnits)}`}>{exact(line.rateUsd)}</span>;
}

function State({ span: { fromMs, toMs }, nowMs }: { readonly span: PriceSpan; readonly nowMs: number }): ReactNode {
  if (fromMs !== null && fromMs > nowMs)
    return (
      <span className="under">
        <span className="badge warn hollow">announced</span>
      </span>
    );
  return toMs === null || toMs > nowMs ? (
    <span className="under">
      <span className="badge good">in force</span>
    </span>
  ) : null;
}

function nameSpan({ fromMs, toMs }: PriceSpan): string {
  if (fromMs === null && toMs === null) return "always";
  if (fromMs === null) return `until ${nameMs(toMs as number)}`;
  return toMs === null ? `from ${nameMs(fromMs)}` : `${nameMs(fromMs)} – ${nameMs(toMs)}`;
}

function nameMs(ms: number): string {
  return ms % dayMs === 0 ? utcDay(ms) : `${utcDay(ms)}, ${new Date(ms).toISOString().slice(11, 16)}`;
}

function nameWindow({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): string {
  return `${nameClock(fromMs)} – ${nameClock(toMs)} UTC`;
}

function nameClock(ms: number): string {
  return new Date(ms % dayMs).toISOString().slice(11, 16);
}

/** Of input and output, or the first two classes there are. null: nothing ever changes. */
export function toSteps(
  all: readonly PriceSpan[],
  nowMs: number,
): { readonly lines: readonly PlotLine[]; readonly untilMs: number } | null {
  const spans = all.filter(({ window }) => window === null);
  const changes = [...new Set(spans.flatMap(({ fromMs, toMs }) => [fromMs, toMs]).filter((ms) => ms !== null))].toSorted((a, b) => a - b);
  const [first] = changes;
  const last = changes.at(-1);
  if (first === undefined || last === undefined || spans.length < 2) return null;
  const room = Math.max(30 * dayMs, (Math.max(last, nowMs) - first) / 8);
  const startMs = spans.some(({ fromMs }) => fromMs === null) ? first - room : first;
  const priced = new Set(spans.flatMap(({ lines }) => lines.map((line) => line.class)));
  const names = usual.some((name) => priced.has(name)) ? usual.filter((name) => priced.has(name)) : [...priced].slice(0, 2);
  const times = [startMs, ...changes.filter((ms) => ms > startMs)];
  const lines = names.map((name, color): PlotLine => {
    const points = times.map((ms) => {
      const span = spans.find(({ fromMs, toMs }) => (fromMs === null || fromMs <= ms) && (toMs === null || toMs > ms));
      const rate = span?.lines.find((line) => line.class === name && line.aboveTokens === 0)?.rateUsd ?? null;
      return { ms, height: rate === null ? null : toGeometry(rate), text: rate === null ? "no price" : exact(rate) };
    });
    return { name: `${nameClass(name)[0]?.toUpperCase()}${nameClass(name).slice(1)}`, color, points };
  });
  return { lines, untilMs: Math.max(last, nowMs) + room };
}
