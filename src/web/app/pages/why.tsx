// Why the bill moved between two spans: a sentence, a waterfall, and under it each driver with what contributed most. Every view is an address.
// Invariant: amounts are the API's; the lines add up to the change, and where something is not known it says so.

import { Select, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useCallback, useMemo, useRef } from "react";
import { useAnswer } from "../data.ts";
import { nameField } from "../fields.ts";
import { decimalsFor, exact, format, parse, round, toAxis, toGeometry } from "../money.ts";
import { againstNames, againstOf, type Contributor, groups, type MoveLine, type Moves, toQuestion, usualSpan } from "../moves.ts";
import { Cascade, type Step } from "../parts/cascade.tsx";
import { Filters } from "../parts/filters.tsx";
import { changeMarks, Moved, toMark, toText } from "../parts/moved.tsx";
import { Page } from "../parts/page.tsx";
import { Share, toLine } from "../parts/share.tsx";
import { signOf } from "../parts/signed.tsx";
import { SpanPicker } from "../parts/span.tsx";
import { Empty, Failed, Waiting } from "../parts/states.tsx";
import { Unreal } from "../parts/unreal.tsx";
import { Usd } from "../parts/usd.tsx";
import { one } from "../search.ts";
import { addDays, day, exactMoment, parseSpan, type Span, startOfMonth, toDate, toIso } from "../time.ts";
import { useView } from "../view.ts";
import { plural } from "../words.ts";
import { Bridge, Drivers } from "./drivers.tsx";

export function Why(): ReactNode {
  const { search, spanText, span, filters, change } = useView(usualSpan);
  const question = useMemo(() => toQuestion(search, span, spanText, filters), [search, span, spanText, filters]);
  const answer = useAnswer<Moves>("drivers", question);
  const { data, error } = answer;
  const picture = useRef<(() => string) | null>(null);
  const onReady = useCallback((made: () => string) => {
    picture.current = made;
  }, []);
  const against = againstOf(search, spanText);
  const isOwn = !Object.hasOwn(againstNames, against);
  const by = one(search["by"]) ?? "none";
  const line = toLine("why", [
    ["since", question["since"] as string],
    ["until", question["until"] as string | undefined],
    ["against", question["against"] as string],
    ["by", by === "none" ? undefined : by],
    ["zone", question["zone"] as string],
    ...filters.map((filter) => ["filter", filter] as const),
  ]);
  return (
    <Page
      title="Why it moved"
      tools={
        <>
          <Share
            name="why"
            line={line}
            {...(data === undefined ? {} : { table: () => toTable(data), picture: () => picture.current?.() ?? "" })}
          />
          <SpanPicker value={spanText} onChange={(next) => change({ span: next })} />
        </>
      }
    >
      <div className="stack" style={{ gap: 12 }}>
        <div className="row wrap controls">
          <span className="soft small">against</span>
          <Select
            size="xs"
            w={200}
            aria-label="Against"
            value={isOwn ? "own" : against}
            onChange={(value) => change({ against: value === "own" ? daysBefore(span) : (value ?? undefined) })}
            data={[
              ...Object.entries(againstNames).map(([value, label]) => ({ value, label })),
              { value: "own", label: "days of your own" },
            ]}
            allowDeselect={false}
          />
          {isOwn ? <AgainstDays value={against} onChange={(next) => change({ against: next })} /> : null}
          <span className="soft small">told apart by</span>
          <Select
            size="xs"
            w={200}
            aria-label="Told apart by"
            value={by}
            onChange={(value) => change({ by: value === "none" ? undefined : (value ?? undefined) })}
            data={[
              { value: "none", label: "Type and model" },
              ...groups.map((value) => ({ value, label: `Type, model, ${nameField(value).toLowerCase()}` })),
            ]}
            allowDeselect={false}
          />
        </div>
        <Filters filters={filters} span={span} onChange={(list) => change({ filter: list.length === 0 ? undefined : list })} />
        {data === undefined ? (
          <section className="card">
            {error === null ? (
              <Waiting label="Loading the drivers" rows={8} />
            ) : (
              <Failed error={error} onRetry={() => void answer.refetch()} />
            )}
          </section>
        ) : (
          <Answered
            moves={data}
            isOld={answer.isPlaceholderData}
            onReady={onReady}
            filters={filters}
            onAll={() => change({ filter: undefined, span: "90d" })}
          />
        )}
      </div>
    </Page>
  );
}

/** Days of one's own to compare with. */
function AgainstDays({ value, onChange }: { readonly value: string; readonly onChange: (span: string) => void }): ReactNode {
  const { sinceMs, untilMs } = parseSpan(value, Date.now());
  const [from, to] = [sinceMs === null ? "" : toDate(sinceMs), untilMs === null ? "" : toDate(untilMs - 1)];
  const today = toDate(Date.now());
  // Days to come cannot be compared.
  const choose = (first: string, last: string): void => {
    if (first !== "" && last !== "" && first <= last && last <= today) onChange(`${first}..${last}`);
  };
  return (
    <>
      <TextInput
        type="date"
        size="xs"
        aria-label="Against: from"
        value={from}
        max={to}
        onChange={(event) => choose(event.currentTarget.value, to)}
      />
      <TextInput
        type="date"
        size="xs"
        aria-label="Against: to, that day included"
        value={to}
        min={from}
        max={today}
        onChange={(event) => choose(from, event.currentTarget.value)}
      />
    </>
  );
}

