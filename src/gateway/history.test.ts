// Tool rounds in every format: which are equal is told by the list they were written from, and by nothing of ours.

import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { ToolRound } from "../core/loop.ts";
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
              // The mark is on the part and in it, and not at every turn.
              content: [
                {
                  type: "text",
                  text: result,
                  ...(at === turns.length - 1 && at % 2 === 1 ? { cache_control: { type: "ephemeral" } } : {}),
                },
              ],
              ...(at === turns.length - 1 && at % 2 === 1 ? { cache_control: { type: "ephemeral" } } : {}),
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

function read(format: Format, body: object): readonly ToolRound[] {
  const bytes = Buffer.from(JSON.stringify(body));
  return toolRounds(key, bytes, format.request(bytes, line("/v1/test", "model")));
}

/** For each the place of the first one equal to it. */
const pattern = (values: readonly string[]): number[] => values.map((value) => values.indexOf(value));
const done = fc.record({
  name: fc.constantFrom("read", "run"),
  file: fc.constantFrom("a", "b\\n"),
  result: fc.constantFrom("ok", "", "no", "“é”"),
});

describe.each(Object.entries(writers))("%s", (name, [format, write]) => {
  it("tells equal calls and equal results from different ones, turn by turn, whatever their ids", () => {
    fc.assert(
      fc.property(fc.array(fc.array(done, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 7 }), (turns) => {
        // Functions of old are called one by one.
        const meant = name.endsWith("of old") ? turns.flat().map((one) => [one]) : turns;
        const rounds = meant.flatMap((turn, at) => {
          const added = read(format, write(meant.slice(0, at + 1)));
          expect(added).toHaveLength(turn.length);
          return added;
        });
        const all = meant.flat();
        expect(pattern(rounds.map(({ call }) => call))).toEqual(pattern(all.map((one) => `${one.name} ${one.file}`)));
        // Where a result names its tool, that is part of it.
        const ofTool = format === geminiGenerate;
        const results = all.map((one) => (ofTool ? `${one.name} ${one.result}` : one.result));
        expect(pattern(rounds.map(({ result }) => result))).toEqual(pattern(results));
      }),
    );
  });

  it("says nothing of a conversation without tools, nor of results that the model has taken up", () => {
    const turn = [{ name: "read", file: "a", result: "b" }];
    expect(read(format, write([]))).toEqual([]);
    const body = JSON.parse(JSON.stringify(write([turn]))) as { [list: string]: unknown };
    const list = (body["messages"] ?? body["input"] ?? body["contents"]) as object[];
    const said = (role: string, text: string): object =>
      format === geminiGenerate
        ? { role: role === "assistant" ? "model" : role, parts: [{ text }] }
        : { role, content: format === bedrockConverse ? [{ text }] : text };
    const before = read(format, body);
    list.push(said("user", "And be quick."));
    expect(read(format, body)).toEqual(before);
    list.push(said("assistant", "Done."), said("user", "Thanks."));
    expect(read(format, body)).toEqual([]);
  });

  it("keeps the last of very many in one turn", () => {
    if (name.endsWith("of old")) return;
    const turn = Array.from({ length: 70 }, (_, at) => ({ name: "read", file: String(at), result: String(at) }));
    const rounds = read(format, write([turn]));
    expect(rounds).toHaveLength(toolRoundsMax);
    expect(rounds.at(-1)).toEqual(read(format, write([turn.slice(-1)]))[0]);
  });
});

const at = (file: string, outputs: object[]): object => ({ call: { name: "read", parameters: { file } }, outputs });

test("Cohere's first chat tells each result with its call", () => {
  const rounds = read(cohereChat, {
    model: "command-r",
    message: ask,
    chat_history: [{ role: "USER", message: ask }],
    tool_results: [at("a", [{ text: "ok" }]), at("a", [{ text: "no" }]), at("b", [{ text: "ok" }])],
  });
  expect(pattern(rounds.map(({ call }) => call))).toEqual([0, 0, 2]);
  expect(pattern(rounds.map(({ result }) => result))).toEqual([0, 1, 0]);
});

const shell = (id: string): object[] => [
  { type: "local_shell_call", id: `l${id}`, call_id: id, action: { type: "exec", command: ["ls"] } },
  { type: "local_shell_call_output", id, output: "a b" },
];

test("a provider's own shell is a tool, and a result whose call it holds stands alone", () => {
  const [first] = read(responses, { model: "gpt-5", input: shell("c1") });
  expect(read(responses, { model: "gpt-5", input: [...shell("c1"), ...shell("c2")] })).toEqual([first]);
  const held = { model: "gpt-5", previous_response_id: "r", input: [{ type: "function_call_output", call_id: "c", output: "a b" }] };
  expect(read(responses, held)).toEqual([{ call: "", result: first?.result }]);
});

test("a long result is hashed as a short one is: whole", () => {
  const [, write] = writers["OpenAI chat"] as readonly [Format, Write];
  const long = "x".repeat(40_000);
  const turn = [long, `${long}y`, long].map((result) => ({ name: "read", file: "a", result }));
  expect(pattern(read(chat, write([turn])).map(({ result }) => result))).toEqual([0, 1, 0]);
});

test("two values are never taken for one", () => {
  const [format, write] = writers["Anthropic messages"] as readonly [Format, Write];
  const results = [[1, 2], [12], [1, 2]].map((content) => {
    const body = JSON.stringify(write([[{ name: "read", file: "a", result: "" }]]));
    return read(format, JSON.parse(body.replace(/\[\{"type":"text"[^\]]*\]/, JSON.stringify(content))) as object)[0]?.result ?? "";
  });
  expect(pattern(results)).toEqual([0, 1, 0]);
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
