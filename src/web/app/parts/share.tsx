// A table taken along: as a line for the terminal, as CSV, as a picture. Invariant: what is saved has every digit.

import { Button, Menu } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Icon } from "../icons.tsx";

/** A button that copies, and says that it did. */
export function Copy({ text, label, icon = "copy" }: { readonly text: string; readonly label: string; readonly icon?: "copy" }): ReactNode {
  const [isDone, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1_600);
  };
  return (
    <Button variant="default" size="xs" leftSection={<Icon name={isDone ? "check" : icon} />} onClick={() => void copy()}>
      <span aria-live="polite">{isDone ? "Copied" : label}</span>
    </Button>
  );
}

export function CopyLine({ text }: { readonly text: string }): ReactNode {
  return (
    <div className="stack" style={{ gap: 8, alignItems: "center", maxWidth: "100%" }}>
      <pre className="code" tabIndex={0} aria-label="A line for the terminal">
        {text}
      </pre>
      <Copy text={text} label="Copy" />
    </div>
  );
}

type Table = readonly (readonly (string | number)[])[];

export interface Shared {
  /** What the file is called, without its ending. */
  readonly name: string;
  readonly line: string;
  readonly table?: () => Table;
  /** Where there are several: what is done, what is added to the file's name, and the rows. */
  readonly tables?: readonly (readonly [label: string, ending: string, table: () => Table])[];
  readonly picture?: (() => string) | null;
}

export function Share({ name, line, table, tables = table === undefined ? [] : [["Save as CSV", "", table]], picture }: Shared): ReactNode {
  const [isDone, setDone] = useState(false);
  const copy = async (text: string): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1_600);
  };
  return (
    <Menu position="bottom-end" width={256} shadow="md">
      <Menu.Target>
        <Button variant="default" size="xs" leftSection={<Icon name={isDone ? "check" : "save"} />}>
          <span aria-live="polite">{isDone ? "Copied" : "Export"}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void copy(line)}>Copy as a line for the terminal</Menu.Item>
        <Menu.Item onClick={() => void copy(location.href)}>Copy the address</Menu.Item>
        <Menu.Divider />
        {tables.map(([label, ending, rows]) => (
          <Menu.Item
            key={label}
            onClick={() => save(`${name}${ending}.csv`, new Blob([toCsv(rows())], { type: "text/csv;charset=utf-8" }))}
          >
            {label}
          </Menu.Item>
        ))}
        {picture === undefined || picture === null ? null : (
          <Menu.Item onClick={() => save(`${name}.png`, toBlob(picture()))}>Save the chart as PNG</Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

/** RFC 4180. A text that a spreadsheet would take for a formula is kept a text. */
export function toCsv(rows: readonly (readonly (string | number)[])[]): string {
  return `${rows.map((row) => row.map(toCell).join(",")).join("\r\n")}\r\n`;
}

function toCell(value: string | number): string {
  const isFormula = typeof value === "string" && /^[=+\-@\t\r]/.test(value) && !/^-?\d+(\.\d+)?$/.test(value);
  const text = isFormula ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function save(name: string, blob: Blob): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function toBlob(dataUrl: string): Blob {
  const [head = "", body = ""] = dataUrl.split(",");
  const bytes = Uint8Array.from(atob(body), (char) => char.codePointAt(0) ?? 0);
  return new Blob([bytes], { type: /data:([^;]+)/.exec(head)?.[1] ?? "image/png" });
}

/** As a shell takes it. */
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The same question on the command line. */
export function toLine(verb: string, options: readonly (readonly [string, string | null | undefined])[]): string {
  const given = options.filter(
    (option): option is readonly [string, string] => option[1] !== null && option[1] !== undefined && option[1] !== "",
  );
  return ["pennyworth", verb, ...given.flatMap(([name, value]) => [`--${name}`, quote(value)])].join(" ");
}
