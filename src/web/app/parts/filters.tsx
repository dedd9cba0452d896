// Filters that combine: each is a recorded field that is, or is not, a value. They are written as the API and the command line have them.
// Invariant: what is shown as a filter is what is asked.

import { Button, Loader, Popover, SegmentedControl, Select, TextInput } from "@mantine/core";
import { memo, type ReactNode, useEffect, useState } from "react";
import type { Values } from "../api.ts";
import { useAnswer } from "../data.ts";
import { fields, nameField, nameValue } from "../fields.ts";
import { Icon } from "../icons.tsx";
import { isTyping } from "../keys.ts";
import { count } from "../money.ts";
import { type Span, toIso } from "../time.ts";

export interface Filter {
  readonly field: string;
  readonly operator: "=" | "!=";
  /** "": not recorded. */
  readonly value: string;
}

export function parseFilter(text: string): Filter {
  const match = /^([^=!]+)(!?=)(.*)$/s.exec(text);
  return { field: match?.[1] ?? text, operator: match?.[2] === "!=" ? "!=" : "=", value: match?.[3] ?? "" };
}

export function writeFilter({ field, operator, value }: Filter): string {
  return `${field}${operator}${value}`;
}

export const Filters = memo(function Filters({
  filters,
  span,
  only,
  onChange,
}: {
  readonly filters: readonly string[];
  readonly span: Span;
  /** Where not every field can be asked for. */
  readonly only?: readonly string[];
  readonly onChange: (filters: readonly string[]) => void;
}): ReactNode {
  return (
    <div className="row wrap" role="group" aria-label="Filters">
      {filters.map((text) => {
        const { field, operator, value } = parseFilter(text);
        const words = `${nameField(field)} ${operator === "=" ? "is" : "is not"} ${nameValue(field, value === "" ? null : value)}`;
        return (
          <span key={text} className="filter">
            <span className="clip">
              <span className="soft">
                {nameField(field)} {operator === "=" ? "is" : "is not"}
              </span>{" "}
              {nameValue(field, value === "" ? null : value)}
            </span>
            <button type="button" aria-label={`Remove: ${words}`} onClick={() => onChange(filters.filter((other) => other !== text))}>
              <Icon name="close" size={12} />
            </button>
          </span>
        );
      })}
      <Adder
        span={span}
        only={only}
        others={filters}
        onAdd={(filter) => {
          const text = writeFilter(filter);
          if (!filters.includes(text)) onChange([...filters, text]);
        }}
      />
      {filters.length < 2 ? null : (
        <Button variant="subtle" size="compact-xs" color="gray" onClick={() => onChange([])}>
          Remove all
        </Button>
      )}
    </div>
  );
});

function Adder({
  span,
  only,
  others,
  onAdd,
}: {
  readonly span: Span;
  readonly only: readonly string[] | undefined;
  readonly others: readonly string[];
  readonly onAdd: (filter: Filter) => void;
}): ReactNode {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || isTyping(event.target)) return;
      event.preventDefault();
      setOpen(true);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <Popover opened={isOpen} onChange={setOpen} position="bottom-start" shadow="md" width={320} trapFocus>
      <Popover.Target>
        <Button variant="default" size="compact-sm" leftSection={<Icon name="plus" size={12} />} onClick={() => setOpen((last) => !last)}>
          Filter
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Add a filter">
        <Form
          span={span}
          only={only}
          others={others}
          onAdd={(filter) => {
            setOpen(false);
            onAdd(filter);
          }}
        />
      </Popover.Dropdown>
    </Popover>
  );
}

function Form({
  span,
  only,
  others,
  onAdd,
}: {
  readonly span: Span;
  readonly only: readonly string[] | undefined;
  readonly others: readonly string[];
  readonly onAdd: (filter: Filter) => void;
}): ReactNode {
  const [field, setField] = useState(only?.[0] ?? "model");
  const [tag, setTag] = useState("");
  const [operator, setOperator] = useState<"=" | "!=">("=");
  const [search, setSearch] = useState("");
  const name = field === "tag" ? `tag.${tag}` : field;
  const isWhole = field !== "tag" || /^\S{1,100}$/.test(tag);
  const values = useAnswer<Values>(
    "values",
    {
      field: name,
      search: search === "" ? undefined : search,
      since: toIso(span.sinceMs),
      until: toIso(span.untilMs),
      filter: others,
      limit: 30,
    },
    { live: false, enabled: isWhole },
  );
  return (
    <div className="stack" style={{ gap: 8 }}>
      <FieldSelect
        label="Field"
        value={field}
        onChange={setField}
        {...(only === undefined ? { extra: [{ value: "tag", label: "Tag …" }] } : { only })}
      />
      {field !== "tag" ? null : (
        <TextInput size="xs" label="Tag's name" value={tag} onChange={(event) => setTag(event.currentTarget.value)} />
      )}
      <SegmentedControl
        size="xs"
        aria-label="Operator"
        value={operator}
        onChange={(value) => setOperator(value as "=" | "!=")}
        data={[
          { value: "=", label: "is" },
          { value: "!=", label: "is not" },
        ]}
      />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isWhole && search !== "") onAdd({ field: name, operator, value: search });
        }}
      >
        <TextInput
          size="xs"
          label="Value"
          data-autofocus
          placeholder="Type, or choose below"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          rightSection={values.isFetching ? <Loader size={12} /> : null}
        />
      </form>
      <ul className="values" aria-label="Values on record">
        {(values.data?.values ?? []).map(({ value, calls }) => (
          <li key={value ?? ""}>
            <button type="button" className="door" onClick={() => onAdd({ field: name, operator, value: value ?? "" })}>
              <span className={`grow clip${value === null ? " soft" : ""}`}>{nameValue(name, value)}</span>
              <span className="soft small">{count(calls)}</span>
            </button>
          </li>
        ))}
      </ul>
      {values.isSuccess && values.data.values.length === 0 ? <p className="soft small">No such value in this span.</p> : null}
      {values.isError && isWhole ? <p className="bad small">{values.error.message}</p> : null}
    </div>
  );
}

const common = ["model", "provider", "customer", "feature", "agent", "team", "type", "class"];

export function FieldSelect({
  label,
  value,
  onChange,
  extra = [],
  hideLabel = false,
  without = [],
  only,
  width,
}: {
  readonly width?: number;
  readonly label: string;
  readonly value: string;
  readonly onChange: (field: string) => void;
  readonly extra?: readonly { readonly value: string; readonly label: string }[];
  readonly hideLabel?: boolean;
  readonly without?: readonly string[];
  readonly only?: readonly string[];
}): ReactNode {
  const all = (only ?? Object.keys(fields)).filter((name) => !without.includes(name));
  const own = value.startsWith("tag.") ? [item(value)] : [];
  return (
    <Select
      size="xs"
      {...(width === undefined ? {} : { w: width })}
      {...(hideLabel ? { "aria-label": label } : { label })}
      value={value}
      onChange={(next) => {
        if (next !== null) onChange(next);
      }}
      data={[
        { group: "Usual", items: [...extra, ...own, ...common.filter((name) => all.includes(name)).map(item)] },
        { group: "All", items: all.filter((name) => !common.includes(name)).map(item) },
      ]}
      searchable
      allowDeselect={false}
      comboboxProps={{ withinPortal: false }}
      maxDropdownHeight={280}
      nothingFoundMessage="No such field"
    />
  );
}

function item(name: string): { value: string; label: string } {
  return { value: name, label: nameField(name) };
}
