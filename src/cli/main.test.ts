// The commands as people run them: exit codes, one clear line for what went wrong, tables and JSON, against a server on the folder's socket.

import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type MemoryContext, createMemory, makeCall, nowMs } from "../api/memory.fixture.ts";
import { readConfig } from "../config.ts";
import { toPico } from "../core/money.ts";
import { type Ran, runOn, serveFolder } from "./terminal.fixture.ts";

const context = createMemory([
  makeCall("c1", { startMs: nowMs - 3_000, attribution: { customer: "n_00000000000000aa", task: "\u001b[31mred\u202e" } as never }),
  makeCall("c2", { startMs: nowMs - 2_000 }),
]);
const data = serveFolder(() => context);

/** Lets the server on the folder's socket answer from another ledger for a while. */
async function withLedger<Result>(other: MemoryContext, use: () => Promise<Result>): Promise<Result> {
  const { report, call } = context.ledger;
  Object.assign(context.ledger, { report: other.ledger.report, call: other.ledger.call });
  try {
    return await use();
  } finally {
    Object.assign(context.ledger, { report, call });
  }
}

const run = (...args: string[]): Promise<Ran> => runOn(data, ...args);

describe("wrong usage ends with 2 and one clear line", () => {
  it.each([
    [["reprot"], /unknown command 'reprot'\n\(Did you mean report\?\)/],
    [["report", "--sinse", "1h"], /unknown option '--sinse'\n\(Did you mean --since\?\)/],
    [["serve", "--port", "99999"], /whole number from 0 to 65535/],
    [["rehearse", "--trace", "x", "--speed", "0"], /above 0, or max/],
    [["report", "--by", "modle"], /no field is called "modle"/],
    [["keys", "create", "--name", "x", "--role", "god"], /use, read, administer/],
    [["keys", "create", "--name", ""], /argument '' is invalid. Expected 1 to 100 characters, not none\./],
  ])("%j", async (args, message) => {
    const { code, out, err } = await run(...args);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/^ +at /m);
    expect([code, out]).toEqual([2, ""]);
  });
});

it("every command has help with examples", async () => {
  for (const command of ["serve", "demo", "report", "top", "receipt", "doctor", "rehearse", "prices list", "prices show", "prices set"]) {
    const { code, out } = await run(...command.split(" "), "--help");
    expect([command, code]).toEqual([command, 0]);
    expect(out).toContain(`Examples:\n  $ pennyworth ${command}`);
  }
});

it("help fits 80 columns, but for examples, which are for copying", async () => {
  for (const command of ["", "prices", "prices import", "charges add", "report"]) {
    const { out } = await run(...command.split(" ").filter((word) => word !== ""), "--help");
    expect([command, out.split("\n").filter((line) => line.length > 80 && !line.startsWith("  $ "))]).toEqual([command, []]);
  }
});

describe("a folder without a ledger", () => {
  const folder = join(data, "mistyped");

  it.each([["report"], ["receipt", "last"], ["keys", "list"], ["keys", "revoke", "ci"], ["names", "forget", "x"], ["doctor"]])(
    "is refused by %j and what follows, and not made",
    async (...args) => {
      const { code, out, err } = await run(...args.filter((arg) => arg !== undefined), "--data", folder);
      expect([code, out, err]).toEqual([1, "", expect.stringContaining(`There is no ledger in ${folder}, and no server runs there.`)]);
      expect(existsSync(folder)).toBe(false);
    },
  );

  it("becomes one with its first key", async () => {
    const made = join(data, "made");
    expect((await run("keys", "create", "--name", "first", "--data", made)).code).toBe(0);
    expect((await run("keys", "list", "--data", made)).out).toContain("first");
  });
});

it("the doctor finds a journal without an entry sound, at once", async () => {
  const folder = join(data, "empty");
  const { openOffline } = await import("../main.ts");
  await (await openOffline(readConfig(undefined, { data: folder, log: "silent" }, {}))).close();
  const startedMs = performance.now();
  const { code, out } = await run("doctor", "--data", folder);
  expect([code, out]).toEqual([0, expect.stringContaining("is empty, as the journal is")]);
  expect(performance.now() - startedMs).toBeLessThan(20_000);
  expect((await run("doctor", "--rebuild", "--data", folder)).code).toBe(0);
});

