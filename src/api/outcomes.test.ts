// What is said of tasks by HTTP: who may, what goes on record, what is refused and why, repeats, tables, webhooks, and what the guard is told.

import { createHmac } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { PennyworthError } from "../error.ts";
import { createApi } from "./app.ts";
import { createMemory, nowMs } from "./memory.fixture.ts";

type Body = Record<string, never> & { error?: { code: string; message: string } };

const dollar = 1_000_000_000_000n;
const acme = "n_00000000000000aa";

function setUp() {
  const context = createMemory([]);
  const app = createApi(context);
  const ask = async (path: string, body?: unknown, headers: Record<string, string> = { authorization: "Bearer user" }) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const init =
      body === undefined
        ? { headers }
        : {
            method: "POST",
            body: text,
            headers: { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)), ...headers },
          };
    const response = await app.request(`/api/v1${path}`, init);
    return { status: response.status, body: JSON.parse(await response.text()) as Body };
  };
  const said = () => context.recorded.flatMap((entry) => (entry.kind === "outcome" ? [entry.outcome] : []));
  const begun = () => context.recorded.flatMap((entry) => (entry.kind === "task.begun" ? [entry.task] : []));
  return { context, app, ask, said, begun };
}

function csv(text: string): [string, Record<string, string>] {
  return [text, { authorization: "Bearer user", "content-type": "text/csv; charset=utf-8" }];
}

/** One for each name. */
const tokenOf = (name: string): string => `n_${Buffer.from(name).toString("hex").padEnd(16, "0").slice(0, 16)}`;

describe("a task that begins", () => {
  it("is on record with what was said of it, names as tokens, for the team of its key", async () => {
    const { ask, begun } = setUp();
    const words = {
      type: " resolve-ticket",
      customer: "Acme & <b>Sons</b>",
      user: acme,
      feature: "",
      agent: "support",
      prompt: "v3",
      root: "r",
    };
    const { status, body } = await ask("/tasks", {
      id: "t1",
      ...words,
      parent: "p",
      environment: "prod",
      project: "x",
      tags: { lane: "fast" },
      reworkOf: "t0",
      began: nowMs - 5_000,
    });
    expect([status, body]).toEqual([201, { id: "t1" }]);
    expect(begun()).toMatchObject([
      {
        attribution: {
          task: "t1",
          parent: "p",
          root: "r",
          type: "resolve-ticket",
          customer: acme,
          user: acme,
          feature: null,
          agent: "support",
          team: "search",
          step: null,
          prompt: "v3",
          environment: "prod",
          project: "x",
          tags: { lane: "fast" },
        },
        beganMs: nowMs - 5_000,
        reworkOf: "t0",
        key: "key_user",
      },
    ]);
  });

  it("gets an id where it has none, begins now, and may say another team", async () => {
    const { ask, begun } = setUp();
    const { body } = await ask("/tasks", { team: "ops" });
    expect(body).toEqual({ id: expect.stringMatching(/^task_[0-9a-f-]{36}$/) });
    expect(begun()).toMatchObject([{ beganMs: nowMs, reworkOf: null, attribution: { team: "ops", customer: null, tags: {} } }]);
  });

  it("begins once: in the same words it is known, in others it is refused", async () => {
    const { ask, begun } = setUp();
    expect((await ask("/tasks", { id: "t1", type: "a", agent: "b" })).status).toBe(201);
    expect(await ask("/tasks", { agent: "b", id: "t1", type: "a" })).toEqual({ status: 200, body: { id: "t1" } });
    const { status, body } = await ask("/tasks", { id: "t1", type: "c" });
    expect([status, body.error?.code]).toEqual([409, "task_taken"]);
    expect(begun()).toHaveLength(1);
  });

  it.each([
    [{ id: "" }, /id: is empty/],
    [{ id: "x".repeat(1_025) }, /id: longer than 1024 characters/],
    [{ id: "a\u0007b" }, /id: has a control character/],
    [{ id: 7 }, /id:/],
    [{ cusomer: "x" }, /unknown "cusomer"/],
    [{ customer: "x".repeat(1_025) }, /customer: longer than 1024/],
    [{ id: "t", reworkOf: "t" }, /reworkOf: a task cannot make itself good/],
    [{ id: "t", parent: "t" }, /parent: it is the task itself/],
    [{ tags: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`t${index}`, "x"])) }, /tags: more than 64 tags/],
    [{ began: nowMs + 86_400_001 }, /began: \d+ is more than a day ahead: 2026-11-22T12:00:00.001Z/],
    [{ began: 1_763_000_000 }, /began: 1763000000 is before the year 2000: are these seconds/],
    [{ began: "yesterday" }, /began: "yesterday" is no time: expected 2026-11-21/],
    [{ began: 1e300 }, /began: 1e\+300 is more than a day ahead: past all dates/],
    ["{", /it is not JSON/],
    ["[]", /./],
  ])("is refused as %j, and why is said", async (wanted, message) => {
    const { ask, begun } = setUp();
    const { status, body } = await ask("/tasks", wanted);
    expect([status, body.error]).toEqual([400, { code: "request_malformed", message: expect.stringMatching(message) }]);
    expect(begun()).toEqual([]);
  });
});

