// One call as one of Larkspur's agents makes it, and the HTTP request that it becomes, in the wire format of the model's provider. What the
// answer is to be like goes along as the sandbox's controls. Invariant: a prompt's bytes are in proportion to its tokens.

import { type Agent, briefOf, briefs, prose, type Team } from "./company.ts";
import type { Draw } from "./random.ts";

/** `count`: a path of another API of the same company, which the gateway knows nothing of at this provider: it passes, unmetered. */
export type Wire = "chat" | "responses" | "messages" | "gemini" | "count" | "ollama" | "embeddings" | "images";

/**
 * What goes wrong. `busy`, `down`: 429 and 529 on the first try. `error`: 500 on the first try. `cut`: the answer breaks off. `left`: whoever
 * asked goes away in the middle of a stream. `mute`: no usage is reported. `wrong`: the usage that is reported does not add up. `other`: another model answers.
 */
export type Trouble = "busy" | "down" | "error" | "refused" | "cut" | "left" | "mute" | "wrong" | "other";

export interface Said {
  readonly task?: string;
  readonly parent?: string;
  readonly root?: string;
  readonly type?: string;
  readonly step?: string;
  readonly customer?: string;
  readonly user?: string;
  readonly feature?: string;
  readonly agent?: string;
  readonly environment?: string;
  readonly project?: string;
  readonly branch?: string;
  /** The prompt's version. */
  readonly prompt?: string;
  /** What the task and all below it may cost, in dollars. */
  readonly budget?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface Ask {
  readonly wire: Wire;
  readonly model: string;
  readonly team: Team;
  /** Whose brief comes first; null: none. */
  readonly agent: Agent | null;
  readonly said: Said;
  /** The whole prompt, the brief included. */
  readonly inputTokens: number;
  /** All output, reasoning included. */
  readonly outputTokens: number;
  readonly reasoningTokens?: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly imageTokens?: number;
  readonly searches?: number;
  readonly streamed?: boolean;
  /** The answer asks for a tool. */
  readonly tool?: string;
  /** Calls of a tool before this one, with what came of them; the oldest first. Of messages alone. */
  readonly rounds?: readonly Round[];
  /** Nobody has said how long the answer may be. Of chat alone. */
  readonly uncapped?: true;
  readonly trouble?: Trouble | null;
  /** It goes to the provider itself, around Pennyworth. */
  readonly direct?: true;
  /** Tells this ask from every other: what fails once for it fails for it alone. */
  readonly name: string;
}

/** A tool call and its answer. */
export interface Round {
  readonly tool: string;
  readonly query: string;
  readonly result: string;
}

export interface Request {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How long until the first token, ms, and how many tokens a second then, by model; the first that is part of the name holds. */
const speeds: readonly (readonly [name: string, firstMs: number, perSecond: number])[] = [
  ["nano", 420, 140],
  ["mini", 620, 95],
  ["haiku", 540, 130],
  ["sonnet", 950, 72],
  ["opus", 1_500, 48],
  ["flash", 380, 190],
  ["pro", 2_100, 85],
  ["embedding", 140, 1_000],
  ["qwen", 260, 110],
  ["image", 14_000, 1_000],
  ["dall-e", 11_000, 1_000],
  ["", 1_300, 65],
];

export function toRequest(ask: Ask, key: string | null, draw: Draw): Request {
  const { path, body } = toBody(ask, draw);
  return {
    path,
    headers: {
      "content-type": "application/json",
      ...(ask.wire === "messages" ? { "anthropic-version": "2023-06-01" } : {}),
      ...(ask.direct ? {} : { ...(key === null ? { "x-pennyworth-team": ask.team } : { "x-pennyworth-key": key }), ...toSaid(ask.said) }),
      ...toControls(ask, draw),
    },
    body: JSON.stringify(body),
  };
}

function toSaid({ tags, ...fields }: Said): Record<string, string> {
  const headers = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [`x-pennyworth-${name}`, Buffer.from(String(value)).toString("latin1")]),
  );
  if (tags !== undefined) headers["x-pennyworth-tags"] = JSON.stringify(tags);
  return headers;
}

function toControls(ask: Ask, draw: Draw): Record<string, string> {
  const [, firstMs, perSecond] = speeds.find(([name]) => ask.model.includes(name)) as (typeof speeds)[number];
  const controls: Record<string, number | string | undefined> = { "delay-ms": draw.around(firstMs + ask.inputTokens / 60, 0.25) };
  if (ask.wire === "images" || ask.wire === "count") return withNames(controls);
  controls["input-tokens"] = ask.inputTokens;
  if (ask.wire === "embeddings") return withNames(controls);
  const rate = draw.around(perSecond, 0.15);
  Object.assign(controls, {
    "output-tokens": ask.outputTokens,
    "reasoning-tokens": ask.reasoningTokens,
    "cache-read-tokens": ask.cacheReadTokens,
    "cache-write-5m-tokens": ask.cacheWriteTokens,
    "image-input-tokens": ask.imageTokens,
    "web-searches": ask.searches,
    "tokens-per-second": rate,
    // A few events do: what is looked at is when they come.
    "chunk-tokens": ask.streamed === true ? Math.max(4, Math.ceil(ask.outputTokens / 4)) : undefined,
    finish: ask.tool === undefined ? undefined : "tool_use",
  });
  return withNames({ ...controls, ...toTrouble(ask) });
}

