// Work that outlasts a request, end to end: a gateway between clients and the sandbox, whose witness says what was truly served.
// The sums are made here, from the witness's units and prices written by hand.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSandbox } from "../src/sandbox/sandbox.ts";
import { startGateway, type TestGateway } from "./gateway.ts";

let sandbox: Awaited<ReturnType<typeof startSandbox>>;
let gateway: TestGateway;
const formats = ["openai-chat", "openai-responses", "openai-embeddings", "anthropic-messages", "gemini-generate", "gemini-embed"];

function settings(extra: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const at = (pricesOf: string) => ({ baseUrl: `${sandbox.url}`, auth: "none", pricesOf, formats });
  return {
    log: "warn",
    providers: { outside: { ...at("openai"), baseUrl: `${sandbox.url}/v1` } },
    "limits.workPollMsMin": 30,
    "limits.workPollMsMax": 200,
    ...extra,
  };
}

beforeAll(async () => {
  sandbox = await startSandbox({ seed: 5 });
  gateway = await startGateway(settings());
});
afterAll(async () => {
  await gateway?.close();
  await sandbox?.close();
});

interface Row {
  readonly group: Readonly<Record<string, string | null>>;
  readonly calls: number;
  readonly cost: string;
  readonly failed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

async function report(by: string, filter: string): Promise<{ rows: Row[]; total: Row }> {
  return (await gateway.get(`/report?by=${by}&fresh=true&filter=${encodeURIComponent(filter)}`)) as { rows: Row[]; total: Row };
}

async function until<T>(ask: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const value = await ask();
    if (holds(value)) return value;
    if (tries > 200) throw new Error(`it does not come: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function send(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const response = await fetch(gateway.url + path, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text.startsWith("{") && !text.includes("\n{") ? JSON.parse(text) : text;
}

async function upload(lines: readonly unknown[], purpose = "batch"): Promise<string> {
  const form = new FormData();
  form.set("purpose", purpose);
  form.set("file", new Blob([lines.map((line) => JSON.stringify(line)).join("\n")]), "lines.jsonl");
  const response = await fetch(`${gateway.url}/to/outside/v1/files`, { method: "POST", body: form });
  const made = (await response.json()) as { id: string };
  expect(response.status, JSON.stringify(made)).toBe(200);
  return made.id;
}

const chatLine = (index: number, text = `Say ${index}`): unknown => ({
  custom_id: `line-${index}`,
  method: "POST",
  url: "/v1/chat/completions",
  body: { model: "gpt-4o-mini", messages: [{ role: "user", content: text }] },
});

describe("an OpenAI batch", () => {
  it("is a task, each of its lines a call at batch tier, counted once though client and follower both read it", async () => {
    const file = await upload(Array.from({ length: 20 }, (_, index) => chatLine(index)));
    const batch = (await send(
      "POST",
      "/to/outside/v1/batches",
      { input_file_id: file, endpoint: "/v1/chat/completions", completion_window: "24h" },
      { "x-pennyworth-task": "nightly", "x-pennyworth-customer": "acme", "x-sandbox-batch-polls": "2" },
    )) as { id: string };
    const done = await until(
      () => send("GET", `/to/outside/v1/batches/${batch.id}`) as Promise<{ status: string; output_file_id: string }>,
      ({ status }) => status === "completed",
    );
    const direct = await (await fetch(`${sandbox.url}/v1/files/${done.output_file_id}/content`)).text();
    const text = await send("GET", `/to/outside/v1/files/${done.output_file_id}/content`);
    expect(text).toBe(direct);
    const { total } = await until(
      () => report("witness", `task=${batch.id}`),
      (seen) => seen.total.calls === 20,
    );
    const served = sandbox.witness.since(0, 10_000).filter((row) => row.batch === batch.id);
    expect(served).toHaveLength(20);
    const input = served.reduce((sum, row) => sum + (row.usage?.input ?? 0), 0);
    const output = served.reduce((sum, row) => sum + (row.usage?.output ?? 0), 0);
    expect([total.inputTokens, total.outputTokens]).toEqual([input, output]);
    // gpt-4o-mini: $0.15 and $0.60 a million, half of it in a batch: 75,000 and 300,000 picodollars a token.
    expect(pico(total.cost)).toBe(BigInt(input) * 75_000n + BigInt(output) * 300_000n);
    const rows = (await report("parent,root,type,tier", `task=${batch.id}`)).rows;
    expect(rows.map((row) => row.group)).toEqual([{ parent: "nightly", root: "nightly", type: "batch", tier: "batch" }]);
  });
});

function pico(usd: string): bigint {
  const [whole = "0", fraction = ""] = usd.split(".");
  return BigInt(whole + fraction.padEnd(12, "0"));
}
