// Sending in the background: what arrives, what is tried again, what is given up, and that nobody notices but who asked to be told.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { pennyworth } from "./pennyworth.ts";
import { quick, type Said, sink, type Taken } from "./sink.fixture.ts";

const ids = (said: readonly Said[]): unknown[] => said.map(({ id }) => id);
const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => `o${from + index}`);
const refusal = (message: string, status = 400): Response => Response.json({ error: { code: "request_malformed", message } }, { status });

function say(client: ReturnType<typeof sink>, from: number, to: number): void {
  for (const id of numbers(from, to)) client.outcome("t1", { id, result: "success" });
}

afterEach(() => void vi.restoreAllMocks());

describe("statements", () => {
  it("that come together go together, each once, in their order", async () => {
    const client = sink({ limits: { ...quick, batchMax: 10 } });
    say(client, 0, 25);
    expect(await client.flush()).toBe(0);
    expect(ids(client.taken("outcomes"))).toEqual(numbers(0, 25));
    expect(client.requests.map(({ url, body }) => [url, body["outcomes"]?.length])).toEqual([
      ["http://127.0.0.1:4242/api/v1/outcomes", 10],
      ["http://127.0.0.1:4242/api/v1/outcomes", 10],
      ["http://127.0.0.1:4242/api/v1/outcomes", 5],
    ]);
    expect(client.troubles).toEqual([]);
  });

  it("go without being asked for", async () => {
    const client = sink({ limits: quick });
    await client.task("a", async (t) => t.succeed());
    await vi.waitFor(() => expect(client.taken("outcomes")).toHaveLength(1));
    expect(client.taken("tasks")).toHaveLength(1);
    await client.task("b", async (t) => t.succeed());
    await vi.waitFor(() => expect(client.taken("outcomes")).toHaveLength(2));
  });

  it("are flushed at once, and a flush of nothing is over at once", async () => {
    const client = sink({ limits: { ...quick, gatherMs: 60_000 } });
    expect(await client.flush()).toBe(0);
    say(client, 0, 1);
    expect(await client.flush(5_000)).toBe(0);
    expect(client.taken("outcomes")).toHaveLength(1);
  });
});

