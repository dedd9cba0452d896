// The gateway under attack: `pennyworth serve` from source in a process of its own, on a folder that outlives it; stopped, killed, started
// again, and its wall clock moved. Not here: what is sent to it. Invariant: it is ended by its own process id.

import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, temporaryFolder } from "../process.ts";
import type { RouteOf } from "./ask.ts";
import { type Rule, wordsOf } from "./rule.ts";
import { dollarsPerMillion, offers } from "./tariff.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const adminToken = "admin-for-the-adversary";
const startMsMax = 60_000;

export interface Standing {
  readonly values: readonly string[];
  readonly allowance: string;
  readonly spent: string;
  readonly held: string;
  readonly presumed: string;
  readonly left: string;
  readonly toMs: number | null;
}

export interface Shown {
  readonly id: string;
  readonly standings: readonly Standing[];
}

export interface Attacked {
  readonly url: string;
  /** What is to be added to the machine's wall clock to have the gateway's. */
  readonly shiftMs: number;
  start(): Promise<void>;
  /** `SIGTERM` lets it end by itself; `SIGKILL` does not. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** `jump`: of the wall clock. `pass`: the time goes by. */
  move(clock: "jump" | "pass", byMs: number): Promise<void>;
  ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer>;
  budgets(): Promise<readonly Shown[]>;
  /** What it has printed. */
  log(): string;
  close(): Promise<void>;
}

export interface Settings {
  readonly rules: readonly Rule[];
  readonly routes: readonly RouteOf[];
  readonly witnessUrl: string;
  readonly patienceMs: number;
  readonly waitMsMax: number;
}

export async function prepare(settings: Settings): Promise<Attacked> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const file = join(folder.path, "pennyworth.yaml");
  await writeFile(file, JSON.stringify(settingsOf(settings), null, 1));
  let child: ChildProcess | null = null;
  let log = "";
  let shiftMs = 0;

  const start = async (): Promise<void> => {
    const args = ["--import", "tsx", "--import", "./test/adversary/clock.ts", "src/cli/main.ts", "serve"];
    const started = spawn(process.execPath, [...args, "--port", String(port), "--data", join(folder.path, "data"), "--config", file], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: {
        PATH: process.env["PATH"],
        HOME: folder.path,
        PENNYWORTH_ADMIN_TOKEN: adminToken,
        PENNYWORTH_TEST_SHIFT_MS: String(shiftMs),
      },
    });
    child = started;
    let text = "";
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`the gateway ${why}: ${text}`));
      const timer = setTimeout(() => fail("did not start"), startMsMax);
      const read = (chunk: Buffer): void => {
        text += chunk.toString();
        log = (log + chunk.toString()).slice(-20_000);
        if (!/Pennyworth is at http/.test(text)) return;
        clearTimeout(timer);
        resolve();
      };
      started.stdout?.on("data", read);
      started.stderr?.on("data", read);
      started.once("exit", (code) => {
        clearTimeout(timer);
        fail(`ended with ${code}`);
      });
    });
  };
  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once("exit", resolve));
    running.kill(signal);
    const timer = setTimeout(() => running.kill("SIGKILL"), startMsMax);
    await gone;
    clearTimeout(timer);
  };
  const ask = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  };
  return {
    url,
    get shiftMs() {
      return shiftMs;
    },
    start,
    end,
    move: async (clock, byMs) => {
      const running = child;
      shiftMs += byMs;
      if (running === null) return;
      const done = new Promise<void>((resolve) => running.once("message", () => resolve()));
      running.send({ clock, byMs });
      await done;
    },
    ask,
    budgets: async () => (await ask<{ readonly budgets: readonly Shown[] }>("GET", "/budgets?standings=1000")).budgets,
    log: () => log,
    close: async () => {
      await end("SIGKILL");
      await folder.remove();
    },
  };
}

/** As the settings file has them: YAML is what JSON is, too. */
export function settingsOf({ rules, routes, witnessUrl, patienceMs, waitMsMax }: Settings): Readonly<Record<string, unknown>> {
  const inFile = (kind: Rule["kind"]): object[] =>
    rules.filter((rule) => rule.kind === kind && !rule.byApi).map((rule) => Object.assign({ id: rule.id }, wordsOf(rule, rule.limit)));
  return {
    log: "warn",
    limits: { firstByteMsMax: patienceMs, silenceMsMax: patienceMs, drainMsMax: patienceMs, shutdownMsMax: 2 * patienceMs },
    providers: Object.fromEntries(
      offers.map(({ provider, wire }) => [
        provider,
        {
          baseUrl: `${witnessUrl}/${provider}/v1`,
          auth: "none",
          formats: [wire === "chat" ? "openai-chat" : "anthropic-messages"],
          // One of those that stop, and stop billing, when their client leaves (docs/disconnects.md).
          ...(provider === "quick" ? { like: "deepseek" } : {}),
        },
      ]),
    ),
    routes: routes.map(({ model, targets, triesMax }) => ({
      model,
      targets,
      retry: { triesMax, waitMs: 10, totalMsMax: 3 * patienceMs, on: ["429", "5xx", "timeout", "connect"] },
    })),
    prices: offers.map(({ provider, model, wire, rates }) => ({
      provider,
      model,
      perMillion: {
        input: dollarsPerMillion(rates.input),
        cache_read: dollarsPerMillion(rates.read),
        output: dollarsPerMillion(rates.output),
        ...(wire === "chat" ? {} : { cache_write_5m: dollarsPerMillion(rates.write5m), cache_write_1h: dollarsPerMillion(rates.write1h) }),
      },
    })),
    guard: { waitMsMax },
    budgets: inFile("budget"),
    rates: inFile("rate"),
  };
}
