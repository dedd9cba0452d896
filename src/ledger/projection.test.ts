import { expect, test } from "vitest";
import { resolve } from "../core/resolve.ts";
import { toRow } from "./projection.ts";
import { nobody, sampleEnd, sampleObservation, sampleStart } from "./store.fixture.ts";

const early = sampleStart("call", { startMs: 1_000, attribution: { ...nobody, task: "ticket", tags: { lane: "a" } }, key: "key_1" });
const late = sampleObservation("seen", "resp_1", {
  startMs: 90_000,
  observedMs: 99_000,
  attribution: { ...nobody, task: "other" },
  key: "key_2",
});

test("a call that a later witness knows better keeps its own start, and whom it belongs to", () => {
  const usage = { parts: [], source: "estimated", doubts: [], raw: null } as const;
  const cut = sampleEnd("call", { endMs: 2_000, status: "cut", responseId: "resp_1", usage, charges: [] });
  const { end, witnesses } = resolve({ start: early, ends: [cut], observations: [late] });
  const row = toRow(early, end, late, witnesses);
  expect(row).toMatchObject({ id: "call", startMs: 1_000, endMs: 2_000, status: "cut", source: "reported", cost: "0.000075" });
  expect(row).toMatchObject({ task: "ticket", tags: { lane: "a" }, key: "key_1", witness: "fetch+gateway" });
});

test("a call that only a later witness knows is told as that one saw it", () => {
  const { end, witnesses } = resolve({ start: null, ends: [], observations: [late] });
  expect(toRow(null, end, late, witnesses)).toMatchObject({ id: "seen", startMs: 90_000, task: "other", key: "key_2", witness: "fetch" });
});
