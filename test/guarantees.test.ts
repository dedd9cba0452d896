// The guarantees of the README, one test each, named after it, through a running gateway. The edge cases of each are in the tests
// beside the code; here it is the promise as a user would check it, against sums, bytes and files read by this file's own code.

import { createServer, type IncomingMessage, request as httpRequest, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../src/config.ts";
import { verifyChain } from "../src/ledger/verify.ts";
import { start } from "../src/main.ts";
import { type Receipt, startGateway, type TestGateway } from "./gateway.ts";
import { temporaryFolder } from "./process.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** A provider of this file's own: answers as the test at hand says. */
let upstream: Server;
let answer: Answer;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => answer(request, response, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => {
    upstream.listen(0, "127.0.0.1", resolve);
  });
  const baseUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`;
  gateway = await startGateway(
    {
      providers: { own: { baseUrl, keyFrom: "OWN_KEY", pricesOf: "openai", formats: ["openai-chat"] } },
      "limits.requestBytesMax": 100_000,
    },
    { OWN_KEY: "sk-secret-of-the-provider" },
  );
});
afterAll(async () => {
  await gateway?.close();
  upstream?.close();
});

describe("guarantee 1: Exact", () => {
  it("parts add up to totals at every level, to the last digit", async () => {
    const sizes = [1, 7, 97, 1009, 10_007, 104_729];
    const receipts: Receipt[] = [];
    for (const model of ["gpt-5-mini", "gpt-4o-mini", "o3"])
      for (const size of sizes)
        receipts.push(
          await sandboxCall(
            model,
            { "input-tokens": size * 3, "cache-read-tokens": size, "output-tokens": size % 4001 },
            { "x-pennyworth-step": "exact" },
          ),
        );
    const whole = sum(receipts.map((receipt) => receipt.total));
    for (const receipt of receipts) expect(sum(receipt.lines.map((line) => line.cost))).toBe(pico(receipt.total));
    for (const by of ["model", "class", "hour", "model,class", "call"]) {
      const report = (await gateway.get(`/report?by=${by}&filter=step%3Dexact&limit=1000`)) as Report;
      expect({ by, total: pico(report.total.cost) }).toEqual({ by, total: whole });
      expect({ by, rows: sum(report.rows.map((row) => row.cost)) }).toEqual({ by, rows: whole });
    }
  });
});

describe("guarantee 2: Explained", () => {
  it("every charge names its class, quantity, price, version and source, and can be recomputed by anybody", async () => {
    const receipt = await sandboxCall("gpt-5-mini", {
      "input-tokens": 1234,
      "cache-read-tokens": 1000,
      "output-tokens": 77,
      "reasoning-tokens": 50,
    });
    expect(Object.fromEntries(receipt.lines.map((line) => [line.class, line.quantity]))).toEqual({
      input: 234,
      cache_read: 1000,
      output: 27,
      reasoning: 50,
    });
    for (const line of receipt.lines as readonly Line[]) {
      expect(pico(line.cost) * BigInt(line.ratePer)).toBe(BigInt(line.quantity) * BigInt(line.ratePico));
      expect(line).toMatchObject({
        source: "reported",
        price: expect.stringMatching(/gpt-5-mini/),
        priceSource: expect.stringMatching(/\S/),
      });
    }
  });
});

describe("guarantee 3: Unknown is not zero", () => {
  it("a model without a price is unpriced, counted and shown", async () => {
    const receipt = await sandboxCall("nobody-knows-me-1", { "input-tokens": 10, "output-tokens": 5 });
    expect(receipt.lines).toEqual([]);
    expect((receipt.unpriced as { class: string; quantity: number }[]).map((entry) => [entry.class, entry.quantity])).toEqual([
      ["input", 10],
      ["output", 5],
    ]);
    const report = (await gateway.get("/report?by=model&filter=model%3Dnobody-knows-me-1")) as Report;
    expect(report.total).toMatchObject({ calls: 1, unpriced: 1 });
  });

  it("an answer without usage is estimated and marked, one that does not add up is flagged", async () => {
    const missing = await sandboxCall("gpt-5-mini", { "output-tokens": 100, usage: "missing" });
    expect(missing.lines.length).toBeGreaterThan(0);
    expect(new Set(missing.lines.map((line) => line.source))).toEqual(new Set(["estimated"]));
    await sandboxCall("gpt-5-mini", { "output-tokens": 100, usage: "wrong" }, { "x-pennyworth-step": "wrong" });
    const report = (await gateway.get("/report?by=step&filter=step%3Dwrong")) as Report;
    expect(report.total).toMatchObject({ calls: 1, doubtful: 1 });
  });
});

describe("guarantee 4: Metered before released", () => {
  it("the start is in the journal when the provider is reached, the end before what completes the answer arrives", async () => {
    let journalAtStart = "";
    answer = (_request, response) => {
      journalAtStart = journal();
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(
        'data: {"id":"c-g4","model":"gpt-5-mini","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n',
      );
      response.write(
        'data: {"id":"c-g4","model":"gpt-5-mini","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\n',
      );
      response.end("data: [DONE]\n\n");
    };
    const response = await post("/to/own/v1/chat/completions", { ...chat("gpt-5-mini"), stream: true });
    const id = response.headers.get("x-pennyworth-call") as string;
    let journalAtDone = "";
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      if (journalAtDone === "" && Buffer.from(chunk).includes("[DONE]")) journalAtDone = journal();
    }
    expect(kinds(journalAtStart, id)).toEqual(["start"]);
    expect(kinds(journalAtDone, id)).toEqual(["start", "end"]);
  });
  // `kill -9` at random moments under load: test/crash.test.ts.
});

describe("guarantee 5: Counted once", () => {
  it("a response that is fetched again is the same call, and charged once", async () => {
    const made = await post(
      "/to/sandbox/v1/responses",
      { model: "gpt-5-mini", input: "[[sandbox input-tokens=50 output-tokens=20]]" },
      { "x-pennyworth-step": "once" },
    );
    const { id } = (await made.json()) as { id: string };
    const before = await gateway.receipt(made.headers.get("x-pennyworth-call") as string);
    for (let n = 0; n < 3; n++) expect((await fetch(`${gateway.url}/to/sandbox/v1/responses/${id}`)).status).toBe(200);
    const report = (await gateway.get("/report?by=endpoint&filter=endpoint%3D%2Fv1%2Fresponses")) as Report;
    expect(report.total).toMatchObject({ calls: 1, cost: before.total });
  });
});

describe("guarantee 6: Hard budgets hold", () => {
  it("no concurrency, abort, or missing cap spends more than there is, and when all is over nothing is held", async () => {
    const dollars = 0.02;
    const wanted = { kind: "budget", owner: "the test", for: { agent: "six" }, limit: `$${dollars}`, mode: "hard", useful: 1 };
    await gateway.put("/budgets/guarantee-6", wanted);
    let admitted = 0;
    let refused = 0;
    const ask = async (index: number): Promise<void> => {
      const leaving = new AbortController();
      const body = { ...chat("gpt-4o"), stream: index % 3 === 0, ...(index % 2 === 0 ? { max_tokens: 200 } : {}) };
      const headers = {
        "content-type": "application/json",
        "x-pennyworth-agent": "six",
        "x-sandbox-output-tokens": String(50 * (1 + (index % 9))),
      };
      try {
        const response = await fetch(`${gateway.url}/to/sandbox/v1/chat/completions`, {
          method: "POST",
          headers,
          body: JSON.stringify(body),
          signal: leaving.signal,
        });
        if (response.ok) admitted += 1;
        else {
          refused += 1;
          expect(response.status).toBe(402);
          expect(response.headers.get("x-pennyworth-budget")).toBe("guarantee-6");
        }
        if (index % 7 === 0) leaving.abort();
        await response.arrayBuffer();
      } catch (error) {
        expect((error as Error).name).toBe("AbortError");
      }
    };
    await Promise.all(Array.from({ length: 120 }, (_, index) => ask(index)));
    expect(admitted).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
    await expect
      .poll(async () => ((await gateway.get("/budgets/guarantee-6")) as Standings).budget.standings[0]?.held, { timeout: 20_000 })
      .toBe("0");
    const [standing] = ((await gateway.get("/budgets/guarantee-6")) as Standings).budget.standings;
    expect(pico(standing?.spent ?? "") + pico(standing?.presumed ?? "")).toBeLessThanOrEqual(pico(String(dollars)));
    // The ledger, which knows nothing of budgets, agrees.
    const report = (await gateway.get("/report?by=agent&filter=agent%3Dsix&fresh=true")) as Report;
    expect(pico(report.total.cost)).toBeLessThanOrEqual(pico(String(dollars)));
    expect(pico(report.total.cost)).toBeGreaterThan(0n);
  });
});

describe("guarantee 7: Refuse at the door, never at the till", () => {
  it("what is refused was not sent and is not charged; what was sent is on record, even if it failed", async () => {
    let reached = 0;
    answer = (_request, response) => {
      reached += 1;
      response.writeHead(500, { "content-type": "application/json" }).end('{"error":{"message":"broken"}}');
    };
    const refused = await post("/to/own/v1/chat/completions", chat("gpt-5-mini"), {
      "x-pennyworth-key": "pw_unknown",
      "x-pennyworth-step": "door",
    });
    expect(refused.status).toBe(401);
    expect(reached).toBe(0);
    const failed = await post("/to/own/v1/chat/completions", chat("gpt-5-mini"), { "x-pennyworth-step": "door" });
    expect(failed.status).toBe(500);
    expect((await gateway.receipt(failed.headers.get("x-pennyworth-call") as string)).status).toBe("failed");
    expect(((await gateway.get("/report?by=status&filter=step%3Ddoor")) as Report).total).toMatchObject({ calls: 1, failed: 1 });
  });
});

describe("guarantee 8: History stands", () => {
  it("the journal is sealed and chained: a flipped bit is found, and named", { timeout: 60_000 }, async () => {
    const folder = await temporaryFolder();
    const data = join(folder.path, "data");
    const running = await start(readConfig(undefined, { data, "server.port": 0, log: "silent", "journal.segmentBytesMax": 4096 }, {}));
    const url = `${running.url}/v1/chat/completions`;
    for (let n = 0; n < 12; n++) await (await fetch(url, { method: "POST", body: JSON.stringify(chat("gpt-5-mini")) })).text();
    await running.close();
    const whole = await verifyChain(join(data, "journal"));
    expect(whole.problems).toEqual([]);
    expect(whole.segments).toBeGreaterThan(2);
    const [first] = readdirSync(join(data, "journal")).toSorted();
    flipBit(join(data, "journal", first as string));
    const damaged = await verifyChain(join(data, "journal"));
    expect(damaged.problems.length).toBeGreaterThan(0);
    await folder.remove();
  });
});

describe("guarantee 9: Private and shut", () => {
  it("keeps no prompt, no answer, no credential and no name", async () => {
    answer = (_request, response) => {
      const body = {
        ...completion,
        choices: [{ index: 0, message: { role: "assistant", content: "ANSWER-zebra-4711" }, finish_reason: "stop" }],
      };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    const body = { ...chat("gpt-5-mini"), messages: [{ role: "user", content: "PROMPT-okapi-4711" }] };
    const made = await post("/to/own/v1/chat/completions", body, {
      authorization: "Bearer sk-of-the-client-4711",
      "x-pennyworth-customer": "CUSTOMER-tapir-4711",
    });
    expect(await made.text()).toContain("ANSWER-zebra-4711");
    const receipt = await gateway.receipt(made.headers.get("x-pennyworth-call") as string);
    expect(receipt.status).toBe("complete");
    const secrets = ["PROMPT-okapi", "ANSWER-zebra", "sk-of-the-client", "sk-secret-of-the-provider", gateway.adminToken];
    // The map from names to tokens is apart, so that it can be deleted.
    expect(findIn(gateway.dataFolder, [...secrets, "CUSTOMER-tapir"], ["names"])).toEqual([]);
    expect(findIn(gateway.dataFolder, secrets, [])).toEqual([]);
    expect(findIn(gateway.dataFolder, ["CUSTOMER-tapir"], [])).not.toEqual([]);
  });

  it("refuses foreign hosts and origins, and a public address without keys", async () => {
    expect((await raw({ host: "evil.example" })).status).toBe(421);
    expect((await raw({ origin: "https://evil.example" })).status).toBe(403);
    const folder = await temporaryFolder();
    const open = readConfig(
      undefined,
      { data: folder.path, "server.port": 0, "server.host": "0.0.0.0", "server.keys": "optional", log: "silent" },
      {},
    );
    await expect(start(open)).rejects.toMatchObject({ code: "config_invalid" });
    await folder.remove();
  });
});

describe("guarantee 10: Bounded", () => {
  it("a limit has a name, and is met with a clear error", async () => {
    const large = await post("/v1/chat/completions", { ...chat("gpt-5-mini"), padding: "x".repeat(100_001) });
    expect(large.status).toBe(413);
    expect(await large.text()).toContain("limits.requestBytesMax");
    const long = await raw({ "x-long": "x".repeat(40_000) });
    expect(long.status).toBe(431);
    expect(long.text).toContain("limits.headerBytesMax");
  });
});

describe("guarantee 11: Transparent", () => {
  it("bytes pass unchanged, both ways, provider errors included", async () => {
    // What would not survive being parsed and written again.
    const odd =
      '{ "model":"gpt-5-mini",\n"seed":12345678901234567890, "x":1.0,"y":1e400,"x":"\\u00e9\\/", "messages":[{"role":"user","content":"h\\u0069"}] }';
    const back = `{ "id":"c-g11","n":12345678901234567890 ,"model":"gpt-5-mini","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5},"z":1.50}\n`;
    let received = "";
    for (const [status, text] of [
      [200, back],
      [429, '{"error" : {"message":"slow down","code":"rate_limit_exceeded" } }'],
      [418, "not JSON at all"],
    ] as const) {
      answer = (_request, response, body) => {
        received = body.toString("latin1");
        response.writeHead(status, { "content-type": "application/json", "x-own": "kept" }).end(text);
      };
      const response = await fetch(`${gateway.url}/to/own/v1/chat/completions`, { method: "POST", body: odd });
      expect({ status: response.status, own: response.headers.get("x-own") }).toEqual({ status, own: "kept" });
      expect(await response.text()).toBe(text);
      expect(received).toBe(odd);
    }
  });

  it("which model was asked for and which one answered are both on record", async () => {
    const receipt = await sandboxCall(
      "gpt-5-mini",
      { "output-tokens": 5, "served-model": "gpt-4o-mini" },
      { "x-pennyworth-step": "differs" },
    );
    expect(receipt.status).toBe("complete");
    const report = (await gateway.get("/report?by=modelAsked,model,differs&filter=step%3Ddiffers")) as Report;
    expect(report.rows.map((row) => row.group)).toEqual([{ modelAsked: "gpt-5-mini", model: "gpt-4o-mini", differs: "yes" }]);
  });
});

