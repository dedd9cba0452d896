// Cohere's chat, embeddings and reranking: recorded answers against what stands in them, and cases by hand.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cohereChat as cohere } from "./cohere.ts";
import { asked, counted, events, feed, feedSplit, size } from "./feed.fixture.ts";
import { following, head } from "./format.fixture.ts";
import { cohereEmbed, ollamaEmbed } from "./retrieval.ts";

const folder = "../shared/data/recordings/cohere";
const here = existsSync(folder);
const files = (ending: string): string[] =>
  here ? readdirSync(folder).filter((name) => name.endsWith(ending) && !name.includes("embed")) : [];
const read = (name: string): string => readFileSync(`${folder}/${name}`, "utf8");

interface Recorded {
  id: string;
  finish_reason: string;
  usage: { billed_units: { input_tokens: number; output_tokens: number } };
}

describe.skipIf(!here)("recorded answers (skipped: ../shared/data is not here)", () => {
  it.each(files(".json"))("%s is what is billed", (name) => {
    const { id, finish_reason, usage } = JSON.parse(read(name)) as Recorded;
    const facts = cohere.answer(read(name), head());
    expect(counted(facts)).toEqual({ input: usage.billed_units.input_tokens, output: usage.billed_units.output_tokens });
    expect(facts).toMatchObject({ responseId: id, finish: finish_reason, complete: true, error: null, doubts: [] });
    expect(JSON.parse(facts.usage?.raw ?? "")).toEqual(usage);
    expect(facts.outputBytes).toBeGreaterThan(0);
  });

  it.each(files(".chunks.txt"))("%s, at every split", (name) => {
    const all = read(name).split("\n").filter(Boolean);
    const body = all.map((text) => `event: ${(JSON.parse(text) as { type: string }).type}\ndata: ${text}\n\n`).join("");
    const fed = feedSplit(cohere, body);
    const last = JSON.parse(all.at(-1) ?? "") as { delta: Recorded };
    const { billed_units: billed } = last.delta.usage;
    expect(counted(fed.facts)).toEqual({ input: billed.input_tokens, output: billed.output_tokens });
    expect(fed.facts).toMatchObject({
      responseId: (JSON.parse(all[0] ?? "") as Recorded).id,
      finish: "COMPLETE",
      complete: true,
      doubts: [],
      usage: { source: "reported" },
    });
    expect(fed.held).toBe(`event: message-end\ndata: ${all.at(-1)}\n\n`);
    // All text is in "text" or "thinking" of a part.
    const said = all.map((text) => /"(?:text|thinking)":"((?:[^"\\]|\\.)*)"\}/.exec(text)?.[1] ?? "");
    expect(fed.facts.outputBytes).toBe(said.reduce((bytes, text) => bytes + Buffer.byteLength(JSON.parse(`"${text}"`) as string), 0));
  });

  it("cohere-embedding.json", () => {
    const facts = cohereEmbed.answer(read("cohere-embedding.json"), head());
    expect(counted(facts)).toEqual({ input: 10 });
    expect(facts).toMatchObject({ responseId: "f5aa3e7b-f011-4c5c-a825-f94669f760e5", complete: true, doubts: [] });
    expect(facts.usage?.raw?.replaceAll(/\s/g, "")).toBe('{"input_tokens":10}');
  });
});

const answer = (usage: unknown) =>
  cohere.answer(
    JSON.stringify({ id: "i", message: { role: "assistant", content: [{ type: "text", text: "hi" }] }, finish_reason: "COMPLETE", usage }),
    head(),
  );

