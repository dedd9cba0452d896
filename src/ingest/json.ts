// JSON whose numbers keep their digits: every number is read as the text it was written in, since an amount of money is never a float. One value, an array
// of pages, or one value a line. Invariant: what is no JSON is refused, with the line where it stops being it.

import { failAt } from "./fail.ts";

/** Numbers are strings here: `12.50` is "12.50". */
export type Json = string | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export type JsonObject = { readonly [key: string]: Json };

const numberOrString = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** @throws Fault. */
export function parseJson(text: string): Json {
  const lines = text.split("\n");
  try {
    return exact(text);
  } catch (cause) {
    // Several values, one a line, as `jq -c` and loops over pages write them.
    if (lines.filter((line) => line.trim() !== "").length < 2 || !lines.some((line) => /^\s*[{[].*[}\]]\s*$/.test(line)))
      throw failAt("", notJson(cause), cause);
  }
  return lines.flatMap((line, index): Json[] => {
    if (line.trim() === "") return [];
    try {
      return [exact(line)];
    } catch (cause) {
      throw failAt(`line ${index + 1}`, notJson(cause), cause);
    }
  });
}

function exact(text: string): Json {
  return JSON.parse(text.replace(numberOrString, (token) => (token.startsWith('"') ? token : `"${token}"`))) as Json;
}

/** Without the engine's own words for the place: they count in a text whose numbers have been quoted. */
function notJson(cause: unknown): string {
  return `it is not JSON: ${String((cause as Error).message).replace(/ (in JSON )?at position.*$/s, "")}`;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A list of objects. @throws Fault. */
export function objectsOf(value: Json | undefined, place: string): readonly JsonObject[] {
  if (!Array.isArray(value)) throw failAt(place, "a list is missing");
  return value.map((one: Json, index) => {
    if (!isObject(one)) throw failAt(`${place}[${index}]`, "it is no object");
    return one;
  });
}

/** Text, or the digits of a number; null when it is absent, null or empty. */
export function textOf(object: JsonObject, key: string): string | null {
  const value = object[key];
  if (typeof value === "boolean") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}