function Answered({
  moves,
  isOld,
  filters,
  onReady,
  onAll,
}: {
  readonly moves: Moves;
  readonly isOld: boolean;
  readonly filters: readonly string[];
  readonly onReady: (picture: () => string) => void;
  readonly onAll: () => void;
}): ReactNode {
  const { before, after, change, bound, changePercent, lines, summary } = moves;
  const steps = useMemo(() => toSteps(moves), [moves]);
  if (before.cost === "0" && after.cost === "0" && before.calls + after.calls === 0 && before.isCostWhole && after.isCostWhole)
    return (
      <section className="card">
        <Empty title="Nothing in either span">
          <p>No call{filters.length > 0 ? " that passes the filters" : ""} and no charge is on record there.</p>
          <button type="button" className="inline" onClick={onAll}>
            Look at the last 90 days
          </button>
        </Empty>
      </section>
    );
  return (
    <div className="stack" style={{ gap: 12 }} data-old={isOld || undefined}>
      <section className="card" aria-labelledby="moved">
        <div className="title">
          <h2 id="moved" className="hidden">
            In short
          </h2>
          <p data-testid="summary">
            {/* A line may not end between a minus, or a mark, and its amount. */}
            {summary.split(/(−\S+|[≥≤?] \S+)/).map((part, index) =>
              index % 2 === 1 ? (
                <span key={index} className="usd">
                  {part}
                </span>
              ) : (
                part
              ),
            )}
          </p>
        </div>
        <dl className="tiles">
          <Tile name="Before" side={before} />
          <Tile name="Then" side={after} />
          <div className="tile">
            <dt>Change</dt>
            <dd className="figure" data-testid="change">
              <Moved value={change} bound={bound} />
            </dd>
            <dd className="soft small">
              {changePercent === null
                ? before.isCostWhole
                  ? "nothing was spent before"
                  : "what was spent before is unknown"
                : `${changeMarks[bound]}${signOf(changePercent)}${percents.format(Math.abs(Number(changePercent)))}% of what it was`}
            </dd>
          </div>
        </dl>
      </section>
      {lines.every((line) => line.change === "0") ? null : (
        <section className="card" aria-labelledby="fall">
          <div className="title">
            <h2 id="fall">From before to then</h2>
            <p className="soft small">
              {nameSpan(before)} to {nameSpan(after)}
              {before.isCostWhole && after.isCostWhole ? "" : ". The lines divide the known costs alone."}
            </p>
            <div className="tools">
              <Unreal query={{ since: toIso(before.sinceMs), until: toIso(after.untilMs) }} />
            </div>
          </div>
          <div className="body">
            <Cascade
              steps={steps}
              label={`From ${toText(before, exact(before.cost))} to ${toText(after, exact(after.cost))}, driver by driver`}
              formatAxis={toAxis}
              onReady={onReady}
            />
          </div>
        </section>
      )}
      <Drivers moves={moves} />
      <Bridge moves={moves} />
      <Notes moves={moves} />
    </div>
  );
}

/** As many days, right before. */
function daysBefore({ sinceMs, untilMs }: Span): string {
  const fromMs = sinceMs ?? startOfMonth(Date.now());
  const lengthMs = (untilMs ?? Date.now()) - fromMs;
  return `${toDate(fromMs - lengthMs)}..${toDate(addDays(fromMs, -1))}`;
}

const percents = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

function Tile({ name, side }: { readonly name: string; readonly side: Moves["before"] }): ReactNode {
  return (
    <div className="tile">
      <dt>{name}</dt>
      <dd className="figure" data-testid={name.toLowerCase()}>
        <Usd value={side.cost} mark={toMark(side)} />
      </dd>
      <dd className="soft small">
        {nameSpan(side)} ·{" "}
        <Link to="/calls" className="inline" search={{ span: `${toIso(side.sinceMs)}..${toIso(side.untilMs)}` }}>
          {plural(side.calls, "call")}
        </Link>
        {side.tasks === 0 ? "" : `, ${plural(side.tasks, "task")}`}
      </dd>
    </div>
  );
}

function nameSpan({ sinceMs, untilMs }: Pick<Moves["before"], "sinceMs" | "untilMs">): string {
  const [first, last] = [day(sinceMs), day(untilMs - 1)];
  return first === last ? first : `${first} – ${last}`;
}

