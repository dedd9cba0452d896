// Numbers in sentences: the words are English, the digits are the reader's. Invariant: no page says "1 calls".

import { count } from "./money.ts";

const rules = new Intl.PluralRules("en");

/** The word alone, for a number that is shown in its own way. */
export function wordFor(number: number, one: string, many = `${one}s`): string {
  return rules.select(number) === "one" ? one : many;
}

/** `1 call`, `12,345 calls`. */
export function plural(number: number, one: string, many?: string): string {
  return `${count(number)} ${wordFor(number, one, many)}`;
}
