// Requests for legacy completions; their answers are read as those of chat are, and the recordings of both are in recordings.test.ts.

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { completions } from "./completions.ts";
import { asked, counted, events, feedSplit } from "./feed.fixture.ts";
import { following, head } from "./format.fixture.ts";

const folder = "../shared/data/recordings/openai/completion--openai-completion-text";
const here = existsSync(`${folder}.json`);

describe("a request", () => {
  it("says what it asks for", () => {
    const facts = asked(completions, {
      model: "gpt-3.5-turbo-instruct",
      prompt: "Once",
      suffix: "end",
      max_tokens: 9,
      user: "u",
      stream: true,
    });
    expect(facts).toMatchObject({
      model: "gpt-3.5-turbo-instruct",
      streamed: true,
      cap: 9,
      choices: 1,
      unbounded: null,
      promptBytes: { user: 6, earlier: 5 },
      hints: { user: "u" },
      edits: ["stream_options.include_usage"],
    });
    expect(facts.splices).toHaveLength(1);
    expect(facts.blocks).toHaveLength(1);
  });

  it.each([
    [{}, null],
    [{ max_tokens: null }, null],
    [{ max_tokens: 0 }, 0],
    [{ max_tokens: -1 }, null],
    [{ max_tokens: "9" }, null],
  ])("%j is capped at %s", (value, cap) => expect(asked(completions, value).cap).toBe(cap));

  it.each([
    [{ prompt: "one" }, 1],
    [{ prompt: ["one", "two"] }, 2],
    [{ prompt: [12, 13, 14] }, 1],
    [{ prompt: [[12], [13, 14], [15]] }, 3],
    [{ prompt: [] }, 1],
    [{ prompt: "one", n: 3 }, 3],
    [{ prompt: "one", n: 2, best_of: 5 }, 5],
    [{ prompt: ["one", "two"], best_of: 5 }, 10],
    [{ prompt: ["one", "two"], n: 3 }, 6],
    [{ n: 0, best_of: -1 }, 1],
  ])("%j generates %s answers", (value, choices) => expect(asked(completions, value).choices).toBe(choices));
});

describe.skipIf(!here)("the recordings (skipped: ../shared/data is not here)", () => {
  it("whole", () => {
    const text = readFileSync(`${folder}.json`, "utf8");
    const facts = completions.answer(text, head());
    expect(counted(facts)).toEqual({ input: 14, output: 16 });
    expect(facts).toMatchObject({ model: "gpt-3.5-turbo-instruct:20230824-v2", finish: "length", complete: true, doubts: [] });
  });

  it("streamed, with and without the usage that the client did not ask for", () => {
    const all = readFileSync(`${folder}.chunks.txt`, "utf8").split("\n").filter(Boolean);
    const body = `${events(...all.map((text) => JSON.parse(text) as object))}data: [DONE]\n\n`;
    const fed = feedSplit(completions, body);
    expect(counted(fed.facts)).toEqual({ input: 14, output: 16 });
    expect(fed.facts).toMatchObject({ finish: "length", complete: true, doubts: [] });
    expect(fed.held).toBe("data: [DONE]\n\n");
    const stream = completions.stream(following(true));
    const shown = Buffer.concat([...stream.push(Buffer.from(body)), ...stream.held]).toString();
    expect(shown).toBe(body.replace(`data: ${JSON.stringify(JSON.parse(all.at(-1) ?? ""))}\n\n`, ""));
  });
});