describe("who may say so", () => {
  const paths = ["/tasks", "/tasks/t/outcomes", "/outcomes"] as const;
  const bodies = {
    "/tasks": {},
    "/tasks/t/outcomes": { result: "success" },
    "/outcomes": { outcomes: [{ task: "t", result: "success" }] },
  };

  it.each(paths)("%s: whoever may make calls, and who administers; nobody who only reads", async (path) => {
    const { ask } = setUp();
    const by = async (headers: Record<string, string>) => (await ask(path, bodies[path], headers)).status;
    expect(await by({ authorization: "Bearer user" })).toBe(201);
    expect(await by({ "x-pennyworth-key": "user" })).toBe(path === "/tasks" ? 201 : 201);
    expect(await by({ authorization: "Bearer admin" })).toBe(201);
    expect(await by({ authorization: "Bearer reader" })).toBe(403);
    expect(await by({ authorization: "Bearer nonsense" })).toBe(401);
    expect(await by({})).toBe(401);
  });

  it("nobody with a key of that role reads or changes anything else", async () => {
    const { ask } = setUp();
    for (const path of ["/tasks/t/outcomes", "/success", "/report", "/tasks"])
      expect([path, (await ask(path)).status]).toEqual([path, 403]);
    expect((await ask("/keys", { name: "x" })).status).toBe(403);
  });

  it("a page that somebody signed in to, where that somebody administers; and no page elsewhere", async () => {
    const { app, begun } = setUp();
    const own = { origin: "http://localhost", host: "localhost", "x-pennyworth-request": "1" };
    const post = async (path: string, body: string, headers: Record<string, string>) => {
      const length = { "content-type": "application/json", "content-length": String(body.length) };
      return app.request(`/api/v1${path}`, { method: "POST", body, headers: { ...length, ...headers } });
    };
    const signIn = async (token: string) => {
      const cookie = (await post("/session", JSON.stringify({ token }), own)).headers.get("set-cookie")?.split(";")[0] ?? "";
      return { cookie };
    };
    const [administers, reads] = [await signIn("admin"), await signIn("reader")];
    expect((await post("/tasks", "{}", { ...own, ...administers })).status).toBe(201);
    expect((await post("/tasks", "{}", { ...own, ...reads })).status).toBe(403);
    expect((await post("/tasks", "{}", administers)).status).toBe(403);
    expect((await post("/tasks", "{}", { ...own, ...administers, origin: "http://localhost:81" })).status).toBe(403);
    expect((await post("/tasks", "{}", { ...own, cookie: "pennyworth_session=gone" })).status).toBe(401);
    expect(begun()).toHaveLength(1);
  });

  it("the owner's socket needs no key", async () => {
    const { app, begun } = setUp();
    const init = { method: "POST", body: "{}", headers: { "content-type": "application/json", "content-length": "2" } };
    expect((await app.request("/api/v1/tasks", init, { trusted: true })).status).toBe(201);
    expect(begun()).toMatchObject([{ key: null, attribution: { team: null } }]);
  });
});

