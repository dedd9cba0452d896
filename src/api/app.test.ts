// The control API, asked without a port: who may ask, what is refused by name, and numbers that were summed by hand.

import { describe, expect, it } from "vitest";
import type { CallEnd } from "../core/call.ts";
import { toPico } from "../core/money.ts";
import type { CallRecord } from "../ledger/store.ts";
import { createApi } from "./app.ts";
import { createMemory, makeCall, nowMs } from "./memory.fixture.ts";

const customer = { attribution: { customer: "n_00000000000000aa" } as never };
const records = [
  makeCall("c1", { ...customer, startMs: nowMs - 3_000 }),
  makeCall("c2", { startMs: nowMs - 2_000 }, { modelAnswered: "gpt-5-mini-2025-08-07" }),
  makeCall("c3", { startMs: nowMs - 1_000 }, null),
];

function setUp(list = records) {
  const context = createMemory(list);
  const app = createApi(context);
  const ask = async (path: string, token: string | null = "admin", init: RequestInit = {}) => {
    const headers = { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...init.headers };
    const response = await app.request(path, { ...init, headers });
    return { status: response.status, body: JSON.parse(await response.text()) as Record<string, unknown> };
  };
  return { context, app, ask };
}

function post(body: unknown): RequestInit {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { method: "POST", body: text, headers: { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) } };
}

/** A call that was sent, and of which nobody knows how it ended. */
function presumed(quantities: Record<string, number>, doubts: string[], rest: Partial<CallEnd>): CallRecord {
  return makeCall(
    "p",
    {},
    {
      status: "presumed",
      usage: { parts: [{ kind: "presumed", model: null, quantities }], source: "presumed", doubts, raw: null },
      ...rest,
    },
  );
}

async function notes(record: CallRecord): Promise<unknown> {
  return (await setUp([record]).ask("/api/v1/calls/p/receipt")).body["notes"];
}

describe("who may ask", () => {
  it.each([
    [null, 401, "key_missing"],
    ["nonsense", 401, "key_unknown"],
    ["user", 403, "key_role"],
  ])("with the token %s a report is refused with %i %s", async (token, status, code) => {
    const { body, ...answer } = await setUp().ask("/api/v1/report", token);
    expect(answer.status).toBe(status);
    expect(body["error"]).toMatchObject({ code });
  });

  it("every route but the document, the probes and the sign-in needs a token", async () => {
    const { ask } = setUp();
    const document = (await ask("/api/v1/openapi.json", null)).body as { paths: Record<string, Record<string, unknown>> };
    for (const [path, methods] of Object.entries(document.paths).filter(([path]) => path.startsWith("/api/")))
      for (const method of Object.keys(methods)) {
        if (path === "/api/v1/session" && method === "post") continue;
        const hasBody = method === "post" || method === "put";
        const init = { ...(hasBody ? post({ name: "x" }) : {}), method: method.toUpperCase() };
        expect([path, (await ask(path.replace(/\{\w+\}/, "x"), null, init)).status]).toEqual([path, 401]);
      }
  });

  it("a reader reads and does not administer", async () => {
    const { ask } = setUp();
    expect((await ask("/api/v1/report", "reader")).status).toBe(200);
    expect((await ask("/api/v1/keys", "reader")).status).toBe(403);
    expect((await ask("/api/v1/names/x", "reader", { method: "DELETE" })).status).toBe(403);
  });

  it("the owner's socket needs no token", async () => {
    expect((await setUp().app.request("/api/v1/keys", {}, { trusted: true })).status).toBe(200);
  });
});

describe("report", () => {
  it("hands the question on, with times in ms and names as tokens, and names the groups", async () => {
    const { context, ask } = setUp();
    const query = "by=customer&since=24h&until=2026-11-21&filter=customer%3DAcme+%26+%3Cb%3ESons%3C%2Fb%3E&filter=tag.lane!%3D&limit=7";
    const { status, body } = await ask(`/api/v1/report?${query}`);
    expect(status).toBe(200);
    expect(context.asked.report).toEqual([
      {
        by: ["customer"],
        sinceMs: nowMs - 86_400_000,
        untilMs: Date.UTC(2026, 10, 21),
        filters: [
          { field: "customer", operator: "=", value: "n_00000000000000aa" },
          { field: "tag.lane", operator: "!=", value: null },
        ],
        limit: 7,
      },
    ]);
    expect((body["rows"] as { group: unknown; cost: string }[]).map(({ group, cost }) => [group, cost])).toEqual([
      [{ customer: "Acme & <b>Sons</b>" }, "0.00045"],
      [{ customer: null }, "0.00045"],
    ]);
    expect(body["total"]).toMatchObject({ calls: 3, cost: "0.0009" });
  });

  it.each([
    ["sinse=1h", /"sinse"/],
    ["since=yesterday", /since is "yesterday"/],
    ["since=2026-02-31", /since/],
    ["by=modle", /"modle"/],
    ["by=model,model", /twice/],
    ["by=day,hour,model,task,team,key,user", /at most 6/],
    ["since=2026-11-02&until=2026-11-01", /since .* is not before until/],
    ["since=1h&until=1h", /since .* is not before until/],
    ["limit=1001", /at most 1000/],
    ["limit=0", /whole number/],
    ["limit=1e3", /whole number/],
    ["filter=model", /field=value/],
    ["filter=modle=x", /"modle"/],
    ["by=day&by=hour", /by/],
  ])("refuses ?%s with 400 and says why", async (query, message) => {
    const { status, body } = await setUp().ask(`/api/v1/report?${query}`);
    expect(status).toBe(400);
    expect(body["error"]).toEqual({ code: "query_invalid", message: expect.stringMatching(message) });
  });
});

