// A day of real traffic through a running gateway: `pennyworth rehearse` replays the public Azure trace against the sandbox, and the ledger's
// totals equal sums that awk takes from the file. Skipped, with the reason, where the trace is not at hand.

import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { startGateway } from "./gateway.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const trace = fileURLToPath(new URL("../../shared/data/traces/azure_2023_conversation.csv", import.meta.url));

it("rehearse runs all 19,366 requests of the trace, and every total agrees with the file's own", { timeout: 240_000 }, async ({ skip }) => {
  if (!existsSync(trace)) return skip("skipped: ../shared/data is not here");
  const awk = `NR > 1 { calls += 1; input += $2; output += $3 } END { printf "%d %d %d", calls, input, output }`;
  const [calls = 0, input = 0, output = 0] = execFileSync("awk", ["-F,", awk, trace], { encoding: "utf8" }).split(" ").map(Number);
  expect(calls).toBe(19_366);

  const gateway = await startGateway();
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", "src/cli/main.ts", "rehearse", "--trace", trace, "--speed", "max", "--json"],
      { cwd: root, env: { PATH: process.env["PATH"], PENNYWORTH_DATA: gateway.dataFolder }, timeout: 200_000 },
    );
    expect((JSON.parse(stdout) as { same: boolean }).same).toBe(true);

    const report = (await gateway.get("/report?by=class")) as {
      rows: { group: { class: string | null }; quantity: number; cost: string }[];
      total: { calls: number; cost: string; unpriced: number; doubtful: number; presumed: number; unmetered: number };
    };
    const classes = new Map(report.rows.map((row) => [row.group.class, row]));
    // The sandbox says of the other classes that there were none: 0, which is not the same as not saying.
    expect(
      report.rows
        .filter((row) => row.quantity > 0)
        .map((row) => row.group.class)
        .toSorted(),
    ).toEqual(["input", "output"]);
    expect({ input: classes.get("input")?.quantity, output: classes.get("output")?.quantity }).toEqual({ input, output });
    // gpt-5-mini's list price: $0.25 per million tokens in, $2 out; in 10⁻⁸ dollars the sums are whole.
    expect(units(classes.get("input")?.cost)).toBe(BigInt(input) * 25n);
    expect(units(classes.get("output")?.cost)).toBe(BigInt(output) * 200n);
    expect(units(report.total.cost)).toBe(BigInt(input) * 25n + BigInt(output) * 200n);
    expect(report.total).toMatchObject({ calls, unpriced: 0, doubtful: 0, presumed: 0, unmetered: 0 });
  } finally {
    await gateway.close();
  }
});

/** Dollars as whole 10⁻⁸ dollars. */
function units(usd: string | undefined): bigint {
  const [whole = "0", fraction = ""] = (usd ?? "").split(".");
  expect(fraction.length).toBeLessThanOrEqual(8);
  return BigInt(whole + fraction.padEnd(8, "0"));
}
