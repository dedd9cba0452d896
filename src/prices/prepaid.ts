// Free allowances and prepaid credits as the settings name them. Not here: how they are drawn down (core/credit.ts). Invariant: what cannot be
// used is refused when the settings are read, with its place.

import type { AllowanceSettings, CreditSettings } from "../config.ts";
import type { Allowance, Credit } from "../core/credit.ts";
import { wildcardRule } from "../core/match.ts";
import { parseUsd } from "../core/money.ts";
import { isUsageClass, type UsageClass, usageClassNames } from "../core/usage.ts";
import { PennyworthError } from "../error.ts";

/** @throws PennyworthError `config_invalid` for a class that is none. */
export function readAllowances(settings: readonly AllowanceSettings[]): readonly Allowance[] {
  return settings.map(({ id, provider, model, classes, units, every, from, to }, index) => ({
    id,
    provider,
    match: model === "*" ? null : wildcardRule(model),
    classes: classes.map((name) => readClass(name, `allowances.${index} (${id})`)),
    units,
    every,
    fromMs: toMs(from),
    toMs: toMs(to),
  }));
}

export function readCredits(settings: readonly CreditSettings[]): readonly Credit[] {
  return settings.map(({ id, provider, amount, from, expires }) => ({
    id,
    provider: provider ?? null,
    amountPico: parseUsd(amount),
    fromMs: Date.parse(from),
    expiresMs: toMs(expires),
  }));
}

function readClass(name: string, place: string): UsageClass {
  if (isUsageClass(name)) return name;
  throw new PennyworthError("config_invalid", { detail: `${place}: ${name} is no usage class; there are ${usageClassNames.join(", ")}` });
}

function toMs(day: string | undefined): number | null {
  return day === undefined ? null : Date.parse(day);
}
