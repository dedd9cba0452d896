// Our own client, as it is published, around official packages and plain fetch: what it says arrives in the ledger, at the calls and at their task.
// The client runs in a process of its own, under the Node that those packages declare.

import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Context, createContext, runInContext } from "node:vm";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "./gateway.ts";
import { clientUrl, nodeForClients, noNode } from "./interpreters.ts";

interface Line {
  readonly name?: string;
  readonly task?: string;
  readonly call?: string;
  readonly trouble?: string;
  readonly unsent?: number;
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.close());

describe("the client, around official packages and plain fetch", () => {
  it("says whose each call is, and how the tasks ended", async ({ skip }) => {
    if (nodeForClients() === null) return skip(noNode);
    const lines = await run();
    expect(lines.map(({ name }) => name).filter((name) => name !== undefined)).toEqual(["openai", "@anthropic-ai/sdk", "fetch"]);
    expect(lines.at(-1)).toEqual({ unsent: 0 });
    // The one statement that cannot be, and nothing else.
    expect(lines.filter(({ trouble }) => trouble !== undefined)).toEqual([{ trouble: expect.stringMatching(/a statement.*NaN/) }]);

    const said = await Promise.all(
      lines.filter(({ call }) => call !== undefined).map(async ({ call = "" }) => attributionOf(await gateway.receipt(call))),
    );
    const root = {
      customer: expect.stringMatching(/^Müller & Söhne$|^n_/),
      feature: "support",
      prompt: "v7",
      root: "ticket-1",
      tags: { tier: "gold" },
    };
    expect(said).toMatchObject([
      { ...root, task: "ticket-1", type: "resolve-ticket", agent: "resolver", step: "plan", parent: null },
      { ...root, task: lines[1]?.task, type: "search", agent: "searcher", step: null, parent: "ticket-1" },
      { ...root, task: "ticket-1", type: "resolve-ticket", agent: "resolver", step: null, parent: null },
    ]);
    expect(new Set(said.map(({ customer }) => customer)).size).toBe(1);

    expect(await endingOf("ticket-1")).toMatchObject({
      result: "failure",
      judge: "person",
      source: "Ada",
      reason: "reverted",
      self: "success",
      value: "0",
      reviewMinutes: 1.5,
      isContradictory: true,
      statements: 2,
    });
    expect(await endingOf("ticket-2")).toMatchObject({ result: "failure", judge: "self", reason: "error:RangeError" });
    expect(await endingOf(lines[1]?.task ?? "")).toMatchObject({ result: "success", judge: "self" });
    expect(await endingOf("ticket-3")).toMatchObject({ result: "unknown", statements: 0 });

    // The second ticket made no call, and the third is rework of the first: all that is known of them is what was said when they began.
    const { rows } = (await gateway.get("/success?by=customer,agent&fresh=true")) as { rows: readonly unknown[] };
    expect(rows).toMatchObject([
      {
        group: { customer: "Müller & Söhne", agent: "resolver" },
        tasks: 2,
        calls: 3,
        // gpt-4o-mini at $0.15 and $0.60, claude-sonnet-4-5 at $3 and $15 a million: 1,200 and 80 tokens; 400 and 50; 300 and 30.
        spend: "0.003528",
        failure: { tasks: 2 },
        contradictory: 1,
      },
    ]);
  });

  it("needs a key where there are keys, and says what is wrong without one", async ({ skip }) => {
    if (nodeForClients() === null) return skip(noNode);
    const { secret } = (await gateway.post("/keys", { name: "sdk", role: "use" })) as { secret: string };
    const lines = await run(secret);
    expect(lines.at(-1)).toEqual({ unsent: 0 });
    expect(lines.filter(({ trouble }) => trouble !== undefined)).toHaveLength(1);
    const messages: string[] = [];
    const { pennyworth } = await import("../src/client/pennyworth.ts");
    const { task, flush } = pennyworth({ url: gateway.url, onError: ({ message }) => messages.push(message) });
    expect(await task("a", async (t) => (t.succeed(), 7))).toBe(7);
    expect(await flush()).toBe(0);
    expect(messages).toEqual([expect.stringMatching(/\(401\).*key/), expect.stringMatching(/\(401\).*key/)]);
  });
});

