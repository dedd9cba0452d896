// Every page in both themes, on a desk and on a phone, with data and without: what is there, that axe finds nothing, that nothing is wider
// than the screen, and that the browser has nothing to complain of.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium, looks, makeCalls, openSite, type Site } from "./site.ts";

const reason = "skipped: no Chromium at /usr/bin/chromium or PENNYWORTH_CHROMIUM";

describe.skipIf(!hasChromium)(`the pages in a browser (${reason})`, () => {
  let site: Site;
  let empty: Site;

  beforeAll(async () => {
    [site, empty] = await Promise.all([openSite(makeCalls), openSite(async () => {})]);
  }, 180_000);
  afterAll(async () => {
    await Promise.all([site?.close(), empty?.close()]);
  });

  const pages = [
    ["/", "Overview", /Needs attention/],
    ["/explore", "Explore", /Cost by model/],
    ["/explore?by=customer&span=24h&bucket=hour&compare=before&kind=line", "Explore", /Against before/],
    ["/explore?by=class&measure=calls&span=24h&filter=feature=search", "Explore", /Calls by token class/],
    ["/explore?by=none&measure=durationMsP95&span=24h", "Explore", /Duration, 95th percentile/],
    ["/calls", "Calls", /gpt-5-mini/],
    ["/calls?filter=status=failed", "Calls", /failed 429/],
    ["/calls/last", "Receipt", /does not add up|word for word/],
    ["/tasks", "Tasks", /ticket-1/],
    ["/tasks/ticket-1", "Task", /review/],
    ["/settings", "Settings", /Without a credential|without a credential/],
    ["/nowhere", "No such page", /no page at this address/],
  ] as const;

  it.each(looks)("stand in $theme, $width pixels wide", { timeout: 180_000 }, async (look) => {
    const visit = await site.visit(look);
    for (const [path, title, text] of pages) {
      if (path === "/nowhere") continue;
      await visit.go(path);
      await expect.poll(async () => visit.page.locator("main").innerText(), { message: path, timeout: 10_000 }).toMatch(text);
      expect([path, await visit.page.title()]).toEqual([path, expect.stringContaining(title)]);
      expect(await visit.page.locator("nav [aria-current=page]").count()).toBeLessThanOrEqual(1);
      await visit.check().catch((error: unknown) => {
        throw new Error(`${path}: ${String(error)}`, { cause: error });
      });
    }
    await visit.close();
  });

  it.each(looks)("say what to do where nothing is on record, in $theme, $width pixels wide", { timeout: 120_000 }, async (look) => {
    const visit = await empty.visit(look);
    for (const [path, text] of [
      ["/", /No call is on record yet[^]*curl http/],
      ["/explore", /No call matches/],
      ["/calls", /No call matches/],
      ["/calls?span=all", /No call is on record yet[^]*curl http/],
      ["/tasks", /x-pennyworth-task/],
      ["/settings", /No key yet/],
    ] as const) {
      await visit.go(path);
      await expect.poll(async () => visit.page.locator("main").innerText(), { message: path, timeout: 10_000 }).toMatch(text);
      await visit.check().catch((error: unknown) => {
        throw new Error(`${path}: ${String(error)}`, { cause: error });
      });
    }
    await visit.close();
  });

  it("stand open: the palette, the keys, a filter, the span, what can be taken along, a new key", { timeout: 240_000 }, async () => {
    for (const look of looks) {
      const visit = await site.visit(look);
      const { page } = visit;
      const shown = async (open: () => Promise<unknown>, sign: string): Promise<void> => {
        await open();
        await page.locator(sign).first().waitFor();
        await page.waitForTimeout(350);
        await visit.check({ isCovered: true }).catch((error: unknown) => {
          throw new Error(`${sign}, ${look.theme} ${look.width}: ${String(error)}`, { cause: error });
        });
        await page.keyboard.press("Escape");
        await page.waitForTimeout(350);
      };
      await visit.go("/explore?by=customer&span=24h");
      await shown(() => page.keyboard.press("Control+k"), 'input[aria-label="Find or do"]');
      await shown(() => page.keyboard.press("?"), "text=Every digit of amounts");
      await shown(() => page.keyboard.press("/"), "text=Field");
      await shown(() => page.getByRole("button", { name: /^Span/ }).click(), "text=Last 90 days");
      await shown(() => page.getByRole("button", { name: "Take along" }).click(), "text=Save as CSV");
      await shown(
        () =>
          page
            .getByRole("button", { name: /^What to do with/ })
            .first()
            .click(),
        "text=All but this",
      );
      await visit.go("/settings");
      await shown(() => page.getByRole("button", { name: "Make a key" }).click(), "text=Make the key");
      await visit.close();
    }
  });

  it("say what went wrong, and try again", async () => {
    const visit = await site.visit();
    const { page } = visit;
    await page.route("**/api/v1/calls?*", (route) =>
      route.fulfill({ status: 400, json: { error: { code: "x", message: "Not like this." } } }),
    );
    await page.goto(`${site.gateway.url}/calls`);
    await page.getByText("Not like this.").waitFor();
    await page.unroute("**/api/v1/calls?*");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator("tr[data-call]").first().waitFor();
    await page.goto(`${site.gateway.url}/calls/no-such-call`);
    await page.getByText("No call has the id no-such-call.").waitFor();
    await visit.close();
  });

  it("show what was last known, and say so, while the server does not answer", async () => {
    const visit = await site.visit();
    const { page } = visit;
    await visit.go("/calls");
    const rows = await page.locator("tr[data-call]").count();
    await page.route("**/api/**", (route) => route.abort());
    await page.getByText(/Pennyworth does not answer\. What is shown is as of/).waitFor();
    expect(await page.locator("tr[data-call]").count()).toBe(rows);
    await page.unroute("**/api/**");
    await page.getByText(/Pennyworth does not answer/).waitFor({ state: "detached" });
    await visit.close();
  });
});
