// Where the tokens of tasks go: money by step and kind of step, what the prompts are made of, how they grow and fill the window, and what was
// wasted. Not here: one run, call by call (task.tsx). Invariant: every number is the API's; what is estimated or not known says so.

import { Select } from "@mantine/core";
import type { ReactNode } from "react";
import type { Query } from "../api.ts";
import { useAnswer } from "../data.ts";
import { compact, count, decimalsFor, percent, share } from "../money.ts";
import { Filters } from "../parts/filters.tsx";
import { Page } from "../parts/page.tsx";
import { CopyLine, Share, toLine } from "../parts/share.tsx";
import { SpanPicker } from "../parts/span.tsx";
import { Empty, Pending } from "../parts/states.tsx";
import { markOf, Usd } from "../parts/usd.tsx";
import { shareText } from "../parts/values.ts";
import { one } from "../search.ts";
import { kindWords, partKeys, type Shape, type ShapeSums, wasteWords } from "../shape.ts";
import { briefText } from "../success.ts";
import { longDay, spanInSentence, toIso, zone } from "../time.ts";
import { useView } from "../view.ts";
import { plural, wordFor } from "../words.ts";
import { Prompt } from "./prompt.tsx";
import { Steps } from "./steps.tsx";

/** The menu's word for calls of all types: no type is called that, since it has a space before it. */
const all = " all";
const none = " none";

export function ShapePage(): ReactNode {
  const { search, spanText, span, filters, change } = useView("7d");
  const type = one(search["type"]);
  const isNone = one(search["untyped"]) === "true";
  const asked: Query = { since: toIso(span.sinceMs) ?? "1970-01-01", until: toIso(span.untilMs), zone, filter: filters, limit: 200 };
  const answer = useAnswer<Shape>("shape", { ...asked, type: isNone ? "" : type });
  const { data } = answer;
  const line = toLine("tasks shape", [
    ["type", type],
    ["since", toIso(span.sinceMs)],
    ["until", toIso(span.untilMs)],
    ...filters.map((filter) => ["filter", filter] as const),
  ]);
  const types = (data?.types ?? []).flatMap((known) => (known.type === null || known.type === "" ? [] : [known.type]));
  const listed = type === undefined || types.includes(type) ? types : [type, ...types];
  return (
    <Page
      title="Where tokens go"
      tools={
        <>
          <Share name="shape" line={isNone ? `${line} --type ''` : line} {...(data === undefined ? {} : { table: () => toTable(data) })} />
          <SpanPicker value={spanText} onChange={(next) => change({ span: next })} />
        </>
      }
    >
      <div className="stack" style={{ gap: 12 }}>
        <div className="row wrap">
          <Select
            size="xs"
            w={220}
            aria-label="Task type"
            value={isNone ? none : (type ?? all)}
            data={[
              { value: all, label: "All calls" },
              ...listed.map((value) => ({ value, label: value })),
              ...(data?.types.some((known) => known.type === "") === true || isNone
                ? [{ value: none, label: "Tasks without a type" }]
                : []),
            ]}
            allowDeselect={false}
            searchable
            onChange={(value) =>
              change({
                type: value === all || value === none || value === null ? undefined : value,
                untyped: value === none ? "true" : undefined,
              })
            }
          />
          <Filters filters={filters} span={span} onChange={(next) => change({ filter: next.length === 0 ? undefined : next })} />
        </div>
        {data === undefined ? (
          <div className="card">
            <Pending answer={answer} label="Loading where the tokens go" rows={12} />
          </div>
        ) : data.total.calls === 0 ? (
          <div className="card">
            <Empty title={`No such call in this span (${spanInSentence(spanText)})`}>
              <p>A call belongs to a task, and to a step of it, once it says so, by a header:</p>
              <CopyLine text={'-H "x-pennyworth-task: ticket-4711" -H "x-pennyworth-type: support" -H "x-pennyworth-step: plan"'} />
            </Empty>
          </div>
        ) : (
          <div className="stack" data-old={answer.isPlaceholderData || undefined}>
            <section className="card" aria-label="In all">
              <Tiles shape={data} />
            </section>
            <Worst shape={data} />
            <Steps shape={data} />
            <div className="grid">
              <Prompt total={data.total} />
              <Context total={data.total} pricesMs={data.pricesMs} />
            </div>
            <Notes shape={data} />
          </div>
        )}
      </div>
    </Page>
  );
}

