// docs/alerts.md, done: its settings (with servers on loopback in place of example.com) on a running server, and its commands; and an agent that sinks
// below its break-even. Not here: when somebody is told of what else, which is tested beside the code.

import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";
import { parse } from "yaml";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { readConfig } from "../src/config.ts";
import { start } from "../src/main.ts";
import { type Ran, runCommand } from "./command.ts";
import { startGateway, type TestGateway } from "./gateway.ts";
import { temporaryFolder } from "./process.ts";

const page = readFileSync(new URL("../docs/alerts.md", import.meta.url), "utf8");
const got: string[] = [];
const http = createServer((request, response) => {
  let body = "";
  request.on("data", (part: Buffer) => (body += part.toString()));
  request.on("end", () => {
    got.push(
      `${request.url} ${(JSON.parse(body) as { title?: string; text: string }).text} ${request.headers["webhook-signature"] ?? "unsigned"}`,
    );
    response.statusCode = request.url === "/gone" ? 410 : 200;
    response.end();
  });
});
const smtp = new SMTPServer({
  disabledCommands: ["STARTTLS"],
  disableReverseLookup: true,
  allowInsecureAuth: true,
  onAuth: ({ username, password }, _session, done) => done(password === "letmein" ? null : new Error("no"), { user: username ?? "" }),
  onData(stream, session, done) {
    stream.resume().on("end", () => {
      got.push(`mail to ${session.envelope.rcptTo.map(({ address }) => address).join()}`);
      done();
    });
  },
});

let gateway: TestGateway;
beforeAll(async () => {
  await new Promise<void>((resolve) => void http.listen(0, "127.0.0.1", resolve));
  await new Promise<void>((resolve) => void smtp.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const [, text = ""] = /```yaml config\n([\s\S]*?)```/.exec(page) ?? [];
  const { alerts } = parse(text) as { alerts: { emails: object[]; slack: object[] } };
  const { port } = smtp.server.address() as AddressInfo;
  const here = {
    ...alerts,
    slack: [...alerts.slack, { name: "gone", urlFrom: "GONE_URL" }],
    emails: alerts.emails.map((one) => Object.assign(one, { host: "127.0.0.1", port, tls: "none" })),
  };
  const secrets = {
    TEAM_CHAT_URL: `${origin}/chat`,
    ON_CALL_URL: `${origin}/call`,
    ON_CALL_SECRET: "x",
    SMTP_PASSWORD: "letmein",
    GONE_URL: `${origin}/gone`,
  };
  gateway = await startGateway({ alerts: here, log: "silent" }, secrets);
}, 30_000);
afterAll(async () => {
  await gateway?.close();
  http.closeAllConnections();
  http.close();
  await new Promise<void>((resolve) => void smtp.close(resolve));
});

function run(...args: string[]): Promise<Ran> {
  return runCommand(args, { data: gateway.dataFolder, folder: gateway.dataFolder });
}

it("tests every receiver that the page has, by the page's commands", async () => {
  const commands = [...page.matchAll(/^pennyworth (alerts test \S+)$/gm)].map((match) => match[1] as string);
  expect(commands).toHaveLength(3);
  for (const command of commands) {
    const { code, out, err } = await run(...command.split(" "));
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/took it, after \d+ ms\.$/m);
  }
  expect(got).toEqual([
    expect.stringMatching(/^\/chat .*A test from Pennyworth[\s\S]* unsigned$/),
    expect.stringMatching(/^\/call Alerts reach this place\.[\s\S]* v1,\S+=$/),
    "mail to finance@example.com",
  ]);
}, 60_000);

it("says what a receiver answered, in one line, and fails", async () => {
  const host = `127.0.0.1:${(http.address() as AddressInfo).port}`;
  expect(await run("alerts", "test", "gone")).toEqual({ code: 1, out: "", err: `gone did not take it: ${host} answered 410.\n` });
  const { code, err } = await run("alerts", "test", "nobody");
  expect([code, err]).toEqual([1, "pennyworth: No receiver of alerts is called nobody. Known: on-call, team-chat, gone, finance.\n"]);
}, 60_000);

it("lists receivers without their addresses, and is described by the API's document", async () => {
  const { out } = await run("alerts", "list");
  expect(out).toMatch(/^finance +email +finance@example\.com/m);
  expect(out).toContain("answered 410");
  expect(out).not.toContain("/gone");
  expect(out).toContain("Nothing was worth telling yet.");
  const shown = JSON.stringify(await gateway.get("/alerts"));
  for (const secret of ["/chat", "letmein", "/call"]) expect(shown).not.toContain(secret);
  expect(Object.keys(((await gateway.get("/openapi.json")) as { paths: object }).paths)).toEqual(
    expect.arrayContaining(["/api/v1/alerts", "/api/v1/alerts/test"]),
  );
}, 60_000);

it("refuses a kind that is none before it serves", async () => {
  const file = join(gateway.dataFolder, "wrong.yaml");
  writeFileSync(file, "alerts: { slack: [{ name: chat, urlFrom: URL, kinds: [burns] }] }\n");
  const { code, err } = await run("serve", "--config", file, "--data", join(gateway.dataFolder, "other"), "--port", "0");
  expect(code).toBe(1);
  expect(err).toContain("alerts.slack, chat: no alert is of the kind burns (burn?)");
}, 60_000);

