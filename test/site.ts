// The dashboard as a reader has it: the real server with some calls on record, and the system's Chromium before it. What the tests of the
// pages share. Not here: what is right. Invariant: every complaint of the browser is kept, and a test that ends with one has failed.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import { startGateway, type TestGateway } from "./gateway.ts";

const { freshenWeb } = (await import("../scripts/web.mjs" as string)) as { freshenWeb: () => Promise<void> };

export const chromiumPath = process.env["PENNYWORTH_CHROMIUM"] ?? "/usr/bin/chromium";
export const hasChromium = existsSync(chromiumPath);

/** A browser on a busy machine may stand still for a while: what fails in it has a second try, and `npm test` names what needed one. */
export const inBrowser = { retry: 1 };

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface Look {
  readonly theme: "light" | "dark";
  readonly width: number;
}

export const looks: readonly Look[] = [
  { theme: "light", width: 1280 },
  { theme: "dark", width: 1280 },
  { theme: "light", width: 360 },
  { theme: "dark", width: 360 },
];

export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the browser complained of. */
  readonly complaints: string[];
  /** To an address of the dashboard, until its data is there. */
  go(path: string): Promise<void>;
  /** Waits until nothing is being loaded. */
  settle(): Promise<void>;
  /** No violation of WCAG A and AA by axe, nothing wider than the screen, no complaint. `isCovered`: something lies over a part of the page. */
  check(options?: { readonly isCovered?: boolean }): Promise<void>;
  close(): Promise<void>;
}

export interface Site {
  readonly gateway: TestGateway;
  /** @param signedIn with the admin token, as the address that `pennyworth serve` prints does it. */
  visit(look?: Look, signedIn?: boolean): Promise<Visit>;
  close(): Promise<void>;
}

/** @param fill makes the calls that the pages show. */
export async function openSite(
  fill: (gateway: TestGateway) => Promise<void>,
  flags: Readonly<Record<string, unknown>> = {},
): Promise<Site> {
  await freshenWeb();
  const gateway = await startGateway({ log: "silent", ...flags });
  await fill(gateway);
  await gateway.get("/report?fresh=true");
  const browser: Browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
  return {
    gateway,
    visit: async (look = { theme: "light", width: 1280 }, signedIn = true) => {
      const context = await browser.newContext({
        viewport: { width: look.width, height: 860 },
        colorScheme: look.theme,
        locale: "en-GB",
        timezoneId: "Europe/Berlin",
        acceptDownloads: true,
      });
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(String(error)));
      const settle = async (): Promise<void> => {
        await page.waitForLoadState("networkidle");
        const waiting = page.locator('[role="status"][aria-label^="Loading"]');
        for (let tries = 0; tries < 300 && (await waiting.count()) > 0; tries += 1) await page.waitForTimeout(50);
      };
      const visit: Visit = {
        page,
        context,
        complaints,
        settle,
        go: async (path) => {
          await page.goto(gateway.url + path);
          await page.locator("h1").first().waitFor();
          await settle();
        },
        check: async ({ isCovered = false } = {}) => {
          expect(await violations(page, isCovered)).toEqual([]);
          expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
          expect(complaints).toEqual([]);
        },
        close: () => context.close(),
      };
      if (signedIn) {
        await page.goto(`${gateway.url}/#token=${gateway.adminToken}`);
        await page.locator("h1").first().waitFor();
        await settle();
      }
      return visit;
    },
    close: async () => {
      await browser.close();
      await gateway.close();
    },
  };
}

/** What axe finds against WCAG 2.2 A and AA, as `rule: element`. Its script is put in by the browser's debugger: the page's policy stays. */
async function violations(page: Page, isCovered: boolean): Promise<string[]> {
  await page.evaluate(axe);
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  // Of a button that an open menu lies over, axe measures what can be seen.
  const rules = isCovered ? { "target-size": { enabled: false } } : {};
  const options = JSON.stringify({ runOnly: { type: "tag", values: tags }, rules });
  const found = (await page.evaluate(`axe.run(document, ${options}).then(({ violations }) => violations)`)) as readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ""}`));
}

function tokens(input: number, output: number): Record<string, string> {
  return { "x-sandbox-input-tokens": String(input), "x-sandbox-output-tokens": String(output) };
}

/** One call, answered by the sandbox. */
export async function ask(
  gateway: TestGateway,
  headers: Readonly<Record<string, string>>,
  model = "gpt-5-mini",
  expected = 200,
): Promise<void> {
  const response = await fetch(`${gateway.url}/to/sandbox/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] }),
  });
  await response.text();
  if (response.status !== expected) throw new Error(`${response.status} instead of ${expected}`);
}

