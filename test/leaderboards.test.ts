// Published results as finished work: what two benchmarks say of models and strategies goes in by the public path, as any user's file does, and what a
// success costs comes out as the reference has it. Not here: what a line may say (src/api/finished.test.ts).

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse as parseCsv } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { allocate, formatUsd, parseUsd, sum } from "../src/core/money.ts";
import { runCommand } from "./command.ts";
import { startGateway, type TestGateway } from "./gateway.ts";

const folder = fileURLToPath(new URL("../../shared/data/outcomes/", import.meta.url));
const missing = existsSync(folder) ? null : "skipped: ../shared/data is not here";

interface Row {
  readonly group: Readonly<Record<string, string | null>>;
  readonly tasks: number;
  readonly spend: string;
  readonly success: { readonly tasks: number };
  readonly failure: { readonly tasks: number };
  readonly perSuccess: string | null;
  readonly unpriced: number;
}

/** Asked again until the store has all that is on record. */
async function success(gateway: TestGateway, query: string): Promise<{ readonly rows: readonly Row[]; readonly total: Row }> {
  const untilMs = Date.now() + 60_000;
  for (;;) {
    const answer = (await gateway.get(`/success?${query}&limit=200&fresh=true`)) as { rows: Row[]; total: Row; fresh: boolean };
    if (answer.fresh || Date.now() > untilMs) return answer;
  }
}

/** What some dollars over some successes come to, told as the reference does. */
const rounded = (dollars: string | null, digits: number): number => Number(Number(dollars).toPrecision(digits));

/** In requests of at most so many lines, as a client with a large file sends it. */
async function send(
  gateway: TestGateway,
  head: string,
  lines: readonly string[],
): Promise<{ recorded: number; begun: number; costs: number }> {
  const done = { recorded: 0, begun: 0, costs: 0 };
  for (let from = 0; from < lines.length; from += 8_000) {
    const response = await fetch(`${gateway.url}/api/v1/outcomes`, {
      method: "POST",
      headers: { "content-type": "text/csv" },
      body: [head, ...lines.slice(from, from + 8_000), ""].join("\n"),
    });
    const body = (await response.json()) as typeof done;
    expect([response.status, body]).toEqual([from === 0 || response.status === 201 ? response.status : 200, body]);
    expect(response.ok).toBe(true);
    for (const name of ["recorded", "begun", "costs"] as const) done[name] += body[name];
  }
  return done;
}

