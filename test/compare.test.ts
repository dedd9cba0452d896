// Candidates side by side with the real store behind: tasks that say by the public path what they are, which case they try, what they cost and how they
// ended, and a published benchmark whose frontier is known. Not here: single figures (src/api/compare.test.ts, odds.test.ts).

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse as parseCsv } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allocate, formatUsd, parseUsd } from "../src/core/money.ts";
import { runCommand } from "./command.ts";
import { startGateway, type TestGateway } from "./gateway.ts";

const results = fileURLToPath(new URL("../../shared/data/outcomes/agents_that_matter_humaneval.csv", import.meta.url));

interface Standing {
  readonly candidate: string;
  readonly tasks: number;
  readonly cases: number;
  readonly successes: number;
  readonly rate: { readonly observed: number; readonly low: number; readonly high: number };
  readonly perTask: { readonly mean: string };
  readonly perSuccess: string;
  readonly spend: string;
  readonly place: string;
  readonly by: readonly string[];
}

interface Compared {
  readonly fresh?: boolean;
  readonly tasks: number;
  readonly candidates: readonly Standing[];
  readonly baseline: unknown;
  readonly comparisons: readonly {
    readonly candidate: string;
    readonly verdict: string;
    readonly paired: boolean;
    readonly shared: number;
  }[];
  readonly repeats: { readonly candidates: readonly { readonly candidate: string; readonly cases: number }[] } | null;
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.close());

/** In requests of at most so many lines. */
async function send(head: string, lines: readonly string[]): Promise<void> {
  for (let from = 0; from < lines.length; from += 8_000) {
    const body = [head, ...lines.slice(from, from + 8_000), ""].join("\n");
    const response = await fetch(`${gateway.url}/api/v1/outcomes`, { method: "POST", headers: { "content-type": "text/csv" }, body });
    expect([response.ok, await response.text()]).toEqual([true, expect.any(String)]);
  }
}

/** Asked again until the store has all that is on record. */
async function compare(query: string): Promise<Compared> {
  const untilMs = Date.now() + 100_000;
  for (;;) {
    const answer = (await gateway.get(`/compare?${query}&fresh=true`)) as Compared;
    if (answer.fresh === true || Date.now() > untilMs) return answer;
  }
}

const place = () => ({ data: gateway.dataFolder, folder: gateway.dataFolder });

