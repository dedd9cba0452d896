// Agents' trees end to end: every cap, stopped and let go on, with headers and with nothing but the conversation. Not here: how a tree is counted
// (src/core/tree.test.ts), what a loop is (src/core/loop.test.ts).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answered, chat, dollars, type Guarded, type Loose, pico, post, read, startGuarded } from "./guarded.ts";

let guarded: Guarded;
beforeAll(async () => {
  guarded = await startGuarded({
    trees: [
      { id: "deep", for: { agent: "deep" }, depth: 2 },
      { id: "wide", for: { agent: "wide" }, fanOut: 2 },
      { id: "busy", for: { agent: "busy" }, taskCalls: 2 },
      { id: "big", for: { agent: "big" }, calls: { warn: 2, stop: 4 } },
      { id: "tries", for: { agent: "tries" }, tries: 2 },
      { id: "long", for: { agent: "long" }, time: "1s" },
      { id: "loops", for: { agent: "loops" }, loop: { warn: 1, slow: 2, stop: 3 } },
      { id: "loner", for: { feature: "loner" }, loop: 3 },
      { id: "idle", for: { agent: "idle" }, noProgress: "$0.001" },
    ],
  });
});
afterAll(() => guarded?.close());

interface Said {
  readonly task?: string;
  readonly parent?: string;
  readonly root?: string;
  readonly feature?: string;
}
let asked = 0;
/** A call of an agent, with a question of its own unless it is said. */
function call(
  agent: string,
  { text = `Question ${asked++}. [[sandbox input-tokens=40 output-tokens=30]]`, ...said }: Said & { readonly text?: string },
): Promise<Answered> {
  const headers = Object.fromEntries(Object.entries(said).map(([name, value]) => [`x-pennyworth-${name}`, value]));
  return read(chat(guarded.url, { text, headers: { ...headers, "x-pennyworth-agent": agent } }));
}
const codes = (answers: readonly Answered[]): (string | number)[] =>
  answers.map(({ status, body }) => (status === 200 ? 200 : body.error.code));
const resume = (task: string): Promise<{ readonly status: number }> => guarded.control("POST", `/trees/${encodeURIComponent(task)}/resume`);

const again = (count: number): Promise<Answered> =>
  read(
    chat(guarded.url, {
      headers: { "x-pennyworth-agent": "tries", "x-pennyworth-task": "t0", "x-stainless-retry-count": String(count) },
    }),
  );
const withTool = (turn: number): Promise<Answered> =>
  read(
    chat(guarded.url, {
      headers: { "x-pennyworth-agent": "idle", "x-pennyworth-task": "i1" },
      more: {
        messages: [
          { role: "user", content: "Look. [[sandbox input-tokens=40 output-tokens=30]]" },
          {
            role: "assistant",
            tool_calls: [{ id: `c${turn}`, type: "function", function: { name: "look", arguments: `{"at":${turn}}` } }],
          },
          { role: "tool", tool_call_id: `c${turn}`, content: `Page ${turn}.` },
        ],
      },
    }),
  );
const rounds = (count: number): object[] =>
  Array.from({ length: count }, (_, index) => [
    { role: "assistant", tool_calls: [{ id: `c${index}`, type: "function", function: { name: "test", arguments: "{}" } }] },
    { role: "tool", tool_call_id: `c${index}`, content: "1 failed" },
  ]).flat();
const turn = (count: number): Promise<Answered> =>
  read(
    chat(guarded.url, {
      headers: { "x-pennyworth-agent": "loops", "x-pennyworth-task": "p0" },
      more: { messages: [{ role: "user", content: "Mend it." }, ...rounds(count)] },
    }),
  );
const body = (text: string): string => JSON.stringify({ model: "gpt-4o-mini", max_tokens: 9, messages: [{ role: "user", content: text }] });

