// Ollama's chat and generate. The answers are those of its API reference (docs/api.md), and known failures of its counts, by number.

import { describe, expect, it } from "vitest";
import { asked, counted, feed, feedSplit, lines, size } from "./feed.fixture.ts";
import { head } from "./format.fixture.ts";
import { ollamaGenerate as ollama } from "./ollama.ts";

const counts = {
  total_duration: 4_883_583_458,
  load_duration: 1_334_875,
  prompt_eval_count: 26,
  prompt_eval_duration: 342_546_000,
  eval_count: 282,
  eval_duration: 4_535_599_000,
};
const token = (content: string): object => ({ model: "llama3.2", created_at: "t", message: { role: "assistant", content }, done: false });
const done = {
  model: "llama3.2",
  created_at: "t",
  message: { role: "assistant", content: "" },
  done: true,
  done_reason: "stop",
  ...counts,
};
const answer = (value: unknown) => ollama.answer(JSON.stringify(value), head());

describe("a stream of Ollama", () => {
  it("is metered by the line that is done, which is held, at every split", () => {
    const fed = feedSplit(ollama, lines(token("Grüße"), token(' "done":true'), token(" 😀"), done));
    expect(counted(fed.facts)).toEqual({ input: 26, output: 282 });
    expect(fed.facts).toMatchObject({ model: "llama3.2", finish: "stop", complete: true, responseId: null, doubts: [] });
    expect(fed.facts.outputBytes).toBe(Buffer.byteLength('Grüße "done":true 😀'));
    expect(fed.held).toBe(lines(done));
    expect(fed.facts.usage).toMatchObject({ source: "reported" });
  });

  it("reads a last line that has no end, and lines that end in \\r\\n", () => {
    expect(counted(feed(ollama, [Buffer.from(lines(token("a"), done).trimEnd())]).facts)).toEqual({ input: 26, output: 282 });
    expect(feedSplit(ollama, lines(token("a"), done).replaceAll("\n", "\r\n")).facts.complete).toBe(true);
  });

  it("holds all that follows the done line", () => {
    const fed = feedSplit(ollama, `${lines(token("a"), done)}\n{"late":1}\n`);
    expect(fed.held).toBe(`${lines(done)}\n{"late":1}\n`);
  });

  it("counts thinking, calls and the older generate", () => {
    const call = { function: { name: "weather", arguments: { city: "Köln" } } };
    const fed = feedSplit(
      ollama,
      lines(
        { model: "m", message: { role: "assistant", content: "", thinking: "hm" }, done: false },
        { model: "m", message: { role: "assistant", content: "", tool_calls: [call] }, done: false },
        { model: "m", response: "abc", thinking: "de", done: false },
        { model: "m", response: "", done: true, done_reason: "length", context: [1, 2, 3], ...counts },
      ),
    );
    expect(fed.facts.outputBytes).toBe(2 + Buffer.byteLength('{"city":"Köln"}') + 5);
    expect(fed.facts.finish).toBe("length");
    expect(fed.started).toBe(true);
  });

  it("that breaks off is not complete, and has no usage", () => {
    const { facts, held } = feedSplit(ollama, lines(token("a"), token("b")));
    expect(facts).toMatchObject({ complete: false, usage: null, outputBytes: 2 });
    expect(held).toBe("");
  });

  it("that breaks with an error ends there; the words of the error go on no record", () => {
    const { facts, held } = feedSplit(ollama, lines(token("a"), { error: "an error was encountered while running the model: Ann" }));
    expect(facts).toMatchObject({ error: "error", complete: true, usage: null });
    expect(held).toContain("Ann");
    expect(JSON.stringify(facts)).not.toContain("Ann");
  });

  it("passes what is no JSON, with a doubt", () => {
    expect(feedSplit(ollama, "{broken\n7\n").facts.doubts).toEqual(["a line of the stream is not a JSON object"]);
  });
});

