// The form of "Worth it?": who would do it otherwise, what the agent costs and how often it succeeds, what a failure does. Not here: what the fields
// may hold (the API says, and its words stand beside them). Invariant: every slider has a field beside it that takes any number.

import { Autocomplete, Button, SegmentedControl, TextInput } from "@mantine/core";
import { type ReactNode, useId } from "react";
import type { Values } from "../api.ts";
import { useAnswer } from "../data.ts";
import { Icon } from "../icons.tsx";
import { type Draft, type FieldName, toNumber } from "../worth.ts";

interface Form {
  readonly draft: Draft;
  readonly errors: Readonly<Partial<Record<FieldName, string>>>;
  readonly edit: (changed: Partial<Draft["fields"]>) => void;
  readonly onAlone: (isAlone: boolean) => void;
}

export function Inputs(form: Form): ReactNode {
  const { draft, onAlone } = form;
  const { fields, isAlone } = draft;
  return (
    <form className="stack worthform" onSubmit={(event) => event.preventDefault()} aria-label="What is weighed">
      <fieldset className="part">
        <legend>Against</legend>
        <SegmentedControl
          size="xs"
          fullWidth
          aria-label="Against"
          value={isAlone ? "nobody" : "person"}
          onChange={(next) => onAlone(next === "nobody")}
          data={[
            { value: "person", label: "A person" },
            { value: "nobody", label: "Leaving it undone" },
          ]}
        />
        {isAlone ? (
          <div className="pair">
            <Field form={form} name="value" label="Value of a finished task" unit="$" />
            <Field form={form} name="rate" label="An hour of labour" unit="$" />
          </div>
        ) : (
          <div className="pair">
            <Field form={form} name="minutes" label="Time for a task" unit="min" slide={[0, 240, 1]} />
            <Field form={form} name="rate" label="An hour of it" unit="$" />
          </div>
        )}
      </fieldset>
      <fieldset className="part">
        <legend>The agent</legend>
        <div className="pair">
          <Field
            form={form}
            name="cost"
            label="Cost of a run"
            unit="$"
            hint={fields["from-ledger"] === undefined ? undefined : "the ledger's"}
          />
          <Field form={form} name="review-minutes" label="Time to check a run" unit="min" slide={[0, 60, 0.5]} hint="none" />
        </div>
        <SuccessField form={form} name="success" label="Success" />
      </fieldset>
      <fieldset className="part">
        <legend>Where it fails</legend>
        <div className="pair">
          <Field form={form} name="cleanup-minutes" label="Time to clean up" unit="min" slide={[0, 60, 0.5]} hint="none" />
          <Field form={form} name="detection" label="Failures that are found" unit="%" slide={[0, 100, 1]} hint="all" />
        </div>
        <Field form={form} name="damage" label="Damage of one that is not found" unit="$" hint="none" />
      </fieldset>
      <Field form={form} name="tasks" label="How many tasks" unit="" hint="1" />
      <More
        label="A dearer model or agent"
        isOpen={["dearer-cost", "dearer-success", "dearer-review-minutes"].some((name) => name in fields)}
      >
        <div className="pair">
          <Field form={form} name="dearer-cost" label="Cost of a run of it" unit="$" />
          <Field form={form} name="dearer-review-minutes" label="Time to check it" unit="min" hint="as above" />
        </div>
        <SuccessField form={form} name="dearer-success" label="Its success" />
      </More>
      <More label="Numbers from the ledger" isOpen={"from-ledger" in fields}>
        <p className="soft small">What is left empty above is taken from tasks on record: cost, success, time to check.</p>
        <TypeField form={form} />
        <div className="pair">
          <Field form={form} name="agent" label="Only this agent" unit="" hint="any" />
          <Field form={form} name="since" label="Since" unit="" hint="all time: 30d, 2026-11-01" />
        </div>
      </More>
      <More
        label="More terms"
        isOpen={["review-rate", "cleanup", "irreversible", "unreviewed", "agent-minutes"].some((name) => name in fields)}
      >
        <div className="pair">
          <Field form={form} name="review-rate" label="An hour of checking" unit="$" hint="as of the person" />
          <Field form={form} name="cleanup" label="Other cost of a failure" unit="$" hint="none" />
          <Field form={form} name="irreversible" label="More damage, as it cannot be undone" unit="$" hint="none" />
          <Field form={form} name="unreviewed" label="Failures found unchecked" unit="%" hint="none" />
          <Field form={form} name="agent-minutes" label="Time of a run" unit="min" hint="not said" />
        </div>
      </More>
    </form>
  );
}

