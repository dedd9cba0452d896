import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { dayMs, hourMs, minuteMs } from "../core/time.ts";
import type { ActionAlert, Alert, BurnAlert, ThresholdAlert, Worth, WorthAlert } from "./alert.ts";
import { toMail, toSlack, toWebhook, webhookHeaders } from "./payload.ts";
import { toWords } from "./words.ts";
import { worthOf } from "./worth.fixture.ts";

const atMs = Date.UTC(2026, 10, 21, 12);
const amounts = {
  measure: "money",
  allowance: "1250",
  limitText: null,
  spent: "1001.25",
  held: "0.5",
  presumed: "3.000000000001",
  fromMs: Date.UTC(2026, 10),
  toMs: Date.UTC(2026, 11),
} as const;
const about = { budget: "support", values: ["n_00000000000000aa", "gpt-5"], owner: "help desk", subject: null };
const threshold: ThresholdAlert = {
  id: "a1",
  kind: "threshold",
  severity: "warning",
  atMs,
  ...about,
  amounts,
  percent: 80,
  usedPercent: 80,
};
const burn: BurnAlert = {
  ...about,
  id: "a2",
  kind: "burn",
  severity: "critical",
  atMs,
  amounts,
  shortMs: 5 * minuteMs,
  longMs: hourMs,
  shortTenths: 203,
  longTenths: 158,
  factorTenths: 144,
  goneMs: atMs + dayMs + 3 * hourMs + 59_000,
};
const refused: ActionAlert = {
  id: "a3",
  kind: "refused",
  severity: "warning",
  atMs,
  count: 1_041,
  of: [
    { ...about, count: 1_000, call: "c9", detail: "its allowance is used up" },
    { budget: null, values: [], owner: null, subject: "ticket-4711", count: 40, call: null, detail: "40 levels deep" },
  ],
  others: 1,
};
const worth: WorthAlert = { ...about, id: "a4", kind: "worth", severity: "warning", atMs, budget: null, values: [], worth: worthOf({}) };
const lines = (parts: Partial<Worth>): string[] => toWords({ ...worth, worth: worthOf(parts) }, hidden).text.split("\n");
const names = (token: string): string | null => (token === "n_00000000000000aa" ? "Acme & <!channel>\r\nBcc: x" : null);
const hidden = (): null => null;

describe("words", () => {
  it("of a threshold: exact amounts, until when, and who answers for it", () => {
    expect(toWords(threshold, hidden)).toEqual({
      title: "Budget support [n_00000000000000aa, gpt-5] has used 80 % of its allowance",
      text: [
        "$1001.25 spent of $1250. $3.000000000001 more is presumed: sent, and nobody knows how it ended. $0.5 more is held by calls under way.",
        "The window: 2026-11-01 00:00 UTC to 2026-12-01 00:00 UTC.",
        "Owner: help desk.",
      ].join("\n"),
    });
  });

  it.each([
    [{ percent: 100, usedPercent: 100 }, "has used all of its allowance"],
    [{ percent: 100, usedPercent: 1_204 }, "has used 100 % of its allowance (1,204 % now)"],
    [{ percent: 80, usedPercent: null }, "has used 80 % of its allowance"],
  ])("of %j", (parts, expected) => {
    expect(toWords({ ...threshold, values: [], ...parts }, hidden).title).toBe(`Budget support ${expected}`);
  });

  it("of tokens and of calls at once have no dollars", () => {
    const tokens = { ...amounts, measure: "tokens", spent: "1234567", presumed: "0", allowance: "2000000", held: "0", toMs: null } as const;
    expect(toWords({ ...threshold, amounts: tokens }, hidden).text).toBe("1,234,567 tokens spent of 2,000,000 tokens.\nOwner: help desk.");
    const open = { ...tokens, measure: "open", held: "9", allowance: "10" } as const;
    expect(toWords({ ...threshold, amounts: open }, hidden).text).toContain("9 calls at once of 10 calls.");
  });

  it("of a burn rate: how fast, over what, and when it is gone", () => {
    const { title, text } = toWords(burn, hidden);
    expect(title).toBe("Budget support [n_00000000000000aa, gpt-5] is spent 15.8 times faster than its allowance lasts");
    expect(text).toContain(
      "In the last 5 min 20.3 times as fast, in the last 1 h 15.8 times. At this rate what is left is gone in 1 d 3 h.",
    );
  });

  it("of an agent that is not worth it: success with its interval, the break-even, and what it cost", () => {
    expect(toWords(worth, hidden)).toEqual({
      title: "Agent helper is not worth it at resolve-ticket: 38.3 % of 120 tasks succeed (30–47.4 %), 49 % is its break-even",
      text: [
        "No: the agent pays from 49 % success on, and it succeeds in 30 % to 47.4 %.",
        "In the last 7 days 130 tasks cost about $110.93 more than a person would have.",
        "Owner: help desk.",
      ].join("\n"),
    });
  });

  it.each<[Partial<Worth>, string]>([
    [{ agent: "a".repeat(90), type: "t".repeat(90) }, `${"a".repeat(49)}… is not worth it at ${"t".repeat(49)}…: 38.3 %`],
    [{ agent: "x\r\nBcc: y" }, "Agent x Bcc: y is not worth it at resolve-ticket: 38.3 %"],
    [{ agent: null }, "An agent without a name is not worth it at resolve-ticket: 38.3 % of 120"],
    [{ breakEven: { kind: "never", p: null } }, "Agent helper is not worth it at resolve-ticket, even if every task succeeds"],
    [{ breakEven: { kind: "at", p: 1.2 } }, "Agent helper is not worth it at resolve-ticket, even if every task succeeds"],
    [{ success: null, saved: null, lost: null }, "Agent helper is not worth it at resolve-ticket, even if every task succeeds"],
    [
      {
        success: { low: 0.4896, at: 0.48993, high: 0.48999, successes: 1, tasks: 1, confidence: 0.95 },
        breakEven: { kind: "at", p: 0.49 },
      },
      "48.99 % of 1 task succeeded (48.96–49 %), 49 % is its break-even",
    ],
  ])("of one of which is known %j", (parts, expected) => {
    expect(toWords({ ...worth, worth: worthOf(parts) }, hidden).title).toContain(expected);
  });

  it("of one against the value of its work, over a day, and without what is not known", () => {
    expect(lines({ against: "value", days: 1, tasks: 1 })[1]).toBe(
      "In the last day 1 task cost about $110.93 more than what succeeded was worth.",
    );
    expect(lines({ lost: null })).toHaveLength(2);
  });

  it("of what the guard did: how often, to what, and one call", () => {
    expect(toWords(refused, hidden)).toEqual({
      title: "1,041 calls were refused",
      text: [
        "1,000 × Budget support [n_00000000000000aa, gpt-5]: its allowance is used up (call c9). Owner: help desk",
        "40 × ticket-4711: 40 levels deep",
        "and 1 more of others",
      ].join("\n"),
    });
    expect(toWords({ ...refused, of: refused.of.slice(1), count: 1, others: 0 }, hidden).title).toBe("1 call was refused: ticket-4711");
    const halted: Alert = { ...refused, kind: "halted", of: refused.of.slice(1), others: 0 };
    expect(toWords(halted, hidden).title).toBe("Halted: ticket-4711");
  });

  it("hold no line break, no control character, and no name of any length", () => {
    const { title } = toWords(threshold, names);
    expect(title).toContain("[Acme & <!channel> Bcc: x, gpt-5]");
    const long = toWords({ ...refused, of: [{ ...about, count: 1, call: null, detail: "x".repeat(9_000) }] }, () =>
      "\u202E\u001B[31m".repeat(500),
    );
    expect(long.text.length).toBeLessThanOrEqual(2_500);
    expect(long.title.length).toBeLessThanOrEqual(140);
    expect([long.text.includes("\u202E"), long.text.includes("\u001B")]).toEqual([false, false]);
  });
});

