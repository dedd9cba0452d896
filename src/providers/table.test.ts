import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { formats, mergeProviders, paths, providers } from "./table.ts";

describe("the providers", () => {
  it("are each a name of their own, at an address without a slash at its end, with formats that exist", () => {
    expect(new Set(providers.map(({ name }) => name)).size).toBe(providers.length);
    for (const { baseUrl, formats: spoken, auth, keyFrom } of providers) {
      expect(new URL(baseUrl).href.replace(/\/$/, "")).toBe(baseUrl);
      expect(spoken.every((name) => formats.has(name))).toBe(true);
      expect(auth === "none").toBe(keyFrom === null);
    }
    expect(Object.values(paths).every((name) => formats.get(name)?.name === name)).toBe(true);
  });

  it("do when a client leaves what docs/disconnects.md says", () => {
    const page = readFileSync(fileURLToPath(new URL("../../docs/disconnects.md", import.meta.url)), "utf8");
    const rows = [...page.matchAll(/^\| ([\w-]+) +\| (drain|cancel) +\| (drain|cancel) +\|/gm)].map(([, name, json, stream]) => [
      name,
      { json, stream },
    ]);
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(providers.map(({ name, whenClientLeaves }) => [name, whenClientLeaves])));
  });
});

describe("settings", () => {
  it("make another OpenAI-compatible server with one record", () => {
    expect(mergeProviders({ mine: { baseUrl: "http://127.0.0.1:9999/v1/", keyFrom: "MINE_KEY" } }).get("mine")).toEqual({
      name: "mine",
      baseUrl: "http://127.0.0.1:9999/v1",
      auth: "bearer",
      keyFrom: "MINE_KEY",
      formats: ["openai-chat", "openai-responses", "openai-embeddings"],
      whenClientLeaves: { json: "drain", stream: "drain" },
      pricesOf: "mine",
      region: null,
      headers: {},
    });
  });

  it("may change one thing of a known provider", () => {
    const merged = mergeProviders({ openai: { keyFile: "key.txt" }, ollama: { keyFrom: "OLLAMA_KEY" } });
    expect(merged.get("openai")).toEqual(providers.find(({ name }) => name === "openai"));
    expect(merged.get("ollama")).toMatchObject({ baseUrl: "http://127.0.0.1:11434/v1", auth: "bearer", keyFrom: "OLLAMA_KEY" });
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
});
