// Before Larkspur goes over to another model, and now and then since, the same old tickets are answered by three of them, and a check says which
// answers are right. Not here: tickets of customers (work.ts). Pure. Invariant: a ticket is as long and as hard for each of them.

import { dayMs, hourMs } from "../core/time.ts";
import type { Ask, Said } from "./ask.ts";
import { briefs } from "./company.ts";
import type { Word } from "./ending.ts";
import { drawFor } from "./random.ts";
import type { Story } from "./story.ts";
import type { Script, Setting } from "./work.ts";

/** How much each can: it answers a ticket rightly in `base` + `ease` of it. */
const candidates = [
  { model: "claude-opus-4-5", base: 0.62, ease: 0.36 },
  { model: "claude-sonnet-4-5", base: 0.52, ease: 0.44 },
  { model: "claude-haiku-4-5", base: 0.3, ease: 0.55 },
] as const;
/** What was not right is tried so often. */
const triesMax = 3;

/** When, ms UTC. */
export function drillsOf({ startMs, switchMs, todayMs }: Story): readonly number[] {
  return [switchMs - 3 * dayMs, todayMs - 2 * dayMs].map((ms) => Math.max(startMs, ms) + 10 * hourMs);
}

/** Of so many calls in all, about three in a hundred. */
export function casesOf(calls: number): number {
  return Math.max(2, Math.min(40, Math.round(calls / 500)));
}

export function* drill({ draw, id }: Setting, cases: number): Script {
  for (let number = 1; number <= cases; number += 1) {
    // The same in each drill.
    const ticket = drawFor("case", number);
    const [ease, inputTokens, outputTokens] = [ticket.share(), ticket.around(5_500, 0.5), ticket.around(360, 0.4)];
    for (const { model, base, ease: gain } of candidates)
      for (let attempt = 1, isRight = false; attempt <= triesMax && !isRight; attempt += 1) {
        const task = `drill-${id}-${number}-${model.split("-")[1]}${attempt === 1 ? "" : `-${attempt}`}`;
        const said: Said = {
          task,
          root: task,
          type: "drill",
          step: "answer",
          feature: "helpdesk",
          agent: "resolver",
          environment: "evaluation",
          prompt: "answer-v7",
          tags: { case: `ticket-${number}` },
        };
        const ask: Ask = {
          wire: "messages",
          team: "support",
          model,
          agent: "resolver",
          said,
          inputTokens: briefs.resolver.tokens + inputTokens,
          cacheReadTokens: briefs.resolver.tokens,
          outputTokens: Math.ceil(outputTokens * (draw.around(1_000, 0.15) / 1_000)),
          name: task,
        };
        const answered = yield { afterMs: draw.around(900), asks: [ask] };
        isRight = answered && draw.chance(base + gain * ease);
        const word: Word = { kind: "outcome", task, judge: "check", source: "answers", result: isRight ? "success" : "failure" };
        yield { afterMs: 0, asks: [], says: [isRight ? word : { ...word, reason: "wrong_answer" }] };
      }
  }
}
