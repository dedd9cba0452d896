// Providers as data: where each is, how it takes a credential, which APIs it speaks, and what to do with its answers when a client leaves.
// Another OpenAI-compatible server is one more record, here or in the settings. Not here: credentials themselves, routes, prices.

import type { ProviderSettings } from "../config.ts";
import { PennyworthError } from "../error.ts";
import { anthropic } from "./anthropic.ts";
import { type ApiName, apis } from "./api.ts";
import { audio } from "./audio.ts";
import { chat } from "./chat.ts";
import { cohereChat } from "./cohere.ts";
import { completions } from "./completions.ts";
import { bedrockConverse } from "./converse.ts";
import { embeddings } from "./embeddings.ts";
import { type Format, type FormatName, formatNames } from "./format.ts";
import { geminiGenerate } from "./gemini.ts";
import { images } from "./images.ts";
import { bedrockInvoke } from "./invoke.ts";
import { ollamaGenerate } from "./ollama.ts";
import { opaque } from "./opaque.ts";
import { responses } from "./responses.ts";
import { cohereEmbed, ollamaEmbed } from "./retrieval.ts";
import { geminiEmbed } from "./vectors.ts";

/** When the client has gone: read the answer to its end and count it, or cancel it and estimate. docs/disconnects.md gives the reasons. */
export type Leaving = "drain" | "cancel";

/**
 * What is billed of a stream that is ended before its time and whose connection is closed: what was generated until then, or the whole answer.
 * `unknown` is to be taken as `bills on`: nobody has said that cutting saves anything.
 */
export type AfterCut = "stops" | "bills on" | "unknown";

/** Who says so; docs/disconnects.md has their words. */
export type CutSource = "OpenRouter, of those behind it" | "public reports of invoices" | "it is the user's own machine" | "nobody";

/** `aws`: signed by SigV4, or a bearer where the variable holds a Bedrock key. `google`: a token that Google's library gets. */
export type Auth = "bearer" | "x-api-key" | "api-key" | "x-goog-api-key" | "aws" | "google" | "none";

export interface ProviderRecord {
  readonly name: string;
  /**
   * Without a slash at its end. `{region}` stands for the region, `{region-}` for it and a dash, or for nothing where there is none. null:
   * there is no usual address, and the settings give one.
   */
  readonly baseUrl: string | null;
  readonly auth: Auth;
  /** The environment variable that holds the credential. */
  readonly keyFrom: string | null;
  /** Its APIs: what comes behind the base URL in place of the API's root, and how it takes a credential there, if not as elsewhere. */
  readonly apis: { readonly [name in ApiName]?: string | { readonly at: string; readonly auth: Auth } };
  readonly formats: readonly FormatName[];
  readonly whenClientLeaves: { readonly json: Leaving; readonly stream: Leaving };
  readonly afterCut: AfterCut;
  readonly afterCutBy: CutSource;
  /** Whose list prices apply, in order. */
  readonly pricesOf: readonly string[];
  readonly region: string | null;
  /** Sent upstream with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** `sent`: streams carry their usage unasked, and the option to ask for it is refused. */
  readonly streamUsage?: "sent";
}

export const formats: ReadonlyMap<FormatName, Format> = new Map(
  [
    chat,
    completions,
    responses,
    embeddings,
    images,
    audio,
    anthropic,
    geminiGenerate,
    geminiEmbed,
    ollamaGenerate,
    ollamaEmbed,
    bedrockConverse,
    bedrockInvoke,
    cohereChat,
    cohereEmbed,
    opaque,
  ].map((format) => [format.name, format]),
);

const openaiFormats: readonly FormatName[] = [
  "openai-chat",
  "openai-completions",
  "openai-responses",
  "openai-embeddings",
  "openai-images",
  "openai-audio",
];
const chatAndEmbeddings: readonly FormatName[] = ["openai-chat", "openai-completions", "openai-embeddings"];
const drains = { json: "drain", stream: "drain" } as const;
const cancels = { json: "drain", stream: "cancel" } as const;
const stops = { whenClientLeaves: cancels, afterCut: "stops", afterCutBy: "OpenRouter, of those behind it" } as const;
const billsOn = { whenClientLeaves: drains, afterCut: "bills on", afterCutBy: "OpenRouter, of those behind it" } as const;

function provider(name: string, baseUrl: string | null, keyFrom: string | null, differs: Partial<ProviderRecord> = {}): ProviderRecord {
  return {
    name,
    baseUrl,
    auth: keyFrom === null ? "none" : "bearer",
    keyFrom,
    apis: { openai: "" },
    formats: ["openai-chat"],
    whenClientLeaves: drains,
    afterCut: "unknown",
    afterCutBy: "nobody",
    pricesOf: [name],
    region: null,
    headers: {},
    ...differs,
  };
}

