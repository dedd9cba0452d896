// `pennyworth margin` and `pennyworth revenue list` as processes, against a control API on the folder's socket: what is refused, and what is said of nothing.
// Not here: how a margin is told (margins.test.ts).

import { expect, it } from "vitest";
import { createMemory } from "../api/memory.fixture.ts";
import { type Ran, runOn, serveFolder } from "./terminal.fixture.ts";

const context = createMemory([]);
const data = serveFolder(() => context);

const run = (...args: string[]): Promise<Ran> => runOn(data, ...args);

it.each([
  ["--reserved A=1", "--reserved divides what is shared by it: say --shared reserved too"],
  ["--reserved A=1 --shared usage", "--reserved divides what is shared by it: say --shared reserved too"],
  ["--capacity 100", '--capacity bounds what is shared by it: say --shared "idle apart" or --shared reserved too'],
  ["--capacity 100 --shared even", "--capacity bounds what is shared by it"],
  ["--burn-growth 0.1", "--burn-growth says how fast cash is spent: say --cash too"],
  ["--profit 12000", "say --margin-kind fcf or --margin-kind ebitda too"],
  ["--by plan --cac 120", "--cac is of customers, and --by is plan"],
  ["--by feature --cash 5 --burn-growth 0.1", "--cash is of customers, and --by is feature"],
  ["--until 2999-01-01", "days to come have no margin yet"],
])("margin %s would leave something out, and is refused", async (args, why) => {
  expect(await run("margin", ...args.split(" "))).toEqual({ code: 2, out: "", err: expect.stringContaining(why) });
});

it("growth is reckoned by customer", async () => {
  expect(await run("margin", "--by", "customer", "--cac", "120")).toMatchObject({ code: 0, err: "" });
});

it("no revenue is told apart from none that was asked for", async () => {
  expect((await run("revenue", "list")).out).toMatch(/^No revenue here yet\. To say it: pennyworth revenue add/);
  const none = "No revenue matches what was asked for (--since, --until, --customer).\n";
  expect((await run("revenue", "list", "--customer", "Nobody")).out).toBe(none);
  expect((await run("revenue", "list", "--since", "2026-11-01")).out).toBe(none);
});
