// The pages of prices, statements and closing in a browser, on a ledger with two months behind it: their numbers are those of the API, of the
// command line, and of sums by hand; what they change is on record afterwards. Not here: the other pages (web.test.ts).

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Charge } from "../src/core/charge.ts";
import { toPico } from "../src/core/money.ts";
import type { UsageClass } from "../src/core/usage.ts";
import { Journal } from "../src/ledger/journal.ts";
import { nobody, sampleEnd, sampleStart } from "../src/ledger/store.fixture.ts";
import { runCommand } from "./command.ts";
import { hasChromium, inBrowser, looks, openSite, type Site, type Visit } from "./site.ts";

const reason = "skipped: no Chromium at /usr/bin/chromium or PENNYWORTH_CHROMIUM";
const folder = mkdtempSync(join(tmpdir(), "pennyworth-pricesweb-"));
const dayMs = 86_400_000;
const now = new Date();
/** The tenth of a month, so many months ago, UTC. */
const tenth = (ago: number): number => Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - ago, 10, 12);
const monthOf = (ms: number): string => new Date(ms).toISOString().slice(0, 7);
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Picodollars for a token, from OpenAI's price list. */
const rates = { input: 250_000n, cache_read: 25_000n, output: 2_000_000n } as const;

function charged(name: keyof typeof rates, quantity: number): Charge {
  const price = `genai-prices@0.1.8/openai/gpt-5-mini#${name}`;
  const costPico = toPico(rates[name] * BigInt(quantity));
  return { class: name, quantity, source: "reported", model: "gpt-5-mini", part: 0, price, ratePico: rates[name], ratePer: 1n, costPico };
}

/**
 * Two months ago: 1,000 tokens in at 0.25 dollars a million and 500 out at 2: 0.00125 dollars. A month ago: 200 in, 800 of the cache at 0.025 and
 * 1,000 out: 0.00207; and a day later a call of a model that no list has.
 */
async function seed(): Promise<void> {
  const journal = await Journal.open(join(folder, "journal"), {
    segmentBytesMax: 1 << 20,
    syncMs: 5,
    durability: "batched",
    now: Date.now,
    onFatal: (error) => {
      throw error;
    },
  });
  const add = (id: string, startMs: number, model: string, used: Partial<Record<keyof typeof rates, number>>, isPriced = true): void => {
    const attribution = { ...nobody, task: `task-${id}`, root: `task-${id}` };
    journal.append({ kind: "start", call: sampleStart(id, { startMs, modelAsked: model, modelSent: model, attribution }) });
    const names = Object.keys(used) as (keyof typeof rates)[];
    const usage = {
      parts: [{ kind: "message" as const, model: null, quantities: used }],
      source: "reported" as const,
      doubts: [],
      raw: null,
    };
    const charges = isPriced ? names.map((name) => charged(name, used[name] ?? 0)) : [];
    const unpriced: readonly UsageClass[] = isPriced ? [] : names;
    journal.append({ kind: "end", call: sampleEnd(id, { endMs: startMs + 900, modelAnswered: model, usage, charges, unpriced }) });
  };
  add("first", tenth(2), "gpt-5-mini", { input: 1_000, output: 500 });
  add("second", tenth(1), "gpt-5-mini", { input: 200, cache_read: 800, output: 1_000 });
  add("third", tenth(1) + dayMs, "acme-unheard", { input: 1_000, output: 100 }, false);
  await journal.close();
}

const statement = JSON.stringify({
  object: "page",
  data: [
    {
      object: "bucket",
      start_time: Math.floor(tenth(1) / dayMs) * 86_400,
      end_time: (Math.floor(tenth(1) / dayMs) + 1) * 86_400,
      results: [
        ["gpt-5-mini, input", "0.00005"],
        ["gpt-5-mini, cached input", "0.00002"],
        ["gpt-5-mini, output", "0.002"],
        ["gpt-4o-mini, output", "0.01"],
      ].map(([line, value]) => ({
        object: "organization.costs.result",
        amount: { value, currency: "usd" },
        line_item: line,
        project_id: null,
      })),
    },
  ],
  has_more: false,
  next_page: null,
});

