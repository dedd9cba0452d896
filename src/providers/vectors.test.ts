// Embeddings at Google: what is read of requests, and the ways in which answers tell their tokens.

import { describe, expect, it } from "vitest";
import { head, line } from "./format.fixture.ts";
import type { AnswerFacts, RequestFacts } from "./format.ts";
import { geminiEmbed } from "./vectors.ts";

const embed = (value: unknown): RequestFacts =>
  geminiEmbed.request(Buffer.from(JSON.stringify(value)), line("/v1beta/models/e:embedContent", "e"));
const answer = (value: unknown): AnswerFacts => geminiEmbed.answer(JSON.stringify(value), head());
const size = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const image = (length: number): object => ({ inlineData: { mimeType: "image/png", data: "A".repeat(length) } });

describe("embeddings", () => {
  const content = { parts: [{ text: "some words" }] };

  it("reads what the requests ask for: no output, and the bytes of all contents", () => {
    expect(embed({ content, taskType: "RETRIEVAL_QUERY" })).toMatchObject({
      model: "e",
      cap: 0,
      streamed: false,
      unbounded: null,
      promptBytes: { user: size(content) },
    });
    const batch = embed({
      requests: [
        { model: "models/e", content },
        { model: "models/e", content: { parts: { text: "x" } } },
      ],
    });
    expect(batch.promptBytes.user).toBe(size(content) + size({ parts: { text: "x" } }));
    expect(batch.blocks).toHaveLength(2);
    const instances = [{ content: "a" }, { content: "b", task_type: "x" }];
    expect(embed({ instances }).promptBytes.user).toBe(size(instances[0]) + size(instances[1]));
  });

  it.each([
    [{ content: { parts: [image(5_000)] } }, "media of unknown tokens: image"],
    [{ instances: [{ text: "a", image: { bytesBase64Encoded: "A".repeat(5_000) } }] }, "media of unknown tokens: image"],
    [{ instances: [{ video: { gcsUri: "gs://b/v" } }] }, "media by URL: video"],
    [{ instances: [{ prompt: "a cat" }], parameters: { sampleCount: 4 } }, "output that is no text: predict with a prompt"],
  ])("%j has no bound: %s", (body, unbounded) => {
    const facts = embed(body);
    expect(facts.unbounded).toBe(unbounded);
    expect(facts.promptBytes.user).toBeLessThan(100);
  });

  const values = Array.from({ length: 300 }, (_, index) => index / 7);

  it("bifrost #7295, pydantic-ai #6781: the tokens of both ways to spell the details", () => {
    const one = answer({
      embedding: { values },
      usageMetadata: { promptTokenCount: 258, promptTokenDetails: [{ modality: "IMAGE", tokenCount: 258 }] },
    });
    expect(one).toMatchObject({ complete: true, error: null, doubts: [], usage: { source: "reported" } });
    expect(one.usage?.parts[0]?.quantities).toEqual({ input: 0, input_image: 258 });
    const many = answer({
      embeddings: [{ values }, { values }],
      usageMetadata: { promptTokenCount: 5, promptTokensDetails: [{ tokenCount: 5 }] },
    });
    expect(many.usage?.parts[0]?.quantities).toEqual({ input: 5 });
  });

  it("the statistics of Vertex are added up, and kept word for word", () => {
    const { usage, doubts } = answer({
      predictions: [
        { embeddings: { statistics: { truncated: false, token_count: 7 }, values } },
        { embeddings: { values, statistics: { token_count: 4, truncated: true } } },
      ],
      metadata: { billableCharacterCount: 40 },
    });
    expect(usage?.parts[0]?.quantities).toEqual({ input: 11 });
    expect(usage).toMatchObject({
      source: "reported",
      raw: '[{"truncated":false,"token_count":7},{"token_count":4,"truncated":true}]',
    });
    expect(doubts).toEqual([]);
    expect(answer({ embeddings: [{ values, statistics: { tokenCount: 3 } }] }).usage?.parts[0]?.quantities).toEqual({ input: 3 });
  });

  it("what is not counted is unknown", () => {
    expect(answer({ embedding: { values } })).toMatchObject({ usage: null, complete: true, doubts: [] });
    expect(answer({ predictions: [{ embeddings: { values } }], metadata: { billableCharacterCount: 40 } })).toMatchObject({
      usage: null,
      doubts: ["40 billable characters were counted, and no tokens"],
    });
    expect(answer({ embeddings: [{ values }, { values, statistics: { tokenCount: 3 } }] })).toMatchObject({
      usage: { source: "partial", doubts: ["the tokens of 1 of 2 vectors were counted"] },
    });
    expect(answer({ predictions: [{ bytesBase64Encoded: "x" }] }).usage).toBeNull();
    expect(answer({ error: { code: 400, status: "INVALID_ARGUMENT" } })).toMatchObject({ usage: null, error: "INVALID_ARGUMENT" });
    expect(geminiEmbed.answer("<html>", head())).toMatchObject({ usage: null, complete: false });
  });

  it("that hide a key which is no string are read all the same", () => {
    for (const text of ['{"predictions":[{"\\q":1}]}', '{"embeddings":[{"\\q":1}]}', '{"predictions":[{"embeddings":{"\\q":1}}]}'])
      expect(geminiEmbed.answer(text, head())).toMatchObject({ usage: null, complete: true });
  });
});
