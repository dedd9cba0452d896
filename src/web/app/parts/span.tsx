// Which span of time a page is about: one with a name, or from a day to a day.

import { Button, Popover, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Icon } from "../icons.tsx";
import { addDays, describeSpan, isPreset, parseSpan, presets, toDate, zone } from "../time.ts";

export function SpanPicker({ value, onChange }: { readonly value: string; readonly onChange: (span: string) => void }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const { sinceMs, untilMs } = parseSpan(value, Date.now());
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const open = (): void => {
    setFrom(toDate(sinceMs ?? addDays(Date.now(), -30)));
    setTo(toDate(untilMs === null ? Date.now() : untilMs - 1));
    setOpen((last) => !last);
  };
  const choose = (span: string): void => {
    setOpen(false);
    onChange(span);
  };
  return (
    <Popover opened={isOpen} onChange={setOpen} position="bottom-end" shadow="md" width={280} trapFocus>
      <Popover.Target>
        <Button
          variant="default"
          size="xs"
          rightSection={<Icon name="down" size={12} />}
          onClick={open}
          aria-label={`Span: ${describeSpan(value)}`}
        >
          {describeSpan(value)}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Span">
        <div className="stack" style={{ gap: 8 }}>
          <div className="choices">
            {Object.entries(presets).map(([name, label]) => (
              <button
                key={name}
                type="button"
                className="door"
                data-status={name === value ? "active" : undefined}
                aria-pressed={name === value}
                onClick={() => choose(name)}
              >
                {label}
              </button>
            ))}
          </div>
          <form
            className="stack"
            style={{ gap: 8 }}
            onSubmit={(event) => {
              event.preventDefault();
              if (from !== "" && to !== "" && from <= to) choose(`${from}..${to}`);
            }}
          >
            <TextInput
              type="date"
              size="xs"
              label="From"
              value={from}
              max={to}
              onChange={(event) => setFrom(event.currentTarget.value)}
              required
              withAsterisk={false}
            />
            <TextInput
              type="date"
              size="xs"
              label="To, that day included"
              value={to}
              min={from}
              onChange={(event) => setTo(event.currentTarget.value)}
              required
              withAsterisk={false}
            />
            <Button type="submit" size="xs" variant={isPreset(value) ? "default" : "filled"}>
              These days
            </Button>
            <p className="soft small">Days are those of {zone}.</p>
          </form>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
