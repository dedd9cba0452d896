// Reconciliation against a real server: calls through Pennyworth and around it, an export written from the provider's side by a script that knows nothing
// of the ledger, and prices by hand. The gap and its causes must be right to the last digit, by the API and by the command line.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProcess } from "./process.ts";
import { type Bench, startBench } from "./server.ts";

/** Dollars per million tokens, from OpenAI's price list: input, cached input, output. In picodollars a token: a million times that. */
const listed: Readonly<Record<string, { readonly input: bigint; readonly cached: bigint; readonly output: bigint }>> = {
  "gpt-5-mini": { input: 250_000n, cached: 25_000n, output: 2_000_000n },
  "gpt-4o-mini": { input: 150_000n, cached: 75_000n, output: 600_000n },
  "gpt-4.1-nano": { input: 100_000n, cached: 25_000n, output: 400_000n },
};

interface Witnessed {
  readonly n: number;
  readonly model: string | null;
  readonly startMs: number;
  readonly usage: Readonly<Record<string, number>> | null;
}

interface Bill {
  readonly model: string;
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly pico: bigint;
}

interface Shown {
  readonly id: string | null;
  readonly basis: string;
  readonly stated: string | null;
  readonly valued: string | null;
  readonly ledger: string;
  readonly gap: string;
  readonly gapPercent: string;
  readonly causes: readonly { readonly kind: string; readonly amount: string }[];
  readonly rows: readonly {
    readonly model: string | null;
    readonly class: string | null;
    readonly gap: { readonly cost: string | null; readonly quantity: number | null };
  }[];
  readonly models: { readonly statedOnly: readonly string[] };
}

let bench: Bench;
let folder: string;
let files: { readonly usage: string; readonly costs: string };
let around: readonly Bill[];
let all: readonly Bill[];
const dayMs = 86_400_000;
const today = new Date(Math.floor(Date.now() / dayMs) * dayMs).toISOString().slice(0, 10);

beforeAll(async () => {
  bench = await startBench();
  folder = await mkdtemp(join(tmpdir(), "pennyworth-reconcile-"));
  for (let n = 0; n < 9; n++) await send(`${bench.running.url}/to/witness/v1`, n % 2 === 0 ? "gpt-5-mini" : "gpt-4o-mini", n);
  const before = await readWitness();
  for (let n = 0; n < 4; n++) await send(`${bench.provider.url}/v1`, n === 3 ? "gpt-4.1-nano" : "gpt-5-mini", n);
  const witnessed = await readWitness();
  all = billOf(witnessed);
  around = billOf(witnessed.filter((one) => !before.some(({ n }) => n === one.n)));
  files = { usage: usagePage(all), costs: costsPage(all) };
  expect(all.reduce((sum, one) => sum + one.cached, 0)).toBeGreaterThan(0);
}, 60_000);

afterAll(async () => {
  await bench?.close();
  await rm(folder, { recursive: true, force: true });
});

const sumOf = (bills: readonly Bill[]): bigint => bills.reduce((sum, { pico }) => sum + pico, 0n);
const compare = async (texts: readonly string[], more: object = {}): Promise<Shown> =>
  (await bench.running.post("/reconciliations", {
    provider: "witness",
    files: texts.map((text, index) => ({ name: `${index}.json`, text })),
    ...more,
  })) as Shown;

const body = (model: string, n: number): string =>
  JSON.stringify({ model, max_completion_tokens: 60 + n, messages: [{ role: "user", content: `Question ${n}` }] });

/** So many units at a rate in cents, as decimal text. */
const cents = (quantity: number, rate: string): string =>
  `${(quantity * Number(rate.slice(2))).toString().padStart(5, "0")}`.replace(/(\d{4})$/, ".$1");

const refused = async (text: string, provider = "witness"): Promise<string> =>
  bench.running.post("/reconciliations", { provider, files: [{ name: "x.json", text }] }).then(
    () => "",
    (error: Error) => error.message,
  );

const run = async (...args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> => {
  const started = startProcess("src/cli/main.ts", ["reconcile", ...args, "--data", bench.running.dataFolder]);
  return { code: await started.exited, output: started.output() };
};

const send = async (url: string, model: string, n: number): Promise<void> => {
  const response = await fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-sandbox-cache-read-tokens": String(1_000 + n) },
    body: body(model, n),
  });
  await response.text();
  expect(response.status).toBe(200);
};

