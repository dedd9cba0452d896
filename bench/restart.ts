// `npm run bench restart`: how soon a server that was killed answers again with a long history behind it, against one with an empty data
// folder, started in turns. PENNYWORTH_BENCH_CALLS sets how many calls (10,000,000 for the record). The worst case of each kind: the last
// segment is nearly full, hundreds of calls are open, and at first the store has to be made anew while the server starts.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { get, request } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { comparePositions, type Position } from "../src/core/entry.ts";
import { Journal, type JournalOptions } from "../src/ledger/journal.ts";
import { sampleCall } from "../test/sample.ts";
import type { Line } from "./main.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const rounds = 5;
const token = "restart-bench";

/** Calls that the dead server left open, as many as one in `openEvery` of its last. */
const openCalls = 300;
const openEvery = 200;
/** Calls under way at each kill. */
const killedCalls = 20;
const callsPerTurn = 50;
const waitMsMax = 60_000;
const catchUpMsMax = 3_600_000;

const options: JournalOptions = {
  segmentBytesMax: 64 << 20,
  syncMs: 50,
  durability: "batched",
  now: Date.now,
  onFatal: (error) => {
    throw error;
  },
};

/** A server and how long it took, in ms from its process's start. */
interface Started {
  readonly child: ChildProcess;
  readonly origin: string;
  readonly readyMs: number;
  readonly meteredMs: number;
}

