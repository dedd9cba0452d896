// How Larkspur has set up Pennyworth: its providers, all of them played by the sandbox, its routes, its credits and the caps on
// its agents' trees. Its prices and budgets are entered as time goes on (books.ts, lately.ts). No settings file, no environment: what a developer has configured for real stays out of it.

import { type Config, settingsSchema } from "../config.ts";
import { trees } from "./budgets.ts";
import { plansOf } from "./sales.ts";
import { firstOfMonth, type Story, toDay } from "./story.ts";

export interface SetupWanted {
  readonly folder: string;
  readonly port: number;
  readonly story: Story;
  /** About how many calls its history has. */
  readonly calls: number;
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

export function toConfig({ folder, port, story, calls, url }: SetupWanted): Config {
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
    // Paid ahead, and not all of it will be used in time.
    credits: [
      {
        id: "startup-programme",
        provider: "anthropic",
        amount: (calls / 100).toFixed(2),
        from: toDay(story.invoiced.fromMs),
        expires: toDay(firstOfMonth(story.riseMs, 1)),
      },
    ],
    trees,
    plans: plansOf(story, calls),
    // Who comes too fast waits for a moment first.
    guard: { waitMsMax: 2_000, fair: "agent" },
    allowances: [{ id: "searches-a-day", provider: "google", model: "gemini-2.5-*", classes: ["web_search"], units: 1_500, every: "day" }],
  });
  return { settings, secret: (name) => credentials[name] };
}

/** The same day so many months before, or the last day of that month. */
export function monthsBefore(ms: number, months: number): number {
  const day = new Date(ms);
  const last = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() - months + 1, 0)).getUTCDate();
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth() - months, Math.min(day.getUTCDate(), last));
}
