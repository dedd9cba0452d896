// Candidates as a table: what each costs, how often it succeeds, where it stands, and how reliable it is where the same was tried several times.
// Not here: the picture of it (parts/scatter.tsx). Invariant: a figure stands with its interval, and what is not known is no figure.

import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { amountsText, type Compared, endsText, lacksText, type Mean, type Pass, placeText, type Standing } from "../compare.ts";
import { nameField } from "../fields.ts";
import { Icon } from "../icons.tsx";
import { count } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { shareText } from "../parts/values.ts";
import { briefText } from "../success.ts";
import type { View } from "../view.ts";
import { plural } from "../words.ts";

export function Standings({ data, change }: Pick<View, "change"> & { readonly data: Compared }): ReactNode {
  const { candidates, baseline, by, comparisons, leftOut } = data;
  const isAlike = comparisons.every(({ paired }) => paired);
  return (
    <div className="card">
      {leftOut.candidates === 0 ? null : (
        <p className="warn small footnote" data-testid="leftout">
          {plural(leftOut.candidates, "more candidate")} ({plural(leftOut.tasks, "task")}) {leftOut.candidates === 1 ? "is" : "are"} left
          out. Who is on the frontier is so among these {count(candidates.length)} alone. To choose who is compared, name them in the
          address: <code>candidates=a,b</code>
        </p>
      )}
      <div className="scroll" tabIndex={0} role="region" aria-label="Candidates">
        <table className="list standings">
          <Head
            columns={[
              nameField(by),
              ["Tasks", "number wide"],
              ["Success", "number"],
              ["A task", "number"],
              ["Per success", "number wide"],
              ["Where it stands", "wide"],
              { unseen: "Held against, and left out" },
            ]}
          />
          <tbody>
            {candidates.map((one) => (
              <Row
                key={one.candidate}
                one={one}
                isAlike={isAlike}
                isBaseline={one.candidate === baseline?.candidate}
                onBaseline={() => change({ baseline: one.candidate })}
                {...(candidates.length < 2
                  ? {}
                  : {
                      onLeave: () =>
                        change({
                          candidates: candidates.filter((other) => other !== one).map(({ candidate }) => candidate),
                          ...(one.candidate === baseline?.candidate ? { baseline: undefined } : {}),
                        }),
                    })}
              />
            ))}
          </tbody>
        </table>
      </div>
      <p className="soft small footnote" data-testid="weighed">
        Here each task weighs alike
        {comparisons.length === 0 ? "" : "; in the verdicts below each case does, the shared ones alone where they are named"}.
        {isAlike ? null : (
          <span className="warn">
            {" "}
            They did different work (few shared cases): what tells them apart may be what they were given, and who is dominated is not sure.
          </span>
        )}
      </p>
    </div>
  );
}

function Row({
  one,
  isAlike,
  isBaseline,
  onBaseline,
  onLeave,
}: {
  readonly one: Standing;
  readonly isAlike: boolean;
  readonly isBaseline: boolean;
  readonly onBaseline: () => void;
  readonly onLeave?: () => void;
}): ReactNode {
  const { candidate, tasks, cases, rate, perTask, perSuccess, interval, unpriced, enough } = one;
  const lacks = lacksText(enough);
  return (
    <tr data-candidate={candidate} data-place={one.place}>
      <th scope="row" className="free">
        {candidate}
        <small className="soft under narrow">{placeText(one, isAlike)}</small>
      </th>
      <td className="number wide">
        {count(tasks)}
        {cases === tasks ? null : <small className="soft under">{plural(cases, "case")}</small>}
      </td>
      <td className="number" data-rate={rate.observed ?? undefined}>
        {rate.observed === null ? <span className="soft">not known</span> : shareText(rate.observed)}
        {rate.observed === null ? null : <small className="soft under">{endsText(rate)}</small>}
      </td>
      <td className="number" data-usd={perTask?.mean}>
        {perTask === null ? (
          <span className={unpriced > 0 ? "warn" : "soft"}>{unpriced > 0 ? "unknown" : "none yet"}</span>
        ) : (
          briefText(perTask.mean)
        )}
        {perTask === null ? null : (
          <small className="soft under">{amountsText(perTask.low === null ? null : { low: perTask.low, high: perTask.high })}</small>
        )}
      </td>
      <td className="number wide" data-per-success={perSuccess ?? undefined}>
        {perSuccess === null ? (
          <span className={unpriced > 0 ? "warn" : "soft"}>{unpriced > 0 ? "unknown" : "none yet"}</span>
        ) : (
          `${unpriced > 0 ? "≥ " : ""}${briefText(perSuccess)}`
        )}
        {perSuccess === null ? null : <small className="soft under">{amountsText(interval)}</small>}
        {lacks === "" ? null : <small className="warn under reasons">not enough data: {lacks}</small>}
      </td>
      <td className="wide free stands">{placeText(one, isAlike)}</td>
      <td className="number">
        <span className="row acts">
          <Button
            size="compact-xs"
            variant={isBaseline ? "filled" : "default"}
            aria-pressed={isBaseline}
            aria-label={`Baseline: ${candidate}`}
            onClick={onBaseline}
          >
            Baseline
          </Button>
          {onLeave === undefined ? null : (
            <Button size="compact-xs" variant="subtle" color="gray" aria-label={`Leave out ${candidate}`} onClick={onLeave}>
              <Icon name="close" size={12} />
            </Button>
          )}
        </span>
      </td>
    </tr>
  );
}

