// Caps on agents' task trees: what a policy allows, what a call comes to, and what follows. Not here: how a tree is counted (tree.ts).
// Invariants: a cap is the most that passes without anything; of several policies each counts, and the strictest answer stands.

import type { Scope } from "./budget.ts";
import { formatUsd } from "./money.ts";

/** From the mildest: pass and say so, wait before it is sent, refuse until somebody resumes it. */
export const capAnswers = ["warn", "slow", "stop"] as const;

export type CapAnswer = (typeof capAnswers)[number];

/** For each answer the most that passes without it; an answer that is absent is never given. */
export type Steps<Value> = { readonly [answer in CapAnswer]?: Value | undefined };

export interface TreeCaps {
  /** Levels below the root, which is at 0. Stops the task that is too deep. */
  readonly depthMax?: Steps<number> | undefined;
  /** Different children of one task. Stops the child that is one too many. */
  readonly fanOutMax?: Steps<number> | undefined;
  /** Calls of one task, its tries included and its children's not. Stops the task. */
  readonly taskCallsMax?: Steps<number> | undefined;
  /** Calls of the whole tree, tries included. Stops the tree. */
  readonly callsMax?: Steps<number> | undefined;
  /** Tries of one request, the client's own retries included where it counts them. Refuses the try; nothing stays stopped. */
  readonly triesMax?: Steps<number> | undefined;
  /** Since the tree's first call. Stops the tree. */
  readonly wallMsMax?: Steps<number> | undefined;
  /** How often the same request, or the same tool call with the same result, comes with nothing new in between. Stops the task. */
  readonly loopMax?: Steps<number> | undefined;
  /** Picodollars the tree has spent since it showed something new. Stops the tree. */
  readonly idlePicoMax?: Steps<bigint> | undefined;
}

export interface TreePolicy {
  readonly id: string;
  /** A call is under it when all of these are its own. Empty: every call. */
  readonly scope: Scope;
  readonly caps: TreeCaps;
}

/** What a call comes to, itself included. null: it belongs to no tree of which that could be said. */
export interface TreeMeasures {
  readonly depth: number | null;
  readonly fanOut: number | null;
  readonly taskCalls: number | null;
  readonly calls: number | null;
  readonly tries: number;
  readonly wallMs: number | null;
  readonly requestTimes: number;
  readonly toolTimes: number;
  readonly idlePico: bigint | null;
}

export type CapCode =
  | "depth"
  | "fan_out"
  | "task_calls"
  | "calls"
  | "tries"
  | "wall_time"
  | "repeated_request"
  | "repeated_tool_call"
  | "no_progress";

/** What a cap stops: the one call, its task with all below it, or the whole tree. */
export type CapReach = "call" | "task" | "tree";

export interface CapReason {
  readonly code: CapCode;
  readonly answer: CapAnswer;
  readonly policy: string;
  /** The most that would have passed without this answer. */
  readonly max: number | bigint;
  readonly is: number | bigint;
}

interface Row {
  readonly cap: keyof TreeCaps;
  readonly measure: keyof TreeMeasures;
  readonly code: CapCode;
  readonly reach: CapReach;
  readonly words: (is: string, max: string) => string;
}

/** In this order: of several stops the first says why. */
const rows: readonly Row[] = [
  {
    cap: "depthMax",
    measure: "depth",
    code: "depth",
    reach: "task",
    words: (is, max) => `it is ${is} levels below its root, and may be ${max}`,
  },
  {
    cap: "fanOutMax",
    measure: "fanOut",
    code: "fan_out",
    reach: "task",
    words: (is, max) => `it is its parent's child number ${is}, and there may be ${max}`,
  },
  {
    cap: "taskCallsMax",
    measure: "taskCalls",
    code: "task_calls",
    reach: "task",
    words: (is, max) => `the task would make call number ${is}, and may make ${max}`,
  },
  {
    cap: "callsMax",
    measure: "calls",
    code: "calls",
    reach: "tree",
    words: (is, max) => `the tree would make call number ${is}, and may make ${max}`,
  },
  {
    cap: "triesMax",
    measure: "tries",
    code: "tries",
    reach: "call",
    words: (is, max) => `it would be try number ${is} of one request, and there may be ${max}`,
  },
  {
    cap: "wallMsMax",
    measure: "wallMs",
    code: "wall_time",
    reach: "tree",
    words: (is, max) => `the tree has run for ${is} ms, and may for ${max} ms`,
  },
  {
    cap: "loopMax",
    measure: "requestTimes",
    code: "repeated_request",
    reach: "task",
    words: (is, max) => `the same request came ${is} times with nothing new in between, and may ${max} times`,
  },
  {
    cap: "loopMax",
    measure: "toolTimes",
    code: "repeated_tool_call",
    reach: "task",
    words: (is, max) => `the same tool call had the same result ${is} times with nothing new in between, and may ${max} times`,
  },
  {
    cap: "idlePicoMax",
    measure: "idlePico",
    code: "no_progress",
    reach: "tree",
    words: (is, max) => `the tree has spent $${is} since it last showed anything new, and may $${max}`,
  },
];

const byCode = new Map(rows.map((row) => [row.code, row]));

/** @returns every cap that is passed, with the strictest of its answers, the strictest first; empty when the call passes. */
export function judge(policies: readonly TreePolicy[], measures: TreeMeasures): CapReason[] {
  const reasons: CapReason[] = [];
  for (const policy of policies)
    for (const { cap, measure, code } of rows) {
      const steps = policy.caps[cap];
      if (steps === undefined) continue;
      const is = measures[measure];
      if (is === null) continue;
      const answer = answerOf(steps, is);
      if (answer !== null) reasons.push({ code, answer, policy: policy.id, max: steps[answer] as number | bigint, is });
    }
  if (reasons.length > 1) reasons.sort((a, b) => capAnswers.indexOf(b.answer) - capAnswers.indexOf(a.answer));
  return reasons;
}

function answerOf(steps: Steps<number | bigint>, is: number | bigint): CapAnswer | null {
  if (steps.stop !== undefined && is > steps.stop) return "stop";
  if (steps.slow !== undefined && is > steps.slow) return "slow";
  return steps.warn !== undefined && is > steps.warn ? "warn" : null;
}

/** Whether any of them needs a request's tool rounds: reading them costs about as much as reading the request (gateway/history.ts). */
export function looksAtTools(policies: readonly TreePolicy[]): boolean {
  return policies.some(({ caps }) => caps.loopMax !== undefined || caps.idlePicoMax !== undefined);
}

export function reachOf(code: CapCode): CapReach {
  return (byCode.get(code) as Row).reach;
}

/** The reason as a clause, for a person: `the tree would make call number 101, and may make 100 (policy research)`. */
export function wordsOf({ code, is, max, policy }: CapReason): string {
  return `${(byCode.get(code) as Row).words(textOf(is), textOf(max))} (policy ${policy})`;
}

function textOf(value: number | bigint): string {
  return typeof value === "bigint" ? formatUsd(value) : String(value);
}
