// Tasks at the command line, against a control API on the folder's socket: begun, ended, imported, shown; what a success costs; usage.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { createMemory, emptyRow, makeCall, type MemoryContext, nowMs } from "../api/memory.fixture.ts";
import { short } from "./successes.ts";
import { type Ran, runOn, serveFolder } from "./terminal.fixture.ts";

const data = serveFolder(() => context);
let context: MemoryContext;

beforeEach(() => {
  context = createMemory([makeCall("c1", { startMs: nowMs - 2_000, attribution: { task: "t1", type: "resolve-ticket" } as never })]);
});

const run = (...args: string[]): Promise<Ran> => runOn(data, "tasks", ...args);

describe("statements of tasks that nobody has heard of", () => {
  it("are listed, with how they are helped", async () => {
    const said = { atMs: nowMs, judge: "check", source: "ci", valuePico: null, reviewMillis: null, reason: null, key: null } as const;
    for (const [id, task, result] of [
      ["s1", "t1", "success"],
      ["s2", "tikcet-1", "failure"],
      ["s3", "tikcet-1", "success"],
    ] as const)
      context.record({ kind: "outcome", outcome: { ...said, id, task, result } });
    const { out } = await run("waiting");
    expect(out).toMatch(/^task +said +result +judge +source +statements\n.*\ntikcet-1 .*check +ci +2\n/);
    expect(out).not.toContain("t1 ");
    expect(out).toContain("pennyworth tasks begin --id TASK");
    context = createMemory([]);
    expect((await run("waiting")).out).toBe("Nothing waits: every task of which something was said is on record.\n");
    expect(JSON.parse((await run("waiting", "--json")).out)).toMatchObject({ tasks: [], truncated: false });
  });
});

describe("a task", () => {
  it("is begun, ended, revised, and shown", async () => {
    expect(
      await run("begin", "--id", "t 1", "--type", "fix", "--customer", "Acme & <b>Sons</b>", "--tag", "lane=fast", "--rework-of", "t0"),
    ).toEqual({
      code: 0,
      out: "t 1\n",
      err: "",
    });
    expect(context.recorded).toMatchObject([
      {
        kind: "task.begun",
        task: { reworkOf: "t0", attribution: { task: "t 1", type: "fix", customer: "n_00000000000000aa", tags: { lane: "fast" } } },
      },
    ]);
    const ended = await run("end", "t 1", "--result", "success", "--value", "12.50", "--review-minutes", "2.5", "--id", "o1");
    expect([ended.code, ended.out]).toEqual([0, "On record of t 1: success, worth $12.50, checked for 2.5 min (o1).\n"]);
    const revised = await run(
      "end",
      "t 1",
      "--result",
      "failure",
      "--judge",
      "person",
      "--source",
      "Acme & <b>Sons</b>",
      "--reason",
      "reverted",
      "--id",
      "o2",
    );
    expect([revised.code, revised.out, revised.err]).toEqual([0, "On record of t 1: failure (o2).\n", ""]);
    const { out } = await run("outcomes", "t 1");
    expect(out).toMatch(
      /^t 1: failure, says a person, Acme & <b>Sons<\/b> \(reverted\); it says itself success, checked it is failure; sources contradict one another; worth \$0; checked for 2\.5 min\nIt makes good t0: what it costs is booked there\.\n\n/,
    );
    expect(out).toMatch(/2026-11-21 12:00 +self +— +success +— +12\.5 +2\.5 +o1\n/);
    expect(JSON.parse((await run("outcomes", "t 1", "--json")).out)).toMatchObject({ ending: { result: "failure", statements: 2 } });
  });

  it("of which nobody said anything says how to", async () => {
    expect((await run("outcomes", "it's")).out).toBe(
      "Nobody has said how it's ended. To say it: pennyworth tasks end 'it'\\''s' --result success\n",
    );
  });

  it("without a name, or with one that no address can have, is refused, and why is said", async () => {
    for (const [name, why] of [
      ["", "the task's name is empty: say which one is meant"],
      [" ", "the task's name is empty"],
      ["..", '".." cannot be the name of a task'],
      [".", '"." cannot be the name of a task'],
    ] as const)
      for (const args of [
        ["outcomes", name],
        ["end", name, "--result", "success"],
      ])
        expect(await run(...args)).toEqual({ code: 2, out: "", err: expect.stringContaining(why) });
    expect(await run("begin", "--id", "..")).toMatchObject({ code: 2, err: expect.stringContaining('is "." or ".."') });
    expect(await run("import", write("task,result\n..,success\n"))).toMatchObject({
      code: 2,
      err: expect.stringContaining('is "." or ".."'),
    });
    expect(context.recorded).toEqual([]);
    // Three points are a name.
    expect((await run("outcomes", "...")).code).toBe(0);
  });

  it("is listed with what it cost", async () => {
    const listed = await run("list");
    expect(listed.out).toMatch(
      /^task +type +customer +agent +began +ended +value \$ +calls +cost \$\n.*\nt1 +resolve-ticket +— +— +2026-11-21 11:59 +open +— +1 +0\.00045$/m,
    );
    await run("end", "t1", "--result", "success", "--value", "12.50", "--judge", "check", "--source", "tests");
    await run("end", "t1", "--result", "failure");
    expect((await run("list", "--ended", "success")).out).toMatch(/11:59 +success \(contradictory\) +12\.5 +1 +0\.00045$/m);
    expect((await run("list", "--ended", "open")).out).toBe("No task of these days ended so: open.\n");
    context = createMemory([]);
    expect((await run("list", "--json")).out).toMatch(/"tasks": \[\]/);
  });
});

