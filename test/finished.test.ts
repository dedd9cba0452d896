// A task that was done elsewhere, with what it cost, from the file to every figure that a cost reaches: once in each, however often the file is sent, whatever
// is voided, and after a restart. Not here: what a line may say (src/api/finished.test.ts), whole benchmarks (leaderboards.test.ts).

import { afterAll, beforeAll, expect, it } from "vitest";
import { type Guarded, type Loose, startGuarded } from "./guarded.ts";

let gateway: Guarded;
beforeAll(async () => {
  gateway = await startGuarded({});
});
afterAll(() => gateway?.close());

async function send(lines: readonly string[]): Promise<{ status: number; body: Record<string, number> }> {
  const body = ["task,type,agent,model,customer,cost,result,began", ...lines].join("\n");
  const response = await fetch(`${gateway.url}/api/v1/outcomes`, { method: "POST", headers: { "content-type": "text/csv" }, body });
  return { status: response.status, body: (await response.json()) as Record<string, number> };
}

async function ask(path: string): Promise<Loose> {
  const untilMs = Date.now() + 30_000;
  for (;;) {
    const { body } = await gateway.control("GET", `${path}${path.includes("?") ? "&" : "?"}fresh=true`);
    if (body.fresh !== false || Date.now() > untilMs) return body as Loose;
  }
}

const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

type Rows = readonly { readonly group: Readonly<Record<string, string | null>>; readonly cost?: string; readonly spend?: string }[];
const by = (rows: Rows, field: string) => Object.fromEntries(rows.map(({ group, cost, spend }) => [group[field], cost ?? spend]));

/** What every view says of the costs. */
async function figures() {
  const [byModel, byCustomer, byClass, margin] = await Promise.all([
    ask("/success?by=model&filter=type=fix"),
    ask("/report?by=customer"),
    ask("/report?by=class"),
    ask(`/margin?by=customer&since=${day(-3)}&until=${day(0)}`),
  ]);
  const lines = margin.lines as readonly { readonly key: string; readonly cost: string; readonly unpriced: number }[];
  return {
    success: by(byModel.rows, "model"),
    report: by(byCustomer.rows, "customer"),
    classes: by(byClass.rows, "class"),
    margin: Object.fromEntries(lines.map(({ key, cost, unpriced }) => [key, `${cost}${unpriced > 0 ? " or more" : ""}`])),
  };
}

const lines = ["t1,fix,coder,gpt-5,Acme,0.25,success", "t2,fix,coder,gpt-5,Acme,0.5,failure", "t3,fix,coder,grok-4,Beta,,success"].map(
  (line) => `${line},${day(-2)}`,
);
const once = {
  success: { "gpt-5": "0.75", "grok-4": "0" },
  report: { Acme: "0.75", Beta: "0" },
  classes: { task: "0.75" },
  margin: { Acme: "0.75", Beta: "0 or more" },
};

it("is in every figure once, and stays so when its file is sent again, also after a restart", async () => {
  for (const customer of ["Acme", "Beta"])
    expect((await gateway.control("POST", "/revenue", { customer, amount: "49", from: day(-30) })).status).toBe(201);
  expect(await send(lines)).toMatchObject({ status: 201, body: { recorded: 3, begun: 3, costs: 3 } });
  expect(await figures()).toEqual(once);
  expect(await send(lines)).toMatchObject({ status: 200, body: { recorded: 0, known: 3, begun: 0, costs: 0 } });
  await gateway.stop();
  await gateway.start();
  // What was said before the start is not remembered, but on record: no cost is booked again.
  expect((await send(lines)).body).toMatchObject({ costs: 0 });
  expect(await figures()).toEqual(once);
});

it("that becomes known later takes the place of what was not, and another one needs the first to be voided", async () => {
  const later = lines.map((line) => line.replace(",,", ",0.125,"));
  expect((await send(later)).body).toMatchObject({ costs: 1 });
  const known = { ...once, success: { "gpt-5": "0.75", "grok-4": "0.125" }, report: { Acme: "0.75", Beta: "0.125" } };
  expect(await figures()).toEqual({ ...known, classes: { task: "0.875" }, margin: { Acme: "0.75", Beta: "0.125" } });
  const [first = ""] = lines;
  const refused = await send([first.replace("0.25", "0.75")]);
  expect([refused.status, JSON.stringify(refused.body)]).toEqual([400, expect.stringContaining("0.25 is on record of")]);
  expect((await gateway.control("DELETE", "/charges/task:t1")).status).toBe(200);
  expect((await send([first.replace("0.25", "0.75")])).body).toMatchObject({ costs: 1 });
  expect((await figures()).classes).toEqual({ task: "1.375" });
});

it("whose cost comes without a word of what it was is of whom it was begun for, then", async () => {
  expect(
    (await gateway.control("POST", "/tasks", { id: "later", type: "late", customer: "Cove", began: `${day(-5)}T05:00:00Z` })).status,
  ).toBe(201);
  expect((await gateway.control("POST", "/tasks", { id: "part", type: "late", root: "later", parent: "later" })).status).toBe(201);
  expect((await send(["later,,,,,3.25,,", "part,,,,,2,,"])).body).toMatchObject({ costs: 2, begun: 0 });
  const { rows } = (await ask(`/report?by=customer,day&since=${day(-5)}&until=${day(-4)}`)) as unknown as { rows: Rows };
  expect(rows.map(({ group, cost }) => [group["customer"], group["day"], cost])).toEqual([["Cove", day(-5), "3.25"]]);
  const { total } = (await ask("/success?filter=type=late")) as { total: Loose };
  expect([total["tasks"], total["spend"]]).toEqual([1, "5.25"]);
});

const two = (task: string): string[] => [`${task},tie,,,,,success,`, `${task},tie,,,,,failure,`];

it("of which one source says two things at a moment ended as the later of them says", async () => {
  expect((await send(Array.from({ length: 20 }, (_, index) => two(`tie-${index}`)).flat())).body).toMatchObject({ recorded: 40 });
  const { total } = (await ask("/success?filter=type=tie")) as { total: Loose };
  expect([total["failure"], total["contradictory"]]).toMatchObject([{ tasks: 20 }, 0]);
});
