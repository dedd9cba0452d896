// An agent that is not worth it, for the tests of alerts. Not for use outside tests.

import type { Worth } from "./alert.ts";

export function worthOf(more: Partial<Worth>): Worth {
  return {
    type: "resolve-ticket",
    agent: "helper",
    days: 7,
    tasks: 130,
    against: "person",
    reason: "below_break_even",
    success: { low: 0.3, at: 46 / 120, high: 0.474, successes: 46, tasks: 120, confidence: 0.95 },
    breakEven: { kind: "at", p: 0.49 },
    saved: { low: "-1.52", at: "-0.8533", high: "-0.132" },
    lost: "110.929",
    summary: "No: the agent pays from 49 % success on, and it succeeds in 30 % to 47.4 %.",
    ...more,
  };
}
