import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { TakenList } from "../core/entry.ts";
import { createDesk, openLists } from "./desk.ts";
import { createHistory } from "./history.ts";
import { readSettings } from "./settings.ts";
import { readLists, Shelf } from "./shelf.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const start = Date.parse("2026-11-01T00:00:00Z");
const dayMs = 86_400_000;

/** `open` is what a start does; each change is a day after the last one. */
function ledger(settings: Parameters<typeof readSettings>[0] = []) {
  const folder = mkdtempSync(join(tmpdir(), "pennyworth-unset-"));
  folders.push(folder);
  const journal: TakenList[] = [];
  let nowMs = start;
  const now = () => (nowMs += dayMs);
  return () => {
    const shelf = new Shelf(folder);
    const record = ({ list }: { readonly list: TakenList }): void => void journal.push(list);
    const before = readLists(shelf, [...journal]);
    const { standing, waiting } = openLists(before.standing, before.waiting, readSettings(settings), shelf, now(), record);
    const history = createHistory(standing, {});
    return createDesk({ history, shelf, waiting, pricesOf: {}, now, record });
  };
}

type Desk = ReturnType<typeof createDesk>;

/** Dollars for a million tokens of input. */
function inputOf(desk: Desk, model: string, { tier = null, knownMs = null }: { tier?: string | null; knownMs?: number | null } = {}) {
  const found = desk.find({ provider: "openai", model, tier, region: null, atMs: Date.UTC(2027, 0, 2), knownMs });
  const line = found?.lines.find((one) => one.class === "input" && one.aboveTokens === 0);
  return line === undefined ? null : Number(line.ratePico) / Number(line.ratePer) / 1e6;
}

const all = { tier: null, region: null, fromMs: null };
const gpt = { provider: "openai", model: "gpt-4o", ...all };

describe("what is taken back", () => {
  it("gives the model back to the lists, from then on and after a restart; what was known stays known", async () => {
    const open = ledger();
    const desk = open();
    const listed = inputOf(desk, "gpt-4o");
    await desk.set(
      "prices: [{provider: openai, model: gpt-4o, perMillion: {input: 25}}, {provider: openai, model: gpt-4.1, perMillion: {input: 7}}]",
    );
    const between = Math.max(...desk.lists().map(({ taken }) => taken?.knownMs ?? 0));
    expect([listed, inputOf(desk, "gpt-4o")]).toEqual([2.5, 25]);
    const made = await desk.unset({ ...gpt, provider: "OpenAI", model: "GPT-4o" });
    expect(made.undone).toEqual({ prices: 1, discounts: 0, choices: 0 });
    expect(made.changes).toContainEqual(expect.objectContaining({ model: "gpt-4o", class: "input", before: "25", after: "2.5" }));
    for (const one of [desk, open()]) {
      expect([inputOf(one, "gpt-4o"), inputOf(one, "gpt-4.1")]).toEqual([2.5, 7]);
      expect(inputOf(one, "gpt-4o", { knownMs: between })).toBe(25);
    }
    // The last of them: an empty list is in force, and stands after a restart.
    await desk.unset({ ...gpt, model: "gpt-4.1" });
    expect(inputOf(open(), "gpt-4.1")).toBe(2);
  });

  it("is narrowed by tier and start", async () => {
    const desk = ledger()();
    await desk.set("prices: [{provider: openai, model: gpt-4o, perMillion: {input: 3}}]");
    await desk.set(`prices:
  - { provider: openai, model: gpt-4o, from: 2027-01-01, perMillion: { input: 4 } }
  - { provider: openai, model: gpt-4o, tier: batch, perMillion: { input: 1 } }
choices: [{ provider: openai, model: gpt-4o, source: tiers }]`);
    expect((await desk.unset({ ...gpt, fromMs: Date.UTC(2027, 0) })).undone).toEqual({ prices: 1, discounts: 0, choices: 0 });
    expect([inputOf(desk, "gpt-4o"), inputOf(desk, "gpt-4o", { tier: "batch" })]).toEqual([3, 1]);
    await desk.unset({ ...gpt, tier: "batch" });
    expect([inputOf(desk, "gpt-4o"), inputOf(desk, "gpt-4o", { tier: "batch" })]).toEqual([3, 1.5]);
    expect((await desk.unset(gpt)).undone).toEqual({ prices: 1, discounts: 0, choices: 1 });
    expect(inputOf(desk, "gpt-4o")).toBe(2.5);
  });

  it("is a rule with wildcards in its own words, and a discount", async () => {
    const desk = ledger()();
    await desk.set("prices: [{provider: openai, model: gpt-4*, perMillion: {input: 9}}]\ndiscounts: [{provider: openai, times: 0.5}]");
    expect(desk.find({ ...gpt, atMs: start, knownMs: null })?.rule).toContain("own price: gpt-4*");
    await expect(desk.unset(gpt)).rejects.toThrow(/no price .* of openai\/gpt-4o\..*openai\/gpt-4\*/);
    await desk.unset({ ...gpt, model: "gpt-4*" });
    expect(inputOf(desk, "gpt-4o")).toBe(1.25);
    expect((await desk.unset({ ...gpt, model: "*" })).undone).toEqual({ prices: 0, discounts: 1, choices: 0 });
    expect(inputOf(desk, "gpt-4o")).toBe(2.5);
  });

  it("is refused where there is nothing, with what may have been meant", async () => {
    const desk = ledger([{ provider: "openai", model: "gpt-5", perMillion: { input: "1" } }])();
    await expect(desk.unset(gpt)).rejects.toThrow("You have set no price and made no choice of openai/gpt-4o. Nothing is set.");
    await expect(desk.unset({ ...gpt, model: "gpt-5" })).rejects.toThrow(/stands in the settings/);
    await desk.set("prices: [{provider: openai, model: gpt-4o, perMillion: {input: 3}}]");
    await expect(desk.unset({ ...gpt, model: "gpt-4p" })).rejects.toThrow(/Near it: openai\/gpt-4o\./);
    await expect(desk.unset({ ...gpt, tier: "batch" })).rejects.toThrow(/of openai\/gpt-4o, tier batch\..*leave out --tier/);
    expect(inputOf(desk, "gpt-4o")).toBe(3);
  });
});