describe("what does not get through", () => {
  it.each([
    ["a network that is away", () => new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") }), null],
    ["an error over there", () => 503, 503],
    ["too many requests", () => new Response("", { status: 429, headers: { "retry-after": "0" } }), 429],
  ])("is tried again after %s, and told once", async (_, fault, status) => {
    const client = sink({ limits: quick }, (_request, number) => (number <= 3 ? fault() : 201));
    say(client, 0, 3);
    expect(await client.flush()).toBe(0);
    expect(client.requests).toHaveLength(4);
    expect(ids(client.taken("outcomes"))).toEqual(numbers(0, 3));
    expect(client.troubles.map(({ kind, lost, status }) => ({ kind, lost, status }))).toEqual([{ kind: "unreached", lost: 0, status }]);
  });

  it("waits as long as it is asked to, within reason", async () => {
    const asked = new Response("", { status: 429, headers: { "retry-after": "9999" } });
    const client = sink({ limits: { ...quick, retryMsMax: 200 } }, (_request, number) => (number === 1 ? asked : 201));
    const startMs = performance.now();
    say(client, 0, 1);
    await client.flush();
    expect(performance.now() - startMs).toBeGreaterThan(150);
  });

  it("is counted by a flush whose time is over", async () => {
    const client = sink({ limits: quick }, () => 500);
    say(client, 0, 7);
    expect(await client.flush(50)).toBe(7);
  });

  it("leaves when there is no room, the oldest first, and is counted", async () => {
    let away = true;
    const client = sink({ limits: { ...quick, waitingMax: 20, batchMax: 5 } }, () => (away ? 500 : 201));
    say(client, 0, 5);
    await vi.waitFor(() => expect(client.requests.length).toBeGreaterThan(0));
    // Five are under way; of the hundred after them there is room for the last twenty.
    say(client, 5, 105);
    away = false;
    expect(await client.flush()).toBe(0);
    expect(ids(client.taken("outcomes"))).toEqual([...numbers(0, 5), ...numbers(85, 105)]);
    const dropped = client.troubles.filter(({ kind }) => kind === "dropped");
    expect(dropped.reduce((sum, { lost }) => sum + lost, 0)).toBe(80);
  });
});

describe("what is refused", () => {
  it("does not hold up what is in order, and is told with the reason", async () => {
    const wrong = new Set(["o3", "o17"]);
    const judge = ({ body }: Taken): Response | number => {
      const bad = (body["outcomes"] ?? []).find(({ id }) => wrong.has(id as string));
      return bad === undefined ? 201 : refusal(`outcomes: ${String(bad["id"])} is wrong`);
    };
    const client = sink({ limits: { ...quick, batchMax: 20 } }, judge);
    say(client, 0, 20);
    expect(await client.flush()).toBe(0);
    expect(ids(client.taken("outcomes"))).toEqual(numbers(0, 20).filter((id) => !wrong.has(id)));
    expect(client.troubles.map(({ kind, lost, status, message }) => ({ kind, lost, status, message }))).toEqual(
      [...wrong].map((id) => ({
        kind: "refused",
        lost: 1,
        status: 400,
        message: `Pennyworth at http://127.0.0.1:4242 does not take a statement about tasks (400): outcomes: ${id} is wrong`,
      })),
    );
  });

  it("because of who asks, is refused as a whole", async () => {
    const client = sink({ limits: quick, key: "pw_wrong" }, () => refusal("This key is not known.", 401));
    say(client, 0, 9);
    await client.flush();
    expect(client.requests).toHaveLength(1);
    expect(client.troubles).toMatchObject([{ kind: "refused", lost: 9, status: 401 }]);
    expect(JSON.stringify([client.troubles, client.troubles.map(({ message }) => message)])).not.toContain("pw_wrong");
  });
});

describe("whoever is told", () => {
  it.each([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
  ])("and %s disturbs nothing", async (_, onError) => {
    const client = sink({ limits: quick, onError }, (_request, number) => (number === 1 ? 400 : 201));
    say(client, 0, 1);
    await client.flush();
    say(client, 1, 2);
    await client.flush();
    expect(ids(client.taken("outcomes"))).toEqual(["o1"]);
  });

  it("is the console, once a minute and kind, when it is nobody else", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const client = pennyworth({ limits: quick, fetch: async () => new Response("", { status: 403 }) });
    client.outcome("t1", { result: "success" });
    await client.flush();
    client.outcome("t1", { result: "success" });
    await client.flush();
    expect(warn.mock.calls.map(([message]) => message)).toEqual([expect.stringContaining("does not take a statement")]);
  });
});

describe("a server that sends elsewhere", () => {
  it("is not followed: the key stays", async () => {
    const seen: string[] = [];
    const elsewhere = createServer((request, response) => {
      seen.push(String(request.headers["x-pennyworth-key"]));
      response.end();
    });
    const listening = await listen(elsewhere);
    const server = createServer((_request, response) => response.writeHead(307, { location: `${listening}/api/v1/outcomes` }).end());
    const troubles: unknown[] = [];
    const client = pennyworth({ url: await listen(server), key: "pw_secret", limits: quick, onError: (trouble) => troubles.push(trouble) });
    client.outcome("t1", { result: "success" });
    await client.flush();
    const answer = await client.fetch(`${await address(server)}/v1/models`);
    expect(answer.status).toBe(307);
    expect(seen).toEqual([]);
    expect(troubles).toMatchObject([{ kind: "refused", status: 307 }]);
    server.close();
    elsewhere.close();
  });
});

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return address(server);
}

function address(server: ReturnType<typeof createServer>): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
