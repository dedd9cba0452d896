// Days of which no margin can be said, and what is said instead. Not here: the sums (test/margin.test.ts).

import { expect, it } from "vitest";
import type { KeyCost } from "../ledger/margin.ts";
import { createApi } from "./app.ts";
import type { MarginAnswer } from "./margined.ts";
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
  [
    "that end in days to come",
    () => "?since=2026-10-01&until=2999-01-01",
    (today) =>
      `until is 2999-01-01, and days to come have no margin yet: ${dayOf(today + 86_400_000)} at the latest, which takes in the day under way (UTC)`,
  ],
  ["that end long after", () => "?until=2999-01-01", () => "until is 2999-01-01, and days to come have no margin yet"],
  [
    "that end a day after the one under way",
    (today) => `?until=${dayOf(today + 2 * 86_400_000)}`,
    (today) => `until is ${dayOf(today + 2 * 86_400_000)}, and days to come have no margin yet`,
  ],
  [
    "with what nothing is divided by",
    () => "?reserved=Acme%3D1&shared=usage",
    () => "reserved divides what is shared by it: say shared=reserved too",
  ],
  [
    "with a capacity that nothing is divided by",
    () => "?capacity=100",
    () => "capacity bounds what is shared by it: say shared=idle apart",
  ],
  ["by tokens of a capacity that is not looked at", () => "?capacity=100&shared=usage", () => "capacity bounds what is shared by it"],
  ["evenly, of a capacity", () => "?capacity=100&shared=even", () => "capacity bounds what is shared by it"],
  [
    "with losses that grow and nothing to carry them",
    () => "?burnGrowth=0.1",
    () => "burnGrowth says how fast cash is spent: say cash too",
  ],
  ["with a profit that no margin takes", () => "?profit=12000", () => "say marginKind=fcf or marginKind=ebitda too"],
  ["with a profit, and gross margin", () => "?profit=12000&marginKind=gross", () => "say marginKind=fcf or marginKind=ebitda too"],
  ["with what plans have not", () => "?by=plan&cac=120", () => "cac is of customers, and by is plan"],
  ["with what features have not", () => "?by=feature&burnGrowth=0.1", () => "burnGrowth is of customers, and by is feature"],
  ["turned round", () => "?since=2026-10-02&until=2026-10-01", () => "no whole day lies between since (2026-10-02) and until (2026-10-01)"],
])("the margin of days %s is refused, with what is so", async (_, query, message) => {
  const context = createMemory([]);
  const today = Math.floor(context.entryMs() / 86_400_000) * 86_400_000;
  const response = await createApi(context).request(`/api/v1/margin${query(today)}`, { headers: { authorization: "Bearer reader" } });
  const { error } = (await response.json()) as { readonly error?: { readonly message: string } };
  expect([response.status, error?.message]).toEqual([400, expect.stringContaining(message(today))]);
});

it.each(["?capacity=100&shared=idle%20apart", "?burnGrowth=0.1&cash=5", "?profit=12000&marginKind=fcf", "?marginKind=fcf"])(
  "%s leaves nothing out, and is answered",
  async (query) => {
    const response = await createApi(createMemory([])).request(`/api/v1/margin${query}`, { headers: { authorization: "Bearer reader" } });
    expect(response.status).toBe(200);
  },
);

it("the day under way is in a margin that ends with the midnight to come", async () => {
  const context = createMemory([]);
  const today = Math.floor(context.entryMs() / 86_400_000) * 86_400_000;
  const response = await createApi(context).request(`/api/v1/margin?since=${dayOf(today)}&until=${dayOf(today + 86_400_000)}`, {
    headers: { authorization: "Bearer reader" },
  });
  expect([response.status, await response.json()]).toEqual([200, expect.objectContaining({ days: 1, untilMs: today + 86_400_000 })]);
});

function row(key: string | null, cost: string, tokens: number, unpriced = 0): KeyCost {
  return { key, calls: 1, cost, periodCost: "0", tokens, unpriced };
}

/** Of Ada and Bob, of 3,000 and 2,000 tokens, and ten dollars of nobody's; something of Bob has no price. */
async function marginOf(query: string): Promise<MarginAnswer> {
  const memory = createMemory([]);
  const costs = [row("Ada", "4", 3_000), row("Bob", "6", 2_000, 1), row(null, "10", 0)];
  const context = {
    ...memory,
    ledger: { ...memory.ledger, margin: async (asked: never) => ({ ...(await memory.ledger.margin(asked)), costs }) },
  };
  const response = await createApi(context).request(`/api/v1/margin${query}`, { headers: { authorization: "Bearer reader" } });
  return (await response.json()) as MarginAnswer;
}

it("a capacity that is less than what was used is said to be", async () => {
  const { nobody, notes } = await marginOf("?shared=idle%20apart&capacity=1");
  expect(nobody).toMatchObject({ divided: "10", left: "0" });
  expect(notes).toContain(
    "Customers used 5,000 tokens, 4,999 more than the capacity of 1: nothing is idle, and what is nobody's is divided whole. Is the capacity right?",
  );
  for (const capacity of [5_000, 8_000])
    expect((await marginOf(`?shared=idle%20apart&capacity=${capacity}`)).notes.join(" ")).not.toContain("capacity");
  expect((await marginOf("?by=feature&shared=idle%20apart&capacity=4999")).notes.at(-1)).toMatch(/^Features used .*, 1 more than/);
});

it("the dearest have each its own bound", async () => {
  const { concentration } = await marginOf("");
  expect(concentration?.dearest.map(({ customer, cost, isCostWhole }) => [customer, cost, isCostWhole])).toEqual([
    ["Bob", "6", false],
    ["Ada", "4", true],
  ]);
});
