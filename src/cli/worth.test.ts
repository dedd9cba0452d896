// `pennyworth worth` as a process, with a folder that holds no ledger: the numbers are sums by hand and the reference's.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createMemory, emptyRow } from "../api/memory.fixture.ts";
import { listenIn, type Ran, runOn } from "./terminal.fixture.ts";

const data = mkdtempSync(join(tmpdir(), "pennyworth-worth-"));
const served = mkdtempSync(join(tmpdir(), "pennyworth-worth-"));
let server: Server | undefined;

afterAll(() => {
  server?.close();
  server?.closeAllConnections();
  for (const folder of [data, served]) rmSync(folder, { recursive: true, force: true });
});

const run = (args: readonly string[], folder = data): Promise<Ran> => runOn(folder, "worth", ...args);

const support = ["--minutes", "9", "--rate", "$32", "--cost", "0.0585", "--success", "68%", "--cleanup-minutes", "6"];
const narrow = (text: string): string[] => text.split("\n").map((line) => line.replaceAll(/ {2,}/g, "  ").trim());

describe("the support example", () => {
  it("prints the verdict first, then a sum whose parts add up, the break-even, and what would turn it", async () => {
    const { code, out, err } = await run([...support, "--tasks", "3200"]);
    expect([code, err]).toEqual([0, ""]);
    const lines = narrow(out);
    expect(lines[0]).toBe(
      "Go: the agent pays from 40.7 % success on, and it succeeds in 68 %. A task is expected to cost $2.62 against $4.80: $2.18 (45.45 %) saved.",
    );
    expect(lines.slice(2, 11)).toEqual([
      "at 68 % success  a task  3,200 tasks",
      expect.stringMatching(/^─/),
      "runs of the agent  $0.0585  $187.20",
      "cleaning up after failures  $1.024  $3,276.80",
      "a person after all  $1.536  $4,915.20",
      expect.stringMatching(/^─/),
      "with the agent  $2.6185  $8,379.20",
      "done by a person  $4.80  $15,360",
      "saved  $2.1815  $6,980.80",
    ]);
    expect(out).toContain("The agent pays from 40.7 % on; it succeeds in 68 %.");
    // 3,200 × 0.32 × 15 minutes, and 3,200 × 9 less that.
    expect(out).toContain("People's time with the agent for 3,200 tasks: 256 hours; 224 hours saved.");
    expect(lines).toContainEqual(expect.stringMatching(/^success  68 %  40\.7 %  58 % to 78 %/));
    expect(lines).toContainEqual(expect.stringMatching(/^cost of a run  \$0\.0585  \$2\.24  /));
    expect(readdirSync(data)).toEqual([]);
  });

  it("is exact as JSON, and checked where it is asked", async () => {
    const { out } = await run([...support, "--tasks", "3200", "--json"]);
    const answer = JSON.parse(out) as { breakEven: { p: number }; expected: { basis: { all: object } } };
    expect(answer.breakEven.p).toBe(0.4073125);
    expect(answer.expected.basis.all).toMatchObject({ agent: "8379.2", savedPercent: "45.45" });
    expect((await run([...support, "--check"])).code).toBe(0);
    const few = await run([...support, "--success", "6/12", "--check"]);
    expect([few.code, few.out]).toEqual([3, expect.stringMatching(/^Not enough data: .*about 96 more tasks/)]);
    expect((await run([...support, "--success", "30%..35%", "--check"])).code).toBe(3);
  });
});

it("weighs a dearer one, and a value in place of a person", async () => {
  const dearer = ["--dearer-cost", "2.50", "--dearer-review-minutes", "2"];
  const { out } = await run(["--minutes", "120", "--rate", "60", "--cost", "0.5", "--review-minutes", "10", "--success", "0.8", ...dearer]);
  expect(out).toContain("The dearer one, succeeding no more often (80 %), costs $28.50 a task in all: $6 less than the other.");
  expect(out).toContain("It is worth its price from 75 % success on.");
  expect(out).toContain("a run of it may cost $8.50, or checking one may take 8 minutes.");
  expect(out).toContain("Checking a run costs $10 and does not pay with no damage said");
  // Where nothing fails there is nothing to find, whatever the damage; and what comes to light by itself is not found by checking.
  const checked = ["--minutes", "120", "--rate", "60", "--cost", "0.5", "--review-minutes", "10"];
  const sure = await run([...checked, "--success", "1", "--damage", "1000"]);
  expect(sure.out).toContain("does not pay: where every task succeeds there is nothing to find.");
  const light = await run([...checked, "--success", "0.2", "--detection", "0.2", "--unreviewed", "0.9"]);
  expect(light.out).toContain("does not pay with no damage said: there is nothing that it keeps from harm.");
  const alone = await run(["--value", "10", "--cost", "1", "--success", "0.9"]);
  expect(alone.out).toMatch(/value of what succeeds +\$9\n/);
  expect(alone.out).not.toContain("GDPval");
  // Where nobody would do it otherwise, nothing is saved.
  expect(alone.out).toMatch(/and to bring \$9\.00: \$8\.00 .*gained/);
  expect(alone.out).not.toMatch(/saved|saves/);
});

it("draws one rule where there is no part of a sum to stand above it", async () => {
  const { out } = await run(["--minutes", "9", "--rate", "32", "--cost", "0", "--success", "100%"]);
  expect(out).toMatch(/a task\n─+  ─+\nwith the agent +\$0\n/);
  expect(out).not.toMatch(/─\n─/);
});

