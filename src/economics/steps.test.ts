import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cost, parseUsd, type Pico, sum, zero } from "../core/money.ts";
import { inputTokens, outputTokens } from "../core/usage.ts";
import { anyCall, rates } from "./run.fixture.ts";
import { merge, noShape, shapeOf } from "./shape.fixture.ts";
import { kindOf, type StepPart, stepsOf } from "./steps.ts";
import { resentOf, type StepCall } from "./waste.fixture.ts";

const none = { system: 0, tools: 0, user: 0, earlier: 0, toolResults: 0 };

const part = (changes: Partial<StepPart> = {}): StepPart => ({
  step: null,
  model: "m",
  calls: 1,
  costPico: parseUsd("1"),
  unpriced: 0,
  unmetered: 0,
  retries: 0,
  failed: 0,
  failedPico: parseUsd("0"),
  repeated: 0,
  repeatedPico: parseUsd("0"),
  inputTokens: 0,
  outputTokens: 0,
  tools: 0,
  toolsUnknown: 0,
  prompt: none,
  promptUnknown: 0,
  continued: 0,
  grownTokens: 0,
  resentTokens: 0,
  resentPico: parseUsd("0"),
  resentUnpriced: 0,
  inputTokensMax: null,
  window: null,
  cacheRead: rates.cacheRead,
  ...changes,
});

describe("what a step does", () => {
  it.each([
    ["plan", "plan"],
    ["act", "act"],
    ["observe", "observe"],
    ["check", "check"],
    ["edit_file", "act"],
    ["run-tests", "act"],
    ["runTests", "act"],
    ["Reviewing the draft", "check"],
    ["step 3: search", "observe"],
    ["planet", null],
    ["", null],
    ["résumé", null],
    [null, null],
  ])("%j is told by the first word that tells: %j", (name, kind) => {
    expect(kindOf(name)).toBe(kind);
  });
});

describe("steps", () => {
  const read = part({
    step: "read",
    calls: 4,
    costPico: parseUsd("0.5"),
    inputTokens: 1_000,
    prompt: { ...none, system: 300, earlier: 600, toolResults: 100 },
    inputTokensMax: 900,
    window: 1_000,
  });
  const edit = part({
    step: "edit",
    calls: 10,
    costPico: parseUsd("2"),
    failed: 2,
    failedPico: parseUsd("0.3"),
    repeated: 1,
    repeatedPico: parseUsd("0.1"),
    resentTokens: 100_000,
    resentPico: parseUsd("0.25"),
  });

  it("have their wastes apart, and the worst is named with all of them", () => {
    const { wastes, worst, steps } = stepsOf([read, edit, part({ step: "edit", model: "n", costPico: parseUsd("3") })]);
    // 100,000 tokens at 0.25 a million from the cache are 0.025: 0.225 of the 0.25.
    expect(wastes.map(({ waste, savedPico, calls, tokens }) => [waste, savedPico, calls, tokens])).toEqual([
      ["failed", parseUsd("0.3"), 2, null],
      ["resent", parseUsd("0.225"), null, 100_000],
      ["repeated", parseUsd("0.1"), 1, null],
    ]);
    expect(worst).toEqual({ step: "edit", savedPico: parseUsd("0.625") });
    expect(steps.map(({ step, costPico, models }) => [step, costPico, models])).toEqual([
      ["edit", parseUsd("5"), ["n", "m"]],
      ["read", parseUsd("0.5"), ["m"]],
    ]);
    expect(stepsOf([read]).worst).toBeNull();
    expect(stepsOf([])).toMatchObject({ total: { calls: 0, costPico: 0n, inputTokensMax: null, fullest: null }, worst: null, steps: [] });
  });

  it("say nothing of a saving where no price is known", () => {
    const unknown = stepsOf([part({ ...edit, cacheRead: null })]);
    expect(unknown.wastes.find(({ waste }) => waste === "resent")).toMatchObject({ savedPico: 0n, unknownTokens: 100_000 });
    const unpriced = stepsOf([part({ ...edit, resentPico: parseUsd("0"), resentUnpriced: 3 })]);
    expect(unpriced.total).toMatchObject({ resentUnknown: 0, resentUnpriced: 3, resentSavedPico: 0n });
    // Of calls that sent nothing again nothing is unknown.
    expect(stepsOf([part({ cacheRead: null })]).total.resentUnknown).toBe(0);
  });

  it("have the prompt by part in tokens, by bytes, of the calls whose parts are known", () => {
    expect(stepsOf([read]).total.promptTokens).toEqual({ ...none, system: 300, earlier: 600, toolResults: 100 });
    expect(stepsOf([{ ...read, promptUnknown: 2 }]).total.promptTokens).toEqual({ ...none, system: 150, earlier: 300, toolResults: 50 });
    const thirds = stepsOf([part({ inputTokens: 100, prompt: { ...none, system: 1, tools: 1, user: 1 } })]).total.promptTokens;
    expect(thirds.system + thirds.tools + thirds.user).toBe(100);
  });

  it("have the fullest window, which is not that of the longest prompt", () => {
    const { total } = stepsOf([read, part({ model: "wide", inputTokensMax: 5_000, window: 100_000 })]);
    expect(total).toMatchObject({ inputTokensMax: 5_000, fullest: { tokens: 900, window: 1_000, model: "m" } });
  });

  it("come to what the shapes of all runs come to", () => {
    const priced = anyCall
      .filter(({ costPico }) => costPico !== null)
      .map((one): StepCall => Object.assign(one, { rates, changed: null, kind: kindOf(one.step) }));
    fc.assert(
      fc.property(fc.array(fc.array(priced, { maxLength: 8 }), { maxLength: 4 }), (runs) => {
        const shape = runs.map(shapeOf).reduce(merge, noShape);
        const cells = new Map<string, [StepCall, boolean][]>();
        for (const run of runs) {
          const answered = new Set<string>();
          for (const one of run) {
            const isAgain = one.same !== null && answered.has(one.same);
            if (one.same !== null && !one.failed) answered.add(one.same);
            const key = JSON.stringify([one.step, model(one)]);
            cells.set(key, [...(cells.get(key) ?? []), [one, isAgain && !one.failed]]);
          }
        }
        const found = stepsOf(
          [...cells].map(([key, all]) => {
            const [step, name] = JSON.parse(key) as [string | null, string];
            return toPart(step, name, all);
          }),
        );
        const { total } = found;
        expect([total.calls, total.costPico, total.retries, total.failed]).toEqual([
          shape.calls,
          shape.costPico,
          shape.retries,
          shape.failed,
        ]);
        expect([total.inputTokens, total.outputTokens, total.tools]).toEqual([shape.inputTokens, shape.outputTokens, shape.tools]);
        expect([total.prompt, total.promptUnknown]).toEqual([shape.prompt, shape.promptUnknown]);
        for (const { kind, calls, costPico } of found.kinds) expect(shape.byKind[kind ?? "none"]).toMatchObject({ calls, costPico });
        expect(lines(found.wastes)).toEqual(lines(shape.wastes));
        // A step that is a kind's own word has that name in both.
        expect(sum(found.steps.map(({ wastedPico }) => wastedPico))).toBe(sum(shape.wastes.map(({ savedPico }) => savedPico)));
      }),
    );
  });
});

