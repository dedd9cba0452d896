// What a call took, by how it ended and who says so.

import { expect, it } from "vitest";
import type { CallStatus } from "../core/call.ts";
import type { Hold } from "../core/guard.ts";
import { takenBy } from "./taken.ts";
import { endOf, type EndsAs } from "./try.fixture.ts";

const held: Hold = { call: "a", atMs: 0, accounts: [], slots: [], money: 100n, tokens: 50n };

it.each<[CallStatus, EndsAs["source"], Partial<EndsAs>, string, bigint, bigint]>([
  ["complete", "reported", {}, "settled", 30n, 30n],
  ["complete", "reported", { cost: 120n }, "settled", 120n, 120n],
  ["failed", "reported", {}, "settled", 30n, 30n],
  ["failed", null, {}, "nothing", 0n, 0n],
  ["unreached", null, {}, "nothing", 0n, 0n],
  ["unreached", "estimated", {}, "nothing", 0n, 0n],
  // As much as it can have been, which is less than was held for it.
  ["cut", "partial", { atMost: 40n }, "presumed", 40n, 40n],
  ["aborted", "estimated", { atMost: 40n }, "presumed", 40n, 40n],
  // Never less than the guess.
  ["cut", "estimated", { atMost: 20n }, "presumed", 30n, 30n],
  // Nobody has said, and nobody can say how much it can have been: its hold, or the guess where that is more.
  ["cut", "estimated", {}, "presumed", 100n, 50n],
  ["cut", "estimated", { cost: 120n }, "presumed", 120n, 120n],
  ["presumed", "presumed", {}, "presumed", 100n, 50n],
  // No price: as much as was held for it; its tokens are known.
  ["complete", "reported", { unpriced: true }, "presumed", 100n, 30n],
])("%s, %s, %o: %s at %s and %s tokens", (status, source, more, kind, money, tokens) => {
  const end = endOf({ id: "a" }, { status, source, cost: 30n, nowMs: 0, ...more });
  const taken = takenBy(end, held);
  expect([taken.kind, taken.amounts]).toEqual([kind, { money, tokens }]);
});

it("what held without a bound counts at the guess, and is open to a later witness", () => {
  const end = endOf({ id: "a" }, { status: "cut", source: "estimated", cost: 30n, nowMs: 0 });
  const taken = takenBy(end, { ...held, money: null, tokens: null });
  expect(taken).toMatchObject({ kind: "presumed", amounts: { money: 30n, tokens: 30n } });
});
