// How Larkspur has set up Pennyworth: its providers, all of them played by the sandbox, its routes, and its own prices. No settings file, no
// environment: what a developer has configured for real stays out of it.

import { type Config, settingsSchema } from "../config.ts";
import type { Story } from "./story.ts";

export interface SetupWanted {
  readonly folder: string;
  readonly port: number;
  readonly story: Story;
  /** The sandbox's. */
  readonly url: string;
}

/** The credentials that the sandbox takes: any. */
const credentials: Readonly<Record<string, string>> = {
  OPENAI_API_KEY: "larkspur",
  ANTHROPIC_API_KEY: "larkspur",
  GEMINI_API_KEY: "larkspur",
  OPENROUTER_API_KEY: "larkspur",
};

/** Where a call goes that Anthropic has no room for. */
const openrouter = (model: string) => ({ provider: "openrouter", model: `anthropic/${model}` });

export function toConfig({ folder, port, story, url }: SetupWanted): Config {
  const retry = { waitMs: 0, on: ["429", "5xx"] };
  const settings = settingsSchema.parse({
    data: folder,
    server: { port, keys: "optional" },
    log: "error",
    limits: { shutdownMsMax: 5_000 },
    providers: {
      openai: { baseUrl: `${url}/v1` },
      anthropic: { baseUrl: `${url}/v1` },
      google: { baseUrl: url },
      openrouter: { baseUrl: `${url}/v1` },
      ollama: { baseUrl: url },
    },
    routes: [
      { model: "claude-sonnet-4-5", targets: [{ provider: "anthropic" }, openrouter("claude-sonnet-4.5")], retry },
      { model: "claude-haiku-4-5", targets: [{ provider: "anthropic" }, openrouter("claude-haiku-4.5")], retry },
      { model: "claude-opus-4-5", targets: [{ provider: "anthropic" }, openrouter("claude-opus-4.5")], retry },
      { model: "gpt-5-nano", targets: [{ provider: "openai" }], retry: { ...retry, triesMax: 2 } },
    ],
    prices: [
      // Agreed on with the provider; before that day the list price holds.
      {
        provider: "openai",
        model: "gpt-5-mini",
        validFrom: new Date(story.priceMs).toISOString().slice(0, 10),
        perMillion: { input: "0.2", cache_read: "0.02", output: "1.6", reasoning: "1.6" },
      },
      // What an hour of the company's own machine comes to.
      { provider: "ollama", model: "qwen3:8b", perMillion: { input: "0.03", output: "0.09" } },
    ],
  });
  return { settings, secret: (name) => credentials[name] };
}

/** The same day so many months before, or the last day of that month. */
export function monthsBefore(ms: number, months: number): number {
  const day = new Date(ms);
  const last = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() - months + 1, 0)).getUTCDate();
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth() - months, Math.min(day.getUTCDate(), last));
}
