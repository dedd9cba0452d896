// What a schema finds wrong in the settings, in words: the place of each fault with the id or name of what it is about, and what may have been
// meant. Not here: the schema (config.ts), what settings mean. Pure.

import type { z } from "zod";
import { nearest } from "./near.ts";

/** @param tree what was read, of which the schema says so. */
export function misreadings({ issues }: z.ZodError, schema: z.ZodType, tree: unknown): string[] {
  return issues.map((issue) => {
    const { path, message } = issue;
    const near = issue.code === "unrecognized_keys" ? nearWords(issue.keys, keysAt(schema, path)) : "";
    return `${placeOf(path, tree)}: ${message}${near}`;
  });
}

/** `server.port`; in a list whose entries have an id or a name, `budgets.0 (team-search): limit`. */
function placeOf(path: readonly PropertyKey[], tree: unknown): string {
  let [at, place] = [tree, ""];
  let joint = "";
  for (const step of path) {
    at = (at as Readonly<Record<PropertyKey, unknown>> | null | undefined)?.[step];
    place += joint + String(step);
    const whose = typeof step === "number" ? nameOf(at) : null;
    if (whose !== null) place += ` (${whose})`;
    joint = whose === null ? "." : ": ";
  }
  return place === "" ? "(top level)" : place;
}

function nameOf(entry: unknown): string | null {
  const { id, name } = (entry ?? {}) as { readonly id?: unknown; readonly name?: unknown };
  const said = [id, name].find((one) => typeof one === "string" && one !== "");
  return said === undefined ? null : (said as string).slice(0, charactersMax);
}

const charactersMax = 100;

function nearWords(keys: readonly string[], known: readonly string[]): string {
  const near = new Set(keys.flatMap((key) => nearest(key, known, 2)));
  if (near.size > 0) return ` (near it: ${[...near].join(", ")})`;
  return known.length === 0 ? "" : `; known: ${known.join(", ")}`;
}

/** The keys that may stand at a place. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let found = opened(schema as unknown as Schema);
  for (const step of path) found = found.flatMap((one) => inside(one, step));
  return found.flatMap(({ _zod: { def } }) => (def.type === "object" ? Object.keys(def.shape) : []));
}

type Schema = z.core.$ZodTypes;

/** What may stand where a schema stands: without what is put around it, and each of a choice. */
function opened(schema: Schema): Schema[] {
  const { def } = schema._zod;
  switch (def.type) {
    case "default":
    case "prefault":
    case "optional":
    case "nullable":
      return opened(def.innerType as Schema);
    case "pipe":
      return opened(def.in as Schema);
    case "union":
      return def.options.flatMap((one) => opened(one as Schema));
    default:
      return [schema];
  }
}

function inside({ _zod: { def } }: Schema, step: PropertyKey): Schema[] {
  switch (def.type) {
    case "object": {
      const below = def.shape[step as string];
      return below === undefined ? [] : opened(below as Schema);
    }
    case "array":
      return opened(def.element as Schema);
    case "record":
      return opened(def.valueType as Schema);
    default:
      return [];
  }
}
