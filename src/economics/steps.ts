// Where tokens and money go, step by step, from sums over calls of a step with a model: for many runs, where no call is at hand. Not here: where
// sums come from. Invariant: a picodollar is in one waste at
// most, and what the sums do not tell is counted as unknown.

import type { PromptBytes } from "../core/call.ts";
import { allocate, cost, type Pico, type Rate, toPico, zero } from "../core/money.ts";
import { compareText } from "../core/order.ts";
import { type StepKind, stepKinds, type WasteKind, wasteKinds } from "./waste.ts";

/** Sums that add up. */
export interface StepSums {
  readonly calls: number;
  readonly costPico: Pico;
  readonly unpriced: number;
  readonly unmetered: number;
  readonly retries: number;
  readonly failed: number;
  readonly failedPico: Pico;
  readonly repeated: number;
  readonly repeatedPico: Pico;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly tools: number;
  readonly toolsUnknown: number;
  readonly prompt: PromptBytes;
  readonly promptUnknown: number;
  readonly continued: number;
  readonly grownTokens: number;
  readonly resentTokens: number;
  readonly resentPico: Pico;
  /** Calls of it without a price of fresh input: what they cost is not in it. */
  readonly resentUnpriced: number;
}

/** Calls of one step with one model. */
export interface StepPart extends StepSums {
  /** As the client named it; null: it did not. */
  readonly step: string | null;
  readonly model: string | null;
  /** The longest prompt, tokens; null: none was metered. */
  readonly inputTokensMax: number | null;
  /** The most tokens the model takes; null: not known. */
  readonly window: number | null;
  /** What a token costs that is read from the cache; null: not known, or the model has no cache. */
  readonly cacheRead: Rate | null;
}

/** The fullest prompt: its tokens, and the window of its model. */
export interface Fullest {
  readonly tokens: number;
  readonly window: number;
  readonly model: string | null;
}

export interface StepShape extends StepSums {
  readonly inputTokensMax: number | null;
  /** null: no window is known. */
  readonly fullest: Fullest | null;
  /** Tokens of the prompts by part, scaled from their bytes: estimates. Of calls whose parts are known. */
  readonly promptTokens: PromptBytes;
  /** What reading from the cache would have saved of what was sent again; and the tokens sent again that have no price of a cache. */
  readonly resentSavedPico: Pico;
  readonly resentUnknown: number;
}

export interface NamedStep extends StepShape {
  readonly step: string | null;
  readonly kind: StepKind | null;
  /** The dearest first. */
  readonly models: readonly (string | null)[];
  /** Of all its wastes. */
  readonly wastedPico: Pico;
}

/** One waste at one step. */
export interface StepWaste {
  readonly waste: Exclude<WasteKind, "idle">;
  readonly step: string | null;
  /** null: not known from sums. */
  readonly calls: number | null;
  /** Of what was sent again. null: it is no waste of tokens that can be counted. */
  readonly tokens: number | null;
  readonly savedPico: Pico;
  /** Of the tokens, those that have no price of a cache; and calls without a price: they saved more than that, nobody knows how much. */
  readonly unknownTokens: number;
  readonly unpriced: number;
}

export interface Steps {
  readonly total: StepShape;
  /** The dearest first. They add up to the total. */
  readonly steps: readonly NamedStep[];
  /** Every kind, and none: adds up to the total. */
  readonly kinds: readonly { readonly kind: StepKind | null; readonly calls: number; readonly costPico: Pico; readonly unpriced: number }[];
  /** The dearest first. */
  readonly wastes: readonly StepWaste[];
  /** The most wasteful step, with what leaving out all its wastes would have saved. null: nothing was wasted, as far as is known. */
  readonly worst: { readonly step: string | null; readonly savedPico: Pico } | null;
}

const parts = ["system", "tools", "user", "earlier", "toolResults"] as const satisfies readonly (keyof PromptBytes)[];
const noPrompt: PromptBytes = { system: 0, tools: 0, user: 0, earlier: 0, toolResults: 0 };

