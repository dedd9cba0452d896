import { describe, expect, it } from "vitest";
import type { FormatName } from "./format.ts";
import { hidesReasoning } from "./hidden.ts";

describe("reasoning", () => {
  it.each<[FormatName, string | null, boolean]>([
    ["openai-chat", "gpt-4o-mini-2024-07-18", false],
    ["openai-chat", "gpt-4.1", false],
    ["openai-chat", "openai/gpt-4o", false],
    ["openai-responses", "gpt-5-mini", true],
    ["openai-responses", "o4-mini", true],
    ["openai-chat", "o1", true],
    ["anthropic-messages", "claude-3-5-sonnet-20241022", false],
    ["anthropic-messages", "claude-3-7-sonnet-20250219", true],
    ["anthropic-messages", "claude-sonnet-4-5", true],
    ["bedrock-converse", "us.anthropic.claude-3-haiku-20240307-v1:0", false],
    ["bedrock-converse", "anthropic.claude-sonnet-4-5-20250929-v1:0", true],
    ["bedrock-converse", "amazon.nova-lite-v1:0", false],
    ["bedrock-converse", "amazon.nova-2-lite-v1:0", true],
    ["gemini-generate", "gemini-2.0-flash", false],
    ["gemini-generate", "gemini-2.0-flash-thinking-exp", true],
    ["gemini-generate", "gemini-2.5-flash", true],
    ["openai-chat", "grok-3", false],
    ["openai-chat", "grok-4", true],
    ["openai-chat", "deepseek-reasoner", false],
    ["openai-chat", "sonar-deep-research", true],
    ["ollama-generate", "gpt-oss:20b", false],
    ["openai-chat", "a-model-of-tomorrow", true],
    ["openai-chat", null, true],
  ])("%s %s: hidden %s", (format, model, hidden) => {
    expect(hidesReasoning(format, model)).toBe(hidden);
  });
});