function model({ depth }: StepCall): string {
  return depth % 2 === 0 ? "even" : "odd";
}

function lines(all: readonly { waste: string; step: string | null; savedPico: bigint }[]): string[] {
  return all.map(({ waste, step, savedPico }) => `${waste} ${step} ${savedPico}`).toSorted();
}

function pico(some: readonly StepCall[]): Pico {
  return sum(some.map(({ costPico }) => costPico ?? zero));
}

function toPart(step: string | null, model: string, all: readonly [StepCall, boolean][]): StepPart {
  const calls = all.map(([one]) => one);
  const total = (of: (one: StepCall) => number): number => calls.reduce((sum, one) => sum + of(one), 0);
  const failed = calls.filter((one) => one.failed);
  const repeated = all.flatMap(([one, isAgain]) => (isAgain ? [one] : []));
  const resent = all.flatMap(([one, isAgain]) => (isAgain || one.failed ? [] : [resentOf(one)?.tokens ?? 0])).reduce((a, b) => a + b, 0);
  return part({
    step,
    model,
    calls: calls.length,
    costPico: pico(calls),
    retries: total(({ attempt }) => (attempt > 1 ? 1 : 0)),
    failed: failed.length,
    failedPico: pico(failed),
    repeated: repeated.length,
    repeatedPico: pico(repeated),
    inputTokens: total(({ quantities }) => inputTokens(quantities ?? {})),
    outputTokens: total(({ quantities }) => outputTokens(quantities ?? {})),
    tools: total(({ tools }) => tools ?? 0),
    prompt: {
      system: total(({ promptBytes }) => promptBytes?.system ?? 0),
      tools: total(({ promptBytes }) => promptBytes?.tools ?? 0),
      user: total(({ promptBytes }) => promptBytes?.user ?? 0),
      earlier: total(({ promptBytes }) => promptBytes?.earlier ?? 0),
      toolResults: total(({ promptBytes }) => promptBytes?.toolResults ?? 0),
    },
    promptUnknown: total(({ promptBytes }) => (promptBytes === null ? 1 : 0)),
    resentTokens: resent,
    resentPico: cost(rates.input, resent),
  });
}
