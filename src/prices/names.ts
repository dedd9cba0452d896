// Whose model a key of another tool's price map means: its provider and model as the price book calls them, and its region. Not here: prices.
// Invariant: a key that names no model (a class of sizes, a picture's format, a commitment by the hour) is told from one that does.

export interface Named {
  readonly provider: string;
  readonly model: string;
  readonly region: string | null;
}

/** LiteLLM's provider → the price book's; any other keeps its name, with hyphens. */
const litellmProviders: Readonly<Record<string, string>> = {
  "text-completion-openai": "openai",
  azure_ai: "azure",
  azure_text: "azure",
  bedrock: "aws",
  bedrock_converse: "aws",
  bedrock_mantle: "aws",
  gemini: "google",
  palm: "google",
  "fireworks_ai-embedding-models": "fireworks",
  fireworks_ai: "fireworks",
  together_ai: "together",
  codestral: "mistral",
  "text-completion-codestral": "mistral",
  xai: "x-ai",
  cohere_chat: "cohere",
  moonshot: "moonshotai",
  voyage: "voyageai",
};

/** What LiteLLM writes before a model's own name. */
const litellmPrefixes = [
  "azure/",
  "azure_ai/",
  "bedrock/",
  "bedrock_mantle/",
  "vertex_ai/",
  "gemini/",
  "palm/",
  "fireworks_ai/",
  "together_ai/",
  "codestral/",
  "text-completion-codestral/",
  "xai/",
  "cohere/",
  "moonshot/",
  "voyage/",
  "openai/",
  "amazon-nova/",
  "text-completion-openai/",
];

/** A key of LiteLLM's map. @returns what it means, or in words why it means no model. */
export function nameOfLitellm(litellmProvider: string, key: string): Named | string {
  const provider = litellmProvider.startsWith("vertex_ai")
    ? "vertex"
    : (litellmProviders[litellmProvider] ?? litellmProvider.replaceAll("_", "-"));
  const prefix = [`${litellmProvider}/`, ...litellmPrefixes].find((one) => key.startsWith(one));
  let model = prefix === undefined || prefix.startsWith("openai/") !== (provider === "openai") ? key : key.slice(prefix.length);
  if (prefix === `${litellmProvider}/`) model = key.slice(prefix.length);
  if (/^(together-ai|fireworks-ai)-/.test(model)) return "a class of model sizes, and no model";
  if (/(^|\/)(\d+|max)-x-(\d+|max)\/|^(low|medium|high|standard|hd|auto)\//.test(model))
    return "a picture's format and quality, which no usage class tells apart";
  if (/(^|\/)\d+-month-commitment\//.test(model)) return "committed throughput is paid by the hour, and not by the call";
  let region: string | null = null;
  if (provider === "aws") {
    const place = /^((?:us|eu|ap|ca|sa|me|af|il|mx)(?:-gov)?-[a-z]+-\d)\//.exec(model);
    if (place !== null) [, region = null] = place;
    model = model.replace(/^[a-z-]+-\d\//, "").replace(/^(invoke|converse)\//, "");
  }
  if (provider === "azure") {
    const zone = /^(eu|us|global|global-standard)\//.exec(model);
    if (zone !== null) {
      region = zone[1] === "global-standard" ? "global" : (zone[1] ?? null);
      model = model.slice(zone[0].length);
    }
  }
  return { provider, model, region };
}

/** models.dev's provider → the price book's. */
const modelsDevProviders: Readonly<Record<string, string>> = {
  "amazon-bedrock": "aws",
  "google-vertex": "vertex",
  "google-vertex-anthropic": "vertex",
  "azure-cognitive-services": "azure",
  "fireworks-ai": "fireworks",
  togetherai: "together",
  xai: "x-ai",
  "cloudflare-workers-ai": "cloudflare",
};

export function nameOfModelsDev(provider: string, model: string): Named {
  return { provider: modelsDevProviders[provider] ?? provider, model, region: null };
}
