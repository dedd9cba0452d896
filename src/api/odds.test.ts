// The odds of one more try, by HTTP: tries one by one come in, and what was counted by hand comes out.

import { describe, expect, it } from "vitest";
import type { z } from "zod";
import type { Trial } from "../ledger/trials.ts";
import { createApi } from "./app.ts";
import { createMemory, nowMs } from "./memory.fixture.ts";
import type { oddsAnswer } from "./odds.ts";

type Answer = z.infer<typeof oddsAnswer>;

const endings = { s: "success", f: "failure", u: "unknown", o: "open" } as const;

/** `"f1 s2"`: failed for $1, then succeeded for $2, at a case of its own unless told. */
function history(of: string | null, text: string, candidate: string | null = "fix"): Trial[] {
  return text.split(" ").map((part, index) => ({
    candidate,
    task: `${of} ${candidate} ${index}`,
    case: of,
    startMs: nowMs - 1_000_000 + index,
    ending: endings[part[0] as "s"],
    cost: part[1] === "?" ? null : part.slice(1) || "0",
  }));
}

const many = (count: number, text: string): string[] => Array.from({ length: count }, () => text);
const histories = (...texts: string[]): Trial[] => texts.flatMap((text, index) => history(`case ${index}`, text));

function setUp(trials: readonly Trial[] = [], truncated = false) {
  const context = createMemory([]);
  context.tasks.trials = { trials, truncated, position: null };
  const app = createApi(context);
  const ask = async (query = "") => {
    const response = await app.request(`/api/v1/odds${query}`, { headers: { authorization: "Bearer reader" } });
    return { status: response.status, body: JSON.parse(await response.text()) as Answer & { error?: { message: string } } };
  };
  return { context, ask };
}

/** The first try of these, where a success is worth two dollars. */
const firstOf = async (...texts: string[]) => (await setUp(histories(...texts)).ask("?value=2")).body.rows[0]?.tries[0];