const noSums: StepShape = {
  calls: 0,
  costPico: zero,
  unpriced: 0,
  unmetered: 0,
  retries: 0,
  failed: 0,
  failedPico: zero,
  repeated: 0,
  repeatedPico: zero,
  inputTokens: 0,
  outputTokens: 0,
  tools: 0,
  toolsUnknown: 0,
  prompt: noPrompt,
  promptUnknown: 0,
  continued: 0,
  grownTokens: 0,
  resentTokens: 0,
  resentPico: zero,
  resentUnpriced: 0,
  inputTokensMax: null,
  fullest: null,
  promptTokens: noPrompt,
  resentSavedPico: zero,
  resentUnknown: 0,
};

/** Words that a step's name tells its kind by. */
export const kindWords: { readonly [kind in StepKind]: readonly string[] } = {
  plan: ["plan", "planning", "planner", "think", "reason", "outline", "decide", "triage", "route", "design"],
  act: ["act", "action", "edit", "write", "draft", "answer", "reply", "execute", "run", "apply", "fix", "generate", "implement", "call"],
  observe: ["observe", "read", "search", "look", "explore", "retrieve", "retrieval", "fetch", "browse", "inspect", "gather"],
  check: ["check", "verify", "test", "review", "validate", "judge", "critique", "evaluate", "lint", "grade", "reflect"],
};

/** Kinds by each of their words, and by these with an ending. */
const kindOfWord = new Map(
  stepKinds.flatMap((kind) => kindWords[kind].flatMap((word) => [word, `${word}s`, `${word}ing`].map((form) => [form, kind] as const))),
);

/** What kind of step it is, by the first word of its name that tells: `edit_file` acts, `run-tests` too. null: no word does. */
export function kindOf(step: string | null): StepKind | null {
  if (step === null) return null;
  const words = step
    .slice(0, 200)
    .replaceAll(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}]+/u);
  for (const word of words) {
    const kind = kindOfWord.get(word);
    if (kind !== undefined) return kind;
  }
  return null;
}

/** @param rows of each step and model at most one. */
export function stepsOf(rows: readonly StepPart[]): Steps {
  const byStep = new Map<string | null, StepPart[]>();
  for (const row of rows) {
    const others = byStep.get(row.step);
    if (others === undefined) byStep.set(row.step, [row]);
    else others.push(row);
  }
  const steps = [...byStep]
    .map(([step, own]) => toStep(step, own))
    .toSorted((a, b) => compareBig(b.costPico, a.costPico) || b.calls - a.calls || compareText(a.step ?? "", b.step ?? ""));
  const [first] = steps.toSorted((a, b) => compareBig(b.wastedPico, a.wastedPico));
  return {
    total: steps.reduce<StepShape>(add, noSums),
    steps,
    kinds: [...stepKinds, null].map((kind) => {
      const own = steps.filter((one) => one.kind === kind).reduce<StepShape>(add, noSums);
      return { kind, calls: own.calls, costPico: own.costPico, unpriced: own.unpriced };
    }),
    wastes: steps
      .flatMap(wastesOf)
      .toSorted(
        (a, b) =>
          compareBig(b.savedPico, a.savedPico) ||
          wasteKinds.indexOf(a.waste) - wasteKinds.indexOf(b.waste) ||
          compareText(a.step ?? "", b.step ?? ""),
      ),
    worst: first === undefined || first.wastedPico === 0n ? null : { step: first.step, savedPico: first.wastedPico },
  };
}

/** What leaving out all wastes would have saved. */
export function wastedOf({ failedPico, repeatedPico, resentSavedPico }: StepShape): Pico {
  return toPico(failedPico + repeatedPico + resentSavedPico);
}

function toStep(step: string | null, rows: readonly StepPart[]): NamedStep {
  const all = rows.map(toShape).reduce(add, noSums);
  const models = rows.toSorted((a, b) => compareBig(b.costPico, a.costPico)).map(({ model }) => model);
  return { ...all, step, kind: kindOf(step), models: [...new Set(models)], wastedPico: wastedOf(all) };
}

