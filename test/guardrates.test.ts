// Rates end to end, where calls wait for their turn: in order, fairly, with shares of a pool; who leaves, is late or is stopped while it waits
// leaves nothing behind. And budgets that degrade. Not here: the queue by itself (src/guard/queue.test.ts), refusals (guardclients.test.ts).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answered, boundOf, chat, dollars, type Guarded, pico, read, type Seen, soon, startGuarded } from "./guarded.ts";

let guarded: Guarded;
beforeAll(async () => {
  guarded = await startGuarded({ guard: { waitMsMax: 4_000, waitingMax: 50, fair: "customer" } });
  // The first call of a process takes longer than the others.
  await read(chat(guarded.url));
});
afterAll(() => guarded?.close());

const lastSeen = (): Seen => guarded.provider.seen.at(-1) as Seen;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** A call that says who it is, and takes so long. */
function one(feature: string, name: string, { ms = 150, customer = "all", agent = "none", signal }: Partial<One> = {}): Promise<Answered> {
  const headers = { "x-pennyworth-feature": feature, "x-pennyworth-customer": customer, "x-pennyworth-agent": agent };
  const text = `${name} [[sandbox delay-ms=${ms} output-tokens=5]]`;
  return read(chat(guarded.url, { text, headers, ...(signal === undefined ? {} : { signal }) }));
}
interface One {
  readonly ms: number;
  readonly customer: string;
  readonly agent: string;
  readonly signal: AbortSignal;
}
/** In which order calls of a feature came to the provider, by what they begin with. */
const order = (pattern: RegExp): string[] => guarded.provider.seen.flatMap(({ text }) => pattern.exec(text)?.[0] ?? []);
const waiting = async (): Promise<number> => (await guarded.control("GET", "/guard")).body.waiting as number;

