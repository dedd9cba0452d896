import { expect, it } from "vitest";
import { nearest } from "./near.ts";

const models = ["gpt-5", "gpt-5-mini", "gpt-5-nano", "claude-opus-4-6", "claude-sonnet-4-6", "o3"];

it.each([
  ["gpt-5-mni", ["gpt-5-mini", "gpt-5"]],
  ["gtp-5", ["gpt-5"]],
  ["GPT-5-NANO", ["gpt-5-nano", "gpt-5"]],
  ["sonnet", ["claude-sonnet-4-6"]],
  ["claude-opus-4.6", ["claude-opus-4-6"]],
  ["mistral-large", []],
  ["", []],
])("near %j are %j", (name, near) => {
  expect(nearest(name, models).slice(0, near.length === 0 ? 5 : near.length)).toEqual(near);
});

it("gives no more than asked for, and takes names of any length", () => {
  expect(nearest("gpt", models, 2)).toEqual(["gpt-5", "gpt-5-mini"]);
  expect(nearest("x".repeat(100_000), models)).toEqual([]);
});
