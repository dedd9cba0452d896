// Tasks and outcomes end to end: a real server, its store and its guard; said by HTTP, table, webhook and command line, with keys and without.
// Not here: what is refused, word by word (src/api/outcomes.test.ts), what sums mean in the store (its own suite).

import { createHmac } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../src/config.ts";
import { formatUsd, parseUsd, sum } from "../src/core/money.ts";
import { runCommand } from "./command.ts";
import { startGateway, type TestGateway } from "./gateway.ts";
import { chat, read, startGuarded } from "./guarded.ts";

interface Row {
  readonly group: Readonly<Record<string, string | null>>;
  readonly tasks: number;
  readonly spend: string;
  readonly success: { readonly tasks: number; readonly cost: string };
  readonly failure: { readonly tasks: number; readonly cost: string };
  readonly open: { readonly tasks: number; readonly cost: string };
  readonly perSuccess: string | null;
  readonly value: string | null;
  readonly contradictory: number;
  readonly review: { readonly minutes: number | null; readonly cost: string | null };
  readonly enough: { readonly isEnough: boolean; readonly lacks: readonly string[] };
}
interface Success {
  readonly fresh: boolean;
  readonly rows: readonly Row[];
  readonly total: Row;
  readonly waiting: number;
}

const secret = `whsec_${Buffer.from("a key of this test").toString("base64")}`;
let gateway: TestGateway;
beforeAll(async () => {
  const trees = [{ id: "idle", for: { agent: "idle" }, noProgress: "$0.00005" }];
  gateway = await startGateway({ trees, "outcomes.hooks": { ci: { secretFrom: "CI" } } }, { CI: secret });
});
afterAll(() => gateway?.close());