describe("the published client", () => {
  it("lets a program end: what waits is sent first, where somebody is there, and nobody is waited for where not", async () => {
    const away = "http://127.0.0.1:9";
    expect((await endedAt(away)).tookMs).toBeLessThan(30_000);
    const flushed = await endedAt(away, "console.log(await flush(300));");
    expect(flushed.out).toBe("2");
    expect(flushed.tookMs).toBeLessThan(30_000);
    const open = await startGateway();
    await endedAt(open.url);
    expect(await endingOf("ended-by-itself", open)).toMatchObject({ result: "success" });
    await open.close();
  });

  it("needs nothing of its world but what browsers and edges have too", async () => {
    const requests: [string, string][] = [];
    const take = async (url: string, { body = "" }: { body?: string }): Promise<Response> => {
      requests.push([url, body]);
      return new Response("{}", { status: 201 });
    };
    const world = { fetch: take, Headers, URL, AbortSignal, crypto, setTimeout, clearTimeout, console };
    const { pennyworth } = runIn(createContext(world), dirname(fileURLToPath(await clientUrl())), "./pennyworth.js");
    const { task, fetch: send, flush, current } = (pennyworth as typeof import("../src/client/pennyworth.ts").pennyworth)();
    const answer = await task("a", { id: "t1" }, (t) =>
      t.task("b", { id: "t2" }, async (t2) => {
        await t2.fetch("http://127.0.0.1:4242/v1/models", {});
        await send("http://127.0.0.1:4242/v1/models", {});
        t2.succeed();
        return current();
      }),
    );
    expect(answer).toBeNull();
    expect(await flush()).toBe(0);
    expect(requests.map(([url]) => new URL(url).pathname)).toEqual(["/v1/models", "/v1/models", "/api/v1/tasks/begun", "/api/v1/outcomes"]);
    expect(requests[2]?.[1]).toMatch(/"id":"t1".*"id":"t2".*"parent":"t1"/);
  });

  it("has no dependencies, and types that need no others", async () => {
    const folder = dirname(fileURLToPath(await clientUrl()));
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, unknown>;
    expect(manifest).toMatchObject({ name: "@pennyworth/client", type: "module", license: "Apache-2.0" });
    expect(Object.keys(manifest).filter((name) => /dependencies/i.test(name))).toEqual([]);
    for (const isBrowser of [true, false]) compile(folder, isBrowser);
  });
});

/** A program that uses it, checked with a browser's types alone, and with Node's alone. */
function compile(folder: string, isBrowser: boolean): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const place = mkdtempSync(join(tmpdir(), "pennyworth-types-"));
  try {
    writeFileSync(
      join(place, "use.ts"),
      `import { pennyworth, type Task } from ${JSON.stringify(join(folder, "pennyworth.js"))};
const { task, resume, flush } = pennyworth({ url: "http://127.0.0.1:4242", onError: ({ kind, lost }) => [kind, lost] });
export const seven: number = await task("a", { customer: "Acme" }, async (t: Task) => (t.succeed({ value: 1 }), 7));
export const found: Task | null = resume(new Headers());
export const left: number = await flush();
`,
    );
    const kind = ["--strict", "--noEmit", "--target", "es2023", "--module", "esnext", "--moduleResolution", "bundler"];
    // Of a browser's the client's own declarations are checked too; Node's are many, and not ours.
    const world = isBrowser
      ? ["--lib", "es2023,dom", "--types", "--skipDefaultLibCheck"]
      : ["--lib", "es2023", "--types", "node", "--typeRoots", join(root, "node_modules/@types"), "--skipLibCheck"];
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [compiler, ...kind, ...world, join(place, "use.ts")], { encoding: "utf8" });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** The exports of a built module, run in a world that has nothing else. */
function runIn(world: Context, folder: string, name: string): Record<string, unknown> {
  const known = new Map<string, Record<string, unknown>>();
  const load = (path: string): Record<string, unknown> => {
    const found = known.get(path);
    if (found !== undefined) return found;
    const exports: Record<string, unknown> = {};
    known.set(path, exports);
    const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 };
    const { outputText } = ts.transpileModule(readFileSync(join(folder, path), "utf8"), { compilerOptions: options });
    (runInContext(`(exports, require) => { ${outputText}\n}`, world) as (exports: object, require: typeof load) => void)(exports, load);
    return exports;
  };
  return load(name);
}

async function run(key?: string): Promise<Line[]> {
  const path = fileURLToPath(new URL("clients/tasks.mjs", import.meta.url));
  const args = [path, gateway.url, await clientUrl(), ...(key === undefined ? [] : [key])];
  const { stdout } = await promisify(execFile)(nodeForClients() as string, args, { timeout: 60_000 });
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line);
}

function attributionOf(receipt: unknown): Record<string, unknown> {
  return (receipt as { start: { attribution: Record<string, unknown> } }).start.attribution;
}

async function endingOf(task: string, at = gateway): Promise<unknown> {
  const path = `/tasks/${encodeURIComponent(task)}/outcomes?fresh=true`;
  return ((await at.get(path)) as { ending: unknown }).ending;
}

/** A program with one task that ends. @param more its last line. */
async function endedAt(url: string, more = ""): Promise<{ readonly out: string; readonly tookMs: number }> {
  const text = `import { pennyworth } from ${JSON.stringify(await clientUrl())};
const { task, flush } = pennyworth({ url: ${JSON.stringify(url)}, limits: { retryMsFirst: 60_000, retryMsMax: 60_000 } });
await task("a", { id: "ended-by-itself" }, async (t) => t.succeed());
${more}`;
  const startMs = Date.now();
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", text], { timeout: 60_000 });
  return { out: stdout.trim(), tookMs: Date.now() - startMs };
}
