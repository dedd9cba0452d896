// Candidates side by side, by HTTP: tasks one by one come in, and figures worked out by hand come out, with what was asked of the store.

import { describe, expect, it } from "vitest";
import { formatUsd, parseUsd, sum } from "../core/money.ts";
import type { Trial } from "../ledger/trials.ts";
import { createApi } from "./app.ts";
import type { Compared } from "./compared.ts";
import { createMemory, nowMs } from "./memory.fixture.ts";

/** `"s1 f2 u o s? f2?"` of a candidate: successes, failures, … for so many dollars; `?`: for nobody knows what, or how much more. `cases`: the piece of work of each. */
function tried(candidate: string | null, text: string, cases: (index: number) => string | null = () => null): Trial[] {
  const endings = { s: "success", f: "failure", u: "unknown", o: "open" } as const;
  return text.split(" ").map((part, index) => ({
    candidate,
    task: `${candidate} ${index}`,
    case: cases(index),
    startMs: nowMs - 1_000_000 + index,
    ending: endings[part[0] as "s"],
    cost: part.endsWith("?") ? null : part.slice(1) || "0",
    spent: part.slice(1).replace("?", "") || "0",
  }));
}

const times = (count: number, text: string): string => Array.from({ length: count }, () => text).join(" ");

function setUp(trials: readonly Trial[] = [], truncated = false) {
  const context = createMemory([]);
  context.tasks.trials = { trials, truncated, position: { segment: 1, offset: 4_096 } };
  const app = createApi(context);
  const ask = async (query = "", token = "reader") => {
    const response = await app.request(`/api/v1/compare${query}`, { headers: { authorization: `Bearer ${token}` } });
    const body = JSON.parse(await response.text()) as Compared & { error?: { message: string } };
    return { status: response.status, body };
  };
  return { context, ask };
}

/** Twelve shared cases. The dear one fails at none, the cheap one at two. */
const shared = (index: number) => `case ${index}`;
const often = (index: number) => `case ${index % 2}`;
const two = [...tried("dear", times(12, "s3"), shared), ...tried("cheap", `f1 f1 ${times(10, "s1")}`, shared)];

