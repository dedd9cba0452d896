// The prices of periods as they ship, and the user's own above them. Dollars by hand from the pages that the records name.

import { describe, expect, it } from "vitest";
import type { PriceSettings } from "../config.ts";
import { formatUsd } from "../core/money.ts";
import { type PeriodClass, ratePeriod } from "../core/period.ts";
import { shippedBook } from "./book.fixture.ts";
import { readPeriods } from "./rules.ts";

const at = Date.parse("2026-11-21T00:00:00Z");

function dollars(of: string, name: PeriodClass, quantity: number, atMs = at, own: readonly PriceSettings[] = []): string | null {
  const [provider = "", model = ""] = of.split("/");
  const { costPico } = ratePeriod(shippedBook(own), { provider, model, region: null, atMs }, name, quantity);
  return costPico === null ? null : formatUsd(costPico);
}

const millionForAnHour = 1_000_000 * 3600;

describe("prices of periods", () => {
  it("a million tokens kept for an hour", () => {
    expect(dollars("google/gemini-2.5-pro", "cache_storage", millionForAnHour)).toBe("4.5");
    expect(dollars("google/gemini-2.5-flash", "cache_storage", millionForAnHour)).toBe("1");
    // Nobody could be quoted for it.
    expect(dollars("google/gemini-2.5-flash-lite", "cache_storage", millionForAnHour)).toBeNull();
    expect(dollars("google/gemini-3.7-flash", "cache_storage", millionForAnHour)).toBe("0.5");
  });

  it("a million tokens trained on, of the snapshot that the price is for", () => {
    expect(dollars("openai/gpt-4o-2024-08-06", "training", 1_000_000)).toBe("25");
    expect(dollars("openai/gpt-4o-mini-2024-07-18", "training", 1_234_567)).toBe("3.703701");
  });

  it("unknown is not zero: other models, other classes, and after an introductory price has ended", () => {
    expect(dollars("openai/gpt-4.1-2025-04-14", "training", 1)).toBeNull();
    expect(dollars("google/gemini-2.5-pro", "training", 1)).toBeNull();
    expect(dollars("azure/gpt-4o-2024-08-06", "training", 1)).toBeNull();
    expect(dollars("google/gemini-3.7-flash", "cache_storage", 1, Date.parse("2027-01-01T00:00:00Z"))).toBeNull();
  });

  it("the user's own goes first: storage by the million token-hours, training by the million tokens", () => {
    const own: readonly PriceSettings[] = [
      { provider: "google", model: "gemini-2.5-pro", perMillion: { cache_storage: "3.60" } },
      { provider: "openai", model: "gpt-4.1-*", perMillion: { training: "20" } },
    ];
    expect(dollars("google/gemini-2.5-pro", "cache_storage", millionForAnHour, at, own)).toBe("3.6");
    expect(dollars("openai/gpt-4.1-2025-04-14", "training", 50_000, at, own)).toBe("1");
  });

  it("storage by the one token-hour is the same price", () => {
    const own: readonly PriceSettings[] = [{ provider: "google", model: "gemini-2.5-pro", perHour: { cache_storage: "0.0000036" } }];
    expect(dollars("google/gemini-2.5-pro", "cache_storage", millionForAnHour, at, own)).toBe("3.6");
  });

  it("every record says where it was read, and its version leads back there", () => {
    const book = shippedBook();
    for (const { id, source } of readPeriods()) {
      expect(source.length).toBeGreaterThan(20);
      expect(book.source(id)).toContain(source);
    }
  });
});
