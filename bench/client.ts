// `npm run bench client`: what the client adds to a task, sending included, against a bare call of the same function in the same minute.
// Statements go to a sink in a process of its own, through the client as it is published.

import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { launch, median, transpile } from "./gateway/process.ts";
import type { Line } from "./main.ts";

const rounds = 5;
const tasksPerRound = 20_000;
/** At once, as a server has them; then the runtime has its turn, as it has whenever work awaits something. */
const atOnce = 20;

interface Task {
  readonly succeed: (ending: object) => void;
}

interface Client {
  readonly task: (type: string, details: object, work: (task: Task) => Promise<number>) => Promise<number>;
  readonly flush: () => Promise<number>;
}

export async function* bench(): AsyncIterable<Line> {
  const folder = await mkdtemp(join(tmpdir(), "pennyworth-bench-"));
  const children: ChildProcess[] = [];
  const { buildClient } = (await import("../scripts/client.mjs" as string)) as { buildClient: (folder: string) => Promise<void> };
  try {
    await buildClient(folder);
    const sink = await launch(children, [await transpile("gateway/sink.ts")]);
    const { pennyworth } = (await import(pathToFileURL(join(folder, "pennyworth.js")).href)) as {
      pennyworth: (options: object) => Client;
    };
    let lost = 0;
    const onError = (trouble: { readonly lost: number }): void => void (lost += trouble.lost);
    // All of them are to arrive, however busy the machine is.
    const { task, flush } = pennyworth({ url: sink.origin, onError, limits: { waitingMax: 4 * tasksPerRound } });
    const details = { customer: "Acme", feature: "support", agent: "resolver" };

    let number = 0;
    const work = async (t: Task | null): Promise<number> => {
      t?.succeed({ value: 2.5, reviewMinutes: 1 });
      return (number += 1);
    };
    const bare = (): Promise<number> => work(null);
    const measured = (): Promise<number> => task("resolve-ticket", details, work);

    const cpu: Record<"bare" | "measured", number[]> = { bare: [], measured: [] };
    const wait: Record<"bare" | "measured", number[]> = { bare: [], measured: [] };
    for (const run of [bare, measured]) await many(run, tasksPerRound / 4);
    await flush();
    for (let round = 0; round < rounds; round += 1)
      for (const [key, run] of [
        ["bare", bare],
        ["measured", measured],
      ] as const) {
        const begun = process.cpuUsage();
        const startMs = performance.now();
        await many(run, tasksPerRound);
        wait[key].push(((performance.now() - startMs) * 1_000) / tasksPerRound);
        if (key === "measured" && (await flush()) > 0) throw new Error("the sink did not take it all");
        const { user, system } = process.cpuUsage(begun);
        cpu[key].push((user + system) / tasksPerRound);
      }
    if (lost > 0) throw new Error(`${lost} statements were lost`);
    yield line("client: CPU per task, sending included", median(cpu.measured), median(cpu.bare));
    yield line("client: time per task, in the program's own way", median(wait.measured), median(wait.bare));
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}

async function many(run: () => Promise<number>, count: number): Promise<void> {
  for (let done = 0; done < count; done += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, run));
    await turn();
  }
}

function line(name: string, value: number, baseline: number): Line {
  const [ours, bare] = [value, baseline].map((micros) => Math.round(micros * 100) / 100) as [number, number];
  return { name, value: ours, unit: "µs", baseline: bare, ratio: Math.round((baseline / value) * 1_000) / 1_000 };
}