export async function* bench(): AsyncIterable<Line> {
  const calls = Number(process.env["PENNYWORTH_BENCH_CALLS"] ?? 300_000);
  const folder = await mkdtemp(join(tmpdir(), "pennyworth-bench-"));
  try {
    execFileSync(process.execPath, [join(root, "scripts/build.mjs")], { stdio: ["ignore", "ignore", "inherit"] });
    await writeJournal(join(folder, "data", "journal"), calls);
    yield* measure(folder, calls);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Restarts on `folder`/data, a journal of `writeJournal`, in turns with starts on empty folders beside it. */
export async function* measure(folder: string, calls: number): AsyncIterable<Line> {
  const data = join(folder, "data");
  const children: ChildProcess[] = [];
  let expected = openCalls;
  try {
    for (const state of ["store to be made", "store made"]) {
      const times: { [kind in "full" | "empty"]: Started[] } = { full: [], empty: [] };
      for (let round = 0; round < rounds; round++) {
        const empty = await start(children, await mkdtemp(join(folder, "empty-")));
        await kill(empty.child);
        times.empty.push(empty);
        const full = await start(children, data);
        times.full.push(full);
        await leaveOpen(full.origin);
        await kill(full.child);
        expected += killedCalls;
      }
      const name = `restart with ${calls} calls, ${state}`;
      for (const [what, read] of [
        ["ready", (one: Started) => one.readyMs],
        ["first metered call", (one: Started) => one.meteredMs],
      ] as const) {
        const [full, empty] = [times.full.map(read), times.empty.map(read)];
        yield line(`${name}: ${what}`, median(full), median(empty));
        yield line(`${name}: ${what}, slowest of ${rounds}`, Math.max(...full), Math.max(...empty));
      }

      const last = await start(children, data);
      const catchingUpMs = await catchUp(last.origin);
      process.stderr.write(`  ${state}: all of the journal could be reported after another ${Math.round(catchingUpMs)} ms\n`);
      const presumed = await countPresumed(last.origin);
      yield { name: `${name}: open calls presumed`, value: presumed, unit: "calls", baseline: expected, ratio: round(presumed / expected) };
      await kill(last.child);
    }
    process.stderr.write("  limited by loading modules and prices (Node), then by reading the last segment\n");
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}

/**
 * A journal of at least so many calls, as a killed server leaves it: the last segment is nearly full, and of its last calls `openCalls` have
 * no end.
 */
export async function writeJournal(folder: string, calls: number): Promise<void> {
  const journal = await Journal.open(folder, options);
  const openFrom = Math.max(0, calls - openCalls * openEvery);
  let left = openCalls;
  const nearlyFull = (): boolean => journal.position.offset > 0.9 * options.segmentBytesMax || calls < 40_000;
  for (let number = 0; number < calls || left > 0 || !nearlyFull(); number++) {
    const [start, end] = sampleCall(number);
    journal.append(start);
    if (number < openFrom || number % openEvery !== 0 || left === 0) journal.append(end);
    else left--;
    if (number % callsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
    if (number % 1_000_000 === 0 && number > 0) process.stderr.write(`  ${number} calls written\n`);
  }
  await journal.close();
}

/** Starts the built server and times its first answer, and the first metered one. */
async function start(children: ChildProcess[], data: string): Promise<Started> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [join(root, "dist/cli/main.js"), "serve", "--port", String(port), "--data", data, "--log", "error"],
    {
      cwd: tmpdir(),
      env: { PATH: process.env["PATH"], HOME: tmpdir(), PENNYWORTH_ADMIN_TOKEN: token },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  children.push(child);
  while ((await answer(origin)) !== 200) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    if (performance.now() - began > waitMsMax) throw new Error(`the server was not ready within ${waitMsMax} ms`);
    await delay(5);
  }
  const readyMs = performance.now() - began;
  const status = await call(origin);
  if (status !== 200) throw new Error(`the first call was answered ${status}`);
  return { child, origin, readyMs, meteredMs: performance.now() - began };
}

/** @returns the status of the page; null while nobody listens. */
function answer(origin: string): Promise<number | null> {
  return new Promise((resolve) => {
    get(origin, (response) => {
      response.resume();
      resolve(response.statusCode ?? null);
    }).on("error", () => resolve(null));
  });
}

/** A call to the sandbox. @returns its status; null when the connection broke. */
function call(origin: string, headers: Readonly<Record<string, string>> = {}): Promise<number | null> {
  return new Promise((resolve) => {
    const sent = request(`${origin}/to/sandbox/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
    });
    sent.on("response", (response) => response.resume().on("close", () => resolve(response.statusCode ?? null)));
    sent.on("error", () => resolve(null));
    sent.end(JSON.stringify({ model: "gpt-5-mini", messages: [{ role: "user", content: "Hello" }] }));
  });
}

/** Sends calls whose answers take longer than the server will live. Resolves when all are under way. */
async function leaveOpen(origin: string): Promise<void> {
  for (let sent = 0; sent < killedCalls; sent++) void call(origin, { "x-sandbox-delay-ms": "600000" });
  for (;;) {
    const { openCalls: open } = await control<{ openCalls: number }>(origin, "status");
    if (open === killedCalls) return;
    await delay(20);
  }
}

/** Waits until the store has all that the journal had. @returns how long it took, ms. */
async function catchUp(origin: string): Promise<number> {
  const began = performance.now();
  const { journal } = await control<{ journal: Position }>(origin, "status");
  while (performance.now() - began < catchUpMsMax) {
    const { store } = await control<{ store: { applied: Position | null } }>(origin, "status");
    const { applied } = store;
    if (applied !== null && comparePositions(applied, journal) >= 0) return performance.now() - began;
    await delay(200);
  }
  throw new Error(`the store did not catch up within ${catchUpMsMax} ms`);
}

async function countPresumed(origin: string): Promise<number> {
  const { rows } = await control<{ rows: readonly { group: { status: string }; calls: number }[] }>(origin, "report?by=status");
  return rows.find((row) => row.group.status === "presumed")?.calls ?? 0;
}

async function control<Answer>(origin: string, path: string): Promise<Answer> {
  const response = await fetch(`${origin}/api/v1/${path}`, { headers: { authorization: `Bearer ${token}` } });
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function line(name: string, ms: number, baseline: number): Line {
  return { name, value: round(ms), unit: "ms", baseline: round(baseline), ratio: round(baseline / ms) };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
