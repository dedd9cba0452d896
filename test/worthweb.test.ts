// The page "Worth it?" in a browser: what it says is the reference's and sums by hand, its state is the address, and the line it gives for the terminal
// says the same there. Not here: what is reckoned (economics/), the answer (api/worth.test.ts), the other pages (web.test.ts).

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "./command.ts";
import { ask, hasChromium, inBrowser, looks, openSite, type Site, type Visit } from "./site.ts";

const reason = "skipped: no Chromium at /usr/bin/chromium or PENNYWORTH_CHROMIUM";
const support = "/worth?minutes=9&rate=32&cost=0.0585&success=68%25&cleanup-minutes=6&tasks=3200";
const full =
  "/worth?minutes=120&rate=60&cost=0.5&success=41/60&review-minutes=10&detection=90%25&damage=300&tasks=50&dearer-cost=2.5&dearer-review-minutes=2" +
  "&type=report|240|15|1|40|90%2525&type=mail|5|3|0.02|100|8/10&type=contract|90|40|2|5000|85%2525&type=other||||";

/**
 * Six tickets of one call each, 1,000 tokens in at 0.25 dollars a million and 500 out at 2: 0.00125 dollars. Four succeed, three minutes of checking
 * each, one fails, and of one nobody says anything yet.
 */
async function fill(gateway: Site["gateway"]): Promise<void> {
  for (let n = 1; n <= 6; n += 1) {
    const task = `ticket-${n}`;
    const said = { "x-pennyworth-task": task, "x-pennyworth-type": "resolve-ticket", "x-pennyworth-agent": "helper" };
    await ask(gateway, { ...said, "x-sandbox-input-tokens": "1000", "x-sandbox-output-tokens": "500" });
    if (n < 6) await gateway.post(`/tasks/${task}/outcomes`, n < 5 ? { result: "success", reviewMinutes: 3 } : { result: "failure" });
  }
}

