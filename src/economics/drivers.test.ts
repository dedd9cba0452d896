import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUsd, type Pico, sum, toPico } from "../core/money.ts";
import type { CellPeriod } from "./chain.ts";
import { type DriverCell, type DriverFactor, type Drivers, driverFactors, driversOf, type OtherCharge, type TypeTasks } from "./drivers.ts";

/** First tries, calls, tokens; then micro-dollars: at the reference uncached, with the cache, at the list in force, charged. */
type Row = readonly [number, number, number, number | null, number | null, number | null, number];

function micro(dollars: number): Pico {
  return toPico(BigInt(dollars) * 1_000_000n);
}

function usage([firstTries, calls, tokens, noCache, withCache, list, charged]: Row): CellPeriod {
  return {
    firstTries,
    calls,
    tokens,
    atReference: noCache === null || withCache === null ? null : { noCachePico: micro(noCache), withCachePico: micro(withCache) },
    listPico: list === null ? null : micro(list),
    chargedPico: micro(charged),
  };
}

function cell(key: string, before: Row | null, after: Row | null, type: string | null = "ticket"): DriverCell {
  return { type, key, before: before === null ? null : usage(before), after: after === null ? null : usage(after) };
}

/** The lines that are not zero, in dollars. */
function moved(drivers: Drivers): Partial<Record<DriverFactor, number>> {
  return Object.fromEntries(drivers.lines.filter((line) => line.pico !== 0n).map((line) => [line.factor, Number(line.pico) / 1e12]));
}

function crossed(drivers: Drivers): Partial<Record<DriverFactor, number>> {
  return Object.fromEntries(drivers.shapley.filter((line) => line.pico !== 0n).map((line) => [line.factor, Number(line.pico) / 1e12]));
}

function lineOf(drivers: Drivers, factor: DriverFactor): number {
  return Number(drivers.lines.find((line) => line.factor === factor)?.pico);
}

function requireExact(drivers: Drivers): void {
  expect(drivers.changePico).toBe(drivers.afterPico - drivers.beforePico);
  expect(drivers.lines.map((line) => line.factor)).toEqual([...driverFactors]);
  expect(sum(drivers.lines.map((line) => line.pico))).toBe(drivers.changePico);
  expect(sum(drivers.shapley.map((line) => line.pico))).toBe(drivers.changePico);
  let at = drivers.beforePico;
  for (const line of drivers.lines) {
    expect(line.fromPico).toBe(at);
    expect(line.toPico - line.fromPico).toBe(line.pico);
    expect(sum([...line.byKey.map((part) => part.pico), line.restPico])).toBe(line.pico);
    at = line.toPico;
  }
  expect(at).toBe(drivers.afterPico);
}

describe("the reference's vector, through tasks, tokens and lists", () => {
  // 1,000 tasks become 1,200; A goes from .8 of them to .6, B from .2 to .4; 1,000 and 2,000 tokens a task become 1,100 and 1,800; B's price falls
  // from 15 to 10 dollars a million.
  const cells = [
    cell(
      "a",
      [800, 800, 800_000, 2_400_000, 2_400_000, 2_400_000, 2_400_000],
      [720, 720, 792_000, 2_376_000, 2_376_000, 2_376_000, 2_376_000],
      "A",
    ),
    cell(
      "b",
      [200, 200, 400_000, 6_000_000, 6_000_000, 6_000_000, 6_000_000],
      [480, 480, 864_000, 12_960_000, 12_960_000, 8_640_000, 8_640_000],
      "B",
    ),
  ];
  const tasks = [
    { type: "A", before: 800, after: 720 },
    { type: "B", before: 200, after: 480 },
  ];
  const drivers = driversOf(cells, tasks, []);

  it("LMDI golden vector: 8.4 becomes 11.016 dollars", () => {
    expect([drivers.beforePico, drivers.afterPico, drivers.changePico]).toEqual([parseUsd("8.4"), parseUsd("11.016"), parseUsd("2.616")]);
    const lines = moved(drivers);
    expect(Object.keys(lines)).toEqual(["volume", "type_mix", "tokens_per_call", "price_list"]);
    expect(lines.volume).toBeCloseTo(1.75538, 6);
    expect(lines.type_mix).toBeCloseTo(4.331376, 6);
    expect(lines.tokens_per_call).toBeCloseTo(-0.535207, 6);
    expect(lines.price_list).toBeCloseTo(-2.935549, 6);
    requireExact(drivers);
  });

  it("Shapley golden vector, and the widest gap between the two", () => {
    const lines = crossed(drivers);
    expect(lines.volume).toBeCloseTo(1.83, 10);
    expect(lines.type_mix).toBeCloseTo(4.509333, 6);
    expect(lines.tokens_per_call).toBeCloseTo(-0.58, 10);
    expect(lines.price_list).toBeCloseTo(-3.143333, 6);
    expect(drivers.maxGap.factor).toBe("price_list");
    expect(Number(drivers.maxGap.pico) / 1e12).toBeCloseTo(0.207784, 6);
  });
});

