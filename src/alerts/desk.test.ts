// Alerts on their way, with real servers on loopback: HTTP of Node's own, and a mail server. The clock is set by hand; timers are real where
// something is sent.

import { createHmac } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readConfig } from "../config.ts";
import { minuteMs } from "../core/time.ts";
import type { AlertEvent, AlertStanding, WorthStanding } from "./alert.ts";
import { type Alerts, lookMs, openAlerts, worthLookMs } from "./desk.ts";
import { checkReceivers } from "./receiver.ts";
import { worthOf } from "./worth.fixture.ts";

const usd = 1_000_000_000_000n;
const dayOne = Date.UTC(2026, 10, 21);
const standing: AlertStanding = {
  budget: "support",
  values: ["n_00000000000000aa"],
  owner: "help desk",
  allowance: 100n * usd,
  spent: 85n * usd,
  held: 0n,
  presumed: 0n,
  fromMs: dayOne,
  toMs: dayOne + 86_400_000,
  measure: "money",
  alerts: [80, 100],
};
const halted: AlertEvent = {
  kind: "halted",
  atMs: dayOne,
  budget: null,
  values: [],
  owner: null,
  subject: "team research",
  call: null,
  detail: "by ann",
};

let folder: string;
let nowMs: number;
let warned: string[];
const closers: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pennyworth-alerts-"));
  nowMs = dayOne + minuteMs;
  warned = [];
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
});

/** `tick` stands for `lookMs` having passed; where so little happens, a look at what agents are worth comes at once. */
function open(settings: object, environment: Readonly<Record<string, string>> = {}): Alerts & { tick(): void } {
  const { settings: parsed, secret } = readConfig(undefined, { data: folder, alerts: settings }, { ...environment });
  const looks: (() => void)[] = [];
  const alerts = openAlerts(
    { settings: parsed, secret },
    {
      now: () => nowMs,
      setTimer: (act, ms) => {
        if (ms === lookMs) {
          looks.push(act);
          return () => {};
        }
        const timer = setTimeout(act, ms === worthLookMs || ms === worthLookMs / 5 ? 10 : Math.min(ms, 2_000));
        return () => clearTimeout(timer);
      },
      createId: () => `alert_${(ids += 1)}`,
      nameOf: async (token) => (token === "n_00000000000000aa" ? "Acme" : null),
      warn: (message) => void warned.push(message),
      version: "0.0.0",
    },
  );
  closers.push(() => alerts.close());
  return Object.assign(alerts, { tick: () => looks.splice(0).forEach((act) => act()) });
}
let ids = 0;