describe("candidates side by side", () => {
  it("have cost and success with their intervals, and their place", async () => {
    const { status, body } = await setUp([...two, ...tried("poor", `${times(3, "s2")} ${times(9, "f2")}`)]).ask();
    expect(status).toBe(200);
    const [cheap, dear, poor] = body.candidates;
    expect(cheap).toMatchObject({
      candidate: "cheap",
      tasks: 12,
      cases: 12,
      successes: 10,
      failures: 2,
      spend: "12",
      perSuccess: "1.2",
      perTask: { mean: "1", tasks: 12 },
      place: "frontier",
      by: [],
      nextSuccess: null,
      enough: { isEnough: false },
    });
    // Twelve at a dollar each say nothing of the next one's cost.
    expect([cheap?.perTask?.low, cheap?.perTask?.high]).toEqual([null, null]);
    expect(Number(cheap?.interval?.low)).toBeLessThan(1.2);
    expect(Number(cheap?.interval?.high)).toBeGreaterThan(1.2);
    // Wilson of 10 of 12.
    expect([cheap?.rate.observed, cheap?.rate.low.toFixed(3), cheap?.rate.high.toFixed(3)]).toEqual([10 / 12, "0.552", "0.953"]);
    // Two dollars more for a sixth of a success more.
    expect(dear).toMatchObject({ candidate: "dear", place: "frontier", nextSuccess: "12", perSuccess: "3" });
    expect(poor).toMatchObject({ candidate: "poor", place: "dominated", by: ["cheap"], perSuccess: "8" });
    expect(body).toMatchObject({ by: "model", type: null, tasks: 36, margin: 0.05, truncated: false, unnamed: 0, repeats: null });
    expect(body.position).toEqual({ segment: 1, offset: 4_096 });
  });

  it("are held against the one whose success is surely highest, on shared pieces of work", async () => {
    const { body } = await setUp(two).ask();
    expect(body.baseline).toEqual({ candidate: "dear", isNamed: false });
    expect(body.comparisons).toHaveLength(1);
    const [one] = body.comparisons;
    expect(one).toMatchObject({
      candidate: "cheap",
      verdict: "not-enough-data",
      paired: true,
      shared: 12,
      confidence: 0.95,
      success: { wins: 0, losses: 2, ties: 10, pValue: 0.5, cases: [12, 12] },
      cost: { means: ["1", "3"], verdict: "cheaper", difference: { mean: "-2" } },
      leftOut: { candidate: { tasks: 0 }, baseline: { tasks: 0 } },
    });
    expect(one?.more?.question).toBe("success");
    expect(one?.summary).toMatch(
      /^Not enough data to tell cheap from dear: success 83\.3 % against 100 % \(−[\d.]+ to \+[\d.]+ points at 95 % confidence\); \$1\.00 a task against \$3\.00, by case, on 12 shared pieces of work\. About \d+ more shared pieces of work would settle it\.$/,
    );
  });

  it("are held against whoever is named, and say what is settled", async () => {
    const strong = [...tried("dear", times(200, "s3"), shared), ...tried("cheap", `${times(80, "f1")} ${times(120, "s1")}`, shared)];
    const { body } = await setUp(strong).ask("?baseline=cheap");
    expect(body.baseline).toEqual({ candidate: "cheap", isNamed: true });
    expect(body.comparisons[0]).toMatchObject({ candidate: "dear", verdict: "better", more: null, success: { wins: 80, losses: 0 } });
    expect(body.comparisons[0]?.summary).toMatch(
      /^dear succeeds more often than cheap: 100 % against 60 % \(\+3\d(\.\d)? to \+4\d(\.\d)? points at 95 % confidence\), by case, on 200 shared pieces of work\. It is dearer: \$3\.00 a task against \$1\.00\.$/,
    );
    const same = await setUp([...tried("a", times(300, "s3"), shared), ...tried("b", times(300, "s1"), shared)]).ask("?baseline=a");
    expect(same.body.comparisons[0]).toMatchObject({ verdict: "cheaper-same" });
    expect(same.body.comparisons[0]?.summary).toMatch(/^b is cheaper than a and does as well within 5 %, 100 % against 100 %/);
  });

  it("of different tasks are not taken for equals", async () => {
    const { body } = await setUp([...tried("a", times(20, "s1")), ...tried("b", `${times(10, "s1")} ${times(10, "f1")}`)]).ask("?by=agent");
    expect(body.comparisons[0]).toMatchObject({ candidate: "b", paired: false, shared: 0, verdict: "worse" });
    expect(body.comparisons[0]?.summary).toContain("each on tasks of its own, which may be what tells them apart");
    const few = await setUp([
      ...two.filter(({ case: of }) => /^case [0-3]$/.test(of ?? "")),
      ...tried("dear", "s3 s3"),
      ...tried("cheap", "s1"),
    ]).ask();
    expect(few.body.comparisons[0]?.summary).toContain("over all tasks of each, since they share only 4 pieces of work");
    const unpriced = await setUp([...tried("a", "s1 s1"), ...tried("b", "s? f?")]).ask();
    expect(unpriced.body.comparisons[0]?.summary).toContain("; what a task costs is not known of b, each on tasks of its own");
    const neither = await setUp([...tried("a", "s? s?"), ...tried("b", "s? f?")]).ask();
    expect(neither.body.comparisons[0]?.summary).toContain("; what a task costs is not known of either, each on tasks of its own");
    // As does a verdict on success.
    const better = await setUp([...tried("a", times(30, "s?")), ...tried("b", times(30, "f1"))]).ask("?baseline=b");
    expect(better.body.comparisons[0]?.summary).toMatch(/^a succeeds more often than b: .*\. What a task costs is not known of a\.$/);
  });

  it("count what is in no figure: costs nobody knows, ends nobody knows, those nobody named", async () => {
    const trials = [...tried("a", "s1 f? u2 o5"), ...tried(null, "s1 s1"), ...tried("b", "s? f?")];
    const { body } = await setUp(trials, true).ask();
    expect(body).toMatchObject({ unnamed: 2, truncated: true, tasks: 8 });
    const [a, b] = body.candidates;
    expect(a).toMatchObject({
      unpriced: 1,
      unknown: 1,
      open: 1,
      // At least so much: 1 + 2 + 5, and what the failure cost.
      spend: "8",
      perSuccess: "8",
      interval: { high: null },
      perTask: { mean: "1.5", tasks: 2 },
    });
    expect(a?.enough.isEnough).toBe(false);
    expect(a?.enough.lacks).toContain("unpriced");
    expect(b).toMatchObject({ place: "apart", apart: "cost-unknown", perTask: null, rate: { observed: 0.5 } });
    expect(b).toMatchObject({ spend: null, perSuccess: null, interval: null });
    expect((await setUp().ask()).body).toMatchObject({ candidates: [], baseline: null, comparisons: [], tasks: 0, repeats: null });
  });

  it.each([
    ["all", false, ""],
    ["the latest", true, "&limit=80"],
  ])("say what a success costs at least where tasks have no price, of %s", async (_, truncated, query) => {
    const { context, ask } = setUp([...tried("a", `${times(39, "s1")} f0.39?`), ...tried("b", times(40, "s1"))], truncated);
    const [a, b] = (await ask(`?by=agent${query}`)).body.candidates.toSorted((one, other) => (one.candidate < other.candidate ? -1 : 1));
    expect(a).toMatchObject({ candidate: "a", unpriced: 1, spend: "39.39", perSuccess: "1.01", interval: { high: null } });
    expect(a).toMatchObject({ perTask: { mean: "1", low: "1", high: "1", tasks: 39 } });
    expect(a?.enough).toEqual({ isEnough: false, lacks: ["unpriced"], tasksNeeded: 30 });
    expect(b).toMatchObject({ candidate: "b", spend: "40", perSuccess: "1", interval: { low: "1", high: "1" } });
    expect(context.asked.success).toEqual([]);
  });

  it("spent what is known of all their tasks: alone, as tries at one piece of work, open ones, and more than can be drawn one by one", async () => {
    const several = setUp([...tried("a", "s1 f2? s3? o4?", often), ...tried("b", "s0.5? f0.25")]);
    const { candidates } = (await several.ask()).body;
    expect(candidates.toSorted((one, other) => other.tasks - one.tasks)).toMatchObject([
      { candidate: "a", unpriced: 3, spend: "10", perSuccess: "5", perTask: { mean: "1", tasks: 1 } },
      { candidate: "b", unpriced: 1, spend: "0.75", perSuccess: "0.75", perTask: { mean: "0.25", tasks: 1 } },
    ]);
    const [many] = (await setUp(tried("many", `${times(1_200, "s1 f2?")}`)).ask()).body.candidates;
    expect(many).toMatchObject({ unpriced: 1_200, spend: "3600", perSuccess: "3", perTask: { mean: "1", tasks: 1_200 } });
    // Were the failures' two dollars left out of the groups that are drawn from, it would be about one.
    expect(Number(many?.interval?.low)).toBeGreaterThan(2.5);
    expect(many?.interval?.high).toBeNull();
  });

  it("say how reliable they are where the same was tried several times", async () => {
    const { body } = await setUp([...tried("a", "s1 s1 f1 s1", often), ...tried("b", "s2 s2 s2 s2", often)]).ask();
    // a: one of two at the first, both at the second: pass@2 is 1 and 1, pass^2 is 0 and 1.
    const [a, b] = body.repeats?.candidates ?? [];
    expect(a).toMatchObject({
      candidate: "a",
      cases: 2,
      decided: 2,
      passes: [
        { k: 1, any: { mean: 0.75 } },
        { k: 2, cases: 2, drawn: "all", any: { mean: 1 }, all: { mean: 0.5 } },
      ],
    });
    // 2 ÷ 1 and 2 ÷ 2 dollars; the other 2 and 2: at the first they are equal.
    expect(a?.costOfPass).toMatchObject({ cases: 2, unsolved: 0, mean: "1.5", cheapest: 2, gain: { amount: "0.5", share: 0.25 } });
    expect(b?.costOfPass).toMatchObject({ mean: "2", cheapest: 0, gain: { amount: "0" } });
    expect(body.repeats?.frontier).toEqual({ cases: 2, unsolved: 0, mean: "1.5" });
    expect(body.candidates[0]).toMatchObject({ candidate: "a", tasks: 4, cases: 2, perSuccess: "1.333333333333" });
  });
});

