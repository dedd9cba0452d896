// Machines as the settings name them: for their hours (core/machine.ts), and the prices they imply. Not here: what their hours come to. Invariant:
// a token of a model that a machine serves costs nothing by itself, since its hours are paid; a price that the user gives goes before that.

import { createHash } from "node:crypto";
import type { MachineSettings } from "../config.ts";
import type { Machine } from "../core/machine.ts";
import { wildcardRule } from "../core/match.ts";
import { type ClassPrices, type PriceRecord, standard } from "../core/price.ts";
import { usageClasses, usageClassNames } from "../core/usage.ts";

export function toMachines(settings: readonly MachineSettings[]): readonly Machine[] {
  return settings.map(({ name, provider, models, perHour, from, to, count, idle }) => ({
    name,
    provider,
    models,
    perHour,
    fromMs: Date.parse(from),
    toMs: to === undefined ? null : Date.parse(to),
    count,
    idle,
  }));
}

/** One record for each name of a model: all tokens, for nothing, while the machine is there. */
export function impliedRecords(settings: readonly MachineSettings[]): readonly PriceRecord[] {
  return toMachines(settings).flatMap(({ name, provider, models, fromMs, toMs }) =>
    models.map((model): PriceRecord => {
      const version = createHash("sha256")
        .update(JSON.stringify([provider, model, fromMs, toMs]))
        .digest("hex")
        .slice(0, 12);
      return {
        id: `machine-${name}@${version}/${provider}/${model}`,
        provider,
        model,
        match: wildcardRule(model),
        contextWindow: null,
        tier: standard,
        region: null,
        prices: free,
        validFromMs: fromMs,
        validToMs: toMs,
        window: null,
      };
    }),
  );
}

const free: ClassPrices = Object.fromEntries(
  usageClassNames
    .filter((name) => usageClasses[name].unit === "token" && ["input", "output"].includes(usageClasses[name].direction))
    .map((name) => [name, { per: 1_000_000, steps: [{ aboveTokens: -1, usd: "0" }] }]),
);
