// The providers, as data: where each one is, how it wants its credential, which formats it speaks, and what it bills when a client leaves.
// Another OpenAI-compatible server is one more record, here or in the settings. Not here: credentials themselves, routes, prices.
// Base URLs end where the paths of the format go on: `/v1/chat/completions` is asked for at `<baseUrl>/chat/completions`.

import type { ProviderSettings } from "../config.ts";
import { PennyworthError } from "../error.ts";
import { anthropic } from "./anthropic.ts";
import { chat } from "./chat.ts";
import { embeddings } from "./embeddings.ts";
import type { Format, FormatName } from "./format.ts";
import { responses } from "./responses.ts";

/** When the client has gone: read the answer to its end and count it, or cancel it and estimate. docs/disconnects.md gives the reasons. */
export type Leaving = "drain" | "cancel";

export interface ProviderRecord {
  readonly name: string;
  readonly baseUrl: string;
  readonly auth: "bearer" | "x-api-key" | "none";
  /** The environment variable that holds the credential. */
  readonly keyFrom: string | null;
  readonly formats: readonly FormatName[];
  readonly whenClientLeaves: { readonly json: Leaving; readonly stream: Leaving };
  /** Whose list prices apply. */
  readonly pricesOf: string;
  readonly region: string | null;
  /** Sent upstream with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** `sent`: streams carry their usage unasked, and the option to ask for it is refused. */
  readonly streamUsage?: "sent";
}

export const formats: ReadonlyMap<FormatName, Format> = new Map(
  [chat, responses, embeddings, anthropic].map((format) => [format.name, format]),
);

/** Paths of calls, and the format spoken there. */
export const paths: Readonly<Record<string, FormatName>> = {
  "/v1/chat/completions": "openai-chat",
  "/v1/responses": "openai-responses",
  "/v1/embeddings": "openai-embeddings",
  "/v1/messages": "anthropic-messages",
};

const openaiFormats: readonly FormatName[] = ["openai-chat", "openai-responses", "openai-embeddings"];

function compatible(name: string, baseUrl: string, keyFrom: string | null, differs: Partial<ProviderRecord> = {}): ProviderRecord {
  return {
    name,
    baseUrl,
    auth: keyFrom === null ? "none" : "bearer",
    keyFrom,
    formats: ["openai-chat"],
    whenClientLeaves: { json: "drain", stream: "drain" },
    pricesOf: name,
    region: null,
    headers: {},
    ...differs,
  };
}

const cancels = { json: "drain", stream: "cancel" } as const;
const chatAndEmbeddings: readonly FormatName[] = ["openai-chat", "openai-embeddings"];

/** A server on this machine stops when its client leaves, and costs no money per token. */
const local: Partial<ProviderRecord> = { formats: openaiFormats, whenClientLeaves: { json: "cancel", stream: "cancel" } };

export const providers: readonly ProviderRecord[] = [
  compatible("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", { formats: openaiFormats, whenClientLeaves: cancels }),
  compatible("anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY", {
    auth: "x-api-key",
    formats: ["anthropic-messages"],
    whenClientLeaves: cancels,
  }),
  compatible("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
  compatible("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
  compatible("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY", { formats: chatAndEmbeddings, whenClientLeaves: cancels }),
  compatible("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", {
    formats: chatAndEmbeddings,
    whenClientLeaves: cancels,
  }),
  compatible("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", { whenClientLeaves: cancels }),
  compatible("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", { formats: chatAndEmbeddings, streamUsage: "sent" }),
  compatible("xai", "https://api.x.ai/v1", "XAI_API_KEY", {
    formats: ["openai-chat", "openai-responses"],
    whenClientLeaves: cancels,
    pricesOf: "x-ai",
  }),
  compatible("perplexity", "https://api.perplexity.ai", "PERPLEXITY_API_KEY"),
  compatible("moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", { pricesOf: "moonshotai" }),
  compatible("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
  compatible("ollama", "http://127.0.0.1:11434/v1", null, local),
  compatible("lmstudio", "http://127.0.0.1:1234/v1", null, local),
  compatible("vllm", "http://127.0.0.1:8000/v1", null, local),
  compatible("llamacpp", "http://127.0.0.1:8080/v1", null, { ...local, formats: chatAndEmbeddings }),
];

/**
 * The known providers with the settings laid over them, by name. A name that is not known is an OpenAI-compatible server.
 * @throws PennyworthError `config_invalid` when such a server has no address.
 */
export function mergeProviders(settings: Readonly<Record<string, ProviderSettings>>): ReadonlyMap<string, ProviderRecord> {
  const merged = new Map(providers.map((record) => [record.name, record]));
  for (const [name, given] of Object.entries(settings)) {
    const known = merged.get(name) ?? toRecord(name, given.baseUrl);
    merged.set(name, {
      ...known,
      baseUrl: (given.baseUrl ?? known.baseUrl).replace(/\/+$/, ""),
      auth: given.auth ?? (known.auth === "none" && (given.keyFrom ?? given.keyFile) !== undefined ? "bearer" : known.auth),
      keyFrom: given.keyFrom ?? known.keyFrom,
      formats: given.formats ?? known.formats,
      whenClientLeaves:
        given.whenClientLeaves === undefined ? known.whenClientLeaves : { json: given.whenClientLeaves, stream: given.whenClientLeaves },
      pricesOf: given.pricesOf ?? known.pricesOf,
      region: given.region ?? known.region,
      headers: { ...known.headers, ...given.headers },
    });
  }
  return merged;
}

function toRecord(name: string, baseUrl: string | undefined): ProviderRecord {
  if (baseUrl !== undefined) return compatible(name, baseUrl, null, { auth: "bearer", formats: openaiFormats });
  const known = providers.map((record) => record.name).join(", ");
  const detail = `providers.${name}.baseUrl is missing: ${name} is none of the known providers (${known})`;
  throw new PennyworthError("config_invalid", { detail });
}
