// Tasks as a program runs them: what is said of them and when, how they nest, and that the program's own errors and values pass as they are.

import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { pennyworth } from "./pennyworth.ts";
import { quick, type Said, sink } from "./sink.fixture.ts";

const details = { customer: "Acme", feature: "support", agent: "resolver" };
const limits = quick;

/** Without what differs from run to run. */
function plain(said: Said): Said {
  return Object.fromEntries(Object.entries(said).filter(([name]) => !["id", "at", "began"].includes(name)));
}

describe("a task", () => {
  it("gives back what the work gives back, and says what was said", async () => {
    const client = sink({ limits });
    const startMs = Date.now();
    const [id, value] = await client.task("resolve-ticket", details, async (t) => {
      t.succeed({ value: 2.5, reviewMinutes: 1, source: "resolver" });
      return [t.id, 42];
    });
    expect(value).toBe(42);
    await client.flush();
    expect(client.taken("tasks")).toEqual([{ id, root: id, type: "resolve-ticket", ...details, began: expect.any(Number) }]);
    expect(client.taken("outcomes")).toEqual([
      {
        id: expect.any(String),
        task: id,
        result: "success",
        judge: "self",
        at: expect.any(Number),
        value: "2.5",
        reviewMinutes: 1,
        source: "resolver",
      },
    ]);
    const [{ began }, { at }] = [client.taken("tasks")[0] as Said, client.taken("outcomes")[0] as Said];
    expect(began).toBeGreaterThanOrEqual(startMs);
    expect(at).toBeGreaterThanOrEqual(began as number);
  });

  it("without details, and work that is no promise, are fine", async () => {
    const client = sink({ limits });
    expect(await client.task("a", () => 1)).toBe(1);
    expect(await client.task("b", null, () => 2)).toBe(2);
    expect(await client.task("c", undefined, () => 3)).toBe(3);
    await client.flush();
    expect(client.taken("tasks").map(({ type }) => type)).toEqual(["a", "b", "c"]);
  });

  it("of which nothing is said says nothing", async () => {
    const client = sink({ limits });
    await client.task("a", async () => {});
    await client.flush();
    expect(client.taken("outcomes")).toEqual([]);
    expect(client.taken("tasks")).toHaveLength(1);
  });

  it("is rework of another, under an id of its own", async () => {
    const client = sink({ limits });
    await client.task("fix", { id: "bug-4711b", reworkOf: "bug-4711" }, (t) => expect(t.id).toBe("bug-4711b"));
    await client.flush();
    expect(client.taken("tasks").map(plain)).toEqual([{ root: "bug-4711b", type: "fix", reworkOf: "bug-4711" }]);
  });

  it("can be revised: the later statement has the later time, also within a millisecond", async () => {
    const client = sink({ limits });
    await client.task("a", (t) => {
      t.succeed();
      t.fail({ reason: "reverted" });
      t.outcome({ judge: "check", source: "ci", result: "success" });
    });
    await client.flush();
    const said = client.taken("outcomes");
    expect(said.map(({ result, judge, reason }) => [result, judge, reason])).toEqual([
      ["success", "self", undefined],
      ["failure", "self", "reverted"],
      ["success", "check", undefined],
    ]);
    const times = said.map(({ at }) => at as number);
    expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
  });

  it("can hand its parts on", async () => {
    const client = sink({ limits });
    await client.task("a", ({ succeed, task, carry, id }) => {
      succeed();
      expect(carry()["x-pennyworth-task"]).toBe(id);
      return task("b", () => {});
    });
    await client.flush();
    expect(client.taken("tasks").map(({ type }) => type)).toEqual(["a", "b"]);
  });
});