function More({ label, isOpen, children }: { readonly label: string; readonly isOpen: boolean; readonly children: ReactNode }): ReactNode {
  return (
    <details className="plain" open={isOpen || undefined}>
      <summary className="row">
        <Icon name="right" size={12} /> {label}
      </summary>
      <div className="stack within">{children}</div>
    </details>
  );
}

function Field({
  form: { draft, errors, edit },
  name,
  label,
  unit,
  hint,
  slide,
}: {
  readonly form: Form;
  readonly name: FieldName;
  readonly label: string;
  readonly unit: "$" | "min" | "%" | "";
  /** What holds where it is empty. */
  readonly hint?: string | undefined;
  readonly slide?: readonly [from: number, to: number, step: number];
}): ReactNode {
  const said = draft.fields[name] ?? "";
  // A share is typed in per cent, and written with its sign.
  const isShare = unit === "%";
  const shown = isShare ? said.replace(/%$/, "") : said;
  const write = (text: string): void => edit({ [name]: isShare ? toShare(text) : text });
  const id = useId();
  return (
    <div className="field">
      <TextInput
        size="xs"
        id={id}
        label={label}
        inputMode={unit === "" && name !== "tasks" ? "text" : "decimal"}
        autoComplete="off"
        placeholder={hint ?? ""}
        value={shown}
        error={errors[name]}
        leftSection={unit === "$" ? <span className="soft small">$</span> : undefined}
        rightSection={unit === "min" || unit === "%" ? <span className="soft small">{unit}</span> : undefined}
        onChange={(event) => write(event.currentTarget.value)}
      />
      {slide === undefined ? null : (
        <Slide label={label} said={shown} slide={slide} unit={unit} rest={hint === "all" ? slide[1] : undefined} onChange={write} />
      )}
    </div>
  );
}