async function say(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(`${gateway.url}/api/v1${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: text,
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function call(headers: Record<string, string>): Promise<Response> {
  const body = {
    model: "gpt-4o-mini",
    max_tokens: 50,
    messages: [{ role: "user", content: `Hm ${Math.random()}? [[sandbox input-tokens=100 output-tokens=40]]` }],
  };
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  await response.text();
  return response;
}

/** 100 tokens in at $0.15 a million and 40 out at $0.60: $0.000015 + $0.000024. */
const each = parseUsd("0.000039");

/** Asked again until the store has all that was on record: a busy machine takes longer than one question waits. */
async function fresh<Answer>(path: string): Promise<Answer> {
  const untilMs = Date.now() + 30_000;
  for (;;) {
    const answer = (await gateway.get(`${path}${path.includes("?") ? "&" : "?"}fresh=true`)) as { readonly fresh: boolean };
    if (answer.fresh || Date.now() > untilMs) return answer as Answer;
  }
}

async function success(query: string): Promise<Success> {
  return fresh(`/success?${query}`);
}

it("what a success costs is all spend over successes, whoever said how tasks ended", async () => {
  for (const [id, calls] of [
    ["s1", 2],
    ["s2", 1],
    ["s3", 3],
    ["s4", 1],
  ] as const) {
    expect((await say("/tasks", { id, type: "resolve", customer: "Acme GmbH", agent: "support" })).status).toBe(201);
    for (let number = 0; number < calls; number++)
      expect((await call({ "x-pennyworth-task": `${id}-part`, "x-pennyworth-parent": id, "x-pennyworth-root": id })).status).toBe(200);
  }
  // One by HTTP, one by table, one by webhook; of the fourth nobody says anything yet.
  expect((await say("/tasks/s1/outcomes", { result: "success", value: "1.25", reviewMinutes: 3 })).status).toBe(201);
  expect((await say("/outcomes", "task,result,judge,source\ns2,success,check,qa\n", { "content-type": "text/csv" })).status).toBe(201);
  const [seconds, body] = [String(Math.floor(Date.now() / 1_000)), '{"task":"s3","result":"failure","judge":"check"}'];
  const signature = createHmac("sha256", "a key of this test").update(`msg.${seconds}.${body}`).digest("base64");
  const signed = { "webhook-id": "msg", "webhook-timestamp": seconds, "webhook-signature": `v1,${signature}` };
  expect((await say("/outcomes/hooks/ci", body, signed)).status).toBe(201);
  expect((await say("/outcomes/hooks/ci", `${body} `, signed)).body).toMatchObject({ error: { code: "hook_refused" } });

  const found = await success("by=type,customer&reviewRate=20");
  expect(found.fresh).toBe(true);
  const row = found.rows.find(({ group }) => group["type"] === "resolve");
  expect(row).toMatchObject({
    group: { type: "resolve", customer: "Acme GmbH" },
    tasks: 4,
    spend: formatUsd(7n * each),
    success: { tasks: 2, cost: formatUsd(3n * each) },
    failure: { tasks: 1, cost: formatUsd(3n * each) },
    open: { tasks: 1, cost: formatUsd(each) },
    perSuccess: formatUsd((7n * each) / 2n),
    value: "1.25",
    review: { minutes: 3, cost: "1" },
  });
  expect(row?.enough.lacks).toContain("few-tasks");
  const { rows } = (await gateway.get("/report?by=customer&fresh=true")) as {
    rows: { group: { customer: string | null }; cost: string }[];
  };
  // Calls themselves said nothing of a customer: what was said at the beginning is the task's.
  expect(sum(rows.map(({ cost }) => parseUsd(cost)))).toBe(parseUsd(found.total.spend));
});

it("a late revision changes what was a success, and a contradiction is counted", async () => {
  await call({ "x-pennyworth-task": "r1", "x-pennyworth-type": "review" });
  await say("/tasks/r1/outcomes", { result: "success" });
  await say("/tasks/r1/outcomes", { result: "failure", judge: "person", source: "Ada Lovelace", reason: "reverted" });
  const row = (await success("by=type")).rows.find(({ group }) => group["type"] === "review");
  expect(row).toMatchObject({
    tasks: 1,
    success: { tasks: 0 },
    failure: { tasks: 1, cost: formatUsd(each) },
    contradictory: 1,
    perSuccess: null,
  });
  const said = await fresh<{ statements: object[]; ending: object }>("/tasks/r1/outcomes");
  expect(said.ending).toMatchObject({ result: "failure", judge: "person", source: "Ada Lovelace", self: "success", checked: "failure" });
  expect(said.statements).toHaveLength(2);
});

it("an outcome of a task that nobody has heard of waits for it", async () => {
  const before = (await success("by=type")).waiting;
  await say("/tasks/later/outcomes", { result: "success" });
  expect((await success("by=type")).waiting).toBe(before + 1);
  await call({ "x-pennyworth-task": "later", "x-pennyworth-type": "late" });
  const found = await success("by=type");
  expect(found.waiting).toBe(before);
  expect(found.rows.find(({ group }) => group["type"] === "late")).toMatchObject({ success: { tasks: 1, cost: formatUsd(each) } });
});

it("rework is booked to the task that caused it", async () => {
  await call({ "x-pennyworth-task": "first", "x-pennyworth-type": "cause" });
  await say("/tasks/first/outcomes", { result: "success" });
  await say("/tasks", { id: "second", type: "other", reworkOf: "first" });
  await call({ "x-pennyworth-task": "second" });
  const { rows } = await success("by=type");
  expect(rows.find(({ group }) => group["type"] === "cause")).toMatchObject({ tasks: 1, spend: formatUsd(2n * each) });
  expect(rows.some(({ group }) => group["type"] === "other")).toBe(false);
});

const idle = () => call({ "x-pennyworth-task": "i1", "x-pennyworth-agent": "idle" });

it("an outcome lets an agent's tree spend on", async () => {
  expect([(await idle()).status, (await idle()).status]).toEqual([200, 200]);
  await say("/tasks/i1/outcomes", { result: "failure" });
  // Two calls of $0.000039 are beyond $0.00005: the third is refused where nothing came of them.
  expect([(await idle()).status, (await idle()).status, (await idle()).status]).toEqual([200, 200, 403]);
});

it("the command line says the same", async () => {
  const place = { data: gateway.dataFolder, folder: gateway.dataFolder };
  const file = join(gateway.dataFolder, "outcomes.csv");
  writeFileSync(file, "task,result\ns4,success\n");
  expect((await runCommand(["tasks", "import", file], place)).out).toBe("1 outcome on record.\n");
  expect((await runCommand(["tasks", "import", file], place)).out).toBe("0 outcomes on record, 1 known before.\n");
  await success("by=type");
  const { code, out } = await runCommand(["tasks", "success", "--by", "type"], place);
  expect(code).toBe(0);
  expect(out).toMatch(
    /\nresolve +4 +75 % \(30–95 %\) +0\.000273 +0\.000091 \(0\.\d+–(0\.\d+|\?)\) +43 % +≥ [\d,]+ % \(≥ −100 to ≥ [\d,]+ %\) +not enough data: few tasks/,
  );
  expect((await runCommand(["tasks", "list"], place)).out).toMatch(/^task +type .*\n/);
});

it("no name of a customer or a person is in the journal", () => {
  const folder = join(gateway.dataFolder, "journal");
  const text = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "latin1"))
    .join("");
  expect(text).toContain('"task.begun"');
  expect(text).not.toMatch(/Acme|Lovelace/);
});

async function refused(headers: Record<string, string>): Promise<string | undefined> {
  return ((await say("/tasks", {}, headers)).body["error"] as { code: string } | undefined)?.code;
}

describe("as soon as there are keys", () => {
  const keys = new Map<string, string>();
  beforeAll(async () => {
    for (const role of ["use", "read", "administer"]) {
      const { secret: text } = (await gateway.post("/keys", { name: role, role, team: "search" })) as { secret: string };
      keys.set(role, text);
    }
  });

  it("programs say how tasks ended with the key they make calls with, wherever calls take it", async () => {
    const key = keys.get("use") as string;
    const slots = [
      { "x-pennyworth-key": key },
      { authorization: `Bearer ${key}` },
      { "x-api-key": key },
      { "api-key": key },
      { "x-goog-api-key": key },
    ];
    for (const [index, headers] of slots.entries())
      expect([headers, (await say(`/tasks/k${index}/outcomes`, { result: "success" }, headers)).status]).toEqual([headers, 201]);
    expect((await say(`/tasks?key=${key}`, {})).status).toBe(201);
    expect((await say("/tasks", {}, { authorization: "Bearer sk-of-a-provider", "x-pennyworth-key": key })).status).toBe(201);
  });

  it("and nobody without, with one that only reads, or from a page elsewhere", async () => {
    const key = keys.get("use") as string;
    expect(await refused({})).toBe("key_missing");
    expect(await refused({ authorization: "Bearer sk-of-a-provider" })).toBe("key_missing");
    expect(await refused({ authorization: `Bearer ${keys.get("read")}` })).toBe("key_role");
    expect(await refused({ authorization: "Bearer pw_nonsense" })).toBe("key_unknown");
    expect(await refused({ "x-pennyworth-key": key, origin: "https://evil.example" })).toBe("origin_foreign");
    expect(await refused({ authorization: `Bearer ${keys.get("administer")}` })).toBeUndefined();
    expect(await refused({ authorization: `Bearer ${gateway.adminToken}` })).toBeUndefined();
    await gateway.post("/keys", { name: "gone", role: "use" });
  });

  it("a key of that role reads nothing", async () => {
    const headers = { authorization: `Bearer ${keys.get("use")}` };
    for (const path of ["success", "tasks", "tasks/s1/outcomes"])
      expect((await fetch(`${gateway.url}/api/v1/${path}`, { headers })).status).toBe(403);
  });
});

it("a webhook whose key the environment has not keeps the server from starting", async () => {
  await expect(startGateway({ "outcomes.hooks": { ci: { secretFrom: "NOT_THERE" } } })).rejects.toThrow(
    "outcomes.hooks.ci.secretFrom: the environment has no NOT_THERE",
  );
  await expect(startGateway({ "tasks.openFor": "a while" })).rejects.toThrow(/tasks\.openFor: expected a length of time: 90s/);
});

it("a variable that holds a webhook's key may have a name like ours", () => {
  const file = join(gateway.dataFolder, "settings.yaml");
  writeFileSync(file, "outcomes:\n  hooks:\n    ci: { secretFrom: PENNYWORTH_CI_OUTCOMES }\n");
  expect(() => readConfig(file, {}, { PENNYWORTH_CI_OUTCOMES: "x" })).not.toThrow();
  expect(() => readConfig(file, {}, { PENNYWORTH_OTHER: "x" })).toThrow(/no setting is called PENNYWORTH_OTHER/);
});

it("what an outcome let a tree spend, it may spend after a restart, also from the journal alone", async () => {
  const budgets = [{ id: "all", owner: "ada", limit: "$100 per month", unbounded: "allow" }];
  const guarded = await startGuarded({ budgets, trees: [{ id: "idle", for: { agent: "idle" }, noProgress: "$0.0005" }] });
  try {
    // 40 tokens in at a dollar a million and 30 out at ten: $0.00034 a call.
    const idle = async (): Promise<number> => {
      const text = `Hm ${Math.random()}? [[sandbox input-tokens=40 output-tokens=30]]`;
      return (await read(chat(guarded.url, { text, headers: { "x-pennyworth-task": "i1", "x-pennyworth-agent": "idle" } }))).status;
    };
    expect([await idle(), await idle()]).toEqual([200, 200]);
    expect((await guarded.control("POST", "/tasks/i1/outcomes", { result: "success" })).status).toBe(201);
    await guarded.stop();
    await rm(join(guarded.folder, "guard.json"));
    await guarded.start();
    expect([await idle(), await idle(), await idle()]).toEqual([200, 200, 403]);
  } finally {
    await guarded.close();
  }
});