describe("an outcome", () => {
  it("is on record whole, and the guard hears of it", async () => {
    const { ask, said, context } = setUp();
    const words = {
      result: "success",
      value: "12.50",
      reviewMinutes: 2.5,
      judge: "person",
      source: "Acme & <b>Sons</b>",
      reason: "accepted",
      at: "2026-11-21T11:00Z",
      id: "o1",
    };
    expect(await ask("/tasks/t%2F1/outcomes", words)).toEqual({ status: 201, body: { id: "o1" } });
    expect(said()).toEqual([
      {
        id: "o1",
        task: "t/1",
        atMs: nowMs - 3_600_000,
        result: "success",
        judge: "person",
        source: acme,
        valuePico: (25n * dollar) / 2n,
        reviewMillis: 150_000,
        reason: "accepted",
        key: "key_user",
      },
    ]);
    expect(context.guard.progressed).toEqual(["t/1"]);
  });

  it("says as little as it likes, but something", async () => {
    const { ask, said } = setUp();
    await ask("/tasks/t/outcomes", { value: 0.1 });
    await ask("/tasks/t/outcomes", { result: "unknown", source: "Acme & <b>Sons</b>" });
    expect(said()).toMatchObject([
      { atMs: nowMs, result: null, judge: "self", source: null, valuePico: dollar / 10n, reviewMillis: null, reason: null },
      { result: "unknown", source: "Acme & <b>Sons</b>", valuePico: null },
    ]);
    const { status, body } = await ask("/tasks/t/outcomes", { reason: "why" });
    expect([status, body.error?.message]).toEqual([400, expect.stringMatching(/says nothing: give result, value or reviewMinutes/)]);
  });

  it.each([
    ["-3", -3n * dollar],
    ["0.000000000001", 1n],
    [1e-12, 1n],
    [12.5, (25n * dollar) / 2n],
    ["1e3", 1_000n * dollar],
    [1234567890.12345, 1_234_567_890_123_450_000_000n],
    ["123456789012.12346", 123_456_789_012_123_460_000_000n],
    [1e12, 1_000_000_000_000n * dollar],
  ])("is worth %s to the last digit", async (value, pico) => {
    const { ask, said } = setUp();
    await ask("/tasks/t/outcomes", { value });
    expect(said()[0]?.valuePico).toBe(pico);
  });

  it.each([
    [{ value: 0.1 + 0.2 }, /value: 0\.30000000000000004 is finer than a picodollar \(12 decimals\): round it, or send it as text/],
    [{ value: "0.0000000000001" }, /value: 0\.0000000000001 is finer than a picodollar/],
    [{ value: "1e99" }, /value: 1e99 is more than 1,000,000,000,000 dollars/],
    [{ value: 123456789012.12346 }, /value: 123456789012\.12346 has more digits than a number keeps: send it as text/],
    [{ value: "1000000000000.000000000001" }, /value: 1000000000000\.000000000001 is more than 1,000,000,000,000 dollars/],
    [{ value: "-1000000000001" }, /value: -1000000000001 is more than/],
    [{ value: 1e99 }, /value: 1e\+99 is more than/],
    [{ value: "12,50" }, /value: "12,50" is no amount: expected dollars as a decimal number, such as 12\.50/],
    [{ value: "NaN" }, /value: "NaN" is no amount/],
    [{ value: true }, /value: expected dollars/],
    ['{"value": 1e999}', /value: expected dollars/],
    ['{"value": NaN}', /it is not JSON/],
    [{ reviewMinutes: -1 }, /reviewMinutes: below zero: no check takes less than no time/],
    [{ reviewMinutes: 525_601 }, /reviewMinutes: more than 525600 minutes, a year/],
    [{ reviewMinutes: "2" }, /reviewMinutes: expected minutes, as a number/],
    [{ result: "succes" }, /result: expected success, failure, unknown/],
    [{ result: "success", judge: "god" }, /judge: expected person, check, self/],
    [{ result: "success", reason: "not good enough" }, /reason: expected one word of at most 100 characters, such as tests_failed/],
    [{ result: "success", at: "2999-01-01" }, /at: "2999-01-01" is more than a day ahead: 2999-01-01T00:00:00.000Z/],
    [{ result: "success", at: "2026-02-31" }, /at: "2026-02-31" is no time/],
    [{ result: "success", id: " " }, /id: is empty/],
    [{ result: "success", task: "t" }, /unknown "task"/],
  ])("is refused as %j, and why is said", async (wanted, message) => {
    const { ask, said, context } = setUp();
    const { status, body } = await ask("/tasks/t/outcomes", wanted);
    expect([status, body.error]).toEqual([400, { code: "request_malformed", message: expect.stringMatching(message) }]);
    expect([said(), context.guard.progressed]).toEqual([[], []]);
  });

  it("counts once under its id; another one under that id is refused", async () => {
    const { ask, said } = setUp();
    const words = { id: "o1", result: "success", value: "1" };
    expect((await ask("/tasks/t/outcomes", words)).status).toBe(201);
    expect((await ask("/tasks/t/outcomes", words)).status).toBe(200);
    for (const other of [
      { ...words, value: "2" },
      { ...words, judge: "check" },
    ])
      expect((await ask("/tasks/t/outcomes", other)).body.error?.code).toBe("outcome_taken");
    expect((await ask("/tasks/u/outcomes", words)).body.error?.code).toBe("outcome_taken");
    expect(said()).toHaveLength(1);
  });

  it("is known after a restart as the store has it: said again it is, otherwise it is refused, and a clock that went on makes no other of it", async () => {
    const { ask: before, said, begun, context } = setUp();
    const timed = { id: "o2", result: "failure", at: nowMs - 5_000, judge: "person", source: "Ada" };
    await before("/tasks", { id: "t", type: "a", began: "2h" });
    await before("/tasks/t/outcomes", { id: "o1", result: "success", value: "1" });
    await before("/tasks/t/outcomes", timed);
    await before("/outcomes", ...csv("task,result,type,began\nu,success,b,2026-11-20\n"));
    const count = context.recorded.length;
    Object.assign(context, { entryMs: () => nowMs + 60_000, now: () => nowMs + 60_000 });
    const app = createApi(context);
    const ask = async (path: string, body: unknown, headers = { authorization: "Bearer user" } as Record<string, string>) => {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const response = await app.request(`/api/v1${path}`, {
        method: "POST",
        body: text,
        headers: { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)), ...headers },
      });
      return [response.status, (await response.json()) as Body] as const;
    };
    expect(await ask("/tasks", { id: "t", type: "a", began: "2h" })).toEqual([200, { id: "t" }]);
    expect((await ask("/tasks", { id: "t", type: "b" }))[1].error?.code).toBe("task_taken");
    expect(await ask("/tasks/begun", { tasks: [{ id: "t", type: "b" }] })).toEqual([200, { begun: 0, known: 1, ids: ["t"] }]);
    expect(await ask("/tasks/t/outcomes", { id: "o1", result: "success", value: "1" })).toEqual([200, { id: "o1" }]);
    expect((await ask("/tasks/t/outcomes", { id: "o1", result: "success", value: "2" }))[1].error?.code).toBe("outcome_taken");
    expect((await ask("/tasks/t/outcomes", timed))[0]).toBe(200);
    expect((await ask("/tasks/t/outcomes", { ...timed, at: nowMs - 4_000 }))[1].error?.code).toBe("outcome_taken");
    expect(await ask("/outcomes", ...csv("task,result,type,began\nu,success,b,2026-11-20\n"))).toMatchObject([
      200,
      { recorded: 0, known: 1, begun: 0 },
    ]);
    const other = { outcomes: [{ task: "t", id: "o1", result: "failure" }] };
    expect((await ask("/outcomes", other))[1].error?.message).toMatch(/outcomes\.0: id: "o1" stands for another statement already/);
    expect(context.recorded).toHaveLength(count);
    // Where the store cannot tell, nobody waits for it: said again it counts once all the same.
    Object.assign(context.ledger, { said: () => Promise.reject(new PennyworthError("store_busy", { detail: "it is closed" })) });
    expect((await ask("/tasks/t/outcomes", { id: "o1", result: "success", value: "1" }))[0]).toBe(201);
    expect([said().length, begun().length]).toEqual([4, 2]);
  });

  it("counts once where two say it in the same moment, also while the store is asked", async () => {
    const { ask, said } = setUp();
    const words = { id: "o1", result: "success" };
    const statuses = await Promise.all([1, 2, 3].map(async () => (await ask("/tasks/t/outcomes", words)).status));
    expect(statuses.toSorted()).toEqual([200, 200, 201]);
    expect(said()).toHaveLength(1);
  });

  it("is not known where it could not be recorded", async () => {
    const { ask, context } = setUp();
    const { record } = context;
    Object.assign(context, {
      record: () => {
        throw new PennyworthError("journal_unwritable", { cause: "ENOSPC" });
      },
    });
    const words = { id: "o1", result: "success" };
    expect((await ask("/tasks/t/outcomes", words)).status).toBe(503);
    expect((await ask("/tasks", { id: "t" })).status).toBe(503);
    expect(context.guard.progressed).toEqual([]);
    Object.assign(context, { record });
    expect((await ask("/tasks/t/outcomes", words)).status).toBe(201);
    expect((await ask("/tasks", { id: "t" })).status).toBe(201);
  });
});

