// `pennyworth doctor`: is what the ledger says still so? The journal's chain, every receipt, and the parts against the total.
// It changes nothing, unless told to rebuild the store. Exit code 3 when something does not hold.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { parseUsd, sum, formatUsd, type Pico } from "../core/money.ts";
import { comparePositions } from "../core/entry.ts";
import { PennyworthError } from "../error.ts";
import type { Config } from "../config.ts";
import { type SettingsOptions, failCheck, print, printJson, remark, toConfig, withExamples, withSettings, many } from "./command.ts";
import type { Control } from "./control.ts";

interface DoctorOptions extends SettingsOptions {
  readonly rebuild?: true;
}

interface Finding {
  readonly check: "journal" | "receipts" | "totals" | "store" | "closings";
  readonly holds: boolean;
  readonly what: string;
  readonly problems: readonly string[];
}

const waitMsMax = 60_000;
const problemsShownMax = 20;

export function addDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("verify the journal's chain, recompute every receipt, and say how things are")
    .option("--rebuild", "first drop the store and build it anew from the journal")
    .action(run);
  withExamples(withSettings(command), "doctor", "doctor --rebuild", "doctor --json");
}

async function run(options: DoctorOptions): Promise<void> {
  const config = toConfig(options);
  const journal = await checkJournal(config);
  const findings: Finding[] = [journal.finding];
  let providers: unknown = [];
  try {
    const { openControl } = await import("./control.ts");
    const control = await openControl(config);
    try {
      // Of an empty journal there is nothing to build, nor an end of building to wait for.
      if (options.rebuild && journal.entries > 0) await rebuild(control);
      findings.push(
        await checkStore(control, config, journal.entries),
        ...(await checkReceipts(control)),
        ...(await checkClosings(control)),
      );
      providers = (await readStatus(control)).providers;
    } finally {
      await control.close();
    }
  } catch (error) {
    if (!(error instanceof PennyworthError) || error.code !== "journal_damaged") throw error;
    findings.push({ check: "receipts", holds: false, what: "the ledger could not be opened", problems: [error.message] });
  }
  const holds = findings.every((finding) => finding.holds);
  if (options.json) printJson({ holds, findings, providers });
  else print(format(findings, providers as Providers));
  if (!holds) failCheck();
}

async function checkJournal(config: Config): Promise<{ readonly finding: Finding; readonly entries: number }> {
  const folder = join(config.settings.data, "journal");
  if (!existsSync(folder))
    return { finding: { check: "journal", holds: true, what: `nothing is in ${config.settings.data} yet`, problems: [] }, entries: 0 };
  const [{ verifyChain }, { startProgress }] = await Promise.all([import("../ledger/verify.ts"), import("./progress.ts")]);
  const progress = startProgress("journal ", "segments");
  const found = await verifyChain(folder, (done, segments) => progress.update(done, segments)).finally(() => progress.stop());
  const finding: Finding = {
    check: "journal",
    holds: found.problems.length === 0,
    what: `${many(found.entries, "entry", "entries")} in ${many(found.segments, "segment")}, ${many(found.bytes, "byte")}: checksums and chain`,
    problems: found.problems.map((problem) => `segment ${problem.segment}, byte ${problem.offset}: ${problem.what}`),
  };
  return { finding, entries: found.entries };
}

async function rebuild(control: Control): Promise<void> {
  const [{ ask }, { startProgress }, { z }] = await Promise.all([import("./control.ts"), import("./progress.ts"), import("zod")]);
  await ask(control, z.unknown(), "/api/v1/store/rebuild", { method: "POST" });
  const progress = startProgress("rebuild ", "segments");
  for (;;) {
    const { store, journal } = await readStatus(control);
    progress.update(store.applied?.segment ?? 0, journal.segment);
    if (!store.rebuilding) break;
    await delay(200);
  }
  progress.stop();
  remark("The store was built anew from the journal.");
}

/** Waits until the store has applied what the journal held when asked, and compares the number of calls in both. */
async function checkStore(control: Control, config: Config, entries: number): Promise<Finding> {
  const wanted = (await readStatus(control)).journal;
  const untilMs = performance.now() + waitMsMax;
  for (;;) {
    const { store } = await readStatus(control);
    const place = store.applied === null ? "nothing" : `segment ${store.applied.segment}, byte ${store.applied.offset}`;
    if (store.applied !== null && comparePositions(store.applied, wanted) >= 0)
      return compareCalls(control, config, entries, store.refused, `has applied the journal up to ${place}`);
    if (store.applied === null && entries === 0 && !store.rebuilding)
      return { check: "store", holds: true, what: "is empty, as the journal is", problems: [] };
    if (performance.now() > untilMs)
      return {
        check: "store",
        holds: false,
        what: `has applied ${place}`,
        problems: [
          `the journal ends at segment ${wanted.segment}, byte ${wanted.offset}`,
          ...(store.trouble === null ? [] : [`what keeps it: ${store.trouble}`]),
        ],
      };
    await delay(100);
  }
}

