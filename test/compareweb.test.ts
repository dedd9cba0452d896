// The page Compare in a browser: its figures are counted by hand, its state is the address, and the line it gives for the terminal asks the same.
// Not here: the figures of larger samples (src/api/compare.test.ts, test/compare.test.ts), the other pages (web.test.ts).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium, inBrowser, looks, openSite, type Site, type Visit } from "./site.ts";

const reason = "skipped: no Chromium at /usr/bin/chromium or PENNYWORTH_CHROMIUM";

/** Cells of the table of candidates that something else lies over, or that reach out of its frame. Of each, points near its corners and its middle. */
const covered = `(() => {
  const table = document.querySelector("table.standings");
  const frame = table.closest(".scroll").getBoundingClientRect();
  const found = [];
  for (const cell of table.querySelectorAll("tbody > tr > *")) {
    cell.scrollIntoView({ block: "center" });
    const box = cell.getBoundingClientRect();
    const says = cell.innerText.slice(0, 40);
    if (box.left < frame.left - 1 || box.right > frame.right + 1) found.push("out of the frame: " + says);
    for (const x of [box.left + 3, (box.left + box.right) / 2, box.right - 3])
      for (const y of [box.top + 3, (box.top + box.bottom) / 2, box.bottom - 3])
        if (!cell.contains(document.elementFromPoint(x, y))) found.push("covered: " + says);
  }
  return [...new Set(found)];
})()`;

/** Forty bugs, as in test/compare.test.ts, one agent that is dearer and no better than the first, and one of which nobody knows the cost. */
async function fill(gateway: Site["gateway"]): Promise<void> {
  const lines: string[] = ["task,type,agent,case,cost,result,began"];
  const atMs = Date.now() - 3_600_000;
  const began = (later: number): string => new Date(atMs + later).toISOString();
  for (let bug = 0; bug < 40; bug += 1) {
    const add = (agent: string, cost: string, isFixed: boolean, again = ""): number =>
      lines.push(
        `${agent}-${bug}${again},fix,${agent},bug-${bug},${cost},${isFixed ? "success" : "failure"},${began(again === "" ? 0 : 60_000)}`,
      );
    add("careful", (3 + (bug % 5) / 10).toFixed(2), bug < 36);
    add("quick", (1 + (bug % 3) / 10).toFixed(2), bug < 20);
    if (bug >= 20) add("quick", "1", bug < 25, "-again");
    if (bug < 20) add("lavish", (9 + (bug % 7)).toFixed(2), bug < 12);
    if (bug < 4) add("riddle", "", bug < 2);
  }
  // Long names, and of each figure much that it lacks.
  for (const agent of ["claude-sonnet-4-5-20250929-thinking", "gpt-5.1-codex-max-2025-11-19-high", "gemini-3-pro-preview-11-2025"])
    for (const [index, end] of (["success", "failure", ""] as const).entries())
      lines.push(`${agent}-${index},wordy,${agent},wordy-${index},${index === 1 ? "" : `0.${agent.length}`},${end},${began(0)}`);
  // More than are compared, with two tasks each.
  for (let crowd = 0; crowd < 26; crowd += 1)
    for (const index of [0, 1])
      lines.push(`crowd-${crowd}-${index},crowd,crowd-${crowd},,0.5,${crowd === 25 ? "success" : "failure"},${began(0)}`);
  const response = await fetch(`${gateway.url}/api/v1/outcomes`, {
    method: "POST",
    headers: { "content-type": "text/csv" },
    body: `${lines.join("\n")}\n`,
  });
  if (!response.ok) throw new Error(await response.text());
  for (let tries = 0; tries < 50; tries += 1) if (((await gateway.get("/compare?by=agent&fresh=true")) as { fresh: boolean }).fresh) return;
}

