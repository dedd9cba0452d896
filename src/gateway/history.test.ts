// Tool rounds in every format: which are equal is told by the list they were written from, and by nothing of ours.

import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { anthropic } from "../providers/anthropic.ts";
import { chat } from "../providers/chat.ts";
import { cohereChat } from "../providers/cohere.ts";
import { bedrockConverse } from "../providers/converse.ts";
import { line } from "../providers/format.fixture.ts";
import type { Format } from "../providers/format.ts";
import { geminiGenerate } from "../providers/gemini.ts";
import { ollamaGenerate } from "../providers/ollama.ts";
import { responses } from "../providers/responses.ts";
import { toolRounds, toolRoundsMax } from "./history.ts";

const key = Buffer.alloc(32, 7);

interface Done {
  readonly name: string;
  readonly file: string;
  readonly result: string;
}

/** Some rounds of one turn each, or all of one turn. */
type Write = (turns: readonly (readonly Done[])[]) => object;

let ids = 0;
const named = (turn: readonly Done[]): (Done & { id: string })[] => turn.map((done) => ({ ...done, id: `call_${++ids}` }));
const ask = "Look into it.";

const writers: Readonly<Record<string, readonly [Format, Write]>> = {
  "OpenAI chat": [
    chat,
    (turns) => ({
      model: "gpt-5",
      messages: [
        { role: "user", content: ask },
        ...turns.map(named).flatMap((turn) => [
          {
            role: "assistant",
            content: null,
            tool_calls: turn.map(({ id, name, file }) => ({
              id,
              type: "function",
              function: { name, arguments: JSON.stringify({ file }) },
            })),
          },
          ...turn.map(({ id, result }) => ({ role: "tool", tool_call_id: id, content: result })),
        ]),
      ],
    }),
  ],
  "OpenAI chat, functions of old": [
    chat,
    (turns) => ({
      model: "gpt-4",
      messages: [
        { role: "user", content: ask },
        ...turns.flat().flatMap(({ name, file, result }) => [
          { role: "assistant", content: null, function_call: { name, arguments: JSON.stringify({ file }) } },
          { role: "function", name, content: result },
        ]),
      ],
    }),
  ],
  "OpenAI responses": [
    responses,
    (turns) => ({
      model: "gpt-5",
      input: [
        { role: "user", content: ask },
        ...turns.map(named).flatMap((turn) => [
          ...turn.map(({ id, name, file }) => ({
            type: "function_call",
            id: `fc_${id}`,
            call_id: id,
            name,
            arguments: JSON.stringify({ file }),
          })),
          ...turn.map(({ id, result }) => ({ type: "function_call_output", call_id: id, output: result })),
        ]),
      ],
    }),
  ],
  "Anthropic messages": [
    anthropic,
    (turns) => ({
      model: "claude-opus-4-5",
      max_tokens: 100,
      messages: [
        { role: "user", content: ask },
        ...turns.map(named).flatMap((turn, at) => [
          { role: "assistant", content: turn.map(({ id, name, file }) => ({ type: "tool_use", id, name, input: { file } })) },
          {
            role: "user",
            content: turn.map(({ id, result }) => ({
              type: "tool_result",
              tool_use_id: id,
              // The mark moves to the last turn, on the part and in it.
              content: [{ type: "text", text: result, ...(at === turns.length - 1 ? { cache_control: { type: "ephemeral" } } : {}) }],
              ...(at === turns.length - 1 ? { cache_control: { type: "ephemeral" } } : {}),
            })),
          },
        ]),
      ],
    }),
  ],
  Gemini: [
    geminiGenerate,
    (turns) => ({
      contents: [
        { role: "user", parts: [{ text: ask }] },
        ...turns.flatMap((turn) => [
          { role: "model", parts: turn.map(({ name, file }) => ({ functionCall: { name, args: { file } } })) },
          { role: "user", parts: turn.map(({ name, result }) => ({ functionResponse: { name, response: { result } } })) },
        ]),
      ],
    }),
  ],
  "Bedrock Converse": [
    bedrockConverse,
    (turns) => ({
      messages: [
        { role: "user", content: [{ text: ask }] },
        ...turns.map(named).flatMap((turn) => [
          { role: "assistant", content: turn.map(({ id, name, file }) => ({ toolUse: { toolUseId: id, name, input: { file } } })) },
          { role: "user", content: turn.map(({ id, result }) => ({ toolResult: { toolUseId: id, content: [{ text: result }] } })) },
        ]),
      ],
    }),
  ],
  Ollama: [
    ollamaGenerate,
    (turns) => ({
      model: "qwen3",
      messages: [
        { role: "user", content: ask },
        ...turns.flatMap((turn) => [
          { role: "assistant", content: "", tool_calls: turn.map(({ name, file }) => ({ function: { name, arguments: { file } } })) },
          ...turn.map(({ name, result }) => ({ role: "tool", tool_name: name, content: result })),
        ]),
      ],
    }),
  ],
  Cohere: [
    cohereChat,
    (turns) => ({
      model: "command-a",
      messages: [
        { role: "user", content: ask },
        ...turns.map(named).flatMap((turn) => [
          {
            role: "assistant",
            tool_calls: turn.map(({ id, name, file }) => ({
              id,
              type: "function",
              function: { name, arguments: JSON.stringify({ file }) },
            })),
          },
          ...turn.map(({ id, result }) => ({
            role: "tool",
            tool_call_id: id,
            content: [{ type: "document", document: { data: result } }],
          })),
        ]),
      ],
    }),
  ],
};

