// A run on a time line: its tasks as a tree, every call where it happened, and the money beside each and in sum.

import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useMediaQuery } from "@mantine/hooks";
import { type CSSProperties, type ReactNode, useMemo, useState } from "react";
import type { Call, Tree } from "../api.ts";
import { useAnswer } from "../data.ts";
import { Icon } from "../icons.tsx";
import { add, count, decimalsFor, share, toGeometry } from "../money.ts";
import { Page } from "../parts/page.tsx";
import { Copy, Share, toLine } from "../parts/share.tsx";
import { Failed, Waiting } from "../parts/states.tsx";
import { Unreal } from "../parts/unreal.tsx";
import { atLeast, Exact, markOf, Usd } from "../parts/usd.tsx";
import { toTicks } from "../ticks.ts";
import { clock, duration, exactMoment, moment, startOfDay } from "../time.ts";
import { placeOf, toRows } from "../tree.ts";
import { plural, wordFor } from "../words.ts";
import { Ended } from "./ended.tsx";

export function TaskPage(): ReactNode {
  const { id } = useParams({ from: "/tasks/$id" });
  const tree = useAnswer<Tree>(`tasks/${encodeURIComponent(id)}`);
  const { data } = tree;
  return (
    <Page
      title={`Task ${id}`}
      heading={
        <>
          Task <span className="mono soft id">{id}</span>
        </>
      }
      tools={
        data === undefined ? undefined : (
          <>
            <Share
              name={`task-${id}`}
              line={toLine("report", [
                ["by", "task,step,model"],
                ["filter", `${data.nodes.length > 1 ? "root" : "task"}=${id}`],
              ])}
              table={() => [
                ["call", "task", "parent", "step", "started", "ended", "model", "status", "tokens in", "tokens out", "cost"],
                ...data.calls.map((call) => [
                  call.id,
                  call.attribution.task ?? "",
                  call.attribution.parent ?? "",
                  call.attribution.step ?? "",
                  new Date(call.startMs).toISOString(),
                  call.endMs === null ? "" : new Date(call.endMs).toISOString(),
                  call.model ?? "",
                  call.status,
                  call.inputTokens,
                  call.outputTokens,
                  call.cost,
                ]),
              ]}
            />
            <Copy text={id} label="Copy the id" />
          </>
        )
      }
    >
      {tree.isError && data === undefined ? (
        <div className="card">
          <Failed error={tree.error} onRetry={() => void tree.refetch()} />
        </div>
      ) : data === undefined ? (
        <div className="card">
          <Waiting label="Loading the task" rows={10} />
        </div>
      ) : (
        <Run tree={data} />
      )}
    </Page>
  );
}

function Run({ tree }: { readonly tree: Tree }): ReactNode {
  const { task } = tree;
  const endMs = task.endMs ?? Math.max(task.startMs, ...tree.calls.map((call) => call.endMs ?? call.startMs));
  const said = [task.type, task.customer, task.feature, task.agent, task.team].filter((text) => text !== null);
  return (
    <div className="stack">
      <section className="card" aria-label="The run">
        <dl className="tiles pairs">
          <div className="tile">
            <dt>Cost</dt>
            <dd className="figure" data-testid="total">
              <Exact value={task.cost} mark={markOf(task)} />
            </dd>
            <dd>
              <Unreal query={{ filter: `${tree.nodes.length > 1 ? "root" : "task"}=${task.task}` }} />
            </dd>
          </div>
          <div className="tile">
            <dt>Calls</dt>
            <dd className="figure">{count(task.calls)}</dd>
            {task.failed > 0 ? <dd className="bad small">{count(task.failed)} failed</dd> : null}
          </div>
          <div className="tile">
            <dt>{task.open > 0 ? "Under way for" : "Took"}</dt>
            <dd className="figure">{duration(endMs - task.startMs)}</dd>
            <dd className="soft small" title={exactMoment(task.startMs)}>
              from {moment(task.startMs)}
            </dd>
          </div>
          <div className="tile">
            <dt>Tokens</dt>
            <dd className="figure">{count(task.inputTokens)}</dd>
            <dd className="soft small">in, and {count(task.outputTokens)} out</dd>
          </div>
        </dl>
        {said.length === 0 ? null : (
          <p className="row wrap chips">
            {said.map((text) => (
              <span key={text} className="chip clip" title={text}>
                {text}
              </span>
            ))}
          </p>
        )}
      </section>
      <Ended id={task.task} />
      <Timeline tree={tree} endMs={endMs} />
      {tree.truncated ? (
        <p className="soft small">
          Only the first {plural(tree.calls.length, "call")} {wordFor(tree.calls.length, "is", "are")} drawn; the sums are over all.
        </p>
      ) : null}
    </div>
  );
}

