// What many lines at once are checked for before they are taken: nothing goes on record by a check, and nothing that is not UTF-8 at all. Not here: what lines say
// (outcomes.test.ts, finished.test.ts).

import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createApi } from "./app.ts";
import { createMemory, nowMs } from "./memory.fixture.ts";

function setUp() {
  const context = createMemory([]);
  const app = createApi(context);
  const send = async (path: string, text: string | Buffer, type: string, more: Record<string, string> = {}) => {
    const body = new Uint8Array(Buffer.from(text));
    const headers = { authorization: "Bearer admin", "content-type": type, "content-length": String(body.length), ...more };
    const response = await app.request(`/api/v1${path}`, { method: "POST", body, headers });
    const said = JSON.parse(await response.text()) as Record<string, unknown> & { readonly error?: { readonly message: string } };
    return { status: response.status, body: said, message: said.error?.message };
  };
  return { context, send };
}

const latin = (text: string): Buffer => Buffer.from(text, "latin1");

describe("a check", () => {
  it("answers as if outcomes were taken, and puts nothing on record", async () => {
    const { context, send } = setUp();
    const table = "task,type,customer,cost,result\nt1,fix,Acme,1,success\nt2,fix,Beta,,failure\n";
    const counts = { recorded: 2, known: 0, begun: 2, costs: 2 };
    for (let times = 0; times < 2; times++)
      expect(await send("/outcomes?check=true", table, "text/csv")).toMatchObject({ status: 200, body: counts });
    expect(context.recorded).toEqual([]);
    expect(await send("/outcomes?check=false", table, "text/csv")).toMatchObject({ status: 201, body: counts });
    expect(context.recorded).toHaveLength(6);
    const known = { recorded: 0, known: 2, begun: 0, costs: 0 };
    expect(await send("/outcomes?check=true", table, "text/csv")).toMatchObject({ status: 200, body: known });
    expect(await send("/outcomes?check=true", "task,cost\nt1,2\n", "text/csv")).toMatchObject({
      status: 400,
      message: expect.stringContaining('line 2: cost: 1 is on record of "t1"'),
    });
    expect(context.recorded).toHaveLength(6);
    expect((await send("/outcomes?check=yes", table, "text/csv")).status).toBe(400);
  });

  it("answers as if amounts were taken, and puts nothing on record", async () => {
    const { context, send } = setUp();
    const body = JSON.stringify({ revenue: [{ id: "r1", customer: "Acme", amount: "5", from: "2026-10-01", to: "2026-11-01" }] });
    const answer = { status: 200, body: { recorded: 1, known: 0 } };
    expect(await send("/revenue/imports?check=true", body, "application/json")).toMatchObject(answer);
    expect(context.recorded).toEqual([]);
    expect(await send("/revenue/imports", body, "application/json")).toMatchObject({ ...answer, status: 201 });
    expect(context.recorded).toHaveLength(1);
  });
});

describe("what is not UTF-8", () => {
  const line = '{"task": "t1", "result": "success", "judge": "person", "source": "Müller"}';

  it.each([
    ["/outcomes", "text/csv", latin("task,type,customer\nl1,a,Miller\nl2,a,Müller\n"), "line 3 is not UTF-8"],
    ["/outcomes", "text/csv; charset=iso-8859-1", latin("task,type,customer\nl1,a,Müller\n"), "line 2 is not UTF-8"],
    ["/outcomes", "text/csv; charset=iso-8859-1", "task,type,customer\nl1,a,Müller\n", "its charset is iso-8859-1, not UTF-8"],
    ["/outcomes", "text/csv", Buffer.from("\uFEFFtask,type\n", "utf16le"), "it is UTF-16, not UTF-8"],
    ["/outcomes", "application/json", latin(`{"outcomes": [\n${line}]}`), "line 2 is not UTF-8"],
    ["/tasks", "application/json", latin('{"id": "t1", "customer": "Müller"}'), "line 1 is not UTF-8"],
    ["/tasks/t1/outcomes", "application/json", latin('{"result": "success", "source": "é"}'), "line 1 is not UTF-8"],
    ["/tasks/begun", "application/json", latin('{"tasks": [{"id": "t1", "customer": "Müller"}]}'), "line 1 is not UTF-8"],
    ["/revenue", "application/json", latin('{"customer": "Müller", "amount": "1", "from": "2026-10-01"}'), "line 1 is not UTF-8"],
    ["/revenue/imports", "text/csv", latin("customer,amount,from\nMüller,1,2026-10-01\n"), "line 2 is not UTF-8"],
  ])("is refused by %s as %s", async (path, type, body, fault) => {
    const { context, send } = setUp();
    expect(await send(path, body, type)).toMatchObject({ status: 400, message: expect.stringContaining(`${fault}: send it as UTF-8`) });
    expect(context.recorded).toEqual([]);
  });

  it("is not looked at before it is known who sends it", async () => {
    const { send } = setUp();
    expect((await send("/revenue", latin("é"), "application/json", { authorization: "Bearer nobody" })).status).toBe(401);
  });

  it("is refused where it was signed, too", async () => {
    const { context, send } = setUp();
    context.hooks.set("ci", `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`);
    const [body, at] = [latin(line), String(Math.floor(nowMs / 1_000))];
    const digest = createHmac("sha256", "0123456789abcdef0123456789abcdef").update(`m.${at}.`).update(body).digest("base64");
    const signed = { "webhook-id": "m", "webhook-timestamp": at, "webhook-signature": `v1,${digest}` };
    expect(await send("/outcomes/hooks/ci", body, "application/json", signed)).toMatchObject({
      status: 400,
      message: expect.stringContaining("line 1 is not UTF-8"),
    });
    expect(context.recorded).toEqual([]);
  });

  it("is not what has UTF-8's mark, or letters of another charset that are the same", async () => {
    const { send } = setUp();
    expect((await send("/outcomes", "\uFEFFtask,type,customer\nl1,a,Müller\n", "text/csv; charset=UTF-8")).status).toBe(201);
    expect((await send("/outcomes", "task,type\nl2,a\n", "text/csv; charset=iso-8859-1")).status).toBe(201);
    expect((await send("/tasks", '\uFEFF{"id": "t1", "customer": "東京"}', "application/json")).status).toBe(201);
  });
});