describe("tasks that were put on record", () => {
  beforeAll(async () => {
    const lines: string[] = [];
    // Forty bugs. `careful` fixes 36 for 3 dollars each; `quick` 20 of the same for 1 dollar, and tries again where it failed: 5 of 20 succeed then.
    for (let bug = 0; bug < 40; bug += 1) {
      lines.push(`careful-${bug},fix,careful,bug-${bug},3,${bug < 36 ? "success" : "failure"},2026-11-01T00:00Z`);
      lines.push(`quick-${bug},fix,quick,bug-${bug},1,${bug < 20 ? "success" : "failure"},2026-11-01T00:00Z`);
      if (bug >= 20) lines.push(`quick-${bug}-again,fix,quick,bug-${bug},1,${bug < 25 ? "success" : "failure"},2026-11-02T00:00Z`);
    }
    await send("task,type,agent,case,cost,result,began", lines);
    await compare("by=agent&type=fix");
  }, 120_000);

  it("are compared as they were said to be: 40 shared cases, 60 tasks of the one", async () => {
    const found = await compare("by=agent&type=fix&baseline=careful");
    expect(found.tasks).toBe(100);
    expect(
      found.candidates.map(({ candidate, tasks, cases, successes, spend, perSuccess, perTask }) => [
        candidate,
        tasks,
        cases,
        successes,
        spend,
        perSuccess,
        perTask.mean,
      ]),
    ).toEqual([
      ["quick", 60, 40, 25, "60", "2.4", "1"],
      ["careful", 40, 40, 36, "120", "3.333333333333", "3"],
    ]);
    // Per case: 1 for the first twenty, 1/2 for five, 0 for fifteen: sixteen more cases lost than won.
    expect(found.comparisons).toMatchObject([{ candidate: "quick", verdict: "worse", paired: true, shared: 40 }]);
    expect(found.repeats?.candidates).toMatchObject([{ candidate: "quick", cases: 20 }]);
    const success = (await gateway.get("/success?by=agent&filter=type=fix")) as {
      rows: { group: { agent: string }; spend: string; perSuccess: string }[];
    };
    for (const { group, spend, perSuccess } of success.rows)
      expect(found.candidates.find(({ candidate }) => candidate === group.agent)).toMatchObject({ spend, perSuccess });
  });

  it("cost a success at least what success says, where some have no price", async () => {
    await send("task,type,agent,cost,result,rework_of,began", [
      "ann-1,mixed,ann,0.5,success,,2026-11-01T00:00Z",
      "ann-2,mixed,ann,0.7,failure,,2026-11-01T00:00Z",
      // What made it good is booked there, at a cost that nobody knows.
      "ann-3,mixed,ann,,success,ann-2,2026-11-02T00:00Z",
      "ben-1,mixed,ben,1,success,,2026-11-01T00:00Z",
    ]);
    const least = { unpriced: 1, spend: "1.2", perSuccess: "1.2", interval: null };
    const found = await compare("by=agent&type=mixed");
    expect(found.candidates.toSorted((a, b) => (a.candidate < b.candidate ? -1 : 1))).toMatchObject([
      { candidate: "ann", ...least, perTask: { mean: "0.5" } },
      { candidate: "ben" },
    ]);
    const success = (await gateway.get("/success?by=agent&filter=type=mixed&filter=agent=ann")) as { rows: unknown[] };
    expect(success.rows).toMatchObject([least]);
  });

  it("have the odds of a second try, which are not those of a first", async () => {
    const odds = (await gateway.get("/odds?by=agent&type=fix&value=10")) as {
      rows: { candidate: string; tries: Record<string, unknown>[] }[];
    };
    const quick = odds.rows.find(({ candidate }) => candidate === "quick");
    expect(quick?.tries).toMatchObject([
      { attempt: 1, tries: 40, successes: 20, rate: 0.5, cost: "1", gaveUp: 0, worth: { verdict: "yes" } },
      { attempt: 2, tries: 20, successes: 5, rate: 0.25, cost: "1", within: 0.625, independent: { rate: 0.5, within: 0.75 } },
    ]);
  });

  it("are compared at the command line, in the same words", async () => {
    const { code, out, err } = await runCommand(["tasks", "compare", "--by", "agent", "--type", "fix", "--baseline", "careful"], place());
    expect([code, err]).toEqual([0, ""]);
    const plain = out.replaceAll(/ {2,}/g, "  ");
    expect(plain).toContain("quick  60  42 % (");
    expect(plain).toMatch(
      /Against careful, as asked; above each task weighs alike, here each case does, [^\n]*:\n- quick succeeds less often than careful: 56\.3 % against 90 % \(.*\), by case, on 40 shared pieces of work\. It is cheaper: \$1\.00 a task against \$3\.00\./,
    );
    expect(plain).toContain("pass^2");
    // Twenty of the forty cases of `quick` were tried twice.
    expect(plain).toMatch(/quick  20  13 % \(.*\) of 20\*  25 % \(.*\) of 20\*/);
    expect(plain).toContain("*: not every case was tried so often.");
    const whole = await runCommand(["tasks", "compare", "--by", "agent", "--type", "fix", "--baseline", "careful", "--json"], place());
    const asked = await compare("by=agent&type=fix&baseline=careful");
    expect((JSON.parse(whole.out) as Compared).comparisons).toEqual(asked.comparisons);
  });

  it("have their odds at the command line", async () => {
    const { code, out } = await runCommand(["tasks", "odds", "--by", "agent", "--type", "fix", "--value", "10"], place());
    const plain = out.replaceAll(/ {2,}/g, "  ");
    expect(code).toBe(0);
    expect(plain).toMatch(/quick\s+—\s+40\s+50 % \(35–65 %\)\s+1\.00 \(1\.00–1\.00\)\s+50 %\s+50 %/);
    expect(plain).toMatch(/1 failed\s+20\s+25 % \(11–47 %\)\s+1\.00 \(\?\)\s+63 %\s+75 %/);
    // A dollar for a try, where a success is worth half of one.
    const poor = await runCommand(["tasks", "odds", "--by", "agent", "--type", "fix", "--value", "0.5"], place());
    expect(poor.out).toContain("no, pays at no odds");
    expect(poor.out).not.toContain("pays from");
    expect((await runCommand(["tasks", "odds", "--value", "much"], place())).code).toBe(2);
  });
});