/** A server on this machine stops when its client leaves, and costs no money per token. */
const local: Partial<ProviderRecord> = {
  formats: openaiFormats,
  whenClientLeaves: { json: "cancel", stream: "cancel" },
  afterCut: "stops",
  afterCutBy: "it is the user's own machine",
};

/** Such a server with OpenAI's and Anthropic's APIs at one address. docs/local.md says what was tried of which. */
const engine: Partial<ProviderRecord> = {
  ...local,
  apis: { openai: "", anthropic: "" },
  formats: [...openaiFormats, "anthropic-messages"],
};

export const providers: readonly ProviderRecord[] = [
  provider("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", { formats: openaiFormats, ...stops }),
  provider("anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY", {
    auth: "x-api-key",
    apis: { anthropic: "" },
    formats: ["anthropic-messages"],
    ...stops,
  }),
  provider("google", "https://generativelanguage.googleapis.com", "GEMINI_API_KEY", {
    auth: "x-goog-api-key",
    apis: { gemini: "", openai: { at: "/v1beta/openai", auth: "bearer" } },
    formats: ["gemini-generate", "gemini-embed", "openai-chat", "openai-embeddings"],
    ...billsOn,
  }),
  provider("vertex", "https://{region-}aiplatform.googleapis.com", "GOOGLE_APPLICATION_CREDENTIALS", {
    auth: "google",
    apis: { vertex: "" },
    formats: ["gemini-generate", "gemini-embed", "anthropic-messages"],
    ...billsOn,
    // Models of its garden that neither makes are in its own list, where one was taken.
    pricesOf: ["google", "anthropic", "vertex"],
  }),
  provider("azure", null, "AZURE_OPENAI_API_KEY", {
    auth: "api-key",
    apis: { azure: "", openai: "/openai/v1" },
    formats: openaiFormats,
    ...stops,
    pricesOf: ["azure", "openai"],
  }),
  provider("bedrock", "https://bedrock-runtime.{region}.amazonaws.com", "AWS_BEARER_TOKEN_BEDROCK", {
    auth: "aws",
    apis: { bedrock: "", openai: "/openai/v1" },
    formats: ["bedrock-converse", "bedrock-invoke", "openai-chat", "openai-responses"],
    ...billsOn,
    afterCutBy: "public reports of invoices",
    pricesOf: ["aws"],
  }),
  provider("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", {
    apis: { openai: "", anthropic: "" },
    formats: ["openai-chat", "openai-completions", "openai-responses", "openai-embeddings", "anthropic-messages"],
  }),
  provider("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", {
    formats: ["openai-chat", "openai-responses", "openai-audio"],
    ...billsOn,
  }),
  provider("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY", {
    formats: [...chatAndEmbeddings, "openai-images", "openai-audio"],
    ...stops,
  }),
  provider("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", {
    formats: [...chatAndEmbeddings, "openai-responses"],
    ...stops,
  }),
  provider("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", { ...stops }),
  provider("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", {
    formats: [...chatAndEmbeddings, "openai-audio"],
    ...billsOn,
    streamUsage: "sent",
  }),
  provider("xai", "https://api.x.ai/v1", "XAI_API_KEY", {
    apis: { openai: "", anthropic: { at: "", auth: "x-api-key" } },
    formats: ["openai-chat", "openai-responses", "anthropic-messages"],
    ...stops,
    pricesOf: ["x-ai"],
  }),
  provider("cohere", "https://api.cohere.com", "COHERE_API_KEY", {
    apis: { cohere: "", openai: "/compatibility/v1" },
    formats: ["cohere-chat", "cohere-embed", "openai-chat", "openai-embeddings"],
    ...stops,
  }),
  provider("perplexity", "https://api.perplexity.ai", "PERPLEXITY_API_KEY", billsOn),
  provider("moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", { pricesOf: ["moonshotai"] }),
  provider("zai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY"),
  provider("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
  provider("ollama", "http://127.0.0.1:11434", null, {
    ...local,
    apis: { ollama: "", openai: "/v1", anthropic: "/v1" },
    formats: [
      "ollama-generate",
      "ollama-embed",
      "openai-chat",
      "openai-completions",
      "openai-responses",
      "openai-embeddings",
      "anthropic-messages",
    ],
  }),
  provider("lmstudio", "http://127.0.0.1:1234/v1", null, engine),
  provider("vllm", "http://127.0.0.1:8000/v1", null, engine),
  provider("sglang", "http://127.0.0.1:30000/v1", null, engine),
  provider("llamacpp", "http://127.0.0.1:8080/v1", null, engine),
];

/** The provider inside Pennyworth, which speaks everything; its address is known once it listens. */
export const sandboxRecord: ProviderRecord = provider("sandbox", null, null, {
  apis: Object.fromEntries(apis.map(({ name, root }) => [name, root])),
  formats: [...formats.keys()],
  ...stops,
  afterCutBy: "it is the user's own machine",
  pricesOf: ["openai", "anthropic", "google", "cohere", "aws"],
});

/**
 * The known providers with the settings laid over them, by name. A name that is not known is like the one it says it is like, else an
 * OpenAI-compatible server.
 * @throws PennyworthError `config_invalid` when such a server has no address, or is like none that is known.
 */
export function mergeProviders(settings: Readonly<Record<string, ProviderSettings>>): ReadonlyMap<string, ProviderRecord> {
  const merged = new Map(providers.map((record) => [record.name, record]));
  for (const [name, given] of Object.entries(settings)) {
    const known = given.like !== undefined || !merged.has(name) ? toRecord(name, given) : (merged.get(name) as ProviderRecord);
    merged.set(name, {
      ...known,
      baseUrl: given.baseUrl === undefined ? known.baseUrl : baseOf(given.baseUrl, known),
      apis: given.auth === undefined ? known.apis : withoutAuth(known.apis),
      auth: given.auth ?? (known.auth === "none" && (given.keyFrom ?? given.keyFile) !== undefined ? "bearer" : known.auth),
      keyFrom: given.keyFrom ?? known.keyFrom,
      formats: given.formats?.map((format) => formatOf(name, format)) ?? known.formats,
      whenClientLeaves:
        given.whenClientLeaves === undefined ? known.whenClientLeaves : { json: given.whenClientLeaves, stream: given.whenClientLeaves },
      pricesOf: given.pricesOf === undefined ? known.pricesOf : [given.pricesOf],
      region: given.region ?? known.region,
      headers: { ...known.headers, ...given.headers },
    });
  }
  return merged;
}

/** What comes behind the base URL in place of an API's root; null when the provider does not speak that API. */
export function placeOf(record: ProviderRecord, api: ApiName): string | null {
  const place = record.apis[api];
  return place === undefined ? null : typeof place === "string" ? place : place.at;
}

export function authOf(record: ProviderRecord, api: ApiName): Auth {
  const place = record.apis[api];
  return place === undefined || typeof place === "string" || record.auth === "none" ? record.auth : place.auth;
}

/**
 * Where a provider is, its region filled in.
 * @throws PennyworthError `provider_address` when the settings have to say so and do not.
 */
export function addressOf({ name, baseUrl, region }: ProviderRecord): string {
  if (baseUrl === null) throw new PennyworthError("provider_address", { provider: name, setting: "baseUrl" });
  if (baseUrl.includes("{region}") && region === null) throw new PennyworthError("provider_address", { provider: name, setting: "region" });
  return baseUrl.replace("{region}", region ?? "").replace("{region-}", region === null || region === "global" ? "" : `${region}-`);
}

function formatOf(name: string, format: string): FormatName {
  const known = formatNames.find((candidate) => candidate === format);
  if (known !== undefined) return known;
  const detail = `providers.${name}.formats: no format is called ${format}; there are ${formatNames.join(", ")}`;
  throw new PennyworthError("config_invalid", { detail });
}

/** An auth that is given holds for all its APIs. */
function withoutAuth(spoken: ProviderRecord["apis"]): ProviderRecord["apis"] {
  return Object.fromEntries(Object.entries(spoken).map(([name, place]) => [name, typeof place === "string" ? place : place.at]));
}

/** People write the address that they know, with the version or without: `http://127.0.0.1:11434/v1` is Ollama's as well. */
function baseOf(given: string, { apis: spoken }: ProviderRecord): string {
  const base = given.replace(/\/+$/, "");
  const ends = Object.values(spoken).map((place) => (typeof place === "string" ? place : place.at));
  const end = ends.includes("") ? ends.find((path) => path !== "" && base.endsWith(path)) : undefined;
  return end === undefined ? base : base.slice(0, -end.length);
}

function toRecord(name: string, { baseUrl, like, formats: given }: ProviderSettings): ProviderRecord {
  const known = [...providers, sandboxRecord];
  const names = known.map((record) => record.name).join(", ");
  if (like !== undefined) {
    const model = known.find((record) => record.name === like);
    if (model === undefined)
      throw new PennyworthError("config_invalid", { detail: `providers.${name}.like: no provider is called ${like}; known: ${names}` });
    // The known provider's key is for its own address: another one may be another company's.
    return { ...model, name, keyFrom: baseUrl === undefined ? model.keyFrom : null };
  }
  if (baseUrl === undefined) {
    const detail = `providers.${name}.baseUrl is missing: ${name} is none of the known providers (${names}), nor like one of them`;
    throw new PennyworthError("config_invalid", { detail });
  }
  const speaksAnthropic = given?.includes("anthropic-messages") === true;
  return provider(name, baseUrl, null, {
    auth: "bearer",
    apis: speaksAnthropic ? { openai: "", anthropic: { at: "", auth: "x-api-key" } } : { openai: "" },
    formats: openaiFormats,
  });
}