describe("what Cohere counts", () => {
  it("is what is billed, and only without that all tokens, with a doubt", () => {
    const tokens = { input_tokens: 500, output_tokens: 9 };
    expect(counted(answer({ billed_units: { input_tokens: 12, output_tokens: 7 }, tokens, cached_tokens: 448 }))).toEqual({
      input: 12,
      output: 7,
    });
    const bare = answer({ tokens });
    expect(counted(bare)).toEqual({ input: 500, output: 9 });
    expect(bare.doubts).toEqual(["billed_units is missing: all tokens are counted, also those not billed"]);
  });

  it("is in doubt where more is billed, or cached, than there is", () => {
    expect(
      answer({ billed_units: { input_tokens: 12, output_tokens: 7 }, tokens: { input_tokens: 11, output_tokens: 7 } }).doubts,
    ).toHaveLength(1);
    expect(answer({ billed_units: { output_tokens: 7 }, tokens: { input_tokens: 11 }, cached_tokens: 12 }).doubts).toHaveLength(1);
    expect(answer({ billed_units: { input_tokens: 5, output_tokens: 0 } }).doubts).toEqual([
      "output_tokens is 0, but 2 bytes were generated",
    ]);
  });

  it("null is unknown, a wrong count a doubt", () => {
    for (const usage of [null, undefined, {}, { billed_units: null }]) expect(answer(usage).usage).toBeNull();
    const wrong = answer({ billed_units: { input_tokens: "12", output_tokens: 7 } });
    expect(counted(wrong)).toEqual({ output: 7 });
    expect(wrong.doubts?.[0]).toContain("input_tokens is not a count");
  });

  it("knows searches, and says what it does not count", () => {
    expect(counted(answer({ billed_units: { input_tokens: 1, output_tokens: 1, search_units: 2 } }))).toEqual({
      input: 1,
      output: 1,
      web_search: 2,
    });
    expect(answer({ billed_units: { input_tokens: 1, output_tokens: 1, classifications: 3 } }).doubts).toHaveLength(1);
  });
});

const call = (text: string): object => ({
  type: "tool-call-delta",
  index: 0,
  delta: { message: { tool_calls: { function: { arguments: text } } } },
});

describe("a stream of Cohere", () => {
  const start = { id: "i", type: "message-start", delta: { message: { role: "assistant", content: [] } } };
  it("counts plan and arguments", () => {
    const fed = feedSplit(
      cohere,
      events(
        start,
        { type: "tool-plan-delta", delta: { message: { tool_plan: "I will" } } },
        call('{"a":'),
        call('"é"}'),
        { type: "citation-start", index: 0, delta: { message: { citations: { text: "not generated anew" } } } },
        { type: "message-end", delta: { finish_reason: "TOOL_CALL", usage: { billed_units: { input_tokens: 3, output_tokens: 4 } } } },
      ),
    );
    expect(fed.facts).toMatchObject({ outputBytes: 6 + 5 + 5, finish: "TOOL_CALL", responseId: "i" });
    expect(counted(fed.facts)).toEqual({ input: 3, output: 4 });
  });

  it("that fails says so, keeps its usage, and none of the words", () => {
    const { facts } = feed(cohere, [
      Buffer.from(
        events(start, {
          type: "message-end",
          delta: { error: "for Ann Smith", finish_reason: "ERROR", usage: { billed_units: { input_tokens: 3 } } },
        }),
      ),
    ]);
    expect(facts).toMatchObject({ error: "ERROR", complete: true });
    expect(counted(facts)).toEqual({ input: 3 });
    expect(JSON.stringify(facts)).not.toContain("Ann");
    expect(feed(cohere, [Buffer.from(events(start, { message: "too many tokens, Ann" }))]).facts).toMatchObject({
      error: "error",
      complete: true,
    });
  });

  it("that breaks off is not complete", () => {
    const { facts } = feedSplit(cohere, events(start, { type: "content-delta", delta: { message: { content: { text: "a" } } } }));
    expect(facts).toMatchObject({ complete: false, usage: null, outputBytes: 1 });
  });
});

