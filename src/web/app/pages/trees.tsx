// Trees of agents' tasks, as the guard sees them: which run, which are warned, slowed or stopped, and why. Not here: what a tree cost (task.tsx).

import { SegmentedControl } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { type ApiError, send } from "../api.ts";
import { type useAnswer, useSession } from "../data.ts";
import type { AgentTree, Guard } from "../guard.ts";
import { count, decimalsFor } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { Empty, Pending } from "../parts/states.tsx";
import { Usd } from "../parts/usd.tsx";
import { dayClock, exactMoment } from "../time.ts";
import { refreshGuard } from "./grant.tsx";

const looks = { running: "good", warned: "warn", slowed: "warn hollow", stopped: "bad" } as const;
const order = ["stopped", "slowed", "warned", "running"];

export function Trees({ answer }: { readonly answer: ReturnType<typeof useAnswer<Guard>> }): ReactNode {
  const [which, setWhich] = useState<"held" | "all">("held");
  const { data } = answer;
  const all = data?.trees ?? [];
  const held = all.filter(({ state }) => state !== "running");
  const shown = (which === "all" ? all : held).toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || b.lastMs - a.lastMs);
  return (
    <section className="card" aria-labelledby="trees">
      <div className="title">
        <h2 id="trees">Trees of tasks</h2>
        <div className="tools">
          <SegmentedControl
            size="xs"
            aria-label="Which trees"
            value={which}
            onChange={(value) => setWhich(value === "all" ? "all" : "held")}
            data={[
              { value: "held", label: `Held back (${count(held.length)})` },
              { value: "all", label: `All (${count(all.length)})` },
            ]}
          />
        </div>
      </div>
      {data === undefined ? (
        <Pending answer={answer} label="Loading trees" rows={3} />
      ) : shown.length === 0 ? (
        <Empty title={which === "all" ? "No tree of tasks is known" : "No tree is held back"}>
          <p>Caps on depth, children, calls, time, loops and money without progress are set in the settings file, under trees.</p>
        </Empty>
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label="Trees as rows">
          <table className="list">
            <Head
              columns={[
                "Root",
                "State",
                ["Tasks", "number wide"],
                ["Calls", "number wide"],
                ["Since anything new", "number wide"],
                ["Last call", "wide"],
                { unseen: "Let it go on" },
              ]}
            />
            <tbody>
              {shown.map((tree) => (
                <Row key={tree.root} tree={tree} nowMs={data.nowMs} decimals={decimalsFor(shown.map(({ idle }) => idle))} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Row({ tree, nowMs, decimals }: { readonly tree: AgentTree; readonly nowMs: number; readonly decimals: number }): ReactNode {
  return (
    <tr data-tree={tree.root}>
      <th scope="row">
        <Link to="/tasks/$id" params={{ id: tree.root }} className="clip">
          {tree.root}
        </Link>
      </th>
      <td>
        <span className={`badge ${looks[tree.state]}`}>{tree.state}</span>
        {tree.reason === null ? null : <span className="under small soft also">{tree.reason}</span>}
      </td>
      <td className="number wide">{count(tree.tasks)}</td>
      <td className="number wide">{count(tree.calls)}</td>
      <td className="number wide">
        <Usd value={tree.idle} decimals={decimals} />
      </td>
      <td className="when wide" title={exactMoment(tree.lastMs)}>
        {dayClock(tree.lastMs, nowMs)}
      </td>
      <td className="number">{tree.state === "stopped" ? <ResumeTask task={tree.root} /> : null}</td>
    </tr>
  );
}

/** For those who administer: a task that was stopped goes on, and all below it. */
export function ResumeTask({ task }: { readonly task: string }): ReactNode {
  const queries = useQueryClient();
  const isAdministrator = useSession().data?.role === "administer";
  const resume = useMutation<unknown, ApiError>({
    mutationFn: () => send("POST", `trees/${encodeURIComponent(task)}/resume`),
    onSuccess: () => refreshGuard(queries),
  });
  if (!isAdministrator) return null;
  return (
    <span role="status">
      {resume.isError ? <span className="under small bad also">{resume.error.message}</span> : null}
      {resume.isSuccess ? (
        "It goes on."
      ) : (
        <button type="button" className="plainbutton" disabled={resume.isPending} onClick={() => resume.mutate()}>
          Let it go on<span className="hidden">: {task}</span>
        </button>
      )}
    </span>
  );
}
