// Every page in both themes, on a desk and on a phone, with data and without: what is there, that axe finds nothing, that nothing is wider
// than the screen, and that the browser has nothing to complain of.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, declare, hasChromium, inBrowser, looks, makeCalls, makeLongWork, openSite, type Site } from "./site.ts";

const reason = "skipped: no Chromium at /usr/bin/chromium or PENNYWORTH_CHROMIUM";

async function fill(gateway: Site["gateway"]): Promise<void> {
  await makeCalls(gateway);
  await makeLongWork(gateway);
}

describe.skipIf(!hasChromium)(`the pages in a browser (${reason})`, inBrowser, () => {
  let site: Site;
  let empty: Site;

  beforeAll(async () => {
    [site, empty] = await Promise.all([openSite(fill), openSite(async () => {})]);
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
    ["/work", "Long work", /Cache storage[^]*unknown/],
    ["/settings", "Settings", /Without a credential|without a credential/],
  ] as const;

  it.each(looks)("stand in $theme, $width pixels wide", { timeout: 180_000 }, async (look) => {
    const visit = await site.visit(look);
    for (const [path, title, text] of pages) {
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
      ["/work", /No long work is under way[^]*No charge of a period is on record[^]*pennyworth charges add/],
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
      await shown(() => page.getByRole("button", { name: "Export" }).click(), "text=Save the chart as CSV");
      await shown(
        () =>
          page
            .getByRole("button", { name: /^What to do with/ })
            .first()
            .click(),
        "text=All but this",
      );
      if (look.width < 768) await shown(() => page.getByRole("button", { name: "More" }).click(), "[role=menuitem]:has-text('Long work')");
      await visit.go("/settings");
      await shown(() => page.getByRole("button", { name: "Make a key" }).click(), "text=Make the key");
      await visit.close();
    }
  });

  it("bear names of two hundred characters, a picodollar and a million dollars", { timeout: 120_000 }, async () => {
    const odd = await openSite(async (gateway) => {
      const [spaced, whole] = ["A name that goes on ".repeat(10).trim(), "n".repeat(200)];
      const named = ["customer", "feature", "agent", "task", "type", "step"].map((name) => [`x-pennyworth-${name}`, whole] as const);
      await ask(gateway, { ...Object.fromEntries(named), "x-sandbox-input-tokens": "1000" });
      await ask(gateway, { "x-pennyworth-customer": spaced, "x-pennyworth-task": "t" });
      for (const [id, cost, customer] of [
        ["much", "999999.999999999999", spaced],
        ["more", "123456.12", whole],
        ["least", "0.000000000001", "Least"],
      ] as const)
        await declare(gateway, { id, item: "training", provider: "openai", model: whole, cost, attribution: { customer } });
    });
    for (const look of [looks[0], looks[3]].filter((one) => one !== undefined)) {
      const visit = await odd.visit(look);
      for (const path of [
        "/",
        "/explore?by=customer",
        "/explore?by=customer&kind=line",
        "/calls",
        "/calls/last",
        "/tasks",
        `/tasks/${"n".repeat(200)}`,
        "/work",
      ]) {
        await visit.go(path);
        await visit.check().catch((error: unknown) => {
          throw new Error(`${path}, ${look.theme} ${look.width}: ${String(error)}`, { cause: error });
        });
        // A name takes no room from the amount beside it.
        const amounts = await visit.page.locator("main table .usd:visible").all();
        const rights = await Promise.all(
          amounts.map(async (one) => one.boundingBox().then((box) => (box === null ? 0 : box.x + box.width))),
        );
        expect([path, look.width, rights.filter((right) => right > look.width)]).toEqual([path, look.width, []]);
      }
      await visit.close();
    }
    const { page, go, close } = await odd.visit();
    await go("/work");
    const amounts = await page.locator("tr[data-charge] [data-usd]").allInnerTexts();
    expect(amounts.toSorted()).toEqual(["<$0.01", "$1,000,000.00", "$123,456.12"].toSorted());
    await close();
    await odd.close();
  });

  it("are in the chosen theme from the first paint on", { timeout: 120_000 }, async () => {
    for (const [kept, system] of [
      ["dark", "light"],
      ["light", "dark"],
      [null, "dark"],
    ] as const) {
      const visit = await site.visit({ theme: system, width: 1280 }, false);
      const { page } = visit;
      // Modules never come: what stands is what is painted before them.
      await page.route("**/assets/index-*.js", (route) => route.abort());
      await page.addInitScript(kept === null ? "" : `localStorage.setItem("pennyworth.scheme", "${kept}")`);
      await page.goto(`${site.gateway.url}/`);
      const ground = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
      expect([kept, system, ground]).toEqual([kept, system, (kept ?? system) === "dark" ? "rgb(18, 16, 16)" : "rgb(250, 248, 246)"]);
      await visit.close();
    }
  });

  it("say where there is none", async () => {
    const visit = await site.visit();
    const { page } = visit;
    const answer = await page.goto(`${site.gateway.url}/nowhere`);
    expect(answer?.status()).toBe(404);
    await page.getByText("There is no page at this address").waitFor();
    expect(visit.complaints.filter((text) => !text.includes("404"))).toEqual([]);
    await visit.close();
  });

  it("say how much of a total is no real money", { timeout: 120_000 }, async () => {
    const visit = await site.visit();
    const { page } = visit;
    const said = page.getByTestId("unreal").first();
    const text = async (): Promise<string> =>
      (await said.count()) > 0 ? said.innerText() : `nothing of it in: ${await page.locator("main").innerText()}`;
    for (const path of ["/calls?filter=provider=sandbox", "/calls/last", "/tasks/ticket-1"]) {
      await visit.go(path);
      await expect.poll(text, { message: path, timeout: 30_000 }).toBe("the sandbox's: no real money");
    }
    // So does the receipt of a call that only a later witness knows, as a line of a batch is.
    await page.route("**/api/v1/calls/*/receipt*", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...((await response.json()) as object), start: null } });
    });
    await visit.go("/calls/last");
    await expect.poll(text, { timeout: 30_000 }).toBe("the sandbox's: no real money");
    await page.unroute("**/api/v1/calls/*/receipt*");
    // Beside the sandbox's calls there is a charge of a real provider.
    const { rows } = (await site.gateway.get("/report?by=provider&since=30d")) as {
      rows: readonly { readonly group: { readonly provider: string }; readonly cost: string }[];
    };
    const cost = rows.find(({ group }) => group.provider === "sandbox")?.cost;
    await visit.go("/explore?span=30d");
    await expect.poll(text, { timeout: 30_000 }).toContain("of which the sandbox's, no real money");
    expect(await said.locator("[data-usd]").getAttribute("data-usd")).toBe(cost);
    await visit.go("/calls?filter=provider=openai");
    expect(await said.count()).toBe(0);
    await visit.close();
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

  it("ask again by themselves what failed for a reason that passes", { timeout: 120_000 }, async () => {
    const visit = await site.visit();
    const { page } = visit;
    let isBusy = true;
    await page.route("**/api/v1/calls?*", (route) =>
      isBusy ? route.fulfill({ status: 503, json: { error: { code: "x", message: "Not just now." } } }) : route.continue(),
    );
    await page.goto(`${site.gateway.url}/calls`);
    await page.getByText("Not just now.").waitFor();
    isBusy = false;
    await page.locator("tr[data-call]").first().waitFor();
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
