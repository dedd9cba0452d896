// What a task is expected to cost with the agent, part by part, as bars that each begin where the last one ended, against what stands against it.
// Not here: where the amounts come from. Invariant: the parts add up to the last digit; a part of nothing is no line.

import type { ReactNode } from "react";
import { count, decimalsFor, toGeometry } from "../money.ts";
import type { Expected } from "../worth.ts";
import { plural } from "../words.ts";
import { Head } from "./head.tsx";
import { Usd } from "./usd.tsx";

const partNames = {
  run: "Runs of the agent",
  review: "Checking them",
  cleanup: "Cleaning up after failures",
  redo: "A person after all",
  damage: "Damage of failures not found",
} as const;

export function Sum({
  perTask,
  all,
  tasks,
  isAlone,
}: {
  readonly perTask: Expected;
  readonly all: Expected;
  readonly tasks: number;
  readonly isAlone: boolean;
}): ReactNode {
  const columns = tasks === 1 ? [perTask] : [perTask, all];
  const decimals = columns.map((one) => decimalsFor([one.agent, one.other]));
  const names = (Object.keys(partNames) as (keyof typeof partNames)[]).filter(
    (name) => all.parts[name] !== "0" || perTask.parts[name] !== "0",
  );
  const [agent, other] = [toGeometry(perTask.agent), toGeometry(perTask.other)];
  const most = Math.max(agent, other);
  const share = (amount: number): number => (most === 0 ? 0 : (amount / most) * 100);
  let at = 0;
  const isLoss = perTask.saved.startsWith("-");
  const cells = (of: (one: Expected) => string): ReactNode =>
    columns.map((one, index) => (
      <td key={index} className="number">
        <Usd value={of(one).replace("-", "")} decimals={decimals[index] ?? 2} />
      </td>
    ));
  const bar = (look: string, left: number, width: number): ReactNode => (
    <td className="track wide">
      <span className="fall" aria-hidden="true">
        <span className={look} style={{ left: `${share(left)}%`, width: `${share(width)}%` }} />
      </span>
    </td>
  );
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="The sum, part by part">
      <table className="list falls sum">
        <Head
          columns={[
            "Part",
            ["Its share", "wide"],
            ["A task", "number"],
            ...(tasks === 1 ? [] : [[plural(tasks, "task"), "number"] as const]),
          ]}
        />
        <tbody>
          {names.map((name) => {
            const from = at;
            const size = toGeometry(perTask.parts[name]);
            at += size;
            return (
              <tr key={name} data-part-of-sum={name}>
                <th scope="row">{partNames[name]}</th>
                {bar("step", from, size)}
                {cells(({ parts }) => parts[name])}
              </tr>
            );
          })}
          <tr data-part-of-sum="agent">
            <th scope="row" className="name">
              With the agent
            </th>
            {bar("whole", 0, agent)}
            {cells((one) => one.agent)}
          </tr>
          <tr data-part-of-sum="other">
            <th scope="row" className="name">
              {isAlone ? "Value of what succeeds" : "Done by a person"}
            </th>
            {bar("whole other", 0, other)}
            {cells((one) => one.other)}
          </tr>
          <tr data-part-of-sum="saved">
            <th scope="row" className="name">
              {isLoss ? "Lost" : "Saved"}
              {perTask.savedPercent === null ? null : <span className="soft"> {percentOf(perTask.savedPercent)}</span>}
            </th>
            {bar(isLoss ? "lost" : "saved", Math.min(agent, other), Math.abs(agent - other))}
            {cells((one) => one.saved)}
          </tr>
        </tbody>
      </table>
    </div>
  );
}

/** `45.45` as `45.45%`. */
function percentOf(text: string): string {
  return `${count(Math.abs(Number(text)))}%`;
}