describe("published results", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway?.close());

  it("of the polyglot benchmark cost what the reference says: what nobody knows is not free", async ({ skip }) => {
    if (missing !== null) return skip(missing);
    interface Result {
      readonly dirname: string;
      readonly model: string;
      readonly test_cases: number;
      readonly pass_num_2: number;
      readonly total_cost?: number;
    }
    const text = readFileSync(join(folder, "polyglot_leaderboard.yml"), "utf8");
    const results = parseYaml(text, { uniqueKeys: false }) as Result[];
    const costOf = ({ total_cost: cost }: Result) => ((cost ?? 0) > 0 ? parseUsd(String(cost)) : null);
    // Names that stand for two runs are one row by model.
    const lines = results.flatMap((result) => {
      const cost = costOf(result);
      const parts =
        cost === null
          ? null
          : allocate(
              cost,
              Array.from({ length: result.test_cases }, () => 1n),
            );
      return Array.from({ length: result.test_cases }, (_, index) => {
        const passed = index < result.pass_num_2 ? "success" : "failure";
        return `${result.dirname}/${index},polyglot,"${result.model}",${index},${parts === null ? "" : formatUsd(parts[index] as never)},${passed},check,tests`;
      });
    });
    const head = "task,type,model,case,cost,result,judge,source";
    const casesOf = (all: readonly Result[]) => all.reduce((cases, result) => cases + result.test_cases, 0);
    expect([results.length, lines.length]).toEqual([69, casesOf(results)]);
    expect(await send(gateway, head, lines)).toEqual({ recorded: lines.length, begun: lines.length, costs: lines.length });

    const { rows, total } = await success(gateway, "by=model&filter=type=polyglot");
    const byModel = new Map(rows.map((row) => [row.group["model"], row]));
    const priced = results.filter((result) => costOf(result) !== null);
    expect(priced).toHaveLength(51);
    const without = results.filter((result) => costOf(result) === null);
    const spend = formatUsd(sum(priced.map((result) => costOf(result) as never)));
    expect(total).toMatchObject({ tasks: lines.length, spend, unpriced: casesOf(without) });
    for (const [model, all] of groupsOf(results)) {
      const [cost, passed] = [
        sum(all.flatMap((result) => costOf(result) ?? [])),
        all.reduce((count, result) => count + result.pass_num_2, 0),
      ];
      const row = byModel.get(model);
      expect([model, row?.spend, row?.success.tasks, row?.unpriced]).toEqual([
        model,
        formatUsd(cost),
        passed,
        casesOf(all.filter((result) => costOf(result) === null)),
      ]);
    }
    // reference/economics.md, 1.4; its 1.35 and 1.82 are 1.34 and 1.81 by the file's own counts.
    const golden = [
      ["DeepSeek Chat V3 (prev)", 0.0031, 2],
      ["DeepSeek-V3.2-Exp (Chat)", 0.0055, 2],
      ["DeepSeek-V3.2-Exp (Reasoner)", 0.0078, 2],
      ["gpt-oss-120b (high)", 0.0079, 2],
      ["Kimi K2", 0.0093, 2],
      ["gemini-2.5-pro-preview-06-05 (32k think)", 0.267, 3],
      ["grok-4 (high)", 0.333, 3],
      ["o3-pro (high)", 0.766, 3],
      ["o1-2024-12-17 (high)", 1.34, 3],
      ["gpt-4.5-preview", 1.81, 3],
    ] as const;
    for (const [model, dollars, digits] of golden)
      expect([model, rounded(byModel.get(model)?.perSuccess ?? null, digits)]).toEqual([model, dollars]);
    // Where no cost is known there is a bound of zero, and it says that it is one.
    const [unknown] = without;
    expect(byModel.get(unknown?.model ?? "")).toMatchObject({ spend: "0", unpriced: unknown?.test_cases });
  }, 120_000);

  it("of HumanEval cost what the reference says, sent by the command line and counted once", async ({ skip }) => {
    if (missing !== null) return skip(missing);
    const table = parseCsv(readFileSync(join(folder, "agents_that_matter_humaneval.csv"), "utf8"), { columns: true }) as Readonly<
      Record<"strategy" | "model" | "run" | "total_tasks" | "accuracy" | "total_cost", string>
    >[];
    const lines = table.flatMap(({ strategy, model, run, ...row }) => {
      const tasks = Number(row.total_tasks);
      const passed = Math.round(Number(row.accuracy) * tasks);
      const parts = allocate(
        parseUsd(Number(row.total_cost).toFixed(12)),
        Array.from({ length: tasks }, () => 1n),
      );
      return parts.map((cost, index) =>
        [
          `${strategy}/${model}/${run}/${index}`,
          "humaneval",
          strategy,
          model,
          index,
          formatUsd(cost),
          index < passed ? "success" : "failure",
        ].join(","),
      );
    });
    expect(lines).toHaveLength(65 * 164);
    // Two of the strategies by the command line, as a person with a file would; all of them by HTTP: those are known by then.
    const head = "task,type,agent,model,case,cost,result";
    const file = join(gateway.dataFolder, "results.csv");
    const first = lines.filter((line) => line.startsWith("simple/"));
    writeFileSync(file, [head, ...first, ""].join("\n"));
    const place = { data: gateway.dataFolder, folder: gateway.dataFolder };
    expect(await runCommand(["tasks", "import", file], place)).toEqual({
      code: 0,
      out: `${first.length.toLocaleString("en-US")} outcomes on record, ${first.length.toLocaleString("en-US")} tasks begun, ${first.length.toLocaleString("en-US")} costs booked.\n`,
      err: "",
    });
    const others = lines.length - first.length;
    expect(await send(gateway, head, lines)).toEqual({ recorded: others, begun: others, costs: others });

    const { rows } = await success(gateway, "by=agent,model&filter=type=humaneval");
    expect(rows).toHaveLength(13);
    // reference/economics.md, 1.6: mean accuracy and cost of five runs.
    const golden = [
      ["simple", "gpt-4-turbo-2024-04-09", 89.6, 1.93],
      ["simple_incr_temp", "gpt-4-turbo-0409-5step", 93.2, 2.45],
      ["ldb", "gpt-4-turbo-2024-04-09+gpt-4-turbo-2024-04-09", 93.3, 6.36],
      ["reflexion", "gpt-4-turbo-2024-04-09", 87.8, 3.9],
      ["lats", "gpt-4-turbo-2024-04-09", 88, 134.5],
      ["simple_boosting", "l3_8b-gpt35-l3_70b-gpt4-0409", 85, 0.27],
    ] as const;
    for (const [agent, model, accuracy, dollars] of golden) {
      const row = rows.find(({ group }) => group["agent"] === agent && group["model"] === model);
      const rate = ((row?.success.tasks ?? 0) / (row?.tasks ?? 1)) * 100;
      expect([agent, row?.tasks, Number(rate.toFixed(1)), Number((Number(row?.spend) / 5).toFixed(2))]).toEqual([
        agent,
        820,
        accuracy,
        dollars,
      ]);
      expect(Number(row?.perSuccess)).toBeCloseTo(Number(row?.spend) / (row?.success.tasks ?? 0), 9);
    }
    const { rows: charged } = (await gateway.get("/report?by=agent&filter=type=humaneval&fresh=true")) as {
      rows: { group: { agent: string }; cost: string; calls: number }[];
    };
    const bySuccess = (agent: string) =>
      formatUsd(sum(rows.filter(({ group }) => group["agent"] === agent).map(({ spend }) => parseUsd(spend))));
    for (const row of charged) expect([row.group.agent, row.calls, row.cost]).toEqual([row.group.agent, 0, bySuccess(row.group.agent)]);
    expect(charged).toHaveLength(new Set(rows.map(({ group }) => group["agent"])).size);
  }, 120_000);
});

function groupsOf<One extends { readonly model: string }>(all: readonly One[]): Map<string, One[]> {
  const groups = new Map<string, One[]>();
  for (const one of all) groups.set(one.model, [...(groups.get(one.model) ?? []), one]);
  return groups;
}
