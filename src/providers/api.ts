// APIs: families of paths as clients know them, what stands at each path, and which wire format is spoken there. As data, so that a new
// API is a record. Not here: how a format is read (one file each), where providers live (table.ts). Of two endpoints that
// match, the first one holds.

import type { FormatName } from "./format.ts";

/**
 * `metered`: one call to one model. `kept`: an answer that was made before is read or cancelled: a witness of the call that made it.
 * `free`: providers bill nothing for it; passed through without a record. `work`: begins, reads or ends work that outlasts a request, and
 * whose cost comes later (batches, caches, fine-tuning).
 */
export type EndpointKind = "metered" | "kept" | "free" | "work";

export interface Endpoint {
  readonly kind: EndpointKind;
  readonly method: string;
  /** Of the whole path. The group `model`, where there is one, names the model, percent-encoded. */
  readonly pattern: RegExp;
  /** Whose clients call it: their errors have its shape, and for `metered` and `kept` its bodies are read. */
  readonly format: FormatName;
}

export interface Api {
  readonly name: ApiName;
  /** The head of its paths, whose place a provider's base URL takes; empty: the whole path goes behind the base URL. */
  readonly root: string;
  /** Whose it is: asked when no route and no path names another provider. */
  readonly provider: string;
  readonly endpoints: readonly Endpoint[];
}

export type ApiName = "openai" | "anthropic" | "gemini" | "vertex" | "ollama" | "azure" | "bedrock" | "cohere";

const metered = (pattern: RegExp, format: FormatName): Endpoint => ({ kind: "metered", method: "POST", pattern, format });
const kept = (method: string, pattern: RegExp, format: FormatName): Endpoint => ({ kind: "kept", method, pattern, format });
const free = (method: string, pattern: RegExp, format: FormatName): Endpoint => ({ kind: "free", method, pattern, format });
const work = (method: string, pattern: RegExp, format: FormatName): Endpoint => ({ kind: "work", method, pattern, format });

/** OpenAI's endpoints under one head of path: its own, and Azure's newer one. */
function openaiEndpoints(head: string): readonly Endpoint[] {
  const at = (rest: string): RegExp => new RegExp(`^${head}${rest}$`);
  return [
    metered(at("/chat/completions"), "openai-chat"),
    metered(at("/completions"), "openai-completions"),
    metered(at("/responses"), "openai-responses"),
    metered(at("/embeddings"), "openai-embeddings"),
    metered(at("/images/(generations|edits|variations)"), "openai-images"),
    metered(at("/audio/(transcriptions|translations|speech)"), "openai-audio"),
    free("GET", at("/chat/completions(/[^/]+(/messages)?)?"), "openai-chat"),
    free("POST", at("/responses/input_tokens"), "openai-responses"),
    free("GET", at("/responses/[^/]+/input_items"), "openai-responses"),
    free("DELETE", at("/responses/[^/]+"), "openai-responses"),
    kept("GET", at("/responses/[^/]+"), "openai-responses"),
    kept("POST", at("/responses/[^/]+/cancel"), "openai-responses"),
    free("GET", at("/models(/[^/]+)*"), "openai-chat"),
    free("POST", at("/moderations"), "openai-chat"),
    free("GET", at("/files(/[^/]+)?"), "openai-chat"),
    free("POST", at("/files"), "openai-chat"),
    free("DELETE", at("/files/[^/]+"), "openai-chat"),
    work("GET", at("/files/[^/]+/content"), "openai-chat"),
    work("POST", at("/batches"), "openai-chat"),
    work("GET", at("/batches(/[^/]+)?"), "openai-chat"),
    work("POST", at("/batches/[^/]+/cancel"), "openai-chat"),
    work("POST", at("/fine_tuning/jobs"), "openai-chat"),
    work("GET", at("/fine_tuning/jobs(/[^/]+)?"), "openai-chat"),
    work("POST", at("/fine_tuning/jobs/[^/]+/(cancel|pause|resume)"), "openai-chat"),
    free("GET", at("/fine_tuning/jobs/[^/]+/(events|checkpoints)"), "openai-chat"),
  ];
}

const model = "(?<model>[^/]+)";
const location = "/(?:v1|v1beta1)/projects/[^/]+/locations/[^/]+";
const publisher = "/(?:v1|v1beta1)/(?:projects/[^/]+/locations/[^/]+/)?publishers";