function Tiles({ shape: { type, total, tasks, callsMax, depth } }: { readonly shape: Shape }): ReactNode {
  const part = share(total.wasted, total.cost);
  return (
    <dl className="tiles pairs">
      <div className="tile">
        <dt>Cost</dt>
        <dd>
          <p className="figure" data-testid="cost">
            <Usd value={total.cost} decimals={decimalsFor([total.cost])} mark={markOf(total)} />
          </p>
          <p className="soft small">
            {plural(total.calls, "call")}
            {tasks === 0 ? "" : ` of ${plural(tasks, "task")}`}
            {type === null ? "" : "; of tasks that are of this type themselves: what their parts of other types cost is under those"}
          </p>
        </dd>
      </div>
      <div className="tile">
        <dt>Calls a task</dt>
        <dd>
          <p className="figure" data-testid="calls">
            {tasks === 0 ? <span className="soft">no task</span> : decimal(total.calls / tasks)}
          </p>
          <p className="soft small">
            {callsMax === 0 ? "" : `${count(callsMax)} at the most; `}
            {plural(total.retries, "retry", "retries")}
            {depth === null ? null : (
              <span data-testid="depth">
                {depth.max === 0 ? "; no subtasks" : `; ${decimal(depth.mean)} tasks deep below the root, ${count(depth.max)} at the most`}
              </span>
            )}
          </p>
        </dd>
      </div>
      <div className="tile">
        <dt>Tokens</dt>
        <dd>
          <p className="figure">{compact(total.inputTokens)}</p>
          <p className="soft small">
            in, and {compact(total.outputTokens)} out; {toolsText(total)}
          </p>
        </dd>
      </div>
      <div className="tile">
        <dt>Wasted</dt>
        <dd>
          <p className="figure" data-testid="wasted" data-usd={total.wasted}>
            {total.wasted === "0" ? <span className="soft">nothing known</span> : briefText(total.wasted)}
          </p>
          <p className="soft small">{total.wasted === "0" ? "as far as is recorded" : `${percent(part)} of the cost`}</p>
        </dd>
      </div>
    </dl>
  );
}

export function toolsText({ tools, toolsUnknown, calls }: ShapeSums): string {
  if (toolsUnknown >= calls || (toolsUnknown > 0 && tools === 0)) return "tools called not known";
  return `${toolsUnknown > 0 ? "at least " : ""}${plural(tools, "tool")} called`;
}

/** The most wasteful step, and every waste with what leaving it out would have saved. */
function Worst({ shape: { worst, wastes, total } }: { readonly shape: Shape }): ReactNode {
  const shown = wastes.filter(({ saved, unknownTokens, unpriced }) => saved !== "0" || unknownTokens + unpriced > 0).slice(0, 12);
  const most = shown[0]?.saved ?? "0";
  return (
    <section className="card" aria-labelledby="waste">
      <div className="title">
        <h2 id="waste">What was wasted</h2>
        <p className="soft small">no dollar is in two of these</p>
      </div>
      <div className="body stack" style={{ gap: 12 }}>
        <p data-testid="worst">
          {worst === null ? (
            "Nothing was, as far as is recorded."
          ) : (
            <>
              The most wasteful step is <strong>{nameStep(worst.step)}</strong>: without its waste,{" "}
              <strong>{briefText(worst.saved)}</strong> less
              {worst.share === null ? "" : ` (${shareText(worst.share)} of it all)`}.
            </>
          )}
        </p>
        {shown.length === 0 ? null : (
          <ul className="shares" aria-label="Wastes">
            {shown.map(({ waste, step, calls, tokens, saved, unknownTokens, unpriced }) => {
              const [name, why] = wasteWords[waste];
              const size = calls === null ? `${compact(tokens ?? 0)} ${wordFor(tokens ?? 0, "token")}` : plural(calls, "call");
              return (
                <li key={`${waste} ${step ?? ""}`} data-waste={`${waste} ${step ?? ""}`}>
                  <span className="row">
                    <span className="grow">
                      <span className="name">{nameStep(step)}</span> · {name.toLowerCase()}{" "}
                      <span className="soft small" title={why}>
                        {size}
                        {unknownTokens === 0 ? "" : `, of ${compact(unknownTokens)} no price of a cache is known`}
                        {unpriced === 0 ? "" : `, ${plural(unpriced, "call")} without a price`}
                      </span>
                    </span>
                    <span className="number" data-usd={saved}>
                      {saved === "0" ? (
                        <span className="soft">not known</span>
                      ) : (
                        `${unpriced + unknownTokens > 0 ? "≥ " : ""}${briefText(saved)}`
                      )}
                    </span>
                    <span className="number soft small part">{percent(share(saved, total.cost))}</span>
                  </span>
                  <span className="bar" aria-hidden="true">
                    <span style={{ width: `${share(saved, most) * 100}%` }} />
                  </span>
                </li>
              );
            })}
          </ul>
        )}
        {shown.length === 0 ? null : (
          <dl className="facts small">
            {(Object.keys(wasteWords) as (keyof typeof wasteWords)[])
              .filter((waste) => shown.some((each) => each.waste === waste))
              .map((waste) => (
                <div key={waste} style={{ display: "contents" }}>
                  <dt>{wasteWords[waste][0]}</dt>
                  <dd className="soft">{wasteWords[waste][1]}</dd>
                </div>
              ))}
          </dl>
        )}
      </div>
    </section>
  );
}

