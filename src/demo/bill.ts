// What two of Larkspur's providers export for a month, in the formats of their APIs: what they served, and what they charge for it. Made from what
// the sandbox saw, at the providers' own prices as they are written here. Invariant: nothing of it comes from the ledger, so that the two can differ.

import { cost, parseRate, roundUsd } from "../core/money.ts";
import { dayMs } from "../core/time.ts";
import type { Span, Story } from "./story.ts";

/** One call as the sandbox's witness has it. */
export interface Seen {
  readonly model: string | null;
  readonly startMs: number;
  /** Units by kind; null: nothing is charged. */
  readonly usage: Units | null;
}

export interface Export {
  readonly name: string;
  readonly text: string;
}

export type Billed = "openai" | "anthropic";

type Kind = "input" | "cache_read" | "cache_write_5m" | "output" | "reasoning" | "output_image" | "images";
type Units = Readonly<Record<Kind, number>>;

/** Dollars by what is charged for: a million tokens, or one image. Providers count reasoning as output. */
type Prices = Readonly<Partial<Record<Exclude<Kind, "reasoning">, string>>>;

const openaiPrices: Readonly<Record<string, Prices>> = {
  "gpt-5": { input: "1.25", cache_read: "0.125", output: "10" },
  "gpt-5-mini": { input: "0.25", cache_read: "0.025", output: "2" },
  "gpt-5-nano": { input: "0.05", cache_read: "0.005", output: "0.4" },
  "ft:gpt-5-nano:larkspur": { input: "0.1", cache_read: "0.01", output: "0.8" },
  "text-embedding-3-small": { input: "0.02" },
  "gpt-image-1": { input: "5", output_image: "40" },
  "dall-e-3": { images: "0.04" },
};

/** As agreed on: story.priceMs. */
const agreedPrices: Prices = { input: "0.2", cache_read: "0.02", output: "1.6" };

const anthropicPrices: Readonly<Record<string, Prices>> = {
  "claude-opus-4-5": { input: "5", cache_read: "0.5", cache_write_5m: "6.25", output: "25" },
  "claude-sonnet-4-5": { input: "3", cache_read: "0.3", cache_write_5m: "3.75", output: "15" },
  "claude-haiku-4-5": { input: "1", cache_read: "0.1", cache_write_5m: "1.25", output: "5" },
};

/** Of each hundred dollars, what Anthropic charges Larkspur: since the month that is invoiced, see story.agreedMs. */
const anthropicPercent = 94n;

/** The files of a month: what was used, and what is charged. None where nothing was. */
export function exportsOf(provider: Billed, seen: readonly Seen[], span: Span, story: Story): readonly Export[] {
  const { prices, pricesAt, bucket, usage, line } = provider === "openai" ? openai(story) : anthropic;
  const days = byDay(seen, prices, span);
  if (days.every(({ models }) => models.length === 0)) return [];
  const toFile = (name: string, results: (day: Day) => readonly object[]): Export => ({
    name: `${provider}-${name}.json`,
    text: JSON.stringify({ object: "page", data: days.map((day) => bucket(day.fromMs, results(day))), has_more: false, next_page: null }),
  });
  return [
    toFile("usage", ({ models }) => models.flatMap(usage)),
    toFile("costs", ({ models, fromMs }) =>
      models.flatMap(({ model, units }) => charges(units, pricesAt(model, fromMs)).map(({ kind, pico }) => line(model, kind, pico))),
    ),
  ];
}

/** How a provider says it. */
interface Wording {
  readonly prices: Readonly<Record<string, Prices>>;
  pricesAt(model: string, dayStartMs: number): Prices;
  bucket(dayStartMs: number, results: readonly object[]): object;
  usage(served: Served): readonly object[];
  line(model: string, kind: Kind, pico: bigint): object;
}

const openaiWords: Readonly<Partial<Record<Kind, string>>> = {
  input: ", input",
  cache_read: ", cached input",
  output: ", output",
  output_image: ", image output",
};

