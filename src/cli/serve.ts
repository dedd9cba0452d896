// `pennyworth serve`: runs the gateway until it is told to stop. The first signal drains, the second quits at once.

import { type Command, Option } from "commander";
import { usualFolder } from "../config.ts";
import type { Running } from "../main.ts";
import { type SettingsOptions, print, toConfig, wholeNumber, withExamples, withSettings } from "./command.ts";
import { untilSignal } from "./signal.ts";

interface ServeOptions extends SettingsOptions {
  readonly port?: number;
  readonly host?: string;
  readonly log?: string;
  readonly keys?: string;
  readonly durability?: string;
}

export function addServe(program: Command): void {
  const command = program
    .command("serve")
    .description("run the gateway, the control API and the dashboard")
    .option("--port <port>", "port (default: 4242; 0 takes a free one)", wholeNumber(0, 65_535))
    .option("--host <address>", "address to listen on (default: 127.0.0.1)")
    .addOption(
      new Option("--keys <when>", "whether callers need a Pennyworth key (default: auto)").choices(["auto", "required", "optional"]),
    )
    .addOption(new Option("--durability <mode>", "when calls are on disk (default: batched)").choices(["batched", "sync"]))
    .addOption(
      new Option("--log <level>", "what is logged, on standard error (default: info)").choices([
        "silent",
        "error",
        "warn",
        "info",
        "debug",
      ]),
    )
    .action(run);
  withExamples(
    withSettings(command, { json: false }),
    "serve",
    "serve --port 0 --data ./ledger",
    "serve --config pennyworth.yaml --log warn",
  );
}

async function run(options: ServeOptions): Promise<void> {
  const flags = {
    "server.port": options.port,
    "server.host": options.host,
    "server.keys": options.keys,
    "journal.durability": options.durability,
    log: options.log,
  };
  const config = toConfig(options, flags);
  const { start } = await import("../main.ts");
  const running = await start(config);
  const stopped = untilSignal();
  print(greeting(running));
  const signal = await stopped;
  process.stderr.write(`\n${signal}: waiting for calls under way (again to quit at once)\n`);
  await running.close();
}

function greeting({ url, adminToken, dataFolder, sandboxed, keysNeeded }: Running): string {
  const key = keysNeeded ? ' -H "x-pennyworth-key: YOUR_KEY"' : "";
  const data = dataFolder === usualFolder ? "" : ` --data ${/^[\w./-]+$/.test(dataFolder) ? dataFolder : JSON.stringify(dataFolder)}`;
  const body = JSON.stringify({ model: "gpt-5-mini", messages: [{ role: "user", content: "Hello" }] });
  const path = sandboxed ? "/v1/chat/completions" : "/to/sandbox/v1/chat/completions";
  const facts = [
    ["dashboard", `${url}/#token=${adminToken}`],
    ["admin token", adminToken],
    ["data folder", dataFolder],
    ...(sandboxed ? [["providers", "none has a credential: the sandbox answers, and no money is spent"]] : []),
    ...(keysNeeded ? [["keys", `callers need one: pennyworth keys create --name ci${data}`]] : []),
  ];
  return [
    `Pennyworth is at ${url}`,
    "",
    ...facts.map(([name = "", value = ""]) => `  ${name.padEnd(12)} ${value}`),
    "",
    `A first metered call${sandboxed ? "" : ", answered by the sandbox"}:`,
    `  curl ${url}${path} -H "content-type: application/json"${key} -d '${body}'`,
    "Its receipt, and what it all goes to:",
    `  pennyworth receipt last${data}`,
    `  pennyworth report --by model${data}`,
  ].join("\n");
}
