// The page in a real browser against the real API app over calls in memory: what a reader sees, and that hostile names stay text.

import { existsSync } from "node:fs";
import { serve } from "@hono/node-server";
import { type Browser, type Page, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApi } from "../api/app.ts";
import { toPico } from "../core/money.ts";
import { createMemory, makeCall, nowMs } from "../api/memory.fixture.ts";
import type { CallRecord } from "../ledger/store.ts";
import { createPage } from "./page.ts";

describe("the page's files", () => {
  it("are served with a policy that allows nothing from elsewhere and nothing inline", async () => {
    const app = createPage();
    for (const path of ["/", "/assets/page.js", "/assets/page.css", "/assets/icon.svg"]) {
      const response = await app.request(path);
      expect([path, response.status]).toEqual([path, 200]);
      expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
      expect(response.headers.get("content-security-policy")).not.toContain("unsafe");
      const again = await app.request(path, { headers: { "if-none-match": response.headers.get("etag")! } });
      expect(again.status).toBe(304);
    }
  });

  it("leave what nobody serves to the API, which says so as JSON", async () => {
    const app = createPage().route("/", createApi(createMemory([])));
    expect((await app.request("/")).status).toBe(200);
    for (const [method, path, status, code] of [
      ["GET", "/nothing", 404, "route_unknown"],
      ["PUT", "/api/v1/report", 405, "method_not_allowed"],
    ] as const) {
      const response = await app.request(path, { method });
      expect([response.status, await response.json()]).toMatchObject([status, { error: { code } }]);
    }
  });

  it("are the only ones", async () => {
    const app = createPage();
    for (const path of ["/assets/page.html", "/assets/../page.ts", "/assets/%2e%2e/page.ts", "/assets/"])
      expect((await app.request(path)).status).toBe(404);
  });

  it("hold no script, style or handler in the markup, and name no other host", async () => {
    const html = await (await createPage().request("/")).text();
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=|https?:/);
  });
});

const path = process.env["PENNYWORTH_CHROMIUM"] ?? "/usr/bin/chromium";
const hostile = `<img src=x onerror="document.title='owned'">`;
const chars = `"'><script>document.title='owned'</script>`;
const customers = { attribution: { task: "ticket-4711", customer: "n_00000000000000aa", feature: "support", team: "core" } as never };
const records = [
  makeCall("c1", { startMs: nowMs - 5_000, attribution: { task: hostile, customer: "n_00000000000000aa", feature: chars } as never }),
  makeCall("c2", { startMs: nowMs - 4_000 }, { modelAnswered: `gpt-5-mini-2025${chars}` }),
  makeCall("c3", { startMs: nowMs - 3_000, attribution: { team: "core" } as never }, null),
  makeCall("c4", { startMs: nowMs - 2_000 }, { charges: makeCall("c4").end!.charges.slice(0, 1), unpriced: ["output"] }),
];

