// The page of where the tokens of tasks go, in a browser and at the command line: figures worked out by hand from what the sandbox was told to
// report. Not here: what is reckoned (economics/steps.test.ts), the answer (api/shape.test.ts), the other pages (web.test.ts).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "./command.ts";
import { ask, hasChromium, inBrowser, looks, openSite, type Site, type Visit } from "./site.ts";

const reason = "skipped: no Chromium at /usr/bin/chromium or PENNYWORTH_CHROMIUM";

/**
 * Two tickets: each plans (2,000 tokens in, 100 out: 0.0007 dollars), and edits in a conversation that goes on (4,000 and 8,000 in, 100 out: 0.0012 and
 * 0.0022), its last call twice, word for word. And a call without a task.
 */
async function fill(gateway: Site["gateway"]): Promise<void> {
  for (const task of ["t-1", "t-2"]) {
    const said = { "x-pennyworth-task": task, "x-pennyworth-type": "ticket", "x-pennyworth-agent": "helper" };
    const talk = [
      { role: "system", content: `You mend parcels. ${task} `.repeat(40) },
      { role: "user", content: "Where is my parcel?" },
    ];
    await say(gateway, { ...said, ...size(2_000), "x-pennyworth-step": "plan" }, talk.slice(1));
    await say(gateway, { ...said, ...size(4_000), "x-pennyworth-step": "edit" }, talk);
    talk.push({ role: "assistant", content: "It left the depot. ".repeat(40) }, { role: "user", content: "And now?" });
    for (let times = 0; times < 2; times += 1) await say(gateway, { ...said, ...size(8_000), "x-pennyworth-step": "edit" }, talk);
  }
  await ask(gateway, size(1_000));
}

function size(input: number): Record<string, string> {
  return { "x-sandbox-input-tokens": String(input), "x-sandbox-output-tokens": "100" };
}

async function say(gateway: Site["gateway"], headers: Readonly<Record<string, string>>, messages: readonly unknown[]): Promise<void> {
  const response = await fetch(`${gateway.url}/to/sandbox/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: "gpt-5-mini", messages }),
  });
  await response.text();
  expect(response.status).toBe(200);
}

describe.skipIf(!hasChromium)(`the page Where tokens go in a browser (${reason})`, inBrowser, () => {
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

  it("has money by step, and the worst of them named with what it would have saved", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/");
    await page.keyboard.press("g");
    await page.keyboard.press("k");
    await page.getByRole("heading", { name: "Where tokens go", level: 1 }).waitFor();
    await page.locator('tr[data-step="edit"]').waitFor();
    expect(await page.locator("tr[data-step]").evaluateAll((all) => all.map((one) => one.getAttribute("data-step")))).toEqual([
      "edit",
      "plan",
      "",
    ]);
    await page.getByRole("combobox", { name: "Task type" }).click();
    await page.getByRole("option", { name: "ticket" }).click();
    await expect.poll(() => page.locator("tr[data-step]").count()).toBe(2);
    expect(new URL(page.url()).searchParams.get("type")).toBe("ticket");
    // Two tickets of 0.0007 + 0.0012 + 2 × 0.0022.
    expect(await page.getByTestId("cost").locator("[data-usd]").getAttribute("data-usd")).toBe("0.0126");
    expect(await page.getByTestId("calls").innerText()).toBe("4");
    expect(await text('tr[data-step="edit"]')).toMatch(/edit act · gpt-5-mini \$0\.011\d* 88\.9% \$0\.00\d+ 6 0 2/);
    expect(await page.locator('[data-waste="repeated edit"] [data-usd]').getAttribute("data-usd")).toBe("0.0044");
    expect(await text('[data-testid="worst"]')).toMatch(
      /^The most wasteful step is edit: without its waste, \$0\.00\d+ less \(\d+(\.\d)?% of it all\)\.$/,
    );
    expect(await text('[data-testid="growth"]')).toMatch(/tokens a call, over [24] calls that go on/);
    // gpt-5-mini takes 400,000 tokens; the longest prompt has 8,000.
    expect(await text('[data-testid="fill"]')).toMatch(/^2% of 400,000 tokens, gpt-5-mini/);
    expect(await text('tr[data-part="system"]')).toMatch(/System \d+(\.\d)?% [\d.]+k ~[\d,]+/);
    await visit.check();
  });

  it("gives a line for the terminal that says the same there", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: "Copy as a line for the terminal" }).click();
    const line = await page.evaluate<string>("navigator.clipboard.readText()");
    expect(line).toMatch(/^pennyworth tasks shape --type ticket --since \S+$/);
    const { dataFolder: folder } = site.gateway;
    const args = line.split(" ").slice(1);
    const told = JSON.parse((await runCommand([...args, "--json"], { data: folder, folder })).out) as {
      total: { cost: string; wasted: string };
    };
    expect([told.total.cost, told.total.wasted]).toEqual(["0.0126", await page.getByTestId("wasted").getAttribute("data-usd")]);
    const { code, out } = await runCommand(args, { data: folder, folder });
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(
        /^ticket: 8 calls of 2 tasks \(4 a task, 4 at most\), \$0\.0126\n.+\nBy kind of step: plan \$0\.0014, act \$0\.0112\n/,
      ),
    ]);
    expect(out).toMatch(/\nThe most wasteful step: edit\. Without its waste, \$0\.00\d+ less \(\d+ %\): \$0\.0044 on the same asked again/);
  });

  it("says so where there is nothing", { timeout: 60_000 }, async () => {
    await visit.go("/shape?span=2020-01-01..2020-01-02");
    expect(await text("main")).toMatch(/No such call in this span.*x-pennyworth-step/);
    await visit.check();
  });

  it.each(looks.slice(1, 3))("can be read by everybody: $theme, $width px", { timeout: 60_000 }, async (look) => {
    const one = await site.visit(look);
    await one.go("/shape");
    await one.check();
    await one.close();
  });
});
