// `pennyworth work`: batches, background responses, fine-tuning and caches that outlast their request: what is open, and what has ended.

import type { Command } from "commander";
import { many, print, printJson, type SettingsOptions, toConfig, withExamples, withSettings } from "./command.ts";

export function addWork(program: Command): void {
  const command = program
    .command("work")
    .description("batches, background responses, fine-tuning and caches: what is open, and what has ended")
    .action(run);
  withExamples(withSettings(command), "work", "work --json");
}

async function run(options: SettingsOptions): Promise<void> {
  const [{ ask, openControl }, schema, { formatCount, formatTable }] = await Promise.all([
    import("./control.ts"),
    import("../api/schema.ts"),
    import("./table.ts"),
  ]);
  const control = await openControl(toConfig(options));
  try {
    const found = await ask(control, schema.workAnswer, "/api/v1/work");
    if (options.json) return printJson(found);
    if (found.open.length + found.ended.length === 0) return print("No work outlasts its request.");
    const age = (ms: number | null): string => (ms === null ? "never" : `${toAge(found.nowMs - ms)} ago`);
    if (found.open.length > 0) {
      const columns = ["kind", "provider", "ref", "model", "begun", "last look", "problem"].map((head) => ({ head }));
      const rows = found.open.map((one) => [
        one.kind,
        one.provider,
        one.ref,
        one.model ?? "—",
        age(one.startMs),
        age(one.lookedMs),
        one.problem ?? "",
      ]);
      print(`Open: ${many(found.open.length, "piece")}\n\n${formatTable(columns, rows)}`);
    }
    if (found.ended.length > 0) {
      const columns = ["kind", "provider", "ref", "ended", "status"].map((head) => ({ head }));
      const counts = ["lines", "failed", "unread"].map((head) => ({ head, align: "right" as const }));
      const rows = found.ended.map((one) => {
        const tally = one.kind === "batch" ? [one.lines, one.failed, one.unread].map(formatCount) : ["", "", ""];
        return [one.kind, one.provider, one.ref, age(one.endedMs), one.status, ...tally];
      });
      print(`${found.open.length > 0 ? "\n" : ""}Ended since the server started\n\n${formatTable([...columns, ...counts], rows)}`);
    }
  } finally {
    await control.close();
  }
}

function toAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
