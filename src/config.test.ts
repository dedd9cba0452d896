// The settings as people write them: what is refused, by which name, and numbers that arrive as they were written.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readConfig } from "./config.ts";

const folder = mkdtempSync(join(tmpdir(), "pennyworth-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(text: string, environment: NodeJS.ProcessEnv = {}) {
  const path = join(folder, "pennyworth.yaml");
  writeFileSync(path, text);
  return readConfig(path, {}, environment).settings;
}

describe("prices", () => {
  it("are taken to the last digit written, quoted or not", () => {
    const text = `prices: [{ provider: x, model: y, perMillion: { input: 0.12345678901234567890, output: "0.10", cache_read: 1e-7 }, perThousand: { web_search: 10 } }]`;
    expect(read(text).prices[0]).toMatchObject({
      perMillion: { input: "0.12345678901234567890", output: "0.10", cache_read: "1e-7" },
      perThousand: { web_search: "10" },
    });
  });

  it("are refused where a number has lost digits on its way", () => {
    const aliased = "providers: { x: { baseUrl: &n 0.12345678901234567890 } }";
    expect(() => read(`${aliased}\nprices: [{ provider: x, model: y, perMillion: { input: *n } }]`)).toThrow(/write it in quotes/);
    const flag = { prices: [{ provider: "x", model: "y", perMillion: { input: 0.1234567890123456 } }] };
    expect(() => readConfig(undefined, flag, {})).toThrow(/prices\.0\.perMillion\.input: .*write it in quotes/);
    const fine = { prices: [{ provider: "x", model: "y", perMillion: { input: 0.000123456789012345 } }] };
    expect(readConfig(undefined, fine, {}).settings.prices[0]?.perMillion).toEqual({ input: "0.000123456789012345" });
  });
});

describe("credits, allowances and machines", () => {
  const credit = { id: "start", amount: "100", from: "2026-07-01" };
  const machine = { name: "gpu", provider: "vllm", perHour: "2.5", from: "2026-11-01T06:30Z" };

  it("have what is not said", () => {
    expect(read("credits: [{ id: start, amount: 2500.10, from: 2026-07-01 }]").credits).toEqual([{ ...credit, amount: "2500.10" }]);
    expect(read("machines: [{ name: gpu, provider: vllm, perHour: 2.50, from: 2026-11-01 }]").machines).toEqual([
      { ...machine, perHour: "2.50", from: "2026-11-01", models: ["*"], count: 1, idle: "apart" },
    ]);
  });

  it.each([
    [{ credits: [credit, credit] }, /credits: two have one id/],
    [{ credits: [{ ...credit, expires: "2026-07-01" }] }, /credits\.0 \(start\): expires is not after from/],
    [{ credits: [{ ...credit, amount: "-1" }] }, /credits\.0 \(start\): amount: expected a decimal number/],
    [{ credits: [{ ...credit, amount: "1.0000000000001" }] }, /credits\.0 \(start\): amount: more than twelve decimals/],
    [{ credits: [{ ...credit, from: "2026-07-01T00:00Z" }] }, /credits\.0 \(start\): from/],
    [{ allowances: [{ id: "a", provider: "google", classes: ["input"], units: 0, every: "day" }] }, /allowances\.0 \(a\): units/],
    [{ machines: [machine, machine] }, /machines: two have one name/],
    [{ machines: [{ ...machine, to: "2026-11-01T06:30:00Z" }] }, /machines\.0 \(gpu\): to is not after from/],
    [{ machines: [{ ...machine, from: "2026-11-01T06:30" }] }, /machines\.0 \(gpu\): from/],
    [{ machines: [{ ...machine, from: "2026-11-01T06:30:00.5Z" }] }, /machines\.0 \(gpu\): from/],
  ])("are refused where they are wrong: %j", (flags, why) => {
    expect(() => readConfig(undefined, flags, {})).toThrow(why);
  });
});

describe("settings that nobody knows", () => {
  it.each([
    ["budgets: [{ id: team-search, owner: a, limt: $5 }]", 'budgets.0 (team-search): Unrecognized key: "limt" (near it: limit)'],
    [
      "budgets: [{ id: b, owner: a, limit: $5 }, { owner: a, limit: $5, eech: [team] }]",
      'budgets.1: Unrecognized key: "eech" (near it: each)',
    ],
    [
      "rates: [{ id: pool, owner: a, limit: 5 at once, prioritiy: 1 }]",
      'rates.0 (pool): Unrecognized key: "prioritiy" (near it: priority)',
    ],
    [
      "budgets: [{ id: b, owner: a, limit: $5, degrade: [{ at: 80%, modell: x }] }]",
      'budgets.0 (b): degrade.0: Unrecognized key: "modell" (near it: model)',
    ],
    ["trees: [{ id: t, calls: { stopp: 5 } }]", 'trees.0 (t): calls: Unrecognized key: "stopp" (near it: stop)'],
    ["providers: { x: { baseURL: http://x } }", 'providers.x: Unrecognized key: "baseURL" (near it: baseUrl)'],
    ["guard: { zzzzzz: 1 }", "; known: waitMsMax, waitingMax, fair, budgetsMax, refusalsMax"],
    ["bugdets: []", 'top level): Unrecognized key: "bugdets" (near it: budgets'],
  ])("are refused with their place, whose it is, and what is near: %s", (text, words) => {
    expect(() => read(text)).toThrow(words);
  });

  it("do not hide a value that is wrong, which is named by its place and whose it is", () => {
    expect(() => read("budgets: [{ id: b, owner: a, limit: $5, mode: hrd }]")).toThrow("budgets.0 (b): mode: ");
  });
});

describe("providers", () => {
  it("may leave out where they are, for those that are known", () => {
    expect(read("providers: { openai: { keyFile: key.txt } }").providers).toEqual({ openai: { keyFile: "key.txt" } });
  });
});

describe("variables", () => {
  it("that are mistyped are refused, with the nearest", () => {
    expect(() => read("", { PENNYWORTH_PROT: "80" })).toThrow(/PENNYWORTH_PROT in the environment; the nearest is PENNYWORTH_PORT, and/);
    expect(() => read("", { PENNYWORTH_DURABILTY: "sync" })).toThrow(/the nearest is PENNYWORTH_DURABILITY/);
  });

  it("of the tests, of credentials and of container platforms are let be", () => {
    const environment = {
      PENNYWORTH_TEST_OUTCOME: "x",
      PENNYWORTH_BENCH_CALLS: "1",
      PENNYWORTH_SERVICE_HOST: "10.0.0.1",
      PENNYWORTH_PORT_4242_TCP: "tcp://10.0.0.1:4242",
      PENNYWORTH_ADMIN_TOKEN: "t",
      PENNYWORTH_OPENAI: "sk",
      PENNYWORTH_PORT: "80",
    };
    expect(read("providers: { openai: { keyFrom: PENNYWORTH_OPENAI } }", environment).server.port).toBe(80);
  });
});
