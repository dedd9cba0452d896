import { describe, expect, it, test } from "vitest";
import type { RouteSettings } from "../config.ts";
import type { PennyworthError } from "../error.ts";
import { mergeProviders, type ProviderRecord, providers, sandboxRecord } from "../providers/table.ts";
import type { ApiName } from "../providers/api.ts";
import { type Address, checkRoutes, readAddress, readHint, route, type RouteTable } from "./route.ts";

const provider = (name: string, formats: ProviderRecord["formats"]): [string, ProviderRecord] => {
  const apis = { openai: "", ...(formats.includes("anthropic-messages") ? { anthropic: "" } : {}) };
  return [
    name,
    { name, baseUrl: "http://127.0.0.1:1", formats, apis, auth: "bearer", keyFrom: `${name.toUpperCase()}_API_KEY` } as ProviderRecord,
  ];
};
const table = (credentialed: readonly string[], routes: readonly RouteSettings[] = []): RouteTable => ({
  providers: new Map([
    provider("openai", ["openai-chat", "openai-responses", "openai-embeddings"]),
    provider("anthropic", ["anthropic-messages"]),
    [...provider("local", ["openai-chat"])].map((part) => (typeof part === "string" ? part : { ...part, auth: "none" })) as [
      string,
      ProviderRecord,
    ],
    provider("other", ["openai-chat"]),
    provider("sandbox", ["openai-chat", "openai-responses", "openai-embeddings", "anthropic-messages"]),
  ]),
  routes,
  credentialed: new Set(credentialed),
});
const read = (method: string, path: string, anthropic: boolean): Address =>
  readAddress(table([]).providers, method, path, anthropic ? "anthropic" : null);
const addressAt = (path: string, method = "POST"): Address => read(method, path, false);
const modelAt = (path: string): string | undefined => addressAt(path).model?.name;
const chat = read("POST", "/v1/chat/completions", false);
const messages = read("POST", "/v1/messages", true);
const first = (...args: Parameters<typeof route>): string => route(...args).targets[0]!.provider.name;

test("a client's own credential goes to the real provider; without any, the sandbox answers", () => {
  expect(first(table([]), chat, "gpt-5", "sk-own")).toBe("openai");
  expect(first(table([]), chat, "gpt-5", null)).toBe("sandbox");
  expect(first(table([]), messages, "claude-sonnet-4-5", null)).toBe("sandbox");
  expect(first(table(["openai"]), chat, "gpt-5", null)).toBe("openai");
});

test("with one provider configured, a call to another without a credential is refused, never answered by the sandbox", () => {
  expect(() => route(table(["openai"]), messages, "claude-sonnet-4-5", null)).toThrow(/ANTHROPIC_API_KEY/);
});

test("the sandbox answers whoever asks for it", () => {
  expect(first(table(["openai"]), chat, "gpt-5", "sandbox")).toBe("sandbox");
  expect(first(table(["openai"]), chat, "sandbox-small", null)).toBe("sandbox");
  expect(first(table(["openai"]), read("POST", "/to/sandbox/v1/messages", false), "x", null)).toBe("sandbox");
});

test("a route names targets in order, with wildcards and other models", () => {
  const routes: RouteSettings[] = [{ model: "gpt-5*", targets: [{ provider: "local", model: "llama" }, { provider: "openai" }] }];
  const found = route(table(["openai"], routes), chat, "gpt-5-mini", null);
  expect(found.targets.map((target) => [target.provider.name, target.model])).toEqual([
    ["local", "llama"],
    ["openai", null],
  ]);
  expect(found.retry.triesMax).toBe(2);
  expect(first(table(["openai"], routes), chat, "gpt-4.1", null)).toBe("openai");
});

