import { describe, expect, it } from "vitest";
import { bookOf } from "../core/book.fixture.ts";
import { readConfig } from "../config.ts";
import { rate } from "../core/rating.ts";
import type { Quantities } from "../core/usage.ts";
import { impliedRecords, toMachines } from "./machines.ts";
import { readSettings } from "./settings.ts";

const machine = { name: "gpu", provider: "vllm", models: ["Qwen/*"], perHour: "2.50", from: "2026-11-01T06:30Z", to: "2026-12-01" };
const priced = { provider: "vllm", model: "qwen/qwen3-8b", perMillion: { input: "0.1", output: "0.2" } };

function charged(flags: object, model: string, at: string, quantities: Quantities = { input: 1_000_000, output: 1_000_000 }) {
  const { prices, machines } = readConfig(undefined, { ...flags }, {}).settings;
  const book = bookOf({ own: readSettings(prices, machines).records });
  const call = { provider: "vllm", modelAsked: model, modelAnswered: null, tier: null, region: null, atMs: Date.parse(at) };
  const usage = { parts: [{ kind: "message", model: null, quantities }], source: "reported", doubts: [], raw: null } as const;
  const { charges, unpriced } = rate(book, call, usage);
  return { lines: charges.map((one) => `${one.price} ${one.costPico}`), unpriced };
}

describe("tokens of a machine's models", () => {
  it("cost nothing by themselves, and say whose hours pay for them", () => {
    const { lines, unpriced } = charged({ machines: [machine] }, "Qwen/Qwen3-8B", "2026-11-21");
    expect(unpriced).toEqual([]);
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^machine-gpu@[0-9a-f]{12}\/vllm\/Qwen\/\*#(input|output) 0$/);
  });

  it("are unpriced where the machine does not serve them, or is not there", () => {
    expect(charged({ machines: [machine] }, "llama", "2026-11-21").unpriced).toEqual(["input", "output"]);
    expect(charged({ machines: [machine] }, "Qwen/Qwen3-8B", "2026-11-01T06:29Z").unpriced).toEqual(["input", "output"]);
    expect(charged({ machines: [machine] }, "Qwen/Qwen3-8B", "2026-12-01").unpriced).toEqual(["input", "output"]);
    expect(charged({ machines: [machine] }, "Qwen/Qwen3-8B", "2026-11-21", { web_search: 1 }).unpriced).toEqual(["web_search"]);
  });

  it("have the price that the user gives where there is one", () => {
    const { lines } = charged({ machines: [machine], prices: [priced] }, "Qwen/Qwen3-8B", "2026-11-21");
    expect(lines).toEqual([expect.stringMatching(/^own@.*#input 100000000000$/), expect.stringMatching(/^own@.*#output 200000000000$/)]);
  });

  it("keep their version while only the money of the machine changes", () => {
    const { machines } = readConfig(undefined, { machines: [machine] }, {}).settings;
    const { machines: dearer } = readConfig(undefined, { machines: [{ ...machine, perHour: "9", count: 2 }] }, {}).settings;
    expect(impliedRecords(dearer)).toEqual(impliedRecords(machines));
    expect(toMachines(dearer)).toMatchObject([
      { perHour: "9", count: 2, fromMs: Date.UTC(2026, 10, 1, 6, 30), toMs: Date.UTC(2026, 11, 1) },
    ]);
    expect(readSettings([], dearer).version).toBe(readSettings([], machines).version);
  });
});

function own(perHour: object): object {
  return { prices: [{ provider: "vllm", model: "*", perHour }] };
}

describe("prices of time", () => {
  it("are by the hour, and counted in the class's own unit", () => {
    // An hour and a half: 5,400,000 ms at 2.40.
    expect(charged(own({ compute: "2.40" }), "m", "2026-11-21", { compute: 5_400_000 }).lines).toEqual([
      expect.stringMatching(/#compute 3600000000000$/),
    ]);
    expect(() => charged(own({ input: "1" }), "m", "2026-11-21")).toThrow(/perHour\.input is not counted in time/);
  });
});