it("the README lists the same guarantees", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const listed = [...readme.matchAll(/^(\d+)\. \*\*(.+?)\.\*\*/gm)].map(([, number, name]) => `guarantee ${number}: ${name}`);
  const own = readFileSync(new URL(import.meta.url), "utf8");
  const tested = [...own.matchAll(/^describe\("(guarantee .+)", /gm)].map(([, name]) => name);
  expect(tested).toEqual(listed);
});

interface Line {
  readonly class: string;
  readonly quantity: number;
  readonly source: string;
  readonly price: string;
  readonly priceSource: string | null;
  readonly ratePico: string;
  readonly ratePer: string;
  readonly cost: string;
}

interface Report {
  readonly rows: readonly { readonly group: Readonly<Record<string, string | null>>; readonly cost: string }[];
  readonly total: { readonly calls: number; readonly cost: string };
}

interface Standings {
  readonly budget: { readonly standings: readonly { readonly spent: string; readonly held: string; readonly presumed: string }[] };
}

const completion = {
  id: "c-g9",
  object: "chat.completion",
  model: "gpt-5-mini",
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};

function chat(model: string): { model: string; messages: { role: string; content: string }[] } {
  return { model, messages: [{ role: "user", content: "What does a call cost?" }] };
}

function post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(gateway.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

/** One chat call to the sandbox with these controls. @returns its receipt. */
async function sandboxCall(
  model: string,
  wanted: Readonly<Record<string, number | string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Receipt> {
  const controls = Object.fromEntries(Object.entries(wanted).map(([name, value]) => [`x-sandbox-${name}`, String(value)]));
  const response = await post("/to/sandbox/v1/chat/completions", chat(model), { ...controls, ...headers });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  await response.arrayBuffer();
  return gateway.receipt(response.headers.get("x-pennyworth-call") as string);
}

/** Dollars as picodollars, by this file's own reading. */
function pico(usd: string): bigint {
  const [whole = "0", fraction = ""] = usd.split(".");
  return BigInt(whole + fraction.padEnd(12, "0"));
}

function sum(amounts: readonly string[]): bigint {
  let total = 0n;
  for (const amount of amounts) total += pico(amount);
  return total;
}

/** The journal as it lies on the disk now. */
function journal(): string {
  const folder = join(gateway.dataFolder, "journal");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".jsonl"))
    .toSorted()
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("");
}

/** Kinds of the entries of one call, in the order of the journal. */
function kinds(text: string, call: string): string[] {
  return text
    .split("\n")
    .filter((line) => line.includes(call) && !line.includes('"kind":"segment"'))
    .map((line) => (JSON.parse(line.slice(9)) as { kind: string }).kind);
}

/** Files below a folder, but for those in folders named here, that hold one of the texts. */
function findIn(folder: string, texts: readonly string[], except: readonly string[]): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (except.includes(entry.name)) return [];
    if (entry.isDirectory()) return findIn(path, texts, except);
    if (!entry.isFile()) return [];
    const bytes = readFileSync(path);
    return texts.filter((text) => bytes.includes(text)).map((text) => `${path}: ${text}`);
  });
}

function flipBit(path: string): void {
  const bytes = readFileSync(path);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(path, bytes);
}

/** GET /v1/models on a connection of its own, with headers that fetch does not let one set. */
function raw(headers: Readonly<Record<string, string>>): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${gateway.url}/v1/models`, { headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject).end();
  });
}