it("tells a webhook once of an agent that sinks below its break-even, with the numbers of POST /api/v1/worth", async () => {
  const bodies: string[] = [];
  const hook = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      bodies.push(body);
      response.end();
    });
  });
  await new Promise<void>((resolve) => void hook.listen(0, "127.0.0.1", resolve));
  const block = [...page.matchAll(/```yaml config\n([\s\S]*?)```/g)].map(([, text = ""]) => text).find((text) => text.includes("  worth:"));
  const { alerts } = parse(block ?? "") as { alerts: { worth: { type: string; owner: string }[] } };
  const webhooks = [
    { name: "own", urlFrom: "HOOK_URL", kinds: ["worth"], owners: [alerts.worth[0]?.owner] },
    { name: "others", urlFrom: "HOOK_URL", owners: ["nobody here"] },
  ];
  const folder = await temporaryFolder();
  const secrets = { HOOK_URL: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/` };
  const settings = { data: folder.path, "server.port": 0, log: "error", alerts: { ...alerts, webhooks } };
  const begin = () => start(readConfig(undefined, settings, { ...secrets }), { now: Date.now, demo: false, worthLookMs: 250 });
  let running = await begin();
  const ask = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const type = typeof body === "string" ? "text/csv" : "application/json";
    const response = await fetch(`${running.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${running.adminToken}`, "content-type": type },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };
  const began = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
  const send = (agent: string, from: number, to: number, result: string) => {
    const lines = Array.from({ length: to - from }, (_, index) => {
      const cost = (0.05 + (index % 3) / 100).toFixed(2);
      return `${agent}-${from + index},resolve-ticket,${agent},${cost},${result},${began}`;
    });
    return ask("POST", "/outcomes", ["task,type,agent,cost,result,began", ...lines].join("\n"));
  };
  const question = {
    person: { minutes: 9, rate: "32" },
    agent: { cleanupMinutes: 6 },
    fromLedger: { type: "resolve-ticket", agent: "helper", since: "7d" },
  };
  const soon = { timeout: 20_000, interval: 50 };
  /** As of so many tasks of the agent. */
  const answerOf = (tasks: number): Promise<object & { readonly verdict?: unknown }> =>
    vi.waitFor(async () => {
      const answer = await ask("POST", "/worth", { ...question, tasks });
      const { successes, failures, open } = answer["ledger"] as Record<"successes" | "failures" | "open", number>;
      expect([successes + failures, open]).toEqual([tasks, 0]);
      return answer;
    }, soon);
  try {
    await send("helper", 0, 40, "success");
    await send("steady", 0, 40, "success");
    expect(await answerOf(40)).toMatchObject({ verdict: "go" });
    await send("helper", 40, 115, "failure");
    let tasks = 115;
    let answer = await answerOf(tasks);
    expect(answer).toMatchObject({ verdict: "not_enough_data" });
    // Some looks later.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(bodies).toEqual([]);
    // One after another, so that the look which finds it sees what is asked for here.
    for (; answer.verdict !== "no"; tasks += 1) {
      await send("helper", tasks, tasks + 1, "failure");
      answer = await answerOf(tasks + 1);
    }
    await vi.waitFor(() => expect(bodies).toHaveLength(1), soon);
    const { reason, success, breakEven, saved, summary, expected } = answer as {
      readonly reason: string;
      readonly success: Readonly<Record<string, unknown>>;
      readonly breakEven: unknown;
      readonly saved: unknown;
      readonly summary: string;
      readonly expected: { readonly basis: { readonly all: { readonly saved: string } } };
    };
    const { kind: _, ...known } = success;
    const worth = {
      type: "resolve-ticket",
      agent: "helper",
      days: 7,
      tasks,
      against: "person",
      reason,
      success: known,
      breakEven,
      saved,
      lost: expected.basis.all.saved.replace("-", ""),
      summary,
    };
    expect([answer.verdict, reason]).toEqual(["no", "below_break_even"]);
    const told = JSON.parse(bodies[0] as string) as { title: string; text: string };
    const [low, at, high] = ["low", "at", "high"].map((end) => Number((100 * Number(known[end])).toFixed(1)));
    expect(told).toMatchObject({
      type: "alert.worth",
      title: `Agent helper is not worth it at resolve-ticket: ${at} % of ${tasks} tasks succeed (${low}–${high} %), 40.7 % is its break-even`,
      data: { severity: "warning", owner: alerts.worth[0]?.owner, worth },
    });
    expect(told.text).toContain(summary);
    const listed = { kind: "worth", owner: alerts.worth[0]?.owner, worth, deliveries: { own: "sent" } };
    await vi.waitFor(async () => expect(await ask("GET", "/alerts")).toMatchObject({ alerts: [listed] }), soon);
    const losing = [{ type: "resolve-ticket", agent: "helper", summary }];
    expect(await ask("GET", "/overview")).toMatchObject({ guard: { losing } });
    const place = { data: folder.path, folder: folder.path };
    expect((await runCommand(["alerts", "list"], place)).out).toContain(
      `Z  warning  ${told.title}\n  ${summary}\n  In the last 7 days ${tasks} tasks`,
    );
    await running.close();
    running = await begin();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(bodies).toHaveLength(1);
    expect(await ask("GET", "/alerts")).toMatchObject({ alerts: [{ title: told.title }] });
    expect(await ask("GET", "/overview")).toMatchObject({ guard: { losing } });
  } finally {
    await running.close();
    hook.closeAllConnections();
    hook.close();
    await folder.remove();
  }
}, 60_000);

it("refuses what no agent could be watched by before it serves, by its place", async () => {
  const file = join(gateway.dataFolder, "worth.yaml");
  writeFileSync(file, "alerts: { worth: [{ type: resolve-ticket, minutes: 9, rate: 32, detection: 90 }] }\n");
  const { code, err } = await run("serve", "--config", file, "--data", join(gateway.dataFolder, "other"), "--port", "0");
  expect(code).toBe(1);
  expect(err).toContain("alerts.worth.0 (resolve-ticket): detection must be a probability, from 0 to 1; 90 % is 0.9");
}, 60_000);
