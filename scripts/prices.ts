// `npm run prices -- --published DATE`: snapshots the prices of the dev dependency @pydantic/genai-prices into a folder of data/prices/.
// Not here: what the keys mean (src/prices/snapshot.ts). Invariant: a price is copied as its shortest decimal text and never calculated with,
// and a folder once written is never changed: a new version of the package is a new folder beside it.

import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findProvider, type ModelInfo, type Provider } from "@pydantic/genai-prices";
import { type ConditionalRates, type Rates, toSpans } from "../src/prices/genai.ts";
import type { SnapshotFile, SnapshotModel, SnapshotPrice } from "../src/prices/snapshot.ts";

const { values } = parseArgs({ options: { published: { type: "string" }, taken: { type: "string" } } });
const entry = createRequire(import.meta.url).resolve("@pydantic/genai-prices");
const home = join(dirname(entry), "..");
const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { version: string };
const folder = fileURLToPath(new URL(`../data/prices/genai-prices-${version}`, import.meta.url));

if (existsSync(folder)) fail(`${folder} is there already: a snapshot is never written again.`);
if (values.published === undefined)
  fail(`--published DATE is missing: the day version ${version} came out (npm view @pydantic/genai-prices time).`);
const published = day(values.published);
const taken = day(values.taken ?? new Date().toISOString().slice(0, 10));

const providers = findProviders();
const working = `${folder}.tmp`;
mkdirSync(working, { recursive: true });
for (const provider of providers) writeFileSync(join(working, `${provider.id}.json`), format(snapshot(provider)));
copyFileSync(join(home, "LICENSE"), join(working, "LICENSE"));
renameSync(working, folder);
const models = providers.reduce((count, provider) => count + provider.models.length, 0);
process.stderr.write(`${providers.length} providers, ${models} models of version ${version} in ${folder}\n`);

/** The package exports no list of its ids, so every quoted id in its text is tried. */
function findProviders(): Provider[] {
  const found = new Map<string, Provider>();
  for (const match of readFileSync(entry, "utf8").matchAll(/\bid:\s*"([^"]+)"/g)) {
    const provider = findProvider({ providerId: match[1] as string });
    if (provider !== undefined && provider.id === match[1]) found.set(provider.id, provider);
  }
  if (found.size < 43) fail(`only ${found.size} providers were found: the package changed its shape.`);
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function snapshot(provider: Provider): SnapshotFile {
  return {
    source: "https://github.com/pydantic/genai-prices",
    licence: "MIT",
    package: "@pydantic/genai-prices",
    version,
    knownFrom: published,
    taken,
    provider: provider.id,
    name: provider.name,
    pricingUrls: provider.pricing_urls ?? [],
    fallbacks: provider.fallback_model_providers ?? [],
    models: provider.models.map((model) => snapshotModel(provider, model)),
  };
}

function snapshotModel(provider: Provider, model: ModelInfo): SnapshotModel {
  return {
    id: model.id,
    match: model.match,
    contextWindow: model.context_window ?? null,
    ...(model.deprecated === true ? { deprecated: true } : {}),
    ...(model.price_comments === undefined ? {} : { comments: model.price_comments }),
    prices: spans(`${provider.id}/${model.id}`, model.prices),
  };
}

/** The package's list of prices as spans that do not overlap. */
function spans(name: string, prices: ModelInfo["prices"]): readonly SnapshotPrice[] {
  return toSpans(prices as Rates | readonly ConditionalRates[]) ?? fail(`${name}: the order of its prices is not understood.`);
}

/** One line a model: a changed price is one changed line. */
function format(file: SnapshotFile): string {
  const { models, ...head } = file;
  const lines = models.map((model) => `    ${JSON.stringify(model)}`);
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "models": [\n${lines.join(",\n")}\n  ]\n}\n`;
}

function day(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(Date.parse(text))) fail(`not a day: ${text}`);
  return text;
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
