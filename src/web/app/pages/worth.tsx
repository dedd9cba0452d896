// Is an agent worth it: a form whose state is the address, and beside it, as it is typed, the verdict, the sum, the break-even, what would turn it, and
// the map of task types. Not here: the form's fields (inputs.tsx), the map (sweet.tsx). Invariant: every number is the API's; nothing is reckoned here.

import { Button } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { usePosted } from "../data.ts";
import { Icon } from "../icons.tsx";
import { Page } from "../parts/page.tsx";
import { Share, toLine } from "../parts/share.tsx";
import { BreakEvenBar } from "../parts/even.tsx";
import { Empty, Failed, Waiting } from "../parts/states.tsx";
import { Sum } from "../parts/sum.tsx";
import { Tornado } from "../parts/tornado.tsx";
import { dollarsText, hoursText, minutesText, shareText } from "../parts/values.ts";
import { type Search, stringifySearch } from "../search.ts";
import { plural } from "../words.ts";
import {
  type Draft,
  errorsOf,
  example,
  type Expected,
  type GdpvalWay,
  missingOf,
  toDraft,
  toOptions,
  toQuestion,
  toSearch,
  type VerdictKind,
  type Worth,
} from "../worth.ts";
import { Inputs } from "./inputs.tsx";
import { SweetSpot } from "./sweet.tsx";

const settleMs = 200;

export function WorthPage(): ReactNode {
  const [draft, setDraft] = useDraft();
  const [settled] = useDebouncedValue(draft, settleMs);
  const missing = missingOf(settled);
  const answer = usePosted<Worth>("worth", toQuestion(settled), {
    enabled: missing.length === 0,
    live: settled.fields["from-ledger"] !== undefined,
  });
  const { data, error } = answer;
  const errors = error === null || missing.length > 0 ? {} : errorsOf(error.message, settled.isAlone);
  const isRefused = Object.keys(errors).length > 0;
  const isShown = data !== undefined && missing.length === 0;
  const edit = (changed: Partial<Draft["fields"]>): void =>
    setDraft((last) => ({
      ...last,
      fields: Object.fromEntries(Object.entries({ ...last.fields, ...changed }).filter(([, text]) => text !== "")),
    }));
  return (
    <Page
      title="Worth it?"
      tools={<Share name="worth" line={toLine("worth", toOptions(settled))} {...(isShown ? { table: () => toTable(data) } : {})} />}
    >
      <div className="stack">
        {/* The form stays beside its answers, and ends with them: the map is not of this block. */}
        <div className="grid worth">
          <section className="card span4 weighed" aria-label="The task">
            <Inputs draft={draft} errors={errors} edit={edit} onAlone={(isAlone) => setDraft((last) => ({ ...last, isAlone }))} />
          </section>
          <div className="span8 stack answers">
            {missing.length > 0 ? (
              <section className="card">
                <Empty title="Nothing to weigh yet">
                  <p>
                    Say {settled.isAlone ? "what a finished task is worth" : "how long a person takes and what an hour costs"}, and what a
                    run of the agent costs. What is left out is told beside each field.
                  </p>
                  <Button
                    size="xs"
                    variant="default"
                    onClick={() => setDraft((last) => ({ ...example, types: last.types, hasLedger: last.hasLedger }))}
                  >
                    Try an example: support tickets
                  </Button>
                </Empty>
              </section>
            ) : data === undefined ? (
              <section className="card">
                {error === null ? (
                  <Waiting label="Loading the verdict" />
                ) : isRefused ? (
                  <Empty title="Not weighed">
                    <p role="alert">What is marked in the form cannot be: it says why there.</p>
                  </Empty>
                ) : (
                  <Failed error={error} onRetry={() => void answer.refetch()} />
                )}
              </section>
            ) : (
              <Answered worth={data} isAlone={settled.isAlone} isOld={answer.isPlaceholderData} />
            )}
          </div>
        </div>
        <SweetSpot
          draft={draft}
          settled={settled}
          isRefused={isRefused}
          onTypes={(types) => setDraft((last) => ({ ...last, types }))}
          onLedger={(hasLedger) => setDraft((last) => ({ ...last, hasLedger }))}
        />
      </div>
    </Page>
  );
}