export const apis: readonly Api[] = [
  { name: "openai", root: "/v1", provider: "openai", endpoints: openaiEndpoints("/v1") },
  {
    name: "anthropic",
    root: "/v1",
    provider: "anthropic",
    endpoints: [
      metered(/^\/v1\/messages$/, "anthropic-messages"),
      free("POST", /^\/v1\/messages\/count_tokens$/, "anthropic-messages"),
      free("GET", /^\/v1\/models(\/[^/]+)*$/, "anthropic-messages"),
      work("POST", /^\/v1\/messages\/batches$/, "anthropic-messages"),
      work("GET", /^\/v1\/messages\/batches(\/[^/]+(\/results)?)?$/, "anthropic-messages"),
      work("POST", /^\/v1\/messages\/batches\/[^/]+\/cancel$/, "anthropic-messages"),
      work("DELETE", /^\/v1\/messages\/batches\/[^/]+$/, "anthropic-messages"),
    ],
  },
  {
    name: "gemini",
    root: "",
    provider: "google",
    endpoints: [
      metered(
        /^\/v1(?:beta|alpha)?\/(?:models|tunedModels)\/(?<model>[^/]+):(?:generateContent|streamGenerateContent)$/,
        "gemini-generate",
      ),
      metered(/^\/v1(?:beta|alpha)?\/models\/(?<model>[^/]+):(?:embedContent|batchEmbedContents)$/, "gemini-embed"),
      free("POST", /^\/v1(?:beta|alpha)?\/models\/[^/]+:countTokens$/, "gemini-generate"),
      free("GET", /^\/v1(?:beta|alpha)?\/models(\/[^/]+)?$/, "gemini-generate"),
      work("POST", /^\/v1(?:beta|alpha)?\/models\/[^/]+:(?:batchGenerateContent|asyncBatchEmbedContent)$/, "gemini-generate"),
      work("GET", /^\/v1(?:beta|alpha)?\/batches(\/[^/]+)?$/, "gemini-generate"),
      work("POST", /^\/v1(?:beta|alpha)?\/batches\/[^/]+:cancel$/, "gemini-generate"),
      work("DELETE", /^\/v1(?:beta|alpha)?\/batches\/[^/]+$/, "gemini-generate"),
      work("POST", /^\/v1(?:beta|alpha)?\/cachedContents$/, "gemini-generate"),
      work("GET", /^\/v1(?:beta|alpha)?\/cachedContents(\/[^/]+)?$/, "gemini-generate"),
      work("PATCH", /^\/v1(?:beta|alpha)?\/cachedContents\/[^/]+$/, "gemini-generate"),
      work("DELETE", /^\/v1(?:beta|alpha)?\/cachedContents\/[^/]+$/, "gemini-generate"),
    ],
  },
  {
    name: "vertex",
    root: "",
    provider: "vertex",
    endpoints: [
      free("POST", new RegExp(`^${publisher}/anthropic/models/count-tokens:rawPredict$`), "anthropic-messages"),
      metered(new RegExp(`^${publisher}/google/models/${model}:(?:generateContent|streamGenerateContent)$`), "gemini-generate"),
      metered(new RegExp(`^${location}/endpoints/${model}:(?:generateContent|streamGenerateContent)$`), "gemini-generate"),
      metered(new RegExp(`^${publisher}/google/models/${model}:(?:predict|embedContent)$`), "gemini-embed"),
      metered(new RegExp(`^${publisher}/anthropic/models/${model}:(?:rawPredict|streamRawPredict)$`), "anthropic-messages"),
      free("POST", new RegExp(`^${publisher}/google/models/[^/]+:countTokens$`), "gemini-generate"),
      free("GET", new RegExp(`^${publisher}/[^/]+/models(/[^/]+)?$`), "gemini-generate"),
    ],
  },
  {
    name: "ollama",
    root: "",
    provider: "ollama",
    endpoints: [
      metered(/^\/api\/(?:chat|generate)$/, "ollama-generate"),
      metered(/^\/api\/(?:embed|embeddings)$/, "ollama-embed"),
      free("GET", /^\/api\/(?:tags|ps|version)$/, "ollama-generate"),
      free("HEAD", /^\/api\/(?:tags|ps|version)$/, "ollama-generate"),
      free("POST", /^\/api\/(?:show|pull|push|create|copy)$/, "ollama-generate"),
      free("DELETE", /^\/api\/delete$/, "ollama-generate"),
    ],
  },
  {
    name: "azure",
    root: "",
    provider: "azure",
    endpoints: [
      metered(new RegExp(`^/openai/deployments/${model}/chat/completions$`), "openai-chat"),
      metered(new RegExp(`^/openai/deployments/${model}/completions$`), "openai-completions"),
      metered(new RegExp(`^/openai/deployments/${model}/embeddings$`), "openai-embeddings"),
      metered(new RegExp(`^/openai/deployments/${model}/images/(?:generations|edits)$`), "openai-images"),
      metered(new RegExp(`^/openai/deployments/${model}/audio/(?:transcriptions|translations|speech)$`), "openai-audio"),
      metered(/^\/models\/chat\/completions$/, "openai-chat"),
      metered(/^\/models\/embeddings$/, "openai-embeddings"),
      ...openaiEndpoints("/openai/v1"),
      ...openaiEndpoints("/openai"),
    ],
  },
  {
    name: "bedrock",
    root: "",
    provider: "bedrock",
    endpoints: [
      metered(new RegExp(`^/model/${model}/(?:converse|converse-stream)$`), "bedrock-converse"),
      metered(new RegExp(`^/model/${model}/(?:invoke|invoke-with-response-stream)$`), "bedrock-invoke"),
      free("POST", /^\/model\/[^/]+\/count-tokens$/, "bedrock-converse"),
    ],
  },
  {
    name: "cohere",
    root: "",
    provider: "cohere",
    endpoints: [
      metered(/^\/v[12]\/chat$/, "cohere-chat"),
      metered(/^\/v[12]\/(?:embed|rerank)$/, "cohere-embed"),
      free("POST", /^\/v1\/(?:tokenize|detokenize)$/, "cohere-chat"),
    ],
  },
];

/**
 * How the paths of metered calls end, wherever they begin and however they are spelt: a path of which nothing else is known does not pass
 * unread with such an end.
 */
export const meteredTail =
  /(?:\/completions|\/responses|\/embeddings|\/v1\/messages|\/images\/(?:generations|edits|variations)|:(?:streamgeneratecontent|generatecontent|embedcontent|batchembedcontents|streamrawpredict|rawpredict)|\/model\/.*\/(?:converse|converse-stream|invoke|invoke-with-response-stream)|\/api\/(?:chat|generate|embed|embeddings)|\/v[12]\/(?:chat|embed|rerank))$/;