describe("calls", () => {
  it("gives each call once, newest first, page by page", async () => {
    const { ask } = setUp();
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await ask(`/api/v1/calls?limit=2${cursor === null ? "" : `&cursor=${cursor}`}`);
      seen.push(...(body["calls"] as { id: string }[]).map((call) => call.id));
      cursor = body["cursor"] as string | null;
    } while (cursor !== null);
    expect(seen).toEqual(["c3", "c2", "c1"]);
  });

  it("refuses a filter by class, and more than a page", async () => {
    const { ask } = setUp();
    expect((await ask("/api/v1/calls?filter=class%3Dinput")).status).toBe(400);
    expect((await ask("/api/v1/calls?since=1h&until=2h")).status).toBe(400);
    expect((await ask("/api/v1/calls?limit=1001")).body["error"]).toMatchObject({ message: expect.stringContaining("1000") });
  });

  it("gives the whole record, with names for tokens and exact cost", async () => {
    const { body } = await setUp().ask("/api/v1/calls/c1");
    expect(body["start"]).toMatchObject({ attribution: { customer: "Acme & <b>Sons</b>" } });
    expect(body["end"]).toMatchObject({ cost: "0.00045", usage: { raw: expect.stringContaining("prompt_tokens") } });
  });

  it("says which call is not known", async () => {
    const { status, body } = await setUp().ask("/api/v1/calls/nope/receipt");
    expect(status).toBe(404);
    expect(body["error"]).toEqual({ code: "call_unknown", message: "No call has the id nope." });
  });
});

describe("receipt", () => {
  it("shows each line with its rate, source and price, and adds up", async () => {
    const { body } = await setUp().ask("/api/v1/calls/c1/receipt");
    expect(body).toMatchObject({ call: "c1", total: "0.00045", recomputed: true, notes: [], unpriced: [] });
    expect(body["lines"]).toMatchObject([
      {
        class: "input",
        quantity: 1000,
        rateUsd: "0.25",
        rateUnits: 1_000_000,
        cost: "0.00025",
        price: "v1",
        priceSource: "a list of 2026-11-01",
      },
      { class: "output", quantity: 100, rateUsd: "2", cost: "0.0002", source: "reported", recomputed: true },
    ]);
  });

  it("is about the newest call when asked for the last", async () => {
    const { body } = await setUp().ask("/api/v1/calls/last/receipt");
    expect(body).toMatchObject({ call: "c3", status: "open", total: "0", notes: [expect.stringContaining("under way")] });
  });

  it("says when another model answered", async () => {
    const { body } = await setUp().ask("/api/v1/calls/c2/receipt");
    expect(body["notes"]).toEqual(["gpt-5-mini-2025-08-07 answered, where gpt-5-mini was sent."]);
  });

  it("says what has no price: unknown is not zero", async () => {
    const base = makeCall("u").end!;
    const { body } = await setUp([makeCall("u", {}, { charges: base.charges.slice(0, 1), unpriced: ["output"] })]).ask(
      "/api/v1/calls/u/receipt",
    );
    expect(body).toMatchObject({ total: "0.00025", unpriced: [{ class: "output", quantity: 100 }] });
    expect(body["notes"]).toEqual(["100 tokens of the class output have no price: their cost is unknown, and is not in the total."]);
  });
});