test("a client's credential never goes to another company than it was meant for", () => {
  const routes: RouteSettings[] = [{ model: "gpt-5", targets: [{ provider: "other" }, { provider: "openai" }] }];
  const found = route(table([], routes), chat, "gpt-5", "sk-own");
  expect(found.targets.map((target) => target.provider.name)).toEqual(["openai"]);
  expect(route(table([], routes), read("POST", "/to/other/v1/chat/completions", false), "gpt-5", "x").targets[0]).toMatchObject({
    own: true,
  });
  expect(() => route(table([], [{ model: "gpt-5", targets: [{ provider: "other" }] }]), chat, "gpt-5", "sk-own")).toThrow(/OTHER_API_KEY/);
});

test("routes that no request could follow are refused before anything is served", () => {
  const { providers: known } = table([]);
  expect(() => checkRoutes(known, [{ model: "x", targets: [{ provider: "nobody" }] }])).toThrow(/no provider is called nobody/);
  expect(() => checkRoutes(known, [{ model: "x", targets: [{ provider: "openai" }, { provider: "anthropic" }] }])).toThrow(
    /cannot stand in/,
  );
});

test("a provider that does not speak the format is refused by name", () => {
  expect(() => route(table([]), read("POST", "/to/local/v1/messages", false), "x", null)).toThrow(/local is not set up/);
});

test("what is served, and what is not", () => {
  expect(read("GET", "/v1/models", false)).toMatchObject({ kind: "free", format: "openai-chat" });
  expect(read("GET", "/v1/models/claude-x", true)).toMatchObject({ kind: "free", format: "anthropic-messages" });
  expect(read("POST", "/v1/messages/count_tokens", false).kind).toBe("free");
  expect(read("GET", "/v1/responses/resp_1", false).kind).toBe("kept");
  expect(read("POST", "/v1/responses/resp_1/cancel", false).kind).toBe("kept");
  expect(() => read("POST", "/v1/constructor", false)).toThrow(/serves nothing/);
  for (const path of [
    "/v1/chat/completions/../../x",
    "/v1/models/..",
    "/to/openai/v1/models/..%2Ffiles",
    "/v1/responses/x%2Ffiles",
    "/v1/models/%2e%2e/files",
  ])
    expect(() => read("GET", path, false), path).toThrow(/cannot be read in one way/);
  expect(read("GET", "/v1/models/meta%2Fllama", false).kind).toBe("free");
});

test("paths that several APIs share go to the one whose client asks", () => {
  const { providers: known } = table([]);
  const whose = (path: string, hint: ApiName | null): string => readAddress(known, "GET", path, hint).api.name;
  expect([whose("/v1/models", null), whose("/v1/models", "anthropic"), whose("/v1/models", "gemini")]).toEqual([
    "openai",
    "anthropic",
    "gemini",
  ]);
  expect([whose("/v1/batches/b1", null), whose("/v1/batches/b1", "gemini")]).toEqual(["openai", "gemini"]);
  expect(readHint({ "x-goog-api-key": "k" }, "")).toBe("gemini");
  expect(readHint({}, "alt=sse&key=k")).toBe("gemini");
  expect(readHint({}, "monkey=k")).toBeNull();
});

test("a model in the path is told by its name, whatever it is made of", () => {
  expect(modelAt("/v1beta/models/gemini-2.5-flash:generateContent")).toBe("gemini-2.5-flash");
  expect(modelAt("/v1/projects/p/locations/l/publishers/anthropic/models/claude@20250929:streamRawPredict")).toBe("claude@20250929");
  expect(modelAt("/openai/deployments/my-gpt/chat/completions")).toBe("my-gpt");
  const arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";
  expect(modelAt(`/model/${encodeURIComponent(arn)}/converse-stream`)).toBe(arn);
  expect(() => read("POST", "/model/..%2F..%2Fx/converse", false)).toThrow(/climbs/);
  // A deployment may be called as a part of the path is.
  expect(read("POST", "/openai/deployments/chat/chat/completions", false).model).toEqual({ name: "chat", span: [20, 24] });
});