describe("a cap on", () => {
  it("depth stops what is too deep, and not its parents; the parent learns of it once", async () => {
    const answers = [
      await call("deep", { task: "d0" }),
      await call("deep", { task: "d1", parent: "d0" }),
      await call("deep", { task: "d2", parent: "d1" }),
      await call("deep", { task: "d3", parent: "d2" }),
      await call("deep", { task: "d3" }),
      await call("deep", { task: "d2" }),
    ];
    expect(codes(answers)).toEqual([200, 200, 200, "tree_depth", "tree_stopped", 200]);
    expect(answers[3]?.status).toBe(403);
    expect(answers[5]?.header("x-pennyworth-child-stopped")).toBe("d3; depth");
    expect((await call("deep", { task: "d2" })).header("x-pennyworth-child-stopped")).toBeNull();
  });

  it("children stops the one that is too many", async () => {
    const answers = [await call("wide", { task: "w0" })];
    for (const task of ["wa", "wb", "wc", "wa"]) answers.push(await call("wide", { task, parent: "w0" }));
    expect(codes(answers)).toEqual([200, 200, 200, "tree_fan_out", 200]);
  });

  it("a task's calls stops that task, and all below it", async () => {
    const answers = [
      await call("busy", { task: "b0" }),
      await call("busy", { task: "b1", parent: "b0" }),
      await call("busy", { task: "b1" }),
      await call("busy", { task: "b1" }),
      await call("busy", { task: "b2", parent: "b1" }),
      await call("busy", { task: "b0" }),
    ];
    expect(codes(answers)).toEqual([200, 200, 200, "tree_calls", "tree_stopped", 200]);
  });

  it("a tree's calls warns, and then stops all of it until somebody resumes it", async () => {
    const answers: Answered[] = [];
    for (let turn = 0; turn < 6; turn++) answers.push(await call("big", { task: `g${turn % 3}`, root: "g0" }));
    expect(codes(answers)).toEqual([200, 200, 200, 200, "tree_calls", "tree_stopped"]);
    expect(answers.map(({ header }) => header("x-pennyworth-warning"))).toEqual([null, null, "big: calls", "big: calls", null, null]);
    const { trees } = (await guarded.control("GET", "/guard")).body as Loose;
    expect(trees.find(({ root }: Loose) => root === "g0")).toMatchObject({ state: "stopped", calls: 4 });
    // Whatever model it asks for.
    const other = await read(
      post(
        `${guarded.url}/v1/messages`,
        { model: "claude-3-5-haiku-latest", max_tokens: 9, messages: [{ role: "user", content: "Hm." }] },
        { "x-pennyworth-agent": "big", "x-pennyworth-task": "g1" },
      ),
    );
    expect(other.status).toBe(403);
    expect((await resume("g0")).status).toBe(200);
    expect((await call("big", { task: "g1" })).status).toBe(200);
    expect((await resume("never-heard-of")).status).toBe(404);
  });

  it("tries counts the client's own, and stops nothing else", async () => {
    expect(codes([await again(0), await again(1), await again(2), await again(0)])).toEqual([200, 200, "tree_tries", 200]);
  });

  it("time stops a tree that runs too long", async () => {
    expect((await call("long", { task: "l0" })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(codes([await call("long", { task: "l1", parent: "l0" }), await call("long", { task: "l2", root: "other" })])).toEqual([
      "tree_time",
      200,
    ]);
  });

  it("money without progress stops a tree that shows nothing new, and a new tool result is progress", async () => {
    const each = pico(40, 30);
    const allowed = Number(1_000_000_000n / each) + 1;
    const answers: Answered[] = [];
    for (let turn = 0; turn < allowed + 1; turn++) answers.push(await call("idle", { task: "i0" }));
    expect(codes(answers)).toEqual([...Array.from({ length: allowed }, () => 200), "tree_no_progress"]);
    expect(answers.at(-1)?.body.error.message).toContain(`$${dollars(each * BigInt(allowed))}`);
    for (let turn = 0; turn < allowed + 2; turn++) expect((await withTool(turn)).status).toBe(200);
  });
});

describe("a loop", () => {
  it("of the same request is warned of, slowed, and stopped; something new in between begins anew", async () => {
    const text = "Is it done? [[sandbox output-tokens=5]]";
    const same = (): Promise<Answered> => call("loops", { task: "o0", text });
    const first = await same();
    const second = await same();
    expect([first.header("x-pennyworth-warning"), second.header("x-pennyworth-warning")]).toEqual([null, "loops: repeated_request"]);
    const began = performance.now();
    const third = await same();
    expect(third.status).toBe(200);
    expect(performance.now() - began).toBeGreaterThan(950);
    expect(codes([await same(), await same(), await call("loops", { task: "o0" })])).toEqual(["tree_loop", "tree_stopped", "tree_stopped"]);
    expect((await resume("o0")).status).toBe(200);
    expect((await same()).status).toBe(200);
  });

  it("of the same tool call with the same result is seen in the request's own history", async () => {
    const answers: Answered[] = [];
    for (let count = 0; count < 6; count++) answers.push(await turn(count));
    const seen = codes(answers);
    expect(seen.slice(0, 2)).toEqual([200, 200]);
    expect(seen).toContain("tree_loop");
    expect(answers.find(({ status }) => status === 403)?.body.error.message).toContain("same tool call had the same result");
  });

  it("is seen with nothing but the conversation, and stops nobody else", async () => {
    const same = (): Promise<Answered> =>
      read(post(`${guarded.url}/v1/chat/completions`, body("Are we there yet?"), { "x-pennyworth-feature": "loner" }));
    const answers = [await same(), await same(), await same(), await same()];
    expect(codes(answers)).toEqual([200, 200, 200, "tree_loop"]);
    const other = await read(post(`${guarded.url}/v1/chat/completions`, body("Something else."), { "x-pennyworth-feature": "loner" }));
    expect(other.status).toBe(200);
  });
});

describe("a tree's budget", () => {
  it("is for all below its task, whoever says what, and what stops a child is told to its parent", async () => {
    await guarded.set("tree", { for: { task: "m0" }, limit: "2 calls for ever" });
    const answers = [
      await call("any", { task: "m0" }),
      await call("any", { task: "m1", parent: "m0" }),
      await call("other", { task: "m2", parent: "m1" }),
    ];
    expect(codes(answers)).toEqual([200, 200, "budget_exhausted"]);
    await guarded.control("POST", "/budgets/tree/grants", { id: "m", amount: "5" });
    expect((await call("any", { task: "m1" })).header("x-pennyworth-child-stopped")).toBe("m2; budget_exhausted");
  });

  it("is found by the trace where no task is named", async () => {
    const trace = "0af7651916cd43dd8448eb211c80319c";
    await guarded.set("trace", { for: { task: trace }, limit: "1 call for ever" });
    const traced = (): Promise<Answered> => read(chat(guarded.url, { headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` } }));
    expect(codes([await traced(), await traced()])).toEqual([200, "budget_exhausted"]);
  });
});

it("what was stopped is stopped after a restart, and what was resumed goes on", async () => {
  for (const task of ["s0", "r0"]) for (let turn = 0; turn < 6; turn++) await call("big", { task });
  expect(codes([await call("big", { task: "s0" }), await call("big", { task: "r0" })])).toEqual(["tree_stopped", "tree_stopped"]);
  expect((await resume("r0")).status).toBe(200);
  await guarded.stop();
  await guarded.start();
  expect(codes([await call("big", { task: "s0" }), await call("big", { task: "r0" })])).toEqual(["tree_stopped", 200]);
});