it("says of damage that it adds nothing where all failures are found", async () => {
  const idle = /^The agent: damage counts for failures that nobody finds, and unless detection is below 1 all are found: it adds nothing/m;
  expect((await run([...support, "--damage", "100"])).out).toMatch(idle);
  expect((await run([...support, "--damage", "100", "--detection", "90%"])).out).not.toMatch(idle);
  expect((await run(support)).out).not.toMatch(idle);
});

describe("wrong usage", () => {
  it.each([
    [["--rate", "32"], /--minutes is needed/],
    [["--minutes", "9", "--rate", "32"], /--cost is needed/],
    [["--cost", "1"], /--minutes and --rate are needed, or else --value/],
    [[...support, "--value", "1"], /--minutes and --value exclude each other/],
    [[...support, "--success", "often"], /--success is "often", which is no number/],
    [[...support, "--success", "68"], /--success is 68, which is more than all of them: 68 in a hundred is said as 68%\./],
    [[...support, "--success", "168"], /--success is 168, which is more than all of them: a share is said as 0\.68 or as 68%\./],
    [[...support, "--success", "5/3"], /--success: successes must not be above the tasks/],
    [[...support, "--success", "70%..60%"], /--success: low must not be above high/],
    [[...support, "--review-minutes", "-3"], /--review-minutes: must be minutes, a number from 0 to 9000000, not -3\.\n$/],
    [[...support, "--damage", "much"], /--damage: must be dollars/],
    [[...support, "--since", "30d"], /--from-ledger is needed/],
    [[...support, "--colour", "red"], /unknown option '--colour'/],
  ])("%j says which option", async (args, why) => {
    const { code, out, err } = await run(args);
    expect(err).toMatch(why);
    expect([code, out]).toEqual([2, ""]);
  });
});

describe("from the ledger", () => {
  it("needs one", async () => {
    expect(await run(["--minutes", "9", "--rate", "32", "--from-ledger", "ticket"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("There is no ledger"),
    });
  });

  it("says which numbers are the ledger's", async () => {
    const context = createMemory([]);
    const alike = {
      quantiles: { p50: "0.1", p90: "0.1", p99: "0.1" },
      units: Array.from({ length: 40 }, (_, index) => ({ cost: "0.1", successes: index < 30 ? 1 : 0 })),
    };
    const row = { ...emptyRow, group: ["ticket"], success: { tasks: 30, cost: "3" }, failure: { tasks: 10, cost: "1" }, ...alike };
    context.tasks.page = { ...context.tasks.page, rows: [row], total: row };
    server = await listenIn(served, () => context);
    const { code, out, err } = await run(["--minutes", "9", "--rate", "32", "--from-ledger", "ticket"], served);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("From the ledger, of 40 tasks of the type ticket: a run costs $0.10 ($0.10 to $0.10); 30 of 40 succeeded.");
    expect(out).toContain("Nobody said how long these tasks took to check");
    // 39 at $0.50 and one at $60: the $2.40 of a person lies within what is known of a run.
    const units = [...Array.from({ length: 39 }, () => ({ cost: "0.5", successes: 1 })), { cost: "60", successes: 1 }];
    const heavy = { ...emptyRow, success: { tasks: 40, cost: "79.5" }, units, quantiles: { p50: "0.5", p90: "0.5", p99: "60" } };
    const few = { ...emptyRow, success: { tasks: 4, cost: "0.4" }, reviewMillis: "180000", reviewSquares: "16200000000", unreviewed: 2 };
    const check = ["--minutes", "9", "--rate", "16", "--from-ledger", "heavy", "--check"];
    context.tasks.page = { ...context.tasks.page, total: { ...heavy, unpriced: 2 } };
    const unpriced = await run(check, served);
    expect([unpriced.code, unpriced.err]).toEqual([2, expect.stringMatching(/or a file left the cost empty; say --cost\./)]);
    expect(unpriced.err).not.toContain("agent.cost");
    // Forty of forty, and of 160 more nobody said how they ended: no go that a script could take.
    const silent = { ...alike, success: { tasks: 40, cost: "4" }, unknown: { tasks: 160, cost: "16" } };
    context.tasks.page = { ...context.tasks.page, total: { ...row, failure: { tasks: 0, cost: "0" }, ...silent } };
    const worth = ["--minutes", "9", "--from-ledger", "ticket", "--check", "--rate"];
    expect(await run([...worth, "2"], served)).toMatchObject({ code: 3, out: expect.stringMatching(/nobody said how 160 of 200 tasks/) });
    expect(await run([...worth, "32"], served)).toMatchObject({ code: 0, out: expect.stringMatching(/^Go: /) });
    context.tasks.page = { ...context.tasks.page, total: heavy };
    expect(await run(check, served)).toMatchObject({ code: 3, out: expect.stringMatching(/^Not enough data: .*; 40 of 40 succeeded/s) });
    context.tasks.page = { ...context.tasks.page, total: few };
    const answer = await run(check, served);
    expect(answer).toMatchObject({ code: 3, out: expect.stringContaining("a run costs $0.10 (not enough data)") });
    expect(answer.out).toContain("checking takes 0.75 minutes (not enough data; said of 2)");
  });
});
