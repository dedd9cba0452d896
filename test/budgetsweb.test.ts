// The pages of budgets and of who was stopped, in a browser before the real guard: their figures are sums by hand, the API's and the command
// line's; what is done there holds for the next call. Not here: what the guard decides (budgets.test.ts, adversary), the other pages (web.test.ts).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "./command.ts";
import { hasChromium, inBrowser, looks, openSite, type Site, type Visit } from "./site.ts";

const reason = "skipped: no Chromium at /usr/bin/chromium or PENNYWORTH_CHROMIUM";

const settings = {
  budgets: [
    { id: "whole-company", owner: "Finance", limit: "$100 per month" },
    { id: "customers", owner: "Support", each: ["customer"], limit: "$0.05 per rolling 24h" },
    { id: "trial", owner: "Ada", for: { team: "trial" }, limit: "$0.0001", mode: "soft" },
  ],
  rates: [{ id: "slow", owner: "Ops", for: { agent: "slow" }, limit: "1 call per day" }],
  trees: [{ id: "few", for: { team: "runaway" }, calls: 2 }],
  "limits.firstByteMsMax": 5_000,
};

/** 1,000 tokens in at 0.25 dollars a million and 500 out at 2: 0.00125 dollars. The prompt has more bytes than tokens, as prompts do. */
const callUsd = "0.00125";
const prompt = "What may a call cost? ".repeat(100);

