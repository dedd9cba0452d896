// Finished work as one line says it: what a task was, what it cost elsewhere, how it ended. What goes on record, what counts once, what is refused.
// Not here: what becomes of it in the store (test/leaderboards.test.ts).

import { describe, expect, it } from "vitest";
import type { CallRecord } from "../ledger/store.ts";
import { createApi } from "./app.ts";
import { createMemory, nowMs } from "./memory.fixture.ts";

const dollar = 1_000_000_000_000n;

function setUp(records: readonly CallRecord[] = []) {
  const context = createMemory(records);
  const app = createApi(context);
  const send = async (text: string, type = "text/csv") => {
    const headers = { authorization: "Bearer user", "content-type": type, "content-length": String(Buffer.byteLength(text)) };
    const response = await app.request("/api/v1/outcomes", { method: "POST", body: text, headers });
    const body = (await response.json()) as Record<string, unknown> & { error?: { message: string } };
    return { status: response.status, body, message: body.error?.message ?? "" };
  };
  const of = <Kind extends string>(kind: Kind) =>
    context.recorded.filter((entry) => entry.kind === kind) as Extract<(typeof context.recorded)[number], { kind: Kind }>[];
  const standing = () => {
    const voided = new Set(of("charge.voided").map(({ id }) => id));
    return of("charge").flatMap(({ charge }) => (voided.has(charge.id) ? [] : [charge]));
  };
  return { context, app, send, of, standing };
}

const head = "task,type,agent,model,customer,case,cost,result,began";

describe("a line of finished work", () => {
  it("begins its task, books what it cost, and says how it ended", async () => {
    const { send, of, standing } = setUp();
    const { status, body } = await send(`${head}\nt1,fix,coder,gpt-5,Acme & <b>Sons</b>,leap,0.061200000001,success,2026-11-01T10:00Z\n`);
    expect([status, body]).toMatchObject([201, { recorded: 1, known: 0, begun: 1, costs: 1 }]);
    const said = { task: "t1", type: "fix", agent: "coder", customer: "n_00000000000000aa", team: "search", tags: { case: "leap" } };
    const beganMs = Date.UTC(2026, 10, 1, 10);
    expect(of("task.begun")).toMatchObject([{ task: { attribution: said, beganMs, reworkOf: null, key: "key_user" } }]);
    expect(standing()).toMatchObject([
      {
        class: "task",
        provider: "elsewhere",
        model: "gpt-5",
        fromMs: beganMs,
        toMs: beganMs + 1,
        costPico: 61_200_000_001n,
        quantity: 1,
        attribution: said,
      },
    ]);
    expect(of("outcome")).toMatchObject([{ outcome: { task: "t1", result: "success", judge: "self" } }]);
  });

  it("with an empty cost is of a cost that nobody knows, and without the column of none", async () => {
    const { send, standing, of } = setUp();
    await send("task,cost,result\nt1,,failure\nt2,0,failure\n");
    expect(standing().map(({ costPico }) => costPico)).toEqual([null, 0n]);
    await send("task,agent,result\nt3,a,success\n");
    expect(standing()).toHaveLength(2);
    expect(of("task.begun")).toHaveLength(3);
  });

  it("may say what a task is without how it ended", async () => {
    const { send, of } = setUp();
    expect(await send("task,type,cost\nt1,fix,1\n")).toMatchObject({ status: 201, body: { recorded: 0, ids: [], begun: 1, costs: 1 } });
    expect(of("outcome")).toEqual([]);
  });

  it("is the same as JSON", async () => {
    const { send, of, standing } = setUp();
    const line = { task: "t1", type: "fix", cost: "2.50", provider: "e2b", result: "success", reworkOf: "t0" };
    expect(await send(JSON.stringify({ outcomes: [line] }), "application/json")).toMatchObject({ status: 201, body: { costs: 1 } });
    expect(standing()).toMatchObject([{ provider: "e2b", model: null, costPico: (5n * dollar) / 2n, fromMs: nowMs }]);
    expect(of("task.begun")).toMatchObject([{ task: { reworkOf: "t0", beganMs: nowMs } }]);
  });

  it("says only how it ended, as before: nothing begins, nothing is booked", async () => {
    const { send, context } = setUp();
    await send("task,result,at\nt1,success,2h\n");
    expect(context.recorded.map(({ kind }) => kind)).toEqual(["outcome"]);
  });
});

