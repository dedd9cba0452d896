// Budgets over time, end to end: windows of a calendar and rolling ones, what is carried over, grants and other terms while calls run, budgets
// that go, what was spent before a budget was there, other settings at a restart. The wall clock is the test's own.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answered, boundOf, chat, dollars, type Guarded, pico, read, soon, startGuarded } from "./guarded.ts";

const minute = 60_000;
const hour = 60 * minute;
/** How far the gateway's wall clock is ahead of the machine's. */
let aheadMs = 0;
let guarded: Guarded;
beforeAll(async () => {
  // Noon, so that no day ends under a test by itself.
  const begin = Date.parse("2026-11-18T12:00:00Z");
  const offset = begin - Date.now();
  guarded = await startGuarded({}, () => Date.now() + offset + aheadMs);
});
afterAll(() => guarded?.close());

const text = "[[sandbox input-tokens=100 output-tokens=100]]";
const cost = pico(100, 100);
const hold = pico(boundOf({ text }), 100);
const one = (feature: string, more: object = {}): Promise<Answered> =>
  read(chat(guarded.url, { text, headers: { "x-pennyworth-feature": feature }, ...more }));
const statuses = async (feature: string, count: number): Promise<number[]> => {
  const found: number[] = [];
  for (let turn = 0; turn < count; turn++) found.push((await one(feature)).status);
  return found;
};
/** Room for so many calls, by their cost, and not for one more. */
const roomFor = (calls: bigint): string => `$${dollars(cost * (calls - 1n) + hold)}`;

describe("windows", () => {
  it("of a calendar begin anew at their zone's midnight, and carry a rest over as far as is said, once", async () => {
    await guarded.set("days", { for: { feature: "days" }, limit: "4 calls per day", zone: "Asia/Tokyo", carry: "1 call" });
    // It is 21 o'clock in Tokyo.
    expect(await statuses("days", 2)).toEqual([200, 200]);
    aheadMs += 2 * hour;
    expect(await guarded.standing("days")).toMatchObject({ spent: "2", allowance: "4" });
    aheadMs += 1.1 * hour;
    expect(await guarded.standing("days")).toMatchObject({ spent: "0", allowance: "5", left: "5" });
    expect(await statuses("days", 6)).toEqual([200, 200, 200, 200, 200, 402]);
    aheadMs += 24 * hour;
    expect(await guarded.standing("days")).toMatchObject({ allowance: "4", left: "4" });
    // Two days without a call: what the one before left, and no more than is said.
    aheadMs += 48 * hour;
    expect(await guarded.standing("days")).toMatchObject({ allowance: "5", left: "5" });
  });

  it("that roll let a call in again when the time that is said has passed, and a sixtieth more at most", async () => {
    await guarded.set("rolls", { for: { feature: "rolls" }, limit: "2 calls per rolling 2h" });
    expect(await statuses("rolls", 1)).toEqual([200]);
    aheadMs += hour;
    expect(await statuses("rolls", 2)).toEqual([200, 402]);
    aheadMs += hour - 3 * minute;
    expect(await statuses("rolls", 1)).toEqual([402]);
    aheadMs += 6 * minute;
    expect(await statuses("rolls", 2)).toEqual([200, 402]);
  });

  it("get a settlement in the window in which its call began", async () => {
    await guarded.set("late", { for: { feature: "late" }, limit: "$1 per day" });
    const long = "[[sandbox input-tokens=100 output-tokens=100 delay-ms=400]]";
    const coming = read(chat(guarded.url, { text: long, headers: { "x-pennyworth-feature": "late" } }));
    await soon(
      () => guarded.standing("late"),
      ({ held }) => held !== "0",
    );
    aheadMs += 24 * hour;
    expect((await coming).status).toBe(200);
    expect(await guarded.standing("late")).toMatchObject({ spent: "0", held: "0", left: "1" });
  });
});

describe("grants", () => {
  it("count at once, once by their id, for calls that run beside them, and end with their window", async () => {
    await guarded.set("granted", { for: { feature: "granted" }, limit: roomFor(1n) + " per day" });
    expect(await statuses("granted", 2)).toEqual([200, 402]);
    const grant = { id: "more", amount: `$${dollars(2n * cost)}` };
    expect((await guarded.control("POST", "/budgets/granted/grants", grant)).body.outcome).toBe("granted");
    expect((await guarded.control("POST", "/budgets/granted/grants", grant)).body.outcome).toBe("known");
    expect(await statuses("granted", 3)).toEqual([200, 200, 402]);
    expect((await guarded.standing("granted")).spent).toBe(dollars(3n * cost));
    aheadMs += 24 * hour;
    expect((await guarded.standing("granted")).left).toBe(roomFor(1n).slice(1));
    expect(await statuses("granted", 2)).toEqual([200, 402]);
  });

  it("below zero take back, and what is under way stays", async () => {
    await guarded.set("taken", { for: { feature: "taken" }, limit: "$1 per day" });
    const slow = "[[sandbox input-tokens=100 output-tokens=100 delay-ms=500]]";
    const coming = read(chat(guarded.url, { text: slow, headers: { "x-pennyworth-feature": "taken" } }));
    await soon(
      () => guarded.standing("taken"),
      ({ held }) => held !== "0",
    );
    await guarded.control("POST", "/budgets/taken/grants", { id: "back", amount: "-$1" });
    expect((await one("taken")).status).toBe(402);
    expect((await coming).status).toBe(200);
    expect(await guarded.standing("taken")).toMatchObject({ spent: dollars(cost), left: dollars(-cost), allowance: "0" });
  });
});

