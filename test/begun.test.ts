// A task is begun by name, and its calls only name it: then reports, tasks and budgets know whose they are, after a restart too. A real server and
// its store. Not here: which word goes before which (src/gateway/identify.test.ts).

import { afterAll, beforeAll, expect, it } from "vitest";
import { startGateway, type TestGateway } from "./gateway.ts";
import { temporaryFolder } from "./process.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let gateway: TestGateway;
const open = (): Promise<TestGateway> =>
  startGateway({ data: folder.path, budgets: [{ id: "acme", owner: "Ada", limit: "$1 per month", for: { customer: "Acme GmbH" } }] });
beforeAll(async () => {
  folder = await temporaryFolder();
  gateway = await open();
});
afterAll(async () => {
  await gateway?.close();
  await folder?.remove();
});

async function call(headers: Record<string, string>): Promise<Record<string, unknown>> {
  const messages = [{ role: "user", content: "Hello. [[sandbox input-tokens=100 output-tokens=40]]" }];
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: "gpt-4o-mini", max_tokens: 50, messages }),
  });
  expect(response.status, await response.text()).toBe(200);
  const receipt = await gateway.receipt(response.headers.get("x-pennyworth-call") ?? "");
  return receipt.start as unknown as Record<string, unknown>;
}

it("calls that name a task are those of whom it was begun for, in reports, lists and budgets, and after a restart", async () => {
  const begun = { id: "t1", type: "resolve", customer: "Acme GmbH", feature: "inbox", agent: "support", tags: { case: "7" } };
  await gateway.post("/tasks", begun);
  await gateway.post("/tasks/begun", { tasks: [{ id: "t1-part", type: "search", parent: "t1", root: "t1" }] });
  const ended = { id: "o1", result: "success", value: "2" };
  await gateway.post("/tasks/t1/outcomes", ended);
  const attribution = { type: "resolve", customer: "Acme GmbH", feature: "inbox", agent: "support", tags: { case: "7" } };
  expect(await call({ "x-pennyworth-task": "t1" })).toMatchObject({ attribution, guard: { budgets: ["acme"] } });
  expect(await call({ "x-pennyworth-task": "t1-part" })).toMatchObject({
    attribution: { ...attribution, type: "search", parent: "t1", root: "t1" },
  });

  await gateway.close();
  gateway = await open();
  // What was said before is known again as it stands in the store: the same is, and other words under its id are refused.
  const status = async (path: string, body: object): Promise<number> => {
    const headers = { "content-type": "application/json" };
    return (await fetch(`${gateway.url}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) })).status;
  };
  expect(await status("/tasks", begun)).toBe(200);
  expect(await status("/tasks", { ...begun, agent: "triage" })).toBe(409);
  expect(await gateway.post("/tasks/begun", { tasks: [begun] })).toEqual({ begun: 0, known: 1, ids: ["t1"] });
  expect(await status("/tasks/t1/outcomes", ended)).toBe(200);
  expect(await status("/tasks/t1/outcomes", { ...ended, value: "3" })).toBe(409);
  expect(await gateway.post("/outcomes", { outcomes: [{ task: "t1", ...ended }] })).toMatchObject({ recorded: 0, known: 1 });
  expect(await call({ "x-pennyworth-task": "t1", "x-pennyworth-agent": "triage" })).toMatchObject({
    attribution: { ...attribution, agent: "triage" },
  });

  const { rows } = (await gateway.get("/report?by=customer,agent&fresh=true")) as { rows: { group: object; calls: number }[] };
  const found = rows.map(({ group, calls }) => ({ ...group, calls }));
  expect(found).toContainEqual({ customer: "Acme GmbH", agent: "support", calls: 2 });
  expect(found).toContainEqual({ customer: "Acme GmbH", agent: "triage", calls: 1 });
  const { tasks } = (await gateway.get("/tasks?fresh=true")) as { tasks: { task: string; customer: string; calls: number }[] };
  expect(tasks).toEqual([expect.objectContaining({ customer: "Acme GmbH", calls: 3 })]);
  const { budgets } = (await gateway.get("/budgets")) as { budgets: { id: string; spent?: string }[] };
  expect(JSON.stringify(budgets)).toContain("0.000117");
});
