import { expect, test } from "vitest";
import { toPico } from "../core/money.ts";
import type { Quantities } from "../core/usage.ts";
import { toRow } from "./projection.ts";
import { sampleCharge, sampleEnd, sampleStart } from "./store.fixture.ts";

const promptBytes = { system: 100, tools: 0, user: 300, earlier: 600, toolResults: 0 };

/** Of a prompt of a thousand bytes, each token of input at so many picodollars. */
function rowOf(quantities: Quantities, start: object = {}, end: object = {}, picos = 10n) {
  const charges = Object.entries(quantities).map(([name, quantity]) => sampleCharge(name as "input", quantity, picos));
  const usage = { parts: [{ kind: "message", model: null, quantities }], source: "reported", doubts: [], raw: null } as const;
  return toRow(sampleStart("c", { promptBytes, ...start }), sampleEnd("c", { usage, charges, ...end }), null, ["gateway"]);
}

test("what was sent before and not read from the cache was paid for again, at the price of fresh input", () => {
  // 0.8 of 1,000 tokens were sent before; 300 of these came from the cache.
  expect(rowOf({ input: 700, cache_read: 300, output: 9 }, { sharedBytes: 800 })).toMatchObject({
    promptBytes: [100, 0, 300, 600, 0],
    sharedTokens: 800,
    resentTokens: 500,
    resentCost: "0.000000005",
  });
  // All of it came from there; and no more is sent again than was paid for as new.
  expect(rowOf({ input: 100, cache_read: 900 }, { sharedBytes: 800 })).toMatchObject({ resentTokens: 0, resentCost: "0" });
  expect(rowOf({ input: 100, cache_write_5m: 200, cache_read: 10 }, { sharedBytes: 1000 })).toMatchObject({
    sharedTokens: 310,
    resentTokens: 300,
  });
});

test("it costs at most what its call did, and nobody knows what where no price of fresh input is known", () => {
  const charges = [{ ...sampleCharge("input", 1000, 10n), costPico: toPico(40n) }];
  expect(rowOf({ input: 1000 }, { sharedBytes: 1000 }, { charges })).toMatchObject({ resentTokens: 1000, resentCost: "0.00000000004" });
  expect(rowOf({ input: 1000 }, { sharedBytes: 1000 }, { charges: [], unpriced: ["input"] })).toMatchObject({
    resentTokens: 1000,
    resentCost: null,
  });
});

test("a call that failed, or had been answered before, is waste as a whole", () => {
  const again = { sharedTokens: 500, resentTokens: null, resentCost: null };
  expect(rowOf({ input: 1000 }, { sharedBytes: 500 }, { status: "failed" })).toMatchObject({ ...again, failed: true });
  expect(rowOf({ input: 1000 }, { sharedBytes: 500, repeats: true })).toMatchObject({ ...again, repeats: true });
});

test("a conversation that begins shares nothing, and what nobody looked into is not known", () => {
  const unknown = { sharedTokens: null, resentTokens: null, resentCost: null };
  expect(rowOf({ input: 1000 }, { sharedBytes: 0 })).toMatchObject({ sharedTokens: 0, resentTokens: 0 });
  expect(rowOf({ input: 1000 })).toMatchObject(unknown);
  expect(rowOf({ input: 1000 }, { sharedBytes: 500 }, { usage: null, charges: [] })).toMatchObject(unknown);
  const empty = { system: 0, tools: 0, user: 0, earlier: 0, toolResults: 0 };
  expect(rowOf({ input: 1000 }, { sharedBytes: 500, promptBytes: empty })).toMatchObject({ ...unknown, promptBytes: null, tools: null });
  expect(rowOf({ input: 1000 }, {}, { tools: 0 })).toMatchObject({ tools: 0 });
});