describe("a webhook", () => {
  it("is signed as Standard Webhooks says: its published test vector", () => {
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const headers = webhookHeaders("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_000, '{"test": 2432232314}', secret);
    expect(headers).toEqual({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  it("is signed with any other secret as it is, and without one not at all", () => {
    const expected = createHmac("sha256", "plain words").update("a1.1.{}").digest("base64");
    expect(webhookHeaders("a1", 1_999, "{}", "plain words")["webhook-signature"]).toBe(`v1,${expected}`);
    expect(webhookHeaders("a1", 1_999, "{}", null)).toEqual({ "webhook-id": "a1", "webhook-timestamp": "1" });
  });

  it("holds the words, and exact numbers for programs", () => {
    const body = JSON.parse(toWebhook(threshold, toWords(threshold, hidden))) as Record<string, unknown>;
    expect(body).toMatchObject({
      id: "a1",
      type: "alert.threshold",
      timestamp: "2026-11-21T12:00:00.000Z",
      title: expect.stringContaining("80 %"),
      data: {
        kind: "threshold",
        budget: "support",
        percent: 80,
        amounts: { allowance: "1250", spent: "1001.25", presumed: "3.000000000001" },
      },
    });
  });
});

describe("Slack", () => {
  it("gets a text and blocks within its limits, in which no name can mention or link", () => {
    const body = toSlack(threshold, toWords(threshold, names));
    const { text, blocks } = JSON.parse(body) as { text: string; blocks: { type: string; text?: { type: string; text: string } }[] };
    expect(text).toContain("Acme &amp; &lt;!channel&gt;");
    expect(text).not.toContain("<!channel>");
    expect(blocks.map(({ type }) => type)).toEqual(["header", "section", "context"]);
    expect(blocks[0]?.text?.type).toBe("plain_text");
    expect(blocks[0]?.text?.text.length).toBeLessThanOrEqual(150);
    expect(blocks[1]?.text?.text.length).toBeLessThanOrEqual(3_000);
  });
});

describe("a mail", () => {
  it("has one line of subject, whatever the names are", () => {
    const { subject, text } = toMail(threshold, toWords(threshold, names));
    expect(subject).toBe("[Pennyworth] Budget support [Acme & <!channel> Bcc: x, gpt-5] has used 80 % of its allowance");
    expect(text).toContain("$1001.25 spent of $1250.");
  });
});