/** What is typed, at once here and a moment later in the address; another address is another draft. */
function useDraft(): readonly [Draft, (change: (last: Draft) => Draft) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const [draft, setDraft] = useState(() => toDraft(search));
  const [settled] = useDebouncedValue(draft, settleMs);
  const text = stringifySearch(toSearch(toDraft(search)));
  const written = useRef(text);
  useEffect(() => {
    if (text === written.current) return;
    written.current = text;
    setDraft(toDraft(search));
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- an address is its text
  }, [text]);
  useEffect(() => {
    const next = toSearch(settled);
    if (stringifySearch(next) === written.current) return;
    written.current = stringifySearch(next);
    void navigate({ to: "/worth", search: next as never, replace: true, resetScroll: false });
  }, [settled, navigate]);
  return [draft, setDraft];
}

const verdictWords: Readonly<Record<VerdictKind, readonly [word: string, look: string, icon: "check" | "close" | "help"]>> = {
  go: ["Go", "good", "check"],
  no: ["No", "bad", "close"],
  not_enough_data: ["Not enough data", "warn", "help"],
};

function Answered({ worth, isAlone, isOld }: { readonly worth: Worth; readonly isAlone: boolean; readonly isOld: boolean }): ReactNode {
  const { verdict, summary, expected, tasks, moreTasks, sensitivity } = worth;
  const [word, look, icon] = verdictWords[verdict];
  // Per cent as everywhere on the page.
  const sentence = summary.slice(summary.indexOf(": ") + 2).replaceAll(/(\d) %/g, "$1%");
  return (
    <div className="stack" data-old={isOld || undefined}>
      <section className="card verdict" aria-labelledby="verdict" data-verdict={verdict}>
        <div className="body judged" aria-live="polite">
          <h2 id="verdict" className={look}>
            <Icon name={icon} size={20} /> {word}
          </h2>
          <p data-testid="summary">{sentence.charAt(0).toUpperCase() + sentence.slice(1)}</p>
          {moreTasks === null ? null : (
            <p className="soft small">
              An outcome is counted once somebody says how a task ended: <code>pennyworth tasks</code>, or the client.
            </p>
          )}
        </div>
        {expected === null ? null : <Tiles worth={worth} expected={expected} isAlone={isAlone} />}
      </section>
      <section className="card" aria-labelledby="even">
        <div className="title">
          <h2 id="even">Break-even</h2>
        </div>
        <div className="body">
          <BreakEvenBar worth={worth} />
        </div>
      </section>
      {expected === null ? null : (
        <section className="card" aria-labelledby="sum">
          <div className="title">
            <h2 id="sum">The sum</h2>
            <p className="soft small">
              at {shareText(expected.basis.perTask.p)} success{worth.basis?.of === "middle" ? ", the middle of the range" : ""}; in
              expectation, failures included
            </p>
          </div>
          <Sum perTask={expected.basis.perTask} all={expected.basis.all} tasks={tasks} isAlone={isAlone} />
        </section>
      )}
      {sensitivity === null || sensitivity.bars.length === 0 ? null : (
        <section className="card" aria-labelledby="turns">
          <div className="title">
            <h2 id="turns">What would turn it</h2>
            <p className="soft small">
              each alone; amounts and times from half to twice, probabilities by ten points or over what is known
            </p>
          </div>
          <div className="body">
            <Tornado sensitivity={sensitivity} />
          </div>
        </section>
      )}
      <Beside worth={worth} />
    </div>
  );
}

