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
