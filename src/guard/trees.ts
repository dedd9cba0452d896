// Caps on trees of agents' tasks, as the settings give them. Not here: what a cap counts (core/cap.ts). Invariant: an error refuses the
// settings, with its place; a cap of which one number is said stops beyond it.

import type { Settings } from "../config.ts";
import { capAnswers, type Steps, type TreeCaps, type TreePolicy } from "../core/cap.ts";
import { PennyworthError } from "../error.ts";
import type { TreeSettings } from "../terms.ts";
import { parseAmount, parseDuration } from "./limit.ts";
import { type Edges, readScope } from "./settings.ts";

/** @throws PennyworthError `config_invalid` with the place, what is wrong, and what is allowed. */
export function readTrees(trees: Settings["trees"], edges: Edges): TreePolicy[] {
  return trees.map((tree, index) => {
    try {
      const caps = readCaps(tree);
      if (Object.keys(caps).length === 0) throw new RangeError(`it caps nothing; there are ${Object.keys(kinds).join(", ")}`);
      return { id: tree.id, scope: readScope(tree.for, edges), caps };
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new PennyworthError("config_invalid", { detail: `trees.${index} (${tree.id}): ${cause.message}` }, cause);
    }
  });
}

/** A setting, the cap that it is, and how its values are read. */
const kinds = {
  depth: ["depthMax", (value: unknown) => value],
  fanOut: ["fanOutMax", (value: unknown) => value],
  taskCalls: ["taskCallsMax", (value: unknown) => value],
  calls: ["callsMax", (value: unknown) => value],
  tries: ["triesMax", (value: unknown) => value],
  time: ["wallMsMax", (value: unknown) => parseDuration(String(value))],
  loop: ["loopMax", (value: unknown) => value],
  noProgress: ["idlePicoMax", (value: unknown) => parseAmount(String(value), "money")],
} as const satisfies { readonly [setting in keyof TreeSettings]?: readonly [keyof TreeCaps, (value: unknown) => unknown] };

function readCaps(tree: TreeSettings): TreeCaps {
  const caps: Record<string, Steps<number | bigint>> = {};
  for (const [setting, [cap, read]] of Object.entries(kinds)) {
    const said = tree[setting as keyof typeof kinds];
    if (said === undefined) continue;
    const steps: Steps<unknown> = typeof said === "object" ? said : { stop: said };
    const known = capAnswers.filter((answer) => steps[answer] !== undefined);
    if (known.length === 0) throw new RangeError(`${setting}: expected a number, or one for ${capAnswers.join(", ")}`);
    const values = known.map((answer) => {
      try {
        return read(steps[answer]) as number | bigint;
      } catch (cause) {
        throw new RangeError(`${setting}.${answer}: ${(cause as Error).message}`, { cause });
      }
    });
    for (const [index, value] of values.entries())
      if (index > 0 && value <= (values[index - 1] as number | bigint))
        throw new RangeError(`${setting}: ${known[index]} comes after ${known[index - 1]}, and needs a larger value`);
    caps[cap] = Object.fromEntries(known.map((answer, index) => [answer, values[index] as number | bigint]));
  }
  return caps as TreeCaps;
}
