// A typical call, start and end, for benchmarks and tests of speed and size: about what a coding agent's turn puts on record.
// Not for asserting prices: the rates are made up.

import type { Entry } from "../src/core/entry.ts";
import { toPico } from "../src/core/money.ts";
import type { UsageClass } from "../src/core/usage.ts";

/** The two entries of call number `number`; the same number gives the same entries. */
export function sampleCall(number: number): readonly [start: Entry, end: Entry] {
  const id = `call_${number.toString(36).padStart(24, "0")}`;
  const startMs = 1_790_000_000_000 + number;
  const quantities = { input: 812 + (number % 97), cache_read: 14_336, output: 420 + (number % 61), reasoning: 128 };
  const rates: Record<keyof typeof quantities, bigint> = {
    input: 1_250_000n,
    cache_read: 125_000n,
    output: 10_000_000n,
    reasoning: 10_000_000n,
  };
  return [
    {
      kind: "start",
      call: {
        id,
        request: `request_${number.toString(36).padStart(20, "0")}`,
        attempt: 1,
        reason: "first",
        cause: null,
        startMs,
        attribution: {
          task: `task-${number % 100_003}`,
          parent: null,
          root: `task-${number % 1009}`,
          type: "review",
          step: "plan",
          customer: `n_${(number % 211).toString(16).padStart(16, "0")}`,
          user: null,
          feature: "assistant",
          agent: "reviewer",
          team: "platform",
          session: `session-${number % 5003}`,
          project: "website",
          branch: "main",
          prompt: null,
          environment: "production",
          tags: { region: "eu" },
        },
        key: "key_0123456789ab",
        provider: "openai",
        format: "openai-chat",
        endpoint: "/v1/chat/completions",
        pool: "shared",
        region: null,
        modelAsked: "gpt-5",
        modelSent: "gpt-5",
        tierAsked: null,
        capAsked: 4096,
        capInForce: 4096,
        effort: "medium",
        streamed: true,
        trace: "4bf92f3577b34da6a3ce929d0e0e4736",
        span: "00f067aa0ba902b7",
        requestBytes: 61_440,
        promptBytes: { system: 4096, tools: 9000, user: 600, earlier: 40_000, toolResults: 7000 },
        toolNames: ["read_file", "search", "run"],
        prefix: ["9f86d081884c7d65", "2c26b46b68ffc68f", "fcde2b2edba56bf4"],
        edits: ["stream_options.include_usage"],
        hold: { inputTokens: 61_440, outputTokens: 4096, cost: "0.11776", unbounded: null },
      },
    },
    {
      kind: "end",
      call: {
        id,
        endMs: startMs + 2400,
        firstByteMs: startMs + 310,
        firstTokenMs: startMs + 420,
        status: "complete",
        httpStatus: 200,
        error: null,
        clientGone: false,
        finish: "stop",
        modelAnswered: "gpt-5-2025-08-07",
        tierServed: "default",
        responseId: `chatcmpl-${number}`,
        providerRequest: "req_2f1c0e8e7a9a4d1f",
        answerBytes: 18_200,
        usage: {
          parts: [{ kind: "message", model: null, quantities }],
          source: "reported",
          doubts: [],
          raw: `{"prompt_tokens":${quantities.input + quantities.cache_read},"completion_tokens":${quantities.output + quantities.reasoning},"prompt_tokens_details":{"cached_tokens":${quantities.cache_read}},"completion_tokens_details":{"reasoning_tokens":128}}`,
        },
        charges: (Object.keys(quantities) as (keyof typeof quantities)[]).map((name) => ({
          class: name satisfies UsageClass,
          quantity: quantities[name],
          source: "reported",
          model: "gpt-5",
          part: 0,
          price: "openai/gpt-5/2025-08-07",
          ratePico: rates[name],
          ratePer: 1n,
          costPico: toPico(rates[name] * BigInt(quantities[name])),
        })),
        unpriced: [],
      },
    },
  ];
}