/** As many k as stand in a row. */
const triesMax = 5;

export function Repeats({ repeats, by }: { readonly repeats: NonNullable<Compared["repeats"]>; readonly by: string }): ReactNode {
  const { candidates, frontier } = repeats;
  const most = Math.min(triesMax, Math.max(0, ...candidates.map(({ passes }) => passes.length)));
  const ks = Array.from({ length: most }, (_, index) => index + 1);
  return (
    <section className="card" aria-labelledby="repeats">
      <div className="title">
        <h2 id="repeats">The same case, several times</h2>
        <p className="soft small">
          pass@k: one of k tries succeeds; pass^k: all of k do; cost-of-pass takes tries for independent, and is not spend per success
        </p>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label="Table of cases tried several times">
        <table className="list repeats">
          <Head
            columns={[
              nameField(by),
              ["Cases", "number wide"],
              ["pass@1", "number"],
              ...ks
                .slice(1)
                .flatMap((k) => [[`pass@${k}`, "number wide"] as const, [`pass^${k}`, k === 2 ? "number" : "number wide"] as const]),
              ["Cost-of-pass", "number wide"],
            ]}
          />
          <tbody>
            {candidates.map(({ candidate, cases, passes, costOfPass }) => (
              <tr key={candidate} data-repeated={candidate}>
                <th scope="row" className="free">
                  {candidate}
                </th>
                <td className="number wide">{count(cases)}</td>
                {ks.map((k) => {
                  const pass = passes.find((found) => found.k === k);
                  return k === 1 ? (
                    <Passing key={k} pass={pass} mean={pass?.any} look="number" />
                  ) : (
                    [
                      <Passing key={`any${k}`} pass={pass} mean={pass?.any} look="number wide" />,
                      <Passing key={`all${k}`} pass={pass} mean={pass?.all} look={k === 2 ? "number" : "number wide"} />,
                    ]
                  );
                })}
                <td className="number wide">
                  {costOfPass === null ? (
                    <span className="warn">unknown</span>
                  ) : costOfPass.mean === null ? (
                    <span className="soft">
                      {count(costOfPass.unsolved)} of {count(costOfPass.cases)} never solved
                    </span>
                  ) : (
                    <>
                      {briefText(costOfPass.mean)}
                      <small className="soft under">{amountsText(costOfPass.interval)}</small>
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Drawn candidates={candidates} />
      {frontier === null ? null : (
        <p className="soft small footnote">
          {frontier.mean === null
            ? `${count(frontier.unsolved)} of ${plural(frontier.cases, "case")} nobody solved: what passing all of them costs is not known.`
            : `With the cheapest at each of ${plural(frontier.cases, "case")} a pass would cost ${briefText(frontier.mean)}.`}
        </p>
      )}
    </section>
  );
}

/** Which cases were tried so often. */
function Drawn({ candidates }: { readonly candidates: NonNullable<Compared["repeats"]>["candidates"] }): ReactNode {
  const isSome = candidates.some(({ passes }) => passes.some(({ drawn }) => drawn === "some"));
  const failed = candidates.flatMap(({ candidate, passes }) => {
    const first = passes.find(({ drawn }) => drawn === "failed");
    return first === undefined ? [] : [{ candidate, k: first.k }];
  });
  return !isSome && failed.length === 0 ? null : (
    <div className="soft small footnote" data-testid="drawn">
      {isSome ? (
        <p>
          * Not every case was tried so often. If it was the failed ones, these are too low, and over other cases than those of another k.
        </p>
      ) : null}
      {failed.map(({ candidate, k }) => (
        <p key={candidate}>
          {candidate}: from {k} tries on it was the failed cases that were tried again: no pass@{k} is said.
        </p>
      ))}
    </div>
  );
}

function Passing({
  pass,
  mean,
  look,
}: {
  readonly pass: Pass | undefined;
  readonly mean: Mean | undefined;
  readonly look: string;
}): ReactNode {
  return (
    <td className={look}>
      {pass === undefined || mean === undefined ? (
        <span className="soft">none</span>
      ) : pass.drawn === "failed" ? (
        <span className="soft">not said</span>
      ) : (
        <>
          {shareText(mean.mean)}
          <small className="soft under">{endsText(mean)}</small>
          <small className="soft under">
            of {plural(pass.cases, "case")}
            {pass.drawn === "some" ? "*" : ""}
          </small>
        </>
      )}
    </td>
  );
}
