// `pennyworth alerts list|test`: who is told of what, what was told last, and whether it arrives.

import type { Command } from "commander";
import { exitCodes, print, printJson, remark, type SettingsOptions, withControl, withExamples, withSettings } from "./command.ts";
import type { Control } from "./control.ts";

export function addAlerts(program: Command): void {
  const alerts = program.command("alerts").description("who is told of budgets, agents and what the guard does, and whether it arrives");
  const list = alerts
    .command("list")
    .description("receivers, and the last alerts")
    .action((options: SettingsOptions) => withControl(options, (control) => listAlerts(control, options)));
  withExamples(withSettings(list), "alerts list", "alerts list --json");

  const test = alerts
    .command("test")
    .description("send a test to one receiver, at once and once")
    .argument("<receiver>", "its name in the settings")
    .action((receiver: string, options: SettingsOptions) => withControl(options, (control) => testAlert(control, receiver, options)));
  withExamples(withSettings(test), "alerts test team-chat");
}

async function listAlerts(control: Control, { json }: SettingsOptions): Promise<void> {
  const [{ ask }, { alertsAnswer }, { formatCount, formatTable, plain }] = await Promise.all([
    import("./control.ts"),
    import("../api/alerts.ts"),
    import("./table.ts"),
  ]);
  const { receivers, alerts } = await ask(control, alertsAnswer, "/api/v1/alerts");
  if (json) return printJson({ receivers, alerts });
  if (receivers.length === 0) print("Nobody is told of anything: alerts: in the settings names receivers.");
  else {
    const columns = [
      ...["receiver", "", "to"].map((head) => ({ head })),
      ...["sent", "waiting", "failed"].map((head) => ({ head, align: "right" as const })),
      ...["last sent", "last error"].map((head) => ({ head })),
    ];
    const rows = receivers.map((one) => [
      one.name,
      one.kind,
      one.to ?? "—",
      formatCount(one.sent),
      formatCount(one.waiting),
      formatCount(one.failed + one.dropped),
      toTime(one.lastSentMs),
      one.problem ?? (one.lastError === null ? "" : `${toTime(one.lastFailedMs)} ${one.lastError}`),
    ]);
    print(formatTable(columns, rows));
  }
  if (alerts.length === 0) return print("\nNothing was worth telling yet.");
  for (const { atMs, severity, title, text, deliveries } of alerts) {
    print(`\n${toTime(atMs)}  ${severity}  ${plain(title)}`);
    for (const line of text.split("\n")) print(`  ${plain(line)}`);
    const went = Object.entries(deliveries).map(([name, delivery]) => `${name} ${delivery}`);
    if (went.length > 0) print(`  → ${went.join(", ")}`);
  }
}

async function testAlert(control: Control, receiver: string, { json }: SettingsOptions): Promise<void> {
  const [{ ask }, { testAnswer }] = await Promise.all([import("./control.ts"), import("../api/alerts.ts")]);
  const answer = await ask(control, testAnswer, "/api/v1/alerts/test", { method: "POST", body: { receiver } });
  if (!answer.sent) process.exitCode = exitCodes.failed;
  if (json) return printJson(answer);
  if (answer.sent) print(`${answer.receiver} took it, after ${answer.tookMs} ms.`);
  else remark(`${answer.receiver} did not take it: ${answer.problem}.`);
}

function toTime(ms: number | null): string {
  return ms === null ? "" : `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}Z`;
}