function Timeline({ tree, endMs }: { readonly tree: Tree; readonly endMs: number }): ReactNode {
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => toRows(tree, turned), [tree, turned]);
  const startMs = tree.task.startMs;
  const lengthMs = Math.max(1, endMs - startMs);
  const isNarrow = useMediaQuery("(max-width: 48rem)", false, { getInitialValueInEffect: false });
  const { stepMs, atMs } = toTicks(lengthMs, isNarrow ? 1 : 4);
  const say = startOfDay(startMs) === startOfDay(endMs) ? clock : moment;
  const dearest = tree.calls.reduce((most, call) => Math.max(most, toGeometry(call.cost)), 0);
  const decimals = decimalsFor(tree.calls.map((call) => call.cost));
  const turn = (place: string): void =>
    setTurned((last) => {
      const next = new Set(last);
      if (!next.delete(place)) next.add(place);
      return next;
    });
  return (
    <section className="card" aria-labelledby="line">
      <div className="title">
        <h2 id="line">Time line</h2>
        <p className="soft small">
          {say(startMs)} – {say(endMs)}; the stronger, the dearer
        </p>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label="Tasks and calls">
        <table className="list tree" style={{ "--step": `${(stepMs / lengthMs) * 100}%` } as CSSProperties}>
          <thead>
            <tr>
              <th scope="col">Task and step</th>
              <th scope="col" className="track">
                <span className="ticks" aria-hidden="true">
                  {atMs
                    .filter((ms) => ms / lengthMs < 0.86)
                    .map((ms) => (
                      <span key={ms} style={{ left: `${(ms / lengthMs) * 100}%` }}>
                        {ms === 0 ? "0" : duration(ms)}
                      </span>
                    ))}
                </span>
                <span className="hidden">When</span>
              </th>
              <th scope="col" className="number">
                Cost
              </th>
            </tr>
            <tr aria-hidden="true">
              <td className="soft small">money spent</td>
              <td className="track">
                <Spent calls={tree.calls} startMs={startMs} lengthMs={lengthMs} />
              </td>
              <td />
            </tr>
          </thead>
          <tbody>
            {rows.map((row) =>
              row.kind === "task" ? (
                <tr key={`task ${placeOf(row.node)}`} className="task">
                  <th scope="row" style={{ paddingLeft: 16 + row.depth * 16 }}>
                    {row.calls.length === 0 ? (
                      <span className="name">{row.node.task ?? "no task"}</span>
                    ) : (
                      <button type="button" className="fold name" aria-expanded={!row.isFolded} onClick={() => turn(placeOf(row.node))}>
                        <Icon name={row.isFolded ? "right" : "down"} size={12} />
                        <span className="clip">{row.node.task ?? "no task"}</span>
                      </button>
                    )}
                    <span className="soft small clip">
                      {row.node.type === null ? "" : `${row.node.type} · `}
                      {plural(row.node.calls, "call")}
                      {row.node.failed > 0 ? `, ${count(row.node.failed)} failed` : ""}
                    </span>
                  </th>
                  <td className="track">
                    {row.isFolded
                      ? row.calls.map((call) => <Piece key={call.id} call={call} startMs={startMs} lengthMs={lengthMs} dearest={dearest} />)
                      : null}
                  </td>
                  <td className="number strong">
                    <Usd value={row.node.cost} decimals={decimals} />
                  </td>
                </tr>
              ) : row.kind === "step" ? (
                <tr key={`step ${row.place} ${row.step ?? ""}`}>
                  <th scope="row" style={{ paddingLeft: 16 + row.depth * 16 }}>
                    {row.step ?? <span className="soft">no step</span>}
                    <span className="soft small"> · {plural(row.calls.length, "call")}</span>
                  </th>
                  <td className="track">
                    {row.calls.map((call) => (
                      <Piece key={call.id} call={call} startMs={startMs} lengthMs={lengthMs} dearest={dearest} />
                    ))}
                  </td>
                  <td className="number">
                    <Usd value={add(row.calls.map((call) => call.cost))} decimals={decimals} />
                  </td>
                </tr>
              ) : (
                <CallLine
                  key={row.call.id}
                  call={row.call}
                  depth={row.depth}
                  startMs={startMs}
                  lengthMs={lengthMs}
                  dearest={dearest}
                  decimals={decimals}
                />
              ),
            )}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">Total</th>
              <td />
              <td className="number">
                <Usd value={tree.task.cost} decimals={decimals} mark={markOf(tree.task)} />
              </td>
            </tr>
          </tfoot>
        </table>
      </div>
    </section>
  );
}

