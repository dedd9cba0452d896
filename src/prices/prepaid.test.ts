import { describe, expect, it } from "vitest";
import { readConfig } from "../config.ts";
import { readAllowances, readCredits } from "./prepaid.ts";

const allowance = { id: "free", provider: "google", classes: ["web_search"], units: 1_500, every: "day" };

function read(model?: string) {
  const flags = { allowances: [model === undefined ? allowance : { ...allowance, model }] };
  return readAllowances(readConfig(undefined, flags, {}).settings.allowances);
}

describe("what was paid ahead, or is free, by the settings", () => {
  it("is money to the last digit and days as instants of UTC", () => {
    const { credits } = readConfig(
      undefined,
      { credits: [{ id: "grant", amount: "0.10", from: "2026-07-01", expires: "2027-07-01" }] },
      {},
    ).settings;
    expect(readCredits(credits)).toEqual([
      { id: "grant", provider: null, amountPico: 100_000_000_000n, fromMs: Date.UTC(2026, 6, 1), expiresMs: Date.UTC(2027, 6, 1) },
    ]);
  });

  it("is of every model, or of those named", () => {
    expect(read()).toMatchObject([{ match: null, classes: ["web_search"], fromMs: null, toMs: null }]);
    expect(read("Gemini-3")).toMatchObject([{ match: { equals: "gemini-3" } }]);
  });

  it("is refused for a class that is none, with its place", () => {
    const { allowances } = readConfig(undefined, { allowances: [{ ...allowance, classes: ["input", "tokens"] }] }, {}).settings;
    expect(() => readAllowances(allowances)).toThrow(/allowances\.0 \(free\): tokens is no usage class; there are input, /);
  });
});