async function call(
  site: Site | Site["gateway"],
  said: Readonly<Record<string, string>>,
  sandbox: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const { url } = "gateway" in site ? site.gateway : site;
  const named = Object.fromEntries(Object.entries(said).map(([name, value]) => [`x-pennyworth-${name}`, value]));
  const controls = { "input-tokens": "1000", "output-tokens": "500", ...sandbox };
  const told = Object.fromEntries(Object.entries(controls).map(([name, value]) => [`x-sandbox-${name}`, value]));
  const response = await fetch(`${url}/to/sandbox/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...named, ...told },
    body: JSON.stringify({ model: "gpt-5-mini", max_completion_tokens: 500, messages: [{ role: "user", content: prompt }] }),
  });
  await response.text().catch(() => "");
  return response;
}

/** 30 customers, of whom the first called four times and the second twice; a call of which nobody knows how it ended; refusals of three kinds. */
async function fill(gateway: Site["gateway"]): Promise<void> {
  for (let n = 1; n <= 30; n += 1)
    for (let times = 0; times < (n === 1 ? 4 : n === 2 ? 2 : 1); times += 1)
      expect((await call(gateway, { customer: `Customer ${n}` })).status).toBe(200);
  expect((await call(gateway, { customer: "Broken" }, { "cut-after": "0" })).status).toBe(502);
  expect((await call(gateway, { team: "trial" })).status).toBe(200);
  expect((await call(gateway, { agent: "slow" })).status).toBe(200);
  expect((await call(gateway, { agent: "slow", customer: "Customer 3" })).status).toBe(429);
  for (const status of [200, 200, 403])
    expect((await call(gateway, { team: "runaway", task: "ticket-9", root: "ticket-9" })).status).toBe(status);
}

describe.skipIf(!hasChromium)(`the pages of budgets in a browser (${reason})`, inBrowser, () => {
  let site: Site;
  let empty: Site;
  let visit: Visit;

  beforeAll(async () => {
    [site, empty] = await Promise.all([openSite(fill, settings), openSite(async () => {})]);
    visit = await site.visit();
  }, 180_000);
  afterAll(async () => {
    await visit?.close();
    await Promise.all([site?.close(), empty?.close()]);
  });

  const control = async (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${site.gateway.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${site.gateway.adminToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const row = (id: string) => visit.page.locator(`[data-budget="${id}"]`);
  const figure = async (scope: string, part: string): Promise<string | null> => {
    const shown = visit.page.locator(`${scope} [data-figure="${part}"] :is([data-usd], [data-amount])`).first();
    return (await shown.getAttribute("data-usd")) ?? shown.getAttribute("data-amount");
  };
  const dialog = () => visit.page.getByRole("dialog");

  it("list what is spent and left, the fullest first, as the command line does", { timeout: 60_000 }, async () => {
    await visit.go("/budgets");
    await row("trial").waitFor();
    // The rate is at its one call, and the trial, which only warns, is over its hundredth of a cent.
    const order = await visit.page.locator("[data-budget]").evaluateAll((all) => all.map((one) => one.getAttribute("data-budget")));
    expect(order).toEqual(["trial", "slow", "customers", "whole-company"]);
    expect(await figure('[data-budget="trial"]', "spent")).toBe(callUsd);
    expect(await row("trial").innerText()).toMatch(/over its limit[^]*warns[^]*over by[^]*\$0\.0001[^]*does not reset/);
    expect(await figure('[data-budget="slow"]', "spent")).toBe("1");
    expect(await row("slow").innerText()).toMatch(/used up[^]*Rate for agent slow[^]*counts the last day/);
    // 34 calls of customers, one of the trial, one of the slow agent, two of the tree: 38 × 0.00125.
    expect(await figure('[data-budget="whole-company"]', "spent")).toBe("0.0475");
    const { out } = await runCommand(["budgets", "list", "--json"], { data: site.gateway.dataFolder, folder: site.gateway.dataFolder });
    const listed = (JSON.parse(out) as { budgets: { id: string; standings: Record<string, string>[] }[] }).budgets;
    const whole = listed.find(({ id }) => id === "whole-company")?.standings[0];
    for (const part of ["spent", "held", "presumed", "left"])
      expect([part, await figure('[data-budget="whole-company"]', part)]).toEqual([part, whole?.[part]]);
    expect(await row("whole-company").innerText()).toMatch(/in the settings file[^]*\$100 per month\s+resets in/);
    await visit.page.getByRole("switch", { name: "80% used or more" }).click();
    await expect.poll(() => visit.page.locator("[data-budget]").count()).toBe(2);
    expect(new URL(visit.page.url()).search).toBe("?near=true");
  });

  it("follow what is held and spent without a reload", { timeout: 60_000 }, async () => {
    await visit.go("/budgets/whole-company");
    expect(await figure("main", "held")).toBe("0");
    const under = call(site, { feature: "live" }, { "delay-ms": "4500" });
    // At most: a token for each byte of the request, at its dearest, and 500 out at 2 dollars a million.
    await expect.poll(() => figure("main", "held"), { timeout: 15_000 }).not.toBe("0");
    expect(Number(await figure("main", "held"))).toBeGreaterThan(Number(callUsd));
    await under;
    await expect.poll(() => figure("main", "held"), { timeout: 15_000 }).toBe("0");
    expect(await figure("main", "spent")).toBe("0.04875");
  });

  it("open to the values of each, the fullest first, which can be searched", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/budgets?search=customers");
    await row("customers")
      .getByRole("button", { name: /Fullest of 31/ })
      .click();
    const values = page.locator("[data-value]");
    expect(await values.count()).toBe(5);
    await page.getByRole("link", { name: "All 31 values of customers" }).click();
    await page.getByRole("heading", { name: "Each customer" }).waitFor();
    await visit.settle();
    expect(await values.count()).toBe(25);
    await page.getByRole("button", { name: "Show 6 more of 31" }).click();
    expect(await values.count()).toBe(31);
    expect(await figure('[data-value="Customer 1"]', "spent")).toBe("0.005");
    expect(await figure('[data-value="Customer 1"]', "left")).toBe("0.045");
    await page.getByRole("textbox", { name: "Search a customer" }).fill("customer 2");
    expect(await values.count()).toBe(11);
    expect(await figure('[data-value="Customer 2"]', "spent")).toBe("0.0025");
  });

  it("settle a presumed call at what it cost", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/budgets/customers");
    const presumed = page.locator("[data-presumed]");
    await presumed.waitFor();
    await page.getByRole("textbox", { name: "Search a customer" }).fill("broken");
    const bound = await presumed.locator("[data-usd]").getAttribute("data-usd");
    expect(await figure('[data-value="Broken"]', "presumed")).toBe(bound);
    await presumed.getByRole("button", { name: /^Settle / }).click();
    await dialog().getByLabel("Dollars").fill("0.001");
    await dialog().getByRole("button", { name: "Settle" }).click();
    await expect.poll(() => presumed.count()).toBe(0);
    await expect.poll(() => figure('[data-value="Broken"]', "spent")).toBe("0.001");
    expect(await figure('[data-value="Broken"]', "presumed")).toBe("0");
  });

  it("define, change, fill up and remove a budget, in the words of the settings", { timeout: 90_000 }, async () => {
    const { page } = visit;
    await visit.go("/budgets");
    await page.getByRole("button", { name: "Define a budget" }).click();
    await dialog().getByLabel("Name").fill("team-research");
    await dialog().getByLabel("Owner").fill("Ada");
    await dialog().getByLabel("Limit").fill("$5 per fortnight");
    await dialog().getByRole("button", { name: "Only some calls" }).click();
    await dialog().getByLabel("Which team").fill("research");
    await dialog().getByRole("button", { name: "Define it" }).click();
    await dialog()
      .getByText(/fortnight.*is not understood/)
      .waitFor();
    visit.complaints.length = 0;
    await dialog().getByLabel("Limit").fill("$0.001 per day");
    await dialog().getByText("More terms").click();
    await dialog().getByLabel("Degrade").fill("at 80% model gpt-5-nano\nat 90% cap 300");
    await dialog().getByRole("button", { name: "Define it" }).click();
    await page.getByRole("heading", { name: "team-research" }).waitFor();
    const { budget } = (await site.gateway.get("/budgets/team-research")) as { budget: { terms: object } };
    expect(budget.terms).toMatchObject({
      kind: "budget",
      owner: "Ada",
      for: { team: "research" },
      limit: "$0.001 per day",
      degrade: [
        { at: "80%", model: "gpt-5-nano" },
        { at: "90%", cap: 300 },
      ],
    });
    expect((await call(site, { team: "research", customer: "Customer 4" })).status).toBe(402);
    await page.locator("[data-refusal]").waitFor({ timeout: 15_000 });

    await page.getByRole("button", { name: "Change" }).click();
    await dialog().getByLabel("Owner").fill("Grace");
    await dialog().getByRole("button", { name: "Change it" }).click();
    await expect.poll(() => dialog().count()).toBe(0);
    const changed = (await site.gateway.get("/budgets/team-research")) as { budget: { terms: object } };
    expect(changed.budget.terms).toEqual({ ...budget.terms, owner: "Grace" });

    await page.getByRole("button", { name: "Grant more" }).click();
    await dialog().getByLabel("Amount").fill("$0.5");
    await dialog().getByLabel("Note").fill("for the launch");
    await dialog().getByRole("button", { name: "Grant", exact: true }).click();
    await page.getByTestId("granted").waitFor();
    expect(await figure('[role="dialog"]', "left")).toBe("0.501");
    await dialog().getByRole("button", { name: "Done" }).click();
    const asked = await call(site, { team: "research", customer: "Customer 4" });
    expect(asked.status).toBe(200);

    await visit.go(`/calls/${asked.headers.get("x-pennyworth-call")}`);
    const under = page.locator('section[aria-labelledby="under"]');
    await under.getByRole("link", { name: "team-research" }).waitFor({ timeout: 15_000 });
    expect((await under.getByRole("link").allInnerTexts()).toSorted()).toEqual(["customers: Customer 4", "team-research", "whole-company"]);
    expect(await under.locator("[data-usd]").last().getAttribute("data-usd")).toBe(callUsd);

    await visit.go("/budgets/team-research");
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await dialog().getByRole("button", { name: "Remove it" }).click();
    await page.getByRole("heading", { name: "Budgets", exact: true }).waitFor();
    expect((await control("GET", "/budgets/team-research")).status).toBe(404);
    await expect.poll(() => row("team-research").count()).toBe(0);
    // Of the budget that is gone, its page asked once more.
    visit.complaints.length = 0;
  });

  it("leave budgets of the settings to the settings", { timeout: 30_000 }, async () => {
    await visit.go("/budgets/whole-company");
    await visit.page.getByText("in the settings file, and changed there").waitFor();
    expect(await visit.page.getByRole("button", { name: /^(Change|Remove)$/ }).count()).toBe(0);
    expect(await visit.page.getByRole("button", { name: "Grant more" }).count()).toBe(1);
  });

  it("say who was stopped and why, and lead to each", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/stopped");
    const slow = page.locator('[data-code="rate_limited"]');
    await slow.waitFor();
    expect((await slow.innerText()).replaceAll(/\s+/g, " ")).toMatch(/too fast slow · Customer 3 .*slow nothing left, 1 call needed/);
    await page.getByRole("combobox", { name: "Why" }).click();
    await page.getByRole("option", { name: "too many calls of a task" }).click();
    await expect.poll(() => page.locator("[data-refusal]").count()).toBe(1);
    expect(await page.locator("[data-refusal]").innerText()).toMatch(/call number 3, and may make 2/);
    await visit.go("/stopped?customer=Customer+3");
    await expect.poll(() => page.locator("[data-refusal]").count()).toBe(1);
    await page.locator("[data-refusal] a").first().click();
    await page.getByRole("heading", { name: /^Refused / }).waitFor();
    const id = new URL(page.url()).pathname.split("/").at(-1);
    expect(await page.locator('[data-against="slow"]').innerText()).toMatch(/slow\s+1 call\s+0 calls\s+1 call/);
    // By its id alone nobody can tell it from a call that was let in.
    await visit.go(`/calls/${id}`);
    await page.locator('[data-against="slow"]').waitFor();
    visit.complaints.length = 0;
  });

  it("let a stopped tree go on", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/stopped");
    const tree = page.locator('[data-tree="ticket-9"]');
    expect(await tree.innerText()).toMatch(/stopped\s+the tree would make call number 3/);
    await tree.getByRole("button", { name: /Let it go on/ }).click();
    await expect.poll(() => tree.count()).toBe(0);
    expect((await call(site, { team: "runaway", task: "ticket-9", root: "ticket-9" })).status).toBe(200);
  });

  it("stop everything below a node by a second press, and say so above every page until it goes on", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/stopped");
    await page.getByRole("button", { name: "Stop everything below …" }).click();
    await dialog().getByLabel("Which team").fill("search");
    await dialog().getByLabel("Reason").fill("a bad prompt");
    await dialog().getByRole("button", { name: "Stop team search" }).click();
    expect(await site.gateway.get("/halts")).toMatchObject({ halts: [] });
    await dialog().getByRole("button", { name: "Press again: stop team search" }).click();
    await expect.poll(() => dialog().count()).toBe(0);
    expect((await call(site, { team: "search" })).status).toBe(403);
    expect((await call(site, { team: "other" })).status).toBe(200);
    await visit.go("/prices");
    const banner = page.locator("[data-halt]");
    expect(await banner.innerText()).toMatch(/Stopped: team search\. By admin .*: a bad prompt/);
    await banner.getByRole("button", { name: /Let it go on/ }).click();
    await expect.poll(() => banner.count()).toBe(0);
    expect((await call(site, { team: "search" })).status).toBe(200);
  });

  it("stop everything once the word is typed", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/");
    await page.keyboard.press("Control+k");
    await page.getByRole("textbox", { name: "Find or do" }).fill("stop everything");
    await page.keyboard.press("Enter");
    await dialog().getByRole("combobox", { name: "What" }).click();
    await page.getByRole("option", { name: "Everything" }).click();
    const button = dialog().getByRole("button", { name: /^Stop / });
    expect(await button.isDisabled()).toBe(true);
    await dialog().getByLabel("Type everything to confirm").fill("everything");
    await button.click();
    await page.locator("[data-halt]").waitFor();
    expect((await call(site, { feature: "any" })).status).toBe(403);
    await page.locator("[data-halt]").getByRole("button").click();
    await expect.poll(() => page.locator("[data-halt]").count()).toBe(0);
    expect((await call(site, { feature: "any" })).status).toBe(200);
  });

  it("are looked at, and not changed, by those who read", { timeout: 60_000 }, async () => {
    const { secret } = (await (await control("POST", "/keys", { name: "reader", role: "read" })).json()) as { secret: string };
    await control("POST", "/halts", { for: { team: "search" } });
    const reader = await site.visit(looks[0], false);
    await reader.page.goto(`${site.gateway.url}/#token=${secret}`);
    await reader.page.locator("h1").first().waitFor();
    for (const path of ["/budgets", "/budgets/customers", "/budgets/trial", "/stopped"]) {
      await reader.go(path);
      const buttons = await reader.page.locator("main button:visible").allInnerTexts();
      expect([path, buttons.filter((name) => /Grant|Define|Change|Remove|Stop|Let it|Settle/.test(name))]).toEqual([path, []]);
      await reader.check();
    }
    expect(await reader.page.locator("[data-halt]").count()).toBe(1);
    await reader.close();
    const { halts } = (await site.gateway.get("/halts")) as { halts: { id: string }[] };
    await control("DELETE", `/halts/${halts[0]?.id}`);
  });

  it("stand on the overview where they need attention", { timeout: 60_000 }, async () => {
    await visit.go("/");
    const { page } = visit;
    await page.locator("[data-concern=budgets]").waitFor();
    expect(await page.locator("[data-concern=budgets]").innerText()).toMatch(/2 budgets are used to 80% or more\s+2 of them are used up/);
    expect(await page.locator("[data-concern=refusals]").innerText()).toMatch(/calls were refused today/);
    await page.locator("[data-concern=budgets]").click();
    await expect.poll(() => page.locator("[data-budget]").count()).toBe(2);
  });

  it.each(looks)("stand in $theme, $width pixels wide, with data and without", { timeout: 180_000 }, async (look) => {
    const { refusals } = (await site.gateway.get("/refusals")) as { refusals: { id: string }[] };
    await control("POST", "/halts", { for: { customer: "A name that goes on ".repeat(8).trim() }, note: "n".repeat(300) });
    const pages = [
      ["/budgets", /whole-company/],
      ["/budgets?kind=rate", /counts the last day/],
      ["/budgets?search=nothing-like-it", /No budget is like this/],
      ["/budgets/customers", /Each customer/],
      ["/budgets/trial", /Terms/],
      ["/stopped", /What the guard did/],
      ["/stopped?search=nothing-like-it", /No refusal is like this/],
      [`/stopped/${refusals[0]?.id}`, /What was asked/],
      ["/budgets?new=true", /Budgets/],
      ["/stopped?halt=true", /Stopped/],
      ["/calls/last", /Budgets it was under/],
    ] as const;
    const full = await site.visit(look);
    for (const [path, text] of pages) {
      await full.go(path);
      await expect.poll(async () => full.page.locator("main").innerText(), { message: path, timeout: 10_000 }).toMatch(text);
      await full.page.waitForTimeout(path.endsWith("=true") ? 400 : 0);
      await full.check({ isCovered: path.endsWith("=true") }).catch((error: unknown) => {
        throw new Error(`${path}: ${String(error)}`, { cause: error });
      });
    }
    await full.close();
    const none = await empty.visit(look);
    for (const [path, text] of [
      ["/budgets", /No budget is defined yet/],
      ["/stopped", /No call was refused/],
    ] as const) {
      await none.go(path);
      await expect.poll(async () => none.page.locator("main").innerText(), { message: path, timeout: 10_000 }).toMatch(text);
      await none.check();
    }
    await none.close();
    const { halts } = (await site.gateway.get("/halts")) as { halts: { id: string }[] };
    for (const { id } of halts) await control("DELETE", `/halts/${id}`);
  });
});
