// `pennyworth margin` and `pennyworth revenue list` as processes, against a control API on the folder's socket: what is refused, and what is said of nothing.
// Not here: how a margin is told (margins.test.ts).

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createApi } from "../api/app.ts";
import { createMemory } from "../api/memory.fixture.ts";

const data = mkdtempSync(join(tmpdir(), "pennyworth-margin-"));
let server: Server;

beforeAll(async () => {
  const context = createMemory([]);
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
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

it.each([
  ["--reserved A=1", "--reserved divides what is shared by it: say --shared reserved too"],
  ["--reserved A=1 --shared usage", "--reserved divides what is shared by it: say --shared reserved too"],
  ["--by plan --cac 120", "--cac is of customers, and --by is plan"],
  ["--by feature --cash 5 --burn-growth 0.1", "--cash is of customers, and --by is feature"],
  ["--until 2999-01-01", "days to come have no margin yet"],
])("margin %s would leave something out, and is refused", async (args, why) => {
  expect(await run("margin", ...args.split(" "))).toEqual({ code: 2, out: "", err: expect.stringContaining(why) });
});

it("growth is reckoned by customer", async () => {
  expect(await run("margin", "--by", "customer", "--cac", "120")).toMatchObject({ code: 0, err: "" });
});

it("no revenue is told apart from none that was asked for", async () => {
  expect((await run("revenue", "list")).out).toMatch(/^No revenue here yet\. To say it: pennyworth revenue add/);
  const none = "No revenue matches what was asked for (--since, --until, --customer).\n";
  expect((await run("revenue", "list", "--customer", "Nobody")).out).toBe(none);
  expect((await run("revenue", "list", "--since", "2026-11-01")).out).toBe(none);
});