describe("work that throws", () => {
  class RateLimitError extends Error {}
  class Föö extends Error {}
  class 例外 extends Error {}
  const spaced = new (Object.defineProperty(class extends Error {}, "name", { value: "of customer 12" }))("private");
  const renamed = Object.assign(new Error("of customer 12"), { name: "customer 12" });
  it.each([
    ["an error", new TypeError("private: sk-123"), "error:TypeError"],
    ["an error of a library", new RateLimitError("private"), "error:RateLimitError"],
    ["an error whose class is not in ASCII", new Föö("private"), "error:Föö"],
    ["an error whose class is in no alphabet", new 例外("private"), "error:例外"],
    ["an error whose class has no name of a class", spaced, "error"],
    ["an abort", new DOMException("private", "AbortError"), "error:AbortError"],
    ["an error by another name", renamed, "error:Error"],
    ["a string", "private", "error"],
    ["nothing", undefined, "error"],
    ["what has no class", Object.create(null), "error"],
  ])("%s fails, and that goes on unchanged", async (_, thrown, reason) => {
    const client = sink({ limits });
    const caught = await client
      .task("a", async () => {
        throw thrown;
      })
      .then(
        () => "nothing",
        (cause: unknown) => ({ cause }),
      );
    expect(caught).toEqual({ cause: thrown });
    await client.flush();
    expect(client.taken("outcomes").map(plain)).toMatchObject([{ result: "failure", judge: "self", reason }]);
    expect(JSON.stringify(client.requests)).not.toMatch(/private|customer 12/);
  });

  it("before it is a promise, fails too", async () => {
    const client = sink({ limits });
    await expect(
      client.task("a", () => {
        throw new RangeError("x");
      }),
    ).rejects.toThrow(RangeError);
    await client.flush();
    expect(client.taken("outcomes")).toMatchObject([{ result: "failure", reason: "error:RangeError" }]);
  });

  it("knows best why, when it said so", async () => {
    const client = sink({ limits });
    await client
      .task("a", (t) => {
        t.fail({ reason: "tests_failed" });
        throw new Error("x");
      })
      .catch(() => {});
    await client.flush();
    expect(client.taken("outcomes").map(({ reason }) => reason)).toEqual(["tests_failed"]);
  });

  it("after it said that it worked, failed, by the same source", async () => {
    const client = sink({ limits });
    await client
      .task("a", (t) => {
        t.succeed({ source: "me" });
        throw new Error("x");
      })
      .catch(() => {});
    await client.flush();
    expect(client.taken("outcomes").map(({ result, source }) => [result, source])).toEqual([
      ["success", "me"],
      ["failure", "me"],
    ]);
  });
});

