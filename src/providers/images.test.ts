// Images: what OpenAI's reference and types say of requests, answers and events.

import { describe, expect, it } from "vitest";
import { asked, counted, events, feed, feedSplit, size } from "./feed.fixture.ts";
import { following, head, line } from "./format.fixture.ts";
import { images } from "./images.ts";

const usage = { input_tokens: 50, input_tokens_details: { text_tokens: 10, image_tokens: 40 }, output_tokens: 4160, total_tokens: 4210 };
const answer = (value: object) => images.answer(JSON.stringify({ created: 1, data: [{ b64_json: "iVBORw0KGgo=" }], ...value }), head());

describe("an answer", () => {
  it("counts what an image model puts out as image tokens", () => {
    expect(counted(answer({ usage }))).toEqual({ input: 10, input_image: 40, output_image: 4160 });
    expect(answer({ usage })).toMatchObject({ complete: true, doubts: [], outputBytes: 0, usage: { source: "reported" } });
    expect(answer({ usage }).usage?.raw).toBe(JSON.stringify(usage));
  });

  it("takes the text apart, where the model says what part of its output that is", () => {
    expect(counted(answer({ usage: { ...usage, output_tokens_details: { image_tokens: 4000, text_tokens: 160 } } }))).toEqual({
      input: 10,
      input_image: 40,
      output: 160,
      output_image: 4000,
    });
  });

  it("is in doubt where parts and totals differ", () => {
    expect(answer({ usage: { ...usage, total_tokens: 4211 } }).doubts).toHaveLength(1);
    expect(answer({ usage: { ...usage, input_tokens_details: { text_tokens: 9, image_tokens: 40 } } }).doubts).toHaveLength(1);
  });

  it("of a model that reports no tokens counts its pictures", () => {
    const facts = answer({ data: [{ url: "https://x/1.png" }, { url: "https://x/2.png" }] });
    expect(counted(facts)).toEqual({ images: 2 });
    expect(facts.doubts).toEqual([]);
  });

  it("of xAI names its cost", () => {
    const facts = answer({ usage: { cost_in_usd_ticks: 200_000_000 } });
    expect(facts).toMatchObject({ cost: "0.02", doubts: [] });
    expect(counted(facts)).toEqual({ images: 1 });
  });

  it.each(["", "null", "[]", "{", "<html>", "{}", '{"error":{"code":"moderation_blocked"}}', '{"data":7,"usage":[]}'])(
    "never throws on %j",
    (text) => {
      expect(images.answer(text, head()).usage).toBeNull();
    },
  );

  it("names its error", () => {
    expect(images.answer('{"error":{"code":"moderation_blocked","message":"x"}}', head("application/json", {}, 400)).error).toBe(
      "moderation_blocked",
    );
  });
});

describe("a stream", () => {
  const picture = "A".repeat(500);
  const partial = { type: "image_generation.partial_image", b64_json: `${picture}"usage"`.slice(0, 500), partial_image_index: 0 };

  it.each(["image_generation", "image_edit"])("of %s is metered by the event that completes it, which is held", (kind) => {
    const last = { type: `${kind}.completed`, b64_json: picture, usage };
    const fed = feedSplit(images, events({ ...partial, type: `${kind}.partial_image` }, last));
    expect(counted(fed.facts)).toEqual({ input: 10, input_image: 40, output_image: 4160 });
    expect(fed.facts).toMatchObject({ complete: true, error: null, doubts: [] });
    expect(fed.held).toBe(events(last));
    expect(fed.started).toBe(true);
  });

  it("that breaks off is not complete; one that fails says so", () => {
    expect(feedSplit(images, events(partial)).facts).toMatchObject({ complete: false, usage: null });
    const failed = feedSplit(images, events(partial, { type: "error", error: { code: "moderation_blocked" } }));
    expect(failed.facts).toMatchObject({ complete: true, error: "moderation_blocked", usage: null });
    expect(failed.held).toContain("moderation_blocked");
  });

  it("passes what it cannot read, with a doubt", () => {
    expect(feedSplit(images, "data: {broken\n\n").facts.doubts).toEqual(["an event of the stream is not a JSON object"]);
    const big = feed(
      images,
      [Buffer.from(events({ type: "image_generation.completed", b64_json: picture, usage }))],
      following(false, 100),
    );
    expect(big.facts).toMatchObject({ usage: null, complete: false });
    expect(big.facts.doubts).toHaveLength(1);
  });
});

describe("a request", () => {
  it("in JSON says what it asks for", () => {
    const facts = asked(images, { model: "gpt-image-1", prompt: "a cat", n: 3, stream: true, user: "u" });
    expect(facts).toMatchObject({
      model: "gpt-image-1",
      streamed: true,
      choices: 3,
      cap: null,
      unbounded: null,
      promptBytes: { user: size("a cat") },
      hints: { user: "u" },
    });
  });

  it.each([
    [{ images: [{ image_url: "https://x/y.png" }] }, "media by URL: image"],
    [{ images: [{ image_url: "data:image/png;base64,AA" }] }, "media of unknown tokens: image"],
    [{ images: [{ file_id: "f" }] }, "media held by the provider: image"],
    [{ mask: { file_id: "f" } }, "media held by the provider: image"],
    [{ images: [] }, null],
  ])("%j is unbounded: %s", (value, reason) => expect(asked(images, value).unbounded).toBe(reason));

  it("in a form says as much, and its pictures are not looked at", async () => {
    const form = new FormData();
    form.append("image[]", new Blob([Buffer.from('\r\n--x\r\nname="model"')]), "a.png");
    form.append("prompt", "höher");
    form.append("model", "gpt-image-1");
    form.append("n", "2");
    form.append("stream", "true");
    const response = new Response(form);
    const type = response.headers.get("content-type") ?? "";
    const body = Buffer.from(await response.arrayBuffer());
    const facts = images.request(body, { ...line("/v1/images/edits"), type });
    expect(facts).toMatchObject({
      model: "gpt-image-1",
      modelSpan: null,
      streamed: true,
      choices: 2,
      unbounded: "media of unknown tokens: image",
      promptBytes: { user: Buffer.byteLength("höher") },
    });
    expect(facts.blocks.map(([start, end]) => body.toString("utf8", start, end))).toEqual(["höher"]);
    expect(() => images.request(body.subarray(0, 50), { ...line(), type })).toThrow(/at byte/);
    expect(() => images.request(body, line())).toThrow(/at byte/);
  });

  it("keeps no usage that is not JSON", () => {
    const facts = images.answer('{"data":[{"url":"a"}],"usage":{"input_tokens":5,"note":"\\q"}}', head());
    expect(facts).toMatchObject({ usage: { raw: null }, doubts: ["the usage object could not be read"] });
    expect(counted(facts)).toEqual({ images: 1 });
  });
});
