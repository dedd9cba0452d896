// The guide to providers holds: its table says what the records say, its settings can be used, and a made-up provider is one record, taken from
// the page, whose receipts equal sums done by hand. Not here: its other snippets (docs.test.ts).

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { settingsSchema } from "../src/config.ts";
import { checkRoutes } from "../src/gateway/route.ts";
import { apis } from "../src/providers/api.ts";
import { addressOf, mergeProviders, providers } from "../src/providers/table.ts";
import { startSandbox } from "../src/sandbox/sandbox.ts";
import { startGateway, type TestGateway } from "./gateway.ts";
import { nodeForClients, noNode } from "./interpreters.ts";

const page = readFileSync(fileURLToPath(new URL("../docs/providers.md", import.meta.url)), "utf8");
const clients = fileURLToPath(new URL("clients", import.meta.url));

const block = (mark: string): string => new RegExp(`^\`\`\`${mark}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(page)?.[1] ?? "";

describe("the guide's table of OpenAI-compatible providers", () => {
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (?:`(\w+)`|none) +\| `([^`]+)` +\| ([\w, ]+?) +\|$/gm)].map(
    ([, name = "", keyFrom, address = "", formats = ""]) => ({ name, keyFrom: keyFrom ?? null, address, formats: formats.split(", ") }),
  );

  it("has a row for each provider that is not an API of its own", () => {
    const own = new Set(["openai", "anthropic", "google", "vertex", "azure", "bedrock", "ollama", "cohere"]);
    expect(rows.map((row) => row.name).toSorted()).toEqual(providers.flatMap(({ name }) => (own.has(name) ? [] : [name])).toSorted());
  });

  it.each(rows)("says what the record of $name says", ({ name, keyFrom, address, formats }) => {
    const record = providers.find((candidate) => candidate.name === name)!;
    expect([record.keyFrom, record.baseUrl, record.auth === "none"]).toEqual([keyFrom, address, keyFrom === null]);
    const said = formats.map((format) => (format === "messages" ? "anthropic-messages" : `openai-${format}`));
    expect(said.toSorted()).toEqual([...record.formats].toSorted());
    expect(record.apis.anthropic !== undefined).toBe(formats.includes("messages"));
  });
});

