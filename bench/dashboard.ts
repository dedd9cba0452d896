// How long the dashboard takes from a change of the address to new data on the screen, in Chromium, on ten million calls; the baseline is the
// same change on an empty store, made in the same minute. PENNYWORTH_BENCH_CALLS sets how many calls (default 10,000,000: the store takes
// minutes to fill and about a gigabyte), PENNYWORTH_BENCH_FOLDER keeps the store between runs. Not here: what the pages look like.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { storeFile } from "../src/ledger/duckdb/place.ts";
import { fillStore } from "./fill.ts";
import { quantile } from "./gateway/load.ts";
import type { Line } from "./main.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const chromiumPath = process.env["PENNYWORTH_CHROMIUM"] ?? "/usr/bin/chromium";
const callsDefault = 10_000_000;
const days = 180;
const token = "bench-of-the-dashboard-0123456789";
const stepMsMax = 30_000;

export async function* bench(): AsyncIterable<Line> {
  const calls = Number(process.env["PENNYWORTH_BENCH_CALLS"] ?? callsDefault);
  const kept = process.env["PENNYWORTH_BENCH_FOLDER"];
  const folder = kept ?? (await mkdtemp(join(tmpdir(), "pennyworth-bench-")));
  const nothing = await mkdtemp(join(tmpdir(), "pennyworth-bench-"));
  const children: ChildProcess[] = [];
  let browser: Browser | null = null;
  try {
    execFileSync(process.execPath, [join(root, "scripts/build.mjs")], { stdio: ["ignore", "ignore", "inherit"] });
    if (!existsSync(storeFile(folder))) {
      const began = performance.now();
      await fillStore(folder, { calls, seed: 1, untilMs: Date.now(), days, onProgress: tell });
      process.stderr.write(`\r  filled with ${calls.toLocaleString("en")} calls in ${Math.round((performance.now() - began) / 1000)} s\n`);
    }
    browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
    const full = await openDashboard(browser, await serve(children, folder));
    const empty = await openDashboard(browser, await serve(children, nothing));
    for (const [name, steps] of rooms()) {
      const times: Record<"full" | "empty", number[]> = { full: [], empty: [] };
      for (const step of steps) {
        times.empty.push(...(await take(empty, step)));
        times.full.push(...(await take(full, step)));
      }
      for (const part of [0.5, 0.95]) {
        const [ours, base] = [times.full, times.empty].map((list) =>
          quantile(
            list.toSorted((a, b) => a - b),
            part,
          ),
        ) as [number, number];
        const title = `dashboard ${name}, ${times.full.length} changes, p${part * 100} on ${calls} calls`;
        yield { name: title, value: round(ours), unit: "ms", baseline: round(base), ratio: round(ours / base) };
      }
      process.stderr.write(`  the slowest of ${name}: ${slowest(full.slow)}\n`);
      full.slow.length = 0;
    }
  } finally {
    await browser?.close();
    for (const child of children) await end(child);
    if (kept === undefined) await rm(folder, { recursive: true, force: true });
    await rm(nothing, { recursive: true, force: true });
  }
}

/** An address to go to, and how often to scroll on for more of what is there. */
interface Step {
  readonly address: string;
  readonly scrolls?: number;
  /** Only on the way to another: its time is nobody's concern. */
  readonly isWay?: true;
}

/** What people do, room by room: no two changes in a row ask the same. */
function rooms(): [string, readonly Step[]][] {
  const spans = ["24h", "7d", "30d", "month", "90d", "all"];
  const fields = ["model", "customer", "feature", "team", "agent", "provider", "status", "class", "key", "none"];
  const filters = ["feature=feature-3", "customer=n_0000000000001eef", "model=gpt-5", "status!=complete", "team=team-1"];
  const explore: Step[] = [];
  for (const [index, span] of spans.entries())
    for (const [turn, field] of fields.entries()) {
      explore.push({ address: `/explore?by=${field}&span=${span}` });
      if ((index + turn) % 2 === 0)
        explore.push({ address: `/explore?by=${field}&span=${span}&filter=${filters[(index + turn) % filters.length]}` });
    }
  return [
    ["Overview", Array.from({ length: 20 }, () => [{ address: "/settings", isWay: true as const }, { address: "/" }]).flat()],
    ["Explore", explore],
    [
      "Calls",
      ["24h", "7d", "30d", "all"].flatMap((span) => [
        { address: `/calls?span=${span}`, scrolls: 10 },
        ...filters.map((filter) => ({ address: `/calls?span=${span}&filter=${filter}`, scrolls: 3 })),
      ]),
    ],
    [
      "Tasks",
      ["24h", "7d", "30d", "month"].flatMap((span) => [
        { address: `/tasks?span=${span}` },
        ...filters.map((filter) => ({ address: `/tasks?span=${span}&filter=${filter}` })),
      ]),
    ],
  ];
}

