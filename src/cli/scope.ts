// Which calls are meant, as fields and values on the command line, and whole numbers within other words. Not here: what the fields mean; the
// control API knows them.

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

/** A whole number where it may also be a word, or is a part of one. @param place as it stands before the error. */
export function toWhole(place: string, text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw wrong(`${place}: ${JSON.stringify(text)} is no whole number from ${min} to ${max.toLocaleString("en-US")}`);
  return value;
}

/** Wrong usage, in words. */
export function wrong(detail: string): PennyworthError {
  return new PennyworthError("query_invalid", { detail });
}
