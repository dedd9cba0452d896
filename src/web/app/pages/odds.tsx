// One more try: what it is likely to cost and to bring after those that failed, beside what tries that do not depend on one another would have said.
// Not here: candidates side by side (compare.tsx). Invariant: every number is the API's; where nothing was tried again, no odds of a second try are shown.

import { Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { type ReactNode, useEffect, useState } from "react";
import type { Query } from "../api.ts";
import { amountsText, endsText, type Odds, type OddsRow, type Try } from "../compare.ts";
import { useAnswer } from "../data.ts";
import { nameField } from "../fields.ts";
import { count } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { Copy, toLine } from "../parts/share.tsx";
import { Pending } from "../parts/states.tsx";
import { shareText } from "../parts/values.ts";
import { one, type Search } from "../search.ts";
import { briefText } from "../success.ts";
import type { View } from "../view.ts";
import { plural } from "../words.ts";

const settleMs = 300;
const rowsMax = 8;

export function OddsCard({
  shared,
  by,
  search,
  line,
  change,
}: Pick<View, "change"> & {
  readonly shared: Query;
  readonly by: string;
  readonly search: Search;
  readonly line: readonly (readonly [string, string | null | undefined])[];
}): ReactNode {
  const value = one(search["value"]);
  const whose = one(search["tries"]) === "all" ? "type" : by;
  const answer = useAnswer<Odds>("odds", { ...shared, by: whose, value });
  const { data } = answer;
  return (
    <section className="card" aria-labelledby="odds">
      <div className="title">
        <h2 id="odds">One more try</h2>
        <p className="soft small">given that all before it at the same case failed</p>
        <div className="tools">
          <Select
            size="xs"
            w={190}
            aria-label="Whose tries"
            value={whose === "type" ? "all" : "each"}
            data={[
              { value: "all", label: "Whoever tries it" },
              ...(by === "type" ? [] : [{ value: "each", label: `Each ${nameField(by).toLowerCase()} alone` }]),
            ]}
            allowDeselect={false}
            onChange={(next) => change({ tries: next === "all" ? "all" : undefined })}
          />
          <Value value={value} change={change} />
        </div>
      </div>
      {data === undefined ? (
        <Pending answer={answer} label="Loading the odds" rows={4} />
      ) : (
        <Answered data={data} line={toLine("tasks odds", [["by", whose], ...line, ["value", value]])} />
      )}
    </section>
  );
}

function Value({ value, change }: Pick<View, "change"> & { readonly value: string | undefined }): ReactNode {
  const [typed, setTyped] = useState(value ?? "");
  const [settled] = useDebouncedValue(typed.trim(), settleMs);
  const isAmount = /^(\d{1,9}(\.\d{1,12})?)?$/.test(settled);
  useEffect(() => {
    if (isAmount && settled !== (value ?? "")) change({ value: settled === "" ? undefined : settled });
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- only what is typed changes the address
  }, [settled]);
  return (
    <TextInput
      size="xs"
      w={150}
      aria-label="What a success is worth, dollars"
      placeholder="a success is worth"
      leftSection="$"
      inputMode="decimal"
      autoComplete="off"
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
      error={isAmount ? null : "Dollars, such as 5"}
    />
  );
}

function Answered({ data, line }: { readonly data: Odds; readonly line: string }): ReactNode {
  const rows = data.rows.filter(({ tries }) => tries.length > 0).slice(0, rowsMax);
  const nameless = data.rows.reduce((all, row) => all + row.nameless, 0);
  const isAgain = rows.some(({ tries }) => tries.length > 1);
  const unnamed = `${plural(nameless, "task")} without the tag case: which of them are tries at the same thing is not known.`;
  return (
    <>
      {rows.length === 0 ? null : (
        <div className="scroll" tabIndex={0} role="region" aria-label="Table of tries">
          <table className="list odds">
            <Head
              columns={[
                nameField(data.by),
                ["After", "number"],
                ["Tries", "number wide"],
                ["Odds", "number"],
                ["A try", "number"],
                ["Within", "number wide"],
                ["If independent", "number wide"],
                ...(data.value === null ? [] : [["Worth it", "number"] as const]),
              ]}
            />
            <tbody>
              {rows.flatMap((row) =>
                row.tries.map((found, index) => (
                  <Line
                    key={`${row.candidate ?? ""} ${found.attempt}`}
                    row={row}
                    found={found}
                    isFirst={index === 0}
                    hasValue={data.value !== null}
                  />
                )),
              )}
            </tbody>
          </table>
        </div>
      )}
      <div className="footnote soft small stack" style={{ gap: 4 }} data-testid="oddsnotes">
        {data.tasks === 0 ? <p>No task in this span.</p> : null}
        {rows.length > 0 && !isAgain ? <p>No case was tried again after a failure yet.</p> : null}
        {isAgain ? (
          <p>
            Within: a success by that try, if all who fail go on. If independent: what the first try’s odds alone would have said. Neither
            has an interval: it is made of several odds.
          </p>
        ) : null}
        {data.leftOut.candidates > 0 ? (
          <p>
            {count(data.leftOut.candidates)} more ({plural(data.leftOut.tasks, "task")}) are left out.
          </p>
        ) : null}
        {rows.map((row) => (
          <GaveUp key={row.candidate ?? ""} row={row} />
        ))}
        {nameless > 0 ? <p>{unnamed}</p> : null}
        <div>
          <Copy text={line} label="Copy as a line for the terminal" />
        </div>
      </div>
    </>
  );
}

function GaveUp({ row: { candidate, tries } }: { readonly row: OddsRow }): ReactNode {
  const second = tries[1];
  if (second === undefined || second.gaveUp <= second.tries + second.unknown) return null;
  return (
    <p>
      {candidate ?? "Not said"}: of those that failed once, {count(second.gaveUp)} were given up. If they were the hopeless ones, the odds
      flatter.
    </p>
  );
}

const verdictWords = { yes: ["yes", "good"], no: ["no", "bad"], "not-enough-data": ["not enough data", "warn"] } as const;

function Line({
  row,
  found,
  isFirst,
  hasValue,
}: {
  readonly row: OddsRow;
  readonly found: Try;
  readonly isFirst: boolean;
  readonly hasValue: boolean;
}): ReactNode {
  const { attempt, failures, tries, rate, cost, interval, within, independent, worth } = found;
  // Of which nothing bounds the cost.
  const isFew = worth?.verdict === "not-enough-data" && interval === null;
  const [word, look] = worth === null ? ["cost unknown", "soft"] : verdictWords[worth.verdict];
  return (
    <tr data-try={attempt} data-of={row.candidate ?? ""}>
      <th scope="row" className="free">
        {isFirst ? (
          (row.candidate ?? <span className="soft">not said</span>)
        ) : (
          <span className="hidden">{row.candidate ?? "not said"}</span>
        )}
      </th>
      <td className="number">{failures === 0 ? <span className="soft">none</span> : `${failures} failed`}</td>
      <td className="number wide">{count(tries)}</td>
      <td className="number" data-rate={rate ?? undefined}>
        {rate === null ? <span className="soft">not known</span> : shareText(rate)}
        {rate === null ? null : <small className="soft under">{endsText(found)}</small>}
      </td>
      <td className="number" data-usd={cost ?? undefined}>
        {cost === null ? <span className="warn">unknown</span> : briefText(cost)}
        {cost === null ? null : <small className="soft under">{amountsText(interval)}</small>}
      </td>
      <td className="number wide">{within === null ? <span className="soft">not known</span> : shareText(within)}</td>
      <td className="number wide soft">{independent === null ? "not known" : shareText(independent.within)}</td>
      {hasValue ? (
        <td className="number" data-worth={worth?.verdict}>
          <span className={look}>
            {word}
            {isFew ? ": few tries" : ""}
          </span>
          {worth === null ? null : (
            <small className="soft under">
              brings {briefText(worth.bringsLow)} to {briefText(worth.bringsHigh)} for {briefText(worth.spend)}
            </small>
          )}
        </td>
      ) : null}
    </tr>
  );
}