interface Dashboard {
  readonly page: Page;
  readonly slow: { readonly what: string; readonly ms: number }[];
}

/** Signed in, and told to count what it asks. */
async function openDashboard(browser: Browser, url: string): Promise<Dashboard> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: "en-GB", timezoneId: "Europe/Berlin" });
  await page.addInitScript(countQuestions);
  await page.goto(`${url}/#token=${token}`);
  await page.locator("main h1").first().waitFor();
  await page.waitForTimeout(2_000);
  return { page, slow: [] };
}

/** Goes to the address as a click on a link does, and on by scrolling. @returns ms of each change that asked for data. */
async function take({ page, slow }: Dashboard, { address, scrolls = 0, isWay }: Step): Promise<number[]> {
  // What is fresh is not asked again: two seconds.
  await page.waitForTimeout(isWay ? 2_100 : 50);
  const times: number[] = [];
  const measure = async (what: string, act: string): Promise<void> => {
    const ms = (await page.evaluate(`window.pennyworthBench(() => { ${act} }, ${stepMsMax})`)) as number | null;
    if (ms === null || isWay) return;
    times.push(ms);
    slow.push({ what, ms });
  };
  await measure(
    address,
    `history.pushState({}, "", ${JSON.stringify(address)}); dispatchEvent(new PopStateEvent("popstate", { state: {} }));`,
  );
  for (let i = 0; i < scrolls; i++)
    await measure(
      `${address}, scroll ${i + 1}`,
      `const list = document.querySelector("main .scroll"); if (list) list.scrollTop = list.scrollHeight;`,
    );
  return times;
}

/**
 * In the page, before its scripts. A change is over with the first frame after the last answer it asked for, when no other question follows
 * within three frames; those frames are not counted. Questions that are asked by the clock do not count.
 */
const countQuestions = `
  let open = 0, asked = 0, answeredMs = 0;
  const ask = window.fetch;
  window.fetch = (...given) => {
    const url = String(given[0]?.url ?? given[0]);
    const counts = !/\\/api\\/v1\\/(position|status|session)/.test(url);
    const answer = ask(...given);
    if (!counts) return answer;
    open++; asked++;
    const done = () => { open--; answeredMs = performance.now(); };
    answer.then((response) => response.clone().arrayBuffer().then(done, done), done);
    return answer;
  };
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now())));
  window.pennyworthBench = async (act, msMax) => {
    const before = asked, beganMs = performance.now();
    act();
    let shownMs = 0, quiet = 0;
    while (performance.now() - beganMs < msMax) {
      const nowMs = await frame();
      if (open > 0) { quiet = 0; shownMs = 0; continue; }
      if (asked === before && nowMs - beganMs < 300) continue;
      if (shownMs < answeredMs) { shownMs = nowMs; quiet = 0; continue; }
      if (++quiet >= 3) return asked === before ? null : shownMs - beganMs;
    }
    return msMax;
  };
`;

function tell(calls: number): void {
  process.stderr.write(`\r  ${calls.toLocaleString("en")} calls filled in `);
}

function slowest(slow: Dashboard["slow"]): string {
  return [...slow]
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 5)
    .map(({ what, ms }) => `${what} ${Math.round(ms)} ms`)
    .join("; ");
}

async function serve(children: ChildProcess[], folder: string): Promise<string> {
  const child = spawn(process.execPath, [join(root, "dist/cli/main.js"), "serve", "--port", "0", "--data", folder, "--log", "error"], {
    cwd: dirname(folder),
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], HOME: folder, PENNYWORTH_ADMIN_TOKEN: token },
  });
  children.push(child);
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const match = /http:\/\/[\w.:[\]]+/.exec(text);
      if (match !== null) resolve(match[0]);
    });
    child.once("exit", () => reject(new Error(`the server ended: ${text}`)));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