describe("what is compared", () => {
  it("is asked of the store as it was meant", async () => {
    const { context, ask } = setUp(two);
    const { body } = await ask(
      "?by=customer&type=fix&since=2026-11-01&until=2026-11-21&zone=Europe/Berlin&filter=customer%3DAcme%20%26%20%3Cb%3ESons%3C%2Fb%3E&limit=50&candidates=dear",
    );
    expect(context.asked.tries).toEqual([
      {
        by: "customer",
        sinceMs: Date.UTC(2026, 9, 31, 23),
        untilMs: Date.UTC(2026, 10, 20, 23),
        filters: [
          { field: "customer", operator: "=", value: "n_00000000000000aa" },
          { field: "type", operator: "=", value: "fix" },
        ],
        nowMs,
        openMs: 86_400_000,
        limit: 50,
        most: 24,
        only: ["n_ffffffffffffffff"],
        always: null,
      },
    ]);
    expect(body).toMatchObject({ by: "customer", type: "fix", zone: "Europe/Berlin" });
  });

  it("has names, where the ledger has tokens", async () => {
    const trials = [...tried("n_00000000000000aa", "s1 s1"), ...tried("other", "s1")];
    const { ask } = setUp(trials);
    expect((await ask("?by=customer")).body.candidates.map(({ candidate }) => candidate)).toContain("Acme & <b>Sons</b>");
    const named = (await ask("?by=customer&candidates=Acme%20%26%20%3Cb%3ESons%3C%2Fb%3E,nobody")).body;
    expect(named.candidates.map(({ candidate }) => candidate)).toEqual(["Acme & <b>Sons</b>"]);
    expect(named.absent).toEqual(["nobody"]);
    const comma = setUp([...tried("Smith, Inc", "s1"), ...tried("Smith", "s1")]);
    expect((await comma.ask("?candidates=Smith,%20Inc")).body.candidates.map(({ candidate }) => candidate)).toEqual(["Smith, Inc"]);
  });

  it("are those with the most tasks, and the baseline, where there are very many", async () => {
    const many = Array.from({ length: 40 }, (_, index) => tried(`m${String(index).padStart(2, "0")}`, times(40 - index, "s1"))).flat();
    const { ask } = setUp(many);
    const { body } = await ask("?baseline=m39");
    expect(body.candidates).toHaveLength(24);
    expect(body.candidates.map(({ candidate }) => candidate)).toEqual(expect.arrayContaining(["m00", "m22", "m39"]));
    // 2 to 17 tasks of those from the 24th on, and the baseline's one is in.
    expect(body.leftOut).toEqual({ candidates: 16, tasks: (2 + 17) * 8 });
  });

  it.each([
    ["?by=agnet", /tasks are not told apart by "agnet"; near it: agent/],
    ["?by=type,agent", /tasks are not told apart by "type,agent"/],
    ["?baseline=deer", /baseline is "deer", which is none of the candidates; near it: dear/],
    ["?baseline=xyz", /which is none of the candidates; there are cheap, dear/],
    ["?margin=2", /margin is "2": expected a share, 0 to 0\.5/],
    ["?margin=-0.1", /margin is "-0\.1"/],
    ["?margin=much", /margin is "much"/],
    ["?limit=1000001", /at most 1000000 rows/],
    [`?candidates=${Array.from({ length: 25 }, (_, index) => index).join(",")}`, /candidates names 25: at most 24/],
    ["?filter=status%3Dfailed", /tasks are not told apart by "status"/],
    ["?sinse=1d", /unknown "sinse"/],
    ["?since=2999-01-01", /since begins in the future \(2999-01-01T00:00:00\.000Z\): nothing has been used there yet/],
  ])("as %s is refused, and why is said", async (query, message) => {
    const { status, body } = await setUp(two).ask(query);
    expect([status, body.error?.message]).toEqual([400, expect.stringMatching(message)]);
  });

  it("of more than a hundred thousand tasks is answered at once, and what is known of each is in it", async () => {
    let state = 7;
    const next = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const trials = Array.from({ length: 120_000 }, (_, index): Trial => {
      const candidate = `model-${index % 12}`;
      const cost = (0.01 + Math.exp(3 * next()) / 100).toFixed(6);
      return {
        candidate,
        task: `t${index}`,
        case: `c${Math.floor(index / 12) % 5_000}`,
        startMs: index,
        ending: next() < 0.5 + (index % 12) / 40 ? "success" : "failure",
        cost: index % 50 === 0 ? null : cost,
        spent: cost,
      };
    });
    const { ask } = setUp(trials);
    await ask();
    const start = process.cpuUsage();
    const { body } = await ask();
    const { user, system } = process.cpuUsage(start);
    const tookMs = (user + system) / 1_000;
    expect(body.candidates).toHaveLength(12);
    for (const { candidate, unpriced, spend } of body.candidates) {
      const mine = trials.filter((trial) => trial.candidate === candidate);
      expect([unpriced, spend]).toEqual([
        mine.filter(({ cost }) => cost === null).length,
        formatUsd(sum(mine.map(({ spent = "none" }) => parseUsd(spent)))),
      ]);
    }
    expect(body.comparisons.every(({ paired }) => paired)).toBe(true);
    // Of the processor, which others may be using too; on a quiet machine within 400.
    expect(tookMs).toBeLessThan(3_000);
    if (process.env["PENNYWORTH_TIMES"] !== undefined) process.stdout.write(`compare, 120,000 tasks: ${Math.round(tookMs)} ms\n`);
  });
});
