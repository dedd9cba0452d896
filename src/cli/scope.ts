// Which calls are meant, as fields and values on the command line. Not here: what the fields mean; the control API knows them.

import { PennyworthError } from "../error.ts";

/** `field=value`, any number of times; `all`: no field at all. */
export function toRecord(said: readonly string[]): Record<string, string> {
  if (said.length === 1 && said[0] === "all") return {};
  const record: Record<string, string> = {};
  for (const text of said) {
    const [, field, value] = /^([a-z]+)=(.+)$/s.exec(text) ?? [];
    if (field === undefined || value === undefined) throw wrong(`--for ${JSON.stringify(text)}: expected field=value, as in team=search`);
    if (record[field] !== undefined) throw wrong(`--for names ${field} twice`);
    record[field] = value;
  }
  return record;
}

/** Wrong usage, in words. */
export function wrong(detail: string): PennyworthError {
  return new PennyworthError("query_invalid", { detail });
}
