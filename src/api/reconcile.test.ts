// Which statements need a look. That a statement is compared rightly is tested in core/reconcile.test.ts and test/reconcile.test.ts.

import { expect, it } from "vitest";
import type { Reconciled } from "../core/entry.ts";
import { parseUsd, toPico } from "../core/money.ts";
import { gapsOf } from "./reconcile.ts";

function reconciled(id: string, provider: string, atMs: number, gap: string | null): Reconciled {
  const ledgerPico = parseUsd("1");
  const statedPico = gap === null ? null : toPico(ledgerPico + parseUsd(gap));
  const [fromMs, toMs] = [Date.UTC(2026, 9), Date.UTC(2026, 10)];
  return { id, provider, atMs, fromMs, toMs, statedPico, valuedPico: null, ledgerPico, hash: "" };
}

it("gaps are of the newest statement of each provider, without those that agree to the cent", () => {
  const all = [
    reconciled("a", "openai", 1, "5"),
    reconciled("b", "openai", 2, "0"),
    reconciled("c", "anthropic", 1, "-0.01"),
    reconciled("d", "google", 1, null),
    reconciled("e", "mistral", 1, "0.009999"),
  ];
  expect(gapsOf(all).map(({ id }) => id)).toEqual(["c"]);
  expect(gapsOf(all.slice(0, 1)).map(({ id }) => id)).toEqual(["a"]);
});
