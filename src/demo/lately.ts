// The last three quarters of an hour of Larkspur's past: budgets are set over what was spent until then, some of them are met, a switch is thrown
// and put back, and people see to what is left open. All of it through the gateway and the public API. Invariant: nothing is refused before
// these minutes, so that no figure of the months before is touched by it.

import { z } from "zod";
import { hourMs, minuteMs } from "../core/time.ts";
import type { Chore, Office } from "./books.ts";
import { begin } from "./course.ts";
import { type Allowed, budgetsOf, rates, type Spent, spentMs } from "./budgets.ts";
import { type Team, whale } from "./company.ts";
import { type HistoryOptions, step, toOpen } from "./history.ts";
import { drawFor } from "./random.ts";
import type { Register } from "./register.ts";
import { firstOfMonth, type Story } from "./story.ts";
import { quiet, stuck, thrifty, uncapped } from "./trouble.ts";
import type { Script, Setting } from "./work.ts";

export interface LatelyOptions extends Pick<HistoryOptions, "clock" | "send"> {
  readonly story: Story;
  readonly seed: number;
  /** Where the history ends, ms UTC. */
  readonly untilMs: number;
  readonly office: Pick<Office, "ask" | "caughtUp">;
}

const sums = z.object({ cost: z.string(), calls: z.int() });
const report = z.object({ total: sums, rows: z.array(sums.extend({ group: z.record(z.string(), z.string().nullable()) })) });
const budgetAnswer = z.object({ budget: z.object({ standings: z.array(z.object({ spent: z.string() })) }) });
const haltAnswer = z.object({ id: z.string() });
const presumedAnswer = z.object({ calls: z.array(z.object({ call: z.string() })) });

/** Of the last minutes nobody has said yet how anything ended; what was refused was no task at all. */
const unheard: Register = { tell: () => {}, flush: () => Promise.resolve() };

/** What the whale sends at once, of which its plan has room for about half. */
const backlog = 36;
/** All of it is sent before the next chore is due: nobody's clock goes back. */
const backlogEveryMs = 8_000;
/** How long what was spent before a budget was there is waited for, ms. */
const openingMsMax = 5_000;
const lookMs = 20;

/** In order of time. */
export function latelyOf(options: LatelyOptions): readonly Chore[] {
  const { story, seed, untilMs, clock, send, office } = options;
  const { ask } = office;
  const ago = (minutes: number): number => Math.max(story.startMs, untilMs - minutes * minuteMs);
  const settingOf = (minutes: number, index = 0): Setting => {
    const id = `${Math.floor(ago(minutes) / minuteMs) % 100_000}${String(index).padStart(2, "0")}`;
    return { story, draw: drawFor(seed, "lately", minutes, index), atMs: ago(minutes), id };
  };
  const work = async (script: Script, atMs: number): Promise<void> => {
    const open = toOpen(script, atMs);
    if (open === null) return;
    while (await step({ clock, send, register: unheard }, open));
  };
  let halt = "";
  const chores: readonly (readonly [minutes: number, act: () => Promise<unknown>])[] = [
    [45, () => setBudgets(office, ago(45))],
    [38, () => work(stuck(settingOf(38)), ago(38))],
    [33, () => work(thrifty(settingOf(33), "0.30"), ago(33))],
    [
      29,
      async () => {
        const note = "edits the files of another change";
        halt = haltAnswer.parse(await ask("halts", { for: { project: "importers" }, note })).id;
      },
    ],
    [28, () => work(thrifty(settingOf(28), "5"), ago(28))],
    [24, () => ask(`halts/${halt}`, undefined, "DELETE")],
    [
      22,
      async () => {
        for (let index = 0; index < backlog; index += 1) {
          const setting = settingOf(22, index);
          await work(begin("invoice", { ...setting, customer: whale }), setting.atMs + index * backlogEveryMs);
        }
      },
    ],
    [16, () => work(uncapped(settingOf(16), "0.01"), ago(16))],
    [14, () => work(quiet(settingOf(14)), ago(14))],
    [
      9,
      async () => {
        // The provider's own page says what the first of them was.
        const [first] = presumedAnswer.parse(await ask("presumed")).calls;
        if (first !== undefined) await ask("presumed", { call: first.call, cost: "0.0014" });
      },
    ],
    [7, () => ask("budgets/platform/grants", { id: "release-week", amount: "$1", note: "for the release" })],
    [4, () => ask("halts", { for: { feature: "marketing" }, note: "no new pictures before the brand review" })],
    // Rates count by the clock, and that stands still until now.
    [0, () => Promise.all(rates.map((rate) => put(office, rate)))],
  ];
  return chores.map(([minutes, act]) => ({ atMs: ago(minutes) - 1, act: async () => void (await act()) }));
}

/** Sets the budgets, and waits until what was spent before counts under each. */
async function setBudgets(office: LatelyOptions["office"], nowMs: number): Promise<void> {
  await office.caughtUp();
  const found = async (sinceMs: number, query: string): Promise<z.infer<typeof report>> =>
    report.parse(await office.ask(`report?fresh=true&since=${new Date(sinceMs).toISOString()}${query}`));
  const { total, rows } = await found(nowMs - spentMs, "&by=team");
  const of = (team: Team): string => rows.find(({ group }) => group["team"] === team)?.cost ?? "0";
  const spent: Spent = { all: total.cost, platform: of("platform"), growth: of("growth") };
  const allowed = budgetsOf(spent);
  for (const one of allowed) await put(office, one);
  const { total: month } = await found(firstOfMonth(nowMs), "");
  const { total: hour } = await found(nowMs - hourMs, `&filter=${encodeURIComponent("customer!=")}`);
  const isToCount: Readonly<Record<string, boolean>> = {
    everything: month.calls > 0,
    platform: spent.platform !== "0",
    growth: spent.growth !== "0",
    "per-customer": hour.calls > 0,
  };
  const untilMs = performance.now() + openingMsMax;
  for (const { id } of allowed)
    while (isToCount[id] === true && performance.now() < untilMs && !(await hasOpened(office, id))) await pause();
}

async function hasOpened({ ask }: LatelyOptions["office"], id: string): Promise<boolean> {
  const { standings } = budgetAnswer.parse(await ask(`budgets/${id}`)).budget;
  return standings.some(({ spent }) => spent !== "0");
}

async function put({ ask }: LatelyOptions["office"], { id, terms }: Allowed): Promise<void> {
  await ask(`budgets/${id}`, terms, "PUT");
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, lookMs);
  });
}