describe("other terms while the server runs", () => {
  it("of the same window keep what was spent; a call under way settles under them", async () => {
    await guarded.set("terms", { for: { feature: "terms" }, limit: "$1 per day" });
    const slow = "[[sandbox input-tokens=100 output-tokens=100 delay-ms=400]]";
    const coming = read(chat(guarded.url, { text: slow, headers: { "x-pennyworth-feature": "terms" } }));
    await soon(
      () => guarded.standing("terms"),
      ({ held }) => held !== "0",
    );
    await guarded.set("terms", { for: { feature: "terms" }, limit: "$0.5 per day" });
    await coming;
    expect(await guarded.standing("terms")).toMatchObject({ spent: dollars(cost), held: "0", allowance: "0.5" });
  });

  it("of another window count what was spent in it, too", async () => {
    await guarded.set("windows", { for: { feature: "windows" }, limit: "$1 per day" });
    expect(await statuses("windows", 2)).toEqual([200, 200]);
    await guarded.set("windows", { for: { feature: "windows" }, limit: "$1 per month" });
    const { spent } = await soon(
      () => guarded.standing("windows"),
      (standing) => standing.spent !== "0",
    );
    expect(spent).toBe(dollars(2n * cost));
  });

  it("a budget that goes counts nothing; calls that held on it end as ever", async () => {
    await guarded.set("goes", { for: { feature: "goes" }, limit: "1 call per day" });
    const slow = "[[sandbox delay-ms=400]]";
    const coming = read(chat(guarded.url, { text: slow, headers: { "x-pennyworth-feature": "goes" } }));
    await soon(
      () => guarded.standing("goes"),
      ({ held }) => held !== "0",
    );
    expect((await guarded.control("DELETE", "/budgets/goes")).status).toBe(200);
    expect((await coming).status).toBe(200);
    expect((await one("goes")).status).toBe(200);
    expect((await guarded.control("GET", "/budgets/goes")).status).toBe(404);
  });
});

describe("what was spent before a budget was there", () => {
  it("counts in its window: by value of each, in money, tokens and calls", async () => {
    const before = { "x-pennyworth-feature": "before" };
    for (const customer of ["Hay", "Hay", "Moo"])
      await read(chat(guarded.url, { text, headers: { ...before, "x-pennyworth-customer": customer } }));
    await guarded.set("b-money", { for: { feature: "before" }, limit: "$1 per day" });
    await guarded.set("b-tokens", { for: { feature: "before" }, limit: "1M tokens per month" });
    await guarded.set("b-calls", { for: { feature: "before" }, each: ["customer"], limit: "2 calls per day" });
    const spent = async (id: string): Promise<string[]> => (await guarded.standings(id)).map((standing) => standing.spent);
    expect(
      await soon(
        () => spent("b-money"),
        ([sum]) => sum !== "0",
      ),
    ).toEqual([dollars(3n * cost)]);
    expect(
      await soon(
        () => spent("b-tokens"),
        ([sum]) => sum !== "0",
      ),
    ).toEqual(["600"]);
    expect(
      await soon(
        () => spent("b-calls"),
        (sums) => sums.length === 2,
      ),
    ).toEqual(["2", "1"]);
    expect((await read(chat(guarded.url, { headers: { ...before, "x-pennyworth-customer": "Hay" } }))).status).toBe(402);
    expect((await read(chat(guarded.url, { headers: { ...before, "x-pennyworth-customer": "Moo" } }))).status).toBe(200);
  });

  it("counts for a call that was under way then, once", async () => {
    const headers = { "x-pennyworth-feature": "during" };
    const coming = read(chat(guarded.url, { text: "[[sandbox input-tokens=100 output-tokens=100 delay-ms=700]]", headers }));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await guarded.set("during", { for: { feature: "during" }, limit: "$1 per day" });
    expect((await coming).status).toBe(200);
    expect((await one("during")).status).toBe(200);
    const { spent } = await soon(
      () => guarded.standing("during"),
      (standing) => standing.spent === dollars(2n * cost),
    );
    expect(spent).toBe(dollars(2n * cost));
  });
});
