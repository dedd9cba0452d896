// Agents, models or prompt versions side by side: cost against success with the frontier, each against a baseline in words, how reliable they are where
// the same was tried several times, and what one more try brings. Not here: the tables (standings.tsx, odds.tsx). Invariant: every number is the API's,
// and the view is its address.

import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { type ReactNode, useEffect, useState } from "react";
import type { Query } from "../api.ts";
import { type Compared, toSentence, verdictWords } from "../compare.ts";
import { useAnswer } from "../data.ts";
import { nameField } from "../fields.ts";
import { Icon } from "../icons.tsx";
import { Filters } from "../parts/filters.tsx";
import { Page } from "../parts/page.tsx";
import { Scatter } from "../parts/scatter.tsx";
import { CopyLine, Share, toLine } from "../parts/share.tsx";
import { SpanPicker } from "../parts/span.tsx";
import { Empty, Pending } from "../parts/states.tsx";
import { many, one } from "../search.ts";
import { isTaskField, taskFields } from "../success.ts";
import { spanInSentence, toIso, zone } from "../time.ts";
import { useView, type View } from "../view.ts";
import { plural } from "../words.ts";
import { OddsCard } from "./odds.tsx";
import { Repeats, Standings } from "./standings.tsx";

const settleMs = 300;

export function ComparePage(): ReactNode {
  const view = useView("30d");
  const { search, spanText, span, filters, change } = view;
  const said = one(search["by"]) ?? "";
  const by = isTaskField(said) ? said : "model";
  const type = one(search["type"]);
  const candidates = many(search["candidates"]);
  const baseline = one(search["baseline"]);
  const margin = one(search["margin"]);
  const shared: Query = { type, since: toIso(span.sinceMs), until: toIso(span.untilMs), zone, filter: filters };
  const answer = useAnswer<Compared>("compare", { by, ...shared, candidates, baseline, margin });
  const { data } = answer;
  const options = [
    ["type", type],
    ["since", toIso(span.sinceMs)],
    ["until", toIso(span.untilMs)],
    ...filters.map((filter) => ["filter", filter] as const),
  ] as const;
  const line = toLine("tasks compare", [
    ["by", by],
    ...options,
    ["candidates", candidates.join(",")],
    ["baseline", baseline],
    ["margin", margin],
  ]);
  return (
    <Page
      title="Compare"
      tools={
        <>
          <Share name={`compare-${by}`} line={line} {...(data === undefined ? {} : { table: () => toTable(data) })} />
          <SpanPicker value={spanText} onChange={(next) => change({ span: next })} />
        </>
      }
    >
      <div className="stack" style={{ gap: 12 }}>
        <Controls by={by} type={type} margin={margin} change={change} />
        <div className="row wrap">
          <Filters
            filters={filters}
            span={span}
            only={taskFields}
            onChange={(next) => change({ filter: next.length === 0 ? undefined : next })}
          />
          {candidates.length === 0 ? null : (
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<Icon name="close" size={12} />}
              onClick={() => change({ candidates: undefined })}
            >
              Only {plural(candidates.length, "candidate")}: show all
            </Button>
          )}
        </div>
        {data === undefined ? (
          <div className="card">
            <Pending answer={answer} label="Loading the candidates" rows={12} />
          </div>
        ) : data.candidates.length === 0 ? (
          <div className="card">
            <Empty title={`No task to compare in this span (${spanInSentence(spanText)})`}>
              <p>
                {data.unnamed > 0
                  ? `Of ${plural(data.unnamed, "task")} nobody said the ${nameField(by).toLowerCase()}.`
                  : "Tasks are compared once calls name them, and somebody says how they ended. Tries at the same piece of work carry the same tag case:"}
              </p>
              <CopyLine text={"pennyworth tasks begin --id fix-17-a --type fix-bug --agent coder --tag case=bug-17"} />
            </Empty>
          </div>
        ) : (
          <Answered data={data} isOld={answer.isPlaceholderData} change={change} />
        )}
        <OddsCard shared={shared} by={by} search={search} line={options} change={change} />
      </div>
    </Page>
  );
}

/** What is asked for. */
function Controls({
  by,
  type,
  margin,
  change,
}: Pick<View, "change"> & { readonly by: string; readonly type: string | undefined; readonly margin: string | undefined }): ReactNode {
  const [typed, setTyped] = useState(type ?? "");
  const [settled] = useDebouncedValue(typed.trim(), settleMs);
  useEffect(() => {
    if (settled !== (type ?? "")) change({ type: settled === "" ? undefined : settled, baseline: undefined, candidates: undefined });
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- only what is typed changes the address
  }, [settled]);
  return (
    <div className="row wrap controls">
      <span className="soft small">by</span>
      <Select
        size="xs"
        w={150}
        aria-label="By"
        value={by}
        data={taskFields.map((field) => ({ value: field, label: nameField(field) }))}
        allowDeselect={false}
        onChange={(field) =>
          change({ by: field === "model" || field === null ? undefined : field, candidates: undefined, baseline: undefined })
        }
      />
      <span className="soft small">of the type</span>
      <TextInput
        size="xs"
        w={180}
        aria-label="Task type"
        placeholder="all types"
        autoComplete="off"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <span className="soft small">a difference matters from</span>
      <Select
        size="xs"
        w={110}
        aria-label="A difference matters from"
        value={margin ?? "0.05"}
        data={[...new Set(["0.01", "0.02", "0.05", "0.1", "0.2", margin ?? "0.05"])].map((value) => ({
          value,
          label: `${Number((Number(value) * 100).toFixed(4))} points`,
        }))}
        allowDeselect={false}
        onChange={(value) => change({ margin: value === "0.05" || value === null ? undefined : value })}
      />
    </div>
  );
}