describe("the receipt of a call of which nobody knows how it ended", () => {
  const base = makeCall("p").end!;
  const input = { ...base.charges[0]!, source: "presumed" as const };

  it("says that it is charged at its bound, where there is one", async () => {
    expect(await notes(presumed({ input: 1_000 }, [], { charges: [input] }))).toEqual([expect.stringMatching(/at the most/)]);
  });

  it("says what is known where there is no bound, and does not blame the provider", async () => {
    const record = presumed({ input: 1_000 }, ["no bound: no cap on output tokens"], { charges: [input], unpriced: ["output"] });
    expect(await notes(record)).toEqual([
      "The call was sent, nobody knows how it ended, and no bound is known because no cap was asked. Its input is charged at the most it may have cost, $0.00025. What its output cost is unknown, and is not in the total.",
    ]);
  });

  it("claims no charge where not even the input has a price", async () => {
    const record = presumed({ input: 1_000 }, ["no bound: no cap on output tokens"], { charges: [], unpriced: ["input", "output"] });
    expect(await notes(record)).toEqual([
      "The call was sent, nobody knows how it ended, and no bound is known because no cap was asked. What its input and output cost is unknown, and is not in the total.",
      "1000 tokens of the class input have no price: their cost is unknown, and is not in the total.",
    ]);
  });
});

describe("the probes", () => {
  it("need no token; the process is up, and ready", async () => {
    const { ask } = setUp();
    expect(await ask("/healthz", null)).toEqual({ status: 200, body: { status: "ok" } });
    expect(await ask("/readyz", null)).toEqual({ status: 200, body: { status: "ready", reason: null } });
  });

  it("say when the journal cannot be written, and stay alive; a store that fails or is silent keeps no call away", async () => {
    const full = createApi({ ...createMemory([]), unwritable: () => "ENOSPC" });
    const response = await full.request("/readyz");
    expect([response.status, await response.json()]).toEqual([
      503,
      { status: "unready", reason: "the journal cannot be written (ENOSPC)" },
    ]);
    expect((await full.request("/healthz")).status).toBe(200);
    for (const status of [() => Promise.reject(new Error("x")), () => new Promise<never>(() => {})])
      expect((await createApi({ ...createMemory([]), status }).request("/readyz")).status).toBe(200);
  });
});

describe("check", () => {
  const base = makeCall("x").end!;
  const [input, output] = base.charges;

  it("passes what holds, step by step", async () => {
    const { ask } = setUp();
    const first = (await ask("/api/v1/check?limit=2")).body;
    expect(first).toEqual({ checked: 2, charges: 4, cost: "0.0009", problems: [], after: "c2" });
    expect((await ask("/api/v1/check?limit=2&after=c2")).body).toEqual({ checked: 1, charges: 0, cost: "0", problems: [], after: null });
  });

  it.each([
    [
      "a cost off by a picodollar",
      [input!, { ...output!, costPico: toPico(output!.costPico + 1n) }],
      /output: 100 × 2000000\/1 is not 200000001/,
    ],
    ["a class neither charged nor unpriced", [input!], /output: 100 used, neither/],
    [
      "another quantity than was used",
      [input!, { ...output!, quantity: 99, costPico: toPico(198_000_000n) }],
      /output: 100 used, 99 charged/,
    ],
    ["a class charged twice", [input!, input!, output!], /input: charged twice/],
  ])("finds %s", async (_name, charges, problem) => {
    const { body } = await setUp([makeCall("x", {}, { charges })]).ask("/api/v1/check");
    expect(body["problems"]).toEqual([{ call: "x", problem: expect.stringMatching(problem) }]);
  });
});

