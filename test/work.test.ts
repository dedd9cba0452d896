// Work that outlasts a request, end to end: a gateway between clients and the sandbox, whose witness says what was truly served.
// The sums are made here, from the witness's units and prices written by hand.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSandbox } from "../src/sandbox/sandbox.ts";
import { startGateway, type TestGateway } from "./gateway.ts";
import { startProcess, temporaryFolder } from "./process.ts";

let sandbox: Awaited<ReturnType<typeof startSandbox>>;
let gateway: TestGateway;
const formats = ["openai-chat", "openai-responses", "openai-embeddings", "anthropic-messages", "gemini-generate", "gemini-embed"];

function settings(extra: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const outside = { baseUrl: `${sandbox.url}/v1`, auth: "none", formats };
  return {
    log: "warn",
    providers: {
      outside: { ...outside, pricesOf: "openai" },
      claude: { ...outside, pricesOf: "anthropic" },
      gemini: { like: "google", baseUrl: sandbox.url, auth: "none", pricesOf: "google" },
    },
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
  readonly presumed: number;
  readonly periodCost: string;
  readonly periodUnpriced: number;
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
    if (tries > 400) throw new Error(`it does not come: ${JSON.stringify(value)}`);
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

describe("the lines of a batch", () => {
  it("that fail are on record as failed, without a charge; embeddings, which have no id, are counted once too", async () => {
    const lines = [chatLine(0), chatLine(1, "[[sandbox fail=500]]"), chatLine(2)];
    const failing = await run("/v1/chat/completions", lines, {});
    const seen = await until(
      () => report("status", `task=${failing.id}`),
      ({ total }) => total.calls === 3,
    );
    expect(seen.rows.map((row) => [row.group["status"], row.calls, row.cost === "0"]).toSorted()).toEqual([
      ["complete", 2, false],
      ["failed", 1, true],
    ]);
    const vectors = await run(
      "/v1/embeddings",
      [0, 1, 2].map((index) => ({
        custom_id: `v-${index}`,
        method: "POST",
        url: "/v1/embeddings",
        body: { model: "text-embedding-3-small", input: `text ${index}` },
      })),
      {},
    );
    await send("GET", `/to/outside/v1/files/${vectors.output_file_id}/content`);
    await until(
      () => work(),
      ({ open }) => !open.some(({ ref }) => ref === vectors.id),
    );
    const { total } = await until(
      () => report("", `task=${vectors.id}`),
      (found) => found.total.calls === 3,
    );
    const input = served(vectors.id).reduce((sum, row) => sum + (row.usage?.input ?? 0), 0);
    // $0.02 a million, half of it in a batch.
    expect([total.calls, pico(total.cost)]).toEqual([3, BigInt(input) * 10_000n]);
  });

  it("that nobody fetches are read by us, and those of Anthropic's batches by whoever comes first", async () => {
    const requests = Array.from({ length: 12 }, (_, index) => ({
      custom_id: `m-${index}`,
      params: { model: "claude-sonnet-4-5", max_tokens: 20, messages: [{ role: "user", content: `Say ${index}` }] },
    }));
    for (const fetches of [false, true]) {
      const batch = (await send("POST", "/to/claude/v1/messages/batches", { requests }, anthropic)) as { id: string };
      if (fetches) {
        await until(
          () => send("GET", `/to/claude/v1/messages/batches/${batch.id}`, undefined, anthropic) as Promise<{ processing_status: string }>,
          (seen) => seen.processing_status === "ended",
        );
        const text = await send("GET", `/to/claude/v1/messages/batches/${batch.id}/results`, undefined, anthropic);
        expect(text).toBe(await (await fetch(`${sandbox.url}/v1/messages/batches/${batch.id}/results`, { headers: anthropic })).text());
      }
      await until(
        () => work(),
        ({ open }) => !open.some(({ ref }) => ref === batch.id),
      );
      const { total } = await until(
        () => report("", `task=${batch.id}`),
        (found) => found.total.calls === 12,
      );
      const units = served(batch.id);
      const input = units.reduce((sum, row) => sum + (row.usage?.input ?? 0), 0);
      const output = units.reduce((sum, row) => sum + (row.usage?.output ?? 0), 0);
      // $3 and $15 a million, half of it in a batch.
      expect(pico(total.cost)).toBe(BigInt(input) * 1_500_000n + BigInt(output) * 7_500_000n);
      expect(total.calls).toBe(units.length);
    }
  });

  it("stand in the object itself at Gemini", async () => {
    const requests = [0, 1, 2].map((index) => ({
      request: { contents: [{ role: "user", parts: [{ text: `Say ${index}` }] }] },
      metadata: { key: `k-${index}` },
    }));
    const body = { batch: { displayName: "b", inputConfig: { requests: { requests } } } };
    const batch = (await send("POST", "/to/gemini/v1beta/models/gemini-2.5-flash:batchGenerateContent", body)) as { name: string };
    const { total } = await until(
      () => report("", `task=${batch.name}`),
      (found) => found.total.calls === 3,
    );
    const units = served(batch.name);
    const sum = (name: "input" | "output" | "reasoning") => units.reduce((all, row) => all + (row.usage?.[name] ?? 0), 0);
    // $0.30 and $2.50 a million, half of it in a batch.
    expect(pico(total.cost)).toBe(BigInt(sum("input")) * 150_000n + BigInt(sum("output") + sum("reasoning")) * 1_250_000n);
    await until(
      () => work(),
      ({ ended }) => ended.some((one) => one.ref === batch.name && one.lines === 3 && one.status === "done"),
    );
  });
});

describe("a background response", () => {
  it("is presumed until it has ended, and then corrected, whoever reads it first", async () => {
    for (const fetches of [true, false]) {
      const made = await fetch(`${gateway.url}/to/outside/v1/responses`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-pennyworth-tags": `background=${fetches}`, "x-sandbox-delay-ms": "300" },
        body: JSON.stringify({ model: "gpt-4o-mini", input: "Say it", background: true, max_output_tokens: 4000 }),
      });
      const { id } = (await made.json()) as { id: string };
      if (fetches)
        await until(
          () => send("GET", `/to/outside/v1/responses/${id}`) as Promise<{ status: string }>,
          (seen) => seen.status === "completed",
        );
      await until(
        () => work(),
        ({ open }) => !open.some(({ ref }) => ref === id),
      );
      const { total } = await until(
        () => report("", `tag.background=${fetches}`),
        (found) => found.total.calls > 0 && found.total.presumed === 0 && found.total.outputTokens > 0,
      );
      const row = sandbox.witness.since(0, 100_000).find((one) => one.responseId === id && one.usage !== null);
      expect([total.calls, total.inputTokens, total.outputTokens]).toEqual([1, row?.usage?.input, row?.usage?.output]);
      expect(pico(total.cost)).toBe(BigInt(row?.usage?.input ?? 0) * 150_000n + BigInt(row?.usage?.output ?? 0) * 600_000n);
      expect(total.presumed).toBe(0);
    }
  });
});

describe("what belongs to a period", () => {
  it("training: a charge for the tokens the provider says were trained, once", async () => {
    const file = await upload([{ messages: [{ role: "user", content: "a" }] }], "fine-tune");
    const job = (await send(
      "POST",
      "/to/outside/v1/fine_tuning/jobs",
      { model: "gpt-4o-2024-08-06", training_file: file },
      { "x-pennyworth-feature": "tuned", "x-sandbox-trained-tokens": "1234567" },
    )) as { id: string };
    const { total } = await until(
      () => report("", "feature=tuned"),
      (found) => found.total.cost !== "0",
    );
    // $25 for a million tokens: 30.864175.
    expect(total).toMatchObject({ calls: 0, cost: "30.864175", periodCost: "30.864175", periodUnpriced: 0 });
    await until(
      () => work(),
      ({ ended }) => ended.some((one) => one.ref === job.id && one.status === "done"),
    );
    await send("GET", `/to/outside/v1/fine_tuning/jobs/${job.id}`);
    const { charges } = (await gateway.get("/charges?fresh=true")) as { charges: { id: string; quantity: number; item: string }[] };
    expect(charges.filter((charge) => charge.id === `outside:${job.id}`)).toMatchObject([{ item: "training", quantity: 1_234_567 }]);
  });

  it("a cache: its tokens for as long as it was there; deleted, expired, and with its end moved", async () => {
    const create = async (ttl: string, name: string): Promise<string> => {
      const body = { model: "models/gemini-2.5-pro", contents: [{ role: "user", parts: [{ text: "long" }] }], ttl };
      const headers = { "x-sandbox-input-tokens": "1000000", "x-pennyworth-feature": name };
      return ((await send("POST", "/to/gemini/v1beta/cachedContents", body, headers)) as { name: string }).name;
    };
    const deleted = await create("3600s", "deleted");
    await new Promise((resolve) => setTimeout(resolve, 300));
    await send("DELETE", `/to/gemini/v1beta/${deleted}`);
    const expired = await create("1s", "expired");
    const moved = await create("3600s", "moved");
    await send("PATCH", `/to/gemini/v1beta/${moved}?updateMask=ttl`, { ttl: "1s" });
    for (const [ref, name] of [
      [deleted, "deleted"],
      [expired, "expired"],
      [moved, "moved"],
    ] as const) {
      const { total } = await until(
        () => report("", `feature=${name}`),
        (found) => found.total.cost !== "0",
      );
      const { charges } = (await gateway.get("/charges?fresh=true")) as { charges: Charge[] };
      const [charge] = charges.filter((one) => one.id === `gemini:${ref}`) as [Charge];
      const ms = charge.toMs - charge.fromMs;
      // A million tokens at $4.50 an hour: 1,250 picodollars for each of them a second.
      expect(charge.quantity).toBe(ms * 1000);
      expect(pico(total.cost)).toBe(BigInt(ms) * 1000n * 1250n);
      expect(ms).toBeGreaterThanOrEqual(name === "deleted" ? 290 : 1000);
      expect(ms).toBeLessThan(name === "deleted" ? 3_000 : 2_500);
    }
    expect((await work()).open.filter(({ kind }) => kind === "cache")).toEqual([]);
  });
});

describe("after a kill -9", () => {
  it("open work is found again; what a client's own credential began waits for the next request that shows one", async () => {
    const folder = await temporaryFolder();
    const lines = Array.from({ length: 8 }, (_, index) => chatLine(index));
    const input_file_id = await upload(lines);
    const keyed = { baseUrl: `${sandbox.url}/v1`, auth: "bearer", pricesOf: "openai", formats };
    const open = { baseUrl: `${sandbox.url}/v1`, auth: "none", pricesOf: "openai", formats };
    const slow = { "limits.workPollMsMin": 60_000, "limits.workPollMsMax": 60_000 };
    const config = join(folder.path, "pennyworth.yaml");
    const limits = { workPollMsMin: 60_000, workPollMsMax: 60_000 };
    writeFileSync(config, JSON.stringify({ server: { port: 0 }, data: join(folder.path, "data"), providers: { keyed, open }, limits }));
    const dying = startProcess("src/cli/main.ts", ["serve", "--config", config]);
    const refs: string[] = [];
    try {
      const url = (await dying.prints(/http:\/\/127\.0\.0\.1:\d+/))[0];
      for (const [provider, headers] of [
        ["open", {}],
        ["keyed", { authorization: "Bearer sk-of-the-client" }],
      ] as const) {
        const made = await fetch(`${url}/to/${provider}/v1/batches`, {
          method: "POST",
          headers: { "content-type": "application/json", "x-pennyworth-task": `of-${provider}`, ...headers },
          body: JSON.stringify({ input_file_id, endpoint: "/v1/chat/completions", completion_window: "24h" }),
        });
        refs.push(((await made.json()) as { id: string }).id);
      }
    } finally {
      await dying.kill("SIGKILL");
    }
    const [found, waiting] = refs as [string, string];
    for (const file of readdirSync(join(folder.path, "data", "journal")))
      expect(readFileSync(join(folder.path, "data", "journal", file), "latin1")).not.toContain("sk-of-the-client");

    const again = await startGateway({ ...settings({ providers: { keyed, open } }), data: join(folder.path, "data") });
    try {
      const look = () => again.get("/work") as Promise<Standing>;
      await until(look, (seen) => seen.ended.some((one) => one.ref === found && one.lines === 8 && one.status === "done"));
      const parked = (await look()).open;
      expect(parked).toMatchObject([{ ref: waiting, problem: expect.stringContaining("no credential for keyed") as string }]);
      const calls = async (task: string): Promise<number> =>
        ((await again.get(`/report?fresh=true&filter=${encodeURIComponent(`parent=${task}`)}`)) as { total: Row }).total.calls;
      const followed = await until(
        () => calls("of-open"),
        (count) => count === 8,
      );
      expect([followed, await calls("of-keyed")]).toEqual([8, 0]);
      const shown = await fetch(`${again.url}/to/keyed/v1/batches/${waiting}`, { headers: { authorization: "Bearer sk-of-the-client" } });
      expect(shown.status).toBe(200);
      await until(look, (seen) => seen.open.length === 0);
      expect(
        await until(
          () => calls("of-keyed"),
          (count) => count === 8,
        ),
      ).toBe(8);
    } finally {
      await again.close();
    }

    // A third start finds nothing open, and the same sums.
    const third = await startGateway({ ...settings({ providers: { keyed, open }, ...slow }), data: join(folder.path, "data") });
    try {
      expect(((await third.get("/work")) as Standing).open).toEqual([]);
      const { total } = await until(
        () => third.get("/report?fresh=true") as Promise<{ total: Row }>,
        (seen) => seen.total.calls >= 16,
      );
      expect(total.calls).toBe(16);
    } finally {
      await third.close();
      await folder.remove();
    }
  }, 60_000);
});

interface Charge {
  readonly id: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly quantity: number;
}

interface Standing {
  readonly open: readonly { readonly ref: string; readonly kind: string; readonly problem: string | null }[];
  readonly ended: readonly { readonly ref: string; readonly status: string; readonly lines: number }[];
}

const anthropic = { "anthropic-version": "2023-06-01" };

function work(): Promise<Standing> {
  return gateway.get("/work") as Promise<Standing>;
}

function served(batch: string) {
  return sandbox.witness.since(0, 100_000).filter((row) => row.batch === batch);
}

async function run(endpoint: string, lines: readonly unknown[], headers: Readonly<Record<string, string>>) {
  const input_file_id = await upload(lines);
  const made = (await send("POST", "/to/outside/v1/batches", { input_file_id, endpoint, completion_window: "24h" }, headers)) as {
    id: string;
  };
  return until(
    () => send("GET", `/to/outside/v1/batches/${made.id}`) as Promise<{ id: string; status: string; output_file_id: string }>,
    ({ status }) => status === "completed",
  );
}

function pico(usd: string): bigint {
  const [whole = "0", fraction = ""] = usd.split(".");
  return BigInt(whole + fraction.padEnd(12, "0"));
}