describe("the odds of one more try", () => {
  it("are those of tries after such failures, with what they cost, beside what independence would say", async () => {
    // As in economics/odds.test.ts, counted by hand there.
    const { status, body } = await setUp(histories("s1", "s1", "s2", "f1 s3", "f2 f3 f4", "f1 u6", "f1", "f3 f4", "s1 f9", "u1")).ask();
    expect(status).toBe(200);
    expect(body).toMatchObject({ by: "agent", value: null, review: null, truncated: false });
    const [row] = body.rows;
    expect(row).toMatchObject({ candidate: "fix", cases: 10, repeated: 5, nameless: 0, further: 0 });
    expect(
      row?.tries.map(({ attempt, failures, tries, successes, unknown, gaveUp, cost }) => [
        attempt,
        failures,
        tries,
        successes,
        unknown,
        gaveUp,
        cost,
      ]),
    ).toEqual([
      [1, 0, 9, 4, 1, 0, "1.4"],
      [2, 1, 3, 1, 1, 1, "4"],
      [3, 2, 1, 0, 0, 1, "4"],
    ]);
    const [first, second] = row?.tries ?? [];
    // Wilson of 1 of 3.
    expect([second?.rate, second?.low.toFixed(3), second?.high.toFixed(3)]).toEqual([1 / 3, "0.061", "0.792"]);
    expect(second?.within).toBeCloseTo(1 - (5 / 9) * (2 / 3), 12);
    expect(second?.independent?.rate).toBeCloseTo(4 / 9, 12);
    expect(second?.independent?.within).toBeCloseTo(1 - (5 / 9) ** 2, 12);
    expect(Number(first?.interval?.low)).toBeLessThan(1.4);
    expect(Number(first?.interval?.high)).toBeGreaterThan(1.4);
    expect(first?.worth).toBeNull();
  });

  it("go by when tries began, whatever the order in which they come", async () => {
    const [first, second] = history("x", "f1 s2");
    const { body } = await setUp([second, first] as Trial[]).ask();
    expect(body.rows[0]?.tries.map(({ successes, cost }) => [successes, cost])).toEqual([
      [0, "1"],
      [1, "2"],
    ]);
  });

  it("say whether one more try is worth it, over all that is known of odds and cost", async () => {
    // First tries: 360 of 400 for $1. Second: 4 of 40 for $1, Wilson 0.040 to 0.231.
    const trials = histories(...many(360, "s1"), ...many(4, "f1 s1"), ...many(36, "f1 f1"));
    const at = async (query: string) => (await setUp(trials).ask(query)).body.rows[0]?.tries.map(({ worth }) => worth?.verdict);
    expect(await at("?value=10")).toEqual(["yes", "not-enough-data"]);
    expect(await at("?value=4")).toEqual(["yes", "no"]);
    expect(await at("?value=100")).toEqual(["yes", "yes"]);
    // With $4 of checking a try costs as much as a success is worth.
    expect(await at("?value=5&review=4")).toEqual(["no", "no"]);
    expect(await at("?value=0")).toEqual(["no", "no"]);
    const { body } = await setUp(trials).ask("?value=5&review=0.5");
    expect(body).toMatchObject({ value: "5", review: "0.5" });
    expect(body.rows[0]?.tries[1]?.worth).toMatchObject({ spend: "1.5", brings: "0.5", breakEven: 0.3 });
  });

  it("say neither yes nor no of fewer than thirty tries", async () => {
    expect(await firstOf("s0.05", "s0.40")).toMatchObject({ cost: "0.225", interval: null, worth: { verdict: "not-enough-data" } });
    expect(await firstOf(...many(29, "s0.2"))).toMatchObject({ cost: "0.2", interval: null, worth: { verdict: "not-enough-data" } });
    expect(await firstOf(...many(30, "s0.2"))).toMatchObject({ interval: { low: "0.2", high: "0.2" }, worth: { verdict: "yes" } });
    expect(await firstOf(...many(30, "f0.4"))).toMatchObject({ worth: { verdict: "no" } });
    // Thirty are asked for of its ends and of its cost, each.
    expect(await firstOf(...many(29, "s0.2"), "u0.2")).toMatchObject({ interval: { low: "0.2" }, worth: { verdict: "not-enough-data" } });
    expect(await firstOf(...many(29, "s0.2"), "s?")).toMatchObject({ tries: 30, interval: null, worth: { verdict: "not-enough-data" } });
  });

  it("are sure of nothing where the cost is not", async () => {
    // 95 of 100 at 1 to 300 dollars: the mean is 16, and may be far more.
    const spread = Array.from({ length: 100 }, (_, index) => `${index < 95 ? "s" : "f"}${index % 20 === 0 ? 300 : 1}`);
    const { body } = await setUp(histories(...spread)).ask("?value=18");
    const [first] = body.rows[0]?.tries ?? [];
    expect(Number(first?.interval?.high)).toBeGreaterThan(18);
    expect(first?.worth).toMatchObject({ verdict: "not-enough-data", spend: "15.95" });
  });

  it("leave out costs that nobody knows, and tries that are under way", async () => {
    const { body } = await setUp(histories("s?", "f2 o50", "f4 s?")).ask("?value=5");
    const [first, second] = body.rows[0]?.tries ?? [];
    expect(first).toMatchObject({ tries: 3, unpriced: 1, cost: "3" });
    expect(second).toMatchObject({ tries: 1, successes: 1, unknown: 1, gaveUp: 0, unpriced: 2, cost: null, interval: null, worth: null });
  });

  it("count tasks without a case, and take them for no second try of one another", async () => {
    const { body } = await setUp([...history(null, "f1 s1 f1"), ...history("x", "s1")]).ask();
    expect(body.rows[0]).toMatchObject({ cases: 1, repeated: 0, nameless: 3, tries: [{ attempt: 1, tries: 1 }] });
  });

  it("are told apart by whom tries are", async () => {
    const { context, ask } = setUp([...history("x", "f1 f1", "small"), ...history("x", "s9", "large"), ...history("y", "s1", null)]);
    const { body } = await ask("?by=model&type=fix&since=7d");
    expect(body.rows.map(({ candidate, cases, tries }) => [candidate, cases, tries.length])).toEqual([
      ["small", 1, 2],
      [null, 1, 1],
      ["large", 1, 1],
    ]);
    expect(context.asked.odds[0]).toMatchObject({ by: "model", filters: [{ field: "type", value: "fix", operator: "=" }] });
  });

  it("end after ten tries, and say that there were more", async () => {
    const { body } = await setUp(histories(Array.from({ length: 13 }, () => "f1").join(" ")), true).ask();
    expect(body.rows[0]).toMatchObject({ further: 3 });
    expect(body.rows[0]?.tries).toHaveLength(10);
    expect(body.truncated).toBe(true);
  });

  it.each([
    ["?value=-1", /value is "-1": expected dollars, 0 to 1000000000, such as 5/],
    ["?value=much", /value is "much"/],
    ["?review=1e99", /review is "1e99"/],
    ["?by=agnet", /tasks are not told apart by "agnet"; near it: agent/],
    ["?candidates=a", /unknown "candidates"/],
    ["?since=2999-01-01", /since begins in the future \(2999-01-01T00:00:00\.000Z\): nothing has been used there yet/],
  ])("asked as %s are refused, and why is said", async (query, message) => {
    const { status, body } = await setUp().ask(query);
    expect([status, body.error?.message]).toEqual([400, expect.stringMatching(message)]);
  });

  it("of a hundred thousand tasks are answered at once", async () => {
    let state = 7;
    const next = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const trials = Array.from({ length: 100_000 }, (_, index): Trial => ({
      candidate: `type-${index % 12}`,
      task: `t${index}`,
      case: `c${Math.floor(next() * 5_000)}`,
      startMs: index,
      ending: next() < 0.4 ? "success" : "failure",
      cost: (0.01 + Math.exp(3 * next()) / 100).toFixed(6),
    }));
    const { ask } = setUp(trials);
    await ask("?value=1");
    const start = process.cpuUsage();
    const { body } = await ask("?value=1");
    const { user, system } = process.cpuUsage(start);
    const tookMs = (user + system) / 1_000;
    expect(body.rows).toHaveLength(12);
    expect(tookMs).toBeLessThan(3_000);
    if (process.env["PENNYWORTH_TIMES"] !== undefined) process.stdout.write(`odds, 100,000 tasks: ${Math.round(tookMs)} ms\n`);
  });
});
