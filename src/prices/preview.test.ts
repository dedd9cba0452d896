import * as fc from "fast-check";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { TakenList } from "../core/entry.ts";
import { createDesk } from "./desk.ts";
import { diffBooks } from "./diff.ts";
import { readFile } from "./file.ts";
import { createHistory, type History } from "./history.ts";
import type { PriceList } from "./list.ts";
import { previewOf } from "./preview.ts";
import { Shelf, takeShipped } from "./shelf.ts";
import { readShipped } from "./snapshot.ts";

const nowMs = Date.parse("2026-11-21");

function read(source: string, file: object): PriceList {
  return readFile(JSON.stringify(file), { format: null, source, published: null }).list;
}

function taken({ source, version, records, discounts, choices }: PriceList, knownMs: number): TakenList {
  const size = records.length + discounts.length + choices.length;
  return { source, version, hash: `${source}${knownMs}`, knownMs, takenMs: knownMs, own: source === "own", records: size };
}

function historyOf(...lists: readonly PriceList[]): History {
  return createHistory(
    lists.map((list, index) => ({ taken: taken(list, index + 1), list })),
    {},
  );
}

const price = (model: string, input: string, rest: object = {}) => ({ provider: "house", model, perMillion: { input }, ...rest });

describe("what a list would change", () => {
  it("is looked for only among the models of which it says something else", async () => {
    const before = Array.from({ length: 500 }, (_, index) => price(`model-${index}`, "1"));
    const [old, now] = [read("own", { prices: before }), read("own", { prices: before.with(7, price("model-7", "2")) })];
    const history = historyOf(old);
    const asked: string[] = [];
    const book = history.at(null);
    const counted: History = {
      ...history,
      at: () => ({ ...book, slices: (query) => (asked.push(query.model), book.slices(query)) }),
    };
    const { changes } = await previewOf(now, taken(now, nowMs), counted, nowMs);
    expect(changes).toMatchObject([{ model: "model-7", before: "1", after: "2" }]);
    expect(asked).toEqual(["model-7"]);
  });

  it("is odd where it is new, and not where the same was odd before", async () => {
    const odd = price("odd", "5000000");
    const old = read("own", { prices: [odd] });
    const warned = async (now: PriceList) => {
      const { warnings } = await previewOf(now, taken(now, nowMs), historyOf(old), nowMs);
      return [...new Set(warnings.map(({ model }) => model))];
    };
    expect(await warned(read("own", { prices: [odd, price("other", "6000000")] }))).toEqual(["other"]);
    expect(await warned(read("own", { prices: [price("odd", "7000000")] }))).toEqual(["odd"]);
    expect(await warned(read("another", { prices: [odd] }))).toEqual(["odd"]);
  });

  it("names each model that a wildcard or an account's discount bears on, and a price of a time that is over", async () => {
    const base = read("other", { prices: [price("a-1", "1"), price("a-2", "2"), price("b-1", "3")] });
    const history = createHistory([{ taken: taken(base, 1), list: base }], { account: ["house"] });
    const told = async (file: object) => {
      const list = read("own", file);
      const { changes } = await previewOf(list, taken(list, nowMs), history, nowMs);
      return changes.map(({ provider, model, class: name, before, after }) => [`${provider}/${model}`, name, before, after].join(" "));
    };
    expect(await told({ prices: [price("a-*", "9")] })).toEqual(["house/a-1 input 1 9", "house/a-2 input 2 9"]);
    expect(await told({ discounts: [{ provider: "account", model: "b-*", times: "0.5" }] })).toEqual(["account/b-1 input 3 1.5"]);
    expect(await told({ prices: [price("a-1", "9", { from: "2026-01-01", to: "2026-02-01" })] })).toEqual(["house/a-1 input 1 9"]);
    expect(await told({ prices: [price("new-*", "9")] })).toEqual(["house/new-* input  9"]);
  });

  it("is what looking at every model of every list finds", async () => {
    const usd = fc.constantFrom("1", "2", "3");
    const entry = fc.record({ model: fc.constantFrom("a-1", "a-2", "b-1", "a-*", "*"), usd });
    const file = fc.record({
      prices: fc.uniqueArray(entry, { selector: ({ model }) => model, maxLength: 4 }),
      discount: fc.option(fc.constantFrom("0.5", "0.8")),
      choice: fc.option(fc.constantFrom("other", "base")),
    });
    // Another file, or the same with a price changed: of a wildcard it is that of other names as well.
    const pair = fc.oneof(
      fc.tuple(file, file),
      fc.tuple(file, fc.nat({ max: 3 }), usd).map(([one, at, changed]) => {
        const prices = one.prices.map((price, index) => (index === at ? { ...price, usd: changed } : price));
        return [one, { ...one, prices }] as const;
      }),
    );
    const toList = (source: string, { prices, discount, choice }: typeof file extends fc.Arbitrary<infer File> ? File : never) =>
      read(source, {
        prices: prices.map((one) => price(one.model, one.usd)),
        discounts: discount === null ? [] : [{ provider: "house", times: discount }],
        choices: choice === null ? [] : [{ provider: "house", model: "*", source: choice }],
      });
    const other = read("other", { prices: [price("a-1", "7"), price("b-1", "8"), price("c-1", "9")] });
    await fc.assert(
      fc.asyncProperty(pair, fc.boolean(), async ([one, two], isOwn) => {
        const source = isOwn ? "own" : "mine";
        const [old, now] = [toList(source, one), toList(source, two)];
        const history = historyOf(other, old);
        const standing = { taken: taken(now, nowMs), list: now };
        const names = [other, old, now].flatMap(({ records }) => records.map(({ model }) => model)).filter((model) => !model.includes("*"));
        const all = names.map((model) => ({ provider: "house", model, tier: "standard", region: null }));
        const { changes } = await previewOf(now, standing.taken, history, nowMs);
        expect(changes).toEqual(diffBooks(history.at(null), createHistory([...history.lists, standing], {}).at(null), all, nowMs));
      }),
      { numRuns: 200 },
    );
  });
});