describe.skipIf(!existsSync(path))("the page in a browser (skipped: no Chromium at /usr/bin/chromium or PENNYWORTH_CHROMIUM)", () => {
  let browser: Browser;
  const closing: (() => void)[] = [];

  async function open(list: readonly CallRecord[], size = { width: 1200, height: 900 }, scheme: "light" | "dark" = "light") {
    const app = createPage().route("/", createApi(createMemory(list)));
    const url = await new Promise<string>((resolve) => {
      const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => resolve(`http://127.0.0.1:${port}`));
      closing.push(() => server.close());
    });
    const page = await browser.newPage({ viewport: size, colorScheme: scheme, locale: "en-GB", timezoneId: "Europe/Berlin" });
    const complaints: string[] = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    return { url, page, complaints };
  }

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: path, args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser.close();
    for (const close of closing) close();
  });

  it("takes the token out of the address bar and shows the calls, newest first, with exact cost", async () => {
    const { url, page, complaints } = await open(records);
    await page.goto(`${url}/#token=admin`);
    await page.waitForSelector("#calls tbody tr");
    expect(page.url()).toBe(`${url}/`);
    const costs = await page.locator("#calls tbody tr td:last-child").allInnerTexts();
    expect(costs.map((text) => text.replace(/\s+/g, " "))).toEqual(["no price for output ≥ $0.00025", "…", "$0.00045", "$0.00045"]);
    expect(await page.locator("#calls tbody").innerText()).toContain("gpt-5-mini → gpt-5-mini-2025");
    expect(await page.locator("#today").innerText()).toContain("$0.00115");
    expect(await page.locator("#today").innerText()).toContain("1 without a price");
    expect(await page.locator("#today").innerText()).toContain("≥ $0.00115");
    expect(await page.locator("#zone").innerText()).toContain("Europe/Berlin");
    await fits(page);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("counts what is not sure apart, marks what was not reported, and says what is the sandbox's", async () => {
    const base = makeCall("x").end!;
    const nothing = {
      parts: [{ kind: "presumed", model: null, quantities: {} }],
      source: "presumed",
      doubts: ["no bound: x"],
      raw: null,
    } as const;
    const { url, page, complaints } = await open([
      makeCall("c1", { startMs: nowMs - 4_000, provider: "sandbox" }),
      makeCall("c2", { startMs: nowMs - 3_000 }, { usage: { ...base.usage!, source: "estimated" } }),
      makeCall("c3", { startMs: nowMs - 2_000 }, { charges: [], unpriced: ["input", "output"] }),
      makeCall("c4", { startMs: nowMs - 1_000 }, { status: "presumed", charges: [], unpriced: ["output"], usage: nothing }),
    ]);
    await page.goto(`${url}/#token=admin`);
    await page.waitForSelector("#calls tbody tr");
    const costs = await page.locator("#calls tbody tr td:last-child").allInnerTexts();
    expect(costs.map((text) => text.replace(/\s+/g, " "))).toEqual([
      "no bound for output unknown",
      "no price for input, output unknown",
      "~$0.00045",
      "$0.00045",
    ]);
    const today = (await page.locator("#today").innerText()).replace(/\s+/g, " ");
    expect(today).toMatch(/Not sure 2 without a price 1 presumed$/);
    expect(today).toContain(
      "≥ ~$0.0009 only what is known ~ in part not reported by the provider of which sandbox (no real money): $0.00045",
    );
    expect(await page.locator("#zone").innerText()).toContain("~ marks a cost");
    expect(complaints).toEqual([]);
    await page.close();
  });

  it.each([375, 800, 970, 1100, 1600])("fits %i points with long numbers, and breaks none", async (width) => {
    const dear = makeCall("x").end!.charges.map((charge) => Object.assign({}, charge, { costPico: toPico(1_234_567_890_123_456n) }));
    const long = { modelAnswered: "claude-haiku-4-5-20251001", charges: dear };
    const { url, page } = await open([makeCall("c1", customers, long), ...records.slice(0, 1)], { width, height: 900 });
    await page.goto(`${url}/#token=admin`);
    await page.waitForSelector("#calls tbody tr");
    await fits(page);
    const room = (await page.evaluate(
      "['main', '#calls', '#today'].map((name) => document.querySelector(name)).map((box) => box.getBoundingClientRect().right)",
    )) as number[];
    expect(room[1]).toBeLessThanOrEqual(room[0]!);
    expect(room[2]).toBeLessThanOrEqual(room[0]!);
    const lines = (await page.evaluate(
      "[...document.querySelectorAll('.money')].map((money) => new Set([...money.getClientRects()].map(({ bottom }) => Math.round(bottom))).size)",
    )) as number[];
    expect(lines).toEqual(lines.map(() => 1));
    if (width < 736) expect(((await page.locator("#zone").boundingBox())?.width ?? 0) / width).toBeGreaterThan(0.8);
    await page.close();
  });

  it("shows hostile names as the text they are", async () => {
    const { url, page, complaints } = await open(records);
    await page.goto(`${url}/#token=admin`);
    await page.waitForSelector("#calls tbody tr");
    expect(await page.locator("#calls tbody").innerText()).toContain(hostile);
    await page.goto(`${url}/#call=c1`);
    await page.waitForSelector("#receipt tfoot");
    await page.locator("#receipt details").first().click();
    expect(await page.locator("#receipt").innerText()).toContain(chars);
    expect(await page.locator("#calls img, #receipt img, body script").count()).toBe(0);
    expect(await page.title()).toBe("Pennyworth");
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("opens a receipt by keyboard alone, explains each line, and closes by Escape", async () => {
    const { url, page, complaints } = await open(records.slice(0, 1));
    await page.goto(`${url}/#token=admin`);
    await page.locator("#calls tbody a").first().focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector("#receipt tfoot");
    const lines = (await page.locator("#receipt .lines").innerText()).replace(/\s+/g, " ");
    expect(lines).toContain(
      "input gpt-5-mini 1,000 reported by the provider $0.25 per 1,000,000 tokens v1 · a list of 2026-11-01 $0.00025",
    );
    expect(lines).toContain("Total $0.00045");
    await fits(page);
    await page.keyboard.press("Escape");
    await page.waitForURL(`${url}/`);
    expect(await page.locator("#receipt").isVisible()).toBe(false);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("asks for a token when there is none, says when it does not do, and keeps it for the tab", async () => {
    const { url, page } = await open(records);
    await page.goto(url);
    expect(await page.locator("#sign-in").isVisible()).toBe(true);
    await page.fill("#token", "wrong");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#banner:not([hidden])");
    expect(await page.locator("#banner").innerText()).toContain("key is not known");
    await page.fill("#token", "admin");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#calls tbody tr");
    await page.reload();
    await page.waitForSelector("#calls tbody tr");
    await page.click("#sign-out");
    expect(await page.locator("#calls tbody tr").count()).toBe(0);
    await page.close();
  });

  it("is honest when there is nothing yet, and gives the line that changes it", async () => {
    const { url, page } = await open([]);
    await page.goto(`${url}/#token=admin`);
    await page.waitForSelector("#first-call:visible");
    expect(await page.locator("#first-call").innerText()).toContain(`curl ${url}/to/sandbox/v1/chat/completions`);
    await page.close();
  });

  it("says so when the server goes away", async () => {
    const { url, page } = await open(records);
    await page.goto(`${url}/#token=admin`);
    await page.waitForSelector("#calls tbody tr");
    await page.route("**/api/**", (route) => route.abort());
    await page.waitForSelector("#banner:not([hidden])");
    expect(await page.locator("#banner").innerText()).toContain("does not answer");
    expect(await page.locator("#calls tbody tr").count()).toBe(4);
    await page.close();
  });

  it.each(["light", "dark"] as const)("fits a phone without scrolling sideways, %s", async (scheme) => {
    const { url, page } = await open(records, { width: 360, height: 740 }, scheme);
    await page.goto(`${url}/#token=admin`);
    await page.waitForSelector("#calls tbody tr");
    await fits(page);
    await page.goto(`${url}/#call=c4`);
    await page.waitForSelector("#receipt tfoot");
    await fits(page);
    expect(await page.locator("#receipt .notes").innerText()).toContain("have no price");
    await page.close();
  });
});

async function fits(page: Page): Promise<void> {
  const [wanted, had] = (await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")) as [number, number];
  expect(wanted).toBeLessThanOrEqual(had);
  const shots = process.env["PENNYWORTH_SHOTS"];
  if (shots !== undefined) await page.screenshot({ path: `${shots}/${Date.now()}.png` });
}
