// The ways a reader goes through the dashboard, and the numbers met there: each is the API's and the command line's, to the last digit.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium, inBrowser, makeCalls, makeLongWork, openSite, type Site, type Visit } from "./site.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Report {
  readonly rows: readonly { readonly group: Readonly<Record<string, string | null>>; readonly cost: string; readonly calls: number }[];
  readonly total: { readonly cost: string; readonly calls: number };
}

interface Receipt {
  readonly call: string;
  readonly total: string;
  readonly lines: readonly { readonly cost: string }[];
}

const reason = "skipped: no Chromium at /usr/bin/chromium or PENNYWORTH_CHROMIUM";

describe.skipIf(!hasChromium)(`a reader (${reason})`, { ...inBrowser, timeout: 120_000 }, () => {
  let site: Site;
  let visit: Visit;
  let page: Page;

  beforeAll(async () => {
    site = await openSite(makeCalls);
    visit = await site.visit();
    page = visit.page;
  }, 180_000);
  afterAll(async () => {
    expect(visit.complaints).toEqual([]);
    await site?.close();
  });

  const get = async <Answer>(path: string): Promise<Answer> => (await site.gateway.get(path)) as Answer;
  const amounts = async (selector: string): Promise<(string | null)[]> =>
    Promise.all((await page.locator(`${selector} [data-usd]`).all()).map((found) => found.getAttribute("data-usd")));
  const amount = async (selector: string): Promise<string | null> =>
    page.locator(`${selector} [data-usd]`).first().getAttribute("data-usd");

  /** What the terminal says to a line that was copied from a page. */
  async function terminal(line: string): Promise<unknown> {
    const script = `pennyworth() { "$NODE" --import tsx src/cli/main.ts "$@" --json --data "$DATA"; }; ${line}`;
    const env = { ...process.env, NODE: process.execPath, DATA: site.gateway.dataFolder };
    const { stdout } = await promisify(execFile)("sh", ["-c", script], { cwd: root, env });
    return JSON.parse(stdout);
  }

  async function take(item: string): Promise<void> {
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: item }).click();
  }

  async function download(item: string): Promise<Buffer> {
    const [found] = await Promise.all([page.waitForEvent("download"), take(item)]);
    return readFile(await found.path());
  }

  it("signs in with a token, is told when it does not do, comes to where they wanted, and leaves", async () => {
    const stranger = await site.visit(undefined, false);
    const { page, context } = stranger;
    await page.goto(`${site.gateway.url}/explore?by=customer`);
    await page.getByLabel("Token", { exact: true }).fill("nonsense");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This Pennyworth key is not known.").waitFor();
    await page.getByLabel("Token", { exact: true }).fill(site.gateway.adminToken);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Explore" }).waitFor();
    expect(page.url()).toBe(`${site.gateway.url}/explore?by=customer`);
    const kept = (await page.evaluate("JSON.stringify([document.cookie, localStorage, sessionStorage, location.href])")) as string;
    expect(kept).not.toContain(site.gateway.adminToken);
    expect(kept.startsWith('[""')).toBe(true);
    const [cookie] = await context.cookies(`${site.gateway.url}/api/v1/session`);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: expect.stringMatching(/^\/api/) });
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in to Pennyworth" }).waitFor();
    await page.goto(`${site.gateway.url}/calls`);
    await page.getByRole("heading", { name: "Sign in to Pennyworth" }).waitFor();
    expect(stranger.complaints.filter((text) => !text.includes("401"))).toEqual([]);
    await stranger.close();
  });

  it("reads on the overview what the API says", async () => {
    await visit.go("/");
    interface Overview {
      readonly [span: string]: { readonly now: { readonly cost: string } };
    }
    const overview = await get<Overview>("/overview?zone=Europe/Berlin");
    expect(overview["today"]?.now.cost).not.toBe("0");
    for (const [name, span] of [
      ["Last 60 minutes", "hour"],
      ["Today", "today"],
      ["This month", "month"],
    ] as const)
      expect([name, await amount(`[data-figure="${name}"]`)]).toEqual([name, overview[span]?.now.cost]);
  });

  it("explores, and finds the same numbers at the API, in the terminal and in a spreadsheet", async () => {
    await visit.go("/explore?by=customer&span=24h");
    const report = await get<Report>("/report?by=customer&since=24h");
    expect(report.rows.length).toBeGreaterThan(3);
    expect(await amount('[data-testid="total"]')).toBe(report.total.cost);
    const shown = await Promise.all(
      (await page.locator("tr[data-group]").all()).map(async (row) => [
        (await row.getAttribute("data-group")) || null,
        await row.locator("[data-usd]").first().getAttribute("data-usd"),
      ]),
    );
    expect(shown).toEqual(report.rows.map((row) => [row.group["customer"], row.cost]));

    await take("Copy as a line for the terminal");
    const line = (await page.evaluate("navigator.clipboard.readText()")) as string;
    // What is shown is over time, so that what is taken along is, too.
    expect(line).toMatch(/^pennyworth report --by hour,customer --since 20/);
    const printed = (await terminal(line)) as Report;
    const overTime = await get<Report>("/report?by=hour,customer&since=24h");
    const write = (rows: Report["rows"]): string[] =>
      rows.map((row) => [row.group["hour"], row.group["customer"] ?? "", row.cost].join("|"));
    expect(write(printed.rows)).toEqual(write(overTime.rows));
    expect(printed.total.cost).toBe(report.total.cost);
    const chart = (await download("Save the chart as CSV")).toString("utf8").trimEnd().split("\r\n");
    expect(chart[0]).toMatch(/^hour,customer,calls,cost,/);
    const cells = chart.slice(1, -1).map((text) => text.split(","));
    expect(cells.map(([hour, customer, , cost]) => [hour, customer, cost].join("|")).toSorted()).toEqual(write(overTime.rows).toSorted());
    expect(chart.at(-1)?.split(",").slice(0, 4)).toEqual(["total", "", String(report.total.calls), report.total.cost]);

    const csv = (await download("Save the table as CSV")).toString("utf8").trimEnd().split("\r\n");
    expect(csv[0]).toMatch(/^customer,calls,cost,/);
    expect(csv.slice(1, -1).map((text) => text.split(",").slice(0, 3))).toEqual(
      report.rows.map((row) => [row.group["customer"] ?? "", String(row.calls), row.cost]),
    );
    expect(csv.at(-1)?.split(",").slice(0, 3)).toEqual(["total", String(report.total.calls), report.total.cost]);
    const png = await download("Save the chart as PNG");
    expect(png.subarray(1, 4).toString("latin1")).toBe("PNG");
    expect(png.byteLength).toBeGreaterThan(5_000);
  });

  it("drills from a sum to its calls, and from a call to each of its cents", async () => {
    await visit.go("/explore?by=customer&span=24h");
    // A hostile name is a name.
    await page.getByRole("button", { name: "What to do with Acme & <b>Sons</b>" }).click();
    await page.getByRole("menuitem", { name: "Its calls" }).click();
    await page.getByRole("heading", { name: "Calls" }).waitFor();
    await visit.settle();
    const query = `filter=${encodeURIComponent("customer=Acme & <b>Sons</b>")}&since=24h`;
    const { total } = await get<Report>(`/report?${query}`);
    expect(await page.getByTestId("total").innerText()).toContain(`${total.calls} calls`);
    expect(await page.locator("tr[data-call]").count()).toBe(total.calls);
    expect(await amount('[data-testid="total"]')).toBe(total.cost);

    await page.locator("tr[data-call] a").first().click();
    await page.getByRole("heading", { name: /^Receipt/ }).waitFor();
    await visit.settle();
    const id = page.url().split("/").at(-1) as string;
    const receipt = await get<Receipt>(`/calls/${id}/receipt`);
    expect(receipt.lines.length).toBeGreaterThan(1);
    expect(await amount('[data-testid="total"]')).toBe(receipt.total);
    expect(await amounts("table.receipt tbody td:last-child")).toEqual(receipt.lines.map((line) => line.cost));
    expect(await page.getByText("Recomputed just now").count()).toBe(1);
    await take("Copy as a line for the terminal");
    const line = (await page.evaluate("navigator.clipboard.readText()")) as string;
    expect(await terminal(line)).toMatchObject({ call: id, total: receipt.total });

    await page.getByRole("link", { name: "Acme & <b>Sons</b>" }).click();
    await page.getByRole("heading", { name: "Explore" }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: /^Receipt/ }).waitFor();
  });

  it("sees a run as a tree on a time line, with its money", async () => {
    await visit.go("/tasks");
    await page.getByRole("link", { name: "ticket-1", exact: true }).click();
    await page.getByRole("heading", { name: /^Task/ }).waitFor();
    await visit.settle();
    const { total } = await get<Report>(`/report?filter=${encodeURIComponent("root=ticket-1")}`);
    expect(total.calls).toBe(4);
    expect(await amount('[data-testid="total"]')).toBe(total.cost);
    const texts = await page.locator("table.tree tbody th").allInnerTexts();
    expect(texts.map((text) => text.trim().split(/\s/)[0])).toEqual(["ticket-1", "triage", "ticket-1-answer", "search", "draft", "review"]);
    await page.getByRole("button", { name: "ticket-1-answer" }).click();
    expect(await page.locator("table.tree tbody tr").count()).toBe(3);
    const folded = await page.locator("table.tree tbody tr.task [data-usd]").last().getAttribute("data-usd");
    const { total: answer } = await get<Report>(`/report?filter=${encodeURIComponent("task=ticket-1-answer")}`);
    expect(folded).toBe(answer.cost);
  });

  it("sees long work and charges of periods, as the API and the terminal have them", async () => {
    await makeLongWork(site.gateway);
    await expect
      .poll(async () => (await get<{ readonly ended: readonly unknown[] }>("/work")).ended.length, { timeout: 20_000 })
      .toBeGreaterThan(0);
    await visit.go("/");
    await page
      .getByRole("link", { name: /of which charges of periods/ })
      .first()
      .click();
    await page.getByRole("heading", { name: "Long work" }).waitFor();
    await visit.go("/work");
    interface Charges {
      readonly charges: readonly { readonly id: string; readonly cost: string | null; readonly voidedMs: number | null }[];
    }
    const { charges } = await get<Charges>("/charges");
    expect(charges.length).toBeGreaterThan(2);
    const shown = await Promise.all(
      (await page.locator("tr[data-charge]").all()).map(async (row) => [
        await row.getAttribute("data-charge"),
        (await row.locator("[data-usd]").count()) === 0 ? null : await row.locator("[data-usd]").getAttribute("data-usd"),
      ]),
    );
    expect(shown).toEqual(charges.map(({ id, cost }) => [id, cost]));
    const { total } = await get<Report & { readonly total: { readonly periodCost: string } }>("/report");
    expect(await amount('[data-testid="total"]')).toBe(total.periodCost);
    expect(total.periodCost).toBe("41.1");
    await take("Copy as a line for the terminal");
    const line = (await page.evaluate("navigator.clipboard.readText()")) as string;
    expect(((await terminal(line)) as Charges).charges.map(({ id }) => id)).toEqual(charges.map(({ id }) => id));
  });

  it("adds filters, which stand in the address, and goes back through them", async () => {
    await visit.go("/calls?span=24h");
    await page.keyboard.press("/");
    await page.getByLabel("Value", { exact: true }).fill("no-price");
    await page.getByText("No such value in this span.").waitFor();
    await page.getByLabel("Value", { exact: true }).fill("without-a-PRICE");
    await page.getByRole("button", { name: /^a-model-without-a-price/ }).click();
    await expect.poll(() => page.url()).toContain("filter=model=a-model-without-a-price");
    await expect.poll(() => page.locator("tr[data-call]").count()).toBe(1);
    expect(await page.locator("tr[data-call]").innerText()).toContain("unknown");
    await page.goBack();
    await expect.poll(() => page.locator("tr[data-call]").count()).toBeGreaterThan(20);
    await page.goForward();
    await page.getByRole("button", { name: /^Remove: Model is/ }).click();
    await expect.poll(() => page.url()).not.toContain("filter");
  });

  it("goes everywhere by keyboard", async () => {
    await visit.go("/");
    await page.keyboard.press("Tab");
    await expect.poll(() => page.evaluate("document.activeElement.textContent")).toBe("Skip to the page");
    for (const [key, title] of [
      ["e", "Explore"],
      ["c", "Calls"],
      ["t", "Tasks"],
      ["w", "Long work"],
      ["p", "Prices"],
      ["b", "Statements"],
      ["m", "Closing"],
      ["s", "Settings"],
      ["o", "Overview"],
      ["c", "Calls"],
    ] as const) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await page.getByRole("heading", { name: title, level: 1 }).waitFor();
      await expect.poll(() => page.evaluate("document.activeElement.tagName")).toBe("H1");
    }
    await visit.settle();
    await page.locator("tr[data-call]").first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    const id = await page.locator("tr[data-at]").getAttribute("data-call");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.url()).toContain(id as string);
    await page.keyboard.press("Control+k");
    // At once, without waiting for the field: no key of it is lost, and none is taken for a key of the page (t: the theme).
    await page.keyboard.type("st customer");
    await expect.poll(() => page.getByRole("textbox", { name: "Find or do" }).inputValue()).toBe("st customer");
    expect(await page.evaluate("document.documentElement.dataset.mantineColorScheme")).toBe("light");
    await page.getByRole("textbox", { name: "Find or do" }).fill("by customer");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.url()).toContain("/explore?by=customer&span=month");
    await visit.settle();
    const chart = page.locator('[aria-roledescription="chart"]');
    await chart.focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowRight");
    expect(await chart.getByRole("status").innerText()).toMatch(/\$\d/);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Calls" }).waitFor();
  });

  it("sees a new call arrive without a reload", async () => {
    await visit.go("/calls?span=24h");
    const before = await page.locator("tr[data-call]").first().getAttribute("data-call");
    const response = await fetch(`${site.gateway.url}/to/sandbox/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "gpt-5-mini", messages: [{ role: "user", content: "Hello again" }] }),
    });
    await response.text();
    const id = response.headers.get("x-pennyworth-call");
    expect(id).not.toBe(before);
    await expect.poll(() => page.locator("tr[data-call]").first().getAttribute("data-call"), { timeout: 15_000 }).toBe(id);
  });

  it("chooses a theme and every digit, and finds them again", async () => {
    await visit.go("/settings");
    await page.getByText("Dark", { exact: true }).click();
    await page.getByRole("switch", { name: "Show every digit of amounts" }).click();
    await visit.go("/explore?span=24h");
    expect(await page.evaluate("document.documentElement.dataset.mantineColorScheme")).toBe("dark");
    const [row] = (await get<Report>("/report?by=model&since=24h")).rows;
    expect(await page.locator("tr[data-group] .usd").first().innerText()).toContain(`$${row?.cost}`);
    // Digits past the cent stand apart only where all of them are shown.
    expect(await page.locator("tr[data-group] .fine").count()).toBeGreaterThan(0);
    await page.keyboard.press("x");
    await expect.poll(() => page.locator("tr[data-group] .fine").count()).toBe(0);
  });

  it("makes a key, sees its secret once, reads with it, and revokes it", async () => {
    await visit.go("/settings");
    await page.getByRole("button", { name: "Make a key" }).click();
    await page.getByLabel("Name", { exact: true }).fill("auditor");
    await page.getByLabel("Allowed to", { exact: true }).first().click();
    await page.getByRole("option", { name: /also read/ }).click();
    await page.getByRole("button", { name: "Make the key" }).click();
    const secret = (await page.getByTestId("secret").innerText()).trim();
    expect(secret).toMatch(/^pw_/);
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("rowheader", { name: /auditor/ }).waitFor();
    expect(await page.content()).not.toContain(secret);

    const auditor = await site.visit(undefined, false);
    await auditor.page.goto(`${site.gateway.url}/#token=${secret}`);
    await auditor.page.getByRole("heading", { name: "Overview" }).waitFor();
    expect(auditor.page.url()).not.toContain(secret);
    await auditor.go("/settings");
    await auditor.page.getByText("You are signed in to read.").waitFor();
    expect(auditor.complaints).toEqual([]);
    await auditor.close();

    await page.getByRole("button", { name: "Revoke auditor" }).click();
    await page.getByRole("button", { name: "Revoke", exact: true }).click();
    await page.getByRole("cell", { name: "revoked", exact: true }).waitFor();
  });
});
