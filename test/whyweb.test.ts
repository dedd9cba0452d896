// The page "Why it moved" in a browser: what it says are sums by hand, its state is the address, and the line it gives for the terminal says the same
// there. Not here: what is reckoned (economics/drivers.ts), the answer (api/drivers.test.ts), the other pages (web.test.ts).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "./command.ts";
import { ask, declare, hasChromium, inBrowser, looks, openSite, type Site, type Visit } from "./site.ts";

const reason = "skipped: no Chromium at /usr/bin/chromium or PENNYWORTH_CHROMIUM";

/** Calls of tasks of one call each: 0.25 dollars a million tokens in, 2 dollars out. */
async function work(gateway: Site["gateway"], type: string, from: number, count: number, input: number, output: number): Promise<void> {
  for (let n = from; n < from + count; n += 1)
    await ask(gateway, {
      "x-pennyworth-task": `${type}-${n}`,
      "x-pennyworth-type": type,
      "x-pennyworth-agent": n % 2 === 0 ? "ada" : "bob",
      "x-sandbox-input-tokens": String(input),
      "x-sandbox-output-tokens": String(output),
    });
}

describe.skipIf(!hasChromium)(`the page Why it moved in a browser (${reason})`, inBrowser, () => {
  let site: Site;
  let visit: Visit;
  const edges: string[] = [];
  const mark = (): void => void edges.push(new Date().toISOString());
  const address = (more = ""): string => `/why?span=${edges[1]}..${edges[2]}&against=${edges[0]}..${edges[1]}${more}`;

  beforeAll(async () => {
    site = await openSite(async (gateway) => {
      mark();
      // Six tasks of 400,000 and 50,000 tokens: 0.2 dollars each.
      await work(gateway, "triage", 0, 6, 400_000, 50_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
      mark();
      // As many, each half as long again: 0.3; and four of a new type, 0.1 each.
      await work(gateway, "triage", 6, 6, 600_000, 75_000);
      await work(gateway, "write", 0, 4, 200_000, 25_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
      mark();
      // One without a price, then another of a dollar.
      await ask(gateway, {}, "unheard-of");
      await new Promise((resolve) => setTimeout(resolve, 5));
      mark();
      await ask(gateway, { "x-sandbox-input-tokens": "4000000", "x-sandbox-output-tokens": "0" });
      await new Promise((resolve) => setTimeout(resolve, 5));
      mark();
      await declare(gateway, { id: "hosting-1", item: "hosting", provider: "azure", model: "gpt-4o-mini-ft", cost: "41.10" });
    });
    visit = await site.visit();
  }, 180_000);
  afterAll(async () => {
    await visit?.close();
    await site?.close();
  });

  const text = async (selector: string): Promise<string> => (await visit.page.locator(selector).innerText()).replaceAll(/\s+/g, " ");
  const changes = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      await visit.page
        .locator("tbody[data-factor]")
        .evaluateAll((all) =>
          all.map((one) => [one.getAttribute("data-factor"), one.querySelector("[data-change]")?.getAttribute("data-change")]),
        ),
    ) as Record<string, string>;

  it("says why in a sentence, a waterfall and a table that add up, by hand", { timeout: 90_000 }, async () => {
    const { page } = visit;
    await visit.go(address());
    await page.getByTestId("summary").waitFor();
    expect(await text('[data-testid="summary"]')).toMatch(
      /^\$1\.00 more than .*: \$0\.60 more tokens per call \(triage\), \$0\.40 new work \(write\)\.$/,
    );
    expect(await changes()).toEqual({ new_work: "0.4", tokens_per_call: "0.6" });
    expect(await page.locator('[data-testid="before"] [data-usd]').getAttribute("data-usd")).toBe("1.2");
    expect(await page.locator('[data-testid="then"] [data-usd]').getAttribute("data-usd")).toBe("2.2");
    expect(await text('tbody[data-factor="tokens_per_call"] .part')).toContain("450,000 → 675,000 tokens a call");
    // The waterfall is read step by step.
    await page.locator(".chart canvas").waitFor();
    await page.locator(".chart").focus();
    for (const expected of [
      /^Then \$2\.20$/,
      /^Tokens per call \+\$0\.60, to \$2\.20$/,
      /^New work \+\$0\.40, to \$1\.60$/,
      /^Before \$1\.20$/,
    ]) {
      await page.keyboard.press("ArrowLeft");
      expect(await text(".tip")).toMatch(expected);
    }
    await visit.check();
  });

  it("tells agents apart and takes filters, each in the address", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go(address());
    await page.getByRole("combobox", { name: "Told apart by" }).click();
    await page.getByRole("option", { name: "Type, model, agent" }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get("by")).toBe("agent");
    await expect.poll(() => text('tbody[data-factor="new_work"]')).toMatch(/write · gpt-5-mini · ada .* write · gpt-5-mini · bob/);
    await visit.go(address("&filter=type=write"));
    expect(await changes()).toEqual({ new_work: "0.4" });
    await visit.go("/why?span=2020-01-01..2020-01-02");
    await page.getByText("Nothing in either span").waitFor();
    await visit.check();
  });

  it("says that a cost is unknown, and which way the change is bound", { timeout: 90_000 }, async () => {
    const { page } = visit;
    await visit.go(`/why?span=${edges[2]}..${edges[3]}&against=2020-01-01..2020-01-02`);
    await page.getByTestId("summary").waitFor();
    expect(await text('[data-testid="summary"]')).toBe("What was spent is unknown; nothing was spent before.");
    expect([await text('[data-testid="then"]'), await text('[data-testid="change"]')]).toEqual(["unknown", "unknown"]);
    await visit.go(`/why?span=${edges[2]}..${edges[4]}&against=2020-01-01..2020-01-02`);
    await page.getByTestId("summary").waitFor();
    expect(await text('[data-testid="summary"]')).toMatch(/^≥ \$1\.00 more than .*: \$1\.00 new work\.$/);
    expect([await text('[data-testid="then"]'), await text('[data-testid="change"]')]).toEqual(["≥ $1.00", "≥ +$1.00"]);
    expect(await text(".notes")).toContain("Cost unknown: then, 1 call with something without a price.");
    expect(await text('section[aria-labelledby="fall"] .title')).toContain("The lines divide the known costs alone.");
    await visit.go(address());
    await page.getByTestId("summary").waitFor();
    expect(await text('section[aria-labelledby="fall"] .title')).not.toContain("known costs alone");
    await visit.check();
  });

  it("gives a line for the terminal that says the same there", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go(address());
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: "Copy as a line for the terminal" }).click();
    const line = await page.evaluate<string>("navigator.clipboard.readText()");
    const { dataFolder: folder } = site.gateway;
    const { code, out } = await runCommand(line.split(" ").slice(1), { data: folder, folder });
    expect([code, out.split("\n")[0]]).toEqual([0, await text('[data-testid="summary"]')]);
  });

  it("is reached from the overview's comparison", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/");
    await page.getByRole("link", { name: /^Why this month/ }).click();
    await page.getByRole("heading", { name: "Why it moved", level: 1 }).waitFor();
    await page.getByTestId("summary").waitFor();
    expect(await page.getByTestId("summary").innerText()).toMatch(/new work|charges of periods/);
  });

  it.each(looks)("can be read by everybody: $theme, $width px", { timeout: 120_000 }, async (look) => {
    const one = await site.visit(look);
    await one.go(address("&by=agent"));
    await one.page.getByTestId("summary").waitFor();
    await one.check();
    await one.close();
  });
});
