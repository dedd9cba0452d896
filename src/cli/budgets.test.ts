// Budgets at the command line, against a control API on the folder's socket: what is defined, shown, granted, refused, stopped; bars; usage.

import { beforeEach, describe, expect, it } from "vitest";
import { createMemory, type MemoryContext, nowMs } from "../api/memory.fixture.ts";
import { unattributed } from "../core/call.ts";
import { drawStanding, listBudgets, toAmount } from "./standing.ts";
import { type Ran, runOn, serveFolder } from "./terminal.fixture.ts";

const data = serveFolder(() => context);
const acme = "n_00000000000000aa";
const dollar = 1_000_000_000_000n;
let context: MemoryContext;

beforeEach(() => {
  context = createMemory([]);
});

const run = (...args: string[]): Promise<Ran> => runOn(data, "budgets", ...args);

const search = ["--owner", "ada", "--limit", "$500 per month", "--for", "team=search"];

describe("set", () => {
  it("defines a budget, and leaves what is not named as it is", async () => {
    const made = await run(
      "set",
      "team-search",
      ...search,
      "--carry",
      "$100",
      "--degrade",
      "80% model llama3:8b",
      "--zone",
      "Europe/Berlin",
    );
    expect([made.code, made.err]).toEqual([0, ""]);
    expect(made.out).toMatch(/^Defined: team-search \(budget\)\n\nowner +ada\nlimit +\$500 per month\nfor +team=search\n/);
    expect(made.out).toMatch(/degrade +at 80% model llama3:8b/);
    const changed = await run(
      "set",
      "team-search",
      "--limit",
      "$600 per month",
      "--degrade",
      "none",
      "--zone",
      "none",
      "--alerts",
      "50%,90%",
      "--json",
    );
    expect((JSON.parse(changed.out) as { budget: { terms: object } }).budget.terms).toEqual({
      kind: "budget",
      owner: "ada",
      limit: "$600 per month",
      for: { team: "search" },
      each: [],
      mode: "hard",
      unbounded: "refuse",
      carry: "$100",
      caps: "inject",
      degrade: [],
      alerts: ["50%", "90%"],
    });
  });

  it("defines a rate", async () => {
    const { out } = await run(
      "set",
      "per-key",
      "--rate",
      "--owner",
      "ops",
      "--limit",
      "60 calls per minute",
      "--each",
      "key",
      "--priority",
      "2",
      "--json",
    );
    expect((JSON.parse(out) as { budget: object }).budget).toMatchObject({
      measure: "calls",
      terms: { kind: "rate", each: ["key"], priority: 2 },
    });
  });

  it.each([
    [["set", "a", "--limit", "$5"], /a new one needs --owner and --limit/],
    [["set", "a", ...search, "--for", "team"], /--for "team": expected field=value, as in team=search/],
    [["set", "a", ...search, "--for", "team=x"], /--for names team twice/],
    [["set", "a", "--owner", "x", "--limit", "$5 per mnth"], /limit: per "mnth" is not understood \(near it: month/],
    [["set", "a", ...search, "--degrade", "80 model x"], /--degrade "80 model x": expected, for example, "80% model gpt-5-mini"/],
    [["set", "a", ...search, "--useful", "x"], /--useful: "x" is no whole number from 0 to 1,000,000/],
    [["set", "a", ...search, "--useful", "1.5"], /--useful: "1\.5" is no whole number/],
    [["set", "a", ...search, "--degrade", "95% cap few"], /--degrade "95% cap few": "few" is no whole number from 1/],
    [["set", "a", ...search, "--share", "agent"], /expected, for example, agent:planner=10/],
    [["halt"], /required option '--for <field=value>' not specified/],
    [["halt", "--for", "tema=x"], /no field is called "tema" \(near it: team\)/],
  ])("%j is wrong usage, and says why", async (args, why) => {
    const { code, out, err } = await run(...args);
    expect(err).toMatch(why);
    expect([code, out]).toEqual([2, ""]);
  });
});

describe("list and show", () => {
  it("have what stands under each budget, and what is stopped", async () => {
    expect((await run("list")).out).toMatch(/There are no budgets yet\. Define one/);
    await run("set", "team-search", ...search);
    await run("set", "per-customer", "--owner", "ada", "--limit", "10 calls per day", "--each", "customer", "--mode", "soft");
    context.guard.call("c1", { team: "search", customer: acme }, 100n * dollar, "settled");
    context.guard.call("c2", { team: "search" }, 20n * dollar, "open");
    context.guard.halt({ customer: acme }, "ada", "runs away");
    const { out } = await run("list");
    expect(out.split("\n").map((line) => line.replaceAll(/ {2,}/g, "  ").trim())).toEqual([
      "Stopped: customer=Acme & <b>Sons</b>, by ada, 2026-11-21 12:00: runs away (halt_1)",
      "",
      "budget  for  limit  used  spent  held  left  until",
      expect.stringMatching(/^─/),
      "per-customer  each customer: 1  10 calls per day  soft",
      "Acme & <b>Sons</b>  10 %  1  0  9  2026-11-22 00:00",
      "team-search  team=search  $500 per month  24 %  $100  $20  $380  2026-12-01 00:00",
      "",
    ]);
    const shown = await run("show", "per-customer");
    expect(shown.out).toMatch(/each +customer\n.*mode +soft/s);
    expect(shown.out).toMatch(/Acme & <b>Sons<\/b> +10 +0 +0 +1 +0 +0 +9 +2026-11-22 00:00/);
    expect((await run("show", "team-serch")).err).toMatch(/No budget has the id team-serch\. Near it: team-search\./);
  });
});

describe("grant and unset", () => {
  it("count once", async () => {
    await run("set", "team-search", ...search);
    expect((await run("grant", "team-search", "50", "--id", "g1", "--note", "launch")).out).toBe(
      "Granted $50 to team-search. $550 is left of $550.\n",
    );
    expect((await run("grant", "team-search", "50", "--id", "g1")).out).toMatch(/was made before: nothing was done/);
    expect((await run("grant", "team-search", "-20.5")).out).toBe("Granted -$20.5 to team-search. $529.5 is left of $529.5.\n");
    expect((await run("unset", "team-search")).out).toBe("team-search is no budget any more.\n");
    expect(await run("unset", "team-search")).toMatchObject({ code: 1, err: expect.stringContaining("No budget has the id") });
  });

  it("of a budget for each customer say whose", async () => {
    await run("set", "each", "--owner", "ada", "--limit", "10 calls per day", "--each", "customer");
    expect(await run("grant", "each", "5")).toMatchObject({ code: 2, err: expect.stringContaining("no customer is named") });
    expect((await run("grant", "each", "5", "--for", "customer=Acme & <b>Sons</b>")).out).toBe(
      "Granted 5 to each, Acme & <b>Sons</b>. 15 is left of 15.\n",
    );
  });
});

describe("the guard's own", () => {
  it("refusals and whys are told", async () => {
    await run("set", "team-search", ...search);
    expect((await run("refusals")).out).toBe("No call was refused.\n");
    expect((await run("refusals", "--budget", "team-search")).out).toBe("No call was refused by team-search.\n");
    expect(await run("refusals", "--budget", "team-serch")).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("No budget has the id team-serch. Near it: team-search."),
    });
    const against = {
      budget: "team-search",
      values: [],
      measure: "money" as const,
      left: dollar / 2n,
      limit: 500n * dollar,
      needed: 2n * dollar,
      resetsMs: null,
    };
    const attribution = { ...unattributed, team: "search", agent: "\u001b[31mred" };
    const one = { id: "x1", request: "r", atMs: nowMs, key: null, provider: "openai", model: "gpt-5-mini", attribution };
    context.guard.refusals.push({ ...one, code: "budget_exhausted", stopped: null, detail: "it is used up.", against: [against] });
    context.guard.call("c1", { team: "search" }, dollar, "open");
    expect((await run("refusals", "--since", "1h")).out).toMatch(
      /2026-11-21 12:00 +x1 +budget_exhausted +team-search +team=search, agent=\\u001b\[31mred/,
    );
    const why = (await run("why", "x1")).out;
    expect(why).toMatch(/x1 was refused at 2026-11-21 12:00: budget_exhausted\. it is used up\.\nIt was for openai gpt-5-mini/);
    expect(why).toMatch(/team-search +\$500 +\$0\.5 +\$2 +not by itself/);
    expect((await run("why", "c1")).out).toBe(
      "c1 was let in at 2026-11-21 12:00: at most $1; it is under way.\nIt holds on: team-search\n",
    );
    expect(await run("why", "c9")).toMatchObject({ code: 1, err: expect.stringContaining("The guard knows nothing of the call c9") });
  });

  it("the switch is thrown and put back", async () => {
    expect((await run("halt", "--for", "team=search", "--note", "runs away")).out).toBe(
      "Stopped: team=search, by admin, 2026-11-21 12:00: runs away (halt_1)\nTo let it go on: pennyworth budgets resume halt_1\n",
    );
    expect((await run("halts")).out).toMatch(/^Stopped: team=search/);
    expect((await run("resume", "halt_1")).out).toBe("halt_1 goes on.\n");
    expect((await run("halts")).out).toBe("Nothing is stopped.\n");
    await run("halt", "--for", "all");
    expect(context.guard.halts()[0]?.scope).toEqual({});
  });

  it("a tree that was stopped is among what is stopped, and let go on", async () => {
    const tree = { root: "crawl 7", startedMs: 0, lastMs: 1, tasks: 3, calls: 9, idlePico: dollar, reason: "a loop" };
    context.guard.stopped.push({ ...tree, state: "stopped" });
    const words =
      "Stopped: in the tree crawl 7, last call 1970-01-01 00:00: a loop\nTo let it go on: pennyworth budgets resume 'crawl 7'\n";
    expect((await run("halts")).out).toBe(words);
    expect((await run("list")).out).toMatch(/^Stopped: 1 tree of tasks\. More of it: pennyworth budgets halts\n\n/);
    expect(JSON.parse((await run("halts", "--json")).out)).toMatchObject({ halts: [], trees: [{ root: "crawl 7", reason: "a loop" }] });
    expect((await run("resume", "crawl 7")).out).toBe("crawl 7 goes on.\n");
    expect(await run("resume", "crawl 7")).toMatchObject({
      code: 1,
      err: expect.stringContaining("Nothing is stopped under the id crawl 7"),
    });
  });

  it("presumed calls are listed and settled", async () => {
    await run("set", "team-search", ...search);
    expect((await run("presumed")).out).toMatch(/it is known how it ended/);
    context.guard.call("c1", { team: "search" }, 3n * dollar, "presumed");
    expect((await run("presumed")).out).toMatch(/c1 +2026-11-21 12:00 +\$3\n\n1 call\./);
    expect((await run("settle", "c1", "0.25")).out).toBe("c1 counts as $0.25 from now on.\n");
    expect((await run("settle", "c1", "0.25")).err).toMatch(/No presumed call has the id c1/);
  });
});

