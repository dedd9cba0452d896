import { describe, expect, it } from "vitest";
import { durationBusyMs, timingsBusyMs } from "./busy.ts";
import type { AnswerFacts, AnswerHead, Format } from "./format.ts";
import { formats } from "./table.ts";

const head: AnswerHead = { status: 200, type: "application/json", header: () => null };
const read = (format: "ollama-generate" | "openai-chat" | "ollama-embed", answer: object): AnswerFacts =>
  (formats.get(format) as Format).answer(JSON.stringify(answer), head);

describe("the time an engine says it took", () => {
  it("is Ollama's whole duration without what it loaded or waited for", () => {
    const chat = { model: "m", done: true, prompt_eval_count: 2, eval_count: 3, total_duration: 5_043_500_667, load_duration: 5_025_959 };
    // 5,043,500,667 − 5,025,959 = 5,038,474,708 ns
    expect(read("ollama-generate", chat).busyMs).toBe(5_038);
    expect(read("ollama-embed", { prompt_eval_count: 2, total_duration: 14_143_917, load_duration: 1_019_500 }).busyMs).toBe(13);
    expect(read("ollama-generate", { model: "m", done: true, eval_count: 3 }).busyMs).toBeUndefined();
  });

  it("is what llama.cpp took for the prompt and for the answer", () => {
    const timings = { prompt_n: 1, prompt_ms: 30.958, predicted_n: 35, predicted_ms: 661.064 };
    const usage = { prompt_tokens: 1, completion_tokens: 35, total_tokens: 36 };
    expect(read("openai-chat", { id: "a", model: "m", choices: [], usage, timings }).busyMs).toBe(692);
    expect(read("openai-chat", { id: "a", model: "m", choices: [], usage }).busyMs).toBeUndefined();
    const stream = (formats.get("openai-chat") as Format).stream({ hideUsage: true, head });
    stream.push(Buffer.from(`data: ${JSON.stringify({ id: "a", model: "m", choices: [{ delta: { content: "x" } }] })}\n\n`));
    stream.push(Buffer.from(`data: ${JSON.stringify({ id: "a", model: "m", choices: [], usage, timings })}\n\ndata: [DONE]\n\n`));
    expect(stream.facts().busyMs).toBe(692);
  });

  it("is absent where it is no length of time", () => {
    for (const total of [-1, Number.NaN, 1e30, "5", null, undefined]) expect(durationBusyMs({ total_duration: total })).toEqual({});
    expect(durationBusyMs({ total_duration: 1_000_000, load_duration: 2_000_000 })).toEqual({});
    expect(durationBusyMs({ total_duration: 1_499_999 })).toEqual({ busyMs: 1 });
    for (const timings of [null, [], { prompt_ms: 1 }, { prompt_ms: "1", predicted_ms: 1 }]) expect(timingsBusyMs({ timings })).toEqual({});
  });
});
