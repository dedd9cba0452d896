// `npm run bench [gateway|ledger|rating|rerate|restart|dashboard|guard|client|all]`: each figure is one JSON line on standard output; remarks go to standard error.
// Not here: what is measured. A suite is a file of this folder that exports `bench`.

/** One figure. `baseline` is what the same work costs without Pennyworth, measured in the same minute; null when there is no such thing. */
export interface Line {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline: number | null;
  /** `value` against `baseline`. */
  readonly ratio: number | null;
}

interface Suite {
  readonly bench: () => Promise<Iterable<Line>> | AsyncIterable<Line>;
}

const suites: Readonly<Record<string, readonly string[]>> = {
  gateway: ["./gateway.ts"],
  ledger: ["./journal.ts", "./store.ts"],
  rating: ["./rating.ts"],
  rerate: ["./rerate.ts"],
  restart: ["./restart.ts"],
  dashboard: ["./dashboard.ts"],
  guard: ["./guard.ts"],
  client: ["./client.ts"],
};

const asked = process.argv.slice(2);
const names = asked.length === 0 || asked.includes("all") ? Object.keys(suites) : asked;
const unknown = names.filter((name) => suites[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(`No bench is called ${unknown.join(", ")}. There are: ${Object.keys(suites).join(", ")}, all.\n`);
  process.exit(2);
}
for (const path of names.flatMap((name) => suites[name] ?? [])) {
  process.stderr.write(`${path.slice(2, -3)} …\n`);
  const suite = (await import(path)) as Suite;
  const lines = suite.bench();
  for await (const line of Symbol.asyncIterator in lines ? lines : await lines) {
    const { name, value, unit, baseline, ratio } = line;
    process.stdout.write(`${JSON.stringify({ name, value, unit, baseline, ratio })}\n`);
  }
}