function Tiles({
  worth: { tasks },
  expected,
  isAlone,
}: {
  readonly worth: Worth;
  readonly expected: NonNullable<Worth["expected"]>;
  readonly isAlone: boolean;
}): ReactNode {
  const { all, perTask } = expected.basis;
  const [least, most] = [expected.low?.all ?? null, expected.high.all];
  const isLoss = all.saved.startsWith("-");
  const of = tasks === 1 ? "a task" : `for ${plural(tasks, "task")}`;
  const each = (usd: string): string => (tasks === 1 ? of : `${dollarsText(usd)} a task`);
  // Without a bound on what is not known, no figure of it stands alone.
  const over = (of: (one: Expected) => string, isFalling = false): string =>
    least === null ? "not enough data" : isFalling ? ends(of(most), of(least)) : ends(of(least), of(most));
  const tiles: readonly (readonly [name: string, text: string, value: string, under: string, ends: string])[] = [
    ["With the agent", dollarsText(all.agent), all.agent, each(perTask.agent), over(({ agent }) => dollarsText(agent), true)],
    [
      isAlone ? "Value" : "A person",
      dollarsText(all.other),
      all.other,
      each(perTask.other),
      isAlone ? over(({ other }) => dollarsText(other)) : "",
    ],
    [
      isLoss ? "Lost" : "Saved",
      dollarsText(all.saved.replace("-", "")),
      all.saved,
      all.savedPercent === null ? of : `${all.savedPercent.replace("-", "")}% ${of}`,
      isLoss ? over(({ saved }) => dollarsText(negate(saved)), true) : over(({ saved }) => dollarsText(saved)),
    ],
    all.savedHours === null
      ? ["People’s time", hoursText(all.peopleHours), "", of, over(({ peopleHours }) => hoursText(peopleHours), true)]
      : [
          "People’s time saved",
          hoursText(all.savedHours),
          "",
          `${hoursText(all.peopleHours)} still needed`,
          over(({ savedHours }) => hoursText(savedHours ?? 0)),
        ],
  ];
  return (
    <dl className="tiles pairs">
      {tiles.map(([name, text, value, under, range]) => (
        <div key={name} className="tile">
          <dt>{name}</dt>
          <dd>
            <p className="figure" data-usd={value === "" ? undefined : value}>
              {text}
            </p>
            {range === "" ? null : <p className="small ends">{range}</p>}
            <p className="soft small">{under}</p>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A number from a sample never stands without what it may be off by. */
function ends(one: string, other: string): string {
  return one === other ? "" : `${one} to ${other}`;
}

/** null: no bound. */
function openEnds(low: string | null, high: string | null): string {
  if (low === null) return high === null ? "anything" : `${high} at the most`;
  return high === null ? `${low} at the least` : `${low} to ${high}`;
}

function negate(usd: string): string {
  return usd.startsWith("-") ? usd.slice(1) : usd === "0" ? usd : `-${usd}`;
}

/** What stands beside the verdict: review, a dearer one, GDPval's two ways, and what is the ledger's. */
function Beside({ worth: { review, basis, dearer, gdpval, ledger, notes, used } }: { readonly worth: Worth }): ReactNode {
  const [cost, time] = [ledger?.costInterval ?? null, ledger?.reviewInterval ?? null];
  const costs = cost === null ? "not enough data" : openEnds(dollarsText(cost.low), cost.high === null ? null : dollarsText(cost.high));
  const times = time === null ? "not enough data" : `${minutesText(time.low)} to ${minutesText(time.high)}`;
  const taken = [
    ...(used.cost.from === "ledger" ? [`the cost of a run, ${dollarsText(used.cost.value)} (${costs})`] : []),
    ...(used.success.from === "ledger" ? ["how often it succeeds"] : []),
    ...(used.reviewMinutes.from === "ledger"
      ? [`the time to check, ${minutesText(used.reviewMinutes.value)} (${times}; said of ${ledger?.reviewed ?? 0})`]
      : []),
  ];
  return (
    <>
      {ledger !== null || notes.length === 0 ? null : <p className="soft small">{notes.join(" ")}</p>}
      {ledger === null ? null : (
        <section className="card" aria-labelledby="ledger">
          <div className="title">
            <h2 id="ledger">From the ledger</h2>
          </div>
          <div className="body stack" style={{ gap: 6 }}>
            <p data-testid="ledger">
              Of tasks of the type {ledger.type}
              {ledger.agent === null ? "" : ` by ${ledger.agent}`}: {ledger.successes} succeeded, {ledger.failures} failed, {ledger.unknown}{" "}
              ended unknown, {ledger.open} open.{" "}
              {taken.length === 0 ? "All numbers were said, and none is the ledger's." : `The ledger's are ${taken.join("; ")}.`}
            </p>
            {notes.map((note) => (
              <p key={note} className="soft small">
                {note}
              </p>
            ))}
          </div>
        </section>
      )}
      {review === null && dearer === null ? null : (
        <section className="card" aria-labelledby="beside">
          <div className="title">
            <h2 id="beside">{dearer === null ? "Checking" : "A dearer one"}</h2>
          </div>
          <div className="body stack" style={{ gap: 8 }}>
            {dearer === null ? null : <Dearer dearer={dearer} />}
            {review === null ? null : (
              <p data-testid="review">
                Checking a run costs {dollarsText(review.cost)}{" "}
                {/^(0|-.*)$/.test(review.gain) ? (
                  <>
                    and <strong>does not pay</strong>
                    {basis?.p === 1
                      ? ": where every task succeeds there is nothing to find."
                      : review.isHarmless
                        ? " with no damage said: there is nothing that it keeps from harm."
                        : ": what it finds does no more damage than doing the task costs, or comes to light anyway."}
                  </>
                ) : (
                  <>
                    and keeps {dollarsText(review.gain)} from harm: it <strong>{review.pays ? "pays" : "does not pay"}</strong>.
                    {!review.pays && review.belowP !== null && review.belowP > 0
                      ? ` It would where less than ${shareText(review.belowP)} succeed.`
                      : ""}
                  </>
                )}
              </p>
            )}
          </div>
        </section>
      )}
      {gdpval === null ? null : (
        <section className="card" aria-labelledby="gdpval">
          <div className="title">
            <h2 id="gdpval">By GDPval’s arithmetic</h2>
            <p className="soft small">the same numbers, without clean-up and damage</p>
          </div>
          <div className="body">
            <dl className="facts wide-facts" data-testid="gdpval">
              <dt>Tried once, then a person</dt>
              <dd>{wayText(gdpval.once)}</dd>
              <dt>Tried until accepted</dt>
              <dd>{wayText(gdpval.untilAccepted)}</dd>
            </dl>
          </div>
        </section>
      )}
    </>
  );
}

function Dearer({ dearer }: { readonly dearer: NonNullable<Worth["dearer"]> }): ReactNode {
  const isLoss = dearer.saved.startsWith("-");
  const { kind, p } = dearer.needed;
  const [low, high] = [dearer.savedLow, dearer.savedHigh].map((usd) => (usd === null ? null : dollarsText(usd))) as [
    string | null,
    string | null,
  ];
  const range = low !== null && low === high ? "" : openEnds(low, high);
  const over = range === "" ? "" : ` (over what is known ${range} less)`;
  const most = [
    ...(dearer.cost === null ? [] : [`a run may cost ${dollarsText(dearer.cost)}`]),
    ...(dearer.reviewMinutes === null ? [] : [`checking may take ${minutesText(dearer.reviewMinutes)}`]),
  ];
  return (
    <p data-testid="dearer">
      {dearer.isAssumed ? `If it succeeds no more often (${shareText(dearer.p)})` : `With ${shareText(dearer.p)} success`}, it costs{" "}
      {dollarsText(dearer.expected.agent)} a task in all:{" "}
      <strong>
        {dollarsText(dearer.saved.replace("-", ""))} {isLoss ? "more" : "less"}
      </strong>{" "}
      than the other{over}.{" "}
      {kind === "at"
        ? `It is worth its price from ${shareText(p ?? 0)} success on`
        : `It is worth its price at ${kind === "always" ? "every" : "no"} success`}
      {most.length === 0 ? "." : `; all else as it is, ${most.join(", or ")} at the most.`}
    </p>
  );
}

function wayText({ cost, saving, minutes, speedup }: GdpvalWay): string {
  if (cost === null) return "never ends: nothing is accepted";
  const money = `${dollarsText(cost)}${saving === null ? "" : `, ${times(saving)} cheaper`}`;
  return minutes === null ? money : `${money}; ${minutesText(minutes)}${speedup === null ? "" : `, ${times(speedup)} faster`}`;
}

function times(factor: number): string {
  return `${factor.toFixed(2)} times`;
}

/** The sum, as it is shown, with every digit. */
function toTable({ expected, tasks }: Worth): (string | number)[][] {
  if (expected === null) return [];
  const { perTask, all } = expected.basis;
  const line = (name: string, one: string, other: string): (string | number)[] => (tasks === 1 ? [name, one] : [name, one, other]);
  const parts = Object.keys(perTask.parts) as (keyof typeof perTask.parts)[];
  return [
    line("part", "usd a task", `usd for ${tasks} tasks`),
    ...parts.map((name) => line(name, perTask.parts[name], all.parts[name])),
    ...(["agent", "other", "saved"] as const).map((name) => line(name, perTask[name], all[name])),
  ];
}