describe("where one thing changes, all of the change is its own, by both methods", () => {
  const was: Row = [100, 110, 22_000, 800, 600, 600, 480];
  it.each<[DriverFactor, Row, number, number]>([
    ["volume", [300, 330, 66_000, 2400, 1800, 1800, 1440], 150, 960],
    ["calls_per_task", [200, 220, 44_000, 1600, 1200, 1200, 960], 50, 480],
    ["retries", [100, 165, 33_000, 1200, 900, 900, 720], 50, 240],
    ["tokens_per_call", [100, 110, 11_000, 400, 300, 300, 240], 50, -240],
    ["token_kind", [100, 110, 22_000, 1600, 1200, 1200, 960], 50, 480],
    ["cache", [100, 110, 22_000, 800, 400, 400, 320], 50, -160],
    ["price_list", [100, 110, 22_000, 800, 600, 900, 720], 50, 240],
    ["tier_and_discount", [100, 110, 22_000, 800, 600, 600, 300], 50, -180],
    ["tier_and_discount", [100, 110, 22_000, 800, 600, 600, 0], 50, -480],
  ])("%s: %j of %i tasks, %i micro-dollars", (factor, is, tasks, change) => {
    const drivers = driversOf([cell("x", was, is)], [{ type: "ticket", before: 50, after: tasks }], []);
    expect(moved(drivers)).toEqual({ [factor]: change / 1e6 });
    expect(crossed(drivers)).toEqual({ [factor]: change / 1e6 });
    expect(drivers.lines.find((line) => line.factor === factor)?.byKey).toEqual([{ type: "ticket", key: "x", pico: drivers.changePico }]);
    requireExact(drivers);
  });

  it("shares of task types, and of models within a type", () => {
    const [cheap, dear]: [Row, Row] = [
      [10, 10, 1000, 10, 10, 10, 10],
      [10, 10, 1000, 90, 90, 90, 90],
    ];
    const twice = (row: Row): Row => row.map((value) => (value ?? 0) * 2) as unknown as Row;
    const cells = (type: string): DriverCell[] => [cell("cheap", twice(cheap), cheap, "ticket"), cell("dear", dear, twice(dear), type)];
    const types = driversOf(
      cells("code"),
      [
        { type: "ticket", before: 20, after: 10 },
        { type: "code", before: 10, after: 20 },
      ],
      [],
    );
    expect(moved(types)).toEqual({ type_mix: 80e-6 });
    expect(moved(driversOf(cells("ticket"), [{ type: "ticket", before: 30, after: 30 }], []))).toEqual({ model_mix: 80e-6 });
  });
});

it("two cells in which everything changes, by the formula written out", () => {
  const rows: Record<string, [Row, Row]> = {
    a: [
      [700, 770, 1_540_000, 4_620_000, 3_000_000, 3_000_000, 2_700_000],
      [990, 1_200, 2_160_000, 7_000_000, 4_100_000, 3_700_000, 3_100_000],
    ],
    b: [
      [300, 310, 900_000, 9_000_000, 8_000_000, 8_000_000, 8_000_000],
      [510, 600, 1_500_000, 17_000_000, 12_000_000, 13_000_000, 11_000_000],
    ],
  };
  const tasks: [number, number] = [500, 600];
  const firsts: [number, number] = [1000, 1500];
  const names = [
    "volume",
    "calls_per_task",
    "model_mix",
    "retries",
    "tokens_per_call",
    "token_kind",
    "cache",
    "price_list",
    "tier_and_discount",
  ] as const;
  const wanted = names.map((_, at) => {
    let total = 0;
    for (const pair of Object.values(rows)) {
      const factors = pair.map(([first, calls, tokens, noCache, withCache, list, charged], period) => [
        tasks[period] as number,
        (firsts[period] as number) / (tasks[period] as number),
        first / (firsts[period] as number),
        calls / first,
        tokens / calls,
        (noCache as number) / tokens,
        (withCache as number) / (noCache as number),
        (list as number) / (withCache as number),
        charged / (list as number),
      ]);
      const [before, after] = [pair[0][6], pair[1][6]];
      const mean = (after - before) / (Math.log(after) - Math.log(before));
      total += (mean * Math.log((factors[1]?.[at] as number) / (factors[0]?.[at] as number))) / 1e6;
    }
    return total;
  });
  const drivers = driversOf(
    Object.entries(rows).map(([key, [before, after]]) => cell(key, before, after)),
    [{ type: "ticket", before: 500, after: 600 }],
    [],
  );
  const lines = moved(drivers);
  for (const [at, name] of names.entries()) expect(lines[name]).toBeCloseTo(wanted[at] as number, 9);
  expect(Object.keys(lines)).toHaveLength(names.length);
  requireExact(drivers);
});