async function compareCalls(control: Control, config: Config, entries: number, refused: number, place: string): Promise<Finding> {
  const [{ ask, toPath }, schema, { countCalls }] = await Promise.all([
    import("./control.ts"),
    import("../api/schema.ts"),
    import("../ledger/count.ts"),
  ]);
  const { total, position } = await ask(control, schema.report, toPath("report", {}));
  const problems = refused === 0 ? [] : [`${many(refused, "entry", "entries")} could not become rows, and were set aside`];
  let what = `${place}: ${many(total.calls, "call")}`;
  if (entries > 0) {
    try {
      const calls = await countCalls(join(config.settings.data, "journal"), position);
      if (calls === total.calls) what += ", as in the journal";
      else problems.push(`the journal has ${many(calls, "call")} up to there; \`pennyworth doctor --rebuild\` takes them in anew`);
    } catch (error) {
      problems.push(`the journal's calls could not be counted: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { check: "store", holds: problems.length === 0, what, problems };
}

async function checkReceipts(control: Control): Promise<Finding[]> {
  const [{ ask, toPath }, schema, { startProgress }] = await Promise.all([
    import("./control.ts"),
    import("../api/schema.ts"),
    import("./progress.ts"),
  ]);
  const before = await ask(control, schema.report, toPath("report", {}));
  const progress = startProgress("receipts", "calls");
  const problems: string[] = [];
  const costs: Pico[] = [];
  let checked = 0;
  let charges = 0;
  let after: string | undefined;
  do {
    const step = await ask(control, schema.check, toPath("check", { after, limit: "2000" }));
    checked += step.checked;
    charges += step.charges;
    costs.push(parseUsd(step.cost));
    problems.push(...step.problems.slice(0, 1_000 - problems.length).map(({ call, problem }) => `${call}: ${problem}`));
    after = step.after ?? undefined;
    progress.update(checked, Math.max(before.total.calls, checked));
  } while (after !== undefined);
  progress.stop();
  const receipts: Finding = {
    check: "receipts",
    holds: problems.length === 0,
    what: `${many(charges, "charge")} of ${many(checked, "call")} recomputed`,
    problems,
  };
  const later = await ask(control, schema.report, toPath("report", {}));
  const cost = formatUsd(sum(costs));
  if (JSON.stringify(before) !== JSON.stringify(later))
    return [receipts, { check: "totals", holds: true, what: "not compared: calls came in meanwhile", problems: [] }];
  // Charges of periods, and what was booked for closed months, have no receipts of calls.
  const ofCalls = formatUsd(parseUsd(later.total.cost) - parseUsd(later.total.periodCost));
  const same = ofCalls === cost && later.total.calls === checked;
  const difference = `the report says $${ofCalls} for ${many(later.total.calls, "call")}, the receipts add up to $${cost} for ${checked}`;
  return [
    receipts,
    {
      check: "totals",
      holds: same,
      what: `receipts add up to the report's total, $${ofCalls}`,
      problems: same ? [] : [difference],
    },
  ];
}

/** Whether the reports of closed months still say what they said. Nothing is said where none is closed. */
async function checkClosings(control: Control): Promise<Finding[]> {
  const [{ ask, toPath }, { closings: schema }] = await Promise.all([import("./control.ts"), import("../api/books.ts")]);
  const { closings } = await ask(control, schema, toPath("closings", { check: "true" }));
  if (closings.length === 0) return [];
  const moved = closings
    .filter(({ holds }) => holds === false)
    .map(({ month }) => `${month}: its report is not what it was when it was closed`);
  return [
    {
      check: "closings",
      holds: moved.length === 0,
      what: `${many(closings.length, "closed month")}: statements recomputed`,
      problems: moved,
    },
  ];
}

type Providers = readonly { name: string; formats: readonly string[]; credential: boolean }[];

function format(findings: readonly Finding[], providers: Providers): string {
  const lines = findings.flatMap(({ holds, check, what, problems }) => [
    `${holds ? "✓" : "✗"} ${check.padEnd(8)} ${what}`,
    ...problems.slice(0, problemsShownMax).map((problem) => `    ${problem}`),
    ...(problems.length > problemsShownMax ? [`    … and ${problems.length - problemsShownMax} more (--json shows them)`] : []),
  ]);
  const names = (credential: boolean) =>
    providers.filter((provider) => provider.credential === credential).map((provider) => provider.name);
  return [
    ...lines,
    `  with a credential: ${names(true).join(", ") || "no provider"}`,
    `  without: ${names(false).join(", ") || "none"}`,
  ].join("\n");
}

async function readStatus(control: Control) {
  const [{ ask }, schema] = await Promise.all([import("./control.ts"), import("../api/schema.ts")]);
  return ask(control, schema.statusAnswer, "/api/v1/status");
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
