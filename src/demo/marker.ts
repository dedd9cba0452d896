// What marks a data folder as the demo's: a file in it, which says how its history was made. Invariant: real data and invented data never
// share a folder, and only a folder that bears the mark, and that nobody serves, is ever emptied.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { PennyworthError } from "../error.ts";

const name = "demo.json";

const markerSchema = z.object({
  company: z.string(),
  seed: z.int(),
  months: z.int(),
  /** About how many calls its history has. */
  calls: z.int(),
  /** Where its history ends and its live traffic begins, ms UTC. */
  untilMs: z.int(),
});

export type Marker = z.infer<typeof markerSchema>;

/** Whether the data in a folder is invented. */
export function isDemo(folder: string): boolean {
  return existsSync(join(folder, name));
}

/** How a demo's folder was made; null where the mark cannot be read or there is none. */
export function readMarker(folder: string): Marker | null {
  try {
    return markerSchema.parse(JSON.parse(readFileSync(join(folder, name), "utf8")));
  } catch {
    return null;
  }
}

/**
 * @throws PennyworthError `data_demo` for a folder that bears the mark.
 */
export function refuseDemo(folder: string): void {
  if (isDemo(folder)) throw new PennyworthError("data_demo", { folder });
}

/**
 * @throws PennyworthError `data_real` for a folder that holds anything and does not bear the mark.
 */
export function refuseReal(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0 && !isDemo(folder)) throw new PennyworthError("data_real", { folder });
}

/**
 * Makes a folder ready for a demo: what an earlier one left is removed, and the mark is set before anything else is written.
 * Its owner must have made sure that nobody serves it.
 * @throws PennyworthError `data_real`.
 */
export function beginDemo(folder: string, marker: Marker): void {
  refuseReal(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const entry of readdirSync(folder)) if (entry !== name) rmSync(join(folder, entry), { recursive: true, force: true });
  writeFileSync(join(folder, name), `${JSON.stringify(marker, null, 2)}\n`, { mode: 0o600 });
}