describe("calls that went around Pennyworth", () => {
  it.each(["usage and costs", "costs alone", "usage alone"])("are the gap, to the last digit (%s)", async (what) => {
    const texts = what === "usage alone" ? [files.usage] : what === "costs alone" ? [files.costs] : [files.usage, files.costs];
    const shown = await compare(texts, { dryRun: true });
    expect(shown.basis).toBe(what === "usage alone" ? "prices" : "amounts");
    expect(what === "usage alone" ? shown.valued : shown.stated).toBe(dollars(sumOf(all)));
    expect(shown.ledger).toBe(dollars(sumOf(all) - sumOf(around)));
    expect(shown.gap).toBe(dollars(sumOf(around)));
    expect(shown.causes.map(({ kind, amount }) => [kind, amount])).toEqual([["bypassed", dollars(sumOf(around))]]);
    expect(shown.models.statedOnly.map((name) => name.slice(0, 12))).toEqual(["gpt-4.1-nano"]);
  });

  it("are so many tokens in each class", async () => {
    const { rows } = await compare([files.usage, files.costs], { dryRun: true });
    const mini = around.find(({ model }) => model.startsWith("gpt-5-mini"));
    const gaps = Object.fromEntries(rows.flatMap((row) => (row.model?.startsWith("gpt-5-mini") ? [[row.class, row.gap.quantity]] : [])));
    expect(gaps).toEqual({ input: mini?.input, cache_read: mini?.cached, output: mini?.output });
  });
});

describe("an invoice with a discount, and a tax", () => {
  it("has three causes, each with its amount", async () => {
    const reduced = all.map((bill) => ({ ...bill, pico: (bill.pico * 9n) / 10n }));
    const page = JSON.parse(costsPage(all, 9n, 10n)) as { data: { results: unknown[] }[] };
    page.data[0]?.results.push({ amount: { value: "0.19", currency: "usd" }, line_item: "Sales tax on usage" });
    const shown = await compare([files.usage, JSON.stringify(page)], { dryRun: true });
    const causes = Object.fromEntries(shown.causes.map(({ kind, amount }) => [kind, amount]));
    expect(shown.stated).toBe(dollars(sumOf(reduced) + 190_000_000_000n));
    expect(causes).toEqual({
      other: "0.19",
      bypassed: dollars((sumOf(around) * 9n) / 10n),
      discount: dollars(-(sumOf(all) - sumOf(around)) / 10n),
    });
  });
});

describe("usage without a price", () => {
  it("is what the gap is, once the provider says what it costs", async () => {
    const before = await readWitness();
    const headers = { "content-type": "application/json", "anthropic-version": "2023-06-01", "x-sandbox-cache-write-1h-tokens": "400" };
    const body = JSON.stringify({
      model: "claude-of-our-own-1",
      max_tokens: 90,
      messages: [{ role: "user", content: "What does it cost?" }],
    });
    const response = await fetch(`${bench.running.url}/to/witness/v1/messages`, { method: "POST", headers, body });
    await response.text();
    expect(response.status).toBe(200);
    const { usage } = (await readWitness()).find(({ n }) => !before.some((one) => one.n === n)) as Witnessed;
    // In cents, at invented rates: the ledger has none for the model.
    const items = [
      ["uncached_input_tokens", usage?.["input"] ?? 0, "0.0003"],
      ["cache_creation.ephemeral_1h_input_tokens", usage?.["cache_write_1h"] ?? 0, "0.0006"],
      ["output_tokens", (usage?.["output"] ?? 0) + (usage?.["reasoning"] ?? 0), "0.0015"],
    ] as const;
    expect(items.every(([, quantity]) => quantity > 0)).toBe(true);
    const results = items.map(([name, quantity, rate]) => ({
      amount: cents(quantity, rate),
      currency: "USD",
      model: "claude-of-our-own-1",
      token_type: name,
      cost_type: "tokens",
    }));
    const page = {
      data: [{ starting_at: `${today}T00:00:00Z`, ending_at: new Date(Date.parse(`${today}T00:00Z`) + dayMs).toISOString(), results }],
      has_more: false,
    };
    const shown = await compare([JSON.stringify(page)], { dryRun: true });
    const total = items.reduce((sum, [, quantity, rate]) => sum + BigInt(quantity) * BigInt(rate.slice(2)) * 1_000_000n, 0n);
    const causes = Object.fromEntries(shown.causes.map(({ kind, amount }) => [kind, amount]));
    expect(shown.stated).toBe(dollars(total));
    expect(causes["unpriced"]).toBe(dollars(total));
    expect(shown.rows.find((row) => row.model === "claude-of-our-own-1" && row.class === "cache_write_1h")?.gap.cost).toBe(
      dollars(2_400n * 1_000_000n),
    );
  });
});