test("what is not known passes under a provider's name, and nowhere else", () => {
  expect(addressAt("/to/openai/v1/realtime/sessions")).toMatchObject({ kind: "unmetered", format: null, path: "/v1/realtime/sessions" });
  // A provider's own API comes before another company's that it speaks as well: the path stays as the provider has it.
  const known = mergeProviders({});
  const owner = (path: string): string => readAddress(known, "POST", path, null).api.name;
  expect(owner("/to/cohere/v1/classify")).toBe("cohere");
  expect(owner("/to/google/v1/interactions")).toBe("gemini");
  expect(owner("/to/azure/openai/vector_stores")).toBe("azure");
  expect(owner("/to/xai/v1/videos/generations")).toBe("openai");
  expect(() => addressAt("/v1/realtime/sessions")).toThrow(/serves nothing/);
  expect(() => addressAt("/to/openai/v2/other")).toThrow(/serves nothing/);
  expect(() => addressAt("/to/openai/v1/../admin")).toThrow(/climbs/);
  // What could be metered does not pass unread because a record is incomplete.
  expect(() => addressAt("/to/local/v1/messages")).toThrow(/local is not set up/);
});

describe("what could be metered never passes unread", () => {
  const whole = new Map([...providers, sandboxRecord].map((record) => [record.name, record]));
  const kindOf = (path: string, method = "POST"): string => {
    try {
      const { kind, api, path: at } = readAddress(whole, method, path, null);
      return `${kind} ${api.name} ${at}`;
    } catch (error) {
      return (error as PennyworthError).code;
    }
  };

  it.each([
    ["/v1beta/models/gemini-2.5-pro:generateContent#:countTokens"],
    ["/v1/batches/#/cancel"],
    ["/to/openai/v1/chat/completions#x"],
    ["/to/openai/v1/%63hat/completions"],
    ["/to/openai/v1//chat/completions"],
    ["/to/openai/v1/chat/completions;x=1"],
    ["/to/openai/v1/chat/completions%3Fa=1"],
    ["/to/openai/v1/chat/completions%09"],
    ["/to/openai/v1/chat/completions%00"],
    ["/to/openai/v1\\chat\\completions"],
    ["/to/openai/v1/chat%5Ccompletions"],
    ["/to/openai/v1/chat%2Fcompletions"],
    ["/to/openai/v1/Chat/Completions"],
    ["/to/openai/v1/chat/completions/"],
    ["/to/google/v1beta/models/gemini-2.5-pro%3AgenerateContent"],
    ["/to/google/v1beta/models/gemini-2.5-pro:GenerateContent"],
    ["/to/azure/openai/deployments/d/Chat/completions"],
    ["/to/openai/v1/..%2f..%2fx%ff"],
    ["/v1beta/models/..%2f..%2ffoo%ff:generateContent"],
    ["/to/openai/v1/..;/x"],
    ["/to/ollama/API/chat"],
  ])("%s is refused", (path) => expect(kindOf(path)).toBe("path_invalid"));

  it.each(["PUT", "PATCH", "GET", "DELETE"])("nor by the method %s", (method) =>
    expect(kindOf("/to/openai/v1/embeddings", method)).toBe("method_not_allowed"),
  );

  it("under the address that people know of the provider it is metered as under Pennyworth's", () => {
    expect(kindOf("/to/google/v1beta/openai/chat/completions")).toBe("metered openai /v1/chat/completions");
    expect(kindOf("/to/cohere/compatibility/v1/chat/completions")).toBe("metered openai /v1/chat/completions");
    expect(kindOf("/to/azure/models/chat/completions")).toBe("metered azure /models/chat/completions");
    expect(kindOf("/v1/projects/p/locations/l/endpoints/123:generateContent")).toMatch(/^metered vertex/);
  });

  it("and what is something else still passes", () => {
    expect(kindOf("/to/openai/v1/threads/t1/messages")).toBe("unmetered openai /v1/threads/t1/messages");
    expect(kindOf("/to/openai/v1/models/ft:gpt-4o:acme", "DELETE")).toMatch(/^unmetered/);
    expect(kindOf("/to/azure/openai/v1/vector_stores")).toMatch(/^unmetered azure \/openai\/v1/);
  });
});