describe("the table of paths", () => {
  const gateway = readFileSync(fileURLToPath(new URL("../docs/gateway.md", import.meta.url)), "utf8");
  const table = gateway.slice(gateway.indexOf("\n## Paths"), gateway.indexOf("\nAnything else"));
  const kinds = [
    ["metered", /Metered$/],
    ["kept", /^a stored response/],
    ["work", /^work that outlasts/],
    ["free", /^free at the providers/],
  ] as const;
  const rows = [...table.matchAll(/^\| (`[^|]+?) +\| ([^|]+?) +\|$/gm)].flatMap(([, cell = "", what = ""]) => {
    const kind = kinds.find(([, says]) => says.test(what))?.[0];
    let before = "";
    return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, span = ""]) => {
      if (kind === undefined || span.includes("…")) return [];
      // A path written short differs from the one before it in its last part.
      if (span.startsWith(":")) before = before.replace(/:[^:]*$/, span);
      else if (span.startsWith("/")) before = before.replace(/\/[^/]*$/, span);
      else before = span;
      const [method = "", path = ""] = before.split(" ");
      return [{ kind, method, path }];
    });
  });
  const endpoints = apis.flatMap((api) => api.endpoints.map((endpoint) => ({ ...endpoint, api: api.name })));
  const endpointsAt = (method: string, path: string): typeof endpoints =>
    endpoints.filter((endpoint) => endpoint.method === method && endpoint.pattern.test(path.replaceAll(/\{\w*\}/g, "x")));

  it.each(rows)("is right: $method $path is $kind", ({ kind, method, path }) => {
    expect(endpointsAt(method, path)[0]?.kind).toBe(kind);
  });

  it("has every endpoint that is metered, Azure's by one of them", () => {
    const listed = new Set(rows.flatMap(({ method, path }) => endpointsAt(method, path)));
    const missing = endpoints.filter(({ kind, api }) => kind === "metered" && api !== "azure").filter((endpoint) => !listed.has(endpoint));
    expect(missing.map(({ pattern }) => pattern.source)).toEqual([]);
    expect(new Set([...listed].map(({ api }) => api))).toEqual(new Set(apis.map(({ name }) => name)));
  });
});

describe("the guide", () => {
  it("names the variable that holds each provider's credential", () => {
    expect(providers.filter(({ keyFrom }) => keyFrom !== null && !page.includes(`\`${keyFrom}\``)).map(({ name }) => name)).toEqual([]);
  });

  it.each([...page.matchAll(/^```yaml config[^\n]*\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text))(
    "gives settings that work: %#",
    (text) => {
      const settings = settingsSchema.parse(parse(text));
      const records = mergeProviders(settings.providers);
      expect(() => checkRoutes(records, settings.routes)).not.toThrow();
      for (const name of Object.keys(settings.providers)) {
        const record = records.get(name)!;
        expect(new URL(addressOf(record)).protocol).toBe("https:");
        // No key of one provider goes to the address of another.
        const owners = providers
          .filter(({ keyFrom }) => keyFrom === record.keyFrom)
          .map((owner) => new URL(owner.baseUrl ?? "https://x").host);
        const host = new URL(addressOf(record)).host;
        if (settings.providers[name]?.like !== undefined && settings.providers[name]?.baseUrl !== undefined)
          expect(owners.filter((owner) => owner !== host)).toEqual([]);
      }
    },
  );
});

describe("a provider that nobody has heard of", () => {
  let outside: Awaited<ReturnType<typeof startSandbox>>;
  let gateway: TestGateway;
  beforeAll(async () => {
    outside = await startSandbox({ seed: 5 });
    const acme = parse(block("yaml config acme").replace("https://api.acme.example", outside.url)) as Record<string, unknown>;
    expect(Object.keys(acme["providers"] as object)).toEqual(["acme"]);
    gateway = await startGateway(acme, { ACME_API_KEY: "key-of-acme" });
  });
  afterAll(async () => {
    await gateway?.close();
    await outside?.close();
  });

  const ask = (path: string, body: unknown): Promise<Response> =>
    fetch(gateway.url + path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-sandbox-input-tokens": "1200",
        "x-sandbox-cache-read-tokens": "200",
        "x-sandbox-output-tokens": "345",
      },
      body: JSON.stringify({ model: "acme-large", ...(body as object) }),
    });
  const messages = [{ role: "user", content: "What does a call cost?" }];
  const witnessed = async (): Promise<Record<string, unknown>> => {
    const { calls } = (await (await fetch(`${outside.url}/witness?limit=1000`)).json()) as { calls: Record<string, unknown>[] };
    return calls.at(-1)!;
  };

  it.each([
    ["a whole answer", "/to/acme/v1/chat/completions", { messages }],
    ["a stream whose client did not ask for its usage", "/to/acme/v1/chat/completions", { messages, stream: true }],
    ["a response", "/to/acme/v1/responses", { input: "What does a call cost?" }],
    ["a streamed response", "/to/acme/v1/responses", { input: "What does a call cost?", stream: true }],
  ])("is metered by one record: %s", async (_name, path, body) => {
    const answer = await ask(path, body);
    const text = await answer.text();
    expect(answer.status, text).toBe(200);
    const receipt = await gateway.receipt(answer.headers.get("x-pennyworth-call") ?? "");
    // 1,200 tokens in, of which 200 from the cache, and 345 out, at $0.30, $0.03 and $1.20 per million:
    // 1,000 × 0.30 + 200 × 0.03 + 345 × 1.20 = 300 + 6 + 414 = 720 millionths of a dollar.
    expect(receipt).toMatchObject({ total: "0.00072", status: "complete", recomputed: true, unpriced: [], start: { provider: "acme" } });
    expect(Object.fromEntries(receipt.lines.map(({ class: name, quantity, cost }) => [name, [quantity, cost]]))).toEqual({
      input: [1000, "0.0003"],
      cache_read: [200, "0.000006"],
      output: [345, "0.000414"],
    });
    // It got its own path and a bearer's key, and says itself that it served so many.
    expect(await witnessed()).toMatchObject({
      path: path.slice("/to/acme".length),
      credential: "bearer",
      model: "acme-large",
      usage: { input: 1000, cache_read: 200, output: 345 },
    });
  });

  it("is reached by the client of the guide", async ({ skip }) => {
    const node = nodeForClients();
    if (node === null) return skip(noNode);
    const { stdout } = await run(node, block("js acme"), gateway.url);
    const { usage } = await witnessed();
    const { input, output } = usage as { input: number; output: number };
    // Hundredths of a millionth of a dollar: a token in costs 30 of them, one out 120.
    const hundredths = String(input * 30 + output * 120).padStart(8, "0");
    expect(stdout.trim().split(/\s/).at(-1)).toBe(`0.${hundredths}`.replace(/0+$/, ""));
    expect(stdout).toContain(`prompt_tokens: ${input}`);
  });
});

describe("a provider like another one", () => {
  const secrets = { MOONSHOT_API_KEY: "key-of-moonshot", ANTHROPIC_API_KEY: "key-of-anthropic" };

  it("is asked in the other one's format, and has its own prices", async ({ skip }) => {
    const node = nodeForClients();
    if (node === null) return skip(noNode);
    const outside = await startSandbox({ seed: 6 });
    const gateway = await startGateway(settings(outside.url), secrets);
    try {
      await run(node, block("js like"), gateway.url);
      const { calls } = (await (await fetch(`${outside.url}/witness?limit=10`)).json()) as { calls: Record<string, unknown>[] };
      expect(calls).toMatchObject([{ path: "/v1/messages", credential: "bearer", model: "kimi-k2-0905-preview" }]);
      const list = async (): Promise<{ id: string }[]> => ((await gateway.get("/calls?fresh=true")) as { calls: { id: string }[] }).calls;
      await expect.poll(async () => (await list()).length, { timeout: 20_000 }).toBe(1);
      const receipt = await gateway.receipt((await list())[0]?.id ?? "");
      expect(receipt).toMatchObject({ status: "complete", unpriced: [], start: { provider: "moonshot-anthropic" } });
      const { input, output } = calls[0]!["usage"] as { input: number; output: number };
      expect(receipt.lines.map(({ class: name, quantity }) => [name, quantity])).toEqual([
        ["input", input],
        ["output", output],
      ]);
    } finally {
      await gateway.close();
      await outside.close();
    }
  });

  it("gets its own key, and not the other one's", async () => {
    const seen: IncomingHttpHeaders[] = [];
    const outside = createServer((request, response) => {
      seen.push(request.headers);
      response.writeHead(401).end("{}");
    });
    await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
    const gateway = await startGateway(settings(`http://127.0.0.1:${(outside.address() as AddressInfo).port}`), secrets);
    try {
      const answer = await fetch(`${gateway.url}/to/moonshot-anthropic/v1/messages`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-api-key": "key-of-a-client" },
        body: JSON.stringify({ model: "kimi-k2-0905-preview", max_tokens: 1, messages: [{ role: "user", content: "hello" }] }),
      });
      expect(answer.status).toBe(401);
      expect(seen).toHaveLength(1);
      expect(seen[0]).toMatchObject({ authorization: "Bearer key-of-moonshot" });
      expect(seen[0]).not.toHaveProperty("x-api-key");
    } finally {
      await gateway.close();
      outside.close();
    }
  });
});

function settings(url: string): Record<string, unknown> {
  return parse(block("yaml config like").replace("https://api.moonshot.ai/anthropic", url)) as Record<string, unknown>;
}

function run(node: string, text: string, url: string): Promise<{ stdout: string }> {
  const environment: NodeJS.ProcessEnv = { ...process.env };
  for (const name of Object.keys(environment)) if (/^(OPENAI|ANTHROPIC)_/.test(name)) delete environment[name];
  const script = text.replaceAll("http://127.0.0.1:4242", url);
  return promisify(execFile)(node, ["--input-type=module", "-e", script], { cwd: clients, env: environment, timeout: 60_000 });
}
