// How totals come apart where a provider counts in a way of its own. Sums are worked out by hand; costs are those its page names.

import { describe, expect, it } from "vitest";
import { chat } from "./chat.ts";
import { counted, events, feedSplit } from "./feed.fixture.ts";
import { following, head } from "./format.fixture.ts";
import { responses } from "./responses.ts";

const answer = (usage: string) =>
  chat.answer(`{"id":"c","model":"m","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":${usage}}`, head());
const response = (usage: string) => responses.answer(`{"id":"r","model":"m","status":"completed","output":[],"usage":${usage}}`, head());

describe("Perplexity", () => {
  // Deep research: $2 a million in, $8 out, $3 of reasoning, $2 of citations, $5 a thousand searches.
  const research = `{"prompt_tokens":33,"completion_tokens":7163,"total_tokens":7196,"search_context_size":"low","citation_tokens":20016,
    "num_search_queries":18,"reasoning_tokens":73395,"cost":{"input_tokens_cost":0.000066,"output_tokens_cost":0.057304,
    "citation_tokens_cost":0.040032,"reasoning_tokens_cost":0.220185,"search_queries_cost":0.09,"total_cost":0.407587}}`;

  it("counts the reasoning, citations and searches of deep research beside what it wrote", () => {
    const facts = answer(research);
    const quantities = { input: 33, output: 7163, reasoning: 73_395, citation: 20_016, web_search: 18 };
    expect(counted(facts)).toEqual(quantities);
    expect(facts).toMatchObject({ cost: "0.407587", doubts: [] });
    // In microdollars: what was counted, at the list's prices, is what it says it cost.
    expect(33 * 2 + 7163 * 8 + 73_395 * 3 + 20_016 * 2 + 18 * 5_000).toBe(407_587);
  });

  it("counts no searches and citations that its fee pays for", () => {
    const facts = answer(
      '{"prompt_tokens":14,"completion_tokens":40,"total_tokens":54,"num_search_queries":1,"citation_tokens":7,"cost":{"input_tokens_cost":1.4e-05,"output_tokens_cost":4e-05,"request_cost":0.005,"total_cost":5.054e-03}}',
    );
    expect(counted(facts)).toEqual({ input: 14, output: 40 });
    expect(facts).toMatchObject({ cost: "0.005054", doubts: [] });
  });

  it("has reasoning inside the completion where no line of its cost bills it", () => {
    expect(counted(answer('{"prompt_tokens":5,"completion_tokens":40,"total_tokens":45,"reasoning_tokens":30}'))).toEqual({
      input: 5,
      output: 10,
      reasoning: 30,
    });
  });

  it("names its cost in responses as well", () => {
    expect(response('{"input_tokens":5,"output_tokens":4,"total_tokens":9,"cost":{"currency":"USD","total_cost":1.2e-05}}').cost).toBe(
      "0.000012",
    );
  });
});

describe("OpenRouter", () => {
  const usage = `{"prompt_tokens":194,"completion_tokens":20,"total_tokens":214,"cost":0.00095,"is_byok":false,
    "cost_details":{"upstream_inference_cost":0.00095},"prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":100,"audio_tokens":0},
    "completion_tokens_details":{"reasoning_tokens":12},"server_tool_use":{"web_search_requests":2}}`;

  it("counts cache writes inside the prompt, and searches of its own", () => {
    const facts = answer(usage);
    expect(counted(facts)).toEqual({
      input: 34,
      cache_read: 60,
      cache_write: 100,
      input_audio: 0,
      output: 8,
      reasoning: 12,
      web_search: 2,
    });
    expect(facts).toMatchObject({ cost: "0.00095", doubts: [] });
  });

  it("reports its cost at the end of a stream, behind comments, at every split", () => {
    const delta = { id: "c", model: "m", choices: [{ delta: { content: "hi" } }] };
    const body = `: OPENROUTER PROCESSING\n\n${events(delta, { id: "c", model: "m", choices: [{ delta: {}, finish_reason: "stop" }] })}data: {"id":"c","choices":[],"usage":${usage.replaceAll("\n", " ")}}\n\ndata: [DONE]\n\n`;
    const fed = feedSplit(chat, body);
    expect(fed.facts).toMatchObject({ cost: "0.00095", complete: true, usage: { source: "reported" } });
  });

  it("adds what the maker bills to the fee of one's own key, in streams of responses too", () => {
    const own =
      '{"input_tokens":5,"output_tokens":4,"total_tokens":9,"cost":5e-06,"is_byok":true,"cost_details":{"upstream_inference_cost":9.5e-05}}';
    const body = `data: {"type":"response.completed","response":{"id":"r","status":"completed","output":[],"usage":${own}}}\n\n`;
    expect(feedSplit(responses, body, following()).facts.cost).toBe("0.0001");
    expect(response(own).cost).toBe("0.0001");
  });

  it("in doubt about a cost counts the tokens all the same", () => {
    const facts = answer('{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"cost":"free"}');
    expect(facts.cost).toBeUndefined();
    expect(counted(facts)).toEqual({ input: 1, output: 1 });
    expect(facts.usage?.doubts).toEqual(["cost is not an amount"]);
  });
});

describe("others", () => {
  it("Mistral: seconds of audio stand for the tokens that only the total knows", () => {
    const facts = answer('{"prompt_audio_seconds":203,"prompt_tokens":4,"completion_tokens":635,"total_tokens":3264}');
    expect(counted(facts)).toEqual({ input: 4, output: 635, input_audio_seconds: 203 });
    expect(facts.doubts).toEqual([]);
    expect(answer('{"prompt_audio_seconds":{},"prompt_tokens":4,"completion_tokens":6,"total_tokens":10}').doubts).toEqual([]);
  });

  it("DeepSeek: hits and misses are the prompt", () => {
    const usage =
      '{"prompt_tokens":495,"completion_tokens":144,"total_tokens":639,"prompt_cache_hit_tokens":320,"prompt_cache_miss_tokens":175}';
    expect(counted(answer(usage))).toEqual({ input: 175, cache_read: 320, output: 144 });
    expect(answer(usage.replace("175}", "170}")).doubts).toHaveLength(1);
  });

  it("Moonshot: cached tokens stand beside the totals, inside the prompt", () => {
    expect(counted(answer('{"prompt_tokens":20,"completion_tokens":3,"total_tokens":23,"cached_tokens":10}'))).toEqual({
      input: 10,
      cache_read: 10,
      output: 3,
    });
  });
});