const reason = "skipped: ../shared/data is not here";

describe.skipIf(!existsSync(results))(`HumanEval, AI Agents That Matter (${reason})`, () => {
  beforeAll(async () => {
    const table = parseCsv(readFileSync(results, "utf8"), { columns: true }) as Readonly<
      Record<"strategy" | "model" | "run" | "total_tasks" | "accuracy" | "total_cost", string>
    >[];
    await send(
      "task,type,agent,case,cost,result",
      table.flatMap(({ strategy, model, run, total_tasks: all, accuracy, total_cost: cost }) => {
        const tasks = Number(all);
        const parts = allocate(
          parseUsd(Number(cost).toFixed(12)),
          Array.from({ length: tasks }, () => 1n),
        );
        const passed = Math.round(Number(accuracy) * tasks);
        return parts.map(
          (part, index) =>
            `${strategy}/${model}/${run}/${index},humaneval,${strategy} ${model},problem-${index},${formatUsd(part)},${index < passed ? "success" : "failure"}`,
        );
      }),
    );
    await compare("by=agent&type=humaneval");
  }, 120_000);

  it("has the reference's frontier, and LATS is dominated", async () => {
    const found = await compare("by=agent&type=humaneval");
    const named = (place: string) => found.candidates.filter((one) => one.place === place).map(({ candidate }) => candidate);
    // As economics/frontier.test.ts has it, from the file alone.
    expect(named("frontier")).toEqual([
      "simple gpt-3.5-turbo-0125",
      "simple_boosting l3_8b-gpt35-l3_70b-gpt4-0409",
      "simple gpt-4-turbo-2024-04-09",
      "ldb gpt-3.5-turbo-0125+gpt-4-turbo-2024-04-09",
      "simple_incr_temp gpt-4-turbo-0409-5step",
      "ldb gpt-4-turbo-2024-04-09+gpt-4-turbo-2024-04-09",
    ]);
    const of = (id: string) => found.candidates.find(({ candidate }) => candidate === id);
    expect(of("lats gpt-4-turbo-2024-04-09")).toMatchObject({ place: "dominated", tasks: 820, cases: 164 });
    expect(of("lats gpt-4-turbo-2024-04-09")?.by).toContain("simple_incr_temp gpt-4-turbo-0409-5step");
    // reference/economics.md, 1.6: dollars for a run of all problems, and how many of them pass.
    for (const [id, rate, dollars] of [
      ["simple gpt-4-turbo-2024-04-09", "0.896", "1.93"],
      ["simple_incr_temp gpt-4-turbo-0409-5step", "0.932", "2.45"],
      ["reflexion gpt-4-turbo-2024-04-09", "0.878", "3.90"],
      ["lats gpt-4-turbo-2024-04-09", "0.880", "134.50"],
    ] as const)
      expect([of(id)?.rate.observed.toFixed(3), (Number(of(id)?.spend) / 5).toFixed(2)]).toEqual([rate, dollars]);
    expect(found.comparisons.every(({ paired, shared }) => paired && shared === 164)).toBe(true);
  }, 60_000);
});