describe("keys and names", () => {
  it("creates, lists and revokes, and never shows a hash or a secret again", async () => {
    const { ask } = setUp();
    const made = await ask("/api/v1/keys", "admin", post({ name: "ci", team: "core" }));
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ key: { id: "key_1", role: "use", team: "core" }, secret: "pw_secret" });
    expect((await ask("/api/v1/keys", "admin", post({ name: "ci" }))).status).toBe(409);
    expect((await ask("/api/v1/keys/ci", "admin", { method: "DELETE" })).body).toMatchObject({ id: "key_1", revokedMs: nowMs });
    expect((await ask("/api/v1/keys/nobody", "admin", { method: "DELETE" })).status).toBe(404);
    expect((await ask("/api/v1/keys/ci", "admin", { method: "DELETE" })).body).toMatchObject({ id: "key_1", revokedMs: nowMs });
    const listed = JSON.stringify((await ask("/api/v1/keys")).body);
    expect(listed).not.toMatch(/pw_secret|0123abcd|hash/);
  });

  it.each([
    ["without a name", { name: " " }, /: name: a name has at least one character\.$/],
    ["with an unknown role", { name: "x", role: "god" }, /role/],
    ["with an unknown property", { name: "x", extra: 1 }, /"extra"/],
    ["that is not JSON", "{", /JSON/],
    ["that is too large", "x".repeat(70_000), /65536/],
  ])("refuses a body %s", async (_name, body, message) => {
    const answer = await setUp().ask("/api/v1/keys", "admin", post(body));
    expect(answer.status).toBe(400);
    expect(answer.body["error"]).toEqual({ code: "request_malformed", message: expect.stringMatching(message) });
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense", ""])(
    "refuses a body of the content type %j as a mistake of the client's",
    async (type) => {
      const { context, ask } = setUp();
      const wanted = post({ name: "ci" });
      const { status, body } = await ask("/api/v1/keys", "admin", { ...wanted, headers: { ...wanted.headers, "content-type": type } });
      expect(status).toBe(400);
      expect(body["error"]).toMatchObject({ code: "request_malformed" });
      expect(context.errors).toEqual([]);
    },
  );

  it("refuses a body that does not state its length", async () => {
    const { body } = await setUp().ask("/api/v1/keys", "admin", {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json" },
    });
    expect(body["error"]).toMatchObject({ message: expect.stringContaining("content-length") });
  });

  it("forgets a name with any characters in it", async () => {
    const { context, ask } = setUp();
    await ask(`/api/v1/names/${encodeURIComponent("Ann / O'Neil & Söhne")}`, "admin", { method: "DELETE" });
    expect(context.forgotten).toEqual(["Ann / O'Neil & Söhne"]);
  });
});

describe("prices, status and what goes wrong", () => {
  it("gives the rates in force exactly", async () => {
    const { ask } = setUp();
    expect((await ask("/api/v1/prices?provider=openai&model=gpt-5-mini")).body).toMatchObject({
      rule: "equals gpt-5-mini",
      atMs: nowMs,
      lines: [{ class: "input", ratePico: "250000", ratePer: "1", rateUsd: "0.25", rateUnits: 1_000_000 }],
    });
    expect((await ask("/api/v1/prices?provider=openai&model=other")).status).toBe(404);
    expect((await ask("/api/v1/prices?provider=openai")).body["error"]).toMatchObject({ message: expect.stringContaining("model") });
  });

  it("tells the state", async () => {
    expect((await setUp().ask("/api/v1/status")).body).toMatchObject({ version: "0.1.0", nowMs, openCalls: 1, store: { lagBytes: 4096 } });
  });

  it("answers a fault with a reference, and keeps the rest to the log", async () => {
    const { context } = setUp();
    const broken = createApi({ ...context, status: () => Promise.reject(new Error("secret path /x")) });
    const response = await broken.request("/api/v1/status", {}, { trusted: true });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toMatch(/secret|at /);
    expect(context.errors).toHaveLength(1);
  });

  it("tells an unknown path from a wrong method", async () => {
    const { ask } = setUp();
    for (const path of ["/api/v1/nothing", "/nothing"])
      expect(await ask(path)).toMatchObject({ status: 404, body: { error: { code: "route_unknown" } } });
    expect((await ask("/api/v1/calls/c1", "admin", { method: "PUT" })).body["error"]).toMatchObject({ code: "method_not_allowed" });
  });
});

describe("the OpenAPI document", () => {
  it("says of what needs no token that it needs none", async () => {
    const paths = (await setUp().ask("/api/v1/openapi.json", null)).body["paths"] as Record<string, Record<string, { security?: unknown }>>;
    const open = Object.entries(paths).filter(([, methods]) => Object.values(methods).some(({ security }) => security === undefined));
    expect(open.map(([path]) => path)).toEqual(["/api/v1/outcomes/hooks/{name}", "/api/v1/session", "/healthz", "/readyz"]);
  });

  it("describes every route, with resolvable references, and is 3.1", async () => {
    const { app, ask } = setUp();
    const { body } = await ask("/api/v1/openapi.json", null);
    expect(body["openapi"]).toBe("3.1.0");
    const paths = body["paths"] as Record<string, Record<string, { responses: Record<string, unknown>; operationId?: string }>>;
    const served = app.routes
      .filter((route) => route.method !== "ALL" && !route.path.endsWith("openapi.json"))
      .map((route) => `${route.method.toLowerCase()} ${route.path.replace(/:(\w+)/g, "{$1}")}`);
    const described = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
    expect(described.sort()).toEqual([...new Set(served)].sort());
    const text = JSON.stringify(body);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect((body["components"] as { schemas: Record<string, unknown> }).schemas).toHaveProperty(name!);
    for (const [, methods] of Object.entries(paths).filter(([path]) => path.startsWith("/api/")))
      for (const operation of Object.values(methods))
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(["400", "401", "403"]));
  });
});
