// The table of changes as history, held against a replay of its own: each row applied to a map, day by day, and the map of the last day.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import { createPriceBook } from "../core/book.ts";
import { formatRate } from "../core/money.ts";
import type { UsageClass } from "../core/usage.ts";
import type { PriceList } from "./list.ts";
import { nameOfLitellm } from "./names.ts";
import { parseList } from "./parse.ts";
import { checkList } from "./sanity.ts";

const folder = fileURLToPath(new URL("../../../shared/data/prices/", import.meta.url));
const isHere = existsSync(`${folder}price_changes_2025_2026.csv`);
const options = { format: null, source: null, published: null } as const;
const nowMs = Date.parse("2026-11-21");
const head = "date,snapshot,event,provider,model_key,field,old_usd,new_usd\n";
const dayMs = 86_400_000;

function read(rows: string): PriceList {
  return parseList(head + rows, options, nowMs).list;
}

function bookOf(list: PriceList): ReturnType<typeof createPriceBook> {
  const layer = { ...list, name: "changes", own: false };
  return createPriceBook({ layers: [layer], derivations: [], fallbacks: {}, pricesOf: {} });
}

function price(list: PriceList, model: string, type: UsageClass, at: string, tier: string | null = null): string | null {
  const step = bookOf(list).find({ provider: "openai", model, tier, region: null, atMs: Date.parse(at) })?.prices[type]?.[0];
  return step === undefined ? null : formatRate(step.rate, 1_000_000n);
}

