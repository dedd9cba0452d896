// What an evaluation says of a task, as OpenTelemetry's `gen_ai.evaluation.result` tells it, in the words of outcomes. Not here: how it comes (otlp.ts),
// which task it is of where it only names a response. Invariant: no explanation is kept, since it may quote what was asked and answered; and a score of
// which nobody said what is enough is unknown, never a failure.

import { hash } from "node:crypto";
import type { Result } from "../core/outcome.ts";

/** By OpenTelemetry's conventions for generative AI, which are in development: github.com/open-telemetry/semantic-conventions-genai. */
export const evaluationEvent = "gen_ai.evaluation.result";

export interface EvaluationTold {
  readonly nanos: string;
  readonly trace: string | null;
  readonly span: string | null;
  readonly attributes: { get(key: string): string | number | boolean | undefined };
}

/** What counts as success of an evaluation of a name: `outcomes.evaluations.<name>`. */
export interface Measure {
  /** Its score is a success from here on, or up to here; between the two where both are there. */
  readonly atLeast?: number | undefined;
  readonly atMost?: number | undefined;
  readonly pass?: readonly string[] | undefined;
  readonly fail?: readonly string[] | undefined;
}

/**
 * Labels that mean the same wherever they are used, in small letters without `_`, `-` and spaces. Not `yes` or `true`: of a check for harm these are bad.
 */
const passes = new Set("pass passed success successful succeeded correct accept accepted approved resolved".split(" "));
const fails = new Set("fail failed failure unsuccessful incorrect wrong reject rejected unresolved notresolved notcorrect".split(" "));

export interface Verdict {
  readonly result: Result;
  /** In a word: the label, else what kept it from being evaluated. null: neither. */
  readonly reason: string | null;
}

/** @param measure null: the settings say nothing of an evaluation of this name. */
export function judge({ attributes }: Pick<EvaluationTold, "attributes">, measure: Measure | null): Verdict {
  const score = attributes.get("gen_ai.evaluation.score.value");
  const said = attributes.get("gen_ai.evaluation.score.label");
  const label = said === undefined ? null : String(said);
  const error = attributes.get("error.type");
  const reason = toReason(label ?? (error === undefined ? null : String(error)));
  return { result: resultOf(typeof score === "number" && Number.isFinite(score) ? score : null, label, measure ?? {}), reason };
}

function resultOf(score: number | null, label: string | null, { atLeast, atMost, pass, fail }: Measure): Result {
  if (label !== null && pass?.some((one) => plain(one) === plain(label)) === true) return "success";
  if (label !== null && fail?.some((one) => plain(one) === plain(label)) === true) return "failure";
  if (score !== null && (atLeast !== undefined || atMost !== undefined))
    return score >= (atLeast ?? -Infinity) && score <= (atMost ?? Infinity) ? "success" : "failure";
  if (label === null) return "unknown";
  return passes.has(plain(label)) ? "success" : fails.has(plain(label)) ? "failure" : "unknown";
}

const plain = (label: string): string => label.toLowerCase().replaceAll(/[\s_-]/g, "");

function toReason(text: string | null): string | null {
  const word = cut((text ?? "").trim().replaceAll(/\s+/g, "_"));
  return word === "" ? null : word;
}

/** At most 100 characters, and no half of one. */
export function cut(text: string): string {
  return text.length <= 100 ? text : text.slice(0, 100).replace(/[\uD800-\uDBFF]$/, "");
}

/** Where it says to which task it belongs. */
export interface Names {
  /** The task by name; null: it names none. */
  readonly task: string | null;
  /** The provider's id of the response that was evaluated. */
  readonly response: string | null;
  /** What may be a task's name: where one is on record by it. The likeliest first. */
  readonly maybe: readonly string[];
}

/** As its own name, and as what copies W3C baggage or headers into attributes spells it. */
const spelt = (field: string): string[] => [`pennyworth.${field}`, `pennyworth-${field}`, `x-pennyworth-${field}`];

export function namesOf({ trace, attributes }: EvaluationTold): Names {
  const textOf = (...names: readonly string[]): string | null => {
    for (const name of names) {
      const value = attributes.get(name);
      if (value !== undefined && String(value).trim() !== "") return String(value);
    }
    return null;
  };
  return {
    task: textOf(...spelt("root"), ...spelt("task")),
    response: textOf("gen_ai.response.id"),
    maybe: [textOf("gen_ai.conversation.id"), trace].filter((one) => one !== null),
  };
}

/**
 * The same event, told again, has the same. An evaluator may stamp a whole batch once: then the task is all that tells two of them apart.
 * @param task where it was placed.
 */
export function idOf({ nanos, trace, span, attributes }: EvaluationTold, task: string): string {
  const parts = ["gen_ai.evaluation.name", "gen_ai.evaluation.score.value", "gen_ai.evaluation.score.label", "gen_ai.response.id"];
  return `otel_${hash("sha256", JSON.stringify([nanos, trace, span, task, ...parts.map((name) => attributes.get(name) ?? null)]), "hex").slice(0, 32)}`;
}