describe("bars", () => {
  const none = { values: [], fromMs: null, toMs: null, granted: "0", carried: "0", left: "0", usedPercent: 0 };

  it.each([
    ["100", "50", "25", "5", "██████████▓▓▓▓▓▒····"],
    ["100", "0", "0", "0", "····················"],
    ["100", "0.01", "0", "0", "█···················"],
    ["100", "99.9", "0.05", "0", "████████████████████"],
    ["100", "150", "0", "50", "███████████████▒▒▒▒▒"],
    ["0", "0", "0", "0", "                    "],
    ["-5", "1", "0", "0", "████████████████████"],
  ])("of %s, of which %s, %s and %s", (allowance, spent, held, presumed, drawn) => {
    expect(drawStanding({ ...none, allowance, spent, held, presumed })).toBe(drawn);
  });

  it("are as wide as they are to be, whatever stands there", () => {
    for (const spent of ["0", "1", "33.3", "99", "100", "1e3"])
      for (const held of ["0", "1", "50", "100"])
        for (const presumed of ["0", "1", "50"])
          expect(drawStanding({ ...none, allowance: "100", spent, held, presumed })).toHaveLength(20);
  });

  it("have a legend, and only where they can be drawn", () => {
    const terms = {
      kind: "budget",
      owner: "a",
      for: {},
      each: [],
      limit: "$1",
      mode: "hard",
      unbounded: "refuse",
      carry: "none",
      caps: "inject",
    } as const;
    const standings = [{ ...none, allowance: "1", spent: "0.5", held: "0", presumed: "0.1", left: "0.4", usedPercent: 60 }];
    const one = { id: "a", origin: "api", setMs: 0, measure: "money", limit: "1", standings, total: 1 } as const;
    const budget = { ...one, standings, terms: { ...terms, each: [], degrade: [], alerts: [] } };
    expect(listBudgets([budget], true)).toMatch(
      /██████████▒▒········ +60 % .*\n\n█ spent {2}▓ held for calls under way {2}▒ presumed {2}· left$/s,
    );
    expect(listBudgets([budget], false)).not.toMatch(/█/);
  });
});

it.each([
  ["1234567.5", "money", "$1,234,567.5"],
  ["-0.000000000001", "money", "-$0.000000000001"],
  ["1500", "tokens", "1,500"],
] as const)("%s of %s reads %s", (text, measure, shown) => {
  expect(toAmount(text, measure)).toBe(shown);
});
