// A wall clock that jumps under a running server, end to end: no jump begins a window or goes back to one, and the next start takes the time as
// it is. Not here: the clock by itself (src/guard/clock.test.ts), calls at random (test/adversary).

import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import {
  adminToken,
  type Answered,
  chat,
  dollars,
  type Loose,
  pico,
  type Provider,
  read,
  secrets,
  settingsWith,
  soon,
  startProvider,
} from "./guarded.ts";
import { freePort, temporaryFolder } from "./process.ts";

const day = 86_400_000;
let child: ChildProcess | null = null;
let provider: Provider | null = null;
let folder: Awaited<ReturnType<typeof temporaryFolder>> | null = null;
let url = "";
afterEach(async () => {
  await end();
  await provider?.close();
  await folder?.remove();
});

async function end(): Promise<void> {
  const running = child;
  child = null;
  if (running === null || running.exitCode !== null) return;
  const gone = new Promise((resolve) => running.once("exit", resolve));
  running.kill("SIGTERM");
  await gone;
}

/** A server whose clock is so far ahead. */
async function begin(path: string, aheadMs: number): Promise<void> {
  const port = await freePort();
  const file = join(path, "pennyworth.yaml");
  await writeFile(file, JSON.stringify(settingsWith((provider as Provider).url, {})));
  const args = ["--import", "tsx", "--import", "./test/adversary/clock.ts", "src/cli/main.ts", "serve"];
  const started = spawn(process.execPath, [...args, "--port", String(port), "--data", join(path, "data"), "--config", file], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdio: ["ignore", "pipe", "ignore", "ipc"],
    env: {
      PATH: process.env["PATH"],
      HOME: path,
      PENNYWORTH_ADMIN_TOKEN: adminToken,
      PENNYWORTH_TEST_SHIFT_MS: String(aheadMs),
      ...secrets,
    },
  });
  child = started;
  let text = "";
  await new Promise<void>((resolve, reject) => {
    started.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("Pennyworth is at http")) resolve();
    });
    started.once("exit", () => reject(new Error(`it ended: ${text}`)));
  });
  url = `http://127.0.0.1:${port}`;
}

/** Somebody sets the wall clock by so much. */
async function jump(byMs: number): Promise<void> {
  const running = child as ChildProcess;
  const done = new Promise<void>((resolve) => running.once("message", () => resolve()));
  running.send({ clock: "jump", byMs });
  await done;
}

async function control(method: string, path: string, body?: unknown): Promise<Loose> {
  const headers = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };
  const answer = await fetch(`${url}/api/v1${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return answer.json();
}

const one = (feature: string, ms = 1): Promise<Answered> =>
  read(chat(url, { text: `[[sandbox input-tokens=40 output-tokens=30 delay-ms=${ms}]]`, headers: { "x-pennyworth-feature": feature } }));
const standing = async (id: string): Promise<Loose> => (await control("GET", `/budgets/${id}`)).budget.standings[0];
const status = async (feature: string): Promise<number> => (await one(feature)).status;

it("a day back and a month ahead reset nothing while the server runs; a start in the next month begins its window, one in the past none", async () => {
  provider = await startProvider();
  folder = await temporaryFolder();
  await begin(folder.path, 0);
  for (const [id, limit] of [
    ["day", "1 call per day"],
    ["month", "1 call per month"],
    ["rolls", "1 call per rolling 24h"],
  ])
    await control("PUT", `/budgets/${id}`, { kind: "budget", owner: "ada", for: { feature: id }, limit });
  await control("PUT", "/budgets/money", { kind: "budget", owner: "ada", for: { feature: "money" }, limit: "$1 per day" });
  const all = ["day", "month", "rolls"];
  for (const feature of all) expect(await status(feature)).toBe(200);
  const before = await Promise.all(all.map(standing));

  // A call is under way through both jumps.
  const coming = one("money", 2_500);
  await soon(
    () => standing("money"),
    ({ held }) => held !== "0",
  );
  await jump(-day);
  for (const feature of all) expect([feature, "back", await status(feature)]).toEqual([feature, "back", 402]);
  expect(await Promise.all(all.map(standing))).toEqual(before);
  // What is let in is answered, whole and streamed.
  for (const stream of [false, true]) {
    const answer = await read(chat(url, { text: "[[sandbox input-tokens=1 output-tokens=1]]", more: { stream } }));
    expect([stream, answer.status, answer.call]).toEqual([stream, 200, expect.stringMatching(/^[0-9A-Z]{26}$/)]);
  }
  await jump(32 * day);
  for (const feature of all) expect([feature, "ahead", await status(feature)]).toEqual([feature, "ahead", 402]);
  expect((await coming).status).toBe(200);
  expect(await standing("money")).toMatchObject({ spent: dollars(pico(40, 30)), held: "0" });

  // As it was, through a restart.
  await end();
  await begin(folder.path, 0);
  for (const feature of all) expect([feature, "again", await status(feature)]).toEqual([feature, "again", 402]);
  // A start a day back: the windows that were begun go on.
  await end();
  await begin(folder.path, -day);
  for (const feature of all) expect([feature, "start back", await status(feature)]).toEqual([feature, "start back", 402]);
  // And one a month ahead, which is another month.
  await end();
  await begin(folder.path, 31 * day);
  for (const feature of all) expect([feature, "start ahead", await status(feature)]).toEqual([feature, "start ahead", 200]);
});