describe("rehearse", () => {
  const trace = join(data, "trace.csv");
  writeFileSync(
    trace,
    "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,1000,100\n2023-11-16 18:15:46.98,2000,0\n2023-11-16 18:15:47.1,7,200\n",
  );

  it.each(["max", "10"])("on a server of its own, at speed %s, finds the ledger equal to the trace", async (speed) => {
    const { code, out, err } = await run("rehearse", "--trace", trace, "--speed", speed, "--data", join(data, "none"), "--json");
    expect(err).toBe("No server runs on this data folder: the rehearsal has one of its own, on a temporary folder.\n");
    expect(code).toBe(0);
    // 3,007 input tokens at $0.25 a million and 300 output tokens at $2, by hand.
    const ledger = (JSON.parse(out) as { comparisons: { what: string; ledger: string }[] }).comparisons.map(({ what, ledger }) => [
      what,
      ledger,
    ]);
    expect(ledger.slice(0, 6)).toEqual([
      ["calls", "3"],
      ["input tokens", "3007"],
      ["output tokens", "300"],
      ["input cost $", "0.00075175"],
      ["output cost $", "0.0006"],
      ["cost $", "0.00135175"],
    ]);
  });

  it("ends with 3 when the ledger says something else, and shows what", async () => {
    const gateway = createServer((request, response) => request.resume().on("end", () => response.end("{}")));
    await new Promise<void>((resolve) => {
      gateway.listen(0, "127.0.0.1", resolve);
    });
    const { status, prices } = context;
    const { port } = gateway.address() as AddressInfo;
    const known = prices.find({ provider: "openai", model: "gpt-5-mini", atMs: nowMs, knownMs: null, tier: null, region: null })!;
    const journal = { segment: 1, offset: 4_096 };
    Object.assign(context, {
      status: async () => ({ ...(await status()), journal, url: `http://127.0.0.1:${port}` }),
      prices: { ...prices, find: () => ({ ...known, lines: [...known.lines, { ...known.lines[0]!, class: "output" }] }) },
    });
    const { code, out } = await run("rehearse", "--trace", trace, "--speed", "max");
    Object.assign(context, { status, prices });
    gateway.close();
    expect(out).toMatch(/calls +3 +2 +✗ differs/);
    expect(code).toBe(3);
  });

  it("says how to start a server where --url has none", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => {
      closed.listen(0, "127.0.0.1", resolve);
    });
    const url = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
    closed.close();
    const { code, err } = await run("rehearse", "--trace", trace, "--url", url);
    expect([code, err]).toEqual([1, `pennyworth: No Pennyworth answers at ${url}: ECONNREFUSED. Start one with \`pennyworth serve\`.\n`]);
  });
});

it("serve says what people need, drains on a signal, and leaves a ledger that the doctor finds sound", async () => {
  const folder = join(data, "served");
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli/main.ts", "serve", "--port", "0", "--data", folder, "--log", "error"]);
  const greeting = await new Promise<string>((resolve) => {
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
      if (out.includes("curl ")) resolve(out);
    });
  });
  const [, url, token] = /dashboard +(http:\S+)\/#token=(\S+)/.exec(greeting) ?? [];
  expect(greeting).toContain(`admin token  ${token}`);
  expect(greeting).toContain(`data folder  ${folder}`);
  const [, target, type, body] = /curl (\S+) -H "content-type: (\S+)" -d '(.+)'/.exec(greeting) ?? [];
  const answer = await fetch(target!, { method: "POST", headers: { "content-type": type! }, body: body! });
  expect([answer.status, target!.startsWith(url!)]).toEqual([200, true]);
  const ended = new Promise((resolve) => {
    child.on("close", resolve);
  });
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
  const { code, out } = await run("doctor", "--data", folder, "--json");
  expect([code, JSON.parse(out)]).toMatchObject([
    0,
    { holds: true, findings: [{ check: "journal" }, { check: "store" }, { what: "2 charges of 1 call recomputed" }, { check: "totals" }] },
  ]);
  const receipt = JSON.parse((await run("receipt", "last", "--data", folder, "--json")).out) as { call: string; total: string };
  expect(receipt).toMatchObject({ call: answer.headers.get("x-pennyworth-call"), total: answer.headers.get("x-pennyworth-cost") });
  expect((await run("doctor", "--data", folder, "--rebuild")).code).toBe(0);
});

