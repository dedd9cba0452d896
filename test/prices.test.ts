// The price book as people use it: a real server, and the command line on its data folder. What the commands print is what the API answers; what
// was known when stays known; a table of two years of changes gives each day its price. Not here: the formats of files (src/prices/).

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDesk } from "../src/prices/desk.ts";
import { createHistory } from "../src/prices/history.ts";
import { Shelf } from "../src/prices/shelf.ts";
import { type Ran, runCommand } from "./command.ts";
import { startGateway, type TestGateway } from "./gateway.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pennyworth-prices-"));
let gateway: TestGateway;

beforeAll(async () => {
  file("page.txt", "A page about prices, and no list of them.");
  gateway = await startGateway();
}, 60_000);
afterAll(async () => {
  await gateway?.close();
  rmSync(folder, { recursive: true, force: true });
});

function pennyworth(args: readonly string[], stdin = ""): Promise<Ran> {
  return runCommand(args, { data: gateway.dataFolder, folder, stdin });
}

/** What a command prints with `--json`. */
async function json<Answer>(...args: string[]): Promise<Answer> {
  const { code, out, err } = await pennyworth([...args, "--json"]);
  expect([code, err]).toEqual([0, ""]);
  return JSON.parse(out) as Answer;
}

/** A file in the folder in which the commands run. */
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

async function call(model: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "What does a call cost?" }] }),
  });
  const id = response.headers.get("x-pennyworth-call") ?? "";
  await response.text();
  await gateway.receipt(id);
  return id;
}

interface Line {
  readonly class: string;
  readonly quantity: number;
  readonly price: string;
  readonly priceSource: string | null;
  readonly cost: string;
}

interface Shown {
  readonly rule: string;
  readonly lines: readonly { readonly class: string; readonly aboveTokens: number; readonly rateUsd: string; readonly version: string }[];
}

async function linesOf(id: string): Promise<readonly Line[]> {
  return ((await gateway.get(`/calls/${id}/receipt`)) as { lines: readonly Line[] }).lines;
}

/** Dollars for a million tokens of a class, as the API says; null when it has none. */
async function priceOf(asked: string, name: string, at: Time, known: Time | null = null): Promise<string | null> {
  const [provider = "", ...rest] = asked.split("/");
  const times = { at: new Date(at).toISOString(), ...(known === null ? {} : { known: new Date(known).toISOString() }) };
  try {
    const shown = (await gateway.get(`/prices?${new URLSearchParams({ provider, model: rest.join("/"), ...times })}`)) as Shown;
    return shown.lines.find((line) => line.class === name && line.aboveTokens === 0)?.rateUsd ?? null;
  } catch (error) {
    if (String(error).includes("price_unknown")) return null;
    throw error;
  }
}

/** ms UTC, or a day. */
type Time = string | number;

