// The guard's clock over jumps, corrections and sleep.

import { expect, it } from "vitest";
import { steadyClock } from "./clock.ts";

const day = 86_400_000;

function machine() {
  const times = { wall: Date.parse("2026-11-21T00:00:00Z"), monotonic: 5_000, boot: 100 };
  const pass = (ms: number): void => {
    times.wall += ms;
    times.monotonic += ms;
    times.boot += ms / 1_000;
  };
  const clock = steadyClock({ wall: () => times.wall, monotonic: () => times.monotonic, sinceBoot: () => times.boot });
  return { times, pass, clock };
}

it("is the wall clock, small corrections included, however many", () => {
  const { times, pass, clock } = machine();
  for (let step = 0; step < 100; step += 1) {
    pass(1_000);
    times.wall += 400;
    expect(clock()).toBe(times.wall);
  }
});

it.each([30 * day, -day, 5_000])("does not go along with a jump of %d ms, and goes on from where it was", (byMs) => {
  const { times, pass, clock } = machine();
  pass(60_000);
  const before = clock();
  times.wall += byMs;
  expect(clock()).toBe(before);
  pass(3_000);
  expect(clock()).toBe(before + 3_000);
  // The jump is taken back.
  times.wall -= byMs;
  expect(clock()).toBe(before + 3_000);
});

it("knows that a machine has slept", () => {
  const { times, pass, clock } = machine();
  pass(60_000);
  times.wall += 8 * 3_600_000;
  times.boot += 8 * 3_600;
  expect(clock()).toBe(times.wall);
  pass(1_000);
  expect(clock()).toBe(times.wall);
});
