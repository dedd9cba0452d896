import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { TakenList } from "../core/entry.ts";
import { PennyworthError } from "../error.ts";
import { createDesk, openLists, ownMax } from "./desk.ts";
import { createHistory } from "./history.ts";
import { readSettings } from "./settings.ts";
import { readLists, Shelf } from "./shelf.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const start = Date.parse("2026-11-01T00:00:00Z");

/** A data folder and what a journal would hold; `open` is what a start does. */
function ledger() {
  const folder = mkdtempSync(join(tmpdir(), "pennyworth-prices-"));
  folders.push(folder);
  const journal: TakenList[] = [];
  let nowMs = start;
  const open = (settings: Parameters<typeof readSettings>[0] = []) => {
    const shelf = new Shelf(folder);
    const record = ({ list }: { readonly list: TakenList }): void => void journal.push(list);
    const before = readLists(shelf, [...journal]);
    const { standing, waiting } = openLists(before.standing, before.waiting, readSettings(settings), shelf, nowMs, record);
    const history = createHistory(standing, {});
    return { history, desk: createDesk({ history, shelf, waiting, pricesOf: {}, now: () => nowMs, record }) };
  };
  return { folder, journal, open, pass: (days: number) => (nowMs += days * 86_400_000), now: () => nowMs };
}

const gpt = { provider: "openai", model: "gpt-4o", tier: null, region: null, atMs: start, knownMs: null };

const own = (usd: string) => [{ provider: "openai", model: "gpt-4o", perMillion: { input: usd } }];

describe("a new ledger", () => {
  it("takes all that is shipped, once", () => {
    const { journal, open } = ledger();
    open();
    const first = journal.length;
    expect(journal.map(({ source }) => source)).toContain("genai-prices");
    open();
    expect(journal).toHaveLength(first);
  });

  it("keeps the settings' prices as they were known, and takes changed ones from then on", () => {
    const { journal, open, pass } = ledger();
    open(own("1"));
    pass(3);
    const { desk } = open(own("2"));
    expect(journal.filter(({ source }) => source === "settings")).toHaveLength(2);
    const input = (knownMs: number | null) => desk.find({ ...gpt, knownMs })?.lines.find((line) => line.class === "input");
    expect(input(start)?.ratePico).not.toBe(input(null)?.ratePico);
    expect(desk.source(input(start)?.version ?? "")).toContain("your own prices");
    pass(1);
    open([]);
    expect(journal.at(-1)).toMatchObject({ source: "settings", records: 0 });
  });
});

describe("own prices", () => {
  it("are added, replaced by place, known from then on, and there after a restart", async () => {
    const { open, pass, now } = ledger();
    const { desk } = open();
    await desk.set("prices: [{provider: house, model: llama, perMillion: {input: 0.1, output: 0.2}}]");
    const firstMs = now();
    pass(2);
    await desk.set("prices: [{provider: house, model: llama, perMillion: {input: 0.3, output: 0.2}}]");
    pass(2);
    await desk.set("prices: [{provider: house, model: other, perMillion: {input: 1}}]");
    const after = open().desk;
    const of = (model: string, knownMs: number | null) =>
      after.find({ ...gpt, provider: "house", model, atMs: now(), knownMs })?.lines.find((line) => line.class === "input")?.ratePico;
    expect(Number(of("llama", null)) / Number(of("llama", firstMs))).toBeCloseTo(3);
    expect(of("other", firstMs)).toBeUndefined();
    expect(of("other", null)).toBeDefined();
    expect(after.lists().filter(({ source }) => source === "own")).toMatchObject([
      { superseded: false },
      { superseded: true },
      { superseded: true },
    ]);
  });

  it("shows what a file would change before anything does", async () => {
    const { open, journal } = ledger();
    const { desk } = open();
    const before = journal.length;
    const preview = await desk.preview("prices: [{provider: openai, model: gpt-4o, perMillion: {input: 9}}]", {
      format: null,
      source: "own",
      published: null,
    });
    expect(preview.changes).toContainEqual(
      expect.objectContaining({ provider: "openai", model: "gpt-4o", class: "input", before: "2.5", after: "9" }),
    );
    expect(journal).toHaveLength(before);
  });

  it("a source is dropped, and one that is not known is refused", async () => {
    const { open } = ledger();
    const { desk } = open();
    await desk.set("prices: [{provider: house, model: llama, perMillion: {input: 0.1}}]");
    await desk.drop("own");
    expect(desk.find({ ...gpt, provider: "house", model: "llama" })).toBeNull();
    await expect(desk.drop("nobody")).rejects.toThrow(/nobody.*Known: genai-prices/);
  });
});