function write(text: string | Buffer): string {
  const path = join(data, "outcomes.csv");
  writeFileSync(path, text);
  return path;
}

describe("a file", () => {
  it("is imported, and counts once", async () => {
    const path = write('task,result,value\nt1,success,12.5\n"t,2",failure,\n');
    expect(await run("import", path)).toEqual({
      code: 0,
      out: "2 outcomes on record.\nOf 1 task nobody has heard yet: pennyworth tasks waiting.\n",
      err: "",
    });
    expect(context.recorded).toMatchObject([
      { kind: "outcome", outcome: { task: "t1", result: "success" } },
      { kind: "outcome", outcome: { task: "t,2", result: "failure" } },
    ]);
    // A server that was started again knows it from the store.
    expect(JSON.parse((await run("import", path, "--json")).out)).toMatchObject({ recorded: 0, known: 2 });
    expect(context.recorded).toHaveLength(2);
  });

  it("of thousands of lines goes in parts", async () => {
    const path = write(`task,result\n${Array.from({ length: 2_500 }, (_, index) => `t${index},success`).join("\n")}\n`);
    expect((await run("import", path)).out).toBe(
      "2,500 outcomes on record.\nOf 500 tasks or more nobody has heard yet: pennyworth tasks waiting.\n",
    );
    expect(context.recorded).toHaveLength(2_500);
  });

  it("of thousands of lines is taken whole or not at all", async () => {
    const head = "task,type,customer,cost,result";
    const lines = Array.from({ length: 2_500 }, (_, index) => `t${index},fix,Acme,1,success`);
    expect((await run("import", write(`${head}\nlast,fix,Acme,1,success\n`))).code).toBe(0);
    const before = context.recorded.length;
    Object.assign(context.names, { tokenOf: (name: string) => `n_${Buffer.from(name).toString("hex").padEnd(16, "0").slice(0, 16)}` });
    // What is on record already, what another line says, and an id: each of a line in another part.
    for (const [line, message] of [
      ["last,fix,Acme,2,success", /: 1 of 2501 outcomes are wrong, and none was recorded: line 2502: cost: 1 is on record of "last"/],
      ["t0,fix,Acme,2,success", /line 2502: cost: line 2 says 1 of "t0"/],
      [
        "t0,fix,Beta,1,success",
        /: 1 or more of 2501 outcomes are wrong, and none was recorded: line 2502: customer: line 2 says another of "t0"/,
      ],
    ] as const) {
      const { code, out, err } = await run("import", write(`${[head, ...lines, line].join("\n")}\n`));
      expect([code, out, err]).toEqual([2, "", expect.stringMatching(message)]);
      expect(context.recorded).toHaveLength(before);
    }
    const path = write(`${[head, ...lines].join("\n")}\n`);
    expect((await run("import", path)).out).toBe("2,500 outcomes on record, 2,500 tasks begun, 2,500 costs booked.\n");
    expect((await run("import", path)).out).toBe("0 outcomes on record, 2,500 known before.\n");
  }, 120_000);

  it("that is not UTF-8 is refused with its line, before two names become one", async () => {
    for (const [bytes, message] of [
      [
        Buffer.from("task,type,customer\nl1,lat,Müller\nl2,lat,Möller\n", "latin1"),
        /outcomes\.csv: line 2 is not UTF-8: save the file as UTF-8/,
      ],
      [Buffer.from("\uFEFFtask,type\n", "utf16le"), /outcomes\.csv: it is UTF-16, not UTF-8: save the file as UTF-8/],
    ] as const) {
      const { code, err } = await run("import", write(bytes));
      expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    }
    expect(context.recorded).toEqual([]);
    expect((await run("import", write("\uFEFFtask,type\nl1,lat\n"))).code).toBe(0);
  });

  it.each([
    [
      "task,result\nt1,success\nt2,maybe\n",
      /outcomes\.csv: 1 of 2 outcomes are wrong, and none was recorded: line 3: result: expected success/,
    ],
    ["task,resutl\nt1,success\n", /line 1: no column is called "resutl" \(result\?\)/],
    ["task,result\n", /there is no line below the first/],
    ["", /the table is empty/],
  ])("as %j is refused whole", async (text, message) => {
    const { code, out, err } = await run("import", write(text));
    expect([code, out, err]).toEqual([2, "", expect.stringMatching(message)]);
    expect(context.recorded).toEqual([]);
  });

  it("that is not there is said to be", async () => {
    expect(await run("import", join(data, "nowhere.csv"))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/nowhere\.csv is not there/),
    });
  });
});