describe("calls that wait for a rate", () => {
  it("get in, in the order in which they came, and none is lost", async () => {
    await guarded.set("line", { kind: "rate", for: { feature: "line" }, limit: "1 at once" });
    const coming: Promise<Answered>[] = [];
    for (let index = 0; index < 6; index++) {
      coming.push(one("line", `line-${index}`));
      await pause(20);
    }
    expect((await Promise.all(coming)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(order(/line-\d/)).toEqual(["line-0", "line-1", "line-2", "line-3", "line-4", "line-5"]);
    expect((await guarded.tally()).waited).toBeGreaterThanOrEqual(5);
    expect(await guarded.standing("line")).toMatchObject({ held: "0" });
  });

  it("are refused with 429 when their time is over, and leave nothing behind", async () => {
    await guarded.set("late", { kind: "rate", for: { feature: "late" }, limit: "1 at once" });
    const first = one("late", "late-0", { ms: 5_000 });
    await pause(100);
    const began = performance.now();
    const late = await one("late", "late-1");
    expect([late.status, late.body.error.code, late.header("x-should-retry")]).toEqual([429, "rate_limited", "true"]);
    expect(Number(late.header("retry-after"))).toBeGreaterThan(0);
    expect(performance.now() - began).toBeGreaterThan(3_900);
    expect((await first).status).toBe(200);
    expect(await guarded.standing("late")).toMatchObject({ held: "0" });
    expect(await waiting()).toBe(0);
  });

  it("of a heavy customer slow down only that one", async () => {
    await guarded.set("fair", { kind: "rate", for: { feature: "fair" }, limit: "1 at once" });
    const heavy = Array.from({ length: 8 }, (_, index) => one("fair", `fair-heavy-${index}`, { customer: "heavy", ms: 100 }));
    await pause(50);
    const light = one("fair", "fair-light-0", { customer: "light", ms: 100 });
    expect((await light).status).toBe(200);
    const before = order(/fair-\w+-\d/).indexOf("fair-light-0");
    // One was under way, and at most one more was let in before.
    expect(before).toBeLessThanOrEqual(2);
    expect((await Promise.all(heavy)).map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
  });

  it("leave the queue when their client goes, and hold nothing", async () => {
    await guarded.set("gone", { kind: "rate", for: { feature: "gone" }, limit: "1 at once" });
    await guarded.set("gone-money", { for: { feature: "gone" }, limit: "$1 per day" });
    const first = one("gone", "gone-0", { ms: 600 });
    await pause(100);
    const leaving = new AbortController();
    const second = one("gone", "gone-1", { signal: leaving.signal });
    await soon(waiting, (count) => count === 1);
    leaving.abort();
    await expect(second).rejects.toThrow();
    await soon(waiting, (count) => count === 0);
    await first;
    await pause(100);
    expect(order(/gone-\d/)).toEqual(["gone-0"]);
    expect(await guarded.standing("gone")).toMatchObject({ held: "0" });
    expect(await guarded.standing("gone-money")).toMatchObject({ held: "0", presumed: "0" });
  });

  it("are refused when somebody stops all below a node", async () => {
    await guarded.set("stops", { kind: "rate", for: { feature: "stops" }, limit: "1 at once" });
    const first = one("stops", "stops-0", { ms: 700 });
    await pause(100);
    const second = one("stops", "stops-1");
    await soon(waiting, (count) => count === 1);
    const { body: halt } = await guarded.control("POST", "/halts", { for: { feature: "stops" } });
    const [a, b] = await Promise.all([first, second]);
    expect([a.status, b.status]).toEqual([403, 403]);
    expect(order(/stops-\d/)).toEqual(["stops-0"]);
    await guarded.control("DELETE", `/halts/${halt.id}`);
    expect(await guarded.standing("stops")).toMatchObject({ held: "0" });
  });

  it("go when more is allowed", async () => {
    await guarded.set("more", { kind: "rate", for: { feature: "more" }, limit: "1 call per 10s" });
    expect((await one("more", "more-0", { ms: 1 })).status).toBe(200);
    const second = one("more", "more-1", { ms: 1 });
    await soon(waiting, (count) => count === 1);
    const began = performance.now();
    await guarded.set("more", { kind: "rate", for: { feature: "more" }, limit: "5 calls per 10s" });
    expect((await second).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  it("are not told to come again for more than a rate ever has", async () => {
    await guarded.set("narrow", { kind: "rate", for: { feature: "narrow" }, limit: "100 tokens per 10s" });
    const answer = await one("narrow", "narrow-0");
    expect([answer.status, answer.header("retry-after"), answer.header("x-should-retry")]).toEqual([402, null, "false"]);
    expect(answer.text).toContain("waiting does not help");
  });

  it("do not wait for money that no time brings", async () => {
    await guarded.set("poor", { for: { feature: "poor" }, limit: "$0.000001 for ever" });
    await guarded.set("poor-rate", { kind: "rate", for: { feature: "poor" }, limit: "1 at once" });
    const began = performance.now();
    expect((await one("poor", "poor-0")).status).toBe(402);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

/** One ends after the other: of those that go at the same moment nobody knows which arrives first. */
const crawl = (index: number): Promise<Answered> =>
  one("pool", `pool-crawler-${index}`, { agent: "crawler", ms: index < 3 ? 1_500 + 500 * index : 10, customer: "c" });

describe("shares of a pool", () => {
  it("are sure, and what one does not use is lent to the others until it is wanted", async () => {
    await guarded.set("pool", {
      kind: "rate",
      for: { feature: "pool" },
      limit: "3 at once",
      shares: { agent: { planner: 2, crawler: 1 } },
    });
    const crawling = [0, 1, 2, 3, 4].map(crawl);
    await soon(
      () => order(/pool-\w+-\d/).length,
      (count) => count === 3,
    );
    // All three are the crawler's, by loan; the planner gets the first two that come back.
    const planning = [0, 1].map((index) => one("pool", `pool-planner-${index}`, { agent: "planner", ms: 400, customer: "p" }));
    await soon(waiting, (count) => count === 4);
    await Promise.all([...crawling, ...planning]);
    const came = order(/pool-\w+-\d/);
    expect(came.slice(0, 3).every((name) => name.includes("crawler"))).toBe(true);
    expect(came.slice(3, 5).toSorted()).toEqual(["pool-planner-0", "pool-planner-1"]);
  });
});

const parse = (usd: string): bigint => {
  const [whole = "0", fraction = ""] = usd.split(".");
  return BigInt(whole + fraction.padEnd(12, "0"));
};

describe("degrade", () => {
  const text = "Hm. [[sandbox input-tokens=40 output-tokens=30]]";
  const ask = (feature: string, more: object = {}): Promise<Answered> =>
    read(chat(guarded.url, { text, headers: { "x-pennyworth-feature": feature }, ...more }));
  /** Uses so many dollars of a budget, to the last digit, by taking back what is not used. */
  const use = async (id: string, percent: number): Promise<void> => {
    await guarded.set(id, await termsOf(id));
    await ask(id);
    const spent = pico(40, 30);
    const limit = (spent * 100n) / BigInt(percent);
    const { allowance } = await guarded.standing(id);
    await guarded.control("POST", `/budgets/${id}/grants`, { id: `${id}-use`, amount: `-$${dollars(parse(allowance) - limit)}` });
  };
  const terms: Record<string, object> = {};
  const termsOf = async (id: string): Promise<object> => terms[id] as object;

  it("asks a cheaper model from so much use on, in the header and on record", async () => {
    terms["model"] = { for: { feature: "model" }, limit: "$1 for ever", degrade: [{ at: "5%", model: "gpt-4-small" }] };
    await use("model", 5);
    const answer = await ask("model", { cap: 20 });
    expect([answer.status, lastSeen().body.model], answer.text).toEqual([200, "gpt-4-small"]);
    expect(answer.edits).toBe("model gpt-4-small instead (model is 5 % used)");
    const { start } = (await guarded.control("GET", `/calls/${answer.call}/receipt`)).body;
    if (start !== undefined) expect(start).toMatchObject({ modelAsked: "gpt-4o-mini", modelSent: "gpt-4-small" });
    expect((await guarded.tally()).degraded).toBeGreaterThan(0);
  });

  it("shortens answers from so much use on, also below the client's own cap", async () => {
    terms["cap"] = { for: { feature: "cap" }, limit: "$1 for ever", degrade: [{ at: "5%", cap: 12 }] };
    await use("cap", 5);
    const answer = await ask("cap", { cap: 50 });
    expect([answer.status, lastSeen().body.max_tokens, answer.edits]).toEqual([200, 12, "cap lowered to 12 (cap is 5 % used)"]);
  });

  it.for(["per year", "for ever"])("waits for the money from so much use on, and goes when a call gives some back (%s)", async (period) => {
    const feature = `waits-${period.slice(4)}`;
    const slow = { text: "[[sandbox delay-ms=700 input-tokens=40 output-tokens=30]]", headers: { "x-pennyworth-feature": feature } };
    const hold = pico(boundOf(slow), 100);
    await guarded.set(feature, {
      for: { feature },
      limit: `$${dollars(hold + pico(40, 30))} ${period}`,
      degrade: [{ at: "40%", wait: "3s" }],
    });
    const [first, second] = await Promise.all([read(chat(guarded.url, slow)), pause(100).then(() => read(chat(guarded.url, slow)))]);
    expect([first.status, second.status]).toEqual([200, 200]);
    const began = performance.now();
    const third = await read(chat(guarded.url, slow));
    expect([third.status, third.header("x-pennyworth-refused")]).toEqual([402, "budget_exhausted"]);
    // A year brings more; for ever brings nothing while no call is under way.
    expect(performance.now() - began > 2_900).toBe(period === "per year");
  });
});
