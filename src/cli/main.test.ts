// The commands as people run them: exit codes, one clear line for what went wrong, tables and JSON, against a server on the folder's socket.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { type Server, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApi } from "../api/app.ts";
import { createMemory, makeCall, nowMs } from "../api/memory.ts";
import { toPico } from "../core/money.ts";

const data = mkdtempSync(join(tmpdir(), "pennyworth-cli-"));
const context = createMemory([
  makeCall("c1", { startMs: nowMs - 3_000, attribution: { customer: "n_00000000000000aa", task: "\u001b[31mred\u202e" } as never }),
  makeCall("c2", { startMs: nowMs - 2_000 }),
]);
let server: Server;

beforeAll(async () => {
  const listener = getRequestListener((request) => createApi(context).fetch(request, { trusted: true }), { overrideGlobalObjects: false });
  server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(join(data, "pennyworth.sock"), resolve);
  });
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(data, { recursive: true, force: true });
});

function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", "tsx", "src/cli/main.ts", ...args], {
      env: { ...process.env, PENNYWORTH_DATA: data },
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

describe("wrong usage ends with 2 and one clear line", () => {
  it.each([
    [["reprot"], /unknown command 'reprot'\n\(Did you mean report\?\)/],
    [["report", "--sinse", "1h"], /unknown option '--sinse'\n\(Did you mean --since\?\)/],
    [["serve", "--port", "99999"], /whole number from 0 to 65535/],
    [["rehearse", "--trace", "x", "--speed", "0"], /above 0, or max/],
    [["report", "--by", "modle"], /no field is called "modle"/],
    [["keys", "create", "--name", "x", "--role", "god"], /use, read, administer/],
  ])("%j", async (args, message) => {
    const { code, out, err } = await run(...args);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/^ +at /m);
    expect([code, out]).toEqual([2, ""]);
  });
});

it("every command has help with examples", async () => {
  for (const command of ["serve", "report", "receipt", "doctor", "rehearse"]) {
    const { code, out } = await run(command, "--help");
    expect([command, code]).toEqual([command, 0]);
    expect(out).toContain(`Examples:\n  $ pennyworth ${command}`);
  }
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

  it("report --json prints JSON only", async () => {
    const { code, out, err } = await run("report", "--by", "model", "--since", "7d", "--json");
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(out)).toMatchObject({ by: ["model"], total: { calls: 2, cost: "0.0009" } });
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
  });
});
