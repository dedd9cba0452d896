// Refusals of a rate carry the headers by which the clients of each format pace themselves.

import { expect, it } from "vitest";
import { anthropicRefusal, openaiRefusal } from "./refuse.ts";

const refusal = { status: 429, code: "rate_limited", message: "later" };
const rate = { measure: "tokens", limit: 1_000n, left: 7n, resetsMs: Date.parse("2026-11-21T10:00:00Z"), waitMs: 1_500 } as const;

it("OpenAI's name the limit, what is left, and how long until it resets", () => {
  expect(openaiRefusal({ ...refusal, rate }).headers).toEqual([
    "x-ratelimit-limit-tokens",
    "1000",
    "x-ratelimit-remaining-tokens",
    "7",
    "x-ratelimit-reset-tokens",
    "2s",
  ]);
  expect(openaiRefusal({ ...refusal, rate: { ...rate, measure: "calls", waitMs: null } }).headers).toEqual([
    "x-ratelimit-limit-requests",
    "1000",
    "x-ratelimit-remaining-requests",
    "7",
  ]);
  expect(openaiRefusal(refusal).headers).toEqual([]);
});

it("Anthropic's name the time at which it resets", () => {
  expect(anthropicRefusal({ ...refusal, rate }).headers).toEqual([
    "anthropic-ratelimit-tokens-limit",
    "1000",
    "anthropic-ratelimit-tokens-remaining",
    "7",
    "anthropic-ratelimit-tokens-reset",
    "2026-11-21T10:00:00.000Z",
  ]);
  expect(anthropicRefusal({ ...refusal, rate: { ...rate, resetsMs: null } }).headers).toHaveLength(4);
  expect(anthropicRefusal(refusal).headers).toEqual([]);
});