export function nameStep(step: string | null): string {
  return step ?? "calls that name no step";
}

/** How prompts grow and fill the window, and what was sent again. */
function Context({ total, pricesMs }: { readonly total: ShapeSums; readonly pricesMs: number }): ReactNode {
  const { growth, fill, inputTokensMax, resent } = total;
  return (
    <section className="card span6" aria-labelledby="context">
      <div className="title">
        <h2 id="context">The context</h2>
      </div>
      <div className="body">
        <dl className="facts">
          <dt>Grows by</dt>
          <dd data-testid="growth">
            {growth === null ? (
              <span className="soft">not known: no call is known to go on from one before</span>
            ) : (
              `${count(Math.round(growth.perCall))} tokens a call, over ${plural(growth.calls, "call")} that go on from one before`
            )}
          </dd>
          <dt>Longest prompt</dt>
          <dd>{inputTokensMax === null ? <span className="soft">not known</span> : `${count(inputTokensMax)} tokens`}</dd>
          <dt>Fullest window</dt>
          <dd data-testid="fill">
            {fill === null ? (
              <span className="soft">not known: no window of these models is on record</span>
            ) : (
              <>
                {shareText(fill.share)} of {count(fill.window)} tokens, {fill.model}
                <span className="bar" aria-hidden="true">
                  <span style={{ width: `${Math.min(1, fill.share) * 100}%` }} />
                </span>
              </>
            )}
          </dd>
          <dt>Sent again</dt>
          <dd data-testid="resent">
            {resent.tokens === 0 ? (
              <span className="soft">nothing known that no cache gave</span>
            ) : (
              <>
                {count(resent.tokens)} tokens that no cache gave, for {briefText(resent.cost)}
                {resent.unpriced === 0 ? "" : ` and what ${plural(resent.unpriced, "call")} without a price cost`}.{" "}
                {cacheText(resent, pricesMs)}
              </>
            )}
          </dd>
        </dl>
      </div>
    </section>
  );
}

function cacheText({ tokens, saved, unknownTokens }: ShapeSums["resent"], pricesMs: number): string {
  if (unknownTokens === tokens) return "What a cache would have saved is not known: there is no price of one.";
  const unknown = unknownTokens === 0 ? "" : `; for ${count(unknownTokens)} of them there is no such price`;
  return `Read from it, ${briefText(saved)} less, by the prices of ${longDay(pricesMs)}${unknown}.`;
}

function Notes({ shape: { total, steps, truncated } }: { readonly shape: Shape }): ReactNode {
  const notes: readonly (string | null)[] = [
    "A step is what a call says with the header x-pennyworth-step; its kind is told from its name.",
    truncated ? `Only the dearest ${count(steps.length)} steps are shown; the sums are over all.` : null,
    total.unpriced > 0 ? `${plural(total.unpriced, "call")} used something without a price: ≥, at least.` : null,
    total.unmetered > 0 ? `Of ${plural(total.unmetered, "call")} nobody knows what they used.` : null,
  ];
  return (
    <div className="stack soft small" style={{ gap: 2 }}>
      {notes.map((note) => (note === null ? null : <p key={note}>{note}</p>))}
    </div>
  );
}

const tenths = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

function decimal(value: number): string {
  return tenths.format(value);
}

/** Every step as it is, and the total. */
function toTable({ steps, total }: Shape): (string | number)[][] {
  return [
    [
      "step",
      "kind",
      "calls",
      "cost",
      "retries",
      "failed",
      "failedCost",
      "repeated",
      "repeatedCost",
      "inputTokens",
      "outputTokens",
      "tools",
      ...partKeys.flatMap((name) => [`${name}Bytes`, `${name}TokensEstimated`]),
      "grownPerCall",
      "inputTokensMax",
      "fill",
      "resentTokens",
      "resentCost",
      "resentSaved",
      "wasted",
      "unpriced",
      "unmetered",
    ],
    ...steps.map((row) => [row.step ?? "", row.kind === null ? "" : kindWords[row.kind].toLowerCase(), ...write(row)]),
    ["total", "", ...write(total)],
  ];
}

function write(row: ShapeSums): (string | number)[] {
  return [
    row.calls,
    row.cost,
    row.retries,
    row.failed.calls,
    row.failed.cost,
    row.repeated.calls,
    row.repeated.cost,
    row.inputTokens,
    row.outputTokens,
    row.tools,
    ...partKeys.flatMap((name) => [row.prompt.bytes[name], row.prompt.tokens[name]]),
    row.growth?.perCall ?? "",
    row.inputTokensMax ?? "",
    row.fill?.share ?? "",
    row.resent.tokens,
    row.resent.cost,
    row.resent.saved,
    row.wasted,
    row.unpriced,
    row.unmetered,
  ];
}