function toShape({ step: _step, model, window, cacheRead, ...sums }: StepPart): StepShape {
  const { inputTokensMax: tokens, resentTokens, resentPico } = sums;
  // Those of calls without a price are in the tokens and not in the cost: then it is less than was saved, and never more.
  const saved = cacheRead === null ? 0n : resentPico - cost(cacheRead, resentTokens);
  return {
    ...sums,
    fullest: tokens === null || window === null ? null : { tokens, window, model },
    promptTokens: scaled(sums),
    resentSavedPico: saved > 0n ? toPico(saved) : zero,
    resentUnknown: cacheRead === null ? resentTokens : 0,
  };
}

/** The input tokens of the calls whose parts are known, shared out by bytes: whole, and adding up. */
function scaled({ calls, promptUnknown, inputTokens, prompt }: StepSums): PromptBytes {
  const known = calls === 0 ? 0 : Math.round((inputTokens * (calls - promptUnknown)) / calls);
  const weights = parts.map((part) => BigInt(prompt[part]));
  if (weights.every((weight) => weight === 0n)) return noPrompt;
  const shares = allocate(BigInt(known) as Pico, weights);
  return byPart((part) => Number(shares[parts.indexOf(part)]));
}

function wastesOf(one: NamedStep): StepWaste[] {
  const { step, failed, failedPico, repeated, repeatedPico, resentTokens, resentSavedPico, resentUnknown, resentUnpriced } = one;
  const whole = { step, tokens: null, unknownTokens: 0, unpriced: 0 };
  return [
    ...(failed === 0 ? [] : [{ ...whole, waste: "failed" as const, calls: failed, savedPico: failedPico }]),
    ...(repeated === 0 ? [] : [{ ...whole, waste: "repeated" as const, calls: repeated, savedPico: repeatedPico }]),
    ...(resentTokens === 0
      ? []
      : [
          {
            step,
            waste: "resent" as const,
            calls: null,
            tokens: resentTokens,
            savedPico: resentSavedPico,
            unknownTokens: resentUnknown,
            unpriced: resentUnpriced,
          },
        ]),
  ];
}

function add(a: StepShape, b: StepShape): StepShape {
  return {
    calls: a.calls + b.calls,
    costPico: toPico(a.costPico + b.costPico),
    unpriced: a.unpriced + b.unpriced,
    unmetered: a.unmetered + b.unmetered,
    retries: a.retries + b.retries,
    failed: a.failed + b.failed,
    failedPico: toPico(a.failedPico + b.failedPico),
    repeated: a.repeated + b.repeated,
    repeatedPico: toPico(a.repeatedPico + b.repeatedPico),
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    tools: a.tools + b.tools,
    toolsUnknown: a.toolsUnknown + b.toolsUnknown,
    prompt: byPart((part) => a.prompt[part] + b.prompt[part]),
    promptUnknown: a.promptUnknown + b.promptUnknown,
    continued: a.continued + b.continued,
    grownTokens: a.grownTokens + b.grownTokens,
    resentTokens: a.resentTokens + b.resentTokens,
    resentPico: toPico(a.resentPico + b.resentPico),
    resentUnpriced: a.resentUnpriced + b.resentUnpriced,
    inputTokensMax:
      a.inputTokensMax === null || b.inputTokensMax === null
        ? (a.inputTokensMax ?? b.inputTokensMax)
        : Math.max(a.inputTokensMax, b.inputTokensMax),
    fullest: fuller(a.fullest, b.fullest),
    promptTokens: byPart((part) => a.promptTokens[part] + b.promptTokens[part]),
    resentSavedPico: toPico(a.resentSavedPico + b.resentSavedPico),
    resentUnknown: a.resentUnknown + b.resentUnknown,
  };
}

function byPart(of: (part: keyof PromptBytes) => number): PromptBytes {
  return { system: of("system"), tools: of("tools"), user: of("user"), earlier: of("earlier"), toolResults: of("toolResults") };
}

function fuller(a: Fullest | null, b: Fullest | null): Fullest | null {
  if (a === null || b === null) return a ?? b;
  return b.tokens / b.window > a.tokens / a.window ? b : a;
}

function compareBig(a: bigint, b: bigint): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
