// The map of task types on the page "Worth it?": the list of types as it is typed, or the ledger's, and where each lies. Not here: the picture
// (field.tsx), what a place means (the API). Invariant: all that the picture shows stands in the table, and a type of which something is missing
// says what.

import { Button, Switch, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { usePosted } from "../data.ts";
import { Icon } from "../icons.tsx";
import { Field } from "../parts/field.tsx";
import { Head } from "../parts/head.tsx";
import { Failed, Waiting } from "../parts/states.tsx";
import { classNames, dollarsText, minutesText, shareText } from "../parts/values.ts";
import { type Draft, noType, ownName, type Point, toFormWords, toMapQuestion, type TypeRow, type WorthMap } from "../worth.ts";

const missingWords: Readonly<Record<string, string>> = {
  minutes: "time to do",
  reviewMinutes: "time to check",
  cost: "cost of a run",
  damage: "damage",
  success: "success",
};

export function SweetSpot({
  draft,
  settled,
  isRefused,
  onTypes,
  onLedger,
}: {
  readonly draft: Draft;
  readonly settled: Draft;
  /** Something in the form cannot be, and is told there. */
  readonly isRefused: boolean;
  readonly onTypes: (types: readonly TypeRow[]) => void;
  readonly onLedger: (hasLedger: boolean) => void;
}): ReactNode {
  const question = toMapQuestion(settled);
  const answer = usePosted<WorthMap>("worth/map", question ?? {}, { enabled: question !== null && !isRefused, live: settled.hasLedger });
  const [picked, setPicked] = useState<string | null>(null);
  const { data, error } = answer;
  const points = question === null ? [] : (data?.points ?? []);
  const chosen = points.find(({ type }) => type === picked) ?? points.find(({ edge }) => edge.length > 0) ?? points[0];
  return (
    <section className="card" aria-labelledby="map">
      <div className="title">
        <h2 id="map">Which tasks</h2>
        <p className="soft small">
          Time to do against time to check. Rates, clean-up and detection are those of the form, and damage where a type says none.
        </p>
        <div className="tools">
          <Switch
            size="xs"
            label="The ledger’s types"
            checked={draft.hasLedger}
            onChange={(event) => onLedger(event.currentTarget.checked)}
          />
          <Button
            size="xs"
            variant="default"
            leftSection={<Icon name="plus" size={12} />}
            onClick={() => onTypes([...draft.types, noType])}
          >
            Add a task type
          </Button>
        </div>
      </div>
      <div className="body stack">
        <Rows types={draft.types} onTypes={onTypes} />
        {question === null ? (
          <p className="soft small" data-testid="mapless">
            {draft.isAlone
              ? "The map compares with a person: it takes their time and rate."
              : "Say an hour’s rate, and either a task above or task types here, and they are placed on a map."}
          </p>
        ) : isRefused ? (
          <p className="soft small">The map waits for what is marked in the form.</p>
        ) : error !== null && error.status === 400 ? (
          <p className="bad small" role="alert" data-testid="mapwrong">
            {wrongRows(error.message, question)}
          </p>
        ) : error !== null ? (
          <Failed error={error} onRetry={() => void answer.refetch()} />
        ) : data === undefined ? (
          <Waiting label="Loading the map" rows={4} />
        ) : points.length === 0 ? (
          <p className="soft small">The ledger has no task that names its type yet.</p>
        ) : (
          <div className="mapped">
            <Field points={points} chosen={chosen} untilMinutes={data.untilMinutes} />
            <Places
              points={points}
              chosen={chosen}
              onPick={setPicked}
              onTake={(point) => onTypes([...draft.types.filter(({ type }) => type !== point.type), { ...noType, type: point.type }])}
            />
            {data.notes.map((note) => (
              <p key={note} className="soft small">
                {note}
              </p>
            ))}
            {data.truncated ? <p className="soft small">The ledger has more types; those with most tasks are shown.</p> : null}
          </div>
        )}
      </div>
    </section>
  );
}

const columns = [
  ["type", "Task type", "resolve-ticket"],
  ["minutes", "Minutes to do", "120"],
  ["review", "Minutes to check", "10"],
  ["cost", "Run, $", "0.50"],
  ["damage", "Damage, $", "the form’s"],
  ["success", "Success", "68% or 41/60"],
] as const;

/** What the API says of rows, with their names in place of their numbers. */
function wrongRows(message: string, question: ReturnType<typeof toMapQuestion>): string {
  const types = (question?.["types"] ?? []) as readonly { readonly type: string }[];
  const detail = message.replace(/^[^:]*endpoint takes: /, "");
  return toFormWords(detail).replaceAll(
    /types\.(\d+)\.(\w+)(\.\w+)?/g,
    (_, index: string, field: string) => `${types[Number(index)]?.type ?? ""}, ${fieldWords[field] ?? field}`,
  );
}

const fieldWords: Readonly<Record<string, string>> = { ...missingWords, type: "name" };

function Rows({
  types,
  onTypes,
}: {
  readonly types: readonly TypeRow[];
  readonly onTypes: (types: readonly TypeRow[]) => void;
}): ReactNode {
  if (types.length === 0) return null;
  const change = (index: number, changed: Partial<TypeRow>): void =>
    onTypes(types.map((row, at) => (at === index ? { ...row, ...changed } : row)));
  return (
    <ul className="typerows" aria-label="Task types">
      {types.map((row, index) => (
        // A row has no other identity than its place: its name is being typed.
        // oxlint-disable-next-line react/no-array-index-key
        <li key={index} className="typerow">
          {columns.map(([name, label, placeholder]) => (
            <TextInput
              key={name}
              size="xs"
              label={label}
              aria-label={`${label}, row ${index + 1}`}
              placeholder={placeholder}
              autoComplete="off"
              value={row[name]}
              onChange={(event) => change(index, { [name]: event.currentTarget.value })}
            />
          ))}
          <Button
            size="compact-sm"
            variant="subtle"
            color="gray"
            aria-label={`Leave out row ${index + 1}${row.type === "" ? "" : `, ${row.type}`}`}
            onClick={() => onTypes(types.filter((_, at) => at !== index))}
          >
            <Icon name="close" size={12} />
          </Button>
        </li>
      ))}
    </ul>
  );
}

function Places({
  points,
  chosen,
  onPick,
  onTake,
}: {
  readonly points: readonly Point[];
  readonly chosen: Point | undefined;
  readonly onPick: (type: string) => void;
  readonly onTake: (point: Point) => void;
}): ReactNode {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Where each type lies">
      <table className="list places">
        <Head columns={["Task type", "Where it lies", ["Check ÷ do", "number"]]} />
        <tbody>
          {points.map((point) => (
            <tr key={point.type} data-type={point.type} data-at={point === chosen || undefined}>
              <th scope="row" className="free">
                <label className="row">
                  <input type="radio" name="region" checked={point === chosen} onChange={() => onPick(point.type)} />
                  <span>
                    {point.type}
                    <small className="soft under">
                      {toTime(point.minutes)} to do, {toTime(point.reviewMinutes)} to check
                      {point.from.reviewMinutes === "ledger" ? " (the ledger’s)" : ""}
                    </small>
                  </span>
                </label>
              </th>
              <td className="free">
                <Lies point={point} onTake={onTake} />
              </td>
              <td className="number" data-ratio={point.ratio ?? undefined}>
                {point.ratio === null ? <span className="soft">unknown</span> : point.ratio.toFixed(4)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function toTime(value: number | null): string {
  return value === null ? "not said" : minutesText(value);
}

function Lies({ point, onTake }: { readonly point: Point; readonly onTake: (point: Point) => void }): ReactNode {
  const { classes, success, missing, type, from } = point;
  if (classes === null)
    return (
      <span className="soft">
        Nowhere yet: {missing.map((name) => missingWords[name] ?? name).join(", ")} not known.{" "}
        {(from.cost === "ledger" || from.success === "ledger") && type !== ownName && missing.includes("minutes") ? (
          <Button size="compact-xs" variant="default" onClick={() => onTake(point)}>
            Say it
          </Button>
        ) : null}
      </span>
    );
  const at = classes.at ?? classes.low;
  const [name, why] = classNames[at];
  const known =
    success === null
      ? ""
      : success.low === success.high
        ? ` At ${shareText(success.low)} success.`
        : ` At ${shareText(success.low)} to ${shareText(success.high)} success.`;
  return (
    <>
      <span className="place" data-class={at}>
        {point.isSettled ? name : `${classNames[classes.low][0]} or ${classNames[classes.high][0].toLowerCase()}`}
      </span>
      <small className="soft under">
        {point.isSettled ? why : "Not enough data: the ends of what is known of its success differ."}
        {known}
        {point.mostDamage === null || at === "person" ? "" : ` It bears damage up to ${dollarsText(point.mostDamage)}.`}
      </small>
    </>
  );
}
