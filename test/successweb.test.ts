// The pages of what a success costs and of how one task ended, in a browser: figures worked out by hand, the view is the address, and the line for the
// terminal says the same there. Not here: what is reckoned (economics/), the answers (api/success.test.ts), the other pages (web.test.ts).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "./command.ts";
import { ask, hasChromium, inBrowser, looks, openSite, type Site, type Visit } from "./site.ts";

const reason = "skipped: no Chromium at /usr/bin/chromium or PENNYWORTH_CHROMIUM";

/** Forty tickets of helper at 0.00125 dollars (1,000 tokens in at 0.25 a million, 500 out at 2), thirty of which succeed, and three of another. */
async function fill(gateway: Site["gateway"]): Promise<void> {
  const size = { "x-sandbox-input-tokens": "1000", "x-sandbox-output-tokens": "500" };
  for (let n = 1; n <= 43; n += 1) {
    const agent = n <= 40 ? "helper" : "novice & <b>sons</b>";
    await ask(gateway, { ...size, "x-pennyworth-task": `t-${n}`, "x-pennyworth-type": "ticket", "x-pennyworth-agent": agent });
    if (n <= 41)
      await gateway.post(
        `/tasks/t-${n}/outcomes`,
        n <= 30 || n === 41
          ? { result: "success", reviewMinutes: 2, ...(n > 1 && n <= 30 ? { value: "0.01" } : {}) }
          : { result: "failure" },
      );
  }
  await gateway.post("/tasks/t-1/outcomes", { result: "success", value: "0.10", source: "script" });
  await gateway.post("/tasks/t-1/outcomes", { result: "failure", judge: "person", source: "Ada", reason: "reverted" });
  await gateway.post("/tasks/unheard/outcomes", { result: "success" });
  // What makes t-2 good made no call: it costs nothing, and adds nothing to any figure.
  await gateway.post("/tasks", { id: "t-2 again", type: "ticket", reworkOf: "t-2" });
}