describe("against the running server", () => {
  it("report prints exact sums, numbers to the right", async () => {
    const { code, out } = await run("report", "--by", "customer");
    expect(code).toBe(0);
    expect(out.split("\n").map((line) => line.trimEnd())).toEqual([
      "customer            calls  tokens in  tokens out   cost $",
      "──────────────────  ─────  ─────────  ──────────  ───────",
      "Acme & <b>Sons</b>      1      1,000         100  0.00045",
      "—                       1      1,000         100  0.00045",
      "──────────────────  ─────  ─────────  ──────────  ───────",
      "total                   2      2,000         200   0.0009",
      "",
    ]);
  });

  it("report marks what is estimated, says what is unknown, and how much is the sandbox's", async () => {
    const base = makeCall("e").end!;
    const other = createMemory([
      makeCall("c1", { provider: "sandbox" }, { modelAnswered: "known" }),
      makeCall("e", {}, { modelAnswered: "guessed", usage: { ...base.usage!, source: "estimated" } }),
      makeCall("u", {}, { modelAnswered: "priceless", charges: [], unpriced: ["input", "output"] }),
      makeCall("h", {}, { modelAnswered: "half", charges: base.charges.slice(0, 1), unpriced: ["output"] }),
    ]);
    const { code, out } = await withLedger(other, () => run("report", "--by", "model"));
    expect(code).toBe(0);
    const costs = Object.fromEntries(out.split("\n").map((line) => [line.split(/ {2,}/)[0], line.split(/ {2,}/).at(-1)]));
    expect(costs).toMatchObject({ known: "0.00045", guessed: "~0.00045", priceless: "unknown", half: "≥ 0.00025", total: "≥ ~0.00115" });
    expect(out).toContain("\n2 calls used something without a price: that cost is unknown, and not in the sums.\n");
    expect(out).toContain("\n~ of which not counted by the provider to its end: estimated $0.00045\n");
    expect(out).toContain("\nof which sandbox (no real money): $0.00045\n");
  });

  it("report says that nothing matches, or that nothing is there", async () => {
    expect((await withLedger(createMemory([]), () => run("report"))).out).toContain("No calls here yet.");
    expect((await withLedger(createMemory([]), () => run("report", "--filter", "model=x"))).out).toContain("No call matches.");
    const { code, err } = await run("report", "--since", "1h", "--until", "2h");
    expect([code, err]).toEqual([2, expect.stringMatching(/since .* is not before until/)]);
  });

  it("report clips a value that is longer than a screen, and JSON does not", async () => {
    const long = createMemory([makeCall("l", {}, { modelAnswered: "m".repeat(5_000) })]);
    const { out } = await withLedger(long, () => run("report", "--by", "model"));
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThan(140);
    expect(out).toContain("mmm…");
    expect((await withLedger(long, () => run("report", "--by", "model", "--json"))).out).toContain("m".repeat(5_000));
  });

  it("receipt says which try it is, after what, and by which key", async () => {
    const start = { attempt: 2, reason: "retry", cause: "429", key: "key_1" } as const;
    const { out } = await withLedger(createMemory([makeCall("r", start)]), () => run("receipt", "r"));
    expect(out).toMatch(/^attempt +2: retry after 429\nkey +key_1$/m);
    expect((await run("receipt", "c1")).out).not.toMatch(/^(attempt|key) /m);
  });

  it("report --json prints JSON only", async () => {
    const { code, out, err } = await run("report", "--by", "model", "--since", "7d", "--json");
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(out)).toMatchObject({ by: ["model"], total: { calls: 2, cost: "0.0009" } });
  });

  it("top says the same as the report, once, where nobody looks on", async () => {
    const top = await run("top", "--by", "model");
    expect(top).toMatchObject({ code: 0, err: "" });
    expect(top.out).not.toContain("\u001b");
    expect(top.out).toMatch(/^pennyworth top {2}/);
    const { rows, hour } = JSON.parse((await run("top", "--by", "model", "--json")).out) as {
      rows: { name: string; row: { cost: string } }[];
      hour: { cost: string; calls: number };
    };
    const report = JSON.parse((await run("report", "--by", "model", "--since", "1h", "--json")).out) as {
      rows: { group: { model: string }; cost: string }[];
      total: { cost: string; calls: number };
    };
    expect(rows.map(({ name, row }) => [name, row.cost])).toEqual(report.rows.map(({ group, cost }) => [group.model, cost]));
    expect(hour).toMatchObject({ cost: report.total.cost, calls: report.total.calls });
    expect((await run("top", "--by", "colour")).code).toBe(2);
  });

  it("receipt last shows each line, and control characters as text", async () => {
    const { code, out } = await run("receipt", "c1");
    expect(code).toBe(0);
    expect(out).toMatch(/input +1,000 +reported +0\.25 +1,000,000 tokens +0\.00025 +✓ +v1/);
    expect(out).toMatch(/total +0\.00045 +✓/);
    expect(out).toContain("task \\u001b[31mred\\u202e");
    expect(out).not.toContain("\u001b");
  });

  it("an unknown call ends with 1", async () => {
    expect(await run("receipt", "nope")).toEqual({ code: 1, out: "", err: "pennyworth: No call has the id nope.\n" });
  });

  it("a receipt that does not recompute ends with 3", async () => {
    const good = makeCall("x").end!.charges;
    const bad = makeCall("bad", {}, { charges: [{ ...good[0]!, costPico: toPico(1n) }, good[1]!] });
    const once = context.ledger.call;
    Object.assign(context.ledger, { call: async (id: string) => (id === "bad" ? bad : once(id)) });
    const { code, out } = await run("receipt", "bad");
    Object.assign(context.ledger, { call: once });
    expect([code, out.includes("✗")]).toEqual([3, true]);
  });

  it("keys are made, listed and revoked", async () => {
    const made = await run("keys", "create", "--name", "ci", "--team", "core");
    expect(made).toMatchObject({ code: 0, out: "pw_secret\n" });
    expect((await run("keys", "list")).out).toMatch(/key_1 +ci +core +use +2026-11-21/);
    expect((await run("keys", "create", "--name", "ci")).code).toBe(1);
    expect(await run("keys", "revoke", "ci")).toEqual({ code: 0, out: "Key key_1 (ci) is revoked.\n", err: "" });
    const again = { code: 0, out: "Key key_1 (ci) was revoked already, on 2026-11-21.\n", err: "" };
    expect(await run("keys", "revoke", "ci")).toEqual(again);
    expect(await run("keys", "revoke", "key_1")).toEqual(again);
  });
});