describe("what was compared", () => {
  it("is kept as it was shown, and is the newest of its month", async () => {
    const made = await compare([files.usage, files.costs]);
    expect(made.id).toMatch(/^reconciliation_/);
    expect(await bench.control(`/reconciliations/${made.id}`)).toEqual(made);
    const { reconciliations } = await bench.control<{ reconciliations: readonly Record<string, unknown>[] }>("/reconciliations");
    expect(reconciliations).toEqual([
      expect.objectContaining({
        id: made.id,
        provider: "witness",
        from: today,
        stated: made.stated,
        ledger: made.ledger,
        gap: made.gap,
        gapPercent: made.gapPercent,
      }),
    ]);
    const again = await compare([files.costs]);
    const after = await bench.control<{ reconciliations: readonly { id: string }[] }>("/reconciliations");
    expect(after.reconciliations.map(({ id }) => id)).toEqual([again.id]);
  });

  it("is refused where it cannot be read, or names no provider", async () => {
    expect(await refused('{"data": 5}')).toMatch(/400 .*statement_invalid.*x\.json: its JSON is of no known export/);
    const early = bench.running.post("/reconciliations", {
      provider: "witness",
      files: [{ name: "x", text: files.costs }],
      until: "2020-01-01",
    });
    await expect(early).rejects.toThrow(/query_invalid.*nothing of that is in the days asked for/);
    expect(await refused(files.costs, "wittness")).toMatch(/404 .*provider_unknown.*No provider is called wittness/);
  });

  it("may be of a provider whose calls the ledger has none of in these days", async () => {
    for (const provider of ["sandbox", "mistral"]) {
      const shown = await compare([files.costs], { provider, dryRun: true });
      expect([shown.stated, shown.ledger]).toEqual([dollars(sumOf(all)), "0"]);
    }
  });
});

