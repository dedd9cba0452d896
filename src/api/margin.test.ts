// Days of which no margin can be said, and what is said instead. Not here: the sums (test/margin.test.ts).

import { expect, it } from "vitest";
import { createApi } from "./app.ts";
import { createMemory } from "./memory.fixture.ts";

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

it.each<[string, (today: number) => string, (today: number) => string]>([
  [
    "to come",
    () => "?since=2999-01-01&until=2999-02-01",
    () => "since begins in the future (2999-01-01T00:00:00.000Z): nothing has been used there yet",
  ],
  [
    "of the day under way",
    (today) => `?since=${dayOf(today)}`,
    (today) => `: margins end with yesterday unless until is said (${dayOf(today + 86_400_000)})`,
  ],
  ["turned round", () => "?since=2026-10-02&until=2026-10-01", () => "no whole day lies between since (2026-10-02) and until (2026-10-01)"],
])("the margin of days %s is refused, with what is so", async (_, query, message) => {
  const context = createMemory([]);
  const today = Math.floor(context.entryMs() / 86_400_000) * 86_400_000;
  const response = await createApi(context).request(`/api/v1/margin${query(today)}`, { headers: { authorization: "Bearer reader" } });
  const { error } = (await response.json()) as { readonly error?: { readonly message: string } };
  expect([response.status, error?.message]).toEqual([400, expect.stringContaining(message(today))]);
});