describe.skipIf(!hasChromium)(`the page Success in a browser (${reason})`, inBrowser, () => {
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

  it("says what a success costs in all and by agent, each with its interval", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/");
    await page.getByTestId("succeeded").waitFor();
    expect(await text('[data-testid="succeeded"]')).toMatch(
      /\$0\.00179 \$0\.00\d+ to \$0\.00\d+ 73\.2% 58\.1% to 84\.3% of 41 tasks succeed/,
    );
    await page.keyboard.press("g");
    await page.keyboard.press("f");
    await page.getByRole("heading", { name: "Success", level: 1 }).waitFor();
    await page.getByTestId("persuccess").waitFor();
    // 43 tasks at 0.00125 are 0.05375; 29 of helper's and one of the other stand: over 30.
    expect(await page.getByTestId("persuccess").getAttribute("data-usd")).toBe("0.001791666667");
    expect(await text(".tiles")).toMatch(
      /Spend per success \$0\.00179 \$0\.00\d+ to \$0\.00\d+.*30 of 41 decided tasks; of all 43 it is 69\.8% to 74\.4%/,
    );
    // 29 cents over 0.05375 dollars, less one; of t-31 to t-43, 13 of 43, nobody said what they were worth.
    expect(await text(".tiles")).toMatch(
      /Return ≥ 439\.5% ≥ [\d.]+% to ≥ [\d.]+% \$0\.236 over the spend worth unknown of 30\.2% of the spend/,
    );
    await page.getByRole("combobox", { name: "By", exact: true }).click();
    await page.getByRole("option", { name: "Agent" }).click();
    await page.locator('tr[data-group="helper"]').waitFor();
    expect(new URL(page.url()).searchParams.get("by")).toBe("agent");
    // 40 × 0.00125 ÷ 29.
    expect(await text('tr[data-group="helper"]')).toMatch(
      /helper 1 contradictory 40 72\.5% .* to .*% \$0\.05\d* \$0\.00172 \$0\.00\d+ to \$0\.00\d+/,
    );
    expect(await text('tr[data-group="novice & <b>sons</b>"]')).toMatch(/not enough data: few tasks \(1 decided of 3; about 30 needed\)/);
    expect(await text('tr[data-group="helper"]')).toMatch(/27\.5% ≥ 480% ≥ [\d.]+% to ≥ [\d.]+% worth unknown of 25%/);
    expect(await text('.intervals [data-row="novice & <b>sons</b>"]')).toMatch(/Not enough data/);
    await visit.check();
  });

  it("counts checking once its hour has a price, by hand, and keeps all of it in the address", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await page.getByRole("textbox", { name: "An hour of checking costs, dollars" }).fill("30");
    // 31 × 2 minutes are a dollar and 5 cents … of 31 tasks that named them: 62 minutes at 0.50 are 31 dollars; 31.05375 over 30.
    await expect.poll(() => page.getByTestId("reviewed").innerText()).toBe("≥ $1.04 with checking");
    // 0.29 over 31.05375 dollars.
    await expect.poll(() => page.getByTestId("return").innerText()).toBe("? −99.1%");
    expect(await page.getByTestId("returnrange").innerText()).toMatch(/^\? −(100|99[.\d]*)% to \? −9\d[.\d]*%$/);
    expect(new URL(page.url()).searchParams.get("rate")).toBe("30");
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: "Copy as a line for the terminal" }).click();
    const line = await page.evaluate<string>("navigator.clipboard.readText()");
    expect(line).toMatch(/^pennyworth tasks success --by agent --since \S+ --review-rate 30$/);
    const { dataFolder: folder } = site.gateway;
    const { code, out } = await runCommand([...line.split(" ").slice(1), "--json"], { data: folder, folder });
    const told = JSON.parse(out) as { total: { perSuccess: string; review: { perSuccess: string } } };
    expect([code, told.total.perSuccess, told.total.review.perSuccess]).toEqual([0, "0.001791666667", "1.035125"]);
    await page.reload();
    await visit.settle();
    expect(await page.getByTestId("reviewed").innerText()).toBe("≥ $1.04 with checking");
    await page.getByRole("button", { name: "Only helper" }).click();
    await expect.poll(() => page.locator("tbody tr").count()).toBe(1);
    expect(new URL(page.url()).searchParams.getAll("filter")).toEqual(["agent=helper"]);
    await page.getByRole("link", { name: "helper" }).click();
    await page.getByRole("heading", { name: "Tasks", level: 1 }).waitFor();
    await page.locator('tr[data-task="t-1"]').waitFor();
    expect(await page.locator("tr[data-task]").count()).toBe(40);
  });

  it("shows of one task who said how it ended, and that they differ", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/tasks/t-1");
    expect(await text('[data-testid="ending"]')).toBe("Failure");
    expect(await text('[data-testid="contradictory"]')).toMatch(/the task says success, and who checked it failure/);
    expect(await page.locator("[data-statement]").count()).toBe(3);
    expect(await text('section[aria-labelledby="ended"]')).toMatch(/says a person, Ada \(reverted\)[^]*\$0\.10/);
    await visit.check();
    await visit.go("/tasks/t-2");
    expect(await text('[data-testid="rework"]')).toBe("Made good by t-2 again: what that costs is booked here.");
    await visit.check();
    await visit.go("/tasks/t-43");
    expect(await text('section[aria-labelledby="ended"]')).toMatch(/Nobody has said so yet.*pennyworth tasks end t-43 --result success/);
  });

  it(
    "lists of each task how it ended, in the words of its page, and those of one end alone; API and terminal say the same",
    {
      timeout: 90_000,
    },
    async () => {
      const { page } = visit;
      await visit.go("/tasks");
      const shown = async () =>
        Promise.all(["success", "failure", "unknown", "open"].map((end) => page.locator(`td.wide [data-ended="${end}"]`).count()));
      // Of 43 with a call; and of the two without: one that was begun, one that was only spoken of.
      await expect.poll(shown).toEqual([30 + 1, 11, 0, 2 + 1]);
      expect(await text('tr[data-task="unheard"]')).toMatch(/ Success .* 0 /);
      expect(await text('tr[data-task="t-1"]')).toMatch(/ticket .* Failure worth \$0\.00 contradictory /);
      expect(await text('tr[data-task="t-43"]')).toMatch(/ Open /);
      await visit.check();
      await page.getByRole("combobox", { name: "How it ended" }).click();
      await page.getByRole("option", { name: "Failure" }).click();
      await expect.poll(shown).toEqual([0, 11, 0, 0]);
      expect(new URL(page.url()).searchParams.get("ended")).toBe("failure");
      await page.getByRole("button", { name: "Export" }).click();
      await page.getByRole("menuitem", { name: "Copy as a line for the terminal" }).click();
      const line = await page.evaluate<string>("navigator.clipboard.readText()");
      expect(line).toMatch(/^pennyworth tasks list --since \S+ --order newest --ended failure --limit 100$/);
      const { dataFolder: folder } = site.gateway;
      const { code, out } = await runCommand([...line.split(" ").slice(1), "--json"], { data: folder, folder });
      const told = (JSON.parse(out) as { tasks: { task: string; ended: string; cost: string; value: string | null }[] }).tasks;
      const asked = (await site.gateway.get("/tasks?ended=failure")) as { tasks: typeof told };
      expect([code, told.length, told]).toEqual([0, 11, asked.tasks.map((task) => expect.objectContaining(task))]);
      expect(told.find(({ task }) => task === "t-1")).toMatchObject({ ended: "failure", cost: "0.00125", value: "0" });
      const { total } = (await site.gateway.get("/success")) as { total: { failure: { tasks: number; cost: string } } };
      expect(total.failure).toMatchObject({ tasks: 11, cost: "0.01375" });
      await visit.go("/tasks?ended=unknown");
      expect(await text("main")).toMatch(/No task in this span \(.*\) ended so: not known/);
    },
  );

  it("says so where there is nothing, and what waits", { timeout: 60_000 }, async () => {
    await visit.go("/success?span=2020-01-01..2020-01-02");
    expect(await text("main")).toMatch(/No task began in this span.*1 statement of tasks that nobody has heard of yet waits/);
    await visit.check();
  });

  it.each(looks.slice(1))("can be read by everybody: $theme, $width px", { timeout: 60_000 }, async (look) => {
    const one = await site.visit(look);
    for (const path of ["/success?by=agent,model&rate=30", "/tasks?ended=failure", "/tasks/t-1"]) {
      await one.go(path);
      await one.check().catch((error: unknown) => {
        throw new Error(`${path}, ${look.theme} ${look.width}: ${String(error)}`, { cause: error });
      });
    }
    await one.close();
  });
});
