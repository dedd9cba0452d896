import { describe, expect, it } from "vitest";
import { createApi } from "./app.ts";
import { createMemory, type MemoryContext, nowMs } from "./memory.fixture.ts";

const apps = new WeakMap<MemoryContext, ReturnType<typeof createApi>>();

async function ask(context: MemoryContext, method: string, path: string, body?: unknown, token = "admin") {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const app = apps.get(context) ?? createApi(context);
  apps.set(context, app);
  const response = await app.request(`/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "content-length": String(text?.length ?? 0) },
    ...(text === undefined ? {} : { body: text }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> & { error?: { code: string } } };
}

const wanted = { provider: "azure", item: "hosting", model: "gpt-4o-mini-ft", from: "2026-11-01", to: "2026-12-01", cost: "41.10" };

const begin = (context: MemoryContext, said: object) => ask(context, "POST", "/tasks", said, "user");
const attributionOf = async (context: MemoryContext, attribution: object) =>
  (await ask(context, "POST", "/charges", { ...wanted, item: "task", attribution })).body["attribution"];

describe("charges of periods", () => {
  it("are declared once, whoever says it again; the customer is a token on record and a name in the answer", async () => {
    const context = createMemory([]);
    const body = { ...wanted, id: "hosting-2026-11", attribution: { customer: "Acme & <b>Sons</b>", tags: { a: "b" } } };
    const made = await ask(context, "POST", "/charges", body);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ id: "hosting-2026-11", cost: "41.1", item: "hosting", witness: "declared", voidedMs: null });
    expect(made.body["attribution"]).toMatchObject({ customer: "Acme & <b>Sons</b>", tags: { a: "b" } });
    expect(context.recorded).toMatchObject([
      { kind: "charge", charge: { costPico: 41_100_000_000_000n, attribution: { customer: "n_00000000000000aa" }, bookedMs: nowMs } },
    ]);
    expect((await ask(context, "POST", "/charges", body)).status).toBe(200);
    const both = await Promise.all([0, 1, 2].map(() => ask(context, "POST", "/charges", { ...body, id: "at-once" })));
    expect(both.map((answer) => answer.status).toSorted()).toEqual([200, 200, 201]);
    expect(context.recorded).toHaveLength(2);
    const other = await ask(context, "POST", "/charges", { ...body, cost: "41.11" });
    expect([other.status, other.body.error?.code]).toEqual([409, "charge_taken"]);
    expect(context.recorded).toHaveLength(2);
  });

  describe("of a task that was begun by name", () => {
    it("have what they do not say from what was said then", async () => {
      const context = createMemory([]);
      const said = {
        type: "resolve-ticket",
        customer: "Acme & <b>Sons</b>",
        agent: "solver",
        session: "s-1",
        prompt: "v3",
        branch: "main",
      };
      await begin(context, { id: "run-1", ...said, tags: { case: "leap", release: "v1" } });
      const made = await ask(context, "POST", "/charges", {
        ...wanted,
        item: "task",
        attribution: { task: "run-1", agent: "searcher", tags: { release: "v2" } },
      });
      expect(made.body["attribution"]).toMatchObject({ ...said, task: "run-1", agent: "searcher", tags: { case: "leap", release: "v2" } });
      expect(made.body).toMatchObject({ provider: wanted.provider, model: wanted.model });
      expect(context.recorded.at(-1)).toMatchObject({ kind: "charge", charge: { attribution: { customer: "n_00000000000000aa" } } });
    });

    it("have of their parent's task and its root all but the kind of work, after what their own was begun with", async () => {
      const context = createMemory([]);
      await begin(context, { id: "whole", type: "resolve-ticket", customer: "Acme & <b>Sons</b>", feature: "tickets", project: "p" });
      await begin(context, { id: "part", type: "search", parent: "whole", root: "whole", project: "own" });
      const had = { customer: "Acme & <b>Sons</b>", feature: "tickets", parent: "whole", root: "whole" };
      expect(await attributionOf(context, { task: "part" })).toMatchObject({ ...had, type: "search", project: "own" });
      expect(await attributionOf(context, { task: "unheard", parent: "whole" })).toMatchObject({
        task: "unheard",
        type: null,
        project: "p",
      });
    });

    it("have the root of what they are a part of, and are the same when more is known of that later", async () => {
      const context = createMemory([]);
      const rootOf = async (attribution: object) => (await attributionOf(context, attribution)) as { root: string | null };
      expect(await rootOf({ task: "new", parent: "middle" })).toMatchObject({ root: "top" });
      expect(await rootOf({ task: "new", parent: "other" })).toMatchObject({ root: "other" });
      expect(await rootOf({ task: "middle" })).toMatchObject({ root: "top" });
      const body = { ...wanted, id: "part", item: "task", attribution: { task: "new", parent: "middle" } };
      expect((await ask(context, "POST", "/charges", body)).status).toBe(201);
      const later = Object.assign(context, { rootOf: () => "higher" });
      expect((await ask(later, "POST", "/charges", body)).status).toBe(200);
      const known = { ...body, id: "known", attribution: { task: "middle" } };
      expect([(await ask(later, "POST", "/charges", known)).status, (await ask(later, "POST", "/charges", known)).status]).toEqual([
        201, 200,
      ]);
      const self = await ask(later, "POST", "/charges", { ...body, id: "self", attribution: { task: "self", parent: "self" } });
      expect([self.status, JSON.stringify(self.body)]).toEqual([400, expect.stringContaining("parent: it is the task itself")]);
    });

    it("have what is above them from what was begun, however long ago, and its words", async () => {
      const context = createMemory([]);
      await begin(context, { id: "far", customer: "Acme & <b>Sons</b>" });
      await begin(context, { id: "near", parent: "far" });
      await begin(context, { id: "deep", parent: "near" });
      expect(await attributionOf(context, { task: "deep" })).toMatchObject({
        parent: "near",
        root: "far",
        customer: "Acme & <b>Sons</b>",
      });
    });

    it("have nothing of other tasks, and no more tags than a call may have", async () => {
      const context = createMemory([]);
      await begin(context, {
        id: "run-1",
        customer: "Acme",
        tags: Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`t${n}`, "1"])),
      });
      expect(await attributionOf(context, { task: "run-2" })).toMatchObject({ customer: null, tags: {} });
      const { tags } = (await attributionOf(context, { task: "run-1", tags: { own: "2" } })) as { tags: Record<string, string> };
      expect([Object.keys(tags).length, tags["own"]]).toEqual([64, "2"]);
    });

    it("are the same when they are sent again, whichever was said first", async () => {
      const context = createMemory([]);
      const body = { ...wanted, item: "task", attribution: { task: "run-1" } };
      const send = async (id: string, attribution: object) => {
        const { status } = await ask(context, "POST", "/charges", { ...body, id, attribution: { ...body.attribution, ...attribution } });
        return status;
      };
      expect(await send("before", {})).toBe(201);
      await begin(context, { id: "run-1", customer: "Acme & <b>Sons</b>", tags: { case: "leap" } });
      expect(await send("before", {})).toBe(200);
      expect([await send("after", {}), await send("after", {})]).toEqual([201, 200]);
      expect(await send("after", { customer: "Acme & <b>Sons</b>", tags: { case: "leap" } })).toBe(200);
      expect([await send("after", { customer: "Nobody" }), await send("after", { tags: { case: "wordy" } })]).toEqual([409, 409]);
      expect([await send("own", { agent: "solver" }), await send("own", {})]).toEqual([201, 409]);
    });
  });

  it("teach the map no name where they are refused", async () => {
    const context = createMemory([]);
    const learned: string[] = [];
    const { token } = context.names;
    context.names.token = (name) => {
      learned.push(name);
      return token(name);
    };
    const body = { ...wanted, id: "hosting-2026-11", attribution: { customer: "Acme & <b>Sons</b>" } };
    await ask(context, "POST", "/charges", { ...body, cost: "lots" });
    expect(learned).toEqual([]);
    await ask(context, "POST", "/charges", body);
    expect(learned).toEqual(["Acme & <b>Sons</b>"]);
    await ask(context, "POST", "/charges", { ...body, attribution: { customer: "Nobody" } });
    expect(learned).toEqual(["Acme & <b>Sons</b>"]);
  });

  it("are voided by a correcting entry, once, and their id is not used again", async () => {
    const context = createMemory([]);
    const id = "google:cachedContents/abc";
    await ask(context, "POST", "/charges", { ...wanted, id });
    const path = `/charges/${encodeURIComponent(id)}`;
    expect((await ask(context, "DELETE", path)).body).toMatchObject({ id, voidedMs: nowMs });
    expect((await ask(context, "DELETE", path)).status).toBe(200);
    expect(context.recorded.map((entry) => entry.kind)).toEqual(["charge", "charge.voided"]);
    expect((await ask(context, "POST", "/charges", { ...wanted, id })).body.error?.code).toBe("charge_taken");
    expect((await ask(context, "DELETE", "/charges/nothing")).body.error?.code).toBe("charge_unknown");
    expect((await ask(context, "GET", "/charges?limit=1")).body).toMatchObject({ charges: [{ id, voidedMs: nowMs }], truncated: false });
  });

  it.each([
    [{ from: "2026-12-01" }, /not before/],
    [{ to: "2039-11-01" }, /longer than 1100 days/],
    [{ from: "yesterday" }, /from is "yesterday"/],
    [{ cost: "1e" }, /cost/],
    [{ cost: "-1" }, /expected 0 to/],
    [{ cost: "0.0000000000001" }, /twelve decimals/],
    [{ cost: "1000000" }, /expected 0 to/],
    [{ cost: 41.1 }, /cost/],
    [{ item: "lunch" }, /item/],
    [{ provider: "Azure!" }, /provider/],
    [{ id: "a b" }, /id/],
    [{ colour: "red" }, /colour/],
    [{ attribution: { nobody: "x" } }, /nobody/],
    [{ quantity: 1.5 }, /quantity/],
  ])("refuse %j", async (change, message) => {
    const context = createMemory([]);
    const { status, body } = await ask(context, "POST", "/charges", { ...wanted, ...change });
    expect([status, String((body.error as unknown as { message: string }).message)]).toEqual([400, expect.stringMatching(message)]);
    expect(context.recorded).toEqual([]);
  });

  it("are an administrator's to declare and a reader's to read", async () => {
    const context = createMemory([]);
    expect((await ask(context, "POST", "/charges", wanted, "reader")).status).toBe(403);
    expect((await ask(context, "DELETE", "/charges/x", undefined, "reader")).status).toBe(403);
    expect((await ask(context, "GET", "/charges", undefined, "reader")).status).toBe(200);
    expect((await ask(context, "GET", "/work", undefined, "reader")).body).toEqual({ nowMs, open: [], ended: [] });
    expect((await ask(context, "GET", "/work", undefined, "user")).status).toBe(403);
  });
});
