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

interface Refusal {
  readonly id: string;
  readonly atMs: number;
  readonly code: string;
  readonly against: readonly { readonly budget: string; readonly left: string }[];
}

interface BudgetShown {
  readonly id: string;
  readonly origin: string;
  readonly limit: string;
  readonly standings: readonly {
    readonly values: readonly string[];
    readonly fromMs: number;
    readonly allowance: string;
    readonly granted: string;
    readonly spent: string;
    readonly held: string;
    readonly presumed: string;
    readonly left: string;
    readonly usedPercent: number;
  }[];
}

/** What a field is, row by row, sorted. */
function of(rows: readonly Row[], field: string): string[] {
  return rows.map(({ group }) => group[field] ?? "").toSorted();
}

/** Makes a history and reads its sums. */
async function sums(seed: number): Promise<{
  readonly rows: readonly Row[];
  readonly sent: number;
  readonly status: unknown;
  /** Hash of what each closed month's report says. */
  readonly closed: readonly string[];
  /** What was not let in, when, and by which budget with how much left; the newest first. */
  readonly refusals: readonly unknown[];
  /** What stands under each budget. */
  readonly budgets: readonly unknown[];
  /** What tasks cost and how they ended; what customers pay. */
  readonly success: unknown;
  readonly revenue: unknown;
}> {
  const demo = await open(seed, await folder());
  try {
    const sent = await demo.past(new AbortController().signal, () => {});
    const { rows } = await ask<{ rows: Row[] }>(demo, "report?by=day,model,status,agent,customer&limit=10000&fresh=true");
    // Groups of one cost stand in no order.
    const sorted = rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    const { closings } = await ask<{ closings: { statement: string }[] }>(demo, "closings");
    const refused = await ask<{ refusals: Refusal[] }>(demo, "refusals?limit=10000");
    const { budgets } = await ask<{ budgets: BudgetShown[] }>(demo, "budgets?standings=100");
    return {
      rows: sorted,
      sent,
      status: await ask(demo, "status"),
      closed: closings.map(({ statement }) => statement),
      refusals: refused.refusals.map(({ atMs, code, against }) => ({ atMs, code, against })),
      budgets: budgets.map(({ id, limit, standings }) => ({ id, limit, standings })),
      success: await ask(demo, "success?by=type&fresh=true"),
      revenue: await ask(demo, "revenue?limit=1000&fresh=true"),
    };
  } finally {
    await demo.close();
  }
}

