// The sandbox as a process of its own: prints one JSON line with its address, and ends on SIGTERM or SIGINT.
// Arguments: `--port N --host H --seed N`. Nothing but that line goes to standard output.

import { parseArgs } from "node:util";
import { startSandbox } from "./sandbox.ts";

const { values } = parseArgs({ options: { port: { type: "string" }, host: { type: "string" }, seed: { type: "string" } } });

const sandbox = await startSandbox({
  port: toNumber(values.port, "port", 0),
  host: values.host ?? "127.0.0.1",
  seed: toNumber(values.seed, "seed", 1),
  log: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify({ url: sandbox.url, pid: process.pid })}\n`);
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void sandbox.close().then(() => process.exit(0)));

function toNumber(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new RangeError(`--${name} must be a whole number, not ${JSON.stringify(text)}`);
  return Number(text);
}