function toTrouble({ trouble, name, streamed }: Ask): Record<string, number | string> {
  const once = (fail: string): Record<string, number | string> => ({ fail, "fail-times": 1, "fail-key": name });
  switch (trouble ?? null) {
    case "busy":
      return once("429");
    case "down":
      return once("529");
    case "error":
      return once("500");
    case "refused":
      return { fail: "400" };
    case "cut":
      return { "cut-after": streamed === true ? 5 : 1 };
    case "left":
      return { silence: 5 };
    case "mute":
      return { usage: "missing" };
    case "wrong":
      return { usage: "wrong" };
    case "other":
      return { "served-model": "gemini-2.5-flash" };
    case null:
      return {};
  }
}

function withNames(controls: Readonly<Record<string, number | string | undefined>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(controls)) if (value !== undefined) headers[`x-sandbox-${name}`] = String(value);
  return headers;
}

function toBody(ask: Ask, draw: Draw): { readonly path: string; readonly body: unknown } {
  const { model, streamed = false } = ask;
  const system = ask.agent === null ? null : briefOf(ask.agent);
  const question = prose(Math.max(8, ask.inputTokens - (ask.imageTokens ?? 0) - (ask.agent === null ? 0 : briefs[ask.agent].tokens)), draw);
  const cap = Math.max(64, Math.ceil(ask.outputTokens / 256) * 512);
  const messages = [...(system === null ? [] : [{ role: "system", content: system }]), { role: "user", content: question }];
  const schema = { type: "object", properties: { query: { type: "string" } }, required: ["query"] };
  switch (ask.wire) {
    case "chat": {
      const tools = ask.tool === undefined ? {} : { tools: [{ type: "function", function: { name: ask.tool, parameters: schema } }] };
      const capped = ask.uncapped === true ? {} : { max_completion_tokens: cap };
      return { path: "/v1/chat/completions", body: { model, messages, ...capped, stream: streamed, ...tools } };
    }
    case "responses":
      return {
        path: "/v1/responses",
        body: {
          model,
          instructions: system ?? "",
          input: question,
          max_output_tokens: cap,
          reasoning: { effort: "medium" },
          stream: streamed,
        },
      };
    case "messages": {
      const tools = ask.tool === undefined ? {} : { tools: [{ name: ask.tool, input_schema: schema }] };
      const first = { type: "text", text: system ?? "", cache_control: { type: "ephemeral" } };
      const turns = toTurns(ask, question);
      return { path: "/v1/messages", body: { model, max_tokens: cap, system: [first], messages: turns, stream: streamed, ...tools } };
    }
    case "gemini": {
      const tools = ask.searches === undefined ? {} : { tools: [{ googleSearch: {} }] };
      return {
        path: `/v1beta/models/${model}:${streamed ? "streamGenerateContent?alt=sse" : "generateContent"}`,
        body: {
          systemInstruction: { parts: [{ text: system ?? "" }] },
          contents: [{ role: "user", parts: [{ text: question }] }],
          generationConfig: { maxOutputTokens: cap },
          ...tools,
        },
      };
    }
    case "count": {
      const place = "/to/google/v1beta1/projects/larkspur/locations/europe-west1/publishers/google";
      return { path: `${place}/models/${model}:countTokens`, body: { contents: [{ role: "user", parts: [{ text: question }] }] } };
    }
    case "ollama":
      return { path: "/api/chat", body: { model, messages, stream: streamed, options: { num_predict: cap } } };
    case "embeddings":
      return { path: "/v1/embeddings", body: { model, input: question } };
    case "images":
      return { path: "/v1/images/generations", body: { model, prompt: prose(30, draw), size: "1024x1024" } };
  }
}

/** What was asked first, and the tools that were called since. */
function toTurns({ rounds = [], said }: Ask, question: string): readonly object[] {
  // A conversation that goes on begins in the same words each time.
  const first = rounds.length === 0 ? question : `Go on with ${said.task ?? "it"} until its tests pass.`;
  const called = rounds.flatMap(({ tool, query, result }, index) => [
    { role: "assistant", content: [{ type: "tool_use", id: `call_${index}`, name: tool, input: { query } }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: `call_${index}`, content: result }] },
  ]);
  return [{ role: "user", content: first }, ...called];
}