describe("an answer of Ollama", () => {
  it("counts the cached part inside the prompt (stdapi.ai #252)", () => {
    expect(counted(answer({ ...done, prompt_eval_cached_count: 20 }))).toEqual({ input: 6, cache_read: 20, output: 282 });
    const wrong = answer({ ...done, prompt_eval_cached_count: 27 });
    expect(counted(wrong)).toEqual({ input: 26, output: 282 });
    expect(wrong.doubts).toHaveLength(1);
  });

  it("ollama #2068, #3427, #5370: a prompt's count that is missing is unknown, not zero", () => {
    const facts = answer({ ...done, prompt_eval_count: undefined });
    expect(counted(facts)).toEqual({ output: 282 });
    expect(facts.usage?.doubts).toEqual(["prompt_eval_count is missing"]);
    expect(answer({ ...done, prompt_eval_count: 0 }).usage?.doubts).toEqual(["prompt_eval_count is 0, but an answer was generated"]);
  });

  it.each(["load", "unload"])("to a request that only %ss a model costs nothing", (reason) => {
    const facts = answer({ model: "m", created_at: "t", response: "", done: true, done_reason: reason });
    expect(counted(facts)).toEqual({ input: 0, output: 0 });
    expect(facts).toMatchObject({ finish: reason, complete: true, doubts: [] });
  });

  it("keeps counts and durations word for word, and nothing of the text", () => {
    const text =
      '{"model":"m","response":"Ann’s secret Ģ ","done":true,"total_duration":5.0e9,"prompt_eval_count": 1,"eval_count":2,"eval_duration":null}';
    const facts = ollama.answer(text, head());
    expect(facts.usage?.raw).toBe('{"total_duration":5.0e9,"prompt_eval_count":1,"eval_count":2,"eval_duration":null}');
    expect(JSON.stringify(facts)).not.toContain("Ann");
  });

  it.each([[-1], [1.5], ["12"], [true], [{}]])("a count of %j is a doubt and is never counted", (value) => {
    const facts = answer({ ...done, prompt_eval_count: value });
    expect(counted(facts)).toEqual({ output: 282 });
    expect(facts.usage?.doubts[0]).toContain("prompt_eval_count is not a count");
  });

  it.each(["", "null", "[]", "{", "<html>", "{}", '{"error":"model not found"}'])("never throws on %j", (text) => {
    expect(ollama.answer(text, head()).usage).toBeNull();
  });

  it("names an error, and a model that answered", () => {
    expect(ollama.answer('{"error":"model not found"}', head("application/json", {}, 404))).toMatchObject({
      error: "error",
      complete: true,
    });
    expect(answer(done).model).toBe("llama3.2");
  });
});

describe("what is a stream", () => {
  it.each([
    ["application/x-ndjson", true, 200, true],
    ["application/x-ndjson", false, 200, true],
    ["application/json; charset=utf-8", true, 200, false],
    ["application/json", true, 404, false],
    ["", true, 200, true],
    ["text/plain", true, 500, false],
    ["text/plain", false, 200, false],
  ])("%s, asked %s, status %s: %s", (type, wanted, status, expected) => {
    expect(ollama.isStream(head(type, {}, status), wanted)).toBe(expected);
  });
});

describe("a request to Ollama", () => {
  const messages = [
    { role: "system", content: "be brief" },
    { role: "user", content: "first", images: ["A".repeat(4_000)] },
    { role: "assistant", content: "answer", tool_calls: [] },
    { role: "tool", content: "42", tool_name: "f" },
    { role: "user", content: "last", images: ["B".repeat(9_000)] },
  ];
  const body = {
    model: "llava",
    messages,
    tools: [{ type: "function", function: { name: "look_up" } }],
    think: "high",
    options: { num_predict: 77 },
  };

  it("tells the prompt's bytes by part, without its images", () => {
    const facts = asked(ollama, body);
    const [system, first, said, result, last] = messages as [object, { images: string[] }, object, object, { images: string[] }];
    expect(facts.promptBytes).toEqual({
      system: size(system),
      tools: size(body.tools),
      user: size(last) - size(last.images),
      earlier: size(first) - size(first.images) + size(said),
      toolResults: size(result),
    });
    expect(facts).toMatchObject({
      model: "llava",
      cap: 77,
      effort: "high",
      toolNames: ["look_up"],
      unbounded: "media of unknown tokens: images",
    });
    expect(facts.blocks).toHaveLength(6);
  });

  it("reads generate's: what it was given back as context is sent again", () => {
    const facts = asked(ollama, {
      model: "m",
      prompt: "why?",
      system: "s",
      template: "{{t}}",
      context: [1, 22, 333],
      suffix: "x",
      stream: false,
    });
    expect(facts.promptBytes).toEqual({ system: 3 + 7, tools: 0, user: 6, earlier: "[1,22,333]".length + 3, toolResults: 0 });
    expect(facts).toMatchObject({ streamed: false, unbounded: null, cap: null });
  });

  it.each([
    [{}, true],
    [{ stream: null }, true],
    [{ stream: true }, true],
    [{ stream: false }, false],
  ])("%j streams: %s", (value, streamed) => expect(asked(ollama, value).streamed).toBe(streamed));

  it.each([
    [{ num_predict: 5 }, 5],
    [{ num_predict: 0 }, null],
    [{ num_predict: -1 }, null],
    [{ num_predict: -2 }, null],
    [{ num_predict: "9" }, null],
    [{}, null],
  ])("options %j cap at %s", (options, cap) => expect(asked(ollama, { options }).cap).toBe(cap));

  it.each([
    [true, "thinking"],
    [false, "none"],
    ["low", "low"],
    [null, null],
    [undefined, null],
  ])("think %j is the effort %s", (think, effort) => expect(asked(ollama, { think }).effort).toBe(effort));

  it("is refused in Ollama's shape", () => {
    expect(JSON.parse(ollama.refusal({ status: 429, code: "c", message: "no" }).text)).toEqual({ error: "no", code: "c" });
  });
});