describe("what was said of a task", () => {
  it("is shown with names, amounts as text, and what follows", async () => {
    const { ask } = setUp();
    await ask("/tasks/t/outcomes", { id: "o1", result: "success", value: "5", at: nowMs - 2_000 });
    await ask("/tasks/t/outcomes", {
      id: "o2",
      result: "failure",
      judge: "person",
      source: "Acme & <b>Sons</b>",
      reason: "reverted",
      reviewMinutes: 1.5,
    });
    const { status, body } = await ask("/tasks/t/outcomes?fresh=true", undefined, { authorization: "Bearer reader" });
    expect([status, body]).toEqual([
      200,
      {
        task: "t",
        fresh: true,
        statements: [
          {
            id: "o1",
            atMs: nowMs - 2_000,
            result: "success",
            judge: "self",
            source: null,
            value: "5",
            reviewMinutes: null,
            reason: null,
            key: "key_user",
          },
          {
            id: "o2",
            atMs: nowMs,
            result: "failure",
            judge: "person",
            source: "Acme & <b>Sons</b>",
            value: null,
            reviewMinutes: 1.5,
            reason: "reverted",
            key: "key_user",
          },
        ],
        ending: {
          result: "failure",
          judge: "person",
          source: "Acme & <b>Sons</b>",
          reason: "reverted",
          atMs: nowMs,
          self: "success",
          checked: "failure",
          isContradictory: true,
          value: "0",
          reviewMinutes: 1.5,
          statements: 2,
        },
        rework: { of: null, by: [] },
      },
    ]);
  });

  it("is shown with what it makes good, and what makes it good", async () => {
    const { ask } = setUp();
    await ask("/tasks", { id: "again", reworkOf: "t" });
    const read = async (task: string) =>
      (await ask(`/tasks/${task}/outcomes`, undefined, { authorization: "Bearer reader" })).body["rework"];
    expect([await read("t"), await read("again")]).toEqual([
      { of: null, by: ["again"] },
      { of: "t", by: [] },
    ]);
  });

  it("is nothing where nobody said anything, and no error", async () => {
    const { status, body } = await setUp().ask("/tasks/nobody/outcomes", undefined, { authorization: "Bearer admin" });
    expect([status, body["statements"]]).toEqual([200, []]);
    expect(body["ending"]).toMatchObject({
      result: "unknown",
      judge: null,
      self: null,
      checked: null,
      isContradictory: false,
      statements: 0,
    });
  });
});