const litellm = JSON.stringify({
  "gpt-5-mini": { litellm_provider: "openai", mode: "chat", input_cost_per_token: 3e-7, output_cost_per_token: 2e-6 },
});

/** What a command prints with `--json`. */
async function json<Answer>(...args: string[]): Promise<Answer> {
  const { code, out, err } = await runCommand([...args, "--json"], { data: folder, folder });
  expect([code, err]).toEqual([0, ""]);
  return JSON.parse(out) as Answer;
}

interface Reported {
  readonly total: { readonly cost: string; readonly unpriced: number };
}

describe.skipIf(!hasChromium)(`the pages of prices in a browser (${reason})`, inBrowser, () => {
  let site: Site;
  let empty: Site;
  let visit: Visit;

  beforeAll(async () => {
    await seed();
    [site, empty] = await Promise.all([openSite(async () => {}, { data: folder }), openSite(async () => {})]);
    visit = await site.visit();
  }, 180_000);
  afterAll(async () => {
    await visit?.close();
    await Promise.all([site?.close(), empty?.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  const usdAt = (selector: string): Promise<string | null> => visit.page.locator(`${selector} [data-usd]`).first().getAttribute("data-usd");
  const reportOf = (ago: number): Promise<Reported> =>
    site.gateway.get(`/report?since=${monthOf(tenth(ago))}-01&until=${monthOf(tenth(ago - 1))}-01&fresh=true`) as Promise<Reported>;

  it("list a model as the API and the command line do", { timeout: 90_000 }, async () => {
    const { page } = visit;
    await visit.go("/prices?search=gpt-5-mini&provider=openai");
    const row = page.locator('tr[data-model="openai/gpt-5-mini"]');
    const asked = "/prices/models?provider=openai&search=gpt-5-mini";
    const { models } = (await site.gateway.get(asked)) as { models: { model: string; prices: Record<string, string> }[] };
    const listed = models.find(({ model }) => model === "gpt-5-mini")?.prices;
    expect(listed).toMatchObject({ input: "0.25", cache_read: "0.025", output: "2" });
    expect(models.find(({ model }) => model === "gpt-5-mini")).toMatchObject({ source: "genai-prices" });
    for (const [name, text] of [
      ["input", "$0.25"],
      ["cache_read", "$0.025"],
      ["output", "$2.00"],
    ])
      expect(await row.locator(`[data-price=${name}]`).innerText()).toBe(text);
    const told = await json<{ models: { model: string; prices: Record<string, string> }[] }>(
      "prices",
      "list",
      "--provider",
      "openai",
      "--search",
      "gpt-5-mini",
    );
    expect(told.models.find(({ model }) => model === "gpt-5-mini")?.prices).toEqual(listed);
    await row.getByRole("link").click();
    await page.getByRole("heading", { name: /gpt-5-mini/ }).waitFor();
    await visit.settle();
    expect(await usdAt('tr[data-class="cache_read"] td[data-tier="standard"]')).toBe("0.025");
    expect(await page.getByTestId("rule").innerText()).toMatch(/gpt-5-mini/);
    await page.getByRole("button", { name: "Set a price" }).click();
    const labels = page.getByRole("dialog").locator("label");
    expect((await labels.allInnerTexts()).slice(0, 3)).toEqual([
      "input, per 1M tokens",
      "cache read, per 1M tokens",
      "output, per 1M tokens",
    ]);
    await page.keyboard.press("Escape");
  });

  it("say what a model's tokens and tasks came to, as sums by hand have it", { timeout: 60_000 }, async () => {
    await visit.go("/prices/model?provider=openai&model=gpt-5-mini");
    const cells = async (ago: number): Promise<(string | null)[]> =>
      visit.page
        .locator(`tr[data-bucket="${monthOf(tenth(ago))}"] [data-usd]`)
        .evaluateAll((all) => all.map((one) => one.getAttribute("data-usd")));
    // Cost, paid and by the list for a million tokens, cost of a task. The list has 1,000 in at 0.25 and 1,000 out at 2: 0.00225 for 2,000 tokens.
    await expect.poll(() => cells(2)).toEqual(["0.00125", "0.833333", "0.833333", "0.00125"]);
    expect(await cells(1)).toEqual(["0.00207", "1.035", "1.125", "0.00207"]);
    const chart = visit.page.getByRole("application", { name: /The average price of a token/ });
    await chart.focus();
    await chart.press("ArrowLeft");
    // (0.00207 ÷ 2,000) ÷ (0.00125 ÷ 1,500) and 0.00207 ÷ 0.00125.
    const tip = chart.getByRole("status");
    await tip.waitFor();
    await chart.press("ArrowRight");
    expect((await tip.innerText()).replaceAll(/\s+/g, " ")).toContain("A token 124.2 A task 165.6");
  });

  it("show a list that waits, with what it would change, before the button that takes it", { timeout: 60_000 }, async () => {
    const { page } = visit;
    const list = { source: "genai-prices", version: "9.9.9", name: "genai-prices@9.9.9", origin: "shipped", own: false, records: 1_900 };
    const change = { provider: "openai", model: "gpt-5-mini", tier: "standard", region: null, aboveTokens: 0, fromMs: null };
    const shown = { ...list, published: "2026-11-01", discounts: 0, choices: 0 };
    await page.route("**/api/v1/prices/lists", (route) =>
      route.fulfill({ json: { lists: [{ ...list, taken: null, superseded: false }] } }),
    );
    await page.route("**/api/v1/prices/preview", (route) =>
      route.fulfill({
        json: {
          list: shown,
          added: 0,
          changed: 1,
          removed: 0,
          truncated: false,
          skipped: [],
          changes: [{ ...change, class: "input", before: "0.25", after: "0.2" }],
          warnings: [{ provider: "openai", model: "gpt-5-mini", class: "input", detail: "a fifth less" }],
        },
      }),
    );
    await visit.go("/prices");
    await page.locator('[data-waiting="genai-prices@9.9.9"]').getByRole("button", { name: "What would change" }).click();
    await page.getByTestId("difference").waitFor();
    const dialog = page.getByRole("dialog");
    expect(await dialog.innerText()).toMatch(/1 price would change, 0 would be added, 0 would go\.[^]*a fifth less[^]*\$0\.25\s+\$0\.20/);
    expect(await dialog.getByRole("button", { name: "Take genai-prices@9.9.9" }).count()).toBe(1);
    await page.waitForTimeout(350);
    await visit.check({ isCovered: true });
    await page.unroute("**/api/v1/prices/lists");
    await page.unroute("**/api/v1/prices/preview");
  });

  it("take a file once its difference was seen, and mark what sources dispute with the range", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/prices?search=gpt-5-mini&provider=openai");
    const row = page.locator('tr[data-model="openai/gpt-5-mini"]');
    expect(await row.innerText()).not.toMatch(/disputed/);
    await page
      .locator('input[type="file"]')
      .setInputFiles({ name: "map.json", mimeType: "application/json", buffer: Buffer.from(litellm) });
    await page.getByTestId("difference").waitFor();
    await page.getByRole("button", { name: /^Take litellm@/ }).click();
    await page.getByRole("button", { name: "Done" }).click();
    await expect.poll(() => row.innerText(), { timeout: 10_000 }).toMatch(/\$0\.25\s+\$0\.25 – \$0\.30[^]*disputed: input/);
    const { models } = (await site.gateway.get("/prices/disputes?provider=openai&model=gpt-5-mini")) as {
      models: { disputes: { class: string; lowest: string; highest: string }[] }[];
    };
    expect(models[0]?.disputes.find((one) => one.class === "input")).toMatchObject({ lowest: "0.25", highest: "0.3" });
    await visit.go("/prices?disputed=true");
    expect(await page.locator("tr[data-model]").count()).toBe(1);
  });

  it("price a model that had none, and re-rate its calls after a trial", { timeout: 90_000 }, async () => {
    const { page } = visit;
    expect((await reportOf(1)).total).toMatchObject({ cost: "0.00207", unpriced: 1 });
    await visit.go("/prices");
    const one = page.locator('[data-unpriced="openai/acme-unheard"]');
    expect((await one.innerText()).replaceAll(/\s+/g, " ")).toMatch(/1 call since .*: input 1,000, output 100/);
    await one.getByRole("button", { name: "The record" }).click();
    await one.getByRole("button", { name: "Copy the record" }).click();
    expect(await page.evaluate("navigator.clipboard.readText()")).toMatch(/model: acme-unheard[^]*input: DOLLARS/);
    await one.getByRole("button", { name: "Set a price for acme-unheard" }).click();
    await page.getByLabel("input, per 1M tokens").fill("2");
    expect(await page.getByRole("button", { name: "Set the price" }).isEnabled()).toBe(true);
    await page.getByLabel("output, per 1M tokens").fill("ten");
    expect(await page.getByRole("button", { name: "Set the price" }).isDisabled()).toBe(true);
    await page.getByLabel("output, per 1M tokens").fill("10");
    await page.getByRole("button", { name: "Set the price" }).click();
    await page.getByText("1 call on record had no price and would have one now").waitFor();
    await page.getByRole("link", { name: "re-rate them" }).click();
    await page.getByRole("button", { name: "Show what would change" }).click();
    const said = page.getByTestId("rerated");
    await said.waitFor();
    // 1,000 at 2 dollars a million and 100 at 10.
    expect(await said.innerText()).toMatch(
      /1 call of \d would come to \$0\.003000 instead of unknown: \+\$0\.003000\. 1 had no price before\./,
    );
    expect((await reportOf(1)).total).toMatchObject({ cost: "0.00207", unpriced: 1 });
    await page.getByRole("button", { name: "Correct 1 call" }).click();
    await page.getByText(/^Done\. 1 call of/).waitFor();
    await expect.poll(async () => (await reportOf(1)).total).toMatchObject({ cost: "0.00507", unpriced: 0 });
    await page.keyboard.press("Escape");
    await expect.poll(() => one.count()).toBe(0);
  });

  it("show the gap of a statement, causes that add up to it, and the gap on the overview", { timeout: 90_000 }, async () => {
    const { page } = visit;
    await visit.go("/statements");
    await page.locator('input[type="file"]').setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from("{}") });
    await page.getByRole("combobox", { name: "Provider" }).click();
    await page.getByRole("option", { name: "openai", exact: true }).click();
    await page.getByRole("button", { name: "Compare" }).click();
    await page.getByText(/x\.json: its JSON is of no known export/).waitFor();
    visit.complaints.length = 0;
    await page
      .locator('input[type="file"]')
      .setInputFiles({ name: "costs.json", mimeType: "application/json", buffer: Buffer.from(statement) });
    await page.getByRole("button", { name: "Compare" }).click();
    await page.getByTestId("gap").waitFor();
    const sums = ["stated", "ledger", "gap"].map((name) => usdAt(`[data-testid=${name}]`));
    expect(await Promise.all(sums)).toEqual(["0.01207", "0.00207", "0.01"]);
    expect(await page.locator("tr[data-cause]").count()).toBe(1);
    expect(await usdAt('tr[data-cause="bypassed"]')).toBe("0.01");
    expect(await page.getByText(/do not add up/).count()).toBe(0);
    const { reconciliations } = (await site.gateway.get("/reconciliations")) as { reconciliations: { gap: string; gapPercent: string }[] };
    expect(reconciliations).toMatchObject([{ gap: "0.01", gapPercent: "82.85" }]);
    await visit.go("/");
    const alert = page.locator('[data-gap="openai"]');
    await alert.waitFor();
    expect(await alert.innerText()).toMatch(/\+\$0\.01.* between openai's statement and the ledger[^]*\+82\.85% of what is stated/);
    await alert.click();
    await page.getByTestId("gap").waitFor();
  });

  it("list what a statement without amounts comes to at the ledger's prices", { timeout: 60_000 }, async () => {
    // 200 in, 800 of the cache and 2,000 out: a thousand out more than the ledger has, at 2 dollars a million.
    const start = Math.floor(tenth(1) / dayMs) * 86_400;
    const counted = { input_tokens: 1_000, input_cached_tokens: 800, output_tokens: 2_000, num_model_requests: 2, model: "gpt-5-mini" };
    const bucket = { object: "bucket", start_time: start, end_time: start + 86_400 };
    const results = [{ object: "organization.usage.completions.result", ...counted }];
    const text = JSON.stringify({ object: "page", data: [{ ...bucket, results }], has_more: false, next_page: null });
    await site.gateway.post("/reconciliations", { provider: "openai", files: [{ name: "usage.json", text }] });
    await visit.go("/statements");
    const row = visit.page.locator("tr[data-statement]").first();
    expect((await row.innerText()).replaceAll(/\s+/g, " ")).toMatch(/at the ledger's prices[^]*\+\$0\.002/);
    await visit.page.getByRole("combobox", { name: "Provider" }).click();
    expect(await visit.page.getByRole("option", { name: "sandbox", exact: true }).count()).toBe(1);
    await visit.page.keyboard.press("Escape");
    await site.gateway.post("/reconciliations", { provider: "openai", files: [{ name: "costs.json", text: statement }] });
  });

  it("find a model from anywhere", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/");
    await page.keyboard.press("Control+k");
    await page
      .getByRole("textbox", { name: "Find or do" })
      .or(page.getByRole("searchbox", { name: "Find or do" }))
      .first()
      .fill("opus-4");
    await page
      .getByRole("button", { name: /claude-opus-4/ })
      .first()
      .click();
    await page.getByRole("heading", { name: /opus-4/ }).waitFor();
    expect(page.url()).toMatch(/\/prices\/model\?provider=/);
  });

  it("have room for what a phone shows of receipts and tasks", { timeout: 60_000 }, async () => {
    const other = await site.visit({ theme: "light", width: 390 });
    await other.go("/calls/second");
    const table = other.page.getByRole("region", { name: "Lines of the receipt" });
    // Every amount as long as those of a few tokens are.
    await table.locator(".usd .fine").evaluateAll((all) => all.forEach((one) => (one.textContent = "0000012345")));
    expect(await table.evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0);
    await other.go("/tasks?span=all");
    const when = other.page.locator("tr[data-task] td.when").first();
    await when.waitFor();
    expect(await when.evaluate((one) => one.scrollWidth - one.clientWidth)).toBeLessThanOrEqual(0);
    await other.close();
  });

  it("close a month after what is unsure was shown, and check it", { timeout: 90_000 }, async () => {
    const { page } = visit;
    await visit.go("/closing");
    const [early, late] = [monthOf(tenth(2)), monthOf(tenth(1))];
    expect(await page.getByRole("button", { name: `Close ${late}` }).count()).toBe(0);
    await page.getByRole("button", { name: `Close ${early}` }).click();
    await page.getByText("Every call of this month has a price, a usage that adds up, and a known end.").waitFor();
    expect(await usdAt('[role="dialog"]')).toBe("0.00125");
    await page
      .getByRole("dialog")
      .getByRole("button", { name: /^Close / })
      .last()
      .click();
    await page.locator(`tr[data-month="${early}"]`).getByText("closed", { exact: true }).waitFor();
    const { closings } = (await site.gateway.get("/closings")) as { closings: { month: string; cost: string }[] };
    expect(closings).toMatchObject([{ month: early, cost: "0.00125" }]);
    const told = await json<{ month: string; cost: string }[]>("close", "--list");
    expect(told).toMatchObject([{ month: early, cost: "0.00125" }]);
    await page.getByRole("button", { name: "Check closed months" }).click();
    expect(await page.getByTestId("checked").innerText()).toMatch(/1 closed month recomputed: it is what it was/);
  });

  it("show an announced change apart from what is in force, and what was known before it", { timeout: 60_000 }, async () => {
    const { page } = visit;
    const from = dayOf(Date.now() + 40 * dayMs);
    const before = new Date(Date.now() - 1).toISOString();
    const price = { provider: "openai", model: "gpt-5-mini", from, perMillion: { input: "0.2", cache_read: "0.02", output: "1.5" } };
    await site.gateway.post("/prices/set", { text: JSON.stringify({ prices: [price] }) });
    await visit.go("/prices/model?provider=openai&model=gpt-5-mini");
    const row = page.locator(`tr[data-from="${Date.parse(from)}"]`);
    expect((await row.innerText()).replaceAll(/\s+/g, " ")).toMatch(/announced \$0\.20 \$1\.50/);
    await page.getByText("Dashed: announced").waitFor();
    await visit.go(`/prices/model?provider=openai&model=gpt-5-mini&known=${encodeURIComponent(before)}`);
    await page.getByText("One price for all times that the book knows of").waitFor();
    await visit.go("/prices?search=gpt-5-mini&provider=openai");
    expect(await page.locator('tr[data-model="openai/gpt-5-mini"]').innerText()).toMatch(/changes on /);
  });

  it.each(looks)("stand in $theme, $width pixels wide", { timeout: 180_000 }, async (look) => {
    const other = await site.visit(look);
    const { reconciliations } = (await site.gateway.get("/reconciliations")) as { reconciliations: { id: string }[] };
    for (const [path, title, text] of [
      ["/prices", "Prices", /Models[^]*anthropic[^]*Lists[^]*litellm/],
      ["/prices?search=nothing-like-it", "Prices", /No model matches/],
      ["/prices/model?provider=openai&model=gpt-5-mini", "gpt-5-mini, price", /They differ on input[^]*What was paid/],
      ["/prices/model", "Price of a model", /No model is named/],
      ["/statements", "Statements", /Compared so far[^]*openai/],
      [`/statements?id=${reconciliations[0]?.id}`, "Statements", /Calls that did not pass Pennyworth/],
      ["/closing", "Closing", /closed/],
    ] as const) {
      await other.go(path);
      await expect.poll(async () => other.page.locator("main").innerText(), { message: path, timeout: 10_000 }).toMatch(text);
      expect([path, await other.page.title()]).toEqual([path, expect.stringContaining(title)]);
      await other.page.waitForTimeout(200);
      await other.check().catch((error: unknown) => {
        throw new Error(`${path}: ${String(error)}`, { cause: error });
      });
    }
    await other.close();
  });

  it("say what there is to say where nothing is on record, and what went wrong", { timeout: 120_000 }, async () => {
    const other = await empty.visit({ theme: "dark", width: 360 });
    for (const [path, text] of [
      ["/prices", /Models[^]*genai-prices/],
      ["/prices/model?provider=openai&model=gpt-5-mini", /No call of this model is on record/],
      ["/statements", /No statement was compared yet/],
      ["/closing", /No month has a call yet/],
    ] as const) {
      await other.go(path);
      await expect.poll(async () => other.page.locator("main").innerText(), { message: path, timeout: 10_000 }).toMatch(text);
      await other.check().catch((error: unknown) => {
        throw new Error(`${path}: ${String(error)}`, { cause: error });
      });
    }
    await other.page.route("**/api/v1/prices/models?*", (route) =>
      route.fulfill({ status: 400, json: { error: { code: "x", message: "Not like this." } } }),
    );
    await other.go("/prices");
    await other.page.getByText("Not like this.").waitFor();
    await other.page.unroute("**/api/v1/prices/models?*");
    await other.page.getByRole("button", { name: "Try again" }).click();
    await other.page.locator("tr[data-model]").first().waitFor();
    await other.go("/prices/model?provider=openai&model=gpt-5-minni");
    await other.page.getByText(/Near it: [^]*gpt-5-mini/).waitFor();
    await other.close();
  });

  it("let those who read look, and change nothing", { timeout: 60_000 }, async () => {
    const made = (await site.gateway.post("/keys", { name: "reader", role: "read" })) as { secret: string };
    const other = await site.visit({ theme: "light", width: 1280 }, false);
    await other.page.goto(`${site.gateway.url}/#token=${made.secret}`);
    await other.page.locator("h1").first().waitFor();
    for (const [path, name] of [
      ["/prices", /Import a file|Leave out|Set a price/],
      ["/prices/model?provider=openai&model=gpt-5-mini", /Set a price/],
      ["/statements", /Compare$/],
      ["/closing", /^Close /],
    ] as const) {
      await other.go(path);
      expect([path, await other.page.getByRole("button", { name }).count()]).toEqual([path, 0]);
    }
    await other.go("/prices?rerate=30d");
    await other.page.getByText("Only those who administer may re-rate calls.").waitFor();
    expect(other.complaints).toEqual([]);
    await other.close();
  });
});