interface Placed {
  readonly call: Call;
  readonly startMs: number;
  readonly lengthMs: number;
  readonly dearest: number;
}

function CallLine({ depth, decimals, ...placed }: Placed & { readonly depth: number; readonly decimals: number }): ReactNode {
  const navigate = useNavigate();
  const { call } = placed;
  return (
    <tr className="opens" onClick={() => void navigate({ to: "/calls/$id", params: { id: call.id } })}>
      <th scope="row" style={{ paddingLeft: 16 + depth * 16 }}>
        <Link to="/calls/$id" params={{ id: call.id }} className="clip" onClick={(event) => event.stopPropagation()}>
          {call.attribution.step ?? call.model ?? call.provider}
        </Link>
        {call.status === "complete" ? null : <span className="bad small"> {call.status}</span>}
      </th>
      <td className="track">
        <Piece {...placed} />
      </td>
      <td className="number">
        <Usd value={call.cost} decimals={decimals} mark={call.unpriced.length > 0 ? atLeast : ""} />
      </td>
    </tr>
  );
}

function Piece({ call, startMs, lengthMs, dearest }: Placed): ReactNode {
  const left = ((call.startMs - startMs) / lengthMs) * 100;
  const width = (((call.endMs ?? call.startMs) - call.startMs) / lengthMs) * 100;
  const weight = dearest === 0 ? 0 : toGeometry(call.cost) / dearest;
  const isBad = call.status !== "complete" && call.status !== "open";
  return (
    <span
      className={`piece${isBad ? " broken" : ""}`}
      aria-hidden="true"
      title={`${call.model ?? call.provider}, ${call.endMs === null ? "under way" : duration(call.endMs - call.startMs)}, $${call.cost}`}
      style={{
        left: `${Math.min(99.5, left)}%`,
        width: `max(3px, ${width}%)`,
        ...(isBad ? {} : { opacity: 0.35 + 0.65 * Math.sqrt(weight) }),
      }}
    />
  );
}

/** The run's cost as it grew. */
function Spent({
  calls,
  startMs,
  lengthMs,
}: {
  readonly calls: readonly Call[];
  readonly startMs: number;
  readonly lengthMs: number;
}): ReactNode {
  const ended = calls.filter((call) => call.endMs !== null).toSorted((a, b) => (a.endMs ?? 0) - (b.endMs ?? 0));
  const whole = add(ended.map((call) => call.cost));
  const points: string[] = ["0,100"];
  let height = 100;
  let sum = "0";
  for (const call of ended) {
    const x = ((((call.endMs ?? startMs) - startMs) / lengthMs) * 1_000).toFixed(1);
    sum = add([sum, call.cost]);
    points.push(`${x},${height.toFixed(1)}`);
    height = 100 - share(sum, whole) * 96;
    points.push(`${x},${height.toFixed(1)}`);
  }
  points.push(`1000,${height.toFixed(1)}`);
  return (
    <svg className="spent" viewBox="0 0 1000 100" preserveAspectRatio="none">
      <polygon points={`${points.join(" ")} 1000,100`} fill="var(--accent-ground)" />
      <polyline points={points.join(" ")} fill="none" stroke="var(--accent-solid)" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
