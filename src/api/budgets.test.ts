// Budgets at the control API: defined in words, shown with what stands under them, granted more once, stopped and let go on; roles; names.

import { beforeEach, describe, expect, it } from "vitest";
import { unattributed } from "../core/call.ts";
import { createApi } from "./app.ts";
import { createMemory, type MemoryContext, nowMs } from "./memory.fixture.ts";

let context: MemoryContext;
let api: ReturnType<typeof createApi>;
beforeEach(() => {
  context = createMemory([]);
  api = createApi(context);
});

async function ask(method: string, path: string, body?: unknown, token = "admin"): Promise<{ status: number; body: never }> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "content-length": String(text?.length ?? 0) };
  const answer = await api.request(`/api/v1${path}`, { method, headers, ...(text === undefined ? {} : { body: text }) });
  return { status: answer.status, body: (await answer.json()) as never };
}

/** Acme's token in the fixture. */
const acme = "n_00000000000000aa";
const dollar = 1_000_000_000_000n;
const wanted = { kind: "budget", owner: "ada", for: { team: "search" }, limit: "$500 per month" };

describe("a budget", () => {
  it("is defined in the words of the settings, and what is answered can be sent back", async () => {
    const said = { ...wanted, each: ["customer"], carry: "$100", zone: "Europe/Berlin", degrade: [{ at: "80%", model: "gpt-5-mini" }] };
    const { status, body } = await ask("PUT", "/budgets/team-search", said);
    expect([status, body]).toMatchObject([
      200,
      { budget: { id: "team-search", origin: "api", setMs: nowMs, measure: "money", limit: "500" } },
    ]);
    const { terms } = (body as { budget: { terms: object } }).budget;
    expect(terms).toEqual({
      ...said,
      mode: "hard",
      unbounded: "refuse",
      caps: "inject",
      alerts: ["80%", "100%"],
    });
    const again = await ask("PUT", "/budgets/team-search", terms);
    expect(again).toEqual({ status, body });
  });

  it("shows what is spent, held, presumed and left, of its window", async () => {
    await ask("PUT", "/budgets/a", wanted);
    const scope = { team: "search" };
    context.guard.call("c1", scope, 100n * dollar, "settled");
    context.guard.call("c2", scope, 20n * dollar + 1n, "open");
    context.guard.call("c3", scope, 5n * dollar, "presumed");
    const { body } = await ask("GET", "/budgets", undefined, "reader");
    expect(body).toEqual({
      nowMs,
      truncated: false,
      budgets: [
        expect.objectContaining({
          total: 1,
          standings: [
            {
              values: [],
              fromMs: Date.UTC(2026, 10, 1),
              toMs: Date.UTC(2026, 11, 1),
              allowance: "500",
              granted: "0",
              carried: "0",
              spent: "100",
              held: "20.000000000001",
              presumed: "5",
              left: "374.999999999999",
              usedPercent: 25,
            },
          ],
        }),
      ],
    });
  });

  it("with a standing for each customer shows names, the fullest first", async () => {
    await ask("PUT", "/budgets/each", { ...wanted, for: {}, each: ["customer"], limit: "10 calls per day" });
    for (const id of ["a", "b"]) context.guard.call(id, { customer: acme }, 1n, "settled");
    context.guard.call("c", { customer: "n_0000000000000bbb" }, 1n, "settled");
    context.guard.call("d", { team: "search" }, 1n, "settled");
    const { body } = await ask("GET", "/budgets/each?standings=1");
    expect(body).toMatchObject({
      budget: { total: 2, standings: [{ values: ["Acme & <b>Sons</b>"], spent: "2", left: "8", usedPercent: 20 }] },
    });
    const all = await ask("GET", "/budgets/each");
    expect(all.body).toMatchObject({ budget: { standings: [{ spent: "2" }, { values: ["n_0000000000000bbb"], spent: "1" }] } });
  });

  it("is for customers and keys by name, and on record by token and id", async () => {
    await ask("POST", "/keys", { name: "ci", role: "use", team: null });
    const { body } = await ask("PUT", "/budgets/a", { ...wanted, for: { customer: "Acme & <b>Sons</b>", key: "ci" } });
    expect(context.guard.book.budget("a")?.scope).toEqual({ customer: acme, key: "key_1" });
    expect(body).toMatchObject({ budget: { terms: { for: { customer: "Acme & <b>Sons</b>", key: "ci" } } } });
  });

  it.each([
    [{ ...wanted, limit: "$500 per mnth" }, 400, "budget_invalid", /limit: per "mnth" is not understood \(near it: month/],
    [{ ...wanted, for: { tema: "x" } }, 400, "budget_invalid", /for: no field is called "tema" \(near it: team\)/],
    [{ ...wanted, for: { provider: "opnai" } }, 400, "budget_invalid", /no provider is called "opnai" \(near it: openai\)/],
    [{ ...wanted, owner: "" }, 400, "request_malformed", /owner/],
    [{ ...wanted, kind: "rate", carry: "all" }, 400, "request_malformed", /unknown "carry"/],
    [{ ...wanted, kind: "rate", limit: "5 at once", shares: { agent: { a: 1 } } }, 400, "budget_invalid", /set guard\.waitMsMax above 0/],
    [{ ...wanted, limit: 500 }, 400, "request_malformed", /limit: expected text/],
    [{ ...wanted, kind: "quota" }, 400, "request_malformed", /kind: expected budget or rate\.$/],
    [{ owner: "ada", limit: "$5" }, 400, "request_malformed", /kind is missing: budget or rate\.$/],
    [
      { limt: "$5", carry: 3 },
      400,
      "request_malformed",
      /kind is missing.*; owner: .*; limit: .*; carry: expected text.*; unknown "limt"\.$/,
    ],
    [{ owner: "ada", limit: "5 at once", priority: 20 }, 400, "request_malformed", /kind is missing: budget or rate; priority: [^;]*\.$/],
    [[wanted], 400, "request_malformed", /./],
  ])("that is not valid is refused: %j", async (body, status, code, message) => {
    expect(await ask("PUT", "/budgets/a", body)).toEqual({ status, body: { error: { code, message: expect.stringMatching(message) } } });
    expect(context.guard.book.budget("a")).toBeNull();
  });

  it("of another name than is allowed, or too large a body, is refused", async () => {
    expect((await ask("PUT", "/budgets/A%20b", wanted)).body).toMatchObject({ error: { code: "query_invalid" } });
    const large = await ask("PUT", "/budgets/a", { ...wanted, owner: "x".repeat(70_000) });
    expect(large.body).toMatchObject({ error: { message: expect.stringContaining("larger than") } });
  });

  it("is taken away, and answers as it stood", async () => {
    await ask("PUT", "/budgets/a", wanted);
    expect(await ask("DELETE", "/budgets/a")).toMatchObject({ status: 200, body: { budget: { id: "a" } } });
    expect(await ask("DELETE", "/budgets/a")).toMatchObject({ status: 404, body: { error: { code: "budget_unknown" } } });
  });

  it("that is not there is answered with those near it", async () => {
    await ask("PUT", "/budgets/team-search", wanted);
    const { status, body } = await ask("GET", "/budgets/team-serch");
    expect([status, body]).toMatchObject([
      404,
      { error: { code: "budget_unknown", message: expect.stringContaining("Near it: team-search.") } },
    ]);
  });

  it("of the settings is not changed here", async () => {
    await ask("PUT", "/budgets/a", wanted);
    context.guard.fixed.add("a");
    for (const answer of [await ask("PUT", "/budgets/a", wanted), await ask("DELETE", "/budgets/a")])
      expect(answer).toMatchObject({
        status: 409,
        body: { error: { code: "budget_fixed", message: expect.stringContaining("change it there") } },
      });
  });
});

describe("a grant", () => {
  it("counts once, and may take back", async () => {
    await ask("PUT", "/budgets/a", wanted);
    const grant = { id: "g1", amount: "$50", note: "for the launch" };
    const first = await ask("POST", "/budgets/a/grants", grant);
    expect(first).toMatchObject({ status: 201, body: { outcome: "granted", grant: { amount: "50", values: [], note: "for the launch" } } });
    expect(first.body).toMatchObject({ budget: { standings: [{ allowance: "550", granted: "50" }] } });
    expect(await ask("POST", "/budgets/a/grants", grant)).toMatchObject({
      status: 200,
      body: { outcome: "known", budget: { standings: [{ allowance: "550" }] } },
    });
    await ask("POST", "/budgets/a/grants", { id: "g2", amount: "-550" });
    expect((await ask("GET", "/budgets/a")).body).toMatchObject({ budget: { standings: [{ allowance: "0", usedPercent: null }] } });
  });

  it("of a budget with each goes to one of them, by name", async () => {
    await ask("PUT", "/budgets/each", { ...wanted, for: {}, each: ["customer", "agent"], limit: "10 calls per day" });
    const to = { id: "g", amount: "5", for: { agent: "planner", customer: "Acme & <b>Sons</b>" } };
    expect(await ask("POST", "/budgets/each/grants", to)).toMatchObject({
      status: 201,
      body: { grant: { values: ["Acme & <b>Sons</b>", "planner"], amount: "5" }, budget: { standings: [{ allowance: "15" }] } },
    });
    expect(context.guard.book.accounts("each", nowMs)[0]?.values).toEqual([acme, "planner"]);
  });

  it.each([
    [
      "a",
      { id: "g", amount: "5", for: { customer: "x" } },
      "budget_values",
      /it has one allowance, for nobody in particular; customer is none of it/,
    ],
    ["each", { id: "g", amount: "5" }, "budget_values", /it has one for each customer, and no customer is named/],
    ["each", { id: "g", amount: "5", for: { custmer: "x" } }, "budget_values", /custmer is none of it/],
    ["a", { id: "g", amount: "five" }, "budget_invalid", /does not begin with an amount/],
    ["a", { id: "g", amount: "5 calls" }, "budget_invalid", /is in calls, and this is in dollars/],
    ["a", { amount: "5" }, "request_malformed", /id/],
    ["b", { id: "g", amount: "5" }, "budget_unknown", /No budget has the id b/],
  ])("that is not clear is refused: %s %j", async (id, grant, code, message) => {
    await ask("PUT", "/budgets/a", wanted);
    await ask("PUT", "/budgets/each", { ...wanted, for: {}, each: ["customer"] });
    expect((await ask("POST", `/budgets/${id}/grants`, grant)).body).toEqual({ error: { code, message: expect.stringMatching(message) } });
    expect((await ask("GET", "/budgets/a")).body).toMatchObject({ budget: { standings: [{ granted: "0" }] } });
  });
});

describe("names of what is asked for", () => {
  let learned: string[];
  beforeEach(() => {
    learned = [];
    const { token } = context.names;
    context.names.token = (name) => {
      learned.push(name);
      return token(name);
    };
  });

  it("are in the map once a budget, a grant or a halt is on record", async () => {
    await ask("PUT", "/budgets/a", { ...wanted, for: { customer: "Acme" } });
    expect(learned).toEqual(["Acme"]);
    await ask("PUT", "/budgets/each", { ...wanted, for: {}, each: ["customer"] });
    expect((await ask("POST", "/budgets/each/grants", { id: "g", amount: "5", for: { customer: "Beta" } })).status).toBe(201);
    expect((await ask("POST", "/halts", { for: { user: "ada" } })).status).toBe(201);
    expect(learned).toEqual(["Acme", "Beta", "ada"]);
  });

  it("are not where it is refused, or was granted before", async () => {
    const nosy = { customer: "Nosy" };
    await ask("PUT", "/budgets/each", { ...wanted, for: {}, each: ["customer"] });
    await ask("POST", "/budgets/each/grants", { id: "g", amount: "5", for: { customer: acme } });
    await ask("PUT", "/budgets/fixed", wanted);
    context.guard.fixed.add("fixed");
    const answers = [
      await ask("PUT", "/budgets/a", { ...wanted, for: nosy, limit: "much" }),
      await ask("PUT", "/budgets/a", { ...wanted, for: { ...nosy, provider: "opnai" } }),
      await ask("PUT", "/budgets/fixed", { ...wanted, for: nosy }),
      await ask("POST", "/budgets/each/grants", { id: "g2", amount: "much", for: nosy }),
      await ask("POST", "/budgets/each/grants", { id: "g", amount: "5", for: nosy }),
      await ask("POST", "/halts", { for: { ...nosy, provider: "opnai" } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 409, 400, 200, 400]);
    expect(learned).toEqual([]);
  });
});

describe("what was refused", () => {
  beforeEach(async () => {
    await ask("PUT", "/budgets/each", { ...wanted, for: {}, each: ["customer"] });
    const attribution = { ...unattributed, customer: acme };
    const one = {
      request: "r",
      atMs: nowMs - 60_000,
      code: "budget_exhausted",
      stopped: null,
      key: null,
      provider: "openai",
      model: "m",
      attribution,
    } as const;
    const against = {
      budget: "each",
      values: [acme],
      measure: "money" as const,
      left: dollar / 2n,
      limit: 500n * dollar,
      needed: dollar,
      resetsMs: nowMs + 1,
    };
    context.guard.refusals.push({ ...one, id: "x1", detail: `${acme} has used it up`, against: [against] });
    context.guard.refusals.push({ ...one, id: "x2", detail: "gone", atMs: nowMs, against: [{ ...against, budget: "gone", needed: null }] });
  });

  it("is listed, the newest first, with names and amounts", async () => {
    const { body } = await ask("GET", "/refusals", undefined, "reader");
    const { refusals } = body as { refusals: { id: string }[] };
    expect(refusals.map(({ id }) => id)).toEqual(["x2", "x1"]);
    expect(refusals[1]).toMatchObject({
      detail: "Acme & <b>Sons</b> has used it up",
      attribution: { customer: "Acme & <b>Sons</b>" },
      against: [{ values: ["Acme & <b>Sons</b>"], measure: "money", left: "0.5", limit: "500", needed: "1" }],
    });
    // Of a budget that is gone nobody can say in what it counted.
    expect(refusals[0]).toMatchObject({ against: [{ budget: "gone", measure: null, left: null, limit: null, needed: null }] });
  });

  it("can be asked for by time and budget", async () => {
    expect((await ask("GET", "/refusals?since=30s")).body).toMatchObject({ refusals: [{ id: "x2" }] });
    expect((await ask("GET", "/refusals?budget=each")).body).toMatchObject({ refusals: [{ id: "x1" }] });
    expect((await ask("GET", "/refusals?limit=1")).body).toMatchObject({ refusals: [{ id: "x2" }] });
    expect((await ask("GET", "/refusals?sinse=1h")).body).toMatchObject({ error: { code: "query_invalid" } });
  });

  it("says why of a call, whether it was let in or not", async () => {
    context.guard.call("c1", { customer: acme }, dollar, "open");
    expect((await ask("GET", "/guard/why/x1")).body).toMatchObject({ kind: "refused", refused: { id: "x1" } });
    expect((await ask("GET", "/guard/why/c1")).body).toEqual({
      kind: "open",
      call: "c1",
      atMs: nowMs,
      bound: "1",
      taken: null,
      budgets: [{ budget: "each", values: ["Acme & <b>Sons</b>"] }],
      uncovered: [],
      warned: [],
    });
    expect(await ask("GET", "/guard/why/c9")).toMatchObject({ status: 404, body: { error: { code: "why_unknown" } } });
  });
});

describe("presumed calls", () => {
  it("are listed, and settled at what somebody says they cost", async () => {
    await ask("PUT", "/budgets/a", wanted);
    context.guard.call("c1", { team: "search" }, 3n * dollar, "presumed");
    expect((await ask("GET", "/presumed")).body).toEqual({ nowMs, calls: [{ call: "c1", atMs: nowMs, bound: "3" }] });
    expect(await ask("POST", "/presumed", { call: "c1", cost: "0.25" })).toEqual({ status: 200, body: { call: "c1", cost: "0.25" } });
    expect((await ask("GET", "/budgets/a")).body).toMatchObject({ budget: { standings: [{ spent: "0.25", presumed: "0" }] } });
    expect(await ask("POST", "/presumed", { call: "c1", cost: "0.25" })).toMatchObject({
      status: 404,
      body: { error: { code: "presumed_unknown" } },
    });
    for (const cost of ["-1", "free", "0.0000000000001"])
      expect((await ask("POST", "/presumed", { call: "c1", cost })).body).toMatchObject({ error: { code: "request_malformed" } });
  });
});

describe("the switch", () => {
  it("stops everything below a node, and lets it go on", async () => {
    const { status, body } = await ask("POST", "/halts", { for: { customer: "Acme & <b>Sons</b>" }, note: "runs away" });
    expect([status, body]).toEqual([
      201,
      { id: "halt_1", for: { customer: "Acme & <b>Sons</b>" }, atMs: nowMs, by: "admin", note: "runs away" },
    ]);
    expect(context.guard.halts()[0]?.scope).toEqual({ customer: acme });
    expect((await ask("GET", "/halts", undefined, "reader")).body).toMatchObject({ halts: [{ id: "halt_1" }] });
    expect((await ask("GET", "/guard", undefined, "reader")).body).toMatchObject({ halts: [{ id: "halt_1" }], waiting: 0, trees: [] });
    expect(await ask("DELETE", "/halts/halt_1")).toEqual({ status: 200, body: { id: "halt_1", resumed: true } });
    expect(await ask("DELETE", "/halts/halt_1")).toMatchObject({ status: 404, body: { error: { code: "halt_unknown" } } });
  });

  it("is not thrown by a slip", async () => {
    expect((await ask("POST", "/halts", {})).body).toMatchObject({ error: { code: "request_malformed" } });
    expect((await ask("POST", "/halts", { for: { tema: "x" } })).body).toMatchObject({ error: { code: "budget_invalid" } });
    expect((await ask("POST", "/halts", { for: {} })).status).toBe(201);
  });

  it("lets a stopped tree go on", async () => {
    const tree = { root: "crawl/7", startedMs: 0, lastMs: 1, tasks: 3, calls: 9, idlePico: dollar, reason: "a loop" };
    context.guard.stopped.push({ ...tree, state: "stopped" });
    expect((await ask("GET", "/guard")).body).toMatchObject({
      trees: [{ root: "crawl/7", idle: "1", state: "stopped", reason: "a loop" }],
    });
    expect(await ask("POST", "/trees/crawl%2F7/resume")).toEqual({ status: 200, body: { id: "crawl/7", resumed: true } });
    expect(await ask("POST", "/trees/crawl%2F7/resume")).toMatchObject({ status: 404, body: { error: { code: "tree_unknown" } } });
  });
});

it("only an administrator changes anything", async () => {
  const changes = [
    ["PUT", "/budgets/a", wanted],
    ["DELETE", "/budgets/a"],
    ["POST", "/budgets/a/grants", { id: "g", amount: "5" }],
    ["POST", "/halts", { for: {} }],
    ["DELETE", "/halts/halt_1"],
    ["POST", "/presumed", { call: "c", cost: "1" }],
    ["POST", "/trees/t/resume"],
  ] as const;
  for (const [method, path, body] of changes)
    expect([path, (await ask(method, path, body, "reader")).body]).toMatchObject([path, { error: { code: "key_role" } }]);
  for (const path of ["/budgets", "/budgets/a", "/refusals", "/guard", "/guard/why/c", "/halts", "/presumed"])
    expect([path, (await ask("GET", path, undefined, "user")).body]).toMatchObject([path, { error: { code: "key_role" } }]);
});

it("the guard's tally tells what the guard itself cost", async () => {
  Object.assign(context.guard.counted, { admitted: 7, cut: 2, cutPico: dollar / 4n, shortened: 1, shortenedPico: 1n });
  expect((await ask("GET", "/guard")).body).toMatchObject({
    tally: { admitted: 7, cut: 2, cutCost: "0.25", shortened: 1, shortenedCost: "0.000000000001", breaches: 0 },
  });
});