const openai = ({ priceMs }: Story): Wording => ({
  prices: openaiPrices,
  pricesAt: (model, dayStartMs) => (model === "gpt-5-mini" && dayStartMs >= priceMs ? agreedPrices : (openaiPrices[model] ?? {})),
  bucket: (dayStartMs, results) => ({
    object: "bucket",
    start_time: dayStartMs / 1_000,
    end_time: (dayStartMs + dayMs) / 1_000,
    results,
  }),
  usage: ({ model, calls, units }) => {
    // Whole images are in another export, and among the costs.
    if (units.images > 0) return [];
    const input = { input_tokens: units.input + units.cache_read, num_model_requests: calls, model };
    if (model.includes("embedding")) return [{ object: "organization.usage.embeddings.result", ...input }];
    return [
      {
        object: "organization.usage.completions.result",
        ...input,
        input_cached_tokens: units.cache_read,
        output_tokens: units.output + units.reasoning + units.output_image,
        output_image_tokens: units.output_image,
        batch: false,
        service_tier: "default",
      },
    ];
  },
  line: (model, kind, pico) => ({
    object: "organization.costs.result",
    amount: { value: roundUsd(pico, 6), currency: "usd" },
    line_item: `${model}${openaiWords[kind] ?? ""}`,
    project_id: null,
  }),
});

const anthropicWords: Readonly<Partial<Record<Kind, string>>> = {
  input: "uncached_input_tokens",
  cache_read: "cache_read_input_tokens",
  cache_write_5m: "cache_creation.ephemeral_5m_input_tokens",
  output: "output_tokens",
};

const anthropic: Wording = {
  prices: anthropicPrices,
  pricesAt: (model) => anthropicPrices[model] ?? {},
  bucket: (dayStartMs, results) => ({ starting_at: toTime(dayStartMs), ending_at: toTime(dayStartMs + dayMs), results }),
  usage: ({ model, units }) => [
    {
      workspace_id: null,
      model,
      service_tier: "standard",
      uncached_input_tokens: units.input,
      cache_read_input_tokens: units.cache_read,
      cache_creation: { ephemeral_5m_input_tokens: units.cache_write_5m, ephemeral_1h_input_tokens: 0 },
      output_tokens: units.output + units.reasoning,
    },
  ],
  line: (model, kind, pico) => ({
    workspace_id: null,
    model,
    service_tier: "standard",
    currency: "USD",
    // In cents.
    amount: roundUsd(pico * anthropicPercent, 4),
    cost_type: "tokens",
    token_type: anthropicWords[kind],
    description: `${model} Usage - ${kind}`,
  }),
};

interface Day {
  readonly fromMs: number;
  readonly models: readonly Served[];
}

interface Served {
  readonly model: string;
  calls: number;
  readonly units: Record<Kind, number>;
}

const none: Units = { input: 0, cache_read: 0, cache_write_5m: 0, output: 0, reasoning: 0, output_image: 0, images: 0 };

/** What was served of the provider's models, day by day. */
function byDay(seen: readonly Seen[], prices: Readonly<Record<string, Prices>>, { fromMs, toMs }: Span): Day[] {
  const days: Day[] = [];
  for (let dayStartMs = fromMs; dayStartMs < toMs; dayStartMs += dayMs) {
    const models = new Map<string, Served>();
    for (const { model, startMs, usage } of seen) {
      if (startMs < dayStartMs || startMs >= dayStartMs + dayMs) continue;
      if (model === null || usage === null || !Object.hasOwn(prices, model)) continue;
      const sum = models.get(model) ?? { model, calls: 0, units: { ...none } };
      sum.calls += 1;
      for (const kind of Object.keys(none) as Kind[]) sum.units[kind] += usage[kind];
      models.set(model, sum);
    }
    days.push({ fromMs: dayStartMs, models: [...models.values()] });
  }
  return days;
}

/** What is charged for the units of a day: one sum for each kind of which there are any. */
function charges(units: Units, prices: Prices): { readonly kind: Kind; readonly pico: bigint }[] {
  return (Object.entries(prices) as [Kind, string][]).flatMap(([kind, usd]) => {
    const quantity = kind === "output" ? units.output + units.reasoning : units[kind];
    return quantity === 0 ? [] : [{ kind, pico: cost(parseRate(usd, kind === "images" ? 1n : 1_000_000n), quantity) }];
  });
}

function toTime(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}