function Answered({ data, isOld, change }: Pick<View, "change"> & { readonly data: Compared; readonly isOld: boolean }): ReactNode {
  const { by, baseline, candidates, comparisons, repeats } = data;
  const name = nameField(by).toLowerCase();
  return (
    <div className="stack" data-old={isOld || undefined}>
      <section className="card" aria-labelledby="scatter">
        <div className="title">
          <h2 id="scatter">Cost against success</h2>
          <p className="soft small">mean cost of an ended task, by {name}</p>
        </div>
        <div className="body">
          <Scatter standings={candidates} baseline={baseline?.candidate ?? null} />
        </div>
      </section>
      <Standings data={data} change={change} />
      {baseline === null ? null : (
        <section className="card" aria-labelledby="verdicts">
          <div className="title">
            <h2 id="verdicts" className="clip">
              Against {baseline.candidate}
            </h2>
            <p className="soft small">
              {baseline.isNamed ? "as you asked" : "whose success is surely highest"}; all comparisons hold together at 95%
            </p>
            {baseline.isNamed ? (
              <div className="tools">
                <Button size="compact-xs" variant="default" onClick={() => change({ baseline: undefined })}>
                  The data’s own
                </Button>
              </div>
            ) : null}
          </div>
          <ul className="verdictlist">
            {comparisons.map((found) => {
              const [word, look, icon] = verdictWords[found.verdict];
              return (
                <li key={found.candidate} data-verdict={found.verdict} data-candidate={found.candidate}>
                  <p className={look}>
                    <Icon name={icon} size={14} /> <strong>{word}</strong>
                  </p>
                  <p className="free">{toSentence(found.summary)}</p>
                </li>
              );
            })}
          </ul>
        </section>
      )}
      {repeats === null ? null : <Repeats repeats={repeats} by={by} />}
      <Notes data={data} />
    </div>
  );
}

function Notes({ data: { candidates, tasks, truncated, unnamed, absent, by } }: { readonly data: Compared }): ReactNode {
  const sum = (of: "unknown" | "open" | "unpriced"): number => candidates.reduce((all, found) => all + found[of], 0);
  const lines = [
    ...(sum("unknown") > 0
      ? [`Of ${plural(sum("unknown"), "task")} nobody said how they ended: they are in the cost, and not in the success rate.`]
      : []),
    ...(sum("open") > 0 ? [`${plural(sum("open"), "task")} may still end: in the spend per success alone.`] : []),
    ...(sum("unpriced") > 0
      ? [`${plural(sum("unpriced"), "task")} used something without a price: ≥, at least; the cost of a task is of the others.`]
      : []),
    ...(unnamed > 0 ? [`Of ${plural(unnamed, "task")} nobody said the ${nameField(by).toLowerCase()}.`] : []),
    ...(absent.length > 0 ? [`No task of ${absent.join(", ")}.`] : []),
    ...(truncated ? [`Only the latest ${plural(tasks, "task")} were looked at: a shorter span says more.`] : []),
  ];
  return lines.length === 0 ? null : (
    <div className="soft small" data-testid="notes">
      {lines.map((text) => (
        <p key={text}>{text}</p>
      ))}
    </div>
  );
}

function toTable({ by, candidates, comparisons }: Compared): (string | number)[][] {
  const verdicts = new Map(comparisons.map((found) => [found.candidate, found.verdict]));
  return [
    [
      by,
      "tasks",
      "cases",
      "successes",
      "failures",
      "unknown",
      "open",
      "rate",
      "rate low",
      "rate high",
      "cost a task",
      "low",
      "high",
      "per success",
      "low",
      "high",
      "place",
      "by",
      "verdict",
    ],
    ...candidates.map((found) => [
      found.candidate,
      found.tasks,
      found.cases,
      found.successes,
      found.failures,
      found.unknown,
      found.open,
      found.rate.observed ?? "",
      found.rate.low,
      found.rate.high,
      found.perTask?.mean ?? "",
      found.perTask?.low ?? "",
      found.perTask?.high ?? "",
      found.perSuccess ?? "",
      found.interval?.low ?? "",
      found.interval?.high ?? "",
      found.place,
      found.by.join(" "),
      verdicts.get(found.candidate) ?? "",
    ]),
  ];
}
