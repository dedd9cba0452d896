// How fast calls are rated anew, through the store's own process: where no price changed, where one model's did, and where every one did.
// PENNYWORTH_BENCH_CALLS sets how many calls there are (default 1,000,000; the aim is stated for 10,000,000). Not here: applying corrections.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { PriceRecord, PriceSources } from "../src/core/price.ts";
import { openStore, type StoreClient } from "../src/ledger/duckdb/client.ts";
import { storeFile } from "../src/ledger/duckdb/place.ts";
import { fillStore, models, providers } from "./fill.ts";
import type { Line } from "./main.ts";

const callsDefault = 1_000_000;
const scans = 3;

export async function* bench(): AsyncGenerator<Line> {
  const calls = Number(process.env["PENNYWORTH_BENCH_CALLS"] ?? callsDefault);
  const folder = await mkdtemp(join(tmpdir(), "pennyworth-bench-"));
  try {
    await fillStore(folder, {
      calls,
      seed: 7,
      untilMs: Date.UTC(2026, 10, 1),
      days: 90,
      rated: true,
      onProgress: (done) => void process.stderr.write(`\r  ${done} calls made `),
    });
    process.stderr.write("\n");
    const plain = (calls / (await scan(folder))) * 1000;
    const store = await openStore(folder);
    await store.status();
    for (const [name, changed] of [
      ["no price changed", []],
      ["one model of nine", models.slice(0, 1)],
      ["every model", models],
    ] as const) {
      const began = performance.now();
      const found = await pass(store, sourcesOf(changed));
      const value = (calls / (performance.now() - began)) * 1000;
      process.stderr.write(`  ${name}: ${found} calls differ\n`);
      yield {
        name: `re-rating ${calls} calls, ${name}`,
        value: round(value),
        unit: "calls/s",
        baseline: round(plain),
        ratio: round(value / plain),
      };
    }
    await store.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The list by which the calls were charged; the models in `changed` cost twice as much in a newer version. */
function sourcesOf(changed: readonly string[]): PriceSources {
  const records = models.map((model, index): PriceRecord => {
    const provider = providers[index % providers.length] as string;
    const isNew = changed.includes(model);
    const usd = isNew ? ["5", "0.5", "20"] : ["2.5", "0.25", "10"];
    const price = (at: number): object => ({ per: 1_000_000, steps: [{ aboveTokens: -1, usd: usd[at] as string }] });
    return {
      id: `bench@${isNew ? 2 : 1}/${provider}/${model}`,
      provider,
      model,
      match: { or: [{ equals: model }, { equals: `${model}-2026-08-01` }] },
      contextWindow: null,
      tier: "standard",
      region: null,
      prices: { input: price(0), cache_read: price(1), output: price(2) } as PriceRecord["prices"],
      validFromMs: null,
      validToMs: null,
      window: null,
    };
  });
  const layer = { name: "bench@1", source: "bench", origin: "made up", own: false, records, discounts: [], choices: [] };
  return { layers: [layer], derivations: [], fallbacks: {}, pricesOf: {} };
}

async function pass(store: StoreClient, sources: PriceSources): Promise<number> {
  const rerating = await store.rerate({ sinceMs: null, untilMs: null, provider: null, model: null, sources, regions: {} });
  let found = 0;
  for (;;) {
    const { calls, done, total, days } = await rerating.next();
    found += calls.length;
    process.stderr.write(`\r  ${done} of ${total} `);
    if (days === null) continue;
    await rerating.close();
    return found;
  }
}

/** Milliseconds of a plain scan of what a re-rating reads: the best of a few. */
async function scan(folder: string): Promise<number> {
  const instance = await DuckDBInstance.create(storeFile(folder), { threads: "2", memory_limit: "1GB", access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  let best = Infinity;
  for (let round = 0; round < scans; round++) {
    const began = performance.now();
    await connection.runAndReadAll(
      `SELECT bit_xor(hash(id, startMs, provider, modelSent, model, tier, region, "day", source, "cost", unpriced, lines)) FROM calls`,
    );
    best = Math.min(best, performance.now() - began);
  }
  connection.closeSync();
  instance.closeSync();
  return best;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