describe("a price of one's own", () => {
  it("is asked for by what is unpriced, set by the record that was pasted, and holds for the calls that come", async () => {
    const before = await call("acme-large");
    expect(await linesOf(before)).toEqual([]);
    const told = await json<{ models: { model: string; calls: number; record: { yaml: string; command: string } }[] }>(
      "prices",
      "unpriced",
    );
    expect(told).toEqual(await gateway.get("/prices/unpriced?fresh=true"));
    const [missing] = told.models;
    expect(missing).toMatchObject({ model: "acme-large", calls: 1 });
    expect(missing?.record.command).toBe("pennyworth prices set sandbox/acme-large --input DOLLARS --output DOLLARS");

    // As it is, the record is no price file, and says where.
    const unfilled = await pennyworth(["prices", "set", "--file", file("record.yaml", missing?.record.yaml ?? "")]);
    expect([unfilled.code, unfilled.err]).toEqual([1, expect.stringMatching(/nothing of it was taken: line 5.*decimal number/)]);
    expect(unfilled.err.trim().split("\n")).toHaveLength(1);

    const filled = (missing?.record.yaml ?? "").replace("DOLLARS", "1.50").replace("DOLLARS", "6");
    const set = await pennyworth(["prices", "set", "--file", "-"], filled);
    expect([set.code, set.err]).toEqual([0, ""]);
    expect(set.out).toMatch(/sandbox +acme-large +input +none +1\.5 +new/);
    expect(set.out).toContain("1 call on record without a price has one now. To book it: pennyworth prices rerate --since");

    const after = await linesOf(await call("acme-large"));
    expect(after.map((line) => [line.class, /^own@[0-9a-f]{12}\/sandbox\/acme-large#/.test(line.price)])).toEqual([
      ["input", true],
      ["output", true],
    ]);
    // 1.50 and 6 dollars a million, in picodollars by hand.
    const pico = after.reduce(
      (sum, { class: name, quantity }) => sum + BigInt(quantity) * (name === "input" ? 1_500_000n : 6_000_000n),
      0n,
    );
    const paid = after.reduce((sum, { cost }) => sum + BigInt(Math.round(Number(cost) * 1e12)), 0n);
    expect(paid).toBe(pico);
    expect(await linesOf(before)).toEqual([]);
  }, 60_000);

  it("keeps its version on every charge when another comes in its place", async () => {
    await json("prices", "set", "sandbox/versioned", "--input", "1", "--output", "2");
    const id = await call("versioned");
    const was = await linesOf(id);
    await json("prices", "set", "sandbox/versioned", "--input", "10", "--output", "20");
    expect(await linesOf(id)).toEqual(was);
    expect(was.map((line) => line.priceSource)).toEqual(was.map(() => expect.stringContaining("your own prices")));
    const now = await linesOf(await call("versioned"));
    expect(now.map((line) => line.price)).not.toEqual(was.map((line) => line.price));
    expect(await priceOf("sandbox/versioned", "input", Date.now())).toBe("10");
  }, 60_000);

  it("is entered ahead, revised before it happens, and both answers to what was thought then stay", async () => {
    await json("prices", "set", "sandbox/scheduled", "--input", "1", "--output", "4");
    const first = Date.now();
    await json("prices", "set", "sandbox/scheduled", "--input", "2", "--output", "8", "--from", "2027-01-01");
    const second = Date.now();
    await json("prices", "set", "sandbox/scheduled", "--input", "3", "--output", "12", "--from", "2027-01-01");
    const later = Date.UTC(2027, 0, 2);
    expect([
      await priceOf("sandbox/scheduled", "input", later, first),
      await priceOf("sandbox/scheduled", "input", later, second),
      await priceOf("sandbox/scheduled", "input", later),
      await priceOf("sandbox/scheduled", "input", Date.UTC(2026, 11, 31, 23, 59)),
    ]).toEqual(["1", "2", "3", "1"]);
    const shown = await pennyworth([
      "prices",
      "show",
      "sandbox/scheduled",
      "--at",
      "2027-01-02",
      "--known",
      new Date(second).toISOString(),
    ]);
    expect(shown.out).toMatch(/^At 2027-01-02, as known on /m);
    expect(shown.out).toMatch(/^2027-01-01 +2 +2 +8 +announced$/m);
    const trend = await json<{ announced: unknown[] }>("prices", "trend", "sandbox/scheduled");
    expect(trend.announced).toEqual([{ fromMs: Date.UTC(2027, 0), input: "3", output: "12" }]);
  }, 60_000);

  it("of a tier that no list has is told with the tiers that may have been meant", async () => {
    const mistyped = await pennyworth(["prices", "show", "openai/gpt-5-mini", "--tier", "bacth"]);
    expect([mistyped.code, mistyped.out]).toEqual([0, expect.stringMatching(/no price in the tier bacth: .*; near it: batch\.$/m)]);
    const other = await pennyworth(["prices", "show", "openai/gpt-5-mini", "--tier", "zzzzzz"]);
    expect(other.out).toMatch(/no price in the tier zzzzzz: calls of that tier are unpriced\.$/m);
  }, 30_000);

  it("is taken back, and a list that is in force already is not taken again", async () => {
    expect((await pennyworth(["prices", "set", "sandbox/mistyped", "--input", ".5", "--tier", "bacth"])).err).toMatch(
      /No list has a tier called bacth; near it: batch/,
    );
    const set = await pennyworth(["prices", "set", "sandbox/mistyped", "--input", ".5"]);
    expect([set.code, set.err]).toEqual([0, ""]);
    expect(await priceOf("sandbox/mistyped", "input", Date.now())).toBe("0.5");
    const back = await pennyworth(["prices", "unset", "sandbox/mistyped"]);
    expect(back.out).toMatch(/Taken back from now on: 2 prices of sandbox\/mistyped/);
    expect(await priceOf("sandbox/mistyped", "input", Date.now())).toBeNull();
    expect((await pennyworth(["prices", "take", "genai-prices"])).out).toMatch(
      /^genai-prices@\S+ is in force, and nothing newer of it waits/,
    );
  }, 60_000);

  it.each([
    [["prices", "set", "openai/x", "--input", "-3"], 2, /'-3' is invalid\. Expected dollars, zero or more/],
    [["prices", "set", "openai/x", "--input", "1e3"], 2, /Expected dollars/],
    [["prices", "set", "openai/x"], 2, /no price is given/],
    [["prices", "set", "opnai/x", "--input", ".3"], 2, /no provider is called opnai; near it: openai/],
    [["prices", "unset", "openai/nothing-of-it"], 1, /You have set no price and made no choice of openai\/nothing-of-it\./],
    [["prices", "shwo", "openai/gpt-5-mini"], 2, /there is no command prices shwo; near it: show/],
    [["prices", "import", "page.txt"], 1, /in no format of price files that is known: Pennyworth's own .*LiteLLM's map/],
    [["close", "2026-10", "--list"], 2, /--list and --check are of all closed months: leave out 2026-10/],
    [["prices", "set", "x", "--input", "3"], 2, /Expected provider\/model, as in openai\/gpt-5-mini/],
    [["prices", "set", "openai/x", "--class", "inptu_audio=3"], 2, /"inptu_audio" is no usage class; near it: input_audio/],
    [["prices", "set", "openai/x", "--input", "3", "--class", "input=4"], 2, /input is priced twice/],
    [["prices", "set", "openai/x", "--input", "3", "--from", "2026-02-31"], 2, /Expected a day that there is/],
    [["prices", "set", "openai/x", "--input", "3", "--from", "2026-02-03", "--to", "2026-02-01"], 1, /nothing of it was taken/],
    [["prices", "set", "openai/x", "--input", "3", "--window", "25:00-26:00"], 2, /Expected times of day in UTC/],
    [["prices", "set", "--file", "no such file"], 1, /taken: no such file is not there\./],
    [["prices", "import", "."], 1, /\. is a folder, and a file is needed/],
    [["prices", "diff", "genai-price"], 1, /genai-price is neither a file nor a list that waits/],
    [["prices", "take", "genai-price"], 1, /No list of prices is called genai-price\. Known: /],
    [["prices", "drop", "litelm"], 1, /No list of prices is called litelm\. Known: .*genai-prices/],
    [["prices", "choose", "openai/gpt-5-mini", "litelm"], 1, /No list of prices is called litelm/],
    [["prices", "choose", "openai/gpt5-mini", "genai-prices"], 1, /Near it: openai\/gpt-5-mini/],
    [
      ["prices", "show", "openai/gpt-5-mni"],
      1,
      /No price is known for the model gpt-5-mni at the provider openai\. Near it: openai\/gpt-5-mini/,
    ],
    [["prices", "show", "openai/gpt-5-mini", "--at", "soon"], 2, /at is "soon": expected a date/],
    [["prices", "trend", "openai/gpt-5-mini", "--by", "hour"], 2, /day, week, month/],
  ])(
    "%j is refused in one line",
    async (args, code, message) => {
      const ran = await pennyworth(args);
      expect(ran.err).toMatch(message);
      expect([
        ran.code,
        ran.out,
        ran.err
          .trim()
          .split("\n")
          .filter((line) => !line.startsWith("(")).length,
      ]).toEqual([code, "", 1]);
    },
    30_000,
  );
});

describe("a file of prices", () => {
  it("is shown as a difference, and takes effect when somebody says yes", async () => {
    const path = file("contract.yaml", "prices:\n  - {provider: openai, model: contracted, perMillion: {input: 0.10, output: 0.4}}\n");
    const options = ["--source", "contract", "--known", "2026-10-01"];
    const looked = await pennyworth(["prices", "import", path, ...options]);
    expect([looked.code, looked.err]).toEqual([1, "Nothing was taken. --yes lets it take effect without asking.\n"]);
    expect(looked.out).toMatch(/^contract@[0-9a-f]{12} .*: 1 record; prices: 2 added, 0 changed, 0 removed$/m);
    expect(await priceOf("openai/contracted", "input", Date.now())).toBeNull();
    const diff = await json<{ added: number; changes: unknown[] }>("prices", "diff", path, "--source", "contract");
    expect(diff).toMatchObject({
      added: 2,
      changes: [
        { class: "input", before: null, after: "0.1" },
        { class: "output", after: "0.4" },
      ],
    });

    const taken = await pennyworth(["prices", "import", path, ...options, "--yes"]);
    expect([taken.code, taken.err, taken.out]).toEqual([0, "", expect.stringMatching(/is in force, known since 2026-10-01\./)]);
    expect(await priceOf("openai/contracted", "input", "2026-09-01", "2026-10-02")).toBe("0.1");
    expect(await priceOf("openai/contracted", "input", "2026-09-01", "2026-09-30")).toBeNull();
    const { lists } = await json<{ lists: { source: string; records: number }[] }>("prices", "lists");
    expect({ lists }).toEqual(await gateway.get("/prices/lists"));
    expect(lists[0]).toMatchObject({ source: "contract", records: 1 });
    const twice = await pennyworth(["prices", "import", path, ...options, "--yes"]);
    expect([twice.code, twice.err]).toEqual([1, expect.stringContaining("A list of contract is known since 2026-10-01")]);

    const dropped = Date.now();
    expect((await pennyworth(["prices", "drop", "contract"])).code).toBe(0);
    expect(await priceOf("openai/contracted", "input", Date.now())).toBeNull();
    expect(await priceOf("openai/contracted", "input", Date.now(), dropped)).toBe("0.1");
  }, 90_000);

  it("that disagrees marks the model with the range, and is preferred where it is chosen", async () => {
    const other =
      '{"gpt-5-mini": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 3e-07, "output_cost_per_token": 2e-06}}';
    expect((await pennyworth(["prices", "import", file("map.json", other), "--yes"])).code).toBe(0);
    expect(await priceOf("openai/gpt-5-mini", "input", Date.now())).toBe("0.25");
    const shown = await pennyworth(["prices", "show", "openai/gpt-5-mini"]);
    expect(shown.out).toMatch(/^input +0\.25 +0\.3 +1,000,000 +genai-prices 0\.25, litellm 0\.3$/m);
    expect(shown.out).toMatch(/^Sources agree on .*output/m);
    const said = await json<{ models: { model: string; disputes: unknown[] }[] }>("prices", "list", "--disputed", "--search", "gpt-5-mini");
    expect(said.models).toMatchObject([{ model: "gpt-5-mini", disputes: [{ class: "input", lowest: "0.25", highest: "0.3" }] }]);
    expect((await pennyworth(["prices", "list", "--provider", "openai", "--search", "gpt-5-mini"])).out).toContain("disputed: input");
    expect((await pennyworth(["prices", "choose", "openai/gpt-5-mini", "litellm"])).code).toBe(0);
    expect(await priceOf("openai/gpt-5-mini", "input", Date.now())).toBe("0.3");
  }, 60_000);
});

describe("the command line says what the API says", () => {
  it("of models, one model, what is unpriced and how prices went", async () => {
    await call("gpt-5-mini", { "x-pennyworth-task": "ticket-1" });
    const [at, known] = ["2026-11-01", new Date().toISOString()];
    const moment = `at=${at}&known=${known}`;
    const flags = ["--at", at, "--known", known];
    expect(await json("prices", "list", "--provider", "anthropic", ...flags)).toEqual(
      await gateway.get(`/prices/models?provider=anthropic&limit=20000&${moment}`),
    );
    const { price, history, disputes } = await json<Record<string, { nowMs?: number }>>(
      "prices",
      "show",
      "anthropic/claude-opus-4-6",
      ...flags,
    );
    const asked = "provider=anthropic&model=claude-opus-4-6";
    expect(price).toEqual(await gateway.get(`/prices?${asked}&${moment}`));
    expect({ ...history, nowMs: 0 }).toEqual({ ...((await gateway.get(`/prices/history?${asked}&known=${known}`)) as object), nowMs: 0 });
    expect(disputes).toEqual(await gateway.get(`/prices/disputes?${asked}&${moment}`));
    const trend = await json<{ buckets: { calls: number; tasks: number; cost: string; listCost: string }[] }>(
      "prices",
      "trend",
      "sandbox/gpt-5-mini",
    );
    expect(trend).toEqual(await gateway.get("/prices/trend?provider=sandbox&model=gpt-5-mini&fresh=true"));
    expect(trend.buckets).toMatchObject([{ calls: 1, tasks: 1 }]);
    const table = (await pennyworth(["prices", "trend", "sandbox/gpt-5-mini"])).out;
    expect(table).toContain(trend.buckets[0]?.cost);
    const report = (await gateway.get("/report?by=class&filter=model=gpt-5-mini&fresh=true")) as { total: { cost: string } };
    expect(trend.buckets[0]?.cost).toBe(report.total.cost);
  }, 60_000);
});

describe("the order in which lists come", () => {
  const start = Date.UTC(2026, 0);
  const usd = fc.constantFrom("0", "0.25", "1", "3.75");
  const day = fc.option(fc.integer({ min: 0, max: 40 }), { nil: null });
  const record = fc.record({ model: fc.constantFrom("m-1", "m-2", "m-*"), input: usd, from: day, to: day });
  const told = fc.record({
    source: fc.constantFrom("alpha", "beta", "gamma"),
    knownDay: fc.integer({ min: 0, max: 30 }),
    records: fc.array(record, { minLength: 1, maxLength: 3 }),
  });
  const iso = (days: number): string => new Date(start + days * 86_400_000).toISOString().slice(0, 10);

  function deskOf(shelf: Shelf) {
    let nowMs = start + 50 * 86_400_000;
    return createDesk({ history: createHistory([], {}), shelf, waiting: [], pricesOf: {}, now: () => nowMs++, record: () => {} });
  }

  it("changes no price at a given pair of times", async () => {
    const shelf = new Shelf(mkdtempSync(join(folder, "shelf-")));
    let priced = 0;
    const property = fc.asyncProperty(
      fc.uniqueArray(told, { minLength: 2, maxLength: 5, selector: ({ source, knownDay }) => `${source} ${knownDay}` }),
      fc.infiniteStream(fc.nat()),
      async (lists, ranks) => {
        const texts = lists.flatMap((list) => {
          const prices = list.records.map(({ model, input, from, to }) => ({
            provider: "acme",
            model,
            perMillion: { input },
            ...(from === null ? {} : { from: iso(from) }),
            ...(to === null ? {} : { to: iso(to) }),
          }));
          return [{ ...list, text: JSON.stringify({ prices }) }];
        });
        const order = texts.map((list) => ({ list, rank: ranks.next().value ?? 0 })).toSorted((a, b) => a.rank - b.rank);
        const desks = [deskOf(shelf), deskOf(shelf)] as const;
        // A file with overlapping or empty spans is refused whole, by either.
        const take = async (desk: (typeof desks)[0], { source, text, knownDay }: (typeof texts)[number]): Promise<void> => {
          try {
            const { list } = await desk.preview(text, { format: "pennyworth", source, published: null });
            await desk.take(list, start + knownDay * 86_400_000);
          } catch (error) {
            expect(error).toMatchObject({ code: "prices_invalid" });
          }
        };
        for (const list of texts) await take(desks[0], list);
        for (const { list } of order) await take(desks[1], list);
        for (const model of ["m-1", "m-2", "m-3"])
          for (const at of [-1, 0, 1, 7, 20, 40, 41])
            for (const known of [null, 0, 3, 15, 30, 31]) {
              const query = {
                provider: "acme",
                model,
                tier: null,
                region: null,
                atMs: start + at * 86_400_000,
                knownMs: known === null ? null : start + known * 86_400_000,
              };
              const [one, other] = desks.map((desk) => desk.find(query));
              expect(other).toEqual(one);
              if (one !== null) priced++;
            }
      },
    );
    await fc.assert(property, { numRuns: 60 });
    expect(priced).toBeGreaterThan(500);
  }, 120_000);
});

describe("two years of changes", () => {
  const path = join(root, "../shared/data/prices/price_changes_2025_2026.csv");

  it.skipIf(!existsSync(path))(
    "taken by command, give each day the price that stood then",
    async () => {
      const taken = await pennyworth(["prices", "import", path, "--source", "changes", "--known", "2026-09-01", "--yes", "--limit", "5"]);
      expect([taken.code, taken.err]).toEqual([0, ""]);
      const { lists } = (await gateway.get("/prices/lists")) as { lists: { source: string }[] };
      for (const source of new Set(lists.map((list) => list.source)))
        if (source !== "changes") await gateway.post("/prices/drop", { source });
      // The last word of each day on a field, replayed on a map of its own; OpenAI's and Anthropic's models are called as they call
      // them; what image models give out is no text.
      const fields = { input_cost_per_token: "input", output_cost_per_token: "output", cache_read_input_token_cost: "cache_read" } as const;
      const said = new Map<string, Map<string, string>>();
      for (const line of readFileSync(path, "utf8").trim().split("\r\n").slice(1)) {
        const [date = "", , event, provider = "", key = "", field = "", , value = ""] = line.split(",");
        if (!["openai", "anthropic"].includes(provider) || /\/|image/.test(key) || !["changed", "field_added"].includes(event ?? ""))
          continue;
        if (!(field in fields) || Number(value) === 0) continue;
        const name = `${provider}/${key} ${fields[field as keyof typeof fields]}`;
        said.set(name, (said.get(name) ?? new Map<string, string>()).set(date, value));
      }
      const wrong: unknown[] = [];
      let checked = 0;
      for (const [name, days] of said)
        for (const [date, value] of days) {
          const [model = "", type = ""] = name.split(" ");
          const startMs = Date.parse(date);
          // Until the next word on it, that day and the moment before it ends.
          const found = [await priceOf(model, type, startMs), await priceOf(model, type, startMs + 86_399_999)];
          const expected = toMillion(value);
          if (found.some((usd) => usd !== expected)) wrong.push([name, date, expected, found]);
          checked++;
        }
      expect(wrong).toEqual([]);
      expect(checked).toBeGreaterThan(20);
    },
    120_000,
  );
});

/** `1.5e-07` dollars a token as dollars a million tokens, by moving the point. */
function toMillion(text: string): string {
  const [digits = "", power = "0"] = text.split("e");
  const [whole = "", part = ""] = digits.split(".");
  const at = whole.length + Number(power) + 6;
  const all = (whole + part).padEnd(at, "0").padStart((whole + part).length + Math.max(0, 1 - at), "0");
  const point = Math.max(at, 1);
  return `${all.slice(0, point).replace(/^0+(?=\d)/, "")}.${all.slice(point)}`.replace(/\.?0*$/, "");
}