describe("what was not there, or is there no more", () => {
  const one: Row = [100, 100, 10_000, 500, 500, 500, 500];
  const other: Row = [100, 100, 10_000, 200, 200, 200, 200];
  const still: TypeTasks[] = [{ type: "ticket", before: 100, after: 100 }];

  it("a model replaced by another is model mix, by the limits", () => {
    const drivers = driversOf([cell("old", one, null), cell("new", null, other)], still, []);
    expect(moved(drivers)).toEqual({ model_mix: -300e-6 });
    expect(crossed(drivers)).toEqual({ model_mix: -300e-6 });
    expect(drivers.lines.find((line) => line.factor === "model_mix")?.byKey.map(({ key, pico }) => [key, pico])).toEqual([
      ["old", -500_000_000n],
      ["new", 200_000_000n],
    ]);
  });

  it("a model replaced while its price falls for those who stay", () => {
    const drivers = driversOf(
      [cell("old", one, null), cell("new", null, other), cell("kept", one, [100, 100, 10_000, 500, 500, 300, 300])],
      still,
      [],
    );
    expect(moved(drivers)).toEqual({ model_mix: -300e-6, price_list: -200e-6 });
  });

  it("of a new model in twice the tasks, LMDI leaves all to the mix and Shapley a part to the volume", () => {
    // The type's cost before is the old model's 500; after, the new one's 400 for twice the tasks.
    const drivers = driversOf(
      [cell("old", one, null), cell("new", null, [200, 200, 20_000, 400, 400, 400, 400])],
      [{ type: "ticket", before: 100, after: 200 }],
      [],
    );
    expect(moved(drivers)).toEqual({ model_mix: -100e-6 });
    // By hand, both orders: old (volume first: +500, then −1000; mix first: −500, then 0), new (0, then +400; +200, then +200).
    expect(crossed(drivers)).toEqual({ volume: 350e-6, model_mix: -450e-6 });
    expect(drivers.maxGap).toEqual({ factor: "volume", pico: 350_000_000n });
  });

  it("a task type that begins or ends is a line of its own, and moves neither volume nor mix", () => {
    const drivers = driversOf(
      [cell("x", one, one), cell("x", null, other, "code"), cell("x", other, null, "mail")],
      [...still, { type: "code", before: 0, after: 10 ** 6 }, { type: "mail", before: 5, after: 0 }],
      [],
    );
    expect(moved(drivers)).toEqual({ new_work: 200e-6, stopped_work: -200e-6 });
    requireExact(drivers);
  });

  it("a type whose tasks stop making calls is calls per task", () => {
    expect(moved(driversOf([cell("x", one, null)], still, []))).toEqual({ calls_per_task: -500e-6 });
  });

  it("charges of no call, and credits", () => {
    const charges: OtherCharge[] = [
      { key: "seats", beforePico: parseUsd("20"), afterPico: parseUsd("30") },
      { key: "credit", beforePico: parseUsd("0"), afterPico: parseUsd("-4") },
    ];
    const drivers = driversOf([], [], charges);
    expect(moved(drivers)).toEqual({ other_charges: 6 });
    expect([drivers.beforePico, drivers.afterPico]).toEqual([parseUsd("20"), parseUsd("26")]);
    requireExact(drivers);
  });

  it("nothing at all is nothing moved", () => {
    const drivers = driversOf([], [], []);
    expect(moved(drivers)).toEqual({});
    requireExact(drivers);
  });
});