/** A charge of a period, of the day before unless it says otherwise. */
export async function declare(gateway: TestGateway, charge: Readonly<Record<string, unknown>>): Promise<void> {
  const toMs = Math.floor(Date.now() / 86_400_000) * 86_400_000;
  const [from, to] = [toMs - 86_400_000, toMs].map((ms) => new Date(ms).toISOString());
  const response = await fetch(`${gateway.url}/api/v1/charges`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${gateway.adminToken}` },
    body: JSON.stringify({ from, to, ...charge }),
  });
  if (response.status !== 201) throw new Error(await response.text());
}

/** Long work of each state: a cache that stays, one that has gone without a price, a batch that has ended, charges that count and one voided. */
export async function makeLongWork(gateway: TestGateway): Promise<void> {
  const send = async (path: string, body: unknown, method = "POST"): Promise<Record<string, unknown>> => {
    const form = body instanceof FormData;
    const response = await fetch(`${gateway.url}${path}`, {
      method,
      // The model APIs take no admin token.
      headers: {
        ...(path.startsWith("/api/") ? { authorization: `Bearer ${gateway.adminToken}` } : {}),
        ...(form ? {} : { "content-type": "application/json" }),
      },
      ...(method === "DELETE" ? {} : { body: form ? body : JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };
  const contents = [{ role: "user", parts: [{ text: "A long manual." }] }];
  await send("/to/sandbox/v1beta/cachedContents", { model: "models/gemini-2.5-pro", contents, ttl: "36000s" });
  const gone = await send("/to/sandbox/v1beta/cachedContents", { model: "models/a-model-without-a-price", contents, ttl: "36000s" });
  await send(`/to/sandbox/v1beta/${String(gone["name"])}`, null, "DELETE");
  const messages = [{ role: "user", content: "Hello" }];
  const line = { custom_id: "line-1", method: "POST", url: "/v1/chat/completions", body: { model: "gpt-5-mini", messages } };
  const form = new FormData();
  form.set("purpose", "batch");
  form.set("file", new Blob([JSON.stringify(line)]), "lines.jsonl");
  const file = await send("/to/sandbox/v1/files", form);
  await send("/to/sandbox/v1/batches", { input_file_id: file["id"], endpoint: "/v1/chat/completions", completion_window: "24h" });
  await declare(gateway, { id: "hosting-1", item: "hosting", provider: "azure", model: "gpt-4o-mini-ft", cost: "41.10" });
  await declare(gateway, { id: "hosting-2", item: "hosting", provider: "azure", cost: "7.25" });
  await send("/api/v1/charges/hosting-2", null, "DELETE");
}

/** A little of everything: customers, features, tasks in a tree, another model answering, a failure, no price, no usage. */
export async function makeCalls(gateway: TestGateway): Promise<void> {
  const customers = ["Acme & <b>Sons</b>", "Birch Ltd", "Café Noir"];
  for (let n = 0; n < 24; n += 1)
    await ask(gateway, {
      ...tokens(1_000 + 37 * n, 100 + 13 * n),
      "x-pennyworth-customer": customers[n % 3] as string,
      "x-pennyworth-feature": n % 2 === 0 ? "search" : "chat",
      "x-pennyworth-agent": "helper",
    });
  const run = { "x-pennyworth-root": "ticket-1", "x-pennyworth-customer": "Birch Ltd", "x-pennyworth-type": "ticket" };
  await ask(gateway, { ...run, ...tokens(900, 50), "x-pennyworth-task": "ticket-1", "x-pennyworth-step": "triage" });
  for (const step of ["search", "draft", "review"])
    await ask(gateway, {
      ...run,
      ...tokens(4_000, 300),
      "x-pennyworth-task": "ticket-1-answer",
      "x-pennyworth-parent": "ticket-1",
      "x-pennyworth-step": step,
    });
  await ask(gateway, { ...tokens(700, 70), "x-sandbox-served-model": "gpt-5-mini-2025-08-07" });
  await ask(gateway, { ...tokens(500, 20), "x-sandbox-fail": "429" }, "gpt-5-mini", 429);
  await ask(gateway, { ...tokens(500, 20) }, "a-model-without-a-price");
  await ask(gateway, { ...tokens(500, 20), "x-sandbox-usage": "wrong" });
}