function read(format: Format, body: object): ReturnType<typeof toolRounds> {
  const bytes = Buffer.from(JSON.stringify(body));
  const facts = format.request(bytes, line("/v1/test", "model"));
  return toolRounds(key, bytes, facts);
}

/** For each the place of the first one equal to it. */
const pattern = (values: readonly string[]): number[] => values.map((value) => values.indexOf(value));
const done = fc.record({
  name: fc.constantFrom("read", "run"),
  file: fc.constantFrom("a", "b\\n"),
  result: fc.constantFrom("ok", "", "no", "“é”"),
});

describe.each(Object.entries(writers))("%s", (_name, [format, write]) => {
  it("tells equal calls and equal results from different ones, whatever their ids", () => {
    fc.assert(
      fc.property(fc.array(fc.array(done, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 7 }), (turns) => {
        const all = turns.flat();
        const rounds = read(format, write(turns));
        expect(pattern(rounds.map(({ call }) => call))).toEqual(pattern(all.map(({ name, file }) => `${name} ${file}`)));
        // Where a result names its tool, that is part of it.
        const ofTool = format === geminiGenerate;
        expect(pattern(rounds.map(({ result }) => result))).toEqual(
          pattern(all.map(({ name, result }) => (ofTool ? `${name} ${result}` : result))),
        );
      }),
    );
  });

  it("keeps the last rounds, and says nothing of a conversation without tools", () => {
    const turns = Array.from({ length: 30 }, (_, at) => [{ name: "read", file: String(at), result: String(at) }]);
    const rounds = read(format, write(turns));
    expect(rounds).toHaveLength(toolRoundsMax);
    expect(rounds.at(-1)).toEqual(read(format, write(turns.slice(-1)))[0]);
    expect(read(format, write([]))).toEqual([]);
  });
});

const at = (file: string, outputs: object[]): object => ({ call: { name: "read", parameters: { file } }, outputs });

test("Cohere's first chat tells each result with its call", () => {
  const rounds = read(cohereChat, {
    model: "command-r",
    message: ask,
    chat_history: [{ role: "TOOL", tool_results: [at("a", [{ text: "ok" }])] }],
    tool_results: [at("a", [{ text: "ok" }]), at("a", [{ text: "no" }]), at("b", [{ text: "ok" }])],
  });
  expect(pattern(rounds.map(({ call }) => call))).toEqual([0, 0, 0, 3]);
  expect(pattern(rounds.map(({ result }) => result))).toEqual([0, 0, 2, 0]);
});

test("what the provider called itself, and what its own shell answered, are rounds", () => {
  const rounds = read(responses, {
    model: "gpt-5",
    input: [
      { type: "mcp_call", id: "m1", name: "ask", arguments: "{}", output: "yes", server_label: "s" },
      { type: "mcp_call", id: "m2", name: "ask", arguments: "{}", output: "yes", server_label: "s" },
      { type: "local_shell_call", id: "l1", call_id: "c1", action: { type: "exec", command: ["ls"] } },
      { type: "local_shell_call_output", id: "c1", output: "a b" },
      { type: "function_call_output", call_id: "not in sight", output: "a b" },
    ],
  });
  expect(pattern(rounds.map(({ call }) => call))).toEqual([0, 0, 2, 3]);
  expect(pattern(rounds.map(({ result }) => result))).toEqual([0, 0, 2, 2]);
});

test("another secret gives other hashes, and no text is in them", () => {
  const [, write] = writers["OpenAI chat"] as readonly [Format, Write];
  const body = Buffer.from(JSON.stringify(write([[{ name: "read", file: "a", result: "secret" }]])));
  const facts = chat.request(body, line());
  const [round] = toolRounds(key, body, facts);
  expect(round?.call).toMatch(/^[0-9a-f]{16}$/);
  expect(round?.result).toMatch(/^[0-9a-f]{16}$/);
  expect(toolRounds(Buffer.alloc(32, 8), body, facts)[0]).not.toEqual(round);
});

test("blocks that are no JSON have no rounds", () => {
  const body = Buffer.from('{"half": ');
  const promptBytes = { system: 0, tools: 0, user: 0, earlier: 0, toolResults: 1 };
  expect(toolRounds(key, body, { blocks: [[0, body.length]], promptBytes })).toEqual([]);
});
