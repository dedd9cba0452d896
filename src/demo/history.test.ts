// The demo's history in the order of its clock: the guard's never goes back, so that a call made out of turn would end before it begins.

import { expect, it } from "vitest";
import { dayMs, minuteMs } from "../core/time.ts";
import { Clock } from "./clock.ts";
import { makeHistory } from "./history.ts";
import { latelyOf } from "./lately.ts";
import { tell } from "./story.ts";

const untilMs = Date.UTC(2026, 10, 22, 7);
const startMs = untilMs - 30 * dayMs;

it("no call is made at a time before that of the one before it", async () => {
  const story = tell(startMs, untilMs);
  const clock = new Clock(story.startMs);
  const asked: number[] = [];
  const send = (): Promise<boolean> => Promise.resolve(asked.push(clock.now()) > 0);
  const register = { tell: () => {}, flush: () => Promise.resolve() };
  const { signal } = new AbortController();
  await makeHistory({
    story,
    seed: 1,
    calls: 2_000,
    clock,
    send,
    register,
    chores: [],
    until: () => untilMs,
    onProgress: () => {},
    signal,
  });
  expect(asked.length).toBeGreaterThan(1_000);
  expect(asked).toEqual(asked.toSorted((a, b) => a - b));
  expect(asked.at(-1)).toBeLessThanOrEqual(untilMs);
});

it("what the largest customer sends at once is over before the next chore", async () => {
  const story = tell(startMs, untilMs);
  const clock = new Clock(story.startMs);
  const asked: number[] = [];
  const send = (): Promise<boolean> => Promise.resolve(asked.push(clock.now()) > 0);
  const office = { ask: () => Promise.reject(new Error("nobody is asked")), caughtUp: () => Promise.resolve() };
  const chores = latelyOf({ story, seed: 1, untilMs, clock, send, office });
  const index = chores.findIndex(({ atMs }) => atMs === untilMs - 22 * minuteMs - 1);
  await chores[index]?.act();
  expect(asked.length).toBeGreaterThan(30);
  expect(Math.max(...asked)).toBeLessThan((chores[index + 1]?.atMs ?? 0) - minuteMs);
});