it("what the lists alone say is what they said before own prices and discounts, choices heeded", async () => {
  const { open, pass } = ledger();
  const { desk } = open();
  const input = (found: ReturnType<typeof desk.find>) => found?.lines.find((line) => line.class === "input")?.ratePico;
  const before = input(desk.find(gpt));
  pass(1);
  await desk.set("prices: [{provider: openai, model: gpt-4o, perMillion: {input: 0.5}}]\ndiscounts: [{provider: openai, times: 0.5}]");
  expect(input(desk.find(gpt))).toBe(500_000n);
  expect(input(desk.listed(null).find(gpt))).toBe(before);
  expect(desk.listed(null).history(gpt)?.length).toBe(1);
  pass(1);
  const { list } = await desk.preview("prices: [{provider: openai, model: gpt-4o, perMillion: {input: 0.7}}]", {
    format: null,
    source: "other",
    published: null,
  });
  await desk.take(list, null);
  await desk.set("choices: [{provider: openai, model: gpt-4o, source: other}]");
  expect(input(desk.listed(null).find(gpt))).toBe(700_000n);
  expect(input(desk.find(gpt))).toBe(500_000n);
});

it("a source that is shipped is left out as well, from then on", async () => {
  const { open, pass, now } = ledger();
  const { desk } = open();
  pass(1);
  await desk.drop("genai-prices");
  const input = (knownMs: number | null) => desk.find({ ...gpt, knownMs })?.lines.find((line) => line.class === "input");
  expect(input(null)).toBeUndefined();
  expect(input(now() - 1)).toBeDefined();
  expect(desk.lists().filter(({ source, taken, records }) => source === "genai-prices" && taken !== null && records > 0)).toMatchObject([
    { superseded: true },
  ]);
  // It holds after a restart, which does not take it again.
  expect(
    open()
      .desk.find(gpt)
      ?.lines.some((line) => line.class === "input") ?? false,
  ).toBe(false);
  // And waits, here and after a restart, until it is taken again.
  for (const one of [desk, open().desk])
    expect(one.lists().filter(({ taken }) => taken === null)).toMatchObject([{ source: "genai-prices" }]);
  pass(1);
  await desk.take(desk.readWaiting("genai-prices"), null);
  expect(input(null)).toBeDefined();
  expect(
    open()
      .desk.find(gpt)
      ?.lines.some((line) => line.class === "input"),
  ).toBe(true);
  expect(desk.lists().some(({ taken }) => taken === null)).toBe(false);
});

