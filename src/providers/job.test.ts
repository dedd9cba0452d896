import { describe, expect, it } from "vitest";
import { readJobs } from "./job.ts";
import { objectPath, resultPaths, resultsAt, versionOf } from "./places.ts";
import { readResult } from "./results.ts";

const line = (text: string) => readResult(Buffer.from(text));
const read = (value: unknown) => readJobs(Buffer.from(JSON.stringify(value)));

describe("what providers say of a job", () => {
  it.each([
    ["validating", "open"],
    ["in_progress", "open"],
    ["cancelling", "open"],
    ["completed", "done"],
    ["expired", "expired"],
    ["cancelled", "cancelled"],
    ["failed", "failed"],
    ["a word of next year", "open"],
    ["constructor", "open"],
  ])("an OpenAI batch that is %s is %s", (status, state) => {
    const batch = { id: "batch_1", object: "batch", status, created_at: 1_763_000_000, output_file_id: "file-o", error_file_id: null };
    expect(read(batch)).toMatchObject([{ kind: "batch", ref: "batch_1", state, createdMs: 1_763_000_000_000, files: ["file-o"] }]);
  });

  it("Anthropic's, Gemini's, a tuning job and a cache, from the examples of their references", () => {
    const anthropic = {
      id: "msgbatch_013Zva2CMHLNnXjNJJKqJ2EF",
      type: "message_batch",
      processing_status: "ended",
      created_at: "2024-09-24T18:37:24.100435Z",
      ended_at: "2024-09-24T19:00:00Z",
      results_url: "https://api.anthropic.com/v1/messages/batches/msgbatch_013Zva2CMHLNnXjNJJKqJ2EF/results",
    };
    expect(read(anthropic)).toMatchObject([{ kind: "batch", state: "done", createdMs: 1_727_203_044_100, endedMs: 1_727_204_400_000 }]);
    const gemini = {
      name: "batches/123456",
      metadata: {
        "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
        model: "models/gemini-2.5-flash",
        state: "BATCH_STATE_SUCCEEDED",
        createTime: "2026-01-02T03:04:05.123456789Z",
      },
      done: true,
      response: { inlinedResponses: { inlinedResponses: [{ response: { responseId: "a" } }, { error: { code: 3 } }] } },
    };
    const [batch] = read(gemini);
    expect(batch).toMatchObject({ kind: "batch", ref: "batches/123456", state: "done", model: "gemini-2.5-flash" });
    expect(batch?.results.map(String)).toEqual(['{"response":{"responseId":"a"}}', '{"error":{"code":3}}']);
    const inFile = { ...gemini, response: { responsesFile: "files/batch-xyz" } };
    expect(read(inFile)).toMatchObject([{ files: ["files/batch-xyz"], results: [] }]);
    const tuning = {
      object: "fine_tuning.job",
      id: "ftjob-abc",
      model: "gpt-4o-mini-2024-07-18",
      created_at: 1_721_764_800,
      finished_at: 1_721_765_000,
      status: "succeeded",
      trained_tokens: 5768,
      method: { type: "reinforcement" },
    };
    expect(read(tuning)).toMatchObject([{ kind: "tuning", state: "done", tokens: 5768, isTimed: true, endedMs: 1_721_765_000_000 }]);
    const cache = {
      name: "cachedContents/abc",
      model: "models/gemini-2.5-pro",
      createTime: "2026-01-01T00:00:00Z",
      expireTime: "2026-01-01T01:00:00Z",
      usageMetadata: { totalTokenCount: 4096 },
    };
    expect(read(cache)).toMatchObject([{ kind: "cache", tokens: 4096, model: "gemini-2.5-pro", expiresMs: 1_767_229_200_000 }]);
    expect(read({ cachedContents: [cache, { name: "else" }] }).map(({ ref }) => ref)).toEqual(["cachedContents/abc"]);
    expect(read({ object: "list", data: [tuning, anthropic] }).map(({ ref }) => ref)).toEqual(["ftjob-abc", anthropic.id]);
  });

  it.each([
    "",
    "{",
    "[]",
    "null",
    '{"id":5,"object":"batch"}',
    '{"object":"batch"}',
    '{"data":[1,null,"x"]}',
    '{"id":"x","object":"file"}',
  ])("nothing is read in %s", (text) => {
    expect(readJobs(Buffer.from(text))).toEqual([]);
  });

  it("a count that is none is null, and so is a time", () => {
    const cache = { name: "cachedContents/a", createTime: "soon", usageMetadata: { totalTokenCount: -1 } };
    expect(read(cache)).toMatchObject([{ tokens: null, createdMs: null, expiresMs: null }]);
    expect(read({ id: "b", object: "batch", status: 7, created_at: 1e300 })).toMatchObject([{ state: "open", createdMs: null }]);
  });
});

