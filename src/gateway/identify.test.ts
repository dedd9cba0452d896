import { describe, expect, test } from "vitest";
import { type Attribution, unattributed } from "../core/call.ts";
import type { RequestHints } from "../providers/format.ts";
import { foreignBaggage, Identifier, readTrace } from "./identify.ts";
import { Tasks } from "./tasks.ts";

const none = { trace: null, span: null };
const hints = (some: Partial<RequestHints>): RequestHints => ({ user: null, session: null, previousResponse: null, metadata: {}, ...some });
const token = (name: string): string => `n_${Buffer.from(name).toString("hex").padEnd(16, "0").slice(0, 16)}`;

test("our own headers win over baggage, baggage over the trace, the trace over nothing", () => {
  const identifier = new Identifier(token);
  const trace = readTrace({ traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });
  expect(trace).toEqual({ trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" });
  const headers = { "x-pennyworth-task": "t1", baggage: "pennyworth.task=t2,pennyworth.feature=search%20box;p=1,other=x" };
  expect(identifier.attribute(headers, trace, null, [])).toMatchObject({ task: "t1", feature: "search box" });
  expect(identifier.attribute({ baggage: headers.baggage }, trace, null, [])).toMatchObject({ task: "t2" });
  expect(identifier.attribute({}, trace, null, [])).toMatchObject({ task: "0af7651916cd43dd8448eb211c80319c" });
  expect(identifier.attribute({}, none, null, [])).toMatchObject({ task: null, customer: null });
});

test("names of customers and users are tokens; other names are not", () => {
  const found = new Identifier(token).attribute(
    { "x-pennyworth-customer": "Ada", "x-pennyworth-agent": "Ada" },
    none,
    hints({ user: "Bob" }),
    [],
  );
  expect(found).toMatchObject({ customer: token("Ada"), user: token("Bob"), agent: "Ada" });
});

test("people can move over: Helicone's and Portkey's headers are understood", () => {
  const headers = {
    "helicone-property-environment-name": "staging",
    "helicone-user-id": "u1",
    "x-portkey-metadata": JSON.stringify({ _user: "u2", team: "core", release: "7" }),
  };
  const found = new Identifier(token).attribute(headers, none, null, []);
  expect(found).toMatchObject({ user: token("u1"), team: "core", tags: { "environment-name": "staging", release: "7" } });
});

test("tags come as a list or as JSON, and a broken one is refused by name", () => {
  const identifier = new Identifier(token);
  expect(identifier.attribute({ "x-pennyworth-tags": "a=1, b = x=y ,c" }, none, null, []).tags).toEqual({ a: "1", b: "x=y", c: "true" });
  expect(identifier.attribute({ "x-pennyworth-tags": '{"a":1,"__proto__":"x"}' }, none, null, []).tags).toEqual({ a: "1" });
  expect(() => identifier.attribute({ "x-pennyworth-tags": "{a" }, none, null, [])).toThrow(/x-pennyworth-tags/);
});

test("a UTF-8 name in a header is read as one", () => {
  const latin1 = Buffer.from("Zoë", "utf8").toString("latin1");
  expect(new Identifier((name) => name).attribute({ "x-pennyworth-customer": latin1 }, none, null, []).customer).toBe("Zoë");
});

test("a prompt that continues an earlier one belongs to its session", () => {
  const identifier = new Identifier(token);
  const first = identifier.attribute({}, none, null, ["aaaaaaaaaaaaaaaa:10", "bbbbbbbbbbbbbbbb:20"]).session;
  const next = identifier.attribute({}, none, null, [
    "aaaaaaaaaaaaaaaa:10",
    "bbbbbbbbbbbbbbbb:20",
    "cccccccccccccccc:30",
    "dddddddddddddddd:40",
  ]).session;
  const other = identifier.attribute({}, none, null, ["aaaaaaaaaaaaaaaa:10", "eeeeeeeeeeeeeeee:20"]).session;
  expect(first).toBe("~bbbbbbbbbbbbbbbb");
  expect(next).toBe(first);
  expect(other).not.toBe(first);
});

test("a response that names its predecessor belongs where that one did", () => {
  const identifier = new Identifier(token);
  const before = identifier.attribute({ "x-pennyworth-task": "t1", "x-pennyworth-customer": "Ada" }, none, null, []);
  identifier.remember("resp_1", { attribution: before, modelSent: "m", startMs: 7 });
  expect(identifier.made("resp_1")).toMatchObject({ modelSent: "m", startMs: 7 });
  expect(identifier.attribute({}, none, hints({ previousResponse: "resp_1" }), [])).toMatchObject({ task: "t1", customer: token("Ada") });
});

test("our members of baggage stay here, others go on", () => {
  expect(foreignBaggage("pennyworth.task=t, a=1,x-pennyworth-customer=c")).toBe(" a=1");
  expect(foreignBaggage("pennyworth.task=t")).toBeNull();
});

test("a call belongs to the team of its key, unless it says otherwise", () => {
  const identifier = new Identifier(token);
  expect(identifier.attribute({}, none, null, [], "core").team).toBe("core");
  expect(identifier.attribute({ "x-pennyworth-team": "edge" }, none, null, [], "core").team).toBe("edge");
});

const begin = (tasks: Tasks, some: Partial<Attribution>, keyTeam: string | null = null): void =>
  tasks.keep({ attribution: { ...unattributed, ...some }, beganMs: 1, reworkOf: null, key: null }, keyTeam);

describe("what was said when a task was begun", () => {
  test("fills what its calls leave open; what a call says itself goes first, wherever it says it", () => {
    const tasks = new Tasks();
    const customer = token("Acme");
    begin(tasks, {
      task: "t1",
      type: "resolve",
      customer,
      agent: "support",
      prompt: "v3",
      project: "p",
      tags: { channel: "mail", case: "7" },
    });
    const identifier = new Identifier(token, tasks);
    expect(identifier.attribute({ "x-pennyworth-task": "t1" }, none, null, [])).toEqual({
      ...unattributed,
      task: "t1",
      type: "resolve",
      customer,
      agent: "support",
      prompt: "v3",
      project: "p",
      tags: { channel: "mail", case: "7" },
    });
    const headers = { "x-pennyworth-task": "t1", "x-pennyworth-agent": "triage", "x-pennyworth-tags": "channel=chat" };
    const found = identifier.attribute(headers, none, hints({ metadata: { pennyworth_type: "triage" }, user: "Bob" }), []);
    expect(found).toMatchObject({ type: "triage", customer, agent: "triage", user: token("Bob"), tags: { channel: "chat", case: "7" } });
    expect(identifier.attribute({ "helicone-session-name": "own", "x-pennyworth-task": "t1" }, none, null, []).type).toBe("own");
    expect(identifier.attribute({ baggage: "pennyworth.task=t1" }, none, null, [])).toMatchObject({ customer, agent: "support" });
    expect(identifier.attribute({ "x-pennyworth-task": "t2" }, none, null, [])).toMatchObject({ type: null, customer: null, tags: {} });
  });

  test("holds for its parts, but for what kind of work those are: of the nearest that said something", () => {
    const tasks = new Tasks();
    begin(tasks, { task: "root", type: "resolve", customer: token("Acme"), feature: "inbox", agent: "lead", tags: { case: "7" } });
    begin(tasks, { task: "middle", type: "plan", parent: "root", agent: "planner" });
    begin(tasks, { task: "part", type: "search", parent: "middle", root: "root", prompt: "v2" });
    const identifier = new Identifier(token, tasks);
    // It was begun with its place in the tree: its calls need only name it.
    expect(identifier.attribute({ "x-pennyworth-task": "part" }, none, null, [])).toMatchObject({
      task: "part",
      parent: "middle",
      root: "root",
      type: "search",
      prompt: "v2",
      agent: "planner",
      customer: token("Acme"),
      feature: "inbox",
      tags: { case: "7" },
    });
    const headers = { "x-pennyworth-task": "unbegun", "x-pennyworth-root": "root" };
    expect(identifier.attribute(headers, none, null, [])).toMatchObject({
      task: "unbegun",
      type: null,
      agent: "lead",
      customer: token("Acme"),
    });
  });

  test("says the root of what only names its parent, where that was begun as a part", () => {
    const tasks = new Tasks();
    begin(tasks, { task: "middle", parent: "top" });
    begin(tasks, { task: "part", parent: "middle" });
    begin(tasks, { task: "lone" });
    const identifier = new Identifier(token, tasks);
    const rootOf = (headers: Record<string, string>): string | null => identifier.attribute(headers, none, null, []).root;
    expect(rootOf({ "x-pennyworth-task": "part" })).toBe("top");
    expect(rootOf({ "x-pennyworth-task": "new", "x-pennyworth-parent": "part" })).toBe("top");
    expect(rootOf({ "x-pennyworth-task": "new", "x-pennyworth-parent": "part", "x-pennyworth-root": "said" })).toBe("said");
    // Whether more is above this one is for the guard to say, which knows its calls.
    expect(rootOf({ "x-pennyworth-task": "new", "x-pennyworth-parent": "lone" })).toBeNull();
  });

  test("holds for what is below it, though only calls said so: and a trace is of the root", () => {
    const tasks = new Tasks();
    begin(tasks, { task: "top", customer: token("Acme") });
    const roots: Readonly<Record<string, string>> = { middle: "top", part: "top", top: "top" };
    const identifier = new Identifier(token, tasks, (task) => roots[task] ?? null);
    const headers = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
    const ask = (said: Record<string, string>) => identifier.attribute({ ...headers, ...said }, readTrace(headers), null, []);
    expect(ask({ "x-pennyworth-task": "new", "x-pennyworth-parent": "middle" })).toMatchObject({ root: null, customer: token("Acme") });
    expect(ask({ "x-pennyworth-task": "part" }).customer).toBe(token("Acme"));
    expect(ask({ "x-pennyworth-task": "top" }).customer).toBe(token("Acme"));
    expect(identifier.traced("0af7651916cd43dd8448eb211c80319c")).toBe("top");
  });

  test("a root that was taken is not said again by a call that names the response", () => {
    const identifier = new Identifier(token);
    const before = identifier.attribute({ "x-pennyworth-task": "t", "x-pennyworth-parent": "p" }, none, null, []);
    for (const [isRootTaken, root] of [
      [true, null],
      [undefined, "p"],
    ] as const) {
      identifier.remember("resp_1", { attribution: { ...before, root: "p" }, isRootTaken, modelSent: null, startMs: 1 });
      expect(identifier.attribute({}, none, hints({ previousResponse: "resp_1" }), []).root).toBe(root);
    }
  });

  test("goes before the call whose response it names", () => {
    const tasks = new Tasks();
    begin(tasks, { task: "t2", customer: token("Bolt") });
    const identifier = new Identifier(token, tasks);
    const before = identifier.attribute(
      { "x-pennyworth-task": "t1", "x-pennyworth-customer": "Acme", "x-pennyworth-agent": "a" },
      none,
      null,
      [],
    );
    identifier.remember("resp_1", { attribution: before, modelSent: null, startMs: 1 });
    const named = identifier.attribute({ "x-pennyworth-task": "t2" }, none, hints({ previousResponse: "resp_1" }), []);
    expect(named).toMatchObject({ task: "t2", customer: token("Bolt"), agent: "a" });
  });

  test("a team that was named goes before the team of the call's key, and that before the team of the key that began it", () => {
    const tasks = new Tasks();
    begin(tasks, { task: "named", team: "growth" }, "platform");
    begin(tasks, { task: "unnamed", team: "platform" }, "platform");
    const identifier = new Identifier(token, tasks);
    const teamOf = (task: string, keyTeam: string | null): string | null =>
      identifier.attribute({ "x-pennyworth-task": task }, none, null, [], keyTeam).team;
    expect([teamOf("named", "support"), teamOf("unnamed", "support"), teamOf("unnamed", null)]).toEqual(["growth", "support", "platform"]);
  });

  test("is remembered of so many tasks and so many characters, and of one the first stands", () => {
    const tasks = new Tasks();
    begin(tasks, { task: "first", type: "first" });
    begin(tasks, { task: "first", type: "second" });
    expect(tasks.of("first")?.attribution.type).toBe("first");
    for (let at = 0; at < 19_999; at++) begin(tasks, { task: `t${at}` });
    expect(tasks.of("first")).toBeDefined();
    begin(tasks, { task: "one more" });
    expect(tasks.of("first")).toBeUndefined();
    // 1,024 × 16 Ki characters are 16 Mi: of those that long there is room for fewer than 1,024.
    for (let at = 0; at < 1_024; at++) begin(tasks, { task: `long ${at}`, tags: { long: "x".repeat(16 * 1_024) } });
    expect(tasks.of("long 0")).toBeUndefined();
    expect(tasks.of("long 1023")).toBeDefined();
  });
});