describe("a table of changes", () => {
  it("gives each day the price that was said for it, the last of several on a day", () => {
    const list = read(
      [
        "2026-01-05,a,added,openai,gpt-x,,,2e-06",
        "2026-01-09,b,changed,openai,gpt-x,input_cost_per_token,2e-06,5e-03",
        "2026-01-09,c,changed,openai,gpt-x,input_cost_per_token,5e-03,1.5e-06",
        "2026-02-01,d,removed,openai,gpt-x,,1.5e-06,",
      ].join("\n"),
    );
    expect(price(list, "gpt-x", "input", "2026-01-04T23:59:59Z")).toBeNull();
    expect(price(list, "gpt-x", "input", "2026-01-05T00:00:00Z")).toBe("2");
    expect(price(list, "gpt-x", "input", "2026-01-08T23:59:59.999Z")).toBe("2");
    expect(price(list, "gpt-x", "input", "2026-01-09T00:00:00Z")).toBe("1.5");
    expect(price(list, "gpt-x", "input", "2026-02-01T00:00:00Z")).toBeNull();
  });

  it("knows from a change what the price was before, since the model or the table began, and no earlier", () => {
    const list = read(
      [
        "2026-01-01,a,added,openai,gpt-x,,,1e-06",
        "2026-01-05,b,changed,openai,gpt-x,output_cost_per_token,4e-06,3e-06",
        "2026-01-05,b,changed,openai,gpt-old,input_cost_per_token_priority,2e-06,1e-06",
      ].join("\n"),
    );
    expect(price(list, "gpt-x", "output", "2026-01-02")).toBe("4");
    expect(price(list, "gpt-x", "output", "2026-01-05")).toBe("3");
    expect(price(list, "gpt-old", "input", "2026-01-02", "priority")).toBe("2");
    expect(price(list, "gpt-old", "input", "2025-12-31", "priority")).toBeNull();
    expect(price(list, "gpt-old", "input", "2026-01-02")).toBeNull();
  });

  it("says nothing of the other prices of a model that was taken out and put back", () => {
    const list = read(
      [
        "2026-01-01,a,added,openai,gpt-x,,,1e-06",
        "2026-01-02,b,field_added,openai,gpt-x,cache_read_input_token_cost,,1e-07",
        "2026-01-03,c,removed,openai,gpt-x,,1e-06,",
        "2026-01-06,d,added,openai,gpt-x,,,1e-06",
      ].join("\n"),
    );
    expect(price(list, "gpt-x", "cache_read", "2026-01-02")).toBe("0.1");
    expect(price(list, "gpt-x", "input", "2026-01-04")).toBeNull();
    expect(price(list, "gpt-x", "input", "2026-01-06")).toBe("1");
    // Without a price of its own it is at that of input, as cached tokens are everywhere.
    expect(
      bookOf(list).find({ provider: "openai", model: "gpt-x", tier: null, region: null, atMs: Date.parse("2026-01-07") })?.prices
        .cache_read?.[0]?.price,
    ).toMatch(/#input$/);
  });

  it.each([
    ["2026-13-01,a,added,openai,m,,,1e-06", "line 2: 2026-13-01 is no day"],
    ["2026-01-01,a,changed,openai,m,input_cost_per_token,1e-06,-2", "line 2: new_usd is no price: -2"],
    ["2026-01-01,a,vanished,openai,m,,,", "line 2: vanished is no event"],
    ["2026-01-02,a,added,openai,m,,,1\n2026-01-01,a,added,openai,n,,,1", "line 3: 2026-01-01 comes after a later day"],
    ["2026-01-02,a,added,openai,m,,,1\n2026-01-02,a,added,openai,m,,,1", "line 3: m is added, and is there already"],
    ["2026-01-01,a,changed,openai,m,input_cost_per_token,1e-06", "line 2"],
  ])("refuses %s with its line", (rows, reason) => {
    expect(() => read(rows)).toThrow(reason);
  });
});

describe.skipIf(!isHere)(isHere ? "the changes of 2025 and 2026" : "skipped: ../shared/data is not here", () => {
  const text = isHere ? readFileSync(`${folder}price_changes_2025_2026.csv`, "utf8") : head;
  const list = isHere ? parseList(text, { ...options, published: "2026-07-24" }, nowMs).list : null;
  const rows = parse(text, { columns: true }) as Record<string, string>[];

  /** The replay: what the map says of a key's field, day by day; `undefined`: nothing is known. */
  const known = new Map<string, { readonly day: string; readonly provider: string; readonly value: string | undefined }[]>();
  const fieldsOf = new Map<string, Set<string>>();
  const born = new Map<string, string>();
  /** Models that more than one key means: which of them goes is not this test's. */
  const keysOf = new Map<string, Set<string>>();
  for (const row of rows) {
    const { date = "", event = "", provider = "", model_key: key = "", old_usd: before = "", new_usd: after = "" } = row;
    const all = fieldsOf.get(key) ?? new Set();
    fieldsOf.set(key, all);
    const named = nameOfLitellm(provider, key);
    if (typeof named !== "string")
      keysOf.set(JSON.stringify(named).toLowerCase(), (keysOf.get(JSON.stringify(named).toLowerCase()) ?? new Set()).add(key));
    const say = (field: string, value: string | undefined, was: string | undefined): void => {
      const name = `${key}\n${field}`;
      const said = known.get(name);
      all.add(field);
      const since = { day: born.get(key) ?? "2025-02-06", provider, value: was };
      if (said === undefined) known.set(name, [{ day: "0000", provider, value: undefined }, since, { day: date, provider, value }]);
      else if (said.at(-1)?.value === undefined && was !== undefined) said.push(since, { day: date, provider, value });
      else said.push({ day: date, provider, value });
    };
    if (event === "added") born.set(key, date);
    if (event === "added") say("input_cost_per_token", after || undefined, undefined);
    else if (event === "removed")
      for (const field of new Set([...all, "input_cost_per_token"]))
        say(field, undefined, field === "input_cost_per_token" ? before || undefined : undefined);
    else say(row["field"] ?? "", after || undefined, before || undefined);
  }

  const bases: Readonly<Record<string, UsageClass>> = {
    input_cost_per_token: "input",
    output_cost_per_token: "output",
    cache_read_input_token_cost: "cache_read",
    cache_creation_input_token_cost: "cache_write",
    cache_creation_input_token_cost_above_1hr: "cache_write_1h",
    input_cost_per_audio_token: "input_audio",
    output_cost_per_audio_token: "output_audio",
    cache_read_input_token_cost_per_audio_token: "cache_read_audio",
    input_cost_per_image_token: "input_image",
    output_cost_per_image_token: "output_image",
    cache_read_input_image_token_cost: "cache_read_image",
    output_cost_per_reasoning_token: "reasoning",
    citation_cost_per_token: "citation",
    ocr_cost_per_page: "input_pages",
  };

  /** What a field means, and the field of its price for short prompts. */
  function meaningOf(field: string): { type: UsageClass; tier: string | null; above: number; short: string; plain: string } | null {
    const tier = /_(priority|flex|batches)$/.exec(field)?.[1] ?? null;
    const bare = tier === null ? field : field.slice(0, -tier.length - 1);
    const threshold = /_above_(\d+)k_tokens$/.exec(bare);
    const plain = threshold === null ? bare : bare.slice(0, threshold.index);
    const type = bases[plain];
    if (type === undefined) return null;
    const short = tier === null ? plain : `${plain}_${tier}`;
    return { type, tier: tier === "batches" ? "batch" : tier, above: threshold === null ? 0 : Number(threshold[1]) * 1000, short, plain };
  }

  const valueAt = (key: string, field: string, iso: string): number =>
    Number(known.get(`${key}\n${field}`)?.findLast((one) => one.day <= iso)?.value ?? 0);

  it("price a call of the day of each change, and of the day before, as on its day, and nothing else", () => {
    const book = bookOf(list as PriceList);
    const wrong: string[] = [];
    const kinds = { priced: 0, absent: 0, shared: 0, noClass: 0, noModel: 0, noShortPrice: 0, noLongPrice: 0 };
    for (const [name, said] of known) {
      const [key = "", field = ""] = name.split("\n");
      const meaning = meaningOf(field);
      for (const { day, provider } of said.slice(1))
        for (const at of [Date.parse(day), Date.parse(day) - dayMs]) {
          const iso = new Date(at).toISOString().slice(0, 10);
          const now = said.findLast((one) => one.day <= iso);
          const whose = now === undefined || now.day === "0000" ? provider : now.provider;
          const named = nameOfLitellm(whose, key);
          if (meaning === null) kinds.noClass += 1;
          else if (typeof named === "string") kinds.noModel += 1;
          else if ((keysOf.get(JSON.stringify(named).toLowerCase())?.size ?? 0) > 1) kinds.shared += 1;
          else {
            const { type, tier, above, short, plain } = meaning;
            const tariff = book.find({ provider: named.provider, model: named.model, tier, region: named.region, atMs: at });
            const step = tariff?.prices[type]?.find(
              ({ aboveTokens, price }) => Math.max(0, aboveTokens) === above && price.includes(`#${type}`),
            );
            // A region without a price of its own has that of none, which is another key's.
            const isOwn = step !== undefined && (named.region === null || step.price.includes(`@region=${named.region}`));
            // What the map says twice is said once, of the class that includes this one.
            const same = tariff?.prices[type]?.findLast(({ aboveTokens }) => aboveTokens <= above);
            const isRepeat = same !== undefined && /#(input|output)(>|$)/.test(same.price) && /^(reasoning|(input|output)_)/.test(type);
            const usd = isOwn ? Number(formatRate(step.rate, 1n)) : isRepeat ? Number(formatRate(same.rate, 1n)) : null;
            const value = valueAt(key, field, iso);
            const hasStep = [...known.keys()].some(
              (other) =>
                other.startsWith(`${key}\n${plain}_above_`) &&
                meaningOf(other.split("\n")[1] ?? "")?.tier === null &&
                valueAt(key, other.split("\n")[1] ?? "", iso) > 0,
            );
            const tierHasStep = tier !== null && (tariff?.prices[type]?.length ?? 0) > 1;
            if (value === 0)
              kinds.absent +=
                usd === null || !isOwn || (usd === 0 && key.endsWith("free"))
                  ? 1
                  : (wrong.push(`${iso} ${key} ${field}: ${usd}, and none is said`), 0);
            else if (usd === value) kinds.priced += 1;
            else if (usd === null && above > 0 && valueAt(key, short, iso) === 0) kinds.noShortPrice += 1;
            else if (usd === null && tier !== null && hasStep && !tierHasStep && valueAt(key, plain, iso) > 0) kinds.noLongPrice += 1;
            else wrong.push(`${iso} ${key} ${field}: ${usd} for ${value}`);
          }
        }
    }
    expect(wrong.slice(0, 20)).toEqual([]);
    expect(kinds.priced).toBeGreaterThan(3000);
    // What is not compared is little, and each for a reason that the reader counts as well.
    expect(kinds.noShortPrice + kinds.noLongPrice).toBeLessThan(300);
    expect(kinds.shared).toBeLessThan(900);
  });

  it("end with the prices of the map of the last day", () => {
    const map = JSON.parse(readFileSync(`${folder}litellm_2026_07_24.json`, "utf8")) as Record<string, Record<string, unknown>>;
    const wrong: string[] = [];
    let compared = 0;
    for (const record of (list as PriceList).records) {
      if (record.validToMs !== null || record.tier !== "standard") continue;
      for (const [key, entry] of Object.entries(map)) {
        if (typeof entry !== "object" || typeof entry["litellm_provider"] !== "string" || !key.endsWith(record.model)) continue;
        const named = nameOfLitellm(entry["litellm_provider"], key);
        if (
          typeof named === "string" ||
          named.provider !== record.provider ||
          named.model !== record.model ||
          named.region !== record.region
        )
          continue;
        for (const [field, type] of [
          ["input_cost_per_token", "input"],
          ["output_cost_per_token", "output"],
          ["cache_read_input_token_cost", "cache_read"],
        ] as const) {
          const said = record.prices[type]?.steps[0]?.usd;
          if (said === undefined || typeof entry[field] !== "number") continue;
          compared += 1;
          if (Math.abs(Number(said) / 1e6 - entry[field]) > 1e-15) {
            const isShared =
              (keysOf.get(JSON.stringify(named).toLowerCase())?.size ?? 0) > 1 || !rows.some((row) => row["model_key"] === key);
            if (!isShared) wrong.push(`${key} ${field}: ${said} for ${entry[field]}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(800);
  });

  it("have the mistakes of units that were put right later among what is odd", () => {
    const odd = checkList(list as PriceList).map(({ provider, model, class: type, detail }) => `${provider}/${model} ${type}: ${detail}`);
    for (const start of [
      "vertex/gemini-2.0-flash-001 input",
      "vertex/gemini-2.0-flash-001 output",
      "vertex/gemini-2.0-flash-001 input_audio",
      "openrouter/bytedance/ui-tars-1.5-7b input",
      "openrouter/bytedance/ui-tars-1.5-7b output",
      "openrouter/qwen/qwen-vl-plus input",
      "aws/us.anthropic.claude-sonnet-4-5-20250929-v1:0 input",
      "aws/us.anthropic.claude-sonnet-4-5-20250929-v1:0 cache_read",
      "google/gemini-2.5-pro-preview-03-25 output",
    ])
      expect(odd.filter((line) => line.startsWith(start))).not.toEqual([]);
  });
});