describe("what a task is worth", () => {
  it.each([
    [12.5, "12.5"],
    ["12.50", "12.50"],
    [0, "0"],
    [0.1 + 0.2, "0.300000000000"],
    [123_456_789.1, "123456789.1"],
    [1e-13, "1e-13"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
  ])("%s is said as %s", async (value, said) => {
    const client = sink({ limits });
    client.outcome("t", { value });
    await client.flush();
    expect(client.taken("outcomes")[0]?.["value"]).toBe(said);
  });

  it("and what is no number is not taken for nothing said", async () => {
    const client = sink({ limits });
    client.outcome("t", { reviewMinutes: Number.NaN, at: new Date(Number.NaN) });
    await client.flush();
    expect(client.taken("outcomes")).toMatchObject([{ reviewMinutes: "NaN", at: "NaN" }]);
  });
});

it("what cannot be said at all is told, and holds up nothing", async () => {
  const client = sink({ limits });
  client.outcome("t", { result: "success", at: 5n as never });
  client.outcome("t", { id: "o2", result: "success" });
  expect(await client.flush()).toBe(0);
  expect(client.taken("outcomes").map(({ id }) => id)).toEqual(["o2"]);
  expect(client.troubles).toMatchObject([{ kind: "refused", lost: 1 }]);
});

describe.each([
  ["found in the runtime", undefined],
  ["handed over", new AsyncLocalStorage()],
])("tasks within tasks, with storage %s", (_, storage) => {
  const options = { limits, ...(storage === undefined ? {} : { storage }) };

  it("nest by themselves, side by side", async () => {
    const client = sink(options);
    await Promise.all(
      ["x", "y"].map((name) =>
        client.task("root", { id: name, customer: name }, async () => {
          await wait(1);
          await Promise.all(
            [1, 2].map((number) =>
              client.task("part", { id: `${name}${number}` }, async (t) => {
                await wait(number);
                expect(client.current()).toBe(t);
              }),
            ),
          );
          expect(client.current()?.id).toBe(name);
        }),
      ),
    );
    expect(client.current()).toBeNull();
    await client.flush();
    const parts = client
      .taken("tasks")
      .filter(({ type }) => type === "part")
      .map(plain);
    expect(parts.toSorted((a, b) => (String(a["customer"]) < String(b["customer"]) ? -1 : 1))).toEqual(
      ["x", "x", "y", "y"].map((name) => ({ root: name, parent: name, type: "part", customer: name })),
    );
  });

  it("are not those of another client", async () => {
    const [one, other] = [sink(options), sink({ ...options, key: "pw_other" })];
    await one.task("a", async () => {
      expect(other.current()).toBeNull();
      await other.fetch("http://127.0.0.1:4242/v1/models");
    });
    expect(other.requests[0]?.headers.get("x-pennyworth-task")).toBeNull();
    expect(other.requests[0]?.headers.get("x-pennyworth-key")).toBe("pw_other");
  });
});

it("without storage tasks nest by hand, and the module's own are roots", async () => {
  const client = sink({ limits, storage: null });
  await client.task("a", { id: "a" }, async (t) => {
    await t.task("b", { id: "b" }, (t2) => t2.task("c", { id: "c" }, () => {}));
    await client.task("d", { id: "d" }, () => expect(client.current()).toBeNull());
  });
  await client.flush();
  expect(client.taken("tasks").map(({ id, root, parent }) => [id, root, parent])).toEqual([
    ["a", "a", undefined],
    ["b", "a", "a"],
    ["c", "a", "b"],
    ["d", "d", undefined],
  ]);
});

describe("fetch", () => {
  // Nothing is sent meanwhile but what is asked for.
  const unhurried = { ...quick, gatherMs: 1_000 };
  const url = "http://127.0.0.1:4242/v1/chat/completions";

  it("says whose call it is, and brings the key", async () => {
    const client = sink({ limits: unhurried, key: "pw_1" });
    await client.task("a", { id: "t1", customer: "Müller" }, async (t) => {
      await t.fetch(url, { method: "POST", headers: { authorization: "Bearer sk-1" }, body: "{}" });
      await client.fetch(new URL(url), { headers: [["x-other", "1"]] });
      await t.fetch(new Request(url, { headers: { "x-pennyworth-step": "plan" } }));
    });
    const own = {
      "x-pennyworth-task": "t1",
      "x-pennyworth-root": "t1",
      "x-pennyworth-type": "a",
      "x-pennyworth-customer": "MÃ¼ller",
      "x-pennyworth-key": "pw_1",
    };
    expect(client.requests.slice(0, 3).map(({ headers }) => Object.fromEntries(headers))).toEqual([
      { ...own, authorization: "Bearer sk-1" },
      { ...own, "x-other": "1" },
      { ...own, "x-pennyworth-step": "plan" },
    ]);
    expect(client.requests.slice(0, 3).map(({ redirect }) => redirect)).toEqual(["manual", "manual", "manual"]);
  });

  it.each([
    "https://127.0.0.1:4242/v1/models",
    "http://127.0.0.1:4243/v1/models",
    "http://localhost:4242/v1/models",
    "http://127.0.0.1:4242@evil.example/v1/models",
    "http://evil.example/?http://127.0.0.1:4242/",
    "/v1/models",
  ])("changes nothing of a request to %s", async (elsewhere) => {
    const client = sink({ limits: unhurried, key: "pw_1" });
    await client.task("a", (t) => t.fetch(elsewhere, { headers: { "x-mine": "1" } }));
    expect(Object.fromEntries(client.requests[0]?.headers ?? [])).toEqual({ "x-mine": "1" });
    expect(client.requests[0]?.redirect).toBeUndefined();
  });

  it("knows a Pennyworth that is below a path by that path alone", async () => {
    const client = sink({ limits: unhurried, url: "https://ai.example/pennyworth/" });
    await client.task("a", { id: "t1" }, async (t) => {
      await t.fetch("https://ai.example/pennyworth/v1/models");
      await t.fetch("https://ai.example/pennyworth/../other");
      await t.fetch("https://ai.example/pennyworthy/v1/models");
    });
    expect(client.requests.map(({ headers }) => headers.get("x-pennyworth-task"))).toEqual(["t1", null, null]);
    await client.flush();
    expect(client.requests.at(-1)?.url).toBe("https://ai.example/pennyworth/api/v1/tasks/begun");
  });

  it("leaves a request alone that names its own task, but for the key", async () => {
    const client = sink({ limits: unhurried, key: "pw_1" });
    await client.task("a", details, (t) => t.fetch(url, { headers: { "X-Pennyworth-Task": "mine" } }));
    expect(Object.fromEntries(client.requests[0]?.headers ?? [])).toEqual({ "x-pennyworth-task": "mine", "x-pennyworth-key": "pw_1" });
  });

  it("of no task says nothing", async () => {
    const client = sink({ limits: unhurried });
    await client.fetch(url);
    expect([...(client.requests[0]?.headers ?? [])]).toEqual([]);
  });
});

describe("another process", () => {
  it("goes on with the task, and begins none anew", async () => {
    const [here, there] = [sink({ limits, key: "pw_here" }), sink({ limits, key: "pw_there" })];
    const carried = await here.task("a", { id: "t1", customer: "株式会社", tags: { tier: "gold" } }, (t) => {
      expect(Object.keys(t.headers)).toEqual([
        "x-pennyworth-task",
        "x-pennyworth-root",
        "x-pennyworth-type",
        "x-pennyworth-customer",
        "x-pennyworth-tags",
        "baggage",
      ]);
      return t.carry({ Accept: "text/plain", baggage: "userId=1" });
    });
    expect(carried).toMatchObject({ accept: "text/plain", baggage: expect.stringMatching(/^userId=1,x-pennyworth-task=t1/) });
    expect(JSON.stringify(carried)).not.toContain("pw_");
    const result = await there.resume(JSON.parse(JSON.stringify(carried)) as Record<string, string>, async (t) => {
      expect(t?.id).toBe("t1");
      expect(there.current()).toBe(t);
      await there.task("b", { id: "t2" }, () => {});
      return "done";
    });
    expect(result).toBe("done");
    await there.flush();
    expect(there.taken("tasks").map(plain)).toEqual([
      { root: "t1", parent: "t1", type: "b", customer: "株式会社", tags: { tier: "gold" } },
    ]);
  });

  it("may fail without the task having failed", async () => {
    const client = sink({ limits });
    expect(() =>
      client.resume({ "x-pennyworth-task": "t1" }, () => {
        throw new Error("x");
      }),
    ).toThrow("x");
    await client.flush();
    expect(client.requests).toEqual([]);
  });

  it("that was told of no task runs all the same", () => {
    const client = sink({ limits });
    expect(client.resume({})).toBeNull();
    expect(client.resume({}, (t) => [t, client.current()])).toEqual([null, null]);
  });
});

describe("where", () => {
  it("is on loopback unless told", async () => {
    const client = sink({ limits });
    client.outcome("t1", { result: "success" });
    await client.flush();
    expect(client.requests[0]?.url).toBe("http://127.0.0.1:4242/api/v1/outcomes");
  });

  it.each(["", "127.0.0.1:4242", "ftp://x", "http://user:secret@x", "http://x/?a", "http://x/#a"])("cannot be %j", (url) => {
    expect(() => pennyworth({ url })).toThrow(/is no address of a server/);
  });
});

describe("a slip of the keyboard", () => {
  it("in what is said of a task is told, and the rest of it is said", async () => {
    const client = sink({ limits });
    const mistyped = { custmer: "Acme", agent: "coder" };
    await client.task("fix-bug", mistyped as object, (t) => t.succeed({ value: 1, reviewMinute: 3 } as object));
    client.outcome("ticket-1", { result: "success", judg: "person" } as object);
    await client.flush();
    expect(client.taken("tasks").map(plain)).toMatchObject([{ type: "fix-bug", agent: "coder" }]);
    expect(client.taken("outcomes")).toMatchObject([{ value: "1" }, { task: "ticket-1", result: "success", judge: "self" }]);
    expect(client.troubles.map(({ kind, lost }) => `${kind} ${lost}`)).toEqual(["refused 0", "refused 0", "refused 0"]);
    const [first, second, third] = client.troubles.map(({ message }) => message);
    expect(first).toMatch(/^The task fix-bug says custmer, which Pennyworth does not know .*There are: id, customer, .*reworkOf\.$/);
    expect(second).toMatch(/says reviewMinute, .*reviewMinutes/);
    expect(third).toMatch(/the task ticket-1 ended says judg, /);
  });

  it("is none where everything is known, or nothing is said", async () => {
    const client = sink({ limits });
    const all = {
      id: "a",
      customer: "b",
      user: "c",
      feature: "d",
      agent: "e",
      team: "f",
      step: "plan",
      session: "g",
      project: "h",
      branch: "i",
    };
    await client.task("a", { ...all, prompt: "j", environment: "k", tags: { l: 1 }, reworkOf: "m" }, (t) => {
      t.outcome({
        result: "success",
        judge: "check",
        at: 1_760_000_000_000,
        id: "o",
        value: 1,
        reviewMinutes: 1,
        source: "s",
        reason: "r",
      });
      t.succeed();
    });
    await client.task("b", null, (t) => t.fail(undefined));
    await client.flush();
    expect(client.troubles).toEqual([]);
  });
});