describe.skipIf(!hasChromium)(`the page Compare in a browser (${reason})`, inBrowser, () => {
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

  const text = async (selector: string): Promise<string> => (await visit.page.locator(selector).innerText()).replaceAll(/\s+/g, " ").trim();
  const row = (agent: string): Promise<string> => text(`tr[data-candidate="${agent}"]`);

  it("places candidates by cost and success, and says how they stand against one of them", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/compare?by=agent&type=fix");
    expect(
      await page
        .locator("svg [data-point]")
        .evaluateAll((all) => all.map((one) => [one.getAttribute("data-point"), one.getAttribute("data-place")])),
    ).toEqual([
      ["quick", "frontier"],
      ["careful", "frontier"],
      ["lavish", "dominated"],
    ]);
    // 25 of 60: Wilson over the 40 bugs; 36 of 40.
    expect(await row("quick")).toMatch(/^quick 60 40 cases 41\.7% 27\.8% to 57% \$1\.06 /);
    expect(await row("careful")).toMatch(/^careful 40 90% 76\.9% to 96% \$3\.20 .*On the frontier: one more success costs \$4\.\d\d\./);
    expect(await row("lavish")).toMatch(/Dominated by careful/);
    expect(await row("riddle")).toMatch(/unknown.*What its tasks cost is not known\./);
    expect(await text("#verdicts")).toBe("Against careful");
    expect(await text('[data-candidate="quick"][data-verdict]')).toMatch(
      /^Succeeds less often quick succeeds less often than careful: 56\.3% against 90% .* on 40 shared pieces of work\. It is cheaper/,
    );
    expect(await text('[data-repeated="quick"]')).toMatch(/^quick 20 12\.5% .* of 20 cases\* 25%/);
    expect(await text('[data-testid="drawn"]')).toMatch(/Not every case was tried so often/);
    expect(await text('[data-testid="weighed"]')).toMatch(/^Here each task weighs alike; in the verdicts below each case does/);
    expect(await text('[data-testid="notes"]')).toMatch(/4 tasks used something without a price/);
    await visit.check();
  });

  it("keeps in its address whom the others are held against, and who is looked at", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await page.getByRole("button", { name: "Leave out riddle" }).click();
    await expect.poll(() => page.locator('tr[data-candidate="riddle"]').count()).toBe(0);
    await page.getByRole("button", { name: "Baseline: quick" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => text("#verdicts")).toBe("Against quick");
    expect(await text('[data-candidate="careful"][data-verdict]')).toMatch(/^Succeeds more often careful succeeds more often/);
    const address = new URL(page.url()).searchParams;
    expect([address.getAll("candidates"), address.get("baseline")]).toEqual([["quick", "careful", "lavish"], "quick"]);
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: "Copy as a line for the terminal" }).click();
    expect(await page.evaluate<string>("navigator.clipboard.readText()")).toMatch(
      /^pennyworth tasks compare --by agent --type fix --since \S+ --candidates quick,careful,lavish --baseline quick$/,
    );
    await page.reload();
    await visit.settle();
    expect(await text("#verdicts")).toBe("Against quick");
    await page.getByRole("button", { name: /Only 3 candidates: show all/ }).click();
    await page.locator('tr[data-candidate="riddle"]').waitFor();
  });

  it("says what one more try brings, and what independence would have said", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/compare?by=agent&type=fix");
    // 20 of 40 at first, 5 of the 20 that failed; 1 − ½ · ¾, against 1 − ½ · ½.
    expect(await text('tr[data-of="quick"][data-try="1"]')).toMatch(/^quick none 40 50% 35\.2% to 64\.8% /);
    expect(await text('tr[data-of="quick"][data-try="2"]')).toMatch(
      /^quick 1 failed 20 25% 11\.2% to 46\.9% \$1\.00 interval not known 62\.5% 75%$/,
    );
    const worth = (attempt: number) => page.locator(`tr[data-of="quick"][data-try="${attempt}"] [data-worth]`).getAttribute("data-worth");
    await page.getByRole("textbox", { name: "What a success is worth, dollars" }).fill("20");
    await expect.poll(() => worth(1)).toBe("yes");
    // Of twenty tries neither is said.
    expect(await text('tr[data-of="quick"][data-try="2"] [data-worth]')).toMatch(/^not enough data: few tries brings /);
    expect(new URL(page.url()).searchParams.get("value")).toBe("20");
    await page.getByRole("textbox", { name: "What a success is worth, dollars" }).fill("1.5");
    await expect.poll(() => worth(1)).toBe("no");
  });

  it("says so where there is nothing to compare, and where what is asked cannot be", { timeout: 60_000 }, async () => {
    await visit.go("/compare?type=nothing-like-it");
    expect(await text("main")).toMatch(/No task to compare in this span.*pennyworth tasks begin/);
    await visit.check();
    await visit.go("/compare?by=agent&type=fix&baseline=nobody");
    expect(await text("main")).toMatch(/This did not work.*baseline is "nobody", which is none of the candidates/);
    visit.complaints.length = 0;
  });

  it.each(["light", "dark"] as const)(
    "covers no cell of its table at 1280 px, nor leaves one out of its frame: %s",
    { timeout: 60_000 },
    async (theme) => {
      const one = await site.visit({ theme, width: 1280 });
      for (const type of ["wordy", "fix", "crowd"]) {
        await one.go(`/compare?by=agent&type=${type}`);
        expect(await one.page.evaluate(covered), type).toEqual([]);
      }
      await one.go("/compare?by=agent&type=wordy");
      expect((await one.page.locator('tr[data-candidate^="gemini"]').innerText()).replaceAll(/\s+/g, " ")).toMatch(
        /not enough data: few tasks, wide interval, ends not known, usage without a price/,
      );
      await one.check();
      await one.close();
    },
  );

  it("says above its table who is left out, and takes whom it compares from its address", { timeout: 60_000 }, async () => {
    await visit.go("/compare?by=agent&type=crowd");
    expect(await text('[data-testid="leftout"]')).toMatch(
      /^2 more candidates \(4 tasks\) are left out\. Who is on the frontier is so among these 24 alone\. .* candidates=a,b$/,
    );
    // As many tasks as the others, and it always succeeds.
    expect(await row("crowd-25")).toMatch(/^crowd-25 2 100% /);
    await visit.go("/compare?by=agent&type=crowd&candidates=crowd-7,crowd-8,crowd-9");
    expect(await visit.page.locator('[data-testid="leftout"]').count()).toBe(0);
    expect(await row("crowd-9")).toMatch(/^crowd-9 2 0% /);
  });

  it.each(looks)("can be read by everybody: $theme, $width px", { timeout: 60_000 }, async (look) => {
    const one = await site.visit(look);
    for (const type of ["fix", "crowd"]) {
      await one.go(`/compare?by=agent&type=${type}&value=5`);
      await one.check();
    }
    await one.close();
  });
});