interface Got {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function listen(answer: (response: ServerResponse, count: number) => void = (response) => response.end("ok")) {
  const got: Got[] = [];
  const server: Server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => (body += part));
    request.on("end", () => {
      got.push({ url: request.url as string, headers: request.headers, body });
      answer(response, got.length);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { got, port, url: `http://127.0.0.1:${port}/services/T0/B0/tOkEn` };
}

const until = (holds: () => void): Promise<void> => vi.waitFor(holds, { timeout: 5_000, interval: 10 });

describe("a webhook", () => {
  it("is told of a threshold, once, with a signature that holds and exact amounts", async () => {
    const { got, url } = await listen();
    const alerts = open({ webhooks: [{ name: "ops", urlFrom: "URL", secretFrom: "KEY" }] }, { URL: url, KEY: "s3cret" });
    alerts.watch(() => [standing]);
    await until(() => expect(got).toHaveLength(1));
    await until(() => expect(alerts.receivers()).toMatchObject([{ sent: 1, waiting: 0, lastError: null }]));
    const [{ headers, body, url: path }] = got as [Got];
    expect(path).toBe("/services/T0/B0/tOkEn");
    const expected = createHmac("sha256", "s3cret").update(
      `${headers["webhook-id"] as string}.${headers["webhook-timestamp"] as string}.${body}`,
    );
    expect(headers["webhook-signature"]).toBe(`v1,${expected.digest("base64")}`);
    expect(headers["webhook-timestamp"]).toBe(String(nowMs / 1_000));
    expect(JSON.parse(body)).toMatchObject({
      type: "alert.threshold",
      title: "Budget support [n_00000000000000aa] has used 80 % of its allowance (85 % now)",
      data: { percent: 80, amounts: { spent: "85", allowance: "100" } },
    });
    alerts.tick();
    await alerts.close();
    expect(got).toHaveLength(1);
  });

  it("has names in it only where the settings say so; the list has them always", async () => {
    const { got, url } = await listen();
    const alerts = open({ names: true, webhooks: [{ name: "ops", urlFrom: "URL" }] }, { URL: url });
    alerts.watch(() => [standing]);
    await until(() => expect(got[0]?.body).toContain("Budget support [Acme]"));
    expect(await alerts.recent()).toMatchObject([{ title: expect.stringContaining("[Acme]") }]);
    await alerts.close();
    expect(readFileSync(join(folder, "alerts.json"), "utf8")).not.toContain("Acme");
  });

  it("that is down is tried again, with the same id, and is shown with what is wrong, without its address", async () => {
    const { got, url } = await listen((response, count) => {
      response.statusCode = count === 1 ? 503 : 200;
      response.end(count === 1 ? `no luck at ${url}` : "");
    });
    const alerts = open({ webhooks: [{ name: "ops", urlFrom: "URL", secretFrom: "KEY" }] }, { URL: url, KEY: "s3cret" });
    alerts.watch(() => [standing]);
    await until(() => expect(alerts.receivers()[0]?.lastError).toBe(`${new URL(url).host} answered 503: no luck at …`));
    expect(await alerts.recent()).toMatchObject([{ deliveries: { ops: "waiting" } }]);
    await until(() => expect(got).toHaveLength(2));
    await until(() => expect(alerts.receivers()).toMatchObject([{ sent: 1, lastSentMs: nowMs }]));
    expect(got[0]?.headers["webhook-id"]).toBe(got[1]?.headers["webhook-id"]);
    expect(await alerts.recent()).toMatchObject([{ deliveries: { ops: "sent" } }]);
  });

  it("that leads elsewhere is not followed", async () => {
    const other = await listen();
    const { url } = await listen((response) => response.writeHead(302, { location: other.url }).end());
    const alerts = open({ webhooks: [{ name: "ops", urlFrom: "URL" }] }, { URL: url });
    expect(await alerts.test("ops")).toMatchObject({ sent: false, problem: expect.stringContaining("answered 302") });
    expect(other.got).toEqual([]);
  });

  it("of no use does not hold up another", async () => {
    const silent = await listen(() => {});
    const { got, url } = await listen();
    const alerts = open(
      {
        webhooks: [
          { name: "silent", urlFrom: "SILENT" },
          { name: "none", urlFrom: "NONE" },
          { name: "ops", urlFrom: "URL" },
        ],
      },
      { URL: url, SILENT: silent.url },
    );
    alerts.watch(() => [standing]);
    await until(() => expect(got).toHaveLength(1));
    expect(warned[0]).toBe("no alert can be sent to none: the environment has no NONE");
    expect(alerts.receivers()).toMatchObject([
      { name: "silent", waiting: 1 },
      { name: "none", to: null, problem: "the environment has no NONE" },
      {},
    ]);
  });

  it.each([
    ["not an address", "URL holds no http or https address"],
    ["ftp://example.com/", "URL holds no http or https address"],
    ["https://ann:pass@example.com/", "the address in URL has a user or password in it"],
  ])("at %s is not used, and the problem does not show it", (url, problem) => {
    expect(open({ slack: [{ name: "ops", urlFrom: "URL" }] }, { URL: url }).receivers()).toMatchObject([{ to: null, problem }]);
  });
});

describe("Slack", () => {
  it("gets blocks, and a test says what it answered", async () => {
    const { got, url } = await listen((response, count) => {
      response.statusCode = count === 1 ? 200 : 404;
      response.end(count === 1 ? "ok" : "no_service");
    });
    const alerts = open({ slack: [{ name: "team-chat", urlFrom: "URL" }] }, { URL: url });
    expect(await alerts.test("team-chat")).toMatchObject({ receiver: "team-chat", sent: true, problem: null });
    expect(JSON.parse(got[0]?.body as string)).toMatchObject({
      text: expect.stringContaining("A test from Pennyworth"),
      blocks: [{}, {}, {}],
    });
    expect(got[0]?.headers["webhook-signature"]).toBeUndefined();
    const host = new URL(url).host;
    expect(await alerts.test("team-chat")).toMatchObject({ sent: false, problem: `${host} answered 404: no_service` });
    expect(alerts.receivers()).toMatchObject([{ kind: "slack", to: host, lastSentMs: nowMs, lastFailedMs: nowMs }]);
    await expect(alerts.test("nobody")).rejects.toThrow("No receiver of alerts is called nobody. Known: team-chat.");
  });
});

interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
}

async function mailServer(options: ConstructorParameters<typeof SMTPServer>[0]) {
  const got: Received[] = [];
  const server = new SMTPServer({
    disableReverseLookup: true,
    logger: false,
    onData(stream, session, done) {
      let text = "";
      stream.setEncoding("utf8").on("data", (part: string) => (text += part));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        got.push({ from: mailFrom === false ? "" : mailFrom.address, to: rcptTo.map(({ address }) => address), text });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  closers.push(() => new Promise<void>((resolve) => void server.close(resolve)));
  return { got, port: (server.server.address() as AddressInfo).port };
}

const mail = { name: "finance", host: "127.0.0.1", from: "pennyworth@example.com", to: ["ann@example.com", "bob@example.com"] };

describe("mail", () => {
  it("reaches every address, and says that a machine wrote it", async () => {
    const { got, port } = await mailServer({ authOptional: true, disabledCommands: ["STARTTLS"] });
    const alerts = open({ emails: [{ ...mail, port, tls: "none" }] });
    alerts.watch(() => [standing]);
    await until(() => expect(got).toHaveLength(1));
    expect(got[0]).toMatchObject({ from: "pennyworth@example.com", to: ["ann@example.com", "bob@example.com"] });
    expect(got[0]?.text).toMatch(/^Subject: \[Pennyworth\] Budget support/m);
    expect(got[0]?.text).toMatch(/^Auto-Submitted: auto-generated/im);
    expect(got[0]?.text).toContain("$85 spent of $100.");
  });

  it("signs in; with a wrong password the test says so, without it", async () => {
    const { got, port } = await mailServer({
      disabledCommands: ["STARTTLS"],
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) => {
        if (username === "pennyworth" && password === "right") done(null, { user: "pennyworth" });
        else done(new Error(`no such user or password: ${password}`));
      },
    });
    const emails = [{ ...mail, port, tls: "none", user: "pennyworth", passwordFrom: "PASSWORD" }];
    expect(await open({ emails }, { PASSWORD: "right" }).test("finance")).toMatchObject({ sent: true });
    expect(got).toHaveLength(1);
    const { problem } = await open({ emails }, { PASSWORD: "wr0ng" }).test("finance");
    expect(problem).toContain("127.0.0.1 answered 535");
    expect(problem).not.toContain("wr0ng");
    expect(await open({ emails }).test("finance")).toMatchObject({ sent: false, problem: "the environment has no PASSWORD" });
  });

  it("is not sent in the clear unless the settings say so", async () => {
    const { got, port } = await mailServer({ authOptional: true, disabledCommands: ["STARTTLS"] });
    const alerts = open({ emails: [{ ...mail, port }] });
    expect(await alerts.test("finance")).toMatchObject({ sent: false });
    expect(got).toEqual([]);
  });

  it("to a server that says nothing, or is not there, fails and says why", async () => {
    const dumb = createSocketServer(() => {});
    await new Promise<void>((resolve) => void dumb.listen(0, "127.0.0.1", resolve));
    closers.push(() => void dumb.close());
    const { port } = dumb.address() as AddressInfo;
    // The time of a try is cut to two seconds here.
    expect(await open({ emails: [{ ...mail, port, tls: "none" }] }).test("finance")).toMatchObject({
      problem: "no answer within 10000 ms",
    });
    expect(await open({ emails: [{ ...mail, port: 1, tls: "none" }] }).test("finance")).toMatchObject({
      problem: expect.stringMatching(/^127\.0\.0\.1 could not be reached: \w+$/),
    });
  });
});

describe("who gets what", () => {
  it("is by kinds and by owners; of what was gathered, only one's own", async () => {
    const [all, own, burns] = [await listen(), await listen(), await listen()];
    const alerts = open(
      {
        webhooks: [
          { name: "all", urlFrom: "ALL" },
          { name: "own", urlFrom: "OWN", owners: ["help desk"] },
          { name: "burns", urlFrom: "BURNS", kinds: ["burn"] },
        ],
      },
      { ALL: all.url, OWN: own.url, BURNS: burns.url },
    );
    const breach = { ...halted, kind: "breached", subject: null } as const;
    alerts.tell({ ...breach, budget: "support", owner: "help desk" });
    alerts.tell({ ...breach, budget: "search", owner: "platform" });
    alerts.tell({ ...breach, budget: "search", owner: "platform" });
    alerts.watch(() => [{ ...standing, owner: "platform" }]);
    await until(() => expect(all.got).toHaveLength(2));
    await until(() => expect(own.got).toHaveLength(1));
    expect(all.got.map(({ body }) => (JSON.parse(body) as { title: string }).title)).toContain("3 calls cost more than their bound");
    expect(own.got[0]?.body).toContain("1 call cost more than their bound");
    expect(own.got[0]?.body).not.toContain("search");
    expect(burns.got).toEqual([]);
  });

  it("a kind that is none is refused with those near it", () => {
    const { settings } = readConfig(undefined, { alerts: { slack: [{ name: "chat", urlFrom: "URL", kinds: ["treshold"] }] } }, {});
    expect(() => checkReceivers(settings.alerts)).toThrow(
      /alerts\.slack, chat: no alert is of the kind treshold \(threshold\?\); there are threshold, burn, worth, refused/,
    );
  });
});

describe("settings", () => {
  it.each([
    [{ receivers: [] }, /Unrecognized key: "receivers"/i],
    [{ slack: [{ name: "a", urlFrom: "URL", url: "https://x" }] }, /alerts\.slack\.0.*"url"/],
    [{ slack: [{ name: "a", urlFrom: "https://hooks.example.com/x" }] }, /expected the name of an environment variable/],
    [{ slack: [{ name: "a", urlFrom: "U" }], webhooks: [{ name: "a", urlFrom: "V" }] }, /two receivers have one name/],
    [{ emails: [{ ...mail, user: "ann" }] }, /user and passwordFrom go together/],
    [{ emails: [{ ...mail, host: "mail.example.com", tls: "none", user: "ann", passwordFrom: "P" }] }, /sent in the clear/],
    [{ emails: [{ ...mail, to: ["Ann <ann@example.com>"] }] }, /alerts\.emails\.0 \(finance\): to\.0/],
    [{ emails: [{ ...mail, from: "a@example.com\r\nBcc: b@example.com" }] }, /alerts\.emails\.0 \(finance\): from/],
    [{ burn: [{ shortMinutes: 60, longMinutes: 60, factor: 2 }] }, /shortMinutes is not less/],
    [{ burn: [{ shortMinutes: 5, longMinutes: 60, factor: 2.25 }] }, /factor/],
  ])("%j are refused", (alerts, message) => {
    expect(() => readConfig(undefined, { alerts }, {})).toThrow(message);
  });

  it("may name variables of our own kind", () => {
    const path = join(folder, "pennyworth.yaml");
    writeFileSync(
      path,
      "alerts: { slack: [{ name: chat, urlFrom: PENNYWORTH_CHAT_URL }], burn: [{ shortMinutes: 5, longMinutes: 60, factor: 14.4 }] }\n",
    );
    expect(() => readConfig(path, {}, { PENNYWORTH_CHAT_URL: "https://x" })).not.toThrow();
    expect(() => readConfig(path, {}, { PENNYWORTH_CHAT: "https://x" })).toThrow("PENNYWORTH_CHAT");
  });
});

describe("a restart", () => {
  it("repeats nothing, and sends what waited", async () => {
    const { got, url } = await listen();
    const first = open(
      {
        webhooks: [
          { name: "ops", urlFrom: "URL" },
          { name: "late", urlFrom: "LATE" },
        ],
      },
      { URL: url, LATE: "http://127.0.0.1:1/" },
    );
    first.watch(() => [standing]);
    first.tell(halted);
    await until(() => expect(got).toHaveLength(2));
    await until(() => expect(first.receivers()[1]?.lastError).toMatch(/^127\.0\.0\.1:1 could not be reached: ECONN/));
    await first.close();
    expect(statSync(join(folder, "alerts.json")).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["alerts.json"]);

    const later = await listen();
    nowMs += 30 * minuteMs;
    const second = open(
      {
        webhooks: [
          { name: "ops", urlFrom: "URL" },
          { name: "late", urlFrom: "LATE" },
        ],
      },
      { URL: url, LATE: later.url },
    );
    second.watch(() => [{ ...standing, spent: 90n * usd }]);
    await until(() => expect(later.got).toHaveLength(2));
    expect(got).toHaveLength(2);
    await until(async () =>
      expect((await second.recent()).map(({ deliveries }) => deliveries)).toEqual([
        { ops: "sent", late: "sent" },
        { ops: "sent", late: "sent" },
      ]),
    );
  });

  it("does not send what is a day old, and survives a file that is damaged", async () => {
    const first = open({ webhooks: [{ name: "ops", urlFrom: "URL" }] }, { URL: "http://127.0.0.1:1/" });
    first.watch(() => [standing]);
    await until(() => expect(first.receivers()[0]?.lastError).not.toBeNull());
    await first.close();
    const { got, url } = await listen();
    nowMs += 25 * 60 * minuteMs;
    const second = open({ webhooks: [{ name: "ops", urlFrom: "URL" }] }, { URL: url });
    second.watch(() => []);
    expect(await second.recent()).toMatchObject([{ deliveries: { ops: "failed" } }]);
    await second.close();
    expect(got).toEqual([]);
    writeFileSync(join(folder, "alerts.json"), '{"version":1,"told":');
    const third = open({});
    expect(warned).toContain("alerts.json is damaged, and is begun anew: some alerts may come once more");
    expect(await third.recent()).toEqual([]);
  });

  it("is not needed by who only looks: nothing is written", async () => {
    const alerts = open({});
    await alerts.recent();
    await alerts.close();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("looking at budgets", () => {
  it("goes on after one look failed, and takes many in turns", async () => {
    const alerts = open({});
    let looks = 0;
    alerts.watch(function* () {
      looks += 1;
      if (looks === 1) throw new Error("not yet");
      for (let value = 0; value < 2_500; value += 1) yield { ...standing, values: [`v${value}`] };
    });
    await until(() => expect(warned).toEqual(["the budgets could not be looked at for alerts: Error: not yet"]));
    alerts.tick();
    // The last 200 are kept.
    await until(async () => expect((await alerts.recent())[0]?.title).toContain("[v2499]"));
    expect(await alerts.recent()).toHaveLength(200);
  });
});

describe("looking at what agents are worth", () => {
  const standings: readonly WorthStanding[] = [{ owner: "help desk", worth: worthOf({}) }];

  it("tells the receivers of its owner, goes on after a look that failed, and asks one question at a time", async () => {
    const [own, others] = [await listen(), await listen()];
    const receivers = [
      { name: "own", urlFrom: "OWN", owners: ["help desk"], kinds: ["worth"] },
      { name: "others", urlFrom: "OTHERS", owners: ["platform"] },
    ];
    const alerts = open({ webhooks: receivers }, { OWN: own.url, OTHERS: others.url });
    let [looks, under, most] = [0, 0, 0];
    const worths = async (): Promise<readonly WorthStanding[]> => {
      looks += 1;
      under += 1;
      most = Math.max(most, under);
      await new Promise((resolve) => setTimeout(resolve, 30));
      under -= 1;
      if (looks === 1) throw new Error("not yet");
      return standings;
    };
    alerts.watch(() => [], worths);
    await until(() => expect(looks).toBeGreaterThan(4));
    expect(warned).toEqual(["what agents are worth could not be looked at for alerts: Error: not yet"]);
    expect([most, own.got.length, others.got.length]).toEqual([1, 1, 0]);
    expect(JSON.parse(own.got[0]?.body as string)).toMatchObject({ type: "alert.worth", data: { worth: worthOf({}) } });
  });

  it("does not tell again after a restart, and a file from before there was such a thing is read", async () => {
    for (const expected of [1, 0]) {
      const { got, url } = await listen();
      const alerts = open({ webhooks: [{ name: "ops", urlFrom: "URL" }] }, { URL: url });
      let looks = 0;
      alerts.watch(
        () => [],
        async () => ((looks += 1), standings),
      );
      await until(() => expect(looks).toBeGreaterThan(2));
      await until(() => expect(got).toHaveLength(expected));
      await alerts.close();
    }
    const path = join(folder, "alerts.json");
    const { told, ...kept } = JSON.parse(readFileSync(path, "utf8")) as { told: object };
    writeFileSync(path, JSON.stringify({ ...kept, told: { ...told, worths: undefined } }));
    expect(await open({}).recent()).toHaveLength(1);
    expect(warned).toEqual([]);
  });
});