describe("a line of results", () => {
  const usage = '{"prompt_tokens": 22,  "completion_tokens":2,"total_tokens":24}';

  it("OpenAI's: the answer's bytes as they stand, the line's own id, its status", () => {
    const body = `{"id":"chatcmpl-1", "object":"chat.completion","usage":${usage}}`;
    const text = `{"id": "batch_req_1", "custom_id": "é", "response": {"status_code": 200, "request_id": "r", "body": ${body}}, "error": null}`;
    expect(line(text)).toEqual({ customId: "é", lineId: "batch_req_1", status: 200, error: null, format: "openai-chat", body });
    const refused = `{"id":"q","custom_id":"a","response":{"status_code":429,"body":{"error":{"code":"rate_limit","message":"no"}}},"error":null}`;
    expect(line(refused)).toMatchObject({ status: 429, error: "rate_limit", body: null });
    const expired = `{"id":"q","custom_id":"a","response":null,"error":{"code":"batch_expired","message":"late"}}`;
    expect(line(expired)).toMatchObject({ error: "batch_expired", body: null });
  });

  it("Anthropic's and Gemini's", () => {
    const message = '{"id":"msg_1","type":"message","content":[]}';
    expect(line(`{"custom_id":"a","result":{"type":"succeeded","message":${message}}}`)).toMatchObject({
      error: null,
      format: "anthropic-messages",
      body: message,
    });
    const errored = '{"custom_id":"a","result":{"type":"errored","error":{"type":"error","error":{"type":"overloaded_error"}}}}';
    expect(line(errored)).toMatchObject({ error: "overloaded_error", body: null });
    expect(line('{"custom_id":"a","result":{"type":"expired"}}')).toMatchObject({ error: "expired" });
    expect(line('{"key":"k","response":{"candidates":[]}}')).toMatchObject({ customId: "k", format: "gemini-generate" });
    expect(line('{"error":{"code":13},"metadata":{"key":"m"}}')).toMatchObject({ customId: "m", error: "13" });
  });

  it.each([
    ["embeddings", '{"object":"list","data":[]}', "openai-embeddings"],
    ["responses", '{"object":"response"}', "openai-responses"],
    ["older completions", '{"object":"text_completion"}', "openai-completions"],
    ["what is not known", '{"object":"dream"}', null],
  ])("of %s", (_name, body, format) => {
    expect(line(`{"custom_id":"a","response":{"status_code":200,"body":${body}}}`)).toMatchObject({ format, error: null, body });
  });

  it.each(["", "{", "{}", '{"custom_id":"a"}', '{"messages":[{"role":"user"}]}', '{"response":{},"else":1}', "[1]", '"response"'])(
    "is not %s: a file of another kind passes unread",
    (text) => {
      expect(line(text)).toBeNull();
    },
  );
});

describe("where work is read", () => {
  it.each([
    ["/v1/batches", "b 1", "/v1/batches/b%201"],
    ["/v1/batches/b/cancel", "b", "/v1/batches/b"],
    ["/openai/v1/fine_tuning/jobs", "ft", "/openai/v1/fine_tuning/jobs/ft"],
    ["/v1/messages/batches", "m", "/v1/messages/batches/m"],
    ["/v1beta/models/gemini-2.5-pro:batchGenerateContent", "batches/x", "/v1beta/batches/x"],
    ["/v1beta/cachedContents", "cachedContents/x", "/v1beta/cachedContents/x"],
  ])("%s of %s", (path, ref, at) => {
    expect(objectPath(path, ref)).toBe(at);
  });

  it("results: of files, of Anthropic's batches, of Gemini's", () => {
    expect(resultPaths("/openai/batches/b?api-version=1", { ref: "b", files: ["f"] })).toEqual([
      ["f", "/openai/files/f/content?api-version=1"],
    ]);
    expect(resultPaths("/v1/messages/batches/m", { ref: "m", files: [] })).toEqual([["m", "/v1/messages/batches/m/results"]]);
    expect(resultPaths("/v1beta/batches/x", { ref: "batches/x", files: ["files/y"] })).toEqual([
      ["files/y", "/download/v1beta/files/y:download?alt=media"],
    ]);
    expect([resultsAt("/v1/files/f%201/content"), resultsAt("/v1/messages/batches/m/results"), resultsAt("/v1/files/f")]).toEqual([
      "f 1",
      "m",
      null,
    ]);
  });

  it("keeps of a query nothing but the API's version", () => {
    expect(versionOf("key=secret&api-version=2024-10-21&x=y")).toBe("?api-version=2024-10-21");
    expect(versionOf("key=secret")).toBe("");
    expect(versionOf("api-version=a%26key=secret")).toBe("");
  });
});
