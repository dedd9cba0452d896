// The promise of 95 %: agents whose true costs and success rates are known (agents.ts) are recovered within their intervals as often as is said.
// First the pure figures, over and over; then once through the public path, with outcomes late and revised. Not here: what figures mean.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pennyworth } from "../src/client/pennyworth.ts";
import { formatUsd, toPico } from "../src/core/money.ts";
import { compare, type Run } from "../src/economics/compare.ts";
import { oddsOf } from "../src/economics/odds.ts";
import { type Economics, spendPerSuccess, type Tally } from "../src/economics/success.ts";
import { type Agent, attempt, chance, leastHeld, normal, type Tried, truthOf, truthOfTry } from "./agents.ts";
import { startGateway, type TestGateway } from "./gateway.ts";

const usual: Agent = { median: 0.02, sigma: 1, failureFactor: 2, rate: [0.35, 0.6] };
const poor: Agent = { median: 0.02, sigma: 1, failureFactor: 3, rate: [0.1, 0.3] };
const steady: Agent = { median: 0.05, sigma: 0.4, failureFactor: 1.5, rate: [0.6, 0.3] };
const wild: Agent = { median: 0.02, sigma: 2, failureFactor: 2, rate: [0.35, 0.6] };

const agents = { usual, poor, steady };

const pico = (dollars: number): ReturnType<typeof toPico> => toPico(BigInt(Math.round(dollars * 1e12)));

const of = (tried: readonly Tried[]) => toPico(tried.reduce((sum, { cost }) => sum + pico(cost), 0n));

