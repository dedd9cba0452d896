// A real model answers through Pennyworth: llama.cpp's own server with real weights. Each receipt equals what the engine itself says it worked
// off, counted three ways that share nothing with the gateway: its metrics, its tokenizer, its log probabilities. Not here: other engines.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FormatName } from "../src/providers/format.ts";
import { providers } from "../src/providers/table.ts";
import { type Receipt, startGateway, type TestGateway } from "./gateway.ts";
import { nodeForClients, noNode } from "./interpreters.ts";
import { type Engine, localModel, noEngine, pythonWithEngine, startEngine, type Work } from "./local.ts";

const python = pythonWithEngine();
const page = readFileSync(fileURLToPath(new URL("../docs/local.md", import.meta.url)), "utf8");

const clients = fileURLToPath(new URL("clients", import.meta.url));
const blocks = [...page.matchAll(/^```(sh|js) llamacpp\n([\s\S]*?)^```$/gm)].map(({ 1: language = "", 2: text = "", index }) => ({
  language,
  text,
  line: page.slice(0, index).split("\n").length,
}));

describe("the guide's table of engines", () => {
  const rows = [...page.matchAll(/^\| [^|]+\| `(\w+)` +\| `([^`]+)` +\| (.*) \|$/gm)].map(([, name = "", address = "", cells = ""]) => ({
    name,
    address,
    spoken: cells.split("|").map((cell) => cell.trim() !== ""),
  }));

  it("has a row for each provider at an address of this machine", () => {
    const local = providers.filter((record) => record.baseUrl?.startsWith("http://127.0.0.1:")).map((record) => record.name);
    expect(rows.map((row) => row.name).toSorted()).toEqual(local.toSorted());
  });

  it.each(rows)("says what the record of $name says", ({ name, address, spoken }) => {
    const record = providers.find((candidate) => candidate.name === name)!;
    const speaks = (...names: FormatName[]): boolean => names.every((format) => record.formats.includes(format));
    expect(record.baseUrl).toBe(address);
    expect(record.auth).toBe("none");
    expect(spoken).toEqual([
      speaks("openai-chat", "openai-completions", "openai-embeddings"),
      speaks("openai-responses"),
      speaks("anthropic-messages") && record.apis.anthropic !== undefined,
      speaks("ollama-generate", "ollama-embed") && record.apis.ollama !== undefined,
    ]);
  });
});

let engine: Engine;
let gateway: TestGateway;

/** The settings that the guide gives for llama.cpp, at this engine's address. */
function settings(): Record<string, unknown> {
  const block = /^```yaml config llamacpp\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? "";
  return parse(block.replaceAll("http://127.0.0.1:8080", engine.url)) as Record<string, unknown>;
}

/** The guide's prices for it in picodollars per token: $0.02, $0.002 and $0.08 per million. */
const rates = { input: 20_000n, cacheRead: 2_000n, output: 80_000n };

const question = "What is the capital of France?";
const messages = [{ role: "user", content: question }];

/** What is asked, at each of the engine's wire formats, with a cap of `cap` tokens; and the text that its tokenizer then gets. */
const formats = [
  {
    path: "/v1/chat/completions",
    body: (cap: number) => ({ messages, max_tokens: cap }),
    prompt: () => engine.template(messages),
  },
  { path: "/v1/completions", body: (cap: number) => ({ prompt: question, max_tokens: cap }), prompt: async () => question },
  {
    path: "/v1/responses",
    body: (cap: number) => ({ input: question, max_output_tokens: cap }),
    prompt: () => engine.template(messages),
  },
  { path: "/v1/messages", body: (cap: number) => ({ messages, max_tokens: cap }), prompt: () => engine.template(messages) },
];

if (python === null) it("a real model's receipts", ({ skip }) => skip(noEngine));
else
  describe("with real weights,", () => {
    beforeAll(async () => {
      engine = await startEngine(python);
      gateway = await startGateway({ ...settings(), log: "silent" });
    }, 120_000);
    afterAll(async () => {
      await gateway?.close();
      await engine?.close();
    });

    describe("a real model's receipts", () => {
      const cases = [
        ...formats.flatMap((format) => [
          { ...format, how: "whole", more: {} },
          { ...format, how: "streamed", more: { stream: true } },
        ]),
        { ...formats[0]!, how: "streamed with its usage", more: { stream: true, stream_options: { include_usage: true } } },
      ];

      it.each(cases)("equal the engine's own count: $path $how", async ({ path, body, more, prompt }) => {
        const tokens = await engine.count(await prompt());
        // Asked twice, so that the second time the prompt is in the engine's cache.
        for (const time of ["first", "second"]) {
          const { receipt, work } = await measure(() => ask(path, { ...body(12), ...more }));
          expect(quantities(receipt)).toEqual(work);
          expect(work.input + work.cacheRead).toBe(tokens);
          expect(work.output).toBeGreaterThan(0);
          expect(work.output).toBeLessThanOrEqual(12);
          if (time === "second") expect(work.cacheRead).toBeGreaterThan(0);
          expectSure(receipt);
          expect(pico(receipt.total)).toBe(price(work));
        }
      });

      it("count as many tokens out as the engine gave probabilities for, where it ends by itself", async () => {
        const body = { messages: [{ role: "user", content: "Say hi" }], max_tokens: 80, temperature: 0, logprobs: true };
        const { receipt, work, text } = await measure(() => ask("/v1/chat/completions", body));
        const [choice] = (JSON.parse(text) as { choices: { finish_reason: string; logprobs: { content: unknown[] } }[] }).choices;
        expect(choice!.finish_reason).toBe("stop");
        expect(quantities(receipt).output).toBe(choice!.logprobs.content.length);
        expect(quantities(receipt)).toEqual(work);
      });

      it("agree with what Anthropic's count endpoint says, which passes without a record", async () => {
        const { text, call } = await ask("/v1/messages/count_tokens", { messages });
        const { receipt } = await measure(() => ask("/v1/messages", { messages, max_tokens: 2 }));
        const { input, cacheRead } = quantities(receipt);
        expect(JSON.parse(text)).toEqual({ input_tokens: input + cacheRead });
        expect(call).toBe(null);
      });

      it("count embeddings by the engine's tokenizer, text by text", async () => {
        const input = ["Paris is the capital of France.", "A long list of prices, one for each class of token."];
        const { receipt, work } = await measure(() => ask("/v1/embeddings", { input }));
        const tokens = (await Promise.all(input.map((text) => engine.count(text)))).reduce((sum, count) => sum + count, 0);
        expect(quantities(receipt)).toEqual({ input: tokens, cacheRead: 0, output: 0 });
        expect(work.input).toBe(tokens);
        expect(pico(receipt.total)).toBe(BigInt(tokens) * rates.input);
      });

      it("add up to the engine's whole work when calls run side by side, each counted once", async () => {
        const before = await engine.work();
        const receipts = await Promise.all(
          Array.from({ length: 8 }, async (_, index) => {
            const format = formats[index % formats.length]!;
            const { call } = await ask(format.path, { ...format.body(4 + index), stream: index > 3 });
            return gateway.receipt(call);
          }),
        );
        const work = subtract(await engine.work(), before);
        const sum = receipts.map(quantities).reduce(add);
        expect(sum).toEqual(work);
        expect(sum.output).toBeGreaterThanOrEqual(receipts.length);
        expect(receipts.reduce((total, receipt) => total + pico(receipt.total), 0n)).toBe(price(work));
      });

      it("keep within the hold, though the chat template adds a prompt of its own", async () => {
        const { receipt, work } = await measure(() =>
          ask("/v1/chat/completions", { messages: [{ role: "user", content: "" }], max_tokens: 1 }),
        );
        const { hold } = receipt.start as unknown as { hold: { inputTokens: number; outputTokens: number } };
        expect(work.input + work.cacheRead).toBeGreaterThan(20);
        expect(hold.inputTokens).toBeGreaterThanOrEqual(work.input + work.cacheRead);
        expect(hold.outputTokens).toBe(work.output);
      });
    });

    describe("a real model's answers", () => {
      const fixed = { temperature: 0, cache_prompt: false, max_tokens: 12 };

      it.each([false, true])("are the engine's own, byte for byte but for its ids and clocks (stream: %s)", async (stream) => {
        const body = { model: localModel, messages, ...fixed, stream, stream_options: { include_usage: true } };
        const through = await ask("/v1/chat/completions", body);
        const direct = await (await engine.ask("/v1/chat/completions", body)).text();
        expect(timeless(through.text)).toBe(timeless(direct));
        expect(through.text).toMatch(/"content":"[^"]/);
        expect(through.text).toContain('"usage":');
      });

      it("hide the usage from a client that did not ask for it", async () => {
        const { text, response } = await ask("/v1/chat/completions", { messages, ...fixed, stream: true });
        expect(response.headers.get("x-pennyworth-edits")).toContain("include_usage");
        expect(text).not.toContain('"usage":');
        expect(text).not.toContain('"timings":');
        expect(text.trimEnd()).toMatch(/"finish_reason":"\w+"[^\n]*\n\ndata: \[DONE\]$/);
      });

      it("keep the last piece of a completion, which carries its usage unasked", async () => {
        const { text } = await ask("/v1/completions", { prompt: question, ...fixed, stream: true });
        expect(text.trimEnd()).toMatch(/"finish_reason":"\w+"[^\n]*"usage":[^\n]*\n\ndata: \[DONE\]$/);
      });

      it("are refused as the engine refuses them, and cost nothing", async () => {
        const body = { model: localModel, messages: "no list" };
        const { response, text, call } = await ask("/v1/chat/completions", body);
        const direct = await engine.ask("/v1/chat/completions", body);
        expect(response.status).toBe(direct.status);
        expect(text).toBe(await direct.text());
        expect(await gateway.receipt(call)).toMatchObject({ status: "failed", total: "0", lines: [] });
      });
    });

    describe("a client that leaves", () => {
      it("stops the engine, and what is not known is marked so", async () => {
        const before = await engine.work();
        const controller = new AbortController();
        const response = await post(
          "/v1/chat/completions",
          { messages, max_tokens: 1_500, stream: true, ignore_eos: true },
          controller.signal,
        );
        const reader = response.body!.getReader();
        for (let pieces = 0; pieces < 4; pieces++) await reader.read();
        controller.abort();
        await reader.read().catch(() => {});
        const receipt = await gateway.receipt(response.headers.get("x-pennyworth-call")!);
        const work = subtract(await engine.work(), before);
        expect(work.output).toBeLessThan(1_000);
        expect(receipt.status).toBe("aborted");
        expect(receipt.lines.map((line) => line.source)).not.toContain("reported");
        expect(quantities(receipt).output).toBeGreaterThan(0);
        expect(quantities(receipt).output).toBeLessThanOrEqual(1_500);
      });
    });

    describe("what the guide says of llama.cpp", () => {
      it("still holds: several choices are reported as one", async () => {
        const { receipt, work } = await measure(() => ask("/v1/chat/completions", { messages, max_tokens: 6, n: 2, ignore_eos: true }));
        expect(work.output).toBe(12);
        expect(quantities(receipt).output).toBe(6);
      });

      it("still holds: a cap of 0 is a cap of 1", async () => {
        const { work } = await measure(() => ask("/v1/chat/completions", { messages, max_tokens: 0 }));
        expect(work.output).toBe(1);
      });

      it("still holds: an answer of Responses at its cap calls itself completed", async () => {
        const { text } = await ask("/v1/responses", { input: question, max_output_tokens: 3 });
        expect(JSON.parse(text)).toMatchObject({ status: "completed", usage: { output_tokens: 3 } });
      });

      it("still holds: Completions without a cap go on beyond OpenAI's 16 tokens", async () => {
        const before = await engine.work();
        const controller = new AbortController();
        const body = JSON.stringify({ prompt: "The history of the Roman Empire began", temperature: 0, stream: true });
        const response = await fetch(`${engine.url}/v1/completions`, { method: "POST", body, signal: controller.signal });
        let pieces = 0;
        for await (const chunk of response.body!) {
          pieces += Buffer.from(chunk).toString().split('"text":').length - 1;
          if (pieces > 20) break;
        }
        controller.abort();
        expect(subtract(await engine.work(), before).output).toBeGreaterThan(16);
      });

      it.for(blocks)("can be run: line $line ($language)", async ({ language, text }, { skip }) => {
        const node = nodeForClients();
        if (language === "js" && node === null) return skip(noNode);
        const { call } = await lastCall();
        const program = language === "js" ? [node!, "--input-type=module", "-e"] : ["bash", "-euo", "pipefail", "-c"];
        const args = [...program.slice(1), text.replaceAll("http://127.0.0.1:4242", gateway.url)];
        const { stdout } = await promisify(execFile)(program[0]!, args, { cwd: clients });
        expect(stdout).toMatch(/tokens/);
        expect(stdout).not.toContain('"error"');
        const after = (await lastCall()).call;
        expect(after).not.toBe(call);
        expectSure(await gateway.receipt(after));
      });

      it("costs nothing where the guide's prices of zero are set, and is not unpriced", async () => {
        const block = /^```yaml config free\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? "";
        const free = await startGateway({
          ...(parse(block) as object),
          "providers.llamacpp.baseUrl": `${engine.url}/v1`,
          log: "silent",
        });
        try {
          const body = JSON.stringify({ model: localModel, messages, max_tokens: 5 });
          const response = await fetch(`${free.url}/to/llamacpp/v1/chat/completions`, { method: "POST", body });
          expect(response.headers.get("x-pennyworth-cost")).toBe("0");
          const receipt = await free.receipt(response.headers.get("x-pennyworth-call")!);
          expect(receipt).toMatchObject({ total: "0", unpriced: [], recomputed: true });
          expect(quantities(receipt).output).toBe(5);
        } finally {
          await free.close();
        }
      });
    });
  });

function post(path: string, body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(`${gateway.url}/to/llamacpp${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: localModel, ...body }),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function ask(path: string, body: object): Promise<{ response: Response; text: string; call: string }> {
  const response = await post(path, body);
  return { response, text: await response.text(), call: response.headers.get("x-pennyworth-call")! };
}

/** One call, its receipt, and what the engine says it did for it. */
async function measure(act: () => Promise<{ text: string; call: string }>): Promise<{ receipt: Receipt; work: Work; text: string }> {
  const before = await engine.work();
  const { text, call } = await act();
  return { receipt: await gateway.receipt(call), work: subtract(await engine.work(), before), text };
}

async function lastCall(): Promise<Receipt> {
  return (await gateway.get("/calls/last/receipt")) as Receipt;
}

function expectSure(receipt: Receipt): void {
  expect(receipt).toMatchObject({ status: "complete", recomputed: true, unpriced: [], notes: [] });
  expect(new Set(receipt.lines.map((line) => line.source))).toEqual(new Set(["reported"]));
}

/** A receipt's lines as the engine's kinds of work; any other class would be a mistake. */
function quantities(receipt: Receipt): Work {
  const found: Record<string, number> = { input: 0, cache_read: 0, output: 0 };
  for (const line of receipt.lines) {
    expect(Object.keys(found)).toContain(line.class);
    found[line.class] = (found[line.class] as number) + line.quantity;
  }
  return { input: found["input"]!, cacheRead: found["cache_read"]!, output: found["output"]! };
}

const subtract = (a: Work, b: Work): Work => add(a, { input: -b.input, cacheRead: -b.cacheRead, output: -b.output });

function add(a: Work, b: Work): Work {
  return { input: a.input + b.input, cacheRead: a.cacheRead + b.cacheRead, output: a.output + b.output };
}

function price(work: Work): bigint {
  return BigInt(work.input) * rates.input + BigInt(work.cacheRead) * rates.cacheRead + BigInt(work.output) * rates.output;
}

function pico(cost: string): bigint {
  const [whole = "0", fraction = ""] = cost.split(".");
  return BigInt(whole + fraction.padEnd(12, "0"));
}

/** An answer without what differs from one time to the next. */
function timeless(text: string): string {
  return text
    .replaceAll(/"created":\d+/g, '"created":0')
    .replaceAll(/"id":"[^"]*"/g, '"id":""')
    .replaceAll(/,"timings":\{[^}]*\}/g, "");
}
