// How one task ended: what follows from all that was said of it, and every statement with who made it. Not here: what it cost (task.tsx). Invariant:
// where sources differ, that is said before what follows from them.

import { Link } from "@tanstack/react-router";
import { Fragment, type ReactNode } from "react";
import type { TaskEnd } from "../api.ts";
import { useAnswer } from "../data.ts";
import { exact } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { CopyLine, quote } from "../parts/share.tsx";
import { Pending } from "../parts/states.tsx";
import { minutesText } from "../parts/values.ts";
import { exactMoment, moment } from "../time.ts";

type Result = "success" | "failure" | "unknown";
type Judge = "person" | "check" | "self";

interface Statement {
  readonly id: string;
  readonly atMs: number;
  readonly result: Result | null;
  readonly judge: Judge;
  readonly source: string | null;
  readonly value: string | null;
  readonly reviewMinutes: number | null;
  readonly reason: string | null;
}

interface Outcomes {
  readonly statements: readonly Statement[];
  readonly ending: {
    readonly result: Result;
    readonly judge: Judge | null;
    readonly source: string | null;
    readonly reason: string | null;
    readonly self: Result | null;
    readonly checked: Result | null;
    readonly isContradictory: boolean;
    readonly value: string | null;
    readonly reviewMinutes: number | null;
  };
  readonly rework: { readonly of: string | null; readonly by: readonly string[] };
}

export const resultWords: Readonly<Record<TaskEnd, readonly [word: string, look: string]>> = {
  success: ["Success", "good"],
  failure: ["Failure", "bad"],
  unknown: ["Not known", "soft"],
  open: ["Open", "soft"],
};

const judgeWords: Readonly<Record<Judge, string>> = { person: "a person", check: "a check", self: "the task itself" };

export function Ended({ id }: { readonly id: string }): ReactNode {
  const answer = useAnswer<Outcomes>(`tasks/${encodeURIComponent(id)}/outcomes`);
  const { data } = answer;
  if (data === undefined)
    return (
      <section className="card" aria-label="How it ended">
        <Pending answer={answer} label="Loading how it ended" rows={2} />
      </section>
    );
  const { ending, statements, rework } = data;
  const [word, look] = resultWords[ending.result];
  const by = ending.judge === null ? "" : `says ${judgeWords[ending.judge]}${ending.source === null ? "" : `, ${ending.source}`}`;
  return (
    <section className="card" aria-labelledby="ended">
      <div className="title">
        <h2 id="ended">How it ended</h2>
        {statements.length === 0 ? null : (
          <p className="small">
            <strong className={look} data-testid="ending">
              {word}
            </strong>
            {by === "" ? "" : `, ${by}`}
            {ending.reason === null ? "" : ` (${ending.reason})`}
          </p>
        )}
        <div className="tools small soft">
          {ending.value === null ? null : <span>worth {exact(ending.value)}</span>}
          {ending.reviewMinutes === null ? null : <span>checked for {minutesText(ending.reviewMinutes)}</span>}
        </div>
      </div>
      {rework.of === null && rework.by.length === 0 ? null : (
        <div className="body small" data-testid="rework">
          {rework.of === null ? null : (
            <p>
              It makes good <TaskLink id={rework.of} />: what it costs is booked there.
            </p>
          )}
          {rework.by.length === 0 ? null : (
            <p>
              Made good by{" "}
              {rework.by.map((id, index) => (
                <Fragment key={id}>
                  {index === 0 ? "" : ", "}
                  <TaskLink id={id} />
                </Fragment>
              ))}
              : what that costs is booked here.
            </p>
          )}
        </div>
      )}
      {statements.length === 0 ? (
        <div className="body">
          <p className="soft small" style={{ marginBottom: 8 }}>
            Nobody has said so yet. A program, a check or a person does:
          </p>
          <CopyLine text={`pennyworth tasks end ${quote(id)} --result success`} />
        </div>
      ) : (
        <>
          {ending.isContradictory ? (
            <p className="notes plainly" role="note" data-testid="contradictory">
              Sources contradict one another: {said(ending.self, ending.checked)} The weightiest one counts: a person before a check, a
              check before the task itself.
            </p>
          ) : null}
          <div className="scroll" tabIndex={0} role="region" aria-label="What was said of how it ended">
            <table className="list">
              <Head
                columns={[["When", "time"], "Who", "Result", ["Reason", "wide"], ["Worth", "number"], ["Checked for", "number wide"]]}
              />
              <tbody>
                {statements.map((one) => (
                  <tr key={one.id} data-statement={one.id}>
                    <td className="when" title={exactMoment(one.atMs)}>
                      {moment(one.atMs)}
                    </td>
                    <td>
                      {judgeWords[one.judge]}
                      {one.source === null ? null : <small className="soft under clip">{one.source}</small>}
                    </td>
                    <td>
                      {one.result === null ? (
                        <span className="soft">not said</span>
                      ) : (
                        <span className={resultWords[one.result][1]}>{resultWords[one.result][0]}</span>
                      )}
                    </td>
                    <td className="wide soft">{one.reason ?? ""}</td>
                    <td className="number">{one.value === null ? <span className="soft">not said</span> : exact(one.value)}</td>
                    <td className="number wide">
                      {one.reviewMinutes === null ? <span className="soft">not said</span> : minutesText(one.reviewMinutes)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  );
}

function TaskLink({ id }: { readonly id: string }): ReactNode {
  return (
    <Link to="/tasks/$id" params={{ id }} className="plainlink">
      {id}
    </Link>
  );
}

function said(self: Result | null, checked: Result | null): string {
  const word = (result: Result): string => resultWords[result][0].toLowerCase();
  return self === null || checked === null || self === checked ? "" : `the task says ${word(self)}, and who checked it ${word(checked)}.`;
}
