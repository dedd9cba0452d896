// `pennyworth demo`: a server with a small invented company living on it. Its past is made in seconds through the gateway against the sandbox,
// then it goes on in real time. Invariant: it has a data folder of its own, marked as invented, and reads nobody's settings or credentials.

import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { dayMs } from "../core/time.ts";
import type { Office } from "../demo/books.ts";
import type { Team } from "../demo/company.ts";
import { PennyworthError } from "../error.ts";
import type { Running } from "../main.ts";
import { many, print, printJson, remark, wholeNumber, withExamples } from "./command.ts";
import type { Control } from "./control.ts";
import { untilSignal } from "./signal.ts";

interface DemoOptions {
  readonly seed: number;
  readonly months: number;
  readonly calls: number;
  readonly port: number;
  readonly data: string;
  readonly once?: true;
  readonly json?: true;
}

/** How a demo is made. */
export interface DemoWanted {
  /** Must be absent, empty or a demo's: what is in it is removed. */
  readonly folder: string;
  readonly seed: number;
  readonly months: number;
  readonly calls: number;
  readonly port: number;
  /** Where its history ends, ms UTC; asked again and again while it is made. */
  readonly until: () => number;
}

export interface Demo {
  readonly running: Running;
  readonly startMs: number;
  /** Makes the history, and waits until all of it can be seen. @returns how many requests it took. */
  past(signal: AbortSignal, onProgress: (atMs: number) => void): Promise<number>;
  /** Goes on in real time, until it is told to stop. */
  present(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export function addDemo(program: Command): void {
  const command = program
    .command("demo")
    .description("run the server with a small invented company living on it: nothing is spent, nothing real is touched")
    .option("--seed <number>", "equal seeds give equal histories", wholeNumber(0, 4_294_967_295), 1)
    .option("--months <count>", "how far its history goes back", wholeNumber(1, 24), 6)
    .option("--calls <count>", "about how many calls its history has", wholeNumber(100, 1_000_000), 15_000)
    .option("--port <port>", "port; 0 takes a free one", wholeNumber(0, 65_535), 4242)
    .option("--data <folder>", "the demo's own data folder, emptied at the start", join(homedir(), ".pennyworth-demo"))
    .option("--once", "make the history and end, without live traffic")
    .option("--json", "with --once: print JSON only")
    .action(run);
  withExamples(command, "demo", "demo --seed 7 --months 3 --port 0", "demo --once --data ./demo");
}

async function run(options: DemoOptions): Promise<void> {
  const { startProgress } = await import("./progress.ts");
  const nowMs = Date.now();
  const folder = resolve(options.data.replace(/^~(?=\/|$)/, homedir()));
  const isLive = options.once !== true;
  const demo = await openDemo({ ...options, folder, until: isLive ? Date.now : () => nowMs });
  const stopping = new AbortController();
  const stopped = untilSignal().then((signal) => stopping.abort(signal));
  try {
    if (isLive) print(greeting(demo.running));
    const startedMs = performance.now();
    const progress = startProgress("history", "days");
    const days = (atMs: number): number => Math.round((atMs - demo.startMs) / dayMs);
    const sent = await demo.past(stopping.signal, (atMs) => progress.update(days(atMs), days(Date.now()))).finally(() => progress.stop());
    const seconds = (performance.now() - startedMs) / 1000;
    const { seed, months } = options;
    if (options.json && !isLive) printJson({ folder, seed, months, requests: sent, seconds: Number(seconds.toFixed(1)), untilMs: nowMs });
    else if (!stopping.signal.aborted)
      print(`History: ${many(sent, "request")} over ${many(months, "month")}, made in ${seconds.toFixed(1)} s.`);
    if (isLive && !stopping.signal.aborted) {
      print("Live traffic has begun. Ctrl-C ends it.");
      await Promise.all([demo.present(stopping.signal), stopped]);
    }
    if (stopping.signal.aborted) remark(`\n${String(stopping.signal.reason)}: waiting for calls under way (again to quit at once)`);
  } finally {
    await demo.close();
  }
}

/**
 * Opens a demo: server and company, with no past yet.
 * @throws PennyworthError `data_real`, `data_locked`.
 */
export async function openDemo({ folder, seed, months, calls, port, until }: DemoWanted): Promise<Demo> {
  const [
    { z },
    { start },
    { startSandbox },
    { ask, hasServer, openRemote, untilCaughtUp },
    { Clock },
    marker,
    company,
    setup,
    { tell },
    { createSender },
    { choresOf },
    { latelyOf },
    { createRegister },
  ] = await Promise.all([
    import("zod"),
    import("../main.ts"),
    import("../sandbox/sandbox.ts"),
    import("./control.ts"),
    import("../demo/clock.ts"),
    import("../demo/marker.ts"),
    import("../demo/company.ts"),
    import("../demo/setup.ts"),
    import("../demo/story.ts"),
    import("../demo/send.ts"),
    import("../demo/books.ts"),
    import("../demo/lately.ts"),
    import("../demo/register.ts"),
  ]);
  const untilMs = until();
  const story = tell(setup.monthsBefore(untilMs, months), untilMs);
  const clock = new Clock(story.startMs);
  marker.refuseReal(folder);
  if (await hasServer(folder)) throw new PennyworthError("data_locked", { folder });
  marker.beginDemo(folder, { company: company.company, seed, months, calls, untilMs });
  const sandbox = await startSandbox({ seed, now: clock.now, pace: clock, witnessRowsMax: Math.max(1_000, 2 * calls) });
  const config = setup.toConfig({ folder, port, story, calls, url: sandbox.url });
  const running = await start(config, { now: clock.now, demo: true }).catch(async (error: unknown) => {
    await sandbox.close();
    throw error;
  });
  const control = openRemote(running.url, running.adminToken);
  const keys = new Map<Team, string>();
  for (const team of company.teams) keys.set(team, await makeKey(control, team));
  const sender = createSender({ url: running.url, directUrl: sandbox.url, keys, seed, clock, active: running.active });
  const { send } = sender;
  const office: Office = {
    ask: (path, body, method) => {
      const init = { method: method ?? (body === undefined ? "GET" : "POST"), ...(body === undefined ? {} : { body }) } as const;
      return ask(control, z.unknown(), `/api/v1/${path}`, init);
    },
    caughtUp: () => untilCaughtUp(control),
    seen: () => sandbox.witness.calls,
  };
  const register = createRegister(office.ask);
  const lately = latelyOf({ story, seed, untilMs, clock, send, office });
  const chores = [...choresOf(story, calls, office), ...lately].toSorted((a, b) => a.atMs - b.atMs);
  return {
    running,
    startMs: story.startMs,
    past: async (signal, onProgress) => {
      const { makeHistory } = await import("../demo/history.ts");
      await makeHistory({ story, seed, calls, clock, send, register, chores, until, onProgress, signal });
      if (!signal.aborted) await untilCaughtUp(control);
      return sender.sent;
    },
    present: async (signal) => {
      const { runLive } = await import("../demo/live.ts");
      clock.run();
      signal.addEventListener("abort", () => void sender.close());
      await runLive({ story, seed, clock, send, register, signal });
    },
    close: async () => {
      clock.run();
      await sender.close();
      await control.close();
      await running.close();
      await sandbox.close();
    },
  };
}

/** A team's key, made as an administrator makes one. */
async function makeKey(control: Control, team: Team): Promise<string> {
  const [{ ask }, schema] = await Promise.all([import("./control.ts"), import("../api/schema.ts")]);
  const body = { name: `${team}-production`, team, role: "use" };
  return (await ask(control, schema.keyCreated, "/api/v1/keys", { method: "POST", body })).secret;
}

function greeting({ url, adminToken, dataFolder }: Running): string {
  const facts = [
    ["dashboard", `${url}/#token=${adminToken}`],
    ["admin token", adminToken],
    ["data folder", dataFolder],
  ];
  return [
    `Demo: Larkspur, an invented company, lives on Pennyworth at ${url}`,
    "",
    ...facts.map(([name = "", value = ""]) => `  ${name.padEnd(12)} ${value}`),
    "",
    "No model is asked and nothing is spent: the sandbox answers. In another terminal:",
    `  pennyworth top --data ${dataFolder}`,
    `  pennyworth report --by agent,model --since 7d --data ${dataFolder}`,
    `  pennyworth tasks success --by type --review-rate 32 --data ${dataFolder}`,
    `  pennyworth budgets list --data ${dataFolder}`,
    `  pennyworth budgets refusals --data ${dataFolder}`,
    "",
  ].join("\n");
}