describe("success", () => {
  const units = Array.from({ length: 48 }, (_, index) => ({
    cost: index < 40 ? "1" : "2",
    successes: index < 30 ? 1 : 0,
    value: index < 14 ? "6" : "0",
    reviewMillis: index < 45 ? "120000" : "0",
  }));
  const forty = {
    ...emptyRow,
    group: ["support"],
    success: { tasks: 30, cost: "30" },
    failure: { tasks: 10, cost: "10" },
    unknown: { tasks: 6, cost: "12" },
    open: { tasks: 2, cost: "4" },
    value: "84",
    unvaluedCost: "42",
    reviewMillis: "5400000",
    contradictory: 1,
    quantiles: { p50: "1", p90: "2", p99: "2" },
    units,
  };
  const one = { ...emptyRow, group: [null], success: { tasks: 1, cost: "0.00123456" }, units: [{ cost: "0.00123456", successes: 1 }] };

  it("costs all spend over successes, with its interval, and what is lacking in words", async () => {
    context.tasks.page = { rows: [forty, one], total: { ...forty, group: [] }, truncated: true, waiting: 1, position: null };
    const { code, out, err } = await run("success", "--by", "agent", "--since", "30d");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^agent +tasks +success rate +spend \$ +\$ per success +on failures +return +data\n/);
    expect(out).toMatch(
      /\nsupport +48 +75 % \(60–86 %\) +56\.00 +1\.87 \(1\.\d\d–2\.\d\d\) +18 % +≥ 50 % \(≥ −1\d to ≥ 1[234]\d %\) +enough\n/,
    );
    expect(out).toMatch(/\n— +1 +100 % \(21–100 %\) +0\.00123 +0\.00123 \(\?\) +0 % +— +not enough data: few tasks/);
    expect(out).toMatch(/\ntotal +48 /);
    for (const line of [
      "Only the first 2 rows are shown (--limit); the total is over all.",
      "Nobody said how 6 tasks ended: $12.00.",
      "2 tasks may still end, until 24 h after the last call: $4.00.",
      "Sources say different things of 1 task",
      "Return: of 75 % of the spend nobody said what came of it was worth. It and its interval are at least (≥) what they are without.",
      "1 statement of tasks that nobody has heard of yet waits: pennyworth tasks waiting",
    ])
      expect(out).toContain(line);
  });

  it("with the price of checking has it in a column of its own", async () => {
    context.tasks.page = { rows: [forty], total: { ...forty, group: [] }, truncated: false, waiting: 0, position: null };
    expect((await run("success", "--review-rate", "32")).out).toMatch(/with review \$.*\n.*\nsupport .* 3\.47 \(2\.\d\d–[45]\.\d\d\) /);
    expect(JSON.parse((await run("success", "--review-rate", "32", "--json")).out)).toMatchObject({ total: { review: { cost: "48" } } });
  });

  it("of no task is no table", async () => {
    expect((await run("success")).out).toBe("No task matches.\n");
  });
});

it.each([
  [["success", "--by", "agnet"], /tasks are not told apart by "agnet"; near it: agent/],
  [["sucess"], /unknown command 'sucess'\n\(Did you mean success\?\)/],
  [["end", "t1", "--result", "succes"], /argument 'succes' is invalid\. Allowed choices are success, failure, unknown/],
  [["end", "t1", "--judge", "god", "--result", "success"], /Allowed choices are person, check, self/],
  [["end", "t1"], /: it says nothing: give --result, --value or --review-minutes\.\n$/],
  [["end", "t1", "--value", "12,50"], /value: "12,50" is no amount/],
  [["end", "t1", "--review-minutes", "-2"], /--review-minutes "-2": expected minutes, zero or more/],
  [["end", "t1", "--result", "success", "--at", "2999-01-01"], /is more than a day ahead/],
  [["begin", "--tag", "x"], /--tag "x": expected name=value/],
  [["begin", "--cusomer", "x"], /unknown option '--cusomer'\n\(Did you mean --customer\?\)/],
])("wrong usage: %j", async (args, message) => {
  const { code, out, err } = await run(...args);
  expect([code, out, err]).toEqual([2, "", expect.stringMatching(message)]);
  expect(context.recorded).toEqual([]);
});

it.each([
  ["0", "0"],
  ["1234567.891", "1,234,567.89"],
  ["1", "1.00"],
  ["0.5", "0.5"],
  ["0.0123456", "0.0123"],
  ["0.00000123456", "0.00000123"],
  ["0.000000000001", "0.000000000001"],
  ["-2.5", "-2.50"],
])("%s is shortened to %s", (usd, text) => {
  expect(short(usd)).toBe(text);
});