describe("a cost counts once", () => {
  it("however often its file is sent, and whatever else of a line was changed", async () => {
    const { send, standing, context } = setUp();
    const file = `${head}\nt1,fix,coder,gpt-5,,,0.10,success,2026-11-01\nt2,fix,coder,gpt-5,,,,failure,2026-11-01\n`;
    await send(file);
    const entries = context.recorded.length;
    expect(await send(file)).toMatchObject({ status: 200, body: { recorded: 0, known: 2, begun: 0, costs: 0 } });
    expect(context.recorded).toHaveLength(entries);
    expect(await send(file.replace("success", "failure"))).toMatchObject({ status: 201, body: { recorded: 1, costs: 0 } });
    expect(standing().map(({ costPico }) => costPico)).toEqual([dollar / 10n, null]);
  });

  it("on whichever of its task's lines it stands", async () => {
    const { send, standing } = setUp();
    await send(
      "task,cost,agent,result,judge\nt1,,,success,self\nt1,0.40,coder,,\nt1,0.40,,failure,check\n".replace(",,\n", ",unknown,person\n"),
    );
    expect(standing()).toMatchObject([{ costPico: (4n * dollar) / 10n, attribution: { agent: "coder" } }]);
  });

  it("one that becomes known takes the place of one that was not", async () => {
    const { send, standing, of } = setUp();
    await send("task,cost\nt1,\n");
    expect(await send("task,cost\nt1,3\n")).toMatchObject({ status: 201, body: { costs: 1 } });
    expect(standing()).toMatchObject([{ id: "task:t1/2", costPico: 3n * dollar }]);
    expect(of("charge.voided")).toMatchObject([{ id: "task:t1" }]);
    expect(await send("task,cost\nt1,\n")).toMatchObject({ status: 200, body: { costs: 0 } });
    expect(standing()).toHaveLength(1);
  });

  it("another one is refused with the charge that stands, until that is voided", async () => {
    const { send, standing, context, of } = setUp();
    await send("task,cost,result\nt1,3,success\n");
    const entries = context.recorded.length;
    const { status, message } = await send("task,cost,result\nt0,1,success\nt1,4,failure\n");
    expect([status, message]).toEqual([
      400,
      expect.stringMatching(
        /^.*1 of 2 outcomes are wrong, and none was recorded: line 3: cost: 3 is on record of "t1" as the charge task:t1: void it \(pennyworth charges void task:t1\), and say it again/,
      ),
    ]);
    expect(context.recorded).toHaveLength(entries);
    context.record({ kind: "charge.voided", id: "task:t1", atMs: nowMs });
    expect((await send("task,cost,result\nt1,4,failure\n")).status).toBe(201);
    expect(standing()).toMatchObject([{ id: "task:t1/2", costPico: 4n * dollar }]);
    expect(of("outcome")).toHaveLength(2);
  });

  it("of a task whose name cannot stand in an address, by a hash of it", async () => {
    const { send, standing } = setUp();
    await send('task,cost\n"a b/c",1\n"a b/d",2\n');
    expect(standing().map(({ id }) => id)).toEqual([
      expect.stringMatching(/^task:[0-9a-f]{32}$/),
      expect.stringMatching(/^task:[0-9a-f]{32}$/),
    ]);
  });

  it("a cost alone begins what nobody has heard of, and leaves alone what is on record", async () => {
    const { send, of } = setUp();
    await send("task,type\nt1,fix\n");
    await send("task,cost\nt1,3\nt2,4\n");
    expect(of("task.begun").map(({ task }) => task.attribution.task)).toEqual(["t1", "t2"]);
  });
});

describe("what cannot be is refused, with its line", () => {
  it.each([
    ["task,cost\nt1,-1\n", /line 2: cost: below zero/],
    ["task,cost\nt1,a lot\n", /line 2: cost: "a lot" is no amount/],
    ["task,cost\nt1,0.0000000000001\n", /line 2: cost: 0\.0000000000001 is finer than a picodollar/],
    ["task,cost\nt1,1000000\n", /line 2: cost: more than 999999\.999999999999 dollars/],
    [
      "task,model,result\nt1,gpt-5,success\n",
      /line 2: model: says what a cost is of, and there is none: of one that is not known, cost is empty/,
    ],
    ["task,cost,provider\nt1,1,Open AI\n", /line 2: provider: a provider's name has lower-case letters/],
    ["task,cost\nt1,1\nt1,2\n", /line 3: cost: line 2 says 1 of "t1": say what a task cost once/],
    ["task,type,result\nt1,fix,success\nt1,write,\n", /line 3: type: line 2 says another of "t1"/],
    ["task,case,result\nt1,leap,success\nt1,wordy,\n", /line 3: case: line 2 says another of "t1"/],
    ["task,began,cost\nt1,1763000000,1\n", /line 2: began: "1763000000" is before the year 2000/],
    ["task,parent,cost\nt1,t1,1\n", /line 2: parent: it is the task itself/],
    ["task,type\nt1,\n", /line 2: says nothing: give result, value or reviewMinutes, what the task is, or its cost/],
    ["task,kost\nt1,1\n", /line 1: no column is called "kost" \(cost\?\)/],
  ])("%j", async (text, why) => {
    const { send, context } = setUp();
    const { status, message } = await send(text);
    expect([status, message]).toEqual([400, expect.stringMatching(why)]);
    expect(context.recorded).toEqual([]);
  });
});