describe("the demo", () => {
  it("makes the same history from the same seed and day", { timeout: 120_000 }, async () => {
    const [one, again, other] = [await sums(7), await sums(7), await sums(8)];
    expect(one.rows.length).toBeGreaterThan(100);
    expect(again.rows).toEqual(one.rows);
    expect([one.closed.length, again.closed]).toEqual([1, one.closed]);
    expect([again.success, again.revenue]).toEqual([one.success, one.revenue]);
    expect(other.rows).not.toEqual(one.rows);
    expect(one.status).toMatchObject({ demo: true, openCalls: 0 });
    // Nothing before its first day, nothing after its last, and every call that was sent.
    const days = one.rows.map((row) => row.group["day"] as string).toSorted();
    expect([days[0]! >= "2026-09-20", days.at(-1)! <= "2026-11-20"]).toEqual([true, true]);
    expect(one.rows.reduce((sum, row) => sum + row.calls, 0) + one.refusals.length).toBeGreaterThanOrEqual(one.sent);
    // What the guard did is the same, too, and it did nothing before the last three quarters of an hour. Of calls that are under way at once
    // the tasks' budgets are defined as they come.
    expect(withoutKeys([again.refusals, byId(again.budgets)])).toEqual(withoutKeys([one.refusals, byId(one.budgets)]));
    const refusedMs = (one.refusals as readonly Refusal[]).map(({ atMs }) => atMs);
    expect(Math.min(...refusedMs)).toBeGreaterThan(untilMs - 46 * 60_000);
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

  it("keeps its books", { timeout: 120_000 }, async () => {
    const path = await folder();
    const demo = await openDemo({ folder: path, seed: 1, months: 3, calls: 1_400, port: 0, until: () => untilMs });
    try {
      await demo.past(new AbortController().signal, () => {});
      // On the first of each month the one before the last; what came later has not moved it.
      const { closings } = await ask<{ closings: { month: string; atMs: number; holds: boolean }[] }>(demo, "closings?check=true");
      expect(closings.map(({ month, atMs, holds }) => [month, new Date(atMs).toISOString(), holds])).toEqual([
        ["2026-08", "2026-10-01T07:00:00.000Z", true],
        ["2026-09", "2026-11-01T07:00:00.000Z", true],
      ]);
      // A price that was announced ahead, as it was thought of before and after; and one that is announced now.
      const mini = async (known: string): Promise<string | undefined> => {
        const { lines } = await ask<{ lines: { class: string; rateUsd: string }[] }>(
          demo,
          `prices?provider=openai&model=gpt-5-mini&at=2026-10-05&known=${known}`,
        );
        return lines.find((line) => line.class === "input")?.rateUsd;
      };
      expect([await mini("2026-09-24"), await mini("2026-09-26")]).toEqual(["0.25", "0.2"]);
      const { models } = await ask<{ models: { model: string; changesMs: number | null; disputed: string[] }[] }>(demo, "prices/models");
      const own = models.find(({ model }) => model === "qwen3:8b");
      expect(own?.changesMs).toBe(Date.parse("2026-12-01"));
      // What another list says differently; and what none has a price for, with a record to fill in.
      expect(models.find(({ model }) => model === "gemini-2.5-flash")?.disputed).toEqual(["input", "output"]);
      const { models: unpriced } = await ask<{ models: { model: string; record: { yaml: string } | null }[] }>(demo, "prices/unpriced");
      expect(unpriced.find(({ model }) => model === "ft:gpt-5-nano:larkspur")?.record?.yaml).toContain("input: DOLLARS");
      // A discount that was agreed on late: six in a hundred less, on the receipts of calls that were paid before it was known.
      const { calls } = await ask<{ calls: { id: string }[] }>(
        demo,
        "calls?limit=20&until=2026-11-01&since=2026-10-02&filter=provider=anthropic&filter=source=reported",
      );
      expect(calls).toHaveLength(20);
      for (const { id } of calls) {
        const receipt = await ask<{
          original: { total: string } | null;
          corrections: { rerate: string; holds: boolean; total: string }[];
        }>(demo, `calls/${id}/receipt`);
        const [correction] = receipt.corrections;
        expect(correction).toMatchObject({ rerate: expect.stringMatching(/^rerate_/), holds: true });
        expect(Number(correction!.total)).toBeCloseTo(Number(receipt.original!.total) * 0.94, 10);
      }
      // Two invoices of October: one agrees, of the other twelve calls did not come through Pennyworth.
      const { reconciliations } = await ask<{ reconciliations: { id: string; provider: string; from: string; gapPercent: string }[] }>(
        demo,
        "reconciliations",
      );
      const [anthropic, openai] = reconciliations.toSorted((a, b) => (a.provider < b.provider ? -1 : 1));
      expect([reconciliations.length, openai?.from, Math.abs(Number(openai?.gapPercent)) < 0.05]).toEqual([2, "2026-10-01", true]);
      const whole = await ask<{ gap: string; causes: { kind: string; amount: string; places: { day: string; model: string }[] }[] }>(
        demo,
        `reconciliations/${anthropic!.id}`,
      );
      const bypassed = whole.causes.find(({ kind }) => kind === "bypassed");
      expect(bypassed?.places.map(({ day, model }) => `${day} ${model}`)).toEqual(
        expect.arrayContaining([14, 15, 16].map((day) => `2026-10-${day} claude-opus-4-5`)),
      );
      expect(Number(bypassed?.amount) / Number(whole.gap)).toBeCloseTo(1, 1);
    } finally {
      await demo.close();
    }
  });

  it("knows how its work ended, and what it earns", { timeout: 120_000 }, async () => {
    const demo = await openDemo({ folder: await folder(), seed: 1, months: 3, calls: 2_500, port: 0, until: () => untilMs });
    interface Ended {
      readonly group: Readonly<Record<string, string | null>>;
      readonly tasks: number;
      readonly shares: Readonly<Record<string, number>> | null;
      readonly rate: { readonly observed: number | null };
      readonly review: { readonly minutes: number | null };
      readonly value: string | null;
      readonly contradictory: number;
      readonly enough: { readonly isEnough: boolean };
    }
    try {
      await demo.past(new AbortController().signal, () => {});
      const { rows, total, waiting } = await ask<{ rows: Ended[]; total: Ended; waiting: number }>(demo, "success?by=type&fresh=true");
      const of = (type: string): Ended => rows.find(({ group }) => group["type"] === type) as Ended;
      expect([of("ticket").enough.isEnough, of("invoice").enough.isEnough, waiting]).toEqual([true, true, 0]);
      expect([total.contradictory > 0, (total.shares?.["rework"] ?? 0) > 0, (total.shares?.["unknown"] ?? 0) > 0]).toEqual([
        true,
        true,
        true,
      ]);
      // The smaller model is cheaper, and takes more of people's time.
      const prompts = await ask<{ rows: Ended[] }>(demo, "success?by=prompt&filter=type=ticket");
      const minutes = (prompt: string): number => {
        const { review, tasks } = prompts.rows.find(({ group }) => group["prompt"] === prompt) as Ended;
        return (review.minutes ?? 0) / tasks;
      };
      expect(minutes("answer-v7")).toBeGreaterThan(minutes("answer-v6"));
      // The same old tickets, by three models.
      const drill = await ask<{ rows: Ended[] }>(demo, "success?by=model&filter=type=drill");
      expect(drill.rows.map(({ group }) => group["model"]).toSorted()).toEqual([
        "claude-haiku-4-5",
        "claude-opus-4-5",
        "claude-sonnet-4-5",
      ]);
      // Every customer pays, one of them another price since October.
      const { revenue } = await ask<{ revenue: { customer: string; feature: string | null; toMs: number | null }[] }>(
        demo,
        "revenue?limit=1000",
      );
      expect(revenue.filter(({ toMs }) => toMs === null)).toHaveLength(40);
      // Of 39 the smallest 25 pay for the help desk, ten for insights; the others for everything.
      expect(["helpdesk", "insights"].map((name) => revenue.filter(({ feature }) => feature === name).length)).toEqual([25, 10]);
      expect(
        revenue
          .filter(({ customer }) => customer === "Tidewater Hotels")
          .map(({ toMs }) => toMs)
          .toSorted(),
      ).toEqual([Date.parse("2026-10-01"), null]);
    } finally {
      await demo.close();
    }
  });

  it("lives with the guard", { timeout: 120_000 }, async () => {
    const demo = await openDemo({ folder: await folder(), seed: 1, months: 3, calls: 600, port: 0, until: () => untilMs });
    const costOf = async (query: string): Promise<string> => (await ask<{ total: Row }>(demo, `report?fresh=true&${query}`)).total.cost;
    try {
      await demo.past(new AbortController().signal, () => {});
      const { budgets } = await ask<{ budgets: BudgetShown[] }>(demo, "budgets?standings=100");
      const standing = (id: string, value?: string): BudgetShown["standings"][number] => {
        const found = budgets.find((one) => one.id === id)?.standings.find(({ values }) => value === undefined || values[0] === value);
        if (found === undefined) throw new Error(`no standing of ${id}`);
        return found;
      };
      // The book of budgets and the store count the same calls, those before the budget was there included: to the last digit.
      const growth = standing("growth");
      expect(growth.spent).toBe(await costOf(`filter=team=growth&since=${new Date(growth.fromMs).toISOString()}`));
      expect(growth.usedPercent).toBeGreaterThan(100);
      expect(standing("everything").usedPercent).toBeLessThan(50);
      expect([standing("platform").granted, standing("platform").usedPercent > 60, Number(standing("platform").left) > 0]).toEqual([
        "1",
        true,
        true,
      ]);
      // The whale has sent more than its plan has room for: some of it was let in, the rest was not, and a trial says so, too.
      const invoices = standing("harrowgate-invoices");
      const { refusals } = await ask<{ refusals: Refusal[] }>(demo, "refusals?limit=1000");
      const ofBudget = (id: string): Refusal[] => refusals.filter(({ against }) => against.some(({ budget }) => budget === id));
      expect([Number(invoices.spent) > 0.015, Number(invoices.spent) <= 0.03, ofBudget("harrowgate-invoices").length > 10]).toEqual([
        true,
        true,
        true,
      ]);
      expect([standing("per-customer", "Harrowgate Freight").usedPercent >= 60, ofBudget("per-customer")]).toEqual([true, []]);
      // A task that had a budget of its own, one that ran in circles, one that somebody stopped for a while.
      expect(new Set(refusals.map(({ code }) => code))).toEqual(new Set(["budget_exhausted", "halted", "tree_loop"]));
      const tasks = budgets.filter(({ origin }) => origin === "task").map(({ id }) => id);
      expect(tasks.filter((id) => ofBudget(id).length > 0)).toHaveLength(1);
      const { tally, halts, trees } = await ask<{
        tally: { capped: number; breaches: number };
        halts: { for: Record<string, string> }[];
        trees: { root: string; state: string }[];
      }>(demo, "guard");
      expect([tally.capped, tally.breaches]).toEqual([3, 0]);
      expect(halts.map((halt) => halt.for)).toEqual([{ feature: "marketing" }]);
      expect(trees.filter(({ state }) => state === "stopped")).toHaveLength(1);
      // Three answers said nothing of what they used; of one somebody knew.
      const { calls } = await ask<{ calls: { call: string }[] }>(demo, "presumed");
      expect(calls).toHaveLength(2);
      expect(budgets.flatMap(({ standings }) => standings).filter(({ held }) => held !== "0")).toEqual([]);
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

function byId(budgets: readonly unknown[]): unknown[] {
  return (budgets as { readonly id: string }[]).toSorted((a, b) => (shown(a.id) < shown(b.id) ? -1 : 1));
}

/** Ids of keys are made anew each time, and stand in the ids of tasks' own budgets. */
function shown(id: string): string {
  return id.replaceAll(/key_\w{12}/g, "key");
}

function withoutKeys(said: unknown): unknown {
  return JSON.parse(shown(JSON.stringify(said)));
}
