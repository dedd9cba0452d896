import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { apis } from "./api.ts";
import { addressOf, authOf, formats, mergeProviders, placeOf, type ProviderRecord, providers } from "./table.ts";

describe("the providers", () => {
  it("are each a name of their own, at an address without a slash at its end, with formats that exist", () => {
    expect(new Set(providers.map(({ name }) => name)).size).toBe(providers.length);
    for (const { baseUrl, formats: spoken, auth, keyFrom } of providers) {
      if (baseUrl !== null && !baseUrl.includes("{")) expect(new URL(baseUrl).href.replace(/\/$/, "")).toBe(baseUrl);
      expect(spoken.filter((name) => !formats.has(name))).toEqual([]);
      expect(auth === "none").toBe(keyFrom === null);
    }
    const served = apis.flatMap(({ endpoints }) => endpoints.map(({ format }) => format));
    expect(served.every((name) => formats.get(name)?.name === name)).toBe(true);
  });

  it("do when a client leaves what docs/disconnects.md says", () => {
    const page = readFileSync(fileURLToPath(new URL("../../docs/disconnects.md", import.meta.url)), "utf8");
    const rows = [...page.matchAll(/^\| ([\w-]+) +\| (drain|cancel) +\| (drain|cancel) +\|/gm)].map(([, name, json, stream]) => [
      name,
      { json, stream },
    ]);
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(providers.map(({ name, whenClientLeaves }) => [name, whenClientLeaves])));
  });

  it("bill of a stream that is cut what docs/disconnects.md says, and by whose word", () => {
    const page = readFileSync(fileURLToPath(new URL("../../docs/disconnects.md", import.meta.url)), "utf8");
    const rows = [...page.matchAll(/^\| ([\w-]+) +\| (stops|bills on|unknown) +\| (.+?) +\|$/gm)].map(([, name, bills, by]) => [
      name,
      bills,
      by,
    ]);
    expect(rows).toEqual(providers.map(({ name, afterCut, afterCutBy }) => [name, afterCut, afterCutBy]));
  });

  it("of which nobody knows what they bill are not cancelled when a client leaves, nor those that bill on", () => {
    for (const { afterCut, afterCutBy, whenClientLeaves } of providers) {
      expect(whenClientLeaves.stream).toBe(afterCut === "stops" ? "cancel" : "drain");
      expect(afterCutBy === "nobody").toBe(afterCut === "unknown");
    }
  });
});

describe("settings", () => {
  it("make another OpenAI-compatible server with one record", () => {
    expect(mergeProviders({ mine: { baseUrl: "http://127.0.0.1:9999/v1/", keyFrom: "MINE_KEY" } }).get("mine")).toEqual({
      name: "mine",
      baseUrl: "http://127.0.0.1:9999/v1",
      auth: "bearer",
      keyFrom: "MINE_KEY",
      apis: { openai: "" },
      formats: ["openai-chat", "openai-completions", "openai-responses", "openai-embeddings", "openai-images", "openai-audio"],
      whenClientLeaves: { json: "drain", stream: "drain" },
      afterCut: "unknown",
      afterCutBy: "nobody",
      pricesOf: ["mine"],
      region: null,
      headers: {},
    });
  });

  it("may change one thing of a known provider", () => {
    const merged = mergeProviders({ openai: { keyFile: "key.txt" }, ollama: { keyFrom: "OLLAMA_KEY" } });
    expect(merged.get("openai")).toEqual(providers.find(({ name }) => name === "openai"));
    expect(merged.get("ollama")).toMatchObject({ baseUrl: "http://127.0.0.1:11434", auth: "bearer", keyFrom: "OLLAMA_KEY" });
  });

  it("of a new provider say where it is", () => {
    expect(() => mergeProviders({ opena1: { keyFile: "key.txt" } })).toThrow(
      /providers\.opena1\.baseUrl is missing: .*\(openai, anthropic,/,
    );
  });

  it("lie over a known provider, and leave the rest of it", () => {
    const merged = mergeProviders({ anthropic: { baseUrl: "https://proxy.example/v1", whenClientLeaves: "drain", headers: { a: "b" } } });
    expect(merged.get("anthropic")).toMatchObject({
      baseUrl: "https://proxy.example/v1",
      auth: "x-api-key",
      keyFrom: "ANTHROPIC_API_KEY",
      formats: ["anthropic-messages"],
      whenClientLeaves: { json: "drain", stream: "drain" },
      headers: { a: "b" },
    });
    expect(merged.size).toBe(providers.length);
    expect(providers.find(({ name }) => name === "anthropic")?.whenClientLeaves.stream).toBe("cancel");
  });

  it("make one provider like another, elsewhere", () => {
    const merged = mergeProviders({ "azure-eu": { like: "azure", baseUrl: "https://eu.openai.azure.com", keyFrom: "EU_KEY" } });
    expect(merged.get("azure-eu")).toEqual({
      ...providers.find(({ name }) => name === "azure"),
      name: "azure-eu",
      baseUrl: "https://eu.openai.azure.com",
      keyFrom: "EU_KEY",
    });
    // A key goes where it was meant to go: to its provider, also in another region, and to no other address unless it is named.
    const others = mergeProviders({
      elsewhere: { like: "anthropic", baseUrl: "https://other.example/v1" },
      eu: { like: "vertex", region: "europe-west4" },
    });
    expect(others.get("elsewhere")).toMatchObject({ auth: "x-api-key", keyFrom: null });
    expect(others.get("eu")).toMatchObject({ keyFrom: "GOOGLE_APPLICATION_CREDENTIALS", region: "europe-west4" });
    expect(() => mergeProviders({ mine: { like: "nobody" } })).toThrow(/providers\.mine\.like: no provider is called nobody/);
    expect(() => mergeProviders({ mine: { baseUrl: "http://x/v1", formats: ["openai-chats"] } })).toThrow(
      /no format is called openai-chats/,
    );
  });

  it("take an address with or without the version that people know it by", () => {
    const given = ["http://gpu:11434", "http://gpu:11434/", "http://gpu:11434/v1"];
    const taken = given.map((baseUrl) => mergeProviders({ ollama: { baseUrl } }).get("ollama")?.baseUrl);
    expect(taken).toEqual(Array(3).fill("http://gpu:11434"));
    expect(mergeProviders({ openai: { baseUrl: "http://proxy/v1" } }).get("openai")?.baseUrl).toBe("http://proxy/v1");
  });
});

describe("an address", () => {
  it("has its region filled in, and is asked for where it is not known", () => {
    expect(addressOf({ ...named("bedrock"), region: "eu-west-1" })).toBe("https://bedrock-runtime.eu-west-1.amazonaws.com");
    expect(addressOf(named("vertex"))).toBe("https://aiplatform.googleapis.com");
    expect(addressOf({ ...named("vertex"), region: "europe-west4" })).toBe("https://europe-west4-aiplatform.googleapis.com");
    expect(() => addressOf(named("bedrock"))).toThrow(/set providers\.bedrock\.region/);
    expect(() => addressOf(named("azure"))).toThrow(/set providers\.azure\.baseUrl/);
  });

  it("and a credential's slot are those of the API that is spoken", () => {
    expect([placeOf(named("google"), "openai"), authOf(named("google"), "openai")]).toEqual(["/v1beta/openai", "bearer"]);
    expect([placeOf(named("google"), "gemini"), authOf(named("google"), "gemini")]).toEqual(["", "x-goog-api-key"]);
    expect(placeOf(named("openai"), "gemini")).toBeNull();
  });
});

function named(name: string): ProviderRecord {
  return providers.find((record) => record.name === name) as ProviderRecord;
}
