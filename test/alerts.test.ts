// docs/alerts.md, done: its settings (with servers on loopback in place of example.com) on a running server, and its commands. Not here: when
// somebody is told, which is tested beside the code.

import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";
import { parse } from "yaml";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Ran, runCommand } from "./command.ts";
import { startGateway, type TestGateway } from "./gateway.ts";

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