describe("what would have no effect, or another than was meant", () => {
  const options = { format: null, source: null, published: null };

  it("a model in other letters is the same model", async () => {
    const { desk } = ledger().open();
    await desk.set("prices: [{provider: openai, model: O3-Mini, perMillion: {input: 5}}]");
    await desk.set("prices: [{provider: openai, model: o3-mini, perMillion: {input: 6}}]");
    expect(
      desk.models({ atMs: start + 2, knownMs: null, provider: "openai", search: "o3-mini" }).find((one) => one.sources[0] === "own")?.prices
        .input,
    ).toBe("6");
  });

  it("a choice of a list that is not there is refused", async () => {
    const { desk } = ledger().open();
    await expect(desk.set("choices: [{provider: openai, model: gpt-4o, source: nobody}]")).rejects.toThrow(
      /no list of nobody.*genai-prices/,
    );
  });

  it("a file of one's own is added to what was set, and takes nothing away", async () => {
    const { desk } = ledger().open();
    await desk.set("prices: [{provider: house, model: one, perMillion: {input: 5}}]");
    const { list } = await desk.preview("prices: [{provider: house, model: two, perMillion: {input: 6}}]", options);
    await desk.take(list, null);
    const of = (model: string) => desk.find({ ...gpt, provider: "house", model }) !== null;
    expect([of("one"), of("two")]).toEqual([true, true]);
  });

  it("cannot be known since a time that is over: what was set since would be gone", async () => {
    const { desk } = ledger().open();
    const { list } = await desk.preview("prices: [{provider: house, model: two, perMillion: {input: 6}}]", options);
    await expect(desk.take(list, start - 1)).rejects.toThrow(/known from when they are set/);
  });

  it.each(["settings", "genai-prices", "tiers"])("a file cannot speak for %s", async (source) => {
    const { desk } = ledger().open();
    const preview = async () => desk.preview("prices: [{provider: house, model: two, perMillion: {input: 6}}]", { ...options, source });
    await expect(preview()).rejects.toThrow(/Pennyworth's own name/);
  });
});

const rows = (from: number, count: number) =>
  JSON.stringify({
    prices: Array.from({ length: count }, (_, index) => ({ provider: "house", model: `m-${from + index}`, perMillion: { input: "1" } })),
  });

describe("many prices of one's own", () => {
  const options = { format: null, source: "own", published: null } as const;

  it("are bounded, however they come, and may come as a list of their own", async () => {
    const { desk } = ledger().open();
    await desk.set(rows(0, ownMax));
    const refused = {
      code: "prices_invalid",
      message: expect.stringMatching(/5001 .* 5000 is the most: give the file a source of its own/) as string,
    };
    await expect(desk.set(rows(ownMax, 1))).rejects.toMatchObject(refused);
    await expect(desk.preview(rows(ownMax, 1), options)).rejects.toMatchObject(refused);
    await expect(desk.takeFile(rows(ownMax, 1), options, null)).rejects.toMatchObject(refused);
    await desk.set(rows(0, 1));
    await desk.takeFile(rows(0, ownMax + 1), { ...options, source: "house" }, null);
    expect(desk.lists()).toContainEqual(expect.objectContaining({ source: "house", records: ownMax + 1, superseded: false }));
  });

  it("that are set at once are all there, and a past list is not kept in memory", async () => {
    const { desk, history } = ledger().open();
    await Promise.all([desk.set(rows(1, 1)), desk.takeFile(rows(2, 1), options, null), desk.set(rows(3, 1))]);
    expect([1, 2, 3].map((one) => desk.find({ ...gpt, provider: "house", model: `m-${one}` }) !== null)).toEqual([true, true, true]);
    expect(desk.lists().filter(({ source }) => source === "own")).toMatchObject([{ records: 1 }, { records: 2 }, { records: 3 }]);
    const isKept = history.lists
      .filter(({ taken }) => taken.source === "own")
      .map((one) => Object.getOwnPropertyDescriptor(one, "list")?.value !== undefined);
    expect(isKept).toEqual([false, false, true]);
  });

  it("a large file that is wrong is refused with its line", async () => {
    const { desk } = ledger().open();
    const text = `prices:\n${"  - {provider: house, model: m, perMillion: {input: 1}}\n".repeat(200)}  - {provider: house}\n`;
    await expect(desk.preview(text, options)).rejects.toMatchObject({
      code: "prices_invalid",
      message: expect.stringContaining("line 202") as string,
    });
  });
});

describe("lists on disk", () => {
  it("that were changed are found out", async () => {
    const { folder, open } = ledger();
    await open().desk.set("prices: [{provider: house, model: llama, perMillion: {input: 0.1}}]");
    const [name = ""] = readdirSync(join(folder, "prices"));
    const file = join(folder, "prices", name);
    writeFileSync(file, readFileSync(file, "utf8").replace("0.1", "0.2"));
    expect(() => open()).toThrow(PennyworthError);
    expect(() => open()).toThrow(/hash/);
  });
});

describe("models", () => {
  it("are listed with their prices, sources and where sources differ", async () => {
    const { open } = ledger();
    const { desk } = open();
    await desk.set("prices: [{provider: openai, model: gpt-4o, perMillion: {input: 3}}]");
    const [model, ...others] = desk
      .models({ atMs: start + 1, knownMs: null, provider: "openai", search: "gpt-4o" })
      .filter((one) => one.model === "gpt-4o");
    expect(others).toEqual([]);
    expect(model).toMatchObject({ sources: ["own", "genai-prices", "tiers"], prices: { input: "3", output: "10" }, disputed: ["input"] });
    const [input] = desk.disputes(gpt).filter((dispute) => dispute.class === "input");
    expect(input).toMatchObject({
      lowest: "2.5",
      highest: "3",
      said: [
        { source: "own", usd: "3" },
        { source: "genai-prices", usd: "2.5" },
      ],
    });
  });
});
