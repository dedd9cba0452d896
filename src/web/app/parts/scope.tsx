// Fields and their values, as a budget or a halt names calls by them: a row for each, with the values on record at hand. Not here: what they mean.

import { Autocomplete, Button, Select } from "@mantine/core";
import { type ReactNode, useState } from "react";
import type { Key, Values } from "../api.ts";
import { useAnswer } from "../data.ts";
import { nameScopeField, scopeFields } from "../guard.ts";
import { Icon } from "../icons.tsx";

export interface Pair {
  readonly field: string;
  readonly value: string;
}

export function ScopeRows({
  pairs,
  onChange,
  onNothing,
}: {
  readonly pairs: readonly Pair[];
  readonly onChange: (pairs: readonly Pair[]) => void;
  /** What is meant without any. */
  readonly onNothing: string;
}): ReactNode {
  const free = scopeFields.filter((field) => pairs.every((pair) => pair.field !== field));
  const change = (index: number, pair: Pair): void => onChange(pairs.map((old, at) => (at === index ? pair : old)));
  return (
    <fieldset className="scope">
      <legend>For</legend>
      {pairs.length === 0 ? <p className="soft small">{onNothing}</p> : null}
      {pairs.map((pair, index) => (
        <div key={pair.field} className="row amount">
          <Select
            size="xs"
            w={130}
            aria-label="Field"
            allowDeselect={false}
            value={pair.field}
            data={[pair.field, ...free].map((field) => ({ value: field, label: nameScopeField(field) }))}
            onChange={(field) => field !== null && change(index, { field, value: "" })}
          />
          <ValueInput pair={pair} onChange={(value) => change(index, { ...pair, value })} />
          <Button
            variant="subtle"
            color="gray"
            size="compact-sm"
            aria-label={`Leave ${nameScopeField(pair.field)} out`}
            onClick={() => onChange(pairs.filter((_, at) => at !== index))}
          >
            <Icon name="close" size={12} />
          </Button>
        </div>
      ))}
      {free[0] === undefined ? null : (
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<Icon name="plus" size={12} />}
          onClick={() => onChange([...pairs, { field: free[0] ?? "team", value: "" }])}
        >
          {pairs.length === 0 ? "Only some calls" : "And"}
        </Button>
      )}
    </fieldset>
  );
}

/** A value, typed or taken from those on record. */
export function ValueInput({
  pair: { field, value },
  onChange,
  label,
}: {
  readonly pair: Pair;
  readonly onChange: (value: string) => void;
  readonly label?: string;
}): ReactNode {
  const [search, setSearch] = useState("");
  const asked = { field, search: search === "" ? undefined : search, limit: 20 };
  const isKey = field === "key";
  const values = useAnswer<Values>("values", asked, { live: false, staleMs: 20_000, enabled: !isKey });
  // Keys are on record by their ids: people know them by name.
  const keys = useAnswer<{ readonly keys: readonly Key[] }>("keys", {}, { live: false, staleMs: 20_000, enabled: isKey });
  const known = isKey
    ? (keys.data?.keys ?? []).filter(({ revokedMs }) => revokedMs === null).map(({ name }) => name)
    : (values.data?.values ?? []).flatMap((one) => (one.value === null ? [] : [one.value]));
  return (
    <Autocomplete
      className="grow"
      size={label === undefined ? "xs" : "sm"}
      {...(label === undefined ? { "aria-label": `Which ${nameScopeField(field)}` } : { label })}
      placeholder={`Which ${nameScopeField(field)}`}
      value={value}
      data={[...new Set(known)]}
      onChange={(next) => {
        onChange(next);
        setSearch(next);
      }}
      autoComplete="off"
    />
  );
}

export function toScope(pairs: readonly Pair[]): Record<string, string> {
  return Object.fromEntries(pairs.map(({ field, value }) => [field, value.trim()]));
}

export function toPairs(scope: Readonly<Record<string, string>>): readonly Pair[] {
  return Object.entries(scope).map(([field, value]) => ({ field, value }));
}
