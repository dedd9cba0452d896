// Prices in the settings that cannot be used, and what is said of them. Not here: how they rate (history.test.ts, machines.test.ts).

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readConfig } from "../config.ts";
import { readSettings } from "./settings.ts";

it.each([
  [
    { provider: "a", model: "b", perMillion: { input: "9000000000000" } },
    "prices.0 (a/b): perMillion.input: one of it would cost $9000000, more",
  ],
  [{ provider: "a", model: "b\u0000", perMillion: { input: "1" } }, "prices.0: a name has no control characters"],
  [{ provider: "a\nb", model: "b", perMillion: { input: "1" } }, "prices.0: a name has no control characters"],
])("%j is refused", (price, reason) => {
  expect(() => readSettings([price])).toThrow(reason);
});

it("a class that is called __proto__ is refused, and not left out", () => {
  const folder = mkdtempSync(join(tmpdir(), "pennyworth-settings-"));
  const path = join(folder, "pennyworth.yaml");
  writeFileSync(path, "prices:\n  - { provider: a, model: b, perMillion: { input: 1, __proto__: 1 } }\n");
  expect(() => readConfig(path, {}, {})).toThrow("__proto__ is no setting");
  rmSync(folder, { recursive: true });
});
