// `npm run test:adversary`: tries to overspend budgets, run after run, and says what came of it. One line for each run, and one that sums up.
// Exit codes: 0 nothing was found, 1 the harness itself failed, 2 wrong usage, 3 a guarantee did not hold.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Outcome, run } from "./run.ts";
import { dollars } from "./rule.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    runs: { type: "string", default: "20" },
    calls: { type: "string", default: "1500" },
    concurrency: { type: "string", default: "500" },
    seconds: { type: "string", default: "1800" },
    /** A file for everything that was seen, of runs in which something was found. */
    dump: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});
const [seed, runs, calls, concurrency, seconds] = [
  whole("seed", 0, 2 ** 31),
  whole("runs", 1, 10_000),
  whole("calls", 10, 20_000),
  whole("concurrency", 1, 500),
  whole("seconds", 1, 86_400),
];
/** Faults of one run that are told in words. */
const toldMax = 20;

const untilMs = performance.now() + seconds * 1_000;
const outcomes: Outcome[] = [];
for (let index = 0; index < runs && (index === 0 || performance.now() < untilMs); index += 1) {
  try {
    const say = (line: string): void => void (values.verbose && process.stderr.write(`  ${line}\n`));
    const outcome = await run({ seed: seed + index, calls, concurrency, say });
    outcomes.push(outcome);
    console.log(lineOf(outcome));
    for (const { kind, rule, account, amount, detail } of outcome.faults.slice(0, toldMax))
      console.log(`  ${kind}${rule === "" ? "" : ` of ${rule}/${account} by ${amount}`}: ${detail}`);
    if (outcome.faults.length > 0 && values.dump !== undefined) writeFileSync(values.dump, toText(outcome));
    if (outcome.faults.length > toldMax) console.log(`  and ${outcome.faults.length - toldMax} more`);
  } catch (cause) {
    console.error(cause instanceof Error ? (cause.stack ?? cause.message) : cause);
    process.exit(1);
  }
}
const total = (of: (outcome: Outcome) => number): number => outcomes.reduce((sum, outcome) => sum + of(outcome), 0);
const faults = total((outcome) => outcome.faults.length);
const overspend = outcomes.reduce((sum, outcome) => sum + outcome.overspend, 0n);
console.log(
  `${outcomes.length} runs, ${total((one) => one.calls)} calls, ${total((one) => one.tries)} tries: overspend $${dollars(overspend)}, ` +
    `${total((one) => one.open)} holds left open, ${total((one) => one.wrong)} wrong refusals, ${faults} faults`,
);
process.exit(faults === 0 ? 0 : 3);

function toText({ records, faults }: Outcome): string {
  return JSON.stringify({ faults, ...records }, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value), 1);
}

function lineOf(one: Outcome): string {
  const { limit, spent, uncovered } = one;
  return (
    `seed ${one.seed} limit $${dollars(limit)} spent $${dollars(spent)} overspend $${dollars(one.overspend)} open ${one.open} ` +
    `wrong refusals ${one.wrong} cut ${one.cut} uncovered $${dollars(uncovered)} beyond ${one.beyond} faults ${one.faults.length} ` +
    `(${one.calls} calls, ${one.tries} tries, ${one.refused} refused)`
  );
}

function whole(name: "seed" | "runs" | "calls" | "concurrency" | "seconds", least: number, most: number): number {
  const text = values[name];
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value >= least && value <= most) return value;
  console.error(`--${name} is a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`);
  process.exit(2);
}
