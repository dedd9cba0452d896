// The demo, held against itself: equal seeds give equal sums, and its folder and real ones stay apart. Not here: what the commands print.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readConfig } from "../config.ts";
import { start } from "../main.ts";
import { temporaryFolder } from "../../test/process.ts";
import { type Demo, openDemo } from "./demo.ts";

const folders: { remove(): Promise<void> }[] = [];
afterAll(() => Promise.all(folders.map((folder) => folder.remove())));

const untilMs = Date.parse("2026-11-20T15:30:00Z");

async function folder(): Promise<string> {
  const made = await temporaryFolder();
  folders.push(made);
  return made.path;
}

async function open(seed: number, path: string): Promise<Demo> {
  return openDemo({ folder: path, seed, months: 2, calls: 300, port: 0, until: () => untilMs });
}

interface Row {
  readonly group: Readonly<Record<string, string | null>>;
  readonly calls: number;
  readonly cost: string;
}

async function ask<Answer>({ running }: Demo, path: string): Promise<Answer> {
  const answer = await fetch(`${running.url}/api/v1/${path}`, { headers: { authorization: `Bearer ${running.adminToken}` } });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Answer;
}

/** What a field is, row by row, sorted. */
function of(rows: readonly Row[], field: string): string[] {
  return rows.map(({ group }) => group[field] ?? "").toSorted();
}

/** Makes a history and reads its sums. */
async function sums(seed: number): Promise<{ readonly rows: readonly Row[]; readonly sent: number; readonly status: unknown }> {
  const demo = await open(seed, await folder());
  try {
    const sent = await demo.past(new AbortController().signal, () => {});
    const { rows } = await ask<{ rows: Row[] }>(demo, "report?by=day,model,status,agent,customer&limit=10000&fresh=true");
    // Groups of one cost stand in no order.
    const sorted = rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    return { rows: sorted, sent, status: await ask(demo, "status") };
  } finally {
    await demo.close();
  }
}

describe("the demo", () => {
  it("makes the same history from the same seed and day", { timeout: 120_000 }, async () => {
    const [one, again, other] = [await sums(7), await sums(7), await sums(8)];
    expect(one.rows.length).toBeGreaterThan(100);
    expect(again.rows).toEqual(one.rows);
    expect(other.rows).not.toEqual(one.rows);
    expect(one.status).toMatchObject({ demo: true, openCalls: 0 });
    // Nothing before its first day, nothing after its last, and every call that was sent.
    const days = one.rows.map((row) => row.group["day"] as string).toSorted();
    expect([days[0]! >= "2026-09-20", days.at(-1)! <= "2026-11-20"]).toEqual([true, true]);
    expect(one.rows.reduce((sum, row) => sum + row.calls, 0)).toBeGreaterThanOrEqual(one.sent);
  });

  it("has a story", { timeout: 120_000 }, async () => {
    const path = await folder();
    const demo = await openDemo({ folder: path, seed: 1, months: 3, calls: 1_400, port: 0, until: () => untilMs });
    const report = async (query: string): Promise<Row[]> =>
      (await ask<{ rows: Row[] }>(demo, `report?limit=10000&fresh=true&${query}`)).rows;
    try {
      await demo.past(new AbortController().signal, () => {});
      expect(of(await report("by=status"), "status")).toEqual(["aborted", "complete", "cut", "failed"]);
      expect(of(await report("by=provider"), "provider")).toEqual(["anthropic", "google", "ollama", "openai", "openrouter"]);
      expect(of(await report("by=agent"), "agent").filter(Boolean)).toEqual([
        "coder",
        "reader",
        "reporter",
        "researcher",
        "resolver",
        "triage",
      ]);
      expect(of(await report("by=team"), "team")).toEqual(["finance", "growth", "platform", "support"]);
      // A second try at another company, after a 429 or a 529.
      const fallbacks = await report("by=provider,reason,attempt&filter=reason=fallback");
      expect(fallbacks.map(({ group }) => [group["provider"], group["attempt"]])).toEqual([["openrouter", "2"]]);
      // A run that costs more than any other, in the dead of night.
      const [dearest] = (await report("by=task&filter=agent=coder")).toSorted((a, b) => Number(b.cost) - Number(a.cost));
      const hours = of(await report(`by=hour&filter=task=${dearest!.group["task"]}`), "hour");
      expect([dearest!.calls >= 60, hours[0], hours.at(-1)! < "2026-11-11T07"]).toEqual([true, "2026-11-11T00:00:00Z", true]);
      // The smaller model takes over, and is not asked before.
      const models = await report("by=day,model&filter=step=draft&filter=provider=anthropic");
      const days = (model: string): string[] =>
        of(
          models.filter(({ group }) => group["model"] === model),
          "day",
        );
      expect([days("claude-haiku-4-5")[0]! >= "2026-10-27", days("claude-sonnet-4-5")[0]! < "2026-09-01"]).toEqual([true, true]);
      // The same tokens at another price, from the first of a month on.
      const { calls } = await ask<{ calls: { id: string; startMs: number }[] }>(demo, "calls?limit=1000&filter=model=gpt-5-mini");
      const priceOf = async (call: string): Promise<string> => {
        const { lines } = await ask<{ lines: { class: string; rateUsd: string }[] }>(demo, `calls/${call}/receipt`);
        return lines.find((line) => line.class === "input")!.rateUsd;
      };
      const changedMs = Date.parse("2026-10-01");
      const before = calls.filter(({ startMs }) => startMs < changedMs);
      const after = calls.filter(({ startMs }) => startMs >= changedMs);
      expect([await priceOf(before[0]!.id), await priceOf(before.at(-1)!.id)]).toEqual(["0.25", "0.25"]);
      expect([await priceOf(after[0]!.id), await priceOf(after.at(-1)!.id)]).toEqual(["0.2", "0.2"]);
      // What is not known.
      const { total } = await ask<{ total: Record<string, number> }>(demo, "report?fresh=true");
      expect([total["unpriced"]! > 0, total["presumed"]]).toEqual([true, 0]);
      // A run is a tree, and its searches go on at the same time.
      const [run] = await report("by=root,parent&filter=type=look-up");
      expect(run!.group["parent"]).toBe(run!.group["root"]);
    } finally {
      await demo.close();
    }
  });

  it("goes on in real time", { timeout: 60_000 }, async () => {
    const demo = await open(3, await folder());
    try {
      const beforeMs = Date.now();
      const stopping = new AbortController();
      const present = demo.present(stopping.signal);
      for (let calls = 0; calls === 0;) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        calls = (await ask<{ total: Row }>(demo, `report?since=${new Date(beforeMs).toISOString()}&fresh=true`)).total.calls;
      }
      stopping.abort();
      await present;
    } finally {
      await demo.close();
    }
  });

  it("takes no folder that holds anything else, and its own is not served as real", async () => {
    const real = await folder();
    await mkdir(join(real, "journal"));
    await writeFile(join(real, "journal", "kept"), "");
    await expect(open(1, real)).rejects.toMatchObject({ code: "data_real" });
    const invented = await folder();
    const demo = await open(1, invented);
    await expect(open(1, invented)).rejects.toMatchObject({ code: "data_locked" });
    await demo.close();
    await expect(start(readConfig(undefined, { data: invented, "server.port": 0 }, {}))).rejects.toMatchObject({ code: "data_demo" });
  });
});
