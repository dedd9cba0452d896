// What people at Larkspur do in Pennyworth beside their agents' work, and when: they enter prices and what customers pay, import a list, re-rate,
// close months, and check invoices. All of it through the public API. Not here: what happens to the company (story.ts). Invariant: what is entered is known when it was entered.

import { hourMs } from "../core/time.ts";
import { type Billed, exportsOf, type Seen } from "./bill.ts";
import { salesOf } from "./sales.ts";
import { firstOfMonth, type Story, toDay } from "./story.ts";

export interface Chore {
  readonly atMs: number;
  act(): Promise<void>;
}

export interface Office {
  /** Asks the control API for what is below `/api/v1/`. With a body it is posted, unless another method is said. */
  ask(path: string, body?: unknown, method?: "PUT" | "DELETE"): Promise<unknown>;
  /** Resolves once all that is on record can be seen. */
  caughtUp(): Promise<void>;
  /** What the providers served so far. */
  seen(): readonly Seen[];
}

const lookMs = 50;

/** In order of time; only what happens within the history. @param calls about how many the history has. */
export function choresOf(story: Story, calls: number, { ask, caughtUp, seen }: Office): readonly Chore[] {
  const { invoiced } = story;
  const set = (text: string) => async (): Promise<void> => void (await ask("prices/set", { text }));
  const check = async (provider: Billed): Promise<void> => {
    const files = exportsOf(provider, seen(), invoiced, story);
    if (files.length > 0) await ask("reconciliations", { provider, files });
  };
  const chores: Chore[] = [
    { atMs: story.startMs, act: set(machine()) },
    { atMs: story.announcedMs, act: set(contract(story)) },
    { atMs: story.importedMs, act: async () => void (await ask("prices/take", { text: elsewhere })) },
    { atMs: story.riseKnownMs, act: set(machine(story.riseMs)) },
    {
      atMs: story.agreedMs,
      act: async () => {
        await set(agreement(story))();
        await caughtUp();
        await rerate(ask, toDay(invoiced.fromMs));
      },
    },
    {
      atMs: story.checkedMs,
      act: async () => {
        await caughtUp();
        await check("openai");
        await check("anthropic");
      },
    },
  ];
  const { atMs: sold, revenue } = salesOf(story, calls);
  chores.push({ atMs: sold, act: async () => void (await ask("revenue/imports", { revenue })) });
  // On each first of a month the month before the last is closed: by then its invoices are in, and paid.
  for (let month = firstOfMonth(story.startMs); month < story.todayMs; month = firstOfMonth(month, 1))
    chores.push({
      atMs: firstOfMonth(month, 2) + 7 * hourMs,
      act: async () => {
        await caughtUp();
        await ask("closings", { month: toDay(month).slice(0, 7), accept: true });
      },
    });
  return chores.filter(({ atMs }) => atMs >= story.startMs).toSorted((a, b) => a.atMs - b.atMs);
}

async function rerate(ask: Office["ask"], since: string): Promise<void> {
  let job = (await ask("rerates", { since })) as { readonly id: string; readonly state: string; readonly problem: string | null };
  while (job.state === "running") {
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    job = (await ask(`rerates/${job.id}`)) as typeof job;
  }
  if (job.problem !== null) throw new Error(job.problem);
}

/** Announced ahead; before its day the list price holds. */
function contract({ priceMs }: Story): string {
  return `prices:
  - { provider: openai, model: gpt-5-mini, from: ${toDay(priceMs)}, perMillion: { input: 0.20, cache_read: 0.02, output: 1.60 } }
`;
}

/** Signed late, and in force since the month before: what was counted until then is rated anew. One model has a price at last. */
function agreement({ invoiced }: Story): string {
  return `prices:
  - { provider: openai, model: dall-e-3, from: ${toDay(invoiced.fromMs)}, perUnit: { images: 0.04 } }
discounts:
  - { provider: anthropic, times: 0.94, from: ${toDay(invoiced.fromMs)} }
`;
}

/** What an hour of the company's own machine comes to, spread over its tokens; and that it will be more. */
function machine(fromMs: number | null = null): string {
  const price =
    fromMs === null ? "perMillion: { input: 0.03, output: 0.09 }" : `from: ${toDay(fromMs)}, perMillion: { input: 0.04, output: 0.12 }`;
  return `prices:
  - { provider: ollama, model: qwen3:8b, ${price} }
`;
}

/** A list that somebody keeps by hand, and that was last right when this model was new. */
const elsewhere = `source: handkept
prices:
  - { provider: google, model: gemini-2.5-flash, perMillion: { input: 0.15, output: 0.60 } }
  - { provider: openai, model: gpt-5, perMillion: { input: 1.25, cache_read: 0.125, output: 10 } }
`;
