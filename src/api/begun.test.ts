// Many tasks that begin at once: what goes on record, what is refused as a whole and why, and that each begins once.

import { describe, expect, it } from "vitest";
import { createApi } from "./app.ts";
import { createMemory, nowMs } from "./memory.fixture.ts";

interface Answer {
  readonly begun?: number;
  readonly known?: number;
  readonly ids?: readonly string[];
  readonly error?: { readonly code: string; readonly message: string };
}

function setUp() {
  const context = createMemory([]);
  const app = createApi(context);
  const post = async (path: string, said: unknown, headers: Record<string, string> = { authorization: "Bearer user" }) => {
    const text = JSON.stringify(said);
    const sent = { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)), ...headers };
    const response = await app.request(path, { method: "POST", body: text, headers: sent });
    return { status: response.status, body: (await response.json()) as Answer };
  };
  const begin = (tasks: unknown, headers?: Record<string, string>) =>
    post("/api/v1/tasks/begun", tasks === undefined ? {} : { tasks }, headers);
  const begun = () => context.recorded.flatMap((entry) => (entry.kind === "task.begun" ? [entry.task] : []));
  return { begin, begun, post };
}

describe("tasks that begin together", () => {
  it("are on record in their order, names as tokens, for the team of the key", async () => {
    const { begin, begun } = setUp();
    const { status, body } = await begin([
      { id: "t1", type: "resolve-ticket", customer: "Acme & <b>Sons</b>", began: nowMs - 5_000 },
      { type: "search", parent: "t1", root: "t1" },
    ]);
    expect(status).toBe(201);
    expect(body).toEqual({ begun: 2, known: 0, ids: ["t1", expect.stringMatching(/^task_/)] });
    expect(begun()).toMatchObject([
      { attribution: { task: "t1", customer: "n_00000000000000aa", team: "search" }, beganMs: nowMs - 5_000 },
      { attribution: { task: body.ids?.[1], parent: "t1", root: "t1" }, beganMs: nowMs },
    ]);
  });

  it("begin once: what was said first stands", async () => {
    const { begin, begun } = setUp();
    await begin([{ id: "t1", type: "a" }]);
    const again = await begin([{ id: "t1", type: "a" }]);
    expect([again.status, again.body]).toEqual([200, { begun: 0, known: 1, ids: ["t1"] }]);
    const more = await begin([
      { id: "t2", type: "b" },
      { id: "t1", type: "other" },
      { id: "t2", type: "c" },
    ]);
    expect([more.status, more.body]).toEqual([201, { begun: 1, known: 2, ids: ["t2", "t1", "t2"] }]);
    expect(begun().map(({ attribution }) => [attribution.task, attribution.type])).toEqual([
      ["t1", "a"],
      ["t2", "b"],
    ]);
  });

  it("begin once, also where one of them began alone", async () => {
    const { begin, begun, post } = setUp();
    await post("/api/v1/tasks", { id: "t1", type: "a" });
    expect((await begin([{ id: "t1", type: "a" }])).body).toMatchObject({ begun: 0, known: 1 });
    await begin([{ id: "t2", type: "b" }]);
    expect((await post("/api/v1/tasks", { id: "t2", type: "b" })).status).toBe(200);
    expect((await post("/api/v1/tasks", { id: "t2", type: "c" })).status).toBe(409);
    expect(begun()).toHaveLength(2);
  });

  it("are none of them on record when one is wrong, and each wrong one is named", async () => {
    const { begin, begun } = setUp();
    const { status, body } = await begin([{ id: "t1" }, { id: "t2", began: "soon" }, { id: "t3", parent: "t3" }, { id: "t4", what: 1 }, 7]);
    expect(status).toBe(400);
    expect(body.error?.code).toBe("request_malformed");
    for (const part of ["4 of 5 tasks are wrong", "tasks.1: began", "tasks.2: parent", "tasks.3: ", "tasks.4: "])
      expect(body.error?.message).toContain(part);
    expect(begun()).toEqual([]);
  });

  it.each([
    ["nothing", undefined],
    ["an empty list", []],
    ["no list", {}],
    ["too many", Array.from({ length: 1_001 }, () => ({}))],
  ])("cannot be %s", async (_, tasks) => {
    const { begin, begun } = setUp();
    expect((await begin(tasks)).status).toBe(400);
    expect(begun()).toEqual([]);
  });

  it("are for programs: a key for reading does not do", async () => {
    const { begin } = setUp();
    expect((await begin([{ id: "t1" }], { authorization: "Bearer reader" })).status).toBe(403);
    expect((await begin([{ id: "t1" }], {})).status).toBe(401);
    expect((await begin([{ id: "t1" }], { authorization: "Bearer nobody" })).status).toBe(401);
  });
});