const path = fileURLToPath(new URL("../../../shared/data/prices/litellm_2026_07_24.json", import.meta.url));
const isHere = existsSync(path);

describe.skipIf(!isHere)(isHere ? "a public map of 2,900 models" : "skipped: ../shared/data is not here", () => {
  it("is looked at and taken while calls pass", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pennyworth-preview-"));
    const shipped = readShipped();
    const standing = takeShipped(shipped, 0).map((one, index) => ({ taken: one, list: shipped[index] as PriceList }));
    const history = createHistory(standing, {});
    const desk = createDesk({ history, shelf: new Shelf(folder), waiting: [], pricesOf: {}, now: () => nowMs, record: () => undefined });
    const options = { format: null, source: null, published: null } as const;
    const text = readFileSync(path, "utf8");
    let longestMs = 0;
    const stop = new AbortController();
    // Processor time of this process: how busy the machine is does not count.
    const others = (async () => {
      for (let last = process.cpuUsage(); !stop.signal.aborted; last = process.cpuUsage()) {
        await setImmediate();
        const { user, system } = process.cpuUsage(last);
        longestMs = Math.max(longestMs, (user + system) / 1000);
      }
    })();
    const { changes } = await desk.preview(text, options);
    await desk.takeFile(text, options, null);
    const query = { provider: "openai", model: "gpt-4o", tier: null, region: null, atMs: nowMs, knownMs: null };
    expect(desk.find(query)).not.toBeNull();
    stop.abort();
    await others;
    rmSync(folder, { recursive: true });
    expect(changes.length).toBeGreaterThan(1000);
    // Some 50 ms, most of it the collector's; all in one it was more than 800.
    expect(longestMs).toBeLessThan(200);
  }, 120_000);
});