describe("what goes wrong inside", () => {
  it("is in the log, with its message and its stack, under the reference that was given", async () => {
    const data = await mkdtemp(join(tmpdir(), "pennyworth-log-"));
    // Where results are kept there is a file, and no folder.
    await writeFile(join(data, "statements"), "");
    const path = join(data, "..", `${basename(data)}.json`);
    await writeFile(path, files.costs);
    const server = startProcess("src/cli/main.ts", ["serve", "--port", "0", "--data", data]);
    try {
      await server.prints(/http:\/\//);
      const asked = startProcess("src/cli/main.ts", ["reconcile", path, "--provider", "sandbox", "--data", data]);
      await asked.exited;
      const reference = /The log has the details under (\S+?)\./.exec(asked.output())?.[1];
      expect(reference).toBeDefined();
      const line = await server.prints(new RegExp(`^\\{.*"reference":"${reference}".*\\}$`, "m"));
      expect(JSON.parse(line[0])).toMatchObject({
        level: 50,
        reference,
        err: {
          code: "EEXIST",
          message: expect.stringContaining("statements") as string,
          stack: expect.stringMatching(/archive/) as string,
        },
      });
    } finally {
      await server.kill("SIGTERM");
      await rm(path, { force: true });
      await rm(data, { recursive: true, force: true });
    }
  }, 60_000);
});

describe("pennyworth reconcile", () => {
  it("says the same as the API, and exits with 3 beyond a tolerance", async () => {
    await writeFile(join(folder, "usage.json"), files.usage);
    await writeFile(join(folder, "costs.json"), files.costs);
    const both = [join(folder, "usage.json"), join(folder, "costs.json"), "--provider", "witness", "--dry-run"];
    const shown = await compare([files.usage, files.costs], { dryRun: true });
    const table = await run(...both, "--tolerance", "0.5%");
    expect(table.code).toBe(3);
    expect(table.output).toContain(`OpenAI usage API and OpenAI costs API, witness, ${today} to ${today} (UTC)`);
    for (const text of [shown.stated, shown.ledger, shown.gap, "calls that did not pass Pennyworth"])
      expect(table.output).toContain(String(text));
    expect(table.output).toMatch(/The gap is larger than 0\.5% of what is stated\./);
    const json = await run(...both, "--tolerance", "100%", "--json");
    expect(json.code).toBe(0);
    expect(JSON.parse(json.output)).toMatchObject({ gap: shown.gap, causes: shown.causes, id: null });
  }, 60_000);

  it("refuses what it cannot use, in one line", async () => {
    expect(await run("--provider", "witness")).toMatchObject({
      code: 2,
      output: expect.stringMatching(/name a file that the provider exports/) as string,
    });
    const missing = await run(join(folder, "nowhere.csv"), "--provider", "witness");
    expect(missing).toMatchObject({ code: 1, output: expect.stringMatching(/nowhere\.csv: it is not there/) as string });
  }, 60_000);
});

async function readWitness(): Promise<Witnessed[]> {
  const { calls } = (await (await fetch(`${bench.provider.url}/witness?limit=1000`)).json()) as { calls: Witnessed[] };
  return calls.filter((call) => call.usage !== null);
}

/** What the provider would charge: one line for each model. */
function billOf(calls: readonly Witnessed[]): Bill[] {
  const models = [...new Set(calls.map((call) => call.model ?? ""))];
  return models.map((model) => {
    const mine = calls.filter((call) => call.model === model);
    const count = (...names: readonly string[]): number =>
      mine.reduce((sum, { usage }) => sum + names.reduce((all, name) => all + (usage?.[name] ?? 0), 0), 0);
    const rates = listed[model.replace(/-20\d\d-\d\d-\d\d$/, "")];
    if (rates === undefined) throw new Error(`no price by hand for ${model}`);
    const [input, cached, output] = [count("input", "cache_write"), count("cache_read"), count("output", "reasoning")];
    return {
      model,
      input,
      cached,
      output,
      pico: BigInt(input) * rates.input + BigInt(cached) * rates.cached + BigInt(output) * rates.output,
    };
  });
}

const bucket = (results: readonly unknown[]): string => {
  const start = Date.parse(`${today}T00:00Z`) / 1_000;
  return JSON.stringify({
    object: "page",
    data: [{ object: "bucket", start_time: start, end_time: start + 86_400, results }],
    has_more: false,
    next_page: null,
  });
};

function usagePage(bills: readonly Bill[]): string {
  return bucket(
    bills.map(({ model, input, cached, output }) => ({
      object: "organization.usage.completions.result",
      input_tokens: input + cached,
      input_cached_tokens: cached,
      output_tokens: output,
      num_model_requests: 1,
      model,
      batch: false,
    })),
  );
}

function costsPage(bills: readonly Bill[], numerator = 1n, denominator = 1n): string {
  return bucket(
    bills.flatMap(({ model, input, cached, output }) => {
      const rates = listed[model.replace(/-20\d\d-\d\d-\d\d$/, "")];
      const items = [
        ["input", BigInt(input) * (rates?.input ?? 0n)],
        ["cached input", BigInt(cached) * (rates?.cached ?? 0n)],
        ["output", BigInt(output) * (rates?.output ?? 0n)],
      ] as const;
      return items
        .filter(([, pico]) => pico > 0n)
        .map(([name, pico]) => ({
          object: "organization.costs.result",
          amount: { value: dollars((pico * numerator) / denominator), currency: "usd" },
          line_item: `${model}, ${name}`,
        }));
    }),
  );
}

/** Picodollars as a decimal string, by hand. */
function dollars(pico: bigint): string {
  const digits = (pico < 0n ? -pico : pico).toString().padStart(13, "0");
  const text = `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, "");
  return pico < 0n ? `-${text}` : text;
}
