// Local engines that are paid by time, through a real server: a price of the engine's own time, and a machine whose hours are shared among
// the calls that ran in them. The engine is a small server that says how long it took, on the same clock as the gateway. Dollars by hand.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../src/config.ts";
import { type Running, start } from "../src/main.ts";
import { temporaryFolder } from "./process.ts";

const minute = 60_000;
const base = Date.UTC(2026, 10, 20, 13);
let clockMs = base;
/** How long the next answer takes, ms. */
let takesMs = 0;
let engine: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  folder = await temporaryFolder();
  engine = createServer((request, response) => {
    request.resume().on("end", () => {
      clockMs += takesMs;
      const counted = { prompt_eval_count: 3, eval_count: 5, total_duration: takesMs * 1e6 + 500_000_000, load_duration: 500_000_000 };
      const answer = request.url?.startsWith("/api")
        ? { model: "qwen3:8b", message: { role: "assistant", content: "Hi." }, done: true, done_reason: "stop", ...counted }
        : {
            id: "c1",
            model: "qwen",
            choices: [{ message: { content: "Hi." }, finish_reason: "stop" }],
            usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
          };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => {
    engine.listen(0, "127.0.0.1", resolve);
  });
});

afterAll(async () => {
  engine.closeAllConnections();
  await new Promise((resolve) => {
    engine.close(resolve);
  });
  await folder.remove();
});

async function serve(flags: object): Promise<Running> {
  const url = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`;
  const providers = { ollama: { baseUrl: url }, vllm: { baseUrl: `${url}/v1` } };
  const settings = { data: folder.path, "server.port": 0, log: "error", providers, ...flags };
  return start(readConfig(undefined, settings, {}), { now: () => clockMs, demo: false });
}

/** Asks an engine, which takes so long. @returns the call's id. */
async function ask(running: Running, path: string, forMs: number, task: string): Promise<string> {
  takesMs = forMs;
  const body = { model: "qwen3:8b", stream: false, messages: [{ role: "user", content: "Hello" }] };
  const headers = { "content-type": "application/json", "x-pennyworth-task": task };
  const response = await fetch(`${running.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  await response.text();
  expect(response.status).toBe(200);
  return response.headers.get("x-pennyworth-call") ?? "";
}

async function get<Answer>(running: Running, path: string): Promise<Answer> {
  const response = await fetch(`${running.url}/api/v1${path}`, { headers: { authorization: `Bearer ${running.adminToken}` } });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Answer;
}

interface Receipt {
  readonly status: string;
  readonly total: string;
  readonly recomputed: boolean;
  readonly unpriced: readonly unknown[];
  readonly lines: readonly {
    readonly class: string;
    readonly quantity: number;
    readonly source: string;
    readonly cost: string;
    readonly priceVersion?: string;
  }[];
}

function lines({ lines: all }: Receipt): string[] {
  return all.map((line) => `${line.class} ${line.quantity} ${line.source} ${line.cost}`);
}

async function receipt(running: Running, call: string): Promise<Receipt> {
  await expect
    .poll(() => get<Receipt>(running, `/calls/${call}/receipt`).catch(() => null), { timeout: 10_000 })
    .toMatchObject({ status: "complete" });
  return get<Receipt>(running, `/calls/${call}/receipt`);
}

describe("a price of the engine's time", () => {
  it("is charged for what the engine says it took, and else for what the gateway saw", async () => {
    const tokens = { input: 0, output: 0 };
    const prices = ["ollama", "vllm"].map((provider) => ({ provider, model: "*", perMillion: tokens, perHour: { compute: "3.60" } }));
    const running = await serve({ prices });
    try {
      const said = await receipt(running, await ask(running, "/to/ollama/api/chat", 2_000, "timed"));
      expect(lines(said)).toEqual(["input 3 reported 0", "output 5 reported 0", "compute 2000 reported 0.002"]);
      expect(said).toMatchObject({ total: "0.002", recomputed: true, unpriced: [] });
      const seen = await receipt(running, await ask(running, "/to/vllm/v1/chat/completions", 3_000, "timed"));
      expect(lines(seen)).toEqual(["input 3 reported 0", "output 5 reported 0", "compute 3000 estimated 0.003"]);
    } finally {
      await running.close();
    }
  }, 60_000);
});

interface Charges {
  readonly charges: readonly {
    readonly id: string;
    readonly cost: string;
    readonly item: string;
    readonly attribution: { readonly task: string | null };
  }[];
}

/** `machine:gpu:2026-11-20T15 one 0.6`: the hour, whose share, and how much. */
async function hosting(running: Running): Promise<string[]> {
  const { charges } = await get<Charges>(running, "/charges?fresh=true");
  return charges
    .filter(({ item }) => item === "hosting")
    .map(({ id, cost, attribution }) => `${id.slice(0, 25)} ${attribution.task ?? id.slice(26)} ${cost}`)
    .toSorted();
}

describe("a machine by the hour", () => {
  it("has its hours shared among the tasks that ran in them, once, over a restart", async () => {
    clockMs = base + 2 * 60 * minute;
    const machines = [{ name: "gpu", provider: "ollama", perHour: "2.40", from: "2026-11-20T15:00Z" }];
    const first = await serve({ machines });
    let call: string;
    try {
      call = await ask(first, "/to/ollama/api/chat", 15 * minute, "one");
      await ask(first, "/to/ollama/api/chat", 30 * minute, "two");
      const said = await receipt(first, call);
      expect(lines(said)).toEqual(["input 3 reported 0", "output 5 reported 0"]);
      expect(said.unpriced).toEqual([]);
    } finally {
      await first.close();
    }
    clockMs = base + (4 * 60 + 2) * minute;
    for (let restart = 0; restart < 2; restart += 1) {
      const running = await serve({ machines });
      try {
        // 2.40 an hour is 0.04 a minute: 15, 30 and 15 minutes; in the hour after that nobody came.
        await expect
          .poll(() => hosting(running), { timeout: 20_000 })
          .toEqual([
            "machine:gpu:2026-11-20T15 idle 0.6",
            "machine:gpu:2026-11-20T15 one 0.6",
            "machine:gpu:2026-11-20T15 two 1.2",
            "machine:gpu:2026-11-20T16 idle 2.4",
          ]);
        const { total } = await get<{ total: { cost: string; periodCost: string } }>(running, "/report?since=2026-11-20T15:00Z");
        expect(total).toMatchObject({ cost: "4.8", periodCost: "4.8" });
      } finally {
        await running.close();
      }
    }
  }, 90_000);
});