/** Stands at its end where the number beside it is beyond. */
function Slide({
  label,
  said,
  slide: [from, to, step],
  unit,
  rest,
  onChange,
}: {
  readonly label: string;
  readonly said: string;
  /** Where it stands while nothing is said; at its beginning unless told. */
  readonly rest?: number | undefined;
  readonly slide: readonly [from: number, to: number, step: number];
  readonly unit: string;
  readonly onChange: (text: string) => void;
}): ReactNode {
  const number = toNumber(said);
  const value = typeof number === "number" ? Math.min(to, Math.max(from, number)) : (rest ?? from);
  return (
    <input
      type="range"
      className="slide"
      data-unset={said === "" || undefined}
      aria-label={`${label}, slider`}
      aria-valuetext={said === "" ? "not said" : `${said} ${unit === "min" ? "minutes" : unit}`.trim()}
      min={from}
      max={to}
      step={step}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

type Way = "said" | "counted" | "range";

/** Said, counted, or a range: as it is written on the command line, `68%`, `41/60`, `60%..75%`. */
function SuccessField({
  form,
  name,
  label,
}: {
  readonly form: Form;
  readonly name: "success" | "dearer-success";
  readonly label: string;
}): ReactNode {
  const said = form.draft.fields[name] ?? "";
  const way: Way = said.includes("/") ? "counted" : said.includes("..") ? "range" : "said";
  const edit = (text: string): void => form.edit({ [name]: text });
  const [first = "", second = ""] = way === "counted" ? said.split("/") : said.split("..");
  const error = form.errors[name];
  const isLedger = name === "success" && form.draft.fields["from-ledger"] !== undefined;
  return (
    <div className="field successfield" role="group" aria-label={label}>
      <div className="row">
        <span className="fieldlabel" aria-hidden="true">
          {label}
        </span>
        <SegmentedControl
          className="end"
          size="xs"
          aria-label={`How ${label.toLowerCase()} is known`}
          value={way}
          onChange={(next) => edit(next === "counted" ? "/" : next === "range" ? ".." : "")}
          data={[
            { value: "said", label: "Said" },
            { value: "counted", label: "Counted" },
            { value: "range", label: "Range" },
          ]}
        />
      </div>
      {way === "said" ? (
        <>
          <TextInput
            size="xs"
            aria-label={label}
            inputMode="decimal"
            autoComplete="off"
            placeholder={isLedger ? "the ledger's" : name === "success" ? "not known" : "as above"}
            value={toPercent(said)}
            error={error}
            rightSection={<span className="soft small">%</span>}
            onChange={(event) => edit(toShare(event.currentTarget.value))}
          />
          <Slide label={label} said={toPercent(said)} slide={[0, 100, 1]} unit="%" onChange={(text) => edit(toShare(text))} />
        </>
      ) : (
        <div className="pair">
          <TextInput
            size="xs"
            aria-label={way === "counted" ? `${label}: tasks that succeeded` : `${label}: at least`}
            inputMode="decimal"
            autoComplete="off"
            placeholder={way === "counted" ? "41 succeeded" : "60"}
            value={way === "counted" ? first : toPercent(first)}
            error={error}
            rightSection={way === "counted" ? undefined : <span className="soft small">%</span>}
            onChange={({ currentTarget: { value } }) =>
              edit(way === "counted" ? `${value.replaceAll("/", "")}/${second}` : `${toShare(value)}..${second}`)
            }
          />
          <TextInput
            size="xs"
            aria-label={way === "counted" ? `${label}: of tasks` : `${label}: at most`}
            inputMode="decimal"
            autoComplete="off"
            placeholder={way === "counted" ? "of 60" : "75"}
            value={way === "counted" ? second : toPercent(second)}
            error={error !== undefined}
            rightSection={way === "counted" ? undefined : <span className="soft small">%</span>}
            onChange={({ currentTarget: { value } }) =>
              edit(way === "counted" ? `${first}/${value.replaceAll("/", "")}` : `${first}..${toShare(value)}`)
            }
          />
        </div>
      )}
    </div>
  );
}

function toShare(text: string): string {
  return text.trim() === "" ? "" : `${text.replace(/\s*%\s*$/, "")}%`;
}

/** `68%` as `68`, and `0.68` too. */
function toPercent(text: string): string {
  if (text === "" || text.endsWith("%")) return text.replace(/%$/, "");
  const number = toNumber(text);
  return typeof number === "number" ? String(Number(`${number}e2`)) : text;
}

/** A task type, typed or taken from those on record. */
function TypeField({ form: { draft, errors, edit } }: { readonly form: Form }): ReactNode {
  const values = useAnswer<Values>("values", { field: "type", limit: 50 }, { live: false, staleMs: 20_000 });
  const known = (values.data?.values ?? []).flatMap(({ value }) => (value === null ? [] : [value]));
  const said = draft.fields["from-ledger"] ?? "";
  return (
    <div className="row amount">
      <Autocomplete
        className="grow"
        size="xs"
        label="Task type"
        placeholder={values.isSuccess && known.length === 0 ? "No call names a task type yet" : "resolve-ticket"}
        value={said}
        data={known}
        error={errors["from-ledger"]}
        onChange={(type) => edit({ "from-ledger": type })}
        autoComplete="off"
      />
      {said === "" ? null : (
        <Button size="compact-xs" variant="subtle" color="gray" onClick={() => edit({ "from-ledger": "" })}>
          Clear
        </Button>
      )}
    </div>
  );
}