function economicsOf(tried: readonly Tried[], seed: number): Economics {
  const [won, lost] = [tried.filter(({ success }) => success), tried.filter(({ success }) => !success)];
  const sorted = tried.map(({ cost }) => cost).sort((a, b) => a - b);
  const rank = (share: number) => pico(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  const tally: Tally = {
    successes: won.length,
    failures: lost.length,
    unknown: 0,
    open: 0,
    onSuccessesPico: of(won),
    onFailuresPico: of(lost),
    onUnknownPico: toPico(0n),
    onOpenPico: toPico(0n),
    onRetriesPico: toPico(0n),
    onReworkPico: toPico(0n),
    reviewMillis: null,
    valuePico: null,
    onUnvaluedPico: of(tried),
  };
  const units = tried.map(({ success, cost }) => ({ top: Number(pico(cost)), bottom: success ? 1 : 0 }));
  const quantiles = { medianPico: rank(0.5), p90Pico: rank(0.9), p99Pico: rank(0.99) };
  return spendPerSuccess(tally, { units, quantiles, reviewPicoPerHour: null, seed, samples: 400 });
}

describe("over and over, of agents that are known", () => {
  const repetitions = 400;

  /** How often each interval held, and how often the data were said to suffice, and then how often it did not hold. */
  function held(agent: Agent, tasks: number): { cost: number; rate: number; enough: number; enoughWrong: number } {
    const random = chance(tasks);
    const truth = truthOf(agent);
    const count = { cost: 0, rate: 0, enough: 0, enoughWrong: 0 };
    for (let seed = 1; seed <= repetitions; seed += 1) {
      const tried = Array.from({ length: tasks }, () => attempt(agent, random(), random));
      const { interval, rate, enough } = economicsOf(tried, seed);
      const low = Number(interval?.lowPico ?? 0) / 1e12;
      const high = interval === null || interval.highPico === null ? Infinity : Number(interval.highPico) / 1e12;
      const holds = low <= truth.perSuccess && truth.perSuccess <= high;
      if (holds) count.cost += 1;
      if (rate.interval.low <= truth.rate && truth.rate <= rate.interval.high) count.rate += 1;
      if (enough.isEnough) count.enough += 1;
      if (enough.isEnough && !holds) count.enoughWrong += 1;
    }
    return count;
  }

  it.each([
    ["usual", 30],
    ["usual", 100],
    ["usual", 400],
    ["poor", 30],
    ["poor", 100],
    ["poor", 400],
    ["steady", 30],
    ["steady", 400],
  ] as const)("spend per success and the success rate of a %s one hold in 95 of 100 samples of %i tasks", (name, tasks) => {
    const count = held(agents[name], tasks);
    expect(count.cost).toBeGreaterThanOrEqual(leastHeld(repetitions));
    expect(count.rate).toBeGreaterThanOrEqual(leastHeld(repetitions));
  });

  it.each([
    [30, 0.82],
    [100, 0.85],
    [400, 0.88],
  ])("of costs as uneven as a log-sigma of 2, less: %i tasks, and then it is seldom said that they suffice", (tasks, promised) => {
    const count = held(wild, tasks);
    expect(count.cost).toBeGreaterThanOrEqual(leastHeld(repetitions, promised));
    expect(count.enoughWrong / repetitions).toBeLessThan(0.07);
  });

  it.each([
    ["usual", "poor"],
    ["steady", "usual"],
    ["usual", "usual"],
  ] as const)("a comparison on 150 shared tasks, %s against %s, is wrong in at most 5 of 100 samples", (one, other) => {
    const [first, second] = [agents[one], agents[other]];
    const random = chance(7);
    const truths = [truthOf(first), truthOf(second)] as const;
    const gap = truths[0].rate - truths[1].rate;
    const costGap = truths[0].cost - truths[1].cost;
    const count = { success: 0, cost: 0, wrong: 0, told: 0 };
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      const [a, b]: [Run[], Run[]] = [[], []];
      for (let task = 0; task < 150; task += 1) {
        const ease = random();
        for (const [agent, runs] of [
          [first, a],
          [second, b],
        ] as const) {
          const { success, cost } = attempt(agent, ease, random);
          runs.push({ task: String(task), success, costPico: pico(cost) });
        }
      }
      const found = compare(a, b);
      const { low, high } = found.success.interval;
      if (low <= gap && gap <= high) count.success += 1;
      const money = found.cost.differencePico;
      if (money !== null && Number(money.low) / 1e12 <= costGap && costGap <= Number(money.high) / 1e12) count.cost += 1;
      const isWrong =
        (found.verdict === "better" && gap <= 0) ||
        (found.verdict === "worse" && gap >= 0) ||
        (found.verdict === "cheaper-same" && (costGap >= 0 || gap < -0.05)) ||
        (found.verdict === "dearer-same" && (costGap <= 0 || gap > 0.05));
      if (isWrong) count.wrong += 1;
      if (found.verdict !== "not-enough-data") count.told += 1;
    }
    expect(count.success).toBeGreaterThanOrEqual(leastHeld(repetitions));
    // Student's interval of a difference of dollars falls short where a few runs cost most: 90 to 95 %. The verdict asks for more than it.
    expect(count.cost).toBeGreaterThanOrEqual(leastHeld(repetitions, 0.92));
    expect(count.wrong).toBeLessThanOrEqual(repetitions - leastHeld(repetitions));
  });

  it("the odds of one more try of 200 tasks hold as promised, and are not those of a first one", () => {
    const random = chance(3);
    const eager: Agent = { ...usual, rate: [0, 1] };
    const held = [0, 0, 0];
    let independent = 0;
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      const histories = Array.from({ length: 200 }, () => {
        const ease = random();
        const tries: { success: boolean; costPico: ReturnType<typeof toPico> }[] = [];
        do {
          const { success, cost } = attempt(eager, ease, random);
          tries.push({ success, costPico: pico(cost) });
        } while (tries.at(-1)?.success === false && tries.length < 3);
        return tries;
      });
      const rows = oddsOf(histories);
      rows.forEach(({ interval }, index) => {
        if (interval.low <= truthOfTry(index + 1) && truthOfTry(index + 1) <= interval.high) held[index] = (held[index] ?? 0) + 1;
      });
      const third = rows[2]?.interval;
      if (third !== undefined && third.low <= 0.5 && third.high >= 0.5) independent += 1;
    }
    for (const count of held) expect(count).toBeGreaterThanOrEqual(leastHeld(repetitions));
    expect(independent).toBeLessThan(repetitions / 10);
  });
});

