// Parts of tasks end to end: a real server, its store and its guard. However a part says what it is a part of, by its parent alone, when it was begun,
// or in a file, its calls, costs, checking and rework are its root's; after a restart as well. Not here: sums (src/ledger/parts.suite.ts).

import { afterAll, beforeAll, expect, it } from "vitest";
import { formatUsd, parseUsd } from "../src/core/money.ts";
import { startGateway, type TestGateway } from "./gateway.ts";
import { temporaryFolder } from "./process.ts";

interface Row {
  readonly group: { readonly type: string | null };
  readonly tasks: number;
  readonly calls: number;
  readonly spend: string;
  readonly shares: { readonly rework: number | null };
  readonly review: { readonly minutes: number | null };
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let gateway: TestGateway;
beforeAll(async () => {
  folder = await temporaryFolder();
  gateway = await startGateway({ data: folder.path });
});
afterAll(async () => {
  await gateway?.close();
  await folder?.remove();
});

async function say(path: string, body: unknown, type = "application/json"): Promise<void> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(`${gateway.url}/api/v1${path}`, { method: "POST", headers: { "content-type": type }, body: text });
  expect(response.status, await response.text()).toBe(201);
}

/** @returns the call's id. */
async function call(said: Readonly<Record<string, string>>): Promise<string> {
  const text = `Hm ${Math.random()}? [[sandbox input-tokens=100 output-tokens=40]]`;
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...Object.fromEntries(Object.entries(said).map(([field, value]) => [`x-pennyworth-${field}`, value])),
    },
    body: JSON.stringify({ model: "gpt-4o-mini", max_tokens: 50, messages: [{ role: "user", content: text }] }),
  });
  expect(response.status, await response.text()).toBe(200);
  return response.headers.get("x-pennyworth-call") ?? "";
}

/** What a call costs: 100 tokens in at $0.15 a million and 40 out at $0.60. */
const each = parseUsd("0.000039");

/** The row of a type, asked until the store has all that was on record. */
async function rowOf(type: string): Promise<Row | undefined> {
  const untilMs = Date.now() + 30_000;
  for (;;) {
    const found = (await gateway.get("/success?by=type&fresh=true")) as { readonly fresh: boolean; readonly rows: readonly Row[] };
    if (found.fresh || Date.now() > untilMs) return found.rows.find(({ group }) => group.type === type);
  }
}

const types = async (): Promise<(string | null)[]> => {
  const { rows } = (await gateway.get("/success?by=type&fresh=true")) as { readonly rows: readonly Row[] };
  return rows.map(({ group }) => group.type);
};

it("calls that name only their parent belong to its root, and so do those of what was once said to be a part, after a restart too", async () => {
  await call({ task: "p", type: "whole" });
  await call({ task: "pa", parent: "p", type: "step" });
  const deep = await call({ task: "pab", parent: "pa" });
  await call({ task: "pab" });
  // On record is what was said, and the root that follows from it.
  const receipt = (await gateway.receipt(deep)) as unknown as { readonly start: { readonly attribution: object } };
  expect(receipt.start.attribution).toMatchObject({ task: "pab", parent: "pa", root: "p" });
  expect(await rowOf("whole")).toMatchObject({ tasks: 1, calls: 4, spend: formatUsd(4n * each) });
  await gateway.close();
  gateway = await startGateway({ data: folder.path });
  await call({ task: "pab" });
  await call({ task: "new", parent: "pab" });
  expect(await rowOf("whole")).toMatchObject({ tasks: 1, calls: 6 });
  expect(await types()).not.toContain("step");
  // A root that was taken still gives way to what is said: of what comes after.
  await call({ task: "p", parent: "over", type: "whole" });
  const later = (await gateway.receipt(await call({ task: "pab" }))) as unknown as { readonly start: { readonly attribution: object } };
  expect(later.start.attribution).toMatchObject({ task: "pab", root: "over" });
});

it("a parent of which nobody has heard is taken for the root, which is what its own calls say", async () => {
  await call({ task: "qa", parent: "q", type: "orphan" });
  await call({ task: "qb", parent: "q" });
  await call({ task: "q", type: "later" });
  expect(await rowOf("later")).toMatchObject({ tasks: 1, calls: 3 });
  expect(await types()).not.toContain("orphan");
});

it("what a task was begun as a part of holds for its calls, its own parts and what is said of it", async () => {
  await call({ task: "r", type: "begun" });
  await say("/tasks", { id: "ra", parent: "r" });
  await say("/tasks", { id: "rab", parent: "ra" });
  await call({ task: "rab" });
  await say("/tasks/r/outcomes", { result: "success", reviewMinutes: 1 });
  await say("/tasks/ra/outcomes", { result: "failure", reviewMinutes: 4 });
  await say("/tasks", { id: "rework", type: "rework", reworkOf: "rab" });
  await call({ task: "rework" });
  expect(await rowOf("begun")).toMatchObject({ tasks: 1, calls: 3, review: { minutes: 5 } });
  expect(await rowOf("begun")).toMatchObject({ shares: { rework: expect.closeTo(1 / 3, 3) as number } });
  expect(await types()).not.toContain("rework");
});

it("costs of parts that come in a file are their root's, in whatever order their lines are", async () => {
  const lines = ["sab,sa,,0.25,2,", "sa,s,,0.5,,success", "s,,filed,1,1,success"];
  await say("/outcomes", ["task,parent,type,cost,reviewMinutes,result", ...lines].join("\n"), "text/csv");
  expect(await rowOf("filed")).toMatchObject({ tasks: 1, calls: 0, spend: "1.75", review: { minutes: 3 } });
});