describe.skipIf(!hasChromium)(`the page Worth it? in a browser (${reason})`, inBrowser, () => {
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
  const sum = (part: string): Promise<(string | null)[]> =>
    visit.page.locator(`[data-part-of-sum="${part}"] [data-usd]`).evaluateAll((all) => all.map((one) => one.getAttribute("data-usd")));
  const verdict = (): Promise<string | null> => visit.page.locator("[data-verdict]").getAttribute("data-verdict");

  it("leads from an empty form to an example, whose numbers are the reference's", { timeout: 90_000 }, async () => {
    const { page } = visit;
    await visit.go("/");
    await page.keyboard.press("g");
    await page.keyboard.press("v");
    await page.getByRole("heading", { name: "Worth it?", level: 1 }).waitFor();
    await page.getByText("Nothing to weigh yet").waitFor();
    await visit.check();
    await page.getByRole("button", { name: /Try an example/ }).click();
    await page.getByTestId("summary").waitFor();
    expect(await verdict()).toBe("go");
    expect(await text('[data-testid="summary"]')).toBe(
      "The agent pays from 40.7% success on, and it succeeds in 68%. A task is expected to cost $2.62 against $4.80: $2.18 (45.45%) saved.",
    );
    expect(await sum("agent")).toEqual(["2.6185", "8379.2"]);
    expect(await sum("other")).toEqual(["4.8", "15360"]);
    expect(await sum("saved")).toEqual(["2.1815", "6980.8"]);
    // Parts by hand: 0.32 of $3.20 and of $4.80, 3,200 times.
    expect(await Promise.all(["run", "cleanup", "redo"].map(sum))).toEqual([
      ["0.0585", "187.2"],
      ["1.024", "3276.8"],
      ["1.536", "4915.2"],
    ]);
    expect(await page.locator('[data-part-of-sum="damage"]').count()).toBe(0);
    expect(await page.locator(".evenbar").getAttribute("aria-label")).toBe("The agent pays from 40.7% success on. It succeeds in 68%.");
    expect(await text('[data-input="cost"]')).toContain("turns at $2.24");
    await expect.poll(() => new URL(page.url()).search).toBe(new URL(support, page.url()).search);
  });

  it("gives a line for the terminal that says the same there", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go(support);
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: "Copy as a line for the terminal" }).click();
    const line = await page.evaluate<string>("navigator.clipboard.readText()");
    expect(line).toBe("pennyworth worth --minutes 9 --rate 32 --cost 0.0585 --success 68% --cleanup-minutes 6 --tasks 3200");
    const { dataFolder: folder } = site.gateway;
    const { code, out } = await runCommand([...line.split(" ").slice(1), "--json"], { data: folder, folder });
    const told = JSON.parse(out) as { verdict: string; expected: { basis: { all: { agent: string; saved: string } } } };
    const { agent, saved } = told.expected.basis.all;
    expect([code, told.verdict, agent, saved]).toEqual([0, await verdict(), (await sum("agent"))[1], (await sum("saved"))[1]]);
  });

  it("follows what is typed and slid, by keyboard too, and the address with it", { timeout: 90_000 }, async () => {
    const { page } = visit;
    await visit.go(support);
    const success = page.getByRole("textbox", { name: "Success", exact: true });
    await success.fill("40");
    await expect.poll(verdict).toBe("no");
    expect(new URL(page.url()).searchParams.get("success")).toBe("40%");
    const slider = page.getByRole("slider", { name: "Success, slider" });
    await slider.focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(verdict).toBe("go");
    expect(await success.inputValue()).toBe("41");
    // Six of twelve decide nothing: z² p*(1−p*) ÷ (0.5 − p*)² are 108 tasks.
    await page.getByRole("radiogroup", { name: "How success is known" }).getByText("Counted").click();
    await page.getByRole("textbox", { name: "Success: tasks that succeeded" }).fill("6");
    await page.getByRole("textbox", { name: "Success: of tasks" }).fill("12");
    await expect.poll(verdict).toBe("not_enough_data");
    expect(await text('[data-testid="summary"]')).toMatch(/25\.4% to 74\.6% \(6 of 12 tasks, at 95% confidence\).*about 96 more tasks/);
    expect(await text(".verdict .tiles")).toMatch(/Saved \$2,372\.80 −\$3,9\d\d\.\d\d to \$8,67\d\.\d\d/);
    await page.reload();
    await visit.settle();
    expect(await page.getByRole("textbox", { name: "Success: of tasks" }).inputValue()).toBe("12");
    await visit.check();
  });

  it("says what is wrong beside the field, in the form's terms", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go(`${support.replace("68%25", "168%25").replace("cost=0.0585", "cost=abc")}&review-minutes=-3`);
    await page.getByRole("alert").first().waitFor();
    expect(await text(".weighed")).toMatch(/must be minutes, a number from 0 to 9000000[^]*must be from 0 to 100%/);
    expect(await text(".weighed")).toMatch(/must be dollars, such as 0\.0585: from 0 to 1,000,000,000,000/);
    expect(await text(".answers")).toMatch(/What is marked in the form cannot be/);
    expect(visit.complaints.every((one) => one.includes("400"))).toBe(true);
    visit.complaints.length = 0;
    await page.getByRole("textbox", { name: "Success", exact: true }).fill("68");
    await page.getByRole("textbox", { name: "Time to check a run" }).fill("");
    await page.getByRole("textbox", { name: "Cost of a run" }).fill("0.0585");
    await expect.poll(() => text(".weighed")).not.toMatch(/must be/);
    await expect.poll(verdict).toBe("go");
  });

  it("weighs a dearer one, and a value where nobody would do it", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go("/worth?minutes=120&rate=60&cost=0.5&success=80%25&review-minutes=10&dearer-cost=2.5&dearer-review-minutes=2");
    // economics/parity.test.ts: 34.50 against 28.50.
    expect(await text('[data-testid="dearer"]')).toBe(
      "If it succeeds no more often (80%), it costs $28.50 a task in all: $6.00 less than the other. It is worth its price from 75% success on; all else as it is, a run may cost $8.50, or checking may take 8 min at the most.",
    );
    await page.getByRole("radiogroup", { name: "How its success is known" }).getByText("Range").click();
    await page.getByRole("textbox", { name: "Its success: at least" }).fill("60");
    await page.getByRole("textbox", { name: "Its success: at most" }).fill("80");
    // 4.50 and 0.4 or 0.2 of $120 against 34.50.
    await expect.poll(() => text('[data-testid="dearer"]')).toContain("than the other (over what is known −$18.00 to $6.00 less)");
    await page.getByText("Leaving it undone").click();
    await page.getByText("Nothing to weigh yet").waitFor();
    await page.getByRole("textbox", { name: "Value of a finished task" }).fill("10");
    await page.getByTestId("summary").waitFor();
    // 0.8 of 10; ten minutes at $60 an hour, and nobody does again what failed.
    expect(await sum("other")).toEqual(["8"]);
    expect(await sum("agent")).toEqual(["10.5"]);
    await page.getByRole("textbox", { name: "An hour of labour" }).fill("");
    await page.getByRole("alert").waitFor();
    expect(await text(".weighed")).toMatch(/is needed, since there is no person whose rate could be taken/);
    visit.complaints.length = 0;
  });

  it("maps task types by time to do and to check, and says what is missing", { timeout: 90_000 }, async () => {
    const { page } = visit;
    await visit.go(full);
    await page.locator("tr[data-type]").first().waitFor();
    // Ten minutes of checking against two hours of doing.
    expect(await text('tr[data-type="This task"] [data-ratio]')).toBe("0.0833");
    expect(await text('tr[data-type="report"] .place')).toBe("Sweet spot");
    expect(await text('tr[data-type="contract"] .place')).toBe("For a person");
    expect(await text('tr[data-type="mail"]')).toMatch(/Not enough data/);
    expect(await text('tr[data-type="other"]')).toMatch(/Nowhere yet: time to do, time to check, cost of a run, success not known/);
    expect(await page.locator("svg [data-point]").count()).toBe(4);
    await page.getByRole("radio", { name: /^report/ }).check();
    expect(await text(".fieldmap .legend")).toMatch(/worth it, for tasks like report/);
    await page.getByRole("button", { name: "Leave out row 4, other" }).click();
    await expect.poll(() => page.locator('tr[data-type="other"]').count()).toBe(0);
    expect(new URL(page.url()).searchParams.getAll("type")).toHaveLength(3);
    await page.getByRole("button", { name: "Add a task type" }).click();
    await page.getByRole("textbox", { name: "Task type, row 4" }).fill("tiny");
    await page.getByRole("textbox", { name: "Minutes to do, row 4" }).fill("1");
    await page.getByRole("textbox", { name: "Minutes to check, row 4" }).fill("2");
    await expect.poll(() => text('tr[data-type="tiny"] [data-ratio]')).toBe("2.0000");
    await page.getByRole("textbox", { name: "Minutes to check, row 4" }).fill("-2");
    await expect
      .poll(() => text('[data-testid="mapwrong"]'))
      .toBe("tiny, time to check: must be minutes, a number from 0 to 9000000, not -2.");
    visit.complaints.length = 0;
    // Nothing has begun since.
    await visit.go(`/worth?rate=60&types=ledger&since=${new Date().toISOString()}`);
    await page.getByText("The ledger has no task that names its type yet.").waitFor();
    await visit.check();
  });

  it("takes from the ledger what is not said, says so, and is the command line's answer too", { timeout: 90_000 }, async () => {
    const { page } = visit;
    await visit.go("/worth?minutes=9&rate=32&cleanup-minutes=6&from-ledger=resolve-ticket&types=ledger");
    await page.getByTestId("ledger").waitFor();
    // Five have ended: 0.00125 dollars and 12 ÷ 5 minutes each, and four succeeded.
    expect(await text('[data-testid="ledger"]')).toBe(
      "Of tasks of the type resolve-ticket: 4 succeeded, 1 failed, 0 ended unknown, 1 open. The ledger's are the cost of a run, $0.00125 (not enough data); how often it succeeds; the time to check, 2.4 min (not enough data; said of 4).",
    );
    // 0.00125 + 2.4 minutes at $32 an hour + a fifth of $8.
    expect(await sum("agent")).toEqual(["2.88125"]);
    expect(await text('[data-testid="breakeven"]')).toMatch(/4 of 5 tasks/);
    const args = [
      "worth",
      "--minutes",
      "9",
      "--rate",
      "32",
      "--cleanup-minutes",
      "6",
      "--from-ledger",
      "resolve-ticket",
      "--agent",
      "helper",
    ];
    const { dataFolder: folder } = site.gateway;
    const { code, out } = await runCommand(args, { data: folder, folder });
    expect([code, out.replaceAll(/ {2,}/g, "  ")]).toEqual([0, expect.stringContaining("with the agent  $2.8812\n")]);
    expect(out).toContain(
      "From the ledger, of 6 tasks of the type resolve-ticket by helper: a run costs $0.00125 (not enough data); 4 of 5 succeeded; checking takes 2.4 minutes (not enough data; said of 4).",
    );
    // Five tasks are too few to place the type by what they cost and took to check.
    expect(await text('tr[data-type="resolve-ticket"]')).toMatch(/Nowhere yet: time to do, time to check, cost of a run not known/);
    await page.getByRole("button", { name: "Say it" }).click();
    await page.getByRole("textbox", { name: "Minutes to do, row 1" }).fill("9");
    await visit.check();
  });

  it("keeps the form beside its answers, and off the map below them", { timeout: 60_000 }, async () => {
    const { page } = visit;
    await visit.go(`${full}&from-ledger=resolve-ticket&unreviewed=10%25`);
    await page.locator("tr[data-type]").first().waitFor();
    expect(await page.locator(".worthform details[open]").count()).toBe(3);
    for (const share of [0.25, 0.5, 0.75, 1]) {
      await page.evaluate(`scrollTo(0, ${share} * document.documentElement.scrollHeight)`);
      const [form, map] = [await page.locator(".weighed").boundingBox(), await page.locator('[aria-labelledby="map"]').boundingBox()];
      expect((form?.y ?? 0) + (form?.height ?? 0)).toBeLessThanOrEqual(map?.y ?? 0);
    }
  });

  it.each(looks)("can be read by everybody: $theme, $width px", { timeout: 120_000 }, async (look) => {
    const one = await site.visit(look);
    for (const path of [
      "/worth",
      support,
      full,
      support.replace("68%25", "6/12"),
      support.replace("minutes=9&rate=32", "against=nobody&value=5&rate=32"),
    ]) {
      await one.go(path);
      await one.check().catch((error: unknown) => {
        throw new Error(`${path}, ${look.theme} ${look.width}: ${String(error)}`, { cause: error });
      });
    }
    await one.close();
  });
});