describe("once, through the public path", () => {
  const tasks = 140;
  /** Of what was accepted on Monday, what is reverted on Friday, and what making it good costs, half of the time, in dollars. */
  const reverted = 0.15;
  const rework = { median: 0.01, sigma: 0.5 };
  /** gpt-4o-mini: picodollars for a token in, and out. */
  const [inPico, outPico] = [150_000n, 600_000n];

  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway?.close());

  /** Spends so many dollars. @returns the picodollars. */
  async function spend(send: typeof fetch, dollars: number): Promise<bigint> {
    const tokens = Math.max(1, Math.round((dollars * 1e12) / Number(inPico)));
    const response = await send(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-sandbox-input-tokens": String(tokens), "x-sandbox-output-tokens": "1" },
      body: JSON.stringify({ model: "gpt-4o-mini", max_tokens: 5, messages: [{ role: "user", content: "Go on." }] }),
    });
    await response.text();
    expect(response.status).toBe(200);
    return BigInt(tokens) * inPico + outPico;
  }

  interface Plan {
    readonly agent: "usual" | "poor";
    readonly id: string;
    readonly case: string;
    readonly tried: Tried;
    readonly isReverted: boolean;
    readonly rework: number;
  }

  function plansOf(): Plan[] {
    const random = chance(11);
    const plans: Plan[] = [];
    for (let number = 0; number < tasks; number += 1) {
      const ease = random();
      for (const agent of ["usual", "poor"] as const) {
        const tried = attempt(agents[agent], ease, random);
        const isReverted = tried.success && random() < reverted;
        plans.push({
          agent,
          id: `${agent}-${number}`,
          case: `case-${number}`,
          tried,
          isReverted,
          rework: rework.median * Math.exp(rework.sigma * normal(random)),
        });
      }
    }
    return plans;
  }

  it("what was true of two agents lies within what is said of them", { timeout: 60_000 }, async () => {
    const { task, outcome, flush } = pennyworth({ url: gateway.url });
    const plans = plansOf();
    const spent = { usual: 0n, poor: 0n };
    const waiting = [...plans];
    const work = async (): Promise<void> => {
      for (let plan = waiting.pop(); plan !== undefined; plan = waiting.pop()) {
        const { agent, id, tried, isReverted } = plan;
        // Each believes of itself that it has succeeded.
        await task("mend", { id, agent, tags: { case: plan.case } }, async (t) => {
          for (const part of [0.7, 0.3]) {
            const cost = await spend(t.fetch, tried.cost * part);
            spent[agent] += cost;
          }
          t.succeed();
        });
        if (isReverted)
          await task("mend", { agent: "mender", reworkOf: id }, async (t) => {
            const cost = await spend(t.fetch, plan.rework);
            spent[agent] += cost;
            t.succeed();
          });
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    // What checks and people find comes later, the last word first.
    const [monday, friday] = [Date.now() + 3_600_000, Date.now() + 5 * 3_600_000];
    for (const { id, isReverted } of plans)
      if (isReverted) outcome(id, { judge: "person", source: "Ada", result: "failure", reason: "reverted", at: friday });
    for (const { id, isReverted } of plans) if (isReverted) outcome(id, { judge: "person", source: "Ada", result: "success", at: monday });
    for (const { id, tried } of plans)
      outcome(id, { judge: "check", source: "tests", result: tried.success ? "success" : "failure", at: monday });
    expect(await flush()).toBe(0);

    const found = (await gateway.get("/success?by=agent&fresh=true")) as { readonly fresh: boolean; readonly rows: readonly Row[] };
    expect([found.fresh, found.rows.length]).toEqual([true, 2]);
    for (const agent of ["usual", "poor"] as const) {
      const row = found.rows.find(({ group }) => group.agent === agent) as Row;
      const own = plans.filter((plan) => plan.agent === agent);
      expect([agent, row.tasks, row.success.tasks, row.spend]).toEqual([
        agent,
        tasks,
        own.filter(({ tried, isReverted }) => tried.success && !isReverted).length,
        formatUsd(spent[agent]),
      ]);
      const truth = truthOf(agents[agent]);
      const rate = truth.rate * (1 - reverted);
      const cost = truth.cost + truth.rate * reverted * rework.median * Math.exp(rework.sigma ** 2 / 2);
      expect([agent, Number(row.interval.low) < cost / rate, cost / rate < Number(row.interval.high)]).toEqual([agent, true, true]);
      expect([agent, row.rate.low < rate, rate < row.rate.high]).toEqual([agent, true, true]);
      // And it says something: no interval is wider than twice its low end.
      expect(Number(row.interval.high) / Number(row.interval.low)).toBeLessThan(3);
      expect(row.contradictory).toBe(own.filter(({ tried, isReverted }) => !tried.success || isReverted).length);
    }
    // On the same pieces of work the difference of their success rates is found too, and which one is better.
    const { baseline, comparisons } = (await gateway.get("/compare?by=agent&baseline=usual&filter=type%3Dmend")) as Compared;
    const gap = (truthOf(agents.poor).rate - truthOf(agents.usual).rate) * (1 - reverted);
    expect([baseline.candidate, comparisons.length]).toEqual(["usual", 1]);
    expect(comparisons[0]).toMatchObject({ candidate: "poor", verdict: "worse", paired: true, shared: tasks });
    const { low, high } = comparisons[0]?.success ?? { low: 0, high: 0 };
    expect([low < gap, gap < high]).toEqual([true, true]);
  });
});

interface Compared {
  readonly baseline: { readonly candidate: string };
  readonly comparisons: readonly {
    readonly candidate: string;
    readonly verdict: string;
    readonly paired: boolean;
    readonly shared: number;
    readonly success: { readonly low: number; readonly high: number };
  }[];
}

interface Row {
  readonly group: { readonly agent: string | null };
  readonly tasks: number;
  readonly spend: string;
  readonly success: { readonly tasks: number };
  readonly interval: { readonly low: string; readonly high: string };
  readonly rate: { readonly low: number; readonly high: number };
  readonly contradictory: number;
}
