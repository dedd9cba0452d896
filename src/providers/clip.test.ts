// However long the strings of a body are, what is read of them is short: requests and answers of every format, with each string too long.

import { runInNewContext } from "node:vm";
import { setFlagsFromString } from "node:v8";
import { describe, expect, it } from "vitest";
import { following, head, line } from "./format.fixture.ts";
import { anthropic } from "./anthropic.ts";
import { chat } from "./chat.ts";
import { clip } from "./clip.ts";
import { embeddings } from "./embeddings.ts";
import type { AnswerFacts, Format, RequestFacts } from "./format.ts";
import { responses } from "./responses.ts";

const formats = [chat, responses, embeddings, anthropic];
const long = "é".repeat(100_000);
const read = (format: Format, body: object): RequestFacts => format.request(Buffer.from(JSON.stringify(body)), line());
const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;

/** All strings in a value, names of members too. */
function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value).concat(Object.values(value).flatMap(stringsIn));
}

function stream(format: Format, text: string): AnswerFacts {
  const answer = format.stream(following(false));
  answer.push(Buffer.from(text));
  answer.end();
  return answer.facts();
}

describe("a request", () => {
  it("whose model is named in more than 256 bytes is refused, with the limit", () => {
    for (const format of formats) {
      for (const model of ["m".repeat(256), "é".repeat(128), "\n".repeat(256)]) expect(read(format, { model }).model).toBe(model);
      for (const model of ["m".repeat(257), "é".repeat(129)])
        expect(() => read(format, { model })).toThrow(
          expect.objectContaining({ code: "request_malformed", message: expect.stringContaining("256 bytes") }),
        );
    }
  });

  const tools = Array.from({ length: 300 }, (_, index) => ({ name: `${index}${long}`, type: `web_search${index}${long}` }));
  const metadata = Object.fromEntries([["user_id", long], ...Array.from({ length: 100 }, (_, index) => [`${index}${long}`, long])]);
  const body = {
    service_tier: long,
    reasoning_effort: long,
    reasoning: { effort: long },
    output_config: { effort: long },
    user: long,
    safety_identifier: long,
    prompt_cache_key: long,
    conversation: long,
    previous_response_id: long,
    metadata,
    tools,
    functions: tools,
  };

  it.each(formats.map((format) => [format.name, format] as const))("of %s has short strings, and not many", (_name, format) => {
    const facts = read(format, body);
    expect(facts.toolNames.length).toBeLessThanOrEqual(256);
    expect(Math.max(0, ...facts.toolNames.map((name) => name.length))).toBeLessThanOrEqual(128);
    expect(facts.tier?.length ?? 0).toBeLessThanOrEqual(64);
    expect(facts.effort?.length ?? 0).toBeLessThanOrEqual(64);
    expect(facts.unbounded?.length ?? 0).toBeLessThanOrEqual(2_000);
    expect(Object.keys(facts.hints.metadata).length).toBeLessThanOrEqual(64);
    expect(Math.max(...stringsIn({ ...facts, unbounded: null }).map((text) => text.length))).toBeLessThanOrEqual(1_024);
  });

  it("keeps the first names, members and characters", () => {
    const { toolNames, hints } = read(chat, body);
    expect(toolNames).toHaveLength(256);
    expect(toolNames[255]).toBe(`255${"é".repeat(125)}`);
    expect(Object.keys(hints.metadata)).toHaveLength(64);
    expect(hints.metadata["user_id"]).toBe("é".repeat(1_024));
    expect(read(responses, body).hints.previousResponse).toBe("é".repeat(256));
  });

  it("reads a user id made to be slow to match in no time", () => {
    const user = `user_${"_account_".repeat(2_000)}${"_session_".repeat(2_000)}!`;
    const startedMs = performance.now();
    expect(read(anthropic, { metadata: { user_id: user } }).hints.session).toBeNull();
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});

describe("an answer", () => {
  const usage = {
    prompt_tokens: 1,
    completion_tokens: 2,
    input_tokens: 1,
    output_tokens: 2,
    service_tier: long,
    iterations: [{ type: long, model: long }],
  };
  const whole = {
    id: long,
    model: long,
    service_tier: long,
    status: "incomplete",
    incomplete_details: { reason: long },
    stop_reason: long,
    choices: [{ finish_reason: long }],
    error: { code: long, type: long },
    usage,
  };

  it.each([
    ...formats.map((format) => [`of ${format.name}`, format.answer(JSON.stringify(whole), head())] as const),
    ["streamed by chat", stream(chat, event(whole))],
    ["streamed by responses", stream(responses, event({ type: "response.incomplete", response: whole }))],
    [
      "streamed by messages",
      stream(anthropic, event({ type: "message_start", message: whole }) + event({ type: "error", error: whole.error })),
    ],
  ] as const)("%s has short names", (_name, facts) => {
    expect(facts.model).toBe("é".repeat(256));
    expect(facts.responseId).toBe("é".repeat(256));
    const { tier, finish, error } = facts;
    for (const name of [tier, finish, error]) expect(name?.length ?? 0).toBeLessThanOrEqual(256);
    expect(Math.max(...stringsIn(facts).map((text) => text.length))).toBeLessThan(1_000);
  });

  it("has not more doubts than can be read", () => {
    const down = Array.from({ length: 1_000 }, (_, index) => event({ type: "message_delta", usage: { output_tokens: 2_000 - index } }));
    expect(stream(anthropic, down.join("")).doubts?.length).toBeLessThanOrEqual(64);
  });
});

describe("a clipped string", () => {
  it("does not end in half a character, and is left alone when it fits", () => {
    expect(clip("ab😀", 3)).toBe("ab");
    expect(clip("ab😀", 4)).toBe("ab😀");
    expect(clip("", 0)).toBe("");
  });

  it("keeps nothing of what it was cut from in memory", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const kept: string[] = [];
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 32; i++) kept.push(clip(Buffer.alloc(1 << 20, 97 + i).toString("latin1"), 128));
    collect();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 << 20);
    expect(kept).toHaveLength(32);
  });
});