/** As `cohere-ai` declares it (NonStreamedChatResponse, StreamedChatResponse). */
const older = {
  response_id: "r",
  text: "hé",
  generation_id: "g",
  finish_reason: "COMPLETE",
  meta: {
    api_version: { version: "1" },
    billed_units: { input_tokens: 12, output_tokens: 7 },
    tokens: { input_tokens: 507, output_tokens: 10 },
  },
};
const lines = (...values: readonly object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join("");

describe("Cohere's older chat (v1)", () => {
  const type = "application/stream+json";
  const asLines = { ...following(), head: head(type) };

  it("counts what its meta says is billed", () => {
    const facts = cohere.answer(JSON.stringify(older), head());
    expect(counted(facts)).toEqual({ input: 12, output: 7 });
    expect(facts).toMatchObject({ responseId: "r", finish: "COMPLETE", outputBytes: 3, error: null, complete: true, doubts: [] });
    expect(JSON.parse(facts.usage?.raw ?? "")).toEqual(older.meta);
  });

  it("streams lines, and holds the one that completes it", () => {
    const end = { is_finished: true, event_type: "stream-end", finish_reason: "COMPLETE", response: older };
    const before = lines(
      { is_finished: false, event_type: "stream-start", generation_id: "g" },
      { is_finished: false, event_type: "text-generation", text: "h" },
      { is_finished: false, event_type: "text-generation", text: "é" },
    );
    const fed = feedSplit(cohere, before + lines(end), asLines);
    expect(counted(fed.facts)).toEqual({ input: 12, output: 7 });
    expect(fed.facts).toMatchObject({ responseId: "r", finish: "COMPLETE", outputBytes: 3, complete: true, doubts: [] });
    expect(Buffer.from(fed.held, "latin1").toString()).toBe(lines(end));
    expect(cohere.isStream(head(type), true)).toBe(true);
    expect(cohere.isStream(head("application/json"), true)).toBe(false);
    const cut = feedSplit(cohere, before, asLines);
    expect(cut.facts).toMatchObject({ complete: false, usage: null, outputBytes: 3 });
  });

  it("may be streamed as events, may call tools, and may fail", () => {
    const called = { event_type: "tool-calls-generation", tool_calls: [{ name: "f", parameters: { a: 1 } }] };
    const chunk = { event_type: "tool-calls-chunk", tool_call_delta: { parameters: '{"a"' } };
    const fed = feedSplit(cohere, events(chunk, called, { event_type: "stream-end", response: { ...older, text: "" } }));
    expect(fed.facts).toMatchObject({ outputBytes: Buffer.byteLength('{"a":1}'), complete: true });
    expect(counted(fed.facts)).toEqual({ input: 12, output: 7 });
    const failed = feedSplit(cohere, lines({ event_type: "stream-end", finish_reason: "ERROR_TOXIC" }), asLines);
    expect(failed.facts).toMatchObject({ error: "ERROR_TOXIC", usage: null, complete: true });
  });

  it("asks with one message and what was said before", () => {
    const facts = asked(cohere, {
      model: "command-r",
      message: "question",
      preamble: "be brief",
      chat_history: [
        { role: "USER", message: "a" },
        { role: "CHATBOT", message: "b" },
      ],
      tools: [{ name: "f", parameter_definitions: {} }],
      tool_results: [{ call: {}, outputs: [] }],
      conversation_id: "c",
    });
    expect(facts).toMatchObject({ model: "command-r", toolNames: ["f"], unbounded: "context held by the provider: conversation_id" });
    expect(facts.promptBytes).toMatchObject({
      user: size("question"),
      system: size("be brief"),
      earlier: size({ role: "USER", message: "a" }) + size({ role: "CHATBOT", message: "b" }),
      toolResults: size([{ call: {}, outputs: [] }]),
    });
  });
});

describe("an answer of Cohere", () => {
  it.each(["", "null", "[]", "{", "<html>", "{}", '{"message":"invalid api token"}', '{"usage":7,"message":[]}'])(
    "never throws on %j",
    (text) => {
      expect(cohere.answer(text, head()).usage).toBeNull();
      expect(cohereEmbed.answer(text, head()).usage).toBeNull();
      expect(ollamaEmbed.answer(text, head()).usage).toBeNull();
    },
  );

  it("names an error without its words", () => {
    for (const format of [cohere, cohereEmbed])
      expect(format.answer('{"message":"no, Ann"}', head("application/json", {}, 401)).error).toBe("error");
  });
});

describe("a request to Cohere", () => {
  it("says what it asks for", () => {
    const documents = [{ data: { text: "a document" } }];
    const facts = asked(cohere, {
      model: "command-a",
      stream: true,
      max_tokens: 50,
      thinking: { type: "enabled", token_budget: 40 },
      tools: [{ type: "function", function: { name: "f" } }],
      documents,
      messages: [
        { role: "system", content: "s" },
        {
          role: "user",
          content: [
            { type: "text", text: "q" },
            { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
          ],
        },
      ],
    });
    expect(facts).toMatchObject({
      model: "command-a",
      streamed: true,
      cap: 50,
      effort: "budget:40",
      toolNames: ["f"],
      unbounded: "media of unknown tokens: image_url",
      edits: [],
    });
    expect(facts.promptBytes.toolResults).toBe(size(documents));
    expect(facts.blocks).toHaveLength(4);
    expect(asked(cohere, { thinking: { type: "disabled" } }).effort).toBe("disabled");
    expect(asked(cohere, { connectors: [{ id: "web-search" }] }).unbounded).toBe("server tools without a cap: connectors");
  });

  it("is refused in Cohere's shape", () => {
    expect(JSON.parse(cohere.refusal({ status: 429, code: "c", message: "no" }).text)).toEqual({ message: "no", code: "c" });
  });
});

const embed = (billed: object) => cohereEmbed.answer(JSON.stringify({ id: "i", embeddings: {}, meta: { billed_units: billed } }), head());

describe("embeddings and reranking", () => {
  it("of Cohere count what is billed", () => {
    expect(counted(embed({ input_tokens: 10 }))).toEqual({ input: 10 });
    expect(counted(embed({ input_tokens: 10, image_tokens: 30, images: 1 }))).toEqual({ input: 10, input_image: 30 });
    expect(embed({ images: 2 }).doubts).toContain("2 images were billed by the piece, which is not counted here");
    expect(counted(cohereEmbed.answer('{"id":"r","results":[],"meta":{"billed_units":{"search_units":3}}}', head()))).toEqual({
      rerank: 3,
    });
  });

  it("of Ollama count the prompt, and the older path nothing", () => {
    const facts = ollamaEmbed.answer('{"model":"all-minilm","embeddings":[[0.1]],"total_duration":14,"prompt_eval_count":8}', head());
    expect(counted(facts)).toEqual({ input: 8 });
    expect(facts).toMatchObject({ model: "all-minilm", complete: true, doubts: [], usage: { raw: '{"prompt_eval_count":8}' } });
    expect(ollamaEmbed.answer('{"embedding":[0.5]}', head())).toMatchObject({ usage: null, doubts: ["prompt_eval_count is missing"] });
    expect(ollamaEmbed.answer('{"prompt_eval_count":"8"}', head()).usage).toBeNull();
  });

  it("read their requests: no cap, all bytes, no pictures", () => {
    expect(asked(ollamaEmbed, { model: "m", input: ["a", "b"] })).toMatchObject({
      model: "m",
      cap: 0,
      streamed: false,
      promptBytes: { user: 9 },
    });
    expect(asked(ollamaEmbed, { prompt: "abc" }).promptBytes.user).toBe(5);
    expect(asked(cohereEmbed, { texts: ["ab"] }).promptBytes.user).toBe(6);
    const rerank = asked(cohereEmbed, { model: "rerank-v3.5", query: "q", documents: ["one", "two"] });
    expect(rerank.promptBytes).toMatchObject({ user: size("q") + size(["one", "two"]), earlier: 0 });
    const url = { url: `data:image/png;base64,${"A".repeat(5_000)}` };
    const inputs = [
      {
        content: [
          { type: "text", text: "t" },
          { type: "image_url", image_url: url },
        ],
      },
    ];
    const pictured = asked(cohereEmbed, { inputs });
    expect(pictured.unbounded).toBe("media of unknown tokens: image_url");
    expect(pictured.promptBytes.user).toBe(size(inputs) - size(url));
    expect(asked(cohereEmbed, { images: ["data:image/png;base64,AA"] }).unbounded).toBe("media of unknown tokens: images");
  });

  it("are read where a key is no string", () => {
    const facts = cohereEmbed.answer('{"id":"e","meta":{"\\q":1,"billed_units":{"input_tokens":3}}}', head());
    expect(facts).toMatchObject({ responseId: "e", complete: true, doubts: [] });
    expect(counted(facts)).toEqual({ input: 3 });
  });
});
