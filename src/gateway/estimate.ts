// Estimates of usage that a provider never reported: bytes over a ratio learned from what it did report. Always marked `estimated`.
// Never a tokenizer: on unlucky text one takes seconds. Memory is bounded by the number of models kept.

import { type Quantities, type Usage, inputTokens, totalQuantities } from "../core/usage.ts";
import { Recent } from "../core/recent.ts";

/** Bytes per token before anything was learned: English prose in common tokenizers. */
const bytesPerTokenDefault = 4;
const modelsMax = 1_000;
/** Weight of a new call in the running ratio. */
const weight = 0.1;

interface Ratio {
  input: number;
  output: number;
}

export class Estimator {
  readonly #ratios = new Recent<string, Ratio>(modelsMax);

  /** Learns from a call whose usage was reported. */
  learn(model: string, usage: Usage, promptBytes: number, outputBytes: number): void {
    const totals = totalQuantities(usage);
    const ratio = this.#ratios.use(model) ?? { input: bytesPerTokenDefault, output: bytesPerTokenDefault };
    const input = inputTokens(totals);
    if (input > 0 && promptBytes > 0) ratio.input += weight * (clamp(promptBytes / input) - ratio.input);
    const output = totals.output ?? 0;
    if (output > 0 && outputBytes > 0) ratio.output += weight * (clamp(outputBytes / output) - ratio.output);
    this.#ratios.set(model, ratio);
  }

  /** How many input tokens a prompt has, as learnt: an honest guess, and no bound. */
  inputTokens(model: string, promptBytes: number): number {
    return Math.ceil(promptBytes / (this.#ratios.use(model)?.input ?? bytesPerTokenDefault));
  }

  /** How many output tokens so many bytes are, as learnt. */
  outputTokens(model: string, outputBytes: number): number {
    return Math.ceil(outputBytes / (this.#ratios.use(model)?.output ?? bytesPerTokenDefault));
  }

  /**
   * A usage for a call whose own is missing or unfinished. What was reported stays; what was not is estimated from bytes.
   * Of a partial report the input is kept, and the output counts as much as was reported or seen, whichever is more.
   * @param doubts why there is no report, in words.
   */
  complete(model: string, reported: Usage | null, promptBytes: number, outputBytes: number, doubts: readonly string[] = []): Usage {
    const ratio = this.#ratios.use(model) ?? { input: bytesPerTokenDefault, output: bytesPerTokenDefault };
    const output = Math.ceil(outputBytes / ratio.output);
    const first = reported?.parts[0];
    if (reported === null || first === undefined || inputTokens(first.quantities) === 0) {
      // What was counted without tokens (a search, a fetch) stays as reported.
      const counted = reported === null ? {} : totalQuantities(reported);
      const quantities: Quantities = {
        ...counted,
        input: Math.ceil(promptBytes / ratio.input),
        output: Math.max(output, counted.output ?? 0),
      };
      const sources = Object.fromEntries(
        Object.keys(counted)
          .filter((name) => name !== "output")
          .map((name) => [name, "partial" as const]),
      );
      return {
        parts: [{ kind: "message", model: null, quantities }],
        source: "estimated",
        ...(Object.keys(sources).length === 0 ? {} : { sources }),
        doubts: reported?.doubts ?? doubts,
        raw: reported?.raw ?? null,
      };
    }
    const seen = Math.max(output, first.quantities.output ?? 0);
    return {
      ...reported,
      parts: [{ ...first, quantities: { ...first.quantities, output: seen } }, ...reported.parts.slice(1)],
      source: "partial",
      sources: { ...reported.sources, output: "estimated" },
    };
  }
}

function clamp(bytesPerToken: number): number {
  return Math.min(64, Math.max(0.5, bytesPerToken));
}