describe("calls without tasks", () => {
  it("have a volume of their own, which tasks do not dilute", () => {
    const none: [Row, Row] = [
      [10, 10, 1000, 40, 40, 40, 40],
      [30, 30, 3000, 120, 120, 120, 120],
    ];
    const same: Row = [1000, 1000, 1000, 70, 70, 70, 70];
    const drivers = driversOf([cell("x", ...none, null), cell("x", same, same)], [{ type: "ticket", before: 7, after: 7 }], []);
    expect(moved(drivers)).toEqual({ volume: 80e-6 });
    expect(drivers.lines.find((line) => line.factor === "volume")?.byKey).toEqual([{ type: null, key: "x", pico: 80_000_000n }]);
  });

  it("are new work where there were none", () => {
    expect(moved(driversOf([cell("x", null, [1, 1, 1, 5, 5, 5, 5], null)], [], []))).toEqual({ new_work: 5e-6 });
  });
});

describe("what cannot be divided by", () => {
  const main: Row = [100, 100, 10_000, 500, 500, 500, 500];
  const tasks: TypeTasks[] = [{ type: "ticket", before: 100, after: 100 }];
  const change = (before: Row, after: Row): Partial<Record<DriverFactor, number>> => {
    const drivers = driversOf([cell("main", main, main), cell("x", before, after)], tasks, []);
    requireExact(drivers);
    return moved(drivers);
  };

  it.each<[string, Row, Row, Partial<Record<DriverFactor, number>>]>([
    ["a fallback that is tried more often", [0, 10, 1000, 50, 50, 50, 50], [0, 30, 3000, 150, 150, 150, 150], { retries: 100e-6 }],
    ["a fallback that is new", [0, 0, 0, 0, 0, 0, 0], [0, 30, 3000, 150, 150, 150, 150], { retries: 150e-6 }],
    ["calls without tokens, that cost more each", [0, 10, 0, 50, 50, 50, 50], [0, 10, 0, 80, 80, 80, 80], { tokens_per_call: 30e-6 }],
    ["a price that was nothing", [0, 10, 1000, 0, 0, 0, 0], [0, 10, 1000, 0, 0, 70, 70], { price_list: 70e-6 }],
    ["a price that becomes nothing", [0, 10, 1000, 50, 50, 50, 50], [0, 10, 1000, 50, 50, 0, 0], { price_list: -50e-6 }],
    ["no price at the reference list", [0, 10, 1000, 50, 50, 50, 50], [0, 10, 1000, null, null, 90, 90], { unexplained: 40e-6 }],
    ["no list price at all", [0, 10, 1000, 50, 50, 50, 50], [0, 10, 1000, null, null, null, 20], { unexplained: -30e-6 }],
    ["no price in force, but at the reference", [0, 10, 1000, 50, 50, 50, 50], [0, 10, 1000, 80, 80, null, 80], { token_kind: 30e-6 }],
  ])("%s", (_, before, after, wanted) => {
    expect(change(before, after)).toEqual(wanted);
  });

  it("knows what more usage costs where no price is known", () => {
    // Twice the tokens at unknown prices that did not move.
    expect(change([0, 10, 1000, null, null, null, 50], [0, 10, 2000, null, null, null, 100])).toEqual({ tokens_per_call: 50e-6 });
  });

  it("a fallback that becomes the first choice is model mix, and so is the first choice that becomes the fallback", () => {
    const drivers = driversOf(
      [
        cell("old", [100, 100, 10_000, 500, 500, 500, 500], [0, 10, 1000, 50, 50, 50, 50]),
        cell("new", [0, 10, 1000, 20, 20, 20, 20], [100, 100, 10_000, 200, 200, 200, 200]),
      ],
      tasks,
      [],
    );
    expect(moved(drivers)).toEqual({ model_mix: -270e-6 });
  });
});

const count = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 10 ** 9 }));
const amount = fc.oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: 10n ** 6n }), fc.bigInt({ min: 1n, max: 10n ** 24n })).map(toPico);
const period: fc.Arbitrary<CellPeriod | null> = fc.option(
  fc
    .record({
      firstTries: count,
      more: count,
      tokens: count,
      atReference: fc.option(fc.record({ noCachePico: amount, withCachePico: amount })),
      listPico: fc.option(amount),
      chargedPico: amount,
    })
    .map(({ more, ...rest }) => {
      const calls = rest.firstTries + more;
      return Object.assign(rest, { calls }, calls > 0 ? {} : { tokens: 0, chargedPico: toPico(0n) });
    }),
);
const history = fc
  .array(fc.record({ type: fc.constantFrom("a", "b", "c", null), before: period, after: period }), { maxLength: 12 })
  .chain((bare) => {
    const cells = bare.map((one, index): DriverCell => ({ ...one, key: `k${index}` }));
    const least = (type: string, side: "before" | "after"): number =>
      cells.some((one) => one.type === type && (one[side]?.calls ?? 0) > 0) ? 1 : 0;
    const tasks = fc.tuple(
      ...["a", "b", "c"].map((type) =>
        fc.record({
          type: fc.constant(type),
          before: fc.integer({ min: least(type, "before"), max: 10 ** 6 }),
          after: fc.integer({ min: least(type, "after"), max: 10 ** 6 }),
        }),
      ),
    );
    const other = fc.array(fc.record({ key: fc.string(), beforePico: amount, afterPico: amount }), { maxLength: 2 });
    return fc.record({ cells: fc.constant(cells), tasks, other });
  });