function toSteps({ before, after, lines }: Moves): readonly Step[] {
  const moved = lines.filter((line) => line.change !== "0");
  const decimals = Math.max(2, decimalsFor([before.cost, after.cost]) - 2);
  const whole = (key: string, name: string, side: Moves["before"]): Step => ({
    key,
    name,
    from: 0,
    to: toGeometry(side.cost),
    text: toText(side, round(side.cost, decimals)),
    exact: toText(side, exact(side.cost)),
    kind: "whole",
  });
  return [
    whole("before", "Before", before),
    ...moved.map(({ factor, name, change, from, to }): Step => {
      const amount = change.replace("-", "");
      return {
        key: factor,
        name: `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
        from: toGeometry(from),
        to: toGeometry(to),
        text: `${signOf(change)}${round(amount, decimals)}`,
        exact: `${signOf(change)}${exact(amount)}, to ${exact(to)}`,
        kind: change.startsWith("-") ? "less" : "more",
      };
    }),
    whole("after", "Then", after),
  ];
}

/** What is not sure, or could not be known. */
function Notes({ moves }: { readonly moves: Moves }): ReactNode {
  const { by, before, after, lacking, priceMoves, maxGap, lines, shapley } = moves;
  const gap = lines.find((line) => line.factor === maxGap.factor);
  const other = shapley.find((line) => line.factor === maxGap.factor);
  const gross = lines.reduce((all, line) => all + magnitude(parse(line.change)), 0n);
  const unknown = [...gapsOf(before, "before"), ...gapsOf(after, "then")];
  const notes = [
    ...(gap !== undefined && other !== undefined && gross > 0n && parse(maxGap.amount) * 20n >= gross
      ? [
          `The change is divided by logarithmic means. By Shapley values ${gap.name} would be ${signed(other.change)} rather than ${signed(gap.change)}: much changed at once.`,
        ]
      : []),
    ...priceMoves.map(
      ({ model, provider, atMs }) =>
        `The list price of ${model} (${provider}) changed within a span, at ${exactMoment(atMs)}: reckoned before and after.`,
    ),
    ...(lacking.priceMoves > 0
      ? [`${plural(lacking.priceMoves, "change")} of list prices within a span passed over: there are too many.`]
      : []),
    ...(lacking.groups > 0
      ? [
          `${plural(lacking.groups, "value")} of ${nameField(by ?? "").toLowerCase()} are not told apart, the cheapest: they are “all others”.`,
        ]
      : []),
    ...(lacking.prices.length > 0
      ? [`No list price of ${lacking.prices.map(({ model }) => model ?? "no model").join(", ")}: what prices moved there is not known.`]
      : []),
    ...(unknown.length > 0 ? [`Cost unknown: ${unknown.join("; ")}. At least (≥) what is said was spent.`] : []),
  ];
  if (notes.length === 0) return null;
  return (
    <section className="card" aria-labelledby="notes">
      <div className="title">
        <h2 id="notes">What to know of it</h2>
      </div>
      <ul className="notes">
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </section>
  );
}

/** What of a span nobody knows the cost of. */
function gapsOf({ unpriced, periodUnpriced, unmetered }: Moves["before"], when: string): string[] {
  const parts = [
    ...(unpriced > periodUnpriced ? [`${plural(unpriced - periodUnpriced, "call")} with something without a price`] : []),
    ...(periodUnpriced > 0 ? [`${plural(periodUnpriced, "day")} of charges without a price`] : []),
    ...(unmetered > 0 ? [`${plural(unmetered, "call")} without usage`] : []),
  ];
  return parts.length === 0 ? [] : [`${when}, ${parts.join(", ")}`];
}

function signed(change: string): string {
  return `${signOf(change)}${round(change.replace("-", ""), 2)}`;
}

function magnitude(pico: bigint): bigint {
  return pico < 0n ? -pico : pico;
}

/** With every digit; contributors stand below their line. */
function toTable({ before, after, lines, by }: Moves): (string | number)[][] {
  const row = (line: MoveLine, one: Contributor | null, change: string): (string | number)[] => [
    line.name,
    one?.charge ?? one?.type ?? "",
    one?.provider ?? "",
    one?.model ?? "",
    ...(by === null ? [] : [one?.group ?? ""]),
    change,
    ...[one?.before, one?.after].flatMap((figures) => [figures?.calls ?? "", figures?.tokens ?? "", figures?.cost ?? ""]),
  ];
  const pad = Array.from({ length: 6 }, () => "");
  const whole = (name: string, { cost, isCostWhole }: Moves["before"]): (string | number)[] => [
    `${name}${isCostWhole ? "" : cost === "0" ? ", unknown" : ", at least"}`,
    "",
    "",
    "",
    ...(by === null ? [] : [""]),
    cost,
    ...pad,
  ];
  return [
    [
      "driver",
      "type",
      "provider",
      "model",
      ...(by === null ? [] : [by]),
      "usd",
      "calls before",
      "tokens before",
      "cost before",
      "calls after",
      "tokens after",
      "cost after",
    ],
    whole("before", before),
    ...lines.flatMap((line) => [
      row(line, null, line.change),
      ...line.contributors.map((one) => row(line, one, one.change)),
      ...(parse(line.rest) === 0n
        ? []
        : [[line.name, "all others", "", "", ...(by === null ? [] : [""]), format(parse(line.rest)), ...pad]]),
    ]),
    whole("after", after),
  ];
}