describe("many outcomes", () => {
  it("come as JSON", async () => {
    const { ask, said } = setUp();
    const { status, body } = await ask("/outcomes", {
      outcomes: [
        { task: "a", result: "success", id: "1" },
        { task: "b", result: "failure", judge: "check", id: "2" },
        { task: "a", result: "success", id: "1" },
      ],
    });
    expect([status, body]).toEqual([201, { recorded: 2, known: 1, ids: ["1", "2", "1"], begun: 0, costs: 0 }]);
    expect(said().map(({ task, result, judge }) => [task, result, judge])).toEqual([
      ["a", "success", "self"],
      ["b", "failure", "check"],
    ]);
  });

  it("come as CSV, with quoted cells, and count once however often they are sent", async () => {
    const { ask, said, context } = setUp();
    const table = [
      "\uFEFFtask,Result,value,Review Minutes,judge,source,reason,at,id",
      '"t,1",success,12.5,2.5,check,"CI ""main""",,2026-11-21,',
      "",
      't2,failure,,,person,Acme & <b>Sons</b>,reverted,"2026-11-21T10:00Z",o2',
      "t3,,3,,,,,,",
    ].join("\r\n");
    const { status, body } = await ask("/outcomes", ...csv(table));
    expect([status, body]).toEqual([
      201,
      {
        recorded: 3,
        known: 0,
        ids: [expect.stringMatching(/^csv_[0-9a-f]{32}$/), "o2", expect.stringMatching(/^csv_/)],
        begun: 0,
        costs: 0,
      },
    ]);
    expect(said()).toMatchObject([
      {
        task: "t,1",
        result: "success",
        valuePico: (25n * dollar) / 2n,
        reviewMillis: 150_000,
        judge: "check",
        source: 'CI "main"',
        atMs: Date.UTC(2026, 10, 21),
      },
      { id: "o2", task: "t2", judge: "person", source: acme, reason: "reverted", valuePico: null, reviewMillis: null },
      { task: "t3", result: null, judge: "self", valuePico: 3n * dollar, atMs: nowMs },
    ]);
    expect(await ask("/outcomes", ...csv(table))).toEqual({
      status: 200,
      body: { recorded: 0, known: 3, ids: expect.any(Array), begun: 0, costs: 0 },
    });
    // The same statement with its columns in another order is the same.
    expect((await ask("/outcomes", ...csv("value;task\n3;t3\n"))).body).toMatchObject({ recorded: 0, known: 1 });
    expect([said().length, context.guard.progressed]).toEqual([3, ["t,1", "t2", "t3"]]);
  });

  it("are all or none, and every wrong line is named", async () => {
    const { ask, said, context } = setUp();
    const table =
      "task,result,review_minutes,at\na,success,,\nb,maybe,,\nc,success,-2,\n,success,,\nd,success,,2999-01-01\ne,success\nf,success,two,\n";
    const { status, body } = await ask("/outcomes", ...csv(table));
    expect(status).toBe(400);
    expect(body.error?.message).toMatch(/6 of 7 outcomes are wrong, and none was recorded/);
    for (const [line, message] of [
      [3, "result: expected success, failure, unknown"],
      [4, "reviewMinutes: below zero"],
      [5, "task is missing"],
      [6, 'at: "2999-01-01" is more than a day ahead'],
      [7, "it has 2 cells, and the first line names 4 columns"],
      [8, "reviewMinutes: expected minutes, as a number"],
    ])
      expect(body.error?.message).toContain(`line ${line}: ${message}`);
    expect([said(), context.guard.progressed]).toEqual([[], []]);
  });

  it("teach the map no name where one is refused, and then those of what is new on record alone", async () => {
    const { ask, context } = setUp();
    vi.spyOn(context.names, "tokenOf").mockImplementation(tokenOf);
    const learnt = vi.spyOn(context.names, "token").mockImplementation(tokenOf);
    const acmes = "Acme & <b>Sons</b>";
    const table = (last: string) => csv(`task,customer,user,cost,result,judge,source\na,${acmes},Cy,1,success,person,Ada\n${last}`);
    expect((await ask("/outcomes", ...table("b,,,,maybe,,\n"))).status).toBe(400);
    expect((await ask("/outcomes", { outcomes: [{ task: "a", customer: acmes }, { task: "b" }] })).status).toBe(400);
    // What cannot be is found out after all names were read, also of one alone.
    expect((await ask("/tasks", { id: "a", customer: acmes, parent: "a" })).status).toBe(400);
    expect(
      (
        await ask("/tasks/begun", {
          tasks: [
            { id: "a", customer: acmes },
            { id: "b", parent: "b" },
          ],
        })
      ).status,
    ).toBe(400);
    expect(learnt.mock.calls).toEqual([]);
    expect((await ask("/outcomes", ...table("b,,,,success,,\n"))).status).toBe(201);
    expect(new Set(learnt.mock.calls.flat())).toEqual(new Set([acmes, "Cy", "Ada"]));
    learnt.mockClear();
    expect((await ask("/outcomes", ...table("b,,,,success,,\n"))).status).toBe(200);
    expect((await ask("/tasks", { id: "a", customer: "Eve" })).status).toBe(409);
    expect(learnt.mock.calls).toEqual([]);
    expect(
      (
        await ask("/tasks/begun", {
          tasks: [
            { id: "a", customer: "Eve" },
            { id: "c", customer: acmes },
          ],
        })
      ).status,
    ).toBe(201);
    expect((await ask("/tasks", { id: "d", customer: acmes })).status).toBe(201);
    expect((await ask("/tasks/d/outcomes", { result: "failure", judge: "person", source: "Bo" })).status).toBe(201);
    expect(learnt.mock.calls.flat()).toEqual([acmes, acmes, "Bo"]);
  });

  it("that are wrong are named up to the twentieth", async () => {
    const outcomes = Array.from({ length: 25 }, (_, index) => ({ task: `t${index}`, result: index === 3 ? "success" : "x" }));
    const { body } = await setUp().ask("/outcomes", { outcomes });
    const message = body.error?.message ?? "";
    expect(message).toMatch(/24 of 25 .*outcomes\.0: .*; and 4 more/);
    expect([message.match(/outcomes\.\d+:/g)?.length, message.includes("outcomes.3:")]).toEqual([20, false]);
  });

  it.each([
    [
      "one id for two statements",
      {
        outcomes: [
          { task: "a", result: "success", id: "1" },
          { task: "b", result: "success", id: "1" },
        ],
      },
      /outcomes\.1: id: "1" stands for another statement/,
    ],
    ["none", { outcomes: [] }, /there is no outcome in it/],
    ["a bare list", [{ task: "a", result: "success" }], /expected \{"outcomes"/],
    ["something beside", { outcomes: [{ task: "a", result: "success" }], dryRun: true }, /and nothing else/],
    ["no object", { outcomes: [7] }, /outcomes\.0: /],
    [
      "more than limits.outcomesMax",
      { outcomes: Array.from({ length: 10_001 }, () => ({ task: "a", result: "success" })) },
      /10001 outcomes are more than 10000 \(limits\.outcomesMax\)/,
    ],
  ])("are refused: %s", async (_what, wanted, message) => {
    const { ask, said } = setUp();
    const { status, body } = await ask("/outcomes", wanted);
    expect([status, body.error]).toEqual([400, { code: "request_malformed", message: expect.stringMatching(message) }]);
    expect(said()).toEqual([]);
  });

  it.each([
    ["", /the table is empty/],
    ["task,result\n", /there is no outcome in it/],
    ["result\nsuccess\n", /line 1: no column is called task; there are task, result/],
    ["task,resutl\na,success\n", /line 1: no column is called "resutl" \(result\?\)/],
    ["task,result,result\na,success,failure\n", /line 1: the column result is there twice/],
    ['task,result\n"a,success\n', /line \d: /],
  ])("as the table %j are refused", async (text, message) => {
    const { status, body } = await setUp().ask("/outcomes", ...csv(text));
    expect([status, body.error?.message]).toEqual([400, expect.stringMatching(message)]);
  });

  it("of another content type, or too many bytes, are refused", async () => {
    const { ask } = setUp();
    const auth = { authorization: "Bearer user" };
    expect((await ask("/outcomes", "x", { ...auth, "content-type": "text/plain" })).body.error?.message).toMatch(
      /neither application\/json nor text\/csv/,
    );
    expect((await ask("/outcomes", "{}", { ...auth, "content-length": String(8 * 1024 * 1024 + 1) })).body.error?.message).toMatch(
      /larger than 8388608 bytes/,
    );
  });
});

describe("a webhook", () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const sign = (id: string, body: string, atMs = nowMs): Record<string, string> => {
    const seconds = String(Math.floor(atMs / 1_000));
    const key = Buffer.from(secret.slice(6), "base64");
    return {
      "webhook-id": id,
      "webhook-timestamp": seconds,
      "webhook-signature": `v1,${createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64")}`,
    };
  };
  const withHook = () => {
    const all = setUp();
    all.context.hooks.set("ci", secret);
    return all;
  };

  it("says one outcome; its id is the statement's, and its name the source", async () => {
    const { ask, said, context } = withHook();
    const body = '{"task": "t", "result": "failure", "judge": "check", "reason": "tests_failed"}';
    expect(await ask("/outcomes/hooks/ci", body, sign("msg_1", body))).toEqual({
      status: 201,
      body: { recorded: 1, known: 0, ids: ["msg_1"], begun: 0, costs: 0 },
    });
    expect(await ask("/outcomes/hooks/ci", body, sign("msg_1", body, nowMs + 60_000))).toEqual({
      status: 200,
      body: { recorded: 0, known: 1, ids: ["msg_1"], begun: 0, costs: 0 },
    });
    expect(said()).toMatchObject([
      { id: "msg_1", task: "t", result: "failure", judge: "check", source: "ci", reason: "tests_failed", key: null },
    ]);
    expect(context.guard.progressed).toEqual(["t"]);
  });

  it("says several, each with an id of its own", async () => {
    const { ask, said } = withHook();
    const body = JSON.stringify([
      { task: "a", result: "success" },
      { task: "b", result: "success", id: "own", source: "jenkins" },
      { task: "c", result: "failure", judge: "person" },
    ]);
    expect((await ask("/outcomes/hooks/ci", body, sign("m", body))).body).toMatchObject({ recorded: 3, ids: ["m.1", "own", "m.3"] });
    expect(said().map(({ source }) => source)).toEqual(["ci", "jenkins", null]);
  });

  it("is refused in one and the same way, whatever is wrong with who sent it", async () => {
    const { ask, said } = withHook();
    const body = '{"task": "t", "result": "success"}';
    const good = sign("m", body);
    const answers = await Promise.all([
      ask("/outcomes/hooks/other", body, good),
      ask("/outcomes/hooks/ci", body, {}),
      ask("/outcomes/hooks/ci", body, { authorization: "Bearer admin" }),
      ask("/outcomes/hooks/ci", `${body} `, good),
      ask("/outcomes/hooks/ci", body, { ...good, "webhook-id": "n" }),
      ask("/outcomes/hooks/ci", body, sign("m", body, nowMs - 301_000)),
      ask("/outcomes/hooks/ci", body, sign("m", body, nowMs + 301_000)),
    ]);
    for (const { status, body: answer } of answers) expect([status, answer]).toEqual([401, answers[0]?.body]);
    expect(answers[0]?.body.error?.code).toBe("hook_refused");
    expect(said()).toEqual([]);
  });

  it("that is signed and wrong is told what is wrong", async () => {
    const { ask, said } = withHook();
    for (const [body, message] of [
      ['{"task": "t"}', /outcome: says nothing/],
      ["[]", /there is no outcome/],
      ["7", /outcome: /],
      ["nonsense", /it is not JSON/],
      ['[{"task": "t", "result": "success"}, {"result": "success"}]', /1: task is missing/],
    ] as const) {
      const { status, body: answer } = await ask("/outcomes/hooks/ci", body, sign("m", body));
      expect([status, answer.error?.message]).toEqual([400, expect.stringMatching(message)]);
    }
    expect(said()).toEqual([]);
  });
});

it("the document has what bodies may say", async () => {
  const { app } = setUp();
  const document = (await (await app.request("/api/v1/openapi.json")).json()) as {
    paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: unknown }> }; security?: unknown }>>;
  };
  const content = document.paths["/api/v1/outcomes"]?.["post"]?.requestBody?.content;
  expect(Object.keys(content ?? {})).toEqual(["application/json", "text/csv"]);
  expect(JSON.stringify(content?.["application/json"]?.schema)).toContain("reviewMinutes");
  expect(JSON.stringify(document.paths["/api/v1/outcomes/hooks/{name}"]?.["post"]?.requestBody)).toContain("tests_failed");
  expect(document.paths["/api/v1/tasks"]?.["post"]?.security).toContainEqual({ key: [] });
});