describe("any two periods", () => {
  it("add up to the last digit, line by line and key by key, by both methods", () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 4 }), ({ cells, tasks, other }, contributorsMax) => {
        const drivers = driversOf(cells, tasks, other, contributorsMax);
        requireExact(drivers);
        expect(drivers.beforePico).toBe(
          sum([...cells.map((one) => one.before?.chargedPico ?? toPico(0n)), ...other.map((one) => one.beforePico)]),
        );
        for (const line of drivers.lines) expect(line.byKey.length).toBeLessThanOrEqual(contributorsMax);
        for (const [index, line] of drivers.lines.entries()) {
          const gap = line.pico - (drivers.shapley[index]?.pico ?? 0n);
          expect(gap < 0n ? -gap : gap).toBeLessThanOrEqual(drivers.maxGap.pico);
        }
      }),
    );
  });

  it("mirror in time: what begins ends, and the rest turns its sign", () => {
    fc.assert(
      fc.property(history, ({ cells, tasks, other }) => {
        const there = driversOf(cells, tasks, other);
        const back = driversOf(
          cells.map((one) => ({ ...one, before: one.after, after: one.before })),
          tasks.map((one) => ({ ...one, before: one.after, after: one.before })),
          other.map((one) => ({ ...one, beforePico: one.afterPico, afterPico: one.beforePico })),
        );
        const mirror: Partial<Record<DriverFactor, DriverFactor>> = { new_work: "stopped_work", stopped_work: "new_work" };
        const scale = Number(there.beforePico) + Number(there.afterPico);
        for (const factor of driverFactors)
          expect(Math.abs(lineOf(there, factor) + lineOf(back, mirror[factor] ?? factor))).toBeLessThanOrEqual(1e-9 * scale + cells.length);
      }),
    );
  });
});

it("takes ten thousand cells", () => {
  const cells = Array.from({ length: 10_000 }, (_, at) => {
    const row = (of: number): Row => [1 + ((at * of) % 97), 200, 1 + ((at * of) % 9973), 5 + at, 5 + ((at * of) % 4), 3 + of, 2 + of];
    return cell(`k${at}`, row(3), row(5), `t${at % 10}`);
  });
  const tasks = Array.from({ length: 10 }, (_, at) => ({ type: `t${at}`, before: 10 + at, after: 30 - at }));
  requireExact(driversOf(cells, tasks, []));
});

describe("what is impossible is refused", () => {
  const fine: Row = [1, 1, 1, 1, 1, 1, 1];
  const tasks: TypeTasks[] = [{ type: "ticket", before: 1, after: 1 }];
  it.each<[string, DriverCell[], TypeTasks[]]>([
    ["tasks is not a whole number", [], [{ type: "ticket", before: 1.5, after: 1 }]],
    ["tasks below zero", [], [{ type: "ticket", before: 1, after: -1 }]],
    ["the tasks of a type given twice", [], [...tasks, ...tasks]],
    ["a cell given twice", [cell("x", fine, fine), cell("x", fine, fine)], tasks],
    ["a type of which nothing is said", [cell("x", fine, fine, "code")], tasks],
    ["calls of a type without tasks", [cell("x", fine, fine)], [{ type: "ticket", before: 0, after: 1 }]],
    ["more first tries than calls", [cell("x", [2, 1, 1, 1, 1, 1, 1], fine)], tasks],
    ["a count that is no number", [cell("x", [1, 1, Number.NaN, 1, 1, 1, 1], fine)], tasks],
    ["a cost below zero", [cell("x", fine, [1, 1, 1, 1, 1, 1, -1])], tasks],
    ["a list price below zero", [cell("x", fine, [1, 1, 1, -1, 1, 1, 1])], tasks],
    ["a cost without a call", [cell("x", fine, [0, 0, 0, 0, 0, 0, 1])], tasks],
  ])("%s", (_, cells, given) => {
    expect(() => driversOf(cells, given, [])).toThrow(RangeError);
  });
});
