// The page of margins in a browser: what it says is what the API and the command line say, its state is the address, and the line it gives for the terminal
// says the same there. Not here: sums (margin.test.ts, economics/), the other pages (web.test.ts).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "./command.ts";
import { hasChromium, inBrowser, looks, openSite, type Site, type Visit } from "./site.ts";

const reason = "skipped: no Chromium at /usr/bin/chromium or PENNYWORTH_CHROMIUM";
const now = new Date();
const first = (months: number): string => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months)).toISOString().slice(0, 10);
const last = `span=last`;

interface Margin {
  readonly lines: readonly {
    readonly key: string;
    readonly revenue: string | null;
    readonly cost: string;
    readonly margin: string | null;
  }[];
  readonly nobody: { readonly left: string };
}

/** Three customers of last month: one loses, one gains, of one nobody says what it pays; and cost that is nobody's. */
async function fill({ post }: Site["gateway"]): Promise<void> {
  for (const [customer, month, cost] of [
    ["Acme", -2, "60"],
    ["Acme", -1, "89.5"],
    ["Beta <b>&</b> Sons", -1, "12.25"],
    ["Gamma", -1, "3"],
    [null, -1, "10"],
  ] as const)
    await post("/charges", {
      provider: "azure",
      item: "hosting",
      from: first(month),
      to: first(month + 1),
      cost,
      attribution: customer === null ? {} : { customer },
    });
  await post("/revenue", { customer: "Acme", plan: "pro", amount: "49", from: first(-3) });
  await post("/revenue", { customer: "Beta <b>&</b> Sons", plan: "team", amount: "98", from: first(-1), to: first(0) });
}

describe.skipIf(!hasChromium)(`the page of margins in a browser (${reason})`, inBrowser, () => {
  let site: Site;
  let visit: Visit;

  beforeAll(async () => {
    site = await openSite(fill);
    visit = await site.visit();
  }, 180_000);
  afterAll(async () => {
    await visit?.close();
    await site?.close();
  });

  const text = async (selector: string): Promise<string> => (await visit.page.locator(selector).innerText()).replaceAll(/\s+/g, " ");
  const rows = (): Promise<(string | null)[][]> =>
    visit.page
      .locator("table.margins tbody tr")
      .evaluateAll((all) =>
        all.map((row) => [
          row.getAttribute("data-key"),
          ...[...row.querySelectorAll("td.number")].map(
            (cell) => cell.querySelector("[data-usd]")?.getAttribute("data-usd") ?? cell.textContent,
          ),
        ]),
      );

  it("says what each brings in and costs, as the API and the terminal do", { timeout: 90_000 }, async () => {
    const { page } = visit;
    await visit.go(`/margin?${last}`);
    const api = (await site.gateway.get(`/margin?since=${first(-1)}&until=${first(0)}`)) as Margin;
    const shown = await rows();
    expect(shown.map((row) => row.slice(0, 4))).toEqual(
      api.lines.map(({ key, revenue, cost, margin }) => [key, revenue ?? "unknown", cost, margin ?? "unknown"]),
    );
    expect(shown[0]).toEqual(["Acme", "49", "89.5", "-40.5", "−82.7%"]);
    expect(await text('tr[data-key="Acme"]')).toMatch(/\w+ \d{4} −?\$51\.50 in 2 months$/);
    // 147 of revenue, 114.75 of cost: at least, since of Gamma nobody says.
    expect(await text('[data-testid="gross"]')).toBe("≥ 21.9%");
    expect(await text('[data-testid="share"]')).toBe("≤ 78.1%");
    expect(await text('[data-testid="below"]')).toBe("1 of 2 customers");
    expect(await page.locator(".lorenz svg").getAttribute("aria-label")).toMatch(
      /^Of the cost of 3 customers, the dearest 1% take .* Gini 0\.\d\d\.$/,
    );
    expect(await text('[data-figure="Rule of 40"]')).toMatch(/There was no revenue before\. Growth of revenue in percent against/);
    expect(await page.locator(".spread").getAttribute("aria-label")).toBe("Margins of 2 customers: 1 below zero.");
    await visit.check();
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: "Copy as a line for the terminal" }).click();
    const line = await page.evaluate<string>("navigator.clipboard.readText()");
    expect(line).toBe(`pennyworth margin --since ${first(-1)} --until ${first(0)}`);
    const place = { data: site.gateway.dataFolder, folder: site.gateway.dataFolder };
    const { out } = await runCommand([...line.split(" ").slice(1), "--json"], place);
    expect((JSON.parse(out) as Margin).lines).toEqual(api.lines);
  });

  it("is led by its controls, each of which is in the address", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go(`/margin?${last}`);
    await page.getByLabel("Only those that lose").check();
    await expect.poll(async () => (await rows()).map(([key]) => key)).toEqual(["Acme"]);
    await page.getByRole("radiogroup", { name: "Whose margins" }).getByText("Plans").click();
    await expect.poll(() => page.url()).toContain("by=plan");
    await expect.poll(async () => (await rows()).map(([key]) => key)).toEqual(["pro"]);
    await page.goBack();
    await expect.poll(async () => (await rows()).map(([key]) => key)).toEqual(["Acme"]);
    await page.getByLabel("Winning a customer costs").fill("81");
    await page.getByLabel("Cash to carry losses").fill("405");
    await expect.poll(() => page.url()).toContain("cash=405");
    await expect.poll(() => text('[data-figure="Carried for"]')).toBe("Carried for 10 months at what is absorbed a month");
    await page.getByLabel("Winning a customer costs").fill("much");
    await page.getByText("Dollars, such as 120").waitFor();
    await visit.go(`/margin?${last}&shared=even`);
    expect((await rows()).map((row) => Number(row[3]))).toEqual([
      expect.closeTo(10 / 3, 9),
      expect.closeTo(10 / 3, 9),
      expect.closeTo(10 / 3, 9),
    ]);
    await visit.go("/margin?span=2001-01-01..2001-01-31");
    await page.getByText("Nothing was paid and nothing cost").waitFor();
    await visit.check();
  });

  it("reads well in both themes, wide and narrow", { timeout: 120_000 }, async () => {
    for (const look of looks) {
      const other = await site.visit(look);
      await other.go(`/margin?${last}&cac=81&churn=0.05&cash=405`);
      await other.page.getByRole("heading", { name: "Growth and what is carried" }).waitFor();
      await other.check();
      const shots = process.env["PENNYWORTH_SHOTS"];
      if (shots !== undefined) await other.page.screenshot({ path: `${shots}/margin-${look.theme}-${look.width}.png`, fullPage: true });
      await other.close();
    }
  });
});
